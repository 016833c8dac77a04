"""Prometheus figures of the keeper. Units are in the names."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, start_http_server

from keeper.execution.records import HedgeTimes, Outcome
from keeper.models import Snapshot
from keeper.runtime.tick_records import TickResult
from keeper.units import WAD


class Metrics:
    """One set of figures with a registry of its own, so that two keepers in a process do not collide."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()

        def gauge(name: str, text: str, *labels: str) -> Gauge:
            return Gauge(f"gammadesk_{name}", text, labels, registry=self.registry)

        def counter(name: str, text: str, *labels: str) -> Counter:
            return Counter(f"gammadesk_{name}", text, labels, registry=self.registry)

        self.block = gauge("block_number", "Block of the last snapshot")
        self.block_time = gauge("block_timestamp_seconds", "Time of that block")
        self.spot = gauge("spot_usd", "Oracle price")
        self.delta = gauge("net_delta_eth", "Net delta", "source")
        self.band = gauge("band_eth", "Band in force")
        self.budget = gauge("budget_left_usd", "Loss budget left")
        self.health = gauge("venue_health", "Venue health, 1 is its own threshold", "venue")
        self.margin = gauge("margin_cover", "Equity of the vault over its maintenance margin")
        self.margin_step = gauge(
            "margin_step", "Last step of the margin ladder that is due, 0: none"
        )
        self.balance = gauge("keeper_balance_eth", "Gas money left")
        self.ticks = counter("ticks", "Ticks by outcome", "outcome")
        self.errors = counter("tick_errors", "Ticks that ended in an error", "error")
        self.missed = counter("missed_runs", "Scheduled runs that did not happen", "why")
        self.chores = counter("chores", "Chores by function and outcome", "function", "outcome")
        self.gas = counter("gas_used", "Gas of mined transactions")
        self.gas_paid = counter("gas_paid_eth", "ETH paid for it")
        self.machine = Histogram(
            "gammadesk_hedge_machine_seconds",
            "A sent hedge on this machine: read, decide, send",
            ("stage",),
            registry=self.registry,
            buckets=(0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 5.0),
        )
        self.settlement = Histogram(
            "gammadesk_hedge_settlement_seconds",
            "From the oracle's round, and from the block decided upon, to the block of the hedge",
            ("since",),
            registry=self.registry,
            buckets=(2, 6, 12, 24, 60, 180, 600, 1800, 3600),
        )

    def serve(self, port: int, host: str) -> None:
        """Answers on http://host:port/metrics from a thread of its own."""
        start_http_server(port, addr=host, registry=self.registry)

    def observe(self, result: TickResult) -> None:
        """Figures of a finished tick."""
        self._observe_snapshot(result.inputs.snapshot)
        self.delta.labels("own").set(result.inputs.book.delta_eth)
        self.margin_step.set(result.ladder.highest)
        self.band.set(result.plan.band_eth)
        self.ticks.labels(result.outcome.kind.value).inc()
        for outcome in (result.outcome, *result.recovered):
            self._observe_gas(outcome)
        if result.times is not None:
            self._observe_times(result.times)

    def observe_chore(self, function: str, outcome: Outcome) -> None:
        """How a call of the upkeep ended."""
        self.chores.labels(function, outcome.kind.value).inc()
        self._observe_gas(outcome)

    def _observe_gas(self, outcome: Outcome) -> None:
        if outcome.gas_used is not None and outcome.gas_price_wei is not None:
            self.gas.inc(outcome.gas_used)
            self.gas_paid.inc(outcome.gas_used * outcome.gas_price_wei / WAD)

    def _observe_times(self, times: HedgeTimes) -> None:
        stages = {"read": times.read_ms, "decide": times.decide_ms, "send": times.send_ms}
        for stage, took_ms in stages.items():
            if took_ms is not None:
                self.machine.labels(stage).observe(took_ms / 1e3)
        if times.included_at_s is not None:
            for since, start_s in (("round", times.oracle_at_s), ("head", times.head_at_s)):
                self.settlement.labels(since).observe(times.included_at_s - start_s)

    def _observe_snapshot(self, snapshot: Snapshot) -> None:
        self.block.set(snapshot.block_number)
        self.block_time.set(snapshot.timestamp_s)
        self.spot.set(snapshot.spot_usd)
        self.delta.labels("chain").set(snapshot.chain_delta_eth)
        self.budget.set(snapshot.rules.budget_left_usd)
        self.balance.set(snapshot.keeper_balance_wei / WAD)
        if snapshot.maintenance_margin_usd > 0.0:
            self.margin.set(snapshot.equity_usd / snapshot.maintenance_margin_usd)
        for venue in snapshot.venues:
            self.health.labels(venue.address).set(venue.health)
