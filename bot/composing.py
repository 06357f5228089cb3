"""Composes the offline answer: the ruling in one plain sentence, why, what it rests on, and what to do next."""

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from decimal import Decimal

from bot import replies
from bot.comparing import elsewhere, which_one
from bot.types import Answer, AnswerPart, AnswerStatus, Citation, Findings, Inquiry, Understanding, Understood
from bot.understanding.asking import load_subjects
from bot.understanding.towns import INDEX_TAPS, namesake_choices
from knowledge.catalog import Catalog
from knowledge.conflicts import Conflict
from knowledge.figures import (
    Dimension,
    fiscal_year_of,
    format_date,
    format_fiscal_year,
    format_number,
    format_yen,
)
from knowledge.rules.tables import rows_of, stated_subjects
from knowledge.types import (
    Choice,
    Chunk,
    Fact,
    FactQuestion,
    FaqEntry,
    Outcome,
    Program,
    Ruling,
    Subject,
    Unit,
    Verdict,
)

_UNIT_WORDS: Mapping[Unit, str] = {
    "day": "日",
    "hour": "時間",
    "meeting": "回",
    "month": "か月",
    "count": "回",
    "ratio": "",
}

DIMENSIONS: Mapping[Unit | None, Dimension] = {
    "yen": Dimension.YEN,
    "day": Dimension.DAY,
    "hour": Dimension.HOUR,
    "month": Dimension.MONTH,
    "count": Dimension.TIME,
    "meeting": Dimension.TIME,
}
"""In which dimension a figure of a unit is read."""

_REPEATED = 0.75
"""From this share of its words on, a passage is taken for a repetition of what was said."""

_PLACES_SHOWN = 2
"""Of the sources, so many are named in the text; all of them are in the citations."""

_PASSAGE_LENGTH = 220
"""Characters of a document's passage that are shown: an answer fits a phone's screen."""


def compose(
    rulings: tuple[Ruling, ...],
    findings: Findings,
    understanding: Understanding,
    inquiry: Inquiry,
    catalog: Catalog,
    conflicts: tuple[Conflict, ...],
) -> Answer:
    """The answer from rulings and passages: what is settled, the passages, then the first fact that is still open.

    Where a document differs from what is said, both are named, until a person settles which of them holds.
    """
    if not findings.side_by_side:
        rulings = _strictest_first(rulings)
    still_open = [ruling for ruling in rulings if ruling.outcome is Outcome.NEEDS_FACTS]
    settled = [ruling for ruling in rulings if ruling.outcome is Outcome.SETTLED]
    out = next((ruling for ruling in settled if ruling.verdict is Verdict.INELIGIBLE), None)
    if out and not findings.side_by_side:
        still_open = []
    said = {
        ruling: _sentence(ruling, understanding, inquiry, catalog) for ruling in rulings if ruling not in still_open
    }
    shown = [
        (chunk, text)
        for chunk, text in zip(findings.passages, findings.texts, strict=True)
        if not repeats(text, (*said.values(), *(ruling.says for ruling in still_open)))
    ]
    if findings.side_by_side:
        said |= {ruling: ruling.says for ruling in still_open}
        sentences = _set_beside(said, shown, findings, understanding, catalog)
    else:
        sentences = [*said.values(), *(shorten(text) for _, text in shown)]
    if findings.silences:
        sentences.append(_not_stated(findings.silences, [catalog.programs[id] for id in findings.programs], ""))
    if findings.recommended:
        program = catalog.programs[findings.programs[0]]
        sentences.insert(0, replies.recommended(program.name, program.summary))
    stated: set[tuple[str, str]] = {(ruling.program, ruling.subject) for ruling in rulings}
    stated |= {(chunk.program, chunk.headings[-1]) for chunk, _ in shown if chunk.quote}
    sentences += [
        replies.conflict(conflict.place, conflict.document_says, conflict.rule_says)
        if conflict.document_says
        else replies.vanished(conflict.place, conflict.rule_says)
        for conflict in conflicts
        if (conflict.program, conflict.subject) in stated
    ]
    understood = facts_used(rulings, findings, understanding, catalog)
    taken = () if still_open else tuple(fact.label for fact in understood)
    asks: tuple[str, ...] = ()
    missing: tuple[Fact, ...] = ()
    choices: tuple[Choice, ...] = ()
    if still_open:
        sentences += [] if findings.side_by_side else [still_open[0].says]
    if open_one := next(iter((*still_open, *(ruling for ruling in settled if ruling.missing))), None):
        fact = catalog.facts[open_one.missing[0]]
        asks = (asks_for(fact, understanding, inquiry),)
        missing, choices = open_one.missing, choices_of(fact, understanding)
    elif not (settled or shown or findings.silences):
        contacts = {catalog.programs[ruling.program].contact for ruling in rulings}
        sentences.append(replies.whom_to_ask("、".join(sorted(contacts))))

    others = elsewhere(out, understanding, inquiry, catalog) if out and _is_flatly_out(out, findings) else ()
    cited = (cite_chunk(chunk, text, catalog) for chunk, text in shown)
    citations = tuple(dict.fromkeys((*cite_rulings((*rulings, *others), catalog), *cited)))
    years = [ruling.fiscal_year for ruling in settled if ruling.fiscal_year is not None]
    years += [
        max(catalog.programs[chunk.program].verified_years) for chunk, _ in shown if chunk.program and chunk.quote
    ]
    asked_of = catalog.programs[findings.programs[0]] if len(findings.programs) == 1 else None
    basis = replies.basis(years, _year_asked(understanding, inquiry))
    return Answer(
        lines=tuple(dict.fromkeys(sentence for sentence in sentences if sentence)),
        taken=taken,
        basis=basis,
        asks="".join(asks),
        suggestions=(
            (*(() if asks else _follow_ups(asked_of, rulings)), *_corrections(understood, catalog))
            if asked_of and not still_open
            else ()
        ),
        understood=understanding.understood,
        elsewhere=_fits_elsewhere(others, catalog),
        text=lay_out((*sentences, _fits_elsewhere(others, catalog), *last_lines(taken, asks)), citations, basis),
        status=(
            AnswerStatus.NEEDS_INFO if asks else AnswerStatus.ANSWERED if settled or shown else AnswerStatus.UNKNOWN
        ),
        verdict=None if still_open or findings.side_by_side else _verdict(rulings, understanding),
        missing=missing,
        citations=citations,
        rulings=rulings,
        choices=choices,
        parts=_parts(said) if findings.side_by_side else (),
    )


