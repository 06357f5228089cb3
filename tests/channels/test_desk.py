"""A question goes to people and the answer comes back: asked in LINE, in Slack and on the page, answered in Slack.

Everything goes the whole way: signed requests in, and what the stand-ins of both platforms received.
"""

import asyncio
import json
import re
import secrets
import sqlite3
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import httpx
import pytest

import bot.channels.line  # noqa: F401 (takes seconds, which no test is to wait for)
from bot.answerer import Answerer
from bot.app import build_app
from bot.briefing.views import for_hosts, look
from bot.settings import Settings
from bot.simulator import line as line_platform
from bot.simulator import slack as slack_platform
from bot.simulator.line import LineFault
from bot.simulator.slack import DESK, SlackFault
from knowledge.types import Evidence, Subject
from knowledge.watching import Change
from tests.adversarial.models import serving
from tests.channels.conftest import Running, opened_answerer
from tests.channels.test_line import taps
from tests.channels.test_slack import elements

UNSTATED = "計画策定支援の採択率は?"
THURSDAY = datetime(2026, 11, 26, 10, tzinfo=ZoneInfo("Asia/Tokyo"))


class Office(Running):
    """The service with both platforms and a desk, a clock that is set by hand, and what people do with it."""

    line: line_platform.LinePlatform
    slack: slack_platform.SlackPlatform
    now: datetime
    desk: object

    async def say(self, text, user="U1", room=""):
        mention = (0, 3) if room else None
        said = f"@窓口 {text}" if room else text
        response = await self.line.deliver(self.client, self.line.text(said, user, room, mention=mention))
        assert response.status_code == 200
        await self.idle()
        return self.line.texts(room or user)

    async def tap(self, label, user="U1", room=""):
        target = room or user
        data = next(taps(m)[label] for to, m in reversed(self.line.received) if to == target and label in taps(m))
        await self.line.deliver(self.client, self.line.tap(data, user, room))
        await self.idle()
        return self.line.texts(target)

    async def ask(self, user="U1", text=UNSTATED):
        """Somebody asks in LINE and has the question sent to people."""
        await self.say(text, user)
        await self.tap("職員に聞く", user)
        return (await self.tap("職員に送る", user))[-1]

    @property
    def cards(self):
        return [message for message in self.slack.answers(DESK) if message["text"].startswith("受付")]

    @property
    def notes(self):
        return [message["text"] for message in self.slack.answers(DESK) if message.get("thread_ts")]

    async def press(self, label, user="U1", card=-1):
        message = self.cards[card]
        await self.slack.deliver(self.client, self.slack.tap(elements(message)[label], message, DESK, user=user))
        await self.idle()

    async def open_modal(self, label, user="U1", card=-1):
        self.slack.modal = None
        await self.press(label, user, card)
        async with asyncio.timeout(10):
            while not self.slack.modal:
                await asyncio.sleep(0.01)
        return self.slack.modal

    async def submit(self, view, user="U1", **written):
        values = {field: {"text": {"type": "plain_text_input", "value": text}} for field, text in written.items()}
        (response,) = await self.slack.deliver(self.client, self.slack.submit(view, values, user=user))
        assert response.status_code == 200
        return response.json() if response.content else {}

    async def write(self, text, label="回答する", user="U1", name=None, card=-1):
        """An official writes, sees the preview, and sends; returns the preview and what came of sending it."""
        view = await self.open_modal(label, user, card)
        pushed = await self.submit(view, user, text=text, name=name)
        assert pushed["response_action"] == "push"
        slack_platform.check_view(pushed["view"], "modal")
        sent = await self.submit(pushed["view"], user)
        await self.idle()
        return pushed["view"], sent


class Hall:
    """A briefing session of the office's, with who asks on its page and a host."""

    def __init__(self, office, service, briefing):
        self.office, self.sessions, self.briefing = office, service.briefings, briefing
        self.api = f"/api/briefings/{briefing.code}"
        self.host = {"Authorization": f"Bearer {self.sessions.secret(briefing, 'host')}"}

    async def ask(self, text, asker="asker-0000000001"):
        body = {"id": secrets.token_hex(8), "text": text}
        await self.office.client.post(f"{self.api}/questions", json=body, headers={"X-Asker": asker})
        await self.office.idle()

    async def seen(self):
        return await look(self.sessions, await self.sessions.find(self.briefing.code))

    async def matter(self):
        """The first matter, as a host sees it."""
        return for_hosts(await self.seen())["matters"][0]

    async def act(self, name, **also):
        matter = await self.matter()
        wish = {"name": name, "seen": [[matter["number"], matter["version"]]], **also}
        response = await self.office.client.post(f"{self.api}/host/acts", json=wish, headers=self.host)
        assert response.status_code == 200, response.text
        await self.office.idle()

    async def leave_for_later(self):
        matter = await self.matter()
        await self.act("later", questions=[question["id"] for question in matter["questions"]])

    async def undo(self):
        change = for_hosts(await self.seen())["undo"]["change"]
        await self.office.client.post(f"{self.api}/host/undo", json={"change": change}, headers=self.host)
        await self.office.idle()

    async def replies(self):
        return [question.reply for asked in (await self.seen()).questions.values() for question in asked]


@asynccontextmanager
async def office(line, slack, data_dir, folder, **settings):
    database = folder / "test.sqlite"
    kept = {
        "database_url": f"sqlite:///{database}",
        "id_hash_key": "key",
        "reply_key": "key",
        "metrics_token": "token",
        "line_channel_secret": line_platform.SECRET,
        "line_channel_access_token": line_platform.TOKEN,
        "line_api_url": line.url,
        "slack_bot_token": slack_platform.TOKEN,
        "slack_signing_secret": slack_platform.SECRET,
        "slack_api_url": f"{slack.url}/api/",
        "slack_desk_channel": DESK,
        "line_push_reserve": 0,
    }
    running: Office
    settings = Settings(data_dir=data_dir, **{**kept, **settings})
    answerer = Answerer(settings) if settings.llm else opened_answerer(data_dir)
    await answerer.open()
    app = build_app(settings, lambda: running.now, answerer)
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://service") as client:
        running = Office(client, app.state.service.inbox, database)
        running.line, running.slack, running.now, running.desk = line, slack, THURSDAY, app.state.service.desk
        async with app.router.lifespan_context(app):
            running.service = app.state.service
            yield running


