"""Raw SVI slices, w(k) = a + b (rho (k - m) + sqrt((k - m)^2 + sigma^2)), total implied variance at k = ln(K / F).

Source: Gatheral and Jacquier (2014), "Arbitrage-free SVI volatility surfaces", Quantitative Finance 14(1), eq. 3.1.
Float functions value books; the integer functions reproduce contracts/libraries/Svi.sol bit for bit, for what is
sent to the chain: one word of five fields of 51 bits in Q44, from the top a, b, rho, m, sigma.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from keeper.errors import PricingError
from keeper.models import SviSlice
from keeper.units import SECONDS_PER_YEAR, WAD

FloatArray = NDArray[np.float64]

_Q = 44
_ONE_Q = 1 << _Q
_FIELD = 51
_MASK = (1 << _FIELD) - 1
_MAX_SIGNED = (1 << 50) - 1
_LIMIT = 16 * WAD
_MAX_VOL = 10.0
_MAX_K = 1 << 100
_FIELDS = ("a", "b", "rho", "m", "sigma")


@dataclass(frozen=True, slots=True)
class QuantisedSlice:
    """The five parameters as the contract holds them: signed integers in Q44 (resolution 5.7e-14)."""

    a: int
    b: int
    rho: int
    m: int
    sigma: int

    def floats(self) -> tuple[float, float, float, float, float]:
        """(a, b, rho, m, sigma), exact."""
        return (
            self.a / _ONE_Q,
            self.b / _ONE_Q,
            self.rho / _ONE_Q,
            self.m / _ONE_Q,
            self.sigma / _ONE_Q,
        )


def total_variance(slice_: SviSlice, k: ArrayLike) -> FloatArray:
    """Total variance at the slice's commit, floored at 0; `k` log-moneyness, any shape."""
    x = np.asarray(k, dtype=np.float64) - slice_.m
    w = slice_.a + slice_.b * (slice_.rho * x + np.sqrt(x * x + slice_.sigma * slice_.sigma))
    return np.asarray(np.maximum(w, 0.0))


def implied_vol(slice_: SviSlice, k: ArrayLike) -> FloatArray:
    """Annualised volatility sqrt(w / tau at commit), at most 10 as in Svi.impliedVol; holds until the next commit."""
    lifetime_s = slice_.expiry_s - slice_.committed_at_s
    if lifetime_s <= 0:
        raise PricingError(
            f"slice of expiry {slice_.expiry_s} was committed at {slice_.committed_at_s}, not before its expiry"
        )
    vol = np.sqrt(total_variance(slice_, k) * (SECONDS_PER_YEAR / lifetime_s))
    if not np.all(np.isfinite(vol)):
        raise PricingError(f"slice of expiry {slice_.expiry_s} or k holds NaN or inf")
    return np.asarray(np.minimum(vol, _MAX_VOL))


def pack(a: int, b: int, rho: int, m: int, sigma: int) -> int:
    """Word of a slice from WAD integers, each rounded to the nearest Q44 unit, as Svi.pack."""
    for name, value in zip(_FIELDS, (a, b, rho, m, sigma), strict=True):
        if not isinstance(value, int):
            raise PricingError(
                f"{name} must be a WAD integer, got {value!r}: use pack_floats for floats"
            )
    if not 0 <= b < _LIMIT:
        raise PricingError(f"b = {b} is outside [0, 16) WAD")
    if not 0 < sigma < _LIMIT:
        raise PricingError(f"sigma = {sigma} is outside (0, 16) WAD")
    if not -WAD < rho < WAD:
        raise PricingError(f"rho = {rho} is outside (-1, 1) WAD")
    word = 0
    for name, value in zip(_FIELDS, (a, b, rho, m, sigma), strict=True):
        word = (word << _FIELD) | _to_q(name, value)
    return word


def pack_floats(a: float, b: float, rho: float, m: float, sigma: float) -> int:
    """Word of a slice from floats; PricingError names a field that is not finite or out of range."""
    wads = []
    for name, value in zip(_FIELDS, (a, b, rho, m, sigma), strict=True):
        if not math.isfinite(value):
            raise PricingError(f"{name} = {value!r} is not a finite number")
        wads.append(round(value * WAD))
    return pack(*wads)


def unpack(word: int) -> QuantisedSlice:
    """The five fields of a word, in Q44, as Svi.unpack."""
    if not 0 <= word < 1 << 256:
        raise PricingError(f"{word} is not a 256-bit word")
    return QuantisedSlice(
        a=_signed(word >> 204),
        b=(word >> 153) & _MASK,
        rho=_signed(word >> 102),
        m=_signed(word >> 51),
        sigma=word & _MASK,
    )


def slice_from_word(word: int, expiry_s: int, carry: float, committed_at_s: int) -> SviSlice:
    """The float slice that a word on the chain stands for."""
    a, b, rho, m, sigma = unpack(word).floats()
    return SviSlice(
        expiry_s=expiry_s,
        a=a,
        b=b,
        rho=rho,
        m=m,
        sigma=sigma,
        carry=carry,
        committed_at_s=committed_at_s,
    )


