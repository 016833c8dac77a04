"""LiquidationAuction over random accounts, in process: price, smallest share, discount and money to the wei.

Marks do not move between a view and a bid here, so terms are compared exactly. Books hold calls and puts of two
expiries, long and short, WETH, and sometimes a leg that has expired, with a proven price or without; the two slices of
the surface differ.
"""

import itertools
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from keeper.units import pack_leg, unpack_leg
from tests.contracts.auction_world import (
    BOUNTY_SHARE,
    FALL_S,
    INSURANCE_S,
    INSURANCE_SHARE,
    MIN_SHARE,
    ROUNDING,
    AuctionWorld,
    Terms,
    new_world,
)
from tests.contracts.core_accounts import wad
from tests.contracts.core_constants import AGED_SLICE, DAY, FRESH_SLICE, WAD
from tests.stateful.core_revm import RevmBackend
from tests.stateful.revm import Reverted

STRIKES = (1_500.0, 1_900.0, 2_000.0, 2_200.0, 2_800.0)
SHOCKS = (0.55, 0.7, 0.85, 0.95, 1.05, 1.15, 1.3, 1.6)
# Share of the lot that a hypothetical smaller sale sells less.
LESS = 10**-6
# Marks and legs round, each to the wei: USD in WAD.
DUST_WEI = 10**6

sizes = st.integers(-12, 12).filter(bool).map(lambda quarters: quarters / 4)
legs = st.lists(
    st.tuples(st.sampled_from((7, 14)), st.sampled_from(STRIKES), st.booleans(), sizes),
    min_size=1,
    max_size=6,
    unique_by=lambda leg: leg[:3],
)
elapsed = st.one_of(
    st.sampled_from((0, FALL_S, FALL_S + 1, FALL_S + INSURANCE_S)),
    st.integers(0, FALL_S + INSURANCE_S + 60),
)
shares = st.lists(st.floats(0.02, 1.0), min_size=1, max_size=4)


@dataclass
class Case:
    """One account in trouble."""

    legs: list[tuple[int, float, bool, float]]
    base: float
    expired: float
    proven: bool
    shock: int
    vols: tuple[float, float]
    insurance: int


cases = st.builds(
    Case,
    legs=legs,
    base=st.sampled_from((0.0, 0.0, 0.5, 3.0)),
    expired=st.sampled_from((0.0, 0.0, -1.0, 2.0)),
    proven=st.booleans(),
    shock=st.integers(0, len(SHOCKS) - 1),
    vols=st.tuples(st.floats(0.5, 1.6), st.floats(0.5, 1.6)),
    insurance=st.sampled_from((0, 300, 50_000)),
)


@pytest.fixture(scope="module")
def template() -> AuctionWorld:
    return new_world(RevmBackend(), insurance_usd=0)


@contextmanager
def undone(world: AuctionWorld) -> Iterator[AuctionWorld]:
    """What happens in the with block is gone after it, the time that passed too."""
    chain = world.core.backend.chain
    now, block, before = chain.now, chain.block, chain.evm.snapshot()
    try:
        yield world
    finally:
        chain.evm.revert(before)
        chain.now, chain.block = now, block
        chain.travel(0)


def in_trouble(world: AuctionWorld, case: Case) -> bool:
    """Opens the book at initial margin and moves the market against it. Whether it is below maintenance."""
    core = world.core
    if case.insurance:
        world.insure(case.insurance)
    book = [(core.series(d, k, call), -size) for d, k, call, size in case.legs]
    if case.expired:
        book.append((core.series(1, 2_000.0), -case.expired))
    if case.base:
        core.fund(world.ower, 0, case.base)
    world.sell(book, spare_usd=1.0)
    if case.expired:
        if case.proven:
            core.prove(1, 2_150.0)
        core.warp(core.start + DAY)
    world.bend(FRESH_SLICE, case.vols[0])
    world.bend(AGED_SLICE, case.vols[1])
    order = SHOCKS[case.shock :] + SHOCKS[: case.shock]
    for factor in order:
        core.set_spot(2_000.0 * factor)
        if world.below_maintenance(world.ower):
            return True
    return False


