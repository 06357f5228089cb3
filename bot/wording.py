"""An answer in English or in やさしい日本語: the rules decide again over the sentences that people wrote in it."""

import re
from collections.abc import Iterator, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from datetime import date

from bot import replies
from bot.composing import asks_for, facts_used, lay_out
from bot.deciding import decide_all
from bot.joining import PartialAnswer, said_by
from bot.replies import EMPTY, IN_OTHER_WORDS, OtherWords, of_one
from bot.types import Answer, AnswerStatus, Understanding, Understood
from bot.understanding.languages import Wish
from bot.understanding.towns import BY_NAME
from knowledge.catalog import Catalog
from knowledge.conflicts import Conflict
from knowledge.languages import in_language
from knowledge.municipalities.records import PublishedIndex
from knowledge.rules.tables import fact_words, is_beside_a_bound
from knowledge.types import Outcome, Ruling, Subject


def unread(wish: Wish) -> Answer:
    """The answer to a message of which nothing is left to be read."""
    text = IN_OTHER_WORDS[wish.language].unread if wish.language else EMPTY
    return Answer(text, AnswerStatus.UNKNOWN)


def reword(
    answer: Answer,
    parts: Sequence[PartialAnswer],
    wish: Wish,
    catalog: Catalog,
    conflicts: tuple[Conflict, ...],
) -> Answer:
    """The same answer in the language that is wished for, from what was understood and found for each of its parts.

    What rules decided has words of its own; anything else, such as a passage of a document, stays as it is written, and
    that is said. Verdict, citations and rulings are those of the answer.
    """
    if wish.language is None:
        return answer
    words = IN_OTHER_WORDS[wish.language]
    worded = in_language(catalog, wish.language)
    warned = {(conflict.program, conflict.subject) for conflict in conflicts}
    several = len({ruling.program for ruling in answer.rulings}) > 1
    told = [_told(part, words, wish, worded, warned, several=several) for part in parts]
    lines = [line for of_part in told for line in of_part.lines]
    if answer.missing:
        asker = next((part.understanding for part in parts if part.answer.missing and part.understanding), None)
        fact = worded.facts[answer.missing[0]]
        lines.append(asks_for(fact, asker, wish.inquiry) if asker else fact.question)
    if taken := tuple(dict.fromkeys(label for of_part in told for label in of_part.taken)):
        lines.append(words.taken.format(facts=words.listed.join(taken)))
    years = sorted({year for of_part in told for year in of_part.years})
    basis = words.basis.format(years="・".join(map(str, years))) if years else answer.basis
    text = lay_out(lines, answer.citations, basis)
    if wish.read_as:
        text = "\n".join((words.read_as.format(question=wish.read_as), text))
    if wish.language == "easy":
        return replace(answer, text=text)
    choices = tuple(replace(choice, label=choice.label_en or choice.label) for choice in answer.choices)
    return replace(answer, text=text, choices=choices, suggestions=())


@dataclass(frozen=True)
class _Told:
    """What one part of an answer says in other words: lines, the facts that it took, the years that it rests on."""

    lines: tuple[str, ...]
    taken: tuple[str, ...] = ()
    years: frozenset[int] = frozenset()


def _told(
    part: PartialAnswer,
    words: OtherWords,
    wish: Wish,
    worded: Catalog,
    warned: AbstractSet[tuple[str, str]],
    *,
    several: bool,
) -> _Told:
    in_japanese = () if part.answer.missing and not part.answer.lines else (words.only_japanese, said_by(part))
    if not (part.answer.rulings and part.understanding and part.findings):
        return _Told(in_japanese)
    rulings = decide_all(part.understanding, part.findings.programs, wish.inquiry, worded)
    lines = tuple(_sentences(rulings, part, words, worded, several=several))
    if part.label:
        lines = (of_one(part.label, (), words.between.join(lines)),)
    if part.findings.passages or part.findings.silences or warned & {(r.program, r.subject) for r in rulings}:
        lines += in_japanese
    used = facts_used(rulings, part.findings, part.understanding, worded)
    years = (r.fiscal_year for r in rulings if r.outcome is Outcome.SETTLED and r.fiscal_year is not None)
    return _Told(lines, tuple(_label(fact, words, worded) for fact in used), frozenset(years))


def _label(fact: Understood, words: OtherWords, worded: Catalog) -> str:
    if fact.by == BY_NAME:
        return fact.label
    if worded.facts[fact.slot].kind == "number" and not is_beside_a_bound(fact.value):
        return words.index.format(value=fact.value)
    return fact_words(worded.facts[fact.slot], fact.value)


def _sentences(
    rulings: Sequence[Ruling], part: PartialAnswer, words: OtherWords, worded: Catalog, *, several: bool
) -> Iterator[str]:
    """What is settled or not stated, then what is said beside the fact that is asked for.

    Each is told of which program it is where there are `several`.
    """
    supposed = part.understanding.supposed.values() if part.understanding else ()
    others = {**words.sentences, **{replies.supposed(said): words.supposed.format(words=said) for said in supposed}}
    for published in _published(part.understanding) if part.understanding else ():
        others |= words.of_published(published)
    for ruling in sorted(rulings, key=lambda ruling: ruling.outcome is Outcome.NEEDS_FACTS):
        if ruling.outcome is Outcome.NEEDS_FACTS and not part.answer.missing:
            continue
        program = worded.programs[ruling.program]
        says = ruling.says
        for japanese, other in others.items():
            says = says.replace(japanese, other)
        says = re.sub(r"(?<=[.)])(?=[A-Z(])", words.between, says)  # rules put sentences together as Japanese has them
        name = f"{program.name}:" if several else ""
        whom = "" if part.answer.status is not AnswerStatus.UNKNOWN else words.ask.format(contact=program.contact)
        parts = (name, _lead(ruling, words), says, _follows(ruling, words), whom)
        yield words.between.join(part for part in parts if part)


def _published(understanding: Understanding) -> tuple[PublishedIndex, ...]:
    """The published indices that an answer may name."""
    of_the_case = (town.published for town in understanding.towns)
    return (*understanding.index_of, *(published for published in of_the_case if published))


def _lead(ruling: Ruling, words: OtherWords) -> str:
    """Yes or no to an amount or days that were put forward."""
    return words.verdicts[ruling.verdict] if ruling.asked is not None and ruling.verdict else ""


def _follows(ruling: Ruling, words: OtherWords) -> str:
    """The day or the year that a rule computed."""
    if not isinstance(ruling.value, date):
        return ""
    if ruling.subject is Subject.QUESTIONNAIRE:
        return words.year.format(year=ruling.value.year)
    return (words.opens if ruling.subject is Subject.WINDOW else words.dated).format(day=ruling.value)
