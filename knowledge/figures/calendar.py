"""Arithmetic with months, seasons and fiscal years. No text."""

import calendar
from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta

from knowledge.figures.types import Day

Span = tuple[date, date]
"""The first and the last day."""

_PARTS = {
    "上旬": (1, 10),
    "初旬": (1, 10),
    "初め": (1, 10),
    "はじめ": (1, 10),
    "頭": (1, 10),
    "中旬": (11, 20),
    "半ば": (11, 20),
    "下旬": (21, 31),
    "終わり": (21, 31),
    "末": (31, 31),
}
PARTS = "|".join(_PARTS)
"""The words for a part of a month."""
_SEASONS = {"春": 3, "夏": 6, "秋": 9, "冬": 12}


def fiscal_year_of(day: date) -> int:
    """The Japanese fiscal year of a day: April to March."""
    return day.year if day.month >= 4 else day.year - 1


def fiscal_year(year: int) -> Span:
    """The days of a fiscal year."""
    return date(year, 4, 1), date(year + 1, 3, 31)


def month(year: int, number: int, part: str | None = None) -> Span:
    """The days of a month, or of its 上旬, 中旬, 下旬 or 末."""
    last = calendar.monthrange(year, number)[1]
    first_day, last_day = _PARTS[part] if part else (1, 31)
    return date(year, number, min(first_day, last)), date(year, number, min(last_day, last))


def month_after(day: date, months: int, part: str | None = None) -> Span:
    """The month that is so many months after a day's."""
    index = day.year * 12 + day.month - 1 + months
    return month(index // 12, index % 12 + 1, part)


def season(year: int, name: str) -> Span:
    """Three months from March, June, September or December of a year."""
    first = date(year, _SEASONS[name], 1)
    return first, month_after(first, 2)[1]


def months(year: int, first: int, last: int) -> Span:
    """The first day of a month to the last of another, in the year after where that comes earlier."""
    return month(year, first)[0], month(year + (last < first), last)[1]


def nearest(in_year: Callable[[int], Span], as_of: date) -> Span:
    """Of what comes every year, the first that is not over.

    Raises:
        ValueError: it exists in none of the years around.
    """
    for year in range(as_of.year - 1, as_of.year + 9):
        try:
            first, last = in_year(year)
        except ValueError:  # 29 February in most years
            continue
        if last >= as_of:
            return first, last
    raise ValueError("no such day")


def latest(day: Day, as_of: date) -> Day:
    """What a day or period without its year (week) means where it is past: the last one that has begun by `as_of`."""
    if day.every == "week":
        weeks = max(0, -((as_of - day.first_on).days // 7))
        back = timedelta(weeks=weeks)
        return replace(day, first_on=day.first_on - back, last_on=day.last_on - back)
    if day.every == "year":
        for years in range(9):
            try:
                first = day.first_on.replace(year=day.first_on.year - years)
            except ValueError:  # 29 February
                continue
            if first <= as_of:
                return replace(day, first_on=first, last_on=_years_before(day.last_on, years))
    return day


def _years_before(day: date, years: int) -> date:
    year = day.year - years
    last = calendar.monthrange(year, day.month)[1]
    is_last = (day + timedelta(days=1)).month != day.month
    return day.replace(year=year, day=last if is_last else min(day.day, last))
