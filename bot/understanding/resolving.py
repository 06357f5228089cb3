"""Puts what a message says together with what the conversation knows: the program, the case, and what is asked."""

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from itertools import pairwise

from bot.types import (
    BY_MODEL,
    CONFIRMED,
    Conversation,
    Inquiry,
    Proposals,
    Reading,
    Understanding,
    Understood,
)
from bot.understanding.adding import adds_the_other_way_to_meet, amount_with_what_is_added
from bot.understanding.admitting import Admitted, admit
from bot.understanding.asking import as_taught, compared_only, subjects_asked, surely_wanted
from bot.understanding.bodies import GOVERNMENTS
from bot.understanding.dating import asking_sentences, days_asked, ended_on, fiscal_year, handed_in
from bot.understanding.denying import denials, puts_right
from bot.understanding.figuring import SURE, amounts_put, compared_counts, in_unit, indices_put
from bot.understanding.message import Message, read_message, spans
from bot.understanding.offline import OfflineReader
from bot.understanding.parting import Question, questions_of
from bot.understanding.programs import (
    beside_names,
    facts_used,
    foreign_program,
    in_full,
    known_to,
    name_spans,
    named_programs,
    programs_in_mind,
    units_used,
)
from bot.understanding.quantities import index_text
from bot.understanding.replying import read_reply
from bot.understanding.supposing import ends_on_a_case, founded_where, supposed_spans
from bot.understanding.talks import (
    ASKED_TOO,
    HARDLY,
    LIKELY,
    POSSIBLY_ASKED,
    SURE_AGAINST,
    SURE_OF_ALL,
    SURE_OF_FIGURES,
    SURE_OF_INDEX,
    SURE_OF_MORE,
    SURE_OF_PROGRAM,
    SURELY_ASKED,
    adds_up,
    asked_in,
    asks_nothing,
    compared_in,
    denies_index,
    index_side,
    leaves_index_open,
    leaves_the_talk,
    possibly_asked,
    program_of,
    programs_among,
    read_talk,
    ruled_among,
    settle,
    side_of,
    surely_among,
    wanted_in,
    way_to_meet,
)
from bot.understanding.towns import (
    BY_NAME,
    asks_for_index,
    index_asked_of,
    kind_of,
    offered,
    read_home,
    read_towns,
    told_by_name,
)
from knowledge.catalog import Catalog
from knowledge.concepts import read_concepts
from knowledge.figures import Dimension, Figure, fiscal_year_of
from knowledge.matters import NONE
from knowledge.municipalities.records import Municipality
from knowledge.rules.tables import fact_words, rows_of, stated_subjects
from knowledge.talks import TalkRead
from knowledge.talks.asked import OUTSIDE
from knowledge.talks.slots import UNCLEAR
from knowledge.types import ApplicantKind, Fact, Program, Situation, Subject, Unit

_ABOUT_THE_PERSON = (Fact.APPLICANT_KIND, Fact.FISCAL_INDEX, Fact.INVESTMENT_OR_NONPROFIT)
"""What stays true when the talk turns to another program."""


_OF_A_BODY = frozenset(Fact) - {
    Fact.PROGRAM,
    Fact.MEETING_MODE,
    Fact.SAME_PROJECT,
    Fact.DISPATCH_YEAR,
    Fact.LENGTH_OF_EACH,
}
"""What is true of one body and not of another that the question turns to."""


@dataclass(frozen=True)
class Circumstances:
    """What a message says of a case: its facts, the amount put forward, and the signs of what it wants.

    `supposed` are the facts that are only supposed to come about, each with the words that suppose it. `told` are those
    that the talk as a whole tells and no words of the message say; it `corrects` where they were known otherwise.
    """

    said: Mapping[Fact, str]
    told: Mapping[Fact, str]
    admitted: Admitted
    amount: Decimal | None
    unit: Unit | None
    at_most: Decimal | None
    signs: frozenset[str]
    supposed: Mapping[Fact, str]
    corrects: bool


