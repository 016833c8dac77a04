"""The journal: what was decided, what was signed, how it ended. Written before anything is sent."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from sqlalchemy import Engine, func, select
from sqlalchemy.exc import IntegrityError, SQLAlchemyError
from sqlalchemy.orm import Session, sessionmaker

from keeper.chain.client import Receipt
from keeper.chain.keystore import SignedTx, TxFields
from keeper.errors import Halt, SkipTick
from keeper.execution.records import (
    OPEN,
    DecisionEntry,
    HedgeTimes,
    IntentStatus,
    Job,
    TxKind,
    TxStatus,
)
from keeper.execution.tables import Decision, Intent, Transaction


class Journal:
    """One chain's part of a journal. `chain` tells apart chains that share an id; `now` is unix seconds."""

    def __init__(self, engine: Engine, chain: str, now: Callable[[], int]) -> None:
        self._sessions = sessionmaker(engine, expire_on_commit=False)
        self.chain = chain
        self._now = now

    # ------------------------------------------------------------ writing

    def record_intent(self, job: Job, sender: str, fields: TxFields, signed: SignedTx) -> None:
        """Intent and first signed bytes, in one commit. SkipTick: another is open, or this one was done before."""
        intent = Intent(
            work_id=job.work_id,
            chain=self.chain,
            key=job.key,
            what=job.what,
            status=IntentStatus.UNRESOLVED,
            created_at_s=self._now(),
            deadline_s=job.deadline_s,
            snapshot_hash=job.snapshot_hash,
            to_address=job.to,
            calldata=job.data,
            plan=job.plan,
            orders=job.orders,
            detail="",
        )
        if job.times is not None:
            intent.oracle_at_s, intent.head_at_s = job.times.oracle_at_s, job.times.head_at_s
            intent.read_ms, intent.decide_ms = job.times.read_ms, job.times.decide_ms
        intent.transactions.append(self._row(job.work_id, sender, fields, signed, TxKind.CALL))
        try:
            with self._write() as session:
                session.add(intent)
        except IntegrityError:
            raise SkipTick(
                f"an intent of {job.key} is unresolved, or {job.work_id} was decided before: nothing was sent; "
                f"the next tick reconciles first"
            ) from None

    def record_replacement(
        self, work_id: str, sender: str, fields: TxFields, signed: SignedTx, kind: TxKind
    ) -> None:
        """Further bytes for the nonce of an open intent."""
        with self._write() as session:
            session.add(self._row(work_id, sender, fields, signed, kind))

    def mark_broadcast(self, tx_hash: str, took_ms: float | None = None) -> None:
        """A node took the bytes, `took_ms` after the work on them began."""
        with self._write() as session:
            row = self._transaction(session, tx_hash)
            row.status = TxStatus.BROADCAST
            if took_ms is not None and row.intent.send_ms is None:
                row.intent.send_ms = took_ms

    def resolve_mined(
        self, receipt: Receipt, detail: str, mined_at_s: int | None = None
    ) -> IntentStatus:
        """The intent whose bytes were mined is closed, and other bytes of its nonce are dropped."""
        with self._write() as session:
            mined = self._transaction(session, receipt.tx_hash)
            for sibling in mined.intent.transactions:
                sibling.status = TxStatus.DROPPED
            mined.status = TxStatus.MINED
            mined.block_number, mined.block_hash = receipt.block_number, receipt.block_hash
            mined.gas_used, mined.gas_price_wei = receipt.gas_used, receipt.gas_price_wei
            if mined.kind == TxKind.NO_OP:
                status = IntentStatus.REPLACED
            else:
                reverted, success = IntentStatus.MINED_REVERTED, IntentStatus.MINED_SUCCESS
                status = success if receipt.success else reverted
            mined.intent.status, mined.intent.detail = status, detail
            mined.intent.included_at_s = mined_at_s
        return status

    def resolve_denied(self, work_id: str, detail: str) -> None:
        """Another transaction has the nonce: none of the intent's bytes can be mined any more."""
        with self._write() as session:
            intent = session.get_one(Intent, work_id)
            intent.status, intent.detail = IntentStatus.DENIED, detail
            for row in intent.transactions:
                row.status = TxStatus.DROPPED

    def reopen(self, work_id: str, detail: str) -> None:
        """A reorg took the block of a closed intent back."""
        with self._write() as session:
            intent = session.get_one(Intent, work_id)
            intent.status, intent.detail = IntentStatus.REOPENED, detail
            intent.included_at_s = None
            for row in intent.transactions:
                row.status = TxStatus.BROADCAST
                row.block_number = row.block_hash = row.gas_used = row.gas_price_wei = None

    def record_decision(self, entry: DecisionEntry) -> int:
        """Appends a tick and returns its id."""
        with self._write() as session:
            row = Decision(
                chain=self.chain,
                at_s=self._now(),
                block_number=entry.block_number,
                snapshot_hash=entry.snapshot_hash,
                policy=entry.policy,
                inputs=entry.inputs,
                plan=entry.plan,
                verdict=entry.verdict,
                outcome=entry.outcome,
                work_id=entry.work_id,
            )
            session.add(row)
            session.flush()
            return row.id

    # ------------------------------------------------------------ reading

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

    # ------------------------------------------------------------ inside

    def _row(
        self, work_id: str, sender: str, fields: TxFields, signed: SignedTx, kind: TxKind
    ) -> Transaction:
        return Transaction(
            work_id=work_id,
            chain=self.chain,
            sender=sender,
            nonce=fields.nonce,
            kind=kind,
            raw=signed.raw,
            tx_hash=signed.hash,
            gas_limit=fields.gas,
            max_fee_wei=fields.max_fee_wei,
            priority_fee_wei=fields.priority_fee_wei,
            status=TxStatus.SIGNED,
            signed_at_s=self._now(),
        )

    @staticmethod
    def _transaction(session: Session, tx_hash: str) -> Transaction:
        return session.scalars(select(Transaction).where(Transaction.tx_hash == tx_hash)).one()

    @contextmanager
    def _write(self) -> Iterator[Session]:
        with self._guarded(), self._sessions.begin() as session:
            yield session

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
