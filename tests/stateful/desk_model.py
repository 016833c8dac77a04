"""The desk's price in Python integers, to the wei: what DeskPricing and Inventory do with the engine's marks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tests.contracts.core_constants import DESK_PARAMETERS, WAD

NEUTRAL = 10_000
NAMES = (
    "vol_spread", "min_spread", "latency_floor", "taker_fee", "fee_cap", "vega_skew", "gamma_skew",
    "delta_skew", "hedge_fee", "hedge_impact", "rfq_band", "max_utilisation", "vega_limit", "gamma_limit",
    "delta_scale", "expiry_limit", "hedge_gas", "min_size", "open_cutoff", "stance_max_age",
)  # fmt: skip
Risk = tuple[int, int, int]  # delta, gamma, vega: WAD squared


def parameters(**changes: int) -> tuple[int, ...]:
    """The environment's, with some replaced by name."""
    fields = dict(zip(NAMES, DESK_PARAMETERS, strict=True))
    assert changes.keys() <= fields.keys()
    return tuple((fields | changes).values())


def _up(a: int, b: int) -> int:
    return -(-a * b // WAD)


@dataclass(frozen=True)
class DeskModel:
    """One set of parameters."""

    values: tuple[int, ...] = DESK_PARAMETERS

    def __getattr__(self, name: str) -> int:
        return self.values[NAMES.index(name)]

    def potential(self, risk: Risk, spot: int) -> int:
        """What the vault's inventory is charged in all, WAD USD."""
        delta, gamma, vega = risk
        dollar_gamma = abs(gamma) * spot // WAD**2 * spot // WAD
        total = _bowl(abs(vega) // WAD, self.vega_skew, self.vega_limit)
        total += _bowl(dollar_gamma, self.gamma_skew, self.gamma_limit)
        return total + _bowl(abs(delta) // WAD, self.delta_skew * spot // WAD, self.delta_scale)

    def hedging(self, before: int, later: int, spot: int) -> int:
        """Expected cost of hedging what is added to |delta|."""
        old, new = abs(before) // WAD, abs(later) // WAD
        if new <= old:
            return 0
        fee = _up(_up(new - old, spot), self.hedge_fee)
        steep = self.hedge_impact * spot // WAD
        slip = _bowl(new, steep, self.delta_scale) + 1 - _bowl(old, steep, self.delta_scale)
        return fee + slip + self.hedge_gas

    def price(
        self,
        legs: Sequence[tuple[int, int]],
        marks: Sequence[tuple[int, int, int]],
        risks: tuple[Risk, Risk],
        spot: int,
        spreads: Sequence[tuple[int, int]] | None = None,
    ) -> tuple[int, int, int]:
        """(fair, premium, band). `marks` are (worse, here, vega), `spreads` a leg's (bid, ask) in 1e-4."""
        before, change = risks
        later = tuple(a + b for a, b in zip(before, change, strict=True))
        worse = here = spread = fee = 0
        for (_, signed), (bad, mark, vega), (bid, ask) in zip(
            legs, marks, spreads or [(NEUTRAL, NEUTRAL)] * len(legs), strict=True
        ):
            size = abs(signed)
            half = max(_up(vega, self.vol_spread), self.min_spread)
            half = -(-half * (ask if signed > 0 else bid) // NEUTRAL)
            if signed > 0:
                worse, here = worse + _up(size, bad), here + _up(size, mark)
            else:
                worse, here = worse - size * bad // WAD, here - size * mark // WAD
                half = min(half, bad)
            spread += _up(size, half)
            fee += _up(size, min(_up(spot, self.taker_fee), _up(mark, self.fee_cap)))
        latency = _up(-(-abs(change[0]) * spot // WAD**2), self.latency_floor)
        fair = max(worse, here + latency)
        charge = spread + self.hedging(before[0], later[0], spot)
        charge += self.potential(later, spot) - self.potential(before, spot)
        vegas = sum(_up(abs(size), m[2]) for (_, size), m in zip(legs, marks, strict=True))
        sizes = sum(abs(size) for _, size in legs)
        band = _up(vegas, self.rfq_band) + _up(sizes, self.min_spread)
        return fair, fair + max(charge, 0) + fee, band


def _bowl(x: int, skew: int, scale: int) -> int:
    return x * x * skew // (2 * WAD * scale)
