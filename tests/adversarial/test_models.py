import json
import subprocess
import sys
import threading
from contextlib import contextmanager
from dataclasses import replace
from datetime import date

import pytest

from bot.answering import answer
from bot.explaining import passages_for, respond, says, sources_of, stands
from bot.llm import SENTENCES, ModelSettingError, ObjectReader, open_chat_model
from bot.types import AnswerStatus, Inquiry
from tests.adversarial.__main__ import questions, replies, rewordings
from tests.adversarial.models import HERE, LIES, as_reply, lying, serving, tokens_in

CAP = Inquiry("初めての県です。推進体制構築支援の上限はいくらですか", date(2025, 6, 10))
TRUE = "全体予算は5億円程度です。"


async def steps(inquiry, knowledge, url, name="honest", limit=10.0, **options):
    model = open_chat_model(f"openai:{name}", base_url=url, retries=0, **options)
    return [step async for step in respond(inquiry, knowledge, model, limit)]


def honest(name, prompt):
    """Says in one sentence what a ruling says, with the name of the program left out."""
    return as_reply(["事業規模の上限は1億円です。"], tokens_in(prompt))


async def test_a_right_sentence_is_added_under_the_ruling(knowledge):
    with serving(honest) as url:
        seen = await steps(CAP, knowledge, url)
    offline, last = seen[0].answer, seen[-1]
    assert last.account.outcome == "explained"
    assert last.answer.text.startswith(offline.text.split("\n\n出典")[0])
    assert "事業規模の上限は1億円です。" in last.answer.text
    assert (last.answer.rulings, last.answer.verdict) == (offline.rulings, offline.verdict)


def test_what_sources_say_in_other_words_is_heard(knowledge):
    asked = questions([HERE / "questions.jsonl"], knowledge)
    objections = dict(rewordings(asked, knowledge, "rewordings.yaml"))
    removed = {said: objection for said, objection in objections.items() if objection}
    assert len(removed) <= 0.05 * len(objections), removed


def test_what_a_chat_model_answers_with_this_prompt_is_heard(knowledge):
    said = list(replies("honest_replies.jsonl", knowledge))
    removed = [reconciled for reconciled in said if reconciled.objection]
    assert len(removed) <= 0.05 * len(said), removed
    assert len([reconciled for reconciled in removed if not reconciled.shown]) <= 0.025 * len(said), removed


def test_what_a_chat_model_makes_up_is_removed(knowledge):
    """But for what is marked: false, though not on a cap, a date, a count or who may apply."""
    rows = map(json.loads, (HERE / "lying_replies.jsonl").read_text("utf-8").splitlines())
    slips = [said["text"] for row in rows for said in row["sentences"] if said.get("slips")]
    assert [r.sentence.text for r in replies("lying_replies.jsonl", knowledge) if not r.objection] == slips


def test_what_sources_do_not_say_is_removed(knowledge):
    asked = questions([HERE / "questions.jsonl"], knowledge)
    objections = dict(rewordings(asked, knowledge, "distortions.yaml"))
    assert len(objections) > 100
    assert [said for said, objection in objections.items() if not objection] == []


@pytest.mark.parametrize("lie", LIES, ids=lambda lie: lie["name"])
async def test_a_lying_model_adds_nothing_but_what_the_documents_say(knowledge, lie):
    offline, _ = answer(CAP, knowledge)
    written = [source.text for source in sources_of(offline, passages_for(CAP, offline, knowledge))]
    with serving(lying) as url:
        for step in await steps(CAP, knowledge, url, lie["name"]):
            assert (step.answer.rulings, step.answer.verdict) == (offline.rulings, offline.verdict)
            said, _, _ = step.answer.text.partition("\n\n出典")
            added = said.removeprefix(offline.text.partition("\n\n出典")[0]).split("\n")
            assert [line for line in added if not any(line.rpartition(": ")[2] in text for text in written)] == []


async def test_a_provider_without_structured_output(knowledge):
    with serving(honest, structured=False) as url:
        assert (await steps(CAP, knowledge, url))[-1].account.outcome == "explained"


async def test_a_model_that_never_replies_is_not_waited_for(knowledge):
    over = threading.Event()

    def pondering(name, prompt):
        over.wait()
        return honest(name, prompt)

    with serving(pondering) as url:
        model = open_chat_model("openai:slow", base_url=url, retries=0)
        seen = [step async for step in respond(CAP, knowledge, model, 0.5)]
        over.set()
    assert seen[-1].account.outcome == "slow"
    assert seen[-1].answer == seen[0].answer


@contextmanager
def nobody():
    yield "http://127.0.0.1:9/v1"


@pytest.mark.parametrize("server", [nobody, lambda: serving(status=500), lambda: serving(status=401)])
async def test_a_model_that_is_down(knowledge, server):
    with server() as url:
        last = (await steps(CAP, knowledge, url))[-1]
    assert (last.account.outcome, last.answer) == ("failed", answer(CAP, knowledge)[0])


async def test_a_stream_that_ends_in_mid_figure_gives_what_was_complete(knowledge):
    def breaking_off(name, prompt):
        whole = as_reply(["事業規模の上限は1億円です。", "事業規模の上限は1億円です。"], tokens_in(prompt))
        return whole[: whole.rindex("億")]

    with serving(breaking_off) as url:
        last = (await steps(CAP, knowledge, url))[-1]
    assert last.answer.text.count("事業規模の上限は1億円です。") <= 1
    assert "上限は1。" not in last.answer.text


async def test_the_budget_of_the_day(knowledge):
    with serving(honest) as url:
        model = open_chat_model("openai:honest", base_url=url, retries=0, daily_tokens=1)
        first = [step async for step in respond(CAP, knowledge, model, 10)]
        second = [step async for step in respond(CAP, knowledge, model, 10)]
        tomorrow = replace(CAP, as_of=date(2025, 6, 11))
        third = [step async for step in respond(tomorrow, knowledge, model, 10)]
    assert [seen[-1].account.outcome for seen in (first, second, third)] == ["explained", "over_budget", "explained"]


async def test_a_lie_about_what_the_user_said_is_not_taken_over(knowledge):
    asked = Inquiry("うちの会社は計画策定支援に応募できますか", date(2025, 6, 10))
    with serving(lying) as url:
        seen = await steps(asked, knowledge, url, "flips eligibility")
    assert seen[0].answer.status is AnswerStatus.NEEDS_INFO
    assert seen[-1].answer == seen[0].answer


def test_evidence_is_in_the_users_own_words():
    assert stands("人口3千人の村", "うちは人口3千人の村です")
    assert not stands("財政力指数0.3", "うちは人口3千人の村です")
    assert says("人口3千人の村", "市町村")
    assert not says("市町村ではない", "市町村")
    assert not says("株式会社", "地方公共団体の出資がある")


def test_only_complete_objects_are_read():
    text = as_reply(["上限は1億円です。"], ["S1"])
    for end in range(len(text)):
        found = list(ObjectReader(SENTENCES).feed(text[:end]))
        assert found in ([], [{"text": "上限は1億円です。", "sources": ["S1"]}])
    assert list(ObjectReader(SENTENCES).feed(f"```json\n{text}\n```")) == json.loads(text)["sentences"]


def test_what_cannot_be_opened_says_what_to_do():
    with pytest.raises(ModelSettingError, match="openai:"):
        open_chat_model("gpt-x")
    with pytest.raises(ModelSettingError, match="mistralai"):
        open_chat_model("mistralai:x")


def test_the_default_path_does_not_import_langchain():
    code = "import bot.answering, bot.app, sys; sys.exit(any(name.startswith('langchain.') for name in sys.modules))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
