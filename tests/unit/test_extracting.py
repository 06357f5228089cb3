"""Real files of each format, made here, and what is read from them."""

import zipfile
from collections.abc import Callable
from pathlib import Path

import docx
import pytest
from openpyxl import Workbook

from ingest.characters import clean, decode
from ingest.extracting import SUFFIXES, extract, suffix_of
from ingest.types import Block, Document, ReadError


def read(path: Path) -> tuple[Document, list[Block]]:
    document = extract(path, path.name)
    return document, list(document.blocks)


def texts(blocks: list[Block], kind: str) -> list[str]:
    return [block.text for block in blocks if block.kind == kind]


def write(folder: Path, name: str, content: str | bytes) -> Path:
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def pdf_bytes(page: str = "", trailer: str = "") -> bytes:
    """A PDF of one page, written by hand; its fonts are F (Helvetica) and B (Helvetica-Bold)."""
    objects = [
        "<</Type/Catalog/Pages 2 0 R>>",
        "<</Type/Pages/Kids[3 0 R]/Count 1>>",
        "<</Type/Page/Parent 2 0 R/MediaBox[0 0 300 300]/Contents 4 0 R/Resources<</Font<</F 5 0 R/B 6 0 R>>>>>>",
        f"<</Length {len(page)}>>stream\n{page}\nendstream",
        "<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>",
        "<</Type/Font/Subtype/Type1/BaseFont/Helvetica-Bold>>",
    ]
    body, offsets = "%PDF-1.4\n", []
    for number, content in enumerate(objects, 1):
        offsets.append(len(body))
        body += f"{number} 0 obj\n{content}\nendobj\n"
    table = "".join(f"{offset:010} 00000 n \n" for offset in offsets)
    head = f"xref\n0 {len(objects) + 1}\n0000000000 65535 f \n{table}"
    return (
        f"{body}{head}trailer<</Size {len(objects) + 1}/Root 1 0 R{trailer}>>\nstartxref\n{len(body)}\n%%EOF".encode()
    )


ENCRYPTED = f"/Encrypt<</Filter/Standard/V 1/R 2/P -4/O<{'41' * 32}>/U<{'42' * 32}>>>/ID[<{'43' * 16}><{'43' * 16}>]"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp932", "euc_jp", "iso2022_jp", "utf-16"])
def test_text_is_decoded_whatever_japanese_encoding_it_has(encoding: str) -> None:
    text = "総務省の補助事業について、上限は1千万円です。"
    assert decode(text.encode(encoding)) == text


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("１，０００万円（税込）", "1,000万円(税込)"),
        ("⽕曜⽇の⼿数料", "火曜日の手数料"),
        ("⺠間と⻄⽇本、⻑崎", "民間と西日本、長崎"),
        ("①申請 ⑩報告", "(1)申請 (10)報告"),
        ("㈱と㌢", "(株)とセンチ"),
        ("一\u200b行　に　した", "一行 に した"),
    ],
)
def test_a_word_has_one_spelling(written: str, read: str) -> None:
    assert clean(written) == read


def test_text_has_a_paragraph_for_each_line_with_its_number(tmp_path: Path) -> None:
    document, blocks = read(write(tmp_path, "案内.txt", "補助金の案内\n\n・対象\n市町村です。\n"))
    assert document.title == "補助金の案内"
    assert [(block.text, block.place) for block in blocks] == [
        ("補助金の案内", "1行目"),
        ("・対象", "3行目"),
        ("市町村です。", "4行目"),
    ]


def test_tables_pasted_into_text_are_read_row_by_row(tmp_path: Path) -> None:
    _, blocks = read(write(tmp_path, "a.txt", "採点の基準\n項目\t配点\n効果\t40点\n継続性\t30点\n以上です。"))
    assert [(block.kind, block.text, block.place) for block in blocks[1:]] == [
        ("row", "項目: 効果 | 配点: 40点", "3行目"),
        ("row", "項目: 継続性 | 配点: 30点", "4行目"),
        ("paragraph", "以上です。", "5行目"),
    ]


