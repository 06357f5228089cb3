"""PDF: lines put together to paragraphs, headings told by the size of their characters, ruled tables as rows."""

import ctypes
import logging
import re
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from statistics import median

import pdfplumber
import pypdfium2 as pdfium
import pypdfium2.raw as pdfium_c

from ingest.characters import clean, joined
from ingest.formats.tables import rows_of
from ingest.formats.text import MARKER
from ingest.types import Block, ReadError

logging.getLogger("pdfminer").setLevel(logging.ERROR)  # it reports each font without a bounding box

_SURVEYED = 40  # pages that tell the size of the text, its headings and what repeats on each page
_RULES = range(4, 3000)  # paths of a page that may be a table's lines; more are a drawing
_HEADING = 60  # characters; longer lines in large print are text
_LONGEST = 100  # lines of a paragraph; what goes on longer is no running text
_PAGE_NUMBER = re.compile(r"^[-‐–— ]*(?:p\.?)?\d{1,4}(?: ?/ ?\d{1,4})?(?:ページ)?[-‐–— ]*$", re.I)
_UNBROKEN = re.compile(r"^[^\x00-\x7f]{0,2}[!-~]{15,}")  # an address or the like, moved to the next line as a whole
_SENTENCE_END = re.compile(r"[。!?]$")


@dataclass(frozen=True)
class _Line:
    """A line of a page. Positions and sizes are in points, `y` is that of the baseline, from the page's bottom."""

    text: str
    left: float
    right: float
    y: float
    size: float
    bold: bool


@dataclass(frozen=True)
class _Look:
    """How a document is set: its text's size and weight, larger sizes, its lines' distance, what its pages repeat.

    `spacing` is in sizes of the text.
    """

    body: float
    is_bold: bool
    headings: tuple[float, ...]
    spacing: float
    repeated: frozenset[str]


def open_pdf(path: Path) -> pdfium.PdfDocument:
    """A PDF that can be read without a password.

    Raises:
        ReadError: it is protected or damaged.
    """
    try:
        return pdfium.PdfDocument(path)
    except pdfium.PdfiumError as error:
        if "password" in str(error).lower():
            raise ReadError("パスワードで保護されたPDFです", "保護を外したPDFを指定してください") from None
        raise ReadError("PDFとして読めません(壊れている可能性があります)", "PDFを作り直してください") from None


def read_pdf(document: pdfium.PdfDocument, path: Path) -> Iterator[Block]:
    """The blocks of a PDF, a page at a time.

    Raises:
        ReadError: no page holds characters (scanned images).
    """
    look = _survey(document)
    paragraph: list[_Line] = []
    place, edge = "", 0.0
    with pdfplumber.open(path) as tables:
        for number in range(len(document)):
            with closing(document[number]) as page:
                lines = _lines(page)
                has_rules = sum(1 for _ in page.get_objects([pdfium_c.FPDF_PAGEOBJ_PATH], max_depth=3)) in _RULES
                height = page.get_height()
            kept = [line for line in lines if not _is_furniture(line, lines, look)]
            found = _tables(tables.pages[number], number + 1) if has_rules and kept else []
            for line in kept:
                within = next((table for table in found if table.holds(line, height)), None)
                if within is not None:
                    if paragraph:
                        yield _block(paragraph, place, look)
                        paragraph = []
                    yield from within.blocks
                    within.blocks.clear()
                    continue
                if paragraph and (len(paragraph) == _LONGEST or not _continues(paragraph[-1], line, edge, look)):
                    yield _block(paragraph, place, look)
                    paragraph = []
                if not paragraph:
                    place = f"{number + 1}ページ"
                paragraph.append(line)
                edge = _edge(line, kept)
    if paragraph:
        yield _block(paragraph, place, look)


def _survey(document: pdfium.PdfDocument) -> _Look:
    characters: Counter[float] = Counter()
    spacings: list[float] = []
    edges: Counter[str] = Counter()
    bold = 0
    sampled = min(len(document), _SURVEYED)
    for number in range(sampled):
        with closing(document[number]) as page:
            lines = _lines(page)
        edges.update({_pattern(line) for line in lines[:2] + lines[-2:] if not _SENTENCE_END.search(line.text)})
        for line in lines:
            characters[line.size] += len(line.text)
            bold += len(line.text) if line.bold else 0
        for line, following in pairwise(lines):
            if following.size == line.size and line.right > _edge(line, lines) - 2.5 * line.size:
                spacings.append((line.y - following.y) / line.size)
    if not characters:
        raise ReadError(
            "文字の入っていないPDFです(画像だけのようです)", "文字認識(OCR)をかけたPDFか、元の文書を指定してください"
        )
    body = characters.most_common(1)[0][0]
    return _Look(
        body,
        bold > 0.5 * characters.total(),
        tuple(sorted((size for size in characters if size > 1.12 * body), reverse=True)),
        median([value for value in spacings if 0.8 < value < 3] or [1.5]),
        frozenset(pattern for pattern, count in edges.items() if count >= max(3, 0.5 * sampled)),
    )


