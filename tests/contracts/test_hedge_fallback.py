"""The fallback hedge: who may arm it, when it may run, how far it goes, what it may cost."""

from typing import Any

import pytest

from tests.contracts.core_constants import (
    DAY,
    FALLBACK_PARAMETERS,
    HEDGE_PARAMETERS,
    WAD,
)
from tests.contracts.core_env import Core, refused
from tests.contracts.fallback_desk import (
    BAND,
    EMERGENCY,
    LAPSE,
    REFILL,
    RESERVE,
    SILENCE,
    SLICE,
    SLIPPAGE,
    WAIT,
    arm,
    armed_and_waited,
    delta,
    fallback_core,
    run,
    sell,
    small,
)


@pytest.fixture(scope="module")
def core(project: Any, accounts: Any) -> Core:
    return fallback_core(project, accounts)


# ---------------------------------------------------------------- arming


def test_an_emergency_arms_at_once(core: Core) -> None:
    tx = arm(core)
    assert tx.events["Armed"]["by"] == core.takers[3]
    status = core.fallback.status()
    assert status["armedAt"] == core.now
    assert status["readyAt"] == core.now + WAIT


def test_between_the_bands_the_keeper_has_his_time(core: Core) -> None:
    sell(core, delta(core) / WAD)
    inside = core.fallback.status()["insideAt"]
    core.fund(core.vault, 0, 1)
    assert BAND < delta(core) < EMERGENCY
    refused(core.fallback.arm, by=core.gov, error="NothingToArm")
    core.warp(inside + SILENCE - 1)
    refused(core.fallback.arm, by=core.gov, error="NothingToArm")
    core.warp(inside + SILENCE)
    arm(core)


def test_a_rebalance_that_does_not_end_inside_ends_no_silence(core: Core) -> None:
    """A thief's dust trades do not keep the fallback away."""
    small(core)
    inside = core.fallback.status()["insideAt"]
    core.warp(inside + SILENCE)
    core.set_spot(2_000.0)
    sell(core, 0.001)
    arm(core)


def test_arming_again_starts_no_wait_anew(core: Core) -> None:
    arm(core)
    ready = core.fallback.status()["readyAt"]
    core.warp(core.now + WAIT - 10)
    refused(core.fallback.arm, by=core.gov, error="NothingToArm")
    assert core.fallback.status()["readyAt"] == ready


def test_a_rebalance_that_ends_inside_disarms(core: Core) -> None:
    arm(core)
    sell(core, delta(core) / WAD)
    assert core.fallback.status()["armedAt"] == 0
    core.fund(core.vault, 0, 10)
    core.warp(core.now + WAIT)
    refused(core.fallback.fallbackHedge, by=core.gov, error="NotArmed")


def test_whatever_brought_the_delta_inside_anyone_may_say_so(core: Core) -> None:
    arm(core)
    core.clearinghouse.withdrawBase(delta(core), core.vault, {"from": core.vault})
    tx = arm(core)
    assert abs(tx.events["Disarmed"]["delta"]) < BAND
    core.fund(core.vault, 0, 10)
    core.warp(core.now + WAIT)
    refused(core.fallback.fallbackHedge, by=core.gov, error="NotArmed")


def test_an_arming_lapses(core: Core) -> None:
    arm(core)
    core.warp(core.now + LAPSE + 1)
    core.set_spot(2_000.0)
    refused(core.fallback.fallbackHedge, by=core.gov, error="NotArmed")
    arm(core)


# ---------------------------------------------------------------- when it may run


def test_it_waits(core: Core) -> None:
    refused(core.fallback.fallbackHedge, by=core.gov, error="NotArmed", values=(0,))
    arm(core)
    ready = core.fallback.status()["readyAt"]
    core.warp(ready - 2)
    refused(core.fallback.fallbackHedge, by=core.gov, error="FallbackNotReady")
    core.warp(ready)
    run(core)


def test_a_spent_budget_waits_for_nobody(core: Core) -> None:
    """A thief who spends the keeper's budget leaves a book that is hedged at once."""
    core.venue.setTerms(WAD, HEDGE_PARAMETERS[2] - 1, {"from": core.gov})
    core.fund(core.vault, 0, 400)
    while core.hedge.budgetLeft() > HEDGE_PARAMETERS[5] // 20:
        left = core.hedge.budgetLeft() / WAD
        sell(core, min(50.0, left / 20 - 0.5))
    core.venue.setTerms(WAD, 0, {"from": core.gov})
    arm(core)
    before = delta(core)
    run(core)
    assert delta(core) == pytest.approx(before - SLICE, abs=1e13)


def test_not_in_a_second_with_a_trade_of_the_vault(core: Core) -> None:
    """Trade, arm, sandwich: whoever moves the delta cannot have it hedged in the same block."""
    armed_and_waited(core)
    core.trade(core.vault, core.takers[0], [(core.series(7, 2_200), 0.1)])
    moment = core.clearinghouse.lastVaultTrade()
    assert moment == core.now
    refused(core.fallback.fallbackHedge, by=core.gov, error="SameBlockAsTrade", values=(moment,))
    assert core.fallback.checkUpkeep(b"")[0] is False
    core.warp(moment + 1)
    run(core)


