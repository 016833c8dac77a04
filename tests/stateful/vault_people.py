"""What honest depositors do to a vault beside its model: ask, cancel, claim, move shares."""

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule

from tests.stateful.revm import Reverted
from tests.stateful.vault_chain import EPOCH, MIN_REDEEM, USD, USERS, WINDOW, VaultChain
from tests.stateful.vault_model import Queue, VaultModel

users = st.sampled_from(USERS)
amounts = st.one_of(st.integers(USD, 50 * USD), st.integers(USD, 10**6 * USD))
parts = st.one_of(st.just(1000), st.integers(1, 1000))


class People(RuleBasedStateMachine):
    """The users' rules; the machine that inherits them sets the world up."""

    world: VaultChain
    model: VaultModel

    def next_with(self, user: str, amount: Callable[[str], object]) -> str:
        """The first user from `user` on of whom there is some amount: fewer steps do nothing."""
        at = USERS.index(user)
        return next((u for u in USERS[at:] + USERS[:at] if amount(u)), user)

    def open_id(self) -> int:
        return self.model.epoch + int(self.chain.now >= self.vault.epochEndsAt())

    def locked(self, request_id: int) -> bool:
        """Whether the epoch of a request can be processed now."""
        past = self.chain.now - self.vault.epochEndsAt()
        return request_id <= self.model.epoch and past >= 0 and past % EPOCH < WINDOW

    def sides(self) -> list[tuple[Queue, Any, Any, Any]]:
        """Of both directions the model's queue and the vault's three views."""
        v, m = self.vault, self.model
        return [
            (
                m.deposits,
                v.pendingDepositRequest,
                v.claimableDepositRequest,
                v.claimableCancelDepositRequest,
            ),
            (
                m.redemptions,
                v.pendingRedeemRequest,
                v.claimableRedeemRequest,
                v.claimableCancelRedeemRequest,
            ),
        ]

    # ------------------------------------------------------------------ requests

    @rule(user=users, assets=amounts)
    def request_deposit(self, user: str, assets: int) -> None:
        self.ask(self.model.deposits, self.vault.requestDeposit, user, assets)

    @rule(user=users, part=parts)
    def request_redeem(self, user: str, part: int) -> None:
        user = self.next_with(user, self.share.balanceOf)
        shares = self.share.balanceOf(user) * part // 1000
        if shares >= MIN_REDEEM:
            self.ask(self.model.redemptions, self.vault.requestRedeem, user, shares)

    def ask(self, queue: Queue, request: Any, user: str, amount: int) -> None:
        """I-08: whoever has too many ids open is stopped alone, and can make room himself."""
        expected = self.open_id()
        try:
            given = request(amount, user, user, sender=user)
        except Reverted as refused:
            if refused.name != "TooManyOpenRequests":
                raise
            self.take_everything(user)
            return
        assert given == expected
        queue.add(user, expected, amount)

    @rule(user=users, redeem=st.booleans(), last=st.booleans())
    def cancel(self, user: str, redeem: bool, last: bool) -> None:
        queue = self.model.redemptions if redeem else self.model.deposits
        user = self.next_with(user, queue.waiting)
        waiting = queue.waiting(user)
        if waiting:
            self.cancel_id(queue, user, waiting[-1 if last else 0])

    def cancel_id(self, queue: Queue, user: str, request_id: int) -> None:
        redeem = queue is self.model.redemptions
        cancel = self.vault.cancelRedeemRequest if redeem else self.vault.cancelDepositRequest
        if self.locked(request_id) and not self.vault.windingDown():
            self.refused("RequestExecuting", cancel, request_id, user, sender=user)
            return
        cancel(request_id, user, sender=user)
        back = queue.batches[request_id].cancel(user)
        if not redeem:
            self.model.claimable_assets += back

    def refused(self, error: str, call: Any, *args: Any, sender: str, other: str = "") -> None:
        with pytest.raises(Reverted) as refusal:
            call(*args, sender=sender)
        assert refusal.value.name in (error, other)

    # ------------------------------------------------------------------ claims

    @rule(user=users, receiver=users, redeem=st.booleans())
    def claim_cancelled(self, user: str, receiver: str, redeem: bool) -> None:
        queue = self.model.redemptions if redeem else self.model.deposits
        user = self.next_with(user, queue.returning)
        for request_id in queue.returning(user):
            self.take_back(queue, user, receiver, request_id)

    def take_back(self, queue: Queue, user: str, receiver: str, request_id: int) -> None:
        redeem = queue is self.model.redemptions
        token = self.share if redeem else self.usdc
        vault = self.vault
        claim = vault.claimCancelRedeemRequest if redeem else vault.claimCancelDepositRequest
        had = token.balanceOf(receiver)
        claim(request_id, receiver, user, sender=user)
        r = queue.batches[request_id].requests[user]
        assert token.balanceOf(receiver) == had + r.back
        if not redeem:
            self.model.claimable_assets -= r.back
        r.back = 0

    @rule(user=users, receiver=users, part=parts, by_input=st.booleans())
    def claim_shares(self, user: str, receiver: str, part: int, by_input: bool) -> None:
        side = 0 if by_input else 1
        user = self.next_with(user, lambda u: self.model.deposits.totals(u)[side])
        amount = self.model.deposits.totals(user)[side] * part // 1000
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
        amount = self.model.redemptions.totals(user)[side] * part // 1000
        if amount == 0:
            return
        had = self.usdc.balanceOf(receiver)
        claim = self.vault.redeem if by_input else self.vault.withdraw
        given = claim(amount, receiver, user, sender=user)
        shares, assets = self.model.redemptions.claim(user, amount, by_input=by_input)
        assert given == (assets if by_input else shares)
        assert self.usdc.balanceOf(receiver) == had + assets
        self.model.claimable_assets -= assets

    def take_everything(self, user: str) -> None:
        """I-08: whatever anybody else did, all that is claimable is claimed."""
        for queue in (self.model.deposits, self.model.redemptions):
            for request_id in queue.returning(user):
                self.take_back(queue, user, user, request_id)
        if self.model.deposits.totals(user)[0]:
            self.claim_shares(user, user, 1000, True)
        if self.model.redemptions.totals(user)[0]:
            self.claim_usdc(user, user, 1000, True)

    # ------------------------------------------------------------------ tokens

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
