"""What a case is, and what is written about it."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Literal

Json = dict[str, Any]

ASKER, DESK = "asker", "desk"
"""Who acts in the record, beside officials, who stand there by their Slack id."""


class State(StrEnum):
    """Where a case stands."""

    OPEN = "open"
    TAKEN = "taken"
    ANSWERED = "answered"
    CLOSED = "closed"


WAITING = (State.OPEN, State.TAKEN)
"""The states in which somebody waits for an answer."""

Ended = Literal["solved", "withdrawn", "unheard", "gone", "expired", "dropped"]
"""Why a case is closed: `unheard` where nobody said whether the answer helped, `gone` where the asker has left,
`dropped` where officials put no answers right."""

CORRECTION = "correction"
"""The channel of cases that nobody asked: answers of the bot's rest on what has changed since."""

View = Literal["waiting", "mine", "overdue"]
"""The lists of cases that officials look at."""

Kind = Literal["answer", "return", "correction"]
"""What an official sends: an answer, the question back with the reason, or what puts the bot's answers right."""


@dataclass(frozen=True)
class Case:
    """A question that is handed to people.

    `number` is what people call it by, `key` names it to those who may see it. `channel` is where it was asked,
    `slack_channel` where officials see it. `found` is what the bot had answered, in its JSON form. `ended` is set only
    where it is closed. `reachable` tells whether an answer can still be sent by us,
    `overdue` whether officials had to be reminded.
    """

    number: int
    key: str
    program: str
    channel: str
    slack_channel: str
    question: str
    found: Json | None
    state: State
    ended: Ended | None
    assignee: str | None
    opened_at: datetime
    due_at: datetime | None
    reachable: bool
    in_room: bool
    overdue: bool

    @property
    def corrects(self) -> bool:
        """Whether nobody asked it, and its answer puts others right."""
        return self.channel == CORRECTION

    @property
    def was_answered(self) -> bool:
        """Whether an official's answer stands."""
        return self.state is State.ANSWERED or self.ended in ("solved", "unheard")

    @property
    def waits(self) -> bool:
        """Whether somebody waits for an answer."""
        return self.state in WAITING


@dataclass(frozen=True)
class Reply:
    """What an official wrote to the asker of a case; `signed` is the office and, where given, the name."""

    id: int
    number: int
    question: str
    kind: Kind
    text: str
    signed: str
    written_by: str
    written_at: datetime
    arrived: bool


@dataclass(frozen=True)
class Entry:
    """A line of the record: who did what with which case."""

    at: datetime
    number: int
    actor: str
    what: str
