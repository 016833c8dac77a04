"""The seams of a tick: a reader, a sender, a clock. In service they are the chain, in tests functions."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from keeper.chain.client import NodeClient
from keeper.execution.records import Job, Outcome, OutcomeKind
from keeper.execution.recovery import Recovery
from keeper.execution.sender import JournaledSender
from keeper.models import Forecast, Snapshot


class ChainReader(Protocol):
    """Where a tick gets its one look at the world."""

    def snapshot(self) -> Snapshot:
        """Everything at one block. Retry or SkipTick when it cannot be had."""
        ...


class TxSender(Protocol):
    """Where a job ends."""

    def reconcile(self) -> Sequence[Outcome]:
        """How the intents stand that were open."""
        ...

    def send(self, job: Job) -> Outcome:
        """Sends, or only simulates; SkipTick when it must not be sent."""
        ...


class Clock(Protocol):
    """Unix seconds."""

    def now(self) -> int:
        """The time that ages and deadlines are measured by."""
        ...


class Forecaster(Protocol):
    """Volatility to come."""

    def forecast(self, snapshot: Snapshot) -> tuple[Forecast, str]:
        """The forecast, and in words where it comes from."""
        ...


class WallClock:
    """The machine's clock."""

    def now(self) -> int:
        """Unix seconds."""
        return int(time.time())


@dataclass(frozen=True, slots=True)
class BlockClock:
    """The chain's own time, for replays: the timestamp of the latest block."""

    node: NodeClient

    def now(self) -> int:
        """Unix seconds."""
        return self.node.head().timestamp_s


@dataclass(frozen=True, slots=True)
class LiveSender:
    """Sends for good; every tick first brings open intents to an end."""

    sender: JournaledSender

    def reconcile(self) -> Sequence[Outcome]:
        """As Recovery."""
        return Recovery(self.sender).reconcile()

    def send(self, job: Job) -> Outcome:
        """As JournaledSender."""
        return self.sender.send(job)


@dataclass(frozen=True, slots=True)
class DryRunSender:
    """Simulates as the keeper would, signs nothing, needs no key."""

    node: NodeClient
    keeper_address: str

    def reconcile(self) -> Sequence[Outcome]:
        """Nothing is ever open."""
        return ()

    def send(self, job: Job) -> Outcome:
        """The simulation at the job's block; Reverted when it fails."""
        self.node.call(job.to, job.data, job.block_number, job.what, self.keeper_address)
        gas = self.node.estimate_gas(self.keeper_address, job.to, job.data, job.what)
        return Outcome(
            OutcomeKind.DRY_RUN,
            f"{job.what} would succeed with {gas} gas",
            job.work_id,
            gas_used=gas,
        )
