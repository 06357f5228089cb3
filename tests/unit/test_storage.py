"""The database: new ones, those of earlier versions taken over with what they hold, and those that cannot be used."""

import asyncio
import os
import sqlite3
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest
import sqlalchemy as sa
import yaml
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy.exc import SQLAlchemyError

import bot.briefing.tables
import bot.desk.cases
import bot.desk.faq  # noqa: F401 (these declare tables)
from bot.conversations import Conversations
from bot.delivery import Inbox
from bot.storage import Cutoffs, StorageError, check_writable, create_engine, migrate, read_key, tables

OLD = yaml.safe_load((Path(__file__).parent / "old_schemas.yaml").read_text(encoding="utf-8"))
TYPES = {
    "sqlite": {"id": "INTEGER", "moment": "DATETIME", "double": "DOUBLE"},
    "postgresql": {"id": "BIGSERIAL", "moment": "TIMESTAMP WITH TIME ZONE", "double": "DOUBLE PRECISION"},
}
TURN = {
    "conversation": "hash",
    "asked_at": datetime(2025, 6, 10, 1, 2, 3, tzinfo=UTC),
    "question": "対象ですか",
    "answer": {"text": "対象です。"},
    "state": {"program": "keikaku"},
}
EVENTS = [
    {
        "event_id": "line:1",
        "state": "ready",
        "attempts": 2,
        "event": {"text": "上限は?"},
        "outgoing": [{"text": "1億"}],
    },
    {"event_id": "line:2", "state": "parked", "attempts": 12, "event": {"text": "期間は?"}, "problem": "429"},
    {"event_id": "line:3", "state": "done", "attempts": 1, "receipt": {"ts": "1.2"}},
]


@pytest.fixture
def empty_sqlite(tmp_path):
    """Without any table: here they are made."""
    (tmp_path / "without.sqlite").touch()
    return tmp_path / "without.sqlite"


@pytest.fixture
async def engine(database_url, tmp_path):
    engine = create_engine(database_url, tmp_path)
    yield engine
    await engine.dispose()


async def rows(engine, table):
    async with engine.connect() as connection:
        found = await connection.execute(sa.text(f"SELECT * FROM {table} ORDER BY id"))
        return [{name: value for name, value in row.items() if value is not None} for row in found.mappings()]


def differences(connection):
    context = MigrationContext.configure(connection, opts={"compare_server_default": True})
    return compare_metadata(context, tables)


async def test_the_migrations_make_the_tables_that_are_declared(engine):
    await migrate(engine)
    async with engine.connect() as connection:
        assert await connection.run_sync(differences) == []


@pytest.mark.parametrize("version", OLD)
async def test_a_database_of_an_earlier_version_is_taken_over_with_nothing_lost(engine, version):
    old = sa.MetaData()
    async with engine.begin() as connection:
        for statement in OLD[version]:
            await connection.exec_driver_sql(statement.format_map(TYPES[engine.dialect.name]))
        await connection.run_sync(old.reflect)
        await connection.execute(old.tables["turns"].insert(), [TURN, {**TURN, "question": "0.98です"}])
        if "inbox" in old.tables:
            common = {"channel": "line", "conversation": "hash", "received_at": 1749517323.25, "due_at": 1749517353.5}
            for event in EVENTS:
                await connection.execute(old.tables["inbox"].insert(), {**common, **event})
    before = {name: await rows(engine, name) for name in old.tables}

    await migrate(engine)
    await migrate(engine)  # the second start

    for name, kept in before.items():
        for row, now in zip(kept, await rows(engine, name), strict=True):
            assert now == row | {"person": row["conversation"]}  # who asked alone with us is known
    async with engine.connect() as connection:
        assert await connection.run_sync(differences) == []
    conversations, inbox = Conversations(engine, b"key"), Inbox(engine, hide=str)
    assert not await conversations.remark("no such key", helpful=True)
    assert await conversations.purge(Cutoffs({}, datetime(2026, 1, 1, tzinfo=UTC))) == 2
    if "inbox" in old.tables:
        assert (await inbox.waiting(), len(await inbox.parked())) == (1, 1)
        (claim,) = await inbox.claim(["line"], 10)
        assert (claim.event_id, claim.attempts, claim.outgoing) == ("line:1", 3, [{"text": "1億"}])


