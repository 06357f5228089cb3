"""Finds what answers a message: the rules, an entry of the FAQ, or passages of the documents."""

from dataclasses import dataclass

from bot.types import Inquiry, Understanding
from knowledge.catalog import Catalog
from knowledge.search import Searcher
from knowledge.types import Chunk, Fact, FaqEntry, Hit, Program, Subject

FAQ_FITS = 0.52
"""From this score on, a wording of the FAQ is taken for what was asked (chosen on the tuning questions)."""

FAQ_CERTAIN = 0.80
"""From this score on, a FAQ entry outranks what the wordings of the message alone suggest."""

PASSAGE_FITS = 0.42
"""Below this score a passage is not an answer, and nothing is said."""

COVERED = 0.5
"""The least share of a question's content words, by weight, that a passage must hold."""


@dataclass(frozen=True)
class Findings:
    """What an answer is made from. `passages` and their `texts` go together; `silent` is a FAQ entry that says so."""

    programs: tuple[str, ...]
    subjects: tuple[Subject, ...] = ()
    in_general: bool = False
    silent: FaqEntry | None = None
    nearby: Chunk | None = None
    passages: tuple[Chunk, ...] = ()
    texts: tuple[str, ...] = ()
    asks_program: bool = False
    in_scope: bool = True


def find(
    understanding: Understanding, inquiry: Inquiry, catalog: Catalog, searcher: Searcher, documents_only: bool
) -> Findings:
    """What answers the message. Concrete questions go to the rules; the rest to the nearest wording or passage."""
    programs = understanding.programs
    query = understanding.text
    if understanding.continues and not understanding.subjects and not understanding.named:
        query = f"{inquiry.conversation.question} {query}"
    if "compares" in understanding.signs and len(programs) != 1:
        return _compared(understanding, query, catalog, searcher)

    program = programs[0] if len(programs) == 1 else ""
    passages = searcher.search(query, program=program, limit=8)
    if outside := _from_other_documents(understanding, query, passages, searcher):
        return outside
    if understanding.foreign_program:
        return Findings((), in_scope=False)

    entry, score, owner = None, 0.0, program
    if not documents_only:
        hits = searcher.search(query, program=program, kind="question", limit=6)
        if hits:
            entry, score, owner = _entry(hits[0], catalog), hits[0].score, hits[0].chunk.program
    subjects, concrete = understanding.subjects, _is_concrete(understanding)
    fits = entry is not None and score >= FAQ_FITS and not (subjects and concrete and score < FAQ_CERTAIN)
    if entry and fits and not understanding.continues:
        if entry.rule is None:
            return _from_entry(entry, owner, query, searcher)
        if not subjects:
            subjects = (entry.rule,)
        programs = programs or ((owner,) if _owns(hits, owner) else ())
    if subjects:
        if not programs and entry and score >= FAQ_FITS and _owns(hits, owner):
            programs = (owner,)
        return Findings(
            programs, subjects, in_general=_in_general(understanding), asks_program=not programs
        )
    fitting = _fitting(query, passages, searcher)
    if fitting:
        return Findings(
            programs or ((fitting[0].chunk.program,) if fitting[0].chunk.program else ()),
            passages=tuple(hit.chunk for hit in fitting),
            texts=tuple(_answering_text(query, hit.chunk, searcher) for hit in fitting),
        )
    in_scope = bool(programs) or bool(understanding.said) or (bool(passages) and passages[0].score > PASSAGE_FITS / 2)
    return Findings(programs, in_scope=in_scope)


def _is_concrete(understanding: Understanding) -> bool:
    """Whether a case is described that rules can decide on, and not a topic."""
    return (
        bool(understanding.said)
        or understanding.situation.amount is not None
        or understanding.days is not None
        or "about_self" in understanding.signs
    )


def _in_general(understanding: Understanding) -> bool:
    """Whether eligibility is asked about as such, and not for somebody."""
    return not _is_concrete(understanding) and "asks_in_general" in understanding.signs


def _entry(hit: Hit, catalog: Catalog) -> FaqEntry:
    return next(entry for entry in catalog.faq[hit.chunk.program] if entry.id == hit.chunk.target)


def _owns(hits: tuple[Hit, ...], owner: str) -> bool:
    """Whether the best wording is of this program by a margin, so that the message need not name it."""
    others = [hit.score for hit in hits if hit.chunk.program != owner]
    return not others or hits[0].score - others[0] >= 0.08


def _from_entry(entry: FaqEntry, owner: str, query: str, searcher: Searcher) -> Findings:
    if entry.not_stated:
        return Findings((owner,), silent=entry, nearby=_section(entry.nearby, owner, searcher) if entry.nearby else None)
    section = _section(entry.section, owner, searcher)
    return Findings((owner,), passages=(section,), texts=(section.text,)) if section else Findings((owner,))


def _section(heading: str, program: str, searcher: Searcher) -> Chunk | None:
    """The section of a program's guide under a heading."""
    hits = searcher.search(heading, program=program, limit=30)
    return next((hit.chunk for hit in hits if hit.chunk.program == program and hit.chunk.headings[-1:] == (heading,)), None)


def _from_other_documents(
    understanding: Understanding, query: str, passages: tuple[Hit, ...], searcher: Searcher
) -> Findings | None:
    """The answer of a document that belongs to none of the programs, where no program is named and it fits best."""
    if understanding.named:
        return None
    fitting = [hit for hit in _fitting(query, passages, searcher) if not hit.chunk.program]
    if not fitting or fitting[0] != passages[0]:
        return None
    return Findings(
        (), passages=(fitting[0].chunk,), texts=(_answering_text(query, fitting[0].chunk, searcher),)
    )


def _fitting(query: str, passages: tuple[Hit, ...], searcher: Searcher) -> tuple[Hit, ...]:
    """The passage that answers: near enough, and holding what the question is about. A guide's section goes first."""
    near = [
        hit
        for hit in passages
        if hit.score >= PASSAGE_FITS
        and searcher.covered(query, " ".join((*hit.chunk.headings, hit.chunk.text))) >= COVERED
    ]
    return tuple(near[:1])


def _answering_text(query: str, chunk: Chunk, searcher: Searcher) -> str:
    """A guide's section whole; of another passage the sentences that hold most of what was asked, in their order."""
    return chunk.text


def _compared(understanding: Understanding, query: str, catalog: Catalog, searcher: Searcher) -> Findings:
    """Several programs side by side, or the one that suits a wish best."""
    if understanding.programs:
        programs = understanding.programs
    else:
        programs = (recommend(query, catalog, searcher),)
    if len(programs) > 1 and understanding.subjects:
        return Findings(programs, understanding.subjects)
    chunks = []
    for program in programs:
        hits = searcher.search(query, program=program, limit=3)
        chunks += [hit.chunk for hit in hits if hit.chunk.program == program][:1]
    return Findings(programs, passages=tuple(chunks), texts=tuple(chunk.text for chunk in chunks))


def recommend(query: str, catalog: Catalog, searcher: Searcher) -> str:
    """The program whose stated uses hold most of what is wished for."""
    def suits(program: Program) -> float:
        return searcher.covered(query, "。".join((program.summary, *program.suits)))
    return max(catalog.programs.values(), key=suits).id
