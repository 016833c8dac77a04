"""What an account owes: interest, cures whose discount grows, and losses that others bore."""

from typing import Any

import pytest

from tests.contracts.core_accounts import wad
from tests.contracts.core_constants import DAY, UNDERLYING, USDC, WAD
from tests.contracts.core_env import BrownieBackend, Core, deploy_core, refused

LOSS = 2_500 * WAD


@pytest.fixture(scope="module")
def core(project: Any, accounts: Any) -> Core:
    """The vault with cash; a seller with WETH alone owes 2,500 USD after the first expiry."""
    core = deploy_core(BrownieBackend(project, accounts))
    core.fund(core.vault, 50_000)
    core.fund(core.takers[0], 0, 10)
    core.set_debts(rate=WAD // 10, discount=5 * 10**16, ramp=1_800)
    core.trade(core.vault, core.takers[0], [(core.series(1, 2_000), -5)])
    core.prove(1, 2_500.0)
    core.clearinghouse.convert(UNDERLYING, core.expiry(1), [core.takers[0]], {"from": core.gov})
    return core


def buyer_of(core: Core) -> Any:
    buyer = core.takers[3]
    core.usdc.mint(buyer, 10_000 * USDC, {"from": buyer})
    core.usdc.approve(core.clearinghouse, 2**256 - 1, {"from": buyer})
    return buyer


def test_interest_goes_to_insurance_and_is_seen_before_it_is_taken(core: Core) -> None:
    one, house = core.takers[0], core.clearinghouse
    since = house.debtOf(one)[2]
    core.warp(since + 36 * DAY + DAY // 2)
    pending, recovery, _ = house.debtOf(one)
    assert int(pending) == pytest.approx(LOSS // 100, rel=1e-3)
    assert recovery == 0
    assert house.portfolioOf(one)[1] == -LOSS - pending
    tx = house.accrue(one, {"from": core.gov})
    taken = int(tx.events["InterestAccrued"]["interest"])
    assert pending <= taken < pending * 1_001 // 1_000
    assert core.cash(one) == -LOSS - taken
    assert house.totals()[2:4] == (LOSS + taken, taken)
    core.check_books()


def test_a_change_of_rate_charges_the_past_at_the_old_one(core: Core) -> None:
    one, house = core.takers[0], core.clearinghouse
    since = house.debtOf(one)[2]
    core.warp(since + 73 * DAY)
    core.set_debts(rate=0, discount=5 * 10**16, ramp=1_800)
    before = house.debtOf(one)[0]
    core.warp(core.now + 365 * DAY)
    assert house.debtOf(one)[0] == before
    assert int(before) == pytest.approx(LOSS // 50, rel=1e-3)


def test_who_makes_a_debt_earns_nothing_by_curing_it(core: Core) -> None:
    """The discount is what has grown since: here a fiftieth of it at most, seconds after the conversion."""
    one, buyer = core.takers[0], buyer_of(core)
    tx = core.clearinghouse.cure(one, WAD // 2, {"from": buyer})
    assert 1_250 * USDC * 9_999 // 10_000 <= tx.events["DebtCured"]["usdcIn"] <= 1_250 * USDC


def test_the_discount_grows_to_its_governed_value_and_no_further(core: Core) -> None:
    one, buyer = core.takers[0], buyer_of(core)
    since = core.clearinghouse.debtOf(one)[2]
    for waited, price in ((900, 2_437.5), (1_800, 2_375.0), (3_000, 2_375.0)):
        core.warp(since + waited)
        core.set_spot(2_500.0)
        tx = core.clearinghouse.cure(one, WAD // 10, {"from": buyer})
        assert int(tx.events["DebtCured"]["usdcIn"]) == pytest.approx(price * USDC / 10, rel=1e-4)
    core.check_books()


def test_a_debt_begins_anew_after_it_was_paid(core: Core) -> None:
    one, house = core.takers[0], core.clearinghouse
    core.warp(core.now + 2_000)
    core.fund(one, 3_000)
    assert core.cash(one) > 0
    assert tuple(house.debtOf(one)) == (0, 0, 0)
    refused(house.cure, one, 1, by=core.gov, error="NoDebt")


def test_what_others_bore_is_paid_out_of_the_next_cash(core: Core) -> None:
    """A bare seller defaults: his takers get less, once, and what he ever pays in goes to insurance."""
    two, house = core.takers[1], core.clearinghouse
    core.commit(*(core.slice(0.8, days) for days in (7, 14)), spot=2_500.0)
    core.fund(two, 3_000)
    series = core.series(7, 2_500)
    core.trade(two, core.vault, [(series, 4)])
    core.prove(7, 5_000.0)
    args = (UNDERLYING, core.expiry(7))
    house.convert(*args, [two], {"from": core.gov})
    owed, short = core.settlement(7)[1:3]
    assert (owed, short) == (10_000 * WAD, 7_000 * WAD)
    assert house.debtOf(two)[1] == short
    assert core.cash(two) == 0
    assert house.portfolioOf(two)[1] == -int(short)
    house.finalise(*args, {"from": core.gov})
    insurance = house.totals()[3]
    core.fund(two, 1_000)
    assert core.cash(two) == 0
    assert house.debtOf(two)[1] == wad(6_000)
    assert house.totals()[3] == insurance + wad(1_000)
    core.fund(two, 6_500)
    assert core.cash(two) == wad(500)
    assert house.debtOf(two)[1] == 0
    core.check_books()
