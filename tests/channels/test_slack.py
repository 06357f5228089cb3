"""Slack through the real SDK: signed requests in, and what a stand-in received that refuses what Slack refuses."""

import asyncio
import json
import logging
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.channels.slack_blocks import answer_message, escape, read_text
from bot.logs import log_to_stderr
from bot.simulator.slack import BOT, SECRET, TOKEN, SlackFault, check_message, headers
from bot.types import Answer, AnswerStatus, Citation
from knowledge.catalog import load_catalog
from knowledge.types import Choice
from tests.adversarial.models import serving
from tests.channels.conftest import running

ELIGIBLE = "財政力指数0.6の町は、計画策定支援の対象ですか"
PREFECTURE = "推進体制構築支援、県です。対象になりますか"


async def ask(slack, service, *payloads):
    for response in await slack.deliver(service.client, *payloads):
        assert response.status_code == 200
    await service.idle()
    assert slack.refusals == []


def elements(message):
    """What can be tapped in a message, by its words."""
    found = {}
    for block in message["blocks"]:
        for element in block.get("elements", ()):
            if element["type"] == "button":
                place = {"block_id": block["block_id"]} if "block_id" in block else {}
                found[element["text"]["text"]] = {"type": "button", **place, **element}
            elif element["type"] == "static_select":
                for option in element["options"]:
                    chosen = {"type": "static_select", "action_id": element["action_id"], "selected_option": option}
                    found[option["text"]["text"]] = chosen
            elif element["type"] == "feedback_buttons":
                for name in ("positive_button", "negative_button"):
                    button = element[name]
                    tap = {"type": "feedback_buttons", "action_id": element["action_id"], "value": button["value"]}
                    found[button["text"]["text"]] = tap
    return found


# --- what comes in -------------------------------------------------------------------------------------------------


async def test_a_mention_is_answered_in_its_thread_by_a_card(slack, slack_service):
    mention = slack.mention(ELIGIBLE)
    await ask(slack, slack_service, mention)
    (answer,) = slack.answers()
    assert answer["thread_ts"] == mention["event"]["ts"]
    assert (answer["unfurl_links"], answer["unfurl_media"]) == (False, False)
    assert "計画策定支援・対象になるか\n:white_check_mark: *対象*" in json.dumps(
        answer["blocks"], ensure_ascii=False
    ).replace("\\n", "\n")
    assert {"出典を表示", "職員メモ", "役に立った", "役に立たない"} <= elements(answer).keys()
    assert slack.calls["auth.test"] == 0


async def test_a_thread_goes_on(slack, slack_service):
    first = slack.mention(PREFECTURE)
    await ask(slack, slack_service, first)
    (question,) = slack.answers()
    await ask(slack, slack_service, slack.tap(elements(question)["初めて"], question))
    answer = slack.answers()[-1]
    assert answer["thread_ts"] == first["event"]["ts"]
    assert "対象です" in answer["text"]


async def test_a_typed_reply_to_what_we_asked_needs_no_mention(slack, slack_service):
    first = slack.mention(PREFECTURE)["event"]
    await ask(slack, slack_service, slack.remark("これ、どう思いますか", thread_ts=first["ts"]))
    assert slack.answers() == []
    await ask(slack, slack_service, slack.event("app_mention", **first))
    await ask(slack, slack_service, slack.remark(f"<@{BOT}> 初めて", thread_ts=first["ts"]))  # comes as a mention too
    assert len(slack.answers()) == 1
    await ask(slack, slack_service, slack.remark("初めて", thread_ts=first["ts"]))
    assert "対象です" in slack.answers()[-1]["text"]
    await ask(slack, slack_service, slack.remark("ありがとう、助かりました", thread_ts=first["ts"]))
    assert len(slack.answers()) == 2


async def test_one_person_cannot_ask_without_end_in_however_many_threads(slack, slack_service):
    await ask(
        slack, slack_service, *(slack.mention("今日の天気は") for _ in range(45))
    )  # a new minute may begin meanwhile
    await ask(slack, slack_service, slack.mention("今日の天気は", user="U2"))
    refused = [answer for answer in slack.answers() if "お休みしています" in answer["text"]]
    assert 5 <= len(refused) <= 25
    assert "お休みしています" not in slack.answers()[-1]["text"]


