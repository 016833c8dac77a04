"""For each division of the fractions: where its denominator crosses zero, and why no input reaches that integer.

The EVM has x / 0 = 0, so a crossing would give a wrong result in silence. The argument is by intervals: the domain of
each fraction is cut into pieces, on each of which every denominator has a positive lower bound that follows from the
bounds of what it is made of; rounding down costs at most one unit a level and is counted. Pieces without such a bound
are halved. Prints one line for each denominator; `python -m scripts.maths.denominators` fails when one is not safe.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from keeper.pricing import contract_constants as c

# Deviations beyond this have a density of 0; |d| itself is below 2^88 in Q56.
_FAR = 1 << 88
_DEPTH = 200


@dataclass(frozen=True)
class Finding:
    """`crossing`: the integer of the real line at which the first denominator is zero, outside the domain."""

    name: str
    domain: tuple[int, int]
    least: int
    crossing: str

    @property
    def safe(self) -> bool:
        """Whether the denominator is positive everywhere."""
        return self.least > 0


def _mills(low: int, high: int) -> list[tuple[int, int]]:
    """Bounds of the seven denominators for x in [low, high]."""
    out = [(low + c.MILLS_B7, high + c.MILLS_B7)]
    for sign, a, b in (
        (1, c.MILLS_A7, c.MILLS_B6),
        (1, c.MILLS_A6, c.MILLS_B5),
        (1, c.MILLS_A5, -c.MILLS_B4),
        (-1, c.MILLS_A4, c.MILLS_B3),
        (1, c.MILLS_A3, -c.MILLS_B2),
        (1, c.MILLS_A2, c.MILLS_B1),
    ):
        out.append(_next(low + b, high + b, sign * a, out[-1]))
    return out


def _ln(low: int, high: int) -> list[tuple[int, int]]:
    out = [(c.LN_B4 - high, c.LN_B4 - low)]
    for a, b in ((c.LN_A4, c.LN_B3), (c.LN_A3, c.LN_B2), (c.LN_A2, c.LN_B1)):
        out.append(_next(b - high, b - low, -a, out[-1]))
    return out


def _root(low: int, high: int) -> list[tuple[int, int]]:
    out = [(low + c.ROOT_B3, high + c.ROOT_B3)]
    out.append(_next(low + c.ROOT_B2, high + c.ROOT_B2, -c.ROOT_A3, out[-1]))
    out.append(_next(low + c.ROOT_B1, high + c.ROOT_B1, -c.ROOT_A2, out[-1]))
    seed = _next(c.ROOT_C0, c.ROOT_C0, -c.ROOT_A1, out[-1])
    return [*out, seed]


def _power(low: int, high: int) -> list[tuple[int, int]]:
    """Y + B2, the next, and c + g with g >= -1/2 for y = g^2 in Q112."""
    out = [(low + c.POWER_B2, high + c.POWER_B2)]
    out.append(_next(low + c.POWER_B1, high + c.POWER_B1, -c.POWER_A2, out[-1]))
    value = _next(c.POWER_C0, c.POWER_C0, -c.POWER_A1, out[-1])
    return [*out, (value[0] - (1 << 55), value[1] + (1 << 55))]


def _next(low: int, high: int, a: int, last: tuple[int, int]) -> tuple[int, int]:
    """Bounds of x + a / last for x in [low, high]; no bound when `last` may be zero."""
    if last[0] <= 0:
        return (-1, high)
    quotients = sorted((abs(a) // last[1], abs(a) // last[0] + 1))
    if a < 0:
        quotients = [-quotients[1], -quotients[0]]
    return (low + quotients[0], high + quotients[1])


FRACTIONS: dict[str, tuple[Callable[[int, int], list[tuple[int, int]]], int, int, str]] = {
    "Mills ratio, x = |d| in Q56": (_mills, 0, _FAR, f"x = -{c.MILLS_B7} (x is never negative)"),
    "logarithm, y = z^2 in Q96": (_ln, 0, c.LN_LIMIT, f"y = {c.LN_B4} (1.20; y is at most 0.16)"),
    "seed of the root, tau in s": (
        _root, c.ROOT_LOW, c.ROOT_LOW + c.ROOT_SPAN, f"tau = -{c.ROOT_B3} (tau is never negative)"
    ),
    "power of two, y = g^2 in Q112": (
        _power, 0, 1 << 110, f"y = -{c.POWER_B2} (a square is never negative)"
    ),
}  # fmt: skip


def _pieces(
    bounds: Callable[[int, int], list[tuple[int, int]]], low: int, high: int, depth: int = 0
) -> Iterator[list[tuple[int, int]]]:
    found = bounds(low, high)
    if min(b[0] for b in found) > 0 or depth == _DEPTH or high - low <= 1:
        yield found
        return
    middle = (low + high) // 2
    yield from _pieces(bounds, low, middle, depth + 1)
    yield from _pieces(bounds, middle, high, depth + 1)


def findings() -> list[Finding]:
    """One for each denominator, the least value over the whole domain."""
    out = []
    for name, (bounds, low, high, crossing) in FRACTIONS.items():
        least: list[int] = []
        for piece in _pieces(bounds, low, high):
            least = [
                min(x, b[0]) for x, b in zip(least or [b[0] for b in piece], piece, strict=True)
            ]
            if min(least) <= 0:
                break  # one zero is enough to refuse; halving on would not end
        out += [
            Finding(f"{name}, level {len(least) - i}", (low, high), x, crossing)
            for i, x in enumerate(least)
        ]
    return out


def main() -> int:
    every = findings()
    for f in every:
        print(
            f"{f.name}: at least {f.least} on [{f.domain[0]}, {f.domain[1]}]; innermost zero at {f.crossing}"
        )
    return 0 if all(f.safe for f in every) else 1


if __name__ == "__main__":
    sys.exit(main())
