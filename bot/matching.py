"""Matches a message with the entries of the FAQ, by the wordings in which people have asked for them."""

from collections.abc import Sequence
from dataclasses import dataclass

from bot.types import Inquiry, Understanding
from bot.understanding import beside_names
from bot.understanding.talks import HARDLY, read_talk
from knowledge.catalog import Catalog
from knowledge.encoder.encoding import load_encoder
from knowledge.matters import load_matters
from knowledge.search import Searcher
from knowledge.talks.asked import asked_by
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

LEARNT_LIKELY = 0.65
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

    One that goes on from the last question is read with it, and by itself where it names its program; it must plainly
    be an entry's own matter. Of one that plainly puts a case to rules only what no rule decides is looked for.
    """
    replies = understanding.continues and inquiry.conversation.asked_for in understanding.said
    puts_a_case = bool(understanding.said.keys() - {Fact.PROGRAM}) or understanding.situation.amount is not None
    plainly_ruled = understanding.plain and bool(understanding.subjects) and puts_a_case
    if understanding.continues and not understanding.matter:
        return ()
    asked = read_talk((*inquiry.conversation.messages, inquiry.text)).asked
    found: dict[tuple[str, str], Match] = {}
    named = list(catalog.programs.values()) if program else []
    alone = len(understanding.questions) == 1 and len(understanding.text) <= _READ_WHOLE
    whole = (beside_names(understanding.text, named),) if alone else ()
    for question in understanding.questions:
        by_itself = understanding.continues and question in understanding.of_themselves
        if replies and not by_itself:
            continue
        matter = beside_names(question, named)[:QUESTION_LENGTH]
        with_the_last = beside_names(f"{inquiry.conversation.question} {question}", named)
        of_itself = () if understanding.continues and not understanding.named else (matter, *whole)
        taught = (matter,) if by_itself else (with_the_last, *of_itself) if understanding.continues else of_itself
        for match in nearest_entries(question[:QUESTION_LENGTH], matter, program, catalog, searcher, taught):
            needed = 0.0 if not understanding.continues else FAQ_CERTAIN if by_itself else LEARNT_PLAIN
            ruled = plainly_ruled and not by_itself
            if match.entry.not_stated and asked.get(asked_by(match.program, match.entry), 1.0) < HARDLY:
                continue  # near in words, and not what the talk comes to
            if match.score >= needed and (not ruled or (match.learnt >= LEARNT_PLAIN and match.entry.case_of is None)):
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
    """The entry that a question most surely asks for, and a section as certain.

    Wordings have taught how surely an entry is meant by the surest of the texts that are `taught` (None: the matter).
    One that nobody learnt from (a user's own) is as sure as its nearest wordings say. A few words that go on from the
    last question are taught together with it: of them alone it would be sure without reason.
    """
    entries = {(owner, entry.id): entry for owner, faq in catalog.faq.items() for entry in faq}
    told = _learnt((matter,) if taught is None else taught, program)
    scores = dict(told)
    for text in dict.fromkeys((question, matter)):
        for hit in searcher.entries(text, program=program):
            key = (hit.program, hit.target)
            scores[key] = max(hit.score, scores.get(key, 0.0))
    scores = {key: score for key, score in scores.items() if key in entries}  # the FAQ may have changed since
    ranked = sorted(scores, key=lambda key: scores[key] - _SILENCE_COSTS * bool(entries[key].not_stated), reverse=True)
    matches: list[Match] = []
    for key in ranked[:2]:
        others = max((scores[other] for other in ranked if other[0] != key[0]), default=0.0)
        fits = scores[key] >= (FAQ_FITS_NAMED if program else FAQ_FITS)
        if fits and (not matches or (entries[key].section and scores[key] >= FAQ_CERTAIN)):
            certain = scores[key] - others >= SAME_MATTER
            matches.append(Match(entries[key], key[0], scores[key], certain, told.get(key, 0.0), question))
    return tuple(matches)


def _learnt(texts: Sequence[str], program: str) -> dict[tuple[str, str], float]:
    """How surely each entry is meant by the surest of the texts; of all programs as surely as it is asked of them."""
    matters = load_matters()
    told: dict[tuple[str, str], float] = {}
    for vector in load_encoder().encode_queries(tuple(dict.fromkeys(filter(None, texts)))):
        asked_of = {program: 1.0} if program else matters.tell_program(vector)
        for id, likely in asked_of.items():
            for entry, share in matters.tell(id, vector).items():
                told[id, entry] = max(share * likely, told.get((id, entry), 0.0))
    return told


def nearest_section(question: str, program: str, catalog: Catalog, searcher: Searcher) -> Chunk | None:
    """The section of a program's guide that comes nearest to a question, else a passage of its documents."""
    matter = beside_names(question, [catalog.programs[program]])
    for match in nearest_entries(question, matter, program, catalog, searcher):
        if match.entry.section:
            return searcher.section(program, match.entry.section)
    hits = searcher.search(question, program=program, limit=3)
    return next((hit.chunk for hit in hits if hit.chunk.program == program), None)
