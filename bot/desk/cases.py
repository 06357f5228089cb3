"""Questions that a person answers, from being opened to being closed, and the record of who did what with each.

Each step is one transaction: the change of the case, its line in the record, and the arrivals that tell Slack and the
asker of it. So whatever dies, what was told is what happened. A step that is done again says how it ended.

Who asked is stored as a keyed hash. Where an answer goes back to is encrypted, and wiped when it is not needed
any more.
"""

from collections.abc import AsyncIterator, Callable, Collection, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any, Literal

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from bot.conversations import RuledTurn, turns
from bot.delivery import Arrival, Inbox
from bot.desk.hours import Does, OfficeHours
from bot.desk.sealing import Seal
from bot.desk.types import ASKER, CORRECTION, DESK, WAITING, Case, Entry, Json, Kind, Reply, State, View
from bot.storage import BIG_ID, Cutoffs, tables
from bot.types import room_of

SLACK = "slack"

_PUSHED = ("line", SLACK, "briefing")
"""The channels that bring an answer by themselves; the page asks for it."""

_cases = sa.Table(
    "cases",
    tables,
    sa.Column("number", BIG_ID, primary_key=True, autoincrement=True),
    sa.Column("key", sa.String(64), nullable=False, unique=True),
    sa.Column("program", sa.String(64), nullable=False),
    sa.Column("channel", sa.String(16), nullable=False),
    sa.Column("slack_channel", sa.String(32), nullable=False),
    sa.Column("asker", sa.String(64), nullable=True, index=True),
    sa.Column("room", sa.String(64), nullable=True, index=True),
    sa.Column("message", sa.String(64), nullable=True, index=True),
    sa.Column("person", sa.String(64), nullable=True, index=True),
    sa.Column("reply_to", sa.Text, nullable=True),
    sa.Column("question", sa.Text, nullable=False),
    sa.Column("found", sa.JSON(none_as_null=True), nullable=True),
    sa.Column("state", sa.String(8), nullable=False),
    sa.Column("ended", sa.String(16), nullable=True),
    sa.Column("assignee", sa.String(32), nullable=True),
    sa.Column("opened_at", sa.Double, nullable=False, index=True),
    sa.Column("waits_since", sa.Double, nullable=False),
    sa.Column("step", sa.Integer, nullable=False, server_default="0"),
    sa.Column("due_at", sa.Double, nullable=True),
    sa.Index("cases_due", "state", "due_at"),
)

_replies = sa.Table(
    "case_replies",
    tables,
    sa.Column("id", BIG_ID, primary_key=True, autoincrement=True),
    sa.Column("key", sa.String(64), nullable=False, unique=True),
    sa.Column("number", BIG_ID, nullable=False, index=True),
    sa.Column("asker", sa.String(64), nullable=True, index=True),
    sa.Column("channel", sa.String(16), nullable=False),
    sa.Column("kind", sa.String(16), nullable=False),
    sa.Column("text", sa.Text, nullable=False),
    sa.Column("signed", sa.Text, nullable=False),
    sa.Column("written_by", sa.String(32), nullable=False),
    sa.Column("written_at", sa.Double, nullable=False),
    sa.Column("carried_by", sa.String(255), nullable=True, index=True),
    sa.Column("arrived_at", sa.Double, nullable=True),
    sa.Column("turn", sa.String(32), nullable=True, index=True),  # of the answer that it puts right
    sa.Column("question", sa.Text, nullable=True),  # of that answer
)

_record = sa.Table(
    "case_events",
    tables,
    sa.Column("id", BIG_ID, primary_key=True, autoincrement=True),
    sa.Column("number", BIG_ID, nullable=False, index=True),
    sa.Column("at", sa.Double, nullable=False),
    sa.Column("actor", sa.String(32), nullable=False),
    sa.Column("what", sa.String(16), nullable=False),
)


