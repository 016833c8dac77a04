"""Out-of-the-money options that are quoted off a surface: how far, in volatility and in USD, and what costs leave.

A quote is judged by a surface that it had no part in: for the chain that the surface was fitted to, by fits without
every other quote (`fair_vols`); for somebody else's chain, by the surface as it is (`judge`).

Costs of taking a quote and holding the option hedged to expiry: half of its spread, the venue's fee, the first hedge,
and later ones at fixed intervals. Expected cost of those: share x vega x sqrt(2 / (pi dt)), since the mean absolute
change of delta over dt is gamma S vol sqrt(2 dt / pi) (Leland (1985), "Option pricing and replication with
transactions costs", Journal of Finance 40(5), eq. 10-12).
"""

from __future__ import annotations

import math
from dataclasses import dataclass, fields
from enum import StrEnum
from typing import Any

import numpy as np

from keeper.errors import DataError
from keeper.pricing.black76 import greeks
from keeper.pricing.option_chain import BoolArray, ChosenQuotes, FloatArray
from keeper.pricing.surface_fit import FittedSurface, fit_quotes, vols_of
from keeper.units import SECONDS_PER_YEAR


class Side(StrEnum):
    """What one does with the option."""

    BUY = "buy"
    SELL = "sell"


@dataclass(frozen=True, slots=True)
class TradeCosts:
    """Shares of notional; the fee, Deribit's by default, is capped at a share of the option's price."""

    fee_of_notional: float = 0.0003
    fee_cap_of_price: float = 0.125
    hedge_of_notional: float = 0.0005
    rehedge_interval_s: float = 86_400.0

    def __post_init__(self) -> None:
        values = [getattr(self, f.name) for f in fields(self)]
        if not all(math.isfinite(v) and v >= 0.0 for v in values) or self.rehedge_interval_s == 0.0:
            raise DataError(f"costs must be finite and not negative, the interval positive: {self}")


@dataclass(frozen=True, slots=True)
class Mispricing:
    """One option. `miss` is mid less fair; `edge` is what is left of its size after all costs, per contract."""

    expiry_s: int
    strike_usd: float
    is_call: bool
    side: Side
    bid_usd: float
    ask_usd: float
    fair_usd: float
    mid_vol: float
    fair_vol: float
    miss_vol: float
    miss_usd: float
    half_spread_usd: float
    fee_usd: float
    hedge_usd: float
    edge_usd: float
    edge_vol: float
    deviations: float  # of miss_vol, in the root mean square error of the slice's other quotes


def fair_vols(surface: FittedSurface) -> FloatArray:
    """Volatility of each chosen quote by a fit without it, (slices, quotes): two fits on every other quote.

    A slice with a single quote keeps it in both.
    """
    quotes = surface.quotes
    place = np.arange(quotes.k.shape[1])
    out = surface.vols()
    alone = quotes.quoted.sum(axis=1)[:, None] < 2
    for fold in (0, 1):
        mine = quotes.quoted & ((place % 2 == fold) | alone)
        fitted = fit_quotes(quotes, mine)
        out = np.where(quotes.quoted & ~mine, fitted.vols(), out)
    return out


def mispriced(surface: FittedSurface, costs: TradeCosts | None = None) -> tuple[Mispricing, ...]:
    """The surface's own chain, judged out of sample: options whose edge after costs is positive, the largest first."""
    return _ranked(surface.quotes, fair_vols(surface), surface.quotes.quoted, costs or TradeCosts())


