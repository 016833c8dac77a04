"""What went wrong elsewhere, tried on the core as it is deployed. Numbers are those of the architecture page.

Incidents of the vault (9, 13), of asynchronous orders (3, 5), of USDC's price (14), of a bent surface (15) and of the
keeper (16 to 20) are tested where those parts are.
"""

from typing import Any

import pytest

from tests.contracts.core_accounts import to_legs
from tests.contracts.core_constants import (
    FEED_DECIMALS,
    FOREVER,
    FRESH,
    STALE,
    UNDERLYING,
    USDC,
    WAD,
)
from tests.contracts.core_env import BrownieBackend, Core, deploy_core, market_config, refused


@pytest.fixture(scope="module")
def core(project: Any, accounts: Any) -> Core:
    """The vault with 300,000 USDC and 20 WETH has sold calls of day 1 and day 7 to two takers."""
    core = deploy_core(BrownieBackend(project, accounts))
    core.fund(core.vault, 300_000, 20)
    for who in core.takers[:3]:
        core.fund(who, 20_000, 5)
    names = sorted(core.series(d, k) for d in (1, 7) for k in (2_000, 2_200))
    core.desk.list(names, {"from": core.gov})
    for who in core.takers[:2]:
        core.desk.trade([(s, WAD) for s in names], 10**30, FOREVER, {"from": who})
    return core


def limits(core: Core) -> tuple:
    return core.hedge.epoch(), FOREVER, 10**12, b"\x01" * 32


def sell(core: Core, eth: float) -> tuple:
    return core.venue, -round(eth * WAD), 1_980 * WAD, b""


def test_incident_01_an_upgrade_of_the_feed_mixes_no_scales(core: Core) -> None:
    """18 decimals behind an address that had 8: the old scale stays, and the absurd price is none."""
    legs = [(core.series(7, 2_000), WAD)]
    core.feed.setDecimals(18, {"from": core.gov})
    core.feed.push(2_000 * 10**18, core.now, {"from": core.gov})
    assert core.oracle.state(UNDERLYING) == STALE
    refused(core.desk.trade, legs, 10**40, FOREVER, by=core.takers[0], error="ActionNotAllowed")
    args = (2, core.weth, core.usdc, market_config(core))
    refused(core.oracle.registerMarket, *args, by=core.gov, error="FeedDecimalsUnexpected")


def test_incident_02_a_series_has_one_id(core: Core) -> None:
    """Every bit of the word is checked or means something, so no second id settles apart from the first."""
    series = core.series(7, 2_000)
    for bit in range(1, 8):
        spoofed = [(series ^ (1 << bit), WAD)]
        trade = (core.vault, core.takers[0], 0, spoofed)
        refused(core.clearinghouse.trade, [trade], by=core.market, error="StrikeOutOfRange")


def test_incident_04_a_blocked_winner_blocks_nobody(core: Core) -> None:
    bad, good = core.takers[:2]
    core.usdc.setBlocked(bad, True, {"from": core.gov})
    core.prove(1, 2_300.0)
    expiry = core.expiry(1)
    for name in ("convert", "finalise", "claim"):
        args = [[core.vault, bad, good]] if name != "finalise" else []
        getattr(core.clearinghouse, name)(UNDERLYING, expiry, *args, {"from": core.gov})
    core.check_books()
    free = core.clearinghouse.freeCashOf(good)
    core.clearinghouse.withdrawCash(free, good, {"from": good})
    refused(core.clearinghouse.withdrawCash, USDC, bad, by=bad, error="HolderBlocked")
    core.clearinghouse.withdrawCash(USDC, core.takers[2], {"from": bad})


def test_incident_06_a_callback_corrupts_no_count(core: Core) -> None:
    """A venue deposits, donates and re-enters in the middle of its trade: the vault gets what arrived, once."""
    house, venue = core.clearinghouse, core.venue
    core.usdc.mint(venue, 500 * USDC, {"from": core.gov})
    venue.setHook(house, house.depositCash.encode_input(500 * USDC), {"from": core.gov})
    before = core.cash(core.vault), tuple(house.totals())
    core.hedge.rebalance([sell(core, 1)], limits(core), {"from": core.keeper})
    core.check_books()
    assert str(venue.hookResult()) == "0x3ee5aeb5"
    assert core.cash(core.vault) - before[0] == 2_500 * WAD
    assert house.totals()[0] - before[1][0] == 2_500 * USDC


def test_incident_07_an_expired_leg_breaks_no_read(core: Core) -> None:
    """Expired and unproven, then with the feed gone, then proven: Greeks, equity, margin and hedging go on."""
    core.warp(core.expiry(1) + 30)
    first_round = core.set_spot(1_990.0)
    core.lens.greeksOf(core.vault, UNDERLYING)
    assert 0 <= core.lens.equityOf(core.vault) - core.margin(core.vault)[0] < WAD // 1000
    core.commit(core.slice(0.8, 7), spot=1_990.0)
    core.hedge.rebalance([sell(core, 1)], limits(core), {"from": core.keeper})
    core.trade(core.vault, core.takers[0], [(core.series(7, 2_000), -1)])
    core.oracle.proveSettlement(UNDERLYING, core.expiry(1), first_round, {"from": core.gov})
    core.margin(core.vault)
    core.check_books()


