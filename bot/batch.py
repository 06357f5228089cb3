"""Answers a file of questions: one JSON line out for each line in, in order."""

import json
import logging
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass
from datetime import date
from typing import Any

from bot.answerer import Answerer
from bot.settings import MessageRefusedError, Settings
from bot.types import Answer, AnswerStatus, Conversation, Inquiry

_log = logging.getLogger(__name__)


class LineRefusedError(Exception):
    """A line that is not a question; the message says what to write."""


@dataclass(frozen=True)
class _Asked:
    """The messages of one conversation, of which the last is answered, and the day of asking (None: today)."""

    turns: list[str]
    day: date | None


async def answer_lines(
    lines: Iterable[bytes], answerer: Answerer, settings: Settings, today: date
) -> AsyncIterator[dict[str, Any]]:
    """Answers each line as soon as it is read.

    A line that cannot be read, or fails, gives an answer with the status `error`; the others go on. A line without an
    id of its own is named by its number, from 1.
    """
    for number, line in enumerate(lines, 1):
        id: str | int = number
        try:
            content = _parse(line)
            if isinstance(given := content.get("id"), str | int):
                id = given
            answered = await _answer(_read(content), answerer, settings, today)
        except (LineRefusedError, MessageRefusedError) as error:
            answered = Answer(str(error), AnswerStatus.ERROR)
        except Exception:
            _log.exception("line %d could not be answered", number)
            answered = Answer("こちらの不具合で答えられませんでした。", AnswerStatus.ERROR)
        yield {**answered.as_json(), "id": id}


async def _answer(asked: _Asked, answerer: Answerer, settings: Settings, today: date) -> Answer:
    conversation = Conversation()
    for turn in asked.turns:
        stage = await answerer.whole(Inquiry(settings.read_message(turn), asked.day or today, conversation))
        conversation = stage.conversation
    return stage.answer


def _parse(line: bytes) -> dict[str, Any]:
    try:
        content = json.loads(line.decode("utf-8-sig"))
    except (ValueError, RecursionError):
        raise LineRefusedError("この行を読み取れません。UTF-8のJSONを1行に1件ずつ書いてください。") from None
    if not isinstance(content, dict):
        raise LineRefusedError('この行を読み取れません。{"id": "1", "turns": ["質問"]} の形にしてください。')
    return content


def _read(content: dict[str, Any]) -> _Asked:
    turns, day = content.get("turns"), content.get("today")
    if not isinstance(turns, list) or not turns or not all(isinstance(turn, str) for turn in turns):
        raise LineRefusedError('turns には、質問の文を ["質問"] のように1つ以上並べてください。')
    try:
        return _Asked(turns, None if day is None else date.fromisoformat(day))
    except (TypeError, ValueError):
        raise LineRefusedError("today は 2026-04-01 の形にするか、null にしてください。") from None
