"""Adds a chat model's explanation to the offline answer, sentence by sentence, each checked before it is seen.

The offline answer comes first and stays as it is. Whatever happens to the model, it is the answer.
"""

import asyncio
import logging
import time
from collections.abc import AsyncGenerator, Iterable, Mapping
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

from bot import replies
from bot.answering import Knowledge, answer
from bot.claims import read_claims
from bot.composing import cite_chunk, lay_out, repeats
from bot.reconciling import Checker, Reconciled, Sentence, Source
from bot.types import Answer, AnswerStatus, Citation, Conversation, Inquiry
from knowledge.catalog import Catalog
from knowledge.figures import normalize, read_figures
from knowledge.types import Chunk, Fact, Outcome

MOST_SENTENCES = 3
"""More than these do not fit a phone's screen under the ruling."""

_PASSAGES = 6

_log = logging.getLogger(__name__)


class Model(Protocol):
    """What explaining needs of a chat model (bot.llm.ChatModel)."""

    name: str

    def explain(self, inquiry: Inquiry, material: str) -> AsyncGenerator[dict[str, Any]]:
        """Sentences ({"text", "sources"}) as the model completes them."""

    def read_facts(self, inquiry: Inquiry, material: str) -> AsyncGenerator[dict[str, Any]]:
        """Facts ({"fact", "value", "evidence"}) that the model reads out of a message."""


@dataclass(frozen=True)
class Account:
    """What the model did for one answer. `outcome`: unused, explained, nothing, slow, over_budget or failed.

    `sentences` are those of the model that were not said already, with what became of each.
    """

    model: str = ""
    outcome: str = "unused"
    sentences: tuple[Reconciled, ...] = ()
    seconds: Mapping[str, float] = field(default_factory=dict)

    @property
    def shown(self) -> tuple[Sentence, ...]:
        """What the answer gained, in order."""
        return tuple(dict.fromkeys(reconciled.shown for reconciled in self.sentences if reconciled.shown))

    @property
    def removed(self) -> tuple[Reconciled, ...]:
        """The sentences that did not stand, be it that their source's words were given instead."""
        return tuple(reconciled for reconciled in self.sentences if reconciled.objection)


@dataclass(frozen=True)
class Step:
    """An answer as far as it has come; the last step of a message is `done`."""

    answer: Answer
    conversation: Conversation
    account: Account = Account()
    done: bool = False


async def respond(inquiry: Inquiry, knowledge: Knowledge, model: Model, time_limit: float) -> AsyncGenerator[Step]:
    """Answers a message: the offline answer at once, then with each sentence of the model that stands.

    Args:
        inquiry: the message.
        knowledge: what answers rest on.
        model: the chat model.
        time_limit: seconds that the model has in all.
    """
    started = time.perf_counter()
    offline, conversation = await asyncio.to_thread(answer, inquiry, knowledge)
    step = Step(offline, conversation, Account(seconds={"offline": time.perf_counter() - started}))
    yield step
    if offline.status not in (AnswerStatus.ANSWERED, AnswerStatus.NEEDS_INFO) or not programs_of(offline):
        yield replace(step, done=True)
        return
    outcome = "nothing"
    asked = time.perf_counter()
    try:
        async with asyncio.timeout(time_limit):
            if offline.status is AnswerStatus.NEEDS_INFO:
                if facts := await _read_facts(inquiry, offline, model, knowledge.catalog):
                    before = inquiry.conversation
                    helped = replace(inquiry, conversation=replace(before, facts={**before.facts, **facts}))
                    offline, conversation = await asyncio.to_thread(answer, helped, knowledge)
                    step = replace(step, answer=offline, conversation=conversation)
                    outcome = "explained"
                    yield step
            else:
                async with aclosing(_explain(inquiry, step, knowledge, model)) as steps:
                    async for step in steps:
                        outcome = "explained" if step.account.shown else "nothing"
                        yield step
    except TimeoutError:
        outcome = "slow"
    except Exception as error:  # whatever a provider raises, the offline answer stands
        outcome = "over_budget" if type(error).__name__ == "OverBudgetError" else "failed"
        _log.warning("the chat model gave nothing: %s", type(error).__name__)
    seconds = {**step.account.seconds, "model": time.perf_counter() - asked}
    account = replace(step.account, model=model.name, outcome=outcome, seconds=seconds)
    yield replace(step, account=account, done=True)


