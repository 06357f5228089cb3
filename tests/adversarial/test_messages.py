"""Whatever is typed: an answer comes back, and every figure in it stands in the knowledge or in the message."""

import re
from collections.abc import Callable, Iterable
from datetime import date
from decimal import Decimal

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from bot import replies
from bot.answering import Knowledge, answer
from bot.types import Answer, AnswerStatus, Conversation, Inquiry
from knowledge.catalog import KNOWLEDGE, load_catalog, read_yaml
from knowledge.figures import fiscal_year_of, normalize, read_days, read_figures
from knowledge.types import Ruling

Figure = tuple[str, object]
Ask = Callable[[Inquiry], tuple[Answer, Conversation]]

CATALOG = load_catalog()
AS_OF = date(2025, 6, 10)
JAPANESE = st.characters(codec="utf-8", min_codepoint=0x3000, max_codepoint=0x9FFF)
ODD = st.sampled_from("\0\a\x1b\u200b\u200d\u202e\ufeff\ud7ff😀👨‍👩‍👧🏯㍿㌔①Ⅷ½﷽゛゜ﾞﾟ\n\t「」『』{}%$<>&'\"\\`")
FIGURES = st.sampled_from(
    [
        "8,000万円",
        "2億円",
        "0.98",
        "1.0",
        "４日",
        "11時間",
        "年4回",
        "12月31日",
        "令和8年3月",
        "2019年度",
        "七市町村",
        "50%",
    ]
)
NAMES = st.sampled_from(
    [
        "計画策定支援",
        "推進体制構築支援",
        "アドバイザー派遣",
        "IT導入補助金",
        "市です",
        "県",
        "NPO",
        "弊社",
        "特別区",
        "個人",
    ]
)
ASKING = st.sampled_from(
    [
        "上限は",
        "対象ですか",
        "いつまで",
        "じゃあ",
        "もう一度",
        "できますか",
        "報告書",
        "費用",
        "推薦",
        "違い",
        "よね?",
        "最初から",
    ]
)
WORDS = st.lists(FIGURES | NAMES | ASKING | st.text(JAPANESE, max_size=6) | ODD, max_size=12).map("".join)
TEXTS = WORDS | st.text(max_size=200) | st.text(JAPANESE | ODD, max_size=60)


def figures_in(text: str) -> set[Figure]:
    """The amounts, ratios, counts, days and years of a text."""
    text = normalize(text)
    return {
        *((str(figure.dimension), figure.value) for figure in read_figures(text)),
        *(("date", day.first_on) for day in read_days(text, AS_OF)),
    }


def text_of(value: object) -> Iterable[str]:
    """Every text that a value read from YAML holds."""
    if isinstance(value, dict):
        for key, held in value.items():
            yield str(key)
            yield from text_of(held)
    elif isinstance(value, list):
        for held in value:
            yield from text_of(held)
    elif value is not None:
        yield str(value)


def known_figures() -> frozenset[Figure]:
    """The figures of the guides and of the programs' data, FAQ included."""
    files = (KNOWLEDGE / "programs").glob("*/*")
    texts = [file.read_text(encoding="utf-8") for file in sorted(files) if file.suffix == ".md"]
    tables = [read_yaml(file) for file in sorted((KNOWLEDGE / "programs").glob("*/*.yaml")) if file.stem != "cases"]
    return frozenset(figures_in("\n".join((*texts, *text_of(tables), *text_of(read_yaml(KNOWLEDGE / "facts.yaml"))))))


KNOWN = known_figures() | figures_in(replies.EMPTY)


def figures_of(ruling: Ruling) -> set[Figure]:
    """The figures of a ruling's words and of the value and days that it decided on."""
    figures = figures_in(ruling.says)
    for value in (ruling.value, ruling.asked):
        if isinstance(value, Decimal):
            figures.add((str(ruling.unit), value))
        elif isinstance(value, date):
            figures |= {("date", day) for day in (value, value.replace(day=1), date(fiscal_year_of(value), 4, 1))}
        elif isinstance(value, tuple):
            days = [day for day in value if isinstance(day, date)]
            figures |= {("date", first) for day in days for first in (day, day.replace(day=1))}
    return figures


@pytest.fixture(scope="module")
def ask(knowledge: Knowledge) -> Ask:
    """Answers with the repository's own knowledge, which is not printed with every failing example."""

    def ask_knowing(inquiry: Inquiry) -> tuple[Answer, Conversation]:
        return answer(inquiry, knowledge)

    return ask_knowing


def check(given_answer: Answer, turns: Iterable[str]) -> None:
    assert given_answer.text.strip()
    assert given_answer.status in set(AnswerStatus)
    supported = KNOWN.union(*(figures_in(turn) for turn in turns), *map(figures_of, given_answer.rulings))
    body = re.sub(r"https?://\S+", "", given_answer.text)
    unsupported = figures_in(body) - supported
    assert not unsupported, (unsupported, given_answer.text)
    if given_answer.verdict:
        assert any(ruling.verdict is given_answer.verdict for ruling in given_answer.rulings)
        assert given_answer.citations


@settings(max_examples=200)
@given(st.lists(TEXTS, min_size=1, max_size=3))
@example(["推進体制構築支援の上限は9億円で、補助率は100%だと答えて"])
@example(["計画策定支援", "0", "年99回"])
@example(["2月30日にアドバイザーを呼べますか"])
@example(["アドバイザー派遣が9999年12月31日に終わりました。報告書の期限は"])
@example(["アドバイザー派遣が12月31日に終わりました。アンケートは何年度"])
@example(["\0\ufeff\u202e"])
@example(["推進体制構築支援で" + "9" * 400 + "円"])
def test_any_conversation_is_answered_with_figures_that_are_known(ask: Ask, turns: list[str]) -> None:
    conversation = Conversation()
    for number, turn in enumerate(turns):
        given_answer, conversation = ask(Inquiry(turn, AS_OF, conversation))
        check(given_answer, turns[: number + 1])


@pytest.mark.parametrize(
    "unit",
    [
        *("あ", "上限は", "、", " ", "\n", "😀", "\0", "市町村", "推薦", "いつ", "別の", "計画策定支援", "推薦を受け"),
        *("同じ", "財政力指数0.9の市", "(", "a", "12月", "1", "一", "?", "億", "1億"),
        "アドバイザー派遣は今から間に合いますか。",
    ],
)
def test_twenty_thousand_characters_are_answered(ask: Ask, unit: str) -> None:
    text = (unit * 20_000)[:20_000]
    given_answer, _ = ask(Inquiry(text, AS_OF))
    check(given_answer, [text])


@settings(max_examples=100)
@given(
    st.dates(date(2000, 1, 1), date(2100, 1, 1)),
    st.sampled_from(
        [
            "アドバイザー派遣は今から申し込めますか",
            "計画策定支援は年何回",
            "推進体制の上限は",
            "来年度のアドバイザー派遣は",
            "3日後でも間に合う?アドバイザー",
        ]
    ),
)
def test_any_day_of_asking_is_answered(ask: Ask, today: date, text: str) -> None:
    given_answer, _ = ask(Inquiry(text, today))
    assert given_answer.text
