"""The core contracts against small mocks, wired as a deployment would, with helpers for tests.

Contracts are called alike on brownie's node and in process (tests/stateful): `contract.f(*args, {"from": who})`
sends, `contract.f(*args)` reads. Money is WAD unless a name says otherwise; times are unix seconds.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Protocol

from eth_utils import function_signature_to_4byte_selector

from keeper.models import SviSlice
from keeper.pricing import svi
from keeper.pricing.svi import find_arbitrage
from keeper.units import encode_series, pack_leg

WAD = 10**18
USDC = 10**6
UNDERLYING = 1
HOUR = 3600
DAY = 24 * HOUR
FRESH, DEVIATING, STALE, SEQUENCER_DOWN, DEPEGGED = range(5)
FOREVER = 2**63

FEED_DECIMALS = 8
MAX_AGE_S = HOUR
TWAP_WINDOW_S = 1800
MAX_DEVIATION = 2 * 10**16
QUOTE_MAX_AGE_S = 3 * DAY
ZERO_ADDRESS = "0x" + "00" * 20
# In the order of the contracts' structs.
ORACLE_PARAMETERS = (
    2 * 10**16,  # depegBand
    HOUR,  # sequencerGrace
    HOUR,  # phaseWindow
    6 * HOUR,  # roundDeadline
    3 * DAY,  # feedDelay
    3 * DAY,  # halfLife
)
SURFACE_PARAMETERS = (
    5 * 10**16,  # minVol
    4 * WAD,  # maxVol
    WAD // 2,  # maxCarry
    10**16,  # maxSpotDeviation
    WAD // 5,  # levelRate
    WAD // 10,  # skewRate
    WAD // 2,  # wingRate
    5 * 10**15,  # forwardRate
    WAD // 5,  # realisedLow
    5 * WAD,  # realisedHigh
    3 * HOUR,  # creditCap
    HOUR,  # referenceAge
    4 * HOUR,  # minTenor
    48,  # realisedSamples
    7,  # realisedMaxDays
    12 * HOUR,  # listingCredit
    2 * HOUR,  # openMaxAge
    6 * HOUR,  # hedgeMaxAge
    30 * DAY,  # closeMaxAge
    400,  # dailyDays
    400,  # weeklyDays
    400,  # monthlyDays
)
MARGIN_PARAMETERS = (
    2 * 10**17,  # spotMove
    45 * 10**16,  # volUp
    3 * 10**17,  # volDown
    5 * 10**17,  # tailMove
    35 * 10**16,  # tailWeight
    3 * 10**16,  # shortFloor
    10**16,  # contingency
    5 * 10**16,  # baseHaircut
    75 * 10**16,  # maintenanceShare
)
DEBT_PARAMETERS = (
    1_000_000 * WAD,  # cap
    0,  # rate: tests of debts alone set one, so that other books stand still
    5 * 10**16,  # cureDiscount
    60,  # cureRamp
)
# IRiskEngine.Slice, IClearinghouse.Market.
FRESH_SLICE, AGED_SLICE = range(2)
NO_MARKET, DESK, AUCTION, TOKEN = range(4)
DESK_PARAMETERS = (
    2 * 10**16,  # volSpread
    WAD // 2,  # minSpread
    4 * 10**15,  # latencyFloor
    3 * 10**14,  # takerFee
    WAD // 8,  # feeCap
    2 * 10**16,  # vegaSkew
    5 * 10**14,  # gammaSkew
    10**15,  # deltaSkew
    5 * 10**14,  # hedgeFee
    2 * 10**15,  # hedgeImpact
    5 * 10**16,  # rfqBand
    9 * WAD // 10,  # maxUtilisation
    10**6 * WAD,  # vegaLimit
    10**9 * WAD,  # gammaLimit
    1_000 * WAD,  # deltaScale
    10_000 * WAD,  # expiryLimit
    WAD,  # hedgeGas
    WAD // 100,  # minSize
    HOUR,  # openCutoff
    4 * HOUR,  # stanceMaxAge
)
HEDGE_PARAMETERS = (
    WAD // 2,  # band
    WAD // 2,  # minReduction
    10**16,  # maxSlippage
    5 * WAD,  # grossCap
    12 * 10**17,  # minHealth
    5_000 * WAD,  # budgetCap
    WAD // 4,  # budgetRefill
    6 * HOUR,  # surfaceMaxAge
    WAD // 100,  # clip
)
FALLBACK_PARAMETERS = (
    3 * WAD,  # emergencyBand
    2 * HOUR,  # silence
    HOUR // 2,  # wait
    DAY,  # lapse
    60,  # pause
    5 * WAD,  # slice
    5 * 10**15,  # maxSlippage
    WAD // 20,  # spentShare
    1_000 * WAD,  # reserveCap
    WAD // 100,  # reserveRefill
    HOUR,  # bountyRamp
    20 * WAD,  # bountyCap
)
AUCTION_PARAMETERS = (
    HOUR // 2,  # fallTime
    HOUR // 2,  # insuranceTime
    HOUR,  # lapse
    2 * HOUR,  # vaultDelay
    HOUR,  # unwindDelay
    WAD // 100,  # minShare
    50 * WAD,  # bounty
    WAD // 100,  # bountyShare
    WAD // 2,  # insuranceShare
    10 * WAD,  # dust
)
# AccessManager's role of whoever may bring venues home.
LIQUIDATOR = 4
SPOT_USD = 2_000.0
# Room for the blocks of a deployment, a second each.
EARLIER_S = 300
VOL = 0.8


class Backend(Protocol):
    """Where contracts run. `people` are addresses or accounts, [0] deploys."""

    people: Sequence[Any]

    def deploy(self, name: str, *args: Any) -> Any: ...

    def now(self) -> int: ...

    def warp(self, to: int) -> None: ...


class BrownieBackend:
    """Brownie's project on the session's node."""

    def __init__(self, project: Any, accounts: Any) -> None:
        self.project, self.people = project, accounts

    def deploy(self, name: str, *args: Any) -> Any:
        return getattr(self.project, name).deploy(*args, {"from": self.people[0]})

    def now(self) -> int:
        import brownie

        return int(brownie.chain[-1].timestamp)

    def warp(self, to: int) -> None:
        """Mine a block at exactly `to`; calls read its time."""
        self.at(to)
        self.request("evm_mine", [])

    def at(self, moment: int) -> None:
        """Give the next block the time `moment`."""
        self.request("evm_setNextBlockTimestamp", [moment])

    @staticmethod
    def request(method: str, params: list[Any]) -> None:
        import brownie

        answer = brownie.web3.provider.make_request(method, params)
        assert "error" not in answer, answer


@dataclass
class Core:
    """Everything that is deployed, and who is who."""

    backend: Any
    authority: Any
    usdc: Any
    weth: Any
    feed: Any
    quote: Any
    pool: Any
    oracle: Any
    surface: Any
    engine: Any
    clearinghouse: Any
    lens: Any
    desk: Any
    rfq: Any
    hedge: Any
    fallback: Any
    venue: Any
    token: Any
    auction: Any
    gov: Any
    keeper: Any
    committer: Any
    vault: Any
    market: Any
    takers: list[Any]
    start: int
    base_first: bool

    @property
    def now(self) -> int:
        return int(self.backend.now())

    def warp(self, to: int) -> None:
        self.backend.warp(to)

    def expiry(self, days: int) -> int:
        """08:00 UTC, `days` after the deployment's day. Day 0 is one hour before the deployment."""
        return self.start - HOUR + days * DAY

    def series(self, days: int, strike: float, call: bool = True, underlying: int = 1) -> int:
        return encode_series(underlying, self.expiry(days), strike, call)

    # ------------------------------------------------------------------ market

    def set_spot(self, usd: float, pool_usd: float | None = None, at: int | None = None) -> int:
        """A feed round (now unless `at`), USDC at par, and the pool's price and mean. Returns the round's id."""
        self.set_pool(usd if pool_usd is None else pool_usd)
        by = {"from": self.gov}
        self.quote.push(10**FEED_DECIMALS, self.now, by)
        self.feed.push(round(usd * 10**FEED_DECIMALS), at or self.now, by)
        return int(self.feed.latest())

    def set_pool(self, usd: float) -> None:
        raw = (usd * 10**6 / 10**18) ** (1 if self.base_first else -1)
        tick = math.log(raw) / math.log(1.0001)
        by = {"from": self.gov}
        self.pool.setPrice(int(math.sqrt(raw) * 2**96), by)
        self.pool.setCumulative(10**9, round(tick * TWAP_WINDOW_S), by)

    def slice(self, vol: float, days: int, carry: float = 0.0, skew: float = 0.0) -> tuple:
        """A slice whose at-the-money volatility is `vol` now; flat for no skew."""
        tau = (self.expiry(days) - self.now) / (365 * DAY)
        sigma, b = 0.2, abs(skew) * vol * vol * tau
        # w(0) = a + b sigma with m = 0: the wings rise and the middle stays.
        word = svi.pack_floats(vol * vol * tau - b * sigma, b, -0.5 if skew else 0.0, 0.0, sigma)
        return self.expiry(days), word, round(carry * WAD)

    def commit(self, *slices: tuple, spot: float = SPOT_USD) -> None:
        """These slices, as far from the last ones as may be, and every other live expiry with them."""
        for expiry in self.live():
            self.surface.resetAnchor(UNDERLYING, expiry, {"from": self.gov})
        inputs = self.whole(*slices)
        self.surface.commit(UNDERLYING, round(spot * WAD), inputs, {"from": self.committer})

    def live(self) -> list[int]:
        """The expiries of the last commit that are still ahead."""
        return [int(e) for e in self.surface.expiries(UNDERLYING) if e > self.now + 60]

    def whole(self, *slices: tuple) -> list[tuple]:
        """These slices, and the other live expiries at their own volatility, or at theirs where that is arbitrage."""
        live = self.live()
        given = {s[0]: s for s in slices}
        rest = [e for e in live if e not in given]
        whole = given | {e: self._kept(e, e) for e in rest}
        if find_arbitrage([self._float_slice(*s) for s in whole.values()], 0.5):
            near = {e: min(given, key=lambda other, e=e: abs(other - e)) for e in rest}
            whole = given | {e: self._stretched(e, given[near[e]]) for e in rest}
        return sorted(whole.values())

    def _kept(self, expiry: int, source: int) -> tuple:
        """The slice that keeps the volatility of the last commit."""
        word, carry, at = map(int, self.surface.sliceOf(UNDERLYING, source))
        return expiry, scaled_word(word, (expiry - self.now) / (source - at)), carry

    def _stretched(self, expiry: int, given: tuple) -> tuple:
        """Another expiry at the volatility of a given slice: total variance in proportion to time left."""
        source, word, carry = given
        return expiry, scaled_word(word, (expiry - self.now) / (source - self.now)), carry

    def _float_slice(self, expiry: int, word: int, carry: int) -> SviSlice:
        return svi.slice_from_word(word, expiry, carry / WAD, self.now)

    # ------------------------------------------------------------------ accounts

    def fund(self, who: Any, usd: float = 0, eth: float = 0) -> None:
        """Mint tokens and deposit them into the account of `who`."""
        for token, amount, deposit in (
            (self.usdc, round(usd * USDC), self.clearinghouse.depositCash),
            (self.weth, wad(eth), self.clearinghouse.depositBase),
        ):
            if amount:
                token.mint(who, amount, {"from": who})
                token.approve(self.clearinghouse, 2**256 - 1, {"from": who})
                deposit(amount, {"from": who})

    def trade(self, maker: Any, taker: Any, legs: Sequence[tuple], premium: float = 0) -> None:
        """Through the registered market account. `legs` are (series, contracts)."""
        self.clearinghouse.trade(
            [(maker, taker, wad(premium), to_legs(legs))], {"from": self.market}
        )

    def margin(self, who: Any) -> tuple[int, int, int]:
        """(equity, initial, maintenance) by the fresh slice."""
        return tuple(map(int, self.clearinghouse.marginOf(who, FRESH_SLICE)))

    def set_debts(self, **changes: int) -> None:
        """DebtParameters with fields replaced by name."""
        fields = dict(zip(("cap", "rate", "discount", "ramp"), DEBT_PARAMETERS, strict=True))
        assert changes.keys() <= fields.keys()
        values = tuple((fields | changes).values())
        self.clearinghouse.setDebtParameters(values, {"from": self.gov})

    def cash(self, who: Any) -> int:
        return int(self.clearinghouse.accountOf(who)[0])

    def base(self, who: Any) -> int:
        return int(self.clearinghouse.accountOf(who)[1])

    def legs(self, who: Any) -> dict[int, int]:
        return {int(s): int(size) for s, size in self.clearinghouse.legsOf(who)}

    @property
    def everybody(self) -> list[Any]:
        return [self.vault, *self.takers]

    def prove(self, days: int, usd: float) -> None:
        """Let the expiry pass, push its first round and prove it."""
        self.warp(max(self.expiry(days) + 60, self.now))
        round_id = self.set_spot(usd, at=self.expiry(days) + 30)
        self.oracle.proveSettlement(UNDERLYING, self.expiry(days), round_id, {"from": self.gov})

    def settlement(self, days: int) -> tuple[int, ...]:
        """(openShort, owed, shortfall, payoutFactor)."""
        return tuple(map(int, self.clearinghouse.settlementOf(UNDERLYING, self.expiry(days))))

    def check_books(self, open_series: Sequence[int] = (), *others: str) -> None:
        """I-02 to the wei over everybody's accounts and those of `others`, and I-01 for the series named."""
        people = (*self.everybody, *others)
        books = [tuple(self.clearinghouse.accountOf(who)) for who in people]
        usdc, base, negative, insurance, pot = map(int, self.clearinghouse.totals())
        assert usdc * 10**12 == sum(b[0] for b in books) + insurance + pot
        assert base == sum(b[1] for b in books)
        assert negative == sum(-b[0] for b in books if b[0] < 0)
        assert self.usdc.balanceOf(self.clearinghouse) >= usdc
        assert self.weth.balanceOf(self.clearinghouse) >= base
        legs = [self.legs(who) for who in people]
        assert [b[2] for b in books] == [len(own) for own in legs]
        for series in open_series:
            assert sum(own.get(series, 0) for own in legs) == 0, f"I-01 broken in {series}"


