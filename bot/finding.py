"""Finds what answers a message: the rules, sections of the guide by the FAQ, or passages of added documents."""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from bot.comparing import compare_programs, recommend
from bot.matching import (
    FAQ_CERTAIN,
    FAQ_FITS,
    FAQ_PLAIN,
    LEARNT_LIKELY,
    LEARNT_PLAIN,
    QUESTION_LENGTH,
    Match,
    find_matches,
    nearest_entries,
)
from bot.naming import Naming, body_asked_of, name_documents
from bot.passages import PASSAGE_FITS, answering_passages
from bot.seeking import NOUN
from bot.types import Findings, Inquiry, Understanding
from bot.understanding import beside_names
from bot.understanding.talks import programs_among
from knowledge.catalog import Catalog
from knowledge.matters import NONE
from knowledge.naming import squeezed
from knowledge.rules.tables import rows_of, stated_subjects
from knowledge.search import RELEVANT, Searcher
from knowledge.talks.asked import OTHER, OUTSIDE
from knowledge.types import Chunk, Fact, FaqEntry, Hit, Program, Subject

_A_FEW_WORDS = 12
"""A message of a program's name and a day has at most so many characters beside the name."""

_MOST_COMPARED = 50
"""Passages of documents that are compared for an answer."""

_STILL_NEAR = 0.1
"""A message that is no nearer to any passage has left the matter of the conversation."""

_SHARED_FACTS = frozenset((Fact.APPLICANT_KIND, Fact.PARTNERSHIP, Fact.PROGRAM, Fact.MEETING_MODE))
"""What people say of themselves whatever they ask; other facts are said because a rule turns on them."""


_OF_A_BODY = frozenset((Fact.RECOMMENDATION, Fact.JOINT_PROJECT, Fact.INVESTMENT_OR_NONPROFIT))
"""What only somebody says who wonders whether a body can apply."""


def find(
    understanding: Understanding, inquiry: Inquiry, catalog: Catalog, searcher: Searcher, documents_only: bool
) -> Findings:
    """What answers the message: rules for the case that it describes, sections for what else it asks."""
    if understanding.continues and "asks_again" in understanding.signs:  # もう少し詳しく
        understanding = replace(understanding, text=inquiry.conversation.question, matter=inquiry.conversation.question)
    if sought := understanding.seeks:
        understanding = replace(understanding, text=sought, matter=sought, questions=(sought,))
    naming = name_documents(understanding, inquiry.conversation, searcher.named, catalog)
    if naming.of_another:
        return Findings((), of_another=naming.of_another)
    if naming.documents and (found := _from_named(naming, understanding, searcher, documents_only)):
        return found
    if understanding.index_of and (found := _index_asked(understanding, catalog)):
        return found
    programs = understanding.programs
    question = understanding.text[:QUESTION_LENGTH]
    of_a_body = Subject.ELIGIBILITY in understanding.subjects and (
        "asks_for_another" in understanding.signs or Fact.APPLICANT_KIND in understanding.said
    )
    if len(programs) > 1 and not of_a_body and (unstated := _silence_on_all(question, programs, catalog, searcher)):
        return unstated
    alone = len(programs) < 2 and not understanding.named
    if alone and (outside := _from_other_documents(question, searcher, documents_only)):
        return outside
    if len(programs) > 1 or ("compares" in understanding.signs and not programs):
        return compare_programs(understanding, catalog, searcher)
    program = programs[0] if programs else ""
    if name := understanding.foreign_program:
        return _of_foreign(name, question, searcher)
    elsewhere = bool(searcher.named) and understanding.asks[:1] in ((OUTSIDE,), (OTHER,))  # documents may tell it
    if understanding.asks and not (documents_only or elsewhere):
        return _as_talks_taught(understanding, catalog, searcher)

    matches = () if documents_only else find_matches(understanding, inquiry, program, catalog, searcher)
    if not program:
        doubted = LEARNT_PLAIN if understanding.subjects else 0.0  # of silences: what is asked may be a rule's
        told = [match for match in matches if match.certain and match.entry.rule is None]
        owners = {match.program for match in told if not match.entry.not_stated or match.score >= doubted}
        program = owners.pop() if len(owners) == 1 else ""
    programs = programs or ((program,) if program else ())

    own = [match for match in matches if match.program == program]
    subjects = _subjects(understanding, inquiry, own, catalog.programs.get(program))
    subjects, sections, silences = _answer_each(own, subjects, understanding, catalog.programs.get(program))
    if silences and not (subjects or sections) and (stated := from_documents(question, program, searcher)):
        return stated
    if subjects and not program:
        of_other_documents = documents_only and any(not hit.chunk.program for hit in searcher.search(question))
        return Findings(()) if of_other_documents else Findings((), subjects, asks_program=True)
    vague = documents_only and subjects == (Subject.ELIGIBILITY,) and not _of_somebody(understanding)
    if vague and (found := _from_passages(question, program, programs, searcher)):
        return found
    if subjects or sections or silences:
        chunks = [searcher.section(program, match.entry.section) for match in sections]
        return _answering(programs, subjects, tuple(chunk for chunk in chunks if chunk), silences, searcher)
    if found := _from_passages(question, program, programs, searcher):
        return found
    together = f"{inquiry.conversation.question} {question}"
    if understanding.continues and (found := _from_passages(together, program, programs, searcher)):
        return found
    if not programs and not documents_only and (near := recommend(question, catalog, searcher)):
        return near
    nearest = max((hit.score for hit in searcher.search(question)), default=0.0)
    related = nearest >= (RELEVANT if documents_only else PASSAGE_FITS)
    on_the_program = bool(programs) and (understanding.named or understanding.continues or nearest >= _STILL_NEAR)
    ours = bool(understanding.said or understanding.subjects or "names_our_matter" in understanding.signs)
    return Findings(programs, in_scope=on_the_program or ours or related)


