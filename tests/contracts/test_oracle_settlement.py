"""Settlement prices are proven by two neighbouring rounds of one phase, once, by anybody."""

from typing import Any

import pytest

from tests.brownie_fixtures import reverts_with
from tests.contracts.core_env import (
    DAY,
    FEED_DECIMALS,
    UNDERLYING,
    WAD,
    BrownieBackend,
    Core,
    deploy_core,
    refused,
)

PHASE = 1 << 64
ANSWER = 2_111 * 10**FEED_DECIMALS


@pytest.fixture(scope="module")
def core(project: Any, accounts: Any) -> Core:
    """Day 1 has expired: rounds 2 and 3 before it, 4 the first after it, 5 later."""
    core = deploy_core(BrownieBackend(project, accounts))
    expiry = core.expiry(1)
    core.warp(expiry + 600)
    for number, offset in ((2, -900), (3, -1), (4, 0), (5, 300)):
        core.feed.setRound(PHASE + number, ANSWER + number, expiry + offset, {"from": core.gov})
    return core


def prove(core: Core, round_id: int, error: str, *values: Any, day: int = 1) -> None:
    oracle, expiry = core.oracle, core.expiry(day)
    stranger = core.takers[0]
    with reverts_with(error, *values):
        oracle.proveSettlement.call(UNDERLYING, expiry, round_id, {"from": stranger})


def test_the_first_round_at_or_after_expiry_is_the_price(core: Core) -> None:
    expiry = core.expiry(1)
    tx = core.oracle.proveSettlement(UNDERLYING, expiry, PHASE + 4, {"from": core.takers[0]})
    price = (ANSWER + 4) * 10**10
    assert core.oracle.settlementPrice(UNDERLYING, expiry) == price
    event = tx.events["SettlementProven"]
    assert (event["expiry"], event["price"], event["roundId"]) == (expiry, price, PHASE + 4)


def test_one_round_early_and_one_late_are_refused(core: Core) -> None:
    expiry = core.expiry(1)
    early = (PHASE + 3, expiry - 900, expiry - 1, expiry)
    late = (PHASE + 5, expiry, expiry + 300, expiry)
    for args in (early, late):
        prove(core, args[0], "RoundNotFirstAfterExpiry", *args)


@pytest.mark.parametrize("number", [0, 1])
def test_a_round_without_predecessor_in_its_phase_is_refused(core: Core, number: int) -> None:
    """Its predecessor would be a round of another aggregator, or none."""
    core.feed.setRound(2 * PHASE + 1, ANSWER, core.expiry(1) + 5, {"from": core.gov})
    prove(core, 2 * PHASE + number, "RoundOfOtherPhase", 2 * PHASE + number)


def test_unknown_rounds_are_refused(core: Core) -> None:
    for unknown in (PHASE + 99, 7 * PHASE + 4, 2**80 - 1):
        with pytest.raises(Exception, match="No data present"):
            core.oracle.proveSettlement.call(
                UNDERLYING, core.expiry(1), unknown, {"from": core.gov}
            )


def test_a_round_after_a_hole_is_refused(core: Core) -> None:
    core.feed.setRound(PHASE + 8, ANSWER, core.expiry(1) + 400, {"from": core.gov})
    with pytest.raises(Exception, match="No data present"):
        core.oracle.proveSettlement.call(UNDERLYING, core.expiry(1), PHASE + 8, {"from": core.gov})


def test_a_predecessor_without_time_is_refused(core: Core) -> None:
    core.feed.setRound(PHASE + 3, ANSWER, 0, {"from": core.gov})
    expiry = core.expiry(1)
    prove(core, PHASE + 4, "RoundNotFirstAfterExpiry", PHASE + 4, 0, expiry, expiry)


def test_a_later_phase_may_prove_with_its_own_neighbours(core: Core) -> None:
    expiry, by = core.expiry(1), {"from": core.gov}
    core.feed.setRound(2 * PHASE + 6, ANSWER, expiry - 50, by)
    core.feed.setRound(2 * PHASE + 7, ANSWER + 70, expiry + 2, by)
    core.oracle.proveSettlement(UNDERLYING, expiry, 2 * PHASE + 7, by)
    assert core.oracle.settlementPrice(UNDERLYING, expiry) == (ANSWER + 70) * 10**10


def test_twice_is_refused_whatever_the_round(core: Core) -> None:
    expiry = core.expiry(1)
    core.oracle.proveSettlement(UNDERLYING, expiry, PHASE + 4, {"from": core.gov})
    for round_id in (PHASE + 4, PHASE + 5, 0):
        prove(core, round_id, "AlreadyProven", UNDERLYING, expiry)


def test_before_expiry_is_refused(core: Core) -> None:
    expiry = core.expiry(2)
    core.warp(expiry - 1)
    prove(core, PHASE + 5, "ExpiryNotReached", expiry, expiry - 1, day=2)
    core.warp(expiry)
    at = core.expiry(1) + 300
    prove(core, PHASE + 5, "RoundNotFirstAfterExpiry", PHASE + 5, core.expiry(1), at, expiry, day=2)


def test_an_expiry_off_the_grid_or_an_unknown_market_is_refused(core: Core) -> None:
    expiry = core.expiry(1)
    call = core.oracle.proveSettlement
    refused(call, UNDERLYING, expiry + 1, PHASE + 4, by=core.gov, error="ExpiryOffGrid")
    refused(call, 9, expiry, PHASE + 4, by=core.gov, error="MarketUnknown", values=(9,))


@pytest.mark.parametrize("answer", [0, -5])
def test_an_answer_that_is_no_price_proves_nothing(core: Core, answer: int) -> None:
    expiry = core.expiry(1)
    core.feed.setRound(PHASE + 4, answer, expiry, {"from": core.gov})
    prove(core, PHASE + 4, "FeedAnswerInvalid", answer, expiry)


def test_a_round_of_the_future_proves_nothing(core: Core) -> None:
    at = core.now + DAY
    core.feed.setRound(PHASE + 4, ANSWER, at, {"from": core.gov})
    prove(core, PHASE + 4, "FeedAnswerInvalid", ANSWER, at)


def test_a_proof_of_one_expiry_is_none_of_another(core: Core) -> None:
    core.oracle.proveSettlement(UNDERLYING, core.expiry(1), PHASE + 4, {"from": core.gov})
    assert core.oracle.settlementPrice(UNDERLYING, core.expiry(2)) == 0
    assert core.oracle.settlementPrice(2, core.expiry(1)) == 0


def test_a_proven_price_outlives_the_feed(core: Core) -> None:
    core.oracle.proveSettlement(UNDERLYING, core.expiry(1), PHASE + 4, {"from": core.gov})
    core.feed.setBroken(True, {"from": core.gov})
    core.warp(core.now + 100 * DAY)
    assert core.oracle.settlementPrice(UNDERLYING, core.expiry(1)) == (ANSWER + 4) * WAD // 10**8