def test_slices_with_a_pause_and_no_further_than_the_bands_edge(core: Core) -> None:
    armed_and_waited(core)
    before = delta(core)
    tx = run(core)
    assert tx.events["FallbackHedged"]["filledBase"] == -SLICE
    refused(core.fallback.fallbackHedge, by=core.gov, error="FallbackNotReady")
    while "Disarmed" not in tx.events:
        core.warp(core.fallback.status()["readyAt"])
        tx = run(core)
        assert -SLICE <= tx.events["FallbackHedged"]["filledBase"] < 0
    assert BAND - 1e13 <= delta(core) <= BAND + 1e13
    assert before > 2 * SLICE
    refused(core.fallback.fallbackHedge, by=core.gov, error="NotArmed")


def test_it_buys_too(core: Core) -> None:
    core.clearinghouse.withdrawBase(20 * WAD, core.vault, {"from": core.vault})
    armed_and_waited(core)
    before = delta(core)
    assert before < -EMERGENCY
    run(core)
    assert delta(core) == pytest.approx(min(before + SLICE, -BAND), abs=1e13)


def test_neither_feed_surface_nor_keepers_budget_stops_it(core: Core) -> None:
    """I-07, keeper and committer dead for three days: the pool's mean is there."""
    core.fund(core.vault, 0, 20)
    core.warp(core.now + 3 * DAY)
    by = {"from": core.gov}
    parameters = (*HEDGE_PARAMETERS[:5], WAD, 0, 60, *HEDGE_PARAMETERS[8:])
    core.hedge.setParameters(parameters, by)
    armed_and_waited(core)
    run(core)


# ---------------------------------------------------------------- price and reserve


def test_its_slippage_is_tighter_than_the_keepers(core: Core) -> None:
    assert HEDGE_PARAMETERS[2] > SLIPPAGE
    armed_and_waited(core)
    core.venue.setTerms(WAD, SLIPPAGE + 10**13, {"from": core.gov})
    refused(core.fallback.fallbackHedge, by=core.gov, error="SlippageTooHigh")
    core.venue.setTerms(WAD, SLIPPAGE - 10**12, {"from": core.gov})
    run(core)


def test_it_is_never_looser_than_the_keepers(core: Core) -> None:
    tight = (*HEDGE_PARAMETERS[:2], 2 * 10**15, *HEDGE_PARAMETERS[3:])
    core.hedge.setParameters(tight, {"from": core.gov})
    armed_and_waited(core)
    core.venue.setTerms(WAD, 3 * 10**15, {"from": core.gov})
    refused(core.fallback.fallbackHedge, by=core.gov, error="SlippageTooHigh")


def test_what_it_loses_comes_from_its_own_reserve(core: Core) -> None:
    budget = core.hedge.budgetLeft()
    core.venue.setTerms(WAD, SLIPPAGE - 10**12, {"from": core.gov})
    armed_and_waited(core)
    event = run(core).events["FallbackHedged"]
    assert int(event["navChange"]) == pytest.approx(-50 * WAD, rel=1e-3)
    assert event["reserveLeft"] == RESERVE + event["navChange"]
    assert core.hedge.budgetLeft() == budget


def test_a_small_reserve_makes_small_slices_and_stops_nothing(core: Core) -> None:
    poor = (*FALLBACK_PARAMETERS[:8], 10 * WAD, REFILL // 10, *FALLBACK_PARAMETERS[10:])
    core.fallback.setParameters(poor, {"from": core.gov})
    core.venue.setTerms(WAD, SLIPPAGE - 10**12, {"from": core.gov})
    armed_and_waited(core)
    first = run(core).events["FallbackHedged"]
    assert int(first["filledBase"]) == pytest.approx(-WAD, rel=1e-3)
    core.warp(core.fallback.status()["readyAt"])
    second = run(core).events["FallbackHedged"]
    assert first["filledBase"] < second["filledBase"] < 0
    assert first["navChange"] + second["navChange"] > -11 * WAD


def test_a_venue_that_lies_reverts_or_fills_nothing_is_passed_over(core: Core) -> None:
    sick = core.backend.deploy("MockVenue", core.usdc, core.weth, core.clearinghouse, 2_000 * WAD)
    by = {"from": core.gov}
    core.clearinghouse.setVenue(sick, True, by)
    core.fallback.setVenues([sick, core.venue], by)
    sick.setTerms(0, 0, by)
    armed_and_waited(core)
    tx = run(core)
    assert tx.events["FallbackVenueSkipped"]["venue"] == sick
    assert tx.events["FallbackHedged"]["venue"] == core.venue
    core.fallback.setVenues([sick], by)
    core.warp(core.fallback.status()["readyAt"])
    refused(core.fallback.fallbackHedge, by=core.gov, error="NoVenueFilled")


def test_without_weth_the_next_venue_sells(core: Core) -> None:
    """A spot venue needs tokens; a venue that holds positions goes on without."""
    perp = core.backend.deploy("MockVenue", core.usdc, core.weth, core.clearinghouse, 2_000 * WAD)
    by = {"from": core.gov}
    perp.setSynthetic(True, by)
    perp.setPosition(20 * WAD, 0, by)
    core.clearinghouse.setVenue(perp, True, by)
    core.clearinghouse.withdrawBase(20 * WAD, core.vault, {"from": core.vault})
    core.fallback.setVenues([core.venue, perp], by)
    armed_and_waited(core)
    assert run(core).events["FallbackHedged"]["venue"] == perp


def test_with_too_little_gas_no_venue_is_tried(core: Core) -> None:
    armed_and_waited(core)
    from tests.brownie_fixtures import reverts_with

    with reverts_with("FallbackGasLow"):
        core.fallback.fallbackHedge.call({"from": core.gov, "gas_limit": 1_400_000})
