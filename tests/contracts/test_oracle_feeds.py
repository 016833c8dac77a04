"""Feeds change after a delay and are checked twice; parameters have hard ranges; the feed of USDC too."""

from typing import Any

import pytest

from tests.brownie_fixtures import reverts_with
from tests.contracts.core_constants import (
    FEED_DECIMALS,
    FRESH,
    HOUR,
    ORACLE_PARAMETERS,
    QUOTE_MAX_AGE_S,
    STALE,
    UNDERLYING,
    WAD,
    ZERO_ADDRESS,
)
from tests.contracts.core_env import BrownieBackend, Core, deploy_core, refused

QUOTE = 0
USD = 10**FEED_DECIMALS
DELAY_S = ORACLE_PARAMETERS[4]
FIELDS = (
    "depegBand",
    "sequencerGrace",
    "phaseWindow",
    "roundDeadline",
    "feedDelay",
    "halfLife",
)


@pytest.fixture(scope="module")
def core(project: Any, accounts: Any) -> Core:
    return deploy_core(BrownieBackend(project, accounts))


@pytest.fixture
def other(core: Core) -> Any:
    """Another ETH/USD feed, with 18 decimals."""
    return core.backend.deploy("MockFeed", 18, 2_000 * WAD, core.now)


def propose(core: Core, feed: Any, market: int = UNDERLYING, decimals: int = 18) -> Any:
    return core.oracle.proposeFeed(market, feed, decimals, 2 * HOUR, {"from": core.gov})


def accept(core: Core, market: int = UNDERLYING) -> Any:
    return core.oracle.acceptFeed(market, {"from": core.gov})


def after_delay(core: Core, feed: Any, answer: int) -> None:
    """The delay has passed and all feeds are young."""
    by = {"from": core.gov}
    core.warp(core.now + DELAY_S)
    feed.push(answer, core.now - 9, by)
    core.quote.push(USD, core.now - 9, by)


def test_a_feed_changes_after_the_delay_and_not_before(core: Core, other: Any) -> None:
    ready = propose(core, other).events["FeedProposed"]["readyAt"]
    assert ready == core.oracle.feedProposal(UNDERLYING)[3]
    core.warp(ready - 2)
    refused(core.oracle.acceptFeed, UNDERLYING, by=core.gov, error="FeedNotReady")
    assert core.oracle.market(UNDERLYING)[0] == core.feed
    after_delay(core, other, 2_010 * WAD)
    accept(core)
    assert tuple(core.oracle.market(UNDERLYING)[:3]) == (other, 18, 2 * HOUR)
    assert core.oracle.spot(UNDERLYING)[0] == 2_010 * WAD
    assert core.oracle.state(UNDERLYING) == FRESH
    refused(core.oracle.acceptFeed, UNDERLYING, by=core.gov, error="NoFeedProposed")


def test_a_dead_feed_can_be_replaced(core: Core, other: Any) -> None:
    core.feed.setBroken(True, {"from": core.gov})
    propose(core, other)
    after_delay(core, other, 2_000 * WAD)
    assert core.oracle.state(UNDERLYING) == STALE
    accept(core)
    assert core.oracle.state(UNDERLYING) == FRESH


@pytest.mark.parametrize(
    ("decimals", "answer", "error"),
    [
        (8, 2_000 * WAD, "FeedDecimalsUnexpected"),
        (18, 2_000 * USD, "FeedDisagreesWithPool"),  # incident 1
        (18, 2_100 * WAD, "FeedDisagreesWithPool"),
        (18, 0, "FeedAnswerInvalid"),
        (18, -1, "FeedAnswerInvalid"),
        (18, 2**96, "FeedAnswerInvalid"),
    ],
)
def test_a_proposal_is_checked_like_a_registration(
    core: Core, other: Any, decimals: int, answer: int, error: str
) -> None:
    other.push(answer, core.now, {"from": core.gov})
    args = (UNDERLYING, other, decimals, 2 * HOUR)
    refused(core.oracle.proposeFeed, *args, by=core.gov, error=error)


def test_a_proposal_is_checked_again_when_it_is_accepted(core: Core, other: Any) -> None:
    propose(core, other)
    after_delay(core, other, 2_200 * WAD)
    refused(core.oracle.acceptFeed, UNDERLYING, by=core.gov, error="FeedDisagreesWithPool")
    other.push(2_000 * WAD, core.now - 2 * HOUR - 60, {"from": core.gov})
    refused(core.oracle.acceptFeed, UNDERLYING, by=core.gov, error="FeedTooOld")
    other.push(2_000 * WAD, core.now, {"from": core.gov})
    other.setDecimals(8, {"from": core.gov})
    refused(core.oracle.acceptFeed, UNDERLYING, by=core.gov, error="FeedDecimalsUnexpected")


