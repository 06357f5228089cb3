"""The chat page and `POST /api/ask`: HTTP to a message, and an answer to JSON."""

import json
import secrets
from collections.abc import AsyncGenerator, Callable, Mapping
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter, FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import FileResponse, HTMLResponse, JSONResponse, PlainTextResponse, StreamingResponse
from fastapi.staticfiles import StaticFiles
from pydantic import BaseModel, BeforeValidator, Field, Json, StrictStr
from pydantic_core import from_json
from starlette.exceptions import HTTPException

from bot.channels.cards import lay_out_card
from bot.channels.limits import TOO_MANY, RateLimit
from bot.replies import FAILED
from bot.service import Service
from bot.settings import MessageRefusedError, Settings, storable
from bot.types import Answer, AnswerStatus, Turn, UnknownFactsError
from knowledge.types import Fact, IndexMissingError, Subject, Verdict

_PAGE = Path(__file__).parent / "page"

PAGE_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
"""What a page of ours may load: its own files, and nothing else."""

_NOT_READY = "ただいま準備中です。少し待ってから、もう一度お試しください。"
_NO_LONGER = "この記録は残っていません。"
_BAD_JSON = '送られた内容を読み取れません。Content-Type: application/json で {"text": "質問"} の形にしてください。'
_NO_PAGE = (
    '<!doctype html><html lang="ja"><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
    "<title>ページがありません</title><h1>このページはありません</h1>"
    '<p>アドレスを確かめるか、<a href="/">支援事業の窓口</a>からお尋ねください。</p></html>'
)
_BAD_HISTORY = (
    'conversation_histories(会話の履歴)は、[{"input": "以前の inputs のJSON"}] の形で50件まで並べるか、'
    "その形のJSONの文字列で送ってください。"
)
_PROBLEMS = {
    400: _BAD_JSON,
    404: "このページはありません。",
    405: "この操作には対応していません。",
    413: "送られた内容が大きすぎます。質問を短くして、もう一度お試しください。",
}
_FIELDS = {
    "turns": "turns は、回答に付いている turn の値を100個まで並べて送ってください。",
    "turn": "turn は、回答に付いている値で送ってください。",
    "helpful": "helpful は true か false で送ってください。",
    "note": "note(ひとこと)は1000文字までの文字列で送ってください。",
    "text": "text(質問)は文字列で送ってください。",
    "conversation_histories": _BAD_HISTORY,
    "conversation_history": _BAD_HISTORY,
    "question": "inputs.question(質問)は文字列で送ってください。",
    "inputs": '{"inputs": {"question": "質問"}} の形で送ってください。',
    "program": "program は、GET /api/programs にある id で送ってください。",
    "facts": 'facts は、答えのあった事柄とその値を {"fiscal_index": "0.6"} の形で送ってください。',
    "conversation_id": "conversation_id は、英数字と記号で128文字までの文字列で送ってください。",
}


ConversationId = Annotated[StrictStr, Field(pattern=r"\A[!-~]{0,128}\z")]


class RefusalError(HTTPException):
    """A request that is refused; its detail is for the person who made it."""


class AskBody(BaseModel):
    """The body of `POST /api/ask`."""

    text: StrictStr
    conversation_id: ConversationId | None = None


class Rating(BaseModel):
    """The body of `POST /api/rate`: whether an answer helped, and a note beside it."""

    turn: Annotated[StrictStr, Field(pattern=r"\A[0-9a-f]{32}\z")]
    helpful: bool
    note: Annotated[StrictStr, Field(max_length=1000)] = ""


class Owned(BaseModel):
    """The body of `POST /api/record` and `POST /api/forget`: whoever knows a conversation's id, owns it."""

    conversation_id: Annotated[StrictStr, Field(pattern=r"\A[!-~]{1,128}\z")]


class Given(BaseModel):
    """The body of `POST /api/corrections`: turns whose answers were shown."""

    turns: Annotated[list[Annotated[StrictStr, Field(pattern=r"\A[0-9a-f]{32}\z")]], Field(max_length=100)]


