"""DeskVault beside its model, over random lives of twenty-one users, a trading account and a moving market.

After every step: I-02 (USDC conserved to the unit), the books equal to the model's, and whoever has something to claim
can claim it, whatever the others do (I-08). Over every epoch: nobody who stays loses by those who come and go (I-04),
nor by who knows the next surface. Each life ends in a wind-down in which everybody is paid (vault_end.py).
`make test-vault-long` is a long search.
"""

import os
import sys
from collections import Counter
from typing import ClassVar

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import initialize, invariant, rule

from tests.stateful.vault_chain import (
    DAY,
    EPOCH,
    MANAGEMENT,
    PERFORMANCE,
    RECIPIENT,
    SPONSOR,
    USD,
    USERS,
    WINDOW,
    VaultChain,
)
from tests.stateful.vault_end import wind_down
from tests.stateful.vault_hostile import Hostile
from tests.stateful.vault_model import SCALE, WAD, Flows, VaultModel

# Every flow rounds in favour of those who stay, so only the two divisions of the check itself may differ (wei).
DUST = 1


class VaultMachine(Hostile):
    """One vault over the real Clearinghouse and RiskEngine; the market is set by hand."""

    counts: ClassVar[Counter[str]] = Counter()

    @initialize(tied=st.integers(0, 100))
    def deploy(self, tied: int) -> None:
        self.counts["lives"] += 1
        self.world = VaultChain()
        self.vault, self.share, self.usdc = self.world.vault, self.world.share, self.world.usdc
        self.house, self.chain = self.world.house, self.world.chain
        self.model = VaultModel(MANAGEMENT, PERFORMANCE, self.vault.lastEpoch()[1])
        self.step = 0
        self.donated = 0
        self.donated_shares = 0
        self.bend = 1.0
        self.minted = self.usdc.totalSupply()
        for user in USERS[:3]:
            self.request_deposit(user, 1_000 * USD)
        self.process(0)
        self.claim_shares(USERS[0], USERS[0], 1000, True)
        self.claim_shares(USERS[1], USERS[1], 1000, False)
        self.trade_options(tied)

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

    @rule(seconds=st.integers(1, 2 * EPOCH))
    def wait(self, seconds: int) -> None:
        expiry = self.world.expiry
        if expiry and self.chain.now + seconds > expiry - 2 * DAY:
            self.world.buy_calls_back()
        self.chain.travel(seconds)

    def to_window(self, late: int) -> None:
        """To the next moment at which the epoch can be processed."""
        past = self.chain.now - self.vault.epochEndsAt()
        if past < 0:
            self.wait(late - past)
        elif past % EPOCH >= WINDOW - 3:
            self.wait(EPOCH - past % EPOCH + late)

    @rule(late=st.integers(0, 60))
    def process(self, late: int) -> None:
        self.to_window(late)
        ends = self.vault.epochEndsAt()
        self.world.refresh_surface(self.bend)
        self.chain.travel(1)
        before = self.world.account()
        self.check_bounds(before.low, before.high, before.width)
        escrowed = self.model.redemptions.pending
        flows = self.model.process(before, self.chain.now)
        self.vault.processEpoch(sender=USERS[0])
        assert self.vault.epochEndsAt() > self.chain.now
        assert (self.vault.epochEndsAt() - ends) % EPOCH == 0
        after = before.mid + (flows.assets_in - flows.assets_out) * SCALE
        assert self.vault.lastEpoch() == (
            max(0, after) // SCALE,
            self.chain.now,
            self.model.high_water,
        )
        self.check_bystanders(before.mid, after, flows)
        assert self.model.redemptions.pending == escrowed - flows.burned
        self.counts["epochs"] += 1
        self.counts["partly filled"] += any(
            b.filled and b.pending for b in self.model.redemptions.batches.values()
        )

    def check_bounds(self, low: int, high: int, width: int) -> None:
        """Whatever was committed, the value by the reference slice lies between bid and ask."""
        legs = self.house.portfolioOf(self.vault.address)[4]
        honest = self.world.cash + (self.world.marks.optionValue(legs, 1) if legs else 0)
        assert width >= 0
        assert low <= honest <= high
        assert low == high == self.world.lens.equityOf(self.vault.address) or self.bend != 1.0

    def check_bystanders(self, nav: int, after: int, flows: Flows) -> None:
        """I-04: what a share would fetch does not fall through the epoch's own flows, but for dust."""
        now = self.model.supply
        supply = now - flows.minted + flows.burned
        stay = supply - flows.burned
        if stay <= 0 or nav <= 0:
            return
        old = min(stay * (nav + WAD) // (supply + WAD), stay * nav // supply)
        new = min(stay * (after + WAD) // (now + WAD), stay * after // now)
        assert new >= old - DUST

    # ------------------------------------------------------------------ after every step

    @invariant()
    def usdc_is_conserved(self) -> None:
        """I-02."""
        self.counts["steps"] += 1
        pending, claimable = self.vault.held()
        assert pending == self.model.deposits.pending
        assert claimable == self.model.claimable_assets
        assert self.usdc.balanceOf(self.vault.address) == pending + claimable + self.donated
        owed = sum(self.model.redemptions.totals(user)[1] for user in USERS)
        owed += self.model.deposits.back
        assert owed <= claimable <= owed + self.model.redemptions.parts
        assert self.usdc.totalSupply() == self.minted

    @invariant()
    def shares_are_accounted_for(self) -> None:
        assert self.share.totalSupply() == self.model.supply
        queue = self.model.redemptions
        unclaimed = sum(self.model.deposits.totals(user)[1] for user in USERS)
        dust = self.share.balanceOf(self.vault.address) - unclaimed - queue.pending - queue.back
        assert 0 <= dust - self.donated_shares <= self.model.deposits.parts
        held = sum(self.share.balanceOf(who) for who in (*USERS, RECIPIENT, self.vault.address))
        assert held == self.model.supply

    @invariant()
    def views_equal_the_model(self) -> None:
        assert self.vault.currentEpoch() == self.model.epoch
        self.step += 1
        user = USERS[self.step % len(USERS)]
        deposits, redemptions = self.model.deposits, self.model.redemptions
        assert (self.vault.maxDeposit(user), self.vault.maxMint(user)) == deposits.totals(user)
        claimable = self.vault.maxRedeem(user), self.vault.maxWithdraw(user)
        assert claimable == redemptions.totals(user)
        for request_id in range(max(1, self.model.epoch - 3), self.model.epoch + 2):
            for queue, pending, claimable, cancelled in self.sides():
                batch = queue.batches.get(request_id)
                request = batch.requests.get(user) if batch else None
                expected = batch.claimable(user)[0] if batch else 0
                assert claimable(request_id, user) == expected
                assert pending(request_id, user) == (batch.pending_of(user) if batch else 0)
                assert cancelled(request_id, user) == (request.back if request else 0)

    def teardown(self) -> None:
        """I-08: in the end everybody takes all that is his. A life that has failed is left as it is."""
        if sys.exc_info()[0] is None:
            wind_down(self)


VaultMachine.TestCase.settings = settings(
    max_examples=int(os.environ.get("STATEFUL_EXAMPLES", "25")),
    stateful_step_count=60,
    deadline=None,
    # A planted bug need not be shrunk to be seen.
    phases=(Phase.generate,) if "STATEFUL_FIRST" in os.environ else tuple(Phase),
    derandomize=True,
    suppress_health_check=list(HealthCheck),
)
TestVault = VaultMachine.TestCase
