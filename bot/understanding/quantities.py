"""Reads the figures of a message into the facts that they are: the index, amounts, days and hours, counts, dates."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import ROUND_CEILING, Decimal
from itertools import pairwise

from bot.types import Reading, Stance, When, Whose
from bot.understanding.bodies import GOVERNMENTS, Part
from bot.understanding.denying import denials, is_contrasted
from bot.understanding.owning import Owner, Scene
from knowledge.figures import Day, Dimension, Figure, fiscal_year_of, total
from knowledge.rules.tables import BESIDE
from knowledge.types import Fact

_ADDED_TO = ("に加", "に分", "にわ", "に渡", "に増", "に減", "に延", "に変", "にプラス", "に足", "に追加")
"""What goes on from a length that counts, after which it is no day of the calendar."""

_ABOUT_ONE = Decimal("0.1")
"""What is about an index nearer to 1 than this tells on no side."""

_HIGHEST_INDEX = Decimal(4)
"""No financial strength index is higher; what is higher and stands by itself is something else."""


_A_REPLY = 12
"""A message of at most so many characters that is a whole number is the index that was asked for."""

_WITH_TAX = Decimal("1.1")
"""What an amount without tax comes to with the consumption tax, of which the documents say nothing (T24)."""

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
    """A financial strength index with its owner and the year that it is of (None where none is said)."""

    reading: Reading
    owner: Owner
    year: int | None
    role: str = ""


class QuantityReader:
    """Reads the quantities of one message."""

    def __init__(self, scene: Scene, asks_for_index: bool, meetings: Decimal | None = None) -> None:
        """`asks_for_index` tells that the talk is of the index, so that a bare number is one.

        Of so many `meetings` it was asked before how long each is.
        """
        self._meetings = meetings
        self._scene = scene
        self._message = scene.message
        self._asks_for_index = asks_for_index

    # --- the index --------------------------------------------------------------------------------------------------

    def indices(self) -> tuple[IndexReading, ...]:
        """Every financial strength index of the message, each with whose it is and of which year."""
        found: list[IndexReading] = []
        for figure in self._message.figures:
            if figure.dimension is Dimension.NUMBER and self._is_index(figure, bool(found)):
                if found and self._makes_exact(figure, found[-1].reading):
                    found.pop()
                found.append(self._index(figure))
        return tuple(found)

    def _makes_exact(self, figure: Figure, before: Reading) -> bool:
        """Whether an index says in the same sentence how far the one before it keeps a bound: 1を少し切る、0.99です."""
        bounded = next(f for f in self._message.figures if f.start == before.start)
        same = self._message.clause_at(before.start).sentence == self._message.clause_at(figure.start).sentence
        below, value = bounded.bound == "below", figure.value
        kept = value < bounded.value if below else value > bounded.value
        return bounded.bound in ("below", "above") and figure.bound is None and same and kept

    def _is_index(self, figure: Figure, after_an_index: bool) -> bool:
        """Whether a bare number is an index: it is called one, or stands by a body or year as only one does."""
        if not Decimal(0) <= figure.value <= _HIGHEST_INDEX:
            return False
        head = self._head_of(figure)
        if head == "index":
            return True
        decimal = (
            figure.value != figure.value.to_integral_value() or "." in self._message.text[figure.start : figure.end]
        )
        spoken_of = self._message.says("index")
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
        owner = self._scene.owner_at(figure.start, figure.end)
        when, stance = self._time_of(figure), self._stance(figure)
        value, by = self._index_text(figure), "facts.yaml: fiscal_index"
        reading = Reading(Fact.FISCAL_INDEX, value, figure.start, figure.end, owner.whose, when, stance, by)
        return IndexReading(reading, owner, self._year_of(figure))

    def _index_text(self, figure: Figure) -> str:
        """The index as the rules take it; a bound that is denied (1に届きません, 1以上ではない) turns."""
        if denials(self._message, figure.end, self._message.clause_at(figure.start).end) % 2:
            missed = _MISSES_IT.match(self._message.text, figure.end)
            if figure.bound in ("at_least", "above") or missed:
                return str(figure.value - BESIDE)
            if figure.bound == "below":
                return str(figure.value)
        return index_text(figure)

    def _year_after(self, figure: Figure) -> Day | None:
        """The year that is said right after an index to be its own: 0.97(令和5年度), 0.97は10年前の数字です."""
        joint = self._message.text[figure.end : figure.end + 1]
        years = [d for d in self._message.days if d.precision in ("fiscal_year", "year")]
        return next((d for d in years if d.start == figure.end + 1 and joint in "(はが"), None)

    def _time_of(self, figure: Figure) -> When:
        year = self._year_of(figure)
        after = self._year_after(figure)
        if after and after.last_on < self._message.as_of:
            return When.BEFORE
        to_come = year is not None and year > fiscal_year_of(self._message.as_of)
        return When.LATER if to_come else self._scene.time_at(figure.start, figure.end)

    def _year_of(self, figure: Figure) -> int | None:
        clause = self._message.clause_at(figure.start)
        if after := self._year_after(figure):
            return after.first_on.year
        years = [
            d
            for d in self._message.days
            if clause.start <= d.start and d.end <= figure.start and d.precision in ("fiscal_year", "year")
        ]
        return years[-1].first_on.year if years else None

    def _stance(self, figure: Figure) -> Stance:
        clause = self._message.clause_at(figure.start)
        if figure in self._scene.taken_back:
            return Stance.CONTRASTED
        if figure.approximate and abs(figure.value - 1) < _ABOUT_ONE:
            return Stance.QUOTED  # 1くらい may be on either side
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
            own = [f for f in own if not self._is_quoted(f) and not self._is_each_day(f) and not self._has_its_tax(f)]
            if not own or len({f.value for f in own if self._is_claimed(f)}) > 1:
                continue
            if dimension in (Dimension.DAY, Dimension.HOUR) and self.mixed():
                return None
            if dimension is Dimension.HOUR and self._meets_on_site_alone() and self._visits():
                continue  # of days on site hours are no limit
            if dimension is Dimension.DAY and self._by_both_lengths() and self._is_online_alone():
                continue
            if (value := self._with_the_excess(own)) is not None:
                return Reading(slot, str(value), own[0].start, own[-1].end, by="figures")
            if any(self._goes_beyond(f) for f in own):
                return Reading("beyond", slot, own[0].start, own[-1].end)
            value = self._days_of_both_modes(own) if dimension is Dimension.DAY else None
            value = self._total(own, dimension) if value is None else value
            if self._meetings and len(own) == 1 and not self._message.says("sums"):
                value = own[0].value * self._meetings
            if dimension is Dimension.YEN and value is not None and value < _LEAST_AMOUNT:
                continue
            if value is not None:
                return Reading(slot, str(value), own[0].start, own[-1].end, by="figures")
            return Reading("beyond", slot, own[0].start, own[-1].end)
        return self._visits() or self._meetings_put_forward() or self._times()

    def leaves_out(self, amount: Decimal, dimension: Dimension, goes_on: bool) -> bool:
        """Whether an amount that must be made up of several figures is only one of them.

        Where a talk `goes_on`, a single figure may come on top of those before it. The largest of three that is the
        sum of the others is the whole. How often something is done is said once for each figure.
        """
        own = [figure.value for figure in self._message.figures if figure.dimension is dimension]
        often = [f.value for f in self._message.figures if f.dimension is Dimension.TIME and f.value > 1]
        whole = len(own) > 2 and amount == max(own) == sum(own) - max(own)
        return (amount in own and not whole and (goes_on or len(own) > 1)) or len(often) > max(1, len(own))

    def of_each(self) -> Decimal | None:
        """How long each of several takes: 2つの取り組みに3日ずつ、合わせて6日."""
        each = [figure for figure in self._message.figures if self._message.text.startswith("ずつ", figure.end)]
        return each[0].value if each else None

    def at_most(self) -> Decimal | None:
        """What the amount may come to by another way of counting: each half day as one, with the tax on top."""
        for dimension in (Dimension.YEN, Dimension.DAY):
            own = [f for f in self._message.figures if f.dimension is dimension and self._counts(f)]
            if own and dimension is Dimension.YEN and self._message.says("without_tax"):
                value = self._total([f for f in own if not self._has_its_tax(f)], dimension)
                return value and value * _WITH_TAX
            whole = [replace(f, value=f.value.to_integral_value(ROUND_CEILING)) for f in own]
            if own and dimension is Dimension.DAY and whole != own:
                return self._total(whole, dimension)
        return None

    def met(self) -> str:
        """The only way to meet that the message says: "on_site" or "online", "" where it says both or none."""
        return "on_site" if self._meets_on_site_alone() else "online" if self._is_online_alone() else ""

    def _meets_on_site_alone(self) -> bool:
        return self._message.says("on_site") and not self._is_said_to_meet("online")

    def _is_online_alone(self) -> bool:
        return self._message.says("online") and not self._is_said_to_meet("on_site")

    def _is_said_to_meet(self, way: str) -> bool:
        """Whether a way to meet is said, and not only taken back for the other (オンラインではなく現地で)."""
        return any(not is_contrasted(self._message, mention.end) for mention in self._message.saying(way))

    def _visits(self) -> Reading | None:
        """Visits of a day each, as days: 日帰りで4回, 別の日に2時間ずつ6回; days that are named by their number."""
        if self._is_online_alone():
            return None
        for figure in self._message.figures:
            if figure.dimension is Dimension.TIME and self._message.says("own_days") and self._counts(figure):
                return Reading("day", str(figure.value), figure.start, figure.end, by="figures")
            if figure.dimension is Dimension.DAY and self._counts(figure) and not self._is_each_day(figure):
                return Reading("day", str(figure.value), figure.start, figure.end, by="figures")
        return None

    def _meetings_put_forward(self) -> Reading | None:
        """So many meetings with an adviser of which nobody says how long they are: オンラインだけで計12回."""
        if not self._message.says("online", "on_site") or self._message.says("again", "same", "different"):
            return None
        for figure in self._message.figures:
            clause = self._message.clause_at(figure.start)
            met = self._message.in_clause(clause, "online", "on_site")
            if figure.dimension is Dimension.TIME and met and figure.value > 1 and self._counts(figure):
                return Reading("meeting", str(figure.value), figure.start, figure.end, by="figures")
        return None

    def _days_of_both_modes(self, own: Sequence[Figure]) -> Decimal | None:
        """Days on site and days on line together (T13), where each has its own."""
        if len(own) != 2 or not (self._message.says("online") and self._message.says("on_site")):
            return None
        return own[0].value + own[1].value

    def _total(self, own: Sequence[Figure], dimension: Dimension) -> Decimal | None:
        """What the figures that count come to, with what multiplies them."""
        others = [f for f in self._message.figures if f.dimension is not dimension and f not in self._scene.taken_back]
        figures = sorted((*own, *others), key=lambda figure: figure.start)
        composed = total(figures, self._message.text, dimension)
        ranged = any(self._message.text[a.end : b.start] in ("から", "~", "か", "または") for a, b in pairwise(own))
        if (
            composed is None
            and len(own) > 1
            and dimension is Dimension.YEN
            and self._message.says("sums")
            and not ranged
        ):
            return sum((figure.value for figure in own), Decimal(0))
        return composed

    def _is_each_day(self, figure: Figure) -> bool:
        """Whether a day is only what hours are counted by: 1日6時間を4日."""
        following = next((f for f in self._message.figures if f.start >= figure.end), None)
        return (
            figure.dimension is Dimension.DAY
            and figure.value == 1
            and following is not None
            and following.dimension is Dimension.HOUR
            and self._message.text[figure.end : following.start] in ("", "に", "あたり", "当たり", "につき")
        )

    def _has_its_tax(self, figure: Figure) -> bool:
        """Whether an amount says again with the tax what stands beside it without: 税抜き1億円、税込み1億1,000万円."""
        before = self._message.text[max(0, figure.start - 4) : figure.start]
        return self._message.says("without_tax") and "税込" in before

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
            and not self._are_added_up(figure.dimension)
            and not self._scene.is_the_applicants(owner)
            and (owner.body is None or owner.body.part is Part.APPLICANT)
        ):
            return False
        before = self._scene.time_at(figure.start, figure.end) is When.BEFORE and any(
            c.number != clause.number
            and any(f.dimension is figure.dimension for f in self._message.figures if c.start <= f.start < c.end)
            for c in self._message.clauses
        )
        return not before and figure not in self._scene.taken_back and not self._counts_others(figure)

    def _are_added_up(self, dimension: Dimension) -> bool:
        """Whether what several bodies have is put forward as one sum: A町2,000万、B町3,000万の合計で."""
        last = [figure for figure in self._message.figures if figure.dimension is dimension][-1]
        return self._message.text[last.end :].startswith(("の合計", "を合計", "を合わせ", "の計", "の総額", "を足し"))

    def _counts_others(self, figure: Figure) -> bool:
        """Whether a length is no support: 3日前, 8日目, 10日以内に提出, a report's week, months by the day."""
        after = self._message.text[figure.end : figure.end + 4]
        if after.startswith(("って", "とは", "という")) or (
            figure.dimension is Dimension.DAY
            and after.startswith(("に", "付", "たった", "経"))
            and not after.startswith(_ADDED_TO)
            and not self._message.says("own_days", start=figure.start - 5)
            and "別々の" not in self._message.text[max(0, figure.start - 3) : figure.start]
        ):
            return True
        if after.startswith(("前", "後", "目", "のうち", "の中で", "ごと", "おき", "ぶり", "現在", "過ぎ")):
            return True
        clause = self._message.clause_at(figure.start)
        if figure.dimension in (Dimension.DAY, Dimension.HOUR) and self._message.in_clause(
            clause, "report", "deadline", "ended"
        ):
            return not after.startswith(("で終", "間で終"))
        before = self._message.text[max(0, figure.start - 4) : figure.start]
        return figure.dimension is Dimension.YEN and before.endswith(("人口", "全体予算", "全体予算は"))

    def _by_both_lengths(self) -> bool:
        has = {f.dimension for f in self._message.figures if self._counts(f)}
        return {Dimension.DAY, Dimension.HOUR} <= has

    def _with_the_excess(self, own: Sequence[Figure]) -> Decimal | None:
        """What goes beyond a figure by another: 600分を10分だけ超える."""
        if len(own) != 2 or own[1].bound != "above" or self._message.text[own[0].end : own[1].start] != "を":
            return None
        return own[0].value + own[1].value

    def _goes_beyond(self, figure: Figure) -> bool:
        return figure.bound in ("above", "at_least") or self._message.text[figure.end : figure.end + 4].lstrip(
            "を間でも"
        ).startswith(("超", "オーバー", "上回"))

    def _times(self) -> Reading | None:
        """How often it is applied in one fiscal year: 年4回, 公募3回全部, 4回目, once more after 3回."""
        applied = [figure for figure in self._message.figures if self._is_application(figure)]
        more = [f for f in applied if self._message.text[: f.start].endswith(("もう", "あと", "さらに"))]
        told = [figure for figure in applied if figure not in more]
        if not told:
            return None
        again = not more and self._message.says("again") and self._message.says("within_year", "now")
        again = again and not self._message.text[told[-1].end :].startswith("続けて")
        value = told[-1].value + sum((figure.value for figure in more), Decimal(again))
        return Reading("count", str(value), told[-1].start, told[-1].end, by="figures")

    def _is_application(self, figure: Figure) -> bool:
        clause = self._message.clause_at(figure.start)
        if self._message.text[figure.start : figure.end].endswith("回目"):
            return bool(self._message.in_clause(clause, "apply"))
        before = self._message.text[max(0, figure.start - 4) : figure.start].rstrip("に内で間")
        by_year = self._message.in_clause(clause, "per_year") or any(
            day.precision == "fiscal_year" and clause.start <= day.start < clause.end for day in self._message.days
        )
        in_a_year = (
            before.endswith(("年", "年度", "公募", "募集"))
            or self._message.in_clause(clause, "passed")
            or (by_year and self._message.in_clause(clause, "apply"))
        )
        return figure.dimension is Dimension.TIME and bool(in_a_year)

    def mixed(self) -> bool:
        """Whether days on site stand beside hours on line (T13), or beside hours of which it is not said."""
        return self._by_both_lengths() and not self._meets_on_site_alone() and not self._is_online_alone()


