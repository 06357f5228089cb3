"""Acknowledged means answered, once: the inbox and its worker, on both databases."""

import asyncio
import json
import logging
import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine

from bot.delivery import (
    LEASE,
    MOST_ATTEMPTS,
    Arrival,
    AskedToWaitError,
    Delivery,
    Inbox,
    LeaseLostError,
    Prepared,
    Queue,
    RetryLaterError,
    UndeliverableError,
    _storable,
)
from bot.metrics import Metrics
from bot.storage import Cutoffs, create_engine, migrate
from bot.types import Answer, AnswerStatus, Conversation, Turn

LATER = Cutoffs({}, datetime.fromtimestamp(2_000_000, UTC))


class Clock:
    def __init__(self):
        self.seconds = 1_000_000.0

    def __call__(self):
        return self.seconds


class Platform:
    """A channel that sends into a list, and misbehaves in the ways that it is told."""

    def __init__(self):
        self.sent = []
        self.prepared = []
        self.resumed = []
        self.problems = []
        self.hold = None

    async def prepare(self, event):
        self.prepared.append(event["text"])
        if event["text"] == "poison":
            raise ValueError("cannot be read")
        turn = Turn(event["from"], event["text"], Answer("", AnswerStatus.ANSWERED), Conversation(), datetime.now(UTC))
        return Prepared([{"reply": event["text"]}], turn)

    def apology(self, event):
        return [{"reply": f"sorry for {event['text']}"}]

    async def send(self, event, outgoing, attempt):
        if self.hold:
            await self.hold.wait()
        if self.problems:
            raise self.problems.pop(0)
        self.resumed.append(attempt.resumed)
        self.sent += [call["reply"] for call in outgoing]
        return {"stands": attempt.event_id}


@pytest.fixture
async def engine(database_url) -> AsyncIterator[AsyncEngine]:
    engine = create_engine(database_url, Path())
    await migrate(engine)
    yield engine
    await engine.dispose()


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def inbox(engine, clock):
    return Inbox(engine, hide=lambda id: f"#{id}", clock=clock)


def arrival(event_id, sender="a", text="", message=""):
    return Arrival(event_id, "line", sender, {"from": sender, "text": text or event_id}, message)


async def claimed(inbox, limit=10):
    return await inbox.claim(["line"], limit)


async def until(condition):
    async with asyncio.timeout(20):
        while not condition():
            await asyncio.sleep(0.01)


async def test_an_event_is_stored_once_however_often_it_comes(inbox):
    await inbox.put([arrival("1"), arrival("2")])
    await inbox.put([arrival("2"), arrival("3")])
    assert await inbox.waiting() == 3
    await asyncio.gather(*(inbox.put([arrival("4", "b"), arrival("4", "b")]) for _ in range(8)))
    assert await inbox.waiting() == 4


async def test_who_puts_at_the_same_time_is_stored_before_it_is_acknowledged(inbox):
    async def put(number):
        await inbox.put([arrival(str(number), f"sender {number}", message=f"m{number}")])
        assert await inbox.knows(f"m{number}")

    await asyncio.gather(*map(put, range(30)))


async def test_nobody_is_acknowledged_when_storing_fails(inbox, engine):
    async with engine.begin() as connection:
        await connection.execute(sa.text("DROP TABLE inbox"))
    outcomes = await asyncio.gather(*(inbox.put([arrival(str(n))]) for n in range(5)), return_exceptions=True)
    assert all(isinstance(outcome, SQLAlchemyError) for outcome in outcomes)


async def test_a_delivered_event_is_still_known(inbox):
    await inbox.put([arrival("1")])
    (claim,) = await claimed(inbox)
    await inbox.finish(claim, None)
    await inbox.put([arrival("1")])
    assert await claimed(inbox) == ()


async def test_of_one_sender_only_the_earliest_is_worked_on(inbox):
    await inbox.put([arrival("1", "a"), arrival("2", "a"), arrival("3", "b")])
    first = await claimed(inbox)
    assert [claim.event_id for claim in first] == ["1", "3"]
    assert await claimed(inbox) == ()
    await inbox.finish(first[0], None)
    assert [claim.event_id for claim in await claimed(inbox)] == ["2"]