def validate_word(word: int) -> None:
    """PricingError wherever Svi.validate reverts: a + b sigma sqrt(1 - rho^2) < 0, b (1 + |rho|) > 2."""
    q = unpack(word)
    if q.sigma == 0:
        raise PricingError("sigma rounds to 0 in Q44: use at least 1e-13")
    if not -_ONE_Q < q.rho < _ONE_Q:
        raise PricingError("rho rounds to +-1 in Q44: keep |rho| below 1 - 1e-13")
    root = math.isqrt(_ONE_Q * _ONE_Q - q.rho * q.rho)
    minimum = q.a + (q.b * q.sigma * root) // (_ONE_Q * _ONE_Q)
    if minimum < 0:
        raise PricingError(f"least total variance is {minimum / _ONE_Q:.3g}: raise a")
    wing = (q.b * (_ONE_Q + abs(q.rho))) // _ONE_Q
    if wing > 2 * _ONE_Q:
        raise PricingError(f"wing slope b (1 + |rho|) = {wing / _ONE_Q:.6g} is above 2: lower b")


def total_variance_wad(word: int, k_wad: int) -> int:
    """Svi.totalVariance in integers: WAD in and out, rounded down, never negative, |k| < 2^100."""
    q = unpack(word)
    x, root = offset_and_root(q, k_wad)
    w = q.a + ((q.b * (((q.rho * x) >> (_Q - 4)) + root)) >> (_Q + 4))
    return 0 if w <= 0 else (w * WAD) >> _Q


def offset_and_root(q: QuantisedSlice, k_wad: int) -> tuple[int, int]:
    """The contract's k - m in Q44 and sqrt((k - m)^2 + sigma^2) in Q48."""
    if abs(k_wad) >= _MAX_K:
        raise PricingError(
            f"k = {k_wad} is outside +-2^100: a logarithm of prices is within +-104 WAD"
        )
    x = _toward_zero(k_wad << _Q, WAD) - q.m
    n = x * x + q.sigma * q.sigma
    root = (215 * ((x if x >= 0 else -x - 1) + q.sigma)) >> 8
    for shift in (0, 2, 4, 6):
        root += (n << shift) // root if root else 0
    return x, root


def find_arbitrage(
    slices: Sequence[SviSlice], k_range: float = 1.5, points: int = 301
) -> list[str]:
    """What is wrong with a surface before its commit, in words; empty when nothing was found.

    Checks finite parameters and the contract's own rules, then on a grid of log-moneyness in +-k_range butterfly
    arbitrage (Gatheral and Jacquier eq. 2.1: the density g(k) must not be negative) and calendar arbitrage between
    neighbouring expiries (total variance must not fall). Slices are taken as committed at the same moment.
    """
    if not slices:
        return ["no slices: a commit needs at least one expiry"]
    if not (math.isfinite(k_range) and k_range > 0 and points >= 3):
        raise PricingError(
            f"grid of {points} points in +-{k_range!r} is empty: use at least 3 points"
        )
    k = np.linspace(-k_range, k_range, points)
    faults: list[str] = []
    ordered = sorted(slices, key=lambda s: s.expiry_s)
    for slice_ in ordered:
        faults += [f"expiry {slice_.expiry_s}: {fault}" for fault in _slice_faults(slice_, k)]
    if faults:
        return faults
    for near, far in itertools.pairwise(ordered):
        if near.expiry_s == far.expiry_s:
            faults.append(f"expiry {near.expiry_s} appears twice")
        fall = total_variance(near, k) - total_variance(far, k)
        worst = int(np.argmax(fall))
        if fall[worst] > 0.0:
            faults.append(
                f"calendar: total variance falls by {fall[worst]:.3g} from expiry {near.expiry_s} to "
                f"{far.expiry_s} at k = {k[worst]:.3g}"
            )
    return faults


def _slice_faults(slice_: SviSlice, k: FloatArray) -> list[str]:
    try:
        validate_word(pack_floats(slice_.a, slice_.b, slice_.rho, slice_.m, slice_.sigma))
    except PricingError as error:
        return [str(error)]
    density = butterfly_density(slice_, k)
    worst = int(np.argmin(density))
    if density[worst] < 0.0:
        return [f"butterfly: density factor g = {density[worst]:.3g} at k = {k[worst]:.3g}"]
    return []


def butterfly_density(slice_: SviSlice, k: ArrayLike) -> FloatArray:
    """g(k) = (1 - k w'/2w)^2 - w'^2/4 (1/w + 1/4) + w''/2; negative where a butterfly costs less than nothing."""
    grid = np.asarray(k, dtype=np.float64)
    x = grid - slice_.m
    root = np.sqrt(x * x + slice_.sigma**2)
    w = slice_.a + slice_.b * (slice_.rho * x + root)
    slope = slice_.b * (slice_.rho + x / root)
    curvature = slice_.b * slice_.sigma**2 / root**3
    # Zero variance has no density; -inf says so without a division by zero.
    safe = np.where(w > 0.0, w, 1.0)
    g = (1.0 - grid * slope / (2.0 * safe)) ** 2 - slope**2 / 4.0 * (1.0 / safe + 0.25)
    return np.where(w > 0.0, g + curvature / 2.0, -np.inf)


def _to_q(name: str, value: int) -> int:
    half = WAD // 2 if value >= 0 else -(WAD // 2)
    q = _toward_zero((value << _Q) + half, WAD)
    if abs(q) > _MAX_SIGNED:
        raise PricingError(f"{name} = {value} WAD does not fit 51 bits in Q44: keep it within +-64")
    return q & _MASK


def _signed(field: int) -> int:
    value = field & _MASK
    return value - _MASK - 1 if value > _MAX_SIGNED else value


def _toward_zero(numerator: int, denominator: int) -> int:
    """Solidity's signed division; `denominator` positive."""
    quotient = abs(numerator) // denominator
    return quotient if numerator >= 0 else -quotient
