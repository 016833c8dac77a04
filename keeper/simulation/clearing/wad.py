"""Fixed point as contracts/libraries/Wad.sol: every function names its rounding."""

from __future__ import annotations

from keeper.units import STRIKE_UNIT, WAD

# A SeriesId from this bit on says underlying and expiry.
EXPIRY_SHIFT = 72


def ceil_div(a: int, b: int) -> int:
    """Rounded towards plus infinity."""
    return -(-a // b)


def mul_down(a: int, b: int) -> int:
    """Product of two WADs, rounded towards minus infinity."""
    return a * b // WAD


def mul_up(a: int, b: int) -> int:
    """Product of two WADs, rounded towards plus infinity."""
    return ceil_div(a * b, WAD)


def mul_toward_zero(a: int, b: int) -> int:
    """Product of two WADs, rounded towards zero."""
    product = a * b
    return product // WAD if product >= 0 else -(-product // WAD)


def payoff(series: int, price: int) -> int:
    """WAD USD per contract of a SeriesId at a settlement price in WAD."""
    strike = ((series >> 8) & (2**64 - 1)) * STRIKE_UNIT
    return max(price - strike if series & 1 else strike - price, 0)


def underlying_of(series: int) -> int:
    """Market id of a SeriesId."""
    return series >> 112


def expiry_of(series: int) -> int:
    """Unix seconds."""
    return (series >> 72) & (2**40 - 1)


def expiry_key(series: int) -> tuple[int, int]:
    """(underlying, expiry): what settlement is kept by."""
    return underlying_of(series), expiry_of(series)


def expiry_prefix(underlying: int, expiry: int) -> int:
    """What every SeriesId of an expiry is, shifted by EXPIRY_SHIFT: quicker to compare than its key."""
    return underlying << 40 | expiry