async def test_files_are_told_not_to_be_read(slack, slack_service):
    file = {"subtype": "file_share", "files": [{"id": "F1", "name": "様式.pdf"}]}
    await ask(slack, slack_service, slack.direct(ELIGIBLE, **file), slack.direct("", **file))
    answer, refusal = slack.answers("D1")
    assert "添付ファイルは読み取れません" in answer["text"]
    assert "対象です" in answer["text"]
    assert "添付ファイルは読み取れません" in refusal["text"]


@pytest.mark.parametrize(
    ("action_id", "value"),
    [
        ("rate", {}),
        ("rate", {"value": 1}),
        ("share", {"value": '["上限は'}),
        ("share", {"value": "1"}),
        ("share", {}),
        ("say_0", {}),
    ],
)
async def test_a_malformed_tap_is_refused(slack, slack_service, action_id, value, caplog):
    tap = slack.tap({"type": "button", "action_id": action_id, **value}, {"ts": "1.1"})
    (response,) = await slack.deliver(slack_service.client, tap)
    assert response.status_code in (200, 400)
    await slack_service.idle()
    assert "Traceback" not in caplog.text


@pytest.mark.parametrize("state", [{"program": "none"}, {"program": "keikaku", "asks": "bogus"}, {"program": ""}])
async def test_a_step_of_the_check_from_an_earlier_version_says_so(slack, slack_service, state, caplog):
    view = {"type": "modal", "callback_id": "check", "private_metadata": json.dumps(state)}
    values = {"step": {"choice": {"type": "static_select", "selected_option": {"value": "bogus"}}}}
    (response,) = await slack.deliver(slack_service.client, slack.submit(view, values))
    assert "使えなくなりました" in json.dumps(response.json(), ensure_ascii=False)
    assert "Traceback" not in caplog.text


async def test_no_library_logs_what_people_wrote(slack, slack_service, caplog):
    request = slack.signed(slack.mention("秘密の質問"), timestamp=int(time.time()) - 301)
    log_to_stderr("INFO", "text")
    with caplog.at_level(logging.INFO, logger="bot"):
        assert (await slack_service.client.post("/slack/events", **request)).status_code == 401
    assert "秘密" not in caplog.text


async def test_a_direct_message_is_answered_in_place(slack, slack_service):
    await ask(slack, slack_service, slack.direct(ELIGIBLE))
    (answer,) = slack.answers("D1")
    assert "thread_ts" not in answer


async def test_the_assistant_pane_greets_suggests_and_takes_its_title_from_the_question(slack, slack_service):
    thread = {"user_id": "U1", "channel_id": "D1", "thread_ts": "1.1", "context": {}}
    await ask(slack, slack_service, slack.event("assistant_thread_started", assistant_thread=thread))
    assert len(slack.prompts["1.1"]) == 3
    await ask(slack, slack_service, slack.direct(ELIGIBLE, thread_ts="1.1"))
    greeting, answer = slack.answers("D1")
    assert "総務省の支援事業" in greeting["text"]
    assert answer["thread_ts"] == "1.1"
    assert slack.titles["1.1"] == ELIGIBLE


async def test_a_command_is_answered_privately_and_can_be_shared(slack, slack_service):
    await ask(slack, slack_service, slack.command(ELIGIBLE))
    (private,) = slack.responses
    assert private.get("response_type", "ephemeral") == "ephemeral"
    assert slack.calls["chat.postMessage"] == 0
    share = elements(private)["チャンネルに共有"]
    await ask(slack, slack_service, slack.tap(share, private, channel="C9", ephemeral=True))
    shared = slack.responses[-1]
    assert shared["response_type"] == "in_channel"
    assert ELIGIBLE in json.dumps(shared, ensure_ascii=False)
    assert "対象です" in shared["text"]


