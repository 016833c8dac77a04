"""The keeper on a real Perpetual Curie: its ticks open, grow, shrink and close a short, and read what it costs."""

from __future__ import annotations

import math
from collections.abc import Iterator

import pytest

from keeper.chain.deployment import Venue
from keeper.chain.node_answers import log_of
from keeper.chain.reader import SnapshotReader
from keeper.execution.orders import build_batch
from keeper.execution.routing_terms import OrderRules
from keeper.models import Snapshot, VenueKind, VenueState
from keeper.units import SECONDS_PER_YEAR, WAD
from scripts.components.artifacts import CURIE, packaged
from scripts.components.market import pool_price
from scripts.replay.chain import Target, events
from scripts.replay.scenario import Wish
from scripts.replay.world import DEPLOYER
from tests.e2e.desk import EXPIRY_S, GWEI, SPOT_USD, LiveDesk, live_desk, undone

HOUR_S, MINUTES_S = 3_600, 600
PERP_WETH, PERP_FEE, MAINTENANCE = 20_000, 0.003, 0.0625
# 1 % of the price is one ETH here: a short on Aave sells through this pool, and two are not to be had in it.
POOL_WETH = 200
WHOLE = "[slicing]\nmax_steps = 1\n"  # at once, however far it moves the pools
TICK = 1e-4  # Curie's mean price is that of a whole tick


@pytest.fixture(scope="module")
def deployed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveDesk]:
    folder = tmp_path_factory.mktemp("perpetual")
    with live_desk(folder, pool_weth=POOL_WETH, perp_weth=PERP_WETH) as desk:
        desk.takers.close_all()
        yield desk


@pytest.fixture
def desk(deployed: LiveDesk) -> Iterator[LiveDesk]:
    """No options and no hedge; the journal starts empty."""
    with undone(deployed):
        yield deployed
    deployed.chain.set_base_fee(20 * GWEI)


def perp_entry(desk: LiveDesk) -> Venue:
    (entry,) = (v for v in desk.world.deployment.venues if v.kind is VenueKind.PERP_SHORT)
    return entry


def adapter(desk: LiveDesk) -> Target:
    return Target.own("CuriePerpVenue", perp_entry(desk).address)


def curie(desk: LiveDesk, name: str, view: str) -> Target:
    """The contract of Curie's that the adapter names by a view."""
    return Target(name, desk.chain.read(adapter(desk), view), packaged(CURIE, name).abi)


def position(desk: LiveDesk) -> tuple[int, int]:
    """WAD ETH and WAD USD, as the contract says."""
    base, quote = desk.chain.read(adapter(desk), "position")
    return base, quote


def seen(desk: LiveDesk) -> Snapshot:
    """As the keeper reads the chain now."""
    world = desk.world
    return SnapshotReader(desk.chain.client, world.deployment, world.keeper).snapshot()


def perp_of(snapshot: Snapshot) -> VenueState:
    (venue,) = (v for v in snapshot.venues if v.kind is VenueKind.PERP_SHORT)
    return venue


def sell_puts(desk: LiveDesk, eth: float) -> None:
    """The vault is short so many puts more: its delta grows by about half of that."""
    wish = Wish("buyer", False, 1.0, eth)
    desk.takers.fulfil((wish,), EXPIRY_S, SPOT_USD, desk.operators.strikes)


def hedge(desk: LiveDesk) -> dict[str, float]:
    """One tick of the keeper; ETH filled by kind of venue."""
    result = desk.run("once", "--live", "--block-time", more=WHOLE)
    assert "outcome: mined_success" in result.output, result.output
    lines = dict(line.split(": ", 1) for line in result.stdout.splitlines() if ": " in line)
    assert float(lines["delta_own_eth"]) == pytest.approx(float(lines["delta_chain_eth"]), abs=2e-6)
    mined = desk.keeper_transactions()[-1]["hash"].hex().removeprefix("0x")
    receipt = desk.chain.rpc("eth_getTransactionReceipt", "0x" + mined)
    logs = [log_of(raw) for raw in receipt["logs"]]
    kinds = {v.address.lower(): v.kind.value for v in desk.world.deployment.venues}
    fills = events(desk.world.contracts.hedger, "OrderFilled", logs)
    return {kinds[fill["venue"]]: fill["filledBase"] / WAD for fill in fills}


