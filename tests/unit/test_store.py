"""The index on disk: increments, generations, killed and concurrent runs. Real Chroma, real SudachiPy."""

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from knowledge.encoder.encoding import Encoder, Vectors, load_encoder
from knowledge.outside import OutsideError
from knowledge.search import Searcher
from knowledge.store import (
    IndexBusyError,
    IndexChanges,
    IndexUnwritableError,
    current_generation,
    open_index,
    update_index,
)
from knowledge.types import Chunk, IndexMissingError


class Recording(Encoder):
    """The encoder that ships, under a name of choice, noting what it encodes."""

    def __init__(self, name: str = "recording") -> None:
        super().__init__(name, load_encoder().dimension, ("", ""), self._recorded)
        self.encoded: list[str] = []

    def _recorded(self, texts: Sequence[str]) -> Vectors:
        self.encoded += texts
        return np.concatenate([vector_of(text) for text in texts])


@cache
def vector_of(text: str) -> Vectors:
    return load_encoder().encode_passages([text])


TEXTS = [
    "アドバイザーの交通費と謝金は国が負担します。",
    "募集は4月から12月まで毎月あります。",
    "都道府県は管内の市町村と連携して申請します。",
    "財政力指数が1以上の団体は対象外です。",
    "支援の期間は3か月程度です。",
    "実施報告書は終了後1週間以内に提出します。",
]


MANY = 300
"""More passages than are written at once, so that a run that stops after them has written some."""


def passage(number: int, text: str, program: str = "") -> Chunk:
    return Chunk(f"c{number}", "passage", "doc", "文書", text, program=program, headings=("案内",))


@pytest.fixture
def chunks() -> list[Chunk]:
    question = Chunk("q1", "question", "faq", "FAQ", "謝礼はいくら?", program="adviser", target="cost")
    return [*(passage(number, text) for number, text in enumerate(TEXTS)), question]


def update(data_dir: Path, chunks: Sequence[Chunk], encoder: Encoder) -> IndexChanges:
    return update_index(data_dir, iter(chunks), encoder, lambda read: None)


def found(data_dir: Path, encoder: Encoder, query: str) -> list[str]:
    searcher = Searcher(open_index(data_dir, encoder), encoder)
    searcher.open_chroma()
    try:
        return [hit.chunk.text for hit in searcher.search(query)]
    finally:
        searcher.close()


def generations(data_dir: Path) -> set[str]:
    return {path.name for path in (data_dir / "index").iterdir() if path.is_dir()}


def test_what_changed_is_counted_and_only_that_is_embedded(tmp_path: Path, chunks: list[Chunk]) -> None:
    encoder = Recording()
    assert update(tmp_path, chunks, encoder) == IndexChanges(7, 0, 0, 0)
    assert len(encoder.encoded) == 7
    encoder.encoded.clear()

    changed = replace(chunks[0], text="アドバイザーの宿泊費も国が持ちます。")
    new = passage(9, "新しい段落です。")
    assert update(tmp_path, [changed, *chunks[2:], new], encoder) == IndexChanges(1, 1, 1, 5)
    assert sorted(encoder.encoded) == sorted(f"案内\n{text}" for text in (changed.text, new.text))
    assert found(tmp_path, encoder, "宿泊費")[0] == changed.text
    assert chunks[0].text not in found(tmp_path, encoder, "交通費と謝金")
    assert chunks[1].text not in found(tmp_path, encoder, "毎月の募集")


def test_a_text_that_moved_keeps_its_vector(tmp_path: Path, chunks: list[Chunk]) -> None:
    encoder = Recording()
    update(tmp_path, chunks, encoder)
    encoder.encoded.clear()
    moved = [replace(chunk, id=f"moved-{chunk.id}", document="renamed") for chunk in chunks]
    assert update(tmp_path, moved, encoder) == IndexChanges(7, 0, 7, 0)
    assert encoder.encoded == []
    assert found(tmp_path, encoder, "謝金")[0] == TEXTS[0]


