"""A chat model behind one setting, through LangChain. Imported only where a model is configured.

What comes out of it is data that nobody has checked: bot/understanding/model.py and bot/choosing.py decide what of it
counts, and none of its words are shown.
"""

import asyncio
import json
import os
import re
import time
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import aclosing
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path
from textwrap import shorten
from typing import Any

from langchain.chat_models import init_chat_model
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessageChunk, BaseMessage, HumanMessage, SystemMessage
from langchain_core.runnables import RunnableSequence

from bot.masking import mask
from bot.settings import SettingsError

_PROVIDERS = {"azure": "azure_openai", "google": "google_genai"}
"""Short names of providers, by the name that LangChain has for them."""

_EXTRAS = {
    "openai": "openai",
    "azure_openai": "azure",
    "anthropic": "anthropic",
    "google_genai": "google_genai",
    "bedrock": "bedrock",
    "bedrock_converse": "bedrock",
    "ollama": "ollama",
}
"""The optional dependencies of pyproject.toml that hold a provider."""

_PROMPTS = Path(__file__).parent / "prompts"

_CHARACTERS_A_TOKEN = 4
"""No reply within its limit of tokens has more characters than this for each; what goes on is not read."""

_FAILURES = 5
_PAUSE_SECONDS = 30.0
"""After so many failures in a row the model is left alone for so long."""

_PLAIN_SECONDS = 3600.0
"""How long a provider that refused structured output is asked without it."""


_REASON_CHARACTERS = 240
"""So much is told of why a provider's package refuses, which may go on for a page."""


class ModelSettingError(SettingsError):
    """The chat model that is set cannot be used; the message says what to change."""


class ModelError(Exception):
    """The model gave nothing that can be used. `outcome` says why, in a word for logs and counts."""

    outcome = "failed"


class OverBudgetError(ModelError):
    """The tokens of the day are spent."""

    outcome = "over_budget"


class PausedError(ModelError):
    """The model has failed again and again, and is left alone for a while."""

    outcome = "paused"


class MalformedError(ModelError):
    """The reply is no JSON of the form that was asked for, or goes on beyond what is read."""

    outcome = "malformed"


class SlowError(ModelError):
    """The reply was not there in time."""

    outcome = "slow"


@dataclass(frozen=True)
class Prompt:
    """What is sent for one reply: the instructions, the JSON schema of the reply, and the message with its material."""

    instructions: str
    schema: Mapping[str, Any]
    message: str


@dataclass
class Meter:
    """What the model took for one message: tokens sent and read, estimated from above, and seconds."""

    tokens: int = 0
    seconds: float = 0.0


class Breaker:
    """Keeps a provider that fails again and again from being waited for."""

    def __init__(self, now: Callable[[], float]) -> None:
        """Starts closed. `now` is a clock in seconds."""
        self._now = now
        self._failures = 0
        self._opened_at = 0.0

    def allows(self) -> bool:
        """Whether the provider may be asked."""
        return self._failures < _FAILURES or self._now() - self._opened_at >= _PAUSE_SECONDS

    def note(self, *, failed: bool) -> None:
        """Counts how a request ended."""
        self._failures = self._failures + 1 if failed else 0
        self._opened_at = self._now()


