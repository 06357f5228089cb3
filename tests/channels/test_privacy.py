"""What leads to a person is written to no file, whichever way a message comes in, and is sent to no chat model."""

import json
from datetime import date

import pytest

from bot.llm import Meter, Prompt, open_chat_model
from tests.adversarial.models import as_choice, serving
from tests.channels.conftest import running
from tests.channels.test_slack import elements, view_opened

PRIVATE = ("090-1234-5678", "taro@example.lg.jp", "1234 5678 9018", "2丁目1番2号")
HARMLESS = "財政力指数0.6の町です"
TEXT = f"{HARMLESS}。計画策定支援の対象ですか。霞が関2丁目1番2号、090-1234-5678、taro@example.lg.jp、1234 5678 9018"


def assert_nothing_private_was_written(service, *, but=HARMLESS):
    """In all that the database has written, what it has deleted since included."""
    written = b"".join(file.read_bytes() for file in service.database.parent.glob(f"{service.database.name}*")).decode(
        errors="ignore"
    )
    assert but in written
    assert [private for private in PRIVATE if private in written] == []


@pytest.mark.parametrize("mention", [None, (0, 3)], ids=["alone", "in a group"])
async def test_a_message_in_line(line, line_service, mention):
    text, room = (f"@窓口 {TEXT}", "C1") if mention else (TEXT, "")
    await line.deliver(line_service.client, line.text(text, room=room, mention=mention))
    await line_service.idle()
    assert "対象です" in line.texts(room or "U1")[-1]
    assert_nothing_private_was_written(line_service)


@pytest.mark.parametrize(
    "content",
    [
        {"type": "location", "latitude": 35.0, "longitude": 139.0, "title": TEXT, "address": f"{TEXT}です"},
        {"type": "location", "latitude": 35.0, "longitude": 139.0, "title": HARMLESS, "address": None},
        {"type": "file", "fileName": f"{TEXT}.pdf", "fileSize": 1},
        {"type": "sticker", "packageId": "1", "stickerId": "2", "stickerResourceType": "MESSAGE", "quoteToken": "q"}
        | {"text": TEXT},
    ],
)
async def test_a_place_a_file_or_a_sticker_with_words_in_line(line, line_service, content):
    await line.deliver(line_service.client, line.event("message", message={"id": "1", **content}))
    await line_service.idle()
    assert "文字でお送りください" in line.received[0][1]["text"]
    assert_nothing_private_was_written(line_service)


async def test_a_message_a_command_an_edit_and_a_note_in_slack(slack, slack_service):
    mention = slack.mention(TEXT)
    asked = mention["event"]
    edited = slack.event(
        "message",
        subtype="message_changed",
        channel=asked["channel"],
        message=asked | {"text": f"{TEXT}です"},
        previous_message=asked,
    )
    for payload in (mention, slack.direct(TEXT), slack.command(TEXT), slack.shortcut(TEXT), edited):
        await slack.deliver(slack_service.client, payload)
        await slack_service.idle()
    answer = slack.answers()[0]
    assert "対象です" in answer["text"]
    await slack.deliver(slack_service.client, slack.tap(elements(answer)["職員メモ"], answer))
    view = await view_opened(slack)
    await slack.deliver(slack_service.client, slack.submit(view, {"note": {"text": {"type": "x", "value": TEXT}}}))
    assert_nothing_private_was_written(slack_service)


@pytest.mark.parametrize("path", ["/api/ask", "/api/ask/stream"])
async def test_a_message_on_the_page(data_dir, tmp_path, path):
    async with running(data_dir, tmp_path) as service:
        answer = await service.client.post(path, json={"text": TEXT})
        assert "対象です" in answer.text
        assert_nothing_private_was_written(service)


async def test_a_message_and_what_goes_with_it_to_a_chat_model(data_dir, tmp_path):
    prompts = []

    def listening(name, prompt):
        prompts.append(prompt)
        return as_choice(1)

    schema = {"title": "choice", "type": "object", "properties": {"parts": {"type": "array"}}, "required": ["parts"]}
    with serving(listening) as url:
        async with running(data_dir, tmp_path, llm="openai:listening", llm_base_url=url, llm_retries="0") as service:
            compared = TEXT.replace("対象ですか", "特徴と、推進体制構築支援との違いを説明してください")
            await service.client.post("/api/ask/stream", json={"text": compared})
        model = open_chat_model("openai:listening", base_url=url)
        assert "parts" in await model.reply(Prompt("", schema, TEXT), date(2026, 4, 1), 10, Meter())
    assert all(HARMLESS in prompt for prompt in prompts)
    assert len(prompts) == 2
    assert [private for private in PRIVATE if private in json.dumps(prompts, ensure_ascii=False)] == []