def resolve(message: Message, inquiry: Inquiry, catalog: Catalog, proposals: Proposals) -> Understanding:
    """What the message asks, in the light of the conversation, and of what a chat model read where nothing else was."""
    before = inquiry.conversation
    talk = read_talk((*before.messages, inquiry.text))
    named, apart = _read_programs(message, before, catalog, talk)
    possible = [before.program] if before.program else list(catalog.programs)
    matter = beside_names(message.text, catalog.programs.values())
    names = in_full(message.text, catalog.programs.values())
    asks = asked_in(talk, matter, [id for id in names if id in named], possible)
    if set(programs_among(asks)) & (set(names) - set(named)):
        asks = ()  # of what the message sets apart
    if before.messages and leaves_the_talk(inquiry.text, talk, asks):
        asks = () if asks else (OUTSIDE,)
    foreign = "" if named else foreign_program(message.text)
    if foreign:
        asks = ()
    if len(named) == 1 and len(of := programs_among(asks)) == 1:
        named = of  # where it only has a nickname, which may be said of another program too
    message = message.without(apart)
    turns_on_index = [id for id in named if Fact.FISCAL_INDEX in facts_used(catalog.programs[id])]
    reader = OfflineReader(message, before, bool(turns_on_index))
    readings = (*reader.read(), *proposals.readings)
    signs = _signs(message, reader, catalog)
    if "hands_over" in signs:
        asks = ()  # 職員に聞く asks nothing again
    if asks:
        signs -= {"acknowledges"}  # 配点も分かれば
    if not named and adds_the_other_way_to_meet(message, before):
        signs |= {"mixes_modes"}
    case = _case(
        message,
        reader,
        readings,
        before,
        catalog,
        named or proposals.programs,
        signs,
        proposals.amount,
        talk,
    )
    asked = subjects_asked(message)
    found = {one.subject: one.start for one in reversed(asked)}
    if not _asks_if_able(message):
        found.pop(Subject.ELIGIBILITY, None)
    if _asks_if_still_open(message):
        found.setdefault(Subject.WINDOW, 0)
        found.pop(Subject.ELIGIBILITY, None)
    if not message.asking and "wants_to_apply" in signs:
        found.setdefault(Subject.ELIGIBILITY, 0)
    if not found and message.asking and message.days and "of_the_report" in signs:
        found[Subject.REPORT_DUE] = 0  # 報告書の提出、12月10日でどうでしょう
    questions = _questions(message, case)
    plain = bool(questions) and not message.says("late") and not any(message.unread(q.text) for q in questions)
    surely = bool(surely_among(talk, asks)) and "claims" not in signs
    of_several = len(programs_among(asks)) > 1 and not (named or before.program or before.question)
    asks_more = surely and len(named) == 1 and _asks_more(asks, found, message, catalog)
    if plain and found and not (before.messages or asks_more):
        asks = ()  # words say all that is asked
    if surely and found.keys() & set(ruled_among(asks)):
        found = {one: at for one, at in found.items() if possibly_asked(talk, programs_among(asks), one, HARDLY)}
    if before.messages and not asks and _asks_what_no_rule_decides(talk, possible, found):
        found = {one: at for one, at in found.items() if one not in _VAGUE}
    of_one = len(named) == 1 or (before.program and surely and "compares" not in signs)  # 一覧はどこ?
    weighs = bool(signs & _WEIGHS_PROGRAMS) and not of_one
    if weighs:
        compared = compared_in(talk, named or tuple(catalog.programs))
        likeliest = max(compared, key=lambda subject: compared[subject])
        if compared[likeliest] >= ASKED_TOO and all(compared[subject] < POSSIBLY_ASKED for subject in found):
            found = {likeliest: 0}
    heard = dict(found)
    shown = {one.subject for one in asked if one.shows} | found.keys() & {Subject.REPORT_DUE}
    programs = (
        named
        or _compared_before(before, catalog)
        or programs_in_mind(
            case.said,
            case.unit,
            frozenset(found),
            frozenset(shown),
            before,
            catalog.programs.values(),
            goes_on="goes_on" in signs,
            compares="compares" in signs,
        )
    )
    replies = before.asked_for in case.said
    asks_why = bool(before.subjects) and message.says("why") and len(matter) <= _A_TURN
    if replies or weighs or asks_why or len(programs) > 1:
        asks = ()
    if before.program or not weighs:
        programs = _in_this_talk(programs, named, talk, case, before, asks)
    if of_several and not weighs and all(_is_stated_elsewhere(subject, programs, catalog) for subject in found):
        programs = ()
    programs = named if asks == (OUTSIDE,) else programs or proposals.programs
    if not set(programs_among(asks)) <= set(programs) and (programs or ruled_among(asks)):
        asks = ()
    if another := _asks_for_another(signs, named, before, case):
        programs = tuple(id for id in catalog.programs if id != before.program)
    about = [catalog.programs[id] for id in programs] or list(catalog.programs.values())
    days = days_asked(message, reader.scene)
    ended = ended_on(message, reader.scene, before.ended_on) or before.ended_on
    turns = not message.asking and (_completes(before, case, about) or _turns(case, before, about))
    used = {fact for program in about for row in rows_of(program, *found) for fact in row.when}
    alike = found.keys() <= set(ruled_among(asks)) and len(surely_among(talk, asks)) <= len(found)
    by_words = not surely or alike or case.said.keys() & used - {Fact.APPLICANT_KIND}
    if turns or (plain and found and by_words):
        asks = ()
    subjects = _in_light_of(before, _subjects(found, case, days is not None, about, questions), message)
    if before.subjects and "goes_on" in signs:
        subjects = tuple(s for s in subjects if s not in _VAGUE or _VAGUE[s] in signs)
    continues = _continues(message, before, case, subjects, catalog, bool(named))
    if continues and named and not subjects and not before.subjects:
        subjects = _subjects(_asked_before(before, inquiry), case, False, about, ())
    if named and not (subjects or asks):  # ではアドバイザーのほうに切り替えたら?
        subjects = tuple(one for one in before.subjects if wanted_in(talk).get(one, 0.0) >= LIKELY)
    days = days or (before.days if Subject.WINDOW not in subjects else None)
    vague = _asks_vaguely(message, subjects, case)
    if (
        continues
        and (_adds(message, case) or vague or len(named) > 1 or message.says("correct"))
        and (not subjects or vague)
        and before.subjects
        and not _turns(case, before, about)
        and not (message.asking and _asks_what_no_rule_decides(talk, programs, before.subjects))
    ):
        subjects = before.subjects
    adds = not message.asking or before.asked_for in case.said  # NPOです。費用は? answers, and asks on
    if before.subjects and subjects and adds and not named and "compares" not in signs:
        subjects = tuple(dict.fromkeys((*before.subjects, *subjects)))  # it only adds to what was asked
    subjects = subjects or tuple(subject for subject in proposals.subjects if subject in known_to(about))
    stays = message.says("why") or replies
    wanted = wanted_in(talk) if len(programs) == 1 and not stays else {}
    if asks:
        ruled = ruled_among(asks)
        again = before.subjects if _completes(before, case, about) else ()
        spoken_of = sorted(known_to(about)) if again and message.asking else subjects
        possibly = (subject for subject in spoken_of if ruled and possibly_asked(talk, programs, subject))
        subjects = _in_light_of(before, tuple(dict.fromkeys((*again, *ruled, *possibly))), message)
    elif message.asking or "wants_to_apply" in signs or not (subjects or before.subjects):
        plainly = {subject for sign, subject in _NAMED.items() if sign in signs}
        if case.said.keys() & _DECIDES_WITH_AN_AMOUNT:
            plainly.add(Subject.ELIGIBILITY)
        subjects = as_taught(subjects, wanted, bool(message.asking), frozenset(plainly))
    if before.messages and not message.asking and asks_nothing(talk):
        signs |= {"acknowledges"}
        subjects = ()
    subjects = _with_what_is_touched((Subject.ELIGIBILITY,) if another else subjects, case, before, days, about)
    asked_of_it = Subject.ELIGIBILITY in subjects or asks_for_index(message) is not None
    towns = read_towns(reader.scene, before, asked_of_it=asked_of_it)
    amount, unit, at_most = case.amount, case.unit, case.at_most
    asks_over = Subject.CAP in subjects and message.says("up_to", "this")
    of_the_case = continues or asks_over or not before.question or subjects[:1] == (Subject.ELIGIBILITY,)
    if amount is None and unit is None and of_the_case:
        amount, unit, at_most = before.amount, before.amount_unit, before.amount_at_most
    moved_on = bool(named and before.program) and before.program not in named
    kept = {fact: value for fact, value in before.facts.items() if not moved_on or fact in _ABOUT_THE_PERSON}
    kept = {fact: value for fact, value in kept.items() if fact not in case.admitted.open}
    if Fact.FISCAL_INDEX in case.said:
        kept.pop(Fact.INDEX_STANDING, None)  # it was of another
    if Fact.DISPATCH_YEAR in kept and days and before.days and _in_a_later_year(days[0], before.days[0]):
        kept[Fact.DISPATCH_YEAR] = "later"  # では、2026年4月なら?
    if towns and before.towns and not {town.code for town in towns} & {*before.towns}:
        kept = {fact: value for fact, value in kept.items() if fact not in _OF_A_BODY}
        kept[Fact.APPLICANT_KIND] = kind_of(towns[0])
    elif not named and _is_of_another_body(message, case, before):
        kept = {
            fact: value for fact, value in kept.items() if fact not in _OF_A_BODY or _stays_true(fact, case, before)
        }
    situation = Situation({**kept, **case.told, **case.said}, amount, unit, at_most)
    return Understanding(
        text=message.text,
        programs=programs,
        named=bool(named),
        subjects=subjects,
        said=case.said,
        situation=situation,
        signs=signs,
        days=days,
        ended_on=ended,
        handed_in=handed_in(message, reader.scene, ended) or before.handed_in,
        fiscal_year=fiscal_year(message, readings),
        continues=continues,
        matter=matter,
        foreign_program=foreign,
        counts=reader.counts.counts() or before.counts,
        readings=readings,
        understood=_understood(situation, case.admitted, message, catalog, towns),
        figures=message.figures,
        questions=tuple(question.text for question in questions),
        of_themselves=_of_themselves(message, case, before, catalog),
        asked=tuple((subject, _asked_in(start, questions)) for subject, start in heard.items()),
        plain=plain,
        open=case.admitted.open,
        supposed=case.supposed,
        wanted=_wanted(asks, wanted, bool(message.asking)),
        asks=asks,
        seeks=proposals.seeks,
        documents=proposals.documents,
        towns=towns,
        home=read_home(reader.scene, before),
        index_of=index_asked_of(reader.scene, towns),
        offered=offered(towns, situation, readings),
    )


def _asks_more(asks: Sequence[str], found: Mapping[Subject, int], message: Message, catalog: Catalog) -> bool:
    """Whether something else or something more is asked than words were read as, which tell of days best."""
    if Subject.WINDOW in found and message.days:
        return False
    matters = {entry.id: entry.case_of for entries in catalog.faq.values() for entry in entries}
    of = {*ruled_among(asks), *(matters[name] for name in asks if name in matters)}
    return len(asks) > len(found) or not of <= found.keys()


def _is_stated_elsewhere(subject: Subject, programs: Sequence[str], catalog: Catalog) -> bool:
    """Whether another program states something on a subject too, so that words for it tell none of them."""
    return any(subject in stated_subjects(catalog.programs[id]) for id in catalog.programs if id not in programs)