class Check(BaseModel):
    """The body of `POST /api/check`: the eligibility check as far as it is filled in."""

    program: StrictStr
    facts: dict[Fact, StrictStr] = {}
    conversation_id: ConversationId | None = None


class PartBody(BaseModel):
    """One of several things that a message asks, and its answer."""

    program: str | None
    subject: Subject | None
    status: AnswerStatus
    verdict: Verdict | None
    text: str


class AnswerBody(BaseModel):
    """An answer, or a refusal with the status `error`; docs/developing.md says what each field means."""

    id: str
    text: str
    status: AnswerStatus
    verdict: Verdict | None
    missing: list[Fact]
    citations: list[dict[str, str]]
    rulings: list[dict[str, Any]]
    choices: list[dict[str, str]]
    suggestions: list[str]
    understood: list[dict[str, Any]]
    parts: list[PartBody]
    conversation_id: str | None
    turn: str | None
    case: str | None
    forgotten: bool
    headlines: list[dict[str, Any]] = []
    staff: str = ""


_ANSWERS: dict[int | str, dict[str, Any]] = {status: {"model": AnswerBody} for status in (200, 400, 413, 422, 429, 503)}


class GenaiQuestion(BaseModel):
    """The inputs of a turn; 源内 makes a number of whatever looks like one."""

    question: Annotated[str, Field(coerce_numbers_to_str=True)]


class EarlierTurn(BaseModel):
    """A turn as 源内 hands it back: the inputs of that time, as JSON in a string."""

    input: Json[GenaiQuestion]


def _as_list(sent: Any) -> Any:
    """A list that was sent as JSON in a string; a field left empty is an empty one."""
    return from_json(sent or "[]") if isinstance(sent, str) else sent


Histories = Annotated[list[EarlierTurn], Field(max_length=50), BeforeValidator(_as_list)]


class GenaiInputs(GenaiQuestion):
    """What 源内 asks of an AI application; `conversation_history` is what the form of the application calls it."""

    conversation_histories: Histories = []
    conversation_history: Histories = []

    def turns(self) -> list[str]:
        """The questions of the conversation, the one to be answered last."""
        earlier = self.conversation_histories or self.conversation_history
        return [*(turn.input.question for turn in earlier), self.question]


class GenaiRequest(BaseModel):
    """The body of `POST /api/v1/genai`."""

    inputs: GenaiInputs


class GenaiResponse(BaseModel):
    """The answer to it, in Markdown."""

    outputs: str


