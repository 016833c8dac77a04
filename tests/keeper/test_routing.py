"""The split of a hedge: equal marginal cost, and never dearer than any split of a fine grid."""

from __future__ import annotations

import itertools
import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keeper.errors import Halt
from keeper.execution.routing import best_split
from keeper.execution.routing_depth import pool_curve
from keeper.execution.routing_records import Problem, Route, Split, Stage
from keeper.models import LiquidityBand, PoolDepth

SPOT = 2_000.0
CLOSE, OPEN = Stage.CLOSE, Stage.OPEN


def pool(name: str, fee: float, price: float = SPOT, liquidity=(3e4, 5e4, 2e4, 4e4)) -> PoolDepth:
    """Four bands of 1.5 % around the price."""
    edges = [price * 1.015 ** (k - 1.7) for k in range(len(liquidity) + 1)]
    pairs = zip(itertools.pairwise(edges), liquidity, strict=True)
    return PoolDepth(name, price, fee, tuple(LiquidityBand(a, b, x) for (a, b), x in pairs))


def problem(
    routes, totals, *pools: PoolDepth, buy=True, clip=0.0, cash=1e9, slippage=0.02
) -> Problem:
    worst = SPOT * (1.0 + slippage) if buy else SPOT * (1.0 - slippage)
    return Problem(buy, tuple(routes), totals, worst, clip, cash, {p.address: p for p in pools})


def paid(split: Split, buy: bool) -> float:
    return (split.money_usd if buy else -split.money_usd) + split.fixed_usd


def walk(depth: PoolDepth, buy: bool, eth: float, steps: int = 4_000) -> float:
    """Money of a fill by small steps of the pool's own formula, told apart from Curve in every way that can be."""
    root, money, part = math.sqrt(depth.price_usd), 0.0, eth / steps
    inside = part if buy else part * (1.0 - depth.fee)
    for _ in range(steps):
        side = 1.0 + 1e-12 if buy else 1.0 - 1e-12
        band = next(b for b in depth.bands if b.low_usd <= root * root * side <= b.high_usd)
        inverse = 1.0 / root + (-inside if buy else inside) / band.liquidity
        money += band.liquidity * abs(1.0 / inverse - root)
        root = 1.0 / inverse
    return money / (1.0 - depth.fee) if buy else money


@pytest.mark.parametrize("buy", [True, False])
@pytest.mark.parametrize("eth", [0.01, 3.0, 9.0])
def test_a_curve_is_the_pools_own_arithmetic(buy, eth):
    depth = pool("a", 0.003)
    curve = pool_curve(depth, buy, SPOT * (1.05 if buy else 0.95))
    assert curve.money(eth) == pytest.approx(walk(depth, buy, eth), rel=5e-6)


@pytest.mark.parametrize("buy", [True, False])
def test_a_curve_ends_where_the_next_wei_costs_the_limit(buy):
    curve = pool_curve(pool("a", 0.003), buy, SPOT * (1.01 if buy else 0.99))
    assert curve.price(curve.capacity) == pytest.approx(SPOT * (1.01 if buy else 0.99), rel=1e-12)
    assert pool_curve(pool("a", 0.02), buy, SPOT * (1.01 if buy else 0.99)).capacity == 0.0


def test_money_is_the_integral_of_the_price_and_carry_comes_on_top():
    curve = pool_curve(pool("a", 0.0005), True, SPOT * 1.03)
    step = 1e-5
    slope = (curve.money(4.0 + step) - curve.money(4.0 - step)) / (2 * step)
    assert slope == pytest.approx(curve.price(4.0), rel=1e-7)
    dearer = pool_curve(pool("a", 0.0005), True, SPOT * 1.03, carry=0.01)
    assert dearer.money(4.0) == pytest.approx(1.01 * curve.money(4.0), rel=1e-12)
    assert dearer.capacity == curve.capacity


def test_what_is_left_of_a_curve_and_a_part_of_it():
    curve = pool_curve(pool("a", 0.003), False, SPOT * 0.95)
    rest = curve.after(5.0)
    assert rest.money(2.0) == pytest.approx(curve.money(7.0) - curve.money(5.0), rel=1e-9)
    assert curve.until(5.0).capacity == pytest.approx(5.0)
    assert curve.until(5.0).money(9.0) == pytest.approx(curve.money(5.0), rel=1e-12)


