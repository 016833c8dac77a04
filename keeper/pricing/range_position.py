"""A concentrated-liquidity position as an instrument: value, delta, gamma, and its loss against holding.

Source: Uniswap v3 core white paper (2021), section 6.2: with liquidity L (square root of ETH times USD) between prices
a and b, a position holds L (1/sqrt(P) - 1/sqrt(b)) of the base and L (sqrt(P) - sqrt(a)) of the quote at a price P in
[a, b), and one asset only outside. So it is short gamma, -L / (2 P^1.5), inside its range and nothing else: the same
options that hedge a written straddle hedge it. Static hedge: Carr and Madan (1998), "Towards a theory of volatility
trading", eq. 1, on listed strikes.

The price is USD per unit of base; a quote token is counted at par. A position whose fees are still owed by the pool
owns them: they are part of value and delta.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from keeper.errors import PricingError
from keeper.pricing.option_columns import MAX_PRICE_USD, MIN_PRICE_USD, check_range, numbers

FloatArray = NDArray[np.float64]

MAX_TICK = 887_272
_TICK_BASE = 1.0001


@dataclass(frozen=True, slots=True)
class RangeProfile:
    """A position over prices: one value a price, all arrays of the shape of the prices.

    base ETH and quote USD are what liquidity holds, without fees; value USD and delta ETH are with fees; gamma is in
    ETH per USD; loss USD is what holding the entry's amounts would be worth more, without fees, never negative.
    """

    base: FloatArray
    quote: FloatArray
    value: FloatArray
    delta: FloatArray
    gamma: FloatArray
    loss: FloatArray


@dataclass(frozen=True, slots=True)
class StaticHedge:
    """Long options, spot and cash that pay at one expiry what the position has then lost against holding.

    The payoff meets the loss at every strike and beyond the outermost. Between two strikes it is the chord of a convex
    curve: above the loss, by at most gamma * (distance of strikes)^2 / 8.
    """

    strike_usd: FloatArray
    is_call: NDArray[np.bool_]
    size: FloatArray
    spot_eth: float
    cash_usd: float

    def payoff(self, price_usd: ArrayLike) -> FloatArray:
        """USD at expiry at the given prices."""
        p = numbers("price_usd", price_usd)
        sign = np.where(self.is_call, 1.0, -1.0)
        options = np.maximum(sign * (p[..., None] - self.strike_usd), 0.0) @ self.size
        result: FloatArray = self.cash_usd + self.spot_eth * p + options
        return result


@dataclass(frozen=True, slots=True)
class RangePosition:
    """Liquidity (sqrt of base times USD) between two prices, entered at a third; fees owed in both tokens.

    An instrument in the sense of keeper.portfolio.positions. Raises PricingError for numbers that are not finite,
    prices that are not 0 < low < high, liquidity not above 0, fees below 0.
    """

    liquidity: float
    low_usd: float
    high_usd: float
    entry_usd: float
    fees_base_eth: float = 0.0
    fees_quote_usd: float = 0.0

    def __post_init__(self) -> None:
        for name in ("low_usd", "high_usd", "entry_usd"):
            check_range(name, np.array(getattr(self, name)), MIN_PRICE_USD, MAX_PRICE_USD)
        if not self.low_usd < self.high_usd:
            raise PricingError(f"range {self.low_usd!r} to {self.high_usd!r} is empty: low < high")
        if not 0.0 < self.liquidity < math.inf:
            raise PricingError(f"liquidity must be positive and finite, got {self.liquidity!r}")
        for name in ("fees_base_eth", "fees_quote_usd"):
            if not 0.0 <= getattr(self, name) < math.inf:
                raise PricingError(f"{name} must be 0 or more, got {getattr(self, name)!r}")

    @classmethod
    def of_deposit(
        cls, deposit_usd: float, low_usd: float, high_usd: float, entry_usd: float
    ) -> RangePosition:
        """The position that `deposit_usd` of both tokens buys at the entry price."""
        if not 0.0 < deposit_usd < math.inf:
            raise PricingError(f"deposit_usd must be positive and finite, got {deposit_usd!r}")
        unit = cls(1.0, low_usd, high_usd, entry_usd)
        return cls(deposit_usd / unit.value(entry_usd), low_usd, high_usd, entry_usd)

    @classmethod
    def of_ticks(
        cls,
        liquidity: int,
        ticks: tuple[int, int],
        entry_usd: float,
        *,
        base_is_token0: bool,
        base_decimals: int = 18,
        quote_decimals: int = 6,
        fees_owed: tuple[int, int] = (0, 0),
    ) -> RangePosition:
        """From the pool's own integers: raw liquidity, lower and upper tick, and fees owed (base, quote) in units."""
        lower, upper = ticks
        if not -MAX_TICK <= lower < upper <= MAX_TICK:
            raise PricingError(f"ticks {ticks} must ascend inside +-{MAX_TICK}")
        apart = 10.0 ** (base_decimals - quote_decimals)
        first, second = (_TICK_BASE**tick for tick in ticks)
        low, high = (first, second) if base_is_token0 else (1.0 / second, 1.0 / first)
        return cls(
            liquidity / 10.0 ** ((base_decimals + quote_decimals) / 2),
            low * apart,
            high * apart,
            entry_usd,
            fees_owed[0] / 10.0**base_decimals,
            fees_owed[1] / 10.0**quote_decimals,
        )

    def value(self, spot_usd: float) -> float:
        """USD, fees included."""
        return float(self.profile(spot_usd).value)

    def delta(self, spot_usd: float) -> float:
        """Base held, fees included: the slope of the value."""
        return float(self.profile(spot_usd).delta)

    def gamma(self, spot_usd: float) -> float:
        """Base per USD, never positive; from the right at the ends of the range, as in the pool."""
        return float(self.profile(spot_usd).gamma)

    def impermanent_loss(self, spot_usd: float) -> float:
        """USD by which holding the entry's amounts beats the position without fees; 0 at the entry, never less."""
        return float(self.profile(spot_usd).loss)

    def profile(self, spot_usd: ArrayLike) -> RangeProfile:
        """Everything at the given prices, USD; PricingError for one that is not in [1e-18, 1e12]."""
        p = numbers("spot_usd", spot_usd)
        check_range("spot_usd", p, MIN_PRICE_USD, MAX_PRICE_USD)
        base, quote = self._amounts(p)
        inside = (p >= self.low_usd) & (p < self.high_usd)
        return RangeProfile(
            base=base,
            quote=quote,
            value=base * p + quote + self.fees_base_eth * p + self.fees_quote_usd,
            delta=base + self.fees_base_eth,
            gamma=np.where(inside, -0.5 * self.liquidity / (p * np.sqrt(p)), 0.0),
            loss=self._loss(p),
        )

    def static_hedge(self, strikes_usd: ArrayLike) -> StaticHedge:
        """Sizes at these strikes (ascending, two or more): puts below the entry, calls from it on.

        PricingError where they do not ascend, or leave a part of the range outside: there the loss would go on with
        nobody to pay it.
        """
        k = numbers("strikes_usd", strikes_usd)
        check_range("strikes_usd", k, MIN_PRICE_USD, MAX_PRICE_USD)
        if k.ndim != 1 or k.size < 2 or not np.all(np.diff(k) > 0.0):
            raise PricingError("strikes_usd must be two or more in ascending order")
        needed = min(self.low_usd, self.entry_usd), max(self.high_usd, self.entry_usd)
        if k[0] > needed[0] or k[-1] < needed[1]:
            raise PricingError(
                f"strikes from {k[0]:g} to {k[-1]:g} must reach from {needed[0]:g} to {needed[1]:g}"
            )
        worth, entry_base = self._loss(k), float(self._amounts(np.array(self.entry_usd))[0])
        most, least = (float(self._amounts(x)[0]) for x in (np.array(k[0]), np.array(k[-1])))
        # Outside the range the loss is a straight line whose slope is what is held too little.
        slopes = np.concatenate(
            ([entry_base - most], np.diff(worth) / np.diff(k), [entry_base - least])
        )
        is_call = k >= self.entry_usd
        middle = int(np.count_nonzero(~is_call))
        spot = float(slopes[middle])
        anchor = min(middle, k.size - 1)
        return StaticHedge(
            k, is_call, np.diff(slopes), spot, float(worth[anchor] - spot * k[anchor])
        )

    def _amounts(self, price: FloatArray) -> tuple[FloatArray, FloatArray]:
        root = np.sqrt(np.clip(price, self.low_usd, self.high_usd))
        low, high = math.sqrt(self.low_usd), math.sqrt(self.high_usd)
        return self.liquidity * (1.0 / root - 1.0 / high), self.liquidity * (root - low)

    def _loss(self, price: FloatArray) -> FloatArray:
        """Entry's amounts less own ones, at the price. In a product form, because near the entry both are nearly equal.

        With r and e the roots of price and entry, both kept inside the range, the tokens differ by L (r - e) / (r e)
        and L (r - e); so inside the range the loss is L (r - e)^2 / e.
        """
        root = np.sqrt(np.clip(price, self.low_usd, self.high_usd))
        entry = math.sqrt(min(max(self.entry_usd, self.low_usd), self.high_usd))
        gap = root - entry
        # (price - root * entry), where price = root^2 inside.
        excess = (price - root * root) + root * gap
        result: FloatArray = self.liquidity * gap * excess / (root * entry)
        return result