class Cases:
    """The table of cases. Belongs to the database of the inbox, with which it shares transactions."""

    def __init__(
        self,
        engine: AsyncEngine,
        inbox: Inbox,
        seal: Seal,
        hide: Callable[[str], str],
        hours: OfficeHours,
        now: Callable[[], datetime],
    ) -> None:
        """Uses a database whose tables are there.

        Args:
            engine: the database.
            inbox: in the same database; takes what Slack and the asker are to be told.
            seal: encrypts where answers go back to.
            hide: turns an id of a platform into a keyed hash.
            hours: when officials answer, and the ladder.
            now: the clock, in Japan's time.
        """
        self._engine = engine
        self._inbox = inbox
        self._seal = seal
        self._hide = hide
        self._hours = hours
        self._now = now

    @asynccontextmanager
    async def _writing(self) -> AsyncIterator[AsyncConnection]:
        async with self._engine.begin() as connection:
            yield connection
        self._inbox.arrived.set()

    # --- the asker's side --------------------------------------------------------------------------------------

    async def open(
        self,
        question: str,
        *,
        key: str,
        program: str,
        slack_channel: str,
        sender: str,
        message: str | None = None,
        person: str | None = None,
        found: Json | None = None,
    ) -> tuple[Case, bool]:
        """Opens a case, and has its card posted in Slack; returns it, and whether it is a new one.

        Args:
            question: as the official will read it, masked.
            key: names what the case is opened for: of one key there is one case.
            program: its id; "" where that is open.
            slack_channel: where officials see it.
            sender: channel and id of the person or room to whom the answer goes back.
            message: the keyed hash of the message that asked, by which it is found when that is unsent.
            person: that of who asked, where it is known and not the sender.
            found: what the bot had answered, in its JSON form.
        """
        moment = self._now()
        room = room_of(sender)
        row = {
            "key": key,
            "program": program,
            "channel": sender.partition(":")[0],
            "slack_channel": slack_channel,
            "asker": self._hide(sender),
            "room": self._hide(room) if room else None,
            "message": message,
            "person": person or self._hide(sender),
            "reply_to": self._seal.close(sender),
            "question": question,
            "found": found,
            "state": State.OPEN,
            "opened_at": moment.timestamp(),
            "waits_since": moment.timestamp(),
            "due_at": self._due(moment, 0),
        }
        new = self._inbox.insert(_cases).values(row).on_conflict_do_nothing(index_elements=["key"])
        async with self._writing() as connection:
            if before := await self._rows(connection, _cases.c.key == key):
                return self._case(before[0]), False
            opened = (await connection.execute(new)).rowcount == 1
            (found_row,) = await self._rows(connection, _cases.c.key == key)
            if opened:
                await self._tell(connection, found_row, ASKER, "opened", "case_card")
        return self._case(found_row), opened

    async def withdraw(self, number: int, sender: str) -> Case | None:
        """The asker needs no answer any more; None where it is no waiting case of this sender's."""
        mine = sa.and_(_cases.c.number == number, _cases.c.asker == self._hide(sender), _cases.c.state.in_(WAITING))
        return await self._step(mine, ASKER, "withdrawn", state=State.CLOSED, ended="withdrawn", **_WIPED)

    async def solve(self, number: int, sender: str) -> Case | None:
        """The answer helped; None where it is no answered case of this sender's."""
        mine = sa.and_(
            _cases.c.number == number, _cases.c.asker == self._hide(sender), _cases.c.state == State.ANSWERED
        )
        return await self._step(mine, ASKER, "solved", state=State.CLOSED, ended="solved", **_WIPED)

    async def reopen(self, number: int, sender: str) -> Case | None:
        """The answer did not help: the case is open again; None where it is no answered or closed one of theirs."""
        moment = self._now()
        mine = sa.and_(
            _cases.c.number == number,
            _cases.c.asker == self._hide(sender),
            _cases.c.state.in_((State.ANSWERED, State.CLOSED)),
        )
        return await self._step(
            mine,
            ASKER,
            "reopened",
            state=State.OPEN,
            ended=None,
            reply_to=self._seal.close(sender),
            waits_since=moment.timestamp(),
            step=0,
            due_at=self._due(moment, 0),
        )

    async def of_asker(self, sender: str) -> tuple[Case, ...]:
        """The cases of a sender that are not purged, the newest first."""
        mine = sa.and_(_cases.c.asker == self._hide(sender), _cases.c.question != "")
        return await self._found(mine, order=_cases.c.number.desc())

    async def of_person(self, person: str) -> tuple[Case, ...]:
        """The cases of a person that are not purged, in whatever room, the oldest first."""
        return await self._found(sa.and_(_cases.c.person == self._hide(person), _cases.c.question != ""))

    async def by_key(self, key: str) -> Case | None:
        """The case that a key names."""
        return next(iter(await self._found(_cases.c.key == key)), None)

    async def forget(self, *, message: str = "", person: str = "", room: str = "") -> None:
        """Closes and empties the cases of a message that was unsent, of a person, or of a room that we have left."""
        if message:
            about = _cases.c.message == self._hide(message)
        else:
            about = _cases.c.room == self._hide(room) if room else _cases.c.person == self._hide(person)
        async with self._writing() as connection:
            await self._forget_corrections(connection, message, person, room)
            for row in await self._rows(connection, about):
                await connection.execute(
                    sa.update(_replies).where(_replies.c.number == row.number).values(asker=None, text="", signed="")
                )
                emptied = await self._change(
                    connection, _cases.c.number == row.number, state=State.CLOSED, ended="gone", **_EMPTIED
                )
                if emptied and row.question:
                    await self._tell(connection, emptied, ASKER, "gone")

    async def _forget_corrections(self, connection: AsyncConnection, message: str, person: str, room: str) -> None:
        if message:
            about = turns.c.message == self._hide(message)
        else:
            about = turns.c.room == self._hide(room) if room else turns.c.person == self._hide(person)
        theirs = _replies.c.turn.in_(sa.select(turns.c.key).where(about))
        await connection.execute(sa.update(_replies).where(theirs).values(asker=None, question="", text="", signed=""))

    # --- the officials' side -----------------------------------------------------------------------------------

    async def take(self, number: int, official: str, *, over: bool = False) -> Case | None:
        """One official takes a case: the first one who tries, or, where it is taken `over`, the last one.

        Returns:
            The case as it now stands, whoever has it; None where there is none.
        """
        free: sa.ColumnElement[bool] = _cases.c.state == State.OPEN
        if over:
            others = sa.and_(_cases.c.state == State.TAKEN, _cases.c.assignee != official)
            free = sa.or_(free, others)
        about = _cases.c.number == number
        taken = await self._step(sa.and_(about, free), official, "taken", state=State.TAKEN, assignee=official)
        return taken or await self.case(number)

    async def reply(
        self,
        number: int,
        official: str,
        kind: Kind,
        text: str,
        signed: str,
        *,
        key: str,
        corrects: Sequence[RuledTurn] = (),
    ) -> tuple[Case, bool] | None:
        """Sends an answer, or the question back with the reason, to the asker; or a correction to several.

        Args:
            number: of the case.
            official: who writes, by Slack id.
            kind: which of these.
            text: what the asker reads.
            signed: the office and the name.
            key: names this writing of theirs: of one key there is one reply.
            corrects: of a correction, the answers that it puts right.

        Returns:
            The case, and whether this reply is the one that answers it: not where somebody else was first. None where
            there is no such case.
        """
        moment = self._now()
        waits = sa.and_(_cases.c.number == number, _cases.c.state.in_(WAITING))
        async with self._writing() as connection:
            changed = await self._change(
                connection,
                waits,
                state=State.ANSWERED,
                assignee=official,
                due_at=(moment + self._hours.closes_after).timestamp(),
            )
            if changed is None:
                rows = await self._rows(connection, _cases.c.number == number)
                mine = sa.select(_replies.c.id).where(_replies.c.key == key)
                known = (await connection.execute(mine)).first() is not None
                return (self._case(rows[0]), known) if rows else None
            row = {
                "number": number,
                "kind": kind,
                "text": text,
                "signed": signed,
                "written_by": official,
                "written_at": moment.timestamp(),
            }
            await self._tell(connection, changed, official, _WRITTEN[kind])
            if kind == "correction":
                await self._put_right(connection, row, key, corrects)
            else:
                to = {"key": key, "asker": changed.asker, "channel": changed.channel}
                await self._write(connection, row | to, changed.reply_to)
        return self._case(changed), True

    async def _put_right(self, connection: AsyncConnection, row: Json, key: str, corrects: Sequence[RuledTurn]) -> None:
        """Writes the same to everybody whose answer it puts right, once for each answer."""
        for number, turn in enumerate(corrects):
            known = sa.select(turns.c.conversation, turns.c.channel, turns.c.reply_to).where(turns.c.key == turn.key)
            if asked := (await connection.execute(known)).one_or_none():  # deleted meanwhile: nobody to write to
                of_turn = {"key": f"{key}:{number}" if number else key, "turn": turn.key, "question": turn.question}
                to = {"asker": asked.conversation, "channel": asked.channel}
                await self._write(connection, row | of_turn | to, asked.reply_to)

    async def _write(self, connection: AsyncConnection, row: Json, reply_to: str | None) -> None:
        """Stores a reply, and what brings it back where its channel does so by itself."""
        id = (await connection.execute(sa.insert(_replies).values(row).returning(_replies.c.id))).scalar_one()
        sender = self._seal.open(reply_to) if reply_to else ""
        if sender and row["channel"] in _PUSHED:
            event_id = f"case:{row['number']}:reply:{id}"
            event = {"kind": "staff_reply", "reply": id, "id": event_id}
            await self._inbox.add(connection, [Arrival(event_id, row["channel"], sender, event)])

    async def drop(self, number: int, official: str) -> Case | None:
        """No answers are put right; None where that is no waiting case of the kind."""
        waits = sa.and_(_cases.c.number == number, _cases.c.channel == CORRECTION, _cases.c.state.in_(WAITING))
        return await self._step(waits, official, "dropped", state=State.CLOSED, ended="dropped", **_WIPED)

    async def case(self, number: int) -> Case | None:
        """A case by its number."""
        return next(iter(await self._found(_cases.c.number == number)), None)

    async def listed(
        self, view: View, official: str, channels: Collection[str], limit: int, offset: int = 0
    ) -> tuple[tuple[Case, ...], int]:
        """The cases that wait in some channels: all, those of an official, or those that are late; and how many."""
        about: sa.ColumnElement[bool] = sa.and_(_cases.c.state.in_(WAITING), _cases.c.slack_channel.in_(channels))
        if view == "mine":
            about = sa.and_(about, _cases.c.assignee == official)
        elif view == "overdue":
            about = sa.and_(about, _cases.c.step > 0)
        counted = sa.select(sa.func.count()).select_from(_cases).where(about)
        async with self._engine.connect() as connection:
            count = int((await connection.execute(counted)).scalar_one())
            rows = await self._rows(connection, about, _cases.c.number, limit, offset)
        return tuple(map(self._case, rows)), count

    async def counts(self) -> dict[str, int]:
        """How many cases there are in each state, and how many of those that wait are overdue."""
        states = sa.select(_cases.c.state, sa.func.count()).group_by(_cases.c.state)
        late = sa.select(sa.func.count()).where(_cases.c.state.in_(WAITING), _cases.c.step > 0)
        async with self._engine.connect() as connection:
            found = {state: int(count) for state, count in (await connection.execute(states)).all()}
            overdue = int((await connection.execute(late)).scalar_one())
        return {**{state.value: found.get(state, 0) for state in State}, "overdue": overdue}

    # --- the way back ------------------------------------------------------------------------------------------

    async def replies(self, number: int) -> tuple[Reply, ...]:
        """What was written to the asker of a case, oldest first."""
        async with self._engine.connect() as connection:
            return await self._read_replies(connection, _replies.c.number == number)

    async def carry(self, id: int, event_id: str) -> tuple[Reply, str] | None:
        """Takes a reply along with an event, which alone may bring it; None where another one does, or has.

        Returns:
            The reply, and channel and id of the person or room that it goes to.
        """
        free = sa.or_(_replies.c.carried_by.is_(None), _replies.c.carried_by == event_id)
        about = sa.and_(_replies.c.id == id, free, _replies.c.arrived_at.is_(None))
        async with self._engine.begin() as connection:
            taken = await connection.execute(sa.update(_replies).where(about).values(carried_by=event_id))
            if taken.rowcount != 1:
                return None
            (reply,) = await self._read_replies(connection, _replies.c.id == id)
            joined = _replies.join(_cases, _cases.c.number == _replies.c.number)
            joined = joined.outerjoin(turns, turns.c.key == _replies.c.turn)
            back = sa.case((_replies.c.turn.is_(None), _cases.c.reply_to), else_=turns.c.reply_to)
            to = sa.select(back).select_from(joined).where(_replies.c.id == id)
            reply_to = (await connection.execute(to)).scalar_one()
        sender = self._seal.open(reply_to) if reply_to else ""
        return (reply, sender) if sender else None

    async def carry_all(self, sender: str, event_id: str, limit: int) -> tuple[Reply, ...]:
        """Takes along what waits for a sender, with an event of theirs that can be replied to; the oldest first."""
        free = sa.or_(_replies.c.carried_by.is_(None), _replies.c.carried_by == event_id)
        waits = sa.and_(_replies.c.asker == self._hide(sender), free, _replies.c.arrived_at.is_(None))
        first = sa.select(_replies.c.id).where(waits).order_by(_replies.c.id).limit(limit)
        async with self._engine.begin() as connection:
            ids = (await connection.execute(first)).scalars().all()
            if not ids:
                return ()
            about = _replies.c.id.in_(ids)
            taken = sa.update(_replies).where(about, free).values(carried_by=event_id).returning(_replies.c.id)
            kept = (await connection.execute(taken)).scalars().all()
            return await self._read_replies(connection, _replies.c.id.in_(kept))

    async def release(self, event_id: str, what: Literal["held", "undelivered"]) -> None:
        """An event could not bring its replies: they wait for another, and officials see why.

        Args:
            event_id: of the event that carries them.
            what: `held` where too few messages are left this month, `undelivered` where the platform refused.
        """
        let_go = (
            sa.update(_replies)
            .where(_replies.c.carried_by == event_id, _replies.c.arrived_at.is_(None))
            .values(carried_by=None)
            .returning(_replies.c.number)
        )
        async with self._writing() as connection:
            for number in set((await connection.execute(let_go)).scalars()):
                (row,) = await self._rows(connection, _cases.c.number == number)
                await self._tell(connection, row, DESK, what, shown=row.channel != CORRECTION)

    async def carried(self, event_id: str) -> frozenset[int]:
        """The ids of the replies that an event carries: not those that another one has taken since."""
        async with self._engine.connect() as connection:
            mine = sa.select(_replies.c.id).where(_replies.c.carried_by == event_id)
            return frozenset((await connection.execute(mine)).scalars())

    async def free(self) -> None:
        """Replies that went along with a message of their asker's which could not be answered wait for another."""
        stuck = sa.and_(_replies.c.arrived_at.is_(None), _replies.c.carried_by.in_(self._inbox.given_up("line:")))
        async with self._engine.connect() as connection:
            events = (await connection.execute(sa.select(_replies.c.carried_by).where(stuck).distinct())).scalars()
        for event_id in events.all():
            await self.release(event_id, "undelivered")

    async def arrived(self, event_id: str) -> None:
        """What an event carried has reached the asker."""
        await self._arrive(_replies.c.carried_by == event_id)

    async def corrections(self, keys: Sequence[str]) -> dict[str, Reply]:
        """What puts answers right, by the keys of their turns; their asker has it then."""
        about = _replies.c.turn.in_(keys)
        found = sa.select(_replies.c.id, _replies.c.turn).where(about, _replies.c.text != "")
        async with self._engine.connect() as connection:
            turn_of = {row.id: row.turn for row in (await connection.execute(found)).all()}
            replies = await self._read_replies(connection, _replies.c.id.in_(turn_of))
        if not all(reply.arrived for reply in replies):
            await self._arrive(about)
        return {turn_of[reply.id]: reply for reply in replies}

    async def fetched(self, number: int) -> None:
        """The asker has seen what was written to them."""
        await self._arrive(_replies.c.number == number)

    async def _arrive(self, about: sa.ColumnElement[bool]) -> None:
        brought = (
            sa.update(_replies)
            .where(about, _replies.c.arrived_at.is_(None))
            .values(arrived_at=self._now().timestamp())
            .returning(_replies.c.number)
        )
        async with self._writing() as connection:
            for number in set((await connection.execute(brought)).scalars()):
                (row,) = await self._rows(connection, _cases.c.number == number)
                late = sa.select(sa.func.count()).where(_replies.c.number == number, _replies.c.arrived_at.is_(None))
                shown = row.channel != CORRECTION or not (await connection.execute(late)).scalar_one()
                await self._tell(connection, row, DESK, "arrived", shown=shown)

    # --- time --------------------------------------------------------------------------------------------------

    async def climb(self) -> int:
        """Reminds and escalates where that is due, and closes what was answered long ago; returns how many."""
        moment = self._now()
        over = sa.and_(_cases.c.due_at <= moment.timestamp(), _cases.c.state != State.CLOSED)
        async with self._engine.connect() as connection:
            due = await self._rows(connection, over, _cases.c.number)
        for row in due:
            same = sa.and_(_cases.c.number == row.number, _cases.c.due_at == row.due_at, _cases.c.step == row.step)
            if row.state == State.ANSWERED:
                await self._step(same, DESK, "closed", state=State.CLOSED, ended="unheard", **_WIPED)
                continue
            step = self._hours.step(row.step)
            following = self._due(_moment(row.waits_since, moment), row.step + 1)
            async with self._writing() as connection:
                changed = await self._change(connection, same, step=row.step + 1, due_at=following)
                if changed:
                    await self._tell(connection, changed, DESK, _DONE[step.does])
        return len(due)

    async def purge(self, cutoffs: Cutoffs) -> int:
        """Empties the cases whose time is over, whatever their state; the record of who did what stays."""
        over = cutoffs.passed(_cases.c.channel, _cases.c.opened_at, datetime.timestamp)
        old = sa.and_(over, _cases.c.question != "")
        async with self._writing() as connection:
            rows = await self._rows(connection, old)
            for row in rows:
                about = _replies.c.number == row.number
                wiped = {"asker": None, "question": "", "text": "", "signed": ""}
                await connection.execute(sa.update(_replies).where(about).values(**wiped))
                ended = row.ended or "expired"
                emptied = await self._change(
                    connection, _cases.c.number == row.number, state=State.CLOSED, ended=ended, **_EMPTIED
                )
                if emptied:
                    await self._tell(connection, emptied, DESK, "purged")
        return len(rows)

    async def record(self) -> tuple[Entry, ...]:
        """Who did what, from the beginning."""
        async with self._engine.connect() as connection:
            rows = (await connection.execute(sa.select(_record).order_by(_record.c.id))).all()
        return tuple(Entry(_moment(row.at, self._now()), row.number, row.actor, row.what) for row in rows)

    # --- the tables --------------------------------------------------------------------------------------------

    def _due(self, since: datetime, step: int) -> float:
        return self._hours.later(since, self._hours.step(step).after).timestamp()

    async def _step(self, about: sa.ColumnElement[bool], actor: str, what: str, **values: Any) -> Case | None:
        """Changes the case that is in the state to be changed, with all that goes with it; None where none is."""
        async with self._writing() as connection:
            changed = await self._change(connection, about, **values)
            if changed is None:
                return None
            await self._tell(connection, changed, actor, what)
        return self._case(changed)

    async def _change(self, connection: AsyncConnection, about: sa.ColumnElement[bool], **values: Any) -> Any:
        change = sa.update(_cases).where(about).values(**values).returning(_cases)
        return (await connection.execute(change)).one_or_none()

    async def _tell(
        self,
        connection: AsyncConnection,
        row: Any,
        actor: str,
        what: str,
        kind: str = "case_changed",
        *,
        shown: bool = True,
    ) -> None:
        """Writes a line of the record, and has Slack show it; the card first, as its thread hangs on it."""
        line = {"number": row.number, "at": self._now().timestamp(), "actor": actor, "what": what}
        id = (await connection.execute(sa.insert(_record).values(line).returning(_record.c.id))).scalar_one()
        if not shown:
            return
        event = {"kind": kind, "case": row.number, "what": what}
        card = f"{SLACK}:case:{row.number}"
        told = Arrival(f"case:{row.number}:{id}", SLACK, card, event, card if kind == "case_card" else "")
        await self._inbox.add(connection, [told])

    async def _found(self, about: sa.ColumnElement[bool], order: Any = _cases.c.number) -> tuple[Case, ...]:
        async with self._engine.connect() as connection:
            return tuple(map(self._case, await self._rows(connection, about, order)))

    async def _rows(
        self,
        connection: AsyncConnection,
        about: sa.ColumnElement[bool],
        order: Any = _cases.c.number,
        limit: int | None = None,
        offset: int = 0,
    ) -> Sequence[Any]:
        found = sa.select(_cases).where(about).order_by(order).limit(limit).offset(offset)
        return (await connection.execute(found)).all()

    async def _read_replies(self, connection: AsyncConnection, about: sa.ColumnElement[bool]) -> tuple[Reply, ...]:
        joined = _replies.join(_cases, _cases.c.number == _replies.c.number)
        question = sa.func.coalesce(_replies.c.question, _cases.c.question)
        found = sa.select(_replies, question.label("asked")).select_from(joined).where(about).order_by(_replies.c.id)
        return tuple(
            Reply(
                row.id,
                row.number,
                row.asked,
                row.kind,
                row.text,
                row.signed,
                row.written_by,
                _moment(row.written_at, self._now()),
                row.arrived_at is not None,
            )
            for row in (await connection.execute(found)).all()
        )

    def _case(self, row: Any) -> Case:
        now = self._now()
        return Case(
            row.number,
            row.key,
            row.program,
            row.channel,
            row.slack_channel,
            row.question,
            row.found,
            State(row.state),
            row.ended,
            row.assignee,
            _moment(row.opened_at, now),
            None if row.due_at is None else _moment(row.due_at, now),
            row.reply_to is not None,
            row.room is not None,
            row.step > 0,
        )


_WIPED: Json = {"reply_to": None, "due_at": None}
_EMPTIED: Json = {
    **_WIPED,
    "asker": None,
    "room": None,
    "message": None,
    "person": None,
    "question": "",
    "found": None,
}

_WRITTEN: dict[Kind, str] = {"answer": "answered", "return": "returned", "correction": "corrected"}
_DONE: dict[Does, str] = {"remind": "reminded", "escalate": "escalated"}


def _moment(seconds: float, like: datetime) -> datetime:
    return datetime.fromtimestamp(seconds, like.tzinfo)
