"""Documents that nobody curated: each question is answered from the right one, by the right part of it."""

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
from bot.types import Answer, Conversation, Inquiry
from knowledge.catalog import read_yaml

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