async def _explain(inquiry: Inquiry, step: Step, knowledge: Knowledge, model: Model) -> AsyncGenerator[Step]:
    offline = step.answer
    passages = await asyncio.to_thread(passages_for, inquiry, offline, knowledge)
    sources = sources_of(offline, passages)
    checker = await asyncio.to_thread(Checker, sources, program_names(knowledge.catalog), programs_of(offline))
    cited = {f"S{number}": cite_chunk(chunk, chunk.text, knowledge.catalog) for number, chunk in enumerate(passages, 1)}
    async with aclosing(model.explain(inquiry, material(inquiry, sources, offline))) as objects:
        async for found in objects:
            sentence, said = _sentence(found), step.answer.text
            if normalize(sentence.text).rstrip("。") in normalize(said):
                continue
            reconciled = await asyncio.to_thread(checker.reconcile, sentence)
            if reconciled.shown:
                is_new = reconciled.fate == "kept" or not repeats(reconciled.shown.text, (said,))
                shown = _with_program(reconciled.shown, checker, knowledge.catalog) if is_new else None
                reconciled = replace(reconciled, shown=shown)
            account = replace(step.account, sentences=(*step.account.sentences, reconciled))
            step = replace(step, answer=_with(offline, account.shown, cited), account=account)
            yield step
            if len(account.shown) == MOST_SENTENCES:
                return


def _sentence(found: Mapping[str, Any]) -> Sentence:
    """What the model gave as a sentence; wrong types become one that cites nothing."""
    text, tokens = found.get("text"), found.get("sources")
    sources = tuple(token for token in tokens if isinstance(token, str)) if isinstance(tokens, list) else ()
    return Sentence(text.strip() if isinstance(text, str) else "", sources)


def _with_program(sentence: Sentence, checker: Checker, catalog: Catalog) -> Sentence:
    """The sentence, led by the name of its program where the answer is about several and it names none."""
    program = checker.program_of(sentence)
    return replace(sentence, text=f"{catalog.programs[program].short_name}: {sentence.text}") if program else sentence


def _with(offline: Answer, sentences: Iterable[Sentence], cited: Mapping[str, Citation]) -> Answer:
    """The offline answer with the sentences under what it says, and with the passages that they rest on as sources."""
    rests_on = [cited[token] for sentence in sentences for token in sentence.sources if token in cited]
    citations = tuple(dict.fromkeys((*offline.citations, *rests_on)))
    said, _, sources = offline.text.partition(replies.SOURCES)
    text = lay_out((said, *(sentence.text for sentence in sentences)), citations, sources.partition("\n")[2])
    return replace(offline, text=text, citations=citations)


def sources_of(offline: Answer, passages: tuple[Chunk, ...]) -> tuple[Source, ...]:
    """What the model may rest on: the rulings as R1…, the passages as S1…."""
    rulings = [ruling for ruling in offline.rulings if ruling.outcome is not Outcome.NEEDS_FACTS and ruling.says]
    return (
        *(
            Source(f"R{number}", ruling.program, ruling.says, is_ruling=True)
            for number, ruling in enumerate(rulings, 1)
        ),
        *(
            Source(
                f"S{number}", chunk.program, chunk.text, settled=bool(chunk.quote), context=" ".join(chunk.headings[1:])
            )
            for number, chunk in enumerate(passages, 1)
        ),
    )