def routes(service: Service, settings: Settings, now: Callable[[], datetime]) -> APIRouter:
    """The page at `/`, its files under `/page`, and the API."""
    router, api = APIRouter(), APIRouter()
    of_client = RateLimit(settings.rate_per_client)
    of_conversation = RateLimit(settings.rate_per_conversation)

    def as_json(turn: Turn, conversation_id: str) -> dict[str, Any]:
        return _as_json(turn, conversation_id, service)

    @router.api_route("/", methods=["GET", "HEAD"], include_in_schema=False)
    async def page() -> FileResponse:
        return FileResponse(_PAGE / "index.html")

    @router.get("/robots.txt", include_in_schema=False)
    async def robots() -> PlainTextResponse:
        return PlainTextResponse("User-agent: *\nDisallow: /api/\nDisallow: /b/\n")

    @api.get("/programs")
    async def named_programs() -> JSONResponse:
        return JSONResponse(
            [
                {"id": program.id, "name": program.name, "summary": program.summary}
                for program in service.programs.values()
            ]
        )

    def refused(conversation_id: str, request: Request) -> JSONResponse | None:
        moment = now()
        client = request.client.host if request.client else ""
        if of_client.allows(client, moment) and of_conversation.allows(conversation_id, moment):
            return None
        service.metrics.count_refused("web")
        return _refusal(429, TOO_MANY, conversation_id, {"Retry-After": str(60 - moment.second)})

    @api.post("/ask", responses=_ANSWERS)
    async def answer(question: AskBody, request: Request) -> JSONResponse:
        conversation_id = question.conversation_id or secrets.token_urlsafe(16)
        if refusal := refused(conversation_id, request):
            return refusal
        try:
            answered = await service.ask(f"web:{conversation_id}", question.text)
        except MessageRefusedError as error:
            return _refusal(422, str(error), conversation_id)
        except IndexMissingError:
            return _refusal(503, _NOT_READY, conversation_id, {"Retry-After": "10"})
        return JSONResponse(as_json(answered, conversation_id))

    @api.post("/check", responses=_ANSWERS)
    async def check(checked: Check, request: Request) -> JSONResponse:
        """A step of the eligibility check: the next question with its choices, or the outcome."""
        conversation_id = checked.conversation_id or secrets.token_urlsafe(16)
        if refusal := refused(conversation_id, request):
            return refusal
        if checked.program not in service.programs:
            return _refusal(422, _FIELDS["program"], conversation_id)
        try:
            answered = await service.fill_in(f"web:{conversation_id}", checked.program, checked.facts)
        except UnknownFactsError:
            return _refusal(422, _FIELDS["facts"], conversation_id)
        except IndexMissingError:
            return _refusal(503, _NOT_READY, conversation_id, {"Retry-After": "10"})
        return JSONResponse(as_json(answered, conversation_id))

    @api.post("/ask/stream")
    async def answer_as_it_grows(question: AskBody, request: Request) -> Response:
        """The answer of `/api/ask` as server-sent events, each the whole answer so far; `done` is the last."""
        conversation_id = question.conversation_id or secrets.token_urlsafe(16)
        if refusal := refused(conversation_id, request):
            return refusal
        answers = service.stream(f"web:{conversation_id}", question.text)
        try:
            first = await anext(answers)
        except MessageRefusedError as error:
            return _refusal(422, str(error), conversation_id)
        except IndexMissingError:
            return _refusal(503, _NOT_READY, conversation_id, {"Retry-After": "10"})

        async def events() -> AsyncGenerator[str]:
            answered = first
            yield _event("answer", as_json(answered, conversation_id))
            async for answered in answers:
                yield _event("answer", as_json(answered, conversation_id))
            yield _event("done", as_json(answered, conversation_id))

        headers = {"Cache-Control": "no-cache", "X-Accel-Buffering": "no"}
        return StreamingResponse(events(), media_type="text/event-stream", headers=headers)

    @router.post("/api/v1/genai", response_model=GenaiResponse)
    async def answer_genai(asked: GenaiRequest, request: Request) -> JSONResponse:
        """An answer in the form of 源内's AI applications, which keep the conversation: nothing is recorded here."""
        if refusal := refused(secrets.token_urlsafe(16), request):
            return refusal
        try:
            answered = await service.answer_turns(asked.inputs.turns())
        except MessageRefusedError as error:
            return JSONResponse({"outputs": str(error)})
        except IndexMissingError:
            return _refusal(503, _NOT_READY, headers={"Retry-After": "10"})
        return JSONResponse({"outputs": _markdown(answered)})

    @api.post("/rate")
    async def rate(rating: Rating, request: Request) -> JSONResponse:
        """Keeps whether an answer helped; where it did not and officials are there, offers to ask them."""
        if refusal := refused(rating.turn, request):
            return refusal
        if not await service.rate(rating.turn, rating.helpful):
            return _refusal(404, _NO_LONGER)
        if rating.note:
            await service.note(rating.turn, storable(rating.note))
        offered = [service.staff_label] if service.desk and not rating.helpful else []
        return JSONResponse({"suggestions": offered})

    @api.post("/record")
    async def record(owned: Owned, request: Request) -> JSONResponse:
        """All that is stored of a conversation."""
        if refusal := refused(owned.conversation_id, request):
            return refusal
        return JSONResponse((await service.own_record(f"web:{owned.conversation_id}")).as_json())

    @api.post("/forget")
    async def forget(owned: Owned, request: Request) -> JSONResponse:
        """Deletes all that is stored of a conversation."""
        if refusal := refused(owned.conversation_id, request):
            return refusal
        await service.forget(person=f"web:{owned.conversation_id}")
        return JSONResponse({"forgotten": True})

    @api.get("/cases/{key}")
    async def case(key: str, request: Request) -> JSONResponse:
        """How a case stands, and what officials have written to its asker, who alone knows the key."""
        if refusal := refused(key, request):
            return refusal
        told = await service.desk.told(key) if service.desk else None
        return JSONResponse(told) if told else _refusal(404, _NO_LONGER)

    @api.post("/corrections")
    async def corrections(given: Given, request: Request) -> JSONResponse:
        """What officials have put right of answers that were given here, by those who know their turns."""
        if refusal := refused(given.turns[0] if given.turns else "", request):
            return refusal
        told = await service.desk.told_right(given.turns) if service.desk else []
        return JSONResponse({"corrections": told})

    router.include_router(api, prefix="/api/v1")
    router.include_router(api, prefix="/api", include_in_schema=False)  # as it was before it had a version
    router.mount("/page", StaticFiles(directory=_PAGE))
    return router


