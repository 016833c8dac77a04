"""The fallback hedge: who is paid, automation, the defence of a sick venue, its parameters."""

from typing import Any

import pytest

from tests.contracts.core_constants import (
    DAY,
    FALLBACK_PARAMETERS,
    HOUR,
    USDC,
    WAD,
)
from tests.contracts.core_env import Core, refused
from tests.contracts.fallback_desk import (
    ARM,
    BOUNTY,
    HEDGE,
    PAUSE,
    RAMP,
    RESERVE,
    WAIT,
    armed_and_waited,
    fallback_core,
    run,
)


@pytest.fixture(scope="module")
def core(project: Any, accounts: Any) -> Core:
    return fallback_core(project, accounts)


# ---------------------------------------------------------------- bounty


def fund_bounties(core: Core, usd: int) -> None:
    core.usdc.mint(core.gov, usd * USDC, {"from": core.gov})
    core.usdc.approve(core.fallback, usd * USDC, {"from": core.gov})
    core.fallback.fundBounties(usd * USDC, {"from": core.gov})


def test_the_bounty_grows_from_nothing_and_is_paid_for_a_full_slice(core: Core) -> None:
    fund_bounties(core, 100)
    armed_and_waited(core)
    caller = core.takers[3]
    held = core.usdc.balanceOf(caller)
    core.backend.at(core.fallback.status()["readyAt"] + RAMP // 4)
    event = core.fallback.fallbackHedge({"from": caller}).events["FallbackHedged"]
    assert event["bounty"] == BOUNTY // 4
    assert core.usdc.balanceOf(caller) - held == BOUNTY // 4 // 10**12
    assert core.cash(core.fallback) == 100 * WAD - BOUNTY // 4


def test_without_money_the_hedge_goes_on_unpaid(core: Core) -> None:
    armed_and_waited(core, more=RAMP)
    assert run(core).events["FallbackHedged"]["bounty"] == 0


def test_a_caller_whom_usdc_blocks_is_not_paid_and_stops_nothing(core: Core) -> None:
    fund_bounties(core, 100)
    armed_and_waited(core, more=RAMP)
    core.usdc.setBlocked(core.takers[3], True, {"from": core.gov})
    assert run(core).events["FallbackHedged"]["bounty"] == 0


# ---------------------------------------------------------------- automation


def test_upkeep_says_what_to_do_and_does_it(core: Core) -> None:
    assert core.fallback.checkUpkeep(b"") == (True, "0x" + ARM.hex())
    core.fallback.performUpkeep(ARM, {"from": core.gov})
    assert core.fallback.checkUpkeep(b"")[0] is False
    core.warp(core.fallback.status()["readyAt"])
    for _ in range(3):
        needed, data = core.fallback.checkUpkeep(b"")
        assert (needed, data) == (True, "0x" + HEDGE.hex())
        core.fallback.performUpkeep(HEDGE, {"from": core.gov})
        core.warp(core.now + PAUSE)
    assert core.fallback.checkUpkeep(b"")[0] is False
    for data in (b"", b"\x00" * 32, b"\x03".rjust(32, b"\0")):
        refused(core.fallback.performUpkeep, data, by=core.gov, error="UpkeepUnknown")


# ---------------------------------------------------------------- defence


def test_a_sick_venue_is_defended_by_anyone(core: Core) -> None:
    by = {"from": core.gov}
    refused(core.fallback.defend, core.venue, by=core.gov, error="VenueHealthy")
    core.venue.setHealth(11 * WAD // 10, 13 * WAD // 10, by)
    tx = core.fallback.defend(core.venue, {"from": core.takers[3]})
    event = tx.events["VenueDefended"]
    assert (event["healthBefore"], event["healthAfter"]) == (11 * WAD // 10, 13 * WAD // 10)
    core.venue.setHealth(11 * WAD // 10, 11 * WAD // 10, by)
    core.venue.setSynthetic(True, by)
    core.venue.setPosition(-WAD, 5_000 * WAD, by)
    refused(core.fallback.defend, core.venue, by=core.gov, error="VenueNotDefended")


# ---------------------------------------------------------------- parameters

RANGES = [
    (10**15, 10**24), (60, DAY), (60, 6 * HOUR), (WAIT + 600, 7 * DAY), (1, HOUR),
    (10**16, 10**24), (10**14, 2 * 10**16), (0, WAD // 2), (WAD, 10**25),
    (10**12, RESERVE // 3_600), (60, DAY), (0, 10**22),
]  # fmt: skip


@pytest.mark.parametrize(("place", "low", "high"), [(i, *r) for i, r in enumerate(RANGES)])
def test_parameters_have_hard_ranges(core: Core, place: int, low: int, high: int) -> None:
    for number in (low, high, low - 1, high + 1):
        if number < 0:
            continue
        parameters = list(FALLBACK_PARAMETERS)
        parameters[place] = number
        if place == 8:
            parameters[9] = 10**12
        if place == 2:
            parameters[3] = 7 * DAY
        if low <= number <= high:
            core.fallback.setParameters.call(parameters, {"from": core.gov})
        else:
            error = "FallbackParameterOutOfRange"
            refused(core.fallback.setParameters, parameters, by=core.gov, error=error)
