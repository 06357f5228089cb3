"""Rules over numbers: what stands around a number, or several, and what figure they are together."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal

from knowledge.figures.numbers import Number
from knowledge.figures.types import Dimension

_BEFORE = 12  # characters before a number that a rule may look at


@dataclass(frozen=True)
class Rule:
    """One way to write a figure. `after` holds what follows each of its numbers, `before` what precedes the first."""

    dimension: Dimension
    before: re.Pattern[str] | None
    after: tuple[re.Pattern[str], ...]
    value: Callable[..., Decimal]
    admits: Callable[[str, Number], bool]

    def match(self, text: str, numbers: Sequence[Number], first: int, since: int) -> tuple[int, int, Decimal] | None:
        """Start, end and value of the figure that begins with the number of this index; None where it is none.

        What lies before `since` belongs to another figure.
        """
        start, end = numbers[first].start, numbers[first].start
        used = numbers[first : first + len(self.after)]
        if len(used) < len(self.after):
            return None
        for number, pattern in zip(used, self.after, strict=True):
            following = pattern.match(text, number.end) if number.start == end else None
            if not following:
                return None
            end = following.end()
        if self.before:
            preceding = self.before.search(text, max(since, start - _BEFORE), start)
            if not preceding:
                return None
            start = preceding.start()
        if not self.admits(text, used[0]):
            return None
        return start, end, self.value(*(number.value for number in used))


def _one(value: Decimal) -> Decimal:
    return value


def _always(_text: str, _number: Number) -> bool:
    return True


def rule(
    dimension: Dimension,
    template: str,
    value: Callable[..., Decimal] = _one,
    admits: Callable[[str, Number], bool] = _always,
) -> Rule:
    """A rule from a regular expression in which <> stands for a number: "<>泊<>日間?"."""
    before, *after = template.split("<>")
    return Rule(
        dimension,
        re.compile(rf"(?:{before})$") if before else None,
        tuple(re.compile(part) for part in after),
        value,
        admits,
    )
