"""What sizing reads of a snapshot: volatility at the money, vega sold, and margin per vega, for each expiry."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from keeper.errors import PricingError
from keeper.models import OptionLeg, Snapshot
from keeper.policies.sizing import ExpiryView
from keeper.portfolio.book import LegArrays, Market, forward_and_vol, leg_greeks, market_of
from keeper.portfolio.positions import Holdings
from keeper.portfolio.stress_grid import StressParameters, stress_grid


def read_views(
    snapshot: Snapshot,
    forecast_vols: Mapping[int, float],
    half_spread_vol: float,
    parameters: StressParameters | None = None,
) -> tuple[ExpiryView, ...]:
    """One view for each expiry in `forecast_vols` (unix seconds -> volatility a year), soonest first.

    Volatility is the surface's at the forward, bid and ask `half_spread_vol` around it; margin per vega is that of a
    delta-hedged straddle there, sold and bought. Raises PricingError for an expiry that is over or has no slice.
    """
    market = market_of(snapshot)
    used = parameters or StressParameters()
    views = []
    for expiry_s, forecast in sorted(forecast_vols.items()):
        if expiry_s <= snapshot.timestamp_s or expiry_s not in market.slices:
            raise PricingError(f"expiry {expiry_s} is over or the surface has no slice of it")
        straddle = _straddle(snapshot, market, expiry_s)
        columns = LegArrays.of(straddle)
        forward, vol = forward_and_vol(columns, market)
        vega = float(leg_greeks(columns, market, forward, vol).vega.sum())
        if not vega > 0.0:
            raise PricingError(f"expiry {expiry_s} has no volatility to trade: check its slice")
        views.append(
            ExpiryView(
                expiry_s=expiry_s,
                bid_vol=float(vol[0]) - half_spread_vol,
                ask_vol=float(vol[0]) + half_spread_vol,
                forecast_vol=forecast,
                vega_sold=-_vega_of(snapshot, market, expiry_s),
                margin_per_vega_sold=_margin(straddle, market, -1.0, used) / vega,
                margin_per_vega_bought=_margin(straddle, market, 1.0, used) / vega,
            )
        )
    return tuple(views)


def _straddle(snapshot: Snapshot, market: Market, expiry_s: int) -> tuple[OptionLeg, OptionLeg]:
    """One call and one put, struck at the forward."""
    probe = OptionLeg(0, snapshot.underlying, expiry_s, snapshot.spot_usd, True, 1.0)
    forward = float(forward_and_vol(LegArrays.of([probe]), market)[0][0])
    call = replace(probe, strike_usd=forward)
    return call, replace(call, is_call=False)


def _vega_of(snapshot: Snapshot, market: Market, expiry_s: int) -> float:
    mine = [
        leg
        for leg in snapshot.legs
        if leg.underlying == snapshot.underlying and leg.expiry_s == expiry_s
    ]
    columns = LegArrays.of(mine)
    vega = leg_greeks(columns, market, *forward_and_vol(columns, market)).vega
    return float(np.dot(columns.size, vega))


def _margin(
    straddle: tuple[OptionLeg, OptionLeg], market: Market, size: float, used: StressParameters
) -> float:
    """Initial margin in USD of `size` straddles hedged in spot."""
    legs = tuple(replace(leg, size=size) for leg in straddle)
    columns = LegArrays.of(legs)
    delta = leg_greeks(columns, market, *forward_and_vol(columns, market)).delta
    base = -float(np.dot(columns.size, delta))
    return stress_grid(Holdings(market, legs, base), used).initial_usd