async def test_a_choice_in_a_private_answer_is_answered_privately(slack, slack_service):
    await ask(slack, slack_service, slack.command(PREFECTURE))
    choice = elements(slack.responses[0])["初めて"]
    await ask(slack, slack_service, slack.tap(choice, slack.responses[0], channel="C9", ephemeral=True))
    assert "対象です" in slack.responses[-1]["text"]
    assert slack.calls["chat.postMessage"] == 0


async def test_a_command_without_a_question_says_how_it_is_used(slack, slack_service):
    await ask(slack, slack_service, slack.command(""))
    assert "/madoguchi" in slack.responses[0]["text"]


async def test_the_shortcut_answers_a_message_in_its_thread(slack, slack_service):
    shortcut = slack.shortcut(ELIGIBLE)
    await ask(slack, slack_service, shortcut)
    assert slack.answers()[0]["thread_ts"] == shortcut["message"]["ts"]


async def test_the_shortcut_says_so_where_the_app_is_not_a_member(slack, slack_service):
    await slack.deliver(slack_service.client, slack.shortcut(ELIGIBLE, channel="C7"))
    await slack_service.idle()
    assert "招待" in slack.responses[0]["text"]
    assert await slack_service.inbox.parked() == ()


async def test_the_home_tab_shows_each_program_with_its_call(slack, slack_service):
    await ask(slack, slack_service, slack.event("app_home_opened", user="U1", tab="home", channel="D1"))
    home = json.dumps(slack.homes["U1"], ensure_ascii=False)
    for program in load_catalog().programs.values():
        assert program.name in home
    question = elements(slack.homes["U1"])["推進体制構築支援の上限はいくらですか"]
    await ask(slack, slack_service, slack.tap_home(question))
    assert "1億円" in slack.answers("D1")[0]["text"]


async def test_an_edited_question_gets_its_answer_replaced_and_a_deleted_one_removed(slack, slack_service):
    mention = slack.mention("推進体制構築支援の上限はいくらですか")
    await ask(slack, slack_service, mention)
    said = {"user": "U1", "ts": mention["event"]["ts"]}
    changed = slack.event(
        "message",
        subtype="message_changed",
        channel="C1",
        channel_type="channel",
        message=said | {"text": f"<@{BOT}> {ELIGIBLE}"},
        previous_message=said | {"text": mention["event"]["text"]},
    )
    await ask(slack, slack_service, changed)
    (answer,) = slack.answers()
    assert "対象です" in answer["text"]
    assert len(await slack_service.turns()) == 1
    deleted = slack.event(
        "message",
        subtype="message_deleted",
        channel="C1",
        channel_type="channel",
        deleted_ts=said["ts"],
        previous_message=said,
    )
    await ask(slack, slack_service, deleted)
    assert slack.answers() == []
    assert len(await slack_service.turns()) == 0


async def test_a_deleted_question_that_has_replies_is_deleted_with_its_answer(slack, slack_service):
    mention = slack.mention(ELIGIBLE)
    await ask(slack, slack_service, mention)
    deletion = slack.delete(mention)
    assert deletion["event"]["message"]["subtype"] == "tombstone"
    await ask(slack, slack_service, deletion)
    assert slack.answers() == []
    assert len(await slack_service.turns()) == 0


@pytest.mark.parametrize(
    "make",
    [
        lambda slack: slack.event("message", subtype="message_changed", channel="C1", message={"text": "y"}),
        lambda slack: slack.direct("x", bot_id="B1"),
        lambda slack: slack.mention("x", bot_id="B2"),
        lambda slack: slack.direct("x", subtype="bot_message"),
        lambda slack: slack.direct("x", subtype="channel_join"),
        lambda slack: slack.event("message", channel="C1", channel_type="channel", ts="1.1", user="U1", text="x"),
        lambda slack: slack.event(
            "message", subtype="message_changed", channel="C1", message={"ts": "9.9", "text": "y"}
        ),
        lambda slack: slack.event("message", subtype="message_deleted", channel="C1", deleted_ts="9.9"),
        lambda slack: slack.event("reaction_added", user="U1", reaction="+1", item={}),
        lambda slack: slack.event("app_home_opened", user="U1", tab="messages"),
        lambda slack: slack.event("something_new"),
    ],
)
async def test_what_is_no_question_is_acknowledged_and_left(slack, slack_service, make):
    await ask(slack, slack_service, make(slack))
    assert not slack.calls
    assert await slack_service.inbox.parked() == ()


