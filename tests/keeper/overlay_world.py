"""A desk that is short options, makers' quotes to mend it, and every combination of them."""

from __future__ import annotations

import itertools
import math
from dataclasses import replace

from keeper.models import Costs, Forecast
from keeper.policies.overlay_quotes import Limits, MakerQuote, Range
from keeper.portfolio.book import value_book
from tests.keeper.keeper_builders import FAR_S, NEAR_S, leg, snapshot, svi_slice

FORECAST = Forecast(0.9, 86_400)
COSTS = Costs(25.0, 0.02)
LEGS = (leg(200.0, -10.0), leg(170.0, -8.0, is_call=False), leg(195.0, -6.0, expiry_s=NEAR_S))
SNAP = snapshot(legs=LEGS, slices=(svi_slice(NEAR_S, 1.1), svi_slice(FAR_S, 0.9)))


def quote(name="a", strike=200.0, desk="buy", price=9.0, size=12.0, lot=1.0, expiry=FAR_S, **more):
    series = leg(strike, 1.0, expiry_s=expiry)
    return MakerQuote(
        name, series.series_id, 1, expiry, strike, True, desk, price, size, lot, **more
    )


def brute_force(quotes, limits, snap=SNAP, band=5.0, max_legs=4, budget=math.inf):
    """Every combination of lots: the least cost inside or None, and all breaches; readings by value_book alone."""
    base, best, breaches = value_book(snap), None, []
    marks = {q.quote_id: value_book(replace(snap, legs=(q.leg(1),))) for q in quotes}
    counts = [[0, *range(q.least_lots, q.most_lots + 1)] for q in quotes]
    for lots in itertools.product(*counts):
        used = [(q, n) for q, n in zip(quotes, lots, strict=True) if n]
        gamma = base.gamma_eth_per_usd + sum(
            n * marks[q.quote_id].gamma_eth_per_usd for q, n in used
        )
        vega = base.vega_usd + sum(n * marks[q.quote_id].vega_usd for q, n in used)
        if len(used) > max_legs:
            continue
        if sum(n * q.sign * q.lot * q.price_usd for q, n in used) > budget:
            continue
        if any(
            a.series_id == b.series_id and a.desk != b.desk
            for (a, _), (b, _) in itertools.combinations(used, 2)
        ):
            continue
        breaches.append((limits.gamma.breach(gamma), limits.vega.breach(vega)))
        if max(breaches[-1]) > 0.0:
            continue
        delta = base.delta_eth + sum(
            n * (marks[q.quote_id].delta_eth - snap.base_eth - sum(v.base_eth for v in snap.venues))
            for q, n in used
        )
        excess = max(abs(delta) - band, 0.0)
        cost = COSTS.proportional * snap.spot_usd * excess + (COSTS.fixed_usd if excess else 0.0)
        for q, n in used:
            per_lot = q.sign * q.lot * q.price_usd - marks[q.quote_id].option_value_usd
            cost += max(per_lot, 0.0) * n + q.gas_usd
        best = cost if best is None else min(best, cost)
    return best, breaches


def narrowed(limits):
    """By more than the solver's tolerance: a plan this far inside must be found."""
    gamma, vega = limits.gamma, limits.vega
    return Limits(
        Range(gamma.low + 1e-5, gamma.high - 1e-5), Range(vega.low + 3e-3, vega.high - 3e-3)
    )
