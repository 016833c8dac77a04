"""The cheapest whole lots of makers' quotes that bring every reading inside its range: a mixed-integer programme.

    min   sum_i (c_i n_i + gas_i b_i) + k S (h+ + h-) + f z
    s.t.  n_i whole, least_i b_i <= n_i <= most_i b_i, sum_i b_i <= N, buy and sell of one series not both,
          low_r <= g_r + sum_i a_ri n_i <= high_r              for every limited reading r,
          -band <= D + sum_i d_i n_i + h+ - h- <= band,        h+ + h- <= M z,
          sum_i premium_i n_i <= budget

with n lots, b whether a quote is used, h the spot or perpetual trade that the delta left over needs, z whether there
is one, k its proportional and f its fixed cost. Two more variables a reading let
it lie outside of its range, where `bounds` allows that.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import Bounds, LinearConstraint

from keeper.policies.overlay_quotes import Market, Reading

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
# The solver's own tolerance on a row, in units of the row's scale: ranges are narrowed by it, so that no answer
# lies outside of the true ones.
_FEASIBILITY = 2e-6


@dataclass(frozen=True, slots=True)
class Hedge:
    """What a later delta hedge costs: net delta now and the band that needs none (ETH), spot, and the costs."""

    delta_eth: float
    band_eth: float
    spot_usd: float
    proportional: float
    fixed_usd: float

    def needed(self, delta_eth: float) -> float:
        """Signed ETH to trade."""
        return -math.copysign(max(abs(delta_eth) - self.band_eth, 0.0), delta_eth)

    def cost(self, delta_eth: float) -> float:
        """USD to bring `delta_eth` to the band."""
        trade = abs(self.needed(delta_eth))
        return self.fixed_usd + self.proportional * self.spot_usd * trade if trade > 0.0 else 0.0


@dataclass(frozen=True, slots=True)
class Effort:
    """Most quotes used at once, USD of net premium that may be paid, seconds to look, accepted relative gap."""

    max_legs: int
    budget_usd: float
    time_limit_s: float
    gap: float = 1e-9


class _Rows:
    """Rows of a linear programme as they are put together."""

    def __init__(self) -> None:
        self.rows: list[FloatArray] = []
        self.low: list[float] = []
        self.high: list[float] = []

    def put(self, row: FloatArray, low: float, high: float) -> None:
        """Adds `row` @ x in [low, high]."""
        self.rows.append(row)
        self.low.append(low)
        self.high.append(high)


class Programme:
    """Rows and columns. Variables: n (m), b (m), h+, h-, z, then breaches (below, above) of every reading.

    Hedge trades are in units of `delta_scale`, readings in units of `scale`, so that the solver's tolerances mean
    the same in every row.
    """

    def __init__(self, market: Market, hedge: Hedge, effort: Effort) -> None:
        self.market, self.hedge, self.effort = market, hedge, effort
        self.m, self.r = len(market.quotes), len(market.readings)
        self.first_breach = 2 * self.m + 3
        self.most = np.array([quote.most_lots for quote in market.quotes], dtype=np.float64)
        self.scale = np.array([_scale(reading) for reading in market.readings])
        # The most that the legs together can move delta: a larger bound would let the solver's z leak more.
        moved = np.sort(np.abs(market.delta) * self.most)[::-1][: effort.max_legs]
        self.delta_scale = max(abs(hedge.delta_eth) + float(moved.sum()), 1e-12)

    def row(
        self,
        n: ArrayLike = 0.0,
        b: ArrayLike = 0.0,
        up: float = 0.0,
        down: float = 0.0,
        z: float = 0.0,
    ) -> FloatArray:
        """One value a variable, breaches 0."""
        out, m = np.zeros(self.first_breach + 2 * self.r), self.m
        out[:m], out[m : 2 * m] = n, b
        out[2 * m : 2 * m + 3] = up, down, z
        return out

    def constraints(self) -> LinearConstraint:
        """All rows; those of the readings come first, in their order."""
        rows = _Rows()
        self._put_ranges(rows)
        self._put_hedge(rows)
        self._put_quotes(rows)
        return LinearConstraint(np.array(rows.rows), np.array(rows.low), np.array(rows.high))

    def _put_ranges(self, rows: _Rows) -> None:
        for index, reading in enumerate(self.market.readings):
            unit = float(self.scale[index])
            row = self.row(n=reading.per_lot / unit)
            breaches = self.first_breach + 2 * index
            row[breaches : breaches + 2] = 1.0, -1.0
            low, high = (
                (end - reading.now) / unit for end in (reading.range.low, reading.range.high)
            )
            slack = min(_FEASIBILITY, (high - low) / 4.0)
            rows.put(row, low + slack, high - slack)

    def _put_hedge(self, rows: _Rows) -> None:
        """What the delta left over needs, and that any trade pays the fixed cost."""
        hedge, unit = self.hedge, self.delta_scale
        # Narrower by the tolerances of this row and of z, so that a plan without a hedge needs none.
        band = max(hedge.band_eth - 2.0 * _FEASIBILITY * unit, 0.0)
        rows.put(
            self.row(n=self.market.delta / unit, up=1.0, down=-1.0),
            (-band - hedge.delta_eth) / unit,
            (band - hedge.delta_eth) / unit,
        )
        rows.put(self.row(up=1.0, down=1.0, z=-1.0), -math.inf, 0.0)

    def _put_quotes(self, rows: _Rows) -> None:
        """Clips, number of legs, budget, and never both sides of a series."""
        quotes, eye = self.market.quotes, np.eye(self.m)
        for i, quote in enumerate(quotes):
            rows.put(self.row(n=eye[i], b=-quote.most_lots * eye[i]), -math.inf, 0.0)
            rows.put(self.row(n=eye[i], b=-quote.least_lots * eye[i]), 0.0, math.inf)
        rows.put(self.row(b=1.0), -math.inf, float(self.effort.max_legs))
        if math.isfinite(self.effort.budget_usd) and self.m:
            unit = max(float(np.abs(self.market.premium).max()), 1e-12)
            paid = self.row(n=self.market.premium / unit)
            rows.put(paid, -math.inf, self.effort.budget_usd / unit)
        for i, quote in enumerate(quotes):
            for j in range(i):
                if quotes[j].series_id == quote.series_id and quotes[j].desk != quote.desk:
                    rows.put(self.row(b=eye[i] + eye[j]), -math.inf, 1.0)

    def cost(self) -> FloatArray:
        """USD a unit of each variable."""
        gas = np.array([quote.gas_usd for quote in self.market.quotes])
        leg = self.hedge.proportional * self.hedge.spot_usd * self.delta_scale
        return self.row(n=self.market.cost, b=gas, up=leg, down=leg, z=self.hedge.fixed_usd)

    def breaches(self) -> FloatArray:
        """Sum of the breaches, each in the scale of its reading."""
        out = self.row()
        out[self.first_breach :] = 1.0
        return out

    def bounds(self, may_breach: bool) -> Bounds:
        """Of the variables."""
        high = self.row(n=self.most, b=1.0, up=1.0, down=1.0, z=1.0)
        high[self.first_breach :] = math.inf if may_breach else 0.0
        return Bounds(np.zeros(high.size), high)

    def whole(self) -> IntArray:
        """1 where a variable is a whole number."""
        return self.row(n=1.0, b=1.0, z=1.0).astype(np.int64)

    def point(self, lots: IntArray) -> FloatArray:
        """The variables of a plan without breaches."""
        delta = self.hedge.delta_eth + (float(self.market.delta @ lots) if lots.size else 0.0)
        trade = self.hedge.needed(delta) / self.delta_scale
        sides = {"up": max(trade, 0.0), "down": max(-trade, 0.0), "z": float(trade != 0.0)}
        return self.row(n=lots, b=lots > 0, **sides)

    def readings_after(self, lots: IntArray) -> list[float]:
        """Every limited reading once the lots are traded."""
        return [row.now + float(row.per_lot @ lots) for row in self.market.readings]

    def breach_sum(self, lots: IntArray) -> float:
        """As `breaches`, of whole lots."""
        rows = zip(self.market.readings, self.readings_after(lots), self.scale, strict=True)
        return math.fsum(row.range.breach(value) / unit for row, value, unit in rows)


def _scale(reading: Reading) -> float:
    """Unit of a reading: what is at stake, so that breaches of gamma and of vega compare."""
    largest = float(np.abs(reading.per_lot).max()) if reading.per_lot.size else 0.0
    return max(reading.range.breach(reading.now), largest, abs(reading.now) * 1e-6, 1e-300)
