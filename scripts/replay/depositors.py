"""Depositors: they ask, an epoch fills them, they claim; at the end they leave and are paid."""

from __future__ import annotations

from dataclasses import dataclass, field

from scripts.replay.chain import ReplayFailure, events
from scripts.replay.world import ANYONE, FIRST_DEPOSITOR, USDC_UNIT, World

MAX_USDC = 2**255
MOST_EPOCHS = 6
ROUNDS_S = 10  # for the rounds of both feeds, which come before an epoch


@dataclass(slots=True)
class Depositors:
    """Amounts in USDC token units and shares; `leaving` is what each redeems, `paid` what he got back."""

    world: World
    amounts: list[int]
    waiting: set[int] = field(default_factory=set)
    leaving: dict[int, int] = field(default_factory=dict)
    requests: int = 0
    cancels: int = 0
    partial_fills: int = 0
    cancelled: int = 0
    deposited: int = 0
    paid: dict[int, int] = field(default_factory=dict)
    supply: int = 0

    def account(self, index: int) -> str:
        """Address of a depositor."""
        return self.world.chain.account(FIRST_DEPOSITOR + index)

    def fund(self) -> None:
        """Money and allowance for all."""
        c = self.world.contracts
        for index, amount in enumerate(self.amounts):
            self.world.give_usdc(self.account(index), amount / USDC_UNIT)
            self.world.chain.send(self.account(index), c.usdc, "approve", c.vault.address, MAX_USDC)

    def request(self, index: int) -> None:
        """Asks to deposit everything. The last one thinks it over: takes it all back, then asks again."""
        self._ask(index)
        if index == len(self.amounts) - 1:
            self._take_back(index)
            self._ask(index)
        self.waiting.add(index)

    def _ask(self, index: int) -> None:
        who, amount = self.account(index), self.amounts[index]
        self.requests += 1
        self.world.chain.send(who, self.world.contracts.vault, "requestDeposit", amount, who, who)

    def _take_back(self, index: int) -> None:
        chain, c, who = self.world.chain, self.world.contracts, self.account(index)
        epoch = self._asked_in("pendingDepositRequest", who)
        chain.send(who, c.vault, "cancelDepositRequest", epoch, who)
        chain.send(who, c.vault, "claimCancelDepositRequest", epoch, who, who)
        back = chain.read(c.usdc, "balanceOf", who)
        if back != self.amounts[index]:
            raise ReplayFailure(f"depositor {index} cancelled and has {back} USDC units back")
        self.cancels += 1
        self.cancelled += back

    def process_if_due(self) -> float:
        """Ends an epoch whose window is open or opens soon; claims shares. Returns USD that came in."""
        chain, vault = self.world.chain, self.world.contracts.vault
        at_s, parameters = self._opens_at_s(), self.world.parameters.vault
        if at_s - chain.now_s() > parameters.epoch_length_s - parameters.epoch_window_s:
            return 0.0
        flow = self._process(at_s)
        for index in sorted(self.waiting):
            who = self.account(index)
            assets = chain.read(vault, "maxDeposit", who)
            if assets:
                chain.send(who, vault, "deposit", assets, who, who)
                self.waiting.discard(index)
        return flow

    def ask_to_leave(self) -> None:
        """All who hold shares ask to redeem them. The last one thinks it over here too."""
        for index in range(len(self.amounts)):
            shares = self.world.chain.read(
                self.world.contracts.share, "balanceOf", self.account(index)
            )
            if not shares:
                continue
            self._ask_out(index, shares)
            if index == len(self.amounts) - 1:
                self._stay(index, shares)
                self._ask_out(index, shares)
            self.leaving[index] = self.leaving.get(index, 0) + shares

    def _ask_out(self, index: int, shares: int) -> None:
        who = self.account(index)
        self.world.chain.send(who, self.world.contracts.vault, "requestRedeem", shares, who, who)
        self.requests += 1

    def _stay(self, index: int, shares: int) -> None:
        chain, c, who = self.world.chain, self.world.contracts, self.account(index)
        epoch = self._asked_in("pendingRedeemRequest", who)
        chain.send(who, c.vault, "cancelRedeemRequest", epoch, who)
        chain.send(who, c.vault, "claimCancelRedeemRequest", epoch, who, who)
        back = chain.read(c.share, "balanceOf", who)
        if back != shares:
            raise ReplayFailure(f"depositor {index} cancelled and has {back} shares back")
        self.cancels += 1

    def _asked_in(self, pending: str, who: str) -> int:
        """The epoch of a request that was just made: this one, or the next where this one is over already."""
        chain, vault = self.world.chain, self.world.contracts.vault
        epoch: int = chain.read(vault, "currentEpoch")
        return epoch if chain.read(vault, pending, epoch, who) else epoch + 1

    def leave(self, price_usd: float) -> float:
        """All redeem and are paid; time passes to the next epochs, at one price. Returns USD in, so less than zero."""
        chain = self.world.chain
        self.ask_to_leave()
        flow = 0.0
        for _ in range(MOST_EPOCHS):
            if self._filled() == self.leaving:
                break
            chain.next_block_at(self._opens_at_s())
            self.world.push_round(price_usd)
            flow += self._process(self._opens_at_s())
        if self._filled() != self.leaving:
            raise ReplayFailure(
                f"redemptions are not filled after {MOST_EPOCHS} epochs: the vault lacks free cash"
            )
        for index, shares in self.leaving.items():
            self._claim(index, shares)
        return flow

    def _filled(self) -> dict[int, int]:
        """Shares that can be claimed by those who leave."""
        chain, vault = self.world.chain, self.world.contracts.vault
        return {i: chain.read(vault, "maxRedeem", self.account(i)) for i in self.leaving}

    def _claim(self, index: int, shares: int) -> None:
        chain, c, who = self.world.chain, self.world.contracts, self.account(index)
        before = chain.read(c.usdc, "balanceOf", who)
        due = chain.read(c.vault, "maxWithdraw", who)
        chain.send(who, c.vault, "redeem", shares, who, who)
        self.paid[index] = chain.read(c.usdc, "balanceOf", who) - before
        if self.paid[index] != due or due == 0:
            raise ReplayFailure(
                f"depositor {index} was due {due} USDC units and got {self.paid[index]}"
            )

    def _opens_at_s(self) -> int:
        """When the epoch can be processed next, a second from now at the earliest: never beside a commit or a trade."""
        chain, parameters = self.world.chain, self.world.parameters.vault
        now_s, ends_s = chain.now_s() + 1, chain.read(self.world.contracts.vault, "epochEndsAt")
        late_s = now_s - ends_s
        if late_s < 0:
            return int(ends_s)
        into_s = late_s % parameters.epoch_length_s
        return (
            now_s
            if into_s + ROUNDS_S < parameters.epoch_window_s
            else now_s + parameters.epoch_length_s - into_s
        )

    def _process(self, at_s: int) -> float:
        """Net USD into the vault's account."""
        chain, c = self.world.chain, self.world.contracts
        before = self._filled()
        chain.next_block_at(at_s)
        mined = chain.send(chain.account(ANYONE), c.vault, "processEpoch")
        self.partial_fills += sum(
            before[index] < shares < self.leaving[index] for index, shares in self._filled().items()
        )
        (epoch,) = events(c.vault, "EpochProcessed", mined.logs)
        self.deposited += epoch["depositedAssets"]
        self.supply = chain.read(c.share, "totalSupply")
        net: int = epoch["depositedAssets"] - epoch["redeemedAssets"]
        return net / USDC_UNIT
