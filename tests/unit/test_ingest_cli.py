"""`python -m ingest` as operators use it: what is printed, the exit statuses, and what a kill leaves behind."""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import docx
import pytest
from typer.testing import CliRunner, Result

from ingest.__main__ import app
from knowledge.catalog import load_catalog
from knowledge.conflicts import load_conflicts
from knowledge.encoder.encoding import load_encoder
from knowledge.search import Searcher
from knowledge.store import current_generation, open_index
from knowledge.types import Subject

ROOT = Path(__file__).parents[2]
GRANT = "空き家活用補助金の案内\n対象者\n市内に空き家を持つ方です。\n補助金の額\n工事費の2分の1で、上限は80万円です。\n"

Ingest = Callable[..., Result]


@pytest.fixture
def data(tmp_path: Path, data_dir: Path) -> Path:
    """A data folder that holds the index of the repository's own documents already."""
    folder = tmp_path / "data"
    subprocess.run(["cp", "-r", str(data_dir), str(folder)], check=True)
    return folder


@pytest.fixture
def ingest(data: Path, monkeypatch: pytest.MonkeyPatch) -> Ingest:
    """Runs the command line in this process."""
    monkeypatch.setenv("DATA_DIR", str(data))
    monkeypatch.setenv("COLUMNS", "300")

    def run(*words: object, stdin: bytes | None = None) -> Result:
        return CliRunner().invoke(app, [str(word) for word in words], input=stdin)

    return run


def counts(result: Result) -> list[int]:
    """Created, updated, deleted and unchanged, as printed."""
    found = re.search(r"新規 (\d+) / 更新 (\d+) / 削除 (\d+) / 変更なし (\d+)", result.output)
    assert found, result.output
    return [int(count) for count in found.groups()]


def passages(data: Path, query: str) -> list[str]:
    encoder = load_encoder()
    searcher = Searcher(open_index(data, encoder), encoder)
    hits = searcher.search(query, limit=3)
    searcher.close()
    return [hit.chunk.text for hit in hits]


def kept_files(data: Path) -> set[str]:
    return {file.name for file in (data / "documents").iterdir()}


# --- building -------------------------------------------------------------------------------------------------


def test_a_second_run_changes_nothing(ingest: Ingest, data: Path) -> None:
    before = current_generation(data, load_encoder().name)
    result = ingest()
    assert result.exit_code == 0
    assert counts(result)[:3] == [0, 0, 0]
    assert "変更はありません。" in result.output
    assert current_generation(data, load_encoder().name) == before


def test_documents_come_change_and_go(ingest: Ingest, data: Path, tmp_path: Path) -> None:
    file = tmp_path / "空き家.txt"
    file.write_text(GRANT, encoding="utf-8")
    result = ingest("add", file)
    assert result.exit_code == 0
    assert "追加しました: 空き家.txt 「空き家活用補助金の案内」" in result.output
    assert counts(result)[:3] == [2, 0, 0]
    assert "上限は80万円です" in passages(data, "空き家活用補助金の額")[0]

    assert "変わっていません: 空き家.txt" in ingest("add", file).output

    file.write_text(GRANT.replace("80万円", "90万円"), encoding="utf-8")
    result = ingest("add", file)
    assert "置き換えました: 空き家.txt" in result.output
    assert counts(result)[:3] == [0, 1, 0]
    assert "上限は90万円です" in passages(data, "空き家活用補助金の額")[0]
    assert len(kept_files(data)) == 4  # the original, its blocks, the list, the lock

    assert "空き家活用補助金の案内" in ingest("list").output

    result = ingest("remove", "空き家.txt")
    assert result.exit_code == 0
    assert counts(result)[:3] == [0, 0, 2]
    assert kept_files(data) == {"documents.json", "lock"}
    assert not any("空き家" in text for text in passages(data, "空き家活用補助金の額"))


