"""The chat page in a real browser, against the real server. Each test leaves a screenshot in its temporary folder."""

import json
import os
import re
import subprocess
import sys

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

PHONE = {"width": 390, "height": 844}
DESK = {"width": 1280, "height": 800}

ELIGIBLE = "財政力指数0.6の町は、計画策定支援の対象ですか"
INELIGIBLE = "財政力指数1.2の市は、計画策定支援の対象ですか"
UNSAID = "計画策定支援の採択率は?"
OFFTOPIC = "今日の天気は?"
OPEN = "うちの町は対象になる?"


@pytest.fixture(scope="module")
def address(data_dir, tmp_path_factory):
    database = f"sqlite:///{tmp_path_factory.mktemp('page') / 'page.sqlite'}"
    environment = {**os.environ, "DATA_DIR": str(data_dir), "DATABASE_URL": database, "PYTHONUNBUFFERED": "1"}
    server = subprocess.Popen(
        [sys.executable, "-m", "bot", "serve", "--port", "0"], cwd=data_dir, env=environment, stdout=subprocess.PIPE
    )
    yield re.match(r"\S+", server.stdout.readline().decode())[0]
    server.kill()
    server.communicate()


@pytest.fixture
def open_page(browser, address, tmp_path):
    """Opens the page in a browser of its own; anything in the browser's console fails the test."""
    contexts, complaints = [], []

    def opened(expected=(), **options):
        context = browser.new_context(locale="ja-JP", **{"viewport": PHONE, "reduced_motion": "reduce", **options})
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("console", lambda line: None if any(e in line.text for e in expected) else complaints.append(line.text))
        page.goto(address)
        return page

    yield opened
    for number, context in enumerate(contexts):
        context.pages[0].screenshot(path=tmp_path / f"page-{number}.png", full_page=True)
        context.close()
    assert complaints == []


def ask(page, question):
    field = page.get_by_label("質問", exact=True)
    field.fill(question)
    field.press("Enter")
    return answered(page)


def answered(page):
    """The newest answer, once it is there."""
    expect(page.get_by_role("log")).to_have_attribute("aria-busy", "false")
    return page.locator(".answer, .problem").last


# --- answers --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("question", "word", "look"),
    [
        (ELIGIBLE, "対象", "yes"),
        (INELIGIBLE, "対象外", "no"),
        ("アドバイザー派遣は、2025年6月10日に申し込めますか", "原則、募集期間内", "depends"),
        ("推進体制構築支援、過去に選定された県です。8000万円でいけますか", "上限を超えます", "no"),
        (OPEN, "確認が必要", "asks"),
        (UNSAID, "資料に記載なし", "silent"),
    ],
)
def test_the_verdict_is_a_word_and_a_sign_not_only_a_colour(open_page, question, word, look):
    badge = ask(open_page(), question).locator(".badge")
    expect(badge).to_have_text(word)
    expect(badge).to_have_class(f"badge {look}")
    expect(badge.locator("svg")).to_be_visible()


def test_a_ruling_shows_program_subject_value_reason_and_evidence(open_page):
    card = ask(open_page(), "推進体制構築支援、過去に選定された県です。8000万円でいけますか")
    expect(card.locator(".ruling-of")).to_have_text("推進体制構築支援・上限")
    expect(card.locator(".value")).to_have_text("上限5,000万円")
    expect(card.locator(".said")).to_contain_text("8,000万円は上限を超える")
    expect(card.locator(".evidence")).to_contain_text("「選定された都道府県については上限5,000万円」")


def test_the_eligibility_check_is_filled_in_by_taps_alone(open_page):
    page = open_page()
    page.get_by_role("button", name="計画策定支援の対象チェック").click()
    expect(answered(page)).to_contain_text("どのような団体ですか")
    answered(page).get_by_role("button", name="市町村", exact=True).click()
    expect(page.locator(".answer")).to_have_count(2)
    page.reload()  # the filled-in part lasts over a reload
    page.locator(".answer").last.get_by_role("button", name="1以上").click()
    expect(page.locator(".answer")).to_have_count(3)
    expect(answered(page).locator(".badge")).to_have_text("対象外")
    ask(page, "じゃあ0.5なら?")
    expect(answered(page).locator(".badge")).to_have_text("対象")


