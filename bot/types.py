"""The values that pass between the stages of an answer, and out to a channel."""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any, Literal

from bot.privacy import OwnRequest
from bot.timing import Span
from knowledge.figures import Figure
from knowledge.municipalities.records import Municipality, PublishedIndex
from knowledge.types import Choice, Chunk, Fact, FaqEntry, Kind, Language, Ruling, Situation, Subject, Unit, Verdict


class AnswerStatus(StrEnum):
    """How an answer ended."""

    ANSWERED = "answered"
    NEEDS_INFO = "needs_info"
    UNKNOWN = "unknown"
    OFFTOPIC = "offtopic"
    ERROR = "error"


class Whose(StrEnum):
    """Of whom something is said: the body that asks, another one, one of its members, or where the work is done."""

    WRITER = "writer"
    ANOTHER = "another"
    MEMBER = "member"
    PLACE = "place"


class When(StrEnum):
    """Of when something is said: as things stand, of an earlier year or time, or of one to come."""

    NOW = "now"
    BEFORE = "before"
    LATER = "later"


class Stance(StrEnum):
    """How something is said. `contrasted` is what a message takes back in the same breath (AではなくB)."""

    SAID = "said"
    DENIED = "denied"
    ASKED = "asked"
    SUPPOSED = "supposed"
    HOPED = "hoped"
    QUOTED = "quoted"
    CONTRASTED = "contrasted"


@dataclass(frozen=True)
class Reading:
    """One thing that a message says, with the words that say it.

    `slot` is a fact or one of amount, days, hours, times, day_asked, ended_on, year_asked, claim. `start` and `end` are
    characters of the normalised message; `by` names the entry of facts.yaml, or the model, that read it.
    """

    slot: str
    value: str
    start: int
    end: int
    whose: Whose = Whose.WRITER
    when: When = When.NOW
    stance: Stance = Stance.SAID
    by: str = ""


BY_MODEL = "model"
CONFIRMED = "confirmed"
"""Who read what is only proposed, and what the asker has then said yes to (`Reading.by`)."""


@dataclass(frozen=True)
class Proposals:
    """What a chat model read in a message, as far as its words bear it: facts, an amount, and what is asked of what.

    `documents` are ids of added documents. `seeks` are words to look for in the documents. They are shown to nobody.
    """

    readings: tuple[Reading, ...] = ()
    amount: Reading | None = None
    programs: tuple[str, ...] = ()
    subjects: tuple[Subject, ...] = ()
    seeks: str = ""
    documents: tuple[str, ...] = ()


@dataclass(frozen=True)
class Proposed:
    """A reading of a question that waits for the asker's yes or no, and the conversation before that question."""

    question: str
    proposals: Proposals
    before: "Conversation"


@dataclass(frozen=True)
class Conversation:
    """What earlier messages of a conversation left behind.

    `asked_for` is the fact that the last answer asked for; `question` the last message that stated a question, which a
    reply of a few words goes on from, and `told` all messages since that tell of its case. `proposed` is a reading that
    the last answer asked to confirm. `documents` are the added documents that it is on, where it is on none of our
    programs. `turn` is the key of the turn that a person would be asked about, and `desk` says whether that was just
    `proposed`, or the question for a person is `awaited`. `language` is what answers are in, None for plain Japanese.
    `left` are the matters that were left for others, as they stood, the first of the conversation before the last ones.
    `messages` are the last ones as they were typed. `towns` are the codes of the municipality or prefecture that the
    case is of, several where its name alone leaves that open, and `home` those of the one that is said to be the
    asker's own.
    """

    program: str = ""
    facts: Mapping[Fact, str] = field(default_factory=dict)
    subjects: tuple[Subject, ...] = ()
    amount: Decimal | None = None
    amount_unit: Unit | None = None
    amount_at_most: Decimal | None = None
    asked_for: Fact | None = None
    question: str = ""
    told: str = ""
    counts: tuple[int, ...] = ()
    ended_on: tuple[date, date] | None = None
    handed_in: date | None = None
    days: tuple[date, date] | None = None
    proposed: Proposed | None = None
    documents: tuple[str, ...] = ()
    turn: str = ""
    desk: Literal["", "proposed", "awaited"] = ""
    language: Language | None = None
    left: tuple["Conversation", ...] = ()
    messages: tuple[str, ...] = ()
    towns: tuple[str, ...] = ()
    home: tuple[str, ...] = ()


@dataclass(frozen=True)
class Inquiry:
    """One message, the day on which it is asked (Asia/Tokyo), and the conversation it continues."""

    text: str
    as_of: date
    conversation: Conversation = Conversation()


@dataclass(frozen=True)
class Understood:
    """A fact that an answer rests on, as it was understood, so that the person can see it and put it right.

    `text` are the words of this message that say it, `start` and `end` where they stand in it; "" and -1 where an
    earlier message said it. `label` is how it is shown, `by` what read it.
    """

    slot: Fact
    value: str
    label: str
    text: str = ""
    start: int = -1
    end: int = -1
    by: str = ""


