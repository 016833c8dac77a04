"""Stress grid, revaluation and Greeks by expiry, against plain sums and their own derivatives."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from keeper.errors import PricingError
from keeper.portfolio.book import Market, value_book
from keeper.portfolio.exposures import SPOT, Exposure, add, by_expiry, by_underlying
from keeper.portfolio.positions import Holdings, Portfolio, VenuePosition, portfolio_of
from keeper.portfolio.revalue import TenorScale, scenario_values
from keeper.portfolio.stress_grid import StressParameters, scenario_margin, stress_grid
from keeper.pricing import black76, svi
from keeper.pricing.range_position import RangePosition
from tests.keeper.keeper_builders import FAR_S, NEAR_S, NOW_S, leg, snapshot, svi_slice

LEGS = (leg(200.0, -10.0), leg(170.0, -8.0, is_call=False), leg(210.0, 4.0, expiry_s=NEAR_S))
SLICES = {NEAR_S: svi_slice(NEAR_S, 1.1, carry=0.3), FAR_S: svi_slice(FAR_S, 0.9, carry=-0.2)}


class Lump:
    """An instrument with a value that can be checked by hand: spot squared over 100."""

    def value(self, spot_usd):
        return spot_usd * spot_usd / 100.0

    def delta(self, spot_usd):
        return spot_usd / 50.0

    def gamma(self, spot_usd):
        return 1.0 / 50.0


def holding(legs=LEGS, spot=190.0, now_s=NOW_S, settled=None, **more):
    return Holdings(Market(now_s, spot, SLICES, settled or {}), legs, **more)


def plain_value(held, move, vol_move):
    """One scenario, leg by leg."""
    market, total = held.market, held.base_eth * held.market.spot_usd * (1 + move)
    for option in held.legs:
        tau_s = option.expiry_s - market.timestamp_s
        slice_ = market.slices[option.expiry_s]
        forward = market.spot_usd * math.exp(slice_.carry * tau_s / 31_536_000)
        vol = float(svi.implied_vol(slice_, math.log(option.strike_usd / forward)))
        scaled = vol_move * math.sqrt(30 * 86_400 / max(tau_s, 7 * 86_400))
        vol = min(vol * (1 + max(scaled, -0.9)), 10.0)
        args = (option.is_call, forward * (1 + move), option.strike_usd, vol, tau_s / 31_536_000)
        total += option.size * float(black76.price(*args))
    return total


legs_strategy = st.lists(
    st.tuples(
        st.floats(100.0, 300.0),
        st.floats(-20.0, 20.0),
        st.booleans(),
        st.sampled_from([NEAR_S, FAR_S]),
    ),
    min_size=1,
    max_size=6,
)


def as_legs(rows):
    return tuple(leg(round(k, 8), s, is_call=c, expiry_s=e) for k, s, c, e in rows)


@given(legs_strategy, st.floats(-9.0, 9.0), st.floats(-0.9, 2.0), st.floats(-0.9, 3.0))
def test_a_scenario_is_the_plain_sum(rows, base, move, vol_move):
    held = holding(as_legs(rows), base_eth=base)
    found = scenario_values(held, [0.0, move], [0.0, vol_move])
    for value, (m, v) in zip(found, ((0.0, 0.0), (move, vol_move)), strict=True):
        assert value == pytest.approx(plain_value(held, m, v), rel=1e-11, abs=1e-9)


def test_many_scenarios_in_blocks_are_the_same_as_one_by_one():
    held = holding(LEGS * 30)
    moves = np.linspace(-0.5, 0.5, 6_001)
    many = scenario_values(held, moves, moves * 0.3)
    for row in (0, 2_912, 2_913, 6_000):
        one = scenario_values(held, moves[row : row + 1], moves[row : row + 1] * 0.3)
        assert many[row] == pytest.approx(one[0], rel=1e-13)


@given(legs_strategy)
def test_greeks_are_the_derivatives_of_the_revaluation(rows):
    """Flat volatility scaling at 30 days is undone by the tenor scale, so a factor is d ln vol for every leg."""
    held = holding(as_legs(rows), instruments=(Lump(),), base_eth=3.0)
    flat = TenorScale(reference_s=1e9, shortest_s=1e9)
    g = by_underlying(Portfolio(0.0, {1: held}))[1]
    h = 1e-4
    up, down, same = scenario_values(held, [h, -h, 0.0], [0.0] * 3)
    assert (up - down) / (2 * h * 190) == pytest.approx(g.delta_eth, abs=2e-5)
    assert (up - 2 * same + down) / (190 * h) ** 2 == pytest.approx(g.gamma_eth_per_usd, abs=1e-4)
    per_leg = [
        (held_one, by_underlying(Portfolio(0.0, {1: held_one}))[1])
        for held_one in (holding((x,)) for x in held.legs)
    ]
    for one, greek in per_leg:
        vol = one_vol(one)
        v_up, v_down, v_same = scenario_values(one, [0.0] * 3, [h, -h, 0.0], scale=flat)
        size = 1.0 + abs(one.legs[0].size)
        assert (v_up - v_down) / (2 * h * vol) == pytest.approx(greek.vega_usd, abs=1e-4 * size)
        second = (v_up - 2 * v_same + v_down) / (h * vol) ** 2
        assert second == pytest.approx(greek.volga_usd, abs=2e-3 * size)
        corners = scenario_values(one, [h, h, -h, -h], [h, -h, h, -h], scale=flat)
        cross = (corners[0] - corners[1] - corners[2] + corners[3]) / (4 * h * h * 190 * vol)
        assert cross == pytest.approx(greek.vanna_eth, abs=1e-3 * size)


def one_vol(held):
    option, market = held.legs[0], held.market
    s = market.slices[option.expiry_s]
    tau = (option.expiry_s - market.timestamp_s) / 31_536_000
    return float(svi.implied_vol(s, math.log(option.strike_usd / market.spot_usd) - s.carry * tau))


def test_buckets_add_up_to_the_book():
    snap = snapshot(legs=LEGS, slices=tuple(SLICES.values()))
    portfolio = portfolio_of(snap, (Lump(),))
    cells, book = by_expiry(portfolio), value_book(snap)
    assert set(cells) == {(1, SPOT), (1, NEAR_S), (1, FAR_S)}
    whole = by_underlying(portfolio)[1]
    assert whole == add(cells.values())
    assert whole.gamma_eth_per_usd == pytest.approx(book.gamma_eth_per_usd + 0.02)
    assert whole.delta_eth == pytest.approx(book.delta_eth + 3.8)
    assert whole.vega_usd == pytest.approx(book.vega_usd)
    assert whole.theta_usd_per_year == pytest.approx(book.theta_usd_per_year)
    option_value = cells[1, NEAR_S].value_usd + cells[1, FAR_S].value_usd
    assert option_value == pytest.approx(book.option_value_usd)
    assert by_expiry(Portfolio()) == {}
    assert add([]) == Exposure()


def test_the_grid_has_23_scenarios_of_the_contracts_shape():
    spot, vol, weight = StressParameters(tail_moves=(-0.5, 0.5)).scenarios()
    assert spot.size == vol.size == weight.size == 23
    assert spot[0] == pytest.approx(-0.2)
    assert spot[20] == pytest.approx(0.2)
    assert sorted(set(np.round(spot[:21], 12))) == pytest.approx(
        [m * 0.2 / 3 for m in range(-3, 4)]
    )
    assert list(vol[:3]) == [0.0, 0.45, -0.3]
    assert list(weight[:21]) == [1.0] * 21
    assert list(weight[21:]) == [0.35] * 2


@given(legs_strategy, st.floats(-30.0, 30.0))
def test_margin_is_the_plain_worst_loss(rows, base):
    held = holding(as_legs(rows), base_eth=base)
    p = StressParameters(short_floor=0.02)
    grid = stress_grid(held, p)
    now = plain_value(held, 0.0, 0.0)
    losses = [w * (now - plain_value(held, s, v)) for s, v, w in zip(*p.scenarios(), strict=True)]
    short = sum(max(-x.size, 0.0) for x in held.legs)
    assert grid.worst_loss_usd == pytest.approx(max(0.0, *losses), rel=1e-9, abs=1e-7)
    floor, contingency = 0.02 * short * 190.0, 0.01 * short * 190.0
    haircut = 0.05 * max(base, 0.0) * 190.0
    expected = max(0.0, floor, *losses) + contingency + haircut
    assert grid.initial_usd == pytest.approx(expected, rel=1e-9, abs=1e-7)


@given(st.floats(0.1, 20.0), st.floats(1.0, 5.0))
def test_margin_grows_with_the_book_and_not_with_a_long_option(size, times):
    one = stress_grid(holding((leg(200.0, -size),)), StressParameters())
    more = stress_grid(holding((leg(200.0, -size * times),)), StressParameters())
    assert more.initial_usd == pytest.approx(times * one.initial_usd, rel=1e-9)
    hedged = stress_grid(holding((leg(200.0, -size),), base_eth=size / 3), StressParameters())
    assert hedged.worst_loss_usd < one.worst_loss_usd
    long_only = stress_grid(holding((leg(200.0, size),)), StressParameters())
    value = scenario_values(holding((leg(200.0, size),)), [0.0], [0.0])[0]
    assert long_only.initial_usd <= value


def test_underlyings_add_without_credit():
    other = replace(holding(tuple(replace(x, underlying=2) for x in LEGS)), instruments=(Lump(),))
    apart = [scenario_margin(Portfolio(5_000.0, {u: h})) for u, h in ((1, holding()), (2, other))]
    both = scenario_margin(Portfolio(10_000.0, {1: holding(), 2: other}))
    assert both.initial_usd == pytest.approx(sum(m.initial_usd for m in apart))
    assert both.equity_usd == pytest.approx(sum(m.equity_usd for m in apart))
    assert both.maintenance_usd == pytest.approx(0.75 * both.initial_usd)
    assert both.utilisation == pytest.approx(both.initial_usd / both.equity_usd)
    assert scenario_margin(Portfolio(-1.0, {1: holding()})).utilisation == math.inf
    assert scenario_margin(Portfolio()).utilisation == 0.0


def test_a_venue_is_liquidated_inside_the_scenario():
    """A short at health 1.1 dies above +10 %, a long on credit below -9.1 %; the penalty is on the base repaid."""
    short = holding((), venues=(VenuePosition(-10.0, 3_000.0, 1.1, penalty=0.1),))
    at = scenario_values(short, [0.0, 0.09, 0.11], [0.0] * 3)
    assert list(at) == pytest.approx([3_000 - 1_900, 3_000 - 2_071, 3_000 - 2_109 - 0.1 * 2_109])
    long_ = holding((), venues=(VenuePosition(10.0, -1_000.0, 1.1, penalty=0.1),))
    at = scenario_values(long_, [-0.05, -0.1], [0.0] * 2)
    assert list(at) == pytest.approx([805.0, 710.0 - 171.0])
    assert scenario_values(holding((), base_eth=2.0), [0.5], [0.0])[0] == pytest.approx(570.0)


def test_a_liquidity_position_is_hedged_by_the_same_book():
    """A straddle of the opposite gamma leaves less than half of every loss of the position and its spot hedge."""
    pool = RangePosition.of_deposit(10_000.0, 160.0, 225.0, 190.0)
    alone = holding((), instruments=(pool,), base_eth=-pool.delta(190.0))
    g = by_underlying(Portfolio(0.0, {1: alone}))[1]
    assert g.delta_eth == pytest.approx(0.0, abs=1e-9)
    assert g.gamma_eth_per_usd == pool.gamma(190.0) < 0.0
    moves = np.linspace(-0.15, 0.15, 7)
    lost = scenario_values(alone, moves, np.zeros(7)) - scenario_values(alone, [0.0], [0.0])
    direct = [
        pool.value(190 * (1 + m)) - pool.value(190) - pool.delta(190) * 190 * m for m in moves
    ]
    assert lost == pytest.approx(direct, abs=1e-8)
    straddle = (leg(190.0, 1.0), leg(190.0, 1.0, is_call=False))
    one = by_underlying(Portfolio(0.0, {1: holding(straddle)}))[1]
    size = -g.gamma_eth_per_usd / one.gamma_eth_per_usd
    options = tuple(replace(x, size=size) for x in straddle)
    hedged = replace(alone, legs=options, base_eth=alone.base_eth - size * one.delta_eth)
    now = scenario_values(hedged, [0.0], [0.0])
    left = scenario_values(hedged, moves, np.zeros(7)) - now
    assert (np.abs(left[lost < -1.0]) < 0.5 * np.abs(lost[lost < -1.0])).all()


def test_expired_legs_hold_their_proven_price_or_move_with_spot():
    legs = (leg(180.0, 2.0, expiry_s=NEAR_S), leg(190.0, -1.0, is_call=False, expiry_s=NEAR_S))
    proven = holding(legs, now_s=NEAR_S, settled={NEAR_S: 185.0})
    assert list(scenario_values(proven, [-0.2, 0.2], [0.0, 0.0])) == pytest.approx([5.0, 5.0])
    waiting = holding(legs, now_s=NEAR_S)
    assert list(scenario_values(waiting, [0.0, 0.1], [0.0, 0.0])) == pytest.approx([20.0, 58.0])
    grid = stress_grid(waiting, StressParameters())
    assert grid.contingency_usd == 0.0
    assert by_expiry(Portfolio(0.0, {1: waiting}))[1, NEAR_S] == Exposure(value_usd=20.0)


def test_time_passes_to_the_payoff():
    held = holding((leg(180.0, 1.0, expiry_s=NEAR_S),))
    late = scenario_values(held, [0.1, -0.2], [0.0, 0.0], later_s=NEAR_S - NOW_S)
    assert list(late) == pytest.approx([209.0 - 180.0, 0.0])
    flat = {NEAR_S: svi_slice(NEAR_S, a=0.02, b=0.0, carry=0.3)}
    now, later = (replace(held, market=Market(t, 190.0, flat, {})) for t in (NOW_S, NOW_S + 3_600))
    soon = scenario_values(now, [0.03], [0.0], later_s=3_600)[0]
    assert soon == pytest.approx(scenario_values(later, [0.03], [0.0])[0], rel=1e-12)


@pytest.mark.parametrize(
    ("call", "names"),
    [
        (lambda: scenario_values(holding(), [0.1], [0.0, 0.0]), "two equal"),
        (lambda: scenario_values(holding(), [], []), "non-empty"),
        (lambda: scenario_values(holding(), [math.nan], [0.0]), "spot move nan of scenario 0"),
        (lambda: scenario_values(holding(), [-1.0], [0.0]), "spot move -1.0"),
        (lambda: scenario_values(holding(), [0.0], [math.inf]), "volatility move inf"),
        (lambda: scenario_values(holding(), [0.0], [0.0], later_s=-1), "in the past"),
        (lambda: StressParameters(spot_move=math.nan), "spot_move"),
        (lambda: StressParameters(tail_weight=1.1), "tail_weight"),
        (lambda: StressParameters(tail_moves=(-1.0,)), "tail move"),
        (lambda: StressParameters(spot_steps=0), "spot_steps"),
        (lambda: TenorScale(reference_s=0.0), "tenor"),
        (lambda: TenorScale(max_down=1.0), "max_down"),
        (lambda: VenuePosition(math.nan, 0.0), "base"),
        (lambda: VenuePosition(1.0, 0.0, math.nan), "health"),
        (lambda: VenuePosition(1.0, 0.0, 1.0, penalty=1.0), "penalty"),
        (lambda: holding(base_eth=math.inf), "base is inf"),
        (lambda: holding((*LEGS, replace(LEGS[0], underlying=2))), "several underlyings"),
        (lambda: Portfolio(math.nan), "cash"),
        (lambda: Portfolio(0.0, {2: holding()}), "filed under 2"),
        (lambda: Exposure(value_usd=math.nan), "value_usd"),
        (lambda: scenario_values(holding((leg(200.0, math.nan),)), [0.0], [0.0]), "size nan"),
    ],
)
def test_bad_input_is_named(call, names):
    with pytest.raises(PricingError, match=names):
        call()


def test_an_instrument_without_a_value_is_named():
    class Broken(Lump):
        def value(self, spot_usd):
            return math.nan if spot_usd > 200.0 else 1.0

    with pytest.raises(PricingError, match="no value at 209"):
        scenario_values(holding(instruments=(Broken(),)), [0.1], [0.0])
