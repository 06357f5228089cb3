"""The service that every channel puts its messages to: it recalls the conversation, answers, and records the turn."""

import asyncio
import logging
import secrets
import threading
import time
from collections import Counter
from collections.abc import AsyncGenerator, Callable, Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.answering import Knowledge, answer, open_knowledge
from bot.checking import UnknownFactsError, check, read_facts
from bot.conversations import Conversations
from bot.delivery import Inbox
from bot.explaining import Account, respond
from bot.metrics import Metrics
from bot.settings import Settings
from bot.storage import check_writable, create_engine, migrate, read_id_hash_key
from bot.types import Answer, AnswerStatus, Inquiry, Turn
from knowledge.store import KINDS, IndexMissingError
from knowledge.types import Program

if TYPE_CHECKING:
    from bot.llm import ChatModel

_PURGE_EVERY_SECONDS = 24 * 60 * 60

_log = logging.getLogger(__name__)


class Service:
    """Answers messages from all channels of one process. Belongs to the event loop in which it was opened."""

    def __init__(self, settings: Settings, now: Callable[[], datetime]) -> None:
        """Opens neither the index nor the database yet.

        Args:
            settings: where the index, the database and the limits are.
            now: the clock, in Japan's time.

        Raises:
            StorageError: the data folder or the database's URL cannot be used.
            SettingsError: the chat model that is set cannot be used.
        """
        self._settings = settings
        self._now = now
        self._knowledge: Knowledge | None = None
        self._model = _open_model(settings)
        self._opening = threading.Lock()
        self._engine = create_engine(settings.database_url, settings.data_dir)
        self._conversations = Conversations(self._engine, read_id_hash_key(settings.id_hash_key, settings.data_dir))
        self.inbox = Inbox(self._engine, self._conversations.hide)
        self.metrics = Metrics()

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

    async def check(self) -> None:
        """Makes sure that a message could be stored and answered now.

        Raises:
            IndexMissingError: the documents have not been ingested.
            SQLAlchemyError, OSError: the database does not answer, or cannot be written to.
        """
        await asyncio.to_thread(self.knowledge)
        await check_writable(self._engine)

    def knowledge(self) -> Knowledge:
        """The index as it now is: opened on the first call, and again when a newer generation is there.

        Raises:
            IndexMissingError: the documents have not been ingested.
        """
        with self._opening:
            if self._knowledge is None:
                settings = self._settings
                self._knowledge = open_knowledge(
                    settings.data_dir,
                    settings.documents_only,
                    embedding_model=settings.embedding_model,
                    reranker_model=settings.reranker_model,
                    chroma_url=settings.chroma_url,
                )
            else:
                try:
                    self._knowledge.refresh()
                except IndexMissingError as error:  # ingested for another embedding model: the open index still serves
                    _log.warning("%s", error)
            return self._knowledge

    @property
    def programs(self) -> Mapping[str, Program]:
        """The programs that are answered for, by id."""
        return self.knowledge().catalog.programs

    def index_status(self) -> str:
        """Which generation of the documents answers, for people."""
        searcher = self.knowledge().searcher
        passages, wordings = (f"{searcher.sizes[kind]:,}" for kind in KINDS)
        return f"索引: 文書の{passages}か所と、質問の言い回し{wordings}件(版 {searcher.generation})"

    async def ask(self, sender: str, text: str) -> Answer:
        """Answers a message, and records the turn.

        Args:
            sender: channel and id of the person or room.
            text: the message; the label of a choice when one was tapped.

        Raises:
            MessageRefusedError: it cannot be taken as a question; the text says why.
            IndexMissingError: the documents have not been ingested.
        """
        turn = await self.consider(sender, text)
        await self._conversations.record(turn)
        return turn.answer

    async def consider(self, sender: str, text: str, message: str = "") -> Turn:
        """Answers a message without recording it: that is done together with what else depends on it.

        Args:
            sender: channel and id of the person or room.
            text: the message.
            message: channel and id of the message, where it has one.

        Raises:
            MessageRefusedError: it cannot be taken as a question; the text says why.
            IndexMissingError: the documents have not been ingested.
        """
        *_, turn = [turn async for turn in self.considered(sender, text, message)]
        return turn

    async def considered(self, sender: str, text: str, message: str = "") -> AsyncGenerator[Turn]:
        """Answers a message like `consider`, as the answer grows: first what rules and documents say, then the whole.

        All are one turn, under one key; without a chat model there is just one. Raises as `consider` does.
        """
        read = self._settings.read_message(text)
        moment = self._now()
        key = secrets.token_hex(16)
        started = time.perf_counter()
        try:
            inquiry = Inquiry(read, moment.date(), await self._conversations.recall(sender))
            if self._model is None:
                answered, conversation = await asyncio.to_thread(lambda: answer(inquiry, self.knowledge()))
            else:
                knowledge = await asyncio.to_thread(self.knowledge)
                async for step in respond(inquiry, knowledge, self._model, self._settings.llm_seconds):
                    answered, conversation = step.answer, step.conversation
                    if not step.done:
                        yield Turn(sender, read, answered, conversation, moment, message, key)
                self._account(step.account)
        except Exception:
            self.metrics.count(AnswerStatus.ERROR, time.perf_counter() - started)
            raise
        seconds = time.perf_counter() - started
        self.metrics.count(answered.status, seconds)
        rulings = ", ".join(f"{ruling.program}/{ruling.subject}" for ruling in answered.rulings) or "no ruling"
        _log.info("%s (%s) in %.0f ms", answered.status, rulings, seconds * 1000)
        yield Turn(sender, read, answered, conversation, moment, message, key)

    async def stream(self, sender: str, text: str) -> AsyncGenerator[Answer]:
        """Answers a message as the answer grows, and records the turn. Raises as `ask` does."""
        async for turn in self.considered(sender, text):
            yield turn.answer
        await self._conversations.record(turn)

    def _account(self, account: Account) -> None:
        """Counts and logs what the chat model did; what it said is told at debug level only."""
        if not account.model:
            return
        tokens = self._model.tokens_spent(self._now().date()) if self._model else 0
        fates = Counter(reconciled.fate for reconciled in account.sentences)
        self.metrics.count_model(account.model, account.outcome, fates, tokens)
        stages = ", ".join(f"{stage} {seconds * 1000:.0f} ms" for stage, seconds in account.seconds.items())
        _log.info(
            "chat model %s: %s, %d sentences kept, %d in the source's words, %d removed, %d tokens today (%s)",
            account.model,
            account.outcome,
            fates["kept"],
            fates["restated"],
            fates["removed"],
            tokens,
            stages,
        )
        for removed in account.removed:
            shown = removed.shown.text if removed.shown else "nothing"
            _log.debug("removed %r: %s; shown instead: %s", removed.sentence.text, removed.objection, shown)

    async def check_eligibility(self, sender: str, program: str, given: Mapping[Any, Any]) -> Turn:
        """A step of the eligibility check: the next question with its choices, or the outcome.

        Raises:
            UnknownFactsError: of a program, fact or value that is none of today's.
        """
        knowledge, moment = self.knowledge(), self._now()
        catalog = knowledge.catalog
        checked = catalog.programs.get(program)
        if checked is None:
            raise UnknownFactsError(program)
        answered, conversation = check(checked, read_facts(given, catalog), catalog, knowledge.conflicts, moment.date())
        return Turn(sender, conversation.question, answered, conversation, moment)

    async def fill_in(self, sender: str, program: str, given: Mapping[Any, Any]) -> Answer:
        """A step of the eligibility check like `check_eligibility`, put on record."""
        turn = await self.check_eligibility(sender, program, given)
        await self._conversations.record(turn)
        return turn.answer

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
        """Keeps what staff noted on an answer; returns whether it is still on record."""
        return await self._conversations.remark(key, note=note)

    async def forget(self, *, message: str = "", sender: str = "") -> None:
        """Deletes what is stored of a message, or of everything that somebody asked."""
        await self.inbox.forget(message=message, sender=sender)
        await self._conversations.forget(message=message, sender=sender)

    async def measured(self) -> bytes:
        """What was answered and delivered, which index serves and what waits, in Prometheus' text format."""
        if self._knowledge is not None:
            self.metrics.show_index(self._knowledge.searcher.generation, self._knowledge.searcher.sizes)
        try:
            self.metrics.show_queue(await self.inbox.queue())
        except (SQLAlchemyError, OSError):
            _log.exception("the database does not tell what waits")
            self.metrics.show_queue(None)
        return self.metrics.as_text()

    async def purge(self) -> int:
        """Deletes what is older than the retention; returns how many turns that were."""
        before = self._now() - timedelta(days=self._settings.retention_days)
        await self.inbox.purge(before.timestamp())
        return await self._conversations.purge(before)

    async def purge_daily(self) -> None:
        """Purges now and once a day, until it is cancelled."""
        while True:
            try:
                await self.purge()
            except (SQLAlchemyError, OSError):
                _log.exception("old conversations could not be deleted; the next attempt is in a day")
            await asyncio.sleep(_PURGE_EVERY_SECONDS)


def _open_model(settings: Settings) -> "ChatModel | None":
    """The chat model that is set; without one, LangChain is not even imported."""
    if not settings.llm:
        return None
    from bot.llm import open_chat_model

    return open_chat_model(
        settings.llm,
        base_url=settings.llm_base_url,
        api_key=settings.llm_api_key,
        temperature=settings.llm_temperature,
        seconds=settings.llm_seconds,
        retries=settings.llm_retries,
        max_tokens=settings.llm_max_tokens,
        daily_tokens=settings.llm_daily_tokens,
        tracing=settings.llm_tracing,
    )