async def test_the_same_event_is_answered_once(slack, slack_service):
    mention = slack.mention(ELIGIBLE)
    await ask(slack, slack_service, mention, mention)
    await ask(slack, slack_service, mention)
    assert len(slack.answers()) == 1


async def test_the_address_is_verified(slack, slack_service):
    body = json.dumps({"type": "url_verification", "challenge": "c", "token": "x"}).encode()
    response = await slack_service.client.post("/slack/events", content=body, headers=headers(body))
    assert (response.status_code, "c" in response.text) == (200, True)


@pytest.mark.parametrize(
    "change",
    [
        {"x-slack-signature": "v0=0"},
        {"x-slack-signature": ""},
        {"x-slack-signature": "日".encode()},
        {"x-slack-request-timestamp": "0"},
        {"x-slack-request-timestamp": "abc"},
        {"x-slack-request-timestamp": str(int(time.time()) - 3600)},
    ],
)
async def test_what_does_not_come_from_slack_is_refused(slack, slack_service, change):
    request = slack.signed(slack.mention(ELIGIBLE))
    request["headers"] |= change
    assert (await slack_service.client.post("/slack/events", **request)).status_code == 401
    assert await slack_service.inbox.waiting() == 0


async def test_a_replay_after_five_minutes_is_refused(slack, slack_service):
    request = slack.signed(slack.mention(ELIGIBLE), timestamp=int(time.time()) - 301)
    assert (await slack_service.client.post("/slack/events", **request)).status_code == 401


async def test_a_body_of_a_megabyte_is_refused(slack, slack_service):
    request = slack.signed(slack.mention("あ" * 350_000))
    assert (await slack_service.client.post("/slack/events", **request)).status_code == 413


@pytest.mark.parametrize("body", [b"{", b"\xff\xfe", b"[]", b'{"a": ' + b"[" * 50_000 + b"]" * 50_000 + b"}"])
async def test_a_body_that_cannot_be_read_is_refused(slack, slack_service, body):
    response = await slack_service.client.post("/slack/events", content=body, headers=headers(body))
    assert response.status_code in (400, 401)


# --- taps and modals -----------------------------------------------------------------------------------------------


async def test_whether_an_answer_helped_is_kept_with_it(slack, slack_service):
    await ask(slack, slack_service, slack.mention(ELIGIBLE))
    (answer,) = slack.answers()
    await ask(slack, slack_service, slack.tap(elements(answer)["役に立った"], answer))
    (rated,) = await slack_service.turns()
    assert (rated.question, rated.helpful) == (ELIGIBLE, 1)
    assert "ありがとうございます" in slack.whispers[0]["text"]


async def view_opened(slack):
    async with asyncio.timeout(5):
        while not slack.views:
            await asyncio.sleep(0.01)
    return slack.views.pop()


async def test_the_sources_of_an_answer_are_shown_with_their_places(slack, slack_service):
    await ask(slack, slack_service, slack.mention(ELIGIBLE))
    (answer,) = slack.answers()
    await slack.deliver(slack_service.client, slack.tap(elements(answer)["出典を表示"], answer))
    view = json.dumps(await view_opened(slack), ensure_ascii=False)
    assert "計画策定支援 対象" in view
    assert "財政力指数1以上の地方公共団体" in view


async def test_staff_note_on_an_answer(slack, slack_service):
    await ask(slack, slack_service, slack.mention(ELIGIBLE))
    (answer,) = slack.answers()
    await slack.deliver(slack_service.client, slack.tap(elements(answer)["職員メモ"], answer))
    view = await view_opened(slack)
    (response,) = await slack.deliver(
        slack_service.client, slack.submit(view, {"note": {"text": {"type": "x", "value": "要確認"}}})
    )
    assert response.status_code == 200
    assert [turn.note for turn in await slack_service.turns()] == ["要確認"]


