"""A core whose account `ower` can be brought below maintenance, bidders with money, and the auction's terms in Python.

The terms are written from ILiquidationAuction, in integers, and meet the contract's to the wei.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from tests.contracts.core_constants import (
    AGED_SLICE,
    AUCTION_PARAMETERS,
    FRESH_SLICE,
    HOUR,
    SPOT_USD,
    UNDERLYING,
    USDC,
    VOL,
    WAD,
)
from tests.contracts.core_env import Core, deploy_core

(
    FALL_S, INSURANCE_S, LAPSE_S, VAULT_DELAY_S, UNWIND_DELAY_S,
    MIN_SHARE, BOUNTY, BOUNTY_SHARE, INSURANCE_SHARE, DUST,
) = AUCTION_PARAMETERS  # fmt: skip
NONE, STAGE, RUNNING = range(3)
HEALTHY, RESTORED, SOLD_OUT, LAPSED = range(4)
ANY_LOT = b"\0" * 32
NO_LIMIT = 2**200
# What the contract adds to the smallest share: legs and marks round.
ROUNDING = 10**9


class HandMadeSurface:
    """A backend on which the surface is a mock with two slices set by hand."""

    def __init__(self, backend: Any) -> None:
        self._backend = backend

    def __getattr__(self, name: str) -> Any:
        return getattr(self._backend, name)

    def deploy(self, name: str, *args: Any) -> Any:
        if name == "VolSurface":
            return self._backend.deploy("MockSlices")
        return self._backend.deploy(name, *args)


@dataclass
class AuctionWorld:
    """`ower` sells options to `other`; `bidder` and `second` have money; `keeper` starts auctions and has nothing."""

    core: Core
    ower: Any
    other: Any
    bidder: Any
    second: Any
    keeper: Any

    # ------------------------------------------------------------------ market

    def bend(self, slice_: int, vol: float, days: Sequence[int] = (1, 7, 14)) -> None:
        """One slice of every expiry, flat at `vol`."""
        slices = [self.core.slice(vol, d) for d in days if self.core.expiry(d) > self.core.now]
        self.core.surface.bend(UNDERLYING, slice_, slices, {"from": self.core.gov})

    def later(self, seconds: int, usd: float | None = None) -> None:
        """Time passes; the feed answers anew, the same unless told."""
        spot = usd or self.core.oracle.spot(UNDERLYING)[0] / WAD
        self.core.warp(self.core.now + seconds)
        self.core.set_spot(spot)

    def insure(self, usd: int) -> None:
        gov = self.core.gov
        self.core.usdc.mint(gov, usd * USDC, {"from": gov})
        self.core.usdc.approve(self.core.clearinghouse, 2**255, {"from": gov})
        self.core.clearinghouse.fundInsurance(usd * USDC, {"from": gov})

    def insurance(self) -> int:
        return int(self.core.clearinghouse.totals()[3])

    # ------------------------------------------------------------------ the account

    def sell(self, legs: Sequence[tuple], spare_usd: float = 100.0) -> None:
        """Trade them to `other` and leave the ower at initial margin and a little more."""
        house = self.core.clearinghouse
        self.core.fund(self.ower, 10_000_000)
        self.core.trade(self.ower, self.other, legs)
        spare = round(spare_usd * USDC)
        house.withdrawCash(house.freeCashOf(self.ower) - spare, self.ower, {"from": self.ower})

    def margin(self, who: Any, slice_: int = FRESH_SLICE) -> tuple[int, int, int]:
        """(equity, initial, maintenance)."""
        equity, initial, maintenance = self.core.clearinghouse.marginOf(who, slice_)
        return int(equity), int(initial), int(maintenance)

    def below_maintenance(self, who: Any) -> bool:
        both = [self.margin(who, s) for s in (FRESH_SLICE, AGED_SLICE)]
        return all(equity < maintenance for equity, _, maintenance in both)

    # ------------------------------------------------------------------ the auction

    def start(self, who: Any = None) -> None:
        self.core.auction.start(who or self.ower, {"from": self.keeper})

    def bid(self, share: int = WAD, by: Any = None, limit: int = NO_LIMIT) -> Any:
        args = bid_args(self, share=share, limit=limit)
        return self.core.auction.bid(*args, {"from": by or self.bidder})

    def phase(self, who: Any = None) -> int:
        return int(self.core.auction.auctionOf(who or self.ower)[0])

    def terms(self) -> Terms:
        """What the auction of the ower asks now, by the interface's formulas."""
        engine, house = self.core.engine, self.core.clearinghouse
        underlying, cash, base, hedges, words = house.portfolioOf(self.ower)
        portfolio = (underlying, cash, base, hedges, words)
        both = [tuple(engine.margin(portfolio, s)) for s in (FRESH_SLICE, AGED_SLICE)]
        expired = [word for word in words if _expiry(word & (2**128 - 1)) <= self.core.now]
        kept, kept_margin, _ = engine.margin((underlying, 0, 0, hedges, expired), FRESH_SLICE)
        _, since, _, bounty = self.core.auction.auctionOf(self.ower)
        elapsed = self.core.now - since
        return Terms(portfolio, both, kept, kept_margin, elapsed, bounty, self.insurance())


