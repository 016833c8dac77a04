"""The keeper is dead: anybody's bot asks the fallback hedge what there is to do, and does it.

It holds no role: `checkUpkeep` as a view, `performUpkeep` with what that said, from an account that only has gas
money. Within an hour it comes back until the delta is inside the keeper's band or the hour is over.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

from keeper.chain.bindings import Log
from keeper.models import Snapshot
from keeper.portfolio.attribution import HedgeFill
from keeper.portfolio.book import value_book
from keeper.units import from_wad
from scripts.replay.chain import ReplayFailure, Target, events
from scripts.replay.world import BOT, World

HOUR_S = 3600
# The next hour begins with its price: what is not done by then is done after it.
REST_S = 60
MOST_CALLS = 40
BOUNTIES_USD = 2_000


@dataclass(frozen=True, slots=True)
class DeadHour:
    """An hour without a keeper, ETH: delta once the market had moved, at the end, and then without any fallback."""

    timestamp_s: int
    moved_eth: float
    end_eth: float
    without_eth: float


@dataclass(slots=True)
class FallbackBot:
    """`hours` are those without a keeper; `hedge_at_death_eth` is what the vault held when it died."""

    world: World
    target: Target
    emergency_band_eth: float
    hours: list[DeadHour] = field(default_factory=list)
    calls: int = 0
    slices: int = 0
    gas_used: int = 0
    lost_usd: float = 0.0
    bounty_usd: float = 0.0
    hedge_at_death_eth: float | None = None

    @staticmethod
    def of(world: World) -> FallbackBot:
        """The bot of a deployment, with some bounties funded by whoever likes the vault to live."""
        address = world.deployment.address("HedgeFallback")
        target = Target.own("HedgeFallback", address)
        who = world.chain.account(BOT)
        units = world.give_usdc(who, BOUNTIES_USD)
        world.chain.send(who, world.contracts.usdc, "approve", address, units)
        world.chain.send(who, target, "fundBounties", units)
        band = from_wad(world.chain.read(target, "parameters")[0])
        return FallbackBot(world, target, band)

    def work(self, until_s: int) -> list[tuple[Log, ...]]:
        """Does what there is to do before `until_s`; the logs of every slice that was filled."""
        chain, filled = self.world.chain, []
        who = chain.account(BOT)
        for _ in range(MOST_CALLS):
            needed, data = chain.read(self.target, "checkUpkeep", b"")
            if needed:
                mined = chain.send(who, self.target, "performUpkeep", data)
                self.calls, self.gas_used = self.calls + 1, self.gas_used + mined.gas_used
                if events(self.target, "FallbackHedged", mined.logs):
                    filled.append(mined.logs)
                    self._count(mined.logs)
                continue
            ready_s = chain.read(self.target, "status")[1]
            if ready_s == 0 or ready_s >= until_s - REST_S:
                return filled
            chain.pass_until(max(ready_s, chain.now_s() + 1))
        raise ReplayFailure(f"the fallback still asks for work after {MOST_CALLS} calls in an hour")

    def fills(self, logs: tuple[Log, ...], spot_usd: float, fee: float) -> tuple[HedgeFill, ...]:
        """A slice in the ledger's terms: what it brought is what NAV changed by, less what the ETH is worth."""
        found = []
        for event in events(self.target, "FallbackHedged", logs):
            base, change = from_wad(event["filledBase"]), from_wad(event["navChange"])
            quote = change - base * spot_usd
            found.append(HedgeFill(base, quote, spot_usd, fee * abs(base) * spot_usd))
        return tuple(found)

    def record(self, moved: Snapshot, end: Snapshot) -> None:
        """An hour is over."""
        before, after = value_book(moved), value_book(end)
        if self.hedge_at_death_eth is None:
            self.hedge_at_death_eth = before.hedge_eth
        without = after.option_delta_eth + self.hedge_at_death_eth
        self.hours.append(DeadHour(moved.timestamp_s, before.delta_eth, after.delta_eth, without))

    def figures(self) -> dict[str, Any]:
        """For result.json."""
        hours, band = self.hours, self.emergency_band_eth

        def inside(values: list[float]) -> float:
            return sum(abs(value) <= band for value in values) / len(values) if values else 1.0

        end, moved = [h.end_eth for h in hours], [h.moved_eth for h in hours]
        without = [h.without_eth for h in hours]
        return {
            "hours": len(hours),
            "emergency_band_eth": band,
            "inside_share": inside(end),
            "inside_share_once_moved": inside(moved),
            "inside_share_without_fallback": inside(without),
            "most_abs_delta_eth": max((abs(value) for value in end), default=0.0),
            "most_abs_delta_without_fallback_eth": max((abs(v) for v in without), default=0.0),
            "rms_delta_eth": _rms(end),
            "rms_delta_without_fallback_eth": _rms(without),
            "slices": self.slices,
            "calls": self.calls,
            "gas_used": self.gas_used,
            "reserve_used_usd": self.lost_usd,
            "bounties_paid_usd": self.bounty_usd,
        }

    def _count(self, logs: tuple[Log, ...]) -> None:
        for event in events(self.target, "FallbackHedged", logs):
            self.slices += 1
            self.lost_usd -= min(from_wad(event["navChange"]), 0.0)
            self.bounty_usd += from_wad(event["bounty"])


def _rms(values: list[float]) -> float:
    return math.sqrt(math.fsum(v * v for v in values) / len(values)) if values else 0.0
