"""RiskEngine against the keeper's margin shadow, against plain sums of marks, and against rules that need no model."""

import random
from typing import Any

import pytest

from keeper.portfolio.book import Market as ShadowMarket
from keeper.portfolio.margin_shadow import (
    ChainHedge,
    ChainPortfolio,
    gross_usd,
    parameters_of,
    shadow_margin,
)
from keeper.pricing import svi
from keeper.units import pack_leg
from tests.contracts.core_accounts import to_legs, to_packed, wad
from tests.contracts.core_constants import (
    AGED_SLICE,
    DAY,
    FRESH_SLICE,
    MARGIN_PARAMETERS,
    UNDERLYING,
    VOL,
    WAD,
)
from tests.contracts.core_env import BrownieBackend, Core, deploy_core, refused
from tests.contracts.margin_model import Market, greeks, price

RULES = parameters_of(MARGIN_PARAMETERS)
REL = 1e-9
# The scenarios of margin are within 1e-7 of the larger of forward and strike per contract.
MARGIN_REL = 1e-6


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


def drawn(core: Core, seed: int) -> ChainPortfolio:
    """Up to 32 legs, calls and puts of one strike among them, and by turns WETH, one venue or two, solvent or not."""
    draw = random.Random(seed)
    names = {
        core.series(draw.choice((1, 7, 14)), draw.randrange(1_000, 4_000, 50), draw.random() < 0.5)
        for _ in range(draw.randint(1, 16))
    }
    names |= {name ^ 1 for name in sorted(names) if draw.random() < 0.4}
    order = draw.sample(sorted(names), len(names))
    legs = tuple((s, wad(round(draw.uniform(-20, 20), 6) or 1.0)) for s in order)
    hedges = []
    for _ in range(seed % 3):
        base = wad(round(draw.uniform(-30, 30), 6))
        threshold = wad(round(draw.uniform(0.7, 0.9), 6))
        share = round(draw.uniform(0.9, 2.5), 6)
        worth = base * int(core.oracle.spot(UNDERLYING)[0]) // WAD
        quote = -worth * wad(share) // WAD if base < 0 else -worth * WAD // wad(share + 0.4)
        hedges.append(ChainHedge(base, quote, threshold, wad(0.05)))
    cash = wad(round(draw.uniform(-1e5, 1e6), 6))
    base = wad(round(draw.uniform(0, 30), 6)) * (seed % 2)
    return ChainPortfolio(UNDERLYING, cash, base, tuple(hedges), legs)


def shadow_of(core: Core, portfolio: ChainPortfolio) -> tuple[float, float, float]:
    """Equity, initial, maintenance, USD."""
    at = market(core)
    own = ShadowMarket(at.now_s, at.spot, at.slices, at.settled)
    found = shadow_margin(portfolio, {UNDERLYING: own}, RULES)
    return found.equity_usd, found.initial_usd, found.maintenance_usd


def gross(core: Core, portfolio: ChainPortfolio) -> float:
    at = market(core)
    return gross_usd(portfolio, {UNDERLYING: ShadowMarket(at.now_s, at.spot, {}, {})})


def of_legs(*legs: tuple[int, float], base: float = 0.0) -> ChainPortfolio:
    return ChainPortfolio(UNDERLYING, 0, wad(base), (), tuple(to_legs(legs)))


def margin_of(core: Core, portfolio: ChainPortfolio) -> list[float]:
    return [int(x) / WAD for x in core.engine.margin(portfolio.as_tuple(), FRESH_SLICE)]


@pytest.mark.parametrize("seed", range(9))
def test_value_greeks_and_margin_equal_the_models(core: Core, seed: int) -> None:
    book, at = drawn(core, seed), market(core)
    unit = gross(core, book)
    equity, initial, maintenance = shadow_of(core, book)
    assert int(core.marks.equity(book.as_tuple(), FRESH_SLICE)) / WAD == pytest.approx(
        equity, abs=REL * unit
    )
    found = margin_of(core, book)
    assert found == pytest.approx([equity, initial, maintenance], abs=MARGIN_REL * unit)
    legs = [pack_leg(*leg) for leg in book.legs]
    rows = [(size / WAD, greeks(series, at)) for series, size in book.legs]
    value, delta, gamma, vega, theta = (sum(n * g[i] for n, g in rows) for i in range(5))
    assert int(core.marks.optionValue(legs, FRESH_SLICE)) / WAD == pytest.approx(
        value, abs=REL * unit
    )
    found = [int(x) / WAD for x in core.marks.optionGreeks(UNDERLYING, legs)]
    contracts = sum(abs(n) for n, _ in rows)
    assert found[:2] == pytest.approx([delta, gamma], abs=REL * contracts)
    assert found[2] == pytest.approx(vega, abs=REL * unit)
    assert found[3] == pytest.approx(theta, abs=REL * unit * 100)


