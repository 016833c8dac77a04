"""The reading side of the journal, and what a broken database stops."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from sqlalchemy import BindParameter, Connection, Engine, bindparam, func, select
from sqlalchemy.exc import IntegrityError, SQLAlchemyError
from sqlalchemy.orm import Session, sessionmaker

from keeper.errors import Halt
from keeper.execution.records import OPEN, HedgeTimes, TxStatus
from keeper.execution.tables import Decision, HedgeProgramme, Intent, Transaction

# What every tick asks on its way to a hedge, built once: to build a query takes longer than to answer it.
_chain: BindParameter[str] = bindparam("chain")
_sent = select(func.max(Transaction.nonce)).where(
    Transaction.chain == _chain, Transaction.sender == bindparam("sender")
)
_open = select(Intent.what, Intent.work_id, Intent.status).where(
    Intent.chain == _chain, Intent.status.in_(OPEN)
)
_ANY_OPEN = _open.limit(1)
_OPEN_OF_KEY = _open.where(Intent.key == bindparam("key")).limit(1)
_NONCES = select(
    _sent.where(Transaction.status != TxStatus.DROPPED).scalar_subquery(),
    _sent.where(Transaction.status == TxStatus.MINED).scalar_subquery(),
)
_MINED = (
    select(
        Transaction.tx_hash, Transaction.block_number, Transaction.block_hash, Transaction.work_id
    )
    .where(
        Transaction.chain == _chain,
        Transaction.sender == bindparam("sender"),
        Transaction.status == TxStatus.MINED,
        (Transaction.block_number >= bindparam("block"))
        | (Transaction.nonce >= bindparam("nonce")),
    )
    .order_by(Transaction.nonce)
)
_PROGRAMME = select(HedgeProgramme.state).where(
    HedgeProgramme.chain == _chain, HedgeProgramme.key == bindparam("key")
)


@dataclass(frozen=True, slots=True)
class Standing:
    """What a key and a sender have outstanding.

    `open` names an intent of the key that has not ended, if there is one; `highest_nonce` is that of mined or open
    transactions, `mined_nonce` that of mined ones.
    """

    open: str | None
    highest_nonce: int | None
    mined_nonce: int | None


@dataclass(frozen=True, slots=True)
class MinedTx:
    """Where a transaction was mined, as the journal knows it."""

    tx_hash: str
    block_number: int | None
    block_hash: str | None
    work_id: str


class JournalReading:
    """One chain's part of a journal, read."""

    def __init__(self, engine: Engine, chain: str) -> None:
        self._engine = engine
        self._sessions = sessionmaker(engine, expire_on_commit=False)
        self.chain = chain

    def standing(self, key: str, sender: str) -> Standing:
        """What is in the way of the next intent of `key`, and which nonces of `sender` are taken."""
        at = {"chain": self.chain}
        with self._connected() as connection:
            row = connection.execute(_OPEN_OF_KEY, at | {"key": key}).first()
            highest, mined = connection.execute(_NONCES, at | {"sender": sender}).one()
        return Standing(f"{row[0]} {row[1]} is {row[2]}" if row else None, highest, mined)

    def open_intents(self) -> Sequence[Intent]:
        """Unresolved and reopened ones, oldest first, with their transactions."""
        with self._connected() as connection:
            if connection.execute(_ANY_OPEN, {"chain": self.chain}).first() is None:
                return []
        with self._read() as session:
            query = select(Intent).where(Intent.chain == self.chain, Intent.status.in_(OPEN))
            return session.scalars(query.order_by(Intent.created_at_s, Intent.work_id)).all()

    def intent(self, work_id: str) -> Intent | None:
        """One intent with its transactions."""
        with self._read() as session:
            return session.get(Intent, work_id)

    def times(self, work_id: str) -> HedgeTimes | None:
        """How long an intent took so far; None where nobody wrote it down."""
        row = self.intent(work_id)
        if row is None or row.oracle_at_s is None or row.head_at_s is None:
            return None
        return HedgeTimes(
            oracle_at_s=row.oracle_at_s,
            head_at_s=row.head_at_s,
            read_ms=row.read_ms or 0.0,
            decide_ms=row.decide_ms or 0.0,
            send_ms=row.send_ms,
            included_at_s=row.included_at_s,
        )

    def programme(self, key: str) -> str | None:
        """The sliced hedge of a key, as it was last written."""
        with self._connected() as connection:
            state: str | None = connection.scalar(_PROGRAMME, {"chain": self.chain, "key": key})
            return state

    def mined_since(self, block_number: int, sender: str, nonce: int) -> Sequence[MinedTx]:
        """Mined transactions that a reorg may still take back: in this block or later, or with this nonce or later."""
        terms = {"chain": self.chain, "sender": sender, "block": block_number, "nonce": nonce}
        with self._connected() as connection:
            return [MinedTx(*row) for row in connection.execute(_MINED, terms)]

    def counts(self) -> dict[str, int]:
        """Number of intents by status."""
        with self._read() as session:
            query = (
                select(Intent.status, func.count())
                .where(Intent.chain == self.chain)
                .group_by(Intent.status)
            )
            return {row[0]: row[1] for row in session.execute(query)}

    def decisions(self, limit: int) -> Sequence[Decision]:
        """The latest ticks, newest first."""
        with self._read() as session:
            query = select(Decision).where(Decision.chain == self.chain)
            return session.scalars(query.order_by(Decision.id.desc()).limit(limit)).all()

    @contextmanager
    def _read(self) -> Iterator[Session]:
        with self._guarded(), self._sessions() as session:
            yield session

    @contextmanager
    def _connected(self) -> Iterator[Connection]:
        with self._guarded(), self._engine.connect() as connection:
            yield connection

    @contextmanager
    def _guarded(self) -> Iterator[None]:
        try:
            yield
        except IntegrityError:
            raise
        except SQLAlchemyError as error:
            raise Halt(
                f"the journal failed ({type(error).__name__}: {getattr(error, 'orig', error)}): nothing more is sent; "
                f"check the database and start again, start-up reconciles"
            ) from error