def _as_talks_taught(understanding: Understanding, catalog: Catalog, searcher: Searcher) -> Findings:
    """What answers a message of which it was learnt from talks what it asks."""
    programs = understanding.programs or programs_among(understanding.asks)
    if not programs or understanding.asks[0] == OTHER:
        return Findings(programs, in_scope=understanding.asks[0] != OUTSIDE)
    entries = {entry.id: (id, entry) for id in programs for entry in catalog.faq[id]}
    asked = [entries[name] for name in understanding.asks if name in entries]
    subjects = understanding.subjects
    if len(programs) == 1:
        cases = {entry.case_of for _, entry in asked if _is_put_to(entry, understanding)}
        asked = [(id, entry) for id, entry in asked if entry.case_of not in cases]
        subjects = tuple(dict.fromkeys((*subjects, *filter(None, cases))))
    silences = tuple(entry for _, entry in asked if entry.not_stated)
    sections = [(id, entry.section) for id, entry in asked if entry.section and not entry.not_stated]
    if len(programs) > 1 and (subjects or sections):
        return Findings((), subjects, asks_program=True)
    passages = tuple(dict.fromkeys(filter(None, (searcher.section(*section) for section in sections))))
    only_silent = silences and not (subjects or passages)
    question = understanding.text[:QUESTION_LENGTH]
    if only_silent and (stated := from_documents(question, programs[0], searcher)):
        return stated
    return _answering(programs, subjects, passages, silences, searcher)


def _is_put_to(entry: FaqEntry, understanding: Understanding) -> bool:
    """Whether a message puts an amount or a number of bodies to the rules that an entry is about."""
    if entry.case_of is Subject.CAP:
        told = understanding.figures or not understanding.continues
        return bool(told) and understanding.situation.amount is not None
    return entry.case_of is Subject.ELIGIBILITY and Fact.MUNICIPALITY_COUNT in understanding.said


def _answering(
    programs: tuple[str, ...],
    subjects: tuple[Subject, ...],
    passages: tuple[Chunk, ...],
    silences: tuple[FaqEntry, ...],
    searcher: Searcher,
) -> Findings:
    """Rules, sections and silences together; what is said beside one silence alone comes with it."""
    nearby = silences[0].nearby if len(silences) == 1 and not subjects and not passages else ""
    return Findings(
        programs,
        subjects,
        silences=silences,
        nearby=searcher.section(programs[0], nearby) if nearby else None,
        passages=passages,
        texts=tuple(chunk.text for chunk in passages),
    )


def _index_asked(understanding: Understanding, catalog: Catalog) -> Findings | None:
    """The program that turns on the index that is asked for, and what else is asked of it."""
    turning = [id for id, program in catalog.programs.items() if Subject.INDEX_LIMIT in stated_subjects(program)]
    also = [subject for subject, _ in understanding.asked if subject in understanding.subjects]
    return Findings(tuple(turning[:1]), tuple(dict.fromkeys((Subject.INDEX_LIMIT, *also)))) if turning else None


