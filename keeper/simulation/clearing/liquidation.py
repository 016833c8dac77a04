"""Dutch auction of accounts below maintenance margin. contracts/LiquidationAuction.sol, contracts/clearing/Lots.sol.

The lot is every live leg and all WETH of an account. With E equity, C net cash, K what is kept and M = E - C - K the
mark of the lot, its price falls from M to M - E and never below -C; after that insurance adds a growing subsidy.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

from keeper.simulation.clearing.house import Clearinghouse
from keeper.simulation.clearing.lots import Lot
from keeper.simulation.clearing.marks import FRESH, REFERENCE, Refused
from keeper.simulation.clearing.wad import expiry_of, mul_down, mul_up, underlying_of
from keeper.units import WAD

# Added to the smallest share: legs round to the wei, and marks to their last digits.
ROUNDING = 10**9
STAGE, RUNNING = "Stage", "Running"


@dataclass(frozen=True)
class AuctionParameters:
    """ILiquidationAuction.AuctionParameters: seconds, then WAD."""

    fall_time: int = 1_800
    insurance_time: int = 1_800
    lapse: int = 3_600
    vault_delay: int = 7_200
    unwind_delay: int = 3_600
    min_share: int = WAD // 100
    bounty: int = 50 * WAD
    bounty_share: int = WAD // 100
    insurance_share: int = WAD // 2
    dust: int = 10 * WAD


@dataclass(frozen=True)
class Auction:
    """One auction on its way: phase, unix seconds when that began, and who gets how much bounty, WAD USD."""

    phase: str
    since: int
    starter: str
    bounty_left: int


@dataclass(frozen=True)
class Quote:
    """What a bid would meet: price and subsidy of the whole lot, WAD USD; smallest share, and by which slice."""

    price: int
    subsidy: int
    share: int
    slice_: int
    healthy: bool


class Auctions:
    """All auctions of a house. `bring_home` closes the vault's venues and credits the house with what came back."""

    def __init__(
        self,
        house: Clearinghouse,
        parameters: AuctionParameters | None = None,
        bring_home: Callable[[], None] = lambda: None,
    ) -> None:
        self.house = house
        self.parameters = parameters or AuctionParameters()
        self.bring_home = bring_home
        self.running: dict[str, Auction] = {}

    # ------------------------------------------------------------------ anyone

    def start(self, account: str, starter: str) -> None:
        """Of an account below maintenance on both slices; for the vault its stage."""
        old = self.running.get(account)
        if old is not None and not self._lapsed(old):
            raise Refused("AlreadyStarted")
        self._below_maintenance(self.lot(account))
        phase = STAGE if account == self.house.vault else RUNNING
        self.running[account] = Auction(phase, self.house.now, starter, self.parameters.bounty)

    def open(self) -> None:
        """Ends the vault's stage and begins the fall of its price."""
        vault = self.house.vault
        a = self.running.get(vault)
        if a is None or a.phase != STAGE or self._lapsed(a):
            raise Refused("NotStaged")
        if self.house.now < a.since + self.parameters.vault_delay:
            raise Refused("NotYet")
        with self._whole():
            self._below_maintenance(self.lot(vault))
            self.bring_home()
            self._below_maintenance(self.lot(vault))
            self.running[vault] = replace(a, phase=RUNNING, since=self.house.now)

    def cancel(self, account: str) -> None:
        """Of an account that is not below maintenance any more, or an auction that has lapsed."""
        a = self.running.get(account)
        if a is None:
            raise Refused("NotRunning")
        if not self._lapsed(a):
            lot = self.lot(account)
            if lot is not None and lot.below_maintenance:
                raise Refused("BelowMaintenance")
        del self.running[account]

    def bid(self, bidder: str, account: str, max_share: int, max_price: int) -> tuple[int, int]:
        """Buys a slice for the bidder's account. (share, price paid), (0, 0) if the account was healthy."""
        if not 0 < max_share <= WAD:
            raise Refused("ShareOutOfRange")
        if bidder == account:
            raise Refused("SelfBid")
        if bidder == self.house.vault:
            raise Refused("VaultCannotBid")
        with self._whole():
            lot, q = self._terms(account)
            if not q.healthy and lot.portfolio.hedges:
                self.bring_home()
                lot, q = self._terms(account)
            if q.healthy:
                del self.running[account]
                return 0, 0
            if q.price - q.subsidy > max_price:
                raise Refused("PriceAboveLimit")
            if q.share == 0:
                raise Refused("SaleWouldNotHelp")
            share = min(max_share, q.share)
            if share < min(self.parameters.min_share, q.share):
                raise Refused("ShareTooSmall")
            price = self._sell(account, bidder, lot, q, share)
            self._end_if_restored(account, share, q.slice_)
            return share, price

    # ------------------------------------------------------------------ what is offered

    def lot(self, account: str) -> Lot | None:
        """The account by both slices, at prices that may be liquidated by; None without live legs."""
        house = self.house
        p = house.portfolio(account)
        old = tuple((s, n) for s, n in p.legs if expiry_of(s) <= house.now)
        found = None
        if len(old) < len(p.legs):
            kept = kept_margin = 0
            if old or p.hedges:
                kept, kept_margin, _ = house.marks.margin(replace(p, cash=0, base=0, legs=old))
            fresh = house.marks.margin(p, FRESH)
            aged = house.marks.margin(p, REFERENCE)
            equity, initial, maintenance = zip(fresh, aged, strict=True)
            found = Lot(p, kept, kept_margin, equity, initial, maintenance)
        named = {underlying_of(s) for s, _ in p.legs}
        if p.base or p.hedges:
            named.add(p.underlying)
        for underlying in sorted(named):
            house.marks.price_for(underlying, "Liquidate")
        return found

    def _terms(self, account: str) -> tuple[Lot, Quote]:
        a = self.running.get(account)
        if a is None or a.phase != RUNNING or self._lapsed(a):
            raise Refused("NotRunning")
        lot = self.lot(account)
        if lot is None:
            raise Refused("NothingToSell")
        return lot, self.quote(a, lot)

    def quote(self, a: Auction, lot: Lot) -> Quote:
        """Price falls over `fall_time`; then insurance adds, up to the account's own hole and a share of its margin."""
        p = self.parameters
        elapsed = self.house.now - a.since
        price = lot.price(min(elapsed, p.fall_time), p.fall_time)
        subsidy = 0
        if elapsed > p.fall_time and lot.kept <= p.dust:
            since = min(elapsed - p.fall_time, p.insurance_time)
            initial = lot.initial[self._dearer(lot)]
            most = mul_down(initial, p.insurance_share) + max(-max(lot.equity), 0)
            subsidy = min(most, self.house.totals.insurance) * since // p.insurance_time
        if not lot.below_maintenance:
            return Quote(price, subsidy, 0, FRESH, True)
        shares = [
            (lot.share(which, price, a.bounty_left, p.bounty_share), which)
            for which in (FRESH, REFERENCE)
        ]
        # Zero stands for a sale that would not help.
        share, slice_ = min(((s, w) for s, w in shares if s), default=(0, FRESH))
        return Quote(price, subsidy, min(share + ROUNDING, WAD) if share else 0, slice_, False)

    @staticmethod
    def _dearer(lot: Lot) -> int:
        return REFERENCE if lot.equity[REFERENCE] > lot.equity[FRESH] else FRESH

    # ------------------------------------------------------------------ the sale

    def _sell(self, account: str, bidder: str, lot: Lot, q: Quote, share: int) -> int:
        """What the bidder pays, WAD; the bounty comes from the account, and from insurance where it cannot."""
        a, p, insurance = self.running[account], self.parameters, self.house.totals.insurance
        own = mul_up(q.price, share)
        subsidy = mul_down(q.subsidy, share)
        sold_margin = mul_down(lot.initial[q.slice_], share)
        bounty = min(a.bounty_left, mul_down(sold_margin, p.bounty_share))
        from_account = min(bounty, lot.means(q.price, own, share))
        spare = insurance - subsidy if lot.kept <= p.dust else 0
        bounty = from_account + min(bounty - from_account, spare)
        added = subsidy + bounty - from_account
        price = own - subsidy
        self.house.sell_slice(account, bidder, share, price, added, a.starter, bounty)
        self.running[account] = replace(a, bounty_left=a.bounty_left - bounty)
        return price

    def _end_if_restored(self, account: str, share: int, slice_: int) -> None:
        if share != WAD:
            portfolio = self.house.portfolio(account)
            equity, _, maintenance = self.house.marks.margin(portfolio, slice_)
            if equity < maintenance:
                return
        del self.running[account]

    def _below_maintenance(self, lot: Lot | None) -> None:
        if lot is None:
            raise Refused("NothingToSell")
        if not lot.below_maintenance:
            raise Refused("AboveMaintenance")

    def _lapsed(self, a: Auction) -> bool:
        p = self.parameters
        span = 2 * p.vault_delay if a.phase == STAGE else p.fall_time + p.insurance_time + p.lapse
        return self.house.now > a.since + span

    @contextmanager
    def _whole(self) -> Iterator[None]:
        before, hedges = dict(self.running), self.house.hedges
        try:
            with self.house.whole():
                yield
        except Refused:
            self.running, self.house.hedges = before, hedges
            raise
