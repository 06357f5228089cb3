"""The pages of a session and what they call: HTTP to acts, and what is seen to JSON.

Who asks is a random value of the browser's own, hosts and the projector carry a secret behind the # of their links,
so neither stands in an address that a server logs.
"""

import io
import json
from collections.abc import AsyncGenerator, Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, Literal

import segno
from fastapi import APIRouter, Depends, Header, Request, Response
from fastapi.responses import FileResponse, JSONResponse, StreamingResponse
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from fastapi.staticfiles import StaticFiles
from pydantic import BaseModel, Field, StrictStr

from bot.briefing.asking import Asking
from bot.briefing.feed import Feed, TooManyListenersError
from bot.briefing.hosting import Act, ActRefusedError, ChangedMeanwhileError, Hosting
from bot.briefing.links import join_url, page_url, screen_url
from bot.briefing.sessions import NAME, Briefing, BriefingMissingError, Role, Sessions
from bot.briefing.sheet import FORMATS, candidates_of, write_sheet
from bot.briefing.views import Seen, for_hosts, look, of_asker
from bot.channels.limits import TOO_MANY, RateLimit
from bot.channels.web import RefusalError
from bot.delivery import Arrival
from bot.masking import mask
from bot.service import Service
from bot.settings import MessageRefusedError, Settings

_PAGE = Path(__file__).parent / "page"

_NO_SESSION = "この番号の説明会はありません。スクリーンの番号を確かめてください。"
_ENDED = "この説明会の質問の受付は終わりました。"
_NOT_ADMITTED = "このリンクでは開けません。説明会を開いた人から、もう一度リンクを受け取ってください。"
_CHANGED = "ほかの人がこの質問を変更しました。新しい内容を確かめて、もう一度操作してください。"
_NO_LINE = "LINEからは参加できません。"
_GONE = "この質問は、もうありません。"
_NO_SHEET = "シートの形式は docx、xlsx、md のどれかです。"
_NO_DESK = "FAQ候補を受け取る職員の窓口がありません。"
_FULL = "いま見ている人が多すぎます。少し待ってから、もう一度開いてください。"

_STREAMED = {"Cache-Control": "no-cache", "X-Accel-Buffering": "no"}

_Given = Annotated[HTTPAuthorizationCredentials | None, Depends(HTTPBearer(auto_error=False))]
Asker = Annotated[str, Header(alias="X-Asker", pattern=r"\A[A-Za-z0-9-]{16,64}\z")]


class BriefingQuestion(BaseModel):
    """What somebody asks; `id` is the page's own, the same whenever it sends the question again."""

    id: Annotated[StrictStr, Field(pattern=r"\A[A-Za-z0-9-]{8,64}\z")]
    text: StrictStr


class Tapped(BaseModel):
    """What an answer was worth."""

    tap: Literal["settled", "asked", "unhelpful"]


class HostAct(BaseModel):
    """What a host does; see `Act`. `seen` are pairs of number and version, the matter acted on first."""

    name: StrictStr
    seen: list[tuple[int, int]]
    text: StrictStr = ""
    questions: list[int] = []


class UnsentAnswer(BaseModel):
    """An answer before it is sent, and the question."""

    text: StrictStr
    question: StrictStr


class Undo(BaseModel):
    """The last act, as the host has seen it."""

    change: int


@dataclass(frozen=True)
class Parts:
    """What the routes of sessions are made of."""

    service: Service
    asking: Asking
    hosting: Hosting
    feed: Feed
    settings: Settings
    now: Callable[[], datetime]

    @property
    def sessions(self) -> Sessions:
        """All sessions."""
        return self.service.briefings

    async def found(self, code: str) -> Briefing:
        """The session of an address; refuses where there is none."""
        try:
            return await self.sessions.find(code)
        except BriefingMissingError:
            raise RefusalError(404, _NO_SESSION) from None

    def admitting(self, role: Role) -> Callable[[str, _Given], Awaitable[Briefing]]:
        """Finds the session of an address for those alone who have the secret of a role."""

        async def admitted(code: str, given: _Given) -> Briefing:
            briefing = await self.found(code)
            if not given or not self.sessions.admits(briefing, role, given.credentials):
                raise RefusalError(403, _NOT_ADMITTED)
            return briefing

        return admitted

    def base(self, request: Request) -> str:
        """The address of this service, as it is seen from outside."""
        return self.settings.public_url or str(request.base_url)

    async def streamed(self, code: str, render: Callable[[Seen], str]) -> Response:
        """What is seen of a session as server-sent events."""
        states = self.feed.follow(code, render)
        try:
            first = await anext(states)
        except TooManyListenersError:
            raise RefusalError(503, _FULL) from None

        async def events() -> AsyncGenerator[str]:
            yield f"event: state\ndata: {first}\n\n"
            async for state in states:
                yield f"event: state\ndata: {state}\n\n" if state is not None else ": \n\n"

        return StreamingResponse(events(), media_type="text/event-stream", headers=_STREAMED)


