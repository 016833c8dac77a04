"""A node over JSON-RPC. Reads are retried, a broadcast never is; every failure has a type that says how to react."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal
from urllib.parse import urlsplit

import stamina
from web3.exceptions import Web3Exception
from web3.providers.base import JSONBaseProvider
from web3.types import RPCEndpoint

from keeper.chain.bindings import Log, RevertReason, revert_reason
from keeper.chain.http import LeanProvider
from keeper.errors import ConfigError, Halt, Retry, SkipTick

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


class NodeClient:
    """One node. `provider` is web3's own seam: HTTP in service, an in-process fake in tests."""

    def __init__(
        self,
        provider: JSONBaseProvider,
        where: str,
        attempts: int = 3,
        retry_budget_s: float = 20.0,
    ) -> None:
        self._provider = provider
        self._attempts, self._retry_budget_s = attempts, retry_budget_s
        self.where = where

    @classmethod
    def connect(cls, url: str, timeout_s: float = 10.0, attempts: int = 3) -> NodeClient:
        """Over HTTP. Nothing is sent until the first call; messages name scheme and host only."""
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ConfigError("node url must look like http://host:port or https://host/path")
        provider = LeanProvider(url, timeout_s)
        port = f":{parts.port}" if parts.port else ""
        return cls(provider, f"{parts.scheme}://{parts.hostname}{port}", attempts)

    def require_chain(self, chain_id: int) -> None:
        """Halt unless the node serves this chain."""
        actual = int(self._read("eth_chainId"), 16)
        if actual != chain_id:
            raise Halt(
                f"{self.where} serves chain {actual}, the configuration says {chain_id}: "
                f"change the url or the chain id"
            )

    def head(self, block: BlockTag = "latest") -> BlockHead:
        """A block header; Retry when the node does not have it (yet)."""
        raw = self._read("eth_getBlockByNumber", _tag(block), False)
        if raw is None:
            raise Retry(
                f"{self.where} does not have block {block}: it is behind, wait or change it"
            )
        return _head(raw)

    def call(
        self,
        to: str,
        data: bytes,
        block: BlockTag,
        what: str,
        sender: str | None = None,
        gas: int | None = None,
    ) -> bytes:
        """eth_call; Reverted with the decoded reason, `what` names the call in messages."""
        try:
            return _bytes(self._read("eth_call", _call(to, data, sender, gas), _tag(block)))
        except NodeError as error:
            _raise_if_revert(error, what)
            raise

    def call_and_account(
        self, to: str, data: bytes, block: int, what: str, who: str
    ) -> CallAndAccount:
        """A call with the nonce and balance of `who`, all at one block, and that block's header, in one request."""
        answers = self._read_batch(
            ("eth_call", (_call(to, data, None, None), _tag(block))),
            ("eth_getTransactionCount", (who, _tag(block))),
            ("eth_getBalance", (who, _tag(block))),
            ("eth_getBlockByNumber", (_tag(block), False)),
        )
        result, nonce, balance, header = (self._result(answer, what) for answer in answers)
        if header is None:
            raise Retry(f"{self.where} lost block {block} while it was read: read again")
        return CallAndAccount(_bytes(result), int(nonce, 16), int(balance, 16), _head(header))

    def before_sending(
        self, sender: str, to: str, data: bytes, block: int, gas: int, what: str
    ) -> BeforeSending:
        """A call simulated with a gas limit, and the newest state of its sender, in one request."""
        answers = self._read_batch(
            ("eth_call", (_call(to, data, sender, gas), _tag(block))),
            ("eth_getBlockByNumber", ("latest", False)),
            ("eth_getTransactionCount", (sender, "latest")),
            ("eth_getBalance", (sender, "latest")),
        )
        passes = True
        try:
            self._result(answers[0], what)
        except NodeError:
            passes = False
        header, nonce, balance = (self._result(answer, what) for answer in answers[1:])
        return BeforeSending(passes, _head(header), int(nonce, 16), int(balance, 16))

    def estimate_gas(self, sender: str, to: str, data: bytes, what: str) -> int:
        """Gas of a transaction on the latest block; Reverted when it would fail."""
        tx = {"from": sender, "to": to, "data": "0x" + data.hex()}
        try:
            return int(self._read("eth_estimateGas", tx), 16)
        except NodeError as error:
            _raise_if_revert(error, what)
            raise

    def balance(self, address: str, block: BlockTag = "latest") -> int:
        """Wei."""
        return int(self._read("eth_getBalance", address, _tag(block)), 16)

    def transaction_count(self, address: str, block: BlockTag = "latest") -> int:
        """Nonce that the next transaction of `address` has after `block`."""
        return int(self._read("eth_getTransactionCount", address, _tag(block)), 16)

    def receipt(self, tx_hash: str) -> Receipt | None:
        """None while it is not mined."""
        raw = self._read("eth_getTransactionReceipt", tx_hash)
        return None if raw is None or raw.get("blockNumber") is None else _receipt(raw)

    def code(self, address: str, block: BlockTag = "latest") -> bytes:
        """Code of an account, empty where somebody's key is all there is."""
        return _bytes(self._read("eth_getCode", address, _tag(block)))

    def logs(
        self, address: str, first: int, last: int, topics: Sequence[Sequence[bytes]] = ()
    ) -> list[Log]:
        """What a contract emitted from block to block, both included; of each topic one of those given."""
        terms: dict[str, Any] = {"address": address, "fromBlock": hex(first), "toBlock": hex(last)}
        terms["topics"] = [["0x" + topic.hex() for topic in choice] for choice in topics]
        try:
            found = self._read("eth_getLogs", terms)
        except NodeError:
            # Nodes limit blocks or results of one answer, each in its own words.
            if first >= last:
                raise
            middle = (first + last) // 2
            early = self.logs(address, first, middle, topics)
            return early + self.logs(address, middle + 1, last, topics)
        return [_log(entry) for entry in found]

    def broadcast(self, raw: bytes) -> None:
        """Hands signed bytes to the node, once. Retry or NodeError: the outcome is unknown, not failed."""
        self._request("eth_sendRawTransaction", "0x" + raw.hex())

    def _read(self, method: str, *params: object) -> Any:
        for attempt in stamina.retry_context(
            on=Retry, attempts=self._attempts, timeout=self._retry_budget_s, wait_initial=0.2
        ):
            with attempt:
                return self._request(method, *params)
        raise AssertionError("stamina ends by returning or raising")

    def _read_batch(self, *calls: tuple[str, tuple[object, ...]]) -> list[Any]:
        """One answer to each call: its result, or the node's error. One by one where the node knows no batches."""
        requests = [(RPCEndpoint(method), list(params)) for method, params in calls]
        for attempt in stamina.retry_context(
            on=Retry, attempts=self._attempts, timeout=self._retry_budget_s, wait_initial=0.2
        ):
            with attempt:
                try:
                    answers: Any = self._provider.make_batch_request(requests)
                except ValueError:
                    answers = [self._answer(method, params) for method, params in calls]
                except (OSError, Web3Exception) as error:
                    raise self._no_answer("a batch", error) from None
                return [
                    _node_error(method, answer["error"])
                    if "error" in answer
                    else answer.get("result")
                    for (method, _), answer in zip(calls, answers, strict=True)
                ]
        raise AssertionError("stamina ends by returning or raising")

    def _result(self, answer: Any, what: str) -> Any:
        if isinstance(answer, NodeError):
            _raise_if_revert(answer, what)
            raise answer
        return answer

    def _request(self, method: str, *params: object) -> Any:
        answer = self._answer(method, params)
        if "error" in answer:
            raise _node_error(method, answer["error"])
        return answer.get("result")

    def _answer(self, method: str, params: tuple[object, ...]) -> Any:
        try:
            return self._provider.make_request(RPCEndpoint(method), list(params))
        except (OSError, ValueError, Web3Exception) as error:
            raise self._no_answer(method, error) from None

    def _no_answer(self, method: str, error: Exception) -> Retry:
        return Retry(
            f"no answer from {self.where} to {method} ({type(error).__name__}): "
            f"check that the node runs and the url is right; the call can be repeated"
        )