def test_a_proposal_is_dropped_or_replaced_with_a_new_delay(core: Core, other: Any) -> None:
    propose(core, other)
    first = core.oracle.feedProposal(UNDERLYING)[3]
    core.warp(core.now + 100)
    propose(core, other)
    assert core.oracle.feedProposal(UNDERLYING)[3] >= first + 100
    tx = core.oracle.cancelFeed(UNDERLYING, {"from": core.gov})
    assert tx.events["FeedProposalCancelled"]["feed"] == other
    for act in (core.oracle.acceptFeed, core.oracle.cancelFeed):
        refused(act, UNDERLYING, by=core.gov, error="NoFeedProposed", values=(UNDERLYING,))


def test_the_feed_of_usdc_changes_alike_and_must_be_near_par(core: Core) -> None:
    by = {"from": core.gov}
    usdc = core.backend.deploy("MockFeed", 18, 12 * WAD // 10 + 1, core.now)
    args = (QUOTE, usdc, 18, HOUR)
    refused(core.oracle.proposeFeed, *args, by=core.gov, error="QuoteFeedOffPar")
    usdc.push(99 * WAD // 100, core.now, by)
    propose(core, usdc, QUOTE)
    after_delay(core, usdc, 98 * WAD // 100)
    accept(core, QUOTE)
    assert tuple(core.oracle.quoteFeed()) == (usdc, 18, 2 * HOUR)
    assert core.oracle.quoteUsd() == 98 * WAD // 100


def test_an_unknown_market_has_no_feed_to_change(core: Core, other: Any) -> None:
    refused(core.oracle.proposeFeed, 9, other, 18, HOUR, by=core.gov, error="MarketUnknown")
    refused(core.oracle.acceptFeed, 9, by=core.gov, error="NoFeedProposed")


@pytest.mark.parametrize(("quote", "age"), [(True, 3 * 86_400 + 1), (False, 86_401), (True, 59)])
def test_ages_have_hard_ranges(core: Core, other: Any, quote: bool, age: int) -> None:
    args = (QUOTE, core.quote, FEED_DECIMALS, age) if quote else (UNDERLYING, other, 18, age)
    refused(core.oracle.proposeFeed, *args, by=core.gov, error="ParameterOutOfRange")


def test_registration_needs_a_young_usdc_feed(core: Core, other: Any) -> None:
    core.quote.push(USD, core.now - QUOTE_MAX_AGE_S - 60, {"from": core.gov})
    args = (UNDERLYING, other, 18, HOUR)
    refused(core.oracle.proposeFeed, *args, by=core.gov, error="FeedTooOld")


RANGES = {
    "depegBand": (10**15, 5 * 10**16),
    "sequencerGrace": (0, 86_400),
    "phaseWindow": (600, 86_400),
    "roundDeadline": (HOUR, 7 * 86_400),
    "feedDelay": (HOUR, 30 * 86_400),
    "halfLife": (HOUR, 90 * 86_400),
}


@pytest.mark.parametrize("field", FIELDS)
def test_parameters_have_hard_ranges(core: Core, field: str) -> None:
    low, high = RANGES[field]
    for value, allowed in ((low, True), (high, True), (low - 1, False), (high + 1, False)):
        if value < 0:
            continue
        changed = {**dict(zip(FIELDS, ORACLE_PARAMETERS, strict=True)), field: value}
        args = (tuple(changed.values()),)
        if allowed:
            core.oracle.setParameters(*args, {"from": core.gov})
            assert tuple(core.oracle.parameters()) == args[0]
        else:
            error = "ParameterOutOfRange"
            refused(core.oracle.setParameters, *args, by=core.gov, error=error)


def test_a_sequencer_feed_must_answer_like_one(core: Core) -> None:
    for answer, at in ((2, core.now), (-1, core.now), (1, 0)):
        feed = core.backend.deploy("MockFeed", 0, answer, at)
        refused(core.oracle.setSequencer, feed, by=core.gov, error="FeedAnswerInvalid")
    refused(core.oracle.setSequencer, core.gov, by=core.gov, error="FeedAnswerInvalid")
    for answer in (0, 1):
        feed = core.backend.deploy("MockFeed", 0, answer, core.now)
        core.oracle.setSequencer(feed, {"from": core.gov})
        assert core.oracle.sequencer() == feed


def test_an_oracle_is_never_without_a_feed_of_usdc(project: Any, core: Core) -> None:
    by = {"from": core.gov}
    gov = core.authority
    for feed, decimals, error in (
        (core.feed, FEED_DECIMALS, "QuoteFeedOffPar"),
        (core.quote, 6, "FeedDecimalsUnexpected"),
    ):
        quote = (feed, decimals, QUOTE_MAX_AGE_S)
        with reverts_with(error):
            project.MarketOracle.deploy(gov, quote, ZERO_ADDRESS, ORACLE_PARAMETERS, by)
