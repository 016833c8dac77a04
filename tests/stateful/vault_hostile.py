"""What hostile depositors do: blocked recipients, calls back during a transfer, storms, dust, a bent surface."""

from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import rule

from tests.stateful.vault_chain import ADMIN, EPOCH, MIN_REDEEM, USD, USERS
from tests.stateful.vault_people import People, users

GUARD = bytes.fromhex("3ee5aeb5")
STORM = 5


class Hostile(People):
    """Attacks as rules. None of them may change what the invariants say of the others."""

    @rule(user=users)
    def blacklisted(self, user: str) -> None:
        """Incident 4: who cannot receive USDC loses nothing, and stops nobody: he is paid elsewhere."""
        deposits, redemptions = self.model.deposits, self.model.redemptions
        user = self.next_with(user, lambda u: redemptions.totals(u)[0] or deposits.returning(u))
        other = USERS[USERS.index(user) - 1]
        self.usdc.setBlocked(user, True, sender=ADMIN)
        many = "TooManyOpenRequests"
        self.refused("Blocked", self.vault.requestDeposit, USD, user, user, sender=user, other=many)
        shares = redemptions.totals(user)[0]
        if shares:
            self.refused("Blocked", self.vault.redeem, shares, user, user, sender=user)
            self.claim_usdc(user, other, 1000, True)
        for request_id in deposits.returning(user):
            self.take_back(deposits, user, other, request_id)
        self.usdc.setBlocked(user, False, sender=ADMIN)

    @rule(user=users, pick=st.integers(0, 7))
    def call_back(self, user: str, pick: int) -> None:
        """A token that calls the vault during its own transfer, as the user's operator, gets nowhere."""
        vault, usdc = self.vault, self.usdc.address
        vault.setOperator(usdc, True, sender=user)
        calls: list[tuple[Any, ...]] = [
            ("requestDeposit", USD, user, user),
            ("requestRedeem", 1, user, user),
            ("cancelDepositRequest", self.open_id(), user),
            ("cancelRedeemRequest", self.open_id(), user),
            ("deposit", 1, user, user),
            ("redeem", 1, user, user),
            ("processEpoch",),
            ("claimCancelDepositRequest", self.open_id(), user, user),
        ]
        self.usdc.setHook(vault.address, vault.data_of(*calls[pick]), sender=ADMIN)
        self.request_deposit(user, USD)
        if self.usdc.hookTarget() == vault.address:
            self.usdc.setHook("0x" + "00" * 20, b"", sender=ADMIN)
        else:
            assert not self.usdc.hookSucceeded()
            assert self.usdc.hookResult() == GUARD
        vault.setOperator(usdc, False, sender=user)

    @rule(user=users)
    def storm(self, user: str) -> None:
        """Asks and cancels again and again in one block."""
        expected = self.open_id()
        if self.locked(expected):
            return
        for _ in range(STORM):
            self.request_deposit(user, USD)
            if expected in self.model.deposits.waiting(user):
                self.cancel_id(self.model.deposits, user, expected)

    @rule(user=users)
    def dust(self, user: str) -> None:
        """Every other depositor asks for the least that there is, in both directions."""
        for spammer in USERS[::4]:
            self.request_deposit(spammer, USD)
            if self.share.balanceOf(spammer) > MIN_REDEEM:
                self.ask(self.model.redemptions, self.vault.requestRedeem, spammer, MIN_REDEEM)

    @rule(user=users, percent=st.integers(50, 200), usdc=st.integers(10, 10**6))
    def sandwich(self, user: str, percent: int, usdc: int) -> None:
        """He knows the next commit: asks, has an epoch at the bent surface, and one at the honest one.

        `process` asserts the rule: who joins pays at least, who leaves gets at most what the reference slice says.
        """
        if not self.world.expiry:
            self.trade_options(60)
        self.request_deposit(user, usdc * USD)
        if self.share.balanceOf(user) >= MIN_REDEEM:
            self.request_redeem(user, 1000)
        self.bend = percent / 100
        self.process(0)
        self.bend = 1.0
        self.process(0)

    @rule(parts_=st.lists(st.integers(100, 1000), min_size=3, max_size=6), again=st.booleans())
    def squeeze(self, parts_: list[int], again: bool) -> None:
        """All cash is tied up just before several leave: they are filled in part, and some take the rest back."""
        if self.world.expiry:
            self.world.buy_calls_back()
        holders = [user for user in USERS if self.share.balanceOf(user) >= 1000 * MIN_REDEEM]
        for user, part in zip(holders, parts_, strict=False):
            self.request_redeem(user, part)
        self.trade_options(97)
        self.process(0)
        if again:
            self.process(0)
        for user in holders[::2]:
            self.cancel(user, True, False)

    @rule(seconds=st.integers(1, EPOCH))
    def grief(self, seconds: int) -> None:
        """Epochs in a second with a commit or a trade are refused, and only those."""
        self.to_window(seconds % 60)
        if not self.world.expiry:
            return
        self.world.refresh_surface()
        self.refused("MarkedInThisBlock", self.vault.processEpoch, sender=USERS[0])
        self.chain.travel(1)
        self.world.trade(1)
        self.refused("MarkedInThisBlock", self.vault.processEpoch, sender=USERS[0])
        self.chain.travel(1)
