import json
import shutil

import httpx
import pytest

from bot.app import build_app
from bot.settings import Settings
from tests.adversarial.models import serving

QUESTION = {"text": "計画策定支援と推進体制構築支援の違いを市長に説明したい"}


@pytest.fixture
async def client(data_dir, tmp_path):
    folder = tmp_path / "data"
    shutil.copytree(data_dir, folder)
    with serving() as url:
        settings = Settings(
            data_dir=folder, llm="openai:played", llm_base_url=url, llm_read_seconds=20, metrics_token="token"
        )
        app = build_app(settings)
        async with (
            app.router.lifespan_context(app),
            httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test", timeout=30) as opened,
        ):
            yield opened


async def test_the_answer_stands_at_once_and_grows_by_what_was_chosen(client):
    response = await client.post("/api/ask/stream", json=QUESTION)
    events = [event.split("\n") for event in response.text.strip().split("\n\n")]
    names = [name.removeprefix("event: ") for name, _ in events]
    texts = [json.loads(data.removeprefix("data: "))["text"] for _, data in events]
    assert names == ["answer", "answer", "done"]
    assert ["【概要】" in text for text in texts] == [False, True, True]
    metrics = (await client.get("/metrics", headers={"Authorization": "Bearer token"})).text
    counted = 'madoguchi_model_requests_total{model="openai:played",outcome="chosen",request="choice"} 1.0'
    assert counted in metrics
    assert 'madoguchi_model_chosen_total{model="openai:played"} 2.0' in metrics


async def test_one_reply_is_the_whole_answer(client):
    assert "【概要】" in (await client.post("/api/ask", json=QUESTION)).json()["text"]


async def test_what_cannot_be_read_is_refused_before_the_stream(client):
    response = await client.post("/api/ask/stream", json={"text": " "})
    assert (response.status_code, response.json()["status"]) == (422, "error")
