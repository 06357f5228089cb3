"""Durable delivery: what a platform sent is stored before it is acknowledged, then answered and sent, once.

An event's way is one row of the inbox: `ready` -> `running` (leased by a worker) -> `done`, or `parked` where it cannot
be delivered, or `held` where what is to be sent waits for its sender's next event. The answer is stored before it is
sent, together with the turn of the conversation, so that a worker which takes over a dead one's event sends that answer
and asks nothing again. What was sent is wiped when it is done; the event's id stays, so that a late redelivery is still
known.
"""

import asyncio
import logging
import secrets
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, Protocol

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import InterfaceError, OperationalError, SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from bot.logs import HASH_SHOWN, set_about
from bot.storage import BIG_ID, Cutoffs, tables
from bot.tracing import Tracing
from bot.types import Turn, room_of

LEASE = 3.0
"""Seconds after which another worker may take over an event whose worker has not been heard of."""

MOST_ATTEMPTS = 12
"""After so many, about half an hour after the first, an event is parked for the operator."""

_OWN_ATTEMPTS = 2
"""The same where our own code fails on it: that will not pass, and the asker is told so."""

_HOLDS = 60.0
"""Seconds from its arrival in which an event that failed holds up its sender's later ones. One that a platform asked
to wait for holds them up as long as that takes."""

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

Outcome = Literal["delivered", "put_off", "held", "parked", "taken_over", "failed"]
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
    sa.Column("room", sa.String(64), nullable=True, index=True),
    sa.Column("person", sa.String(64), nullable=True, index=True),
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
    """The platform did not take it now, or did not say whether it has. `wait` is seconds; 0 where none are known."""

    def __init__(self, problem: str, wait: float = 0) -> None:
        super().__init__(problem)
        self.wait = wait


class AskedToWaitError(RetryLaterError):
    """The platform asked for so many seconds, and has surely not taken it: no attempt was made, and none is counted."""


class HeldBackError(Exception):
    """The platform takes nothing for this person now, but will with their next event: what is to go along with it."""

    def __init__(self, problem: str, outgoing: "list[Json]") -> None:
        super().__init__(problem)
        self.outgoing = outgoing


class UndeliverableError(Exception):
    """The platform will never take it; the message says why."""


class LeaseLostError(Exception):
    """Another worker has taken the event over."""


@dataclass(frozen=True)
class Arrival:
    """An event as it arrives.

    `event_id` is the platform's own, the same for every redelivery. `sender` is channel and id of the person or room:
    events of one sender are delivered in order. `message` is channel and id of the message, "" where there is none.
    `event` is what the channel needs to answer it. `person` is channel and id of who did it, where that is another.
    """

    event_id: str
    channel: str
    sender: str
    event: Json
    message: str = ""
    person: str = ""


@dataclass(frozen=True)
class Lease:
    """An event that this worker holds. `outgoing` is what an earlier attempt stored, and may already have sent.

    `conversation` is the keyed hash of its sender.
    """

    id: int
    channel: str
    event: Json
    outgoing: list[Json] | None
    attempts: int
    worker: str
    event_id: str
    received_at: float
    conversation: str


@dataclass(frozen=True)
class Attempt:
    """A try to send. `resumed` tells that an earlier one may have sent it already.

    `event_id` names the delivery to a platform that drops repetitions; `age` is the seconds since the event arrived.
    """

    event_id: str
    resumed: bool
    age: float


@dataclass(frozen=True)
class Prepared:
    """What is to be sent, call by call, and what goes on record with it.

    That is the turn of the conversation, and what `record` writes in the same transaction; `recorded` is called after.
    """

    outgoing: list[Json]
    turn: Turn | None = None
    record: Callable[[AsyncConnection], Awaitable[None]] | None = None
    recorded: Callable[[], None] = lambda: None


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

    def apology(self, event: Json) -> list[Json]:
        """What tells the asker that our own code failed on it; nothing where nobody waits for an answer."""

    async def send(self, event: Json, outgoing: list[Json], attempt: Attempt) -> Json | None:
        """Sends what was prepared for an event, and returns where it now stands, where that is worth knowing.

        Raises:
            AskedToWaitError: not now, and none of it was taken.
            RetryLaterError: not now, or perhaps.
            HeldBackError: with the sender's next event.
            UndeliverableError: never.
        """


