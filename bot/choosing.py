"""Sentences of the sources that a chat model points to, for questions that one ruling or passage does not answer.

The model gets numbered sentences and returns numbers; what is shown is what the sources say, with their citations. So
whatever it returns, no sentence of its own is shown.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from typing import Any

from bot import replies
from bot.answering import Considered, Knowledge
from bot.composing import DIMENSIONS, cite_chunk, lay_out, repeats
from bot.llm import Prompt, instructions
from bot.types import Answer, AnswerStatus, Inquiry, Understanding
from knowledge.catalog import Catalog
from knowledge.figures import normalize, read_figures
from knowledge.lexicon import load_lexicon, tokenize
from knowledge.rules.tables import reach, terms_on
from knowledge.types import Chunk, Fact, FactQuestion, Outcome, Row, Ruling, Situation

MOST_GROUPS = 5
"""More groups of sentences than these do not fit a phone's screen."""

_OF_ONE = 14
_OF_EACH = 8
"""Passages that are handed over of the only program, and of each of several."""

_SPLIT_FROM = 160
"""A document's passage of more characters is handed over in several groups; a guide's section never is."""

_GOES_ON = re.compile(r"(?:ただし|なお|また|その|それ|この|これ|同|当該|一方|もっとも|しかし|ほか)")
"""How a sentence begins that narrows or continues the one before it: the two stay together."""


@dataclass(frozen=True)
class SentenceGroup:
    """Sentences of a passage that are shown together or not at all: a statement with what narrows it."""

    text: str
    chunk: Chunk


@dataclass(frozen=True)
class ChosenPart:
    """Groups under a heading."""

    heading: str
    groups: tuple[SentenceGroup, ...]


def calls_for_choice(considered: Considered) -> bool:
    """Whether an answer may gain by sentences beside it: one that is to explain, or rests on passages or on nothing."""
    answered = considered.answer
    if not understood(considered) or considered.conversation.proposed:
        return False
    if _asks_explanation(considered):
        return answered.status in (AnswerStatus.ANSWERED, AnswerStatus.UNKNOWN, AnswerStatus.NEEDS_INFO)
    return answered.status in (AnswerStatus.ANSWERED, AnswerStatus.UNKNOWN) and not answered.rulings


def waits_for_choice(considered: Considered) -> bool:
    """Whether an answer that cannot grow is held back for them: it decides nothing, and says little by itself."""
    found = considered.findings is not None and bool(considered.findings.passages or considered.findings.silences)
    decided = considered.answer.verdict is not None
    return calls_for_choice(considered) and not decided and (_asks_explanation(considered) or not found)


def _asks_explanation(considered: Considered) -> bool:
    """Whether a comparison, a why, a how or a summary is asked for."""
    return any("asks_explanation" in understanding.signs for understanding in understood(considered))


def understood(considered: Considered) -> tuple[Understanding, ...]:
    """What a message was understood as: each of its parts, where it asks several things."""
    each = (considered.understanding, *(part.understanding for part in considered.parts))
    return tuple(understanding for understanding in each if understanding)


def hand_out(considered: Considered, inquiry: Inquiry, knowledge: Knowledge) -> tuple[SentenceGroup, ...]:
    """The groups that may be chosen: near the question, not said yet, and of no other case than the asker's."""
    answered, parts = considered.answer, understood(considered)
    asked = dict.fromkeys(program for part in parts for program in part.programs)
    named = dict.fromkeys(c.program for c in answered.citations if c.program)
    programs = tuple(asked) or tuple(named) or tuple(knowledge.catalog.programs)
    query = " ".join((inquiry.conversation.question, inquiry.text, *(part.seeks for part in parts))).strip()
    limit = _OF_ONE if len(programs) == 1 else _OF_EACH
    excluded = [
        _other_cases(ruling, considered.conversation.facts, knowledge.catalog, inquiry.as_of)
        for ruling in answered.rulings
        if ruling.outcome is Outcome.SETTLED
    ]
    said = answered.text.partition(replies.SOURCES)[0]
    disputed = {conflict.document_says for conflict in knowledge.conflicts}
    groups: dict[str, SentenceGroup] = {}
    found = (considered.findings, *(part.findings for part in considered.parts))
    documents = tuple(document for findings in found if findings for document in findings.documents)
    for program in ("",) if documents else programs:
        hits = [
            hit.chunk for hit in knowledge.searcher.search(query, program=program, documents=documents, limit=limit)
        ]
        overview = knowledge.searcher.section(program, _overview_of(program, knowledge.catalog)) if program else None
        for chunk in ([overview] if overview else []) + [c for c in hits if c.program in (program, "")]:
            for text in group_sentences(chunk):
                stated = any(other.states(text, chunk, knowledge.catalog.facts) for other in excluded)
                if not stated and not repeats(text, (said,)) and not any(phrase in text for phrase in disputed):
                    groups.setdefault(text, SentenceGroup(text, chunk))
    return tuple(groups.values())


