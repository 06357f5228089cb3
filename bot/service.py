"""The service that every channel puts its messages to: it recalls the conversation, answers, and records the turn."""

import asyncio
import logging
import math
import secrets
import time
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from dataclasses import asdict, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.answerer import Answerer
from bot.briefing.sessions import Sessions
from bot.conversations import Conversations
from bot.delivery import Inbox, RetryLaterError
from bot.desk.cases import Cases
from bot.desk.desk import Desk, is_staffed, staff_label
from bot.desk.faq import StaffAnswers
from bot.desk.hours import load_office_hours
from bot.desk.reporting import Group, unanswered
from bot.desk.sealing import Seal
from bot.logs import HASH_SHOWN
from bot.masking import mask
from bot.metrics import Metrics
from bot.privacy import (
    FORGOTTEN,
    NOT_HERE,
    OwnRecord,
    OwnRequest,
    described,
    how_it_is_kept,
    own_request,
)
from bot.settings import Settings
from bot.storage import Cutoffs, check_writable, create_engine, migrate, overwrite_deleted, read_key
from bot.tracing import open_tracing
from bot.types import Answer, AnswerStatus, Conversation, Inquiry, Stage, Turn, seen_by_many
from bot.worker import AnswererProcess
from knowledge.catalog import load_catalog
from knowledge.types import KINDS, IndexMissingError

if TYPE_CHECKING:
    from bot.briefing.merging import Meaning

_PURGE_EVERY_SECONDS = 24 * 60 * 60

_LOOK_AFTER_EVERY_SECONDS = 30

_QUOTA_EVERY_SECONDS = 600

_RECORD_SHOWN = 2500
"""Characters of their own record that somebody is shown in a chat; Slack takes 3,000 in one piece."""

_CHANNELS = ("line", "slack", "web")
"""Those that may have a retention of their own."""

_log = logging.getLogger(__name__)


