"""Answers a question from passages: the one that holds what is asked, and of it the sentences that say so."""

import re
from collections.abc import Iterable
from functools import cache
from pathlib import Path

from knowledge.catalog import read_yaml
from knowledge.figures import normalize
from knowledge.search import Searcher
from knowledge.types import Chunk, Hit

PASSAGE_FITS = 0.3
"""Below this score a passage is not an answer, and nothing is said."""

COVERED = 0.45
"""The least share of a question's content words, by weight, that a passage must hold."""

_NOUN = re.compile(r"[一-龠]{2,}|[ァ-ヶー]{2,}|[a-z0-9]{2,}")

_LENGTH = 160
"""Characters from which on no further sentence is taken."""

_ADDS = 0.12
"""The least share of the question's content that a further sentence must add."""


def answering_passage(question: str, hits: Iterable[Hit], searcher: Searcher) -> tuple[Chunk, str] | None:
    """The best passage that answers, with its answering sentences; None where none does.

    It must be near enough, hold what the question is about, and have the kind of thing that is sought.
    """
    for hit in hits:
        if hit.score < PASSAGE_FITS or not _holds_the_matter(question, hit.chunk, searcher):
            continue
        if text := excerpt(question, hit.chunk, searcher):
            return hit.chunk, text
    return None


def _holds_the_matter(question: str, chunk: Chunk, searcher: Searcher) -> bool:
    """Whether a passage holds what a question asks beside the name of the document: its nouns, where it has any."""
    words = [word for word in searcher.terms(question) if not searcher.covered(word, chunk.title)]
    matter = " ".join([word for word in words if _NOUN.search(word)] or words)
    headings = [heading for heading in chunk.headings if heading != chunk.title]
    return not matter or searcher.covered(matter, " ".join((*headings, chunk.text))) >= COVERED


def excerpt(question: str, chunk: Chunk, searcher: Searcher) -> str:
    """The answering sentences of a passage, a guide's section whole; "" where what is asked for cannot be among them.

    A question for a day, an amount, a number or an address is answered only by a sentence that has one.
    """
    sentences = _sentences(chunk.text)
    sought = [holds for asks, holds in _load_sought() if asks.search(question)]
    holding = [s for s in sentences if all(pattern.search(normalize(s)) for pattern in sought)]
    if not holding:
        return ""
    if chunk.quote:
        return chunk.text

    heading = " ".join(chunk.headings[-1:])
    chosen = [max(holding, key=lambda sentence: searcher.covered(question, sentence))]
    covered = searcher.covered(question, f"{heading} {chosen[0]}")
    for sentence in sentences:
        if sentence in chosen or sum(map(len, chosen)) + len(sentence) > _LENGTH:
            continue
        with_it = searcher.covered(question, " ".join((heading, *chosen, sentence)))
        if with_it >= covered + _ADDS:
            chosen.append(sentence)
            covered = with_it
    return "".join(sentence for sentence in sentences if sentence in chosen).strip()


@cache
def _load_sought() -> tuple[tuple[re.Pattern[str], re.Pattern[str]], ...]:
    """Reads sought.yaml: what a question seeks, and what a sentence that answers it has in it."""
    path = Path(__file__).parents[1] / "knowledge" / "sought.yaml"
    return tuple((re.compile(entry["asks"]), re.compile(entry["holds"])) for entry in read_yaml(path))


def _sentences(text: str) -> list[str]:
    """Sentences and lines (a row of a table is one), with what ends them."""
    return [part for part in re.findall(r"[^。\n]+(?:。|\n|$)", text) if part.strip()]
