"""The one place where integers of the chain become floats of the maths, and back.

WAD is 18 decimals, USDC has 6 at the token boundary. Towards the chain every conversion names its rounding.
"""

from __future__ import annotations

import math
from fractions import Fraction

from keeper.errors import PricingError

WAD = 10**18
USDC_UNIT = 10**6
WAD_PER_USDC_UNIT = WAD // USDC_UNIT
GWEI = 10**9
STRIKE_UNIT = 10**10
SECONDS_PER_YEAR = 365 * 24 * 3600
SETTLEMENT_SECOND_OF_DAY = 8 * 3600


def from_wad(value: int) -> float:
    """WAD integer to float, correctly rounded."""
    return value / WAD


def from_usdc(value: int) -> float:
    """USDC token units to float USD."""
    return value / USDC_UNIT


def _floor_scaled(value: float, scale: int) -> int:
    """floor(value * scale), exact: a double is a ratio of integers, and Decimal would round at 28 digits."""
    if not math.isfinite(value):
        raise PricingError(f"cannot convert {value!r} to a chain integer: not a finite number")
    numerator, denominator = float(value).as_integer_ratio()
    return numerator * scale // denominator


def to_wad_down(value: float) -> int:
    """Float to WAD, rounded towards minus infinity."""
    return _floor_scaled(value, WAD)


def to_wad_up(value: float) -> int:
    """Float to WAD, rounded towards plus infinity."""
    return -_floor_scaled(-value, WAD)


def to_wad_toward_zero(value: float) -> int:
    """Float to WAD, rounded towards zero: a size that must not grow by conversion."""
    return to_wad_down(value) if value >= 0 else to_wad_up(value)


def to_usdc_down(value: float) -> int:
    """Float USD to USDC token units, rounded towards minus infinity."""
    return _floor_scaled(value, USDC_UNIT)


def encode_series(underlying: int, expiry_s: int, strike_usd: float, is_call: bool) -> int:
    """SeriesId as `contracts/libraries/SeriesId.sol` packs it; strike rounded to the nearest 1e-8 USD."""
    if not 0 < underlying < 2**16:
        raise PricingError(f"underlying {underlying} is not a market id in 1..65535")
    if expiry_s % 86_400 != SETTLEMENT_SECOND_OF_DAY or not 0 < expiry_s < 2**40:
        raise PricingError(f"expiry {expiry_s} is not at 08:00 UTC")
    if not math.isfinite(strike_usd):
        raise PricingError(f"strike {strike_usd!r} is not a finite number")
    strike = round(Fraction(strike_usd) * 10**8)
    if not 0 < strike < 2**64:
        raise PricingError(f"strike {strike_usd!r} USD is outside (0, 1.8e11)")
    return (underlying << 112) | (expiry_s << 72) | (strike << 8) | int(is_call)


def decode_series(series_id: int) -> tuple[int, int, float, bool]:
    """(underlying, expiry_s, strike_usd, is_call) of a SeriesId."""
    strike = (series_id >> 8) & (2**64 - 1)
    return series_id >> 112, (series_id >> 72) & (2**40 - 1), strike / 10**8, bool(series_id & 1)


def pack_leg(series_id: int, size_wad: int) -> int:
    """PackedLeg as `contracts/libraries/SeriesId.sol` packs it, size in the upper half."""
    if not 0 <= series_id < 2**128 or not -(2**127) <= size_wad < 2**127:
        raise PricingError(f"leg ({series_id:#x}, {size_wad}) does not fit one word")
    return (size_wad % 2**128) << 128 | series_id


def unpack_leg(word: int) -> tuple[int, int]:
    """(series_id, size_wad) of a PackedLeg."""
    size = word >> 128
    return word & (2**128 - 1), size - (size >> 127 << 128)
