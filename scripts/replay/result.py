"""The figures of a replay, and what they must satisfy."""

from __future__ import annotations

import math
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from keeper.portfolio.attribution import as_dict
from keeper.report.record import RunRecord
from keeper.units import WAD
from scripts.replay.run import Replay
from scripts.replay.tables import table
from scripts.replay.world import LENDABLE_WETH, POOL_WETH, USDC_UNIT

MOST_DELTA_RATIO = 0.25
LEAST_INSIDE_SHARE = 0.95
MOST_RESIDUAL_SHARE = 0.01


@dataclass(frozen=True, slots=True)
class Outcome:
    """`figures` is result.json; `failures` says which checks do not hold, and why."""

    figures: dict[str, Any]
    failures: tuple[str, ...]


def assess(replay: Replay, wall_s: float) -> Outcome:
    """Figures and checks of a finished replay."""
    figures = _figures(replay, wall_s)
    return Outcome(figures, tuple(_failures(replay, figures)))


def _figures(replay: Replay, wall_s: float) -> dict[str, Any]:
    series, whole = replay.series, replay.ledger.whole()
    hours, rebalances = series.hours, series.rebalances
    gas_usd = math.fsum(r.cost_usd for r in rebalances)
    redeemed = sum(replay.depositors.paid.values()) / USDC_UNIT
    terms = as_dict(whole.terms)
    return {
        "hours": len(hours),
        "rebalances": len(rebalances),
        "slices": sum(r.unfinished for r in rebalances),
        "failed_transactions": len(replay.world.chain.failed),
        "skipped_ticks": list(series.denied),
        "max_abs_delta_after_rebalance_eth": max(
            (abs(r.delta_after_eth) for r in rebalances if not r.unfinished), default=0.0
        ),
        "band_eth": float(replay.world.parameters.hedge.band_eth),
        "rms_net_delta_hedged_eth": _rms([h.delta_hedged_eth for h in hours]),
        "rms_net_delta_unhedged_eth": _rms([h.delta_unhedged_eth for h in hours]),
        "rms_net_delta_at_tick_eth": _rms(series.at_tick_eth),
        "hedged_pnl_std_usd": _std([h.pnl_hedged_usd for h in hours]),
        "unhedged_pnl_std_usd": _std([h.pnl_unhedged_usd for h in hours]),
        "share_price_start": series.share_prices[0] if series.share_prices else None,
        "share_price_end": series.share_prices[-1] if series.share_prices else None,
        "attribution": terms
        | {"residual": whole.residual_usd, "residual_share": whole.residual_share},
        "solvent": not _insolvency(replay),
        "nav_change_usd": whole.nav_change_usd,
        "keeper_gas_usd": gas_usd,
        "nav_change_net_of_gas_usd": whole.nav_change_usd - gas_usd,
        "deposited_usdc": replay.depositors.deposited / USDC_UNIT,
        "redeemed_usdc": redeemed,
        "requests": replay.depositors.requests,
        "cancels": replay.depositors.cancels,
        "partial_fills": replay.depositors.partial_fills,
        "cancelled_usdc": replay.depositors.cancelled / USDC_UNIT,
        "leave": replay.request.leave,
        "gas_per_rebalance_median": statistics.median([r.gas_used for r in rebalances])
        if rebalances
        else None,
        "trigger_to_settlement_s": spread([r.settled_after_s for r in rebalances]),
        "head_to_sent_ms": spread([r.machine_ms for r in rebalances]),
        "keeper_dead": None if replay.bot is None else replay.bot.figures(),
        "hours_net_long_gamma": sum(h.gamma_eth_per_usd > 0 for h in hours),
        "rfq": replay.makers.figures(),
        "venues_used": sorted(series.venues_used),
        "settled_expiries": sorted(replay.operators.factors),
        "synthetic": replay.request.synthetic is not None,
        "network": replay.request.network,
        "parameters": _parameters(replay),
        "wall_seconds": round(wall_s, 1),
    }


def _parameters(replay: Replay) -> dict[str, Any]:
    """Everything that was assumed and not measured."""
    request = replay.request
    return {
        "source": request.candles.source,
        "synthetic_candles": asdict(request.synthetic) if request.synthetic else None,
        "base_fee_model": asdict(replay.fees),
        "implied_volatility_model": asdict(replay.vols),
        "scenario": asdict(replay.scenario),
        "pool_weth": POOL_WETH,
        "lendable_weth": LENDABLE_WETH,
        "protocol": replay.world.parameters.model_dump(mode="json"),
        "gas_price": "paid on the chain"
        if replay.world.chain.sets_base_fee
        else "base fee model plus the tip",
        "delta_samples": "each hour after price move, TWAP window and surface commit, before trades and tick",
    }


