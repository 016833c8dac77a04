"""Clearinghouse and model side by side: two underlyings, thirty-odd accounts, every action done to both.

Refusals must carry the same name on both sides. Marks: clearing_marks.py.
"""

from __future__ import annotations

import copy
from collections import Counter
from collections.abc import Callable
from typing import Any, ClassVar

from keeper.models import SviSlice
from keeper.portfolio.margin_shadow import ChainHedge, parameters_of
from keeper.pricing import svi
from keeper.simulation.clearing.accounts import Account, DebtParameters
from keeper.simulation.clearing.house import Clearinghouse
from keeper.simulation.clearing.liquidation import AuctionParameters, Auctions
from keeper.simulation.clearing.marks import Refused
from keeper.simulation.clearing.tokens import OptionTokens
from tests.contracts.core_constants import (
    AUCTION,
    AUCTION_PARAMETERS,
    DAY,
    FEED_DECIMALS,
    HOUR,
    UNDERLYING,
    VOL,
    WAD,
)
from tests.contracts.core_env import market_config
from tests.stateful.clearing_marks import SECOND, ChainMarks
from tests.stateful.core_revm import new_core
from tests.stateful.revm import Reverted

# Expiries that have slices for a whole life; the surface wants all of them in each commit until four hours before.
DAYS = range(1, 10)
MIN_TENOR_S = 4 * HOUR
MAX_UINT = 2**256 - 1