@pytest.fixture
async def desk(line, slack, data_dir, tmp_path):
    async with office(line, slack, data_dir, tmp_path) as running:
        yield running
        assert slack.refusals == []


def shown(message):
    return json.dumps(message, ensure_ascii=False)


# --- handing over --------------------------------------------------------------------------------------------------


async def test_what_is_not_stated_goes_to_people_and_the_answer_comes_back(desk):
    await desk.say(UNSTATED)
    (proposal,) = (await desk.tap("職員に聞く"))[1:]
    assert UNSTATED in proposal
    assert "送ってよろしいですか" in proposal
    assert desk.cards == []  # nothing is sent before it is agreed to
    receipt = (await desk.tap("職員に送る"))[-1]
    assert "受付番号1で、職員に送りました。平日9時30分〜12時、13時〜18時15分に" in receipt
    (card,) = desk.cards
    assert "受付1 未対応" in shown(card)
    assert UNSTATED in shown(card)
    assert "資料に記載が見当たりません" in shown(card)
    assert "LINEから" in shown(card)

    preview, sent = await desk.write("採択率は公表していません。", name="山田")
    assert "このまま質問者に届きます" in shown(preview)
    assert "採択率は公表していません。" in shown(preview)
    assert sent == {"response_action": "clear"}
    answer = desk.line.received[-1][1]
    assert "採択率は公表していません。" in shown(answer)
    assert "地域通信振興課 デジタル経済推進室 山田" in shown(answer)
    assert desk.line.pushed == 1
    assert "回答済み" in shown(desk.cards[0])
    assert "届きました" in shown(desk.cards[0])

    assert "終了しました" in (await desk.tap("受付1は解決した"))[-1]
    assert "解決した" in shown(desk.cards[0])


async def test_nothing_is_sent_to_who_declines(desk):
    await desk.say(UNSTATED)
    await desk.tap("職員に聞く")
    assert "送りませんでした" in (await desk.tap("やめる"))[-1]
    assert desk.cards == []


@pytest.mark.parametrize("yes", ["はい", "お願いします。", "送ってください"])
async def test_agreeing_may_be_typed(desk, yes):
    await desk.say(UNSTATED)
    await desk.say("職員に聞きたい")
    assert "受付番号1" in (await desk.say(yes))[-1]


async def test_a_reply_that_agrees_to_nothing_is_no_agreement(desk):
    await desk.say(UNSTATED)
    await desk.say("職員に聞く")
    await desk.say("推進体制構築支援の上限は?")
    await desk.say("はい")
    assert desk.cards == []


async def test_who_asks_for_a_person_first_is_asked_what_about(desk):
    assert "職員に聞きたいことを" in (await desk.say("職員に聞く"))[-1]
    proposal = (await desk.say("推進体制構築支援の様式はどこにありますか"))[-1]
    assert "送ってよろしいですか" in proposal
    await desk.tap("職員に送る")
    assert "推進体制構築支援の様式はどこにありますか" in shown(desk.cards[0])


async def test_the_wish_and_the_question_may_come_in_one_message(desk):
    text = "計画策定支援の締切を職員に聞きたいです"
    assert text in (await desk.say(text))[-1]
    await desk.tap("職員に送る")
    assert text in shown(desk.cards[0])


async def test_an_answer_that_does_not_help_leads_to_people(desk):
    await desk.say("推進体制構築支援の上限はいくらですか")
    await desk.tap("役に立たない")
    await desk.tap("職員に聞く")
    await desk.tap("職員に送る")
    assert "「役に立たない」とされました" in shown(desk.cards[0])


async def test_one_question_is_one_case_however_often_it_is_sent(desk):
    await desk.ask()
    await desk.tap("職員に送る")
    await desk.say("職員に聞く")
    assert "受付番号1" in (await desk.say("はい"))[-1]
    assert len(desk.cards) == 1


async def test_out_of_hours_the_next_opening_is_told(desk):
    desk.now = THURSDAY + timedelta(days=2)  # a Saturday
    assert "ただいま受付時間外です。次は11月30日(月)9時30分からです。" in await desk.ask()


async def test_in_a_group_it_is_said_that_all_will_see_it_and_all_do(desk):
    await desk.say(UNSTATED, room="G1")
    assert "全員に表示されます" in (await desk.say("職員に聞く", room="G1"))[-1]
    await desk.say("はい", room="G1")
    await desk.write("公表していません。")
    assert "公表していません。" in desk.line.texts("G1")[-1]


async def test_without_a_desk_nothing_is_said_to_be_sent(line, slack, data_dir, tmp_path):
    async with office(line, slack, data_dir, tmp_path, slack_desk_channel="") as running:
        await running.say("推進体制構築支援の上限はいくらですか")
        card = line.received[-1][1]
        assert "問い合わせ先" in shown(card)
        assert "職員に聞く" not in shown(card)
        for text in ("職員に聞く", "問い合わせ先", UNSTATED):
            said = (await running.say(text))[-1]
            assert "地域通信振興課" in said
            assert "送" not in said


# --- officials -----------------------------------------------------------------------------------------------------


