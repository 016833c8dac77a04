"""Liquidations: accounts that are below maintenance are found, auctioned, bought in slices by others and healed."""

from collections.abc import Callable
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from tests.contracts.core_constants import AUCTION_PARAMETERS, UNDERLYING, WAD
from tests.stateful.clearing_actions import ACTORS, SPOTS, WHALES, actors, underlyings
from tests.stateful.clearing_world import World

NO_LIMIT = 10**30
LATER = 2**40
# AuctionParameters.vaultDelay.
VAULT_DELAY_S = AUCTION_PARAMETERS[3]


class Liquidations:
    """Start, stage, bids and ends of auctions. Needs `self.world`."""

    world: World
    move_price: Callable[[int, int], None]
    reduce: Callable[[int, int, int, int], None]

    def _poor(self) -> list[str]:
        """Accounts below initial margin: some of them below maintenance too, where alone an auction may start."""
        w, out = self.world, []
        if any(feed.broken() for feed in w.feeds.values()):
            return []
        for person in w.who:
            if w.model.of(person).legs:
                equity, initial, _ = w.house.marginOf(person, 0)
                out += [person] if equity < initial else []
        return out

    @rule(at=actors, by=actors, poor=st.integers(0, 3))
    def start_auction(self, at: int, by: int, poor: int) -> None:
        """Of somebody poor if there is one, of anybody one time in four."""
        found = self._poor() if poor else []
        account = found[at % len(found)] if found else self.world.who[at]
        starter = self.world.who[by]
        self._both("start", (account, starter), (account,), starter)

    @precondition(lambda self: self.world.auctions.running)
    @rule(by=actors, pick=st.integers(0, 7), part=st.sampled_from((5, 100, 500, 1_000)))
    def bid(self, by: int, pick: int, part: int) -> None:
        w = self.world
        account = sorted(w.auctions.running)[pick % len(w.auctions.running)]
        bidder = max(w.who, key=self._means) if by % 2 else w.who[by]
        self.bid_for(bidder, account, part)

    def bid_for(self, bidder: str, account: str, part: int) -> None:
        """Thousandths of the lot, at any price."""
        share = part * WAD // 1_000
        args = account, share, NO_LIMIT, b"\0" * 32, LATER
        self._both("bid", (bidder, account, share, NO_LIMIT), args, bidder)

    def _means(self, person: str) -> int:
        """Who can pay for most; the vault may not bid."""
        w = self.world
        return -1 if person == w.core.vault else w.model.of(person).cash

    @precondition(lambda self: self.world.auctions.running)
    @rule(pick=st.integers(0, 7))
    def cancel_auction(self, pick: int) -> None:
        running = sorted(self.world.auctions.running)
        account = running[pick % len(running)]
        self._both("cancel", (account,), (account,), self.world.core.gov)

    @rule(at=st.integers(0, ACTORS - 1))
    def nobody_bids_twice_over(self, at: int) -> None:
        """A bid on an account without an auction is refused."""
        w, bidder = self.world, self.world.who[at]
        self.bid_for(bidder, w.who[at + 1], 1_000)

    @rule(
        underlying=underlyings,
        move=st.sampled_from((-60, -35, -15, 15, 35, 60)),
        minutes=st.sampled_from((0, 5, 31, 45, 70, 130)),
        part=st.sampled_from((100, 500, 1_000)),
    )
    def crash(self, underlying: int, move: int, minutes: int, part: int) -> None:
        """The market jumps, three who are poor by it are auctioned, and whales bid when some time has passed."""
        w = self.world
        self.move_price(underlying, move)
        for person in self._poor()[:WHALES]:
            self._both("start", (person, w.who[0]), (person,), w.who[0])
        w.warp(w.core.now + 60 * minutes)
        for one in SPOTS:
            w.refresh(one)
        for number, account in enumerate(sorted(w.auctions.running)[:WHALES]):
            self.bid_for(w.who[number], account, part)

    @rule(
        moves=st.permutations((-60, -35, 35, 60)),
        minutes=st.sampled_from((0, 5, 31, 45)),
        part=st.sampled_from((100, 500, 1_000)),
    )
    def crash_the_vault(self, moves: list[int], minutes: int, part: int) -> None:
        """Until the vault is poor too: its stage, the venue brought home, and a bid on what is left."""
        w, vault = self.world, self.world.core.vault
        for move in moves:
            self.move_price(UNDERLYING, move)
            for one in SPOTS:
                w.refresh(one)
            if vault in self._poor():
                break
        self._both("start", (vault, w.who[0]), (vault,), w.who[0])
        for wait, name in ((VAULT_DELAY_S, "open"), (60 * minutes, "bid")):
            w.warp(w.core.now + wait)
            for one in SPOTS:
                w.refresh(one)
            if name == "open":
                self.open_vault()
            else:
                self.bid_for(w.who[0], vault, part)

    @rule(at=actors, to=st.integers(0, WHALES - 1), part=st.sampled_from((20, 100, 300)))
    def reduce_below_margin(self, at: int, to: int, part: int) -> None:
        """A part of a book that lacks initial margin, at its mark: where less is missing after it, it goes (I-07)."""
        found = self._poor()
        if found:
            self.reduce(self.world.who.index(found[at % len(found)]), to, part, 1_000)

    @rule()
    def open_vault(self) -> None:
        self._both("open", (), (), self.world.core.gov)

    def _both(self, name: str, mine: tuple[Any, ...], theirs: tuple[Any, ...], sender: str) -> None:
        w = self.world
        model, contract = getattr(w.auctions, name), getattr(w.core.auction, name)
        refusal = w.both(lambda: model(*mine), lambda: contract(*theirs, {"from": sender}))
        w.done[f"{name} {refusal}".rstrip()] += 1
        for person in {*mine[:2], w.core.vault} & {*w.who}:
            phase, since, starter, bounty = w.core.auction.auctionOf(person)
            a = w.auctions.running.get(person)
            assert phase == (("Stage", "Running").index(a.phase) + 1 if a else 0)
            if a:
                assert (since, bounty) == (a.since, a.bounty_left)
                assert starter.lower() == a.starter.lower()
