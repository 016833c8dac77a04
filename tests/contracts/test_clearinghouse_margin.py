"""Cash, collateral and margin of traders and of the vault. I-03, I-07."""

from typing import Any

import pytest

from tests.contracts.clearinghouse_world import new_traders, trade_refused
from tests.contracts.core_accounts import to_packed
from tests.contracts.core_constants import DAY, FRESH_SLICE, HOUR, UNDERLYING, USDC, WAD
from tests.contracts.core_env import BrownieBackend, Core, refused


@pytest.fixture(scope="module")
def core(project: Any, accounts: Any) -> Core:
    return new_traders(BrownieBackend(project, accounts))


@pytest.fixture
def call(core: Core) -> int:
    return core.series(7, 2_200)


@pytest.fixture
def put(core: Core) -> int:
    return core.series(7, 1_800, call=False)


# ---------------------------------------------------------------- cash and collateral


def test_premium_beyond_the_cash_is_refused(core: Core, call: int) -> None:
    one = core.takers[0]
    values = (one, 10_000 * WAD, 10_000 * WAD + WAD // 2)
    trade_refused(core, [(call, 1)], "CashShort", *values, premium=10_000.5)
    core.trade(core.vault, one, [(call, 1)], premium=10_000)
    assert core.cash(one) == 0


def test_a_maker_pays_from_cash_he_has(core: Core, call: int) -> None:
    trade_refused(core, [(call, -1)], "CashShort", premium=-100_000.5)


def test_a_seller_keeps_initial_margin_and_can_take_the_rest(core: Core, put: int) -> None:
    one = core.takers[0]
    core.clearinghouse.withdrawBase(5 * WAD, one, {"from": one})
    core.trade(core.vault, one, [(put, -5)])
    equity, initial, maintenance = core.margin(one)
    assert equity > initial > maintenance > 0
    free = core.clearinghouse.freeCashOf(one)
    withdraw = core.clearinghouse.withdrawCash
    refused(withdraw, free + USDC, one, by=one, error="BelowInitialMargin")
    withdraw(free - USDC, one, {"from": one})
    core.check_books((put,))


def test_weth_is_collateral_for_any_short(core: Core, put: int) -> None:
    """A taker without cash sells puts against his WETH, with less margin to spare than it is worth."""
    one = core.takers[0]
    core.clearinghouse.withdrawCash(10_000 * USDC, one, {"from": one})
    core.trade(core.vault, one, [(put, -3)])
    refused(core.clearinghouse.withdrawBase, 5 * WAD, one, by=one, error="BelowInitialMargin")
    core.clearinghouse.withdrawBase(WAD, one, {"from": one})
    trade_refused(core, [(put, -30)], "BelowInitialMargin")


def test_a_withdrawal_with_risk_needs_a_price_that_may_be_trusted(core: Core, put: int) -> None:
    one, two = core.takers[:2]
    core.trade(core.vault, one, [(put, -1)])
    core.warp(core.now + 2 * HOUR)
    for name in ("withdrawCash", "withdrawBase"):
        refused(getattr(core.clearinghouse, name), 1, one, by=one, error="ActionNotAllowed")
        getattr(core.clearinghouse, name)(1, two, {"from": two})
    core.fund(one, 1)


def test_tokens_do_not_go_to_the_clearinghouse_itself(core: Core) -> None:
    one, house = core.takers[0], core.clearinghouse
    for name in ("withdrawCash", "withdrawBase"):
        refused(getattr(house, name), 1, house, by=one, error="RecipientIsClearinghouse")


def test_expired_shorts_keep_their_margin_until_settled(core: Core, put: int) -> None:
    one = core.takers[0]
    core.trade(core.vault, one, [(put, -5)])
    core.warp(core.expiry(7) + 1)
    core.set_spot(1_000.0)
    assert core.margin(one)[1] > 0
    withdraw = core.clearinghouse.withdrawCash
    refused(withdraw, 9_900 * USDC, one, by=one, error="BelowInitialMargin")


def test_a_batch_is_checked_once_at_its_end(core: Core, call: int, put: int) -> None:
    """Two trades, each of which alone would break the margin, close each other's risk."""
    one, two, house = core.takers[0], core.takers[1], core.clearinghouse
    far = [(core.vault, one, 0, [(call, -80 * WAD)]), (one, two, 0, [(call, -80 * WAD)])]
    refused(house.trade, far, by=core.market, error="BelowInitialMargin")
    back = [(core.vault, one, 0, [(call, -80 * WAD)]), (one, core.vault, 0, [(call, -80 * WAD)])]
    house.trade(back, {"from": core.market})
    assert core.legs(one) == core.legs(core.vault) == {}
    refused(house.trade, [], by=core.market, error="TradesEmpty")
    core.check_books((call, put))


# ---------------------------------------------------------------- the vault's margin (I-03, I-07)


def test_the_vault_may_not_end_below_initial_margin(core: Core, call: int) -> None:
    core.fund(core.takers[0], 1_000)
    equity = core.cash(core.vault)

    def surplus(size: int) -> int:
        book = (UNDERLYING, equity, 0, [], to_packed([(call, -size)]))
        value, initial, _ = core.engine.margin(book, FRESH_SLICE)
        return int(value - initial)

    low, high = 1, 2_000
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if surplus(middle) >= 0 else (low, middle)
    trade_refused(core, [(call, high)], "BelowInitialMargin")
    core.trade(core.vault, core.takers[0], [(call, low)])
    equity, initial, maintenance = core.margin(core.vault)
    assert equity >= initial > maintenance > 0
    trade_refused(core, [(call, high - low)], "BelowInitialMargin")


def test_a_vault_below_its_margin_can_only_reduce(core: Core, call: int) -> None:
    one = core.takers[0]
    core.trade(core.vault, one, [(call, 80)], premium=2_000)
    core.set_spot(2_900.0)
    equity, initial, _ = core.margin(core.vault)
    assert equity < initial
    trade_refused(core, [(call, 0.01)], "BelowInitialMargin")
    refused(
        core.clearinghouse.withdrawCash, 1, core.vault, by=core.vault, error="BelowInitialMargin"
    )
    assert core.clearinghouse.freeCashOf(core.vault) == 0
    core.trade(core.vault, one, [(call, -1)], premium=-700)
    later = core.margin(core.vault)
    assert later[0] - later[1] > equity - initial
    core.fund(core.vault, 10)


def test_free_cash_of_the_vault_is_what_it_can_withdraw(core: Core, call: int) -> None:
    core.trade(core.vault, core.takers[0], [(call, 40)], premium=1_000)
    free = core.clearinghouse.freeCashOf(core.vault)
    assert 0 < free < 101_000 * 10**6
    withdraw = core.clearinghouse.withdrawCash
    refused(withdraw, free + 1, core.vault, by=core.vault, error="BelowInitialMargin")
    withdraw(free, core.vault, {"from": core.vault})
    core.check_books((call,))


def test_greeks_of_the_vault_hold_options_base_and_venues(core: Core, call: int) -> None:
    core.fund(core.vault, 0, 3)
    core.venue.setPosition(-5 * WAD, 9_000 * WAD, {"from": core.gov})
    core.trade(core.vault, core.takers[0], [(call, 10)])
    options = core.marks.optionGreeks(UNDERLYING, core.clearinghouse.portfolioOf(core.vault)[4])
    found = core.lens.greeksOf(core.vault, UNDERLYING)
    assert found[0] == options[0] - 2 * WAD
    assert tuple(found[1:]) == tuple(options[1:])
    assert tuple(core.lens.hedgeOf(core.vault)) == (-2 * WAD, 109_000 * WAD)
    assert core.lens.greeksOf(core.vault, 2)[0] == 0
    assert core.now - core.start < DAY


def test_an_exposure_is_the_account_without_its_legs_and_their_delta(core: Core, call: int) -> None:
    house = core.clearinghouse
    core.fund(core.vault, 0, 3)
    core.venue.setPosition(-5 * WAD, 9_000 * WAD, {"from": core.gov})
    core.trade(core.vault, core.takers[0], [(call, 10)])
    for account in (core.vault, core.takers[0], core.gov):
        underlying, cash, base, _, legs = house.portfolioOf(account)
        for asked in (UNDERLYING, 2):
            collateral, delta = house.exposureOf(account, asked)
            assert collateral == house.collateralOf(account)
            assert tuple(collateral[:3]) == (underlying, cash, base)
            assert delta == core.marks.optionDelta(asked, legs)
        assert (house.exposureOf(account, UNDERLYING)[1] != 0) is (account != core.gov)
        assert house.exposureOf(account, 2)[1] == 0
