"""A desk of eight short options, to time decisions on."""

from __future__ import annotations

import math

from keeper.models import (
    Book,
    Costs,
    Forecast,
    HedgeRules,
    OptionLeg,
    OracleState,
    Snapshot,
    SviSlice,
)
from keeper.portfolio.book import value_book

NOW_S = 1_600_000_000
DAY_S = 86_400


def example_book() -> tuple[Snapshot, Book, Forecast, Costs]:
    """Two expiries of four strikes, short, with a hedge that is off by a few ETH."""
    expiries = (NOW_S + 10 * DAY_S, NOW_S + 30 * DAY_S)
    legs = tuple(
        OptionLeg(i, 1, expiries[i % 2], 1_800.0 + 100.0 * i, i > 3, -20.0) for i in range(8)
    )
    slices = tuple(
        SviSlice(e, 0.6 * 0.64 * (e - NOW_S) / 31_536_000, 0.05, -0.2, 0.0, 0.2, 0.01, NOW_S)
        for e in expiries
    )
    rules = HedgeRules(1.0, 0.5, 0.01, 1e3, 1.2, 1e4, 1e4, 7_200, 1)
    snapshot = Snapshot(
        chain_id=1,
        block_number=1,
        block_hash="0x",
        timestamp_s=NOW_S,
        base_fee_wei=20 * 10**9,
        underlying=1,
        spot_usd=2_150.0,
        spot_updated_at_s=NOW_S,
        oracle_state=OracleState.FRESH,
        pool_price_usd=2_150.0,
        surface_committed_at_s=NOW_S,
        cash_usd=0.0,
        base_eth=4.0,
        legs=legs,
        slices=slices,
        venues=(),
        rules=rules,
        chain_delta_eth=0.0,
        equity_usd=1e6,
        keeper_address="0x",
        keeper_balance_wei=1,
        keeper_nonce=0,
    )
    gas_usd = 900_000 * 20e-9 * 2_150.0
    return (
        snapshot,
        value_book(snapshot),
        Forecast(0.8, DAY_S),
        Costs(gas_usd, math.fsum((5e-4, 5e-4))),
    )
