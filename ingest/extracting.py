"""From a file to a document: the format's reader, and a title."""

import io
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import chain, islice
from pathlib import Path

from ingest.characters import FORMATS, clean
from ingest.types import Block, Document, ReadError, Unread

SUFFIXES = (".pdf", ".docx", ".xlsx", ".csv", ".tsv", ".html", ".htm", ".md", ".txt")
READERS_VERSION = 3
"""Raised whenever the readers give other blocks for the same file, so that added documents are read again."""

MAX_BYTES = 300 << 20  # a file this large is refused before it is opened

_MAX_CHARACTERS, _MAX_BLOCKS = 30_000_000, 300_000  # of a document

_CONTENTS = {
    **{suffix: {".txt"} for suffix in (".txt", ".md", ".csv", ".tsv")},
    **{suffix: {".html", ".txt"} for suffix in (".html", ".htm")},
}
"""What a file that holds characters may look like from its first bytes, by its ending."""

_TITLE = 60  # characters; a longer first line is text
_NO_TITLES = (
    "microsoft ",
    "powerpoint ",
    "word document",
    "untitled",
    "無題",
    "名称未設定",
    "document1",
    "文書 1",
    "about:",
    "http",
)
_TITLE_WITHIN = 12  # blocks at the head of a document in which its title stands


def extract(path: Path, id: str) -> Document:
    """Opens a document; its blocks are read from the file as they are asked for.

    Args:
        path: the file. Its ending names its format.
        id: the document's id, also the last resort for its title.

    Raises:
        ReadError: it cannot be taken in. Reading the blocks may raise it too.
    """
    size = path.stat().st_size
    if size > MAX_BYTES:
        raise ReadError(
            f"ファイルが大きすぎます({size >> 20}MB、上限{MAX_BYTES >> 20}MB)", "分割してから追加してください"
        )
    if not size:
        raise ReadError("ファイルが空です", "中身のあるファイルを指定してください")
    unread: list[Unread] = []
    with _damage_named():
        title, url, parts = _open(path, id)
        blocks = _blocks(parts, unread)
        head = list(islice(blocks, _TITLE_WITHIN))
    if not head:
        raise ReadError("文字が入っていません", "文字の入った文書を指定してください")
    return Document(id, title or _first_heading(head) or Path(id).stem, chain(head, blocks), url, unread)


def _open(path: Path, id: str) -> tuple[str, str, Iterator[Block | Unread]]:
    """The title and the address that a file gives for itself ("" where it does not), and its blocks."""
    from ingest.formats import pdf, sheets, text, web, word  # their libraries take a second, and most runs read no file

    suffix = path.suffix.lower()
    with path.open("rb") as file:
        fitting = suffix_of(file.read(1024))
    if fitting not in _CONTENTS.get(suffix, {fitting}):
        raise ReadError("中身が拡張子と合いません", f"中身は {fitting} のようです。合う拡張子に変えてください")
    match suffix:
        case ".pdf":
            opened = pdf.open_pdf(path)
            return _named(opened.get_metadata_value("Title")), "", pdf.read_pdf(opened)
        case ".docx":
            document = word.open_word(path)
            return _named(document.title), "", word.read_word(document)
        case ".xlsx":
            return "", "", sheets.read_workbook(path)
        case ".csv" | ".tsv":
            return Path(id).stem, "", sheets.read_separated(path)
        case ".html" | ".htm":
            page = web.parse_page(path)
            return web.page_title(page), web.page_url(page), web.read_page(page)
        case ".md":
            matter = text.front_matter(path)
            return matter.get("title", ""), matter.get("url", ""), text.read_markdown(path)
        case ".txt":
            return "", "", text.read_text(path)
        case ending:
            raise ReadError(
                f"対応していない形式です({ending or '拡張子なし'})",
                f"{FORMATS} のどれかで保存してください",
            )


def _blocks(parts: Iterator[Block | Unread], unread: list[Unread]) -> Iterator[Block]:
    """What a reader gives, within bounds; what it could not read goes to `unread`."""
    characters = 0
    with _damage_named():
        for number, part in enumerate(parts):
            if isinstance(part, Unread):
                unread.append(part)
                continue
            characters += len(part.text)
            if characters > _MAX_CHARACTERS or number > _MAX_BLOCKS:
                raise ReadError("文字が多すぎる文書です", "分割してから追加してください")
            yield part


@contextmanager
def _damage_named() -> Iterator[None]:
    """Turns what the formats' libraries raise on a damaged file into a ReadError; none of them says what that is."""
    try:
        yield
    except Exception as error:
        if isinstance(error, ReadError) or (isinstance(error, OSError) and error.errno):
            raise
        raise ReadError(
            "ファイルが壊れています(または読み取れない作りです)",
            "元のアプリケーションで開けるか確かめ、保存し直してください",
        ) from error


def _named(title: str) -> str:
    """A title from a file's properties, unless it is what an application puts there by itself."""
    title = clean(title)
    return "" if title.lower().startswith(_NO_TITLES) or title.lower().endswith(SUFFIXES) else title


def _first_heading(head: list[Block]) -> str:
    marked = next((block.text for block in head if block.kind == "heading"), "")
    first = head[0].text
    if marked or head[0].kind != "paragraph":
        return marked
    return first if len(first) <= _TITLE and not first.endswith(("。", "!", "?", "、", ":")) else ""


def suffix_of(content: bytes) -> str:
    """The ending that fits the content of a file without a name."""
    if content.startswith(b"%PDF"):
        return ".pdf"
    if content.startswith(b"PK"):
        return _package_suffix(content)
    start = content[:1024].lstrip().lower()
    return ".html" if start.startswith((b"<!doctype html", b"<html")) else ".txt"


def _package_suffix(content: bytes) -> str:
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as package:
            return ".xlsx" if any(name.startswith("xl/") for name in package.namelist()) else ".docx"
    except zipfile.BadZipFile:
        return ".docx"
