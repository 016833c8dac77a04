"""A thief with the keeper's, the committer's and the quoter's keys, and what he costs the vault: I-06.

Every loss is measured across one transaction, at the oracle's price, from what the vault's accounts hold. Options count
twice: as the contract must count them, on the worse of both slices, and at the volatility that nobody has bent.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from eth_account import Account
from eth_utils import to_checksum_address

from keeper.pricing import black76
from keeper.units import decode_series, pack_leg
from tests.contracts.core_accounts import wad
from tests.contracts.core_constants import DAY, FOREVER, HOUR, UNDERLYING, USDC, VOL, WAD
from tests.stateful.revm import Reverted
from tests.stateful.thief_chain import new_market

WEEK = 7 * DAY
YEAR = 365 * DAY
DAYS = (1, 7, 14)
STRIKES = (1_700.0, 2_000.0, 2_300.0)
QUOTER = Account.from_key(b"\x71" * 32)
MAKER = Account.from_key(b"\x72" * 32)
FRESH, AGED = 0, 1
# Standard deviations at which a bend of the surface is measured.
GRID = (-2.0, -1.0, 0.0, 1.0, 2.0)


@dataclass
class Losses:
    """USD. Gains of the vault are negative in `real` and `carry`; they refill no budget."""

    charged: float = 0.0  # rebalances, options on the worse of both slices: the budget's term
    fallback: float = 0.0  # slices of the fallback hedge: the reserve's term
    real: float = 0.0  # all transactions, options at the honest volatility
    carry: float = (
        0.0  # what positions cost while time passed: interest, no transaction of anybody's
    )
    moved: float = 0.0  # volatility, back and forth, by commits
    by_kind: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Holding:
    """The vault's accounts: USD, ETH of base and venues, options by series."""

    cash: int
    base: int
    legs: dict[int, int]
    packed: list[int]


