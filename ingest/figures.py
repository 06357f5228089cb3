"""Figures in running text, with their units: 1億2千万円, 3か月, 1週間, 年3回, 財政力指数1以上, 4月から12月."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal

from kanjize import kanji2number

from knowledge.types import Unit

Value = Decimal | tuple[int, ...]

_NUMBER = r"(?:[0-9][0-9,]*(?:\.[0-9]+)?|[一二三四五六七八九十百千]+)"
_NOT_WITHIN = r"(?<![0-9,.一二三四五六七八九十百千月第])"


@dataclass(frozen=True)
class Figure:
    """A figure and where it stands in its text. `months_of_year` is the months of a span, other values are numbers."""

    value: Value
    unit: Unit
    start: int
    end: int


def _number(text: str) -> Decimal:
    return Decimal(text.replace(",", "")) if text[0].isdigit() else Decimal(kanji2number(text))


def _yen(found: re.Match[str]) -> Decimal:
    scales = {"oku": 10**8, "man": 10**4, "rest": 1}
    total = Decimal(0)
    for name, scale in scales.items():
        if part := found[name]:
            total += _number(part) * scale * (1000 if found.groupdict().get(f"{name}_thousand") else 1)
    return total


def _months(found: re.Match[str]) -> tuple[int, ...]:
    first, last = int(_number(found[1])), int(_number(found[2]))
    return tuple((month - 1) % 12 + 1 for month in range(first, last + 1 if last >= first else last + 13))


def _single(found: re.Match[str]) -> Decimal:
    return _number(found[1])


_READERS: tuple[tuple[Unit, re.Pattern[str], Callable[[re.Match[str]], Value]], ...] = (
    (
        "yen",
        re.compile(
            rf"{_NOT_WITHIN}(?:(?P<oku>{_NUMBER})億)?(?:(?P<man>{_NUMBER})(?P<man_thousand>千)?万)?"
            rf"(?:(?P<rest>{_NUMBER})(?P<rest_thousand>千)?)?円"
        ),
        _yen,
    ),
    ("month", re.compile(rf"{_NOT_WITHIN}({_NUMBER})[かヶカケヵ箇個]月"), _single),
    ("day", re.compile(rf"{_NOT_WITHIN}({_NUMBER})日(?!目|[0-9])"), _single),
    ("day", re.compile(rf"{_NOT_WITHIN}({_NUMBER})週間"), lambda found: 7 * _single(found)),
    ("hour", re.compile(rf"{_NOT_WITHIN}({_NUMBER})時間"), _single),
    ("count", re.compile(rf"{_NOT_WITHIN}({_NUMBER})回(?!目)"), _single),
    ("ratio", re.compile(rf"財政力指数(?:が|は|の)?({_NUMBER})(?=以上|未満|以下|を超|を下回|より)"), _single),
    ("months_of_year", re.compile(rf"({_NUMBER})月(?:から|~|〜|-|より)(?:翌年の?)?({_NUMBER})月"), _months),
)


def read_figures(text: str) -> Iterator[Figure]:
    """The figures of a cleaned text without spaces, those of one unit in their order."""
    for unit, pattern, read in _READERS:
        for found in pattern.finditer(text):
            if found[0] == "円":
                continue
            try:
                value = read(found)
            except (ArithmeticError, ValueError):  # 十千, 1,,2 and the like are no numbers
                continue
            yield Figure(value, unit, found.start(), found.end())


_FISCAL_YEARS = re.compile(r"(?:(20[0-9]{2})|(令和|平成|R|H)([0-9]{1,2}|元))(?=年度|\(20[0-9]{2}\)年度)")
_ERAS = {"令和": 2018, "R": 2018, "平成": 1988, "H": 1988}


def read_fiscal_years(text: str) -> frozenset[int]:
    """The fiscal years that a cleaned text names (2025年度, 令和7年度)."""
    return frozenset(
        int(found[1]) if found[1] else _ERAS[found[2]] + (1 if found[3] == "元" else int(found[3]))
        for found in _FISCAL_YEARS.finditer(text)
    )
