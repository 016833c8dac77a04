"""Realised volatility: nobody chooses the samples, and the estimate is that of a plain Python model."""

import itertools
import math
import random
from typing import Any

import pytest

from tests.brownie_fixtures import reverts_with
from tests.contracts.core_constants import (
    DAY,
    FEED_DECIMALS,
    HOUR,
    ORACLE_PARAMETERS,
    UNDERLYING,
    WAD,
)
from tests.contracts.core_env import BrownieBackend, Core, deploy_core

PHASE = 1 << 64
USD = 10**FEED_DECIMALS
HALF_LIFE_S = ORACLE_PARAMETERS[5]
YEAR_S = 365 * DAY


@pytest.fixture(scope="module")
def core(project: Any, accounts: Any) -> Core:
    """Deployed at 09:00 with round 2 at that moment, which is the base of the first return."""
    return deploy_core(BrownieBackend(project, accounts), aged=False)


def add(core: Core, *rounds: tuple[float, float], phase: int = 1, number: int = 3) -> None:
    """Rounds of (USD, minutes after the deployment), numbered from `number`."""
    ids = [phase * PHASE + number + k for k in range(len(rounds))]
    answers = [round(usd * USD) for usd, _ in rounds]
    times = [core.start + round(60 * minute) for _, minute in rounds]
    core.feed.load(ids, answers, times, {"from": core.gov})
    core.warp(max(core.now, times[-1] + 10))


def poke(core: Core, number: int, phase: int = 1) -> Any:
    return core.oracle.poke(UNDERLYING, phase * PHASE + number, {"from": core.takers[3]})


def across(core: Core, number: int, *last: int, phase: int = 2) -> Any:
    by = {"from": core.takers[3]}
    return core.oracle.pokeAcross(UNDERLYING, phase * PHASE + number, last, by)


def estimate(samples: list[tuple[float, float]], half_life_s: float = HALF_LIFE_S) -> float:
    """Annualised volatility of (second, USD), each return weighing as long as it lasted, older ones less."""
    weights, total = 0.0, 0.0
    end = samples[-1][0]
    for (t0, p0), (t1, p1) in itertools.pairwise(samples):
        weight = 2 ** (-(end - t1) / half_life_s) - 2 ** (-(end - t0) / half_life_s)
        total += weight * math.log(p1 / p0) ** 2 * YEAR_S / (t1 - t0)
        weights += weight
    return math.sqrt(total / weights)


def test_nothing_is_known_before_the_first_sample(core: Core) -> None:
    vol, at, samples = core.oracle.realisedVol(UNDERLYING)
    assert (vol, samples) == (0, 0)
    assert core.start <= at < core.start + HOUR
    assert tuple(core.oracle.phases(UNDERLYING)) == (1, 1)


def test_the_first_round_of_the_next_hour_is_the_only_sample(core: Core) -> None:
    add(core, (2_010, 59), (2_020, 60), (2_030, 61), (2_040, 119), (2_050, 120))
    for number in (3, 5, 6, 7):
        with reverts_with("RoundNotNextSample"):
            poke(core, number)
    tx = poke(core, 4)
    assert tx.events["Sampled"]["price"] == 2_020 * WAD
    with reverts_with("RoundNotNextSample"):
        poke(core, 4)
    poke(core, 7)
    assert core.oracle.realisedVol(UNDERLYING)[1:] == (core.start + 2 * HOUR, 2)


def test_hours_are_taken_late_but_in_order(core: Core) -> None:
    add(core, *[(2_000 + k, 60 * k + 1) for k in range(1, 30)])
    number = 3
    for _ in range(5):
        for wrong in (number + 1, number + 7):
            with reverts_with("RoundNotNextSample"):
                poke(core, wrong)
        poke(core, number)
        number += 1
    assert core.oracle.realisedVol(UNDERLYING)[2] == 5


def test_an_hour_without_a_usable_round_is_left_out(core: Core) -> None:
    add(core, (2_010, 30), (0, 61), (0, 130), (2_050, 200), (2_060, 241))
    with reverts_with("FeedAnswerInvalid"):
        poke(core, 4)
    with reverts_with("RoundNotNextSample"):
        poke(core, 7)
    poke(core, 6)
    poke(core, 7)
    assert core.oracle.realisedVol(UNDERLYING)[2] == 2


