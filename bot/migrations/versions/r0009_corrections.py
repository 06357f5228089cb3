"""Where an answer that rules gave may be put right, and what officials write to put it right."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    """Adds the columns; what was answered before stays as it is."""
    op.add_column("turns", sa.Column("reply_to", sa.Text, nullable=True))
    op.add_column("case_replies", sa.Column("turn", sa.String(32), nullable=True))
    op.create_index("ix_case_replies_turn", "case_replies", ["turn"])
    op.add_column("case_replies", sa.Column("question", sa.Text, nullable=True))
