"""The whole deployment, killed at each of its transactions in turn and run again."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from pathlib import Path

import pytest
from web3 import Web3

from scripts.components.curie import MARK_WINDOW_S
from scripts.deployment import record
from scripts.deployment.development import Market
from scripts.deployment.record import DeploymentRecord, read_record
from scripts.deployment.rpc import Rpc
from scripts.deployment.run import Options, deploy_configured, deploy_development
from scripts.nodes import Node
from tests.e2e.conftest import PublicNetwork
from tests.e2e.deploying import (
    KINDS,
    Killed,
    KillingProvider,
    all_transactions,
    check_wiring,
    connect,
    silent,
)

BEFORE, *LATER = KINDS


def run_until_done(
    url: str,
    attempt: Callable[[Web3], DeploymentRecord],
    monkeypatch: pytest.MonkeyPatch,
    every: int = 1,
) -> tuple[DeploymentRecord, int]:
    """Every transaction, or every so many, is struck before its send, and once more in one of the other ways."""
    kinds = itertools.chain.from_iterable((BEFORE, later) for later in itertools.cycle(LATER))
    for deaths, kind in enumerate(kinds):
        provider = KillingProvider(url, every, kind)
        with monkeypatch.context() as patch:
            patch.setattr(record.os, "fsync", provider.on_fsync)
            try:
                return attempt(Web3(provider)), deaths
            except Killed:
                assert provider.sent <= every
    raise AssertionError


def once_each(record_: DeploymentRecord, chain: list[dict[str, object]]) -> None:
    """The chain holds each recorded step once and nothing else of the deployer."""
    deploys = [step for step in record_.steps.values() if step.kind == "deploy"]
    assert len(chain) == len(record_.steps)
    assert sum(tx["to"] is None for tx in chain) == len(deploys)
    assert {step.status for step in record_.steps.values()} == {"done"}
    assert len({step.tx_hash for step in record_.steps.values()}) == len(chain)
    assert len({step.address for step in deploys}) == len(deploys)


def test_development_chain_from_an_unlocked_account(
    fresh_anvil: Node, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    options = Options(folder=tmp_path, say=silent)
    done, deaths = run_until_done(
        fresh_anvil.url, lambda web3: deploy_development(web3, options=options), monkeypatch
    )
    web3 = connect(fresh_anvil.url)
    once_each(done, all_transactions(web3))
    assert deaths == 2 * len(done.steps)
    check_wiring(Rpc(web3), done, web3.eth.accounts[0])
    assert done == read_record(tmp_path / "31337.json")
    assert done.complete
    assert not done.notes
    assert done.deployed_block == done.steps["AccessManager"].block


def test_a_perpetual_is_resumed_too_and_a_second_run_changes_nothing(
    fresh_anvil: Node, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Struck at every eleventh transaction: time moves once, for Curie's mean price, and the maker comes after it."""
    options, market = Options(folder=tmp_path, say=silent), Market(perp_weth=1_000)

    def attempt(web3: Web3) -> DeploymentRecord:
        return deploy_development(web3, market=market, options=options)

    done, deaths = run_until_done(fresh_anvil.url, attempt, monkeypatch, every=11)
    web3 = connect(fresh_anvil.url)
    once_each(done, all_transactions(web3))
    assert deaths > 10
    check_wiring(Rpc(web3), done, web3.eth.accounts[0])
    assert [venue.kind for venue in done.venues] == ["uniswap_spot", "aave_short", "perp_short"]
    assert done.external["perp_clearing_house"] == done.external["curie_clearing_house"]
    began, ended = (web3.eth.get_block(number)["timestamp"] for number in (1, "latest"))
    assert MARK_WINDOW_S < ended - began < 2 * MARK_WINDOW_S
    head = web3.eth.block_number
    assert attempt(web3) == done
    assert web3.eth.block_number == head


def test_configured_network_from_a_signing_account(
    public: PublicNetwork, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = len(all_transactions(public.web3))
    options = Options(folder=tmp_path / "records", networks=public.folder, say=silent)
    done, deaths = run_until_done(
        public.url,
        lambda web3: deploy_configured(web3, "public", lambda: public.sender, options),
        monkeypatch,
    )
    once_each(done, all_transactions(public.web3)[before:])
    assert deaths == 2 * len(done.steps)
    check_wiring(Rpc(public.web3), done, public.sender.address)
    assert done.roles["admin"] == done.contracts["DeskGovernor"]
    assert not done.notes