def _answer_each(
    own: Sequence[Match], subjects: tuple[Subject, ...], understanding: Understanding, program: Program | None
) -> tuple[tuple[Subject, ...], tuple[Match, ...], tuple[FaqEntry, ...]]:
    """What answers each question of a message once: rules, or a section of the guide, or that nothing is stated.

    A case that is put is answered by rules; what is asked in general by a section that is surely meant.
    """
    questions = understanding.questions or ("",)
    heard = dict(understanding.asked)
    elsewhere = "" if understanding.continues else questions[0]
    asked_in = {subject: heard.get(subject, elsewhere) for subject in subjects}
    tells = bool(understanding.said.keys() - {Fact.PROGRAM})
    surely = FAQ_PLAIN if tells else FAQ_CERTAIN
    kept = [subject for subject in subjects if asked_in[subject] not in questions]
    sections: list[Match] = []
    silences: list[FaqEntry] = []
    for question in questions:
        ruled = [subject for subject in subjects if asked_in[subject] == question]
        best = next((match for match in own if match.question == question), None)
        if best is None:
            kept += ruled
        elif best.entry.not_stated:
            one_thing = len(ruled) < 2 or understanding.wanted == NONE
            if program and one_thing and _outweighs_rules(best, understanding, tuple(ruled), program):
                silences.append(best.entry)
            else:
                kept += ruled
        elif best.entry.rule:
            kept += _by_rule(best, ruled, understanding, program)
        elif ruled and _is_put_to_rules(best, understanding, ruled, program, surely):
            kept += ruled
        else:
            sections.append(best)
            if program and not _takes_over(best, understanding, program):
                kept += [subject for subject in ruled if subject not in stated_subjects(program)]
    return tuple(dict.fromkeys(kept)), tuple(sections), tuple(silences)


def _by_rule(
    best: Match, ruled: Sequence[Subject], understanding: Understanding, program: Program | None
) -> Sequence[Subject]:
    """What a question asks of rules whose entry is one that rules decide.

    Where wordings have plainly taught that entry, other subjects that words seemed to ask for are not meant, unless
    their case is put or they are stated and the entry is not among them.
    """
    rule = best.entry.rule
    if rule is None or program is None:
        return ruled
    if not ruled:
        asked_of = best.score >= FAQ_FITS or Fact.APPLICANT_KIND in understanding.said
        return (rule,) if asked_of and not understanding.subjects else ()
    if _puts_a_case(understanding, ruled, program):
        return ruled
    none_stated = best.score >= FAQ_CERTAIN and not stated_subjects(program) & set(ruled)
    taught = best.learnt >= LEARNT_PLAIN and (rule in ruled or understanding.wanted == NONE)
    return (rule,) if none_stated or taught else ruled


def _puts_a_case(understanding: Understanding, subjects: Sequence[Subject], program: Program) -> bool:
    """Whether a message says something that the rules for these subjects turn on."""
    turning = {fact for row in rows_of(program, *subjects) for fact in row.when} - _SHARED_FACTS
    return bool(
        understanding.said.keys() & turning
        or (Subject.CAP in subjects and (understanding.situation.amount is not None or _mixes_modes(understanding)))
        or (understanding.days is not None and Subject.WINDOW in subjects)
    )


def _mixes_modes(understanding: Understanding) -> bool:
    return "mixes_modes" in understanding.signs


def _is_put_to_rules(
    section: Match, understanding: Understanding, subjects: Sequence[Subject], program: Program | None, surely: float
) -> bool:
    """Whether rules answer a question, though a section of the guide was found that fits it so well."""
    if program is None:
        return section.score < surely
    if _is_surely_put(understanding, subjects, program):
        return True
    puts_a_case = section.score < surely or _puts_a_case(understanding, subjects, program)
    return puts_a_case and not _takes_over(section, understanding, program)


def _is_surely_put(understanding: Understanding, subjects: Sequence[Subject], program: Program) -> bool:
    """Whether it was learnt that a message wants one of these subjects decided, and it says something to decide it."""
    wanted = [subject for subject in subjects if subject == understanding.wanted]
    counted = Subject.CALLS_PER_YEAR in wanted and understanding.situation.amount is not None
    return (
        bool(wanted)
        and "claims" not in understanding.signs
        and (counted or _puts_a_case(understanding, wanted, program))
    )


def _takes_over(match: Match, understanding: Understanding, program: Program) -> bool:
    """Whether wordings have taught that a question is this entry's matter, and it puts no case of it to rules.

    A body with its index, and an amount where the cap is asked for, are a case whatever is said beside them.
    """
    subject = match.entry.case_of
    said = understanding.said.keys()
    indexed = {Fact.APPLICANT_KIND, Fact.FISCAL_INDEX} <= said
    measured = understanding.situation.amount is not None and Subject.CAP in understanding.subjects
    of_a_case = (subject and _puts_a_case(understanding, (subject,), program)) or indexed or measured
    likely = match.learnt >= FAQ_CERTAIN and understanding.wanted == NONE
    return likely or (match.learnt >= LEARNT_PLAIN and not of_a_case)


