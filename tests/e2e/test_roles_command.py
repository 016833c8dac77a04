"""`gammadesk roles` on a fresh deployment, and on one whose deployer kept admin."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from keeper.chain.authority import AuthorityReader, Government
from keeper.chain.client import NodeClient
from keeper.chain.deployment import Deployment
from keeper.cli import app
from scripts.deployment.roles import AUTHORITY_FUNCTIONS, FUNCTION_ROLES, OPTIONAL
from scripts.deployment.run import Options, deploy_development
from scripts.nodes import Node, start_node
from tests.e2e.deploying import connect, silent

DAY_S = 86_400
RECORD = "31337.json"


@pytest.fixture(scope="module")
def node() -> Iterator[Node]:
    with start_node() as started:
        yield started


@pytest.fixture(scope="module")
def folder(node: Node, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("roles")
    deploy_development(connect(node.url), options=Options(folder=folder, say=silent))
    return folder


@pytest.fixture(scope="module")
def state(node: Node, folder: Path) -> Government:
    return AuthorityReader(NodeClient.connect(node.url), Deployment.load(folder / RECORD)).read()


def run(folder: Path, url: str) -> Result:
    env = {"GAMMADESK_DEPLOYMENT": str(folder / RECORD), "COLUMNS": "200"}
    return CliRunner().invoke(app, ["roles", "--rpc", url], env=env)


def test_it_shows_everybody(node: Node, folder: Path) -> None:
    done = run(folder, node.url)
    assert done.exit_code == 0, done.output
    lines = [" ".join(line.replace("│", " ").split()) for line in done.output.splitlines()]
    governor = Deployment.load(folder / RECORD).address("DeskGovernor")
    keeper = connect(node.url).eth.accounts[1]
    for row in (
        f"ADMIN DeskGovernor {governor} contract 24 d GUARDIAN",
        f"ADDRESSES DeskGovernor {governor} contract 24 d GUARDIAN",
        f"GOVERNOR DeskGovernor {governor} contract 2 d",
        f"LISTER {keeper} KEY none",
        f"HedgeManager.keeper {keeper} KEY none",
        "HedgeManager setKeeper, setQuoteAdapter, setAsynchronous, setFallback ADDRESSES 29 d",
        "DeskVault setParameters GOVERNOR 7 d",
        "OptionDesk list LISTER at once",
    ):
        assert row in lines, [line for line in lines if row.split()[0] in line]
    assert any(line.startswith("GUARDIAN 0x") and "2 of 3 signatures" in line for line in lines)
    assert "1 d to the snapshot, 4 d of voting" in done.output


def test_what_it_reads_is_what_the_deployment_set(state: Government) -> None:
    read: dict[str, dict[int, set[str]]] = {}
    for permission in state.permissions:
        roles = read.setdefault(permission.contract, {})
        roles.setdefault(permission.role, set()).add(permission.function)
    wanted = {
        name: {role: set(functions) for role, functions in table.items()}
        for name, table in FUNCTION_ROLES.items()
        if name not in OPTIONAL
    }
    assert read == wanted | {"AccessManager": {5: set(AUTHORITY_FUNCTIONS)}}


def test_the_deployer_holds_nothing(state: Government, node: Node) -> None:
    deployer = connect(node.url).eth.accounts[0]
    holders = {m.holder.address.lower() for role in state.roles.values() for m in role.members}
    assert deployer.lower() not in holders
    ruling = [member for number in (0, 1, 5) for member in state.roles[number].members]
    assert [(m.holder.name, m.delay_s // DAY_S) for m in ruling] == [
        ("DeskGovernor", 24),
        ("DeskGovernor", 2),
        ("DeskGovernor", 24),
    ]


def test_a_key_that_rules_alone_is_an_error(fresh_anvil: Node, tmp_path: Path) -> None:
    options = Options(folder=tmp_path, say=silent)
    record = deploy_development(connect(fresh_anvil.url), options=options, keep_admin=True)
    assert record.notes
    assert "DeskGovernor" not in record.contracts
    done = run(tmp_path, fresh_anvil.url)
    assert done.exit_code == 78
    assert f"ADMIN is held by {record.deployer}, which is somebody's key" in done.output
    assert "no governor: whoever is ADMIN decides alone" in done.output


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (["-d", "nowhere.json", "--rpc", "http://127.0.0.1:9"], 78, "does not exist: deploy first"),
        (["-d", RECORD, "--rpc", "127.0.0.1:9"], 78, "node url must look like"),
        (["-d", RECORD, "--rpc", "http://127.0.0.1:9"], 75, "no answer from http://127.0.0.1:9"),
        (["-d", RECORD], 2, "Missing option"),
    ],
)
def test_bad_input(
    folder: Path, monkeypatch: pytest.MonkeyPatch, words: list[str], code: int, message: str
) -> None:
    monkeypatch.chdir(folder)
    done = CliRunner().invoke(app, ["roles", *words])
    assert (done.exit_code, message in done.output) == (code, True), done.output


def test_a_record_of_another_chain(fresh_anvil: Node, folder: Path) -> None:
    done = run(folder, fresh_anvil.url)
    assert done.exit_code == 78
    assert "the chain was started anew or is another one" in done.output
