"""Briefing sessions: what was asked in them, the matters that questions were put together to, and what hosts did."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"

_BIG_ID = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade() -> None:
    """Makes the tables."""
    op.create_table(
        "briefings",
        sa.Column("id", _BIG_ID, primary_key=True, autoincrement=True),
        sa.Column("code", sa.String(8), nullable=False, unique=True),
        sa.Column("title", sa.Text, nullable=False),
        sa.Column("test", sa.Boolean, nullable=False),
        sa.Column("line_id", sa.String(64), nullable=False),
        sa.Column("event", sa.String(64), nullable=True, unique=True),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("revision", sa.Integer, nullable=False),
    )
    op.create_table(
        "briefing_matters",
        sa.Column("id", _BIG_ID, primary_key=True, autoincrement=True),
        sa.Column("briefing", sa.BigInteger, nullable=False),
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("wording", sa.Text, nullable=False),
        sa.Column("state", sa.String(10), nullable=False),
        sa.Column("released", sa.Boolean, nullable=False),
        sa.Column("hidden", sa.Boolean, nullable=False),
        sa.Column("pinned", sa.Boolean, nullable=False),
        sa.Column("answer", sa.Text, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
    )
    op.create_table(
        "briefing_questions",
        sa.Column("id", _BIG_ID, primary_key=True, autoincrement=True),
        sa.Column("briefing", sa.BigInteger, nullable=False),
        sa.Column("matter", sa.BigInteger, nullable=False),
        sa.Column("event", sa.String(64), nullable=False, unique=True),
        sa.Column("turn", sa.String(32), nullable=True),
        sa.Column("asker", sa.String(64), nullable=False),
        sa.Column("channel", sa.String(16), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("wanted", sa.Boolean, nullable=False),
        sa.Column("answer", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("meaning", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("reached", sa.String(10), nullable=False),
        sa.Column("settled", sa.Boolean, nullable=False),
        sa.Column("reply", sa.Text, nullable=False),
        sa.Column("told", sa.Boolean, nullable=False),
    )
    op.create_table(
        "briefing_members",
        sa.Column("member", sa.String(64), primary_key=True),
        sa.Column("briefing", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "briefing_changes",
        sa.Column("id", _BIG_ID, primary_key=True, autoincrement=True),
        sa.Column("briefing", sa.BigInteger, nullable=False),
        sa.Column("act", sa.String(16), nullable=False),
        sa.Column("before", sa.JSON, nullable=False),
        sa.Column("opened", sa.BigInteger, nullable=True),
    )
    for table, column in (
        ("briefing_matters", "briefing"),
        ("briefing_questions", "briefing"),
        ("briefing_questions", "turn"),
        ("briefing_questions", "asker"),
        ("briefing_members", "briefing"),
        ("briefing_changes", "briefing"),
    ):
        op.create_index(f"ix_{table}_{column}", table, [column])
