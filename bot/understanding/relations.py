"""Reads the facts that are relations: recommended, invested in, working together with a local government."""

from collections.abc import Iterator

from bot.types import Reading, Whose
from bot.understanding.bodies import GOVERNMENTS, Body, Part
from bot.understanding.denying import is_contrasted
from bot.understanding.message import Clause
from bot.understanding.owning import Scene
from bot.understanding.standing import Held, Holding, Relation, Standing
from knowledge.figures import Dimension
from knowledge.types import Fact

_RECOMMENDED = Relation("recommend", ("get",))
_INVESTED = Relation("invest", ("get",))
_TOGETHER = Relation("together", ("project", "work", "get"))

ELSEWHERE = "elsewhere"
"""Recommended by somebody whose recommendation does not count."""

_NOT_THERE = {Holding.DENIED: "none", Holding.AWAITED: "awaited", Holding.UNKNOWN: "awaited"}
"""What a relation is that does not stand: what is hoped for or not known is not there yet (T28)."""

_NOT_OURS = {Fact.RECOMMENDATION: "none", Fact.INVESTMENT_OR_NONPROFIT: "neither", Fact.JOINT_PROJECT: "none"}
"""What holds of the applicant where it is said to hold of another alone."""

_ANY_GOVERNMENT = ("自治体", "地方公共団体", "市町村")


