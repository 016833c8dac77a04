"""The market around the core contracts: feed rounds, the pool and slices of the surface."""

from __future__ import annotations

import math

from keeper.models import SviSlice
from keeper.pricing import svi
from keeper.pricing.svi import find_arbitrage
from tests.contracts.core_constants import (
    DAY,
    FEED_DECIMALS,
    SPOT_USD,
    TWAP_WINDOW_S,
    UNDERLYING,
    WAD,
)


class CoreMarket:
    """What a test does to prices and volatility. Needs the contracts of Core and `now`, `expiry`."""

    def set_spot(self, usd: float, pool_usd: float | None = None, at: int | None = None) -> int:
        """A feed round (now unless `at`), USDC at par, and the pool's price and mean. Returns the round's id."""
        self.set_pool(usd if pool_usd is None else pool_usd)
        by = {"from": self.gov}
        self.quote.push(10**FEED_DECIMALS, self.now, by)
        self.feed.push(round(usd * 10**FEED_DECIMALS), at or self.now, by)
        return int(self.feed.latest())

    def set_pool(self, usd: float) -> None:
        raw = (usd * 10**6 / 10**18) ** (1 if self.base_first else -1)
        tick = math.log(raw) / math.log(1.0001)
        by = {"from": self.gov}
        self.pool.setPrice(int(math.sqrt(raw) * 2**96), by)
        self.pool.setCumulative(10**9, round(tick * TWAP_WINDOW_S), by)

    def slice(self, vol: float, days: int, carry: float = 0.0, skew: float = 0.0) -> tuple:
        """A slice whose at-the-money volatility is `vol` now; flat for no skew."""
        tau = (self.expiry(days) - self.now) / (365 * DAY)
        sigma, b = 0.2, abs(skew) * vol * vol * tau
        # w(0) = a + b sigma with m = 0: the wings rise and the middle stays.
        word = svi.pack_floats(vol * vol * tau - b * sigma, b, -0.5 if skew else 0.0, 0.0, sigma)
        return self.expiry(days), word, round(carry * WAD)

    def commit(self, *slices: tuple, spot: float = SPOT_USD) -> None:
        """These slices, as far from the last ones as may be, and every other live expiry with them."""
        for expiry in self.live():
            self.surface.resetAnchor(UNDERLYING, expiry, {"from": self.gov})
        inputs = self.whole(*slices)
        self.surface.commit(UNDERLYING, round(spot * WAD), inputs, {"from": self.committer})

    def live(self) -> list[int]:
        """The expiries of the last commit that are still ahead."""
        return [int(e) for e in self.surface.expiries(UNDERLYING) if e > self.now + 60]

    def whole(self, *slices: tuple) -> list[tuple]:
        """These slices, and the other live expiries at their own volatility, or at theirs where that is arbitrage."""
        live = self.live()
        given = {s[0]: s for s in slices}
        rest = [e for e in live if e not in given]
        whole = given | {e: self._kept(e, e) for e in rest}
        if find_arbitrage([self._float_slice(*s) for s in whole.values()], 0.5):
            near = {e: min(given, key=lambda other, e=e: abs(other - e)) for e in rest}
            whole = given | {e: self._stretched(e, given[near[e]]) for e in rest}
        return sorted(whole.values())

    def _kept(self, expiry: int, source: int) -> tuple:
        """The slice that keeps the volatility of the last commit."""
        word, carry, at = map(int, self.surface.sliceOf(UNDERLYING, source))
        return expiry, scaled_word(word, (expiry - self.now) / (source - at)), carry

    def _stretched(self, expiry: int, given: tuple) -> tuple:
        """Another expiry at the volatility of a given slice: total variance in proportion to time left."""
        source, word, carry = given
        return expiry, scaled_word(word, (expiry - self.now) / (source - self.now)), carry

    def _float_slice(self, expiry: int, word: int, carry: int) -> SviSlice:
        return svi.slice_from_word(word, expiry, carry / WAD, self.now)


def scaled_word(word: int, factor: float) -> int:
    """The slice with all of its total variance multiplied."""
    a, b, rho, m, sigma = svi.unpack(word).floats()
    return svi.pack_floats(a * factor, b * factor, rho, m, sigma)
