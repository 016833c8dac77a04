"""Any sequence of trades leaves the value of cash and position together, up to the cost of the fills."""

from decimal import Decimal
from typing import Any

import pytest
from brownie.exceptions import VirtualMachineError
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.brownie_fixtures import rolled_back
from tests.contracts.venue_env import (
    PARAMETERS,
    SPOT,
    USDC,
    WAD,
    Env,
    Fill,
    build_short,
    build_spot,
)

TICK = Decimal("0.000002")  # USDC units lost to rounding by pool, Aave and venue, per action
INTEREST = Decimal("0.01")  # USD a short of 300 ETH gathers in the blocks of one example
SLIPPAGE = Decimal("0.006")  # met by about half of the larger sizes, which then fill in part
EXPECTED = {"VenueLimitPriceBreached", "VenueNothingToTrade"}

sizes = st.integers(min_value=-40 * 10**6, max_value=40 * 10**6).map(
    lambda micro: micro * 10**12 + micro
)
moves = st.sampled_from(["1", "1", "1", "0.97", "1.04", "0.85", "1.15"])
sequences = st.lists(st.tuples(sizes, moves), min_size=1, max_size=8)
few = settings(
    max_examples=25,
    deadline=None,
    derandomize=True,
    suppress_health_check=list(HealthCheck),
)


@pytest.fixture(scope="module")
def short(project: Any, accounts: Any) -> Env:
    return build_short(project, accounts)


@pytest.fixture(scope="module")
def spot(project: Any, accounts: Any) -> Env:
    return build_spot(project, accounts)


def value(env: Env, price: Decimal) -> Decimal:
    """USD of the harness's tokens and the venue's position at a price."""
    base, quote = (Decimal(int(part)) / WAD for part in env.venue.position())
    cash = Decimal(env.usdc_of(env.harness)) / USDC
    return cash + quote + (base + Decimal(env.weth_of(env.harness)) / WAD) * price


def attempt(env: Env, size: int, limit: Decimal) -> Fill | None:
    """The fill, or None where the venue had nothing to do within the limit."""
    try:
        return env.trade(size, limit)
    except VirtualMachineError as failure:
        if (failure.revert_msg or "").partition(":")[0] in EXPECTED:
            return None
        raise


def check_trade(env: Env, size: int, price: Decimal) -> None:
    """One trade against a pool that stands at `price`: its loss is between nothing and the limit."""
    limit = price * (1 + SLIPPAGE if size >= 0 else 1 - SLIPPAGE)
    before = value(env, price)
    fill = attempt(env, size, limit)
    if fill is None:
        assert abs(value(env, price) - before) < INTEREST
        return
    filled = Decimal(abs(fill.base)) / WAD
    loss = before - value(env, price)
    assert loss >= filled * price * Decimal("0.00049") - TICK - INTEREST
    assert loss <= filled * price * SLIPPAGE + TICK + INTEREST
    assert abs(fill.base) <= abs(size)
    assert fill.base * size >= 0
    assert env.usdc_of(env.venue) == env.weth_of(env.venue) == 0


@few
@given(sequence=sequences)
def test_spot_keeps_value(spot: Env, sequence: list[tuple[int, str]]) -> None:
    with rolled_back():
        price = Decimal(SPOT)
        for size, move in sequence:
            price *= Decimal(move)
            spot.move(price)
            check_trade(spot, size, price)


@few
@given(sequence=sequences)
def test_short_keeps_value_and_health(short: Env, sequence: list[tuple[int, str]]) -> None:
    with rolled_back():
        price = Decimal(SPOT)
        for size, move in sequence:
            price *= Decimal(move)
            short.move(price)
            debt, before = short.debt(), int(short.venue.health())
            check_trade(short, size, price)
            after = int(short.venue.health())
            sold = short.debt() > debt * 1000001 // 1000000
            assert after >= (
                PARAMETERS[0] if sold or size == 0 else min(PARAMETERS[0], before) - 10**10
            )
        if short.debt():
            short.move(price)
            short.trade(1000 * WAD, price * 2)
        assert short.venue.position()[0] == 0
