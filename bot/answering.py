"""The way of a question, from an inquiry to an answer, on one screen."""

import logging
from dataclasses import dataclass, replace
from pathlib import Path

from bot import replies
from bot.composing import compose, compose_silence
from bot.deciding import decide_all
from bot.finding import find, from_documents
from bot.joining import PartialAnswer, join
from bot.matching import QUESTION_LENGTH
from bot.naming import name_documents
from bot.timing import span
from bot.types import Answer, AnswerStatus, Conversation, Findings, Inquiry, Proposals, Understanding
from bot.understanding import NOTHING, beside_names, understand
from bot.understanding.confirming import confirmed, read_yes_or_no
from bot.understanding.languages import read_wish
from bot.understanding.message import read_message
from bot.understanding.parting import AskedThing, part
from bot.understanding.programs import name_spans, named_programs
from bot.understanding.resolving import sets_programs_apart
from bot.understanding.returning import leave, pending, went_back
from bot.understanding.talks import asks_nothing, read_talk
from bot.understanding.together import of_the_last, put_together, told_so_far
from bot.understanding.towns import ANOTHER_INDEX, tells_apart, told_by_name
from bot.wording import reword, unread
from knowledge.catalog import KNOWLEDGE, Catalog, CatalogError, catalog_version, load_catalog
from knowledge.conflicts import Conflict, load_conflicts
from knowledge.figures import normalize
from knowledge.search import Searcher, open_searcher
from knowledge.types import Fact, Outcome

_log = logging.getLogger(__name__)


@dataclass
class Knowledge:
    """What answers rest on: the catalog, the index over the documents, and where those two differ.

    With `documents_only` no curated FAQ wording is used: content is answered from passages alone. `version` is that of
    the catalog's files, which lie under `root`.
    """

    catalog: Catalog
    searcher: Searcher
    data_dir: Path
    conflicts: tuple[Conflict, ...]
    documents_only: bool = False
    version: tuple[tuple[str, int], ...] = ()
    root: Path = KNOWLEDGE

    def refresh(self) -> None:
        """Takes up a newer generation of the index, the last ingest's conflicts, and the catalog where it changed.

        A catalog with a fault is refused whole, and the one before goes on serving.
        """
        version = catalog_version(self.root)
        if version != self.version:
            self.version = version
            load_catalog.cache_clear()
            try:
                self.catalog = load_catalog(self.root)
                _log.info("the catalog was taken up as it is now")
            except CatalogError as error:
                _log.error("the changed catalog is not taken up: %s", error)
        self.searcher.refresh()
        self.conflicts = load_conflicts(self.data_dir)


def open_knowledge(
    data_dir: Path,
    documents_only: bool = False,
    *,
    embedding_model: str = "",
    reranker_model: str = "",
    chroma_url: str = "",
) -> Knowledge:
    """Opens the catalog and the index. Raises CatalogError, or IndexMissingError where nothing is ingested yet."""
    searcher = open_searcher(data_dir, embedding_model, reranker_model, chroma_url)
    version = catalog_version()
    return Knowledge(load_catalog(), searcher, data_dir, load_conflicts(data_dir), documents_only, version)


@dataclass(frozen=True)
class Considered:
    """An answer, what the conversation then remembers, and what was understood and found.

    The last two are None where the message asks nothing of the knowledge, such as a tap or a greeting, and where it
    asks several things: then `parts` are the answers to each.
    """

    answer: Answer
    conversation: Conversation
    understanding: Understanding | None = None
    findings: Findings | None = None
    parts: tuple[PartialAnswer, ...] = ()


def answer(inquiry: Inquiry, knowledge: Knowledge) -> tuple[Answer, Conversation]:
    """Answers one message, and says what the conversation remembers. Goes by no clock and writes nothing."""
    considered = consider(inquiry, knowledge)
    return considered.answer, considered.conversation


def consider(inquiry: Inquiry, knowledge: Knowledge, proposals: Proposals = NOTHING) -> Considered:
    """Answers one message like `answer`, and says what it was understood as.

    Args:
        inquiry: the message.
        knowledge: what answers rest on.
        proposals: what a chat model read in it, or the asker confirmed.
    """
    if wish := read_wish(inquiry, knowledge.catalog):
        if not wish.inquiry.text:
            return Considered(unread(wish), replace(inquiry.conversation, language=wish.language))
        found = _consider(wish.inquiry, knowledge, proposals)
        parts = found.parts or (PartialAnswer("", "", found.answer, found.understanding, found.findings),)
        answer = reword(found.answer, parts, wish, knowledge.catalog, knowledge.conflicts)
        after = replace(found.conversation, language=wish.language)
        return _with_message(replace(found, answer=answer, conversation=after), wish.inquiry)
    return _with_message(_consider(inquiry, knowledge, proposals), inquiry)


