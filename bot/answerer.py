"""What answers a message: the knowledge, opened when it is first needed, and the chat model where one is set."""

import asyncio
import logging
import threading
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING, Any

from bot.settings import Settings
from bot.timing import begin, span
from bot.types import Answer, Conversation, IndexState, Inquiry, Stage, UnknownFactsError
from knowledge.types import Chunk, IndexMissingError

if TYPE_CHECKING:
    from bot.answering import Knowledge
    from bot.briefing.merging import Meaning
    from bot.checking import StatedCase
    from bot.drafting import Draft
    from bot.llm import ChatModel
    from knowledge.search import Searcher

_log = logging.getLogger(__name__)


class Answerer:
    """Answers in the process that it is in. What it rests on takes seconds to import, and is not until it is used."""

    def __init__(self, settings: Settings) -> None:
        """Opens nothing yet.

        Args:
            settings: where the index is, and which models are used.
        """
        self._settings = settings
        self._knowledge: Knowledge | None = None
        self._model: ChatModel | None = None
        self._opening = threading.Lock()

    async def open(self, stays: bool = False) -> None:
        """Has everything there that the first message would have to wait for.

        Args:
            stays: many messages will come, so Chroma is opened as well, while the first ones are answered.

        Raises:
            IndexMissingError: the documents have not been ingested.
            SettingsError: the chat model that is set cannot be used.
        """
        searcher = await asyncio.to_thread(self._get_ready)
        if stays:
            threading.Thread(target=searcher.open_chroma).start()  # none of the threads that answer

    async def close(self) -> None:
        """Nothing that the end of the process does not do."""

    async def index(self) -> IndexState:
        """What is answered from. Raises as `open` does."""
        searcher = (await asyncio.to_thread(self._open)).searcher
        return IndexState(searcher.generation, dict(searcher.sizes))

    async def check(self, program: str, given: Mapping[Any, Any], day: date) -> tuple[Answer, Conversation]:
        """A step of the eligibility check: the next question with its choices, or the outcome.

        Raises:
            UnknownFactsError: of a program, fact or value that is none of today's.
        """
        from bot.checking import check, read_facts

        knowledge = await asyncio.to_thread(self._open)
        catalog = knowledge.catalog
        if program not in catalog.programs:
            raise UnknownFactsError(program)
        return check(catalog.programs[program], read_facts(given, catalog), catalog, knowledge.conflicts, day)

    async def decide(self, case: "StatedCase", day: date) -> Answer:
        """What the rules say to a case that is put in values and not in words.

        Raises:
            UnknownFactsError: of a program, fact or value that is none of today's.
        """
        from bot.checking import decide_case

        knowledge = await asyncio.to_thread(self._open)
        return decide_case(case, knowledge.catalog, knowledge.conflicts, day)

    async def related(self, question: str, program: str) -> tuple[tuple[str, str], ...]:
        """The passages nearest to a question, each with its place. Raises as `open` does."""
        from bot.desk.sources import related

        return await asyncio.to_thread(lambda: related(question, program, self._open()))

    async def grouped(self, questions: Sequence[str]) -> tuple[int, ...]:
        """For each question the number of its group of the same meaning. Raises as `open` does."""
        from bot.desk.sources import grouped

        return await asyncio.to_thread(lambda: grouped(questions, self._open()))

    async def nearest(self, question: str, others: Sequence[str]) -> int | None:
        """The place of the question that asks the same, None where none does. Raises as `open` does."""
        from bot.desk.sources import nearest

        return await asyncio.to_thread(lambda: nearest(question, others, self._open()))

    async def unheld_figures(self, text: str, question: str, program: str, day: date) -> tuple[str, ...]:
        """The figures of an official's answer that no rule and no document states. Raises as `open` does."""
        from bot.desk.sources import unheld_figures

        return await asyncio.to_thread(lambda: unheld_figures(text, question, program, day, self._open()))

    async def meaning(self, inquiry: Inquiry, answer: Answer) -> "tuple[Meaning, bool]":
        """What a question means beside others, and whether it replies to what was asked back. Raises as `open`."""
        from bot.briefing.meaning import read_meaning

        return await asyncio.to_thread(lambda: read_meaning(inquiry, answer, self._open()))

    async def stages(self, inquiry: Inquiry, grows: bool) -> AsyncGenerator[Stage]:
        """Answers a message: at once, and where it `grows`, with what a chat model then adds. Raises as `open` does.

        Without a chat model, or where the answer may not grow, there is just one stage.
        """
        spans = begin()
        knowledge = await asyncio.to_thread(self._open)
        if self._model is None:
            from bot.answering import answer

            answered, conversation = await asyncio.to_thread(answer, inquiry, knowledge)
            yield Stage(answered, conversation, spans=tuple(spans))
            return
        from bot.responding import Patience, respond

        settings = self._settings
        patience = Patience(settings.llm_read_seconds, settings.llm_seconds, settings.llm_read_always)
        async with aclosing(respond(inquiry, knowledge, self._model, patience, grows=grows)) as stages:
            async for stage in stages:
                yield replace(stage, spans=tuple(spans))

    async def draft(self, inquiry: Inquiry) -> "Draft | None":
        """A draft of an official's reply to a question, for officials only; None without a chat model, or in vain.

        Raises as `open` does.
        """
        knowledge = await asyncio.to_thread(self._open)
        if self._model is None:
            return None
        from bot.answering import answer
        from bot.drafting import draft

        def looked_up() -> tuple[Answer, list[Chunk]]:
            answered, conversation = answer(inquiry, knowledge)
            hits = knowledge.searcher.search(inquiry.text, program=conversation.program)
            return answered, [hit.chunk for hit in hits]

        answered, passages = await asyncio.to_thread(looked_up)
        seconds = self._settings.llm_seconds
        return await draft(inquiry.text, answered, passages, self._model, day=inquiry.as_of, seconds=seconds)

    async def whole(self, inquiry: Inquiry) -> Stage:
        """Answers a message of somebody who waits for all of it. Raises as `open` does."""
        return [stage async for stage in self.stages(inquiry, grows=True)][-1]

    def _get_ready(self) -> "Searcher":
        """Opens everything, and answers once: vocabularies, tables and models are read when they are first used."""
        from bot.answering import answer

        knowledge = self._open()
        program = next(iter(knowledge.catalog.programs.values()))
        answer(Inquiry(f"{program.name}の上限は?", date.min), knowledge)
        return knowledge.searcher

    def _open(self) -> "Knowledge":
        """The index as it now is: opened on the first call, and again when a newer generation is there."""
        from bot.answering import open_knowledge

        with self._opening, span("open"):
            if self._knowledge is None:
                settings = self._settings
                self._model = _open_model(settings)
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