def routes(parts: Parts) -> APIRouter:
    """The pages under `/b`, and `/api/briefings`."""
    router = APIRouter()
    _add_pages(router, parts)
    _add_asking(router, parts)
    _add_hosting(router, parts)
    return router


def _add_pages(router: APIRouter, parts: Parts) -> None:
    def page(name: str) -> Callable[[], FileResponse]:
        return lambda: FileResponse(_PAGE / name)

    router.add_api_route("/b/{code}", page("ask.html"))
    router.add_api_route("/b/{code}/host", page("host.html"))
    router.add_api_route("/b/{code}/screen", page("screen.html"))
    router.mount("/briefing-page", StaticFiles(directory=_PAGE))

    @router.get("/b/{code}/qr.svg")
    async def qr(code: str, request: Request, to: Literal["page", "line"] = "page") -> Response:
        briefing = await parts.found(code)
        address = page_url(parts.base(request), briefing) if to == "page" else join_url(briefing)
        if not address:
            raise RefusalError(404, _NO_LINE)
        drawn = io.BytesIO()
        segno.make(address, micro=False, error="m").save(drawn, kind="svg", border=2, xmldecl=False, scale=8)
        return Response(drawn.getvalue(), media_type="image/svg+xml")


def _add_asking(router: APIRouter, parts: Parts) -> None:
    sessions, asking = parts.sessions, parts.asking
    of_person = RateLimit(parts.settings.rate_per_conversation)
    of_session = RateLimit(parts.settings.rate_per_client)

    async def open_to(code: str, asker: Asker) -> Briefing:
        briefing = await parts.found(code)
        if briefing.ended_at:
            raise RefusalError(410, _ENDED)
        moment = parts.now()
        if not (of_session.allows(briefing.code, moment) and of_person.allows(f"{briefing.code}:{asker}", moment)):
            raise RefusalError(429, TOO_MANY, {"Retry-After": str(60 - moment.second)})
        return briefing

    def sender(briefing: Briefing, asker: str) -> str:
        return f"{NAME}:{briefing.code}:{asker}"

    @router.post("/api/briefings/{code}/questions", status_code=202)
    async def ask(code: str, question: BriefingQuestion, asker: Asker) -> JSONResponse:
        """Takes a question: stored, it is answered in any case; the answer comes with the events."""
        briefing = await open_to(code, asker)
        try:
            text = parts.settings.read_message(question.text)
        except MessageRefusedError as error:
            raise RefusalError(422, str(error)) from None
        asks = sender(briefing, asker)
        id = f"{asks}:{question.id}"
        event = {"code": briefing.code, "sender": asks, "text": text, "id": id}
        await parts.service.inbox.put([Arrival(id, NAME, asks, event, id)])
        return JSONResponse({"event": sessions.hide(id)}, 202)

    @router.post("/api/briefings/{code}/questions/{id}/taps")
    async def tap(code: str, id: int, tapped: Tapped, asker: Asker) -> JSONResponse:
        briefing = await open_to(code, asker)
        if not await asking.tap(briefing, sender(briefing, asker), tapped.tap, question=id):
            raise RefusalError(404, _GONE)
        return JSONResponse({})

    @router.post("/api/briefings/{code}/matters/{number}/wants")
    async def want(code: str, number: int, asker: Asker) -> JSONResponse:
        briefing = await open_to(code, asker)
        if not await asking.want(briefing, number, sender(briefing, asker)):
            raise RefusalError(404, _GONE)
        return JSONResponse({})

    @router.get("/api/briefings/{code}/events")
    async def events(code: str, asker: Asker) -> Response:
        """The board and one's own questions, now and whenever they change (server-sent events)."""
        briefing = await parts.found(code)
        hidden = sessions.hide(sender(briefing, asker))

        def render(seen: Seen) -> str:
            return f'{{"board": {seen.board}, "mine": {_as_json(of_asker(seen, hidden))}}}'

        return await parts.streamed(briefing.code, render)