class Inbox:
    """The table of events."""

    def __init__(self, engine: AsyncEngine, hide: Callable[[str], str], clock: Callable[[], float] = time.time) -> None:
        """Uses a database whose tables are there.

        Args:
            engine: the database.
            hide: turns an id of the platform into a keyed hash.
            clock: seconds, the same for all processes that share the database; see `take_time`.
        """
        self._engine = engine
        self._hide = hide
        self._clock = clock
        self.insert = postgresql.insert if engine.dialect.name == "postgresql" else sqlite.insert
        self.arrived = asyncio.Event()
        self._gathered: list[tuple[list[Json], asyncio.Future[None]]] = []
        self._storing: asyncio.Task[None] | None = None
        self._one_at_a_time = asyncio.Lock()

    async def take_time(self) -> None:
        """Goes by the clock of a database server from here on: those of the hosts that share it may differ."""
        if self._engine.dialect.name == "postgresql":
            async with self._engine.connect() as connection:
                now = sa.select(sa.extract("epoch", sa.func.clock_timestamp()))
                ahead = float((await connection.execute(now)).scalar_one()) - time.monotonic()
            self._clock = lambda: time.monotonic() + ahead

    def age(self, lease: Lease) -> float:
        """Seconds since an event arrived."""
        return self._clock() - lease.received_at

    async def put(self, arrivals: Sequence[Arrival]) -> None:
        """Stores what is new of these events, all or none; then they may be acknowledged.

        Whoever comes while a transaction is under way goes into the next one, together with all others who came. Where
        that fails for what one of them brought, each is stored alone.
        """
        if not arrivals:
            return
        stored: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._gathered.append(([self._row(arrival) for arrival in arrivals], stored))
        if self._storing is None:
            self._storing = asyncio.create_task(self._store_gathered())
        await stored

    def _row(self, arrival: Arrival) -> Json:
        now = self._clock()
        return {
            "event_id": _storable(arrival.event_id),
            "channel": arrival.channel,
            "conversation": self._hide(_storable(arrival.sender)),
            "message": self._hide(_storable(arrival.message)) if arrival.message else None,
            "room": self._hide(_storable(room)) if (room := room_of(arrival.sender)) else None,
            "person": self._hide(_storable(arrival.person or arrival.sender)),
            "received_at": now,
            "due_at": now,
            "event": _storable(arrival.event),
        }

    async def _store_gathered(self) -> None:
        async with self._one_at_a_time:
            gathered, self._gathered, self._storing = self._gathered, [], None
            try:
                await self._store([row for rows, _ in gathered for row in rows])
            except _OUTAGES as error:
                outcomes: list[Exception | None] = [error] * len(gathered)
            except Exception:
                outcomes = [await self._store_alone(rows) for rows, _ in gathered]
            else:
                outcomes = [None] * len(gathered)
        for (_, stored), outcome in zip(gathered, outcomes, strict=True):
            if stored.done():  # whoever waited has gone
                continue
            if outcome:
                stored.set_exception(outcome)
            else:
                stored.set_result(None)
        self.arrived.set()

    async def _store(self, rows: list[Json]) -> None:
        async with self._engine.begin() as connection:
            await self._insert(connection, rows)

    async def add(self, connection: AsyncConnection, arrivals: Sequence[Arrival]) -> None:
        """Stores events of our own in a transaction of the caller's, who sets `arrived` after it."""
        await self._insert(connection, [self._row(arrival) for arrival in arrivals])

    async def _insert(self, connection: AsyncConnection, rows: list[Json]) -> None:
        new = self.insert(_inbox).values(rows).on_conflict_do_nothing(index_elements=["event_id"])
        await connection.execute(new)

    async def _store_alone(self, rows: list[Json]) -> Exception | None:
        try:
            await self._store(rows)
        except Exception as error:
            return error
        return None

    async def claim(self, channels: Iterable[str], limit: int) -> tuple[Lease, ...]:
        """Takes events that are due, or whose worker has died; of each sender only the earliest unfinished one."""
        now = self._clock()
        earlier = _inbox.alias()
        blocked = sa.exists().where(
            earlier.c.conversation == _inbox.c.conversation,
            earlier.c.id < _inbox.c.id,
            sa.or_(
                earlier.c.state == "running",
                sa.and_(
                    earlier.c.state == "ready",
                    sa.or_(earlier.c.attempts == 0, earlier.c.received_at > now - _HOLDS),
                ),
            ),
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
            Lease(
                row.id,
                row.channel,
                row.event,
                row.outgoing,
                row.attempts,
                worker,
                row.event_id,
                row.received_at,
                row.conversation,
            )
            for row in sorted(taken, key=lambda row: row.id)
        )

    async def renew(self, leases: Iterable[Lease]) -> None:
        """Says that this worker is still at it."""
        held = [sa.and_(_inbox.c.id == lease.id, _inbox.c.worker == lease.worker) for lease in leases]
        extend = sa.update(_inbox).where(sa.or_(*held)).values(leased_until=self._clock() + LEASE)
        async with self._engine.begin() as connection:
            await connection.execute(extend)

    @asynccontextmanager
    async def keep(self, lease: Lease, outgoing: list[Json]) -> AsyncIterator[AsyncConnection]:
        """Stores what is to be sent, and in the same transaction what the caller adds.

        Raises:
            LeaseLostError: another worker has it; nothing is stored.
        """
        async with self._engine.begin() as connection:
            await self._update(connection, lease, outgoing=outgoing)
            yield connection

    async def finish(self, lease: Lease, receipt: Json | None) -> None:
        """Delivered: only the ids and the receipt stay."""
        async with self._engine.begin() as connection:
            await self._update(connection, lease, state="done", receipt=receipt, problem=None, **_WIPED)

    async def put_off(self, lease: Lease, problem: str, wait: float, counted: bool = True) -> None:
        """To be tried again after so many seconds; with `counted` false as if it had not been tried."""
        attempts = lease.attempts if counted else lease.attempts - 1
        due_at = self._clock() + wait
        async with self._engine.begin() as connection:
            await self._update(connection, lease, state="ready", due_at=due_at, problem=problem, attempts=attempts)

    async def park(self, lease: Lease, problem: str, **also: Any) -> None:
        """Given up, until the operator replays it."""
        async with self._engine.begin() as connection:
            await self._update(connection, lease, state="parked", problem=problem, **also)

    async def hold(self, lease: Lease, outgoing: list[Json], problem: str) -> None:
        """What is to be sent waits for its sender's next event, which takes it along."""
        kept = _WIPED | {"outgoing": outgoing}
        async with self._engine.begin() as connection:
            await self._update(connection, lease, state="held" if outgoing else "done", problem=problem, **kept)

    async def held(self, sender: str, room: int) -> tuple[list[Json], dict[int, list[Json]]]:
        """What waits for a sender, the oldest first, as far as there is room; and what is left then, to `let_go`."""
        waits = sa.select(_inbox.c.id, _inbox.c.outgoing).where(
            _inbox.c.conversation == self._hide(sender), _inbox.c.state == "held"
        )
        messages: list[Json] = []
        left: dict[int, list[Json]] = {}
        async with self._engine.connect() as connection:
            for row in (await connection.execute(waits.order_by(_inbox.c.id))).all():
                fitting = room - len(messages)
                messages += row.outgoing[:fitting]
                left[row.id] = row.outgoing[fitting:]
        return messages, left

    async def let_go(self, connection: AsyncConnection, left: Mapping[int, list[Json]]) -> None:
        """What was held is on its way with another event, which is stored in this transaction of the caller's."""
        for id, rest in left.items():
            held = sa.update(_inbox).where(_inbox.c.id == id, _inbox.c.state == "held")
            over = _WIPED | {"state": "done", "problem": None}
            await connection.execute(held.values({"outgoing": rest} if rest else over))

    async def _update(self, connection: AsyncConnection, lease: Lease, **values: Any) -> None:
        held = sa.and_(_inbox.c.id == lease.id, _inbox.c.worker == lease.worker, _inbox.c.state == "running")
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

    async def posted(self, channel: str, ts: str) -> str:
        """The id of the event for which a message of Slack's was posted; "" where it is none of ours."""
        of_message = sa.and_(
            _inbox.c.receipt["channel"].as_string() == channel, _inbox.c.receipt["ts"].as_string() == ts
        )
        oldest = sa.select(_inbox.c.event_id).where(of_message).order_by(_inbox.c.id).limit(1)
        async with self._engine.connect() as connection:
            return (await connection.execute(oldest)).scalar_one_or_none() or ""

    async def knows(self, message: str) -> bool:
        """Whether an event of this message has arrived."""
        known = sa.select(sa.exists().where(_inbox.c.message == self._hide(message)))
        async with self._engine.connect() as connection:
            return bool((await connection.execute(known)).scalar_one())

    async def forget(self, *, message: str = "", person: str = "", room: str = "") -> None:
        """Wipes what is unsent of a message or room, or of a person what is given up or held: what waits came later."""
        if message:
            about = sa.and_(_inbox.c.message == self._hide(message), _inbox.c.state.in_(("ready", "parked", "held")))
        elif room:
            about = sa.and_(_inbox.c.room == self._hide(room), _inbox.c.state.in_(("ready", "parked", "held")))
        else:
            about = sa.and_(_inbox.c.person == self._hide(person), _inbox.c.state.in_(("parked", "held")))
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
        return await self._ready_again(sa.true() if ids is None else _inbox.c.id.in_(tuple(ids)))

    async def replay_own(self, prefix: str, wait: float) -> int:
        """Makes parked events ready again that were last tried so many seconds ago, or more; returns how many.

        Args:
            prefix: what the ids of the events begin with.
            wait: the seconds.
        """
        due = _inbox.c.due_at <= self._clock() - wait
        return await self._ready_again(sa.and_(_inbox.c.event_id.startswith(prefix), due))

    def given_up(self, prefix: str) -> sa.Select[tuple[str]]:
        """Selects the ids of parked events, of those that begin so."""
        return sa.select(_inbox.c.event_id).where(_inbox.c.state == "parked", _inbox.c.event_id.startswith(prefix))

    async def _ready_again(self, about: sa.ColumnElement[bool]) -> int:
        again = sa.update(_inbox).where(_inbox.c.state == "parked", about)
        attempts = sa.case((_inbox.c.outgoing.is_(None), 0), else_=1)  # what was prepared may have been sent
        async with self._engine.begin() as connection:
            ready = again.values(state="ready", attempts=attempts, due_at=self._clock())
            return (await connection.execute(ready)).rowcount

    async def purge(self, cutoffs: Cutoffs) -> int:
        """Deletes what is delivered, held or parked and whose time is over; returns how many."""
        over = cutoffs.passed(_inbox.c.channel, _inbox.c.received_at, datetime.timestamp)
        old = sa.delete(_inbox).where(over, _inbox.c.state.in_(("done", "held", "parked")))
        async with self._engine.begin() as connection:
            return (await connection.execute(old)).rowcount


