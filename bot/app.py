"""The web application: wires the service, the channels and what operators watch."""

import asyncio
import logging
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from datetime import datetime
from importlib import import_module
from typing import Annotated

from fastapi import Depends, FastAPI, Request, Response
from fastapi.responses import JSONResponse
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from prometheus_client import CONTENT_TYPE_PLAIN_0_0_4
from sqlalchemy.exc import SQLAlchemyError
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from bot.answerer import Answerer
from bot.briefing import web as briefings
from bot.briefing.asking import Asking
from bot.briefing.feed import Feed
from bot.briefing.hearing import Hearing
from bot.briefing.hosting import Hosting
from bot.briefing.sessions import NAME as BRIEFING
from bot.channels import web
from bot.channels.limits import TOO_MANY, RateLimit
from bot.delivery import SLOTS, SLOTS_WITH_MODEL, Channel, Delivery
from bot.service import Service
from bot.settings import Settings, read_clock
from bot.watching import watch
from bot.worker import AnswererProcess
from knowledge.types import IndexMissingError

_LARGEST_BODY = 256 * 1024
"""In bytes: room for the longest message that a setting allows, escaped."""

_LARGEST_WEBHOOK = 1024 * 1024
"""In bytes: room for a platform's batch of events, each with the longest text that it takes."""

_WEBHOOKS = ("/line/webhook", "/slack/events")

_HEADERS = {
    "Cache-Control": "no-cache",  # answers change with the day, and the page's files with each release
    "Content-Security-Policy": web.PAGE_POLICY,
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}

_UNWRITABLE = (
    "会話の記録先に書き込めません。ディスクの空き、書き込みの権限、データベースの状態を確かめてください。"
    "詳しくはサーバーの記録(ログ)にあります。"
)

_log = logging.getLogger(__name__)


def build_app(
    settings: Settings, now: Callable[[], datetime] = read_clock, answerer: Answerer | AnswererProcess | None = None
) -> FastAPI:
    """Builds the application; its service is `app.state.service`.

    Args:
        settings: what it serves, and from where.
        now: the clock, in Japan's time.
        answerer: answers in a process of its own; in this one if left out.

    Raises:
        CatalogError: a file of the programs is wrong.
        StorageError: the data folder or the database's URL cannot be used.
    """
    service = Service(settings, now, answerer or Answerer(settings))
    app = FastAPI(title="madoguchi", docs_url=None, redoc_url=None)
    asking = Asking(service.briefings)
    feed = Feed(service.briefings)
    hosting = Hosting(service.briefings, service.inbox)
    hearing = Hearing(service, asking, hosting)
    platforms = _add_platforms(app, service, hearing, asking, settings, now)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        await service.open()
        background = [asyncio.create_task(service.purge_daily()), asyncio.create_task(service.look_after_desk())]
        if settings.chroma_url:
            from knowledge.sharing import open_shelf  # numpy, which takes its time

            if shelf := open_shelf(settings.database_url, settings.chroma_url, settings.data_dir):
                background.append(asyncio.create_task(shelf.follow()))
        if settings.watch_hours:
            tell = service.desk.tell_of_changes if service.desk else None
            looking = watch(settings.data_dir, settings.watch_hours, service.metrics, tell)
            background.append(asyncio.create_task(looking))
        async with platforms():
            yield
        for task in background:
            task.cancel()
        await asyncio.gather(*background, return_exceptions=True)
        await service.close()
        await service.answerer.close()

    app.router.lifespan_context = lifespan
    app.state.service = service
    app.state.feed = feed
    app.add_middleware(_Edge)
    web.refuse_in_japanese(app)
    app.include_router(web.routes(service, settings, now))
    parts = briefings.Parts(service, asking, hosting, feed, settings, now)
    app.include_router(briefings.routes(parts), include_in_schema=False)

    _add_probes(app, service, settings, now)
    return app