@dataclass
class Terms:
    """WAD USD; `both` are (equity, initial, maintenance) by the fresh and by the reference slice."""

    portfolio: tuple
    both: list[tuple[int, int, int]]
    kept: int
    kept_margin: int
    elapsed: int
    bounty: int
    insurance: int

    @property
    def cash(self) -> int:
        return int(self.portfolio[1])

    @property
    def dearer(self) -> tuple[int, int, int]:
        """The slice that marks the account higher; the fresh one where they agree."""
        return max(self.both, key=lambda margin: margin[0])

    @property
    def price(self) -> int:
        """Of the whole lot, to the account."""
        equity = max(self.dearer[0], 0)
        left = -(-equity * (FALL_S - min(self.elapsed, FALL_S)) // FALL_S)
        return max(left - self.cash - self.kept, -max(self.cash, 0))

    @property
    def subsidy(self) -> int:
        if self.elapsed <= FALL_S or self.kept > DUST:
            return 0
        equity, initial, _ = self.dearer
        most = initial * INSURANCE_SHARE // WAD + max(-equity, 0)
        return min(most, self.insurance) * min(self.elapsed - FALL_S, INSURANCE_S) // INSURANCE_S

    def share(self, margin: tuple[int, int, int]) -> int:
        """The smallest that restores initial margin by one slice."""
        equity, initial, _ = margin
        relief = initial - self.kept_margin - (equity - self.cash - self.kept - self.price)
        most = -(-initial * BOUNTY_SHARE // WAD) if self.bounty else 0
        if relief <= most:
            return 0
        flat = -(-(initial - equity + self.bounty) * WAD // relief)
        return int(min(WAD, flat, -(-(initial - equity) * WAD // (relief - most))))

    @property
    def smallest(self) -> int:
        found = [share for share in map(self.share, self.both) if share]
        return min(min(found) + ROUNDING, WAD) if found else 0


def _expiry(series: int) -> int:
    return (int(series) >> 72) & (2**40 - 1)


def bid_args(world: AuctionWorld, **changes: Any) -> tuple:
    """Arguments of a bid without limits, with some replaced by name."""
    given = {
        "account": world.ower,
        "share": WAD,
        "limit": NO_LIMIT,
        "lot": ANY_LOT,
        "deadline": world.core.now + HOUR,
    }
    assert changes.keys() <= given.keys()
    return tuple((given | changes).values())


def bought(tx: Any) -> tuple[int, int]:
    """Share and price of a bid, from its event: return values would need a trace of a million steps."""
    event = tx.events["SliceBought"]
    return int(event["share"]), int(event["price"])


def ending(tx: Any) -> int:
    """How an auction ended in a transaction."""
    return int(tx.events["AuctionEnded"]["ending"])


def new_world(backend: Any, insurance_usd: int = 50_000, vault: bool = False) -> AuctionWorld:
    """Flat slices at VOL, insurance with money; no venues unless it is about the vault, which is then the ower."""
    core = deploy_core(HandMadeSurface(backend))
    if not vault:
        core.clearinghouse.setVenue(core.venue, False, {"from": core.gov})
    world = AuctionWorld(core, *core.takers[:5])
    if vault:
        world.ower = core.vault
    for slice_ in (FRESH_SLICE, AGED_SLICE):
        world.bend(slice_, VOL)
    for who in (world.other, world.bidder, world.second):
        core.fund(who, 10_000_000)
    if insurance_usd:
        world.insure(insurance_usd)
    assert core.oracle.spot(UNDERLYING)[0] == round(SPOT_USD * WAD)
    return world
