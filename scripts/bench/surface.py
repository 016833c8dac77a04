"""`python -m scripts.bench.surface`: the fit on two months of Deribit ETH chains, into build/bench/surface.json.

Left out: in every slice every other quote, once the 2nd, 4th, ... and once the 3rd, 5th, ..., the outermost two kept
(a smile is not used beyond its quotes). The `_with_ends` figures leave out the outermost too, so that they judge
extrapolation as well. A slice's figure is of one fold; medians are over slices and folds.
"""

from __future__ import annotations

import json
import statistics
import time
from collections import Counter
from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from keeper.market.chain_files import ChainFile
from keeper.pricing.contract_surface import ContractRules, as_committed, contract_checks
from keeper.pricing.option_chain import REASONS, SPARSE, WIDE, OptionChain
from keeper.pricing.quote_choice import choose_quotes
from keeper.pricing.surface_fit import FittedSurface, SliceQuality, fit_quotes, fit_surface
from keeper.report.surface import write_surface
from scripts.bench.volatility import DATA
from scripts.nodes import ROOT

FILE = DATA / "deribit_eth_option_chains.parquet"
READ_DELAY_S = 120  # the file's description: rows were read about two minutes after `timestamp`
OUT = ROOT / "build/bench/surface.json"
PICTURE = ROOT / "build/bench/surface.html"
REPEATS = 3
ENOUGH = 5
BoolArray = NDArray[np.bool_]


class Tally:
    """Slice qualities of many fits."""

    def __init__(self) -> None:
        self.rmse: list[float] = []
        self.inside = 0.0
        self.quotes = 0

    def add(self, qualities: Iterable[SliceQuality]) -> None:
        """One fit's."""
        for quality in qualities:
            self.rmse.append(quality.rmse_vol * 100.0)
            self.inside += quality.inside_band_share * quality.quotes
            self.quotes += quality.quotes

    def figures(self, prefix: str = "") -> dict[str, float]:
        """Share of all quotes inside their band, median of the slices' errors."""
        return {
            f"{prefix}inside_band_share": self.inside / self.quotes,
            f"{prefix}rmse_vol_points_median": statistics.median(self.rmse),
        }


def kept(quoted: BoolArray, fold: int, keep_ends: bool) -> BoolArray:
    """Every other quote of each slice; with `keep_ends` the first and the last too."""
    place = np.arange(quoted.shape[1])
    last = quoted.sum(axis=1)[:, None] - 1
    chosen = place % 2 == fold
    return quoted & (chosen | (keep_ends & ((place == 0) | (place == last))))


def time_fit(chain: OptionChain) -> tuple[FittedSurface, float, float]:
    """A chain's surface, implied volatilities included; the least wall and processor milliseconds of some repeats."""
    wall = processor = float("inf")
    for _ in range(REPEATS):
        begun, spent = time.perf_counter(), time.process_time()
        surface = fit_surface(chain)
        wall = min(wall, time.perf_counter() - begun)
        processor = min(processor, time.process_time() - spent)
    return surface, wall * 1e3, processor * 1e3


def measure_surface() -> dict[str, Any]:
    """All figures, and the picture of the chain with the highest volatility."""
    whole, left, enough, ends = Tally(), Tally(), Tally(), Tally()
    drops: Counter[str] = Counter()
    times: list[float] = []
    spent: list[float] = []
    violations, refits, faults, snapshots = 0, 0, 0, 0
    wildest: FittedSurface | None = None
    for chain in ChainFile(FILE, delay_s=READ_DELAY_S).chains():
        surface, took, processor = time_fit(chain)
        snapshots += 1
        times.append(took)
        spent.append(processor)
        drops.update(surface.quotes.dropped)
        whole.add(surface.quality())
        refits += surface.refitted
        violations += len(surface.violations())
        rules = ContractRules()
        faults += bool(contract_checks(as_committed(surface.slices, rules), rules, chain.read_at_s))
        violations += _leave_out(surface, left, enough, ends)
        if wildest is None or surface.quotes.mid_vol[0, 0] > wildest.quotes.mid_vol[0, 0]:
            wildest = surface
    if wildest is not None:
        write_surface(wildest, PICTURE)
    candidates = whole.quotes + drops[WIDE]
    return {
        **left.figures("left_out_"),
        **enough.figures("left_out_at_least_five_kept_"),
        **ends.figures("left_out_with_ends_"),
        **whole.figures(),
        "arbitrage_violations": violations,
        "contract_faults": faults,
        "refitted_slices": refits,
        "fit_ms_per_chain_median": statistics.median(times),
        "fit_ms_per_chain_max": max(times),
        "fit_cpu_ms_per_chain_median": statistics.median(spent),
        "fit_cpu_ms_per_chain_max": max(spent),
        "snapshots": snapshots,
        "slices": len(whole.rmse),
        "quotes": whole.quotes,
        "wide_quotes_dropped_share": drops[WIDE] / candidates,
        "quotes_of_sparse_expiries": drops[SPARSE],
        "dropped": {reason: drops[reason] for reason in REASONS},
    }


def _leave_out(surface: FittedSurface, left: Tally, enough: Tally, ends: Tally) -> int:
    """Fits on halves of the quotes, judged on the other halves; returns how much arbitrage those fits hold."""
    violations = 0
    quotes = surface.quotes
    for fold in (0, 1):
        half = kept(quotes.quoted, fold, keep_ends=True)
        fitted = fit_quotes(quotes, half)
        violations += len(fitted.violations())
        left.add(fitted.quality(~half))
        many = (half.sum(axis=1) >= ENOUGH)[:, None]
        enough.add(fitted.quality(~half & many))
        half = kept(quotes.quoted, fold, keep_ends=False)
        fitted = fit_quotes(quotes, half)
        violations += len(fitted.violations())
        ends.add(fitted.quality(~half))
    return violations


def main() -> None:
    """Writes the figures and says them."""
    if not FILE.exists():
        raise SystemExit(f"surface: no option chains at {FILE}, set GAMMADESK_DATA to their folder")
    choose_quotes(next(ChainFile(FILE, delay_s=READ_DELAY_S).chains()))  # imports and caches
    figures = measure_surface()
    OUT.parent.mkdir(parents=True, exist_ok=True)
    OUT.write_text(json.dumps(figures, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    print(f"surface: {OUT}")
    for key, value in sorted(figures.items()):
        print(f"  {key:48s} {value}")


if __name__ == "__main__":
    main()
