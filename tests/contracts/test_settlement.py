"""Settlement in three phases: losers pay, one factor is fixed, winners are paid, whoever comes first (I-12)."""

import itertools
from typing import Any

import pytest

from tests.contracts.core_accounts import wad
from tests.contracts.core_constants import UNDERLYING, USDC, WAD
from tests.contracts.core_env import BrownieBackend, Core, deploy_core, refused

DAY1 = 1


@pytest.fixture(scope="module")
def core(project: Any, accounts: Any) -> Core:
    """Four takers and the vault with cash and WETH; nobody hedges."""
    core = deploy_core(BrownieBackend(project, accounts))
    core.fund(core.vault, 50_000, 10)
    for who in core.takers[:4]:
        core.fund(who, 20_000, 10)
    return core


@pytest.fixture
def call(core: Core) -> int:
    return core.series(DAY1, 2_000)


@pytest.fixture
def put(core: Core) -> int:
    return core.series(DAY1, 2_000, call=False)


def convert(core: Core, *who: Any) -> None:
    core.clearinghouse.convert(UNDERLYING, core.expiry(DAY1), who, {"from": core.gov})
    core.check_books()


def finalise(core: Core) -> int:
    core.clearinghouse.finalise(UNDERLYING, core.expiry(DAY1), {"from": core.gov})
    core.check_books()
    return core.settlement(DAY1)[3]


def claim(core: Core, *who: Any) -> None:
    core.clearinghouse.claim(UNDERLYING, core.expiry(DAY1), who, {"from": core.gov})
    core.check_books()


def pot(core: Core) -> int:
    return int(core.clearinghouse.totals()[4])


def phase_refused(core: Core, phase: str, error: str, *values: Any) -> None:
    args = (UNDERLYING, core.expiry(DAY1), *([[core.vault]] if phase != "finalise" else []))
    refused(getattr(core.clearinghouse, phase), *args, by=core.gov, error=error, values=values)


# ---------------------------------------------------------------- the three phases


def test_a_long_is_paid_by_its_short(core: Core, call: int) -> None:
    one = core.takers[0]
    core.trade(core.vault, one, [(call, 3)], premium=60)
    core.prove(DAY1, 2_150.5)
    convert(core, core.vault, one)
    assert core.settlement(DAY1) == (0, wad(451.5), 0, 0)
    assert (core.cash(core.vault), pot(core)) == (wad(50_060 - 451.5), wad(451.5))
    assert core.legs(core.vault) == {}
    assert finalise(core) == WAD
    assert core.cash(one) == wad(19_940)
    claim(core, one, core.vault)
    assert (core.cash(one), pot(core), core.legs(one)) == (wad(20_391.5), 0, {})


def test_worthless_options_leave_without_payment(core: Core, call: int) -> None:
    one = core.takers[0]
    core.trade(core.vault, one, [(call, 3)])
    core.prove(DAY1, 2_000.0)
    convert(core, core.vault)
    assert core.clearinghouse.isCounted(UNDERLYING, core.expiry(DAY1), core.vault)
    assert core.legs(core.vault) == {call: -3 * WAD}
    finalise(core)
    claim(core, core.vault, one)
    assert core.legs(core.vault) == {} == core.legs(one)
    assert core.cash(one) == 20_000 * WAD


def test_a_spread_settles_on_its_net(core: Core, call: int) -> None:
    """A winner with short legs is counted, keeps his legs, and is paid net."""
    one, two = core.takers[:2]
    high = core.series(DAY1, 2_100)
    core.trade(one, two, [(call, 5), (high, -5)])
    core.prove(DAY1, 2_300.0)
    convert(core, one, two)
    assert core.legs(two) == {call: 5 * WAD, high: -5 * WAD}
    assert core.legs(one) == {}
    assert core.settlement(DAY1) == (0, 500 * WAD, 0, 0)
    finalise(core)
    claim(core, two)
    assert (core.cash(one), core.cash(two)) == (19_500 * WAD, 20_500 * WAD)
    assert pot(core) == 0


