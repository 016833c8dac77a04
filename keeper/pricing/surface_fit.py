"""A chain of quotes to a surface of raw SVI slices: free of arbitrage on the quoted strikes, with what it is worth."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np

from keeper.models import SviSlice
from keeper.pricing.option_chain import (
    BoolArray,
    ChosenQuotes,
    FloatArray,
    OptionChain,
    QuoteRules,
)
from keeper.pricing.quote_choice import choose_quotes
from keeper.pricing.smile_shape import RawSlices
from keeper.pricing.svi_arbitrage import Strikes, Violations, find_violations, without_arbitrage
from keeper.pricing.svi_fit import FitSettings, Smiles, fit_smiles

# Where SviChecks.sol looks for calendar arbitrage is within two standard deviations of the nearer slice; these are
# closer together, since a refit moves the standard deviation a little.
CONTRACT_GRID = tuple(0.25 * i for i in range(-9, 10))


@dataclass(frozen=True, slots=True)
class SliceQuality:
    """How a slice meets its quotes. Volatilities are decimals: 0.01 is one volatility point."""

    expiry_s: int
    quotes: int
    rmse_vol: float
    worst_vol: float
    median_half_width: float
    inside_band_share: float


@dataclass(frozen=True, slots=True)
class FittedSurface:
    """Slices as they would be committed at `quotes.chain.read_at_s`, ascending in expiry, and what they came from."""

    quotes: ChosenQuotes
    raw: RawSlices
    slices: tuple[SviSlice, ...]
    refitted: int
    strikes: Strikes = field(repr=False)

    def vols(self) -> FloatArray:
        """Fitted volatility at each chosen quote, (slices, quotes)."""
        return vols_of(self.raw, self.quotes.k, self.quotes.tau_years)

    def vol(self, expiry_s: int, strike_usd: float) -> float:
        """Fitted volatility of one strike. KeyError when the surface has no such expiry."""
        row = [s.expiry_s for s in self.slices].index(expiry_s)
        k = math.log(strike_usd / float(self.quotes.forward_usd[row]))
        at = np.full((len(self.raw), 1), k)
        return float(vols_of(self.raw, at, self.quotes.tau_years)[row, 0])

    def violations(self) -> Violations:
        """Static arbitrage on the union of quoted strikes; none, or the fit would have raised."""
        return find_violations(self.raw, self.strikes)

    def quality(self, where: BoolArray | None = None) -> tuple[SliceQuality, ...]:
        """By slice, over the chosen quotes or those of them that are in `where`."""
        quoted = self.quotes.quoted if where is None else where & self.quotes.quoted
        miss, width = self.vols() - self.quotes.mid_vol, self.quotes.half_width
        return tuple(
            SliceQuality(
                expiry_s=int(expiry),
                quotes=int(here.sum()),
                rmse_vol=float(np.sqrt(np.mean(m[here] ** 2))),
                worst_vol=float(np.abs(m[here]).max()),
                median_half_width=float(np.median(h[here])),
                inside_band_share=float(np.mean(np.abs(m[here]) <= h[here])),
            )
            for expiry, here, m, h in zip(self.quotes.expiry_s, quoted, miss, width, strict=True)
            if here.any()
        )


def fit_surface(
    chain: OptionChain,
    rules: QuoteRules | None = None,
    settings: FitSettings | None = None,
    grid: tuple[float, ...] = CONTRACT_GRID,
) -> FittedSurface:
    """Chooses quotes, fits, and refits what holds arbitrage; `grid` as in `fit_quotes`.

    DataError when no expiry has enough quotes, PricingError when no surface without arbitrage was found.
    """
    return fit_quotes(choose_quotes(chain, rules), settings=settings, grid=grid)


def fit_quotes(
    quotes: ChosenQuotes,
    only: BoolArray | None = None,
    settings: FitSettings | None = None,
    grid: tuple[float, ...] = CONTRACT_GRID,
) -> FittedSurface:
    """The surface of the chosen quotes, or of those of them in `only` (at least one of each slice).

    `grid` adds points that are held free of arbitrage, quoted or not, in standard deviations of each slice: those at
    which the contract looks.
    """
    quoted = quotes.quoted if only is None else only & quotes.quoted
    smiles = Smiles(quotes.k, quotes.mid_vol, quotes.half_width, quoted, quotes.tau_years)
    fit = fit_smiles(smiles, settings)
    strikes = Strikes.of(quotes.k, quoted, fit.scale[:, None] * np.asarray(grid))
    raw, refitted = without_arbitrage(fit, strikes)
    return FittedSurface(quotes, raw, _as_slices(quotes, raw), refitted, strikes)


def vols_of(raw: RawSlices, k: FloatArray, tau_years: FloatArray) -> FloatArray:
    """Volatilities at k of shape (slices, points)."""
    return np.sqrt(np.maximum(raw.variance(k), 0.0) / tau_years[:, None])


def _as_slices(quotes: ChosenQuotes, raw: RawSlices) -> tuple[SviSlice, ...]:
    carry = np.log(quotes.forward_usd / quotes.chain.spot_usd) / quotes.tau_years
    now = quotes.chain.read_at_s
    return tuple(
        SviSlice(
            expiry_s=int(quotes.expiry_s[i]),
            a=float(raw.a[i]),
            b=float(raw.b[i]),
            rho=float(raw.rho[i]),
            m=float(raw.m[i]),
            sigma=float(raw.sigma[i]),
            carry=float(carry[i]),
            committed_at_s=now,
        )
        for i in range(len(raw))
    )
