"""Decision tables: the first row whose conditions hold decides, and what is unknown is named, never guessed."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from knowledge.types import (
    Bound,
    Fact,
    FactQuestion,
    Outcome,
    Parameter,
    Program,
    Row,
    Ruling,
    Situation,
    Subject,
    Terms,
)


@dataclass(frozen=True)
class Reach:
    """The rows that the known facts leave possible, in order, and the facts that would narrow them down.

    The last of `rows` is certain to apply if none before it does. `missing` is empty when one row is left.
    """

    rows: tuple[Row, ...]
    missing: tuple[Fact, ...]


def terms_on(program: Program, as_of: date) -> Terms:
    """The rows of each parameter in force on a day: the newest values that are not after it.

    A parameter without values on or before that day, or ended by null, has no rows: not stated.
    """
    parameters: dict[Subject, Parameter] = {}
    dated: dict[Subject, list[tuple[date, tuple[Row, ...] | None]]] = {}
    for year in program.years:
        for subject, parameter in year.parameters.items():
            parameters[subject] = parameter
            dated.setdefault(subject, []).extend(parameter.values.items())
    rows = {}
    for subject, values in dated.items():
        in_force = max((entry for entry in values if entry[0] <= as_of), key=lambda entry: entry[0], default=None)
        rows[subject] = (in_force[1] if in_force else None) or ()
    asked_year = as_of.year if as_of.month >= 4 else as_of.year - 1
    return Terms(program.id, program.name, min(asked_year, max(program.verified_years)), rows, parameters)


def known_subjects(program: Program) -> frozenset[Subject]:
    """What a program has a parameter for, be it to say that nothing is stated."""
    return frozenset(subject for year in program.years for subject in year.parameters)


def stated_subjects(program: Program) -> frozenset[Subject]:
    """What a program has a figure or a table for, of any day."""
    return frozenset(subject for subject in known_subjects(program) if rows_of(program, subject))


def rows_of(program: Program, *subjects: Subject) -> tuple[Row, ...]:
    """The rows of some parameters, of all days and years; of all parameters where none is named."""
    return tuple(
        row
        for year in program.years
        for subject, parameter in year.parameters.items()
        if not subjects or subject in subjects
        for rows in parameter.values.values()
        for row in rows or ()
    )


def compare(value: Decimal, bound: Bound, limit: Decimal) -> bool:
    """Whether a value satisfies a bound; 以上 is at_least, 未満 below, 以下 at_most, 超 above."""
    match bound:
        case "below":
            return value < limit
        case "at_most":
            return value <= limit
        case "at_least":
            return value >= limit
        case "above":
            return value > limit


def limit_of(reference: str, terms: Terms) -> Decimal:
    """The number that a condition compares with: written out, or the value of the parameter that it names."""
    if reference in set(Subject):
        value = terms.rows[Subject(reference)][0].value
        if not isinstance(value, Decimal):
            raise ValueError(f"{terms.program}: {reference} has no single figure to compare with")
        return value
    return Decimal(reference)


def holds(row: Row, situation: Situation, terms: Terms, questions: Mapping[Fact, FactQuestion]) -> bool | None:
    """Whether a row's conditions hold: True, False, or None where a fact that can be asked for is unknown."""
    unknown = False
    for fact, condition in row.when.items():
        known = situation.facts.get(fact)
        if known is None:
            if not questions[fact].asked:
                return False
            unknown = True
        elif isinstance(condition, Mapping):
            if not all(compare(Decimal(known), bound, limit_of(limit, terms)) for bound, limit in condition.items()):
                return False
        elif known not in condition:
            return False
    return None if unknown else True


def reach(rows: Iterable[Row], situation: Situation, terms: Terms, questions: Mapping[Fact, FactQuestion]) -> Reach:
    """The rows that may still apply, up to the first that certainly does."""
    possible: list[Row] = []
    missing: list[Fact] = []
    for row in rows:
        held = holds(row, situation, terms, questions)
        if held is False:
            continue
        possible.append(row)
        if held:
            break
        missing += [fact for fact in row.when if fact not in situation.facts and fact not in missing]
    return Reach(tuple(possible), tuple(missing))