@dataclass(frozen=True)
class Understanding:
    """What a message asks, read without a model.

    `programs` are the programs it is about: several for a comparison, none when that is open. `named` tells whether the
    message itself names them. `subjects` are what rules would decide, in order of asking. `said` is what this message
    states, `situation` includes what was stated before. `days` is the first and last day asked about, `ended_on` when
    the support ends, `handed_in` when a report is, `fiscal_year` is set only where a year is written. `signs` name what
    the message as a whole shows of what is wanted, `matter` is what it says beside the names of programs.
    `foreign_program` is the name of some other program than ours. `questions` are the sentences that ask something,
    those `of_themselves` need no message before them to be understood; `asked` are the subjects with the sentence that
    asks each, `plain` tells that the questions hold nothing but what was read, so that no other matter is asked.
    `readings` are all that was read, of whomever, `understood` what is taken for the applicant's case, with its words,
    `figures` every figure, and `open` the facts that were spoken of and are not known. `supposed` are the facts that
    are only supposed to come about, with the words that suppose them. `wanted` is the subject that it was learnt that
    the case is surely put to, "none" where surely no case is put. `asks` is what it surely asks, as the talk as a whole
    was read (knowledge/talks/asked.py), () where that does not tell. `seeks` are words that are looked for in the
    documents in place of the message's own, `documents` added documents that it was taken to mean. `towns` are the
    bodies that the case is of by their name, several that bear it where nothing tells them apart, `home` those that are
    said to be the asker's own. `index_of` are the published indices of which one is asked for, `offered` is the one
    that may be put forward, as none was said.
    """

    text: str
    programs: tuple[str, ...]
    named: bool
    subjects: tuple[Subject, ...]
    said: Mapping[Fact, str]
    situation: Situation
    signs: frozenset[str] = frozenset()
    days: tuple[date, date] | None = None
    ended_on: tuple[date, date] | None = None
    handed_in: date | None = None
    fiscal_year: int | None = None
    continues: bool = False
    matter: str = ""
    foreign_program: str = ""
    counts: tuple[int, ...] = ()
    readings: tuple[Reading, ...] = ()
    understood: tuple[Understood, ...] = ()
    figures: tuple[Figure, ...] = ()
    open: frozenset[Fact] = frozenset()
    supposed: Mapping[Fact, str] = field(default_factory=dict)
    questions: tuple[str, ...] = ()
    of_themselves: tuple[str, ...] = ()
    asked: tuple[tuple[Subject, str], ...] = ()
    plain: bool = False
    wanted: str = ""
    asks: tuple[str, ...] = ()
    seeks: str = ""
    documents: tuple[str, ...] = ()
    towns: tuple[Municipality, ...] = ()
    home: tuple[Municipality, ...] = ()
    index_of: tuple[PublishedIndex, ...] = ()
    offered: PublishedIndex | None = None


@dataclass(frozen=True)
class Findings:
    """What an answer is made from.

    `subjects` are put to the rules for each of `programs`, `side_by_side` for a comparison. `recommended` marks the one
    program that suits a wish. `passages` and their `texts` go together. `silences` are FAQ entries on what the
    documents do not say, `nearby` what they say beside it. With `asks_program` the answer differs between the programs.
    `documents` are the titles of added documents by their ids, where only these were asked; `of_another` is a program
    that is known of another body only.
    """

    programs: tuple[str, ...]
    subjects: tuple[Subject, ...] = ()
    side_by_side: bool = False
    recommended: bool = False
    silences: tuple[FaqEntry, ...] = ()
    nearby: Chunk | None = None
    passages: tuple[Chunk, ...] = ()
    texts: tuple[str, ...] = ()
    asks_program: bool = False
    in_scope: bool = True
    documents: Mapping[str, str] = field(default_factory=dict)
    of_another: str = ""


@dataclass(frozen=True)
class Citation:
    """What an answer rests on: the program, the document and the place in it, and a short phrase of it."""

    program: str
    source: str
    place: str
    quote: str
    url: str = ""


@dataclass(frozen=True)
class AnswerPart:
    """The answer to one of several questions, of one of several bodies, or of one of several programs.

    `program` and `subject` are "" where it is of none, or of several. `text` is what it says, without sources.
    """

    program: str
    subject: str
    status: AnswerStatus
    verdict: Verdict | None
    text: str