def test_a_folder_is_added_with_its_subfolders(ingest: Ingest, tmp_path: Path) -> None:
    folder = tmp_path / "文書"
    (folder / "下").mkdir(parents=True)
    (folder / "a.txt").write_text(GRANT, encoding="utf-8")
    (folder / "下" / "b.md").write_text("# 別の補助金\n上限は10万円です。", encoding="utf-8")
    (folder / ".DS_Store").write_bytes(b"\0")
    (folder / "~$c.docx").write_bytes(b"\0")
    result = ingest("add", folder)
    assert result.exit_code == 0, result.output
    assert "追加しました: a.txt" in result.output
    assert "追加しました: 下/b.md" in result.output


@pytest.mark.parametrize(
    ("content", "kind"), [(GRANT.encode(), "txt"), (f"<!doctype html><p>{GRANT}</p>".encode(), "html")]
)
def test_standard_input_is_added(ingest: Ingest, content: bytes, kind: str) -> None:
    assert f"追加しました: stdin.{kind}" in ingest("add", "-", stdin=content).output
    result = ingest("add", "-", "--name", "空き家の案内", stdin=content)
    assert "追加しました: 空き家の案内" in result.output
    assert f"追加した文書({kind})" in ingest("list").output


def test_a_document_is_read_again_when_what_was_read_of_it_is_lost(ingest: Ingest, data: Path, tmp_path: Path) -> None:
    file = tmp_path / "空き家.txt"
    file.write_text(GRANT, encoding="utf-8")
    ingest("add", file)
    for blocks in (data / "documents").glob("*.jsonl"):
        blocks.unlink()
    result = ingest()
    assert result.exit_code == 0
    assert counts(result)[:3] == [0, 0, 0]


# --- what cannot be taken in ----------------------------------------------------------------------------------


def test_bad_files_are_named_and_skipped_and_the_others_go_in(ingest: Ingest, data: Path, tmp_path: Path) -> None:
    folder = tmp_path / "文書"
    folder.mkdir()
    (folder / "よい.txt").write_text(GRANT, encoding="utf-8")
    (folder / "空.txt").write_bytes(b"")
    (folder / "画像.txt").write_bytes(b"\x89PNG\0")
    (folder / "表.xls").write_bytes(b"a,b")
    (folder / "壊れた.docx").write_bytes(b"PK\x03\x04")
    word = docx.Document()
    word.save(str(folder / "白紙.docx"))
    result = ingest("add", folder, tmp_path / "ない.pdf")
    assert result.exit_code == 1
    assert counts(result)[:3] == [2, 0, 0]
    for name, reason in [
        ("空.txt", "ファイルが空です"),
        ("画像.txt", "バイナリ"),
        ("表.xls", "対応していない形式です"),
        ("壊れた.docx", "壊れています"),
        ("白紙.docx", "文字が入っていません"),
        ("ない.pdf", "ファイルを開けません(ありません)"),
    ]:
        told = re.search(rf"取り込めませんでした: {name}\n  理由: (.*)\n  対処: (.*)\n", result.output)
        assert told, name
        assert reason in told[1]
        assert told[2].endswith("ください")
    assert len(kept_files(data)) == 4


def test_a_link_out_of_the_folder_is_not_followed(ingest: Ingest, data: Path, tmp_path: Path) -> None:
    folder, outside = tmp_path / "文書", tmp_path / "よそ.txt"
    folder.mkdir()
    outside.write_text(GRANT, encoding="utf-8")
    (folder / "中.txt").symlink_to(outside)
    (folder / "ある.html").write_text(
        "<h1>水源保全補助金</h1><p>上限は7万円です。</p><img src=a.png>", encoding="utf-8"
    )
    result = ingest("add", folder)
    assert result.exit_code == 1
    assert "取り込めませんでした: 中.txt\n  理由: フォルダーの外へのリンクです" in result.output
    assert "この文書のおよそ33%は読み取れていません。\n  読み取れていません: 説明(alt)のない画像1点" in result.output
    assert not any("空き家" in text for text in passages(data, "空き家活用補助金の額"))