def _lines(page: pdfium.PdfPage) -> list[_Line]:
    """The lines of a page in the order of its content."""
    lines: list[_Line] = []
    with closing(page.get_textpage()) as text:
        characters = [pdfium_c.FPDFText_GetUnicode(text, index) for index in range(text.count_chars())]
        start = 0
        for index, code in enumerate([*characters, 10]):
            if code not in (10, 13):
                continue
            content = clean("".join(map(chr, characters[start:index])))
            if content:
                lines.append(_measured(text, start, index - 1, content))
            start = index + 1
    return lines


def _measured(text: pdfium.PdfTextPage, first: int, last: int, content: str) -> _Line:
    matrix = pdfium_c.FS_MATRIX()
    pdfium_c.FPDFText_GetMatrix(text, first, matrix)
    x, y = ctypes.c_double(), ctypes.c_double()
    pdfium_c.FPDFText_GetCharOrigin(text, first, x, y)
    right = max(text.get_charbox(index)[2] for index in range(max(first, last - 2), last + 1))
    size = pdfium_c.FPDFText_GetFontSize(text, first) * (abs(matrix.d) or abs(matrix.b) or 1)
    bold = _is_bold(text, first) and _is_bold(text, last)
    return _Line(content, x.value, right, y.value, round(size * 2) / 2 or 1, bold)


def _is_bold(text: pdfium.PdfTextPage, index: int) -> bool:
    name, flags = ctypes.create_string_buffer(100), ctypes.c_int()
    pdfium_c.FPDFText_GetFontInfo(text, index, name, 100, flags)
    return pdfium_c.FPDFText_GetFontWeight(text, index) >= 600 or b"bold" in name.value.lower()


def _pattern(line: _Line) -> str:
    return re.sub(r"\d+", "0", line.text)


def _is_furniture(line: _Line, lines: list[_Line], look: _Look) -> bool:
    """Page numbers and running heads: at the edge of the page, there only."""
    if line not in lines[:2] + lines[-2:]:
        return False
    return bool(_PAGE_NUMBER.match(line.text)) or _pattern(line) in look.repeated


def _edge(line: _Line, lines: list[_Line]) -> float:
    """Where the lines of this one's column end on the right."""
    return max(other.right for other in lines if abs(other.left - line.left) < 2.5 * line.size)


def _continues(line: _Line, following: _Line, edge: float, look: _Look) -> bool:
    """Whether a line was broken only because it was full."""
    if abs(line.size - following.size) > 0.6 or line.bold != following.bold or MARKER.match(following.text):
        return False
    unbroken = _UNBROKEN.match(following.text)
    needed = 0.5 * line.size * len(unbroken[0]) if unbroken else 2.5 * line.size
    if line.right < edge - max(needed, 2.5 * line.size):
        return False
    distance = (line.y - following.y) / line.size
    if distance <= 0:  # the next column or page
        return not _SENTENCE_END.search(line.text)
    return distance < 1.25 * look.spacing


def _block(lines: list[_Line], place: str, look: _Look) -> Block:
    text = lines[0].text
    for line in lines[1:]:
        text = joined(text, line.text)
    first = lines[0]
    if len(text) <= _HEADING and not _SENTENCE_END.search(text):
        if first.size in look.headings:
            return Block("heading", text, place, 1 + look.headings.index(first.size))
        if first.bold and not look.is_bold:
            return Block("heading", text, place, 9)
    return Block("paragraph", text, place)


@dataclass
class _FoundTable:
    """A ruled table: where it lies (points, from the page's top), and its rows, taken when its first line is met."""

    left: float
    top: float
    right: float
    bottom: float
    blocks: list[Block]

    def holds(self, line: _Line, height: float) -> bool:
        """Whether a line of the page's text lies in the table."""
        down = height - line.y - line.size / 3
        return self.left - 1 <= line.left <= self.right and self.top <= down <= self.bottom


def _tables(page: pdfplumber.page.Page, number: int) -> list[_FoundTable]:
    found = []
    for position, table in enumerate(page.find_tables(), 1):
        rows = [[clean((cell or "").replace("\n", "")) for cell in row] for row in table.extract()]
        if len(rows) < 2 or len(rows[0]) < 2:
            continue
        for above, row in pairwise(rows):
            row[0] = row[0] or above[0]  # merged down
        place = f"{number}ページの表{position}" if position > 1 else f"{number}ページの表"
        found.append(_FoundTable(*table.bbox, list(rows_of(rows, [place] * len(rows)))))
    page.close()
    return found
