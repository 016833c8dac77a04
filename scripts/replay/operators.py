"""The desk's other operators: who commits the surface, lists series, and settles expiries."""

from __future__ import annotations

from dataclasses import dataclass, field

from keeper.pricing.surface_moves import reachable_vol
from keeper.pricing.svi import pack_floats
from keeper.simulation.implied_vol import ImpliedVolModel
from keeper.units import WAD, encode_series
from scripts.replay.scenario import ladder
from scripts.replay.world import ANYONE, COMMITTER, World

MOST_SERIES = 32


@dataclass(slots=True)
class Operators:
    """`strikes` are those listed now, of the expiry `expiry_s`; `factors` are the payout factors of settled ones."""

    world: World
    model: ImpliedVolModel
    strikes: list[float] = field(default_factory=list)
    expiry_s: int = 0
    factors: dict[int, int] = field(default_factory=dict)

    def commit(self, expiry_s: int, atm_vol: float, at_s: int) -> float:
        """New slices of an expiry and of every live one, made for the very second of their block.

        Returns the at-the-money volatility, as near to the one asked for as the surface's rate limits allow.
        """
        chain, c, market = self.world.chain, self.world.contracts, self.world.underlying
        spot, _ = chain.read(c.oracle, "spot", market)
        listed = [e for e in chain.read(c.surface, "expiries", market) if e > at_s]
        for expiry in listed:
            atm_vol = self._reachable(expiry, atm_vol, at_s, spot)
        slices = []
        for expiry in sorted({expiry_s, *listed}):
            s = self.model.slice_at(atm_vol, expiry, at_s)
            slices.append((expiry, pack_floats(s.a, s.b, s.rho, s.m, s.sigma), 0))
        chain.next_block_at(at_s)
        chain.send(chain.account(COMMITTER), c.surface, "commit", market, spot, slices)
        return atm_vol

    def _reachable(self, expiry_s: int, atm_vol: float, at_s: int, spot: int) -> float:
        chain, c, market = self.world.chain, self.world.contracts, self.world.underlying
        # Carry is 0 here, so that spot is the at-the-money strike.
        _, last = chain.read(c.surface, "volAndForward", market, expiry_s, spot, spot)
        credit = chain.read(c.surface, "credit", market, expiry_s)
        rate = float(self.world.parameters.surface.level_rate_per_hour)
        return reachable_vol(atm_vol, last / WAD, credit, expiry_s - at_s, rate)

    def list_set(self, expiry_s: int, spot_usd: float, relative: tuple[float, ...]) -> None:
        """A new weekly set around spot."""
        self.expiry_s, self.strikes = expiry_s, []
        self.extend(spot_usd, relative)

    def extend(self, spot_usd: float, relative: tuple[float, ...]) -> None:
        """More strikes around a spot that ran away from the listed ones, as many as the desk takes."""
        chain, c = self.world.chain, self.world.contracts
        new = [strike for strike in ladder(spot_usd, relative) if strike not in self.strikes]
        new = new[: MOST_SERIES // 2 - len(self.strikes)]
        if new:
            chain.send(chain.account(COMMITTER), c.desk, "list", self._series(new))
            self.strikes = sorted([*self.strikes, *new])

    def settle(self, expiry_s: int) -> None:
        """Proof by the round of this hour, then the three phases, by somebody without any role."""
        chain, c, market = self.world.chain, self.world.contracts, self.world.underlying
        who = chain.account(ANYONE)
        accounts = [c.vault.address, *self.world.traders]
        chain.send(
            who, c.oracle, "proveSettlement", market, expiry_s, chain.read(c.feed, "latestRound")
        )
        chain.send(who, c.clearing, "convert", market, expiry_s, accounts)
        chain.send(who, c.clearing, "finalise", market, expiry_s)
        chain.send(who, c.clearing, "claim", market, expiry_s, accounts)
        self.factors[expiry_s] = chain.read(c.clearing, "settlementOf", market, expiry_s)[3]
        if self.strikes and self.expiry_s == expiry_s:
            chain.send(who, c.desk, "delist", self._series(self.strikes))
            self.strikes = []

    def _series(self, strikes: list[float]) -> list[int]:
        return sorted(
            encode_series(self.world.underlying, self.expiry_s, strike, is_call)
            for strike in strikes
            for is_call in (False, True)
        )


@dataclass(frozen=True, slots=True)
class Solvency:
    """I-02 to the unit. Empty `faults` means that every token is where the books say."""

    faults: tuple[str, ...]

    @staticmethod
    def check(world: World) -> Solvency:
        """Compare records, accounts and balances now."""
        chain, c = world.chain, world.contracts
        usdc, base, negative, insurance, pot = chain.read(c.clearing, "totals")
        # Bounties of the fallback hedge lie in an account of its own.
        bounties = world.deployment.address("HedgeFallback")
        people = [c.vault.address, *world.traders, bounties]
        books = [chain.read(c.clearing, "accountOf", who) for who in people]
        cash, weth = sum(b[0] for b in books), sum(b[1] for b in books)
        held = sum(chain.read(c.vault, "held"))
        clearing, vault = c.clearing.address, c.vault.address
        rules = (
            (
                usdc * 10**12 == cash + insurance + pot,
                f"recorded USDC {usdc} is not cash {cash} + {insurance} + {pot}",
            ),
            (base == weth, f"recorded WETH {base} is not the accounts' {weth}"),
            (negative == 0, f"accounts owe {negative / WAD:.6f} USD"),
            (
                chain.read(c.usdc, "balanceOf", clearing) >= usdc,
                "clearinghouse holds less USDC than recorded",
            ),
            (
                chain.read(c.weth, "balanceOf", clearing) >= base,
                "clearinghouse holds less WETH than recorded",
            ),
            (
                chain.read(c.usdc, "balanceOf", vault) >= held,
                "vault holds less USDC than requests and claims",
            ),
        )
        return Solvency(tuple(message for holds, message in rules if not holds))