def test_equal_marginal_cost_where_nothing_limits():
    routes = [Route("a", "a", OPEN, 50.0), Route("b", "b", OPEN, 50.0)]
    split = best_split(problem(routes, (0.0, 9.0), pool("a", 0.0005), pool("b", 0.003)))
    assert split.eth == pytest.approx(9.0, rel=1e-12)
    assert len(split.fills) == 2
    assert split.fills[0].marginal_usd == pytest.approx(split.fills[1].marginal_usd, rel=1e-12)


def test_the_dear_tier_is_left_alone_until_the_cheap_one_has_moved_by_the_difference():
    routes = [Route("a", "a", OPEN, 50.0), Route("b", "b", OPEN, 50.0)]
    small = best_split(problem(routes, (0.0, 1.0), pool("a", 0.0005), pool("b", 0.01)))
    assert [f.route.venue for f in small.fills] == ["a"]


def test_gas_keeps_a_small_hedge_on_one_venue():
    free = [Route("a", "a", OPEN, 50.0), Route("b", "b", OPEN, 50.0)]
    dear = [Route("a", "a", OPEN, 50.0, 8.0), Route("b", "b", OPEN, 50.0, 8.0)]
    pools = (pool("a", 0.0005), pool("b", 0.0006))
    assert len(best_split(problem(free, (0.0, 2.0), *pools)).fills) == 2
    assert len(best_split(problem(dear, (0.0, 2.0), *pools)).fills) == 1
    assert len(best_split(problem(dear, (0.0, 12.0), *pools)).fills) == 2


def test_stages_on_one_pool_share_its_depth():
    """What is held goes through pools a and b, and the rest is borrowed and sold through a."""
    routes = [
        Route("spot_a", "a", CLOSE, 6.0),
        Route("spot_b", "b", CLOSE, 6.0),
        Route("short", "a", OPEN, 50.0),
    ]
    pools = (pool("a", 0.0005), pool("b", 0.0005))
    split = best_split(problem(routes, (6.0, 4.0), *pools, buy=False, slippage=0.03))
    found = {f.route.venue: f.eth for f in split.fills}
    # 10 ETH over two equal pools: 5 each, of which 4 of pool a are the short's.
    assert found == pytest.approx({"spot_a": 1.0, "spot_b": 5.0, "short": 4.0}, abs=1e-6)


def test_cash_moves_a_sale_to_the_venue_that_needs_less_of_it():
    routes = [
        Route("aave", "a", OPEN, 50.0, 0.0, 0.0, 1_100.0),
        Route("perp", "b", OPEN, 50.0, 0.0, 0.002, 250.0),
    ]
    pools = (pool("a", 0.0005), pool("b", 0.001))
    rich = best_split(problem(routes, (0.0, 6.0), *pools, buy=False, slippage=0.03))
    poor = best_split(problem(routes, (0.0, 6.0), *pools, buy=False, cash=3_000.0, slippage=0.03))
    spent = sum(f.eth * f.route.cash_per_eth for f in poor.fills)
    assert rich.fills[0].eth > poor.fills[0].eth > 0.0
    assert poor.eth == pytest.approx(6.0)
    assert spent <= 3_000.0 * (1 + 1e-6)
    assert spent == pytest.approx(3_000.0, rel=1e-6)


def test_what_cash_cannot_open_stays():
    routes = [Route("aave", "a", OPEN, 50.0, 0.0, 0.0, 1_000.0)]
    split = best_split(problem(routes, (0.0, 6.0), pool("a", 0.0005), buy=False, cash=2_500.0))
    assert split.eth == pytest.approx(2.5, rel=1e-6)


def test_no_fill_under_the_clip_and_none_over_the_limit():
    routes = [Route("a", "a", OPEN, 0.04), Route("b", "b", OPEN, 50.0)]
    pools = (pool("a", 0.0005), pool("b", 0.001))
    split = best_split(problem(routes, (0.0, 400.0), *pools, clip=0.05, slippage=0.01))
    (fill,) = split.fills
    assert fill.route.venue == "b"
    assert fill.eth < 400.0
    assert fill.marginal_usd == pytest.approx(SPOT * 1.01, rel=1e-9)
    assert best_split(problem(routes, (0.0, 0.049), *pools, clip=0.05)).fills == ()


@pytest.mark.parametrize("size", [math.nan, math.inf, -1.0])
def test_a_size_that_is_none_halts(size):
    with pytest.raises(Halt, match="cannot be routed"):
        best_split(problem([Route("a", "a", OPEN, 1.0)], (0.0, size), pool("a", 0.003)))