def _silence(match: Match, searcher: Searcher) -> Findings:
    """That the documents do not say, with what they say nearby."""
    entry = match.entry
    nearby = searcher.section(match.program, entry.nearby) if entry.nearby else None
    return Findings((match.program,), silences=(entry,), nearby=nearby)


def _silence_on_all(question: str, programs: tuple[str, ...], catalog: Catalog, searcher: Searcher) -> Findings | None:
    """What is plainly asked of several programs at once and stated of none (併用できるか)."""
    matter = beside_names(question, catalog.programs.values())
    matches = [match for id in programs for match in nearest_entries(question, matter, id, catalog, searcher)[:1]]
    best = max(matches, key=lambda match: match.score, default=None)
    return _silence(best, searcher) if best and best.entry.not_stated and best.score >= FAQ_PLAIN else None


def _from_named(
    naming: Naming, understanding: Understanding, searcher: Searcher, documents_only: bool
) -> Findings | None:
    """What the documents that are asked say; None where a case is put that they say nothing of and our rules may.

    A message that does not name them goes on from the one before, and is answered by them or not at all. One that names
    only the body that issued them is asked of them in words that our programs do not have.
    """
    titles = {document.id: document.title for document in searcher.named if document.id in naming.documents}
    matter = naming.matter[:QUESTION_LENGTH]
    queries = filter(None, (matter, *titles.values()))  # まだ申し込めますか has nothing to search for
    found_by = (searcher.search(query, documents=naming.documents, limit=_MOST_COMPARED) for query in queries)
    hits = next(filter(None, found_by), ())
    if naming.by_body and not documents_only:
        hits = _of_others(matter, hits, searcher)
    found = answering_passages(matter, hits, searcher, named=True, told=naming.told)
    if not found and naming.by_body:
        return None
    if not found and not naming.named and understanding.said.keys() - _SHARED_FACTS:
        return None
    return replace(_told(found), documents=titles)


def _of_foreign(name: str, question: str, searcher: Searcher) -> Findings:
    """What documents say of a program that none of them is about, where one has its name."""
    written = squeezed(name)
    hits = [
        hit
        for hit in searcher.search(question, limit=_MOST_COMPARED)
        if not hit.chunk.program and written in squeezed(_whole(hit.chunk))
    ]
    found = answering_passages(question, hits, searcher)
    return _told(found) if found else Findings((), in_scope=bool(hits))


def _told(found: tuple[tuple[Chunk, str], ...], programs: tuple[str, ...] = ()) -> Findings:
    passages = tuple(chunk for chunk, _ in found)
    owners = programs or tuple(dict.fromkeys(chunk.program for chunk in passages if chunk.program))
    return Findings(owners, passages=passages, texts=tuple(text for _, text in found))


def _subjects(
    understanding: Understanding, inquiry: Inquiry, own: Sequence[Match], program: Program | None
) -> tuple[Subject, ...]:
    """What the rules are asked: what the words ask, else what the facts point to.

    Whether something can be done (できますか) is a matter of eligibility only for an applicant who is described, or
    where nothing else that was found answers it.
    """
    subjects = understanding.subjects
    said = understanding.said.keys() - {Fact.PROGRAM}
    before = inquiry.conversation
    answers = [match for match in own if not match.entry.rule]
    answered = bool(answers)
    if subjects == (Subject.ELIGIBILITY,) and answered and not _of_somebody(understanding):
        surely = max(match.score for match in answers) >= FAQ_CERTAIN or own[0].learnt >= LEARNT_LIKELY
        if surely or "asks_eligibility" not in understanding.signs:
            return ()
    if subjects:
        return subjects
    if understanding.wanted == NONE:
        goes_on = before.subjects if understanding.continues and not answered else ()
        return tuple(subject for subject in goes_on if subject is not Subject.ELIGIBILITY)
    if understanding.continues and before.subjects and (said or not answered):
        replies = before.asked_for in said
        turns = not replies and _turns_to_eligibility(understanding, before.subjects, program)
        return (Subject.ELIGIBILITY,) if turns else before.subjects
    if "asks_open" in understanding.signs:
        return ()
    decisive = len(said - _SHARED_FACTS)
    of_a_body = bool(said & _OF_A_BODY) or decisive > 1 or (decisive and "can_we" in understanding.signs)
    known = understanding.situation.facts if understanding.continues else said
    puts_a_case = Fact.APPLICANT_KIND in known and of_a_body
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
    bare = understanding.days is not None and short and (understanding.named or understanding.continues)
    return (Subject.WINDOW,) if bare else ()