_MESSAGES_KEPT = 3
_KEPT_OF_EACH = 200
"""Characters of a message that later ones are read in the light of."""


def _with_message(considered: Considered, inquiry: Inquiry) -> Considered:
    """The conversation with the message, unless it began anew."""
    after = considered.conversation
    if not after.program and not after.question:
        return considered
    messages = (*inquiry.conversation.messages, inquiry.text[:_KEPT_OF_EACH])[-_MESSAGES_KEPT:]
    return replace(considered, conversation=replace(after, messages=messages))


def _consider(inquiry: Inquiry, knowledge: Knowledge, proposals: Proposals) -> Considered:
    """Answers one message in plain Japanese."""
    if replied := _confirm(inquiry, knowledge):
        return replied
    if corrected := _correct(inquiry, knowledge.catalog):
        return Considered(*corrected)
    inquiry = tells_apart(_asked_of_program(went_back(inquiry, knowledge.catalog), knowledge.catalog))
    if proposals == NOTHING and (joined := _consider_each(inquiry, knowledge)):
        return joined
    alone = _consider_whole(inquiry, knowledge, proposals)
    return _consider_together(inquiry, alone, knowledge) if proposals == NOTHING else alone


def _consider_together(inquiry: Inquiry, alone: Considered, knowledge: Knowledge) -> Considered:
    """The answer to a case that is told over several messages, where the last by itself settles nothing."""
    whole = put_together(inquiry, alone.understanding) if alone.understanding else None
    if alone.understanding and alone.understanding.asks and not alone.understanding.subjects:
        return alone  # the talk as a whole told what is asked
    if alone.understanding and inquiry.conversation.asked_for in alone.understanding.open:
        return alone  # what it was asked for is not known
    turned = _kind_in(alone) != inquiry.conversation.facts.get(Fact.APPLICANT_KIND, _kind_in(alone))
    if whole is None or (alone.answer.verdict is not None and not turned):
        return alone
    together = _consider_each(whole, knowledge) or _consider_whole(whole, knowledge, NOTHING)
    stays = turned and _kind_in(together) == inquiry.conversation.facts[Fact.APPLICANT_KIND]
    if together.parts and turned:
        return alone  # two bodies, of each of which it is asked
    if not stays and (together.answer.verdict is None or not _holds(alone, together)):
        return alone
    return replace(
        together,
        answer=replace(together.answer, understood=of_the_last(together.answer.understood, whole, inquiry)),
        conversation=replace(together.conversation, told=whole.text),
    )


def _kind_in(considered: Considered) -> str | None:
    """What kind of body a case was understood to be of."""
    return considered.conversation.facts.get(Fact.APPLICANT_KIND)


def _holds(alone: Considered, together: Considered) -> bool:
    """Whether what a message says by itself is still said where it is read together with others.

    What it speaks of and leaves open is settled by words alone.
    """
    if not alone.understanding:
        return False
    known, left_open = together.conversation.facts, alone.understanding.open
    if any(one.slot in left_open and not one.text for one in together.answer.understood):
        return False
    said = alone.understanding.said.items()
    return all(known.get(fact, value) == value for fact, value in said if value != "unknown")