async def test_of_two_who_tap_at_once_one_has_it_and_the_other_sees_who(desk):
    await desk.ask()
    (card,) = desk.cards
    tap = elements(card)["担当する"]
    await desk.slack.deliver(desk.client, *(desk.slack.tap(tap, card, DESK, user=user) for user in ("U1", "U2")))
    await desk.idle()
    (whisper,) = desk.slack.whispers
    winner = "U1" if whisper["user"] == "U2" else "U2"
    assert f"<@{winner}>さんが対応中です" in whisper["text"]
    assert f"<@{winner}>" in shown(desk.cards[0])
    notice = await desk.open_modal("回答する", user=whisper["user"])
    assert "さんが対応中です" in shown(notice)
    await desk.press("担当を代わる", user=whisper["user"])
    assert f"<@{whisper['user']}>" in shown(desk.cards[0])


async def test_only_members_of_the_channel_may_act(desk):
    await desk.ask()
    await desk.press("担当する", user="U9")
    assert "メンバーだけができます" in desk.slack.whispers[-1]["text"]
    assert "メンバーだけができます" in shown(await desk.open_modal("回答する", user="U9"))
    view = await desk.open_modal("回答する", user="U1")
    pushed = await desk.submit(view, "U1", text="x", name=None)
    desk.slack.people[DESK].remove("U1")  # has left meanwhile
    assert "メンバーだけができます" in shown(await desk.submit(pushed["view"], "U1"))
    await desk.idle()
    assert "受付1 対応中" in shown(desk.cards[0])


async def test_two_previews_lead_to_one_answer(desk):
    await desk.ask()
    view = await desk.open_modal("回答する")
    previews = [(await desk.submit(view, text=text, name=None))["view"] for text in ("一つ目", "二つ目")]
    assert await desk.submit(previews[0]) == {"response_action": "clear"}
    assert "すでに回答しているか" in shown(await desk.submit(previews[1]))
    assert await desk.submit(previews[0]) == {"response_action": "clear"}  # the same tap, once more
    await desk.idle()
    assert [text for text in desk.line.texts() if "つ目" in text] == [desk.line.texts()[-1]]


async def test_a_question_may_be_sent_back_with_the_reason(desk):
    await desk.ask()
    await desk.write("事業の名前を添えて、もう一度お送りください。", label="差し戻す")
    assert "職員からの連絡" in shown(desk.line.received[-1])
    assert "事業の名前を添えて" in shown(desk.line.received[-1])
    await desk.tap("受付1は解決していない")
    assert "受付1 未対応" in shown(desk.cards[0])


async def test_the_modal_has_a_draft_from_the_sources_and_marks_figures_that_no_source_states(desk):
    await desk.ask(text="計画策定支援の報告書の様式はどこですか")
    view = await desk.open_modal("回答する")
    assert "initial_value" not in shown(view)
    async with asyncio.timeout(10):
        while "この文を使う" not in shown(desk.slack.modal):
            await asyncio.sleep(0.01)
    use = next(block["elements"][0] for block in desk.slack.modal["blocks"] if block["type"] == "actions")
    for _ in range(2):
        await desk.slack.deliver(desk.client, desk.slack.tap_modal(use))
        async with asyncio.timeout(10):
            while "initial_value" not in shown(desk.slack.modal):
                await asyncio.sleep(0.01)
    (field,) = [b for b in desk.slack.modal["blocks"] if b.get("block_id", "").startswith("text")]
    assert field["element"]["initial_value"] == use["value"]
    assert "(資料「" in use["value"]
    pushed = await desk.submit(view, text="上限は9,999万円で、締切は12月24日です。期間は3か月程度です。", name=None)
    (warning,) = [block for block in pushed["view"]["blocks"] if block["type"] == "context"]
    assert "9,999万円" in shown(warning)
    assert "12月24日" in shown(warning)
    assert "3か月" not in shown(warning)


async def test_a_chat_model_words_a_draft_for_officials_alone_with_marks(line, slack, data_dir, tmp_path):
    worded = "採択率は公表していません。上限は9,999万円です。"

    def reply(name, prompt):
        return json.dumps({"text": worded} if "## 決まったこと" in prompt else {})

    with serving(reply) as url:
        model = {"llm": "openai:played", "llm_base_url": url, "llm_seconds": 60, "llm_read_seconds": 0.1}
        async with office(line, slack, data_dir, tmp_path, **model) as desk:
            await desk.ask()
            await desk.open_modal("回答する")
            async with asyncio.timeout(30):
                while "この下書きを使う" not in shown(slack.modal):
                    await asyncio.sleep(0.01)
            assert ":warning:9,999万円" in shown(slack.modal)
            use = next(b["elements"][0] for b in slack.modal["blocks"] if b["type"] == "actions")
            before = len(slack.views)
            await slack.deliver(desk.client, slack.tap_modal(use))
            async with asyncio.timeout(30):
                while len(slack.views) == before:
                    await asyncio.sleep(0.01)
            field = next(b for b in slack.modal["blocks"] if b.get("block_id", "").startswith("text"))
            assert field["element"]["initial_value"] == worded
            pushed = await desk.submit(slack.modal, **{field["block_id"]: worded, "name": "山田"})
            assert "9,999万円。確かめてから" in shown(pushed["view"])
            assert await desk.submit(pushed["view"]) == {"response_action": "clear"}
            await desk.idle()
            assert [worded in text for text in line.texts()].count(True) == 1


