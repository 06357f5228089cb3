"""LINE through the real SDK: signed webhooks in, and what a stand-in lets through to people."""

import asyncio
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.channels.line_messages import BUBBLE_LIMIT, answer_messages, as_plain_text, clip, length
from bot.delivery import Arrival
from bot.simulator.line import LineFault, check_messages, headers, units
from bot.types import Answer, AnswerStatus, Citation
from knowledge.catalog import load_catalog
from knowledge.types import Choice

ELIGIBLE = "財政力指数0.6の町は、計画策定支援の対象ですか"


@pytest.fixture(scope="module")
def programs():
    return load_catalog().programs


def taps(message):
    """What can be tapped below a message: label to postback data."""
    items = message.get("quickReply", {"items": []})["items"]
    return {item["action"]["label"]: item["action"]["data"] for item in items}


async def ask(line, service, *events):
    response = await line.deliver(service.client, *events)
    assert response.status_code == 200
    await service.idle()
    assert line.refusals == []
    return [message for _, message in line.received]


# --- the webhook ---------------------------------------------------------------------------------------------------


async def test_a_question_is_answered_by_a_card_with_its_source(line, line_service):
    (message,) = await ask(line, line_service, line.text(ELIGIBLE))
    assert message["type"] == "flex"
    shown = json.dumps(message["contents"], ensure_ascii=False)
    assert "対象です" in message["altText"]
    assert "計画策定支援・対象になるか" in shown
    assert "出典を開く" in shown
    assert "問い合わせ先" in shown  # there is no desk
    assert list(taps(message))[-2:] == ["役に立った", "役に立たない"]
    assert line.calls["/v2/bot/message/push"] == 0


async def test_several_events_of_one_request_are_all_answered(line, line_service):
    questions = ["推進体制構築支援の上限はいくらですか", "今日の天気は"]
    await ask(line, line_service, *(line.text(text, user=f"U{n}") for n, text in enumerate(questions)))
    assert [len(line.texts(f"U{n}")) for n in range(2)] == [1, 1]


async def test_the_verification_of_the_console_is_answered(line, line_service):
    assert (await line.deliver(line_service.client)).status_code == 200


@pytest.mark.parametrize("redelivered", [False, True])
async def test_the_same_event_is_answered_once(line, line_service, redelivered):
    event = line.text(ELIGIBLE)
    again = line.redelivered(event) if redelivered else event
    await ask(line, line_service, event, again)
    await ask(line, line_service, again)
    assert len(line.received) == 1


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"x-line-signature": "x"}, 400),
        ({"x-line-signature": ""}, 400),
        ({"x-line-signature": "日本語".encode()}, 400),
        ({"content-type": "text/plain"}, 415),
    ],
)
async def test_what_does_not_come_from_line_is_refused(line, line_service, change, status):
    request = line.signed(line.text(ELIGIBLE))
    request["headers"] |= change
    response = await line_service.client.post("/line/webhook", **request)
    assert response.status_code == status
    assert await line_service.inbox.waiting() == 0


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"{}", b'{"events": 1}', b'{"events": null}', b"\xff\xfe", b"null"])
async def test_a_signed_body_that_is_no_webhook_is_refused(line, line_service, body):
    response = await line_service.client.post("/line/webhook", content=body, headers=headers(body))
    assert response.status_code == 400


async def test_a_body_of_a_megabyte_is_refused(line, line_service):
    request = line.signed(line.text("あ" * 350_000))
    assert (await line_service.client.post("/line/webhook", **request)).status_code == 413
    assert await line_service.inbox.waiting() == 0


async def test_a_changed_body_is_refused(line, line_service):
    request = line.signed(line.text(ELIGIBLE))
    request["content"] = request["content"].replace(b"0.6", b"1.6")
    assert (await line_service.client.post("/line/webhook", **request)).status_code == 400


