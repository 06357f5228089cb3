"""Has the pages of the programs and the documents from addresses looked at, every so many hours."""

import asyncio
import logging
import os
import sys
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path

from bot.metrics import Metrics
from knowledge.watching import Change, load_watch

_log = logging.getLogger(__name__)

_HOUR = 3600.0


Tell = Callable[[Sequence[Change]], Awaitable[None]]
"""Tells people of figures that changed."""


async def watch(data_dir: Path, hours: float, metrics: Metrics, tell: Tell | None = None) -> None:
    """Looks now and every so many hours, until it is cancelled; what changed is logged and counted, and people told.

    The look is a process of its own: it reads documents, and the server only answers. What it found serves from the
    next message on, as any new index does.
    """
    while True:
        known = set(_changes(data_dir, metrics))
        environment = {**os.environ, "DATA_DIR": str(data_dir)}
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "ingest", "watch",
            env=environment, stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.DEVNULL,
        )  # fmt: skip
        try:
            status = await process.wait()
        except asyncio.CancelledError:
            process.kill()
            await process.wait()
            raise
        if status:
            _log.warning("a look at the watched pages ended with %d", status)
        fresh = [change for change in _changes(data_dir, metrics) if change not in known]
        for change in fresh:
            _log.warning(
                "watched page %s changed (%s): %s -> %s", change.url, change.place, change.before, change.after
            )
        if fresh and tell:
            await tell(fresh)
        await asyncio.sleep(hours * _HOUR)


def _changes(data_dir: Path, metrics: Metrics) -> tuple[Change, ...]:
    found = load_watch(data_dir)
    metrics.show_watch(len(found.changes), sum(bool(looked.problem) for looked in found.pages.values()))
    return found.changes
