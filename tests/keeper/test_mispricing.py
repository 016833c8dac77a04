"""Planted mispricings are found with their side, size and costs; a fair chain holds none."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from keeper.errors import DataError
from keeper.pricing.black76 import greeks, price
from keeper.pricing.mispricing import Side, TradeCosts, fair_vols, judge, mispriced
from keeper.pricing.quote_choice import choose_quotes
from keeper.pricing.surface_fit import fit_quotes, fit_surface
from keeper.pricing.svi import implied_vol
from tests.keeper.surface_world import (
    SPOT_USD,
    TRUTH,
    changed,
    make_chain,
    strikes_for,
    with_rows,
    years,
)

FREE = TradeCosts(0.0, 0.0, 0.0)
SLICE, PLACE = 3, 10
ROW = SLICE * 15 + PLACE


def planted(points: float, half_width: float = 0.002):
    """The clean chain with one option's two sides moved by volatility points."""
    chain = make_chain(half_width=half_width)
    one, k = TRUTH[SLICE], strikes_for(TRUTH[SLICE])[PLACE]
    vol = float(implied_vol(one, k)) + points / 100
    f, strike, tau = chain.forward_usd[ROW], chain.strike_usd[ROW], years(one)
    bid, ask = (float(price(True, f, strike, v, tau)) for v in (vol - half_width, vol + half_width))
    return changed(chain, ROW, bid_usd=bid, ask_usd=ask)


def test_a_fair_chain_holds_nothing_after_costs():
    assert mispriced(fit_surface(make_chain(half_width=0.002))) == ()


@pytest.mark.parametrize(("points", "side"), [(4.0, Side.SELL), (-4.0, Side.BUY)])
def test_a_planted_option_is_found_first_with_its_side(points, side):
    found = mispriced(fit_surface(planted(points)))
    assert found
    best = found[0]
    chain = planted(points)
    assert (best.expiry_s, best.strike_usd, best.is_call) == (
        TRUTH[SLICE].expiry_s,
        chain.strike_usd[ROW],
        True,
    )
    assert best.side is side
    assert 100 * best.miss_vol == pytest.approx(points, abs=0.25)
    assert abs(best.deviations) > 2.0
    assert [m.edge_usd for m in found] == sorted((m.edge_usd for m in found), reverse=True)
    assert all(m.edge_usd > 0.0 for m in found)


def test_every_cost_is_taken_off_once():
    costs = TradeCosts(0.0003, 0.125, 0.0005, 86_400.0)
    surface = fit_surface(planted(4.0))
    best = mispriced(surface, costs)[0]
    free = mispriced(surface, FREE)[0]
    f, tau = surface.quotes.forward_usd[SLICE], years(TRUTH[SLICE])
    g = greeks(True, f, best.strike_usd, best.fair_vol, tau)
    mid = (best.bid_usd + best.ask_usd) / 2
    assert best.fair_usd == pytest.approx(float(g.price))
    assert best.miss_usd == pytest.approx(mid - best.fair_usd)
    assert best.half_spread_usd == pytest.approx((best.ask_usd - best.bid_usd) / 2)
    assert best.fee_usd == pytest.approx(min(0.0003 * f, 0.125 * mid))
    later = float(g.vega) * math.sqrt(2 / (math.pi / 365))
    assert best.hedge_usd == pytest.approx(0.0005 * (abs(float(g.delta)) * f + later))
    edge = abs(best.miss_usd) - best.half_spread_usd - best.fee_usd - best.hedge_usd
    assert best.edge_usd == pytest.approx(edge)
    assert best.edge_vol == pytest.approx(edge / float(g.vega))
    assert free.edge_usd == pytest.approx(abs(best.miss_usd) - best.half_spread_usd)


def test_hedging_cost_is_the_mean_absolute_change_of_delta():
    """The closed form against a hedge simulated in many small steps of the forward, half a year out."""
    one = TRUTH[-1]
    tau, dt = years(one), 1.0 / 365
    f = SPOT_USD * math.exp(one.carry * tau)
    strike = f * 1.05
    surface = fit_surface(make_chain())
    vol = surface.vol(one.expiry_s, strike)
    dice = np.random.default_rng(11)
    paths, steps = 4_000, round(tau / dt)
    forward, left = np.full(paths, f), tau
    calls = np.ones(paths, dtype=bool)
    delta = greeks(calls, forward, strike, vol, left).delta
    turnover = np.zeros(paths)
    for _ in range(steps - 1):
        z = dice.standard_normal(paths)
        forward = forward * np.exp(vol * math.sqrt(dt) * z - vol**2 * dt / 2)
        left -= dt
        now = greeks(calls, forward, strike, vol, left).delta
        turnover += np.abs(now - delta) * forward
        delta = now
    g = greeks(True, f, strike, vol, tau)
    closed = float(g.vega) * math.sqrt(2 / (math.pi * dt))
    assert turnover.mean() == pytest.approx(closed, rel=0.05)


def test_an_expiry_before_the_first_rehedge_is_hedged_once():
    surface = fit_surface(planted(4.0))
    rare = TradeCosts(0.0, 0.0, 0.0005, 400 * 86_400.0)
    best = mispriced(surface, rare)[0]
    g = greeks(
        True, surface.quotes.forward_usd[SLICE], best.strike_usd, best.fair_vol, years(TRUTH[SLICE])
    )
    assert best.hedge_usd == pytest.approx(
        0.0005 * abs(float(g.delta)) * surface.quotes.forward_usd[SLICE]
    )


def test_a_quote_has_no_part_in_its_own_fair_value():
    """Two chains that differ in one quote give that quote the same fair volatility."""
    first, second = (fair_vols(fit_surface(planted(p))) for p in (0.0, 3.0))
    assert first[SLICE, PLACE] == second[SLICE, PLACE]
    assert first[SLICE, PLACE - 1] != second[SLICE, PLACE - 1]
    quotes = choose_quotes(planted(3.0))
    alone = quotes.quoted.copy()
    alone[0] = np.arange(15) == 4
    assert np.isfinite(fit_quotes(quotes, alone).vols()).all()


def test_quotes_of_others_are_judged_on_common_ground_only():
    surface = fit_surface(with_rows(make_chain(), np.arange(15, 75)))
    other = choose_quotes(make_chain(count=21, half_width=0.01))
    found = judge(other, surface)
    assert TRUTH[0].expiry_s not in {m.expiry_s for m in found}
    for one in TRUTH[1:]:
        k = strikes_for(one)
        f = SPOT_USD * math.exp(one.carry * years(one))
        here = [m.strike_usd for m in found if m.expiry_s == one.expiry_s]
        assert min(here) >= f * math.exp(k[0]) * (1 - 1e-9)
        assert max(here) <= f * math.exp(k[-1]) * (1 + 1e-9)
    with pytest.raises(DataError, match="no quote on the expiries"):
        judge(choose_quotes(with_rows(make_chain(), np.arange(15))), surface)


def test_costs_out_of_range_are_refused():
    for values in (
        {"fee_of_notional": -1e-9},
        {"rehedge_interval_s": 0.0},
        {"hedge_of_notional": np.nan},
    ):
        with pytest.raises(DataError, match="costs"):
            replace(FREE, **values)
