"""What the operator runs: the checks of the platforms, LINE's menu, the list of what could not be delivered."""

import asyncio
import io
import os
import subprocess
import sys
from datetime import date

import pytest
from PIL import Image

from bot.answerer import Answerer
from bot.app import build_app
from bot.channels.checks import check_answer, check_channels
from bot.settings import Settings, SettingsError, load_settings
from bot.simulator import line as line_platform
from bot.simulator import slack as slack_platform
from bot.simulator.app import served
from tests.channels.burst import ROOT
from tests.channels.conftest import opened_answerer
from tests.channels.test_line import ELIGIBLE

LINE = {"line_channel_secret": line_platform.SECRET, "line_channel_access_token": line_platform.TOKEN}


async def findings(**settings):
    found = [finding async for finding in check_channels(Settings(**settings), "https://example.jp")]
    return [finding.text for finding in found if finding.works], [f.text for f in found if not f.works]


async def test_without_platforms_the_check_says_what_would_be_needed():
    works, fails = await findings()
    assert fails == []
    assert "LINE_CHANNEL_SECRET" in works[0]
    assert "SLACK_BOT_TOKEN" in works[1]


async def test_the_check_of_line_names_the_account_and_the_address_to_paste(line):
    _, (missing,) = await findings(**LINE, line_api_url=line.url)
    assert "https://example.jp/line/webhook" in missing
    line.webhook = "https://example.jp/wrong"
    assert "https://example.jp/wrong" in (await findings(**LINE, line_api_url=line.url))[1][0]


@pytest.mark.parametrize(
    ("secret", "says"),
    [(line_platform.SECRET, ""), ("another-secret", "署名が合いません"), (None, "届きません(COULD_NOT_CONNECT")],
)
async def test_the_check_has_line_send_a_webhook_which_tells_a_wrong_secret(line, data_dir, tmp_path, secret, says):
    set_up = Settings(**LINE | {"line_channel_secret": secret or "x", "data_dir": tmp_path})
    with served(build_app(set_up, answerer=opened_answerer(data_dir))) as url:
        line.webhook = f"{url if secret else 'http://127.0.0.1:1'}/line/webhook"
        works, fails = await findings(**LINE, line_api_url=line.url)
    assert "@madoguchi" in works[0]
    assert any("Webhookの再送" in text for text in works)
    assert [says in text for text in fails] == ([True] if says else [])


async def test_the_check_asks_a_question_that_a_rule_decides(data_dir, tmp_path):
    settings, day = Settings(data_dir=data_dir), date(2026, 4, 1)
    here, gone = [f async for f in check_answer(settings, Answerer(settings), day, "http://127.0.0.1:1")]
    assert (here.works, gone.works) == (True, False)
    assert "上限はいくらですか" in here.text
    nothing = Settings(data_dir=tmp_path)
    (missing,) = [f async for f in check_answer(nothing, Answerer(nothing), day, "")]
    assert "python -m ingest" in missing.text


async def test_the_check_says_which_credential_does_not_work(line, slack):
    _, (fails,) = await findings(**LINE | {"line_channel_access_token": "x"}, line_api_url=line.url)
    assert "LINE_CHANNEL_ACCESS_TOKEN" in fails
    url = f"{slack.url}/api/"
    _, (fails,) = await findings(slack_bot_token="x", slack_signing_secret="x", slack_api_url=url)
    assert "SLACK_BOT_TOKEN" in fails
    _, fails = await findings(slack_bot_token=slack_platform.TOKEN, slack_app_token="x", slack_api_url=url)
    assert "SLACK_APP_TOKEN" in fails[-1]


async def test_the_check_of_slack_names_missing_scopes(slack):
    url = f"{slack.url}/api/"
    slack.scopes.discard("commands")
    _, (fails,) = await findings(
        slack_bot_token=slack_platform.TOKEN, slack_app_token=slack_platform.APP_TOKEN, slack_api_url=url
    )
    assert "commands" in fails


@pytest.mark.parametrize(
    ("given", "missing"),
    [
        (["LINE_CHANNEL_SECRET"], "LINE_CHANNEL_ACCESS_TOKEN"),
        (["LINE_CHANNEL_ACCESS_TOKEN"], "LINE_CHANNEL_SECRET"),
        (["SLACK_BOT_TOKEN"], "SLACK_SIGNING_SECRET"),
        (["SLACK_SIGNING_SECRET"], "SLACK_BOT_TOKEN"),
        (["SLACK_APP_TOKEN"], "SLACK_BOT_TOKEN"),
    ],
)
def test_half_configured_is_refused_with_the_name_of_what_is_missing(monkeypatch, given, missing):
    for name in given:
        monkeypatch.setenv(name, "x")
    with pytest.raises(SettingsError, match=missing):
        load_settings()


def bot(*arguments, **environment):
    command = [sys.executable, "-m", "bot", *arguments]
    return subprocess.run(command, cwd=ROOT, env={**os.environ, **environment}, capture_output=True, text=True)


async def test_setting_up_line_puts_one_menu_in_place_however_often(line):
    credentials = {name.upper(): value for name, value in LINE.items()} | {"LINE_API_URL": line.url}
    for _ in range(2):
        done = await asyncio.to_thread(bot, "line", "setup", **credentials)
        assert done.returncode == 0, done.stderr
    assert list(line.rich_menus) == [line.default_rich_menu]
    picture = Image.open(io.BytesIO(line.rich_menu_images[line.default_rich_menu]))
    assert picture.size == (2500, 1686)
    labels = [area["action"]["label"] for area in line.rich_menus[line.default_rich_menu]["areas"]]
    assert labels[-3:] == ["対象チェック", "募集状況", "問い合わせ先"]


async def test_what_could_not_be_delivered_is_listed_and_replayed(line, line_service):
    late = line.expire(line.text(ELIGIBLE, user="U9"))
    line.people.clear()
    await line.deliver(line_service.client, late)
    await line_service.idle()
    database = {"DATABASE_URL": f"sqlite:///{line_service.database}", "ID_HASH_KEY": "key"}
    listed = await asyncio.to_thread(bot, "deliveries", **database)
    assert "届けられなかったもの: 1件" in listed.stdout
    assert "'to'" in listed.stdout
    assert ELIGIBLE not in listed.stdout
    line.people.add("U9")
    replayed = await asyncio.to_thread(bot, "deliveries", "--replay-all", **database)
    assert "1件を、もう一度送ります" in replayed.stdout
    await line_service.idle()
    assert len(line.received) == 1
