"""Bad input to the clearing room: each kind has its named error, and nothing whatever has changed after it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from tests.contracts.core_constants import DAY, FOREVER, HOUR, UNDERLYING, USDC, WAD
from tests.contracts.core_env import Core
from tests.stateful.core_revm import new_core
from tests.stateful.revm import Reverted

PHASE = 1 << 64
# MockToken.Answer.
STANDARD, REFUSAL, SILENCE = range(3)


@pytest.fixture(scope="module")
def core() -> Core:
    """One owner with 32 legs, one with a short that takes most of his cash, one with a spread, others with cash."""
    core = new_core()
    for who in core.everybody:
        core.fund(who, 1_000_000 if who == core.vault else 20_000, 1)
    full, short, *_, maker = core.takers
    legs = [(core.series(7, 1_000 + 50 * n), 0.01) for n in range(32)]
    core.trade(maker, full, legs)
    core.trade(maker, short, [(core.series(7, 2_000), -15)], -100)
    spread = [(core.series(7, 2_000), -60), (core.series(7, 2_050), 60)]
    core.trade(core.vault, core.takers[5], spread)
    core.clearinghouse.withdrawBase(WAD, short, {"from": short})
    core.token.wrap(core.series(7, 1_000), WAD // 200, {"from": full})
    core.harness = core.backend.deploy("BooksHarness")
    return core


@dataclass
class Doer:
    """Who does what in the cases below."""

    core: Core

    def trade(self, series: int, size: int = WAD, maker: int = 2, taker: int = 3) -> None:
        t = self.core.takers
        self.traded_by(self.core.market, [(t[maker], t[taker], 0, [(series, size)])])

    def traded_by(self, market: Any, trades: list) -> None:
        self.core.clearinghouse.trade(trades, {"from": market})

    def call(self, **changes: int) -> int:
        """A well-formed series with some of its fields as given."""
        parts = {"underlying": UNDERLYING, "expiry": self.core.expiry(7), "strike": 2_000 * 10**8}
        parts |= changes
        flags = parts.get("flags", 1)
        return parts["underlying"] << 112 | parts["expiry"] << 72 | parts["strike"] << 8 | flags

    def deposit(self, base: bool = False) -> None:
        house = self.core.clearinghouse
        function = house.depositBase if base else house.depositCash
        function(10**9, {"from": self.core.takers[4]})

    def withdraw(self, base: bool = False, who: int = 4, amount: int = 10**6) -> None:
        house = self.core.clearinghouse
        function = house.withdrawBase if base else house.withdrawCash
        function(amount, self.core.takers[who], {"from": self.core.takers[who]})

    def token(self, base: bool) -> Any:
        return self.core.weth if base else self.core.usdc


def fingerprint(core: Core) -> tuple:
    """Every account, total, settlement and token balance that a case could touch."""
    house, who = core.clearinghouse, core.everybody
    held = [t.balanceOf(p) for t in (core.usdc, core.weth) for p in (*who, house)]
    token = [core.token.balanceOf(p, core.series(7, 1_000)) for p in who]
    auctions = [core.auction.auctionOf(p) for p in who]
    settled = core.oracle.settlementPrice(UNDERLYING, core.expiry(1))
    books = core.harness.digests(house.address, who)
    return books, house.totals(), core.settlement(7), held, token, auctions, settled


CASES: dict[str, tuple[str, Callable[[Doer], Any]]] = {
    "a market that is not registered": (
        "OnlyMarket",
        lambda d: d.traded_by(d.core.takers[9], [(*d.core.takers[2:4], 0, [(d.call(), WAD)])]),
    ),
    "no trade at all": ("TradesEmpty", lambda d: d.traded_by(d.core.market, [])),
    "an underlying without a market": ("MarketUnknown", lambda d: d.trade(d.call(underlying=9))),
    "no underlying": ("UnderlyingZero", lambda d: d.trade(d.call(underlying=0))),
    "an expiry that is over": (
        "SeriesExpired",
        lambda d: d.trade(d.call(expiry=d.core.expiry(0))),
    ),
    "an expiry off the grid": (
        "ExpiryOffGrid",
        lambda d: d.trade(d.call(expiry=d.core.expiry(7) + 1)),
    ),
    "a strike of zero": ("StrikeOutOfRange", lambda d: d.trade(d.call(strike=0))),
    "flags that mean nothing": ("StrikeOutOfRange", lambda d: d.trade(d.call(flags=3))),
    "a thirty-third leg": ("TooManyLegs", lambda d: d.trade(d.core.series(7, 999), WAD, 2, 0)),
    "a trade with oneself": ("SelfTrade", lambda d: d.trade(d.call(), WAD, 2, 2)),
    "a size of zero": ("SizeZero", lambda d: d.trade(d.call(), 0)),
    "the largest size": ("AmountTooLarge", lambda d: d.trade(d.call(), 2**127 - 1)),
    "the least size": ("AmountTooLarge", lambda d: d.trade(d.call(), -(2**127))),
    "a premium beyond cash": (
        "CashShort",
        lambda d: d.traded_by(d.core.market, [(*d.core.takers[2:4], 10**24, [(d.call(), WAD)])]),
    ),
    "a sale without margin": ("BelowInitialMargin", lambda d: d.trade(d.call(), -90 * WAD)),
    "a withdrawal that breaks margin": (
        "BelowInitialMargin",
        lambda d: d.withdraw(who=1, amount=19_800 * USDC),
    ),
    "more tokens than are held": (
        "ERC6909InsufficientBalance",
        lambda d: d.core.token.transfer(
            d.core.takers[1], d.core.series(7, 1_000), WAD, {"from": d.core.takers[0]}
        ),
    ),
    "tokens of a short": (
        "LegShort",
        lambda d: d.core.token.wrap(d.core.series(7, 2_000), 1, {"from": d.core.takers[1]}),
    ),
    "a wrap that breaks margin": (
        "BelowInitialMargin",
        lambda d: d.core.token.wrap(d.core.series(7, 2_050), 60 * WAD, {"from": d.core.takers[5]}),
    ),
    "an auction of a healthy account": (
        "AboveMaintenance",
        lambda d: d.core.auction.start(d.core.takers[1], {"from": d.core.gov}),
    ),
    "a bid where nothing is sold": (
        "NotRunning",
        lambda d: d.core.auction.bid(
            d.core.takers[1], WAD, 10**30, b"\0" * 32, FOREVER, {"from": d.core.takers[2]}
        ),
    ),
    "a cure of an account that owes nothing": (
        "NoDebt",
        lambda d: d.core.clearinghouse.cure(d.core.takers[1], WAD, {"from": d.core.gov}),
    ),
    "a settlement without a proof": (
        "NotProven",
        lambda d: d.core.clearinghouse.convert(
            UNDERLYING, d.core.expiry(7), d.core.takers[:2], {"from": d.core.gov}
        ),
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_is_refused_by_name(core: Core, name: str) -> None:
    error, act = CASES[name]
    before = fingerprint(core)
    with pytest.raises(Reverted) as refusal:
        act(Doer(core))
    assert refusal.value.name == error
    assert fingerprint(core) == before


@pytest.mark.parametrize("base", [False, True], ids=["USDC", "WETH"])
@pytest.mark.parametrize("way", ["in", "out"])
def test_a_token_that_answers_false_is_refused(core: Core, way: str, base: bool) -> None:
    doer = Doer(core)
    doer.token(base).mint(core.takers[4], 10**10, {"from": core.gov})
    doer.token(base).setAnswer(REFUSAL, {"from": core.gov})
    before = fingerprint(core)
    with pytest.raises(Reverted) as refusal:
        doer.deposit(base) if way == "in" else doer.withdraw(base)
    doer.token(base).setAnswer(STANDARD, {"from": core.gov})
    assert refusal.value.name == "SafeERC20FailedOperation"
    assert fingerprint(core) == before


@pytest.mark.parametrize("base", [False, True], ids=["USDC", "WETH"])
def test_a_token_that_answers_nothing_works(core: Core, base: bool) -> None:
    """As some old and large ones do."""
    doer, who = Doer(core), core.takers[4]
    doer.token(base).mint(who, 10**10, {"from": core.gov})
    before = core.clearinghouse.accountOf(who)
    doer.token(base).setAnswer(SILENCE, {"from": core.gov})
    doer.deposit(base)
    doer.withdraw(base, amount=10**9)
    doer.token(base).setAnswer(STANDARD, {"from": core.gov})
    assert core.clearinghouse.accountOf(who) == before


@pytest.mark.parametrize("base", [False, True], ids=["USDC", "WETH"])
def test_a_token_that_takes_a_fee_is_refused(core: Core, base: bool) -> None:
    doer = Doer(core)
    doer.token(base).mint(core.takers[4], 10**10, {"from": core.gov})
    doer.token(base).setFee(10**15, {"from": core.gov})
    before = fingerprint(core)
    with pytest.raises(Reverted) as refusal:
        doer.deposit(base)
    doer.token(base).setFee(0, {"from": core.gov})
    assert refusal.value.name == "TransferShort"
    assert fingerprint(core) == before


@pytest.mark.parametrize(
    ("previous", "first", "error"),
    [
        (PHASE + 5, 2 * PHASE + 1, "RoundOfOtherPhase"),
        (PHASE + 5, PHASE + 9, "RoundMissing"),
    ],
    ids=["of another phase", "that is missing"],
)
def test_a_round_is_refused(previous: int, first: int, error: str) -> None:
    core = new_core()
    expiry, by = core.expiry(1), {"from": core.gov}
    core.warp(expiry + DAY)
    core.feed.setRound(previous, 2_000 * 10**8, expiry - HOUR // 2, by)
    if error != "RoundMissing":
        core.feed.setRound(first, 2_000 * 10**8, expiry + 30, by)
    with pytest.raises(Reverted) as refusal:
        core.oracle.proveSettlement(UNDERLYING, expiry, first, by)
    assert refusal.value.name == error
    assert core.oracle.settlementPrice(UNDERLYING, expiry) == 0
