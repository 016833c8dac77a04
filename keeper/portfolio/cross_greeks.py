"""Vanna and volga of option legs: how delta and vega move with volatility.

Source: Haug (2007), "The complete guide to option pricing formulas", chapter 2 (DdeltaDvol, DvegaDvol), forward
formulas times forward / spot where the derivative is to the spot.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from keeper.portfolio.book import LegArrays, Market, years_left

FloatArray = NDArray[np.float64]
_INV_SQRT_2PI = 1.0 / np.sqrt(2.0 * np.pi)
_NO_UNCERTAINTY = 1e-18


def vanna_volga(
    legs: LegArrays, market: Market, forward: FloatArray, vol: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Per contract: vanna dDelta/dVol = dVega/dSpot (ETH per 1.00 of volatility), volga d2Price/dVol2 (USD).

    `forward` (USD) and `vol` have one value a leg. Both are 0 where no time or no volatility is left.
    """
    root = np.sqrt(years_left(legs, market))
    total = vol * root
    live = total > _NO_UNCERTAINTY
    safe_total = np.where(live, total, 1.0)
    d1 = np.log(forward / legs.strike_usd) / safe_total + 0.5 * safe_total
    d2 = d1 - safe_total
    density = _INV_SQRT_2PI * np.exp(-0.5 * d1 * d1)
    safe_vol = np.where(live, vol, 1.0)
    vanna = -density * d2 / safe_vol * (forward / market.spot_usd)
    volga = forward * density * root * d1 * d2 / safe_vol
    return np.where(live, vanna, 0.0), np.where(live, volga, 0.0)
