"""The keeper's command line against the real contracts, venues and node: hedging, and every way of being cut off."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from keeper.chain.keystore import create_keystore
from scripts.replay.world import COMMITTER
from tests.e2e.desk import EXPIRY_S, SPOT_USD, LiveDesk, live_desk, node_key, undone


@pytest.fixture(scope="module")
def deployed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveDesk]:
    with live_desk(tmp_path_factory.mktemp("desk")) as desk:
        yield desk


@pytest.fixture
def desk(deployed: LiveDesk) -> Iterator[LiveDesk]:
    """As it was built; the journal starts empty."""
    with undone(deployed):
        yield deployed
        deployed.chain.rpc("evm_setAutomine", True)


def journal_state(desk: LiveDesk) -> str:
    """The journal's line of `gammadesk status`."""
    output = desk.run("status", "--block-time").output
    return next(line for line in output.splitlines() if "journal" in line)


def test_a_dry_run_decides_simulates_and_sends_nothing(desk: LiveDesk) -> None:
    result = desk.run("once", "--block-time")
    assert result.exit_code == 0, result.output
    assert "outcome: dry_run" in result.output
    assert desk.keeper_transactions() == []


def test_a_live_tick_brings_delta_into_the_band(desk: LiveDesk) -> None:
    assert abs(desk.delta_eth()) > 10
    result = desk.tick()
    assert result.exit_code == 0, result.output
    assert "outcome: mined_success" in result.output
    assert abs(desk.delta_eth()) < 0.01
    assert len(desk.keeper_transactions()) == 1
    again = desk.tick()
    assert "outcome: nothing" in again.output
    assert len(desk.keeper_transactions()) == 1


def test_our_delta_is_the_chains(desk: LiveDesk) -> None:
    lines = dict(
        line.split(": ", 1) for line in desk.run("once", "--block-time").stdout.splitlines()
    )
    assert float(lines["delta_own_eth"]) == pytest.approx(float(lines["delta_chain_eth"]), abs=2e-6)


def test_decisions_replay_bit_for_bit(desk: LiveDesk) -> None:
    desk.tick()
    desk.tick()
    result = desk.run("replay")
    assert "2 decisions taken again, 0 differ" in result.output


def test_status_shows_the_desk(desk: LiveDesk) -> None:
    desk.tick()
    output = desk.run("status", "--block-time").output
    for shown in (
        "200.00 USD",
        "oracle FRESH",
        "uniswap_spot",
        "aave_short",
        "no debt",
        "1 mined_success",
    ):
        assert shown in output


def test_a_pool_beyond_the_limit_is_refused_and_uses_no_nonce(desk: LiveDesk) -> None:
    desk.world.move_pool(SPOT_USD * 1.05)
    result = desk.tick()
    assert result.exit_code == 3
    assert "every pool is beyond the slippage limit" in result.stderr
    assert desk.keeper_transactions() == []
    assert "no intents yet" in journal_state(desk)


def test_unmined_then_replaced_by_an_eighth_more_and_mined_once(desk: LiveDesk) -> None:
    rpc = desk.chain.rpc
    rpc("evm_setAutomine", False)
    first = desk.tick(timeout_s=0.5)
    assert first.exit_code == 3
    assert "unresolved" in first.stderr
    (waiting,) = _pending(desk)
    rpc("anvil_dropTransaction", waiting["hash"])
    rpc("anvil_setNextBlockBaseFeePerGas", hex(21 * 10**9))
    desk.pass_s(60)
    second = desk.tick(timeout_s=0.5)
    assert "replaced by the same call" in second.output
    (dearer,) = _pending(desk)
    assert int(dearer["nonce"], 16) == int(waiting["nonce"], 16)
    for field in ("maxFeePerGas", "maxPriorityFeePerGas"):
        assert int(dearer[field], 16) * 8 >= int(waiting[field], 16) * 9
    rpc("evm_mine")
    rpc("evm_setAutomine", True)
    third = desk.tick()
    assert third.exit_code == 0, third.output
    assert "outcome: nothing" in third.output
    assert len(desk.keeper_transactions()) == 1
    assert "1 mined_success" in journal_state(desk)


