"""The database: SQLite in the data folder, or PostgreSQL by its URL. The modules that use tables declare them."""

import json
import os
import secrets
import sqlite3
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import ArgumentError, InvalidRequestError, SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.pool import AsyncAdaptedQueuePool

from knowledge.outside import why

tables = sa.MetaData()
"""The tables as they are declared; bot/migrations makes them, a new file of versions/ for each change."""

BIG_ID = sa.BigInteger().with_variant(sa.Integer, "sqlite")
"""The type of an ascending id: SQLite counts up only its own INTEGER."""

_DRIVERS = {"sqlite": "sqlite+aiosqlite", "postgres": "postgresql+asyncpg", "postgresql": "postgresql+asyncpg"}

_SWITCHES = 100
"""Attempts to set SQLite's journal mode, a fiftieth of a second apart: another process needs far less."""

_MIGRATING = 0x6D61646F
"""The PostgreSQL advisory lock under which one process at a time migrates."""

_READS_ONLY = "reads_only"
"""The execution option of a connection to SQLite that takes no lock for writing."""

_MIGRATIONS = Path(__file__).parent / "migrations"

_write_checks = sa.Table(
    "write_checks",
    tables,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("made", sa.BigInteger, nullable=False),
)


@dataclass(frozen=True)
class Cutoffs:
    """The moment before which what came by a channel is deleted: by its name, and that of all others."""

    channels: Mapping[str, datetime]
    others: datetime

    def passed(
        self, channel: sa.Column[Any], at: sa.Column[Any], stored: Callable[[datetime], Any]
    ) -> sa.ColumnElement[bool]:
        """Which rows of a table are to be deleted.

        Args:
            channel: has the name of the channel.
            at: has the moment.
            stored: turns a moment into what that column holds.
        """
        own = [sa.and_(channel == name, at < stored(moment)) for name, moment in self.channels.items()]
        other = sa.func.coalesce(channel, "").not_in(tuple(self.channels))
        return sa.or_(*own, sa.and_(other, at < stored(self.others)))


class StorageError(Exception):
    """The database or the data folder cannot be used; the message says which, why, and what to do."""


def create_engine(url: str, data_dir: Path) -> AsyncEngine:
    """Prepares the database; it is connected to on the first use, and then belongs to that event loop.

    Args:
        url: as a person writes it, such as `postgresql://user:password@host/name`; "" for SQLite in the data folder.
        data_dir: made if it is missing.

    Raises:
        StorageError: the URL, or the data folder, cannot be used.
    """
    try:
        if url:
            return _create_engine(_with_driver(sa.make_url(url)))
        data_dir.mkdir(parents=True, exist_ok=True)
        return _create_engine(sa.URL.create("sqlite+aiosqlite", database=str(data_dir / "madoguchi.sqlite")))
    except OSError as error:
        raise _unusable_folder(data_dir, error) from error
    except (ArgumentError, InvalidRequestError, ImportError, ValueError) as error:
        raise StorageError(
            "DATABASE_URL を使えません。"
            "sqlite:///ファイル か postgresql://利用者:パスワード@ホスト/名前 と書いてください。"
        ) from error


async def migrate(engine: AsyncEngine) -> None:
    """Brings the database, a new or an older one, to the tables of this version.

    Raises:
        StorageError: the database cannot be reached or written to, or is of a newer version.
    """
    try:
        async with engine.begin() as connection:
            if engine.dialect.name == "postgresql":  # SQLite lets one transaction at a time write in any case
                await connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_MIGRATING)))
            await connection.run_sync(upgrade)
        await check_writable(engine)
    except (SQLAlchemyError, OSError) as error:
        remedy = (
            "そのフォルダがあって書き込めるか(DATA_DIR)、"
            if engine.dialect.name == "sqlite"
            else "サーバーが動いているか、"
        )
        raise StorageError(
            f"会話の記録先({_name(engine)})を使えません({why(getattr(error, 'orig', None) or error)})。"
            f"{remedy}DATABASE_URL が正しいかを確かめてください。"
        ) from error


def upgrade(connection: sa.Connection, revision: str = "") -> None:
    """Brings the tables to a revision, "" for the newest, in the transaction of the connection.

    Raises:
        StorageError: the database, or the revision, is of a newer version.
    """
    revision = revision or max(file.name[1:5] for file in (_MIGRATIONS / "versions").glob("r*.py"))
    if sa.inspect(connection).has_table("alembic_version"):
        version = sa.text("SELECT version_num FROM alembic_version")
        if connection.execute(version).scalar_one_or_none() == revision:
            return  # alembic takes long to import, and a restart must acknowledge soon
    from alembic import command
    from alembic.config import Config
    from alembic.util import CommandError

    config = Config(attributes={"connection": connection})
    config.set_main_option("script_location", str(_MIGRATIONS).replace("%", "%%"))
    try:
        command.upgrade(config, revision)
    except CommandError as error:
        raise StorageError(
            f"会話の記録先({connection.engine.url.render_as_string(hide_password=True)})は、"
            "より新しい版で作られています。"
            "新しい版を入れるか、DATABASE_URL か DATA_DIR で別の記録先を指定してください。"
        ) from error


