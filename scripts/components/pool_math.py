"""Prices and amounts of a Uniswap v3 pool of WETH (18 decimals) and USDC (6), in integers.

Source: Uniswap v3 core white paper (2021), sections 6.1 to 6.3. Square-root prices are in Q96.
"""

from __future__ import annotations

import decimal
import math
from decimal import Decimal

Q96 = 1 << 96
MIN_TICK = -887272
MAX_TICK = 887272
PIPS = 10**6
_DECIMALS_APART = 10**12
_EXACT = decimal.Context(prec=60)
_TICK_BASE = Decimal("1.0001")


def sqrt_price_x96(price_usd: Decimal, base_is_token0: bool) -> int:
    """Square-root price of the pool at a price in USD per ETH, rounded down.

    Raises ValueError unless the price is finite and positive.
    """
    if not price_usd.is_finite() or price_usd <= 0:
        raise ValueError(f"price {price_usd} is not a positive number of USD per ETH")
    numerator, denominator = price_usd.as_integer_ratio()
    denominator *= _DECIMALS_APART
    if not base_is_token0:
        numerator, denominator = denominator, numerator
    return math.isqrt((numerator << 192) // denominator)


def price_of(sqrt_price: int, base_is_token0: bool) -> Decimal:
    """USD per ETH at a square-root price."""
    ratio = _EXACT.divide(Decimal(sqrt_price * sqrt_price), Decimal(1 << 192))
    if not base_is_token0:
        ratio = _EXACT.divide(Decimal(1), ratio)
    return _EXACT.multiply(ratio, Decimal(_DECIMALS_APART))


def sqrt_price_at_tick(tick: int) -> int:
    """Square-root price at a tick, to within one unit."""
    root = _EXACT.sqrt(_EXACT.power(_TICK_BASE, tick))
    return int(_EXACT.multiply(root, Decimal(Q96)))


def tick_range(sqrt_price: int, factor: float | None, spacing: int) -> tuple[int, int]:
    """Ticks around a price, from price / factor to price x factor outward to the spacing; all of them if None.

    Raises ValueError unless the factor is above 1.
    """
    if factor is None:
        widest = MAX_TICK // spacing * spacing
        return -widest, widest
    if not factor > 1:
        raise ValueError(f"range factor {factor} must be above 1")
    centre = 2 * math.log(sqrt_price / Q96) / math.log(1.0001)
    width = math.log(factor) / math.log(1.0001)
    lower = math.floor((centre - width) / spacing) * spacing
    upper = math.ceil((centre + width) / spacing) * spacing
    return max(lower, -(MAX_TICK // spacing * spacing)), min(upper, MAX_TICK // spacing * spacing)


def usdc_beside(weth: int, sqrt_price: int, ticks: tuple[int, int], base_is_token0: bool) -> int:
    """USDC units that a position with `weth` wei takes at this price, rounded up."""
    lower, upper = (sqrt_price_at_tick(tick) for tick in ticks)
    if base_is_token0:
        liquidity = weth * sqrt_price * upper // Q96 // (upper - sqrt_price)
        return -(-liquidity * (sqrt_price - lower) // Q96)
    liquidity = weth * Q96 // (sqrt_price - lower)
    return -(-liquidity * Q96 * (upper - sqrt_price) // (upper * sqrt_price))


def input_to_reach(liquidity: int, now: int, target: int, fee: int) -> int:
    """Token units that a swap takes to bring the price from `now` to `target`, fee included, rounded up.

    Exact while no initialised tick lies between. Token 0 goes in where the price falls, token 1 where it rises.
    """
    if target < now:
        amount = -(-liquidity * Q96 * (now - target) // (now * target))
    else:
        amount = -(-liquidity * (target - now) // Q96)
    return -(-amount * PIPS // (PIPS - fee)) + 1