def test_other_expiries_are_left_alone(core: Core, call: int) -> None:
    one, later = core.takers[0], core.series(7, 2_000)
    core.trade(core.vault, one, [(later, 1), (call, 2), (core.series(7, 2_100), -1)])
    core.prove(DAY1, 2_200.0)
    convert(core, core.vault, one)
    finalise(core)
    claim(core, core.vault, one)
    assert core.legs(one) == {later: WAD, core.series(7, 2_100): -WAD}
    core.check_books((later, core.series(7, 2_100)))


# ---------------------------------------------------------------- order and repetition


@pytest.mark.parametrize("order", list(itertools.permutations(range(3)))[1:4])
def test_any_order_and_any_repetition_gives_the_same(core: Core, order: tuple[int, ...]) -> None:
    one, two, three = core.takers[:3]
    call, put = core.series(DAY1, 1_900), core.series(DAY1, 2_200, call=False)
    core.trade(one, two, [(call, 1.25)])
    core.trade(two, three, [(put, 2.5)])
    core.trade(core.vault, three, [(call, -0.75)])
    core.prove(DAY1, 2_050.0)
    people = [one, two, three]
    for i in order:
        convert(core, people[i], people[i])
    convert(core, *people, core.vault, *people)
    finalise(core)
    for i in reversed(order):
        claim(core, people[i], people[i])
    claim(core, *people, core.vault)
    # Calls pay 150, puts 150.
    gains = {one: -187.5, two: 187.5 - 375, three: 375 - 112.5, core.vault: 112.5}
    for who, gain in gains.items():
        start = 50_000 if who == core.vault else 20_000
        assert core.cash(who) == wad(start + gain)
    assert pot(core) == 0


def test_phases_wait_for_each_other(core: Core, call: int) -> None:
    one, two = core.takers[:2]
    expiry = core.expiry(DAY1)
    core.trade(core.vault, one, [(call, 1)])
    core.trade(two, one, [(call, 2)])
    core.warp(expiry + 10)
    for phase in ("convert", "finalise"):
        phase_refused(core, phase, "NotProven", UNDERLYING, expiry)
    phase_refused(core, "claim", "NotFinal", UNDERLYING, expiry)
    core.prove(DAY1, 2_100.0)
    phase_refused(core, "finalise", "NotAllConverted", UNDERLYING, expiry, 3 * WAD)
    convert(core, core.vault, one)
    phase_refused(core, "finalise", "NotAllConverted", UNDERLYING, expiry, 2 * WAD)
    phase_refused(core, "claim", "NotFinal", UNDERLYING, expiry)
    convert(core, two)
    finalise(core)
    phase_refused(core, "finalise", "AlreadyFinal", UNDERLYING, expiry)
    convert(core, core.vault, one, two)
    claim(core, one)
    assert core.cash(one) == wad(20_300)


def test_an_expiry_without_options_can_be_finalised(core: Core) -> None:
    core.prove(DAY1, 2_100.0)
    assert finalise(core) == WAD


def test_strangers_and_empty_lists_change_nothing(core: Core, call: int) -> None:
    core.trade(core.vault, core.takers[0], [(call, 1)])
    core.prove(DAY1, 2_100.0)
    convert(core)
    convert(core, core.gov, core.keeper, core.takers[0])
    assert core.settlement(DAY1) == (WAD, 0, 0, 0)


# ---------------------------------------------------------------- rounding (I-12 to the wei)


