"""One transaction at a time: estimate, sign, send, wait, and find again after a crash."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import rlp
from eth_utils import keccak, to_checksum_address

from keeper.errors import ConfigError, Halt, Retry
from scripts.deployment import abi as codec
from scripts.deployment.record import Step
from scripts.deployment.rpc import Rpc, RpcError
from scripts.deployment.senders import Sender

GAS_MARGIN_PERCENT = 125
DEFAULT_TIP_WEI = 10**9
POLL_FIRST_S = 0.01
POLL_MOST_S = 2.0

Receipt = dict[str, Any]


class DeploymentError(Halt):
    """A step cannot be done as it is; the message names the step and what to do."""


@dataclass(frozen=True, slots=True)
class Intent:
    """The contents of a step, without account, nonce and fees."""

    what: str
    to: str | None
    data: bytes
    value: int
    abi: codec.Abi

    @property
    def digest(self) -> str:
        """Changes when target, value, bytecode or arguments change."""
        head = f"{(self.to or 'new').lower()}|{self.value}|"
        return hashlib.sha256(head.encode() + self.data).hexdigest()

    def fits(self, transaction: Mapping[str, Any]) -> bool:
        """Whether a transaction of the chain is this one."""
        return (
            (transaction.get("to") or "").lower() == (self.to or "").lower()
            and bytes.fromhex(transaction["input"][2:]) == self.data
            and int(transaction["value"], 16) == self.value
        )

    def fields(self, sender: str) -> dict[str, Any]:
        """As JSON-RPC wants them."""
        fields: dict[str, Any] = {
            "from": sender,
            "data": "0x" + self.data.hex(),
            "value": hex(self.value),
        }
        return fields | ({"to": self.to} if self.to else {})


def create_address(sender: str, nonce: int) -> str:
    """Where a contract created by this account with this nonce will be."""
    return to_checksum_address(keccak(rlp.encode([bytes.fromhex(sender[2:]), nonce]))[12:])


def explain(abi: codec.Abi, error: RpcError) -> str:
    """What a refusal says: the custom error where the ABI knows it, else the node's message."""
    return codec.explain_revert(abi, error.data) if error.data else error.message


def read_contract(
    rpc: Rpc, address: str, abi: codec.Abi, function: str, args: Sequence[Any] = ()
) -> Any:
    """Result of a view at the latest block. Raises DeploymentError where it reverts or is not there."""
    data = codec.encode_call(abi, function, args)
    try:
        result = rpc("eth_call", {"to": address, "data": "0x" + data.hex()}, "latest")
    except RpcError as error:
        raise DeploymentError(f"{function} on {address} fails: {explain(abi, error)}") from None
    try:
        return codec.decode_result(abi, function, len(args), bytes.fromhex(result[2:]))
    except ConfigError as error:
        raise DeploymentError(f"{function} on {address}: {error}") from None


