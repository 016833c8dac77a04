"""Forecasts of realised variance scored out of sample on real candles, with pictures. Minutes, not seconds.

QLIKE of every model on the same rows, parameters anew each month on an expanding window, Diebold-Mariano against
log-HAR: as it is, and with its level put right by its own out-of-sample mean (which only hindsight knows, so that
no model can win by level alone).
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from keeper.volatility.bars import Bars, Floats, checked_bars
from keeper.volatility.baselines import Ewma, Har, Implied
from keeper.volatility.combine import Combination
from keeper.volatility.forecast import Forecaster
from keeper.volatility.gamma import GammaRegression
from keeper.volatility.garch import Garch
from keeper.volatility.market_features import illiquidity, known_at_end, premium
from keeper.volatility.panel import DAY_S, Panel, build_panel
from keeper.volatility.regimes import regimes_walk
from keeper.volatility.scoring import DemotionRule, diebold_mariano, qlike
from keeper.volatility.served import serve
from keeper.volatility.walk import walk_forward
from keeper.volatility.warning import stress_events, warning_walk
from scripts.bench.volatility_pictures import draw_forecast, draw_regimes
from scripts.nodes import ROOT

DATA = Path(os.environ.get("GAMMADESK_DATA", ROOT.parent / "shared" / "data"))
FIRST_TARGET_S = int(np.datetime64("2022-01-01", "s").astype(np.int64))
HORIZONS = (1, 7, 30)
BASELINE = "log_har"
BEST = "gamma_pooled"
HOUR_S = 3_600
HOURLY_HORIZONS = (1, 6)
Table = dict[str, dict[str, float]]


def models() -> list[tuple[Forecaster, bool]]:
    """What is scored, and whether it may borrow the other asset's history."""
    slow = Combination((Ewma(0.98, ranges=True), Implied()), "ewma_implied")
    gamma = GammaRegression()
    return [
        (Har(), False),
        (Har(logs=False, corrected=False), False),
        (Har(logs=False), False),
        (Har(logs=False, implied=True), False),
        (Har(implied=True), False),
        (Ewma(), False),
        (Garch(corrected=False), False),
        (Garch(), False),
        (Garch(leverage=True), False),
        (Implied(), False),
        (slow, False),
        (gamma, False),
        (GammaRegression(name=BEST), True),
        (Combination((gamma, *slow.members), "gamma_ewma_implied"), True),
    ]


def load_asset(asset: str) -> tuple[Bars, Floats, Panel]:
    """Hourly bars, their volume in coins, and the daily panel with the index as known at each day's end."""
    table = pd.read_parquet(DATA / f"{asset}_usdt_spot_1h.parquet")
    bars = _bars(table)
    volume = table[f"volume_{asset}"].to_numpy(dtype=np.float64)
    return bars, volume, build_panel(bars, DAY_S, *load_index(asset))


def _bars(table: pd.DataFrame) -> Bars:
    opened = pd.to_datetime(table["timestamp"], utc=True).dt.tz_localize(None).to_numpy()
    times = opened.astype("datetime64[s]").astype(np.int64)
    return checked_bars(times, *(table[name] for name in ("open", "high", "low", "close")), HOUR_S)


def load_index(asset: str) -> tuple[Floats, Floats]:
    """When each daily close of the volatility index became known (the end of its day), and it as a decimal."""
    table = pd.read_csv(DATA / f"{asset}_dvol_daily.csv")
    days = pd.to_datetime(table["date"]).to_numpy().astype("datetime64[s]").astype(np.int64)
    return (days + DAY_S).astype(np.float64), table["close"].to_numpy(dtype=np.float64) / 100.0