def test_a_leg_in_parts_is_the_leg(core: Core) -> None:
    """Sizes of one series are added before anything is asked of them: parts that cancel are nobody's short."""
    call, put = core.series(7, 2_000), core.series(7, 2_000, False)
    whole = of_legs((call, 3.0), (put, -2.0))
    parts = of_legs((call, -4.0), (put, -5.0), (call, 7.0), (put, 3.0))
    for slice_ in (FRESH_SLICE, AGED_SLICE):
        both = [core.engine.margin(book.as_tuple(), slice_) for book in (whole, parts)]
        assert tuple(both[0]) == tuple(both[1])
    words = [book.as_tuple()[4] for book in (whole, parts)]
    assert core.marks.optionValue(words[0], FRESH_SLICE) == core.marks.optionValue(
        words[1], FRESH_SLICE
    )
    found = [tuple(core.marks.optionGreeks(UNDERLYING, part)) for part in words]
    assert found[0] == found[1]
    assert margin_of(core, of_legs((call, -1.0), (call, 1.0))) == [0.0, 0.0, 0.0]


def test_a_synthetic_forward_is_a_forward(core: Core) -> None:
    """A call less a put of one strike has no volatility in it: its worst loss is the largest fall's."""
    legs = [(core.series(7, 2_000), 5.0), (core.series(7, 2_000, False), -5.0)]
    spot, forward = market(core).spot, core.surface.volAndForward(
        UNDERLYING, core.expiry(7), 2_000 * WAD, core.oracle.spot(UNDERLYING)[0]
    )[0] / WAD  # fmt: skip
    equity, initial, _ = margin_of(core, of_legs(*legs))
    assert equity == pytest.approx(5 * (forward - 2_000), abs=1e-6)
    fall = max(MARGIN_PARAMETERS[0] / WAD, MARGIN_PARAMETERS[3] * MARGIN_PARAMETERS[4] / WAD**2)
    short = 5 * spot * MARGIN_PARAMETERS[6] / WAD
    assert initial == pytest.approx(5 * forward * fall + short, rel=1e-6)
    greeks_ = core.marks.optionGreeks(UNDERLYING, to_packed(legs))
    assert greeks_[0] / WAD == pytest.approx(5 * forward / spot, rel=1e-9)
    assert tuple(greeks_[1:]) == (0, 0, 0)


def test_marks_are_per_contract_whatever_the_size(core: Core) -> None:
    legs = [(core.series(7, k, c), size) for k, c, size in
            ((1_800, True, -3), (1_800, False, 0.01), (2_200, True, 500))]  # fmt: skip
    values, found = core.marks.marks(to_legs(legs), FRESH_SLICE)
    for (series, _), value, g in zip(legs, values, found, strict=True):
        assert value / WAD == pytest.approx(price(series, market(core)), rel=REL)
        one = core.marks.optionGreeks(UNDERLYING, to_packed([(series, 1)]))
        # A put's come from the call of its strike.
        assert [int(x) for x in g] == pytest.approx([int(x) for x in one], rel=1e-12, abs=10)


def test_greeks_are_of_the_underlying_asked(core: Core) -> None:
    leg = to_packed([(core.series(7, 2_000), 1)])
    assert tuple(core.marks.optionGreeks(2, leg)) == (0, 0, 0, 0)


def test_an_empty_portfolio_needs_nothing_not_even_a_price(core: Core) -> None:
    core.feed.setBroken(True, {"from": core.gov})
    empty = ChainPortfolio(UNDERLYING, 5 * WAD)
    assert tuple(core.engine.margin(empty.as_tuple(), FRESH_SLICE)) == (5 * WAD, 0, 0)


def test_a_fully_hedged_call_costs_less_margin_than_a_naked_one(core: Core) -> None:
    leg = (core.series(7, 2_000), -10.0)
    naked = margin_of(core, of_legs(leg))[1]
    short = of_legs(leg)
    hedged = ChainPortfolio(UNDERLYING, 0, 0, (ChainHedge(wad(5.5), 0),), short.legs)
    assert margin_of(core, hedged)[1] < naked * 0.7


