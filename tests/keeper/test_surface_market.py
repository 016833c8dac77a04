"""The fit on real chains: quality on quotes that were left out, no arbitrage, the contract's checks."""

from __future__ import annotations

import os
import statistics
from itertools import islice
from pathlib import Path

import pytest

from keeper.market.chain_files import ChainFile
from keeper.pricing.contract_surface import ContractRules, as_committed, contract_checks
from keeper.pricing.option_chain import WIDE
from keeper.pricing.surface_fit import fit_surface
from keeper.runtime.surface import COMMIT_RULES
from scripts.bench.surface import Tally, _leave_out

DATA = Path(os.environ.get("GAMMADESK_DATA", Path(__file__).resolve().parents[3] / "shared/data"))
FILE = DATA / "deribit_eth_option_chains.parquet"
CRASH_S = (1_770_249_600, 1_770_422_400)  # 2026-02-05 and the day after, UTC

pytestmark = pytest.mark.skipif(not FILE.exists(), reason=f"no market data at {FILE}")


@pytest.fixture(scope="module")
def chains():
    """Every eighth chain, and all of the crash."""
    found = list(ChainFile(FILE, delay_s=120).chains())
    crash = [c for c in found if CRASH_S[0] <= c.read_at_s < CRASH_S[1]]
    assert len(crash) >= 6
    return [*islice(found, 0, None, 8), *crash]


def test_quality_on_left_out_quotes(chains):
    """A margin below the figures of the whole file in docs/surface.md: a sample of it is not the whole."""
    left, enough, ends, whole = Tally(), Tally(), Tally(), Tally()
    violations = 0
    for chain in chains:
        surface = fit_surface(chain)
        whole.add(surface.quality())
        violations += len(surface.violations()) + _leave_out(surface, left, enough, ends)
    assert violations == 0
    assert left.figures()["inside_band_share"] > 0.99
    assert left.figures()["rmse_vol_points_median"] < 0.23
    assert whole.figures()["rmse_vol_points_median"] < 0.18
    assert whole.figures()["inside_band_share"] > 0.996
    assert ends.figures()["inside_band_share"] > 0.975
    assert statistics.fmean(enough.rmse) < statistics.fmean(left.rmse)


def test_the_contract_takes_every_surface(chains):
    for chain in chains:
        slices = as_committed(fit_surface(chain).slices, ContractRules())
        for rules in (ContractRules(), COMMIT_RULES):
            assert contract_checks(slices, rules, chain.read_at_s) == []


def test_few_quotes_are_dropped_for_their_width(chains):
    for chain in chains:
        quotes = fit_surface(chain).quotes
        if not CRASH_S[0] <= chain.read_at_s < CRASH_S[1]:
            assert quotes.dropped[WIDE] <= 0.03 * quotes.quoted.sum()
