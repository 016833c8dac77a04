"""Clearinghouse: what owners do with cash and base, what tokens may do, governance of markets and venues."""

from typing import Any

import pytest

from tests.brownie_fixtures import reverts_with
from tests.contracts.core_env import (
    AUCTION,
    DAY,
    DEBT_PARAMETERS,
    DESK,
    NO_MARKET,
    SPOT_USD,
    TOKEN,
    UNDERLYING,
    USDC,
    WAD,
    BrownieBackend,
    Core,
    deploy_core,
    refused,
)

ZERO = "0x" + "0" * 40
# Selector of ReentrancyGuardReentrantCall.
REENTERED = "0x3ee5aeb5"


@pytest.fixture(scope="module")
def core(project: Any, accounts: Any) -> Core:
    """Two takers with 10,000 USDC and 5 WETH each in their accounts, and as much in hand."""
    core = deploy_core(BrownieBackend(project, accounts))
    for who in core.takers[:2]:
        core.fund(who, 10_000, 5)
        core.usdc.mint(who, 10_000 * USDC, {"from": who})
        core.weth.mint(who, 5 * WAD, {"from": who})
    return core


@pytest.fixture(autouse=True)
def books(core: Core) -> Any:
    yield
    core.check_books()


# ---------------------------------------------------------------- deposits and withdrawals


def test_cash_in_and_out_to_the_unit(core: Core) -> None:
    who, to = core.takers[:2]
    held = core.usdc.balanceOf(to)
    tx = core.clearinghouse.depositCash(1, {"from": who})
    assert tx.events["CashDeposited"] == {"account": who, "usdc": 1}
    assert core.cash(who) == 10_000 * WAD + 10**12
    tx = core.clearinghouse.withdrawCash(10_000 * USDC + 1, to, {"from": who})
    assert dict(tx.events["CashWithdrawn"]) == {
        "account": who, "to": to, "usdc": 10_000 * USDC + 1
    }  # fmt: skip
    assert (core.cash(who), core.usdc.balanceOf(to) - held) == (0, 10_000 * USDC + 1)


def test_base_in_and_out_to_the_wei(core: Core) -> None:
    who, to = core.takers[:2]
    held = core.weth.balanceOf(to)
    core.clearinghouse.depositBase(1, {"from": who})
    assert core.base(who) == 5 * WAD + 1
    core.clearinghouse.withdrawBase(5 * WAD + 1, to, {"from": who})
    assert (core.base(who), core.weth.balanceOf(to) - held) == (0, 5 * WAD + 1)


def test_nothing_is_no_amount(core: Core) -> None:
    who, house = core.takers[0], core.clearinghouse
    for function, args in (
        (house.depositCash, (0,)), (house.withdrawCash, (0, who)), (house.depositBase, (0,)),
        (house.withdrawBase, (0, who)), (house.fundInsurance, (0,)),
    ):  # fmt: skip
        refused(function, *args, by=who, error="AmountZero")


def test_nobody_is_no_recipient(core: Core) -> None:
    who, house = core.takers[0], core.clearinghouse
    for function in (house.withdrawCash, house.withdrawBase):
        refused(function, 1, ZERO, by=who, error="ZeroAddress")


def test_more_than_there_is_stays(core: Core) -> None:
    who, house = core.takers[0], core.clearinghouse
    amount = 10_000 * USDC + 1
    values = (who, 10_000 * WAD, amount * 10**12)
    refused(house.withdrawCash, amount, who, by=who, error="CashShort", values=values)
    values = (who, 5 * WAD, 5 * WAD + 1)
    refused(house.withdrawBase, 5 * WAD + 1, who, by=who, error="BaseShort", values=values)


