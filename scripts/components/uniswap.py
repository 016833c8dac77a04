"""Uniswap v3 from its own npm artifacts: factory, position manager, router, quoter, and a pool of WETH and USDC."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from scripts.components import pool_math
from scripts.components.artifacts import UNISWAP_CORE, UNISWAP_PERIPHERY, UNISWAP_ROUTER, packaged
from scripts.components.runner import Runner
from scripts.components.tokens import FEED_DECIMALS, Tokens, approve, mint_usdc, wrap_ether

ZERO_ADDRESS = "0x" + "00" * 20
NO_DEADLINE = 2**256 - 1
TICK_SPACING = {100: 1, 500: 10, 3000: 60, 10000: 200}


@dataclass(frozen=True, slots=True)
class Uniswap:
    """Addresses."""

    factory: str
    positions: str
    router: str
    quoter: str


@dataclass(frozen=True, slots=True)
class PoolSettings:
    """A pool to create. `price_e8` is USD per ETH with 8 decimals, `fee` in hundredths of a basis point.

    `weth_amount` wei and as much USDC as goes with it are supplied from price / range_factor to price x
    range_factor, everywhere if None. `observations` is the number of past blocks that the mean price can
    reach back over.
    """

    price_e8: int
    weth_amount: int
    fee: int = 500
    range_factor: float | None = None
    observations: int = 100


def deploy_uniswap(runner: Runner, tokens: Tokens) -> Uniswap:
    """Four steps."""
    factory = runner.deploy("uniswap.factory", packaged(UNISWAP_CORE, "UniswapV3Factory"))
    # No descriptor: it only draws the picture of a position.
    positions = runner.deploy(
        "uniswap.positions",
        packaged(UNISWAP_PERIPHERY, "NonfungiblePositionManager"),
        [factory, tokens.weth, ZERO_ADDRESS],
    )
    router = runner.deploy(
        "uniswap.router",
        packaged(UNISWAP_ROUTER, "SwapRouter02"),
        [ZERO_ADDRESS, factory, positions, tokens.weth],
    )
    quoter = runner.deploy(
        "uniswap.quoter", packaged(UNISWAP_PERIPHERY, "lens/QuoterV2"), [factory, tokens.weth]
    )
    return Uniswap(factory, positions, router, quoter)


def create_pool(
    runner: Runner, uniswap: Uniswap, tokens: Tokens, settings: PoolSettings, owner: str
) -> str:
    """Seven steps: the pool at its first price, its observations, and liquidity that belongs to `owner`.

    `owner` is the runner's account and needs `weth_amount` of ether. Returns the pool's address.
    """
    label = f"uniswap.pool{settings.fee}"
    base_is_token0 = int(tokens.weth, 16) < int(tokens.usdc, 16)
    pair = [tokens.weth, tokens.usdc] if base_is_token0 else [tokens.usdc, tokens.weth]
    price = Decimal(settings.price_e8).scaleb(-FEED_DECIMALS)
    root = pool_math.sqrt_price_x96(price, base_is_token0)
    positions = packaged(UNISWAP_PERIPHERY, "NonfungiblePositionManager").abi
    runner.call(
        f"{label}.create",
        uniswap.positions,
        positions,
        "createAndInitializePoolIfNecessary",
        [*pair, settings.fee, root],
    )
    factory = packaged(UNISWAP_CORE, "UniswapV3Factory").abi
    pool: str = runner.read(uniswap.factory, factory, "getPool", [*pair, settings.fee])
    runner.call(
        f"{label}.observations",
        pool,
        packaged(UNISWAP_CORE, "UniswapV3Pool").abi,
        "increaseObservationCardinalityNext",
        [settings.observations],
    )
    ticks = pool_math.tick_range(root, settings.range_factor, TICK_SPACING[settings.fee])
    usdc = pool_math.usdc_beside(settings.weth_amount, root, ticks, base_is_token0)
    amounts = (settings.weth_amount, usdc)
    _hold(runner, label, uniswap, tokens, owner, amounts)
    ordered = amounts if base_is_token0 else amounts[::-1]
    mint = (*pair, settings.fee, *ticks, *ordered, 0, 0, owner, NO_DEADLINE)
    runner.call(f"{label}.liquidity", uniswap.positions, positions, "mint", [mint])
    return pool


def _hold(
    runner: Runner,
    label: str,
    uniswap: Uniswap,
    tokens: Tokens,
    owner: str,
    amounts: tuple[int, int],
) -> None:
    """WETH and USDC in the owner's hands, and allowed to the position manager."""
    weth, usdc = amounts
    mint_usdc(runner, f"{label}.usdc", tokens, owner, usdc)
    wrap_ether(runner, f"{label}.weth", tokens, weth)
    approve(runner, f"{label}.approve_usdc", tokens.usdc, uniswap.positions, usdc)
    approve(runner, f"{label}.approve_weth", tokens.weth, uniswap.positions, weth)
