"""Time of the keeper's Greeks, with a peer in the same run."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable

import numpy as np
import QuantLib

from keeper.pricing.black76 import greeks

OPTIONS = 10_000
ROUNDS = 51
PEER_OPTIONS = 500


def measure_pricing() -> dict[str, float]:
    """Median nanoseconds an option for price and four Greeks: ours in numpy, QuantLib's BlackCalculator."""
    dice = np.random.default_rng(1)
    calls = dice.random(OPTIONS) < 0.5
    forward = dice.uniform(1_000, 4_000, OPTIONS)
    strike = forward * np.exp(dice.normal(0, 0.3, OPTIONS))
    vol, tau = dice.uniform(0.2, 1.5, OPTIONS), dice.uniform(1 / 365, 1, OPTIONS)
    ours = _median(lambda: greeks(calls, forward, strike, vol, tau), ROUNDS)
    rows = list(zip(calls, forward, strike, vol * np.sqrt(tau), tau, strict=True))[:PEER_OPTIONS]

    def peer() -> None:
        for call, f, k, s, t in rows:
            kind = QuantLib.Option.Call if call else QuantLib.Option.Put
            c = QuantLib.BlackCalculator(
                QuantLib.PlainVanillaPayoff(kind, float(k)), float(f), float(s), 1.0
            )
            (
                c.value(),
                c.deltaForward(),
                c.gammaForward(),
                c.vega(float(t)),
                c.theta(float(f), float(t)),
            )

    return {
        "greeks_ns_per_option_10k": ours / OPTIONS * 1e9,
        "quantlib_ns_per_option": _median(peer, 5) / PEER_OPTIONS * 1e9,
    }


def _median(call: Callable[[], object], rounds: int) -> float:
    times = []
    for _ in range(rounds):
        begun = time.perf_counter()
        call()
        times.append(time.perf_counter() - begun)
    return statistics.median(times)
