"""A draft of an official's reply by a chat model. It is for officials only: nobody else sees it before one approves it.

What in it a ruling or a passage does not state is marked, so that it is looked at again.
"""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from bot.holding import unsupported
from bot.llm import ChatModel, Meter, ModelError, Prompt, instructions
from bot.types import Answer
from knowledge.figures import normalize, normalize_with_offsets
from knowledge.types import Chunk

_SCHEMA = {
    "title": "draft",
    "description": "The draft of a reply.",
    "type": "object",
    "properties": {"text": {"type": "string"}},
    "required": ["text"],
    "additionalProperties": False,
}

_VERDICTS = re.compile(
    r"対象外?(?:です|となります|になります|に含まれ(?:ます|ません))|対象に?(?:は)?なりません|対象ではありません"
    r"|(?:応募|申請|利用|参加|併用)(?:は|も)?(?:でき(?:ます|ません)|可能です)|認められ(?:ます|ません)"
)
"""Words that decide, as officials write them."""


@dataclass(frozen=True)
class Draft:
    """Words for an official to read, change and approve. `marked` are stretches of `text` that nothing supports."""

    text: str
    marked: tuple[tuple[int, int], ...] = ()

    @property
    def unsupported(self) -> tuple[str, ...]:
        """The marked words."""
        return tuple(self.text[start:end] for start, end in self.marked)


async def draft(
    question: str,
    answered: Answer,
    passages: Sequence[Chunk],
    chat_model: ChatModel,
    *,
    day: date,
    seconds: float,
) -> Draft | None:
    """A draft of the reply to a question; None where the model gives none.

    Args:
        question: what was asked.
        answered: what the rules and the documents answered, with the rulings.
        passages: what else it may rest on.
        chat_model: the chat model.
        day: on which it is written.
        seconds: the longest time to wait.
    """
    rulings = [ruling.says for ruling in answered.rulings if ruling.says]
    texts = [chunk.text for chunk in passages]
    settled, found = ("\n".join(f"- {text}" for text in listed) for listed in (rulings, texts))
    message = f"## 決まったこと\n{settled}\n\n## 資料\n{found}\n\n## 質問(データ)\n{question}"
    try:
        reply = await chat_model.reply(Prompt(instructions("draft"), _SCHEMA, message), day, seconds, Meter())
    except ModelError:
        return None
    text = _shown(reply.get("text"))
    return Draft(text, tuple(marked(text, [question, *rulings, *texts], day))) if text else None


def marked(text: str, sources: Sequence[str], day: date) -> list[tuple[int, int]]:
    """Where a text has figures, days and decisions that none of the sources states, in order."""
    plain, offsets = normalize_with_offsets(text)
    written = [normalize(source) for source in sources]
    decisions = (m for m in _VERDICTS.finditer(plain) if not any(_clause(plain, m) in source for source in written))
    return sorted([*unsupported(text, sources, day), *((offsets[m.start()], offsets[m.end()]) for m in decisions)])


def _clause(text: str, match: re.Match[str]) -> str:
    """The words that decide with the subject before them: a source must have the whole."""
    start = max(text.rfind(mark, 0, match.start()) for mark in "。、\n")
    return text[start + 1 : match.end()].strip()


def _shown(text: Any) -> str:
    """The text without what a screen would not show as it is."""
    if not isinstance(text, str):
        return ""
    kept = "".join(c for c in text if c == "\n" or not unicodedata.category(c).startswith("C"))
    return unicodedata.normalize("NFKC", kept).strip()
