"""The answerer in a process of its own: what it computes never keeps the one that receives from its turn.

The two talk over a pair of sockets. When either end is gone the other one knows: a worker whose service was killed
ends, and a service whose worker was killed starts another for the next call.
"""

import asyncio
import contextlib
import os
import pickle
import signal
import socket
import subprocess
import sys
import traceback
from collections.abc import AsyncGenerator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from itertools import count
from typing import TYPE_CHECKING, Any

from bot.answerer import Answerer
from bot.logs import log_to_stderr
from bot.settings import Settings
from bot.types import Answer, Conversation, IndexState, Inquiry, Stage

if TYPE_CHECKING:
    from bot.briefing.merging import Meaning
    from bot.drafting import Draft

_LENGTH = 4
"""Bytes before each frame that say how long it is."""

_THREADS = 1
"""Of the worker's computing: Python computes in one at a time, and several only take turns at it."""


class WorkerLostError(Exception):
    """The worker ended before it had answered."""


class AnswererProcess:
    """An `Answerer` in a process of its own, with the same methods. Belongs to the event loop of its first call."""

    def __init__(self, settings: Settings) -> None:
        """Starts the process, which opens everything while this one gets ready too."""
        self._settings = settings
        self._numbers = count()
        self._waiting: dict[int, asyncio.Queue[tuple[str, Any]]] = {}
        self._writer: asyncio.StreamWriter | None = None
        self._connecting = asyncio.Lock()
        self._reading: asyncio.Task[None] | None = None
        self._start()

    def _start(self) -> None:
        self._socket, theirs = socket.socketpair()
        with theirs:
            command = [sys.executable, "-m", "bot.worker", str(theirs.fileno())]
            self._process = subprocess.Popen(command, pass_fds=[theirs.fileno()], stdin=subprocess.DEVNULL)
        self._socket.sendall(_frame(self._settings))

    @property
    def pid(self) -> int:
        """Of the process that answers now."""
        return self._process.pid

    async def open(self) -> None:
        """As `Answerer.open`, for a process that stays."""
        await self._call("open", True)

    async def close(self) -> None:
        """Ends the process."""
        if self._writer:
            self._writer.close()
        else:
            self._socket.close()
        if self._reading:
            await self._reading
        await asyncio.to_thread(self._process.wait)

    async def index(self) -> IndexState:
        """As `Answerer.index`."""
        state: IndexState = await self._call("index")
        return state

    async def check(self, program: str, given: Mapping[Any, Any], day: date) -> tuple[Answer, Conversation]:
        """As `Answerer.check`."""
        checked: tuple[Answer, Conversation] = await self._call("check", program, given, day)
        return checked

    async def related(self, question: str, program: str) -> tuple[tuple[str, str], ...]:
        """As `Answerer.related`."""
        found: tuple[tuple[str, str], ...] = await self._call("related", question, program)
        return found

    async def grouped(self, questions: Sequence[str]) -> tuple[int, ...]:
        """As `Answerer.grouped`."""
        groups: tuple[int, ...] = await self._call("grouped", questions)
        return groups

    async def nearest(self, question: str, others: Sequence[str]) -> int | None:
        """As `Answerer.nearest`."""
        place: int | None = await self._call("nearest", question, others)
        return place

    async def unheld_figures(self, text: str, question: str, program: str, day: date) -> tuple[str, ...]:
        """As `Answerer.unheld_figures`."""
        found: tuple[str, ...] = await self._call("unheld_figures", text, question, program, day)
        return found

    async def meaning(self, inquiry: Inquiry, answer: Answer) -> "tuple[Meaning, bool]":
        """As `Answerer.meaning`."""
        read: tuple[Meaning, bool] = await self._call("meaning", inquiry, answer)
        return read

    async def stages(self, inquiry: Inquiry, grows: bool) -> AsyncGenerator[Stage]:
        """As `Answerer.stages`. Raises WorkerLostError too."""
        async with contextlib.aclosing(self._results("stages", inquiry, grows)) as results:
            async for stage in results:
                yield stage

    async def draft(self, inquiry: Inquiry) -> "Draft | None":
        """As `Answerer.draft`."""
        drafted: Draft | None = await self._call("draft", inquiry)
        return drafted

    async def _call(self, method: str, *arguments: Any) -> Any:
        return [result async for result in self._results(method, *arguments)][-1]

    async def _results(self, method: str, *arguments: Any) -> AsyncGenerator[Any]:
        writer = await self._connected()
        number, results = next(self._numbers), asyncio.Queue[tuple[str, Any]]()
        self._waiting[number] = results
        try:
            writer.write(_frame((number, method, arguments)))
            while True:
                match await results.get():
                    case "result", result:
                        yield result
                    case "error", error:
                        raise error
                    case _:
                        return
        finally:
            del self._waiting[number]
            writer.write(_frame((number, "cancel", ())))

    async def _connected(self) -> asyncio.StreamWriter:
        async with self._connecting:
            if self._reading and self._reading.done():
                self._writer, self._reading = None, None
                self._start()
            if self._writer is None:
                reader, self._writer = await asyncio.open_connection(sock=self._socket)
                self._reading = asyncio.create_task(self._read(reader))
            return self._writer

    async def _read(self, reader: asyncio.StreamReader) -> None:
        with contextlib.suppress(EOFError, OSError):
            while True:
                number, kind, content = await _receive(reader)
                if results := self._waiting.get(number):
                    results.put_nowait((kind, content))
        self._process.kill()  # it may live on with its end closed
        self._process.wait()
        for results in self._waiting.values():
            results.put_nowait(("error", WorkerLostError("the process that answers has ended")))


def _frame(content: Any) -> bytes:
    data = pickle.dumps(content)
    return len(data).to_bytes(_LENGTH, "big") + data


async def _receive(reader: asyncio.StreamReader) -> Any:
    """The next frame; both ends are our own processes. Raises EOFError when the other end is gone."""
    length = int.from_bytes(await reader.readexactly(_LENGTH), "big")
    return pickle.loads(await reader.readexactly(length))


async def _work(connection: socket.socket) -> None:
    """Does what the service asks for until that ends."""
    asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(_THREADS))
    reader, writer = await asyncio.open_connection(sock=connection)
    settings = await _receive(reader)
    log_to_stderr(settings.log_level, settings.log_format)
    answerer = Answerer(settings)
    tasks: dict[int, asyncio.Task[None]] = {}
    tasks[-1] = asyncio.create_task(_answer(answerer, writer, -1, "open", (True,)))
    try:
        while True:
            number, method, arguments = await _receive(reader)
            if method == "cancel":
                if task := tasks.pop(number, None):
                    task.cancel()
            else:
                tasks[number] = asyncio.create_task(_answer(answerer, writer, number, method, arguments))
    except (EOFError, OSError):
        os._exit(0)  # a thread that still computes does so for nobody


async def _answer(
    answerer: Answerer, writer: asyncio.StreamWriter, number: int, method: str, arguments: tuple[Any, ...]
) -> None:
    try:
        results = getattr(answerer, method)(*arguments)
        if isinstance(results, AsyncGenerator):
            async for result in results:
                writer.write(_frame((number, "result", result)))
        else:
            writer.write(_frame((number, "result", await results)))
        writer.write(_frame((number, "end", None)))
    except Exception as error:
        error.add_note(traceback.format_exc())  # where it happened does not travel otherwise
        writer.write(_frame((number, "error", error)))


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # meant for the service, which ends this process with itself
    asyncio.run(_work(socket.socket(fileno=int(sys.argv[1]))))
