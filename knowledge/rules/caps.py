"""Upper limits (上限): yen, days, hours or calls, alone or held against an amount that somebody has in mind."""

from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal

from knowledge.rules.tables import compare, filled, in_brief, not_stated, reach, state
from knowledge.types import Fact, FactQuestion, Outcome, Row, Ruling, Situation, Subject, Terms, Verdict


def decide_cap(terms: Terms, situation: Situation, questions: Mapping[Fact, FactQuestion]) -> Ruling:
    """The limit that applies, and whether an amount keeps to it (上限は at_most: exactly the limit is within).

    Without an amount every limit that may apply is stated. With one, only limits of its unit count; when some of them
    would allow it and others not, the facts that decide are named. An amount in another unit than any limit is not
    stated: hours on site (reading T13), yen where only days are limited.
    """
    reached = reach(terms.rows.get(Subject.CAP, ()), situation, terms, questions)
    rows = reached.rows
    if situation.amount_unit == "meeting":
        return _ask_for_their_length(rows, situation, terms, questions)
    if situation.amount is not None:
        rows = tuple(row for row in rows if row.unit == situation.amount_unit)
    if not rows:
        silent = not_stated(terms, Subject.CAP)
        return replace(silent, unit=situation.amount_unit) if reached.rows else silent
    if reached.missing and len(rows) < len(reached.rows):  # in another case, another unit is limited
        return Ruling(
            terms.program,
            Subject.CAP,
            Outcome.NEEDS_FACTS,
            "".join(filled(row.says, situation, questions) for row in reached.rows),
            asked=situation.amount,
            unit=rows[0].unit,
            missing=reached.missing,
            evidence=tuple(evidence for row in reached.rows for evidence in row.evidence),
            fiscal_year=terms.fiscal_year,
        )

    verdicts = {verdict_on(row, situation, terms) for row in rows}
    missing = reached.missing if len(verdicts) > 1 else ()
    needs = next((row.needs for row in rows if row.needs), "") if missing else ""
    return Ruling(
        terms.program,
        Subject.CAP,
        Outcome.NEEDS_FACTS if missing else Outcome.SETTLED,
        needs or "".join(_said(row, situation, terms, questions) for row in rows),
        verdict=None if missing else verdicts.pop(),
        asked=situation.amount,
        value=rows[0].value if len(rows) == 1 else None,
        unit=rows[0].unit,
        missing=missing,
        evidence=tuple(evidence for row in rows for evidence in row.evidence),
        fiscal_year=terms.fiscal_year,
        brief=in_brief(rows),
    )


def _ask_for_their_length(
    rows: tuple[Row, ...], situation: Situation, terms: Terms, questions: Mapping[Fact, FactQuestion]
) -> Ruling:
    """The limits of days and hours, where so many meetings are put forward and it is not said how long each is."""
    limits = tuple(row for row in rows if row.unit in ("day", "hour"))
    if not limits:
        return not_stated(terms, Subject.CAP)
    return Ruling(
        terms.program,
        Subject.CAP,
        Outcome.NEEDS_FACTS,
        "".join(filled(row.says, situation, questions) for row in limits),
        asked=situation.amount,
        unit=situation.amount_unit,
        missing=(Fact.LENGTH_OF_EACH,),
        evidence=tuple(evidence for row in limits for evidence in row.evidence),
        fiscal_year=terms.fiscal_year,
    )


def _said(row: Row, situation: Situation, terms: Terms, questions: Mapping[Fact, FactQuestion]) -> str:
    hangs = verdict_on(row, situation, terms) is Verdict.CONDITIONAL
    return filled(row.says + (row.leaves_open if hangs else ""), situation, questions)


def decide_calls(terms: Terms, situation: Situation) -> Ruling:
    """How often a call is open in a fiscal year, and whether so many applications fit into one (年4回応募できるか)."""
    stated = state(terms, Subject.CALLS_PER_YEAR)
    if situation.amount is None or situation.amount_unit != "count" or not isinstance(stated.value, Decimal):
        return stated
    fits = situation.amount <= stated.value
    return replace(stated, asked=situation.amount, verdict=Verdict.ELIGIBLE if fits else Verdict.INELIGIBLE)


def verdict_on(row: Row, situation: Situation, terms: Terms) -> Verdict | None:
    """Whether the amount is within the row's limit; None where no amount was given.

    Conditional where that depends on how it is counted, which the documents leave open.
    """
    if situation.amount is None or not isinstance(row.value, Decimal):
        return None
    bound = terms.parameters[Subject.CAP].bound or "at_most"
    if not compare(situation.amount, bound, row.value):
        return Verdict.INELIGIBLE
    most = situation.amount_at_most
    return Verdict.ELIGIBLE if most is None or compare(most, bound, row.value) else Verdict.CONDITIONAL
