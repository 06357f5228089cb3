"""Reads the figures of a text: the longest rule at each number, days of the calendar left out."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace

from knowledge.figures import durations, money, ratios
from knowledge.figures.days import find_days
from knowledge.figures.numbers import Number, read_numbers
from knowledge.figures.qualifying import qualify
from knowledge.figures.types import Dimension, Figure

_RULES = (*money.RULES, *durations.RULES, *ratios.RULES)
_EITHER = re.compile(r"\s?(?:か|~|-|から|or|または|又は)\s?")
_NEIGHBOURS = re.compile(r"[、・,]|か、")


def read_figures(text: str) -> tuple[Figure, ...]:
    """The figures of a normalised text in order, never overlapping each other or the days that it names."""
    days = [(found.start(), found.end()) for found, _ in find_days(text)]
    numbers = list(_outside(read_numbers(text), days))
    read: list[tuple[Number, Figure | None]] = []
    end = 0
    for index, number in enumerate(numbers):
        if number.start < end:
            continue
        figure = _longest(text, numbers, index, end)
        if figure and any(figure.start < last and first < figure.end for first, last in days):
            figure = None  # 一h5: the counter begins a year
        end = figure.end if figure else number.end
        read.append((number, figure))
    return tuple(_with_shared_counters(text, read))


def _with_shared_counters(text: str, read: Sequence[tuple[Number, Figure | None]]) -> list[Figure]:
    """The figures; a bare number before another one takes its counter (2、3回, 5か6時間, 3~5千万)."""
    figures: list[Figure] = []
    following: tuple[Number, Figure] | None = None
    for number, figure in reversed(read):
        if following and (figure is None or figure.dimension is Dimension.NUMBER):
            figure = _like(text, number, *following) or figure
        following = (number, figure) if figure else None
        if figure:
            figures.append(figure)
    return figures[::-1]


def _like(text: str, number: Number, following: Number, figure: Figure) -> Figure | None:
    between = text[number.end : following.start]
    is_next = following.head - number.value == 1 and _NEIGHBOURS.fullmatch(between)
    if figure.dimension is Dimension.NUMBER or not following.head or not (is_next or _EITHER.fullmatch(between)):
        return None
    value = number.value * figure.value / following.head
    return replace(figure, start=number.start, end=number.end, value=value, bound=None)


def _outside(numbers: Iterator[Number], taken: Sequence[tuple[int, int]]) -> Iterator[Number]:
    """The numbers that touch none of the spans; both are in order."""
    position = 0
    for number in numbers:
        while position < len(taken) and taken[position][1] <= number.start:
            position += 1
        if position == len(taken) or number.end <= taken[position][0]:
            yield number


def _longest(text: str, numbers: Sequence[Number], index: int, since: int) -> Figure | None:
    best: Figure | None = None
    for rule in _RULES:
        found = rule.match(text, numbers, index, since)
        if found and (best is None or found[1] - found[0] > best.end - best.start):
            best = Figure(found[0], found[1], rule.dimension, found[2])
    if best is None:
        return None
    bound, approximate = qualify(text, best.start, best.end, best.dimension)
    return replace(best, bound=bound, approximate=approximate)
