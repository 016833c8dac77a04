"""RiskEngine against the model in margin_model.py, and against the rules that no model needs."""

import random
from typing import Any

import pytest

from keeper.pricing import svi
from tests.contracts.core_env import (
    DAY,
    MARGIN_PARAMETERS,
    SPOT_USD,
    UNDERLYING,
    VOL,
    WAD,
    BrownieBackend,
    Core,
    deploy_core,
    refused,
    to_legs,
)
from tests.contracts.margin_model import (
    Book,
    MarginRules,
    Market,
    book_greeks,
    equity,
    margin,
    price,
)

RULES = MarginRules(*(p / WAD for p in MARGIN_PARAMETERS))
REL = 1e-9
# The scenarios of margin are within 1e-7 of the larger of forward and strike per contract.
MARGIN_REL = 2e-7


@pytest.fixture(scope="module")
def core(project: Any, accounts: Any) -> Core:
    """Skewed slices with carry, so that forward and spot differ."""
    core = deploy_core(BrownieBackend(project, accounts))
    core.warp(core.now + 100)
    core.commit(*(core.slice(VOL + d / 50, d, carry=0.05, skew=0.2) for d in (1, 7, 14)))
    core.warp(core.now + 5 * 3600)
    return core


def market(core: Core, settled: dict[int, float] | None = None) -> Market:
    slices = {}
    for days in (1, 7, 14):
        word, carry, at = map(int, core.surface.sliceOf(UNDERLYING, core.expiry(days)))
        slices[core.expiry(days)] = svi.slice_from_word(word, core.expiry(days), carry / WAD, at)
    spot = core.oracle.spot(UNDERLYING)[0] / WAD
    return Market(core.now, spot, slices, settled or {})


def drawn(core: Core, seed: int) -> Book:
    draw = random.Random(seed)
    names = {
        core.series(draw.choice((1, 7, 14)), draw.randrange(1_000, 4_000, 50), draw.random() < 0.5)
        for _ in range(draw.randint(1, 16))
    }
    legs = [(s, round(draw.uniform(-20, 20), 6) or 1.0) for s in sorted(names)]
    return Book(legs, round(draw.uniform(-1e5, 1e6), 6), round(draw.uniform(-30, 30), 6))


def portfolio(book: Book) -> tuple:
    """IRiskEngine.Portfolio: a positive part of the base in the account, the rest at venues."""
    own = max(book.base, 0.0) / 2
    base = round(own * WAD), round(book.base * WAD) - round(own * WAD)
    return (
        UNDERLYING,
        round(book.quote / 3 * WAD),
        base[0],
        base[1],
        round(book.quote * WAD) - round(book.quote / 3 * WAD),
        to_legs(book.legs),
    )


def scale(book: Book) -> float:
    """USD that the book is about: what a relative error is relative to."""
    return abs(book.quote) + SPOT_USD * (abs(book.base) + sum(abs(s) for _, s in book.legs))


@pytest.mark.parametrize("seed", range(8))
def test_value_greeks_and_margin_equal_the_model(core: Core, seed: int) -> None:
    book, at = drawn(core, seed), market(core)
    unit = scale(book)
    options = Book(book.legs)
    found = core.engine.optionValue(to_legs(book.legs)) / WAD
    assert found == pytest.approx(equity(options, at), abs=REL * unit)
    found = core.engine.equity(portfolio(book)) / WAD
    assert found == pytest.approx(equity(book, at), abs=REL * unit)
    found = [x / WAD for x in core.engine.margin(portfolio(book))]
    assert found == pytest.approx(margin(book, at, RULES), abs=MARGIN_REL * unit)
    delta, gamma, vega, theta = (
        int(x) / WAD for x in core.engine.optionGreeks(UNDERLYING, to_legs(book.legs))
    )
    contracts = sum(abs(s) for _, s in book.legs)
    model = book_greeks(book, at)
    assert delta == pytest.approx(model[0], abs=REL * contracts)
    assert gamma == pytest.approx(model[1], abs=REL * contracts)
    assert vega == pytest.approx(model[2], abs=REL * unit)
    assert theta == pytest.approx(model[3], abs=REL * unit * 100)


def test_marks_are_per_contract_whatever_the_size(core: Core) -> None:
    legs = [(core.series(7, k, c), size) for k, c, size in
            ((1_800, True, -3), (1_800, False, 0.01), (2_200, True, 500))]  # fmt: skip
    values, greeks = core.engine.marks(to_legs(legs))
    for (series, _), value, g in zip(legs, values, greeks, strict=True):
        assert value / WAD == pytest.approx(price(series, market(core)), rel=REL)
        one = core.engine.optionGreeks(UNDERLYING, [(series, WAD)])
        assert tuple(g) == tuple(one)


def test_greeks_are_of_the_underlying_asked(core: Core) -> None:
    leg = [(core.series(7, 2_000), WAD)]
    assert tuple(core.engine.optionGreeks(2, leg)) == (0, 0, 0, 0)


def test_an_empty_portfolio_needs_nothing_not_even_a_price(core: Core) -> None:
    core.feed.setBroken(True, {"from": core.gov})
    assert tuple(core.engine.margin((UNDERLYING, 5 * WAD, 0, 0, 0, []))) == (5 * WAD, 0, 0)


