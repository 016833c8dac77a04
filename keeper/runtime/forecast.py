"""Where the tick's volatility forecast comes from. Each says so in words, which the decision record keeps."""

from __future__ import annotations

from dataclasses import dataclass

from keeper.market.candles import Candles
from keeper.models import Forecast, Snapshot
from keeper.pricing.svi import implied_vol
from keeper.volatility.realised import trailing_realised_vol

DAY_S = 86_400


@dataclass(frozen=True, slots=True)
class AtmImplied:
    """At-the-forward implied volatility of the nearest live expiry in the book."""

    def forecast(self, snapshot: Snapshot) -> tuple[Forecast, str]:
        """Horizon is that expiry. A book without live options has no volatility to forecast: 0 over a day."""
        live = [s for s in snapshot.slices if s.expiry_s > snapshot.timestamp_s]
        if not live:
            return Forecast(0.0, DAY_S), "none: no live option in the book has a slice"
        near = min(live, key=lambda s: s.expiry_s)
        vol = float(implied_vol(near, 0.0))
        horizon_s = near.expiry_s - snapshot.timestamp_s
        return Forecast(
            vol, horizon_s
        ), f"at-the-forward implied volatility of expiry {near.expiry_s}"


@dataclass(frozen=True, slots=True)
class TrailingRealised:
    """Realised volatility of the candles that had closed at the snapshot's time."""

    candles: Candles
    window_s: int = 7 * DAY_S

    def forecast(self, snapshot: Snapshot) -> tuple[Forecast, str]:
        """Horizon is the window. DataError when too few candles had closed."""
        vol = trailing_realised_vol(
            self.candles.timestamp_s + self.candles.step_s,
            self.candles.close,
            snapshot.timestamp_s,
            self.window_s,
        )
        source = (
            f"realised volatility of the last {self.window_s // 3600} h of {self.candles.source}"
        )
        return Forecast(vol, self.window_s), source


@dataclass(frozen=True, slots=True)
class Given:
    """A number that the caller answers for."""

    vol: float
    horizon_s: int
    source: str

    def forecast(self, snapshot: Snapshot) -> tuple[Forecast, str]:  # noqa: ARG002
        """The number."""
        return Forecast(self.vol, self.horizon_s), self.source
