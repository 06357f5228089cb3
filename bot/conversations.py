"""What is remembered of conversations, and what was asked and answered: one row for each turn, in SQLite or PostgreSQL.

Who asked is stored as a keyed hash only. The state that the next message continues from is that of the newest turn.
"""

import hashlib
import hmac
import json
import logging
import os
import secrets
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any

import sqlalchemy as sa
from pydantic import TypeAdapter, ValidationError
from sqlalchemy.exc import ArgumentError, InvalidRequestError, SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.pool import AsyncAdaptedQueuePool

from bot.types import Answer, Conversation
from knowledge.types import Choice

_log = logging.getLogger(__name__)

_tables = sa.MetaData()
_turns = sa.Table(
    "turns",
    _tables,
    sa.Column("id", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True, autoincrement=True),
    sa.Column("conversation", sa.String(64), nullable=False),
    sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False, index=True),
    sa.Column("question", sa.Text, nullable=False),
    sa.Column("answer", sa.JSON, nullable=False),
    sa.Column("state", sa.JSON, nullable=False),
    sa.Index("turns_of_a_conversation", "conversation", "id"),
)

_state = TypeAdapter(Conversation)


class StorageError(Exception):
    """The database or the data folder cannot be used; the message says which, why, and what to do."""


@dataclass(frozen=True)
class Remembered:
    """Where a conversation stands: its state, and the choices that the last answer offered."""

    conversation: Conversation
    choices: tuple[Choice, ...]


class Conversations:
    """The record of all conversations. Belongs to the event loop that opened it."""

    def __init__(self, url: str, id_hash_key: bytes) -> None:
        """Connects on the first use.

        Args:
            url: the database, with its async driver.
            id_hash_key: hides who asked; with another key, earlier conversations are not found again.

        Raises:
            StorageError: the URL is none that can be used.
        """
        try:
            self._engine = _create_engine(url)
        except (ArgumentError, InvalidRequestError, ImportError) as error:
            raise StorageError(
                f"DATABASE_URL を使えません: {error}。"
                "sqlite:///ファイル か postgresql://利用者:パスワード@ホスト/名前 と書いてください。"
            ) from error
        self._id_hash_key = id_hash_key

    async def open(self) -> None:
        """Makes the table where it is missing.

        Raises:
            StorageError: the database cannot be reached or written to.
        """
        try:
            async with self._engine.begin() as connection:
                await connection.run_sync(_tables.create_all)
        except (SQLAlchemyError, OSError) as error:
            where = self._engine.url.render_as_string(hide_password=True)
            reason = getattr(error, "orig", None) or error
            raise StorageError(
                f"会話の記録先({where})を使えません: {reason}。"
                "DATA_DIR に書き込めるか、DATABASE_URL が正しいかを確かめてください。"
            ) from error

    async def close(self) -> None:
        """Frees the connections."""
        await self._engine.dispose()

    async def check(self) -> None:
        """Raises an error of SQLAlchemy or the driver when the database does not answer."""
        async with self._engine.connect() as connection:
            await connection.execute(sa.select(sa.literal(1)))

    async def recall(self, sender: str) -> Remembered:
        """Where the conversation with this sender stands; a new one where nothing usable is stored.

        Args:
            sender: channel and id of the person or room, as the platform gives it.
        """
        newest = (
            sa.select(_turns.c.state, _turns.c.answer)
            .where(_turns.c.conversation == self._hashed(sender))
            .order_by(_turns.c.id.desc())
            .limit(1)
        )
        async with self._engine.connect() as connection:
            turn = (await connection.execute(newest)).one_or_none()
        if turn is None:
            return Remembered(Conversation(), ())
        try:
            conversation = _state.validate_python(turn.state)
        except ValidationError:
            _log.warning("the state of a conversation is of another version; it starts anew")
            return Remembered(Conversation(), ())
        choices = (Choice(choice["label"], choice["value"]) for choice in turn.answer["choices"])
        return Remembered(conversation, tuple(choices))

    async def record(
        self, sender: str, question: str, answer: Answer, conversation: Conversation, asked_at: datetime
    ) -> None:
        """Stores a turn, and with it the state that the next one continues from."""
        turn = {
            "conversation": self._hashed(sender),
            "asked_at": asked_at.astimezone(UTC),
            "question": question,
            "answer": answer.as_json(),
            "state": _state.dump_python(conversation, mode="json"),
        }
        async with self._engine.begin() as connection:
            await connection.execute(sa.insert(_turns), turn)

    async def purge(self, before: datetime) -> int:
        """Deletes the turns asked before a moment; returns how many."""
        old = sa.delete(_turns).where(_turns.c.asked_at < before.astimezone(UTC))
        async with self._engine.begin() as connection:
            return (await connection.execute(old)).rowcount

    def _hashed(self, sender: str) -> str:
        return hmac.new(self._id_hash_key, sender.encode(), hashlib.sha256).hexdigest()


def read_id_hash_key(data_dir: Path, given: str) -> bytes:
    """The key that hides ids: the one given, or else the data folder's own, made on the first use.

    Raises:
        StorageError: the data folder cannot be written to.
    """
    if given:
        return given.encode()
    file = data_dir / "id_hash.key"
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
        raise StorageError(
            f"データフォルダ {data_dir} を使えません: {error.strerror}。"
            "書き込めるフォルダを DATA_DIR に指定してください。"
        ) from error


def _create_engine(url: str) -> AsyncEngine:
    # hide_parameters: an error's text would otherwise carry the message into the log
    common: dict[str, Any] = {"hide_parameters": True, "json_serializer": _as_json}
    if not url.startswith("sqlite"):
        return create_async_engine(url, pool_pre_ping=True, **common)
    # One connection: several wait for each other's locks, with tails of over a second.
    engine = create_async_engine(url, poolclass=AsyncAdaptedQueuePool, pool_size=1, max_overflow=0, **common)

    @sa.event.listens_for(engine.sync_engine, "connect")
    def _configure(connection: Any, _record: Any) -> None:
        connection.isolation_level = None
        for pragma in ("journal_mode = wal", "busy_timeout = 10000", "synchronous = full"):
            connection.execute(f"PRAGMA {pragma}")

    @sa.event.listens_for(engine.sync_engine, "begin")
    def _begin(connection: sa.Connection) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE")

    return engine


def _as_json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)