async def test_what_officials_write_in_the_thread_goes_out_by_their_sending_it_alone(desk):
    await desk.ask()
    texts = ("ひとまず確認します。", "採択率は公表していません。")
    for text in texts:
        said = desk.slack.remark(text, DESK, thread_ts=desk.cards[0]["ts"], user="U2")
        await desk.slack.deliver(desk.client, said)
    elsewhere = desk.slack.remark(texts[1], DESK, user="U2")
    await desk.idle()
    assert not [text for text in desk.line.texts() if texts[1] in text]

    async def preview(text, user, thread=True):
        wanted = (m for m in desk.slack.channels[DESK] if m["text"] == text and bool(m.get("thread_ts")) is thread)
        desk.slack.modal = None
        await desk.slack.deliver(desk.client, desk.slack.send_to_asker(next(wanted), user))
        async with asyncio.timeout(10):
            while not desk.slack.modal:
                await asyncio.sleep(0.01)
        return desk.slack.modal

    assert elsewhere
    assert "スレッドに書いた文だけ" in shown(await preview(texts[1], "U2", thread=False))
    assert "メンバーだけ" in shown(await preview(texts[1], "U9"))
    view = await preview(texts[1], "U2")
    assert "このまま質問者に届きます" in shown(view)
    assert await desk.submit(view, "U2") == {"response_action": "clear"}
    await desk.idle()
    assert "回答済み" in shown(desk.cards[0])
    assert texts[1] in desk.line.texts()[-1]
    assert not [text for text in desk.line.texts() if texts[0] in text]


async def test_the_home_tab_and_the_command_list_what_waits(desk):
    await desk.ask()
    await desk.ask("U5", "推進体制構築支援の様式はどこですか")
    await desk.press("担当する", card=0)
    await desk.slack.deliver(desk.client, desk.slack.event("app_home_opened", user="U1", tab="home"))
    await desk.idle()
    home = desk.slack.homes["U1"]
    assert "● 未対応・対応中(2)" in shown(home)
    assert "自分の担当(1)" in shown(home)
    assert "期限切れ(0)" in shown(home)
    mine = elements(home)["自分の担当(1)"]
    await desk.slack.deliver(desk.client, desk.slack.tap_home(mine))
    await desk.idle()
    assert "*受付2*" not in shown(desk.slack.homes["U1"])
    assert "*受付1*" in shown(desk.slack.homes["U1"])
    await desk.slack.deliver(desk.client, desk.slack.command("未対応"), desk.slack.command("未対応", user="U9"))
    await desk.idle()
    listed, refused = sorted(desk.slack.responses, key=lambda sent: "メンバーだけ" in sent["text"])
    assert "未対応・対応中の受付は2件です" in shown(listed)
    assert "メンバーだけができます" in shown(refused)
    take = elements(listed)["担当する"]
    await desk.slack.deliver(desk.client, desk.slack.tap(take, listed, ephemeral=True))
    await desk.idle()
    listed, _ = sorted(desk.slack.responses, key=lambda sent: "メンバーだけ" in sent["text"])
    assert "担当する" not in elements(listed)  # the same list, as it stands now
    answer = elements(listed)["回答する"]
    desk.slack.modal = None
    await desk.slack.deliver(desk.client, desk.slack.tap(answer, listed, ephemeral=True))
    async with asyncio.timeout(10):
        while not desk.slack.modal:
            await asyncio.sleep(0.01)
    pushed = await desk.submit(desk.slack.modal, text="公表していません。", name=None)
    await desk.submit(pushed["view"])
    await desk.idle()
    listed, _ = sorted(desk.slack.responses, key=lambda sent: "メンバーだけ" in sent["text"])
    assert "未対応・対応中の受付は1件です" in shown(listed)
    await desk.slack.deliver(desk.client, desk.slack.event("app_home_opened", user="U9", tab="home"))
    await desk.idle()
    assert "職員の窓口" not in shown(desk.slack.homes["U9"])


async def test_the_home_tab_shows_what_was_done_in_it(desk):
    for text in (UNSTATED, "推進体制構築支援の様式はどこですか"):
        await desk.ask(text=text)
    await desk.slack.deliver(desk.client, desk.slack.event("app_home_opened", user="U1", tab="home"))
    await desk.idle()
    for label, then in (("担当する", "自分の担当(1)"), ("自分の担当(1)", "● 自分の担当(1)")):
        await desk.slack.deliver(desk.client, desk.slack.tap_home(elements(desk.slack.homes["U1"])[label]))
        await desk.idle()
        assert then in shown(desk.slack.homes["U1"])
    desk.slack.modal = None
    await desk.slack.deliver(desk.client, desk.slack.tap_home(elements(desk.slack.homes["U1"])["回答する"]))
    async with asyncio.timeout(10):
        while not desk.slack.modal:
            await asyncio.sleep(0.01)
    pushed = await desk.submit(desk.slack.modal, text="公表していません。", name=None)
    await desk.submit(pushed["view"])
    await desk.idle()
    assert "● 自分の担当(0)" in shown(desk.slack.homes["U1"])
    assert "未対応・対応中(1)" in shown(desk.slack.homes["U1"])


async def test_officials_are_shown_what_is_asked_of_their_programs_alone(desk):
    own = replace(desk.desk.programs["suishin"], desk_channel="C8")
    desk.desk.programs = {**desk.desk.programs, "suishin": own}
    desk.slack.members.add("C8")
    desk.slack.people["C8"] = ["U3"]
    await desk.ask()
    await desk.ask("U5", "推進体制構築支援の様式はどこですか")
    for user, shows, hides in (("U1", UNSTATED, "様式はどこ"), ("U3", "様式はどこ", UNSTATED)):
        await desk.slack.deliver(desk.client, desk.slack.event("app_home_opened", user=user, tab="home"))
        await desk.slack.deliver(desk.client, desk.slack.command("未対応", user=user))
        await desk.idle()
        for told in (desk.slack.homes[user], desk.slack.responses[-1]):
            assert shows in shown(told)
            assert hides not in shown(told)
    desk.now = THURSDAY + timedelta(days=1)
    await desk.desk.look_after()
    await desk.idle()
    *_, digest = [message for message in desk.slack.answers("C8") if "おはようございます" in message["text"]]
    assert "未対応・対応中は1件" in digest["text"]
    assert UNSTATED not in shown(digest)


