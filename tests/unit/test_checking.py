"""The form of the eligibility check asks what the rules need, and ends in their ruling, for every way through it."""

from datetime import date

import pytest

from bot.checking import check, next_question
from bot.types import AnswerStatus
from knowledge.catalog import load_catalog
from knowledge.rules.tables import decide, terms_on
from knowledge.types import Fact, Outcome, Situation, Subject

DAY = date(2025, 6, 10)
CATALOG = load_catalog()


def stated_on(program):
    """A day on which the program's documents are in force."""
    return max(DAY, date(min(program.verified_years), 4, 1))


def ways(program, facts):
    """Every combination of answers that leads to an end."""
    question = next_question(program, facts, CATALOG, stated_on(program))
    if question is None:
        yield facts
        return
    assert question.fact not in facts
    for choice in question.choices:
        yield from ways(program, {**facts, question.fact: choice.value})


@pytest.mark.parametrize("program", CATALOG.programs.values(), ids=lambda program: program.id)
def test_every_way_through_the_form_ends_in_the_ruling_of_the_rules(program):
    for facts in ways(program, {}):
        answer, conversation = check(program, facts, CATALOG, (), stated_on(program))
        ruling = decide(terms_on(program, stated_on(program)), Subject.ELIGIBILITY, Situation(facts), CATALOG.facts)
        assert ruling.outcome is not Outcome.NEEDS_FACTS
        assert ruling.says in answer.text
        assert answer.verdict == ruling.verdict
        assert answer.status is not AnswerStatus.NEEDS_INFO
        assert conversation.facts == facts


def test_what_can_be_tapped_for_a_number_comes_from_the_limits_of_the_table():
    question = next_question(CATALOG.programs["keikaku"], {Fact.APPLICANT_KIND: "municipality"}, CATALOG, DAY)
    assert [(choice.label, choice.value) for choice in question.choices] == [("1未満", "0.999999"), ("1以上", "1")]


def test_only_what_still_matters_is_asked():
    suishin = CATALOG.programs["suishin"]
    asked = next_question(suishin, {Fact.APPLICANT_KIND: "prefecture"}, CATALOG, DAY)
    assert asked.fact is Fact.PAST_SELECTION
    assert (
        next_question(suishin, {Fact.APPLICANT_KIND: "prefecture", Fact.PAST_SELECTION: "never"}, CATALOG, DAY) is None
    )
    assert next_question(suishin, {Fact.APPLICANT_KIND: "municipality"}, CATALOG, DAY) is None
