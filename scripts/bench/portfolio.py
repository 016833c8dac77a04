"""`python -m scripts.bench.portfolio`: figures of docs/quant_portfolio.md, into build/bench/portfolio.json.

Needs market data (GAMMADESK_DATA); takes a few minutes of one core.
"""

from __future__ import annotations

import json
import math

import numpy as np

from keeper.portfolio.hedge_error import at_the_money_hedge_error
from keeper.simulation.hedge_problem import HedgingProblem, Leg
from keeper.simulation.hedge_simulator import interval_rule, simulate
from keeper.simulation.paths import lognormal_paths
from keeper.volatility.bars import Bars, checked_bars
from scripts.bench.portfolio_overlay import overlay_bench
from scripts.bench.portfolio_risk import (
    HOUR_S,
    backtest,
    correlation_table,
    crash_readings,
    stress_example,
)
from scripts.bench.portfolio_sizing import sizing_backtest
from scripts.bench.volatility import DATA
from scripts.nodes import ROOT

TARGET = ROOT / "build/bench/portfolio.json"
PATHS, VOL, YEARS = 20_000, 0.8, 30 / 365


def hedge_error_table() -> dict[str, dict[str, float]]:
    """Simulated deviation of an at-the-money call hedged at equal steps, over its bound."""
    out = {}
    vega = 100.0 * math.exp(-VOL * VOL * YEARS / 8) * math.sqrt(YEARS / (2 * math.pi))
    for steps in (180, 720):
        setting = HedgingProblem(
            (Leg(True, 100.0, -1.0),), 100.0, VOL, YEARS, steps, 0.0, 0.0, 1.0, free_unwind=True
        )
        paths = lognormal_paths(100.0, VOL, YEARS, steps, PATHS, seed=4)
        seen = float(simulate(setting, interval_rule(setting, 1), paths).profit.std())
        bound = at_the_money_hedge_error(vega, VOL, steps)
        out[str(steps)] = {"simulated": seen, "bound": bound, "ratio": seen / bound}
    return out


def load_perpetual() -> Bars:
    """Hourly candles of the ETH perpetual."""
    import pandas as pd

    table = pd.read_parquet(DATA / "eth_usdt_perp_1h.parquet")
    opened = pd.to_datetime(table["timestamp"], utc=True).dt.tz_localize(None).to_numpy()
    times = opened.astype("datetime64[s]").astype(np.int64)
    return checked_bars(times, *(table[n] for n in ("open", "high", "low", "close")), HOUR_S)


def main() -> None:
    """All parts, shown and written."""
    if not DATA.exists():
        raise SystemExit(f"portfolio: no market data at {DATA}, set GAMMADESK_DATA to their folder")
    figures = {
        "hedge_error": hedge_error_table(),
        "stress": stress_example(),
        "correlation": correlation_table(load_perpetual()),
        "shocks": crash_readings(),
        "overlay": overlay_bench(),
        "sizing": sizing_backtest(),
        "value_at_risk": backtest(),
    }
    TARGET.parent.mkdir(parents=True, exist_ok=True)
    TARGET.write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")
    print(json.dumps(figures, indent=1))


if __name__ == "__main__":
    main()
