"""Reads the figures of a message into the facts that they are: the index, amounts, days and hours, counts, dates."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from bot.types import Reading, Stance, When, Whose
from bot.understanding.bodies import GOVERNMENTS, Part
from bot.understanding.denying import denials, is_contrasted
from bot.understanding.message import Clause
from bot.understanding.owning import Owner, Scene
from knowledge.figures import Dimension, Figure, total
from knowledge.rules.tables import BESIDE
from knowledge.types import Fact

_HIGHEST_INDEX = Decimal(4)
"""No financial strength index is higher; what is higher and stands by itself is something else."""


_A_REPLY = 12
"""A message of at most so many characters that is a whole number is the index that was asked for."""

_LEAST_AMOUNT = 10_000
"""Yen below this are a manner of speaking (一円もかからない), and no project's scale."""


_REACHED = ("に届", "に達", "に満", "に及", "も届", "もな", "もあ")


def index_text(figure: Figure) -> str:
    """An index as the rules take it: 1未満 and 1超 just beside the figure, 1以上 and 1以下 the figure itself."""
    match figure.bound:
        case "below":
            return str(figure.value - BESIDE)
        case "above":
            return str(figure.value + BESIDE)
        case _:
            return str(figure.value)


@dataclass(frozen=True)
class IndexReading:
    """A financial strength index with its owner and the year that it is of (None where none is said).

    `role` is what the clause is like that it stands in (seat, place, own_before …), or "".
    """

    reading: Reading
    owner: Owner
    year: int | None
    role: str = ""


_OF_AN_INDEX = frozenset({"own", "own_before", "own_after_correction", "place", "seat", "another", "prefecture"})
_WHOSE = {"place": Whose.PLACE, "seat": Whose.MEMBER, "another": Whose.ANOTHER, "prefecture": Whose.ANOTHER}


