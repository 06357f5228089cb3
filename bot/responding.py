"""An answer with a chat model: it reads what was left open and points to sentences, in time or not at all.

Whatever it returns, no verdict differs from the one without it before the asker has said yes to the reading.
"""

import asyncio
import logging
import time
from collections.abc import AsyncGenerator
from dataclasses import dataclass, replace

from bot import choosing, replies
from bot.answering import Considered, Knowledge, consider
from bot.llm import ChatModel, Meter, ModelError
from bot.timing import span
from bot.types import Answer, AnswerStatus, Inquiry, ModelUse, Proposals, Stage
from bot.understanding import NOTHING, model, read_scene
from bot.understanding.asking import load_subjects
from bot.understanding.confirming import confirmed, doubt, propose
from knowledge.catalog import Catalog
from knowledge.figures import normalize
from knowledge.types import Fact

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Patience:
    """How a chat model is asked: the seconds that it has before an answer is shown, and for what is added to one.

    With `every` it reads each message, also those that are settled without it.
    """

    before: float
    after: float
    every: bool = False


async def respond(
    inquiry: Inquiry, knowledge: Knowledge, chat_model: ChatModel, patience: Patience, *, grows: bool
) -> AsyncGenerator[Stage]:
    """Answers a message. Whatever becomes of the model, the offline answer is there.

    What is settled without the model is shown at once; what is left open waits for its reading.

    Args:
        inquiry: the message.
        knowledge: what answers rest on.
        chat_model: the chat model.
        patience: how long it is waited for.
        grows: whether an answer that was shown may be added to; otherwise there is just one stage.
    """
    started, helper = time.perf_counter(), _Helper(inquiry, knowledge, chat_model)
    considered = await asyncio.to_thread(consider, inquiry, knowledge)

    def left() -> float:
        return patience.before - (time.perf_counter() - started)

    if is_left_open(considered, knowledge.catalog):
        considered = await helper.read(considered, left())
    elif grows and patience.every and considered.understanding:
        yield Stage(considered.answer, considered.conversation)
        considered = await helper.doubt(considered, patience.after)
    if choosing.calls_for_choice(considered) if grows else choosing.waits_for_choice(considered):
        if grows:
            yield Stage(considered.answer, considered.conversation)
        considered = await helper.choose(considered, patience.after if grows else left())
    yield Stage(considered.answer, considered.conversation, helper.use())


def is_left_open(considered: Considered, catalog: Catalog) -> bool:
    """Whether an answer asks something, or found nothing, so that another reading of the message may help."""
    answered, understanding, findings = considered.answer, considered.understanding, considered.findings
    if understanding is None or findings is None:
        return False
    found_nothing = answered.status is AnswerStatus.UNKNOWN and not (findings.silences or answered.rulings)
    if not found_nothing and answered.status not in (AnswerStatus.NEEDS_INFO, AnswerStatus.OFFTOPIC):
        return False
    labels = {normalize(choice.label) for question in catalog.facts.values() for choice in question.choices}
    return understanding.text not in labels  # a tap says what it says


class _Helper:
    """What the model does for one message, and what that takes."""

    def __init__(self, inquiry: Inquiry, knowledge: Knowledge, chat_model: ChatModel) -> None:
        self._inquiry = inquiry
        self._knowledge = knowledge
        self._model = chat_model
        self._meter = Meter()
        self._use = ModelUse(chat_model.name)

    def use(self) -> ModelUse:
        """What the model did."""
        spent = self._model.tokens_spent(self._inquiry.as_of)
        return replace(self._use, seconds=self._meter.seconds, tokens=self._meter.tokens, tokens_today=spent)

    async def read(self, considered: Considered, seconds: float) -> Considered:
        """The answer with what the model read: used where no verdict hangs on it, else put to the asker."""
        proposals = await self._proposals(considered, seconds)
        if proposals == NOTHING:
            return considered
        used, outcome = await asyncio.to_thread(_with_reading, considered, proposals, self._inquiry, self._knowledge)
        self._use = replace(self._use, reading=outcome)
        return used

    async def doubt(self, considered: Considered, seconds: float) -> Considered:
        """The answer that is shown already, with a question under it where the model reads a fact otherwise."""
        proposals = replace(NOTHING, readings=(await self._proposals(considered, seconds)).readings)
        if proposals == NOTHING:
            return considered
        other = await asyncio.to_thread(consider, self._inquiry, self._knowledge, confirmed(proposals))
        if other.answer.rulings == considered.answer.rulings:
            return considered
        self._use = replace(self._use, reading="asked")
        asked = doubt(considered.answer, proposals, self._inquiry, considered.conversation, self._knowledge.catalog)
        return replace(considered, answer=asked[0], conversation=asked[1])

    async def _proposals(self, considered: Considered, seconds: float) -> Proposals:
        """What the model read that is new; nothing where it gave no reply."""
        known = self._knowledge.searcher.named
        prompt = model.prompt_for(self._inquiry, self._knowledge.catalog, known)
        try:
            with span("model_read"):
                reply = await self._model.reply(prompt, self._inquiry.as_of, seconds, self._meter)
        except ModelError as error:
            _log.warning("the chat model read nothing: %s", error.outcome)
            self._use = replace(self._use, reading=error.outcome)
            return NOTHING
        scene = read_scene(self._inquiry)
        read = model.read_reply(reply, scene, self._inquiry, self._knowledge.catalog, known)
        proposals, agreed, disagreed = _new(read.proposals, considered)
        self._use = replace(
            self._use,
            reading="agreed" if agreed else "nothing",
            agreed=agreed,
            disagreed=disagreed,
            admitted=len(read.proposals.readings) + (read.proposals.amount is not None),
            refused=read.refused,
        )
        return proposals

    async def choose(self, considered: Considered, seconds: float) -> Considered:
        """The answer with the sentences that the model points to."""
        inquiry, catalog = self._inquiry, self._knowledge.catalog
        groups = await asyncio.to_thread(choosing.hand_out, considered, inquiry, self._knowledge)
        if not groups or seconds <= 0:
            return considered
        prompt = choosing.prompt_for(groups, considered, inquiry, catalog)
        try:
            with span("model_choose"):
                reply = await self._model.reply(prompt, inquiry.as_of, seconds, self._meter)
        except ModelError as error:
            _log.warning("the chat model chose nothing: %s", error.outcome)
            self._use = replace(self._use, choice=error.outcome)
            return considered
        parts = choosing.read_choice(reply, groups)
        chosen = sum(len(part.groups) for part in parts)
        self._use = replace(self._use, choice="chosen" if chosen else "nothing", chosen=chosen)
        return replace(considered, answer=choosing.with_choice(considered.answer, parts, catalog))