def _completes(before: Conversation, case: Circumstances, programs: Sequence[Program]) -> bool:
    """Whether a message says something new that the answer to the question before it turns on."""
    if case.amount is not None and Subject.CAP in before.subjects:
        return True
    turning = {fact for program in programs for row in rows_of(program, *before.subjects) for fact in row.when}
    new = {fact for fact, value in case.said.items() if before.facts.get(fact) != value}
    return bool(before.subjects and new & turning - _ABOUT_A_BODY)


def _asks_what_no_rule_decides(talk: TalkRead, programs: Collection[str], subjects: Iterable[Subject]) -> bool:
    """Whether a talk surely wants nothing decided, and hardly asks of these programs any of the subjects."""
    surely = wanted_in(talk).get(NONE, 0.0) >= SURELY_ASKED
    return surely and not any(possibly_asked(talk, programs, subject, HARDLY) for subject in subjects)


_WEIGHS_PROGRAMS = frozenset({"compares", "asks_which", "asks_most", "asks_least"})
"""Signs of a message that sets programs beside each other."""


def _wanted(asks: tuple[str, ...], wanted: Mapping[str, float], asking: bool) -> str:
    """The subject that a case is surely put to, NONE where surely none is; "" where that is not sure."""
    if asks:
        return next(iter(ruled_among(asks)), NONE)
    surely = surely_wanted(wanted)
    return surely if asking or surely != NONE else ""


def _in_a_later_year(day: date, before: date) -> bool:
    """Whether a day is in a later fiscal year than one that was spoken of before."""
    return fiscal_year_of(day) > fiscal_year_of(before)


def sets_programs_apart(message: Message, before: Conversation, catalog: Catalog) -> bool:
    """Whether a message names a program that it does not ask about (…の話ではありません)."""
    talk = read_talk((*before.messages, message.original))
    return bool(_read_programs(message, before, catalog, talk)[1])


def _read_programs(
    message: Message, before: Conversation, catalog: Catalog, talk: TalkRead
) -> tuple[tuple[str, ...], frozenset[int]]:
    """The programs that a message asks about, and the clauses that set others apart."""
    named = named_programs(
        message.text, catalog.programs.values(), before.program, with_nicknames=message.says("compare")
    )
    spans = {id: name_spans(message.text, catalog.programs[id]) for id in named}
    return _asked_programs(message, spans, before, talk)


def _case(
    message: Message,
    reader: OfflineReader,
    readings: tuple[Reading, ...],
    before: Conversation,
    catalog: Catalog,
    named: tuple[str, ...],
    signs: frozenset[str],
    proposed_amount: Reading | None,
    talk: TalkRead,
) -> Circumstances:
    about = [catalog.programs[id] for id in named] or list(catalog.programs.values())
    used = frozenset[Fact]().union(*map(facts_used, about))
    used |= {Fact.FISCAL_INDEX}
    admitted = admit(r for r in readings if Fact(r.slot) in used and not _is_asked_for(message, r))
    if "does_not_know" in signs:  # 推薦があるかは把握していません
        unknown = {fact for fact, one in admitted.facts.items() if fact is before.asked_for and one.value == "awaited"}
        known = {fact: one for fact, one in admitted.facts.items() if fact not in unknown}
        admitted = replace(admitted, facts=known, open=admitted.open | unknown)
    said = {fact: reading.value for fact, reading in admitted.facts.items()}
    replied = read_reply(reader.scene, before, catalog.facts)
    said = {fact: value for fact, value in replied.items() if fact not in admitted.open} | said
    if len(named) == 1 and before.asked_for is Fact.PROGRAM:
        said[Fact.PROGRAM] = named[0]
    if before.facts.get(Fact.APPLICANT_KIND) == _PROVIDER and said.get(Fact.APPLICANT_KIND) == ApplicantKind.COMPANY:
        said[Fact.APPLICANT_KIND] = _PROVIDER  # a company that wants to be one is still
    if Fact.MUNICIPALITY_COUNT in said and not before.facts.get(Fact.APPLICANT_KIND):
        said.setdefault(Fact.APPLICANT_KIND, ApplicantKind.PREFECTURE)
    said, admitted = _with_figures(said, admitted, readings, message, reader, before, used, talk)
    supposed = {
        fact: message.original[slice(*message.span_of(start, end))]
        for start, end in supposed_spans(message)
        for fact, reading in admitted.facts.items()
        if start <= reading.start < end
    }
    settled = supposed.keys() | {fact for fact, one in admitted.facts.items() if one.by in (BY_MODEL, CONFIRMED)}
    if any(body.applies for body in reader.scene.applicants):
        settled |= {Fact.APPLICANT_KIND}  # 申し込むのは村で、声をかけてくれたのは大学です
    told, in_doubt = _told_by_the_talk(message, said, admitted, readings, before, used - settled, talk)
    said = {fact: value for fact, value in said.items() if fact not in told.keys() | in_doubt}
    admitted = replace(admitted, open=admitted.open | in_doubt)
    amount, unit = _amount(reader.quantities.amount() or proposed_amount)
    amounts = amounts_put(talk)
    met = reader.quantities.met() or way_to_meet(talk)
    put = in_unit(amounts, units_used(about), met) if amounts else None
    if met == "both" and {"day", "hour"} <= {one.unit for one in amounts or ()}:
        amount, unit, signs = None, None, signs | {"mixes_modes"}  # T13
    tells = not message.asking and "wants_to_apply" not in signs
    if unit == "count" and tells and Subject.CALLS_PER_YEAR not in before.subjects:
        amount, unit = None, None  # 一回採択もらってました
    if unit == "yen" and amount is not None and message.says("difference", "compare"):
        amount, unit = None, None  # 1億と5億は何が違う puts nothing forward
    if amount is None and before.amount is not None and message.says("correct"):
        amount, unit = _corrected(message, before)
    together = None if named else amount_with_what_is_added(message, before)
    if together is not None:
        amount, unit = together, before.amount_unit
        said.pop(Fact.MUNICIPALITY_COUNT, None)  # あと2千万円上乗せしたら tells of no more municipalities
    elif put is not None:
        amount, unit = put.amount, put.unit
    if len(named) > 1:
        said.pop(Fact.SAME_PROJECT, None)  # 計画策定とアドバイザー、どっちも names no other adviser
    if "mixes_modes" in signs and before.amount_unit == "day":
        amount, unit, said[Fact.MEETING_MODE] = before.amount, before.amount_unit, "on_site"
    for clause, founding in founded_where(message):
        kind = admitted.facts.get(Fact.APPLICANT_KIND)
        if kind and clause.start <= kind.start < clause.end:
            supposed[Fact.APPLICANT_KIND] = f"{founding}が済んだ"
    if Fact.INVESTMENT_OR_NONPROFIT in supposed and said.get(Fact.APPLICANT_KIND) == ApplicantKind.INVESTED_CORPORATION:
        supposed[Fact.APPLICANT_KIND] = supposed[Fact.INVESTMENT_OR_NONPROFIT]
    if put is None and adds_up(talk) and unit in _UNITS_READ and amount is not None:
        left_out = reader.quantities.leaves_out(amount, _UNITS_READ[unit], bool(before.messages) and together is None)
        amount = None if left_out else amount  # what it comes to together was not read
    of_several = "other_project" in (said.get(Fact.SAME_PROJECT), told.get(Fact.SAME_PROJECT))
    if (of_several or talk.surely("project", LIKELY) == "different") and unit in ("day", "hour"):
        amount = reader.quantities.of_each()  # a cap is of each project
    at_most = reader.quantities.at_most() if amount is not None else None
    return Circumstances(
        said,
        told,
        admitted,
        amount,
        unit,
        at_most,
        signs,
        supposed,
        bool((told.keys() | in_doubt) & before.facts.keys()),
    )


