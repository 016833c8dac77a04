"""Gas of depositors and of epochs, with one request and with ten thousand real ones.

Requests are measured as those of a holder in a running vault: not the first of its epoch, which also pays for the
epoch's own slots (`request_redeem_first`), and with other shares in escrow.
"""

from __future__ import annotations

from collections.abc import Callable

from keeper.units import WAD
from scripts.deployment.artifacts import own
from scripts.replay.chain import Mined, Target
from scripts.replay.world import ANYONE, EPOCH_S, FIRST_DEPOSITOR, World

USDC = 10**6
MAX_UINT = 2**256 - 1
CROWD = 5_000  # members, each with a request in both directions
CROWD_STEP = 100
CROWD_USDC, CROWD_SHARES = 100 * USDC, WAD

Measure = Callable[..., Mined]


class VaultGas:
    """`refresh` gives the feed a round and the surface a commit, as an epoch with legs needs them."""

    def __init__(self, world: World, measure: Measure, refresh: Callable[[], None]) -> None:
        self.world, self.measure, self.refresh = world, measure, refresh
        self.vault, self.share = world.contracts.vault, world.contracts.share
        account = world.chain.account
        self.people = [account(FIRST_DEPOSITOR), account(FIRST_DEPOSITOR + 1)]

    def requests(self) -> None:
        """Of two depositors: ask, cancel, claim, leave; with and without a delegate."""
        chain, vault = self.world.chain, self.vault
        first, second = self.people
        for who in self.people:
            self.world.give_usdc(who, 1_000_000)
            chain.send(who, self.world.contracts.usdc, "approve", vault.address, MAX_UINT)
        usdc, amount = self.world.contracts.usdc, 400_000 * USDC
        chain.send(first, vault, "requestDeposit", amount, first, first)
        again = (amount // 4, first, first)
        self.measure("request_deposit_again", first, vault, "requestDeposit", *again)
        ask = (second, vault, "requestDeposit", amount, second, second)
        self.measure("request_deposit_standing", *ask)
        chain.send(second, vault, "cancelDepositRequest", 1, second)
        chain.send(second, vault, "claimCancelDepositRequest", 1, second, second)
        chain.send(second, usdc, "approve", vault.address, amount)
        self.measure("request_deposit", *ask)
        self.measure("cancel", second, vault, "cancelDepositRequest", 1, second)
        self.measure("claim_cancel", second, vault, "claimCancelDepositRequest", 1, second, second)
        chain.send(second, usdc, "approve", vault.address, MAX_UINT)
        chain.send(*ask)
        self._epoch("epoch_without_legs")
        for who in self.people:
            shares = chain.read(vault, "maxMint", who)
            self.measure("claim_shares", who, vault, "mint", shares, who, who)
        self.measure(
            "request_redeem_first", first, vault, "requestRedeem", 1_000 * WAD, first, first
        )
        shares = 500 * WAD
        self.measure("request_redeem", second, vault, "requestRedeem", shares, second, second)
        self.measure("cancel_redeem", second, vault, "cancelRedeemRequest", 2, second)
        chain.send(second, vault, "claimCancelRedeemRequest", 2, second, second)
        chain.send(second, self.share, "delegate", second)
        self.measure(
            "request_redeem_delegated", second, vault, "requestRedeem", shares, second, second
        )

    def epochs(self, bring_home: Callable[[], None]) -> None:
        """With sixteen legs open, beside open venues and after `bring_home` has closed these.

        Then one request, one that needs the account's cash, ten thousand both ways.
        """
        chain, vault, first = self.world.chain, self.vault, self.people[0]
        self._epoch("")
        chain.send(first, vault, "requestDeposit", 1_000 * USDC, first, first)
        self._epoch("epoch_16legs_beside_short_and_perp")
        bring_home()
        chain.send(first, vault, "requestDeposit", 1_000 * USDC, first, first)
        self._epoch("epoch_16legs_1")
        chain.send(first, vault, "requestRedeem", 1_000 * WAD, first, first)
        self._epoch("epoch_16legs_outflow")
        self._crowd()
        self._epoch("epoch_16legs_10000")

    def _epoch(self, key: str) -> None:
        """Ends the epoch and processes it a block after feed and surface have spoken."""
        chain, anyone = self.world.chain, self.world.chain.account(ANYONE)
        ends = chain.read(self.vault, "epochEndsAt")
        late_s = max(0, chain.now_s() + 1 - ends)
        chain.pass_until(ends - (-late_s // EPOCH_S) * EPOCH_S)
        self.refresh()
        if key:
            self.measure(key, anyone, self.vault, "processEpoch")
        else:
            chain.send(anyone, self.vault, "processEpoch")

    def _crowd(self) -> None:
        """The members' requests all belong to the epoch that runs."""
        chain, vault, first = self.world.chain, self.vault, self.people[0]
        code = "0x" + own("MockCrowd").creation_code().hex()
        sent = chain.rpc("eth_sendTransaction", {"from": first, "data": code})
        address = chain.web3.eth.wait_for_transaction_receipt(sent)["contractAddress"]
        crowd = Target.own("MockCrowd", str(address))
        self.world.give_usdc(crowd.address, CROWD * CROWD_USDC / USDC)
        chain.send(first, self.share, "transfer", crowd.address, CROWD * CROWD_SHARES)
        epoch = chain.read(vault, "currentEpoch")
        for _ in range(CROWD // CROWD_STEP):
            arguments = (vault.address, CROWD_STEP, CROWD_USDC, CROWD_SHARES)
            chain.send(first, crowd, "ask", *arguments)
        if chain.read(vault, "held")[0] != CROWD * CROWD_USDC:
            raise AssertionError("not every member of the crowd has asked")
        if chain.now_s() >= chain.read(vault, "epochEndsAt") or epoch == 0:
            raise AssertionError("the crowd took longer than the epoch")
