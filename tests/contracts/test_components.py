"""The development components: steps run once, the market mover, and errors that say what to do."""

import random
from decimal import Decimal
from typing import Any

import pytest
from brownie import web3

from keeper.errors import ConfigError, Halt
from scripts.components import market, node, pool_math
from scripts.components.aave import AaveSettings, deploy_aave
from scripts.components.artifacts import AAVE, packaged
from scripts.components.runner import DirectRunner
from scripts.components.tokens import deploy_tokens
from scripts.components.uniswap import PoolSettings, create_pool, deploy_uniswap
from tests.contracts.venue_env import FEE, SPOT, WAD, Env, build_market, swap_abi

POOL = packaged(AAVE, "protocol/pool/Pool").abi


@pytest.fixture(scope="module", params=[True, False], ids=["weth0", "usdc0"])
def env(project: Any, accounts: Any, request: Any) -> Env:
    return build_market(project, accounts, base_is_token0=request.param)


def test_a_second_run_of_all_steps_sends_nothing(project: Any, accounts: Any) -> None:
    owner = str(accounts[0])
    runner = DirectRunner(web3, owner)
    settings = PoolSettings(SPOT * 10**8, 10 * WAD, FEE, range_factor=2.0, observations=5)

    def everything() -> tuple[Any, ...]:
        tokens = deploy_tokens(runner, SPOT * 10**8)
        uniswap = deploy_uniswap(runner, tokens)
        pool = create_pool(runner, uniswap, tokens, settings, owner)
        return tokens, uniswap, pool, deploy_aave(runner, tokens, AaveSettings(WAD, 10**6), owner)

    first = everything()
    sent, nonce = dict(runner.gas_used), web3.eth.get_transaction_count(owner)
    assert everything() == first
    assert runner.gas_used == sent
    assert web3.eth.get_transaction_count(owner) == nonce
    assert len(sent) <= 50
    assert max(sent.values()) < 6_000_000


def test_aave_prices_and_terms_are_ours(project: Any, accounts: Any) -> None:
    runner = DirectRunner(web3, str(accounts[0]))
    tokens = deploy_tokens(runner, SPOT * 10**8)
    aave = deploy_aave(runner, tokens, AaveSettings(5 * WAD), str(accounts[0]))
    oracle = packaged(AAVE, "misc/AaveOracle").abi
    assert runner.read(aave.oracle, oracle, "getAssetPrice", [tokens.weth]) == SPOT * 10**8
    assert runner.read(aave.oracle, oracle, "getAssetPrice", [tokens.usdc]) == 10**8
    word = runner.read(aave.pool, POOL, "getConfiguration", [tokens.usdc])[0]
    assert (word & 0xFFFF, word >> 16 & 0xFFFF, word >> 32 & 0xFFFF) == (8000, 8500, 10500)
    assert node.read(web3, tokens.weth, token_abi(), "balanceOf", [aave.a_weth]) == 5 * WAD


def token_abi() -> Any:
    return packaged(AAVE, "dependencies/weth/WETH9").abi


def test_pool_starts_at_its_price_with_its_liquidity(env: Env) -> None:
    assert abs(env.pool_price() / SPOT - 1) < Decimal("1e-15")
    slot0 = node.read(web3, env.pool, swap_abi(), "slot0")
    assert slot0[4] == 20
    held = env.weth_of(env.pool)
    assert 0 <= 4000 * WAD - held < 10**6
    # From price / 4 to price x 4 both sides are worth the same.
    assert abs(Decimal(env.usdc_of(env.pool)) * 10**12 / held / SPOT - 1) < Decimal("0.002")


def test_mover_reaches_every_price_and_pays_for_it_itself(env: Env) -> None:
    rng = random.Random(7)
    price = Decimal(SPOT)
    for _ in range(12):
        price *= Decimal(str(round(rng.uniform(0.85, 1.17), 9)))
        before = env.weth_of(env.pool), env.usdc_of(env.pool)
        move = market.move_pool_price(web3, env.pool, env.uniswap.router, env.arbitrageur, price)
        assert move is not None
        assert abs(env.pool_price() / price - 1) < Decimal("1e-15")
        assert move.weth_change == before[0] - env.weth_of(env.pool)
        assert move.usdc_change == before[1] - env.usdc_of(env.pool)
        assert (move.weth_change > 0) == (move.price_after > move.price_before)
        assert (
            market.move_pool_price(web3, env.pool, env.uniswap.router, env.arbitrageur, price)
            is None
        )


def test_mover_halts_beyond_the_liquidity_and_finds_back(env: Env) -> None:
    for price in (Decimal(SPOT) / 5, Decimal(SPOT) * 5):
        with pytest.raises(Halt, match="supply a wider range"):
            market.move_pool_price(web3, env.pool, env.uniswap.router, env.arbitrageur, price)
        env.move(SPOT)
        assert abs(env.pool_price() / SPOT - 1) < Decimal("1e-15")


@pytest.mark.parametrize("price", ["0", "-1", "NaN", "Infinity"])
def test_mover_refuses_what_is_no_price(env: Env, price: str) -> None:
    before = env.pool_price()
    with pytest.raises(ValueError, match="not a positive number"):
        market.move_pool_price(web3, env.pool, env.uniswap.router, env.arbitrageur, Decimal(price))
    assert env.pool_price() == before


def test_feed_round_is_the_price_to_eight_decimals(env: Env) -> None:
    market.push_round(web3, env.tokens.weth_feed, str(env.owner), Decimal("194.123456785"))
    feed = env.project.MockV3Aggregator.at(env.tokens.weth_feed)
    assert feed.latestRoundData()[1] == 19412345678
    assert feed.latestRoundData()[0] == 2


def test_range_factor_must_widen() -> None:
    for factor in (1.0, 0.5, float("nan")):
        with pytest.raises(ValueError, match="must be above 1"):
            pool_math.tick_range(pool_math.Q96, factor, 10)
    assert pool_math.tick_range(pool_math.Q96, None, 10) == (-887270, 887270)


def test_tick_prices_match_the_white_paper() -> None:
    assert pool_math.sqrt_price_at_tick(0) == pool_math.Q96
    # First and last of TickMath, which rounds up from a 128-bit product.
    assert abs(pool_math.sqrt_price_at_tick(pool_math.MIN_TICK) - 4295128739) <= 1
    top = 1461446703485210103287273052203988822378723970342
    assert abs(pool_math.sqrt_price_at_tick(pool_math.MAX_TICK) / top - 1) < 1e-15


def test_missing_package_and_reverting_steps_say_so(env: Env) -> None:
    with pytest.raises(ConfigError, match="missing"):
        packaged(AAVE, "protocol/pool/Puddle")
    runner = DirectRunner(web3, str(env.stranger))
    with pytest.raises(Halt, match=r"step x .*transfer amount exceeds balance"):
        runner.call("x", env.tokens.usdc, token_abi(), "transfer", [str(env.owner), 1])
    assert "x" not in runner.gas_used
