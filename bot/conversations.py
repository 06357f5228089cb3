"""What is remembered of conversations, and what was asked and answered: one row for each turn.

Who asked is stored as a keyed hash only. The state that the next message continues from is that of the newest turn.
"""

import hashlib
import hmac
import logging
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from pydantic import TypeAdapter, ValidationError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from bot.storage import BIG_ID, Cutoffs, tables
from bot.types import Conversation, Turn, room_of

_log = logging.getLogger(__name__)

turns = sa.Table(
    "turns",
    tables,
    sa.Column("id", BIG_ID, primary_key=True, autoincrement=True),
    sa.Column("conversation", sa.String(64), nullable=False),
    sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False, index=True),
    sa.Column("question", sa.Text, nullable=False),
    sa.Column("answer", sa.JSON, nullable=False),
    sa.Column("state", sa.JSON, nullable=False),
    sa.Column("key", sa.String(32), nullable=True, index=True),
    sa.Column("message", sa.String(64), nullable=True, index=True),
    sa.Column("room", sa.String(64), nullable=True, index=True),
    sa.Column("person", sa.String(64), nullable=True, index=True),
    sa.Column("helpful", sa.Boolean, nullable=True),
    sa.Column("note", sa.Text, nullable=True),
    sa.Column("channel", sa.String(16), nullable=True),
    sa.Column("reply_to", sa.Text, nullable=True),
    sa.Index("turns_of_a_conversation", "conversation", "id"),
)

_state = TypeAdapter(Conversation)

_PAGE = 500
"""Turns that are read at a time, so that nothing else waits long."""


@dataclass(frozen=True)
class RuledTurn:
    """A turn that rules answered and that can still be put right: what was asked, and the rulings in their JSON form.

    `question` has the question before it that a reply of a few words goes on from.
    """

    key: str
    question: str
    rulings: tuple[dict[str, Any], ...]


@dataclass(frozen=True)
class RecordedTurn:
    """A turn as it is on record.

    `answer` has its JSON form, `message` and `person` are the keyed hashes of the message and of who asked.
    `helpful` and `note` are what was said of the answer, `channel` is where it was asked, "" where that is not known.
    """

    key: str
    question: str
    answer: dict[str, Any]
    conversation: Conversation
    asked_at: datetime
    channel: str
    message: str | None
    person: str | None
    helpful: bool | None
    note: str

    @property
    def program(self) -> str:
        """The program that it is about: that of what was answered, else of the conversation; "" where it is open."""
        cited = (part["program"] for part in (*self.answer["rulings"], *self.answer["citations"]))
        return next(filter(None, cited), self.conversation.program)


