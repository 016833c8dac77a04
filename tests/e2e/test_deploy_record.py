"""deployments/<chain id>.json: whose chain it is about, who may write it, and what the keeper reads in it."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import pytest

from keeper.chain.deployment import Deployment
from keeper.errors import Halt
from keeper.models import VenueKind
from scripts.deployment.record import DeploymentRecord, open_record, read_record
from scripts.deployment.rpc import Rpc
from scripts.deployment.run import Options, deploy_configured, deploy_development
from scripts.nodes import Node, NodeSettings, start_node
from tests.e2e.conftest import PublicNetwork
from tests.e2e.deploying import all_transactions, check_wiring, connect, silent

START_S = 1_583_712_000


def deploy(node: Node, folder: Path) -> DeploymentRecord:
    return deploy_development(connect(node.url), options=Options(folder=folder, say=silent))


def test_the_keeper_reads_it(fresh_anvil: Node, tmp_path: Path) -> None:
    record = deploy(fresh_anvil, tmp_path)
    seen = Deployment.load(tmp_path / "31337.json")
    assert dict(seen.contracts) == record.contracts
    assert [venue.kind for venue in seen.venues] == [VenueKind.UNISWAP_SPOT, VenueKind.AAVE_SHORT]
    assert [venue.fee for venue in seen.venues] == [0.0005, 0.0005]
    assert seen.multicall == record.external["multicall3"]
    assert seen.genesis_hash == record.genesis_hash
    content = json.loads((tmp_path / "31337.json").read_text(encoding="utf-8"))
    assert content["parameters"]["hedge"]["band_eth"] == "2"
    assert content["roles"]["admin"] == record.contracts["DeskGovernor"]


def test_the_keeper_refuses_an_unfinished_one(fresh_anvil: Node, tmp_path: Path) -> None:
    record = deploy(fresh_anvil, tmp_path)
    record.complete = False
    (tmp_path / "31337.json").write_text(record.model_dump_json(), encoding="utf-8")
    with pytest.raises(Halt, match="unfinished deployment"):
        Deployment.load(tmp_path / "31337.json")


@pytest.mark.parametrize("timestamp_s", [None, START_S])
def test_a_new_development_chain_moves_the_old_record_aside(
    tmp_path: Path, timestamp_s: int | None
) -> None:
    """With the same first timestamp even the genesis block may be the same; the later blocks are not."""
    settings = NodeSettings(timestamp_s=timestamp_s)
    with start_node(settings) as node:
        old = deploy(node, tmp_path)
    with start_node(dataclasses.replace(settings, base_fee_wei=7 * 10**9)) as node:
        new = deploy(node, tmp_path)
        assert len(all_transactions(connect(node.url))) == len(new.steps)
        check_wiring(Rpc(connect(node.url)), new, new.deployer)
    assert read_record(tmp_path / ".31337.previous.json") == old


def test_an_equal_development_chain_that_is_empty_again(tmp_path: Path) -> None:
    settings = NodeSettings(timestamp_s=START_S)
    for _ in range(2):
        with start_node(settings) as node:
            record = deploy(node, tmp_path)
            assert len(all_transactions(connect(node.url))) == len(record.steps)


def test_another_public_chain_is_refused(public: PublicNetwork, tmp_path: Path) -> None:
    options = Options(folder=tmp_path, networks=public.folder, say=silent)
    done = deploy_configured(public.web3, "public", lambda: public.sender, options)
    path = tmp_path / f"{done.chain_id}.json"
    done.genesis_hash = "0x" + "11" * 32
    path.write_text(done.model_dump_json(), encoding="utf-8")
    block = public.web3.eth.block_number
    with pytest.raises(Halt, match=r"is about a chain with genesis 0x1111.*move the file aside"):
        deploy_configured(public.web3, "public", lambda: public.sender, options)
    assert public.web3.eth.block_number == block
    assert read_record(path) == done


def test_another_account_does_not_resume(public: PublicNetwork, tmp_path: Path) -> None:
    options = Options(folder=tmp_path, networks=public.folder, say=silent)
    done = deploy_configured(public.web3, "public", lambda: public.sender, options)
    done.deployer = public.web3.eth.accounts[5]
    (tmp_path / f"{done.chain_id}.json").write_text(done.model_dump_json(), encoding="utf-8")
    with pytest.raises(Halt, match=r"was begun by .* resume with that account"):
        deploy_configured(public.web3, "public", lambda: public.sender, options)


@pytest.mark.parametrize("content", ["", "{}", "{", '{"chain_id": 1, "surprise": 2}'])
def test_a_damaged_record(public: PublicNetwork, tmp_path: Path, content: str) -> None:
    path = tmp_path / f"{public.web3.eth.chain_id}.json"
    path.write_text(content, encoding="utf-8")
    block = public.web3.eth.block_number
    with pytest.raises(Halt, match=r"is not a deployment record .*: restore it, or move it aside"):
        deploy_configured(
            public.web3,
            "public",
            lambda: public.sender,
            Options(folder=tmp_path, networks=public.folder, say=silent),
        )
    assert path.read_text(encoding="utf-8") == content
    assert public.web3.eth.block_number == block


def test_two_deployments_at_once(fresh_anvil: Node, tmp_path: Path) -> None:
    rpc = Rpc(connect(fresh_anvil.url))
    deployer = connect(fresh_anvil.url).eth.accounts[0]
    with (
        open_record(tmp_path, rpc, "development", True, deployer),
        pytest.raises(Halt, match="another deployment is writing"),
    ):
        deploy(fresh_anvil, tmp_path)
    assert not all_transactions(connect(fresh_anvil.url))
