"""The tables of conversations and deliveries.

Databases from before migrations bear no revision, so this one also takes those over: it makes what is missing of the
tables, columns and indexes, and touches nothing that is there.
"""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

_BIG_ID = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade() -> None:
    """Makes what is missing."""
    op.create_table(
        "turns",
        sa.Column("id", _BIG_ID, primary_key=True, autoincrement=True),
        sa.Column("conversation", sa.String(64), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("question", sa.Text, nullable=False),
        sa.Column("answer", sa.JSON, nullable=False),
        sa.Column("state", sa.JSON, nullable=False),
        if_not_exists=True,
    )
    there = {column["name"] for column in sa.inspect(op.get_bind()).get_columns("turns")}
    for column in (
        sa.Column("key", sa.String(32), nullable=True),
        sa.Column("message", sa.String(64), nullable=True),
        sa.Column("helpful", sa.Boolean, nullable=True),
        sa.Column("note", sa.Text, nullable=True),
    ):
        if column.name not in there:
            op.add_column("turns", column)
    op.create_table(
        "inbox",
        sa.Column("id", _BIG_ID, primary_key=True, autoincrement=True),
        sa.Column("event_id", sa.String(255), nullable=False, unique=True),
        sa.Column("channel", sa.String(16), nullable=False),
        sa.Column("conversation", sa.String(64), nullable=False),
        sa.Column("message", sa.String(64), nullable=True),
        sa.Column("received_at", sa.Double, nullable=False),
        sa.Column("state", sa.String(8), nullable=False, server_default="ready"),
        sa.Column("due_at", sa.Double, nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False, server_default="0"),
        sa.Column("worker", sa.String(32), nullable=True),
        sa.Column("leased_until", sa.Double, nullable=True),
        sa.Column("event", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("outgoing", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("receipt", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("problem", sa.Text, nullable=True),
        if_not_exists=True,
    )
    for name, table, columns in (
        ("ix_turns_asked_at", "turns", ["asked_at"]),
        ("ix_turns_key", "turns", ["key"]),
        ("ix_turns_message", "turns", ["message"]),
        ("turns_of_a_conversation", "turns", ["conversation", "id"]),
        ("ix_inbox_message", "inbox", ["message"]),
        ("ix_inbox_received_at", "inbox", ["received_at"]),
        ("inbox_due", "inbox", ["state", "due_at"]),
        ("inbox_order", "inbox", ["conversation", "id"]),
    ):
        op.create_index(name, table, columns, if_not_exists=True)
