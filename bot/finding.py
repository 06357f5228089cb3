"""Finds what answers a message: the rules, entries of the FAQ with the guide's sections, or passages of documents."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from bot.excerpts import excerpt
from bot.types import Inquiry, Understanding
from bot.understanding import beside_names
from knowledge.catalog import Catalog
from knowledge.search import RELEVANT, Searcher
from knowledge.types import Chunk, Fact, FaqEntry, Hit, Program, Subject

FAQ_FITS = 0.35
"""From this likelihood on, an entry of the FAQ is taken for what was asked (chosen on the tuning questions)."""

FAQ_FITS_NAMED = 0.15
"""The same where the program is known, so that the question is about our matter anyway."""

FAQ_CERTAIN = 0.6
"""From this likelihood on, an entry is taken for what was asked even against other readings of the message."""

FAQ_PLAIN = 0.9
"""From this likelihood on, the message is the entry's own matter, whatever facts it gives beside it."""

PASSAGE_FITS = 0.3
"""Below this score a passage is not an answer, and nothing is said."""

COVERED = 0.45
"""The least share of a question's content words, by weight, that a passage must hold."""

SUITS = 0.4
"""From this share of a wish's content on, a program's stated uses are taken to suit it."""

_NOUN = re.compile(r"[一-龠]{2,}|[ァ-ヶー]{2,}|[a-z0-9]{2,}")

SAME_MATTER = 0.2
"""Programs whose best entries are closer than this are both meant: the message does not tell which."""

_SILENCE_COSTS = 0.05
"""What is stated goes before what is not, where the question is as near to both."""

_QUESTIONS = 4
"""More questions of one message than this are not looked up."""

_QUESTION_LENGTH = 300
"""What of a message is looked up where it is one question: the rest adds nothing but time."""

_SECTIONS_SHOWN = 2
"""More than this does not fit a phone's screen."""

_A_FEW_WORDS = 12
"""A message of a program's name and a day has at most so many characters beside the name."""

_SHARED_FACTS = frozenset((Fact.APPLICANT_KIND, Fact.PARTNERSHIP, Fact.PROGRAM, Fact.MEETING_MODE))
"""What people say of themselves whatever they ask; other facts are said because a rule turns on them."""


_DECIDES_ELIGIBILITY = frozenset(
    (Fact.FISCAL_INDEX, Fact.INVESTMENT_OR_NONPROFIT, Fact.PAST_SELECTION, Fact.RECOMMENDATION, Fact.PARTNERSHIP)
)
"""Facts of an applicant, which make a comparison of programs a question of who can apply."""


@dataclass(frozen=True)
class Findings:
    """What an answer is made from.

    `subjects` are put to the rules for each of `programs`, `side_by_side` for a comparison. `recommended`
    marks the one program that suits a wish. `passages` and their
    `texts` go together. `silent` is a FAQ entry on what the documents do not say, `nearby` what they say beside it.
    """

    programs: tuple[str, ...]
    subjects: tuple[Subject, ...] = ()
    side_by_side: bool = False
    recommended: bool = False
    silent: FaqEntry | None = None
    nearby: Chunk | None = None
    passages: tuple[Chunk, ...] = ()
    texts: tuple[str, ...] = ()
    asks_program: bool = False
    in_scope: bool = True


@dataclass(frozen=True)
class Match:
    """An entry of the FAQ that was found for a question. `certain` of its program: no other has one as near."""

    entry: FaqEntry
    program: str
    score: float
    certain: bool


