"""Backup and restore: all comes back, on another machine and in another database, or nothing is touched."""

import json
import stat
import zipfile
from datetime import UTC, date, datetime

import pytest
import sqlalchemy as sa

import bot.service  # noqa: F401 (its modules declare the tables)
from bot.backup import BackupError, back_up, restore
from bot.settings import Settings
from bot.storage import create_engine, migrate, snapshot, tables, upgrade

MOMENT = datetime(2026, 11, 29, 3, 0, tzinfo=UTC)
OF_TYPE = {sa.Boolean: True, sa.Integer: 7, sa.Double: 1.5, sa.Date: date(2026, 4, 1), sa.DateTime: MOMENT}
DOCUMENT = b"%PDF " + bytes(range(256))


def a_row(table, number):
    """A row with every column filled in one, and all that may be empty left empty in the other."""
    row = {}
    for column in table.columns:
        if column.primary_key or column.unique or isinstance(column.type, sa.BigInteger):
            row[column.name] = f"{number}" if isinstance(column.type, sa.String | sa.Text) else number
        elif number == 1 or not column.nullable:
            value = next((value for kind, value in OF_TYPE.items() if isinstance(column.type, kind)), "指")
            row[column.name] = {"文": [1, None, "😀"]} if isinstance(column.type, sa.JSON) else value
    return row


async def filled(settings):
    engine = create_engine(settings.database_url, settings.data_dir)
    await migrate(engine)
    async with engine.begin() as connection:
        for table in tables.sorted_tables:
            if table.name != "write_checks":
                for number in (1, 2):
                    await connection.execute(sa.insert(table), a_row(table, number))
    await engine.dispose()
    (settings.data_dir / "documents" / "read").mkdir(parents=True)
    (settings.data_dir / "documents" / "read" / "募集要領.pdf").write_bytes(DOCUMENT)
    (settings.data_dir / "id_hash.key").write_text("secret")
    (settings.data_dir / "index").mkdir()
    (settings.data_dir / "index" / "generation").write_text("made again")


def held(file):
    with zipfile.ZipFile(file) as archive:
        return {name: archive.read(name) for name in archive.namelist() if name != "manifest.json"}


@pytest.fixture
def old(tmp_path):
    return Settings(data_dir=tmp_path / "old")


async def test_all_comes_back_on_another_machine_and_in_another_database(old, database_url, tmp_path):
    await filled(old)
    kept = await back_up(old, tmp_path / "one.zip", MOMENT)
    assert kept.rows.keys() == tables.tables.keys()
    assert {kept.rows[name] for name in kept.rows if name != "write_checks"} == {2}
    assert stat.S_IMODE((tmp_path / "one.zip").stat().st_mode) == 0o600

    new = Settings(data_dir=tmp_path / "new", database_url=database_url)
    assert await restore(new, tmp_path / "one.zip") == kept
    await back_up(new, tmp_path / "two.zip", MOMENT)
    assert held(tmp_path / "two.zip") == held(tmp_path / "one.zip")
    assert (new.data_dir / "documents" / "read" / "募集要領.pdf").read_bytes() == DOCUMENT
    assert not (new.data_dir / "index").exists()

    engine = create_engine(new.database_url, new.data_dir)
    async with engine.begin() as connection:  # and counting goes on
        row = {name: value for name, value in a_row(tables.tables["turns"], 3).items() if name != "id"}
        inserted = await connection.execute(sa.insert(tables.tables["turns"]), row)
        assert inserted.inserted_primary_key == (3,)
    await engine.dispose()


async def test_a_backup_of_an_earlier_version_comes_into_this_one(old, tmp_path):
    engine = create_engine("", old.data_dir)
    async with engine.begin() as connection:
        await connection.run_sync(upgrade, "0002")
        columns = "(conversation, asked_at, question, answer, state)"
        values = "('c', '2026-11-01 00:00:00.000000', '上限は?', '{}', '{}')"
        await connection.execute(sa.text(f"INSERT INTO turns {columns} VALUES {values}"))
    await engine.dispose()
    await back_up(old, tmp_path / "one.zip", MOMENT)
    new = Settings(data_dir=tmp_path / "new")
    await restore(new, tmp_path / "one.zip")
    await back_up(new, tmp_path / "two.zip", MOMENT)
    (turn,) = held(tmp_path / "two.zip")["tables/turns.jsonl"].splitlines()
    assert json.loads(turn)["question"] == "上限は?"
    assert "tables/cases.jsonl" in held(tmp_path / "two.zip")


async def test_writing_goes_on_while_a_backup_reads(database_url, tmp_path):
    reading, writing = (create_engine(database_url, tmp_path) for _ in range(2))
    await migrate(reading)
    checks = tables.tables["write_checks"]
    async with snapshot(reading) as connection:
        before = (await connection.execute(sa.select(checks.c.made))).scalar_one()
        async with writing.begin() as other:
            await other.execute(sa.update(checks).values(made=checks.c.made + 1))
        assert (await connection.execute(sa.select(checks.c.made))).scalar_one() == before
    await reading.dispose()
    await writing.dispose()


async def test_nothing_that_is_there_is_overwritten(old, tmp_path):
    await filled(old)
    await back_up(old, tmp_path / "one.zip", MOMENT)
    with pytest.raises(BackupError, match="に文書などがあります"):
        await restore(old, tmp_path / "one.zip")
    other = Settings(data_dir=tmp_path / "new", database_url=f"sqlite:///{old.data_dir}/madoguchi.sqlite")
    with pytest.raises(BackupError, match="空ではありません"):
        await restore(other, tmp_path / "one.zip")
    assert not other.data_dir.exists()


@pytest.mark.parametrize(
    "damage", [lambda content: content[:-30], lambda content: content[:400] + b"x" + content[401:]]
)
async def test_a_damaged_backup_is_refused_before_anything_is_written(old, tmp_path, damage):
    await filled(old)
    await back_up(old, tmp_path / "one.zip", MOMENT)
    (tmp_path / "one.zip").write_bytes(damage((tmp_path / "one.zip").read_bytes()))
    new = Settings(data_dir=tmp_path / "new")
    with pytest.raises(BackupError, match="読めません"):
        await restore(new, tmp_path / "one.zip")
    assert not new.data_dir.exists()


async def test_the_keys_are_those_of_the_backup(old, tmp_path):
    await filled(old)
    await back_up(old, tmp_path / "file.zip", MOMENT)
    with pytest.raises(BackupError, match="ID_HASH_KEY が、控えを取ったときと違います"):
        await restore(Settings(data_dir=tmp_path / "a", id_hash_key="another"), tmp_path / "file.zip")
    await restore(Settings(data_dir=tmp_path / "b", id_hash_key="secret"), tmp_path / "file.zip")

    await back_up(old.model_copy(update={"reply_key": "of the environment"}), tmp_path / "given.zip", MOMENT)
    assert b"of the environment" not in (tmp_path / "given.zip").read_bytes()
    with pytest.raises(BackupError, match="REPLY_KEY を、控えを取ったときと同じ値に"):
        await restore(Settings(data_dir=tmp_path / "c"), tmp_path / "given.zip")
