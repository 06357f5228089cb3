"""Reads a message without a model: which programs it is about and what it asks.

The wordings are data (wordings.yaml); this module only decides which of them count for what.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import date

from bot.situations import dispatch_year, municipality_change, read_amount, read_facts, read_reply
from bot.types import Conversation, Inquiry, Understanding
from bot.wordings import load_wordings, respell
from knowledge.catalog import Catalog
from knowledge.concepts import read_concepts
from knowledge.japanese import DateMention, find_counts, find_dates, normalize
from knowledge.rules.tables import known_subjects, rows_of, stated_subjects
from knowledge.types import ApplicantKind, Fact, Program, Situation, Subject, Unit

_ABOUT_THE_PERSON = (Fact.APPLICANT_KIND, Fact.FISCAL_INDEX, Fact.INVESTMENT_OR_NONPROFIT)
"""What stays true when the talk turns to another program."""


def understand(inquiry: Inquiry, catalog: Catalog) -> Understanding:
    """What the message asks, in the light of the conversation. Never raises, whatever the text."""
    before = inquiry.conversation
    text = respell(normalize(inquiry.text))
    signs = frozenset(name for name, pattern in load_wordings().signs.items() if pattern.search(text))
    named = _named_programs(text, catalog.programs.values(), with_nicknames="compares" in signs)
    counts = find_counts(text)
    municipalities = tuple(int(count.value) for count in counts if count.unit == "municipality")

    about = [catalog.programs[id] for id in named] or list(catalog.programs.values())
    said, unread = read_facts(text, signs, frozenset[Fact]().union(*map(_facts_used, about)))
    said = read_reply(text, before, catalog.facts) | said
    if len(named) == 1 and before.asked_for is Fact.PROGRAM:
        said[Fact.PROGRAM] = named[0]
    if Fact.APPLICANT_KIND in said and before.facts.get(Fact.APPLICANT_KIND) and "about_governments" in signs:
        del said[Fact.APPLICANT_KIND]
    if change := municipality_change(text, municipalities, before):
        said[Fact.MUNICIPALITY_COUNT] = change
    if Fact.MUNICIPALITY_COUNT in said and before.facts.get(Fact.APPLICANT_KIND) is None:
        said.setdefault(Fact.APPLICANT_KIND, ApplicantKind.PREFECTURE)
    if Fact.SAME_PROJECT in said and Fact.DISPATCH_YEAR not in said:
        said |= dispatch_year(text, inquiry.as_of)
    amount, unit = read_amount(text, counts)
    dates = find_dates(unread, inquiry.as_of, past="past_tense" in signs)
    days = _days_asked(dates, text)

    found = {}
    for subject, pattern in load_wordings().subjects:
        if (match := pattern.search(unread)) and subject not in found:
            found[subject] = match.start()
    if Subject.DEADLINE in found and unit == "day":
        amount, unit = None, None  # 締切は10日まで? names a date
        found.pop(Subject.CAP, None)
    programs = named or _programs_in_mind(said, unit, frozenset(found), before, signs, catalog.programs.values())
    about = [catalog.programs[id] for id in programs] or about
    if amount in [row.value for program in about for row in rows_of(program, Subject.BUDGET)] and not (
        signs & {"can_we", "names_cap"}
    ):
        found.setdefault(Subject.BUDGET, 0)  # 5億円って1県あたり? asks about the budget, and puts forward nothing
    subjects = _subjects(
        found,
        unit is not None and unit in _units_used(about),
        days is not None,
        frozenset(said),
        signs,
        about,
    )
    if before.subjects and "goes_on" in signs:
        subjects = tuple(subject for subject in subjects if _SAID_PLAINLY.get(subject, "goes_on") in signs)
    continues = bool(before.question) and (
        (before.asked_for is not None and before.asked_for in said)
        or "goes_on" in signs
        or not (subjects or (not said and _own_matter(text, dates, before, catalog.programs.values())))
    )
    if continues and not subjects and amount is None:
        amount, unit = before.amount, before.amount_unit
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
        days=days,
        ended_on=_ended_on(dates, find_dates(unread, inquiry.as_of, past=True), inquiry.as_of),
        fiscal_year=_fiscal_year(dates),
        continues=continues,
        matter=beside_names(text, catalog.programs.values()),
        foreign_program="" if named else _foreign_program(text),
        counts=municipalities or before.counts,
    )


_SAID_PLAINLY = {Subject.ELIGIBILITY: "asks_eligibility", Subject.COST: "asks_cost"}
"""The signs without which a message that goes on does not turn to a subject of vague words (無理?, いくら?)."""


def _named_programs(text: str, programs: Iterable[Program], with_nicknames: bool) -> tuple[str, ...]:
    """The programs that a message names, in order of naming; where none is, the one that its longest nickname means."""
    places = {
        program.id: min(found)
        for program in programs
        if (found := _places(text, (program.name, program.short_name, *program.aliases)))
        or (with_nicknames and (found := _places(text, program.nicknames)))
    }
    if places:
        return tuple(sorted(places, key=lambda id: places[id]))
    nicknames = [
        (len(name), program.id) for program in programs for name in program.nicknames if _places(text, (name,))
    ]
    return (max(nicknames)[1],) if nicknames else ()


def beside_names(text: str, programs: Iterable[Program]) -> str:
    """What a message says beside the names of programs and the words that join it to them."""
    names = {normalize(name) for program in programs for name in (program.name, program.short_name, *program.aliases)}
    for name in sorted(names, key=len, reverse=True):
        text = text.replace(name, "")
    return load_wordings().around["joins_names"].sub("", text).strip()


def _own_matter(
    text: str, dates: Iterable[DateMention], before: Conversation, programs: Iterable[Program]
) -> frozenset[tuple[str, ...]]:
    """The content words of a message that neither the question before had, nor anything that was read tells of."""
    rest = beside_names(text, programs)
    for mention in dates:
        rest = rest.replace(text[mention.start : mention.end], " ")
    for pattern in load_wordings().signs.values():
        rest = pattern.sub(" ", rest)
    words, earlier = read_concepts(rest), read_concepts(before.question)
    return frozenset(word[0].terms for word in words) - {word[0].terms for word in earlier}


def _places(text: str, names: Iterable[str]) -> list[int]:
    return [place for name in names if (place := text.find(normalize(name))) >= 0]


def _subjects(
    found: dict[Subject, int],
    with_amount: bool,
    with_days: bool,
    said: frozenset[Fact],
    signs: frozenset[str],
    programs: Sequence[Program],
) -> tuple[Subject, ...]:
    """What is asked, in order of asking; weaker readings of the same words give way to stronger ones.

    Only what the programs in question have rules for counts: where nothing limits repeated applications, asking to
    apply again is asking to apply. An amount, a day or an earlier dispatch tells what "can we" is about.
    """
    stated = stated_subjects(programs[0]) if len(programs) == 1 else frozenset()
    known = frozenset[Subject]().union(*map(known_subjects, programs))
    if Subject.REPEAT in found and Subject.REPEAT not in known:
        found.setdefault(Subject.ELIGIBILITY, found.pop(Subject.REPEAT))
    found = {subject: start for subject, start in found.items() if subject in known}
    if with_amount and (found.keys() <= {Subject.ELIGIBILITY} or signs & {"can_we", "claims"}):
        found.setdefault(Subject.CAP, 0)
    if found.keys() == {Subject.ELIGIBILITY} and with_days and said <= {Fact.MEETING_MODE} and Subject.WINDOW in stated:
        found = {Subject.WINDOW: 0}
    if signs & {"asks_history", "asks_open"}:
        found = {subject: start for subject, start in found.items() if subject not in _NOT_OF_THE_PAST}
    if found.keys() <= {Subject.ELIGIBILITY, Subject.WINDOW} and Fact.SAME_PROJECT in said and Subject.REPEAT in known:
        found = {Subject.REPEAT: 0}
    if "mixes_modes" in signs and Subject.CAP in known:
        found = {Subject.CAP: 0}
    for strong, weak in _GIVES_WAY:
        if strong in found:
            found.pop(weak, None)
    if Subject.CAP in found and "asks_cost" not in signs:
        found.pop(Subject.COST, None)
    if Subject.BUDGET in found and "names_cap" not in signs:
        found.pop(Subject.CAP, None)
    also_asks = (not with_amount and Subject.CAP in found) or Subject.WINDOW in found
    plainly = ("asks_eligibility" in signs and also_asks and Fact.APPLICANT_KIND in said) or said & _OF_THE_APPLICANT
    if len(found) > 1 and (not plainly or Subject.CALLS_PER_YEAR in found):
        found.pop(Subject.ELIGIBILITY, None)
    if Subject.INDEX_LIMIT in found and Fact.FISCAL_INDEX in said:
        found.pop(Subject.INDEX_LIMIT)
        found.setdefault(Subject.ELIGIBILITY, 0)
    return tuple(sorted(found, key=lambda subject: found[subject]))


_NOT_OF_THE_PAST = frozenset((Subject.ELIGIBILITY, Subject.WINDOW))
"""What is not asked where a message asks since when something is so, or for something open (何件, どの県)."""

_OF_THE_APPLICANT = frozenset(
    (Fact.RECOMMENDATION, Fact.JOINT_PROJECT, Fact.INVESTMENT_OR_NONPROFIT, Fact.FISCAL_INDEX)
)
"""Facts that nobody states who does not ask about eligibility too."""

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
    subjects: frozenset[Subject],
    before: Conversation,
    signs: frozenset[str],
    programs: Iterable[Program],
) -> tuple[str, ...]:
    """The program that a message without a name is about: that of the conversation, or the only one that fits."""
    programs = tuple(programs)
    if Fact.PROGRAM in said:
        return (said[Fact.PROGRAM],)
    telling = [fact for fact in said if fact not in (Fact.APPLICANT_KIND, Fact.PARTNERSHIP)]
    if "tells_of_selection" not in signs:  # 去年も使った may be said of any program
        telling = [fact for fact in telling if fact is not Fact.PAST_SELECTION]
    fits = {
        program.id: sum(fact in _facts_used(program) for fact in telling)
        + (unit is not None and unit in _units_used((program,)))
        for program in programs
    }
    best = max(fits.values())
    if "compares" in signs:
        return ()
    if before.program and (fits[before.program] == best or "goes_on" in signs or not subjects):
        return (before.program,)
    if not best:
        owned = subjects & _SHOWS_THE_PROGRAM
        fits = {program.id: bool(owned & stated_subjects(program)) for program in programs}
    fitting = tuple(id for id, fit in fits.items() if fit == max(fits.values()))
    return fitting if len(fitting) == 1 else ()


_SHOWS_THE_PROGRAM = frozenset(
    (Subject.REPORT_DUE, Subject.QUESTIONNAIRE, Subject.REPEAT, Subject.BUDGET, Subject.INDEX_LIMIT)
)
"""Subjects that only one program knows, so that asking for one shows which program is meant."""


def _facts_used(program: Program) -> frozenset[Fact]:
    """The facts that the tables of a program ask about."""
    return frozenset(fact for row in rows_of(program) for fact in row.when)


def _units_used(programs: Iterable[Program]) -> frozenset[Unit | None]:
    """The units in which the programs' caps are given."""
    return frozenset(row.unit for program in programs for row in rows_of(program, Subject.CAP))


