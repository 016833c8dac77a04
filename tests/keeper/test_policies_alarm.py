"""A warning tightens the band and narrows the gamma range, calm widens the band, both inside their limits."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from keeper.errors import ConfigError, PricingError
from keeper.models import Costs, Forecast
from keeper.policies import build_policy
from keeper.policies.alarm import AlarmParameters, aversion_factor
from keeper.policies.delta_band import DeltaBand
from keeper.policies.overlay import GammaVegaOverlay, Status
from keeper.policies.overlay_quotes import Limits, MakerQuote, Range
from keeper.policies.predictive_gamma import PredictiveGamma
from keeper.portfolio.book import value_book
from keeper.runtime.codec import from_json, to_json
from keeper.simulation import hedge_simulator as sim
from keeper.simulation.hedge_problem import HedgingProblem
from keeper.simulation.option_book import Leg
from keeper.simulation.paths import lognormal_paths
from tests.keeper.keeper_builders import FAR_S, NEAR_S, leg, snapshot, svi_slice

LEGS = (leg(200.0, -10.0), leg(170.0, -8.0, is_call=False))
SNAP = snapshot(legs=LEGS, slices=(svi_slice(NEAR_S, 1.1), svi_slice(FAR_S, 0.9)))
BOOK = value_book(SNAP)
COSTS = Costs(4.0, 1e-3)


def forecast(stress=None):
    return Forecast(0.9, 86_400, stress)


def gas_band(stress=None, **alarm):
    policy = build_policy("gas_band", {"alarm": alarm} if alarm else {})
    return policy.decide(SNAP, BOOK, forecast(stress), COSTS)


@given(st.floats(0.0, 1.0), st.floats(0.0, 1.0), st.floats(0.0, 50.0), st.floats(0.0, 1.0))
def test_the_factor_rises_with_the_warning_inside_its_limits(p, q, weight, usual):
    own = AlarmParameters(weight=weight, usual=usual)
    low, high = aversion_factor(min(p, q), own), aversion_factor(max(p, q), own)
    assert 0.5 <= low <= high <= 3.0
    assert aversion_factor(usual, own) == pytest.approx(1.0)
    assert aversion_factor(p, AlarmParameters(weight=0.0)) == 1.0


def test_no_warning_changes_nothing():
    assert aversion_factor(None, AlarmParameters()) == 1.0
    plain, usual = gas_band(), gas_band(AlarmParameters().usual)
    assert plain.diagnostics["alarm_factor"] == 1.0
    assert usual.band_eth == pytest.approx(plain.band_eth, rel=1e-12)


def test_the_band_tightens_before_a_storm_and_widens_in_calm():
    calm, usual, storm = (gas_band(p).band_eth for p in (0.0, 0.085, 0.8))
    assert storm < 0.95 * usual < usual < calm
    assert gas_band(1.0, most=1.5, weight=100.0).diagnostics["alarm_factor"] == 1.5
    assert gas_band(0.0, least=0.9, weight=100.0).diagnostics["alarm_factor"] == 0.9
    assert gas_band(1.0, weight=0.0).band_eth == gas_band().band_eth


@pytest.mark.parametrize("stress", [-0.1, 1.1, math.nan, math.inf])
def test_a_chance_that_is_none_is_refused(stress):
    with pytest.raises(PricingError, match="stress"):
        gas_band(stress)


@pytest.mark.parametrize("bad", [{"least": 0.0}, {"most": 0.5}, {"weight": -1.0}, {"usual": 2.0}])
def test_bad_parameters_are_refused(bad):
    with pytest.raises(ConfigError, match=next(iter(bad))):
        build_policy("gas_band", {"alarm": bad})


def test_a_decision_on_a_warning_can_be_replayed():
    for given_ in (forecast(), forecast(0.3)):
        assert from_json(Forecast, to_json(given_)) == given_
    assert from_json(Forecast, '{"vol":0.9,"horizon_s":86400}') == forecast()


def overlay(low):
    """A maker who sells calls, and a desk that lets gamma fall to `low`."""
    series = leg(200.0, 1.0)
    quote = MakerQuote("a", series.series_id, 1, FAR_S, 200.0, True, "buy", 9.0, 12.0, 1.0)
    return GammaVegaOverlay(Limits(gamma=Range(low, math.inf)), (quote,), DeltaBand())


def test_gamma_is_hedged_ahead_and_only_then():
    """The book is inside the desk's range; with a warning it is not, and options are bought before the storm."""
    gamma = BOOK.gamma_eth_per_usd
    assert gamma < 0.0
    policy = PredictiveGamma(overlay(1.3 * gamma))
    for stress in (None, 0.0, 0.085):
        quiet = policy.decide(SNAP, BOOK, forecast(stress), COSTS)
        assert quiet.options.status is Status.INSIDE
        assert quiet.diagnostics["alarm_factor"] == 1.0
    ahead = policy.decide(SNAP, BOOK, forecast(0.6), COSTS)
    factor = ahead.diagnostics["alarm_factor"]
    assert factor == pytest.approx((1 + 3 * 0.6) / (1 + 3 * 0.085))
    assert ahead.options.trades
    reading = next(row for row in ahead.options.readings if "gamma" in row.name)
    assert reading.before == pytest.approx(gamma)
    assert reading.after >= 1.3 * gamma / factor > gamma


def test_an_end_that_asks_for_gamma_is_left_alone():
    wanted = 0.5 * abs(BOOK.gamma_eth_per_usd)
    plan = PredictiveGamma(overlay(wanted)).decide(SNAP, BOOK, forecast(1.0), COSTS)
    assert next(r for r in plan.options.readings if "gamma" in r.name).low == wanted


def test_heeding_a_true_warning_leaves_less_risk_at_the_same_cost():
    """Days of gaps of 10 % up or down, announced at 40 %, in 8,000 paths: band alone, no options."""
    base = HedgingProblem((Leg(True, 100.0, -1.0),), 100.0, 0.8, 30 / 365, 240, 0.02, 5e-4, 1.7)
    dice, count = np.random.default_rng(3), 8_000
    announced = np.where(dice.random(30) < 0.2, 0.4, 0.02)
    gaps = np.zeros((241, count))
    for day, chance in enumerate(announced):
        hit = np.flatnonzero(dice.random(count) < chance)
        gaps[day * 8 + dice.integers(1, 8, hit.size), hit] = dice.choice((-0.1, 0.1), hit.size)
    paths = lognormal_paths(100.0, 0.8, 30 / 365, 240, count, 7) * np.exp(np.cumsum(gaps, axis=0))

    def outcome(weight):
        own = AlarmParameters(weight=weight, usual=float(announced.mean()))
        rules = {
            p: sim.gas_band_rule(
                HedgingProblem(
                    base.legs, 100.0, 0.8, 30 / 365, 240, 0.02, 5e-4, 2.4 * aversion_factor(p, own)
                )
            )
            for p in set(announced.tolist())
        }
        found = sim.simulate(base, lambda i, s: rules[announced[i // 8]](i, s), paths)
        return found.shortfall_95, float(found.cost.mean())

    deaf, heeding = outcome(0.0), outcome(8.0)
    assert heeding[0] < deaf[0]
    assert heeding[1] < 1.02 * deaf[1]
