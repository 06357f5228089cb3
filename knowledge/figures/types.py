"""What is read from a text: figures, and days or periods of the calendar."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Literal

from knowledge.types import Bound

Precision = Literal["day", "week", "month", "season", "fiscal_year", "year", "months"]


class Dimension(StrEnum):
    """What a figure counts. Weeks are days, minutes are hours, and ordinals (第1回, 2年目) are OTHER."""

    YEN = "yen"
    DAY = "day"
    HOUR = "hour"
    MONTH = "month"
    TIME = "time"
    MUNICIPALITY = "municipality"
    PERCENT = "percent"
    PEOPLE = "people"
    CASE = "case"
    OTHER = "other"
    NUMBER = "number"


@dataclass(frozen=True)
class Figure:
    """A figure with its counter, and where it stands in a normalised text.

    `bound` is what 以上, まで, 未満 or 超 beside it say; `approximate` tells of 約, 程度, 弱 and the like.
    """

    start: int
    end: int
    dimension: Dimension
    value: Decimal
    bound: Bound | None = None
    approximate: bool = False


@dataclass(frozen=True)
class Day:
    """A day or period of the calendar, and where it stands in a normalised text.

    `every` tells that the year (5月20日) or the week (金曜) is not written: it is then the nearest one that is not
    over, and `latest()` gives the last one that has begun.
    """

    start: int
    end: int
    first_on: date
    last_on: date
    precision: Precision
    every: Literal["year", "week"] | None = None
