"""Whatever a chat model replies: what is shown are the sources' sentences and the rules', and in time."""

import asyncio
import json
import subprocess
import sys
import threading
from contextlib import contextmanager
from dataclasses import replace
from datetime import date
from itertools import count

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from bot import replies
from bot.answering import answer, consider
from bot.choosing import group_sentences, hand_out
from bot.llm import ModelSettingError, open_chat_model
from bot.responding import Patience, respond
from bot.types import Inquiry
from tests.adversarial.models import as_choice, groups_in, serving

DAY = date(2025, 6, 10)
PATIENCE = Patience(before=10, after=10)
COMPARED = Inquiry("計画策定支援と推進体制構築支援の違いを市長に説明したい", DAY)
SETTLED = Inquiry("財政力指数0.6の町は計画策定支援の対象ですか", DAY)


async def stages(inquiry, knowledge, url, *, name="played", patience=PATIENCE, grows=True, **options):
    model = open_chat_model(f"openai:{name}", base_url=url, retries=0, **options)
    return [stage async for stage in respond(inquiry, knowledge, model, patience, grows=grows)]


def added(grown, offline):
    """The lines that an answer has gained, without its sources."""
    said, _, _ = grown.text.partition(replies.SOURCES)
    return said.removeprefix(offline.text.partition(replies.SOURCES)[0]).strip("\n").splitlines()


def source_lines(inquiry, knowledge):
    """Every line that the sources could give: the groups that are handed out, bare and led by a program's name."""
    groups = [" ".join(group.text.split()) for group in hand_out(consider(inquiry, knowledge), inquiry, knowledge)]
    names = [program.short_name for program in knowledge.catalog.programs.values()]
    return {*groups, *(f"{name}: {group}" for name in names for group in groups)}


async def test_what_a_model_points_to_is_shown_as_the_sources_say_it(knowledge):
    handed = []

    def compares(name, prompt):
        handed.extend(groups_in(prompt))
        return as_choice(3, 1, heading="比べると")

    with serving(compares) as url:
        first, last = await stages(COMPARED, knowledge, url)
    assert first.answer == answer(COMPARED, knowledge)[0]
    heading, *lines = added(last.answer, first.answer)
    assert heading == "【比べると】"
    assert [line.rpartition(": ")[2] for line in lines] == [handed[2], handed[0]]
    assert len(last.answer.citations) >= len(first.answer.citations)
    assert (last.model_use.choice, last.model_use.chosen) == ("chosen", 2)


async def test_a_channel_of_one_reply_gets_the_whole(knowledge):
    with serving() as url:
        (whole,) = await stages(COMPARED, knowledge, url, grows=False)
    assert "【概要】" in whole.answer.text


async def test_what_rules_settle_is_not_put_to_a_model(knowledge):
    asked = []
    with serving(lambda name, prompt: asked.append(prompt) or as_choice(1)) as url:
        (whole,) = await stages(SETTLED, knowledge, url)
    assert (whole.answer, asked) == (answer(SETTLED, knowledge)[0], [])


async def test_what_is_asked_of_the_asker_stands_last(knowledge):
    asks = Inquiry("首長に説明したい。推進体制構築支援にうちは申請できますか", DAY)
    with serving() as url:
        first, last = await stages(asks, knowledge, url)
    assert first.answer.missing
    said = last.answer.text.partition(replies.SOURCES)[0]
    assert said.startswith("【概要】")
    assert said.endswith(first.answer.text.partition(replies.SOURCES)[0])
    assert last.answer.missing == first.answer.missing


async def test_a_passage_that_answers_is_not_held_back_where_it_cannot_grow(knowledge):
    passage = Inquiry("推進体制構築支援で常駐の専門家がいると何がいいんですか", DAY)
    asked = []
    with serving(lambda name, prompt: asked.append(prompt) or as_choice(1)) as url:
        (whole,) = await stages(passage, knowledge, url, grows=False)
        assert (whole.answer, asked) == (answer(passage, knowledge)[0], [])
        _, grown = await stages(passage, knowledge, url)
    assert "【概要】" in grown.answer.text


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 60) | st.floats(allow_nan=False) | st.text(max_size=12),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
PARTS = st.lists(
    st.fixed_dictionaries(
        {
            "heading": st.sampled_from((*replies.HEADINGS, "結論", "<b>", "")) | ANYTHING,
            "numbers": st.lists(st.integers(-2, 40) | ANYTHING, max_size=9) | ANYTHING,
            "text": st.text(max_size=20),
        }
    ),
    max_size=4,
)
REPLIES = (
    st.text(max_size=200)
    | st.builds(json.dumps, ANYTHING)
    | st.builds(
        lambda parts: json.dumps({"parts": parts, "text": "1億円が上限ですが、額は自分で決められます。"}), PARTS
    )
)


@pytest.mark.parametrize("inquiry", [COMPARED, Inquiry("アドバイザー派遣のメリットを一言で", DAY)], ids=str)
def test_whatever_a_model_replies_nothing_but_the_sources_sentences_is_added(knowledge, inquiry):
    offline, conversation = answer(inquiry, knowledge)
    written = source_lines(inquiry, knowledge) | {replies.heading(name) for name in replies.HEADINGS}
    reply = ""

    with serving(lambda name, prompt: reply) as url, asyncio.Runner() as runner:
        much_later = count(0, 100)  # no failure of one example pauses the next
        model = open_chat_model("openai:anything", base_url=url, retries=0, now=lambda: float(next(much_later)))

        @settings(max_examples=25)
        @given(REPLIES)
        @example('{"parts": [{"heading": "概要", "numbers": [1')
        @example("\u202e01\u202c億円" * 50)
        @example("x" * 100_000)
        def check(text):
            nonlocal reply
            reply = text
            seen = runner.run(collect(respond(inquiry, knowledge, model, PATIENCE, grows=True)))
            for stage in seen:
                assert [line for line in added(stage.answer, offline) if line not in written] == []
                assert (stage.answer.verdict, stage.answer.rulings) == (offline.verdict, offline.rulings)
                assert stage.conversation == conversation

        check()