def test_sources_open_with_place_quote_and_link(open_page):
    card = ask(open_page(), ELIGIBLE)
    sources = card.locator("details")
    expect(sources.locator("li")).to_be_hidden()
    sources.locator("summary").focus()
    card.page.keyboard.press("Enter")
    expect(sources.locator("li")).to_contain_text("計画策定支援 対象")
    expect(sources.locator("q")).to_have_text("財政力指数1以上の地方公共団体")
    link = sources.get_by_role("link")
    expect(link).to_have_attribute("href", re.compile("^https://"))
    expect(card.locator(".said")).not_to_contain_text("出典")
    expect(link).to_have_attribute("rel", "noopener noreferrer")


def test_choices_are_buttons_that_go_on(open_page):
    page = open_page()
    choices = ask(page, OPEN).get_by_role("toolbar", name="選んでください").get_by_role("button")
    expect(choices).to_have_count(3)
    choices.filter(has_text="計画策定支援").click()
    asked = answered(page)
    expect(asked.locator(".said")).to_contain_text("財政力指数はいくつですか")
    expect(page.get_by_role("button", name="計画策定支援", exact=True)).to_have_count(0)  # the old ones are gone
    expect(asked).to_be_focused()  # and the keyboard goes on from the answer
    expect(page.get_by_label("質問", exact=True)).to_have_attribute("placeholder", "例: 0.45")
    expect(ask(page, "0.8").locator(".badge")).to_have_text("対象")


def test_to_something_else_examples_are_offered(open_page):
    page = open_page()
    ask(page, OFFTOPIC).get_by_role("button", name="アドバイザーは何日来てもらえますか").click()
    expect(answered(page).locator(".value")).to_have_text("上限3日")


def test_an_example_of_the_greeting_asks(open_page):
    page = open_page(viewport=DESK)
    expect(page.locator("#programs li")).to_have_count(3)
    page.get_by_role("button", name=ELIGIBLE).click()
    expect(answered(page).locator(".badge")).to_have_text("対象")
    expect(page.locator("#welcome")).to_be_hidden()


def test_what_is_typed_stays_text(open_page):
    page = open_page()
    ask(page, "<img src=x onerror=alert(1)><b>上限</b>は?")
    expect(page.locator(".question p")).to_have_text("<img src=x onerror=alert(1)><b>上限</b>は?")
    expect(page.locator(".log img, .log b")).to_have_count(0)


# --- typing ---------------------------------------------------------------------------------------------------


def test_shift_enter_makes_a_line_and_enter_sends(open_page):
    page = open_page()
    field = page.get_by_label("質問", exact=True)
    height = field.bounding_box()["height"]
    field.press_sequentially("1行目")
    field.press("Shift+Enter")
    field.press_sequentially("2行目")
    expect(field).to_have_value("1行目\n2行目")
    assert field.bounding_box()["height"] > height
    field.press("Enter")
    expect(field).to_have_value("")
    expect(page.locator(".question p")).to_have_text("1行目\n2行目")
    assert field.bounding_box()["height"] == height


def test_the_enter_that_ends_a_conversion_does_not_send(open_page):
    page = open_page()
    field = page.get_by_label("質問", exact=True)
    field.focus()
    keyboard = page.context.new_cdp_session(page)
    keyboard.send("Input.imeSetComposition", {"text": "たいしょう", "selectionStart": 5, "selectionEnd": 5})
    enter = {"key": "Process", "code": "Enter", "windowsVirtualKeyCode": 229}
    keyboard.send("Input.dispatchKeyEvent", {"type": "rawKeyDown", **enter})
    field.evaluate(
        "e => e.dispatchEvent(new KeyboardEvent('keydown', {key: 'Enter', isComposing: true, bubbles: true}))"
    )
    field.evaluate("e => e.dispatchEvent(new KeyboardEvent('keydown', {key: 'Enter', keyCode: 229, bubbles: true}))")
    keyboard.send("Input.insertText", {"text": "対象"})
    expect(field).to_have_value("対象")
    expect(page.locator(".question")).to_have_count(0)


