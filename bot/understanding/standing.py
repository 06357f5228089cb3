"""How a relation or an event stands: so, denied, awaited or unknown, as the words after it say."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from bot.types import Reading, Stance, When, Whose
from bot.understanding.bodies import Part
from bot.understanding.denying import is_denied
from bot.understanding.message import Clause, Message
from bot.understanding.owning import Scene
from knowledge.lexicon import Mention
from knowledge.types import Fact


class Holding(StrEnum):
    """How a relation stands; `silent` where its words are followed by nothing that tells."""

    SO = "so"
    DENIED = "denied"
    AWAITED = "awaited"
    UNKNOWN = "unknown"
    SILENT = "silent"


@dataclass(frozen=True)
class Held:
    """A relation's words, where the stretch that tells how it stands ends, and that."""

    mention: Mention
    end: int
    holding: Holding


@dataclass(frozen=True)
class Relation:
    """What says a relation, what affirms and what ends it; an event (`awaited` False) is not waited for."""

    said_by: str
    affirmed_by: tuple[str, ...]
    awaited: bool = True


RELATIONS = ("recommend", "invest", "together", "selection", "rejected")
"""Concepts that say one: where another begins, the words of the one before it end."""

_ASKS_ABLE = ("使", "出来", "でき", "呼", "対象", "可能", "大丈夫", "いけ", "頼", "乗")
_OF_ITS_PAPER = (
    "書の様",
    "の様式",
    "の手続",
    "の方法",
    "の期限",
    "の書式",
    "手続",
    "方法",
    "者の",
    "基準",
    "される",
    "の基準",
)
_STATES_IT = (
    *("で", "済", "付", "つき", "ok", "あり", "有", "も", "された", "して", "し、", "した", "され", "する", "てる"),
    *("の株", "の会", "の法", "法人", "会社", "率", "は", "が"),
)
_STATES_NOTHING = ("ですか", "でしょ", "では", "でない", "はどう", "がどう", "はい")
_AT_LARGE = ("団体", "県", "法人", "企業", "会社", "都道府県", "自治体", "ところ")
_OF_ONE_PHRASE = 3  # characters between two words that say one thing together: 支援地域に選定された
_A_VERBS_END = 4  # characters in which a verb ends: もらい|ました
_A_REMARK = 16  # characters of a clause that only denies or doubts what was said before it