def _overview_of(program: str, catalog: Catalog) -> str:
    """The section that says what a program is: the one that its FAQ leads to first."""
    return next((entry.section for entry in catalog.faq[program] if entry.section), "")


def group_sentences(chunk: Chunk) -> Iterator[str]:
    """A passage in groups: a guide's section whole, another document's sentences with what continues them."""
    if chunk.quote or len(chunk.text) <= _SPLIT_FROM:
        yield chunk.text
        return
    group = ""
    for sentence in re.findall(r"[^。\n]+[。\n]?", chunk.text):
        if group and not _GOES_ON.match(sentence.strip()):
            yield group.strip()
            group = ""
        group += sentence
    if group.strip():
        yield group.strip()


@dataclass(frozen=True)
class _OtherCases:
    """What a decided rule says of cases that are not the asker's: its figures, its phrases, and the asker's facts."""

    program: str
    figures: frozenset[tuple[Any, Decimal]]
    phrases: tuple[str, ...]
    facts: Mapping[Fact, str]

    def states(self, text: str, chunk: Chunk, questions: Mapping[Fact, FactQuestion]) -> bool:
        """Whether a group states one of those cases."""
        if chunk.program != self.program:
            return False
        figures = {(figure.dimension, figure.value) for figure in read_figures(normalize(text))}
        if figures & self.figures or (chunk.quote and any(chunk.quote in phrase for phrase in self.phrases)):
            return True
        concepts = _concepts(text)
        return any(_of_another(concepts, value, questions[fact]) for fact, value in self.facts.items())


def _other_cases(ruling: Ruling, facts: Mapping[Fact, str], catalog: Catalog, as_of: date) -> _OtherCases:
    program = catalog.programs[ruling.program]
    terms = terms_on(program, max(as_of, date(min(program.verified_years), 4, 1)))
    rows = terms.rows.get(ruling.subject, ())
    possible = reach(rows, Situation(facts), terms, catalog.facts).rows
    others = [row for row in rows if row not in possible]
    own = {evidence.quote for row in possible for evidence in row.evidence}
    phrases = {evidence.quote for row in others for evidence in row.evidence} - own
    decided = {fact for row in possible for fact in row.when}
    known = {fact: value for fact, value in facts.items() if fact in decided and catalog.facts[fact].choices}
    return _OtherCases(program.id, frozenset(_figures(others) - _figures(possible)), tuple(phrases), known)


def _figures(rows: Iterable[Row]) -> set[tuple[Any, Decimal]]:
    return {
        (DIMENSIONS[row.unit], row.value) for row in rows if isinstance(row.value, Decimal) and row.unit in DIMENSIONS
    }


def _of_another(concepts: frozenset[str], value: str, question: FactQuestion) -> bool:
    """Whether words speak of other values of a fact and not of this one."""
    said = {choice.value: _concepts(choice.label) for choice in question.choices}
    own = said.get(value, frozenset())
    others = frozenset[str]().union(*(words for other, words in said.items() if other != value)) - own
    return bool(concepts & others) and not concepts & own