async def test_the_eligibility_check_is_a_modal_that_goes_from_question_to_ruling(slack, slack_service):
    await ask(slack, slack_service, slack.event("app_home_opened", user="U1", tab="home", channel="D1"))
    await slack.deliver(slack_service.client, slack.tap_home(elements(slack.homes["U1"])["対象チェック"]))
    view = await view_opened(slack)
    for label in ("推進体制構築支援", "都道府県", "選定されたことがある", "前回より少ない"):
        options = view["blocks"][0]["element"]["options"]
        chosen = next(option for option in options if option["text"]["text"] == label)
        values = {"step": {"choice": {"type": "static_select", "selected_option": chosen}}}
        (response,) = await slack.deliver(slack_service.client, slack.submit(view, values))
        assert response.json()["response_action"] == "update"
        view = response.json()["view"]
    assert "要件を満たしません" in json.dumps(view, ensure_ascii=False)


# --- sending -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "fault",
    [
        SlackFault("chat.postMessage", 429, headers={"Retry-After": "1"}),
        SlackFault("chat.postMessage", 503),
        SlackFault("chat.postMessage", error="internal_error"),
    ],
)
async def test_a_platform_that_is_busy_gets_the_answer_later(slack, slack_service, fault):
    slack.faults = [fault]
    await ask(slack, slack_service, slack.mention(ELIGIBLE))
    assert len(slack.answers()) == 1


async def test_an_answer_that_got_through_although_the_platform_failed_is_not_posted_again(slack, slack_service):
    slack.faults = [SlackFault("chat.postMessage", 500, accepted=True)]
    await ask(slack, slack_service, slack.mention(ELIGIBLE))
    assert len(slack.answers()) == 1
    assert slack.calls["conversations.replies"] == 1
    slack.faults = [SlackFault("chat.postMessage", 500, accepted=True)]
    await ask(slack, slack_service, slack.direct(ELIGIBLE))
    assert len(slack.answers("D1")) == 1


@pytest.mark.slow
async def test_forty_mentions_in_a_channel_that_takes_few_at_a_time_are_all_answered(slack, slack_service):
    slack.seconds_apart = 0.25  # Slack's second, four times as fast
    for mention in [slack.mention(ELIGIBLE) for _ in range(40)]:
        (response,) = await slack.deliver(slack_service.client, mention)
        assert response.status_code == 200
    await slack.deliver(slack_service.client, slack.direct(ELIGIBLE))
    async with asyncio.timeout(5):
        while not slack.answers("D1"):  # nobody else waits
            await asyncio.sleep(0.05)
    async with asyncio.timeout(60):
        while len(slack.answers()) < 40:
            await asyncio.sleep(0.2)
    assert slack.calls["conversations.replies"] == 0
    assert await slack_service.inbox.parked() == ()


async def test_a_page_of_a_proxy_in_the_place_of_json_is_no_answer(slack, slack_service):
    slack.faults = [SlackFault("chat.postMessage", accepted=True)]
    await ask(slack, slack_service, slack.mention(ELIGIBLE))
    assert len(slack.answers()) == 1
    assert slack.calls["chat.postMessage"] == 1


async def test_a_token_that_is_replaced_loses_no_question(slack, slack_service, caplog):
    slack.revoked = True
    await slack.deliver(slack_service.client, slack.mention(ELIGIBLE))
    async with asyncio.timeout(10):
        while "SLACK_BOT_TOKEN" not in caplog.text:
            await asyncio.sleep(0.02)
    slack.revoked = False
    await slack_service.idle()
    assert len(slack.answers()) == 1


