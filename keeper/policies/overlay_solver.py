"""Solves the overlay's programme with HiGHS (Huangfu and Hall 2018, doi 10.1007/s12532-017-0130-5) through scipy.

When the ranges cannot be met, the sum of the breaches, each in its own scale, is made least first, the cost second.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.optimize import LinearConstraint, linprog, milp

from keeper.errors import PricingError
from keeper.policies.overlay_programme import FloatArray, IntArray, Programme

OPTIMAL, STOPPED, INFEASIBLE = 0, 1, 2


@dataclass(frozen=True, slots=True)
class Solution:
    """`lots` a quote, or None when there is no answer or none was found in time. No plan's objective beats `bound`."""

    status: int
    lots: IntArray | None
    bound: float


def solve(
    programme: Programme,
    objective: FloatArray,
    may_breach: bool = False,
    extra: Sequence[LinearConstraint] = (),
) -> Solution:
    """Least objective. Raises PricingError when HiGHS gives up on the numbers."""
    effort = programme.effort
    for presolve in (True, False):
        result = milp(
            objective,
            integrality=programme.whole(),
            bounds=programme.bounds(may_breach),
            constraints=[programme.constraints(), *extra],
            options={
                "time_limit": effort.time_limit_s,
                "mip_rel_gap": effort.gap,
                "presolve": presolve,
            },
        )
        # Where only its presolved problem is feasible, by the tolerance, HiGHS ends with an error of its own.
        if result.status in (OPTIMAL, STOPPED, INFEASIBLE):
            break
    else:
        raise PricingError(f"the solver refused the overlay's programme: {result.message}")
    bound = -math.inf if result.mip_dual_bound is None else float(result.mip_dual_bound)
    if result.x is None:
        return Solution(result.status, None, bound)
    return Solution(result.status, np.rint(result.x[: programme.m]).astype(np.int64), bound)


def cheapest(programme: Programme) -> Solution:
    """Within all ranges."""
    return solve(programme, programme.cost())


def nearest(programme: Programme) -> Solution:
    """Least sum of breaches, and the least cost that reaches it."""
    breaches = programme.breaches()
    first = solve(programme, breaches, may_breach=True)
    if first.lots is None:
        return first
    reached = programme.breach_sum(first.lots)
    row = LinearConstraint(breaches[None, :], -math.inf, reached * (1.0 + 1e-6) + 1e-5)
    second = solve(programme, programme.cost(), may_breach=True, extra=[row])
    return first if second.lots is None else second


def reach(programme: Programme, index: int, upwards: bool) -> float:
    """How far the quotes could move one reading if no other were limited, in its own unit."""
    reading = programme.market.readings[index]
    towards = (-1.0 if upwards else 1.0) / float(programme.scale[index])
    found = solve(programme, programme.row(n=towards * reading.per_lot), may_breach=True)
    lots = np.zeros(programme.m, dtype=np.int64) if found.lots is None else found.lots
    return reading.now + float(reading.per_lot @ lots)


def shadow_prices(programme: Programme, lots: IntArray) -> list[float | None]:
    """USD saved for each unit by which the binding end of each reading's range is moved out; 0 where none binds.

    Lots are taken as divisible between clip and size, the quotes used stay used, the others unused: HiGHS's marginals
    of that linear programme. None where it gives none.
    """
    bounds, rows, m = programme.bounds(may_breach=False), programme.constraints(), programme.m
    low, high = bounds.lb.copy(), bounds.ub.copy()
    for i, quote in enumerate(programme.market.quotes):
        used = bool(lots[i] > 0)
        low[i], high[i] = (quote.least_lots, quote.most_lots) if used else (0.0, 0.0)
        low[m + i] = high[m + i] = float(used)
    matrix = np.asarray(rows.A, dtype=np.float64)
    # Lots inside by the solver's tolerance only must not make this programme infeasible.
    reached = matrix @ programme.point(lots)
    ends = np.maximum(rows.ub, reached), np.minimum(rows.lb, reached)
    upper, lower = np.isfinite(ends[0]), np.isfinite(ends[1])
    found = linprog(
        programme.cost(),
        A_ub=np.vstack([matrix[upper], -matrix[lower]]),
        b_ub=np.concatenate([ends[0][upper], -ends[1][lower]]),
        bounds=list(zip(low.tolist(), high.tolist(), strict=True)),
        method="highs",
    )
    if found.status != OPTIMAL:
        return [None] * programme.r
    marginal, cut = np.zeros(matrix.shape[0]), int(upper.sum())
    np.add.at(marginal, np.flatnonzero(upper), found.ineqlin.marginals[:cut])
    np.add.at(marginal, np.flatnonzero(lower), found.ineqlin.marginals[cut:])
    return [-float(marginal[i]) / float(programme.scale[i]) for i in range(programme.r)]
