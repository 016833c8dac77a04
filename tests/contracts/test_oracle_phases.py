"""Settlement where the feed has several phases: one price, whoever proves it and in whatever order."""

import contextlib
import itertools
import random
from typing import Any

import pytest
from brownie.exceptions import VirtualMachineError

from tests.brownie_fixtures import reverts_with, rolled_back
from tests.contracts.core_constants import FEED_DECIMALS, HOUR, ORACLE_PARAMETERS
from tests.contracts.core_env import BrownieBackend, deploy_core
from tests.contracts.oracle_world import E10, MARKET, USD, World, phase

WINDOW_S = ORACLE_PARAMETERS[2]


@pytest.fixture(scope="module", params=[False, True], ids=["reverts", "zeros"])
def world(project: Any, accounts: Any, request: Any) -> World:
    return World(deploy_core(BrownieBackend(project, accounts)), request.param)


def two_phases(world: World) -> None:
    """Both go on: phase 6 has its first round 40 s after the expiry, phase 7 its first 25 s after."""
    world.add(world.of_phase(6), 3, (2_010, -60), (2_060, 40), (2_061, 100))
    world.proxy.confirm(world.aggregator((2_005, -50), (2_070, 25), (2_071, 90)), world.by)
    world.warp(200)


# ---------------------------------------------------------------- one phase


def test_with_one_phase_a_proof_is_final_at_once(world: World) -> None:
    world.add(world.of_phase(6), 3, (2_010, -60), (2_060, 40))
    world.warp(200)
    world.prove(phase(6, 4))
    assert world.price == 2_060 * USD
    proof, recorded = world.core.oracle.settlementProof(MARKET, world.expiry)
    assert proof == (2_060 * USD * E10, world.expiry + 40, proof[2], 6, False)
    assert recorded == 0


def test_a_phase_from_before_the_market_settles_nothing(world: World) -> None:
    """It has a round one second after the expiry, earlier than any other."""
    world.add(world.of_phase(6), 3, (2_010, -60), (2_060, 40))
    world.warp(200)
    with reverts_with("RoundOfOtherPhase", phase(5, 2)):
        world.prove(phase(5, 2))
    with reverts_with("RoundOfOtherPhase", phase(5, 2)):
        world.across(phase(5, 2), phase(6, 3))


# ---------------------------------------------------------------- two phases


def test_a_later_proof_of_an_earlier_round_wins_until_the_window_closes(world: World) -> None:
    two_phases(world)
    first = world.prove(phase(6, 4))
    closes = first.events["SettlementProposed"]["finalAt"]
    assert closes == first.timestamp + WINDOW_S
    assert world.price == 0
    second = world.prove(phase(7, 2))
    assert second.events["SettlementProposed"]["finalAt"] == closes
    with reverts_with("RoundNotEarlier", phase(6, 4), world.expiry + 40, world.expiry + 25):
        world.prove(phase(6, 4))
    with reverts_with("RoundNotEarlier"):
        world.prove(phase(7, 2))
    world.core.warp(closes - 1)
    assert world.price == 0
    world.core.warp(closes)
    assert world.price == 2_070 * USD
    for proof in (world.prove, lambda r: world.across(r, phase(6, 3))):
        with reverts_with("AlreadyProven", MARKET, world.expiry):
            proof(phase(7, 2))


def test_the_window_ends_for_a_round_that_nobody_corrects(world: World) -> None:
    two_phases(world)
    closes = world.prove(phase(6, 4)).events["SettlementProposed"]["finalAt"]
    world.core.warp(closes)
    assert world.price == 2_060 * USD
    with reverts_with("AlreadyProven", MARKET, world.expiry):
        world.prove(phase(7, 2))


def test_shown_against_every_other_phase_a_proof_is_final_at_once(world: World) -> None:
    two_phases(world)
    world.prove(phase(6, 4))
    world.across(phase(7, 2), phase(6, 3))
    assert world.price == 2_070 * USD


@pytest.mark.parametrize(
    ("round_id", "last", "error"),
    [
        (phase(6, 4), [phase(7, 1)], "PhaseNotSilent"),  # phase 7 has the earlier round
        (phase(7, 2), [phase(6, 4)], "RoundNotBefore"),  # that is after the expiry
        (phase(7, 2), [phase(6, 2)], "PhaseNotSilent"),  # not the last before it
        (phase(7, 2), [phase(6, 9)], "RoundMissing"),
        (phase(7, 2), [phase(6, 0)], "PhaseNotSilent"),  # it has rounds
        (phase(7, 2), [], "PhaseNotShown"),
        (phase(7, 2), [phase(5, 1)], "PhaseNotShown"),
        (phase(7, 2), [phase(6, 3), phase(8, 0)], "RoundOfOtherPhase"),
        (phase(7, 3), [phase(6, 3)], "RoundNotFirstAfterExpiry"),
        (phase(8, 1), [phase(6, 3), phase(7, 1)], "RoundMissing"),
    ],
)
def test_evidence_that_does_not_hold_is_refused(
    world: World, round_id: int, last: list[int], error: str
) -> None:
    two_phases(world)
    with reverts_with(error):
        world.across(round_id, *last)