def _days_asked(dates: tuple[DateMention, ...], text: str) -> tuple[date, date] | None:
    """The first and last day that a question about a call is about.

    A whole fiscal year is no day, and today is none where another day is named (今日は仕事納めですが、明日でも).
    """
    near = [mention for mention in dates if mention.precision not in ("fiscal_year", "year")]
    others = [mention for mention in near if not _TODAY.search(text[: mention.end])]
    chosen = (others or near)[-1:]
    return (chosen[0].start_on, chosen[0].end_on) if chosen else None


_TODAY = re.compile(r"(?:今日|本日|きょう)(?:は[^、。]{0,12})?$")


def _ended_on(
    dates: tuple[DateMention, ...], earlier: tuple[DateMention, ...], as_of: date
) -> tuple[date, date] | None:
    """The day or month in which the support ended: the first that is written out, and of its two years the nearer."""
    written = [
        next((mention for mention in mentions if mention.precision in ("day", "month")), None)
        for mentions in (dates, earlier)
    ]
    days = [(mention.start_on, mention.end_on) for mention in written if mention]
    return min(days, key=lambda ended: abs(ended[0] - as_of), default=None)


def _fiscal_year(dates: tuple[DateMention, ...]) -> int | None:
    """The fiscal year that is written in a question (2024年度, 令和7年度, 来年度); a calendar year is taken for it."""
    years = [mention for mention in dates if mention.precision in ("fiscal_year", "year")]
    return years[0].start_on.year if years else None


def _foreign_program(text: str) -> str:
    """The name of a program that is none of ours, or ""."""
    around = load_wordings().around
    match = around["foreign_program"].search(text)
    if not match:
        return ""
    name = around["before_a_name"].split(match[0])[-1]
    return "" if around["own_program_words"].search(name) else name