async def test_the_home_tab_is_paged(desk):
    for number in range(15):
        await desk.desk.open_case(f"質問{number}です", key=f"k{number}", sender="briefing:K7Q2")
    await desk.slack.deliver(desk.client, desk.slack.event("app_home_opened", user="U1", tab="home"))
    await desk.idle()
    home = desk.slack.homes["U1"]
    assert "1 / 2 ページ" in shown(home)
    await desk.slack.deliver(desk.client, desk.slack.tap_home(elements(home)["次へ"]))
    await desk.idle()
    assert "2 / 2 ページ" in shown(desk.slack.homes["U1"])
    assert "質問14です" in shown(desk.slack.homes["U1"])
    assert "説明会から" in shown(desk.slack.homes["U1"])


async def test_a_forgotten_case_is_reminded_of_in_its_thread(desk):
    await desk.ask()
    desk.now = THURSDAY + timedelta(hours=5)
    await desk.desk.look_after()
    await desk.desk.look_after()
    await desk.idle()
    assert desk.notes == ["どなたか、質問者が回答を待っています。"]
    await desk.press("担当する", user="U2")
    desk.now = THURSDAY + timedelta(days=1)
    await desk.desk.look_after()
    await desk.idle()
    assert "<!channel> <@U2>" in desk.notes[-1]


# --- the asker -----------------------------------------------------------------------------------------------------


async def test_how_it_stands_is_told_to_its_asker_alone(desk):
    await desk.ask()
    assert "担当を決めているところです" in (await desk.say("1は?"))[-1]
    await desk.press("担当する")
    assert "担当の職員が確認しています" in (await desk.say("受付1"))[-1]
    await desk.write("公表していません。")
    assert "公表していません。" in (await desk.say("受付番号1の回答は?"))[-1]
    assert "公表していません。" not in (await desk.say("受付1", user="U5"))[-1]


async def test_a_number_that_was_asked_for_is_no_question_about_a_case(desk):
    await desk.ask()
    await desk.say("計画策定支援の対象になりますか。町です")
    assert "担当を決めている" not in (await desk.say("1"))[-1]


async def test_withdrawn(desk):
    await desk.ask()
    assert "受付番号1を取り下げました" in (await desk.tap("受付1を取り下げる"))[-1]
    assert "取り下げました" in shown(desk.cards[0])
    assert "担当する" not in elements(desk.cards[0])
    assert "取り下げられています" in (await desk.say("受付1は?"))[-1]


async def test_unsent_blocked_and_left(desk):
    for n, user in enumerate(("U1", "U2", "U3")):
        await desk.ask(user)
        assert "受付1" in shown(desk.cards[0])
        assert len(desk.cards) == n + 1
    first = desk.line.text(UNSTATED, "U4")
    await desk.line.deliver(desk.client, first)
    await desk.idle()
    await desk.tap("職員に聞く", "U4")
    await desk.tap("職員に送る", "U4")
    unsend = desk.line.event("unsend", "U4", unsend={"messageId": first["message"]["id"]})
    await desk.line.deliver(desk.client, unsend, desk.line.event("unfollow", "U1"))
    await desk.idle()
    for card in (desk.cards[0], desk.cards[3]):
        assert UNSTATED not in shown(card)
        assert "内容を消しました" in shown(card)
    assert UNSTATED in shown(desk.cards[1])


# --- the way back --------------------------------------------------------------------------------------------------


async def test_with_the_quota_spent_the_answer_comes_with_the_next_message(desk):
    desk.line.quota = 0
    await desk.ask()
    before = len(desk.line.received)
    await desk.write("公表していません。")
    assert len(desk.line.received) == before
    assert await desk.inbox.parked() == ()
    assert "次に質問者が話しかけたときに届けます" in desk.notes[-1]
    await desk.say("推進体制構築支援の上限は?")
    reply, answer = (message for _, message in desk.line.received[before:])
    assert "公表していません。" in shown(reply)
    assert "1億円" in shown(answer)
    assert {"受付1は解決した", "受付1は解決していない"} <= taps(answer).keys()
    await desk.say("推進体制構築支援の期間は?")
    assert [text for text in desk.line.texts() if "公表していません" in text] == [reply["altText"]]
    assert "届きました" in shown(desk.cards[0])


@pytest.mark.parametrize(
    ("quota", "brings"), [(None, ""), (0, "受付1は?"), (0, "回答を受け取る"), (0, "推進体制の上限は?")]
)
async def test_an_answer_a_day_later_comes_once_when_no_reply_token_is_left(desk, quota, brings):
    desk.line.quota = quota
    await desk.ask()
    desk.now += timedelta(days=1)
    desk.line.tokens = {token: (to, made - 24 * 3600, used) for token, (to, made, used) in desk.line.tokens.items()}
    await desk.write("公表していません。")
    answered = ["公表していません。" in shown(message) for _, message in desk.line.received]
    assert answered.count(True) == desk.line.pushed == (0 if brings else 1)
    if brings:
        assert "次に質問者が話しかけたときに届けます" in desk.notes[-1]
        await desk.say(brings)
        await desk.say("推進体制構築支援の期間は?")
    brought = [message for _, message in desk.line.received if "職員からの回答" in shown(message)]
    assert sum("公表していません。" in shown(message) for message in brought if message["type"] == "flex") == 1
    assert desk.line.pushed == (0 if brings else 1)
    assert "(届きました)" in shown(desk.cards[0])
    assert await desk.inbox.parked() == ()


async def test_a_tap_of_the_menu_tells_how_all_questions_stand_and_brings_what_waits(desk):
    assert "職員に送ったご質問はありません" in (await desk.say("回答を受け取る"))[-1]
    desk.line.quota = 0
    await desk.ask()
    await desk.ask(text="推進体制構築支援の様式はどこですか")
    await desk.write("公表していません。", card=0)
    before = len(desk.line.received)
    await desk.say("回答を受け取る")
    brought, told = (message for _, message in desk.line.received[before:])
    assert "公表していません。" in shown(brought)
    assert f"受付番号1「{UNSTATED}」: 回答済み" in told["text"]
    assert "受付番号2「推進体制構築支援の様式はどこですか」: 担当を決めています" in told["text"]
    assert "madoguchi_push_quota_left 0.0" in await desk.metrics()


