"""What is asked in a session: put with the questions that mean the same, and what askers do with their answers."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Literal

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.briefing.sessions import Briefing, Sessions
from bot.briefing.tables import matters, questions
from bot.types import Answer, AnswerStatus

if TYPE_CHECKING:  # numpy comes with it: imported when the first question is, and not before a start acknowledges
    from bot.briefing.merging import Meaning

Tap = Literal["settled", "asked", "unhelpful"]
"""これで分かった, 説明者に聞く, 役に立たない."""

NO_MATTER = 0
"""The matter of thanks and greetings."""

_UNANSWERED = (AnswerStatus.UNKNOWN, AnswerStatus.OFFTOPIC, AnswerStatus.ERROR)
"""What the bot had no answer to reaches the host by itself; at a briefing, what lies outside the programs too."""


@dataclass(frozen=True)
class Asked:
    """A question with its answer, to be recorded.

    `event` names what asked it, `turn` the turn of the conversation. `goes_on` tells that it replies to what the bot
    asked back: it then belongs to the asker's last question. Without a meaning it asks nothing (thanks, a greeting).
    """

    briefing: Briefing
    event: str
    turn: str
    sender: str
    asked_at: datetime
    text: str
    answer: Answer
    meaning: "Meaning | None"
    goes_on: bool

    @property
    def unanswered(self) -> bool:
        """Whether the bot has no answer, so that the question reaches the host by itself."""
        return self.meaning is not None and self.answer.status in _UNANSWERED


class Asking:
    """The questions of all sessions."""

    def __init__(self, sessions: Sessions) -> None:
        """Belongs to the database of the sessions."""
        self._sessions = sessions
        self._meanings: dict[int, Meaning] = {}

    async def record(self, connection: AsyncConnection, asked: Asked) -> None:
        """Records a question in a transaction of the caller's, and puts it with those that mean the same."""
        briefing = asked.briefing
        await self._sessions.lock(connection, briefing)
        event, asker = self._sessions.hide(asked.event), self._sessions.hide(asked.sender)
        known = sa.select(questions.c.id).where(questions.c.event == event)
        if (await connection.execute(known)).first():
            return
        before = await _last_of(connection, briefing, asker) if asked.goes_on else None
        text = f"{before.text} → {asked.text}" if before else asked.text
        reached = "unknown" if asked.unanswered else ""
        row: dict[str, Any] = {
            "turn": asked.turn,
            "text": text,
            "answer": asked.answer.as_json(),
            "meaning": asked.meaning.as_json() if asked.meaning else None,
            "matter": await self._place(connection, asked, text, before),
            "reached": before.reached or reached if before else reached,
        }
        if before:
            await connection.execute(sa.update(questions).where(questions.c.id == before.id).values(event=event, **row))
            return
        about = {"briefing": briefing.id, "event": event, "asker": asker, "channel": asked.sender.partition(":")[0]}
        moment = asked.asked_at.astimezone(UTC)
        state = {"wanted": False, "settled": False, "reply": "", "told": False}
        await connection.execute(sa.insert(questions).values(**about, asked_at=moment, **row, **state))

    async def _place(self, connection: AsyncConnection, asked: Asked, text: str, before: Any) -> int:
        """The matter of a question: that of those which mean the same, or a new one."""
        if asked.meaning is None:
            return NO_MATTER
        from bot.briefing.merging import find_groups

        if before:
            self._meanings.pop(before.id, None)
        groups = await self._groups(connection, asked.briefing, but=before.id if before else 0)
        matter, *others = find_groups(asked.meaning, groups) or [await open_matter(connection, asked.briefing, text)]
        if others:
            await _take_in(connection, matter, others)
        return matter

    async def _groups(self, connection: AsyncConnection, briefing: Briefing, but: int) -> "Mapping[int, list[Meaning]]":
        """What the questions of each matter mean."""
        from bot.briefing.merging import meaning_of

        asks = ~questions.c.wanted & (questions.c.matter != NO_MATTER) & (questions.c.id != but)
        of_session = (questions.c.briefing == briefing.id) & asks
        in_order = sa.select(questions.c.id, questions.c.matter).where(of_session).order_by(questions.c.id)
        placed = (await connection.execute(in_order)).all()
        unread = [id for id, _ in placed if id not in self._meanings]
        if unread:
            stored = sa.select(questions.c.id, questions.c.meaning).where(of_session, questions.c.id >= min(unread))
            self._meanings |= {id: meaning_of(meaning) for id, meaning in await connection.execute(stored)}
        groups: dict[int, list[Meaning]] = {}
        for id, matter in placed:
            groups.setdefault(matter, []).append(self._meanings[id])
        return groups

    async def want(self, briefing: Briefing, number: int, sender: str) -> bool:
        """Somebody would like to know what is on the board, too; once a person. Returns whether it is there."""
        asker = self._sessions.hide(sender)
        on_board = (matters.c.briefing == briefing.id) & (matters.c.number == number)
        async with self._sessions.writing(briefing) as connection:
            shown = on_board & matters.c.released & ~matters.c.hidden
            matter = (await connection.execute(sa.select(matters).where(shown))).first()
            if matter is None:
                return False
            asks = (questions.c.matter == matter.id) & (questions.c.asker == asker)
            if (await connection.execute(sa.select(questions.c.id).where(asks))).first():
                return True
            await connection.execute(
                sa.insert(questions).values(
                    briefing=briefing.id,
                    matter=matter.id,
                    event=self._sessions.hide(f"want {matter.id} {asker}"),
                    asker=asker,
                    channel=sender.partition(":")[0],
                    asked_at=self._sessions.now().astimezone(UTC),
                    text=matter.wording,
                    wanted=True,
                    reached="asked",
                    settled=False,
                    reply="",
                    told=False,
                )
            )
        return True

    async def tap(self, briefing: Briefing, sender: str, tap: Tap, *, question: int = 0, turn: str = "") -> bool:
        """An asker says what an answer was worth; returns whether there is such a question of theirs.

        With neither a question nor a turn it is their last one.
        """
        asker = self._sessions.hide(sender)
        async with self._sessions.writing(briefing) as connection:
            own = _own(briefing, asker)
            if question:
                own &= questions.c.id == question
            elif turn:
                own &= questions.c.turn == turn
            newest = sa.select(questions.c.id).where(own).order_by(questions.c.id.desc()).limit(1)
            state = {"settled": True} if tap == "settled" else {"settled": False, "reached": tap}
            changed = sa.update(questions).where(questions.c.id == newest.scalar_subquery()).values(**state)
            return (await connection.execute(changed)).rowcount == 1

    async def untold(self, sender: str, most: int) -> Sequence[Any]:
        """What hosts have written to somebody, in any session, that has not been delivered; the oldest first."""
        asker = questions.c.asker == self._sessions.hide(sender)
        replied = sa.select(questions).where(asker, questions.c.reply != "", ~questions.c.told)
        async with self._sessions.engine.connect() as connection:
            return (await connection.execute(replied.order_by(questions.c.id).limit(most))).all()

    async def mark_told(self, connection: AsyncConnection, ids: Sequence[int]) -> None:
        """Notes, in a transaction of the caller's, that replies are on their way."""
        await connection.execute(sa.update(questions).where(questions.c.id.in_(ids)).values(told=True))


