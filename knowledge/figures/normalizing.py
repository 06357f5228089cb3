"""One way to write each character, and where each one came from."""

import re
import unicodedata
from collections.abc import Iterable, Iterator

_RADICALS = str.maketrans("⺠⻑⻄⻘⻲⻩⻭⺟⻝⻫⻆⻤⻨⻯⻁", "民長西青亀黄歯母食斉角鬼麦竜虎")
_CIRCLED = re.compile(
    r"[①-⑳](?!\s?(?:時間|分|日(?!程)|回(?!数|答)|円|万|億|か月|[ヶカ]月|週|人(?!件|材|数)|市|町|村|団体|%))"
)
"""Marks of a list; before a counter they are figures (⑩時間), unless a list is counted up with them."""
_COUNTED_UP = re.compile(r"[①-⑳]")
_SAME = str.maketrans({**dict.fromkeys("〜～∼", "~"), **dict.fromkeys("‐‑‒–—―−", "-"), "ς": "σ"})

_Character = tuple[str, int, int]
"""A character, and the start and end of what it was in the original."""


def normalize(text: str) -> str:
    """NFKC, small letters, one kind of wave and dash, single spaces, no control characters, ① as (1). Idempotent."""
    text = _marks_of(text).sub(lambda mark: _in_brackets(mark[0]), text).translate(_RADICALS)
    text = unicodedata.normalize("NFKC", text).lower().translate(_SAME)
    text = "".join(c for c in text if c.isspace() or unicodedata.category(c)[0] != "C")
    return unicodedata.normalize("NFKC", re.sub(r"\s+", " ", text).strip())


def normalize_with_offsets(text: str) -> tuple[str, tuple[int, ...]]:
    """The normalised text, and for each of its characters where it begins in `text`; then the end of the last one."""
    marks = {mark.start() for mark in _marks_of(text).finditer(text)}
    written = (
        (character, place, place + 1)
        for place, original in enumerate(text)
        for character in (_in_brackets(original) if place in marks else original.translate(_RADICALS))
    )
    small = (
        (character, start, end)
        for composed, start, end in _composed(written)
        for character in composed.lower().translate(_SAME)
        if character.isspace() or unicodedata.category(character)[0] != "C"
    )
    characters = list(_composed(_single_spaces(small)))
    starts = [start for _, start, _ in characters]
    return "".join(c for c, *_ in characters), (*starts, characters[-1][2] if characters else 0)


def _marks_of(text: str) -> re.Pattern[str]:
    return _COUNTED_UP if 0 <= text.find("①") < text.find("②") else _CIRCLED


def _in_brackets(mark: str) -> str:
    return f" ({unicodedata.normalize('NFKC', mark)})"


def _composed(characters: Iterable[_Character]) -> Iterator[_Character]:
    """NFKC of the characters: those that join (か and a voice mark) become one."""
    joined, first, last = "", 0, 0
    for character, start, end in characters:
        if joined and not _joins(joined, character):
            yield from ((part, first, last) for part in unicodedata.normalize("NFKC", joined))
            joined = ""
        if not joined:
            first = start
        joined, last = joined + character, end
    yield from ((part, first, last) for part in unicodedata.normalize("NFKC", joined))


def _joins(before: str, character: str) -> bool:
    alone = unicodedata.normalize("NFKC", character)
    if unicodedata.combining(alone[:1] or " "):
        return True
    return unicodedata.normalize("NFKC", before + character) != unicodedata.normalize("NFKC", before) + alone


def _single_spaces(characters: Iterable[_Character]) -> Iterator[_Character]:
    """Each run of white space as one space; none at either end."""
    space: _Character | None = None
    begun = False
    for character in characters:
        if character[0].isspace():
            space = (" ", space[1] if space else character[1], character[2])
            continue
        if space and begun:
            yield space
        space, begun = None, True
        yield character
