"""What runs the steps of a deployment: one transaction a step, known by its name.

The components describe their steps against the protocol `Runner` and never send anything themselves, so that
the deployment can be killed at any transaction and go on. `DirectRunner` is the plain implementation for tests.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from web3 import Web3
from web3.types import TxReceipt

from scripts.components import node
from scripts.deployment import abi as codec
from scripts.deployment.artifacts import Artifact


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
            receipt = self._run(name, None, artifact.creation_code(args, libraries))
            self._addresses[name] = str(receipt["contractAddress"])
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
        if name not in self.gas_used:
            self._run(name, address, codec.encode_call(abi, function, args), value)

    def read(self, address: str, abi: codec.Abi, function: str, args: Sequence[Any] = ()) -> Any:
        """Result of a view, at the latest block. Raises Halt where it reverts."""
        return node.read(self.web3, address, abi, function, args)

    def _run(self, name: str, address: str | None, data: bytes, value: int = 0) -> TxReceipt:
        receipt = node.transact(self.web3, self.account, f"step {name}", address, data, value)
        self.gas_used[name] = receipt["gasUsed"]
        return receipt
