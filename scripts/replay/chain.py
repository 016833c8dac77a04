"""The replay's grip on its own node: time, base fee, transactions of the actors. anvil and Ganache differ here only."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from web3 import Web3
from web3.providers.rpc import HTTPProvider

from keeper.chain.bindings import Log, binding, revert_reason
from keeper.chain.client import NodeClient, Receipt
from keeper.errors import GammadeskError, Halt
from scripts.deployment import abi as codec
from scripts.deployment.artifacts import own
from scripts.deployment.rpc import Rpc, RpcError
from scripts.nodes import Node

ACTOR_GAS = 60_000_000
ACTOR_TIP_WEI = 10**9
KEEPER_TIP_WEI = 10**9
TIMEOUT_S = 60.0
POLL_S = 0.002


class ReplayFailure(GammadeskError):
    """The replay cannot go on, or a check of it failed; the message says where and why."""


@dataclass(frozen=True, slots=True)
class Target:
    """A contract: its address and ABI."""

    name: str
    address: str
    abi: codec.Abi = field(repr=False)

    @staticmethod
    def own(name: str, address: str) -> Target:
        """One of the project's contracts."""
        return Target(name, address, own(name).abi)


@dataclass(frozen=True, slots=True)
class Mined:
    """A mined transaction of an actor."""

    timestamp_s: int
    gas_used: int
    logs: tuple[Log, ...] = field(repr=False)


class ReplayChain:
    """One local node whose clock and base fee belong to the replay. `failed` lists transactions that reverted."""

    def __init__(self, node: Node) -> None:
        provider = HTTPProvider(
            node.url, request_kwargs={"timeout": TIMEOUT_S}, exception_retry_configuration=None
        )
        self.web3 = Web3(provider)
        self.url = node.url
        self.kind = node.settings.kind
        self.rpc = Rpc(self.web3)
        self.client = NodeClient(provider, node.url)
        self.failed: list[str] = []
        self._accounts: list[str] = [Web3.to_checksum_address(a) for a in self.rpc("eth_accounts")]
        self.base_fee_wei = 0

    @property
    def sets_base_fee(self) -> bool:
        """Whether the node takes the base fee of the model; Ganache has none to set."""
        return self.kind == "anvil"

    def gas_price_wei(self, paid: int) -> int:
        """What was paid for a unit of gas; where the node knows no base fee, what the model says."""
        return paid if self.sets_base_fee else self.base_fee_wei + KEEPER_TIP_WEI

    def account(self, index: int) -> str:
        """An unlocked account of the node."""
        return self._accounts[index]

    def now_s(self) -> int:
        """Time of the latest block: the only clock of a replay."""
        return self.client.head().timestamp_s

    def steady_clock(self) -> None:
        """From here on blocks are a second apart whatever the wall clock does: a slow machine replays the same."""
        if self.kind == "anvil":
            self.rpc("anvil_setBlockTimestampInterval", 1)

    def next_block_at(self, time_s: int) -> None:
        """The next block gets this time; later ones follow from there."""
        if self.kind == "anvil":
            self.rpc("evm_setNextBlockTimestamp", time_s)
        else:
            self.rpc("evm_setTime", time_s * 1000)

    def pass_until(self, time_s: int) -> None:
        """An empty block at this time."""
        self.next_block_at(time_s)
        self.rpc("evm_mine")

    def set_base_fee(self, wei: int) -> None:
        """Base fee of every block from here on, until it is set again."""
        self.base_fee_wei = wei
        self.pin_base_fee()

    def pin_base_fee(self) -> None:
        """Hold the next block at the hour's base fee; by itself it would fall by an eighth with each empty block."""
        if self.base_fee_wei and self.sets_base_fee:
            self.rpc("anvil_setNextBlockBaseFeePerGas", hex(self.base_fee_wei))

    def send(self, account: str, target: Target, function: str, *args: Any) -> Mined:
        """Mine a call of an actor. Raises ReplayFailure with the contract's reason where it reverts."""
        data = codec.encode_call(target.abi, function, args)
        fields = {
            "from": account,
            "to": target.address,
            "data": "0x" + data.hex(),
            "gas": hex(ACTOR_GAS),
        }
        fee = 4 * max(self.client.head().base_fee_wei, self.base_fee_wei) + ACTOR_TIP_WEI
        fees = {"maxFeePerGas": hex(fee), "maxPriorityFeePerGas": hex(ACTOR_TIP_WEI)}
        self.pin_base_fee()
        try:
            sent = self.rpc("eth_sendTransaction", fields | fees)
        except RpcError as error:
            raise self._failure(target, function, error) from None
        receipt = self._mined(sent, f"{target.name}.{function}")
        if not receipt.success:
            raise self._failure(target, function, self._why(fields, receipt.block_number))
        return Mined(
            self.client.head(receipt.block_number).timestamp_s, receipt.gas_used, receipt.logs
        )

    def read(self, target: Target, function: str, *args: Any) -> Any:
        """A view on the latest block: its value, or a tuple of several. Raises ReplayFailure where it reverts."""
        data = codec.encode_call(target.abi, function, args)
        try:
            raw = self.rpc("eth_call", {"to": target.address, "data": "0x" + data.hex()}, "latest")
        except RpcError as error:
            raise ReplayFailure(f"{target.name}.{function}: {_explain(error)}") from None
        return codec.decode_result(target.abi, function, len(args), bytes.fromhex(raw[2:]))

    def _mined(self, tx_hash: str, what: str) -> Receipt:
        """The node answers a send before it has run a long transaction."""
        deadline = time.monotonic() + TIMEOUT_S
        while time.monotonic() < deadline:
            receipt = self.client.receipt(tx_hash)
            if receipt is not None:
                return receipt
            time.sleep(POLL_S)
        raise Halt(
            f"{what} was not mined in {TIMEOUT_S:.0f} s: the node hangs, or does not mine by itself"
        )

    def _why(self, fields: dict[str, str], block: int) -> RpcError:
        """Run a reverted call again on the block before it to learn its reason."""
        try:
            self.rpc("eth_call", fields, hex(block - 1))
        except RpcError as error:
            return error
        return RpcError("eth_call", "no reason: it succeeds on the block before", b"")

    def _failure(self, target: Target, function: str, error: RpcError) -> ReplayFailure:
        what = f"{target.name}.{function} reverted: {_explain(error)}"
        self.failed.append(what)
        return ReplayFailure(what)


def _explain(error: RpcError) -> str:
    return str(revert_reason(error.data)) if error.data else error.message


def events(target: Target, event: str, logs: Sequence[Log]) -> list[dict[str, Any]]:
    """Arguments of each such event that the contract emitted, in order."""
    codec_of = binding(target.name)
    found = (codec_of.find_event(event, [log], target.address) for log in logs)
    return [arguments for arguments in found if arguments is not None]
