"""Runs named steps so that each happens once, whenever the process dies and is started again.

A step is written down with sender, nonce and expected address (and hash, where this process
signs) before its transaction is sent. While its fate is open its nonce is never given up, so a
second send is either the same transaction or is refused. A step of unknown fate is looked up on
the chain by hash, or by its nonce.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from eth_utils import to_checksum_address

from scripts.deployment import abi as codec
from scripts.deployment.artifacts import Artifact
from scripts.deployment.delivery import (
    Delivery,
    DeploymentError,
    Intent,
    Receipt,
    create_address,
    read_contract,
)
from scripts.deployment.record import Anchor, RecordFile, Step
from scripts.deployment.rpc import Rpc
from scripts.deployment.senders import Sender


class StepRunner:
    """Deploys and calls by name. Names are unique; a name that is done is not done again.

    Arguments must be the same on every run: no times or prices read from the chain.
    """

    def __init__(
        self,
        rpc: Rpc,
        sender: Sender,
        records: RecordFile,
        *,
        confirmations: int = 1,
        timeout_s: float = 300.0,
        say: Callable[[str], None] = print,
    ) -> None:
        self.rpc = rpc
        self.records = records
        self.sender = sender.address
        self._signer = sender
        self._delivery = Delivery(rpc, sender, confirmations, timeout_s)
        self._say = say
        self._mined_before = rpc.nonce(sender.address)
        self._names: set[str] = set()

    def deploy(
        self,
        name: str,
        artifact: Artifact | Mapping[str, Any],
        args: Sequence[Any] = (),
        libraries: Mapping[str, str] | None = None,
    ) -> str:
        """Address of the contract, created now or by an earlier run."""
        compiled = Artifact.of(artifact)
        code = compiled.creation_code(args, libraries)
        step = self._execute(name, Intent(f"new {compiled.name}", None, code, 0, compiled.abi))
        assert step.address is not None
        return step.address

    def call(
        self,
        name: str,
        address: str,
        abi: codec.Abi,
        function: str,
        args: Sequence[Any] = (),
        value: int = 0,
    ) -> None:
        """Send one transaction to a contract, unless an earlier run did."""
        data = codec.encode_call(abi, function, args)
        what = f"{function} on {address}"
        self._execute(name, Intent(what, to_checksum_address(address), data, value, abi))

    def read(self, address: str, abi: codec.Abi, function: str, args: Sequence[Any] = ()) -> Any:
        """Result of a view. Raises DeploymentError where it reverts or answers with something else."""
        return read_contract(self.rpc, address, abi, function, args)

    def _execute(self, name: str, intent: Intent) -> Step:
        if name in self._names:
            raise DeploymentError(f"two steps are named {name}: give each its own name")
        self._names.add(name)
        step = self.records.record.steps.get(name)
        if step is not None and step.status != "failed":
            self._same(name, step, intent)
            if step.status == "done" and self._stands(name, step):
                return step
            receipt = self._delivery.find(step, intent)
            if receipt is not None:
                return self._finish(name, step, intent, receipt)
        self._none_open_but(name)
        step, transaction, raw = self._prepare(name, intent, step)
        return self._finish(
            name, step, intent, self._delivery.send(name, step, intent, transaction, raw)
        )

    def _same(self, name: str, step: Step, intent: Intent) -> None:
        if step.digest != intent.digest:
            raise DeploymentError(
                f"step {name} is recorded with other bytecode or arguments ({step.digest[:12]}, now "
                f"{intent.digest[:12]}): contracts or parameters changed since this deployment began. Restore "
                f"them to finish it, or move {self.records.path} aside to deploy afresh"
            )

    def _stands(self, name: str, step: Step) -> bool:
        """Whether a finished step is still on the chain; a reorganisation can undo it."""
        if step.nonce >= self._mined_before:
            return False
        if step.address is not None and not self.rpc.code(step.address):
            raise DeploymentError(
                f"step {name} is done but {step.address} has no code: {self.rpc.where} is not the chain of "
                f"{self.records.path}; connect to that one, or move the file aside to deploy afresh"
            )
        return True

    def _none_open_but(self, name: str) -> None:
        for other, step in self.records.record.steps.items():
            if other != name and step.status == "prepared":
                raise DeploymentError(
                    f"step {other} is unfinished but the next step is {name}: the order of steps changed. "
                    f"Resume with the version that began, or move {self.records.path} aside to deploy afresh"
                )

    def _prepare(
        self, name: str, intent: Intent, earlier: Step | None
    ) -> tuple[Step, dict[str, Any], str | None]:
        """Write the step down. An unresolved attempt keeps its nonce unless something else used it up."""
        gas = self._delivery.estimate(name, intent)
        nonce = self.rpc.nonce(self.sender, "pending")
        from_block = self.rpc.number("eth_blockNumber")
        if (
            earlier is not None
            and earlier.status != "failed"
            and self.rpc.nonce(self.sender) <= earlier.nonce
        ):
            nonce, from_block = earlier.nonce, min(from_block, earlier.from_block)
        step = Step(
            kind="call" if intent.to else "deploy",
            status="prepared",
            what=intent.what,
            digest=intent.digest,
            sender=self.sender,
            nonce=nonce,
            from_block=from_block,
            address=None if intent.to else create_address(self.sender, nonce),
        )
        transaction = self._delivery.complete(intent, nonce, gas)
        signed = self._signer.sign(transaction)
        step.tx_hash = signed.tx_hash if signed else None
        self.records.record.steps[name] = step
        self.records.save()
        return step, transaction, signed.raw if signed else None

    def _finish(self, name: str, step: Step, intent: Intent, receipt: Receipt) -> Step:
        step.block, step.gas_used = int(receipt["blockNumber"], 16), int(receipt["gasUsed"], 16)
        if int(receipt["status"], 16) != 1:
            step.status = "failed"
            self.records.save()
            raise DeploymentError(
                f"step {name} ({intent.what}) reverted in transaction {step.tx_hash}: remove the cause and run "
                f"the same command again; it is tried afresh"
            )
        if (
            step.address is not None
            and to_checksum_address(receipt["contractAddress"]) != step.address
        ):
            raise DeploymentError(
                f"step {name} created {receipt['contractAddress']}, expected {step.address}"
            )
        step.status = "done"
        record = self.records.record
        if record.anchor is None:
            record.anchor = Anchor(number=step.block, hash=receipt["blockHash"])
        self.records.save()
        self._say(f"{name}: {intent.what}, block {step.block}, {step.gas_used:,} gas")
        return step
