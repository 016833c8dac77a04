"""Attacks on the hedge by name, on the real Uniswap pools and the real Aave: what each of them comes to."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.contracts.core_constants import DEPEGGED, FRESH, HOUR, UNDERLYING, USDC, WAD
from tests.stateful.revm import Reverted
from tests.stateful.thief_chain import FEES, MARKET
from tests.stateful.thief_moves import Gene, churn, farm, inside, squeeze
from tests.stateful.thief_world import ThiefWorld

DEEP = FEES[0]
PAR = 10**8


@pytest.fixture(scope="module")
def one() -> ThiefWorld:
    return ThiefWorld()


@pytest.fixture
def w(one: ThiefWorld) -> Iterator[ThiefWorld]:
    with one.life():
        yield one


def band(w: ThiefWorld) -> float:
    return float(w.market.parameters.hedge.band_eth)


def budget(w: ThiefWorld) -> float:
    return int(w.core.hedge.budgetLeft()) / WAD


def fortune(w: ThiefWorld) -> float:
    """USD of whoever moves the pools."""
    usdc, weth = (int(t.balanceOf(MARKET)) for t in (w.core.usdc, w.core.weth))
    # What he began with is beyond what a float can tell apart.
    return ((usdc - usdc // 10**30 * 10**30) * 10**12 + weth % 10**30 * w.price) / WAD


def refused(w: ThiefWorld, order: tuple) -> str:
    limits = w.core.hedge.epoch(), 2**63, 2**100, b"\1" * 32
    with pytest.raises(Reverted) as failure:
        w.core.hedge.rebalance([order], limits, {"from": w.core.keeper})
    return failure.value.name


def run_fallback(w: ThiefWorld, most: int = 40) -> int:
    """Slices by a stranger until the delta is inside the band; how many."""
    by = {"from": w.who[1]}
    w.core.fallback.arm(by)
    for number in range(most):
        if abs(w.delta()) <= band(w) + 1e-9:
            return number
        ready = int(w.core.fallback.status()[1])
        w.wait(max(ready - w.core.now, 1))
        assert w.act("fallback", lambda: w.core.fallback.fallbackHedge(by))
    raise AssertionError(f"delta {w.delta()} after {most} slices")


# ---------------------------------------------------------------- the keeper's key


def test_ping_pong_across_the_band_ends_with_the_budget(w: ThiefWorld) -> None:
    """To and fro inside the band is allowed, and paid for: what the vault loses is what the budget loses."""
    cap = budget(w)
    while churn_once(w):
        pass
    assert w.losses.charged == pytest.approx(cap - budget(w), abs=1.0)
    assert w.losses.charged > 0.9 * cap


def churn_once(w: ThiefWorld) -> bool:
    before = w.losses.charged
    churn(w, Gene("churn", 0.6, 1.0, 0.2))
    return w.losses.charged > before


def test_a_thief_who_spent_the_budget_leaves_a_book_that_the_fallback_hedges(w: ThiefWorld) -> None:
    """Every door of his is shut, anybody's is open at once, and what the slices lose is the reserve's."""
    while churn_once(w):
        pass
    while budget(w) > 150.0:
        drain(w)
    w.shift(w.price * 0.9)
    assert abs(w.delta()) > float(w.market.parameters.fallback.emergency_band_eth)
    spent, kept = w.losses.charged, budget(w)
    w.core.fallback.arm({"from": w.who[1]})
    assert int(w.core.fallback.status()[1]) <= w.core.now
    slices = run_fallback_armed(w)
    assert slices >= 1
    assert abs(w.delta()) <= band(w) + 1e-9
    assert w.losses.charged == spent
    assert budget(w) >= kept
    assert w.losses.fallback <= float(w.market.parameters.fallback.reserve_cap_usd)


def drain(w: ThiefWorld) -> None:
    """A smaller to and fro, for what a whole one no longer passes."""
    side = -1 if w.delta() > 0 else 1
    w.bend_pool(DEEP, side * 0.009)
    size = min(abs(w.delta()) + 0.9 * band(w), 0.9 * budget(w) / (w.price * 0.0101))
    venue = w.market.short if side < 0 and w.core.base(w.core.vault) < size * WAD else None
    assert w.rebalance("churn", [w.order(venue or w.market.spots[DEEP], side * size)])
    w.restore()


def run_fallback_armed(w: ThiefWorld) -> int:
    by, count = {"from": w.who[1]}, 0
    while abs(w.delta()) > band(w) + 1e-9:
        w.wait(max(int(w.core.fallback.status()[1]) - w.core.now, 1))
        assert w.act("fallback", lambda: w.core.fallback.fallbackHedge(by))
        count += 1
    return count


def test_a_sandwich_around_the_hedge_takes_no_more_than_the_slippage(w: ThiefWorld) -> None:
    """The most that passes is the governed slippage, all of it charged; beyond that nothing is filled."""
    venue, size, before = w.market.spots[DEEP], 20.0, fortune(w)
    assert w.delta() > size
    w.bend_pool(DEEP, -0.0115)
    assert refused(w, w.order(venue, -size)) == "VenueLimitPriceBreached"
    w.restore()
    left = budget(w)
    w.bend_pool(DEEP, -0.008)
    assert w.rebalance("hedge", [w.order(venue, -size)])
    w.restore()
    loss, most = w.losses.charged, 0.01 * size * w.price
    assert 0.8 * most < loss <= most
    assert left - budget(w) == pytest.approx(loss, abs=1e-3)
    assert fortune(w) - before <= loss


def test_a_manipulated_pool_against_a_fresh_feed(w: ThiefWorld) -> None:
    """The feed's price counts, not the pool's: no limit that the manipulated price needs is let through."""
    venue = w.market.spots[DEEP]
    w.bend_pool(DEEP, -0.05)
    assert w.core.oracle.state(UNDERLYING) == FRESH
    assert refused(w, w.order(venue, -5.0)) == "VenueLimitPriceBreached"
    bold = (venue, -5 * WAD, 1_890 * WAD, b"")
    assert refused(w, bold) == "LimitPriceOffOracle"


# ---------------------------------------------------------------- the fallback


def test_fallback_farmed_by_trade_arm_sandwich(w: ThiefWorld) -> None:
    """The farmer moves the delta by a trade, arms, waits, and sandwiches each slice: less than his trade paid."""
    core, farmer = w.core, w.who[1]
    inside(w)
    w.wait(60)
    w.losses.real, w.losses.charged = 0.0, 0.0
    call = next(s for s in w.series if s & 1)
    trade = [(call, 80 * WAD)]
    before = fortune(w)
    assert w.act("trade", lambda: core.desk.trade(trade, 2**200, 2**63, {"from": farmer}))
    assert w.losses.real < 0
    core.fallback.arm({"from": farmer})
    slices = 0
    while abs(w.delta()) > band(w) + 1e-9:
        w.wait(max(int(core.fallback.status()[1]) - core.now, 1))
        side = -1 if w.delta() > 0 else 1
        w.bend_pool(DEEP, side * 0.006)
        if not w.act("fallback", lambda: core.fallback.fallbackHedge({"from": farmer})):
            w.bend_pool(DEEP, side * 0.003)
            assert w.act("fallback", lambda: core.fallback.fallbackHedge({"from": farmer}))
        w.restore()
        slices += 1
    assert slices >= 1
    assert fortune(w) - before <= w.losses.fallback <= 5_000.0
    assert w.losses.real < 0.0


def test_fallback_farmed_all_week_loses_its_reserve_and_no_more(w: ThiefWorld) -> None:
    """A market that swings, and every slice sandwiched: small slices in the end, and the delta comes home."""
    for swing in range(30):
        w.shift(2_000.0 * (1.08 if swing % 2 else 0.92))
        farm(w, Gene("farm", 0.6, 1.0, 0.0))
        w.wait(600)
        w.commit(w.level, w.skew)
    reserve = w.bounds()[1]
    assert 0.9 * reserve < w.losses.fallback <= reserve


# ---------------------------------------------------------------- what no budget counts


def test_the_carry_of_a_short_beside_held_weth_is_bounded_by_what_may_be_open(
    w: ThiefWorld,
) -> None:
    """Interest is no loss of a transaction: gross is what bounds it, at the dearest rate that Aave knows."""
    for _ in range(6):
        squeeze(w, Gene("squeeze", 1.0, 1.0, 0.0))
    short = -int(w.market.short.position()[0]) / WAD
    p = w.market.parameters.hedge
    assert short <= min(float(p.venue_cap_eth), (abs(w.delta()) + float(p.gross_cap_eth)))
    w.borrow_out(0.999)
    w.losses.carry = 0.0
    for _ in range(28):
        w.wait(6 * HOUR - 60)
        w.commit(w.level, w.skew)
    dearest = 0.79 * 28 * 6 / (365 * 24)
    assert 0.5 * dearest < w.losses.carry / (short * w.price) < 1.02 * dearest


# ---------------------------------------------------------------- USDC at 0.88, as on 11 March 2023


def usdc_at(w: ThiefWorld, share: float) -> float:
    """The feed of USDC falls, pools follow: ETH costs more USDC. Returns its price in USDC."""
    w.core.quote.push(round(share * PAR), 0, {"from": w.core.gov})
    w.price = 2_000.0 / share
    w.restore()
    return w.price


def test_usdc_at_088_fills_are_held_to_the_price_in_usdc(w: ThiefWorld) -> None:
    """Hedging goes on, opening does not; who sells at the price in dollars would give an eighth away."""
    venue = w.market.spots[DEEP]
    price = usdc_at(w, 0.88)
    assert w.core.oracle.state(UNDERLYING) == DEPEGGED
    assert w.core.oracle.hedgePrice(UNDERLYING) == pytest.approx(price * WAD, rel=1e-9)
    in_dollars = (venue, -10 * WAD, 1_980 * WAD, b"")
    assert refused(w, in_dollars) == "LimitPriceOffOracle"
    left, cash = budget(w), w.holding().cash
    assert w.rebalance("hedge", [w.order(venue, -10.0)])
    assert (w.holding().cash - cash) / WAD == pytest.approx(10 * price, rel=2e-3)
    assert left - budget(w) == pytest.approx(w.losses.charged, abs=1e-3)
    assert w.losses.charged < 10 * price * 2e-3
    call = w.series[-1]
    with pytest.raises(Reverted) as failure:
        w.core.desk.trade([(call, WAD)], 2**200, 2**63, {"from": w.who[1]})
    assert failure.value.name == "ActionNotAllowed"


def test_usdc_at_088_pools_that_still_stand_at_dollars_are_not_sold_to(w: ThiefWorld) -> None:
    """A pool that did not follow pays an eighth too little: refused, and no budget is touched."""
    price = usdc_at(w, 0.88)
    left = budget(w)
    for fee in FEES:
        w.bend_pool(fee, 2_000.0 / price - 1)
        venue = w.market.spots[fee]
        assert refused(w, w.order(venue, -10.0)) == "VenueLimitPriceBreached"
    assert budget(w) == left


def test_usdc_at_088_the_fallback_hedges(w: ThiefWorld) -> None:
    """Its slices are sized, limited and charged at the same price."""
    price, before = usdc_at(w, 0.88), w.delta()
    by, start = {"from": w.who[1]}, w.holding()
    w.core.fallback.arm(by)
    w.core.warp(int(w.core.fallback.status()[1]))
    w.core.feed.push(2_000 * PAR, 0, by)
    w.core.quote.push(round(0.88 * PAR), 0, by)
    assert w.act("fallback", lambda: w.core.fallback.fallbackHedge(by))
    sold = before - w.delta()
    assert sold > 10.0
    assert (w.holding().cash - start.cash) / WAD == pytest.approx(sold * price, rel=8e-3)
    reserve = float(w.market.parameters.fallback.reserve_cap_usd)
    left = int(w.core.fallback.status()[4]) / WAD
    assert reserve - left == pytest.approx(w.losses.fallback, abs=1e-3)


def test_usdc_at_088_and_the_keeper_brings_the_delta_home(w: ThiefWorld) -> None:
    usdc_at(w, 0.88)
    inside(w)
    assert abs(w.delta()) <= band(w)
    assert w.core.usdc.balanceOf(w.core.clearinghouse) > USDC