def _add_hosting(router: APIRouter, parts: Parts) -> None:
    sessions, hosting, service = parts.sessions, parts.hosting, parts.service
    as_host, as_screen = parts.admitting("host"), parts.admitting("screen")

    @router.get("/api/briefings/{code}/screen/events")
    async def screen(code: str, given: _Given, request: Request) -> Response:
        briefing = await as_screen(code, given)
        address = _as_json(page_url(parts.base(request), briefing))
        return await parts.streamed(briefing.code, lambda seen: f'{{"board": {seen.board}, "address": {address}}}')

    @router.get("/api/briefings/{code}/host/events")
    async def hosted(code: str, given: _Given, request: Request) -> Response:
        briefing = await as_host(code, given)
        base = parts.base(request)
        links = {"page": page_url(base, briefing), "screen": screen_url(base, briefing, sessions)}

        def render(seen: Seen) -> str:
            return _as_json({**for_hosts(seen), "links": links, "desk": bool(service.desk) and not briefing.test})

        return await parts.streamed(briefing.code, render)

    @router.post("/api/briefings/{code}/host/acts")
    async def act(code: str, given: _Given, wish: HostAct) -> JSONResponse:
        briefing = await as_host(code, given)
        done = Act(wish.name, dict(wish.seen), mask(wish.text), tuple(wish.questions))
        return await _tried(hosting.do(briefing, done))

    @router.post("/api/briefings/{code}/host/figures")
    async def figures(code: str, given: _Given, answer: UnsentAnswer) -> JSONResponse:
        """The figures of an answer that no rule and no document states, before it is sent."""
        await as_host(code, given)
        return JSONResponse({"unsupported": await service.unheld_figures(answer.text, answer.question, "")})

    @router.post("/api/briefings/{code}/host/undo")
    async def undo(code: str, given: _Given, wish: Undo) -> JSONResponse:
        return await _tried(hosting.undo(await as_host(code, given), wish.change))

    @router.post("/api/briefings/{code}/host/end")
    async def end(code: str, given: _Given) -> JSONResponse:
        await sessions.end((await as_host(code, given)).code)
        return JSONResponse({})

    @router.get("/api/briefings/{code}/host/sheet.{format}")
    async def sheet(code: str, given: _Given, format: str) -> Response:
        briefing = await as_host(code, given)
        if format not in FORMATS:
            raise RefusalError(404, _NO_SHEET)
        seen = await look(sessions, briefing)
        written = await write_sheet(seen, format, service.unheld_figures, service.programs)
        headers = {"Content-Disposition": f'attachment; filename="faq-{briefing.code}.{format}"'}
        return Response(written, media_type=FORMATS[format], headers=headers)

    @router.post("/api/briefings/{code}/host/candidates")
    async def propose(code: str, given: _Given) -> JSONResponse:
        """Hands what hosts have answered to officials, as candidates for their FAQ; each once."""
        briefing = await as_host(code, given)
        if service.desk is None or briefing.test:
            raise RefusalError(404, _NO_DESK)
        candidates = candidates_of(await look(sessions, briefing))
        await service.inbox.put([service.desk.offering(candidate) for candidate in candidates])
        return JSONResponse({"candidates": len(candidates)})


async def _tried(doing: Awaitable[None]) -> JSONResponse:
    try:
        await doing
    except ChangedMeanwhileError:
        raise RefusalError(409, _CHANGED) from None
    except ActRefusedError as refusal:
        raise RefusalError(422, str(refusal)) from None
    return JSONResponse({})


def _as_json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)
