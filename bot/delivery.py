"""Durable delivery: what a platform sent is stored before it is acknowledged, then answered and sent, once.

An event's way is one row of the inbox: `ready` -> `running` (leased by a worker) -> `done`, or `parked` where it cannot
be delivered. The answer is stored before it is sent, together with the turn of the conversation, so that a worker
which takes over a dead one's event sends that answer and asks nothing again. What was sent is wiped when it is done;
the event's id stays, so that a late redelivery is still known.
"""

import asyncio
import logging
import secrets
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Any, Literal, Protocol

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from bot.storage import BIG_ID, tables
from bot.types import Turn

LEASE = 6.0
"""Seconds after which another worker may take over an event whose worker has not been heard of."""

MOST_ATTEMPTS = 12
"""After so many, about half an hour after the first, an event is parked for the operator."""

_LONGEST_WAIT = 600.0
"""Seconds between two attempts, at the most."""

_POLL = 1.0
"""Seconds after which a worker looks for what others stored, what is due again, and whom it can take over from."""

SLOTS = 12
"""Events that one process delivers side by side: most of that time is spent waiting for the platform."""

SLOTS_WITH_MODEL = 60
"""The same where answers wait for a chat model."""

_GATHER = 0.02
"""Seconds that a worker waits for more events when one has come: one look at the table for many costs the least."""

Json = dict[str, Any]

Outcome = Literal["delivered", "put_off", "parked", "taken_over", "failed"]
"""How an attempt to deliver ended; `failed` where the inbox could not be written to."""

_log = logging.getLogger(__name__)

_inbox = sa.Table(
    "inbox",
    tables,
    sa.Column("id", BIG_ID, primary_key=True, autoincrement=True),
    sa.Column("event_id", sa.String(255), nullable=False, unique=True),
    sa.Column("channel", sa.String(16), nullable=False),
    sa.Column("conversation", sa.String(64), nullable=False),
    sa.Column("message", sa.String(64), nullable=True, index=True),
    sa.Column("received_at", sa.Double, nullable=False, index=True),
    sa.Column("state", sa.String(8), nullable=False, server_default="ready"),
    sa.Column("due_at", sa.Double, nullable=False),
    sa.Column("attempts", sa.Integer, nullable=False, server_default="0"),
    sa.Column("worker", sa.String(32), nullable=True),
    sa.Column("leased_until", sa.Double, nullable=True),
    sa.Column("event", sa.JSON(none_as_null=True), nullable=True),
    sa.Column("outgoing", sa.JSON(none_as_null=True), nullable=True),
    sa.Column("receipt", sa.JSON(none_as_null=True), nullable=True),
    sa.Column("problem", sa.Text, nullable=True),
    sa.Index("inbox_due", "state", "due_at"),
    sa.Index("inbox_order", "conversation", "id"),
)


class RetryLaterError(Exception):
    """The platform did not take it now. `wait` is the number of seconds that it asked for; 0 where it named none."""

    def __init__(self, problem: str, wait: float = 0) -> None:
        super().__init__(problem)
        self.wait = wait


class UndeliverableError(Exception):
    """The platform will never take it; the message says why."""


class LeaseLostError(Exception):
    """Another worker has taken the event over."""


@dataclass(frozen=True)
class Arrival:
    """An event as it arrives.

    `event_id` is the platform's own, the same for every redelivery. `sender` is channel and id of the person or room:
    events of one sender are delivered in order. `message` is channel and id of the message, "" where there is none.
    `event` is what the channel needs to answer it.
    """

    event_id: str
    channel: str
    sender: str
    event: Json
    message: str = ""


@dataclass(frozen=True)
class Claim:
    """An event that this worker holds. `outgoing` is what an earlier attempt stored, and may already have sent."""

    id: int
    channel: str
    event: Json
    outgoing: list[Json] | None
    attempts: int
    worker: str
    event_id: str


@dataclass(frozen=True)
class Prepared:
    """What is to be sent, call by call, and the turn of the conversation that goes on record with it."""

    outgoing: list[Json]
    turn: Turn | None = None


@dataclass(frozen=True)
class Parked:
    """An event that could not be delivered, without its content."""

    id: int
    channel: str
    received_at: float
    attempts: int
    problem: str


@dataclass(frozen=True)
class Queue:
    """What lies in the inbox: events that wait, the age of the oldest in seconds (0 without any), and parked ones."""

    waiting: int
    age: float
    parked: int