def test_an_empty_message_is_not_sent(open_page):
    page = open_page()
    page.get_by_role("button", name="送る").click()
    page.get_by_label("質問", exact=True).press("Enter")
    expect(page.locator("#log > li")).to_have_count(0)


# --- when something goes wrong --------------------------------------------------------------------------------


def test_without_a_network_it_says_so_and_tries_again(open_page):
    page = open_page(expected=["net::ERR_INTERNET_DISCONNECTED"])
    page.context.set_offline(True)
    problem = ask(page, ELIGIBLE)
    expect(problem).to_contain_text("インターネットにつながっていません")
    page.context.set_offline(False)
    problem.get_by_role("button", name="もう一度試す").click()
    expect(answered(page).locator(".badge")).to_have_text("対象")
    expect(page.locator(".problem")).to_have_count(0)
    expect(page.locator(".question")).to_have_count(1)


def test_a_message_that_is_too_long_comes_back_to_be_shortened(open_page):
    page = open_page(expected=["422"])
    problem = ask(page, "あ" * 2001)
    expect(problem).to_contain_text("2,000文字まで")
    expect(problem.get_by_role("button")).to_have_count(0)
    expect(page.get_by_label("質問", exact=True)).to_have_value("あ" * 2001)


def test_while_it_waits_it_shows_so_and_takes_no_second_message(open_page):
    page = open_page()
    held = []
    page.route("**/api/ask/**", lambda route: held.append(route))
    field = page.get_by_label("質問", exact=True)
    field.fill(ELIGIBLE)
    field.press("Enter")
    expect(page.locator(".typing")).to_contain_text("読み取っています")
    expect(page.get_by_role("button", name="送る")).to_be_disabled()
    field.fill("次の質問")
    field.press("Enter")
    expect(field).to_have_value("次の質問")
    held[0].continue_()
    expect(answered(page).locator(".badge")).to_have_text("対象")
    assert len(held) == 1


def test_waiting_can_be_given_up_and_a_server_that_is_away_is_not_blamed_on_the_network(open_page):
    page = open_page(expected=["net::ERR_CONNECTION_REFUSED"])
    page.route("**/api/ask/**", lambda route: None)
    field = page.get_by_label("質問", exact=True)
    field.fill(ELIGIBLE)
    field.press("Enter")
    page.get_by_role("button", name="やめる").click()
    expect(answered(page)).to_contain_text("取りやめました")
    page.unroute("**/api/ask/**")
    page.route("**/api/ask/**", lambda route: route.abort("connectionrefused"))
    answered(page).get_by_role("button", name="もう一度試す").click()
    expect(answered(page)).to_contain_text("窓口のサーバーにつながりません")


# --- one's own record -----------------------------------------------------------------------------------------


def test_the_record_is_handed_out_and_deleted(open_page):
    page = open_page()
    ask(page, ELIGIBLE)
    page.get_by_role("button", name="私の記録").click()
    with page.expect_download() as handed_out:
        page.get_by_role("button", name="書き出す").click()
    kept = json.loads(handed_out.value.path().read_text(encoding="utf-8"))
    assert [entry["question"] for entry in kept["questions"]] == [ELIGIBLE]
    page.get_by_role("button", name="消す", exact=True).click()
    expect(page.get_by_role("dialog")).to_contain_text("消しました")
    page.get_by_role("button", name="閉じる").click()
    expect(page.locator("#log > li")).to_have_count(0)
    ask(page, ELIGIBLE)
    expect(ask(page, "私の情報を消して")).to_contain_text("あなたの記録を消しました")
    expect(page.locator(".question")).to_have_count(1)
    page.reload()
    expect(page.locator("#welcome")).to_be_visible()


