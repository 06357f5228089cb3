"""A real chat model reads and chooses: `LLM=… pytest -m live`. Not run unless asked for, and skipped without one."""

import os
import socket
from datetime import date

import pytest

from bot.answering import Knowledge, consider
from bot.llm import ChatModel, open_chat_model
from bot.responding import Patience, respond
from bot.types import Inquiry

GIVEN = {name: os.environ.get(name, "") for name in ("LLM", "LLM_BASE_URL", "LLM_API_KEY")}
CONNECT = socket.socket.connect
"""What the environment and the network are before the other tests are shut off from them."""

DAY = date(2025, 6, 10)
SECONDS = 120.0  # a small model on a processor takes a minute

pytestmark = pytest.mark.live


@pytest.fixture
def model(monkeypatch: pytest.MonkeyPatch) -> ChatModel:
    if not GIVEN["LLM"]:
        pytest.skip("LLM is not set: NO REAL MODEL WAS ASKED")
    monkeypatch.setattr(socket.socket, "connect", CONNECT)
    return open_chat_model(GIVEN["LLM"], base_url=GIVEN["LLM_BASE_URL"], api_key=GIVEN["LLM_API_KEY"], seconds=SECONDS)


async def test_it_reads_what_is_left_open_and_settles_nothing(knowledge: Knowledge, model: ChatModel) -> None:
    inquiry = Inquiry("役場と組んでやってる蔵元です。アドバイザー派遣の対象ですか", DAY)
    *_, last = [stage async for stage in respond(inquiry, knowledge, model, Patience(SECONDS, SECONDS), grows=False)]
    assert last.model_use
    assert last.model_use.reading in ("asked", "used", "agreed", "nothing")
    assert last.answer.verdict == consider(inquiry, knowledge).answer.verdict


async def test_it_points_to_sentences_of_the_sources(knowledge: Knowledge, model: ChatModel) -> None:
    inquiry = Inquiry("計画策定支援と推進体制構築支援の違いを教えてください", DAY)
    *_, last = [stage async for stage in respond(inquiry, knowledge, model, Patience(SECONDS, SECONDS), grows=True)]
    assert last.model_use
    assert last.model_use.choice in ("chosen", "nothing")