def test_rounding_is_against_both_sides_and_stays_in_the_pot(core: Core) -> None:
    """Sizes and payoffs that divide nothing: the loser pays up, the winner gets down, dust is counted."""
    one, two, three = core.takers[:3]
    series = core.series(DAY1, 1_999.99999999)
    for taker, size in ((two, 333_333_333_333_333_333), (three, 77_777_777_777_777_777)):
        core.clearinghouse.trade([(one, taker, 0, [(series, size)])], {"from": core.market})
    core.prove(DAY1, 2_000.00000003)
    payoff = 4 * 10**10
    convert(core, one)
    loss = 20_000 * WAD - core.cash(one)
    assert loss == -(-payoff * 411_111_111_111_111_110 // WAD)
    finalise(core)
    claim(core, two, three)
    gains = [core.cash(who) - 20_000 * WAD for who in (two, three)]
    assert gains == [payoff * s // WAD for s in (333_333_333_333_333_333, 77_777_777_777_777_777)]
    assert 0 <= pot(core) == loss - sum(gains) <= 3


# ---------------------------------------------------------------- cash below zero, and cures


def indebted(core: Core, call: int) -> Any:
    """A seller of 5 calls with WETH and no cash: he owes 2,500 USD against 10 WETH."""
    one = core.takers[0]
    core.clearinghouse.withdrawCash(20_000 * USDC, one, {"from": one})
    core.trade(core.vault, one, [(call, -5)])
    core.prove(DAY1, 2_500.0)
    convert(core, one)
    assert core.cash(one) == -2_500 * WAD
    assert core.settlement(DAY1)[1:3] == (2_500 * WAD, 0)
    return one


def test_a_seller_of_covered_calls_owes_against_his_weth(core: Core, call: int) -> None:
    one = indebted(core, call)
    assert core.clearinghouse.totals()[2] == 2_500 * WAD
    assert finalise(core) == WAD
    claim(core, core.vault)
    assert core.cash(core.vault) == wad(52_500)
    house = core.clearinghouse
    core.clearinghouse.withdrawBase.call(WAD, one, {"from": one})
    refused(house.withdrawBase, 9 * WAD, one, by=one, error="BelowInitialMargin")
    refused(house.withdrawCash, 1, one, by=one, error="CashShort")
    core.fund(one, 2_500)
    house.withdrawBase(10 * WAD, one, {"from": one})
    core.check_books()


def test_anybody_cures_a_debt_at_the_discount(core: Core, call: int) -> None:
    one, buyer = indebted(core, call), core.takers[3]
    core.usdc.mint(buyer, 10_000 * USDC, {"from": buyer})
    house, price = core.clearinghouse, 2_375  # 2,500 less 5 %
    refused(house.cure, one, 0, by=buyer, error="AmountZero")
    refused(house.cure, one, 2 * WAD, by=buyer, error="CureTooLarge")
    core.warp(core.now + 60)
    held = core.usdc.balanceOf(buyer), core.weth.balanceOf(buyer)
    tx = house.cure(one, WAD, {"from": buyer})
    assert tx.events["DebtCured"]["usdcIn"] == price * USDC
    core.check_books()
    assert core.usdc.balanceOf(buyer) == held[0] - price * USDC
    assert core.weth.balanceOf(buyer) == held[1] + WAD
    assert (core.cash(one), core.base(one)) == (-125 * WAD, 9 * WAD)


def test_a_cure_rounds_against_the_buyer(core: Core, call: int) -> None:
    one, buyer = indebted(core, call), core.takers[3]
    core.usdc.mint(buyer, USDC, {"from": buyer})
    core.clearinghouse.cure(one, 1, {"from": buyer})
    assert core.cash(one) == -2_500 * WAD + 10**12
    core.check_books()


def test_a_cure_needs_a_debt_weth_and_a_price(core: Core, call: int) -> None:
    one, house = indebted(core, call), core.clearinghouse
    vault_cash = core.cash(core.vault)
    refused(house.cure, core.vault, 1, by=one, error="NoDebt", values=(core.vault, vault_cash))
    core.warp(core.now + 3_601)
    refused(house.cure, one, 1, by=core.gov, error="ActionNotAllowed")
    core.set_spot(100.0)
    refused(house.cure, one, 11 * WAD, by=core.gov, error="BaseShort")


def test_a_cure_never_makes_cash_positive_by_more_than_a_unit(core: Core, call: int) -> None:
    one, buyer = indebted(core, call), core.takers[3]
    core.usdc.mint(buyer, 10_000 * USDC, {"from": buyer})
    core.warp(core.now + 60)
    exact = 2_500 * WAD // 2_375
    core.clearinghouse.cure(one, exact, {"from": buyer})
    assert -(10**12) < core.cash(one) < 10**12
    core.check_books()
