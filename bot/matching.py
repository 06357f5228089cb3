"""Matches a message with the entries of the FAQ, by the wordings in which people have asked for them."""

import re
from dataclasses import dataclass

from bot.types import Inquiry, Understanding
from bot.understanding import beside_names
from knowledge.catalog import Catalog
from knowledge.search import Searcher
from knowledge.types import Chunk, FaqEntry

FAQ_FITS = 0.35
"""From this likelihood on, an entry of the FAQ is taken for what was asked (chosen on the tuning questions)."""

FAQ_FITS_NAMED = 0.15
"""The same where the program is known, so that the question is about our matter anyway."""

FAQ_CERTAIN = 0.6
"""From this likelihood on, an entry is taken for what was asked even against other readings of the message."""

FAQ_PLAIN = 0.9
"""From this likelihood on, the message is the entry's own matter, whatever facts it gives beside it."""

SAME_MATTER = 0.2
"""Programs whose best entries are closer than this are both meant: the message does not tell which."""

_SILENCE_COSTS = 0.05
"""What is stated goes before what is not, where the question is as near to both."""

_QUESTIONS = 4
"""More questions of one message than this are not looked up."""

QUESTION_LENGTH = 300
"""What of a message is looked up where it is one question: the rest adds nothing but time."""


@dataclass(frozen=True)
class Match:
    """An entry of the FAQ that was found for a question. `certain` of its program: no other has one as near."""

    entry: FaqEntry
    program: str
    score: float
    certain: bool
    question: str


def find_matches(
    understanding: Understanding, inquiry: Inquiry, program: str, catalog: Catalog, searcher: Searcher
) -> tuple[Match, ...]:
    """The entries that the questions of a message ask for, in order of asking.

    A message that goes on from the last one, or replies to it, must name its own matter plainly.
    """
    replies = understanding.continues and inquiry.conversation.asked_for in understanding.said
    if replies or (understanding.continues and not understanding.matter):
        return ()
    found: dict[tuple[str, str], Match] = {}
    for question in questions_in(understanding.text):
        asked = _what_it_asks(question)
        matter = beside_names(asked, catalog.programs.values()) if program else asked
        for match in nearest_entries(question, matter, program, catalog, searcher):
            found.setdefault((match.program, match.entry.id), match)
    return tuple(found.values())


def nearest_entries(
    question: str, matter: str, program: str, catalog: Catalog, searcher: Searcher
) -> tuple[Match, ...]:
    """The entry nearest to a question or to what it says beside its program's name, and a section as certain."""
    scores: dict[tuple[str, str], float] = {}
    entries = {(owner, entry.id): entry for owner, faq in catalog.faq.items() for entry in faq}
    for text in dict.fromkeys((question, matter)):
        for hit in searcher.entries(text, program=program):
            key = (hit.program, hit.target)
            if key in entries:  # an index from before the FAQ changed may know others
                scores[key] = max(hit.score, scores.get(key, 0.0))
    ranked = sorted(scores, key=lambda key: scores[key] - _SILENCE_COSTS * bool(entries[key].not_stated), reverse=True)
    matches: list[Match] = []
    for key in ranked[:2]:
        others = max((scores[other] for other in ranked if other[0] != key[0]), default=0.0)
        fits = scores[key] >= (FAQ_FITS_NAMED if program else FAQ_FITS)
        if fits and (not matches or (entries[key].section and scores[key] >= FAQ_CERTAIN)):
            matches.append(Match(entries[key], key[0], scores[key], scores[key] - others >= SAME_MATTER, question))
    return tuple(matches)


_BETWEEN_QUESTIONS = re.compile(
    r"(?<=[?。!])(?! ?(?:それとも|あるいは|または))|\n|[、 ]?(?=(?:あと|それと(?!も)|また(?!は)|ついでに)[、 ]?)"
)
_ASKS = re.compile(r"\?$|(?:か|の|かな|かね|ですか|教えて[^。]*)[。?!]?$")


def questions_in(text: str) -> tuple[str, ...]:
    """The questions of a message: the whole, or its parts where several of them ask something."""
    parts = [part.strip() for part in _BETWEEN_QUESTIONS.split(text)]
    asking = [part for part in parts if _ASKS.search(part)]
    return tuple(asking[:_QUESTIONS]) if len(asking) > 1 else (text[:QUESTION_LENGTH],)


def _what_it_asks(question: str) -> str:
    """The one sentence of a message that asks, without what leads up to it (課長に聞かれた。); else the whole."""
    asking = [part for part in _BETWEEN_QUESTIONS.split(question) if _ASKS.search(part.strip())]
    return asking[0].strip() if len(asking) == 1 else question


def nearest_section(question: str, program: str, catalog: Catalog, searcher: Searcher) -> Chunk | None:
    """The section of a program's guide that comes nearest to a question, else a passage of its documents."""
    matter = beside_names(question, [catalog.programs[program]])
    for match in nearest_entries(question, matter, program, catalog, searcher):
        if match.entry.section:
            return searcher.section(program, match.entry.section)
    hits = searcher.search(question, program=program, limit=3)
    return next((hit.chunk for hit in hits if hit.chunk.program == program), None)
