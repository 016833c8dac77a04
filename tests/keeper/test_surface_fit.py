"""Chain to surface: recovery, quality figures, the contract's checks, files, pictures."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from keeper.errors import DataError, PricingError
from keeper.pricing.contract_surface import ContractRules, as_committed, contract_checks
from keeper.pricing.quote_choice import choose_quotes
from keeper.pricing.surface_fit import fit_quotes, fit_surface
from keeper.pricing.svi import implied_vol
from keeper.report.surface import smile_figure, term_figure, write_surface
from keeper.runtime.surface import COMMIT_RULES, SurfaceFile, wanted_slices, write_slices
from tests.keeper.surface_world import (
    DAYS,
    HALF_WIDTH,
    NOW_S,
    SPOT_USD,
    TRUTH,
    make_chain,
    ssvi_slice,
    years,
)

SURFACE = fit_surface(make_chain())
RULES = ContractRules()


def test_the_surface_that_made_the_quotes_comes_back():
    for one, truth in zip(SURFACE.slices, TRUTH, strict=True):
        assert (one.expiry_s, one.committed_at_s) == (truth.expiry_s, NOW_S)
        assert one.carry == pytest.approx(truth.carry, rel=1e-9)
        deviation = 0.6 * math.sqrt(years(truth))
        k = np.linspace(-1.5, 1.5, 41) * deviation
        np.testing.assert_allclose(implied_vol(one, k), implied_vol(truth, k), atol=2e-3)
    assert len(SURFACE.violations()) == 0


def test_vol_of_a_strike_is_on_the_expirys_forward():
    truth = TRUTH[3]
    forward = SPOT_USD * math.exp(truth.carry * years(truth))
    k = math.log(3_300.0 / forward)
    assert SURFACE.vol(truth.expiry_s, 3_300.0) == pytest.approx(
        float(implied_vol(truth, k)), abs=2e-3
    )
    with pytest.raises(ValueError, match="not in"):
        SURFACE.vol(1, 3_300.0)


def test_quality_is_of_the_quotes_that_are_asked_for():
    quotes = choose_quotes(make_chain(noise=np.random.default_rng(5), noise_vol=0.004))
    half = quotes.quoted.copy()
    half[:, 1:-1:2] = False
    surface = fit_quotes(quotes, half)
    whole, inside, left = (surface.quality(w) for w in (None, half, ~half))
    miss = surface.vols() - quotes.mid_vol
    for i in range(len(DAYS)):
        assert inside[i].quotes + left[i].quotes == whole[i].quotes == quotes.quoted[i].sum()
        expected = math.sqrt(np.mean(miss[i][~half[i]] ** 2))
        assert left[i].rmse_vol == pytest.approx(expected)
        assert left[i].worst_vol == pytest.approx(np.abs(miss[i][~half[i]]).max())
        share = np.mean(np.abs(miss[i][half[i]]) <= quotes.half_width[i][half[i]])
        assert inside[i].inside_band_share == pytest.approx(share)
        assert whole[i].median_half_width == pytest.approx(HALF_WIDTH, rel=1e-6)
    assert surface.quality(np.zeros_like(half)) == ()


def test_a_fit_from_half_of_the_quotes_does_not_see_the_others():
    clean, wrong = make_chain(), make_chain(noise=np.random.default_rng(5), noise_vol=0.02)
    even = np.arange(len(clean)) % 15 % 2 == 0
    mixed = replace(
        clean,
        bid_usd=np.where(even, clean.bid_usd, wrong.bid_usd),
        ask_usd=np.where(even, clean.ask_usd, wrong.ask_usd),
    )
    first, second = choose_quotes(clean), choose_quotes(mixed)
    half = np.tile(np.arange(15) % 2 == 0, (len(DAYS), 1))
    np.testing.assert_array_equal(fit_quotes(first, half).raw.a, fit_quotes(second, half).raw.a)


def test_the_contract_takes_what_was_fitted():
    slices = as_committed(SURFACE.slices, RULES)
    assert contract_checks(slices, RULES, NOW_S) == []
    assert contract_checks(slices, COMMIT_RULES, NOW_S) == []


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"expiry_s": TRUTH[0].expiry_s + 60}, "08:00"),
        ({"expiry_s": NOW_S - 86_400 + 28_800}, "is over"),
        ({"carry": 0.6}, "carry"),
        ({"carry": -0.6}, "carry"),
        ({"a": TRUTH[0].a + 0.2}, "at-the-money"),
        ({"a": -1.0}, "least total variance"),
        ({"rho": 1.0}, "rho"),
        ({"sigma": 9.0}, "sigma"),
        ({"m": 8.5, "a": 0.0}, "m 8.5"),
        ({"b": 3.0}, "wing"),
    ],
)
def test_what_the_contract_refuses_is_found(change, message):
    faults = contract_checks([replace(TRUTH[0], **change), *TRUTH[1:]], RULES, NOW_S)
    assert any(message in fault for fault in faults), faults


def test_arbitrage_on_the_contracts_grid_is_found():
    vogt = replace(ssvi_slice(365 + 1 / 3), a=-0.0410, b=0.1331, rho=0.3060, m=0.3586, sigma=0.4153)
    wide = ContractRules(butterfly_grid=tuple(np.linspace(-12.0, 12.0, 97)), calendar_grid=())
    assert any("butterfly" in fault for fault in contract_checks([vogt], wide, NOW_S))
    far = ssvi_slice(DAYS[1], 0.6 * math.sqrt(years(TRUTH[0]) / years(TRUTH[1])) * 0.99)
    (*_, fault) = contract_checks([TRUTH[0], far], RULES, NOW_S)
    assert "calendar" in fault
    none = ContractRules(butterfly_grid=(), calendar_grid=())
    assert contract_checks([TRUTH[0], far], none, NOW_S) == []


def test_an_empty_surface_and_a_wrong_order_are_refused():
    assert "at least one" in contract_checks([], RULES, NOW_S)[0]
    assert "not after" in contract_checks([TRUTH[1], TRUTH[0]], RULES, NOW_S)[0]
    assert "twice" in contract_checks([TRUTH[0], TRUTH[0]], RULES, NOW_S)[0]


def test_a_carry_that_is_cut_leaves_each_strikes_volatility():
    wild = replace(TRUTH[0], carry=2.4)
    (cut,) = as_committed([wild], RULES)
    assert cut.carry == 0.5
    for strike in (2_700.0, 3_000.0, 3_400.0):
        vols = [
            float(implied_vol(s, math.log(strike / SPOT_USD) - s.carry * years(s)))
            for s in (wild, cut)
        ]
        assert vols[0] == pytest.approx(vols[1], rel=1e-9)
    assert as_committed(TRUTH, RULES) == TRUTH


def test_bad_rules_are_refused():
    with pytest.raises(PricingError):
        ContractRules(min_vol=0.5, max_vol=0.4)


@pytest.mark.parametrize("name", ["surface.toml", "deep/surface.json"])
def test_a_surface_file_comes_back_to_the_last_bit_and_commits(tmp_path, name):
    path = tmp_path / name
    slices = as_committed(SURFACE.slices, RULES)
    write_slices(slices, path)
    read = SurfaceFile.load(path)
    assert tuple(entry.as_slice(NOW_S) for entry in read.slices) == slices
    assert wanted_slices(read, NOW_S) == slices


def test_a_surface_file_of_another_kind_is_refused(tmp_path):
    with pytest.raises(DataError, match=r"\.toml or \.json"):
        write_slices(SURFACE.slices, tmp_path / "surface.csv")


def test_pictures_show_every_slice_and_quote(tmp_path):
    figure = smile_figure(SURFACE)
    assert len(figure.data) == 2 * len(DAYS)
    dots, line = figure.data[:2]
    np.testing.assert_allclose(dots.y, 100 * SURFACE.quotes.mid_vol[0])
    np.testing.assert_allclose(dots.error_y.array, 100 * HALF_WIDTH, rtol=1e-6)
    assert line.x[0] == pytest.approx(dots.x[0])
    assert line.y[0] == pytest.approx(100 * SURFACE.vols()[0, 0])
    forecasts = {TRUTH[1].expiry_s: (0.5, 0.1)}
    term = term_figure(SURFACE.slices, forecasts)
    assert term.data[1].y[2] == pytest.approx(60.0, abs=0.2)
    assert (list(term.data[3].y), list(term.data[3].error_y.array)) == ([50.0], [10.0])
    path = tmp_path / "a" / "surface.html"
    write_surface(SURFACE, path, forecasts)
    page = path.read_text(encoding="utf-8")
    assert page.count("Plotly.newPlot") == 2
    assert "src=" not in page.split("<body>")[0]
