"""A case from being opened to being closed, on SQLite and PostgreSQL: each step once, whoever comes with it."""

import asyncio
import hashlib
import json
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
import sqlalchemy as sa

from bot.delivery import Inbox
from bot.desk.cases import Cases
from bot.desk.hours import load_office_hours
from bot.desk.sealing import Seal
from bot.desk.types import State
from bot.storage import Cutoffs, create_engine, migrate

THURSDAY = datetime(2026, 11, 26, 10, tzinfo=ZoneInfo("Asia/Tokyo"))
QUESTION = "計画策定支援の締切はいつですか"


def hide(id):
    return hashlib.sha256(id.encode()).hexdigest()


class Store:
    """The cases of a database, a clock that is set by hand, and what was stored for Slack and the askers."""

    def __init__(self, engine):
        self.engine = engine
        self.now = THURSDAY
        self.seen = 0
        self.inbox = Inbox(engine, hide)
        self.cases = Cases(engine, self.inbox, Seal(b"key"), hide, load_office_hours(), lambda: self.now)

    async def open(self, key="k1", sender="line:U1", message=None, person=None):
        about = {"program": "keikaku", "slack_channel": "C7", "message": message, "person": person}
        case, _ = await self.cases.open(QUESTION, key=key, sender=sender, **about)
        return case

    async def told(self):
        """What has been stored for Slack and the askers since this was last asked: id, kind, and what happened."""
        async with self.engine.connect() as connection:
            rows = (await connection.execute(sa.text(f"SELECT * FROM inbox WHERE id > {self.seen} ORDER BY id"))).all()
        self.seen = max([self.seen, *(row.id for row in rows)])
        events = [row.event if isinstance(row.event, dict) else json.loads(row.event) for row in rows]
        return [(row.event_id, event["kind"], event.get("what")) for row, event in zip(rows, events, strict=True)]

    async def all_that_is_stored(self):
        async with self.engine.connect() as connection:
            tables = ["cases", "case_replies", "case_events", "inbox"]
            rows = [(await connection.execute(sa.text(f"SELECT * FROM {table}"))).all() for table in tables]
        return repr(rows)


@pytest.fixture
async def store(tmp_path):
    engine = create_engine("", tmp_path)
    await migrate(engine)
    yield Store(engine)
    await engine.dispose()


@pytest.fixture
async def shared_store(database_url, tmp_path):
    """The same, on SQLite and on PostgreSQL."""
    engine = create_engine(database_url, tmp_path)
    await migrate(engine)
    yield Store(engine)
    await engine.dispose()


async def test_a_case_is_opened_once_for_what_it_is_opened_for(store):
    first, second, other = await store.open(), await store.open(), await store.open("k2")
    assert (first.number, second.number, other.number) == (1, 1, 2)
    assert (first.state, first.question, first.program, first.reachable) == (State.OPEN, QUESTION, "keikaku", True)
    assert [kind for _, kind, _ in await store.told()] == ["case_card", "case_card"]
    assert [(entry.number, entry.actor, entry.what) for entry in await store.cases.record()] == [
        (1, "asker", "opened"),
        (2, "asker", "opened"),
    ]


async def test_of_many_who_open_at_once_for_the_same_thing_one_does(shared_store):
    store = shared_store
    cases = await asyncio.gather(*(store.open() for _ in range(8)))
    assert {case.number for case in cases} == {cases[0].number}
    assert len(await store.told()) == 1


async def test_who_asked_is_nowhere_in_clear(store):
    await store.open(sender="line:Uaskersid")
    await store.cases.reply(1, "S1", "answer", "月末です。", "推進室", key="r1")
    assert "Uaskersid" not in await store.all_that_is_stored()
    (reply, sender) = await store.cases.carry(1, "case:1:reply:1")
    assert (reply.text, sender) == ("月末です。", "line:Uaskersid")


async def test_the_first_of_several_officials_takes_a_case(shared_store):
    store = shared_store
    await store.open()
    taken = await asyncio.gather(*(store.cases.take(1, f"S{number}") for number in range(6)))
    assert len({case.assignee for case in taken}) == 1
    assert [entry.what for entry in await store.cases.record()] == ["opened", "taken"]
    assert (await store.cases.take(1, "S9")).assignee == taken[0].assignee
    assert (await store.cases.take(1, "S9", over=True)).assignee == "S9"
    assert await store.cases.take(99, "S1") is None


async def test_of_several_answers_one_goes_back(shared_store):
    store = shared_store
    await store.open()
    sent = await asyncio.gather(
        *(store.cases.reply(1, f"S{n}", "answer", f"{n}です。", "推進室", key=f"r{n}") for n in range(6))
    )
    assert [first for _, first in sent].count(True) == 1
    assert len(await store.cases.replies(1)) == 1
    (winner,) = [n for n, (_, first) in enumerate(sent) if first]
    assert (await store.cases.reply(1, "S0", "answer", "x", "推進室", key=f"r{winner}"))[1]  # the same, once more
    assert [event for event, kind, _ in await store.told() if kind == "staff_reply"] == ["case:1:reply:1"]
    assert await store.cases.reply(99, "S1", "answer", "x", "推進室", key="r99") is None


