"""What every policy's typed parameters share, and the check that keeps NaN out of a plan."""

from __future__ import annotations

import math

from pydantic import BaseModel, ConfigDict

from keeper.errors import PricingError
from keeper.models import Book


class PolicyParameters(BaseModel):
    """Unknown keys, NaN and numbers in quotes are rejected."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)


def finite_delta(book: Book) -> float:
    """Net delta in ETH. Raises PricingError when the book has none that is a number."""
    if not math.isfinite(book.delta_eth):
        raise PricingError(
            f"net delta is {book.delta_eth!r}: no plan can be made from this book; check legs, surface and venues"
        )
    return book.delta_eth
