"""HedgeManager: gross exposure, health, the loss budget, hostile venues, parameters."""

from typing import Any

import pytest

from tests.contracts.core_accounts import wad
from tests.contracts.core_constants import FOREVER, HEDGE_PARAMETERS, WAD
from tests.contracts.core_env import BrownieBackend, Core, deploy_core, refused

SLIPPAGE, MIN_HEALTH, CAP, REFILL = (HEDGE_PARAMETERS[i] for i in (2, 4, 5, 6))
SPOT = 2_000 * WAD
REENTERED = {"Clearinghouse": "0x3ee5aeb5", "HedgeManager": "0x45f98c4d"}


@pytest.fixture(scope="module")
def core(project: Any, accounts: Any) -> Core:
    """The vault holds 900,000 USDC and 400 WETH and nothing else."""
    core = deploy_core(BrownieBackend(project, accounts))
    core.fund(core.vault, 900_000, 400)
    return core


def order(core: Core, eth: float, venue: Any = None) -> tuple:
    return venue or core.venue, wad(eth), wad(2_020.0 if eth > 0 else 1_980.0), b""


def limits(core: Core) -> tuple:
    return core.hedge.epoch(), FOREVER, 10**12, b"\x01" * 32


def rebalance(core: Core, *orders: tuple) -> Any:
    tx = core.hedge.rebalance(orders, limits(core), {"from": core.keeper})
    core.check_books()
    return tx


def no_rebalance(core: Core, error: str, *orders: tuple, values: Any = None) -> None:
    refused(core.hedge.rebalance, orders, limits(core), by=core.keeper, error=error, values=values)


def another_venue(core: Core, synthetic: bool = False) -> Any:
    venue = core.backend.deploy("MockVenue", core.usdc, core.weth, core.clearinghouse, SPOT)
    venue.setSynthetic(synthetic, {"from": core.gov})
    core.clearinghouse.setVenue(venue, True, {"from": core.gov})
    core.hedge.setVenueCap(venue, 1_000 * WAD, {"from": core.gov})
    return venue


# ---------------------------------------------------------------- gross exposure and health


def test_two_venues_inflated_against_each_other(core: Core) -> None:
    """Long here and short there leaves the net as it was; the cap is 5 ETH over the net."""
    one, two = another_venue(core, True), another_venue(core, True)
    one.setPosition(2 * WAD, 0, {"from": core.gov})
    two.setPosition(-2 * WAD, 0, {"from": core.gov})
    rebalance(core, order(core, -1))
    one.setPosition(3 * WAD, 0, {"from": core.gov})
    two.setPosition(-3 * WAD, 0, {"from": core.gov})
    rebalance(core, order(core, -1))  # smaller than before: the way out is open
    both = order(core, -1, one), order(core, -1.5, two)
    no_rebalance(core, "GrossExposureTooHigh", *both, values=(wad(404.5), wad(400.5)))
    assert HEDGE_PARAMETERS[3] == 5 * WAD


def test_gross_exposure_opened_by_the_batch_itself(core: Core) -> None:
    short = another_venue(core, True)
    rebalance(core, order(core, -2.5, short))
    no_rebalance(core, "GrossExposureTooHigh", order(core, -0.1, short))


def test_a_venue_below_its_health_floor(core: Core) -> None:
    core.venue.setPosition(-WAD, 5_000 * WAD, {"from": core.gov})
    values = (core.venue, MIN_HEALTH - 1, MIN_HEALTH)
    core.venue.setHealth(2 * WAD, MIN_HEALTH - 1, {"from": core.gov})
    no_rebalance(core, "VenueHealthLow", order(core, -1), values=values)
    core.venue.setHealth(2 * WAD, MIN_HEALTH, {"from": core.gov})
    rebalance(core, order(core, -1))


def test_a_sick_venue_may_be_made_better_but_not_worse(core: Core) -> None:
    """I-07: below the floor, what raises the health is never blocked."""
    core.venue.setPosition(-WAD, 5_000 * WAD, {"from": core.gov})
    core.venue.setHealth(103 * 10**16, 105 * 10**16, {"from": core.gov})
    rebalance(core, order(core, -1))
    core.venue.setHealth(103 * 10**16, 102 * 10**16, {"from": core.gov})
    no_rebalance(core, "VenueHealthLow", order(core, -1))
    core.venue.setHealth(103 * 10**16, 103 * 10**16, {"from": core.gov})
    no_rebalance(core, "VenueHealthLow", order(core, -1))


