"""Word documents, read from their XML: python-docx passes over what is tracked, boxed, or under content control."""

import re
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from lxml import etree

from ingest.characters import clean
from ingest.formats.packages import check_package
from ingest.formats.tables import Grid, check_size, rows_of
from ingest.types import Block, Unread

_W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
_FALLBACK = "{http://schemas.openxmlformats.org/markup-compatibility/2006}Fallback"
_DROPPED = {f"{_W}del", f"{_W}moveFrom", f"{_W}delText", f"{_W}instrText", f"{_W}rPr", f"{_W}pPr", f"{_W}rt", _FALLBACK}
_MOST = 40 << 20  # bytes of XML, which is held as a tree; a page of text has about 10,000
_BOXED = f"{_W}txbxContent"
_HEADING_STYLE = re.compile(r"^(?:heading|見出し)\s*(\d)$", re.I)
_LIST_STYLE = re.compile(r"^(?:list|リスト|箇条書き)", re.I)
_TITLE_STYLES = ("title", "表題")
_NOTES = (("word/footnotes.xml", "脚注"), ("word/endnotes.xml", "文末脚注"))


@dataclass(frozen=True)
class WordFile:
    """A Word document's parts: its body, headers, footers and notes, and the names of its styles by their ids."""

    title: str
    body: etree._Element
    edges: tuple[etree._Element, ...]
    notes: tuple[tuple[str, etree._Element], ...]
    styles: dict[str, str]


def open_word(path: Path) -> WordFile:
    """A Word document that is sound enough to be read."""
    check_package(path, "word/", _MOST)
    with zipfile.ZipFile(path) as package:
        names = set(package.namelist())

        def part(name: str) -> etree._Element:
            return etree.fromstring(package.read(name), _PARSER)

        styles = {}
        if "word/styles.xml" in names:
            for style in part("word/styles.xml").iter(f"{_W}style"):
                named = style.find(f"{_W}name")
                if named is not None:
                    styles[style.get(f"{_W}styleId", "")] = named.get(f"{_W}val", "")
        title = ""
        if "docProps/core.xml" in names:
            title = part("docProps/core.xml").findtext("{http://purl.org/dc/elements/1.1/}title") or ""
        edges = sorted(name for name in names if re.fullmatch(r"word/(?:header|footer)\d*\.xml", name))
        return WordFile(
            title,
            part("word/document.xml"),
            tuple(part(name) for name in edges),
            tuple((label, part(name)) for name, label in _NOTES if name in names),
            styles,
        )


_PARSER = etree.XMLParser(resolve_entities=False, no_network=True, huge_tree=True)


def read_word(word: WordFile) -> Iterator[Block | Unread]:
    """Headings, paragraphs, list items, tables and boxes in the order of the document, then its edges and notes."""
    reader = _Reader(word.styles)
    yield from reader.read(word.body)
    said: set[str] = set()
    for edge in word.edges:
        for block in reader.read(edge, "ヘッダー・フッター"):
            if block.text not in said and not re.fullmatch(r"[-\s0-9/ページ頁]*", block.text):
                said.add(block.text)
                yield block
    for label, notes in word.notes:
        yield from reader.read(notes, label)
    pictures = sum(1 for _ in word.body.iter("{http://schemas.openxmlformats.org/drawingml/2006/picture}pic"))
    if pictures:
        yield Unread(f"図{pictures}点", "本文", pictures)


