"""Answers of officials that others may be offered: proposed by one, approved by another, over with the fiscal year."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime
from typing import Any, Literal

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncEngine

from bot.storage import BIG_ID, tables
from knowledge.figures import fiscal_year_of

_entries = sa.Table(
    "staff_answers",
    tables,
    sa.Column("id", BIG_ID, primary_key=True, autoincrement=True),
    sa.Column("key", sa.String(64), nullable=False, unique=True),
    sa.Column("number", BIG_ID, nullable=True),
    sa.Column("program", sa.String(64), nullable=False),
    sa.Column("question", sa.Text, nullable=False),
    sa.Column("answer", sa.Text, nullable=False),
    sa.Column("signed", sa.Text, nullable=False),
    sa.Column("answered_on", sa.Date, nullable=False),
    sa.Column("expires_on", sa.Date, nullable=False),
    sa.Column("state", sa.String(8), nullable=False),
    sa.Column("proposed_by", sa.String(32), nullable=False),
    sa.Column("proposed_with", sa.String(255), nullable=False),
    sa.Column("decided_by", sa.String(32), nullable=True),
    sa.Column("decided_at", sa.Double, nullable=True),
)

EntryState = Literal["proposed", "approved", "declined"]


@dataclass(frozen=True)
class Candidate:
    """An answer that may become an entry: an official's to the case of this `number`, or a briefing's, without one.

    `key` names it: of one key there is one entry.
    """

    key: str
    program: str
    question: str
    answer: str
    signed: str
    answered_on: date
    number: int | None = None


@dataclass(frozen=True)
class StaffAnswer:
    """An answer that may be offered to others until the last day of its fiscal year; `proposed_by` "" by a host."""

    id: int
    number: int | None
    program: str
    question: str
    answer: str
    signed: str
    answered_on: date
    expires_on: date
    state: EntryState
    proposed_by: str
    decided_by: str | None

    @property
    def source(self) -> str:
        """What it is called where an answer names its sources."""
        day = f"{self.answered_on:%Y-%m-%d}"
        return f"職員回答 {day}(受付{self.number})" if self.number else f"説明会での回答 {day}"


class StaffAnswers:
    """The table of them."""

    def __init__(self, engine: AsyncEngine) -> None:
        """Uses a database whose tables are there."""
        self._engine = engine

    async def propose(self, candidate: Candidate, official: str, event_id: str) -> tuple[StaffAnswer, bool]:
        """Makes an answer a candidate; returns it, and whether it was this event that did so.

        Args:
            candidate: what was asked and answered.
            official: who proposes it, by Slack id; "" for a host.
            event_id: of the tap.
        """
        row = asdict(candidate) | {
            "expires_on": date(fiscal_year_of(candidate.answered_on) + 1, 3, 31),
            "state": "proposed",
            "proposed_by": official,
            "proposed_with": event_id,
        }
        known = sa.select(_entries).where(_entries.c.key == candidate.key)
        async with self._engine.begin() as connection:
            found = (await connection.execute(known)).one_or_none()
            if found is None:
                await connection.execute(sa.insert(_entries).values(row))
                found = (await connection.execute(known)).one()
        return _read(found), found.proposed_with == event_id

    async def decide(self, id: int, official: str, approve: bool, moment: datetime) -> StaffAnswer | None:
        """Approves or declines a candidate; returns how it now stands, None where there is none.

        Nobody approves what they have proposed themselves.
        """
        open_ones = sa.and_(_entries.c.id == id, _entries.c.state == "proposed")
        if approve:
            open_ones = sa.and_(open_ones, _entries.c.proposed_by != official)
        state: EntryState = "approved" if approve else "declined"
        decided = sa.update(_entries).where(open_ones)
        async with self._engine.begin() as connection:
            await connection.execute(decided.values(state=state, decided_by=official, decided_at=moment.timestamp()))
            found = (await connection.execute(sa.select(_entries).where(_entries.c.id == id))).one_or_none()
        return _read(found) if found else None

    async def offered(self, program: str, day: date) -> Sequence[StaffAnswer]:
        """What may be offered on a day to who asks about a program, or about none."""
        valid = sa.and_(_entries.c.state == "approved", _entries.c.expires_on >= day)
        if program:
            valid = sa.and_(valid, _entries.c.program.in_((program, "")))
        async with self._engine.connect() as connection:
            rows = (await connection.execute(sa.select(_entries).where(valid).order_by(_entries.c.id))).all()
        return tuple(map(_read, rows))


def _read(row: Any) -> StaffAnswer:
    return StaffAnswer(
        row.id,
        row.number,
        row.program,
        row.question,
        row.answer,
        row.signed,
        row.answered_on,
        row.expires_on,
        row.state,
        row.proposed_by,
        row.decided_by,
    )