class Channel(Protocol):
    """One platform, as delivery sees it."""

    async def prepare(self, event: Json) -> Prepared:
        """Works out what to send. May be called again for the same event after a crash."""

    async def send(self, event: Json, outgoing: list[Json], event_id: str, resumed: bool) -> Json | None:
        """Sends it, and returns where it now stands on the platform, where that is worth knowing.

        Args:
            event: what arrived.
            outgoing: what was prepared.
            event_id: names this delivery to a platform that drops repetitions.
            resumed: an earlier attempt may have sent it already.

        Raises:
            RetryLaterError: not now.
            UndeliverableError: never.
        """


class Inbox:
    """The table of events."""

    def __init__(self, engine: AsyncEngine, hide: Callable[[str], str], clock: Callable[[], float] = time.time) -> None:
        """Uses a database whose tables are there.

        Args:
            engine: the database.
            hide: turns an id of the platform into a keyed hash.
            clock: seconds, the same for all processes that share the database.
        """
        self._engine = engine
        self._hide = hide
        self._clock = clock
        self._insert = postgresql.insert if engine.dialect.name == "postgresql" else sqlite.insert
        self.arrived = asyncio.Event()
        self._gathered: list[Arrival] = []
        self._storing: asyncio.Task[None] | None = None
        self._one_at_a_time = asyncio.Lock()

    async def put(self, arrivals: Sequence[Arrival]) -> None:
        """Stores what is new of these events, all or none; then they may be acknowledged.

        Whoever comes while a transaction is under way goes into the next one, together with all others who came.
        """
        if not arrivals:
            return
        self._gathered += arrivals
        if self._storing is None:
            self._storing = asyncio.create_task(self._store_gathered())
        await asyncio.shield(self._storing)

    async def _store_gathered(self) -> None:
        async with self._one_at_a_time:
            arrivals, self._gathered, self._storing = self._gathered, [], None
            now = self._clock()
            rows = [
                {
                    "event_id": arrival.event_id,
                    "channel": arrival.channel,
                    "conversation": self._hide(arrival.sender),
                    "message": self._hide(arrival.message) if arrival.message else None,
                    "received_at": now,
                    "due_at": now,
                    "event": arrival.event,
                }
                for arrival in arrivals
            ]
            new = self._insert(_inbox).values(rows).on_conflict_do_nothing(index_elements=["event_id"])
            async with self._engine.begin() as connection:
                await connection.execute(new)
        self.arrived.set()

    async def claim(self, channels: Iterable[str], limit: int) -> tuple[Claim, ...]:
        """Takes events that are due, or whose worker has died; of each sender only the earliest unfinished one."""
        now = self._clock()
        earlier = _inbox.alias()
        blocked = sa.exists().where(
            earlier.c.conversation == _inbox.c.conversation,
            earlier.c.id < _inbox.c.id,
            earlier.c.state.in_(("ready", "running")),
        )
        free = (
            sa.select(_inbox.c.id)
            .where(
                sa.or_(
                    sa.and_(_inbox.c.state == "ready", _inbox.c.due_at <= now),
                    sa.and_(_inbox.c.state == "running", _inbox.c.leased_until < now),
                ),
                _inbox.c.channel.in_(tuple(channels)),
                ~blocked,
            )
            .order_by(_inbox.c.id)
            .limit(limit)
        )
        if self._engine.dialect.name == "postgresql":
            free = free.with_for_update(skip_locked=True)
        worker = secrets.token_hex(16)
        take = (
            sa.update(_inbox)
            .where(_inbox.c.id.in_(free))
            .values(state="running", worker=worker, leased_until=now + LEASE, attempts=_inbox.c.attempts + 1)
            .returning(_inbox)
        )
        async with self._engine.begin() as connection:
            taken = (await connection.execute(take)).all()
        return tuple(
            Claim(row.id, row.channel, row.event, row.outgoing, row.attempts, worker, row.event_id)
            for row in sorted(taken, key=lambda row: row.id)
        )

    async def renew(self, claims: Iterable[Claim]) -> None:
        """Says that this worker is still at it."""
        held = [sa.and_(_inbox.c.id == claim.id, _inbox.c.worker == claim.worker) for claim in claims]
        extend = sa.update(_inbox).where(sa.or_(*held)).values(leased_until=self._clock() + LEASE)
        async with self._engine.begin() as connection:
            await connection.execute(extend)

    @asynccontextmanager
    async def keep(self, claim: Claim, outgoing: list[Json]) -> AsyncIterator[AsyncConnection]:
        """Stores what is to be sent, and in the same transaction what the caller adds.

        Raises:
            LeaseLostError: another worker has it; nothing is stored.
        """
        async with self._engine.begin() as connection:
            await self._update(connection, claim, outgoing=outgoing)
            yield connection

    async def finish(self, claim: Claim, receipt: Json | None) -> None:
        """Delivered: only the ids and the receipt stay."""
        async with self._engine.begin() as connection:
            await self._update(connection, claim, state="done", receipt=receipt, problem=None, **_WIPED)

    async def put_off(self, claim: Claim, problem: str, wait: float) -> None:
        """To be tried again after so many seconds."""
        async with self._engine.begin() as connection:
            await self._update(connection, claim, state="ready", due_at=self._clock() + wait, problem=problem)

    async def park(self, claim: Claim, problem: str) -> None:
        """Given up, until the operator replays it."""
        async with self._engine.begin() as connection:
            await self._update(connection, claim, state="parked", problem=problem)

    async def _update(self, connection: AsyncConnection, claim: Claim, **values: Any) -> None:
        held = sa.and_(_inbox.c.id == claim.id, _inbox.c.worker == claim.worker, _inbox.c.state == "running")
        if (await connection.execute(sa.update(_inbox).where(held).values(**values))).rowcount != 1:
            raise LeaseLostError

    async def receipt(self, message: str) -> Json | None:
        """Where the newest answer to a message stands on the platform."""
        newest = (
            sa.select(_inbox.c.receipt)
            .where(_inbox.c.message == self._hide(message), _inbox.c.receipt.is_not(None))
            .order_by(_inbox.c.id.desc())
            .limit(1)
        )
        async with self._engine.connect() as connection:
            found: Json | None = (await connection.execute(newest)).scalar_one_or_none()
        return found

    async def knows(self, message: str) -> bool:
        """Whether an event of this message has arrived."""
        known = sa.select(sa.exists().where(_inbox.c.message == self._hide(message)))
        async with self._engine.connect() as connection:
            return bool((await connection.execute(known)).scalar_one())

    async def forget(self, *, message: str = "", sender: str = "") -> None:
        """Wipes what waits or is parked of a message, or what is parked of a sender: what waits came later."""
        if message:
            about = sa.and_(_inbox.c.message == self._hide(message), _inbox.c.state.in_(("ready", "parked")))
        else:
            about = sa.and_(_inbox.c.conversation == self._hide(sender), _inbox.c.state == "parked")
        async with self._engine.begin() as connection:
            await connection.execute(sa.update(_inbox).where(about).values(state="done", **_WIPED))

    async def parked(self) -> tuple[Parked, ...]:
        """What was given up, oldest first."""
        given_up = sa.select(_inbox).where(_inbox.c.state == "parked").order_by(_inbox.c.id)
        async with self._engine.connect() as connection:
            rows = (await connection.execute(given_up)).all()
        return tuple(Parked(row.id, row.channel, row.received_at, row.attempts, row.problem or "") for row in rows)

    async def waiting(self) -> int:
        """How many events are stored and not yet delivered."""
        open_ones = sa.select(sa.func.count()).where(_inbox.c.state.in_(("ready", "running")))
        async with self._engine.connect() as connection:
            return int((await connection.execute(open_ones)).scalar_one())

    async def queue(self) -> Queue:
        """What is stored and not yet delivered, and what was given up."""
        states = sa.select(_inbox.c.state, sa.func.count(), sa.func.min(_inbox.c.received_at)).group_by(_inbox.c.state)
        async with self._engine.connect() as connection:
            rows = (await connection.execute(states.where(_inbox.c.state.in_(("ready", "running", "parked"))))).all()
        waits = [(count, oldest) for state, count, oldest in rows if state != "parked"]
        age = self._clock() - min(oldest for _, oldest in waits) if waits else 0.0
        parked = sum(count for state, count, _ in rows if state == "parked")
        return Queue(sum(count for count, _ in waits), age, parked)

    async def replay(self, ids: Iterable[int] | None = None) -> int:
        """Makes parked events ready again, all where no ids are given; returns how many."""
        again = sa.update(_inbox).where(_inbox.c.state == "parked")
        if ids is not None:
            again = again.where(_inbox.c.id.in_(tuple(ids)))
        async with self._engine.begin() as connection:
            return (await connection.execute(again.values(state="ready", attempts=0, due_at=self._clock()))).rowcount

    async def purge(self, before: float) -> int:
        """Deletes what is delivered or parked and arrived before a moment; returns how many."""
        old = sa.delete(_inbox).where(_inbox.c.received_at < before, _inbox.c.state.in_(("done", "parked")))
        async with self._engine.begin() as connection:
            return (await connection.execute(old)).rowcount


