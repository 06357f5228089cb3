"""The index on disk: one directory per generation, built beside the old one and switched by a pointer file.

A generation holds `index.sqlite` (chunks, their vectors, and the terms that each is found by) and `chroma/` (the
vectors for nearest-neighbour search). It never changes once the pointer names it. Readers hold a shared lock on the
generation that they read, so that it is removed only when nobody reads it any more.

The terms are an inverted index in blocks of rows: a changed chunk touches the blocks of its own terms, and nothing is
rebuilt for it. Document frequencies and lengths are read from it at query time.
"""

import fcntl
import hashlib
import json
import os
import secrets
import shutil
import sqlite3
import threading
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from functools import cached_property, lru_cache
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeVar, cast

import numpy as np
import numpy.typing as npt

from knowledge.encoder.encoding import Encoder, Vectors
from knowledge.outside import OutsideError, chroma_address, reach_chroma, why
from knowledge.types import KINDS, Chunk, IndexMissingError, Kind, NamedDocument
from knowledge.words import WORDS_VERSION, index_terms, reading_pairs

if TYPE_CHECKING:
    import chromadb
    from chromadb.api.client import Client

TermSort = Literal["words", "sounds"]
"""What a chunk is found by: its words in normal form, or the sounds that it is read with."""

Rows = npt.NDArray[np.int32]

_T = TypeVar("_T")

_POINTER_FILE = "current.json"
POINTER = f"index/{_POINTER_FILE}"
"""The file of a data folder that names the generations."""

_BLOCK = 2048  # rows of a block of postings
_AT_ONCE = 256  # chunks that are encoded and written at once, after which progress is told
_KEPT_GENERATIONS = 2  # the one that serves and the one before it
_ROOM = 4 << 20  # bytes that must be free on a disk for Chroma to open its files
_DIGEST = 12  # bytes
_SAMPLE = 1000  # passages whose mean stands for that of all
_POSTINGS_CACHED = 4096  # terms whose postings stay decoded in memory

_SCHEMA = """
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE chunks (
    row INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, kind INTEGER NOT NULL, program TEXT NOT NULL,
    document TEXT NOT NULL, words INTEGER NOT NULL, sounds INTEGER NOT NULL, payload TEXT NOT NULL,
    digest BLOB NOT NULL, vector BLOB NOT NULL
);
CREATE INDEX chunks_by_digest ON chunks (digest);
CREATE TABLE documents (id TEXT PRIMARY KEY, payload TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE postings (
    kind INTEGER NOT NULL, terms TEXT NOT NULL, term TEXT NOT NULL, block INTEGER NOT NULL, data BLOB NOT NULL,
    PRIMARY KEY (kind, terms, term, block)
) WITHOUT ROWID;
"""


class IndexBusyError(Exception):
    """Another process is updating the index."""


class IndexUnwritableError(Exception):
    """The data folder cannot be written to, or the Chroma server cannot be reached."""


@dataclass(frozen=True)
class IndexChanges:
    """How many chunks a run created, updated, deleted and left as they were."""

    created: int
    updated: int
    deleted: int
    unchanged: int


@dataclass(frozen=True)
class Postings:
    """The rows that hold a term, in ascending order, and how often each holds it."""

    rows: Rows
    counts: Rows


@dataclass(frozen=True)
class Wordings:
    """The typed questions of the FAQ: their rows, vectors with their mean, and the numbers of their entries.

    `entries` holds (program, target) by that number.
    """

    rows: Rows
    vectors: Vectors
    mean: Vectors
    entry_numbers: npt.NDArray[np.int64]
    entries: tuple[tuple[str, str], ...]


def embedded_text(chunk: Chunk) -> str:
    """What is embedded, and found by its words: a passage with its headings and its question, a question as it stands.

    A heading that is the question is not said twice.
    """
    if chunk.kind == "question":
        return chunk.text
    above = [heading for heading in chunk.headings if not chunk.answers or chunk.answers not in heading]
    return "\n".join([*above, *([chunk.answers] if chunk.answers else []), chunk.text])