@dataclass(frozen=True)
class Answer:
    """What is said to the person, and why.

    `for_staff` tells that it is about asking a person; `case` is the key of the case that the answer tells of. `lines`
    are what the text says, without what fits `elsewhere`, the case as it was `taken`, the question that it asks back,
    its sources and its `basis`. `asks` is that question. `parts` are there where a message asks several things.
    """

    text: str
    status: AnswerStatus
    verdict: Verdict | None = None
    missing: tuple[Fact, ...] = ()
    citations: tuple[Citation, ...] = ()
    rulings: tuple[Ruling, ...] = ()
    choices: tuple[Choice, ...] = ()
    suggestions: tuple[str, ...] = ()
    understood: tuple[Understood, ...] = ()
    for_staff: bool = False
    case: str = ""
    lines: tuple[str, ...] = ()
    elsewhere: str = ""
    taken: tuple[str, ...] = ()
    basis: str = ""
    asks: str = ""
    parts: tuple[AnswerPart, ...] = ()

    @property
    def rateable(self) -> bool:
        """Whether it may be asked if the answer helped: a fixed sentence is none."""
        return self.status is AnswerStatus.UNKNOWN or (self.status is AnswerStatus.ANSWERED and bool(self.citations))

    def as_json(self, id: str = "") -> dict[str, Any]:
        """The answer in the form of the command line's and the API's contract."""
        return {
            "id": id,
            "text": self.text,
            "status": self.status,
            "verdict": self.verdict,
            "missing": list(self.missing),
            "citations": [
                {"program": c.program, "source": c.source, "place": c.place, "quote": c.quote, "url": c.url}
                for c in self.citations
            ],
            "rulings": [
                {
                    "program": r.program,
                    "subject": r.subject,
                    "outcome": r.outcome,
                    "verdict": r.verdict,
                    "value": _plain(r.value),
                    "unit": r.unit,
                    "says": r.says,
                    "missing": list(r.missing),
                    "fiscal_year": r.fiscal_year,
                    "evidence": [{"place": e.place, "quote": e.quote} for e in r.evidence],
                }
                for r in self.rulings
            ],
            "choices": [{"label": choice.label, "value": choice.value} for choice in self.choices],
            "suggestions": list(self.suggestions),
            "understood": [
                {
                    "slot": fact.slot,
                    "value": fact.value,
                    "label": fact.label,
                    "text": fact.text,
                    "start": fact.start,
                    "end": fact.end,
                    "by": fact.by,
                }
                for fact in self.understood
            ],
            "parts": [
                {
                    "program": part.program or None,
                    "subject": part.subject or None,
                    "status": part.status,
                    "verdict": part.verdict,
                    "text": part.text,
                }
                for part in self.parts
            ],
        }


@dataclass(frozen=True)
class ModelUse:
    """What a chat model did for one message.

    `reading` says what became of the reading that it was asked for: `unasked`, `agreed` (it read nothing new), `used`,
    `asked` (of the asker), `nothing`, or why there was no reply (`slow`, `failed`, `malformed`, `over_budget`,
    `paused`); `choice` the same of the sentences: `unasked`, `chosen`, `nothing`, or why. Of the facts that it read,
    `admitted` count those that the words bear, `agreed` and `disagreed` those that were read without it too, `refused`
    the others by reason. `chosen` counts the groups of sentences that were shown. `seconds` is the time that the model
    took, `tokens` what this message cost and `tokens_today` the day, estimated from above.
    """

    model: str
    reading: str = "unasked"
    admitted: int = 0
    agreed: int = 0
    disagreed: int = 0
    refused: Mapping[str, int] = field(default_factory=dict)
    choice: str = "unasked"
    chosen: int = 0
    seconds: float = 0.0
    tokens: int = 0
    tokens_today: int = 0


@dataclass(frozen=True)
class Stage:
    """An answer as far as it has come, and what the conversation then remembers. The last tells of the chat model.

    `spans` are the parts that it took.
    """

    answer: Answer
    conversation: Conversation
    model_use: ModelUse | None = None
    spans: tuple[Span, ...] = field(default=(), compare=False)


@dataclass(frozen=True)
class IndexState:
    """The generation of the index that serves, and its entries by kind."""

    generation: str
    sizes: Mapping[Kind, int]


class UnknownFactsError(Exception):
    """A program, a fact or a value that the check does not know, such as from a button of an earlier version."""


def room_of(sender: str) -> str:
    """Channel and id of the room that a sender writes in; "" for one who is alone with us.

    Args:
        sender: `channel:room:person`, or `channel:person`.
    """
    channel, *rest = sender.split(":")
    return f"{channel}:{rest[0]}" if len(rest) == 2 else ""


def seen_by_many(sender: str) -> bool:
    """Whether others read what a sender is answered: in a room, and in Slack in all but direct messages."""
    room = room_of(sender)
    return bool(room) and not room.startswith("slack:D")


@dataclass(frozen=True)
class Turn:
    """A message, its answer, and the state from which the conversation goes on.

    `sender` is channel and id of the person or room, `message` channel and id of the message, "" where it has none.
    `person` is channel and id of who asked, where that is not the sender. `key` names the turn to those who rate its
    answer. `own` says what became of a request about the asker's own record: such a turn leaves none itself.
    """

    sender: str
    question: str
    answer: Answer
    conversation: Conversation
    asked_at: datetime
    message: str = ""
    key: str = field(default_factory=lambda: secrets.token_hex(16))
    person: str = ""
    own: OwnRequest | None = None


def _plain(value: Any) -> Any:
    """A ruling's value as JSON holds it: figures as numbers, days as ISO text."""
    match value:
        case Decimal():
            return int(value) if value == value.to_integral_value() else float(value)
        case date():
            return value.isoformat()
        case tuple():
            return list(value)
        case _:
            return value
