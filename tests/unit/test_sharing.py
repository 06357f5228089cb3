"""What hosts share of their folders: the same everywhere, or as it was before."""

import json
import threading

import pytest

from knowledge.sharing import Shelf, open_shelf
from knowledge.store import POINTER

pytestmark = pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)


def write(folder, generation, **documents):
    """What a run of ingest leaves in a folder."""
    index = folder / "index" / generation
    index.mkdir(parents=True, exist_ok=True)
    (index / "in-use").touch()
    (index / "index.sqlite").write_bytes(generation.encode() * 1_000_000)  # several parts
    (folder / POINTER).write_text(json.dumps([{"embedding": "e", "generation": generation}]))
    (folder / "documents").mkdir(exist_ok=True)
    for file in (folder / "documents").iterdir():
        file.unlink()
    for name, text in documents.items():
        (folder / "documents" / name).write_text(text)
    (folder / "audit.json").write_text(generation)


def held(folder):
    """The files of a folder that are shared, with their content."""
    files = [file for file in folder.rglob("*") if file.is_file() and not file.name.startswith("shared.")]
    return {file.relative_to(folder).as_posix(): file.read_bytes() for file in files}


async def test_a_folder_becomes_what_another_host_has_made_and_loses_what_is_gone(database_url, tmp_path):
    here, there = (Shelf(database_url, tmp_path / name) for name in ("a", "b"))
    await there.fetch()  # nothing is shared yet

    def changes():
        for number, documents in enumerate(({"x": "1", "y": "2"}, {"y": "3"}), 1):
            with here.changing():
                write(tmp_path / "a", f"00000{number}-abc", **documents)

    thread = threading.Thread(target=changes)
    thread.start()
    thread.join()
    await there.fetch()
    made = held(tmp_path / "b")
    assert made["documents/y"] == b"3"
    assert made["index/000002-abc/index.sqlite"] == b"000002-abc" * 1_000_000
    assert not any(path.startswith(("index/000001", "documents/x")) for path in made)
    assert made == {path: content for path, content in held(tmp_path / "a").items() if "000001" not in path}
    (tmp_path / "b" / "audit.json").unlink()
    (tmp_path / "b" / "shared.json").unlink()
    await there.fetch()  # a disk that has lost something
    assert held(tmp_path / "b") == made


async def test_what_a_run_left_that_failed_or_was_killed_is_undone(database_url, tmp_path):
    shelf = Shelf(database_url, tmp_path)

    def run(generation, fails):
        with shelf.changing():
            write(tmp_path, generation, x=generation)
            if fails:
                raise KeyboardInterrupt

    def all_runs():
        run("000001-abc", fails=False)
        with pytest.raises(KeyboardInterrupt):
            run("000002-abc", fails=True)

    thread = threading.Thread(target=all_runs)
    thread.start()
    thread.join()
    assert held(tmp_path)["documents/x"] == b"000002-abc"
    await shelf.fetch()
    assert held(tmp_path)["documents/x"] == b"000001-abc"
    assert json.loads((tmp_path / POINTER).read_text())[0]["generation"] == "000001-abc"


def test_runs_on_two_hosts_go_one_after_the_other_and_each_builds_on_the_last(database_url, tmp_path):
    order = []

    def run(name):
        with Shelf(database_url, tmp_path / name).changing():
            before = sorted(file.name for file in (tmp_path / name / "documents").glob("*"))
            order.append((name, before))
            write(tmp_path / name, f"00000{len(order)}-abc", **dict.fromkeys([*before, name], "text"))
            order.append(name)

    threads = [threading.Thread(target=run, args=(name,)) for name in ("a", "b", "c")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [entry[0] for entry in order[::2]] == order[1::2]  # nobody began while another was at it
    assert [len(before) for _, before in order[::2]] == [0, 1, 2]


def test_without_a_server_for_both_nothing_is_shared(database_url, tmp_path):
    assert open_shelf(database_url, "", tmp_path) is None
    assert open_shelf("sqlite:///x", "http://127.0.0.1:1", tmp_path) is None
    assert open_shelf(database_url, "http://127.0.0.1:1", tmp_path) is not None
