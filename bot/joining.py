"""Puts the answers to the several things that a message asks into one."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from bot import replies
from bot.composing import STRICTNESS, last_lines, lay_out, repeats
from bot.types import Answer, AnswerPart, AnswerStatus, Findings, Understanding, Understood
from knowledge.catalog import Catalog

_STATUSES = (AnswerStatus.NEEDS_INFO, AnswerStatus.ANSWERED, AnswerStatus.UNKNOWN)
"""Which status leads: a part that lacks a fact is asked about, whatever the others say."""


@dataclass(frozen=True)
class PartialAnswer:
    """The answer to one thing that a message asks, of `program` where it is of one, and what it was made from.

    `label` names the body or the claim that it is of, or the question that it leaves open; "" for none.
    """

    label: str
    program: str
    answer: Answer
    understanding: Understanding | None = None
    findings: Findings | None = None


def join(answered: Sequence[PartialAnswer], asked: str, catalog: Catalog) -> Answer:
    """One answer to a message (`asked`): each part in order of asking, what is missing, and all sources once."""
    answers = [one.answer for one in answered]
    open_one = next((answer for answer in answers if answer.missing), None)
    missing, choices = (open_one.missing, open_one.choices) if open_one else ((), ())
    asks = [(open_one.asks if open_one else "") or catalog.facts[fact].question for fact in missing[:1]]
    said = [said_by(one) for one in answered]
    contacts = _contacts(said, catalog)
    lines: list[str] = []
    for one, text in zip(answered, said, strict=True):
        told = _without(contacts, text)
        lines.append(told if one.label else _what_is_new(told, lines))
    taken = [label for one in answered if not one.label for label in one.answer.taken]
    citations = tuple(dict.fromkeys(citation for answer in answers for citation in answer.citations))
    basis = "".join(dict.fromkeys(answer.basis for answer in answers))
    statuses = {answer.status for answer in answers}
    below = (*contacts, *_elsewhere(answered), *last_lines(taken, asks))
    return Answer(
        text=lay_out((*lines, *below), citations, basis),
        status=next((status for status in _STATUSES if status in statuses), AnswerStatus.UNKNOWN),
        verdict=min((answer.verdict for answer in answers), key=STRICTNESS.index),
        missing=missing,
        citations=citations,
        rulings=tuple(dict.fromkeys(ruling for answer in answers for ruling in answer.rulings)),
        choices=choices,
        suggestions=() if missing else _suggested(answers),
        understood=tuple(_understood(answers, asked)),
        parts=tuple(part for one in answered for part in one.answer.parts or (_part(one),)),
    )


def said_by(one: PartialAnswer) -> str:
    """What a part says; behind the name of its body stands the case that it was taken for."""
    lines = one.answer.lines or (() if one.answer.missing and not one.label else (one.answer.text,))
    return replies.of_one(one.label, one.answer.taken, "".join(lines)) if one.label else "\n".join(lines)


def _what_is_new(text: str, before: Sequence[str]) -> str:
    """What a part says without what parts before it say.

    Of a line the first sentence stands, unless it was said in these very words and the others bring nothing new.
    """
    lines = []
    for line in text.splitlines():
        first, *others = re.findall("[^。]+(?:。|$)", line) or [""]
        new = [sentence for sentence in others if not repeats(sentence, before)]
        if new or not any(first in said for said in before):
            lines.append("".join((first, *new)))
    return "\n".join(lines)


def _contacts(said: Iterable[str], catalog: Catalog) -> tuple[str, ...]:
    """Whom to ask about what is open, each once."""
    whole = "\n".join(said)
    asks = (replies.whom_to_ask(contact) for contact in ("", *(p.contact for p in catalog.programs.values())))
    return tuple(dict.fromkeys(ask for ask in asks if ask in whole))


def _without(contacts: Iterable[str], text: str) -> str:
    for contact in contacts:
        text = text.replace(contact, "")
    return text.strip("\n")


def _elsewhere(answered: Sequence[PartialAnswer]) -> tuple[str, ...]:
    """What else fits who is left out: said of one body, and not where another program was asked about too."""
    if any(one.label or one.answer.parts for one in answered) or len({one.program for one in answered} - {""}) > 1:
        return ()
    return tuple(one.answer.elsewhere for one in answered)


def _suggested(answers: Sequence[Answer]) -> tuple[str, ...]:
    """What no part has answered."""
    offered = [answer.suggestions for answer in answers if answer.suggestions]
    return tuple(text for text in offered[0] if all(text in others for others in offered)) if offered else ()


def _understood(answers: Sequence[Answer], asked: str) -> Iterable[Understood]:
    """The facts with their places in the whole message."""
    for fact in dict.fromkeys(replace(fact, start=-1, end=-1) for answer in answers for fact in answer.understood):
        start = asked.find(fact.text) if fact.text else -1
        yield replace(fact, start=start, end=start + len(fact.text)) if start >= 0 else replace(fact, text="")


def _part(one: PartialAnswer) -> AnswerPart:
    answer = one.answer
    subject = answer.rulings[0].subject if answer.rulings else ""
    return AnswerPart(one.program, subject, answer.status, answer.verdict, said_by(one).removeprefix("・"))
