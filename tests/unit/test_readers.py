"""What readers must not lose, and what must not make them hang: files of our own, made here."""

import zipfile
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest
import yaml
from openpyxl import Workbook

from ingest.extracting import extract
from ingest.formats.tables import Grid, rows_of
from ingest.types import Block, Document, ReadError

TABLES = yaml.safe_load((Path(__file__).parent / "tables.yaml").read_text(encoding="utf-8"))
WORD = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"


def read(path: Path) -> tuple[Document, list[Block]]:
    document = extract(path, path.name)
    return document, list(document.blocks)


def written(folder: Path, name: str, content: str | bytes) -> Path:
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def word_file(folder: Path, body: str, **parts: str) -> Path:
    path = folder / "a.docx"
    with zipfile.ZipFile(path, "w") as package:
        for name, content in {"document": f"<w:body>{body}</w:body>", **parts}.items():
            package.writestr(f"word/{name}.xml", f'<w:{name} xmlns:w="{WORD}">{content}</w:{name}>')
    return path


def paragraph(content: str) -> str:
    return f"<w:p>{content}</w:p>"


def run(text: str) -> str:
    return f"<w:r><w:t>{text}</w:t></w:r>"


@pytest.mark.parametrize("case", TABLES, ids=lambda case: case["name"])
def test_rows_are_read_with_what_heads_them(case: dict) -> None:
    grid = Grid(case["rows"], [""] * len(case["rows"]), case.get("headed", ()), case.get("labelled", ()))
    given = [f"{block.answers} => {block.text}" if block.answers else block.text for block in rows_of(grid)]
    assert given == case["read"]


def test_word_gives_what_is_tracked_boxed_and_controlled_and_not_what_was_deleted(tmp_path: Path) -> None:
    body = (
        paragraph(
            run("期限は")
            + f"<w:ins>{run('9月4日')}</w:ins><w:del><w:r><w:delText>8月1日</w:delText></w:r></w:del>"
            + run("です。")
        )
        + f"<w:ins>{paragraph(run('郵送も受け付けます。'))}</w:ins>"
        + paragraph(
            f"<w:r><w:pict><w:txbxContent>{paragraph(run('窓口は農林課です。'))}</w:txbxContent></w:pict></w:r>"
        )
        + f"<w:sdt><w:sdtContent>{paragraph(run('上限は7万円です。'))}</w:sdtContent></w:sdt>"
        + paragraph(run("対象は") + f"<w:smartTag>{run('町内')}</w:smartTag>" + run("の農家です。"))
    )
    footnote = f"<w:footnote>{paragraph(run('消費税は含みません。'))}</w:footnote>"
    _, blocks = read(word_file(tmp_path, body, hdr=paragraph(run("農機具補助")), footnotes=footnote))
    assert [block.text for block in blocks] == [
        "期限は9月4日です。",
        "郵送も受け付けます。",
        "窓口は農林課です。",
        "上限は7万円です。",
        "対象は町内の農家です。",
        "消費税は含みません。",
    ]


def test_a_merged_cell_of_a_word_table_counts_once(tmp_path: Path) -> None:
    def cell(text: str, span: int) -> str:
        return f'<w:tc><w:tcPr><w:gridSpan w:val="{span}"/></w:tcPr>{paragraph(run(text))}</w:tc>'

    rows = [("区分", "金額"), ("住宅", "8万円"), ("店舗", "15万円")]
    table = "".join(f"<w:tr>{cell(left, 2)}{cell(right, 3)}</w:tr>" for left, right in rows)
    _, blocks = read(word_file(tmp_path, f"<w:tbl>{table}</w:tbl>"))
    assert [block.text for block in blocks] == ["区分: 住宅 | 金額: 8万円", "区分: 店舗 | 金額: 15万円"]


def workbook(folder: Path, rows: list[list[object]], formats: dict[str, str] | None = None) -> Path:
    book = Workbook()
    sheet = book.active
    assert sheet is not None
    for row in rows:
        sheet.append(row)
    for cell, pattern in (formats or {}).items():
        sheet[cell].number_format = pattern
    path = folder / "a.xlsx"
    book.save(path)
    return path


def test_a_number_is_read_as_the_sheet_shows_it(tmp_path: Path) -> None:
    rows = [
        ["団体名", "年度", "電話番号", "補助額", "割合", "交付日", "率"],
        ["みどり会", 2026, 312345678, 1250000, 0.5, date(2026, 5, 7), 1.25],
    ]
    _, blocks = read(workbook(tmp_path, rows, {"C2": "0000000000", "E2": "0%", "G2": "0.0"}))
    assert blocks[0].text == (
        "団体名: みどり会 | 年度: 2026 | 電話番号: 0312345678 | 補助額: 1,250,000 | 割合: 50%"
        " | 交付日: 2026年5月7日 | 率: 1.2"
    )


