"""A node over JSON-RPC. Reads are retried, a broadcast never is; every failure has a type that says how to react."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit

import stamina
from web3.exceptions import Web3Exception
from web3.providers.base import JSONBaseProvider
from web3.types import RPCEndpoint

from keeper.chain.bindings import Log
from keeper.chain.http import LeanProvider
from keeper.chain.node_answers import (
    BeforeSending,
    BlockHead,
    BlockTag,
    CallAndAccount,
    NodeError,
    Receipt,
    Reverted,
    bytes_of,
    call_of,
    head_of,
    log_of,
    node_error,
    raise_if_revert,
    receipt_of,
    tag,
)
from keeper.errors import ConfigError, Halt, Retry

__all__ = [
    "BeforeSending",
    "BlockHead",
    "BlockTag",
    "CallAndAccount",
    "NodeClient",
    "NodeError",
    "Receipt",
    "Reverted",
]


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
        raw = self._read("eth_getBlockByNumber", tag(block), False)
        if raw is None:
            raise Retry(
                f"{self.where} does not have block {block}: it is behind, wait or change it"
            )
        return head_of(raw)

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
            return bytes_of(self._read("eth_call", call_of(to, data, sender, gas), tag(block)))
        except NodeError as error:
            raise_if_revert(error, what)
            raise

    def call_and_account(
        self, to: str, data: bytes, block: int, what: str, who: str
    ) -> CallAndAccount:
        """A call with the nonce and balance of `who`, all at one block, and that block's header, in one request."""
        answers = self._read_batch(
            ("eth_call", (call_of(to, data, None, None), tag(block))),
            ("eth_getTransactionCount", (who, tag(block))),
            ("eth_getBalance", (who, tag(block))),
            ("eth_getBlockByNumber", (tag(block), False)),
        )
        result, nonce, balance, header = (self._result(answer, what) for answer in answers)
        if header is None:
            raise Retry(f"{self.where} lost block {block} while it was read: read again")
        return CallAndAccount(bytes_of(result), int(nonce, 16), int(balance, 16), head_of(header))

    def before_sending(
        self, sender: str, to: str, data: bytes, block: int, gas: int, what: str
    ) -> BeforeSending:
        """A call simulated with a gas limit, and the newest state of its sender, in one request.

        Whether it reverts or runs out of gas cannot be told: deep inside, out of gas is a revert without a reason.
        """
        answers = self._read_batch(
            ("eth_call", (call_of(to, data, sender, gas), tag(block))),
            ("eth_getBlockByNumber", ("latest", False)),
            ("eth_getTransactionCount", (sender, "latest")),
            ("eth_getBalance", (sender, "latest")),
        )
        passes = True
        try:
            self._result(answers[0], what)
        except (NodeError, Reverted):
            passes = False
        header, nonce, balance = (self._result(answer, what) for answer in answers[1:])
        return BeforeSending(passes, head_of(header), int(nonce, 16), int(balance, 16))

    def estimate_gas(self, sender: str, to: str, data: bytes, what: str) -> int:
        """Gas of a transaction on the latest block; Reverted when it would fail."""
        tx = {"from": sender, "to": to, "data": "0x" + data.hex()}
        try:
            return int(self._read("eth_estimateGas", tx), 16)
        except NodeError as error:
            raise_if_revert(error, what)
            raise

    def balance(self, address: str, block: BlockTag = "latest") -> int:
        """Wei."""
        return int(self._read("eth_getBalance", address, tag(block)), 16)

    def transaction_count(self, address: str, block: BlockTag = "latest") -> int:
        """Nonce that the next transaction of `address` has after `block`."""
        return int(self._read("eth_getTransactionCount", address, tag(block)), 16)

    def head_and_count(self, address: str) -> tuple[BlockHead, int]:
        """The newest header, and the nonce that the next transaction of `address` has, in one request."""
        answers = self._read_batch(
            ("eth_getBlockByNumber", ("latest", False)),
            ("eth_getTransactionCount", (address, "latest")),
        )
        header, count = (self._result(answer, "the newest block") for answer in answers)
        return head_of(header), int(count, 16)

    def receipt(self, tx_hash: str) -> Receipt | None:
        """None while it is not mined."""
        raw = self._read("eth_getTransactionReceipt", tx_hash)
        return None if raw is None or raw.get("blockNumber") is None else receipt_of(raw)

    def code(self, address: str, block: BlockTag = "latest") -> bytes:
        """Code of an account, empty where somebody's key is all there is."""
        return bytes_of(self._read("eth_getCode", address, tag(block)))

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
        return [log_of(entry) for entry in found]

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
                    node_error(method, answer["error"])
                    if "error" in answer
                    else answer.get("result")
                    for (method, _), answer in zip(calls, answers, strict=True)
                ]
        raise AssertionError("stamina ends by returning or raising")

    def _result(self, answer: Any, what: str) -> Any:
        if isinstance(answer, NodeError):
            raise_if_revert(answer, what)
            raise answer
        return answer

    def _request(self, method: str, *params: object) -> Any:
        answer = self._answer(method, params)
        if "error" in answer:
            raise node_error(method, answer["error"])
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