def _with_figures(
    said: Mapping[Fact, str],
    admitted: Admitted,
    readings: Sequence[Reading],
    message: Message,
    reader: OfflineReader,
    before: Conversation,
    used: frozenset[Fact],
    talk: TalkRead,
) -> tuple[dict[Fact, str], Admitted]:
    """The case with what the figures of the talk are.

    That is how many join, over several messages; the index, where words leave it open; and indices on both sides of 1.
    """
    said = dict(said)
    times = {one.figure.value for one in talk.figures if one.role == "before"}
    told = before.messages or len(times) > 1 or not said.get(Fact.MUNICIPALITY_COUNT)  # which count (T07), it tells
    if told and Fact.MUNICIPALITY_COUNT in used and (change := _change(message, talk)):
        said[Fact.MUNICIPALITY_COUNT] = change
    elif said.get(Fact.MUNICIPALITY_COUNT) in ("same", "fewer") and _counts_wards(message, talk):
        said[Fact.MUNICIPALITY_COUNT] = "wards"
    of_several = {Fact.INDEX_STANDING, Fact.INDEX_SPREAD} & {Fact(reading.slot) for reading in readings}
    left_open = before.messages and Fact.FISCAL_INDEX in admitted.open and not of_several
    indices = indices_put(talk) if left_open else ()
    if indices and len({side_of(index_text(one.figure)) for one in indices}) == 1:
        said[Fact.FISCAL_INDEX] = _index_said(indices[-1].figure, reader)
        admitted = replace(admitted, open=admitted.open - {Fact.FISCAL_INDEX})
    read = [index_text(one.figure) for one in talk.figures if one.role == "index"]
    if not of_several and len(set(map(side_of, read))) > 1 and index_side(talk) == "mixed":
        said[Fact.FISCAL_INDEX] = min(read, key=Decimal)
        alone = said.get(Fact.APPLICANT_KIND, ApplicantKind.MUNICIPALITY) in GOVERNMENTS
        said[Fact.INDEX_SPREAD] = "applicants" if alone else "areas"
    return said, admitted


def _change(message: Message, talk: TalkRead) -> str:
    """How the number of municipalities that join compares with the times before, "" where it is not told."""
    counted = compared_counts(talk)
    if counted is None or not counted[1] or "区" in message.text:  # T06: 特別区 may not count
        return ""
    now, earlier = counted
    if now > max(earlier):
        return "more"
    return "undecided" if now > min(earlier) else "same" if now == min(earlier) else "fewer"


def _counts_wards(message: Message, talk: TalkRead) -> bool:
    """Whether it is open how many join because special wards are among them (T06)."""
    return message.says("special_ward") and talk.surely("count", LIKELY) == UNCLEAR


def _index_said(figure: Figure, reader: OfflineReader) -> str:
    """An index as the words around it bound it, or deny that."""
    worded = [one.reading.value for one in reader.quantities.indices() if one.reading.start == figure.start]
    return worded[0] if worded else index_text(figure)


def _told_by_the_talk(
    message: Message,
    said: Mapping[Fact, str],
    admitted: Admitted,
    readings: Sequence[Reading],
    before: Conversation,
    used: frozenset[Fact],
    talk: TalkRead,
) -> tuple[dict[Fact, str], frozenset[Fact]]:
    """What the talk as a whole says of a case where the words of its last message say nothing, and what it doubts."""
    spoken_of = {Fact(reading.slot) for reading in readings} | admitted.open | {before.asked_for}
    kinds = {reading.value for reading in readings if reading.slot == Fact.APPLICANT_KIND}
    if len(kinds) == 1 and Fact.APPLICANT_KIND not in admitted.open:
        spoken_of -= {Fact.APPLICANT_KIND}  # 所属は県庁のデジタル推進課: there is no other body that it may be
    if message.days:
        spoken_of.add(Fact.DISPATCH_YEAR)  # which a calendar tells
    read = {fact: said.get(fact, "" if fact in spoken_of else None) for fact in used - told_by_name(before)}
    settled = settle(read, before.facts, talk, puts_right=puts_right(message), asks=bool(message.asking))
    unknown = {before.asked_for: "awaited"}.items()  # said in reply, that is not known
    settled = replace(settled, told=dict(settled.told.items() - unknown))
    spread = {Fact.INDEX_STANDING, Fact.INDEX_SPREAD} & (before.facts.keys() | said.keys() | spoken_of)
    if spread or Fact.FISCAL_INDEX in told_by_name(before):
        return dict(settled.told), settled.open
    index = _index_told(message, said, before, talk, spoken=Fact.FISCAL_INDEX in spoken_of)
    told = {Fact.FISCAL_INDEX: index} if index else {}
    kind = (
        settled.told.get(Fact.APPLICANT_KIND) or said.get(Fact.APPLICANT_KIND) or before.facts.get(Fact.APPLICANT_KIND)
    )
    if kind in _MAY_HAVE_NO_INDEX and not index and index_side(talk, SURE_OF_INDEX) == UNCLEAR:
        told = {} if message.says("unknown") else {Fact.INDEX_STANDING: "none"}
    return {**settled.told, **told}, settled.open | ({Fact.FISCAL_INDEX} if index == "" else frozenset())


_MAY_HAVE_NO_INDEX = frozenset({ApplicantKind.SPECIAL_WARD, ApplicantKind.LOCAL_GOVERNMENT_ASSOCIATION})
"""Bodies that may have no ordinary financial strength index (T18)."""


def _index_told(
    message: Message, said: Mapping[Fact, str], before: Conversation, talk: TalkRead, *, spoken: bool
) -> str | None:
    """The index that counts as the talk tells it, "" where it leaves that open, None where it adds nothing to words.

    In one message, words tell whose an index is; over several, they tell less than the talk does.
    """
    known = said.get(Fact.FISCAL_INDEX) or before.facts.get(Fact.FISCAL_INDEX)
    side = index_side(talk, SURE_OF_FIGURES)
    counting = [index_text(one.figure) for one in talk.figures if one.role == "index" and one.share >= SURE]
    sides = {side_of(one) for one in counting}
    if known is None and not before.messages and (index := _index_beside_others(said, talk)):
        return index
    surely = index_side(talk, SURE_OF_MORE) if known is not None else ""
    if (surely or (before.messages and not spoken)) and sides == {surely or side} != {known and side_of(known)}:
        return counting[-1]
    if known is not None and leaves_index_open(known, talk):
        return ""
    if spoken or (known is not None and not denies_index(known, talk)):
        return None
    side = index_side(talk)
    numbers = [f for f in message.figures if f.dimension is Dimension.NUMBER and side_of(index_text(f)) == side]
    return index_text(numbers[-1]) if numbers else "" if known is not None else None


def _index_beside_others(said: Mapping[Fact, str], talk: TalkRead) -> str:
    """The index that surely counts: of a place where others apply than its government, or beside one that does not."""
    numbers = [one for one in talk.figures if one.figure.dimension is Dimension.NUMBER]
    counting = [index_text(one.figure) for one in numbers if one.role == "index"]
    surely = all(one.share >= SURE_OF_INDEX for one in numbers) and index_side(talk, SURE_AGAINST)
    of_others = said.get(Fact.APPLICANT_KIND, ApplicantKind.MUNICIPALITY) not in GOVERNMENTS
    beside = of_others or len(counting) < len(numbers)
    return counting[-1] if beside and surely and {*map(side_of, counting)} == {surely} else ""


def _in_this_talk(
    programs: tuple[str, ...],
    named: tuple[str, ...],
    talk: TalkRead,
    case: Circumstances,
    before: Conversation,
    asks: tuple[str, ...],
) -> tuple[str, ...]:
    """The programs that a message is about, that of the talk where it names none and the talk as a whole is of it.

    None where it asks what is the same in several, so that it is open which is meant.
    """
    if named or len(programs) > 1:
        return programs
    asked_of = programs_among(asks)
    doubtful = bool(ruled_among(asks) or before.program not in ("", *asked_of))
    of_one = len(programs_among(surely_among(talk, asks))) == 1  # 話戻ってさっきの、会場は?
    sure = LIKELY if of_one else SURE_OF_PROGRAM
    if asked_of and (not doubtful or program_of(talk, sure) in asked_of):
        return asked_of if len(asked_of) == 1 else ()
    if before.program:
        surely = program_of(talk, LIKELY)
        return (surely,) if surely == before.program else programs
    surely = program_of(talk, SURE_OF_ALL)
    return programs or ((surely,) if surely and case.said.keys() - _ABOUT_A_BODY else ())


