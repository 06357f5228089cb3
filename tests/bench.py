"""Measures the budgets of the design: `make bench`. Prints a table; a budget that is missed is marked, not an error."""

import json
import os
import random
import re
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from functools import partial
from pathlib import Path
from statistics import quantiles
from tempfile import TemporaryDirectory

from rich.console import Console
from rich.table import Table

from bot.answering import answer, open_knowledge
from bot.types import Inquiry
from knowledge.catalog import read_yaml

ROOT = Path(__file__).parent.parent
DAY = date(2025, 6, 10)
QUESTIONS = (
    "財政力指数0.6の町は、計画策定支援の対象ですか",
    "財政力指数がちょうど1の市はどう?",
    "推進体制構築支援の上限はいくら?",
    "前に選ばれた県です。8000万円でいけますか",
    "アドバイザーは何日来てもらえますか",
    "オンラインだけなら何時間まで?",
    "アドバイザー派遣は、今から申し込めますか",
    "報告書はいつまでに出せばいい?",
    "費用はかかりますか",
    "NPOでも派遣してもらえる?",
    "計画策定支援のコースには何がありますか",
    "採択率はどのくらい?",
    "伴走支援の事業者の条件を教えて",
    "今日の天気は?",
    "うちは対象になる?",
    "公募は年に何回ありますか",
)
COLD_RUNS = 7
SERVED = 200


@dataclass(frozen=True)
class Figure:
    """One row of the table; the budget is None where the design sets none."""

    what: str
    value: float
    unit: str
    budget: float | None = None


def main() -> None:
    """Measures everything, one thing after the other, and prints the table."""
    with TemporaryDirectory() as folder:
        data = Path(folder) / "data"
        ingest(data)
        figures = [*ready(data), *cold(data), *warm(data), *served(data), *ingested(Path(folder))]
    table = Table("", "measured", "budget", title=f"{os.cpu_count()} CPU cores")
    for figure in figures:
        missed = figure.budget is not None and figure.value > figure.budget
        budget = "" if figure.budget is None else f"< {figure.budget:g} {figure.unit}"
        table.add_row(figure.what, f"{figure.value:.3g} {figure.unit}", f"{budget} MISSED" if missed else budget)
    Console().print(table)


def ready(data: Path) -> Iterator[Figure]:
    """What `make run` does on a finished index: an ingest that finds nothing, then the service until it is ready."""

    def again() -> float:
        started = time.perf_counter()
        ingest(data)
        with server(data) as (_, address):
            while not answers(f"{address}readyz"):
                time.sleep(0.02)
            return time.perf_counter() - started

    yield Figure(f"ready again, best of {COLD_RUNS}", min(again() for _ in range(COLD_RUNS)), "s", 5)


def cold(data: Path) -> Iterator[Figure]:
    """A process for one question, from its start to its end."""
    seconds = [seconds_of(partial(run, data, "bot", "ask", QUESTIONS[0])) for _ in range(COLD_RUNS)]
    p50, p95 = percentiles(seconds)
    yield Figure("ask, cold: p50", p50, "s", 3)
    yield Figure("ask, cold: p95", p95, "s", 3)


def warm(data: Path) -> Iterator[Figure]:
    """Answers in one process, of messages that it has not met: the encoder remembers what it was given last."""
    knowledge = open_knowledge(data)
    for question in QUESTIONS:
        answer(Inquiry(question, DAY), knowledge)
    messages = [row["a"] for row in read_yaml(ROOT / "tests" / "golden" / "pairs.yaml")]
    milliseconds = [seconds_of(partial(answer, Inquiry(message, DAY), knowledge)) * 1000 for message in messages]
    knowledge.searcher.close()
    p50, p95 = percentiles(milliseconds)
    yield Figure("ask, warm: p50", p50, "ms", 30)
    yield Figure("ask, warm: p95", p95, "ms", 80)


