"""Measures documents that nobody curated and prints tables: `make bench-documents`, or with `--help` what it takes.

By format: files, units, what could not be read, and seconds. By kind of question: how often the right passage is found
first and among the first three, and how often the answer is the right unit of it.
"""

import json
import re
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from bot.answering import Knowledge, answer, open_knowledge
from bot.types import Answer, Conversation, Inquiry
from ingest.chunking import chunk
from ingest.documents import Documents
from ingest.extracting import SUFFIXES
from ingest.indexing import index
from ingest.outlining import ProgramNames, outline
from ingest.types import ReadError
from knowledge.catalog import load_catalog, read_yaml
from knowledge.encoder.encoding import load_encoder

HERE = Path(__file__).parent / "documents"
_DAY = "2026-05-10"
_FOUND_WITHIN = 3

out = Console(highlight=False)


@dataclass
class Read:
    """What became of the files of one format."""

    files: int = 0
    refused: int = 0
    units: int = 0
    unread: int = 0
    seconds: float = 0.0


@dataclass
class Asked:
    """How the questions of one kind fared."""

    number: int = 0
    sought: int = 0
    first: int = 0
    within: int = 0
    right: int = 0
    wrong: list[str] = field(default_factory=list)


def questions_in(folder: Path) -> Iterator[dict[str, Any]]:
    """The questions beside a folder's files: questions.yaml as in tests/documents, or questions.jsonl."""
    if (folder / "questions.yaml").exists():
        yield from read_yaml(folder / "questions.yaml")
    elif (folder / "questions.jsonl").exists():
        for line in (folder / "questions.jsonl").read_text(encoding="utf-8").splitlines():
            given = json.loads(line)
            yield {**given, "kind": given.get("kind", "-"), "says": given["must"], "never": given["must_not"]}


def read_files(folders: list[Path], documents: Documents) -> dict[str, Read]:
    """Adds every file, and counts what became of it."""
    names = ProgramNames(load_catalog().programs)
    formats: dict[str, Read] = defaultdict(Read)
    files = [file for folder in folders for file in sorted(folder.rglob("*")) if file.suffix.lower() in SUFFIXES]
    with documents.changing():
        for file in files:
            read = formats[file.suffix.lower()]
            began = time.perf_counter()
            read.files += 1
            try:
                added = documents.add(file, f"{file.parent.name}/{file.name}")
                document = documents.open(added)
                read.units += sum(1 for _ in chunk(document, outline(document, names)))
                read.unread += len(added.unread)
            except ReadError:
                read.refused += 1
            read.seconds += time.perf_counter() - began
    return formats


def ask(question: Mapping[str, Any], knowledge: Knowledge) -> Answer:
    """The answer to the last message of a conversation."""
    conversation, given = Conversation(), None
    day = date.fromisoformat(question.get("today", _DAY))
    for turn in question["turns"]:
        given, conversation = answer(Inquiry(turn, day, conversation), knowledge)
    assert given is not None
    return given


def measure(questions: list[dict[str, Any]], knowledge: Knowledge) -> dict[str, Asked]:
    """Asks each question, and looks where the passage that says the answer is among those that are found."""
    kinds: dict[str, Asked] = defaultdict(Asked)
    for question in questions:
        asked = kinds[question["kind"]]
        asked.number += 1
        says, never = question.get("says", ()), question.get("never", ())
        if says:
            asked.sought += 1
            hits = knowledge.searcher.search(" ".join(question["turns"]), limit=_FOUND_WITHIN)
            ranks = [rank for rank, hit in enumerate(hits) if all(re.search(s, hit.chunk.text) for s in says)]
            asked.first += ranks[:1] == [0]
            asked.within += bool(ranks)
        given = ask(question, knowledge)
        right = (
            given.status == question.get("status", "answered")
            and all(re.search(phrase, given.text) for phrase in says)
            and not any(re.search(phrase, given.text) for phrase in never)
        )
        asked.right += right
        if not right:
            asked.wrong.append(f"{' → '.join(question['turns'])}: {given.text.splitlines()[0][:80]}")
    return kinds


def main(
    folders: Annotated[
        list[Path] | None, typer.Argument(help="folders of files with questions.yaml or questions.jsonl")
    ] = None,
) -> None:
    """Reads the documents of the folders beside the repository's own, asks their questions, and prints tables."""
    folders = [HERE, *(folders or [])]
    with tempfile.TemporaryDirectory() as place:
        data_dir = Path(place)
        documents = Documents(data_dir)
        formats = read_files(folders, documents)
        index(data_dir, load_catalog(), documents, load_encoder(), lambda _: None)
        table = Table("format", "files", "refused", "units", "unread places", "unread share", "s per file", box=None)
        for name, read in sorted(formats.items()):
            share = read.unread / (read.units + read.unread) if read.units + read.unread else 0
            numbers = (read.files, read.refused, read.units, read.unread)
            table.add_row(name, *map(str, numbers), f"{share:.1%}", f"{read.seconds / read.files:.2f}")
        out.print(table)
        knowledge = open_knowledge(data_dir)
        kinds = measure([question for folder in folders for question in questions_in(folder)], knowledge)
        knowledge.searcher.close()
    table = Table("kind", "questions", "passage @1", f"@{_FOUND_WITHIN}", "right unit", box=None)
    for name, asked in sorted(kinds.items()):
        shares = [f"{count}/{asked.sought}" if asked.sought else "-" for count in (asked.first, asked.within)]
        table.add_row(name, str(asked.number), *shares, f"{asked.right}/{asked.number}")
    out.print(table)
    for asked in kinds.values():
        for wrong in asked.wrong:
            out.print(f"wrong: {wrong}", markup=False, emoji=False)


if __name__ == "__main__":
    typer.run(main)