def test_a_run_without_changes_writes_no_generation(tmp_path: Path, chunks: list[Chunk]) -> None:
    encoder = Recording()
    update(tmp_path, chunks, encoder)
    before = current_generation(tmp_path, encoder.name)
    assert update(tmp_path, list(reversed(chunks)), encoder) == IndexChanges(0, 0, 0, 7)
    assert current_generation(tmp_path, encoder.name) == before
    assert generations(tmp_path) == {before}


def test_an_empty_index_can_be_opened_and_filled(tmp_path: Path, chunks: list[Chunk]) -> None:
    encoder = Recording()
    assert update(tmp_path, [], encoder) == IndexChanges(0, 0, 0, 0)
    assert found(tmp_path, encoder, "謝金") == []
    update(tmp_path, chunks, encoder)
    assert found(tmp_path, encoder, "謝金")
    assert update(tmp_path, [], encoder) == IndexChanges(0, 0, 7, 0)
    assert found(tmp_path, encoder, "謝金") == []


def test_metadata_counts_as_a_change(tmp_path: Path, chunks: list[Chunk]) -> None:
    encoder = Recording()
    update(tmp_path, chunks, encoder)
    assert update(tmp_path, [replace(chunks[0], url="https://example.jp/"), *chunks[1:]], encoder).updated == 1


def test_chunks_come_back_as_they_were(tmp_path: Path) -> None:
    encoder = Recording()
    chunk = Chunk("a", "passage", "c", "d", "謝金の負担", "p", ("e", "f"), "g", "h", "i", "j")
    update(tmp_path, [chunk], encoder)
    index = open_index(tmp_path, encoder)
    assert index.chunks(np.array([0], dtype=np.int32)) == [chunk]
    index.close()


QUERIES = ("交通費はだれが払う", "毎月の募集", "報告書")


def test_chroma_finds_what_comparing_all_finds(tmp_path: Path, chunks: list[Chunk]) -> None:
    encoder = Recording()
    update(tmp_path, chunks, encoder)
    index = open_index(tmp_path, encoder)
    vectors = encoder.encode_queries(QUERIES)
    compared = [index.nearest(vector, "", 3).tolist() for vector in vectors]
    assert not index.uses_chroma
    index.open_chroma()
    assert index.uses_chroma
    assert [set(index.nearest(vector, "", 3).tolist()) for vector in vectors] == [set(rows) for rows in compared]
    index.close()


def test_where_chroma_cannot_be_opened_all_are_compared(tmp_path: Path, chunks: list[Chunk]) -> None:
    encoder = Recording()
    update(tmp_path, chunks, encoder)
    index = open_index(tmp_path, encoder)
    searcher = Searcher(index, encoder)
    before = searcher.search(QUERIES[0])
    (tmp_path / "index" / index.generation / "chroma" / "chroma.sqlite3").write_bytes(b"no database" * 1000)
    searcher.open_chroma()
    assert not index.uses_chroma
    assert searcher.search(QUERIES[0]) == before
    searcher.close()


def test_a_failing_run_leaves_the_old_index_and_no_rest(tmp_path: Path, chunks: list[Chunk]) -> None:
    encoder = Recording()
    update(tmp_path, chunks, encoder)
    before = current_generation(tmp_path, encoder.name)

    def failing() -> Iterator[Chunk]:
        for number in range(MANY):
            yield passage(100 + number, f"段落{number}")
        assert len(generations(tmp_path)) == 2
        raise RuntimeError("the reader broke")

    with pytest.raises(RuntimeError, match="the reader broke"):
        update_index(tmp_path, failing(), encoder, lambda read: None)
    assert generations(tmp_path) == {before}
    assert found(tmp_path, encoder, "謝金")[0] == TEXTS[0]