class RelationReader:
    """Reads the relations of one message, of whomever and whenever."""

    def __init__(self, scene: Scene) -> None:
        """Takes a message with its bodies."""
        self._scene = scene
        self._message = scene.message
        self._standing = Standing(scene)

    def read(self) -> Iterator[Reading]:
        """Every relation that the message states."""
        yield from self._recommendation()
        yield from self._investment()
        yield from self._joint_project()

    def _reading(self, fact: Fact, value: str, held: Held) -> Reading:
        start = held.mention.start
        if self._scene.is_said_of_another_alone(start, self._scene.owner_at(start, held.mention.end)):
            return Reading(fact, _NOT_OURS[fact], start, held.end, by=f"facts.yaml: {fact}")
        return self._standing.reading(fact, value, start, held.end)

    # --- recommended ------------------------------------------------------------------------------------------------

    def _recommendation(self) -> Iterator[Reading]:
        source = ""
        for held in self._standing.held(_RECOMMENDED):
            source = self._recommender(held) or source
            so = held.holding is Holding.SO or (held.holding is Holding.SILENT and self._is_named_after(held))
            value = (source or "local_government") if so else _NOT_THERE.get(held.holding)
            if value == "none" and source == ELSEWHERE:
                continue  # that a bank does not recommend says nothing of the town
            if value and (so or not self._gives(held)):
                yield self._reading(Fact.RECOMMENDATION, value, held)

    def _recommender(self, held: Held) -> str:
        clause = self._message.clause_at(held.mention.start)
        end = max(held.end, (self._message.focus_after(held.mention.start) or 0) + 1)
        givers = [
            b.kind
            for b in self._scene.bodies
            if b.part is Part.RECOMMENDER and clause.start <= b.start < end and not is_contrasted(self._message, b.end)
        ]
        counting = [kind for kind in givers if kind in GOVERNMENTS or kind == "regional_bureau"]
        if not counting:
            return ELSEWHERE if givers else ""
        return "regional_bureau" if counting[-1] == "regional_bureau" else "local_government"

    def _is_named_after(self, held: Held) -> bool:
        """Whether the recommender is named as such: 推薦元は総合通信局です."""
        end = min(held.mention.end + 8, self._message.clause_at(held.mention.start).end - 1)
        return any(b.part is Part.RECOMMENDER and held.mention.end <= b.start <= end for b in self._scene.bodies)

    def _gives(self, held: Held) -> bool:
        """Whether the writer is the one who recommends (県として推薦する)."""
        clause = self._message.clause_at(held.mention.start)
        given = any(b.part is Part.RECOMMENDER and b.clause == clause for b in self._scene.bodies)
        return not given and self._message.text[held.mention.end :].startswith(("し", "する", "できる", "書"))

    # --- invested in ------------------------------------------------------------------------------------------------

    def _investment(self) -> Iterator[Reading]:
        investors = {b.kind in GOVERNMENTS for b in self._scene.bodies if b.part is Part.INVESTOR}
        for held in self._standing.held(_INVESTED):
            so = held.holding is Holding.SO or (held.holding is Holding.SILENT and investors)
            value = "invested" if so else _NOT_THERE.get(held.holding, "").replace("none", "neither")
            if value == "invested" and investors == {False}:
                only = self._message.in_clause(self._message.clause_at(held.mention.start), "only")
                value = "neither" if only else "unknown"  # a bank invests: whether a town does too is not said
            if value:
                yield self._reading(Fact.INVESTMENT_OR_NONPROFIT, value, held)
        for figure in self._message.figures:
            clause = self._message.clause_at(figure.start)
            owners = [
                b for b in self._scene.bodies if b.kind in GOVERNMENTS and b.clause == clause and b.end <= figure.start
            ]
            holds = self._message.says("bears", start=figure.end, end=clause.end)
            if owners and holds and figure.dimension is Dimension.PERCENT:  # 町が51%持ってて
                yield self._standing.reading(Fact.INVESTMENT_OR_NONPROFIT, "invested", owners[-1].start, figure.end)

    # --- working together -------------------------------------------------------------------------------------------

    def _joint_project(self) -> Iterator[Reading]:
        yield from self._does_alone()
        for held in self._standing.held(_TOGETHER):
            clause = self._message.clause_at(held.mention.start)
            partners = [b for b in self._scene.bodies if b.part is Part.PARTNER and clause.start <= b.start <= held.end]
            works = self._message.says("project", "work", "counterpart", start=clause.start, end=held.end + 8)
            if (works or partners) and not self._applies_together(held, clause):
                value = _NOT_THERE.get(held.holding) or self._with_whom(partners, clause)
                yield self._reading(Fact.JOINT_PROJECT, value, held)

    def _does_alone(self) -> Iterator[Reading]:
        """That nobody else takes part: 自社だけの事業."""
        applicant = self._scene.applicant
        for mention in self._message.saying("only", "alone"):
            works = self._message.saying("project", start=mention.end, end=mention.end + 6)
            if works and applicant and applicant.kind not in GOVERNMENTS:
                yield self._standing.reading(Fact.JOINT_PROJECT, "none", mention.start, works[0].end)

    def _applies_together(self, held: Held, clause: Clause) -> bool:
        """Whether it is the application that is made together, and no project."""
        following = self._message.saying("apply", "project", "work", start=held.mention.end, end=clause.end)
        if not following or following[0].concepts & {"project", "work"}:
            return False
        return self._message.text[following[0].start :].startswith(("申", "応", "出", "手", "エ"))

    def _with_whom(self, partners: list[Body], clause: Clause) -> str:
        """Whether the work is done with the recommender, or with another local government (T02)."""
        recommenders = [b for b in self._scene.bodies if b.part is Part.RECOMMENDER]
        apart = self._message.in_clause(clause, "different", "other", "apart_from")
        if apart and (recommenders or self._message.says("recommend")):
            names = {b.name for b in recommenders if b.name}
            if not (partners and partners[-1].name in names):
                return "with_other"
        others = any(self._is_another(partner, recommender) for partner in partners for recommender in recommenders)
        return "with_other" if others else "with_recommender"

    def _is_another(self, partner: Body, recommender: Body) -> bool:
        if partner.name and recommender.name:
            return partner.name != recommender.name
        first, second = (self._message.text[body.start : body.end] for body in (partner, recommender))
        if partner.whose is Whose.WRITER or recommender.kind == "regional_bureau":
            return False
        if first.endswith("自治体") or second in _ANY_GOVERNMENT:
            return False
        return partner.kind != recommender.kind and first[-1:] != second[-1:]
