"""The overlay on real option chains: every bid and ask as a maker's quote, a short book brought inside its limits.

The book is short calls and puts of the two expiries nearest to 14 and 45 days. Each quote may be taken up to 80
contracts in whole ones, 3 USD of gas each. Compared: the best single quote, two, four legs, and moving own quotes.
"""

from __future__ import annotations

import statistics
import time
from typing import Any

import numpy as np
import pandas as pd

from keeper.errors import GammadeskError
from keeper.models import Costs, Forecast, HedgeRules, OptionLeg, OracleState, Snapshot, SviSlice
from keeper.policies.delta_band import DeltaBand
from keeper.policies.overlay import (
    GammaVegaOverlay,
    Overlay,
    OverlayParameters,
    Status,
    solve_overlay,
)
from keeper.policies.overlay_quotes import Limits, MakerQuote, Range
from keeper.policies.overlay_quotes_move import Arrivals, cheapest_move
from keeper.portfolio.book import value_book
from keeper.pricing.option_chain import OptionChain
from keeper.pricing.surface_fit import fit_surface
from keeper.units import encode_series
from scripts.bench.volatility import DATA

DAY_S = 86_400
READ_DELAY_S = 120
CHAINS = 24
RULES = HedgeRules(2.0, 0.5, 0.01, 1e4, 1.2, 1e5, 1e5, 7_200, 1)
COSTS = Costs(5.0, 1e-3)
SIZE, LOT, GAS_USD = 80.0, 1.0, 3.0
NEAR_MONEY = 0.25
# Own quotes, assumed: four trades an hour of 1,500 USD of vega each at the fair volatility, e-fold fewer each 1.5
# points away from it, quotes 2 points out.
ARRIVALS = Arrivals(rate_per_hour=4.0, decay=1 / 0.015, vega_usd=1_500.0, half_spread=0.02)
WAIT_H = 24.0
LEGS = {"1 leg": 1, "2 legs": 2, "4 legs": 4}


