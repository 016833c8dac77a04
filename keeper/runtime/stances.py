"""Implied against forecast volatility by expiry, and what that tells the desk: the table and the quoter's job."""

from __future__ import annotations

from collections.abc import Sequence

from rich.table import Table

from keeper.chain.bindings import binding
from keeper.chain.client import BlockHead
from keeper.chain.deployment import Deployment
from keeper.errors import ConfigError, SkipTick
from keeper.execution.records import Job
from keeper.market.candles import daily_panel, load_candles
from keeper.market.series_names import expiry_name
from keeper.market.vol_outlook import served_outlook
from keeper.pricing.vol_signal import SideSignal, side_signals, stance_of
from keeper.runtime.assembly import Desk
from keeper.runtime.codec import digest, to_json
from keeper.runtime.surface import slices_on_chain

DEADLINE_S = 300


def signals_now(desk: Desk) -> tuple[SideSignal, ...]:
    """One for each live expiry whose horizon the candles can judge. ConfigError without candles."""
    forecast = desk.config.forecast
    if forecast.candles is None:
        raise ConfigError("[forecast] candles is missing: the signal needs a history of candles")
    candles, now_s = (
        load_candles(forecast.candles, allow_gaps=forecast.allow_gaps),
        desk.clock.now(),
    )
    slices = slices_on_chain(desk.node, desk.deployment)
    panel = daily_panel(candles, now_s)
    outlook = served_outlook(panel, [s.expiry_s for s in slices], now_s)
    signals = side_signals(slices, outlook)
    if not signals:
        raise SkipTick(f"no expiry can be judged by {len(panel)} days of {candles.source}")
    return signals


def stances_job(
    signals: Sequence[SideSignal], deployment: Deployment, chain: str, head: BlockHead, now_s: int
) -> Job:
    """OptionDesk.setStances, which takes it from the quoter alone."""
    stances = [stance_of(signal) for signal in signals]
    rows = [(s.expiry_s, s.bid_spread, s.ask_spread, s.bid_limit, s.ask_limit) for s in stances]
    to, orders = deployment.address("OptionDesk"), to_json(stances)
    key = f"stances:{deployment.underlying}:{to.lower()}"
    return Job(
        work_id=digest([chain, key, head.hash, orders]),
        key=key,
        what="OptionDesk.setStances",
        to=to,
        data=binding("OptionDesk").encode("setStances", deployment.underlying, rows),
        block_number=head.number,
        deadline_s=max(now_s, head.timestamp_s) + DEADLINE_S,
        snapshot_hash=digest([head.hash]),
        plan=to_json(signals),
        orders=orders,
    )


def signal_table(signals: Sequence[SideSignal]) -> Table:
    """Volatilities in %, spreads and limits as shares of the usual."""
    table = Table(title="Implied against forecast volatility; > 0 deviations is rich")
    names = ("expiry", "implied", "forecast", "deviations", "bid spread", "ask spread")
    for name in (*names, "bid limit", "ask limit"):
        table.add_column(name, justify="right", no_wrap=name == "expiry")
    for one in signals:
        s = stance_of(one)
        shares = (s.bid_spread, s.ask_spread, s.bid_limit, s.ask_limit)
        table.add_row(
            expiry_name(one.expiry_s),
            f"{100 * one.implied_vol:.2f}",
            f"{100 * one.forecast_vol:.2f}",
            f"{one.deviations:+.2f}",
            *(f"{share / 10_000:.3f}" for share in shares),
        )
    return table