def test_sections_and_gaps_of_a_sheet_keep_its_columns(tmp_path: Path) -> None:
    rows = [
        ["集会所", "定員", "利用料"],
        ["北部"],
        ["北会館", 30, 500],
        ["南部"],
        ["南会館", 40, 700],
        [],
        ["離れ", 8, 300],
    ]
    _, blocks = read(workbook(tmp_path, rows))
    assert [(block.kind, block.text) for block in blocks] == [
        ("heading", "北部"),
        ("row", "集会所: 北会館 | 定員: 30 | 利用料: 500"),
        ("heading", "南部"),
        ("row", "集会所: 南会館 | 定員: 40 | 利用料: 700"),
        ("row", "集会所: 離れ | 定員: 8 | 利用料: 300"),
    ]


def test_what_a_workbook_does_not_tell_is_named_with_its_place(tmp_path: Path) -> None:
    document, _ = read(workbook(tmp_path, [["費目", "金額", "計"], ["旅費", 100, "=B2*2"]]))
    assert [(gap.what, gap.place) for gap in document.unread] == [("計算結果のない数式", "シート「Sheet」C2")]


def test_only_the_cells_that_are_there_are_walked(tmp_path: Path) -> None:
    path = workbook(tmp_path, [["費目", "金額"], ["旅費", "5万円"]], {"XFD1048576": "0"})
    _, blocks = read(path)
    assert [block.text for block in blocks] == ["費目: 旅費 | 金額: 5万円"]


@pytest.mark.parametrize(
    ("name", "encoding", "mark"), [("a.csv", "cp932", ","), ("a.csv", "utf-8-sig", ","), ("a.tsv", "utf-8", "\t")]
)
def test_separated_values_are_rows(tmp_path: Path, name: str, encoding: str, mark: str) -> None:
    lines = [mark.join(row) for row in (["施設", "電話", "休館日"], ["町民館", "0120-11-2222", '"月曜,祝日"'])]
    _, blocks = read(written(tmp_path, name, "\r\n".join(lines).encode(encoding)))
    assert [(block.text, block.place) for block in blocks] == [
        ("施設: 町民館 | 電話: 0120-11-2222 | 休館日: 月曜,祝日", "2行目")
    ]


PAGES = yaml.safe_load((Path(__file__).parent / "pages.yaml").read_text(encoding="utf-8"))


@pytest.mark.parametrize("case", PAGES, ids=lambda case: case["name"])
def test_pages_keep_what_they_say(case: dict, tmp_path: Path) -> None:
    _, blocks = read(written(tmp_path, "a.html", f"<html><body>{case['html']}</body></html>"))
    assert [f"{block.kind}: {block.text}" for block in blocks] == case["read"]


def test_one_broken_byte_is_shown_and_named(tmp_path: Path) -> None:
    page = "<html><head><meta charset=Shift_JIS></head><body><p>上限は40万円です。下限はありません。</p></body></html>"
    document, blocks = read(written(tmp_path, "a.html", page.encode("cp932").replace(b"40", b"4\xff")))
    assert blocks[0].text == "上限は4〓万円です。下限はありません。"
    assert [gap.what for gap in document.unread] == ["文字コードの壊れた文字1字(〓で表示)"]


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("結合.html", "<table>" + ("<tr>" + "<td colspan=1000>a</td>" * 50 + "</tr>") * 9, "表が大きすぎます"),
        ("入れ子.html", "<table><tr><td>" * 3000, "入れ子が深すぎる"),
    ],
)
def test_what_would_fill_the_memory_is_refused(tmp_path: Path, name: str, content: str, reason: str) -> None:
    with pytest.raises(ReadError, match=reason):
        read(written(tmp_path, name, f"<!doctype html>{content}"))


def test_a_table_of_a_pdf_goes_on_over_pages_with_its_headings(print_pdf: Callable[[str], Path]) -> None:
    rows = "".join(
        f"<tr><td>第{n}号様式</td><td>{'郵送または持参とし、控えを残してください。' * 5}</td><td>{n}部</td></tr>"
        for n in range(1, 31)
    )
    page = (
        "<title>様式一覧</title><style>table{border-collapse:collapse}td,th{border:1px solid}</style>"
        f"<body><h1>様式一覧</h1><table><tr><th>様式</th><th>提出の仕方</th><th>部数</th></tr>{rows}</table></body>"
    )
    _, blocks = read(print_pdf(page))
    read_rows = [block for block in blocks if block.kind == "row"]
    assert [dict(block.cells)["様式"] for block in read_rows] == [f"第{n}号様式" for n in range(1, 31)]
    assert [dict(block.cells)["部数"] for block in read_rows] == [f"{n}部" for n in range(1, 31)]
    assert len({block.place for block in read_rows}) > 1