class ChatModel:
    """The configured model, with what it may use and how long it is trusted."""

    def __init__(
        self,
        model: BaseChatModel,
        name: str,
        *,
        max_tokens: int,
        daily_tokens: int = 0,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        """Wraps a LangChain model.

        Args:
            model: as LangChain opens it.
            name: by which logs and counts call it.
            max_tokens: the longest reply.
            daily_tokens: what may be used in a day; 0 is no limit.
            now: a clock in seconds.
        """
        self.name = name
        self._model = model
        self._most_characters = _CHARACTERS_A_TOKEN * max_tokens
        self._daily_tokens = daily_tokens
        self._now = now
        self._day = date.min
        self._spent = 0
        self._breaker = Breaker(now)
        self._plain_since: float | None = None

    def tokens_spent(self, day: date) -> int:
        """Tokens used on this day by this process, estimated from above."""
        return self._spent if day == self._day else 0

    async def reply(self, prompt: Prompt, day: date, seconds: float, meter: Meter) -> dict[str, Any]:
        """The model's reply: an object with the properties of the schema. Its values are not checked.

        Args:
            prompt: what is sent; telephone numbers and the like are masked before that.
            day: whose budget it is.
            seconds: the longest time to wait.
            meter: counts what it takes, however it ends.

        Raises:
            ModelError: there is none; `outcome` says why.
        """
        if day != self._day:
            self._day, self._spent = day, 0
        if self._daily_tokens and self._spent >= self._daily_tokens:
            raise OverBudgetError
        if not self._breaker.allows():
            raise PausedError
        started = time.perf_counter()
        try:
            async with asyncio.timeout(seconds):
                found = _read_object(await self._text(prompt, meter), frozenset(prompt.schema["required"]))
        except TimeoutError:
            self._breaker.note(failed=True)
            raise SlowError from None
        except ModelError:
            self._breaker.note(failed=True)
            raise
        except Exception as error:
            self._breaker.note(failed=True)
            raise ModelError(type(error).__name__) from error
        finally:
            meter.seconds += time.perf_counter() - started
        self._breaker.note(failed=False)
        return found

    async def _text(self, prompt: Prompt, meter: Meter) -> str:
        """The reply's text: by structured output where the provider has it, else plainly."""
        message = mask(prompt.message)
        messages = [SystemMessage(prompt.instructions), HumanMessage(message)]
        self._count(len(prompt.instructions) + len(message), meter)
        if self._plain_since is None or self._now() - self._plain_since >= _PLAIN_SECONDS:
            try:
                return await self._gathered(self._structured(messages, prompt.schema), meter)
            except Exception as error:
                if not _has_no_structured_output(error):
                    raise
            text = await self._gathered(self._plainly(messages), meter)
            self._plain_since = self._now()
            return text
        return await self._gathered(self._plainly(messages), meter)

    def _count(self, characters: int, meter: Meter) -> None:
        self._spent += characters  # a token is about a character of Japanese
        meter.tokens += characters

    async def _gathered(self, pieces: AsyncGenerator[str], meter: Meter) -> str:
        text = ""
        async with aclosing(pieces):
            async for piece in pieces:
                text += piece
                self._count(len(piece), meter)
                if len(text) > self._most_characters:
                    raise MalformedError("the reply does not end")
        return text

    async def _structured(self, messages: list[BaseMessage], schema: Mapping[str, Any]) -> AsyncGenerator[str]:
        """As the form has it. Only the first step of LangChain's chain: its parser would read a flood to the end."""
        chain = self._model.with_structured_output(dict(schema))
        asked = chain.first if isinstance(chain, RunnableSequence) else chain
        async for chunk in asked.astream(messages):
            if isinstance(chunk, BaseMessage):
                yield _text_of(chunk)

    async def _plainly(self, messages: list[BaseMessage]) -> AsyncGenerator[str]:
        async for chunk in self._model.astream(messages):
            yield _text_of(chunk)


def _read_object(text: str, required: frozenset[str]) -> dict[str, Any]:
    """The object in a reply that has the properties asked for; fences and thoughts around it are passed over."""
    for opening in re.finditer(r"\{", text):
        try:
            found, _ = json.JSONDecoder().raw_decode(text, opening.start())
        except (ValueError, RecursionError):
            continue
        if isinstance(found, dict) and required <= found.keys():
            return found
    raise MalformedError("no object of the form")


def _text_of(chunk: BaseMessage) -> str:
    """The JSON of a chunk: its text, or the arguments of the tool call that carries structured output."""
    calls = chunk.tool_call_chunks if isinstance(chunk, AIMessageChunk) else []
    return "".join(call["args"] or "" for call in calls) or str(chunk.text)


def _has_no_structured_output(error: Exception) -> bool:
    """Whether the provider refuses the form and not the question."""
    return isinstance(error, NotImplementedError) or getattr(error, "status_code", None) in (400, 404, 422)


def open_chat_model(
    name: str,
    *,
    base_url: str = "",
    api_key: str = "",
    temperature: float = 0.0,
    seconds: float = 20.0,
    retries: int = 1,
    max_tokens: int = 600,
    daily_tokens: int = 0,
    tracing: bool = False,
    now: Callable[[], float] = time.monotonic,
) -> ChatModel:
    """Opens the model that LLM names.

    Args:
        name: provider and model ("openai:gpt-…", "anthropic:…"); with a base URL the model alone will do.
        base_url: the address of a server that speaks the OpenAI API.
        api_key: its key, or the provider's; empty: from the provider's own environment variable.
        temperature: of the model.
        seconds: time limit of one request.
        retries: how often a failed request is repeated.
        max_tokens: the longest reply.
        daily_tokens: what may be used in a day; 0 is no limit.
        tracing: whether LangChain may report to a tracing service.
        now: a clock in seconds.

    Raises:
        ModelSettingError: the name, or the provider's package, is not there.
    """
    if not tracing:
        os.environ["LANGSMITH_TRACING"] = os.environ["LANGCHAIN_TRACING_V2"] = "false"
    provider, separator, model = name.partition(":")
    if not separator:  # settings refuse that without a base URL
        provider, model = "openai", name
    provider = _PROVIDERS.get(provider, provider)
    options: dict[str, Any] = {
        "temperature": temperature,
        "timeout": seconds,
        "max_retries": retries,
        "max_tokens": max_tokens,
    }
    if base_url:
        options["base_url"] = base_url
    if api_key or (base_url and provider == "openai"):
        options["api_key"] = api_key or "none"
    try:
        opened = init_chat_model(model, model_provider=provider, **options)
    except ImportError:
        extra = _EXTRAS.get(provider)
        remedy = (
            f"make setup(pyproject.toml の extra「{extra}」)"
            if extra
            else f"langchain の {provider} 用のパッケージを入れる"
        )
        raise ModelSettingError(f"LLM={name} に要るパッケージがありません。入れ方: {remedy}") from None
    except Exception as error:
        raise ModelSettingError(
            f"LLM={name} を開けません。提供元の鍵と接続先(LLM_API_KEY、LLM_BASE_URL か、提供元の環境変数)と、"
            f"LLM のモデル名を確かめてください(理由: {shorten(str(error), _REASON_CHARACTERS)})。"
        ) from None
    _import_rest(opened)
    return ChatModel(opened, name, max_tokens=max_tokens, daily_tokens=daily_tokens, now=now)


def _import_rest(opened: BaseChatModel) -> None:
    """Has openai import what it would at the first streamed request: seconds in which nobody would be answered."""
    if (client := getattr(opened, "root_async_client", None)) is not None:
        _ = client.beta.chat


@cache
def instructions(name: str) -> str:
    """The instructions of this name, from bot/prompts."""
    return (_PROMPTS / f"{name}.md").read_text("utf-8").strip()
