"""The frontier: what each policy costs against the risk that it leaves, where a trade costs gas and a fee."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

import matplotlib as mpl

from keeper.simulation import hedge_simulator as sim
from keeper.simulation.hedge_problem import FloatArray, HedgingProblem, Rule
from keeper.simulation.impulse_control import solve

mpl.use("Agg")
from matplotlib import pyplot as plt

TOLERANCES = (0.04, 0.06, 0.08, 0.1, 0.13, 0.17, 0.22)
AVERSIONS = (0.15, 0.3, 0.6, 1.0, 1.7, 3.0)
# Bands for fees alone trade crumbs: an attitude that leaves them on the picture.
FEE_AVERSIONS = (0.003, 0.01, 0.03, 0.1, 0.3, 1.0)
Frontier = dict[str, list[tuple[float, float]]]
Reference = Callable[[float], HedgingProblem]


def frontier(reference: Reference, paths: FloatArray) -> Frontier:
    """For each policy (cost in % of premium, 95 % shortfall) along its own parameter."""

    def points(rules: Iterable[Rule]) -> list[tuple[float, float]]:
        problem = reference(1.0)
        rows = (sim.simulate(problem, r, paths).summary(problem.fair_value(), 1.0) for r in rules)
        return [(row["cost_pct_of_premium"], row["shortfall_95"]) for row in rows]

    one = reference(1.0)
    return {
        "interval": points(sim.interval_rule(one, every) for every in (6, 12, 24, 48, 96)),
        "delta band, to the centre": points(sim.delta_band_rule(one, t) for t in TOLERANCES),
        "Whalley-Wilmott": points(
            sim.whalley_wilmott_rule(reference(lam)) for lam in FEE_AVERSIONS
        ),
        "Zakamouline": points(sim.zakamouline_rule(reference(lam)) for lam in FEE_AVERSIONS),
        "gas band": points(sim.gas_band_rule(reference(lam)) for lam in AVERSIONS),
        "numerical optimum": points(solve(reference(lam)).rule for lam in AVERSIONS),
    }


def draw_frontier(path: Path, found: Frontier) -> None:
    """Cost against shortfall, one line a policy; nearer to the corner is better."""
    figure, axis = plt.subplots(figsize=(9, 6))
    for name, points in found.items():
        costs, risks = zip(*points, strict=True)
        best = name in ("gas band", "numerical optimum")
        style = "--" if name == "numerical optimum" else "-"
        axis.plot(costs, risks, style, marker="o", ms=4, lw=2.2 if best else 1.2, label=name)
    axis.set_xlim(0, 52)
    axis.set_ylim(2, 9)
    axis.set_xlabel("cost of hedging, % of premium")
    axis.set_ylabel("95 % expected shortfall, USD per option on one unit at 100 USD")
    axis.set_title("Short at-the-money call, 30 days, hourly looks, gas .02, fee 5 bp")
    axis.legend()
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.tight_layout()
    figure.savefig(path, dpi=110)
    plt.close(figure)