def _own(briefing: Briefing, asker: str) -> sa.ColumnElement[bool]:
    """The questions that somebody typed."""
    asks = ~questions.c.wanted & (questions.c.matter != NO_MATTER)
    return (questions.c.briefing == briefing.id) & (questions.c.asker == asker) & asks


async def _last_of(connection: AsyncConnection, briefing: Briefing, asker: str) -> Any:
    newest = sa.select(questions).where(_own(briefing, asker)).order_by(questions.c.id.desc()).limit(1)
    return (await connection.execute(newest)).first()


async def _take_in(connection: AsyncConnection, matter: int, others: Sequence[int]) -> None:
    """The questions of other matters become those of this one, as far as no host has done anything with them yet."""
    untouched = sa.select(matters.c.id).where(matters.c.id.in_(others), matters.c.version == 0)
    ids = (await connection.execute(untouched)).scalars().all()
    await connection.execute(sa.update(matters).where(matters.c.id.in_(ids)).values(version=1))
    await connection.execute(sa.update(questions).where(questions.c.matter.in_(ids)).values(matter=matter))


async def open_matter(connection: AsyncConnection, briefing: Briefing, wording: str) -> int:
    """Adds a matter to a session; returns its id."""
    last = sa.select(sa.func.coalesce(sa.func.max(matters.c.number), 0)).where(matters.c.briefing == briefing.id)
    number = (await connection.execute(last)).scalar_one() + 1
    new = sa.insert(matters).values(
        briefing=briefing.id,
        number=number,
        wording=wording,
        state="open",
        released=False,
        hidden=False,
        pinned=False,
        answer="",
        version=0,
    )
    return int((await connection.execute(new.returning(matters.c.id))).scalar_one())
