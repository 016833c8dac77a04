"""Coefficients of the Mills ratio in keeper/pricing/black_kernel.py: `python -m scripts.maths.mills_ratio`.

Takes about a minute. The least greatest error is sought for the normal distribution that comes out of it: relative
error of the ratio times 2 N(-x), but never with less weight than FLOOR, so that the far tail keeps its digits.
"""

from __future__ import annotations

import mpmath as mp

from scripts.maths.rational import Fit, minimax

DEGREES = (8, 9)
# Beyond this exp(-x^2 / 2) is 0 in double precision.
TOP = 39.0
FLOOR = "1e-2"
# The errors have most of their extrema near 0.
STRETCH = 3.0


def mills(x: mp.mpf) -> mp.mpf:
    """N(-x) / n(x), with N and n the normal distribution and density."""
    return mp.ncdf(-x) / mp.npdf(x)


def weight(x: mp.mpf) -> mp.mpf:
    """Weight of an absolute error of the ratio."""
    return mp.hypot(2 * mp.ncdf(-x), mp.mpf(FLOOR)) / mills(x)


def fitted() -> Fit:
    """The fraction with a leading coefficient of 1 in the denominator."""
    with mp.workdps(60):
        fit = minimax(mills, weight, DEGREES, (0.0, TOP), STRETCH)
        lead = fit.q[-1]
        return Fit([c / lead for c in fit.p], [c / lead for c in fit.q], fit.error)


def main() -> None:
    """Prints both rows, from the constant up, and the weighted error."""
    fit = fitted()
    for name, row in (("numerator", fit.p), ("denominator", fit.q)):
        print(name, ", ".join(repr(float(c)) for c in row))
    print("error", mp.nstr(fit.error, 3))


if __name__ == "__main__":
    main()
