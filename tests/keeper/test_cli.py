"""The command line on a fake chain: what it prints, what it sends, and the exit code of every kind of failure."""

from __future__ import annotations

import json
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import structlog
from eth_account import Account
from typer.testing import CliRunner

from keeper.chain.client import NodeClient
from keeper.chain.keystore import create_keystore
from keeper.cli import app
from keeper.config import Config
from keeper.units import WAD
from tests.keeper.fake_chain import FakeChain, error_data, write_record
from tests.keeper.keeper_builders import FAR_S, NEAR_S, NOW_S

KEY = "0x" + "11" * 32
PASSWORD = "correct horse"
SLICE = {
    "expiry": "2020-03-20T08:00:00Z",
    "a": 0.01,
    "b": 0.02,
    "rho": -0.3,
    "m": 0.0,
    "sigma": 0.2,
}


@pytest.fixture
def chain():
    return FakeChain(Account.from_key(KEY).address)


@pytest.fixture
def desk(tmp_path, chain, monkeypatch):
    """A configured folder whose node is the fake chain; returns a function that runs a command there."""
    write_record(tmp_path / "31337.json", chain)
    create_keystore(tmp_path / "keeper.json", PASSWORD, KEY, kdf="pbkdf2", work=10)
    (tmp_path / "gammadesk.toml").write_text(
        '[chain]\nrpc_url = "http://127.0.0.1:9"\nchain_id = 31337\ndeployment = "31337.json"\n'
        '[keeper]\nkeystore = "keeper.json"\n[guards]\ndelta_tolerance_eth = 1000.0\n'
        "[policy]\nparameters = { band_eth = 1.0 }\n"
    )
    monkeypatch.setattr(NodeClient, "connect", lambda *_a, **_k: NodeClient(chain, "fake node", 1))
    monkeypatch.setenv("GAMMADESK_PASSWORD", PASSWORD)
    yield lambda *words: CliRunner().invoke(app, [*words, "-c", str(tmp_path / "gammadesk.toml")])
    structlog.reset_defaults()


def change_config(folder: Path, old: str, new: str) -> None:
    path = folder / "gammadesk.toml"
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def test_once_is_a_dry_run_unless_told_otherwise(desk, chain):
    result = desk("once", "--block-time")
    assert result.exit_code == 0, result.output
    assert "outcome: dry_run" in result.output
    assert chain.rebalances
    assert not chain.received


def test_live_sends_one_rebalance(desk, chain):
    result = desk("once", "--block-time", "--live")
    assert result.exit_code == 0, result.output
    assert "outcome: mined_success" in result.output
    (tx,) = chain.received
    assert tx.sender == Account.from_key(KEY).address


def test_the_configuration_may_go_live_and_the_command_still_hold_back(desk, chain, tmp_path):
    change_config(tmp_path, "[keeper]\n", "[keeper]\ndry_run = false\n")
    assert desk("once", "--block-time", "--dry-run").exit_code == 0
    assert not chain.received
    assert desk("once", "--block-time").exit_code == 0
    assert len(chain.received) == 1


def test_a_dry_run_needs_no_key(desk, tmp_path):
    (tmp_path / "keeper.json").unlink()
    assert desk("once", "--block-time").exit_code == 0
    live = desk("once", "--block-time", "--live")
    assert live.exit_code == 78
    assert "gammadesk key new" in live.stderr


def test_a_refused_tick_ends_with_3(desk, chain):
    chain.reverts = error_data("HedgeManager", "BudgetExceeded", 5, 4)
    result = desk("once", "--block-time")
    assert result.exit_code == 3
    assert "BudgetExceeded(loss=5, budgetLeft=4)" in result.stderr


def test_a_stale_block_is_refused_by_the_wall_clock(desk):
    result = desk("once")
    assert result.exit_code == 3
    assert "snapshot_age" in result.stderr


