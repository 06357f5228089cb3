"""A message in a session: answered as ever, and what it asks recorded with the turn of its conversation."""

from contextlib import suppress
from typing import Any

from bot import replies
from bot.briefing.asking import Asked, Asking
from bot.briefing.hosting import Hosting
from bot.briefing.sessions import NAME, Briefing, BriefingMissingError
from bot.delivery import Attempt, Json, Prepared, RetryLaterError
from bot.service import Service
from bot.types import Turn
from knowledge.types import IndexMissingError


class Hearing:
    """Hears what is asked in sessions, on any channel. On the page's side it is a channel of the delivery."""

    def __init__(self, service: Service, asking: Asking, hosting: Hosting) -> None:
        """Answers by the service, and records with it."""
        self._service = service
        self._sessions = service.briefings
        self._asking = asking
        self._hosting = hosting

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

    # --- the page's questions as a channel of the delivery, and the way to the desk and back ----------------------

    async def prepare(self, event: Json) -> Prepared:
        """Answers a question of the page; the page reads the answer from the record, so nothing is sent."""
        match event:
            case {"kind": "deferral", "code": code, "key": key}:
                await self._ask_desk(code, key)
            case {"kind": "staff_reply", "reply": id, "id": event_id}:
                await self._bring(id, event_id)
            case _:
                return await self._answer(event)
        return Prepared([])

    async def _ask_desk(self, code: str, key: str) -> None:
        """Has a case for questions that wait for the desk, and takes it back where none does any more."""
        desk, sender = self._service.desk, f"{NAME}:{code}:{key}"
        if desk is None:
            return
        if left := await self._hosting.left_open(key):
            await desk.open_case(left.question, key=key, sender=sender, program=left.program, found=left.found)
            return
        for case in await desk.cases.of_asker(sender):
            await desk.cases.withdraw(case.number, sender)

    async def _bring(self, id: int, event_id: str) -> None:
        """What the desk has written becomes the answer to the questions that wait for it."""
        desk = self._service.desk
        carried = await desk.cases.carry(id, event_id) if desk else None
        if not desk or not carried:
            return
        reply, sender = carried
        _, code, key = sender.split(":")
        with suppress(BriefingMissingError):  # wiped since
            await self._hosting.bring(code, key, f"{reply.text}\n\n{reply.signed}")
        await desk.cases.arrived(event_id)

    async def _answer(self, event: Json) -> Prepared:
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
