"""The Clearinghouse: what owners, markets and anybody may do. contracts/Clearinghouse.sol."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from keeper.simulation.clearing.accounts import atomic, units
from keeper.simulation.clearing.marks import Refused
from keeper.simulation.clearing.settlement import Settled
from keeper.simulation.clearing.wad import ceil_div, expiry_of, mul_down, mul_toward_zero, mul_up
from keeper.units import WAD, WAD_PER_USDC_UNIT


@dataclass(frozen=True)
class Trade:
    """Legs, sizes from the taker's side, that move from maker to taker against a premium in WAD USD."""

    maker: str
    taker: str
    premium: int
    legs: tuple[tuple[int, int], ...]


class Clearinghouse(Settled):
    """Every action but settlement's."""

    # ------------------------------------------------------------------ owners

    @atomic
    def deposit_cash(self, who: str, usdc: int) -> None:
        """USDC token units in."""
        self._positive(usdc)
        self.move_cash(who, units(usdc))
        self.record_usdc(usdc)

    @atomic
    def withdraw_cash(self, who: str, usdc: int) -> None:
        """USDC token units out; keeps initial margin."""
        self._positive(usdc)
        self.move_cash_solvent(who, -units(usdc))
        self.require_withdrawable(who)
        self.record_usdc(-usdc)

    @atomic
    def deposit_base(self, who: str, amount: int) -> None:
        """Wei of WETH in."""
        self._positive(amount)
        self.add_base(who, amount)
        self.record_base(amount)

    @atomic
    def withdraw_base(self, who: str, amount: int) -> None:
        """Wei of WETH out; keeps initial margin."""
        self._positive(amount)
        self.add_base(who, -amount)
        self.require_withdrawable(who)
        self.record_base(-amount)

    # ------------------------------------------------------------------ markets

    @atomic
    def trade(self, trades: Sequence[Trade]) -> None:
        """Trades in order; margin once per account at the end, against what it was before all of them."""
        if not trades:
            raise Refused("TradesEmpty")
        named = dict.fromkeys(who for t in trades for who in (t.taker, t.maker))
        before = {who: self.portfolio(who) for who in named}
        for t in trades:
            self._trade(t)
        for who in named:
            self.require_no_worse(who, before[who])

    def _trade(self, t: Trade) -> None:
        if t.maker == t.taker:
            raise Refused("SelfTrade")
        for series, size in t.legs:
            self.live(series)
            if size == 0:
                raise Refused("SizeZero")
            self.add_to_leg(t.taker, series, size)
            self.add_to_leg(t.maker, series, -size)
        self.move_cash_solvent(t.taker, -t.premium)
        self.move_cash_solvent(t.maker, t.premium)

    @atomic
    def wrap(self, who: str, series: int, amount: int) -> None:
        """Takes long contracts out of an account; I-01 counts them as wrapped supply."""
        self.live(series)
        self._positive(amount)
        if self.of(who).legs.get(series, 0) < amount:
            raise Refused("LegShort")
        self.add_to_leg(who, series, -amount)
        self.wrapped[series] = self.wrapped.get(series, 0) + amount
        self.require_withdrawable(who)

    @atomic
    def unwrap(self, who: str, series: int, amount: int) -> None:
        """Puts long contracts into an account: no scenario gets worse by them."""
        self.live(series)
        self._positive(amount)
        self.add_to_leg(who, series, amount)
        self.wrapped[series] = self.wrapped.get(series, 0) - amount

    @atomic
    def sell_slice(
        self,
        who: str,
        to: str,
        share: int,
        price: int,
        from_insurance: int,
        keeper: str,
        bounty: int,
    ) -> None:
        """Moves a share of every live leg and of the WETH; legs round towards zero, so both sides move alike."""
        if who == to:
            raise Refused("SelfTrade")
        if not 0 < share <= WAD:
            raise Refused("ShareOutOfRange")
        if from_insurance > self.totals.insurance:
            raise Refused("InsuranceShort")
        for series, size in list(self.of(who).legs.items()):
            moved = mul_toward_zero(size, share)
            if moved and expiry_of(series) > self.now:
                self.add_to_leg(who, series, -moved)
                self.add_to_leg(to, series, moved)
        base = mul_down(self.of(who).base, share)
        self.add_base(who, -base)
        self.add_base(to, base)
        self.totals.insurance -= from_insurance
        self.move_cash_solvent(to, -price)
        self.move_cash_solvent(who, price + from_insurance - bounty)
        if bounty:
            self.move_cash(keeper, bounty)
        self.require_initial(to)

    @atomic
    def unwind_venue(self, usdc: int, base: int) -> None:
        """The vault's venue is closed; what came back, in token units and wei, is the vault's."""
        self.hedges = ()
        self.record_usdc(usdc)
        self.record_base(base)
        self.move_cash(self.vault, units(usdc))
        self.add_base(self.vault, base)

    # ------------------------------------------------------------------ anyone

    @atomic
    def cure(self, who: str, base: int) -> int:
        """Buys WETH of an account that owes, at a discount that grows since it began to owe. USDC paid, token units."""
        cash = self.move_cash(who, 0)
        if cash >= 0:
            raise Refused("NoDebt")
        self._positive(base)
        spot = self.marks.price_for(self.base_underlying, "Liquidate")
        price = mul_up(spot, WAD - self.cure_discount(who))
        usdc = ceil_div(mul_up(base, price), WAD_PER_USDC_UNIT)
        if usdc > ceil_div(-cash, WAD_PER_USDC_UNIT):
            raise Refused("CureTooLarge")
        self.move_cash(who, units(usdc))
        self.add_base(who, -base)
        self.record_usdc(usdc)
        self.record_base(-base)
        return usdc

    def cure_discount(self, who: str) -> int:
        """WAD: zero at the moment of the debt, in full after the ramp."""
        owing = min(self.now - self.of(who).since, self.debts.cure_ramp)
        return self.debts.cure_discount * owing // self.debts.cure_ramp

    @atomic
    def accrue(self, who: str) -> None:
        """Interest and recoveries up to date."""
        self.move_cash(who, 0)

    @atomic
    def fund_insurance(self, usdc: int) -> None:
        """USDC token units into the insurance fund."""
        self._positive(usdc)
        self.totals.insurance += units(usdc)
        self.record_usdc(usdc)

    @staticmethod
    def _positive(amount: int) -> None:
        if amount == 0:
            raise Refused("AmountZero")