def test_an_unreachable_node_ends_with_75(desk, chain):
    chain.before["eth_chainId"] = ConnectionError()
    result = desk("once")
    assert result.exit_code == 75
    assert "check that the node runs" in result.stderr


def test_wrong_password_ends_with_78(desk, monkeypatch):
    monkeypatch.setenv("GAMMADESK_PASSWORD", "incorrect horse")
    result = desk("once", "--live")
    assert result.exit_code == 78
    assert "wrong password" in result.stderr
    assert "incorrect" not in result.output


def test_a_key_that_is_not_the_keepers(desk, chain):
    chain.set("keeper", "0x" + "ab" * 20)
    result = desk("once", "--live", "--block-time")
    assert result.exit_code == 78
    assert "takes orders from" in result.stderr


def test_wrong_chain_ends_with_78(desk, chain):
    chain.eth_chainId = lambda: "0x1"
    assert desk("status").exit_code == 78


def test_chain_id_of_the_configuration_and_of_the_record(desk, tmp_path):
    change_config(tmp_path, "chain_id = 31337", "chain_id = 1")
    result = desk("status")
    assert result.exit_code == 78
    assert "correct one of them" in result.stderr


def test_bad_candles_end_with_65(desk, tmp_path):
    (tmp_path / "candles.csv").write_text("timestamp,open,high,low,close,volume\n")
    change_config(tmp_path, "[guards]", '[forecast]\ncandles = "candles.csv"\n[guards]')
    result = desk("once", "--block-time")
    assert result.exit_code == 65
    assert "candles.csv: holds no candles" in result.stderr


def test_candles_make_the_forecast(desk, tmp_path):
    lines = [f"{NOW_S - i * 3600},200,{210 + i % 2},190,{200 + i % 3},1" for i in range(100, 0, -1)]
    (tmp_path / "candles.csv").write_text(
        "timestamp,open,high,low,close,volume\n" + "\n".join(lines)
    )
    change_config(tmp_path, "[guards]", '[forecast]\ncandles = "candles.csv"\n[guards]')
    assert desk("once", "--block-time").exit_code == 0
    assert _last_decision(tmp_path)["forecast_source"].startswith(
        "realised volatility of the last 168 h"
    )


def test_without_candles_the_surface_makes_it(desk, tmp_path):
    assert desk("once", "--block-time").exit_code == 0
    inputs = _last_decision(tmp_path)
    assert inputs["forecast_source"] == f"at-the-forward implied volatility of expiry {FAR_S}"
    assert inputs["forecast"]["vol"] > 0


def _last_decision(folder: Path) -> dict:
    from keeper.execution.database import open_database
    from keeper.execution.tables import Decision

    with open_database(f"sqlite:///{folder / 'gammadesk.sqlite'}").connect() as connection:
        return json.loads(connection.execute(Decision.__table__.select()).all()[-1].inputs)


def test_status(desk, chain):
    desk("once", "--block-time", "--live")
    output = desk("status", "--block-time").output
    for shown in (
        "190.00 USD",
        "-7.000000 ETH",
        "5 ETH",
        "9,000.00 of 10,000.00",
        "health 1.800",
        "no debt",
    ):
        assert shown in output
    assert "1 mined_success" in output


def test_replay(desk, tmp_path):
    desk("once", "--block-time")
    result = desk("replay")
    assert result.exit_code == 0
    assert "1 decisions taken again, 0 differ" in result.output


def test_config_example_is_a_valid_file(tmp_path):
    result = CliRunner().invoke(app, ["config", "example"])
    assert tomllib.loads(result.output)
    assert Config.from_toml(result.output, tmp_path).chain.chain_id == 31_337


def test_a_missing_configuration_ends_with_78():
    result = CliRunner().invoke(app, ["status", "-c", "nowhere.toml"])
    assert result.exit_code == 78
    assert "nowhere.toml does not exist" in result.stderr


