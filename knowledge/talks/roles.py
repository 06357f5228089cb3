"""What the figures of a talk are: put to a rule as they stand, added up or taken off, multiplied, or of no account.

In the files of talks a figure is marked where it stands, with its role behind it: [2日|part].
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from math import prod

from knowledge.figures import Dimension, Figure, normalize, read_figures

ROLES = ("none", "whole", "part", "off", "factor", "index", "before")
"""What a figure may be.

`whole` is put to a rule as it stands, or is the total that is said; `part` is added where none is said, `off` taken
off, `factor` multiplied with those beside it. `index` is a financial strength index that counts, `before` how many
municipalities joined an earlier time. `none` is all else: another's, put right since, a rule's own.
"""

WITH_ROLES = frozenset(Dimension) - {Dimension.PERCENT}
"""What is counted by the figures of which a role is told; anything may be a factor (3地区に1日ずつ)."""

_PLACES_KEPT = 6  # 80分 are hours without end

_MARKED = re.compile(rf"\[([^\[\]|]+)\|({'|'.join(ROLES)})\]")


@dataclass(frozen=True)
class RoleRead:
    """A figure of a talk, how many messages before the last it stands (0: in the last), and how likely each role is."""

    turns_ago: int
    figure: Figure
    shares: Mapping[str, float]

    @property
    def role(self) -> str:
        """Its likeliest role."""
        return max(self.shares, key=lambda role: self.shares[role])

    @property
    def share(self) -> float:
        """How likely that is (0–1)."""
        return max(self.shares.values())


def figures_of(turn: str) -> tuple[Figure, ...]:
    """The figures of a normalised message of which a role is told."""
    return tuple(figure for figure in read_figures(turn) if figure.dimension in WITH_ROLES)


def without_marks(turn: str) -> str:
    """A message of a file as it is typed."""
    return _MARKED.sub(lambda mark: mark[1], turn)


def marked_in(turn: str) -> Iterator[tuple[Figure, str]]:
    """The figures of a message of a file that are marked, as they stand in it normalised, each with its role."""
    marked = normalize(turn)
    spans = []
    taken_out = 0  # characters of marks so far
    for mark in _MARKED.finditer(marked):
        start = mark.start() - taken_out
        spans.append((start, start + len(mark[1]), mark[2]))
        taken_out += len(mark[0]) - len(mark[1])
    for figure in figures_of(without_marks(marked)):
        roles = [role for start, end, role in spans if start < figure.end and figure.start < end]
        if len(roles) == 1:
            yield figure, roles[0]


def amount_of(read: Sequence[RoleRead], dimension: Dimension) -> Decimal | None:
    """What the figures of a talk come to in one dimension; None where none is put to a rule.

    A total that is said goes before what would come together.
    """
    wholes = [one.figure.value for one in read if one.role == "whole" and one.figure.dimension is dimension]
    if wholes:
        return wholes[-1]
    terms = [
        one.figure.value if one.role == "part" else -one.figure.value
        for one in read
        if one.role in ("part", "off") and one.figure.dimension is dimension
    ]
    terms += _products([one.figure for one in read if one.role == "factor"], dimension)
    amount = round(sum(terms, Decimal(0)), _PLACES_KEPT)
    return amount.normalize() if amount > 0 else None


def _products(factors: Sequence[Figure], dimension: Dimension) -> Iterator[Decimal]:
    """The products of figures that follow each other, in each of which one is of the dimension: 2時間を5回.

    The hours of a day do not multiply days: 1日6時間を4日 are 24 hours, and 4 days.
    """
    product: list[Figure] = []
    for figure in (*factors, None):
        complete = len(product) > 1 and any(one.dimension is dimension for one in product)
        if complete and (figure is None or figure.dimension is dimension):
            yield prod((one.value for one in product if not _is_length_of_day(one, dimension)), start=Decimal(1))
            product = []
        if figure is not None:
            product.append(figure)


def _is_length_of_day(figure: Figure, dimension: Dimension) -> bool:
    return dimension is Dimension.DAY and figure.dimension is Dimension.HOUR
