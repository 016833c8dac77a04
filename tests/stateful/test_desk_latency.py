"""A taker who sees the market 30 s before the feed, over every round of a real feed, at the deployment's parameters.

True price: that of the coming round. The taker buys calls before a rise and puts before a fall, of a strike with the
delta that he likes, a week long, and keeps what it is worth at the true price: he never pays to get out again.
"""

import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from keeper.pricing import black76
from scripts.deployment.parameters import load_parameters
from scripts.setup import env
from tests.contracts.core_constants import WAD
from tests.stateful.desk_model import DeskModel

FOLDER = Path(os.environ.get("GAMMADESK_DATA", env.ROOT / ".." / "shared" / "data"))
ROUNDS = FOLDER / "chainlink_eth_usd_rounds.csv.gz"
VOL, TAU_YEARS = 0.7, 7 / 365
# Strike over spot: deep in the money (no volatility spread to speak of), at and out of the money.
MONEYNESS = {"deep": 0.75, "in": 0.93, "at": 1.0, "out": 1.07}
# What arbitrage leaves between pool and market: the pool's own fee.
POOL_LAG = 0.0005

pytestmark = pytest.mark.skipif(not ROUNDS.exists(), reason="no feed rounds under GAMMADESK_DATA")


@pytest.fixture(scope="module")
def prices() -> np.ndarray:
    return pd.read_csv(ROUNDS)["price_usd"].to_numpy(float)


def gains(seen: np.ndarray, true: np.ndarray, pool: np.ndarray, moneyness: float) -> np.ndarray:
    """Share of spot that one contract makes: worth at the true price less the premium by the desk's own formula."""
    model = DeskModel(tuple(load_parameters().desk.struct().values()))
    rise = true > seen
    strike = np.where(rise, seen * moneyness, seen * (2 - moneyness))
    at = black76.greeks(rise, seen, strike, np.full_like(seen, VOL), np.full_like(seen, TAU_YEARS))
    flat = np.full_like(seen, VOL), np.full_like(seen, TAU_YEARS)
    other, worth = (black76.price(rise, s, strike, *flat) for s in (pool, true))
    made = np.empty_like(seen)
    for i in range(len(seen)):
        here, bad, vega, delta = (
            round(float(x) * WAD)
            for x in (at.price[i], max(at.price[i], other[i]), at.vega[i], -at.delta[i])
        )
        gamma = -round(float(at.gamma[i]) * WAD)
        change = delta * WAD, gamma * WAD, -vega * WAD
        spot = round(float(seen[i]) * WAD)
        _, premium, _ = model.price([(0, WAD)], [(bad, here, vega)], ((0, 0, 0), change), spot)
        made[i] = worth[i] - premium / WAD
    return made / seen


@pytest.mark.parametrize("money", MONEYNESS)
def test_he_who_trades_before_each_round_loses_on_average(prices: np.ndarray, money: str) -> None:
    """Even where the pool knows nothing yet."""
    seen, true = prices[:-1], prices[1:]
    made = gains(seen, true, seen, MONEYNESS[money])
    assert made.mean() < 0
    assert (made > 0).any(), "he must see something, or nothing is tested"


@pytest.mark.parametrize("money", MONEYNESS)
def test_he_who_picks_his_moments_loses_each_time_to_the_pool(
    prices: np.ndarray, money: str
) -> None:
    """The pool is within its fee of the market, and the worse of the two spots is his."""
    seen, true = prices[:-1], prices[1:]
    picked = np.abs(true / seen - 1) > 0.004
    pool = np.where(true > seen, true * (1 - POOL_LAG), true * (1 + POOL_LAG))
    made = gains(seen[picked], true[picked], pool[picked], MONEYNESS[money])
    assert len(made) > 1_000
    assert made.max() < 0


def test_without_floor_and_pool_he_would_have_won(
    prices: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The measure itself sees an edge where there is one."""
    seen, true = prices[:-1], prices[1:]
    parameters = load_parameters().with_values(desk={"latency_floor": 0})
    monkeypatch.setattr("tests.stateful.test_desk_latency.load_parameters", lambda: parameters)
    assert gains(seen, true, seen, MONEYNESS["deep"]).mean() > 0