# --- over time ------------------------------------------------------------------------------------------------


def test_a_reload_keeps_the_conversation_and_starting_over_ends_it(open_page):
    page = open_page()
    ask(page, "うちの町は計画策定支援の対象になりますか")
    page.reload()
    expect(page.locator(".answer")).to_have_count(1)
    expect(ask(page, "0.6です").locator(".badge")).to_have_text("対象")
    page.get_by_role("button", name="最初から").click()
    expect(page.locator("#log > li")).to_have_count(0)
    expect(page.locator("#welcome")).to_be_visible()
    page.reload()
    expect(page.locator("#welcome")).to_be_visible()


def test_each_answer_comes_into_view_with_its_question(open_page):
    page = open_page()
    for question in (ELIGIBLE, INELIGIBLE, UNSAID, OPEN, ELIGIBLE):
        ask(page, question)
        expect(page.locator(".question").last).to_be_in_viewport(ratio=1)
        expect(page.locator(".answer .said").last).to_be_in_viewport(ratio=1)
        expect(page.get_by_role("heading", name="支援事業の窓口")).to_be_in_viewport(ratio=1)
        expect(page.get_by_role("button", name="送る")).to_be_in_viewport(ratio=1)


def test_light_and_dark_follow_the_system_until_they_are_chosen(open_page):
    page = open_page(color_scheme="dark")
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    page.emulate_media(color_scheme="light")
    expect(page.locator("html")).to_have_attribute("data-theme", "light")
    page.get_by_role("button", name="画面を暗くする").click()
    page.reload()
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    expect(page.get_by_role("button", name="画面を明るくする")).to_be_visible()


# --- for everyone ---------------------------------------------------------------------------------------------

# The contrast of each piece of visible text to what is painted behind it (WCAG 2.2, 1.4.3).
LOW_CONTRAST = """() => {
  const rgb = (color) => color.match(/[\\d.]+/g).map(Number);
  const light = ([r, g, b]) => [r, g, b].map((c) => c / 255)
    .map((c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4))
    .reduce((sum, c, i) => sum + c * [0.2126, 0.7152, 0.0722][i], 0);
  const behind = (element) => {
    for (let e = element; e; e = e.parentElement) {
      const color = rgb(getComputedStyle(e).backgroundColor);
      if (color.length === 3 || color[3] === 1) return color;
    }
    return [255, 255, 255];
  };
  return [...document.querySelectorAll("body *")]
    .filter((e) => e.checkVisibility() && [...e.childNodes].some((n) => n.nodeType === 3 && n.data.trim()))
    .map((e) => {
      const [a, b] = [light(rgb(getComputedStyle(e).color)), light(behind(e))].sort((x, y) => y - x);
      return [e.className || e.tagName, Math.round(((a + 0.05) / (b + 0.05)) * 100) / 100];
    })
    .filter(([, contrast]) => contrast < 4.5);
}"""


@pytest.mark.parametrize("look", ["light", "dark"])
def test_text_stands_out_from_its_ground(open_page, look):
    page = open_page(color_scheme=look, viewport=DESK)
    assert page.evaluate(LOW_CONTRAST) == []
    for question in (ELIGIBLE, INELIGIBLE, "アドバイザー派遣は、2025年6月10日に申し込めますか", UNSAID, OPEN):
        ask(page, question).locator("summary").all()
    for summary in page.locator("summary").all():
        summary.click()
    assert page.evaluate(LOW_CONTRAST) == []