async def test_a_later_event_waits_for_one_that_is_tried_again_but_not_for_a_parked_one(inbox, clock):
    await inbox.put([arrival("1"), arrival("2")])
    (claim,) = await claimed(inbox)
    await inbox.put_off(claim, "busy", 30)
    assert await claimed(inbox) == ()
    clock.seconds += 31
    (claim,) = await claimed(inbox)
    assert (claim.event_id, claim.attempts) == ("1", 2)
    await inbox.park(claim, "refused")
    assert [claim.event_id for claim in await claimed(inbox)] == ["2"]


async def test_an_event_of_a_dead_worker_is_taken_over_with_what_it_prepared(inbox, clock):
    await inbox.put([arrival("1")])
    (dead,) = await claimed(inbox)
    async with inbox.keep(dead, [{"reply": "x"}]):
        pass
    assert await claimed(inbox) == ()
    clock.seconds += LEASE + 1
    (taken,) = await claimed(inbox)
    assert (taken.outgoing, taken.attempts) == ([{"reply": "x"}], 2)
    for late in (inbox.finish(dead, None), inbox.park(dead, ""), inbox.put_off(dead, "", 1)):
        with pytest.raises(LeaseLostError):
            await late
    await inbox.finish(taken, None)


async def test_a_renewed_lease_is_not_taken_over(inbox, clock):
    await inbox.put([arrival("1")])
    held = await claimed(inbox)
    clock.seconds += LEASE - 1
    await inbox.renew(held)
    clock.seconds += LEASE - 1
    assert await claimed(inbox) == ()


async def test_what_goes_with_an_answer_is_stored_together_with_it_or_not_at_all(inbox, clock, engine):
    await inbox.put([arrival("1")])
    (dead,) = await claimed(inbox)
    clock.seconds += LEASE + 1
    (taken,) = await claimed(inbox)
    reached = False
    with pytest.raises(LeaseLostError):
        async with inbox.keep(dead, []):
            reached = True
    assert not reached
    with pytest.raises(RuntimeError):
        async with inbox.keep(taken, [{"reply": "x"}]):
            raise RuntimeError
    clock.seconds += LEASE + 1
    (again,) = await claimed(inbox)
    assert again.outgoing is None


async def test_workers_side_by_side_never_hold_the_same_event(inbox):
    await inbox.put([arrival(str(number), f"sender {number}") for number in range(40)])
    batches = await asyncio.gather(*(claimed(inbox, 7) for _ in range(12)))
    ids = [claim.id for batch in batches for claim in batch]
    assert len(ids) == len(set(ids))
    assert len(ids) >= 30


async def test_content_is_wiped_when_it_is_delivered_and_the_receipt_stays(inbox):
    await inbox.put([arrival("1", message="m1")])
    (claim,) = await claimed(inbox)
    await inbox.finish(claim, {"ts": "5"})
    assert await inbox.receipt("m1") == {"ts": "5"}
    assert await inbox.receipt("m2") is None
    assert await inbox.purge(LATER) == 1
    assert await inbox.receipt("m1") is None


async def test_a_taken_back_message_is_not_answered(inbox):
    await inbox.put([arrival("1", "a", message="m1"), arrival("2", "b", message="m2")])
    await inbox.forget(message="m1")
    assert [claim.event_id for claim in await claimed(inbox)] == ["2"]


async def test_of_one_who_leaves_nothing_parked_stays_and_nothing_later_is_lost(inbox):
    await inbox.put([arrival("1"), arrival("2")])
    (claim,) = await claimed(inbox)
    await inbox.park(claim, "refused")
    await inbox.forget(person="a")
    assert await inbox.parked() == ()
    assert [claim.event_id for claim in await claimed(inbox)] == ["2"]


async def test_purging_keeps_what_is_still_to_be_delivered(inbox):
    await inbox.put([arrival("1")])
    assert await inbox.purge(LATER) == 0
    assert await inbox.waiting() == 1


async def test_parked_events_can_be_listed_and_replayed(inbox):
    await inbox.put([arrival("1", "a"), arrival("2", "b")])
    for claim in await claimed(inbox):
        await inbox.park(claim, f"refused {claim.event_id}")
    parked = await inbox.parked()
    assert [(row.problem, row.attempts) for row in parked] == [("refused 1", 1), ("refused 2", 1)]
    assert await inbox.replay([parked[1].id]) == 1
    assert [claim.event_id for claim in await claimed(inbox)] == ["2"]
    assert await inbox.replay() == 1


