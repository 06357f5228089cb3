"""PDF: lines put together to paragraphs, headings told by the size of their characters, ruled tables as rows."""

import re
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from statistics import median

import pypdfium2 as pdfium
import pypdfium2.raw as pdfium_c

from ingest.characters import clean, joined, together
from ingest.formats.printed import Character, Line, characters_of, lines_of
from ingest.formats.ruling import Box, Ruled, ruled_tables
from ingest.formats.tables import Grid, check_size, rows_of
from ingest.formats.text import MARKER
from ingest.types import PAGE, Block, ReadError, Unread

_SURVEYED = 40  # pages that tell the size of the text, its headings and what repeats on each page
_HEADING = 60  # characters; longer lines in large print are text
_LONGEST = 100  # lines of a paragraph; what goes on longer is no running text
_PAGE_NUMBER = re.compile(r"^[-‐–— ]*(?:p\.?)?\d{1,4}(?: ?/ ?\d{1,4})?(?:ページ)?[-‐–— ]*$", re.I)
_UNBROKEN = re.compile(r"^[^\x00-\x7f]{0,2}[!-~]{15,}")  # an address or the like, moved to the next line as a whole
_NO_HEADING = re.compile(r"^[=+\-×÷\d,.%円 ]+$|(?:[はがをにでとのもへや、]|および|及び|又は)$")
_SENTENCE_END = re.compile(r"[。!?]$")


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


def read_pdf(document: pdfium.PdfDocument) -> Iterator[Block | Unread]:
    """The blocks of a PDF, a page at a time; a table that goes on over pages is one.

    Raises:
        ReadError: no page holds characters (scanned images).
    """
    look = _survey(document)
    reader = _Reader(look)
    for number in range(len(document)):
        with closing(document[number]) as page, closing(page.get_textpage()) as text:
            lines = lines_of(text)
            pictures = 0 if lines else sum(1 for _ in page.get_objects([pdfium_c.FPDF_PAGEOBJ_IMAGE], max_depth=3))
            kept = [line for line in lines if not _is_furniture(line, lines, look)]
            tables = ruled_tables(page) if kept else []
            characters = characters_of(text) if tables else []
            height = page.get_height()
        if pictures:
            yield Unread("画像だけのページ", f"{number + 1}ページ", PAGE)
        if number == 0 and len(document) > 1 and _is_cover(kept, look):
            yield from _cover(kept)
            continue
        yield from reader.read(number + 1, kept, tables, characters, height)
    yield from reader.finish()


def _is_cover(lines: list[Line], look: _Look) -> bool:
    """Whether a first page has nothing but the document's name, its date and who issued it."""
    return 0 < len(lines) <= 15 and not any(
        _SENTENCE_END.search(line.text) or MARKER.match(line.text) or len(line.text) > _HEADING for line in lines
    ) and max(line.size for line in lines) > look.body  # fmt: skip


def _cover(lines: list[Line]) -> Iterator[Block]:
    """The largest print of a cover as the title, the rest as it stands."""
    largest = max(line.size for line in lines)
    titled = [line for line in lines if line.size > 0.85 * largest]
    yield Block("heading", clean(" ".join(line.text for line in titled)), "1ページ", 1)
    yield from (Block("paragraph", line.text, "1ページ") for line in lines if line not in titled)


@dataclass
class _Table:
    """A table as far as it has been read: its last part, its rows with their places, and those of its heading."""

    ruled: Ruled
    rows: list[list[str]]
    places: list[str]

    def add(self, part: Ruled, rows: list[list[str]], place: str) -> None:
        """Goes on with the part on the next page; a row that was cut is put together, a repeated heading left out."""
        if self.ruled.open_below and part.open_above and rows:
            self.rows[-1] = [joined(above, below) for above, below in zip(self.rows[-1], rows[0], strict=True)]
            rows = rows[1:]
        head = 0
        while head < min(len(rows), 3) and rows[head] == self.rows[head : head + 1][0]:
            head += 1
        self.rows += rows[head:]
        self.places += [place] * len(rows[head:])
        self.ruled = part


