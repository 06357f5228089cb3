"""The pages of a briefing in a real browser: a host on a phone, the projector, and somebody who asks."""

import os
import re
import subprocess
import sys
import uuid

import httpx
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from tests.channels.burst import ROOT

PHONE = {"width": 390, "height": 844}
PROJECTOR = {"width": 1920, "height": 1080}
KNOWN = "推進体制構築支援の上限はいくらですか"
UNSTATED = [
    "計画策定支援の採択率は?",
    "推進体制構築支援の採択率は?",
    "アドバイザー派遣の会場使用料は誰が払いますか",
    "計画策定支援の締切は何時ですか",
    "推進体制構築支援の面接はオンラインですか",
    "アドバイザー派遣の申請の様式はどこにありますか",
    "計画策定支援の面接は行われますか",
    "推進体制構築支援の申請の締切は何日ですか",
]


@pytest.fixture(scope="module")
def service(data_dir, tmp_path_factory):
    """The address of a service, and its environment."""
    database = f"sqlite:///{tmp_path_factory.mktemp('briefing') / 'briefing.sqlite'}"
    environment = {
        **os.environ,
        "DATA_DIR": str(data_dir),
        "DATABASE_URL": database,
        "ID_HASH_KEY": "key",
        "PYTHONUNBUFFERED": "1",
    }
    command = [sys.executable, "-m", "bot", "serve", "--port", "0"]
    server = subprocess.Popen(command, cwd=data_dir, env=environment, stdout=subprocess.PIPE)
    yield re.match(r"\S+", server.stdout.readline().decode())[0].rstrip("/"), environment
    server.kill()
    server.communicate()


@pytest.fixture(scope="module")
def links(service):
    """The addresses of a session in which people have asked: who asks, hosts, and the projector."""
    address, environment = service
    command = [sys.executable, "-m", "bot", "briefing", "start", "公募説明会 11/28", "--url", address]
    told = subprocess.run(command, cwd=ROOT, env=environment, check=True, capture_output=True, text=True).stdout
    code, host = re.search(r"/b/(\w+)(/host#\w+)", told).groups()
    screen = re.search(r"/screen#\w+", told)[0]
    for text in [KNOWN, UNSTATED[0], *UNSTATED]:
        body, headers = {"id": str(uuid.uuid4()), "text": text}, {"X-Asker": str(uuid.uuid4())}
        httpx.post(f"{address}/api/briefings/{code}/questions", json=body, headers=headers).raise_for_status()
    page = f"{address}/b/{code}"
    return {"page": page, "host": f"{page}{host}", "screen": f"{page}{screen}"}


@pytest.fixture
def open_page(browser, links, tmp_path):
    """Opens a view in a browser of its own; anything in the browser's console fails the test."""
    contexts, complaints = [], []

    def opened(view, viewport, look="light", expected=()):
        context = browser.new_context(locale="ja-JP", viewport=viewport, color_scheme=look, reduced_motion="reduce")
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("console", lambda line: None if any(e in line.text for e in expected) else complaints.append(line.text))
        page.goto(links[view])
        return page

    yield opened
    for number, context in enumerate(contexts):
        context.pages[0].screenshot(path=tmp_path / f"page-{number}.png")
        context.close()
    assert complaints == []


@pytest.fixture
def host(open_page):
    """A host on a phone, to whom everything has come that is to come."""
    page = open_page("host", PHONE)
    expect(page.locator("#tabs button").first).to_have_text(f"未対応 {len(UNSTATED)}")
    return page


def release_all(host):
    """Has everything on the projector."""
    for item in host.locator("#matters > li").all():
        if not item.get_by_text("公開中").count():
            item.get_by_role("button", name="公開", exact=True).click()
            expect(item).to_contain_text("公開中")


def check(page):
    """Nothing that axe finds, and nothing wider than the screen."""
    violations = Axe().run(page).response["violations"]
    assert [(rule["id"], rule["impact"], rule["nodes"][0]["html"]) for rule in violations] == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


@pytest.mark.parametrize("look", ["light", "dark"])
def test_everything_that_a_host_sees_is_for_everyone(host, look):
    host.emulate_media(color_scheme=look)
    check(host)
    host.locator("summary").first.click()
    check(host)
    host.get_by_role("button", name="回答を書く").first.click()
    host.get_by_role("dialog").locator("textarea").fill("採択率は3割です。")
    host.get_by_role("dialog").get_by_role("button", name="送る").click()
    expect(host.get_by_role("dialog")).to_contain_text("見当たらない数字")
    check(host)
    host.get_by_role("button", name="閉じる").click()
    host.get_by_role("button", name="その他").first.click()
    check(host)
    host.get_by_role("button", name="閉じる").click()
    host.get_by_role("button", name="メニュー").click()
    check(host)
    host.get_by_role("button", name="FAQシートを見る・印刷する").click()
    expect(host.locator("#sheet td", has_text=KNOWN)).to_be_visible()
    check(host)


@pytest.mark.parametrize("look", ["light", "dark"])
def test_the_projector_shows_as_many_questions_as_fit_whole_and_counts_the_others(host, open_page, look):
    release_all(host)
    screen = open_page("screen", PROJECTOR, look)
    shown = screen.locator("#open > li:visible")
    expect(shown.first).to_contain_text(UNSTATED[0])  # two people asked it
    expect(screen.locator("#more")).to_have_text(f"ほか {len(UNSTATED) - shown.count()}件")
    left, row = screen.evaluate(
        "() => { const list = document.getElementById('open'), last = [...list.children].findLast((e) => !e.hidden);"
        " return [list.getBoundingClientRect().bottom - last.getBoundingClientRect().bottom, last.offsetHeight]; }"
    )
    assert 0 <= left < row
    check(screen)


def test_the_last_row_reads_the_projector(host, open_page):
    release_all(host)
    screen = open_page("screen", PROJECTOR)
    for text, part in (("#open p", 24), ("#code", 24), ("#more", 36)):  # of the height of the picture
        size = screen.locator(f"{text}:visible").first.evaluate("e => parseFloat(getComputedStyle(e).fontSize)")
        assert size >= PROJECTOR["height"] / part


def test_the_projector_survives_that_the_network_is_away(host, open_page):
    release_all(host)
    screen = open_page("screen", PROJECTOR, expected=["net::ERR_"])
    screen.route("**/screen/events", lambda route: route.abort())
    screen.reload()
    expect(screen.locator("#away")).to_be_visible()
    first = host.locator("#matters > li").first
    first.get_by_role("button", name="その他").click()
    host.get_by_role("dialog").get_by_role("button", name="言い換える").click()
    host.get_by_role("dialog").locator("textarea").fill("採択率はどのくらいか")
    host.get_by_role("dialog").locator("button[type=submit]").click()
    expect(first).to_contain_text("採択率はどのくらいか")
    screen.unroute("**/screen/events")
    expect(screen.locator("#open")).to_contain_text("採択率はどのくらいか")
    expect(screen.locator("#away")).to_be_hidden()


@pytest.mark.parametrize("look", ["light", "dark"])
def test_what_somebody_sees_who_asks_is_for_everyone(open_page, look):
    page = open_page("page", PHONE, look)
    for question, told in ((UNSTATED[0], "説明者に届きました"), (KNOWN, "上限1億円")):
        page.get_by_label("質問", exact=True).fill(question)
        page.get_by_label("質問", exact=True).press("Enter")
        expect(page.get_by_role("log")).to_contain_text(told)
        check(page)
