"""HedgeManager: makers' option quotes in a batch, and positions that move between venues."""

from typing import Any

import pytest
from eth_abi import encode

from tests.contracts.core_accounts import to_legs, to_packed, wad
from tests.contracts.core_constants import DESK, FOREVER, HEDGE_PARAMETERS, HOUR, UNDERLYING, WAD
from tests.contracts.core_env import BrownieBackend, Core, deploy_core, refused

BAND, CAP = HEDGE_PARAMETERS[0], HEDGE_PARAMETERS[5]


@pytest.fixture(scope="module")
def core(project: Any, accounts: Any) -> Core:
    """The vault is short 20 straddles, so short gamma and vega; a maker has money to sell some back."""
    core = deploy_core(BrownieBackend(project, accounts))
    core.fund(core.vault, 300_000, 5)
    for who in core.takers[:2]:
        core.fund(who, 300_000, 20)
    legs = [(core.series(7, 2_000, call), 20) for call in (True, False)]
    core.trade(core.vault, core.takers[0], legs, premium=3_500)
    adapter = core.backend.deploy("MockQuoteAdapter", core.clearinghouse)
    core.clearinghouse.setMarket(adapter, DESK, {"from": core.gov})
    core.hedge.setQuoteAdapter(adapter, {"from": core.gov})
    level(core)
    return core


def level(core: Core) -> None:
    """Spot trades until the delta is gone."""
    delta = int(core.hedge.netDelta(UNDERLYING)[0])
    rebalance(core, order(core, -delta / WAD))


def order(core: Core, eth: float, venue: Any = None) -> tuple:
    return venue or core.venue, wad(round(eth, 9)), wad(2_020.0 if eth > 0 else 1_980.0), b""


def option(core: Core, legs: list[tuple], premium: float) -> tuple:
    """A maker's quote: `legs` from the vault's side, `premium` what the vault pays."""
    data = encode(
        ["address", "int256", "(uint128,int128)[]"],
        [str(core.takers[1]), wad(premium), to_legs(legs)],
    )
    return core.hedge.quoteAdapter(), 0, 0, data


def limits(core: Core) -> tuple:
    return core.hedge.epoch(), FOREVER, 10**12, b"\x01" * 32


def rebalance(core: Core, *orders: tuple) -> Any:
    tx = core.hedge.rebalance(orders, limits(core), {"from": core.keeper})
    core.check_books()
    return tx


def no_rebalance(core: Core, error: str, *orders: tuple, values: Any = None) -> None:
    refused(core.hedge.rebalance, orders, limits(core), by=core.keeper, error=error, values=values)


def another_venue(core: Core) -> Any:
    """A perpetual."""
    venue = core.backend.deploy("MockVenue", core.usdc, core.weth, core.clearinghouse, 2_000 * WAD)
    by = {"from": core.gov}
    venue.setSynthetic(True, by)
    core.clearinghouse.setVenue(venue, True, by)
    core.hedge.setVenueCap(venue, 1_000 * WAD, by)
    return venue


def greeks(core: Core) -> tuple[int, int, int]:
    """(delta, gamma, vega) of the vault."""
    return tuple(map(int, core.lens.greeksOf(core.vault, UNDERLYING)))[:3]


def mark(core: Core, legs: list[tuple], fresh: bool = True) -> float:
    return core.marks.optionValue(to_packed(legs), 0 if fresh else 1) / WAD


PUTS = 2_000, False


# ---------------------------------------------------------------- option orders


def test_a_batch_lowers_vega_by_a_quote_and_delta_by_a_swap(core: Core) -> None:
    legs = [(core.series(7, *PUTS), 10)]
    fair = mark(core, legs)
    delta, gamma, vega = greeks(core)
    bought = core.marks.optionGreeks(UNDERLYING, to_packed(legs))[0] / WAD
    tx = rebalance(core, option(core, legs, fair + 30), order(core, -bought))
    after = greeks(core)
    assert abs(after[1]) < abs(gamma)
    assert abs(after[2]) < abs(vega)
    assert abs(after[0]) <= BAND
    taken, done = tx.events["OptionsTaken"], tx.events["Rebalanced"]
    assert int(taken["vegaBefore"]) == pytest.approx(vega, rel=1e-4)  # seconds have passed
    assert (taken["gammaAfter"], taken["vegaAfter"]) == after[1:]
    assert int(taken["navChange"]) == pytest.approx(-30 * WAD, rel=1e-9)
    assert int(done["navChange"]) == pytest.approx(-30 * WAD, rel=1e-3)
    assert int(done["deltaBefore"]) == pytest.approx(delta, abs=1e13)
    assert CAP - core.hedge.budgetLeft() == pytest.approx(30 * WAD, rel=1e-2)


def test_an_option_order_that_lowers_neither_gamma_nor_vega(core: Core) -> None:
    legs = [(core.series(7, *PUTS), -5)]
    no_rebalance(core, "OptionRiskNotReduced", option(core, legs, mark(core, legs)))
    both = [(core.series(7, *PUTS), 5)], [(core.series(7, *PUTS), -4)]
    quotes = [option(core, legs, mark(core, legs)) for legs in both]
    no_rebalance(core, "OptionRiskNotReduced", *quotes)


