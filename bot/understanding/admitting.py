"""Which readings may be believed: those that say, in words of the message, how things stand for the applicant now."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from bot.types import Reading, Stance, When, Whose
from knowledge.types import Fact

STRONGEST: Mapping[Fact, tuple[str, ...]] = {
    Fact.RECOMMENDATION: ("local_government", "regional_bureau", "awaited", "none"),
    Fact.PAST_SELECTION: ("selected", "applied_not_selected", "never"),
    Fact.JOINT_PROJECT: ("with_other", "with_recommender", "awaited", "none"),
    Fact.INVESTMENT_OR_NONPROFIT: ("invested", "nonprofit", "awaited", "neither"),
}
"""Of several values of a fact, each said of another thing (one recommender refused, another agreed), what holds."""


@dataclass(frozen=True)
class Admitted:
    """The facts that are believed, each with its reading, and the facts that were spoken of and stay open."""

    facts: Mapping[Fact, Reading]
    open: frozenset[Fact]


def admit(readings: Iterable[Reading]) -> Admitted:
    """The readings of the applicant, as things stand. Two of equal right leave the fact open."""
    by_fact: dict[Fact, list[Reading]] = {}
    for reading in readings:
        if _speaks_of_the_case(reading):
            by_fact.setdefault(Fact(reading.slot), []).append(reading)
    facts: dict[Fact, Reading] = {}
    open_facts: set[Fact] = set()
    for fact, said in by_fact.items():
        if (chosen := _chosen(fact, said)) and chosen.value != "unknown":
            facts[fact] = chosen
        else:
            open_facts.add(fact)
    return Admitted(facts, frozenset(open_facts))


def _speaks_of_the_case(reading: Reading) -> bool:
    if reading.whose is not Whose.WRITER or reading.stance in (Stance.CONTRASTED, Stance.QUOTED):
        return False
    return reading.when is not When.BEFORE or reading.slot == Fact.PAST_SELECTION


def _chosen(fact: Fact, said: list[Reading]) -> Reading | None:
    values = {reading.value for reading in said}
    if len(values) == 1:
        return said[-1]
    order = STRONGEST.get(fact)
    if fact is Fact.PAST_SELECTION and "unknown" in values and "selected" not in values:
        return None
    if order:
        known = [reading for reading in said if reading.value in order]
        return min(known, key=lambda reading: order.index(reading.value)) if known else None
    return said[-1] if fact in (Fact.PARTNERSHIP, Fact.MEETING_MODE, Fact.SAME_PROJECT) else None
