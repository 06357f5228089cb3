"""The service with a platform's stand-in, over loopback, and a browser."""

import asyncio
import shutil
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import httpx
import pytest
import sqlalchemy as sa
from playwright.sync_api import Browser, expect, sync_playwright
from sqlalchemy.ext.asyncio import create_async_engine

from bot.answerer import Answerer
from bot.app import build_app
from bot.delivery import Inbox
from bot.settings import Settings
from bot.simulator import line as line_platform
from bot.simulator import slack as slack_platform
from bot.simulator.app import served
from bot.simulator.line import LinePlatform
from bot.simulator.slack import SlackPlatform


@dataclass
class Running:
    """The application in this process: what is posted to it goes the whole way."""

    client: httpx.AsyncClient
    inbox: Inbox
    database: Path

    async def idle(self) -> None:
        """Waits until everything that was acknowledged is delivered or parked."""
        async with asyncio.timeout(30):
            while await self.inbox.waiting():
                await asyncio.sleep(0.02)

    async def metrics(self) -> str:
        """What Prometheus would read."""
        return (await self.client.get("/metrics", headers={"Authorization": "Bearer token"})).text

    async def turns(self) -> list[Any]:
        """What is on record, oldest first."""
        engine = create_async_engine(f"sqlite+aiosqlite:///{self.database}")
        async with engine.connect() as connection:
            rows = (await connection.execute(sa.text("SELECT * FROM turns ORDER BY id"))).all()
        await engine.dispose()
        return list(rows)


@cache
def opened_answerer(data_dir: Path) -> Answerer:
    """One for all tests without a chat model: opening the index takes longer than they do."""
    return Answerer(Settings(data_dir=data_dir))


@pytest.fixture(autouse=True)
def _database(empty_sqlite, tmp_path) -> None:
    """Where `running` keeps its records."""
    shutil.copy(empty_sqlite, tmp_path / "test.sqlite")


@asynccontextmanager
async def running(data_dir: Path, folder: Path, **settings: str) -> AsyncIterator[Running]:
    database = folder / "test.sqlite"
    kept = {"database_url": f"sqlite:///{database}", "id_hash_key": "key", "metrics_token": "token"}
    answerer = None if "llm" in settings else opened_answerer(data_dir)
    app = build_app(Settings(data_dir=data_dir, **kept, **settings), answerer=answerer)
    transport = httpx.ASGITransport(app)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url="http://service") as client,
    ):
        yield Running(client, app.state.service.inbox, database)


@pytest.fixture
def line() -> Iterator[LinePlatform]:
    platform = LinePlatform()
    with served(platform.app) as platform.url:
        yield platform


@pytest.fixture
async def line_service(line, data_dir, tmp_path) -> AsyncIterator[Running]:
    credentials = {
        "line_channel_secret": line_platform.SECRET,
        "line_channel_access_token": line_platform.TOKEN,
        "line_api_url": line.url,
    }
    async with running(data_dir, tmp_path, **credentials) as service:
        yield service


@pytest.fixture
def slack() -> Iterator[SlackPlatform]:
    platform = SlackPlatform()
    with served(platform.app) as platform.url:
        yield platform


@pytest.fixture(params=["http"])
async def slack_service(request, slack, data_dir, tmp_path) -> AsyncIterator[Running]:
    credentials = {"slack_bot_token": slack_platform.TOKEN, "slack_api_url": f"{slack.url}/api/"}
    if request.param == "http":
        credentials["slack_signing_secret"] = slack_platform.SECRET
    else:
        credentials["slack_app_token"] = slack_platform.APP_TOKEN
    async with running(data_dir, tmp_path, **credentials) as service:
        yield service


@pytest.fixture(scope="module")  # its event loop must have ended before tests that have their own
def browser() -> Iterator[Browser]:
    chromium = shutil.which("chromium")
    if not chromium:
        pytest.skip("chromium is not installed: make browser")
    expect.set_options(timeout=20_000)  # ms; a machine with other work to do is not wrong
    flags = ["--disable-gpu", "--disable-background-networking", "--disable-component-update", "--no-first-run"]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=flags)
        yield browser
        browser.close()