_WIPED = {"event": None, "outgoing": None, "worker": None, "leased_until": None}


class Delivery:
    """The worker of one process: takes events from the inbox, has them answered, and sends."""

    def __init__(
        self,
        inbox: Inbox,
        channels: Mapping[str, Channel],
        record: Callable[[AsyncConnection, Turn], Awaitable[None]],
        count: Callable[[str, Outcome], None],
        slots: int = SLOTS,
    ) -> None:
        """Builds it.

        Args:
            inbox: the table, which other processes may share.
            channels: the platforms, by the names under which they stored their events.
            record: puts a turn on record, in the transaction given.
            count: is told the channel of each attempt and how it ended.
            slots: how many events are delivered side by side.
        """
        self._inbox = inbox
        self._channels = channels
        self._record = record
        self._count = count
        self._slots = slots
        self._held: dict[asyncio.Task[None], Claim] = {}

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Delivers while the block runs; what is not finished then is another worker's, or the next start's."""
        tasks = [asyncio.create_task(self._take()), asyncio.create_task(self._renew())]
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            if self._held:
                await asyncio.wait(self._held, timeout=LEASE)
            for unfinished in list(self._held):
                unfinished.cancel()

    async def _take(self) -> None:
        while True:
            self._inbox.arrived.clear()
            free = self._slots - len(self._held)
            try:
                claims = await self._inbox.claim(self._channels, free) if free else ()
            except (SQLAlchemyError, OSError):
                _log.exception("the inbox cannot be read; trying again")
                claims = ()
            for claim in claims:
                task = asyncio.create_task(self._deliver(claim))
                self._held[task] = claim
                task.add_done_callback(self._released)
            if not claims:
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._inbox.arrived.wait(), _POLL)
            await asyncio.sleep(_GATHER)

    def _released(self, task: asyncio.Task[None]) -> None:
        del self._held[task]
        self._inbox.arrived.set()  # a slot is free, and the sender's next event may be due

    async def _renew(self) -> None:
        while True:
            await asyncio.sleep(LEASE / 3)
            if self._held:
                try:
                    await self._inbox.renew(self._held.values())
                except (SQLAlchemyError, OSError):
                    _log.exception("leases could not be renewed")

    async def _deliver(self, claim: Claim) -> None:
        outcome: Outcome
        try:
            outcome = await self._try(claim)
        except LeaseLostError:
            outcome = "taken_over"
            _log.warning("event %s was taken over by another worker", claim.id)
        except (SQLAlchemyError, OSError):  # the lease runs out, and it is tried again
            outcome = "failed"
            _log.exception("event %s: the inbox cannot be written to", claim.id)
        self._count(claim.channel, outcome)

    async def _try(self, claim: Claim) -> Outcome:
        channel = self._channels[claim.channel]
        resumed = claim.outgoing is not None
        outgoing = claim.outgoing or []
        started = time.perf_counter()
        try:
            if claim.attempts > MOST_ATTEMPTS:
                raise UndeliverableError(f"{claim.attempts - 1}回試しましたが、そのたびにプロセスが止まりました。")
            if not resumed:
                prepared = await channel.prepare(claim.event)
                outgoing = prepared.outgoing
                if outgoing or prepared.turn:
                    async with self._inbox.keep(claim, outgoing) as connection:
                        if prepared.turn:
                            await self._record(connection, prepared.turn)
            receipt = await channel.send(claim.event, outgoing, claim.event_id, resumed) if outgoing else None
        except UndeliverableError as error:
            _log.error("event %s (%s) is parked: %s", claim.id, claim.channel, error)
            await self._inbox.park(claim, str(error))
            return "parked"
        except LeaseLostError:
            raise
        except Exception as error:
            return await self._try_again(claim, error)
        await self._inbox.finish(claim, receipt)
        _log.info("event %s (%s) delivered in %.0f ms", claim.id, claim.channel, _ms_since(started))
        return "delivered"

    async def _try_again(self, claim: Claim, error: Exception) -> Outcome:
        expected = isinstance(error, RetryLaterError)
        problem = str(error) if expected else f"{type(error).__name__}: {error}"
        if claim.attempts >= MOST_ATTEMPTS:
            _log.error("event %s (%s) is parked after %d attempts", claim.id, claim.channel, claim.attempts)
            await self._inbox.park(claim, problem)
            return "parked"
        asked = error.wait if isinstance(error, RetryLaterError) else 0
        wait = max(asked, min(2.0 ** (claim.attempts - 1), _LONGEST_WAIT))
        _log.warning("event %s (%s) is tried again in %.0f s", claim.id, claim.channel, wait, exc_info=not expected)
        await self._inbox.put_off(claim, problem, wait)
        return "put_off"


def _ms_since(started: float) -> float:
    return (time.perf_counter() - started) * 1000
