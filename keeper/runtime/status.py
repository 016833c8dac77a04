"""The vault's situation as a table for people."""

from __future__ import annotations

import math
from collections.abc import Mapping

from rich.table import Table

from keeper.models import Snapshot
from keeper.portfolio.book import value_book
from keeper.units import GWEI, WAD


def status_table(snapshot: Snapshot, intents: Mapping[str, int], now_s: int) -> Table:
    """Two columns: what, and how it stands."""
    table = Table(title=f"Gammadesk on chain {snapshot.chain_id}", show_header=False)
    table.add_column("what")
    table.add_column("value")
    for name, value in (*_market(snapshot, now_s), *_book(snapshot), *_venues(snapshot)):
        table.add_row(name, value)
    state = ", ".join(f"{count} {status}" for status, count in sorted(intents.items()))
    table.add_row("journal", state or "no intents yet")
    return table


def _market(snapshot: Snapshot, now_s: int) -> list[tuple[str, str]]:
    surface = snapshot.surface_committed_at_s
    return [
        ("block", f"{snapshot.block_number}, {now_s - snapshot.timestamp_s} s old"),
        ("base fee", f"{snapshot.base_fee_wei / GWEI:.3f} gwei"),
        (
            "spot",
            f"{snapshot.spot_usd:,.2f} USD, {now_s - snapshot.spot_updated_at_s} s old, "
            f"oracle {snapshot.oracle_state.name}",
        ),
        ("pool price", f"{snapshot.pool_price_usd:,.2f} USD"),
        ("surface", f"{now_s - surface} s old" if surface else "never committed"),
    ]


def _book(snapshot: Snapshot) -> list[tuple[str, str]]:
    book, rules = value_book(snapshot), snapshot.rules
    return [
        ("net delta, chain", f"{snapshot.chain_delta_eth:+.6f} ETH"),
        ("net delta, own", f"{book.delta_eth:+.6f} ETH"),
        ("band", f"{rules.band_eth:g} ETH"),
        ("gamma, vega", f"{book.gamma_eth_per_usd:+.6f} ETH/USD, {book.vega_usd:+,.2f} USD"),
        ("theta", f"{book.theta_usd_per_year / 365:+,.2f} USD a day"),
        ("legs", f"{len(snapshot.legs)}, worth {book.option_value_usd:,.2f} USD"),
        ("cash, WETH", f"{snapshot.cash_usd:,.2f} USD, {snapshot.base_eth:.6f} ETH"),
        ("equity", f"{snapshot.equity_usd:,.2f} USD"),
        ("loss budget", f"{rules.budget_left_usd:,.2f} of {rules.budget_cap_usd:,.2f} USD left"),
        (
            "keeper",
            f"{snapshot.keeper_address}, {snapshot.keeper_balance_wei / WAD:.4f} ETH, "
            f"nonce {snapshot.keeper_nonce}, epoch {rules.epoch}",
        ),
    ]


def _venues(snapshot: Snapshot) -> list[tuple[str, str]]:
    return [
        (
            venue.kind.value,
            f"{venue.base_eth:+.6f} ETH, {venue.quote_usd:,.2f} USD, "
            + ("no debt" if math.isinf(venue.health) else f"health {venue.health:.3f}"),
        )
        for venue in snapshot.venues
    ]