@pytest.fixture
def metrics():
    return Metrics()


@pytest.fixture
async def delivered(inbox, metrics):
    """A worker on the inbox: its platform, and the turns that it put on record."""
    platform, turns = Platform(), []

    async def record(connection, turn):
        turns.append(turn)

    async with Delivery(inbox, {"line": platform}, record, metrics.count_delivery).running():
        yield platform, turns


async def test_events_are_answered_in_the_order_of_their_sender(inbox, delivered):
    platform, turns = delivered
    await inbox.put([arrival(f"{sender}{number}", sender) for number in range(5) for sender in "abc"])
    await until(lambda: len(platform.sent) == 15)
    for sender in "abc":
        mine = [text for text in platform.sent if text.startswith(sender)]
        assert mine == [f"{sender}{number}" for number in range(5)]
    assert sorted(turn.question for turn in turns) == sorted(platform.sent)
    assert platform.resumed == [False] * 15


async def test_a_busy_platform_gets_the_same_answer_again_after_the_time_that_it_named(inbox, delivered, clock):
    platform, turns = delivered
    platform.problems = [RetryLaterError("429", wait=40), OSError("connection reset")]
    await inbox.put([arrival("1")])
    await until(lambda: len(platform.problems) == 1)
    await asyncio.sleep(0.2)  # it is put off by then
    clock.seconds += 39
    await asyncio.sleep(1.2)
    assert platform.sent == []
    clock.seconds += 1.5
    await until(lambda: not platform.problems)
    await asyncio.sleep(0.2)
    clock.seconds += 3
    await until(lambda: platform.sent == ["1"])
    assert platform.prepared == ["1"]
    assert platform.resumed == [True]
    assert len(turns) == 1


async def test_what_the_platform_refuses_is_parked_at_once(inbox, delivered, caplog):
    platform, _ = delivered
    platform.problems = [UndeliverableError("invalid property")]
    await inbox.put([arrival("1"), arrival("2")])
    with caplog.at_level(logging.ERROR):
        await until(lambda: platform.sent == ["2"])
    (parked,) = await inbox.parked()
    assert (parked.problem, parked.attempts) == ("invalid property", 1)
    assert "invalid property" in caplog.text


async def test_attempts_are_counted_by_how_they_ended(inbox, delivered, metrics, clock):
    platform, _ = delivered
    platform.problems = [UndeliverableError("invalid property"), RetryLaterError("429")]
    await inbox.put([arrival("1"), arrival("2")])
    async with asyncio.timeout(20):
        while not platform.sent:
            clock.seconds += 2
            await asyncio.sleep(0.1)

    def counted():
        lines = metrics.as_text().decode().splitlines()
        return {line for line in lines if line.startswith("madoguchi_deliveries_total")}

    expected = {
        f'madoguchi_deliveries_total{{channel="line",outcome="{outcome}"}} 1.0'
        for outcome in ("delivered", "parked", "put_off")
    }
    await until(lambda: counted() == expected)


async def test_the_queue_tells_how_much_waits_and_for_how_long(inbox, clock):
    assert await inbox.queue() == Queue(waiting=0, age=0, parked=0)
    await inbox.put([arrival("1", "a"), arrival("2", "b"), arrival("3", "b")])
    first, second = await claimed(inbox)
    await inbox.finish(first, None)
    clock.seconds += 7.5
    assert await inbox.queue() == Queue(waiting=2, age=7.5, parked=0)
    await inbox.park(second, "refused")
    await inbox.put([arrival("4", "c")])
    assert await inbox.queue() == Queue(waiting=2, age=7.5, parked=1)


async def test_what_our_own_code_fails_on_is_apologised_for_and_the_next_of_the_sender_goes_on(inbox, delivered, clock):
    platform, turns = delivered
    await inbox.put([arrival("1", "a", "poison"), arrival("2", "b"), arrival("3", "a")])
    await until(lambda: platform.sent == ["2"])
    await asyncio.sleep(0.2)  # the first is put off by then
    clock.seconds += 1.1
    await until(lambda: platform.sent == ["2", "sorry for poison", "3"])
    (parked,) = await inbox.parked()
    assert platform.prepared.count("poison") == 2
    assert (parked.problem, parked.attempts) == ("ValueError: cannot be read", 2)
    assert [turn.question for turn in turns] == ["2", "3"]
    platform.prepared.clear()
    await inbox.replay()
    await until(lambda: platform.prepared == ["poison"])  # asked again, not apologised for again