KILLED_RUN = """
import os, signal, sys
from pathlib import Path
from knowledge.store import update_index
from tests.unit.test_store import MANY, Recording, passage

def chunks():
    for number in range(MANY):
        yield passage(100 + number, f"段落{number}")
    os.kill(os.getpid(), signal.SIGKILL)

update_index(Path(sys.argv[1]), chunks(), Recording(), lambda read: None)
"""


def test_a_killed_run_leaves_the_old_index_and_the_next_one_cleans_up(tmp_path: Path, chunks: list[Chunk]) -> None:
    encoder = Recording()
    update(tmp_path, chunks, encoder)
    before = current_generation(tmp_path, encoder.name)
    killed = subprocess.run([sys.executable, "-c", KILLED_RUN, str(tmp_path)], capture_output=True)
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    assert len(generations(tmp_path)) == 2
    assert found(tmp_path, encoder, "謝金")[0] == TEXTS[0]
    assert update(tmp_path, chunks, encoder) == IndexChanges(0, 0, 0, 7)
    assert generations(tmp_path) == {before}


def test_the_previous_generation_is_kept_and_older_ones_go_unless_in_use(tmp_path: Path, chunks: list[Chunk]) -> None:
    encoder = Recording()
    names = []
    reader = None
    for count in range(1, 6):
        update(tmp_path, chunks[:count], encoder)
        names.append(current_generation(tmp_path, encoder.name))
        if count == 2:
            reader = open_index(tmp_path, encoder)
    assert generations(tmp_path) == {names[1], names[3], names[4]}
    assert reader is not None
    assert reader.sizes["passage"] == 2
    reader.close()
    update(tmp_path, chunks, encoder)
    assert generations(tmp_path) == {names[4], current_generation(tmp_path, encoder.name)}


def test_two_runs_at_once_are_refused(tmp_path: Path, chunks: list[Chunk]) -> None:
    encoder = Recording()

    def nested() -> Iterator[Chunk]:
        with pytest.raises(IndexBusyError, match="取り込みが実行中"):
            update(tmp_path, [], encoder)
        yield from chunks

    assert update_index(tmp_path, nested(), encoder, lambda read: None).created == 7


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path, chunks: list[Chunk]) -> None:
    (tmp_path / "data").write_text("a file where the folder should be")
    with pytest.raises(IndexUnwritableError, match="data"):
        update(tmp_path / "data", chunks, Recording())


