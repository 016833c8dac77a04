"""The protocols that the desk stands on, deployed on a development chain from their own packages."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from decimal import Decimal
from typing import Annotated, Any

from pydantic import Field

from keeper.errors import Halt
from scripts.components.aave import AaveSettings, deploy_aave
from scripts.components.curie import MARK_WINDOW_S, Curie, deploy_curie, provide
from scripts.components.safe import deploy_safe
from scripts.components.tokens import FEED_DECIMALS, Tokens, deploy_tokens
from scripts.components.uniswap import PoolSettings, Uniswap, create_pool, deploy_uniswap
from scripts.deployment.artifacts import own
from scripts.deployment.configuration import Section
from scripts.deployment.delivery import DeploymentError, read_contract
from scripts.deployment.engine import StepRunner
from scripts.deployment.external_abi import POOL
from scripts.deployment.networks import GUARDIAN_THRESHOLD, Expected, External
from scripts.deployment.rpc import Rpc, RpcError

WEI = 10**18


class FeeTier(Section):
    """A further pool beside the first: its fee in 1e-6 of a trade, and its liquidity, everywhere."""

    fee: Annotated[int, Field(gt=0)]
    weth: Annotated[int, Field(gt=0)]


class Market(Section):
    """The market that a development chain starts with; liquidity belongs to the deployer.

    `pool_range_factor` bounds the pool's liquidity to price / factor .. price x factor, None for everywhere.
    `perp_weth` is the liquidity on either side of a perpetual on Curie, None for no such market.
    """

    price_usd: Annotated[Decimal, Field(gt=0, lt=10**7)] = Decimal(200)
    pool_weth: Annotated[int, Field(gt=0)] = 2_000
    pool_fee: Annotated[int, Field(gt=0)] = 500
    pool_range_factor: Annotated[float, Field(gt=1)] | None = None
    more_pools: tuple[FeeTier, ...] = ()
    lendable_weth: Annotated[int, Field(gt=0)] = 2_000
    perp_weth: Annotated[int, Field(gt=0)] | None = None


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What is there now. `addresses` has everything, for the record."""

    external: External
    expected: Expected
    addresses: dict[str, str]


def deploy_surroundings(run: StepRunner, market: Market) -> Surroundings:
    """Tokens, feeds, Uniswap with a pool, Aave with reserves, Multicall3; Curie with a market where one is wanted."""
    price_e8 = int(market.price_usd.scaleb(FEED_DECIMALS))
    tokens = deploy_tokens(run, price_e8)
    uniswap = deploy_uniswap(run, tokens)
    settings = PoolSettings(
        price_e8=price_e8,
        weth_amount=market.pool_weth * WEI,
        fee=market.pool_fee,
        range_factor=market.pool_range_factor,
    )
    pool = create_pool(run, uniswap, tokens, settings, run.sender)
    further = tuple(
        create_pool(
            run, uniswap, tokens, PoolSettings(price_e8, tier.weth * WEI, tier.fee), run.sender
        )
        for tier in market.more_pools
    )
    aave = deploy_aave(run, tokens, AaveSettings(market.lendable_weth * WEI), run.sender)
    multicall = run.deploy("multicall3", own("Multicall3"))
    curie = None
    if market.perp_weth is not None:
        curie = _perpetual(run, tokens, uniswap, price_e8, market.perp_weth * WEI)
    external = External(
        usdc=tokens.usdc,
        weth=tokens.weth,
        feed=tokens.weth_feed,
        usdc_feed=tokens.usdc_feed,
        uniswap_pool=pool,
        more_uniswap_pools=further,
        aave_pool=aave.pool,
        perp_clearing_house=curie and curie.clearing_house,
        perp_base_token=curie and curie.base,
        multicall3=multicall,
    )
    addresses: dict[str, Any] = dict(external.addresses())
    addresses |= {f"uniswap_{name}": value for name, value in asdict(uniswap).items()}
    addresses |= {f"aave_{name}": value for name, value in asdict(aave).items()}
    if curie is not None:
        addresses |= {f"curie_{name}": value for name, value in asdict(curie).items()}
    return Surroundings(external, Expected(uniswap_fee=market.pool_fee), addresses)


def _perpetual(run: StepRunner, tokens: Tokens, uniswap: Uniswap, price_e8: int, eth: int) -> Curie:
    """Curie's market, and a maker in it once its pool is old enough."""
    curie = deploy_curie(run, tokens, tokens.weth_feed, uniswap.factory, price_e8)
    if not run.records.record.complete:
        age_pool(run.rpc, curie.pool, MARK_WINDOW_S)
    provide(run, curie, tokens, run.sender, price_e8, eth)
    return curie


def deploy_guardian(run: StepRunner, owners: Sequence[str]) -> str:
    """A Safe of which two owners have to sign."""
    return deploy_safe(run, "guardian", owners, GUARDIAN_THRESHOLD)


def age_pool(rpc: Rpc, pool: str, window_s: int) -> None:
    """Let time pass until the pool has a mean price over the window: whoever relies on one wants it from the start."""
    for _ in range(2):
        try:
            read_contract(rpc, pool, POOL, "observe", [[window_s, 0]])
            return
        except DeploymentError:
            try:
                rpc("evm_increaseTime", window_s)
                rpc("evm_mine")
            except RpcError as error:
                raise Halt(
                    f"{rpc.where} cannot move time, so it is no development chain: {error}"
                ) from None
    raise Halt(f"the pool {pool} has no mean price over {window_s} s although time has passed")
