"""Moves a development market: feed rounds, the pool's price, and money for those who need some.

For chains whose node signs for its own accounts (anvil, Ganache). Everything is sent and mined before it returns.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from web3 import Web3
from web3.types import RPCEndpoint

from keeper.errors import Halt
from scripts.components import pool_math
from scripts.components.artifacts import AAVE, UNISWAP_CORE, UNISWAP_ROUTER, feed, packaged
from scripts.components.node import read, rpc, send
from scripts.components.tokens import FEED_DECIMALS

ETHER_FOR_GAS = 10**18
MAX_SWAPS = 8
_USDC = packaged(AAVE, "mocks/tokens/MintableERC20").abi
_WETH = packaged(AAVE, "dependencies/weth/WETH9").abi
_POOL = packaged(UNISWAP_CORE, "UniswapV3Pool").abi
_ROUTER = packaged(UNISWAP_ROUTER, "SwapRouter02").abi


@dataclass(frozen=True, slots=True)
class PriceMove:
    """Prices in USD per ETH; what the arbitrageur's swaps changed in WETH wei and USDC units; their gas."""

    price_before: Decimal
    price_after: Decimal
    weth_change: int
    usdc_change: int
    gas_used: int


def push_round(web3: Web3, feed_address: str, account: str, price_usd: Decimal) -> None:
    """A new round of the feed at the time of the next block, rounded to its 8 decimals."""
    answer = int(price_usd.scaleb(FEED_DECIMALS).to_integral_value())
    send(web3, account, feed_address, feed().abi, "updateAnswer", [answer])


def ensure_ether(web3: Web3, account: str, amount: int) -> None:
    """Give the account at least `amount` wei through the node itself. Raises Halt where the node will not."""
    if int(rpc(web3, "eth_getBalance", account, "latest"), 16) >= amount:
        return
    for method in ("anvil_setBalance", "evm_setAccountBalance"):
        if "error" not in web3.provider.make_request(RPCEndpoint(method), [account, hex(amount)]):
            return
    raise Halt("this node sets no balances: start it with more ether per account")


def mint_usdc(web3: Web3, usdc: str, account: str, to: str, amount: int) -> None:
    """`amount` units (6 decimals) of the development USDC, sent by `account` to `to`."""
    send(web3, account, usdc, _USDC, "mint(address,uint256)", [to, amount])


def wrap_weth(web3: Web3, weth: str, account: str, amount: int) -> None:
    """Turn `amount` wei into WETH of the same account, topped up with ether where it has less."""
    ensure_ether(web3, account, amount + ETHER_FOR_GAS)
    send(web3, account, weth, _WETH, "deposit", [], amount)


def pool_price(web3: Web3, pool: str) -> Decimal:
    """USD per ETH of the pool now."""
    market = _Market.of(web3, pool)
    return pool_math.price_of(market.root(), market.base_is_token0)


def move_pool_price(
    web3: Web3, pool: str, router: str, account: str, target_price: Decimal
) -> PriceMove | None:
    """Swap until the pool stands exactly at the target; None where it stands there already.

    The arbitrageur `account` gets just the tokens that each swap takes and keeps what it receives. Where the
    way crosses other liquidity more than one swap is needed. Raises Halt where the pool has no liquidity at
    the target, ValueError where the target is no price.
    """
    market = _Market.of(web3, pool)
    target = pool_math.sqrt_price_x96(target_price, market.base_is_token0)
    before = now = market.root()
    if now == target:
        return None
    balances = market.balances(account)
    minted = [0, 0]
    gas = 0
    for _ in range(MAX_SWAPS):
        side, amount = market.next_input(now, target)
        minted[side] += market.provide(account, side, amount)
        gas += market.swap(router, account, side, amount, target)
        now = market.root()
        if now == target:
            break
    else:
        raise Halt(f"pool {pool} is not at {target_price} USD after {MAX_SWAPS} swaps")
    if read(web3, pool, _POOL, "liquidity") == 0:
        raise Halt(f"pool {pool} has no liquidity at {target_price} USD: supply a wider range")
    change = [b - a - m for a, b, m in zip(balances, market.balances(account), minted, strict=True)]
    weth, usdc = change if market.base_is_token0 else reversed(change)
    before_usd, after_usd = (
        pool_math.price_of(root, market.base_is_token0) for root in (before, target)
    )
    return PriceMove(before_usd, after_usd, weth, usdc, gas)


@dataclass(frozen=True, slots=True)
class _Market:
    """A pool with its two tokens; a side is 0 or 1 as in the pool."""

    web3: Web3
    pool: str
    tokens: tuple[str, str]
    base_is_token0: bool
    fee: int

    @staticmethod
    def of(web3: Web3, pool: str) -> _Market:
        address = Web3.to_checksum_address(pool)
        tokens = (read(web3, address, _POOL, "token0"), read(web3, address, _POOL, "token1"))
        base_is_token0 = read(web3, tokens[0], _WETH, "decimals") == 18
        return _Market(web3, address, tokens, base_is_token0, read(web3, address, _POOL, "fee"))

    def root(self) -> int:
        return int(read(self.web3, self.pool, _POOL, "slot0")[0])

    def balances(self, account: str) -> list[int]:
        return [read(self.web3, token, _WETH, "balanceOf", [account]) for token in self.tokens]

    def next_input(self, now: int, target: int) -> tuple[int, int]:
        """Which side goes in, and how much reaches the target at the liquidity of now."""
        liquidity = read(self.web3, self.pool, _POOL, "liquidity")
        return int(target > now), pool_math.input_to_reach(liquidity, now, target, self.fee)

    def provide(self, account: str, side: int, amount: int) -> int:
        """Mint or wrap what the account lacks; returns how much."""
        token = self.tokens[side]
        lacking = max(0, amount - int(read(self.web3, token, _WETH, "balanceOf", [account])))
        if lacking and (side == 0) == self.base_is_token0:
            wrap_weth(self.web3, token, account, lacking)
        elif lacking:
            mint_usdc(self.web3, token, account, account, lacking)
        return lacking

    def swap(self, router: str, account: str, side: int, amount: int, target: int) -> int:
        """One swap that stops at the target. Returns its gas."""
        token = self.tokens[side]
        if read(self.web3, token, _WETH, "allowance", [account, router]) < amount:
            send(self.web3, account, token, _WETH, "approve", [router, 2**256 - 1])
        order = (token, self.tokens[1 - side], self.fee, account, amount, 0, target)
        return send(self.web3, account, router, _ROUTER, "exactInputSingle", [order])["gasUsed"]