def hypothetical(world: AuctionWorld, terms: Terms, share: int) -> list[tuple[int, int]]:
    """(equity, initial) by both slices if `share` were sold at these terms, its bounty paid."""
    underlying, cash, base, hedges, words = terms.portfolio
    book = [unpack_leg(word) for word in words]
    now = world.core.now
    live = [(s, size) for s, size in book if (s >> 72) & (2**40 - 1) > now]
    left = [(s, size) for s, size in book if (s, size) not in live]
    for series, size in live:
        sold = abs(size) * share // WAD
        left.append((series, size - sold if size > 0 else size + sold))
    cash += -(-terms.price * share // WAD)
    answers = []
    for slice_, (_, initial, _) in zip((FRESH_SLICE, AGED_SLICE), terms.both, strict=True):
        bounty = min(terms.bounty, initial * share // WAD * BOUNTY_SHARE // WAD)
        after = (
            underlying,
            cash - bounty,
            base - base * share // WAD,
            hedges,
            [pack_leg(*leg) for leg in left],
        )
        answers.append(tuple(world.core.engine.margin(after, slice_)[:2]))
    return answers


def check_terms(world: AuctionWorld) -> tuple[Terms, int]:
    """The contract's quote is the interface's formulas, to the wei. Also the slice that decides."""
    terms = world.terms()
    equity, price, subsidy, share, slice_, healthy, lot = world.core.auction.quote(world.ower)
    assert not healthy
    assert (equity, price) == (terms.dearer[0], terms.price)
    assert (subsidy, share) == (terms.subsidy, terms.smallest)
    assert lot == world.core.auction.lotOf(world.ower)
    return terms, int(slice_)


def check_bid(world: AuctionWorld, asked: float) -> bool:
    """One bid and everything that it must and must not have done. Whether the auction goes on."""
    core = world.core
    if not world.below_maintenance(world.ower):
        # A fill got it there by the slice that did not decide: the next bid ends the auction and buys nothing.
        assert tuple(world.bid()) == (0, 0)
        assert world.phase() == 0
        return False
    terms, slice_ = check_terms(world)
    people = (world.ower, world.bidder, world.keeper)
    cash, insurance = [core.cash(who) for who in people], world.insurance()
    if not terms.smallest:
        with pytest.raises(Reverted, match="SaleWouldNotHelp"):
            world.bid()
        assert terms.kept_margin, "only kept legs keep a sale from helping"
        return True
    share, price = world.bid(max(wad(asked), min(MIN_SHARE, terms.smallest)))
    after = [core.cash(who) for who in people]
    assert share == min(max(wad(asked), min(MIN_SHARE, terms.smallest)), terms.smallest)

    # The waterfall: bidder and insurance pay, account and keeper receive.
    bounty, used = after[2] - cash[2], insurance - world.insurance()
    own, subsidy = -(-terms.price * share // WAD), terms.subsidy * share // WAD
    assert price == own - subsidy == cash[1] - after[1]
    from_account = bounty - (used - subsidy)
    assert 0 <= from_account <= bounty
    if cash[0] >= 0:
        assert after[0] - cash[0] == own - from_account
    bound = terms.dearer[1] * INSURANCE_SHARE // WAD + max(-terms.dearer[0], 0)
    assert used - (bounty - from_account) <= bound
    assert terms.elapsed > FALL_S or subsidy == 0
    initial_sold = max(m[1] for m in terms.both) * share // WAD
    assert bounty <= initial_sold * BOUNTY_SHARE // WAD

    # A solvent account loses the stated discount and the bounty, and no more.
    margins = [world.margin(world.ower, s) for s in (FRESH_SLICE, AGED_SLICE)]
    kind = terms.both.index(terms.dearer)
    equity = max(terms.dearer[0], 0)
    discount = equity * min(terms.elapsed, FALL_S) // FALL_S * share // WAD
    if equity:
        lost = terms.dearer[0] - margins[kind][0]
        assert lost <= discount + from_account + DUST_WEI

    # The smallest share restores initial margin, and a smaller one does not.
    restored = any(e >= i for e, i, _ in margins)
    recovered = not world.below_maintenance(world.ower)
    going_on = world.phase() != 0
    assert recovered or share == WAD or going_on
    assert not going_on or core.auction.auctionOf(world.ower)[3] == terms.bounty - bounty
    if share == terms.smallest and share < WAD:
        assert restored
        assert not going_on
        certain = terms.kept_margin == 0 and from_account == bounty
        smaller = share - ROUNDING - int(share * LESS)
        if certain and smaller > 0:
            assert all(e < i for e, i in hypothetical(world, terms, smaller))
    if share < WAD:
        (equity, initial, _), (left, needed, _) = terms.both[slice_], margins[slice_]
        assert needed - left < initial - equity, "what it lacks has not become less"
    if share == WAD:
        assert not going_on
        assert core.base(world.ower) == 0
        assert all((s >> 72) & (2**40 - 1) <= core.now for s in core.legs(world.ower))
    core.check_books(list(core.legs(world.other)))
    return going_on


@settings(
    max_examples=150,
    deadline=None,
    derandomize=True,
    suppress_health_check=[
        HealthCheck.too_slow,
        HealthCheck.filter_too_much,
    ],
)
@given(case=cases, moment=elapsed, asked=shares)
def test_bids_at_every_time(
    template: AuctionWorld, case: Case, moment: int, asked: list[float]
) -> None:
    with undone(template) as world:
        assume(in_trouble(world, case))
        world.start()
        world.core.warp(world.core.now + moment)
        assume(world.below_maintenance(world.ower))
        for share in asked:
            if not check_bid(world, share):
                return
        going_on = check_bid(world, 1.0)
        assert not going_on or not world.terms().smallest


@pytest.mark.parametrize(("shock", "solvent"), [(1.15, True), (1.75, False)])
def test_the_whole_curve(template: AuctionWorld, shock: float, solvent: bool) -> None:
    """From mark down to all that the account has, then insurance up to its bound; never up again while marks stand."""
    with undone(template) as world:
        world.insure(50_000)
        world.sell([(world.core.series(7, 2_000.0), 4)])
        world.core.set_spot(2_000.0 * shock)
        world.start()
        start = world.core.now
        seen = []
        for moment in range(0, FALL_S + INSURANCE_S + 300, 300):
            world.core.warp(start + moment)
            seen.append(check_terms(world)[0])
        assert (seen[0].dearer[0] > 0) is solvent
        first, fallen, last = seen[0], seen[FALL_S // 300], seen[-1]
        mark = first.dearer[0] - first.cash
        assert first.price == (mark if solvent else -first.cash)
        assert fallen.price == last.price == -first.cash
        assert fallen.subsidy == 0
        assert last.smallest == WAD
        bound = last.dearer[1] * INSURANCE_SHARE // WAD + max(-last.dearer[0], 0)
        assert last.subsidy == min(bound, last.insurance)
        asked = [terms.price - terms.subsidy for terms in seen]
        drift = wad(1.0)  # time value that passes between two moments
        assert all(b <= a + drift for a, b in itertools.pairwise(asked))
