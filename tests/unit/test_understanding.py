"""What a message says, in the light of those before it: understanding.yaml, one test for each row."""

from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from bot.answering import Knowledge, answer
from bot.types import Conversation, Inquiry, Understanding
from bot.understanding import understand
from knowledge.catalog import read_yaml
from knowledge.figures import format_number
from knowledge.types import Fact

USUAL_DAY = "2025-06-10"
NOTHING = "なし"
ROWS = read_yaml(Path(__file__).with_name("understanding.yaml"))


def name_of(row: Mapping[str, Any]) -> str:
    said = " → ".join((*row.get("before", ()), row["message"]))
    return f"{said} [{row['today']}]" if "today" in row else said


def understood(row: Mapping[str, Any], knowledge: Knowledge) -> Understanding:
    today = date.fromisoformat(row.get("today", USUAL_DAY))
    conversation = Conversation()
    for message in row.get("before", ()):
        _, conversation = answer(Inquiry(message, today, conversation), knowledge)
    return understand(Inquiry(row["message"], today, conversation), knowledge.catalog)


@pytest.mark.parametrize("row", [pytest.param(row, id=name_of(row)) for row in ROWS])
def test_message(row: Mapping[str, Any], knowledge: Knowledge) -> None:
    read = understood(row, knowledge)
    if "programs" in row:
        assert list(read.programs) == row["programs"]
    if "subjects" in row:
        assert set(read.subjects) == set(row["subjects"])
    known = {fact.value: value for fact, value in read.situation.facts.items()}
    assert {fact: known.get(fact) for fact in row.get("facts", {})} == row.get("facts", {})
    assert not {Fact(fact) for fact in row.get("unknown", ())} & read.situation.facts.keys()
    if "amount" in row:
        amount, unit = read.situation.amount, read.situation.amount_unit
        assert (NOTHING if amount is None else f"{format_number(amount)} {unit}") == row["amount"]
    if "days" in row:
        assert " ".join(day.isoformat() for day in read.days or ()) == row["days"]
    if "year" in row:
        assert str(read.fiscal_year or NOTHING) == row["year"]


def test_no_row_is_written_twice() -> None:
    assert len({name_of(row) for row in ROWS}) == len(ROWS)
