"""Brings open intents to an end. Start-up and every tick take the same road, so it is never a rare one."""

from __future__ import annotations

from dataclasses import dataclass

from keeper.chain.client import BlockHead, Reverted
from keeper.chain.keystore import SignedTx, TxFields
from keeper.execution.fees import Fees, replacement
from keeper.execution.records import Outcome, OutcomeKind, TxKind
from keeper.execution.sender import JournaledSender
from keeper.execution.tables import Intent, Transaction

NO_OP_GAS = 21_000


@dataclass(frozen=True, slots=True)
class Recovery:
    """Looks up receipts, sends the same bytes again, replaces what is stuck, reopens what a reorg took back."""

    sender: JournaledSender

    def reconcile(self) -> list[Outcome]:
        """How each intent stands that was open; Retry when the node does not answer."""
        address = self.sender.signer.address
        head, count = self.sender.node.head_and_count(address)
        self._reopen_unmined(head, count)
        return [
            self._recover(intent, head)
            if intent.transactions[0].sender == address
            else self._outlive(intent, head)
            for intent in self.sender.journal.open_intents()
        ]

    def _reopen_unmined(self, head: BlockHead, count: int) -> None:
        node, journal, address = self.sender.node, self.sender.journal, self.sender.signer.address
        oldest = head.number - self.sender.rules.finality_blocks
        for row in journal.mined_since(oldest, address, count):
            receipt = node.receipt(row.tx_hash)
            if receipt is None or receipt.block_hash != row.block_hash:
                journal.reopen(row.work_id, f"block {row.block_number} was taken back by a reorg")

    def _recover(self, intent: Intent, head: BlockHead) -> Outcome:
        node, address = self.sender.node, self.sender.signer.address
        last = intent.transactions[-1]
        final = max(head.number - self.sender.rules.finality_blocks, 0)
        # Counts before receipts: a transaction mined in between shows in the receipts.
        used_for_good = node.transaction_count(address, final) > last.nonce
        used = node.transaction_count(address) > last.nonce
        mined = self.sender.settle(intent)
        if mined is not None:
            return mined
        if used_for_good:
            detail = f"nonce {last.nonce} was used by a transaction that is not in the journal"
            self.sender.journal.resolve_denied(intent.work_id, detail)
            return Outcome(OutcomeKind.DENIED, detail, intent.work_id, nonce=last.nonce)
        if used:
            detail = (
                f"nonce {last.nonce} was used by another transaction, waiting until that is final"
            )
            return _unresolved(intent, last, detail)
        return self._push(intent, last, head)

    def _outlive(self, intent: Intent, head: BlockHead) -> Outcome:
        """Signed by a key that was changed since: nobody here can replace it, but its deadline ends it."""
        mined = self.sender.settle(intent)
        if mined is not None:
            return mined
        last = intent.transactions[-1]
        final = self.sender.node.head(max(head.number - self.sender.rules.finality_blocks, 0))
        if final.timestamp_s <= intent.deadline_s:
            detail = f"signed by {last.sender}, which this process is not: waiting for its deadline"
            return _unresolved(intent, last, detail)
        detail = f"signed by {last.sender} and past its deadline: it can no longer succeed"
        self.sender.journal.resolve_denied(intent.work_id, detail)
        return Outcome(OutcomeKind.DENIED, detail, intent.work_id, nonce=last.nonce)

    def _push(self, intent: Intent, last: Transaction, head: BlockHead) -> Outcome:
        """Not mined, nonce free: the same bytes again, or dearer ones once they had their time."""
        now = self.sender.now()
        overdue = now > intent.deadline_s and last.kind == TxKind.CALL
        stuck = now - last.signed_at_s >= self.sender.rules.replace_after_s
        signed, detail = SignedTx(last.raw, last.tx_hash), "the same bytes were sent again"
        if overdue or stuck:
            offer = replacement(
                Fees(last.max_fee_wei, last.priority_fee_wei),
                head.base_fee_wei,
                now - intent.created_at_s,
                self.sender.rules.fees,
            )
            if offer is None:
                detail = "the gas caps allow no replacement, " + detail
            else:
                kind = self._kind(intent, last, overdue)
                signed = self._replace(intent, last, kind, offer)
                detail = f"replaced by {'a no-op' if kind == TxKind.NO_OP else 'the same call'} at {offer.max_wei} wei"
        fault = self.sender.broadcast(signed)
        fresh = self.sender.journal.intent(intent.work_id)
        assert fresh is not None
        mined = self.sender.settle(fresh)
        return mined or _unresolved(intent, last, f"{detail}; {fault}" if fault else detail)

    def _kind(self, intent: Intent, last: Transaction, overdue: bool) -> TxKind:
        """A call that can no longer succeed makes room by the cheapest transaction there is."""
        if overdue or last.kind == TxKind.NO_OP:
            return TxKind.NO_OP
        try:
            self.sender.node.call(
                intent.to_address, intent.calldata, "latest", intent.what, last.sender
            )
        except Reverted:
            return TxKind.NO_OP
        return TxKind.CALL

    def _replace(self, intent: Intent, last: Transaction, kind: TxKind, offer: Fees) -> SignedTx:
        no_op = kind == TxKind.NO_OP
        fields = TxFields(
            chain_id=self.sender.rules.chain_id,
            nonce=last.nonce,
            to=last.sender if no_op else intent.to_address,
            data=b"" if no_op else intent.calldata,
            gas=NO_OP_GAS if no_op else last.gas_limit,
            max_fee_wei=offer.max_wei,
            priority_fee_wei=offer.priority_wei,
        )
        signed = self.sender.signer.sign(fields)
        self.sender.journal.record_replacement(intent.work_id, last.sender, fields, signed, kind)
        return signed


def _unresolved(intent: Intent, last: Transaction, detail: str) -> Outcome:
    return Outcome(
        OutcomeKind.UNRESOLVED, detail, intent.work_id, tx_hash=last.tx_hash, nonce=last.nonce
    )