def _set_beside(
    said: Mapping[Ruling, str],
    shown: Sequence[tuple[Chunk, str]],
    findings: Findings,
    understanding: Understanding,
    catalog: Catalog,
) -> list[str]:
    """A line for each program of a comparison, under a sentence that says which it is where that is asked."""
    several = len({ruling.subject for ruling in said}) > 1
    lines = [which_one(tuple(said), understanding, catalog)]
    for id in findings.programs:
        of_it = [
            f"{_labels()[ruling.subject]}は{in_brief}。" if several and in_brief != sentence else in_brief
            for ruling, sentence in said.items()
            if ruling.program == id and (in_brief := _in_brief(ruling, sentence))
        ]
        of_it += [shorten(text) for chunk, text in shown if chunk.program == id]
        lines.append(replies.of_program(catalog.programs[id].short_name, of_it or [replies.NOT_IN_DOCUMENTS]))
    return lines


def _in_brief(ruling: Ruling, sentence: str) -> str:
    """A ruling beside those of other programs: in a few words where it is on nobody's case."""
    if ruling.outcome is Outcome.NOT_STATED and not ruling.evidence:
        return replies.NOT_IN_DOCUMENTS
    return sentence if ruling.verdict or ruling.outcome is Outcome.NEEDS_FACTS else ruling.brief or sentence


def _labels() -> dict[Subject, str]:
    return {cues.subject: cues.label for cues in load_subjects()}


_HOW_IT_ENDED = {
    Outcome.SETTLED: AnswerStatus.ANSWERED,
    Outcome.NEEDS_FACTS: AnswerStatus.NEEDS_INFO,
    Outcome.NOT_STATED: AnswerStatus.UNKNOWN,
}


def _parts(said: Mapping[Ruling, str]) -> tuple[AnswerPart, ...]:
    """The programs of a comparison, each with what it says on each matter."""
    return tuple(
        AnswerPart(r.program, r.subject, _HOW_IT_ENDED[r.outcome], r.verdict, _in_brief(r, sentence))
        for r, sentence in said.items()
    )


def _is_flatly_out(ruling: Ruling, findings: Findings) -> bool:
    """Whether one program leaves a body out, so that it is told what else may fit."""
    return ruling.subject is Subject.ELIGIBILITY and not findings.side_by_side