@asynccontextmanager
async def snapshot(engine: AsyncEngine) -> AsyncIterator[AsyncConnection]:
    """A connection that sees all tables as they are at one moment, and keeps nobody from writing."""
    options: dict[str, Any] = (
        {"isolation_level": "REPEATABLE READ"} if engine.dialect.name == "postgresql" else {_READS_ONLY: True}
    )
    async with engine.connect() as connection:
        yield await connection.execution_options(**options)


async def check_writable(engine: AsyncEngine) -> None:
    """Writes one row, as a full disk or a read-only file is found out by nothing less.

    Raises:
        SQLAlchemyError, OSError: the database does not answer, or cannot be written to.
    """
    async with engine.begin() as connection:
        await connection.execute(sa.update(_write_checks).values(made=_write_checks.c.made + 1))


async def overwrite_deleted(engine: AsyncEngine) -> None:
    """Has SQLite write its journal back and cut it off: until then, what was deleted can still be read there."""
    if engine.dialect.name == "sqlite":
        async with engine.connect() as connection:
            driver = (await connection.get_raw_connection()).driver_connection
            assert driver
            await driver.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def _name(engine: AsyncEngine) -> str:
    return engine.url.render_as_string(hide_password=True)


def read_key(given: str, file: Path) -> bytes:
    """A secret key: the one given, or else the one in a file of the data folder, made on the first use.

    Raises:
        StorageError: the data folder cannot be written to.
    """
    if given:
        return given.encode()
    data_dir = file.parent
    try:
        data_dir.mkdir(parents=True, exist_ok=True)
        if not file.exists():
            with NamedTemporaryFile(dir=data_dir) as new:  # only its owner can read it
                new.write(secrets.token_hex(32).encode())
                new.flush()
                with suppress(FileExistsError):  # another process was first
                    os.link(new.name, file)
        return file.read_bytes()
    except OSError as error:
        raise _unusable_folder(data_dir, error) from error


def _with_driver(url: sa.URL) -> sa.URL:
    url = url.set(drivername=_DRIVERS.get(url.drivername, url.drivername))
    # Hosting platforms write libpq's name of this option into the URLs that they hand out.
    if url.drivername == "postgresql+asyncpg" and "sslmode" in url.query:
        mode = url.query["sslmode"]
        url = url.difference_update_query(["sslmode"]).update_query_dict({"ssl": mode})
    return url


def _create_engine(url: sa.URL) -> AsyncEngine:
    # hide_parameters: an error's text would otherwise carry the message into the log
    common: dict[str, Any] = {"hide_parameters": True, "json_serializer": _as_json}
    if not url.drivername.startswith("sqlite"):
        return create_async_engine(url, pool_pre_ping=True, **common)
    # One connection: several wait for each other's locks, with tails of over a second.
    engine = create_async_engine(url, poolclass=AsyncAdaptedQueuePool, pool_size=1, max_overflow=0, **common)

    @sa.event.listens_for(engine.sync_engine, "do_connect")
    def _before(_dialect: Any, _record: Any, arguments: list[Any], _options: Any) -> None:
        if arguments[0] != ":memory:":
            _keep_private(arguments[0])

    @sa.event.listens_for(engine.sync_engine, "connect")
    def _configure(connection: Any, _record: Any) -> None:
        connection.isolation_level = None
        # secure_delete: what is purged is overwritten in the file too
        for pragma in ("busy_timeout = 10000", "synchronous = full", "secure_delete = on"):
            connection.execute(f"PRAGMA {pragma}")
        _switch_to_wal(connection)

    @sa.event.listens_for(engine.sync_engine, "begin")
    def _begin(connection: sa.Connection) -> None:
        connection.exec_driver_sql(
            "BEGIN" if connection.get_execution_options().get(_READS_ONLY) else "BEGIN IMMEDIATE"
        )

    return engine


def _keep_private(file: str) -> None:
    """Makes the database readable by its owner alone; SQLite gives the mode of the file to its -wal and -shm."""
    with suppress(FileExistsError):  # one that is there must not be opened: closing it would end SQLite's locks
        os.close(os.open(file, os.O_CREAT | os.O_EXCL, 0o600))
    for path in map(Path, (file, f"{file}-wal", f"{file}-shm")):
        with suppress(FileNotFoundError):
            mode = path.stat().st_mode
            if mode & 0o077:
                path.chmod(mode & 0o700)


def _switch_to_wal(connection: Any) -> None:
    """Sets the journal's mode; SQLite refuses at once, whatever the timeout, while another process does the same."""
    for attempt in range(_SWITCHES):
        try:
            connection.execute("PRAGMA journal_mode = wal")
            return
        except sqlite3.OperationalError:
            if attempt == _SWITCHES - 1:
                raise
            time.sleep(0.02)


def _unusable_folder(data_dir: Path, error: OSError) -> StorageError:
    return StorageError(
        f"データフォルダ {data_dir} を使えません({why(error)})。書き込めるフォルダを DATA_DIR に指定してください。"
    )


def _as_json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)
