"""Takes out of a passage what answers a question: the sentences that hold most of what was asked, in their order."""

import re

from bot.wordings import load_wordings
from knowledge.japanese import normalize
from knowledge.search import Searcher
from knowledge.types import Chunk

_LENGTH = 160
"""Characters from which on no further sentence is taken."""

_ADDS = 0.12
"""The least share of the question's content that a further sentence must add."""


def excerpt(question: str, chunk: Chunk, searcher: Searcher) -> str:
    """The answering sentences of a passage, a guide's section whole; "" where what is asked for cannot be among them.

    A question for a day, an amount, a number or an address is answered only by a sentence that has one.
    """
    sentences = _sentences(chunk.text)
    sought = [holds for asks, holds in load_wordings().sought if asks.search(question)]
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


def _sentences(text: str) -> list[str]:
    """Sentences and lines (a row of a table is one), with what ends them."""
    return [part for part in re.findall(r"[^。\n]+(?:。|\n|$)", text) if part.strip()]