class QuantityReader:
    """Reads the quantities of one message."""

    def __init__(self, scene: Scene, asks_for_index: bool, asks_for_count: bool, roles: Mapping[int, str]) -> None:
        """The flags tell that the talk is of the index, so that a bare number is one, or of how many join.

        `roles` tells what the figures are of that begin at these characters, where their clauses are like others.
        """
        self._roles = roles
        self._asks_for_count = asks_for_count
        self._scene = scene
        self._message = scene.message
        self._asks_for_index = asks_for_index

    # --- the index --------------------------------------------------------------------------------------------------

    def indices(self) -> tuple[IndexReading, ...]:
        """Every financial strength index of the message, each with whose it is and of which year."""
        found: list[IndexReading] = []
        for figure in self._message.figures:
            if figure.dimension is Dimension.NUMBER and self._is_index(figure, bool(found)):
                found.append(self._index(figure))
        return tuple(found)

    def _is_index(self, figure: Figure, after_an_index: bool) -> bool:
        """Whether a bare number is an index: it is called one, or stands by a body or year as only one does."""
        if self._roles.get(figure.start) == "other_ratio":
            return False
        if not Decimal(0) <= figure.value <= _HIGHEST_INDEX:
            return False
        head = self._head_of(figure)
        if head == "index":
            return True
        decimal = (
            figure.value != figure.value.to_integral_value() or "." in self._message.text[figure.start : figure.end]
        )
        spoken_of = self._message.says("index")
        told = self._roles.get(figure.start) in _OF_AN_INDEX and decimal
        if told and (spoken_of or after_an_index or self._asks_for_index):
            return True
        if head == "other":
            return False
        if self._asks_for_index and (decimal or not head):
            return decimal or len(self._message.text) <= _A_REPLY
        if decimal:
            return spoken_of or after_an_index or head in ("body", "year") or self._is_bound_to_a_body(figure)
        return (spoken_of and self._near_index(figure)) or (after_an_index and figure.bound is not None)

    def _near_index(self, figure: Figure) -> bool:
        sentence = self._message.clause_at(figure.start).sentence
        return any(self._message.in_clause(c, "index") for c in self._message.clauses if c.sentence == sentence)

    def _is_bound_to_a_body(self, figure: Figure) -> bool:
        return self._message.text[figure.end : figure.end + 1] == "の" and any(
            body.start <= figure.end + 4 and body.start >= figure.end for body in self._scene.bodies
        )

    def _head_of(self, figure: Figure) -> str:
        """What the number is the number of: the nearest noun before it in its clause."""
        clause = self._message.clause_at(figure.start)
        start = max(
            [clause.start, *(f.end for f in self._message.figures if f.end <= figure.start and f.end > clause.start)]
        )
        tokens = self._message.tokens_between(start, figure.start)
        for token in reversed(tokens):
            if self._message.says("index", start=token.start, end=token.end) or any(
                m.start <= token.start < m.end for m in self._message.saying("index")
            ):
                return "index"
            if any(b.start <= token.start < b.end for b in self._scene.bodies) or any(
                m.start <= token.start < m.end for m in self._message.saying("self", "other", "member")
            ):
                return "body"
            if any(day.start <= token.start < day.end for day in self._message.days) or any(
                m.start <= token.start < m.end
                for m in self._message.saying("before", "now", "later", "place", "perhaps", "correct", "seat")
            ):
                if token.pos in ("名詞", "副詞", "代名詞"):
                    return "year"
                continue
            if token.pos == "名詞" and token.key not in _NO_HEAD:
                joined = self._message.saying("index", start=start, end=token.start)
                return "index" if joined and token.start - joined[-1].end <= 1 else "other"
        return ""

    def _index(self, figure: Figure) -> IndexReading:
        role = self._role_of(figure)
        owner = Owner(_WHOSE[role]) if role in _WHOSE else self._scene.owner_at(figure.start, figure.end)
        when = When.BEFORE if role == "own_before" else self._scene.time_at(figure.start, figure.end)
        stance = Stance.QUOTED if role == "rule" else self._stance(figure)
        value, by = self._index_text(figure), "facts.yaml: fiscal_index"
        reading = Reading(Fact.FISCAL_INDEX, value, figure.start, figure.end, owner.whose, when, stance, by)
        return IndexReading(reading, owner, self._year_of(figure), role)

    def _role_of(self, figure: Figure) -> str:
        """Whose the clause is like to say that it is; that of a body that is asked about is not another's."""
        role = self._roles.get(figure.start, "")
        if role not in ("prefecture", "another"):
            return role
        applicant = self._scene.applicant
        owner = self._scene.owner_at(figure.start, figure.end)
        own = owner.body is not None and self._scene.is_the_applicants(owner)
        return "" if own or (role == "prefecture" and (not applicant or applicant.kind == "prefecture")) else role

    def _index_text(self, figure: Figure) -> str:
        """The index as the rules take it; a bound that is denied (1に届きません, 1以上ではない) turns."""
        if denials(self._message, figure.end, self._message.clause_at(figure.start).end) % 2:
            after = self._message.text[figure.end : figure.end + 2]
            if figure.bound in ("at_least", "above") or after in (
                "に届",
                "に達",
                "に満",
                "に及",
                "も届",
                "もな",
                "もあ",
            ):
                return str(figure.value - BESIDE)
            if figure.bound == "below":
                return str(figure.value)
        return index_text(figure)

    def _year_of(self, figure: Figure) -> int | None:
        clause = self._message.clause_at(figure.start)
        years = [
            d
            for d in self._message.days
            if clause.start <= d.start and d.end <= figure.start and d.precision in ("fiscal_year", "year")
        ]
        return years[-1].first_on.year if years else None

    def _is_taken_back(self, figure: Figure) -> bool:
        """Whether a value is taken back, here or where the message says it again (0.9です。0.9ではなく1.2でした)."""
        return any(
            other.dimension is figure.dimension
            and other.value == figure.value
            and is_contrasted(self._message, other.end)
            for other in self._message.figures
        )

    def _stance(self, figure: Figure) -> Stance:
        clause = self._message.clause_at(figure.start)
        if self._is_taken_back(figure):
            return Stance.CONTRASTED
        if figure.bound is not None and self._message.says("unknown", start=figure.end, end=clause.end):
            return Stance.QUOTED
        rule = figure.bound is not None and figure.value == 1
        own = any(
            b.clause.number == clause.number and b.plainly for b in self._scene.bodies
        ) or self._message.in_clause(clause, "self")
        quoted = self._message.says("hearsay", "claim", start=figure.end, end=clause.end)
        excluded = self._message.says("can", "eligible", start=figure.end, end=clause.end) and clause.ends in (
            "against",
            "joins",
        )
        if rule and not own and (quoted or excluded):
            return Stance.QUOTED
        return Stance.SAID

    # --- amounts ------------------------------------------------------------------------------------------------------

    def amount(self) -> Reading | None:
        """The amount that is put forward: yen, or days or hours of support; sums and products are worked out.

        What is another's, of an earlier time, taken back, or the known figure of a rule that is quoted is left out.
        """
        for dimension, slot in ((Dimension.YEN, "yen"), (Dimension.DAY, "day"), (Dimension.HOUR, "hour")):
            own = [f for f in self._message.figures if f.dimension is dimension and self._counts(f)]
            own = [f for f in own if not self._is_quoted(f)]
            if not own or len({f.value for f in own if self._is_claimed(f)}) > 1:
                continue
            if dimension in (Dimension.DAY, Dimension.HOUR) and self._both_modes():
                return None
            if any(self._goes_beyond(f) for f in own):
                return Reading("beyond", slot, own[0].start, own[-1].end)
            value = self._days_of_both_modes(own) if dimension is Dimension.DAY else None
            value = self._total(own, dimension) if value is None else value
            if dimension is Dimension.YEN and value is not None and value < _LEAST_AMOUNT:
                continue
            if value is not None:
                return Reading(slot, str(value), own[0].start, own[-1].end, by="figures")
            return Reading("beyond", slot, own[0].start, own[-1].end)
        return self._times()

    def _days_of_both_modes(self, own: Sequence[Figure]) -> Decimal | None:
        """Days on site and days on line together (T13), where each has its own."""
        if len(own) != 2 or not (self._message.says("online") and self._message.says("on_site")):
            return None
        return own[0].value + own[1].value

    def _total(self, own: Sequence[Figure], dimension: Dimension) -> Decimal | None:
        """What the figures that count come to, with what multiplies them."""
        others = [f for f in self._message.figures if f.dimension is not dimension]
        figures = sorted((*own, *others), key=lambda figure: figure.start)
        composed = total(figures, self._message.text, dimension)
        if composed is None and len(own) > 1 and dimension is Dimension.YEN and self._message.says("sums"):
            return sum((figure.value for figure in own), Decimal(0))
        return composed

    def _is_quoted(self, figure: Figure) -> bool:
        """Whether a figure only stands in a rule that is quoted, while another thing is asked (3日が上限と見ました)."""
        clause = self._message.clause_at(figure.start)
        if not self._message.in_clause(clause, "hearsay", "claim") or not self._message.in_clause(
            clause, "cap", "selection", "up_to"
        ):
            return False
        elsewhere = [c for c in self._message.clauses if c.sentence != clause.sentence]
        return any(self._message.in_clause(c, "can", "eligible", "up_to", "cap") for c in elsewhere)

    def _is_claimed(self, figure: Figure) -> bool:
        """Whether a figure is put forward as the rule's own: 上限は1億円, 5,000万円が適用される."""
        clause = self._message.clause_at(figure.start)
        return self._message.says("claim") and self._message.says("cap", start=clause.start, end=figure.start)

    def _counts(self, figure: Figure) -> bool:
        clause = self._message.clause_at(figure.start)
        owner = self._scene.owner_at(figure.start, figure.end)
        if (
            owner.whose in (Whose.ANOTHER, Whose.MEMBER)
            and not self._scene.is_the_applicants(owner)
            and (owner.body is None or owner.body.part is Part.APPLICANT)
        ):
            return False
        before = self._scene.time_at(figure.start, figure.end) is When.BEFORE and any(
            c.number != clause.number
            and any(f.dimension is figure.dimension for f in self._message.figures if c.start <= f.start < c.end)
            for c in self._message.clauses
        )
        stated = clause.number not in self._message.asking and not self._message.in_clause(clause, "claim")
        if stated and self._roles.get(figure.start) in ("rule_cap", "whole_budget", "corrected"):
            return False
        return not before and not self._is_taken_back(figure) and not self._counts_others(figure)

    def _counts_others(self, figure: Figure) -> bool:
        """Whether a length is no support: 3日前, 8日目, 10日以内に提出, a report's week, months by the day."""
        after = self._message.text[figure.end : figure.end + 4]
        if after.startswith(("って", "とは", "という")) or (
            figure.dimension is Dimension.DAY
            and after.startswith(("に", "付", "たった", "経"))
            and not after.startswith("に加")
        ):
            return True
        if after.startswith(("前", "後", "目", "のうち", "の中で", "ごと", "おき", "ぶり", "現在", "過ぎ")):
            return True
        clause = self._message.clause_at(figure.start)
        if figure.dimension in (Dimension.DAY, Dimension.HOUR) and self._message.in_clause(
            clause, "report", "deadline", "ended"
        ):
            return True
        before = self._message.text[max(0, figure.start - 4) : figure.start]
        return figure.dimension is Dimension.YEN and before.endswith(("人口", "全体予算", "全体予算は"))

    def _both_modes(self) -> bool:
        has = {f.dimension for f in self._message.figures if self._counts(f)}
        return {Dimension.DAY, Dimension.HOUR} <= has

    def _goes_beyond(self, figure: Figure) -> bool:
        return figure.bound in ("above", "at_least") or self._message.text[figure.end : figure.end + 4].lstrip(
            "を間でも"
        ).startswith(("超", "オーバー", "上回"))

    def _times(self) -> Reading | None:
        for figure in self._message.figures:
            before = self._message.text[max(0, figure.start - 4) : figure.start].rstrip("に内で間")
            if figure.dimension is Dimension.TIME and before.endswith(("年", "年度", "1年")):
                return Reading("count", str(figure.value), figure.start, figure.end, by="figures")
        return None

    def mixed(self) -> bool:
        """Whether days on site stand beside hours on line."""
        return self._both_modes()

    # --- counts of municipalities -----------------------------------------------------------------------------------

    def municipality_change(self, before: Sequence[int]) -> Reading | None:
        """How the number of joining municipalities compares with the times before: more, same, fewer or undecided."""
        counts = [f for f in self._message.figures if f.dimension is Dimension.MUNICIPALITY or self._is_bare_count(f)]
        counts = [
            f
            for f in counts
            if not self._is_taken_back(f)
            and not self._is_all_of_a_prefecture(f)
            and not self._is_anothers(f)
            and self._roles.get(f.start) not in ("another", "members", "other")
        ]
        earlier = [f for f in counts if self._is_of_before(f) and not self._is_from_to(counts, f)]
        now = [f for f in counts if f not in earlier]
        marked = [f for f in now if self._is_of_now(f)]
        if marked and len(marked) < len(now) and not earlier:
            earlier = [f for f in now if f not in marked and f.start < marked[0].start]
            now = marked
        if earlier and now:
            return self._compared(now[-1].value, [f.value for f in earlier], counts)
        if (
            len(now) == 2
            and self._message.says("before", "more_than", "fewer_than", "selection")
            and ("から" in self._between(now) or "→" in self._between(now) or "を" in self._between(now))
        ):
            return self._compared(now[1].value, [now[0].value], now)
        if len(counts) == 1 and self._is_of_both_times(counts[0]):
            return self._compared(counts[0].value, [counts[0].value], counts)
        if len(counts) == 1 and before:
            return self._compared(counts[0].value, [Decimal(value) for value in before], counts)
        return self._change_in_words()

    def _is_of_both_times(self, figure: Figure) -> bool:
        """Whether a count is said of the last time and of this one: 前回も今回も6市町村."""
        clause = self._message.clause_at(figure.start)
        times = self._message.saying("before", "now", start=clause.start, end=figure.start)
        return {"before", "now"} <= frozenset[str]().union(*(m.concepts for m in times)) and all(
            self._message.text[m.end : m.end + 1] in ("も", "と", "、") for m in times
        )

    def _is_of_before(self, figure: Figure) -> bool:
        role = self._roles.get(figure.start)
        if role in ("before", "long_before", "now"):
            return role != "now"
        return self._scene.time_at(figure.start, figure.end) is When.BEFORE

    def _is_of_now(self, figure: Figure) -> bool:
        clause = self._message.clause_at(figure.start)
        return self._message.says("now", start=clause.start, end=figure.start)

    def _between(self, figures: Sequence[Figure]) -> str:
        return self._message.text[figures[0].end : figures[1].start]

    def _is_from_to(self, counts: Sequence[Figure], figure: Figure) -> bool:
        """Whether a count is the goal of から (前回の10から12に)."""
        return any(
            other.end <= figure.start
            and "から" in self._message.text[other.end : figure.start]
            and figure.start - other.end <= 8
            for other in counts
        )

    def counts(self) -> tuple[int, ...]:
        """The counts of municipalities that the message gives, for the next message to be held against."""
        return tuple(int(f.value) for f in self._message.figures if f.dimension is Dimension.MUNICIPALITY)

    def _is_bare_count(self, figure: Figure) -> bool:
        """Whether a bare whole number is a count: it stands by a time word where counts are the matter (今回は12)."""
        whole = (
            figure.value == figure.value.to_integral_value()
            and "." not in self._message.text[figure.start : figure.end]
        )
        if figure.dimension is not Dimension.NUMBER or not whole or figure.value < 1:
            return False
        clause = self._message.clause_at(figure.start)
        timed = self._message.says("before", "now", start=clause.start, end=figure.start)
        counted = any(
            self._message.in_clause(c, "partners") for c in self._message.clauses if c.sentence == clause.sentence
        )
        others = any(f.dimension is Dimension.MUNICIPALITY for f in self._message.figures)
        return timed or counted or (others and self._message.says("more_than", "fewer_than", "joins"))

    def _is_all_of_a_prefecture(self, figure: Figure) -> bool:
        before = self._message.text[max(0, figure.start - 8) : figure.start]
        return any(word in before for word in ("全", "管内は", "管内の", "県内は", "中")) and any(
            other is not figure and other.dimension is Dimension.MUNICIPALITY for other in self._message.figures
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
        return bool(others) and others[-1].whose is Whose.ANOTHER

    def _compared(self, now: Decimal, earlier: Sequence[Decimal], figures: Sequence[Figure]) -> Reading:
        if now > max(earlier):
            value = "more"
        elif now == max(earlier) and now == min(earlier):
            value = "same"
        elif now <= min(earlier):
            value = "fewer" if now < min(earlier) else "same"
        else:
            value = "undecided"
        return Reading(Fact.MUNICIPALITY_COUNT, value, figures[0].start, figures[-1].end, by="figures")

    def _change_in_words(self) -> Reading | None:
        for clause in self._message.clauses:
            if self._is_left_open(clause):
                at = self._message.in_clause(clause, "more_than", "fewer_than", "unknown", "partners")[0]
                return Reading(
                    Fact.MUNICIPALITY_COUNT, "unknown", at.start, at.end, by="facts.yaml: municipality_count"
                )
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
                        by="facts.yaml: municipality_count",
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
        return (
            Reading(Fact.MUNICIPALITY_COUNT, value, start, end, by="facts.yaml: municipality_count") if value else None
        )


def own_indices(indices: Sequence[IndexReading], scene: Scene, known_kind: str) -> tuple[IndexReading, ...]:
    """Of several indices those that count: the place's for who is no government (T16), the body's own for who is one.

    `known_kind` is the kind of the applicant that the conversation knows, or "".
    """
    said = [index for index in indices if index.reading.stance is Stance.SAID]
    kind = scene.applicant.kind if scene.applicant else known_kind
    government = not kind or kind in GOVERNMENTS
    if not government:
        at_place = [i for i in said if i.reading.whose is Whose.PLACE or _is_of_the_work(i, scene)]
        if at_place:
            return tuple(at_place)
        return tuple(
            i
            for i in said
            if scene.is_the_applicants(i.owner) or (_is_of_its_area(i) and not _is_of_the_seat(i, scene))
        )
    own = [i for i in said if scene.is_the_applicants(i.owner) and not _is_of_the_seat(i, scene)]
    at_place = [i for i in said if i.reading.whose is Whose.PLACE]
    return tuple(own or (at_place if not kind else ()))


def _is_of_its_area(index: IndexReading) -> bool:
    """Whether it is the index of a government that is only named beside a body that is none: its area, or investor."""
    body = index.owner.body
    if body is None:
        return False
    return body.part in (Part.OWNER, Part.INVESTOR) or (body.part is Part.APPLICANT and body.whose is not Whose.ANOTHER)


def _is_of_the_seat(index: IndexReading, scene: Scene) -> bool:
    if index.role:
        return index.role == "seat"
    clause = scene.message.clause_at(index.reading.start)
    seats = scene.message.saying("seat", start=clause.start, end=index.reading.start)
    return bool(seats) and not scene.message.says("work", start=seats[-1].end, end=index.reading.start)


def _is_of_the_work(index: IndexReading, scene: Scene) -> bool:
    clause = scene.message.clause_at(index.reading.start)
    return scene.message.says("place", "work", start=clause.start, end=index.reading.start) and not _is_of_the_seat(
        index, scene
    )


def newest(indices: Sequence[IndexReading]) -> tuple[IndexReading, ...]:
    """Of indices of several years those of the newest (T32): this year's before last year's."""
    current = [i for i in indices if i.reading.when is not When.BEFORE]
    left = current or list(indices)
    years = [i.year for i in left if i.year is not None]
    if years and len({i.year for i in left}) > 1:
        left = [i for i in left if i.year == max(years) or i.year is None]
    return tuple(left)


_NO_HEAD = frozenset(
    {
        "約",
        "ちょうど",
        "丁度",
        "位",
        "程度",
        "数値",
        "値",
        "数字",
        "平均",
        "今",
        "只今",
        "方",
        "時",
        "頃",
        "的",
        "=",
        ":",
    }
)
