"""A session in the running service, with people who ask and hosts who act over HTTP."""

import asyncio
import json
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest
import uvicorn

from bot.answerer import Answerer
from bot.app import build_app
from bot.briefing.sessions import Briefing, Sessions
from bot.delivery import Inbox
from bot.settings import Settings

Json = dict[str, Any]


@dataclass
class Hall:
    """A session, and the ways into it."""

    client: httpx.AsyncClient
    sessions: Sessions
    inbox: Inbox
    briefing: Briefing
    pages: dict[str, str] = field(default_factory=dict)

    def asker(self, name: str) -> dict[str, str]:
        """The headers of a person's browser."""
        return {"X-Asker": self.pages.setdefault(name, str(uuid.uuid4()))}

    def bearer(self, role: str = "host") -> dict[str, str]:
        return {"Authorization": f"Bearer {self.sessions.secret(self.briefing, role)}"}

    @property
    def api(self) -> str:
        return f"/api/briefings/{self.briefing.code}"

    async def ask(self, name: str, text: str, id: str = "") -> httpx.Response:
        """Somebody asks on the page; returns once that is answered."""
        body = {"id": id or str(uuid.uuid4()), "text": text}
        response = await self.client.post(f"{self.api}/questions", json=body, headers=self.asker(name))
        await self.idle()
        return response

    async def idle(self) -> None:
        async with asyncio.timeout(60):
            while await self.inbox.waiting():
                await asyncio.sleep(0.02)

    async def tap(self, name: str, tap: str) -> httpx.Response:
        """Somebody says what their last answer was worth."""
        newest = (await self.mine(name))[-1]["id"]
        path = f"{self.api}/questions/{newest}/taps"
        return await self.client.post(path, json={"tap": tap}, headers=self.asker(name))

    async def want(self, name: str, number: int) -> httpx.Response:
        return await self.client.post(f"{self.api}/matters/{number}/wants", headers=self.asker(name))

    async def act(self, name: str, *numbers: int, seen: Json | None = None, **also: Any) -> httpx.Response:
        """A host acts on matters as they stand, or as they stood in `seen`."""
        matters = {m["number"]: m for m in _all(seen or await self.host())}
        body = {"name": name, "seen": [[n, matters[n]["version"]] for n in numbers], **also}
        return await self.client.post(f"{self.api}/host/acts", json=body, headers=self.bearer())

    async def answer(self, number: int, text: str, seen: Json | None = None) -> httpx.Response:
        """A host answers in writing all questions that are listed."""
        matter = await self.matter(number, seen)
        listed = [q["id"] for q in matter["questions"]] + matter["wants"]
        return await self.act("answer", number, seen=seen, text=text, questions=listed)

    async def undo(self) -> httpx.Response:
        change = (await self.host())["undo"]
        body = {"change": change["change"] if change else 0}
        return await self.client.post(f"{self.api}/host/undo", json=body, headers=self.bearer())

    async def first_state(self, path: str, headers: dict[str, str]) -> Json:
        """What a listener is shown when it comes."""
        async for state in self.states(path, headers):
            return state
        raise AssertionError("nothing came")

    async def states(self, path: str, headers: dict[str, str]) -> AsyncIterator[Json]:
        async with self.client.stream("GET", path, headers=headers) as response:
            assert response.status_code == 200, await response.aread()
            async for line in response.aiter_lines():
                if line.startswith("data: "):
                    yield json.loads(line.removeprefix("data: "))

    async def host(self) -> Json:
        return await self.first_state(f"{self.api}/host/events", self.bearer())

    async def matter(self, number: int, seen: Json | None = None) -> Json:
        return next(m for m in _all(seen or await self.host()) if m["number"] == number)

    async def board(self) -> Json:
        return (await self.first_state(f"{self.api}/screen/events", self.bearer("screen")))["board"]

    async def mine(self, name: str) -> list[Json]:
        return (await self.first_state(f"{self.api}/events", self.asker(name)))["mine"]


def _all(host: Json) -> list[Json]:
    return [*host["matters"], *host["answered_by_bot"]]


@asynccontextmanager
async def opened(settings: Settings, answerer: Answerer) -> AsyncIterator[Hall]:
    """A session of a service over loopback: a stream never ends, and a transport in the process waits for the end."""
    app = build_app(settings, answerer=answerer)
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_config=None, timeout_graceful_shutdown=1))
    serving = asyncio.create_task(server.serve())
    while not server.started:
        assert not serving.done()
        await asyncio.sleep(0.01)
    service = app.state.service
    url = f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    async with httpx.AsyncClient(base_url=url, timeout=60) as client:
        yield Hall(client, service.briefings, service.inbox, await service.briefings.start("説明会"))
    app.state.feed.close()
    server.should_exit = True
    await serving


@pytest.fixture(scope="session")
def answerer(data_dir) -> Answerer:
    """Opened once for all tests: it keeps nothing of what it answers."""
    return Answerer(Settings(data_dir=data_dir))


@pytest.fixture
async def hall(data_dir, database_url, answerer) -> AsyncIterator[Hall]:
    settings = Settings(data_dir=data_dir, database_url=database_url, id_hash_key="key")
    async with opened(settings, answerer) as hall:
        yield hall
