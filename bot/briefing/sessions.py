"""Briefing sessions: opening one, who has joined it, ending it, and what is deleted when."""

import secrets
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from bot.briefing.tables import briefings, changes, matters, members, questions

NAME = "briefing"
"""The channel of a session's page, and of what sessions tell the delivery."""

_CODE_LENGTH = 4
_CODE_CHARACTERS = "234679ACDEFGHJKMNPQRTUVWXYZ"
"""What cannot be taken for another character when it is read from a screen."""

_SECRET_LENGTH = 32
_ATTEMPTS = 20
"""To find a code that is not taken."""

Role = Literal["host", "screen"]


class BriefingMissingError(Exception):
    """No session has this code."""


@dataclass(frozen=True)
class Briefing:
    """A session. `line_id` is the account that LINE's link joins it through, "" without LINE."""

    id: int
    code: str
    title: str
    test: bool
    line_id: str
    started_at: datetime
    ended_at: datetime | None
    revision: int


class Sessions:
    """The record of all sessions. Several processes may share it."""

    def __init__(self, engine: AsyncEngine, hide: Callable[[str], str], now: Callable[[], datetime]) -> None:
        """Uses a database whose tables are there.

        Args:
            engine: the database.
            hide: turns an id into a keyed hash; the links' secrets are such hashes, so nothing stored opens one.
            now: the clock, in Japan's time.
        """
        self.engine = engine
        self.hide = hide
        self.now = now
        self.on_change: Callable[[str], None] = lambda code: None

    async def start(self, title: str, *, test: bool = False, line_id: str = "", event: str = "") -> Briefing:
        """Opens a session; of one `event` there is one."""
        hidden = self.hide(event) if event else None
        for _ in range(_ATTEMPTS):
            code = "".join(secrets.choice(_CODE_CHARACTERS) for _ in range(_CODE_LENGTH))
            row = {"code": code, "title": title, "test": test, "line_id": line_id, "event": hidden}
            new = sa.insert(briefings).values(**row, started_at=self._moment(), revision=0)
            try:
                async with self.engine.begin() as connection:
                    await connection.execute(new)
            except IntegrityError:
                if hidden and (opened := await self._select(briefings.c.event == hidden)):
                    return opened[0]
                continue
            return await self.find(code)
        raise RuntimeError("every code that was tried is taken")

    async def find(self, code: str) -> Briefing:
        """The session of a code, in whatever case it was typed.

        Raises:
            BriefingMissingError: there is none.
        """
        found = await self._select(briefings.c.code == code.strip().upper())
        if not found:
            raise BriefingMissingError(code)
        return found[0]

    async def all(self) -> Sequence[Briefing]:
        """Every session that is kept, newest first."""
        return await self._select(sa.true())

    async def _select(self, where: sa.ColumnElement[bool]) -> list[Briefing]:
        rows = sa.select(briefings).where(where).order_by(briefings.c.id.desc())
        async with self.engine.connect() as connection:
            return [self._briefing(row) for row in await connection.execute(rows)]

    def _moment(self) -> datetime:
        """Now, as moments are stored: SQLite keeps no zone."""
        return self.now().astimezone(UTC)

    def _briefing(self, row: Any) -> Briefing:
        values = {name: row._mapping[name] for name in Briefing.__dataclass_fields__}
        zone = self.now().tzinfo
        for name in ("started_at", "ended_at"):
            if values[name]:
                values[name] = values[name].replace(tzinfo=UTC).astimezone(zone)
        return Briefing(**values)

    async def end(self, code: str) -> Briefing:
        """Ends a session: nothing more is asked in it. A test is wiped. Raises as `find` does."""
        briefing = await self.find(code)
        async with self.writing(briefing) as connection:
            await connection.execute(sa.delete(members).where(members.c.briefing == briefing.id))
            if briefing.test:
                await _wipe(connection, [briefing.id])
            elif briefing.ended_at is None:
                ended = sa.update(briefings).where(briefings.c.id == briefing.id).values(ended_at=self._moment())
                await connection.execute(ended)
        return briefing

    def secret(self, briefing: Briefing, role: Role) -> str:
        """What the link of a host or of the projector carries."""
        return self.hide(f"briefing {role} {briefing.id} {briefing.code}")[:_SECRET_LENGTH]

    def admits(self, briefing: Briefing, role: Role, given: str) -> bool:
        """Whether a secret is that of the role."""
        return secrets.compare_digest(given.encode(), self.secret(briefing, role).encode())

    @asynccontextmanager
    async def writing(self, briefing: Briefing) -> AsyncIterator[AsyncConnection]:
        """A transaction on a session, one at a time, whose change everybody who looks at it is shown."""
        async with self.engine.begin() as connection:
            await self.lock(connection, briefing)
            yield connection
        self.on_change(briefing.code)

    async def lock(self, connection: AsyncConnection, briefing: Briefing) -> None:
        """Makes a transaction the only one that changes a session."""
        change = sa.update(briefings).where(briefings.c.id == briefing.id).values(revision=briefings.c.revision + 1)
        await connection.execute(change)

    # --- LINE: who has joined ----------------------------------------------------------------------------------

    async def join(self, briefing: Briefing, sender: str) -> None:
        """From here on what this person asks is asked in the session."""
        member = self.hide(sender)
        async with self.engine.begin() as connection:
            await connection.execute(sa.delete(members).where(members.c.member == member))
            await connection.execute(sa.insert(members).values(member=member, briefing=briefing.id))

    async def leave(self, sender: str) -> bool:
        """Not any more; returns whether there was a session to leave."""
        left = sa.delete(members).where(members.c.member == self.hide(sender))
        async with self.engine.begin() as connection:
            return (await connection.execute(left)).rowcount == 1

    async def joined(self, sender: str) -> Briefing | None:
        """The session that a person has joined."""
        of_member = sa.select(members.c.briefing).where(members.c.member == self.hide(sender))
        found = await self._select(briefings.c.id.in_(of_member))
        return found[0] if found else None

    # --- deletion ----------------------------------------------------------------------------------------------

    async def of_person(self, person: str) -> Sequence[Any]:
        """What a person has asked in sessions, and what hosts wrote to them, the oldest first."""
        own = sa.select(questions).where(questions.c.asker == self.hide(person)).order_by(questions.c.id)
        async with self.engine.connect() as connection:
            return (await connection.execute(own)).all()

    async def forget(self, *, message: str = "", person: str = "") -> None:
        """Deletes what a message asked, or all that a person asked."""
        about = questions.c.event == self.hide(message) if message else questions.c.asker == self.hide(person)
        async with self.engine.begin() as connection:
            await connection.execute(sa.delete(questions).where(about))
            if person:
                await connection.execute(sa.delete(members).where(members.c.member == self.hide(person)))

    async def purge(self, before: datetime) -> int:
        """Deletes the sessions that were opened before a moment; returns how many."""
        old = sa.select(briefings.c.id).where(briefings.c.started_at < before.astimezone(UTC))
        async with self.engine.begin() as connection:
            ids = list((await connection.execute(old)).scalars())
            await _wipe(connection, ids)
        return len(ids)


async def _wipe(connection: AsyncConnection, ids: Sequence[int]) -> None:
    for table in (questions, matters, members, changes):
        await connection.execute(sa.delete(table).where(table.c.briefing.in_(ids)))
    await connection.execute(sa.delete(briefings).where(briefings.c.id.in_(ids)))
