"""The chat page and `POST /api/ask`: HTTP to a message, and an answer to JSON."""

import secrets
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter, FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import FileResponse, JSONResponse
from fastapi.staticfiles import StaticFiles
from pydantic import BaseModel, Field, StrictStr
from starlette.exceptions import HTTPException

from bot.settings import MessageRefusedError, Settings
from bot.types import Answer, AnswerStatus
from knowledge.store import IndexMissingError
from knowledge.types import Program

PAGE = Path(__file__).parent / "page"

Ask = Callable[[str, str, str], Awaitable[Answer]]
"""Answers (sender, text, value of a tapped choice)."""

_FAILED = "申し訳ありません。こちらの不具合で答えられませんでした。少し待ってから、もう一度お試しください。"
_NOT_READY = "ただいま準備中です。少し待ってから、もう一度お試しください。"
_TOO_MANY = "質問が続いたため、少しお休みしています。1分ほど待ってから、もう一度お試しください。"
_TOO_LARGE = "送られた内容が大きすぎます。質問を短くして、もう一度お試しください。"
_NOT_FOUND = "このページはありません。"
_NOT_ALLOWED = "この操作には対応していません。"
_BAD_JSON = '送られた内容を読み取れません。Content-Type: application/json で {"text": "質問"} の形にしてください。'
_FIELDS = {
    "text": "text(質問)は文字列で送ってください。",
    "conversation_id": "conversation_id は128文字までの文字列で送ってください。",
    "choice": "choice(選択肢の値)は128文字までの文字列で送ってください。",
}

_Name = Annotated[StrictStr, Field(max_length=128)]


class Question(BaseModel):
    """The body of `POST /api/ask`. With `choice`, one that the last answer offered, `text` is not needed."""

    text: StrictStr = ""
    conversation_id: _Name | None = None
    choice: _Name = ""


class RateLimit:
    """Counts how often each key comes within a minute of the clock."""

    def __init__(self, per_minute: int) -> None:
        """Allows so many a minute for each key."""
        self._per_minute = per_minute
        self._minute = -1
        self._counts: Counter[str] = Counter()

    def allows(self, key: str, now: datetime) -> bool:
        """Whether this key may come once more."""
        minute = int(now.timestamp()) // 60
        if minute != self._minute:
            self._minute, self._counts = minute, Counter()
        self._counts[key] += 1
        return self._counts[key] <= self._per_minute


def routes(ask: Ask, programs: Mapping[str, Program], settings: Settings, now: Callable[[], datetime]) -> APIRouter:
    """The page at `/`, its files under `/page`, and the API."""
    router = APIRouter()
    of_client = RateLimit(settings.rate_per_client)
    of_conversation = RateLimit(settings.rate_per_conversation)

    @router.get("/", include_in_schema=False)
    async def page() -> FileResponse:
        return FileResponse(PAGE / "index.html", headers={"Cache-Control": "no-cache"})

    @router.get("/api/programs")
    async def named_programs() -> list[dict[str, str]]:
        return [
            {"id": program.id, "name": program.name, "short_name": program.short_name, "summary": program.summary}
            for program in programs.values()
        ]

    @router.post("/api/ask")
    async def answer(question: Question, request: Request) -> JSONResponse:
        conversation_id = question.conversation_id or secrets.token_urlsafe(16)
        moment = now()
        client = request.client.host if request.client else ""
        if not (of_client.allows(client, moment) and of_conversation.allows(conversation_id, moment)):
            return refusal(429, _TOO_MANY, conversation_id, {"Retry-After": str(60 - moment.second)})
        try:
            answered = await ask(f"web:{conversation_id}", question.text, question.choice)
        except MessageRefusedError as error:
            return refusal(422, str(error), conversation_id)
        except IndexMissingError:
            return refusal(503, _NOT_READY, conversation_id, {"Retry-After": "10"})
        return JSONResponse({**answered.as_json(), "conversation_id": conversation_id})

    router.mount("/page", StaticFiles(directory=PAGE), name="page")
    return router


def refusal(
    status: int, text: str, conversation_id: str = "", headers: Mapping[str, str] | None = None
) -> JSONResponse:
    """What could not be answered, in the form of an answer."""
    content: dict[str, Any] = {**Answer(text, AnswerStatus.ERROR).as_json(), "conversation_id": conversation_id}
    return JSONResponse(content, status, headers)


def refuse_in_japanese(app: FastAPI) -> None:
    """Gives every error of the application the form of an answer."""

    async def invalid(request: Request, error: Exception) -> JSONResponse:
        assert isinstance(error, RequestValidationError)
        field = next((str(name) for name in error.errors()[0]["loc"][1:] if name in _FIELDS), "")
        return refusal(422, _FIELDS[field]) if field else refusal(400, _BAD_JSON)

    async def http_error(request: Request, error: Exception) -> JSONResponse:
        assert isinstance(error, HTTPException)
        texts = {404: _NOT_FOUND, 405: _NOT_ALLOWED, 413: _TOO_LARGE}
        return refusal(error.status_code, texts.get(error.status_code, _FAILED), headers=error.headers)

    async def failed(request: Request, error: Exception) -> JSONResponse:
        return refusal(500, _FAILED)

    app.add_exception_handler(RequestValidationError, invalid)
    app.add_exception_handler(HTTPException, http_error)
    app.add_exception_handler(Exception, failed)