def test_text_broken_at_a_fixed_width_is_put_together(tmp_path: Path) -> None:
    sentence = (
        "この補助金は地域の課題をデジタル技術で解決しようとする市町村の取り組みを支援するもので、"
        "機器の購入費と設計の費用を対象とします。"
    )
    lines = [sentence[start : start + 20] for start in range(0, len(sentence), 20)]
    _, blocks = read(write(tmp_path, "a.txt", "\n".join(["案内", *lines, *lines])))
    assert texts(blocks, "paragraph") == ["案内", sentence, sentence]


def test_markdown_has_headings_items_tables_and_front_matter(tmp_path: Path) -> None:
    content = (
        "---\ntitle: 手引き\nurl: https://example.jp/a\n---\n# 概要\n**市**が対象です。\n\n"
        "経費\n----\n- 機器\n1. 申請\n\n"
        "| 区分 | 補助率 |\n|---|---|\n| 一般 | 1/2 |\n| 過疎 | 2/3 |\n\n```\n# 注釈\n```\n"
    )
    document, blocks = read(write(tmp_path, "a.md", content))
    assert (document.title, document.url) == ("手引き", "https://example.jp/a")
    assert [(block.text, block.level) for block in blocks if block.kind == "heading"] == [("概要", 1), ("経費", 2)]
    assert texts(blocks, "item") == ["機器", "1. 申請"]
    assert texts(blocks, "row") == ["区分: 一般 | 補助率: 1/2", "区分: 過疎 | 補助率: 2/3"]
    assert texts(blocks, "paragraph") == ["市が対象です。", "# 注釈"]
    assert blocks[0].place == "5行目"


def test_plain_lines_in_markdown_stay_lines(tmp_path: Path) -> None:
    _, blocks = read(write(tmp_path, "a.md", "補助金の案内\n・対象\n市町村です。"))
    assert texts(blocks, "paragraph") == ["補助金の案内", "・対象", "市町村です。"]


def test_html_gives_the_main_content_without_what_surrounds_it(tmp_path: Path) -> None:
    page = (
        "<!doctype html><html><head><title>補助金 | 県</title><link rel=canonical href='https://example.jp/p'></head><body>"
        "<nav><ul><li>ホーム</li></ul></nav><main><h1>補助金</h1><ul><li><a>対象</a></li><li><a>経費</a></li><li><a>窓口</a>"
        "</li></ul><h2>対象</h2><p>市と<ruby>町<rt>まち</rt></ruby>です。<br>村は含みません。</p><ul><li>条件1<ul><li>条件2"
        "</li></ul></li></ul><script>x</script></main><footer>連絡先</footer></body></html>"
    )
    document, blocks = read(write(tmp_path, "a.html", page))
    assert (document.title, document.url) == ("補助金", "https://example.jp/p")
    assert [(block.kind, block.text) for block in blocks] == [
        ("heading", "補助金"),
        ("heading", "対象"),
        ("paragraph", "市と町です。"),
        ("paragraph", "村は含みません。"),
        ("item", "条件1"),
        ("item", "条件2"),
    ]


@pytest.mark.parametrize(("encoding", "meta"), [("cp932", '<meta charset="Shift_JIS">'), ("euc_jp", ""), ("cp932", "")])
def test_html_is_decoded_by_its_meta_element_or_its_bytes(tmp_path: Path, encoding: str, meta: str) -> None:
    page = f"<html><head>{meta}<title>題</title></head><body><p>補助金の上限額を説明します。</p></body></html>"
    _, blocks = read(write(tmp_path, "a.html", page.encode(encoding)))
    assert texts(blocks, "paragraph") == ["補助金の上限額を説明します。"]


def test_html_tables_are_read_with_cells_that_span(tmp_path: Path) -> None:
    table = (
        "<table><tr><th>区分</th><th>経費</th><th>上限</th></tr>"
        "<tr><td rowspan=2>市</td><td>機器</td><td>100万円</td></tr>"
        "<tr><td>設計</td><td>50万円</td></tr></table><table><tr><td>期間</td><td>4月から9月</td></tr></table>"
    )
    _, blocks = read(write(tmp_path, "a.html", f"<body>{table}</body>"))
    assert texts(blocks, "row") == [
        "区分: 市 | 経費: 機器 | 上限: 100万円",
        "区分: 市 | 経費: 設計 | 上限: 50万円",
        "期間: 4月から9月",
    ]