async def test_what_is_proposed_is_words_and_no_card(desk):
    await desk.say(UNSTATED)
    await desk.say("職員に聞く")
    (_, message) = desk.line.received[-1]
    assert message["type"] == "text"
    assert list(taps(message)) == ["職員に送る", "やめる"]


async def test_a_reserve_of_the_quota_is_kept_back(line, slack, data_dir, tmp_path):
    line.quota = 10
    async with office(line, slack, data_dir, tmp_path, line_push_reserve=9) as running:
        await running.ask()
        await running.write("一つ目の回答です。")
        assert line.pushed == 1
        await running.ask("U5", "推進体制構築支援の様式はどこですか")
        await running.write("二つ目の回答です。")
        assert line.pushed == 1
        await running.slack.deliver(running.client, slack.event("app_home_opened", user="U1", tab="home"))
        await running.idle()
        assert "今月送れる残り: 9通" in shown(slack.homes["U1"])
        assert "二つ目の回答です。" in (await running.say("受付2は?", "U5"))[-2]


async def test_what_line_accepts_and_then_fails_on_is_sent_once(desk):
    await desk.ask()
    desk.line.faults = [LineFault(500, accepted=True)]
    await desk.write("公表していません。")
    assert [text for text in desk.line.texts() if "公表していません" in text] == [desk.line.texts()[-1]]
    assert desk.line.refusals[-1]["status"] == 409
    assert "届きました" in shown(desk.cards[0])


async def test_slack_is_down_while_line_is_up(desk):
    desk.slack.faults = [SlackFault("chat.postMessage", status=503) for _ in range(2)]
    assert "受付番号1" in await desk.ask()
    assert len(desk.cards) == 1


def given_up(desk, kind):
    """A platform did not take an event for as long as it is tried."""
    with sqlite3.connect(desk.database) as connection:
        about = "state = 'ready' AND event_id LIKE ? AND attempts > 0"
        parked = connection.execute(f"UPDATE inbox SET state = 'parked', due_at = 0 WHERE {about}", [f"{kind}:%"])
        return parked.rowcount


async def until_given_up(desk, kind):
    async with asyncio.timeout(60):
        while not await asyncio.to_thread(given_up, desk, kind):
            await asyncio.sleep(0.01)


async def test_a_card_that_slack_did_not_take_for_hours_is_posted_all_the_same(desk):
    await desk.desk.look_after()  # the digest of the morning
    await desk.idle()
    desk.slack.faults = [SlackFault("chat.postMessage", status=503)]
    asking = asyncio.create_task(desk.ask())
    await until_given_up(desk, "case")
    await asking
    assert desk.cards == []
    await desk.desk.look_after()
    await desk.idle()
    assert len(desk.cards) == 1


async def test_an_answer_that_line_did_not_take_for_hours_arrives_all_the_same(desk):
    await desk.ask()
    desk.line.faults = [LineFault(500)]
    writing = asyncio.create_task(desk.write("公表していません。"))
    await until_given_up(desk, "case")
    await writing
    await desk.desk.look_after()
    await desk.idle()
    assert ["公表していません。" in text for text in desk.line.texts()].count(True) == 1
    assert "届きました" in shown(desk.cards[0])


async def test_an_answer_is_not_lost_with_a_message_that_it_went_along_with(desk):
    desk.line.quota = 0
    await desk.ask()
    await desk.write("公表していません。")
    desk.line.faults = [LineFault(500)]
    said = asyncio.create_task(desk.say("推進体制構築支援の上限は?"))
    await until_given_up(desk, "line")
    await said
    await desk.desk.look_after()
    await desk.say("推進体制構築支援の期間は?")
    await desk.inbox.replay()
    await desk.idle()
    said = desk.line.texts()
    assert ["公表していません。" in text for text in said].count(True) == 1
    assert any("1億円" in text for text in said)
    assert "届きました" in shown(desk.cards[0])


async def test_asked_and_answered_in_slack(desk):
    mention = desk.slack.mention(UNSTATED, user="U9")
    await desk.slack.deliver(desk.client, mention)
    await desk.idle()
    for label in ("職員に聞く", "職員に送る"):
        message = desk.slack.answers()[-1]
        await desk.slack.deliver(desk.client, desk.slack.tap(elements(message)[label], message, user="U9"))
        await desk.idle()
    assert "受付番号1" in desk.slack.answers()[-1]["text"]
    desk.slack.faults = [SlackFault("chat.postMessage", status=500, accepted=True)]
    await desk.write("公表していません。")
    answers = [message for message in desk.slack.answers() if "公表していません" in message["text"]]
    assert [message["thread_ts"] for message in answers] == [mention["event"]["ts"]]
    message = answers[0]
    tap = elements(message)["受付1は解決していない"]
    await desk.slack.deliver(desk.client, desk.slack.tap(tap, message, user="U9"))
    await desk.idle()
    assert "受付1 未対応" in shown(desk.cards[0])