class _Reader:
    """Walks a part of the document, counting its paragraphs and tables for their places."""

    def __init__(self, styles: dict[str, str]) -> None:
        self._styles = styles
        self._paragraphs = self._tables = 0

    def read(self, element: etree._Element, place: str = "") -> Iterator[Block]:
        for child in element:
            if child.tag in _DROPPED or not isinstance(child.tag, str):
                continue
            if child.tag == f"{_W}p":
                yield from self._paragraph(child, place)
            elif child.tag == f"{_W}tbl":
                yield from self._table(child, place)
            else:
                yield from self.read(child, place)

    def _paragraph(self, paragraph: etree._Element, place: str) -> Iterator[Block]:
        if not place:
            self._paragraphs += 1
        place = place or f"{self._paragraphs}段落目"
        style = ""
        properties = paragraph.find(f"{_W}pPr")
        if properties is not None and (found := properties.find(f"{_W}pStyle")) is not None:
            style = self._styles.get(found.get(f"{_W}val", ""), found.get(f"{_W}val", ""))
        numbered = properties is not None and properties.find(f"{_W}numPr") is not None
        for line in _text(paragraph).split("\n"):
            if text := clean(line):
                yield self._block(text, style, place, numbered=numbered)
        for box in _boxes(paragraph):
            yield from self.read(box, place)

    @staticmethod
    def _block(text: str, style: str, place: str, *, numbered: bool) -> Block:
        if heading := _HEADING_STYLE.match(style):
            return Block("heading", text, place, int(heading[1]))
        if style.lower() in _TITLE_STYLES:
            return Block("heading", text, place, 1)
        return Block("item" if numbered or _LIST_STYLE.match(style) else "paragraph", text, place)

    def _table(self, table: etree._Element, place: str) -> Iterator[Block]:
        self._tables += 1
        place = place or f"表{self._tables}"
        rows = [row for row in _own(table, f"{_W}tr") if row.find(f"{_W}trPr/{_W}del") is None]
        cells = [list(_own(row, f"{_W}tc")) for row in rows]
        if len(rows) == 1 or max(map(len, cells), default=0) <= 1:  # a frame around text
            for row in cells:
                for cell in row:
                    yield from self.read(cell, place)
            return
        grid: list[list[str]] = []
        headed: set[int] = set()
        for number, (row, of_row) in enumerate(zip(rows, cells, strict=True)):
            grid.append(_values(of_row, grid[-1] if grid else []))
            check_size(sum(map(len, grid)))
            if row.find(f"{_W}trPr/{_W}tblHeader") is not None:
                headed.add(number)
        places = [f"{place}の{number}行目" for number in range(1, len(rows) + 1)]
        yield from rows_of(Grid(grid, places, headed))


def _own(element: etree._Element, tag: str) -> Iterator[etree._Element]:
    """The rows of a table or the cells of a row, those under content control too, none of tables within."""
    for child in element:
        if child.tag == tag:
            yield child
        elif child.tag in (f"{_W}sdt", f"{_W}sdtContent", f"{_W}ins", f"{_W}smartTag", f"{_W}customXml"):
            yield from _own(child, tag)


def _values(cells: list[etree._Element], above: list[str]) -> list[str]:
    """A row's texts by the columns of the grid; what is merged down or across stands in each of its columns."""
    values: list[str] = []
    for cell in cells:
        merged = cell.find(f"{_W}tcPr/{_W}vMerge")
        continues = merged is not None and merged.get(f"{_W}val", "continue") == "continue"
        text = clean(re.sub(r"\s*\n\s*", " ", "\n".join(_cell_lines(cell))))
        if continues and not text and len(values) < len(above):
            text = above[len(values)]
        span = cell.find(f"{_W}tcPr/{_W}gridSpan")
        width = int(span.get(f"{_W}val", "1")) if span is not None else 1
        check_size(width)
        values += [text] * max(width, 1)
    return values


def _cell_lines(cell: etree._Element) -> Iterator[str]:
    for paragraph in cell.iter(f"{_W}p"):
        if not any(above.tag in _DROPPED for above in paragraph.iterancestors()):
            yield _text(paragraph)


def _text(paragraph: etree._Element) -> str:
    """A paragraph's own text: insertions and controls are in, deletions and the text of boxes out."""
    parts: list[str] = []

    def walk(element: etree._Element) -> None:
        for child in element:
            if child.tag in _DROPPED or child.tag == _BOXED or not isinstance(child.tag, str):
                continue
            if child.tag == f"{_W}t":
                parts.append(child.text or "")
            elif child.tag == f"{_W}tab":
                parts.append(" ")
            elif child.tag in (f"{_W}br", f"{_W}cr"):
                parts.append("\n")
            elif child.tag == f"{_W}noBreakHyphen":
                parts.append("-")
            else:
                walk(child)

    walk(paragraph)
    return "".join(parts)


def _boxes(paragraph: etree._Element) -> Iterator[etree._Element]:
    """The text boxes that a paragraph anchors; what stands there a second time for old programs is left out."""
    for box in paragraph.iter(_BOXED):
        outer = [above.tag for above in box.iterancestors()]
        if _FALLBACK not in outer and outer.count(_BOXED) == 0:
            yield box
