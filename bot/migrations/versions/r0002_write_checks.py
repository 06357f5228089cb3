"""The one row that is written to find out whether the database can be written to."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Makes the table and its row."""
    checks = op.create_table(
        "write_checks",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("made", sa.BigInteger, nullable=False),
    )
    op.bulk_insert(checks, [{"id": 1, "made": 0}])