def _fits_elsewhere(others: Sequence[Ruling], catalog: Catalog) -> str:
    names = [catalog.programs[r.program].short_name for r in others if r.verdict is Verdict.ELIGIBLE]
    depends = {
        catalog.programs[r.program].short_name: _first_sentence(r.says)
        for r in others
        if r.verdict is not Verdict.ELIGIBLE
    }
    return replies.fits_elsewhere(names, depends)


def last_lines(taken: Iterable[str], asks: Iterable[str]) -> tuple[str, ...]:
    """What stands under all that an answer says: the case as it was taken, and what is asked for."""
    labels = tuple(dict.fromkeys(taken))
    return (*([replies.understood(labels)] if labels else ()), *asks)


def asks_for(fact: FactQuestion, understanding: Understanding, inquiry: Inquiry) -> str:
    """The question for a fact; where to find it out, to who was asked and does not know.

    Of an index that is published it is asked whether it holds, and which body it is of where several bear its name.
    """
    if fact.fact is Fact.FISCAL_INDEX and understanding.offered:
        return fact.confirm
    if fact.fact is Fact.FISCAL_INDEX and len(understanding.towns) > 1:
        return fact.tell_apart.format(name=understanding.towns[0].name)
    not_known = "does_not_know" in understanding.signs and fact.fact is inquiry.conversation.asked_for
    return fact.look_up if not_known else fact.question


def choices_of(fact: FactQuestion, understanding: Understanding) -> tuple[Choice, ...]:
    """What can be tapped to answer the question for a fact."""
    if fact.fact is not Fact.FISCAL_INDEX:
        return fact.choices
    return INDEX_TAPS if understanding.offered else namesake_choices(understanding.towns)


def _verdict(rulings: tuple[Ruling, ...], understanding: Understanding) -> Verdict | None:
    """The strictest verdict; a yes does not stand beside what is not stated, or an amount that is not known."""
    verdict = next((ruling.verdict for ruling in rulings if ruling.verdict), None)
    situation = understanding.situation
    unclear = situation.amount is None and situation.amount_unit is not None
    silent = any(r.subject is Subject.CAP and (r.outcome is Outcome.NOT_STATED or unclear) for r in rulings)
    return None if silent and verdict is Verdict.ELIGIBLE else verdict


STRICTNESS = (Verdict.INELIGIBLE, Verdict.CONDITIONAL, Verdict.ELIGIBLE, None)
"""Which verdict leads: what fits one rule and not another is out."""


def _strictest_first(rulings: tuple[Ruling, ...]) -> tuple[Ruling, ...]:
    """Of several rulings on one case the strictest leads."""
    if sum(ruling.verdict is not None for ruling in rulings) < 2:
        return rulings
    return tuple(sorted(rulings, key=lambda ruling: STRICTNESS.index(ruling.verdict)))


def facts_used(
    rulings: tuple[Ruling, ...], findings: Findings, understanding: Understanding, catalog: Catalog
) -> tuple[Understood, ...]:
    """The facts that the verdicts turn on, as they were understood."""
    decided = [ruling for ruling in rulings if ruling.verdict is not None]
    if findings.side_by_side or not decided:
        return ()
    used = {
        fact
        for ruling in decided
        for row in rows_of(catalog.programs[ruling.program], ruling.subject)
        for fact in row.when
    }
    return tuple(fact for fact in understanding.understood if fact.slot in used)


_CORRECTIONS = 2
"""More taps than these beside those that go on do not fit a phone's screen."""


def _corrections(understood: tuple[Understood, ...], catalog: Catalog) -> tuple[str, ...]:
    """The taps that put right what was understood: the facts that can be asked for."""
    asked = [catalog.facts[fact.slot] for fact in understood if catalog.facts[fact.slot].asked]
    return tuple(replies.correction_of(question.label) for question in asked)[:_CORRECTIONS]


def _follow_ups(program: Program, rulings: tuple[Ruling, ...]) -> tuple[str, ...]:
    """What people ask next of a program: the commonest matters that it states and that were not just answered."""
    answered = {ruling.subject for ruling in rulings}
    return tuple(
        text for subject, text in replies.FOLLOW_UPS.items() if subject in stated_subjects(program) - answered
    )[:3]


