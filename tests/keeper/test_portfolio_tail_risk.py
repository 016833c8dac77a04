"""Filtered historical simulation, tail measures and their tests, on processes whose truth is known."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import norm

from keeper.errors import DataError
from keeper.portfolio.book import Market
from keeper.portfolio.filtered_history import (
    WARM_UP,
    VarianceFilter,
    ewma_filter,
    filter_history,
    garch_filter,
)
from keeper.portfolio.positions import Holdings, Portfolio
from keeper.portfolio.tail_risk import (
    FactorMoves,
    coverage,
    portfolio_profits,
    shortfall_ratio,
    tail_risk,
)
from tests.keeper.keeper_builders import FAR_S, NOW_S, leg, svi_slice

TRUE = VarianceFilter(2e-5, 0.10, 0.86)


def garch_path(seed, rows, columns=1):
    rng = np.random.default_rng(seed)
    variance = np.full(columns, TRUE.omega / 0.04)
    out, known = np.empty((rows, columns)), np.empty((rows, columns))
    for i in range(rows):
        known[i] = variance
        out[i] = np.sqrt(variance) * rng.standard_normal(columns)
        variance = TRUE.omega + TRUE.alpha * out[i] ** 2 + TRUE.beta * variance
    return out, known


def test_the_true_filter_leaves_plain_noise():
    moves = garch_path(1, 20_000)[0]
    found = filter_history(moves, [TRUE])
    z = found.residuals[:, 0]
    assert z.size == 20_000 - WARM_UP
    assert z.std() == pytest.approx(1.0, rel=0.02)
    squares, raw = z * z - np.mean(z * z), moves[:, 0] ** 2 - np.mean(moves**2)
    assert abs(np.mean(squares[1:] * squares[:-1]) / np.var(squares)) < 0.03
    assert np.mean(raw[1:] * raw[:-1]) / np.var(raw) > 0.1


def test_quasi_likelihood_finds_the_filter():
    found = garch_filter(garch_path(2, 20_000)[0])
    assert found.alpha == pytest.approx(TRUE.alpha, abs=0.02)
    assert found.beta == pytest.approx(TRUE.beta, abs=0.03)
    level = found.omega / (1 - found.alpha - found.beta)
    assert level == pytest.approx(TRUE.omega / 0.04, rel=0.15)


def test_todays_deviations_scale_the_past():
    """The same history ending in calm or in storm: moves, VaR and shortfall scale with the last variance."""
    moves, known = garch_path(3, 3_000)
    rows = [int(np.argmin(known[500:])) + 500, int(np.argmax(known[500:])) + 500]
    calm, storm = (filter_history(moves[:row], [TRUE]) for row in rows)
    for one, row in ((calm, rows[0]), (storm, rows[1])):
        assert one.variance[0] == pytest.approx(known[row, 0], rel=1e-3)
    risks = [tail_risk(-one.next_moves()[:, 0], 0.95).value_at_risk for one in (calm, storm)]
    ratio = math.sqrt(known[rows[1], 0] / known[rows[0], 0])
    assert risks[1] / risks[0] == pytest.approx(ratio, rel=0.12)


def test_nothing_after_a_row_changes_what_was_known_at_it():
    moves = garch_path(4, 400, 2)[0]
    changed = moves.copy()
    changed[300:] *= 7.0
    before, after = (filter_history(x, [TRUE, ewma_filter()]) for x in (moves, changed))
    assert np.array_equal(before.residuals[: 300 - WARM_UP], after.residuals[: 300 - WARM_UP])
    short = filter_history(moves[:300], [TRUE, ewma_filter()])
    assert np.array_equal(before.residuals[: 300 - WARM_UP], short.residuals)


def test_rows_are_replayed_whole():
    moves = garch_path(5, 1_000)[0]
    both = np.column_stack([moves[:, 0], -3.0 * moves[:, 0]])
    found = filter_history(both, [ewma_filter(), ewma_filter()])
    for drawn in (found.next_moves(), found.paths(1, 500, seed=1)):
        assert np.corrcoef(drawn.T)[0, 1] == pytest.approx(-1.0)
        assert drawn[:, 1] == pytest.approx(-3.0 * drawn[:, 0])


def test_paths_carry_the_variance_on():
    """An EWMA's expected variance stays where it is: h periods have h times the variance. GARCH's returns home."""
    moves = garch_path(6, 4_000)[0]
    flat = filter_history(moves, [ewma_filter()])
    unit = float(np.mean(flat.residuals**2))
    one, ten = (flat.paths(h, 40_000, seed=2)[:, 0] for h in (1, 10))
    assert np.mean(one**2) == pytest.approx(flat.variance[0] * unit, rel=0.05)
    assert np.mean(ten**2) == pytest.approx(10 * flat.variance[0] * unit, rel=0.1)
    home = replace(filter_history(moves, [TRUE]), variance=np.array([1e-8]))
    far = home.paths(200, 20_000, seed=3)[:, 0]
    unit = float(np.mean(home.residuals**2))
    kept = TRUE.alpha * unit + TRUE.beta
    expected = float(np.var(home.residuals)) * sum(
        TRUE.omega * (1 - kept**k) / (1 - kept) for k in range(200)
    )
    assert np.var(far) == pytest.approx(expected, rel=0.05)
    assert np.array_equal(flat.paths(3, 9, seed=7), flat.paths(3, 9, seed=7))


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=60), st.floats(0.01, 0.99))
def test_shortfall_is_never_below_var(profits, level):
    risk = tail_risk(profits, level)
    assert risk.expected_shortfall >= risk.value_at_risk - 1e-6
    assert risk.worst >= risk.expected_shortfall - 1e-6
    beyond = sum(p < -risk.value_at_risk for p in profits)
    assert beyond <= (1 - level) * len(profits) + 1e-9
    doubled = tail_risk([2 * p for p in profits], level)
    assert doubled.expected_shortfall == pytest.approx(2 * risk.expected_shortfall, abs=1e-6)


@given(
    st.lists(st.tuples(st.floats(-1e3, 1e3), st.floats(-1e3, 1e3)), min_size=2, max_size=40),
    st.floats(0.5, 0.99),
)
def test_shortfall_of_a_sum_is_no_more_than_the_sum(rows, level):
    a, b = np.array(rows).T
    both = tail_risk(a + b, level).expected_shortfall
    apart = tail_risk(a, level).expected_shortfall + tail_risk(b, level).expected_shortfall
    assert both <= apart + 1e-6


def test_tails_of_a_normal():
    risk = tail_risk(np.random.default_rng(1).standard_normal(400_000), 0.99)
    assert risk.value_at_risk == pytest.approx(norm.ppf(0.99), rel=0.01)
    assert risk.expected_shortfall == pytest.approx(norm.pdf(norm.ppf(0.99)) / 0.01, rel=0.01)
    assert tail_risk([3.0], 0.99).value_at_risk == -3.0
    thirds = tail_risk([-9.0, -6.0, 0.0], 0.5)
    assert thirds.expected_shortfall == pytest.approx((9.0 + 0.5 * 6.0) / 1.5)
    assert thirds.value_at_risk == 6.0


def test_profits_are_of_all_underlyings_in_the_same_scenario():
    held = Holdings(Market(NOW_S, 100.0, {FAR_S: svi_slice()}, {}), base_eth=2.0)
    other = replace(held, base_eth=-1.0)
    first = FactorMoves(np.array([0.1, -0.2]), np.zeros(2))
    second = FactorMoves(np.array([0.3, 0.1]), np.zeros(2))
    made = portfolio_profits(Portfolio(7.0, {1: held, 2: other}), {1: first, 2: second})
    assert list(made) == pytest.approx([20.0 - 30.0, -40.0 - 10.0])
    short = replace(held, legs=(leg(100.0, -1.0),), base_eth=0.0)
    jump = FactorMoves(np.array([0.0, 0.0]), np.array([0.0, 0.5]))
    quiet, loud = portfolio_profits(Portfolio(0.0, {1: short}), {1: jump})
    assert quiet == 0.0 > loud


def test_coverage_by_its_formulas():
    hits = np.zeros(255, dtype=bool)
    hits[[3, 50, 51, 120, 121, 122, 200]] = True
    found = coverage(hits, 0.99)
    lr = 2 * (7 * math.log(7 / 255 / 0.01) + 248 * math.log(248 / 255 / 0.99))
    assert found.kupiec == pytest.approx(math.erfc(math.sqrt(lr / 2)), rel=1e-9)
    assert (found.periods, found.exceptions, found.expected) == (255, 7, pytest.approx(2.55))
    counts = {(0, 0): 243, (0, 1): 4, (1, 0): 4, (1, 1): 3}
    chain = 2 * sum(
        n * math.log(n / (247 if i == 0 else 7) / ((247 if j == 0 else 7) / 254))
        for (i, j), n in counts.items()
    )
    assert found.independence == pytest.approx(math.erfc(math.sqrt(chain / 2)), rel=1e-9)
    assert found.conditional == pytest.approx(math.exp(-(lr + chain) / 2), rel=1e-9)
    exact = np.zeros(1_000, dtype=bool)
    exact[::100] = True
    assert coverage(exact, 0.99).kupiec == pytest.approx(1.0)
    assert coverage(np.zeros(500, dtype=bool), 0.99).kupiec < 0.01


def test_coverage_rejects_what_is_wrong_and_keeps_what_is_right():
    """Size near 5 % on independent exceptions of the stated rate; clustered or too many ones are found."""
    rng = np.random.default_rng(12)
    right = [coverage(rng.random(1_000) < 0.05, 0.95) for _ in range(400)]
    assert np.mean([r.kupiec < 0.05 for r in right]) == pytest.approx(0.05, abs=0.025)
    assert np.mean([r.conditional < 0.05 for r in right]) < 0.10
    many = [coverage(rng.random(1_000) < 0.09, 0.95) for _ in range(100)]
    assert np.mean([r.kupiec < 0.05 for r in many]) > 0.95
    chained = []
    for _ in range(100):
        state, hits = False, []
        for u in rng.random(1_000):
            state = bool(u < (0.35 if state else 0.034))
            hits.append(state)
        chained.append(coverage(np.array(hits), 0.95).independence < 0.05)
    assert np.mean(chained) > 0.95


def test_shortfall_ratio_is_one_when_it_was_right():
    rng = np.random.default_rng(13)
    profit = rng.standard_normal(200_000)
    var, es = norm.ppf(0.975), norm.pdf(norm.ppf(0.975)) / 0.025
    hits = profit < -var
    assert shortfall_ratio(profit, np.full(profit.size, es), hits, 0.975) == pytest.approx(
        1, rel=0.03
    )
    assert shortfall_ratio(profit, np.full(profit.size, es / 2), hits, 0.975) > 1.8


OK = np.random.default_rng(0).standard_normal(200)


@pytest.mark.parametrize(
    ("call", "names"),
    [
        (lambda: filter_history(OK[:50], [TRUE]), "at least 100"),
        (lambda: filter_history(OK, [TRUE, TRUE]), "2 filters for 1"),
        (lambda: filter_history(np.where(OK > 2, np.nan, OK), [TRUE]), "NaN"),
        (lambda: filter_history(np.zeros(200), [ewma_filter()]), "does not move"),
        (lambda: filter_history([], [TRUE]), "at least 100"),
        (lambda: garch_filter(np.full(200, math.inf)), "NaN or inf"),
        (lambda: garch_filter(np.zeros(200)), "moves of zero"),
        (lambda: ewma_filter(1.0), "decay"),
        (lambda: VarianceFilter(-1.0, 0.1, 0.8), "numbers >= 0"),
        (lambda: VarianceFilter(0.0, 0.5, 0.6), "alpha"),
        (lambda: filter_history(OK, [TRUE]).paths(0, 5, 1), "at least one"),
        (lambda: tail_risk([], 0.99), "at least one"),
        (lambda: tail_risk([1.0, math.nan], 0.99), "finite"),
        (lambda: tail_risk([1.0], 1.0), "level"),
        (lambda: portfolio_profits(Portfolio(), {}), "no moves"),
        (lambda: coverage(np.array([1, 0]), 0.99), "booleans"),
        (lambda: coverage(np.array([], dtype=bool), 0.99), "booleans"),
        (lambda: coverage(np.array([True, False]), math.nan), "level"),
        (lambda: shortfall_ratio([1.0], [0.0], np.array([True]), 0.9), "positive"),
        (lambda: shortfall_ratio([1.0], [1.0, 1.0], np.array([True]), 0.9), "one length"),
    ],
)
def test_bad_input_is_named(call, names):
    with pytest.raises(DataError, match=names):
        call()