def _digest(chunk: Chunk) -> bytes:
    """Names what is encoded of a chunk, and how: as what is searched for, or as what is to be found."""
    return hashlib.blake2b(f"{chunk.kind}\n{embedded_text(chunk)}".encode(), digest_size=_DIGEST).digest()


class Index:
    """One generation, open for reading. Safe to use from several threads until it is closed.

    `words` and `sounds` hold, for each row, how many terms of that sort the chunk has; `kinds` its kind as a position
    in KINDS (-1 where the row is empty), `programs` the number of its program in `program_numbers`, and
    `documents` that of its document in `document_numbers`.
    """

    def __init__(self, data_dir: Path, generation: str, encoder: Encoder, chroma_url: str) -> None:
        """Opens a generation that the pointer names, with the encoder that it was made with."""
        self.data_dir = data_dir
        self.generation = generation
        self.encoder = encoder
        self.chroma_url = chroma_url
        folder = _root(data_dir) / generation
        self._guard = os.open(folder / "in-use", os.O_RDONLY)
        fcntl.flock(self._guard, fcntl.LOCK_SH)
        self._lock = threading.Lock()
        self._database = sqlite3.connect(
            f"file:{folder / 'index.sqlite'}?mode=ro&immutable=1", uri=True, check_same_thread=False
        )
        self._client: Client | None = None
        self._passages: chromadb.Collection | None = None
        self._opening_chroma = threading.Lock()
        if chroma_url:
            self.open_chroma()
        self.postings = lru_cache(maxsize=_POSTINGS_CACHED)(self._read_postings)
        self._read_rows()

    def _read_rows(self) -> None:
        records = self._select("SELECT row, kind, program, document, words, sounds FROM chunks ORDER BY row")
        size = records[-1][0] + 1 if records else 0
        self.kinds = np.full(size, -1, dtype=np.int8)
        self.programs = np.zeros(size, dtype=np.int32)
        self.lengths: dict[TermSort, Rows] = {"words": np.zeros(size, np.int32), "sounds": np.zeros(size, np.int32)}
        self.documents = np.zeros(size, dtype=np.int32)
        self.program_numbers: dict[str, int] = {}
        self.document_numbers: dict[str, int] = {}
        for row, kind, program, document, words, sounds in records:
            self.kinds[row] = kind
            self.programs[row] = self.program_numbers.setdefault(program, len(self.program_numbers))
            self.documents[row] = self.document_numbers.setdefault(document, len(self.document_numbers))
            self.lengths["words"][row] = words
            self.lengths["sounds"][row] = sounds
        of_kind = {kind: self.kinds == i for i, kind in enumerate(KINDS)}
        self.sizes: dict[Kind, int] = {kind: int(rows.sum()) for kind, rows in of_kind.items()}
        self.average_lengths: dict[tuple[Kind, TermSort], float] = {
            (kind, sort): float(lengths[rows].mean()) if self.sizes[kind] else 0.0
            for kind, rows in of_kind.items()
            for sort, lengths in self.lengths.items()
        }

    def open_chroma(self) -> None:
        """Has Chroma find the nearest passages, which otherwise are all compared; its import takes a second.

        In a folder that cannot be written to they go on being compared: Chroma writes to its files even to read them.

        Raises:
            IndexUnwritableError: the server cannot be reached, or Chroma refuses.
        """
        folder = _root(self.data_dir) / self.generation
        with self._opening_chroma:
            if self._client is None and (self.chroma_url or _can_write(folder)):
                self._client, self._passages = _open_chroma(folder, self.chroma_url)
                self.__dict__.pop("_all_passages", None)

    @property
    def uses_chroma(self) -> bool:
        """Whether Chroma finds the nearest passages."""
        return self._passages is not None

    def close(self) -> None:
        """Frees the files and the lock; the index cannot be used afterwards."""
        if self._client is not None:
            self._client.close()
        self._database.close()
        os.close(self._guard)

    def _read_postings(self, kind: Kind, sort: TermSort, term: str) -> Postings:
        records = self._select(
            "SELECT data FROM postings WHERE kind = ? AND terms = ? AND term = ? ORDER BY block",
            (KINDS.index(kind), sort, term),
        )
        blocks = [_decode(data) for (data,) in records]
        rows, counts = np.concatenate(blocks, axis=1) if blocks else np.empty((2, 0), dtype=np.int32)
        return Postings(rows, counts)

    @cached_property
    def wordings(self) -> Wordings:
        """Every typed question; read once and kept, as each question is compared with all of them."""
        records = self._select(
            "SELECT row, payload, vector FROM chunks WHERE kind = ? ORDER BY row", (KINDS.index("question"),)
        )
        entries: dict[tuple[str, str], int] = {}
        chunks = [_chunk(payload) for _, payload, _ in records]
        vectors = _vectors([vector for _, _, vector in records], self.encoder.dimension)
        return Wordings(
            rows=np.array([row for row, _, _ in records], dtype=np.int32),
            vectors=vectors,
            mean=_mean(vectors),
            entry_numbers=np.array(
                [entries.setdefault((chunk.program, chunk.target), len(entries)) for chunk in chunks], dtype=np.int64
            ),
            entries=tuple(entries),
        )

    @cached_property
    def named(self) -> tuple[NamedDocument, ...]:
        """The added documents with their names."""
        return tuple(_named(payload) for (payload,) in self._select("SELECT payload FROM documents ORDER BY id"))

    def nearest(self, vector: Vectors, program: str, limit: int) -> Rows:
        """The rows of the passages nearest to `vector`, of that program and of none ("" = of all)."""
        limit = min(limit, self.sizes["passage"])
        if not limit:
            return np.empty(0, dtype=np.int32)
        if self._passages is None:
            return self._nearest_of_all(vector, program, limit)
        where = cast("chromadb.Where", {"program": {"$in": [program, ""]}}) if program else None
        found = self._passages.query(
            query_embeddings=cast(Any, [vector]), n_results=limit, where=where, include=["distances"]
        )["ids"][0]
        marks = ",".join("?" * len(found))
        records = self._select(f"SELECT row FROM chunks WHERE id IN ({marks})", found)
        return np.array([row for (row,) in records], dtype=np.int32)

    def _nearest_of_all(self, vector: Vectors, program: str, limit: int) -> Rows:
        """As `nearest`, by comparing every passage."""
        rows, vectors = self._all_passages
        if program:
            numbers = [self.program_numbers[name] for name in (program, "") if name in self.program_numbers]
            kept = np.isin(self.programs[rows], numbers)
            rows, vectors = rows[kept], vectors[kept]
        return rows[np.argsort(-(vectors @ vector), kind="stable")[:limit]]

    @cached_property
    def _all_passages(self) -> tuple[Rows, Vectors]:
        rows = np.flatnonzero(self.kinds == KINDS.index("passage")).astype(np.int32)
        records = self._select("SELECT vector FROM chunks WHERE kind = ? ORDER BY row", (KINDS.index("passage"),))
        return rows, _vectors([vector for (vector,) in records], self.encoder.dimension)

    @cached_property
    def mean_passage(self) -> Vectors:
        """What its passages have in common: the mean of their vectors, or of a sample of them."""
        rows = np.flatnonzero(self.kinds == KINDS.index("passage")).astype(np.int32)
        return _mean(self.vectors(rows[:: len(rows) // _SAMPLE + 1]))

    def vectors(self, rows: Rows) -> Vectors:
        """The vectors of these rows, in the same order."""
        found = dict(self._of_rows("vector", rows))
        return _vectors([found[row] for row in rows.tolist()], self.encoder.dimension)

    def chunks(self, rows: Rows) -> list[Chunk]:
        """The chunks of these rows, in the same order."""
        found = {row: _chunk(payload) for row, payload in self._of_rows("payload", rows)}
        return [found[row] for row in rows.tolist()]

    def chunk(self, id: str) -> Chunk | None:
        """The chunk with an id; None where there is none."""
        found = self._select("SELECT payload FROM chunks WHERE id = ?", (id,))
        return _chunk(found[0][0]) if found else None

    def _of_rows(self, column: Literal["vector", "payload"], rows: Rows) -> list[tuple[int, Any]]:
        marks = ",".join("?" * len(rows))
        return self._select(f"SELECT row, {column} FROM chunks WHERE row IN ({marks})", rows.tolist())

    def _select(self, statement: str, values: Sequence[Any] = ()) -> list[Any]:
        with self._lock:
            return self._database.execute(statement, values).fetchall()


def open_index(data_dir: Path, encoder: Encoder, chroma_url: str = "") -> Index:
    """Opens the newest generation made with this encoder.

    Args:
        data_dir: the data folder; the index lies in its `index/`.
        encoder: made the vectors.
        chroma_url: "" for the embedded Chroma, or the address of the server that has the passages' vectors.

    Raises:
        IndexMissingError: there is none, or it cannot be opened; the message says whether another encoder's index
            is there.
    """
    generation = current_generation(data_dir, encoder.name)
    try:
        if _layout_of(_root(data_dir) / generation) != _layout(chroma_url):
            raise IndexMissingError("索引の形式が今の設定と合いません。python -m ingest を実行してください。")
        return Index(data_dir, generation, encoder, chroma_url)
    except OutsideError as error:
        raise IndexMissingError(str(error)) from error
    except (IndexUnwritableError, sqlite3.Error, OSError) as error:
        raise IndexMissingError(
            f"索引 {_root(data_dir)} を開けません({error})。書き込みの権限を確かめてください。"
            "壊れている場合は、このフォルダを消してから python -m ingest を実行してください。"
        ) from error


def named_generations(data_dir: Path) -> tuple[str, ...]:
    """The generations that the pointer names, the newest first."""
    return tuple(generation for _, generation in _read_pointer(_root(data_dir)))


def drop_unnamed(data_dir: Path) -> None:
    """Removes this disk's copies of generations that are named no more; their vectors on a server are left alone."""
    for folder in _unreferenced(_root(data_dir), _read_pointer(_root(data_dir))):
        shutil.rmtree(folder, ignore_errors=True)


def newest_encoder(data_dir: Path) -> str:
    """The name of the encoder that the newest index was made with; "" where there is no index."""
    history = _read_pointer(_root(data_dir))
    return history[0][0] if history else ""


def current_generation(data_dir: Path, encoder_name: str) -> str:
    """The generation that serves this encoder.

    Raises:
        IndexMissingError: there is none.
    """
    history = _read_pointer(_root(data_dir))
    generation = dict(reversed(history)).get(encoder_name)
    if generation is not None:
        return generation
    if history:
        raise IndexMissingError(
            f"索引は別の埋め込みモデル({history[0][0]})で作られています。"
            f"{encoder_name} の索引を作るため、python -m ingest を実行してください。"
        )
    raise IndexMissingError("索引がまだありません。python -m ingest を実行してください。")


def update_index(
    data_dir: Path,
    chunks: Iterable[Chunk],
    encoder: Encoder,
    progress: Callable[[int], None],
    chroma_url: str = "",
    named: Callable[[], Iterable[NamedDocument]] = tuple,
) -> IndexChanges:
    """Makes the index hold exactly these chunks, and switches to it once it is complete and on disk.

    Chunks that are stored as they are keep their vectors and terms; a text that is stored anywhere keeps its vector.
    Where nothing changed, no generation is written.

    Args:
        data_dir: the data folder; the index lies in its `index/`.
        chunks: every chunk there is to be, each id once; read once, a block at a time.
        encoder: makes the vectors. Another name than before means a complete new generation.
        progress: told how many chunks have been read so far.
        chroma_url: "" for the embedded Chroma, or the address of a server.
        named: gives the added documents with their names, once the chunks have been read.

    Raises:
        IndexBusyError: another process is updating this index.
        IndexUnwritableError: the data folder cannot be written to.
        OutsideError: the Chroma server cannot be reached.
        ValueError: two chunks have the same id.
    """
    root = _root(data_dir)
    with _update_lock(root):
        history = _read_pointer(root)
        _remove_unreferenced(root, history, chroma_url)
        builder = _Builder(root, dict(reversed(history)).get(encoder.name), encoder, chroma_url)
        try:
            read, created, updated = 0, 0, 0
            for block in _blocks(chunks):
                block_created, block_updated = builder.put(block)
                read, created, updated = read + len(block), created + block_created, updated + block_updated
                progress(read)
            deleted = builder.remove_unseen()
            builder.name(named())
            generation = builder.finish()
        except BaseException:
            builder.abandon()
            raise
        if generation is not None:
            history = [(encoder.name, generation), *history][:_KEPT_GENERATIONS]
            _write_pointer(root, history)
            _remove_unreferenced(root, history, chroma_url)
    return IndexChanges(created, updated, deleted, read - created - updated)


class _Builder:
    """Compares chunks with a stored generation, and writes a new one from the first difference on."""

    def __init__(self, root: Path, base: str | None, encoder: Encoder, chroma_url: str) -> None:
        self._root = root
        self._chroma_url = chroma_url
        self._layout = _layout(chroma_url)
        self._encoder = encoder
        self._base = base if base is not None and _layout_of(root / base) == self._layout else None
        self._number = int(base.split("-")[0]) + 1 if base else 1
        self._seen: set[str] = set()
        self._folder: Path | None = None
        self._client: Client | None = None
        self._passages: chromadb.Collection | None = None
        self._free_rows: Iterator[int] = iter(())
        self._database: sqlite3.Connection | None = (
            sqlite3.connect(f"file:{root / self._base / 'index.sqlite'}?mode=ro&immutable=1", uri=True)
            if self._base
            else None
        )

    def put(self, chunks: Sequence[Chunk]) -> tuple[int, int]:
        """Takes the next chunks; returns how many of them are new, and how many differ from what is stored."""
        for chunk in chunks:
            if chunk.id in self._seen:
                raise ValueError(f"duplicate chunk id: {chunk.id}")
            self._seen.add(chunk.id)
        stored = self._stored([chunk.id for chunk in chunks])
        changed = [chunk for chunk in chunks if chunk.id not in stored or stored[chunk.id][1] != _payload(chunk)]
        if changed:
            self._write(changed, stored)
        updated = sum(chunk.id in stored for chunk in changed)
        return len(changed) - updated, updated

    def remove_unseen(self) -> int:
        """Removes what was stored and has not come again; returns how many."""
        if self._database is None:
            return 0
        stored = (identifier for (identifier,) in self._database.execute("SELECT id FROM chunks"))
        unseen = [identifier for identifier in stored if identifier not in self._seen]
        for block in _blocks(unseen):
            database = self._writable()
            records = self._stored(block)
            changes: _TermChanges = defaultdict(dict)
            for row, payload in records.values():
                _take_out(changes, row, _chunk(payload))
            self._apply(database, changes)
            database.executemany("DELETE FROM chunks WHERE id = ?", [(identifier,) for identifier in block])
            cast("chromadb.Collection", self._passages).delete(ids=list(block))
        return len(unseen)

    def name(self, documents: Iterable[NamedDocument]) -> None:
        """Keeps what the documents are called, where that is not what is stored."""
        wanted = {document.id: json.dumps(asdict(document), ensure_ascii=False) for document in documents}
        stored = self._database.execute("SELECT id, payload FROM documents") if self._database else ()
        if wanted == dict(stored):
            return
        database = self._writable()
        database.execute("DELETE FROM documents")
        database.executemany("INSERT INTO documents VALUES (?, ?)", sorted(wanted.items()))

    def finish(self) -> str | None:
        """Closes the new generation and forces it to disk; returns its name, or None where nothing differed."""
        if self._folder is None and self._base is not None:
            self._close()
            return None
        self._writable().commit()
        self._close()
        folder = cast(Path, self._folder)
        for path in [*(p for p in folder.rglob("*")), folder, self._root]:
            _fsync(path)
        return folder.name

    def abandon(self) -> None:
        """Drops the unfinished generation; the old one goes on serving."""
        self._close()
        if self._folder is not None:
            _remove(self._folder, self._chroma_url)

    def _close(self) -> None:
        if self._client is not None:
            self._client.close()
            self._client = None
        if self._database is not None:
            self._database.close()
            self._database = None

    def _stored(self, ids: Sequence[str]) -> dict[str, tuple[int, str]]:
        if self._database is None:
            return {}
        marks = ",".join("?" * len(ids))
        records = self._database.execute(f"SELECT id, row, payload FROM chunks WHERE id IN ({marks})", list(ids))
        return {identifier: (row, payload) for identifier, row, payload in records}

    def _writable(self) -> sqlite3.Connection:
        """The new generation's database; the generation is started, from a copy of the old one, on the first call."""
        if self._folder is not None:
            return cast(sqlite3.Connection, self._database)
        self._folder = folder = self._root / f"{self._number:06d}-{secrets.token_hex(3)}"
        if self._base is None:
            folder.mkdir()
        else:
            shutil.copytree(self._root / self._base, folder)
        (folder / "in-use").touch()
        if self._database is not None:
            self._database.close()
        self._database = database = sqlite3.connect(folder / "index.sqlite")
        database.execute("PRAGMA journal_mode = OFF")  # a killed run's generation is thrown away, not recovered
        database.execute("PRAGMA synchronous = OFF")  # finish() forces the file to disk
        if self._base is None:
            database.executescript(_SCHEMA)
            database.execute("INSERT INTO meta VALUES ('layout', ?)", (self._layout,))
        self._client, self._passages = _open_chroma(folder, self._chroma_url, create=True)
        if self._base is not None and self._chroma_url:
            self._send_stored(database)
        taken = {row for (row,) in database.execute("SELECT row FROM chunks")}
        self._free_rows = (row for row in range(len(taken) + 2**31) if row not in taken)
        return database

    def _write(self, chunks: Sequence[Chunk], stored: dict[str, tuple[int, str]]) -> None:
        database = self._writable()
        vectors = self._encode(database, chunks)
        changes: _TermChanges = defaultdict(dict)
        for chunk, vector in zip(chunks, vectors, strict=True):
            if chunk.id in stored:
                row, payload = stored[chunk.id]
                _take_out(changes, row, _chunk(payload))
            else:
                row = next(self._free_rows)
            lengths = _put_in(changes, row, chunk)
            database.execute(
                "INSERT OR REPLACE INTO chunks VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    row,
                    chunk.id,
                    KINDS.index(chunk.kind),
                    chunk.program,
                    chunk.document,
                    lengths["words"],
                    lengths["sounds"],
                    _payload(chunk),
                    _digest(chunk),
                    vector.astype(np.float16).tobytes(),
                ),
            )
        self._apply(database, changes)
        self._send(chunks, vectors, set(stored))

    def _encode(self, database: sqlite3.Connection, chunks: Sequence[Chunk]) -> Vectors:
        """A row for each chunk: as the index has it already, under whatever id, else made now."""
        digests = [_digest(chunk) for chunk in chunks]
        marks = ",".join("?" * len(digests))
        known = dict(database.execute(f"SELECT digest, vector FROM chunks WHERE digest IN ({marks})", digests))
        rows = _vectors(
            [known.get(digest, bytes(2 * self._encoder.dimension)) for digest in digests], self._encoder.dimension
        )
        for kind, encoded in (("passage", self._encoder.encode_passages), ("question", self._encoder.encode_queries)):
            new = [i for i, chunk in enumerate(chunks) if chunk.kind == kind and digests[i] not in known]
            rows[new] = encoded([embedded_text(chunks[i]) for i in new])
        return rows

    def _send(self, chunks: Sequence[Chunk], vectors: Vectors, stored: set[str]) -> None:
        """Sends the passages' vectors to Chroma; a question's nearest are found without it."""
        passages = cast("chromadb.Collection", self._passages)
        kept = [i for i, chunk in enumerate(chunks) if chunk.kind == "passage" and vectors[i].any()]
        kept_ids = {chunks[i].id for i in kept}
        gone = [chunk.id for chunk in chunks if chunk.id in stored and chunk.id not in kept_ids]
        if gone:
            passages.delete(ids=gone)
        if kept:
            passages.upsert(
                ids=[chunks[i].id for i in kept],
                embeddings=cast(Any, [vectors[i] for i in kept]),
                metadatas=[{"program": chunks[i].program} for i in kept],
            )

    def _send_stored(self, database: sqlite3.Connection) -> None:
        """Fills a server's new collection with the vectors that the base already has."""
        records = database.execute("SELECT payload, vector FROM chunks WHERE kind = ?", (KINDS.index("passage"),))
        for block in _blocks(records):
            vectors = _vectors([vector for _, vector in block], self._encoder.dimension)
            self._send([_chunk(payload) for payload, _ in block], vectors, set())

    @staticmethod
    def _apply(database: sqlite3.Connection, changes: "_TermChanges") -> None:
        for (kind, sort, term, block), counts in sorted(changes.items()):
            key = (kind, sort, term, block)
            record = database.execute(
                "SELECT data FROM postings WHERE kind = ? AND terms = ? AND term = ? AND block = ?", key
            ).fetchone()
            merged = dict(_decode(record[0]).T.tolist()) | counts if record else counts
            kept = sorted((row, count) for row, count in merged.items() if count)
            if kept:
                data = np.array(kept, dtype=np.int32).T.tobytes()
                database.execute("INSERT OR REPLACE INTO postings VALUES (?, ?, ?, ?, ?)", (*key, data))
            else:
                database.execute("DELETE FROM postings WHERE kind = ? AND terms = ? AND term = ? AND block = ?", key)


_TermChanges = dict[tuple[int, TermSort, str, int], dict[int, int]]
"""For a block of a term's postings: how often each changed row holds the term now (0: no longer)."""


def _take_out(changes: _TermChanges, row: int, chunk: Chunk) -> None:
    for sort, counts in _terms(chunk).items():
        for term in counts:
            changes[KINDS.index(chunk.kind), sort, term, row // _BLOCK][row] = 0


def _put_in(changes: _TermChanges, row: int, chunk: Chunk) -> dict[TermSort, int]:
    found_by = _terms(chunk)
    for sort, counts in found_by.items():
        for term, count in counts.items():
            changes[KINDS.index(chunk.kind), sort, term, row // _BLOCK][row] = count
    return {sort: counts.total() for sort, counts in found_by.items()}


def _terms(chunk: Chunk) -> dict[TermSort, Counter[str]]:
    text = embedded_text(chunk)
    sounds = reading_pairs(text) if chunk.kind == "question" else []
    return {"words": Counter(index_terms(text)), "sounds": Counter(sounds)}


def _vectors(stored: Sequence[bytes], dimension: int) -> Vectors:
    return np.frombuffer(b"".join(stored), dtype=np.float16).reshape(-1, dimension).astype(np.float32)


def _mean(vectors: Vectors) -> Vectors:
    mean: Vectors = vectors.sum(axis=0) / max(1, len(vectors))
    return mean


def _decode(data: bytes) -> npt.NDArray[np.int32]:
    return np.frombuffer(data, dtype=np.int32).reshape(2, -1)


def _payload(chunk: Chunk) -> str:
    return json.dumps(vars(chunk), ensure_ascii=False)  # asdict copies each value, which takes longer than all else


def _chunk(payload: str) -> Chunk:
    fields = json.loads(payload)
    cells = tuple((name, value) for name, value in fields["cells"])
    return Chunk(**{**fields, "headings": tuple(fields["headings"]), "cells": cells})


def _named(payload: str) -> NamedDocument:
    fields = json.loads(payload)
    listed = {key: tuple(fields[key]) for key in ("names", "years", "parts")}
    return NamedDocument(**{**fields, **listed})


def _blocks(items: Iterable[_T]) -> Iterator[list[_T]]:
    iterator = iter(items)
    while block := list(islice(iterator, _AT_ONCE)):
        yield block


def _open_chroma(folder: Path, url: str, *, create: bool = False) -> "tuple[Client, chromadb.Collection]":
    """The passages' vectors of a generation: in its folder, or on a server under the generation's name.

    Raises:
        OutsideError: the server cannot be reached.
        IndexUnwritableError: Chroma refuses.
    """
    import chromadb  # a second, which an ingest that finds nothing changed does without
    from chromadb.config import Settings
    from chromadb.errors import ChromaError

    settings = Settings(anonymized_telemetry=False)
    name = f"madoguchi-{folder.name}" if url else "passages"
    try:
        if url:
            reach_chroma(url)
            client = chromadb.HttpClient(*chroma_address(url), settings=settings)
        else:
            client = chromadb.PersistentClient(str(folder / "chroma"), settings=settings)
        if create:
            space: Any = {"hnsw": {"space": "cosine"}}
            collection = client.get_or_create_collection(name, embedding_function=None, configuration=space)
        else:
            collection = client.get_collection(name, embedding_function=None)
    except ValueError as error:
        raise OutsideError(
            f"CHROMA_URL の {url} は Chroma のサーバーではありません。アドレスを確かめてください。"
        ) from error
    except ChromaError as error:
        raise IndexUnwritableError(f"Chroma: {error}") from error
    return cast("Client", client), collection


def _can_write(folder: Path) -> bool:
    return os.access(folder, os.W_OK) and shutil.disk_usage(folder).free > _ROOM


def _root(data_dir: Path) -> Path:
    return data_dir / "index"


def _layout(chroma_url: str) -> str:
    """What a generation is like; one of another layout is neither read nor built upon."""
    return f"6-{WORDS_VERSION}-{'server' if chroma_url else 'embedded'}"


def _layout_of(folder: Path) -> str:
    database = sqlite3.connect(f"file:{folder / 'index.sqlite'}?mode=ro&immutable=1", uri=True)
    try:
        return cast(str, database.execute("SELECT value FROM meta WHERE key = 'layout'").fetchone()[0])
    finally:
        database.close()


def _read_pointer(root: Path) -> list[tuple[str, str]]:
    """(name of the encoder, generation), the newest first; nothing where there is no index."""
    try:
        text = (root / _POINTER_FILE).read_text(encoding="utf-8")
    except (FileNotFoundError, NotADirectoryError):
        return []
    return [(entry["embedding"], entry["generation"]) for entry in json.loads(text)]


def _write_pointer(root: Path, history: Sequence[tuple[str, str]]) -> None:
    text = json.dumps([{"embedding": name, "generation": generation} for name, generation in history], indent=1)
    temporary = root / f"{_POINTER_FILE}.new"
    temporary.write_text(text, encoding="utf-8")
    _fsync(temporary)
    os.replace(temporary, root / _POINTER_FILE)
    _fsync(root)


def _remove_unreferenced(root: Path, history: Sequence[tuple[str, str]], chroma_url: str) -> None:
    """Removes generations that neither the pointer names nor a reader holds open (killed runs' among them)."""
    for folder in _unreferenced(root, history):
        _remove(folder, chroma_url)


def _unreferenced(root: Path, history: Sequence[tuple[str, str]]) -> list[Path]:
    named = {generation for _, generation in history}
    folders = root.iterdir() if root.exists() else ()
    return [folder for folder in folders if folder.is_dir() and folder.name not in named and not _in_use(folder)]


def _remove(folder: Path, chroma_url: str) -> None:
    if chroma_url:
        client, passages = _open_chroma(folder, chroma_url, create=True)
        client.delete_collection(passages.name)
        client.close()
    shutil.rmtree(folder, ignore_errors=True)


def _in_use(folder: Path) -> bool:
    try:
        guard = os.open(folder / "in-use", os.O_RDONLY)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(guard, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(guard)
    return False


@contextmanager
def _update_lock(root: Path) -> Iterator[None]:
    try:
        root.mkdir(parents=True, exist_ok=True)
        lock = os.open(root / "lock", os.O_RDWR | os.O_CREAT, 0o666)
    except OSError as error:
        raise IndexUnwritableError(f"データフォルダーに書き込めません: {root} ({why(error)})") from error
    try:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise IndexBusyError("別の取り込みが実行中です。終わってからもう一度実行してください。") from error
        yield
    finally:
        os.close(lock)


def _fsync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