def scaled_word(word: int, factor: float) -> int:
    """The slice with all of its total variance multiplied."""
    a, b, rho, m, sigma = svi.unpack(word).floats()
    return svi.pack_floats(a * factor, b * factor, rho, m, sigma)


def wad(value: float) -> int:
    """The decimal that is written, not the nearest float, in WAD."""
    return round(Decimal(str(value)) * WAD)


def to_legs(legs: Sequence[tuple]) -> list[tuple[int, int]]:
    """(series, contracts) to what the contracts take."""
    return [(series, wad(size)) for series, size in legs]


def to_packed(legs: Sequence[tuple]) -> list[int]:
    """(series, contracts) to the words that the risk engine takes."""
    return [pack_leg(*leg) for leg in to_legs(legs)]


def deploy_core(
    backend: Any, spot: float = SPOT_USD, base_is_token0: bool = True, aged: bool = True
) -> Core:
    """Deploy and wire everything by 09:00 UTC of the next day, spot and slices of days 1, 7 and 14 set.

    The slices are committed `referenceAge` and a bit before, so that the desk opens at once; if not `aged`, everything
    is of that very moment.
    """
    people = list(backend.people)
    gov, keeper, committer, vault, market, *takers = people
    start = (backend.now() // DAY + 1) * DAY + 9 * HOUR
    backend.warp(start - (HOUR + EARLIER_S if aged else 0))
    new = backend.deploy
    authority = new("AccessManager", gov)
    usdc, weth = new("MockToken", "USDC", 6), new("MockToken", "WETH", 18)
    feed = new("MockFeed", FEED_DECIMALS, round(spot * 10**FEED_DECIMALS), backend.now())
    quote = new("MockFeed", FEED_DECIMALS, 10**FEED_DECIMALS, backend.now())
    pair = (weth, usdc) if base_is_token0 else (usdc, weth)
    pool = new("MockUniswapPool", *pair)
    usdc_usd = (quote, FEED_DECIMALS, QUOTE_MAX_AGE_S)
    oracle = new("MarketOracle", authority, usdc_usd, ZERO_ADDRESS, ORACLE_PARAMETERS)
    surface = new("VolSurface", authority, oracle, committer, SURFACE_PARAMETERS)
    engine = new("RiskEngine", authority, oracle, surface, MARGIN_PARAMETERS)
    house = new("Clearinghouse", authority, usdc, weth, oracle, engine, UNDERLYING)
    lens = new("AccountLens", house)
    quoter = committer
    args = authority, house, oracle, surface, engine, vault, quoter, DESK_PARAMETERS
    desk = new("OptionDesk", *args)
    rfq = new("RfqMarket", house, desk)
    hedge = new(
        "HedgeManager",
        authority,
        house,
        oracle,
        surface,
        vault,
        UNDERLYING,
        keeper,
        HEDGE_PARAMETERS,
    )
    fallback = new("HedgeFallback", authority, hedge, house, oracle, vault, FALLBACK_PARAMETERS)
    venue = new("MockVenue", usdc, weth, house, round(spot * WAD))
    token = new("OptionToken", house)
    auction = new("LiquidationAuction", authority, house, oracle, AUCTION_PARAMETERS)
    core = Core(
        backend, authority, usdc, weth, feed, quote, pool, oracle, surface, engine, house, lens, desk, rfq, hedge,
        fallback, venue, token, auction, gov, keeper, committer, vault, market, takers, start,
        base_is_token0,
    )  # fmt: skip
    core.set_spot(spot)
    by = {"from": gov}
    oracle.registerMarket(UNDERLYING, weth, usdc, market_config(core), by)
    house.setVault(vault, hedge, by)
    house.setDebtParameters(DEBT_PARAMETERS, by)
    for allowed, kind in (
        (market, DESK),
        (desk, DESK),
        (rfq, DESK),
        (token, TOKEN),
        (auction, AUCTION),
    ):
        house.setMarket(allowed, kind, by)
    unwind = function_signature_to_4byte_selector("unwindVenue(address)")
    authority.setTargetFunctionRole(house, [unwind], LIQUIDATOR, by)
    for allowed in (gov, auction):
        authority.grantRole(LIQUIDATOR, allowed, 0, by)
    house.setVenue(venue, True, by)
    hedge.setFallback(fallback, by)
    hedge.setQuoteAdapter(rfq, by)
    hedge.setVenueCap(venue, 10_000 * WAD, by)
    fallback.setVenues([venue], by)
    core.commit(*(core.slice(VOL, days) for days in (1, 7, 14)), spot=spot)
    if aged:
        core.warp(start)
        core.set_spot(spot)
    return core


def market_config(core: Core, **changes: Any) -> tuple:
    """IMarketOracle.Market of the mocks, with fields replaced by name."""
    fields: dict[str, Any] = {
        "feed": core.feed,
        "feedDecimals": FEED_DECIMALS,
        "maxAge": MAX_AGE_S,
        "twapWindow": TWAP_WINDOW_S,
        "pool": core.pool,
        "baseIsToken0": core.base_first,
        "maxDeviation": MAX_DEVIATION,
    }
    assert changes.keys() <= fields.keys()
    return tuple((fields | changes).values())


def refused(
    function: Any, *args: Any, by: Any, error: str, values: Sequence[Any] | None = None
) -> None:
    """The call reverts with the custom error, with exactly `values` when given."""
    from tests.brownie_fixtures import reverts_with

    with reverts_with(error, *(values or ())):
        function.call(*args, {"from": by})
