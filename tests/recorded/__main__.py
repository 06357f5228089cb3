"""Readings by a strong model, recorded from exactly what the program sends: python -m tests.recorded --help.

`record SET.jsonl` asks the model that LLM names for each message of a set that is left open without one. `prompts`
prints what would be sent, `accept` takes replies to that from elsewhere, and `gain` plays them back and counts what
they change. Only `turns` (or `text`) and `today` of
a set are read, so that no expectation can be seen.
"""

import argparse
import asyncio
import json
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from datetime import date
from hashlib import sha256
from pathlib import Path
from typing import Any

from bot.answering import Knowledge, answer, consider, open_knowledge
from bot.llm import Meter, ModelError, Prompt, open_chat_model
from bot.replies import SOURCES
from bot.responding import Patience, is_left_open, respond
from bot.settings import load_settings
from bot.types import Answer, Conversation, Inquiry
from bot.understanding.model import prompt_for
from knowledge.catalog import Catalog
from tests.adversarial.models import SENTENCES, Play, as_choice, serving

RECORDED = Path(__file__).parent / "readings.jsonl"
DAY = date(2025, 6, 10)
REMEDY = (
    "the prompt is another than the one that was recorded. Record again: LLM=… python -m tests.recorded record {set}. "
    "Where the change cannot bear on what is read (a label, an example): python -m tests.recorded carry-over"
)


@dataclass(frozen=True)
class Recorded:
    """A message with the earlier ones of its conversation, the hash of what was sent, and what came back."""

    id: str
    turns: list[str]
    today: str | None
    sha256: str
    reply: dict[str, Any]


def inquiry_of(turns: list[str], today: str | None, knowledge: Knowledge) -> Inquiry:
    """The last message, with the earlier ones answered without a model."""
    day, conversation = date.fromisoformat(today) if today else DAY, Conversation()
    for turn in turns[:-1]:
        _, conversation = answer(Inquiry(turn, day, conversation), knowledge)
    return Inquiry(turns[-1], day, conversation)


def hash_of(prompt: Prompt) -> str:
    """The hash of all that is sent for a reading."""
    return sha256(json.dumps(asdict(prompt), ensure_ascii=False, sort_keys=True).encode()).hexdigest()


def load(path: Path = RECORDED) -> tuple[dict[str, Any], list[Recorded]]:
    """What made the recording and when, and its rows."""
    about, *rows = map(json.loads, path.read_text("utf-8").splitlines())
    return about, [Recorded(**row) for row in rows]


def write(about: dict[str, Any], rows: Iterable[Recorded], path: Path = RECORDED) -> None:
    """Writes a recording."""
    lines = [about, *map(asdict, rows)]
    path.write_text("".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines), "utf-8")


def left_open(path: Path, knowledge: Knowledge) -> Iterator[tuple[str, list[str], str | None, Prompt]]:
    """Of a set the messages that are left open, with what is sent for each."""
    for row in map(json.loads, path.read_text("utf-8").splitlines()):
        turns = row["turns"] if "turns" in row else [row["text"]]
        inquiry = inquiry_of(turns, row.get("today"), knowledge)
        if is_left_open(consider(inquiry, knowledge), knowledge.catalog):
            yield row["id"], turns, row.get("today"), prompt_for(inquiry, knowledge.catalog)


async def record(path: Path, knowledge: Knowledge) -> int:
    """Asks the model that is set for each message, and keeps whatever it returns, wrong readings too."""
    settings = load_settings()
    model = open_chat_model(settings.llm, base_url=settings.llm_base_url, api_key=settings.llm_api_key)
    rows = []
    for id, turns, today, prompt in left_open(path, knowledge):
        try:
            reply = await model.reply(prompt, date.today(), 120, Meter())
        except ModelError as error:
            print(f"{id}: {error.outcome}", file=sys.stderr)
            return 1
        rows.append(Recorded(id, turns, today, hash_of(prompt), reply))
    write({"made_by": settings.llm, "made_on": date.today().isoformat(), "set": path.name}, rows)
    return 0