def _consider_each(inquiry: Inquiry, knowledge: Knowledge) -> Considered | None:
    """The answers to the several things that a message asks, as one; None where it is to be answered whole.

    What it tells is read once, as a message before them all; each also knows the program of those before it, and the
    case that they put. Where it is open of which program it is asked, or one is named that it does not ask about, the
    message is put whole.
    """
    catalog, programs = knowledge.catalog, knowledge.catalog.programs.values()
    message = read_message(inquiry.text, inquiry.as_of)
    names = [span for program in programs for span in name_spans(message.text, program)]
    parted = part(message, names)
    if parted is None:
        return None
    things = parted.things
    if names and any(not one.alone for one in things) and sets_programs_apart(message, inquiry.conversation, catalog):
        return None
    case = _told(parted.told, inquiry, catalog)
    answered: list[PartialAnswer] = []
    remembered, after = inquiry.conversation, case
    about = named_programs(parted.told, programs, "", with_nicknames=False)
    naming: tuple[str, ...] = ()
    for thing in things:
        named = named_programs(thing.text, programs, "", with_nicknames=False)
        about = named or about
        before = after if thing.leans else _known_to(thing, after, case, named)
        before = replace(before, messages=(*case.messages, *(() if named else naming)))
        asked = Inquiry(_asked_of(about, named, thing, catalog), inquiry.as_of, before)
        if asks_nothing(read_talk((*before.messages, asked.text))):
            continue  # ちょっと聞いてもいいですか
        one = _consider_whole(asked, knowledge, NOTHING)
        naming = (thing.text,) if named and not thing.alone else naming
        off_topic = one.answer.status is AnswerStatus.OFFTOPIC
        if one.answer.missing[:1] == (Fact.PROGRAM,) or (off_topic and not (names or inquiry.conversation.program)):
            return None
        if off_topic and one.understanding is None:
            continue  # a greeting
        after = after if off_topic else one.conversation
        remembered = after if one.answer.missing or not remembered.asked_for else remembered
        named_open = _naming_what_is_open(one.answer, thing)
        answered.append(PartialAnswer(thing.label, _program_of(one), named_open, one.understanding, one.findings))
    if len(answered) < 2:
        return None
    remembered = replace(
        remembered, question=normalize(inquiry.text), told=inquiry.text, messages=inquiry.conversation.messages
    )
    return Considered(join(answered, inquiry.text, catalog), remembered, parts=tuple(answered))


def _told(text: str, inquiry: Inquiry, catalog: Catalog) -> Conversation:
    """The conversation after what a message tells beside its questions."""
    before = inquiry.conversation
    if not text:
        return before
    told, understanding = _understand(replace(inquiry, text=text), catalog, NOTHING)
    after = _remember(understanding, Answer("", AnswerStatus.ANSWERED), Findings(understanding.programs), told)
    return replace(
        after,
        subjects=before.subjects,
        question=before.question,
        asked_for=before.asked_for,
        told=before.told,
        messages=(*before.messages, text),
    )


def _known_to(thing: AskedThing, after: Conversation, case: Conversation, named: tuple[str, ...]) -> Conversation:
    """What a thing that is asked knows of the others in its message: the case, and the program where it names none."""
    if thing.label:
        return case
    return replace(
        case if thing.alone else after,
        program="" if named else after.program,
        subjects=case.subjects,
        question=case.question,
        asked_for=case.asked_for,
    )


def _asked_of(about: tuple[str, ...], named: tuple[str, ...], thing: AskedThing, catalog: Catalog) -> str:
    """The words of a thing that is asked, with the names of the programs where those before it were of several."""
    if named or thing.alone or len(about) < 2:
        return thing.text
    return f"{'と'.join(catalog.programs[id].short_name for id in about)}: {thing.text}"


def _naming_what_is_open(answered: Answer, thing: AskedThing) -> Answer:
    """An answer that says of which question nothing was found, or that it is none for us."""
    if answered.status is AnswerStatus.OFFTOPIC:
        return Answer(replies.outside(thing.text), AnswerStatus.UNKNOWN)
    if answered.text.startswith(replies.NOTHING_FOUND):
        return replace(answered, text=f"{replies.nothing_on(thing.text)}{answered.text[len(replies.NOTHING_FOUND) :]}")
    return answered


def _program_of(considered: Considered) -> str:
    """The program that an answer is of, "" where it is of none or of several."""
    programs = considered.findings.programs if considered.findings else ()
    return programs[0] if len(programs) == 1 else ""


def _consider_whole(inquiry: Inquiry, knowledge: Knowledge, proposals: Proposals) -> Considered:
    with span("understand"):
        inquiry, understanding = _understand(inquiry, knowledge.catalog, proposals)
    if fixed := _fixed(understanding, inquiry, knowledge):
        return Considered(*fixed)
    with span("find"):
        findings = find(understanding, inquiry, knowledge.catalog, knowledge.searcher, knowledge.documents_only)
    understanding = replace(understanding, subjects=findings.subjects, programs=findings.programs)
    with span("compose"):
        composed = _compose(understanding, findings, inquiry, knowledge)
    return Considered(composed, _remember(understanding, composed, findings, inquiry), understanding, findings)


