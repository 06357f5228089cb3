"""Which readings may be believed: those that say, in words of the message, how things stand for the applicant now."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from bot.types import BY_MODEL, CONFIRMED, Reading, Stance, When, Whose
from bot.understanding.denying import denials
from bot.understanding.message import Clause
from bot.understanding.owning import Scene
from bot.understanding.quantities import index_text
from knowledge.figures import Dimension, Figure
from knowledge.types import Fact

STRONGEST: Mapping[Fact, tuple[str, ...]] = {
    Fact.RECOMMENDATION: ("local_government", "regional_bureau", "awaited", "elsewhere", "none"),
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
    said = [reading for reading in said if reading.by == CONFIRMED] or said
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


# --- what a chat model proposes --------------------------------------------------------------------------------------

AMOUNT, NUMBER = "amount", "number"
"""How an amount is proposed, and that a figure is: which one is read from the words, never taken from a model."""

Refusal = Literal["unknown_value", "not_in_message", "of_another", "not_now", "not_said", "no_figure"]

_UNITS: Mapping[Dimension, str] = {
    Dimension.YEN: "yen",
    Dimension.DAY: "day",
    Dimension.HOUR: "hour",
    Dimension.TIME: "count",
}
_DOUBTED = ("hope", "suppose", "perhaps", "unknown", "pending", "process")
_STANDING = (Fact.RECOMMENDATION, Fact.JOINT_PROJECT, Fact.INVESTMENT_OR_NONPROFIT)
_NOT_STANDING = ("none", "neither", "awaited")


@dataclass(frozen=True)
class Proposal:
    """One thing that a chat model says it has read, as it gave it: `says` is a fact with its value."""

    says: str
    quote: str
    whose: str
    when: str
    stance: str


def admit_proposal(
    proposal: Proposal, scene: Scene, known: frozenset[str], asked_for: Fact | None
) -> Reading | Refusal:
    """What a model read, where the words around its quote say nothing against it; otherwise why it is refused.

    The whole of each clause that the quote touches is judged, so that half of one proves nothing.

    Args:
        proposal: as the model gave it.
        scene: the message, with its bodies as they are read without a model.
        known: everything that can be proposed.
        asked_for: the fact that the last answer asked for.
    """
    if proposal.says not in known:
        return "unknown_value"
    message = scene.message
    found = message.find(proposal.quote)
    if found is None:
        return "not_in_message"
    slot, _, value = proposal.says.partition("=")
    clauses = [clause for clause in message.clauses if clause.start < found[1] and found[0] < clause.end]
    start, end = clauses[0].start, clauses[-1].end
    if _is_of_another(proposal, slot, scene, found):
        return "of_another"
    if slot != Fact.PAST_SELECTION and proposal.when != When.NOW:
        return "not_now"
    if _is_not_said(proposal, slot, value, scene, clauses):
        return "not_said"
    if value == NUMBER:
        figures = [figure for figure in message.figures if found[0] <= figure.start and figure.end <= found[1]]
        speaks_of_index = message.says("index", start=start, end=end) or asked_for is Fact.FISCAL_INDEX
        read = _read_amount(figures) if slot == AMOUNT else _read_index(figures) if speaks_of_index else None
        if read is None:
            return "no_figure"
        slot, value = read
    return Reading(slot, value, start, end, by=BY_MODEL)


def _is_of_another(proposal: Proposal, slot: str, scene: Scene, found: tuple[int, int]) -> bool:
    if proposal.whose != Whose.WRITER:
        return not (slot == Fact.FISCAL_INDEX and proposal.whose == Whose.PLACE)
    if slot == Fact.APPLICANT_KIND or slot in _STANDING:
        return False  # the nearest body is the applicant itself, or the one that recommends: whose it is was proposed
    figure = next((f for f in scene.message.figures if found[0] <= f.start and f.end <= found[1]), None)
    owner = scene.owner_at(figure.start, figure.end) if figure else scene.owner_at(found[1] - 1, found[1])
    return owner.whose is Whose.ANOTHER and not scene.is_the_applicants(owner)


def _is_not_said(proposal: Proposal, slot: str, value: str, scene: Scene, clauses: list[Clause]) -> bool:
    """Whether the words only hope or wonder, or deny what is proposed."""
    if value == "awaited":
        return proposal.stance == Stance.ASKED
    if proposal.stance not in (Stance.SAID, Stance.DENIED):
        return True
    message = scene.message
    doubted = any(message.in_clause(c, *_DOUBTED) for c in clauses if c.number not in message.asking)
    denied = any(denials(message, c.start, c.end) % 2 for c in clauses)
    stands = slot in _STANDING and value not in _NOT_STANDING
    return (slot in _STANDING and doubted) or (stands and denied)


def _read_index(figures: list[Figure]) -> tuple[str, str] | None:
    numbers = {index_text(figure) for figure in figures if figure.dimension is Dimension.NUMBER}
    return (Fact.FISCAL_INDEX, numbers.pop()) if len(numbers) == 1 else None


def _read_amount(figures: list[Figure]) -> tuple[str, str] | None:
    amounts = {(_UNITS[f.dimension], str(f.value)) for f in figures if f.dimension in _UNITS}
    return amounts.pop() if len(amounts) == 1 else None
