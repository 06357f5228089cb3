"""Grades answers against what the oracle allows."""

import re
from dataclasses import dataclass
from typing import Any, Literal

from tests.compose.composing import Conversation
from tests.compose.figures import made_alike
from tests.compose.oracle import said
from tests.compose.wording import WORDS

Grade = Literal["wrong", "no help", "needless", "lacking", "helpful"]
GRADES: tuple[Grade, ...] = ("wrong", "no help", "needless", "lacking", "helpful")


@dataclass(frozen=True)
class Graded:
    """A conversation, what was answered, and how good that is.

    wrong: a flat verdict that is not right, or a figure that is not right.
    no help: unknown or off topic where the document answers, an error, or the program asked for that was named.
    needless: asks for what was said, or for what decides nothing.
    lacking: not false, but without the verdict or the figure that the document gives.
    helpful: as it should be.
    """

    conversation: Conversation
    answer: dict[str, Any]
    grade: Grade
    why: str


def grade(conversation: Conversation, answer: dict[str, Any]) -> Graded:
    """Grades one answer (a line of `python -m bot ask --batch`)."""
    result, why = _grade(conversation, answer)
    return Graded(conversation, answer, result, why)


def _grade(conversation: Conversation, answer: dict[str, Any]) -> tuple[Grade, str]:
    allowed = conversation.outcome
    verdict, status, text = answer["verdict"], answer["status"], made_alike(answer["text"])
    if verdict in ("eligible", "ineligible") and verdict not in allowed.verdicts:
        return "wrong", f"the verdict {verdict} is not right"
    lacks = [group for group in allowed.figures if not any(_stands(figure, text) for figure in group)]
    told = {made_alike(turn) for turn in conversation.turns}
    false = [figure for figure in allowed.never if _stands(figure, text) and not any(figure in turn for turn in told)]
    if false and (lacks or not allowed.figures):
        return "wrong", f"gives {' '.join(false)}"
    missing = {WORDS.fact(name) for name in answer["missing"]}
    if status == "error" or "program" in missing:
        return "no help", f"status {status}, misses {sorted(missing)}"
    if status in ("unknown", "offtopic") and not (allowed.silent and status == "unknown"):
        return "no help", f"status {status}"
    if status == "needs_info":
        if allowed.settled or allowed.verdicts == {None}:
            return "needless", f"asks for {sorted(missing)} though nothing is open"
        if known := missing & said(conversation.case):
            return "needless", f"asks for {sorted(known)}, which was said"
        if beside := missing - allowed.asks:
            return "needless", f"asks for {sorted(beside)}, which decides nothing"
    if lacks:
        return "lacking", f"does not give {' '.join(group[0] for group in lacks)}"
    if verdict not in allowed.verdicts:
        return "lacking", f"the verdict is {verdict}"
    return "helpful", ""


def _stands(figure: str, text: str) -> bool:
    return re.search(rf"(?<!\d){re.escape(figure)}(?!\d)", text) is not None
