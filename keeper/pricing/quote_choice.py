"""From a chain to the quotes that smiles are fitted to: each drop has a reason and is counted."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from scipy.special import ndtr

from keeper.errors import DataError
from keeper.pricing import option_chain as oc
from keeper.pricing.implied_vol import implied_vol
from keeper.pricing.option_chain import (
    BoolArray,
    ChosenQuotes,
    FloatArray,
    IntArray,
    OptionChain,
    QuoteRules,
)
from keeper.units import SECONDS_PER_YEAR


def choose_quotes(chain: OptionChain, rules: QuoteRules | None = None) -> ChosenQuotes:
    """Two-sided out-of-the-money quotes inside the rules, with bid and ask volatilities on their expiry's forward.

    DataError when no expiry has enough of them; the message counts what was dropped and why.
    """
    rules = rules or QuoteRules()
    sieve = _Sieve(chain, np.arange(len(chain)))
    _drop_malformed(sieve, rules)
    expiries, forward = _assign_expiries(sieve)
    gap = np.abs(chain.forward_usd[sieve.row] / forward[sieve.slice_of] - 1.0)
    sieve.keep(oc.OFF_FORWARD, gap <= rules.most_forward_gap)
    _drop_untradable(sieve, rules)
    strike, at = chain.strike_usd[sieve.row], forward[sieve.slice_of]
    sieve.keep(oc.IN_THE_MONEY, np.where(chain.is_call[sieve.row], strike >= at, strike < at))
    tau = (expiries - chain.read_at_s) / SECONDS_PER_YEAR
    _add_volatilities(sieve, forward, tau)
    sieve.keep(oc.NO_VOLATILITY, np.isfinite(sieve.bid + sieve.ask) & (sieve.bid > 0.0))
    delta = _abs_delta(sieve, tau)
    sieve.keep(oc.FAR, (delta >= rules.least_delta) & (delta <= rules.most_delta))
    counts = np.bincount(sieve.slice_of, minlength=expiries.size)
    sieve.keep(oc.SPARSE, counts[sieve.slice_of] >= rules.least_quotes)
    sieve.keep(oc.WIDE, ~_wide(sieve, rules))
    if not sieve.row.size:
        told = ", ".join(f"{count} {reason}" for reason, count in sieve.drops.items() if count)
        raise DataError(
            f"{chain.source}: no expiry has {rules.least_quotes} usable quotes ({len(chain)} options, "
            f"of which {told})"
        )
    return _padded(sieve, expiries, forward, tau)


@dataclass(slots=True)
class _Sieve:
    """What is left of a chain, in columns that shrink together."""

    chain: OptionChain
    row: IntArray
    slice_of: IntArray = field(default_factory=lambda: np.empty(0, dtype=np.int64))
    bid: FloatArray = field(default_factory=lambda: np.empty(0))
    ask: FloatArray = field(default_factory=lambda: np.empty(0))
    k: FloatArray = field(default_factory=lambda: np.empty(0))
    drops: dict[str, int] = field(default_factory=lambda: dict.fromkeys(oc.REASONS, 0))

    def keep(self, reason: str, good: BoolArray) -> None:
        """Only the rows where `good`; the others are counted."""
        lost = int(good.size - np.count_nonzero(good))
        self.drops[reason] += lost
        if lost:
            self.take(np.flatnonzero(good))

    def take(self, chosen: IntArray) -> None:
        """These positions, in this order. Columns that are not filled yet stay empty."""
        self.row = self.row[chosen]
        if self.slice_of.size:
            self.slice_of = self.slice_of[chosen]
        if self.k.size:
            self.bid, self.ask, self.k = self.bid[chosen], self.ask[chosen], self.k[chosen]


def _drop_malformed(sieve: _Sieve, rules: QuoteRules) -> None:
    chain = sieve.chain
    good = np.isfinite(chain.strike_usd) & (chain.strike_usd > 0.0) & (chain.expiry_s > 0)
    good &= np.isfinite(chain.forward_usd) & (chain.forward_usd > 0.0)
    good &= ~((chain.bid_usd < 0.0) | (chain.ask_usd < 0.0))
    good &= ~(np.isinf(chain.bid_usd) | np.isinf(chain.ask_usd))
    sieve.keep(oc.MALFORMED, good)
    alive = chain.expiry_s[sieve.row] >= chain.read_at_s + rules.least_life_s
    sieve.keep(oc.EXPIRED, alive)


def _assign_expiries(sieve: _Sieve) -> tuple[IntArray, FloatArray]:
    """Expiries, and each one's forward: the median of its rows, so that one row's slip moves nothing."""
    expiries, slice_of = np.unique(sieve.chain.expiry_s[sieve.row], return_inverse=True)
    sieve.slice_of = slice_of.astype(np.int64)
    quoted = sieve.chain.forward_usd[sieve.row]
    forward = [float(np.median(quoted[slice_of == i])) for i in range(expiries.size)]
    return expiries, np.asarray(forward, dtype=np.float64)


def _drop_untradable(sieve: _Sieve, rules: QuoteRules) -> None:
    """One-sided, crossed, stale; then of each series all but the newest, of equally new ones the tightest."""
    chain = sieve.chain
    sieve.keep(oc.ONE_SIDED, (chain.bid_usd[sieve.row] > 0.0) & (chain.ask_usd[sieve.row] > 0.0))
    sieve.keep(oc.CROSSED, chain.bid_usd[sieve.row] <= chain.ask_usd[sieve.row])
    age = chain.read_at_s - chain.quoted_at_s[sieve.row]
    sieve.keep(oc.STALE, ~(age > rules.max_age_s))
    width = chain.ask_usd[sieve.row] - chain.bid_usd[sieve.row]
    oldness = np.nan_to_num(-chain.quoted_at_s[sieve.row], nan=np.inf)
    calls, strike = chain.is_call[sieve.row], chain.strike_usd[sieve.row]
    sieve.take(np.lexsort((width, oldness, calls, strike, sieve.slice_of)))
    strike, calls = chain.strike_usd[sieve.row], chain.is_call[sieve.row]
    again = np.zeros(sieve.row.size, dtype=np.bool_)
    again[1:] = (strike[1:] == strike[:-1]) & (calls[1:] == calls[:-1])
    again[1:] &= sieve.slice_of[1:] == sieve.slice_of[:-1]
    sieve.keep(oc.DUPLICATED, ~again)


def _add_volatilities(sieve: _Sieve, forward: FloatArray, tau: FloatArray) -> None:
    """Bid and ask volatilities in one call, and log-moneyness."""
    chain, row = sieve.chain, sieve.row
    twice = np.concatenate([row, row])
    at = np.concatenate([sieve.slice_of, sieve.slice_of])
    price = np.concatenate([chain.bid_usd[row], chain.ask_usd[row]])
    calls, strike = chain.is_call[twice], chain.strike_usd[twice]
    vol = implied_vol(calls, price, forward[at], strike, tau[at]).vol
    sieve.bid, sieve.ask = vol[: row.size], vol[row.size :]
    sieve.k = np.log(chain.strike_usd[row] / forward[sieve.slice_of])


def _abs_delta(sieve: _Sieve, tau: FloatArray) -> FloatArray:
    """|delta| to the forward at the middle of bid and ask volatility."""
    s = (sieve.bid + sieve.ask) / 2.0 * np.sqrt(tau[sieve.slice_of])
    delta = ndtr(s / 2.0 - sieve.k / s)
    return np.where(sieve.chain.is_call[sieve.row], delta, 1.0 - delta)


def _wide(sieve: _Sieve, rules: QuoteRules) -> BoolArray:
    half_width = (sieve.ask - sieve.bid) / 2.0
    limit = np.empty(half_width.size)
    for i in np.unique(sieve.slice_of):
        own = sieve.slice_of == i
        usual = float(np.median(half_width[own]))
        limit[own] = min(max(rules.wide_factor * usual, rules.wide_floor), rules.most_width)
    return np.asarray(half_width > limit)


def _padded(
    sieve: _Sieve, expiries: IntArray, forward: FloatArray, tau: FloatArray
) -> ChosenQuotes:
    """Rows are sorted by slice and strike already; padding repeats the slice's first quote with row -1."""
    kept, at, counts = np.unique(sieve.slice_of, return_inverse=True, return_counts=True)
    starts = np.cumsum(counts) - counts
    place = np.arange(at.size) - starts[at]
    row = np.full((kept.size, int(counts.max())), -1, dtype=np.int64)
    row[at, place] = sieve.row

    def table(column: FloatArray) -> FloatArray:
        out = np.repeat(column[starts][:, None], row.shape[1], axis=1)
        out[at, place] = column
        return out

    return ChosenQuotes(
        chain=sieve.chain,
        expiry_s=expiries[kept],
        forward_usd=forward[kept],
        tau_years=tau[kept],
        row=row,
        k=table(sieve.k),
        bid_vol=table(sieve.bid),
        ask_vol=table(sieve.ask),
        dropped=sieve.drops,
    )
