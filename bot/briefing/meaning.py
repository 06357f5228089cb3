"""Reads what a question means, as far as it takes to tell whether another one asks the same."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from decimal import Decimal, InvalidOperation
from functools import cache
from pathlib import Path

import yaml

from bot.answering import Knowledge, consider
from bot.briefing.merging import Meaning
from bot.matching import FAQ_FITS, nearest_entries
from bot.types import Answer, AnswerStatus, Conversation, Inquiry, Understanding
from bot.understanding import beside_names, understand
from bot.understanding.message import read_message
from bot.understanding.talks import ASKED_TOO, HARDLY, read_talk
from knowledge.figures import Dimension, Figure, fiscal_year_of
from knowledge.matters import encode_meanings
from knowledge.rules.tables import rows_of
from knowledge.talks import TalkRead
from knowledge.talks.asked import OUTSIDE, asked_by, programs_of_asked
from knowledge.types import Fact, Outcome

_COUNTED = frozenset(
    {Dimension.YEN, Dimension.DAY, Dimension.HOUR, Dimension.MONTH, Dimension.PERCENT, Dimension.NUMBER}
)
"""Figures that a question turns on; counters (1件, 3つの支援) are turns of speech as often."""

_TAKEN_FOR_GRANTED = frozenset({"meeting_mode=on_site", "fiscal_year=same", "same_project=same", "partnership=joint"})
"""What is meant as well where it is not said: 現地で, 同じ年度に, 同じ取組で, 市町村と."""


def read_meaning(inquiry: Inquiry, answer: Answer, knowledge: Knowledge) -> tuple[Meaning, bool]:
    """What a question means, given the answer that it got, and whether it replies to what was asked back."""
    catalog = knowledge.catalog
    inquiry = _by_itself(inquiry, answer, knowledge)
    understanding = understand(inquiry, catalog)
    talk = read_talk((*inquiry.conversation.messages, inquiry.text))
    beside = beside_names(understanding.text, catalog.programs.values()) or understanding.text
    ruled = _ruled(answer)
    asks = {subject for subject, _ in understanding.asked}
    of_its_own = not asks <= set(inquiry.conversation.subjects)
    replies = understanding.continues and inquiry.conversation.asked_for in understanding.said and not of_its_own
    meaning = Meaning(
        frozenset(understanding.programs) or frozenset(ruling.program for ruling in answer.rulings),
        ruled or _found(understanding, answer, beside, talk, knowledge),
        bool(ruled),
        _asked(talk),
        _case(inquiry, understanding, answer, knowledge),
        knowledge.searcher.terms(understanding.text),
        encode_meanings([beside])[0],
    )
    return meaning, replies


def _by_itself(inquiry: Inquiry, answer: Answer, knowledge: Knowledge) -> Inquiry:
    """The question without what was said before it, where it is answered the same so: it then hangs on none of that."""
    before = inquiry.conversation
    alone = replace(inquiry, conversation=Conversation(language=before.language))
    replies = before.asked_for in understand(inquiry, knowledge.catalog).said
    if alone == inquiry or (replies and not read_message(inquiry.text, inquiry.as_of).asking):
        return inquiry
    considered = consider(alone, knowledge)
    without = considered.answer
    unstated = {entry.not_stated for entry in considered.findings.silences} if considered.findings else set[str]()
    silent = without.status is answer.status is AnswerStatus.UNKNOWN  # whichever program was asked to say so,
    silent = silent and len(unstated) < 2  # but not where each would say it of something else
    same = without.rulings == answer.rulings if answer.rulings else silent or without.text == answer.text
    return alone if same else inquiry


def _ruled(answer: Answer) -> frozenset[str]:
    """The subjects that rules decided; what they leave open counts only where nothing else was asked."""
    several = len({ruling.program for ruling in answer.rulings}) > 1
    left_open = (Outcome.NOT_STATED, Outcome.NEEDS_FACTS) if several else (Outcome.NOT_STATED,)
    decided = [ruling for ruling in answer.rulings if ruling.outcome not in left_open]
    return frozenset(f"{ruling.program}/{ruling.subject}" for ruling in decided or (() if several else answer.rulings))


def _asked(talk: TalkRead) -> frozenset[str]:
    """What the question likely asks of ours (knowledge/talks/asked.py), whatever its answer rests on."""
    if talk.asked[OUTSIDE] >= ASKED_TOO:
        return frozenset()
    of = programs_of_asked()
    return frozenset(name for name, share in talk.asked.items() if share >= ASKED_TOO and of[name])


def _found(
    understanding: Understanding, answer: Answer, beside: str, talk: TalkRead, knowledge: Knowledge
) -> frozenset[str]:
    """The entry of the FAQ that the question is taken for; none that its words hardly ask."""
    if answer.status in (AnswerStatus.OFFTOPIC, AnswerStatus.ERROR):
        return frozenset()
    program = understanding.programs[0] if len(understanding.programs) == 1 else ""
    entries = nearest_entries(understanding.text, beside, program, knowledge.catalog, knowledge.searcher)
    sure = [match for match in entries if match.score >= FAQ_FITS and (program or match.certain)]
    return frozenset(
        f"{match.program}/{match.entry.id}"
        for match in sure[:1]
        if talk.asked.get(asked_by(match.program, match.entry), 1.0) >= HARDLY
    )


def _case(inquiry: Inquiry, understanding: Understanding, answer: Answer, knowledge: Knowledge) -> frozenset[str]:
    """The facts that the rules turn on, each mark of what tells questions apart, and the figures."""
    programs = [knowledge.catalog.programs[id] for id in knowledge.catalog.programs if id in understanding.programs]
    known = {fact.slot: _number(fact.value) for fact in understanding.understood}
    read = {f"{slot}={value}" for slot, value in known.items()}
    told = {fact.slot for fact in understanding.understood if fact.text}
    message = read_message(inquiry.text, inquiry.as_of)
    said = {concept for mention in message.mentions for concept in mention.concepts}
    ruled_by = {fact for program in programs for row in rows_of(program) for fact in row.when}
    case: set[str] = set()
    for mark in read_marks():
        read_of_mark = read & mark.facts
        slots = {Fact(fact.partition("=")[0]) for fact in mark.facts}
        by_word = said & mark.concepts and not slots & told and (not slots or slots & ruled_by)
        if read_of_mark or by_word or any(word in message.text for word in mark.words):
            case.add(mark.name)
            read -= read_of_mark
    turned_on = {
        fact
        for ruling in answer.rulings
        for row in rows_of(knowledge.catalog.programs[ruling.program], ruling.subject)
        for fact in row.when
    }
    case |= {fact for fact in read - _TAKEN_FOR_GRANTED if Fact(fact.partition("=")[0]) in turned_on}
    year = understanding.fiscal_year
    if year not in (None, fiscal_year_of(inquiry.as_of)):
        case.add(f"year={year}")
    return frozenset({*case, *_figures(understanding.figures, Fact.FISCAL_INDEX in known)})


def _figures(figures: Iterable[Figure], index_is_known: bool) -> Iterable[str]:
    for figure in figures:
        if figure.dimension in _COUNTED and not (figure.dimension is Dimension.NUMBER and index_is_known):
            yield f"{_number(str(figure.value))} {figure.dimension}"


def _number(value: str) -> str:
    try:
        return format(Decimal(value).normalize(), "f")
    except InvalidOperation:
        return value


@dataclass(frozen=True)
class Mark:
    """What tells questions apart that look alike, and the facts, concepts and words that give it."""

    name: str
    facts: frozenset[str]
    concepts: frozenset[str]
    words: tuple[str, ...]


@cache
def read_marks() -> tuple[Mark, ...]:
    """Reads telling_apart.yaml."""
    written = yaml.load((Path(__file__).parent / "telling_apart.yaml").read_text(encoding="utf-8"), yaml.CSafeLoader)
    return tuple(
        Mark(
            name, frozenset(given.get("facts", ())), frozenset(given.get("concepts", ())), tuple(given.get("words", ()))
        )
        for name, given in written.items()
    )
