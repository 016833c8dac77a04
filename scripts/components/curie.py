"""Perpetual Curie from its own npm artifacts: one ETH market with USDC as margin, priced by a Chainlink feed.

The market's pool is virtual: base and quote are tokens that only Curie's clearing house holds, so its owner sets the
first price and makers bring liquidity on margin.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from scripts.components import pool_math
from scripts.components.artifacts import CURIE, CURIE_ORACLE, UNISWAP_CORE, packaged
from scripts.components.runner import Runner
from scripts.components.tokens import FEED_DECIMALS, USDC_DECIMALS, Tokens, approve, mint_usdc
from scripts.deployment.artifacts import Artifact

MAX_UINT = 2**256 - 1
# Hundredths of a basis point; Uniswap's own spacing of that fee.
FEE, TICK_SPACING = 3000, 60
OBSERVATIONS = 250
RANGE_FACTOR = 4.0
FEED_TIMEOUT_S = 40 * 24 * 3600
TWAP_S = 1800
# Over which Curie takes the mean of its pool for the mark: it values nobody before the pool is that old.
MARK_WINDOW_S = 1800
# As Curie's main deployment: a tenth of collateral value and so on; only USDC is collateral here.
COLLATERAL = (5, 750_000, 500_000, 2_000, 30_000, 10_000 * 10**6, 500 * 10**6)
MAX_TICK_IN_BLOCK = 1_000


@dataclass(frozen=True, slots=True)
class Curie:
    """Addresses."""

    clearing_house: str
    vault: str
    exchange: str
    base: str
    pool: str
    feed: str


def deploy_curie(runner: Runner, tokens: Tokens, feed: str, factory: str, price_e8: int) -> Curie:
    """About forty steps. `factory` is a Uniswap v3 factory, `feed` Chainlink's ETH/USD, `price_e8` the first price."""
    quote = _new(runner, "QuoteToken", ["vUSD", "vUSD"])
    chainlink = runner.deploy(
        "curie.feed", _oracle("ChainlinkPriceFeedV3"), [feed, FEED_TIMEOUT_S, TWAP_S]
    )
    dispatcher = runner.deploy("curie.dispatcher", _oracle("PriceFeedDispatcher"), [chainlink])
    base = _base_below(runner, quote, dispatcher)
    parts = _parts(runner, tokens, quote, factory)
    pool = _market(runner, parts, quote, base, factory, price_e8)
    return Curie(parts["ClearingHouse"], parts["Vault"], parts["Exchange"], base, pool, chainlink)


def provide(
    runner: Runner, curie: Curie, tokens: Tokens, owner: str, price_e8: int, eth: int
) -> None:
    """`owner`, the runner's account, brings liquidity of `eth` wei either side of the price, and its worth as margin.

    The pool must be `MARK_WINDOW_S` old and still stand at `price_e8`, its first price.
    """
    usdc = eth * price_e8 // 10 ** (18 + FEED_DECIMALS - USDC_DECIMALS)
    mint_usdc(runner, "curie.maker.usdc", tokens, owner, usdc)
    approve(runner, "curie.maker.approve", tokens.usdc, curie.vault, usdc)
    runner.call(
        "curie.maker.deposit", curie.vault, _own("Vault").abi, "deposit", [tokens.usdc, usdc]
    )
    root = _root(price_e8)
    ticks = pool_math.tick_range(root, RANGE_FACTOR, TICK_SPACING)
    quote = pool_math.usdc_beside(eth, root, ticks, True)
    order = (curie.base, eth, quote, *ticks, 0, 0, False, MAX_UINT)
    runner.call(
        "curie.maker.liquidity",
        curie.clearing_house,
        _own("ClearingHouse").abi,
        "addLiquidity",
        [order],
    )


def _own(name: str) -> Artifact:
    return packaged(CURIE, name)


def _oracle(name: str) -> Artifact:
    return packaged(CURIE_ORACLE, name)


def _pool() -> Artifact:
    return packaged(UNISWAP_CORE, "UniswapV3Pool")


def _root(price_e8: int) -> int:
    """Square-root price in Q96. Both virtual tokens have 18 decimals: the ratio is the price itself."""
    return int(Decimal(price_e8).scaleb(-FEED_DECIMALS).sqrt() * 2**96)


