"""Questions that are handed to people, what goes back, and who did what; of a turn, the channel that it came by."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"

_BIG_ID = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade() -> None:
    """Makes the tables; what was asked before came by no channel that is known."""
    op.add_column("turns", sa.Column("channel", sa.String(16), nullable=True))
    op.create_table(
        "cases",
        sa.Column("number", _BIG_ID, primary_key=True, autoincrement=True),
        sa.Column("key", sa.String(64), nullable=False, unique=True),
        sa.Column("program", sa.String(64), nullable=False),
        sa.Column("channel", sa.String(16), nullable=False),
        sa.Column("slack_channel", sa.String(32), nullable=False),
        sa.Column("asker", sa.String(64), nullable=True),
        sa.Column("room", sa.String(64), nullable=True),
        sa.Column("message", sa.String(64), nullable=True),
        sa.Column("reply_to", sa.Text, nullable=True),
        sa.Column("question", sa.Text, nullable=False),
        sa.Column("found", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("state", sa.String(8), nullable=False),
        sa.Column("ended", sa.String(16), nullable=True),
        sa.Column("assignee", sa.String(32), nullable=True),
        sa.Column("opened_at", sa.Double, nullable=False),
        sa.Column("waits_since", sa.Double, nullable=False),
        sa.Column("step", sa.Integer, nullable=False, server_default="0"),
        sa.Column("due_at", sa.Double, nullable=True),
    )
    op.create_table(
        "case_replies",
        sa.Column("id", _BIG_ID, primary_key=True, autoincrement=True),
        sa.Column("key", sa.String(64), nullable=False, unique=True),
        sa.Column("number", _BIG_ID, nullable=False),
        sa.Column("asker", sa.String(64), nullable=True),
        sa.Column("channel", sa.String(16), nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("signed", sa.Text, nullable=False),
        sa.Column("written_by", sa.String(32), nullable=False),
        sa.Column("written_at", sa.Double, nullable=False),
        sa.Column("carried_by", sa.String(255), nullable=True),
        sa.Column("arrived_at", sa.Double, nullable=True),
    )
    op.create_table(
        "case_events",
        sa.Column("id", _BIG_ID, primary_key=True, autoincrement=True),
        sa.Column("number", _BIG_ID, nullable=False),
        sa.Column("at", sa.Double, nullable=False),
        sa.Column("actor", sa.String(32), nullable=False),
        sa.Column("what", sa.String(16), nullable=False),
    )
    for name, table, columns in (
        ("ix_cases_asker", "cases", ["asker"]),
        ("ix_cases_room", "cases", ["room"]),
        ("ix_cases_message", "cases", ["message"]),
        ("ix_cases_opened_at", "cases", ["opened_at"]),
        ("cases_due", "cases", ["state", "due_at"]),
        ("ix_case_replies_number", "case_replies", ["number"]),
        ("ix_case_replies_asker", "case_replies", ["asker"]),
        ("ix_case_replies_carried_by", "case_replies", ["carried_by"]),
        ("ix_case_events_number", "case_events", ["number"]),
    ):
        op.create_index(name, table, columns)
