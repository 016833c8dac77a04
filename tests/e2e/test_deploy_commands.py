"""Deployment as people start it: `brownie run deploy`, in a home folder of its own; and on Ganache."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from eth_account import Account

from scripts.deployment.artifacts import ROOT
from scripts.deployment.record import read_record
from scripts.deployment.rpc import Rpc
from scripts.deployment.run import Options, deploy_development
from scripts.nodes import Node, NodeSettings, start_node
from tests.e2e.conftest import DEPLOYER_KEY, PublicNetwork
from tests.e2e.deploying import all_transactions, check_wiring, connect, silent

pytestmark = pytest.mark.slow
BROWNIE = str(Path(sys.executable).with_name("brownie"))
PASSWORD = "correct horse"
TIMEOUT_S = 120

Command = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def brownie(tmp_path: Path) -> Command:
    """Runs brownie with an empty home, without a terminal, with `text` as what is typed."""
    home = tmp_path / "home"
    home.mkdir()

    def run(
        arguments: Sequence[str], text: str = "", **variables: str
    ) -> subprocess.CompletedProcess[str]:
        environment = {
            **os.environ,
            "HOME": str(home),
            "SOLCX_BINARY_PATH": str(ROOT / "build" / "toolchain"),
            **variables,
        }
        return subprocess.run(
            [BROWNIE, *arguments],
            cwd=ROOT,
            env=environment,
            input=text,
            capture_output=True,
            text=True,
            timeout=TIMEOUT_S,
            check=False,
            start_new_session=True,
        )

    return run


def keystore(home: Path, name: str) -> None:
    folder = home / ".brownie" / "accounts"
    folder.mkdir(parents=True, exist_ok=True)
    content = Account.encrypt(DEPLOYER_KEY, PASSWORD, iterations=2)
    (folder / f"{name}.json").write_text(json.dumps(content), encoding="utf-8")


def test_brownie_on_a_development_chain(
    fresh_anvil: Node, tmp_path: Path, brownie: Command
) -> None:
    port = fresh_anvil.url.rpartition(":")[2]
    brownie(["networks", "modify", "development", f"port={port}"])
    arguments = ["run", "deploy", "main", str(tmp_path), "--network", "development"]
    done = brownie(arguments)
    assert done.returncode == 0, done.stdout + done.stderr
    record = read_record(tmp_path / "31337.json")
    web3 = connect(fresh_anvil.url)
    check_wiring(Rpc(web3), record, record.deployer)
    assert "note:" not in done.stdout
    assert brownie(arguments).returncode == 0
    assert len(all_transactions(web3)) == len(record.steps)


def test_brownie_on_a_configured_network(
    public: PublicNetwork, tmp_path: Path, brownie: Command
) -> None:
    chain_id = public.web3.eth.chain_id
    added = ["networks", "add", "Public", "public", f"host={public.url}", f"chainid={chain_id}"]
    brownie(added)
    arguments = ["run", "deploy", "main", str(tmp_path), str(public.folder), "--network", "public"]
    keystore(tmp_path / "home", "deployer")
    block = public.web3.eth.block_number
    for text, variables, code, message in (
        ("", {}, 78, "set GAMMADESK_DEPLOYER to a keystore account"),
        ("", {"GAMMADESK_DEPLOYER": "nobody"}, 78, "`brownie accounts new nobody` makes it"),
        ("wrong\n", {"GAMMADESK_DEPLOYER": "deployer"}, 78, "deployer does not open"),
    ):
        refused = brownie(arguments, text, **variables)
        assert (refused.returncode, message in refused.stderr) == (code, True), refused
    assert public.web3.eth.block_number == block
    done = brownie(arguments, PASSWORD + "\n", GAMMADESK_DEPLOYER="deployer")
    assert done.returncode == 0, done.stdout + done.stderr
    record = read_record(tmp_path / f"{chain_id}.json")
    check_wiring(Rpc(public.web3), record, public.sender.address)


def test_ganache(tmp_path: Path) -> None:
    with start_node(NodeSettings(kind="ganache")) as node:
        web3 = connect(node.url)
        options = Options(folder=tmp_path, say=silent)
        record = deploy_development(web3, options=options)
        check_wiring(Rpc(web3), record, record.deployer)
        chain = all_transactions(web3)
        assert len(chain) == len(record.steps)
        assert deploy_development(web3, options=options) == record
        assert len(all_transactions(web3)) == len(chain)
