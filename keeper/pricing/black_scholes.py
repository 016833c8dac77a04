"""Black-Scholes-Merton price and Greeks of mixed calls and puts on spot, with interest and a continuous yield.

Source: Merton (1973), "Theory of rational option pricing", Bell Journal of Economics 4; Haug (2007), "The complete
guide to option pricing formulas", chapters 1 and 2. With forward S e^((r-q)t) and discount e^(-rt) it is Black's
formula; the chain's own convention (discount 1, the committed carry) is keeper.pricing.black76.spot_greeks.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike

from keeper.errors import PricingError
from keeper.pricing import black76
from keeper.pricing.black76 import CrossGreeks
from keeper.pricing.option_columns import (
    MAX_PRICE_USD,
    MAX_TAU_YEARS,
    MIN_PRICE_USD,
    check_range,
    numbers,
)

# Of interest and yield, a year. Ten years of it stay far from overflow.
MAX_RATE = 10.0


def greeks(
    is_call: ArrayLike,
    spot: ArrayLike,
    strike: ArrayLike,
    vol: ArrayLike,
    tau_years: ArrayLike,
    *,
    rate: float = 0.0,
    dividend_yield: float = 0.0,
) -> CrossGreeks:
    """Price and Greeks to the spot; theta is the change of value a year at unchanged spot and volatility.

    Arrays and their ranges as in `black76.greeks`, spot in place of the forward; `rate` and `dividend_yield` are
    continuous, a year, decimal, in [-10, 10]. Raises PricingError naming what is outside.
    """
    for name, value in (("rate", rate), ("dividend_yield", dividend_yield)):
        if not (math.isfinite(value) and abs(value) <= MAX_RATE):
            raise PricingError(f"{name} must lie in [-{MAX_RATE:g}, {MAX_RATE:g}], got {value!r}")
    s, tau = numbers("spot", spot), numbers("tau_years", tau_years)
    check_range("spot", s, MIN_PRICE_USD, MAX_PRICE_USD)
    check_range("tau_years", tau, 0.0, MAX_TAU_YEARS)
    if () not in (s.shape, tau.shape) and s.shape != tau.shape:
        raise PricingError(f"tau_years has shape {tau.shape}, expected {s.shape} or a scalar")
    growth, discount = np.exp((rate - dividend_yield) * tau), np.exp(-rate * tau)
    g = black76.greeks(is_call, s * growth, strike, vol, tau, cross=True)
    price = discount * g.price
    to_spot = discount * growth
    delta = to_spot * g.delta
    theta = discount * g.theta + rate * price - (rate - dividend_yield) * s * delta
    return CrossGreeks(
        price=price,
        delta=delta,
        gamma=to_spot * growth * g.gamma,
        vega=discount * g.vega,
        theta=theta,
        vanna=to_spot * g.vanna,
        volga=discount * g.volga,
    )