class Standing:
    """Tells how the relations of one message stand, and of whom and when they are said."""

    def __init__(self, scene: Scene) -> None:
        """Takes a message with its bodies."""
        self._scene = scene
        self._message: Message = scene.message

    def held(self, relation: Relation) -> Iterator[Held]:
        """Each mention of a relation, then each later clause that goes on from it with its own verb (もらえました)."""
        last: Mention | None = None
        for clause in self._message.clauses:
            mentions = self._message.in_clause(clause, relation.said_by)
            ends = [following.start for following in mentions[1:]] + [clause.end + _OF_ONE_PHRASE]
            whole = [m for m, end in zip(mentions, ends, strict=False) if end - m.end >= _OF_ONE_PHRASE]
            for last in whole:
                if not self._is_required(last, clause):
                    yield self._held_in(relation, last, clause)
            if not mentions and last and self._goes_on(clause, last):
                yield self._stands(relation, last, clause.start, clause)

    def _held_in(self, relation: Relation, mention: Mention, clause: Clause) -> Held:
        held = self._stands(relation, mention, mention.end, clause)
        following = self._next_in_sentence(clause)
        if not relation.awaited and self.is_past(mention.end, mention.end + 2):
            return held  # 選ばれたけど、…
        if held.holding is Holding.SILENT and following and not self._message.in_clause(following, *RELATIONS):
            return self._stands(relation, mention, following.start, following)
        return held

    def _stands(self, relation: Relation, mention: Mention, start: int, clause: Clause) -> Held:
        end = self._end_of(mention, clause) if start == mention.end else self._end_in(clause)
        return Held(mention, max(end, mention.end), self._holding(relation, mention, start, end, clause))

    def _holding(self, relation: Relation, mention: Mention, start: int, end: int, clause: Clause) -> Holding:
        denied = is_denied(self._message, start, end)
        lost = self._message.says("lose", start=start, end=end)
        affirmed = self._message.says(*relation.affirmed_by, start=start, end=end)
        if self._message.says("unknown", start=start, end=self._end_of_doubt(clause)):
            return Holding.UNKNOWN
        if self._is_only_told(start, end, clause, affirmed and not denied):
            return Holding.AWAITED
        if relation.awaited and self._is_awaited(
            relation, mention, start, end, clause, affirmed=affirmed, denied=denied
        ):
            return Holding.AWAITED
        if lost or denied:
            not_lost = Holding.SO if affirmed else Holding.AWAITED  # 断られてはいない
            return not_lost if lost and denied else Holding.DENIED
        return Holding.SO if affirmed or self._is_stated_bare(mention, start, end, clause) else Holding.SILENT

    def _is_only_told(self, start: int, end: int, clause: Clause, affirmed: bool) -> bool:
        """Whether it is not there yet but told or thought to come: 推薦はたぶん取れる, くれるとは言うてる."""
        told = self._message.says("perhaps", "hearsay", start=start, end=clause.end)
        return affirmed and told and not self.is_past(start, end)

    def _is_awaited(
        self,
        relation: Relation,
        mention: Mention,
        start: int,
        end: int,
        clause: Clause,
        *,
        affirmed: bool,
        denied: bool,
    ) -> bool:
        if "recommend" in mention.concepts and self._is_under_way(start, end):
            return True
        asked_for = self._message.says("requested", start=start, end=end) and not affirmed and not denied
        waits = [
            m
            for m in self._message.saying("pending", "hope", start=clause.start, end=end)
            if (m.end > mention.start or start != mention.end or "pending" in m.concepts)
            and not (denied and self._is_heard(m))
        ]
        got = self._message.saying(*relation.affirmed_by, start=start, end=end)
        there = not denied and any(self.is_past(m.start, min(m.end + _A_VERBS_END, end)) for m in got)
        hoped = self._message.says("hope", start=start, end=end)
        return asked_for or (bool(waits) and (not there or hoped))

    def _is_heard(self, mention: Mention) -> bool:
        """Whether a word that may wait only passes on what was heard: くれないそう, and not もらえなさそう."""
        return "hearsay" in mention.concepts and self._message.text[: mention.start].endswith(("ない", "ません", "た"))

    def _is_under_way(self, start: int, end: int) -> bool:
        """Whether it is only being worked on: 推薦を検討してくれている最中; not 相談して、もらいました."""
        if any(t.surface == "中" and t.pos == "接尾辞" for t in self._message.tokens_between(start, end)):
            return True
        process = self._message.saying("process", start=start, end=end)
        if not process:
            return False
        got = self._message.saying("get", start=process[-1].end, end=end)
        return not any(t.key == "た" for m in got for t in self._message.tokens_between(m.end, min(m.end + 4, end)))

    def _is_stated_bare(self, mention: Mention, start: int, end: int, clause: Clause) -> bool:
        """Whether a relation is stated by its mere name: 町の推薦で, 推薦済, 市と共同の, 選ばれた."""
        if start != mention.end:
            return False
        after = self._message.text[mention.end : mention.end + 3]
        if after.startswith(_STATES_IT) and not after.startswith(_STATES_NOTHING):
            return after[0] not in "はが" or any(mention.end < f.start < end for f in self._message.figures)
        related = (Part.RECOMMENDER, Part.INVESTOR, Part.PARTNER)
        beside = any(b.part in related and b.clause == clause for b in self._scene.bodies)
        return beside and not after.startswith(("は", "が", "を"))

    def is_past(self, start: int, end: int) -> bool:
        """Whether what stands there has come about (た, て, 済)."""
        tokens = self._message.tokens_between(start, end)
        return any(t.key in ("た", "済み", "済む") or t.surface in ("て", "てる") for t in tokens)

    def is_of_before(self, at: int) -> bool:
        """Whether what stands there is said of an earlier time: of 前回, of a year that is over."""
        clause = self._message.clause_at(at)
        told = self._message.says("before", start=clause.start, end=at)
        return told or self._scene.time_at(at, at) is When.BEFORE

    # --- where its words end --------------------------------------------------------------------------------------

    def _end_of(self, mention: Mention, clause: Clause) -> int:
        """Where the words that tell how a relation stands end: at a body, at what is asked, at another relation."""

        def after(*concepts: str) -> tuple[Mention, ...]:
            return self._message.saying(*concepts, start=mention.end, end=clause.end)

        told = (Part.RECOMMENDER, Part.OWNER)
        stops = [b.start for b in self._scene.bodies if b.start >= mention.end and b.part not in told]
        stops += [m.start for m in after("eligible", *RELATIONS) if not m.concepts & {"get", "lose"}]
        able = [m for m in after("can") if self._message.text[m.start :].startswith(_ASKS_ABLE)]
        stops += [m.start for m in able if m.start > mention.end + 1]  # 推薦はできない says of itself
        stops += [m.start for m in after("index")]
        if clause.number in self._message.asking:
            applies = [m for m in after("apply") if self._message.text[m.start] in "申応利活"]
            stops += [m.start for m in applies if "get" not in m.concepts]
        return min([clause.end, *stops])

    def _end_in(self, clause: Clause) -> int:
        asked = self._message.in_clause(clause, "eligible")
        return asked[0].start if asked else clause.end

    def _end_of_doubt(self, clause: Clause) -> int:
        """Where it may be said that something is not known: in the next clause too after …のか、…かどうか、."""
        following = self._next_in_sentence(clause)
        asks = self._message.text[clause.start : clause.end].rstrip("、 ").endswith(("か", "かどうか"))
        return following.end if following and asks else clause.end

    def _next_in_sentence(self, clause: Clause) -> Clause | None:
        following = self._message.clauses[clause.number + 1 : clause.number + 2]
        return following[0] if following and following[0].sentence == clause.sentence else None

    def _goes_on(self, clause: Clause, last: Mention) -> bool:
        """Whether a clause speaks on of a relation without naming it: it has its verb, or only denies."""
        before = self._message.clause_at(last.start)
        if clause.sentence > before.sentence + 1 or self._message.in_clause(clause, *RELATIONS):
            return False
        if any(b.clause == clause and b.part is Part.RECOMMENDER for b in self._scene.bodies):
            return bool(self._message.in_clause(clause, "get", "lose"))
        if clause.number in self._message.asking:
            return False
        if self._message.in_clause(clause, "eligible", "index", "cap", "cost", "call", "apply"):
            return False
        if self._message.in_clause(clause, "get", "lose"):
            return True
        doubted = self._message.in_clause(clause, "deny", "pending", "unknown")
        return (
            bool(doubted)
            and clause.end - clause.start <= _A_REMARK
            and not self._message.in_clause(clause, "can", "project")
        )

    def _is_required(self, mention: Mention, clause: Clause) -> bool:
        """Whether it is asked if the relation is needed (推薦は必要ですか, 推薦がないとだめ?), or only its paper is."""
        end = self._end_of(mention, clause)
        needed = self._message.says("requirement", start=mention.end, end=clause.end)
        if needed and not self._message.says("get", start=mention.end, end=end):
            return True
        asked = clause.number in self._message.asking
        must = self._message.saying("no_denial", start=mention.end, end=clause.end)
        if asked and any("deny" not in m.concepts and m.start < end for m in must):
            return True
        return self._message.text[mention.end : mention.end + 4].startswith(_OF_ITS_PAPER)

    # --- of whom and when ---------------------------------------------------------------------------------------------

    def reading(self, fact: Fact, value: str, start: int, end: int, when: When | None = None) -> Reading:
        """What stands between two characters as a reading of a fact, with its owner, time and stance."""
        owner = self._scene.owner_at(start, end)
        related = (Part.RECOMMENDER, Part.INVESTOR, Part.PARTNER, Part.CONSULTED)
        if owner.body is not None and owner.body.part in related:
            owner = self._scene.owner_at(owner.body.start, owner.body.start)
        ours = self._scene.is_the_applicants(owner)
        whose = Whose.WRITER if ours else Whose.ANOTHER if owner.whose is Whose.WRITER else owner.whose
        stance = Stance.QUOTED if self._is_quoted(start) else Stance.SAID
        return Reading(fact, value, start, end, whose, when or self._time_of(start, end), stance, f"facts.yaml: {fact}")

    def _time_of(self, start: int, end: int) -> When:
        if end <= self._message.clause_at(start).end:
            return self._scene.time_at(end - 1, end)
        words = self._message.in_clause(self._message.clause_at(end - 1), "before", "now", "later")
        concepts = words[-1].concepts if words else frozenset[str]()
        return When.BEFORE if "before" in concepts else When.LATER if "later" in concepts else When.NOW

    def _is_quoted(self, start: int) -> bool:
        """Whether it is said of bodies at large, as a rule that somebody has heard (推薦を受けた団体が対象との認識)."""
        clause = self._message.clause_at(start)
        heard = self._message.says("hearsay", "claim", start=start, end=clause.end)
        own = self._message.in_clause(clause, "self") or any(
            b.plainly and b.clause == clause for b in self._scene.bodies
        )
        mention = self._message.saying(*RELATIONS, "first_time", "applied", start=start, end=clause.end)
        rest = self._message.text[mention[0].end if mention else start :][:8]
        return heard and not own and any(word in rest for word in _AT_LARGE)
