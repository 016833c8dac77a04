"""`python -m scripts.bench.surface_moves`: how far fitted surfaces of real chains move, against the contract's rates.

Every expiry of every pair of consecutive chains is held to the integers of SviChecks and SurfaceMoves. Prints slices
that the grid refuses, and quantiles of each part's move over the square root of the hours between, as it counts
against its rate (at the tenor's share).
"""

from __future__ import annotations

import numpy as np

from keeper.market.chain_files import ChainFile
from keeper.pricing import surface_checks as checks
from keeper.pricing.contract_surface import ContractRules, as_committed
from keeper.pricing.surface_fit import FittedSurface, fit_surface
from keeper.pricing.surface_moves import DAY_S, HOUR_S, Note, tenor_share_wad
from keeper.pricing.svi import pack_floats
from keeper.units import SECONDS_PER_YEAR, WAD
from scripts.bench.surface import FILE, READ_DELAY_S
from scripts.deployment.parameters import load_parameters

PARTS = ("level", "skew", "wing", "forward")
QUANTILES = (0.5, 0.9, 0.99, 1.0)
NEAREST_S = 2 * HOUR_S


def notes_of(surface: FittedSurface, now_s: int) -> dict[int, Note]:
    """What a commit of every slice would leave. PricingError where the grid finds arbitrage."""
    slices = as_committed(surface.slices, ContractRules())
    fields = [checks.checked_fields(pack_floats(s.a, s.b, s.rho, s.m, s.sigma)) for s in slices]
    notes = {}
    for s, near, far in zip(slices, fields, [*fields[1:], None], strict=True):
        variance = checks.annual_variance(near, s.expiry_s - now_s)
        notes[s.expiry_s] = Note(round(s.carry * WAD), now_s, 0, variance, checks.scan(near, far))
    return notes


def parts_of(before: Note, after: Note, tenor_s: int) -> list[float]:
    """Level, skew, wing and forward: shares of an hour's rate are these over the rate."""
    share = tenor_share_wad(tenor_s) / WAD
    gaps = [abs(a - b) / 2**14 for a, b in zip(before.shapes, after.shapes, strict=True)]
    level = abs(after.variance - before.variance) / min(after.variance, before.variance)
    forward = abs(after.carry_wad - before.carry_wad) / WAD * tenor_s / SECONDS_PER_YEAR
    return [level * share, max(gaps[1:3]) * share, max(gaps[0], gaps[3]) * share, forward]


def main() -> None:
    """Prints the table."""
    rows: list[list[float]] = []
    slices, last, last_s = 0, {}, 0
    for chain in ChainFile(FILE, delay_s=READ_DELAY_S).chains():
        now_s = chain.read_at_s
        notes = notes_of(fit_surface(chain), now_s)
        slices += len(notes)
        root_hours = max((now_s - last_s) / HOUR_S, 1.0) ** 0.5
        for expiry_s in notes.keys() & last.keys():
            if expiry_s - now_s > NEAREST_S:
                parts = parts_of(last[expiry_s], notes[expiry_s], expiry_s - now_s)
                tenor_days = (expiry_s - now_s) / DAY_S
                rows.append([*(part / root_hours for part in parts), tenor_days])
        last, last_s = notes, now_s
    table = np.array(rows)
    rates = load_parameters().surface
    print(f"{slices} slices, none refused; {len(table)} moves of an expiry")
    for column, part in enumerate(PARTS):
        rate = float(getattr(rates, f"{part}_rate_per_hour"))
        quantiles = np.quantile(table[:, column], QUANTILES)
        shown = "  ".join(f"{q:.0%} {v:.4f}" for q, v in zip(QUANTILES, quantiles, strict=True))
        above = float(np.mean(table[:, column] > rate))
        print(f"{part:8} {shown}  rate {rate:g} an hour, above it {above:.2%}")


if __name__ == "__main__":
    main()
