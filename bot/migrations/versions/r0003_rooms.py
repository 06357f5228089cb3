"""The room in which something was asked, so that what is stored of it can be deleted when we leave it."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Adds the columns; what is there already belongs to no room that is known."""
    for table in ("inbox", "turns"):
        op.add_column(table, sa.Column("room", sa.String(64), nullable=True))
        op.create_index(f"ix_{table}_room", table, ["room"])