def _is_asked_for(message: Message, reading: Reading) -> bool:
    """Whether words only ask who does what they speak of: 推薦は誰からもらえばいい?"""
    clause = message.clause_at(reading.start)
    asked = clause.number in message.asking and message.in_clause(clause, "who")
    return reading.slot == Fact.RECOMMENDATION and bool(asked)


def _corrected(message: Message, before: Conversation) -> tuple[Decimal | None, Unit | None]:
    """The amount of the question before, where a bare number puts it right (12の間違いでした)."""
    numbers = [figure.value for figure in message.figures if figure.dimension is Dimension.NUMBER]
    return (numbers[-1], before.amount_unit) if numbers else (None, None)


def _is_of_another_body(message: Message, case: Circumstances, before: Conversation) -> bool:
    """Whether a message turns the question to another body (NPOなら?, うちの町は?), and puts nothing right."""
    known, said = before.facts.get(Fact.APPLICANT_KIND), case.said.get(Fact.APPLICANT_KIND)
    if not known or not said or message.says("correct"):
        return False
    turned = "goes_on" in case.signs or bool(message.asking)
    return turned and (said != known or ("goes_on" in case.signs and message.says("self", "other")))


def _stays_true(fact: Fact, case: Circumstances, before: Conversation) -> bool:
    """Whether it is the index of the municipality in whose area the other body works (T16): 0.5の市は? NPOだと?"""
    known, said = before.facts[Fact.APPLICANT_KIND], case.said[Fact.APPLICANT_KIND]
    return fact is Fact.FISCAL_INDEX and known == ApplicantKind.MUNICIPALITY and said not in GOVERNMENTS


def _understood(
    situation: Situation, admitted: Admitted, message: Message, catalog: Catalog, towns: tuple[Municipality, ...]
) -> tuple[Understood, ...]:
    """The facts of a case with the words that say them; those of earlier messages have none.

    A body that is known by its name is shown by it.
    """
    understood = []
    for fact in catalog.facts:
        if fact is Fact.PROGRAM or fact not in situation.facts:
            continue
        value = situation.facts[fact]
        label = fact_words(catalog.facts[fact], value)
        reading = admitted.facts.get(fact)
        by = reading.by if reading and reading.value == value else ""
        if fact is Fact.APPLICANT_KIND and len(towns) == 1 and kind_of(towns[0]) == value:
            label, by = towns[0].full_name, BY_NAME
        if reading is None or reading.value != value:
            understood.append(Understood(fact, value, label, by=by))
            continue
        start, end = message.span_of(reading.start, reading.end)
        understood.append(Understood(fact, value, label, message.original[start:end], start, end, by))
    return tuple(understood)


def _amount(reading: Reading | None) -> tuple[Decimal | None, Unit | None]:
    if reading is None:
        return None, None
    if reading.slot == "beyond":
        return None, _UNITS[reading.value]
    return Decimal(reading.value), _UNITS[reading.slot]


_PROVIDER = ApplicantKind.SUPPORT_PROVIDER

_A_TURN = 24
"""A message of at most so many characters may turn the question before it to another case (NPOだと?, 上限は?)."""

_UNITS: Mapping[str, Unit] = {"yen": "yen", "day": "day", "hour": "hour", "meeting": "meeting", "count": "count"}

_UNITS_READ = {"yen": Dimension.YEN, "day": Dimension.DAY, "hour": Dimension.HOUR}

_SIGN_OF_CONCEPT = {
    "compares": ("compare",),
    "asks_difference": ("difference",),
    "asks_open": ("asks_open",),
    "can_we": ("can", "eligible"),
    "claims": ("claim",),
    "names_cap": ("cap",),
    "names_call": ("call",),
    "speaks_of_us": ("self",),
    "asks_for_another": ("another",),
    "asks_cost": ("cost",),
    "asks_when": ("when", "period"),
    "names_our_matter": ("names_our_matter",),
    "asks_again": ("asks_again",),
    "asks_whom": ("who_answers",),
    "asks_contact": ("asks_contact",),
    "of_the_report": ("report",),
    "asks_promise": ("asks_promise",),
    "asks_which": ("which",),
    "asks_most": ("most",),
    "asks_least": ("least",),
    "asks_explanation": ("why", "compare", "difference", "procedure", "explain"),
}


def _signs(message: Message, reader: OfflineReader, catalog: Catalog) -> frozenset[str]:
    """What the message as a whole shows of what is wanted."""
    signs = {sign for sign, concepts in _SIGN_OF_CONCEPT.items() if message.says(*concepts)}
    first = message.mentions[0] if message.mentions else None
    if first and first.start == 0:
        if "starts_over" in first.concepts and len(message.text) - first.end <= 10:
            signs.add("starts_over")
        if (
            "greets" in first.concepts
            and len(message.text) - first.end <= 14
            and not message.asking
            and not reader.expects_reply
        ):
            signs.add("greets")
        if "goes_on" in first.concepts:
            signs.add("goes_on")
    if message.says("acknowledges") and len(message.text) <= _SHORT_REPLY and not message.asking:
        signs.add("acknowledges")
    if _is_a_mere_sign(message):
        signs.add("acknowledges")
    matter = beside_names(message.text, catalog.programs.values())
    if (
        len(message.text) <= _A_TURN
        and not (matter and message.unread(matter))
        and (message.says("suppose") or ends_on_a_case(message))
    ):
        signs.add("goes_on")
    if _asks_for_a_count(message):
        signs.add("asks_open")
    if _wants_a_person(message):
        signs.add("hands_over")
    if message.says("eligible") or _asks_to_apply(message):
        signs.add("asks_eligibility")
    if message.says("who") or _asks_for_conditions(message) or (message.says("applicants") and message.says("compare")):
        signs.add("asks_in_general")
    if message.days and message.says("on_site") and not message.says("apply_only", "call"):
        signs.add("asks_dispatch_day")
    if message.says("want") and message.says("apply"):
        signs.add("wants_to_apply")
    if reader.quantities.mixed():
        signs.add("mixes_modes")
    last = message.clauses[-1]
    if message.in_clause(last, "unknown") and len(message.text) <= _A_TURN and last.number not in message.asking:
        signs.add("does_not_know")
    return frozenset(signs)


def _wants_a_person(message: Message) -> bool:
    """Whether a person is asked for, and not told of: 担当者に聞いたら was done."""
    for mention in message.saying("hands_over"):
        after = message.tokens_between(mention.end, mention.end + 4)[:1]
        if not after or after[0].key not in ("た", "て", "てる"):
            return True
    return False


def _asks_if_able(message: Message) -> bool:
    """Whether anything is asked that can be done: a verb of what was done (受けた側) asks nothing."""
    for mention in message.saying("can", "want", "who", "eligible", "requirement", "applicants"):
        following = [token.key for token in message.tokens_between(mention.end, mention.end + 4)]
        if "eligible" in mention.concepts or following[:1] not in (["た"], ["てる"]):
            return True
    return False


def _asks_to_apply(message: Message) -> bool:
    """Whether a clause asks if one can apply, and not how much or when."""
    for clause in message.clauses:
        start, end = clause.start, clause.end
        applies = message.says("apply", start=start, end=end) and message.says("can", start=start, end=end)
        if applies and not message.says("how_much", "cap", "amount_word", "how_long", start=start, end=end):
            return True
    return False