async def test_events_that_nobody_asked_with_are_acknowledged_and_left(line, line_service):
    events = [
        line.event("somethingNew", something={"a": 1}),
        line.event("message", message={"id": "1", "type": "hologram"}),
        line.event("beacon", beacon={"hwid": "1", "type": "enter"}, replyToken="r"),
        line.event("videoPlayComplete", videoPlayComplete={"trackingId": "t"}, replyToken="r"),
        line.event("memberJoined", room="C1", joined={"members": []}, replyToken="r"),
        line.text(ELIGIBLE) | {"mode": "standby"},
        {"type": "message"},
        {},
        1,
    ]
    assert await ask(line, line_service, *events) == []
    assert await line_service.inbox.parked() == ()


async def test_half_a_surrogate_pair_fails_for_nobody(line, line_service):
    asked = [line.text("推進体制構築支援の上限は" + "\ud83d" * (n == 7), user=f"U{n}") for n in range(30)]
    responses = await asyncio.gather(*(line.deliver(line_service.client, event) for event in asked))
    assert [response.status_code for response in responses] == [200] * 30
    await line_service.idle()
    assert [len(line.texts(f"U{n}")) for n in range(30)] == [1] * 30


async def test_what_our_own_code_fails_on_is_apologised_for_and_the_next_question_is_answered(line, line_service):
    of_another_version = {name: value for name, value in line.text(ELIGIBLE).items() if name != "message"}
    await line_service.inbox.put([Arrival("line:1", "line", "line:U1", of_another_version)])
    await ask(line, line_service, line.text(ELIGIBLE))
    apology, answer = line.texts()
    assert "申し訳ありません" in apology
    assert "対象です" in answer
    assert len(await line_service.inbox.parked()) == 1


# --- groups --------------------------------------------------------------------------------------------------------


async def test_in_a_group_only_a_mention_is_answered_and_stripped(line, line_service):
    assert await ask(line, line_service, line.text(ELIGIBLE, room="C1")) == []
    mentioned = line.text(f"🍎 @窓口 {ELIGIBLE}", room="C1", mention=(3, 3))
    quoting, message = await ask(line, line_service, mentioned)
    assert quoting["quoteToken"] == mentioned["message"]["quoteToken"]
    assert "対象です" in message["altText"]
    assert "役に立った" not in taps(message)
    assert [to for to, _ in line.received] == ["C1", "C1"]
    halved = line.text(f"\ud83d@窓口 {ELIGIBLE}", room="C1", mention=(1, 3))
    assert "対象です" in (await ask(line, line_service, halved))[-1]["altText"]
    refused = line.text("@窓口", room="C1", mention=(0, 3))
    assert (await ask(line, line_service, refused))[-1]["quoteToken"] == refused["message"]["quoteToken"]


async def test_leaving_a_group_deletes_what_was_asked_in_it(line, line_service):
    for user, room in (("U1", "C1"), ("U2", "C1"), ("U1", "C2")):
        await ask(line, line_service, line.text(f"@窓口 {ELIGIBLE}", user=user, room=room, mention=(0, 3)))
    await ask(line, line_service, line.text(ELIGIBLE))
    await ask(line, line_service, line.event("leave", room="C1"))
    assert len(await line_service.turns()) == 2


@pytest.mark.parametrize("text", ["👍", "🙏😀", "了解です", "承知しました。", "はい、わかりました!", "なるほど"])
async def test_thanks_get_a_line_and_no_card(line, line_service, text):
    await ask(line, line_service, line.text("推進体制構築支援、県です。対象になりますか"))
    assert "ご確認ありがとう" in (await ask(line, line_service, line.text(text)))[-1]["text"]
    assert "対象です" in (await ask(line, line_service, line.text("初めて")))[-1]["altText"]


async def test_a_batch_of_the_longest_texts_is_taken(line, line_service):
    events = [line.text("あ" * 5000, user=f"U{n}") for n in range(20)]
    assert (await line.deliver(line_service.client, *events)).status_code == 200