class Service:
    """Answers messages from all channels of one process. Belongs to the event loop in which it was opened."""

    def __init__(self, settings: Settings, now: Callable[[], datetime], answerer: Answerer | AnswererProcess) -> None:
        """Opens neither the index nor the database yet.

        Args:
            settings: where the index, the database and the limits are.
            now: the clock, in Japan's time.
            answerer: in this process, or in one of its own.

        Raises:
            CatalogError: a file of the programs is wrong.
            StorageError: the data folder or the database's URL cannot be used.
            SettingsError: traces are wanted and cannot be sent.
        """
        self.settings = settings
        self._now = now
        self.answerer = answerer
        self.catalog = load_catalog()
        self.programs = self.catalog.programs
        self._engine = create_engine(settings.database_url, settings.data_dir)
        id_hash_key = read_key(settings.id_hash_key, settings.data_dir / "id_hash.key")
        self._seal = self._read_seal()
        seal = self._seal.close if self._seal else lambda sender: ""
        self._conversations = Conversations(self._engine, id_hash_key, seal)
        self.inbox = Inbox(self._engine, self._conversations.hide)
        self.desk = self._open_desk()
        self.briefings = Sessions(self._engine, self._conversations.hide, now)
        self.metrics = Metrics()
        self.tracing = open_tracing(settings)
        self._quota_asked_at = -math.inf

    def _read_seal(self) -> Seal | None:
        """What encrypts where officials write back to; None where there are none."""
        settings = self.settings
        if not is_staffed(settings, self.programs):
            return None
        return Seal(read_key(settings.reply_key, settings.data_dir / "reply.key"))

    def _open_desk(self) -> Desk | None:
        """The people who answer, where Slack and a channel of theirs are set up."""
        if self._seal is None:
            return None
        hours = load_office_hours()
        cases = Cases(self._engine, self.inbox, self._seal, self._conversations.hide, hours, self._now)
        answers, channel = StaffAnswers(self._engine), self.settings.slack_desk_channel
        known = (self._conversations, self.answerer, hours, self.programs)
        return Desk(cases, answers, self.inbox, *known, channel, self._now)

    @property
    def staff_label(self) -> str:
        """What leads to people: to officials who answer, or to whom to ask."""
        return staff_label(self.desk is not None)

    async def open(self) -> None:
        """Brings the database to this version.

        Raises:
            StorageError: the database cannot be reached or written to.
        """
        await migrate(self._engine)
        await self.inbox.take_time()

    async def close(self) -> None:
        """Frees the connections; the service may be opened again, in another event loop too."""
        await self._engine.dispose()
        await asyncio.to_thread(self.tracing.close)

    async def check(self) -> None:
        """Makes sure that a message could be stored and answered now.

        Raises:
            IndexMissingError: the documents have not been ingested.
            SQLAlchemyError, OSError: the database does not answer, or cannot be written to.
        """
        await self.answerer.index()
        await check_writable(self._engine)

    async def index_status(self) -> str:
        """Which generation of the documents answers, for people."""
        index = await self.answerer.index()
        passages, wordings = (f"{index.sizes[kind]:,}" for kind in KINDS)
        return f"索引: 文書の{passages}か所と、質問の言い回し{wordings}件(版 {index.generation})"

    async def ask(self, sender: str, text: str) -> Turn:
        """Answers a message, and records the turn.

        Args:
            sender: channel and id of the person or room.
            text: the message; the label of a choice when one was tapped.

        Raises:
            MessageRefusedError: it cannot be taken as a question; the text says why.
            IndexMissingError: the documents have not been ingested.
        """
        turn = await self.consider(sender, text)
        await self._keep(turn)
        return turn

    async def answer_turns(self, turns: Sequence[str]) -> Answer:
        """Answers the last message of a conversation that somebody else keeps; nothing of it is recorded here.

        Raises:
            MessageRefusedError: one cannot be taken as a question; the text says why.
            IndexMissingError: the documents have not been ingested.
        """
        day, conversation = self._now().date(), Conversation()
        for turn in turns:
            inquiry = Inquiry(self.settings.read_message(turn), day, conversation)
            async for stage in self.answerer.stages(inquiry, grows=False):
                answered, conversation = stage.answer, stage.conversation
        return answered

    async def consider(self, sender: str, text: str, message: str = "", person: str = "") -> Turn:
        """Answers a message without recording it: that is done together with what else depends on it.

        Args:
            sender: channel and id of the person or room.
            text: the message.
            message: channel and id of the message, where it has one.
            person: channel and id of who asks, where that is not the sender.

        Raises:
            MessageRefusedError: it cannot be taken as a question; the text says why.
            IndexMissingError: the documents have not been ingested.
        """
        (turn,) = [turn async for turn in self._considered(sender, text, message, person, grows=False)]
        return turn

    def considered(self, sender: str, text: str, message: str = "", person: str = "") -> AsyncGenerator[Turn]:
        """Answers a message like `consider`, as the answer grows: first what rules and documents say, then the whole.

        All are one turn, under one key; without a chat model there is just one. Raises as `consider` does.
        """
        return self._considered(sender, text, message, person, grows=True)

    async def _considered(
        self, sender: str, text: str, message: str, person: str, *, grows: bool
    ) -> AsyncGenerator[Turn]:
        read = self.settings.read_message(text)
        if request := own_request(read):
            told = Answer(await self._on_own_record(request, sender, person or sender), AnswerStatus.ANSWERED)
            yield Turn(sender, read, told, Conversation(), self._now(), message, person=person, own=request)
            return
        moment = self._now()
        key = secrets.token_hex(16)
        started = time.perf_counter()
        last: tuple[Stage, float] | None = None
        try:
            before = await self._conversations.recall(sender)
            if self.desk and (said := await self.desk.hear(sender, read, before)):
                yield Turn(sender, read, *said, moment, message, key, person)
                return
            inquiry = Inquiry(read, moment.date(), before)
            async for stage in self.answerer.stages(inquiry, grows):
                answer, after = stage.answer, _about(stage.conversation, key)
                if self.desk:
                    answer, after = await self.desk.consider(sender, read, key, answer, before, after)
                last = stage, time.perf_counter() - started
                yield Turn(sender, read, answer, after, moment, message, key, person)
        except Exception:
            last = None
            self.metrics.count(AnswerStatus.ERROR, time.perf_counter() - started, sender.partition(":")[0])
            raise
        finally:  # who asked may have gone before the answer had grown
            if last:
                self._tell_of(*last, sender, key)

    def _tell_of(self, stage: Stage, seconds: float, sender: str, key: str) -> None:
        """Counts an answer, and has the log and the traces say what it took and what was decided, not what was said."""
        answered, channel = stage.answer, sender.partition(":")[0]
        self.metrics.count(answered.status, seconds, channel)
        self.metrics.count_parts(stage.spans)
        self.metrics.count_readings(answered.understood)
        rulings = ", ".join(f"{ruling.program}/{ruling.subject}" for ruling in answered.rulings) or "no ruling"
        about: dict[str, str] = {
            "channel": channel,
            "conversation": self._conversations.hide(sender)[:HASH_SHOWN],
            "turn": key,
            "status": answered.status,
        }
        took = {span.name: round(span.seconds * 1000, 1) for span in stage.spans}
        model = asdict(stage.model_use) if stage.model_use else {}
        extra = {"about": {**about, "took_ms": took, **({"model": model} if model else {})}}
        _log.info("%s (%s) in %.0f ms", answered.status, rulings, seconds * 1000, extra=extra)
        if stage.model_use:
            self.metrics.count_model(stage.model_use)
            _log.info("chat model: %s", stage.model_use)
        self.tracing.tell("answer", seconds, stage.spans, {**about, "rulings": rulings})

    async def _on_own_record(self, request: OwnRequest, sender: str, person: str) -> str:
        """Does what somebody asks of their own record, and says so. May be done again for the same message."""
        days = self.settings.retention(sender.partition(":")[0])
        match request:
            case "forgotten":
                await self.forget(person=person)
                return FORGOTTEN
            case "shown" if not seen_by_many(sender):
                return described(await self.own_record(person), days, _RECORD_SHOWN)
            case "shown":
                return NOT_HERE
            case "told":
                return how_it_is_kept(days)

    async def own_record(self, person: str) -> OwnRecord:
        """All that is stored of a person.

        Args:
            person: channel and id, such as `line:U…`, `slack:U…` or `web:` and the id of a conversation.
        """
        turns = await self._conversations.of_person(person)
        cases = await self.desk.cases.of_person(person) if self.desk else ()
        replies = {case.number: await self.desk.cases.replies(case.number) for case in cases} if self.desk else {}
        return OwnRecord(
            [
                {
                    "asked_at": turn.asked_at.astimezone(self._now().tzinfo).isoformat(timespec="seconds"),
                    "channel": turn.channel,
                    "question": turn.question,
                    "answer": turn.answer["text"],
                    "remembered": dict(turn.conversation.facts),
                    "helpful": turn.helpful,
                    "note": turn.note,
                }
                for turn in turns
            ],
            [
                {
                    "number": case.number,
                    "opened_at": case.opened_at.isoformat(timespec="seconds"),
                    "question": case.question,
                    "state": case.state,
                    "replies": [{"text": reply.text, "signed": reply.signed} for reply in replies[case.number]],
                }
                for case in cases
            ],
            [{"question": row.text, "reply": row.reply} for row in await self.briefings.of_person(person)],
        )

    async def meaning_of(self, turn: Turn) -> tuple["Meaning", bool]:
        """What a turn asks that is not on record yet, and whether it replies to what was asked back before it."""
        inquiry = Inquiry(turn.question, turn.asked_at.date(), await self._conversations.recall(turn.sender))
        return await self.answerer.meaning(inquiry, turn.answer)

    async def stream(self, sender: str, text: str) -> AsyncGenerator[Turn]:
        """Answers a message as the answer grows, and records the turn. Raises as `ask` does."""
        async for turn in self.considered(sender, text):
            yield turn
        await self._keep(turn)

    async def check_eligibility(self, sender: str, program: str, given: Mapping[Any, Any], person: str = "") -> Turn:
        """A step of the eligibility check: the next question with its choices, or the outcome.

        Raises:
            UnknownFactsError: of a program, fact or value that is none of today's.
        """
        moment = self._now()
        answered, conversation = await self.answerer.check(program, given, moment.date())
        key = secrets.token_hex(16)
        after = _about(conversation, key)
        return Turn(sender, conversation.question, answered, after, moment, key=key, person=person)

    async def fill_in(self, sender: str, program: str, given: Mapping[Any, Any]) -> Turn:
        """A step of the eligibility check like `check_eligibility`, put on record."""
        turn = await self.check_eligibility(sender, program, given)
        await self._keep(turn)
        return turn

    async def _keep(self, turn: Turn) -> None:
        """Records a turn whose answer is shown, whatever becomes of the record."""
        try:
            await self._conversations.record(turn)
        except (SQLAlchemyError, OSError):
            _log.exception("an answer is shown that could not be recorded")

    async def awaits(self, sender: str) -> bool:
        """Whether the last answer to this sender asked for something."""
        return (await self._conversations.recall(sender)).asked_for is not None

    async def record(self, connection: AsyncConnection, turn: Turn) -> None:
        """Puts a turn on record, in a transaction of the delivery's."""
        await self._conversations.record(turn, connection)

    async def amend(self, turn: Turn) -> None:
        """Puts what an answer has grown to in the place of what is on record."""
        await self._conversations.amend(turn)

    async def answered(self, key: str) -> dict[str, Any] | None:
        """A recorded answer in its JSON form; None where it is not stored any more."""
        return await self._conversations.answered(key)

    async def rate(self, key: str, helpful: bool) -> bool:
        """Keeps whether an answer helped; returns whether it is still on record."""
        return await self._conversations.remark(key, helpful=helpful)

    async def note(self, key: str, note: str) -> bool:
        """Keeps what staff noted on an answer, masked; returns whether it is still on record."""
        return await self._conversations.remark(key, note=mask(note))

    async def forget(self, *, message: str = "", person: str = "", room: str = "") -> None:
        """Deletes what is stored of a message, of everything that somebody asked, or that was asked in a room."""
        await self.inbox.forget(message=message, person=person, room=room)
        if self.desk:
            await self.desk.cases.forget(message=message, person=person, room=room)
        await self._conversations.forget(message=message, person=person, room=room)
        if not room:  # sessions are joined by people, not by rooms
            await self.briefings.forget(message=message, person=person)
        await overwrite_deleted(self._engine)

    async def unanswered(self, since: datetime) -> tuple[Group, ...]:
        """What was asked since a moment and not answered, or not well. Raises IndexMissingError without an index."""
        return await unanswered(self._conversations, self.answerer, since)

    async def measured(self) -> bytes:
        """What was answered and delivered, which index serves and what waits, in Prometheus' text format."""
        try:
            self.metrics.show_index(await self.answerer.index())
        except IndexMissingError:
            _log.info("no index serves")
        try:
            self.metrics.show_queue(await self.inbox.queue())
        except (SQLAlchemyError, OSError):
            _log.exception("the database does not tell what waits")
            self.metrics.show_queue(None)
        if self.desk:
            await self._measure_desk(self.desk)
        return self.metrics.as_text()

    async def _measure_desk(self, desk: Desk) -> None:
        """Has the metrics show the cases, and now and then what is left of LINE's quota: LINE is asked for that."""
        try:
            self.metrics.show_cases(await desk.cases.counts())
        except (SQLAlchemyError, OSError):
            _log.exception("the database does not tell of the cases")
        if desk.quota_left and time.monotonic() - self._quota_asked_at > _QUOTA_EVERY_SECONDS:
            self._quota_asked_at = time.monotonic()
            try:
                self.metrics.show_quota(await desk.quota_left())
            except RetryLaterError as error:
                _log.warning("LINE does not tell what is left of the month's messages: %s", error)

    async def unheld_figures(self, text: str, question: str, program: str) -> tuple[str, ...]:
        """The figures of a person's answer that no rule and no document states; none without an index to tell."""
        try:
            return await self.answerer.unheld_figures(text, question, program, self._now().date())
        except IndexMissingError:
            return ()

    async def purge(self) -> int:
        """Deletes what is older than the retention; returns how many turns that were."""
        now, settings = self._now(), self.settings
        own = {channel: now - timedelta(days=settings.retention(channel)) for channel in _CHANNELS}
        cutoffs = Cutoffs(own, others=now - timedelta(days=settings.retention_days))
        purged = await self._conversations.purge(cutoffs)
        others = await self.inbox.purge(cutoffs) + await self.briefings.purge(cutoffs.others)
        if self.desk:
            others += await self.desk.cases.purge(cutoffs)
        if purged or others:
            await overwrite_deleted(self._engine)
        return purged

    async def look_after_desk(self) -> None:
        """Does what is due at the desk, now and every half minute, until it is cancelled."""
        while self.desk:
            try:
                await self.desk.look_after()
            except (SQLAlchemyError, OSError):
                _log.exception("what is due at the desk could not be done; the next attempt is soon")
            await asyncio.sleep(_LOOK_AFTER_EVERY_SECONDS)

    async def purge_daily(self) -> None:
        """Purges now and once a day, until it is cancelled."""
        while True:
            try:
                await self.purge()
            except (SQLAlchemyError, OSError):
                _log.exception("old conversations could not be deleted; the next attempt is in a day")
            await asyncio.sleep(_PURGE_EVERY_SECONDS)


def _about(conversation: Conversation, key: str) -> Conversation:
    """The conversation after a turn, which it is about from here on where it asked something."""
    return replace(conversation, turn=key) if conversation.question and not conversation.turn else conversation
