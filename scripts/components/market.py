"""Moves a development market: feed rounds, the pool's price, and money for those who need some.

For chains whose node signs for its own accounts (anvil, Ganache). Everything is sent and mined before it returns.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from web3 import Web3
from web3.contract import Contract
from web3.types import RPCEndpoint

from keeper.errors import Halt
from scripts.components import pool_math
from scripts.components.artifacts import AAVE, UNISWAP_CORE, UNISWAP_ROUTER, feed, packaged
from scripts.components.tokens import FEED_DECIMALS

ETHER_FOR_GAS = 10**18
MAX_SWAPS = 8
POLL_S = 0.005
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


def send(web3: Web3, call: Any, account: str, value: int = 0) -> int:
    """Mine a bound contract function; returns its gas. Raises Halt where it reverts."""
    receipt = web3.eth.wait_for_transaction_receipt(
        call.transact({"from": account, "value": value})
    )
    if receipt["status"] != 1:
        raise Halt(f"{call.fn_name} reverted in transaction {receipt['transactionHash'].hex()}")
    return int(receipt["gasUsed"])


def push_round(web3: Web3, feed_address: str, account: str, price_usd: Decimal) -> None:
    """A new round of the feed at the time of the next block, rounded to its 8 decimals."""
    answer = int(price_usd.scaleb(FEED_DECIMALS).to_integral_value())
    contract = web3.eth.contract(address=Web3.to_checksum_address(feed_address), abi=feed().abi)
    send(web3, contract.functions.updateAnswer(answer), account)


def ensure_ether(web3: Web3, account: str, amount: int) -> None:
    """Give the account at least `amount` wei through the node itself. Raises Halt where the node will not."""
    if web3.eth.get_balance(Web3.to_checksum_address(account)) >= amount:
        return
    for method in ("anvil_setBalance", "evm_setAccountBalance"):
        if "error" not in web3.provider.make_request(RPCEndpoint(method), [account, hex(amount)]):
            return
    raise Halt("this node sets no balances: start it with more ether per account")


def mint_usdc(web3: Web3, usdc: str, account: str, to: str, amount: int) -> None:
    """`amount` units (6 decimals) of the development USDC, sent by `account` to `to`."""
    contract = web3.eth.contract(address=Web3.to_checksum_address(usdc), abi=_USDC)
    send(web3, contract.get_function_by_signature("mint(address,uint256)")(to, amount), account)


def wrap_weth(web3: Web3, weth: str, account: str, amount: int) -> None:
    """Turn `amount` wei into WETH of the same account, topped up with ether where it has less."""
    ensure_ether(web3, account, amount + ETHER_FOR_GAS)
    contract = web3.eth.contract(address=Web3.to_checksum_address(weth), abi=_WETH)
    send(web3, contract.functions.deposit(), account, amount)


def pool_price(web3: Web3, pool: str) -> Decimal:
    """USD per ETH of the pool now."""
    market = _Market.read(web3, pool)
    return pool_math.price_of(market.root(), market.base_is_token0)


def move_pool_price(
    web3: Web3, pool: str, router: str, account: str, target_price: Decimal
) -> PriceMove | None:
    """Swap until the pool stands exactly at the target; None where it stands there already.

    The arbitrageur `account` gets just the tokens that each swap takes and keeps what it receives. Where the
    way crosses other liquidity more than one swap is needed. Raises Halt where the pool has no liquidity on
    the way, ValueError where the target is no price.
    """
    market = _Market.read(web3, pool)
    target = pool_math.sqrt_price_x96(target_price, market.base_is_token0)
    before = market.root()
    if before == target:
        return None
    balances = market.balances(account)
    minted = [0, 0]
    gas = 0
    for _ in range(MAX_SWAPS):
        now = market.root()
        if now == target:
            break
        side, amount = market.next_input(now, target)
        minted[side] += market.provide(account, side, amount)
        gas += market.swap(router, account, side, amount, target)
    else:
        raise Halt(
            f"pool {pool} does not reach {target_price} USD in {MAX_SWAPS} swaps: no liquidity on the way"
        )
    change = [b - a - m for a, b, m in zip(balances, market.balances(account), minted, strict=True)]
    weth, usdc = change if market.base_is_token0 else reversed(change)
    before_usd, after_usd = (
        pool_math.price_of(root, market.base_is_token0) for root in (before, target)
    )
    return PriceMove(before_usd, after_usd, weth, usdc, gas)


@dataclass(frozen=True)
class _Market:
    """A pool with its two tokens; a side is 0 or 1 as in the pool."""

    web3: Web3
    pool: Contract
    tokens: tuple[Contract, Contract]
    base_is_token0: bool
    fee: int

    @staticmethod
    def read(web3: Web3, pool: str) -> _Market:
        contract = web3.eth.contract(address=Web3.to_checksum_address(pool), abi=_POOL)
        addresses = (contract.functions.token0().call(), contract.functions.token1().call())
        tokens = tuple(web3.eth.contract(address=address, abi=_WETH) for address in addresses)
        base_is_token0 = tokens[0].functions.decimals().call() == 18
        fee = contract.functions.fee().call()
        return _Market(web3, contract, (tokens[0], tokens[1]), base_is_token0, fee)

    def root(self) -> int:
        return int(self.pool.functions.slot0().call()[0])

    def balances(self, account: str) -> list[int]:
        return [token.functions.balanceOf(account).call() for token in self.tokens]

    def next_input(self, now: int, target: int) -> tuple[int, int]:
        """Which side goes in, and how much reaches the target at the liquidity of now."""
        liquidity = self.pool.functions.liquidity().call()
        return int(target > now), pool_math.input_to_reach(liquidity, now, target, self.fee)

    def provide(self, account: str, side: int, amount: int) -> int:
        """Mint or wrap what the account lacks; returns how much."""
        token = self.tokens[side]
        lacking = max(0, amount - int(token.functions.balanceOf(account).call()))
        if lacking and (side == 0) == self.base_is_token0:
            wrap_weth(self.web3, token.address, account, lacking)
        elif lacking:
            mint_usdc(self.web3, token.address, account, account, lacking)
        return lacking

    def swap(self, router: str, account: str, side: int, amount: int, target: int) -> int:
        """One swap that stops at the target. Returns its gas."""
        spender = Web3.to_checksum_address(router)
        token = self.tokens[side]
        if token.functions.allowance(account, spender).call() < amount:
            send(self.web3, token.functions.approve(spender, 2**256 - 1), account)
        contract = self.web3.eth.contract(address=spender, abi=_ROUTER)
        pair = (token.address, self.tokens[1 - side].address)
        order = (*pair, self.fee, account, amount, 0, target)
        return send(self.web3, contract.functions.exactInputSingle(order), account)
