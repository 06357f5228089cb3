"""What was asked and not answered: grouped by meaning, for officials to see where the documents fall short."""

import csv
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import TextIO

from bot.answerer import Answerer
from bot.conversations import Conversations, RecordedTurn
from bot.desk.types import Entry
from bot.types import AnswerStatus
from bot.worker import AnswererProcess

_SHOWN_NOTES = 3


@dataclass(frozen=True)
class Group:
    """Questions of one meaning, in one week, about one program, by one channel.

    `week` is its Monday, `program` an id or "", `questions` in the order in which they came, each once. `unhelpful`
    counts those whose answer was said not to help, `answer` is the newest answer, `notes` what was written beside it.
    """

    week: date
    program: str
    channel: str
    count: int
    unhelpful: int
    questions: tuple[str, ...]
    answer: str
    notes: tuple[str, ...]


async def unanswered(
    conversations: Conversations, answerer: Answerer | AnswererProcess, since: datetime
) -> tuple[Group, ...]:
    """What was not answered, or not well, since a moment; the most frequent first.

    Raises:
        IndexMissingError: the documents have not been ingested.
    """
    turns = [turn for turn in await conversations.since(since) if _left_open(turn)]
    if not turns:
        return ()
    meanings = await answerer.grouped([_question(turn) for turn in turns])
    groups: dict[tuple[date, str, str, int], list[RecordedTurn]] = {}
    for turn, meaning in zip(turns, meanings, strict=True):
        day = turn.asked_at.astimezone(since.tzinfo).date()
        week = day - timedelta(days=day.weekday())
        groups.setdefault((week, turn.program, turn.channel, meaning), []).append(turn)
    found = [_group(week, program, channel, turns) for (week, program, channel, _), turns in groups.items()]
    return tuple(sorted(found, key=lambda group: (-group.week.toordinal(), -group.count)))


def _left_open(turn: RecordedTurn) -> bool:
    unknown = turn.answer["status"] == AnswerStatus.UNKNOWN and not turn.conversation.desk
    return unknown or turn.helpful is False or bool(turn.note)


def _question(turn: RecordedTurn) -> str:
    """A reply of a few words says nothing by itself: the question that it replies to goes before it."""
    return " ".join(dict.fromkeys(filter(None, (turn.conversation.question, turn.question))))


def _group(week: date, program: str, channel: str, turns: Sequence[RecordedTurn]) -> Group:
    notes = tuple(turn.note for turn in turns if turn.note)
    return Group(
        week,
        program,
        channel,
        len(turns),
        sum(turn.helpful is False for turn in turns),
        tuple(dict.fromkeys(map(_question, turns))),
        str(turns[-1].answer["text"]),
        notes[-_SHOWN_NOTES:],
    )


def write_csv(groups: Iterable[Group], file: TextIO) -> None:
    """One line for each group, with a header."""
    writer = csv.writer(file)
    writer.writerow(["週", "事業", "経路", "件数", "役に立たない", "質問", "窓口の回答", "メモ"])
    for group in groups:
        writer.writerow(
            [
                group.week.isoformat(),
                group.program,
                group.channel,
                group.count,
                group.unhelpful,
                _harmless(" / ".join(group.questions)),
                _harmless(group.answer),
                _harmless(" / ".join(group.notes)),
            ]
        )


def write_record(entries: Iterable[Entry], file: TextIO) -> None:
    """One line for each thing that somebody did with a case, with a header."""
    writer = csv.writer(file)
    writer.writerow(["日時", "受付番号", "誰が", "何を"])
    for entry in entries:
        writer.writerow([entry.at.isoformat(timespec="seconds"), entry.number, entry.actor, entry.what])


def _harmless(text: str) -> str:
    """A cell that no spreadsheet takes for a formula."""
    return f"'{text}" if text.startswith(("=", "+", "-", "@", "\t")) else text
