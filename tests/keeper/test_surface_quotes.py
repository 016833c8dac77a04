"""Which quotes a smile is fitted to: every way of being dropped, counted under its own name."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import norm

from keeper.errors import DataError
from keeper.pricing import option_chain as oc
from keeper.pricing.black76 import price
from keeper.pricing.option_chain import QuoteRules
from keeper.pricing.quote_choice import choose_quotes
from keeper.pricing.surface_fit import fit_surface
from keeper.pricing.svi import implied_vol
from tests.keeper.surface_world import (
    DAYS,
    HALF_WIDTH,
    NOW_S,
    TRUTH,
    changed,
    make_chain,
    with_rows,
    years,
)

CHAIN = make_chain()
COUNT = 15
MIDDLE = 7  # at the forward, in the first slice


def drops(chain, **rules) -> dict[str, int]:
    found = choose_quotes(chain, QuoteRules(**rules)).dropped
    assert list(found) == list(oc.REASONS)
    return {reason: count for reason, count in found.items() if count}


def test_a_clean_chain_is_used_whole():
    quotes = choose_quotes(CHAIN)
    assert not any(quotes.dropped.values())
    assert quotes.row.shape == (len(DAYS), COUNT)
    assert quotes.quoted.all()
    for one, k, mid, width in zip(TRUTH, quotes.k, quotes.mid_vol, quotes.half_width, strict=True):
        np.testing.assert_allclose(mid, implied_vol(one, k), rtol=1e-9)
        np.testing.assert_allclose(width, HALF_WIDTH, rtol=1e-9)
    np.testing.assert_array_equal(quotes.expiry_s, [s.expiry_s for s in TRUTH])


@pytest.mark.parametrize(
    ("reason", "values"),
    [
        (oc.MALFORMED, {"strike_usd": np.nan}),
        (oc.MALFORMED, {"strike_usd": -1.0}),
        (oc.MALFORMED, {"forward_usd": np.nan}),
        (oc.MALFORMED, {"forward_usd": 0.0}),
        (oc.MALFORMED, {"bid_usd": -1.0}),
        (oc.MALFORMED, {"ask_usd": np.inf}),
        (oc.MALFORMED, {"expiry_s": -5}),
        (oc.EXPIRED, {"expiry_s": NOW_S}),
        (oc.EXPIRED, {"expiry_s": NOW_S + 1800}),
        (oc.OFF_FORWARD, {"forward_usd": 2_900.0}),
        (oc.ONE_SIDED, {"bid_usd": np.nan}),
        (oc.ONE_SIDED, {"ask_usd": np.nan}),
        (oc.ONE_SIDED, {"bid_usd": 0.0}),
        (oc.CROSSED, {"bid_usd": 500.0, "ask_usd": 400.0}),
        (oc.STALE, {"quoted_at_s": NOW_S - 601}),
        (oc.IN_THE_MONEY, {"is_call": False, "strike_usd": 3_400.0}),
        (oc.NO_VOLATILITY, {"bid_usd": 1.0, "ask_usd": 1e6}),
        (oc.FAR, {"strike_usd": 3_400.0, "bid_usd": 0.1, "ask_usd": 0.12}),
        (oc.WIDE, {"bid_usd": 1.0}),
    ],
)
def test_each_fault_drops_its_quote_and_no_other(reason, values):
    assert drops(changed(CHAIN, MIDDLE, **values)) == {reason: 1}


def test_unknown_age_is_not_stale():
    assert drops(changed(CHAIN, 0, quoted_at_s=np.nan)) == {}


def test_of_duplicates_the_newest_stays_and_of_equals_the_tightest():
    twice = with_rows(CHAIN, np.r_[np.arange(len(CHAIN)), 3, 3])
    tightest = (float(CHAIN.bid_usd[3]) + float(CHAIN.ask_usd[3])) / 2
    older = changed(twice, 3, quoted_at_s=NOW_S - 60, bid_usd=tightest, ask_usd=tightest)
    wider = changed(older, len(CHAIN), ask_usd=float(CHAIN.ask_usd[3]) * 1.01)
    quotes = choose_quotes(wider)
    assert quotes.dropped[oc.DUPLICATED] == 2
    assert quotes.row[0, 3] == len(CHAIN) + 1


def test_a_call_and_a_put_of_one_strike_are_two_series():
    other = changed(with_rows(CHAIN, np.r_[np.arange(len(CHAIN)), 3]), len(CHAIN), is_call=True)
    assert drops(other) == {oc.IN_THE_MONEY: 1}


def test_an_expiry_with_four_quotes_is_left_out():
    fewer = with_rows(CHAIN, np.r_[np.arange(4), np.arange(COUNT, len(CHAIN))])
    quotes = choose_quotes(fewer)
    assert quotes.dropped[oc.SPARSE] == 4
    assert len(quotes.expiry_s) == len(DAYS) - 1
    assert drops(with_rows(CHAIN, np.r_[np.arange(5), np.arange(COUNT, len(CHAIN))])) == {}


def test_the_width_rule_at_its_edges():
    """Three points at least, three medians, never more than 25 points."""
    vol, one = float(implied_vol(TRUTH[0], 0.0)), choose_quotes(CHAIN)
    assert one.half_width[0, MIDDLE] == pytest.approx(HALF_WIDTH)

    def widened(chain, by: float):
        mids = choose_quotes(chain).mid_vol[0, MIDDLE]
        f, k, tau = chain.forward_usd[MIDDLE], chain.strike_usd[MIDDLE], years(TRUTH[0])
        bid, ask = (price(True, f, k, v, tau) for v in (mids - by, mids + by))
        return changed(chain, MIDDLE, bid_usd=float(bid), ask_usd=float(ask))

    assert vol > 0.3
    assert drops(widened(CHAIN, 0.0299)) == {}
    assert drops(widened(CHAIN, 0.0301)) == {oc.WIDE: 1}
    coarse = make_chain(half_width=0.02)
    assert drops(widened(coarse, 0.0599)) == {}
    assert drops(widened(coarse, 0.0601)) == {oc.WIDE: 1}
    coarser = make_chain(half_width=0.1)
    assert drops(widened(coarser, 0.2499)) == {}
    assert drops(widened(coarser, 0.2501)) == {oc.WIDE: 1}


def test_delta_is_bounded_on_both_sides():
    wide = make_chain(count=21, half_width=0.001)
    all_of_them = choose_quotes(wide, QuoteRules(least_delta=0.0, most_delta=1.0))
    k, vol = all_of_them.k, all_of_them.mid_vol
    assert all_of_them.dropped[oc.FAR] == 0
    tight = choose_quotes(wide, QuoteRules(least_delta=0.2))
    assert tight.dropped[oc.FAR] > 0
    kept = np.isin(all_of_them.row, tight.row[tight.quoted])
    s = vol * np.sqrt(all_of_them.tau_years)[:, None]
    delta = norm.cdf(s / 2 - k / s)
    np.testing.assert_array_equal(kept, np.where(k >= 0, delta, 1 - delta) >= 0.2)


def test_nothing_usable_says_why():
    with pytest.raises(
        DataError, match=r"no expiry has 5 usable quotes \(75 options, of which 75 stale"
    ):
        choose_quotes(replace(CHAIN, quoted_at_s=np.full(75, NOW_S - 3600.0)))
    with pytest.raises(DataError, match="75 malformed"):
        choose_quotes(replace(CHAIN, strike_usd=np.full(75, np.nan)))


@pytest.mark.parametrize(
    "values",
    [
        {"spot_usd": 0.0},
        {"spot_usd": np.nan},
        {"bid_usd": np.zeros(3)},
        {"is_call": np.zeros(75)},
        {"expiry_s": np.zeros(75)},
    ],
)
def test_a_chain_that_is_none_is_refused(values):
    with pytest.raises(DataError):
        replace(CHAIN, **values)


def test_an_empty_chain_is_refused():
    with pytest.raises(DataError, match="no option"):
        with_rows(CHAIN, np.arange(0))


@pytest.mark.parametrize(
    "values", [{"least_delta": 0.9, "most_delta": 0.5}, {"wide_factor": np.nan}]
)
def test_rules_out_of_range_are_refused(values):
    with pytest.raises(DataError):
        QuoteRules(**values)


@settings(max_examples=100)
@given(seed=st.integers(0, 10**6), share=st.floats(0.0, 0.9))
def test_rubbish_rows_never_crash_and_every_row_is_accounted_for(seed, share):
    """Random rows overwritten with rubbish of every kind: the fit works or says that nothing is left."""
    dice = np.random.default_rng(seed)
    rubbish = (np.nan, np.inf, -1.0, 0.0, 1e-300, 1e300, 1.0, 3_000.0)
    chain = CHAIN
    for name in ("strike_usd", "forward_usd", "bid_usd", "ask_usd", "quoted_at_s"):
        column = getattr(chain, name).copy()
        hit = dice.random(column.size) < share / 3
        column[hit] = dice.choice(rubbish, hit.sum())
        chain = replace(chain, **{name: column})
    try:
        surface = fit_surface(chain)
    except DataError:
        return
    quotes = surface.quotes
    assert quotes.quoted.sum() + sum(quotes.dropped.values()) == len(chain)
    assert np.isfinite(surface.vols()).all()
    assert len(surface.violations()) == 0