async def test_json_nested_without_end_is_refused(line, line_service):
    body = b'{"events": ' + b"[" * 50_000 + b"]" * 50_000 + b"}"
    assert (await line_service.client.post("/line/webhook", content=body, headers=headers(body))).status_code == 400


async def test_members_of_a_group_do_not_answer_for_each_other(line, line_service):
    asking = line.text("@窓口 推進体制構築支援、県です。対象になりますか", user="U1", room="C1", mention=(0, 3))
    message = (await ask(line, line_service, asking))[-1]
    data = taps(message)["初めて"]
    by_another = (await ask(line, line_service, line.tap(data, user="U2", room="C1")))[-1]
    by_the_same = (await ask(line, line_service, line.tap(data, user="U1", room="C1")))[-1]
    assert "対象です" not in (by_another.get("altText") or by_another["text"])
    assert "対象です" in by_the_same["altText"]


async def test_a_mention_of_all_is_not_one_of_us(line, line_service):
    event = line.text("@All 資料を見てください", room="C1")
    event["message"]["mention"] = {"mentionees": [{"index": 0, "length": 4, "type": "all"}]}
    assert await ask(line, line_service, event) == []


# --- other kinds ---------------------------------------------------------------------------------------------------


async def test_following_and_joining_are_greeted(line, line_service):
    (welcome,) = await ask(line, line_service, line.event("follow", follow={"isUnblocked": False}))
    assert "対象チェック" in taps(welcome)
    assert len(taps(welcome)) == 4
    await ask(line, line_service, line.event("join", room="C1"))
    assert "@" in line.texts("C1")[0]


@pytest.mark.parametrize(
    "content",
    [
        {"type": "sticker", "packageId": "1", "stickerId": "2", "stickerResourceType": "STATIC", "quoteToken": "q"},
        {"type": "image", "contentProvider": {"type": "line"}, "quoteToken": "q"},
        {"type": "video", "contentProvider": {"type": "line"}, "quoteToken": "q"},
        {"type": "audio", "contentProvider": {"type": "line"}, "duration": 1},
        {"type": "location", "latitude": 35.0, "longitude": 139.0},
        {"type": "file", "fileName": "a.pdf", "fileSize": 1},
    ],
    ids=lambda content: content["type"],
)
async def test_what_is_not_text_is_answered_kindly(line, line_service, content):
    (message,) = await ask(line, line_service, line.event("message", message={"id": "1", **content}))
    assert "文字でお送りください" in message["text"]
    room = line.event("message", room="C1", message={"id": "2", **content})
    assert len(await ask(line, line_service, room)) == 1


async def test_a_tapped_choice_answers_the_question_about_a_fact(line, line_service):
    (question,) = await ask(line, line_service, line.text("推進体制構築支援、県です。対象になりますか"))
    assert list(taps(question)) == ["選定されたことがある", "応募したが選定されなかった", "初めて"]
    answered = (await ask(line, line_service, line.tap(taps(question)["初めて"])))[-1]
    assert "対象です" in answered["altText"]


async def test_the_eligibility_check_is_tapped_through_to_its_ruling(line, line_service):
    await ask(line, line_service, line.tap('{"check":""}'))
    for label in ("推進体制", "都道府県", "選定されたことがある", "前回より少ない"):
        await ask(line, line_service, line.tap(taps(line.received[-1][1])[label]))
    assert "要件を満たしません" in line.texts()[-1]
    assert len(line.received) == 5


@pytest.mark.parametrize(
    "data",
    [
        "",
        "x",
        "[]",
        "{}",
        '{"say":1}',
        '{"rate":"x","helpful":true}',
        '{"rate":"x"}',
        '{"check":"none"}',
        '{"check":"keikaku","facts":{"bogus":"1"}}',
        '{"check":"keikaku","facts":{"applicant_kind":"bogus"}}',
        '{"check":"keikaku","facts":{"fiscal_index":"NaN"}}',
        '{"check":"keikaku","facts":[1]}',
        "[" * 50_000,
    ],
)
async def test_a_button_that_means_nothing_any_more_is_answered(line, line_service, data):
    (message,) = await ask(line, line_service, line.tap(data))
    assert "使えなくなりました" in message["text"]