def measure_volatility(folder: Path) -> dict[str, Any]:
    """All figures; pictures go into `folder`."""
    bars, volume, eth = load_asset("eth")
    btc = load_asset("btc")[2]
    qlike_eth, dm_eth, corrected_eth, best = _score(eth, btc)
    qlike_btc, dm_btc, corrected_btc, _ = _score(btc, eth)
    draw_forecast(folder / "forecast.png", eth, best)
    return {
        "qlike": qlike_eth | {"best": qlike_eth[BEST]},
        "dm_t_vs_log_har": dm_eth | {"best": dm_eth[BEST]},
        "dm_t_vs_log_har_level_by_hindsight": corrected_eth,
        "qlike_btc": qlike_btc | {"best": qlike_btc[BEST]},
        "dm_t_vs_log_har_btc": dm_btc | {"best": dm_btc[BEST]},
        "dm_t_vs_log_har_level_by_hindsight_btc": corrected_btc,
        "models_scored": len(models()),
        "best_is": BEST,
        "qlike_hourly": _hourly(bars),
        "regimes": _regimes(eth, folder),
        "warning": _warning(eth, bars, volume),
    }


def _score(own: Panel, other: Panel) -> tuple[Table, Table, Table, dict[int, Floats]]:
    """Losses, both t, and the best forecasts; `served` is the best one under the demotion rule, on the same rows."""
    losses_of, t_plain, t_corrected = {}, {}, {}
    best: dict[int, Floats] = {}
    for horizon in HORIZONS:
        target = own.target(horizon)
        forecasts = {
            model.name: walk_forward(
                model, [own, other] if lends else [own], horizon, FIRST_TARGET_S
            )
            for model, lends in models()
        }
        best[horizon] = forecasts[BEST]
        served = serve(forecasts[BEST], forecasts[BASELINE], target, horizon)
        forecasts["served"] = served.forecast
        print(
            f"  at {horizon} days {BEST} lost or won its place {served.switches} times", flush=True
        )
        known = np.isfinite(target) & np.all([np.isfinite(f) for f in forecasts.values()], axis=0)
        truth, base = target[known], forecasts[BASELINE][known]
        base_losses = qlike(truth, base)
        right_level = qlike(truth, base * np.mean(truth / base))
        for name, forecast in forecasts.items():
            losses = qlike(truth, forecast[known])
            key = str(horizon)
            losses_of.setdefault(name, {})[key] = round(float(losses.mean()), 4)
            t_plain.setdefault(name, {})[key] = round(
                diebold_mariano(losses, base_losses, horizon), 2
            )
            t_corrected.setdefault(name, {})[key] = round(
                diebold_mariano(losses, right_level, horizon), 2
            )
        _say_verdict(qlike(truth, forecasts[BEST][known]), base_losses, horizon)
    return losses_of, t_plain, t_corrected, best


def _say_verdict(losses: Floats, base: Floats, horizon: int) -> None:
    verdict = DemotionRule(window=min(500, losses.size)).judge(losses, base, horizon, promoted=True)
    word = "stays" if verdict.promoted else "demoted"
    print(f"  {BEST} at {horizon} days {word}: {verdict.reason}", flush=True)


def _hourly(bars: Bars) -> Table:
    """One and six hours ahead, on the Garman-Klass variance of hours (one return is nearly all noise)."""
    panel = build_panel(
        bars.window(FIRST_TARGET_S - 3 * 365 * DAY_S, int(bars.open_s[-1]) + HOUR_S),
        HOUR_S,
        *load_index("eth"),
    )
    out: Table = {}
    for horizon in HOURLY_HORIZONS:
        target = panel.target(horizon)
        forecasts = {
            model.name: walk_forward(model, [panel], horizon, FIRST_TARGET_S)
            for model in (Ewma(0.94, corrected=True), Har(), GammaRegression())
        }
        known = (target > 0.0) & np.all([f > 0.0 for f in forecasts.values()], axis=0)
        for name, forecast in forecasts.items():
            loss = float(qlike(target[known], forecast[known]).mean())
            out.setdefault(name, {})[f"{horizon}h"] = round(loss, 4)
    return out


