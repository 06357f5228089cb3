"""The documents that an operator has added: their originals, what was read from them, and the list of both."""

import fcntl
import hashlib
import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from ingest.extracting import READERS_VERSION, extract
from ingest.files import TEMPORARY, replacing
from ingest.types import Block, Document, ReadError
from knowledge.outside import why


@dataclass(frozen=True)
class Added:
    """An added document as the list holds it. `file` is its original in the folder, named by its content.

    `unread` are the places that its reader could not take, with what is there, and `unread_share` about what part of
    the document (0..1) they are; `source` is the address that it was fetched from ("" for a file).
    """

    id: str
    title: str
    url: str
    file: str
    digest: str
    unread: tuple[tuple[str, str], ...] = ()
    source: str = ""
    unread_share: float = 0.0


@dataclass(frozen=True)
class ReadDocument:
    """A document that was read, to be put on the list: what the list will hold, the copied original and its blocks.

    The last two are None where the list holds it already.
    """

    added: Added
    original: Path | None = None
    blocks: Path | None = None


class ListDamagedError(Exception):
    """The list of the documents is not what was written; the message says where it lies."""


@dataclass(frozen=True)
class _StoredBlocks:
    """The blocks of a document as they were read when it was added, one JSON line each; readable again and again."""

    file: Path

    def __iter__(self) -> Iterator[Block]:
        with self.file.open(encoding="utf-8") as lines:
            for line in lines:
                kind, text, place, level, cells, answers = json.loads(line)
                yield Block(kind, text, place, level, tuple((name, value) for name, value in cells), answers)


class Documents:
    """The added documents under a data folder. Change them (`put`, `remove`) within `changing()` only.

    Every method may raise OSError, where the folder cannot be read or written to.
    """

    def __init__(self, data_dir: Path) -> None:
        """Reads the list; a folder that is not there yet holds none.

        Raises:
            ListDamagedError: the list cannot be understood.
        """
        self.folder = data_dir / "documents"
        self._list = self.folder / "documents.json"
        self.added = self._read()

    def _read(self) -> dict[str, Added]:
        try:
            entries = json.loads(self._list.read_text(encoding="utf-8"))
            return {entry["id"]: _added(entry) for entry in entries}
        except FileNotFoundError:
            return {}
        except (ValueError, TypeError, KeyError) as error:
            raise ListDamagedError(f"追加した文書の一覧が壊れています: {self._list}") from error

    @contextmanager
    def changing(self) -> Iterator[None]:
        """Holds the folder for one process; in the end nothing lies in it that the list does not name."""
        self.folder.mkdir(parents=True, exist_ok=True)
        lock = os.open(self.folder / "lock", os.O_RDWR | os.O_CREAT, 0o666)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            self.added = self._read()
            yield
            self._remove_unlisted()
        finally:
            os.close(lock)

    def read(self, source: Path, id: str, url: str, folder: Path) -> ReadDocument:
        """Copies and reads a document. The list is not touched, and nobody else has to wait.

        Args:
            source: the file.
            id: its id.
            url: where it was fetched from, if it was.
            folder: is there and takes the copy until it is put on the list.

        Raises:
            ReadError: it cannot be taken in.
        """
        copy = folder / f"original{source.suffix.lower()}"
        try:
            shutil.copyfile(source, copy)
        except OSError as error:
            if error.filename != str(source):
                raise
            raise ReadError(
                f"ファイルを開けません({why(error)})", "ファイルの場所と読み取りの権限を確かめてください"
            ) from error
        digest = _digest(copy)
        stored = self.added.get(id)
        if stored is not None and (stored.digest, stored.source) == (digest, url) and self._is_kept(stored):
            return ReadDocument(stored)
        blocks = folder / "blocks.jsonl"
        document, number = _extract(copy, id, blocks)
        unread = tuple(dict.fromkeys((gap.what, gap.place) for gap in document.unread))
        lost = sum(gap.blocks for gap in document.unread)
        share = lost / (lost + number) if lost else 0.0
        original = f"{digest}{copy.suffix}"
        added = Added(id, document.title, document.url or url, original, digest, unread, url, share)
        return ReadDocument(added, copy, blocks)

    def put(self, reading: ReadDocument) -> Added:
        """Puts a document that was read on the list, in place of one with the same id.

        Raises:
            ReadError: what the list held when it was read is gone from it.
        """
        added = reading.added
        if reading.original is None or reading.blocks is None:
            if self.added.get(added.id) != added:
                raise ReadError("読んでいるあいだに取り除かれました", "もう一度 add してください")
            return added
        original = self.folder / added.file
        for source, target in ((reading.original, original), (reading.blocks, self._blocks_file(original))):
            with source.open("rb") as content, replacing(target) as copy:
                shutil.copyfileobj(content, copy)
        self._write({**self.added, added.id: added})
        return added

    def add(self, source: Path, id: str, url: str = "") -> Added:
        """Reads a document and puts it on the list; see `read` and `put`."""
        with TemporaryDirectory() as folder:
            return self.put(self.read(source, id, url, Path(folder)))

    def _is_kept(self, added: Added) -> bool:
        return (self.folder / added.file).exists()

    def remove(self, id: str) -> None:
        """Takes a document off the list. Raises KeyError where none has this id."""
        kept = dict(self.added)
        del kept[id]
        self._write(kept)

    def open(self, added: Added) -> Document:
        """An added document with its blocks; read from the original again where the readers have changed since.

        Raises:
            ReadError: its original is gone, or cannot be read any more.
        """
        blocks = self._blocks_file(self.folder / added.file)
        if not blocks.exists():
            if not (self.folder / added.file).exists():
                raise ReadError("保存した原本がありません", "もう一度 add するか、remove してください")
            _extract(self.folder / added.file, added.id, blocks)
        return Document(added.id, added.title, _StoredBlocks(blocks), added.url)

    def _blocks_file(self, original: Path) -> Path:
        return original.with_name(f"{original.name}-{READERS_VERSION}.jsonl")

    def _write(self, added: dict[str, Added]) -> None:
        entries = [asdict(added[id]) for id in sorted(added)]
        with replacing(self._list) as output:
            output.write(json.dumps(entries, ensure_ascii=False, indent=1).encode())
        self.added = added

    def _remove_unlisted(self) -> None:
        """Removes replaced and removed documents' files, and what killed runs have left."""
        originals = {added.file for added in self.added.values()}
        kept = originals | {self._blocks_file(self.folder / file).name for file in originals}
        kept |= {self._list.name, "lock"}
        for file in self.folder.iterdir():
            if file.name not in kept or file.name.startswith(TEMPORARY):
                file.unlink()


def _extract(original: Path, id: str, blocks: Path) -> tuple[Document, int]:
    """Reads a document into a file of its blocks; the document, and how many there are."""
    document = extract(original, id)
    number = 0
    with replacing(blocks) as output:
        for block in document.blocks:
            fields = [block.kind, block.text, block.place, block.level, block.cells, block.answers]
            output.write(json.dumps(fields, ensure_ascii=False).encode() + b"\n")
            number += 1
    return document, number


def _added(entry: dict[str, Any]) -> Added:
    return Added(**{**entry, "unread": tuple((what, place) for what, place in entry.get("unread", ()))})


def _digest(source: Path) -> str:
    with source.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()[:24]