def test_word_documents_are_read_in_their_order(tmp_path: Path) -> None:
    word = docx.Document()
    word.add_heading("補助金の手引き", 0)
    word.add_heading("対象", 1)
    word.add_paragraph("市町村です。")
    word.add_paragraph("条件1", style="List Bullet")
    table = word.add_table(2, 2)
    for cell, text in zip(table._cells, ["区分", "補助率", "一般", "1/2"], strict=True):
        cell.text = text
    word.add_paragraph("以上です。")
    word.save(str(tmp_path / "a.docx"))
    document, blocks = read(tmp_path / "a.docx")
    assert document.title == "補助金の手引き"
    assert [(block.kind, block.text) for block in blocks] == [
        ("heading", "補助金の手引き"),
        ("heading", "対象"),
        ("paragraph", "市町村です。"),
        ("item", "条件1"),
        ("row", "区分: 一般 | 補助率: 1/2"),
        ("paragraph", "以上です。"),
    ]


def test_workbooks_are_read_row_by_row_under_their_headings(tmp_path: Path) -> None:
    book = Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.title = "補助率"
    sheet.append(["補助率の一覧"])
    sheet.append(["事業", "区分", "補助率", "上限額"])
    sheet.append(["基盤整備", "市", 0.5, 1200000])
    sheet.append([None, "町村", "2/3", 800.0])
    sheet["C3"].number_format = "0%"
    sheet["D3"].number_format = "#,##0"
    sheet.merge_cells("A3:A4")
    hidden = book.create_sheet("内部用")
    hidden.append(["見せない", "値", "もの"])
    hidden.sheet_state = "hidden"
    book.save(tmp_path / "a.xlsx")
    document, blocks = read(tmp_path / "a.xlsx")
    assert document.title == "補助率の一覧"
    assert [(block.kind, block.text) for block in blocks] == [
        ("heading", "補助率の一覧"),
        ("heading", "補助率"),
        ("row", "事業: 基盤整備 | 区分: 市 | 補助率: 50% | 上限額: 1,200,000"),
        ("row", "事業: 基盤整備 | 区分: 町村 | 補助率: 2/3 | 上限額: 800"),
    ]
    assert blocks[2].place == "シート「補助率」3行目"


def test_pdf_has_whole_paragraphs_headings_by_size_and_ruled_tables(print_pdf: Callable[[str], Path]) -> None:
    sentence = "この補助金は、地域の課題をデジタル技術で解決しようとする市町村の取り組みを支援するものです。" * 3
    page = (
        "<title>手引き</title><style>td,th{border:1px solid}"
        "p.next{break-before:page}</style><body><h1>補助金の手引き</h1>"
        f"<h2>対象</h2><p>{sentence}</p><p>{sentence}</p><table><tr><th>区分</th><th>補助率</th></tr><tr><td>一般</td>"
        "<td>1/2</td></tr><tr><td>過疎</td><td>2/3</td></tr></table>"
        "<h2>経費</h2><p class=next>機器の購入費です。</p></body>"
    )
    document, blocks = read(print_pdf(page))
    assert document.title == "手引き"
    assert [(block.kind, block.text, block.place) for block in blocks] == [
        ("heading", "補助金の手引き", "1ページ"),
        ("heading", "対象", "1ページ"),
        ("paragraph", sentence, "1ページ"),
        ("paragraph", sentence, "1ページ"),
        ("row", "区分: 一般 | 補助率: 1/2", "1ページの表"),
        ("row", "区分: 過疎 | 補助率: 2/3", "1ページの表"),
        ("heading", "経費", "1ページ"),
        ("paragraph", "機器の購入費です。", "2ページ"),
    ]