def test_every_venue_of_the_batch_is_examined(core: Core) -> None:
    sick = another_venue(core)
    sick.setPosition(-WAD, 5_000 * WAD, {"from": core.gov})
    sick.setHealth(2 * WAD, WAD, {"from": core.gov})
    no_rebalance(core, "VenueHealthLow", order(core, -1), order(core, -1, sick))
    no_rebalance(core, "VenueHealthLow", order(core, -1, sick), order(core, -1))


# ---------------------------------------------------------------- the loss budget (I-06)


def test_a_venue_over_its_cap_may_only_shrink(core: Core) -> None:
    perp = another_venue(core, True)
    core.hedge.setVenueCap(perp, 2 * WAD, {"from": core.gov})
    no_rebalance(core, "VenueOverCap", order(core, -2.1, perp), values=(perp, wad(2.1), 2 * WAD))
    rebalance(core, order(core, -2, perp))
    core.hedge.setVenueCap(perp, WAD, {"from": core.gov})
    core.clearinghouse.withdrawBase(400 * WAD, core.vault, {"from": core.vault})
    rebalance(core, order(core, 0.5, perp))
    assert perp.positionBase() == -wad(1.5)


# ---------------------------------------------------------------- the loss budget (I-06)


def losing(core: Core, share: int = SLIPPAGE - 1) -> None:
    core.venue.setTerms(WAD, share, {"from": core.gov})


def test_losses_are_taken_from_the_budget_until_it_is_spent(core: Core) -> None:
    losing(core)
    spent = 0
    for _ in range(6):
        before = core.hedge.budgetLeft()
        tx = rebalance(core, order(core, -40))
        event = tx.events["Rebalanced"]
        assert -801 * WAD < event["navChange"] < -799 * WAD
        accrued = event["budgetLeft"] - (before + event["navChange"])
        assert 0 <= accrued <= 30 * REFILL
        spent -= event["navChange"]
    assert spent > 4_790 * WAD
    no_rebalance(core, "BudgetExceeded", order(core, -40))
    core.venue.setTerms(WAD, 0, {"from": core.gov})
    rebalance(core, order(core, -40))


def test_the_refill_is_linear_and_capped(core: Core) -> None:
    losing(core)
    for _ in range(5):
        rebalance(core, order(core, -40))
    left, at = core.hedge.budgetLeft(), core.now
    for seconds in (1, 60, 600):
        core.warp(at + seconds)
        assert core.hedge.budgetLeft() == left + seconds * REFILL
    core.warp(at + 10**6)
    assert core.hedge.budgetLeft() == CAP


def test_a_gain_refills_nothing(core: Core) -> None:
    losing(core)
    rebalance(core, order(core, -40))
    core.venue.setTerms(WAD, 0, {"from": core.gov})
    core.venue.setPrice(2_500 * WAD, {"from": core.gov})
    left = core.hedge.budgetLeft()
    tx = rebalance(core, order(core, -40))
    assert tx.events["Rebalanced"]["navChange"] == 20_000 * WAD
    assert core.hedge.budgetLeft() - left <= 30 * REFILL


def test_over_any_window_the_keeper_loses_no_more_than_cap_plus_refill(core: Core) -> None:
    """I-06 with a keeper who burns whatever he may, whenever he may, both ways."""
    losing(core)
    start, nav = core.now, value(core)
    for step in range(12):
        eth = 40 if step % 4 else 15
        try:
            rebalance(core, order(core, -eth))
        except Exception as failure:
            if "BudgetExceeded" not in str(failure):
                raise
        core.warp(core.now + 250)
    window = core.now - start
    assert nav - value(core) > CAP
    assert nav - value(core) <= CAP + REFILL * window


def value(core: Core) -> int:
    base, quote = core.lens.hedgeOf(core.vault)
    return int(base) * 2_000 + int(quote)


