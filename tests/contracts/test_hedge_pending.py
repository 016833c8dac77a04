"""Orders at an asynchronous venue: incidents 3, 5 and 6, and what a pending order costs the budget."""

from typing import Any

import pytest

from tests.contracts.core_accounts import wad
from tests.contracts.core_constants import FOREVER, HEDGE_PARAMETERS, UNDERLYING, WAD
from tests.contracts.core_env import BrownieBackend, Core, deploy_core, refused

CAP = HEDGE_PARAMETERS[5]
TIMEOUT_S = 600
REFILL = HEDGE_PARAMETERS[6]


@pytest.fixture(scope="module")
def core(project: Any, accounts: Any) -> Core:
    """The vault holds 500,000 USDC and 10 WETH: its delta is +10."""
    core = deploy_core(BrownieBackend(project, accounts))
    core.fund(core.vault, 500_000, 10)
    return core


@pytest.fixture(scope="module")
def slow(core: Core) -> Any:
    return async_venue(core)


def async_venue(core: Core) -> Any:
    venue = core.backend.deploy(
        "MockAsyncVenue", core.usdc, core.clearinghouse, core.hedge, core.takers[0]
    )
    by = {"from": core.gov}
    core.clearinghouse.setVenue(venue, True, by)
    core.hedge.setVenueCap(venue, 100 * WAD, by)
    core.hedge.setAsynchronous(venue, True, by)
    return venue


def order(core: Core, eth: float, venue: Any, limit: float | None = None) -> tuple:
    edge = limit or (2_020.0 if eth > 0 else 1_980.0)
    return venue, wad(eth), wad(edge), b""


def rebalance(core: Core, *orders: tuple) -> Any:
    return core.hedge.rebalance(orders, limits(core), {"from": core.keeper})


def no_rebalance(core: Core, error: str, *orders: tuple, values: Any = None) -> None:
    refused(core.hedge.rebalance, orders, limits(core), by=core.keeper, error=error, values=values)


def limits(core: Core) -> tuple:
    return core.hedge.epoch(), FOREVER, 10**12, b"\x01" * 32


def test_a_placed_order_moves_no_delta_and_reserves_its_worst_loss(core: Core, slow: Any) -> None:
    tx = rebalance(core, order(core, -8, slow))
    placed = tx.events["OrderPlaced"]
    assert (placed["id"], placed["base"], placed["reserve"]) == (1, -8 * WAD, 160 * WAD)
    assert core.hedge.budgetLeft() == CAP - 160 * WAD
    assert core.hedge.netDelta(UNDERLYING)[0] == 10 * WAD
    assert core.hedge.pendingOf(UNDERLYING) == (0, -8 * WAD)
    assert core.lens.hedgeOf(core.vault)[1] == 500_000 * WAD  # its margin still counts