def overlay_bench() -> dict[str, Any]:
    """Costs over chains spread evenly through the file, in USD and relative to the best single quote."""
    table = pd.read_parquet(DATA / "deribit_eth_option_chains.parquet")
    stamps = np.sort(table["timestamp"].unique())
    found: list[dict[str, float]] = []
    seconds: list[float] = []
    counts: list[int] = []
    for stamp in stamps[:: max(1, len(stamps) // CHAINS)]:
        try:
            world = _world(table[table["timestamp"] == stamp])
        except GammadeskError:
            continue
        row = _compare(*world, seconds)
        counts.append(len(world[1]))
        if row:
            found.append(row)
    keys = sorted({key for row in found for key in row})
    return {
        "chains": len(counts),
        "solved": len(found),
        "quotes_median": statistics.median(counts),
        "ms_four_legs_median": 1e3 * statistics.median(seconds),
        "ms_four_legs_worst": 1e3 * max(seconds),
        "cost_usd_median": {k: statistics.median([r[k] for r in found if k in r]) for k in keys},
        "enough": {k: sum(k in r for r in found) for k in LEGS},
        "four_over_two_median": statistics.median(
            [r["4 legs"] / r["2 legs"] for r in found if "2 legs" in r]
        ),
    }


def _compare(
    snapshot: Snapshot, quotes: tuple[MakerQuote, ...], limits: Limits, seconds: list[float]
) -> dict[str, float]:
    row: dict[str, float] = {}
    for name, legs in LEGS.items():
        began = time.perf_counter()
        found = _solve(snapshot, quotes, limits, legs)
        if legs == 4:
            seconds.append(time.perf_counter() - began)
        if found.status in (Status.OPTIMAL, Status.STOPPED):
            row[name] = found.cost_usd
    if "4 legs" not in row:
        return {}
    vega = value_book(snapshot).vega_usd
    move = cheapest_move(limits.vega.low - vega, WAIT_H, ARRIVALS)
    return {**row, "own quotes moved": move.cost_usd, "own quotes moved, points": 100.0 * move.move}


def _solve(
    snapshot: Snapshot, quotes: tuple[MakerQuote, ...], limits: Limits, legs: int
) -> Overlay:
    parameters = OverlayParameters(max_legs=legs, time_limit_s=10.0)
    desk = GammaVegaOverlay(limits, quotes, DeltaBand(), parameters)
    return solve_overlay(snapshot, value_book(snapshot), Forecast(0.8, DAY_S), COSTS, desk)


def _world(rows: pd.DataFrame) -> tuple[Snapshot, tuple[MakerQuote, ...], Limits]:
    """The desk at one chain, makers' quotes near the money, and half of the book's gamma and vega as limits."""
    chain = _chain(rows)
    slices = fit_surface(chain).slices
    expiries = sorted(s.expiry_s for s in slices)
    held = [
        min(expiries, key=lambda e: abs(e - chain.read_at_s - days * DAY_S)) for days in (14, 45)
    ]
    legs = []
    for expiry in held:
        for call, ratio in ((True, 1.05), (False, 0.95)):
            strikes = chain.strike_usd[chain.expiry_s == expiry]
            strike = float(strikes[np.argmin(np.abs(strikes - ratio * chain.spot_usd))])
            legs.append(_leg(expiry, strike, call, -30.0))
    snapshot = _snapshot(chain, tuple(legs), slices)
    book = value_book(snapshot)
    half = (0.5 * abs(book.gamma_eth_per_usd), 0.5 * abs(book.vega_usd))
    limits = Limits(Range(-half[0], half[0]), Range(-half[1], half[1]))
    return snapshot, _quotes(chain, set(expiries)), limits


def _quotes(chain: OptionChain, expiries: set[int]) -> tuple[MakerQuote, ...]:
    out = []
    for i in range(chain.strike_usd.size):
        strike, expiry = float(chain.strike_usd[i]), int(chain.expiry_s[i])
        if expiry not in expiries or abs(np.log(strike / chain.spot_usd)) > NEAR_MONEY:
            continue
        leg = _leg(expiry, strike, bool(chain.is_call[i]), 1.0)
        for side, price in (("buy", chain.ask_usd[i]), ("sell", chain.bid_usd[i])):
            if np.isfinite(price) and price > 0.0:
                out.append(
                    MakerQuote(
                        f"{i}{side}", leg.series_id, 1, expiry, strike, leg.is_call,
                        "buy" if side == "buy" else "sell", float(price), SIZE, LOT, gas_usd=GAS_USD,
                    )
                )  # fmt: skip
    return tuple(out)


def _leg(expiry: int, strike: float, call: bool, size: float) -> OptionLeg:
    return OptionLeg(encode_series(1, expiry, strike, call), 1, expiry, strike, call, size)


def _chain(rows: pd.DataFrame) -> OptionChain:
    forward = rows["underlying_price"].to_numpy(dtype=np.float64)
    seconds = [
        rows[n].dt.tz_localize(None).to_numpy().astype("datetime64[s]").astype(np.int64)
        for n in ("expiry", "timestamp")
    ]
    bid, ask = (
        np.where(rows[n].to_numpy() > 0.0, rows[n].to_numpy(dtype=np.float64) * forward, np.nan)
        for n in ("bid_price", "ask_price")
    )
    return OptionChain(
        source="deribit",
        underlying="ETH",
        read_at_s=int(seconds[1][0]) + READ_DELAY_S,
        spot_usd=float(rows["index_price"].iloc[0]),
        expiry_s=seconds[0],
        strike_usd=rows["strike"].to_numpy(dtype=np.float64),
        is_call=(rows["option_type"] == "call").to_numpy(),
        forward_usd=forward,
        bid_usd=bid,
        ask_usd=ask,
        quoted_at_s=np.full(len(rows), np.nan),
    )


def _snapshot(
    chain: OptionChain, legs: tuple[OptionLeg, ...], slices: tuple[SviSlice, ...]
) -> Snapshot:
    now, spot = chain.read_at_s, chain.spot_usd
    return Snapshot(
        chain_id=1, block_number=1, block_hash="0x", timestamp_s=now, base_fee_wei=1, underlying=1,
        spot_usd=spot, spot_updated_at_s=now, oracle_state=OracleState.FRESH, pool_price_usd=spot,
        surface_committed_at_s=now, cash_usd=0.0, base_eth=0.0, legs=legs, slices=slices, venues=(),
        rules=RULES, chain_delta_eth=0.0, equity_usd=1e6, keeper_address="0x",
        keeper_balance_wei=1, keeper_nonce=0,
    )  # fmt: skip
