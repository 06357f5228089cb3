"""Matches a message with the entries of the FAQ, by the wordings in which people have asked for them."""

from collections.abc import Container, Sequence
from dataclasses import dataclass

from bot.types import Inquiry, Understanding
from bot.understanding import beside_names
from knowledge.catalog import Catalog
from knowledge.encoder.encoding import load_encoder
from knowledge.matters import load_matters
from knowledge.search import Searcher
from knowledge.types import Chunk, Fact, FaqEntry

FAQ_FITS = 0.35
"""From this likelihood on, an entry of the FAQ is taken for what was asked (chosen on the tuning questions)."""

FAQ_FITS_NAMED = 0.15
"""The same where the program is known, so that the question is about our matter anyway."""

FAQ_CERTAIN = 0.5
"""From this likelihood on, an entry is taken for what was asked even against other readings of the message."""

FAQ_PLAIN = 0.8
"""From this likelihood on, the message is the entry's own matter, whatever facts it gives beside it."""

SAME_MATTER = 0.2
"""Programs whose best entries are closer than this are both meant: the message does not tell which."""

LEARNT_PLAIN = 0.9
"""From this learnt probability on, a question is an entry's own matter whatever it says beside it."""

LEARNT_LIKELY = 0.6
"""The same where nothing is said of any applicant, so that rules could only ask."""

_READ_WHOLE = 80
"""A message of at most so many characters that asks one thing is told by what it says beside its question too."""

_SILENCE_COSTS = 0.1
"""What is stated goes before what is not, where the question is as near to both."""

QUESTION_LENGTH = 300
"""What of a message is looked up where it is one question: the rest adds nothing but time."""


@dataclass(frozen=True)
class Match:
    """An entry of the FAQ that was found for a question.

    `certain` of its program: no other has one as near. `learnt` is the probability that wordings have taught (0–1).
    """

    entry: FaqEntry
    program: str
    score: float
    certain: bool
    learnt: float
    question: str


def find_matches(
    understanding: Understanding, inquiry: Inquiry, program: str, catalog: Catalog, searcher: Searcher
) -> tuple[Match, ...]:
    """The entries that the questions of a message ask for, in order of asking.

    A message that goes on from the last one, or replies to it, must name its own matter plainly. Of one that plainly
    puts a case to rules only what no rule decides is looked for.
    """
    replies = understanding.continues and inquiry.conversation.asked_for in understanding.said
    puts_a_case = bool(understanding.said.keys() - {Fact.PROGRAM}) or understanding.situation.amount is not None
    plainly_ruled = understanding.plain and bool(understanding.subjects) and puts_a_case
    if replies or (understanding.continues and not understanding.matter):
        return ()
    found: dict[tuple[str, str], Match] = {}
    named = list(catalog.programs.values()) if program else []
    alone = len(understanding.questions) == 1 and len(understanding.text) <= _READ_WHOLE
    whole = (beside_names(understanding.text, named),) if alone else ()
    for question in understanding.questions:
        matter = beside_names(question, named)[:QUESTION_LENGTH]
        taught = () if understanding.continues else (matter, *whole)
        for match in nearest_entries(question[:QUESTION_LENGTH], matter, program, catalog, searcher, taught):
            if not plainly_ruled or (match.learnt >= LEARNT_PLAIN and match.entry.case_of is None):
                found.setdefault((match.program, match.entry.id), match)
    return tuple(found.values())


def nearest_entries(
    question: str,
    matter: str,
    program: str,
    catalog: Catalog,
    searcher: Searcher,
    taught: Sequence[str] | None = None,
) -> tuple[Match, ...]:
    """The entry nearest to a question or to what it says beside its program's name, and a section as certain.

    How surely an entry is meant is told by wordings that are near and by what wordings have taught, in equal parts. The
    latter tells the surest of the texts that are `taught`, the matter where that is None; a few words that go on from
    the last question are none, of them it is sure without reason.
    """
    scores: dict[tuple[str, str], float] = {}
    entries = {(owner, entry.id): entry for owner, faq in catalog.faq.items() for entry in faq}
    for text in dict.fromkeys((question, matter)):
        for hit in searcher.entries(text, program=program):
            key = (hit.program, hit.target)
            if key in entries:  # an index from before the FAQ changed may know others
                scores[key] = max(hit.score, scores.get(key, 0.0))
    known_to = [program] if program else list(catalog.faq)
    told = _learnt((matter,) if taught is None else taught, known_to, entries.keys())
    scores |= {key: (scores.get(key, 0.0) + share) / 2 for key, share in told.items()}
    ranked = sorted(scores, key=lambda key: scores[key] - _SILENCE_COSTS * bool(entries[key].not_stated), reverse=True)
    matches: list[Match] = []
    for key in ranked[:2]:
        others = max((scores[other] for other in ranked if other[0] != key[0]), default=0.0)
        fits = scores[key] >= (FAQ_FITS_NAMED if program else FAQ_FITS)
        if fits and (not matches or (entries[key].section and scores[key] >= FAQ_CERTAIN)):
            certain = scores[key] - others >= SAME_MATTER
            matches.append(Match(entries[key], key[0], scores[key], certain, told.get(key, 0.0), question))
    return tuple(matches)


def _learnt(
    texts: Sequence[str], programs: Sequence[str], known: Container[tuple[str, str]]
) -> dict[tuple[str, str], float]:
    """The probability that each entry is meant by the surest of the texts; a user's own programs were not learnt."""
    matters = load_matters()
    texts = tuple(dict.fromkeys(filter(None, texts)))
    learnt = [program for program in programs if program in matters.programs]
    if not learnt or not texts:
        return {}
    told: dict[tuple[str, str], float] = {}
    for vector in load_encoder().encode_queries(texts):
        for program in learnt:
            for entry, share in matters.tell(program, vector).items():
                if (program, entry) in known:
                    told[program, entry] = max(share, told.get((program, entry), 0.0))
    return told


def nearest_section(question: str, program: str, catalog: Catalog, searcher: Searcher) -> Chunk | None:
    """The section of a program's guide that comes nearest to a question, else a passage of its documents."""
    matter = beside_names(question, [catalog.programs[program]])
    for match in nearest_entries(question, matter, program, catalog, searcher):
        if match.entry.section:
            return searcher.section(program, match.entry.section)
    hits = searcher.search(question, program=program, limit=3)
    return next((hit.chunk for hit in hits if hit.chunk.program == program), None)