def _new(proposals: Proposals, considered: Considered) -> tuple[Proposals, int, int]:
    """What the reading without a model has not; and how many facts both read alike, and differently."""
    understanding = considered.understanding
    assert understanding
    known, said = understanding.situation.facts, understanding.said
    new = tuple(r for r in proposals.readings if known.get(Fact(r.slot)) != r.value)
    found_nothing = considered.answer.status in (AnswerStatus.UNKNOWN, AnswerStatus.OFFTOPIC)
    where = bool(understanding.programs or proposals.programs)  # other words over everything find anything
    lacking = Proposals(
        readings=new,
        amount=proposals.amount if understanding.situation.amount is None else None,
        programs=() if understanding.programs else proposals.programs,
        subjects=() if understanding.subjects else proposals.subjects,
        seeks=proposals.seeks if (found_nothing and where) or proposals.documents else "",
        documents=() if considered.findings and considered.findings.documents else proposals.documents,
    )
    return lacking, len(proposals.readings) - len(new), sum(Fact(r.slot) in said for r in new)


def _with_reading(
    considered: Considered, proposals: Proposals, inquiry: Inquiry, knowledge: Knowledge
) -> tuple[Considered, str]:
    """The answer with a reading, and what became of that: `asked` of the asker, `used`, or `nothing`."""
    hints = replace(proposals, readings=(), amount=None)
    plain = consider(inquiry, knowledge, hints)
    whole = consider(inquiry, knowledge, confirmed(proposals)) if proposals != hints else plain  # as after a yes
    decides = bool(whole.answer.rulings) and whole.answer.rulings != plain.answer.rulings
    if decides or plain.answer.verdict != considered.answer.verdict:
        asked, remembered = propose(
            proposals if decides else hints, inquiry, considered.conversation, knowledge.catalog
        )
        return replace(considered, answer=asked, conversation=remembered), "asked"
    if _helps(plain.answer, considered.answer):
        return replace(plain, answer=_told(plain, hints, knowledge.catalog)), "used"
    understanding = considered.understanding
    assert understanding
    sought = replace(
        understanding, seeks=proposals.seeks, programs=understanding.programs or proposals.programs
    )  # for what is handed over to choose from
    return replace(considered, understanding=sought), "nothing"


def _helps(answered: Answer, before: Answer) -> bool:
    """Whether an answer says more than one that asked for the program or found nothing."""
    if before.status is AnswerStatus.OFFTOPIC:
        return answered.status is not AnswerStatus.OFFTOPIC
    if before.status is AnswerStatus.UNKNOWN:
        return answered.status in (AnswerStatus.ANSWERED, AnswerStatus.NEEDS_INFO)
    return before.missing[:1] == (Fact.PROGRAM,) and answered.missing[:1] != (Fact.PROGRAM,)


def _told(considered: Considered, hints: Proposals, catalog: Catalog) -> Answer:
    """The answer, saying of what program and subject it is where the message was only taken to mean them."""
    labels = {cues.subject: cues.label for cues in load_subjects()}
    documents = considered.findings.documents if considered.findings and hints.documents else {}
    names = [f"「{title}」" for title in documents.values()]
    names += [catalog.programs[id].short_name for id in hints.programs if not documents]
    names += [
        labels[subject] for subject in hints.subjects if subject in {r.subject for r in considered.answer.rulings}
    ]
    if not names:
        return considered.answer
    said, marker, sources = considered.answer.text.partition(replies.SOURCES)
    return replace(considered.answer, text=f"{said}\n{replies.taken_for(names)}{marker}{sources}")
