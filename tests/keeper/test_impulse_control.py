"""The numerical optimum, the simulator and the policies' formulas against each other and against anchors."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from keeper.errors import ConfigError
from keeper.simulation import hedge_simulator as sim
from keeper.simulation.hedge_problem import HedgingProblem
from keeper.simulation.impulse_control import GridSettings, evaluate, solve
from keeper.simulation.option_book import Leg, OptionBook
from keeper.simulation.paths import lognormal_paths

# The fee-only anchor: 20 daily steps of a 250-day year, no unwind.
FEE_ONLY = HedgingProblem(
    (Leg(True, 1.0, -1.0),), 1.0, 0.2, 20 / 250, 20, 0.0, 1e-3, 30.0, free_unwind=True
)
# The gas anchor with a look every 6 hours instead of every hour, to be quick.
GAS = HedgingProblem((Leg(True, 100.0, -1.0),), 100.0, 0.8, 30 / 365, 120, 0.02, 5e-4, 1.0)
COARSE = GridSettings(hedge_step=0.01, deviations=5.0)


def gap(problem, rule, grid=COARSE):
    """What a rule costs above the optimum, as a share of the optimum's excess over the fair premium."""
    fair = problem.fair_value()
    return (evaluate(problem, rule, grid) - fair) / (solve(problem, grid).value - fair) - 1


def test_the_fee_only_optimum_is_the_anchors():
    assert solve(FEE_ONLY, GridSettings(0.0025, 8)).value == pytest.approx(0.024165, abs=1e-5)


@pytest.mark.parametrize(("problem", "grid"), [(FEE_ONLY, GridSettings(0.005, 4)), (GAS, COARSE)])
def test_halving_the_grid_moves_the_value_by_less_than_a_thousandth(problem, grid):
    finer = replace(grid, hedge_step=grid.hedge_step / 2, per_step=2 * grid.per_step)
    assert solve(problem, finer).value == pytest.approx(solve(problem, grid).value, rel=1e-3)


def test_the_optimum_is_what_monte_carlo_finds():
    """Excess over the premium: the value itself is nearly all premium and would hide anything."""
    solution = solve(GAS, GridSettings(0.005, 2, 5.5))
    paths = lognormal_paths(GAS.spot, GAS.vol, GAS.years, GAS.steps, 20_000, 5)
    outcome = sim.simulate(GAS, solution.rule, paths)
    found = outcome.entropic_risk(GAS.risk_aversion)
    weights = np.exp(-GAS.risk_aversion * outcome.profit)
    error = weights.std() / weights.mean() / math.sqrt(weights.size)
    assert abs(found - (solution.value - GAS.fair_value())) < 3 * error


def test_evaluating_the_optimal_rule_gives_the_optimum_back():
    solution = solve(GAS, COARSE)
    # The rule may trade to between the nodes that bind the optimum, so it can be a trifle better.
    assert evaluate(GAS, solution.rule, COARSE) == pytest.approx(solution.value, rel=2e-4)


@pytest.mark.parametrize(
    "rule",
    [sim.whalley_wilmott_rule, sim.zakamouline_rule, sim.gas_band_rule],
    ids=lambda r: r.__name__,
)
def test_no_rule_beats_the_optimum(rule):
    assert gap(GAS, rule(GAS)) > -1e-3


def test_without_cost_or_aversion_worth_the_name_the_value_is_the_premium():
    free = replace(GAS, fixed_cost=0.0, proportional=0.0, risk_aversion=1e-3)
    assert solve(free, COARSE).value == pytest.approx(free.fair_value(), rel=1e-3)


@pytest.mark.parametrize("size", [-1.0, 1.0])
@pytest.mark.parametrize(("fixed", "fee"), [(0.02, 5e-4), (0.1, 0.0), (0.0, 3e-3)])
def test_the_gas_band_is_close_to_the_optimum(size, fixed, fee):
    """The fine lattice and every cell are in docs/quant_hedging.md; 6-hourly looks cost the formula a little."""
    own = replace(GAS, legs=(Leg(True, 100.0, size),), fixed_cost=fixed, proportional=fee)
    assert gap(own, sim.gas_band_rule(own)) < 0.03


@pytest.mark.parametrize("size", [-1.0, 1.0])
@pytest.mark.parametrize("fee", [0.0, 3e-3])
def test_the_gas_band_stays_close_where_gas_is_dear_and_aversion_high(size, fee):
    """The shift of volatility is half of it or more there: its first-order form misses by 3 to 7 %."""
    own = replace(
        GAS, legs=(Leg(True, 100.0, size),), fixed_cost=0.1, proportional=fee, risk_aversion=2.0
    )
    assert gap(own, sim.gas_band_rule(own)) < 0.025


