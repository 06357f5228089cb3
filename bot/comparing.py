"""Sets programs side by side, and recommends the one that suits a wish."""

import re
from collections.abc import Callable, Sequence
from dataclasses import replace

from bot import replies
from bot.deciding import decide_all
from bot.matching import LEARNT_PLAIN, QUESTION_LENGTH, nearest_entries, nearest_section
from bot.types import Findings, Inquiry, Understanding
from bot.understanding import beside_names
from bot.understanding.asking import Which, load_subjects
from knowledge.catalog import Catalog
from knowledge.search import Searcher
from knowledge.types import Chunk, Fact, Outcome, Program, Ruling, Subject, Verdict

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
    plainly = understanding.signs & {"asks_eligibility", "asks_in_general", "asks_for_another"}
    of_a_way = Fact.MEETING_MODE in understanding.said  # 現地に来てもらえるのはどれ wishes for that
    wishes = subjects == (Subject.ELIGIBILITY,) and not (decisive or (plainly and not of_a_way))
    programs = understanding.programs or tuple(catalog.programs)
    whose = "speaks_of_us" in understanding.signs or Fact.APPLICANT_KIND in understanding.said
    if not decisive and (sections := _plain_matters(understanding, catalog, searcher)):
        return Findings(programs, (), True, passages=sections, texts=tuple(chunk.text for chunk in sections))
    no_wish = whose and understanding.plain and "asks_which" in understanding.signs and not understanding.programs
    if no_wish and subjects in ((), (Subject.ELIGIBILITY,)):
        subjects = (Subject.ELIGIBILITY,)  # うちにはどれがいい says nothing of what for
    elif wishes or not subjects:
        subjects = ()
        if not understanding.programs and "asks_difference" not in understanding.signs:
            return recommend(understanding.text[:QUESTION_LENGTH], catalog, searcher) or Findings((), asks_program=True)
    chunks = []
    for program in () if subjects else (catalog.programs[id] for id in programs):
        in_general = not understanding.programs or len(understanding.matter) <= _A_FEW_WORDS
        question = f"{program.name}とは" if in_general else understanding.text
        if chunk := nearest_section(question, program.id, catalog, searcher):
            chunks.append(chunk)
    return Findings(programs, subjects, True, passages=tuple(chunks), texts=tuple(chunk.text for chunk in chunks))


def _plain_matters(understanding: Understanding, catalog: Catalog, searcher: Searcher) -> tuple[Chunk, ...]:
    """The sections of the programs named, one of each, that wordings have plainly taught a message to ask for."""
    matter = beside_names(understanding.text, catalog.programs.values())[:QUESTION_LENGTH]
    sections = []
    for program in understanding.programs:
        match = next(iter(nearest_entries(matter, matter, program, catalog, searcher)), None)
        if match is None or match.learnt < LEARNT_PLAIN or not match.entry.section:
            return ()
        sections.append(searcher.section(program, match.entry.section))
    return tuple(section for section in sections if section)


def which_one(rulings: Sequence[Ruling], understanding: Understanding, catalog: Catalog) -> str:
    """Which programs it is, in one sentence, where one matter is compared and it is asked which; else ""."""
    subjects = {ruling.subject for ruling in rulings}
    of_a_body = subjects == {Subject.ELIGIBILITY}
    of_somebody = Fact.APPLICANT_KIND in understanding.situation.facts or any(ruling.verdict for ruling in rulings)
    asks_which = bool(understanding.signs & {"asks_which", "asks_most", "asks_least"})
    if len(subjects) != 1 or not (of_somebody if of_a_body else asks_which):
        return ""
    cues = next(cues for cues in load_subjects() if cues.subject in subjects)
    numbers = {ruling.compares_as for ruling in rulings if ruling.compares_as is not None}
    ranked = next((which for which in _RANKED if f"asks_{which}" in understanding.signs), None)
    if ranked and ranked in cues.which and len(numbers) > 1:
        chosen = max(numbers) if ranked == "most" else min(numbers)
        return replies.which_one(cues.which[ranked], _names(rulings, catalog, lambda r: r.compares_as == chosen))
    if "stated" not in cues.which:
        return ""
    unit = cues.which_unit
    fitting = _names(
        rulings,
        catalog,
        lambda r: (
            r.outcome is Outcome.SETTLED
            and r.verdict in (None, Verdict.ELIGIBLE)
            and unit in (None, r.unit)
            and r.compares_as != 0
        ),
    )
    depends = _names(rulings, catalog, lambda r: r.outcome is Outcome.NEEDS_FACTS or r.verdict is Verdict.CONDITIONAL)
    return replies.which_one(cues.which["stated"], fitting, depends if of_a_body else ())


_RANKED: tuple[Which, ...] = ("most", "least")


def _names(rulings: Sequence[Ruling], catalog: Catalog, fits: Callable[[Ruling], bool]) -> tuple[str, ...]:
    return tuple(catalog.programs[ruling.program].short_name for ruling in rulings if fits(ruling))


def elsewhere(ruling: Ruling, understanding: Understanding, inquiry: Inquiry, catalog: Catalog) -> tuple[Ruling, ...]:
    """What the other programs decide for a body that one of them leaves out, where it may be eligible."""
    others = tuple(id for id in catalog.programs if id != ruling.program)
    asked = replace(understanding, subjects=(Subject.ELIGIBILITY,))
    return tuple(
        other
        for other in decide_all(asked, others, inquiry, catalog)
        if other.outcome is Outcome.NEEDS_FACTS or other.verdict in (Verdict.ELIGIBLE, Verdict.CONDITIONAL)
    )


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