async def test_an_example_tapped_in_the_home_tab_is_answered_once_after_a_passing_error(slack, slack_service):
    await ask(slack, slack_service, slack.event("app_home_opened", user="U1", tab="home", channel="D1"))
    question = elements(slack.homes["U1"])["推進体制構築支援の上限はいくらですか"]
    slack.faults = [SlackFault("chat.postMessage", 500, accepted=True)]
    await ask(slack, slack_service, slack.tap_home(question))
    assert len(slack.answers("D1")) == 1


@pytest.mark.parametrize("posted", ["blocks", "text"])
async def test_a_post_is_recognised_in_a_long_thread(slack, slack_service, posted):
    first = slack.mention("今日の天気は")["event"]
    for _ in range(450):
        slack.remark("…", thread_ts=first["ts"])
    refused = [SlackFault("chat.postMessage", error="invalid_blocks")] if posted == "text" else []
    slack.faults = [*refused, SlackFault("chat.postMessage", 500, accepted=True)]
    await ask(slack, slack_service, slack.mention(ELIGIBLE, thread_ts=first["ts"]))
    assert len(slack.answers()) == 1


async def test_what_slack_refuses_is_parked_with_its_reason(slack, slack_service):
    slack.without_scope = {"chat.postMessage"}
    await slack.deliver(slack_service.client, slack.mention(ELIGIBLE))
    await slack_service.idle()
    (parked,) = await slack_service.inbox.parked()
    assert parked.problem == "chat.postMessage: missing_scope"


async def test_blocks_that_slack_refuses_are_posted_as_text(slack, slack_service):
    slack.faults = [SlackFault("chat.postMessage", error="invalid_blocks")]
    await ask(slack, slack_service, slack.mention(ELIGIBLE))
    (answer,) = slack.answers()
    assert "対象です" in answer["text"]
    assert not answer.get("blocks")


async def test_an_ornament_that_fails_does_not_hold_up_the_answer(slack, slack_service):
    slack.without_scope = {"assistant.threads.setTitle"}
    await slack.deliver(slack_service.client, slack.direct(ELIGIBLE, thread_ts="1.1"))
    await slack_service.idle()
    assert len(slack.answers("D1")) == 1
    assert await slack_service.inbox.parked() == ()


@pytest.mark.parametrize("slack_service", ["socket"], indirect=True)
async def test_socket_mode_takes_the_same_way(slack, slack_service):
    async with asyncio.timeout(10):
        while not slack.connected.is_set():
            await asyncio.sleep(0.02)
    mention = slack.mention(ELIGIBLE)
    for payload in (mention, mention, slack.command(ELIGIBLE)):
        await slack.deliver_by_socket(payload)
    async with asyncio.timeout(10):
        while len(slack.acknowledged) < 3 or await slack_service.inbox.waiting():
            await asyncio.sleep(0.02)
    assert len(slack.answers()) == 1
    assert len(slack.responses) == 1


# --- what a message may be -----------------------------------------------------------------------------------------

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=300)
CITATIONS = st.builds(
    Citation, st.just("keikaku"), TEXTS, TEXTS, TEXTS, st.sampled_from(["", "https://example.jp/", "https://x|y>"])
)
PROGRAMS = load_catalog().programs


@given(
    text=st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=200),
    times=st.integers(1, 60),
    status=st.sampled_from(AnswerStatus),
    citations=st.lists(CITATIONS, max_size=12),
    choices=st.lists(st.text(min_size=1, max_size=90).filter(str.strip), max_size=30),
    shareable=st.sampled_from(["", "質問" * 300]),
)
def test_any_answer_becomes_a_message_that_slack_takes(text, times, status, citations, choices, shareable):
    answer = Answer(
        text * times, status, citations=tuple(citations), choices=tuple(Choice(label, label) for label in choices)
    )
    check_message(answer_message(answer, "t" * 32, PROGRAMS, "職員に聞く", shareable))


