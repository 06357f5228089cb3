"""What must be answered: answers.yaml, dialogs.yaml for conversations, towns.yaml; one test for each row."""

from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from bot.answering import Knowledge, answer
from bot.types import Answer, Conversation, Inquiry
from knowledge.catalog import read_yaml

USUAL_DAY = "2025-06-10"
FILES = ("answers.yaml", "dialogs.yaml", "towns.yaml")
ROWS = [row for name in FILES for row in read_yaml(Path(__file__).with_name(name))]


def turns_of(row: Mapping[str, Any]) -> list[str]:
    """The messages of a row; an empty one is read from YAML as None."""
    return list(row["turns"]) if "turns" in row else [row["ask"] or ""]


def name_of(row: Mapping[str, Any]) -> str:
    said = " → ".join(turns_of(row)) or "(empty)"
    return f"{said} [{row['today']}]" if "today" in row else said


def allowed(expected: Any) -> list[Any]:
    """The values that a row allows for a field; なし is None."""
    listed = expected if isinstance(expected, list) else [expected]
    return [None if value == "なし" else value for value in listed]


def answer_to(turns: list[str], today: date, knowledge: Knowledge) -> Answer:
    conversation = Conversation()
    answered: Answer | None = None
    for turn in turns:
        answered, conversation = answer(Inquiry(turn, today, conversation), knowledge)
    assert answered is not None
    return answered


def part_of(part: Mapping[str, Any]) -> str:
    """What a part is of, and how it ended: keikaku cost answered, adviser eligibility answered eligible."""
    fields = (part["program"], part["subject"], part["status"], part["verdict"])
    return " ".join(str(field) for field in fields if field is not None)


@pytest.mark.parametrize("row", [pytest.param(row, id=name_of(row)) for row in ROWS])
def test_answer(row: Mapping[str, Any], knowledge: Knowledge) -> None:
    given = answer_to(turns_of(row), date.fromisoformat(row.get("today", USUAL_DAY)), knowledge)
    if "status" in row:
        assert given.status in allowed(row["status"]), given.text
    if "verdict" in row:
        assert given.verdict in allowed(row["verdict"]), given.text
    if "missing" in row:
        assert list(given.missing[:1]) == [row["missing"]], given.text
    if "choices" in row:
        assert [choice.label for choice in given.choices] == row["choices"], given.text
    for phrase in row.get("says", ()):
        assert any(part in given.text for part in phrase.split("|")), f"{phrase} is not said: {given.text}"
    for phrase in row.get("never", ()):
        assert phrase not in given.text, f"{phrase} is said: {given.text}"
    if "parts" in row:
        assert [part_of(part) for part in given.as_json()["parts"]] == row["parts"], given.text
    if "cites" in row:
        assert row["cites"] in {citation.program for citation in given.citations}, given.text


def test_no_row_is_written_twice() -> None:
    assert len({name_of(row) for row in ROWS}) == len(ROWS)
