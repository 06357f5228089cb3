"""What a case is: the facts that a message tells of the one who asks, and what is asked. None means: not said."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Literal

Known = Literal["now", "old", "unknown"]
LOCAL_GOVERNMENTS = frozenset({"municipality", "prefecture", "special_ward", "association"})


@dataclass(frozen=True)
class Index:
    """財政力指数 of the applicant, of the places of work, or of those who apply together.

    Attributes:
        values: one for each body or place; empty where it is said to be unknown.
        known: whether the values are the newest ones, only earlier ones, or said to be unknown.
        whose: whose values they are.
        prefecture: the index of the prefecture around the applicant, where it was told too.
    """

    values: tuple[Decimal, ...]
    known: Known = "now"
    whose: Literal["applicant", "places", "members"] = "applicant"
    prefecture: Decimal | None = None


@dataclass(frozen=True)
class Keikaku:
    kind: str | None
    index: Index | None = None
    investment: Literal["invested", "none", "hoped", "unknown"] | None = None
    asks: Literal["eligibility", "cap"] = "eligibility"


@dataclass(frozen=True)
class Count:
    """How many municipalities took part when the prefecture was selected (oldest first), and how many take part now."""

    before: tuple[int, ...] = ()
    now: int | None = None
    change: Literal["more", "same", "fewer"] | None = None


@dataclass(frozen=True)
class Suishin:
    kind: str | None
    past: Literal["selected", "never", "applied_not_selected", "unknown"] | None = None
    count: Count | None = None
    partnership: Literal["joint", "alone", "through_prefecture"] | None = None
    amount: int | None = None  # yen
    all_year: bool | None = None  # whether a support provider can send experts all year
    asks: Literal["eligibility", "cap", "amount"] = "eligibility"


@dataclass(frozen=True)
class Use:
    """What an adviser is wanted for. `days` are all days together, `hours` the hours online, or of unsaid mode."""

    mode: Literal["on_site", "online", "mixed"] | None
    days: int | None = None
    hours: Decimal | None = None


@dataclass(frozen=True)
class Repeat:
    what: Literal["same", "other_project", "other_adviser", "unsaid"]
    year: Literal["same", "later"] | None


@dataclass(frozen=True)
class Adviser:
    kind: str | None
    recommendation: (
        Literal["local_government", "regional_bureau", "none", "former", "hoped", "pending", "unknown"] | None
    ) = None
    joint: Literal["with_recommender", "with_other", "with_some", "none"] | None = None
    use: Use | None = None
    repeat: Repeat | None = None
    month: int | None = None  # of the application
    ended: date | None = None
    asks: Literal["eligibility", "use", "apply", "report", "questionnaire"] = "eligibility"


Case = Keikaku | Suishin | Adviser