class Delivery:
    """Carries transactions of one account to one node."""

    def __init__(self, rpc: Rpc, sender: Sender, confirmations: int, timeout_s: float) -> None:
        self._rpc = rpc
        self._sender = sender
        self._confirmations = confirmations
        self._timeout_s = timeout_s
        self._chain_id = rpc.number("eth_chainId")

    def estimate(self, name: str, intent: Intent) -> int:
        """Gas limit with a margin. Raises DeploymentError, with nothing sent, where the step would revert."""
        try:
            gas = self._rpc.number("eth_estimateGas", intent.fields(self._sender.address))
        except RpcError as error:
            raise DeploymentError(
                f"step {name} ({intent.what}) would fail, so it was not sent: {explain(intent.abi, error)}. "
                f"Remove the cause and run the same command again; it resumes here"
            ) from None
        block = self._rpc.block("latest")
        assert block is not None
        return min(gas * GAS_MARGIN_PERCENT // 100, int(block["gasLimit"], 16))

    def complete(self, intent: Intent, nonce: int, gas: int) -> dict[str, Any]:
        """All fields of the transaction, fees at today's price."""
        fields = intent.fields(self._sender.address)
        fields |= {"nonce": hex(nonce), "gas": hex(gas), "chainId": hex(self._chain_id)}
        block = self._rpc.block("latest")
        if block is None or block.get("baseFeePerGas") is None:
            return fields | {"gasPrice": self._rpc("eth_gasPrice")}
        try:
            tip = self._rpc.number("eth_maxPriorityFeePerGas")
        except RpcError:
            tip = DEFAULT_TIP_WEI
        most = 2 * int(block["baseFeePerGas"], 16) + tip
        return fields | {"type": "0x2", "maxFeePerGas": hex(most), "maxPriorityFeePerGas": hex(tip)}

    def send(
        self, name: str, step: Step, intent: Intent, transaction: dict[str, Any], raw: str | None
    ) -> Receipt:
        """Send and wait. A refusal is believed only if the step is not on the chain all the same."""
        try:
            if raw is not None:
                self._rpc("eth_sendRawTransaction", raw)
            else:
                step.tx_hash = self._rpc("eth_sendTransaction", transaction)
        except RpcError as error:
            receipt = self.find(step, intent)
            if receipt is None:
                raise DeploymentError(
                    f"step {name} was refused by the node: {error.message}. "
                    f"Remove the cause and run the same command again; it resumes here"
                ) from None
            return receipt
        return self.wait(step)

    def find(self, step: Step, intent: Intent) -> Receipt | None:
        """Receipt of a step of unknown fate, waiting where it is pending; None if it is nowhere."""
        if step.tx_hash is not None:
            if self._rpc("eth_getTransactionByHash", step.tx_hash) is not None:
                return self.wait(step)
        elif self._rpc.nonce(step.sender, "pending") > step.nonce:
            self._until(lambda: self._rpc.nonce(step.sender) > step.nonce, f"nonce {step.nonce}")
        if self._rpc.nonce(step.sender) <= step.nonce:
            return None
        found = self._by_nonce(step)
        if found is None or not intent.fits(found):
            return None
        step.tx_hash = found["hash"]
        return self.wait(step)

    def wait(self, step: Step) -> Receipt:
        """Receipt once it has the wanted confirmations. Raises Retry where that takes too long."""

        def confirmed() -> Receipt | None:
            receipt: Receipt | None = self._rpc("eth_getTransactionReceipt", step.tx_hash)
            if receipt is None or self._confirmations <= 1:
                return receipt
            head = self._rpc.number("eth_blockNumber")
            deep = head - int(receipt["blockNumber"], 16) + 1 >= self._confirmations
            return receipt if deep else None

        receipt: Receipt = self._until(confirmed, f"transaction {step.tx_hash}")
        return receipt

    def _until(self, condition: Callable[[], Any], what: str) -> Any:
        deadline = time.monotonic() + self._timeout_s
        pause = POLL_FIRST_S
        while not (result := condition()):
            if time.monotonic() > deadline:
                raise Retry(
                    f"{what} is not confirmed after {self._timeout_s:.0f} s: run the same command again later; "
                    f"it waits for the same transaction"
                )
            time.sleep(pause)
            pause = min(2 * pause, POLL_MOST_S)
        return result

    def _by_nonce(self, step: Step) -> Mapping[str, Any] | None:
        """The transaction that used the nonce, by bisection over the blocks since then."""
        low, high = step.from_block, self._rpc.number("eth_blockNumber")
        while low < high:
            middle = (low + high) // 2
            if self._rpc.nonce(step.sender, hex(middle)) > step.nonce:
                high = middle
            else:
                low = middle + 1
        block = self._rpc("eth_getBlockByNumber", hex(low), True)
        for transaction in block["transactions"]:
            same_sender = transaction["from"].lower() == step.sender.lower()
            if same_sender and int(transaction["nonce"], 16) == step.nonce:
                found: Mapping[str, Any] = transaction
                return found
        return None
