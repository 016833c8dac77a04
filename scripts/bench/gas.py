"""Gas of the transactions that users and keeper send, from receipts of anvil at the deployment settings.

The chain starts at a fixed time and mines a block a second, and every actor is one of the node's own accounts, so a
run gives the same figures again; tests/e2e/gas.json holds those of the last accepted change.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from keeper.pricing.svi import pack_floats
from keeper.units import WAD, encode_series
from scripts.bench.gas_clearing import ClearingGas
from scripts.bench.gas_hedging import HedgingGas
from scripts.bench.gas_vault import VaultGas
from scripts.nodes import NodeSettings, start_node
from scripts.replay.chain import Mined, ReplayChain, Target
from scripts.replay.scenario import next_expiry
from scripts.replay.world import (
    ACCOUNTS,
    ANYONE,
    COMMITTER,
    DEPLOYER,
    World,
    build_world,
)

START_S = 1_577_880_000  # 2020-01-01 12:00 UTC
PRICE_USD = 200.0
VOL = 0.8
KEEPER, BUYER, SELLER = 9, 3, 4
HOUR_S = 3600
WEEK_S = 7 * 24 * HOUR_S
USDC = 10**6
MAX_UINT = 2**256 - 1
TRANSACTION_GAS = 21_000
STRIKES = tuple(150.0 + 10.0 * i for i in range(8))


@dataclass(slots=True)
class GasBench:
    """A deployed world and what was measured in it."""

    world: World
    figures: dict[str, int] = field(default_factory=dict)
    expiries: list[int] = field(default_factory=list)

    def measure(
        self, key: str, account: str, target: Target, function: str, *args: object
    ) -> Mined:
        """One transaction whose receipt is kept under `key`."""
        mined = self.world.chain.send(account, target, function, *args)
        self.figures[key] = mined.gas_used
        return mined

    def run(self) -> dict[str, int]:
        """All figures."""
        vault = VaultGas(self.world, self.measure, self._refresh)
        vault.requests()
        self._takers()
        self.expiries = expiries = self._surface()
        clearing = ClearingGas(self.world, self.measure, expiries)
        clearing.run()
        self._book(expiries[0])
        vault.epochs(self._bring_home)
        clearing.settle()
        return self.figures

    def _takers(self) -> None:
        chain, c = self.world.chain, self.world.contracts
        for index in (BUYER, SELLER):
            who = chain.account(index)
            self.world.give_usdc(who, 2_000_000)
            chain.send(who, c.usdc, "approve", c.clearing.address, MAX_UINT)
            chain.send(who, c.clearing, "depositCash", 900_000 * USDC)
            self.measure("deposit_cash", who, c.clearing, "depositCash", 100_000 * USDC)

    def _surface(self) -> list[int]:
        """Six weekly expiries."""
        self._samples()
        first = next_expiry(self.world.chain.now_s(), 5 * 24 * HOUR_S)
        expiries = [first + i * WEEK_S for i in range(6)]
        self._commit(expiries, "surface_commit_6_first")
        # An hour apart, so that each commit promotes; from the fourth on every place has been written before.
        for _ in range(3):
            self.world.chain.pass_until(self.world.chain.now_s() + HOUR_S)
            self._round()
            self._commit(expiries, "surface_commit_6")
        ids = sorted(
            encode_series(1, first, strike, call) for strike in STRIKES for call in (False, True)
        )
        lister = self.world.chain.account(COMMITTER)
        self.measure("list_16_series", lister, self.world.contracts.desk, "list", ids)
        return expiries

    def _refresh(self) -> None:
        """What an epoch needs: a round of the feed and, where there is a surface, a commit."""
        self._round()
        if self.expiries:
            self._commit(self.expiries, "surface_commit_6")

    def _samples(self) -> None:
        """Enough of the feed's hours for the realised volatility to bind a commit: at about 80 %."""
        chain, c = self.world.chain, self.world.contracts
        for i in range(self.world.parameters.surface.realised_samples):
            latest = chain.read(c.feed, "latestRound")
            self.measure("oracle_poke", chain.account(ANYONE), c.oracle, "poke", 1, latest)
            chain.pass_until((chain.now_s() // HOUR_S + 1) * HOUR_S)
            self.world.push_round(PRICE_USD * (1.0085 if i % 2 == 0 else 1.0))

    def _commit(self, expiries: list[int], key: str) -> None:
        chain, c = self.world.chain, self.world.contracts
        now = chain.now_s()
        slices = [
            (e, pack_floats(0.9 * VOL**2 * (e - now) / 31_536_000, 0.01, -0.3, 0.0, 0.1), 0)
            for e in expiries
        ]
        spot, _ = chain.read(c.oracle, "spot", 1)
        self.measure(key, chain.account(COMMITTER), c.surface, "commit", 1, spot, slices)

    def _book(self, expiry: int) -> None:
        """The vault sells 8, then 16 series, and hedges after each."""
        chain, c = self.world.chain, self.world.contracts
        keeper = chain.account(KEEPER)
        chain.send(chain.account(DEPLOYER), c.hedger, "setKeeper", keeper)
        hedging = HedgingGas(self.world, self.measure, keeper, PRICE_USD)
        spot, short = hedging.venues
        calls = [encode_series(1, expiry, strike, True) for strike in STRIKES]
        puts = [encode_series(1, expiry, strike, False) for strike in STRIKES]
        buyer = chain.account(BUYER)
        self._buy(buyer, calls[4:], 10)
        self._buy(buyer, puts[:4], 5)
        hedging.buy_first(1.0)
        hedging.level("rebalance_1swap_8legs", spot, buys=True)
        self._buy(buyer, calls[:4] + puts[4:], 5)
        self._buy(buyer, calls, 5)
        hedging.upkeep()
        hedging.level("rebalance_1swap_16legs", spot, buys=True)
        self._buy(buyer, calls, 5)
        second = hedging.second_pool()
        hedging.level("rebalance_2pools_16legs", spot, second, buys=True)
        self._quote(calls[3])
        # The vault has sixteen legs; the first taker one, the second sixteen of his own.
        taker, leg = chain.account(SELLER), [(calls[3], WAD)]
        self._buy(taker, calls[3:4], 1)
        for key, who in (("desk_trade_1leg_16", taker), ("desk_trade_1leg_16_16", buyer)):
            self.measure(key, who, c.desk, "trade", leg, MAX_UINT >> 1, MAX_UINT)
        self._sell_down(puts)
        hedging.level("rebalance_aave_short_16legs_first", short, buys=False)
        self._sell_down(puts)
        hedging.level("rebalance_aave_short_16legs", short, buys=False)
        self._buy(buyer, calls, 5)
        hedging.level("rebalance_1swap_16legs_beside_short", spot, buys=True)
        self._perp(hedging, puts, calls)

    def _perp(self, hedging: HedgingGas, puts: list[int], calls: list[int]) -> None:
        """The short moves to a perpetual, pays funding for six hours, and is closed."""
        perp, _ = hedging.perp()
        self._commit_again()
        self._sell_down(puts)
        hedging.level("rebalance_perp_open_16legs", perp, buys=False)
        for _ in range(6):
            self.world.chain.pass_until(self.world.chain.now_s() + HOUR_S)
            self._round()
        self._commit_again()
        self._buy(self.world.chain.account(BUYER), calls, 5)
        hedging.level("rebalance_perp_close_16legs", perp, buys=True)

    def _bring_home(self) -> None:
        """Every venue's position is closed by governance."""
        chain, clearing = self.world.chain, self.world.contracts.clearing
        for venue in chain.read(clearing, "venues"):
            chain.send(chain.account(DEPLOYER), clearing, "unwindVenue", venue)

    def _commit_again(self) -> None:
        self._round()
        now = self.world.chain.now_s()
        live = [e for e in self.expiries if e > now]
        self._commit(live, "surface_commit_later")
        del self.figures["surface_commit_later"]

    def _quote(self, series: int) -> None:
        """The quote as a view: what a contract would pay for it, without the 21,000 of a transaction."""
        chain, desk = self.world.chain, self.world.contracts.desk
        mined = chain.send(chain.account(BUYER), desk, "quote", [(series, WAD)])
        self.figures["desk_quote_16"] = mined.gas_used - TRANSACTION_GAS

    def _buy(self, who: str, series: list[int], size: int) -> None:
        legs = [(s, size * WAD) for s in sorted(series)]
        deadline = self.world.chain.now_s() + HOUR_S
        self.world.chain.send(
            who, self.world.contracts.desk, "trade", legs, MAX_UINT >> 1, deadline
        )

    def _sell_down(self, puts: list[int]) -> None:
        """Turns the vault's delta positive: the buyer takes puts."""
        self._buy(self.world.chain.account(BUYER), puts, 30)

    def _round(self) -> None:
        self.world.push_round(PRICE_USD)


def measure_gas(say: Callable[[str], None]) -> dict[str, int]:
    """Deploys on a node of its own and returns gas by key."""
    settings = NodeSettings(timestamp_s=START_S, accounts=ACCOUNTS, balance_eth=10_000_000)
    with tempfile.TemporaryDirectory() as folder, start_node(settings) as node:
        world = build_world(
            ReplayChain(node), PRICE_USD, Path(folder) / "run", say, keep_admin=True
        )
        return GasBench(world).run()
