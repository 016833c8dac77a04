"""What a warning changes: how much a desk minds being off its delta, and how much gamma it wants to carry into a storm.

A price gap costs half its square times gamma whatever the band, and its size times the deviation that the band let
stand; it triggers one trade, where the same variance spread over the day triggers many. So gaps add to the risk of a
deviation and not to the cost of a narrow band: risk aversion is multiplied by

    (1 + w p) / (1 + w p0),

with p the chance of stress in the period to come (Forecast.stress), p0 what it usually is, and w the variance that
stress adds, in usual variances. Below p0 the band widens. Both ways inside stated limits. The loss of the gap itself is
gamma's: keeper.policies.predictive_gamma hedges that ahead.
"""

from __future__ import annotations

from pydantic import Field

from keeper.errors import PricingError
from keeper.policies.parameters import PolicyParameters


class AlarmParameters(PolicyParameters):
    """How strongly a warning is heeded, and its limits."""

    weight: float = Field(
        default=3.0,
        ge=0.0,
        le=1e6,
        description="variance that stress adds, in usual variances; 0: ignore",
    )
    usual: float = Field(
        default=0.085, ge=0.0, le=1.0, description="chance of stress that changes nothing"
    )
    least: float = Field(default=0.5, gt=0.0, le=1.0, description="least factor of risk aversion")
    most: float = Field(default=3.0, ge=1.0, description="greatest factor of risk aversion")


def aversion_factor(stress: float | None, own: AlarmParameters) -> float:
    """What risk aversion is multiplied by; 1 without a warning. PricingError for a chance outside [0, 1]."""
    if stress is None:
        return 1.0
    if not 0.0 <= stress <= 1.0:
        raise PricingError(f"chance of stress is {stress!r}: it must lie in [0, 1], or be None")
    factor = (1.0 + own.weight * stress) / (1.0 + own.weight * own.usual)
    return min(max(factor, own.least), own.most)