_RULED_COUNTERS = frozenset(
    {
        "日",
        "時間",
        "月",
        "年",
        "回",
        "円",
        "泊",
        "度",
        "で",
        "か",
        "が",
        "を",
        "も",
        "億",
        "万",
        "千",
        "箇月",
        "年度",
        "時",
        "週間",
        "べん",
        "遍",
    }
)


def _asks_if_still_open(message: Message) -> bool:
    """Whether it is asked if one can still apply: まだ申し込める?, まだ募集してる?"""
    if any(
        message.text[d.start : d.end] in ("今", "いま", "今から")
        and message.says("apply", "call", start=d.end, end=d.end + 6)
        for d in message.days
    ):
        return bool(message.asking)
    return any(
        message.says("apply", "call", start=mention.end, end=mention.end + 6)
        and message.text[mention.start : mention.end] == "まだ"
        for mention in message.saying("pending")
        if message.clause_at(mention.start).number in message.asking
    )


def _asks_for_a_count(message: Message) -> bool:
    """Whether a number is asked for that no rule states: 何点, 何人, 何団体."""
    return any(
        token.key == "何" and following.pos in ("名詞", "接尾辞") and following.key not in _RULED_COUNTERS
        for token, following in pairwise(message.tokens)
    )


_SHORT_REPLY = 18
"""A message of at most so many characters may do nothing but say that the answer was heard."""

_EMOJI_NAME = re.compile(r":[\w+-]+:")


def _is_a_mere_sign(message: Message) -> bool:
    """Whether nothing is written but signs and emoji (👍, :bow:): it wants no answer."""
    rest = _EMOJI_NAME.sub("", message.text)
    return "?" not in rest and not any(character.isalnum() for character in rest)


def _asks_for_conditions(message: Message) -> bool:
    """Whether it is asked who can apply at all: 対象は?, 応募条件を教えて."""
    for mention in message.saying("eligible"):
        after = message.text[mention.end : mention.end + 3]
        listed = after.startswith(("・", "、", "と")) and not after.startswith(("とな", "とし", "とす"))
        if listed or after.startswith(("は", "って", "を", "団体", "に関", "につ", "の範", "?", "。")) or not after:
            return True
    return False


def _asked_programs(
    message: Message, spans: Mapping[str, Sequence[tuple[int, int]]], before: Conversation, talk: TalkRead
) -> tuple[tuple[str, ...], frozenset[int]]:
    """Of the programs that a message names, those that it asks about, and the clauses that set others apart."""
    named = tuple(spans)
    if not named or (len(named) > 1 and _compares(message, spans)):
        return named, frozenset()
    asking = asking_sentences(message)
    spoken_of = {*named, before.program} - {""}
    surely = program_of(talk, SURE_OF_ALL) if len(spoken_of) > 1 else ""
    apart = {
        id: all(
            _is_set_apart(message, start, end, beside=spoken_of - {id})
            or (surely in spoken_of and id != surely and message.clause_at(start).sentence not in asking)
            for start, end in spans[id]
        )
        for id in named
    }
    meant = tuple(id for id in named if not apart[id])
    muted = frozenset(message.clause_at(start).number for id in named if apart[id] for start, _ in spans[id])
    if not meant and not before.program:
        meant = named[:1]  # what a talk opens with is meant, however it is put
        muted -= {message.clause_at(start).number for start, _ in spans[named[0]]}
    asked = tuple(id for id in meant if any(message.clause_at(start).sentence in asking for start, _ in spans[id]))
    return (asked or meant if len(named) > 1 else meant), muted


def _compares(message: Message, spans: Mapping[str, Sequence[tuple[int, int]]]) -> bool:
    """Whether programs are compared: in a sentence that asks, or that names several of them."""
    named = [{message.clause_at(start).sentence for start, _ in of_program} for of_program in spans.values()]
    told = {message.clause_at(mention.start).sentence for mention in message.saying("compare")}
    return any(one in asking_sentences(message) or sum(one in names for names in named) > 1 for one in told)


def _compared_before(before: Conversation, catalog: Catalog) -> tuple[str, ...]:
    """The programs that the question before was of, where it was of several (期間は?)."""
    if before.program:
        return ()
    named = named_programs(before.question, catalog.programs.values(), "", with_nicknames=False)
    return named if len(named) > 1 else ()


def _is_set_apart(message: Message, start: int, end: int, beside: set[str]) -> bool:
    """Whether a program is only named to leave it out, or, `beside` others, as one that was used before."""
    clause = message.clause_at(start)
    if any(mention.start <= end + 1 for mention in message.saying("set_apart", start=end, end=end + 10)):
        return True
    if not beside:
        return False
    used = message.saying("passed", "applied", "selection", start=end, end=clause.end)
    tail = {token.key for token in message.tokens_between(used[-1].end if used else end, clause.end)}
    told = "済み" in tail or (bool(used) and not tail.isdisjoint(("た", "済む", "居る", "てる")))
    left = (
        denials(message, end, clause.end) % 2 or message.says("other", "different", start=end, end=clause.end) or told
    )
    return (
        bool(left)
        and clause.number not in message.asking
        and not message.says("selection", "rejected", start=end, end=clause.end)
    )


def _asks_of_a_case(message: Message, case: Circumstances, days: tuple[date, date] | None) -> bool:
    """Whether a message asks or wishes something, and says what a rule may turn on: of who it is, whether one can."""
    asks = bool(message.asking) or "wants_to_apply" in case.signs
    able = {"can_we", "wants_to_apply", "asks_eligibility"} & case.signs
    said = case.said.keys() - {Fact.PROGRAM} - (frozenset() if able else _ABOUT_A_BODY)
    return asks and bool(said or case.unit is not None or days is not None)


_ABOUT_A_BODY = frozenset({Fact.APPLICANT_KIND, Fact.PARTNERSHIP})


def _turned_on_alone(case: Circumstances, subjects: Sequence[Subject], program: Program) -> frozenset[Subject]:
    """Eligibility, where the case says what its rules turn on and those of what the words ask do not."""
    used = {fact for row in rows_of(program, *subjects) for fact in row.when}
    turning = {fact for row in rows_of(program, Subject.ELIGIBILITY) for fact in row.when}
    alone = case.said.keys() & _OF_THE_APPLICANT & turning - used
    return frozenset((Subject.ELIGIBILITY,)) if alone else frozenset()


_NAMED = {
    "names_cap": Subject.CAP,
    "of_the_report": Subject.REPORT_DUE,
    "asks_eligibility": Subject.ELIGIBILITY,
}
"""Signs that a message names what it asks."""


def _turns(case: Circumstances, before: Conversation, programs: Sequence[Program]) -> bool:
    """Whether a message says what eligibility hangs on and the matter before does not (費用は? 指数1.1だけど)."""
    if len(programs) != 1 or before.asked_for in case.said:
        return False
    decisive = case.said.keys() - {Fact.APPLICANT_KIND, Fact.PARTNERSHIP, Fact.PROGRAM, Fact.MEETING_MODE}
    used = {fact for row in rows_of(programs[0], *before.subjects) for fact in row.when}
    turning = {fact for row in rows_of(programs[0], Subject.ELIGIBILITY) for fact in row.when}
    return bool(decisive & turning) and not decisive & used


def _with_what_is_touched(
    subjects: tuple[Subject, ...],
    case: Circumstances,
    before: Conversation,
    days: tuple[date, date] | None,
    programs: Sequence[Program],
) -> tuple[Subject, ...]:
    """Who asks whether it can be done asks of all that the case says: the amount, the day, the earlier dispatch."""
    wishes = bool(case.signs & {"can_we", "wants_to_apply"})
    told = wishes or Subject.CAP in before.subjects  # 今回も8市町のままです
    able = Subject.CAP in subjects and told and case.said.keys() & _DECIDES_WITH_AN_AMOUNT
    if len(programs) != 1 or (Subject.ELIGIBILITY not in subjects and not able):
        return subjects
    stated = stated_subjects(programs[0])
    touched = [Subject.ELIGIBILITY]
    if (case.amount or before.amount) is not None and (case.unit or before.amount_unit) in units_used(programs):
        touched.append(Subject.CAP)
    if days is not None:
        touched.append(Subject.WINDOW)
    if Fact.SAME_PROJECT in {**before.facts, **case.said} or Fact.SAME_PROJECT in case.admitted.open:
        touched.append(Subject.REPEAT)
    return tuple(dict.fromkeys((*subjects, *(subject for subject in touched if subject in stated))))


