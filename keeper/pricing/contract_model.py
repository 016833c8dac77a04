"""The integers of contracts/libraries/BlackScholes.sol, step by step: same inputs, same outputs, bit for bit.

For differential tests and for what must be known to the wei before it is sent; books are valued with `black76`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from keeper.errors import PricingError
from keeper.pricing import contract_constants as c
from keeper.units import WAD

MAX_PRICE = 1 << 96
MAX_VOL = 10 * WAD
MAX_TAU_S = 3650 * 86_400
_MIN_S = 1 << 48
_CERTAIN = 1000 << 56
_ONE_56 = 1 << 56


@dataclass(frozen=True, slots=True)
class ContractGreeks:
    """WAD integers: USD, per USD of forward, per USD^2, per 1.00 of volatility, per year."""

    price: int
    delta: int
    gamma: int
    vega: int
    theta: int


def greeks(
    is_call: bool, forward: int, strike: int, vol: int, tau_s: int, discount: int = WAD
) -> ContractGreeks:
    """BlackScholes.greeks; forward, strike, vol and discount in WAD, tau in whole seconds.

    Raises PricingError wherever the contract reverts.
    """
    _check(forward, strike, vol, tau_s, discount)
    k, s = _log_and_s(is_call, forward, strike, vol, tau_s)
    x = _toward_zero(k, s)
    d1, d2 = x + (s >> 17), x - (s >> 17)
    phi = _density(d1, discount)
    m1, m2 = (-(d < 0) for d in (d1, d2))
    q1, q2 = (_mills(d ^ m) ^ m for d, m in ((d1, m1), (d2, m2)))
    one, two = m1 + is_call, m2 + is_call
    whole = discount * (forward * one - strike * two)
    value = (whole - ((forward * ((phi * (q1 - q2)) >> 56)) >> 56)) // WAD
    spread = ((forward * phi) >> 56) * s
    return ContractGreeks(
        price=value,
        delta=discount * one - ((phi * q1) >> 112),
        gamma=phi * (WAD << 16) // (forward * s),
        vega=spread // vol >> 72 if vol else 0,
        theta=-(spread * 15_768_000 // (tau_s * WAD) >> 72) if tau_s else 0,
    )


def _check(forward: int, strike: int, vol: int, tau_s: int, discount: int) -> None:
    for name, value, low, high in (
        ("forward", forward, 1, MAX_PRICE),
        ("strike", strike, 1, MAX_PRICE),
        ("vol", vol, 0, MAX_VOL),
        ("tau_s", tau_s, 0, MAX_TAU_S),
        ("discount", discount, 0, WAD),
    ):
        if not low <= value <= high:
            raise PricingError(f"{name} must lie in [{low}, {high}], got {value}")


def _log_and_s(is_call: bool, forward: int, strike: int, vol: int, tau_s: int) -> tuple[int, int]:
    """ln(F/K) in Q128 and vol sqrt(tau) in Q72."""
    root = (
        _root(tau_s)
        if c.ROOT_LOW <= tau_s <= c.ROOT_LOW + c.ROOT_SPAN
        else math.isqrt(tau_s << 126)
    )
    s = (root * vol * c.ROOT_SCALE) >> 128
    if s < _MIN_S:
        above = forward > strike if is_call else forward >= strike
        return (_CERTAIN if above else -_CERTAIN), 1
    if 3 * forward > 7 * strike:
        return _ln_far(forward, strike), s
    if 3 * strike > 7 * forward:
        return -_ln_far(strike, forward), s
    return _ln(_toward_zero((forward - strike) << 96, forward + strike)), s


def _root(tau_s: int) -> int:
    r = tau_s - c.ROOT_A3 // (tau_s + c.ROOT_B3) + c.ROOT_B2
    r = tau_s + c.ROOT_B1 - c.ROOT_A2 // r
    r = c.ROOT_C0 - c.ROOT_A1 // r
    for shift in (120, 122, 124):
        r += (tau_s << shift) // r
    return r


def _ln(z: int) -> int:
    """2 atanh z, z in Q96, result in Q128."""
    y = z * z >> 96
    w = c.LN_B3 - y - c.LN_A4 // (c.LN_B4 - y)
    w = c.LN_B2 - y - c.LN_A3 // w
    w = c.LN_B1 - y - c.LN_A2 // w
    return (z * (c.LN_C0 + c.LN_A1 // w)) >> 64


def _ln_far(high: int, low: int) -> int:
    """ln(high / low) in Q128, high above 7/3 of low."""
    low, fourths = low << 2, 1
    while 3 * high > 112 * low:
        low, fourths = low << 4, fourths + 2
    for step in (28, 7):
        if 3 * high > step * low:
            low, fourths = low << 2, fourths + 1
    return fourths * c.LN4 + _ln(_toward_zero((high - low) << 96, high + low))


def _density(d: int, discount: int) -> int:
    """phi(d) x discount, WAD x 2^56."""
    g = (d * d * c.HALF_LOG2_E) >> 120
    n, g = g >> 56, (g & (_ONE_56 - 1)) - (_ONE_56 >> 1)
    y = g * g
    power = c.POWER_C0 - c.POWER_A1 // (y + c.POWER_B1 - c.POWER_A2 // (y + c.POWER_B2))
    return ((power - g) * discount * c.DENSITY) // (power + g) >> n


def _mills(x: int) -> int:
    """N(-x) / phi(x), Q56."""
    r = x + c.MILLS_B6 + c.MILLS_A7 // (x + c.MILLS_B7)
    r = x + c.MILLS_B5 + c.MILLS_A6 // r
    r = x - c.MILLS_B4 + c.MILLS_A5 // r
    r = x + c.MILLS_B3 - c.MILLS_A4 // r
    r = x - c.MILLS_B2 + c.MILLS_A3 // r
    r = x + c.MILLS_B1 + c.MILLS_A2 // r
    return c.MILLS_A1 // r


def _toward_zero(numerator: int, denominator: int) -> int:
    quotient = abs(numerator) // denominator
    return quotient if numerator >= 0 else -quotient
