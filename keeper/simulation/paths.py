"""Seeded price paths for the hedging simulator."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from keeper.errors import ConfigError

FloatArray = NDArray[np.float64]


def lognormal_paths(
    spot: float, vol: float, years: float, steps: int, paths: int, seed: int, drift: float = 0.0
) -> FloatArray:
    """(steps + 1, paths) of geometric Brownian motion, spot first; `vol` and `drift` a year."""
    if not (
        spot > 0 and vol > 0 and years > 0 and math.isfinite(spot * vol * years * (1 + abs(drift)))
    ):
        raise ConfigError("paths need positive, finite spot, vol and years and a finite drift")
    if steps < 1 or paths < 1:
        raise ConfigError("paths need at least one step and one path")
    dt = years / steps
    out = np.empty((steps + 1, paths))
    out[0] = 0.0
    np.cumsum(
        np.random.default_rng(seed).standard_normal((steps, paths)) * (vol * math.sqrt(dt)),
        axis=0,
        out=out[1:],
    )
    out += ((drift - 0.5 * vol * vol) * dt * np.arange(steps + 1))[:, None]
    return np.asarray(spot * np.exp(out))
