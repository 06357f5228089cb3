"""A briefing session: people ask through LINE all at once, of real server processes that may be killed meanwhile."""

import asyncio
import os
import signal
import socket
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from bot.simulator.line import SECRET, TOKEN, Json, LinePlatform

ROOT = Path(__file__).parent.parent.parent
QUESTIONS = (
    "財政力指数0.6の町は、計画策定支援の対象ですか",
    "推進体制構築支援の上限はいくら?",
    "アドバイザーは何日来てもらえますか",
    "費用はかかりますか",
    "採択率はどのくらい?",
)
REDELIVERED_AFTER = 2.0
"""Seconds after which the platform delivers again what was not acknowledged. LINE does not say how long it waits."""

_STARTS_WITHIN = 60.0
_EVERYONE_WITHIN = 120.0


class Process:
    """A server process, at the same port each time that it is started."""

    def __init__(self, environment: dict[str, str], log: Path, folder: Path = ROOT) -> None:
        with socket.create_server(("127.0.0.1", 0)) as probe:
            self._port = probe.getsockname()[1]
        self.url = f"http://127.0.0.1:{self._port}"
        self._environment = environment
        self._log = log
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        command = [sys.executable, "-m", "bot", "serve", "--port", str(self._port)]
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(command, cwd=self._folder, env=self._environment, stdout=log, stderr=log)

    async def ready(self) -> None:
        async with asyncio.timeout(_STARTS_WITHIN), httpx.AsyncClient() as client:
            while True:
                try:
                    if (await client.get(f"{self.url}/readyz")).status_code == 200:
                        return
                except httpx.HTTPError:
                    pass
                assert self._process
                assert self._process.poll() is None, self._log.read_text()
                await asyncio.sleep(0.05)

    def memory(self) -> int:
        """Bytes of the process and of those that it has started, each shared page counted by its share (PSS)."""
        assert self._process
        pid = self._process.pid
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        rollups = [Path(f"/proc/{id}/smaps_rollup").read_text() for id in (pid, *children)]
        return sum(int(line.split()[1]) * 1024 for text in rollups for line in text.splitlines() if line[:4] == "Pss:")

    def kill(self) -> None:
        """Ends it as a power cut would."""
        if self._process and self._process.poll() is None:
            self._process.send_signal(signal.SIGKILL)
            self._process.wait()


def environment(data_dir: Path, database_url: str, line_url: str) -> dict[str, str]:
    """The settings of a server that talks to the stand-in."""
    return os.environ | {
        "DATA_DIR": str(data_dir),
        "DATABASE_URL": database_url,
        "ID_HASH_KEY": "key",
        "LINE_CHANNEL_SECRET": SECRET,
        "LINE_CHANNEL_ACCESS_TOKEN": TOKEN,
        "LINE_API_URL": line_url,
        "LOG_LEVEL": "WARNING",
    }


@dataclass
class Outcome:
    """What came of a burst. Times in seconds, memory in bytes; of people, by how many answers they got.

    `refused` requests were not acknowledged, and delivered again; `back` is how long after each kill it took until a
    request of the process was acknowledged again.
    """

    acknowledged: list[float] = field(default_factory=list)
    refused: int = 0
    back: list[float] = field(default_factory=list)
    answered: list[float] = field(default_factory=list)
    answers: Counter[int] = field(default_factory=Counter)
    pushed: int = 0
    memory: int = 0


async def burst(
    line: LinePlatform, processes: Sequence[Process], people: int, seconds: float, kills: Sequence[float] = ()
) -> Outcome:
    """Has people ask once each, spread over some seconds.

    A request that is not acknowledged is delivered again, as the platform does.

    Args:
        line: the platform, being served.
        processes: running; requests go to them in turn.
        people: how many ask.
        seconds: within which they ask.
        kills: when the first process is killed and started again, in seconds from the first question.
    """
    outcome = Outcome()
    asked: dict[str, float] = {}
    down: list[float] = []
    async with httpx.AsyncClient(timeout=10, limits=httpx.Limits(max_connections=100)) as client:

        async def ask(number: int) -> None:
            await asyncio.sleep(seconds * number / people)
            user = f"U{number}"
            event = line.text(QUESTIONS[number % len(QUESTIONS)], user=user)
            asked[user] = time.monotonic()
            while not await acknowledged(number, event):
                await asyncio.sleep(REDELIVERED_AFTER)
                event = line.redelivered(event)

        async def acknowledged(number: int, event: Json) -> bool:
            started = time.monotonic()
            url = processes[number % len(processes)].url
            try:
                (await client.post(f"{url}/line/webhook", **line.signed(event))).raise_for_status()
            except httpx.HTTPError:
                outcome.refused += 1
                return False
            outcome.acknowledged.append(time.monotonic() - started)
            if url == processes[0].url and down and started > down[0]:
                outcome.back.append(time.monotonic() - down.pop())
            return True

        async def kill(after: float) -> None:
            await asyncio.sleep(after)
            await asyncio.to_thread(processes[0].kill)
            down.append(time.monotonic())
            processes[0].start()

        async with asyncio.timeout(_EVERYONE_WITHIN):
            await asyncio.gather(*map(ask, range(people)), *map(kill, kills))
            while len({to for to, _ in line.received}) < people:
                await asyncio.sleep(0.1)
        await asyncio.sleep(2)  # time for a second answer that must not come
    counts = Counter(to for to, _ in line.received)
    outcome.answers = Counter(counts.values())
    outcome.answered = [line.received_at[user] - moment for user, moment in asked.items()]
    outcome.memory = sum(process.memory() for process in processes)
    outcome.pushed = line.calls["/v2/bot/message/push"]
    return outcome
