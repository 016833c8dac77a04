"""The cheapest split of a hedge over venues: equal marginal cost among those used, fixed costs by trying the subsets.

A hedge first takes back what is open (`Stage.CLOSE`: held WETH is sold, debt is repaid) and opens with the rest
(`Stage.OPEN`), so that gross exposure stays next to net; the stages have totals of their own and may share a pool.
Within a stage and a set of venues the variable cost is convex: all that are used, and neither at their least clip nor
at their limit, end at the same marginal price, found exactly on the piecewise linear curves of `routing_depth`. Where
stages share a pool each is filled in turn with the other held, until neither moves: two blocks, convex and smooth, so
that it ends at the optimum of both. Gas is paid once a venue, so every set of venues is tried whose gas alone does not
already lose; without gas no set beats all venues together, which bounds what is left to try.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Mapping, Sequence

from keeper.execution.routing_depth import Curve, pool_curve, total_amount
from keeper.execution.routing_records import Fill, Problem, Split, Stage, require_sense

_ROUNDS = 60
_CASH_STEPS = 40
_EXACT = 1e-12


def best_split(problem: Problem) -> Split:
    """The cheapest split of as much of the totals as the routes can take. Halt for a problem that is not one."""
    require_sense(problem)
    usable = [i for i in range(len(problem.routes)) if _curve(problem, i).capacity > 0.0]
    usable = [i for i in usable if _curve(problem, i).capacity >= problem.clip_eth]
    totals = _within_reach(problem, usable)
    wanted = [i for i in usable if totals[problem.routes[i].stage] > 0.0]
    relaxed = _amounts(problem, wanted, totals, 0.0)
    if not wanted or relaxed is None:
        return Split((), 0.0, 0.0)
    bound = _cost(problem, relaxed)
    best, least = {}, math.inf
    for fixed, chosen in _subsets(problem, wanted):
        if fixed + bound >= least:
            break
        amounts = _amounts(problem, chosen, totals, problem.clip_eth)
        if amounts is not None and fixed + _cost(problem, amounts) < least:
            best, least = amounts, fixed + _cost(problem, amounts)
    return _split(problem, best)


def _subsets(problem: Problem, usable: Sequence[int]) -> Iterator[tuple[float, tuple[int, ...]]]:
    """Sets of routes with their gas, cheapest first."""
    sets = (
        chosen
        for size in range(1, len(usable) + 1)
        for chosen in itertools.combinations(usable, size)
    )
    priced = ((math.fsum(problem.routes[i].fixed_usd for i in chosen), chosen) for chosen in sets)
    return iter(sorted(priced))


def _within_reach(problem: Problem, usable: Sequence[int]) -> tuple[float, float]:
    """Totals cut to what fills of at least a clip within limits and cash can reach."""
    cut, cash = [], problem.cash_usd
    for stage in Stage:
        mine = [i for i in usable if problem.routes[i].stage is stage]
        caps = {i: _curve(problem, i).capacity for i in mine}
        total, most = problem.totals[stage], math.fsum(caps.values())
        total = min(total, most, _affordable(problem, caps, cash))
        if total < problem.clip_eth:
            cut.append(0.0)
            continue
        reach = [
            math.fsum(caps[i] for i in chosen)
            for size in range(1, len(mine) + 1)
            if size * problem.clip_eth <= total
            for chosen in itertools.combinations(mine, size)
        ]
        cut.append(min(total, max(reach, default=0.0)))
        cash -= cut[-1] * max((problem.routes[i].cash_per_eth for i in mine), default=0.0)
    return (cut[0], cut[1])


def _affordable(problem: Problem, caps: Mapping[int, float], cash: float) -> float:
    """ETH that the cash allows, the least cash-hungry routes first."""
    left, eth = cash, 0.0
    for i in sorted(caps, key=lambda i: problem.routes[i].cash_per_eth):
        need = problem.routes[i].cash_per_eth
        part = caps[i] if need <= 0.0 else min(caps[i], max(left, 0.0) / need)
        left -= part * max(need, 0.0)
        eth += part
    return eth


def _amounts(
    problem: Problem, chosen: Sequence[int], totals: tuple[float, float], floor: float
) -> dict[int, float] | None:
    """ETH by route, at the least variable cost, every chosen route used; None where that cannot be."""
    amounts = _filled(problem, chosen, totals, floor, 0.0)
    if amounts is None or _cash(problem, amounts) <= problem.cash_usd * (1.0 + 1e-9) + 1e-6:
        return amounts
    # Cash is short: the price of a USD of cash at which it suffices, as for any constraint.
    low, high = 0.0, 1.0
    if not _fits(problem, _filled(problem, chosen, totals, floor, high)):
        return None
    for _ in range(_CASH_STEPS):
        middle = (low + high) / 2.0
        fits = _fits(problem, _filled(problem, chosen, totals, floor, middle))
        low, high = (low, middle) if fits else (middle, high)
    return _filled(problem, chosen, totals, floor, high)


def _filled(
    problem: Problem,
    chosen: Sequence[int],
    totals: tuple[float, float],
    floor: float,
    cash_price: float,
) -> dict[int, float] | None:
    """Both stages filled in turn until neither moves."""
    stages = [[i for i in chosen if problem.routes[i].stage is stage] for stage in Stage]
    if any(bool(mine) != (total > 0.0) for mine, total in zip(stages, totals, strict=True)):
        return None
    amounts = dict.fromkeys(chosen, 0.0)
    pools = [{problem.routes[i].pool for i in mine} for mine in stages]
    for _ in range(_ROUNDS if pools[0] & pools[1] else 1):
        moved = 0.0
        for mine, total in zip(stages, totals, strict=True):
            curves = [_curve(problem, i, _others(problem, amounts, i), cash_price) for i in mine]
            found = water_fill(curves, [floor] * len(mine), total)
            if found is None:
                return None
            for i, eth in zip(mine, found, strict=True):
                moved = max(moved, abs(eth - amounts[i]))
                amounts[i] = eth
        if moved <= 1e-9:
            break
    return amounts


def water_fill(
    curves: Sequence[Curve], floors: Sequence[float], total: float
) -> list[float] | None:
    """`total` over curves so that all end at one marginal price, each between its floor and its capacity."""
    slack = _EXACT * max(total, 1.0)
    reach = math.fsum(curve.capacity for curve in curves)
    fits = all(c.capacity >= f - slack for c, f in zip(curves, floors, strict=True))
    if not (fits and math.fsum(floors) <= total + slack and total <= reach + slack):
        return None
    if not curves:
        return []
    marks = sorted(
        {knot[0] for curve in curves for knot in curve.knots}
        | {curve.at(floor) for curve, floor in zip(curves, floors, strict=True)}
    )
    low, high = 0, len(marks) - 1
    while high - low > 1:
        middle = (low + high) // 2
        below = total_amount(curves, floors, marks[middle]) <= total
        low, high = (middle, high) if below else (low, middle)
    ends = [total_amount(curves, floors, marks[i]) for i in (low, high)]
    gap = ends[1] - ends[0]
    share = min(max((total - ends[0]) / gap, 0.0), 1.0) if gap > 0.0 else 1.0
    both = [
        [max(c.amount(marks[i]), f) for i in (low, high)]
        for c, f in zip(curves, floors, strict=True)
    ]
    return [a + (b - a) * share for a, b in both]


def _curve(problem: Problem, i: int, taken: float = 0.0, cash_price: float = 0.0) -> Curve:
    """What route `i` can still do after `taken` went through its pool."""
    route = problem.routes[i]
    depth = problem.depths[route.pool]
    carry = route.carry + cash_price * route.cash_per_eth / depth.price_usd
    curve = pool_curve(depth, problem.buy, problem.worst_usd, min(carry, 0.99))
    return curve.after(min(taken, curve.capacity)).until(route.cap_eth)


def _others(problem: Problem, amounts: Mapping[int, float], i: int) -> float:
    pool = problem.routes[i].pool
    return math.fsum(eth for j, eth in amounts.items() if j != i and problem.routes[j].pool == pool)


def _cash(problem: Problem, amounts: Mapping[int, float]) -> float:
    return math.fsum(problem.routes[i].cash_per_eth * eth for i, eth in amounts.items())


def _fits(problem: Problem, amounts: Mapping[int, float] | None) -> bool:
    return amounts is not None and _cash(problem, amounts) <= problem.cash_usd * (1.0 + 1e-9) + 1e-6


def _in_order(problem: Problem, amounts: Mapping[int, float]) -> Iterator[tuple[int, float, Curve]]:
    """Routes by stage, each with the curve that the ones before have left."""
    taken: dict[str, float] = {}
    for i in sorted(amounts, key=lambda i: (problem.routes[i].stage, i)):
        pool = problem.routes[i].pool
        yield i, amounts[i], _curve(problem, i, taken.get(pool, 0.0))
        taken[pool] = taken.get(pool, 0.0) + amounts[i]


def _cost(problem: Problem, amounts: Mapping[int, float]) -> float:
    """USD that go out, or less the USD that come in."""
    money = math.fsum(curve.money(eth) for _, eth, curve in _in_order(problem, amounts))
    return money if problem.buy else -money


def _split(problem: Problem, amounts: Mapping[int, float]) -> Split:
    fills = []
    for i, eth, curve in _in_order(problem, amounts):
        route = problem.routes[i]
        carry = 1.0 + route.carry if problem.buy else 1.0 - route.carry
        fills.append(Fill(route, eth, curve.price(eth) / carry, curve.money(eth) / carry))
    fixed = math.fsum(fill.route.fixed_usd for fill in fills)
    return Split(tuple(fills), abs(_cost(problem, amounts)), fixed)