def repeats(text: str, sentences: Iterable[str]) -> bool:
    """Whether a text says nothing new: its figures and its words in kanji stand in the sentences before it."""
    words = set(re.findall(r"[0-9][0-9,.]*|[一-龠]{2,}|[ァ-ヶー]{2,}", text))
    said = "".join(sentences)
    return bool(words) and sum(word in said for word in words) >= _REPEATED * len(words)


def _sentence(ruling: Ruling, understanding: Understanding, inquiry: Inquiry, catalog: Catalog) -> str:
    """A ruling in words: the verdict on the figure or day asked about, then the rule's own sentence."""
    match ruling.subject, ruling.outcome:
        case _, Outcome.NEEDS_FACTS:
            return ruling.says
        case _, Outcome.NOT_STATED:
            return ruling.says or replies.not_stated(_subject_words(ruling, catalog), "", "")
        case Subject.CAP, _ if isinstance(ruling.asked, Decimal):
            return _cap_sentence(ruling, understanding, catalog)
        case Subject.CALLS_PER_YEAR, _ if isinstance(ruling.asked, Decimal):
            return replies.times_verdict(format_amount(ruling.asked, ruling.unit), ruling.verdict) + ruling.says
        case Subject.WINDOW, _ if isinstance(ruling.asked, tuple):
            days = _days_words(*ruling.asked)
            if isinstance(ruling.value, date):
                return replies.window_closed(days, ruling.value) + ruling.says
            return replies.window_open(days) + ruling.says
        case Subject.REPORT_DUE, _ if (
            isinstance(ruling.value, date) and isinstance(ruling.asked, tuple) and ruling.verdict
        ):
            handed_in = replies.report_handed_in(_days_words(*ruling.asked), ruling.verdict)
            return handed_in + ruling.says + replies.report_due(format_date(ruling.value), over=False)
        case Subject.REPORT_DUE, _ if isinstance(ruling.value, date):
            return ruling.says + replies.report_due(format_date(ruling.value), ruling.value < inquiry.as_of)
        case Subject.QUESTIONNAIRE, _ if isinstance(ruling.value, date):
            return ruling.says + replies.questionnaire_year(format_fiscal_year(ruling.value.year))
        case _ if "claims" in understanding.signs and isinstance(ruling.value, Decimal):
            return _claim_sentence(ruling, understanding) + ruling.says
        case _:
            return ruling.says


def _claim_sentence(ruling: Ruling, understanding: Understanding) -> str:
    """Yes or no to a figure that was put forward in the unit of the ruling's."""
    claimed = [figure.value for figure in understanding.figures if figure.dimension == DIMENSIONS.get(ruling.unit)]
    if not claimed:
        return ""
    return replies.claim_verdict(format_amount(claimed[0], ruling.unit), ruling.value in claimed)


def _cap_sentence(ruling: Ruling, understanding: Understanding, catalog: Catalog) -> str:
    amount = format_amount(ruling.asked, ruling.unit) if isinstance(ruling.asked, Decimal) else ""
    claimed = "claims" in understanding.signs and "names_cap" in understanding.signs
    lead = (
        replies.claim_verdict(amount, ruling.asked == ruling.value)
        if claimed and (ruling.value is not None or ruling.verdict is Verdict.INELIGIBLE)
        else replies.amount_verdict(amount, ruling.verdict)
    )
    budgets = rows_of(catalog.programs[ruling.program], Subject.BUDGET)
    budget = next((row.says for row in budgets if row.value == ruling.asked), "")
    return lead + ruling.says + budget


def _subject_words(ruling: Ruling, catalog: Catalog) -> str:
    """The name of a subject that the documents are silent on."""
    program = catalog.programs[ruling.program]
    descriptions = [
        year.parameters[ruling.subject].description for year in program.years if ruling.subject in year.parameters
    ]
    what = _LIMITED_BY.get(ruling.unit, descriptions[-1] if descriptions else "この点")
    elsewhere = ruling.fiscal_year is not None and ruling.unit is None and rows_of(program, ruling.subject)
    year = f"{format_fiscal_year(ruling.fiscal_year)}の" if elsewhere and ruling.fiscal_year is not None else ""
    return f"{program.name}の{year}{what}"


_LIMITED_BY: Mapping[Unit | None, str] = {"day": "日数の上限", "hour": "時間数の上限", "yen": "金額の上限"}
"""What is not stated where a program has a limit, and of another unit than the one asked about."""


