"""AaveShortVenue on a real pool and Aave market: flows, sizing, health, interest and closing."""

from decimal import Decimal
from typing import Any

import pytest
from brownie import chain, web3

from scripts.components import market, node
from scripts.components.artifacts import AAVE, packaged
from tests.brownie_fixtures import reverts_with
from tests.contracts.venue_env import (
    FEE,
    LIQUIDATION_THRESHOLD,
    MAX_UINT,
    SPOT,
    TARGET_HEALTH,
    USDC,
    WAD,
    Env,
    build_short,
    wad,
)

BUY, SELL = Decimal(SPOT) * Decimal("1.02"), Decimal(SPOT) * Decimal("0.98")

INTEREST_OF_BLOCKS = 10**12


@pytest.fixture(scope="module", params=[True, False], ids=["weth0", "usdc0"])
def env(project: Any, accounts: Any, request: Any) -> Env:
    return build_short(project, accounts, base_is_token0=request.param)


def needed(debt: int, price: Decimal | int, health: Decimal = TARGET_HEALTH) -> Decimal:
    """USDC units of collateral for a health."""
    return Decimal(debt) * Decimal(price) * health / LIQUIDATION_THRESHOLD / 10**12


def assert_clean(env: Env) -> None:
    """Nothing lies in the venue, nobody may take anything from it."""
    assert env.usdc_of(env.venue) == 0
    assert env.weth_of(env.venue) == 0
    for token in (env.tokens.usdc, env.tokens.weth):
        for spender in (env.aave.pool, env.pool):
            assert env.allowance(token, spender) == 0


def assert_at_target(env: Env) -> None:
    health = Decimal(int(env.venue.health())) / WAD
    assert TARGET_HEALTH <= health < TARGET_HEALTH + Decimal("1e-6")


def scaled_balance(token: str, who: Any) -> int:
    abi = packaged(AAVE, "protocol/tokenization/AToken").abi
    return int(node.read(web3, token, abi, "scaledBalanceOf", [str(who)]))


def test_starts_empty(env: Env) -> None:
    assert env.venue.position() == (0, 0)
    assert env.venue.health() == MAX_UINT
    assert env.venue.underlying() == 1


