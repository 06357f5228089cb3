"""Minimal pairs: of two messages one thing differs, and the verdict turns with it or stays (pairs.yaml).

`pytest tests/golden/test_pairs.py -s` prints what is answered otherwise.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from bot.answering import Knowledge, answer
from bot.types import Answer, Inquiry
from knowledge.catalog import read_yaml
from knowledge.types import Verdict

AS_OF = date(2026, 5, 11)
ROWS = read_yaml(Path(__file__).with_name("pairs.yaml"))
FLAT = {Verdict.ELIGIBLE, Verdict.INELIGIBLE}

WRONG = 0.02
"""The share of messages with a wrong verdict, as measured; none is wanted."""
RIGHT = 0.88
"""The share that is answered as the row says, as measured; the others are asked for what they say, or not helped."""


def outcome(wanted: str, needs: list[str] | None, given: Answer) -> str:
    """Whether an answer is right, wrong (a verdict that the row does not have), or of no help."""
    says = any(phrase in given.text for phrase in needs or [""])
    if wanted in FLAT:
        if given.verdict in FLAT:
            return "right" if given.verdict == wanted else "wrong"
        told = bool(needs) and says and given.status == "answered"
        return "right" if told or (wanted == Verdict.ELIGIBLE and given.verdict) else "no help"
    if given.verdict in FLAT and wanted != "stated":
        return "wrong"
    helps = {
        "conditional": given.verdict is not None,
        "unknown": given.verdict is not None or given.status in ("needs_info", "unknown"),
        "not_stated": given.status == "unknown" or "記載がありません" in given.text,
        "stated": given.status == "answered" and says,
    }
    return "right" if helps[wanted] else "no help"


def asked(knowledge: Knowledge) -> Iterator[tuple[Mapping[str, Any], str, str, Answer]]:
    for row in ROWS:
        for side in ("a", "b"):
            given, _ = answer(Inquiry(row[side], AS_OF), knowledge)
            yield row, side, outcome(row[f"{side}_verdict"], row.get(f"{side}_needs"), given), given


def test_verdicts_turn_with_what_differs_and_with_nothing_else(knowledge: Knowledge) -> None:
    counts: Counter[str] = Counter()
    for row, side, came, given in asked(knowledge):
        counts[came] += 1
        if came != "right":
            got = f"{given.status}, {given.verdict}"
            print(f"{came} ({row['kind']}): {row[side]} | {row[f'{side}_verdict']} | {got}: {given.text[:120]!r}")
    print(dict(counts))
    assert counts["wrong"] <= WRONG * counts.total()
    assert counts["right"] >= RIGHT * counts.total()


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row["a"])
def test_a_row_is_a_pair(row: Mapping[str, Any]) -> None:
    assert row["a"] != row["b"]
    assert {row["a_verdict"], row["b_verdict"]} <= {*Verdict, "unknown", "not_stated", "stated"}