_DECIDES_WITH_AN_AMOUNT = frozenset((Fact.MUNICIPALITY_COUNT, Fact.PARTNERSHIP))
"""Facts that whoever says them beside an amount asks about too, though only of the amount (4,500万円で出せる?)."""

_VAGUE = {Subject.ELIGIBILITY: "asks_eligibility", Subject.COST: "asks_cost"}
"""The signs without which a message that goes on does not turn to a subject of vague words (無理?, いくら?)."""

_NOT_OF_THE_PAST = frozenset((Subject.ELIGIBILITY, Subject.WINDOW))
"""What is not asked where a message asks for something open (何件, どの県)."""

_OF_THE_APPLICANT = frozenset(
    (Fact.RECOMMENDATION, Fact.JOINT_PROJECT, Fact.INVESTMENT_OR_NONPROFIT, Fact.FISCAL_INDEX)
)
"""Facts that nobody states who does not ask about eligibility too."""

_GIVES_WAY = (
    (Subject.REPORT_DUE, Subject.DEADLINE),
    (Subject.REPORT_DUE, Subject.WINDOW),
    (Subject.REPORT_DUE, Subject.CAP),
    (Subject.REPORT_DUE, Subject.DURATION),
    (Subject.QUESTIONNAIRE, Subject.WINDOW),
    (Subject.QUESTIONNAIRE, Subject.DEADLINE),
    (Subject.CAP, Subject.DURATION),
    (Subject.DEADLINE, Subject.WINDOW),
    (Subject.CALLS_PER_YEAR, Subject.WINDOW),
    (Subject.REPEAT, Subject.CALLS_PER_YEAR),
    (Subject.ONLINE, Subject.ELIGIBILITY),
    (Subject.ONLINE, Subject.CAP),
    (Subject.RECOMMENDATION, Subject.ELIGIBILITY),
    (Subject.EXPERT, Subject.ELIGIBILITY),
    (Subject.DURATION, Subject.EXPERT),
    (Subject.COST, Subject.EXPERT),
)
"""Of two subjects that the same words may ask for, the second is not meant where the first is asked."""


def _subjects(
    found: dict[Subject, int],
    case: Circumstances,
    with_days: bool,
    programs: Sequence[Program],
    questions: Sequence[Question],
) -> tuple[Subject, ...]:
    """What is asked, in order of asking; weaker readings of the same words give way to stronger ones."""
    stated = stated_subjects(programs[0]) if len(programs) == 1 else frozenset()
    known = known_to(programs)
    with_amount = case.unit is not None and case.unit in (*units_used(programs), "count")
    if Subject.REPEAT in found and Subject.REPEAT not in known:
        found.setdefault(Subject.ELIGIBILITY, found.pop(Subject.REPEAT))
    if len(programs) == 1:
        known -= compared_only()
    found = {subject: start for subject, start in found.items() if subject in known}
    if with_amount:
        _ask_for_the_cap(found, case, programs)
    of_days = {Subject.ELIGIBILITY, Subject.WINDOW, Subject.DEADLINE}
    if found and found.keys() <= of_days and "of_the_report" in case.signs and Subject.REPORT_DUE in stated:
        found = {Subject.REPORT_DUE: 0}  # 報告書、10月6日でセーフ?
    if found.keys() == {Subject.ELIGIBILITY} and with_days and Subject.WINDOW in stated:
        found = {**found, Subject.WINDOW: 0}
        if case.said.keys() <= {Fact.MEETING_MODE, Fact.APPLICANT_KIND}:
            found.pop(Subject.ELIGIBILITY)
    if "asks_open" in case.signs:
        found = (
            found if case.unit else {subject: start for subject, start in found.items() if subject is not Subject.CAP}
        )
        if not {"asks_in_general", "compares"} <= case.signs:
            found = {subject: start for subject, start in found.items() if subject not in _NOT_OF_THE_PAST}
    if (
        found.keys() <= {Subject.ELIGIBILITY, Subject.WINDOW}
        and Fact.SAME_PROJECT in case.said
        and Subject.REPEAT in known
    ):
        found = {Subject.REPEAT: 0}
    if "mixes_modes" in case.signs and Subject.CAP in known:
        found = {Subject.CAP: 0}
    for strong, weak in _GIVES_WAY:
        if strong is Subject.CAP and "asks_difference" in case.signs:
            continue  # 期間・上限を比べて
        if {strong, weak} <= found.keys() and _asked_in(found[strong], questions) == _asked_in(found[weak], questions):
            del found[weak]
    return _without_the_vague(found, case, questions)


def _ask_for_the_cap(found: dict[Subject, int], case: Circumstances, programs: Sequence[Program]) -> None:
    if case.unit == "yen" and Subject.COST in found:
        found.setdefault(Subject.CAP, found.pop(Subject.COST))  # 金は5500万
    budget = case.amount is not None and case.amount in [
        row.value for p in programs for row in rows_of(p, Subject.BUDGET)
    ]
    if case.unit == "count":
        limited = any(isinstance(row.value, Decimal) for p in programs for row in rows_of(p, Subject.CALLS_PER_YEAR))
        if limited:
            found.pop(Subject.WINDOW, None)  # 公募3回全部に
        if found.keys() <= {Subject.ELIGIBILITY, Subject.CALLS_PER_YEAR}:
            once = not limited and Subject.REPEAT in known_to(programs)
            found.setdefault(Subject.REPEAT if once else Subject.CALLS_PER_YEAR, 0)
        return
    if budget and not case.signs & {"can_we", "names_cap", "claims"}:
        found.setdefault(Subject.BUDGET, 0)
    elif found.keys() <= {Subject.ELIGIBILITY} or case.signs & {"can_we", "claims"}:
        found.setdefault(Subject.CAP, 0)


def _is_asked_alone(subject: Subject, found: Mapping[Subject, int], questions: Sequence[Question]) -> bool:
    """Whether a subject is a thing of a list by itself: 対象と上限額を教えて."""
    if subject not in found or len(questions) < 2:
        return False
    asked = _asked_in(found[subject], questions)
    return all(_asked_in(start, questions) != asked for other, start in found.items() if other is not subject)


def _without_the_vague(
    found: dict[Subject, int], case: Circumstances, questions: Sequence[Question]
) -> tuple[Subject, ...]:
    """Drops what vague words may also ask: cost beside a cap, eligibility beside what is plainly asked."""
    if Subject.COST in found and "asks_cost" not in case.signs and Fact.PAST_SELECTION in case.said:
        found.setdefault(Subject.CAP, found.pop(Subject.COST))  # いくら of who was selected before asks for the cap
    if found.keys() & {Subject.CAP, Subject.DURATION} and "asks_cost" not in case.signs:
        found.pop(Subject.COST, None)  # どれくらい of a period
    if Subject.DURATION in found and "compares" in case.signs and "names_call" not in case.signs:
        found.pop(Subject.WINDOW, None)
    if Subject.BUDGET in found and "names_cap" not in case.signs:
        found.pop(Subject.CAP, None)
    if "compares" in case.signs and not case.signs & {"asks_eligibility", "asks_in_general"} and not case.said:
        found.pop(Subject.ELIGIBILITY, None)  # どれが向いていますか
    also_asks = (case.unit is None and Subject.CAP in found) or Subject.WINDOW in found
    plainly = (
        "asks_eligibility" in case.signs and also_asks and Fact.APPLICANT_KIND in case.said
    ) or case.said.keys() & _OF_THE_APPLICANT
    asked_with_amount = case.unit is not None and "asks_eligibility" in case.signs and Fact.APPLICANT_KIND in case.said
    decisive = asked_with_amount or Fact.MUNICIPALITY_COUNT in case.said or case.said.get(Fact.PARTNERSHIP) == "alone"
    alone = (
        _is_asked_alone(Subject.ELIGIBILITY, found, questions) or {"asks_difference", "asks_in_general"} <= case.signs
    )
    if len(found) > 1 and not decisive and not alone and (not plainly or Subject.CALLS_PER_YEAR in found):
        found.pop(Subject.ELIGIBILITY, None)
    if Subject.INDEX_LIMIT in found and Fact.FISCAL_INDEX in case.said:
        found.pop(Subject.INDEX_LIMIT)
        found.setdefault(Subject.ELIGIBILITY, 0)
    return tuple(sorted(found, key=lambda subject: found[subject]))