def _regimes(panel: Panel, folder: Path) -> dict[str, float]:
    """Mean volatility a year that followed each state on the next day, by the most probable filtered state."""
    filtered, _ = regimes_walk(panel, FIRST_TARGET_S)
    draw_regimes(folder / "regimes.png", panel, filtered)
    target = panel.target(1)
    known = np.isfinite(filtered[:, 0]) & np.isfinite(target)
    state = filtered[known].argmax(axis=1)
    found: dict[str, float] = {}
    for number in range(filtered.shape[1]):
        inside = state == number
        found[f"days_{number}"] = float(inside.sum())
        found[f"next_day_vol_{number}"] = round(
            float(np.sqrt(target[known][inside].mean() * 365)), 3
        )
    return found


def _warning(panel: Panel, bars: Bars, volume: Floats) -> dict[str, dict[str, float]]:
    """Scores of the calibrated probability by what it sees beyond prices, on the same rows."""
    traded = volume * bars.close
    row = (bars.open_s - panel.start_s[0]) // DAY_S
    inside = (row >= 0) & (row < len(panel))
    sources = {
        "volume": np.bincount(row[inside], volume[inside], len(panel)),
        "illiquidity": illiquidity(panel, bars, traded),
        "funding": premium(panel, bars, load_perpetual()),
        "gas": known_at_end(panel, *load_gas()),
    }
    sets: dict[str, tuple[str, ...]] = {"prices": (), "volume": ("volume",)}
    sets |= {f"volume_{name}": ("volume", name) for name in ("illiquidity", "funding", "gas")}
    sets["all"] = tuple(sources)
    events = stress_events(panel)
    return {
        name: _score_warning(
            warning_walk(panel, FIRST_TARGET_S, extras={key: sources[key] for key in keys}), events
        )
        for name, keys in sets.items()
    }


def _score_warning(chance: Floats, events: Floats) -> dict[str, float]:
    """Brier score against the base rate known at the time, log loss, and the worst gap of a fifth of the days."""
    known = np.isfinite(chance) & np.isfinite(events)
    usual = np.array([np.nanmean(events[:last]) for last in np.flatnonzero(known)])
    p, hit = chance[known], events[known]
    fifths = np.array_split(np.argsort(p, kind="stable"), 5)
    figures = {
        "brier": np.mean((p - hit) ** 2),
        "brier_base_rate": np.mean((usual - hit) ** 2),
        "log_loss": -np.mean(np.log(np.where(hit > 0, p, 1 - p))),
        "event_rate": hit.mean(),
        "event_rate_top_fifth": hit[fifths[-1]].mean(),
        "calibration_gap_worst_fifth": max(abs(p[f].mean() - hit[f].mean()) for f in fifths),
    }
    return {name: round(float(value), 4) for name, value in figures.items()}


def load_gas() -> tuple[Floats, Floats]:
    """When each daily mean gas price was known (the end of its day), and its logarithm in gwei."""
    table = pd.read_csv(DATA / "ethereum_avg_gas_price_daily.csv")
    table = table[table["avg_gas_price_gwei"] > 0]
    known = table["unix_s"].to_numpy(dtype=np.float64) + DAY_S
    return known, np.log(table["avg_gas_price_gwei"].to_numpy(dtype=np.float64))


def load_perpetual() -> Bars:
    """Hourly bars of the perpetual."""
    return _bars(pd.read_parquet(DATA / "eth_usdt_perp_1h.parquet"))


def show(figures: dict[str, Any]) -> None:
    """The QLIKE tables beside their t against log-HAR, and the other figures as they are."""
    for suffix in ("", "_btc"):
        losses, t = figures[f"qlike{suffix}"], figures[f"dm_t_vs_log_har{suffix}"]
        print(f"QLIKE (t against log-HAR) at {', '.join(map(str, HORIZONS))} days{suffix}")
        for name, row in losses.items():
            cells = (f"{row[k]:.4f} ({t[name][k]:6.2f})" for k in map(str, HORIZONS))
            print(f"  {name:20s}", "  ".join(cells))
    for key in ("models_scored", "qlike_hourly", "regimes", "warning"):
        print(key, figures[key])
