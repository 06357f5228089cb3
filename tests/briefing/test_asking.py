"""Asking: answered privately at once, put with its like, and handed to the host where that is not enough."""

from datetime import UTC, datetime

import numpy as np
import pytest

from bot.briefing.asking import Asked, Asking
from bot.briefing.merging import Meaning
from bot.briefing.sessions import BriefingMissingError
from bot.types import Answer, AnswerStatus

KNOWN = "財政力指数0.6の町は計画策定支援の対象ですか"
KNOWN_AGAIN = "計画策定支援、指数0.6の町でも応募できますか"
UNSTATED = "計画策定支援の採択率は?"
OUTSIDE = "この説明会の録画は後で見られますか"


async def test_what_is_known_is_answered_to_the_asker_alone(hall):
    assert (await hall.ask("甲", KNOWN)).status_code == 202
    (asked,) = await hall.mine("甲")
    assert asked["answer"]["verdict"] == "eligible"
    assert asked["answer"]["citations"]
    assert await hall.mine("乙") == []
    host = await hall.host()
    assert host["matters"] == []
    assert [m["wording"] for m in host["answered_by_bot"]] == [KNOWN]


@pytest.mark.parametrize("text", [UNSTATED, OUTSIDE])
async def test_what_is_not_stated_reaches_the_host_by_itself(hall, text):
    await hall.ask("甲", text)
    assert [m["wording"] for m in (await hall.host())["matters"]] == [text]


@pytest.mark.parametrize(("tap", "reaches"), [("asked", True), ("unhelpful", True), ("settled", False)])
async def test_a_tap_says_what_the_answer_was_worth(hall, tap, reaches):
    await hall.ask("甲", KNOWN)
    assert (await hall.tap("甲", tap)).status_code == 200
    assert bool((await hall.host())["matters"]) is reaches


async def test_who_has_understood_after_all_waits_no_more(hall):
    await hall.ask("甲", UNSTATED)
    await hall.tap("甲", "settled")
    assert (await hall.host())["matters"] == []


async def test_a_question_that_is_sent_again_is_asked_once(hall):
    for _ in range(3):
        await hall.ask("甲", KNOWN, id="12345678")
    assert len(await hall.mine("甲")) == 1


async def test_like_questions_are_one_matter_with_a_count_of_people(hall):
    for name, text in (("甲", KNOWN), ("乙", KNOWN_AGAIN), ("乙", KNOWN), ("丙", UNSTATED)):
        await hall.ask(name, text)
    host = await hall.host()
    assert [(m["wording"], m["count"]) for m in host["answered_by_bot"]] == [(KNOWN, 2)]
    assert [(m["wording"], m["count"]) for m in host["matters"]] == [(UNSTATED, 1)]
    assert host["people"] == 3


async def record(hall, who, *directions):
    """Somebody asks what no rule and no entry knows, with a vector that points in these directions."""
    vector = np.zeros(3, dtype=np.float32)
    vector[list(directions)] = len(directions) ** -0.5
    meaning = Meaning(frozenset(), frozenset(), False, frozenset(), frozenset(), {}, vector)
    answer = Answer("資料に記載が見当たりません。", AnswerStatus.UNKNOWN)
    moment = hall.sessions.now()
    asked = Asked(hall.briefing, f"event {who}", who, f"web:{who}", moment, f"{who}の質問", answer, meaning, False)
    async with hall.sessions.engine.begin() as connection:
        await Asking(hall.sessions).record(connection, asked)


async def counts(hall):
    return {matter["number"]: matter["count"] for matter in (await hall.host())["matters"]}


async def test_a_question_that_is_like_two_matters_makes_them_one(hall):
    await record(hall, "甲", 0)
    await record(hall, "乙", 1)
    before = await hall.host()
    assert await counts(hall) == {1: 1, 2: 1}
    await record(hall, "丙", 0, 1)
    assert await counts(hall) == {1: 3}
    assert (await hall.act("pin", 2, seen=before)).status_code == 409  # a host who still sees the other one is told


async def test_a_matter_that_a_host_has_touched_is_not_taken_into_another(hall):
    await record(hall, "甲", 0)
    await record(hall, "乙", 1)
    await hall.act("pin", 2)
    await record(hall, "丙", 0, 1)
    assert await counts(hall) == {1: 2, 2: 1}