class World:
    """Contracts, model, and who is who. The vault is the last of `who`."""

    deployment: Any
    _deployed: ClassVar[dict[int, World]] = {}

    def __init__(self, actors: int) -> None:
        self.core = new_core(5 + actors + 1)
        *takers, self.seller = self.core.takers
        self.core.takers = takers
        self.house = self.core.clearinghouse
        self.who = [*takers, self.core.vault]
        self.harness = self.core.backend.deploy("BooksHarness")
        self.slices: dict[int, dict[int, SviSlice]] = {UNDERLYING: {}, SECOND: {}}
        self._second_market()
        by = {"from": self.core.gov}
        # Slices at any price and time, where the auction would sell few.
        self.house.setMarket(self.seller, AUCTION, by)
        self.core.venue.setSynthetic(True, by)
        for underlying in (UNDERLYING, SECOND):
            self._list_days(underlying)
        for person in (*self.who, self.core.gov):
            for token in (self.core.usdc, self.core.weth):
                token.mint(person, 10**40, {"from": person})
                token.approve(self.house, MAX_UINT, {"from": person})
        args = self.house.address, self.who
        self._look = self.harness.contract.data_of("digests", *args)

    @classmethod
    def new(cls, actors: int) -> World:
        """A world where nothing has happened. Contracts are deployed once and taken back to how they were then."""
        deployed = cls._deployed.get(actors)
        if deployed is None:
            deployed = cls._deployed[actors] = cls(actors)
        else:
            deployed.core.backend.chain.revert(deployed.deployment)
        deployed.deployment = deployed.core.backend.chain.snapshot()
        world = copy.copy(deployed)
        world._begin()
        return world

    def _begin(self) -> None:
        """The model of the contracts as they are, and nothing done yet."""
        self.slices = {underlying: dict(known) for underlying, known in self.slices.items()}
        self.marks = ChainMarks(self.core, self.slices)
        self.model = Clearinghouse(self.core.now, self.marks, self.core.vault)
        self.model.set_debts(DebtParameters(*self.house.debtParameters()))
        self.tokens = OptionTokens(self.model)
        parameters = AuctionParameters(*AUCTION_PARAMETERS)
        self.auctions = Auctions(self.model, parameters, self._bring_home)
        self.donated = 0
        self.done: Counter[str] = Counter()
        self._seen: dict[str, tuple[bytes, Account]] = {}

    def _second_market(self) -> None:
        core, by, deploy = self.core, {"from": self.core.gov}, self.core.backend.deploy
        self.second_base = deploy("MockToken", "WBTC", 18)
        start = 30_000 * 10**FEED_DECIMALS
        self.feeds = {
            UNDERLYING: core.feed,
            SECOND: deploy("MockFeed", FEED_DECIMALS, start, core.now),
        }
        self.pools = {
            UNDERLYING: core.pool,
            SECOND: deploy("MockUniswapPool", self.second_base, core.usdc),
        }
        self.set_spot(SECOND, 30_000.0)
        config = market_config(core, feed=self.feeds[SECOND], pool=self.pools[SECOND])
        core.oracle.registerMarket(SECOND, self.second_base, core.usdc, config, by)

    # ------------------------------------------------------------------ the market

    def set_spot(self, underlying: int, usd: float, at: int | None = None) -> int:
        """A feed round and the pool's price, of either underlying. Returns the round's id."""
        core = self.core
        kept = core.feed, core.pool
        core.feed, core.pool = self.feeds[underlying], self.pools[underlying]
        try:
            return core.set_spot(usd, at=at)
        finally:
            core.feed, core.pool = kept

    def _list_days(self, underlying: int) -> None:
        """Every day of a life, at the volatility that the core was deployed with."""
        core = self.core
        listed = self._listed(underlying)
        self._free(underlying, listed)
        days = sorted({*DAYS, *((e - core.expiry(0)) // DAY for e in listed)})
        self._commit(underlying, [core.slice(VOL, day) for day in days])

    def _free(self, underlying: int, expiries: list[int]) -> None:
        """Their next slices may be any: how fast a surface may move is not what is tested here."""
        for expiry in expiries:
            self.core.surface.resetAnchor(underlying, expiry, {"from": self.core.gov})

    def _listed(self, underlying: int) -> list[int]:
        return [int(e) for e in self.core.surface.expiries(underlying)]

    def commit(self, underlying: int, vol: float, skew: float, carry: float) -> None:
        """Slices of every listed expiry that is not about to end, in the contracts and for the shadow."""
        core = self.core
        if core.surface.lastCommit(underlying) == core.now:
            # Of two commits in one second the surface may keep serving the first where an expiry is about to end.
            self.warp(core.now + 1)
        ahead = [e for e in self._listed(underlying) if e > core.now + MIN_TENOR_S]
        if not ahead:
            return
        self._free(underlying, ahead)
        days = [(e - core.expiry(0)) // DAY for e in ahead]
        rows = [core.slice(vol + day / 100, day, carry, skew) for day in days]
        self._commit(underlying, rows)

    def _commit(self, underlying: int, rows: list[tuple]) -> None:
        core = self.core
        spot = core.oracle.spot(underlying)[0]
        core.surface.commit(underlying, spot, rows, {"from": core.committer})
        for expiry, word, rate in rows:
            made = svi.slice_from_word(word, expiry, rate / WAD, core.now)
            self.slices[underlying][expiry] = made

    def prove(self, underlying: int, day: int, usd: float) -> None:
        """Past the expiry, with its first round proven."""
        core, expiry = self.core, self.core.expiry(day)
        self.warp(max(core.now, expiry + 60))
        feed, by = self.feeds[underlying], {"from": core.gov}
        feed.setBroken(False, by)
        first = int(feed.latest()) + 2
        feed.setRound(first - 1, round(usd * 10**FEED_DECIMALS), expiry - 30, by)
        feed.setRound(first, round(usd * 10**FEED_DECIMALS), expiry + 30, by)
        core.oracle.proveSettlement(underlying, expiry, first, by)
        self.marks.proven[underlying, expiry] = core.oracle.settlementPrice(underlying, expiry)
        self.set_spot(underlying, usd)

    def spot(self, underlying: int) -> float:
        """USD, of the last round."""
        return float(self.core.oracle.spot(underlying)[0] / WAD)

    def refresh(self, underlying: int) -> None:
        """A feed that works, with a round of now at the price that it had."""
        self.feeds[underlying].setBroken(False, {"from": self.core.gov})
        self.set_spot(underlying, self.spot(underlying))

    def warp(self, to: int) -> None:
        """Time, for both."""
        self.core.warp(to)
        self.model.now = self.core.now

    def set_margin(self, parameters: tuple[int, ...]) -> None:
        """MarginParameters of the engine, and of the shadow beside it."""
        self.core.engine.setParameters(parameters, {"from": self.core.gov})
        self.marks.parameters = parameters_of(parameters)

    def set_venue(self, base: int, quote: int, threshold: int, penalty: int) -> None:
        """The vault's position at its venue."""
        by = {"from": self.core.gov}
        self.core.venue.setPosition(base, quote, by)
        self.core.venue.setLiquidation(threshold, penalty, by)
        hedge = ChainHedge(base, quote, threshold, penalty)
        self.model.hedges = (hedge,) if base or quote else ()

    def _bring_home(self) -> None:
        """What MockVenue sends back: what it holds on either side, and no debt."""
        for hedge in self.model.hedges:
            self.model.unwind_venue(max(hedge.quote, 0) // 10**12, max(hedge.base, 0))

    # ------------------------------------------------------------------ both sides

    def both(self, mine: Callable[[], Any], theirs: Callable[[], Any]) -> str:
        """Does it to the model and to the contract; they must agree whether, and why not. Returns the refusal."""
        expected = ""
        try:
            mine()
        except Refused as refusal:
            expected = refusal.name
        found = ""
        try:
            theirs()
        except Reverted as failure:
            found = failure.name or failure.message
        assert expected == found, f"model: {expected or 'allowed'}; contract: {found or 'allowed'}"
        return found

    def act(self, name: str, *args: Any, sender: str, model: tuple[Any, ...] | None = None) -> str:
        """One action under the same name on both sides; `model` are its arguments there, else (sender, *args)."""
        mine = getattr(self.model, snake(name))
        given = (sender, *args) if model is None else model
        theirs = getattr(self.house, name)
        refusal = self.both(lambda: mine(*given), lambda: theirs(*args, {"from": sender}))
        self.done[f"{name} {refusal}".rstrip()] += 1
        return refusal

    def compare_books(self) -> None:
        """Every account that changed on either side since the last look, in full and to the wei."""
        for person, word in zip(self.who, self._words(), strict=True):
            account = self.model.accounts.setdefault(person, Account())
            if self._seen.get(person) != (word, account):
                self._compare(person, account)
                self._seen[person] = word, account.copy()

    def _words(self) -> list[bytes]:
        """A word for each account that changes with it."""
        evm, to = self.core.backend.chain.evm, self.harness.address
        out = bytes(evm.message_call(self.who[0], to, self._look, is_static=True))
        return [out[at : at + 32] for at in range(64, len(out), 32)]

    def _compare(self, person: str, account: Account) -> None:
        counted = account.cash, account.base, len(account.legs)
        assert (self.house.accountOf(person), self.core.legs(person)) == (counted, account.legs)
        interest, recovery, since = self.house.debtOf(person)
        expected = self.model.pending_interest(person), account.recovery, account.since
        assert (interest, recovery, since) == expected, person
        # As margin sees it, whoever owes or not.
        assert self.house.collateralOf(person)[1] == self.model.net_cash(person), person


def snake(name: str) -> str:
    """As depositCash becomes deposit_cash."""
    return "".join("_" + c.lower() if c.isupper() else c for c in name)