def _new(runner: Runner, name: str, args: Sequence[object]) -> str:
    label = f"curie.{name}"
    address = runner.deploy(label, _own(name))
    runner.call(f"{label}.initialize", address, _own(name).abi, "initialize", args)
    return address


def _base_below(runner: Runner, quote: str, dispatcher: str) -> str:
    """Curie wants the base token's address below the quote token's: every second one is."""
    for attempt in range(64):
        address = runner.deploy(f"curie.BaseToken{attempt}", _own("BaseToken"))
        if int(address, 16) < int(quote, 16):
            break
    else:  # pragma: no cover - one in 2^64
        raise AssertionError("no base token below the quote token")
    runner.call(
        "curie.base.initialize",
        address,
        _own("BaseToken").abi,
        "initialize",
        ["vETH", "vETH", dispatcher],
    )
    return address


def _parts(runner: Runner, tokens: Tokens, quote: str, factory: str) -> dict[str, str]:
    p = {"ClearingHouseConfig": _new(runner, "ClearingHouseConfig", [])}
    p["MarketRegistry"] = _new(runner, "MarketRegistry", [factory, quote])
    p["OrderBook"] = _new(runner, "OrderBook", [p["MarketRegistry"]])
    p["InsuranceFund"] = _new(runner, "InsuranceFund", [tokens.usdc])
    config = p["ClearingHouseConfig"]
    p["AccountBalance"] = _new(runner, "AccountBalance", [config, p["OrderBook"]])
    p["Exchange"] = _new(runner, "Exchange", [p["MarketRegistry"], p["OrderBook"], config])
    vault = [p["InsuranceFund"], config, p["AccountBalance"], p["Exchange"]]
    p["Vault"] = _new(runner, "Vault", vault)
    manager = [config, p["Vault"], *COLLATERAL]
    p["CollateralManager"] = _new(runner, "CollateralManager", manager)
    house = [config, p["Vault"], quote, factory, p["Exchange"], p["AccountBalance"]]
    p["ClearingHouse"] = _new(runner, "ClearingHouse", [*house, p["InsuranceFund"]])
    for name, setter, argument in (
        ("ClearingHouseConfig", "setSettlementTokenBalanceCap", MAX_UINT),
        ("Exchange", "setAccountBalance", p["AccountBalance"]),
        ("OrderBook", "setExchange", p["Exchange"]),
        ("InsuranceFund", "setVault", p["Vault"]),
        ("AccountBalance", "setVault", p["Vault"]),
        ("Vault", "setCollateralManager", p["CollateralManager"]),
        *(
            (name, "setClearingHouse", p["ClearingHouse"])
            for name in ("MarketRegistry", "OrderBook", "Exchange", "AccountBalance", "Vault")
        ),
    ):
        label = f"curie.{name}.{setter}"
        runner.call(label, p[name], _own(name).abi, setter, [argument])
    return p


def _market(
    runner: Runner, p: dict[str, str], quote: str, base: str, factory: str, price_e8: int
) -> str:
    core = packaged(UNISWAP_CORE, "UniswapV3Factory").abi
    runner.call("curie.pool.create", factory, core, "createPool", [base, quote, FEE])
    pool: str = runner.read(factory, core, "getPool", [base, quote, FEE])
    runner.call("curie.pool.initialize", pool, _pool().abi, "initialize", [_root(price_e8)])
    runner.call(
        "curie.pool.observations",
        pool,
        _pool().abi,
        "increaseObservationCardinalityNext",
        [OBSERVATIONS],
    )
    for name, token in (("base", base), ("quote", quote)):
        abi = _own("VirtualToken").abi
        for holder, address in (("house", p["ClearingHouse"]), ("pool", pool)):
            runner.call(f"curie.{name}.{holder}", token, abi, "addWhitelist", [address])
        args = [p["ClearingHouse"]]
        runner.call(f"curie.{name}.mint", token, abi, "mintMaximumTo", args)
    registry, exchange = _own("MarketRegistry").abi, _own("Exchange").abi
    runner.call("curie.market", p["MarketRegistry"], registry, "addPool", [base, FEE])
    ticks = [base, MAX_TICK_IN_BLOCK]
    runner.call("curie.ticks", p["Exchange"], exchange, "setMaxTickCrossedWithinBlock", ticks)
    return pool