def test_a_round_of_another_phase_or_of_none_is_refused(core: Core) -> None:
    add(core, (2_010, 61))
    with reverts_with("RoundOfOtherPhase", 2 * PHASE + 1):
        poke(core, 1, phase=2)
    with reverts_with("RoundMissing", PHASE + 9):
        poke(core, 9)
    with reverts_with("RoundOfOtherPhase", PHASE):
        poke(core, 0)
    with reverts_with("MarketUnknown", 9):
        core.oracle.poke(9, PHASE + 3, {"from": core.gov})
    with reverts_with("MarketUnknown", 9):
        core.oracle.realisedVol(9)


@pytest.mark.parametrize("seed", range(3))
def test_the_estimate_is_that_of_the_model(core: Core, seed: int) -> None:
    """Rounds at odd times with gaps of up to nine hours, and moves of up to 20 % in one."""
    rng = random.Random(seed)
    minute, usd, rounds = 0.0, 2_000.0, []
    for _ in range(60):
        minute += rng.choice((3, 11, 25, 58, 61, 140, 555)) + rng.random()
        usd *= math.exp(rng.gauss(0, 0.01) + rng.choice((0,) * 9 + (-0.2, 0.2)))
        rounds.append((round(usd * USD) / USD, round(60 * minute) / 60))
    add(core, *rounds)
    base = core.oracle.realisedVol(UNDERLYING)[1]
    samples = [(float(base), 2_000.0)]
    for k, (price, at) in enumerate(rounds):
        second = core.start + round(60 * at)
        if second // HOUR == samples[-1][0] // HOUR:
            continue
        poke(core, 3 + k)
        samples.append((float(second), price))
        vol, updated_at, count = core.oracle.realisedVol(UNDERLYING)
        assert (updated_at, count) == (second, len(samples) - 1)
        assert vol / WAD == pytest.approx(estimate(samples), rel=1e-9)


def test_a_fall_by_half_in_one_hour_is_told(core: Core) -> None:
    add(core, (1_000, 60))
    poke(core, 3)
    at = core.start + HOUR - int(core.feed.getRoundData(PHASE + 2)[3])
    expected = math.log(2) * math.sqrt(YEAR_S / at)
    assert core.oracle.realisedVol(UNDERLYING)[0] / WAD == pytest.approx(expected, rel=1e-12)


# ---------------------------------------------------------------- phases


def test_a_newer_phase_goes_on_where_the_older_is_silent(core: Core) -> None:
    add(core, (2_010, 61), (2_011, 70))
    poke(core, 3)
    add(core, (2_012, 90), (2_020, 125), (2_030, 185), phase=2, number=1)
    with reverts_with("RoundOfOtherPhase", 2 * PHASE + 2):
        poke(core, 2, phase=2)
    with reverts_with("RoundOfOtherPhase", PHASE + 4):
        across(core, 4, PHASE + 3, phase=1)
    with reverts_with("RoundNotNextSample"):  # an hour later than the first
        across(core, 3, PHASE + 4)
    for last, error in (([], "PhaseNotShown"), ([PHASE + 9], "RoundMissing")):
        with reverts_with(error):
            across(core, 2, *last)
    across(core, 2, PHASE + 4)
    assert tuple(core.oracle.phases(UNDERLYING)) == (1, 2)
    with reverts_with("RoundOfOtherPhase"):
        poke(core, 4)
    poke(core, 3, phase=2)
    assert core.oracle.realisedVol(UNDERLYING)[2] == 3


def test_an_older_phase_that_still_has_rounds_is_taken_first(core: Core) -> None:
    add(core, (2_010, 61), (2_011, 122))
    poke(core, 3)
    add(core, (2_012, 90), (2_020, 125), (2_030, 185), phase=2, number=1)
    for last in (PHASE + 3, PHASE):
        with reverts_with("PhaseNotSilent"):
            across(core, 2, last)
    poke(core, 4)
    across(core, 3, PHASE + 4)


def test_another_feed_starts_from_its_own_price_and_keeps_the_past(core: Core) -> None:
    add(core, (2_100, 61))
    poke(core, 3)
    before = core.oracle.realisedVol(UNDERLYING)[0]
    other = core.backend.deploy("MockFeed", 18, 2_050 * WAD, core.now)
    core.set_pool(2_050)
    by, delay = {"from": core.gov}, ORACLE_PARAMETERS[4]
    core.oracle.proposeFeed(UNDERLYING, other, 18, HOUR, by)
    core.warp(core.now + delay)
    other.push(2_050 * WAD, core.now - 5, by)
    core.quote.push(USD, core.now - 5, by)
    core.oracle.acceptFeed(UNDERLYING, by)
    vol, at, samples = core.oracle.realisedVol(UNDERLYING)
    assert (vol, samples) == (before, 1)
    assert at == other.latestRoundData()[3]
