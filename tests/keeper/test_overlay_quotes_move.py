"""Moving the desk's own quotes: closed forms against a simulation of the arrivals, and bad input."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from keeper.errors import PricingError
from keeper.policies.overlay_quotes_move import MANNERS, Arrivals, cheapest_move, move_for

BASE = Arrivals(rate_per_hour=2.0, decay=60.0, vega_usd=40.0, half_spread=0.02)
arrivals = st.builds(
    Arrivals,
    st.floats(0.01, 100.0),
    st.floats(5.0, 300.0),
    st.floats(0.1, 1e4),
    st.floats(0.0, 0.05),
    st.floats(0.0, 100.0),
)
manners = st.sampled_from(MANNERS)


@given(arrivals, st.floats(1e-6, 1e5), st.floats(0.1, 500.0), manners)
def test_the_move_brings_the_vega_in_time(model, vega, hours, manner):
    found = move_for(vega, hours, model, manner)
    near, far = model.flows(found.move, manner)
    assert model.vega_usd * (near - far) * hours == pytest.approx(vega, rel=1e-6)
    assert found.hours == pytest.approx(hours, rel=1e-6)
    assert found.move >= 0.0
    mirrored = move_for(-vega, hours, model, manner)
    assert mirrored == found


@given(arrivals, st.floats(1.0, 1e4), st.floats(0.5, 100.0), manners)
def test_the_cheapest_move_is_no_dearer_than_others_in_time(model, vega, deadline, manner):
    best = cheapest_move(vega, deadline, model, manner)
    assert best.hours <= deadline * (1 + 1e-6)
    for share in (1.0, 0.8, 0.5, 0.2):
        other = move_for(vega, deadline * share, model, manner)
        assert best.cost_usd <= other.cost_usd * (1 + 1e-6) + 1e-9


@given(st.floats(10.0, 1e3), st.floats(1.0, 50.0), manners)
def test_more_vega_or_less_time_takes_a_larger_move(vega, hours, manner):
    found = move_for(vega, hours, BASE, manner)
    assert move_for(2 * vega, hours, BASE, manner).move > found.move
    assert move_for(vega, hours / 2, BASE, manner).move > found.move
    assert move_for(vega, hours, replace(BASE, rate_per_hour=4.0), manner).move < found.move
    one_side = move_for(vega, hours, BASE, "one_side")
    assert move_for(vega, hours, BASE, "mid").move <= one_side.move


@pytest.mark.parametrize("manner", MANNERS)
def test_a_simulation_of_the_takers_agrees(manner):
    """Poisson arrivals on both sides: mean net vega, edge given up, and the odds by the deadline."""
    vega, hours, paths = 600.0, 12.0, 200_000
    found = move_for(vega, hours, BASE, manner)
    rng = np.random.default_rng(3)
    away = BASE.half_spread + (found.move if manner == "mid" else 0.0)
    distances = (BASE.half_spread - found.move, away)
    means = [2.0 * math.exp(-60.0 * d) * hours for d in distances]
    hits = [rng.poisson(mean, paths) for mean in means]
    net = 40.0 * (hits[0] - hits[1])
    assert net.mean() == pytest.approx(vega, rel=0.005)
    assert np.mean(net >= vega) == pytest.approx(found.in_time, abs=0.004)
    earned = 40.0 * (hits[0] * distances[0] + hits[1] * distances[1]).mean()
    still = 2.0 * 40.0 * 2.0 * math.exp(-1.2) * 0.02 * hours
    assert still - earned == pytest.approx(found.edge_given_up_usd, abs=0.15)


def test_waiting_is_worth_a_faster_move():
    patient = cheapest_move(600.0, 48.0, BASE)
    hurried = cheapest_move(600.0, 48.0, replace(BASE, waiting_usd_per_hour=20.0))
    assert hurried.move > patient.move
    assert hurried.hours < patient.hours
    assert hurried.waiting_usd == pytest.approx(20.0 * hurried.hours)
    assert hurried.cost_usd == hurried.waiting_usd + hurried.edge_given_up_usd


def test_no_vega_is_no_move():
    for found in (move_for(0.0, 5.0, BASE), cheapest_move(0.0, 5.0, BASE, "one_side")):
        assert (found.move, found.cost_usd, found.in_time) == (0.0, 0.0, 1.0)


@pytest.mark.parametrize(
    ("call", "names"),
    [
        (lambda: replace(BASE, rate_per_hour=0.0), "rate_per_hour"),
        (lambda: replace(BASE, decay=math.nan), "decay"),
        (lambda: replace(BASE, vega_usd=math.inf), "vega_usd"),
        (lambda: replace(BASE, half_spread=-0.01), "half_spread"),
        (lambda: replace(BASE, waiting_usd_per_hour=math.nan), "waiting"),
        (lambda: move_for(math.nan, 1.0, BASE), "vega to attract"),
        (lambda: move_for(1.0, 0.0, BASE), "hours"),
        (lambda: move_for(1.0, math.inf, BASE), "hours"),
        (lambda: move_for(1e30, 1.0, BASE), "wait longer"),
        (lambda: move_for(1.0, 1.0, replace(BASE, decay=1e6)), "wait longer"),
    ],
)
def test_bad_input_is_named(call, names):
    with pytest.raises(PricingError, match=names):
        call()
