"""Gamma hedged ahead of a storm: the overlay of option trades with a gamma range that narrows while a warning stands.

A band can only bound the delta that a price gap finds open; half of gamma times the gap's square is lost whatever the
band. So the desk's own range of gamma shrinks by the factor of keeper.policies.alarm, and is never widened.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from keeper.models import Book, Costs, Forecast, Snapshot
from keeper.policies.alarm import AlarmParameters, aversion_factor
from keeper.policies.overlay import GammaVegaOverlay, OverlayPlan
from keeper.policies.overlay_quotes import Range


@dataclass(frozen=True, slots=True)
class PredictiveGamma:
    """A gamma and vega overlay whose gamma range narrows before a storm and is the desk's own otherwise."""

    overlay: GammaVegaOverlay
    parameters: AlarmParameters = field(default_factory=AlarmParameters)
    name: str = "predictive_gamma"

    def decide(
        self, snapshot: Snapshot, book: Book, forecast: Forecast, costs: Costs
    ) -> OverlayPlan:
        """As the overlay's plan; diagnostics hold `alarm_factor`."""
        factor = max(1.0, aversion_factor(forecast.stress, self.parameters))
        limits = self.overlay.limits
        narrowed = replace(limits, gamma=_narrowed(limits.gamma, factor))
        plan = replace(self.overlay, limits=narrowed).decide(snapshot, book, forecast, costs)
        return replace(plan, diagnostics={**plan.diagnostics, "alarm_factor": factor})


def _narrowed(desk: Range, factor: float) -> Range:
    """Each end nearer to 0; an end on the other side of 0, which asks for gamma, stays."""
    return Range(
        low=desk.low / factor if desk.low < 0.0 else desk.low,
        high=desk.high / factor if desk.high > 0.0 else desk.high,
    )
