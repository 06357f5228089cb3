"""What documents become: chunks of the right program, under their headings, the same whatever the file's format."""

import html
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import docx
import pytest
import yaml

from ingest.chunking import FULL, chunk
from ingest.documents import Documents
from ingest.outlining import ProgramNames, outline
from knowledge.catalog import load_catalog
from knowledge.types import Chunk

HERE = Path(__file__).parent
CASES = yaml.safe_load((HERE / "chunking_cases.yaml").read_text(encoding="utf-8"))
PAGE = (HERE / "program_page.txt").read_text(encoding="utf-8")
HEADINGS = {"架空省のデジタル化支援": 1, "人と体制を助ける事業": 2, "計画策定支援": 3, "推進体制構築支援": 3,
            "「地域情報化アドバイザー」派遣事業": 3, "利用のヒント": 4}  # fmt: skip

Reader = Callable[..., list[Chunk]]


@pytest.fixture
def chunks_of(tmp_path: Path) -> Reader:
    """Adds a file and gives its chunks."""
    documents, names = Documents(tmp_path / "data"), ProgramNames(load_catalog().programs)

    def read(file: Path, id: str = "") -> list[Chunk]:
        with documents.changing():
            document = documents.open(documents.add(file, id or file.name))
            return list(chunk(document, outline(document, names)))

    return read


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_documents_become_chunks(case: dict[str, Any], chunks_of: Reader, tmp_path: Path) -> None:
    file = tmp_path / "案内.txt"
    file.write_text(PAGE if "file" in case else case["text"], encoding="utf-8")
    chunks = chunks_of(file)
    wanted = case["chunks"]
    assert [(c.program, c.headings[-1]) for c in chunks] == [(w.get("program", ""), w["under"]) for w in wanted]
    for c, w in zip(chunks, wanted, strict=True):
        begins = w["text"].endswith("…")
        assert (c.text[: len(w["text"]) - 1] + "…" if begins else c.text) == w["text"]


def test_a_byline_is_kept_with_its_section_and_only_once(chunks_of: Reader, tmp_path: Path) -> None:
    chunks = chunks_of(HERE / "program_page.txt")
    with_names = [c.text for c in chunks if "山田 花子(やまだ はなこ)" in c.text]
    assert len(with_names) == 1
    assert with_names[0].count("山田 花子") == 1
    assert len(with_names[0]) > 100


def test_a_place_begins_with_the_program_and_ends_with_the_line(chunks_of: Reader) -> None:
    place = next(c.place for c in chunks_of(HERE / "program_page.txt") if c.text.startswith("上限6,000万円"))
    assert place == "推進体制構築支援 > 事業規模(31行目)"


def as_marked_html(line: str) -> str:
    text = html.escape(line)
    if level := HEADINGS.get(line):
        return f"<h{level}>{text}</h{level}>"
    if line.startswith("・"):
        return f"<h4>{text[1:]}</h4>"
    return f"<ul><li>{text[4:]}</li></ul>" if line.startswith("- - ") else f"<p>{text}</p>"


def page_in(form: str, folder: Path, request: pytest.FixtureRequest) -> Path:
    lines = [line for line in PAGE.splitlines() if line]
    file = folder / f"page.{form.split()[0]}"
    match form:
        case "docx" | "docx with headings":
            word = docx.Document()
            for line in lines:
                level = HEADINGS.get(line) or (4 if line.startswith("・") else 0)
                if level and form != "docx":
                    word.add_heading(line.lstrip("・"), level)
                else:
                    word.add_paragraph(line)
            word.save(str(file))
        case "html":
            file.write_text("<html><body>" + "".join(f"<p>{html.escape(line)}</p>" for line in lines), "utf-8")
        case "html with headings":
            file.write_text(f"<html><body><main>{''.join(map(as_marked_html, lines))}</main>", encoding="utf-8")
        case "pdf":
            print_pdf: Callable[[str], Path] = request.getfixturevalue("print_pdf")
            return print_pdf("".join(f"<p>{html.escape(line)}</p>" for line in lines))
        case _:
            file.write_text(PAGE, encoding="utf-8")
    return file


@pytest.mark.parametrize("form", ["md", "docx", "docx with headings", "html", "html with headings", "pdf"])
def test_the_same_page_gives_the_same_chunks_in_every_format(
    form: str, chunks_of: Reader, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    def content(chunks: list[Chunk]) -> list[tuple[str, tuple[str, ...], str]]:
        return [(c.program, c.headings[-2:], c.text) for c in chunks]

    assert content(chunks_of(page_in(form, tmp_path, request))) == content(chunks_of(HERE / "program_page.txt"))


def test_ids_survive_changes_around_and_figures_within(chunks_of: Reader, tmp_path: Path) -> None:
    before = chunks_of(HERE / "program_page.txt", "a.txt")
    changed = PAGE.replace("上限6,000万円", "上限9,000万円")
    changed = changed.replace("・全体予算", "・新しい項目\n説明です。\n・全体予算")
    file = tmp_path / "a.txt"
    file.write_text(changed, encoding="utf-8")
    after = {c.id: c for c in chunks_of(file)}
    assert {c.id for c in before} < after.keys()
    differing = [c for c in before if replace(c, place="") != replace(after[c.id], place="")]
    assert [c.headings[-1] for c in differing] == ["事業規模"]


def test_a_table_is_split_between_rows_and_each_row_is_read_alone(chunks_of: Reader, tmp_path: Path) -> None:
    rows = [f"| 第{n}区分の設備 | {n}分の1 | {n * 10}万円 |" for n in range(2, 40)]
    file = tmp_path / "a.md"
    file.write_text("\n".join(["# 補助の一覧", "| 区分 | 補助率 | 上限額 |", "|---|---|---|", *rows]), encoding="utf-8")
    chunks = chunks_of(file)
    assert len(chunks) > 1
    assert all(len(c.text) <= FULL for c in chunks)
    lines = [line for c in chunks for line in c.text.split("\n")]
    assert lines == [f"区分: 第{n}区分の設備 | 補助率: {n}分の1 | 上限額: {n * 10}万円" for n in range(2, 40)]
