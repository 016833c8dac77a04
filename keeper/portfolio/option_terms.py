"""What options made between two moments, by full repricing in sequence: time, carry, spot, carry, volatility.

Each leg keeps its own implied volatility until the last step, so the terms add up exactly to the change of value.
`gamma` is the repricing for the spot move less delta times the move. The last step is read as a Taylor series around
the moment before the spot moved: vega, vanna (with the spot move), volga (half the squared volatility move), and
`higher_order` is what of its repricing they leave. Greeks are those after the time step.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from keeper.models import OptionLeg
from keeper.portfolio.book import (
    LegArrays,
    Market,
    forward_and_vol,
    leg_cross_greeks,
    leg_greeks,
    payoff,
)
from keeper.pricing import black76

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class OptionTerms:
    """USD. `carry` is the forward's drift to spot and the change of the surface's carry."""

    theta: float = 0.0
    carry: float = 0.0
    delta: float = 0.0
    gamma: float = 0.0
    vega: float = 0.0
    vanna: float = 0.0
    volga: float = 0.0
    higher_order: float = 0.0
    settlement: float = 0.0


@dataclass(frozen=True, slots=True)
class _Step:
    """One stop of the sequence: per-contract Greeks there, with the forward and volatility they were taken at."""

    greeks: black76.Greeks
    forward: FloatArray
    vol: FloatArray

    @property
    def price(self) -> FloatArray:
        return self.greeks.price


def _at(legs: LegArrays, market: Market, forward: FloatArray, vol: FloatArray) -> _Step:
    return _Step(leg_greeks(legs, market, forward, vol), forward, vol)


def option_terms(held: tuple[OptionLeg, ...], start: Market, end: Market) -> OptionTerms:
    """Terms of the legs held at the start; expired ones move by their payoff at the proven price, or at spot."""
    if not held:
        return OptionTerms()
    legs = LegArrays.of(held)
    # The old surface at the new time, first at the old spot and then at the new.
    later = Market(end.timestamp_s, start.spot_usd, start.slices, {})
    moved = Market(end.timestamp_s, end.spot_usd, start.slices, {})
    forward, vol = forward_and_vol(legs, start)
    before = _at(legs, start, forward, vol)
    aged = _at(legs, later, forward, vol)
    carried = _at(legs, later, forward_and_vol(legs, later)[0], vol)
    shifted = _at(legs, moved, forward_and_vol(legs, moved)[0], vol)
    last = _at(legs, end, *forward_and_vol(legs, end))
    renewed = _at(legs, end, last.forward, vol)
    alive_0, alive_1 = (legs.expiry_s > market.timestamp_s for market in (start, end))
    size = np.where(alive_0, legs.size, 0.0)
    left = np.where(alive_1, size, 0.0)
    move = end.spot_usd - start.spot_usd
    delta = _sum(size * carried.greeks.delta) * move
    series = _volatility_series(
        left, leg_cross_greeks(legs, later, carried.forward, vol), move, last.vol - vol
    )
    repriced = _sum(left * (last.price - renewed.price))
    expired_at = np.where(alive_0, shifted.price, payoff(legs, start))
    gone = np.where(alive_1, 0.0, legs.size)
    return OptionTerms(
        theta=_sum(size * (aged.price - before.price)),
        carry=_sum(size * (carried.price - aged.price))
        + _sum(left * (renewed.price - shifted.price)),
        delta=delta,
        gamma=_sum(size * (shifted.price - carried.price)) - delta,
        vega=series[0],
        vanna=series[1],
        volga=series[2],
        higher_order=repriced - math.fsum(series),
        settlement=_sum(gone * (payoff(legs, end) - expired_at)),
    )


def _volatility_series(
    size: FloatArray, greeks: black76.CrossGreeks, move: float, smile: FloatArray
) -> tuple[float, float, float]:
    """Vega, vanna and volga terms of a spot move with a volatility move of each leg, USD."""
    return (
        _sum(size * greeks.vega * smile),
        _sum(size * greeks.vanna * move * smile),
        _sum(size * 0.5 * greeks.volga * smile * smile),
    )


def _sum(parts: Iterable[float]) -> float:
    """Exact, so that the terms add up to the change of value however large the parts are."""
    return math.fsum(parts)
