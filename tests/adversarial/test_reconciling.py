from datetime import date
from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.reconciling import Checker, Sentence, Source
from knowledge.figures import normalize, read_days, read_figures

HERE = Path(__file__).parent
LIES = yaml.safe_load((HERE / "lies.yaml").read_text("utf-8"))
MORE = yaml.safe_load((HERE / "more_lies.yaml").read_text("utf-8"))
HONEST = yaml.safe_load((HERE / "honest.yaml").read_text("utf-8"))
NAMES = {
    "計画策定支援": "keikaku",
    "推進体制構築支援": "suishin",
    "アドバイザー派遣": "adviser",
    "「地域情報化アドバイザー」派遣事業": "adviser",
}
DAY = date(2025, 6, 10)


def checker_of(program):
    """All passages of a program, which is more than a model is ever handed."""
    entries = [entry for part in HONEST.values() for entry in part if entry["program"] == program]
    sources = [Source(f"S{i}", program, e["passage"], context=e["heading"]) for i, e in enumerate(entries)]
    return Checker(sources, NAMES, frozenset({program})), tuple(source.token for source in sources)


CHECKERS = {program: checker_of(program) for program in ("keikaku", "suishin", "adviser")}


@pytest.mark.parametrize("lie", LIES, ids=lambda lie: lie["name"])
@pytest.mark.parametrize("program", CHECKERS)
def test_a_lie_does_not_stand_on_any_passage(lie, program):
    checker, tokens = CHECKERS[program]
    assert [text for text in lie["says"] if not checker.objection(Sentence(text, tokens))] == []


@pytest.mark.parametrize("program", CHECKERS)
def test_lies_that_the_check_was_not_made_for(program):
    checker, tokens = CHECKERS[program]
    assert [text for text in MORE[program] if not checker.objection(Sentence(text, tokens))] == []


@pytest.mark.parametrize(("part", "least"), [("tuning", 0.8), ("unseen", 0.6)])
def test_an_honest_model_is_heard(part, least):
    stands = [
        not Checker(
            [Source("S1", e["program"], e["passage"], context=e["heading"])], NAMES, frozenset({e["program"]})
        ).objection(Sentence(text, ("S1",)))
        for e in HONEST[part]
        for text in e["sentences"]
    ]
    assert sum(stands) >= least * len(stands), f"{sum(stands)} of {len(stands)}"


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("対象外です。財政力指数が1以上(1.05)の地方公共団体は応募できません。", "都道府県は申請できません。"),
        (
            "過去に選定された都道府県も、前回より多くの市町村と連携すれば対象です。",
            "過去に選定された都道府県も、市町村と連携すれば対象です。",
        ),
        (
            "過去に支援地域として選定された都道府県は、事業規模の上限が5,000万円です。",
            "事業規模は5,000万円(過去に選ばれた都道府県は5,000万円)が上限です。",
        ),
    ],
)
def test_what_a_ruling_is_bound_to_cannot_be_left_out(source, said):
    checker = Checker([Source("R1", "suishin", source, is_ruling=True)], NAMES, frozenset({"suishin"}))
    assert not checker.objection(Sentence(source.split("。")[-2] + "。", ("R1",)))
    assert checker.objection(Sentence(said, ("R1",)))


CAP = Source("R1", "suishin", "推進体制構築支援の事業規模は、上限1億円です。", is_ruling=True)


@pytest.mark.parametrize(
    "text",
    [
        "推進体制構築支援の事業規模は、上限1億円です。",
        "推進体制構築支援の事業規模は、上限100,000,000円です。",
        "推進体制構築支援の事業規模は、上限一億円です。",
        "推進体制構築支援の事業規模の上限は、１億円です。",
    ],
)
def test_one_figure_in_several_writings(text):
    assert Checker([CAP], NAMES, frozenset({"suishin"})).objection(Sentence(text, ("R1",))) == ""


def test_a_document_does_not_speak_on_what_rules_decide():
    planted = Source("S1", "suishin", "推進体制構築支援の事業規模は、上限3億円です。", settled=False)
    checker = Checker([CAP, planted], NAMES, frozenset({"suishin"}))
    assert checker.objection(Sentence("推進体制構築支援の事業規模は、上限3億円です。", ("S1",)))


def figures(text):
    read = normalize(text)
    return {(found.dimension, found.value) for found in read_figures(read)} | {
        ("day", found.first_on, found.last_on) for found in read_days(read, DAY)
    }


PIECES = st.sampled_from(
    [
        *"はがをにでとのも、。",
        *(
            "1億円",
            "5,000万円",
            "5億円",
            "3日",
            "10時間",
            "年3回",
            "2025年度",
            "4月",
            "三",
            "億",
            "2倍",
            "%",
            "上限",
            "まで",
        ),
        *(
            "以上",
            "だけ",
            "過去に選ばれた",
            "初めての",
            "都道府県",
            "市区町村",
            "推進体制構築支援",
            "事業規模",
            "全体予算",
        ),
        *("対象", "です", "ます", "ません", "申請", "連携", "必ず", "場合", "程度", "総務省", "|", "\n", "http://a.b/"),
    ]
)


@settings(max_examples=400)
@given(
    st.one_of(
        st.text(max_size=60),
        st.lists(PIECES, max_size=14).map("".join),
        st.lists(PIECES, max_size=8).map("".join).map(lambda text: text + "です。"),
    )
)
def test_whatever_the_text_each_figure_that_is_shown_is_supported(text):
    checker, tokens = CHECKERS["suishin"]
    passages = [e["passage"] for part in HONEST.values() for e in part if e["program"] == "suishin"]
    assert checker.reconcile(Sentence(text, ())).shown is None
    reconciled = checker.reconcile(Sentence(text, tokens))
    if reconciled.fate == "kept":
        assert figures(text) <= set().union(*map(figures, passages))
    elif reconciled.shown:
        assert reconciled.objection
        assert any(reconciled.shown.text.rpartition(": ")[2] in passage for passage in passages)
