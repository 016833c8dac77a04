"""Position sizing: closed forms, optimality by other means, what each limit does, and bad input."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize

from keeper.errors import PricingError
from keeper.policies.sizing import Capital, ExpiryView, SizingParameters, size_book
from keeper.policies.sizing_edge import ErrorModel, vol_edge
from keeper.policies.sizing_solver import Programme, optimise
from keeper.policies.sizing_views import read_views
from keeper.portfolio.stress_grid import StressParameters
from tests.keeper.keeper_builders import FAR_S, NEAR_S, NOW_S, leg, snapshot

FREE = SizingParameters(
    kelly_fraction=1.0, max_drawdown=0.9, drawdown_probability=0.9, margin_utilisation=1.0,
    loss_multiple=1e-3, loss_share=1.0,
)  # fmt: skip
RICH = Capital(1e6, 1e6)


def view(expiry=1, bid=0.7, ask=0.7, forecast=0.6, held=0.0, sold=0.0, bought=0.0, most=math.inf):
    return ExpiryView(expiry, bid, ask, forecast, held, sold, bought, most)


def errors(*deviations, correlation=0.0, doubt=0.0):
    s = np.array(deviations)
    c = np.outer(s, s) * (correlation + (1 - correlation) * np.eye(s.size))
    return ErrorModel(c, doubt**2 * c)


def vegas(plan):
    return np.array([row.target_vega_sold for row in plan.expiries])


def test_without_limits_it_is_kellys_closed_form():
    """Vegas W Omega^-1 m, with edge (I^2 - F) / 2I and errors F / 2I times the relative ones."""
    views = (view(1, 0.7, 0.7, 0.6), view(2, 0.8, 0.8, 0.85), view(3, 0.65, 0.65, 0.6))
    model = errors(0.8, 0.6, 0.5, correlation=0.5)
    i, f = np.array([0.7, 0.8, 0.65]), np.array([0.6, 0.85, 0.6])
    unit = f * f / (2 * i)
    omega = model.covariance * np.outer(unit, unit)
    expected = 1e6 * np.linalg.solve(omega, (i * i - f * f) / (2 * i))
    assert vegas(size_book(views, RICH, model, FREE)) == pytest.approx(expected, rel=1e-8)
    half = size_book(views, RICH, model, FREE.model_copy(update={"kelly_fraction": 0.5}))
    assert vegas(half) == pytest.approx(expected / 2, rel=1e-8)
    assert size_book(views, RICH, model, FREE).binding == ()


cases = st.integers(1, 4).flatmap(
    lambda n: st.tuples(
        *[
            st.lists(st.floats(lo, hi), min_size=n, max_size=n)
            for lo, hi in ((0.3, 1.2), (0.0, 0.04), (0.3, 1.2), (-3e5, 3e5), (0.3, 1.0), (0.1, 3.0))
        ],
        st.floats(0.0, 0.9),
        st.floats(1e3, 1e6),
        st.floats(2e3, 1e6),
    )
)


@settings(max_examples=40)
@given(cases)
def test_no_other_sizes_are_better(case):
    """Against a general solver on the same problem, and inside every limit."""
    mid, half, forecast, held, spread, margin, correlation, room, deviation = case
    mid, half, forecast = (np.array(x) for x in (mid, half, forecast))
    p = Programme(
        sell=vol_edge(mid - half, forecast),
        buy=-vol_edge(mid + half, forecast),
        start=np.array(held),
        covariance=errors(*spread, correlation=correlation).covariance,
        aversion=1e-6,
        margin_sold=np.array(margin),
        margin_bought=0.5 * np.array(margin),
        margin=room,
        deviation=deviation,
        low=np.full(mid.size, -1e6),
        high=np.full(mid.size, 1e6),
    )
    x = optimise(p).x
    assert p.margin_of(x) <= room * (1 + 1e-9)
    assert p.deviation_of(x) <= deviation * (1 + 1e-9)
    best = worth(p, x)
    y = by_general_solver(p)
    if p.margin_of(y) <= room * (1 + 1e-6) and p.deviation_of(y) <= deviation * (1 + 1e-6):
        assert worth(p, y) <= best + 1e-5 * (abs(best) + 1.0)
    for step in (1e-3, -1e-3):
        for i in range(mid.size):
            moved = x.copy()
            moved[i] += step * (1.0 + abs(x[i]))
            if p.margin_of(moved) <= room and p.deviation_of(moved) <= deviation:
                assert worth(p, moved) <= best + 1e-9 * (abs(best) + 1.0)


def by_general_solver(p):
    """SLSQP on the problem split into sold, bought, added and removed, in units of 1e5."""
    n, scale = p.start.size, 1e5
    zero = np.zeros(n)

    def split(z):
        return z[:n] - z[n : 2 * n], z[2 * n : 3 * n], z[3 * n :]

    def negative(z):
        y, up, down = (scale * part for part in split(z))
        return -(p.sell @ up + p.buy @ down - 0.5 * p.aversion * y @ p.covariance @ y) / scale

    limits = [
        {"type": "ineq", "fun": lambda z: p.margin / scale - p.margin_sold @ z[:n] - p.margin_bought @ z[n : 2 * n]},
        {"type": "ineq", "fun": lambda z: (p.deviation / scale) ** 2 - split(z)[0] @ p.covariance @ split(z)[0]},
        {"type": "eq", "fun": lambda z: split(z)[0] - p.start / scale - split(z)[1] + split(z)[2]},
    ]  # fmt: skip
    start = np.concatenate([zero, zero, np.maximum(-p.start, 0), np.maximum(p.start, 0)]) / scale
    found = minimize(
        negative, start, bounds=[(0, 10)] * (4 * n), constraints=limits, method="SLSQP",
        options={"maxiter": 400, "ftol": 1e-14},
    )  # fmt: skip
    return scale * split(found.x)[0]


def worth(p, x):
    up, down = np.maximum(x - p.start, 0), np.maximum(p.start - x, 0)
    return float(p.sell @ up + p.buy @ down - 0.5 * p.aversion * x @ p.covariance @ x)


def test_correlated_expiries_share_the_bet():
    views = (view(1), view(2))
    apart = vegas(size_book(views, RICH, errors(0.7, 0.7), FREE))
    together = vegas(size_book(views, RICH, errors(0.7, 0.7, correlation=0.8), FREE))
    assert together == pytest.approx(apart / 1.8, rel=1e-8)


def test_an_edge_within_its_own_error_is_no_bet():
    edge, sd = float(vol_edge(0.7, 0.6)), 0.7 * 0.36 / 1.4
    doubt = edge / sd
    assert vegas(size_book((view(),), RICH, errors(0.7, doubt=doubt * 1.01), FREE)) == [0.0]
    half = size_book((view(),), RICH, errors(0.7, doubt=doubt / math.sqrt(2)), FREE)
    assert half.uncertainty_share == pytest.approx(0.5)
    assert half.binding == ("uncertainty",)
    sure = size_book((view(),), RICH, errors(0.7), FREE)
    assert vegas(half)[0] == pytest.approx(vegas(sure)[0] / 2)


def test_exposure_falls_to_nothing_on_the_way_to_the_floor():
    sizes = []
    own = FREE.model_copy(update={"max_drawdown": 0.2})
    for equity in (1e6, 9e5, 8.5e5, 8e5, 5e5, -1.0):
        plan = size_book((view(held=10.0),), Capital(equity, 1e6), errors(0.7), own)
        sizes.append(vegas(plan)[0])
        assert plan.expiries[0].trade_vega_sold == pytest.approx(sizes[-1] - 10.0)
    assert sizes[1] == pytest.approx(sizes[0] * 0.9 * 0.5)
    assert sizes[:3] == sorted(sizes[:3], reverse=True)
    assert sizes[3:] == [0.0, 0.0, 0.0]
    assert plan.binding == ("drawdown",)


def test_each_limit_binds_and_says_so():
    plain = size_book((view(sold=1.0, bought=1.0),), RICH, errors(0.7), FREE)
    size = vegas(plain)[0]
    tight = size_book((view(sold=4e6 / size, bought=1.0),), RICH, errors(0.7), FREE)
    assert tight.binding == ("margin",)
    assert tight.margin_usd == pytest.approx(1e6)
    assert vegas(tight)[0] == pytest.approx(size / 4)
    assert tight.margin_price > 0.0
    loss = FREE.model_copy(update={"loss_multiple": 1.8e6 / plain.deviation_usd})
    lossy = size_book((view(),), RICH, errors(0.7), loss)
    assert lossy.binding == ("loss",)
    assert lossy.deviation_usd == pytest.approx(plain.deviation_usd / 2)
    capped = size_book((view(most=7.0),), RICH, errors(0.7), FREE)
    assert vegas(capped) == [7.0]
    assert capped.binding == ("size",)
    full = size_book((view(sold=1.0, bought=1.0),), replace(RICH, other_margin_usd=1e6), errors(0.7), FREE)  # fmt: skip
    assert vegas(full) == [0.0]


def test_small_edges_do_not_pay_the_spread():
    fair = view(bid=0.59, ask=0.61, forecast=0.6)
    assert vegas(size_book((fair,), RICH, errors(0.7), FREE)) == [0.0]
    wide = view(bid=0.66, ask=0.74)
    fresh, ideal = (vegas(size_book((v,), RICH, errors(0.7), FREE))[0] for v in (wide, view()))
    assert 0.0 < fresh < ideal
    for held in (fresh * 1.001, ideal, ideal * 1.1):
        kept = size_book((replace(wide, vega_sold=held),), RICH, errors(0.7), FREE)
        assert kept.expiries[0].trade_vega_sold == pytest.approx(0.0, abs=1e-6)
    cheap = size_book((view(bid=0.55, ask=0.56),), RICH, errors(0.7), FREE)
    assert vegas(cheap)[0] < 0.0


def test_views_of_a_snapshot():
    snap = snapshot(legs=(leg(190.0, -5.0), leg(190.0, 2.0, expiry_s=NEAR_S)))
    near, far = read_views(snap, {FAR_S: 0.8, NEAR_S: 1.0}, 0.02, StressParameters())
    assert (near.expiry_s, far.expiry_s) == (NEAR_S, FAR_S)
    assert near.vega_sold < 0.0 < far.vega_sold
    assert far.ask_vol - far.bid_vol == pytest.approx(0.04)
    assert far.margin_per_vega_sold > far.margin_per_vega_bought > 0.0
    plan = size_book((near, far), Capital(1e5, 1e5), errors(0.8, 0.7, correlation=0.6))
    assert len(plan.expiries) == 2
    for wrong in (NOW_S, FAR_S + 86_400):
        with pytest.raises(PricingError, match=f"expiry {wrong}"):
            read_views(snap, {wrong: 0.8}, 0.02)


@pytest.mark.parametrize(
    ("call", "names"),
    [
        (lambda: view(bid=math.nan), "bid nan"),
        (lambda: view(bid=0.8, ask=0.7), "bid <= ask"),
        (lambda: view(forecast=0.0), "forecast"),
        (lambda: view(held=math.inf), "vega inf"),
        (lambda: view(sold=-1.0), "margin per vega"),
        (lambda: view(most=math.nan), "at most"),
        (lambda: Capital(2.0, 1.0), "above its peak"),
        (lambda: Capital(math.nan, 1.0), "equity"),
        (lambda: Capital(1.0, 1.0, math.nan), "other margin"),
        (lambda: size_book((), RICH, errors(0.7), FREE), "at least one"),
        (lambda: size_book((view(), view()), RICH, errors(0.7, 0.7), FREE), "each given once"),
        (lambda: size_book((view(),), RICH, errors(0.7, 0.6), FREE), "one row an expiry"),
    ],
)
def test_bad_input_is_named(call, names):
    with pytest.raises(PricingError, match=names):
        call()
