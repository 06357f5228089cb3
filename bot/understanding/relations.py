"""Reads the facts that are relations and events: recommended, invested in, working together, selected before.

Each is said by its own words (facts.yaml); whether it is so, is denied, awaited or unknown is read from what follows
them in the clause, or from the next clause where the first says nothing more.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum

from bot.types import Reading, Stance, When, Whose
from bot.understanding.bodies import GOVERNMENTS, Body, Part
from bot.understanding.message import Clause, Message
from bot.understanding.owning import Scene
from knowledge.figures import Dimension
from knowledge.lexicon import Mention
from knowledge.types import Fact


class Holding(StrEnum):
    """How a relation stands."""

    SO = "so"
    DENIED = "denied"
    AWAITED = "awaited"
    UNKNOWN = "unknown"
    SILENT = "silent"


@dataclass(frozen=True)
class Held:
    """A relation's words, the stretch that tells how it stands, and that."""

    mention: Mention
    end: int
    holding: Holding


_RELATIONS = ("recommend", "invest", "together", "selection", "rejected")


def denials(message: Message, start: int, end: int) -> int:
    """How often what stands between two characters is denied; ではないか? and the like deny nothing."""
    count = 0
    for mention in message.saying("deny", "not_so", start=start, end=end):
        if "no_denial" in mention.concepts or _is_rhetorical(message, mention):
            continue
        count += 1
    return count


def _is_rhetorical(message: Message, mention: Mention) -> bool:
    """Whether a denial only asks for assent (市ではないか, 8月じゃない?)."""
    before = message.tokens[mention.first - 1] if mention.first else None
    if before is not None and before.key == "は" and mention.first > 1:
        before = message.tokens[mention.first - 2]
    after = [token for token in message.tokens[mention.last + 1 : mention.last + 4] if token.key not in ("です", "の", "でしょう", "う")]
    return before is not None and before.key == "だ" and bool(after) and after[0].surface in ("か", "?")


def is_contrasted(message: Message, end: int) -> bool:
    """Whether what ends here is taken back for what follows: 0.9ではなく1.2, 市じゃなくて県."""
    if message.text[end : end + 1] == "→" and message.says("correct"):
        return True
    if message.text[end : end + 8].lstrip("円日回時間件市町村").startswith(("と思って", "と言いま", "と言って", "と書い", "と記載", "と申し", "と伝え", "と聞いていましたが")):
        return True
    after = [token for token in message.tokens if token.start >= end][:5]
    while after and after[0].key not in ("だ", "は") and len(after[0].surface) <= 2 and after[0].key not in ("無い",):
        after = after[1:] if after[0].surface in ("円", "日", "回", "の", "市町村") else []
    keys = ["だ" if token.key == "や" else token.key for token in after]
    if message.text[end : end + 6].startswith(("やのうて", "じゃのうて", "やなしに")):
        return True
    if keys[:1] != ["だ"] or "無い" not in keys[:3]:
        return _is_called_wrong(message, end)
    return after[keys.index("無い")].surface in ("なく", "なくて", "無く", "なし") or message.text[after[keys.index("無い")].end :].strip("、てで 。").startswith(("正", "")) and after[keys.index("無い")].surface == "なく"


def _is_called_wrong(message: Message, end: int) -> bool:
    if any(word in message.text[end : end + 9] for word in ("計算違い", "見間違い", "書き間違い", "思い違い", "誤記", "打ち間違い", "記憶違い")):
        return True
    following = message.text[end : end + 6].lstrip("はがって")
    return following.startswith(("誤り", "間違い", "まちがい")) and "の" != message.text[end : end + 1]


