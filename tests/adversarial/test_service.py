import json
import shutil

import httpx
import pytest

from bot.app import build_app
from bot.settings import Settings
from tests.adversarial.models import as_reply, serving, tokens_in

QUESTION = {"text": "初めての県です。推進体制構築支援の上限はいくらですか"}


def half_honest(name, prompt):
    return as_reply(["事業規模の上限は1億円です。", "必ず採択されます。"], tokens_in(prompt))


@pytest.fixture
async def client(data_dir, tmp_path):
    folder = tmp_path / "data"
    shutil.copytree(data_dir, folder)
    with serving(half_honest) as url:
        app = build_app(Settings(data_dir=folder, llm="openai:half-honest", llm_base_url=url, metrics_token="token"))
        async with (
            app.router.lifespan_context(app),
            httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test", timeout=30) as opened,
        ):
            yield opened


async def test_the_answer_grows_sentence_by_sentence_and_only_by_what_stands(client):
    response = await client.post("/api/ask/stream", json=QUESTION)
    events = [event.split("\n") for event in response.text.strip().split("\n\n")]
    names = [name.removeprefix("event: ") for name, _ in events]
    texts = [json.loads(data.removeprefix("data: "))["text"] for _, data in events]
    assert names[-1] == "done"
    assert "事業規模の上限は1億円です。" not in texts[0]
    assert "事業規模の上限は1億円です。" in texts[-1]
    assert not [text for text in texts if "採択" in text]
    metrics = (await client.get("/metrics", headers={"Authorization": "Bearer token"})).text
    assert 'madoguchi_model_answers_total{model="openai:half-honest",outcome="explained"} 1.0' in metrics
    assert 'madoguchi_model_sentences_total{fate="removed",model="openai:half-honest"} 1.0' in metrics


async def test_one_reply_is_the_whole_answer(client):
    answered = (await client.post("/api/ask", json=QUESTION)).json()
    assert "事業規模の上限は1億円です。" in answered["text"]
    assert answered["rulings"][0]["value"] == 100_000_000


async def test_what_cannot_be_read_is_refused_before_the_stream(client):
    response = await client.post("/api/ask/stream", json={"text": " "})
    assert (response.status_code, response.json()["status"]) == (422, "error")
