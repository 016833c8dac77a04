"""What runs the steps of a deployment: one transaction a step, known by its name.

The components describe their steps against the protocol `Runner` and never send anything themselves, so that
the deployment can be killed at any transaction and go on. `DirectRunner` is the plain implementation for tests.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, cast

from eth_typing import HexStr
from web3 import Web3
from web3.types import TxParams

from keeper.errors import Halt
from scripts.deployment import abi as codec
from scripts.deployment.artifacts import Artifact

POLL_S = 0.005


class Runner(Protocol):
    """Runs named steps, each once however often it is asked for; arguments of a name must not change."""

    def deploy(
        self,
        name: str,
        artifact: Artifact,
        args: Sequence[Any] = (),
        libraries: Mapping[str, str] | None = None,
    ) -> str:
        """Address of the contract created by the step `name`, now or before."""
        ...

    def call(
        self,
        name: str,
        address: str,
        abi: codec.Abi,
        function: str,
        args: Sequence[Any] = (),
        value: int = 0,
    ) -> None:
        """Send one transaction to a contract, unless the step is done. `value` in wei."""
        ...

    def read(self, address: str, abi: codec.Abi, function: str, args: Sequence[Any] = ()) -> Any:
        """Result of a view; a tuple where it returns several values."""
        ...


@dataclass
class DirectRunner:
    """Sends each step at once from an account that the node itself can sign for; remembers only in memory.

    `gas_used` is the gas of each step by name.
    """

    web3: Web3
    account: str
    gas_used: dict[str, int] = field(default_factory=dict)
    _addresses: dict[str, str] = field(default_factory=dict)

    def deploy(
        self,
        name: str,
        artifact: Artifact,
        args: Sequence[Any] = (),
        libraries: Mapping[str, str] | None = None,
    ) -> str:
        """Address of the new contract. Raises Halt where creation reverts."""
        if name not in self._addresses:
            code = artifact.creation_code(args, libraries)
            self._addresses[name] = self._send(name, {"data": HexStr("0x" + code.hex())})
        return self._addresses[name]

    def call(
        self,
        name: str,
        address: str,
        abi: codec.Abi,
        function: str,
        args: Sequence[Any] = (),
        value: int = 0,
    ) -> None:
        """Send the call. Raises Halt where it reverts."""
        if name in self.gas_used:
            return
        data = codec.encode_call(abi, function, args)
        self._send(name, {"to": address, "data": "0x" + data.hex(), "value": value})

    def read(self, address: str, abi: codec.Abi, function: str, args: Sequence[Any] = ()) -> Any:
        """Result of a view, at the latest block."""
        data = codec.encode_call(abi, function, args)
        result = self.web3.eth.call(
            {"to": Web3.to_checksum_address(address), "data": HexStr("0x" + data.hex())}
        )
        return codec.decode_result(abi, function, len(args), bytes(result))

    def _send(self, name: str, fields: dict[str, Any]) -> str:
        sent = self.web3.eth.send_transaction(cast(TxParams, {"from": self.account, **fields}))
        receipt = self.web3.eth.wait_for_transaction_receipt(sent, poll_latency=POLL_S)
        if receipt["status"] != 1:
            raise Halt(f"step {name} reverted in transaction {receipt['transactionHash'].hex()}")
        self.gas_used[name] = receipt["gasUsed"]
        return str(receipt["contractAddress"])