def hours_pass(desk: LiveDesk, hours: int, spot_usd: float = SPOT_USD) -> list[Snapshot]:
    """A round of the feed each hour; at its end the maker settles, which writes the market's funding down."""
    house, maker = curie(desk, "ClearingHouse", "perp"), desk.chain.account(DEPLOYER)
    found = []
    for _ in range(hours):
        desk.world.push_round(spot_usd)
        desk.pass_s(HOUR_S)
        desk.chain.send(maker, house, "settleAllFunding", maker)
        found.append(seen(desk))
    return found


def test_the_deployment_has_a_market_and_its_fee(deployed: LiveDesk) -> None:
    world, entry = deployed.world, perp_entry(deployed)
    assert entry.fee == PERP_FEE
    assert entry.address in deployed.chain.read(world.contracts.clearing, "venues")
    assert deployed.chain.read(adapter(deployed), "perp") == world.external["curie_clearing_house"]
    assert deployed.chain.read(adapter(deployed), "baseToken") == world.external["perp_base_token"]
    cap = deployed.chain.read(world.contracts.hedger, "venueCap", entry.address)
    assert cap == world.parameters.hedge.venue_cap_eth * WAD
    snapshot = seen(deployed)
    (depth,) = (d for d in snapshot.depths if d.address == perp_of(snapshot).pool)
    # Between a quarter of the price and four times it, either half of the maker's position is L / sqrt(p) / 2.
    assert depth.price_usd == pytest.approx(SPOT_USD, rel=1e-6)
    assert depth.bands[0].liquidity == pytest.approx(
        2 * PERP_WETH * math.sqrt(SPOT_USD), rel=TICK * 60
    )


def test_where_the_pools_are_thin_a_hedge_goes_to_the_perpetual(desk: LiveDesk) -> None:
    sell_puts(desk, 21.0)
    before, due = seen(desk), desk.delta_eth()
    assert due > 9.0
    planned = build_batch(-due, before, OrderRules(0.05, None))
    filled = hedge(desk)
    assert filled == {"perp_short": pytest.approx(-due, abs=1e-4)}
    after, (base, quote) = seen(desk), position(desk)
    perp = perp_of(after)
    assert (perp.base_wad, perp.quote_usd) == (base, quote / WAD)
    # Nothing else is held, so that what the keeper reads is the whole delta of the hedge.
    assert after.chain_delta_eth == desk.delta_eth()
    assert abs(after.chain_delta_eth) < 1e-3
    # What it lost is the fee and the impact that the router expected of the pool's depth.
    lost = before.equity_usd - after.equity_usd
    assert lost == pytest.approx(planned.cost_usd, rel=0.01, abs=0.1)
    assert lost > PERP_FEE * due * SPOT_USD
    # Margin at the venue's target, out of the vault's cash, and health as Curie counts it.
    notional = -perp.base_eth * SPOT_USD
    assert perp.collateral_usd(SPOT_USD) == pytest.approx(0.5 * notional, rel=0.02)
    spent = before.cash_usd - after.cash_usd
    assert perp.collateral_usd(SPOT_USD) == pytest.approx(spent - lost, abs=0.1)
    assert perp.health == pytest.approx(perp.collateral_usd(SPOT_USD) / (MAINTENANCE * notional))
    status = desk.run("status", "--block-time").output
    assert "perp_short" in status
    assert f"{perp.base_eth:+.6f} ETH" in status


