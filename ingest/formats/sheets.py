"""Excel workbooks, and tables as text (csv, tsv)."""

import csv
import datetime
import posixpath
import re
import warnings
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from lxml import etree
from openpyxl import load_workbook
from openpyxl.styles.numbers import BUILTIN_FORMATS
from openpyxl.utils import get_column_letter
from openpyxl.worksheet._reader import FORMULA_TAG, WorkSheetParser

from ingest.characters import clean, decode
from ingest.formats.packages import check_package
from ingest.formats.tables import Grid, check_size, header_rows, joined_header, row_text, rows_of
from ingest.types import PAGE, Block, ReadError, Unread

_MOST = 200 << 20  # bytes of XML, which is read as a stream
_MAX_CELLS = 3_000_000  # of a workbook; each is one that is really there
_DEFAULT_SHEET = re.compile(r"^(?:sheet|シート)\s*\d*$", re.I)
_AMOUNT = re.compile(r"(?:額|費|予算|円|収入|支出|金|料)(?:[((].*[))])?$")
_TITLE = 60  # characters of a line above the first table that is taken for the title
_ERAS = ((datetime.date(2019, 5, 1), "令和", 2018), (datetime.date(1989, 1, 8), "平成", 1988))
_DRAWN = "{http://schemas.openxmlformats.org/drawingml/2006/main}"


@dataclass(frozen=True)
class _Row:
    """A row that is there: its number, and its texts by column."""

    number: int
    texts: dict[int, str]


class _Sheet(WorkSheetParser):
    """openpyxl's own reader of a sheet, which gives only the cells that are there; notes formulas without a value."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.uncomputed: list[str] = []

    def parse_cell(self, element: Any) -> dict[str, Any]:
        cell: dict[str, Any] = super().parse_cell(element)
        if cell["value"] is None and element.find(FORMULA_TAG) is not None:
            self.uncomputed.append(f"{get_column_letter(cell['column'])}{cell['row']}")
        return cell


def read_workbook(path: Path) -> Iterator[Block | Unread]:
    """Each row of each sheet under the headings of its columns; a sheet's name is a heading.

    Only the cells that are there are walked, whatever range a sheet claims to use.

    Raises:
        ReadError: it has more cells than can be read.
    """
    check_package(path, "xl/", _MOST)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # parts that it does not keep (drop-down lists and the like)
        book = load_workbook(path, read_only=True, data_only=True)
    try:
        left = _MAX_CELLS
        for position, sheet in enumerate(book.worksheets):
            if sheet.sheet_state != "visible":
                yield Unread("非表示のシート", f"シート「{sheet.title}」", PAGE)
                continue
            rows, merged, uncomputed = _cells_of(book, sheet, left)
            left -= sum(len(row.texts) for row in rows)
            title = _title_above(rows) if not position else ""
            if title:
                rows = rows[1:]
                yield Block("heading", title, f"シート「{sheet.title}」", 1)
            if not _DEFAULT_SHEET.match(sheet.title):
                yield Block("heading", clean(sheet.title), f"シート「{sheet.title}」", 2 if title else 1)
            yield from _tables(sheet.title, rows, merged)
            for cell in uncomputed:
                yield Unread("計算結果のない数式", f"シート「{sheet.title}」{cell}")
        yield from _drawn_text(path)
        for chart in _named(path, "xl/charts/chart"):
            yield Unread("グラフ", posixpath.basename(chart))
    finally:
        book.close()


def _cells_of(book: Any, sheet: Any, most: int) -> tuple[list[_Row], list[Any], list[str]]:
    """The rows that hold a text, the merged areas, and the cells with a formula that has no value."""
    rows: list[_Row] = []
    with sheet._get_source() as source:
        parser = _Sheet(
            source, sheet._shared_strings, data_only=True, epoch=book.epoch,
            date_formats=book._date_formats, timedelta_formats=book._timedelta_formats,
        )  # fmt: skip
        for number, cells in parser.parse():
            texts = {}
            for cell in cells:
                if text := _cell_text(cell["value"], _format_of(book, cell["style_id"])):
                    texts[cell["column"]] = text
            most -= len(cells)
            if most < 0:
                raise ReadError("セルが多すぎる表です", "シートを分けて保存し直してください")
            if texts:
                rows.append(_Row(number, texts))
    areas = parser.merged_cells.mergeCell if parser.merged_cells else []
    return rows, list(areas), parser.uncomputed


def _format_of(book: Any, style: int) -> str:
    """A cell's number format as Excel writes it."""
    number = book._cell_styles[style].numFmtId if style < len(book._cell_styles) else 0
    if number < 164:
        return BUILTIN_FORMATS.get(number, "General")
    return str(book._number_formats[number - 164])


def _title_above(rows: list[_Row]) -> str:
    """The single text in the first row, where a table follows."""
    first = next(iter(rows[0].texts.values()), "") if len(rows) > 1 and len(rows[0].texts) == 1 else ""
    return first if first and len(first) <= _TITLE and not first.endswith("。") else ""


