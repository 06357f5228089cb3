"""Reads a message without a model: which programs, what is asked, and what is known of the person's case.

The wordings are data (wordings.yaml); this module only decides which of them count for what.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

from bot.types import Conversation, Inquiry, Understanding
from knowledge.catalog import Catalog, read_yaml
from knowledge.japanese import (
    CountMention,
    DateMention,
    find_amounts,
    find_counts,
    find_dates,
    find_ratios,
    fiscal_year_of,
    normalize,
)
from knowledge.types import ApplicantKind, Fact, FactQuestion, Program, Situation, Subject, Unit

_WORDINGS = Path(__file__).with_name("wordings.yaml")

_BLANK = "\0"
"""Takes the place of words that have been read, so that nothing else reads them or across them."""

_ABOUT_THE_PERSON = (Fact.APPLICANT_KIND, Fact.FISCAL_INDEX, Fact.INVESTMENT_OR_NONPROFIT)
"""What stays true when the talk turns to another program."""

_WORDS_TO_ABSTAIN = 30
"""A longer message than this many characters is read as a new question, not as a bare reply."""


@dataclass(frozen=True)
class Wordings:
    """The compiled patterns of wordings.yaml."""

    relations: Mapping[Fact, Mapping[str, tuple[re.Pattern[str], ...]]]
    facts: Mapping[Fact, Mapping[str, tuple[re.Pattern[str], ...]]]
    replies: Mapping[Fact, Mapping[str, re.Pattern[str]]]
    kinds: tuple[tuple[ApplicantKind, re.Pattern[str]], ...]
    subjects: tuple[tuple[Subject, re.Pattern[str]], ...]
    signs: Mapping[str, re.Pattern[str]]


@cache
def wordings() -> Wordings:
    """The patterns, compiled once. Raises CatalogError when the file cannot be read."""
    raw = read_yaml(_WORDINGS)
    words = {name: raw.pop(name) for name in ("gov", "bureau", "yes", "no")}

    def compiled(pattern: str) -> re.Pattern[str]:
        for name, meaning in words.items():
            pattern = pattern.replace("{" + name + "}", meaning)
        return re.compile(pattern)

    def by_value(table: Any) -> dict[Fact, dict[str, tuple[re.Pattern[str], ...]]]:
        return {
            Fact(fact): {value: tuple(map(compiled, patterns)) for value, patterns in values.items()}
            for fact, values in table.items()
        }

    return Wordings(
        relations=by_value(raw.pop("relations")),
        facts=by_value(raw.pop("facts")),
        replies={
            Fact(fact): {value: compiled(pattern) for value, pattern in values.items()}
            for fact, values in raw.pop("replies").items()
        },
        kinds=tuple((ApplicantKind(kind), compiled(p)) for row in raw.pop("kinds") for kind, p in row.items()),
        subjects=tuple((Subject(subject), compiled(p)) for row in raw.pop("subjects") for subject, p in row.items()),
        signs={name: compiled(pattern) for name, pattern in raw.items()},
    )


def understand(inquiry: Inquiry, catalog: Catalog) -> Understanding:
    """What the message asks, in the light of the conversation. Never raises, whatever the text."""
    before = inquiry.conversation
    text = normalize(inquiry.text)
    signs = frozenset(name for name, pattern in wordings().signs.items() if pattern.search(text))
    named = _named_programs(text, catalog.programs.values())
    counts = find_counts(text)
    municipalities = tuple(int(count.value) for count in counts if count.unit == "municipality")

    about = [catalog.programs[id] for id in named] or list(catalog.programs.values())
    said, unread = _read_facts(text, signs, frozenset[Fact]().union(*map(_facts_used, about)))
    said = _read_reply(text, before, catalog.facts) | said
    if Fact.APPLICANT_KIND in said and before.facts.get(Fact.APPLICANT_KIND) and "about_governments" in signs:
        del said[Fact.APPLICANT_KIND]
    if change := _municipality_change(text, municipalities, before):
        said[Fact.MUNICIPALITY_COUNT] = change
    if Fact.SAME_PROJECT in said and Fact.DISPATCH_YEAR not in said:
        said |= _dispatch_year(text, inquiry.as_of)
    amount, unit = _amount(text, counts)
    dates = find_dates(unread, inquiry.as_of, past="past_tense" in signs)

    known = frozenset[Subject]().union(*(year.parameters for program in about for year in program.years))
    subjects = _subjects(unread, amount, bool(_days_asked(dates)), said, signs, known)
    if before.subjects and "goes_on" in signs:
        subjects = tuple(subject for subject in subjects if _SAID_PLAINLY.get(subject, "goes_on") in signs)
    continues = bool(before.question) and (
        (before.asked_for is not None and before.asked_for in said) or "goes_on" in signs or not subjects
    )
    if continues and not subjects and amount is None:
        amount, unit = before.amount, before.amount_unit
    programs = named or _programs_in_mind(said, unit, subjects, before, signs, catalog.programs.values())
    moved_on = bool(named) and before.program not in named
    kept = {fact: value for fact, value in before.facts.items() if not moved_on or fact in _ABOUT_THE_PERSON}
    return Understanding(
        text=text,
        programs=programs,
        named=bool(named),
        subjects=subjects,
        said=said,
        situation=Situation({**kept, **said}, amount, unit),
        signs=signs,
        days=_days_asked(dates),
        ended_on=_ended_on(dates, inquiry.as_of),
        fiscal_year=_fiscal_year(dates),
        continues=continues,
        foreign_program="" if named else _foreign_program(text),
        counts=municipalities or before.counts,
    )


_SAID_PLAINLY = {Subject.ELIGIBILITY: "asks_eligibility", Subject.COST: "asks_cost"}
"""The signs without which a message that goes on does not turn to a subject whose words may mean any (無理?, いくら?)."""


def _named_programs(text: str, programs: Iterable[Program]) -> tuple[str, ...]:
    """The programs that a message names, in order of naming; nicknames count where none is named properly."""
    programs = tuple(programs)
    proper = {program.id: (program.name, program.short_name, *program.aliases) for program in programs}
    nicknames = {program.id: program.nicknames for program in programs}
    for names in (proper, nicknames):
        places = {
            id: min(found)
            for id, forms in names.items()
            if (found := [place for form in forms if (place := text.find(normalize(form))) >= 0])
        }
        if places:
            return tuple(sorted(places, key=lambda id: places[id]))
    return ()


_ASKS_FOR_EACH = {Fact.MEETING_MODE: "asks_both_modes", Fact.PAST_SELECTION: "asks_both_selections"}
"""The signs that a message asks about every value of a fact, and states none."""


def _read_facts(text: str, signs: frozenset[str], used: frozenset[Fact]) -> tuple[dict[Fact, str], str]:
    """The facts, of those that are used, that a message states; and the message with the words about third parties and
    earlier times blanked.
    """
    said: dict[Fact, str] = {}
    unread = text
    for fact, values in (*wordings().relations.items(), *wordings().facts.items()):
        if fact not in used or _ASKS_FOR_EACH.get(fact) in signs:
            continue
        match, value = next(
            (
                (match, value)
                for value, patterns in values.items()
                for pattern in patterns
                if (match := pattern.search(text))
            ),
            (None, ""),
        )
        if not match:
            continue
        said[fact] = value
        blanked = fact in wordings().relations or fact in (Fact.PAST_SELECTION, Fact.SAME_PROJECT)
        if blanked and (fact, value) != (Fact.PARTNERSHIP, "alone"):
            unread = unread[: match.start()] + _blanks(match) + unread[match.end() :]
    if index := _fiscal_index(text):
        said[Fact.FISCAL_INDEX] = index
    own = unread
    for pattern in ("counted_governments", "places_of_index", "areas"):
        own = wordings().signs[pattern].sub(_blanks, own)
    kind = _applicant_kind(own) or _applicant_kind(unread)
    if kind:
        said[Fact.APPLICANT_KIND] = kind
    if said.get(Fact.INVESTMENT_OR_NONPROFIT) == "invested" and kind is not ApplicantKind.NONPROFIT:
        said[Fact.APPLICANT_KIND] = ApplicantKind.INVESTED_CORPORATION
    return said, unread


def _blanks(match: re.Match[str]) -> str:
    return _BLANK * len(match[0])


def _applicant_kind(text: str) -> ApplicantKind | None:
    """The kind of body that writes: of all that are mentioned, the one said most plainly to be the writer."""
    signs = wordings().signs
    best: tuple[int, int, ApplicantKind] | None = None
    read = text
    for order, (kind, pattern) in enumerate(wordings().kinds):
        for match in pattern.finditer(read):
            before, after = text[max(0, match.start() - 8) : match.start()], text[match.end() :]
            weight = (
                4 * bool(signs["self_before"].search(before))
                + 4 * bool(signs["self_after"].search(after))
                + 2 * bool(signs["self_topic"].search(after))
                - 3 * bool(signs["other_after"].search(after))
            )
            if weight > -3 and (best is None or (weight, -order) > best[:2]):
                best = (weight, -order, kind)
        read = pattern.sub(lambda match: _BLANK * len(match[0]), read)
    return best[2] if best else None


def _fiscal_index(text: str) -> str:
    """The financial strength index that a message states, as decimal text; 未満 and 超 are read as a hundredth beside.

    Of several, that of the area of the work goes before that of the seat (T16), a municipality's own before its
    prefecture's (T17).
    """
    ratios = [ratio for ratio in find_ratios(text) if ratio.bound is None or "指数" in text]
    if not ratios:
        return ""
    signs = wordings().signs

    def words_before(start: int) -> str:
        return re.split(r"[。、,!?\s]|けど|ですが|でも|が、", text[:start])[-1]

    def is_anothers(start: int) -> bool:
        return bool(signs["index_of_the_seat"].search(words_before(start)) or signs["index_of_a_prefecture"].search(text[:start]))

    of_the_work = [ratio for ratio in ratios if signs["index_of_the_work"].search(words_before(ratio.start))]
    own = of_the_work or [ratio for ratio in ratios if not is_anothers(ratio.start)] or ratios
    ratio = own[0]
    if ratio.bound in (None, "at_least", "at_most"):
        return str(ratio.value)
    step = Decimal("0.01")
    return str(ratio.value - step if ratio.bound == "below" else ratio.value + step)


def _read_reply(text: str, before: Conversation, questions: Mapping[Fact, FactQuestion]) -> dict[Fact, str]:
    """What a short message says to the question that the last answer asked."""
    fact = before.asked_for
    if fact is None or len(text) > _WORDS_TO_ABSTAIN:
        return {}
    for choice in questions[fact].choices:
        if text in (normalize(choice.label), choice.value):
            return {fact: choice.value}
    if fact is Fact.FISCAL_INDEX and (number := re.search(r"\d+(?:\.\d+)?", text)) and not _fiscal_index(text):
        return {fact: number[0]}
    for value, pattern in wordings().replies.get(fact, {}).items():
        if pattern.search(text):
            return {fact: value}
    return {}


def _municipality_change(text: str, counts: tuple[int, ...], before: Conversation) -> str:
    """How the number of joining municipalities compares with the last time: more, same, fewer, or "" when open."""
    if len(counts) == 1 and len(before.counts) == 1:
        counts = (*before.counts, *counts)
    if len(counts) < 2 or not re.search(r"前|過去|昨年|去年|今回|今年|今度|から|→|選", text):
        return ""
    first, second = counts[:2]
    now_first = re.search(rf"(?:今回|今年|今度|次)[^。\d]{{0,12}}{first}(?!\d)", text)
    earlier, now = (second, first) if now_first and first != second else (first, second)
    return "more" if now > earlier else "same" if now == earlier else "fewer"


def _dispatch_year(text: str, as_of: date) -> dict[Fact, str]:
    """Whether the dispatch asked for is in the fiscal year of the earlier one, where the message gives its date."""
    earlier = [mention.end_on for mention in find_dates(text, as_of, past=True) if mention.end_on < as_of]
    later = [mention.start_on for mention in find_dates(text, as_of) if mention.start_on >= as_of]
    if not earlier:
        return {}
    now = later[-1] if later else as_of
    return {Fact.DISPATCH_YEAR: "same" if fiscal_year_of(earlier[0]) == fiscal_year_of(now) else "later"}


def _amount(text: str, counts: Iterable[CountMention]) -> tuple[Decimal | None, Unit | None]:
    """The amount that a question puts forward: yen, or days or hours of support (days of any kind count, T13).

    A length for each of several times is multiplied (90分を7回 is 10.5 hours); a sum that is written (計3日) is taken.
    """
    yen = [mention for mention in find_amounts(text) if mention.modifier not in ("未満", "超")]
    if yen:
        return yen[-1].value, "yen"
    counts = [count for count in counts if not wordings().signs["for_each"].search(text[count.end :])]
    times = next(
        (
            count.value
            for count in counts
            if count.unit == "time" and count.value > 1 and wordings().signs["times"].search(text[: count.start])
        ),
        Decimal(1),
    )
    written = [count for count in counts if count.unit in ("day", "hour")]
    if {count.unit for count in written} == {"day", "hour"}:
        return None, None
    for count in written:
        if wordings().signs["in_all"].search(text[: count.start]):
            return count.value, count.unit
    if not written:
        return None, None
    return sum((count.value for count in written), Decimal(0)) * times, written[0].unit


def _subjects(
    unread: str,
    amount: Decimal | None,
    with_days: bool,
    said: Mapping[Fact, str],
    signs: frozenset[str],
    known: frozenset[Subject],
) -> tuple[Subject, ...]:
    """What is asked, in order of asking; weaker readings of the same words give way to stronger ones.

    Only what is `known` of the programs in question counts: where nothing limits repeated applications, asking to
    apply again is asking to apply.
    """
    found: dict[Subject, int] = {}
    for subject, pattern in wordings().subjects:
        match = pattern.search(unread)
        if match and subject not in found:
            found[subject] = match.start()
    if Subject.REPEAT in found and Subject.REPEAT not in known:
        found.setdefault(Subject.ELIGIBILITY, found.pop(Subject.REPEAT))
    found = {subject: start for subject, start in found.items() if subject in known}
    if amount is not None and signs & {"can_we", "claims"}:
        found.setdefault(Subject.CAP, 0)
    if with_days and Subject.WINDOW in known and found.keys() == {Subject.ELIGIBILITY} and not said:
        found = {Subject.WINDOW: 0}
    for strong, weak in _GIVES_WAY:
        if strong in found:
            found.pop(weak, None)
    if Subject.BUDGET in found and "names_cap" not in signs:
        found.pop(Subject.CAP, None)
    if Subject.ELIGIBILITY in found and len(found) > 1 and not (
        "asks_eligibility" in signs and (Subject.CAP in found and amount is None or Subject.WINDOW in found)
    ):
        found.pop(Subject.ELIGIBILITY)
    if Subject.INDEX_LIMIT in found and Fact.FISCAL_INDEX in said:
        found.pop(Subject.INDEX_LIMIT)
        found.setdefault(Subject.ELIGIBILITY, 0)
    return tuple(sorted(found, key=lambda subject: found[subject]))


_GIVES_WAY = (
    (Subject.REPORT_DUE, Subject.DEADLINE),
    (Subject.REPORT_DUE, Subject.WINDOW),
    (Subject.REPORT_DUE, Subject.CAP),
    (Subject.QUESTIONNAIRE, Subject.WINDOW),
    (Subject.QUESTIONNAIRE, Subject.DEADLINE),
    (Subject.QUESTIONNAIRE, Subject.CALLS_PER_YEAR),
    (Subject.DEADLINE, Subject.WINDOW),
    (Subject.REPEAT, Subject.WINDOW),
    (Subject.REPEAT, Subject.CALLS_PER_YEAR),
    (Subject.REPEAT, Subject.CAP),
    (Subject.BUDGET, Subject.COST),
    (Subject.CALLS_PER_YEAR, Subject.WINDOW),
    (Subject.CAP, Subject.DURATION),
    (Subject.WINDOW, Subject.DURATION),
    (Subject.DEADLINE, Subject.DURATION),
)
"""Pairs of subjects whose wordings overlap: where the first is found, the second is not meant."""


def _programs_in_mind(
    said: Mapping[Fact, str],
    unit: Unit | None,
    subjects: tuple[Subject, ...],
    before: Conversation,
    signs: frozenset[str],
    programs: Iterable[Program],
) -> tuple[str, ...]:
    """The program that a message without a name is about: that of the conversation, or the only one that fits."""
    programs = tuple(programs)
    if Fact.PROGRAM in said:
        return (said[Fact.PROGRAM],)
    telling = [fact for fact in said if fact not in (Fact.APPLICANT_KIND, Fact.PARTNERSHIP)]
    fits = {
        program.id: sum(fact in _facts_used(program) for fact in telling)
        + (unit is not None and unit in _units_used(program))
        for program in programs
    }
    best = max(fits.values())
    if "compares" in signs:
        return ()
    if before.program and (fits[before.program] == best or "goes_on" in signs or not subjects):
        return (before.program,)
    if not best:
        owned = set(subjects) & _SHOWS_THE_PROGRAM
        fits = {program.id: bool(owned & _decided(program)) for program in programs}
    fitting = tuple(id for id, fit in fits.items() if fit == max(fits.values()))
    return fitting if len(fitting) == 1 else ()


_SHOWS_THE_PROGRAM = frozenset(
    (Subject.REPORT_DUE, Subject.QUESTIONNAIRE, Subject.REPEAT, Subject.BUDGET, Subject.INDEX_LIMIT)
)
"""Subjects that only one program knows, so that asking for one shows which program is meant."""


def _facts_used(program: Program) -> frozenset[Fact]:
    """The facts that the tables of a program ask about."""
    return frozenset(fact for row in _rows(program) for fact in row.when)


def _units_used(program: Program) -> frozenset[Unit | None]:
    """The units in which a program's cap is given."""
    return frozenset(row.unit for row in _rows(program, Subject.CAP))


