"""A tick with everything around it: logs, figures, alerts, and what each kind of error means for the next tick."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import structlog

from keeper.errors import GammadeskError, Halt
from keeper.execution.records import OutcomeKind
from keeper.runtime.alerts import Alerts
from keeper.runtime.metrics import Metrics
from keeper.runtime.tick_records import TickResult

_ALARMING = (
    OutcomeKind.DENIED,
    OutcomeKind.MINED_REVERTED,
    OutcomeKind.REPLACED,
    OutcomeKind.UNRESOLVED,
)


@dataclass(slots=True)
class Service:
    """Runs ticks one at a time. After a Halt it refuses to run again: a person must look first."""

    tick: Callable[[], TickResult]
    metrics: Metrics
    alerts: Alerts
    halted: Halt | None = field(default=None, init=False)
    _last: OutcomeKind | None = field(default=None, init=False)
    _margin_step: int = field(default=0, init=False)

    def run(self) -> TickResult:
        """One tick; every error is logged, counted and raised again."""
        if self.halted is not None:
            raise self.halted
        log = structlog.get_logger("tick")
        try:
            result = self.tick()
        except Halt as error:
            self.halted = error
            self._failed(error)
            self.alerts.send("Gammadesk keeper halted", str(error))
            raise
        except GammadeskError as error:
            self._failed(error)
            raise
        except Exception as error:
            self._failed(error)
            self.alerts.send(
                "Gammadesk keeper: unexpected error", f"{type(error).__name__}: {error}"
            )
            raise
        self.metrics.observe(result)
        log.info("tick", **summary(result))
        for warning in result.verdict.warnings:
            log.warning("guard", warning=warning)
        self._tell(result)
        self._tell_margin(result)
        return result

    def _failed(self, error: Exception) -> None:
        self.metrics.errors.labels(type(error).__name__).inc()
        structlog.get_logger("tick").error(
            "tick failed", error=type(error).__name__, reason=str(error)
        )

    def _tell(self, result: TickResult) -> None:
        """Each recovered intent, and the tick's own outcome when it is of another kind than the last one."""
        news = [*result.recovered]
        if result.outcome.kind is not self._last:
            news.append(result.outcome)
        self._last = result.outcome.kind
        for outcome in news:
            if outcome.kind in _ALARMING:
                self.alerts.send(f"Gammadesk keeper: {outcome.kind.value}", outcome.detail)

    def _tell_margin(self, result: TickResult) -> None:
        """When the margin ladder is climbed higher than at the last tick."""
        ladder, before = result.ladder, self._margin_step
        self._margin_step = ladder.highest
        if ladder.highest > before:
            last = ladder.actions[-1]
            self.alerts.send(f"Gammadesk keeper: margin, {last.step.value}", last.reason)


def summary(result: TickResult) -> dict[str, object]:
    """A tick in one line of figures."""
    snapshot, outcome = result.inputs.snapshot, result.outcome
    figures: dict[str, object] = {
        "block": snapshot.block_number,
        "spot_usd": round(snapshot.spot_usd, 2),
        "delta_chain_eth": round(snapshot.chain_delta_eth, 6),
        "delta_own_eth": round(result.inputs.book.delta_eth, 6),
        "plan_eth": round(result.plan.trade_eth, 6),
        "outcome": outcome.kind.value,
        "detail": outcome.detail or result.plan.reason,
        "decision": result.decision_id,
    }
    if outcome.work_id:
        figures |= {"work_id": outcome.work_id, "tx": outcome.tx_hash, "gas": outcome.gas_used}
    if result.recovered:
        figures["recovered"] = [f"{o.kind.value} {o.work_id}: {o.detail}" for o in result.recovered]
    return figures