async def test_a_reply_is_carried_by_one_event_alone(shared_store):
    store = shared_store
    await store.open()
    await store.cases.reply(1, "S1", "answer", "月末です。", "推進室", key="r1")
    by_push, by_token = await asyncio.gather(
        store.cases.carry(1, "case:1:reply:1"), store.cases.carry_all("line:U1", "line:next", 4)
    )
    assert (by_push is not None) != bool(by_token)
    winner, loser = ("case:1:reply:1", "line:next") if by_push else ("line:next", "case:1:reply:1")
    await store.cases.release(loser, "held")
    assert await store.cases.carry(1, winner)  # once more, after a crash
    await store.cases.release(winner, "held")  # the quota is spent
    assert len(await store.cases.carry_all("line:U1", "line:later", 4)) == 1
    assert await store.cases.carry(1, "case:1:reply:1") is None
    await store.cases.arrived("line:later")
    assert await store.cases.carry_all("line:U1", "line:later", 4) == ()
    assert (await store.cases.replies(1))[0].arrived
    assert [entry.what for entry in await store.cases.record()] == ["opened", "answered", "held", "arrived"]


async def test_what_waits_for_one_asker_is_nobody_elses(store):
    await store.open()
    await store.cases.reply(1, "S1", "answer", "月末です。", "推進室", key="r1")
    assert await store.cases.carry_all("line:U2", "line:other", 4) == ()


async def test_the_asker_withdraws_solves_and_reopens_and_nobody_else_does(store):
    await store.open()
    assert await store.cases.withdraw(1, "line:U2") is None
    assert await store.cases.solve(1, "line:U1") is None  # it is not answered
    await store.cases.reply(1, "S1", "answer", "月末です。", "推進室", key="r1")
    assert await store.cases.withdraw(1, "line:U1") is None  # it is answered
    assert await store.cases.reopen(1, "line:U2") is None
    reopened = await store.cases.reopen(1, "line:U1")
    assert (reopened.state, reopened.reachable) == (State.OPEN, True)
    await store.cases.reply(1, "S1", "answer", "翌月です。", "推進室", key="r2")
    solved = await store.cases.solve(1, "line:U1")
    assert (solved.state, solved.ended, solved.reachable) == (State.CLOSED, "solved", False)
    assert [reply.text for reply in await store.cases.replies(1)] == ["月末です。", "翌月です。"]
    await store.open("k2")
    withdrawn = await store.cases.withdraw(2, "line:U1")
    assert (withdrawn.ended, withdrawn.reachable) == ("withdrawn", False)


async def test_reminded_escalated_and_never_let_go(shared_store):
    store = shared_store
    await store.open()
    await store.told()
    for moment, due in [
        (THURSDAY + timedelta(hours=4), []),  # lunch does not count
        (THURSDAY + timedelta(hours=5), ["reminded"]),
        (THURSDAY + timedelta(hours=6), []),
        (THURSDAY + timedelta(days=1), ["escalated"]),
        (THURSDAY + timedelta(days=2), []),  # a Saturday
        (THURSDAY + timedelta(days=4), ["escalated"]),
    ]:
        store.now = moment
        await asyncio.gather(*(store.cases.climb() for _ in range(3)))
        assert [what for _, _, what in await store.told()] == due
    (cases, count) = await store.cases.listed("overdue", "S1", ["C7"], 10)
    assert ([case.number for case in cases], count) == ([1], 1)


async def test_an_answer_without_a_word_from_the_asker_closes_the_case_and_wipes_the_way_back(store):
    await store.open()
    await store.cases.reply(1, "S1", "answer", "月末です。", "推進室", key="r1")
    store.now += timedelta(days=6)
    await store.cases.climb()
    assert (await store.cases.case(1)).state is State.ANSWERED
    store.now += timedelta(days=1)
    await store.cases.climb()
    case = await store.cases.case(1)
    assert (case.state, case.ended, case.reachable, case.due_at) == (State.CLOSED, "unheard", False, None)
    assert len(await store.cases.carry_all("line:U1", "line:next", 4)) == 1  # what was written is still theirs


@pytest.mark.parametrize("left", [{"person": "line:U1"}, {"room": "line:C1"}, {"message": "line:m1"}])
async def test_who_leaves_or_unsends_is_forgotten(store, left):
    await store.open(sender="line:C1:U1", message=hide("line:m1"), person=hide("line:U1"))
    await store.open("k2", sender="line:C2:U2", message=hide("line:m2"))
    await store.cases.reply(1, "S1", "answer", "秘密の回答", "推進室", key="r1")
    await store.cases.forget(**left)
    case = await store.cases.case(1)
    assert (case.state, case.ended, case.question, case.reachable) == (State.CLOSED, "gone", "", False)
    assert "秘密の回答" not in await store.all_that_is_stored()
    assert await store.cases.carry(1, "case:1:reply:1") is None
    assert (await store.cases.case(2)).question == QUESTION


async def test_what_is_old_is_emptied_and_the_record_stays(store):
    await store.open()
    store.now += timedelta(days=100)
    await store.open("k2")
    assert await store.cases.purge(Cutoffs({}, THURSDAY + timedelta(days=1))) == 1
    assert await store.cases.purge(Cutoffs({}, THURSDAY + timedelta(days=1))) == 0
    assert [case.number for case in await store.cases.of_asker("line:U1")] == [2]
    assert [entry.what for entry in await store.cases.record()] == ["opened", "opened", "purged"]


async def test_lists_are_paged(store):
    for number in range(7):
        await store.open(f"k{number}")
    await store.cases.take(3, "S1")
    (page, count) = await store.cases.listed("waiting", "S1", ["C7"], 3, offset=3)
    assert ([case.number for case in page], count) == ([4, 5, 6], 7)
    (mine, count) = await store.cases.listed("mine", "S1", ["C7"], 3)
    assert ([case.number for case in mine], count) == ([3], 1)
    assert await store.cases.listed("waiting", "S1", ["C8"], 3) == ((), 0)
