"""OptionDesk: premiums against the keeper's Black-76, round trips, every refusal, listing."""

import random
from typing import Any

import pytest

from keeper.pricing import svi
from tests.brownie_fixtures import rolled_back
from tests.contracts import margin_model
from tests.contracts.core_accounts import to_legs, wad
from tests.contracts.core_constants import DESK_PARAMETERS, FOREVER, HOUR, UNDERLYING, WAD
from tests.contracts.core_env import BrownieBackend, Core, deploy_core, refused
from tests.stateful.desk_model import DeskModel

MIN_SPREAD = DESK_PARAMETERS[1] / WAD
MIN_SIZE, CUTOFF_S = DESK_PARAMETERS[17:19]
SURFACE_MAX_AGE_S = 2 * HOUR
STRIKES = (1_600.0, 1_900.0, 2_000.0, 2_100.0, 2_600.0)


@pytest.fixture(scope="module")
def core(project: Any, accounts: Any) -> Core:
    """Ten series listed; the vault with a million, two takers with cash and WETH."""
    core = deploy_core(BrownieBackend(project, accounts))
    core.commit(*(core.slice(0.7 + d / 100, d, carry=0.04, skew=0.25) for d in (1, 7, 14)))
    core.desk.list(listing(core), {"from": core.gov})
    core.fund(core.vault, 1_000_000, 50)
    for who in core.takers[:2]:
        core.fund(who, 100_000, 40)
    core.warp(core.now + HOUR + 60)
    core.set_spot(2_000.0)
    return core


def listing(core: Core) -> list[int]:
    return sorted(core.series(7, strike, call) for strike in STRIKES for call in (True, False))


def premium(core: Core, legs: list[tuple[int, float]]) -> float:
    """What the desk asks for legs of an empty book, by the keeper's Black-76: fresh and aged slice are one here."""
    slices = {}
    for days in (1, 7, 14):
        word, carry, at = map(int, core.surface.sliceOf(UNDERLYING, core.expiry(days)))
        slices[core.expiry(days)] = svi.slice_from_word(word, core.expiry(days), carry / WAD, at)
    spot = core.oracle.spot(UNDERLYING)[0] / WAD
    market = margin_model.Market(core.now, spot, slices, {})
    greeks = [margin_model.greeks(series, market) for series, _ in legs]
    marks = [(wad(g[0]), wad(g[0]), wad(g[3])) for g in greeks]
    change = tuple(
        -sum(wad(size) * wad(g[i]) for (_, size), g in zip(legs, greeks, strict=True))
        for i in (1, 2, 3)
    )
    before = core.base(core.vault) * WAD, 0, 0
    return DeskModel().price(to_legs(legs), marks, (before, change), wad(spot))[1] / WAD


def quote_refused(core: Core, legs: list[tuple], error: str, *values: Any) -> None:
    one = core.takers[0]
    refused(core.desk.trade, to_legs(legs), 10**30, FOREVER, by=one, error=error, values=values)
    from tests.brownie_fixtures import reverts_with

    with reverts_with(error, *values):
        core.desk.quote(to_legs(legs))


# ---------------------------------------------------------------- premiums


@pytest.mark.parametrize("seed", range(6))
def test_the_premium_is_that_of_black_and_the_formulas(core: Core, seed: int) -> None:
    draw = random.Random(seed)
    core.set_spot(draw.uniform(1_500, 2_700))
    names = sorted(draw.sample(listing(core), draw.randint(1, 6)))
    legs = [(s, round(draw.choice((-1, 1)) * draw.uniform(0.01, 30), 4)) for s in names]
    found = core.desk.quote(to_legs(legs)) / WAD
    unit = sum(abs(size) for _, size in legs) * 2_000
    assert found == pytest.approx(premium(core, legs), abs=1e-9 * unit)