def _understand(inquiry: Inquiry, catalog: Catalog, proposals: Proposals) -> tuple[Inquiry, Understanding]:
    """What a message asks, and of which matter: one that was left while a fact was asked for, if it tells it."""
    if left := pending(inquiry.conversation):
        taken_up = replace(inquiry, conversation=left)
        understanding = understand(taken_up, catalog, proposals)
        if left.asked_for in understanding.said and understanding.programs == (left.program,):
            return taken_up, understanding
    return inquiry, understand(inquiry, catalog, proposals)


def _confirm(inquiry: Inquiry, knowledge: Knowledge) -> Considered | None:
    """The yes or no to a reading that was proposed: its question is answered with the reading, or without."""
    proposed = inquiry.conversation.proposed
    says_yes = read_yes_or_no(inquiry) if proposed else None
    if proposed is None or says_yes is None:
        return None
    asked = Inquiry(proposed.question, inquiry.as_of, proposed.before)
    answered = consider(asked, knowledge, confirmed(proposed.proposals) if says_yes else NOTHING)
    return Considered(answered.answer, answered.conversation)


def _asked_of_program(inquiry: Inquiry, catalog: Catalog) -> Inquiry:
    """The question before, where a message only names the program of which it is asked (アドバイザーの方です)."""
    before, programs = inquiry.conversation, catalog.programs.values()
    named = named_programs(normalize(inquiry.text), programs, "", with_nicknames=False)
    if not before.question or len(named) != 1 or beside_names(normalize(inquiry.text), programs):
        return inquiry
    asked = f"{catalog.programs[named[0]].short_name}: {beside_names(before.question, programs)}"
    return Inquiry(asked, inquiry.as_of, replace(before, asked_for=None, question="", subjects=(), left=leave(before)))


def _correct(inquiry: Inquiry, catalog: Catalog) -> tuple[Answer, Conversation] | None:
    """The tap that puts a fact right: it is asked for anew, and the rest of the case stays."""
    before, text = inquiry.conversation, normalize(inquiry.text)
    for fact, question in catalog.facts.items():
        puts_right = fact in before.facts and text == normalize(replies.correction_of(question.label))
        another = fact is Fact.FISCAL_INDEX is before.asked_for and text == normalize(ANOTHER_INDEX.label)
        if puts_right or another:
            by_name = told_by_name(before) if fact is Fact.APPLICANT_KIND else frozenset[Fact]()
            kept = {known: value for known, value in before.facts.items() if known is not fact and known not in by_name}
            after = replace(before, facts=kept, asked_for=fact)
            asked = Answer(question.question, AnswerStatus.NEEDS_INFO, missing=(fact,), choices=question.choices)
            return asked, replace(after, towns=(), home=(), told="") if fact is Fact.APPLICANT_KIND else after
    return None


def _fixed(understanding: Understanding, inquiry: Inquiry, knowledge: Knowledge) -> tuple[Answer, Conversation] | None:
    """The messages that ask nothing of the knowledge: empty, a greeting, a fresh start, the wish for a person."""
    catalog = knowledge.catalog
    if not understanding.text:
        return Answer(replies.EMPTY, AnswerStatus.ERROR), Conversation()
    if "starts_over" in understanding.signs:
        return Answer(replies.STARTED_OVER, AnswerStatus.ANSWERED), Conversation()
    if "hands_over" in understanding.signs:
        contacts = [catalog.programs[id].contact for id in understanding.programs or catalog.programs]
        answered = Answer(replies.hand_over(dict.fromkeys(contacts)), AnswerStatus.ANSWERED, for_staff=True)
        asks_too = bool(understanding.subjects)  # 計画策定の締切を職員に聞きたい
        return answered, _turned(inquiry, understanding) if asks_too else inquiry.conversation
    if "asks_whom" in understanding.signs:
        return Answer(replies.WHO_ANSWERS, AnswerStatus.OFFTOPIC), inquiry.conversation
    if (
        "asks_contact" in understanding.signs
        and not (understanding.asks or understanding.subjects or understanding.said or understanding.named)
        and not name_documents(understanding, inquiry.conversation, knowledge.searcher.named, catalog).documents
    ):
        contacts = [catalog.programs[id].contact for id in understanding.programs or catalog.programs]
        return Answer(replies.hand_over(dict.fromkeys(contacts)), AnswerStatus.ANSWERED), inquiry.conversation
    if "asks_promise" in understanding.signs and not understanding.subjects:
        contacts = [catalog.programs[id].contact for id in understanding.programs]
        return Answer(replies.no_promise("、".join(contacts)), AnswerStatus.UNKNOWN), inquiry.conversation
    if "acknowledges" in understanding.signs and not (understanding.subjects or understanding.said):
        return Answer(replies.ACKNOWLEDGED, AnswerStatus.OFFTOPIC), inquiry.conversation
    if "greets" in understanding.signs:
        return Answer(replies.greeting(catalog.programs.values()), AnswerStatus.OFFTOPIC), Conversation()
    return None