def material(inquiry: Inquiry, sources: tuple[Source, ...], offline: Answer) -> str:
    """What is handed to the model, each part marked: what it may rest on, what is shown already, and the message."""

    def listed(rulings: bool) -> str:
        return "\n".join(
            f"[{source.token}] {source.context}: {source.text}" if source.context else f"[{source.token}] {source.text}"
            for source in sources
            if source.is_ruling is rulings
        )

    before = f"前の質問: {inquiry.conversation.question}\n" if inquiry.conversation.question else ""
    return (
        f"## 決まったこと\n{listed(True)}\n\n## 資料\n{listed(False)}\n\n"
        f"## すでに示した答え\n{offline.text.partition(replies.SOURCES)[0]}\n\n"
        f"## 利用者のメッセージ(データ)\n{before}{inquiry.text}"
    )


def program_names(catalog: Catalog) -> dict[str, str]:
    """Program ids by every way of writing the name that says the program and nothing else."""
    return {
        name: program.id
        for program in catalog.programs.values()
        for name in (program.name, program.short_name, *program.aliases)
        if len(name) > 4 and name.endswith(("支援", "事業", "派遣", "策定"))
    }


def programs_of(offline: Answer) -> frozenset[str]:
    """The programs that an answer is about."""
    return frozenset(
        program
        for program in (
            *(ruling.program for ruling in offline.rulings),
            *(citation.program for citation in offline.citations),
        )
        if program
    )


def passages_for(inquiry: Inquiry, offline: Answer, knowledge: Knowledge) -> tuple[Chunk, ...]:
    """Passages near the question, of the programs that the offline answer is about and of no other."""
    query = f"{inquiry.conversation.question} {inquiry.text}".strip()
    programs = sorted(programs_of(offline))
    return tuple(
        hit.chunk
        for program in programs
        for hit in knowledge.searcher.search(query, program=program, limit=_PASSAGES)
        if hit.chunk.program == program
    )


# --- understanding with help -----------------------------------------------------------------------------------------


async def _read_facts(inquiry: Inquiry, offline: Answer, model: Model, catalog: Catalog) -> dict[Fact, str]:
    """Facts that the parser left open and that the message says, in words that it knows, where the model points."""
    wanted = [catalog.facts[fact] for fact in offline.missing if fact is not Fact.PROGRAM]
    if not wanted:
        return {}
    listed = "\n".join(
        f"- {question.fact}: {question.label} ({'、'.join(f'{c.value}={c.label}' for c in question.choices) or '数'})"
        for question in wanted
    )
    facts: dict[Fact, str] = {}
    text = f"## 知りたいこと\n{listed}\n\n## 利用者のメッセージ(データ)\n{inquiry.text}"
    async with aclosing(model.read_facts(inquiry, text)) as objects:
        async for found in objects:
            fact, value, evidence = (str(found.get(name, "")) for name in ("fact", "value", "evidence"))
            question = next((question for question in wanted if question.fact == fact), None)
            if question is None or question.fact in facts or not stands(evidence, inquiry.text):
                continue
            labels = {choice.value: choice.label for choice in question.choices}
            if (value in labels and says(evidence, labels[value])) or (
                question.kind == "number"
                and value in {str(figure.value) for figure in read_figures(normalize(evidence))}
            ):
                facts[question.fact] = value
    return facts


def stands(evidence: str, text: str) -> bool:
    """Whether a piece of evidence is the user's own words."""
    return bool(evidence.strip()) and normalize(evidence) in normalize(text)


def says(evidence: str, label: str) -> bool:
    """Whether the words say what a choice's label says, and nothing that would turn it."""
    said = read_claims(normalize(evidence), {})
    meant = {(token.form, token.denied) for token in read_claims(normalize(label), {}) if token.kind == "word"}
    of_others = {"と", "から", "に", "へ", "より"}
    held = {(token.form, token.denied) for token in said if token.role not in of_others}
    turned = any(token.denied and (token.form, True) not in meant for token in said)
    return bool(meant) and meant <= held and not turned
