"""What is seen of a session: by everybody (the board), by its hosts, and by an asker of what they asked themselves."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import sqlalchemy as sa

from bot.briefing.sessions import Briefing, Sessions
from bot.briefing.tables import changes, matters, questions
from bot.replies import SOURCES
from bot.types import AnswerStatus

Json = dict[str, Any]

_SOURCES_SHOWN = 3


@dataclass(frozen=True)
class Seen:
    """A session as it stands: its matters with their questions, oldest first, and the last act that can be undone."""

    briefing: Briefing
    matters: Sequence[Any]
    questions: Mapping[int, Sequence[Any]]
    last_change: Any

    @cached_property
    def by_asker(self) -> Mapping[str, Sequence[Any]]:
        """The questions of each asker, oldest first."""
        found: dict[str, list[Any]] = {}
        for question in sorted((q for asked in self.questions.values() for q in asked), key=lambda q: q.id):
            found.setdefault(question.asker, []).append(question)
        return found

    @cached_property
    def board(self) -> str:
        """What everybody sees, as JSON: made once for all who look."""
        return json.dumps(board(self), ensure_ascii=False)

    def asked_by(self, matter: Any) -> int:
        """How many people asked it."""
        return len({question.asker for question in self.questions[matter.id]})

    def waiting(self, matter: Any) -> list[Any]:
        """The questions of a matter that reached the host."""
        return [question for question in self.questions[matter.id] if question.reached and not question.settled]


async def look(sessions: Sessions, briefing: Briefing) -> Seen:
    """Reads a session as it stands."""
    async with sessions.engine.connect() as connection:
        of_session = sa.select(questions).where(questions.c.briefing == briefing.id).order_by(questions.c.id)
        asked: dict[int, list[Any]] = {}
        for question in (await connection.execute(of_session)).all():
            asked.setdefault(question.matter, []).append(question)
        listed = sa.select(matters).where(matters.c.briefing == briefing.id).order_by(matters.c.number)
        rows = [row for row in (await connection.execute(listed)).all() if row.id in asked]
        newest = sa.select(changes.c.id, changes.c.act).where(changes.c.briefing == briefing.id)
        last = (await connection.execute(newest.order_by(changes.c.id.desc()).limit(1))).first()
    return Seen(briefing, rows, asked, last)


def board(seen: Seen) -> Json:
    """What everybody in the hall sees: what a host has released, being answered and most asked first."""
    shown = [matter for matter in seen.matters if matter.released and not matter.hidden]
    order = {"answering": 0, "open": 1}
    shown.sort(key=lambda matter: (order.get(matter.state, 2), not matter.pinned, -seen.asked_by(matter)))
    return {
        **_about(seen.briefing),
        "matters": [
            {
                "number": matter.number,
                "wording": matter.wording,
                "count": seen.asked_by(matter),
                "state": matter.state,
                "pinned": matter.pinned,
                "answer": matter.answer,
            }
            for matter in shown
        ],
    }


def for_hosts(seen: Seen) -> Json:
    """What hosts see: every matter that reached them, and below it those that the bot's answers were enough for."""
    listed = [_for_hosts(matter, seen) for matter in seen.matters]
    last = seen.last_change
    return {
        **_about(seen.briefing),
        "matters": [matter for matter in listed if matter["reached"]],
        "answered_by_bot": [matter for matter in listed if not matter["reached"]],
        "undo": {"change": last.id, "act": last.act} if last else None,
        "people": len(seen.by_asker),
    }


def _for_hosts(matter: Any, seen: Seen) -> Json:
    asked = seen.questions[matter.id]
    own = [question for question in asked if not question.wanted]
    sample = best_answer(own)
    return {
        "number": matter.number,
        "version": matter.version,
        "wording": matter.wording,
        "state": matter.state,
        "released": matter.released,
        "hidden": matter.hidden,
        "pinned": matter.pinned,
        "answer": matter.answer,
        "count": seen.asked_by(matter),
        "reached": len(seen.waiting(matter)),
        "wants": [question.id for question in asked if question.wanted],
        "without_reply": [question.id for question in asked if not question.reply and question.reached],
        "questions": [
            {
                "id": question.id,
                "text": question.text,
                "reached": question.reached,
                "settled": question.settled,
                "replied": bool(question.reply),
                "channel": question.channel,
            }
            for question in own
        ],
        "bot_said": said(sample) if sample else "",
        "sources": sources(sample) if sample else [],
    }


def of_asker(seen: Seen, asker: str) -> list[Json]:
    """What somebody asked, oldest first, with the bot's answer, the host's, and how it stands on the board.

    Args:
        seen: the session.
        asker: the keyed hash of who asks.
    """
    of_matter = {matter.id: matter for matter in seen.matters}
    return [_of_asker(question, of_matter.get(question.matter), seen) for question in seen.by_asker.get(asker, ())]


def _of_asker(question: Any, matter: Any, seen: Seen) -> Json:
    """A question to who asked it; thanks and greetings belong to no matter."""
    return {
        "id": question.id,
        "event": question.event,
        "text": question.text,
        "wanted": question.wanted,
        "answer": question.answer,
        "reached": question.reached,
        "settled": question.settled,
        "reply": question.reply,
        "number": matter.number if matter else 0,
        "state": matter.state if matter else "",
        "others": seen.asked_by(matter) - 1 if matter else 0,
    }


def best_answer(own: Sequence[Any]) -> Json | None:
    """Of the bot's answers to the questions of a matter the first that asks nothing back, or else the first."""
    answers = [question.answer for question in own if question.answer]
    return next((answer for answer in answers if answer["status"] == AnswerStatus.ANSWERED), next(iter(answers), None))


def said(answer: Json) -> str:
    """What the bot said, without its sources."""
    return str(answer["text"]).partition(SOURCES)[0]


def sources(answer: Json) -> list[str]:
    """What the bot's answer rests on."""
    places = [f"{cited['source']} > {cited['place']}" for cited in answer["citations"]]
    return list(dict.fromkeys(places))[:_SOURCES_SHOWN]


def _about(briefing: Briefing) -> Json:
    return {
        "code": briefing.code,
        "title": briefing.title,
        "test": briefing.test,
        "ended": briefing.ended_at is not None,
        "line": bool(briefing.line_id),
    }
