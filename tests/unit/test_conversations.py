import asyncio
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
import sqlalchemy as sa

from bot.answering import answer
from bot.conversations import Conversations
from bot.storage import Cutoffs, create_engine, migrate
from bot.types import Answer, AnswerStatus, Conversation, Inquiry, Turn
from knowledge.types import Choice, Fact, Subject

NOON = datetime(2026, 4, 1, 12, tzinfo=UTC)
ANSWER = Answer("対象です。", AnswerStatus.ANSWERED, choices=(Choice("市町村", "municipality"),))
STATE = Conversation(
    program="keikaku",
    facts={Fact.FISCAL_INDEX: "0.98"},
    subjects=(Subject.ELIGIBILITY, Subject.CAP),
    amount=Decimal("80000000"),
    amount_unit="yen",
    asked_for=Fact.APPLICANT_KIND,
    question="うちは対象ですか",
    towns=("342084",),
    home=("132063", "342084"),
)


@pytest.fixture
async def engine(database_url, tmp_path):
    engine = create_engine(database_url, tmp_path)
    await migrate(engine)
    yield engine
    await engine.dispose()


@pytest.fixture
def conversations(engine):
    return Conversations(engine, b"key")


async def test_a_conversation_goes_on_from_its_newest_turn(conversations):
    assert await conversations.recall("web:a") == Conversation()
    await conversations.record(Turn("web:a", "対象ですか", ANSWER, Conversation(program="suishin"), NOON))
    await conversations.record(Turn("web:a", "0.98です", ANSWER, STATE, NOON))
    await conversations.record(Turn("web:b", "別の人", ANSWER, Conversation(), NOON))
    assert await conversations.recall("web:a") == STATE


@pytest.mark.parametrize(
    "question",
    [
        "うちは対象になる?",
        "財政力指数0.98の町です。計画策定支援の対象ですか",
        "前に選ばれた県です。推進体制構築支援で8000万円はいけますか",
        "派遣が2025年6月10日に終わりました。報告書とアンケートはいつまで?",
        "アドバイザー派遣を、別の取り組みで同じ年度にもう一度頼めますか",
        "今日の天気は?",
    ],
)
async def test_whatever_an_answer_leaves_behind_comes_back(conversations, knowledge, question):
    answered, state = answer(Inquiry(question, NOON.date()), knowledge)
    await conversations.record(Turn("web:a", question, answered, state, NOON))
    assert await conversations.recall("web:a") == state


async def test_who_asked_is_not_stored(conversations, engine):
    await conversations.record(Turn("line:U0123456789", "対象ですか", ANSWER, STATE, NOON))
    async with engine.connect() as connection:
        stored = str((await connection.execute(sa.text("SELECT * FROM turns"))).all())
    assert "対象です" in stored
    assert "U0123456789" not in stored
    assert await Conversations(engine, b"another key").recall("line:U0123456789") == Conversation()


async def test_purge_deletes_what_is_older_and_nothing_else(conversations):
    japan_noon = NOON.astimezone(datetime.fromisoformat("2026-04-01T00:00+09:00").tzinfo)
    await conversations.record(Turn("web:old", "1", ANSWER, STATE, NOON - timedelta(seconds=1)))
    await conversations.record(Turn("web:new", "2", ANSWER, STATE, NOON))
    assert await conversations.purge(Cutoffs({}, japan_noon)) == 1
    assert await conversations.recall("web:old") == Conversation()
    assert await conversations.recall("web:new") == STATE


async def test_each_channel_has_its_own_retention(conversations):
    for sender in ("line:U1", "slack:C1:1", "web:a", "briefing:K7Q2:b"):
        await conversations.record(Turn(sender, "1", ANSWER, STATE, NOON))
    earlier, later = NOON - timedelta(days=1), NOON + timedelta(days=1)
    assert await conversations.purge(Cutoffs({"line": earlier, "slack": later}, others=earlier)) == 1
    assert await conversations.purge(Cutoffs({"line": earlier}, others=later)) == 2
    assert await conversations.recall("line:U1") == STATE


async def test_a_person_is_forgotten_in_every_room_and_with_what_is_remembered_there(conversations):
    mine = {"person": "slack:U1", "asked_at": NOON, "answer": ANSWER, "conversation": STATE}
    await conversations.record(Turn("slack:C1:1", "私の質問", **mine))
    await conversations.record(Turn("slack:C1:1", "他の人の質問", **mine | {"person": "slack:U2"}))
    await conversations.record(Turn("slack:D1:", "一人で", **mine))
    assert [turn.question for turn in await conversations.of_person("slack:U1")] == ["私の質問", "一人で"]
    await conversations.forget(person="slack:U1")
    assert await conversations.of_person("slack:U1") == ()
    assert [turn.question for turn in await conversations.of_person("slack:U2")] == ["他の人の質問"]
    assert await conversations.recall("slack:C1:1") == Conversation()


async def test_a_state_of_another_version_starts_anew(conversations, engine):
    await conversations.record(Turn("web:a", "1", ANSWER, STATE, NOON))
    async with engine.begin() as connection:
        await connection.execute(sa.text("UPDATE turns SET state = '{\"facts\": 7}'"))
    assert await conversations.recall("web:a") == Conversation()


async def test_turns_at_the_same_moment_are_all_kept(conversations, engine):
    await asyncio.gather(*(conversations.record(Turn(f"web:{i}", "同時", ANSWER, STATE, NOON)) for i in range(20)))
    async with engine.connect() as connection:
        assert await connection.scalar(sa.text("SELECT count(*) FROM turns")) == 20
