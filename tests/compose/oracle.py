"""What may be answered to a case, by the rules of the document alone.

The numbers F, N and T name the facts, silences and tensions of the project's reading of the document. Nothing here
looks at a text, at the bot, or at its data.
"""

from collections.abc import Iterable
from dataclasses import dataclass, fields, replace
from datetime import date, timedelta
from typing import Literal

from tests.compose.cases import LOCAL_GOVERNMENTS, Adviser, Case, Count, Keikaku, Repeat, Suishin, Use
from tests.compose.figures import days_as_written

Verdict = Literal["eligible", "ineligible", "conditional"] | None

ELIGIBLE: frozenset[Verdict] = frozenset({"eligible"})
INELIGIBLE: frozenset[Verdict] = frozenset({"ineligible"})
OPEN: frozenset[Verdict] = frozenset({"conditional", None})
NO_VERDICT: frozenset[Verdict] = frozenset({None})

HUNDRED_MILLION = 100_000_000
FIFTY_MILLION = 50_000_000


@dataclass(frozen=True)
class Outcome:
    """What is right to say.

    Attributes:
        verdicts: every verdict that is right; None is an answer, or a question back, without one.
        asks: facts that may be asked for; none where the case is settled.
        figures: groups of writings, of each of which one must stand in the text.
        never: writings that may stand in the text only beside all that must.
        silent: the document does not say it, so "unknown" is right.
        because: the facts that this rests on.
    """

    verdicts: frozenset[Verdict]
    asks: frozenset[str] = frozenset()
    figures: tuple[tuple[str, ...], ...] = ()
    never: tuple[str, ...] = ()
    silent: bool = False
    because: str = ""

    @property
    def settled(self) -> bool:
        return None not in self.verdicts


def outcome(case: Case) -> Outcome:
    """What may be answered to this case."""
    match case:
        case Keikaku():
            return _strictest(_keikaku(case))
        case Suishin():
            return _strictest(_suishin(case))
        case Adviser():
            return _strictest(_adviser(case))


def said(case: Case) -> frozenset[str]:
    """Facts that were told so that nobody needs to ask for them, by the names that `Outcome.asks` uses."""
    told = {field.name for field in fields(case) if getattr(case, field.name) is not None}
    renamed = {"month": "day", "all_year": "role"}
    return frozenset(renamed.get(name, name) for name in told) - outcome(case).asks


def _strictest(parts: Iterable[Outcome]) -> Outcome:
    """One outcome for all rules that are at stake: who fails one is out, and what is open in one stays open."""
    parts = list(parts)
    failed = [part for part in parts if part.verdicts == INELIGIBLE]
    if failed:
        parts = failed
    verdicts = frozenset[Verdict]().union(*(part.verdicts for part in parts))
    if not all("eligible" in part.verdicts for part in parts):
        verdicts -= ELIGIBLE
    return Outcome(
        verdicts,
        frozenset[str]().union(*(part.asks for part in parts)),
        tuple(group for part in parts for group in part.figures),
        tuple(writing for part in parts for writing in part.never),
        any(part.silent for part in parts),
        ", ".join(part.because for part in parts),
    )


def _open(*asks: str, also: frozenset[Verdict] = frozenset(), silent: bool = False, because: str) -> Outcome:
    return Outcome(OPEN | also, frozenset(asks), silent=silent, because=because)


# --- 計画策定支援 ---------------------------------------------------------------------------------------------------


def _keikaku(case: Keikaku) -> list[Outcome]:
    if case.asks == "cap":
        unsaid = ("記載", "書かれて", "書いて", "示されて", "定め")
        return [Outcome(NO_VERDICT, frozenset(), (unsaid,), ("1億円", "5000万円", "5億円"), silent=True, because="N04")]
    return [_keikaku_applicant(case), _keikaku_index(case)]


def _keikaku_applicant(case: Keikaku) -> Outcome:
    match case.kind, case.investment:
        case None, _:
            return _open("kind", "index", "investment", because="F016, F020-F022")
        case "special_ward" | "association", _:
            return _open("index", silent=True, because="T18")
        case "municipality" | "prefecture", _:
            return Outcome(ELIGIBLE, because="F016")
        case "nonprofit" | "invested", _:
            return Outcome(ELIGIBLE, because="F020, F021")
        case "company", "invested":
            return Outcome(ELIGIBLE, because="F020")
        case "company", "none":
            return Outcome(INELIGIBLE, because="F022")
        case "company", _:
            return _open("investment", because="F020, T28")
        case "voluntary" | "individual" | "national", _:
            return Outcome(INELIGIBLE, because="F022, T27")
    raise ValueError(f"no rule of 計画策定支援 for {case}")


