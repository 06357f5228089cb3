"""Everything that cannot be made again, in one file: the database's rows, the added documents and the keys.

The file is a zip: `manifest.json`, a `tables/NAME.jsonl` for each table, and `data/…` as it lies in the data folder.
Rows are written by the names of their columns and not as a database's own dump, so SQLite goes back into PostgreSQL
and the other way, and a backup of an earlier version into a later one. The index is left out: `python -m ingest` makes
it from the rest.
"""

import hashlib
import json
import os
import zipfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import IO, Any

import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from bot.settings import Settings
from bot.storage import create_engine, snapshot, upgrade
from knowledge.outside import why

_FORMAT = 1
_MANIFEST = "manifest.json"
_MADE_AGAIN = {
    *("index", "shared.json", "shared.lock"),
    *("madoguchi.sqlite", "madoguchi.sqlite-wal", "madoguchi.sqlite-shm"),
}
"""What lies in the data folder and is not taken: the index, the marks of sharing, and the database, whose rows are."""

_OF_EVERY_DATABASE = {"alembic_version", "write_checks"}
"""Tables that have a row in a new database."""

_ALSO_IN_FILES = {"shared_files", "shared_state"}
"""Tables by which hosts share their data folders (knowledge/sharing.py), from which they are filled again."""

_AT_ONCE = 500
"""Rows that are put in together."""

_KEYS = {"id_hash_key": "id_hash.key", "reply_key": "reply.key"}
"""The settings that are keys, and the file of the data folder that holds each where none is set."""


class BackupError(Exception):
    """A backup that cannot be made or put back; the message says why, and what to do."""


@dataclass(frozen=True)
class Manifest:
    """What a backup holds: the revision of the database, rows by table, and what tells a key from another."""

    format: int
    made_at: str
    revision: str
    rows: dict[str, int]
    keys: dict[str, str]

    @property
    def total(self) -> int:
        """Rows in all."""
        return sum(self.rows.values())


async def back_up(settings: Settings, file: Path, moment: datetime) -> Manifest:
    """Writes a backup while the service goes on; whole and read again, or not at all. Only its owner can read it.

    Raises:
        BackupError: it cannot be written.
        StorageError: the database or the data folder cannot be used.
    """
    part = file.with_name(f".{file.name}.part")
    try:
        async with _opened(settings) as engine:
            with os.fdopen(os.open(part, os.O_CREAT | os.O_TRUNC | os.O_RDWR, 0o600), "w+b") as output:
                manifest = await _write(output, engine, settings, moment)
        if read_manifest(part) != manifest:
            raise BackupError(f"書いた控えを読み直すと、元と違います: {file}。もう一度取ってください。")
        part.replace(file)
    except OSError as error:
        raise BackupError(f"{file} に控えを書けません({why(error)})。書き込める場所を指定してください。") from error
    finally:
        part.unlink(missing_ok=True)
    return manifest


async def _write(output: IO[bytes], engine: AsyncEngine, settings: Settings, moment: datetime) -> Manifest:
    with zipfile.ZipFile(output, "w", zipfile.ZIP_DEFLATED) as archive:
        async with snapshot(engine) as connection:
            try:
                revision = (await connection.execute(sa.text("SELECT version_num FROM alembic_version"))).scalar_one()
            except DBAPIError as error:
                raise BackupError(
                    f"会話の記録がまだないか、読めません: {error.orig}。DATA_DIR と DATABASE_URL を確かめてください。"
                ) from error
            tables = await _tables(connection)
            rows = {table.name: await _write_table(archive, connection, table) for table in tables}
        for path in _kept(settings.data_dir):
            archive.write(path, f"data/{path.relative_to(settings.data_dir).as_posix()}")
        manifest = Manifest(_FORMAT, moment.isoformat(timespec="seconds"), revision, rows, _fingerprints(settings))
        archive.writestr(_MANIFEST, json.dumps(asdict(manifest), indent=2))
    return manifest


