"""Tables of the journal. Times are unix seconds of the keeper's clock, fees wei per gas."""

from __future__ import annotations

from sqlalchemy import BigInteger, Double, ForeignKey, Index, LargeBinary, String, Text, text
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship


class Base(DeclarativeBase):
    """Common metadata, which the migrations are compared with."""


class Intent(Base):
    """Something that the keeper set out to do, written before its first byte leaves."""

    __tablename__ = "intents"
    # The database itself refuses a second unresolved intent of a key, whichever process asks.
    __table_args__ = (
        Index(
            "one_unresolved_per_key",
            "chain",
            "key",
            unique=True,
            sqlite_where=text("status = 'unresolved'"),
            postgresql_where=text("status = 'unresolved'"),
        ),
    )

    work_id: Mapped[str] = mapped_column(String(66), primary_key=True)
    chain: Mapped[str] = mapped_column(String(100), index=True)
    key: Mapped[str] = mapped_column(String(100))
    what: Mapped[str] = mapped_column(String(100))
    status: Mapped[str] = mapped_column(String(20), index=True)
    created_at_s: Mapped[int] = mapped_column(BigInteger)
    deadline_s: Mapped[int] = mapped_column(BigInteger)
    snapshot_hash: Mapped[str] = mapped_column(String(66))
    to_address: Mapped[str] = mapped_column(String(42))
    calldata: Mapped[bytes] = mapped_column(LargeBinary)
    plan: Mapped[str] = mapped_column(Text)
    orders: Mapped[str] = mapped_column(Text)
    detail: Mapped[str] = mapped_column(Text, default="")
    oracle_at_s: Mapped[int | None] = mapped_column(BigInteger)
    head_at_s: Mapped[int | None] = mapped_column(BigInteger)
    read_ms: Mapped[float | None] = mapped_column(Double)
    decide_ms: Mapped[float | None] = mapped_column(Double)
    send_ms: Mapped[float | None] = mapped_column(Double)
    included_at_s: Mapped[int | None] = mapped_column(BigInteger)
    transactions: Mapped[list[Transaction]] = relationship(
        back_populates="intent", order_by="Transaction.id", lazy="selectin"
    )


class Transaction(Base):
    """Signed bytes of an intent: the call, or the no-op that takes its nonce."""

    __tablename__ = "transactions"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    work_id: Mapped[str] = mapped_column(ForeignKey("intents.work_id"), index=True)
    chain: Mapped[str] = mapped_column(String(100))
    sender: Mapped[str] = mapped_column(String(42))
    nonce: Mapped[int] = mapped_column(BigInteger, index=True)
    kind: Mapped[str] = mapped_column(String(10))
    raw: Mapped[bytes] = mapped_column(LargeBinary)
    tx_hash: Mapped[str] = mapped_column(String(66), unique=True)
    gas_limit: Mapped[int] = mapped_column(BigInteger)
    max_fee_wei: Mapped[int] = mapped_column(BigInteger)
    priority_fee_wei: Mapped[int] = mapped_column(BigInteger)
    status: Mapped[str] = mapped_column(String(20))
    signed_at_s: Mapped[int] = mapped_column(BigInteger)
    block_number: Mapped[int | None] = mapped_column(BigInteger)
    block_hash: Mapped[str | None] = mapped_column(String(66))
    gas_used: Mapped[int | None] = mapped_column(BigInteger)
    gas_price_wei: Mapped[int | None] = mapped_column(BigInteger)
    intent: Mapped[Intent] = relationship(back_populates="transactions")


class Decision(Base):
    """One tick: everything that the policy saw, what it wanted, what the guards said, what came of it."""

    __tablename__ = "decisions"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    chain: Mapped[str] = mapped_column(String(100), index=True)
    at_s: Mapped[int] = mapped_column(BigInteger)
    block_number: Mapped[int] = mapped_column(BigInteger)
    snapshot_hash: Mapped[str] = mapped_column(String(66))
    policy: Mapped[str] = mapped_column(Text)
    inputs: Mapped[str] = mapped_column(Text)
    plan: Mapped[str] = mapped_column(Text)
    verdict: Mapped[str] = mapped_column(Text)
    outcome: Mapped[str] = mapped_column(Text)
    work_id: Mapped[str | None] = mapped_column(String(66))


class HedgeProgramme(Base):
    """A sliced hedge under way, by the key of its intents; see keeper.policies.slicing."""

    __tablename__ = "hedge_programmes"

    chain: Mapped[str] = mapped_column(String(100), primary_key=True)
    key: Mapped[str] = mapped_column(String(100), primary_key=True)
    state: Mapped[str] = mapped_column(Text)
    updated_at_s: Mapped[int] = mapped_column(BigInteger)
