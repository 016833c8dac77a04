"""What a deployment refuses, and that a refusal changes nothing: no transaction, no file."""

from __future__ import annotations

import socket
from pathlib import Path
from typing import Any

import pytest
from web3 import Web3
from web3.types import RPCEndpoint

from keeper.errors import ConfigError, GammadeskError, Halt, Retry
from scripts.components.artifacts import AAVE, UNISWAP_CORE, packaged
from scripts.components.curie import deploy_curie
from scripts.components.tokens import deploy_tokens
from scripts.components.uniswap import PoolSettings, Uniswap, create_pool
from scripts.deployment.artifacts import own
from scripts.deployment.engine import StepRunner
from scripts.deployment.preflight import PreflightError
from scripts.deployment.record import open_record
from scripts.deployment.rpc import Rpc
from scripts.deployment.run import Options, deploy_configured, deploy_development
from scripts.deployment.senders import Sender, UnlockedSender
from tests.e2e.conftest import PUBLIC_CHAIN_ID, PublicNetwork
from tests.e2e.deploying import connect, silent

WETH = 10**18
USD_E8 = 10**8
FAR_FUTURE_S = 3 * 3600
A_CODELESS_ADDRESS = "0x00000000000000000000000000000000DeaDBeef"


def no_sender() -> Sender:
    raise AssertionError(
        "asked for the deployer's key although the deployment must be refused before"
    )


def refuse(
    public: PublicNetwork, tmp_path: Path, error: type[GammadeskError], name: str = "public"
) -> str:
    """The message of the refusal; fails unless nothing changed."""
    records = tmp_path / "records"
    block = public.web3.eth.block_number
    with pytest.raises(error) as caught:
        deploy_configured(public.web3, name, no_sender, options(public, records))
    assert public.web3.eth.block_number == block
    assert not records.exists()
    return str(caught.value)


def options(public: PublicNetwork, records: Path) -> Options:
    return Options(folder=records, networks=public.folder, say=silent)


@pytest.fixture
def build(public: PublicNetwork, tmp_path: Path) -> Any:
    """Deploys further contracts of others on the public network."""
    rpc = Rpc(public.web3)
    builder = UnlockedSender(rpc, rpc("eth_accounts")[8])
    with open_record(tmp_path / "built", rpc, "public", False, builder.address) as records:
        yield StepRunner(rpc, builder, records, say=silent)


def feed(build: StepRunner, decimals: int, answer: int) -> str:
    return build.deploy("another feed", own("MockV3Aggregator"), [decimals, answer])


def test_unknown_network(public: PublicNetwork, tmp_path: Path) -> None:
    message = refuse(public, tmp_path, ConfigError, "nowhere")
    assert "unknown network 'nowhere'" in message
    assert "development, public" in message
    assert "docs/deployment.md" in message


def test_parameters_are_no_network(public: PublicNetwork, tmp_path: Path) -> None:
    assert "unknown network" in refuse(public, tmp_path, ConfigError, "parameters")


def test_wrong_chain_id(public: PublicNetwork, tmp_path: Path) -> None:
    public.write(chain_id=5)
    message = refuse(public, tmp_path, Halt)
    assert f"has chain id {PUBLIC_CHAIN_ID}, network public has 5" in message


def test_development_deployment_on_a_public_chain(public: PublicNetwork, tmp_path: Path) -> None:
    block = public.web3.eth.block_number
    with pytest.raises(Halt, match=f"has chain id {PUBLIC_CHAIN_ID}, a development chain has one"):
        deploy_development(public.web3, options=options(public, tmp_path / "records"))
    assert public.web3.eth.block_number == block
    assert not (tmp_path / "records").exists()


def test_a_network_file_of_a_development_chain(public: PublicNetwork, tmp_path: Path) -> None:
    public.write(chain_id=31337)
    assert "is a development chain: it needs no file" in refuse(public, tmp_path, ConfigError)


