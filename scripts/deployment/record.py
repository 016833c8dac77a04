"""deployments/<chain id>.json: what was deployed where, and the journal that makes it resumable.

The keeper reads the flat part (chain_id, genesis_hash, contracts, external, venues, underlying,
deployed_block) without importing this module; docs/deployment.md describes it.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from keeper.errors import Halt
from scripts.deployment.configuration import faults
from scripts.deployment.rpc import Rpc


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Step(_Model):
    """One transaction. Written as `prepared` before it is sent."""

    kind: Literal["deploy", "call"]
    status: Literal["prepared", "done", "failed"]
    what: str
    digest: str
    sender: str
    nonce: int
    from_block: int
    address: str | None = None
    tx_hash: str | None = None
    block: int | None = None
    gas_used: int | None = None


class Anchor(_Model):
    """Block of the first finished step: tells a restarted chain from the one the record is about."""

    number: int
    hash: str


class VenueEntry(_Model):
    """A registered hedge venue. `kind` is one of keeper.models.VenueKind, `fee` a share of notional."""

    address: str
    kind: str
    fee: float


class DeploymentRecord(_Model):
    """The whole file."""

    format: Literal[1] = 1
    chain_id: int
    genesis_hash: str
    network: str
    development: bool
    deployer: str
    complete: bool = False
    deployed_block: int | None = None
    underlying: int = 1
    contracts: dict[str, str] = Field(default_factory=dict)
    external: dict[str, Any] = Field(default_factory=dict)
    venues: list[VenueEntry] = Field(default_factory=list)
    roles: dict[str, str] = Field(default_factory=dict)
    parameters: dict[str, Any] = Field(default_factory=dict)
    notes: list[str] = Field(default_factory=list)
    anchor: Anchor | None = None
    steps: dict[str, Step] = Field(default_factory=dict)


class RecordFile:
    """A record and its place on disk. Each `save` leaves the old or the new file, never half."""

    def __init__(self, path: Path, record: DeploymentRecord) -> None:
        self.path = path
        self.record = record

    def save(self) -> None:
        """Write, flush to disk, rename, flush the folder."""
        temporary = self.path.with_name(f".{self.path.name}.{os.getpid()}")
        with temporary.open("w", encoding="utf-8") as handle:
            handle.write(self.record.model_dump_json(indent=1) + "\n")
            handle.flush()
            os.fsync(handle.fileno())
        temporary.replace(self.path)
        folder = os.open(self.path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


def read_record(path: Path) -> DeploymentRecord:
    """Load and validate a record. Raises Halt with what to do."""
    try:
        return DeploymentRecord.model_validate_json(path.read_bytes())
    except FileNotFoundError:
        raise Halt(f"{path} does not exist: deploy first (scripts/deploy.py)") from None
    except ValidationError as error:
        raise Halt(
            f"{path} is not a deployment record ({'; '.join(faults(error))}): restore it, or move "
            f"it aside to deploy afresh"
        ) from None


@contextmanager
def open_record(
    folder: Path, rpc: Rpc, network: str, development: bool, deployer: str
) -> Iterator[RecordFile]:
    """The record of the connected chain, new or to be resumed, locked against a second run.

    A record of another chain with the same id is moved aside on a development chain and refused
    elsewhere.
    """
    chain_id = rpc.number("eth_chainId")
    genesis = _genesis_hash(rpc)
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{chain_id}.json"
    with (folder / f".{chain_id}.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Halt(f"another deployment is writing {path}: wait for it to end") from None
        record = _resumable(path, rpc, genesis, development, deployer) if path.exists() else None
        if record is None:
            record = DeploymentRecord(
                chain_id=chain_id,
                genesis_hash=genesis,
                network=network,
                development=development,
                deployer=deployer,
            )
        yield RecordFile(path, record)


def _resumable(
    path: Path, rpc: Rpc, genesis: str, development: bool, deployer: str
) -> DeploymentRecord | None:
    try:
        record = read_record(path)
    except Halt:
        if not development:
            raise
        _move_aside(path)
        return None
    if record.genesis_hash != genesis or not _anchored(record, rpc):
        if development:
            _move_aside(path)
            return None
        if record.genesis_hash != genesis:
            raise Halt(
                f"{path} is about a chain with genesis {record.genesis_hash}, {rpc.where} has {genesis}: "
                f"connect to the right node, or move the file aside to deploy afresh"
            )
    if record.deployer != deployer:
        if development and not record.steps:
            return None
        raise Halt(
            f"{path} was begun by {record.deployer}, you are {deployer}: resume with that account, "
            f"or move the file aside to deploy afresh"
        )
    return record


def _move_aside(path: Path) -> None:
    path.replace(path.with_name(f".{path.stem}.previous.json"))


def _anchored(record: DeploymentRecord, rpc: Rpc) -> bool:
    """Whether the first step's block is still on this chain."""
    if record.anchor is None:
        return True
    block = rpc.block(record.anchor.number)
    return block is not None and block["hash"] == record.anchor.hash


def _genesis_hash(rpc: Rpc) -> str:
    block = rpc.block(0)
    if block is None:
        raise Halt(f"{rpc.where} does not know its first block: use a node with full headers")
    return str(block["hash"])
