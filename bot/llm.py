"""A chat model behind one setting, through LangChain. Imported only where a model is configured.

What comes out of it is text that nobody has checked: bot/reconciling.py decides what of it may be said.
"""

import json
import os
import re
from collections.abc import AsyncGenerator, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from langchain.chat_models import init_chat_model
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessageChunk, BaseMessage, HumanMessage, SystemMessage

from bot.masking import mask
from bot.settings import SettingsError
from bot.types import Inquiry

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

_PROMPTS = Path(__file__).parent / "prompts" / "answer.md"


class ModelSettingError(SettingsError):
    """The chat model that is set cannot be used; the message says what to change."""


class OverBudgetError(Exception):
    """The tokens of the day are spent."""


@dataclass(frozen=True)
class Reply:
    """The form in which the model is to reply: the schema, and its key that holds the list."""

    key: str
    fields: Mapping[str, Mapping[str, Any]]

    @property
    def schema(self) -> dict[str, Any]:
        """The form as JSON schema."""
        item = {
            "type": "object",
            "properties": dict(self.fields),
            "required": list(self.fields),
            "additionalProperties": False,
        }
        return {
            "title": self.key,
            "description": "The reply in the form that the instructions name.",
            "type": "object",
            "properties": {self.key: {"type": "array", "items": item}},
            "required": [self.key],
            "additionalProperties": False,
        }


SENTENCES = Reply("sentences", {"text": {"type": "string"}, "sources": {"type": "array", "items": {"type": "string"}}})
FACTS = Reply("facts", {name: {"type": "string"} for name in ("fact", "value", "evidence")})


class ObjectReader:
    """Reads the complete objects of a list out of JSON that arrives piece by piece.

    An object counts only once its closing brace is there, so that a reply that breaks off leaves no half figure. What
    stands around the objects (fences, thoughts) is passed over.
    """

    _LARGEST = 40_000

    def __init__(self, reply: Reply) -> None:
        """Looks for objects with the fields of this reply."""
        names = "|".join(map(re.escape, reply.fields))
        self._fields = frozenset(reply.fields)
        self._opening = re.compile(rf'\{{\s*"(?:{names})"\s*:')
        self._text = ""
        self._read = 0

    def feed(self, piece: str) -> Iterator[dict[str, Any]]:
        """Takes a piece of the reply and gives the objects that it completes."""
        if len(self._text) + len(piece) > self._LARGEST:
            return
        self._text += piece
        for match in self._opening.finditer(self._text, self._read):
            if match.start() < self._read:
                continue
            try:
                found, end = json.JSONDecoder().raw_decode(self._text, match.start())
            except (ValueError, RecursionError):
                continue
            self._read = end
            if isinstance(found, dict) and self._fields <= found.keys():
                yield found


class ChatModel:
    """The configured model, with the tokens that it may use in a day."""

    def __init__(self, model: BaseChatModel, name: str, daily_tokens: int) -> None:
        """Wraps a LangChain model; `daily_tokens` 0 is no limit."""
        self.name = name
        self._model = model
        self._daily_tokens = daily_tokens
        self._day = date.min
        self._spent = 0
        self._plain = False

    def tokens_spent(self, day: date) -> int:
        """Tokens used on this day by this process."""
        return self._spent if day == self._day else 0

    def explain(self, inquiry: Inquiry, material: str) -> AsyncGenerator[dict[str, Any]]:
        """Sentences ({"text", "sources"}) on the material, as the model completes them; raises as `objects` does."""
        return self.objects(prompt("explain"), material, SENTENCES, inquiry.as_of)

    def read_facts(self, inquiry: Inquiry, material: str) -> AsyncGenerator[dict[str, Any]]:
        """Facts ({"fact", "value", "evidence"}) that the model reads out of the message; raises as `objects` does."""
        return self.objects(prompt("facts"), material, FACTS, inquiry.as_of)

    async def objects(self, instructions: str, message: str, reply: Reply, day: date) -> AsyncGenerator[dict[str, Any]]:
        """Asks the model, with the message masked, and gives the objects of its reply as they are completed.

        Raises:
            OverBudgetError: the tokens of the day are spent.
            Exception: whatever the provider raises: it is down, refuses, or breaks off.
        """
        if day != self._day:
            self._day, self._spent = day, 0
        if self._daily_tokens and self._spent >= self._daily_tokens:
            raise OverBudgetError
        message = mask(message)
        messages = [SystemMessage(instructions), HumanMessage(message)]
        reader = ObjectReader(reply)
        self._spent += len(instructions) + len(message)  # a token is about a character of Japanese
        async for piece in self._pieces(messages, reply):
            self._spent += len(piece)
            for found in reader.feed(piece):
                yield found

    async def _pieces(self, messages: list[BaseMessage], reply: Reply) -> AsyncGenerator[str]:
        """Pieces of the reply's JSON, from structured output where the provider has it, else from plain text."""
        if not self._plain:
            begun = False
            try:
                async for piece in self._structured(messages, reply):
                    begun = True
                    yield piece
                return
            except Exception as error:
                if begun or not _has_no_structured_output(error):
                    raise
                self._plain = True
        async for chunk in self._model.astream(messages):
            yield _text_of(chunk)

    async def _structured(self, messages: list[BaseMessage], reply: Reply) -> AsyncGenerator[str]:
        runnable = self._model.with_structured_output(reply.schema, include_raw=True)
        async for part in runnable.astream(messages):
            chunk = part.get("raw") if isinstance(part, dict) else None
            if isinstance(chunk, AIMessageChunk):
                yield _text_of(chunk)


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

    Raises:
        ModelSettingError: the name, or the provider's package, is not there.
    """
    if not tracing:
        os.environ["LANGSMITH_TRACING"] = os.environ["LANGCHAIN_TRACING_V2"] = "false"
    provider, separator, model = name.partition(":")
    if not separator:
        if not base_url:
            raise ModelSettingError(f"LLM の値「{name}」は「openai:モデル名」のように、提供元を付けて書いてください。")
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
        raise ModelSettingError(f"LLM={name} を開けません: {error}") from None
    return ChatModel(opened, name, daily_tokens)


def prompt(part: str) -> str:
    """A part of the prompt file."""
    parts = re.split(r"^# (\w+)\n", _PROMPTS.read_text("utf-8"), flags=re.M)
    return dict(zip(parts[1::2], parts[2::2], strict=True))[part].strip()