def find(
    understanding: Understanding, inquiry: Inquiry, catalog: Catalog, searcher: Searcher, documents_only: bool
) -> Findings:
    """What answers the message: rules for the case that it describes, sections for what else it asks."""
    programs = understanding.programs
    question = understanding.text[:_QUESTION_LENGTH]
    if len(programs) > 1 and "asks_combination" in understanding.signs:
        nearest = [_nearest(question, question, id, catalog, searcher) for id in programs]
        best = max((match for matches in nearest for match in matches[:1]), key=lambda m: m.score, default=None)
        if best and best.entry.not_stated:
            section = _section(best.entry.nearby, best.program, searcher)
            return Findings((best.program,), silent=best.entry, nearby=section)
    if len(programs) > 1 or ("compares" in understanding.signs and not programs):
        return _compared(understanding, catalog, searcher)
    program = programs[0] if len(programs) == 1 else ""
    unnamed = not understanding.named if documents_only else not program
    if unnamed and (outside := _from_other_documents(understanding, searcher, documents_only)):
        return outside
    if name := understanding.foreign_program:
        return Findings((), in_scope=_documented(name, understanding.text, searcher))

    matches = () if documents_only else _matches(understanding, inquiry, program, catalog, searcher)
    if not program:
        owners = {match.program for match in matches if match.certain and match.entry.rule is None}
        program = owners.pop() if len(owners) == 1 else ""
    programs = programs or ((program,) if program else ())

    own = [match for match in matches if match.program == program]
    sections = [match for match in own if match.entry.section]
    silent = next((match for match in own if match.entry.not_stated), None)
    answers = [match.score for match in own if not match.entry.rule]
    subjects = _subjects(understanding, inquiry, max(answers, default=0.0), program)
    if silent and _outweighs_rules(silent, understanding, subjects, catalog.programs[program]):
        entry = silent.entry
        return Findings(programs, silent=entry, nearby=_section(entry.nearby, program, searcher))
    if not subjects and not sections:
        subjects = tuple(dict.fromkeys(match.entry.rule for match in own if match.entry.rule))
    if subjects and not program:
        of_other_documents = documents_only and any(not hit.chunk.program for hit in searcher.search(question))
        return Findings(()) if of_other_documents else Findings((), subjects, asks_program=True)
    hits = searcher.search(question, program=program)
    vague = documents_only and subjects == (Subject.ELIGIBILITY,) and not _of_somebody(understanding)
    if vague and (found := _from_passages(question, hits, programs, searcher)):
        return found
    if subjects or sections:
        chunks = [_section(match.entry.section, program, searcher) for match in sections[:_SECTIONS_SHOWN]]
        passages = tuple(chunk for chunk in chunks if chunk)
        return Findings(programs, subjects, passages=passages, texts=tuple(chunk.text for chunk in passages))
    if found := _from_passages(question, hits, programs, searcher):
        return found
    if understanding.continues:
        together = f"{inquiry.conversation.question} {question}"
        if found := _from_passages(together, searcher.search(together, program=program), programs, searcher):
            return found
    if not programs and not documents_only and (near := _recommended(question, catalog, searcher)):
        return near
    related = any(hit.score >= (RELEVANT if documents_only else PASSAGE_FITS) for hit in searcher.search(question))
    return Findings(programs, in_scope=bool(programs or understanding.said or understanding.subjects or related))


def _documented(name: str, question: str, searcher: Searcher) -> bool:
    """Whether some document's title has the words of a program's name."""
    return any(searcher.covered(name, hit.chunk.title) >= 0.5 for hit in searcher.search(question))


def _subjects(understanding: Understanding, inquiry: Inquiry, score: float, program: str) -> tuple[Subject, ...]:
    """What the rules are asked: what the words ask, else what the facts point to.

    Whether something can be done (できますか) is a matter of eligibility only for an applicant who is described, or
    where nothing else that was found answers it.
    """
    subjects = understanding.subjects
    said = understanding.said.keys() - {Fact.PROGRAM}
    before = inquiry.conversation
    answered = score > 0
    if subjects == (Subject.ELIGIBILITY,) and answered and not _of_somebody(understanding):
        return ()
    if subjects:
        return subjects
    if understanding.continues and before.subjects and (said or not answered):
        return before.subjects
    if "asks_open" in understanding.signs:
        return ()
    decisive = len(said - _SHARED_FACTS)
    puts_a_case = Fact.APPLICANT_KIND in said and (decisive > 1 or (decisive and "can_we" in understanding.signs))
    if answered and not (puts_a_case or Fact.FISCAL_INDEX in said):
        return ()
    if Fact.SAME_PROJECT in said:
        return (Subject.REPEAT,)
    if not program:
        return ()
    if understanding.situation.amount is not None:
        return (Subject.CAP,)
    short = len(understanding.matter) <= _A_FEW_WORDS
    if said - _SHARED_FACTS or (said and (short or "can_we" in understanding.signs)):
        return (Subject.ELIGIBILITY,)
    bare = understanding.days is not None and short
    return (Subject.WINDOW,) if bare or "wants_to_apply" in understanding.signs else ()


