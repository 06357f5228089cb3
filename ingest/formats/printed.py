"""What is printed on a page of a pdf: its lines, and its characters where they stand."""

import ctypes
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

import pypdfium2 as pdfium
import pypdfium2.raw as pdfium_c

from ingest.characters import clean, together

_WIDE = 0x2E7F  # letters from here on are as wide as they are high
_GAP = 0.5  # heights of a letter; a space between wide letters is wider
_READING = 0.6  # of the largest print; what tells how a word is read is no larger
_KANA = re.compile(r"[ぁ-ゖー ]+$")


@dataclass(frozen=True)
class Line:
    """A line of a page, with its first and last of the page's characters.

    Positions and sizes are in points, `y` is that of the baseline, from the page's bottom.
    """

    text: str
    left: float
    right: float
    y: float
    size: float
    bold: bool
    first: int
    last: int


@dataclass(frozen=True)
class Character:
    """A character where it is printed: the middle of its box from the left and the bottom, and its height (points)."""

    text: str
    middle: float
    level: float
    height: float


def characters_of(text: pdfium.PdfTextPage) -> list[Character]:
    """The characters of a page with their places; those that break lines are left out."""
    found = []
    left, right, bottom, top = (ctypes.c_double() for _ in range(4))
    for index in range(text.count_chars()):
        code = pdfium_c.FPDFText_GetUnicode(text, index)
        if code in (10, 13):
            continue
        pdfium_c.FPDFText_GetCharBox(text, index, left, right, bottom, top)
        middle, level = (left.value + right.value) / 2, (bottom.value + top.value) / 2
        found.append(Character(chr(code), middle, level, top.value - bottom.value))
    return found


def lines_of(text: pdfium.PdfTextPage) -> list[Line]:
    """The lines of a page in the order of its content, without the small kana that tell how words are read."""
    characters = [pdfium_c.FPDFText_GetUnicode(text, index) for index in range(text.count_chars())]
    breaks = [index for index, code in enumerate([*characters, 10]) if code in (10, 13)]
    lines = [
        _measured(text, start, end - 1, together(written))
        for start, end in zip([0, *(at + 1 for at in breaks)], breaks, strict=False)
        if (written := clean("".join(map(chr, characters[start:end]))))
    ]
    largest = max((line.size for line in lines), default=0)
    readings = {line for line in lines if line.size <= _READING * largest and _KANA.match(line.text)}
    if not readings:
        return lines
    return [
        replace(line, text=clean("".join(map(chr, _without_gaps(text, characters, line.first, line.last + 1)))))
        for line in lines
        if line not in readings
    ]


def _without_gaps(text: pdfium.PdfTextPage, characters: list[int], start: int, end: int) -> Iterator[int]:
    """The characters of a line without the spaces that pdfium saw in the gaps that a reading above makes."""
    for index in range(start, end):
        if characters[index] == 32 and start < index < end - 1 and pdfium_c.FPDFText_IsGenerated(text, index) == 1:
            before, after = characters[index - 1], characters[index + 1]
            if before > _WIDE and after > _WIDE:
                left, right = text.get_charbox(index - 1), text.get_charbox(index + 1)
                if right[0] - left[2] < _GAP * (left[3] - left[1]):
                    continue
        yield characters[index]


def _measured(text: pdfium.PdfTextPage, first: int, last: int, content: str) -> Line:
    matrix = pdfium_c.FS_MATRIX()
    pdfium_c.FPDFText_GetMatrix(text, first, matrix)
    x, y = ctypes.c_double(), ctypes.c_double()
    pdfium_c.FPDFText_GetCharOrigin(text, first, x, y)
    right = max(text.get_charbox(index)[2] for index in range(max(first, last - 2), last + 1))
    size = pdfium_c.FPDFText_GetFontSize(text, first) * (abs(matrix.d) or abs(matrix.b) or 1)
    bold = _is_bold(text, first) and _is_bold(text, last)
    return Line(content, x.value, right, y.value, round(size * 2) / 2 or 1, bold, first, last)


def _is_bold(text: pdfium.PdfTextPage, index: int) -> bool:
    name, flags = ctypes.create_string_buffer(100), ctypes.c_int()
    pdfium_c.FPDFText_GetFontInfo(text, index, name, 100, flags)
    return pdfium_c.FPDFText_GetFontWeight(text, index) >= 600 or b"bold" in name.value.lower()
