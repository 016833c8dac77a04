"""Two pools of different fees on a real chain: deployed, known to the keeper, and a hedge split over both."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from keeper.chain.deployment import Venue
from keeper.chain.node_answers import log_of
from keeper.models import VenueKind
from scripts.components.market import pool_price
from scripts.deployment.development import FeeTier
from scripts.replay.chain import Target, events
from tests.e2e.desk import GWEI, SPOT_USD, LiveDesk, live_desk

# 1 % of the price is 25 ETH in either: 16 ETH through one alone cost more at the margin than the other's fee.
WETH, FEES = 5_000, (0.0005, 0.003)


@pytest.fixture(scope="module")
def module_desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveDesk]:
    tiers = (FeeTier(fee=3_000, weth=WETH),)
    with live_desk(tmp_path_factory.mktemp("tiers"), pool_weth=WETH, more_pools=tiers) as desk:
        yield desk


def spot_venues(desk: LiveDesk) -> list[Venue]:
    return [v for v in desk.world.deployment.venues if v.kind is VenueKind.UNISWAP_SPOT]


def test_the_record_names_every_tier(module_desk: LiveDesk) -> None:
    world = module_desk.world
    spot = spot_venues(module_desk)
    assert [v.fee for v in spot] == list(FEES)
    assert len(world.pools) == 2
    for venue, pool in zip(spot, world.pools, strict=True):
        adapter = Target.own("UniswapSpotVenue", venue.address)
        assert world.chain.read(adapter, "pool") == pool


def test_a_hedge_goes_through_both_at_one_marginal_price(module_desk: LiveDesk) -> None:
    desk = module_desk
    before = desk.delta_eth()
    assert before < -10.0
    # At once, however much it moves the pools, and with gas so cheap that a second swap pays.
    desk.chain.set_base_fee(GWEI // 10)
    whole = "[slicing]\nmax_steps = 1\n"
    result = desk.run("once", "--live", "--block-time", more=whole)
    assert "outcome: mined_success" in result.output, result.output
    (call,) = desk.keeper_transactions()
    receipt = desk.chain.rpc(
        "eth_getTransactionReceipt", "0x" + call["hash"].hex().removeprefix("0x")
    )
    logs = [log_of(raw) for raw in receipt["logs"]]
    filled = events(desk.world.contracts.hedger, "OrderFilled", logs)
    bought = {fill["venue"]: fill["filledBase"] / 1e18 for fill in filled}
    cheap, dear = (v.address.lower() for v in spot_venues(desk))
    assert bought[cheap] > bought[dear] > 0.1
    assert abs(desk.delta_eth()) < abs(before)
    # Where it stopped, the next ETH costs the same in either: price after, plus fee.
    after = [float(pool_price(desk.chain.web3, pool)) for pool in desk.world.pools]
    marginal = [price / (1.0 - fee) for price, fee in zip(after, FEES, strict=True)]
    assert marginal[0] == pytest.approx(marginal[1], rel=2e-4)
    assert min(after) > SPOT_USD