def _of_somebody(understanding: Understanding) -> bool:
    """Whether a message says anything of an applicant."""
    return bool(understanding.said.keys() - {Fact.PROGRAM, Fact.PARTNERSHIP, Fact.MEETING_MODE})


def _outweighs_rules(
    silent: Match, understanding: Understanding, subjects: tuple[Subject, ...], program: Program
) -> bool:
    """Whether what is not stated is the matter of a message, and no case that it puts to the rules.

    A case is an amount, a day, or a fact that the table asked about turns on. An amount that is the cap itself is none:
    the question is about the cap. Nor is a message that asks for something open (何%, どの県).
    """
    amount = understanding.situation.amount
    plain = silent.score >= FAQ_PLAIN and amount is None and Fact.FISCAL_INDEX not in understanding.said
    if plain or "asks_open" in understanding.signs:
        return True
    rows = [
        row
        for year in program.years
        for subject in {*subjects, Subject.BUDGET}
        if subject in year.parameters
        for rows in year.parameters[subject].values.values()
        for row in rows or ()
    ]
    about_the_cap = "can_we" not in understanding.signs and any(row.value == amount for row in rows)
    if Subject.CAP in subjects and (amount is None or about_the_cap):
        return silent.score >= FAQ_CERTAIN or not any(fact in understanding.said for row in rows for fact in row.when)
    return not (
        Subject.CAP in subjects
        or (Subject.WINDOW in subjects and understanding.days is not None)
        or any(fact in understanding.said for row in rows for fact in row.when)
    )


def _matches(
    understanding: Understanding, inquiry: Inquiry, program: str, catalog: Catalog, searcher: Searcher
) -> tuple[Match, ...]:
    """The entries that the questions of a message ask for, in order of asking; each question has at most one.

    A message that goes on from the last one, or replies to it, must name its own matter plainly.
    """
    replies = understanding.continues and inquiry.conversation.asked_for in understanding.said
    if replies or (understanding.continues and not understanding.matter):
        return ()
    found: dict[tuple[str, str], Match] = {}
    for question in questions_in(understanding.text):
        matter = beside_names(question, catalog.programs.values()) if program else question
        for match in _nearest(question, matter, program, catalog, searcher):
            found.setdefault((match.program, match.entry.id), match)
    return tuple(found.values())


def _nearest(question: str, matter: str, program: str, catalog: Catalog, searcher: Searcher) -> tuple[Match, ...]:
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
            matches.append(Match(entries[key], key[0], scores[key], scores[key] - others >= SAME_MATTER))
    return tuple(matches)


def questions_in(text: str) -> tuple[str, ...]:
    """The questions of a message: the whole, or its parts where several of them ask something."""
    parts = [
        part.strip() for part in re.split(r"(?<=[?？。!])|\n|(?:、|\s)?(?=(?:あと|それと|また|ついでに)[、 ]?)", text)
    ]
    asking = [part for part in parts if re.search(r"\?$|(?:か|の|かな|かね|ですか|教えて[^。]*)[。?!]?$", part)]
    return tuple(asking[:_QUESTIONS]) if len(asking) > 1 else (text[:_QUESTION_LENGTH],)


def _section(heading: str, program: str, searcher: Searcher) -> Chunk | None:
    """The section of a program's guide under a heading; None for no heading."""
    if not heading:
        return None
    hits = searcher.search(heading, program=program, limit=30)
    return next(
        (hit.chunk for hit in hits if hit.chunk.program == program and hit.chunk.headings[-1:] == (heading,)), None
    )


def _from_other_documents(understanding: Understanding, searcher: Searcher, documents_only: bool) -> Findings | None:
    """The answer of a document that belongs to none of the programs, where one fits better than all of theirs.

    With `documents_only` it need not fit better: what is asked without a program's name is then asked of documents.
    """
    hits = searcher.search(understanding.text[:_QUESTION_LENGTH], limit=8)
    if not hits or (hits[0].chunk.program and not documents_only):
        return None
    return _from_passages(understanding.text, [hit for hit in hits if not hit.chunk.program], (), searcher)


