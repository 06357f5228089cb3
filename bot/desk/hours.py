"""When officials answer, and what happens to a case that waits: desk.yaml, and Japan's holidays."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import cache
from pathlib import Path
from typing import Any, Literal

from knowledge.catalog import CatalogError, read_as, read_yaml
from knowledge.types import Strict

FILE = Path(__file__).with_name("desk.yaml")

_WEEKEND = 5
"""The first day of the week, counted from Monday, on which no office is open."""

_WEEKDAYS = "月火水木金土日"

Does = Literal["remind", "escalate"]


@dataclass(frozen=True)
class _Step(Strict):
    after: str
    does: Does


@dataclass(frozen=True)
class _File(Strict):
    hours: tuple[str, ...]
    closed: tuple[str, ...]
    ladder: tuple[_Step, ...]
    closes_after: int
    digest_at: time


@dataclass(frozen=True)
class Step:
    """What is done about a case, and after how much office time."""

    after: timedelta
    does: Does


@dataclass(frozen=True)
class OfficeHours:
    """When the office is open: times of a day, none on weekends and holidays.

    `ladder` is what is done about a case that waits, the earliest step first; `closes_after` is how long after an
    answer a case is closed, `digest_at` when the digest of the morning is due.
    """

    spans: tuple[tuple[time, time], ...]
    closed: frozenset[tuple[int, int]]
    ladder: tuple[Step, ...]
    closes_after: timedelta
    digest_at: time
    is_holiday: Callable[[date], bool]

    def is_open(self, moment: datetime) -> bool:
        """Whether somebody is there."""
        now = moment.time()
        return self.works_on(moment.date()) and any(start <= now < end for start, end in self.spans)

    def works_on(self, day: date) -> bool:
        """Whether the office opens on a day."""
        return day.weekday() < _WEEKEND and (day.month, day.day) not in self.closed and not self.is_holiday(day)

    def next_opening(self, moment: datetime) -> datetime:
        """When the office opens next, or the moment itself where it is open."""
        return next(max(start, moment) for start, _ in self._spans_from(moment))

    def later(self, moment: datetime, office_time: timedelta) -> datetime:
        """When so much office time has passed since a moment."""
        for start, end in self._spans_from(moment):
            begins = max(start, moment)
            if office_time <= end - begins:
                return begins + office_time
            office_time -= end - begins
        raise AssertionError("the calendar has no end")

    def _spans_from(self, moment: datetime) -> Iterator[tuple[datetime, datetime]]:
        day = moment.date()
        while True:
            if self.works_on(day):
                for start, end in self.spans:
                    begins, ends = (datetime.combine(day, clock, moment.tzinfo) for clock in (start, end))
                    if ends > moment:
                        yield begins, ends
            day += timedelta(days=1)

    def described(self) -> str:
        """The hours for people."""
        return "平日" + "、".join(f"{_clock(start)}〜{_clock(end)}" for start, end in self.spans)

    def step(self, number: int) -> Step:
        """A step of the ladder by its number from 0; beyond the last one that one again, an office day later each."""
        last = len(self.ladder) - 1
        if number <= last:
            return self.ladder[number]
        return Step(self.ladder[last].after + (number - last) * self._a_day, self.ladder[last].does)

    @property
    def _a_day(self) -> timedelta:
        return _length(self.spans)


def load_office_hours(file: Path = FILE) -> OfficeHours:
    """Reads the hours and the ladder.

    Raises:
        CatalogError: the file is wrong; which key, and what to write.
    """
    content = read_as(_File, read_yaml(file), file)
    try:
        spans = tuple(_span(text) for text in content.hours)
        day = _length(spans)
        ladder = tuple(Step(_office_time(step.after, day), step.does) for step in content.ladder)
        closed = frozenset((int(text[:2]), int(text[3:])) for text in content.closed)
    except ValueError as error:
        raise CatalogError(file, "hours, closed, ladder", str(error), "Write 09:30-12:00, 12-29 and 4h or 1d") from None
    if not spans or not ladder:
        raise CatalogError(file, "hours, ladder", "nothing is given", "Give at least one of each")
    closes_after = timedelta(days=content.closes_after)
    return OfficeHours(spans, closed, ladder, closes_after, content.digest_at, lambda day: day in _holidays())


@cache
def _holidays() -> Mapping[date, str]:
    import holidays  # a second to import, and only a desk needs it

    calendar: Mapping[date, Any] = holidays.country_holidays("JP")
    return calendar


def day_text(moment: datetime) -> str:
    """A moment for people: 11月30日(月)9時30分."""
    return f"{moment.month}月{moment.day}日({_WEEKDAYS[moment.weekday()]}){_clock(moment.time())}"


def _clock(moment: time) -> str:
    return f"{moment.hour}時{moment.minute}分" if moment.minute else f"{moment.hour}時"


def _span(text: str) -> tuple[time, time]:
    start, end = (time.fromisoformat(part) for part in text.split("-"))
    if start >= end:
        raise ValueError(f"{text} ends before it begins")
    return start, end


def _length(spans: tuple[tuple[time, time], ...]) -> timedelta:
    a_day = date(2000, 1, 1)
    lengths = (datetime.combine(a_day, end) - datetime.combine(a_day, start) for start, end in spans)
    return sum(lengths, timedelta())


def _office_time(text: str, day: timedelta) -> timedelta:
    number, unit = int(text[:-1]), text[-1]
    if unit not in "hd":
        raise ValueError(f"{text} has neither h nor d")
    return number * (timedelta(hours=1) if unit == "h" else day)