async def test_a_database_of_a_newer_version_is_named_and_left_alone(engine):
    await migrate(engine)
    async with engine.begin() as connection:
        await connection.execute(sa.text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(StorageError, match="より新しい版"):
        await migrate(engine)


async def test_processes_that_start_together_on_a_new_database_do_not_refuse_each_other(database_url):
    code = (
        "import asyncio, sys; from pathlib import Path; from bot.storage import create_engine, migrate; "
        "sys.stdin.read(1); asyncio.run(migrate(create_engine(sys.argv[1], Path())))"
    )
    command = [sys.executable, "-c", code, database_url]
    started = [subprocess.Popen(command, stdin=subprocess.PIPE, stderr=subprocess.PIPE) for _ in range(4)]
    for process in started:
        process.stdin.write(b"!")
        process.stdin.flush()
    problems = [(await asyncio.to_thread(process.communicate))[1].decode() for process in started]
    assert problems == [""] * 4
    engines = [create_engine(database_url, Path()) for _ in range(4)]  # the same within one process
    await asyncio.gather(*map(migrate, engines))
    await asyncio.gather(*(engine.dispose() for engine in engines))


def mode(path):
    return oct(path.stat().st_mode & 0o777)


async def test_only_its_owner_can_read_the_database(tmp_path):
    umask = os.umask(0)
    try:
        engine = create_engine("", tmp_path)
        await migrate(engine)
        files = sorted(tmp_path.glob("madoguchi.sqlite*"))
        assert [file.suffix for file in files] == [".sqlite", ".sqlite-shm", ".sqlite-wal"]
        assert {mode(file) for file in files} == {"0o600"}
        await engine.dispose()
    finally:
        os.umask(umask)


async def test_the_files_of_an_earlier_version_are_closed_to_others(tmp_path):
    file = tmp_path / "madoguchi.sqlite"
    open_elsewhere = sqlite3.connect(file)  # as after a crash: -wal and -shm are there
    open_elsewhere.execute("PRAGMA journal_mode = wal")
    open_elsewhere.execute("CREATE TABLE other (id INTEGER)")
    for path in tmp_path.iterdir():
        path.chmod(0o644)
    engine = create_engine("", tmp_path)
    await migrate(engine)
    assert {mode(path) for path in tmp_path.iterdir()} == {"0o600"}
    await engine.dispose()
    open_elsewhere.close()


async def test_a_database_that_cannot_be_written_to_is_found_out(engine):
    await migrate(engine)
    await check_writable(engine)
    if engine.dialect.name == "sqlite":
        async with engine.connect() as connection:  # the only one of the pool
            await connection.exec_driver_sql("PRAGMA query_only = on")
    else:
        async with engine.begin() as connection:
            name = engine.url.database
            await connection.exec_driver_sql(f"ALTER DATABASE {name} SET default_transaction_read_only = on")
        await engine.dispose()
    with pytest.raises(SQLAlchemyError):
        await check_writable(engine)
    with pytest.raises(StorageError, match="会話の記録先"):
        await migrate(engine)


async def test_a_host_s_url_with_sslmode_is_understood(postgres_server, tmp_path):
    url = sa.make_url(postgres_server).update_query_dict({"sslmode": "prefer"})
    engine = create_engine(url.render_as_string(hide_password=False), tmp_path)
    async with engine.connect() as connection:
        assert await connection.scalar(sa.text("SELECT 1")) == 1
    await engine.dispose()


@pytest.mark.parametrize("url", ["mysql://a@b/c", "postgresql//a", "nonsense", "sqlite+nothing:///x"])
def test_a_url_that_cannot_be_used_is_refused(url, tmp_path):
    with pytest.raises(StorageError, match="DATABASE_URL"):
        create_engine(url, tmp_path)


async def test_a_database_that_cannot_be_reached_is_named_without_its_password(tmp_path):
    engine = create_engine("postgresql://someone:secret@127.0.0.1:1/nothing", tmp_path)
    with pytest.raises(StorageError, match=r"someone:\*\*\*@127\.0\.0\.1.*そこで待ち受けていません") as refused:
        await migrate(engine)
    assert "secret" not in str(refused.value)


async def test_a_database_file_in_a_folder_that_is_not_there_is_named(tmp_path):
    engine = create_engine(f"sqlite:///{tmp_path / 'missing' / 'x.sqlite'}", tmp_path)
    with pytest.raises(StorageError, match=r"missing/x\.sqlite"):
        await migrate(engine)


def test_the_data_folder_keeps_its_key(tmp_path):
    folder = tmp_path / "new"
    key = read_key("", folder / "id_hash.key")
    assert len(key) == 64
    assert read_key("", folder / "id_hash.key") == key
    assert (folder / "id_hash.key").stat().st_mode & 0o077 == 0
    assert read_key("given", folder / "id_hash.key") == b"given"


def test_a_data_folder_that_is_a_file_is_named(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(StorageError, match=r"file を使えません\(フォルダーではなくファイルです\).*DATA_DIR"):
        read_key("", tmp_path / "file" / "id_hash.key")
    with pytest.raises(StorageError, match="DATA_DIR"):
        create_engine("", tmp_path / "file" / "below")