@pytest.mark.parametrize("amount", [2**100, 2**200, 2**250, 2**256 - 1])
def test_absurd_amounts_get_an_error_of_their_own(core: Core, amount: int) -> None:
    who, house = core.takers[0], core.clearinghouse
    for function, args, errors in (
        (house.depositCash, (amount,), ("AmountTooLarge", "ERC20InsufficientBalance")),
        (house.withdrawCash, (amount, who), ("AmountTooLarge", "CashShort")),
        (house.depositBase, (amount,), ("AmountTooLarge", "ERC20InsufficientBalance")),
        (house.withdrawBase, (amount, who), ("BaseShort",)),
        (house.fundInsurance, (amount,), ("AmountTooLarge", "ERC20InsufficientBalance")),
    ):
        with pytest.raises(Exception) as failure:  # noqa: PT011 (one of two names)
            function.call(*args, {"from": who})
        assert failure.value.revert_msg.split(":")[0] in errors, (function, failure.value)


def test_unsolicited_tokens_count_in_nothing(core: Core) -> None:
    """Incident 10: a donation changes no account and no total."""
    who, before = core.takers[0], tuple(core.clearinghouse.totals())
    core.usdc.transfer(core.clearinghouse, 777, {"from": who})
    core.weth.transfer(core.clearinghouse, 777, {"from": who})
    assert tuple(core.clearinghouse.totals()) == before


