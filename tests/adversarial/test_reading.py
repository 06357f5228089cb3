"""A chat model's reading: what the words do not bear is refused, and no verdict follows from it without a yes."""

import asyncio
import json
from datetime import date
from itertools import count
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from bot import replies
from bot.answering import answer, consider
from bot.llm import open_chat_model
from bot.responding import Patience, is_left_open, respond
from bot.types import BY_MODEL, AnswerStatus, Conversation, Inquiry, Reading
from bot.understanding import read_scene
from bot.understanding.admitting import Proposal, admit_proposal
from bot.understanding.model import prompt_for
from knowledge.catalog import load_catalog, read_yaml
from knowledge.types import Fact, Subject, Verdict
from tests.adversarial.models import SENTENCES, as_choice, serving

DAY = date(2025, 6, 10)
CATALOG = load_catalog()
PROMPT = prompt_for(Inquiry("県です", DAY), CATALOG)
FACTS = PROMPT.schema["properties"]["facts"]["items"]["properties"]
KNOWN = frozenset(FACTS["says"]["enum"])
BREWERY = "役場と組んでやってる蔵元です。アドバイザー派遣の対象ですか"


def reading(facts=(), questions=()):
    """A reply to the request for a reading."""
    return json.dumps({"questions": list(questions), "facts": list(facts)}, ensure_ascii=False)


def fact(says, quote, whose="writer", when="now", stance="said"):
    return {"says": says, "quote": quote, "whose": whose, "when": when, "stance": stance}


def question(quote, about="unclear", subject="other", seeks=""):
    return {"quote": quote, "about": about, "subject": subject, "seeks": seeks}


@pytest.mark.parametrize("row", read_yaml(Path(__file__).parent / "proposals.yaml"), ids=str)
def test_what_the_words_bear_is_admitted_and_nothing_else(row):
    message = row["message"] or ""
    proposal = Proposal(
        row["says"],
        row.get("quote", message),
        row.get("whose", "writer"),
        row.get("when", "now"),
        row.get("stance", "said"),
    )
    admitted = admit_proposal(proposal, read_scene(Inquiry(message, DAY)), KNOWN, None)
    if "refused" in row:
        assert admitted == row["refused"]
    else:
        assert isinstance(admitted, Reading)
        assert (admitted.value, admitted.by) == (row["admitted"], BY_MODEL)


def test_the_schema_is_made_from_what_is_known():
    assert "investment_or_nonprofit=invested" in KNOWN
    assert {says.partition("=")[0] for says in KNOWN} == {"amount", *Fact} - {"program"}
    asked = PROMPT.schema["properties"]["questions"]["items"]["properties"]
    assert set(asked["about"]["enum"]) == {*CATALOG.programs, "unclear"}
    assert set(asked["subject"]["enum"]) == {*Subject, "other"}


def test_a_message_that_goes_on_is_sent_with_the_question_before_it(knowledge):
    _, conversation = answer(Inquiry("アドバイザー派遣の対象ですか", DAY), knowledge)
    sent = prompt_for(Inquiry("蔵元だと?", DAY, conversation), CATALOG).message
    assert "前の質問: アドバイザー派遣の対象ですか" in sent
    assert "窓口からの問い: 申請するのは、どのような団体ですか。" in sent


async def talk(knowledge, reply, *turns, every=False):
    """The last stage of each turn, with a model that always reads the same."""
    seen, conversation = [], Conversation()
    with serving(lambda name, prompt: as_choice() if SENTENCES in prompt else reply) as url:
        model = open_chat_model("openai:played", base_url=url, retries=0)
        for turn in turns:
            inquiry = Inquiry(turn, DAY, conversation)
            patience = Patience(20, 20, every)
            stages = [stage async for stage in respond(inquiry, knowledge, model, patience, grows=True)]
            conversation = stages[-1].conversation
            seen.append(stages[-1])
    return seen


COMPANY = reading([fact("applicant_kind=company", "役場と組んでやってる蔵元です")])


async def test_a_fact_that_only_the_model_read_is_asked_by_a_tap_and_counts_after_the_yes(knowledge):
    asked, confirmed = await talk(knowledge, COMPANY, BREWERY, "はい")
    assert "民間企業(「役場と組んでやってる蔵元です」)" in asked.answer.text
    assert [choice.label for choice in asked.answer.choices] == ["はい", "いいえ"]
    assert (asked.answer.status, asked.answer.verdict) == (AnswerStatus.NEEDS_INFO, None)
    assert asked.model_use.reading == "asked"
    assert confirmed.conversation.facts[Fact.APPLICANT_KIND] == "company"
    assert confirmed.answer.missing[0] is Fact.RECOMMENDATION
    assert ("company", "confirmed") in {(fact.value, fact.by) for fact in confirmed.answer.understood}


@pytest.mark.parametrize("no", ["いいえ", "違います"])
async def test_after_a_no_it_is_asked_as_without_a_model(knowledge, no):
    _, denied = await talk(knowledge, COMPANY, BREWERY, no)
    assert denied.answer == answer(Inquiry(BREWERY, DAY), knowledge)[0]
    assert Fact.APPLICANT_KIND not in denied.conversation.facts


async def test_another_message_leaves_the_proposal_behind(knowledge):
    _, other = await talk(knowledge, COMPANY, BREWERY, "計画策定支援の公募は年に何回ですか")
    assert "年3回" in other.answer.text
    assert other.conversation.proposed is None


