"""Draws cases from the domain of the rules, each with the clauses that tell it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from decimal import Decimal
from random import Random
from typing import Any, Literal

from tests.compose.cases import Adviser, Case, Count, Index, Keikaku, Repeat, Suishin, Use
from tests.compose.figures import written_day, written_yen
from tests.compose.oracle import OPEN, outcome
from tests.compose.wording import FIRST, WORDS

Role = Literal["open", "fact", "fix", "third", "ask", "reply"]

TODAY = date(2026, 5, 11)


@dataclass(frozen=True)
class Clause:
    """One thing to say.

    Attributes:
        part: the list of ways to say it.
        values: what the ways are filled with.
        role: what it is in the conversation.
        fact: the field of the case that it tells, where it tells one.
    """

    part: str
    values: Mapping[str, str] = field(default_factory=dict)
    role: Role = "fact"
    fact: str | None = None


@dataclass(frozen=True)
class Drawn:
    """A case, the clauses that tell it, the third parties that may be named beside it, and what is hard in it."""

    program: str
    case: Case
    clauses: tuple[Clause, ...]
    ask: str
    third: tuple[Clause, ...]
    tags: frozenset[str]
    today: date = TODAY


def draw(rng: Random) -> Drawn:
    """One case."""
    kind = rng.choices(list(_SCENES), [weight for weight, _ in _SCENES.values()])[0]
    return _SCENES[kind][1](rng)


def corrected(drawn: Drawn, rng: Random) -> Drawn | None:
    """The same case, one of its facts first told wrongly and then corrected; None where nothing can be."""
    if getattr(drawn.case, "partnership", None) == "through_prefecture":
        return None  # "not the prefecture applies" would deny what was said of the partnership
    choices = [clause for clause in drawn.clauses if clause.part in _WRONG_FIRST]
    if not choices:
        return None
    clause = rng.choice(choices)
    wrong, fix = _WRONG_FIRST[clause.part](clause, rng)
    clauses = [one for one in drawn.clauses if one is not clause]
    contrast = fix.part.replace("fix.", "contrast.")
    if wrong is None or (contrast in FIRST and clause.part != "index.place" and rng.random() < 0.5):
        # Only "AではなくB", which tells all.
        clauses.append(Clause(contrast, fix.values, "fact", clause.fact))
    else:
        clauses += [wrong, fix]
    return replace(drawn, clauses=tuple(clauses), tags=drawn.tags | {"correction"})


def answered(drawn: Drawn, rng: Random) -> Drawn | None:
    """The same case, its one open fact told as a short reply to the question for it; None where several are open."""
    choices = []
    for clause in drawn.clauses:
        if clause.part not in _REPLIES or clause.fact is None:
            continue
        before = outcome(replace(drawn.case, **{clause.fact: None}))  # type: ignore[arg-type]
        if clause.fact == "recommendation" and getattr(drawn.case, "joint", None) in ("with_recommender", "with_other"):
            continue  # who speaks of "the one that recommends us" has said that there is one
        asked_first = {"past": {"past", "count"}}.get(clause.fact, {clause.fact})
        # Only what leaves everything open is sure to be asked for.
        if before.verdicts == OPEN and before.asks and before.asks <= asked_first:
            choices.append(clause)
    if not choices:
        return None
    clause = rng.choice(choices)
    reply = Clause(_REPLIES[clause.part], clause.values, "reply", clause.fact)
    others = tuple(one for one in drawn.clauses if one is not clause)
    return replace(drawn, clauses=(*others, reply), tags=drawn.tags | {"reply"})


# --- values -----------------------------------------------------------------------------------------------------------


def _under(rng: Random) -> Decimal:
    return rng.choice([Decimal(rng.randint(15, 99)) / 100, Decimal(rng.randint(2, 9)) / 10])


def _over(rng: Random) -> Decimal:
    return rng.choice([Decimal(rng.randint(101, 165)) / 100, Decimal("1.0"), Decimal("1.00"), Decimal("1.2")])


def _index(rng: Random) -> Decimal:
    return rng.choice([_under, _over])(rng)


def _on_other_side(value: Decimal, rng: Random) -> Decimal:
    return _under(rng) if value >= 1 else _over(rng)


def _clause(part: str, fact: str | None = None, role: Role = "fact", **values: Any) -> Clause:
    return Clause(part, {name: str(value) for name, value in values.items()}, role, fact)


def _third(part: str, **values: Any) -> Clause:
    return _clause(part, None, "third", **values)


def _other_programs(program: str, rng: Random) -> Clause:
    others = sorted({"keikaku", "suishin", "adviser"} - {program})
    return _third("other.program", r=rng.choice(WORDS.programs[rng.choice(others)]))


def _drawn(
    rng: Random, program: str, case: Case, clauses: list[Clause], ask: str, third: list[Clause], *tags: str
) -> Drawn:
    told = frozenset(tags) | {f"{program}: {case.asks}"}
    third = [*third, _other_programs(program, rng)]
    return Drawn(program, case, tuple(clauses), ask, tuple(third), told)


# --- 計画策定支援 ---------------------------------------------------------------------------------------------------


def _own_index(rng: Random) -> Drawn:
    kind = rng.choice(["municipality", "municipality", "prefecture"])
    way = rng.choice(["own", "own", "own", "below", "above", "unknown", "old", "old_new", "prefecture", None])
    value = _index(rng)
    fact, clause, tags = _told_index(way if kind == "municipality" or way != "prefecture" else "own", value, rng)
    clauses = [_clause(f"kind.{kind}", "kind"), *([clause] if clause else [])]
    third = [_third("other.index", o=_on_other_side(value, rng)), _clause("rule.index", None, "third")]
    return _drawn(rng, "keikaku", Keikaku(kind, fact), clauses, "ask.eligible", third, *tags)


def _told_index(way: str | None, value: Decimal, rng: Random) -> tuple[Index | None, Clause | None, list[str]]:
    earlier, year = _on_other_side(value, rng), rng.choice(WORDS.earlier_years)
    match way:
        case None:
            return None, None, []
        case "unknown":
            return Index((), "unknown"), _clause("index.unknown", "index"), ["stance"]
        case "below":
            return Index((Decimal("0.5"),)), _clause("index.below", "index"), []
        case "above":
            return Index((Decimal("1.5"),)), _clause("index.above", "index"), []
        case "old":
            return Index((value,), "old"), _clause("index.old", "index", old=value, year=year), ["time", "open"]
        case "old_new":
            return Index((value,)), _clause("index.old_new", "index", old=earlier, x=value, year=year), ["time"]
        case "prefecture":
            value, around = (value, earlier) if value < 1 else (earlier, value)
            return (
                Index((value,), prefecture=around),
                _clause("index.prefecture", "index", x=value, pref=around),
                ["owner"],
            )
        case _:
            return Index((value,)), _clause("index.own", "index", x=value), []


def _without_index(rng: Random) -> Drawn:
    kind = rng.choice(["special_ward", "association"])
    third = [_third("other.index", o=_index(rng)), _third("rule.index")]
    return _drawn(rng, "keikaku", Keikaku(kind), [_clause(f"kind.{kind}", "kind")], "ask.eligible", third, "open")


def _members(rng: Random) -> Drawn:
    values = tuple(rng.choice([[_under] * 3, [_over] * 3, [_under, _under, _over], [_over, _under, _under]]))
    x, y, z = (pick(rng) for pick in values)
    clauses = [
        _clause("kind.municipality", "kind"),
        _clause("index.members", "index", x=x, y=y, z=z),
    ]
    case = Keikaku("municipality", Index((x, y, z), whose="members"))
    tags = ["open"] if not outcome(case).settled else []
    return _drawn(rng, "keikaku", case, clauses, "ask.eligible", [_third("rule.index")], "owner", *tags)


def _other_body(rng: Random) -> Drawn:
    kind = rng.choice(
        ["nonprofit", "nonprofit", "invested", "company", "company", "voluntary", "individual", "national"]
    )
    clauses, tags = [_clause(f"kind.{kind}", "kind")], []
    third: list[Clause] = [_third("rule.index")]
    investment: Any = None
    if kind == "company":
        investment = rng.choice(["invested", "invested", "none", "hoped", "unknown", None])
        third.append(_third("other.invest.none" if investment == "invested" else "other.invest.some"))
    if investment is not None:
        clauses.append(_clause(f"invest.{'some' if investment == 'invested' else investment}", "investment"))
        tags += ["stance"] if investment != "invested" else []
    place, clause, more = _told_place(rng)
    if clause is not None:
        clauses.append(clause)
    value = place.values[0] if place and place.values else _index(rng)
    third.append(_third("other.index", o=_on_other_side(value, rng)))
    case = Keikaku(kind, place, investment)
    return _drawn(rng, "keikaku", case, clauses, "ask.eligible", third, *tags, *more)


def _told_place(rng: Random) -> tuple[Index | None, Clause | None, list[str]]:
    x, y = _index(rng), _index(rng)
    match rng.choice(["place", "place", "place", "areas", "seat", "seat", None]):
        case "place":
            return Index((x,), whose="places"), _clause("index.place", "index", x=x), []
        case "areas":
            tags = ["open"] if (x >= 1) != (y >= 1) else []
            return Index((x, y), whose="places"), _clause("index.areas", "index", x=x, y=y), tags
        case "seat":
            seat = _on_other_side(x, rng)
            return Index((x,), whose="places"), _clause("index.seat_place", "index", x=x, seat=seat), ["owner"]
        case _:
            return None, None, []


def _keikaku_cap(rng: Random) -> Drawn:
    kind = rng.choice(["municipality", "prefecture", "nonprofit", None])
    clauses = [_clause(f"kind.{kind}", "kind")] if kind else []
    return _drawn(rng, "keikaku", Keikaku(kind, asks="cap"), clauses, "ask.cap", [], "open")


# --- 推進体制構築支援 -----------------------------------------------------------------------------------------------


def _prefecture(rng: Random) -> Drawn:
    past: Any = rng.choice(["selected", "selected", "selected", "never", "applied_not_selected", "unknown", None])
    clauses, tags = [_clause("kind.prefecture", "kind"), *_told_past(past)], _past_tags(past)
    count, clause, more = _told_count(past, rng)
    partnership: Literal["joint", "alone"] | None = None
    if clause is not None:
        clauses.append(clause)
        if count is not None and len(count.before) > 1:
            past = "selected"
            clauses = [one for one in clauses if one.fact != "past"]
    elif rng.random() < 0.6:
        partnership = rng.choice(["joint", "joint", "alone"])
        clauses.append(_clause(f"partner.{partnership}", "partnership", n=rng.randint(4, 20)))
        tags += ["stance"] if partnership == "alone" else []
    amount = None
    if rng.random() < 0.3:
        amount, clause, summed = _told_amount(rng)
        clauses.append(clause)
        tags += summed
    case = Suishin("prefecture", past, count, partnership, amount)
    third = _other_prefectures(case, rng)
    return _drawn(rng, "suishin", case, clauses, "ask.eligible", third, *tags, *more)


def _told_past(past: str | None) -> list[Clause]:
    part = {"applied_not_selected": "failed"}.get(past or "", past)
    return [_clause(f"past.{part}", "past")] if past else []


def _past_tags(past: str | None) -> list[str]:
    return {"never": ["stance"], "applied_not_selected": ["stance"], "unknown": ["stance"]}.get(past or "", [])


def _told_count(past: str | None, rng: Random) -> tuple[Count | None, Clause | None, list[str]]:
    if past == "never" or rng.random() < 0.25:
        return None, None, []
    before = rng.randint(6, 18)
    ways = ["both", "both", "more", "same", "fewer", "undecided", *(["several"] * 2 if past == "selected" else [])]
    match rng.choice(ways):
        case "both":
            now = before + rng.choice([-3, -1, 0, 0, 1, 2, 5])
            return Count((before,), now), _clause("count.both", "count", b=before, n=now), ["time"]
        case "several":
            last = before + rng.choice([-3, 4])
            now = rng.choice([min(before, last) - 1, min(before, last), min(before, last) + 2, max(before, last) + 2])
            tags = ["time", *(["open"] if min(before, last) < now <= max(before, last) else [])]
            return Count((before, last), now), _clause("count.several", "count", b=before, c=last, n=now), tags
        case "undecided":
            return Count((before,)), _clause("count.undecided", "count", b=before), ["time", "stance"]
        case "more":
            return Count(change="more"), _clause("count.more", "count", k=rng.randint(1, 6)), []
        case "same":
            return Count(change="same"), _clause("count.same", "count"), []
        case _:
            return Count(change="fewer"), _clause("count.fewer", "count", k=rng.randint(1, 3)), []


def _told_amount(rng: Random) -> tuple[int, Clause, list[str]]:
    million = 1_000_000
    if rng.random() < 0.6:
        amount = rng.choice([30, 45, 49, 50, 51, 60, 80, 95, 100, 101, 120, 150]) * million
        return amount, _clause("amount.one", "amount", a=written_yen(amount, rng)), []
    one, two = rng.choice([(40, 8), (45, 5), (50, 2), (30, 25), (60, 30), (95, 5), (90, 20), (99, 3)])
    clause = _clause("amount.sum", "amount", a=written_yen(one * million, rng), b=written_yen(two * million, rng))
    return (one + two) * million, clause, ["sum"]


def _other_prefectures(case: Suishin, rng: Random) -> list[Clause]:
    third = [_third("rule.past"), _third(f"other.past.{'never' if case.past == 'selected' else 'selected'}")]
    if case.count is not None:
        before = rng.randint(4, 12)
        grows = outcome(case).verdicts != {"eligible"}
        third.append(_third("other.count", b=before, o=before + (4 if grows else -2)))
    if case.amount is not None:
        third.append(_third("other.amount", o=written_yen(rng.choice([20, 130]) * 1_000_000, rng)))
        if case.past == "selected":
            third.append(_third("before.amount", o=written_yen(rng.choice([20, 90]) * 1_000_000, rng)))
    return third


def _suishin_money(rng: Random) -> Drawn:
    past: Any = rng.choice(["selected", "selected", "never", "applied_not_selected", "unknown", None])
    clauses, tags = [_clause("kind.prefecture", "kind"), *_told_past(past)], _past_tags(past)
    if rng.random() < 0.4:
        case, ask = Suishin("prefecture", past, asks="cap"), "ask.cap"
    else:
        amount, clause, summed = _told_amount(rng)
        clauses.append(clause)
        tags += summed
        case, ask = Suishin("prefecture", past, amount=amount, asks="amount"), "ask.amount"
    return _drawn(rng, "suishin", case, clauses, ask, _other_prefectures(case, rng), *tags)


def _other_applicant(rng: Random) -> Drawn:
    kind = rng.choice(["municipality", "municipality", "municipality", "company", "voluntary", "individual"])
    clauses, tags, ask = [_clause(f"kind.{kind}", "kind")], [], "ask.eligible"
    partnership: Literal["alone", "through_prefecture"] | None = None
    if kind == "municipality":
        partnership = rng.choice(["alone", "through_prefecture", None])
    if partnership == "alone":
        clauses.append(_clause("partner.town_alone", "partnership"))
        tags.append("stance")
    elif partnership == "through_prefecture":
        clauses.append(_clause("partner.through", "partnership"))
        tags.append("owner")
        ask = "ask.join"
    case = Suishin(kind, partnership=partnership)
    return _drawn(rng, "suishin", case, clauses, ask, [_third("rule.past")], *tags)


def _provider(rng: Random) -> Drawn:
    all_year = rng.choice([True, False, None])
    clauses = [_clause("kind.provider", "kind")]
    if all_year is not None:
        clauses.append(_clause("provider.year" if all_year else "provider.no_year", "all_year"))
    case = Suishin("provider", all_year=all_year)
    return _drawn(rng, "suishin", case, clauses, "ask.provide", [_third("rule.past")], "role")


# --- 「地域情報化アドバイザー」派遣事業 ----------------------------------------------------------------------------

_ADVISED = ["municipality", "prefecture", "special_ward", "association"]


def _adviser_body(rng: Random) -> tuple[Adviser, list[Clause], list[Clause], list[str]]:
    kind = rng.choice(["nonprofit"] * 4 + ["company"] * 5 + _ADVISED + ["individual", "bureau"])
    clauses = [_clause(f"kind.{kind}", "kind")]
    third = [_third("rule.rec")] if kind in ("nonprofit", "company") else []
    if kind not in ("nonprofit", "company"):
        return Adviser(kind), clauses, third, ["open"] if kind == "bureau" else []
    recommendation, clause = _told_recommendation(rng)
    tags: list[str] = []
    if clause is not None:
        clauses.append(clause)
        tags += {"former": ["time"], "local_government": [], "regional_bureau": []}.get(
            recommendation or "", ["stance"]
        )
    had = recommendation in ("local_government", "regional_bureau")
    third.append(_third("other.rec.denied" if had else "other.rec.have"))
    joint = None
    if kind == "company":
        joint, clause = _told_joint(recommendation, rng)
        clauses += [clause] if clause else []
        tags += {"with_other": ["owner", "open"], "none": ["stance"]}.get(joint or "", [])
    return Adviser(kind, recommendation, joint), clauses, third, tags


def _told_recommendation(rng: Random) -> tuple[Any, Clause | None]:
    part = rng.choice(["town", "town", "town", "bureau", "none", "former", "hoped", "pending", "unknown", None])
    if part is None:
        return None, None
    value = {"town": "local_government", "bureau": "regional_bureau"}.get(part, part)
    return value, _clause(f"rec.{part}", "recommendation")


def _told_joint(recommendation: str | None, rng: Random) -> tuple[Any, Clause | None]:
    if recommendation == "local_government":
        choices = {"same": "with_recommender", "other": "with_other", "none": "none"}
    else:
        choices = {"some": "with_some", "none": "none"}
    part = rng.choice([*choices, *choices, None])
    return (None, None) if part is None else (choices[part], _clause(f"joint.{part}", "joint"))


def _adviser_eligibility(rng: Random) -> Drawn:
    case, clauses, third, tags = _adviser_body(rng)
    return _drawn(rng, "adviser", case, clauses, "ask.eligible", third, *tags)


def _adviser_use(rng: Random) -> Drawn:
    use, clause, tags = _told_use(rng)
    kind = rng.choice([*_ADVISED, None])
    clauses = ([_clause(f"kind.{kind}", "kind")] if kind else []) + [clause]
    other = 2 if use.days is not None and use.days > 3 else 5
    third = [_third("rule.use"), _third("other.use", o=other), _third("before.use", o=other)]
    return _drawn(rng, "adviser", Adviser(kind, use=use, asks="use"), clauses, "ask.use", third, *tags)


def _told_use(rng: Random) -> tuple[Use, Clause, list[str]]:
    match rng.choice(["days", "hours", "times", "mixed_days", "mixed_hours", "hours_only"]):
        case "days":
            days = rng.randint(1, 6)
            return Use("on_site", days), _clause("use.days", "use", d=days), []
        case "hours":
            hours = rng.choice([4, 6, 8, 10, 11, 12, 15, 20])
            return Use("online", hours=Decimal(hours)), _clause("use.hours", "use", h=hours), []
        case "times":
            times, each = rng.choice(
                [(4, "2"), (3, "3"), (5, "2"), (6, "2"), (4, "3"), (8, "1.5"), (6, "1.5"), (10, "1")]
            )
            total = times * Decimal(each)
            return Use("online", hours=total), _clause("use.times", "use", n=times, h=each), ["sum"]
        case "mixed_days":
            days, online = rng.choice([(1, 1), (1, 2), (2, 1), (2, 2), (3, 1), (1, 3), (3, 2)])
            return Use("mixed", days + online), _clause("use.mixed_days", "use", d=days, e=online), ["sum"]
        case "mixed_hours":
            days, hours = rng.choice([1, 2, 3, 4, 5]), rng.choice([2, 4, 5, 8])
            tags = [] if days > 3 else ["open"]
            return Use("mixed", days, Decimal(hours)), _clause("use.mixed_hours", "use", d=days, h=hours), tags
        case _:
            hours = rng.choice([6, 8, 10, 12, 15, 20])
            return Use(None, hours=Decimal(hours)), _clause("use.hours_only", "use", h=hours), []


def _adviser_repeat(rng: Random) -> Drawn:
    part = rng.choice(["same", "same", "other_project", "other_adviser", "later", "partial"])
    repeat = {
        "same": Repeat("same", "same"),
        "other_project": Repeat("other_project", "same"),
        "other_adviser": Repeat("other_adviser", "same"),
        "later": Repeat("same", "later"),
        "partial": Repeat("unsaid", None),
    }[part]
    kind = rng.choice(_ADVISED)
    clauses = [_clause(f"kind.{kind}", "kind"), _clause(f"repeat.{part}", "repeat")]
    tags = ["time"] if part == "later" else []
    return _drawn(rng, "adviser", Adviser(kind, repeat=repeat, asks="apply"), clauses, "ask.apply", [], *tags)


def _adviser_window(rng: Random) -> Drawn:
    body = Adviser(rng.choice(_ADVISED))
    clauses, third, tags = [_clause(f"kind.{body.kind}", "kind")], list[Clause](), list[str]()
    if rng.random() < 0.35:
        body, clauses, third, tags = _adviser_body(rng)
    month = rng.choice([1, 2, 3, *range(1, 13)])
    third.append(_third("other.day", o=2 if 4 <= month <= 12 else 6))
    match rng.choice(["month", "date", "words"]):
        case "month":
            clause = _clause("day.month", "month", m=month)
        case "date":
            clause = _clause("day.date", "month", date=written_day(date(2026, month, rng.randint(1, 28)), rng))
        case _:
            clause = _clause("day.in" if 4 <= month <= 12 else "day.out", "month")
    case = replace(body, month=month, asks="apply")
    return _drawn(rng, "adviser", case, [*clauses, clause], "ask.apply", third, *tags)


def _adviser_after(rng: Random) -> Drawn:
    ended = date(2026, 4, 1) + timedelta(days=rng.randint(10, 230))
    kind = rng.choice([*_ADVISED, None])
    clauses = [_clause(f"kind.{kind}", "kind")] if kind else []
    clauses.append(_clause("ended", "ended", date=written_day(ended, rng)))
    asks: Literal["report", "questionnaire"] = rng.choice(["report", "report", "questionnaire"])
    third = [_third("other.ended", o=written_day(ended - timedelta(days=rng.randint(9, 20)), rng))]
    case = Adviser(kind, ended=ended, asks=asks)
    drawn = _drawn(rng, "adviser", case, clauses, f"ask.{asks}", third)
    return replace(drawn, today=ended + timedelta(days=rng.randint(0, 4)))


_SCENES: dict[str, tuple[int, Callable[[Random], Drawn]]] = {
    "own index": (14, _own_index),
    "no index": (2, _without_index),
    "members": (4, _members),
    "other body": (16, _other_body),
    "cap not stated": (2, _keikaku_cap),
    "prefecture": (20, _prefecture),
    "money": (10, _suishin_money),
    "other applicant": (6, _other_applicant),
    "provider": (3, _provider),
    "adviser": (20, _adviser_eligibility),
    "use": (10, _adviser_use),
    "repeat": (5, _adviser_repeat),
    "window": (8, _adviser_window),
    "after": (6, _adviser_after),
}


# --- corrections and replies -----------------------------------------------------------------------------------------


def _wrong_index(clause: Clause, rng: Random) -> tuple[Clause | None, Clause]:
    value = clause.values["x"]
    old = str(_on_other_side(Decimal(value), rng))
    return replace(clause, values={"x": old}), _clause("fix.index", None, "fix", old=old, x=value)


_MISTAKEN = {
    "municipality": "prefecture",
    "prefecture": "municipality",
    "nonprofit": "company",
    "company": "nonprofit",
    "voluntary": "nonprofit",
}


def _wrong_kind(clause: Clause, rng: Random) -> tuple[Clause | None, Clause]:
    kind = clause.part.removeprefix("kind.")
    old, new = (rng.choice(WORDS.nouns[name]) for name in (_MISTAKEN[kind], kind))
    return None, _clause("fix.kind", None, "fix", old=old, new=new)


def _wrong_amount(clause: Clause, rng: Random) -> tuple[Clause | None, Clause]:
    old = written_yen(rng.choice([20, 140]) * 1_000_000, rng)
    return replace(clause, values={"a": old}), _clause("fix.amount", None, "fix", old=old, x=clause.values["a"])


def _wrong_count(clause: Clause, rng: Random) -> tuple[Clause | None, Clause]:
    before, now = (int(clause.values[name]) for name in "bn")
    old = before + 3 if now <= before else max(before - 1, 1)
    return replace(clause, values={"b": str(before), "n": str(old)}), _clause("fix.count", None, "fix", old=old, x=now)


def _wrong_days(clause: Clause, rng: Random) -> tuple[Clause | None, Clause]:
    days = int(clause.values["d"])
    old = 5 if days <= 3 else 2
    return replace(clause, values={"d": str(old)}), _clause("fix.days", None, "fix", old=old, x=days)


def _wrong_end(clause: Clause, rng: Random) -> tuple[Clause | None, Clause]:
    day = clause.values["date"]
    head, mark, rest = day.partition("月") if "月" in day else day.partition("/")
    number = int(rest.rstrip("日"))
    old = f"{head}{mark}{number - 1 if number > 1 else number + 1}{'日' if mark == '月' else ''}"
    return replace(clause, values={"date": old}), _clause("fix.ended", None, "fix", old=old, x=day)


_WRONG_FIRST: dict[str, Callable[[Clause, Random], tuple[Clause | None, Clause]]] = {
    "index.own": _wrong_index,
    "index.place": _wrong_index,
    **{f"kind.{kind}": _wrong_kind for kind in _MISTAKEN},
    "amount.one": _wrong_amount,
    "count.both": _wrong_count,
    "use.days": _wrong_days,
    "ended": _wrong_end,
}
_REPLIES = {
    "index.own": "reply.index",
    "index.place": "reply.index",
    **{
        part: f"reply.{part}"
        for part in (
            *("invest.some", "invest.none", "past.selected", "past.never", "past.failed", "count.more", "count.same"),
            *("rec.town", "rec.bureau", "rec.none", "rec.pending", "joint.same", "joint.none"),
        )
    },
}
