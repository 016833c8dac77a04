"""What policies are told that a hedge costs."""

from __future__ import annotations

from dataclasses import replace

import pytest

from keeper.chain.calls import Order
from keeper.execution.costs import expected_costs, gas_of
from keeper.execution.routing_terms import OrderRules
from keeper.models import LiquidityBand, PoolDepth, VenueKind
from keeper.units import GWEI
from tests.keeper.keeper_builders import AAVE, UNISWAP, snapshot

RULES = OrderRules(0.05, None, priority_fee_wei=GWEI)
DEAR = replace(UNISWAP, address="0x" + "12" * 20, fee=0.01)


def deep(liquidity: float, price: float = 190.0):
    depth = PoolDepth("0xp", price, 0.0005, (LiquidityBand(100.0, 300.0, liquidity),))
    return snapshot(venues=(replace(UNISWAP, pool="0xp"),), depths=(depth,), base_eth=50.0)


def test_gas_is_that_of_the_block():
    costs = expected_costs(snapshot(base_fee_wei=19 * GWEI), RULES, 1_000_000)
    assert costs.fixed_usd == pytest.approx(20e-3 * 190.0)


def test_a_perpetual_in_a_batch_needs_its_own_gas():
    perp = replace(AAVE, address="0x" + "66" * 20, kind=VenueKind.PERP_SHORT)
    state = snapshot(venues=(UNISWAP, AAVE, perp))
    spot, short, virtual = (Order(v.address, 1, 1) for v in state.venues)
    gas = [gas_of(orders, state, RULES, 900_000) for orders in ((spot,), (spot, short), (virtual,))]
    assert gas == [900_000, 900_000 + RULES.gas_short, 900_000 + RULES.gas_perp]
    assert gas_of((short, virtual), state, RULES, 900_000) == gas[2]


def test_a_dear_tier_beside_a_cheap_one_costs_nothing():
    """The dearest fee would have made every band far too wide."""
    with_it = expected_costs(snapshot(venues=(UNISWAP, DEAR, AAVE)), RULES, 0).proportional
    without = expected_costs(snapshot(venues=(UNISWAP, AAVE)), RULES, 0).proportional
    assert with_it == pytest.approx(without, rel=1e-6)
    assert with_it == pytest.approx(0.0005, rel=0.01)


def test_a_thin_pool_costs_more_than_its_fee():
    thin, thick = (expected_costs(deep(x), RULES, 0).proportional for x in (2e4, 2e7))
    assert thick == pytest.approx(0.0005, rel=0.01)
    # 5 ETH through 2e4: the price moves by 5 sqrt(190) / 2e4 x 2, on average by half of it.
    assert thin > thick + 5.0 * 190.0**0.5 / 2e4 * 0.9


def test_a_pool_beside_the_oracle_is_not_free():
    assert expected_costs(deep(2e7, 190.3), RULES, 0).proportional >= 0.3 / 190.0


def test_nothing_to_trade_on():
    assert expected_costs(snapshot(venues=()), RULES, 0).proportional == 0.0
    nothing = snapshot(venues=(DEAR,), base_eth=0.0, cash_usd=0.0)
    assert expected_costs(nothing, RULES, 0).proportional == 0.01
