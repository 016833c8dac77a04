"""What every policy must obey, whatever its parameters; and the registry that the configuration uses."""

from __future__ import annotations

import math
from dataclasses import FrozenInstanceError, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from keeper.errors import ConfigError, PricingError
from keeper.models import Book, Costs, Forecast
from keeper.policies import build_policy, policy_names
from keeper.policies.delta_band import DeltaBand, DeltaBandParameters
from tests.keeper.keeper_builders import RULES, snapshot

FORECAST = Forecast(vol=0.9, horizon_s=3_600)
COSTS = Costs(fixed_usd=10.0, proportional=0.001)


def book(delta):
    """Options and hedge in opposition, so that only the net can be right."""
    return Book(-500.0, delta + 17.0, -17.0, -0.1, -300.0, 900.0)


def decide(policy, delta, **changes):
    return policy.decide(snapshot(**changes), book(delta), FORECAST, COSTS)


def band_policy(**parameters):
    return build_policy("delta_band", parameters)


deltas = st.floats(-1e6, 1e6)
bands = st.floats(1e-6, 1e4)
ends = st.sampled_from(["centre", "edge"])
clips = st.one_of(st.none(), st.floats(1e-6, 1e4))


@given(deltas, bands, ends, clips)
def test_a_trade_never_increases_delta_nor_crosses_zero(delta, band, to, clip):
    plan = decide(band_policy(band_eth=band, to=to, max_clip_eth=clip), delta)
    net = book(delta).delta_eth
    after = net + plan.trade_eth
    assert abs(after) <= abs(net)
    assert after * net >= 0.0
    assert plan.target_delta_eth == after
    assert clip is None or abs(plan.trade_eth) <= clip


@given(bands, st.floats(-1.0, 1.0), ends)
def test_inside_the_band_nothing_is_traded(band, share, to):
    delta = band * share
    plan = decide(band_policy(band_eth=band * (1 + 1e-9) + 1e-9, to=to), delta)
    assert plan.trade_eth == 0.0
    assert "inside the band" in plan.reason


@given(st.floats(1.0, 1e4), st.floats(1.01, 100.0))
def test_outside_the_band_it_trades_to_where_it_says(band, times):
    delta = band * times
    net = book(delta).delta_eth
    centre = decide(band_policy(band_eth=band), delta)
    edge = decide(band_policy(band_eth=band, to="edge"), delta)
    assert net + centre.trade_eth == 0.0
    assert net + edge.trade_eth == pytest.approx(band)
    assert (centre.target_delta_eth, centre.band_eth) == (0.0, band)


@given(deltas, bands, ends, clips)
def test_symmetric(delta, band, to, clip):
    policy = band_policy(band_eth=band, to=to, max_clip_eth=clip)
    here = policy.decide(snapshot(), Book(0, delta, 0, 0, 0, 0), FORECAST, COSTS)
    there = policy.decide(snapshot(), Book(0, -delta, 0, 0, 0, 0), FORECAST, COSTS)
    assert here.trade_eth == -there.trade_eth


@given(deltas)
def test_after_its_trade_it_rests(delta):
    """No crumbs: with a still market the second look trades nothing, to the edge included."""
    policy = band_policy(band_eth=5.0, to="edge")
    first = decide(policy, delta)
    settled = Book(0.0, first.target_delta_eth, 0.0, 0.0, 0.0, 0.0)
    assert policy.decide(snapshot(), settled, FORECAST, COSTS).trade_eth == 0.0


def test_without_a_band_of_its_own_it_takes_the_contracts():
    plan = decide(DeltaBand(), 7.5, rules=replace(RULES, band_eth=7.0))
    assert (plan.band_eth, plan.trade_eth) == (7.0, -7.5)
    assert decide(DeltaBand(), 6.5, rules=replace(RULES, band_eth=7.0)).trade_eth == 0.0


def test_a_clip_says_what_it_cut():
    plan = decide(band_policy(band_eth=5.0, max_clip_eth=10.0), -35.0)
    assert (plan.trade_eth, plan.target_delta_eth) == (10.0, -25.0)
    assert plan.diagnostics["uncut_trade_eth"] == 35.0
    assert "clip" in plan.reason


@given(deltas)
def test_no_hedge_never_trades(delta):
    plan = decide(build_policy("no_hedge"), delta)
    assert plan.trade_eth == 0.0
    assert plan.target_delta_eth == book(delta).delta_eth


@pytest.mark.parametrize("name", policy_names())
@pytest.mark.parametrize("delta", [math.nan, math.inf])
def test_a_delta_that_is_no_number_makes_no_plan(name, delta):
    with pytest.raises(PricingError, match="net delta"):
        decide(build_policy(name), delta)


@pytest.mark.parametrize("name", policy_names())
def test_every_policy_is_pure_and_named(name):
    policy = build_policy(name)
    assert policy.name == name
    assert decide(policy, 9.0) == decide(policy, 9.0)
    with pytest.raises(FrozenInstanceError):
        policy.name = "other"


@pytest.mark.parametrize(
    ("name", "parameters", "says"),
    [
        ("gut_feeling", {}, "use one of delta_band, gas_band"),
        ("delta_band", {"band_eth": 0.0}, "band_eth: .*greater than 0"),
        ("delta_band", {"band_eth": math.nan}, "band_eth: .*finite"),
        ("delta_band", {"band_eth": "5"}, "band_eth: .*number"),
        ("delta_band", {"to": "center"}, "to: .*'centre' or 'edge'"),
        ("delta_band", {"max_clip_eth": -1.0}, "max_clip_eth"),
        ("delta_band", {"bend_eth": 5.0}, "bend_eth: .*parameters: band_eth, to, max_clip_eth"),
        ("no_hedge", {"band_eth": 5.0}, "band_eth: .*parameters: none"),
    ],
)
def test_bad_parameters_are_named(name, parameters, says):
    with pytest.raises(ConfigError, match=says):
        build_policy(name, parameters)


def test_parameters_are_frozen():
    with pytest.raises(ValidationError):
        DeltaBandParameters().band_eth = 3.0
