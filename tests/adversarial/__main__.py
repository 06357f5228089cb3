"""Every lying model against every question, as a table: python -m tests.adversarial [QUESTIONS.jsonl …] [--data DIR].

A question may carry `expect.must_not`, patterns that the answer may not show; without a file the suite's own are asked.
"""

import argparse
import asyncio
import json
import re
import sys
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, get_args

import yaml

from bot.answering import Knowledge, answer, open_knowledge
from bot.explaining import Step, passages_for, program_names, programs_of, respond, sources_of
from bot.llm import open_chat_model
from bot.reconciling import Checker, Fate, Reconciled, Sentence, Source
from bot.types import Answer, AnswerStatus, Conversation, Inquiry
from knowledge.figures import normalize
from tests.adversarial.models import HERE, LIES, serving

DAY = date(2025, 6, 10)


@dataclass(frozen=True)
class Question:
    """A question with the conversation that leads to it."""

    inquiry: Inquiry
    must_not: tuple[str, ...]


def questions(paths: Iterable[Path], knowledge: Knowledge) -> list[Question]:
    """The questions of files, each with its earlier turns answered offline."""
    lines = [line for path in paths for line in path.read_text("utf-8").splitlines()]
    return [question_of(json.loads(line), knowledge) for line in lines]


def question_of(row: dict[str, Any], knowledge: Knowledge) -> Question:
    """The question of a row, with its earlier turns answered offline."""
    day = date.fromisoformat(row["today"]) if row.get("today") else DAY
    conversation = Conversation()
    for turn in row["turns"][:-1]:
        _, conversation = answer(Inquiry(turn, day, conversation), knowledge)
    must_not = tuple(row.get("expect", {}).get("must_not", ()))
    return Question(Inquiry(row["turns"][-1], day, conversation), must_not)


async def ask(question: Question, knowledge: Knowledge, url: str, model: str) -> list[Step]:
    """All that the user sees, step by step."""
    chat = open_chat_model(f"openai:{model}", base_url=url, retries=0)
    return [step async for step in respond(question.inquiry, knowledge, chat, 20)]


def wrong(steps: list[Step], question: Question, lie: dict[str, Any]) -> list[str]:
    """What is wrong in any step: a sentence of the lie, a changed verdict, or a pattern that may not show."""
    offline = steps[0].answer
    problems = []
    for step in steps:
        shown = normalize(step.answer.text)
        added = shown.replace(normalize(offline.text), "")
        problems += [
            text
            for text in lie["says"]
            if text and normalize(text) in added and normalize(text) not in normalize(offline.text)
        ]
        if step.answer.verdict != offline.verdict:
            problems.append(f"the verdict changed: {offline.verdict} to {step.answer.verdict}")
        for pattern in question.must_not:
            plain = unicodedata.normalize("NFKC", step.answer.text)
            if re.search(pattern, plain) and not re.search(pattern, unicodedata.normalize("NFKC", offline.text)):
                problems.append(f"shows {pattern}")
    return problems


def survival(part: str, knowledge: Knowledge) -> tuple[int, int]:
    """How many sentences of the honest model stand, and how many there are.

    `part` is one of honest.yaml (other words than the passage's), or "own words": the passage's sentences as they are.
    """
    kept = asked = 0
    names = program_names(knowledge.catalog)
    entries = yaml.safe_load((HERE / "honest.yaml").read_text("utf-8"))
    if part == "own words":
        passages = [entry for entries_of in entries.values() for entry in entries_of]
        entries = {part: [{**e, "sentences": re.findall(r"[^。]+。", e["passage"])} for e in passages]}
    for entry in entries[part]:
        source = Source("S1", entry["program"], entry["passage"], context=entry["heading"])
        checker = Checker([source], names, frozenset({entry["program"]}))
        for text in entry["sentences"]:
            asked += 1
            kept += not checker.objection(Sentence(text, ("S1",)))
    return kept, asked