def refuse_in_japanese(app: FastAPI) -> None:
    """Gives every error of the application the form of an answer."""

    async def invalid(request: Request, error: Exception) -> JSONResponse:
        assert isinstance(error, RequestValidationError)
        within_body = reversed(error.errors()[0]["loc"][1:3])  # a field, not what lies inside it
        field = next((str(name) for name in within_body if name in _FIELDS), "")
        return _refusal(422, _FIELDS[field]) if field else _refusal(400, _BAD_JSON)

    async def http_error(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        if error.status_code == 404 and "text/html" in request.headers.get("accept", ""):
            return HTMLResponse(_NO_PAGE, 404)
        own = error.detail if isinstance(error, RefusalError) else ""
        return _refusal(error.status_code, own or _PROBLEMS.get(error.status_code, FAILED), headers=error.headers)

    async def failed(request: Request, error: Exception) -> JSONResponse:
        return _refusal(500, FAILED)

    app.add_exception_handler(RequestValidationError, invalid)
    app.add_exception_handler(HTTPException, http_error)
    app.add_exception_handler(Exception, failed)


def _as_json(turn: Turn, conversation_id: str, service: Service) -> dict[str, Any]:
    """An answer with the names by which it is gone on from, rated, and the case that it tells of is asked for.

    `headlines` is its rulings at a glance, `staff` what leads to people where they may be asked.
    """
    shown = lay_out_card(turn.answer, service.programs).headlines
    staff = service.staff_label if turn.answer.rateable else ""
    named = {"conversation_id": conversation_id, "turn": turn.key, "case": turn.answer.case or None}
    return {
        **turn.answer.as_json(),
        **named,
        "forgotten": turn.own == "forgotten",
        "headlines": list(map(asdict, shown)),
        "staff": staff,
    }


def _markdown(answer: Answer) -> str:
    """An answer with its choices, line by line as it is."""
    lines = answer.text.replace("\n", "  \n")
    return "\n".join((lines, *(("", *(f"- {choice.label}" for choice in answer.choices)) if answer.choices else ())))


def _event(name: str, content: dict[str, Any]) -> str:
    return f"event: {name}\ndata: {json.dumps(content, ensure_ascii=False)}\n\n"


def _refusal(
    status: int, text: str, conversation_id: str | None = None, headers: Mapping[str, str] | None = None
) -> JSONResponse:
    """What could not be answered, in the form of an answer."""
    named = {"conversation_id": conversation_id, "turn": None, "case": None, "forgotten": False}
    content = {**Answer(text, AnswerStatus.ERROR).as_json(), **named}
    return JSONResponse(content, status, headers)
