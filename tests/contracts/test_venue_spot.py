"""UniswapSpotVenue on a real pool, in both orders of the tokens."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from brownie import ZERO_ADDRESS, web3

from scripts.components import market, node, pool_math
from scripts.components.uniswap import PoolSettings, create_pool
from tests.brownie_fixtures import reverts_with, rolled_back
from tests.contracts.venue_env import (
    FEE,
    MAX_UINT,
    PRICE_SCALE,
    SPOT,
    UNDERLYING,
    USDC,
    WAD,
    Env,
    build_market,
    build_spot,
    swap_abi,
    wad,
)

MAX_GAS = 130_000  # of a whole trade through the harness; the swap alone is about 106,000
LOOSE_BUY, LOOSE_SELL = SPOT * 2, SPOT // 2


@pytest.fixture(scope="module", params=[True, False], ids=["weth0", "usdc0"])
def env(project: Any, accounts: Any, request: Any) -> Env:
    built = build_spot(project, accounts, base_is_token0=request.param)
    assert (built.tokens.weth.lower() < built.tokens.usdc.lower()) is request.param
    return built


def quoted(env: Env, base: int) -> int:
    """USDC units that the pool's liquidity alone gives for a small trade, by the white paper's formulas."""
    token0 = env.tokens.weth.lower() < env.tokens.usdc.lower()
    liquidity = node.read(web3, env.pool, swap_abi(), "liquidity")
    root = node.read(web3, env.pool, swap_abi(), "slot0")[0]
    price = pool_math.price_of(root, token0)
    # Virtual reserves: x WETH, y USDC with x y constant.
    x = Decimal(liquidity) / (price / 10**12).sqrt()
    y = Decimal(liquidity) * (price / 10**12).sqrt()
    keep = Decimal(1) - Decimal(FEE) / 10**6
    if base > 0:
        return int((y * base / (x - base)) / keep)
    sold = -base * keep
    return int(y * sold / (x + sold))


def assert_empty(env: Env) -> None:
    assert env.usdc_of(env.venue) == 0
    assert env.weth_of(env.venue) == 0
    assert env.venue.position() == (0, 0)
    assert env.venue.health() == MAX_UINT


@pytest.mark.parametrize("base", [WAD // 100, 10 * WAD, 250 * WAD + 1])
def test_buys_the_whole_size_to_the_wei(env: Env, base: int) -> None:
    usdc, weth = env.usdc_of(env.harness), env.weth_of(env.harness)
    fill = env.trade(base, LOOSE_BUY)
    assert fill.base == base == fill.weth == env.weth_of(env.harness) - weth
    assert fill.quote == fill.usdc * 10**12
    assert fill.usdc == env.usdc_of(env.harness) - usdc
    assert 0 <= -fill.usdc - quoted_before(env, fill) <= 3
    assert_empty(env)


def quoted_before(env: Env, fill: Any) -> int:
    """The same trade quoted after undoing it."""
    with rolled_back():
        env.move(SPOT, feed=False)
        return quoted(env, fill.base)


@pytest.mark.parametrize("base", [-WAD // 100, -10 * WAD, -250 * WAD - 1])
def test_sells_the_whole_size_to_the_wei(env: Env, base: int) -> None:
    fill = env.trade(base, LOOSE_SELL)
    assert fill.base == base == fill.weth
    assert fill.quote == fill.usdc * 10**12
    assert fill.usdc > 0
    assert 0 <= quoted_before(env, fill) - fill.usdc <= 3
    assert_empty(env)


def test_requires_what_a_fill_at_the_limit_costs(env: Env) -> None:
    base = 3 * WAD + 7
    assert env.required(base, SPOT) == (-(-base * SPOT * WAD // PRICE_SCALE), 0)
    assert env.required(-base, SPOT) == (0, base)


@pytest.mark.parametrize("side", [1, -1])
def test_stops_where_the_next_wei_would_pass_the_limit(env: Env, side: int) -> None:
    limit = Decimal(SPOT) * (1 + side * Decimal("0.01"))
    fill = env.trade(side * 1000 * WAD, limit)
    assert 0 < abs(fill.base) < 1000 * WAD
    average = Decimal(abs(fill.quote)) / abs(fill.base)
    assert average < limit if side > 0 else average > limit
    keep = 1 - Decimal(FEE) / 10**6
    marginal = env.pool_price() / keep if side > 0 else env.pool_price() * keep
    assert abs(marginal / limit - 1) < Decimal("1e-9")
    assert fill.weth == fill.base
    assert fill.usdc * 10**12 == fill.quote
    assert_empty(env)


@pytest.mark.parametrize("side", [1, -1])
def test_refuses_a_limit_inside_the_fee(env: Env, side: int) -> None:
    limit = Decimal(SPOT) * (1 + side * Decimal("0.0004"))
    with reverts_with("VenueLimitPriceBreached", 0, 0, wad(limit)):
        env.trade(side * WAD, limit)


def test_refuses_a_fill_that_rounding_pushes_past_the_limit(env: Env) -> None:
    # One wei costs two units of USDC, which is far more than 4000 USD per ETH.
    market.mint_usdc(web3, env.tokens.usdc, str(env.owner), str(env.venue), 10)
    with reverts_with("VenueLimitPriceBreached", 1, -2 * 10**12, wad(LOOSE_BUY)):
        env.trade(1, LOOSE_BUY)


def test_selling_without_a_limit_and_buying_at_none(env: Env) -> None:
    assert env.trade(-WAD, 0).base == -WAD
    with reverts_with("VenueLimitPriceBreached", 0, 0, 0):
        env.trade(WAD, 0)


def test_refuses_nothing_and_the_absurd(env: Env) -> None:
    for call in (env.trade, env.required):
        with reverts_with("VenueNothingToTrade", 0):
            call(0, SPOT)
        for base in (10**30 + 1, -(10**30) - 1, 2**255 - 1, -(2**255)):
            with reverts_with("VenueBaseOutOfRange", base, 10**30):
                call(base, SPOT)
        with reverts_with("VenuePriceOutOfRange", 10**30 + WAD, 10**30):
            call(WAD, 10**12 + 1)


def test_only_the_clearinghouse_trades_and_unwinds(env: Env) -> None:
    with reverts_with("VenueOnlyClearinghouse", env.stranger):
        env.venue.trade(WAD, wad(SPOT), b"", {"from": env.stranger})
    with reverts_with("VenueOnlyClearinghouse", env.stranger):
        env.venue.unwind({"from": env.stranger})


def test_the_callback_answers_the_pool_alone(env: Env, project: Any) -> None:
    env.harness.execute(  # tokens lie in the venue while an attacker calls
        env.tokens.usdc, transfer_data(env.venue, 5 * USDC), {"from": env.owner}
    )
    for caller in (env.stranger, env.owner):
        with reverts_with("VenueOnlyPool", caller):
            env.venue.uniswapV3SwapCallback(1, 5 * USDC, b"", {"from": caller})
    data = env.venue.uniswapV3SwapCallback.encode_input(5 * USDC, 5 * USDC, b"")
    with reverts_with("VenueOnlyPool", env.harness):
        env.harness.execute(env.venue, data, {"from": env.stranger})
    # A genuine pool of the same tokens, of the same factory, is still another pool.
    settings = PoolSettings(SPOT * 10**8, 10 * WAD, 3000, range_factor=2.0)
    other = create_pool(env.runner, env.uniswap, env.tokens, settings, str(env.owner))
    forger = replace(env, venue=None, pool=other)
    assert forger.pool != env.pool
    with reverts_with("VenueOnlyPool", other):
        market.ensure_ether(web3, other, WAD)
        env.venue.uniswapV3SwapCallback(
            1, 5 * USDC, b"", {"from": env.accounts.at(other, force=True)}
        )
    assert env.usdc_of(env.venue) == 5 * USDC


def transfer_data(to: Any, amount: int) -> str:
    return "0xa9059cbb" + str(to)[2:].lower().rjust(64, "0") + f"{amount:064x}"


def test_a_swap_by_another_cannot_make_the_venue_pay(env: Env) -> None:
    """The pool calls back who called it, so naming the venue as recipient moves nothing out of it."""
    env.harness.execute(env.tokens.usdc, transfer_data(env.venue, USDC), {"from": env.owner})
    pool = web3.eth.contract(address=env.pool, abi=swap_abi())
    data = pool.encode_abi("swap", [str(env.venue), True, 10**6, 4295128740, b""])
    with reverts_with("FailedCall"):
        env.harness.execute(env.pool, data, {"from": env.stranger})
    assert env.usdc_of(env.venue) == USDC


def test_stray_tokens_go_home_and_are_in_no_figure(env: Env) -> None:
    gift = 7 * USDC
    market.mint_usdc(web3, env.tokens.usdc, str(env.owner), str(env.venue), gift)
    fill = env.trade(WAD, LOOSE_BUY)
    assert fill.usdc * 10**12 == fill.quote + gift * 10**12
    market.mint_usdc(web3, env.tokens.usdc, str(env.owner), str(env.venue), gift)
    assert env.unwind().usdc == gift
    assert_empty(env)


def test_a_clearinghouse_that_sends_too_little_gets_no_fill(env: Env) -> None:
    data = env.venue.trade.encode_input(WAD, wad(LOOSE_BUY), b"")
    before = env.pool_price()
    with reverts_with("ERC20: transfer amount exceeds balance"):
        env.harness.execute(env.venue, data, {"from": env.owner})
    assert env.pool_price() == before


def test_constructor_checks_pool_tokens_and_decimals(env: Env, project: Any) -> None:
    tokens, owner = env.tokens, {"from": env.owner}
    deploy = project.UniswapSpotVenue.deploy
    odd = project.MockHookToken.deploy(6, owner)
    with reverts_with("VenueZeroAddress"):
        deploy(ZERO_ADDRESS, env.pool, tokens.usdc, tokens.weth, UNDERLYING, owner)
    for usdc, weth in ((odd, tokens.weth), (tokens.usdc, odd), (tokens.usdc, tokens.usdc)):
        with reverts_with("VenuePoolTokensUnexpected"):
            deploy(env.harness, env.pool, usdc, weth, UNDERLYING, owner)
    with reverts_with("VenueDecimalsUnexpected", tokens.weth, 6, 18):
        deploy(env.harness, env.pool, tokens.weth, tokens.usdc, UNDERLYING, owner)


def test_gas(env: Env) -> None:
    for side in (WAD, -WAD, WAD):  # the first swap each way sets the pool's fee counters up
        env.trade(side, LOOSE_BUY if side > 0 else LOOSE_SELL)
    buy, sell = env.trade(WAD, LOOSE_BUY), env.trade(-WAD, LOOSE_SELL)
    print(f"gas of a trade with transfers and transaction: buy {buy.gas}, sell {sell.gas}")
    assert max(buy.gas, sell.gas) < MAX_GAS


def test_hostile_token_cannot_reenter(project: Any, accounts: Any) -> None:
    plain = build_market(project, accounts)
    hook = project.MockHookToken.deploy(6, {"from": accounts[0]})
    env = replace(plain, tokens=replace(plain.tokens, usdc=hook.address))
    settings = PoolSettings(SPOT * 10**8, 100 * WAD, 3000, range_factor=2.0)
    pool = create_pool(env.runner, env.uniswap, env.tokens, settings, str(accounts[0]))
    harness = project.VenueHarness.deploy(hook, env.tokens.weth, {"from": accounts[0]})
    args = (harness, pool, hook, env.tokens.weth, UNDERLYING)
    venue = project.UniswapSpotVenue.deploy(*args, {"from": accounts[0]})
    env = replace(env, pool=pool, harness=harness, venue=venue)
    env.fund(10**6 * USDC, 10 * WAD)
    attacks = [
        (venue.trade.encode_input(-WAD, 0, b""), "VenueOnlyClearinghouse(address)"),
        (venue.unwind.encode_input(), "VenueOnlyClearinghouse(address)"),
        (venue.uniswapV3SwapCallback.encode_input(1, 1, b""), "VenueOnlyPool(address)"),
    ]
    for data, error in attacks:
        hook.arm(venue, data, {"from": accounts[0]})
        tx = harness.tradeOnVenue(venue, -WAD, 0, b"", {"from": accounts[0]})
        selector = "0x" + web3.keccak(text=error)[:4].hex().removeprefix("0x")
        hooked = tx.events["Hooked"]
        assert len(hooked) >= 1
        assert {str(entry["selector"]) for entry in hooked} == {selector}
        assert not any(entry["success"] for entry in hooked)
        assert tx.events["Traded"]["filledBase"] == -WAD
