"""The step runner: every step once, wherever the process dies."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest
from eth_account import Account
from web3 import Web3
from web3.types import RPCEndpoint

from keeper.errors import Retry
from scripts.components.artifacts import UNISWAP_CORE, packaged
from scripts.deployment import record
from scripts.deployment.artifacts import ROOT
from scripts.deployment.delivery import DeploymentError
from scripts.deployment.engine import StepRunner
from scripts.deployment.record import open_record, read_record
from scripts.deployment.rpc import Rpc
from scripts.deployment.senders import LocalSender, UnlockedSender
from scripts.nodes import MNEMONIC, Node, NodeSettings, start_node
from tests.e2e.deploying import (
    KINDS,
    Killed,
    KillingProvider,
    all_transactions,
    connect,
    silent,
)

FACTORY = packaged(UNISWAP_CORE, "UniswapV3Factory")
FEES = (42, 43, 44)
STEPS = 2 + len(FEES)
Account.enable_unaudited_hdwallet_features()
KEY = Account.from_mnemonic(MNEMONIC).key.hex()


def deploy(
    provider: KillingProvider, folder: Path, signer: str, fees: tuple[int, ...] = FEES
) -> list[str]:
    """Two factories, and some fee tiers on the first."""
    rpc = Rpc(Web3(provider))
    sender = LocalSender(KEY) if signer == "local" else UnlockedSender(rpc)
    with open_record(folder, rpc, "development", True, sender.address) as records:
        runner = StepRunner(rpc, sender, records, say=silent)
        first = runner.deploy("first", FACTORY)
        for fee in fees:
            runner.call(f"fee {fee}", first, FACTORY.abi, "enableFeeAmount", [fee, 10])
        second = runner.deploy("second", FACTORY)
        assert [runner.read(first, FACTORY.abi, "feeAmountTickSpacing", [fee]) for fee in fees] == [
            10
        ] * len(fees)
        return [first, second]


@pytest.mark.parametrize("signer", ["local", "unlocked"])
@pytest.mark.parametrize("kind", KINDS)
def test_killed_at_each_transaction_each_step_happens_once(
    fresh_anvil: Node, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str, signer: str
) -> None:
    deaths = 0
    while True:
        # "before send" makes no progress, so it must strike at the second send every other time.
        at = 1 + deaths % 2 if kind == "before send" else 1
        provider = KillingProvider(fresh_anvil.url, at, kind)
        monkeypatch.setattr(record.os, "fsync", provider.on_fsync)
        try:
            first, second = deploy(provider, tmp_path, signer)
            break
        except Killed:
            deaths += 1
            assert deaths < 4 * STEPS
    assert deaths >= STEPS - 1
    chain = all_transactions(connect(fresh_anvil.url))
    assert [tx["to"] for tx in chain] == [None, *[first] * len(FEES), None]
    stored = read_record(tmp_path / "31337.json")
    assert [step.status for step in stored.steps.values()] == ["done"] * STEPS
    assert [stored.steps["first"].address, stored.steps["second"].address] == [first, second]
    again = KillingProvider(fresh_anvil.url)
    assert deploy(again, tmp_path, signer) == [first, second]
    assert again.sent == 0


def test_killed_by_the_system_mid_way(fresh_anvil: Node, tmp_path: Path) -> None:
    code = (
        "import sys\n"
        "from pathlib import Path\n"
        "from tests.e2e.deploying import KillingProvider\n"
        "from tests.e2e.test_deploy_engine import deploy\n"
        "provider = KillingProvider(sys.argv[1], 3, 'after send', process=True)\n"
        "deploy(provider, Path(sys.argv[2]), 'local')\n"
    )
    command = [sys.executable, "-c", code, fresh_anvil.url, str(tmp_path)]
    ended = subprocess.run(command, cwd=ROOT, check=False, capture_output=True, timeout=60)
    assert ended.returncode == -signal.SIGKILL, ended.stderr.decode()
    assert len(all_transactions(connect(fresh_anvil.url))) == 3
    deploy(KillingProvider(fresh_anvil.url), tmp_path, "local")
    assert len(all_transactions(connect(fresh_anvil.url))) == STEPS


@pytest.mark.parametrize("signer", ["local", "unlocked"])
def test_a_pending_transaction_is_waited_for(tmp_path: Path, signer: str) -> None:
    with start_node(NodeSettings(extra_arguments=("--no-mining",))) as node:
        web3 = connect(node.url)
        mining = threading.Event()

        def mine() -> None:
            while not mining.wait(0.05):
                web3.provider.make_request(RPCEndpoint("evm_mine"), [])

        with pytest.raises(Killed):
            deploy(KillingProvider(node.url, 1, "after send"), tmp_path, signer)
        assert web3.eth.block_number == 0
        miner = threading.Thread(target=mine)
        miner.start()
        try:
            deploy(KillingProvider(node.url), tmp_path, signer)
        finally:
            mining.set()
            miner.join()
        assert len(all_transactions(web3)) == STEPS


def test_nobody_confirms(tmp_path: Path) -> None:
    with start_node(NodeSettings(extra_arguments=("--no-mining",))) as node:
        rpc = Rpc(Web3(KillingProvider(node.url)))
        sender = UnlockedSender(rpc)
        with open_record(tmp_path, rpc, "development", True, sender.address) as records:
            runner = StepRunner(rpc, sender, records, timeout_s=0.05, say=silent)
            with pytest.raises(Retry, match="run the same command again later"):
                runner.deploy("first", FACTORY)


def test_nonce_taken_by_another_program(fresh_anvil: Node, tmp_path: Path) -> None:
    """The step was written down, died, and the account was used for something else meanwhile."""
    with pytest.raises(Killed):
        deploy(KillingProvider(fresh_anvil.url, 2, "before send"), tmp_path, "local")
    web3 = connect(fresh_anvil.url)
    own, other = web3.eth.accounts[:2]
    web3.eth.wait_for_transaction_receipt(web3.eth.send_transaction({"from": own, "to": other}))
    first, _ = deploy(KillingProvider(fresh_anvil.url), tmp_path, "local")
    assert [tx["to"] for tx in all_transactions(web3)] == [None, other, *[first] * len(FEES), None]


def test_reorganised_steps_are_sent_again(fresh_anvil: Node, tmp_path: Path) -> None:
    web3 = connect(fresh_anvil.url)
    with pytest.raises(Killed):
        deploy(KillingProvider(fresh_anvil.url, 2, "before send"), tmp_path, "unlocked")
    before = web3.provider.make_request(RPCEndpoint("evm_snapshot"), [])["result"]
    first, second = deploy(KillingProvider(fresh_anvil.url), tmp_path, "unlocked")
    web3.provider.make_request(RPCEndpoint("evm_revert"), [before])
    assert len(all_transactions(web3)) == 1
    assert deploy(KillingProvider(fresh_anvil.url), tmp_path, "unlocked") == [first, second]
    assert len(all_transactions(web3)) == STEPS


def test_changed_arguments_of_a_finished_step(fresh_anvil: Node, tmp_path: Path) -> None:
    deploy(KillingProvider(fresh_anvil.url), tmp_path, "local")
    provider = KillingProvider(fresh_anvil.url)
    rpc = Rpc(Web3(provider))
    with open_record(tmp_path, rpc, "development", True, LocalSender(KEY).address) as records:
        runner = StepRunner(rpc, LocalSender(KEY), records, say=silent)
        first = runner.deploy("first", FACTORY)
        with pytest.raises(DeploymentError, match=r"fee 42 is recorded with other.*move .* aside"):
            runner.call("fee 42", first, FACTORY.abi, "enableFeeAmount", [42, 11])
        with pytest.raises(DeploymentError, match="two steps are named first"):
            runner.deploy("first", FACTORY)
    assert provider.reached == 0


def test_changed_order_while_a_step_is_open(fresh_anvil: Node, tmp_path: Path) -> None:
    with pytest.raises(Killed):
        deploy(KillingProvider(fresh_anvil.url, 2, "before send"), tmp_path, "local")
    provider = KillingProvider(fresh_anvil.url)
    with pytest.raises(
        DeploymentError, match="step fee 42 is unfinished but the next step is fee 7"
    ):
        deploy(provider, tmp_path, "local", (7,))
    assert provider.reached == 0


def test_a_step_that_would_revert_is_not_sent(fresh_anvil: Node, tmp_path: Path) -> None:
    provider = KillingProvider(fresh_anvil.url)
    with pytest.raises(
        DeploymentError, match=r"step fee 2000000 .* would fail, so it was not sent"
    ):
        deploy(provider, tmp_path, "local", (2_000_000,))
    assert provider.sent == 1
    assert list(read_record(tmp_path / "31337.json").steps) == ["first"]
    deploy(provider, tmp_path, "local")
    assert len(all_transactions(connect(fresh_anvil.url))) == STEPS


def test_a_mined_revert_is_tried_afresh(fresh_anvil: Node, tmp_path: Path) -> None:
    """Between estimate and block the account loses the right to call, and gets it back afterwards."""
    web3 = connect(fresh_anvil.url)
    owner, other = web3.eth.accounts[:2]
    rpc = Rpc(Web3(KillingProvider(fresh_anvil.url)))
    with open_record(tmp_path, rpc, "development", True, owner) as records:
        first = StepRunner(rpc, UnlockedSender(rpc), records, say=silent).deploy("first", FACTORY)
    slot_of_owner = 3
    provider = ThievingProvider(fresh_anvil.url, first, slot_of_owner, other)
    with pytest.raises(DeploymentError, match="reverted in transaction 0x"):
        deploy(provider, tmp_path, "unlocked")
    assert read_record(tmp_path / "31337.json").steps["fee 42"].status == "failed"
    set_owner(web3, first, slot_of_owner, owner)
    deploy(KillingProvider(fresh_anvil.url), tmp_path, "unlocked")
    assert len(all_transactions(web3)) == STEPS + 1


def set_owner(web3: Web3, contract: str, slot: int, owner: str) -> None:
    word = "0x" + owner[2:].lower().rjust(64, "0")
    web3.provider.make_request(RPCEndpoint("anvil_setStorageAt"), [contract, hex(slot), word])


class ThievingProvider(KillingProvider):
    """Gives the contract to somebody else right before the first send."""

    def __init__(self, url: str, contract: str, slot: int, thief: str) -> None:
        super().__init__(url)
        self.theft = (contract, slot, thief)

    def make_request(self, method: RPCEndpoint, params: Any) -> Any:
        if method == "eth_sendTransaction" and not self.sent:
            set_owner(connect(str(self.endpoint_uri)), *self.theft)
        return super().make_request(method, params)


class PrunedProvider(KillingProvider):
    """A node without the states of past blocks, as most public ones are."""

    def make_request(self, method: RPCEndpoint, params: Any) -> Any:
        if method == "eth_getTransactionCount" and params[1] not in ("latest", "pending"):
            return {"error": {"code": -32000, "message": "missing trie node"}}
        return super().make_request(method, params)


def test_a_signed_step_is_found_on_a_pruned_node(fresh_anvil: Node, tmp_path: Path) -> None:
    with pytest.raises(Killed):
        deploy(KillingProvider(fresh_anvil.url, 2, "after send"), tmp_path, "local")
    deploy(PrunedProvider(fresh_anvil.url), tmp_path, "local")
    assert len(all_transactions(connect(fresh_anvil.url))) == STEPS


def test_an_open_step_never_changes_its_nonce(fresh_anvil: Node, tmp_path: Path) -> None:
    """Its transaction may be on its way through other nodes; only one of a nonce is ever mined."""
    with pytest.raises(Killed):
        deploy(KillingProvider(fresh_anvil.url, 2, "before send"), tmp_path, "local")
    web3 = connect(fresh_anvil.url)
    own, other = web3.eth.accounts[:2]
    web3.provider.make_request(RPCEndpoint("evm_setAutomine"), [False])
    web3.eth.send_transaction({"from": own, "to": other, "gasPrice": 10**11, "nonce": 1})
    with pytest.raises(
        DeploymentError, match=r"step fee 42 was refused by the node: .*underpriced"
    ):
        deploy(KillingProvider(fresh_anvil.url), tmp_path, "local")
    web3.provider.make_request(RPCEndpoint("evm_mine"), [])
    web3.provider.make_request(RPCEndpoint("evm_setAutomine"), [True])
    deploy(KillingProvider(fresh_anvil.url), tmp_path, "local")
    assert len(all_transactions(web3)) == STEPS + 1