def test_a_fee_on_transfer_is_refused(core: Core) -> None:
    who, house = core.takers[0], core.clearinghouse
    core.usdc.setFee(WAD // 100, {"from": who})
    core.weth.setFee(WAD // 100, {"from": who})
    refused(house.depositCash, 1000, by=who, error="TransferShort", values=(1000, 990))
    refused(house.depositBase, 1000, by=who, error="TransferShort", values=(1000, 990))
    refused(house.fundInsurance, 1000, by=who, error="TransferShort", values=(1000, 990))


def test_a_blocked_holder_blocks_himself_alone(core: Core) -> None:
    """Incident 4."""
    bad, good = core.takers[:2]
    core.usdc.setBlocked(bad, True, {"from": core.gov})
    refused(core.clearinghouse.withdrawCash, 5, bad, by=bad, error="HolderBlocked", values=(bad,))
    core.clearinghouse.withdrawCash(5, good, {"from": bad})
    core.clearinghouse.withdrawCash(5, good, {"from": good})


@pytest.mark.parametrize("entry", ["depositCash", "withdrawCash", "depositBase", "fundInsurance"])
def test_a_token_that_calls_back_finds_the_door_shut(core: Core, entry: str) -> None:
    """The token re-enters every entry point in the middle of a transfer."""
    house, who = core.clearinghouse, core.takers[0]
    token = core.weth if entry == "depositBase" else core.usdc
    args = (1000, who) if entry == "withdrawCash" else (1000,)
    inner = (
        house.depositCash.encode_input(1),
        house.withdrawCash.encode_input(1, who),
        house.convert.encode_input(UNDERLYING, core.expiry(1), [who]),
        house.cure.encode_input(who, 1),
        house.finalise.encode_input(UNDERLYING, core.expiry(1)),
        house.claim.encode_input(UNDERLYING, core.expiry(1), [who]),
    )
    for data in inner:
        token.setHook(house, data, {"from": who})
        getattr(house, entry)(*args, {"from": who})
        assert str(token.hookResult()) == REENTERED


# ---------------------------------------------------------------- governance


def test_markets_are_named_and_removed(core: Core) -> None:
    house, gov, new = core.clearinghouse, core.gov, core.takers[2]
    for kind in (DESK, TOKEN, AUCTION):
        house.setMarket(new, kind, {"from": gov})
        assert house.marketOf(new) == kind
    trade = (*core.takers[:2], 0, [])
    refused(house.trade, [trade], by=new, error="OnlyMarket", values=(new, DESK))
    house.setMarket(new, NO_MARKET, {"from": gov})
    refused(house.setMarket, ZERO, DESK, by=gov, error="ZeroAddress")


def test_the_vault_keeps_its_venues(core: Core) -> None:
    house, gov = core.clearinghouse, core.gov
    for args in ((ZERO, core.hedge), (core.vault, ZERO)):
        refused(house.setVault, *args, by=gov, error="ZeroAddress")
    refused(house.setVault, core.takers[0], core.hedge, by=gov, error="VaultFixed")
    house.setVault(core.vault, core.takers[3], {"from": gov})
    assert house.hedgeManager() == core.takers[3]


def test_venues_come_once_and_leave_empty(core: Core) -> None:
    house, gov, venue = core.clearinghouse, core.gov, core.venue
    refused(house.setVenue, venue, True, by=gov, error="VenueUnknown", values=(venue,))
    refused(house.setVenue, core.takers[0], False, by=gov, error="VenueUnknown")
    refused(house.setVenue, ZERO, True, by=gov, error="ZeroAddress")
    for position in ((1, 0), (0, -1)):
        venue.setPosition(*position, {"from": gov})
        values = (venue, *position)
        refused(house.setVenue, venue, False, by=gov, error="VenueNotEmpty", values=values)
    venue.setPosition(0, 0, {"from": gov})
    house.setVenue(venue, False, {"from": gov})
    assert house.venues() == ()


def test_at_most_eight_venues_and_any_of_them_can_leave(core: Core) -> None:
    house, gov = core.clearinghouse, core.gov
    price = round(SPOT_USD * WAD)
    more = [core.backend.deploy("MockVenue", core.usdc, core.weth, house, price) for _ in range(8)]
    for venue in more[:7]:
        house.setVenue(venue, True, {"from": gov})
    refused(house.setVenue, more[7], True, by=gov, error="TooManyVenues", values=(9,))
    for venue in (more[2], core.venue, more[6]):
        house.setVenue(venue, False, {"from": gov})
        assert venue not in house.venues()
    assert set(house.venues()) == {more[i].address for i in (0, 1, 3, 4, 5)}


def test_unwinding_brings_the_tokens_home(core: Core) -> None:
    house, gov, venue = core.clearinghouse, core.gov, core.venue
    core.fund(core.vault, 1_000, 1)
    venue.setPosition(2 * WAD, 500 * WAD, {"from": gov})
    house.unwindVenue(venue, {"from": gov})
    assert (core.base(core.vault), core.cash(core.vault)) == (3 * WAD, 1_500 * WAD)
    refused(house.unwindVenue, core.takers[0], by=gov, error="VenueUnknown")


def hedges(core: Core) -> list[int]:
    """Base of each venue in the vault's books, in whole ETH."""
    return [int(h[0]) // WAD for h in core.clearinghouse.portfolioOf(core.vault)[3]]


def test_a_venue_noted_as_empty_is_left_out_until_it_is_traded_on(core: Core) -> None:
    house, gov, venue = core.clearinghouse, core.gov, core.venue
    core.fund(core.vault, 10_000)
    venue.setSynthetic(True, {"from": gov})
    venue.setPosition(WAD, 0, {"from": gov})
    assert hedges(core) == [1]
    venue.setPosition(0, 0, {"from": gov})
    house.touchVenue(venue, {"from": core.takers[0]})
    # What comes without a trade counts in nothing until somebody notes it.
    venue.setPositionUnseen(5 * WAD, 0, {"from": gov})
    assert hedges(core) == []
    house.touchVenue(venue, {"from": core.takers[0]})
    assert hedges(core) == [5]
    venue.setPosition(0, 0, {"from": gov})
    house.touchVenue(venue, {"from": core.takers[0]})
    house.setVault(core.vault, gov, {"from": gov})
    house.tradeOnVenue(venue, 2 * WAD, round(SPOT_USD * WAD), b"", {"from": gov})
    assert hedges(core) == [2]
    house.unwindVenue(venue, {"from": gov})
    venue.setPositionUnseen(3 * WAD, 0, {"from": gov})
    assert hedges(core) == []
    refused(house.touchVenue, core.takers[0], by=gov, error="VenueUnknown")


def test_a_venue_that_leaves_takes_no_others_place_in_the_books(core: Core) -> None:
    house, gov = core.clearinghouse, core.gov
    price = round(SPOT_USD * WAD)
    more = [core.backend.deploy("MockVenue", core.usdc, core.weth, house, price) for _ in range(3)]
    for venue in more:
        house.setVenue(venue, True, {"from": gov})
    house.touchVenue(core.venue, {"from": gov})
    more[2].setPosition(7 * WAD, 0, {"from": gov})
    house.touchVenue(more[1], {"from": gov})
    house.setVenue(core.venue, False, {"from": gov})
    assert hedges(core) == [7]
    more[0].setPosition(WAD, 0, {"from": gov})
    assert sorted(hedges(core)) == [1, 7]


@pytest.mark.parametrize(
    ("place", "low", "high"), [(0, 0, 10**27), (1, 0, WAD), (2, 0, 2 * 10**17), (3, 60, DAY)]
)
def test_parameters_have_hard_ranges(core: Core, place: int, low: int, high: int) -> None:
    function = core.clearinghouse.setDebtParameters
    for value in (low, high):
        given = tuple(value if i == place else v for i, v in enumerate(DEBT_PARAMETERS))
        function(given, {"from": core.gov})
        assert core.clearinghouse.debtParameters() == given
    for value in (low - 1, high + 1):
        if value >= 0:
            given = tuple(value if i == place else v for i, v in enumerate(DEBT_PARAMETERS))
            refused(function, given, by=core.gov, error="ParameterOutOfRange")


def test_a_venue_that_cannot_be_read_can_be_given_up(core: Core) -> None:
    house, gov, venue = core.clearinghouse, core.gov, core.venue
    venue.setPosition(WAD, 0, {"from": gov})
    venue.setBroken(True, {"from": gov})
    tx = house.setVenue(venue, False, {"from": gov})
    assert tx.events["VenueAbandoned"]["venue"] == venue
    assert house.venues() == ()


def test_constructor_refuses_missing_parts(project: Any, core: Core) -> None:
    parts = [core.authority, core.usdc, core.weth, core.oracle, core.engine, UNDERLYING]
    for place in range(1, 5):
        args = [ZERO if i == place else part for i, part in enumerate(parts)]
        with reverts_with("ZeroAddress"):
            project.Clearinghouse.deploy(*args, {"from": core.gov})


def test_venue_trades_are_for_the_hedge_manager(core: Core) -> None:
    who = core.takers[0]
    values = (who,)
    refused(
        core.clearinghouse.tradeOnVenue, core.venue, 1, 1, b"",
        by=who, error="OnlyHedgeManager", values=values,
    )  # fmt: skip


def test_free_cash_goes_out_as_far_as_there_is(core: Core) -> None:
    """`withdrawFreeCash`: no more than asked, no more than is free, and nothing where nothing is."""
    who, to, house = *core.takers[:2], core.clearinghouse
    held = core.usdc.balanceOf(to)
    tx = house.withdrawFreeCash(100 * USDC, to, {"from": who})
    assert tx.return_value == 100 * USDC
    assert tx.events["CashWithdrawn"]["to"] == to
    assert house.withdrawFreeCash(2**256 - 1, to, {"from": who}).return_value == 9_900 * USDC
    assert core.usdc.balanceOf(to) - held == 10_000 * USDC
    tx = house.withdrawFreeCash(1, to, {"from": who})
    assert (tx.return_value, len(tx.events)) == (0, 0)
    refused(house.withdrawFreeCash, 1, ZERO, by=who, error="ZeroAddress")


def test_a_venue_of_another_underlying_is_refused(core: Core) -> None:
    """Margin would count its base as WETH."""
    house = core.backend.deploy(
        "Clearinghouse", core.authority, core.usdc, core.weth, core.oracle, core.engine, 2
    )
    venue = core.backend.deploy("MockVenue", core.usdc, core.weth, house, WAD)
    refused(
        house.setVenue, venue, True, by=core.gov, error="VenueOfOtherUnderlying", values=(venue, 1)
    )