def own_indices(indices: Sequence[IndexReading], scene: Scene, known_kind: str) -> tuple[IndexReading, ...]:
    """Of several indices those that count: the place's for who is no government (T16), the body's own for who is one.

    `known_kind` is the kind of the applicant that the conversation knows, or "".
    """
    said = [index for index in indices if index.reading.stance is Stance.SAID]
    if known_kind in GOVERNMENTS and scene.applicant is None:
        said = [index for index in said if not _is_of_another_government(index, known_kind)]
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


def _is_of_another_government(index: IndexReading, known_kind: str) -> bool:
    """Whether it is the index of a government that does not apply, by its kind: 県は1.1ですが大丈夫?"""
    body = index.owner.body
    return body is not None and body.part is Part.APPLICANT and body.kind in GOVERNMENTS - {known_kind}


def _is_of_its_area(index: IndexReading) -> bool:
    """Whether it is the index of a government that is only named beside a body that is none: its area, or investor."""
    body = index.owner.body
    if body is None:
        return False
    return body.part in (Part.OWNER, Part.INVESTOR) or (body.part is Part.APPLICANT and body.whose is not Whose.ANOTHER)


def _is_of_the_seat(index: IndexReading, scene: Scene) -> bool:
    clause = scene.message.clause_at(index.reading.start)
    seats = scene.message.saying("seat", start=clause.start, end=index.reading.start)
    return bool(seats) and not scene.message.says("work", start=seats[-1].end, end=index.reading.start)


def _is_of_the_work(index: IndexReading, scene: Scene) -> bool:
    clause = scene.message.clause_at(index.reading.start)
    return scene.message.says("place", "work", start=clause.start, end=index.reading.start) and not _is_of_the_seat(
        index, scene
    )


def newest(indices: Sequence[IndexReading]) -> tuple[IndexReading, ...]:
    """Of indices of several years those of the newest (T32): this year's before last year's, or one to come."""
    current = [i for i in indices if i.reading.when is When.NOW]
    left = current or [i for i in indices if i.reading.when is When.LATER] or list(indices)
    years = [i.year for i in left if i.year is not None]
    if years and len({i.year for i in left}) > 1:
        left = [i for i in left if i.year == max(years) or i.year is None]
    return tuple(left)


_MISSES_IT = re.compile(r"[にも](?:ほんの)?(?:少し|ちょっと|わずかに)?(?:届|達|満|及|足り)|も[なあ]")
"""What says with its denial that a bound is not reached: 1に届きません, 1にほんの少し足りない."""

_NO_HEAD = frozenset(
    {
        "片方",
        "一方",
        "他方",
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
