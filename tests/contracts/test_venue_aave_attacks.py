"""AaveShortVenue under hostile callers, gifts and a strained Aave."""

import random
from decimal import Decimal
from typing import Any

import pytest
from brownie import chain, web3
from brownie.exceptions import VirtualMachineError

from scripts.components import market, node
from scripts.components.artifacts import AAVE, packaged
from tests.brownie_fixtures import reverts_with
from tests.contracts.venue_env import (
    AAVE_POOL,
    PARAMETERS,
    SPOT,
    TOKEN,
    USDC,
    WAD,
    Env,
    borrow_out,
    build_short,
    send,
    wad,
)

BUY, SELL = Decimal(SPOT) * Decimal("1.02"), Decimal(SPOT) * Decimal("0.98")
CONFIGURATOR = packaged(AAVE, "protocol/pool/PoolConfigurator").abi
INTEREST_OF_BLOCKS = 10**12


@pytest.fixture(scope="module")
def env(project: Any, accounts: Any) -> Env:
    return build_short(project, accounts)


@pytest.fixture
def short(env: Env) -> Env:
    env.trade(-10 * WAD, SELL)
    return env


# ---------------------------------------------------------------- callers


def test_only_the_clearinghouse_trades_and_unwinds(short: Env) -> None:
    for call in (
        lambda who: short.venue.trade(WAD, wad(BUY), b"", {"from": who}),
        lambda who: short.venue.unwind({"from": who}),
    ):
        for who in (short.stranger, short.owner):
            with reverts_with("VenueOnlyClearinghouse", who):
                call(who)


def test_a_forged_callback_borrows_and_releases_nothing(short: Env) -> None:
    """With decoded data an attacker would choose the loan's figures, so the pool alone may call."""
    data = "0x" + "00" * 160
    debt, collateral = short.debt(), short.collateral()
    for deltas in ((WAD, -SPOT * USDC), (-WAD, SPOT * USDC)):
        with reverts_with("VenueOnlyPool", short.stranger):
            short.venue.uniswapV3SwapCallback(*deltas, data, {"from": short.stranger})
        forged = short.venue.uniswapV3SwapCallback.encode_input(*deltas, data)
        with reverts_with("VenueOnlyPool", short.harness):
            short.harness.execute(short.venue, forged, {"from": short.stranger})
    assert 0 <= short.debt() - debt < INTEREST_OF_BLOCKS
    assert 0 <= short.collateral() - collateral <= 1


def test_a_clearinghouse_that_sends_no_margin_gets_no_sale(env: Env) -> None:
    data = env.venue.trade.encode_input(-10 * WAD, wad(SELL), b"")
    with pytest.raises(VirtualMachineError) as failure:
        env.harness.execute(env.venue, data, {"from": env.owner})
    error, _, values = failure.value.revert_msg.partition(": ")
    health, floor = (int(value) for value in values.split(", "))
    assert error == "VenueUnhealthy"
    # The proceeds alone, less fee and slippage, give the liquidation threshold of 0.85.
    assert 0.84 < health / WAD < 0.85
    assert floor == PARAMETERS[0]
    assert env.venue.position() == (0, 0)


def test_a_buy_without_a_short_is_refused_early(env: Env) -> None:
    for call in (env.trade, env.required):
        with reverts_with("VenueNothingToTrade", WAD):
            call(WAD, BUY)


def test_absurd_orders_are_refused(short: Env) -> None:
    for call in (short.trade, short.required):
        for base in (10**30 + 1, -(2**255)):
            with reverts_with("VenueBaseOutOfRange", base, 10**30):
                call(base, SPOT)
        with reverts_with("VenuePriceOutOfRange"):
            call(WAD, 10**12 + 1)


# ---------------------------------------------------------------- gifts and poison


def test_debt_repaid_by_another_is_a_gift(short: Env) -> None:
    owner = str(short.owner)
    market.wrap_weth(web3, short.tokens.weth, owner, WAD)
    send(short, short.tokens.weth, TOKEN, "approve", short.aave.pool, WAD)
    send(short, short.aave.pool, AAVE_POOL, "repay", short.tokens.weth, WAD, 2, str(short.venue))
    assert 9 * WAD <= short.debt() < 9 * WAD + 10**12
    short.trade(20 * WAD, BUY)
    assert short.venue.position() == (0, 0)


