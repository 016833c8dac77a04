"""A liquidity position: the pool's own amounts, limits, slopes, convexity, simulation, loss, hedge, bad input."""

from __future__ import annotations

import math

import mpmath
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from keeper.errors import PricingError
from keeper.portfolio.positions import Instrument
from keeper.pricing import black76
from keeper.pricing.range_position import RangePosition

PLAIN = RangePosition(liquidity=1_000.0, low_usd=1_600.0, high_usd=2_500.0, entry_usd=2_000.0)

positions = st.builds(
    lambda liquidity, low, width, where: RangePosition(
        liquidity, low, low * width, low * width**where
    ),
    st.floats(0.1, 1e6),
    st.floats(1.0, 1e5),
    st.floats(1.01, 20.0),
    st.floats(-0.5, 1.5),
)
moves = st.floats(-2.0, 2.0)


def test_the_white_papers_amounts_by_40_digits():
    """Section 6.2: token amounts at prices below, inside and above the range."""
    with mpmath.workdps(40):
        low, high = mpmath.sqrt(1_600), mpmath.sqrt(2_500)
        for price in (900.0, 1_600.0, 1_933.7, 2_499.9, 2_500.0, 9_000.0):
            root = mpmath.sqrt(min(max(price, 1_600), 2_500))
            found = PLAIN.profile(price)
            assert float(found.base) == pytest.approx(
                float(1_000 * (1 / root - 1 / high)), abs=1e-13
            )
            assert float(found.quote) == pytest.approx(float(1_000 * (root - low)), abs=1e-10)


def test_limits():
    """One asset outside the range; a range without end is the constant-product pool: 2 L sqrt(P)."""
    below, above = PLAIN.profile(1_000.0), PLAIN.profile(3_000.0)
    assert (float(below.quote), float(above.base)) == (0.0, 0.0)
    assert float(below.gamma) == float(above.gamma) == 0.0
    assert float(below.value) == pytest.approx(1_000.0 * 1_000.0 * (1 / 40 - 1 / 50), rel=1e-13)
    assert float(above.value) == pytest.approx(1_000.0 * (50 - 40), rel=1e-13)
    full = RangePosition(7.0, 1e-12, 1e12, 100.0)
    price = np.array([25.0, 100.0, 900.0])
    assert full.profile(price).value == pytest.approx(14.0 * np.sqrt(price), rel=3e-5)
    assert full.profile(price).loss == pytest.approx(
        7.0 * (np.sqrt(price) - 10.0) ** 2 / 10.0, rel=1e-9
    )


def test_the_pools_integers():
    """Both token orders give one position; ticks as the USDC/WETH pools have them."""
    tick = round(math.log(2_000e-12) / math.log(1.0001))
    liquidity, fees = 5 * 10**15, (3 * 10**17, 250 * 10**6)
    forward = RangePosition.of_ticks(
        liquidity, (tick - 600, tick + 600), 2_000.0, base_is_token0=True, fees_owed=fees
    )
    turned = RangePosition.of_ticks(
        liquidity, (-tick - 600, -tick + 600), 2_000.0, base_is_token0=False, fees_owed=fees
    )
    assert forward.low_usd == pytest.approx(2_000.0 * 1.0001**-600, rel=1e-4)
    assert (forward.liquidity, forward.fees_base_eth, forward.fees_quote_usd) == (
        5_000.0,
        0.3,
        250.0,
    )
    for name in ("value", "delta", "gamma", "impermanent_loss"):
        one, other = getattr(forward, name)(1_950.0), getattr(turned, name)(1_950.0)
        assert one == pytest.approx(other, rel=1e-9)


def test_fees_are_owned():
    rich = RangePosition(1_000.0, 1_600.0, 2_500.0, 2_000.0, fees_base_eth=0.5, fees_quote_usd=40.0)
    for price in (1_000.0, 2_000.0, 3_000.0):
        assert rich.value(price) == pytest.approx(
            PLAIN.value(price) + 0.5 * price + 40.0, rel=1e-14
        )
        assert rich.delta(price) == pytest.approx(PLAIN.delta(price) + 0.5, rel=1e-14)
        assert rich.gamma(price) == PLAIN.gamma(price)
        assert rich.impermanent_loss(price) == PLAIN.impermanent_loss(price)


@given(positions, moves)
def test_delta_and_gamma_are_slopes(position, move):
    price = position.entry_usd * math.exp(move)
    h = price * 1e-4
    if any(abs(price - end) < 2 * h for end in (position.low_usd, position.high_usd)):
        return
    slope = (position.value(price + h) - position.value(price - h)) / (2 * h)
    bend = (position.delta(price + h) - position.delta(price - h)) / (2 * h)
    unit = position.liquidity / math.sqrt(price)
    assert slope == pytest.approx(position.delta(price), abs=1e-6 * unit)
    assert bend == pytest.approx(position.gamma(price), abs=1e-6 * unit / price)


@given(positions, moves, moves)
def test_it_never_beats_holding_and_is_concave(position, one, other):
    p, q = (position.entry_usd * math.exp(m) for m in (one, other))
    mixed = (p + q) / 2
    size = position.liquidity * math.sqrt(max(p, q))
    assert position.value(mixed) >= (position.value(p) + position.value(q)) / 2 - 1e-12 * size
    assert position.gamma(p) <= 0.0
    assert position.impermanent_loss(p) >= 0.0
    at_entry = position.profile(position.entry_usd)
    held = float(at_entry.base) * p + float(at_entry.quote)
    assert position.impermanent_loss(p) == pytest.approx(held - position.value(p), abs=1e-11 * size)