def test_margin_of_a_short_is_never_less_than_its_floor_and_contingency(core: Core) -> None:
    far = core.series(1, 20_000)
    _, initial, maintenance = core.engine.margin(of_legs((far, -7.0)).as_tuple(), FRESH_SLICE)
    spot = core.oracle.spot(UNDERLYING)[0]
    assert initial == 7 * spot * (MARGIN_PARAMETERS[5] + MARGIN_PARAMETERS[6]) // WAD
    assert maintenance == -(-initial * MARGIN_PARAMETERS[8] // WAD)


def test_a_wing_is_charged_by_the_tails(core: Core) -> None:
    """A strangle that no grid move reaches loses in the tail, and a weight of it is its margin."""
    wing = of_legs((core.series(1, 1_400, False), -10.0))
    spot = core.oracle.spot(UNDERLYING)[0] / WAD
    weight, tail = MARGIN_PARAMETERS[4] / WAD, MARGIN_PARAMETERS[3] / WAD
    expected = 10 * ((1_400 - spot * (1 - tail)) * weight + spot * MARGIN_PARAMETERS[6] / WAD)
    assert margin_of(core, wing)[1] == pytest.approx(expected, rel=0.02)


def test_a_venue_that_would_be_liquidated_costs_its_penalty(core: Core) -> None:
    """A short that is liquidated above +10 %: at +20 %, its worst scenario, it costs the penalty on its worth there."""
    spot = int(core.oracle.spot(UNDERLYING)[0])
    quote, threshold = 11 * spot * 10, wad(0.1)
    sound = ChainPortfolio(UNDERLYING, 0, 0, (ChainHedge(-10 * WAD, quote, 0, wad(0.05)),))
    weak = ChainPortfolio(UNDERLYING, 0, 0, (ChainHedge(-10 * WAD, quote, threshold, wad(0.05)),))
    moved = spot / WAD * 1.2
    difference = margin_of(core, weak)[1] - margin_of(core, sound)[1]
    assert difference == pytest.approx(10 * moved * 0.05, rel=1e-9)


def test_both_slices_can_be_asked(core: Core) -> None:
    book = drawn(core, 3).as_tuple()
    for slice_ in (FRESH_SLICE, AGED_SLICE):
        equity, initial, maintenance = core.engine.margin(book, slice_)
        assert initial > maintenance > 0
        assert int(equity) == pytest.approx(int(core.marks.equity(book, slice_)), rel=1e-4)


# ---------------------------------------------------------------- expired legs (incident 7)


def test_expired_legs_are_worth_payoff_at_spot_until_proven(core: Core) -> None:
    legs = [(core.series(1, 1_900), 2.0), (core.series(1, 2_100, False), -3.0),
            (core.series(7, 2_000), 1.0)]  # fmt: skip
    core.warp(core.expiry(1))
    core.set_spot(1_950.0)
    at, book = market(core), of_legs(*legs)
    assert core.marks.optionValue(to_packed(legs), FRESH_SLICE) / WAD == pytest.approx(
        100.0 - 450.0 + price(legs[2][0], at), rel=REL
    )
    assert margin_of(core, book) == pytest.approx(
        shadow_of(core, book), abs=MARGIN_REL * gross(core, book)
    )
    live = core.marks.optionGreeks(UNDERLYING, to_packed(legs[2:]))
    assert tuple(core.marks.optionGreeks(UNDERLYING, to_packed(legs))) == tuple(live)


def test_expired_legs_are_worth_the_proven_price_whatever_the_spot(core: Core) -> None:
    legs = [(core.series(1, 1_900), 2.0), (core.series(1, 2_100, False), -3.0)]
    core.prove(1, 1_950.0)
    for spot in (1_950.0, 3_000.0, 100.0):
        core.set_spot(spot)
        assert core.marks.optionValue(to_packed(legs), FRESH_SLICE) == -350 * WAD
        assert margin_of(core, of_legs(*legs))[1] == 0


def test_a_leg_without_a_slice_is_worth_its_intrinsic_value(core: Core) -> None:
    legs = [(core.series(30, 1_500), 1.0), (core.series(30, 2_500), -1.0)]
    assert core.marks.optionValue(to_packed(legs), FRESH_SLICE) == 500 * WAD
    assert margin_of(core, of_legs(*legs))[1] > 0


@pytest.mark.parametrize("days", [399, 5 * 365, 12 * 365, 10_000])
def test_no_tenor_makes_a_book_unreadable(core: Core, days: int) -> None:
    leg = [(core.series(days, 2_000), -1.0)]
    if core.surface.listable(core.expiry(days)):
        core.commit(core.slice(VOL, days))
    margin_of(core, of_legs(*leg))
    core.marks.optionGreeks(UNDERLYING, to_packed(leg))


# ---------------------------------------------------------------- parameters

# Hard ranges in the order of the struct; a tail is never nearer than the grid.
RANGES = [(5 * 10**16, 5 * 10**17), (10**16, 2 * WAD), (10**16, 5 * 10**17),
          (MARGIN_PARAMETERS[0], 9 * 10**17), (10**17, WAD), (0, 2 * 10**17), (0, 10**17),
          (0, 5 * 10**17), (5 * 10**17, WAD)]  # fmt: skip


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
    book = of_legs((core.series(7, 2_000), -1.0))
    before = margin_of(core, book)[1]
    core.engine.setParameters((4 * 10**17, *MARGIN_PARAMETERS[1:]), {"from": core.gov})
    assert margin_of(core, book)[1] > before
    assert core.now - core.start < DAY