def format_amount(amount: Decimal, unit: Unit | None) -> str:
    """An amount with its unit: 8,000万円, 3日, 10.5時間, 10時間10分."""
    if unit == "hour" and amount * 10 % 1:
        hours, minutes = divmod(round(amount * 60), 60)
        return f"{hours}時間{minutes}分"
    return format_yen(amount) if unit == "yen" else f"{format_number(amount)}{_UNIT_WORDS.get(unit or 'none', '')}"


def _days_words(first: date, last: date) -> str:
    """The days asked about: one day, or the months that they cover."""
    if first == last:
        return f"{first.year}年{first.month}月{first.day}日"
    if (first.year, first.month) == (last.year, last.month):
        return f"{first.year}年{first.month}月"
    return f"{first.year}年{first.month}月から{last.year}年{last.month}月"


def _year_asked(understanding: Understanding, inquiry: Inquiry) -> int:
    return understanding.fiscal_year if understanding.fiscal_year is not None else fiscal_year_of(inquiry.as_of)


def compose_silence(
    entries: Sequence[FaqEntry], programs: Sequence[Program], nearby: Chunk | None, catalog: Catalog
) -> Answer:
    """The documents say nothing of what was asked; what they say nearby is given, and a person named to ask."""
    citations = (cite_chunk(nearby, nearby.text, catalog),) if nearby else ()
    text = _not_stated(entries, programs, nearby.text if nearby else "")
    return Answer(lay_out([text], citations, ""), AnswerStatus.UNKNOWN, citations=citations, lines=(text,))


def _not_stated(entries: Sequence[FaqEntry], programs: Sequence[Program], nearby: str) -> str:
    what = "、".join(dict.fromkeys(entry.not_stated for entry in entries))
    names = "、".join(program.name for program in programs if program.name not in what)
    contacts = "、".join(dict.fromkeys(program.contact for program in programs))
    return replies.not_stated(f"{names}の{what}" if names else what, contacts, nearby)


def lay_out(sentences: Iterable[str], citations: tuple[Citation, ...], basis: str) -> str:
    """An answer's text: the sentences, then one line of sources, then the year that they rest on."""
    body = "\n".join(dict.fromkeys(sentence for sentence in sentences if sentence))
    places: dict[str, list[str]] = {}
    for citation in citations:
        if citation.place not in places.setdefault(citation.source, []):
            places[citation.source].append(citation.place)
    shown = [f"{source} > {' / '.join(of_source[:_PLACES_SHOWN])}" for source, of_source in places.items()]
    sources = f"{replies.SOURCES.strip()} {'、'.join(shown[:_PLACES_SHOWN])}" if shown else ""
    return "\n\n".join(part for part in (body, "\n".join(line for line in (sources, basis) if line)) if part)


def cite_rulings(rulings: Iterable[Ruling], catalog: Catalog) -> tuple[Citation, ...]:
    """The evidence of rulings, each phrase once."""
    return tuple(
        dict.fromkeys(
            Citation("", evidence.document, evidence.place, evidence.quote)
            if evidence.document
            else _citation(catalog.programs[ruling.program], evidence.place, evidence.quote)
            for ruling in rulings
            for evidence in ruling.evidence
        )
    )


def cite_chunk(chunk: Chunk, text: str, catalog: Catalog) -> Citation:
    """A passage as a source. A guide's section stands for the place of the official page that it was written from."""
    if chunk.program and chunk.quote:
        return _citation(catalog.programs[chunk.program], chunk.place, chunk.quote)
    return Citation(chunk.program, chunk.title, chunk.place or chunk.title, _first_sentence(text), chunk.url)


def _citation(program: Program, place: str, quote: str) -> Citation:
    return Citation(program.id, program.document.title, f"{program.name} {place}", quote, program.document.url)


def _first_sentence(text: str) -> str:
    return re.split(r"(?<=[。!?])|\n", text.strip())[0]


def shorten(text: str) -> str:
    """A passage cut after the last sentence that fits."""
    if len(text) <= _PASSAGE_LENGTH:
        return text
    kept = ""
    for sentence in re.findall(r"[^。\n]+[。\n]?", text):
        if kept and len(kept) + len(sentence) > _PASSAGE_LENGTH:
            break
        kept += sentence
    return kept.strip() if len(kept) <= 2 * _PASSAGE_LENGTH else kept[:_PASSAGE_LENGTH] + "…"
