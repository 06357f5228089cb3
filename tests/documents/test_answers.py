"""Documents that nobody curated: each question is answered from the right one, by the right part of it."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from bot.answering import Knowledge, answer, open_knowledge
from bot.llm import open_chat_model
from bot.passages import answering_passages
from bot.responding import Patience, respond
from bot.types import Answer, Conversation, Inquiry
from bot.understanding.model import prompt_for
from knowledge.catalog import read_yaml
from knowledge.types import Chunk, Hit
from tests.adversarial.models import SENTENCES, as_choice, serving

HERE = Path(__file__).parent
ROWS = read_yaml(HERE / "questions.yaml")
DAY = date(2026, 5, 10)


@pytest.fixture(scope="module")
def with_documents(data_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Knowledge]:
    """The repository's own knowledge with the documents added."""
    folder = tmp_path_factory.mktemp("documents") / "data"
    shutil.copytree(data_dir, folder)
    environment = {**os.environ, "DATA_DIR": str(folder)}
    subprocess.run([sys.executable, "-m", "ingest", "add", HERE / "files"], cwd=folder, env=environment, check=True)
    opened = open_knowledge(folder)
    yield opened
    opened.searcher.close()


def answered(turns: list[str], knowledge: Knowledge) -> Answer:
    conversation, given = Conversation(), None
    for turn in turns:
        given, conversation = answer(Inquiry(turn, DAY, conversation), knowledge)
    assert given is not None
    return given


@pytest.mark.parametrize("row", ROWS, ids=lambda row: " → ".join(row["turns"]))
def test_a_question_is_answered_from_its_document(row: Mapping[str, Any], with_documents: Knowledge) -> None:
    given = answered(row["turns"], with_documents)
    assert given.status == row.get("status", "answered"), given.text
    for phrase in row.get("says", ()):
        assert phrase in given.text, given.text
    for phrase in row.get("never", ()):
        assert phrase not in given.text, given.text


async def test_a_chat_model_may_tell_which_document_is_meant(with_documents: Knowledge) -> None:
    message = "古い家の地震対策、お年寄りだけの家だといくらまで出る?"
    inquiry = Inquiry(message, DAY)
    sent = prompt_for(inquiry, with_documents.catalog, with_documents.searcher.named)
    listed = dict(line[2:].split(": ", 1) for line in sent.instructions.splitlines() if line.startswith("- document"))
    (key,) = [key for key, names in listed.items() if "耐震改修" in names]
    assert key in sent.schema["properties"]["questions"]["items"]["properties"]["about"]["enum"]
    asked = {"quote": message, "about": key, "subject": "other", "seeks": "耐震改修工事 高齢者等の世帯 限度額"}
    reply = json.dumps({"questions": [asked], "facts": []}, ensure_ascii=False)
    with serving(lambda name, prompt: as_choice() if SENTENCES in prompt else reply) as url:
        model = open_chat_model("openai:any", base_url=url, retries=0)
        *_, last = [stage async for stage in respond(inquiry, with_documents, model, Patience(60, 60), grows=False)]
    assert "140万円" in last.answer.text
    assert "木造住宅の耐震改修に補助します」についてのお尋ねとして" in last.answer.text
    assert last.answer.verdict is None


def test_a_passage_that_is_near_in_meaning_only_is_met_though_a_line_stands_twice(with_documents: Knowledge) -> None:
    text = "窓口にお越しください。\n苗木の代金を助けます。\n窓口にお越しください。\n"
    chunk = Chunk("a", "passage", "page.md", "ゆり市 緑化助成", text)
    hits = [Hit(chunk, 0.5, 0.0, 0.5)]
    ((_, said),) = answering_passages("植える木を買うお金は?", hits, with_documents.searcher, named=True)
    assert said == "苗木の代金を助けます。"