def test_a_venue_named_twice_or_a_pool_unknown_halts():
    twice = [Route("a", "a", OPEN, 1.0), Route("a", "a", CLOSE, 1.0)]
    with pytest.raises(Halt, match="twice"):
        best_split(problem(twice, (0.0, 1.0), pool("a", 0.003)))
    with pytest.raises(Halt, match="without a depth"):
        best_split(problem([Route("a", "c", OPEN, 1.0)], (0.0, 1.0), pool("a", 0.003)))


FEES = st.sampled_from([0.0005, 0.003, 0.01])
POOLS = st.builds(
    pool,
    st.just(""),
    FEES,
    st.floats(SPOT * 0.996, SPOT * 1.004),
    st.tuples(*[st.floats(5e3, 1e5)] * 4),
)
GAS = st.sampled_from([0.0, 3.0, 12.0])


def grid_best(p: Problem, total: float, steps: int) -> float:
    """The least cost over every split in steps, each pool alone; infinite where none fills the total."""
    curves = [
        pool_curve(p.depths[r.pool], p.buy, p.worst_usd, r.carry).until(r.cap_eth) for r in p.routes
    ]
    sign, best = (1.0 if p.buy else -1.0), math.inf
    tables = []
    for curve, route in zip(curves, p.routes, strict=True):
        sizes = [total * k / steps for k in range(steps + 1)]
        fits = [x <= curve.capacity * (1 + 1e-12) and (x == 0.0 or x >= p.clip_eth) for x in sizes]
        tables.append(
            [
                (sign * curve.money(x) + (route.fixed_usd if x else 0.0)) if good else math.inf
                for x, good in zip(sizes, fits, strict=True)
            ]
        )
    for i in range(steps + 1):
        for j in range(steps + 1 - i):
            best = min(best, tables[0][i] + tables[1][j] + tables[2][steps - i - j])
    return best


@settings(max_examples=60, deadline=None)
@given(st.lists(POOLS, min_size=3, max_size=3), st.lists(GAS, min_size=3, max_size=3), st.booleans(),
       st.floats(0.3, 30.0), st.floats(0.0, 0.004), st.floats(2.0, 40.0))  # fmt: skip
def test_never_dearer_than_brute_force(pools, gas, buy, total, carry, cap):
    """Also the other way round: brute force comes near, so the bound is not idle."""
    named = [PoolDepth(n, p.price_usd, p.fee, p.bands) for n, p in zip("abc", pools, strict=True)]
    carries, caps = (0.0, carry, carry / 2), (cap, 60.0, 60.0)
    routes = [
        Route(n, n, OPEN, c, g, k) for n, c, g, k in zip("abc", caps, gas, carries, strict=True)
    ]
    p = problem(routes, (0.0, total), *named, buy=buy, clip=0.05)
    split = best_split(p)
    best = grid_best(p, total, 40)
    if split.eth < total * (1 - 1e-9):
        assert best == math.inf, "the grid fills what was left over"
        return
    assert paid(split, buy) <= best + 1e-7 * abs(best)
    if math.isfinite(best):
        assert best - paid(split, buy) <= 0.02 * total * SPOT / 40 + 1e-6 + sum(gas)


@settings(max_examples=60, deadline=None)
@given(st.lists(POOLS, min_size=2, max_size=2), st.floats(0.5, 6.0), st.floats(0.5, 6.0))
def test_stages_together_are_never_dearer_than_brute_force(pools, held, borrowed):
    """Two pools, three routes, one pool shared: the only freedom is how much of what is held goes through a."""
    named = [PoolDepth(n, p.price_usd, p.fee, p.bands) for n, p in zip("ab", pools, strict=True)]
    routes = [
        Route("sa", "a", CLOSE, 99.0),
        Route("sb", "b", CLOSE, 99.0),
        Route("x", "a", OPEN, 99.0),
    ]
    p = problem(routes, (held, borrowed), *named, buy=False, slippage=0.1)
    a, b = (pool_curve(d, False, p.worst_usd) for d in named)
    split = best_split(p)
    if split.eth < (held + borrowed) * (1 - 1e-9):
        return
    grid = (held * k / 400 for k in range(401))
    best = max(
        a.money(x + borrowed) + b.money(held - x)
        for x in grid
        if x + borrowed <= a.capacity and held - x <= b.capacity
    )
    assert split.money_usd >= best - 1e-7 * best
