"""The reader that needs no model: bodies, relations, choices and quantities, each with the words that say it."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from decimal import Decimal

from bot.types import Conversation, Reading, Stance, When, Whose
from bot.understanding.bodies import GOVERNMENTS, Part, find_bodies
from bot.understanding.choices import read_choices
from bot.understanding.counts import CountReader
from bot.understanding.denying import is_denied
from bot.understanding.message import Message
from bot.understanding.owning import Scene, choose_applicants
from bot.understanding.quantities import IndexReading, QuantityReader, newest, own_indices
from bot.understanding.relations import RelationReader
from bot.understanding.roles import correct_applicants
from bot.understanding.selections import SelectionReader
from knowledge.figures import Dimension
from knowledge.types import ApplicantKind, Fact, Subject


class OfflineReader:
    """Reads one message by the vocabulary and the facts; the same message gives the same readings."""

    def __init__(self, message: Message, before: Conversation, names_index_program: bool = False) -> None:
        """Takes a message and what the conversation knows before it.

        `names_index_program` tells that the message names a program that turns on the index, so that a bare decimal
        is one.
        """
        bodies = find_bodies(message)
        self.message = message
        known = before.facts.get(Fact.APPLICANT_KIND, "")
        chosen = choose_applicants(message, bodies, known)
        self.scene = Scene(message, bodies, chosen if known else correct_applicants(message, bodies, chosen))
        turns_on_index = Subject.ELIGIBILITY in before.subjects and before.asked_for in _ASKED_WITH_THE_INDEX
        expects_index = (
            turns_on_index
            or names_index_program
            or not before.facts.keys().isdisjoint((Fact.FISCAL_INDEX, Fact.INDEX_STANDING))
        )
        expects_count = before.asked_for is Fact.MUNICIPALITY_COUNT or Fact.MUNICIPALITY_COUNT in before.facts
        meetings = before.amount if before.amount_unit == "meeting" else None
        self.quantities = QuantityReader(self.scene, expects_index, meetings)
        self.counts = CountReader(self.scene, expects_count)
        self.expects_reply = before.asked_for is not None
        self._before = before
        self._known_kind = before.facts.get(Fact.APPLICANT_KIND, "")

    def read(self) -> tuple[Reading, ...]:
        """Every reading of the message, of whomever and whenever, in order of the words."""
        relations = (*RelationReader(self.scene).read(), *SelectionReader(self.scene).read())
        readings = (
            *self._applicant(relations),
            *relations,
            *read_choices(self.scene, Subject.REPEAT in self._before.subjects),
            *self._indices(),
            *filter(None, [self.counts.change(self._before.counts)]),
        )
        return tuple(sorted(readings, key=lambda reading: reading.start))

    def _applicant(self, relations: tuple[Reading, ...]) -> Iterator[Reading]:
        """Every body as the kind that it is; the applicant's, as the writer's, with what an investment makes of it."""
        chosen = self.scene.applicants
        for body in self.scene.bodies:
            kind = _KIND_OF_CONCEPT.get(body.kind)
            if kind is None:
                continue
            applies = body in chosen
            if (
                applies
                and kind is ApplicantKind.COMPANY
                and any(
                    r.slot == Fact.INVESTMENT_OR_NONPROFIT and r.value == "invested" and r.whose is Whose.WRITER
                    for r in relations
                )
            ):
                kind = ApplicantKind.INVESTED_CORPORATION
            if applies and kind is ApplicantKind.NONPROFIT and self.message.says("unincorporated"):
                kind = ApplicantKind.VOLUNTARY_GROUP
            if applies and kind is ApplicantKind.NONPROFIT and self._is_for_profit():
                kind = ApplicantKind.OTHER_CORPORATION
            whose = Whose.WRITER if applies else (body.whose if body.whose is not Whose.WRITER else Whose.ANOTHER)
            yield Reading(Fact.APPLICANT_KIND, kind, body.start, body.end, whose, by="facts.yaml: applicant_kind")

    def _is_for_profit(self) -> bool:
        """Whether it is denied that the body is a non-profit one."""
        return any(
            is_denied(self.message, mention.end, self.message.clause_at(mention.start).end)
            for mention in self.message.saying("nonprofit")
            if self.message.text[mention.start : mention.end].startswith("非営利")
        )

    def _indices(self) -> Iterator[Reading]:
        indices = self.quantities.indices()
        if spread := tuple(self._spread(indices)):
            yield from spread
            return
        own = own_indices(indices, self.scene, self._known_kind)
        counted = () if self._knows_a_newer(own) else newest(own)
        if standing := self._standing_of(counted):
            start, end = counted[-1].reading.start, counted[-1].reading.end
            yield Reading(Fact.INDEX_STANDING, standing, start, end, by="facts.yaml: index_standing")
        for index in indices:
            if index in counted:
                yield replace(index.reading, whose=Whose.WRITER, when=When.NOW)
            elif index in own:
                yield replace(index.reading, when=When.BEFORE)
            else:
                whose = index.reading.whose if index.reading.whose is not Whose.WRITER else Whose.ANOTHER
                yield replace(index.reading, whose=whose)

    def _knows_a_newer(self, own: tuple[IndexReading, ...]) -> bool:
        """Whether only indices of earlier years are told of, where one was given before: 去年は0.98でした."""
        told = own and all(index.reading.when is When.BEFORE for index in own)
        return bool(told) and Fact.FISCAL_INDEX in self._before.facts and not self.message.says("correct")

    def _standing_of(self, counted: tuple[IndexReading, ...]) -> str:
        """Whether the index is only known of earlier years, while the present one is not, or of one to come (T32)."""
        if any(self._may_round_to_one(index) for index in counted):
            return "rounded"
        if counted and all(i.reading.when is When.BEFORE for i in counted):
            unknown = self.message.says("unknown", "not_settled")
            old = all(i.year is not None and self.message.as_of.year - i.year > _OLD for i in counted)
            return "earlier" if unknown or old else ""
        return "later" if counted and all(i.reading.when is When.LATER for i in counted) else ""

    def _may_round_to_one(self, index: IndexReading) -> bool:
        """Whether it is asked if an index just below 1 is rounded: 0.996は四捨五入して1.00ですか."""
        asking = {clause.sentence for clause in self.message.clauses if clause.number in self.message.asking}
        asked = any(self.message.clause_at(m.start).sentence in asking for m in self.message.saying("rounds"))
        return asked and _MAY_ROUND_TO_ONE <= Decimal(index.reading.value) < 1

    def _spread(self, indices: tuple[IndexReading, ...]) -> Iterator[Reading]:
        """Whether governments of different indices apply together (T29), or the work goes over their areas (T16)."""
        said = [i for i in indices if i.reading.stance is Stance.SAID and i.reading.when is not When.BEFORE]
        if len({i.reading.value for i in said}) < 2:
            return
        at_place = own_indices(said, self.scene, self._known_kind)
        applicant = self.scene.applicant
        if applicant and applicant.kind not in GOVERNMENTS and len({i.reading.value for i in at_place}) > 1:
            yield from self._spread_as("areas", at_place)
        elif self.message.says("across"):
            yield from self._spread_as("areas", said)
        elif self._apply_together():
            yield from self._spread_as("applicants", said)

    def _apply_together(self) -> bool:
        partners = [b for b in self.scene.bodies if b.part is Part.PARTNER and b.kind in GOVERNMENTS]
        counted = any(f.dimension is Dimension.MUNICIPALITY for f in self.message.figures)
        others = partners or counted or self.message.says("other")
        return self.message.says("joint_application") or bool(
            self.message.says("together") and others and self.message.says("apply", "can", "eligible")
        )

    def _spread_as(self, value: str, indices: Sequence[IndexReading]) -> Iterator[Reading]:
        """The lowest index, which decides where even that is out, and that others stand beside it."""
        lowest = min(indices, key=lambda index: Decimal(index.reading.value)).reading
        start, end = indices[0].reading.start, indices[-1].reading.end
        yield replace(lowest, whose=Whose.WRITER, by="facts.yaml: index_spread")
        yield Reading(Fact.INDEX_SPREAD, value, start, end, by="facts.yaml: index_spread")


_MAY_ROUND_TO_ONE = Decimal("0.95")
_OLD = 3
"""An index of more calendar years ago is no present one: it is published two years after, as a mean of three."""

_ASKED_WITH_THE_INDEX = (Fact.APPLICANT_KIND, Fact.FISCAL_INDEX, Fact.INVESTMENT_OR_NONPROFIT)
"""The facts that are asked for where the index decides too: a bare decimal in the reply is one."""

_KIND_OF_CONCEPT = {
    **{kind.value: kind for kind in ApplicantKind},
    "cooperative": ApplicantKind.OTHER_CORPORATION,
    "unincorporated": ApplicantKind.VOLUNTARY_GROUP,
}