def _head(raw: Mapping[str, Any]) -> BlockHead:
    return BlockHead(
        number=int(raw["number"], 16),
        hash=str(raw["hash"]),
        timestamp_s=int(raw["timestamp"], 16),
        base_fee_wei=int(raw.get("baseFeePerGas") or "0x0", 16),
    )


def _call(to: str, data: bytes, sender: str | None, gas: int | None) -> dict[str, str]:
    tx = {"to": to, "data": "0x" + data.hex()}
    if sender:
        tx["from"] = sender
    if gas:
        tx["gas"] = hex(gas)
    return tx


def _tag(block: BlockTag) -> str:
    return hex(block) if isinstance(block, int) else block


def _bytes(value: str) -> bytes:
    return bytes.fromhex(value.removeprefix("0x"))


def _node_error(method: str, error: object) -> NodeError:
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


def _raise_if_revert(error: NodeError, what: str) -> None:
    if error.data is not None:
        raise Reverted(what, revert_reason(error.data)) from None
    if error.code == 3 or "revert" in error.message.lower():
        raise Reverted(what, RevertReason("Revert", (("message", error.message),))) from None


def _receipt(raw: Mapping[str, Any]) -> Receipt:
    return Receipt(
        tx_hash=str(raw["transactionHash"]),
        block_number=int(raw["blockNumber"], 16),
        block_hash=str(raw["blockHash"]),
        success=int(raw["status"], 16) == 1,
        gas_used=int(raw["gasUsed"], 16),
        gas_price_wei=int(raw.get("effectiveGasPrice") or "0x0", 16),
        logs=tuple(_log(log) for log in raw["logs"]),
    )


def _log(raw: Mapping[str, Any]) -> Log:
    topics = tuple(_bytes(topic) for topic in raw["topics"])
    return Log(str(raw["address"]), topics, _bytes(raw["data"]))