def test_a_fully_hedged_call_costs_less_margin_than_a_naked_one(core: Core) -> None:
    leg = [(core.series(7, 2_000), -10.0)]
    naked = core.engine.margin(portfolio(Book(leg)))[1]
    hedged = core.engine.margin(portfolio(Book(leg, base=5.5)))[1]
    assert hedged < naked * 0.7


def test_margin_of_a_short_is_never_less_than_its_contingency(core: Core) -> None:
    far = core.series(1, 20_000)
    _, initial, maintenance = core.engine.margin(portfolio(Book([(far, -7.0)])))
    spot = core.oracle.spot(UNDERLYING)[0]
    assert initial >= 7 * spot * MARGIN_PARAMETERS[3] // WAD
    assert maintenance == -(-initial * MARGIN_PARAMETERS[4] // WAD)


# ---------------------------------------------------------------- expired legs (incident 7)


def test_expired_legs_are_worth_payoff_at_spot_until_proven(core: Core) -> None:
    legs = [(core.series(1, 1_900), 2.0), (core.series(1, 2_100, False), -3.0),
            (core.series(7, 2_000), 1.0)]  # fmt: skip
    core.warp(core.expiry(1))
    core.set_spot(1_950.0)
    at, book = market(core), Book(legs)
    assert core.engine.optionValue(to_legs(legs)) / WAD == pytest.approx(
        100.0 - 450.0 + price(legs[2][0], at), rel=REL
    )
    found = [x / WAD for x in core.engine.margin(portfolio(book))]
    assert found == pytest.approx(margin(book, at, RULES), rel=MARGIN_REL * 10)
    live = core.engine.optionGreeks(UNDERLYING, to_legs(legs[2:]))
    assert tuple(core.engine.optionGreeks(UNDERLYING, to_legs(legs))) == tuple(live)


def test_expired_legs_are_worth_the_proven_price_whatever_the_spot(core: Core) -> None:
    legs = [(core.series(1, 1_900), 2.0), (core.series(1, 2_100, False), -3.0)]
    core.prove(1, 1_950.0)
    for spot in (1_950.0, 3_000.0, 100.0):
        core.set_spot(spot)
        assert core.engine.optionValue(to_legs(legs)) == -350 * WAD
        assert core.engine.margin(portfolio(Book(legs)))[1] == 0


def test_a_leg_without_a_slice_is_worth_its_intrinsic_value(core: Core) -> None:
    legs = [(core.series(30, 1_500), 1.0), (core.series(30, 2_500), -1.0)]
    assert core.engine.optionValue(to_legs(legs)) == 500 * WAD
    assert core.engine.margin(portfolio(Book(legs)))[1] > 0


@pytest.mark.parametrize("days", [399, 5 * 365, 12 * 365, 10_000])
def test_no_tenor_makes_a_book_unreadable(core: Core, days: int) -> None:
    leg = [(core.series(days, 2_000), -1.0)]
    if core.surface.listable(core.expiry(days)):
        core.commit(core.slice(VOL, days))
    core.engine.margin(portfolio(Book(leg)))
    core.engine.optionGreeks(UNDERLYING, to_legs(leg))


# ---------------------------------------------------------------- full collateral


def test_full_collateral_is_the_strike_for_puts_and_one_eth_for_calls(core: Core) -> None:
    legs = [(core.series(7, 1_800, False), -2.5), (core.series(7, 2_200), -1.25),
            (core.series(7, 2_000), 9.0), (core.series(14, 0.00000001, False), -1e-18)]  # fmt: skip
    cash, base = core.engine.fullCollateral(to_legs(legs))
    assert (cash, base) == (4_500 * WAD + 1, 125 * WAD // 100)
    assert tuple(core.engine.fullCollateral([])) == (0, 0)


# ---------------------------------------------------------------- parameters

RANGES = [(5 * 10**16, 5 * 10**17), (10**16, 2 * WAD), (10**16, 5 * 10**17), (0, 10**17),
          (5 * 10**17, WAD)]  # fmt: skip


@pytest.mark.parametrize(("place", "low", "high"), [(i, *r) for i, r in enumerate(RANGES)])
def test_parameters_have_hard_ranges(core: Core, place: int, low: int, high: int) -> None:
    for value, inside in ((low, True), (high, True), (low - 1, low == 0), (high + 1, False)):
        parameters = list(MARGIN_PARAMETERS)
        parameters[place] = max(value, 0)
        if inside:
            core.engine.setParameters.call(parameters, {"from": core.gov})
        else:
            refused(
                core.engine.setParameters,
                parameters,
                by=core.gov,
                error="MarginParameterOutOfRange",
            )


def test_new_parameters_apply_at_once(core: Core) -> None:
    book = portfolio(Book([(core.series(7, 2_000), -1.0)]))
    before = core.engine.margin(book)[1]
    core.engine.setParameters((4 * 10**17, *MARGIN_PARAMETERS[1:]), {"from": core.gov})
    assert core.engine.margin(book)[1] > before
    assert core.now - core.start < DAY