@pytest.mark.parametrize("size", [WAD // 50, 10 * WAD, 70 * WAD + 1])
def test_sale_borrows_sells_and_ends_at_the_target(env: Env, size: int) -> None:
    asked, _ = env.required(-size, SELL)
    fill = env.trade(-size, SELL)
    proceeds = fill.quote // 10**12
    assert fill.base == -size
    assert size <= env.debt() <= size + 1
    assert -1 <= env.collateral() - (proceeds - fill.usdc) <= 1
    assert 0 <= env.collateral() - needed(size, SPOT) <= 4
    assert fill.weth == 0
    assert 0 < -fill.usdc <= asked
    # What was asked for and not needed is the difference between the limit and the fill.
    assert abs(asked + fill.usdc - (proceeds - int(size * SELL / 10**12))) <= 4
    assert_at_target(env)
    assert_clean(env)


def test_margin_of_a_sale_is_the_target_less_the_proceeds(env: Env) -> None:
    fill = env.trade(-10 * WAD, SELL)
    share = Decimal(-fill.usdc) * 10**12 / fill.quote
    assert share == pytest.approx(TARGET_HEALTH / LIQUIDATION_THRESHOLD - 1, abs=Decimal("0.01"))


def test_buy_repays_first_and_sends_what_is_over_the_target_home(env: Env) -> None:
    env.trade(-10 * WAD, SELL)
    collateral = env.collateral()
    assert env.required(4 * WAD, BUY) == (0, 0)
    fill = env.trade(4 * WAD, BUY)
    assert fill.base == 4 * WAD
    assert 6 * WAD <= env.debt() < 6 * WAD + INTEREST_OF_BLOCKS
    assert fill.usdc > 0
    assert fill.weth == 0
    cost = -fill.quote // 10**12
    assert -3 <= collateral - env.collateral() - cost - fill.usdc <= 3
    assert_at_target(env)
    assert_clean(env)


@pytest.mark.parametrize("over", [0, 1, 5 * WAD])
def test_buying_the_debt_or_more_closes_to_nothing(env: Env, over: int) -> None:
    env.trade(-10 * WAD, SELL)
    chain.sleep(86400 * 30)
    chain.mine()
    fill = env.trade(10 * WAD + over + WAD // 10, BUY)
    assert 10 * WAD < fill.base < 10 * WAD + WAD // 10
    assert env.venue.position() == (0, 0)
    assert env.venue.health() == MAX_UINT
    assert scaled_balance(env.aave.a_usdc, env.venue) == 0
    assert scaled_balance(env.aave.debt_weth, env.venue) == 0
    assert fill.usdc > 0
    assert_clean(env)


def test_round_trip_costs_the_fee_and_no_more(env: Env) -> None:
    before = env.usdc_of(env.harness)
    env.trade(-10 * WAD, SELL)
    env.trade(10 * WAD + WAD // 1000, BUY)
    lost = Decimal(before - env.usdc_of(env.harness)) / USDC
    fees = 2 * 10 * SPOT * Decimal(FEE) / 10**6
    assert fees * Decimal("0.99") < lost < fees * Decimal("1.01")


@pytest.mark.parametrize("side", [1, -1])
def test_partial_fill_at_the_limit_keeps_the_target(env: Env, side: int) -> None:
    env.trade(-200 * WAD, SPOT * Decimal("0.8"))
    env.move(SPOT)
    limit = Decimal(SPOT) * (1 + side * Decimal("0.005"))
    debt = env.debt()
    fill = env.trade(side * 150 * WAD, limit)
    assert 0 < abs(fill.base) < 150 * WAD
    assert abs(env.debt() - debt + fill.base) <= 2 + debt // 10**9
    average = Decimal(abs(fill.quote)) / abs(fill.base)
    assert average < limit if side > 0 else average > limit
    assert_at_target(env)
    assert_clean(env)


def test_limit_inside_the_fee_is_refused_and_changes_nothing(env: Env) -> None:
    env.trade(-WAD, SELL)
    for side, limit in ((-1, Decimal(SPOT)), (1, Decimal(SPOT))):
        cash, debt = env.usdc_of(env.harness), env.debt()
        with reverts_with("VenueLimitPriceBreached", 0, 0, wad(limit)):
            env.trade(side * WAD, limit)
        assert env.usdc_of(env.harness) == cash
        assert 0 <= env.debt() - debt < INTEREST_OF_BLOCKS


@pytest.mark.parametrize("factor", ["0.8", "0.95", "1.05", "1.2"])
def test_size_zero_restores_the_target_after_a_move(env: Env, factor: str) -> None:
    env.trade(-10 * WAD, SELL)
    price = SPOT * Decimal(factor)
    env.move(price)
    asked, weth = env.required(0, price)
    health = Decimal(int(env.venue.health())) / WAD
    assert abs(health * Decimal(factor) - TARGET_HEALTH) < Decimal("1e-6")
    fill = env.trade(0, price)
    assert (fill.base, fill.quote, fill.weth, weth) == (0, 0, 0, 0)
    if factor == "0.95":  # 1.684 is under the release health of 1.8
        assert (fill.usdc, asked) == (0, 0)
        assert Decimal(int(env.venue.health())) / WAD > Decimal("1.68")
        return
    assert fill.usdc == -asked if health < TARGET_HEALTH else fill.usdc > asked == 0
    assert_at_target(env)
    assert_clean(env)


def test_size_zero_without_debt_brings_collateral_home(env: Env) -> None:
    gift_collateral(env, 1000 * USDC)
    assert env.collateral() == 1000 * USDC
    assert env.trade(0, SPOT).usdc == 1000 * USDC
    assert env.venue.position() == (0, 0)


def gift_collateral(env: Env, amount: int) -> None:
    """Anybody may supply on behalf of the venue."""
    owner = str(env.owner)
    market.mint_usdc(web3, env.tokens.usdc, owner, owner, amount)
    token = packaged(AAVE, "mocks/tokens/MintableERC20").abi
    node.send(web3, owner, env.tokens.usdc, token, "approve", [env.aave.pool, amount])
    pool = packaged(AAVE, "protocol/pool/Pool").abi
    args = [env.tokens.usdc, amount, str(env.venue), 0]
    node.send(web3, owner, env.aave.pool, pool, "supply", args)


def test_sale_uses_what_is_already_there(env: Env) -> None:
    gift_collateral(env, 100_000 * USDC)
    assert env.required(-10 * WAD, SELL) == (0, 0)
    fill = env.trade(-10 * WAD, SELL)
    assert fill.usdc == fill.quote // 10**12
    assert Decimal(int(env.venue.health())) / WAD > TARGET_HEALTH


@pytest.mark.parametrize("factor", ["1.3", "1.45"])
def test_buy_under_the_target_asks_for_nothing_and_lifts_the_health(env: Env, factor: str) -> None:
    env.trade(-10 * WAD, SELL)
    price = SPOT * Decimal(factor)
    env.move(price)
    before = int(env.venue.health())
    assert before < TARGET_HEALTH * WAD
    limit = price * Decimal("1.01")
    assert env.required(WAD, limit) == (0, 0)
    fill = env.trade(WAD, limit)
    assert fill.usdc == 0
    assert before < int(env.venue.health()) < TARGET_HEALTH * WAD
    assert_clean(env)


@pytest.mark.parametrize("factor", ["1.55", "1.62"])
def test_near_liquidation_cash_pays_but_a_full_close_needs_none(env: Env, factor: str) -> None:
    env.trade(-10 * WAD, SELL)
    price = SPOT * Decimal(factor)
    env.move(price)
    before = int(env.venue.health())
    assert before < Decimal("1.05") * WAD
    limit = price * Decimal("1.01")
    small, _ = env.required(WAD // 10, limit)
    assert small == -(-(WAD // 10) * wad(limit) // 10**30)
    assert env.required(env.debt() * 2, limit)[0] == 0
    fill = env.trade(WAD // 10, limit)
    assert fill.base == WAD // 10
    assert int(env.venue.health()) > before
    env.trade(20 * WAD, limit)
    assert env.venue.position() == (0, 0)


def test_interest_accrues_on_both_sides(env: Env) -> None:
    env.trade(-50 * WAD, SELL)
    debt, collateral = env.debt(), env.collateral()
    chain.sleep(86400 * 365)
    chain.mine()
    assert debt < env.debt() < debt * Decimal("1.01")
    assert env.collateral() >= collateral
    market.push_round(web3, env.tokens.weth_feed, str(env.owner), Decimal(SPOT))
    assert int(env.venue.health()) < TARGET_HEALTH * WAD
    assert env.trade(0, SPOT).usdc < 0
    assert_at_target(env)


def test_sizes_on_the_dearer_of_both_oracles(env: Env) -> None:
    """Aave liquidates by its own price, so a sale must stand up to that one too."""
    artifact = packaged(AAVE, "misc/AaveOracle")
    for price, collateral_price in ((2100, 2100), (1900, SPOT)):
        feed = env.project.MockV3Aggregator.deploy(8, price * 10**8, {"from": env.owner})
        args = [[env.tokens.weth], [feed.address]]
        node.send(web3, str(env.owner), env.aave.oracle, artifact.abi, "setAssetSources", args)
        size = 10 * WAD
        fill = env.trade(-size, SELL)
        assert fill.base == -size
        assert 0 <= env.collateral() - needed(env.debt(), collateral_price) <= 4
        assert int(env.venue.health()) >= TARGET_HEALTH * WAD
        env.trade(2 * size, BUY)
        env.move(SPOT)


def test_gas(env: Env) -> None:
    env.trade(-10 * WAD, SELL)
    sale, buy, restore = env.trade(-WAD, SELL), env.trade(WAD, BUY), env.trade(0, SPOT)
    close = env.trade(20 * WAD, BUY)
    print(
        f"gas: borrow and sell {sale.gas}, buy and repay {buy.gas}, size 0 {restore.gas}, close {close.gas}"
    )
    assert sale.gas < 700_000
    assert buy.gas < 600_000
    assert close.gas < 600_000