def test_unreachable_node(public: PublicNetwork, tmp_path: Path) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        web3 = connect(f"http://127.0.0.1:{closed.getsockname()[1]}")
        with pytest.raises(Retry, match=r"does not answer .* run the same command again"):
            deploy_configured(web3, "public", no_sender, options(public, tmp_path / "records"))
        with pytest.raises(Retry, match="does not answer"):
            deploy_development(web3, options=options(public, tmp_path / "records"))
    assert not (tmp_path / "records").exists()


def test_a_server_that_is_no_node(public: PublicNetwork, tmp_path: Path) -> None:
    web3 = connect(public.url)
    web3.provider.make_request = lambda method, params: {"error": {"message": "no such method"}}  # type: ignore[method-assign]
    with pytest.raises(GammadeskError, match="eth_chainId: no such method"):
        deploy_configured(web3, "public", no_sender, options(public, tmp_path / "records"))


@pytest.mark.parametrize(
    "name", ["usdc", "weth", "feed", "uniswap_pool", "aave_pool", "multicall3"]
)
def test_no_code_at_an_external_address(public: PublicNetwork, tmp_path: Path, name: str) -> None:
    public.write(**{name: A_CODELESS_ADDRESS})
    message = refuse(public, tmp_path, PreflightError)
    assert f"{name} {A_CODELESS_ADDRESS}: no contract there" in message


def test_every_fault_is_reported_at_once(public: PublicNetwork, tmp_path: Path) -> None:
    there = public.there.external
    public.write(usdc=there.weth, feed=there.aave_pool, multicall3=A_CODELESS_ADDRESS)
    message = refuse(public, tmp_path, PreflightError)
    for fault in (
        f"usdc {there.weth}: has 18 decimals, must have 6",
        f"usdc {there.weth}: calls itself 'WETH', expected 'USDC'",
        f"feed {there.aave_pool}: is not the expected kind of contract",
        f"uniswap_pool {there.uniswap_pool}: trades",
        f"multicall3 {A_CODELESS_ADDRESS}: no contract there",
        "run the same command again",
    ):
        assert fault in message


@pytest.mark.parametrize(
    ("decimals", "answer", "fault"),
    [
        (18, 200 * WETH, "has 18 decimals, expected 8; two scales must never be mixed"),
        (8, 0, "answers 0, which is no price"),
        (8, -1, "answers -1, which is no price"),
        (8, 210 * USD_E8, "-4.8% off the feed's 210.00"),
    ],
)
def test_feed(
    public: PublicNetwork,
    tmp_path: Path,
    build: StepRunner,
    decimals: int,
    answer: int,
    fault: str,
) -> None:
    public.write(feed=feed(build, decimals, answer))
    assert fault in refuse(public, tmp_path, PreflightError)


def test_old_feed(public: PublicNetwork, tmp_path: Path) -> None:
    public.web3.provider.make_request(RPCEndpoint("evm_increaseTime"), [FAR_FUTURE_S])
    public.web3.provider.make_request(RPCEndpoint("evm_mine"), [])
    assert "s old, at most 7200 are allowed" in refuse(public, tmp_path, PreflightError)


def pool_of_others(public: PublicNetwork, build: StepRunner) -> str:
    """A pool of another USDC and WETH."""
    a = public.there.addresses
    uniswap = Uniswap(*(a[f"uniswap_{n}"] for n in ("factory", "positions", "router", "quoter")))
    tokens = deploy_tokens(build, 200 * USD_E8)
    settings = PoolSettings(price_e8=200 * USD_E8, weth_amount=WETH)
    return create_pool(build, uniswap, tokens, settings, build.sender)


def test_pool_of_other_tokens(public: PublicNetwork, tmp_path: Path, build: StepRunner) -> None:
    pool = pool_of_others(public, build)
    public.write(uniswap_pool=pool)
    message = refuse(public, tmp_path, PreflightError)
    assert f"uniswap_pool {pool}: trades " in message
    assert "not the configured usdc and weth" in message


