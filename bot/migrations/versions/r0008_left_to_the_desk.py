"""Questions of a briefing that the desk answers, and answers of hosts that may be offered to others."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"

_BIG_ID = sa.BigInteger().with_variant(sa.Integer, "sqlite")
_KEPT = "program, question, answer, signed, answered_on, expires_on, state, proposed_by, proposed_with"
_DECIDED = "decided_by, decided_at"


def upgrade() -> None:
    """Adds the column, and names entries by a key in place of the number of their case."""
    op.add_column("briefing_questions", sa.Column("case_key", sa.String(64), nullable=True))
    op.create_index("ix_briefing_questions_case_key", "briefing_questions", ["case_key"])
    op.rename_table("staff_answers", "staff_answers_before")
    op.create_table(
        "staff_answers",
        sa.Column("id", _BIG_ID, primary_key=True, autoincrement=True),
        sa.Column("key", sa.String(64), nullable=False, unique=True),
        sa.Column("number", _BIG_ID, nullable=True),
        sa.Column("program", sa.String(64), nullable=False),
        sa.Column("question", sa.Text, nullable=False),
        sa.Column("answer", sa.Text, nullable=False),
        sa.Column("signed", sa.Text, nullable=False),
        sa.Column("answered_on", sa.Date, nullable=False),
        sa.Column("expires_on", sa.Date, nullable=False),
        sa.Column("state", sa.String(8), nullable=False),
        sa.Column("proposed_by", sa.String(32), nullable=False),
        sa.Column("proposed_with", sa.String(255), nullable=False),
        sa.Column("decided_by", sa.String(32), nullable=True),
        sa.Column("decided_at", sa.Double, nullable=True),
    )
    op.execute(
        f"INSERT INTO staff_answers (key, number, {_KEPT}, {_DECIDED}) "
        f"SELECT 'case-' || number, number, {_KEPT}, {_DECIDED} FROM staff_answers_before ORDER BY id"
    )
    op.drop_table("staff_answers_before")