def _keikaku_index(case: Keikaku) -> Outcome:
    index = case.index
    if index is None or index.known == "unknown":
        return _open("index", because="F018, F019")
    if index.known == "old":
        return _open("index", because="T32")
    over = [value >= 1 for value in index.values]
    if all(over):
        return Outcome(INELIGIBLE, because="F018, F019")
    if any(over):
        return _open(silent=True, because="T29" if index.whose == "members" else "T16")
    if index.whose == "members":
        return _open(also=ELIGIBLE, silent=True, because="T29")
    if index.prefecture is not None and index.prefecture >= 1:
        return Outcome(ELIGIBLE | OPEN, because="T17")
    if len(index.values) > 1:
        return Outcome(ELIGIBLE | {"conditional"}, because="F019, T16")
    return Outcome(ELIGIBLE, because="F018, F019")


# --- 推進体制構築支援 -----------------------------------------------------------------------------------------------


def _suishin(case: Suishin) -> list[Outcome]:
    if case.kind == "provider":
        if case.all_year is False:
            return [Outcome(INELIGIBLE | OPEN, because="F059")]
        return [Outcome(ELIGIBLE | OPEN, because="F058-F062")]
    if case.asks == "cap":
        return [_cap(case.past)]
    if case.asks == "amount":
        fits = _amount(case)
        if case.past == "selected" and case.count is None and fits.verdicts == ELIGIBLE:
            # The money fits. That more municipalities are needed may be said, and asked about.
            return [fits, _open("count", "partnership", also=ELIGIBLE, because="F054")]
        return [fits]
    parts = [_suishin_applicant(case)]
    if case.kind == "prefecture":
        parts.append(_selection(case))
    if case.amount is not None:
        fits = _amount(case)
        # The cap need be told only where the amount is asked about, or too high.
        parts.append(fits if fits.verdicts == INELIGIBLE else replace(fits, figures=()))
    return parts


def _suishin_applicant(case: Suishin) -> Outcome:
    match case.kind, case.partnership:
        case None, _:
            return _open("kind", "past", "count", "partnership", because="F052, F053")
        case "prefecture" | "municipality", "alone":
            return Outcome(INELIGIBLE, because="F053")
        case "prefecture", "joint":
            return Outcome(ELIGIBLE, because="F052, F053")
        case "prefecture", None:
            if case.count is not None:
                return Outcome(ELIGIBLE, because="F052, F053")
            return _open("partnership", also=ELIGIBLE, because="F053")
        case "municipality", "through_prefecture":
            # It takes part; what the prefecture must fulfil is not known here.
            return _open("past", "count", also=ELIGIBLE, because="F052, F053")
        case "municipality", None:
            return _open("partnership", also=INELIGIBLE, because="F053")
        case "company", _:
            return _open("kind", also=INELIGIBLE, because="F052, F058")
        case "voluntary" | "individual", _:
            return Outcome(INELIGIBLE, because="F052")
    raise ValueError(f"no rule of 推進体制構築支援 for {case}")


def _selection(case: Suishin) -> Outcome:
    if case.past in ("never", "applied_not_selected"):
        return Outcome(ELIGIBLE, because="F054, T30")
    if case.count is None:
        return _open("count", *(["past"] if case.past != "selected" else []), because="F054")
    compared = _more_municipalities(case.count)
    if case.past == "selected":
        return compared
    if "eligible" in compared.verdicts:
        return _open("past", also=ELIGIBLE, because="F054")
    return _open("past", "count", because="F054")


def _more_municipalities(count: Count) -> Outcome:
    if count.change is not None:
        return Outcome(ELIGIBLE if count.change == "more" else INELIGIBLE, because="F054, T06")
    if count.now is None or not count.before:
        return _open("count", because="F054")
    several = len(count.before) > 1
    if count.now > max(count.before):
        # A third year is not spoken of (T19), so a condition may be named.
        return Outcome(ELIGIBLE | OPEN if several else ELIGIBLE, because="F054, T07, T19" if several else "F054")
    if count.now <= min(count.before):
        return Outcome(INELIGIBLE, because="F054, T06, T07")
    return _open(silent=True, because="T07")


_CAPS = {FIFTY_MILLION: ("5000万円", "50000000円", "五千万円"), HUNDRED_MILLION: ("1億円", "100000000円", "10000万円")}


def _cap(past: str | None) -> Outcome:
    if past == "selected":
        return Outcome(ELIGIBLE | OPEN, frozenset({"count"}), (_CAPS[FIFTY_MILLION],), ("1億円",), because="F057")
    if past in ("never", "applied_not_selected"):
        return Outcome(ELIGIBLE | OPEN, frozenset(), (_CAPS[HUNDRED_MILLION],), ("5000万円",), because="F056, T30")
    return _open("past", because="F056, F057")


def _amount(case: Suishin) -> Outcome:
    if case.amount is None:
        return _open("amount", because="F056")
    if case.past in (None, "unknown"):
        if case.amount <= FIFTY_MILLION:
            return _open("past", also=ELIGIBLE, because="F056, F057")
        if case.amount > HUNDRED_MILLION:
            return Outcome(INELIGIBLE, figures=(_CAPS[HUNDRED_MILLION],), because="F056")
        return _open("past", because="F056, F057")
    cap = FIFTY_MILLION if case.past == "selected" else HUNDRED_MILLION
    fits = case.amount <= cap
    return Outcome(ELIGIBLE if fits else INELIGIBLE, figures=(_CAPS[cap],), because="F056, F057, T30")