def filled(text: str, situation: Situation, questions: Mapping[Fact, FactQuestion]) -> str:
    """A row's sentence with the facts of the situation put in by their labels."""
    words = {}
    for fact, question in questions.items():
        labels = {choice.value: choice.label for choice in question.choices}
        value = situation.facts.get(fact, question.label)
        if question.kind == "number" and fact in situation.facts and is_beside_a_bound(value):
            value = "お尋ねのとおり"
        words[fact.name.lower()] = labels.get(value, value)
    return text.format_map(words)


def fact_words(question: FactQuestion, value: str) -> str:
    """A fact's value as it is shown: a choice by its label, a number behind the fact's own (財政力指数0.6)."""
    if question.kind == "number":
        if not is_beside_a_bound(value):
            return f"{question.label}{value}"
        whole = Decimal(value).quantize(Decimal(1))
        return f"{question.label}{whole}{'未満' if Decimal(value) < whole else '超'}"
    return next((choice.label for choice in question.choices if choice.value == value), value)


BESIDE = Decimal("0.000001")
"""How far "below 1" (1未満) stands from 1 for the rules: nearer than any index, so that it is not shown as one."""


def is_beside_a_bound(number: str) -> bool:
    """Whether a number stands for "below 1" or "above 1": finer than any that is written."""
    exponent = Decimal(number).as_tuple().exponent
    return isinstance(exponent, int) and exponent < -5


def decide(terms: Terms, subject: Subject, situation: Situation, questions: Mapping[Fact, FactQuestion]) -> Ruling:
    """The verdict of a program's decision table (応募できるか, もう一度派遣を申請できるか).

    Settled when every row still possible has the same verdict; otherwise the facts that decide are named.
    """
    reached = reach(terms.rows.get(subject, ()), situation, terms, questions)
    if not reached.rows:
        return not_stated(terms, subject)
    outcomes = {(row.verdict, row.not_stated) for row in reached.rows}
    if reached.missing and len(outcomes) > 1:
        needs = next((row.needs for row in reached.rows if row.needs), "")
        return Ruling(
            terms.program,
            subject,
            Outcome.NEEDS_FACTS,
            filled(needs, situation, questions),
            missing=reached.missing,
            evidence=reached.rows[0].evidence,
            fiscal_year=terms.fiscal_year,
        )
    # Of several rows with one outcome, the one that speaks of most of what is known; of those, the last.
    row = max(reversed(reached.rows), key=lambda row: len(row.when.keys() & situation.facts.keys()))
    return Ruling(
        terms.program,
        subject,
        Outcome.NOT_STATED if row.not_stated else Outcome.SETTLED,
        filled(row.says, situation, questions),
        verdict=row.verdict,
        evidence=row.evidence,
        fiscal_year=terms.fiscal_year,
    )


def state(terms: Terms, subject: Subject) -> Ruling:
    """What the documents say of a figure or a condition that hangs on nothing (全体予算, 期間, 公募回数, 費用)."""
    rows = terms.rows.get(subject, ())
    if not rows:
        return not_stated(terms, subject)
    return Ruling(
        terms.program,
        subject,
        Outcome.SETTLED,
        "".join(row.says for row in rows),
        value=rows[0].value if len(rows) == 1 else None,
        unit=rows[0].unit,
        evidence=tuple(evidence for row in rows for evidence in row.evidence),
        fiscal_year=terms.fiscal_year,
        brief=in_brief(rows),
        compares_as=rows[0].compares_as,
    )


def in_brief(rows: Iterable[Row]) -> str:
    """What rows say in a few words; "" where they have none."""
    return "、".join(row.brief for row in rows if row.brief)


def overview(terms: Terms, subject: Subject) -> Ruling:
    """What is said to those who ask in general, for nobody's case."""
    quoted = dict.fromkeys(evidence for row in terms.rows.get(subject, ()) for evidence in row.evidence)
    return Ruling(
        terms.program,
        subject,
        Outcome.SETTLED,
        terms.parameters[subject].overview,
        brief=terms.parameters[subject].brief,
        evidence=tuple(quoted)[:3],
        fiscal_year=terms.fiscal_year,
    )


def not_stated(terms: Terms, subject: Subject) -> Ruling:
    """The documents are silent; the parameter's own words say what they do give nearby."""
    parameter = terms.parameters.get(subject)
    return Ruling(
        terms.program,
        subject,
        Outcome.NOT_STATED,
        parameter.not_stated_says if parameter else "",
        fiscal_year=terms.fiscal_year,
    )
