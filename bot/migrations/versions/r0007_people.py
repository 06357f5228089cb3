"""Who asked, whatever room or thread it was in, so that a person's record can be shown to them and deleted."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """Adds the columns; who wrote alone with us is known, who wrote in a room before is not."""
    for table, asker in (("inbox", "conversation"), ("turns", "conversation"), ("cases", "asker")):
        op.add_column(table, sa.Column("person", sa.String(64), nullable=True))
        op.create_index(f"ix_{table}_person", table, ["person"])
        op.execute(sa.text(f"UPDATE {table} SET person = {asker} WHERE room IS NULL"))
