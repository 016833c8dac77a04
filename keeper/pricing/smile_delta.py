"""Delta along the smile: how volatility changes with k = ln(K / F), and the delta of an option that moves along it.

Rule (sticky moneyness): the slice keeps its shape in k while the forward moves, so dvol/dF = -dvol/dk / F and
delta = delta at fixed volatility + vega dvol/dF. The slope of a raw SVI slice (Gatheral and Jacquier (2014),
"Arbitrage-free SVI volatility surfaces", eq. 3.1) is w'(k) = b (rho + x / sqrt(x^2 + sigma^2)), x = k - m, and
dvol/dk = w'(k) / (2 vol tau). Functions that end in _wad reproduce contracts/libraries/Svi.sol bit for bit.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

from keeper.errors import PricingError
from keeper.models import SviSlice
from keeper.pricing import svi
from keeper.units import SECONDS_PER_YEAR, WAD

FloatArray = NDArray[np.float64]

_MAX_VOL = 10.0


def vol_and_slope(slice_: SviSlice, k: ArrayLike) -> tuple[FloatArray, FloatArray]:
    """svi.implied_vol, and dvol/dk per 1.00 of k; no slope where the volatility is 0 or at its greatest.

    Raises PricingError as svi.implied_vol does.
    """
    vol = svi.implied_vol(slice_, k)
    x = np.asarray(k, dtype=np.float64) - slice_.m
    slope = slice_.b * (slice_.rho + x / np.sqrt(x * x + slice_.sigma**2))
    years = (slice_.expiry_s - slice_.committed_at_s) / SECONDS_PER_YEAR
    moves = (vol > 0.0) & (vol < _MAX_VOL)
    return vol, np.where(moves, slope / (2.0 * np.where(moves, vol, 1.0) * years), 0.0)


def smile_delta(
    delta: ArrayLike, vega: ArrayLike, slope: ArrayLike, forward: ArrayLike
) -> FloatArray:
    """Delta to the forward along the smile, from delta and vega (USD per 1.00 of volatility) at fixed volatility."""
    d, v, s, f = (np.asarray(x, dtype=np.float64) for x in (delta, vega, slope, forward))
    if not np.all(f > 0.0):
        raise PricingError(f"forward must be positive, got {forward!r}")
    return np.asarray(d - v * s / f)


def vol_and_slope_wad(word: int, k_wad: int, tau_at_commit_s: int) -> tuple[int, int]:
    """Svi.volAndSlope in integers: WAD in and out, volatility rounded down, slope towards zero."""
    if tau_at_commit_s <= 0:
        raise PricingError(f"tau_at_commit_s must be positive, got {tau_at_commit_s}")
    w = svi.total_variance_wad(word, k_wad)
    vol = min(math.isqrt(w * WAD * SECONDS_PER_YEAR // tau_at_commit_s), 10 * WAD)
    if vol in (0, 10 * WAD):
        return vol, 0
    q = svi.unpack(word)
    x, root = svi.offset_and_root(q, k_wad)
    slope = (q.b * (q.rho + _toward_zero(x << 48, root)) * WAD) >> 88
    return vol, _toward_zero(slope * WAD * SECONDS_PER_YEAR, 2 * vol * tau_at_commit_s)


def smile_delta_wad(delta: int, vega: int, slope: int, forward: int) -> int:
    """Svi.smileDelta in integers, all WAD."""
    if forward <= 0:
        raise PricingError(f"forward must be positive, got {forward}")
    return delta - _toward_zero(vega * slope, forward)


def _toward_zero(numerator: int, denominator: int) -> int:
    """Solidity's signed division, 0 by 0."""
    if denominator == 0:
        return 0
    quotient = abs(numerator) // denominator
    return quotient if numerator >= 0 else -quotient