def print_prompts(path: Path, knowledge: Knowledge) -> None:
    """Prints instructions and schema once, then for each message what is sent with them and the hash of it all."""
    for number, (id, turns, today, prompt) in enumerate(left_open(path, knowledge)):
        if not number:
            print(json.dumps({"instructions": prompt.instructions, "schema": prompt.schema}, ensure_ascii=False))
        sent = {"id": id, "turns": turns, "today": today, "sha256": hash_of(prompt), "message": prompt.message}
        print(json.dumps(sent, ensure_ascii=False))


def accept(path: Path, made_by: str, made_on: str, knowledge: Knowledge) -> int:
    """Takes replies, one `{"id", "turns", "today", "sha256", "reply"}` a line; refuses those to another prompt."""
    rows = [Recorded(**json.loads(line)) for line in path.read_text("utf-8").splitlines()]
    if stale := [row.id for row in rows if hash_of(prompt_of(row, knowledge)) != row.sha256]:
        print(f"{', '.join(stale)}: {REMEDY.format(set='SET.jsonl')}", file=sys.stderr)
        return 1
    write({"made_by": made_by, "made_on": made_on}, rows)
    return 0


def prompt_of(row: Recorded, knowledge: Knowledge) -> Prompt:
    """What the program sends for a recorded message now."""
    catalog: Catalog = knowledge.catalog
    return prompt_for(inquiry_of(row.turns, row.today, knowledge), catalog)


def carry_over(knowledge: Knowledge) -> None:
    """Keeps the replies under the hashes of today's prompts; the file says that they were given to earlier ones."""
    about, rows = load()
    kept = [Recorded(**{**asdict(row), "sha256": hash_of(prompt_of(row, knowledge))}) for row in rows]
    write({**about, "carried_over_on": date.today().isoformat()}, kept)


async def gain(knowledge: Knowledge) -> None:
    """Prints for each recorded message the answer without the reading and with it, a yes given where one is asked."""
    counts = Counter[str]()
    for row in load()[1]:
        inquiry = inquiry_of(row.turns, row.today, knowledge)
        offline = consider(inquiry, knowledge)
        if not is_left_open(offline, knowledge.catalog):
            counts["settled without a model by now"] += 1
            continue
        with serving(play_back(row)) as url:
            model = open_chat_model("openai:recorded", base_url=url, retries=0)
            *_, last = [stage async for stage in respond(inquiry, knowledge, model, Patience(60, 60), grows=False)]
        shown, outcome = last.answer, last.model_use.reading if last.model_use else ""
        if outcome == "asked":
            shown, _ = answer(Inquiry("はい", inquiry.as_of, last.conversation), knowledge)
        ended = f"{outcome}: {offline.answer.status} to {shown.status}"
        counts[ended] += 1
        print(f"{row.id} {ended}\n  {row.turns[-1]!r}\n  - {_line(offline.answer)}\n  + {_line(shown)}")
    for ended, count in counts.most_common():
        print(f"{count:4} {ended}")


def _line(given: Answer) -> str:
    return f"{given.verdict or given.status}: {' '.join(given.text.partition(SOURCES)[0].split())[:200]}"


def play_back(row: Recorded) -> Play:
    """A model that reads what was recorded, and points to nothing."""
    return lambda name, prompt: as_choice() if SENTENCES in prompt else json.dumps(row.reply)


def main() -> int:
    """Runs a command; returns 1 where something was refused or failed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("command", choices=["record", "prompts", "accept", "carry-over", "gain"])
    parser.add_argument("file", nargs="?", type=Path, help="the set, or the replies")
    parser.add_argument("--made-by", default="", help="what gave the replies that are accepted")
    parser.add_argument("--made-on", default=date.today().isoformat(), help="and when")
    options = parser.parse_args()
    knowledge = open_knowledge(load_settings().data_dir)
    if options.command == "carry-over":
        carry_over(knowledge)
        return 0
    if options.command == "gain":
        asyncio.run(gain(knowledge))
        return 0
    if options.file is None:
        parser.error("name the file")
    if options.command == "record":
        return asyncio.run(record(options.file, knowledge))
    if options.command == "accept":
        return accept(options.file, options.made_by, options.made_on, knowledge)
    print_prompts(options.file, knowledge)
    return 0


if __name__ == "__main__":
    sys.exit(main())
