"""HedgeManager: every rule of a rebalance has a test with its own error, and what a good rebalance leaves behind."""

from typing import Any

import pytest

from tests.contracts.core_accounts import wad
from tests.contracts.core_constants import (
    DEVIATING,
    FOREVER,
    HEDGE_PARAMETERS,
    STALE,
    UNDERLYING,
    WAD,
)
from tests.contracts.core_env import BrownieBackend, Core, deploy_core, refused

BAND, MIN_REDUCTION, SLIPPAGE, GROSS_CAP, MIN_HEALTH = HEDGE_PARAMETERS[:5]
SURFACE_MAX_AGE_S = HEDGE_PARAMETERS[7]
SPOT = 2_000 * WAD
WORK = "0x" + "ab" * 32


@pytest.fixture(scope="module")
def core(project: Any, accounts: Any) -> Core:
    """The vault holds 200,000 USDC, 20 WETH, and is short 10 calls: its delta is about +14.5 ETH."""
    core = deploy_core(BrownieBackend(project, accounts))
    core.fund(core.vault, 200_000, 20)
    core.fund(core.takers[0], 10_000)
    core.trade(core.vault, core.takers[0], [(core.series(7, 2_000), 10)], premium=800)
    return core


def delta(core: Core) -> int:
    return int(core.hedge.netDelta(UNDERLYING)[0])


def order(core: Core, eth: float, limit: float | None = None, venue: Any = None) -> tuple:
    """Limit at the very edge of what the rules allow unless given."""
    edge = 2_020.0 if eth > 0 else 1_980.0
    return venue or core.venue, wad(eth), wad(edge if limit is None else limit), b""


def limits(core: Core, **changes: Any) -> tuple:
    fields = {
        "epoch": core.hedge.epoch(), "deadline": FOREVER, "maxBaseFee": 10**12, "workId": WORK
    }  # fmt: skip
    return tuple((fields | changes).values())


def rebalance(core: Core, *orders: tuple, **how: Any) -> Any:
    tx = core.hedge.rebalance(orders, limits(core, **how), {"from": core.keeper})
    core.check_books()
    return tx


def no_rebalance(core: Core, error: str, *orders: tuple, **how: Any) -> None:
    by, values = how.pop("by", core.keeper), how.pop("values", None)
    refused(core.hedge.rebalance, orders, limits(core, **how), by=by, error=error, values=values)


# ---------------------------------------------------------------- what a rebalance does


def test_a_sale_lowers_the_delta_and_brings_the_cash_home(core: Core) -> None:
    before = delta(core), core.cash(core.vault), core.base(core.vault)
    tx = rebalance(core, order(core, -10))
    assert core.base(core.vault) == before[2] - 10 * WAD
    assert core.cash(core.vault) == before[1] + 20_000 * WAD
    assert delta(core) == pytest.approx(float(before[0] - 10 * WAD), abs=1e13)
    event = tx.events["Rebalanced"]
    assert (event["workId"], event["filledBase"], event["navChange"]) == (WORK, -10 * WAD, 0)
    assert event["budgetLeft"] == HEDGE_PARAMETERS[5]
    filled = tx.events["OrderFilled"]
    assert (filled["filledBase"], filled["quoteChange"]) == (-10 * WAD, 20_000 * WAD)


def test_a_purchase_raises_it(core: Core) -> None:
    core.clearinghouse.withdrawBase(20 * WAD, core.vault, {"from": core.vault})
    assert delta(core) < 0
    rebalance(core, order(core, 5))
    assert (core.base(core.vault), core.cash(core.vault)) == (5 * WAD, wad(190_800))


def test_orders_of_one_batch_see_each_other(core: Core) -> None:
    rebalance(core, order(core, -7), order(core, -7.5))
    assert abs(delta(core)) <= BAND
    no_rebalance(core, "WrongSign", order(core, -0.9), order(core, -0.5))


