"""`python -m tests.compose`: composes conversations, asks the bot all of them in one process, and counts."""

import json
import subprocess
import sys
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from tests.compose.composing import Conversation, compose_all
from tests.compose.grading import GRADES, Graded, grade
from tests.compose.wording import FIRST, LATER, literal_share

ROOT = Path(__file__).parent.parent.parent
READ_BY_THE_BOT = ("lexicon.yaml", "facts.yaml", "subjects.yaml")


def main(
    n: Annotated[int, typer.Option(min=1, max=20_000, help="作る会話の数。")] = 2000,
    seed: Annotated[int, typer.Option(help="乱数の種。同じ種なら同じ会話になります。")] = 1,
    later: Annotated[bool, typer.Option("--later", help="言い方を later.yaml だけから選びます。")] = False,
    report: Annotated[Path | None, typer.Option(help="誤りなどを1件ずつ書き出すファイル(Markdown)。")] = None,
    only: Annotated[bool, typer.Option("--print", help="会話を1行ずつ表示するだけで、ボットには聞きません。")] = False,
) -> None:
    """会話を組み立ててボットに聞き、誤り・余計な質問・役立った割合を現象ごとに数えます。"""
    conversations = list(compose_all(n, seed, LATER if later else FIRST))
    if only:
        for conversation in conversations:
            print(json.dumps({"id": conversation.name, "turns": conversation.turns}, ensure_ascii=False))
        return
    answers = _ask(conversations)
    graded = [grade(one, answer) for one, answer in zip(conversations, answers, strict=True)]
    console = Console(width=120)
    base = [one for one in graded if one.conversation.varies is None]
    console.print(
        f"{len(conversations)} conversations, said in the ways of {'later.yaml' if later else 'the first lists'}"
    )
    console.print(_by_phenomenon(base))
    console.print(_by_respect(graded))
    _print_literal(console)
    if report is not None:
        report.write_text("\n".join(_lines(graded)), encoding="utf-8")


def _ask(conversations: list[Conversation]) -> list[dict[str, Any]]:
    with TemporaryDirectory() as folder:
        asked = Path(folder) / "asked.jsonl"
        lines = ({"id": one.name, "turns": one.turns, "today": one.today} for one in conversations)
        asked.write_text("".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines), encoding="utf-8")
        command = [sys.executable, "-m", "bot", "ask", "--batch", str(asked)]
        done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True)
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    if [answer["id"] for answer in answers] != [one.name for one in conversations]:
        raise SystemExit(f"{' '.join(command[1:5])} did not answer line by line in the order of its input")
    return answers


def _by_phenomenon(graded: list[Graded]) -> Table:
    table = Table("phenomenon", "n", *GRADES, "helpful %", title="composed conversations")
    tags = sorted({tag for one in graded for tag in one.conversation.tags}, key=lambda tag: (": " in tag, tag))
    for tag in ["all", *tags]:
        grades = Counter(one.grade for one in graded if tag == "all" or tag in one.conversation.tags)
        n = grades.total()
        table.add_row(tag, str(n), *(str(grades[name]) for name in GRADES), f"{grades['helpful'] / n:.1%}")
    return table


def _by_respect(graded: list[Graded]) -> Table:
    by_name = {one.conversation.name: one for one in graded}
    pairs = [(by_name[one.conversation.varies[0]], one) for one in graded if one.conversation.varies]
    table = Table("varied", "pairs", "verdict changed", "%", title="one respect varied, the same case")
    for respect in ["all", *sorted({one.conversation.varies[1] for _, one in pairs if one.conversation.varies})]:
        of_it = [pair for pair in pairs if respect == "all" or (pair[1].conversation.varies or ("", ""))[1] == respect]
        changed = sum(_changed(*pair) for pair in of_it)
        table.add_row(respect, str(len(of_it)), str(changed), f"{changed / len(of_it):.1%}")
    return table


def _changed(one: Graded, other: Graded) -> bool:
    return bool(one.answer["verdict"] != other.answer["verdict"])


def _print_literal(console: Console) -> None:
    files = [ROOT / "knowledge" / name for name in READ_BY_THE_BOT]
    files += sorted(
        path for path in (ROOT / "knowledge" / "talks" / "clauses").rglob("*") if path.suffix in (".yaml", ".jsonl")
    )
    texts = [path.read_text(encoding="utf-8") for path in files if path.exists()]
    if absent := [path.name for path in files if not path.exists()]:
        console.print(f"not there, so not looked into for phrases: {', '.join(absent)}")
    for name, ways in (("first", FIRST), ("later", LATER)):
        console.print(
            f"{name}: {literal_share(texts, ways):.1%} of its ways stand in {' '.join(READ_BY_THE_BOT)} talks/clauses/"
        )


def _lines(graded: list[Graded]) -> Iterable[str]:
    """Each answer that is not helpful, and each pair whose verdict changed, worst first."""
    by_name = {one.conversation.name: one for one in graded}
    for name in GRADES[:-1]:
        for one in graded:
            if one.grade == name:
                yield from _described(one)
    for one in graded:
        if one.conversation.varies and _changed(by_name[one.conversation.varies[0]], one):
            before = by_name[one.conversation.varies[0]]
            yield f"## {one.conversation.varies[1]}: {before.answer['verdict']} became {one.answer['verdict']}"
            yield from (f"- {' / '.join(each.conversation.turns)!r}" for each in (before, one))
            yield ""


def _described(one: Graded) -> Iterable[str]:
    conversation, allowed = one.conversation, one.conversation.outcome
    yield f"## {one.grade} {conversation.name}: {one.why}"
    yield from (f"- said: {turn!r}" for turn in conversation.turns)
    yield f"- told: {conversation.case} on {conversation.today}; {', '.join(sorted(conversation.tags))}"
    verdicts = " or ".join(sorted(str(verdict) for verdict in allowed.verdicts))
    figures = " ".join(group[0] for group in allowed.figures)
    yield f"- allowed: {verdicts}; may ask: {', '.join(sorted(allowed.asks)) or 'nothing'}; figures: {figures or '-'}"
    yield f"- because: {allowed.because}"
    answer = one.answer
    yield f"- answered: {answer['status']}, {answer['verdict']}, misses {answer['missing']}: {answer['text']!r}"
    yield ""


if __name__ == "__main__":
    typer.run(main)
