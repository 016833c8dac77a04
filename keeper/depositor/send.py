"""One transaction at a time from the depositor's own key: tried first, sent once, waited for."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from keeper.chain.client import NodeClient, NodeError, Receipt
from keeper.chain.keystore import Signer, TxFields
from keeper.chain.vault import Call
from keeper.errors import Retry, SkipTick
from keeper.execution.fees import FeeRules, fees
from keeper.units import GWEI

GAS_MARGIN_PERCENT = 125
TIP_WEI = GWEI
POLL_FIRST_S, POLL_MOST_S = 0.02, 2.0
TIMEOUT_S = 180.0  # for a receipt


@dataclass(frozen=True, slots=True)
class Trial:
    """What a call would cost now. `gas` is None where it waits for an earlier one."""

    call: Call
    gas: int | None
    gas_price_wei: int

    @property
    def cost_wei(self) -> int:
        """At today's base fee and the tip."""
        return (self.gas or 0) * self.gas_price_wei


def fee_rules(max_fee_gwei: int) -> FeeRules:
    """Pays up to this much a gas, tip included."""
    most = max_fee_gwei * GWEI
    return FeeRules(min(TIP_WEI, most), min(TIP_WEI, most), most, most)


def try_out(node: NodeClient, sender: str, calls: list[Call]) -> list[Trial]:
    """Run each call without sending it. Reverted says why it would fail."""
    price = node.head().base_fee_wei + TIP_WEI
    trials = []
    for call in calls:
        gas = None if call.waits else node.estimate_gas(sender, call.to, call.data, call.what)
        trials.append(Trial(call, gas, price))
    return trials


@dataclass(frozen=True, slots=True)
class OneByOne:
    """Sends calls of one key."""

    node: NodeClient
    signer: Signer
    chain_id: int
    rules: FeeRules
    sleep: Callable[[float], None] = time.sleep
    clock: Callable[[], float] = time.monotonic

    def send(self, call: Call) -> Receipt:
        """Mined and successful, or an error that says what is known."""
        sender = self.signer.address
        nonce = self.node.transaction_count(sender)
        if self.node.transaction_count(sender, "pending") != nonce:
            raise SkipTick(
                f"a transaction of {sender} is still pending, so '{call.what}' was not sent: wait until it is mined"
            )
        estimate = self.node.estimate_gas(sender, call.to, call.data, call.what)
        gas = estimate * GAS_MARGIN_PERCENT // 100
        offer = fees(self.node.head().base_fee_wei, 0, self.rules)
        self._check_ether(sender, gas * offer.max_wei)
        signed = self.signer.sign(
            TxFields(
                chain_id=self.chain_id,
                nonce=nonce,
                to=call.to,
                data=call.data,
                gas=gas,
                max_fee_wei=offer.max_wei,
                priority_fee_wei=offer.priority_wei,
            )
        )
        refusal = self._broadcast(signed.raw)
        receipt = self._wait(signed.hash)
        if receipt is None:
            raise Retry(
                f"'{call.what}' was sent as {signed.hash} and is not mined after {TIMEOUT_S:.0f} s"
                f"{refusal}: it may still be, so look at 'gammadesk position' before you repeat it"
            )
        if not receipt.success:
            raise SkipTick(f"'{call.what}' was mined in {signed.hash} and reverted; gas was paid")
        return receipt

    def _check_ether(self, sender: str, needed_wei: int) -> None:
        held = self.node.balance(sender)
        if held < needed_wei:
            raise SkipTick(
                f"{sender} holds {held / 10**18:.6f} ETH, gas may cost {needed_wei / 10**18:.6f}: send it ether"
            )

    def _broadcast(self, raw: bytes) -> str:
        """An error proves nothing: the node may have taken it all the same."""
        try:
            self.node.broadcast(raw)
        except (Retry, NodeError) as error:
            return f" ({error})"
        return ""

    def _wait(self, tx_hash: str) -> Receipt | None:
        deadline, pause_s = self.clock() + TIMEOUT_S, POLL_FIRST_S
        while True:
            receipt = self.node.receipt(tx_hash)
            if receipt is not None or self.clock() >= deadline:
                return receipt
            self.sleep(pause_s)
            pause_s = min(2 * pause_s, POLL_MOST_S)
