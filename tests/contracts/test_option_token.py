"""OptionToken: fully paid longs leave an account, come back into their holder's own, and are paid like every winner."""

from typing import Any

import pytest

from tests.brownie_fixtures import reverts_with
from tests.contracts.core_accounts import wad
from tests.contracts.core_constants import TOKEN, UNDERLYING, USDC, WAD
from tests.contracts.core_env import BrownieBackend, Core, deploy_core, refused

DAY1 = 1
ZERO = "0x" + "00" * 20


@pytest.fixture(scope="module")
def core(project: Any, accounts: Any) -> Core:
    """No venues; takers with cash, the first long four calls of the second, which expire first."""
    core = deploy_core(BrownieBackend(project, accounts))
    core.clearinghouse.setVenue(core.venue, False, {"from": core.gov})
    for who in core.takers[:4]:
        core.fund(who, 20_000)
    core.trade(core.takers[1], core.takers[0], [(call(core), 4)], premium=100)
    return core


def call(core: Core, strike: float = 2_000.0) -> int:
    return core.series(DAY1, strike)


def people(core: Core) -> tuple[Any, Any, Any, Any]:
    return tuple(core.takers[:4])


def wrapped(core: Core, size: float = 3) -> int:
    """The long's contracts as tokens; the series."""
    core.token.wrap(call(core), wad(size), {"from": core.takers[0]})
    return call(core)


def settle(core: Core, usd: float) -> int:
    """Proves and settles the expiry for everybody. The payout factor."""
    core.prove(DAY1, usd)
    args = (UNDERLYING, core.expiry(DAY1))
    core.clearinghouse.convert(*args, core.takers[:5], {"from": core.gov})
    core.clearinghouse.finalise(*args, {"from": core.gov})
    core.clearinghouse.claim(*args, core.takers[:5], {"from": core.gov})
    return core.settlement(DAY1)[3]


def supply_and_legs(core: Core, series: int) -> int:
    """I-01: what must be zero."""
    legs = sum(core.legs(who).get(series, 0) for who in core.everybody)
    return legs + int(core.token.totalSupply(series))


# ---------------------------------------------------------------- wrapping


def test_a_long_leaves_the_account_as_a_token(core: Core) -> None:
    holder = core.takers[0]
    tx = core.token.wrap(call(core), wad(3), {"from": holder})
    assert core.legs(holder) == {call(core): WAD}
    assert core.token.balanceOf(holder, call(core)) == core.token.totalSupply(call(core)) == 3 * WAD
    assert dict(tx.events["Wrapped"]) == {"holder": holder, "series": call(core), "amount": 3 * WAD}
    assert tx.events["LegWrapped"]["account"] == holder
    assert supply_and_legs(core, call(core)) == 0


def test_the_last_contract_closes_the_leg(core: Core) -> None:
    wrapped(core, 4)
    assert core.legs(core.takers[0]) == {}
    refused(core.token.wrap, call(core), 1, by=core.takers[0], error="LegShort")


def test_only_longs_of_the_caller_can_be_wrapped(core: Core) -> None:
    long, short, nobody, _ = people(core)
    for who, amount in ((long, wad(4) + 1), (short, 1), (nobody, 1), (long, 2**200)):
        refused(core.token.wrap, call(core), amount, by=who, error="LegShort")
    refused(core.token.wrap, call(core), 0, by=long, error="AmountZero")


def test_amounts_beyond_signed_numbers_are_refused_by_name(core: Core) -> None:
    error = "SafeCastOverflowedUintToInt"
    refused(core.token.wrap, call(core), 2**256 - 1, by=core.takers[0], error=error)


def test_a_long_that_holds_up_a_short_does_not_leave(core: Core) -> None:
    """I-03: the spread needs its long."""
    long, _, other, _ = people(core)
    core.trade(long, other, [(call(core, 2_100.0), 4)])
    free = core.clearinghouse.freeCashOf(long)
    core.clearinghouse.withdrawCash(free, long, {"from": long})
    refused(core.token.wrap, call(core), wad(4), by=long, error="BelowInitialMargin")
    assert core.token.totalSupply(call(core)) == 0


def test_an_expired_long_settles_and_is_not_wrapped(core: Core) -> None:
    core.warp(core.expiry(DAY1))
    refused(core.token.wrap, call(core), WAD, by=core.takers[0], error="SeriesExpired")


def test_tokens_move_as_erc_6909_says(core: Core) -> None:
    long, friend, operator, _ = people(core)
    series = wrapped(core)
    core.token.transfer(friend, series, WAD, {"from": long})
    core.token.approve(operator, series, WAD, {"from": long})
    core.token.transferFrom(long, friend, series, WAD, {"from": operator})
    assert core.token.balanceOf(friend, series) == 2 * WAD
    error = "ERC6909InsufficientAllowance"
    refused(core.token.transferFrom, long, friend, series, 1, by=operator, error=error)
    error = "ERC6909InsufficientBalance"
    refused(core.token.transfer, friend, series, 2 * WAD, by=long, error=error)
    assert core.token.decimals(series) == 18
    assert core.token.supportsInterface("0x0f632fb3")  # ERC-6909
    assert supply_and_legs(core, series) == 0


# ---------------------------------------------------------------- coming back


