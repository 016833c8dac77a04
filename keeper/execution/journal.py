"""The journal: what was decided, what was signed, how it ended. Written before anything is sent."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from sqlalchemy import Engine, bindparam, insert, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from keeper.chain.client import Receipt
from keeper.chain.keystore import SignedTx, TxFields
from keeper.errors import SkipTick
from keeper.execution.journal_reading import JournalReading
from keeper.execution.records import DecisionEntry, IntentStatus, Job, TxKind, TxStatus
from keeper.execution.tables import Decision, HedgeProgramme, Intent, Transaction

# Built once: what is written before a send is on its way.
_INTENT, _BYTES = insert(Intent), insert(Transaction)
_PROGRAMME = (
    update(HedgeProgramme)
    .where(HedgeProgramme.chain == bindparam("at"), HedgeProgramme.key == bindparam("of"))
    .values(state=bindparam("state"), updated_at_s=bindparam("updated_at_s"))
)


class Journal(JournalReading):
    """One chain's part of a journal. `chain` tells apart chains that share an id; `now` is unix seconds."""

    def __init__(self, engine: Engine, chain: str, now: Callable[[], int]) -> None:
        super().__init__(engine, chain)
        self._now = now

    def record_intent(self, job: Job, sender: str, fields: TxFields, signed: SignedTx) -> None:
        """Intent and first signed bytes, in one commit. SkipTick: another is open, or this one was done before."""
        values: dict[str, object] = {
            "work_id": job.work_id,
            "chain": self.chain,
            "key": job.key,
            "what": job.what,
            "status": IntentStatus.UNRESOLVED,
            "created_at_s": self._now(),
            "deadline_s": job.deadline_s,
            "snapshot_hash": job.snapshot_hash,
            "to_address": job.to,
            "calldata": job.data,
            "plan": job.plan,
            "orders": job.orders,
            "detail": "",
        }
        if job.times is not None:
            values |= {"oracle_at_s": job.times.oracle_at_s, "head_at_s": job.times.head_at_s}
            values |= {"read_ms": job.times.read_ms, "decide_ms": job.times.decide_ms}
        try:
            with self._write() as session:
                session.execute(_INTENT, values)
                session.execute(_BYTES, self._row(job.work_id, sender, fields, signed, TxKind.CALL))
                if job.programme is not None:
                    self._set_programme(session, job.key, job.programme)
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
            session.execute(_BYTES, self._row(work_id, sender, fields, signed, kind))

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

    def save_programme(self, key: str, state: str) -> None:
        """Where a sliced hedge stands when nothing is sent; with an intent it is written by `record_intent`."""
        with self._write() as session:
            self._set_programme(session, key, state)

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

    # ------------------------------------------------------------ inside

    def _set_programme(self, session: Session, key: str, state: str) -> None:
        values = {"state": state, "updated_at_s": self._now()}
        changed = session.connection().execute(_PROGRAMME, {"at": self.chain, "of": key} | values)
        if not changed.rowcount:
            session.execute(insert(HedgeProgramme), {"chain": self.chain, "key": key} | values)

    def _row(
        self, work_id: str, sender: str, fields: TxFields, signed: SignedTx, kind: TxKind
    ) -> dict[str, object]:
        return {
            "work_id": work_id,
            "chain": self.chain,
            "sender": sender,
            "nonce": fields.nonce,
            "kind": kind,
            "raw": signed.raw,
            "tx_hash": signed.hash,
            "gas_limit": fields.gas,
            "max_fee_wei": fields.max_fee_wei,
            "priority_fee_wei": fields.priority_fee_wei,
            "status": TxStatus.SIGNED,
            "signed_at_s": self._now(),
        }

    @staticmethod
    def _transaction(session: Session, tx_hash: str) -> Transaction:
        return session.scalars(select(Transaction).where(Transaction.tx_hash == tx_hash)).one()

    @contextmanager
    def _write(self) -> Iterator[Session]:
        with self._guarded(), self._sessions.begin() as session:
            yield session
