"""Aave v3 from its own npm artifacts: a market of USDC and WETH, priced by the same feeds as ours."""

from __future__ import annotations

from dataclasses import dataclass

from scripts.components.artifacts import AAVE, packaged
from scripts.components.runner import Runner
from scripts.components.tokens import USDC_DECIMALS, Tokens, approve, mint_usdc, wrap_ether

ZERO_ADDRESS = "0x" + "00" * 20
RAY = 10**27
USD_UNIT = 10**8
MARKET_ID = "Gammadesk development market"
# Optimal use 80 %, slopes 4 % and 75 % a year; stable-rate terms are demanded by the constructor, unused.
RATES = [
    8 * RAY // 10,
    0,
    4 * RAY // 100,
    75 * RAY // 100,
    RAY // 200,
    75 * RAY // 100,
    RAY // 100,
    0,
    RAY // 5,
]
POOL_LIBRARIES = (
    "SupplyLogic",
    "BorrowLogic",
    "EModeLogic",
    "BridgeLogic",
    "PoolLogic",
    "LiquidationLogic",
)


@dataclass(frozen=True, slots=True)
class AaveSettings:
    """Risk terms in basis points as on mainnet, and what `owner` supplies for others to borrow.

    `weth_supply` in wei, `usdc_supply` in token units.
    """

    weth_supply: int
    usdc_supply: int = 0
    usdc_terms: tuple[int, int, int] = (8000, 8500, 10500)
    weth_terms: tuple[int, int, int] = (8000, 8250, 10500)


@dataclass(frozen=True, slots=True)
class Aave:
    """Addresses. `pool` and `configurator` are proxies."""

    provider: str
    acl: str
    pool: str
    configurator: str
    oracle: str
    a_usdc: str
    a_weth: str
    debt_usdc: str
    debt_weth: str


def deploy_aave(runner: Runner, tokens: Tokens, settings: AaveSettings, owner: str) -> Aave:
    """34 steps. `owner` is the runner's account: admin of the market, and needs `weth_supply` of ether."""
    provider, acl = _registry(runner, owner)
    pool, configurator = _core(runner, provider)
    oracle = _oracle(runner, provider, tokens)
    _reserves(runner, provider, pool, configurator, tokens, owner)
    _terms(runner, configurator, tokens, settings)
    _supply(runner, pool, tokens, settings, owner)
    abi = packaged(AAVE, "protocol/pool/Pool").abi
    usdc = runner.read(pool, abi, "getReserveData", [tokens.usdc])
    weth = runner.read(pool, abi, "getReserveData", [tokens.weth])
    a_token, variable_debt = 8, 10
    return Aave(
        provider=provider,
        acl=acl,
        pool=pool,
        configurator=configurator,
        oracle=oracle,
        a_usdc=usdc[a_token],
        a_weth=weth[a_token],
        debt_usdc=usdc[variable_debt],
        debt_weth=weth[variable_debt],
    )


def _registry(runner: Runner, owner: str) -> tuple[str, str]:
    """Addresses provider and access control, with `owner` as admin of the pool."""
    artifact = packaged(AAVE, "protocol/configuration/PoolAddressesProvider")
    provider = runner.deploy("aave.provider", artifact, [MARKET_ID, owner])
    runner.call("aave.acl_admin", provider, artifact.abi, "setACLAdmin", [owner])
    manager = packaged(AAVE, "protocol/configuration/ACLManager")
    acl = runner.deploy("aave.acl", manager, [provider])
    runner.call("aave.set_acl", provider, artifact.abi, "setACLManager", [acl])
    runner.call("aave.pool_admin", acl, manager.abi, "addPoolAdmin", [owner])
    return provider, acl


