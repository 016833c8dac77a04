"""What the pricing functions accept: arrays of one shape, or scalars, within stated ranges."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import ArrayLike, NDArray

from keeper.errors import PricingError

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]

MAX_PRICE_USD = 1e12
MAX_VOL = 10.0
MAX_TAU_YEARS = 10.0
# A forward or strike under one WAD unit does not exist on the chain.
MIN_PRICE_USD = 1e-18


def columns(
    is_call: ArrayLike, named: Mapping[str, ArrayLike]
) -> tuple[BoolArray, list[FloatArray], tuple[int, ...]]:
    """Flat columns of one length and the shape that they share; PricingError names what does not fit."""
    calls = np.asarray(is_call)
    if calls.dtype != np.bool_:
        raise PricingError(
            f"is_call must hold booleans, got dtype {calls.dtype}: use True for a call"
        )
    arrays = {name: numbers(name, value) for name, value in named.items()}
    shape = calls.shape
    for array in arrays.values():
        shape = shape or array.shape
    for name, array in {"is_call": calls, **arrays}.items():
        if array.shape not in ((), shape):
            raise PricingError(f"{name} has shape {array.shape}, expected {shape} or a scalar")
    if calls.shape != shape:
        calls = np.full(shape, calls)
    return calls.reshape(-1), [_flat(array, shape) for array in arrays.values()], shape


def numbers(name: str, value: ArrayLike) -> FloatArray:
    """`value` as an array of doubles."""
    try:
        return np.asarray(value, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise PricingError(f"{name} is not an array of numbers: {error}") from error


def _flat(array: FloatArray, shape: tuple[int, ...]) -> FloatArray:
    if array.shape != shape:
        array = np.full(shape, array)
    return array.reshape(-1)


def check_range(name: str, values: FloatArray, low: float, high: float) -> None:
    """PricingError with the first value outside [low, high], NaN included; 0 <= low.

    As unsigned integers doubles keep their order, and negative ones and NaN lie above infinity: one maximum finds all
    three.
    """
    flat = values.reshape(-1)
    if flat.size == 0:
        return
    bits = np.float64(high).view(np.uint64)
    if np.maximum.reduce(flat.view(np.uint64)) <= bits and (
        low == 0.0 or np.minimum.reduce(flat) >= low
    ):
        return
    outside = np.flatnonzero(~((flat >= low) & (flat <= high)))
    if outside.size:
        raise PricingError(
            f"{name} must lie in [{low:g}, {high:g}], got {flat[outside[0]]!r} at position {outside[0]}"
        )