def test_a_further_pool_is_looked_at_as_the_first(
    public: PublicNetwork, tmp_path: Path, build: StepRunner
) -> None:
    pool = pool_of_others(public, build)
    public.write(more_uniswap_pools=(pool,))
    message = refuse(public, tmp_path, PreflightError)
    assert f"more_uniswap_pools {pool}: trades " in message


def test_a_perpetual_of_other_tokens(
    public: PublicNetwork, tmp_path: Path, build: StepRunner
) -> None:
    e, factory = public.there.external, public.there.addresses["uniswap_factory"]
    tokens = deploy_tokens(build, 200 * USD_E8)
    curie = deploy_curie(build, tokens, tokens.weth_feed, factory, 200 * USD_E8)
    public.write(perp_clearing_house=curie.clearing_house, perp_base_token=e.weth)
    message = refuse(public, tmp_path, PreflightError)
    assert f"takes {tokens.usdc} as margin, not the configured usdc" in message
    assert f"has no market of perp_base_token {e.weth}" in message
    public.write(perp_clearing_house=e.aave_pool, perp_base_token=curie.base)
    message = refuse(public, tmp_path, PreflightError)
    assert f"perp_clearing_house {e.aave_pool}: is not the expected kind" in message


def test_a_pool_that_is_named_twice(public: PublicNetwork, tmp_path: Path) -> None:
    public.write(more_uniswap_pools=(public.there.external.uniswap_pool,))
    assert "must name each pool once" in refuse(public, tmp_path, ConfigError)


def test_pool_of_another_fee_without_liquidity_or_history(
    public: PublicNetwork, tmp_path: Path, build: StepRunner
) -> None:
    e, addresses = public.there.external, public.there.addresses
    artifact = packaged(UNISWAP_CORE, "UniswapV3Factory")
    build.call(
        "pool", addresses["uniswap_factory"], artifact.abi, "createPool", [e.usdc, e.weth, 3000]
    )
    pool = build.read(addresses["uniswap_factory"], artifact.abi, "getPool", [e.usdc, e.weth, 3000])
    public.write(uniswap_pool=pool)
    message = refuse(public, tmp_path, PreflightError)
    for fault in (
        "has a fee of 3000e-6, expected 500e-6",
        "has no liquidity at its price",
        "holds 0 WETH, at least 1 are wanted",
        "has no price history of 600 s: call increaseObservationCardinalityNext",
    ):
        assert fault in message


@pytest.mark.parametrize(
    ("function", "token", "value", "fault"),
    [
        ("setReserveBorrowing", "weth", False, "does not lend weth"),
        ("setReserveFreeze", "weth", True, "its reserve of weth is frozen"),
        ("setReservePause", "usdc", True, "its reserve of usdc is paused"),
    ],
)
def test_aave_reserve(
    public: PublicNetwork, tmp_path: Path, function: str, token: str, value: bool, fault: str
) -> None:
    abi = packaged(AAVE, "protocol/pool/PoolConfigurator").abi
    web3: Web3 = public.web3
    configurator = web3.eth.contract(public.there.addresses["aave_configurator"], abi=list(abi))
    reserve = getattr(public.there.external, token)
    call = configurator.get_function_by_name(function)(reserve, value)
    web3.eth.wait_for_transaction_receipt(call.transact({"from": web3.eth.accounts[9]}))
    assert fault in refuse(public, tmp_path, PreflightError)


def test_aave_without_the_token(public: PublicNetwork, tmp_path: Path, build: StepRunner) -> None:
    tokens = deploy_tokens(build, 200 * USD_E8)
    public.write(usdc=tokens.usdc)
    message = refuse(public, tmp_path, PreflightError)
    assert f"has no active reserve of usdc {tokens.usdc}" in message
