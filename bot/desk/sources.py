"""What rules and documents have to say to an official's answer. Runs in the process that answers."""

from collections.abc import Sequence
from datetime import date

import numpy as np

from bot.answering import Knowledge
from bot.composing import cite_chunk
from bot.holding import unsupported
from knowledge.matters import encode_meanings
from knowledge.rules.tables import rows_of

_RELATED = 3

_ALIKE = 0.6
"""From this likeness on, two questions ask the same: so do three in four of those pairs of tests/briefing that ask the
same, and one in twenty of the others, which are of the same programs."""


def related(question: str, program: str, knowledge: Knowledge) -> tuple[tuple[str, str], ...]:
    """The passages nearest to a question, each with its place.

    Args:
        question: what was asked.
        program: its id; "" for all.
        knowledge: the index.
    """
    hits = knowledge.searcher.search(question, program=program, limit=_RELATED)
    passages = (hit.chunk for hit in hits)
    return tuple((cite_chunk(chunk, chunk.text, knowledge.catalog).place, chunk.text) for chunk in passages)


def unheld_figures(text: str, question: str, program: str, day: date, knowledge: Knowledge) -> tuple[str, ...]:
    """The figures and days of an answer that neither the program's rules and guide nor the nearest passages state.

    Args:
        text: what an official wrote.
        question: what was asked; its own figures are no new ones.
        program: its id; "" for all.
        day: on which it is written.
        knowledge: rules, guides and the index.
    """
    catalog = knowledge.catalog
    ids = [program] if program in catalog.programs else list(catalog.programs)
    rows = [f"{row.says} {row.needs}" for id in ids for row in rows_of(catalog.programs[id])]
    guides = [catalog.guides[id].read_text(encoding="utf-8") for id in ids]
    passages = [passage for _, passage in related(question, program, knowledge)]
    spans = unsupported(text, [question, *rows, *guides, *passages], day)
    return tuple(dict.fromkeys(text[start:end] for start, end in spans))


def grouped(questions: Sequence[str], knowledge: Knowledge) -> tuple[int, ...]:
    """For each question the number of its group, which is the place of the first one that asks the same."""
    vectors = encode_meanings(questions)
    alike = vectors @ vectors.T >= _ALIKE
    return tuple(int(np.argmax(row[: place + 1])) if row[:place].any() else place for place, row in enumerate(alike))


def nearest(question: str, others: Sequence[str], knowledge: Knowledge) -> int | None:
    """The place of the question that asks the same; None where none does."""
    if not others:
        return None
    vectors = encode_meanings([question, *others])
    scores = vectors[1:] @ vectors[0]
    best = int(np.argmax(scores))
    return best if scores[best] >= _ALIKE else None