@given(TEXTS)
def test_escaped_text_is_never_a_mention_and_reads_back(text):
    escaped = escape(text)
    assert "<" not in escaped
    assert ">" not in escaped
    assert read_text(escaped) == text.strip()


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("<@UBOT> 上限は?", "上限は?"),
        ("<@UBOT|bot> <!here> 上限は?", "上限は?"),
        ("<https://example.jp/|資料> の上限", "資料 の上限"),
        ("<https://example.jp/> の上限", "https://example.jp/ の上限"),
        ("5&lt;6 &amp;amp;", "5<6 &amp;"),
    ],
)
def test_messages_are_read_as_people_wrote_them(written, read):
    assert read_text(written) == read


# --- with a chat model ---------------------------------------------------------------------------------------------

PLAYED = {"llm": "openai:played", "llm_retries": "0", "llm_seconds": "60"}
"""A machine with other work to do is no slow model."""

COMPARED = "計画策定支援と推進体制構築支援の違いを市長に説明したい"


async def grown(slack, data_dir, folder, done, **model):
    """What an answer was at first and became, and the record of it, with a model that is played so."""
    with serving(**model) as url:
        credentials = {"slack_bot_token": TOKEN, "slack_signing_secret": SECRET, "slack_api_url": f"{slack.url}/api/"}
        model_settings = PLAYED | {"llm_base_url": url}
        async with running(data_dir, folder, **credentials, **model_settings) as service:
            await ask(slack, service, slack.mention(COMPARED))
            first = dict(slack.answers()[0])
            async with asyncio.timeout(60):
                while done not in await service.metrics() + (await service.turns())[0].answer:
                    await asyncio.sleep(0.05)
            return first, slack.answers()[0], (await service.turns())[0]


async def test_an_answer_stands_at_once_and_grows_by_what_is_chosen(slack, data_dir, tmp_path):
    first, last, turn = await grown(slack, data_dir, tmp_path, "【概要】", before=0.5)
    assert ["【概要】" in answer["text"] for answer in (first, last)] == [False, True]
    assert "【概要】" in turn.answer
    assert (len(slack.answers()), first["ts"]) == (1, last["ts"])


async def test_the_pane_shows_that_something_is_still_chosen_until_it_is_there(slack, data_dir, tmp_path):
    credentials = {"slack_bot_token": TOKEN, "slack_signing_secret": SECRET, "slack_api_url": f"{slack.url}/api/"}
    with serving(before=1.5) as url:
        model_settings = PLAYED | {"llm_base_url": url}
        async with running(data_dir, tmp_path, **credentials, **model_settings) as service:
            await ask(slack, service, slack.direct(COMPARED, thread_ts="1.1"))
            async with asyncio.timeout(60):
                while slack.statuses[-1:] != [""]:
                    await asyncio.sleep(0.05)
    assert slack.statuses[-2:] == ["資料から説明を選んでいます…", ""]
    assert "【概要】" in slack.answers("D1")[0]["text"]


async def test_an_answer_to_a_question_that_was_edited_does_not_grow_over_the_new_one(slack, data_dir, tmp_path):
    credentials = {"slack_bot_token": TOKEN, "slack_signing_secret": SECRET, "slack_api_url": f"{slack.url}/api/"}
    with serving(before=2) as url:
        model_settings = PLAYED | {"llm_base_url": url}
        async with running(data_dir, tmp_path, **credentials, **model_settings) as service:
            mention = slack.mention(COMPARED)
            await ask(slack, service, mention)
            said = mention["event"]
            edited = {**said, "text": f"<@{BOT}> 計画策定支援の採択率は?"}
            change = slack.event(
                "message", subtype="message_changed", channel="C1", message=edited, previous_message=said
            )
            await ask(slack, service, change)
            async with asyncio.timeout(60):
                while any("Slack._grow" in repr(task.get_coro()) for task in asyncio.all_tasks()):
                    await asyncio.sleep(0.05)
            assert "記載がありません" in slack.answers()[0]["text"]
            assert len(await service.turns()) == 1


async def test_an_answer_whose_model_fails_stays_as_it_is(slack, data_dir, tmp_path):
    first, last, _ = await grown(slack, data_dir, tmp_path, 'outcome="failed",request="choice"', status=500)
    assert (first, slack.calls["chat.update"]) == (last, 0)
