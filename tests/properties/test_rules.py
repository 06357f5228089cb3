"""The tables as a whole: every combination of facts has exactly one outcome, and bounds turn it where they say."""

from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from knowledge.catalog import load_catalog
from knowledge.rules.caps import decide_cap
from knowledge.rules.dates import decide_window
from knowledge.rules.tables import decide, holds, limit_of, reach, state, terms_on
from knowledge.types import Fact, Outcome, Situation, Subject, Terms, Verdict

CATALOG = load_catalog()
AS_OF = date(2025, 6, 10)
TABLES = [
    (program, subject)
    for program in CATALOG.programs.values()
    for subject, rows in terms_on(program, AS_OF).rows.items()
    if any(row.when for row in rows)
]


def cells(fact: Fact, terms: Terms, subject: Subject) -> list[str | None]:
    """A fact's values as far as a table tells them apart: below, at and above each limit; None is unknown."""
    question = CATALOG.facts[fact]
    if question.kind == "choice":
        return [None, *(choice.value for choice in question.choices)]
    limits = {
        limit_of(limit, terms)
        for row in terms.rows[subject]
        for limit in (row.when.get(fact) or {}).values()  # type: ignore[union-attr]
    }
    step = Decimal("0.01")
    return [None, *(str(limit + offset) for limit in sorted(limits) for offset in (-step, Decimal(0), step))]


def situations(terms: Terms, subject: Subject, *, complete: bool) -> Iterator[Situation]:
    facts = list(dict.fromkeys(fact for row in terms.rows[subject] for fact in row.when))
    for values in product(*(cells(fact, terms, subject) for fact in facts)):
        known = {fact: value for fact, value in zip(facts, values, strict=True) if value is not None}
        if not complete or all(fact in known or not CATALOG.facts[fact].asked for fact in facts):
            yield Situation(known)


@pytest.mark.parametrize(("program", "subject"), TABLES, ids=lambda value: getattr(value, "id", value))
def test_complete_facts_reach_exactly_one_row(program, subject):
    terms = terms_on(program, AS_OF)
    for situation in situations(terms, subject, complete=True):
        reached = reach(terms.rows[subject], situation, terms, CATALOG.facts)
        assert not reached.missing, situation
        if subject is Subject.CAP:
            continue
        assert len(reached.rows) == 1, situation
        ruling = decide(terms, subject, situation, CATALOG.facts)
        assert ruling.says
        assert (ruling.verdict is None) == (ruling.outcome is Outcome.NOT_STATED), situation


@pytest.mark.parametrize(("program", "subject"), TABLES, ids=lambda value: getattr(value, "id", value))
def test_what_is_settled_with_facts_open_holds_however_they_turn_out(program, subject):
    terms = terms_on(program, AS_OF)
    complete = list(situations(terms, subject, complete=True))
    for situation in situations(terms, subject, complete=False):
        ruling = decide(terms, subject, situation, CATALOG.facts)
        if ruling.outcome is Outcome.NEEDS_FACTS:
            assert ruling.missing, situation
            assert all(CATALOG.facts[fact].asked and fact not in situation.facts for fact in ruling.missing)
            continue
        for full in complete:
            if situation.facts.items() <= full.facts.items():
                unasked = {f for f in full.facts if not CATALOG.facts[f].asked} - set(situation.facts)
                if unasked:
                    continue
                settled = decide(terms, subject, full, CATALOG.facts)
                assert settled.verdict == ruling.verdict, (situation, full)


@pytest.mark.parametrize(("program", "subject"), TABLES, ids=lambda value: getattr(value, "id", value))
def test_every_row_is_reached_by_some_situation(program, subject):
    terms = terms_on(program, AS_OF)
    for row in terms.rows[subject]:
        assert any(
            holds(row, situation, terms, CATALOG.facts)
            and reach(terms.rows[subject], situation, terms, CATALOG.facts).rows == (row,)
            for situation in situations(terms, subject, complete=True)
        ), row.says


@given(st.decimals(min_value=0, max_value=3, places=3), st.decimals(min_value=0, max_value=1, places=3))
def test_a_higher_index_never_turns_ineligible_into_eligible(index, rise):
    terms = terms_on(CATALOG.programs["keikaku"], AS_OF)

    def verdict(value: Decimal) -> Verdict | None:
        facts = {Fact.APPLICANT_KIND: "municipality", Fact.FISCAL_INDEX: str(value)}
        return decide(terms, Subject.ELIGIBILITY, Situation(facts), CATALOG.facts).verdict

    assert verdict(index) is (Verdict.ELIGIBLE if index < 1 else Verdict.INELIGIBLE)
    assert not (verdict(index) is Verdict.INELIGIBLE and verdict(index + rise) is Verdict.ELIGIBLE)


@given(st.integers(min_value=0, max_value=10**10), st.sampled_from([None, "selected", "never"]))
def test_an_amount_is_within_the_cap_up_to_the_yen(yen, selection):
    facts = {Fact.PAST_SELECTION: selection} if selection else {}
    terms = terms_on(CATALOG.programs["suishin"], AS_OF)
    ruling = decide_cap(terms, Situation(facts, Decimal(yen), "yen"), CATALOG.facts)
    low, high = (50_000_000, 100_000_000)
    caps = {"selected": [low], "never": [high], None: [low, high]}[selection]
    if all(yen <= cap for cap in caps):
        assert ruling.verdict is Verdict.ELIGIBLE
    elif all(yen > cap for cap in caps):
        assert ruling.verdict is Verdict.INELIGIBLE
    else:
        assert ruling.missing == (Fact.PAST_SELECTION,)


@given(st.dates(date(2024, 4, 1), date(2035, 12, 31)))
def test_each_day_is_open_or_closed_and_the_next_opening_is_open(day):
    terms = terms_on(CATALOG.programs["adviser"], day)
    ruling = decide_window(terms, day, day)
    if day.month >= 4:
        assert ruling.verdict is Verdict.CONDITIONAL
    else:
        assert ruling.verdict is Verdict.INELIGIBLE
        assert isinstance(ruling.value, date)
        assert day < ruling.value <= day + timedelta(days=91)
        assert decide_window(terms, ruling.value, ruling.value).verdict is Verdict.CONDITIONAL


@given(st.dates(date(1990, 1, 1), date(2050, 1, 1)))
def test_the_newest_value_that_is_not_after_the_day_holds(day):
    program = CATALOG.programs["keikaku"]
    dated = {
        start: rows[0].value
        for year in program.years
        for start, rows in year.parameters[Subject.CALLS_PER_YEAR].values.items()
        if rows
    }
    calls = state(terms_on(program, day), Subject.CALLS_PER_YEAR)
    held = [start for start in dated if start <= day]
    if held:
        assert calls.value == dated[max(held)]
    else:
        assert calls.outcome is Outcome.NOT_STATED
    assert [dated[date(2024, 4, 1)], dated[date(2025, 4, 1)]] == [2, 3]
