"""A node in the process, behind web3's own provider interface: blocks, a pool of transactions, and faults on order."""

# ruff: noqa: N802 - methods carry the names of the JSON-RPC interface

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from eth_account import Account
from eth_account.typed_transactions import TypedTransaction
from eth_utils.crypto import keccak
from hexbytes import HexBytes
from web3.providers.base import JSONBaseProvider

from keeper.units import GWEI, WAD

CHAIN_ID = 31_337


class Killed(BaseException):
    """The process dies here."""


class RpcFault(Exception):
    """The node answers with this error."""

    def __init__(self, message: str, code: int = -32000, data: Any = None) -> None:
        super().__init__(message)
        self.error = {"code": code, "message": message} | ({} if data is None else {"data": data})


@dataclass
class Tx:
    hash: str
    sender: str
    nonce: int
    fields: dict[str, Any]

    @property
    def max_fee(self) -> int:
        return self.fields["maxFeePerGas"]

    @property
    def priority(self) -> int:
        return self.fields["maxPriorityFeePerGas"]


@dataclass
class Block:
    number: int
    hash: str
    timestamp: int
    base_fee: int
    txs: list[Tx] = field(default_factory=list)


def pseudo_hash(*parts: object) -> str:
    return "0x" + hashlib.sha256(repr(parts).encode()).hexdigest()


class FakeNode(JSONBaseProvider):
    """`before` and `after` map a method to what happens before, or after, it took effect."""

    def __init__(self, base_fee: int = 20 * GWEI, timestamp: int = 1_584_014_400) -> None:
        super().__init__()
        self.blocks = [Block(0, pseudo_hash("genesis"), timestamp, base_fee)]
        self.pool: dict[str, Tx] = {}
        self.automine = True
        self.fork = 0
        self.balance = 10 * WAD
        self.gas = 500_000
        self.on_call: Callable[[dict[str, Any], int], bytes] = lambda _tx, _block: b""
        self.fails: set[int] = set()
        self.before: dict[str, BaseException] = {}
        self.after: dict[str, BaseException] = {}
        self.log: list[str] = []
        self.received: list[Tx] = []
        self.lag = 0

    # ------------------------------------------------------------ web3's side

    def make_request(self, method: str, params: Any) -> Any:
        self.log.append(method)
        if method in self.before:
            raise self.before[method]
        try:
            result = getattr(self, method)(*params)
        except RpcFault as fault:
            return {"jsonrpc": "2.0", "id": 1, "error": fault.error}
        if method in self.after:
            raise self.after[method]
        return {"jsonrpc": "2.0", "id": 1, "result": result}

    def make_batch_request(self, requests: Any) -> Any:
        return [self.make_request(method, params) for method, params in requests]

    def eth_chainId(self) -> str:
        return hex(CHAIN_ID)

    def eth_getBlockByNumber(self, tag: str, _full: bool) -> Any:
        number = self._number(tag)
        if number >= len(self.blocks):
            return None
        block = self.blocks[number]
        return {
            "number": hex(block.number),
            "hash": block.hash,
            "timestamp": hex(block.timestamp),
            "baseFeePerGas": hex(block.base_fee),
        }

    def eth_call(self, tx: dict[str, Any], tag: str) -> str:
        return "0x" + self.on_call(tx, self._number(tag)).hex()

    def eth_estimateGas(self, tx: dict[str, Any]) -> str:
        self.on_call(tx, self.head.number)
        return hex(self.gas)

    def eth_getBalance(self, _address: str, _tag: str) -> str:
        return hex(self.balance)

    def eth_getTransactionCount(self, address: str, tag: str) -> str:
        until = self._number(tag) - (self.lag if tag == "latest" else 0)
        return hex(self.count(address, until))

    def eth_getTransactionReceipt(self, tx_hash: str) -> Any:
        for block in self.blocks:
            for tx in block.txs:
                if tx.hash == tx_hash:
                    return self._receipt(block, tx)
        return None

    def eth_sendRawTransaction(self, raw: str) -> str:
        tx = decode(raw)
        self.received.append(tx)
        if tx.hash in self.pool:
            raise RpcFault("already known")
        if tx.nonce < self.count(tx.sender, self.head.number):
            raise RpcFault("nonce too low")
        rival = next((t for t in self.pool.values() if self._rivals(t, tx)), None)
        if rival is not None:
            if tx.max_fee * 8 < rival.max_fee * 9 or tx.priority * 8 < rival.priority * 9:
                raise RpcFault("replacement transaction underpriced")
            del self.pool[rival.hash]
        self.pool[tx.hash] = tx
        if self.automine:
            self.mine()
        return tx.hash

    # ------------------------------------------------------------ the test's side

    @property
    def head(self) -> Block:
        return self.blocks[-1]

    def count(self, address: str, until: int) -> int:
        """Transactions of `address` in the blocks up to `until`."""
        mined = [tx for block in self.blocks[: until + 1] for tx in block.txs]
        return sum(tx.sender.lower() == address.lower() for tx in mined)

    def mine(self, seconds: int = 12, base_fee: int | None = None) -> Block:
        """A block with whatever is next by nonce and pays the base fee."""
        number = self.head.number + 1
        fee = self.head.base_fee if base_fee is None else base_fee
        block = Block(number, pseudo_hash(self.fork, number), self.head.timestamp + seconds, fee)
        self.blocks.append(block)
        for tx in sorted(self.pool.values(), key=lambda t: t.nonce):
            if tx.nonce == self.count(tx.sender, number) and tx.max_fee >= fee:
                block.txs.append(tx)
                del self.pool[tx.hash]
        return block

    def reorg(self, depth: int, keep: bool) -> None:
        """Takes the last blocks back; their transactions return to the pool, or are forgotten."""
        taken, self.blocks = self.blocks[-depth:], self.blocks[:-depth]
        self.fork += 1
        if keep:
            self.pool |= {tx.hash: tx for block in taken for tx in block.txs}

    def drop_pool(self) -> None:
        """What waits is forgotten."""
        self.pool.clear()

    def mined(self) -> list[Tx]:
        """Every mined transaction, in order."""
        return [tx for block in self.blocks for tx in block.txs]

    def _number(self, tag: str) -> int:
        return self.head.number if tag in ("latest", "pending") else int(tag, 16)

    @staticmethod
    def _rivals(one: Tx, other: Tx) -> bool:
        return (one.sender, one.nonce) == (other.sender, other.nonce)

    def _receipt(self, block: Block, tx: Tx) -> dict[str, Any]:
        return {
            "transactionHash": tx.hash,
            "blockNumber": hex(block.number),
            "blockHash": block.hash,
            "status": "0x0" if tx.nonce in self.fails else "0x1",
            "gasUsed": hex(21_000 if not tx.fields["data"] else self.gas),
            "effectiveGasPrice": hex(min(tx.max_fee, block.base_fee + tx.priority)),
            "logs": [],
        }


def decode(raw: str) -> Tx:
    """Signed bytes as the network understands them."""
    data = HexBytes(raw)
    fields = TypedTransaction.from_bytes(data).as_dict()
    return Tx(
        hash="0x" + keccak(bytes(data)).hex(),
        sender=Account.recover_transaction(data),
        nonce=fields["nonce"],
        fields=dict(fields),
    )