async def test_whether_an_answer_helped_is_kept_with_it(line, line_service):
    (message,) = await ask(line, line_service, line.text(ELIGIBLE))
    await ask(line, line_service, line.tap(taps(message)["役に立たない"]))
    (rated,) = await line_service.turns()
    assert (rated.question, rated.helpful) == (ELIGIBLE, 0)
    assert json.loads(rated.answer)["citations"]


async def test_a_message_that_is_taken_back_is_deleted_and_so_is_everything_of_one_who_leaves(line, line_service):
    first, second = line.text(ELIGIBLE), line.text("今日の天気は")
    await ask(line, line_service, first, second)
    assert len(await line_service.turns()) == 2
    await ask(line, line_service, line.event("unsend", unsend={"messageId": first["message"]["id"]}))
    assert len(await line_service.turns()) == 1
    await ask(line, line_service, line.event("unfollow"))
    assert len(await line_service.turns()) == 0


async def test_messages_that_cannot_be_taken_are_answered(line, line_service):
    await ask(line, line_service, line.text("あ" * 2001))
    assert "長すぎます" in line.texts()[-1]
    await ask(line, line_service, line.text("\u200b"))
    assert "空のようです" in line.texts()[-1]


async def test_one_person_cannot_ask_without_end(line, line_service):
    await ask(line, line_service, *(line.text("今日の天気は") for _ in range(45)))  # a new minute may begin meanwhile
    assert (
        line.texts().count("質問が続いたため、少しお休みしています。1分ほど待ってから、もう一度お試しください。") >= 1
    )
    assert len(line.received) == 45


# --- sending -------------------------------------------------------------------------------------------------------


async def test_after_the_reply_token_has_died_the_answer_is_pushed(line, line_service):
    response = await line.deliver(line_service.client, line.expire(line.text(ELIGIBLE)))
    assert response.status_code == 200
    await line_service.idle()
    assert len(line.received) == 1
    assert line.calls["/v2/bot/message/push"] == 1


@pytest.mark.parametrize(
    "fault", [LineFault(429, headers={"Retry-After": "1"}), LineFault(500), LineFault(503), LineFault(401)]
)
async def test_a_platform_that_is_busy_gets_the_answer_later(line, line_service, fault):
    line.faults = [fault]
    await ask(line, line_service, line.text(ELIGIBLE))
    assert len(line.received) == 1
    assert line.calls["/v2/bot/message/reply"] == 2


async def test_an_answer_that_got_through_although_the_platform_failed_is_not_sent_again(line, line_service):
    line.faults = [LineFault(500, accepted=True)]
    await line.deliver(line_service.client, line.text(ELIGIBLE))
    await line_service.idle()
    assert len(line.received) == 1
    assert line.calls["/v2/bot/message/push"] == 0


async def test_a_push_that_got_through_although_the_platform_failed_is_not_sent_again(line, line_service):
    late = line.expire(line.text(ELIGIBLE))
    line.faults = [LineFault(500, accepted=True)]
    line.tokens.pop(late["replyToken"])
    await line.deliver(line_service.client, late)
    await line_service.idle()
    assert len(line.received) == 1
    assert [refusal["status"] for refusal in line.refusals] == [400, 409]


async def test_a_token_that_is_refused_at_once_does_not_lose_the_answer(line, line_service):
    event = line.text(ELIGIBLE)
    line.tokens.pop(event["replyToken"])
    line.faults = [LineFault(500)]
    await line.deliver(line_service.client, event)
    await line_service.idle()
    assert len(line.received) == 1


