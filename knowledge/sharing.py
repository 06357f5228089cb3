"""What several hosts share of their data folders: by PostgreSQL, where a Chroma server has the vectors.

Of a data folder are shared the generations that the pointer names, the pointer, the added documents, the conflicts and
what watched pages changed. A run of ingest takes a lock of the database, brings its folder to what is shared, changes
it as ever, and hands the files in with one transaction, which raises the revision. Every host looks at that now and
then, and fetches the files that it has not: the pointer last, so that it never names what is not there.

What a run that was killed left in its folder is undone by the next fetch: a folder that is being changed has no mark.
"""

import asyncio
import fcntl
import hashlib
import json
import logging
import os
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import asyncpg

from knowledge.conflicts import FILE as CONFLICTS
from knowledge.store import POINTER, drop_unnamed, named_generations
from knowledge.watching import FILE as WATCHED

_LOOK_EVERY_SECONDS = 3.0

_INGESTING = 0x6D616470
"""The advisory lock under which one host at a time ingests."""

_PART = 4 << 20
"""Bytes of a file that are sent at once."""

_TABLES = """
CREATE TABLE IF NOT EXISTS shared_files (
    digest TEXT NOT NULL, part INTEGER NOT NULL, content BYTEA NOT NULL, PRIMARY KEY (digest, part)
);
CREATE TABLE IF NOT EXISTS shared_state (id INTEGER PRIMARY KEY, revision BIGINT NOT NULL, files JSON NOT NULL);
"""

_MARK = "shared.json"
_LOCK = "shared.lock"

Files = Mapping[str, str]
"""Digests by the paths of files within a data folder."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class _State:
    """What is shared, or what a folder was last brought to."""

    revision: int
    files: Files


class Shelf:
    """The shared files, as one host has them in its data folder."""

    def __init__(self, database_url: str, data_dir: Path) -> None:
        """Connects to nothing yet.

        Args:
            database_url: of a PostgreSQL, as a person writes it.
            data_dir: made where it is missing.
        """
        self._url = "postgresql://" + database_url.partition("://")[2]
        self._folder = data_dir

    async def fetch(self) -> None:
        """Brings the folder to what is shared, unless a run of ingest is changing it.

        Raises:
            OSError: the database or the folder cannot be used.
        """
        with _held(self._folder, fcntl.LOCK_SH | fcntl.LOCK_NB) as held:
            if held:
                async with self._connected() as connection:
                    await self._bring(connection)

    async def follow(self) -> None:
        """Fetches now and every few seconds, until it is cancelled."""
        while True:
            try:
                await self.fetch()
            except OSError as error:
                _log.warning("what hosts share cannot be fetched; the next attempt is soon: %s", error)
            await asyncio.sleep(_LOOK_EVERY_SECONDS)

    @contextmanager
    def changing(self) -> Iterator[None]:
        """Holds what is shared for one run on one host; what the block has changed is shared if it ends well.

        Raises:
            OSError: the database or the folder cannot be used.
        """
        with asyncio.Runner() as runner:
            connection = runner.run(self._lock())
            try:
                with _held(self._folder, fcntl.LOCK_EX):
                    runner.run(self._bring(connection))
                    (self._folder / _MARK).unlink(missing_ok=True)
                    yield
                    runner.run(self._hand_in(connection))
            finally:
                runner.run(connection.close())

    @asynccontextmanager
    async def _connected(self) -> AsyncIterator[Any]:
        try:
            connection = await asyncpg.connect(self._url)
        except (asyncpg.PostgresError, asyncpg.InterfaceError, TimeoutError) as error:
            raise OSError(f"PostgreSQL: {error}") from error
        try:
            yield connection
        except asyncpg.PostgresError as error:
            raise OSError(f"PostgreSQL: {error}") from error
        finally:
            await connection.close()

    async def _lock(self) -> Any:
        try:
            connection = await asyncpg.connect(self._url)
            await connection.execute(f"SELECT pg_advisory_lock({_INGESTING})")
            await connection.execute(_TABLES)
        except (asyncpg.PostgresError, asyncpg.InterfaceError, TimeoutError) as error:
            raise OSError(f"PostgreSQL: {error}") from error
        return connection

    async def _bring(self, connection: Any) -> None:
        async with connection.transaction(isolation="repeatable_read", readonly=True):
            shared = await _read_state(connection)
            mark = self._read_mark()
            if shared is None or (mark and mark.revision == shared.revision):
                return
            mine = mark.files if mark else self._digests(shared.files)
            for path in sorted(shared.files, key=lambda path: path == POINTER):
                file = self._folder / path
                if mine.get(path) != shared.files[path] or not file.exists():
                    await _download(connection, shared.files[path], file)
        for path in self._paths():
            if path not in shared.files:
                (self._folder / path).unlink(missing_ok=True)
        self._write_mark(shared)
        drop_unnamed(self._folder)
        _log.info("revision %d of what hosts share was taken up", shared.revision)

    async def _hand_in(self, connection: Any) -> None:
        files = self._digests(self._paths())
        async with connection.transaction():
            before = await _read_state(connection)
            if before is None or before.files != files:
                for path, digest in files.items():
                    await _upload(connection, digest, self._folder / path)
                raised = (
                    "INSERT INTO shared_state VALUES (1, 1, $1) ON CONFLICT (id) DO UPDATE "
                    "SET revision = shared_state.revision + 1, files = excluded.files"
                )
                await connection.execute(raised, json.dumps(files))
                await connection.execute("DELETE FROM shared_files WHERE digest <> ALL($1)", list(files.values()))
            state = await _read_state(connection)
        assert state
        self._write_mark(state)

    def _paths(self) -> list[str]:
        """The files of the folder that are shared."""
        generations = (self._folder / "index" / name for name in named_generations(self._folder))
        files = [generation / name for generation in generations for name in ("index.sqlite", "in-use")]
        documents = self._folder / "documents"
        files += [file for file in documents.glob("*") if file.name != "lock" and not file.name.startswith(".")]
        files += [self._folder / name for name in (CONFLICTS, WATCHED, POINTER)]
        return [file.relative_to(self._folder).as_posix() for file in files if file.is_file()]

    def _digests(self, paths: Iterable[str]) -> Files:
        found = {}
        for path in paths:
            if (self._folder / path).is_file():
                with (self._folder / path).open("rb") as content:
                    found[path] = hashlib.file_digest(content, "sha256").hexdigest()
        return found

    def _read_mark(self) -> _State | None:
        """What the folder was brought to; None where it may hold anything."""
        try:
            return _State(**json.loads((self._folder / _MARK).read_text(encoding="utf-8")))
        except FileNotFoundError:
            return None

    def _write_mark(self, state: _State) -> None:
        beside = _beside(self._folder / _MARK)
        beside.write_text(json.dumps({"revision": state.revision, "files": dict(state.files)}), encoding="utf-8")
        os.replace(beside, self._folder / _MARK)


def open_shelf(database_url: str, chroma_url: str, data_dir: Path) -> Shelf | None:
    """What hosts share; None where the database is a host's own, or the vectors lie in its folder."""
    shares = database_url.startswith("postgres") and bool(chroma_url)
    return Shelf(database_url, data_dir) if shares else None