def judge(
    quotes: ChosenQuotes, surface: FittedSurface, costs: TradeCosts | None = None
) -> tuple[Mispricing, ...]:
    """Somebody's quotes (the desk's own, another venue's) by a surface: every one on its strikes, largest edge first.

    Quotes of expiries that the surface lacks, or beyond the strikes that it was fitted to, are left out. DataError
    when none is left. Edges may be negative: nothing is to be had there.
    """
    own = surface.quotes
    fair = np.zeros_like(quotes.k)
    known = np.zeros_like(quotes.quoted)
    rows = {int(expiry): row for row, expiry in enumerate(own.expiry_s)}
    for i, expiry in enumerate(quotes.expiry_s):
        row = rows.get(int(expiry))
        if row is None:
            continue
        here = own.k[row][own.quoted[row]]
        k = quotes.k[i]
        known[i] = quotes.quoted[i] & (k >= here.min()) & (k <= here.max())
        every = np.broadcast_to(k, (len(surface.raw), k.size))
        fair[i] = vols_of(surface.raw, every, own.tau_years)[row]
    if not known.any():
        raise DataError(
            f"{quotes.chain.source}: no quote on the expiries and strikes of {own.chain.source}"
        )
    return _ranked(quotes, fair, known, costs or TradeCosts(), keep_all=True)


def _ranked(
    quotes: ChosenQuotes,
    fair_vol: FloatArray,
    where: BoolArray,
    costs: TradeCosts,
    keep_all: bool = False,
) -> tuple[Mispricing, ...]:
    row = quotes.row[where]
    slice_of = np.nonzero(where)[0]
    chain, forward, tau = quotes.chain, quotes.forward_usd[slice_of], quotes.tau_years[slice_of]
    fair, mid_vol = fair_vol[where], quotes.mid_vol[where]
    strike, is_call = chain.strike_usd[row], chain.is_call[row]
    bid, ask = chain.bid_usd[row], chain.ask_usd[row]
    g = greeks(is_call, forward, strike, fair, tau)
    mid, half_spread = (bid + ask) / 2.0, (ask - bid) / 2.0
    miss_usd = mid - g.price
    fee = np.minimum(costs.fee_of_notional * forward, costs.fee_cap_of_price * mid)
    hedge = _hedging_cost(g.delta, g.vega, forward, tau, costs)
    edge = np.abs(miss_usd) - half_spread - fee - hedge
    vega = np.maximum(g.vega, 1e-12)
    error = _errors(fair_vol - quotes.mid_vol, where)[slice_of]
    chosen = np.arange(edge.size) if keep_all else np.flatnonzero(edge > 0.0)
    order = chosen[np.argsort(-edge[chosen], kind="stable")]
    columns = {
        "expiry_s": quotes.expiry_s[slice_of],
        "strike_usd": strike,
        "is_call": is_call,
        "bid_usd": bid,
        "ask_usd": ask,
        "fair_usd": g.price,
        "mid_vol": mid_vol,
        "fair_vol": fair,
        "miss_vol": mid_vol - fair,
        "miss_usd": miss_usd,
        "half_spread_usd": half_spread,
        "fee_usd": fee,
        "hedge_usd": hedge,
        "edge_usd": edge,
        "edge_vol": edge / vega,
        "deviations": (mid_vol - fair) / error,
    }
    return tuple(
        _entry({name: column[i].item() for name, column in columns.items()}) for i in order
    )


def _entry(values: dict[str, Any]) -> Mispricing:
    return Mispricing(side=Side.SELL if values["miss_usd"] > 0.0 else Side.BUY, **values)


def _hedging_cost(
    delta: FloatArray, vega: FloatArray, forward: FloatArray, tau: FloatArray, costs: TradeCosts
) -> FloatArray:
    """The first hedge, and the expected cost of those at every interval; none when expiry comes before the first."""
    dt = costs.rehedge_interval_s / SECONDS_PER_YEAR
    later = np.where(tau > dt, vega * math.sqrt(2.0 / (math.pi * dt)), 0.0)
    return np.asarray(costs.hedge_of_notional * (np.abs(delta) * forward + later))


def _errors(miss: FloatArray, where: BoolArray) -> FloatArray:
    """Root mean square by slice, at least a hundredth of a volatility point so that a ratio to it means something."""
    count = np.maximum(where.sum(axis=1), 1)
    return np.asarray(np.maximum(np.sqrt((miss * miss * where).sum(axis=1) / count), 1e-4))
