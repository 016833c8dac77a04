"""USDC, WETH and their USD feeds on a development chain: the protocol packages' own test contracts, and WETH9."""

from __future__ import annotations

from dataclasses import dataclass

from scripts.components.artifacts import AAVE, feed, packaged
from scripts.components.runner import Runner

FEED_DECIMALS = 8
USDC_DECIMALS = 6
ONE_USD_E8 = 10**FEED_DECIMALS


@dataclass(frozen=True, slots=True)
class Tokens:
    """Addresses. `weth_feed` and `usdc_feed` are AggregatorV3 in USD with 8 decimals."""

    usdc: str
    weth: str
    weth_feed: str
    usdc_feed: str


def deploy_tokens(runner: Runner, price_e8: int) -> Tokens:
    """Four steps. `price_e8` is the first answer of the ETH feed, USD with 8 decimals; USDC stays at 1 USD."""
    usdc = packaged(AAVE, "mocks/tokens/MintableERC20")
    return Tokens(
        usdc=runner.deploy("tokens.usdc", usdc, ["USD Coin", "USDC", USDC_DECIMALS]),
        weth=runner.deploy("tokens.weth", packaged(AAVE, "dependencies/weth/WETH9")),
        weth_feed=runner.deploy("tokens.weth_feed", feed(), [FEED_DECIMALS, price_e8]),
        usdc_feed=runner.deploy("tokens.usdc_feed", feed(), [FEED_DECIMALS, ONE_USD_E8]),
    )


def mint_usdc(runner: Runner, step: str, tokens: Tokens, to: str, amount: int) -> None:
    """One step. `amount` in token units (6 decimals)."""
    abi = packaged(AAVE, "mocks/tokens/MintableERC20").abi
    runner.call(step, tokens.usdc, abi, "mint(address,uint256)", [to, amount])


def wrap_ether(runner: Runner, step: str, tokens: Tokens, amount: int) -> None:
    """One step: the runner's account turns `amount` wei of ether into WETH."""
    abi = packaged(AAVE, "dependencies/weth/WETH9").abi
    runner.call(step, tokens.weth, abi, "deposit", [], amount)


def approve(runner: Runner, step: str, token: str, spender: str, amount: int) -> None:
    """One step. `amount` in token units."""
    abi = packaged(AAVE, "mocks/tokens/MintableERC20").abi
    runner.call(step, token, abi, "approve", [spender, amount])