_WIPED = {"event": None, "outgoing": None, "worker": None, "leased_until": None}

_OUTAGES = (OperationalError, InterfaceError, OSError)
"""The database, or what lies between, is down: no matter of the event at hand."""


def _storable(value: Any) -> Any:
    """JSON as any database takes it: halves of surrogate pairs, which no encoding has, become replacement marks."""
    match value:
        case str():
            return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
        case list():
            return [_storable(part) for part in value]
        case dict():
            return {_storable(name): _storable(part) for name, part in value.items()}
    return value


class Delivery:
    """The worker of one process: takes events from the inbox, has them answered, and sends."""

    def __init__(
        self,
        inbox: Inbox,
        channels: Mapping[str, Channel],
        record: Callable[[AsyncConnection, Turn], Awaitable[None]],
        count: Callable[[str, Outcome], None],
        slots: int = SLOTS,
        tracing: Tracing | None = None,
    ) -> None:
        """Builds it.

        Args:
            inbox: the table, which other processes may share.
            channels: the platforms, by the names under which they stored their events.
            record: puts a turn on record, in the transaction given.
            count: is told the channel of each attempt and how it ended.
            slots: how many events are delivered side by side.
            tracing: is told what took how long.
        """
        self._inbox = inbox
        self._channels = channels
        self._record = record
        self._count = count
        self._slots = slots
        self._tracing = tracing or Tracing()
        self._held: dict[asyncio.Task[None], Lease] = {}

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
                leases = await self._inbox.claim(self._channels, free) if free else ()
            except (SQLAlchemyError, OSError):
                _log.exception("the inbox cannot be read; trying again")
                leases = ()
            for lease in leases:
                task = asyncio.create_task(self._deliver(lease))
                self._held[task] = lease
                task.add_done_callback(self._released)
            if not leases:
                with suppress(TimeoutError):  # not wait_for: it may swallow the end that comes with an arrival
                    async with asyncio.timeout(_POLL):
                        await self._inbox.arrived.wait()
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

    async def _deliver(self, lease: Lease) -> None:
        outcome: Outcome
        shown = lease.conversation[:HASH_SHOWN]
        about: dict[str, str | int] = {"event": lease.id, "channel": lease.channel, "conversation": shown}
        set_about(**about)
        try:
            with self._tracing.during("deliver", about):
                outcome = await self._try(lease)
        except LeaseLostError:
            outcome = "taken_over"
            _log.warning("event %s was taken over by another worker", lease.id)
        except (SQLAlchemyError, OSError):  # the lease runs out, and it is tried again
            outcome = "failed"
            _log.exception("event %s: the inbox cannot be written to", lease.id)
        self._count(lease.channel, outcome)

    async def _try(self, lease: Lease) -> Outcome:
        channel = self._channels[lease.channel]
        started = time.perf_counter()
        try:
            if lease.attempts > MOST_ATTEMPTS:
                raise UndeliverableError(f"{lease.attempts - 1}回試しましたが、そのたびにプロセスが止まりました。")
            outgoing = await self._prepared(lease, channel) if lease.outgoing is None else lease.outgoing
            prepared = _ms_since(started)
            receipt = await channel.send(lease.event, outgoing, self._attempt(lease)) if outgoing else None
        except UndeliverableError as error:
            _log.error("event %s (%s) is parked: %s", lease.id, lease.channel, error)
            await self._inbox.park(lease, str(error))
            return "parked"
        except HeldBackError as error:
            _log.warning("event %s (%s) waits for its sender: %s", lease.id, lease.channel, error)
            await self._inbox.hold(lease, error.outgoing, str(error))
            return "held"
        except LeaseLostError:
            raise
        except AskedToWaitError as error:
            _log.info("event %s (%s) waits %.1f s: %s", lease.id, lease.channel, error.wait, error)
            return await self._put_off(lease, str(error), error.wait, counted=False)
        except (RetryLaterError, SQLAlchemyError, OSError) as error:
            return await self._try_again(lease, error)
        except Exception as error:
            return await self._fail(lease, channel, error)
        await self._inbox.finish(lease, receipt)
        whole = _ms_since(started)
        waited = self._inbox.age(lease) * 1000 - whole
        took = {"wait": round(waited), "prepare": round(prepared), "send": round(whole - prepared)}
        about = {"about": {"took_ms": took}}
        _log.info("event %s (%s) delivered in %.0f ms", lease.id, lease.channel, whole, extra=about)
        return "delivered"

    async def _prepared(self, lease: Lease, channel: Channel) -> list[Json]:
        prepared = await channel.prepare(lease.event)
        if prepared.outgoing or prepared.turn:
            async with self._inbox.keep(lease, prepared.outgoing) as connection:
                if prepared.turn:
                    await self._record(connection, prepared.turn)
                if prepared.record:
                    await prepared.record(connection)
            prepared.recorded()
        return prepared.outgoing

    def _attempt(self, lease: Lease) -> Attempt:
        resumed = lease.outgoing is not None and lease.attempts > 1
        return Attempt(lease.event_id, resumed, self._inbox.age(lease))

    async def _try_again(self, lease: Lease, error: Exception) -> Outcome:
        """An outage, of the platform's or of ours: it passes."""
        problem = str(error) if isinstance(error, RetryLaterError) else f"{type(error).__name__}: {error}"
        if lease.attempts >= MOST_ATTEMPTS:
            _log.error("event %s (%s) is parked after %d attempts", lease.id, lease.channel, lease.attempts)
            await self._inbox.park(lease, problem)
            return "parked"
        asked = error.wait if isinstance(error, RetryLaterError) else 0
        wait = max(asked, min(2.0 ** (lease.attempts - 1), _LONGEST_WAIT))
        _log.warning("event %s (%s) is tried again in %.0f s: %s", lease.id, lease.channel, wait, problem)
        return await self._put_off(lease, problem, wait)

    async def _fail(self, lease: Lease, channel: Channel, error: Exception) -> Outcome:
        """A fault of our own: once more, then the asker is told, it is parked, and the sender's next event goes on."""
        problem = f"{type(error).__name__}: {error}"
        _log.error("event %s (%s) failed", lease.id, lease.channel, exc_info=error)
        if lease.attempts < _OWN_ATTEMPTS:
            return await self._put_off(lease, problem, 1)
        if lease.outgoing is None and (outgoing := channel.apology(lease.event)):
            async with self._inbox.keep(lease, outgoing):  # a worker that takes over sends it, and asks nothing again
                pass
            try:
                await channel.send(lease.event, outgoing, self._attempt(lease))
            except Exception as unsent:
                _log.warning("event %s (%s): no apology: %s", lease.id, lease.channel, type(unsent).__name__)
            await self._inbox.park(lease, problem, outgoing=None)
        else:
            await self._inbox.park(lease, problem)
        return "parked"

    async def _put_off(self, lease: Lease, problem: str, wait: float, counted: bool = True) -> Outcome:
        await self._inbox.put_off(lease, problem, wait, counted)
        asyncio.get_running_loop().call_later(wait, self._inbox.arrived.set)
        return "put_off"


def _ms_since(started: float) -> float:
    return (time.perf_counter() - started) * 1000