async def test_a_program_is_used_where_no_verdict_hangs_on_it_and_is_told(knowledge):
    message = "上限はいくらですか"
    (told,) = await talk(knowledge, reading((), [question(message, "suishin", "cap")]), message)
    assert "推進体制構築支援の事業規模は" in told.answer.text
    assert "(推進体制についてのお尋ねとして)" in told.answer.text
    assert told.answer.verdict is None


async def test_a_program_on_which_a_verdict_hangs_is_asked(knowledge):
    message = "町です。申し込めますか"
    reply = reading((), [question(message, "suishin", "eligibility")])
    asked, confirmed = await talk(knowledge, reply, message, "はい")
    assert "・支援事業: 推進体制構築支援" in asked.answer.text
    assert (asked.answer.verdict, confirmed.answer.verdict) == (None, Verdict.INELIGIBLE)


SETTLED = "財政力指数0.6の町は計画策定支援の対象ですか"


async def test_a_ruling_that_was_shown_stays_and_a_disagreement_adds_a_question(knowledge):
    other = reading([fact("applicant_kind=company", "財政力指数0.6の町は計画策定支援の対象ですか")])
    offline = answer(Inquiry(SETTLED, DAY), knowledge)[0]
    (doubted,) = await talk(knowledge, other, SETTLED, every=True)
    assert doubted.answer.text.startswith(offline.text.partition(replies.SOURCES)[0])
    assert (doubted.answer.verdict, doubted.answer.rulings) == (offline.verdict, offline.rulings)
    assert [choice.label for choice in doubted.answer.choices] == ["はい", "いいえ"]


async def test_where_both_read_the_same_nothing_is_added(knowledge):
    same = reading([fact("applicant_kind=municipality", SETTLED), fact("fiscal_index=number", SETTLED)])
    (agreed,) = await talk(knowledge, same, SETTLED, every=True)
    assert agreed.answer == answer(Inquiry(SETTLED, DAY), knowledge)[0]
    assert (agreed.model_use.reading, agreed.model_use.agreed) == ("agreed", 2)


MESSAGES = [
    BREWERY,
    "推薦があるとよいのですが、まだです。NPOです。アドバイザー派遣の対象ですか",
    "人口0.5万人の町ですが計画策定支援の対象ですか",
    "隣の市は1.2、うちは町です。計画策定支援は?",
    "県です。8000万でできますか",
    "困りごとを聞いてもらえる制度はどれ",
    "今日の天気は",
    SETTLED,
]
MARK = "当選確実"
JUNK = st.none() | st.integers() | st.text(max_size=8) | st.just(MARK)


def quotes(message):
    spans = st.tuples(st.integers(0, len(message)), st.integers(0, len(message)))
    return spans.map(lambda span: message[min(span) : max(span)]) | st.just(message) | JUNK


def replies_to(message):
    facts = st.fixed_dictionaries(
        {
            "says": st.sampled_from(sorted(KNOWN)) | JUNK,
            "quote": quotes(message),
            "whose": st.sampled_from(FACTS["whose"]["enum"]) | JUNK,
            "when": st.sampled_from(FACTS["when"]["enum"]) | JUNK,
            "stance": st.sampled_from(FACTS["stance"]["enum"]) | JUNK,
        }
    )
    questions = st.fixed_dictionaries(
        {
            "quote": quotes(message),
            "about": st.sampled_from([*CATALOG.programs, "unclear"]) | JUNK,
            "subject": st.sampled_from([*Subject, "other"]) | JUNK,
            "seeks": st.sampled_from(["採択率", "費用の負担", f"{MARK} 1億円", "上限"]) | JUNK,
        }
    )
    lists = st.tuples(st.lists(facts | JUNK, max_size=5) | JUNK, st.lists(questions | JUNK, max_size=3) | JUNK)
    return lists.map(lambda both: json.dumps({"facts": both[0], "questions": both[1]})) | st.text(max_size=60)


@pytest.mark.parametrize("every", [False, True])
def test_whatever_a_model_reads_no_verdict_differs_without_a_yes_and_none_of_its_words_are_shown(knowledge, every):
    reply = ""
    with serving(lambda name, prompt: reply) as url, asyncio.Runner() as runner:
        much_later = count(0, 100)
        model = open_chat_model("openai:anything", base_url=url, retries=0, now=lambda: float(next(much_later)))

        @settings(max_examples=25)
        @given(st.sampled_from(MESSAGES).flatmap(lambda m: st.tuples(st.just(m), replies_to(m))))
        @example((BREWERY, COMPANY))
        @example((MESSAGES[2], reading([fact("fiscal_index=number", "0.5")])))
        def check(asked):
            nonlocal reply
            message, reply = asked
            offline = answer(Inquiry(message, DAY), knowledge)[0]

            async def seen():
                inquiry = Inquiry(message, DAY)
                return [s async for s in respond(inquiry, knowledge, model, Patience(20, 20, every), grows=True)]

            for stage in runner.run(seen()):
                assert stage.answer.verdict == offline.verdict
                assert MARK not in stage.answer.text
                if offline.verdict:
                    assert stage.answer.rulings == offline.rulings

        check()


@pytest.mark.parametrize(
    ("message", "left_open"),
    [(BREWERY, True), ("今日の天気は", True), (SETTLED, False), ("計画策定支援の採択率は", False), ("最初から", False)],
)
def test_what_is_left_open(knowledge, message, left_open):
    assert is_left_open(consider(Inquiry(message, DAY), knowledge), CATALOG) is left_open
