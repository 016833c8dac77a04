"""Time and error of the keeper's Greeks and implied volatilities on one core, with peers in the same run."""

from __future__ import annotations

import itertools
import math
import statistics
import time
from collections.abc import Callable

import mpmath
import numpy as np
import QuantLib
from scipy.special import ndtr
from threadpoolctl import threadpool_limits

from keeper.pricing.black76 import greeks, price
from keeper.pricing.implied_vol import implied_vol

OPTIONS = 10_000
ROUNDS = 101
PEER_OPTIONS = 500
Columns = tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, np.ndarray]


def measure_pricing() -> dict[str, float]:
    """Nanoseconds an option, ours and the peers', and the greatest relative error of implied volatility.

    Processor time of this thread, so that other programs on the machine do not count; linear algebra kept to one
    thread.
    """
    with threadpool_limits(1):
        market = _market()
        return {**_greeks(market), **_implied(market), **_implied_error()}


def _market() -> Columns:
    """Mixed calls and puts: log strikes of standard deviation .3, volatility .2 to 1.5, a day to a year."""
    dice = np.random.default_rng(1)
    calls = dice.random(OPTIONS) < 0.5
    forward = dice.uniform(1_000, 4_000, OPTIONS)
    strike = forward * np.exp(dice.normal(0, 0.3, OPTIONS))
    return (
        calls,
        forward,
        strike,
        dice.uniform(0.2, 1.5, OPTIONS),
        dice.uniform(1 / 365, 1, OPTIONS),
    )


def _greeks(market: Columns) -> dict[str, float]:
    """Price, delta, gamma, vega and theta: ours, the same formulas written out in numpy, QuantLib."""
    calls, forward, strike, vol, tau = market
    rows = list(zip(calls, forward, strike, vol * np.sqrt(tau), tau, strict=True))[:PEER_OPTIONS]

    def quantlib() -> None:
        for call, f, k, s, t in rows:
            c = QuantLib.BlackCalculator(
                QuantLib.PlainVanillaPayoff(_kind(call), float(k)), float(f), float(s), 1.0
            )
            c.value(), c.deltaForward(), c.gammaForward(), c.vega(float(t))
            c.theta(float(f), float(t))

    return {
        "greeks_ns_per_option_10k": _median(lambda: greeks(*market)) / OPTIONS,
        "greeks_with_vanna_volga_ns_per_option_10k": _median(lambda: greeks(*market, cross=True))
        / OPTIONS,
        "greeks_ns_per_option_10k_plain_numpy": _median(lambda: _plain(*market)) / OPTIONS,
        "quantlib_ns_per_option": _median(quantlib, 5) / PEER_OPTIONS,
    }


def _plain(
    calls: np.ndarray, forward: np.ndarray, strike: np.ndarray, vol: np.ndarray, tau: np.ndarray
) -> tuple[np.ndarray, ...]:
    """As one writes it down."""
    s = vol * np.sqrt(tau)
    d1 = np.log(forward / strike) / s + s / 2
    density = np.exp(-d1 * d1 / 2) / math.sqrt(2 * math.pi)
    sign = np.where(calls, 1.0, -1.0)
    delta = sign * ndtr(sign * d1)
    value = forward * delta - sign * strike * ndtr(sign * (d1 - s))
    vega = forward * density * np.sqrt(tau)
    return value, delta, density / (forward * s), vega, -vega * vol / (2 * tau)


def _implied(market: Columns) -> dict[str, float]:
    """Ours on all prices; QuantLib's solver on those with a time value that it accepts."""
    calls, forward, strike, _, tau = market
    prices = price(*market)
    payoff = np.maximum(np.where(calls, forward - strike, strike - forward), 0.0)
    rows = np.flatnonzero(prices - payoff > 1e-3)[:PEER_OPTIONS]

    def quantlib() -> None:
        for i in rows:
            QuantLib.blackFormulaImpliedStdDev(
                _kind(calls[i]), float(strike[i]), float(forward[i]), float(prices[i]),
                1.0, 0.0, 0.5, 1e-12, 100,
            )  # fmt: skip

    ours = _median(lambda: implied_vol(calls, prices, forward, strike, tau))
    return {
        "iv_ns_per_option_10k": ours / OPTIONS,
        "quantlib_iv_ns_per_option": _median(quantlib, 5) / rows.size,
    }


def _implied_error() -> dict[str, float]:
    """Over prices of 40 digits, rounded once, with time value over 1e-8 of spot.

    Log strikes to +-1.5, volatility .05 to 3, an hour to two years. Beside it what half a unit in the last place of
    the price is, at worst, in terms of volatility: no method can do better.
    """
    rows = list(
        itertools.product(
            (True, False),
            np.exp(np.linspace(-1.5, 1.5, 61)),
            (0.05, 0.1, 0.2, 0.4, 0.8, 1.5, 3.0),
            (1 / 8760, 1 / 365, 7 / 365, 30 / 365, 0.25, 1.0, 2.0),
        )
    )
    calls, ratio, vol, tau = (np.array(column) for column in zip(*rows, strict=True))
    forward = np.full(len(rows), 1_900.0)
    strike = forward * ratio
    with mpmath.workdps(40):
        exact = [_exact(*row) for row in zip(calls, forward, strike, vol, tau, strict=True)]
    prices = np.array(exact)
    payoff = np.maximum(np.where(calls, forward - strike, strike - forward), 0.0)
    asked = prices - payoff > 1e-8 * forward
    found = implied_vol(calls, prices, forward, strike, tau).vol
    vega = greeks(calls, forward, strike, vol, tau).vega[asked]
    rounding = 0.5 * np.spacing(prices[asked]) / (vega * vol[asked])
    error = np.where(np.isnan(found), np.inf, np.abs(found / vol - 1.0))[asked]
    return {
        "iv_max_rel_error": float(error.max()),
        "iv_max_rel_rounding_of_price": float(rounding.max()),
        "iv_error_options": int(asked.sum()),
    }


def _exact(call: bool, forward: float, strike: float, vol: float, tau: float) -> float:
    f, k, v, t = map(mpmath.mpf, (forward, strike, vol, tau))
    s, sign = v * mpmath.sqrt(t), 1 if call else -1
    d1 = mpmath.log(f / k) / s + s / 2
    return float(sign * (f * mpmath.ncdf(sign * d1) - k * mpmath.ncdf(sign * (d1 - s))))


def _kind(call: bool) -> int:
    return QuantLib.Option.Call if call else QuantLib.Option.Put


def _median(call: Callable[[], object], rounds: int = ROUNDS) -> float:
    """Nanoseconds: the lowest of five medians, because a neighbour that empties the shared cache only ever adds."""
    medians = []
    for _ in range(5):
        times = []
        for _ in range(rounds):
            begun = time.thread_time_ns()
            call()
            times.append(time.thread_time_ns() - begun)
        medians.append(statistics.median(times))
    return min(medians)