def _decided(program: Program) -> frozenset[Subject]:
    """The subjects for which a program has a figure or a table."""
    return frozenset(
        subject for year in program.years for subject, parameter in year.parameters.items() if any(parameter.values.values())
    )


def _rows(program: Program, subject: Subject | None = None) -> list[Any]:
    return [
        row
        for year in program.years
        for key, parameter in year.parameters.items()
        if subject in (None, key)
        for rows in parameter.values.values()
        for row in rows or ()
    ]


def _days_asked(dates: tuple[DateMention, ...]) -> tuple[date, date] | None:
    """The first and last day that a question about a call is about; a whole fiscal year is not a day."""
    near = [mention for mention in dates if mention.precision not in ("fiscal_year", "year")]
    return (near[-1].start_on, near[-1].end_on) if near else None


def _ended_on(dates: tuple[DateMention, ...], as_of: date) -> tuple[date, date] | None:
    """The day or month in which the support ended: the first that is written out."""
    ended = [mention for mention in dates if mention.precision in ("day", "month")]
    return (ended[0].start_on, ended[0].end_on) if ended else None


def _fiscal_year(dates: tuple[DateMention, ...]) -> int | None:
    """The fiscal year that is written in a question (2024年度, 令和7年度, 来年度); a calendar year is taken for it."""
    years = [mention for mention in dates if mention.precision in ("fiscal_year", "year")]
    return years[0].start_on.year if years else None


def _foreign_program(text: str) -> str:
    """The name of a program that is none of ours, or ""."""
    match = wordings().signs["foreign_program"].search(text)
    if not match or wordings().signs["own_program_words"].search(match[1]):
        return ""
    return match[1]