Rules = tuple[tuple[bool, str], ...]


def _failures(replay: Replay, f: Mapping[str, Any]) -> list[str]:
    most, band = f["max_abs_delta_after_rebalance_eth"], f["band_eth"]
    share = f["attribution"]["residual_share"]
    hours = replay.request.hours
    rules: Rules = (
        (f["hours"] == hours, f"{f['hours']} of {hours} hours were replayed"),
        (f["rebalances"] > 0, "the keeper never hedged"),
        (
            not f["failed_transactions"],
            f"failed transactions: {'; '.join(replay.world.chain.failed)}",
        ),
        (not f["skipped_ticks"], f"ticks that could not act: {'; '.join(f['skipped_ticks'])}"),
        (most <= band, f"|delta| was {most:.6f} ETH after a rebalance, the band is {band:g} ETH"),
        (share <= MOST_RESIDUAL_SHARE, f"{share:.2%} of the profit is not explained by any term"),
        (f["solvent"], f"not solvent: {'; '.join(_insolvency(replay))}"),
    )
    dead = f.get("keeper_dead")
    more = _hedging_rules(f) if dead is None else _fallback_rules(dead)
    return [message for holds, message in rules + more if not holds]


def _hedging_rules(f: Mapping[str, Any]) -> Rules:
    """What a keeper that hedges every hour owes."""
    hedged, unhedged = f["rms_net_delta_hedged_eth"], f["rms_net_delta_unhedged_eth"]
    return (
        (
            hedged <= MOST_DELTA_RATIO * unhedged,
            f"net delta before ticks is {hedged:.3f} ETH (rms) hedged and {unhedged:.3f} unhedged: "
            f"more than {MOST_DELTA_RATIO:g} of it is left",
        ),
        (
            f["hedged_pnl_std_usd"] < f["unhedged_pnl_std_usd"],
            f"hourly profit varies by {f['hedged_pnl_std_usd']:.2f} USD hedged, "
            f"{f['unhedged_pnl_std_usd']:.2f} unhedged",
        ),
    )


def _fallback_rules(dead: Mapping[str, Any]) -> Rules:
    """What the fallback owes without one."""
    share, without = dead["inside_share"], dead["inside_share_without_fallback"]
    return (
        (
            share >= LEAST_INSIDE_SHARE,
            f"with a dead keeper |delta| was inside the emergency band in {share:.1%} of the hours",
        ),
        (share >= without, f"without the fallback it would have been inside in {without:.1%}"),
    )


def _insolvency(replay: Replay) -> list[str]:
    """Broken books, cut payouts, unpaid redemptions."""
    faults = list(replay.series.insolvent)
    for expiry, factor in replay.operators.factors.items():
        if factor != WAD:
            faults.append(f"expiry {expiry} pays only {factor / WAD:.6f}")
    people = replay.depositors
    unpaid = [i for i in range(len(people.amounts)) if not people.paid.get(i)]
    if unpaid:
        faults.append(f"depositors {unpaid} were not paid")
    if people.supply:
        faults.append(f"{people.supply / WAD:.9f} shares are left after everybody redeemed")
    return faults


def record(replay: Replay, outcome: Outcome) -> RunRecord:
    """What the report shows."""
    request, f = replay.request, outcome.figures
    source = f"SYNTHETIC candles from stated parameters, not market data: {f['parameters']['synthetic_candles']}"
    notice = (
        source if request.synthetic else f"Candles of {request.candles.source}, {request.network}."
    )
    if outcome.failures:
        notice += "\nFAILED: " + "; ".join(outcome.failures)
    return RunRecord(
        title=f"Gammadesk: {request.hours} hours of ETH, hedged on chain",
        notice=notice,
        band_eth=f["band_eth"],
        figures=table(f),
        hours=tuple(replay.series.hours),
        rebalances=tuple(replay.series.rebalances),
    )


def _rms(values: Sequence[float]) -> float:
    return math.sqrt(math.fsum(v * v for v in values) / len(values)) if values else 0.0


def _std(values: Sequence[float]) -> float:
    return statistics.stdev(values) if len(values) > 1 else 0.0


def spread(values: Sequence[float | None]) -> dict[str, float] | None:
    """Median, 95th percentile (nearest rank) and most of what is known."""
    known = sorted(value for value in values if value is not None)
    if not known:
        return None
    rank = math.ceil(0.95 * len(known)) - 1
    return {"median": statistics.median(known), "p95": known[rank], "most": known[-1]}
