"""Is implied volatility rich or cheap against a forecast, by expiry; and how far that may move a desk's two sides.

Richness is ln(implied / forecast) less the premium that sellers of variance are usually paid, in units of its
uncertainty. It moves spread and limits of either side inside stated bounds. It never moves the mark: nothing here
returns a volatility or a price to quote around.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields

from keeper.errors import PricingError
from keeper.models import SviSlice
from keeper.pricing.svi import implied_vol

# Of contracts/desk/Stances.sol.
NEUTRAL = 10_000
SPREAD_BOUNDS = (7_000, 16_000)
LIMIT_BOUNDS = (4_000, 10_000)


@dataclass(frozen=True, slots=True)
class VolForecast:
    """Annualised volatility until an expiry, and the standard deviation of ln(realised / forecast)."""

    vol: float
    log_error: float

    def __post_init__(self) -> None:
        good = all(math.isfinite(v) and v > 0.0 for v in (self.vol, self.log_error))
        if not good:
            raise PricingError(f"a forecast and its error must be positive numbers: {self}")


@dataclass(frozen=True, slots=True)
class SignalRules:
    """`usual_premium` is the mean of ln(implied / realised) that is no signal; `implied_error` of the fitted level.

    Full strength is at `full_at` deviations. Multipliers of spread and limit stay inside their bounds whatever the
    forecast says, so that a wrong forecast costs no more than they allow.
    """

    usual_premium: float = 0.05
    implied_error: float = 0.01
    full_at: float = 2.0
    least_spread: float = 0.7
    most_spread: float = 1.6
    least_limit: float = 0.4
    most_limit: float = 1.0

    def __post_init__(self) -> None:
        if not all(math.isfinite(getattr(self, f.name)) for f in fields(self)):
            raise PricingError(f"signal rules must be finite: {self}")
        spread = 0.0 < self.least_spread <= 1.0 <= self.most_spread
        limit = 0.0 <= self.least_limit <= 1.0 <= self.most_limit
        if not (spread and limit and self.full_at > 0.0 and self.implied_error >= 0.0):
            raise PricingError(f"bounds must hold 1 between them, full_at be positive: {self}")


@dataclass(frozen=True, slots=True)
class SideSignal:
    """One expiry. `deviations` > 0 is rich: the desk would rather sell (tighter ask, wider bid, room to sell)."""

    expiry_s: int
    implied_vol: float
    forecast_vol: float
    richness: float  # ln(implied / forecast) less the usual premium
    error: float
    deviations: float
    spread_desk_buys: float
    spread_desk_sells: float
    limit_desk_buys: float
    limit_desk_sells: float


@dataclass(frozen=True, slots=True)
class Stance:
    """IOptionDesk.Stance: one ten-thousandth each, 10,000 is neutral. The bid is what the desk buys at."""

    expiry_s: int
    bid_spread: int
    ask_spread: int
    bid_limit: int
    ask_limit: int


def stance_of(signal: SideSignal) -> Stance:
    """What a signal tells the desk, inside the contract's own bounds, rounded towards neutral."""
    return Stance(
        signal.expiry_s,
        _unit(signal.spread_desk_buys, SPREAD_BOUNDS),
        _unit(signal.spread_desk_sells, SPREAD_BOUNDS),
        _unit(signal.limit_desk_buys, LIMIT_BOUNDS),
        _unit(signal.limit_desk_sells, LIMIT_BOUNDS),
    )


def side_signals(
    slices: Sequence[SviSlice],
    forecasts: Mapping[int, VolForecast],
    rules: SignalRules | None = None,
) -> tuple[SideSignal, ...]:
    """One for each slice that has a forecast (by `expiry_s`), in the slices' order. PricingError for a bad slice."""
    rules = rules or SignalRules()
    return tuple(
        _signal(one.expiry_s, float(implied_vol(one, 0.0)), forecasts[one.expiry_s], rules)
        for one in slices
        if one.expiry_s in forecasts
    )


def _signal(expiry_s: int, implied: float, forecast: VolForecast, rules: SignalRules) -> SideSignal:
    if not implied > 0.0:
        raise PricingError(f"expiry {expiry_s} has no volatility at the forward: check its slice")
    richness = math.log(implied / forecast.vol) - rules.usual_premium
    error = math.hypot(forecast.log_error, rules.implied_error)
    deviations = richness / error
    strength = min(max(deviations / rules.full_at, -1.0), 1.0)
    return SideSignal(
        expiry_s=expiry_s,
        implied_vol=implied,
        forecast_vol=forecast.vol,
        richness=richness,
        error=error,
        deviations=deviations,
        spread_desk_buys=_between(rules.least_spread, rules.most_spread, strength),
        spread_desk_sells=_between(rules.least_spread, rules.most_spread, -strength),
        limit_desk_buys=_between(rules.least_limit, rules.most_limit, -strength),
        limit_desk_sells=_between(rules.least_limit, rules.most_limit, strength),
    )


def _unit(multiplier: float, bounds: tuple[int, int]) -> int:
    away = math.trunc((multiplier - 1.0) * NEUTRAL)
    return min(max(NEUTRAL + away, bounds[0]), bounds[1])


def _between(least: float, most: float, strength: float) -> float:
    """1 at strength 0, `most` at 1, `least` at -1, linear between."""
    return 1.0 + (most - 1.0) * strength if strength > 0.0 else 1.0 + (1.0 - least) * strength
