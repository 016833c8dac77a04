"""12 March 2020 for accounts at initial margin on the eve: what the losers could not pay, and who bore it.

Hourly ETH candles from 11 March 09:00 to 13 March 08:00 UTC (at worst -57 %), contracts and model side by side. On the
eve each seller has deposited, then taken out all but initial margin, to the unit. Volatility, for which 2020 has no
record here, is 0.8 on the eve and rises with the fall. From the hour on in which there are bidders, auctions start at
each hour's low and a whale bids in the next, when the auction's price has fallen in full, if that leaves him a tenth of
the lot's margin; before it nobody comes, as when blocks are full.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from keeper.simulation.clearing.house import Trade
from keeper.units import pack_leg
from tests.contracts.core_constants import HOUR, MARGIN_PARAMETERS, UNDERLYING, USDC, WAD
from tests.stateful.clearing_world import World

EVE = pd.Timestamp("2020-03-11 09:00", tz="UTC")
EXPIRY = pd.Timestamp("2020-03-13 08:00", tz="UTC")
DAY_OF_EXPIRY = 2
# Hours after the eve: bidders from the start, six hours after the fall of 12 March 10:00 began, and never.
AT_ONCE, LATE, NEVER = 0, 31, 1_000
# Sellers by name: legs as (strike over spot, call, contracts), and whether they bring WETH instead of USDC.
BOOKS: dict[str, tuple[tuple[tuple[float, bool, int], ...], bool]] = {
    "put at the money": (((1.0, False, -100),), False),
    "put 10 % out": (((0.9, False, -100),), False),
    "put 25 % out": (((0.75, False, -100),), False),
    "straddle": (((1.0, False, -100), (1.0, True, -100)), False),
    "strangle 15 %": (((0.85, False, -100), (1.15, True, -100)), False),
    "put spread 100/70": (((1.0, False, -100), (0.7, False, 100)), False),
    "put on WETH": (((1.0, False, -100),), True),
    "call on WETH": (((1.0, True, -100),), True),
}


@dataclass(frozen=True)
class Outcome:
    """USD. `bad_debt` by seller is what he lost and could not pay; the waterfall is in WAD."""

    bad_debt: dict[str, float]
    margin: dict[str, float]
    loss: dict[str, float]
    owed: int
    shortfall: int
    insurance_used: int
    factor: int
    paid_to_winners: int
    dust: int
    recovery: int


def hours(folder: Path) -> pd.DataFrame:
    """Candles of the two days, UTC index."""
    candles = pd.read_parquet(folder / "eth_usdt_spot_1h.parquet")
    stamp = pd.to_datetime(candles["timestamp"], utc=True)
    return candles.set_index(stamp).loc[EVE:EXPIRY]


class Crash:
    """One replay."""

    def __init__(
        self,
        candles: pd.DataFrame,
        *,
        bidders_from: int,
        insurance_usd: int,
        margin: tuple[int, ...] = MARGIN_PARAMETERS,
    ) -> None:
        self.candles, self.bidders_from = candles, bidders_from
        self.world = w = World.new(len(BOOKS) + 3)
        w.set_margin(margin)
        self.sellers = dict(zip(BOOKS, w.who, strict=False))
        self.whales = w.who[len(BOOKS) : len(BOOKS) + 2]
        self.eve = w.core.now
        self._spot(float(candles["open"].iloc[0]))
        w.commit(UNDERLYING, 0.8, 0.0, 0.0)
        if insurance_usd:
            amount = insurance_usd * USDC
            assert not w.act("fundInsurance", amount, sender=w.core.gov, model=(amount,))
        for whale in self.whales:
            assert not w.act("depositCash", 10_000_000 * USDC, sender=whale)
        self.margin = {name: self._sell(name) for name in BOOKS}

    def _spot(self, usd: float) -> None:
        self.world.set_spot(UNDERLYING, round(usd, 8))

    def _sell(self, name: str) -> float:
        """The seller's book at the mark, then everything out that margin does not need. Initial margin, USD."""
        w, who = self.world, self.sellers[name]
        spot = w.spot(UNDERLYING)
        legs, in_weth = BOOKS[name]
        if in_weth:
            assert not w.act("depositBase", 200 * WAD, sender=who)
        assert not w.act("depositCash", 100_000 * USDC, sender=who)
        given = [(w.core.series(DAY_OF_EXPIRY, round(spot * k, 8), c), n * WAD) for k, c, n in legs]
        premium = int(w.core.marks.optionValue([pack_leg(*leg) for leg in given], 0))
        trade = Trade(self.whales[0], who, premium, tuple(given))
        args = [(trade.maker, trade.taker, premium, given)]
        assert not w.act("trade", args, sender=w.core.market, model=([trade],))
        if in_weth:
            self._leave_weth(who)
        free = int(w.house.freeCashOf(who))
        if free:
            assert not w.act("withdrawCash", free, who, sender=who, model=(who, free))
        equity, initial, _ = w.house.marginOf(who, 0)
        assert 0 <= equity - initial < 3 * WAD
        return float(initial / WAD)

    def _leave_weth(self, who: str) -> None:
        """All the cash that may go, then WETH down to initial margin by halving the step."""
        w = self.world
        free = min(int(w.house.freeCashOf(who)), w.house.accountOf(who)[0] // 10**12)
        assert not w.act("withdrawCash", free, who, sender=who, model=(who, free))
        step = 64 * WAD
        while step >= 10**15:
            if w.act("withdrawBase", step, who, sender=who, model=(who, step)):
                step //= 2

    def run(self) -> Outcome:
        """Hour by hour to the expiry, then settlement in full."""
        w = self.world
        top = float(self.candles["open"].iloc[0])
        for number, row in enumerate(self.candles.iloc[:-1].itertuples()):
            w.warp(max(w.core.now, self.eve + number * HOUR + 60))
            self._spot(float(row.low))
            fall = 1 - float(row.low) / top
            w.commit(UNDERLYING, 0.8 + 2.4 * max(fall, 0.0), 0.0, 0.0)
            if number >= self.bidders_from:
                self._auction()
        return self._settle(float(self.candles["open"].iloc[-1]))

    def _auction(self) -> None:
        """Bids on what was started an hour ago, then starts what is poor now."""
        w = self.world
        for account in sorted(w.auctions.running):
            limit = self._worth_to_a_bidder(account)
            args = account, WAD, limit, b"\0" * 32, 2**40
            mine = (self.whales[1], account, WAD, limit)
            self._both("bid", mine, args, self.whales[1])
        for account in self.sellers.values():
            if w.house.legsOf(account) and account not in w.auctions.running:
                equity, _, maintenance = w.house.marginOf(account, 0)
                if equity < maintenance:
                    self._both("start", (account, w.core.gov), (account,), w.core.gov)

    def _worth_to_a_bidder(self, account: str) -> int:
        """The lot's mark less a tenth of its margin: nobody takes a book over for nothing, or pays for its hole."""
        equity, initial, _ = self.world.house.marginOf(account, 0)
        return int(equity - self.world.house.portfolioOf(account)[1] - initial // 10)

    def _both(self, name: str, mine: tuple, theirs: tuple, sender: str) -> None:
        w = self.world
        model, contract = getattr(w.auctions, name), getattr(w.core.auction, name)
        w.both(lambda: model(*mine), lambda: contract(*theirs, {"from": sender}))

    def _settle(self, price: float) -> Outcome:
        w, gov = self.world, self.world.core.gov
        w.prove(UNDERLYING, DAY_OF_EXPIRY, price)
        key = UNDERLYING, w.core.expiry(DAY_OF_EXPIRY)
        before = {name: w.model.of(who).cash for name, who in self.sellers.items()}
        loss = {
            name: -w.model.net_payoff(who, key, w.marks.proven[key]) / WAD
            for name, who in self.sellers.items()
        }
        insurance = w.model.totals.insurance
        for name in ("convert", "finalise", "claim"):
            args = key if name == "finalise" else (*key, list(w.who))
            cash = sum(w.model.of(who).cash for who in self.whales)
            assert not w.act(name, *args, sender=gov, model=args)
        paid = sum(w.model.of(who).cash for who in self.whales) - cash
        w.compare_books()
        s = w.model.settlements[key]
        assert before.keys() == loss.keys()
        debts = {name: w.model.of(who).recovery for name, who in self.sellers.items()}
        return Outcome(
            bad_debt={name: debt / WAD for name, debt in debts.items()},
            margin=self.margin,
            loss=loss,
            owed=s.owed,
            shortfall=s.shortfall,
            insurance_used=insurance - w.model.totals.insurance,
            factor=s.factor,
            paid_to_winners=paid,
            dust=s.pot,
            recovery=sum(debts.values()),
        )