class ThiefWorld:
    """A vault of three millions, short of options and long of ETH beyond its band; three accomplices."""

    def __init__(self) -> None:
        self.market = new_market()
        self.core = core = self.market.core
        self.chain = core.backend.chain
        self.who = core.takers[:2]
        self.maker = to_checksum_address(MAKER.address)
        by = {"from": core.gov}
        core.desk.setQuoter(to_checksum_address(QUOTER.address), by)
        self.price, self.level, self.skew = 2_000.0, VOL, 0.0
        self.series = sorted(
            core.series(d, k, c) for d in DAYS[1:] for k in STRIKES for c in (True, False)
        )
        core.desk.list(self.series, by)
        core.fund(core.vault, 3_000_000, 180)
        for account in (*self.who, self.maker):
            core.fund(account, 20_000_000, 2_000)
        self.begin = core.now
        self.losses = Losses()
        self.nonce = 0
        self.committed_at = core.now
        for _ in range(2):
            self.wait(HOUR + 60)
            self.commit(self.level, self.skew)
        self._book()
        self.wait(60)
        self.begin, self.losses = core.now, Losses()

    def _book(self) -> None:
        """Short strangles, half of the vega limit."""
        for series in self.series:
            _, expiry, strike, call = decode_series(series)
            size = 100.0 if expiry == self.core.expiry(14) else 50.0
            if call == (strike >= 2_000.0):
                premium = self._honest(series) * size
                self.core.trade(self.core.vault, self.who[0], [(series, size)], round(premium, 6))

    # ------------------------------------------------------------------ one life

    @contextmanager
    def life(self) -> Iterator[None]:
        """What happens inside is undone: a week that begins here."""
        kept = self.price, self.level, self.skew, self.nonce, self.committed_at
        mark = self.chain.snapshot()
        self.losses = Losses()
        try:
            yield
        finally:
            self.chain.revert(mark)
            self.price, self.level, self.skew, self.nonce, self.committed_at = kept

    @property
    def left_s(self) -> int:
        return int(self.begin + WEEK - self.core.now)

    def wait(self, seconds: int) -> None:
        """Arbitrage brings the pools home, the feeds go on."""
        self.restore()
        before = self.holding()
        self.core.warp(self.core.now + seconds)
        self.push()
        self.losses.carry -= self._hedge_change(before, self.holding())

    def restore(self) -> None:
        for pool in self.market.pools.values():
            pool.move(self.price)

    def push(self) -> None:
        by = {"from": self.core.gov}
        self.core.quote.push(10**8, 0, by)
        self.core.feed.push(round(self.price * 10**8), 0, by)

    def shift(self, usd: float) -> None:
        """The market's price moves, pools with it."""
        self.price = round(usd, 2)
        self.wait(60)

    def bend_pool(self, fee: int, share: float) -> None:
        """The thief brings one pool away from the oracle."""
        self.market.pools[fee].move(round(self.price * (1 + share), 6))

    def borrow_out(self, share: float) -> None:
        """The maker borrows a share of all WETH that Aave has left, against USDC that is his."""
        m, by = self.market, {"from": self.maker}
        liquid = int(self.core.weth.balanceOf(m.aave.a_weth))
        amount = int(liquid * share)
        usdc = round(amount / WAD * self.price * 1.5 * USDC)
        if not usdc:
            return
        self.core.usdc.mint(self.maker, usdc, by)
        self.core.usdc.approve(m.aave.pool, usdc, by)
        m.lender.supply(self.core.usdc.address, usdc, self.maker, 0, by)
        m.lender.borrow(self.core.weth.address, amount, 2, 0, self.maker, by)

    # ------------------------------------------------------------------ surface

    def commit(self, level: float, skew: float) -> bool:
        """All expiries at a volatility at the money; whether the rates let it."""
        core = self.core
        rows = [core.slice(level, d, skew=skew) for d in DAYS if core.expiry(d) > core.now + 60]
        try:
            args = UNDERLYING, wad(self.price), rows
            core.surface.commit(*args, {"from": core.committer})
        except Reverted:
            return False
        old, new = self._vols(self.level, self.skew), self._vols(level, skew)
        self.losses.moved += max(abs(a - b) for a, b in zip(old, new, strict=True))
        self.level, self.skew, self.committed_at = level, skew, core.now
        return True

    @staticmethod
    def _vols(level: float, skew: float) -> list[float]:
        """Volatilities across strikes of core_env's slice for a week."""
        tau = 7 / 365
        variance, sigma, rho = level * level * tau, 0.2, -0.5 if skew else 0.0
        b = abs(skew) * variance
        ks = (z * math.sqrt(variance) for z in GRID)
        return [
            math.sqrt((variance - b * sigma + b * (rho * k + math.hypot(k, sigma))) / tau)
            for k in ks
        ]

    # ------------------------------------------------------------------ measuring

    def holding(self) -> Holding:
        core = self.core
        _, cash, base, hedges, packed = core.clearinghouse.portfolioOf(core.vault)
        cash, base = cash + sum(h[1] for h in hedges), base + sum(h[0] for h in hedges)
        return Holding(cash, base, core.legs(core.vault), list(packed))

    def act(self, kind: str, call: Callable[[], Any]) -> bool:
        """One transaction, and what it cost the vault. False where it is refused."""
        before = self.holding()
        try:
            call()
        except Reverted:
            return False
        after = self.holding()
        rest = self._hedge_change(before, after)
        real = -(rest + self._options(before, after))
        self.losses.real += real
        self.losses.by_kind[kind] = self.losses.by_kind.get(kind, 0.0) + real
        if kind == "fallback":
            self.losses.fallback += max(-rest, 0.0)
        elif kind != "trade":
            self.losses.charged += max(-(rest + self._worse(before, after)), 0.0)
        return True

    def _hedge_change(self, before: Holding, after: Holding) -> float:
        return (after.cash - before.cash + (after.base - before.base) * self.price) / WAD

    def _options(self, before: Holding, after: Holding) -> float:
        """What the change of legs is worth at the honest volatility."""
        changed = {
            s: after.legs.get(s, 0) - before.legs.get(s, 0) for s in before.legs | after.legs
        }
        return sum(self._honest(s) * size / WAD for s, size in changed.items() if size)

    def _worse(self, before: Holding, after: Holding) -> float:
        if before.packed == after.packed:
            return 0.0
        value = self.core.marks.optionValue
        return min(value(after.packed, s) - value(before.packed, s) for s in (FRESH, AGED)) / WAD

    def _honest(self, series: int) -> float:
        _, expiry, strike, call = decode_series(series)
        tau = max(expiry - self.core.now, 0) / YEAR
        return float(black76.price(call, self.price, strike, VOL, tau))

    # ------------------------------------------------------------------ bounds of I-06

    def bounds(self) -> tuple[float, float, float]:
        """USD of this week so far: the budget's term, the reserve's, and what commits may cost."""
        p, hours = self.market.parameters, (self.core.now - self.begin) / HOUR
        budget = p.hedge.budget_cap_usd + p.hedge.budget_refill_usd_per_hour * math.ceil(hours)
        reserve = p.fallback.reserve_cap_usd + p.fallback.reserve_refill_usd_per_hour * math.ceil(
            hours
        )
        return float(budget), float(reserve), float(p.desk.vega_limit_usd) * self.losses.moved

    # ------------------------------------------------------------------ transactions

    def delta(self) -> float:
        return int(self.core.hedge.netDelta(UNDERLYING)[0]) / WAD

    def rebalance(self, kind: str, orders: list[tuple]) -> bool:
        core = self.core
        limits = core.hedge.epoch(), FOREVER, 2**100, b"\1" * 32
        return self.act(kind, lambda: core.hedge.rebalance(orders, limits, {"from": core.keeper}))

    def order(self, venue: Any, eth: float) -> tuple:
        """At the worst price that the contract lets pass."""
        worst = self.core.oracle.hedgePrice(UNDERLYING) * (1_010_000 if eth > 0 else 990_000)
        limit = worst // 10**6 if eth > 0 else -(-worst // 10**6)
        return venue, wad(round(eth, 9)), limit, b""

    def signed(self, maker: str, legs: list[tuple[int, int]], premium: int, key: Any) -> tuple:
        """A quote and its signature; sizes are the taker's."""
        self.nonce += 1
        rfq = maker, "0x" + "00" * 20, legs, premium, self.nonce, FOREVER
        digest = self.core.rfq.digestOf(rfq)
        return rfq, bytes(Account.unsafe_sign_hash(digest, key.key).signature)

    def option_deltas(self, legs: list[tuple[int, int]]) -> float:
        packed = [pack_leg(*leg) for leg in legs]
        return int(self.core.marks.optionGreeks(UNDERLYING, packed)[0]) / WAD