def _concepts(text: str) -> frozenset[str]:
    mentions = load_lexicon().find(tokenize(normalize(text)))
    return frozenset(concept for mention in mentions for concept in mention.concepts)


def prompt_for(groups: tuple[SentenceGroup, ...], considered: Considered, inquiry: Inquiry, catalog: Catalog) -> Prompt:
    """What is sent: the numbered groups with their program and heading, what is shown already, and the message."""
    listed = "\n".join(
        f"{number}. [{_name(group.chunk, catalog)}] {group.text}" for number, group in enumerate(groups, 1)
    )
    before = f"前の質問: {inquiry.conversation.question}\n" if inquiry.conversation.question else ""
    said = considered.answer.text.partition(replies.SOURCES)[0]
    message = (
        f"## 資料の文\n{listed}\n\n## すでに示した答え\n{said}\n\n## 利用者のメッセージ(データ)\n{before}{inquiry.text}"
    )
    number = {"type": "integer", "minimum": 1, "maximum": len(groups)}
    part = {
        "type": "object",
        "properties": {
            "heading": {"type": "string", "enum": list(replies.HEADINGS)},
            "numbers": {"type": "array", "items": number},
        },
        "required": ["heading", "numbers"],
        "additionalProperties": False,
    }
    schema = {
        "title": "choice",
        "description": "The numbers of the sentences that help, under headings.",
        "type": "object",
        "properties": {"parts": {"type": "array", "items": part}},
        "required": ["parts"],
        "additionalProperties": False,
    }
    return Prompt(instructions("choose"), schema, message)


def _name(chunk: Chunk, catalog: Catalog) -> str:
    program = catalog.programs.get(chunk.program)
    return " ".join(dict.fromkeys(filter(None, (program.short_name if program else chunk.title, *chunk.headings[-1:]))))


def read_choice(reply: Mapping[str, Any], groups: tuple[SentenceGroup, ...]) -> tuple[ChosenPart, ...]:
    """The chosen groups under their headings, in the model's order, each once; what is no number of one is left out."""
    chosen: dict[str, list[SentenceGroup]] = {}
    taken = set[int]()
    parts = reply.get("parts")
    for part in parts if isinstance(parts, list) else []:
        heading, numbers = (part.get("heading"), part.get("numbers")) if isinstance(part, dict) else (None, None)
        if heading not in replies.HEADINGS or not isinstance(numbers, list):
            continue
        for number in numbers:
            fits = type(number) is int and 1 <= number <= len(groups) and number not in taken
            if fits and len(taken) < MOST_GROUPS:
                taken.add(number)
                chosen.setdefault(heading, []).append(groups[number - 1])
    return tuple(ChosenPart(heading, tuple(of_part)) for heading, of_part in chosen.items())


def with_choice(answered: Answer, parts: tuple[ChosenPart, ...], catalog: Catalog) -> Answer:
    """The answer with the chosen groups under what it says, and with their passages as sources."""
    groups = [group for part in parts for group in part.groups]
    if not groups:
        return answered
    several = len({group.chunk.program for group in groups}) > 1
    said, _, sources = answered.text.partition(replies.SOURCES)
    cited = (cite_chunk(group.chunk, group.text, catalog) for group in groups)
    citations = tuple(dict.fromkeys((*answered.citations, *cited)))
    lines = [] if answered.citations or answered.rulings or answered.missing else [replies.RELATED]
    for part in parts:
        lines += [replies.heading(part.heading), *(_line(group, several, catalog) for group in part.groups)]
    lines = (
        [*lines, said] if answered.status is AnswerStatus.NEEDS_INFO else [said, *lines]
    )  # what is asked stands last
    return replace(answered, text=lay_out(lines, citations, sources.partition("\n")[2]), citations=citations)


def _line(group: SentenceGroup, several: bool, catalog: Catalog) -> str:
    """A group's text, led by the name of its program where several are spoken of and it does not name it."""
    program = catalog.programs.get(group.chunk.program)
    text = " ".join(group.text.split())
    if not several or program is None or any(name in text for name in (program.name, program.short_name)):
        return text
    return f"{program.short_name}: {text}"
