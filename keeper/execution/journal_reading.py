"""The reading side of the journal, and what a broken database stops."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from sqlalchemy import Engine, func, select
from sqlalchemy.exc import IntegrityError, SQLAlchemyError
from sqlalchemy.orm import Session, sessionmaker

from keeper.errors import Halt
from keeper.execution.records import OPEN, HedgeTimes, TxStatus
from keeper.execution.tables import Decision, HedgeProgramme, Intent, Transaction


class JournalReading:
    """One chain's part of a journal, read."""

    def __init__(self, engine: Engine, chain: str) -> None:
        self._sessions = sessionmaker(engine, expire_on_commit=False)
        self.chain = chain

    def open_intents(self) -> Sequence[Intent]:
        """Unresolved and reopened ones, oldest first, with their transactions."""
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
        with self._read() as session:
            row = session.get(HedgeProgramme, (self.chain, key))
            return None if row is None else row.state

    def mined_since(self, block_number: int, sender: str, nonce: int) -> Sequence[Transaction]:
        """Mined transactions that a reorg may still take back: in this block or later, or with this nonce or later."""
        with self._read() as session:
            recent = (Transaction.block_number >= block_number) | (Transaction.nonce >= nonce)
            query = select(Transaction).where(
                Transaction.chain == self.chain,
                Transaction.sender == sender,
                Transaction.status == TxStatus.MINED,
                recent,
            )
            return session.scalars(query.order_by(Transaction.nonce)).all()

    def highest_nonce(self, sender: str) -> int | None:
        """The highest nonce that a mined or open transaction of `sender` has."""
        with self._read() as session:
            query = select(func.max(Transaction.nonce)).where(
                Transaction.chain == self.chain,
                Transaction.sender == sender,
                Transaction.status != TxStatus.DROPPED,
            )
            return session.scalar(query)

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
