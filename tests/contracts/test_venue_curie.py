"""The perpetual at Perpetual Curie's own contracts: opening, funding, margin, closing, and what it refuses."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import pytest
from brownie import chain, web3

from scripts.components import market
from scripts.components.curie import Curie, deploy_curie, provide
from tests.brownie_fixtures import reverts_with
from tests.contracts.venue_env import (
    SPOT,
    UNDERLYING,
    USDC,
    WAD,
    Env,
    Fill,
    build_market,
    fill_of,
    register_oracle,
    wad,
)

HOUR_S = 3600
TARGET, RELEASE = WAD // 2, 8 * WAD // 10
PARAMETERS = (TARGET, RELEASE, WAD // 50)


@dataclass(frozen=True)
class Perp:
    env: Env
    curie: Curie
    venue: Any
    manager: Any

    def trade(self, eth: float, limit: float | None = None) -> Fill:
        edge = limit or SPOT * (1.02 if eth > 0 else 0.98)
        args = (self.venue, round(eth * WAD), wad(Decimal(str(edge))), b"")
        return fill_of(self.env.harness.tradeOnVenue(*args, {"from": self.env.owner}))

    def position(self) -> tuple[float, float]:
        base, quote = self.venue.position()
        return base / WAD, quote / WAD

    def worth(self, price: float = SPOT) -> float:
        base, quote = self.position()
        return base * price + quote

    def margin(self) -> float:
        """Worth over notional at spot."""
        return self.worth() / abs(self.position()[0] * SPOT)


@pytest.fixture(scope="module")
def perp(project: Any, accounts: Any) -> Perp:
    """A maker has 2,000 ETH and its worth of virtual USD in the market; two hours of prices are known."""
    env = build_market(project, accounts)
    manager = project.AccessManager.deploy(accounts[0], {"from": accounts[0]})
    oracle = register_oracle(env, manager)
    tokens = env.tokens
    curie = deploy_curie(env.runner, tokens, tokens.weth_feed, env.uniswap.factory, SPOT * 10**8)
    for _ in range(3):
        chain.sleep(HOUR_S)
        market.push_round(web3, tokens.weth_feed, str(accounts[0]), Decimal(SPOT))
    provide(env.runner, curie, tokens, str(accounts[0]), SPOT * 10**8, 2_000 * WAD)
    venue = project.CuriePerpVenue.deploy(
        manager, env.harness, oracle, curie.clearing_house, curie.base, tokens.usdc, UNDERLYING,
        PARAMETERS, {"from": accounts[0]},
    )  # fmt: skip
    env.fund(1_000_000 * USDC, 0)
    return Perp(env, curie, venue, manager)


def test_a_short_brings_its_margin_and_costs_the_fee(perp: Perp) -> None:
    fill = perp.trade(-10)
    base, quote = perp.position()
    assert fill.base == -10 * WAD
    assert base == -10
    # 0.3 % of 20,000 USD, and the impact on 2,000 ETH either side.
    assert 20_000 * 0.99 < quote - -fill.usdc / USDC < 20_000 * 0.997
    assert perp.margin() >= TARGET / WAD
    assert perp.margin() == pytest.approx(TARGET / WAD, abs=0.02)
    assert perp.env.usdc_of(perp.venue) == 0


def test_it_grows_shrinks_and_closes(perp: Perp) -> None:
    start = perp.env.usdc_of(perp.env.harness)
    perp.trade(-10)
    perp.trade(-5)
    assert perp.position()[0] == -15
    fill = perp.trade(5)
    assert fill.base == 5 * WAD
    perp.trade(10)
    assert perp.position() == (0, pytest.approx(0, abs=1e-5))
    # Four fees of 0.3 % and the impact that comes back.
    spent = (start - perp.env.usdc_of(perp.env.harness)) / USDC
    assert spent == pytest.approx(4 * 15_000 * 0.003, rel=0.1)


def test_long_too(perp: Perp) -> None:
    fill = perp.trade(8)
    assert (fill.base, perp.position()[0]) == (8 * WAD, 8)
    assert perp.margin() >= TARGET / WAD
    threshold, penalty = perp.venue.liquidation()
    assert threshold == WAD - 625 * 10**14
    assert penalty == 25 * 10**15
    perp.trade(-8)
    assert perp.position()[0] == 0


def test_funding_accrues_and_counts(perp: Perp) -> None:
    """The market's mark is below its index, so a short pays: `position` says so before anything settles it."""
    perp.trade(-60, limit=SPOT * 0.9)
    before = perp.position()
    for _ in range(6):
        chain.sleep(HOUR_S)
        market.push_round(web3, perp.env.tokens.weth_feed, str(perp.env.owner), Decimal(SPOT))
    chain.mine()
    base, quote = perp.position()
    assert base == before[0]
    paid = before[1] - quote
    assert paid > 0
    # At most a tenth of the notional a day (Curie's cap).
    assert paid < 0.1 * 60 * SPOT * 7 / 24
    worth = perp.worth()
    perp.trade(0)  # settles
    assert perp.worth() == pytest.approx(worth, rel=1e-3)


