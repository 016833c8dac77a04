"""AaveShortVenue: the Clearinghouse's unwind, and what governance may set."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from brownie import ZERO_ADDRESS, chain, web3
from brownie.exceptions import VirtualMachineError

from scripts.components import market
from scripts.components.uniswap import PoolSettings, create_pool
from tests.brownie_fixtures import reverts_with
from tests.contracts.venue_env import (
    PARAMETERS,
    SPOT,
    TOKEN,
    USDC,
    WAD,
    Env,
    borrow_out,
    build_short,
    deploy_short,
    send,
    wad,
)

BUY, SELL = Decimal(SPOT) * Decimal("1.02"), Decimal(SPOT) * Decimal("0.98")


@pytest.fixture(scope="module")
def env(project: Any, accounts: Any) -> Env:
    return build_short(project, accounts)


@pytest.fixture
def short(env: Env) -> Env:
    env.trade(-10 * WAD, SELL)
    return env


# ---------------------------------------------------------------- unwind


def test_unwind_closes_and_sends_everything_home(short: Env) -> None:
    chain.sleep(86400)
    chain.mine()
    gift = 3 * WAD
    market.wrap_weth(web3, short.tokens.weth, str(short.owner), gift)
    send(short, short.tokens.weth, TOKEN, "transfer", str(short.venue), gift)
    tx = short.harness.unwindVenue(short.venue, {"from": short.owner})
    assert short.venue.position() == (0, 0)
    flows, event = tx.events["Traded"], tx.events["VenueUnwound"]
    assert flows["usdcFlow"] > 0
    assert flows["wethFlow"] == gift
    assert 10 * WAD < event["base"] < 10 * WAD + 10**15
    assert -event["quote"] < event["base"] * BUY
    assert short.usdc_of(short.venue) == short.weth_of(short.venue) == 0
    again = short.unwind()
    assert (again.usdc, again.weth) == (0, 0)


def test_unwind_stops_at_its_slippage_and_goes_on_later(env: Env) -> None:
    env.trade(-150 * WAD, SPOT * Decimal("0.9"))
    env.move(SPOT * Decimal("1.005"), feed=False)
    env.unwind()
    left = env.debt()
    assert 0 < left < 150 * WAD
    average_limit = Decimal(SPOT) * Decimal("1.01")
    assert abs(env.pool_price() / (average_limit * Decimal("0.9995")) - 1) < Decimal("1e-9")
    with reverts_with("VenueLimitPriceBreached", 0, 0, wad(average_limit)):
        env.unwind()
    env.move(SPOT)
    while env.debt():
        env.unwind()
        env.move(SPOT)
    assert env.venue.position() == (0, 0)


def test_unwind_without_debt_takes_what_is_liquid(short: Env) -> None:
    borrow_out(short, 0)
    short.trade(20 * WAD, BUY)
    stuck = short.collateral()
    assert stuck > 0
    gift = 100 * USDC
    market.mint_usdc(web3, short.tokens.usdc, str(short.owner), short.aave.a_usdc, gift)
    assert short.unwind().usdc == gift
    assert short.collateral() >= stuck - gift - 1


# ---------------------------------------------------------------- governance


def test_parameters_have_hard_ranges_and_an_owner(env: Env) -> None:
    target, release, slippage = PARAMETERS
    wrong = [
        ((13 * WAD // 10 - 1, release, slippage), "targetHealth"),
        ((4 * WAD + 1, 10 * WAD, slippage), "targetHealth"),
        ((target, target + WAD // 50 - 1, slippage), "releaseHealth"),
        ((target, 10 * WAD + 1, slippage), "releaseHealth"),
        ((target, release, WAD // 1000 - 1), "unwindSlippage"),
        ((target, release, WAD // 10 + 1), "unwindSlippage"),
    ]
    for values, name in wrong:
        for attempt in (
            lambda v=values: env.venue.setParameters(v, {"from": env.owner}),
            lambda v=values: deploy_short(env, parameters=v),
        ):
            with pytest.raises(VirtualMachineError) as failure:
                attempt()
            assert failure.value.revert_msg.startswith(f"VenueParameterOutOfRange: {name}, ")
    with reverts_with("AccessManagedUnauthorized", env.stranger):
        env.venue.setParameters(PARAMETERS, {"from": env.stranger})
    assert env.venue.parameters() == PARAMETERS


def test_a_higher_target_takes_hold_at_the_next_order(short: Env) -> None:
    target = 2 * WAD
    short.venue.setParameters((target, target + WAD, WAD // 100), {"from": short.owner})
    assert short.trade(0, SPOT).usdc < 0
    assert target <= int(short.venue.health()) < target + 10**13


def test_constructor_refuses_strangers(env: Env) -> None:
    odd = env.project.MockHookToken.deploy(6, {"from": env.owner})
    wrong = [
        ("VenueZeroAddress", {"clearinghouse": ZERO_ADDRESS}),
        ("VenuePoolTokensUnexpected", {"usdc": odd}),
        ("VenueDecimalsUnexpected", {"usdc": env.tokens.weth, "weth": env.tokens.usdc}),
        ("MarketUnknown", {"underlying": 2}),
    ]
    for error, changes in wrong:
        with reverts_with(error):
            deploy_short(env, **changes)


def test_constructor_refuses_a_market_without_the_reserve(env: Env) -> None:
    other = env.project.MockHookToken.deploy(6, {"from": env.owner})
    tokens = replace(env.tokens, usdc=other.address)
    settings = PoolSettings(SPOT * 10**8, WAD, 3000, range_factor=2.0)
    made = create_pool(env.runner, env.uniswap, tokens, settings, str(env.owner))
    with reverts_with("VenueReserveUnknown", other):
        deploy_short(env, usdc=other, pool=made)
