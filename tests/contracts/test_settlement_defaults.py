"""Settlement when somebody cannot pay: the factor shows it, insurance softens it, and nobody gains by being first."""

from typing import Any

import pytest

from tests.contracts.core_accounts import wad
from tests.contracts.core_constants import UNDERLYING, USDC, WAD
from tests.contracts.core_env import BrownieBackend, Core, deploy_core, refused

DAY1 = 1


@pytest.fixture(scope="module")
def core(project: Any, accounts: Any) -> Core:
    """The vault with 50,000 USDC, 10 WETH and an empty venue; four takers with cash and WETH."""
    core = deploy_core(BrownieBackend(project, accounts))
    core.fund(core.vault, 50_000, 10)
    for who in core.takers[:4]:
        core.fund(who, 20_000, 10)
    return core


@pytest.fixture
def call(core: Core) -> int:
    return core.series(DAY1, 2_000)


def without_venues(core: Core) -> None:
    core.clearinghouse.setVenue(core.venue, False, {"from": core.gov})


def phase(core: Core, name: str, *who: Any) -> None:
    args = (UNDERLYING, core.expiry(DAY1), *([who] if name != "finalise" else []))
    getattr(core.clearinghouse, name)(*args, {"from": core.gov})
    core.check_books()


def ruined(core: Core, call: int) -> None:
    """The vault is short 30 calls to three takers and ETH trebles: it owes 120,000 USD more than it has cash for."""
    for who, size in zip(core.takers[:3], (6, 10, 14), strict=True):
        core.trade(core.vault, who, [(call, size)])
    core.prove(DAY1, 6_000.0)


def pot(core: Core) -> int:
    return int(core.clearinghouse.totals()[4])


# ---------------------------------------------------------------- the factor


def test_a_shortfall_is_shown_in_the_factor_and_shared(core: Core, call: int) -> None:
    without_venues(core)
    ruined(core, call)
    phase(core, "convert", core.vault)
    debt = wad(10 * 6_000 * 0.95)
    short = 120_000 * WAD - 50_000 * WAD - debt
    assert core.cash(core.vault) == -debt
    assert core.settlement(DAY1) == (0, 120_000 * WAD, short, 0)
    phase(core, "finalise")
    factor = (120_000 * WAD - short) * WAD // (120_000 * WAD)
    assert core.settlement(DAY1)[3] == factor
    gains = []
    for who, size in zip(core.takers[:3], (6, 10, 14), strict=True):
        phase(core, "claim", who)
        gains.append(core.cash(who) - 20_000 * WAD)
        assert gains[-1] == size * 4_000 * WAD * factor // WAD
    paid_in = 120_000 * WAD - short
    # One unit of the factor is a unit of 1e-18 of what is owed.
    assert paid_in - 120_003 < sum(gains) <= paid_in
    assert pot(core) == paid_in - sum(gains)


@pytest.mark.parametrize("first", [0, 1, 2])
def test_a_shortfall_discovered_last_pays_no_early_bird(core: Core, call: int, first: int) -> None:
    """Everybody tries to be first at each phase; all get the same share."""
    without_venues(core)
    other = core.series(DAY1, 2_500)
    core.trade(core.takers[3], core.takers[first], [(other, 1)])
    ruined(core, call)
    phase(core, "convert", core.takers[3])
    early = core.takers[first]
    refused(
        core.clearinghouse.claim, UNDERLYING, core.expiry(DAY1), [early], by=early, error="NotFinal"
    )
    refused(
        core.clearinghouse.finalise,
        UNDERLYING,
        core.expiry(DAY1),
        by=early,
        error="NotAllConverted",
    )
    phase(core, "convert", early, core.vault)
    phase(core, "finalise")
    phase(core, "claim", early)
    phase(core, "claim", *core.takers[:3])
    factor = core.settlement(DAY1)[3]
    assert factor < WAD
    for place, size in enumerate((6, 10, 14)):
        net = size * 4_000 * WAD + (3_500 * WAD if place == first else 0)
        assert core.cash(core.takers[place]) == 20_000 * WAD + net * factor // WAD


def test_insurance_covers_what_it_can(core: Core, call: int) -> None:
    without_venues(core)
    giver = core.takers[3]
    core.usdc.mint(giver, 5_000 * USDC, {"from": giver})
    core.clearinghouse.fundInsurance(5_000 * USDC, {"from": giver})
    core.check_books()
    ruined(core, call)
    phase(core, "convert", core.vault)
    phase(core, "finalise")
    _, owed, short, factor = core.settlement(DAY1)
    assert factor == (owed - short + 5_000 * WAD) * WAD // owed
    assert core.clearinghouse.totals()[3] == 0


def test_insurance_is_kept_where_nobody_defaults(core: Core, call: int) -> None:
    giver = core.takers[3]
    core.usdc.mint(giver, 5_000 * USDC, {"from": giver})
    core.clearinghouse.fundInsurance(5_000 * USDC, {"from": giver})
    core.trade(core.vault, giver, [(call, 1)])
    core.prove(DAY1, 2_500.0)
    phase(core, "convert", core.vault)
    phase(core, "finalise")
    assert core.clearinghouse.totals()[3] == 5_000 * WAD