def test_a_token_comes_back_into_its_holders_own_account(core: Core) -> None:
    long, short, friend, _ = people(core)
    series = wrapped(core)
    core.token.transfer(friend, series, 2 * WAD, {"from": long})
    tx = core.token.unwrap(series, 2 * WAD, {"from": friend})
    assert core.legs(friend) == {series: 2 * WAD}
    assert tx.events["Unwrapped"]["holder"] == friend
    core.token.transfer(short, series, WAD, {"from": long})
    core.token.unwrap(series, WAD, {"from": short})
    assert core.legs(short) == {series: -3 * WAD}, "a token closes a short"
    assert supply_and_legs(core, series) == core.token.totalSupply(series) == 0


def test_what_is_not_held_does_not_come_back(core: Core) -> None:
    series = wrapped(core)
    error = "ERC6909InsufficientBalance"
    for who in (core.takers[1], core.takers[2]):
        refused(core.token.unwrap, series, 1, by=who, error=error)
    refused(core.token.unwrap, series, 3 * WAD + 1, by=core.takers[0], error=error)
    refused(core.token.unwrap, series, 0, by=core.takers[0], error="AmountZero")
    refused(core.token.unwrap, call(core, 2_100.0), 1, by=core.takers[0], error=error)


def test_after_its_expiry_a_token_is_redeemed_and_not_unwrapped(core: Core) -> None:
    series = wrapped(core)
    core.warp(core.expiry(DAY1))
    refused(core.token.unwrap, series, WAD, by=core.takers[0], error="SeriesExpired")


def test_a_full_account_takes_no_further_leg(core: Core) -> None:
    long, _, other, _ = people(core)
    series = wrapped(core, 4)
    strikes = [1_000.0 + 10 * i for i in range(32)]
    core.trade(other, long, [(core.series(7, k, False), 0.01) for k in strikes])
    refused(core.token.unwrap, series, WAD, by=long, error="TooManyLegs")
    assert core.token.balanceOf(long, series) == 4 * WAD


# ---------------------------------------------------------------- paid


def test_tokens_are_paid_what_the_account_would_have_been(core: Core) -> None:
    long = core.takers[0]
    series = wrapped(core)
    before = core.cash(long)
    assert settle(core, 2_250.0) == WAD
    assert core.cash(long) - before == 250 * WAD
    tx = core.token.redeem(series, 3 * WAD, {"from": long})
    assert tx.events["Redeemed"]["gain"] == 750 * WAD
    assert core.cash(long) - before == 1_000 * WAD
    assert core.token.totalSupply(series) == 0
    core.check_books()
    core.clearinghouse.withdrawCash(core.clearinghouse.freeCashOf(long), long, {"from": long})


def test_nothing_is_paid_before_the_factor_is_fixed(core: Core) -> None:
    series = wrapped(core)
    refused(core.token.redeem, series, WAD, by=core.takers[0], error="NotFinal")
    core.prove(DAY1, 2_250.0)
    refused(core.token.redeem, series, WAD, by=core.takers[0], error="NotFinal")
    assert core.token.balanceOf(core.takers[0], series) == 3 * WAD


def test_worthless_tokens_burn_for_nothing(core: Core) -> None:
    long = core.takers[0]
    series, before = wrapped(core), core.cash(long)
    settle(core, 1_900.0)
    assert core.token.redeem(series, 3 * WAD, {"from": long}).events["Redeemed"]["gain"] == 0
    assert core.cash(long) == before
    assert core.token.totalSupply(series) == 0
    refused(core.token.redeem, series, 1, by=long, error="ERC6909InsufficientBalance")
    refused(core.token.redeem, series, 0, by=long, error="AmountZero")


@pytest.mark.parametrize("order", [(0, 2), (2, 0)])
def test_a_default_is_shared_whatever_the_order(core: Core, order: tuple[int, int]) -> None:
    """I-12: tokens of two holders and a leg, one factor; nobody gains by being first."""
    long, short, friend, _ = people(core)
    series = wrapped(core)
    core.token.transfer(friend, series, WAD, {"from": long})
    free = core.clearinghouse.freeCashOf(short)
    core.clearinghouse.withdrawCash(free, short, {"from": short})
    factor = settle(core, 6_000.0)
    assert 0 < factor < WAD
    cash = [core.cash(who) for who in core.takers[:3]]
    amounts = {0: 2 * WAD, 2: WAD}
    for index in order:
        core.token.redeem(series, amounts[index], {"from": core.takers[index]})
    each = 4_000 * factor
    assert [core.cash(who) - c for who, c in zip(core.takers[:3], cash, strict=True)] == [
        2 * each,
        0,
        each,
    ]
    core.check_books()


def test_redeeming_in_crumbs_gains_nothing(core: Core) -> None:
    long = core.takers[0]
    series = wrapped(core)
    settle(core, 2_250.0)
    before = core.cash(long)
    for amount in (1, 1, 3, 7):
        core.token.redeem(series, amount, {"from": long})
    assert core.cash(long) - before <= 12 * 250
    core.check_books()


def test_only_the_registered_token_reaches_the_hooks(core: Core) -> None:
    house, who = core.clearinghouse, core.takers[0]
    for name in ("wrap", "unwrap", "payWrapped"):
        refused(getattr(house, name), who, call(core), 1, by=who, error="OnlyMarket")
    house.setMarket(core.token, 0, {"from": core.gov})
    refused(core.token.wrap, call(core), 1, by=who, error="OnlyMarket", values=(core.token, TOKEN))


def test_cash_and_tokens_of_a_stranger_are_untouched(core: Core) -> None:
    series = wrapped(core)
    stranger = core.takers[3]
    settle(core, 2_250.0)
    with reverts_with("ERC6909InsufficientBalance"):
        core.token.redeem.call(series, 1, {"from": stranger})
    assert core.cash(stranger) == 20_000 * USDC * 10**12