# --- 「地域情報化アドバイザー」派遣事業 ----------------------------------------------------------------------------


def _adviser(case: Adviser) -> list[Outcome]:
    if case.asks == "report":
        return [_report(case.ended)]
    if case.asks == "questionnaire":
        return [_questionnaire(case.ended)]
    parts = [_adviser_applicant(case)]
    if case.use is not None:
        parts.append(_use(case.use))
    if case.repeat is not None:
        parts.append(_repeat(case.repeat))
    if case.month is not None:
        parts.append(_window(case.month))
    return parts


def _adviser_applicant(case: Adviser) -> Outcome:
    kind = case.kind
    if kind is None:
        # Asked about something else, the kind of body may stay open.
        also: frozenset[Verdict] = frozenset() if case.asks == "eligibility" else ELIGIBLE
        return _open("kind", "recommendation", "joint", also=also, because="F098-F100")
    if kind in LOCAL_GOVERNMENTS:
        return Outcome(ELIGIBLE, because="F098, T18")
    if kind == "bureau":
        return _open("recommendation", silent=True, because="T03")
    if kind == "individual":
        return Outcome(INELIGIBLE, because="F098-F100")
    if kind == "nonprofit":
        return _recommended(case, ("local_government", "regional_bureau"))
    if kind == "company":
        return _strictest([_recommended(case, ("local_government",)), _joint(case)])
    raise ValueError(f"no rule of the adviser program for {case}")


def _recommended(case: Adviser, by: tuple[str, ...]) -> Outcome:
    if case.recommendation in by:
        return Outcome(ELIGIBLE, because="F099, F100")
    if case.recommendation in ("none", "regional_bureau"):
        return Outcome(INELIGIBLE, because="T04, T28")
    if case.recommendation == "former":
        return Outcome(INELIGIBLE | {"conditional"}, because="F099, T28")
    return _open("recommendation", because="F099, T28")


def _joint(case: Adviser) -> Outcome:
    match case.joint:
        case "with_recommender":
            return Outcome(ELIGIBLE, because="F100")
        case "with_other":
            return _open(silent=True, because="T02")
        case "with_some":
            return _open("joint", also=ELIGIBLE, because="F100, T02")
        case "none":
            return Outcome(INELIGIBLE, because="F100")
        case None:
            return _open("joint", because="F100")


def _use(use: Use) -> Outcome:
    match use:
        case Use("online", _, hours) if hours is not None:
            return Outcome(ELIGIBLE if hours <= 10 else INELIGIBLE, figures=(("10時間",),), because="F084")
        case Use("on_site" | "mixed", days, None) if days is not None:
            return Outcome(ELIGIBLE if days <= 3 else INELIGIBLE, figures=(("3日",),), because="F083, T13")
        case Use("mixed", days, hours) if days is not None and hours is not None:
            if days > 3:
                return Outcome(INELIGIBLE, figures=(("3日",),), because="F083")
            return _open(silent=True, because="T13")
        case Use(None, _, hours) if hours is not None:
            also = ELIGIBLE if hours <= 10 else frozenset[Verdict]()
            return _open("use", also=also, because="F083, F084")
    raise ValueError(f"no rule for {use}")


def _repeat(repeat: Repeat) -> Outcome:
    if repeat.what in ("other_project", "other_adviser") or repeat.year == "later":
        return Outcome(ELIGIBLE | {"conditional"}, because="F090-F092, T26")
    if repeat.what == "unsaid" or repeat.year is None:
        return _open("repeat", because="F090")
    return Outcome(INELIGIBLE, because="F090")


def _window(month: int) -> Outcome:
    if 4 <= month <= 12:
        return Outcome(ELIGIBLE | {"conditional"}, because="F085, F086, T22")
    return Outcome(INELIGIBLE, because="F085")


def _report(ended: date | None) -> Outcome:
    if ended is None:
        return Outcome(NO_VERDICT, frozenset({"ended"}), (("1週間以内", "7日"),), because="F093")
    week = timedelta(days=7)
    never = [day for shift in (-1, 1) for day in days_as_written(ended + week + timedelta(days=shift))]
    return Outcome(NO_VERDICT, frozenset(), (days_as_written(ended + week),), tuple(never), because="F093, T21")


def _questionnaire(ended: date | None) -> Outcome:
    writings = ["翌年度"]
    if ended is not None:
        year = ended.year + (1 if ended.month >= 4 else 0)
        writings += [f"{year}年度", f"令和{year - 2018}年度"]
    return Outcome(NO_VERDICT, frozenset({"ended"}), (tuple(writings),), because="F094, N10")
