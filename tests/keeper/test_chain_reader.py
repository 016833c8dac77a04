"""One snapshot: one block, one multicall, in the units that the models promise."""

from __future__ import annotations

import json
import math

import pytest

from keeper.chain.bindings import binding
from keeper.chain.client import NodeClient
from keeper.chain.deployment import Deployment
from keeper.chain.reader import SnapshotReader, keeper_on_chain
from keeper.errors import Halt, Retry, SkipTick
from keeper.models import OracleState, VenueKind
from keeper.units import GWEI, WAD, encode_series
from tests.keeper.fake_chain import (
    ADDRESSES,
    POOL,
    SHORT_VENUE,
    SLICE_WORD,
    FakeChain,
    error_data,
    write_record,
)
from tests.keeper.keeper_builders import FAR_S, NEAR_S, NOW_S

KEEPER = "0x" + "ee" * 20


@pytest.fixture
def chain():
    return FakeChain(KEEPER)


@pytest.fixture
def reader(chain, tmp_path):
    deployment = Deployment.load(write_record(tmp_path / "31337.json", chain))
    return SnapshotReader(NodeClient(chain, "fake node", attempts=1), deployment, KEEPER)


def test_every_field(reader, chain):
    chain.mine(base_fee=33 * GWEI)
    snapshot = reader.snapshot()
    assert (snapshot.block_number, snapshot.block_hash) == (1, chain.head.hash)
    assert (snapshot.timestamp_s, snapshot.base_fee_wei) == (NOW_S + 12, 33 * GWEI)
    assert (snapshot.chain_id, snapshot.underlying) == (31_337, 1)
    assert (snapshot.spot_usd, snapshot.spot_updated_at_s) == (190.0, NOW_S - 60)
    assert (snapshot.oracle_state, snapshot.pool_price_usd) == (OracleState.FRESH, 190.0)
    assert snapshot.surface_committed_at_s == NOW_S
    assert (snapshot.cash_usd, snapshot.base_eth, snapshot.equity_usd) == (50_000.0, 2.0, 49_000.0)
    assert snapshot.chain_delta_eth == -7.0
    assert (snapshot.keeper_balance_wei, snapshot.keeper_nonce) == (10 * WAD, 0)
    assert snapshot.settlement_prices_usd == ()


def test_legs_slices_venues_and_rules(reader):
    snapshot = reader.snapshot()
    (leg,) = snapshot.legs
    assert (leg.expiry_s, leg.strike_usd, leg.is_call, leg.size) == (FAR_S, 200.0, True, -10.0)
    (slice_,) = snapshot.slices
    assert (slice_.a, slice_.b, slice_.sigma) == pytest.approx((0.001, 0.002, 0.1), abs=1e-12)
    assert (slice_.rho, slice_.m, slice_.carry) == pytest.approx((-0.3, 0.0, 0.01), abs=1e-12)
    assert (slice_.expiry_s, slice_.committed_at_s) == (FAR_S, NOW_S)
    spot, short = snapshot.venues
    assert (spot.kind, spot.health) == (VenueKind.UNISWAP_SPOT, math.inf)
    assert (short.base_eth, short.quote_usd, short.health, short.fee) == (-3.0, 900.0, 1.8, 0.0005)
    rules = snapshot.rules
    assert (rules.band_eth, rules.min_reduction, rules.max_slippage) == (5.0, 0.5, 0.01)
    assert (rules.gross_cap_eth, rules.min_health, rules.surface_max_age_s) == (100.0, 1.2, 7_200)
    assert (rules.budget_left_usd, rules.budget_cap_usd, rules.epoch) == (9_000.0, 10_000.0, 4)


def test_the_second_tick_takes_one_multicall(reader, chain):
    reader.snapshot()
    assert chain.multicalls == 3
    reader.snapshot()
    assert chain.multicalls == 4


def test_a_new_expiry_is_read_at_the_same_block(reader, chain):
    first = reader.snapshot()
    near = encode_series(1, NEAR_S, 170.0, False)
    chain.set("legsOf", [(first.legs[0].series_id, -10 * WAD), (near, 4 * WAD)])
    chain.set("sliceOf", (SLICE_WORD, 0, NOW_S - 9), key=NEAR_S)
    chain.set("settlementPrice", 180 * WAD, key=NEAR_S)
    again = reader.snapshot()
    assert [s.expiry_s for s in again.slices] == [NEAR_S, FAR_S]
    assert again.settlement_prices_usd == ((NEAR_S, 180.0),)


