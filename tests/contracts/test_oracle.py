"""MarketOracle: registration, spot, states at their exact edges, the pool's prices."""

from typing import Any

import mpmath as mp
import pytest

from tests.brownie_fixtures import reverts_with
from tests.contracts.core_constants import (
    DEVIATING,
    FEED_DECIMALS,
    FRESH,
    MAX_AGE_S,
    MAX_DEVIATION,
    STALE,
    TWAP_WINDOW_S,
    UNDERLYING,
    WAD,
)
from tests.contracts.core_env import BrownieBackend, Core, deploy_core, market_config, refused

OTHER = 2
mp.mp.dps = 40


@pytest.fixture(scope="module", params=[True, False], ids=["base first", "usdc first"])
def core(project: Any, accounts: Any, request: Any) -> Core:
    return deploy_core(BrownieBackend(project, accounts), base_is_token0=request.param)


# ---------------------------------------------------------------- spot


def test_spot_is_the_last_answer_in_wad(core: Core) -> None:
    at = core.now
    core.feed.push(1234_56789012, at, {"from": core.gov})
    assert tuple(core.oracle.spot(UNDERLYING)) == (1234_56789012 * 10**10, at)


@pytest.mark.parametrize("answer", [0, -1, -(2**255)])
def test_an_answer_that_is_no_price_is_refused(core: Core, answer: int) -> None:
    at = core.now
    core.feed.push(answer, at, {"from": core.gov})
    with reverts_with("FeedAnswerInvalid", answer, at):
        core.oracle.spot(UNDERLYING)
    assert core.oracle.state(UNDERLYING) == STALE


def test_an_answer_without_a_time_or_of_the_future_is_refused(core: Core) -> None:
    """Incident 11: each bad part alone is enough."""
    for at in (0, core.now + 1000):
        core.feed.push(2_000 * 10**FEED_DECIMALS, at, {"from": core.gov})
        with reverts_with("FeedAnswerInvalid", 2_000 * 10**FEED_DECIMALS, at):
            core.oracle.spot(UNDERLYING)
        assert core.oracle.state(UNDERLYING) == STALE


def test_a_feed_that_reverts_is_stale_and_nothing_else_breaks(core: Core) -> None:
    core.feed.setBroken(True, {"from": core.gov})
    assert core.oracle.state(UNDERLYING) == STALE
    with reverts_with("FeedBroken"):
        core.oracle.spot(UNDERLYING)


def test_an_old_answer_is_told_not_refused(core: Core) -> None:
    """Incident 12: a price may be old, but reading it never deadlocks."""
    at = core.oracle.spot(UNDERLYING)[1]
    core.warp(core.now + 13 * 86_400)
    assert core.oracle.spot(UNDERLYING)[1] == at
    assert core.oracle.state(UNDERLYING) == STALE


def test_an_unknown_market_is_refused_by_every_read(core: Core) -> None:
    oracle = core.oracle
    for read in (oracle.spot, oracle.state, oracle.poolPrice, oracle.twap, oracle.market):
        with reverts_with("MarketUnknown", OTHER):
            read(OTHER)
    assert oracle.settlementPrice(OTHER, core.expiry(1)) == 0


# ---------------------------------------------------------------- states at their edges


def test_stale_begins_one_second_after_the_age_limit(core: Core) -> None:
    at = core.oracle.spot(UNDERLYING)[1]
    core.warp(at + MAX_AGE_S)
    assert core.oracle.state(UNDERLYING) == FRESH
    core.warp(at + MAX_AGE_S + 1)
    assert core.oracle.state(UNDERLYING) == STALE


def test_deviating_begins_one_unit_beyond_the_limit(core: Core) -> None:
    mean = core.oracle.twap(UNDERLYING)
    for sign in (1, -1):
        # |price - mean| / price <= limit, at the last 8-decimal answer that keeps it.
        edge = mean * WAD // (WAD - sign * MAX_DEVIATION)
        inside = edge // 10**10 + (0 if sign > 0 else 1)
        for answer, state in ((inside, FRESH), (inside + sign, DEVIATING)):
            core.feed.push(answer, core.now, {"from": core.gov})
            assert core.oracle.state(UNDERLYING) == state, (sign, answer)


def test_the_pools_price_of_one_block_does_not_change_the_state(core: Core) -> None:
    core.pool.setPrice(2**96, {"from": core.gov})
    assert core.oracle.state(UNDERLYING) == FRESH


def test_a_pool_without_history_is_never_fresh(core: Core) -> None:
    core.pool.setBroken(True, {"from": core.gov})
    assert core.oracle.state(UNDERLYING) == DEVIATING
    with reverts_with("NoPrice", UNDERLYING):
        core.oracle.twap(UNDERLYING)


@pytest.mark.parametrize("tick", [887_272, -887_272])
def test_a_pool_at_the_end_of_its_range_deviates(core: Core, tick: int) -> None:
    core.pool.setCumulative(0, tick * TWAP_WINDOW_S, {"from": core.gov})
    assert core.oracle.state(UNDERLYING) == DEVIATING


# ---------------------------------------------------------------- the pool's prices


