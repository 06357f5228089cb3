"""Every programs/*/cases.yaml: both sides of each bound, in a form that an official can add to."""

from datetime import date
from decimal import Decimal

import pytest

from knowledge.catalog import KNOWLEDGE, load_catalog, read_yaml
from knowledge.rules.caps import decide_cap
from knowledge.rules.dates import decide_questionnaire, decide_report_due, decide_window
from knowledge.rules.tables import decide, state, terms_on
from knowledge.types import Fact, Ruling, Situation, Subject

CASES = [
    pytest.param(file.parent.name, case, id=f"{file.parent.name}: {case['name']}")
    for file in sorted((KNOWLEDGE / "programs").glob("*/cases.yaml"))
    for case in read_yaml(file)
]


def rule_on(program_id: str, case: dict) -> Ruling:
    catalog = load_catalog()
    as_of = date.fromisoformat(case["as_of"])
    terms = terms_on(catalog.programs[program_id], as_of)
    amount = case.get("amount")
    situation = Situation(
        {Fact(fact): value for fact, value in case["facts"].items()},
        Decimal(amount["value"]) if amount else None,
        amount["unit"] if amount else None,
    )
    ended_on = date.fromisoformat(case["ended_on"]) if "ended_on" in case else as_of
    match Subject(case["rule"]):
        case Subject.ELIGIBILITY | Subject.REPEAT as subject:
            return decide(terms, subject, situation, catalog.facts)
        case Subject.CAP:
            return decide_cap(terms, situation, catalog.facts)
        case Subject.WINDOW:
            return decide_window(terms, as_of, as_of)
        case Subject.REPORT_DUE:
            return decide_report_due(terms, ended_on)
        case Subject.QUESTIONNAIRE:
            return decide_questionnaire(terms, ended_on)
        case subject:
            return state(terms, subject)


@pytest.mark.parametrize(("program_id", "case"), CASES)
def test_case(program_id: str, case: dict) -> None:
    ruling = rule_on(program_id, case)
    expect = case["expect"]
    assert ruling.outcome == expect["outcome"], ruling
    assert ruling.verdict == expect.get("verdict"), ruling
    if "missing" in expect:
        assert list(ruling.missing) == expect["missing"]
    if "value" in expect:
        assert str(ruling.value) == expect["value"]
    assert ruling.evidence or ruling.outcome == "not_stated"
    assert "{" not in ruling.says