class Conversations:
    """The record of all conversations."""

    def __init__(self, engine: AsyncEngine, id_hash_key: bytes, seal: Callable[[str], str] = lambda sender: "") -> None:
        """Uses a database whose tables are there.

        Args:
            engine: the database.
            id_hash_key: hides who asked; with another key, earlier conversations are not found again.
            seal: encrypts where an answer that rules gave may be put right; "" where nobody would.
        """
        self._engine = engine
        self._id_hash_key = id_hash_key
        self._seal = seal

    async def recall(self, sender: str) -> Conversation:
        """Where the conversation with this sender stands; a new one where nothing usable is stored.

        Args:
            sender: channel and id of the person or room, as the platform gives it.
        """
        newest = (
            sa.select(turns.c.state)
            .where(turns.c.conversation == self.hide(sender))
            .order_by(turns.c.id.desc())
            .limit(1)
        )
        async with self._engine.connect() as connection:
            state = (await connection.execute(newest)).scalar_one_or_none()
        if state is None:
            return Conversation()
        return _read_state(state)

    async def turn(self, key: str) -> RecordedTurn | None:
        """A turn by its key; None where it is not stored any more."""
        async with self._engine.connect() as connection:
            row = (await connection.execute(sa.select(turns).where(turns.c.key == key))).one_or_none()
        return _read_turn(row) if row else None

    async def since(self, moment: datetime) -> tuple[RecordedTurn, ...]:
        """The turns asked since a moment, the oldest first."""
        newer = sa.select(turns).where(turns.c.asked_at >= moment.astimezone(UTC)).order_by(turns.c.id)
        async with self._engine.connect() as connection:
            return tuple(map(_read_turn, (await connection.execute(newer)).all()))

    async def ruled(self, moment: datetime) -> AsyncIterator[RuledTurn]:
        """The turns since a moment whose answers rest on rules and can still be put right, the oldest first."""
        newer = sa.and_(turns.c.asked_at >= moment.astimezone(UTC), turns.c.reply_to.is_not(None))
        columns = (turns.c.id, turns.c.key, turns.c.question, turns.c.answer, turns.c.state)
        last = 0
        while True:
            page = sa.select(*columns).where(newer, turns.c.id > last).order_by(turns.c.id).limit(_PAGE)
            async with self._engine.connect() as connection:
                rows = (await connection.execute(page)).all()
            for row in rows:
                asked = dict.fromkeys(filter(None, (row.state.get("question"), row.question)))
                yield RuledTurn(row.key, "\n".join(asked), tuple(row.answer["rulings"]))
            if len(rows) < _PAGE:
                return
            last = rows[-1].id

    async def record(self, turn: Turn, connection: AsyncConnection | None = None) -> None:
        """Stores a turn, and with it the state that the next one continues from; not one about the record itself.

        Args:
            turn: what was asked and answered.
            connection: the transaction that it belongs to; one of its own where none is given.
        """
        if turn.own:
            return
        row = {
            "conversation": self.hide(turn.sender),
            "asked_at": turn.asked_at.astimezone(UTC),
            "question": turn.question,
            "answer": turn.answer.as_json(),
            "state": _state.dump_python(turn.conversation, mode="json"),
            "key": turn.key,
            "message": self.hide(turn.message) if turn.message else None,
            "room": self.hide(room) if (room := room_of(turn.sender)) else None,
            "person": self.hide(turn.person or turn.sender),
            "channel": turn.sender.partition(":")[0],
            "reply_to": (self._seal(turn.sender) or None) if turn.answer.rulings else None,
        }
        if connection:
            await connection.execute(sa.insert(turns), row)
            return
        async with self._engine.begin() as own:
            await own.execute(sa.insert(turns), row)

    async def amend(self, turn: Turn) -> None:
        """Replaces the answer of a recorded turn and the state after it; one that was forgotten stays so."""
        grown = {"answer": turn.answer.as_json(), "state": _state.dump_python(turn.conversation, mode="json")}
        async with self._engine.begin() as connection:
            await connection.execute(sa.update(turns).where(turns.c.key == turn.key).values(**grown))

    async def answered(self, key: str) -> dict[str, Any] | None:
        """The answer of a turn in its JSON form; None where it is not stored any more."""
        async with self._engine.connect() as connection:
            found = await connection.execute(sa.select(turns.c.answer).where(turns.c.key == key))
            answer: dict[str, Any] | None = found.scalar_one_or_none()
        return answer

    async def remark(self, key: str, **remark: Any) -> bool:
        """Keeps with a turn whether its answer was `helpful`, or a `note`; returns whether there is such a turn."""
        kept = sa.update(turns).where(turns.c.key == key).values(**remark)
        async with self._engine.begin() as connection:
            return (await connection.execute(kept)).rowcount == 1

    async def of_person(self, person: str) -> tuple[RecordedTurn, ...]:
        """All turns of a person, in whatever room, the oldest first."""
        own = sa.select(turns).where(turns.c.person == self.hide(person)).order_by(turns.c.id)
        async with self._engine.connect() as connection:
            return tuple(map(_read_turn, (await connection.execute(own)).all()))

    async def forget(self, *, message: str = "", person: str = "", room: str = "") -> None:
        """Deletes the turns of a message, all of a person, or all of a room.

        Where others took part in a person's conversations, what is remembered of these is forgotten too.
        """
        if message:
            about = turns.c.message == self.hide(message)
        elif room:
            about = turns.c.room == self.hide(room)
        else:
            about = turns.c.person == self.hide(person)
        async with self._engine.begin() as connection:
            if person:
                shared = turns.c.conversation.in_(sa.select(turns.c.conversation).where(about))
                fresh = _state.dump_python(Conversation(), mode="json")
                await connection.execute(sa.update(turns).where(shared).values(state=fresh))
            await connection.execute(sa.delete(turns).where(about))

    async def purge(self, cutoffs: Cutoffs) -> int:
        """Deletes the turns whose time is over; returns how many."""
        old = sa.delete(turns).where(
            cutoffs.passed(turns.c.channel, turns.c.asked_at, lambda moment: moment.astimezone(UTC))
        )
        async with self._engine.begin() as connection:
            return (await connection.execute(old)).rowcount

    def hide(self, id: str) -> str:
        """The keyed hash under which an id of a platform is stored."""
        return hmac.new(self._id_hash_key, id.encode(), hashlib.sha256).hexdigest()


def _read_state(state: Any) -> Conversation:
    try:
        return _state.validate_python(state)
    except ValidationError:
        _log.warning("the state of a conversation is of another version; it starts anew")
        return Conversation()


def _read_turn(row: Any) -> RecordedTurn:
    asked_at = row.asked_at if row.asked_at.tzinfo else row.asked_at.replace(tzinfo=UTC)  # SQLite keeps no zone
    return RecordedTurn(
        row.key or "",
        row.question,
        row.answer,
        _read_state(row.state),
        asked_at,
        row.channel or "",
        row.message,
        row.person,
        row.helpful,
        row.note or "",
    )
