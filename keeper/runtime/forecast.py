"""Where the tick's volatility forecast comes from. Each says so in words, which the decision record keeps."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from keeper.errors import DataError
from keeper.market.candles import Candles, daily_panel
from keeper.models import Forecast, Snapshot
from keeper.pricing.svi import implied_vol
from keeper.units import SECONDS_PER_YEAR
from keeper.volatility.realised import trailing_realised_vol
from keeper.volatility.served import serve_panel

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


@dataclass(slots=True)
class ServedRealised:
    """The served forecast of daily variance (keeper.volatility.served), a day ahead; made once a day, at its end.

    Where the candles hold too little history for it, `fallback` answers, and its source says why.
    """

    candles: Candles
    fallback: TrailingRealised
    rows: int = 300
    _known: tuple[int, Forecast, str] | None = field(default=None, init=False)

    def forecast(self, snapshot: Snapshot) -> tuple[Forecast, str]:
        """Horizon is a day. DataError as the fallback's when that has too little, too."""
        day = snapshot.timestamp_s // DAY_S
        if self._known is None or self._known[0] != day:
            try:
                self._known = (day, *self._served(snapshot.timestamp_s))
            except DataError as error:
                found, source = self.fallback.forecast(snapshot)
                return found, f"{source}, since nothing is served: {error}"
        return self._known[1], self._known[2]

    def _served(self, now_s: int) -> tuple[Forecast, str]:
        panel = daily_panel(self.candles, now_s)
        served = serve_panel(panel, 1, self.rows)
        variance = float(served.forecast[-1])
        if not (math.isfinite(variance) and variance > 0.0):
            raise DataError("the last days are too gapped for a forecast")
        who = "the model" if served.promoted[-1] else "the baseline"
        vol = math.sqrt(variance * SECONDS_PER_YEAR / panel.period_s)
        return Forecast(
            vol, DAY_S
        ), f"served by {who} from {len(panel)} days of {self.candles.source}"


@dataclass(frozen=True, slots=True)
class Given:
    """A number that the caller answers for."""

    vol: float
    horizon_s: int
    source: str

    def forecast(self, snapshot: Snapshot) -> tuple[Forecast, str]:  # noqa: ARG002
        """The number."""
        return Forecast(self.vol, self.horizon_s), self.source
