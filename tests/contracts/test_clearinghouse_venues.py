"""Clearinghouse: governance of markets, venues and parameters, and the vault's venues in its books."""

from typing import Any

import pytest

from tests.brownie_fixtures import reverts_with
from tests.contracts.core_constants import (
    AUCTION,
    DAY,
    DEBT_PARAMETERS,
    DESK,
    NO_MARKET,
    SPOT_USD,
    TOKEN,
    UNDERLYING,
    WAD,
)
from tests.contracts.core_env import BrownieBackend, Core, deploy_core, refused

ZERO = "0x" + "0" * 40


@pytest.fixture(scope="module")
def core(project: Any, accounts: Any) -> Core:
    return deploy_core(BrownieBackend(project, accounts))


@pytest.fixture(autouse=True)
def books(core: Core) -> Any:
    yield
    core.check_books()


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


def test_a_venue_of_another_underlying_is_refused(core: Core) -> None:
    """Margin would count its base as WETH."""
    house = core.backend.deploy(
        "Clearinghouse", core.authority, core.usdc, core.weth, core.oracle, core.engine, 2
    )
    venue = core.backend.deploy("MockVenue", core.usdc, core.weth, house, WAD)
    refused(
        house.setVenue, venue, True, by=core.gov, error="VenueOfOtherUnderlying", values=(venue, 1)
    )
