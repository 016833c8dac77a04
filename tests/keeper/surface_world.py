"""Option chains made from known slices: prices by Black-76, a spread in volatility around them, noise on request."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from keeper.models import SviSlice
from keeper.pricing.black76 import price
from keeper.pricing.option_chain import OptionChain
from keeper.pricing.svi import implied_vol
from keeper.units import SECONDS_PER_YEAR

DAY_S = 86_400
NOW_S = 1_767_225_600  # 2026-01-01 00:00 UTC
SPOT_USD = 3_000.0
HALF_WIDTH = 0.005


def ssvi_slice(days: float, atm_vol: float = 0.6, rho: float = -0.3, eta: float = 0.6) -> SviSlice:
    """A slice of Gatheral and Jacquier's power-law SSVI (2014, section 4): free of arbitrage, across maturities too."""
    expiry_s = NOW_S + round(days * DAY_S)
    theta = atm_vol**2 * (expiry_s - NOW_S) / SECONDS_PER_YEAR
    phi, root = eta / np.sqrt(theta), np.sqrt(1.0 - rho**2)
    return SviSlice(
        expiry_s,
        a=float(theta / 2 * root**2),
        b=float(theta * phi / 2),
        rho=rho,
        m=float(-rho / phi),
        sigma=float(root / phi),
        carry=0.02,
        committed_at_s=NOW_S,
    )


# At 08:00 UTC, as the contracts want them.
DAYS = tuple(d + 1.0 / 3.0 for d in (1, 2, 7, 30, 90))
TRUTH = tuple(ssvi_slice(days) for days in DAYS)


def strikes_for(one: SviSlice, count: int = 15, span: float = 1.5) -> np.ndarray:
    """Log-moneyness equally spaced in standard deviations."""
    deviation = float(implied_vol(one, 0.0)) * np.sqrt(years(one))
    return np.linspace(-span, span, count) * deviation


def years(one: SviSlice) -> float:
    return (one.expiry_s - NOW_S) / SECONDS_PER_YEAR


def make_chain(
    slices: tuple[SviSlice, ...] = TRUTH,
    count: int = 15,
    half_width: float = HALF_WIDTH,
    noise: np.random.Generator | None = None,
    noise_vol: float = 0.0,
) -> OptionChain:
    """Out-of-the-money options only: a put below the forward, a call from it on."""
    parts = []
    for one in slices:
        k = strikes_for(one, count)
        forward = SPOT_USD * np.exp(one.carry * years(one))
        vol = implied_vol(one, k)
        if noise is not None:
            vol = vol + noise.normal(0.0, noise_vol, k.size)
        strike, call = forward * np.exp(k), k >= 0.0
        f, tau = np.full(k.size, forward), np.full(k.size, years(one))
        bid = price(call, f, strike, vol - half_width, tau)
        ask = price(call, f, strike, vol + half_width, tau)
        parts.append((np.full(k.size, one.expiry_s), strike, call, f, bid, ask))
    expiry, strike, call, forward, bid, ask = (np.concatenate(p) for p in zip(*parts, strict=True))
    return OptionChain(
        source="made up",
        underlying="ETH",
        read_at_s=NOW_S,
        spot_usd=SPOT_USD,
        expiry_s=expiry.astype(np.int64),
        strike_usd=strike,
        is_call=call,
        forward_usd=forward,
        bid_usd=bid,
        ask_usd=ask,
        quoted_at_s=np.full(strike.size, float(NOW_S)),
    )


def with_rows(chain: OptionChain, rows: np.ndarray) -> OptionChain:
    """The same chain with these rows, in this order, repetitions allowed."""
    columns = (
        "expiry_s",
        "strike_usd",
        "is_call",
        "forward_usd",
        "bid_usd",
        "ask_usd",
        "quoted_at_s",
    )
    return replace(chain, **{name: getattr(chain, name)[rows] for name in columns})


def changed(chain: OptionChain, row: int, **values: float) -> OptionChain:
    """One row with other values."""
    columns = {}
    for name, value in values.items():
        column = getattr(chain, name).copy()
        column[row] = value
        columns[name] = column
    return replace(chain, **columns)
