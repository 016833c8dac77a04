"""An expiry without a round settles at the pool's mean, which is the same whenever it is recorded, and only then."""

from typing import Any

import pytest

from tests.brownie_fixtures import reverts_with, rolled_back
from tests.contracts.core_constants import HOUR, ORACLE_PARAMETERS, TWAP_WINDOW_S
from tests.contracts.core_env import BrownieBackend, deploy_core
from tests.contracts.oracle_world import MARKET, USD, World, phase

DEADLINE_S = ORACLE_PARAMETERS[3]


@pytest.fixture(scope="module", params=[False, True], ids=["reverts", "zeros"])
def world(project: Any, accounts: Any, request: Any) -> World:
    return World(deploy_core(BrownieBackend(project, accounts)), request.param)


def turn(world: World, before: int, after: int) -> None:
    """The pool's tick turns 600 s before the expiry; its observations reach back an hour before it."""
    sign = 1 if world.core.base_first else -1
    times = (world.expiry - HOUR, world.expiry - 600)
    world.core.pool.setTicks(*times, sign * before, sign * after, world.by)


def test_without_a_round_the_recorded_mean_settles_after_the_deadline(world: World) -> None:
    world.add(world.of_phase(6), 3, (2_010, -60))
    turn(world, -200_000, -201_000)
    recorded = []
    for second in (0, 1, HOUR, 5 * HOUR):  # the same whenever it is recorded
        with rolled_back():
            world.warp(second)
            recorded.append(
                world.core.oracle.recordTwap(MARKET, world.expiry, world.by).return_value
            )
    mean = (-200_000 * (TWAP_WINDOW_S - 600) - 201_000 * 600) / TWAP_WINDOW_S
    assert int(recorded[0]) == pytest.approx(1.0001**mean * 1e30, rel=1e-9)
    assert len(set(recorded)) == 1
    world.warp(DEADLINE_S - 100)
    world.core.oracle.recordTwap(MARKET, world.expiry, world.by)
    with reverts_with("TwapAlreadyRecorded", MARKET, world.expiry):
        world.core.oracle.recordTwap(MARKET, world.expiry, world.by)
    assert world.core.oracle.settlementPrice(MARKET, world.expiry) == 0
    with reverts_with("DeadlineNotReached"):
        world.by_twap(phase(6, 3))
    world.warp(DEADLINE_S + 1)
    for last, error in ((phase(6, 2), "PhaseNotSilent"), (phase(6, 0), "PhaseNotSilent")):
        with reverts_with(error):
            world.by_twap(last)
    world.by_twap(phase(6, 3))
    assert world.core.oracle.settlementPrice(MARKET, world.expiry) == recorded[0]
    with reverts_with("AlreadyProven", MARKET, world.expiry):
        world.by_twap(phase(6, 3))


def test_a_round_within_the_deadline_forbids_the_mean(world: World) -> None:
    turn(world, -200_000, -200_000)
    world.warp(10)
    world.core.oracle.recordTwap(MARKET, world.expiry, world.by)
    world.warp(DEADLINE_S + 100)
    for second, allowed in ((1, False), (DEADLINE_S, False), (DEADLINE_S + 1, True)):
        with rolled_back():
            world.add(world.of_phase(6), 3, (2_010, -60), (2_060, second))
            if allowed:
                world.by_twap(phase(6, 3))
            else:
                with reverts_with("PhaseNotSilent", phase(6, 4), world.expiry + second):
                    world.by_twap(phase(6, 3))
                world.prove(phase(6, 4))
                assert world.price == 2_060 * USD


def test_rounds_that_are_no_price_do_not_forbid_the_mean(world: World) -> None:
    """A feed that goes on with zeros is as dead as a silent one, however many it sends."""
    world.add(world.of_phase(6), 3, (2_010, -60), *[(0, 60 * k) for k in range(1, 40)])
    turn(world, -200_000, -200_000)
    world.warp(DEADLINE_S + 100)
    world.core.oracle.recordTwap.call(MARKET, world.expiry, world.by)
    with reverts_with("TwapNotRecorded", MARKET, world.expiry):
        world.by_twap(phase(6, 3))
    world.core.oracle.recordTwap(MARKET, world.expiry, world.by)
    world.by_twap(phase(6, 3))
    assert world.core.oracle.settlementPrice(MARKET, world.expiry) != 0


def test_a_hole_in_a_living_phase_is_not_its_end(world: World) -> None:
    """The only round lies beyond a row of missing ids: neither it nor the mean may settle on a guess."""
    world.add(world.of_phase(6), 3, (2_010, -60))
    world.add(world.of_phase(6), 40, (2_060, 40))
    turn(world, -200_000, -200_000)
    world.warp(DEADLINE_S + 100)
    world.core.oracle.recordTwap(MARKET, world.expiry, world.by)
    with reverts_with("RoundHolesTooWide", phase(6, 20)):
        world.by_twap(phase(6, 3))


def test_a_feed_that_answers_nothing_any_more_settles_by_the_mean(world: World) -> None:
    turn(world, -200_000, -200_000)
    world.of_phase(6).setBroken(True, world.by)
    world.warp(100)
    world.core.oracle.recordTwap(MARKET, world.expiry, world.by)
    world.warp(DEADLINE_S + 1)
    world.by_twap(phase(6, 0))
    assert world.core.oracle.settlementProof(MARKET, world.expiry)[0][4]


def test_a_mean_out_of_reach_is_refused(world: World) -> None:
    ticks = (-200_000, -200_000)
    world.core.pool.setTicks(world.expiry - TWAP_WINDOW_S + 1, world.expiry, *ticks, world.by)
    world.warp(60)
    with reverts_with("NoPrice", MARKET):
        world.core.oracle.recordTwap(MARKET, world.expiry, world.by)
    world.core.pool.setTicks(world.expiry - TWAP_WINDOW_S, world.expiry, *ticks, world.by)
    world.core.oracle.recordTwap(MARKET, world.expiry, world.by)
