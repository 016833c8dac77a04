"""DeskVault beside its model, over random lives of five users, a trading account and a moving market.

After every step: I-02 (USDC conserved to the unit), the books equal to the model's, and whoever has something to claim
can claim it, whatever the others do (I-08). Over every epoch: nobody who stays loses by those who come and go (I-04).
Run `STATEFUL_EXAMPLES=500` in the environment for a long search.
"""

import os
from collections.abc import Callable
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from tests.stateful.vault_chain import DAY, EPOCH, MIN_REDEEM, SPONSOR, USD, USERS, VaultChain
from tests.stateful.vault_model import SCALE, WAD, Flows, Queue, VaultModel

# Every flow rounds in favour of those who stay, so only the two divisions of the check itself may differ (wei).
DUST = 1

users = st.sampled_from(USERS)
amounts = st.one_of(st.integers(USD, 50 * USD), st.integers(USD, 10**6 * USD))
parts = st.one_of(st.just(1000), st.integers(1, 1000))


class VaultMachine(RuleBasedStateMachine):
    """One vault over the real Clearinghouse and RiskEngine; the market is set by hand."""

    @initialize(tied=st.integers(0, 100))
    def deploy(self, tied: int) -> None:
        self.world = VaultChain()
        self.vault, self.share, self.usdc = self.world.vault, self.world.share, self.world.usdc
        self.house, self.chain = self.world.house, self.world.chain
        self.model = VaultModel()
        self.step = 0
        self.donated = 0
        self.donated_shares = 0
        self.minted = self.usdc.totalSupply()
        for user in USERS[:3]:
            self.request_deposit(user, 1_000 * USD)
        self.process(0)
        self.claim_shares(USERS[0], USERS[0], 1000, True)
        self.claim_shares(USERS[1], USERS[1], 1000, False)
        self.trade_options(tied)

    def next_with(self, user: str, amount: Callable[[str], int]) -> str:
        """The first user from `user` on of whom there is some amount: fewer steps do nothing."""
        at = USERS.index(user)
        return next((u for u in USERS[at:] + USERS[:at] if amount(u)), user)

    def open_id(self) -> int:
        return self.model.epoch + int(self.chain.now >= self.vault.epochEndsAt())

    # ------------------------------------------------------------------ users

    @rule(user=users, assets=amounts)
    def request_deposit(self, user: str, assets: int) -> None:
        expected = self.open_id()
        if not self.model.deposits.can_add(user, expected):
            return
        assert self.vault.requestDeposit(assets, user, user, sender=user) == expected
        self.model.deposits.add(user, expected, assets)

    @rule(user=users, part=parts)
    def request_redeem(self, user: str, part: int) -> None:
        user = self.next_with(user, self.share.balanceOf)
        shares = self.share.balanceOf(user) * part // 1000
        expected = self.open_id()
        if shares < MIN_REDEEM or not self.model.redemptions.can_add(user, expected):
            return
        assert self.vault.requestRedeem(shares, user, user, sender=user) == expected
        self.model.redemptions.add(user, expected, shares)

    @rule(user=users, receiver=users, part=parts, by_input=st.booleans())
    def claim_shares(self, user: str, receiver: str, part: int, by_input: bool) -> None:
        side = 0 if by_input else 1
        user = self.next_with(user, lambda u: self.model.deposits.totals(u)[side])
        most = self.model.deposits.totals(user)[side]
        amount = most * part // 1000
        if amount == 0:
            return
        claim = self.vault.deposit if by_input else self.vault.mint
        given = claim(amount, receiver, user, sender=user)
        assets, shares = self.model.deposits.claim(user, amount, by_input=by_input)
        assert given == (shares if by_input else assets)

    @rule(user=users, receiver=users, part=parts, by_input=st.booleans())
    def claim_usdc(self, user: str, receiver: str, part: int, by_input: bool) -> None:
        side = 0 if by_input else 1
        user = self.next_with(user, lambda u: self.model.redemptions.totals(u)[side])
        most = self.model.redemptions.totals(user)[side]
        amount = most * part // 1000
        if amount == 0:
            return
        had = self.usdc.balanceOf(receiver)
        claim = self.vault.redeem if by_input else self.vault.withdraw
        given = claim(amount, receiver, user, sender=user)
        shares, assets = self.model.redemptions.claim(user, amount, by_input=by_input)
        assert given == (assets if by_input else shares)
        assert self.usdc.balanceOf(receiver) == had + assets
        self.model.claimable_assets -= assets

    @rule(user=users, to=users, part=parts, usdc=st.integers(1, 1000 * USD))
    def move_tokens(self, user: str, to: str, part: int, usdc: int) -> None:
        """Shares change hands. Incident 10: unsolicited tokens count in nothing, as the invariants show."""
        user = self.next_with(user, self.share.balanceOf)
        self.share.transfer(to, self.share.balanceOf(user) * part // 1000, sender=user)
        shares = self.share.balanceOf(to) // 1000
        self.share.transfer(self.vault.address, shares, sender=to)
        self.donated_shares += shares
        self.usdc.transfer(self.vault.address, usdc, sender=user)
        self.usdc.transfer(self.house.address, usdc, sender=user)
        self.donated += usdc

    # ------------------------------------------------------------------ market

    @rule(percent=st.integers(-40, 60), ruin=st.sampled_from([False] * 19 + [True]))
    def trade_result(self, percent: int, ruin: bool) -> None:
        """The vault gains or loses cash, at times all of it, as far as its margin lets it."""
        cash = self.world.cash
        self.world.trade(-cash if ruin else max(cash, 100 * WAD) * percent // 100)

    @rule(percent=st.integers(5, 100))
    def trade_options(self, percent: int) -> None:
        """Ties cash up as margin, about 620 USD a call; or sets it free again."""
        if self.world.expiry:
            self.world.buy_calls_back()
            return
        size = self.house.freeCashOf(self.vault.address) * SCALE * percent // 100 // 620
        if size:
            self.world.sell_calls(size)

    @rule(price=st.integers(1_600, 2_800))
    def move_spot(self, price: int) -> None:
        self.world.market.setSpot(price * WAD, sender=SPONSOR)

    # ------------------------------------------------------------------ epochs

    @rule(seconds=st.integers(1, 3 * EPOCH))
    def wait(self, seconds: int) -> None:
        expiry = self.world.expiry
        if expiry and self.chain.now + seconds > expiry - 2 * DAY:
            self.world.buy_calls_back()
        self.chain.travel(seconds)

    @rule(late=st.integers(0, 60))
    def process(self, late: int) -> None:
        ends = self.vault.epochEndsAt()
        if self.chain.now < ends:
            self.wait(ends - self.chain.now + late)
        self.world.refresh_surface()
        before = self.world.account()
        supply = self.model.supply
        escrowed = self.redeeming()
        flows = self.model.process(before)
        self.vault.processEpoch(sender=USERS[0])
        assert self.vault.epochEndsAt() > self.chain.now
        assert (self.vault.epochEndsAt() - ends) % EPOCH == 0
        after = before.mid + (flows.assets_in - flows.assets_out) * SCALE
        assert self.world.lens.equityOf(self.vault.address) == after
        assert self.vault.totalAssets() == max(0, after) // SCALE
        self.check_bystanders(before.mid, supply, after, flows)
        assert self.redeeming() == escrowed - flows.burned

    def check_bystanders(self, nav: int, supply: int, after: int, flows: Flows) -> None:
        """I-04: what a share would fetch does not fall through the epoch's own flows, but for dust."""
        stay = supply - flows.burned
        if stay <= 0 or nav <= 0:
            return
        now = self.model.supply
        old = min(stay * (nav + WAD) // (supply + WAD), stay * nav // supply)
        new = min(stay * (after + WAD) // (now + WAD), stay * after // now)
        assert new >= old - DUST

    def redeeming(self) -> int:
        return sum(b.pending for b in self.model.redemptions.batches.values())

    # ------------------------------------------------------------------ after every step

    @invariant()
    def usdc_is_conserved(self) -> None:
        """I-02."""
        pending, claimable = self.vault.held()
        assert pending == sum(b.pending for b in self.model.deposits.batches.values())
        assert claimable == self.model.claimable_assets
        assert self.usdc.balanceOf(self.vault.address) == pending + claimable + self.donated
        owed = sum(self.model.redemptions.totals(user)[1] for user in USERS)
        parts = sum(len(b.requests) for b in self.model.redemptions.batches.values())
        assert owed <= claimable <= owed + parts
        assert self.usdc.totalSupply() == self.minted

    @invariant()
    def shares_are_accounted_for(self) -> None:
        assert self.share.totalSupply() == self.model.supply
        unclaimed = sum(self.model.deposits.totals(user)[1] for user in USERS)
        parts = sum(len(b.requests) for b in self.model.deposits.batches.values())
        dust = self.share.balanceOf(self.vault.address) - unclaimed - self.redeeming()
        assert 0 <= dust - self.donated_shares <= parts

    @invariant()
    def views_equal_the_model(self) -> None:
        assert self.vault.currentEpoch() == self.model.epoch
        self.step += 1
        user = USERS[self.step % len(USERS)]
        deposits, redemptions = self.model.deposits, self.model.redemptions
        assert (self.vault.maxDeposit(user), self.vault.maxMint(user)) == deposits.totals(user)
        assert (self.vault.maxRedeem(user), self.vault.maxWithdraw(user)) == redemptions.totals(
            user
        )
        for request_id in range(max(1, self.model.epoch - 3), self.model.epoch + 2):
            for queue, pending, claimable in self.sides():
                batch = queue.batches.get(request_id)
                expected = batch.claimable(user)[0] if batch else 0
                assert claimable(request_id, user) == expected
                assert pending(request_id, user) == queue.pending(user, request_id)

    def sides(self) -> list[tuple[Queue, Any, Any]]:
        vault = self.vault
        return [
            (self.model.deposits, vault.pendingDepositRequest, vault.claimableDepositRequest),
            (self.model.redemptions, vault.pendingRedeemRequest, vault.claimableRedeemRequest),
        ]

    def teardown(self) -> None:
        """I-08: in the end everybody takes all that is his, in the worst order for the last."""
        for user in reversed(USERS):
            for queue, claim in (
                (self.model.deposits, self.vault.deposit),
                (self.model.redemptions, self.vault.redeem),
            ):
                most = queue.totals(user)[0]
                if most:
                    claim(most, user, user, sender=user)


VaultMachine.TestCase.settings = settings(
    max_examples=int(os.environ.get("STATEFUL_EXAMPLES", "40")),
    stateful_step_count=80,
    deadline=None,
    derandomize=True,
    suppress_health_check=list(HealthCheck),
)
TestVault = VaultMachine.TestCase