@pytest.mark.parametrize("tick", [-200_000, -198_080, -276_324, -1, 0, 1, 7, 150_000, -330_000])
def test_twap_is_a_power_of_the_tick(core: Core, tick: int) -> None:
    sign = 1 if core.base_first else -1
    core.pool.setCumulative(-(10**12), sign * tick * TWAP_WINDOW_S, {"from": core.gov})
    true = mp.mpf("1.0001") ** tick * mp.mpf(10) ** 30
    found = core.oracle.twap(UNDERLYING)
    assert abs(found - true) <= true * mp.mpf("1e-12") + 1


def test_twap_keeps_the_fraction_of_a_mean_tick(core: Core) -> None:
    sign = 1 if core.base_first else -1
    change = sign * (-198_080 * TWAP_WINDOW_S - 611)
    core.pool.setCumulative(5, change, {"from": core.gov})
    true = mp.mpf("1.0001") ** (mp.mpf(sign * change) / TWAP_WINDOW_S) * mp.mpf(10) ** 30
    assert abs(core.oracle.twap(UNDERLYING) - true) <= true * mp.mpf("1e-12")


@pytest.mark.parametrize("usd", [0.0001, 1.0, 150.0, 2_000.0, 99_999.99, 1e9])
def test_pool_price_is_the_square_of_its_root(core: Core, usd: float) -> None:
    core.set_pool(usd)
    root = mp.mpf(core.pool.slot0()[0]) / 2**96
    raw = root**2 if core.base_first else 1 / root**2
    true = raw * mp.mpf(10) ** 30
    found = core.oracle.poolPrice(UNDERLYING)
    assert abs(found - true) <= true * mp.mpf("1e-12") + 1
    assert found / WAD == pytest.approx(usd, rel=1e-9)


# ---------------------------------------------------------------- registration


def register(core: Core, underlying: int = OTHER, error: str = "", **changes: Any) -> None:
    tokens = {"base": core.weth, "usdc": core.usdc}
    tokens |= {k: changes.pop(k) for k in list(changes) if k in tokens}
    config = market_config(core, **changes)
    args = (underlying, tokens["base"], tokens["usdc"], config)
    if error:
        refused(core.oracle.registerMarket, *args, by=core.gov, error=error)
    else:
        core.oracle.registerMarket(*args, {"from": core.gov})


def test_a_second_market_can_be_registered_once(core: Core) -> None:
    register(core)
    assert core.oracle.market(OTHER) == market_config(core)
    register(core, error="MarketExists")
    register(core, underlying=UNDERLYING, error="MarketExists")
    register(core, underlying=0, error="MarketUnknown")


def test_feed_decimals_other_than_stated_are_refused(core: Core) -> None:
    """Incident 1: the scale is fixed at registration, and checked against a second source."""
    register(core, feedDecimals=18, error="FeedDecimalsUnexpected")
    core.feed.setDecimals(18, {"from": core.gov})
    register(core, error="FeedDecimalsUnexpected")
    register(core, feedDecimals=18, error="FeedDisagreesWithPool")


def test_an_oracle_upgrade_that_changes_decimals_does_not_change_the_price(core: Core) -> None:
    """Incident 1: decimals are never read again."""
    before = core.oracle.spot(UNDERLYING)[0]
    core.feed.setDecimals(18, {"from": core.gov})
    assert core.oracle.spot(UNDERLYING)[0] == before


@pytest.mark.parametrize("decimals", [0, 6, 8, 18])
def test_feeds_of_any_decimals_give_the_same_price(core: Core, decimals: int) -> None:
    feed = core.backend.deploy("MockFeed", decimals, 2_000 * 10**decimals, core.now)
    register(core, feed=feed, feedDecimals=decimals)
    assert core.oracle.spot(OTHER)[0] == 2_000 * WAD


def test_feed_with_more_than_18_decimals_is_refused(core: Core) -> None:
    feed = core.backend.deploy("MockFeed", 19, 2_000 * 10**19, core.now)
    register(core, feed=feed, feedDecimals=19, error="ParameterOutOfRange")


def test_a_pool_in_the_other_order_or_of_other_tokens_is_refused(core: Core) -> None:
    register(core, baseIsToken0=not core.base_first, error="PoolTokensUnexpected")
    register(core, base=core.backend.deploy("MockToken", "X", 18), error="PoolTokensUnexpected")
    register(core, base=core.usdc, usdc=core.weth, error="ParameterOutOfRange")


@pytest.mark.parametrize(
    "changes",
    [
        {"maxAge": 59},
        {"maxAge": 86_401},
        {"twapWindow": 59},
        {"twapWindow": 86_401},
        {"maxDeviation": 10**15 - 1},
        {"maxDeviation": 2 * 10**17 + 1},
    ],
)
def test_parameters_have_hard_ranges(core: Core, changes: dict[str, int]) -> None:
    register(core, error="ParameterOutOfRange", **changes)


def test_registration_needs_both_sources_alive(core: Core) -> None:
    core.feed.setBroken(True, {"from": core.gov})
    register(core, error="FeedBroken")
    core.feed.setBroken(False, {"from": core.gov})
    core.pool.setBroken(True, {"from": core.gov})
    register(core, error="NoPrice")