def _from_passages(
    question: str, hits: Iterable[Hit], programs: tuple[str, ...], searcher: Searcher
) -> Findings | None:
    """The best passage that answers: near enough, holding what the question is about, and the kind of thing sought."""
    for hit in hits:
        chunk = hit.chunk
        if hit.score < PASSAGE_FITS or not _holds_the_matter(question, chunk, searcher):
            continue
        if text := excerpt(question, chunk, searcher):
            return Findings(programs or (chunk.program,) * bool(chunk.program), passages=(chunk,), texts=(text,))
    return None


def _holds_the_matter(question: str, chunk: Chunk, searcher: Searcher) -> bool:
    """Whether a passage holds what a question asks beside the name of the document: its nouns, where it has any."""
    words = [word for word in searcher.terms(question) if not searcher.covered(word, chunk.title)]
    matter = " ".join([word for word in words if _NOUN.search(word)] or words)
    headings = [heading for heading in chunk.headings if heading != chunk.title]
    return not matter or searcher.covered(matter, " ".join((*headings, chunk.text))) >= COVERED


def _compared(understanding: Understanding, catalog: Catalog, searcher: Searcher) -> Findings:
    """Several programs side by side on what is asked, or the one that suits a wish best."""
    subjects = understanding.subjects
    decisive = bool(understanding.said.keys() & _DECIDES_ELIGIBILITY)
    if not subjects and (decisive or (understanding.programs and Fact.APPLICANT_KIND in understanding.said)):
        subjects = (Subject.ELIGIBILITY,)
    wishes = subjects == (Subject.ELIGIBILITY,) and not decisive and "asks_eligibility" not in understanding.signs
    programs = understanding.programs or tuple(catalog.programs)
    if wishes or not subjects:
        subjects = ()
        if not understanding.programs and "asks_difference" not in understanding.signs:
            return _recommended(understanding.text[:_QUESTION_LENGTH], catalog, searcher) or Findings(
                (), asks_program=True
            )
    chunks = []
    for program in (catalog.programs[id] for id in programs if not has_rule(catalog.programs[id], subjects)):
        in_general = not understanding.programs or len(understanding.matter) <= _A_FEW_WORDS
        question = f"{program.name}とは" if in_general and not subjects else understanding.text
        if chunk := _best_section(question, program.id, catalog, searcher):
            chunks.append(chunk)
    return Findings(programs, subjects, True, passages=tuple(chunks), texts=tuple(chunk.text for chunk in chunks))


def has_rule(program: Program, subjects: tuple[Subject, ...]) -> bool:
    """Whether a program has a parameter for one of the subjects, be it to say that nothing is stated."""
    return any(subject in year.parameters for year in program.years for subject in subjects)


def _best_section(question: str, program: str, catalog: Catalog, searcher: Searcher) -> Chunk | None:
    """The section of a program's guide that comes nearest to a question."""
    matter = beside_names(question, [catalog.programs[program]])
    for match in _nearest(question, matter, program, catalog, searcher):
        if match.entry.section:
            return _section(match.entry.section, program, searcher)
    hits = searcher.search(question, program=program, limit=3)
    return next((hit.chunk for hit in hits if hit.chunk.program == program), None)


def _recommended(wish: str, catalog: Catalog, searcher: Searcher) -> Findings | None:
    """The program whose stated uses hold most of what is wished for; None where none holds enough of it."""

    def suits(program: Program) -> float:
        uses = "。".join((program.summary, *program.suits))
        return max((searcher.covered(part, uses) for part in re.split(r"[。?!\n]", wish) if part.strip()), default=0)

    best = max(catalog.programs.values(), key=suits)
    if suits(best) < SUITS:
        return None
    section = _best_section(wish, best.id, catalog, searcher)
    passages = (section,) if section else ()
    return Findings((best.id,), recommended=True, passages=passages, texts=tuple(chunk.text for chunk in passages))
