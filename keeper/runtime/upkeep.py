"""Chores one after the other, through the same journal and sender as a rebalance: one work id an intent."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import structlog

from keeper.chain.client import BlockHead, NodeClient
from keeper.errors import GammadeskError, Halt, SkipTick
from keeper.execution.records import Job, Outcome, OutcomeKind
from keeper.runtime.alerts import Alerts
from keeper.runtime.chores import Chore, ChoreFinder
from keeper.runtime.codec import digest, to_json
from keeper.runtime.metrics import Metrics
from keeper.runtime.ports import Clock, TxSender

DEADLINE_S = 600
_OPEN = (OutcomeKind.UNRESOLVED,)


@dataclass(frozen=True, slots=True)
class Done:
    """A chore and how it ended."""

    chore: Chore
    outcome: Outcome


@dataclass(frozen=True, slots=True)
class Upkeep:
    """At most `most_sends` transactions a run; a chore that fails is not tried again before the next run."""

    node: NodeClient
    finder: ChoreFinder
    sender: TxSender
    clock: Clock
    chain: str
    most_sends: int

    def run(self) -> list[Done]:
        """Does what is due. Nothing while an intent of the key is open: a hedge goes first."""
        if any(outcome.kind in _OPEN for outcome in self.sender.reconcile()):
            return []
        done: list[Done] = []
        while len(done) < self.most_sends:
            head = self.node.head()
            chore = self._next(head, {one.chore for one in done})
            if chore is None:
                break
            outcome = self._send(chore, head)
            done.append(Done(chore, outcome))
            if outcome.kind in _OPEN:
                break
        return done

    def _next(self, head: BlockHead, tried: set[Chore]) -> Chore | None:
        return next((chore for chore in self.finder.due(head) if chore not in tried), None)

    def _send(self, chore: Chore, head: BlockHead) -> Outcome:
        try:
            return self.sender.send(self._job(chore, head))
        except SkipTick as error:
            return Outcome(OutcomeKind.DENIED, str(error))

    def _job(self, chore: Chore, head: BlockHead) -> Job:
        to = self.finder.deployment.address(chore.contract)
        arguments = to_json(chore.arguments)
        key = f"chore:{chore.function}:{self.finder.deployment.underlying}:{to.lower()}"
        return Job(
            work_id=digest([self.chain, key, head.hash, arguments]),
            key=key,
            what=f"{chore.contract}.{chore.function}",
            to=to,
            data=chore.data,
            block_number=head.number,
            deadline_s=max(self.clock.now(), head.timestamp_s) + DEADLINE_S,
            snapshot_hash=digest([head.hash]),
            plan=to_json({"why": chore.why}),
            orders=arguments,
        )


@dataclass(frozen=True, slots=True)
class UpkeepService:
    """A run with its logs, figures and alerts. A Halt is for the caller to stop at."""

    run_once: Callable[[], list[Done]]
    metrics: Metrics
    alerts: Alerts

    def run(self) -> list[Done]:
        """One run; what it raises has been logged and counted."""
        log = structlog.get_logger("upkeep")
        try:
            done = self.run_once()
        except GammadeskError as error:
            self.metrics.errors.labels(type(error).__name__).inc()
            log.error("upkeep failed", error=type(error).__name__, reason=str(error))
            if isinstance(error, Halt):
                self.alerts.send("Gammadesk keeper halted", str(error))
            raise
        for one in done:
            self.metrics.observe_chore(one.chore.function, one.outcome)
            log.info("chore", **summary(one))
        failed = [one for one in done if one.outcome.kind not in _GOOD]
        if failed:
            text = "; ".join(f"{o.chore.function}: {o.outcome.detail}" for o in failed)
            self.alerts.send("Gammadesk keeper: upkeep not done", text)
        return done


_GOOD = (OutcomeKind.DRY_RUN, OutcomeKind.MINED_SUCCESS)


def summary(done: Done) -> dict[str, object]:
    """A chore in one line of figures."""
    chore, outcome = done.chore, done.outcome
    return {
        "chore": f"{chore.contract}.{chore.function}",
        "why": chore.why,
        "outcome": outcome.kind.value,
        "detail": outcome.detail,
        "gas": outcome.gas_used,
        "tx": outcome.tx_hash,
    }
