"""Closed form of the hedging band for fixed cost f per trade and proportional cost k under exponential utility.

G = |gamma| of the book, lam = risk aversion per unit of money, dt the time between two looks, tau the time left.

1. Locally the deviation from the delta diffuses as G S sigma W. A band of half-width H that trades to +-b costs, per
   unit of S^2 sigma^2 dt, lam/12 (H^2 + b^2) + G^2 (f / (H^2 - b^2) + k S / (H + b)). With s = H + b, d = H - b and
   A = 12 G^2 / lam the minimum solves s^3 = a^(8/3) s^(1/3) + p^3, a = (A f)^(1/4), p = (A k S)^(1/3), and
   d = (A f / s)^(1/3). f = 0 is Whalley and Wilmott (1997), eq. 3.10; k = 0 is H = (12 f G^2 / lam)^(1/4), b = 0.
2. The cost J of step 1, and the risk lam G^2 S^2 sigma^2 dt / 2 of looking only every dt, act on the price as extra
   variance, as in Leland (1985), "Option pricing and replication with transactions costs", eq. 10, where it is
   sigma^2 (1 + 2 J / G), with a minus for a long book. Where 2 J / G is not small that is too little for a short book
   and too much for a long one; sigma_m^2 = sigma^2 exp(+-2 J / G), the same to first order, is the optimum's to within
   the tables' precision. With gas alone J is proportional to G, with fees alone to G^(4/3), and what moves the delta is
   its slope: the fees' share (s - d) / s of the shift counts 1.2 times (between 1 and 4/3; measured). The centre is the
   delta there, and all else uses its gamma. H changes by (sigma_m / sigma)^-0.2 beyond that (measured).
3. A look every dt finds the price beyond the edge, by 0.58 G S sigma sqrt(dt) on average (Broadie, Glasserman and Kou
   (1997), "A continuity correction for discrete barrier options"); measured on the optimum: 0.72.
4. With c = lam sigma^2 S^2 tau, a trade that is never followed by another gains c/2 (x^2 - b0^2) - k S (x - b0) by
   going from x to b0 = k S / c: it is worth f only beyond b0 + sqrt(2 f / c). H and b are at least these.
5. Where gamma grows towards one side the next breach comes from there: both edges lean that way, by
   0.1 H tanh(H Gamma' / Gamma^2) (form from the local problem, factor measured on the optimum).
6. A hedge that ends with the options pays f once more. A target that is within 1.4 sqrt(2 f / c) of no hedge at all
   is therefore replaced by none (1 from the argument of step 4, 1.4 measured); and the unwind's proportional cost is
   a claim on k S |payoff slope|, hedged like one.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from keeper.policies.bands import Number, larger, smaller

OVERSHOOT = 0.72
LEAN = 0.1
FEE_SHIFT = 0.2
NO_HEDGE = 1.4
WIDTH_EXPONENT = -0.1
# Of the logarithm of the variance: no cost makes the centre's volatility more than twice, or less than half, the real.
_MOST_SHIFT = 1.5
# Under this gamma (per USD) no hedge is ever needed; it keeps powers of 0 out of the divisions.
_LEAST_GAMMA = 1e-12


class BandSetting(NamedTuple):
    """What the formulas take besides book and price. Costs and risk aversion in money and per money, times in years."""

    vol: float
    years_left: float
    tick_years: float
    fixed_cost: float
    proportional: float
    risk_aversion: float


def sum_and_difference(gamma: Number, spot: Number, setting: BandSetting) -> tuple[Number, Number]:
    """(s, d) of step 1 in units of the underlying; `gamma` > 0."""
    a_ = 12.0 / setting.risk_aversion * gamma * gamma
    fixed = (a_ * setting.fixed_cost) ** 0.25
    fee = (a_ * setting.proportional * spot) ** (1.0 / 3.0)
    s = (fixed**2.8 + fee**2.8) ** (1.0 / 2.8)
    if setting.fixed_cost > 0.0:
        scale = fixed ** (8.0 / 3.0)
        for _ in range(3):
            part = scale * s ** (1.0 / 3.0)
            s = s - (s * s * s - part - fee * fee * fee) / (3.0 * s * s - part / (3.0 * s))
    d = (a_ * setting.fixed_cost / larger(s, 0.0 * s + 1e-300)) ** (1.0 / 3.0)
    return s, d


def local_cost(gamma: Number, spot: Number, setting: BandSetting) -> Number:
    """J of step 2: cost and risk of the band per unit of S^2 sigma^2 dt, in money."""
    s, d = sum_and_difference(gamma, spot, setting)
    j = setting.risk_aversion / 24.0 * (s * s + d * d)
    if setting.fixed_cost > 0.0:
        j = j + gamma * gamma * setting.fixed_cost / (s * d)
    if setting.proportional > 0.0:
        j = j + gamma * gamma * setting.proportional * spot / s
    return j


def gas_band_variance_factor(
    gamma: Number, gross_gamma: Number, spot: Number, setting: BandSetting
) -> Number:
    """sigma_m^2 / sigma^2 of step 2. `gamma` is signed, + is long; `gross_gamma` the sum of the legs' |gamma|.

    Where long and short legs cancel the sign is their ratio, so that the centre does not jump as gamma changes sign.
    """
    size = larger(abs(gamma), 0.0 * gamma + _LEAST_GAMMA)
    waiting = 0.5 * setting.risk_aversion * setting.vol**2 * setting.tick_years
    shift = 2.0 * (local_cost(size, spot, setting) / size + waiting * spot * spot * size)
    s, d = sum_and_difference(size, spot, setting)
    shift = shift * (1.0 + FEE_SHIFT * (s - d) / larger(s, 0.0 * s + 1e-300))
    shift = shift * (-gamma / larger(gross_gamma, size))
    most = 0.0 * gamma + _MOST_SHIFT
    return _exp(smaller(larger(shift, -most), most))


def widths(
    gamma: Number, factor: Number, spot: Number, setting: BandSetting
) -> tuple[Number, Number]:
    """(H, b) of steps 1 to 4 in units of the underlying, at |gamma| > 0 and the variance factor of step 2."""
    s, d = sum_and_difference(gamma, spot, setting)
    beyond = OVERSHOOT * setting.vol * math.sqrt(setting.tick_years) * gamma * spot
    inner = 0.5 * (s - d)
    outer = larger(0.5 * (s + d) * factor**WIDTH_EXPONENT - beyond, 0.5 * inner)
    inner = smaller(inner, outer)
    least = setting.proportional * spot / stiffness(spot, setting)
    outer = larger(outer, least + (2.0 * setting.fixed_cost / stiffness(spot, setting)) ** 0.5)
    return outer, smaller(larger(inner, least), outer)


def stiffness(spot: Number, setting: BandSetting) -> Number:
    """C of step 4: money per squared unit of deviation that stays until expiry."""
    return setting.risk_aversion * setting.vol**2 * setting.years_left * spot * spot


def gas_band_edges(
    centre: Number,
    greeks: tuple[Number, Number],
    factor: Number,
    spot: Number,
    setting: BandSetting,
    unwinds: bool,
) -> tuple[Number, Number, Number, Number]:
    """(lower, upper, buy_to, sell_to) of the hedge; `centre` includes the unwind's delta where the hedge unwinds.

    `greeks` are gamma and dGamma/dSpot of the book at the modified volatility, + is long.
    """
    gamma, speed = greeks
    size = larger(abs(gamma), 0.0 * gamma + _LEAST_GAMMA)
    outer, inner = widths(size, factor, spot, setting)
    lean = LEAN * outer * _tanh(-speed * outer / (size * size))
    buy_to, sell_to = centre - inner, centre + inner
    if unwinds:
        near = NO_HEDGE * (2.0 * setting.fixed_cost / stiffness(spot, setting)) ** 0.5
        buy_to, sell_to = (
            _none_if(abs(centre) < near, buy_to),
            _none_if(abs(centre) < near, sell_to),
        )
    lower, upper = smaller(centre - outer + lean, buy_to), larger(centre + outer + lean, sell_to)
    return lower, upper, buy_to, sell_to


def _exp(x: Number) -> Number:
    if isinstance(x, np.ndarray):
        return np.asarray(np.exp(x))
    return math.exp(x)


def _tanh(x: Number) -> Number:
    if isinstance(x, np.ndarray):
        return np.asarray(np.tanh(x))
    return math.tanh(x)


def _none_if(condition: bool | NDArray[np.bool_], target: Number) -> Number:
    if isinstance(target, np.ndarray):
        return np.where(condition, 0.0, target)
    return 0.0 if condition else target
