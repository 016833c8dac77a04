"""Every oracle state x every action, what each state is at its edges, and the price that is left to act on."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.brownie_fixtures import reverts_with
from tests.contracts.core_constants import (
    DEPEGGED,
    DEVIATING,
    FEED_DECIMALS,
    FOREVER,
    FRESH,
    HOUR,
    MAX_AGE_S,
    ORACLE_PARAMETERS,
    QUOTE_MAX_AGE_S,
    SEQUENCER_DOWN,
    SPOT_USD,
    STALE,
    UNDERLYING,
    WAD,
    ZERO_ADDRESS,
)
from tests.contracts.core_env import BrownieBackend, Core, deploy_core, refused

ONE_USD = 10**FEED_DECIMALS
DEPEG_BAND, GRACE_S = ORACLE_PARAMETERS[:2]
OPEN, WITHDRAW, HEDGE, CLOSE, LIQUIDATE, SETTLE, CLAIM = ACTIONS = range(7)
STATES = {
    "Fresh": FRESH,
    "Deviating": DEVIATING,
    "Stale": STALE,
    "SequencerDown": SEQUENCER_DOWN,
    "Depegged": DEPEGGED,
}
ALWAYS = {HEDGE, CLOSE, SETTLE, CLAIM}  # I-07
# By hand, and not from the contract: this is the decision.
TABLE = {
    FRESH: {OPEN, WITHDRAW, LIQUIDATE} | ALWAYS,
    DEVIATING: {WITHDRAW, LIQUIDATE} | ALWAYS,
    DEPEGGED: {LIQUIDATE} | ALWAYS,
    STALE: ALWAYS,
    SEQUENCER_DOWN: ALWAYS,
}
MEAN = 2_100


@pytest.fixture(scope="module")
def core(project: Any, accounts: Any) -> Core:
    """With a sequencer that has been up for longer than the grace period."""
    core = deploy_core(BrownieBackend(project, accounts))
    uptime = core.backend.deploy("MockFeed", 0, 0, core.now - GRACE_S)
    core.oracle.setSequencer(uptime, {"from": core.gov})
    return core


def uptime(core: Core) -> Any:
    return core.backend.project.MockFeed.at(core.oracle.sequencer())


def deviate(core: Core) -> None:
    core.set_pool(MEAN)


def age(core: Core) -> None:
    core.quote.push(ONE_USD, core.now + MAX_AGE_S, {"from": core.gov})
    core.warp(core.now + MAX_AGE_S + 60)


def stop_sequencer(core: Core) -> None:
    uptime(core).push(1, core.now, {"from": core.gov})


def depeg(core: Core) -> None:
    core.quote.push(88 * ONE_USD // 100, core.now, {"from": core.gov})


BRING: dict[int, Callable[[Core], None]] = {
    FRESH: lambda core: None,
    DEVIATING: deviate,
    STALE: age,
    SEQUENCER_DOWN: stop_sequencer,
    DEPEGGED: depeg,
}


# ---------------------------------------------------------------- the table


@pytest.mark.parametrize("state", STATES.values(), ids=STATES)
@pytest.mark.parametrize("action", ACTIONS)
def test_every_cell(core: Core, state: int, action: int) -> None:
    BRING[state](core)
    oracle = core.oracle
    assert oracle.state(UNDERLYING) == state
    allowed = action in TABLE[state]
    assert oracle.allows(UNDERLYING, action) == allowed
    if not allowed:
        refused(
            oracle.check, UNDERLYING, action, by=core.gov, error="ActionNotAllowed",
            values=(UNDERLYING, state, action),
        )  # fmt: skip
        return
    price = oracle.check(UNDERLYING, action)
    if state != STALE:
        assert price == SPOT_USD * WAD
    elif action in (SETTLE, CLAIM):
        assert price == 0
    else:
        assert price == oracle.twap(UNDERLYING)


@pytest.mark.parametrize("state", STATES.values(), ids=STATES)
def test_the_desk_opens_only_where_the_table_says(core: Core, state: int) -> None:
    series = core.series(7, 2_000)
    core.desk.list([series], {"from": core.gov})
    core.fund(core.vault, 500_000, 10)
    core.fund(core.takers[0], 10_000)
    BRING[state](core)
    trade = (core.desk.trade, [(series, WAD)], 10**24, FOREVER)
    if OPEN in TABLE[state]:
        trade[0].call(*trade[1:], {"from": core.takers[0]})
    else:
        refused(*trade, by=core.takers[0], error="ActionNotAllowed")


@pytest.mark.parametrize("state", STATES.values(), ids=STATES)
def test_settlement_and_claims_go_on_in_every_state(core: Core, state: int) -> None:
    """I-07: with a proven price nothing that the oracle says of now is asked."""
    long, short = core.takers[:2]
    core.fund(short, 5_000)
    core.fund(long, 500)
    core.trade(short, long, [(core.series(1, 2_100, call=False), 1)], 50)
    core.prove(1, 2_000)
    BRING[state](core)
    by, key = {"from": core.takers[4]}, (UNDERLYING, core.expiry(1))
    core.clearinghouse.convert(*key, [short], by)
    core.clearinghouse.finalise(*key, by)
    core.clearinghouse.claim(*key, [long, short], by)
    assert core.cash(long) == 550 * WAD
    assert core.cash(short) == 4_950 * WAD


@pytest.mark.parametrize(
    "several", [(DEVIATING, DEPEGGED), (DEPEGGED, STALE), (STALE, SEQUENCER_DOWN)]
)
def test_the_graver_state_is_told(core: Core, several: tuple[int, int]) -> None:
    milder, graver = several
    for state in sorted(several, key=lambda s: s != STALE):  # time first: it would age the rest
        BRING[state](core)
    assert core.oracle.state(UNDERLYING) == graver, (milder, graver)
    assert core.oracle.spotAndState(UNDERLYING)[2] == graver


# ---------------------------------------------------------------- states at their edges


def test_usdc_is_depegged_one_unit_beyond_the_band(core: Core) -> None:
    band = DEPEG_BAND * ONE_USD // WAD
    for answer, state in (
        (ONE_USD + band, FRESH),
        (ONE_USD + band + 1, DEPEGGED),
        (ONE_USD - band, FRESH),
        (ONE_USD - band - 1, DEPEGGED),
        (0, DEPEGGED),
        (-1, DEPEGGED),
    ):
        core.set_pool(SPOT_USD * ONE_USD / answer if answer > 0 else SPOT_USD)
        core.quote.push(answer, core.now, {"from": core.gov})
        assert core.oracle.state(UNDERLYING) == state, answer


def test_the_pools_mean_is_compared_in_usdc(core: Core) -> None:
    """With USDC at 0.985 the pool must show 1.5 % more than ETH/USD: then nothing deviates."""
    core.quote.push(985 * ONE_USD // 1000, core.now, {"from": core.gov})
    core.set_pool(SPOT_USD / 0.985)
    assert core.oracle.state(UNDERLYING) == FRESH
    core.set_pool(SPOT_USD * 0.99)
    assert core.oracle.state(UNDERLYING) == DEVIATING


def test_a_silent_usdc_feed_is_no_peg(core: Core) -> None:
    at = core.quote.latestRoundData()[3]
    for wait, state in ((QUOTE_MAX_AGE_S, FRESH), (QUOTE_MAX_AGE_S + 1, DEPEGGED)):
        core.feed.push(round(SPOT_USD) * ONE_USD, at + wait - 1, {"from": core.gov})
        core.warp(at + wait)
        assert core.oracle.state(UNDERLYING) == state
    core.quote.setBroken(True, {"from": core.gov})
    assert core.oracle.state(UNDERLYING) == DEPEGGED


def test_a_sequencer_counts_as_down_until_the_grace_has_passed(core: Core) -> None:
    feed, start, by = uptime(core), core.now, {"from": core.gov}
    feed.push(0, start, by)
    core.quote.push(ONE_USD, start + 1, by)
    for wait, state in ((GRACE_S - 1, SEQUENCER_DOWN), (GRACE_S, FRESH)):
        core.feed.push(round(SPOT_USD) * ONE_USD, start + wait - 30, by)
        core.warp(start + wait)
        assert core.oracle.state(UNDERLYING) == state
    for answer, at in ((2, start), (-1, start), (0, 0), (0, core.now + 1000)):
        feed.push(answer, at, by)
        assert core.oracle.state(UNDERLYING) == SEQUENCER_DOWN, (answer, at)
    feed.setBroken(True, by)
    assert core.oracle.state(UNDERLYING) == SEQUENCER_DOWN
    core.oracle.setSequencer(ZERO_ADDRESS, by)
    assert core.oracle.state(UNDERLYING) == FRESH


def test_starving_a_read_is_not_an_alarm(core: Core) -> None:
    """Who calls with so little gas that a source's read fails gets a revert, never a state that is not so."""
    import brownie

    heavy = 1_000_000  # the part of it that a call keeps back is enough to go on with
    core.feed.setGasNeeded(heavy, {"from": core.gov})
    core.oracle.setSequencer(ZERO_ADDRESS, {"from": core.gov})
    data, found = core.oracle.state.encode_input(UNDERLYING), set()
    for gas in range(heavy, heavy + 300_000, 5_000):
        call = {"to": str(core.oracle), "data": data, "gas": hex(gas)}
        answer = brownie.web3.provider.make_request("eth_call", [call, "latest"])
        found.add(int(answer["result"], 16) if "result" in answer else None)
    assert found == {None, FRESH}


