"""The web application: builds what the settings ask for, and joins channels, answering and the record."""

import asyncio
import logging
import threading
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import datetime, timedelta

from fastapi import FastAPI
from fastapi.responses import JSONResponse
from sqlalchemy.exc import SQLAlchemyError
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from bot.answering import Knowledge, answer, open_knowledge
from bot.channels import web
from bot.conversations import Conversations, read_id_hash_key
from bot.settings import Settings, read_clock
from bot.types import Answer, Inquiry
from knowledge.catalog import load_catalog
from knowledge.store import IndexMissingError

_LARGEST_BODY = 256 * 1024
"""In bytes: room for the longest message that a setting allows, escaped, and for a platform's batch of events."""

_SECURITY_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}

_log = logging.getLogger(__name__)


class Desk:
    """Answers a message from any channel: recalls its conversation, answers in a thread, records the turn."""

    def __init__(self, settings: Settings, now: Callable[[], datetime]) -> None:
        """Opens nothing yet but the data folder's key.

        Raises:
            StorageError: the data folder or the database's URL cannot be used.
        """
        self._settings = settings
        self._now = now
        self._knowledge: Knowledge | None = None
        self._opening = threading.Lock()
        key = read_id_hash_key(settings.data_dir, settings.id_hash_key)
        self.conversations = Conversations(settings.stored_in, key)

    def knowledge(self) -> Knowledge:
        """The index as it now is: opened on the first call, and again when a newer generation is there.

        Raises:
            IndexMissingError: the documents have not been ingested.
        """
        with self._opening:
            if self._knowledge is None:
                settings = self._settings
                self._knowledge = open_knowledge(settings.data_dir, settings.embedding_model, settings.documents_only)
            else:
                self._knowledge.refresh()
            return self._knowledge

    async def ask(self, sender: str, text: str, choice: str = "") -> Answer:
        """Answers a message.

        Args:
            sender: channel and id of the person or room.
            text: the message; not needed with a choice.
            choice: the value of a choice that the last answer offered, when one was tapped.

        Raises:
            MessageRefusedError: it cannot be taken as a question; the text says why.
            IndexMissingError: the documents have not been ingested.
        """
        remembered = await self.conversations.recall(sender)
        if choice:
            text = next((offered.label for offered in remembered.choices if offered.value == choice), text)
        message = self._settings.read_message(text)
        moment = self._now()
        started = time.perf_counter()
        inquiry = Inquiry(message, moment.date(), remembered.conversation)
        answered, conversation = await asyncio.to_thread(lambda: answer(inquiry, self.knowledge()))
        await self.conversations.record(sender, message, answered, conversation, moment)
        _log.info("%s in %.0f ms", answered.status, (time.perf_counter() - started) * 1000)
        return answered

    async def check_storage(self) -> None:
        """Opens the record once, in this event loop, and closes it again.

        Raises:
            StorageError: it cannot be used.
        """
        await self.conversations.open()
        await self.conversations.close()

    async def purge(self) -> int:
        """Deletes what is older than the retention; returns how many turns that were."""
        return await self.conversations.purge(self._now() - timedelta(days=self._settings.retention_days))


def build_app(settings: Settings, now: Callable[[], datetime] = read_clock) -> FastAPI:
    """Builds the application.

    Args:
        settings: what it serves, and from where.
        now: the clock, in Japan's time.

    Raises:
        CatalogError: a file of the programs is wrong.
        StorageError: the data folder or the database's URL cannot be used.
    """
    desk = Desk(settings, now)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        await desk.conversations.open()
        await desk.purge()
        yield
        await desk.conversations.close()

    app = FastAPI(title="madoguchi", lifespan=lifespan, docs_url=None, redoc_url=None)
    app.add_middleware(_Edge)
    app.state.desk = desk
    web.refuse_in_japanese(app)
    app.include_router(web.routes(desk.ask, load_catalog().programs, settings, now))

    @app.get("/healthz")
    async def healthz() -> dict[str, str]:
        return {"status": "ok"}

    @app.get("/readyz")
    async def readyz() -> JSONResponse:
        try:
            await asyncio.to_thread(desk.knowledge)
            await desk.conversations.check()
        except IndexMissingError as error:
            return JSONResponse({"status": "unavailable", "reason": str(error)}, 503)
        except (SQLAlchemyError, OSError):
            _log.exception("the database does not answer")
            return JSONResponse({"status": "unavailable", "reason": "会話の記録先が応答しません。"}, 503)
        return JSONResponse({"status": "ready"})

    return app


class _Edge:
    """Adds the security headers to every response, and refuses a body that is too large while it arrives."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._headers = [(name.lower().encode(), value.encode()) for name, value in _SECURITY_HEADERS.items()]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        received = 0

        async def receive_limited() -> Message:
            nonlocal received
            message = await receive()
            received += len(message.get("body", b""))
            if received > _LARGEST_BODY:
                raise HTTPException(413)
            return message

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], *self._headers]
            await send(message)

        await self._app(scope, receive_limited, send_with_headers)
