"""A message in a session: answered as ever, and what it asks recorded with the turn of its conversation."""

from typing import Any

from bot import replies
from bot.briefing.asking import Asked, Asking
from bot.briefing.sessions import Briefing, BriefingMissingError, Sessions
from bot.delivery import Attempt, Json, Prepared, RetryLaterError
from bot.service import Service
from bot.types import Turn
from knowledge.types import IndexMissingError

NAME = "briefing"


class Hearing:
    """Hears what is asked in sessions, on any channel. On the page's side it is a channel of the delivery."""

    def __init__(self, service: Service, sessions: Sessions, asking: Asking) -> None:
        """Answers by the service, and records with it."""
        self._service = service
        self._sessions = sessions
        self._asking = asking

    async def hear(self, briefing: Briefing, sender: str, text: str, event: str) -> tuple[Turn, Asked]:
        """Answers a message; both values are to be recorded together. Raises as `Service.consider` does."""
        turn = await self._service.consider(sender, text, event)
        meaning, goes_on = await self._service.meaning_of(turn)
        courteous = turn.answer.text in (
            replies.ACKNOWLEDGED,
            replies.STARTED_OVER,
            replies.greeting(self._service.programs.values()),
        )
        asked = Asked(
            briefing=briefing,
            event=event or f"turn {turn.key}",
            turn=turn.key,
            sender=sender,
            asked_at=turn.asked_at,
            text=turn.question,
            answer=turn.answer,
            meaning=None if courteous else meaning,
            goes_on=goes_on,
        )
        return turn, asked

    def prepared(self, outgoing: list[Json], turn: Turn, asked: Asked) -> Prepared:
        """What is sent for a message, and what goes on record with it."""

        async def record(connection: Any) -> None:
            await self._asking.record(connection, asked)

        return Prepared(outgoing, turn, record, lambda: self._sessions.on_change(asked.briefing.code))

    # --- the page's questions as a channel of the delivery -------------------------------------------------------

    async def prepare(self, event: Json) -> Prepared:
        """Answers a question of the page; the page reads the answer from the record, so nothing is sent."""
        try:
            briefing = await self._sessions.find(event["code"])
            turn, asked = await self.hear(briefing, event["sender"], event["text"], event["id"])
        except BriefingMissingError:  # a test that was ended and wiped
            return Prepared([])
        except IndexMissingError as error:
            raise RetryLaterError(str(error)) from error
        return self.prepared([], turn, asked)

    def apology(self, event: Json) -> list[Json]:
        """Nothing: the page says by itself that an answer does not come."""
        return []

    async def send(self, event: Json, outgoing: list[Json], attempt: Attempt) -> None:
        """Nothing is ever to be sent."""
