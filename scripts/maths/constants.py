"""Fits and rounds every constant of contracts/libraries/MathsConstants.sol and of its Python twin; prints the errors.

`python -m scripts.maths.constants` prints, `--write` writes both files. tests/contracts/test_maths_constants.py
regenerates and compares.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import mpmath as mp

from scripts.maths.rational import Fit, Fraction, Real, j_fraction, minimax

ROOT = Path(__file__).resolve().parents[2]
SOLIDITY = ROOT / "contracts" / "libraries" / "MathsConstants.sol"
PYTHON = ROOT / "keeper" / "pricing" / "contract_constants.py"

DIGITS = 40
YEAR_S = 365 * 86_400
# Formats: the fixed-point bits of deviations, density and Mills ratio; of logarithms; of s = vol sqrt(tau).
Q_D, Q_LN, Q_S = 56, 96, 72
# Square root of seconds: least and greatest time of its seed, and the bits of the result after three steps.
ROOT_LOW_S, ROOT_HIGH_S, Q_ROOT = 1800, 2 * YEAR_S, 63
# Places of the scenario table: deviations on each side, pieces, parts of a piece.
TABLE_DEVIATIONS, TABLE_PIECES, Q_PIECE = 5.5, 512, 24
LN_LIMIT = 0.16  # z^2 of z = (F - K) / (F + K): ratios from 3/7 to 7/3
MILLS_END = 8


@dataclass(frozen=True)
class Group:
    """Constants with the sentence that explains them."""

    about: str
    values: dict[str, int]


def mills(x: Real) -> Real:
    """R(x) = N(-x) / phi(x)."""
    return mp.sqrt(mp.pi / 2) * mp.erfc(x / mp.sqrt(2)) * mp.exp(x * x / 2)


def mills_weight(x: Real) -> Real:
    """The density that multiplies R(|d|), at most phi(|d| - s) because the price takes both R's times phi(d1).

    1.1 and the small sum hold it up as far as every partial denominator stays positive.
    """
    bump = max(x - mp.mpf("1.1"), 0)
    return mp.mpf("0.3989") * mp.exp(-bump * bump / 2) + mp.mpf("1e-6")


def ln_over_z(y: Real) -> Real:
    """ln((1 + z) / (1 - z)) / z at z = sqrt(y)."""
    z = mp.sqrt(y)
    return mp.mpf(2) if y == 0 else 2 * mp.atanh(z) / z


def half_power(y: Real) -> Real:
    """C with 2^-g = (c - g) / (c + g), at g = sqrt(y): g coth(g ln(2) / 2)."""
    half = mp.log(2) / 2
    g = mp.sqrt(y)
    return 1 / half if y == 0 else g * mp.coth(g * half)


def half_power_weight(y: Real) -> Real:
    """Relative error of 2^-g per error of c."""
    g = mp.sqrt(y) + mp.mpf("1e-4")
    return 2 * g / (half_power(y) ** 2 - y)


def fits() -> dict[str, Fit]:
    """The four approximations; seconds of work."""
    mp.mp.dps = DIGITS
    return {
        "Mills ratio, times density": minimax(mills, mills_weight, (6, 7), (0, MILLS_END)),
        "logarithm, relative": minimax(
            ln_over_z, lambda y: 1 / ln_over_z(y), (4, 4), (0, LN_LIMIT)
        ),
        "power of two, relative": minimax(half_power, half_power_weight, (2, 2), (0, 0.25)),
        "seed of the root, relative": minimax(
            mp.sqrt, lambda x: 1 / mp.sqrt(x), (3, 3), (ROOT_LOW_S, ROOT_HIGH_S), 4.0
        ),
    }


def rounded(x: Real, bits: int) -> int:
    """|x| in units of 2^-bits; signs are written in the code."""
    return int(mp.nint(abs(x) * mp.mpf(2) ** bits))


def levels(prefix: str, fraction: Fraction, bits: int) -> dict[str, int]:
    values = {}
    for i, (a, b) in enumerate(fraction.levels, 1):
        values[f"{prefix}_A{i}"] = rounded(a, 2 * bits)
        values[f"{prefix}_B{i}"] = rounded(b, bits)
    return values


def groups(fitted: dict[str, Fit]) -> list[Group]:
    """Every constant, rounded."""
    mill, ln, power, root = (fitted[name] for name in fitted)
    ln_j, root_j = j_fraction(ln), j_fraction(root)
    root_values = {"ROOT_C0": rounded(root_j.c0, Q_ROOT - 3)}
    for i, (a, b) in enumerate(root_j.levels, 1):
        root_values[f"ROOT_A{i}"] = rounded(a, Q_ROOT - 3 if i == 1 else 0)
        root_values[f"ROOT_B{i}"] = rounded(b, 0)
    scale = mp.mpf(2) ** (Q_S - Q_ROOT) / (mp.mpf(10) ** 18 * mp.sqrt(YEAR_S))
    density = 1 / mp.sqrt(4 * mp.pi)
    place = TABLE_PIECES * mp.mpf(2) ** Q_PIECE / (2 * mp.mpf(TABLE_DEVIATIONS))
    half_s = place / 2 * mp.mpf(2) ** (160 - Q_ROOT) / (mp.mpf(10) ** 18 * mp.sqrt(YEAR_S))
    return [
        Group("Mills ratio R(x), x in Q56: seven levels.", levels("MILLS", j_fraction(mill), Q_D)),
        Group(
            "ln((1 + z) / (1 - z)) / z in y = z^2, Q96: four levels and a constant.",
            {"LN_C0": rounded(ln_j.c0, Q_LN), **levels("LN", ln_j, Q_LN)},
        ),
        Group("Greatest y of that fraction; ln 4 in Q128.",
              {"LN_LIMIT": rounded(LN_LIMIT, Q_LN), "LN4": rounded(mp.log(4), 128)}),
        Group(
            "c(y) = C0 - A1 / (y + B1 - A2 / (y + B2)) with 2^-g = (c - g) / (c + g), y = g^2 in Q112, c in Q56.",
            power_values(power),
        ),
        Group("1 / (2 ln 2) in Q64, and 2^-1/2 / sqrt(2 pi) in Q56.",
              {"HALF_LOG2_E": rounded(1 / (2 * mp.log(2)), 64),
               "DENSITY": rounded(density, Q_D)}),
        Group("Seed of sqrt(seconds), Q60.", root_values),
        Group("The seed's range in seconds.",
              {"ROOT_LOW": ROOT_LOW_S, "ROOT_SPAN": ROOT_HIGH_S - ROOT_LOW_S}),
        Group("vol (WAD) x sqrt(seconds) (Q63) to s (Q72), times 2^128.",
              {"ROOT_SCALE": rounded(scale, 128)}),
        Group(
            "Scenarios, p places to a deviation: p^2 / 2, and vol (WAD) x sqrt(seconds) (Q63) to p s / 2, times 2^160.",
            {"LN_PLACE": rounded(place * place / 2, 0), "ROOT_PLACE": rounded(half_s, 0)},
        ),
    ]  # fmt: skip


def power_values(fit: Fit) -> dict[str, int]:
    """C0 and the first numerator in Q56, y and what is added to it in Q112."""
    fraction = j_fraction(fit)
    values = {"POWER_C0": rounded(fraction.c0, Q_D)}
    for i, (a, b) in enumerate(fraction.levels, 1):
        values[f"POWER_A{i}"] = rounded(a, 3 * Q_D if i == 1 else 4 * Q_D)
        values[f"POWER_B{i}"] = rounded(b, 2 * Q_D)
    return values


def solidity(all_groups: list[Group]) -> str:
    lines = [
        "// SPDX-License-Identifier: MIT",
        "pragma solidity 0.8.30;",
        "",
        "// Written by scripts/maths/constants.py, which fits, rounds and prints the error of each: do not edit.",
    ]
    for group in all_groups:
        lines += ["", f"// {group.about}"]
        lines += [f"uint256 constant {name} = {value:#x};" for name, value in group.values.items()]
    return "\n".join(lines) + "\n"


def python(all_groups: list[Group]) -> str:
    lines = [
        '"""Written by scripts/maths/constants.py, the same integers as MathsConstants.sol: do not edit."""'
    ]
    for group in all_groups:
        lines += ["", f"# {group.about}"]
        lines += [
            f"{name} = {value:#X}".replace("0X", "0x") for name, value in group.values.items()
        ]
    return "\n".join(lines) + "\n"


def main(arguments: list[str]) -> int:
    fitted = fits()
    for name, fit in fitted.items():
        print(f"{name}: {mp.nstr(fit.error, 4)}")
    every = groups(fitted)
    outputs: list[tuple[Path, Callable[[list[Group]], str]]] = [
        (SOLIDITY, solidity),
        (PYTHON, python),
    ]
    for path, render in outputs:
        if "--write" in arguments:
            path.write_text(render(every), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
