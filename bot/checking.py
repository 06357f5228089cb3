"""The eligibility check as a form: which fact is asked for next, and what can be tapped, both read from the rules.

A program's decision table says which facts it turns on and in which order, so a new program has its form at once.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any

from bot.composing import compose
from bot.deciding import decide_all
from bot.types import Answer, AnswerStatus, Conversation, Findings, Inquiry, Understanding, UnknownFactsError
from knowledge.catalog import Catalog
from knowledge.conflicts import Conflict
from knowledge.rules.tables import BESIDE, decide, limit_of, terms_on
from knowledge.types import Bound, Choice, Fact, Outcome, Program, Situation, Subject, Terms, Unit

_BELOW: tuple[Bound, ...] = ("below", "at_least")
"""The bounds whose limit itself belongs to the upper side."""


@dataclass(frozen=True)
class NextQuestion:
    """The fact that decides next, how it is asked for, every answer that can be tapped, and what may decide later."""

    fact: Fact
    text: str
    choices: tuple[Choice, ...]
    later: tuple[Fact, ...] = ()


def read_facts(given: Any, catalog: Catalog) -> dict[Fact, str]:
    """Facts as a button or a form hands them back.

    Raises:
        UnknownFactsError: a name, or a value, is none of today's.
    """
    try:
        facts = {Fact(name): value for name, value in given.items()}
        for fact, value in facts.items():
            if choices := catalog.facts[fact].choices:
                known = value in {choice.value for choice in choices}
            else:
                known = Decimal(value).is_finite()
            if not known:
                raise UnknownFactsError(fact)
    except (AttributeError, KeyError, TypeError, ValueError, InvalidOperation) as error:
        raise UnknownFactsError from error
    return facts


def next_question(program: Program, facts: Mapping[Fact, str], catalog: Catalog, day: date) -> NextQuestion | None:
    """What has to be known next to say whether a body can apply on a day; None when the rules have decided."""
    terms = terms_on(program, max(day, date(min(program.verified_years), 4, 1)))
    ruling = decide(terms, Subject.ELIGIBILITY, Situation(facts), catalog.facts)
    if ruling.outcome is not Outcome.NEEDS_FACTS:
        return None
    first, *later = ruling.missing
    asked = catalog.facts[first]
    return NextQuestion(first, asked.question, asked.choices or _bands(first, terms), tuple(later))


def _bands(fact: Fact, terms: Terms) -> tuple[Choice, ...]:
    """The stretches of a number between the limits that the table compares it with, named by their ends."""
    compared = {
        (limit_of(limit, terms), bound in _BELOW)
        for row in terms.rows[Subject.ELIGIBILITY]
        if isinstance(condition := row.when.get(fact), Mapping)
        for bound, limit in condition.items()
    }
    choices: list[Choice] = []
    lower = ""
    for limit, belongs_above in sorted(compared):
        under = f"{limit}未満" if belongs_above else f"{limit}以下"
        last = limit - BESIDE if belongs_above else limit
        choices.append(Choice(lower + under, str(last)))
        lower = f"{limit}以上" if belongs_above else f"{limit}超"
    first = limit if belongs_above else limit + BESIDE
    return (*choices, Choice(lower, str(first)))


def check(
    program: Program, facts: Mapping[Fact, str], catalog: Catalog, conflicts: tuple[Conflict, ...], day: date
) -> tuple[Answer, Conversation]:
    """A step of the form: what is asked next, or the answer, and the conversation that goes on from it.

    The facts go to the rules as they were tapped: no words are read, so nothing can be misread.
    """
    text = f"{program.name}の対象になりますか"
    conversation = Conversation(program.id, facts, (Subject.ELIGIBILITY,), question=text)
    answer = decide_case(StatedCase(program.id, Subject.ELIGIBILITY, facts), catalog, conflicts, day)
    return answer, replace(conversation, asked_for=answer.missing[0] if answer.missing else None)


@dataclass(frozen=True)
class StatedCase:
    """A case as a machine puts it to the rules, and not a person in words. `program` is an id.

    `amount` is held against a cap, or a number of calls, in the unit given. `days` is the first and last day of what is
    asked about: of applying, or where a report or a questionnaire is asked about, of the visit's end.
    """

    program: str
    subject: Subject
    facts: Mapping[Any, Any]
    amount: Decimal | None = None
    unit: Unit | None = None
    days: tuple[date, date] | None = None


_AFTER_THE_END = (Subject.REPORT_DUE, Subject.QUESTIONNAIRE)


def decide_case(case: StatedCase, catalog: Catalog, conflicts: tuple[Conflict, ...], day: date) -> Answer:
    """What the rules say to a case on a day, as any channel would be answered, or the fact that is asked for next.

    Raises:
        UnknownFactsError: of a program, fact or value that is none of today's.
    """
    if case.program not in catalog.programs:
        raise UnknownFactsError(case.program)
    program, subject, facts = catalog.programs[case.program], case.subject, read_facts(case.facts, catalog)
    if subject is Subject.ELIGIBILITY and (asked := next_question(program, facts, catalog, day)):
        missing = (asked.fact, *asked.later)
        return Answer(asked.text, AnswerStatus.NEEDS_INFO, missing=missing, choices=asked.choices)
    ended = subject in _AFTER_THE_END
    text = f"{program.name} {subject}"
    understanding = Understanding(
        text,
        (program.id,),
        True,
        (subject,),
        facts,
        Situation(facts, case.amount, case.unit),
        signs=frozenset() if case.amount is None else frozenset(("can_we",)),
        days=None if ended else case.days,
        ended_on=case.days if ended else None,
    )
    inquiry = Inquiry(text, day)
    rulings = decide_all(understanding, (program.id,), inquiry, catalog)
    return compose(rulings, Findings((program.id,), (subject,)), understanding, inquiry, catalog, conflicts)