async def test_what_the_platform_asks_to_wait_for_is_no_attempt_and_holds_its_sender(inbox, delivered, clock):
    platform, _ = delivered
    platform.problems = [AskedToWaitError("429", wait=1) for _ in range(MOST_ATTEMPTS + 3)]
    await inbox.put([arrival("1"), arrival("2")])
    async with asyncio.timeout(20):
        while platform.sent != ["1", "2"]:
            await asyncio.sleep(0.05)
            clock.seconds += 1.1
            inbox.arrived.set()
    assert platform.resumed == [False, False]
    assert platform.prepared == ["1", "2"]


async def test_an_event_that_fails_for_long_lets_the_later_ones_of_its_sender_go_on(inbox, clock):
    await inbox.put([arrival("1"), arrival("2")])
    (claim,) = await claimed(inbox)
    await inbox.put_off(claim, "500", 300)
    clock.seconds += 30
    assert await claimed(inbox) == ()
    clock.seconds += 31
    assert [claim.event_id for claim in await claimed(inbox)] == ["2"]


@given(
    st.recursive(
        st.text(st.characters(), max_size=8), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)
    )
)
def test_any_json_is_storable_and_what_was_storable_stays_as_it_is(value):
    stored = _storable(value)
    as_text = json.dumps(stored, ensure_ascii=False)
    as_text.encode()
    try:
        json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        assert "\N{REPLACEMENT CHARACTER}" in as_text
    else:
        assert stored == value


async def test_what_one_brings_that_cannot_be_stored_fails_for_nobody_else(inbox):
    unstorable = Arrival("x" * 10, "line", "x", {"from": object()})
    puts = [inbox.put([arrival(f"{n}", f"{n}")]) for n in range(5)]
    puts.insert(2, inbox.put([unstorable]))
    outcomes = await asyncio.gather(*puts, return_exceptions=True)
    assert [type(outcome).__name__ for outcome in outcomes] == ["NoneType", "NoneType", "StatementError"] + 3 * [
        "NoneType"
    ]
    assert await inbox.waiting() == 5


async def test_processes_whose_clocks_differ_go_by_the_database(engine, database_url):
    if database_url.startswith("sqlite"):
        pytest.skip("processes that share a file share a clock")
    right, wrong = Inbox(engine, hide=str), Inbox(engine, hide=str, clock=lambda: time.time() + 60)
    for inbox in (right, wrong):
        await inbox.take_time()
    await right.put([arrival("1")])
    assert len(await claimed(right)) == 1
    assert await claimed(wrong) == ()


async def test_an_event_that_kills_its_worker_is_parked_too(inbox, clock, metrics):
    await inbox.put([arrival("1")])
    for _ in range(MOST_ATTEMPTS):
        assert await claimed(inbox)
        clock.seconds += LEASE + 1
    platform = Platform()

    async def record(connection, turn): ...

    async with Delivery(inbox, {"line": platform}, record, metrics.count_delivery).running():
        await until(lambda: True)
        async with asyncio.timeout(20):
            while not await inbox.parked():
                await asyncio.sleep(0.05)
    assert platform.prepared == []


async def test_what_is_being_sent_at_the_end_is_finished(inbox, metrics):
    platform = Platform()
    platform.hold = asyncio.Event()

    async def record(connection, turn): ...

    async with Delivery(inbox, {"line": platform}, record, metrics.count_delivery).running():
        await inbox.put([arrival("1")])
        await until(lambda: platform.prepared)
        asyncio.get_running_loop().call_later(0.3, platform.hold.set)
    assert platform.sent == ["1"]
    assert await inbox.waiting() == 0


async def test_events_of_a_platform_that_is_not_configured_wait(inbox, delivered):
    platform, _ = delivered
    await inbox.put([Arrival("s1", "slack", "b", {"text": ""}), arrival("1")])
    await until(lambda: platform.sent == ["1"])
    assert await inbox.waiting() >= 1
