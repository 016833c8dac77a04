"""The options buyer and seller: they trade with the desk, fully collateralised, and close at the end."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from keeper.models import OptionLeg
from keeper.portfolio.attribution import OptionTrade
from keeper.units import WAD, decode_series, encode_series, from_wad
from scripts.replay.chain import events
from scripts.replay.scenario import Wish, nearest_strike
from scripts.replay.world import BUYER, OPTION_MAKER, SELLER, World

# The maker quotes and has no wishes; he closes with the others.
ACTORS = {"buyer": BUYER, "seller": SELLER, "maker": OPTION_MAKER}
DEADLINE_S = 600
# Between quote and trade only a second passes: a tenth of a percent and a dollar is room enough.
SLACK_SHARE = 1_000
MAX_UINT = 2**256 - 1


@dataclass(frozen=True, slots=True)
class Takers:
    """Trades come back from the vault's side, for its books."""

    world: World

    def fund(self, price_usd: float) -> None:
        """Cash for premiums and short puts, WETH for short calls, in the clearing accounts."""
        for name, cash_eth, weth in (("buyer", 600.0, 0.0), ("seller", 400.0, 1_000.0)):
            chain, c, who = self.world.chain, self.world.contracts, self.account(name)
            usdc = self.world.give_usdc(who, cash_eth * price_usd)
            chain.send(who, c.usdc, "approve", c.clearing.address, MAX_UINT)
            chain.send(who, c.clearing, "depositCash", usdc)
            if weth:
                wei = self.world.give_weth(who, weth)
                chain.send(who, c.weth, "approve", c.clearing.address, MAX_UINT)
                chain.send(who, c.clearing, "depositBase", wei)

    def account(self, name: str) -> str:
        """Address of an actor."""
        return self.world.chain.account(ACTORS[name])

    def fulfil(
        self,
        wishes: tuple[Wish, ...],
        expiry_s: int,
        spot_usd: float,
        strikes: list[float],
        sell: Callable[[str, list[tuple[int, int]]], OptionTrade] | None = None,
    ) -> list[OptionTrade]:
        """One trade an actor, at the listed strikes nearest to what is wished; the buyer's by `sell` where given."""
        done = []
        for name in ACTORS:
            sizes: dict[int, int] = {}
            for wish in wishes:
                if wish.actor == name:
                    strike = nearest_strike(spot_usd * wish.moneyness, strikes)
                    series = encode_series(self.world.underlying, expiry_s, strike, wish.is_call)
                    sizes[series] = sizes.get(series, 0) + round(wish.size_eth * 1000) * WAD // 1000
            if sizes and sell is not None and name == "buyer":
                done.append(sell(self.account(name), sorted(sizes.items())))
            elif sizes:
                done.append(self._trade(name, sorted(sizes.items())))
        return done

    def close_all(self) -> list[OptionTrade]:
        """Each actor trades everything that it holds back to the desk."""
        done = []
        for name in ACTORS:
            held = self.world.chain.read(
                self.world.contracts.clearing, "legsOf", self.account(name)
            )
            if held:
                done.append(self._trade(name, sorted((series, -size) for series, size in held)))
        return done

    def _trade(self, name: str, legs: list[tuple[int, int]]) -> OptionTrade:
        chain, desk = self.world.chain, self.world.contracts.desk
        quoted = chain.read(desk, "quote", legs)
        limit = quoted + abs(quoted) // SLACK_SHARE + WAD
        mined = chain.send(
            self.account(name), desk, "trade", legs, limit, chain.now_s() + DEADLINE_S
        )
        (traded,) = events(desk, "Traded", mined.logs)
        return OptionTrade(
            tuple(vault_leg(*leg) for leg in traded["legs"]), from_wad(traded["premium"])
        )


def vault_leg(series: int, taker_size: int) -> OptionLeg:
    """A leg of a taker, from the vault's side."""
    underlying, expiry_s, strike_usd, is_call = decode_series(series)
    return OptionLeg(series, underlying, expiry_s, strike_usd, is_call, -from_wad(taker_size))