def test_foreign_collateral_whose_terms_drop_to_zero_can_be_thrown_out(short: Env) -> None:
    owner = str(short.owner)
    market.wrap_weth(web3, short.tokens.weth, owner, WAD)
    send(short, short.tokens.weth, TOKEN, "approve", short.aave.pool, WAD)
    send(short, short.aave.pool, AAVE_POOL, "supply", short.tokens.weth, WAD, str(short.venue), 0)
    args = (short.tokens.weth, 0, 8250, 10500)
    send(short, short.aave.configurator, CONFIGURATOR, "configureReserveAsCollateral", *args)
    with reverts_with("57"):  # Aave: LTV_VALIDATION_FAILED
        short.trade(WAD, BUY)
    with reverts_with("VenueCollateralInUse", short.tokens.usdc):
        short.venue.dropForeignCollateral(short.tokens.usdc, {"from": short.stranger})
    short.venue.dropForeignCollateral(short.tokens.weth, {"from": short.stranger})
    assert short.trade(WAD, BUY).base == WAD
    assert short.trade(20 * WAD, BUY).base > 0
    assert short.venue.position() == (0, 0)


# ---------------------------------------------------------------- Aave short of USDC, or paused


def test_what_aave_cannot_pay_out_is_asked_of_the_clearinghouse(short: Env) -> None:
    leave = 500 * USDC
    borrow_out(short, leave)
    asked, _ = short.required(WAD, BUY)
    assert asked == int(WAD * BUY / 10**12) - leave
    fill = short.trade(WAD, BUY)
    assert fill.base == WAD
    assert -asked <= fill.usdc < 0
    close = short.trade(20 * WAD, BUY)
    assert close.base > 8 * WAD
    assert short.debt() == 0
    assert short.collateral() > 0


def test_a_buy_goes_on_while_usdc_is_paused(short: Env) -> None:
    send(short, short.aave.configurator, CONFIGURATOR, "setReservePause", short.tokens.usdc, True)
    before = short.venue.position()
    assert before[0] < 0 < before[1]
    assert short.required(WAD, BUY)[0] == int(WAD * BUY / 10**12)
    assert short.trade(WAD, BUY).base == WAD
    send(short, short.aave.configurator, CONFIGURATOR, "setReservePause", short.tokens.weth, True)
    assert short.venue.position()[0] > before[0]
    assert int(short.venue.health()) > PARAMETERS[0]
    with reverts_with("29"):  # Aave: RESERVE_PAUSED
        short.trade(WAD, BUY)


def test_a_short_buy_that_cash_does_not_cover_changes_nothing(short: Env) -> None:
    borrow_out(short, 0)
    data = short.venue.trade.encode_input(WAD, wad(BUY), b"")
    with reverts_with("VenueCollateralLocked"):
        short.harness.execute(short.venue, data, {"from": short.owner})


def test_no_rounding_of_grown_balances_ends_under_the_target(env: Env) -> None:
    """With both indices off one, Aave's balances lose up to a unit at each step."""
    borrow_out(env, 1_000_000 * USDC)
    env.trade(-WAD, SELL)
    chain.sleep(86400 * 365)
    chain.mine()
    market.push_round(web3, env.tokens.weth_feed, str(env.owner), Decimal(SPOT))
    rng = random.Random(11)
    env.trade(0, SPOT)
    for _ in range(25):
        side = rng.choice((-1, -1, 1))
        size = rng.randrange(1, 10 ** rng.randrange(15, 19))
        env.trade(side * size, SPOT * 2 if side > 0 else SPOT // 2)
        assert int(env.venue.health()) >= PARAMETERS[0]


def test_a_dear_buy_takes_no_more_than_its_share_of_the_collateral(short: Env) -> None:
    """The pool far above the oracle: collateral pays pro rata, cash the rest, and the health does not fall."""
    short.move(SPOT * Decimal("1.4"))
    short.move(SPOT * 2, feed=False)
    before = int(short.venue.health())
    limit = SPOT * Decimal("2.1")
    asked, _ = short.required(WAD, limit)
    share = short.collateral() * WAD // short.debt()
    assert asked == pytest.approx(int(WAD * limit / 10**12) - share, abs=2)
    assert asked > 0
    assert short.trade(WAD, limit).base == WAD
    assert int(short.venue.health()) >= before


def test_usdc_that_counts_for_nothing_any_more_bars_sales_and_is_paid_in_cash(short: Env) -> None:
    word = node.read(web3, short.aave.pool, AAVE_POOL, "getConfiguration", [short.tokens.usdc])[0]
    market.ensure_ether(web3, short.aave.configurator, WAD)
    short.accounts.at(short.aave.configurator, force=True)
    unset = word & ~0xFFFFFFFF  # loan-to-value and liquidation threshold
    args = (short.tokens.usdc, (unset,))
    send(short, short.aave.pool, AAVE_POOL, "setConfiguration", *args, by=short.aave.configurator)
    assert short.required(-WAD, SELL)[0] > 10**30
    assert short.required(WAD, BUY)[0] == int(WAD * BUY / 10**12)
    assert short.required(20 * WAD, BUY)[0] == 0
    assert short.trade(20 * WAD, BUY).base >= 10 * WAD
    assert short.venue.position() == (0, 0)
