"""The served forecast where a tick and the signal use it: what is known then, once a day, and a stated fallback."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from keeper.errors import DataError
from keeper.market.candles import Candles, daily_panel
from keeper.market.vol_outlook import served_outlook
from keeper.pricing.vol_signal import (
    LIMIT_BOUNDS,
    SPREAD_BOUNDS,
    SignalRules,
    VolForecast,
    side_signals,
    stance_of,
)
from keeper.runtime.forecast import ServedRealised, TrailingRealised
from keeper.volatility.panel import DAY_S
from keeper.volatility.served import serve_panel
from tests.keeper.keeper_builders import snapshot
from tests.keeper.surface_world import TRUTH

HOUR_S = 3_600
START_S = 1_577_836_800  # 2020-01-01
DAYS = 420


def candles(days: int = DAYS, seed: int = 5) -> Candles:
    """Hours whose volatility wanders slowly about 60 %."""
    dice = np.random.default_rng(seed)
    hours = days * 24
    level = np.zeros(days)
    for day in range(1, days):
        level[day] = 0.97 * level[day - 1] + 0.12 * dice.standard_normal()
    vol = np.repeat(0.6 * np.exp(level), 24) / np.sqrt(365 * 24)
    price = 2_000.0 * np.exp(np.cumsum(vol * dice.standard_normal(hours)))
    opened = np.r_[2_000.0, price[:-1]]
    wick = np.abs(dice.standard_normal(hours)) * vol * 0.3
    high = np.maximum(opened, price) * (1.0 + wick)
    low = np.minimum(opened, price) * (1.0 - wick)
    times = START_S + HOUR_S * np.arange(hours, dtype=np.int64)
    return Candles("made", HOUR_S, times, opened, high, low, price, volume=np.ones(hours))


HISTORY = candles()
END_S = START_S + DAYS * DAY_S


def forecaster(history: Candles = HISTORY) -> ServedRealised:
    return ServedRealised(history, TrailingRealised(history))


def at(seconds: int):
    return replace(snapshot(), timestamp_s=seconds)


def test_it_is_served_from_what_had_closed() -> None:
    """Candles after the moment change nothing, and the forecast is near what the days were made with."""
    now = END_S - 5 * DAY_S + 7 * HOUR_S
    found, source = forecaster().forecast(at(now))
    assert source.startswith("served by")
    assert found.horizon_s == DAY_S
    assert 0.2 < found.vol < 2.0
    cut = int(np.searchsorted(HISTORY.timestamp_s + HOUR_S, now, side="right"))
    later = HISTORY.close.copy()
    later[cut:] *= 2.0
    high = np.maximum(HISTORY.high, later)
    low = np.minimum(HISTORY.low, later)
    again, _ = forecaster(replace(HISTORY, close=later, high=high, low=low)).forecast(at(now))
    assert again == found


def test_it_is_made_once_a_day(monkeypatch: pytest.MonkeyPatch) -> None:
    calls = []
    monkeypatch.setattr(
        "keeper.runtime.forecast.serve_panel",
        lambda *args: calls.append(1) or serve_panel(*args),
    )
    one = forecaster()
    first = one.forecast(at(END_S + HOUR_S))
    assert one.forecast(at(END_S + 9 * HOUR_S)) == first
    assert len(calls) == 1
    one.forecast(at(END_S + DAY_S))
    assert len(calls) == 2


def test_a_short_history_falls_back_and_says_so() -> None:
    short = candles(60)
    found, source = forecaster(short).forecast(at(START_S + 60 * DAY_S))
    plain, _ = TrailingRealised(short).forecast(at(START_S + 60 * DAY_S))
    assert found == plain
    assert "nothing is served: 60 periods of history" in source


def test_a_history_that_ended_is_told() -> None:
    with pytest.raises(DataError, match=r"made ends 2\.0 days before"):
        daily_panel(HISTORY, END_S + 2 * DAY_S)


def test_no_row_is_served_with_hindsight() -> None:
    """Altering the last days changes no forecast before them."""
    panel = daily_panel(HISTORY, END_S)
    plain = serve_panel(panel, 7, 200).forecast
    cut = len(panel) - 20
    changed = replace(panel, rv=np.r_[panel.rv[:cut], panel.rv[cut:] * 9.0])
    again = serve_panel(changed, 7, 200).forecast
    assert np.array_equal(plain[:cut], again[:cut], equal_nan=True)
    assert not np.array_equal(plain[cut:], again[cut:])


def test_the_outlook_has_the_served_error_and_skips_what_it_cannot_judge() -> None:
    panel = daily_panel(HISTORY, END_S)
    expiries = [END_S + d * DAY_S for d in (1, 7, 60)]
    found = served_outlook(panel, expiries, END_S, rows=200)
    assert list(found) == expiries[:2]
    assert all(0.2 < one.vol < 2.0 and 0.05 < one.log_error < 1.0 for one in found.values())


@pytest.mark.parametrize(("ratio", "rich"), [(3.0, True), (1 / 3.0, False)])
def test_a_stance_is_the_signal_in_the_contracts_units_and_bounds(ratio: float, rich: bool) -> None:
    from keeper.pricing.svi import implied_vol

    one = TRUTH[2]
    level = float(implied_vol(one, 0.0))
    wild = SignalRules(least_spread=0.01, most_spread=9.0, least_limit=0.0)
    for rules in (SignalRules(), wild):
        forecast = {one.expiry_s: VolForecast(level / ratio, 0.05)}
        (signal,) = side_signals([one], forecast, rules)
        stance = stance_of(signal)
        assert stance.expiry_s == one.expiry_s
        wide, tight = (SPREAD_BOUNDS[1], SPREAD_BOUNDS[0])
        assert (stance.bid_spread, stance.ask_spread) == ((wide, tight) if rich else (tight, wide))
        assert (stance.bid_limit, stance.ask_limit) == (
            LIMIT_BOUNDS if rich else LIMIT_BOUNDS[::-1]
        )


def test_without_richness_the_stance_is_neutral() -> None:
    from keeper.pricing.svi import implied_vol

    one = TRUTH[0]
    fair = float(implied_vol(one, 0.0)) / np.exp(SignalRules().usual_premium)
    (signal,) = side_signals([one], {one.expiry_s: VolForecast(fair, 0.1)})
    stance = stance_of(signal)
    assert {stance.bid_spread, stance.ask_spread, stance.bid_limit, stance.ask_limit} == {10_000}