def _tables(sheet: str, rows: list[_Row], merged: list[Any]) -> Iterator[Block]:
    """The tables of a sheet, which empty rows keep apart; rows without a heading of their own go on with the last."""
    _fill_merged(rows, merged)
    header: dict[int, str] = {}
    for group in _groups(rows):
        columns = sorted(set().union(*(row.texts for row in group)))
        check_size(len(group) * len(columns))
        grid = Grid(
            [[row.texts.get(column, "") for column in columns] for row in group],
            [f"シート「{sheet}」{row.number}行目" for row in group],
        )
        lead = 1 if len(group) > 2 and len(group[0].texts) == 1 else 0
        count = header_rows(Grid(grid.rows[lead:], grid.places[lead:]))
        if count:
            header = dict(zip(columns, joined_header(grid.rows[lead : lead + count]), strict=True))
        goes_on = not count and header and len(columns) > 1 and set(columns) <= header.keys()
        names = [header[column] for column in columns] if goes_on else []
        yield from (_with_separators(block) for block in rows_of(grid, names))


def _with_separators(block: Block) -> Block:
    """A row with commas in the amounts whose format gives them none, by the heading of their column."""
    cells = tuple(
        (name, f"{int(value):,}") if _AMOUNT.search(name) and re.fullmatch(r"[1-9][0-9]{3,}", value) else (name, value)
        for name, value in block.cells
    )
    return block if cells == block.cells else replace(block, text=row_text(cells), cells=cells)


def _fill_merged(rows: list[_Row], merged: list[Any]) -> None:
    """Puts the text of merged cells into each of the rows and columns that hold anything."""
    by_number = {row.number: row.texts for row in rows}
    used = sorted(set[int]().union(*(row.texts for row in rows)))
    for area in merged:
        text = by_number.get(area.min_row, {}).get(area.min_col, "")
        if not text:
            continue
        columns = [column for column in used if area.min_col <= column <= area.max_col]
        for row in rows:
            if area.min_row <= row.number <= area.max_row:
                row.texts.update(dict.fromkeys(columns, text))


def _groups(rows: list[_Row]) -> Iterator[list[_Row]]:
    """Runs of rows without an empty one between them; a title line stands alone."""
    group: list[_Row] = []
    for row in rows:
        if group and row.number > group[-1].number + 1:
            yield group
            group = []
        group.append(row)
    if group:
        yield group


def _cell_text(value: Any, pattern: str) -> str:
    """A cell as it is read on the sheet, by its number format."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "○" if value else "×"
    if isinstance(value, datetime.datetime | datetime.date):
        return _day_text(value, pattern)
    if isinstance(value, int | float):
        return clean(_number_text(value, pattern))
    return clean(str(value).replace("\n", " "))


def _day_text(value: datetime.date, pattern: str) -> str:
    era = next(((name, first) for since, name, first in _ERAS if _date_of(value) >= since), None)
    if era and re.search(r"\[\$-(?:ja-JP-x-gannen|411|0?30411)|[ge]+\"?年", pattern) and "yyyy" not in pattern:
        return f"{era[0]}{value.year - era[1]}年{value.month}月{value.day}日"
    return f"{value.year}年{value.month}月{value.day}日"


def _date_of(value: datetime.date) -> datetime.date:
    return value.date() if isinstance(value, datetime.datetime) else value


def _number_text(value: int | float, pattern: str) -> str:
    """A number with the zeros, separators, decimals and words that its format gives it."""
    section = re.sub(r"\[[^\]]*\]|_.|\*.", "", pattern.split(";")[0])
    words = re.findall(r'"([^"]*)"|\\(.)|([¥%円人件])', section)
    bare = re.sub(r'"[^"]*"|\\.|[¥%円人件]', "", section)
    if "%" in section:
        return f"{round(value * 100, 10):g}%"
    decimals = len(found[1]) if (found := re.search(r"\.([0#?]+)", bare)) else 0
    whole = re.fullmatch(r"0{2,}", bare.strip())
    if whole:
        text = f"{round(value):0{len(whole[0])}d}"
    elif "," in bare:
        text = f"{value:,.{decimals}f}"
    elif decimals and isinstance(value, float):
        text = f"{value:.{decimals}f}"
    else:
        text = str(int(value)) if float(value).is_integer() else repr(value)
    before, _, after = section.partition(bare.strip()[:1] or "\0")
    prefix = "".join("".join(found) for found in re.findall(r'"([^"]*)"|\\(.)|([¥])', before))
    suffix = "".join("".join(found) for found in words)[len(prefix) :] if after else ""
    return f"{prefix}{text}{suffix}"


def _named(path: Path, beginning: str) -> list[str]:
    with zipfile.ZipFile(path) as package:
        return [name for name in package.namelist() if name.startswith(beginning) and name.endswith(".xml")]


def _drawn_text(path: Path) -> Iterator[Block]:
    """The text of shapes that lie on the sheets."""
    with zipfile.ZipFile(path) as package:
        for name in _named(path, "xl/drawings/drawing"):
            for paragraph in etree.fromstring(package.read(name)).iter(f"{_DRAWN}p"):
                if text := clean("".join(run.text or "" for run in paragraph.iter(f"{_DRAWN}t"))):
                    yield Block("paragraph", text, "図形")


def read_separated(path: Path) -> Iterator[Block]:
    """A file of values between commas or tabs, in UTF-8 or the encodings of Japanese spreadsheets."""
    lines = decode(path.read_bytes()).splitlines(keepends=True)
    delimiter = "\t" if path.suffix.lower() == ".tsv" else ","
    reader = csv.reader(lines, delimiter=delimiter)
    rows = []
    for values in reader:
        texts = {column: text for column, value in enumerate(values) if (text := clean(value.replace("\n", " ")))}
        if texts:
            rows.append(_Row(reader.line_num, texts))
    for block in _tables("", rows, []):
        yield replace(block, place=block.place.removeprefix("シート「」"))
