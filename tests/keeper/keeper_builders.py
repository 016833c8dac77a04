"""A calm, healthy desk to start a test from; each test changes what it is about."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from keeper.models import (
    HedgeRules,
    OptionLeg,
    OracleState,
    Snapshot,
    SviSlice,
    VenueKind,
    VenueState,
)
from keeper.units import GWEI, WAD, encode_series

# 2020-03-12 12:00 UTC, and the two Fridays at 08:00 UTC after it.
NOW_S = 1_584_014_400
WEEK_S = 7 * 86_400
NEAR_S = 1_584_086_400
FAR_S = NEAR_S + WEEK_S


def leg(strike: float, size: float, *, is_call: bool = True, expiry_s: int = FAR_S) -> OptionLeg:
    return OptionLeg(
        series_id=encode_series(1, expiry_s, strike, is_call),
        underlying=1,
        expiry_s=expiry_s,
        strike_usd=strike,
        is_call=is_call,
        size=size,
    )


def svi_slice(expiry_s: int = FAR_S, vol: float = 0.9, **changes: Any) -> SviSlice:
    """A slice with a skew whose at-the-money volatility is about `vol`."""
    years = (expiry_s - changes.get("committed_at_s", NOW_S)) / 31_536_000
    w = vol * vol * years
    base = SviSlice(
        expiry_s=expiry_s,
        a=0.7 * w,
        b=0.3 * w / 0.3,
        rho=-0.3,
        m=0.0,
        sigma=0.3,
        carry=0.0,
        committed_at_s=NOW_S,
    )
    return replace(base, **changes)


RULES = HedgeRules(
    band_eth=5.0,
    min_reduction=0.5,
    max_slippage=0.01,
    gross_cap_eth=100.0,
    min_health=1.2,
    budget_left_usd=5_000.0,
    budget_cap_usd=10_000.0,
    surface_max_age_s=7_200,
    epoch=1,
)

UNISWAP = VenueState("0x" + "11" * 20, VenueKind.UNISWAP_SPOT, 0.0, 0.0, float("inf"), 0.0005)
AAVE = VenueState("0x" + "22" * 20, VenueKind.AAVE_SHORT, -3.0, 900.0, 1.8, 0.0005)


def snapshot(**changes: Any) -> Snapshot:
    base = Snapshot(
        chain_id=31_337,
        block_number=100,
        block_hash="0x" + "ab" * 32,
        timestamp_s=NOW_S,
        base_fee_wei=20 * GWEI,
        underlying=1,
        spot_usd=190.0,
        spot_updated_at_s=NOW_S - 60,
        oracle_state=OracleState.FRESH,
        pool_price_usd=190.1,
        surface_committed_at_s=NOW_S,
        cash_usd=50_000.0,
        base_eth=2.0,
        legs=(leg(200.0, -10.0), leg(170.0, -8.0, is_call=False), leg(210.0, 4.0)),
        slices=(svi_slice(NEAR_S, 1.1), svi_slice(FAR_S, 0.9)),
        venues=(UNISWAP, AAVE),
        rules=RULES,
        chain_delta_eth=0.0,
        equity_usd=49_000.0,
        keeper_address="0x" + "33" * 20,
        keeper_balance_wei=WAD,
        keeper_nonce=0,
    )
    return replace(base, **changes)