def test_a_fill_costs_what_it_cost_and_the_rest_of_the_reserve_comes_back(
    core: Core, slow: Any
) -> None:
    rebalance(core, order(core, -8, slow))
    left = core.hedge.budgetLeft()
    tx = slow.execute(1, WAD // 2, 1_990 * WAD, {"from": core.takers[0]})
    ended = tx.events["OrderEnded"]
    assert (ended["filledBase"], ended["loss"]) == (-4 * WAD, 40 * WAD)
    assert 120 * WAD <= core.hedge.budgetLeft() - left <= 120 * WAD + 60 * REFILL
    assert core.hedge.netDelta(UNDERLYING)[0] == 6 * WAD
    assert core.hedge.pendingOf(UNDERLYING) == (0, 0)
    assert core.hedge.pendingOrder(slow, 1)["placedAt"] == 0


def test_a_gain_of_a_fill_fills_nothing_beyond_the_cap(core: Core, slow: Any) -> None:
    rebalance(core, order(core, -8, slow))
    slow.execute(1, WAD, 2_300 * WAD, {"from": core.takers[0]})
    assert core.hedge.budgetLeft() == CAP


def test_a_venue_that_fills_beyond_its_limit_is_charged_all_of_it(core: Core, slow: Any) -> None:
    rebalance(core, order(core, -8, slow))
    slow.execute(1, WAD, 1_900 * WAD, {"from": core.takers[0]})
    assert CAP - 800 * WAD <= core.hedge.budgetLeft() <= CAP - 800 * WAD + 60 * REFILL


def test_no_order_is_placed_beyond_the_budget(core: Core, slow: Any) -> None:
    core.fund(core.vault, 0, 260)
    no_rebalance(core, "BudgetExceeded", order(core, -260, slow))


def test_incident_03_what_is_pending_is_not_hedged_twice(core: Core, slow: Any) -> None:
    """With the pending sale filled the delta is +2: no second venue may sell 8 as well, nor 10."""
    rebalance(core, order(core, -8, slow))
    no_rebalance(core, "DeltaOvershoot", order(core, -8, core.venue))
    no_rebalance(core, "DeltaOvershoot", order(core, -3, core.venue))
    rebalance(core, order(core, -2, core.venue))
    no_rebalance(core, "WrongSign", order(core, -1, core.venue))
    no_rebalance(core, "WrongSign", order(core, 1, core.venue))
    slow.execute(1, WAD, 2_000 * WAD, {"from": core.takers[0]})
    assert core.hedge.netDelta(UNDERLYING)[0] == 0


def test_two_pending_orders_in_one_batch_see_each_other(core: Core, slow: Any) -> None:
    other = async_venue(core)
    no_rebalance(core, "DeltaOvershoot", order(core, -8, slow), order(core, -8, other))
    rebalance(core, order(core, -6, slow), order(core, -4, other))
    assert core.hedge.pendingOf(UNDERLYING) == (0, -10 * WAD)


def test_a_venue_with_an_open_order_takes_no_other(core: Core, slow: Any) -> None:
    rebalance(core, order(core, -2, slow))
    no_rebalance(core, "OrderPending", order(core, -2, slow), values=(slow,))
    no_rebalance(core, "OrderPending", order(core, 0, slow))


def test_incident_05_anyone_ends_an_order_that_is_kept_pending(core: Core, slow: Any) -> None:
    """A pending sale of the whole delta blocks every other one; after the timeout nobody has to wait for the venue."""
    rebalance(core, order(core, -10, slow))
    no_rebalance(core, "WrongSign", order(core, -5, core.venue))
    placed = core.hedge.pendingOrder(slow, 1)["placedAt"]
    stranger = core.takers[3]
    refused(core.hedge.cancelOrder, slow, 1, by=stranger, error="OrderNotTimedOut")
    core.warp(placed + TIMEOUT_S)
    core.hedge.cancelOrder(slow, 1, {"from": stranger})
    assert core.hedge.budgetLeft() == CAP
    rebalance(core, order(core, -10, core.venue))


def test_incident_05_not_even_a_venue_that_will_not_cancel(core: Core, slow: Any) -> None:
    rebalance(core, order(core, -10, slow))
    slow.setStuck(True, {"from": core.gov})
    core.warp(core.now + TIMEOUT_S + 1)
    left = core.hedge.budgetLeft()
    tx = core.hedge.cancelOrder(slow, 1, {"from": core.takers[3]})
    assert tx.events["OrderAbandoned"]["id"] == 1
    assert core.hedge.budgetLeft() - left <= 60 * REFILL  # what it may cost yet stays spent
    rebalance(core, order(core, -5, core.venue))
    refused(slow.say, 1, by=core.gov, error="OrderUnknown")


def test_a_starved_cancellation_abandons_nothing(core: Core, slow: Any) -> None:
    rebalance(core, order(core, -10, slow))
    core.warp(core.now + TIMEOUT_S + 1)
    from tests.brownie_fixtures import reverts_with

    with reverts_with("CancelGasLow"):
        core.hedge.cancelOrder.call(slow, 1, {"from": core.gov, "gas_limit": 1_500_000})


def test_incident_06_a_foreign_callback_touches_no_order(core: Core, slow: Any) -> None:
    """An id is known with its venue: another venue, a stranger and a second word are not heard."""
    other = async_venue(core)
    rebalance(core, order(core, -6, slow))
    for speak, args in ((other.say, (1,)), (other.say, (2,)), (core.hedge.onOrderEnded, (1,))):
        refused(speak, *args, by=core.gov, error="OrderUnknown")
    refused(slow.execute, 1, WAD, WAD, by=core.gov, error="VenueOnlyExecutor")
    refused(slow.cancel, 1, by=core.gov, error="VenueOnlyManager")
    assert core.hedge.pendingOf(UNDERLYING) == (0, -6 * WAD)
    slow.execute(1, WAD, 2_000 * WAD, {"from": core.takers[0]})
    refused(slow.say, 1, by=core.gov, error="OrderUnknown")
    assert core.hedge.pendingOf(UNDERLYING) == (0, 0)


def test_an_order_that_is_said_to_have_ended_unfilled_is_unfilled(core: Core, slow: Any) -> None:
    """What counts is the position. What the venue fills later shows in it all the same."""
    rebalance(core, order(core, -6, slow))
    tx = slow.say(1, {"from": core.gov})
    assert tx.events["OrderEnded"]["filledBase"] == 0
    assert core.hedge.netDelta(UNDERLYING)[0] == 10 * WAD
