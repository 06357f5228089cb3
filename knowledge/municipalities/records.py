"""The bodies and their published 財政力指数, as `build` wrote them to municipalities.csv."""

import csv
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Literal, cast

from knowledge.figures import format_fiscal_year

Kind = Literal["prefecture", "city", "town", "village", "special_ward"]

FILE = Path(__file__).with_name("municipalities.csv")
FIELDS = ("code", "kind", "prefecture", "name", "kana", "wards")  # the columns after these are fiscal years


@dataclass(frozen=True, slots=True)
class PublishedIndex:
    """The 財政力指数 that is published of a body for a fiscal year. `name` is with its prefecture (広島県府中市)."""

    name: str
    value: Decimal
    year: int


@dataclass(frozen=True, slots=True)
class Municipality:
    """A prefecture, city, town, village or special ward of today.

    Attributes:
        code: the 団体コード, six digits of which the last checks the others.
        name: with its suffix (飯南町); a prefecture's is also its `prefecture`.
        kana: the name in hiragana.
        wards: the 区 of a designated city, which are no bodies of their own; empty for all others.
        index_history: fiscal years with the 財政力指数 published for each, newest first. Two decimals for a
            municipality, five for a prefecture. A special ward's is computed by Tokyo in another way than all others.
    """

    code: str
    name: str
    kana: str
    prefecture: str
    kind: Kind
    wards: tuple[str, ...]
    index_history: tuple[tuple[int, Decimal], ...]

    @property
    def full_name(self) -> str:
        """The name with the prefecture that tells it from others of the name (広島県府中市)."""
        return self.name if self.kind == "prefecture" else f"{self.prefecture}{self.name}"

    @property
    def published(self) -> PublishedIndex | None:
        """The newest published index; None where there is none that compares with those of others."""
        if self.kind == "special_ward" or not self.index_history:
            return None
        (year, value), *_ = self.index_history
        return PublishedIndex(self.full_name, value, year)

    @property
    def index(self) -> Decimal | None:
        """The newest published 財政力指数; None where there is none."""
        return self.index_history[0][1] if self.index_history else None

    @property
    def index_year(self) -> int | None:
        """The fiscal year of `index`."""
        return self.index_history[0][0] if self.index_history else None


@cache
def municipalities() -> tuple[Municipality, ...]:
    """All bodies by their code: a prefecture, then what is in it."""
    with FILE.open(encoding="utf-8", newline="") as lines:
        header, *rows = csv.reader(lines)
    years = [int(year) for year in header[len(FIELDS) :]]
    return tuple(_municipality(years, *row) for row in rows)


def municipality_of(code: str) -> Municipality | None:
    """The body of a 団体コード; None where there is none of today."""
    return _by_code().get(code)


@cache
def _by_code() -> dict[str, Municipality]:
    return {body.code: body for body in municipalities()}


def _municipality(
    years: list[int], code: str, kind: str, prefecture: str, name: str, kana: str, wards: str, *indices: str
) -> Municipality:
    history = tuple((year, Decimal(index)) for year, index in zip(years, indices, strict=True) if index)
    return Municipality(code, name, kana, prefecture, cast(Kind, kind), tuple(wards.split()), history)


INDEX_PUBLISHER = "総務省"
"""Who publishes the indices."""


def index_table(index: PublishedIndex) -> str:
    """In which table an index is published, and of which body it is: a line for users."""
    return f"「地方公共団体の主要財政指標一覧」{format_fiscal_year(index.year)} {index.name}"
