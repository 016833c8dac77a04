"""The step runner: every step once, wherever the process dies."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from eth_account import Account

from keeper.errors import ConfigError, Halt, Retry
from scripts.deployment import artifacts, record
from scripts.deployment.delivery import DeploymentError
from scripts.deployment.engine import StepRunner
from scripts.deployment.record import DeploymentRecord, open_record, read_record
from scripts.deployment.rpc import Rpc
from scripts.deployment.senders import LocalSender, UnlockedSender
from scripts.nodes import MNEMONIC, Node, NodeSettings, start_node
from tests.e2e.deploying import (
    KINDS,
    Killed,
    KillingProvider,
    all_transactions,
    connect,
    npm_artifact,
)
from web3 import Web3

FACTORY = artifacts.load(
    npm_artifact("@uniswap/v3-core/artifacts/contracts/UniswapV3Factory.sol/UniswapV3Factory.json")
)
FEES = (42, 43, 44)
STEPS = 2 + len(FEES)
Account.enable_unaudited_hdwallet_features()
KEY = Account.from_mnemonic(MNEMONIC).key.hex()


def silent(line: str) -> None:
    """Progress is not under test."""


def deploy(provider: KillingProvider, folder: Path, signer: str, fees: tuple[int, ...] = FEES) -> list[str]:
    """Two factories, and some fee tiers on the first."""
    rpc = Rpc(Web3(provider))
    sender = LocalSender(KEY) if signer == "local" else UnlockedSender(rpc)
    with open_record(folder, rpc, "development", True, sender.address) as records:
        runner = StepRunner(rpc, sender, records, say=silent)
        first = runner.deploy("first", FACTORY)
        for fee in fees:
            runner.call(f"fee {fee}", first, FACTORY.abi, "enableFeeAmount", [fee, 10])
        second = runner.deploy("second", FACTORY)
        assert [runner.read(first, FACTORY.abi, "feeAmountTickSpacing", [fee]) for fee in fees] == [10] * len(fees)
        return [first, second]


@pytest.mark.parametrize("signer", ["local", "unlocked"])
@pytest.mark.parametrize("kind", KINDS)
def test_killed_at_each_transaction_each_step_happens_once(
    fresh_anvil: Node, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str, signer: str
) -> None:
    deaths = 0
    while True:
        provider = KillingProvider(fresh_anvil.url, 1 if kind != "before send" else 1 + deaths % 2, kind)
        monkeypatch.setattr(record.os, "fsync", provider.on_fsync)
        try:
            first, second = deploy(provider, tmp_path, signer)
            break
        except Killed:
            deaths += 1
            assert deaths < 4 * STEPS
    assert deaths >= STEPS - 1
    chain = all_transactions(connect(fresh_anvil.url))
    assert len(chain) == STEPS
    assert [tx["to"] for tx in chain] == [None, *[first] * len(FEES), None]
    stored = read_record(tmp_path / "31337.json")
    assert {name: step.status for name, step in stored.steps.items()}.values() == ["done"] or all(
        step.status == "done" for step in stored.steps.values()
    )
    assert [stored.steps["first"].address, stored.steps["second"].address] == [first, second]
    again = KillingProvider(fresh_anvil.url)
    assert deploy(again, tmp_path, signer) == [first, second]
    assert again.sent == 0