def _add_probes(app: FastAPI, service: Service, settings: Settings, now: Callable[[], datetime]) -> None:
    """What operators and their machines ask."""
    limit = RateLimit(settings.rate_per_client)  # it costs a write
    token = settings.metrics_token

    @app.get("/healthz")
    async def healthz() -> JSONResponse:
        return JSONResponse({"status": "ok"})

    @app.get("/readyz")
    async def readyz(request: Request) -> JSONResponse:
        if not limit.allows(request.client.host if request.client else "", now()):
            return _unavailable(429, TOO_MANY)
        try:
            await service.check()
        except IndexMissingError as error:
            return _unavailable(503, str(error))
        except (SQLAlchemyError, OSError):  # what it says may name hosts and files, and anybody can ask here
            _log.exception("the database cannot be written to")
            return _unavailable(503, _UNWRITABLE)
        return JSONResponse({"status": "ready"})

    @app.get("/metrics")
    async def metrics(
        given: Annotated[HTTPAuthorizationCredentials | None, Depends(HTTPBearer(auto_error=False))],
    ) -> Response:
        if not token:
            return _unavailable(404, "METRICS_TOKEN を設定すると、そのトークンでここから計測値を読めます。")
        if not given or not secrets.compare_digest(given.credentials.encode(), token.encode()):
            response = _unavailable(401, "Authorization: Bearer に METRICS_TOKEN の値を付けてください。")
            response.headers["WWW-Authenticate"] = "Bearer"
            return response
        return Response(await service.measured(), media_type=CONTENT_TYPE_PLAIN_0_0_4)


def _unavailable(status: int, reason: str) -> JSONResponse:
    return JSONResponse({"status": "unavailable", "reason": reason}, status)


def _add_platforms(
    app: FastAPI,
    service: Service,
    hearing: Hearing,
    asking: Asking,
    settings: Settings,
    now: Callable[[], datetime],
) -> Callable[[], AbstractAsyncContextManager[None]]:
    """Adds the routes of the platforms that are configured; returns what connects to them and delivers.

    Their SDKs take a second to import, so only those that are needed are, and what sends is after the start.
    """
    connections: list[Callable[[AsyncExitStack, dict[str, Channel]], Awaitable[None]]] = []
    limit = RateLimit(settings.rate_per_conversation)
    if settings.line_channel_secret:
        from bot.channels import line_webhook

        app.include_router(line_webhook.routes(service.inbox, settings.line_channel_secret), include_in_schema=False)

        async def connect_line(stack: AsyncExitStack, channels: dict[str, Channel]) -> None:
            line = await asyncio.to_thread(import_module, "bot.channels.line")
            connection = line.connected(settings.line_channel_access_token, settings.line_api_url)
            api = await stack.enter_async_context(connection)
            briefed = line.LineSessions(service, hearing, asking)
            channel = line.LineChannel(service, briefed, api, limit, now, settings.line_push_reserve)
            channels[line_webhook.NAME] = channel
            if service.desk:
                service.desk.quota_left = channel.quota_left

        connections.append(connect_line)
    if settings.slack_bot_token:
        from bot.channels import slack
        from bot.desk.slack import DeskInSlack

        client = slack.connect(settings.slack_bot_token, settings.slack_api_url)
        desk = DeskInSlack(service.desk, service.inbox, client, now) if service.desk else None
        bolt = slack.build_bolt(service, service.inbox, client, settings.slack_signing_secret, desk)
        if not settings.slack_app_token:
            app.include_router(slack.routes(bolt), include_in_schema=False)

        async def connect_slack(stack: AsyncExitStack, channels: dict[str, Channel]) -> None:
            channels[slack.NAME] = slack.Slack(service, service.inbox, client, limit, now, desk)
            if settings.slack_app_token:
                await stack.enter_async_context(slack.socket_mode(bolt, settings.slack_app_token, client))

        connections.append(connect_slack)

    async def deliver(stopping: asyncio.Event) -> None:
        async with AsyncExitStack() as stack:
            channels: dict[str, Channel] = {BRIEFING: hearing}
            await asyncio.to_thread(import_module, "bot.briefing.merging")  # numpy takes its time, too
            for connect in connections:
                await connect(stack, channels)
            slots = SLOTS_WITH_MODEL if settings.llm else SLOTS
            count = service.metrics.count_delivery
            delivery = Delivery(service.inbox, channels, service.record, count, slots, service.tracing)
            await stack.enter_async_context(delivery.running())
            await stopping.wait()

    @asynccontextmanager
    async def delivering() -> AsyncIterator[None]:
        stopping = asyncio.Event()
        task = asyncio.create_task(deliver(stopping))  # what arrives is acknowledged before we can answer
        try:
            yield
        finally:
            stopping.set()
            await task

    return delivering


class _Edge:
    """Adds the headers to every response, and refuses a body that is too large while it arrives."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._headers = [(name.lower().encode(), value.encode()) for name, value in _HEADERS.items()]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        received = 0
        largest = _LARGEST_WEBHOOK if scope.get("path") in _WEBHOOKS else _LARGEST_BODY

        async def receive_limited() -> Message:
            nonlocal received
            message = await receive()
            received += len(message.get("body", b""))
            if received > largest:
                raise HTTPException(413)
            return message

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], *self._headers]
            await send(message)

        await self._app(scope, receive_limited, send_with_headers)