def test_incident_08_a_hedge_of_the_wrong_sign_is_refused(core: Core) -> None:
    delta = core.hedge.netDelta(UNDERLYING)[0]
    assert delta > 0
    buy = core.venue, WAD, 2_020 * WAD, b""
    refused(core.hedge.rebalance, [buy], limits(core), by=core.keeper, error="WrongSign")
    refused(
        core.hedge.rebalance, [sell(core, 19)], limits(core),
        by=core.keeper, error="DeltaOvershoot",
    )  # fmt: skip


def test_incident_10_a_donation_moves_no_account_and_no_price(core: Core) -> None:
    giver = core.takers[2]
    # The portfolio and not its equity: option marks move with every second, and equity is read from nothing else.
    before = core.clearinghouse.portfolioOf(core.vault), tuple(core.clearinghouse.totals())
    for token in (core.usdc, core.weth):
        token.mint(giver, 10**24, {"from": giver})
        token.transfer(core.clearinghouse, 10**24, {"from": giver})
    assert core.clearinghouse.portfolioOf(core.vault) == before[0]
    assert tuple(core.clearinghouse.totals()) == before[1]
    core.check_books()


@pytest.mark.parametrize(("answer", "age"), [(0, 0), (-1, 0), (2_000, -500), (2_000, 3_601)])
def test_incident_11_each_fault_of_an_answer_is_enough(core: Core, answer: int, age: int) -> None:
    core.feed.push(answer * 10**FEED_DECIMALS, core.now - age, {"from": core.gov})
    assert core.oracle.state(UNDERLYING) == STALE
    refused(
        core.desk.trade, [(core.series(7, 2_000), WAD)], 10**30, FOREVER,
        by=core.takers[0], error="ActionNotAllowed",
    )  # fmt: skip
    if (
        age == 3_601
    ):  # An old answer still gives Greeks: hedging goes on, at the pool's mean (I-07).
        delta = core.hedge.netDelta(UNDERLYING)[0]
        core.hedge.rebalance([sell(core, 1)], limits(core), {"from": core.keeper})
        assert core.hedge.netDelta(UNDERLYING)[0] == delta - WAD
        far = core.venue, -WAD, 1_970 * WAD, b""
        refused(
            core.hedge.rebalance, [far], limits(core),
            by=core.keeper, error="LimitPriceOffOracle",
        )  # fmt: skip
    else:
        refused(
            core.hedge.rebalance, [sell(core, 1)], limits(core),
            by=core.keeper, error="FeedAnswerInvalid",
        )  # fmt: skip


def test_incident_12_no_guard_waits_for_an_old_price(core: Core) -> None:
    """After 13 days without a round one round is enough: no deviation is measured against the old one."""
    core.warp(core.now + 13 * 86_400)
    assert core.oracle.state(UNDERLYING) == STALE
    core.set_spot(150.0)
    assert core.oracle.state(UNDERLYING) == FRESH
    core.commit(core.slice(3.0, 14), spot=150.0)
    free = core.clearinghouse.freeCashOf(core.takers[2])
    core.clearinghouse.withdrawCash(free, core.takers[2], {"from": core.takers[2]})


# ---------------------------------------------------------------- attempts on the core


def test_attack_a_seller_takes_out_what_another_expiry_needs(core: Core) -> None:
    """The loss on a call eats the cash behind a put; what the put needs stays, in cash or WETH."""
    one = core.takers[2]
    call, put = core.series(1, 2_000), core.series(7, 2_000, call=False)
    core.trade(core.vault, one, [(call, -5), (put, -10)])
    core.prove(1, 3_000.0)
    core.clearinghouse.convert(UNDERLYING, core.expiry(1), [one], {"from": one})
    assert (core.cash(one), core.base(one)) == (15_000 * WAD, 5 * WAD)
    house = core.clearinghouse
    house.withdrawBase(5 * WAD, one, {"from": one})
    refused(house.withdrawCash, 14_500 * USDC, one, by=one, error="BelowInitialMargin")


def test_attack_a_stranger_settles_others_to_their_harm(core: Core) -> None:
    """Whoever converts, claims and in which batch, everybody ends with the same."""
    core.prove(1, 2_400.0)
    stranger, expiry = core.takers[4], core.expiry(1)
    house, by = core.clearinghouse, {"from": stranger}
    expected = {who: core.cash(who) + 600 * WAD for who in core.takers[:2]}
    vault_cash = core.cash(core.vault)
    house.convert(UNDERLYING, expiry, [core.takers[1], core.vault, stranger, core.vault], by)
    house.finalise(UNDERLYING, expiry, by)
    house.claim(UNDERLYING, expiry, [core.takers[1]], by)
    house.claim(UNDERLYING, expiry, [stranger, core.takers[0], core.takers[1]], by)
    assert {who: core.cash(who) for who in core.takers[:2]} == expected
    assert core.cash(core.vault) == vault_cash - 1_200 * WAD
    core.check_books()


def test_attack_legs_cannot_be_given_to_another_account(core: Core) -> None:
    """Only markets move legs, and the desk moves those of its caller alone."""
    victim, attacker = core.takers[1], core.takers[2]
    legs = to_legs([(core.series(7, 2_000), -1)])
    for maker, taker in ((victim, attacker), (core.vault, victim)):
        trade = (maker, taker, 10**20, legs)
        refused(core.clearinghouse.trade, [trade], by=attacker, error="OnlyMarket")
    before = core.legs(victim)
    core.desk.trade(legs, 10**30, FOREVER, {"from": attacker})
    assert core.legs(victim) == before
