"""Puts the questions of a message to the rules."""

from dataclasses import replace
from datetime import date
from decimal import Decimal

from bot import replies
from bot.types import Inquiry, Understanding
from knowledge.catalog import Catalog
from knowledge.municipalities.records import INDEX_PUBLISHER, PublishedIndex, index_table
from knowledge.rules.caps import decide_calls, decide_cap
from knowledge.rules.dates import decide_questionnaire, decide_report_due, decide_window
from knowledge.rules.tables import decide, known_subjects, overview, state, terms_on
from knowledge.types import ApplicantKind, Evidence, Fact, Outcome, Program, Ruling, Subject, Terms, Verdict


def decide_all(
    understanding: Understanding, programs: tuple[str, ...], inquiry: Inquiry, catalog: Catalog
) -> tuple[Ruling, ...]:
    """A ruling for each subject and program asked about that the program has a parameter for, in order of asking."""
    compared = len(programs) > 1
    return tuple(
        _decide_one(subject, catalog.programs[program], understanding, inquiry, catalog, compared)
        for subject in understanding.subjects
        for program in programs
        if subject in known_subjects(catalog.programs[program])
    )


def _decide_one(
    subject: Subject, program: Program, understanding: Understanding, inquiry: Inquiry, catalog: Catalog, compared: bool
) -> Ruling:
    terms = terms_on(program, _term_day(program, understanding, inquiry))
    situation = understanding.situation
    match subject:
        case Subject.ELIGIBILITY if _asks_in_general(understanding, terms, compared):
            return overview(terms, subject)
        case Subject.ELIGIBILITY:
            return _as_supposed(_eligibility(terms, understanding, catalog, compared), terms, understanding, catalog)
        case Subject.REPEAT:
            return decide(terms, subject, situation, catalog.facts)
        case Subject.CAP if "mixes_modes" in understanding.signs:
            ruling = decide_cap(terms, situation, catalog.facts)
            if ruling.outcome is Outcome.NOT_STATED:
                return ruling
            verdict = None if ruling.missing else Verdict.CONDITIONAL
            return replace(ruling, says=ruling.says + replies.HOURS_BESIDE_DAYS, verdict=verdict)
        case Subject.CAP:
            return decide_cap(terms, situation, catalog.facts)
        case Subject.CALLS_PER_YEAR if _asks_if_so_often(understanding):
            return decide_calls(terms, situation)
        case Subject.WINDOW:
            return _window(terms, understanding, inquiry)
        case Subject.INDEX_LIMIT if understanding.index_of:
            return _index_of(terms, understanding)
        case Subject.REPORT_DUE if understanding.ended_on and understanding.ended_on[0] == understanding.ended_on[1]:
            return decide_report_due(terms, understanding.ended_on[1], understanding.handed_in)
        case Subject.QUESTIONNAIRE if understanding.ended_on:
            first, last = (decide_questionnaire(terms, day) for day in understanding.ended_on)
            return last if first.value == last.value else state(terms, subject)
        case _:
            return state(terms, subject)


def _asks_if_so_often(understanding: Understanding) -> bool:
    """Whether so many applications are put forward, and it is not only said that there are so many calls."""
    wanted = understanding.wanted == Subject.CALLS_PER_YEAR and "claims" not in understanding.signs
    return wanted or not understanding.signs.isdisjoint(("can_we", "wants_to_apply"))


def _asks_in_general(understanding: Understanding, terms: Terms, compared: bool) -> bool:
    """Whether it is asked who can apply, and not whether somebody can; where programs are compared, of nobody."""
    return (
        ("asks_in_general" in understanding.signs or (compared and "speaks_of_us" not in understanding.signs))
        and Fact.APPLICANT_KIND not in understanding.situation.facts
        and Fact.FISCAL_INDEX not in understanding.situation.facts
        and bool(terms.parameters[Subject.ELIGIBILITY].overview)
    )


def _as_supposed(ruling: Ruling, terms: Terms, understanding: Understanding, catalog: Catalog) -> Ruling:
    """A yes hangs on what is only supposed to come about (T28), where it would be none without; a no stays one."""
    if not understanding.supposed or ruling.verdict is not Verdict.ELIGIBLE:
        return ruling
    situation = understanding.situation
    as_it_is = {fact: value for fact, value in situation.facts.items() if fact not in understanding.supposed}
    now = decide(terms, Subject.ELIGIBILITY, replace(situation, facts=as_it_is), catalog.facts)
    if now.verdict is Verdict.ELIGIBLE:
        return ruling
    supposed = next(iter(understanding.supposed.values()))
    return replace(ruling, verdict=Verdict.CONDITIONAL, says=ruling.says + replies.supposed(supposed))


_GOVERNMENTS = (ApplicantKind.PREFECTURE, ApplicantKind.MUNICIPALITY)