def test_past_its_deadline_a_no_op_takes_the_nonce(desk: LiveDesk) -> None:
    rpc = desk.chain.rpc
    rpc("evm_setAutomine", False)
    desk.tick(timeout_s=0.5)
    (waiting,) = _pending(desk)
    rpc("anvil_dropTransaction", waiting["hash"])
    desk.pass_s(600)
    assert "no-op" in desk.tick(timeout_s=0.5).output
    rpc("evm_mine")
    rpc("evm_setAutomine", True)
    result = desk.tick()
    assert "outcome: mined_success" in result.output
    no_op, call = desk.keeper_transactions()
    assert (len(no_op["input"]), no_op["nonce"], call["nonce"]) == (0, 0, 1)
    assert abs(desk.delta_eth()) < 0.01


def test_a_reorg_reopens_the_rebalance_and_it_is_mined_once(desk: LiveDesk) -> None:
    desk.tick()
    rpc = desk.chain.rpc
    rpc("evm_setAutomine", False)
    rpc("anvil_reorg", 1, [])
    assert desk.keeper_transactions() == []
    result = desk.tick(timeout_s=0.5)
    assert "reopened" in result.stderr
    rpc("evm_mine")
    rpc("evm_setAutomine", True)
    assert "outcome: nothing" in desk.tick().output
    assert len(desk.keeper_transactions()) == 1
    assert abs(desk.delta_eth()) < 0.01


def surface_file(desk: LiveDesk, vol: float = 0.8) -> str:
    """The desk's own expiry, by default at the volatility that it has."""
    s = desk.operators.model.slice_at(vol, EXPIRY_S, desk.chain.now_s() + 1)
    fields = {name: getattr(s, name) for name in ("a", "b", "rho", "m", "sigma")}
    return json.dumps({"slices": [{"expiry": EXPIRY_S, **fields}]})


def test_the_committer_commits_a_surface(desk: LiveDesk) -> None:
    folder = desk.world.folder
    (folder / "surface.json").write_text(surface_file(desk))
    dry = desk.run("surface", "commit", str(folder / "surface.json"))
    assert dry.exit_code == 0, dry.output
    stranger = desk.run("surface", "commit", str(folder / "surface.json"), "--live")
    assert stranger.exit_code == 3
    assert "OnlyCommitter" in stranger.stderr


def committers_key(desk: LiveDesk) -> str:
    """File name of a keystore of the committer's key."""
    committer = desk.world.folder / "committer.json"
    committer.unlink(missing_ok=True)
    create_keystore(committer, desk.world.password, node_key(COMMITTER), kdf="pbkdf2", work=10)
    return committer.name


def test_the_committers_own_key_commits(desk: LiveDesk) -> None:
    keystore = committers_key(desk)
    (desk.world.folder / "surface.json").write_text(surface_file(desk))
    before = desk.chain.read(desk.world.contracts.surface, "lastCommit", desk.world.underlying)
    words = ("surface", "commit", str(desk.world.folder / "surface.json"), "--live")
    result = desk.run(*words, keystore=keystore)
    assert result.exit_code == 0, result.output
    after = desk.chain.read(desk.world.contracts.surface, "lastCommit", desk.world.underlying)
    assert after > before


def test_a_market_that_ran_away_is_followed_as_fast_as_the_rates_allow(desk: LiveDesk) -> None:
    """Volatility tripled: refused with the reason, and with --nearest as far as one commit may go."""
    surface, market = desk.world.contracts.surface, desk.world.underlying
    keystore, file = committers_key(desk), desk.world.folder / "surface.json"
    file.write_text(surface_file(desk, 2.4))
    before = desk.chain.read(surface, "sliceOf", market, EXPIRY_S)
    words = ("surface", "commit", str(file), "--live")
    refused = desk.run(*words, keystore=keystore)
    assert refused.exit_code == 65
    assert "of allowance" in refused.stderr
    assert "--nearest" in refused.stderr
    result = desk.run(*words, "--nearest", keystore=keystore)
    assert result.exit_code == 0, result.output
    assert "240.0" in result.output
    assert "mined_success" in result.output
    assert desk.chain.read(surface, "sliceOf", market, EXPIRY_S) != before
    assert desk.chain.read(surface, "credit", market, EXPIRY_S) < 600


def _pending(desk: LiveDesk) -> list[dict[str, str]]:
    """The keeper's transactions in the node's pool."""
    keeper = str(desk.chain.read(desk.world.contracts.hedger, "keeper")).lower()
    pool = desk.chain.rpc("txpool_content")["pending"]
    return [tx for sender, txs in pool.items() if sender.lower() == keeper for tx in txs.values()]
