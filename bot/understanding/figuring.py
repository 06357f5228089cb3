"""What the figures of a talk come to: the amount that is put to a rule, the index that counts, how many join now."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from decimal import Decimal

from knowledge.figures import Dimension
from knowledge.talks import TalkRead
from knowledge.talks.roles import RoleRead, amount_of
from knowledge.types import Unit

SURE = 0.8
"""From this probability on it is believed what a figure is."""

_UNITS: dict[Dimension, Unit] = {Dimension.YEN: "yen", Dimension.DAY: "day", Dimension.HOUR: "hour"}
_COUNTED = (Dimension.MUNICIPALITY, Dimension.NUMBER, Dimension.OTHER)
_JOINING = ("whole", "part", "off", "before")


@dataclass(frozen=True)
class Put:
    """An amount that is put to a rule; None where it is not known how much (3日を超えたら)."""

    amount: Decimal | None
    unit: Unit


def amounts_put(talk: TalkRead) -> tuple[Put, ...] | None:
    """What the figures of a talk come to in each unit of which its last message has one; None where that is unsure.

    Where it is unsure what becomes of a figure of an earlier message, the amount is open.
    """
    put = []
    for dimension, unit in _UNITS.items():
        own = [one for one in talk.figures if one.figure.dimension is dimension]
        if not any(one.turns_ago == 0 for one in own if one.role != "index") and not _multiplies_now(talk, own):
            continue
        factors = [one for one in talk.figures if one.role == "factor" and one not in own]
        if not all(one.share >= SURE for one in (*own, *factors)):
            if all(one.turns_ago == 0 for one in own):
                return None
            put.append(Put(None, unit))
            continue
        amount = amount_of(talk.figures, dimension)
        counting = [one for one in own if one.role != "none"]
        if any(one.figure.bound in ("above", "at_least") for one in counting):
            put.append(Put(None, unit))
        elif amount is not None:
            put.append(Put(amount, unit))
    return tuple(put)


def _multiplies_now(talk: TalkRead, own: Sequence[RoleRead]) -> bool:
    """Whether the last message says how often something is done that was told before: 5回でなく6回でした."""
    now = any(one.role == "factor" and one.turns_ago == 0 for one in talk.figures)
    return now and any(one.role == "factor" for one in own)


def compared_counts(talk: TalkRead) -> tuple[Decimal, tuple[Decimal, ...]] | None:
    """How many municipalities join now, and how many did each earlier time; None where the last message does not say.

    Those that join and leave are put to the last of the earlier times, where no number is said.
    """
    own = [one for one in talk.figures if one.figure.dimension in _COUNTED and one.role in _JOINING]
    if not any(one.turns_ago == 0 for one in own) or not all(one.share >= SURE for one in own):
        return None
    earlier = _values(own, "before")
    wholes = _values(own, "whole")
    joining, leaving = _values(own, "part"), _values(own, "off")
    if wholes:
        return wholes[-1], earlier
    if joining or leaving:
        return sum(joining, earlier[-1] if earlier else Decimal(0)) - sum(leaving), earlier
    return None


def _values(figures: Sequence[RoleRead], role: str) -> tuple[Decimal, ...]:
    return tuple(one.figure.value for one in figures if one.role == role)


def indices_put(talk: TalkRead) -> tuple[RoleRead, ...] | None:
    """The financial strength indices of the last message that count; None where it is unsure of one."""
    now = [one for one in talk.figures if one.turns_ago == 0 and one.figure.dimension is Dimension.NUMBER]
    return tuple(one for one in now if one.role == "index") if all(one.share >= SURE for one in now) else None


def in_unit(put: Sequence[Put], units: Collection[Unit | None], met: str) -> Put | None:
    """The one of several amounts that is measured.

    These are hours where people meet `online` alone, and days where they come, if only at times; else what a program
    measures its cap by, else the first. None where days and hours are mixed (T13), where only the length is said that
    does not count, or nothing is put.
    """
    lengths = [one for one in put if one.unit in ("day", "hour")]
    if len(lengths) > 1 and met not in ("online", "on_site"):
        return None
    if lengths and met:
        return next((one for one in lengths if one.unit == ("hour" if met == "online" else "day")), None)
    return next((one for one in put if one.unit in units), put[0] if put else None)