@pytest.mark.parametrize("program", ["", "keikaku"])
def test_a_full_disk_does_not_keep_an_index_from_answering(
    tmp_path: Path, chunks: list[Chunk], program: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    encoder = Recording()
    of_program = [replace(chunk, program="keikaku" if n % 2 else "") for n, chunk in enumerate(chunks)]
    update_index(tmp_path, of_program, encoder, lambda _: None)
    vector = encoder.encode_queries(["財政力指数の条件は"])[0]
    usual = open_index(tmp_path, encoder)
    monkeypatch.setattr("shutil.disk_usage", lambda _: shutil._ntuple_diskusage(1, 1, 0))
    full = open_index(tmp_path, encoder)
    assert set(full.nearest(vector, program, 3)) == set(usual.nearest(vector, program, 3))
    full.close()
    usual.close()


def test_no_index_says_what_to_run(tmp_path: Path) -> None:
    with pytest.raises(IndexMissingError, match="python -m ingest"):
        open_index(tmp_path, Recording())


def test_another_embedding_has_its_own_generation_and_the_old_one_serves_until_then(
    tmp_path: Path, chunks: list[Chunk]
) -> None:
    old, new = Recording("old-model"), Recording("new-model")
    update(tmp_path, chunks, old)
    with pytest.raises(IndexMissingError, match="old-model"):
        open_index(tmp_path, new)
    assert found(tmp_path, old, "謝金")[0] == TEXTS[0]
    assert update(tmp_path, chunks, new) == IndexChanges(7, 0, 0, 0)
    assert len(new.encoded) == 7
    assert found(tmp_path, new, "謝金")[0] == found(tmp_path, old, "謝金")[0] == TEXTS[0]


def test_the_same_id_twice_is_refused(tmp_path: Path, chunks: list[Chunk]) -> None:
    with pytest.raises(ValueError, match="c0"):
        update(tmp_path, [*chunks, chunks[0]], Recording())


def test_progress_counts_what_was_read(tmp_path: Path) -> None:
    told: list[int] = []
    update_index(tmp_path, (passage(n, f"段落{n}") for n in range(MANY)), Recording(), told.append)
    assert told == sorted(told)
    assert told[-1] == MANY
    assert len(told) > 1


def test_the_pointer_is_readable_by_others(tmp_path: Path, chunks: list[Chunk]) -> None:
    previous = os.umask(0o022)
    try:
        update(tmp_path, chunks, Recording())
    finally:
        os.umask(previous)
    pointer = tmp_path / "index" / "current.json"
    assert pointer.stat().st_mode & 0o044 == 0o044
    assert json.loads(pointer.read_text())[0]["embedding"] == "recording"


sets_of_chunks = st.lists(
    st.dictionaries(st.integers(0, 5), st.sampled_from(TEXTS), max_size=6), min_size=2, max_size=4
)


@settings(max_examples=8)
@given(sets_of_chunks)
def test_increments_end_where_a_fresh_build_ends(
    tmp_path_factory: pytest.TempPathFactory, steps: list[dict[int, str]]
) -> None:
    encoder = Recording()
    incremental, fresh = tmp_path_factory.mktemp("incremental"), tmp_path_factory.mktemp("fresh")
    for step in steps:
        update(incremental, [passage(number, text) for number, text in step.items()], encoder)
    update(fresh, [passage(number, text) for number, text in steps[-1].items()], encoder)
    for query in ("謝金は誰が負担する", "毎月の募集", "財政力指数"):
        hits = []
        for data_dir in (incremental, fresh):
            searcher = Searcher(open_index(data_dir, encoder), encoder)
            hits.append(
                {hit.chunk.id: (pytest.approx(hit.score, abs=1e-3), hit.chunk.text) for hit in searcher.search(query)}
            )
            searcher.close()
        assert hits[0] == hits[1]


def test_a_chroma_server_stands_behind_the_same_index(tmp_path: Path, chunks: list[Chunk], chroma_url: str) -> None:
    encoder = Recording()

    def update_there(chunks: Sequence[Chunk]) -> IndexChanges:
        return update_index(tmp_path, chunks, encoder, lambda read: None, chroma_url)

    def found_there(query: str) -> list[str]:
        searcher = Searcher(open_index(tmp_path, encoder, chroma_url), encoder)
        try:
            return [hit.chunk.text for hit in searcher.search(query)]
        finally:
            searcher.close()

    assert update_there(chunks) == IndexChanges(7, 0, 0, 0)
    assert update_there(chunks) == IndexChanges(0, 0, 0, 7)
    texts = found_there("交通費はだれが払う")
    changed = replace(chunks[0], text="アドバイザーの宿泊費も国が持ちます。")
    assert update_there([changed, *chunks[2:]]) == IndexChanges(0, 1, 1, 5)
    assert found_there("宿泊費はだれが払う")[0] == changed.text
    assert chunks[1].text not in found_there("募集は毎月ありますか")
    with pytest.raises(IndexMissingError, match="python -m ingest"):
        open_index(tmp_path, encoder)

    assert update(tmp_path, chunks, encoder) == IndexChanges(7, 0, 0, 0)
    assert found(tmp_path, encoder, "交通費はだれが払う") == texts


def test_a_server_that_cannot_be_reached_is_named(tmp_path: Path, chunks: list[Chunk]) -> None:
    with pytest.raises(OutsideError, match=r"http://127\.0\.0\.1:9"):
        update_index(tmp_path, chunks, Recording(), lambda read: None, "http://127.0.0.1:9")
