"""What a node answers, as records; and what its errors are, each with a type that says how to react."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from keeper.chain.bindings import Log, RevertReason, revert_reason
from keeper.errors import SkipTick

BlockTag = int | Literal["latest", "pending"]


class NodeError(SkipTick):
    """The node answered with an error. For a broadcast it proves nothing: the transaction may be known already."""

    def __init__(self, method: str, code: int, message: str, data: bytes | None) -> None:
        super().__init__(f"node refused {method}: {message} (code {code})")
        self.code, self.message, self.data = code, message, data


class Reverted(SkipTick):
    """A call reverted; `reason` carries the contract's custom error."""

    def __init__(self, what: str, reason: RevertReason) -> None:
        super().__init__(f"{what} reverts with {reason}")
        self.reason = reason


@dataclass(frozen=True, slots=True)
class BlockHead:
    """A block as far as the keeper looks at it. `base_fee_wei` per gas."""

    number: int
    hash: str
    timestamp_s: int
    base_fee_wei: int


@dataclass(frozen=True, slots=True)
class Receipt:
    """A mined transaction. `gas_price_wei` is what each gas cost."""

    tx_hash: str
    block_number: int
    block_hash: str
    success: bool
    gas_used: int
    gas_price_wei: int
    logs: tuple[Log, ...]


@dataclass(frozen=True, slots=True)
class CallAndAccount:
    """A call's result with an account's nonce and balance in wei, all of the block `head`."""

    result: bytes
    nonce: int
    balance_wei: int
    head: BlockHead


@dataclass(frozen=True, slots=True)
class BeforeSending:
    """Whether a call passes with its gas limit, and the newest header, nonce and balance of its sender."""

    passes: bool
    head: BlockHead
    nonce: int
    balance_wei: int


def head_of(raw: Mapping[str, Any]) -> BlockHead:
    """A block header."""
    return BlockHead(
        number=int(raw["number"], 16),
        hash=str(raw["hash"]),
        timestamp_s=int(raw["timestamp"], 16),
        base_fee_wei=int(raw.get("baseFeePerGas") or "0x0", 16),
    )


def call_of(to: str, data: bytes, sender: str | None, gas: int | None) -> dict[str, str]:
    """Parameters of eth_call."""
    tx = {"to": to, "data": "0x" + data.hex()}
    if sender:
        tx["from"] = sender
    if gas:
        tx["gas"] = hex(gas)
    return tx


def tag(block: BlockTag) -> str:
    """A block as JSON-RPC names it."""
    return hex(block) if isinstance(block, int) else block


def bytes_of(value: str) -> bytes:
    """Of 0x and digits."""
    return bytes.fromhex(value.removeprefix("0x"))


def node_error(method: str, error: object) -> NodeError:
    """An error object, or a plain text."""
    if not isinstance(error, Mapping):
        return NodeError(method, 0, str(error), None)
    return NodeError(
        method,
        int(error.get("code", 0)),
        str(error.get("message", "no message")),
        _revert_data(error.get("data")),
    )


def _revert_data(data: object) -> bytes | None:
    # anvil and geth give hex, some prefix it with "Reverted ", Ganache nests it in an object.
    if isinstance(data, Mapping):
        data = data.get("result") or data.get("data")
    if not isinstance(data, str):
        return None
    text = data.removeprefix("Reverted ").removeprefix("0x")
    try:
        return bytes.fromhex(text)
    except ValueError:
        return None


def raise_if_revert(error: NodeError, what: str) -> None:
    """Reverted with the contract's reason where the error is one."""
    if error.data is not None:
        raise Reverted(what, revert_reason(error.data)) from None
    if error.code == 3 or "revert" in error.message.lower():
        raise Reverted(what, RevertReason("Revert", (("message", error.message),))) from None


def receipt_of(raw: Mapping[str, Any]) -> Receipt:
    """A mined transaction."""
    return Receipt(
        tx_hash=str(raw["transactionHash"]),
        block_number=int(raw["blockNumber"], 16),
        block_hash=str(raw["blockHash"]),
        success=int(raw["status"], 16) == 1,
        gas_used=int(raw["gasUsed"], 16),
        gas_price_wei=int(raw.get("effectiveGasPrice") or "0x0", 16),
        logs=tuple(log_of(log) for log in raw["logs"]),
    )


def log_of(raw: Mapping[str, Any]) -> Log:
    """A log entry."""
    topics = tuple(bytes_of(topic) for topic in raw["topics"])
    return Log(str(raw["address"]), topics, bytes_of(raw["data"]))
