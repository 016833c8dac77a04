"""Simulate, journal, send, wait. The order is the safety: what was never journaled was never sent."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass

from keeper.chain.client import NodeClient, NodeError, Receipt, Reverted
from keeper.chain.keystore import SignedTx, Signer, TxFields
from keeper.errors import Retry, SkipTick
from keeper.execution.fees import FeeRules, fees
from keeper.execution.journal import Journal
from keeper.execution.journal_reading import Standing
from keeper.execution.records import Job, Outcome, OutcomeKind
from keeper.execution.tables import Intent
from keeper.units import WAD

POLL_S = 0.5


@dataclass(frozen=True, slots=True)
class SendRules:
    """Limits of sending; see ExecutionConfig and GasConfig for their meaning."""

    chain_id: int
    fees: FeeRules
    gas_margin: float
    max_gas: int
    receipt_timeout_s: float
    replace_after_s: int
    finality_blocks: int


@dataclass(frozen=True, slots=True)
class JournaledSender:
    """Sends jobs for one key. `now` is unix seconds, `sleep` takes seconds."""

    node: NodeClient
    signer: Signer
    journal: Journal
    rules: SendRules
    now: Callable[[], int]
    sleep: Callable[[float], None]
    stopwatch_s: Callable[[], float] = time.perf_counter

    def send(self, job: Job) -> Outcome:
        """One transaction, waited for.

        Raises SkipTick (nothing signed, no nonce used) when an intent of the key is open, the simulation reverts,
        gas is over a cap or cannot be paid; Retry when the node does not answer before anything was signed. Once
        it is signed nothing is raised for the network: the outcome is then unresolved.
        """
        begun_s = self.stopwatch_s()
        standing = self.journal.standing(job.key, self.signer.address)
        if standing.open is not None:
            raise SkipTick(f"{standing.open}: nothing new is sent before it ends")
        fields = self._fields(job, standing)
        signed = self.signer.sign(fields)
        self.journal.record_intent(job, self.signer.address, fields, signed)
        fault = self.broadcast(signed, begun_s)
        return self._await(job.work_id, fault)

    def broadcast(self, signed: SignedTx, begun_s: float | None = None) -> str:
        """Hands bytes to the node; what it said against them, empty when it took them.

        `begun_s` is when the stopwatch stood at the start of the work on them.
        """
        try:
            self.node.broadcast(signed.raw)
        except (NodeError, Retry) as error:
            return str(error)
        took_ms = None if begun_s is None else (self.stopwatch_s() - begun_s) * 1e3
        self.journal.mark_broadcast(signed.hash, took_ms)
        return ""

    def settle(self, intent: Intent) -> Outcome | None:
        """Closes the intent if any of its bytes was mined; None while none was."""
        for row in intent.transactions:
            receipt = self.node.receipt(row.tx_hash)
            if receipt is not None:
                detail = "" if receipt.success else self._why(intent, receipt)
                mined_at_s = self.node.head(receipt.block_number).timestamp_s
                status = self.journal.resolve_mined(receipt, detail, mined_at_s)
                return Outcome(
                    kind=OutcomeKind(status.value),
                    detail=detail,
                    work_id=intent.work_id,
                    tx_hash=receipt.tx_hash,
                    nonce=row.nonce,
                    block_number=receipt.block_number,
                    gas_used=receipt.gas_used,
                    gas_price_wei=receipt.gas_price_wei,
                    logs=receipt.logs,
                )
        return None

    def _fields(self, job: Job, standing: Standing) -> TxFields:
        """Simulates at the job's block, with the hint as gas limit where there is one: usually one request in all."""
        sender, margin = self.signer.address, self.rules.gas_margin
        gas = min(math.ceil(job.gas_hint * margin) or self.rules.max_gas, self.rules.max_gas)
        state = self.node.before_sending(sender, job.to, job.data, job.block_number, gas, job.what)
        offer = fees(state.head.base_fee_wei, 0, self.rules.fees)
        known = job.gas_hint > 0 and state.passes and state.head.number == job.block_number
        if not state.passes:
            self.node.call(job.to, job.data, job.block_number, job.what, sender)
        if not known or state.balance_wei < gas * offer.max_wei:
            gas = math.ceil(self.node.estimate_gas(sender, job.to, job.data, job.what) * margin)
        if gas > self.rules.max_gas:
            raise SkipTick(
                f"{job.what} needs a gas limit of {gas}, over gas.max_gas = {self.rules.max_gas}: "
                f"raise it, or let fewer orders go together"
            )
        need, have = gas * offer.max_wei, state.balance_wei
        if have < need:
            raise SkipTick(
                f"{sender} holds {have / WAD:.6f} ETH, {job.what} may cost {need / WAD:.6f} ETH: fund it"
            )
        return TxFields(
            chain_id=self.rules.chain_id,
            nonce=self._next_nonce(state.nonce, standing),
            to=job.to,
            data=job.data,
            gas=gas,
            max_fee_wei=offer.max_wei,
            priority_fee_wei=offer.priority_wei,
        )

    def _next_nonce(self, on_chain: int, standing: Standing) -> int:
        """After what the chain has mined and what the journal has open; neither alone can be trusted."""
        mined, highest = standing.mined_nonce, standing.highest_nonce
        if mined is not None and mined >= on_chain:
            raise Retry(
                f"{self.node.where} counts {on_chain} transactions of {self.signer.address}, the journal saw more "
                f"mined: the node lags, wait for it or use another"
            )
        return on_chain if highest is None else max(on_chain, highest + 1)

    def _await(self, work_id: str, fault: str) -> Outcome:
        intent = self.journal.intent(work_id)
        assert intent is not None
        first = intent.transactions[0]
        try:
            for attempt in range(math.ceil(self.rules.receipt_timeout_s / POLL_S) + 1):
                if attempt:
                    self.sleep(POLL_S)
                outcome = self.settle(intent)
                if outcome is not None:
                    return outcome
                if fault:
                    break
        except (Retry, NodeError) as error:
            fault = fault or str(error)
        return Outcome(
            kind=OutcomeKind.UNRESOLVED,
            detail=fault or f"not mined within {self.rules.receipt_timeout_s:g} s",
            work_id=work_id,
            tx_hash=first.tx_hash,
            nonce=first.nonce,
        )

    def _why(self, intent: Intent, receipt: Receipt) -> str:
        """Best knowledge of why a mined call reverted: the same call on the block before."""
        try:
            before = receipt.block_number - 1
            self.node.call(
                intent.to_address, intent.calldata, before, intent.what, self.signer.address
            )
        except Reverted as error:
            return str(error)
        except (NodeError, Retry):
            pass
        return (
            f"{intent.what} reverted in block {receipt.block_number}, it passed on the block before"
        )