def _turned(inquiry: Inquiry, understanding: Understanding) -> Conversation:
    """The conversation after a question that a person is to answer."""
    program = understanding.programs[0] if len(understanding.programs) == 1 else inquiry.conversation.program
    return Conversation(
        program=program, question=understanding.text, towns=_towns(understanding, inquiry), home=_home(understanding)
    )


def _towns(understanding: Understanding, inquiry: Inquiry) -> tuple[str, ...]:
    """The bodies that the conversation goes on with."""
    return tuple(town.code for town in understanding.towns) or inquiry.conversation.towns


def _home(understanding: Understanding) -> tuple[str, ...]:
    return tuple(town.code for town in understanding.home)


def _compose(understanding: Understanding, findings: Findings, inquiry: Inquiry, knowledge: Knowledge) -> Answer:
    """The first of these that has an answer: the documents' silence, rules and passages, and the way out."""
    catalog = knowledge.catalog
    programs = [catalog.programs[id] for id in findings.programs]
    if findings.silences and not (findings.subjects or findings.passages):
        return compose_silence(findings.silences, programs, findings.nearby, catalog)
    if findings.asks_program:
        return _which_program(catalog)
    if findings.of_another:
        return Answer(replies.known_of_another(findings.of_another), AnswerStatus.UNKNOWN)
    if findings.subjects or findings.passages:
        with span("decide"):
            rulings = decide_all(understanding, findings.programs, inquiry, catalog)
        if rulings and not findings.passages and all(r.outcome is Outcome.NOT_STATED for r in rulings):
            stated = from_documents(understanding.text[:QUESTION_LENGTH], findings.programs[0], knowledge.searcher)
            rulings, findings = ((), stated) if stated else (rulings, findings)
        return compose(rulings, findings, understanding, inquiry, catalog, knowledge.conflicts)
    if not findings.in_scope:
        return Answer(replies.offtopic(catalog.programs.values(), understanding.foreign_program), AnswerStatus.OFFTOPIC)
    if findings.documents:
        return Answer(replies.nothing_in(findings.documents.values()), AnswerStatus.UNKNOWN)
    contact = programs[0].contact if len(programs) == 1 else ""
    return Answer(replies.NOTHING_FOUND + replies.whom_to_ask(contact), AnswerStatus.UNKNOWN)


def _which_program(catalog: Catalog) -> Answer:
    return Answer(
        replies.which_program(catalog.programs.values()),
        AnswerStatus.NEEDS_INFO,
        missing=(Fact.PROGRAM,),
        choices=catalog.facts[Fact.PROGRAM].choices,
    )


def _remember(understanding: Understanding, composed: Answer, findings: Findings, inquiry: Inquiry) -> Conversation:
    """What the next message of the conversation may go on from."""
    before = inquiry.conversation
    left = before.left if understanding.continues else leave(before)
    if findings.documents:
        named = tuple(findings.documents)
        return Conversation(
            facts=before.facts,
            question=understanding.text,
            documents=named,
            left=left,
            messages=before.messages,
            towns=_towns(understanding, inquiry),
            home=_home(understanding),
        )
    program = understanding.programs[0] if len(understanding.programs) == 1 else before.program
    return Conversation(
        program=program,
        facts={f: value for f, value in understanding.situation.facts.items() if f not in understanding.supposed},
        subjects=understanding.subjects or before.subjects,
        amount=understanding.situation.amount,
        amount_unit=understanding.situation.amount_unit,
        amount_at_most=understanding.situation.amount_at_most,
        asked_for=composed.missing[0] if composed.missing else None,
        question=before.question if understanding.continues and not understanding.subjects else understanding.text,
        told=told_so_far(inquiry, understanding),
        counts=understanding.counts,
        ended_on=understanding.ended_on,
        handed_in=understanding.handed_in,
        days=understanding.days or before.days,
        left=left,
        messages=before.messages,
        towns=_towns(understanding, inquiry),
        home=_home(understanding),
    )