@given(positions)
def test_the_loss_keeps_its_digits_near_the_entry(position):
    """Relative 1e-9 at a move of 1e-6, where the loss is 1e-13 of the value."""
    price = position.entry_usd * (1 + 1e-6)
    with mpmath.workdps(40):
        low, high, entry, p = map(
            mpmath.mpf, (position.low_usd, position.high_usd, position.entry_usd, price)
        )
        e, r = (mpmath.sqrt(min(max(v, low), high)) for v in (entry, p))
        exact = position.liquidity * ((1 / e - 1 / r) * p + (e - r))
    assert position.impermanent_loss(price) == pytest.approx(float(exact), rel=1e-8, abs=1e-300)


def test_simulated_rebalancing_by_the_pool():
    """A pool trades along its curve: the sum of base sold at each small step's own price is the value's change."""
    path = 2_000.0 * np.exp(np.cumsum(np.random.default_rng(2).normal(0.0, 1e-3, 20_000)))
    assert path.min() < 1_600.0 or path.max() > 2_500.0 or path.std() > 50.0
    found = PLAIN.profile(path)
    middle = np.sqrt(path[1:] * path[:-1])
    cash = -np.diff(found.base) * middle
    inside = (path >= 1_600.0) & (path < 2_500.0)
    both = inside[1:] & inside[:-1]
    assert np.diff(found.quote)[both] == pytest.approx(cash[both], rel=1e-9, abs=1e-9)


def test_short_gamma_is_hedged_by_options():
    """One liquidity position and long straddles of the opposite gamma: the sum hardly moves with the price."""
    calls, spot = np.array([True, False]), 2_000.0
    g = black76.greeks(calls, spot, spot, 0.7, 30 / 365)
    size = -PLAIN.gamma(spot) / g.gamma.sum()
    base = PLAIN.delta(spot) + size * g.delta.sum()

    def hedged(price):
        options = black76.price(calls, price, 2_000.0, 0.7, 30 / 365).sum()
        return PLAIN.value(price) + size * options - base * price

    for move in (-0.03, 0.03):
        bare = PLAIN.value(spot * (1 + move)) - PLAIN.value(spot) - PLAIN.delta(spot) * spot * move
        left = hedged(spot * (1 + move)) - hedged(spot)
        assert abs(left) < 0.05 * abs(bare)


@given(positions, st.integers(3, 40), st.floats(1.0, 1.5))
def test_static_hedge_pays_the_loss(position, count, margin):
    low = min(position.low_usd, position.entry_usd) / margin
    high = max(position.high_usd, position.entry_usd) * margin
    strikes = np.linspace(low, high, count)
    strikes[0], strikes[-1] = low, high
    hedge = position.static_hedge(strikes)
    size = position.liquidity * math.sqrt(high)
    assert np.all(hedge.size >= -1e-9 * position.liquidity / math.sqrt(low))
    at_strikes = np.concatenate((strikes, [low / 3, high * 3]))
    loss = position.profile(at_strikes).loss
    assert hedge.payoff(at_strikes) == pytest.approx(loss, abs=1e-10 * size)
    between = np.linspace(low, high, 997)
    spare = hedge.payoff(between) - position.profile(between).loss
    gamma = position.liquidity / (2 * position.low_usd**1.5)
    assert spare.min() >= -1e-10 * size
    assert spare.max() <= gamma * np.diff(strikes).max() ** 2 / 8 + 1e-10 * size


def test_it_is_an_instrument_of_the_portfolio():
    instrument: Instrument = RangePosition.of_deposit(10_000.0, 1_600.0, 2_500.0, 2_000.0)
    assert instrument.value(2_000.0) == pytest.approx(10_000.0, rel=1e-14)
    assert 0.0 < instrument.delta(2_000.0) < 5.0
    assert instrument.gamma(2_000.0) < 0.0


@pytest.mark.parametrize(
    ("changes", "match"),
    [
        ({"liquidity": 0.0}, "liquidity"),
        ({"liquidity": math.inf}, "liquidity"),
        ({"liquidity": math.nan}, "liquidity"),
        ({"low_usd": 0.0}, "low_usd"),
        ({"low_usd": 2_500.0}, "empty"),
        ({"high_usd": math.nan}, "high_usd"),
        ({"entry_usd": -1.0}, "entry_usd"),
        ({"fees_base_eth": -1e-9}, "fees_base_eth"),
        ({"fees_quote_usd": math.nan}, "fees_quote_usd"),
    ],
)
def test_bad_positions_are_named(changes, match):
    good = {"liquidity": 1.0, "low_usd": 1_600.0, "high_usd": 2_500.0, "entry_usd": 2_000.0}
    with pytest.raises(PricingError, match=match):
        RangePosition(**{**good, **changes})


@pytest.mark.parametrize("price", [0.0, -1.0, math.nan, math.inf])
def test_bad_prices_are_named(price):
    with pytest.raises(PricingError, match="spot_usd"):
        PLAIN.value(price)


@pytest.mark.parametrize(
    "strikes",
    [[2_000.0], [2_500.0, 1_600.0], [1_700.0, 2_600.0], [1_500.0, 2_400.0], [math.nan, 1.0]],
)
def test_bad_strikes_are_refused(strikes):
    with pytest.raises(PricingError, match="strikes"):
        PLAIN.static_hedge(strikes)


def test_bad_ticks_and_deposits_are_refused():
    with pytest.raises(PricingError, match="ticks"):
        RangePosition.of_ticks(1, (10, 10), 2_000.0, base_is_token0=True)
    with pytest.raises(PricingError, match="deposit"):
        RangePosition.of_deposit(math.nan, 1_600.0, 2_500.0, 2_000.0)
