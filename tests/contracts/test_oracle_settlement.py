"""Settlement prices are proven by two neighbouring rounds of one phase, once, by anybody."""

from typing import Any

import pytest

from tests.brownie_fixtures import reverts_with
from tests.contracts.core_constants import DAY, FEED_DECIMALS, ORACLE_PARAMETERS, UNDERLYING, WAD
from tests.contracts.core_env import BrownieBackend, Core, deploy_core, refused

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


@pytest.mark.parametrize("zeros", [False, True], ids=["reverts", "zeros"])
def test_unknown_rounds_are_refused(core: Core, zeros: bool) -> None:
    """Older aggregators revert for a round that they do not have, newer ones answer zeros."""
    core.feed.setZeros(zeros, {"from": core.gov})
    for unknown in (PHASE + 99, 7 * PHASE + 4, 2**80 - 1):
        prove(core, unknown, "RoundMissing", unknown)


def test_a_feed_that_answers_with_another_round_has_none(core: Core) -> None:
    core.feed.setStuck(True, {"from": core.gov})
    prove(core, PHASE + 4, "RoundMissing", PHASE + 4)


@pytest.mark.parametrize("zeros", [False, True], ids=["reverts", "zeros"])
def test_a_hole_is_passed_over_to_the_round_before_it(core: Core, zeros: bool) -> None:
    expiry = core.expiry(1)
    core.feed.setZeros(zeros, {"from": core.gov})
    core.feed.setRound(PHASE + 8, ANSWER, expiry + 400, {"from": core.gov})
    prove(
        core, PHASE + 8, "RoundNotFirstAfterExpiry", PHASE + 8, expiry + 300, expiry + 400, expiry
    )


def test_unusable_rounds_before_the_first_are_passed_over(core: Core) -> None:
    """Known to all and skipped by rule: nobody settles on, or is stopped by, a round that is no price."""
    expiry, by = core.expiry(1), {"from": core.gov}
    core.feed.setRound(PHASE + 3, ANSWER, 0, by)
    core.feed.setRound(PHASE + 4, 0, expiry, by)
    core.feed.setRound(PHASE + 5, ANSWER + 5, expiry + 300, by)
    prove(core, PHASE + 4, "FeedAnswerInvalid", 0, expiry)
    core.oracle.proveSettlement(UNDERLYING, expiry, PHASE + 5, by)
    assert core.oracle.settlementPrice(UNDERLYING, expiry) == (ANSWER + 5) * 10**10


def test_an_unusable_round_at_expiry_does_not_open_the_way_for_a_later_one(core: Core) -> None:
    expiry, by = core.expiry(1), {"from": core.gov}
    core.feed.setRound(PHASE + 6, -1, expiry + 350, by)
    core.feed.setRound(PHASE + 7, ANSWER, expiry + 400, by)
    prove(
        core, PHASE + 7, "RoundNotFirstAfterExpiry", PHASE + 7, expiry + 300, expiry + 400, expiry
    )


@pytest.mark.parametrize(("missing", "accepted"), [(16, True), (17, False)])
def test_a_row_of_missing_rounds_is_passed_over_up_to_a_limit(
    core: Core, missing: int, accepted: bool
) -> None:
    day, by = core.expiry(2), {"from": core.gov}
    core.warp(day + 100)
    number = PHASE + 5 + missing + 1
    core.feed.setRound(number, ANSWER, day + 50, by)
    if accepted:
        core.oracle.proveSettlement(UNDERLYING, day, number, by)
        assert core.oracle.settlementPrice(UNDERLYING, day) == ANSWER * 10**10
    else:
        prove(core, number, "RoundHolesTooWide", PHASE + 6, day=2)


def test_a_round_after_the_deadline_settles_nothing(core: Core) -> None:
    expiry, by = core.expiry(2), {"from": core.gov}
    deadline = expiry + ORACLE_PARAMETERS[3]
    core.warp(deadline + 100)
    core.feed.setRound(PHASE + 6, ANSWER, deadline + 1, by)
    prove(core, PHASE + 6, "RoundAfterDeadline", PHASE + 6, deadline + 1, deadline, day=2)
    core.feed.setRound(PHASE + 6, ANSWER, deadline, by)
    core.oracle.proveSettlement(UNDERLYING, expiry, PHASE + 6, by)
    assert core.oracle.settlementPrice(UNDERLYING, expiry) == ANSWER * 10**10


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