def test_the_gas_band_beats_the_fee_only_bands_where_gas_matters():
    gaps = [gap(GAS, rule(GAS)) for rule in (sim.gas_band_rule, sim.whalley_wilmott_rule)]
    assert gaps[0] < 0.03 < 0.2 < gaps[1]


def test_fee_only_the_order_is_as_published():
    optimum = solve(FEE_ONLY, GridSettings(0.005, 4)).value
    grid = GridSettings(0.005, 4)
    rules = (
        sim.gas_band_rule(FEE_ONLY),
        sim.zakamouline_rule(FEE_ONLY),
        sim.whalley_wilmott_rule(FEE_ONLY),
        sim.interval_rule(FEE_ONLY, 1),
    )
    losses = [evaluate(FEE_ONLY, rule, grid) / optimum - 1 for rule in rules]
    assert losses == sorted(losses)
    assert losses[0] < 5e-4
    assert losses[-1] == pytest.approx(0.024, abs=1e-3)


@pytest.mark.parametrize("steps", [180, 720])
def test_equal_steps_have_the_textbook_error(steps):
    free = replace(GAS, fixed_cost=0.0, proportional=0.0, steps=steps)
    paths = lognormal_paths(100.0, 0.8, free.years, steps, 5_000, 11)
    std = sim.simulate(free, sim.interval_rule(free, 1), paths).profit.std()
    root = free.vol * math.sqrt(free.years)
    vega_vol = 100.0 * math.exp(-(root**2) / 8) / math.sqrt(2 * math.pi) * root
    assert std == pytest.approx(math.sqrt(math.pi / 4) * vega_vol / math.sqrt(steps), rel=0.03)


def test_no_hedge_costs_nothing_and_earns_the_premium_less_the_payoff():
    paths = lognormal_paths(100.0, 0.8, GAS.years, GAS.steps, 500, 1)
    outcome = sim.simulate(GAS, sim.no_hedge_rule(), paths)
    assert not outcome.cost.any()
    assert not outcome.trades.any()
    np.testing.assert_allclose(
        outcome.profit, GAS.fair_value() - np.maximum(paths[-1] - 100.0, 0.0), atol=1e-12
    )


def test_greeks_of_the_book_by_differences():
    book = OptionBook((Leg(True, 110.0, -1.0), Leg(False, 90.0, 2.0)))
    spot, step, vol = np.array([70.0, 95.0, 130.0]), 1e-3, 0.25
    delta, gamma, speed = book.delta_gamma(spot, vol)
    up, down = (book.delta_gamma(spot + sign * step, vol) for sign in (1, -1))
    value = [book.value(spot + sign * step, vol) for sign in (1, -1)]
    np.testing.assert_allclose(delta, (value[0] - value[1]) / (2 * step), atol=1e-8)
    np.testing.assert_allclose(gamma, (up[0] - down[0]) / (2 * step), atol=1e-9)
    np.testing.assert_allclose(speed, (up[1] - down[1]) / (2 * step), atol=1e-9)


def test_paths_are_martingales_and_seeded():
    paths = lognormal_paths(100.0, 0.5, 0.1, 10, 40_000, 3)
    assert paths[-1].mean() == pytest.approx(100.0, abs=4 * paths[-1].std() / 200)
    assert np.log(paths[-1] / 100.0).std() == pytest.approx(0.5 * math.sqrt(0.1), rel=0.02)
    np.testing.assert_array_equal(paths, lognormal_paths(100.0, 0.5, 0.1, 10, 40_000, 3))


@pytest.mark.parametrize(
    "changes",
    [
        {"spot": math.nan},
        {"vol": 0.0},
        {"years": -1.0},
        {"risk_aversion": math.inf},
        {"fixed_cost": -1.0},
        {"proportional": 1.0},
        {"proportional": math.nan},
        {"steps": 0},
        {"legs": ()},
        {"legs": (Leg(True, -1.0, 1.0),)},
        {"legs": (Leg(True, 100.0, math.nan),)},
    ],
)
def test_a_problem_that_is_none_is_refused(changes):
    with pytest.raises(ConfigError):
        replace(GAS, **changes)


def test_a_lattice_too_large_for_exp_is_refused():
    with pytest.raises(ConfigError, match="risk aversion"):
        solve(replace(GAS, risk_aversion=50.0), COARSE)


@pytest.mark.parametrize("shape", [(GAS.steps, 3), (GAS.steps + 1,)])
def test_paths_of_another_shape_are_refused(shape):
    with pytest.raises(ConfigError, match="expected"):
        sim.simulate(GAS, sim.no_hedge_rule(), np.ones(shape))


@pytest.mark.parametrize("bad", [{"hedge_step": 0.0}, {"per_step": 0}, {"margin": -1.0}])
def test_grid_settings_that_are_none_are_refused(bad):
    with pytest.raises(ConfigError):
        GridSettings(**bad)