def test_an_expiry_that_left_the_book_leaves_the_snapshot(reader, chain):
    reader.snapshot()
    chain.set("legsOf", [])
    assert reader.snapshot().slices == ()
    before = chain.multicalls
    reader.snapshot()
    assert chain.multicalls == before + 1


def test_an_expiry_without_a_slice_has_none(reader, chain):
    chain.set("sliceOf", (0, 0, 0), key=FAR_S)
    assert reader.snapshot().slices == ()


def test_everything_is_asked_at_the_block_of_the_header(reader, chain):
    blocks = []
    answer = chain.on_call
    chain.on_call = lambda tx, block: blocks.append(block) or answer(tx, block)
    chain.mine()
    head = chain.eth_getBlockByNumber

    def mine_after_the_header(tag, full):
        result = head(tag, full)
        chain.mine()
        return result

    chain.eth_getBlockByNumber = mine_after_the_header
    assert reader.snapshot().block_number == 1
    assert set(blocks) == {1}


def test_a_reorg_under_the_read_is_read_again(reader, chain):
    chain.mine()
    answer = chain.on_call

    def reorg(tx, block):
        chain.reorg(1, keep=False)
        chain.mine()
        chain.on_call = answer
        return answer(tx, block)

    chain.on_call = reorg
    with pytest.raises(Retry, match="was replaced while it was read"):
        reader.snapshot()
    assert reader.snapshot().block_number == 1


def test_a_view_that_reverts_is_named(reader, chain):
    answer, asked = chain._answer, binding("MarketOracle").encode("spot", 1)
    bad = error_data("MarketOracle", "FeedAnswerInvalid", -1, NOW_S)
    chain._answer = lambda target, data: (False, bad) if data == asked else answer(target, data)
    with pytest.raises(
        SkipTick, match=r"MarketOracle\.spot reverts with FeedAnswerInvalid\(answer=-1"
    ):
        reader.snapshot()


def test_a_venue_that_the_record_forgot_halts(reader, chain):
    """Its base would be missing from our delta, and nobody would see it."""
    chain.set("hedgeOf", -4 * WAD, 50_900 * WAD)
    with pytest.raises(Halt, match="missing venue"):
        reader.snapshot()


def test_one_wei_of_difference_is_enough(reader, chain):
    chain.set("position", -3 * WAD - 1, 900 * WAD, key=SHORT_VENUE)
    with pytest.raises(Halt, match="missing venue"):
        reader.snapshot()


def test_something_else_at_the_multicall_address(reader, chain):
    chain.on_call = lambda _tx, _block: b"\x01"
    with pytest.raises(Halt, match="is not Multicall3"):
        reader.snapshot()


def test_something_else_at_a_contracts_address(reader, chain):
    answer = chain._answer
    chain._answer = lambda target, data: (
        (True, b"") if target == ADDRESSES["VolSurface"] else answer(target, data)
    )
    with pytest.raises(Halt, match=r"VolSurface\.lastCommit answered 0x"):
        reader.snapshot()


def test_who_the_keeper_is(reader):
    assert keeper_on_chain(reader.node, reader.deployment) == KEEPER


# ------------------------------------------------------------ pools and what venues cost


def initialised(chain, tick: int, net: int, spacing: int = 10) -> None:
    """Liquidity `net` enters at a tick when the price rises over it."""
    word, bit = tick // spacing >> 8, tick // spacing & 255
    (bitmap,) = chain.views.get(("tickBitmap", word), (0,))
    chain.set("tickBitmap", bitmap | 1 << bit, key=word)
    chain.set("ticks", 0, net, 0, 0, 0, 0, 0, True, key=tick)