def test_with_cheap_gas_both_shorts_end_at_one_marginal_price(desk: LiveDesk) -> None:
    sell_puts(desk, 40.0)
    desk.chain.set_base_fee(GWEI // 10)
    desk.pass_s(1)
    before = seen(desk)
    filled = hedge(desk)
    assert filled["perp_short"] < filled["aave_short"] < -0.2
    rules, web3 = OrderRules(0.05, None), desk.chain.web3
    years = rules.holding_s / SECONDS_PER_YEAR
    ends = []
    for venue, pool in (
        (before.venues[1], float(pool_price(web3, desk.world.pool))),
        (
            perp_of(before),
            next(d.price_usd for d in seen(desk).depths if d.bands[0].liquidity > 1e5),
        ),
    ):
        carry = venue.fee + (venue.carry_rate + rules.cash_rate * venue.collateral_ratio) * years
        ends.append(pool * (1.0 - venue.fee) * (1.0 - carry))
    assert ends[0] == pytest.approx(ends[1], rel=5e-4)


def test_funding_is_paid_while_the_mark_is_below_the_index_and_earned_above(desk: LiveDesk) -> None:
    sell_puts(desk, 21.0)
    hedge(desk)
    start = perp_of(seen(desk))
    assert start.carry_rate > 0.0
    quotes = [start.quote_usd, *(perp_of(s).quote_usd for s in hours_pass(desk, 6))]
    assert quotes == sorted(quotes, reverse=True)
    # As much as the rate that the router counts with says, to one tick of Curie's mean price.
    notional, day = -start.base_eth * SPOT_USD, 24 * HOUR_S
    expected = start.carry_rate * 6 * HOUR_S / SECONDS_PER_YEAR
    assert (quotes[0] - quotes[-1]) / notional == pytest.approx(expected, abs=TICK / 4)
    # All of it is pending: nobody traded for the vault, and the hour that no one settled counts too.
    desk.pass_s(HOUR_S)
    exchange, at = curie(desk, "Exchange", "exchange"), perp_entry(desk).address
    owed = desk.chain.read(exchange, "getAllPendingFundingPayment", at) / WAD
    later = perp_of(seen(desk))
    assert start.quote_usd - later.quote_usd == pytest.approx(owed)
    assert owed > quotes[0] - quotes[-1]
    assert later.base_wad == start.base_wad
    assert later.health < start.health
    # The index falls by 1 % and nobody trades: each day pays a short what the mark is above it.
    first, *_, last = (perp_of(s) for s in hours_pass(desk, 5, SPOT_USD * 0.99))
    assert first.carry_rate == pytest.approx(-0.01 * 365, rel=0.15)
    earned = (last.quote_usd - first.quote_usd) / (notional * 0.99)
    expected = -first.carry_rate * 4 * HOUR_S / SECONDS_PER_YEAR
    assert earned == pytest.approx(expected, abs=TICK * 4 * HOUR_S / day)


def test_it_grows_shrinks_and_a_later_tick_closes_it_to_the_wei(desk: LiveDesk) -> None:
    before = seen(desk)
    for eth in (21.0, 22.0):
        sell_puts(desk, eth)
        assert set(hedge(desk)) == {"perp_short"}
        desk.pass_s(MINUTES_S)
    # A part of a small split on top of a large position: the sum is mostly no double, and a close by one left wei.
    desk.chain.set_base_fee(GWEI // 10)
    desk.pass_s(MINUTES_S)
    sell_puts(desk, 9.0)
    assert set(hedge(desk)) == {"perp_short", "aave_short"}
    desk.pass_s(MINUTES_S)
    grown = position(desk)[0]
    assert grown < -20 * WAD
    sell_puts(desk, -9.5)
    assert hedge(desk)["perp_short"] > 2.0
    shrunk, _ = position(desk)
    assert grown < shrunk < -20 * WAD
    desk.pass_s(MINUTES_S)
    desk.takers.close_all()
    assert hedge(desk)["perp_short"] == -shrunk / WAD
    assert position(desk) == (0, 0)
    after = seen(desk)
    assert math.isinf(perp_of(after).health)
    assert abs(after.chain_delta_eth) < 1e-3
    assert after.cash_usd == pytest.approx(after.equity_usd, abs=0.5)
    assert after.equity_usd > before.equity_usd - 4 * PERP_FEE * 26.0 * SPOT_USD
    assert "outcome: nothing" in desk.tick().output
    assert "5 mined_success" in desk.run("status", "--block-time").output
    assert "6 decisions taken again, 0 differ" in desk.run("replay").output
