"""`python -m bot simulate` as somebody uses it who has no account: in a real browser, through both SDKs.

Each test leaves a screenshot in its temporary folder.
"""

import os
import re
import signal
import subprocess
import sys

import httpx
import pytest
from playwright.sync_api import expect

from tests.channels.burst import ROOT

ELIGIBLE = "財政力指数0.6の町は、計画策定支援の対象ですか"
CASES = [
    (ELIGIBLE, "対象です。"),
    ("財政力指数1.2の市は、計画策定支援の対象ですか", "対象外です。"),
    ("推進体制構築支援に町だけで応募できますか", "都道府県"),
    ("計画策定支援の採択率は?", "資料に記載がありません"),
    ("今日の天気は?", "お答えできる範囲の外"),
]


@pytest.fixture(scope="module")
def address(data_dir):
    command = [sys.executable, "-m", "bot", "simulate", "--port", "0"]
    environment = {**os.environ, "DATA_DIR": str(data_dir), "PYTHONUNBUFFERED": "1"}
    with subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE) as simulator:
        yield re.match(r"\S+", simulator.stdout.readline().decode())[0]
        simulator.send_signal(signal.SIGINT)
        assert simulator.wait(timeout=30) == 0


@pytest.fixture
def page(browser, address, tmp_path):
    """The page, for somebody new; anything in the browser's console fails the test."""
    complaints = []
    page = browser.new_page(viewport={"width": 1400, "height": 1000}, locale="ja-JP", reduced_motion="reduce")
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("console", lambda line: complaints.append(line.text))
    page.goto(address)
    expect(page.locator("#line-log li").first).to_be_visible()
    with page.expect_response("**/line/follow"):
        page.get_by_role("button", name="友だち追加からやり直す").click()
    expect(page.locator("#line-log li")).to_have_count(1)
    yield page
    page.screenshot(path=tmp_path / "simulator.png")
    page.close()
    assert complaints == []


def go(page, place):
    page.locator("nav").get_by_role("button", name=place, exact=True).click()
    expect(page.locator("#place")).to_contain_text(re.compile("."))


def say(page, label, text):
    field = page.get_by_role("textbox", name=label, exact=True)
    field.fill(text)
    field.press("Enter")


def tap(page, reply):
    page.locator("#quick").get_by_role("button", name=reply, exact=True).click()


def test_who_adds_the_account_is_greeted_with_examples(page):
    expect(page.locator("#line-log li")).to_have_count(1)
    expect(page.locator("#line-log")).to_contain_text("友だち追加ありがとうございます")
    expect(page.locator("#quick").get_by_role("button", name="対象チェック", exact=True)).to_be_visible()


@pytest.mark.parametrize(("question", "words"), CASES)
def test_line_and_slack_answer_alike(page, question, words):
    say(page, "LINEのメッセージ", question)
    expect(page.locator("#line-log li").last).to_contain_text(words)
    go(page, "支援事業の窓口(DM)")
    say(page, "Slackのメッセージ", question)
    expect(page.locator("#slack-log .message").last).to_contain_text(words)


def test_a_missing_fact_is_tapped_on_the_phone(page):
    say(page, "LINEのメッセージ", "うちの町は対象になる?")
    tap(page, "計画策定支援")
    expect(page.locator("#line-log li").last).to_contain_text("財政力指数はいくつですか")
    say(page, "LINEのメッセージ", "0.6です")
    expect(page.locator(".bubble").last).to_contain_text("対象です。財政力指数が1未満(0.6)")


def test_the_rich_menu_checks_eligibility_tap_by_tap(page):
    page.get_by_role("button", name="メニュー").click()
    page.locator("#menu").get_by_role("button", name="対象チェック").click()
    for choice in ("計画策定", "市町村", "1未満"):
        tap(page, choice)
    expect(page.locator(".bubble").last).to_contain_text("対象です。財政力指数が1未満(お尋ねのとおり)")


def test_the_modal_of_slack_leads_to_the_same_verdict(page):
    go(page, "アプリのホーム")
    expect(page.locator("#home")).to_contain_text("「地域情報化アドバイザー」派遣事業")
    page.locator("#home").get_by_role("button", name="対象チェック").click()
    modal = page.get_by_role("dialog")
    for choice in ("計画策定支援", "市町村", "1以上"):
        expect(modal.locator("option", has_text=re.compile(f"^{choice}$"))).to_have_count(1)
        modal.get_by_role("combobox").select_option(label=choice)
        modal.get_by_role("button", name="次へ").click()
    expect(modal).to_contain_text("対象外です。")
    modal.get_by_role("button", name="閉じる").click()
    expect(modal).to_be_hidden()


def test_only_a_mention_is_answered_in_a_channel_and_in_its_thread(page):
    go(page, "# 支援事業")
    before = page.locator("#slack-log .badge").count()
    page.get_by_label("@支援事業の窓口 を付ける").uncheck()
    say(page, "Slackのメッセージ", "昼はどこに行きますか")
    page.get_by_label("@支援事業の窓口 を付ける").check()
    say(page, "Slackのメッセージ", ELIGIBLE)
    expect(page.locator(".replies").last).to_contain_text("対象です。")
    expect(page.locator("#slack-log .badge")).to_have_count(before + 1)


def test_a_command_is_answered_privately_and_can_be_shared(page):
    go(page, "# 支援事業")
    say(page, "Slackのメッセージ", "/madoguchi 推進体制構築支援の上限は?")
    private = page.locator(".private").last
    expect(private).to_contain_text("あなただけに表示されています")
    expect(private).to_contain_text("上限1億円")
    private.get_by_role("button", name="チャンネルに共有").click()
    expect(page.locator(".message:not(.private)").last).to_contain_text("上限1億円")
    private.get_by_role("button", name="出典を表示").click()
    expect(page.get_by_role("dialog")).to_contain_text("上限1億円")
    page.get_by_role("dialog").get_by_role("button", name="閉じる").click()


def test_the_assistant_greets_suggests_and_titles_its_thread(page):
    go(page, "アシスタント")
    page.locator("#prompts").get_by_role("button", name="推進体制構築支援の上限はいくらですか").click()
    expect(page.locator("#slack-log .message").last).to_contain_text("上限1億円")
    expect(page.get_by_role("heading", name="推進体制構築支援の上限はいくらですか")).to_be_visible()


def test_another_site_cannot_speak_for_the_person(address):
    sent = httpx.post(f"{address}line/say", content='{"text": "x"}', headers={"content-type": "text/plain"})
    assert sent.status_code == 415