def _eligibility(terms: Terms, understanding: Understanding, catalog: Catalog, compared: bool) -> Ruling:
    """Who gives a financial strength index and speaks of no body but governments is taken for a municipality, and told.

    Where a program has no condition on the index, who asks with one is told (T14).
    """
    situation, asked_of_index = understanding.situation, Fact.FISCAL_INDEX in understanding.said
    ruling = decide(terms, Subject.ELIGIBILITY, situation, catalog.facts)
    turns_on_index = any(Fact.FISCAL_INDEX in row.when for row in terms.rows[Subject.ELIGIBILITY])
    if turns_on_index and (offered := understanding.offered):
        as_published = replace(situation, facts={**situation.facts, Fact.FISCAL_INDEX: str(offered.value)})
        return _if_published(decide(terms, Subject.ELIGIBILITY, as_published, catalog.facts), offered)
    if turns_on_index and ruling.verdict and (published := _published_of(understanding)):
        says = ruling.says + replies.is_published(published) + _near_one(published) + replies.NEWER_INDEX
        return replace(ruling, says=says, evidence=(*ruling.evidence, _source_of(published)))
    if asked_of_index and not compared and terms.rows.get(Subject.ELIGIBILITY) and not turns_on_index:
        return replace(ruling, says=ruling.says + replies.NO_INDEX_CONDITION)
    others = [r for r in understanding.readings if r.slot == Fact.APPLICANT_KIND and r.value not in _GOVERNMENTS]
    if ruling.missing[:1] != (Fact.APPLICANT_KIND,) or Fact.FISCAL_INDEX not in situation.facts or others:
        return ruling
    assumed = replace(situation, facts={**situation.facts, Fact.APPLICANT_KIND: ApplicantKind.MUNICIPALITY})
    ruling = decide(terms, Subject.ELIGIBILITY, assumed, catalog.facts)
    return replace(ruling, says=ruling.says + replies.ASSUMED_MUNICIPALITY)


def _if_published(ruling: Ruling, published: PublishedIndex) -> Ruling:
    """A ruling on a published index, of which nobody has said that it still holds (T32)."""
    value = replies.published_index(published) + _near_one(published)
    return replace(
        ruling,
        says=value + replies.IF_IT_HOLDS + ruling.says + replies.NEWER_INDEX,
        verdict=Verdict.CONDITIONAL,
        missing=(Fact.FISCAL_INDEX,),
        evidence=(*ruling.evidence, _source_of(published)),
    )


def _published_of(understanding: Understanding) -> PublishedIndex | None:
    """The published index of the body of the case, where it is the one that decides."""
    index = understanding.situation.facts.get(Fact.FISCAL_INDEX)
    published = understanding.towns[0].published if len(understanding.towns) == 1 else None
    return published if published and index is not None and Decimal(index) == published.value else None


def _index_of(terms: Terms, understanding: Understanding) -> Ruling:
    """The published index that is asked for, which no document of a program gives."""
    published, *others = understanding.index_of
    if others:
        return Ruling(terms.program, Subject.INDEX_LIMIT, Outcome.NEEDS_FACTS, "", missing=(Fact.FISCAL_INDEX,))
    value = replies.published_index(published) + _near_one(published)
    says = value + replies.NEWER_MAY_BE + replies.INDEX_NOT_IN_DOCUMENTS
    return Ruling(terms.program, Subject.INDEX_LIMIT, Outcome.SETTLED, says, evidence=(_source_of(published),))


_ABOUT_ONE = Decimal("0.05")
"""An index no farther from 1 than this may cross it from one year to the next."""


def _near_one(published: PublishedIndex) -> str:
    return replies.NEAR_ONE if abs(published.value - 1) <= _ABOUT_ONE else ""


def _source_of(published: PublishedIndex) -> Evidence:
    return Evidence(index_table(published), str(published.value), INDEX_PUBLISHER)


def _window(terms: Terms, understanding: Understanding, inquiry: Inquiry) -> Ruling:
    """Asked when, without a day: the period. Otherwise the days asked about, or the day of asking.

    When the support itself may take place is not stated (T22): who asks for a day of that gets the period.
    """
    if "asks_dispatch_day" in understanding.signs:
        period = state(terms, Subject.WINDOW)
        return replace(period, says=replies.DISPATCH_DAY + period.says)
    if understanding.days is None and ("asks_when" in understanding.signs or understanding.fiscal_year is not None):
        return state(terms, Subject.WINDOW)
    return decide_window(terms, *(understanding.days or (inquiry.as_of, inquiry.as_of)))


def _term_day(program: Program, understanding: Understanding, inquiry: Inquiry) -> date:
    """The day whose values apply: that of the year asked about, else of asking.

    A question that names no year and is asked before the first verified year is answered from that year's document.
    """
    if understanding.fiscal_year is not None:
        return date(understanding.fiscal_year + 1, 3, 31)
    day = understanding.days[0] if understanding.days else inquiry.as_of
    return max(day, date(min(program.verified_years), 4, 1))
