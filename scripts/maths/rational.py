"""Weighted minimax rational functions (Remez exchange) and their form as continued (J-) fractions.

A J-fraction c0 + a1 / (x + b1 + a2 / (x + b2 + ...)) needs one division and two additions a level, which on the EVM
is cheaper than numerator and denominator by Horner's rule. Reference: Cheney (1966), "Introduction to approximation
theory", chapter 5.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import mpmath as mp

Real = mp.mpf
Function = Callable[[Real], Real]

_GRID = 500
# A float, so that the constants do not depend on the precision in force when this is imported.
_GOLDEN = 0.618


@dataclass(frozen=True)
class Fit:
    """p / q, coefficients from the constant up, and the greatest weighted error found."""

    p: list[Real]
    q: list[Real]
    error: Real

    def __call__(self, x: Real) -> Real:
        """p(x) / q(x)."""
        return polynomial(self.p, x) / polynomial(self.q, x)


@dataclass(frozen=True)
class Fraction:
    """c0 + a1 / (x + b1 + a2 / (x + b2 + ...)); `levels` are (a, b)."""

    c0: Real
    levels: list[tuple[Real, Real]]


def polynomial(coefficients: Sequence[Real], x: Real) -> Real:
    """Coefficients from the constant up, by Horner's rule."""
    value = mp.mpf(0)
    for c in reversed(coefficients):
        value = value * x + c
    return value


def minimax(
    f: Function,
    weight: Function,
    degrees: tuple[int, int],
    interval: tuple[float, float],
    stretch: float = 2.0,
) -> Fit:
    """The rational function of the given degrees with the least greatest weight * |error| on the interval.

    `stretch` above 1 packs the search points towards the lower end.
    """
    n, m = degrees
    low, high = map(mp.mpf, interval)
    count = n + m + 2
    grid = [low + (high - low) * (mp.mpf(i) / _GRID) ** stretch for i in range(_GRID + 1)]
    nodes = [
        low + (high - low) * ((1 - mp.cos(mp.pi * i / (count - 1))) / 2) ** stretch
        for i in range(count)
    ]
    values = [(x, f(x), weight(x)) for x in grid]
    fit = None
    for _ in range(25):
        fit = _levelled(f, weight, degrees, nodes, fit)
        errors = [(fx - fit(x)) * w for x, fx, w in values]
        extrema = _alternating(errors, count)
        worst = max(abs(errors[i]) for i in extrema)
        fit = Fit(fit.p, fit.q, worst)
        if len(extrema) < count or worst < min(abs(errors[i]) for i in extrema) * mp.mpf("1.01"):
            return fit
        nodes = [_refined(lambda x, fit=fit: (f(x) - fit(x)) * weight(x), grid, i) for i in extrema]
    return fit


def _levelled(
    f: Function, weight: Function, degrees: tuple[int, int], nodes: Sequence[Real], last: Fit | None
) -> Fit:
    """A fraction whose weighted error has one size and alternating sign on the nodes.

    The system is solved repeatedly because the unknown error multiplies the unknown q.
    """
    n, m = degrees
    size = n + m + 2
    q = last.q if last else [mp.mpf(1)] + [mp.mpf(0)] * m
    error = mp.mpf(0)
    for _ in range(12):
        a, b = mp.matrix(size, size), mp.matrix(size, 1)
        for i, x in enumerate(nodes):
            fx = f(x)
            for j in range(n + 1):
                a[i, j] = x**j
            for j in range(1, m + 1):
                a[i, n + j] = -fx * x**j
            a[i, size - 1] = (-1) ** i / weight(x) * polynomial(q, x)
            b[i] = fx
        solved = mp.lu_solve(a, b)
        q = [mp.mpf(1), *(solved[n + j] for j in range(1, m + 1))]
        before, error = error, solved[size - 1]
        if abs(error - before) <= abs(error) * mp.mpf(10) ** -8:
            break
    return Fit([solved[j] for j in range(n + 1)], q, abs(error))


def _alternating(errors: Sequence[Real], count: int) -> list[int]:
    runs: list[list[int]] = [[0]]
    for i in range(1, len(errors)):
        if errors[i] * errors[runs[-1][-1]] >= 0:
            runs[-1].append(i)
        else:
            runs.append([i])
    extrema = [max(run, key=lambda i: abs(errors[i])) for run in runs]
    while len(extrema) > count:
        drop = 0 if abs(errors[extrema[0]]) < abs(errors[extrema[-1]]) else -1
        extrema.pop(drop)
    return extrema


def _refined(error: Function, grid: Sequence[Real], i: int) -> Real:
    low, high = grid[max(i - 1, 0)], grid[min(i + 1, len(grid) - 1)]
    for _ in range(12):
        left, right = high - (high - low) * _GOLDEN, low + (high - low) * _GOLDEN
        if abs(error(left)) > abs(error(right)):
            high = right
        else:
            low = left
    return max((grid[i], (low + high) / 2), key=lambda x: abs(error(x)))


def j_fraction(fit: Fit) -> Fraction:
    """The same function as a J-fraction; deg p <= deg q."""
    p, q = list(fit.p), list(fit.q)
    c0 = mp.mpf(0)
    if len(p) == len(q):
        c0 = p[-1] / q[-1]
        p = [x - c0 * y for x, y in zip(p, q, strict=True)][:-1]
    levels = []
    while p:
        # p / q = a / (x + b + rest / p): one step of Euclid's algorithm.
        a = p[-1] / q[-1]
        scaled = [a * y for y in q]
        shifted = [mp.mpf(0), *p]
        rest = [x - y for x, y in zip(scaled, shifted, strict=True)][:-1]
        b = rest[-1] / p[-1]
        levels.append((a, b))
        p, q = [x - b * y for x, y in zip(rest, p, strict=True)][:-1], p
    return Fraction(c0, levels)
