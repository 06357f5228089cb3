"""Sets programs side by side, and recommends the one that suits a wish."""

import re

from bot.matching import QUESTION_LENGTH, nearest_section
from bot.types import Findings, Understanding
from knowledge.catalog import Catalog
from knowledge.rules.tables import known_subjects
from knowledge.search import Searcher
from knowledge.types import Fact, Program, Subject

SUITS = 0.4
"""From this share of a wish's content on, a program's stated uses are taken to suit it."""

_A_FEW_WORDS = 12
"""A message that asks nothing but the difference of programs has at most so many characters beside their names."""

_DECIDES_ELIGIBILITY = frozenset(
    (Fact.FISCAL_INDEX, Fact.INVESTMENT_OR_NONPROFIT, Fact.PAST_SELECTION, Fact.RECOMMENDATION, Fact.PARTNERSHIP)
)
"""Facts of an applicant, which make a comparison of programs a question of who can apply."""


def compare_programs(understanding: Understanding, catalog: Catalog, searcher: Searcher) -> Findings:
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
            return recommend(understanding.text[:QUESTION_LENGTH], catalog, searcher) or Findings((), asks_program=True)
    chunks = []
    for program in (catalog.programs[id] for id in programs):
        if known_subjects(program) & set(subjects):
            continue
        in_general = not understanding.programs or len(understanding.matter) <= _A_FEW_WORDS
        question = f"{program.name}とは" if in_general and not subjects else understanding.text
        if chunk := nearest_section(question, program.id, catalog, searcher):
            chunks.append(chunk)
    return Findings(programs, subjects, True, passages=tuple(chunks), texts=tuple(chunk.text for chunk in chunks))


def recommend(wish: str, catalog: Catalog, searcher: Searcher) -> Findings | None:
    """The program whose stated uses hold most of what is wished for; None where none holds enough of it."""

    def suits(program: Program) -> float:
        uses = "。".join((program.summary, *program.suits))
        return max((searcher.covered(part, uses) for part in re.split(r"[。?!\n]", wish) if part.strip()), default=0)

    best = max(catalog.programs.values(), key=suits)
    if suits(best) < SUITS:
        return None
    section = nearest_section(wish, best.id, catalog, searcher)
    passages = (section,) if section else ()
    return Findings((best.id,), recommended=True, passages=passages, texts=tuple(chunk.text for chunk in passages))