def read_manifest(file: Path) -> Manifest:
    """What a backup holds, after all of it has been read and counted.

    Raises:
        BackupError: it is none, or damaged, or of a newer version of the program.
    """
    damaged = BackupError(
        f"{file} は控えとして読めません(壊れているか、途中までしかありません)。別の控えを使ってください。"
    )
    try:
        with zipfile.ZipFile(file) as archive:
            manifest = Manifest(**json.loads(archive.read(_MANIFEST)))
            counted = {name: sum(1 for _ in _lines(archive, name)) for name in manifest.rows}
            if archive.testzip() is not None or counted != manifest.rows:
                raise damaged
    except FileNotFoundError as error:
        raise BackupError(f"{file} がありません。控えの場所を確かめてください。") from error
    except (OSError, zipfile.BadZipFile, KeyError, TypeError, ValueError, EOFError) as error:
        raise damaged from error
    if manifest.format != _FORMAT:
        raise BackupError(f"{file} は別の版の形式({manifest.format})です。控えを取った版で戻してください。")
    return manifest


async def restore(settings: Settings, file: Path) -> Manifest:
    """Puts a backup into an empty database and data folder, in one transaction.

    Raises:
        BackupError: the backup is damaged, or there is something that it would overwrite, or a key differs.
        StorageError: the database or the data folder cannot be used, or the backup is of a newer version.
    """
    manifest = read_manifest(file)
    _refuse_other_keys(settings, manifest, file)
    if any(path.name not in _KEYS.values() for path in _kept(settings.data_dir)):
        raise BackupError(f"{settings.data_dir} に文書などがあります。空のフォルダを DATA_DIR に指定してください。")
    with zipfile.ZipFile(file) as archive:
        async with _opened(settings) as engine:
            try:
                async with engine.begin() as connection:
                    await _empty(connection)
                    await connection.run_sync(upgrade, manifest.revision)
                    await _put_back(archive, connection)
                    await connection.run_sync(upgrade)
            except SQLAlchemyError as error:
                raise BackupError(f"記録を戻せません: {getattr(error, 'orig', None) or error}") from error
        for name in archive.namelist():
            if name.startswith("data/"):
                _write_private(settings.data_dir / name.removeprefix("data/"), archive.read(name), settings.data_dir)
    return manifest


async def _empty(connection: AsyncConnection) -> None:
    """Takes away the tables of a database in which nothing is, whatever its version."""
    found = sa.MetaData()
    await connection.run_sync(found.reflect)
    for table in found.tables.values():
        if table.name not in _OF_EVERY_DATABASE:
            any_row = sa.select(sa.literal(1)).select_from(table).limit(1)
            if (await connection.execute(any_row)).first():
                raise BackupError("会話の記録先が空ではありません。DATABASE_URL に空のものを指定してください。")
    await connection.run_sync(found.drop_all)


async def _put_back(archive: zipfile.ZipFile, connection: AsyncConnection) -> None:
    for table in await _tables(connection):
        await connection.execute(sa.delete(table))
        batch: list[dict[str, Any]] = []
        for line in _lines(archive, table.name):
            batch.append({name: _read(value, table.c[name].type) for name, value in json.loads(line).items()})
            if len(batch) == _AT_ONCE:
                await connection.execute(sa.insert(table), batch)
                batch.clear()
        if batch:
            await connection.execute(sa.insert(table), batch)
        if connection.dialect.name == "postgresql":
            await _count_on(connection, table)


async def _count_on(connection: AsyncConnection, table: sa.Table) -> None:
    """PostgreSQL's own counters do not see ids that are given to it."""
    for column in table.primary_key:
        if isinstance(column.type, sa.Integer) and column.server_default is not None:
            sequence = sa.func.pg_get_serial_sequence(table.name, column.name)
            next_id = sa.func.coalesce(sa.func.max(column), 0) + 1
            await connection.execute(sa.select(sa.func.setval(sequence, next_id, False)).select_from(table))


