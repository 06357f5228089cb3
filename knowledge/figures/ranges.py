"""Ranges of figures: 6人から20人, 5人以下, 100万円以上300万円未満, 第3子以降; and whether one holds a figure."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from itertools import pairwise

from knowledge.figures.reading import read_figures
from knowledge.figures.types import Dimension, Figure

_TO = re.compile(r"\s?(?:以上|超|を超え|より)?\s?(?:から|~|-|ー|、)?\s?")
_ONWARD = re.compile(r"\s?(?:以降|以後|目以降|から(?:上|先))")
_NUMERALS = re.compile(r"[0-9.,〇一二三四五六七八九十百千万億]+")


@dataclass(frozen=True)
class Range:
    """What lies between two figures, or one figure alone; where it stands in a normalised text.

    `measure` is what is counted. `low` and `high` are None where the range is open; they belong to it unless `above` or
    `below` is set.
    """

    start: int
    end: int
    measure: str
    low: Decimal | None
    high: Decimal | None
    above: bool = False
    below: bool = False

    @property
    def is_one(self) -> bool:
        """Whether it is a single figure."""
        return self.low == self.high

    def holds(self, value: Decimal) -> bool:
        """Whether a figure of the same measure lies in it."""
        if self.low is not None and (value < self.low or (self.above and value == self.low)):
            return False
        return self.high is None or (value < self.high or (not self.below and value == self.high))


def measure_of(figure: Figure, text: str) -> str:
    """What a figure of a normalised text counts: its dimension, or the words around its number (第種, 歳)."""
    if figure.dimension not in (Dimension.OTHER, Dimension.NUMBER):
        return figure.dimension.value
    return _NUMERALS.sub("", text[figure.start : figure.end]).strip()


def read_ranges(text: str) -> tuple[Range, ...]:
    """The ranges and single figures of a normalised text, in order."""
    return tuple(_ranges(text, list(read_figures(text))))


def _ranges(text: str, figures: list[Figure]) -> Iterator[Range]:
    joined: set[int] = set()
    for number, (first, second) in enumerate(pairwise(figures)):
        same = measure_of(first, text) == measure_of(second, text) and first.value < second.value
        between = text[first.end : second.start]
        if number not in joined and same and between and _TO.fullmatch(between):
            joined |= {number, number + 1}
            yield Range(
                first.start, second.end, measure_of(first, text), first.value, second.value,
                first.bound == "above", second.bound == "below",
            )  # fmt: skip
    for number, figure in enumerate(figures):
        if number not in joined:
            yield _bounded(text, figure)


def _bounded(text: str, figure: Figure) -> Range:
    place = figure.start, figure.end, measure_of(figure, text)
    if figure.bound in ("at_least", "above") or _ONWARD.match(text, figure.end):
        return Range(*place, figure.value, None, above=figure.bound == "above")
    if figure.bound in ("at_most", "below"):
        return Range(*place, None, figure.value, below=figure.bound == "below")
    return Range(*place, figure.value, figure.value)