async def test_asked_on_the_page(desk):
    async def ask(text):
        answer = (await desk.client.post("/api/ask", json={"text": text, "conversation_id": "c1"})).json()
        await desk.idle()
        return answer

    first = await ask(UNSTATED)
    rated = await desk.client.post("/api/rate", json={"turn": first["turn"], "helpful": False})
    assert rated.json() == {"suggestions": ["職員に聞く"]}
    await ask("職員に聞く")
    receipt = await ask("職員に送る")
    assert re.fullmatch("[0-9a-f]{32}", receipt["case"])
    told = (await desk.client.get(f"/api/cases/{receipt['case']}")).json()
    assert (told["number"], told["state"], told["replies"]) == (1, "open", [])
    await desk.write("公表していません。")
    assert "まだ届いていません" in shown(desk.cards[0])
    told = (await desk.client.get(f"/api/cases/{receipt['case']}")).json()
    await desk.idle()
    assert [reply["text"] for reply in told["replies"]] == ["公表していません。"]
    assert "届きました" in shown(desk.cards[0])
    assert "終了しました" in (await ask("受付1は解決した"))["text"]
    assert (await desk.client.get("/api/cases/unknown")).status_code == 404


# --- what a briefing leaves open -----------------------------------------------------------------------------------


@pytest.fixture
async def hall(desk):
    hall = Hall(desk, desk.service, await desk.service.briefings.start("公募説明会"))
    await hall.ask(UNSTATED)
    return hall


async def test_what_a_host_leaves_for_later_is_answered_by_officials_to_who_had_asked_it(desk, hall):
    await hall.leave_for_later()
    (card,) = desk.cards
    assert UNSTATED in shown(card)
    assert "説明会から" in shown(card)
    assert "資料に記載が見当たりません" in shown(card)
    await hall.ask("計画策定支援の採択率はどのくらいですか", "asker-0000000002")  # joins the matter after it was left
    await desk.write("採択率は公表していません。", name="山田")
    first, second = await hall.replies()
    assert first.startswith("採択率は公表していません。")
    assert first.endswith("山田")
    assert second == ""
    assert (await hall.matter())["state"] == "desk"
    assert "届きました" in shown(desk.cards[0])
    await hall.ask("推進体制構築支援の上限は?")
    assert len(desk.cards) == 1


async def test_what_a_host_takes_back_is_withdrawn_and_may_be_left_again(desk, hall):
    await hall.leave_for_later()
    await hall.undo()
    assert "取り下げました" in shown(desk.cards[0])
    await hall.leave_for_later()
    await hall.act("answer", text="非公表です。", questions=[(await hall.matter())["questions"][0]["id"]])
    assert [("取り下げました" in shown(card)) for card in desk.cards] == [True, True]
    assert await hall.replies() == ["非公表です。"]


async def test_a_rehearsal_leaves_nothing_to_officials(desk):
    hall = Hall(desk, desk.service, await desk.service.briefings.start("練習", test=True))
    await hall.ask(UNSTATED)
    await hall.leave_for_later()
    assert desk.cards == []
    assert (await desk.client.post(f"{hall.api}/host/candidates", headers=hall.host)).status_code == 404


async def test_answers_of_hosts_become_candidates_once(desk, hall):
    await hall.act("answer", text="公表していません。", questions=[])
    for _ in range(2):
        sent = await desk.client.post(f"{hall.api}/host/candidates", headers=hall.host)
        assert sent.json() == {"candidates": 1}
        await desk.idle()
    (candidate,) = [message for message in desk.slack.answers(DESK) if message["text"].startswith("FAQ候補")]
    assert "公募説明会の説明者が候補にしました" in shown(candidate)
    await press_in_thread(desk, "承認する", "U2")
    await desk.say("計画策定支援の採択率はどのくらいですか", "U6")
    assert "説明会での回答 2026-11-26" in (await desk.tap("職員回答1を見る", "U6"))[-1]


# --- what becomes of answers, and of what nobody answered ----------------------------------------------------------


async def press_in_thread(desk, label, user):
    message = next(m for m in reversed(desk.slack.answers(DESK)) if label in elements({"blocks": [], **m}))
    await desk.slack.deliver(desk.client, desk.slack.tap(elements(message)[label], message, DESK, user=user))
    await desk.idle()


async def test_an_answer_is_offered_to_others_once_a_second_official_has_approved_it(desk):
    await desk.ask()
    await desk.write("採択率は公表していません。", name="山田")
    await desk.press("FAQ候補にする", user="U1")
    assert "FAQ候補" in shown(desk.slack.answers(DESK)[-1])
    await desk.press("FAQ候補にする", user="U2")
    assert "すでにFAQ候補" in desk.slack.whispers[-1]["text"]
    await press_in_thread(desk, "承認する", "U1")
    assert "別のメンバー" in desk.slack.whispers[-1]["text"]
    assert "職員が回答しています" not in (await desk.say("計画策定支援の採択率はどのくらいですか", "U5"))[-1]
    await press_in_thread(desk, "承認する", "U2")
    assert "<@U2> が承認しました" in shown(desk.slack.answers(DESK)[-1])

    offer = (await desk.say("計画策定支援の採択率はどのくらいですか", "U6"))[-1]
    assert "資料に記載がありません" in offer
    assert f"ご質問: 「{UNSTATED}」" in offer
    assert "公表していません" not in offer  # it is offered, not said
    answer = (await desk.tap("職員回答1を見る", "U6"))[-1]
    assert "採択率は公表していません。" in answer
    assert "職員回答 2026-11-26(受付1)" in answer
    assert "職員が回答しています" not in (await desk.say("推進体制構築支援の上限はいくらですか", "U6"))[-1]
    desk.now = datetime(2027, 4, 1, 10, tzinfo=THURSDAY.tzinfo)  # another fiscal year
    assert "職員が回答しています" not in (await desk.say("計画策定支援の採択率はどのくらいですか", "U7"))[-1]


def with_another_duration(programs):
    """The programs, of which one now lasts longer, and says so."""
    program = programs["keikaku"]
    (*earlier, year) = program.years
    values = {
        day: tuple(
            replace(row, value=row.value + 3, says="支援は半年です。", evidence=(Evidence("期間", "6か月程度"),))
            for row in rows or ()
        )
        for day, rows in year.parameters[Subject.DURATION].values.items()
    }
    changed = replace(year.parameters[Subject.DURATION], values=values, overview="")
    parameters = {**year.parameters, Subject.DURATION: changed}
    return {**programs, "keikaku": replace(program, years=(*earlier, replace(year, parameters=parameters)))}