@pytest.mark.parametrize("look", ["light", "dark"])
def test_axe_finds_nothing(open_page, look):
    page = open_page(color_scheme=look)
    for question in ("", ELIGIBLE, UNSAID, OPEN, "What is the cap of the promotion structure support?"):
        if question:
            ask(page, question)
        violations = Axe().run(page).response["violations"]
        assert [(rule["id"], rule["impact"], rule["nodes"][0]["html"]) for rule in violations] == []


@pytest.mark.parametrize("width", [320, 390, 1280])
def test_nothing_is_wider_than_the_screen(open_page, width):
    page = open_page(viewport={"width": width, "height": 700})
    for question in (OPEN, INELIGIBLE, "w" * 300):
        ask(page, question)
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_with_400_percent_the_answer_has_the_screen_to_itself(open_page):
    page = open_page(viewport={"width": 320, "height": 256})
    ask(page, ELIGIBLE).locator(".badge").scroll_into_view_if_needed()
    expect(page.get_by_role("heading", name="支援事業の窓口")).not_to_be_in_viewport()
    expect(page.get_by_role("button", name="送る")).not_to_be_in_viewport()
    expect(page.locator(".answer .badge")).to_be_in_viewport(ratio=1)


def test_choices_are_one_stop_of_the_tab_key_and_the_arrows_go_through_them(open_page):
    page = open_page()
    page.get_by_role("button", name="計画策定支援の対象チェック").click()
    choices = answered(page).get_by_role("toolbar", name="選んでください").get_by_role("button")
    expect(choices).to_have_count(13)
    page.get_by_label("質問", exact=True).focus()
    page.keyboard.press("Shift+Tab")
    expect(choices.first).to_be_focused()
    page.keyboard.press("ArrowRight")
    expect(choices.nth(1)).to_be_focused()
    page.keyboard.press("End")
    expect(choices.last).to_be_focused()


def test_what_is_tapped_is_large_enough(open_page):
    page = open_page()
    ask(page, OPEN)
    for button in page.get_by_role("button").all():
        box = button.bounding_box()
        assert min(box["width"], box["height"]) >= 42, button.text_content()


def test_everything_has_a_name_and_answers_are_announced(open_page):
    page = open_page()
    ask(page, OPEN)
    expect(page.get_by_role("log")).to_have_attribute("aria-live", "polite")
    expect(page.get_by_role("log").get_by_role("list").first.get_by_role("listitem").first).to_be_visible()
    assert page.locator("html").get_attribute("lang") == "ja"
    tree = page.locator("body").aria_snapshot()
    assert not re.search(r"- (button|link|textbox|img)(:| \[|$)", tree, re.MULTILINE), tree


def test_english_lines_are_marked_as_english_and_others_are_not(open_page):
    card = ask(open_page(), "What is the cap of the promotion structure support?")
    expect(card.locator(".said p[lang=en]").first).to_contain_text("100,000,000 yen")
    expect(card.locator(".said p[lang=en]", has_text="上限はいくらですか")).to_have_count(0)


def test_the_keyboard_alone_is_enough(open_page):
    page = open_page(viewport=DESK)
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="質問の入力へ進む")).to_be_in_viewport()
    page.keyboard.press("Enter")
    field = page.get_by_label("質問", exact=True)
    expect(field).to_be_focused()
    assert field.evaluate("e => getComputedStyle(e).outlineStyle") == "solid"
    page.keyboard.press("Shift+Tab")  # back to the last button
    page.keyboard.press("Enter")
    answered(page)
    expect(page.locator(".question p")).to_have_text("推進体制構築支援の対象チェック")


def test_nothing_moves_for_those_who_asked_for_that(open_page):
    page = open_page(reduced_motion="reduce")
    page.route("**/api/ask/**", lambda route: None)
    page.get_by_label("質問", exact=True).fill(ELIGIBLE)
    page.get_by_label("質問", exact=True).press("Enter")
    expect(page.locator(".typing")).to_be_visible()
    assert page.evaluate("document.getAnimations().length") == 0
    assert page.evaluate("getComputedStyle(document.documentElement).scrollBehavior") == "auto"