def test_a_partial_fill_is_measured(core: Core) -> None:
    core.venue.setTerms(WAD // 4, 0, {"from": core.gov})
    tx = rebalance(core, order(core, -10))
    assert tx.events["Rebalanced"]["filledBase"] == -25 * WAD // 10


# ---------------------------------------------------------------- who, when, which epoch


def test_only_the_keeper_and_the_fence_moves_with_him(core: Core) -> None:
    new = core.takers[1]
    for who in (core.gov, core.vault, new):
        no_rebalance(core, "OnlyKeeper", order(core, -1), by=who, values=(who,))
    refused(core.hedge.advanceEpoch, by=core.gov, error="OnlyKeeper", values=(core.gov,))
    old = core.hedge.epoch()
    core.hedge.advanceEpoch({"from": core.keeper})
    no_rebalance(core, "EpochStale", order(core, -1), epoch=old, values=(old, old + 1))
    core.hedge.setKeeper(new, {"from": core.gov})
    no_rebalance(core, "OnlyKeeper", order(core, -1))
    no_rebalance(core, "EpochStale", order(core, -1), by=new, epoch=old + 1)
    core.hedge.rebalance.call([order(core, -1)], limits(core), {"from": new})
    no_rebalance(core, "EpochStale", order(core, -1), by=new, epoch=old + 3)


def test_a_deadline_includes_its_second(core: Core) -> None:
    now = core.now
    core.hedge.rebalance.call([order(core, -1)], limits(core, deadline=now), {"from": core.keeper})
    values = (now - 1, now)
    no_rebalance(core, "DeadlinePassed", order(core, -1), deadline=now - 1, values=values)


def test_a_base_fee_above_the_limit(core: Core) -> None:
    core.backend.request("anvil_setNextBlockBaseFeePerGas", [hex(10**9)])
    core.backend.request("evm_mine", [])
    fee = 10**9
    no_rebalance(
        core, "BaseFeeAboveLimit", order(core, -1), maxBaseFee=fee - 1, values=(fee, fee - 1)
    )


def test_one_to_eight_orders(core: Core) -> None:
    no_rebalance(core, "NoOrders")
    orders = [order(core, -1)] * 9
    no_rebalance(core, "TooManyOrders", *orders, values=(9, 8))
    rebalance(core, *orders[:8])


# ---------------------------------------------------------------- oracle and surface


def test_neither_a_deviating_pool_nor_a_stale_feed_stops(core: Core) -> None:
    """I-07: each fill is held to the feed's price, or while that is stale to the pool's mean."""
    core.set_spot(2_000.0, pool_usd=2_100.0)
    assert core.oracle.state(UNDERLYING) == DEVIATING
    core.hedge.rebalance.call([order(core, -1)], limits(core), {"from": core.keeper})
    core.warp(core.now + 3_601)
    assert core.oracle.state(UNDERLYING) == STALE
    no_rebalance(core, "LimitPriceOffOracle", order(core, -1))
    core.venue.setPrice(2_090 * WAD, {"from": core.gov})
    rebalance(core, order(core, -1, 2_090))


def test_no_price_at_all_stops(core: Core) -> None:
    core.pool.setBroken(True, {"from": core.gov})
    core.warp(core.now + 3_601)
    no_rebalance(core, "NoPrice", order(core, -1))


def test_an_old_surface_stops(core: Core) -> None:
    at = core.surface.lastCommit(UNDERLYING)
    core.warp(at + SURFACE_MAX_AGE_S - 60)
    core.set_spot(2_000.0)
    core.warp(at + SURFACE_MAX_AGE_S)
    core.hedge.rebalance.call([order(core, -1)], limits(core), {"from": core.keeper})
    core.warp(core.now + 10)
    no_rebalance(core, "SurfaceUnfit", order(core, -1))


# ---------------------------------------------------------------- the delta rule (I-05)


def test_a_wrong_sign_never_passes(core: Core) -> None:
    """Incident 8: the delta is read before every order."""
    for eth in (0.001, 5):
        values = (0, wad(eth), delta(core))
        no_rebalance(core, "WrongSign", order(core, eth), values=values)
    core.clearinghouse.withdrawBase(20 * WAD, core.vault, {"from": core.vault})
    no_rebalance(core, "WrongSign", order(core, -0.001))


def test_without_delta_there_is_nothing_to_hedge(core: Core) -> None:
    core.trade(core.vault, core.takers[0], [(core.series(7, 2_000), -10)])
    core.clearinghouse.withdrawBase(20 * WAD, core.vault, {"from": core.vault})
    assert delta(core) == 0
    for eth in (1, -1):
        no_rebalance(core, "WrongSign", order(core, eth))


def test_an_overshoot_across_zero_beyond_the_band(core: Core) -> None:
    eth = delta(core) / WAD
    no_rebalance(core, "DeltaOvershoot", order(core, -(eth + 0.51)))
    rebalance(core, order(core, -(eth + 0.49)))


def test_a_delta_that_does_not_fall_as_it_must(core: Core) -> None:
    """Churn: each order has its right sign, the whole reduces less than half of what it trades."""
    eth = delta(core) / WAD
    churn = order(core, -(eth + 3)), order(core, 3 + 0.6 + eth / 4)
    no_rebalance(core, "DeltaNotReduced", *churn)
    parameters = list(HEDGE_PARAMETERS)
    parameters[1] = WAD // 10
    core.hedge.setParameters(parameters, {"from": core.gov})
    rebalance(core, *churn)


def test_inside_the_band_no_reduction_is_asked(core: Core) -> None:
    rebalance(core, order(core, -(delta(core) / WAD - 0.4)))
    rebalance(core, order(core, -0.8))
    assert -BAND <= delta(core) < 0


# ---------------------------------------------------------------- price, slippage, size


@pytest.mark.parametrize(("eth", "limit"), [(-1, 1_979.99), (-1, 0), (-1, 1_800)])
def test_a_limit_price_off_the_oracle_to_sell(core: Core, eth: float, limit: float) -> None:
    values = (0, wad(limit), SPOT, SLIPPAGE)
    no_rebalance(core, "LimitPriceOffOracle", order(core, eth, limit), values=values)


@pytest.mark.parametrize("limit", [2_020.01, 10**12])
def test_a_limit_price_off_the_oracle_to_buy(core: Core, limit: float) -> None:
    core.clearinghouse.withdrawBase(20 * WAD, core.vault, {"from": core.vault})
    no_rebalance(core, "LimitPriceOffOracle", order(core, 1, limit))


def test_slippage_is_measured_from_balances(core: Core) -> None:
    """A venue that keeps five percent and reports all of it."""
    core.venue.setTerms(WAD, WAD // 20, {"from": core.gov})
    no_rebalance(core, "SlippageTooHigh", order(core, -10))
    core.venue.setTerms(WAD, SLIPPAGE - 1, {"from": core.gov})
    tx = rebalance(core, order(core, -10))
    lost = int(tx.events["Rebalanced"]["navChange"])
    assert lost == pytest.approx(-200 * WAD, abs=10**13)


def test_slippage_of_a_bad_price(core: Core) -> None:
    core.venue.setPrice(1_979 * WAD, {"from": core.gov})
    no_rebalance(core, "SlippageTooHigh", order(core, -10))


def test_slippage_counts_what_was_filled_not_what_was_ordered(core: Core) -> None:
    core.venue.setTerms(WAD // 10, WAD // 20, {"from": core.gov})
    no_rebalance(core, "SlippageTooHigh", order(core, -10))


def test_a_fill_beyond_its_order(core: Core) -> None:
    core.venue.setSynthetic(True, {"from": core.gov})
    core.venue.setTerms(2 * WAD, 0, {"from": core.gov})
    no_rebalance(core, "FillOverOrder", order(core, -2), values=(0, -2 * WAD, -4 * WAD))
    core.venue.setTerms(-WAD, 0, {"from": core.gov})
    no_rebalance(core, "FillOverOrder", order(core, -2), values=(0, -2 * WAD, 2 * WAD))


def test_more_than_the_account_holds(core: Core) -> None:
    """The account's own tokens bound an order before any rule does."""
    core.clearinghouse.withdrawBase(14 * WAD, core.vault, {"from": core.vault})
    core.venue.setPosition(10 * WAD, 0, {"from": core.gov})
    values = (core.vault, 6 * WAD, 7 * WAD)
    no_rebalance(core, "BaseShort", order(core, -7), values=values)
    core.venue.setPosition(-30 * WAD, 500_000 * WAD, {"from": core.gov})
    core.clearinghouse.withdrawCash(195_000 * 10**6, core.vault, {"from": core.vault})
    no_rebalance(core, "CashShort", order(core, 6))


def test_a_venue_that_is_no_contract(core: Core) -> None:
    stranger = core.takers[0]
    no_rebalance(core, "VenueUnknown", order(core, -1, venue=stranger), values=(stranger,))