# ---------------------------------------------------------------- what is left to act on


def test_a_fill_is_held_to_the_feed_in_usdc(core: Core) -> None:
    """Incident 14: at 0.88 USD a fill at par would give 12 % away."""
    assert core.oracle.hedgePrice(UNDERLYING) == SPOT_USD * WAD
    depeg(core)
    assert core.oracle.hedgePrice(UNDERLYING) == 2_000 * WAD * 100 // 88
    assert core.oracle.quoteUsd() == 88 * WAD // 100


def test_a_dead_feed_leaves_the_pools_mean(core: Core) -> None:
    """Incident 12: no deadlock against a price that is thirteen days old."""
    core.warp(core.now + 13 * 24 * HOUR)
    core.set_pool(MEAN)
    mean = core.oracle.twap(UNDERLYING)
    assert core.oracle.hedgePrice(UNDERLYING) == mean
    assert core.oracle.check(UNDERLYING, HEDGE) == mean
    core.quote.push(99 * ONE_USD // 100, core.now, {"from": core.gov})
    assert core.oracle.check(UNDERLYING, CLOSE) == mean * 99 // 100
    core.pool.setBroken(True, {"from": core.gov})
    with reverts_with("NoPrice", UNDERLYING):
        core.oracle.hedgePrice(UNDERLYING)
    with reverts_with("NoPrice", UNDERLYING):
        core.oracle.check(UNDERLYING, HEDGE)
    assert core.oracle.check(UNDERLYING, SETTLE) == 0


def test_a_dead_usdc_feed_leaves_the_pools_mean_then_its_last_answer_then_par(core: Core) -> None:
    by = {"from": core.gov}
    core.quote.push(99 * ONE_USD // 100, core.now - QUOTE_MAX_AGE_S - 60, by)
    core.set_pool(MEAN)
    assert core.oracle.hedgePrice(UNDERLYING) == core.oracle.twap(UNDERLYING)
    core.pool.setBroken(True, by)
    assert core.oracle.hedgePrice(UNDERLYING) == 2_000 * WAD * 100 // 99
    core.quote.setBroken(True, by)
    assert core.oracle.hedgePrice(UNDERLYING) == SPOT_USD * WAD
    with reverts_with("FeedBroken"):
        core.oracle.quoteUsd()
