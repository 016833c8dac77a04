"""Bounds of parameters, and the one way from people's decimals to the chain's integers."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from pydantic import Field

from keeper import units

DAY_S = 86_400


def between(low: str, high: str) -> Any:
    """Closed range of a decimal."""
    return Field(ge=Decimal(low), le=Decimal(high), allow_inf_nan=False)


def wad(value: Decimal) -> int:
    """Exact where the value has at most 18 decimals, else rounded down."""
    return _scaled(value, units.WAD)


def usdc(value: Decimal) -> int:
    """Token units, rounded down."""
    return _scaled(value, units.USDC_UNIT)


def _scaled(value: Decimal, scale: int) -> int:
    # keeper.units takes floats, in which 0.3 is a little less than it says here.
    numerator, denominator = value.as_integer_ratio()
    return numerator * scale // denominator
