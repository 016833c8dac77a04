"""The figures of a replay as rows for people."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def table(figures: Mapping[str, Any]) -> dict[str, str]:
    """What the terminal and the report show on top."""
    f = figures
    terms = {k: v for k, v in f["attribution"].items() if k not in ("residual", "residual_share")}
    return {
        "hours": str(f["hours"]),
        "rebalances": f"{f['rebalances']}, {f['slices']} of them slices "
        f"({' and '.join(f['venues_used']) or 'none'})",
        "failed transactions": str(f["failed_transactions"]),
        "largest |delta| after a rebalance": f"{f['max_abs_delta_after_rebalance_eth']:.6f} ETH",
        "band": f"{f['band_eth']:g} ETH",
        "net delta before ticks, rms, hedged": f"{f['rms_net_delta_hedged_eth']:.2f} ETH",
        "net delta before ticks, rms, unhedged": f"{f['rms_net_delta_unhedged_eth']:.2f} ETH",
        "hourly profit, standard deviation, hedged": f"{f['hedged_pnl_std_usd']:,.2f} USD",
        "hourly profit, standard deviation, unhedged": f"{f['unhedged_pnl_std_usd']:,.2f} USD",
        "share price, start and end": f"{f['share_price_start']:.6f}, {f['share_price_end']:.6f} USD",
        **{
            f"profit from {name.replace('_', ' ')}": f"{value:+,.2f} USD"
            for name, value in terms.items()
        },
        "residual": f"{f['attribution']['residual']:+.6f} USD ({f['attribution']['residual_share']:.2e} of the terms)",
        "change of NAV": f"{f['nav_change_usd']:+,.2f} USD",
        "keeper's gas, paid by the operator": f"{f['keeper_gas_usd']:,.2f} USD",
        "change of NAV net of gas": f"{f['nav_change_net_of_gas_usd']:+,.2f} USD",
        "deposited, redeemed": f"{f['deposited_usdc']:,.2f}, {f['redeemed_usdc']:,.2f} USDC",
        "requests, cancelled, redemptions filled in part": f"{f['requests']}, {f['cancels']}, {f['partial_fills']}",
        "gas per rebalance, median": f"{f['gas_per_rebalance_median'] or 0:,.0f}",
        "oracle round to block, median, 95 %, most": _seconds(f["trigger_to_settlement_s"], "s"),
        "new head to sent, median, 95 %, most": _seconds(f["head_to_sent_ms"], "ms"),
        **_quote_rows(f["rfq"]),
        **_dead_rows(f["keeper_dead"]),
        "solvent": "yes" if f["solvent"] else "NO",
        "wall time": f"{f['wall_seconds']:.0f} s",
    }


def _seconds(found: Mapping[str, float] | None, unit: str) -> str:
    return "none" if found is None else f"{', '.join(f'{v:.3g}' for v in found.values())} {unit}"


def _quote_rows(rfq: Mapping[str, Any]) -> dict[str, str]:
    """What went by signed quotes: number and value."""
    return {
        "makers' quotes taken by the vault": f"{rfq['taken_by_vault']} of {rfq['signed_by_maker']} signed, for "
        f"{rfq['taken_premium_usd']:,.2f} USD; vega nearer to zero by {rfq['vega_given_away_usd']:,.0f} USD",
        "the desk's own quotes filled": f"{rfq['filled_by_takers']}, for {rfq['filled_premium_usd']:,.2f} USD",
    }


def _dead_rows(dead: Mapping[str, Any] | None) -> dict[str, str]:
    """The days without a keeper, beside what they would have been without the fallback."""
    if dead is None:
        return {}
    band = f"{dead['emergency_band_eth']:g} ETH"
    return {
        "hours without a keeper": f"{dead['hours']}, {dead['slices']} slices of the fallback by anyone",
        f"of these inside {band}, with and without fallback": f"{dead['inside_share']:.1%}, "
        f"{dead['inside_share_without_fallback']:.1%}",
        "largest |delta|, with and without fallback": f"{dead['most_abs_delta_eth']:.2f}, "
        f"{dead['most_abs_delta_without_fallback_eth']:.2f} ETH",
        "fallback: reserve used, bounties paid": f"{dead['reserve_used_usd']:,.2f}, "
        f"{dead['bounties_paid_usd']:,.2f} USD",
    }