def test_a_bad_file_does_not_take_the_place_of_a_good_one(ingest: Ingest, tmp_path: Path, data: Path) -> None:
    file = tmp_path / "空き家.txt"
    file.write_text(GRANT, encoding="utf-8")
    ingest("add", file)
    file.write_bytes(b"\0")
    assert ingest("add", file).exit_code == 1
    assert "上限は80万円です" in passages(data, "空き家活用補助金の額")[0]


def test_two_files_of_one_name_are_not_mixed_up(ingest: Ingest, tmp_path: Path) -> None:
    for folder, text in (("a", GRANT), ("b", "別の補助金\n上限は10万円です。")):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "案内.txt").write_text(text, encoding="utf-8")
    result = ingest("add", tmp_path / "a" / "案内.txt", tmp_path / "b" / "案内.txt")
    assert result.exit_code == 1
    assert "同じ名前の文書(案内.txt)が重なっています" in result.output
    assert "空き家活用補助金の案内" in ingest("list").output


def test_a_lost_original_is_reported_and_its_passages_go(ingest: Ingest, data: Path, tmp_path: Path) -> None:
    file = tmp_path / "空き家.txt"
    file.write_text(GRANT, encoding="utf-8")
    ingest("add", file)
    for lost in (data / "documents").glob("*.txt*"):
        lost.unlink()
    result = ingest()
    assert result.exit_code == 1
    assert "読めませんでした: 空き家.txt\n  理由: 保存した原本がありません" in result.output
    assert counts(result)[:3] == [0, 0, 2]


@pytest.mark.parametrize(
    "words",
    [["adds"], ["add"], ["add", "--nothing", "a"], ["remove"], ["remove", "ない.txt"], ["add", "a", "b", "--name", "c"],
     ["add", "-", "-"]],
)  # fmt: skip
def test_wrong_use_ends_with_2(ingest: Ingest, words: list[str]) -> None:
    assert ingest(*words).exit_code == 2


