"""One moment's option quotes, whatever their source, and the choice of those that a smile is fitted to."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, fields

import numpy as np
from numpy.typing import NDArray

from keeper.errors import DataError

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]
IntArray = NDArray[np.int64]

# Reasons for which a quote is not used, in the order in which they are asked; each is counted.
MALFORMED = "malformed"  # strike, forward or expiry is no positive number, or a price is negative
EXPIRED = "expired"
OFF_FORWARD = "off_forward"  # its forward is not that of its expiry
ONE_SIDED = "one_sided"
CROSSED = "crossed"  # bid above ask
STALE = "stale"
DUPLICATED = "duplicated"  # same series; the newest is kept, of equals the tightest
IN_THE_MONEY = "in_the_money"
NO_VOLATILITY = "no_volatility"  # the price lies outside what any volatility gives
FAR = "far"  # |delta| outside the range
SPARSE = "sparse"  # too few are left of its expiry
WIDE = "wide"
REASONS = (
    MALFORMED,
    EXPIRED,
    OFF_FORWARD,
    ONE_SIDED,
    CROSSED,
    STALE,
    DUPLICATED,
    IN_THE_MONEY,
    NO_VOLATILITY,
    FAR,
    SPARSE,
    WIDE,
)


@dataclass(frozen=True, slots=True)
class OptionChain:
    """Quotes in USD per option on one unit, one entry an option in each array; NaN for a side that nobody quotes.

    `read_at_s` is when the quotes were read, from which time to expiry counts; `quoted_at_s` (unix seconds) is when
    each was made, NaN where the source does not say. `forward_usd` is the source's own, of the option's expiry.
    """

    source: str
    underlying: str
    read_at_s: int
    spot_usd: float
    expiry_s: IntArray
    strike_usd: FloatArray
    is_call: BoolArray
    forward_usd: FloatArray
    bid_usd: FloatArray
    ask_usd: FloatArray
    quoted_at_s: FloatArray

    def __post_init__(self) -> None:
        """DataError for what makes the whole chain unusable; single bad rows are counted when quotes are chosen."""
        for name, kind in (("expiry_s", np.integer), ("is_call", np.bool_)):
            if not np.issubdtype(getattr(self, name).dtype, kind):
                raise DataError(f"{self.source}: {name} must hold {kind.__name__}")
        arrays = [getattr(self, f.name) for f in fields(self) if f.type in _ARRAYS]
        if any(a.shape != self.expiry_s.shape or a.ndim != 1 for a in arrays):
            raise DataError(f"{self.source}: columns of different lengths")
        if not len(self):
            raise DataError(f"{self.source}: no option in the chain")
        if not (math.isfinite(self.spot_usd) and self.spot_usd > 0.0):
            raise DataError(f"{self.source}: spot is {self.spot_usd}, it must be positive")

    def __len__(self) -> int:
        return len(self.expiry_s)


_ARRAYS = ("IntArray", "FloatArray", "BoolArray")


@dataclass(frozen=True, slots=True)
class QuoteRules:
    """Which quotes a smile is fitted to. Volatilities and widths are decimals: 0.03 is three volatility points."""

    least_delta: float = 0.05
    most_delta: float = 0.95
    least_quotes: int = 5
    # Dropped where the half-width exceeds max(wide_factor x the slice's median, wide_floor), or most_width.
    wide_factor: float = 3.0
    wide_floor: float = 0.03
    most_width: float = 0.25
    max_age_s: float = 600.0
    least_life_s: int = 3600
    most_forward_gap: float = 0.01  # of a row's forward from its expiry's median

    def __post_init__(self) -> None:
        values = [getattr(self, f.name) for f in fields(self)]
        good = all(math.isfinite(v) and v >= 0 for v in values)
        if not (good and self.least_delta < self.most_delta <= 1.0 and self.least_quotes >= 1):
            raise DataError(f"quote rules out of range: {self}")


@dataclass(frozen=True, slots=True)
class ChosenQuotes:
    """Out-of-the-money quotes, padded to (slices, quotes), ascending in expiry and strike. Padding has row -1.

    `row` points into the chain; `forward_usd` is the median of the expiry's rows. `dropped` counts by reason.
    """

    chain: OptionChain
    expiry_s: IntArray
    forward_usd: FloatArray
    tau_years: FloatArray
    row: IntArray
    k: FloatArray
    bid_vol: FloatArray
    ask_vol: FloatArray
    dropped: dict[str, int] = field(default_factory=dict)

    @property
    def quoted(self) -> BoolArray:
        """Where there is a quote and not padding."""
        return np.asarray(self.row >= 0)

    @property
    def mid_vol(self) -> FloatArray:
        """Middle of bid and ask volatility."""
        return (self.bid_vol + self.ask_vol) / 2.0

    @property
    def half_width(self) -> FloatArray:
        """Half the distance of bid and ask volatility."""
        return (self.ask_vol - self.bid_vol) / 2.0