def _core(runner: Runner, provider: str) -> tuple[str, str]:
    """Linked implementations of the pool and its configurator, and the proxies that the provider makes of them."""
    registry = packaged(AAVE, "protocol/configuration/PoolAddressesProvider").abi
    libraries = {name: _library(runner, name) for name in POOL_LIBRARIES}
    libraries["FlashLoanLogic"] = _library(runner, "FlashLoanLogic", libraries)
    pool = runner.deploy(
        "aave.pool_code", packaged(AAVE, "protocol/pool/Pool"), [provider], libraries
    )
    runner.call("aave.set_pool", provider, registry, "setPoolImpl", [pool])
    links = {"ConfiguratorLogic": _library(runner, "ConfiguratorLogic")}
    code = runner.deploy(
        "aave.configurator_code", packaged(AAVE, "protocol/pool/PoolConfigurator"), [], links
    )
    runner.call("aave.set_configurator", provider, registry, "setPoolConfiguratorImpl", [code])
    return (
        runner.read(provider, registry, "getPool"),
        runner.read(provider, registry, "getPoolConfigurator"),
    )


def _library(runner: Runner, name: str, libraries: dict[str, str] | None = None) -> str:
    return runner.deploy(
        f"aave.{name}", packaged(AAVE, f"protocol/libraries/logic/{name}"), [], libraries
    )


def _oracle(runner: Runner, provider: str, tokens: Tokens) -> str:
    feeds = [[tokens.usdc, tokens.weth], [tokens.usdc_feed, tokens.weth_feed]]
    oracle = runner.deploy(
        "aave.oracle",
        packaged(AAVE, "misc/AaveOracle"),
        [provider, *feeds, ZERO_ADDRESS, ZERO_ADDRESS, USD_UNIT],
    )
    registry = packaged(AAVE, "protocol/configuration/PoolAddressesProvider").abi
    runner.call("aave.set_oracle", provider, registry, "setPriceOracle", [oracle])
    return oracle


def _reserves(
    runner: Runner, provider: str, pool: str, configurator: str, tokens: Tokens, treasury: str
) -> None:
    """Both reserves in one step, after the three token implementations and the rate strategy."""
    kinds = ("AToken", "StableDebtToken", "VariableDebtToken")
    codes = [
        runner.deploy(f"aave.{kind}", packaged(AAVE, f"protocol/tokenization/{kind}"), [pool])
        for kind in kinds
    ]
    rates = runner.deploy(
        "aave.rates",
        packaged(AAVE, "protocol/pool/DefaultReserveInterestRateStrategy"),
        [provider, *RATES],
    )

    def reserve(symbol: str, asset: str, decimals: int) -> tuple[object, ...]:
        names = [
            text
            for prefix in ("a", "variableDebt", "stableDebt")
            for text in (f"Aave {prefix} {symbol}", f"{prefix}{symbol}")
        ]
        return (*codes, decimals, rates, asset, treasury, ZERO_ADDRESS, *names, b"")

    runner.call(
        "aave.reserves",
        configurator,
        packaged(AAVE, "protocol/pool/PoolConfigurator").abi,
        "initReserves",
        [[reserve("USDC", tokens.usdc, USDC_DECIMALS), reserve("WETH", tokens.weth, 18)]],
    )


def _terms(runner: Runner, configurator: str, tokens: Tokens, settings: AaveSettings) -> None:
    abi = packaged(AAVE, "protocol/pool/PoolConfigurator").abi
    reserves = (
        ("usdc", tokens.usdc, settings.usdc_terms),
        ("weth", tokens.weth, settings.weth_terms),
    )
    for name, asset, terms in reserves:
        runner.call(
            f"aave.{name}_terms", configurator, abi, "configureReserveAsCollateral", [asset, *terms]
        )
        runner.call(
            f"aave.{name}_borrowing", configurator, abi, "setReserveBorrowing", [asset, True]
        )


def _supply(runner: Runner, pool: str, tokens: Tokens, settings: AaveSettings, owner: str) -> None:
    """What can be borrowed: WETH, and USDC if asked for."""
    abi = packaged(AAVE, "protocol/pool/Pool").abi
    if settings.weth_supply:
        wrap_ether(runner, "aave.weth", tokens, settings.weth_supply)
    if settings.usdc_supply:
        mint_usdc(runner, "aave.usdc", tokens, owner, settings.usdc_supply)
    supplies = (
        ("weth", tokens.weth, settings.weth_supply),
        ("usdc", tokens.usdc, settings.usdc_supply),
    )
    for name, asset, amount in supplies:
        if amount:
            approve(runner, f"aave.approve_{name}", asset, pool, amount)
            runner.call(f"aave.supply_{name}", pool, abi, "supply", [asset, amount, owner, 0])