async def collect(generator):
    return [item async for item in generator]


SELECTED_BEFORE = [
    "以前選ばれた県です。推進体制構築支援の上限は?なぜその額なのか説明してほしい",
    "県です。前に選ばれました。推進体制構築支援の上限をまとめて",
]


@pytest.mark.parametrize("text", SELECTED_BEFORE)
def test_the_case_of_others_is_not_handed_over(knowledge, text):
    inquiry = Inquiry(text, DAY)
    handed = [group.text for group in hand_out(consider(inquiry, knowledge), inquiry, knowledge)]
    assert handed
    assert [group for group in handed if "1億円" in group] == []


def test_a_guides_section_stays_whole_and_a_sentence_that_narrows_stays_with_what_it_narrows(knowledge):
    section = knowledge.searcher.section("suishin", "事業規模の上限")
    assert list(group_sentences(section)) == [section.text]
    text = "会場費は5万円まで補助します。ただし、離島は10万円です。" + "申請は年度ごとに行います。" * 12
    groups = list(group_sentences(replace(section, quote="", text=text)))
    assert groups[0] == "会場費は5万円まで補助します。ただし、離島は10万円です。"
    assert "".join(groups) == text


async def test_a_model_that_never_replies_is_not_waited_for(knowledge):
    over = threading.Event()

    def pondering(name, prompt):
        over.wait()
        return as_choice(1)

    with serving(pondering) as url:
        quick = Patience(before=0.3, after=0.3)
        seen = await stages(COMPARED, knowledge, url, patience=quick)
        (one,) = await stages(COMPARED, knowledge, url, patience=quick, grows=False)
        over.set()
    assert seen[-1].model_use.choice == "slow"
    assert one.model_use.choice in ("slow", "unasked")  # where the offline answer took the time, it is not even asked
    assert seen[-1].answer == seen[0].answer == one.answer


@contextmanager
def nobody():
    yield "http://127.0.0.1:9/v1"


@pytest.mark.parametrize("server", [nobody, lambda: serving(status=500), lambda: serving(status=401)])
async def test_a_model_that_is_down(knowledge, server):
    with server() as url:
        last = (await stages(COMPARED, knowledge, url))[-1]
    assert (last.model_use.choice, last.answer) == ("failed", answer(COMPARED, knowledge)[0])


async def test_a_reply_that_goes_on_is_read_to_a_bound(knowledge):
    with serving(lambda name, prompt: "とても大切なことですが、" * 100_000) as url:
        last = (await stages(COMPARED, knowledge, url, max_tokens=100))[-1]
    assert last.model_use.choice == "malformed"
    assert last.model_use.tokens < 10_000


async def test_the_budget_of_the_day(knowledge):
    with serving() as url:
        model = open_chat_model("openai:played", base_url=url, retries=0, daily_tokens=1)
        days = (DAY, DAY, date(2025, 6, 11))
        seen = [
            await collect(respond(replace(COMPARED, as_of=day), knowledge, model, PATIENCE, grows=True)) for day in days
        ]
    assert [stages[-1].model_use.choice for stages in seen] == ["chosen", "over_budget", "chosen"]


async def test_a_provider_that_fails_again_and_again_is_left_alone_for_a_while(knowledge):
    now = 0.0
    answering = threading.Event()
    with serving(lambda name, prompt: as_choice(1) if answering.is_set() else "?") as url:
        model = open_chat_model("openai:played", base_url=url, retries=0, now=lambda: now)

        async def outcome():
            return (await collect(respond(COMPARED, knowledge, model, PATIENCE, grows=True)))[-1].model_use.choice

        assert [await outcome() for _ in range(6)] == ["malformed"] * 5 + ["paused"]
        answering.set()
        assert await outcome() == "paused"
        now = 31.0
        assert [await outcome(), await outcome()] == ["chosen", "chosen"]


async def test_a_provider_without_structured_output_is_asked_for_it_again_after_an_hour(knowledge):
    now, forms = 0.0, []
    with serving(structured=False, forms=forms) as url:
        model = open_chat_model("openai:played", base_url=url, retries=0, now=lambda: now)

        async def ask():
            return (await collect(respond(COMPARED, knowledge, model, PATIENCE, grows=True)))[-1].model_use.choice

        assert [await ask(), await ask()] == ["chosen", "chosen"]
        assert forms == [True, False, False]
        now = 3601.0
        assert await ask() == "chosen"
    assert forms == [True, False, False, True, False]


async def test_one_refusal_of_a_message_does_not_take_structured_output_away(knowledge):
    forms = []
    with serving(status=400, forms=forms) as url:
        model = open_chat_model("openai:played", base_url=url, retries=0)
        for _ in range(2):
            await collect(respond(COMPARED, knowledge, model, PATIENCE, grows=True))
    assert forms == [True, False, True, False]


def test_what_cannot_be_opened_says_what_to_do():
    with pytest.raises(ModelSettingError, match="mistralai"):
        open_chat_model("mistralai:x")


def test_the_default_path_does_not_import_langchain():
    code = "import bot.answering, bot.app, sys; sys.exit(any(name.startswith('langchain.') for name in sys.modules))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
