"""Rounds of the real ETH/USD feed with their real ids: expiries, a dead feed, the end of a phase, realised volatility.

Every ETH/USD round of ten months lies in the data folder; without it these tests skip. Times are moved by whole days,
to where the node's clock may go; hours of the day and everything between rounds stay.
"""

import itertools
import os
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from scripts.setup import env
from tests.brownie_fixtures import reverts_with
from tests.contracts.core_constants import DAY, FEED_DECIMALS, HOUR, ORACLE_PARAMETERS, WAD
from tests.contracts.core_env import BrownieBackend, Core, deploy_core, market_config
from tests.contracts.test_oracle_realised import estimate

ROUNDS = (
    Path(os.environ.get("GAMMADESK_DATA", env.ROOT.parent / "shared" / "data"))
    / "chainlink_eth_usd_rounds.csv.gz"
)
pytestmark = pytest.mark.skipif(
    not ROUNDS.exists(), reason="no market data: set GAMMADESK_DATA to its folder"
)

MARKET = 2
E10 = 10**10
DEADLINE_S = ORACLE_PARAMETERS[3]
EXPIRY_HOUR_S = 8 * HOUR
BATCH = 150
NEXT_PHASE = 7 << 64


class Replay:
    """A market on the real feed from its first round on. `rounds` are (id, answer, second), moved in time."""

    def __init__(self, core: Core) -> None:
        data = pd.read_csv(ROUNDS, usecols=["round_id", "answer_1e8", "updated_at_unix"])
        first_day = int(data.updated_at_unix.iloc[0]) // DAY
        shift = (core.start // DAY + 1 - first_day) * DAY
        ids = [int(text) for text in data.round_id]
        seconds = (data.updated_at_unix + shift).tolist()
        self.rounds = list(zip(ids, data.answer_1e8.tolist(), seconds, strict=True))
        self.core = core
        self.by = {"from": core.gov}
        _, answer, at = self.rounds[0]
        core.warp(at)
        self.feed = core.backend.deploy("MockFeed", FEED_DECIMALS, 1, 1)
        self.feed.setZeros(True, self.by)
        self.load(self.rounds[:1])
        core.set_spot(answer / 10**FEED_DECIMALS)
        config = market_config(core, feed=self.feed, maxAge=2 * HOUR)
        core.oracle.registerMarket(MARKET, core.weth, core.usdc, config, self.by)

    def load(self, rounds: list[tuple[int, int, int]]) -> None:
        for k in range(0, len(rounds), BATCH):
            self.feed.load(*map(list, zip(*rounds[k : k + BATCH], strict=True)), self.by)

    def expiries(self) -> list[tuple[int, int]]:
        """(expiry, index of its first round), every day of the data."""
        seconds = [second for _, _, second in self.rounds]
        days = range(seconds[0] // DAY + 1, seconds[-1] // DAY)
        found, k = [], 0
        for day in days:
            expiry = day * DAY + EXPIRY_HOUR_S
            while seconds[k] < expiry:
                k += 1
            found.append((expiry, k))
        return found

    def prove(self, expiry: int, round_id: int) -> Any:
        return self.core.oracle.proveSettlement(MARKET, expiry, round_id, self.by)

    def price(self, expiry: int) -> int:
        return int(self.core.oracle.settlementPrice(MARKET, expiry))


@pytest.fixture(scope="module")
def replay(project: Any, accounts: Any) -> Replay:
    return Replay(deploy_core(BrownieBackend(project, accounts)))


def test_every_third_expiry_of_ten_months_is_proven_by_its_round_alone(replay: Replay) -> None:
    chosen = replay.expiries()[::3]
    for _, k in chosen:
        replay.load(replay.rounds[k - 2 : k + 2])
    replay.core.warp(replay.rounds[-1][2] + DAY)
    for expiry, k in chosen:
        for wrong in (k - 1, k + 1):
            with reverts_with("RoundNotFirstAfterExpiry"):
                replay.core.oracle.proveSettlement.call(
                    MARKET, expiry, replay.rounds[wrong][0], replay.by
                )
        replay.prove(expiry, replay.rounds[k][0])
        assert replay.price(expiry) == replay.rounds[k][1] * E10
    assert len(chosen) > 90


def test_a_feed_that_dies_settles_by_the_mean_and_not_by_its_last_round(replay: Replay) -> None:
    expiry, k = replay.expiries()[40]
    replay.load(replay.rounds[k - 3 : k])
    core, sign = replay.core, 1 if replay.core.base_first else -1
    core.pool.setTicks(expiry - HOUR, expiry, sign * -200_000, sign * -200_000, replay.by)
    core.warp(expiry + 60)
    core.oracle.recordTwap(MARKET, expiry, replay.by)
    last = replay.rounds[k - 1][0]
    with reverts_with("RoundNotFirstAfterExpiry"):
        replay.prove(expiry, last)
    with reverts_with("RoundMissing", replay.rounds[k][0]):
        replay.prove(expiry, replay.rounds[k][0])
    core.warp(expiry + DEADLINE_S + 1)
    core.oracle.settleByTwap(MARKET, expiry, [last], replay.by)
    assert replay.price(expiry) / WAD == pytest.approx(1.0001**-200_000 * 1e12, rel=1e-9)


def test_a_phase_that_ends_between_two_rounds_of_an_expiry(replay: Replay) -> None:
    """The real rounds around an expiry, the later ones under the next phase, as if the aggregator had been replaced."""
    expiry, k = replay.expiries()[80]
    replay.load(replay.rounds[k - 3 : k])
    later = [
        (NEXT_PHASE + 1 + n, answer, second)
        for n, (_, answer, second) in enumerate(replay.rounds[k : k + 3])
    ]
    replay.load(later)
    replay.core.warp(later[-1][2] + 60)
    with reverts_with("RoundOfOtherPhase", NEXT_PHASE + 1):
        replay.prove(expiry, NEXT_PHASE + 1)
    oracle, last = replay.core.oracle, replay.rounds[k - 1][0]
    for wrong, error in (
        (replay.rounds[k - 2][0], "PhaseNotSilent"),
        (replay.rounds[k][0], "RoundMissing"),
    ):
        with reverts_with(error):
            oracle.proveSettlementAcross(MARKET, expiry, NEXT_PHASE + 1, [wrong], replay.by)
    oracle.proveSettlementAcross(MARKET, expiry, NEXT_PHASE + 1, [last], replay.by)
    assert replay.price(expiry) == replay.rounds[k][1] * E10


def test_realised_volatility_of_real_rounds(replay: Replay) -> None:
    """Ten days of first rounds of each hour, and every other round of them refused."""
    start = replay.rounds[0][2]
    rounds = [r for r in replay.rounds if r[2] < start + 10 * DAY]
    replay.load(rounds)
    replay.core.warp(rounds[-1][2] + 60)
    oracle = replay.core.oracle
    samples = [(float(start), rounds[0][1] / 10**FEED_DECIMALS)]
    refused = 0
    for (_, _, before), (round_id, answer, second) in itertools.pairwise(rounds):
        if before // HOUR == second // HOUR:
            if refused < 60:
                with reverts_with("RoundNotNextSample"):
                    oracle.poke.call(MARKET, round_id, replay.by)
                refused += 1
            continue
        oracle.poke(MARKET, round_id, replay.by)
        samples.append((float(second), answer / 10**FEED_DECIMALS))
    vol, updated_at, count = oracle.realisedVol(MARKET)
    assert (updated_at, count) == (int(samples[-1][0]), len(samples) - 1)
    assert vol / WAD == pytest.approx(estimate(samples), rel=1e-9)
    assert count > 200
    assert 0.1 < vol / WAD < 2