def test_one_of_the_two_is_enough(core: Core) -> None:
    """A calendar spread: short gamma grows by the near leg, vega shrinks by the far one."""
    legs = [(core.series(7, *PUTS), -5), (core.series(14, *PUTS), 6)]
    _, gamma, vega = greeks(core)
    delta = core.marks.optionGreeks(UNDERLYING, to_packed(legs))[0] / WAD
    rebalance(core, option(core, legs, mark(core, legs)), order(core, -delta))
    _, gamma_after, vega_after = greeks(core)
    assert (abs(gamma_after) < abs(gamma)) != (abs(vega_after) < abs(vega))


def test_the_delta_that_options_leave_is_held_to_the_rule(core: Core) -> None:
    legs = [(core.series(7, *PUTS), 10)]
    quote = option(core, legs, mark(core, legs))
    no_rebalance(core, "DeltaNotReduced", quote)
    no_rebalance(core, "WrongSign", quote, order(core, -0.1))
    no_rebalance(core, "DeltaOvershoot", quote, order(core, 12))


def test_a_bad_price_is_a_loss_of_the_budget(core: Core) -> None:
    legs = [(core.series(7, 2_000, call), 5) for call in (False, True)]
    fair = mark(core, legs)
    no_rebalance(core, "BudgetExceeded", option(core, legs, fair + CAP / WAD + 1))
    rebalance(core, option(core, legs, fair + CAP / WAD - 1))


def test_options_count_by_the_slice_that_favours_the_vault_less(core: Core) -> None:
    """A bent surface makes no purchase look cheap: the aged slice says what it is worth."""
    legs = [(core.series(7, 2_000, call), 5) for call in (False, True)]
    aged = mark(core, legs)
    core.warp(core.now + 2 * HOUR)
    core.set_spot(2_000.0)
    core.commit(core.slice(1.0, 7))
    level(core)
    dear, old = mark(core, legs), mark(core, legs, fresh=False)
    assert dear > 1.15 * old
    assert old == pytest.approx(aged, rel=0.05)
    tx = rebalance(core, option(core, legs, dear))
    assert int(tx.events["OptionsTaken"]["navChange"]) == pytest.approx(wad(old - dear), rel=1e-6)
    sale = [(series, -size) for series, size in legs]
    assert mark(core, sale, fresh=False) == pytest.approx(-old, rel=1e-9)


def test_option_orders_come_first(core: Core) -> None:
    legs = [(core.series(7, *PUTS), 2)]
    core.fund(core.vault, 0, 2)
    quote = option(core, legs, mark(core, legs))
    no_rebalance(core, "OptionOrderLate", order(core, -1), quote, values=(1,))


def test_an_option_order_without_legs(core: Core) -> None:
    no_rebalance(core, "OptionOrderIdle", option(core, [], 1), values=(0,))


def test_a_quote_elsewhere_than_at_the_adapter_is_no_option_order(core: Core) -> None:
    legs = [(core.series(7, *PUTS), 2)]
    quote = option(core, legs, 1)
    core.hedge.setQuoteAdapter(core.gov, {"from": core.gov})
    with pytest.raises(Exception, match="revert"):
        core.hedge.rebalance.call([quote], limits(core), {"from": core.keeper})


def test_a_batch_with_options_meets_initial_margin(core: Core) -> None:
    """Spot and perp alone do not wait for the margin grid (I-07); option orders do."""
    legs = [(core.series(7, 2_000, call), 1) for call in (False, True)]
    equity, initial, _ = core.margin(core.vault)
    core.clearinghouse.withdrawCash(
        (equity - initial) // 10**12 - 10**6, core.vault, {"from": core.vault}
    )
    core.set_spot(2_150.0)
    core.venue.setPrice(2_150 * WAD, {"from": core.gov})
    equity, initial, _ = core.margin(core.vault)
    assert equity < initial
    no_rebalance(core, "MarginNotMet", option(core, legs, mark(core, legs)))
    delta = int(core.hedge.netDelta(UNDERLYING)[0])
    assert abs(delta) > BAND
    limit = wad(2_160 if delta < 0 else 2_140)
    rebalance(core, (core.venue, -delta // 4, limit, b""))


# ---------------------------------------------------------------- migrations


def test_a_position_moves_between_venues(core: Core) -> None:
    """Bought back here and sold there in one batch: neither gross nor net grows."""
    one, two = another_venue(core), another_venue(core)
    one.setPosition(-3 * WAD, 0, {"from": core.gov})
    tx = rebalance(core, order(core, 3, one), order(core, -3, two))
    assert (one.positionBase(), two.positionBase()) == (0, -3 * WAD)
    assert tx.events["Rebalanced"]["filledBase"] == 0
    rebalance(core, order(core, -1, one), order(core, 1, two))


def test_what_is_no_migration_has_the_wrong_sign(core: Core) -> None:
    one, two = another_venue(core), another_venue(core)
    one.setPosition(-3 * WAD, 0, {"from": core.gov})
    core.fund(core.vault, 0, 10)
    clip = HEDGE_PARAMETERS[8] / WAD
    before = int(core.hedge.netDelta(UNDERLYING)[0])
    churn = order(core, 2, one), order(core, -2 + clip + 0.001, two)
    no_rebalance(core, "WrongSign", *churn, values=(0, 2 * WAD, before))
    missed = order(core, 2, one), order(core, -2 + clip / 2, two)
    no_rebalance(core, "MigrationAddsDelta", *missed)
    rebalance(core, order(core, 2, one), order(core, -2, two))
    no_rebalance(core, "MigrationAddsGross", order(core, 1), order(core, -1, two))