def test_margin_is_restored_and_released(perp: Perp) -> None:
    perp.trade(-10)
    market.push_round(web3, perp.env.tokens.weth_feed, str(perp.env.owner), Decimal(SPOT) * 11 / 10)
    price = SPOT * 1.1
    assert perp.worth(price) / (10 * price) < TARGET / WAD
    assert perp.trade(0).usdc < 0
    assert perp.worth(price) / (10 * price) >= TARGET / WAD
    market.push_round(web3, perp.env.tokens.weth_feed, str(perp.env.owner), Decimal(SPOT) * 8 / 10)
    low = SPOT * 0.8
    home = perp.trade(0).usdc
    assert (home > 0) == (perp.worth(low) / (10 * low) < RELEASE / WAD)


def test_health_is_worth_over_maintenance_margin(perp: Perp) -> None:
    assert perp.venue.health() == 2**256 - 1
    perp.trade(-10)
    first = perp.venue.health() / WAD
    assert first == pytest.approx(0.5 / 0.0625, rel=0.05)
    market.push_round(web3, perp.env.tokens.weth_feed, str(perp.env.owner), Decimal(SPOT) * 12 / 10)
    worth = perp.worth(SPOT * 1.2)
    expected = worth / (10 * SPOT * 1.2 * 0.0625)
    assert perp.venue.health() / WAD == pytest.approx(expected, rel=1e-6)
    threshold, _ = perp.venue.liquidation()
    _, quote = perp.position()
    trigger = quote * threshold / WAD / 10  # where the engine counts it as liquidated
    worth_there = quote - 10 * trigger
    assert worth_there == pytest.approx(10 * trigger * 0.0625, rel=1e-9)


def test_unwind_brings_everything_home(perp: Perp) -> None:
    start = perp.env.usdc_of(perp.env.harness)
    perp.trade(-10)
    fill_of(perp.env.harness.unwindVenue(perp.venue, {"from": perp.env.owner}))
    assert perp.position() == (0, pytest.approx(0, abs=1e-5))
    lost = (start - perp.env.usdc_of(perp.env.harness)) / USDC
    assert 0 < lost < 2 * 20_000 * 0.004


def test_a_price_beyond_the_limit(perp: Perp) -> None:
    with reverts_with("VenueLimitPriceBreached"):
        perp.trade(-10, limit=SPOT * 0.998)
    with reverts_with("VenueLimitPriceBreached"):
        perp.trade(10, limit=SPOT * 1.002)


def test_only_the_clearinghouse(perp: Perp) -> None:
    by = {"from": perp.env.stranger}
    for call in ((perp.venue.trade, (-WAD, 1, b"")), (perp.venue.unwind, ())):
        with reverts_with("VenueOnlyClearinghouse", perp.env.stranger):
            call[0].call(*call[1], by)
    with reverts_with("AccessManagedUnauthorized"):
        perp.venue.setParameters.call(PARAMETERS, by)


def test_bad_numbers(perp: Perp) -> None:
    for base, limit, error in (
        (10**30 + 1, WAD, "VenueBaseOutOfRange"),
        (-(10**30) - 1, WAD, "VenueBaseOutOfRange"),
        (WAD, 10**30 + 1, "VenuePriceOutOfRange"),
    ):
        with reverts_with(error):
            perp.venue.required(base, limit, b"")
    for place, number in ((0, WAD // 10), (1, TARGET), (2, WAD // 2)):
        bad = list(PARAMETERS)
        bad[place] = number
        with reverts_with("PerpParameterOutOfRange"):
            perp.venue.setParameters.call(bad, {"from": perp.env.owner})