def test_key_import_reads_standard_input_and_shows_no_secret(tmp_path, monkeypatch):
    monkeypatch.setenv("SOME_PASSWORD", PASSWORD)
    words = ["key", "import", str(tmp_path / "k.json"), "--password-env", "SOME_PASSWORD"]
    result = CliRunner().invoke(app, words, input=KEY + "\n")
    assert result.exit_code == 0, result.output
    assert Account.from_key(KEY).address in result.output
    assert KEY[2:] not in result.output
    assert CliRunner().invoke(app, words, input=KEY + "\n").exit_code == 78


def test_key_new(tmp_path, monkeypatch):
    monkeypatch.setenv("GAMMADESK_PASSWORD", PASSWORD)
    assert CliRunner().invoke(app, ["key", "new", str(tmp_path / "k.json")]).exit_code == 0
    assert (tmp_path / "k.json").exists()
    monkeypatch.delenv("GAMMADESK_PASSWORD")
    result = CliRunner().invoke(app, ["key", "new", str(tmp_path / "k2.json")])
    assert result.exit_code == 78
    assert "set GAMMADESK_PASSWORD" in result.stderr


def write_surface(folder: Path, *slices: dict) -> str:
    (folder / "surface.json").write_text(json.dumps({"slices": slices}))
    return str(folder / "surface.json")


def test_surface_commit_dry_and_live(desk, chain, tmp_path):
    chain.add_surface()
    near = SLICE | {"expiry": NEAR_S, "a": 0.002}
    file = write_surface(tmp_path, SLICE, near)
    assert desk("surface", "commit", file).exit_code == 0
    assert not chain.received
    assert desk("surface", "commit", file, "--live").exit_code == 0
    assert len(chain.received) == 1
    underlying, spot, slices = chain.rebalances[-1]
    assert (underlying, spot) == (1, 190 * WAD)
    assert [s[0] for s in slices] == [NEAR_S, FAR_S]


def test_surface_from_toml(desk, chain, tmp_path):
    chain.add_surface()
    lines = "\n".join(f"{k} = {v}" for k, v in SLICE.items() if k != "expiry")
    (tmp_path / "s.toml").write_text(f"[[slices]]\nexpiry = 2020-03-20T08:00:00Z\n{lines}\n")
    assert desk("surface", "commit", str(tmp_path / "s.toml")).exit_code == 0
    assert chain.rebalances[-1][2][0][0] == FAR_S


BAD_SURFACES = {
    "expired": ([SLICE | {"expiry": NOW_S - 1}], "leave them out"),
    "arbitrage": ([SLICE | {"a": -0.5}], "the surface is not committed"),
    "calendar": ([SLICE, SLICE | {"expiry": NEAR_S, "a": 0.2}], "calendar"),
    "twice": ([SLICE, SLICE], "twice"),
    "empty": ([], "slices"),
    "unknown key": ([SLICE | {"vol": 1}], r"slices.0.vol"),
    "nan": ([SLICE | {"rho": float("nan")}], r"slices.0.rho"),
    "no expiry": ([{k: v for k, v in SLICE.items() if k != "expiry"}], r"slices.0.expiry"),
    "bad expiry": ([SLICE | {"expiry": "tomorrow"}], r"slices.0.expiry"),
}


@pytest.mark.parametrize("name", BAD_SURFACES)
def test_a_bad_surface_ends_with_65_and_sends_nothing(desk, chain, tmp_path, name):
    chain.add_surface()
    slices, message = BAD_SURFACES[name]
    result = desk("surface", "commit", write_surface(tmp_path, *slices), "--live")
    assert result.exit_code == 65, result.output
    assert message in result.stderr
    assert not chain.received


def test_importing_the_command_line_loads_nothing_heavy():
    heavy = "{'web3', 'pandas', 'numpy', 'sqlalchemy', 'apscheduler', 'apprise', 'brownie'}"
    code = f"import sys, keeper.cli; bad = {heavy} & set(sys.modules); assert not bad, bad"
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)
