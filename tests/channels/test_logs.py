"""What a running service logs, its libraries included: what belongs together, and nothing that people wrote or are."""

import asyncio
import json
import os
import re
import subprocess
import sys

import httpx
import pytest

from bot.simulator import line as line_platform
from bot.simulator import slack as slack_platform
from bot.simulator.app import served
from bot.simulator.line import LineFault, LinePlatform
from bot.simulator.slack import SlackPlatform
from tests.adversarial.models import serving
from tests.channels.burst import ROOT, Process

TEXT = "梅干町の町長印の件ですが、うちは対象になりますか"
PRIVATE = {
    "what people wrote": ("梅干町", "町長印", r"\\u6885\\u5e72"),
    "telephone numbers": ("090-1234-5678", "09012345678"),
    "people in LINE": ("Uabcdef0123456789abcdef0123456789",),
    "people in Slack": ("U0SLACKUSER",),
    "secrets": (
        line_platform.SECRET,
        line_platform.TOKEN,
        slack_platform.SECRET,
        slack_platform.TOKEN,
        "key-of-the-model",
        "key-that-hides-ids",
        "token-of-the-metrics",
        "key-of-the-replies",
    ),
}
SAID = f"{TEXT}。電話は090-1234-5678です"
LINE_USER, SLACK_USER = PRIVATE["people in LINE"][0], PRIVATE["people in Slack"][0]


async def _delivered(line, slack):
    async with asyncio.timeout(60):
        while len(line.received) < 2 or not slack.answers():
            await asyncio.sleep(0.05)


async def _talk(url, line, slack):
    """People ask on every channel, some of what comes is wrong, and each platform fails once."""
    line.people.add(LINE_USER)
    line.faults, slack.faults = [LineFault(500)], [slack_platform.SlackFault("chat.postMessage", 500)]
    wrong = {"content": SAID.encode(), "headers": {"content-type": "application/json"}}
    async with httpx.AsyncClient(base_url=url, timeout=60) as client:
        await line.deliver(client, line.text(SAID, user=LINE_USER))
        await line.deliver(client, line.tap(json.dumps({"check": "keikaku", "facts": {SAID: SAID}}), user=LINE_USER))
        await slack.deliver(client, slack.mention(SAID, user=SLACK_USER))
        for path in ("/line/webhook", "/slack/events", "/api/ask"):
            await client.post(path, **wrong)
        await client.post("/slack/events", **slack.signed(slack.mention(SAID, user=SLACK_USER), timestamp=1))
        for path in ("/api/ask", "/api/ask/stream"):
            assert (await client.post(path, json={"text": SAID, "conversation_id": "c"})).status_code == 200
        await client.get("/metrics", headers={"Authorization": "Bearer token-of-the-metrics"})
        await _delivered(line, slack)


@pytest.fixture(scope="module")
def log(data_dir, tmp_path_factory):
    """The log of a service at DEBUG that has talked with people in every channel, and with a chat model."""
    folder = tmp_path_factory.mktemp("log")
    line, slack = LinePlatform(), SlackPlatform()
    with served(line.app) as line.url, served(slack.app) as slack.url, serving() as model:
        environment = os.environ | {
            "DATA_DIR": str(data_dir),
            "DATABASE_URL": f"sqlite:///{folder / 'test.sqlite'}",
            "LOG_LEVEL": "DEBUG",
            "LOG_FORMAT": "json",
            "LINE_CHANNEL_SECRET": line_platform.SECRET,
            "LINE_CHANNEL_ACCESS_TOKEN": line_platform.TOKEN,
            "LINE_API_URL": line.url,
            "SLACK_BOT_TOKEN": slack_platform.TOKEN,
            "SLACK_SIGNING_SECRET": slack_platform.SECRET,
            "SLACK_API_URL": f"{slack.url}/api/",
            "SLACK_DESK_CHANNEL": slack_platform.DESK,
            "ID_HASH_KEY": "key-that-hides-ids",
            "REPLY_KEY": "key-of-the-replies",
            "METRICS_TOKEN": "token-of-the-metrics",
            "LLM": "openai:played",
            "LLM_BASE_URL": model,
            "LLM_API_KEY": "key-of-the-model",
            "LLM_READ_ALWAYS": "true",
        }
        process = Process(environment, folder / "log")
        try:
            process.start()
            asyncio.run(process.ready())
            asyncio.run(_talk(process.url, line, slack))
            check = [sys.executable, "-m", "bot", "check", "--url", process.url]
            checked = subprocess.run(check, cwd=ROOT, env=environment, capture_output=True, text=True)
        finally:
            process.kill()
    assert f"{process.url} の「推進体制構築支援の上限はいくらですか」に、規則のとおり答えます" in checked.stdout
    return (folder / "log").read_text(encoding="utf-8")


@pytest.mark.parametrize("kind", PRIVATE)
def test_nobody_and_nothing_that_was_said_is_in_the_log(log, kind):
    assert [private for private in PRIVATE[kind] if private in log] == []


def test_the_lines_of_one_event_can_be_put_together(log):
    lines = [json.loads(line) for line in log.splitlines() if line.startswith("{")]
    delivered = {line["event"]: line for line in lines if re.search(r"delivered in", line["message"])}
    answered = [line for line in lines if "status" in line]
    assert {line["channel"] for line in answered} == {"line", "slack", "web"}
    for line in answered:
        assert {"understand", "find", "compose"} <= line["took_ms"].keys()
        assert re.fullmatch(r"[0-9a-f]{12}", line["conversation"])
        if line["channel"] != "web":
            end = delivered[line["event"]]
            assert end["conversation"] == line["conversation"]
            assert end["took_ms"].keys() == {"wait", "prepare", "send"}
    assert any("tried again" in line["message"] and line["channel"] == "line" for line in lines)
