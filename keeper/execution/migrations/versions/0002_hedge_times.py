"""When the trigger of an intent was seen, decided upon, sent and mined."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

COLUMNS = (
    ("oracle_at_s", sa.BigInteger),
    ("head_at_s", sa.BigInteger),
    ("read_ms", sa.Double),
    ("decide_ms", sa.Double),
    ("send_ms", sa.Double),
    ("included_at_s", sa.BigInteger),
)


def upgrade() -> None:
    """Adds the columns; intents from before have none of the times."""
    with op.batch_alter_table("intents") as table:
        for name, kind in COLUMNS:
            table.add_column(sa.Column(name, kind, nullable=True))


def downgrade() -> None:
    """Drops them."""
    with op.batch_alter_table("intents") as table:
        for name, _ in COLUMNS:
            table.drop_column(name)
