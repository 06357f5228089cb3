"""Which questions a message asks: questions.yaml, one test for each row."""

from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from bot.understanding.message import read_message
from bot.understanding.parting import questions_of
from knowledge.catalog import read_yaml

ROWS = read_yaml(Path(__file__).with_name("questions.yaml"))


@pytest.mark.parametrize("row", [pytest.param(row, id=row["message"]) for row in ROWS])
def test_a_message_asks_these(row: Mapping[str, Any]) -> None:
    message = read_message(row["message"], date(2025, 6, 10))
    assert [question.text for question in questions_of(message)] == row["asks"]
