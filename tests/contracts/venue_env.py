"""A market for the tests of hedge venues: real tokens, pool and Aave market, a harness for a Clearinghouse."""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from brownie import chain, web3

from scripts.components import market, node
from scripts.components.aave import Aave, AaveSettings, deploy_aave
from scripts.components.artifacts import AAVE, UNISWAP_CORE, packaged
from scripts.components.runner import DirectRunner
from scripts.components.tokens import Tokens, deploy_tokens
from scripts.components.uniswap import PoolSettings, Uniswap, create_pool, deploy_uniswap
from tests.contracts.core_constants import ORACLE_PARAMETERS, ZERO_ADDRESS

WAD = 10**18
USDC = 10**6
PRICE_SCALE = 10**30
UNDERLYING = 1
SPOT = 2000
FEE = 500
MAX_UINT = 2**256 - 1
LIQUIDATION_THRESHOLD = Decimal("0.85")
TARGET_HEALTH = Decimal("1.6")
PARAMETERS = (16 * WAD // 10, 18 * WAD // 10, WAD // 100)
BARE_AAVE = Aave(*[""] * 9)
AAVE_POOL = packaged(AAVE, "protocol/pool/Pool").abi
TOKEN = packaged(AAVE, "mocks/tokens/MintableERC20").abi


@dataclass(frozen=True)
class Fill:
    """One trade: what the venue said, what the harness counted (USDC units, WETH wei), and the gas."""

    base: int
    quote: int
    usdc: int
    weth: int
    gas: int


@dataclass(frozen=True)
class Env:
    project: Any
    accounts: Any
    runner: DirectRunner
    tokens: Tokens
    uniswap: Uniswap
    pool: str
    harness: Any
    venue: Any = None
    aave: Aave = BARE_AAVE
    oracle: Any = None
    manager: Any = None

    @property
    def owner(self) -> Any:
        return self.accounts[0]

    @property
    def arbitrageur(self) -> str:
        return str(self.accounts[5])

    @property
    def stranger(self) -> Any:
        return self.accounts[7]

    def usdc_of(self, who: Any) -> int:
        return int(node.read(web3, self.tokens.usdc, TOKEN, "balanceOf", [str(who)]))

    def weth_of(self, who: Any) -> int:
        return int(node.read(web3, self.tokens.weth, TOKEN, "balanceOf", [str(who)]))

    def allowance(self, token: str, spender: str) -> int:
        return int(node.read(web3, token, TOKEN, "allowance", [str(self.venue), spender]))

    def debt(self) -> int:
        return -int(self.venue.position()[0])

    def collateral(self) -> int:
        """USDC units."""
        return int(self.venue.position()[1]) // 10**12

    def trade(self, base: int, limit: Decimal | int, data: bytes = b"") -> Fill:
        tx = self.harness.tradeOnVenue(self.venue, base, wad(limit), data, {"from": self.owner})
        return fill_of(tx)

    def unwind(self) -> Fill:
        return fill_of(self.harness.unwindVenue(self.venue, {"from": self.owner}))

    def required(self, base: int, limit: Decimal | int) -> tuple[int, int]:
        usdc, weth = self.venue.required(base, wad(limit), b"")
        return int(usdc), int(weth)

    def pool_price(self) -> Decimal:
        return market.pool_price(web3, self.pool)

    def move(self, price: Decimal | int, *, feed: bool = True) -> None:
        """Bring the pool, and the feed of Aave and ourselves, to a price."""
        target = Decimal(price)
        market.move_pool_price(web3, self.pool, self.uniswap.router, self.arbitrageur, target)
        if feed:
            market.push_round(web3, self.tokens.weth_feed, str(self.owner), target)

    def fund(self, usdc: int, weth: int) -> None:
        """Give the harness tokens."""
        market.mint_usdc(web3, self.tokens.usdc, str(self.owner), str(self.harness), usdc)
        if weth:
            market.wrap_weth(web3, self.tokens.weth, str(self.owner), weth)
            args = [str(self.harness), weth]
            node.send(web3, str(self.owner), self.tokens.weth, TOKEN, "transfer", args)


def wad(price: Decimal | int) -> int:
    return int(Decimal(price) * WAD)


def fill_of(tx: Any) -> Fill:
    event = tx.events["Traded"]
    flows = (event["filledBase"], event["quoteFlow"], event["usdcFlow"], event["wethFlow"])
    return Fill(*(int(value) for value in flows), gas=int(tx.gas_used))


def swap_abi() -> Any:
    return packaged(UNISWAP_CORE, "UniswapV3Pool").abi


def build_market(
    project: Any, accounts: Any, base_is_token0: bool | None = None, weth: int = 4000 * WAD
) -> Env:
    """Tokens, Uniswap and a pool of `weth` wei at SPOT; the tokens in a given order where one is asked for."""
    runner = DirectRunner(web3, str(accounts[0]))
    market.ensure_ether(web3, str(accounts[0]), 100_000 * WAD)
    tokens = deploy_tokens(runner, SPOT * 10**8)
    attempt = 0
    while (
        base_is_token0 is not None and (tokens.weth.lower() < tokens.usdc.lower()) != base_is_token0
    ):
        attempt += 1
        weth9 = packaged(AAVE, "dependencies/weth/WETH9")
        tokens = replace(tokens, weth=runner.deploy(f"tokens.weth.{attempt}", weth9))
    uniswap = deploy_uniswap(runner, tokens)
    settings = PoolSettings(SPOT * 10**8, weth, FEE, range_factor=4.0, observations=20)
    pool = create_pool(runner, uniswap, tokens, settings, str(accounts[0]))
    harness = project.VenueHarness.deploy(tokens.usdc, tokens.weth, {"from": accounts[0]})
    return Env(project, accounts, runner, tokens, uniswap, pool, harness)


def build_spot(project: Any, accounts: Any, base_is_token0: bool | None = None) -> Env:
    env = build_market(project, accounts, base_is_token0)
    args = (env.harness, env.pool, env.tokens.usdc, env.tokens.weth, UNDERLYING)
    venue = project.UniswapSpotVenue.deploy(*args, {"from": accounts[0]})
    env = replace(env, venue=venue)
    env.fund(10_000_000 * USDC, 1000 * WAD)
    return env


def build_short(project: Any, accounts: Any, base_is_token0: bool | None = None) -> Env:
    """The short on Aave, with MarketOracle and AccessManager as in production."""
    env = build_market(project, accounts, base_is_token0)
    settings = AaveSettings(weth_supply=5000 * WAD, usdc_supply=5_000_000 * USDC)
    aave = deploy_aave(env.runner, env.tokens, settings, str(accounts[0]))
    manager = project.AccessManager.deploy(accounts[0], {"from": accounts[0]})
    oracle = register_oracle(env, manager)
    env = replace(env, aave=aave, oracle=oracle, manager=manager)
    env = replace(env, venue=deploy_short(env))
    env.fund(10_000_000 * USDC, 0)
    return env


def send(env: Env, to: str, abi: Any, function: str, *args: Any, by: Any = None) -> None:
    """One transaction of the owner, or of another account of the node."""
    node.send(web3, str(by or env.owner), to, abi, function, list(args))


def borrow_out(env: Env, leave: int) -> None:
    """A whale borrows USDC until only `leave` units are left to withdraw."""
    whale = str(env.accounts[6])
    market.wrap_weth(web3, env.tokens.weth, whale, 5000 * WAD)
    send(env, env.tokens.weth, TOKEN, "approve", env.aave.pool, 5000 * WAD, by=whale)
    send(env, env.aave.pool, AAVE_POOL, "supply", env.tokens.weth, 5000 * WAD, whale, 0, by=whale)
    amount = env.usdc_of(env.aave.a_usdc) - leave
    send(env, env.aave.pool, AAVE_POOL, "borrow", env.tokens.usdc, amount, 2, 0, whale, by=whale)


def register_oracle(env: Env, manager: Any) -> Any:
    quote = (env.tokens.usdc_feed, 8, 3 * 86400)
    oracle = env.project.MarketOracle.deploy(
        manager, quote, ZERO_ADDRESS, ORACLE_PARAMETERS, {"from": env.owner}
    )
    chain.sleep(300)
    chain.mine()
    base_is_token0 = env.tokens.weth.lower() < env.tokens.usdc.lower()
    config = (env.tokens.weth_feed, 8, 86400, 60, env.pool, base_is_token0, 2 * WAD // 100)
    oracle.registerMarket(UNDERLYING, env.tokens.weth, env.tokens.usdc, config, {"from": env.owner})
    return oracle


def deploy_short(env: Env, **changes: Any) -> Any:
    """AaveShortVenue with some constructor arguments changed."""
    arguments = {
        "authority": env.manager,
        "clearinghouse": env.harness,
        "oracle": env.oracle,
        "aave": env.aave.pool,
        "pool": env.pool,
        "usdc": env.tokens.usdc,
        "weth": env.tokens.weth,
        "underlying": UNDERLYING,
        "parameters": PARAMETERS,
    }
    values = {**arguments, **changes}.values()
    return env.project.AaveShortVenue.deploy(*values, {"from": env.owner})
