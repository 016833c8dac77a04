"""Tables of `gammadesk surface`: what was fitted, what is mispriced, what is committed."""

from __future__ import annotations

from datetime import UTC, datetime

from rich.table import Table

from keeper.models import SviSlice
from keeper.pricing.mispricing import Mispricing
from keeper.pricing.surface_fit import FittedSurface
from keeper.pricing.surface_nearest import NearestCommit
from keeper.pricing.svi import implied_vol, slice_from_word
from keeper.units import from_wad

KEYS = ("expiry", "option")  # what a narrow terminal does not break


def quality_table(surface: FittedSurface) -> Table:
    """How good the fit of each slice is."""
    table = Table(title=f"{surface.quotes.chain.source}: volatilities in %, errors in points")
    for name in ("expiry", "quotes", "at the forward", "rmse", "half-width", "inside band"):
        table.add_column(name, justify="right", no_wrap=name in KEYS)
    for one, quality in zip(surface.slices, surface.quality(), strict=True):
        table.add_row(
            _moment(one.expiry_s),
            str(quality.quotes),
            f"{100 * float(implied_vol(one, 0.0)):.2f}",
            f"{100 * quality.rmse_vol:.3f}",
            f"{100 * quality.median_half_width:.3f}",
            f"{100 * quality.inside_band_share:.1f} %",
        )
    return table


def mispricing_table(found: tuple[Mispricing, ...]) -> Table:
    """What to do, and the edge after costs."""
    table = Table(title="Out-of-the-money options off the surface, USD per contract")
    for name in ("option", "do", "bid", "ask", "fair", "off by (points)", "edge after costs"):
        table.add_column(name, justify="right", no_wrap=name in KEYS)
    for one in found:
        kind = "call" if one.is_call else "put"
        table.add_row(
            f"{_moment(one.expiry_s)} {one.strike_usd:g} {kind}",
            one.side.value,
            f"{one.bid_usd:.2f}",
            f"{one.ask_usd:.2f}",
            f"{one.fair_usd:.2f}",
            f"{100 * one.miss_vol:+.2f}",
            f"{one.edge_usd:.2f}",
        )
    return table


def nearest_table(wanted: tuple[SviSlice, ...], found: NearestCommit) -> Table:
    """How far each expiry of a wanted surface goes in one commit."""
    table = Table(title="The nearest commit: volatility at the forward in %")
    for name in ("expiry", "wanted", "committed", "of the way"):
        table.add_column(name, justify="right", no_wrap=name in KEYS)
    words = {expiry: (word, from_wad(carry)) for expiry, word, carry in found.inputs}
    for one in wanted:
        row = [_moment(one.expiry_s), f"{100 * float(implied_vol(one, 0.0)):.2f}"]
        if one.expiry_s in words:
            word, carry = words[one.expiry_s]
            near = slice_from_word(word, one.expiry_s, carry, one.committed_at_s)
            row.append(f"{100 * float(implied_vol(near, 0.0)):.2f}")
            row.append(f"{100 * found.shares[one.expiry_s]:.1f} %")
        else:
            row += ["left out", found.left_out[one.expiry_s]]
        table.add_row(*row)
    return table


def slice_table(slices: tuple[SviSlice, ...]) -> Table:
    """The parameters of each slice."""
    title = f"Slices as of {_moment(slices[0].committed_at_s)}: volatility and carry in % a year"
    table = Table(title=title)
    names = ("expiry", "atm", "a", "b", "rho", "m", "sigma", "carry")
    for name in names:
        table.add_column(name, justify="right", no_wrap=name in KEYS)
    for one in slices:
        numbers = (one.a, one.b, one.rho, one.m, one.sigma)
        table.add_row(
            _moment(one.expiry_s),
            f"{100 * float(implied_vol(one, 0.0)):.2f}",
            *(f"{number:.4f}" for number in numbers),
            f"{100 * one.carry:.2f}",
        )
    return table


def _moment(seconds: int) -> str:
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M}"
