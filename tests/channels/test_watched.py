"""A page that is served on this machine changes, and the officials' channel in Slack is told."""

import asyncio
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from bot.simulator.slack import DESK, SECRET, TOKEN
from tests.channels.conftest import running
from tests.conftest import ROOT
from tests.site import PAGE, served_site

NO_NETWORK = """
import socket

find = socket.getaddrinfo

def find_here(host, *rest, **more):
    if host != "127.0.0.1":
        raise OSError("no test goes beyond this machine")
    return find(host, *rest, **more)

socket.getaddrinfo = find_here
"""
"""For the processes that look at the pages: those of the programs are elsewhere."""


@pytest.fixture
def watched_dir(data_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A data folder whose pages may be on this machine, and are nowhere else."""
    (tmp_path / "sitecustomize.py").write_text(NO_NETWORK, encoding="utf-8")
    monkeypatch.setenv("PYTHONPATH", f"{tmp_path}{os.pathsep}{ROOT}")
    monkeypatch.setenv("WATCH_LOCAL", "true")
    return Path(shutil.copytree(data_dir, tmp_path / "data"))


async def test_a_page_that_changes_is_told_in_the_channel_of_the_officials_once(slack, watched_dir, tmp_path):
    settings = {
        "slack_bot_token": TOKEN,
        "slack_signing_secret": SECRET,
        "slack_api_url": f"{slack.url}/api/",
        "slack_desk_channel": DESK,
        "watch_hours": str(1 / 3600),
    }
    with served_site() as site:
        site.pages["/page"] = PAGE
        added = [sys.executable, "-m", "ingest", "add", f"{site.url}/page"]
        environment = {**os.environ, "DATA_DIR": str(watched_dir)}
        subprocess.run(added, env=environment, cwd=tmp_path, check=True, capture_output=True)
        site.pages["/page"] = PAGE.replace("1億2千万円", "150百万円")
        site.asked.clear()
        async with running(watched_dir, tmp_path, **settings) as service:
            async with asyncio.timeout(120):
                while len(site.asked) < 3:  # where the third look begins, the second has told what it had to tell
                    await asyncio.sleep(0.1)
            await service.idle()
            counted = await service.metrics()
    # on a working day the channel has its morning's summary too
    (told,) = [message for message in slack.answers(DESK) if "数値が1か所変わりました" in message["text"]]
    assert "*1億2千万円 → 150百万円*" in str(told["blocks"])
    assert "madoguchi_watched_changes 1.0" in counted
    assert slack.refusals == []