class RelationReader:
    """Reads the relations of one message for the body that would apply."""

    def __init__(self, scene: Scene) -> None:
        """Takes a message with its bodies."""
        self._scene = scene
        self._message = scene.message

    def read(self) -> Iterator[Reading]:
        """Every relation that the message states, of whomever and whenever."""
        yield from self._recommendation()
        yield from self._investment()
        yield from self._joint_project()
        yield from self._past_selection()

    # --- what each says ---------------------------------------------------------------------------------------------

    def _recommendation(self) -> Iterator[Reading]:
        source = ""
        for held in self._held("recommend", affirms=("get",), loses=("lose",)):
            source = self._recommender(held) or source
            if held.holding is Holding.SILENT and self._is_named_after(held):
                held = Held(held.mention, held.end, Holding.SO)
            value = {
                Holding.SO: source or "local_government",
                Holding.DENIED: "none",
                Holding.AWAITED: "awaited",
                Holding.UNKNOWN: "awaited",
            }.get(held.holding)
            if value and not self._gives(held):
                yield self._reading(Fact.RECOMMENDATION, value, held, source)
            elif value and held.holding is Holding.SO:
                yield self._reading(Fact.RECOMMENDATION, "local_government", held, source)

    def _is_named_after(self, held: Held) -> bool:
        """Whether the recommender is named as such: 推薦元は総合通信局です."""
        clause = self._message.clause_at(held.mention.start)
        return any(
            b.part is Part.RECOMMENDER and held.mention.end <= b.start < clause.end and b.start - held.mention.end <= 8
            for b in self._scene.bodies
        )

    def _gives(self, held: Held) -> bool:
        """Whether the writer is the one who recommends (県として推薦する)."""
        clause = self._message.clause_at(held.mention.start)
        if any(b.part is Part.RECOMMENDER and b.clause == clause for b in self._scene.bodies):
            return False
        return self._message.tokens[min(held.mention.last + 1, len(self._message.tokens) - 1)].surface in ("し", "する", "できる", "書")

    def _recommender(self, held: Held) -> str:
        clause = self._message.clause_at(held.mention.start)
        givers = [b for b in self._scene.bodies if b.part is Part.RECOMMENDER and clause.start <= b.start < held.end]
        near = [b for b in givers if b.end <= held.end] or givers
        if not near:
            named = [b for b in self._scene.bodies if held.mention.end <= b.start < held.end and b.kind in (*GOVERNMENTS, "regional_bureau")]
            near = named if "元" in self._message.text[held.mention.start : held.mention.end] else []
        if not near:
            return ""
        return "regional_bureau" if near[-1].kind == "regional_bureau" else "local_government"

    def _investment(self) -> Iterator[Reading]:
        for held in self._held("invest", affirms=("get",), loses=("lose",)):
            value = {Holding.SO: "invested", Holding.DENIED: "none", Holding.AWAITED: "awaited", Holding.UNKNOWN: "awaited"}.get(held.holding)
            if value is None and any(b.part is Part.INVESTOR for b in self._scene.bodies):
                value = "invested"
            if value:
                yield self._reading(Fact.INVESTMENT_OR_NONPROFIT, {"none": "neither"}.get(value, value), held)
        for figure in self._message.figures:
            clause = self._message.clause_at(figure.start)
            owners = [b for b in self._scene.bodies if b.kind in GOVERNMENTS and b.end <= figure.start and b.clause == clause]
            if figure.dimension is Dimension.PERCENT and owners and self._message.says("bears", start=figure.end, end=clause.end):
                yield Reading(Fact.INVESTMENT_OR_NONPROFIT, "invested", owners[-1].start, figure.end, by="facts.yaml: investment")

    def _joint_project(self) -> Iterator[Reading]:
        yield from self._does_alone()
        for held in self._held("together", affirms=("project", "work", "get"), loses=("lose",)):
            clause = self._message.clause_at(held.mention.start)
            if self._applies_together(held, clause):
                continue
            partners = [b for b in self._scene.bodies if b.part is Part.PARTNER and clause.start <= b.start <= held.end]
            works = self._message.says("project", "work", start=clause.start, end=held.end + 8)
            if not works and not partners:
                continue
            value = {Holding.DENIED: "none", Holding.AWAITED: "awaited", Holding.UNKNOWN: "awaited"}.get(held.holding)
            yield self._reading(Fact.JOINT_PROJECT, value or self._with_whom(partners, clause), held)

    def _does_alone(self) -> Iterator[Reading]:
        """That nobody else takes part: 自社だけの事業, 自治体は加わっていない."""
        for mention in self._message.saying("only", "alone"):
            following = self._message.saying("project", start=mention.end, end=mention.end + 6)
            if following and self._scene.applicant and self._scene.applicant.kind not in GOVERNMENTS:
                yield Reading(Fact.JOINT_PROJECT, "none", mention.start, following[0].end, by="facts.yaml: joint_project")

    def _applies_together(self, held: Held, clause: Clause) -> bool:
        """Whether it is the application that is made together, and no project."""
        following = self._message.saying("apply", "project", "work", start=held.mention.end, end=clause.end)
        return bool(following) and "apply" in following[0].concepts and not following[0].concepts & {"project", "work"} and self._message.text[
            following[0].start : following[0].end
        ].startswith(("申", "応", "出", "手", "エ"))

    def _with_whom(self, partners: list[Body], clause: Clause) -> str:
        recommenders = [b for b in self._scene.bodies if b.part is Part.RECOMMENDER]
        if self._message.says("different", "other", "apart_from", start=clause.start, end=clause.end) and (recommenders or self._message.says("recommend")):
            named = {b.name for b in recommenders if b.name}
            if not (partners and partners[-1].name and partners[-1].name in named):
                return "with_other"
        for partner in partners:
            for recommender in recommenders:
                if partner.name != recommender.name and partner.name and recommender.name:
                    return "with_other"
                if partner.kind != recommender.kind and "自治体" not in self._words(partner) and recommender.kind != "regional_bureau" and not partner.whose == Whose.WRITER and self._words(partner)[-1:] != self._words(recommender)[-1:] and self._words(recommender) not in ("自治体", "地方公共団体", "市町村"):
                    return "with_other"
        return "with_recommender"

    def _words(self, body: Body) -> str:
        return self._message.text[body.start : body.end]

    def _past_selection(self) -> Iterator[Reading]:
        for mention in self._message.saying("first_time"):
            clause = self._message.clause_at(mention.start)
            if not self._message.in_clause(clause, "selection", "rejected", "passed") or "初" in self._message.text[mention.start : mention.end]:
                end = clause.end
                denied = denials(self._message, mention.end, end) % 2 == 1 and "deny" not in mention.concepts
                doubtful = self._message.says("perhaps", "unknown", start=mention.end, end=end)
                if self._message.text[mention.start : mention.end] in ("一度も", "1度も", "一回も", "1回も", "一切"):
                    continue
                value = "unknown" if doubtful else "selected" if denied else "never"
                yield self._event(value, mention.start, mention.end, clause)
        for held in self._held("selection", affirms=("get",), loses=("lose",), awaits=()):
            clause = self._message.clause_at(held.mention.start)
            after = self._message.text[held.mention.end : held.mention.end + 2]
            if after.startswith(("率", "方", "基", "結", "通", "時期", "の方", "の基", "者", "団体数")) or self._is_counted(held):
                continue
            told = after.startswith(("た", "て", "れ", "さ", "済", "ず")) or self._is_past(held.mention.end, held.end) or self._message.says("before", start=clause.start, end=held.mention.start)
            if (held.holding is Holding.SILENT and not told) or self._is_future(held, clause):
                continue
            value = {Holding.DENIED: "never", Holding.UNKNOWN: "unknown", Holding.AWAITED: "unknown"}.get(held.holding, "selected")
            yield self._event(value, held.mention.start, held.end, clause)
        for mention in self._message.saying("applied", "passed"):
            clause = self._message.clause_at(mention.start)
            following = [t.key for t in self._message.tokens_between(mention.end, mention.end + 4)]
            once = self._message.says("first_time", start=clause.start, end=mention.start) or "事" in following
            if "た" in following and once and denials(self._message, mention.end, clause.end) % 2:
                yield self._event("never", mention.start, mention.end, clause)
            later = self._message.clauses[clause.number + 1 : clause.number + 2]
            end = later[0].end if later and later[0].sentence == clause.sentence else clause.end
            failed = self._message.saying("failed", start=mention.end, end=end)
            if "applied" in mention.concepts and "た" in following and failed and self._is_past(failed[0].end, end):
                yield self._event("applied_not_selected", mention.start, failed[0].end, clause)
        for mention in self._message.saying("rejected"):
            clause = self._message.clause_at(mention.start)
            plainly = self._message.text[mention.start : mention.end] in ("不採択", "落選", "不選定", "選外")
            if plainly or self._message.says("apply", "selection", "before", start=max(0, clause.start - 12), end=clause.end):
                yield self._event("applied_not_selected", mention.start, mention.end, clause)

    def _is_counted(self, held: Held) -> bool:
        """Whether it is how many were selected, whoever they are (選ばれた7都道府県)."""
        clause = self._message.clause_at(held.mention.start)
        return any(
            held.mention.end <= f.start <= held.mention.end + 2 and f.dimension in (Dimension.OTHER, Dimension.CASE, Dimension.PEOPLE) for f in self._message.figures
        ) or self._message.says("asks_open", start=clause.start, end=clause.end)

    def _is_future(self, held: Held, clause: Clause) -> bool:
        """Whether it is asked how one is selected, and not told that one was (選ばれるには, 選定方法)."""
        if any(token.key == "た" for token in self._message.tokens_between(held.mention.end, held.end)):
            return False
        after = self._message.text[held.mention.end : held.mention.end + 4]
        if any(form in after for form in ("たら", "れば", "ると", "た後", "たあと")) and not self._message.says("before", start=clause.start, end=held.mention.start):
            return True
        return not any(form in after for form in ("た", "て", "済", "歴", "実績", "経験", "あり")) and not self._message.says(
            "before", start=clause.start, end=clause.end
        )

    def _event(self, value: str, start: int, end: int, clause: Clause) -> Reading:
        owner = self._scene.owner_at(start, end)
        whose = Whose.WRITER if self._scene.is_the_applicants(owner) else owner.whose if owner.whose is not Whose.WRITER else Whose.ANOTHER
        stance = Stance.QUOTED if self._is_quoted(start, min(end, start + 6)) else Stance.SAID
        return Reading(Fact.PAST_SELECTION, value, start, end, whose, When.BEFORE, stance, "facts.yaml: past_selection")

    # --- how it stands ----------------------------------------------------------------------------------------------

    def _held(self, concept: str, affirms: Iterable[str], loses: Iterable[str], awaits: Iterable[str] = ("pending", "hope")) -> Iterator[Held]:
        """Each mention of a relation, then each later clause that goes on from it with a word of its own (もらえました)."""
        last: Mention | None = None
        for clause in self._message.clauses:
            mentions = self._message.in_clause(clause, concept)
            for mention in mentions:
                last = mention
                if self._is_required(mention, clause):
                    continue
                held = self._stands(mention, mention.end, clause, affirms, loses, awaits)
                if held.holding is Holding.SILENT:
                    following = self._next_in_sentence(clause)
                    if following and not self._message.in_clause(following, *_RELATIONS):
                        held = self._stands(mention, following.start, following, affirms, loses, awaits)
                yield held
            if not mentions and last and self._goes_on(clause, last, affirms, loses):
                yield self._stands(last, clause.start, clause, affirms, loses, awaits)

    def _goes_on(self, clause: Clause, last: Mention, affirms: Iterable[str], loses: Iterable[str]) -> bool:
        """Whether a clause speaks on of a relation without naming it: it has its verb, or only denies."""
        before = self._message.clause_at(last.start)
        if clause.sentence > before.sentence + 1 or self._message.in_clause(clause, *_RELATIONS):
            return False
        own = self._message.in_clause(clause, *(c for c in (*affirms, *loses) if c in ("get", "lose")))
        givers = [b for b in self._scene.bodies if b.clause.number == clause.number and b.part is Part.RECOMMENDER]
        only_denies = self._message.in_clause(clause, "deny", "pending", "unknown") and len(self._message.text[clause.start : clause.end]) <= 16 and not self._message.in_clause(clause, "can", "eligible", "index", "project")
        about = self._message.in_clause(clause, "eligible", "index", "cap", "cost", "call", "apply")
        verbs = [m for m in own if self._message.text[m.start : m.end] not in ("ok",)]
        return bool((verbs and (givers or not about or clause.number not in self._message.asking)) or (only_denies and not about)) and not (
            clause.number in self._message.asking and not givers
        )

    def _next_in_sentence(self, clause: Clause) -> Clause | None:
        following = self._message.clauses[clause.number + 1 : clause.number + 2]
        return following[0] if following and following[0].sentence == clause.sentence else None

    def _is_required(self, mention: Mention, clause: Clause) -> bool:
        """Whether it is asked if the relation is needed (推薦は必要ですか, 推薦がないとだめ?), or only its paper is."""
        end = self._end_of(mention, clause)
        if self._message.says("requirement", start=mention.end, end=clause.end) and not self._message.says("get", start=mention.end, end=end):
            return True
        if any("no_denial" in m.concepts and "deny" not in m.concepts and m.start < end for m in self._message.saying("no_denial", start=mention.end, end=clause.end)) and clause.number in self._message.asking:
            return True
        after = self._message.text[mention.end : mention.end + 4]
        return after.startswith(("書の様", "の様式", "の手続", "の方法", "の期限", "の書式", "手続", "方法", "者の", "基準", "される", "の基準"))

    def _end_of(self, mention: Mention, clause: Clause) -> int:
        """Where the words that tell how a relation stands end: at a body, at what is asked, or at another relation."""
        stops = [body.start for body in self._scene.bodies if body.start >= mention.end and body.part is not Part.RECOMMENDER]
        stops += [m.start for m in self._message.saying("eligible", *_RELATIONS, start=mention.end, end=clause.end) if m is not mention and not m.concepts & {"get"} and not (m.concepts & {"rejected"} and "lose" in m.concepts)]
        asks = clause.number in self._message.asking
        stops += [m.start for m in self._message.saying("apply", start=mention.end, end=clause.end) if asks and self._message.text[m.start : m.start + 1] in "申応利活" and "get" not in m.concepts]
        stops += [m.start for m in self._message.saying("can", start=mention.end, end=clause.end) if self._message.text[m.start : m.end].startswith(("使", "出来", "でき", "呼", "対象", "可能", "大丈夫", "いけ", "頼", "乗"))]
        stops += [m.start for m in self._message.saying("index", start=mention.end, end=clause.end)]
        return min([clause.end, *(stop for stop in stops if stop < clause.end)])

    def _stands(self, mention: Mention, start: int, clause: Clause, affirms: Iterable[str], loses: Iterable[str], awaits: Iterable[str]) -> Held:
        end = self._end_of(mention, clause) if start == mention.end else min(
            [clause.end, *(m.start for m in self._message.saying("eligible", start=start, end=clause.end))]
        )
        denied = denials(self._message, start, end) % 2 == 1
        lost = self._message.says(*loses, start=start, end=end)
        affirmed = self._message.says(*affirms, start=start, end=end)
        waited = self._message.saying(*awaits, start=clause.start, end=end)
        waited = tuple(m for m in waited if not (m.end <= mention.start and start == mention.end and "pending" not in m.concepts))
        if self._message.says("unknown", start=start, end=self._end_of_doubt(clause)):
            holding = Holding.UNKNOWN
        elif affirmed and not denied and not self._is_past(start, end) and self._message.says("perhaps", "hearsay", start=start, end=clause.end):
            holding = Holding.AWAITED
        elif mention.concepts & {"recommend"} and self._is_under_way(start, end):
            holding = Holding.AWAITED
        elif waited and not (affirmed and self._is_past(start, end) and not denied and not self._message.says("hope", start=start, end=end)):
            holding = Holding.AWAITED
        elif "pending" in awaits and self._message.says("requested", start=start, end=end) and not affirmed and not denied:
            holding = Holding.AWAITED
        elif lost or denied:
            holding = Holding.SO if lost and denied else Holding.DENIED
        elif affirmed or self._stands_bare(mention, start, end, clause):
            holding = Holding.SO
        else:
            holding = Holding.SILENT
        return Held(mention, end if end > mention.end else mention.end, holding)

    def _end_of_doubt(self, clause: Clause) -> int:
        """Where it may be said that something is not known: in the next clause too after …のか、…かどうか、."""
        words = self._message.text[clause.start : clause.end].rstrip("、 ")
        following = self._next_in_sentence(clause)
        return following.end if following and words.endswith(("か", "かどうか", "のか")) else clause.end

    def _is_under_way(self, start: int, end: int) -> bool:
        """Whether it is only being worked on: 推薦を検討してくれている最中, 相談しています; not 相談して、もらいました."""
        process = self._message.saying("process", start=start, end=end)
        if any(t.surface == "中" and t.pos == "接尾辞" for t in self._message.tokens_between(start, end)):
            return True
        if not process:
            return False
        got = self._message.saying("get", start=process[-1].end, end=end)
        done = [m for m in got if any(t.key == "た" for t in self._message.tokens_between(m.end, min(m.end + 4, end)))]
        return not done

    def _is_past(self, start: int, end: int) -> bool:
        return any(token.key in ("た", "済み", "済む") or token.surface in ("て", "てる") for token in self._message.tokens_between(start, end))

    def _stands_bare(self, mention: Mention, start: int, end: int, clause: Clause) -> bool:
        """Whether a relation is stated by its mere name: 町の推薦で, 推薦済, 市と共同の, 選ばれた."""
        if start != mention.end:
            return False
        after = self._message.text[mention.end : mention.end + 3]
        if after.startswith(("で", "済", "付", "つき", "ok", "あり", "有", "も", "された", "して", "し、", "した", "され", "する", "の株", "の会", "の法", "法人", "会社", "てる", "する", "率", "は", "が")) and not after.startswith(("では", "でない", "はどう", "がどう", "はい")):
            return after[0] not in "はが" or any(f.start < end and f.start > mention.end for f in self._message.figures)
        givers = [b for b in self._scene.bodies if b.part in (Part.RECOMMENDER, Part.INVESTOR, Part.PARTNER) and b.clause.number == clause.number]
        return bool(givers) and not after.startswith(("は", "が", "を"))

    def _is_quoted(self, start: int, end: int) -> bool:
        """Whether it is said of bodies at large, as a rule that somebody has heard (推薦を受けた団体が対象との認識です)."""
        clause = self._message.clause_at(start)
        if not self._message.says("hearsay", "claim", start=end, end=clause.end) or self._message.in_clause(clause, "self"):
            return False
        rest = self._message.text[end : clause.end]
        return any(word in rest[:8] for word in ("団体", "県", "法人", "企業", "会社", "都道府県", "自治体", "ところ")) and not any(
            b.plainly and b.clause == clause for b in self._scene.bodies
        )

    def _reading(self, fact: Fact, value: str, held: Held, source: str = "") -> Reading:
        owner = self._scene.owner_at(held.mention.start, held.mention.end)
        related = (Part.RECOMMENDER, Part.INVESTOR, Part.PARTNER, Part.CONSULTED)
        if owner.body is not None and owner.body.part in related:
            owner = self._scene.owner_at(owner.body.start, owner.body.start)
        ours = self._scene.is_the_applicants(owner)
        whose = Whose.WRITER if ours else (owner.whose if owner.whose is not Whose.WRITER else Whose.ANOTHER)
        clause = self._message.clause_at(held.mention.start)
        when = self._scene.time_at(held.end - 1, held.end) if held.end <= clause.end else self._time_in(held)
        stance = Stance.QUOTED if self._is_quoted(held.mention.start, held.mention.end) else Stance.SAID
        return Reading(fact, value, held.mention.start, held.end, whose, when, stance, f"facts.yaml: {fact}")

    def _time_in(self, held: Held) -> When:
        clause = self._message.clause_at(held.end - 1)
        words = self._message.in_clause(clause, "before", "now", "later")
        if not words:
            return When.NOW
        return When.BEFORE if "before" in words[-1].concepts else When.LATER if "later" in words[-1].concepts else When.NOW
