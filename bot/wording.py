"""An answer in English or in やさしい日本語: the rules decide again over the sentences that people wrote in it."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import date

from bot.composing import asks_for, facts_used, lay_out
from bot.deciding import decide_all
from bot.replies import EMPTY, IN_OTHER_WORDS, OtherWords
from bot.types import Answer, AnswerStatus, Findings, Understanding
from bot.understanding.languages import Wish
from knowledge.catalog import Catalog
from knowledge.conflicts import Conflict
from knowledge.languages import in_language
from knowledge.types import Outcome, Ruling, Subject


def unread(wish: Wish) -> Answer:
    """The answer to a message of which nothing is left to be read."""
    text = IN_OTHER_WORDS[wish.language].unread if wish.language else EMPTY
    return Answer(text, AnswerStatus.UNKNOWN)


def reword(
    answer: Answer,
    wish: Wish,
    understanding: Understanding | None,
    findings: Findings | None,
    catalog: Catalog,
    conflicts: tuple[Conflict, ...],
) -> Answer:
    """The same answer in the language that is wished for.

    What rules decided has words of its own; anything else, such as a passage of a document, stays as it is written, and
    that is said. Verdict, citations and rulings are those of the answer.
    """
    if wish.language is None:
        return answer
    words = IN_OTHER_WORDS[wish.language]
    worded = in_language(catalog, wish.language)
    text = ""
    if answer.rulings and understanding and findings:
        rulings = decide_all(understanding, findings.programs, wish.inquiry, worded)
        sentences = [*_sentences(rulings, answer, words, worded)]
        sentences += [asks_for(worded.facts[fact], understanding, wish.inquiry) for fact in answer.missing[:1]]
        if used := facts_used(rulings, findings, understanding, catalog):
            sentences.append(words.taken.format(facts="、".join(fact.label for fact in used)))
        years = {r.fiscal_year for r in rulings if r.outcome is Outcome.SETTLED and r.fiscal_year is not None}
        basis = words.basis.format(years="・".join(map(str, sorted(years)))) if years else ""
        ruled = {(ruling.program, ruling.subject) for ruling in rulings}
        warned = any((conflict.program, conflict.subject) in ruled for conflict in conflicts)
        if warned or findings.passages or findings.silences:
            text = "\n\n".join((lay_out(sentences, (), ""), words.only_japanese, answer.text))
        else:
            text = lay_out(sentences, answer.citations, basis)
    elif answer.missing:
        text = worded.facts[answer.missing[0]].question
    else:
        text = "\n".join((words.only_japanese, answer.text))
    if wish.read_as:
        text = "\n".join((words.read_as.format(question=wish.read_as), text))
    if wish.language == "easy":
        return replace(answer, text=text)
    choices = tuple(replace(choice, label=choice.label_en or choice.label) for choice in answer.choices)
    return replace(answer, text=text, choices=choices, suggestions=())


def _sentences(rulings: Sequence[Ruling], answer: Answer, words: OtherWords, worded: Catalog) -> Iterator[str]:
    """What is settled or not stated, then what is said beside the fact that is asked for."""
    several = len({ruling.program for ruling in rulings}) > 1
    for ruling in sorted(rulings, key=lambda ruling: ruling.outcome is Outcome.NEEDS_FACTS):
        if ruling.outcome is Outcome.NEEDS_FACTS and not answer.missing:
            continue
        program = worded.programs[ruling.program]
        says = ruling.says
        for japanese, other in words.sentences.items():
            says = says.replace(japanese, other)
        says = re.sub(r"(?<=[.)])(?=[A-Z(])", words.between, says)  # rules put sentences together as Japanese has them
        name = f"{program.name}:" if several else ""
        whom = "" if answer.status is not AnswerStatus.UNKNOWN else words.ask.format(contact=program.contact)
        parts = (name, _lead(ruling, words), says, _follows(ruling, words), whom)
        yield words.between.join(part for part in parts if part)


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
