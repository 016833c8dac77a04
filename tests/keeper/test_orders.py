"""From a plan to orders: who trades first, how much, at which limit; always inside what the contract allows."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keeper.chain.calls import Order
from keeper.errors import Halt
from keeper.execution.orders import Batch, build_batch, limit_price_wad
from keeper.execution.routing_terms import OrderRules
from keeper.models import LiquidityBand, PoolDepth, Snapshot, VenueKind, VenueState
from keeper.units import WAD, from_wad
from tests.keeper.keeper_builders import AAVE, RULES, UNISWAP, snapshot

CLIP = 0.05
LIMITS = OrderRules(min_clip_eth=CLIP, max_slippage=None)
SPOT, SHORT = UNISWAP.address, AAVE.address


def split(trade: float, state=None, rules: OrderRules = LIMITS) -> list[tuple[str, float]]:
    """Sizes to five decimals: the hair on a whole repayment has a test of its own."""
    batch = build_batch(trade, state or snapshot(), rules)
    return [(o.venue, round(from_wad(o.base_wad), 5)) for o in batch.orders]


def test_a_sale_uses_what_is_held_then_borrows():
    assert split(-5.0) == [(SPOT, -2.0), (SHORT, -3.0)]


def test_a_small_sale_uses_what_is_held_alone():
    assert split(-1.5) == [(SPOT, -1.5)]


def test_a_sale_with_nothing_held_borrows():
    assert split(-1.5, snapshot(base_eth=0.0)) == [(SHORT, -1.5)]


def test_held_crumbs_are_left_alone():
    assert split(-1.5, snapshot(base_eth=0.04)) == [(SHORT, -1.5)]


def test_a_purchase_repays_first_then_buys():
    assert split(5.0) == [(SHORT, 3.0), (SPOT, 2.0)]


def test_a_purchase_within_the_debt_only_repays():
    assert split(2.0) == [(SHORT, 2.0)]


def test_a_dearer_pool_is_not_charged_its_fee_again_for_the_way_back():
    """WETH bought in one pool is sold in any: the way back costs the same whichever took the order."""
    tier = replace(UNISWAP, address="0x" + "77" * 20, pool="0x" + "78" * 20, fee=0.003)
    near, far = (
        PoolDepth(pool, 190.0, fee, (LiquidityBand(100.0, 400.0, 35_000.0),))
        for pool, fee in ((UNISWAP.pool, UNISWAP.fee), (tier.pool, tier.fee))
    )
    state = snapshot(
        venues=(replace(UNISWAP), tier), depths=(near, far), base_eth=0.0, base_fee_wei=0
    )
    bought = dict(split(12.0, state))
    assert set(bought) == {SPOT, tier.address}
    ends = [
        (math.sqrt(190.0) / (1 - size * math.sqrt(190.0) / 35_000.0)) ** 2 / (1 - fee)
        for size, fee in ((bought[SPOT], UNISWAP.fee), (bought[tier.address], tier.fee))
    ]
    assert ends[0] == pytest.approx(ends[1], rel=1e-4)


def test_a_whole_repayment_leaves_room_for_interest_and_a_part_does_not():
    """The venue takes no more than is owed by then; without the hair a dust of debt would stay for ever."""
    whole = build_batch(5.0, snapshot(), LIMITS).orders[0].base_wad
    part = build_batch(2.5, snapshot(), LIMITS).orders[0].base_wad
    assert 3 * WAD < whole <= 3 * WAD + 3 * 10**12
    assert part == 25 * WAD // 10


# What Curie may hold: no double is that many wei.
OWED_WAD = 21_874_055_162_821_831_821
PERP = VenueState(
    address="0x" + "66" * 20,
    kind=VenueKind.PERP_SHORT,
    base_eth=-from_wad(OWED_WAD),
    quote_usd=6_200.0,
    health=8.0,
    fee=0.003,
    collateral_ratio=0.5,
    base_wad=-OWED_WAD,
)


@pytest.mark.parametrize(
    ("trade", "bought"),
    [
        (25.0, OWED_WAD),
        (from_wad(OWED_WAD), OWED_WAD),
        (from_wad(OWED_WAD) - 1e-6, OWED_WAD),
        (21.5, 215 * WAD // 10),
    ],
)
def test_a_perpetual_is_closed_to_the_last_wei_or_keeps_a_position_with_a_margin(trade, bought):
    """A remainder of some hundred wei has no margin left to round to, and the contract refuses the whole batch."""
    batch = build_batch(trade, snapshot(venues=(UNISWAP, PERP)), LIMITS)
    assert [o.base_wad for o in batch.orders if o.venue == PERP.address] == [bought]


@pytest.mark.parametrize("mark", [190.0, 191.5])
def test_a_perpetuals_sale_fits_the_margin_that_its_venue_asks_for(mark):
    """As CuriePerpVenue.required: half of the dearer price, and what the limit is worse than that price."""
    cash = 1_000.0
    perp = replace(PERP, base_eth=0.0, base_wad=0, quote_usd=0.0, pool="0xv")
    depth = PoolDepth("0xv", mark, 0.003, (LiquidityBand(100.0, 300.0, 1e7),))
    state = snapshot(base_eth=0.0, cash_usd=cash, venues=(perp,), depths=(depth,))
    (order,) = build_batch(-60.0, state, LIMITS).orders
    size, price = -from_wad(order.base_wad), max(mark, state.spot_usd)
    asked = size * (0.5 * price + price - from_wad(order.limit_price_wad))
    assert 0.95 * cash < asked < cash


def test_a_purchase_without_debt_buys():
    assert split(2.0, snapshot(venues=(UNISWAP, replace(AAVE, base_eth=0.0)))) == [(SPOT, 2.0)]


def test_nothing_below_the_minimum_clip():
    assert split(0.0499) == []
    assert split(-2.03) == [(SPOT, -2.0)]
    assert split(3.03) == [(SHORT, 3.0)]


def test_what_no_venue_takes_is_told():
    assert build_batch(-2.03, snapshot(), LIMITS).left_over_eth == pytest.approx(-0.03)
    assert build_batch(3.03, snapshot(), LIMITS).left_over_eth == pytest.approx(0.03)


def test_purchase_is_cut_to_the_cash():
    """The clearinghouse sends size x limit first and takes back what is left: that is what cash must reach."""
    (_, (venue, size)) = split(1000.0, snapshot(cash_usd=1900.0))
    assert (venue, size) == (SPOT, round(1900.0 * 0.99 / (190.0 * 1.01), 5))


def test_negative_cash_buys_nothing():
    assert split(5.0, snapshot(cash_usd=-10.0)) == [(SHORT, 3.0)]


def test_collateral_comes_first():
    first = (Order(SHORT, 0, 7),)
    (top, *rest) = build_batch(-5.0, snapshot(), LIMITS, first).orders
    assert top == first[0]
    assert rest == list(build_batch(-5.0, snapshot(), LIMITS).orders)
    assert build_batch(0.0, snapshot(), LIMITS, first) == Batch(first, 0.0)
    assert not build_batch(0.0, snapshot(), LIMITS, first).trades


@pytest.mark.parametrize("trade", [math.nan, math.inf, -math.inf])
def test_a_plan_that_is_no_number_halts(trade):
    with pytest.raises(Halt, match="policy is at fault"):
        build_batch(trade, snapshot(), LIMITS)


def test_no_venue_at_all_halts():
    with pytest.raises(Halt, match="venue"):
        build_batch(1.0, snapshot(venues=()), LIMITS)


def test_one_venue_does_what_it_can():
    assert split(-5.0, snapshot(venues=(UNISWAP,))) == [(SPOT, -2.0)]
    assert split(5.0, snapshot(venues=(AAVE,))) == [(SHORT, 3.0)]


WADS = st.integers(10**15, 10**25)


@given(WADS)
def test_a_sale_never_exceeds_the_integer_that_the_chain_holds(held_wei):
    """The snapshot's float may be above the chain's integer by its rounding; one wei over would revert."""
    state = snapshot(base_eth=from_wad(held_wei))
    orders = build_batch(-from_wad(held_wei) - 1.0, state, LIMITS).orders
    assert all(-o.base_wad <= held_wei for o in orders if o.venue == SPOT)


@given(
    st.integers(10**18, 10**23),
    st.integers(10**14, 5 * 10**16),
    st.sampled_from([-1.0, 1.0]),
    st.one_of(st.none(), st.floats(1e-4, 0.09)),
)
def test_limit_prices_lie_inside_the_contracts_limit(spot_wad, slippage_wad, side, own):
    """In the contract's integers: buys at most mulDown(spot, 1 + s), sells at least mulUp(spot, 1 - s)."""
    rules = replace(RULES, max_slippage=from_wad(slippage_wad))
    state = snapshot(spot_usd=from_wad(spot_wad), rules=rules)
    limit = limit_price_wad(side, state, replace(LIMITS, max_slippage=own))
    if side > 0:
        assert spot_wad < limit <= spot_wad * (WAD + slippage_wad) // WAD
    else:
        assert -(-spot_wad * (WAD - slippage_wad) // WAD) <= limit < spot_wad


@given(st.floats(-1e4, 1e4), st.floats(0.0, 100.0), st.floats(-100.0, 0.0))
def test_orders_never_add_up_to_more_than_the_plan(trade, held, debt):
    state = snapshot(base_eth=held, venues=(UNISWAP, replace(AAVE, base_eth=debt)))
    orders = build_batch(trade, state, LIMITS).orders
    total = sum(o.base_wad for o in orders)
    hair = 1.1e-6 * max(-debt, 0.0) if trade > 0 else 0.0
    assert abs(total) <= (abs(trade) * (1 + 1e-12) + hair) * WAD
    assert all(abs(o.base_wad) >= CLIP * WAD * (1 - 1e-12) for o in orders if o.base_wad)
    assert all((o.base_wad > 0) == (trade > 0) for o in orders if o.base_wad)


def test_limits_follow_the_planned_price_and_never_leave_the_contracts():
    state = snapshot()
    sell = build_batch(-5.0, state, LIMITS).orders[0]
    buy = build_batch(5.0, state, LIMITS).orders[0]
    assert from_wad(sell.limit_price_wad) == pytest.approx(190.0 * 0.9995 * 0.998, rel=1e-6)
    assert from_wad(buy.limit_price_wad) == pytest.approx(190.0 / 0.9995 * 1.002, rel=1e-6)
    loose = replace(LIMITS, price_tolerance=0.5)
    (order, *_) = build_batch(-5.0, state, loose).orders
    assert order == Order(SPOT, order.base_wad, limit_price_wad(-1.0, state, loose))


# ------------------------------------------------------------ cash and collateral

SHORT_OF = replace(AAVE, collateral_ratio=2.0)


@pytest.mark.parametrize("cash", [0.0, 150.0, 600.0, 1_000.0])
def test_a_sale_through_aave_fits_the_cash_that_its_collateral_needs(cash):
    """Known to the venue as `required`: target collateral of the new debt, less what lies there, less size x limit."""
    state = snapshot(base_eth=0.0, cash_usd=cash, venues=(UNISWAP, SHORT_OF))
    batch = build_batch(-20.0, state, LIMITS)
    sold = -sum(from_wad(o.base_wad) for o in batch.orders)
    if batch.orders:
        limit = from_wad(batch.orders[0].limit_price_wad)
        assert 2.0 * (3.0 + sold) * 190.0 - 900.0 - sold * limit <= cash
    assert sold == pytest.approx(max((0.99 * cash - 240.0) / 190.0, 0.0), abs=0.12)
    assert batch.left_over_eth == pytest.approx(sold - 20.0)


def test_what_the_first_sale_brings_pays_for_the_collateral_of_the_second():
    poor = snapshot(base_eth=4.0, cash_usd=250.0, venues=(UNISWAP, SHORT_OF))
    alone = snapshot(base_eth=0.0, cash_usd=250.0, venues=(UNISWAP, SHORT_OF))
    (first, second) = build_batch(-7.0, poor, LIMITS).orders
    assert (first.venue, second.venue) == (SPOT, SHORT)
    assert from_wad(second.base_wad) == pytest.approx(-3.0)
    assert build_batch(-3.0, alone, LIMITS).orders == ()


# ------------------------------------------------------------ several pools

TIERS = tuple(
    VenueState(
        "0x" + f"{0xA0 + i:02x}" * 20, VenueKind.UNISWAP_SPOT, 0.0, 0.0, math.inf, fee, f"0xp{i}"
    )
    for i, fee in enumerate((0.0005, 0.003, 0.01))
)


def tiers(liquidity: float, **changes) -> Snapshot:
    depths = tuple(
        PoolDepth(v.pool, 190.0, v.fee, (LiquidityBand(150.0, 240.0, liquidity),)) for v in TIERS
    )
    return snapshot(venues=(*TIERS, AAVE), depths=depths, **changes)


def test_a_purchase_spreads_over_fee_tiers_as_it_grows():
    small, large = (build_batch(3.0 + eth, tiers(20_000.0), LIMITS).orders for eth in (1.0, 12.0))
    assert [o.venue for o in small] == [SHORT, TIERS[0].address]
    assert [o.venue for o in large] == [SHORT, TIERS[0].address, TIERS[1].address]
    assert large[1].base_wad > large[2].base_wad


def test_a_purchase_stops_where_every_pool_reaches_the_contracts_limit():
    """The 1 % tier alone is at the limit from the start; what does not fit waits, and is told."""
    batch = build_batch(203.0, tiers(20_000.0, cash_usd=1e6), LIMITS)
    assert {o.venue for o in batch.orders} == {SHORT, TIERS[0].address, TIERS[1].address}
    assert batch.left_over_eth > 180.0
    assert batch.cost_usd > 0.0


def test_held_weth_that_no_pool_takes_is_hedged_by_a_short_within_the_gross_cap():
    """20 ETH are held and the pools take few of them: the short may grow by half of what gross has left."""
    thin = tiers(3_000.0, base_eth=20.0)
    rules = replace(RULES, gross_cap_eth=12.0)
    batch = build_batch(-20.0, replace(thin, rules=rules), LIMITS)
    sold = {o.venue: -from_wad(o.base_wad) for o in batch.orders}
    # 20 held and 3 owed: gross 23, net 17, 6 of the 12 are used.
    assert sold[SHORT] == pytest.approx(3.0)
    base, short = 20.0 - sum(sold.values()) + sold[SHORT], 3.0 + sold[SHORT]
    assert base + short <= abs(base - short) + 12.0 + 1e-9


def test_gas_decides_whether_a_second_pool_is_worth_it():
    cheap, dear = (
        build_batch(8.0, tiers(20_000.0, base_fee_wei=fee), LIMITS).orders for fee in (0, 10**12)
    )
    assert len(cheap) == 3
    assert len(dear) == 2