def test_a_net_winner_with_shorts_shares_the_shortfall_on_his_net(core: Core, call: int) -> None:
    without_venues(core)
    one, two = core.takers[:2]
    high = core.series(DAY1, 3_000)
    core.trade(core.vault, one, [(call, 20)])
    core.trade(one, two, [(high, 9)])
    core.prove(DAY1, 12_000.0)
    phase(core, "convert", one, core.vault)
    phase(core, "finalise")
    factor = core.settlement(DAY1)[3]
    assert 0 < factor < WAD
    phase(core, "claim", one, two)
    assert core.cash(one) == 20_000 * WAD + (20 * 10_000 - 9 * 9_000) * WAD * factor // WAD
    assert core.cash(two) == 20_000 * WAD + 9 * 9_000 * WAD * factor // WAD


def test_a_total_default_takes_nothing_of_another_expiry(core: Core, call: int) -> None:
    """Found by tests/stateful: a factor of one unit paid a wei for each USD, out of another expiry's pot."""
    without_venues(core)
    core.clearinghouse.withdrawBase(10 * WAD, core.vault, {"from": core.vault})
    core.trade(core.vault, core.takers[3], [(core.series(2, 2_000), 10)])
    ruined(core, call)
    phase(core, "convert", core.vault)
    phase(core, "finalise")
    assert core.cash(core.vault) == 0
    before = pot(core)
    core.prove(2, 6_000.0)
    for name, who in (("convert", [core.vault]), ("finalise", []), ("claim", [core.takers[3]])):
        args = (UNDERLYING, core.expiry(2), *([who] if who else []))
        getattr(core.clearinghouse, name)(*args, {"from": core.gov})
    core.check_books()
    assert core.settlement(2) == (0, 40_000 * WAD, 40_000 * WAD, 1)
    assert (core.cash(core.takers[3]), pot(core)) == (20_000 * WAD, before)
    phase(core, "claim", *core.takers[:3])


# ---------------------------------------------------------------- debts


def covered_sellers(core: Core, call: int, cap: float) -> list[Any]:
    """Two sellers of calls covered by WETH with no cash at all; each will owe 5,000 USD."""
    core.set_debts(cap=wad(cap))
    sellers = core.takers[:2]
    for who in sellers:
        core.clearinghouse.withdrawCash(20_000 * USDC, who, {"from": who})
        core.trade(core.vault, who, [(call, -10)])
    core.prove(DAY1, 2_500.0)
    return list(sellers)


def test_the_cap_forgives_no_debt_that_weth_covers(core: Core, call: int) -> None:
    """Attack: exhaust the cap with one account, so that the other keeps WETH and loses nothing."""
    sellers = covered_sellers(core, call, cap=5_000)
    phase(core, "convert", *sellers)
    assert [core.cash(who) for who in sellers] == [-5_000 * WAD] * 2
    phase(core, "finalise")
    assert core.settlement(DAY1)[3] == WAD
    phase(core, "claim", core.vault)
    assert core.cash(core.vault) == 60_000 * WAD


def test_the_cap_bounds_credit_that_weth_does_not_cover(core: Core, call: int) -> None:
    core.set_debts(cap=10_000 * WAD)
    core.venue.setPosition(0, 500_000 * WAD, {"from": core.gov})
    ruined(core, call)
    phase(core, "convert", core.vault)
    assert core.cash(core.vault) == -wad(10 * 6_000 * 0.95) - 10_000 * WAD


def test_a_vault_with_an_empty_venue_owes_no_more_than_it_is_worth(core: Core, call: int) -> None:
    """Otherwise its winners would be paid, by the first withdrawals, from the cash of bystanders."""
    bystander = core.takers[3]
    ruined(core, call)
    phase(core, "convert", core.vault)
    assert core.settlement(DAY1)[2] >= 10_000 * WAD
    phase(core, "finalise")
    phase(core, "claim", *core.takers[:3])
    for who in core.takers[:3]:
        free = min(core.cash(who) // 10**12, core.clearinghouse.freeCashOf(who))
        core.clearinghouse.withdrawCash(free, who, {"from": who})
    buyer = core.gov
    core.usdc.mint(buyer, 10**6 * USDC, {"from": buyer})
    core.usdc.approve(core.clearinghouse, 2**256 - 1, {"from": buyer})
    # The debt is what its 10 WETH pay for at the discount that a cure may reach; now, without any, 9.5 of them do.
    core.clearinghouse.cure(core.vault, 95 * WAD // 10, {"from": buyer})
    core.clearinghouse.withdrawCash(20_000 * USDC, bystander, {"from": bystander})
    core.check_books()


def test_settlement_does_not_wait_for_a_broken_venue_or_feed(core: Core, call: int) -> None:
    """I-07."""
    ruined(core, call)
    core.venue.setBroken(True, {"from": core.gov})
    core.feed.setBroken(True, {"from": core.gov})
    phase(core, "convert", core.vault)
    phase(core, "finalise")
    phase(core, "claim", *core.takers[:3])
    assert all(core.legs(who) == {} for who in core.everybody)


def test_old_debt_is_not_turned_into_a_shortfall(core: Core, call: int) -> None:
    """A later loss of an account in debt can default by no more than itself."""
    one = core.takers[0]
    core.clearinghouse.withdrawCash(20_000 * USDC, one, {"from": one})
    later = core.series(2, 2_000)
    core.trade(core.vault, one, [(call, -5), (later, -5)])
    core.prove(DAY1, 2_500.0)
    phase(core, "convert", one)
    assert core.cash(one) == -2_500 * WAD
    core.prove(2, 60_000.0)
    core.clearinghouse.convert(UNDERLYING, core.expiry(2), [one], {"from": core.gov})
    core.check_books()
    loss = 5 * 58_000 * WAD
    owed, short = core.settlement(2)[1:3]
    assert (owed, short) == (loss, 0)
    assert core.cash(one) == -2_500 * WAD - loss