def test_pdf_running_heads_and_page_numbers_are_left_out(print_pdf: Callable[[str], Path]) -> None:
    pages = "".join(
        f'<div style="break-after:page"><p>令和7年度 手引き</p><p>第{number}の説明です。</p><p>- {number} -</p></div>'
        for number in range(1, 5)
    )
    _, blocks = read(print_pdf(f"<body>{pages}</body>"))
    assert texts(blocks, "paragraph") == [f"第{number}の説明です。" for number in range(1, 5)]


def test_a_bold_line_of_a_pdf_is_a_heading(tmp_path: Path) -> None:
    lines = "BT /B 12 Tf 20 200 Td (Who can apply) Tj /F 12 Tf 0 -40 Td (Towns and villages can apply.) Tj ET"
    _, blocks = read(write(tmp_path, "a.pdf", pdf_bytes(lines)))
    assert [(block.kind, block.text) for block in blocks] == [
        ("heading", "Who can apply"),
        ("paragraph", "Towns and villages can apply."),
    ]


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("空.txt", b"", "空です"),
        ("白紙.txt", b"  \n\n", "空です"),
        ("画像.txt", b"\x89PNG\x00\x01\x02", "バイナリ"),
        ("謎.txt", bytes(range(128, 256)) * 3, "文字コード"),
        ("表.xls", b"a,b", "対応していない形式"),
        ("なし", b"a", "対応していない形式"),
        ("壊れた.pdf", b"%PDF-1.4 broken", "PDFとして読めません"),
        ("鍵.pdf", pdf_bytes(trailer=ENCRYPTED), "パスワード"),
        ("画像.pdf", pdf_bytes(), "文字の入っていないPDF"),
        ("壊れた.docx", b"PK\x03\x04 broken", "壊れています"),
        ("鍵.docx", b"\xd0\xcf\x11\xe0" + b"\0" * 600, "パスワード"),
        ("文.docx", b"text", "壊れています"),
        ("壊れた.xlsx", b"PK\x03\x04 broken", "壊れています"),
        ("実はPDF.txt", pdf_bytes(), "拡張子と合いません"),
        ("実はWeb.md", b"<!DOCTYPE html><p>a</p>", "拡張子と合いません"),
        ("深い.html", b"<div>" * 5000 + b"a", "入れ子が深すぎる"),
        ("空.html", b"<html><body><nav>a</nav></body></html>", "文字が入っていません"),
    ],
)
def test_a_bad_file_is_refused_with_reason_and_remedy(tmp_path: Path, name: str, content: bytes, reason: str) -> None:
    with pytest.raises(ReadError) as refused:
        read(write(tmp_path, name, content))
    assert reason in refused.value.reason
    assert refused.value.remedy.endswith("ください")


@pytest.mark.parametrize("part", ["word/document.xml", "xl/workbook.xml"])
def test_a_package_with_a_broken_part_is_refused(tmp_path: Path, part: str) -> None:
    path = tmp_path / ("a.docx" if part.startswith("word") else "a.xlsx")
    with zipfile.ZipFile(path, "w") as package:
        package.writestr(part, "<not closed")
    with pytest.raises(ReadError, match="壊れています"):
        read(path)


def test_a_package_that_unpacks_to_too_much_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.docx"
    with (
        zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as package,
        package.open("word/document.xml", "w", force_zip64=True) as part,
    ):
        for _ in range(50):
            part.write(bytes(1 << 20))
    with pytest.raises(ReadError, match="大きすぎ"):
        read(path)


def test_a_file_without_a_name_is_known_by_its_content(tmp_path: Path) -> None:
    docx.Document().save(str(tmp_path / "a.docx"))
    Workbook().save(tmp_path / "a.xlsx")
    assert suffix_of((tmp_path / "a.docx").read_bytes()) == ".docx"
    assert suffix_of((tmp_path / "a.xlsx").read_bytes()) == ".xlsx"
    assert suffix_of(pdf_bytes()) == ".pdf"
    assert suffix_of(b"\n<!DOCTYPE html><p>a") == ".html"
    assert suffix_of("案内".encode()) == ".txt"
    assert {suffix_of(b""), ".md"} <= set(SUFFIXES)