_SHORT = 40
"""A message of at most so many characters whose question says little by itself is looked up whole."""

_SAYS_LITTLE = 12
"""A question of at most so many characters leans on what is said beside it (うちは町です。使えますか)."""


def _questions(message: Message, case: Circumstances) -> tuple[Question, ...]:
    """What the message asks; where no sentence asks, the whole of it, unless it only tells of a case."""
    whole = Question(message.text, 0, len(message.text))
    found = questions_of(message)
    says_little = not found or (len(found) == 1 and len(found[0].text) <= _SAYS_LITTLE)
    if len(message.text) <= _SHORT and says_little and not (case.signs & {"claims"} and found):
        return (whole,)
    if found:
        return found
    return () if case.said.keys() - {Fact.PROGRAM} - _SAID_OF_ONESELF else (whole,)


_SAID_OF_ONESELF = frozenset({Fact.APPLICANT_KIND, Fact.MEETING_MODE})
"""What is said whatever is wanted, so that it alone puts no case."""


def _asked_in(start: int, questions: Sequence[Question]) -> str:
    """The question that words stand in; the last one for words that stand in none."""
    return next((q.text for q in questions if q.start <= start < q.end), questions[-1].text if questions else "")


def _asks_vaguely(message: Message, subjects: tuple[Subject, ...], case: Circumstances) -> bool:
    """Whether it is only asked if it can be done, of what was said before: これだけ頼めますか, 可能でしょうか."""
    plainly = "asks_eligibility" in case.signs and not message.says("this")
    return subjects == (Subject.ELIGIBILITY,) and not case.said and not plainly


def _asks_for_another(signs: frozenset[str], named: tuple[str, ...], before: Conversation, case: Circumstances) -> bool:
    """Whether it is asked what else somebody may use than the program that was spoken of: だめなら代わりに何がある?"""
    whose = Fact.APPLICANT_KIND in {**before.facts, **case.said} or Subject.ELIGIBILITY in before.subjects
    return "asks_for_another" in signs and not named and bool(before.program) and whose


def _asked_before(before: Conversation, inquiry: Inquiry) -> dict[Subject, int]:
    """What the question before asked, for a message that only turns it to another program (計画策定ではどうですか)."""
    return {asked.subject: asked.start for asked in subjects_asked(read_message(before.question, inquiry.as_of))}


def _continues(
    message: Message,
    before: Conversation,
    case: Circumstances,
    subjects: tuple[Subject, ...],
    catalog: Catalog,
    names: bool,
) -> bool:
    """Whether a message goes on from the question before it; `names` tells that it names a program itself."""
    if not before.question:
        return False
    if before.asked_for is not None and (before.asked_for in case.said or "does_not_know" in case.signs):
        return True
    if len(message.text) <= _A_TURN and ("asks_again" in case.signs or (message.days and message.says("correct"))):
        return True
    if not subjects and message.says("that", end=_POINTS_BACK):
        return True
    if "goes_on" in case.signs:  # その場合、市町村の数に決まりは? stands by itself
        stands = bool(subjects) or _own_matter(message, before, catalog)
        return _puts_a_case(case) or bool(message.days) or not stands
    if _asks_vaguely(message, subjects, case):
        return not _own_matter(message, before, catalog)  # これだけ頼めますか, この日程で認められますか
    adds = _adds(message, case) and not (names and _asks_beside(message, case, catalog))
    return not (subjects or (not adds and _own_matter(message, before, catalog)))


def _asks_beside(message: Message, case: Circumstances, catalog: Catalog) -> bool:
    """Whether what is asked has content words beside those that tell of a case: 伴走支援事業者は誰が選ぶんですか."""
    told = case.admitted.facts.values()
    asking = [clause for clause in message.clauses if clause.number in message.asking]
    return any(_content(message, clause.start, clause.end, catalog, told) for clause in asking)


_POINTS_BACK = 4
"""Characters in which a message that points to what was just spoken of does so: それっていつまで."""


def _adds(message: Message, case: Circumstances) -> bool:
    """Whether a message tells something that the question before it may hang on: of a case, or a day."""
    return _puts_a_case(case) or (bool(message.days) and not message.asking)


def _puts_a_case(case: Circumstances) -> bool:
    """Whether a message says anything of a case, if only that something of it is not known."""
    return bool(case.said or case.admitted.open) or case.amount is not None or case.corrects


def _of_themselves(message: Message, case: Circumstances, before: Conversation, catalog: Catalog) -> tuple[str, ...]:
    """The questions with a matter of their own beside the case that is told: 町です。費用は?."""
    told = [reading.start for reading in case.admitted.facts.values()]
    told += [figure.start for figure in message.figures] + [day.start for day in message.days]
    return tuple(
        question.text
        for question in questions_of(message)
        if not any(question.start <= start < question.end for start in told)
        and _content(message, question.start, question.end, catalog)
        and not message.says("that", start=question.start, end=question.end)
    )


def _own_matter(message: Message, before: Conversation, catalog: Catalog) -> bool:
    """Whether a message has content words of its own, beside days, figures and what every question has."""
    words = _content(message, 0, len(message.text), catalog)
    return bool(words - {word[0].terms for word in read_concepts(before.question)})


def _content(
    message: Message, start: int, end: int, catalog: Catalog, told: Iterable[Reading] = ()
) -> frozenset[tuple[str, ...]]:
    """The content words between two characters, beside the names of programs, days, figures and what asks nothing.

    Words that have `told` something are none either.
    """
    text = message.text
    figures = (*spans(message.days), *spans(message.figures))
    for first, last in (*figures, *spans(told), *spans(message.saying(*_SAYS_NO_MATTER))):
        text = f"{text[:first]}{' ' * (last - first)}{text[last:]}"
    words = read_concepts(beside_names(text[start:end], catalog.programs.values()))
    return frozenset(word[0].terms for word in words)


_SAYS_NO_MATTER = ("unknown", "asks_again", "goes_on", "can", "says_yes", "says_no", "suppose", "formal")
"""Concepts of words that ask nothing of their own: じゃあ無理?"""


_HANDED_IN = (Subject.REPORT_DUE, Subject.QUESTIONNAIRE)
"""What is handed in after the support: いつまで, asked of it, is no question about a call."""


def _in_light_of(before: Conversation, subjects: tuple[Subject, ...], message: Message) -> tuple[Subject, ...]:
    """What is asked of the matter before, where the words alone would ask another: 報告書は要りますか, いつまでに?"""
    due = [subject for subject in before.subjects if subject in _HANDED_IN]
    of_a_call = any(message.tokens[mention.last].pos == "名詞" for mention in message.saying("apply", "call"))
    if not due or of_a_call:  # 出す may be handing in
        return subjects
    named = {Subject.CAP} if message.says("cap") else set()
    light = {weak: strong for strong, weak in _GIVES_WAY if strong in due and weak not in named}
    return tuple(dict.fromkeys(light.get(subject, subject) for subject in subjects))
