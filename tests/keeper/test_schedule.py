"""The closed form of the schedule against a numerical optimum that knows nothing of it."""

from __future__ import annotations

import itertools
import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize

from keeper.errors import PricingError
from keeper.policies.schedule import Market, best_steps, left_after, schedule_cost

MARKET = Market(0.05, 0.1, 0.9, 2.0, 1e-3, 0.0)


def simulated(slices: np.ndarray, total: float, m: Market) -> float:
    """Price and inventory slice by slice: the pool is pushed by psi n and comes back but for what lasts."""
    price, left, cost = 0.0, total, 0.0
    for n in slices:
        cost += price * n + m.impact * n * n / 2.0
        end = price + m.impact * n
        fair = price + m.permanent * m.impact * n
        price = fair + (end - fair) * (1.0 - m.recovered)
        left -= n
        cost += 0.5 * m.risk_aversion * (m.step_deviation_usd * left) ** 2
    return cost


MARKETS = st.builds(
    Market,
    st.floats(1e-3, 1.0),
    st.floats(0.0, 0.6),
    st.floats(0.2, 1.0),
    st.floats(0.1, 10.0),
    st.floats(1e-6, 1e-2),
    st.just(0.0),
)


@settings(max_examples=25, deadline=None)
@given(MARKETS, st.floats(1.0, 500.0), st.integers(2, 7))
def test_the_closed_form_is_the_numerical_optimum(market, total, steps):
    """Of the model that the formula is for: what has not come back by the next slice stays."""
    x = left_after(total, steps, market)
    own = -np.diff(np.array(x))

    def cost(free: np.ndarray) -> float:
        slices = np.append(free, 1.0 - free.sum())
        return simulated(slices * total, total, market) / total**2

    start = np.full(steps - 1, 1.0 / steps)
    found = minimize(cost, start, method="BFGS", options={"gtol": 1e-12})
    best = found.fun * total**2
    scale = market.impact * total**2
    assert simulated(own, total, market) <= best + 1e-6 * scale
    assert simulated(own, total, market) == pytest.approx(schedule_cost(total, x, market), rel=1e-9)
    assert own == pytest.approx(np.append(found.x, 1.0 - found.x.sum()) * total, abs=2e-3 * total)


def test_it_falls_to_nothing_at_the_end_and_never_turns():
    x = left_after(-80.0, 6, MARKET)
    assert (x[0], x[-1]) == (-80.0, 0.0)
    assert all(a < b for a, b in itertools.pairwise(x))


def test_planned_again_from_what_is_left_it_goes_on():
    x = left_after(50.0, 8, MARKET)
    assert left_after(x[3], 5, MARKET) == pytest.approx(x[3:], rel=1e-12)


def test_without_risk_slices_are_equal_and_with_all_risk_there_is_one():
    calm, wild = (replace(MARKET, risk_aversion=a) for a in (0.0, 1e15))
    assert -np.diff(left_after(10.0, 5, calm)) == pytest.approx([2.0] * 5)
    assert left_after(10.0, 5, wild)[1:] == pytest.approx([0.0] * 5, abs=1e-9)


def test_a_pool_that_does_not_come_back_is_no_reason_to_wait():
    stuck = replace(MARKET, recovered=0.0)
    assert left_after(10.0, 5, stuck) == [10.0] + [0.0] * 5
    assert best_steps(10.0, 5, stuck) == 1


def test_gas_makes_a_small_hedge_one_slice():
    dear = replace(MARKET, slice_cost_usd=5.0, risk_aversion=1e-6)
    assert best_steps(2.0, 10, dear) == 1
    assert 1 < best_steps(60.0, 10, dear) < best_steps(600.0, 30, dear)


def test_the_number_of_steps_is_the_cheapest_of_all():
    market = replace(MARKET, slice_cost_usd=5.0)
    n = best_steps(80.0, 20, market)
    costs = [schedule_cost(80.0, left_after(80.0, k, market), market) for k in range(1, 21)]
    assert costs[n - 1] == min(costs)


@pytest.mark.parametrize("wrong", [{"impact": math.nan}, {"recovered": 1.1}, {"permanent": -0.1}])
def test_a_market_that_is_none(wrong):
    with pytest.raises(PricingError, match="market"):
        replace(MARKET, **wrong)


def test_a_schedule_of_no_steps():
    with pytest.raises(PricingError, match="at least one step"):
        left_after(1.0, 0, MARKET)