async def test_a_refused_card_is_sent_as_text(line, line_service):
    line.faults = [LineFault(400, message="The request body has 1 error(s)")]
    (message,) = await ask(line, line_service, line.text(ELIGIBLE))
    assert message["type"] == "text"
    assert "対象です" in message["text"]
    assert "役に立った" in taps(message)


async def test_the_whole_answer_stands_where_a_card_is_refused(line, line_service):
    line.faults = [LineFault(400, message="The request body has 1 error(s)")]
    (text,) = await ask(line, line_service, line.text(ELIGIBLE))
    asked = await line_service.client.post("/api/ask", json={"text": ELIGIBLE})
    assert text["text"] == asked.json()["text"]


def test_a_long_answer_is_not_cut_to_a_notification_where_a_card_is_refused(programs):
    answer = Answer("答" * 1000, AnswerStatus.ANSWERED, citations=(Citation("keikaku", "a", "b", "c"),))
    (card,) = answer_messages(answer, "t", programs, "職員に聞く", rateable=True)
    assert card["type"] == "flex"
    assert as_plain_text(card)["text"] == answer.text


async def test_what_line_refuses_is_parked_with_its_reason(line, line_service):
    late = line.expire(line.text(ELIGIBLE, user="U9"))
    line.people.clear()
    await line.deliver(line_service.client, late)
    await line_service.idle()
    (parked,) = await line_service.inbox.parked()
    assert "'to'" in parked.problem
    line.people.add("U9")
    await line_service.inbox.replay()
    await line_service.idle()
    assert len(line.received) == 1


async def test_what_only_a_push_could_deliver_waits_for_the_next_message_when_the_quota_is_spent(line, line_service):
    line.quota = 0
    held = (ELIGIBLE, "推進体制構築支援の期間は?", "計画策定支援の期間は?")
    for question in held:
        await line.deliver(line_service.client, line.expire(line.text(question)))
        await line_service.idle()
    assert (await line_service.inbox.parked(), line.received) == ((), [])
    await line.deliver(line_service.client, line.text("推進体制構築支援の上限は?"))
    await line_service.idle()
    first, answer, second, _, own = line.texts()  # as many as LINE takes at once
    assert (first, second) == tuple(f"前のご質問「{question}」への回答です。" for question in held[:2])
    assert "対象です" in answer
    assert "1億円" in own
    for _ in range(2):
        await line.deliver(line_service.client, line.text("推進体制構築支援の上限は?"))
        await line_service.idle()
    assert len(line.texts()) == 5 + 3 + 1
    assert [sum(question in text for text in line.texts()) for question in held] == [1, 1, 1]


# --- what a message may be -----------------------------------------------------------------------------------------

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=300)
CITATIONS = st.builds(
    Citation, st.just("keikaku"), TEXTS, TEXTS, TEXTS, st.sampled_from(["", "https://example.jp/", "ftp://x"])
)


@given(
    text=st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=200),
    times=st.integers(1, 60),
    status=st.sampled_from(AnswerStatus),
    citations=st.lists(CITATIONS, max_size=12),
    choices=st.lists(st.text(min_size=1, max_size=60).filter(str.strip), max_size=20),
)
def test_any_answer_becomes_messages_that_line_takes(programs, text, times, status, citations, choices):
    answer = Answer(
        text * times, status, citations=tuple(citations), choices=tuple(Choice(label, label) for label in choices)
    )
    messages = answer_messages(answer, "t" * 32, programs, "職員に聞く", rateable=True)
    check_messages(messages)
    assert len(json.dumps(messages, ensure_ascii=False).encode()) < 2 * BUBBLE_LIMIT + 20_000


@given(TEXTS, st.integers(1, 400))
def test_text_is_cut_by_utf16_units_and_never_within_a_character(text, limit):
    cut = clip(text, limit)
    assert length(cut) == units(cut) <= max(limit, 1)
    assert cut == text or text.startswith(cut[:-1])
    cut.encode()
