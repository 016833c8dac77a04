"""Gas of clearing: margin checks, a trade between two full accounts, settlement of one account.

Accounts are those of people, with portfolio margin as the vault's; legs lie in four expiries of six, and every slot is
cold at the start of its transaction.
"""

from __future__ import annotations

from collections.abc import Callable

from keeper.units import WAD, encode_series
from scripts.replay.chain import Mined, Target
from scripts.replay.world import ANYONE, DEPLOYER, MAKER, World

USDC = 10**6
MAX_UINT = 2**256 - 1
FRESH = 0
DESK = 1
WRITER, HOLDER, WIDE, OTHER = 7, 8, 10, 11
STRIKES = (160.0, 180.0, 200.0, 220.0)

Measure = Callable[..., Mined]


class ClearingGas:
    """Needs a surface with six expiries. A registered account trades for the people."""

    def __init__(self, world: World, measure: Measure, expiries: list[int]) -> None:
        self.world, self.measure, self.expiries = world, measure, expiries

    def run(self) -> None:
        """Margin of 16 and 32 legs, then a trade between accounts of 16 legs each."""
        chain, c = self.world.chain, self.world.contracts
        who = {i: chain.account(i) for i in (WRITER, HOLDER, WIDE, OTHER)}
        for account in who.values():
            self._fund(account)
        chain.send(chain.account(DEPLOYER), c.clearing, "setMarket", chain.account(ANYONE), DESK)
        narrow = [self._legs(expiry) for expiry in self.expiries[:4]]
        wide = [self._legs(expiry) for expiry in self.expiries[1:5]]
        sixteen = [leg for legs in narrow for leg in legs[::2]]
        for legs in narrow:
            self._trade(who[WRITER], who[HOLDER], legs[::2])
        for legs in wide:
            self._trade(who[WIDE], who[OTHER], legs)
        for key, account in (("margin_16x23", who[WRITER]), ("margin_32x23", who[WIDE])):
            self.measure(key, chain.account(ANYONE), c.clearing, "marginOf", account, FRESH)
        self._trade(who[WRITER], who[HOLDER], sixteen[5:6], key="trade_1leg_16_16")

    def settle(self) -> None:
        """Conversion of one account with 16 legs of one expiry; runs last, because it lets the expiry pass."""
        chain, c = self.world.chain, self.world.contracts
        expiry = self.expiries[1]
        writer, holder = chain.account(DEPLOYER), chain.account(MAKER)
        for account in (writer, holder):
            self._fund(account)
        strikes = tuple(160.0 + 10.0 * i for i in range(8))
        ids = [encode_series(1, expiry, s, call) for s in strikes for call in (False, True)]
        self._trade(writer, holder, [(series, WAD // 10) for series in ids])
        chain.pass_until(expiry + 1)
        self.world.push_round(205.0)
        anyone = chain.account(ANYONE)
        last = chain.read(c.feed, "latestRound")
        self.measure("prove_settlement", anyone, c.oracle, "proveSettlement", 1, expiry, last)
        self.measure("settle_16", anyone, c.clearing, "convert", 1, expiry, [writer])

    def _legs(self, expiry: int) -> list[tuple[int, int]]:
        return [
            (encode_series(1, expiry, strike, call), WAD // 10)
            for strike in STRIKES
            for call in (False, True)
        ]

    def _trade(
        self, maker: str, taker: str, legs: list[tuple[int, int]], key: str | None = None
    ) -> None:
        c, market = self.world.contracts, self.world.chain.account(ANYONE)
        trades = [(maker, taker, WAD, legs)]
        if key:
            self.measure(key, market, c.clearing, "trade", trades)
        else:
            self.world.chain.send(market, c.clearing, "trade", trades)

    def _fund(self, account: str) -> None:
        chain, c = self.world.chain, self.world.contracts
        self.world.give_usdc(account, 100_000)
        self._approve(account, c.usdc)
        chain.send(account, c.clearing, "depositCash", 100_000 * USDC)

    def _approve(self, account: str, token: Target) -> None:
        c = self.world.contracts
        self.world.chain.send(account, token, "approve", c.clearing.address, MAX_UINT)