async def test_what_changes_under_answers_is_put_right_once_by_an_official(desk):
    duration, other = "計画策定支援の期間は?", "推進体制構築支援の上限はいくらですか"
    for user, text in (("U1", duration), ("U2", duration), ("U5", other)):
        await desk.say(text, user)
    await desk.line.deliver(desk.client, desk.line.event("unfollow", "U2"))
    mention = desk.slack.mention(duration, user="U9")
    await desk.slack.deliver(desk.client, mention)
    page = (await desk.client.post("/api/ask", json={"text": duration, "conversation_id": "c1"})).json()
    await desk.idle()
    desk.now += timedelta(hours=1)
    await desk.desk.look_after()
    await desk.idle()
    assert desk.cards == []

    desk.desk.programs = with_another_duration(desk.desk.programs)
    desk.now += timedelta(days=1)
    for _ in range(2):
        await desk.desk.look_after()
        await desk.idle()
    (card,) = desk.cards
    assert "3件の回答が、前の内容に基づいています" in shown(card)
    assert "今の内容: 支援は半年です。" in shown(card)
    desk.line.quota = 0
    view = await desk.open_modal("訂正を書く")
    (field,) = [block for block in view["blocks"] if block.get("block_id") == "text"]
    assert "支援は半年です。" in field["element"]["initial_value"]
    assert f"・{duration}" in shown(view)
    preview, sent = await desk.write("期間は半年に変わりました。", label="訂正を書く")
    assert "3件の質問の質問者に届きます" in shown(preview)
    assert sent == {"response_action": "clear"}
    assert "すでに回答しているか" in shown(
        await desk.submit(
            {
                **preview,
                "private_metadata": preview["private_metadata"].replace(
                    json.loads(preview["private_metadata"])["key"], "another"
                ),
            }
        )
    )

    (in_slack,) = [message for message in desk.slack.answers() if "半年" in message["text"]]
    assert in_slack["thread_ts"] == mention["event"]["ts"]
    asked = {"turns": [page["turn"], "0" * 32]}
    (told,) = (await desk.client.post("/api/corrections", json=asked)).json()["corrections"]
    assert (told["turn"], told["text"], told["question"]) == (page["turn"], "期間は半年に変わりました。", duration)
    assert not [text for text in desk.line.texts() if "半年" in text]  # the quota is spent
    await desk.say(other, "U1")
    await desk.say(other, "U2")
    await desk.say(other, "U1")
    for user, times in (("U1", 1), ("U2", 0), ("U5", 0)):
        right = [text for text in desk.line.texts(user) if text.startswith("以前のお答えを訂正します。")]
        assert [text.split("\n")[1] for text in right] == [f"ご質問: 「{duration}」"] * times
    assert "3件のうち3件に届きました" in shown(desk.cards[0])


async def test_answers_may_be_left_as_they_are(desk):
    await desk.say("計画策定支援の期間は?")
    desk.desk.programs = with_another_duration(desk.desk.programs)
    desk.now += timedelta(days=1)
    await desk.desk.look_after()
    await desk.idle()
    await desk.press("送らない", user="U9")
    assert "メンバーだけ" in desk.slack.whispers[-1]["text"]
    await desk.press("送らない")
    assert "訂正は送らないことにしました" in shown(desk.cards[0])


async def test_each_morning_the_channel_is_told_what_waits_and_what_was_not_answered(desk):
    await desk.ask()
    for n, text in enumerate(("計画策定支援の採択率を教えて", "計画策定支援の採択率はどのくらいですか")):
        await desk.say(text, f"U{n + 5}")
    await desk.say("推進体制構築支援の上限はいくらですか", "U8")
    await desk.tap("役に立たない", "U8")
    desk.now = THURSDAY + timedelta(days=1, minutes=-31)
    await desk.desk.look_after()
    desk.now = THURSDAY + timedelta(days=1)
    await desk.desk.look_after()
    await desk.desk.look_after()
    await desk.idle()
    _, digest = [message for message in desk.slack.answers(DESK) if "おはようございます" in message["text"]]
    assert "未対応・対応中は1件" in digest["text"]
    assert f"{UNSTATED}(計画策定、3件)" in shown(digest)
    assert "推進体制構築支援の上限はいくらですか(推進体制、1件、役に立たない 1件)" in shown(digest)


async def test_the_channel_is_told_once_of_figures_that_a_page_changed(desk):
    page = desk.desk.programs["suishin"].document.url
    changes = [
        Change(
            "page", page, "1億円", "120百万円", "上限1億円です。", "上限は120百万円です。", "事業規模", "2026-11-26"
        ),
        Change("page", page, "", "年3回", "", "公募は年3回です。<!channel>", "", "2026-11-26"),
    ]
    await desk.desk.tell_of_changes(changes)
    await desk.desk.tell_of_changes(changes)
    await desk.idle()
    (told,) = [message for message in desk.slack.answers(DESK) if "見守っている" in message["text"]]
    assert "数値が2か所変わりました" in told["text"]
    assert "*1億円 → 120百万円*(事業規模)" in shown(told)
    assert "「上限は120百万円です。」" in shown(told)
    assert "python -m ingest draft" in shown(told)
    assert "<!channel>" not in shown(told)


async def test_the_record_says_who_did_what(desk):
    await desk.ask()
    await desk.press("担当する", user="U2")
    await desk.write("公表していません。", user="U2")
    entries = [(entry.number, entry.actor, entry.what) for entry in await desk.desk.cases.record()]
    assert entries == [
        (1, "asker", "opened"),
        (1, "U2", "taken"),
        (1, "U2", "answered"),
        (1, "desk", "arrived"),
    ]