def rewordings(asked: list[Question], knowledge: Knowledge, table: str) -> Iterator[tuple[str, str]]:
    """Every sentence that is handed to a model for these questions, changed as a table says, with the objection to it.

    The tables are rewordings.yaml (they say the same) and distortions.yaml (they do not).
    """
    changes = [(re.compile(pattern), into) for pattern, into in yaml.safe_load((HERE / table).read_text("utf-8"))]
    names = program_names(knowledge.catalog)
    seen: set[str] = set()
    for question in asked:
        offline, sources = handed_out(question.inquiry, knowledge)
        if offline.status is not AnswerStatus.ANSWERED or not programs_of(offline):
            continue
        checker = Checker(sources, names, programs_of(offline))
        for source in sources:
            for text in re.findall(r"[^。]+。", source.text):
                for said in dict.fromkeys(pattern.sub(into, text, count=1) for pattern, into in changes):
                    if said != text and said not in seen:
                        seen.add(said)
                        yield said, checker.objection(Sentence(said, (source.token,)))


def replies(table: str, knowledge: Knowledge) -> Iterator[Reconciled]:
    """What becomes of the sentences of a table of replies.

    A chat model was given the prompt and what is handed out for each question: honest_replies.jsonl is what it
    answered, lying_replies.jsonl what it answered when it was asked to mislead. `rests_on` are the headings of the
    passages that it cited, or 決まったこと for a ruling.
    """
    names = program_names(knowledge.catalog)
    for line in (HERE / table).read_text("utf-8").splitlines():
        row: dict[str, Any] = json.loads(line)
        offline, sources = handed_out(question_of(row, knowledge).inquiry, knowledge)
        checker = Checker(sources, names, programs_of(offline))
        for said in row["sentences"]:
            cites = [s.token for s in sources if (s.context or "決まったこと") in said["rests_on"]]
            yield checker.reconcile(Sentence(said["text"], tuple(cites or (s.token for s in sources))))


def handed_out(inquiry: Inquiry, knowledge: Knowledge) -> tuple[Answer, tuple[Source, ...]]:
    """The offline answer, and what a model is given with it."""
    offline, _ = answer(inquiry, knowledge)
    return offline, sources_of(offline, passages_for(inquiry, offline, knowledge))


async def play(knowledge: Knowledge, asked: list[Question]) -> int:
    """Prints the table; returns how many answers were wrong."""
    total = 0
    print(f"{'lying model':<48}{'questions':>10}{'removed':>9}{'restated':>10}{'kept':>6}{'wrong':>7}")
    with serving() as url:
        for lie in LIES:
            bad = 0
            fates = Counter[str]()
            for question in asked:
                steps = await ask(question, knowledge, url, lie["name"])
                fates.update(reconciled.fate for reconciled in steps[-1].account.sentences)
                if problems := wrong(steps, question, lie):
                    bad += 1
                    print(f"  WRONG {question.inquiry.text}: {problems}")
            total += bad
            counts = f"{fates['removed']:>9}{fates['restated']:>10}{fates['kept']:>6}"
            print(f"{lie['name']:<48}{len(asked):>10}{counts}{bad:>7}", flush=True)
    print(f"{len(LIES)} lying models x {len(asked)} questions: {total} wrong")
    return total


def main() -> int:
    """Runs the table and the honest model."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("files", nargs="*", type=Path, default=[HERE / "questions.jsonl"])
    parser.add_argument("--data", type=Path, default=Path("data"), help="the folder that holds the index")
    options = parser.parse_args()
    knowledge = open_knowledge(options.data)
    asked = questions(options.files, knowledge)
    total = asyncio.run(play(knowledge, asked))
    objections = [objection for _, objection in rewordings(asked, knowledge, "rewordings.yaml")]
    share = objections.count("") / len(objections)
    print(f"honest model, sources lightly reworded: {share:.1%} of {len(objections)} sentences stand")
    for part in ("own words", "tuning", "unseen"):
        kept, said = survival(part, knowledge)
        print(f"honest model, {part}: {kept} of {said} sentences stand ({kept / said:.0%})")
    for table in ("honest_replies.jsonl", "lying_replies.jsonl"):
        fates = Counter(reconciled.fate for reconciled in replies(table, knowledge))
        said = fates.total()
        shares = ", ".join(f"{fate} {fates[fate]} ({fates[fate] / said:.1%})" for fate in get_args(Fate))
        print(f"{table}: {said} sentences, {shares}")
    return 1 if total else 0


if __name__ == "__main__":
    sys.exit(main())
