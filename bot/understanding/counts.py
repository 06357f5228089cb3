"""Reads how many municipalities join, and how that compares with the times before: more, same, fewer, or left open."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from bot.types import Reading, When, Whose
from bot.understanding.denying import denials
from bot.understanding.message import Clause
from bot.understanding.owning import Scene
from knowledge.figures import Dimension, Figure
from knowledge.lexicon import Mention
from knowledge.types import Fact

_NOT_SETTLED = ("not_settled", "unknown", "pending", "process")
_BY_WORDS = "facts.yaml: municipality_count"

_SORTS = re.compile(r"特別区|市区?町村|市町|町村|自治体|団体|市|町|村|区")
_IN_ORDER = re.compile(r"(?:[回度年]目|最初|初回)[はがに、]?\Z")
_SORTS_OF_THEM = frozenset({"市", "町", "村", "区", "特別区"})
_WARDS = frozenset({"区", "特別区"})
_ADDED = re.compile(r"に(?:加え(?:て)?|プラス(?:して)?|足して)、?(?:新たに|さらに)?")
_SIDE_BY_SIDE = re.compile(
    r"[でにはがをも]?(?:と|や|、|及び|および|・|に加えて|それに|あと|さらに)*(?:特別区|市|町|村|区)?"
)


@dataclass(frozen=True)
class _Count:
    """How many join, and where that stands. `wards` of it are 特別区, which the documents do not say to count (T06).

    `relative` tells that it is a part or a multiple of what joined before (前回の8割), which is 1 where unsaid.
    """

    start: int
    end: int
    value: Decimal
    wards: Decimal = Decimal(0)
    relative: bool = False


class CountReader:
    """Reads the counts of municipalities in one message."""

    def __init__(self, scene: Scene, asks_for_count: bool) -> None:
        """`asks_for_count` tells that the talk is of how many join."""
        self._scene = scene
        self._message = scene.message
        self._asks_for_count = asks_for_count

    def counts(self) -> tuple[int, ...]:
        """The counts of municipalities that the message gives, for the next message to be held against."""
        return tuple(int(f.value) for f in self._message.figures if f.dimension is Dimension.MUNICIPALITY)

    def change(self, before: Sequence[int]) -> Reading | None:
        """How the number that joins compares with the times before, of which `before` was said in earlier turns."""
        changes = list(self._changes())
        counts = self._counted([figure for figure, _ in changes])
        earlier = [c for c in counts if self._is_of_before(c, counts) and not self._is_from_to(counts, c)]
        now = [c for c in counts if c not in earlier]
        if now and now[-1].relative and not earlier:
            earlier = now[:-1] or [_Count(0, 0, Decimal(1))]
        marked = [c for c in now if self._is_of_now(c)]
        if marked and len(marked) < len(now) and not earlier:
            earlier = [c for c in now if c not in marked and c.start < marked[0].start]
            now = marked
        if earlier and not now and not changes and self._message.says(*_NOT_SETTLED):
            return Reading(Fact.MUNICIPALITY_COUNT, "unknown", earlier[0].start, earlier[-1].end, by=_BY_WORDS)
        if earlier and now:
            return self._compared((marked or now)[-1], earlier, counts)
        if changes and self._message.says("before", "selection"):
            return self._changed(changes)
        if (
            len(now) == 2
            and self._message.says("before", "more_than", "fewer_than", "selection")
            and any(word in self._message.text[now[0].end : now[1].start] for word in ("から", "→", "を"))
        ):
            return self._compared(now[1], [now[0]], now)
        if len(counts) == 1 and self._is_of_both_times(counts[0]):
            return self._compared(counts[0], counts, counts)
        if len(now) == 1 and before and not earlier:
            return self._compared(now[0], [_Count(0, 0, Decimal(value)) for value in before], counts)
        return self._change_in_words()

    # --- what is counted ----------------------------------------------------------------------------------------------

    def _counted(self, changing: Sequence[Figure]) -> tuple[_Count, ...]:
        """The counts in order: those side by side (市が5つと町が1つ) as one, and shares as what they are a share of."""
        figures = [
            figure
            for figure in self._message.figures
            if figure not in changing
            and (figure.dimension is Dimension.MUNICIPALITY or self._is_bare_count(figure))
            and figure not in self._scene.taken_back
            and not self._is_anothers(figure)
        ]
        shares = [figure for figure in self._message.figures if self._is_share(figure)]
        counts = [self._count(figure) for figure in figures if not self._is_whole(figure, figures, shares)]
        whole = next((figure for figure in figures if self._is_whole(figure, figures, shares)), None)
        parts = [self._part(share, whole, counts) for share in shares]
        return tuple(self._joined(sorted((*counts, *parts), key=lambda count: count.start)))

    def _count(self, figure: Figure) -> _Count:
        wards = figure.value if self._sort_of(figure) in _WARDS else Decimal(0)
        return _Count(figure.start, figure.end, figure.value, wards)

    def _sort_of(self, figure: Figure) -> str:
        """What a figure counts: 町 in 5町, 特別区 in 特別区が1つ."""
        inside = _SORTS.search(self._message.text, figure.start, figure.end)
        before = list(_SORTS.finditer(self._message.text, max(0, figure.start - 4), figure.start))
        return inside[0] if inside else before[-1][0] if before else ""

    def _joined(self, counts: Sequence[_Count]) -> Iterator[_Count]:
        """Counts of different sorts side by side are one: 5市と4町, 市が5つと町が1つ."""
        last: _Count | None = None
        for count in counts:
            if last and self._stand_side_by_side(last, count):
                last = replace(last, end=count.end, value=last.value + count.value, wards=last.wards + count.wards)
                continue
            if last:
                yield last
            last = count
        if last:
            yield last

    def _stand_side_by_side(self, first: _Count, second: _Count) -> bool:
        text = self._message.text
        sorts = {
            self._sort_of(figure)
            for figure in self._message.figures
            if first.start <= figure.start < first.end or figure.start == second.start
        }
        if _ADDED.fullmatch(text, first.end, second.start):
            return not second.relative
        return (
            bool(_SIDE_BY_SIDE.fullmatch(text, first.end, second.start))
            and len(sorts) > 1
            and sorts <= _SORTS_OF_THEM
            and not (first.relative or second.relative)
        )

    def _is_share(self, figure: Figure) -> bool:
        """Whether a figure is a part or a multiple of how many join: 前回の8割, その半分, 1.5倍."""
        written = self._message.text[figure.start : figure.end]
        if figure.dimension is not Dimension.PERCENT and not ("分の" in written or written.endswith("倍")):
            return False
        clause = self._message.clause_at(figure.start)
        told = self._message.in_clause(clause, "before", "now", "anaphor", "partners")
        counted = (
            self._asks_for_count
            or self._message.says("partners", "selection")
            or any(other.dimension is Dimension.MUNICIPALITY for other in self._message.figures)
        )
        return bool(told) and counted and not self._message.in_clause(clause, "cost", "cap", "invest")

    def _part(self, figure: Figure, whole: Figure | None, counts: Sequence[_Count]) -> _Count:
        """A share as a count: of the whole that one of them names, else of the count before it, else of 1."""
        part = figure.value / 100 if figure.dimension is Dimension.PERCENT else figure.value
        if whole:
            return _Count(figure.start, figure.end, part * whole.value)
        before = [count for count in counts if count.end <= figure.start]
        return _Count(figure.start, figure.end, part * (before[-1].value if before else 1), relative=True)

    def _is_whole(self, figure: Figure, others: Sequence[Figure], shares: Sequence[Figure]) -> bool:
        """Whether a count is of all that there are: a share is taken of it, or `others` stand beside it."""
        before = self._message.text[max(0, figure.start - 8) : figure.start]
        beside = len(others) > 1 or any(share.start == figure.end + 1 for share in shares)
        return beside and any(word in before for word in ("全", "管内", "県内は", "中"))

    def _is_bare_count(self, figure: Figure) -> bool:
        """Whether a bare whole number is a count: it stands by a time word where counts are the matter (今回は12)."""
        whole = (
            figure.value == figure.value.to_integral_value()
            and "." not in self._message.text[figure.start : figure.end]
        )
        ward = self._sort_of(figure) in _WARDS and figure.dimension is Dimension.OTHER
        if (figure.dimension is not Dimension.NUMBER and not ward) or not whole or figure.value < 1:
            return False
        clause = self._message.clause_at(figure.start)
        timed = self._message.says("before", "now", start=clause.start, end=figure.start)
        counted = any(
            self._message.in_clause(c, "partners") for c in self._message.clauses if c.sentence == clause.sentence
        )
        others = any(f.dimension is Dimension.MUNICIPALITY for f in self._message.figures)
        first = _Count(figure.start, figure.end, figure.value)
        return (
            timed
            or counted
            or self._follows_an_earlier_time(first)
            or (others and self._message.says("more_than", "fewer_than", "joins"))
        )

    def _is_anothers(self, figure: Figure) -> bool:
        owner = self._scene.owner_at(figure.start, figure.end)
        if owner.whose is Whose.ANOTHER and (owner.body is None or owner.body.kind == "prefecture"):
            return True
        sentence = self._message.clause_at(figure.start).sentence
        others = [
            b
            for b in self._scene.bodies
            if b.kind == "prefecture" and b.clause.sentence == sentence and b.start < figure.start
        ]
        return (
            bool(others)
            and others[-1].whose is Whose.ANOTHER
            and not self._message.says("self", start=others[-1].end, end=figure.start)
        )

    # --- of when ------------------------------------------------------------------------------------------------------

    def _is_of_both_times(self, count: _Count) -> bool:
        """Whether a count is said of the last time and of this one: 前回も今回も6市町村."""
        clause = self._message.clause_at(count.start)
        times = self._message.saying("before", "now", start=clause.start, end=count.start)
        return {"before", "now"} <= frozenset[str]().union(*(m.concepts for m in times)) and all(
            self._message.text[m.end : m.end + 1] in ("も", "と", "、") for m in times
        )

    def _is_of_before(self, count: _Count, counts: Sequence[_Count]) -> bool:
        """Whether a count is of an earlier time; a clause with several does not tell by likeness which."""
        clause = self._message.clause_at(count.start)
        if self._follows_an_earlier_time(count) and not all(map(self._follows_an_earlier_time, counts)):
            return True
        times = self._message.saying("before", "now", start=clause.start, end=count.start)
        if times and "now" in times[-1].concepts:
            return False  # 今回は4市でした
        bound = self._message.saying("before", "anaphor", start=clause.start, end=count.start)
        if count.relative and self._message.text[count.start - 1] in "のそ" and bound:
            return False  # 前回の8割 is what joins now
        return self._scene.time_at(count.start, count.end) is When.BEFORE

    def _follows_an_earlier_time(self, count: _Count) -> bool:
        """Whether it is told of the first, the second time, or of a year that is over: 1回目6、2回目は9; 2021年は14."""
        years = [
            day
            for day in self._message.days
            if day.precision in ("year", "fiscal_year") and day.last_on < self._message.as_of
        ]
        in_order = _IN_ORDER.search(self._message.text, max(0, count.start - 4), count.start)
        return bool(in_order) or any(year.end <= count.start <= year.end + 1 for year in years)

    def _is_of_now(self, count: _Count) -> bool:
        clause = self._message.clause_at(count.start)
        return self._message.says("now", start=clause.start, end=count.start)

    def _is_from_to(self, counts: Sequence[_Count], count: _Count) -> bool:
        """Whether a count is the goal of から (前回の10から12に)."""
        return any(
            other.end <= count.start
            and "から" in self._message.text[other.end : count.start]
            and count.start - other.end <= 8
            for other in counts
        )

    def _compared(self, now: _Count, earlier: Sequence[_Count], counts: Sequence[_Count]) -> Reading:
        """The least and the most that the counts may come to decide together; where they differ, it is left open."""
        least = _compare(now.value - now.wards, [count.value for count in earlier])
        most = _compare(now.value, [count.value - count.wards for count in earlier])
        value = most if least == most or {least, most} <= {"same", "fewer"} else "wards"
        return Reading(Fact.MUNICIPALITY_COUNT, value, counts[0].start, counts[-1].end, by="figures")

    # --- changes ------------------------------------------------------------------------------------------------------

    def _changes(self) -> Iterator[tuple[Figure, int]]:
        """The figures that say by how many it changes, with 1 for more and -1 for fewer: 3つ抜けて2つ加わる."""
        for figure in self._message.figures:
            written = self._message.text[figure.start : figure.end]
            counted = figure.dimension is Dimension.MUNICIPALITY or written.endswith("つ")
            following = _at(figure.end, self._message.saying("more_than", "fewer_than", "comes_in", "drops_out"))
            clause = self._message.clause_at(figure.start)
            joint = self._message.text[figure.end : following.start] if following else ""
            if (
                not counted
                or not following
                or joint not in ("", "が", "を", "も", "ほど", "分", "だけ", "だけが", "、")
            ):
                continue
            if "comes_in" in following.concepts and not self._message.says("drops_out", "fewer_than"):
                continue  # 10市町村が加わります says who joins, and not that more do
            if not denials(self._message, following.end, min(following.end + 6, clause.end)) % 2:
                yield figure, -1 if following.concepts & {"fewer_than", "drops_out"} else 1

    def _changed(self, changes: Sequence[tuple[Figure, int]]) -> Reading:
        net = sum(figure.value * sign for figure, sign in changes)
        value = "more" if net > 0 else "fewer" if net < 0 else "same"
        return Reading(Fact.MUNICIPALITY_COUNT, value, changes[0][0].start, changes[-1][0].end, by="figures")

    def _change_in_words(self) -> Reading | None:
        for clause in self._message.clauses:
            if self._is_left_open(clause):
                at = self._message.in_clause(clause, "more_than", "fewer_than", "unknown", "partners")[0]
                return Reading(Fact.MUNICIPALITY_COUNT, "unknown", at.start, at.end, by=_BY_WORDS)
            spoken_of = self._message.in_clause(clause, "partners", "before") or self._message.figures
            if not self._asks_for_count and (
                not spoken_of
                or not (self._message.says("partners", "selection") or self._message.in_clause(clause, "before"))
            ):
                continue
            for mention in self._message.in_clause(clause, "together"):
                before = self._message.saying("before", start=clause.start, end=mention.start)
                if before and self._message.text[before[-1].end : mention.start] in ("と", "とは"):
                    return Reading(
                        Fact.MUNICIPALITY_COUNT,
                        "same",
                        before[-1].start,
                        mention.end,
                        by=_BY_WORDS,
                    )
            for concept, value in (("same", "same"), ("fewer_than", "fewer"), ("more_than", "more")):
                for mention in self._message.in_clause(clause, concept):
                    if reading := self._as_change(mention.start, mention.end, clause, value):
                        return reading
        return None

    def _is_left_open(self, clause: Clause) -> bool:
        """Whether it is said that the number is not known yet: 増えるか減るかまだ読めません, 何市町村になるか未定."""
        both = self._message.in_clause(clause, "more_than") and self._message.in_clause(clause, "fewer_than")
        unsettled = self._message.in_clause(clause, "unknown", "not_settled") and self._message.in_clause(
            clause, "partners"
        )
        return bool(both or unsettled)

    def _as_change(self, start: int, end: int, clause: Clause, value: str) -> Reading | None:
        words = self._message.text[start:end]
        about = (
            self._asks_for_count
            or self._message.in_clause(clause, "partners")
            or any(f.dimension is Dimension.MUNICIPALITY for f in self._message.figures)
            or "市町村" in self._message.text
        )
        if words in ("超える", "上回る", "超え") and not about:
            return None
        own = self._message.in_clause(clause, "self")
        if not own and self._message.says("requirement", "no_denial", "hearsay", "claim", start=end, end=clause.end):
            return None
        if not about and not self._message.in_clause(clause, "before"):
            return None
        if any(
            f.dimension in (Dimension.YEN, Dimension.DAY, Dimension.HOUR)
            for f in self._message.figures
            if clause.start <= f.start < clause.end
        ):
            return None
        if self._message.in_clause(clause, "adviser_person", "project") and value == "same":
            return None
        if denials(self._message, end, clause.end) % 2:
            value = {"more": "same", "fewer": "same", "same": ""}[value]
        return Reading(Fact.MUNICIPALITY_COUNT, value, start, end, by=_BY_WORDS) if value else None


def _compare(now: Decimal, earlier: Sequence[Decimal]) -> str:
    if now > max(earlier):
        return "more"
    if now <= min(earlier):
        return "fewer" if now < min(earlier) else "same"
    return "undecided"


def _at(start: int, mentions: Sequence[Mention]) -> Mention | None:
    """The first mention that begins within three characters of a place."""
    return next((m for m in mentions if start <= m.start <= start + 3), None)