class _Reader:
    """Puts the lines and tables of the pages together."""

    def __init__(self, look: _Look) -> None:
        self._look = look
        self._paragraph: list[Line] = []
        self._place, self._edge = "", 0.0
        self._table: _Table | None = None

    def read(
        self, number: int, lines: list[Line], tables: list[Ruled], characters: list[Character], height: float
    ) -> Iterator[Block]:
        """The blocks that are complete with this page."""
        given: set[Ruled] = set()
        for line in lines:
            down = height - line.y - line.size / 3
            within = next((table for table in tables if table.holds(line.left, down)), None)
            if within is not None and self._takes(within):
                if within not in given:
                    given.add(within)
                    yield from self._add_table(within, number, _cell_reader(characters, height))
                continue
            yield from self._finish_table()
            if self._paragraph and (
                len(self._paragraph) == _LONGEST or not _continues(self._paragraph[-1], line, self._edge, self._look)
            ):
                yield from self._finish_paragraph()
            if not self._paragraph:
                self._place = f"{number}ページ"
            self._paragraph.append(line)
            self._edge = _edge(line, lines)

    def _takes(self, table: Ruled) -> bool:
        """Whether it is read as a table; one row of several columns is a box, unless it goes on from a table."""
        if len(table.tops) > 1 or len(table.columns) == 2:
            return True
        return self._table is not None and table.goes_on_from(self._table.ruled)

    def _add_table(self, table: Ruled, number: int, text_of: Callable[[Box], str]) -> Iterator[Block]:
        yield from self._finish_paragraph()
        rows, place = table.grid(text_of), f"{number}ページの表"
        if self._table is not None and table.goes_on_from(self._table.ruled):
            self._table.add(table, rows, place)
            return
        yield from self._finish_table()
        self._table = _Table(table, rows, [place] * len(rows))

    def _finish_table(self) -> Iterator[Block]:
        table, self._table = self._table, None
        if table is not None:
            check_size(sum(map(len, table.rows)))
            yield from rows_of(Grid(table.rows, table.places))

    def _finish_paragraph(self) -> Iterator[Block]:
        lines, self._paragraph = self._paragraph, []
        if lines:
            yield _block(lines, self._place, self._look)

    def finish(self) -> Iterator[Block]:
        """What the last page has left open."""
        yield from self._finish_table()
        yield from self._finish_paragraph()


def _cell_reader(characters: list[Character], height: float) -> Callable[[Box], str]:
    """Reads the text that lies within a box, its lines put together."""

    def text_of(box: Box) -> str:
        left, top, right, bottom = box
        lines: list[str] = []
        last: Character | None = None
        for character in characters:
            if not (left <= character.middle <= right and top <= height - character.level <= bottom):
                continue
            taller = max(character.height, last.height if last else 0, 1)  # a comma is low, and its line is not
            new_line = last is None or abs(last.level - character.level) > 0.6 * taller
            if new_line and not (last and character.text.isspace()):
                lines.append("")
            if lines:
                lines[-1] += character.text
            last = character
        text = ""
        for line in lines:
            text = joined(text, together(clean(line)))
        return text

    return text_of


def _survey(document: pdfium.PdfDocument) -> _Look:
    characters: Counter[float] = Counter()
    spacings: list[float] = []
    edges: Counter[str] = Counter()
    bold = 0
    sampled = min(len(document), _SURVEYED)
    for number in range(sampled):
        with closing(document[number]) as page, closing(page.get_textpage()) as text:
            lines = lines_of(text)
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


def _pattern(line: Line) -> str:
    return re.sub(r"\d+", "0", line.text)


def _is_furniture(line: Line, lines: list[Line], look: _Look) -> bool:
    """Page numbers and running heads: at the edge of the page, there only."""
    if line not in lines[:2] + lines[-2:]:
        return False
    return bool(_PAGE_NUMBER.match(line.text)) or _pattern(line) in look.repeated


def _edge(line: Line, lines: list[Line]) -> float:
    """Where the lines of this one's column end on the right."""
    return max(other.right for other in lines if abs(other.left - line.left) < 2.5 * line.size)


def _continues(line: Line, following: Line, edge: float, look: _Look) -> bool:
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


def _block(lines: list[Line], place: str, look: _Look) -> Block:
    text = lines[0].text
    for line in lines[1:]:
        text = joined(text, line.text)
    first = lines[0]
    if len(text) <= _HEADING and not _SENTENCE_END.search(text) and not _NO_HEADING.search(text):
        if first.size in look.headings:
            return Block("heading", text, place, 1 + look.headings.index(first.size))
        if first.bold and not look.is_bold:
            return Block("heading", text, place, 9)
    return Block("paragraph", text, place)