async def test_what_a_host_has_split_stays_apart(hall):
    for who in ("甲", "乙"):
        await record(hall, who, 0)
    (matter,) = (await hall.host())["matters"]
    await hall.act("split", 1, questions=[matter["questions"][1]["id"]])
    await record(hall, "丙", 0)
    assert await counts(hall) == {1: 2, 2: 1}


async def test_a_reply_to_what_was_asked_back_belongs_to_its_question(hall):
    for text in ("計画策定支援の対象になりますか", "町です", "0.6"):
        await hall.ask("甲", text)
    (asked,) = await hall.mine("甲")
    assert asked["text"] == "計画策定支援の対象になりますか → 町です → 0.6"
    assert asked["answer"]["verdict"] == "eligible"


async def test_thanks_are_no_matter(hall):
    await hall.ask("甲", "ありがとうございました")
    assert len(await hall.mine("甲")) == 1
    host = await hall.host()
    assert host["matters"] == host["answered_by_bot"] == []


async def test_personal_data_is_masked_before_anybody_sees_it(hall):
    await hall.ask("甲", "録画は090-1234-5678に連絡をもらえますか")
    host = await hall.host()
    assert "●●●" in str(host)
    assert "1234" not in str((host, await hall.mine("甲")))


async def test_the_same_wish_counts_once_a_person(hall):
    await hall.ask("甲", UNSTATED)
    assert (await hall.want("乙", 1)).status_code == 404  # not on the board
    await hall.act("release", 1)
    for name in ("乙", "乙", "甲", "丙"):
        assert (await hall.want(name, 1)).status_code == 200
    (matter,) = (await hall.board())["matters"]
    assert matter["count"] == 3


async def test_the_limit_counts_people_and_not_the_hall_s_address(hall):
    for number in range(20):
        assert (await hall.want("甲", number)).status_code == 404
    assert (await hall.want("甲", 1)).status_code == 429
    assert (await hall.ask("乙", KNOWN)).status_code == 202


@pytest.mark.parametrize("text", ["", " ", "あ" * 2001])
async def test_what_is_no_question_is_refused_at_once(hall, text):
    response = await hall.ask("甲", text)
    assert response.status_code == 422
    assert response.json()["text"]


async def test_after_the_end_nothing_is_asked_and_everything_is_kept(hall):
    await hall.ask("甲", UNSTATED)
    await hall.sessions.end(hall.briefing.code)
    assert (await hall.ask("甲", KNOWN)).status_code == 410
    assert len((await hall.host())["matters"]) == 1
    assert (await hall.board())["ended"]


async def test_a_test_is_wiped_at_its_end(hall):
    rehearsal = await hall.sessions.start("練習", test=True)
    hall.briefing = rehearsal
    await hall.ask("甲", UNSTATED)
    await hall.sessions.end(rehearsal.code)
    with pytest.raises(BriefingMissingError):
        await hall.sessions.find(rehearsal.code)


async def test_sessions_are_deleted_with_everything_else_when_their_time_is_over(hall):
    await hall.ask("甲", UNSTATED)
    assert await hall.sessions.purge(datetime(2000, 1, 1, tzinfo=UTC)) == 0
    assert await hall.sessions.purge(datetime(2100, 1, 1, tzinfo=UTC)) == 1
    assert await hall.sessions.all() == []


async def test_the_links_of_host_and_projector_open_nothing_else(hall):
    for path, role in (("host/events", "screen"), ("screen/events", "host"), ("host/sheet.md", "screen")):
        for headers in ({}, hall.bearer(role), {"Authorization": "Bearer x"}):
            assert (await hall.client.get(f"{hall.api}/{path}", headers=headers)).status_code == 403


async def test_an_unknown_code_is_named(hall):
    response = await hall.client.get("/api/briefings/XXXX/events", headers=hall.asker("甲"))
    assert response.status_code == 404
    assert "番号" in response.json()["text"]


async def test_of_one_event_one_session_is_opened(hall):
    first = await hall.sessions.start("説明会", event="slack:1")
    again = await hall.sessions.start("説明会", event="slack:1")
    assert first.id == again.id
