"""A snapshot's live options as the band formulas need them: Greeks at scaled volatility, in plain floats.

A desk holds a few dozen legs at most, where a loop of floats is several times faster than numpy's cost per call.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from keeper.errors import PricingError
from keeper.models import Snapshot, SviSlice
from keeper.units import SECONDS_PER_YEAR

_INV_SQRT_2PI = 1.0 / math.sqrt(2.0 * math.pi)
_SQRT_HALF = math.sqrt(0.5)


@dataclass(frozen=True, slots=True)
class LegGreeks:
    """Of the whole book, + is long: delta in ETH, gamma in ETH per USD, speed = dGamma/dSpot.

    `gross_gamma` is the sum of |gamma|. `tau_years` is the mean time to expiry weighted by |vega|.
    """

    delta: float
    gamma: float
    speed: float
    gross_gamma: float
    tau_years: float


@dataclass(frozen=True, slots=True)
class LiveLegs:
    """One row a leg that has not expired: (size, is_call, ln(F/K), forward / spot, total volatility, years left)."""

    spot_usd: float
    rows: tuple[tuple[float, bool, float, float, float, float], ...]

    @classmethod
    def of(cls, snapshot: Snapshot) -> LiveLegs:
        """Legs of the snapshot's underlying. Raises PricingError for a spot, strike or size that is out of domain.

        A leg whose expiry has no slice has no Greeks, as in the contract.
        """
        spot, now = snapshot.spot_usd, snapshot.timestamp_s
        if not 0.0 < spot < math.inf:
            raise PricingError(f"spot must be a positive number of USD, got {spot!r}")
        slices = {s.expiry_s: _slice_terms(s, now) for s in snapshot.slices if s.expiry_s > now}
        rows = []
        for leg in snapshot.legs:
            terms = slices.get(leg.expiry_s)
            if leg.underlying != snapshot.underlying or terms is None:
                continue
            if not (0.0 < leg.strike_usd < math.inf and math.isfinite(leg.size)):
                raise PricingError(
                    f"series {leg.series_id} has size {leg.size!r} and strike {leg.strike_usd!r}"
                )
            tau, growth, scale, s = terms
            k = math.log(leg.strike_usd / (spot * growth))
            x = k - s.m
            variance = s.a + s.b * (s.rho * x + math.sqrt(x * x + s.sigma * s.sigma))
            total = math.sqrt(max(variance, 0.0) * scale)
            if not math.isfinite(total):
                raise PricingError(f"expiry {leg.expiry_s} has no volatility: check its slice")
            if total > 0.0:
                rows.append((leg.size, leg.is_call, -k, growth, total, tau))
        return cls(spot, tuple(rows))

    def greeks(self, vol_factor: float = 1.0) -> LegGreeks:
        """With every volatility times `vol_factor`."""
        delta = gamma = speed = gross = vega = weighted = 0.0
        spot = self.spot_usd
        for size, call, moneyness, growth, vol, tau in self.rows:
            v = vol * vol_factor
            d1 = moneyness / v + 0.5 * v
            cdf = 0.5 * math.erfc(-d1 * _SQRT_HALF)
            delta += size * growth * (cdf if call else cdf - 1.0)
            own = size * growth * _INV_SQRT_2PI * math.exp(-0.5 * d1 * d1) / (spot * v)
            gamma += own
            gross += abs(own)
            speed -= own / spot * (1.0 + d1 / v)
            weight = abs(own) * v * math.sqrt(tau)
            vega += weight
            weighted += weight * tau
        longest = max((row[5] for row in self.rows), default=0.0)
        return LegGreeks(delta, gamma, speed, gross, weighted / vega if vega > 0.0 else longest)

    def unwind_delta(self, vol_factor: float = 1.0) -> float:
        """Delta of a claim of spot * |payoff slope| at expiry: what unwinding costs per unit of proportional cost.

        The slope jumps at each strike; expiries are taken one by one, each with its own slope.
        """
        total = 0.0
        for tau in {row[5] for row in self.rows}:
            rows = sorted((r for r in self.rows if r[5] == tau), key=lambda r: -r[2])
            slope = -sum(size for size, call, *_ in rows if not call)
            total += abs(slope) * rows[0][3]
            for size, _, moneyness, growth, vol, _ in rows:
                v = vol * vol_factor
                d1 = moneyness / v + 0.5 * v
                density = _INV_SQRT_2PI * math.exp(-0.5 * d1 * d1)
                jump = abs(slope + size) - abs(slope)
                slope += size
                total += jump * growth * (0.5 * math.erfc(-d1 * _SQRT_HALF) + density / v)
        return total


def _slice_terms(s: SviSlice, now_s: int) -> tuple[float, float, float, SviSlice]:
    """Years left, forward / spot, and what turns variance at commit into total variance of the time left."""
    tau = (s.expiry_s - now_s) / SECONDS_PER_YEAR
    at_commit = (s.expiry_s - s.committed_at_s) / SECONDS_PER_YEAR
    if not (at_commit > 0.0 and abs(s.carry) < 10.0):
        raise PricingError(f"slice of expiry {s.expiry_s} was committed after it or has no carry")
    return tau, math.exp(s.carry * tau), tau / at_commit, s