def test_of_two_rounds_of_one_time_the_older_phase_counts(world: World) -> None:
    world.add(world.of_phase(6), 3, (2_010, -60), (2_060, 30))
    world.proxy.confirm(world.aggregator((2_005, -50), (2_070, 30)), world.by)
    world.warp(200)
    with reverts_with("PhaseNotSilent", phase(6, 4), world.expiry + 30):
        world.across(phase(7, 2), phase(6, 3))
    world.prove(phase(7, 2))
    world.prove(phase(6, 4))
    world.across(phase(6, 4), phase(7, 1))
    assert world.price == 2_060 * USD


def test_the_first_round_of_a_phase_needs_the_end_of_the_one_before(world: World) -> None:
    """Its predecessor is the last round of the older phase, however long ago that ended."""
    world.add(world.of_phase(6), 3, (2_010, -60))
    world.proxy.confirm(world.aggregator((2_080, 300), (2_081, 400)), world.by)
    world.warp(500)
    with reverts_with("RoundOfOtherPhase", phase(7, 1)):
        world.prove(phase(7, 1))
    with reverts_with("RoundNotFirstAfterExpiry"):
        world.prove(phase(7, 2))
    world.across(phase(7, 1), phase(6, 3))
    assert world.price == 2_080 * USD


def test_a_first_round_long_after_the_older_phase_had_one_is_refused(world: World) -> None:
    world.add(world.of_phase(6), 3, (2_010, -60), (2_060, 40))
    world.proxy.confirm(world.aggregator((2_080, 300)), world.by)
    world.warp(500)
    with reverts_with("PhaseNotSilent", phase(6, 4), world.expiry + 40):
        world.across(phase(7, 1), phase(6, 3))


def test_a_phase_without_rounds_between_two_is_shown_by_its_number(world: World) -> None:
    empty = world.core.backend.deploy("MockV3Aggregator", FEED_DECIMALS, 0)
    world.add(world.of_phase(6), 3, (2_010, -60))
    world.proxy.confirm(empty, world.by)
    world.proxy.confirm(world.aggregator((2_080, 300)), world.by)
    world.warp(500)
    with reverts_with("PhaseNotShown", 7):
        world.across(phase(8, 1), phase(6, 3))
    world.across(phase(8, 1), phase(6, 3), phase(7, 0))
    assert world.price == 2_080 * USD


def test_a_round_of_this_very_second_waits_for_the_window(world: World) -> None:
    two_phases(world)
    feed = world.of_phase(7)
    world.add(world.of_phase(6), 4, (2_060, 400))
    world.add(feed, 2, (2_070, 300))
    world.warp(299)
    world.core.backend.at(world.expiry + 300)
    tx = world.across(phase(7, 2), phase(6, 3))
    assert tx.events["SettlementProposed"]["finalAt"] == tx.timestamp + WINDOW_S


def test_while_the_feed_does_not_say_its_phase_a_proof_waits(world: World) -> None:
    world.add(world.of_phase(6), 3, (2_010, -60), (2_060, 40))
    broken = world.core.backend.deploy("MockFeed", FEED_DECIMALS, 1, 1)
    broken.setBroken(True, world.by)
    world.proxy.confirm(broken, world.by)
    world.warp(200)
    for act in (lambda: world.prove(phase(6, 4)), lambda: world.across(phase(6, 4))):
        with rolled_back():
            tx = act()
            assert tx.events["SettlementProposed"]["finalAt"] == tx.timestamp + WINDOW_S


# ---------------------------------------------------------------- any order of any proofs


@pytest.mark.parametrize("seed", range(6))
def test_whatever_is_tried_in_whatever_order_one_price_comes_out(world: World, seed: int) -> None:
    """Every round of three phases is tried as a proof, shuffled: after the window the right one stands."""
    rng = random.Random(seed)
    rounds: dict[int, list[tuple[int, int]]] = {6: [(2_000, -3 * HOUR), (2_000, -2 * HOUR)]}
    for number in (6, 7, 8):
        own = rounds.setdefault(number, [])
        second = rng.choice((-900, -400, 200))
        for _ in range(rng.randint(2, 5)):
            second += rng.randint(5, 300)
            own.append((rng.choice((0, *range(1_000, 3_000))), second))
        if number == 6:
            world.add(world.of_phase(6), 3, *own[2:])
        else:
            world.proxy.confirm(world.aggregator(*own), world.by)
    world.warp(3 * HOUR)
    usable = {n: [(s, n, usd) for usd, s in own if usd] for n, own in rounds.items()}
    after = [(s, n, usd) for s, n, usd in itertools.chain(*usable.values()) if s >= 0]
    # By the plain proof a round needs a predecessor in its own phase.
    provable = [c for c in after if any(s < 0 for s, n, _ in usable[c[1]] if n == c[1])]
    attempts = [phase(n, k + 1) for n, own in rounds.items() for k in range(len(own))]
    rng.shuffle(attempts)
    for round_id in attempts:
        with contextlib.suppress(
            VirtualMachineError
        ):  # which refusal it is belongs to the tests above
            world.prove(round_id)
    world.core.warp(world.core.now + WINDOW_S + 60)
    assert world.price == (min(provable)[2] * USD if provable else 0)
