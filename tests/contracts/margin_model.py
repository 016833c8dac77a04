"""The risk engine's rules in numpy: mark value, Greeks and scenario margin of a book, as IRiskEngine states them."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from keeper.models import SviSlice
from keeper.pricing import black76, svi
from keeper.units import SECONDS_PER_YEAR, decode_series

REFERENCE_TENOR_S = 30 * 86_400
SHORTEST_TENOR_S = 7 * 86_400
MAX_VOL = 10.0
MAX_VOL_DOWN = 0.9


@dataclass(frozen=True)
class Market:
    """What a book is valued against. `settled` maps expiry to its proven price."""

    now_s: int
    spot: float
    slices: Mapping[int, SviSlice]
    settled: Mapping[int, float]


@dataclass(frozen=True)
class MarginRules:
    """MarginParameters as floats."""

    spot_move: float
    vol_up: float
    vol_down: float
    contingency: float
    maintenance_share: float


@dataclass(frozen=True)
class Book:
    """Legs are (series, contracts); `quote` is cash and venue quote, `base` everything held in ETH."""

    legs: Sequence[tuple[int, float]]
    quote: float = 0.0
    base: float = 0.0


def price(series: int, market: Market, move: float = 0.0, vol_factor: float = 1.0) -> float:
    """USD per contract with the spot moved by a share of itself and the volatility multiplied."""
    g = greeks(series, market, move, vol_factor)
    return g[0]


def greeks(
    series: int, market: Market, move: float = 0.0, vol_factor: float = 1.0
) -> tuple[float, float, float, float, float]:
    """Price, delta, gamma, vega, theta per contract, to the spot."""
    _, expiry, strike, call = decode_series(series)
    tau = (expiry - market.now_s) / SECONDS_PER_YEAR
    if tau <= 0:
        at = market.settled.get(expiry, market.spot * (1 + move))
        return max(at - strike if call else strike - at, 0.0), 0.0, 0.0, 0.0, 0.0
    slice_ = market.slices.get(expiry)
    carry = slice_.carry if slice_ else 0.0
    forward = market.spot * math.exp(carry * tau)
    vol = float(svi.implied_vol(slice_, math.log(strike / forward))) if slice_ else 0.0
    vol = min(vol * vol_factor, MAX_VOL)
    moved, spot = forward * (1 + move), market.spot * (1 + move)
    g = black76.spot_greeks(call, spot, moved, strike, vol, tau)
    return float(g.price), float(g.delta), float(g.gamma), float(g.vega), float(g.theta)


def book_greeks(book: Book, market: Market) -> tuple[float, float, float, float]:
    """Delta, gamma, vega and theta of the option legs."""
    rows = [(size, greeks(series, market)) for series, size in book.legs]
    delta, gamma, vega, theta = (sum(size * g[i] for size, g in rows) for i in range(1, 5))
    return delta, gamma, vega, theta


def equity(book: Book, market: Market, move: float = 0.0, vol_move: float = 0.0) -> float:
    """USD. `vol_move` is the relative move stated at 30 days."""
    total = book.quote + book.base * market.spot * (1 + move)
    for series, size in book.legs:
        total += size * price(series, market, move, _vol_factor(series, market, vol_move))
    return total


def _vol_factor(series: int, market: Market, vol_move: float) -> float:
    tau_s = max(decode_series(series)[1] - market.now_s, SHORTEST_TENOR_S)
    scaled = vol_move * math.sqrt(REFERENCE_TENOR_S / tau_s)
    return 1 + max(scaled, -MAX_VOL_DOWN)


def margin(book: Book, market: Market, rules: MarginRules) -> tuple[float, float, float]:
    """(equity, initial, maintenance), USD."""
    now = equity(book, market)
    worst = min(
        equity(book, market, rules.spot_move * step / 3, vol_move)
        for step in range(-3, 4)
        for vol_move in (0.0, rules.vol_up, -rules.vol_down)
    )
    initial = now - min(worst, now)
    for series, size in book.legs:
        if size < 0 and decode_series(series)[1] > market.now_s:
            initial += -size * market.spot * rules.contingency
    return now, initial, initial * rules.maintenance_share