@pytest.mark.parametrize("base_is_token0", [True, False])
def test_depth_is_the_pools_liquidity_around_its_price(reader, chain, base_is_token0):
    chain.add_market(base_is_token0)
    tick = chain.views["slot0", POOL][1]
    up, down = tick // 10 * 10 + 100, tick // 10 * 10 - 60
    initialised(chain, up, -4 * 10**16)
    initialised(chain, down, 5 * 10**16)
    initialised(chain, up + 3_000, -(10**16))
    snapshot = reader.snapshot()
    (depth,) = snapshot.depths
    assert depth.price_usd == pytest.approx(190.0, rel=1e-9)
    assert (depth.address, depth.fee) == (POOL, 0.0005)
    # 7e16 at the price; where the price of ETH leaves the raw range upwards, 3e16 are left, downwards 2e16.
    found = [band.liquidity for band in depth.bands]
    assert found == ([2e4, 7e4, 3e4] if base_is_token0 else [3e4, 7e4, 2e4])
    edges = [depth.bands[0].low_usd, *(band.high_usd for band in depth.bands)]
    unit = 1.0 if base_is_token0 else -1.0
    ticks = [unit * math.log(edge / 1e12) / math.log(1.0001) for edge in edges]
    wanted = [tick - 600, down, up, tick + 600]
    assert ticks == pytest.approx(wanted if base_is_token0 else wanted[::-1], abs=1e-6)
    for venue in snapshot.venues:
        assert venue.pool == POOL


def test_depth_takes_no_request_of_its_own_from_the_second_tick_on(reader, chain):
    chain.add_market()
    initialised(chain, chain.views["slot0", POOL][1] // 10 * 10 + 100, -4 * 10**16)
    first = reader.snapshot().depths
    before = chain.multicalls
    assert reader.snapshot().depths == first
    assert chain.multicalls == before + 1


def test_liquidity_that_came_since_is_seen_at_once(reader, chain):
    chain.add_market()
    reader.snapshot()
    initialised(chain, chain.views["slot0", POOL][1] // 10 * 10 - 50, 10**16)
    assert [b.liquidity for b in reader.snapshot().depths[0].bands] == [6e4, 7e4]


def test_what_a_short_costs_and_ties_up(reader, chain):
    chain.add_market()
    short = reader.snapshot().venues[1]
    assert short.collateral_ratio == pytest.approx(1.6 / 0.8)
    # 3 % is paid on what is owed, 1 % earned on twice as much.
    assert short.carry_rate == pytest.approx(0.03 - 2 * 0.01)


def test_a_pool_that_cannot_be_read_stops_nothing(reader, chain):
    chain.add_market()
    del chain.views["slot0", POOL]
    snapshot = reader.snapshot()
    assert snapshot.depths == ()
    assert snapshot.venues[0].pool == POOL


def test_a_perpetuals_mark_margin_funding_and_depth(chain, tmp_path):
    """The mark is 1 % over the index: a short earns that by the day. The exchange's fee counts, not the pool's."""
    perp = chain.add_perp(mark_usd=192)
    path = write_record(tmp_path / "31337.json", chain)
    record = json.loads(path.read_text())
    record["venues"].append(perp)
    path.write_text(json.dumps(record))
    client = NodeClient(chain, "fake node", attempts=1)
    snapshot = SnapshotReader(client, Deployment.load(path), KEEPER).snapshot()
    venue = snapshot.venues[2]
    assert venue.kind is VenueKind.PERP_SHORT
    assert venue.collateral_ratio == 0.25
    assert venue.carry_rate == pytest.approx(-(192 / 190 - 1) * 365)
    assert venue.collateral_usd(190.0) == pytest.approx(480 - 2 * 190)
    assert (venue.base_eth, venue.base_wad) == (-2.0, -2 * WAD)
    (depth,) = (d for d in snapshot.depths if d.address == venue.pool)
    assert (depth.price_usd, depth.fee) == (pytest.approx(192.0), 0.001)
    (band,) = depth.bands
    assert band.liquidity == 3e4
    assert (band.low_usd, band.high_usd) == pytest.approx((192 * 0.9418, 192 * 1.0618), rel=1e-3)


def test_a_perpetual_whose_pool_is_not_told_stops_nothing(chain, tmp_path):
    perp = chain.add_perp(mark_usd=192)
    del chain.views[("getMarketRegistry",)]
    record = json.loads(write_record(tmp_path / "31337.json", chain).read_text())
    record["venues"].append(perp)
    (tmp_path / "31337.json").write_text(json.dumps(record))
    client = NodeClient(chain, "fake node", attempts=1)
    snapshot = SnapshotReader(client, Deployment.load(tmp_path / "31337.json"), KEEPER).snapshot()
    assert snapshot.venues[2].pool == ""
    assert snapshot.venues[2].base_eth == -2.0
    assert snapshot.depths == ()


def test_what_governance_lets_a_venue_hold(reader, chain):
    chain.set("venueCap", 40 * WAD)
    spot, short = reader.snapshot().venues
    assert (spot.cap_eth, short.cap_eth) == (math.inf, 40.0)
