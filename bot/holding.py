"""Holds what a person or a chat model wrote against the sources that it should rest on."""

from collections.abc import Iterable
from datetime import date

from knowledge.figures import Dimension, normalize, normalize_with_offsets, read_days, read_figures

_COUNTS = frozenset({Dimension.OTHER, Dimension.CASE, Dimension.PEOPLE, Dimension.MUNICIPALITY})
"""Counters that stand for each other (7件, 7団体). One of anything (1件につき, 1つ) is a turn of speech."""


def unsupported(text: str, sources: Iterable[str], day: date) -> list[tuple[int, int]]:
    """Where a text has figures and days that none of the sources states, in order.

    Args:
        text: as it was written; the places are in it.
        sources: whatever may state them.
        day: on which it is written, by which days without a year are read.
    """
    plain, offsets = normalize_with_offsets(text)
    stated = {figure for source in sources for _, figure in _figures(normalize(source), day)}
    spans = (span for span, figure in _figures(plain, day) if figure not in stated)
    return sorted((offsets[start], offsets[end]) for start, end in spans)


def _figures(plain: str, day: date) -> list[tuple[tuple[int, int], object]]:
    """The figures and days of a normalised text: where they stand, and what they come to."""
    figures: list[tuple[tuple[int, int], object]] = [
        ((figure.start, figure.end), ("count" if figure.dimension in _COUNTS else figure.dimension, figure.value))
        for figure in read_figures(plain)
        if not (figure.dimension in _COUNTS and figure.value == 1)
    ]
    days = [((found.start, found.end), (found.first_on, found.last_on)) for found in read_days(plain, day)]
    return [*figures, *days]
