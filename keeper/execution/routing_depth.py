"""What a pool takes and at which price: the depth of constant-liquidity bands as a curve.

Between two prices a pool with liquidity L gives x = L (1/sqrt(p0) - 1/sqrt(p)) ETH while its price goes from p0 to p,
and takes as much on the way back. So the amount is piecewise linear in s = 1/sqrt(price), and stays so in
t = -+ 1/sqrt(m) for the marginal price m = p x factor that fee and carry make of it. A `Curve` is that line: knots
(t, x), t ascending, t < 0 for purchases and t > 0 for sales; m = 1/t^2, and the money moved is the integral of m dx.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from keeper.errors import Halt
from keeper.models import LiquidityBand, PoolDepth

# Liquidity of a venue whose depth was not read: 1,000 ETH move its price by some 0.1 basis points.
UNKNOWN_DEPTH = 1e10

Knot = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Curve:
    """Amounts in ETH against t; at least two knots, the first of 0 ETH."""

    knots: tuple[Knot, ...]

    @property
    def capacity(self) -> float:
        """Most ETH."""
        return self.knots[-1][1]

    def amount(self, t: float) -> float:
        """ETH that go through until the marginal price is that of `t`."""
        knots = self.knots
        if t <= knots[0][0]:
            return 0.0
        if t >= knots[-1][0]:
            return knots[-1][1]
        i = bisect_left(knots, (t, -math.inf))
        (t0, x0), (t1, x1) = knots[i - 1], knots[i]
        return x0 + (x1 - x0) * (t - t0) / (t1 - t0)

    def at(self, amount: float) -> float:
        """The t at which `amount` has gone through: the inverse."""
        (t0, x0) = self.knots[0]
        for t1, x1 in self.knots[1:]:
            if amount <= x1:
                return t0 if x1 == x0 else t0 + (t1 - t0) * (amount - x0) / (x1 - x0)
            t0, x0 = t1, x1
        return t0

    def price(self, amount: float) -> float:
        """Marginal price in USD per ETH, all in, after `amount`."""
        return 1.0 / self.at(amount) ** 2

    def money(self, amount: float) -> float:
        """USD that `amount` costs or brings, fee and carry included."""
        total = 0.0
        for (t0, x0), (t1, x1) in zip(self.knots, self.knots[1:], strict=False):
            if amount <= x0:
                break
            if x1 > x0:
                share = min((amount - x0) / (x1 - x0), 1.0)
                end = t0 + (t1 - t0) * share
                # (x1 - x0) / (t1 - t0) x (1/t0 - 1/end), without the division of two small differences.
                total += (x1 - x0) * share / (t0 * end)
        return total

    def after(self, amount: float) -> Curve:
        """The curve of what is left when `amount` has gone through."""
        if amount <= 0.0:
            return self
        start = (self.at(amount), 0.0)
        return Curve((start, *((t, x - amount) for t, x in self.knots if x > amount)))

    def until(self, amount: float) -> Curve:
        """The curve cut off at `amount`."""
        if amount >= self.capacity:
            return self
        end = (self.at(amount), max(amount, 0.0))
        return Curve((*(knot for knot in self.knots if knot[1] < end[1]), end))


@lru_cache(maxsize=512)
def pool_curve(depth: PoolDepth, buy: bool, worst_usd: float, carry: float = 0.0) -> Curve:
    """The pool's curve on one side, as far as a marginal price, fee included, of `worst_usd`.

    `carry` is a share of the money that is lost on top later (interest, the way back); it moves t, not the end.
    Raises Halt where the depth is no depth.
    """
    _require_depth(depth)
    keep = 1.0 - depth.fee
    # A purchase pays the fee on USD, a sale on ETH: either way the all-in price is p times this.
    factor = (1.0 + carry) / keep if buy else (1.0 - carry) * keep
    if not (factor > 0.0 and worst_usd > 0.0):
        raise Halt(
            f"pool {depth.address}: fee {depth.fee!r}, carry {carry!r} and worst price {worst_usd!r} make no price"
        )
    worst_pool = worst_usd * keep if buy else worst_usd / keep
    root, sign = math.sqrt(factor), -1.0 if buy else 1.0
    per_eth = 1.0 if buy else 1.0 / keep
    start = 1.0 / math.sqrt(depth.price_usd)
    knots, total, last = [(sign * start / root, 0.0)], 0.0, start
    bands = depth.bands if buy else tuple(reversed(depth.bands))
    for band in bands:
        far = min(band.high_usd, worst_pool) if buy else max(band.low_usd, worst_pool)
        end = 1.0 / math.sqrt(far)
        if sign * (end - last) <= 0.0:
            continue
        total += band.liquidity * abs(end - last) * per_eth
        knots.append((sign * end / root, total))
        last = end
    return Curve(tuple(knots) if len(knots) > 1 else (knots[0], knots[0]))


def unknown_depth(address: str, price_usd: float, fee: float) -> PoolDepth:
    """A pool of which only price and fee are known: deep."""
    band = LiquidityBand(price_usd / 4.0, price_usd * 4.0, UNKNOWN_DEPTH)
    return PoolDepth(address, price_usd, fee, (band,))


def total_amount(curves: Sequence[Curve], floors: Sequence[float], t: float) -> float:
    """ETH of all curves at one t, none below its floor."""
    return math.fsum(
        max(curve.amount(t), floor) for curve, floor in zip(curves, floors, strict=True)
    )


def _require_depth(depth: PoolDepth) -> None:
    ok = 0.0 < depth.price_usd < math.inf and 0.0 <= depth.fee < 1.0 and len(depth.bands) > 0
    for before, band in zip((None, *depth.bands), depth.bands, strict=False):
        joined = before is None or before.high_usd == band.low_usd
        ok = ok and joined and 0.0 < band.low_usd < band.high_usd < math.inf
        ok = ok and 0.0 <= band.liquidity < math.inf
    if not ok:
        raise Halt(
            f"pool {depth.address} was read with price {depth.price_usd!r}, fee {depth.fee!r} and "
            f"{len(depth.bands)} bands that make no depth: check its address and tick spacing"
        )
