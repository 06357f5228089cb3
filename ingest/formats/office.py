"""Word documents and Excel workbooks."""

import datetime
import re
import warnings
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import docx
from docx.document import Document as WordDocument
from docx.table import Table
from docx.text.paragraph import Paragraph
from openpyxl import load_workbook

from ingest.characters import clean
from ingest.formats.tables import row_text, rows_of
from ingest.types import Block, ReadError

_MAX_UNPACKED = 1 << 30  # bytes; a larger one is no document but an archive made to fill the memory
_MERGES_BELOW = 1 << 20  # bytes of a workbook's file: larger ones are streamed, which cannot tell merged cells
_HEADING_STYLE = re.compile(r"^(?:heading|見出し)\s*(\d)$", re.I)
_DEFAULT_SHEET = re.compile(r"^(?:sheet|シート)\s*\d*$", re.I)
_OLD_OFFICE = b"\xd0\xcf\x11\xe0"


def check_package(path: Path, part: str) -> None:
    """Refuses what is not a sound Office file.

    Raises:
        ReadError: it is protected, of the old format, of another kind, or unpacks to more than can be read.
        zipfile.BadZipFile: it is damaged.
    """
    with path.open("rb") as file:
        if file.read(4) == _OLD_OFFICE:
            raise ReadError(
                "パスワードで保護されているか、古い形式(doc・xls)のファイルです",
                "保護を外し、docx か xlsx で保存し直してください",
            )
    with zipfile.ZipFile(path) as package:
        if not any(name.startswith(part) for name in package.namelist()):
            raise ReadError("中身が拡張子と合いません", "元のアプリケーションで保存し直してください")
        if sum(entry.file_size for entry in package.infolist()) > _MAX_UNPACKED:
            raise ReadError("展開すると大きすぎるファイルです", "分割してから追加してください")


def open_word(path: Path) -> WordDocument:
    """A Word document that is sound enough to be read."""
    check_package(path, "word/")
    return docx.Document(str(path))


def read_word(document: WordDocument) -> Iterator[Block]:
    """Headings, paragraphs, list items and tables in the order of the document."""
    tables = 0
    for number, part in enumerate(document.iter_inner_content(), 1):
        if isinstance(part, Paragraph):
            yield from _paragraph(part, f"{number}段落目")
        else:
            tables += 1
            yield from _word_table(part, tables)


def _paragraph(paragraph: Paragraph, place: str) -> Iterator[Block]:
    style = (paragraph.style.name or "") if paragraph.style is not None else ""
    heading = _HEADING_STYLE.match(style)
    for line in paragraph.text.split("\n"):
        text = clean(line)
        if not text:
            continue
        if heading:
            yield Block("heading", text, place, int(heading[1]))
        elif style in ("Title", "表題"):
            yield Block("heading", text, place, 1)
        elif style.startswith(("List", "リスト", "箇条書き")) or paragraph._p.xpath("./w:pPr/w:numPr"):
            yield Block("item", text, place)
        else:
            yield Block("paragraph", text, place)


def _word_table(table: Table, number: int) -> Iterator[Block]:
    rows = [[clean(cell.text) for cell in row.cells] for row in table.rows]
    if len(rows) == 1 or len(table.columns) == 1:  # a frame around text
        seen = set()
        for row in table.rows:
            for cell in row.cells:
                if cell._tc not in seen:
                    seen.add(cell._tc)
                    for paragraph in cell.paragraphs:
                        yield from _paragraph(paragraph, f"表{number}")
        return
    yield from rows_of(rows, [f"表{number}の{position}行目" for position in range(1, len(rows) + 1)])


def read_workbook(path: Path) -> Iterator[Block]:
    """Each row of each sheet under the headings of its columns; a sheet's name is a heading."""
    check_package(path, "xl/")
    streamed = path.stat().st_size > _MERGES_BELOW
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # parts that it does not keep (drop-down lists and the like)
        book = load_workbook(path, read_only=streamed, data_only=True)
    try:
        for sheet in book.worksheets:
            if sheet.sheet_state != "visible":
                continue
            if not _DEFAULT_SHEET.match(sheet.title):
                yield Block("heading", clean(sheet.title), f"シート「{sheet.title}」", 1)
            if not streamed:
                _fill_merged(sheet)
            yield from _sheet_rows(sheet)
    finally:
        book.close()


def _fill_merged(sheet: Any) -> None:
    """Cells that were merged down a column hold their value in each row; across columns, in the first only."""
    for area in list(sheet.merged_cells.ranges):
        value = sheet.cell(area.min_row, area.min_col).value
        sheet.unmerge_cells(str(area))
        for row in range(area.min_row, area.max_row + 1):
            sheet.cell(row, area.min_col).value = value


def _sheet_rows(sheet: Any) -> Iterator[Block]:
    header: list[str] = []
    for number, cells in enumerate(sheet.iter_rows(), 1):
        values = [_cell_text(cell) for cell in cells]
        filled = [value for value in values if value]
        place = f"シート「{sheet.title}」{number}行目"
        if not filled:
            header = []
        elif len(filled) == 1:
            yield Block("paragraph", filled[0], place)
        elif not header and len(filled) > 2 and all(len(value) <= 30 for value in filled):
            header = values
        elif not header and len(filled) == 2:
            yield Block("row", row_text(filled[:1], filled[1:]), place)
        else:
            yield Block("row", row_text(header, values), place)


def _cell_text(cell: Any) -> str:
    """A cell as it is read on the sheet: whole numbers without .0, dates in Japanese, percentages as such."""
    value = cell.value
    if value is None:
        return ""
    if isinstance(value, bool):
        return "○" if value else "×"
    if isinstance(value, datetime.datetime | datetime.date):
        return f"{value.year}年{value.month}月{value.day}日"
    if isinstance(value, int | float):
        if "%" in (cell.number_format or ""):
            return f"{value * 100:g}%"
        return f"{value:,}" if isinstance(value, int) or not value.is_integer() else f"{int(value):,}"
    return clean(str(value).replace("\n", " "))
