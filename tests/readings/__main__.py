"""`python -m tests.readings FILE …`: holds what is read of labelled messages against their labels, slot by slot."""

import json
import os
from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import date
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from bot.answering import answer, open_knowledge
from bot.types import Conversation, Inquiry
from bot.understanding import understand

_SLOTS = {
    "role": "applicant_kind",
    "investment": "investment_or_nonprofit",
    "municipality_change": "municipality_count",
    "recommendation": "recommended_by_local_government",
    "dispatch_year": "fiscal_year",
}
"""The labels' slots that the facts call otherwise."""

_COMPARED = (
    *(
        "applicant_kind",
        "fiscal_index",
        "investment_or_nonprofit",
        "past_selection",
        "municipality_count",
        "partnership",
    ),
    *("recommended_by_local_government", "joint_project", "meeting_mode", "same_project", "fiscal_year"),
)
_VALUES = {"through_prefecture": "joint", "mixed": "on_site"}
_OUTCOMES = ("right", "missed", "other value", "not the writer's", "not as things stand", "from nowhere")


def main(
    files: Annotated[list[Path], typer.Argument(help="ラベル付きメッセージのファイル。")],
    show: Annotated[str, typer.Option(help="1件ずつ表示するスロット。all で全部。")] = "",
) -> None:
    """スロットごとに、正しく読めた数、読めなかった数、誤って読んだ数とその理由を表示します。"""
    knowledge = open_knowledge(Path(os.environ.get("DATA_DIR", "data")))
    counts: dict[str, Counter[str]] = {slot: Counter() for slot in _COMPARED}
    for item in _items(files):
        turns = item.get("turns") or [item["text"]]
        day = date.fromisoformat(item["today"] or "2026-06-01")
        before = Conversation()
        for turn in turns[:-1]:
            _, before = answer(Inquiry(turn, day, before), knowledge)
        read = understand(Inquiry(turns[-1], day, before), knowledge.catalog).said
        for slot, outcome, told in _compare(item["readings"], {str(fact): value for fact, value in read.items()}):
            counts[slot][outcome] += 1
            if outcome != "right" and show in (slot, "all"):
                print(f"{item['id']} {slot}: {outcome}: {told} | {' / '.join(turns)}")
    table = Table("slot", "labelled", *_OUTCOMES, "precision %", "recall %")
    for slot in (*_COMPARED, "all"):
        of_it = sum(counts.values(), Counter[str]()) if slot == "all" else counts[slot]
        read_here = of_it.total() - of_it["missed"]
        labelled = of_it["right"] + of_it["missed"] + of_it["other value"]
        shares = (f"{of_it['right'] / max(1, n):.1%}" for n in (read_here, labelled))
        table.add_row(slot, str(labelled), *(str(of_it[outcome]) for outcome in _OUTCOMES), *shares)
    Console(width=140).print(table)


def _items(files: list[Path]) -> Iterator[dict[str, Any]]:
    for file in files:
        yield from map(json.loads, file.read_text(encoding="utf-8").splitlines())


def _compare(labels: list[dict[str, str]], read: Mapping[str, str]) -> Iterator[tuple[str, str, str]]:
    """For each slot that is labelled or read, how it came out, and what stands against what."""
    labelled: dict[str, list[dict[str, str]]] = {slot: [] for slot in _COMPARED}
    for label in labels:
        if (slot := _SLOTS.get(label["slot"], label["slot"])) in labelled and not label["value"].startswith(("<", ">")):
            labelled[slot].append(label)
    for slot in _COMPARED:
        own = {value for label in labelled[slot] if (value := _expected(slot, label, labels))}
        got = read.get(slot)
        told = f"read {got}, labelled {[(r['value'], r['whose'], r['stance'], r['when']) for r in labelled[slot]]}"
        if got is None:
            if len(own) == 1:
                yield slot, "missed", told
            continue
        same = [label for label in labelled[slot] if _same(got, label["value"])]
        if any(_same(got, value) for value in own):
            yield slot, "right", told
        elif len(own) == 1:
            yield slot, "other value", told
        elif any(label["whose"] != "writer" for label in same):
            yield slot, "not the writer's", told
        else:
            yield slot, "not as things stand" if labelled[slot] else "from nowhere", told


def _expected(slot: str, label: dict[str, str], labels: list[dict[str, str]]) -> str | None:
    """The fact that a label tells of the writer as things stand; None where it tells of something else."""
    if label["whose"] != "writer" or label["stance"] in ("quoted", "denied"):
        return None
    if label["when"] == "before" and slot != "past_selection":
        return None
    awaited = label["stance"] == "hoped" and slot in ("recommended_by_local_government", "investment_or_nonprofit")
    value = _VALUES.get(label["value"], label["value"])
    if slot == "investment_or_nonprofit" and value == "none":
        value = "neither"
    if slot == "municipality_count" and value.isdigit():
        return None
    invested = any(r["slot"] == "investment" and r["value"] == "invested" and r["stance"] == "said" for r in labels)
    if slot == "applicant_kind" and value == "company" and invested:
        value = "invested_corporation"
    return "awaited" if awaited else value


def _same(read: str, labelled: str) -> bool:
    return _VALUES.get(read, read) == _VALUES.get(labelled, labelled)


if __name__ == "__main__":
    typer.run(main)