def served(data: Path) -> Iterator[Figure]:
    """Questions over HTTP, one after the other, each in a conversation of its own."""
    with server(data) as (process, address):
        milliseconds = [
            seconds_of(partial(post, f"{address}api/ask", {"text": question})) * 1000
            for question in (QUESTIONS * (SERVED // len(QUESTIONS) + 1))[:SERVED]
        ]
        p50, p95 = percentiles(milliseconds)
        yield Figure("POST /api/ask: p50", p50, "ms")
        yield Figure("POST /api/ask: p95", p95, "ms")
        yield Figure(f"server memory (PSS) after {SERVED} questions", memory_of(process), "MB", 600)


def ingested(folder: Path) -> Iterator[Figure]:
    """Documents that are added to the repository's own, each time from an index that is up to date."""
    data, many = folder / "ingested", folder / "many"
    ingest(data)
    one = write_document(folder / "one.md", 0)
    yield Figure("ingest of 1 document", seconds_of(partial(ingest, data, "add", str(one))), "s")
    many.mkdir()
    for number in range(1, 1001):
        write_document(many / f"{number:04}.md", number)
    everything = seconds_of(partial(ingest, data, "add", str(many)))
    yield Figure("ingest of 1,000 documents", everything, "s")
    yield Figure("ingest again, nothing changed", seconds_of(partial(ingest, data)), "s")
    for number in range(1, 11):
        write_document(many / f"{number:04}.md", number + 5000)
    yield Figure("add the 1,000 again, 1% changed", seconds_of(partial(ingest, data, "add", str(many))), "s")


def write_document(file: Path, seed: int) -> Path:
    """A page of a made-up program, five sections long."""
    choose = random.Random(seed)
    things = re.findall("..", "申請交付報告審査補助広報研修点検公表変更相談契約調査設備通信医療農業観光防災教育")
    sections = "\n".join(
        f"## {choose.choice(things)}の{choose.choice(things)}\n\n"
        + "".join(
            f"{choose.choice(things)}に関する{choose.choice(things)}は、{choose.randint(2, 90)}日以内に"
            f"{choose.choice(things)}の担当へ{choose.randint(1, 900)}万円までの{choose.choice(things)}を届け出ます。"
            for _ in range(5)
        )
        for _ in range(5)
    )
    file.write_text(f"# 第{seed}号{choose.choice(things)}支援事業\n\n{sections}\n", encoding="utf-8")
    return file


@contextmanager
def server(data: Path) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """The service on a free port: its process and its address."""
    command = [sys.executable, "-m", "bot", "serve", "--port", "0"]
    environment = environment_of(data, RATE_PER_CLIENT="1000000", LOG_LEVEL="WARNING", PYTHONUNBUFFERED="1")
    process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True)
    assert process.stdout
    try:
        yield process, process.stdout.readline().split(" ")[0]
    finally:
        process.terminate()
        process.wait()


def memory_of(process: subprocess.Popen[str]) -> float:
    """Of the process and those that it has started, each shared page counted by its share (PSS), in MB."""
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
    rollups = [Path(f"/proc/{id}/smaps_rollup").read_text() for id in (process.pid, *children)]
    kilobytes = (int(line.split()[1]) for text in rollups for line in text.splitlines() if line[:4] == "Pss:")
    return sum(kilobytes) * 1024 / 1e6


def answers(url: str) -> bool:
    """Whether a request is answered with success."""
    try:
        with urllib.request.urlopen(url):
            return True
    except urllib.error.HTTPError:
        return False


def post(url: str, body: dict[str, str]) -> None:
    """Sends one question and reads its answer."""
    request = urllib.request.Request(url, json.dumps(body).encode(), {"Content-Type": "application/json"})
    with urllib.request.urlopen(request) as response:
        response.read()


def ingest(data: Path, *words: str) -> None:
    """Runs the ingest on a data folder."""
    run(data, "ingest", *words)


def run(data: Path, *command: str) -> None:
    """Runs one of the command lines, silently."""
    environment = environment_of(data)
    subprocess.run([sys.executable, "-m", *command], cwd=ROOT, env=environment, check=True, stdout=subprocess.DEVNULL)


def environment_of(data: Path, **settings: str) -> dict[str, str]:
    """This process's environment with the data folder and other settings."""
    return {**os.environ, "DATA_DIR": str(data), **settings}


def seconds_of(work: Callable[[], object]) -> float:
    """How long it takes."""
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def percentiles(values: Sequence[float]) -> tuple[float, float]:
    """The 50th and the 95th."""
    cuts = quantiles(values, n=100, method="inclusive")
    return cuts[49], cuts[94]


if __name__ == "__main__":
    main()