async def _read_state(connection: Any) -> _State | None:
    if await connection.fetchval("SELECT to_regclass('shared_state')") is None:
        return None
    row = await connection.fetchrow("SELECT revision, files FROM shared_state")
    return _State(row["revision"], json.loads(row["files"])) if row else None


async def _upload(connection: Any, digest: str, file: Path) -> None:
    if await connection.fetchval("SELECT true FROM shared_files WHERE digest = $1 LIMIT 1", digest):
        return
    with file.open("rb") as content:
        parts = iter(lambda: content.read(_PART), b"")
        for number, part in enumerate(parts):
            await connection.execute("INSERT INTO shared_files VALUES ($1, $2, $3)", digest, number, part)


async def _download(connection: Any, digest: str, file: Path) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    beside = _beside(file)
    try:
        with beside.open("wb") as output:
            of_file = "SELECT content FROM shared_files WHERE digest = $1 ORDER BY part"
            async for (part,) in connection.cursor(of_file, digest, prefetch=1):
                output.write(part)
            output.flush()
            os.fsync(output.fileno())
        os.replace(beside, file)
    finally:
        beside.unlink(missing_ok=True)


def _beside(file: Path) -> Path:
    return file.with_name(f".new-{os.getpid()}-{file.name}")


@contextmanager
def _held(folder: Path, how: int) -> Iterator[bool]:
    """Holds a lock of the folder's; False where it was not to be waited for and another has it."""
    folder.mkdir(parents=True, exist_ok=True)
    lock = os.open(folder / _LOCK, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        try:
            fcntl.flock(lock, how)
            held = True
        except BlockingIOError:
            held = False
        yield held
    finally:
        os.close(lock)
