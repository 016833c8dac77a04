"""The forecasts that the desk uses, on real candles: the bars of their quality. The whole table: make bench-quant."""

from __future__ import annotations

import numpy as np
import pytest

from keeper.volatility.baselines import Har
from keeper.volatility.gamma import GammaRegression
from keeper.volatility.scoring import diebold_mariano, qlike
from keeper.volatility.walk import walk_forward
from scripts.bench.volatility import DATA, FIRST_TARGET_S, load_asset
from tests.keeper.volatility_world import altered_after

pytestmark = pytest.mark.skipif(
    not (DATA / "eth_usdt_spot_1h.parquet").exists(),
    reason="no market data: set GAMMADESK_DATA to its folder",
)


@pytest.fixture(scope="module")
def panels():
    return [load_asset(asset)[2] for asset in ("eth", "btc")]


@pytest.mark.parametrize(("horizon", "bar"), [(1, 0.315), (7, 0.200), (30, 0.118)])
def test_quality_out_of_sample(panels, horizon, bar):
    """2022-01 to 2026-02, parameters anew each month: QLIKE under the bar, log-HAR beaten beyond chance."""
    target = panels[0].target(horizon)
    found = [
        walk_forward(model, panels, horizon, FIRST_TARGET_S) for model in (GammaRegression(), Har())
    ]
    known = np.isfinite(target) & np.isfinite(found).all(axis=0)
    assert known.sum() > 1_450
    losses = [qlike(target[known], forecast[known]) for forecast in found]
    assert losses[0].mean() <= bar
    assert diebold_mariano(losses[0], losses[1], horizon) >= 2.0


def test_another_future_changes_nothing(panels):
    """Three months of 2022, then another world: bit-identical until then."""
    cut = int(np.searchsorted(panels[0].start_s, FIRST_TARGET_S)) + 60
    short = panels[0].upto(cut + 30)
    lent = panels[1]
    same = int(np.searchsorted(lent.start_s, short.start_s[cut]))
    worlds = ([short, lent], [altered_after(short, cut), altered_after(lent, same)])
    ours, theirs = (walk_forward(GammaRegression(), w, 7, FIRST_TARGET_S) for w in worlds)
    assert np.array_equal(ours[: cut + 1], theirs[: cut + 1], equal_nan=True)
    assert not np.array_equal(ours[cut + 1 :], theirs[cut + 1 :])
