"""Plain text and Markdown."""

import re
import unicodedata
from collections.abc import Iterator, Sequence
from itertools import groupby
from pathlib import Path

from ingest.characters import clean, decode, joined
from ingest.formats.tables import Grid, rows_of
from ingest.types import Block

_ENDS = re.compile(r"[。!?！？」）):：]$")
MARKER = re.compile(r"^\s*([・●■◆◇○▼▶□▪※*+\-–●•#|>【〇]|[(（]?[0-9０-９]{1,3}[.．)）、]|第\s*[0-9０-９一-十]+)")

_FRONT_MATTER = re.compile(r"\A---\n(.*?)\n---\n", re.S)
_ATX = re.compile(r"^ {0,3}(#{1,6})\s+(.*?)\s*#*$")
_SETEXT = re.compile(r"^ {0,3}(=+|-{2,})\s*$")
_ITEM = re.compile(r"^\s*(?:[-*+]|(?P<number>\d+[.)]))\s+(?P<text>.*)$")
_ROW = re.compile(r"^\s*\|(.*)\|\s*$")
_DIVIDER = re.compile(r"^[\s|:\-]+$")
_INLINE = (
    (re.compile(r"!\[([^\]]*)\]\([^)]*\)"), r"\1"),
    (re.compile(r"\[([^\]]+)\]\([^)]*\)"), r"\1"),
    (re.compile(r"(\*\*|__|`)(.+?)\1"), r"\2"),
    (re.compile(r"\\([\\`*_{}\[\]()#+\-.!|>])"), r"\1"),
    (re.compile(r"<br\s*/?>"), " "),
)


def columns(text: str) -> int:
    """The width of a text in half-width columns."""
    return sum(2 if unicodedata.east_asian_width(character) in "FWA" else 1 for character in text)


def is_wrapped(lines: Sequence[str]) -> bool:
    """Whether lines were broken at a fixed width: many are about as long as the longest, shorter than a paragraph."""
    widths = [columns(line.rstrip()) for line in lines if line.strip()]
    widest = max(widths, default=0)
    full = sum(width > widest - 6 for width in widths)
    return 30 <= widest <= 130 and full >= 4 and full >= 0.3 * len(widths)


def unwrapped(lines: Sequence[str]) -> Iterator[tuple[int, str]]:
    """Lines with their numbers (from 1), those that were broken at a fixed width put together again."""
    if not is_wrapped(lines):
        yield from ((number, line) for number, line in enumerate(lines, 1) if line.strip())
        return
    widest = max(columns(line.rstrip()) for line in lines)
    start, text, open_ended = 0, "", False
    for number, line in enumerate(lines, 1):
        if text and line.strip() and open_ended and not MARKER.match(line):
            text = joined(text, line.strip())
        else:
            if text:
                yield start, text
            start, text = number, line.strip()
        open_ended = columns(line.rstrip()) > widest - 6 and not _ENDS.search(line.rstrip())
    if text:
        yield start, text


def read_text(path: Path) -> Iterator[Block]:
    """A text file: a paragraph for each line, and the rows of tables that were pasted with tabs.

    What is a heading is told from the lines themselves, later.
    """
    lines = unwrapped(decode(path.read_bytes()).splitlines())
    for cells, group in groupby(lines, key=lambda numbered: numbered[1].strip().count("\t") + 1):
        numbered = list(group)
        if cells > 1 and len(numbered) > 1:
            rows = [[clean(cell) for cell in line.strip().split("\t")] for _, line in numbered]
            yield from rows_of(Grid(rows, [f"{number}行目" for number, _ in numbered]))
            continue
        for number, line in numbered:
            if text := clean(line):
                yield Block("paragraph", text, f"{number}行目")


def front_matter(path: Path) -> dict[str, str]:
    """The `key: value` lines between the two `---` lines at the head of a Markdown file."""
    found = _FRONT_MATTER.match(decode(path.read_bytes()).replace("\r\n", "\n"))
    pairs = [line.partition(":") for line in found[1].splitlines()] if found else []
    return {key.strip(): clean(value.strip().strip("\"'")) for key, colon, value in pairs if colon}


def read_markdown(path: Path) -> Iterator[Block]:
    """A Markdown file: its headings, list items and tables as such."""
    content = decode(path.read_bytes()).replace("\r\n", "\n")
    found = _FRONT_MATTER.match(content)
    skipped = found[0].count("\n") if found else 0
    lines = content.splitlines()
    lines[:skipped] = [""] * skipped
    kept = list(unwrapped(lines))
    in_table = _table_lines(kept)
    table: list[tuple[int, str]] = []
    fenced = False
    for position, (number, line) in enumerate(kept):
        if line.lstrip().startswith(("```", "~~~")):
            fenced = not fenced
            continue
        if position in in_table and not fenced:
            table.append((number, line))
            if position + 1 not in in_table or kept[position + 1][0] != number + 1:
                yield from _markdown_table(table)
                table = []
            continue
        if (block := _markdown_line(kept, position, fenced=fenced)) and block.text:
            yield block


def _table_lines(lines: Sequence[tuple[int, str]]) -> set[int]:
    """The positions of the lines of tables: with bars at both ends, or around a line of dashes and bars."""
    found = {position for position, (_, line) in enumerate(lines) if _ROW.match(line)}
    for position, (_, line) in enumerate(lines):
        if position and "|" in line and _DIVIDER.match(line) and "|" in lines[position - 1][1]:
            following = position
            while following < len(lines) and "|" in lines[following][1]:
                following += 1
            found.update(range(position - 1, following))
    return found


def _markdown_table(lines: Sequence[tuple[int, str]]) -> Iterator[Block]:
    rows: list[list[str]] = []
    places: list[str] = []
    headed: set[int] = set()
    for number, line in lines:
        if _DIVIDER.match(line):
            headed = set(range(len(rows)))
            continue
        rows.append([_plain(cell) for cell in re.split(r"(?<!\\)\|", line.strip().strip("|"))])
        places.append(f"{number}行目")
    yield from rows_of(Grid(rows, places, headed))


def _markdown_line(lines: Sequence[tuple[int, str]], position: int, *, fenced: bool) -> Block | None:
    number, line = lines[position]
    place = f"{number}行目"
    if fenced:
        return Block("paragraph", clean(line), place)
    if heading := _ATX.match(line):
        return Block("heading", _plain(heading[2]), place, len(heading[1]))
    if _SETEXT.match(line) and position and lines[position - 1][0] == number - 1:
        return None
    if item := _ITEM.match(line):
        return Block("item", _plain(f"{item['number'] or ''} {item['text']}"), place)
    underline = lines[position + 1] if position + 1 < len(lines) else (0, "")
    text = _plain(line.lstrip("> "))
    if underline[0] == number + 1 and (mark := _SETEXT.match(underline[1])):
        return Block("heading", text, place, 1 if mark[1][0] == "=" else 2)
    return Block("paragraph", text, place)


def _plain(text: str) -> str:
    for pattern, replacement in _INLINE:
        text = pattern.sub(replacement, text)
    return clean(text)
