"""Mark and Greeks of one contract, as IRiskEngine states them. Margin is held to the keeper's shadow instead."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from keeper.models import SviSlice
from keeper.pricing import black76, svi
from keeper.units import SECONDS_PER_YEAR, decode_series


@dataclass(frozen=True)
class Market:
    """What a book is valued against. `settled` maps expiry to its proven price."""

    now_s: int
    spot: float
    slices: Mapping[int, SviSlice]
    settled: Mapping[int, float]


def price(series: int, market: Market) -> float:
    """USD per contract."""
    return greeks(series, market)[0]


def greeks(series: int, market: Market) -> tuple[float, float, float, float, float]:
    """Price, delta, gamma, vega, theta per contract, to the spot."""
    _, expiry, strike, call = decode_series(series)
    tau = (expiry - market.now_s) / SECONDS_PER_YEAR
    if tau <= 0:
        at = market.settled.get(expiry, market.spot)
        return max(at - strike if call else strike - at, 0.0), 0.0, 0.0, 0.0, 0.0
    slice_ = market.slices.get(expiry)
    carry = slice_.carry if slice_ else 0.0
    forward = market.spot * math.exp(carry * tau)
    vol = float(svi.implied_vol(slice_, math.log(strike / forward))) if slice_ else 0.0
    g = black76.spot_greeks(call, market.spot, forward, strike, vol, tau)
    return float(g.price), float(g.delta), float(g.gamma), float(g.vega), float(g.theta)
