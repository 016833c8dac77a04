"""Intents, transactions and decisions."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

UNRESOLVED = sa.text("status = 'unresolved'")


def upgrade() -> None:
    """Creates the three tables."""
    op.create_table(
        "intents",
        sa.Column("work_id", sa.String(66), primary_key=True),
        sa.Column("chain", sa.String(100), nullable=False),
        sa.Column("key", sa.String(100), nullable=False),
        sa.Column("what", sa.String(100), nullable=False),
        sa.Column("status", sa.String(20), nullable=False),
        sa.Column("created_at_s", sa.BigInteger, nullable=False),
        sa.Column("deadline_s", sa.BigInteger, nullable=False),
        sa.Column("snapshot_hash", sa.String(66), nullable=False),
        sa.Column("to_address", sa.String(42), nullable=False),
        sa.Column("calldata", sa.LargeBinary, nullable=False),
        sa.Column("plan", sa.Text, nullable=False),
        sa.Column("orders", sa.Text, nullable=False),
        sa.Column("detail", sa.Text, nullable=False),
    )
    op.create_index("ix_intents_chain", "intents", ["chain"])
    op.create_index("ix_intents_status", "intents", ["status"])
    op.create_index(
        "one_unresolved_per_key",
        "intents",
        ["chain", "key"],
        unique=True,
        sqlite_where=UNRESOLVED,
        postgresql_where=UNRESOLVED,
    )
    op.create_table(
        "transactions",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("work_id", sa.String(66), sa.ForeignKey("intents.work_id"), nullable=False),
        sa.Column("chain", sa.String(100), nullable=False),
        sa.Column("sender", sa.String(42), nullable=False),
        sa.Column("nonce", sa.BigInteger, nullable=False),
        sa.Column("kind", sa.String(10), nullable=False),
        sa.Column("raw", sa.LargeBinary, nullable=False),
        sa.Column("tx_hash", sa.String(66), nullable=False, unique=True),
        sa.Column("gas_limit", sa.BigInteger, nullable=False),
        sa.Column("max_fee_wei", sa.BigInteger, nullable=False),
        sa.Column("priority_fee_wei", sa.BigInteger, nullable=False),
        sa.Column("status", sa.String(20), nullable=False),
        sa.Column("signed_at_s", sa.BigInteger, nullable=False),
        sa.Column("block_number", sa.BigInteger),
        sa.Column("block_hash", sa.String(66)),
        sa.Column("gas_used", sa.BigInteger),
        sa.Column("gas_price_wei", sa.BigInteger),
    )
    op.create_index("ix_transactions_work_id", "transactions", ["work_id"])
    op.create_index("ix_transactions_nonce", "transactions", ["nonce"])
    op.create_table(
        "decisions",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("chain", sa.String(100), nullable=False),
        sa.Column("at_s", sa.BigInteger, nullable=False),
        sa.Column("block_number", sa.BigInteger, nullable=False),
        sa.Column("snapshot_hash", sa.String(66), nullable=False),
        sa.Column("policy", sa.Text, nullable=False),
        sa.Column("inputs", sa.Text, nullable=False),
        sa.Column("plan", sa.Text, nullable=False),
        sa.Column("verdict", sa.Text, nullable=False),
        sa.Column("outcome", sa.Text, nullable=False),
        sa.Column("work_id", sa.String(66)),
    )
    op.create_index("ix_decisions_chain", "decisions", ["chain"])


def downgrade() -> None:
    """Drops them."""
    for table in ("decisions", "transactions", "intents"):
        op.drop_table(table)