async def _tables(connection: AsyncConnection) -> list[sa.Table]:
    """The tables as they are there, each after those that it refers to."""
    found = sa.MetaData()
    await connection.run_sync(found.reflect)
    for table in found.tables.values():
        for column in table.columns:
            if isinstance(column.type, sa.JSON):
                column.type = sa.JSON(none_as_null=True)
    return [table for table in found.sorted_tables if table.name not in {"alembic_version", *_ALSO_IN_FILES}]


async def _write_table(archive: zipfile.ZipFile, connection: AsyncConnection, table: sa.Table) -> int:
    count = 0
    with archive.open(f"tables/{table.name}.jsonl", "w", force_zip64=True) as output:
        async for row in await connection.stream(sa.select(table)):
            output.write(json.dumps(dict(row._mapping), ensure_ascii=False, default=_moment).encode() + b"\n")
            count += 1
    return count


def _lines(archive: zipfile.ZipFile, table: str) -> Iterator[bytes]:
    if f"tables/{table}.jsonl" in archive.NameToInfo:
        with archive.open(f"tables/{table}.jsonl") as lines:
            yield from lines


def _moment(value: Any) -> str:
    """A day or a moment as text; SQLite keeps no zone, and all of ours are UTC."""
    if isinstance(value, datetime) and value.tzinfo is None:
        value = value.replace(tzinfo=UTC)
    if isinstance(value, date):
        return value.isoformat()
    raise TypeError(f"a column holds a {type(value).__name__}")


def _read(value: Any, type: sa.types.TypeEngine[Any]) -> Any:
    if isinstance(value, str) and isinstance(type, sa.DateTime):
        return datetime.fromisoformat(value)
    if isinstance(value, str) and isinstance(type, sa.Date):
        return date.fromisoformat(value)
    return value


def _kept(data_dir: Path) -> list[Path]:
    """The files of the data folder that a backup holds."""
    return [
        path
        for path in sorted(data_dir.rglob("*"))
        if path.is_file() and path.relative_to(data_dir).parts[0] not in _MADE_AGAIN
    ]


def _fingerprints(settings: Settings) -> dict[str, str]:
    """For each key that is set and lies in no file what tells it from another one, and nothing else of it."""
    given = {name: getattr(settings, name) for name in _KEYS}
    return {name: _fingerprint(key) for name, key in given.items() if key}


def _fingerprint(key: str) -> str:
    return hashlib.scrypt(key.encode(), salt=b"madoguchi", n=2**14, r=8, p=1, dklen=8).hex()


def _refuse_other_keys(settings: Settings, manifest: Manifest, file: Path) -> None:
    with zipfile.ZipFile(file) as archive:
        kept = {
            name: archive.read(f"data/{key}").decode()
            for name, key in _KEYS.items()
            if f"data/{key}" in archive.NameToInfo
        }
    wanted = {name: _fingerprint(key) for name, key in kept.items()} | manifest.keys
    for name, fingerprint in wanted.items():
        given = getattr(settings, name)
        if given and _fingerprint(given) != fingerprint:
            raise BackupError(f"{name.upper()} が、控えを取ったときと違います。同じ値を設定してください。")
        if not given and name in manifest.keys:
            raise BackupError(f"{name.upper()} を、控えを取ったときと同じ値に設定してください(控えにはありません)。")


def _write_private(path: Path, content: bytes, folder: Path) -> None:
    if not path.resolve().is_relative_to(folder.resolve()):
        raise BackupError(f"控えに、データフォルダの外のファイル({path})があります。別の控えを使ってください。")
    path.parent.mkdir(parents=True, exist_ok=True)
    with os.fdopen(os.open(path, os.O_CREAT | os.O_TRUNC | os.O_WRONLY, 0o600), "wb") as output:
        output.write(content)


@asynccontextmanager
async def _opened(settings: Settings) -> AsyncIterator[AsyncEngine]:
    engine = create_engine(settings.database_url, settings.data_dir)
    try:
        yield engine
    finally:
        await engine.dispose()