def test_a_data_folder_that_cannot_be_written_to_ends_with_2(
    ingest: Ingest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    for place in (tmp_path / "file", "/proc/data"):
        monkeypatch.setenv("DATA_DIR", str(place))
        result = ingest()
        assert result.exit_code == 2
        assert f"読み書きできません: {place}" in result.output
        assert "対処: DATA_DIR の場所" in result.output


def test_a_damaged_list_is_named(ingest: Ingest, data: Path) -> None:
    (data / "documents").mkdir(exist_ok=True)
    (data / "documents" / "documents.json").write_text("{", encoding="utf-8")
    result = ingest()
    assert result.exit_code == 2
    assert f"一覧が壊れています: {data / 'documents' / 'documents.json'}" in result.output


@pytest.mark.parametrize("command", [[], ["add"], ["remove"], ["list"], ["audit"]])
def test_help_is_in_japanese(ingest: Ingest, command: list[str]) -> None:
    shown = ingest(*command, "--help")
    assert shown.exit_code == 0
    assert "オプション" in shown.output
    assert "この説明を表示します。" in shown.output


# --- the audit ------------------------------------------------------------------------------------------------


def page(leave_out: str = "", more: str = "") -> str:
    """A page that bears out every rule and guide of the catalog, phrase by phrase."""
    lines = ["資料"]
    catalog = load_catalog()
    for program in catalog.programs.values():
        lines += ["", f"■{program.name}"]
        rows = [
            row
            for year in program.years
            for p in year.parameters.values()
            for rs in p.values.values()
            for row in rs or ()
        ]
        quotes = [evidence.quote for row in rows for evidence in row.evidence]
        guide = catalog.guides[program.id].read_text(encoding="utf-8")
        for evidence in re.findall(r"^> 根拠.*$", guide, re.M):
            quotes += re.findall(r"「((?:[^「」]|「[^「」]*」)*)」", evidence.partition(":")[2])
        lines += [f"資料の文: {quote}。" for quote in dict.fromkeys(quotes) if quote != leave_out]
        lines += [more] if more and program.id == "suishin" else []
    return "\n".join(lines)


def test_without_a_document_the_audit_says_that_nothing_can_be_checked(ingest: Ingest) -> None:
    result = ingest("audit")
    assert result.exit_code == 0
    assert "推進体制構築支援の文書が追加されていないため、確かめられません。" in result.output


def test_a_page_that_bears_everything_out(ingest: Ingest, tmp_path: Path, data: Path) -> None:
    file = tmp_path / "資料.txt"
    file.write_text(page(), encoding="utf-8")
    assert ingest("add", file).exit_code == 0
    result = ingest("audit")
    assert result.exit_code == 0, result.output
    assert len(re.findall(r"見つからない 0 / 未確認 0", result.output)) == 3
    assert re.search(r"確認  .+: 「.+」\(資料.txt: 推進体制構築支援\(\d+行目\)\)", result.output)
    assert load_conflicts(data) == ()


def test_a_phrase_that_is_gone_and_a_figure_that_differs_end_with_1(ingest: Ingest, tmp_path: Path, data: Path) -> None:
    rows = load_catalog().programs["suishin"].years[-1].parameters[Subject.CAP].values.values()
    gone = next(row for dated in rows for row in dated or ()).evidence[0].quote
    file = tmp_path / "資料.txt"
    file.write_text(page(leave_out=gone, more="事業規模の上限は77億円です。"), encoding="utf-8")
    result = ingest("add", file)
    assert result.exit_code == 0
    assert "文書と規則の不一致が 1 件あります。" in result.output
    result = ingest("audit")
    assert result.exit_code == 1
    assert f"見つからない  事業規模の上限: 「{gone}」(資料での場所: " in result.output
    assert "    文書: 事業規模の上限は77億円です。(資料.txt: 推進体制構築支援(" in result.output
    (conflict,) = [conflict for conflict in load_conflicts(data) if conflict.document_says]
    assert (conflict.program, conflict.subject, conflict.document) == ("suishin", "cap", "資料.txt")
    assert {c.rule_says for c in load_conflicts(data) if not c.document_says} == {gone}

    ingest("remove", "資料.txt")
    assert load_conflicts(data) == ()


# --- kills ----------------------------------------------------------------------------------------------------


def test_a_killed_run_leaves_the_old_index_serving_and_the_next_one_completes(
    ingest: Ingest, data: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "文書"
    folder.mkdir()
    for number in range(10):
        sections = "".join(
            f"{n}. 第{n}の項目\n{number}番の補助金の{n}番目の説明を、ここに書きます。\n" for n in range(30)
        )
        (folder / f"{number}.txt").write_text(f"{number}番の補助金\n{sections}", encoding="utf-8")
    before = current_generation(data, load_encoder().name)
    index = data / "index"
    process = subprocess.Popen(
        [sys.executable, "-m", "ingest", "add", str(folder)],
        cwd=ROOT,
        env={**os.environ, "DATA_DIR": str(data)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    deadline = time.monotonic() + 60
    while len([g for g in index.iterdir() if g.is_dir()]) < 2 and time.monotonic() < deadline:
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL, "the run was over before it was killed"
    assert current_generation(data, load_encoder().name) == before
    assert passages(data, "アドバイザー派遣の費用")

    result = ingest()
    assert result.exit_code == 0
    assert counts(result)[:3] == [10 * 30, 0, 0]
    assert any("7番の補助金" in text for text in passages(data, "7番の補助金の3番目の説明"))
    assert sorted(g.name for g in index.iterdir() if g.is_dir())[-1] == current_generation(data, load_encoder().name)


def test_what_a_killed_add_has_left_is_removed(ingest: Ingest, data: Path) -> None:
    folder = data / "documents"
    folder.mkdir(exist_ok=True)
    for rest in (".new-123-abc.pdf", "abc.pdf", "abc.pdf-1.jsonl"):
        (folder / rest).write_bytes(b"half")
    assert ingest().exit_code == 0
    assert kept_files(data) == {"lock"}