def test_new_parameters_refill_nothing(core: Core) -> None:
    losing(core)
    rebalance(core, order(core, -40))
    left = core.hedge.budgetLeft()
    more = (*HEDGE_PARAMETERS[:5], 2 * CAP, *HEDGE_PARAMETERS[6:])
    core.hedge.setParameters(more, {"from": core.gov})
    assert left <= core.hedge.budgetLeft() <= left + 30 * REFILL
    less = (*HEDGE_PARAMETERS[:5], 1_000 * WAD, *HEDGE_PARAMETERS[6:])
    core.hedge.setParameters(less, {"from": core.gov})
    assert core.hedge.budgetLeft() == 1_000 * WAD


def test_governance_fills_the_budget(core: Core) -> None:
    losing(core)
    rebalance(core, order(core, -40))
    tx = core.hedge.resetBudget({"from": core.gov})
    assert tx.events["BudgetReset"]["budget"] == CAP == core.hedge.budgetLeft()


# ---------------------------------------------------------------- hostile venues


def test_a_venue_that_reenters_finds_every_door_shut(core: Core) -> None:
    house, venue, keeper = core.clearinghouse, core.venue, core.keeper
    doors = {
        house: [
            house.depositCash.encode_input(1),
            house.trade.encode_input([(core.vault, core.market, 0, [])]),
            house.tradeOnVenue.encode_input(venue, -1, 1, b""),
            house.cure.encode_input(core.vault, 1),
        ],
        core.hedge: [core.hedge.rebalance.encode_input([order(core, -1)], limits(core))],
    }
    for target, calls in doors.items():
        for data in calls:
            venue.setHook(target, data, {"from": core.gov})
            rebalance(core, order(core, -1))
            assert str(venue.hookResult()) == REENTERED[target._name]
    assert keeper


def test_a_venue_that_reverts_stops_its_batch_alone(core: Core) -> None:
    sick = another_venue(core)
    core.venue.setHook(core.gov, b"", {"from": core.gov})
    sick.setTerms(WAD, WAD, {"from": core.gov})
    no_rebalance(core, "SlippageTooHigh", order(core, -1, sick))
    core.clearinghouse.setVenue(sick, False, {"from": core.gov})
    no_rebalance(core, "VenueUnknown", order(core, -1, sick), values=(sick,))
    rebalance(core, order(core, -1))


def test_an_order_of_nothing_moves_no_base_and_costs_nothing(core: Core) -> None:
    """Base 0 tops venue collateral up: tokens may become a position, value may not change."""
    before = core.lens.hedgeOf(core.vault)[0], value(core)
    rebalance(core, order(core, 0))
    assert (core.lens.hedgeOf(core.vault)[0], value(core)) == before


def test_tokens_sent_back_beyond_the_order_are_the_vaults(core: Core) -> None:
    core.venue.setPrice(2_200 * WAD, {"from": core.gov})
    rebalance(core, order(core, -1))
    assert core.cash(core.vault) == 902_200 * WAD


# ---------------------------------------------------------------- parameters

RANGES = [
    (10**15, 10**24), (10**17, WAD), (10**14, 5 * 10**16), (0, 10**24), (105 * 10**16, 5 * WAD),
    (WAD, 10**25), (0, CAP // 3_600 // 10**12 * 10**12), (60, 2 * 86_400), (0, WAD // 2),
]  # fmt: skip


@pytest.mark.parametrize(("place", "low", "high"), [(i, *r) for i, r in enumerate(RANGES)])
def test_parameters_have_hard_ranges(core: Core, place: int, low: int, high: int) -> None:
    step = 1 if place == 7 else 10**12
    for number in (low, high, low - step, high + step):
        if number < 0:
            continue
        parameters = list(HEDGE_PARAMETERS)
        parameters[8] = 0
        parameters[place] = number
        if place == 5:
            parameters[6] = 0
        if low <= number <= high:
            core.hedge.setParameters.call(parameters, {"from": core.gov})
        else:
            error = "HedgeParameterOutOfRange"
            refused(core.hedge.setParameters, parameters, by=core.gov, error=error)