def _turns_to_eligibility(understanding: Understanding, before: tuple[Subject, ...], program: Program | None) -> bool:
    """Whether a message states what eligibility hangs on and the matter before does not (費用は? 指数1.1だけど)."""
    if program is None:
        return False
    decisive = understanding.said.keys() - _SHARED_FACTS
    if "can_we" in understanding.signs:
        decisive |= understanding.said.keys() & {Fact.APPLICANT_KIND}
    used = {fact for row in rows_of(program, *before) for fact in row.when}
    turning = {fact for row in rows_of(program, Subject.ELIGIBILITY) for fact in row.when}
    return bool(decisive & turning) and not decisive & used


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
    stated = stated_subjects(program).intersection(subjects)
    if stated and understanding.plain and silent.score < LEARNT_LIKELY:
        return False  # all that is asked was read, and a rule states it
    amount = understanding.situation.amount
    limited = {Subject.CAP, Subject.CALLS_PER_YEAR} & set(subjects) or not subjects
    amount_or_index = (amount is not None and limited) or Fact.FISCAL_INDEX in understanding.said
    only_claims = (
        "claims" in understanding.signs and not understanding.subjects and amount is None
    )  # 指数は1未満ですよね
    if _is_surely_put(understanding, subjects, program):
        return False
    plain = silent.score >= FAQ_CERTAIN if only_claims else silent.score >= FAQ_PLAIN and not amount_or_index
    if plain or _takes_over(silent, understanding, program) or "asks_open" in understanding.signs:
        return True
    rows = rows_of(program, *subjects, Subject.BUDGET)
    known = frozenset(understanding.situation.facts if understanding.continues else understanding.said)
    about_the_cap = "can_we" not in understanding.signs and any(row.value == amount for row in rows)
    if Subject.CAP in subjects and (amount is None or about_the_cap):
        return silent.score >= FAQ_CERTAIN or not any(fact in known for row in rows for fact in row.when)
    of_a_case = known - _SHARED_FACTS if silent.score >= LEARNT_LIKELY else known
    return not (
        Subject.CAP in subjects
        or (Subject.WINDOW in subjects and understanding.days is not None)
        or any(fact in of_a_case for row in rows for fact in row.when)
    )


def _from_other_documents(question: str, searcher: Searcher, documents_only: bool) -> Findings | None:
    """The answer of a document that belongs to none of the programs.

    It must have nouns of the question that no program's guide, document or FAQ knows. With `documents_only` it need
    not: what is asked without a program's name is then asked of documents. Where only documents of other bodies than
    the one that is named answer, that is told.
    """
    if not searcher.named:
        return None
    hits = searcher.search(question, limit=_MOST_COMPARED)
    others = tuple(hit for hit in hits if not hit.chunk.program)
    if others and not documents_only:
        others = _of_others(question, others, searcher)
    found = answering_passages(question, others, searcher)
    if found and (body := body_asked_of(question)):
        issued = {document.id for document in searcher.named if body in f"{document.issuer} {document.title}"}
        own = [hit for hit in others if hit.chunk.document in issued or body in _whole(hit.chunk)]
        found = answering_passages(question, own, searcher)
        return _told(found) if found else Findings((), of_another=body)
    return _told(found) if found else None


def _of_others(question: str, hits: Iterable[Hit], searcher: Searcher) -> tuple[Hit, ...]:
    """The passages that have nouns of the question which no program's guide, document or FAQ knows."""
    foreign = [word for word in searcher.foreign_words(question) if NOUN.search(word)]

    def has_one(hit: Hit) -> bool:
        text = _whole(hit.chunk)
        return any(squeezed(word) in squeezed(text) or searcher.covered(word, text) for word in foreign)

    return tuple(filter(has_one, hits))


def _whole(chunk: Chunk) -> str:
    return f"{' '.join(chunk.headings)} {chunk.text}"


def from_documents(question: str, program: str, searcher: Searcher) -> Findings | None:
    """What the added documents of a program say of something that its rules and its guide leave open."""
    if not searcher.named:
        return None
    hits = [
        hit
        for hit in searcher.search(question, program=program, limit=_MOST_COMPARED)
        if hit.chunk.program == program and not hit.chunk.quote
    ]
    found = answering_passages(question, hits, searcher)
    return _told(found, (program,)) if found else None


def _from_passages(question: str, program: str, programs: tuple[str, ...], searcher: Searcher) -> Findings | None:
    found = answering_passages(question, searcher.search(question, program=program), searcher)
    return _told(found, programs) if found else None