def test_a_trade_is_done_at_its_quote(core: Core) -> None:
    one, legs = core.takers[0], to_legs([(s, i - 2) for i, s in enumerate(listing(core)[:2])])
    start = core.cash(one), core.cash(core.vault)
    quoted = core.desk.quote(legs)
    tx = core.desk.trade(legs, quoted + WAD, FOREVER, {"from": one})
    paid = int(tx.events["Traded"]["premium"])
    # The trade's block is a second or two later than the quote's.
    assert paid == pytest.approx(quoted, abs=WAD // 100)
    assert core.cash(one) == start[0] - paid
    assert core.cash(core.vault) == start[1] + paid
    assert core.legs(one) == dict(legs)
    core.check_books(listing(core))


@pytest.mark.parametrize("strike", STRIKES)
@pytest.mark.parametrize("call", [True, False])
def test_a_round_trip_never_profits(core: Core, strike: float, call: bool) -> None:
    """I-09, at the same second."""
    series = core.series(7, strike, call)
    for size in (0.01, 1.23456789, 700):
        buy, sell = (core.desk.quote(to_legs([(series, sign * size)])) for sign in (1, -1))
        assert buy + sell >= 2 * 0.99 * min(MIN_SPREAD * size * WAD, buy / 2)
        assert buy > 0


def test_splitting_a_trade_never_pays(core: Core) -> None:
    series = listing(core)[3]
    for sign in (1, -1):
        whole = core.desk.quote([(series, sign * 3 * WAD)])
        parts = 0
        with rolled_back():
            for _ in range(3):
                parts += core.desk.quote([(series, sign * WAD)])
                core.desk.trade([(series, sign * WAD)], 10**30, FOREVER, {"from": core.takers[0]})
        assert parts >= whole


def test_a_loop_of_trades_never_profits(core: Core) -> None:
    """I-09 with real trades: in and out of a book in another order and in other portions."""
    one, draw = core.takers[0], random.Random(5)
    names = listing(core)[2:6]
    start = core.cash(one)
    for sign in (1, -1):
        portions = [(s, sign * wad(x)) for s in names for x in (0.3, 0.7)]
        draw.shuffle(portions)
        for leg in portions:
            core.desk.trade([leg], 10**30, FOREVER, {"from": one})
    assert core.legs(one) == {}
    assert core.cash(one) < start
    core.check_books(names)


def test_the_desk_pays_nothing_for_what_its_spread_is_worth_more_than(core: Core) -> None:
    core.set_spot(1_000.0)
    far = core.series(7, 2_600)
    assert core.desk.quote([(far, -100 * WAD)]) >= 0
    assert core.desk.quote([(far, WAD)]) >= MIN_SPREAD * WAD


# ---------------------------------------------------------------- refusals


def test_no_legs(core: Core) -> None:
    quote_refused(core, [], "NoLegs")


def test_legs_ascend_and_each_comes_once(core: Core) -> None:
    a, b = listing(core)[:2]
    quote_refused(core, [(b, 1), (a, 1)], "LegsUnsorted", b, a)
    quote_refused(core, [(a, 1), (a, -1)], "LegsUnsorted", a, a)


def test_a_series_that_is_not_listed(core: Core) -> None:
    for series in (core.series(7, 1_950), core.series(14, 2_000), 0):
        error = "SeriesNotListed" if series else "MarketUnknown"
        quote_refused(core, [(series, 1)], error)


def test_a_size_below_the_minimum(core: Core) -> None:
    series = listing(core)[0]
    for size in (MIN_SIZE - 1, 1, 0):
        refused(
            core.desk.trade, [(series, -size)], 10**30, FOREVER, by=core.takers[0],
            error="SizeBelowMinimum", values=(series, size, MIN_SIZE),
        )  # fmt: skip
    core.desk.quote([(series, MIN_SIZE)])


@pytest.mark.parametrize("size", [2**126, -(2**127)])
def test_an_absurd_size_gets_an_error_of_its_own(core: Core, size: int) -> None:
    one = core.takers[0]
    with pytest.raises(Exception, match="SizeTooLarge"):
        core.desk.trade.call([(listing(core)[0], size)], 2**255 - 1, FOREVER, {"from": one})


def test_nothing_opens_after_the_cutoff(core: Core) -> None:
    series, cutoff = listing(core)[0], core.expiry(7) - CUTOFF_S
    core.warp(cutoff - 60)
    core.set_spot(2_000.0)
    core.commit(core.slice(0.8, 14))
    core.commit(core.slice(0.8, 7))
    core.warp(cutoff)
    quote_refused(core, [(series, 1)], "PastCutoff")


def test_a_stale_or_deviating_oracle(core: Core) -> None:
    series = listing(core)[0]
    core.set_spot(2_000.0, pool_usd=2_100.0)
    quote_refused(core, [(series, 1)], "ActionNotAllowed")
    core.warp(core.now + 3_601)
    quote_refused(core, [(series, 1)], "ActionNotAllowed")


def test_a_surface_that_is_too_old(core: Core) -> None:
    series = listing(core)[0]
    at = core.surface.lastCommit(UNDERLYING)
    core.warp(at + SURFACE_MAX_AGE_S - 60)
    core.set_spot(2_000.0)
    core.warp(at + SURFACE_MAX_AGE_S)
    core.desk.quote([(series, WAD)])
    core.warp(at + SURFACE_MAX_AGE_S + 60)
    quote_refused(core, [(series, 1)], "SurfaceUnfit", UNDERLYING, core.expiry(7))


def test_a_slice_left_out_of_the_last_commits_is_too_old(core: Core) -> None:
    """Near its expiry a commit may leave one out, and then does not refresh it."""
    series = listing(core)[0]
    core.warp(core.expiry(7) - CUTOFF_S - SURFACE_MAX_AGE_S - 120)
    core.commit(core.slice(0.8, 14))
    core.warp(core.expiry(7) - CUTOFF_S - 60)
    core.set_spot(2_000.0)
    by = {"from": core.committer}
    core.surface.commit(UNDERLYING, 2_000 * WAD, [core.slice(0.8, 14)], by)
    quote_refused(core, [(series, 1)], "SurfaceUnfit")


def test_a_deadline_and_a_limit(core: Core) -> None:
    one, legs = core.takers[0], [(listing(core)[0], WAD)]
    now = core.now
    refused(
        core.desk.trade, legs, 10**30, now - 1,
        by=one, error="DeadlinePassed", values=(now - 1, now),
    )  # fmt: skip
    quoted = core.desk.quote(legs)
    core.desk.trade.call(legs, quoted, now, {"from": one})
    refused(core.desk.trade, legs, quoted - 1, now, by=one, error="PremiumAboveLimit")


def test_a_seller_states_the_least_he_takes(core: Core) -> None:
    one, legs = core.takers[0], [(core.series(7, 2_000), -WAD)]
    quoted = core.desk.quote(legs)
    assert quoted < 0
    refused(core.desk.trade, legs, quoted - 1, core.now, by=one, error="PremiumAboveLimit")


def test_the_vault_cannot_trade_with_itself(core: Core) -> None:
    legs = [(listing(core)[0], WAD)]
    refused(core.desk.trade, legs, 10**30, FOREVER, by=core.vault, error="SelfTrade")


def test_a_taker_pays_and_covers(core: Core) -> None:
    poor = core.takers[4]
    legs = [(core.series(7, 2_000), WAD)]
    refused(core.desk.trade, legs, 10**30, FOREVER, by=poor, error="CashShort")
    legs = [(core.series(7, 2_000), -WAD)]
    refused(core.desk.trade, legs, 10**30, FOREVER, by=poor, error="BelowInitialMargin")
