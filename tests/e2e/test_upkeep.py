"""`gammadesk upkeep` on the real contracts: samples, the pool's mean, proof, conversion, factor, claim."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from scripts.replay.scenario import Wish
from tests.e2e.desk import EXPIRY_S, SPOT_USD, LiveDesk, live_desk, undone

HOUR_S = 3600
EPOCH = "processEpoch"


@pytest.fixture(scope="module")
def deployed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveDesk]:
    with live_desk(tmp_path_factory.mktemp("upkeep")) as desk:
        yield desk


@pytest.fixture
def desk(deployed: LiveDesk) -> Iterator[LiveDesk]:
    """As it was built; the journal starts empty."""
    with undone(deployed):
        yield deployed


def chores(desk: LiveDesk, *words: str, exit_code: int = 0) -> list[str]:
    """Names of what a run did, in their order, epochs left out: their window may be open at any hour of these tests."""
    return [name for name in everything(desk, *words, exit_code=exit_code) if name != EPOCH]


def everything(desk: LiveDesk, *words: str, exit_code: int = 0) -> list[str]:
    """With epochs."""
    result = desk.run("upkeep", "--live", "--block-time", *words)
    assert result.exit_code == exit_code, result.output
    return [line.split(",")[0].split(".")[-1] for line in result.stdout.splitlines()[:-1]]


def samples(desk: LiveDesk) -> int:
    return int(desk.chain.read(desk.world.contracts.oracle, "realisedVol", 1)[2])


def hours(desk: LiveDesk, count: int) -> None:
    """A round right after each full hour."""
    for i in range(count):
        desk.chain.pass_until((desk.chain.now_s() // HOUR_S + 1) * HOUR_S)
        desk.world.push_round(SPOT_USD * (1.01 if i % 2 else 1.0))


def settlement(desk: LiveDesk) -> tuple[int, int]:
    """(open short, payout factor)."""
    state = desk.chain.read(desk.world.contracts.clearing, "settlementOf", 1, EXPIRY_S)
    return state[0], state[3]


def test_each_hour_of_the_feed_is_sampled_once_and_late_ones_are_caught_up(desk: LiveDesk) -> None:
    chores(desk)
    first = samples(desk)
    hours(desk, 1)
    desk.world.push_round(SPOT_USD)
    assert chores(desk) == ["poke"]
    assert chores(desk) == []
    assert samples(desk) == first + 1
    hours(desk, 27)
    caught_up = [everything(desk), everything(desk)]
    assert len(caught_up[0]) == 24
    assert (caught_up[0] + caught_up[1]).count("poke") == 27
    assert samples(desk) == first + 28
    assert chores(desk) == []


def epoch(desk: LiveDesk) -> int:
    return int(desk.chain.read(desk.world.contracts.vault, "currentEpoch"))


def to_window(desk: LiveDesk, into_s: int) -> None:
    """To so many seconds after an end of the grid, with prices of then."""
    chain, c = desk.chain, desk.world.contracts
    ends_s = int(chain.read(c.vault, "epochEndsAt"))
    while ends_s <= chain.now_s():
        ends_s += desk.world.parameters.vault.epoch_length_s
    chain.pass_until(ends_s + into_s)
    desk.operators.commit(EXPIRY_S, 0.8, chain.now_s() + 1)
    desk.world.push_round(SPOT_USD)


def test_an_epoch_is_processed_once_in_its_window(desk: LiveDesk) -> None:
    to_window(desk, 10)
    before = epoch(desk)
    assert everything(desk).count(EPOCH) == 1
    assert epoch(desk) == before + 1
    assert EPOCH not in everything(desk)
    assert epoch(desk) == before + 1


def test_an_epoch_waits_outside_its_window_and_while_the_value_cannot_be_read(
    desk: LiveDesk,
) -> None:
    parameters = desk.world.parameters
    to_window(desk, parameters.vault.epoch_window_s)
    before = epoch(desk)
    assert EPOCH not in everything(desk)
    to_window(desk, 10)
    feed = desk.world.contracts.feed.address
    code = desk.chain.rpc("eth_getCode", feed, "latest")
    desk.chain.rpc("anvil_setCode", feed, "0xfe")
    assert desk.run("upkeep", "--live", "--block-time").exit_code in (0, 3)
    assert epoch(desk) == before
    desk.chain.rpc("anvil_setCode", feed, code)
    assert EPOCH in everything(desk)
    assert epoch(desk) == before + 1


def test_a_dry_run_sends_nothing(desk: LiveDesk) -> None:
    hours(desk, 1)
    before = samples(desk)
    result = desk.run("upkeep", "--block-time")
    assert result.exit_code == 0, result.output
    assert "outcome: dry_run" in result.output
    assert samples(desk) == before
    assert desk.keeper_transactions() == []


def test_an_expiry_is_settled_to_the_end_in_one_run(desk: LiveDesk) -> None:
    """A put that the vault bought dies, the calls that it sold win: it is short, so it loses and is converted."""
    chores(desk)
    desk.chain.pass_until(EXPIRY_S + 60)
    desk.world.push_round(SPOT_USD * 1.2)
    done = [c for c in chores(desk) if c != "poke"]
    assert done == ["proveSettlement", "convert", "finalise"]
    assert settlement(desk) == (0, 10**18)
    c = desk.world.contracts
    assert desk.chain.read(c.clearing, "legsOf", c.vault.address) == []
    price = desk.chain.read(c.oracle, "settlementPrice", 1, EXPIRY_S)
    assert price == round(SPOT_USD * 1.2 * 1e18)
    assert [c for c in chores(desk) if c != "poke"] == []


def test_the_vault_claims_what_it_won(desk: LiveDesk) -> None:
    sells = (Wish("seller", True, 0.9, -60.0), Wish("seller", True, 1.0, -60.0))
    desk.takers.fulfil(sells, EXPIRY_S, SPOT_USD, desk.operators.strikes)
    c = desk.world.contracts
    desk.chain.pass_until(EXPIRY_S + 60)
    desk.world.push_round(SPOT_USD * 1.2)
    cash = desk.chain.read(c.clearing, "accountOf", c.vault.address)[0]
    done = [chore for chore in chores(desk) if chore != "poke"]
    assert done == ["proveSettlement", "convert", "finalise", "claim"]
    assert desk.chain.read(c.clearing, "legsOf", c.vault.address) == []
    assert desk.chain.read(c.clearing, "accountOf", c.vault.address)[0] > cash


def test_without_a_round_the_pools_mean_is_recorded_and_settles_after_the_deadline(
    desk: LiveDesk,
) -> None:
    chores(desk)
    desk.chain.pass_until(EXPIRY_S + 60)
    assert chores(desk) == ["recordTwap"]
    assert chores(desk) == []
    _, mean = desk.chain.read(desk.world.contracts.oracle, "settlementProof", 1, EXPIRY_S)
    assert mean == pytest.approx(SPOT_USD * 1e18, rel=2e-3)
    deadline = desk.world.parameters.oracle.round_deadline_s
    desk.chain.pass_until(EXPIRY_S + deadline + 60)
    done = chores(desk)
    assert done == ["settleByTwap", "convert", "finalise"]
    assert desk.chain.read(desk.world.contracts.oracle, "settlementPrice", 1, EXPIRY_S) == mean


def test_a_reverted_chore_is_told_and_does_not_stop_the_others(desk: LiveDesk) -> None:
    """The pool no longer reaches back to the expiry: the mean cannot be had, samples go on."""
    chores(desk)
    desk.chain.pass_until(EXPIRY_S + 60)
    desk.chain.rpc("anvil_setCode", desk.world.pool, "0xfe")
    hours(desk, 0)
    result = desk.run("upkeep", "--live", "--block-time")
    assert result.exit_code == 3
    assert "recordTwap" in result.stderr
