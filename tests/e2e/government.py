"""Votes, proposals and the guardian's Safe on a deployed desk."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from eth_utils import keccak

from scripts.components.artifacts import SAFE, packaged
from scripts.components.safe import ZERO_ADDRESS
from scripts.deployment import abi as codec
from scripts.deployment.record import read_record
from scripts.nodes import NodeSettings, start_node
from scripts.replay.chain import Mined, ReplayChain, Target, events
from scripts.replay.depositors import Depositors
from scripts.replay.world import ACCOUNTS, ANYONE, NODE_BALANCE_ETH, USDC_UNIT, World, build_world

START_S = 1_583_712_000
DAY_S = 86_400
AGAINST, FOR = 0, 1
MAJORITY, MINORITY = 0, 1  # depositors
STATES = ("pending", "active", "canceled", "defeated", "succeeded", "queued", "expired", "executed")
# A Safe takes the word of an owner who has approved the hash on the chain.
APPROVED_ON_CHAIN = 1

Call = tuple[Target, str, tuple[Any, ...]]


def data_of(call: Call) -> bytes:
    target, function, args = call
    return codec.encode_call(target.abi, function, args)


@dataclass
class Proposal:
    """What is proposed; `description` makes it unique."""

    calls: Sequence[Call]
    description: str

    def arguments(self) -> tuple[Any, ...]:
        """As propose takes them; queue and execute take the hash of the description."""
        targets = [call[0].address for call in self.calls]
        return targets, [0] * len(targets), [data_of(call) for call in self.calls]


@dataclass
class Government:
    """The deployed desk, its governor and authority, two holders of shares who vote."""

    world: World
    depositors: Depositors
    governor: Target
    authority: Target
    guardian: Target
    proposals: int = field(default=0)

    @property
    def chain(self) -> ReplayChain:
        return self.world.chain

    def target(self, name: str) -> Target:
        return Target.own(name, self.world.deployment.address(name))

    def now_s(self) -> int:
        return self.chain.now_s()

    def send(self, function: str, *args: Any, who: int = MAJORITY) -> Mined:
        return self.chain.send(self.depositors.account(who), self.governor, function, *args)

    # ------------------------------------------------------------------ proposals

    def propose(self, *calls: Call, who: int = MAJORITY) -> tuple[int, Proposal]:
        self.proposals += 1
        proposal = Proposal(calls, f"proposal {self.proposals}")
        mined = self.send("propose", *proposal.arguments(), proposal.description, who=who)
        (created,) = events(self.governor, "ProposalCreated", mined.logs)
        return created["proposalId"], proposal

    def decide(self, proposal_id: int, votes: dict[int, int]) -> str:
        """Past the snapshot, the votes, past the deadline. Returns the state then."""
        self.chain.pass_until(self.read("proposalSnapshot", proposal_id) + 1)
        for who, support in votes.items():
            self.send("castVote", proposal_id, support, who=who)
        self.chain.pass_until(self.read("proposalDeadline", proposal_id) + 1)
        return self.state(proposal_id)

    def queue(self, proposal: Proposal) -> None:
        self.send("queue", *proposal.arguments(), keccak(text=proposal.description))

    def execute(self, proposal: Proposal) -> Mined:
        return self.send("execute", *proposal.arguments(), keccak(text=proposal.description))

    def state(self, proposal_id: int) -> str:
        return STATES[self.read("state", proposal_id)]

    def read(self, function: str, *args: Any) -> Any:
        return self.chain.read(self.governor, function, *args)

    # ------------------------------------------------------------------ the guardian

    def guard(self, call: Call, signatures: int = 2) -> Mined:
        """The Safe makes a call that this many of its owners have approved; a stranger sends it."""
        owners = sorted(self.chain.read(self.guardian, "getOwners"), key=lambda a: int(a, 16))
        nonce = self.chain.read(self.guardian, "nonce")
        terms = (call[0].address, 0, data_of(call), 0, 0, 0, 0, ZERO_ADDRESS, ZERO_ADDRESS)
        digest = self.chain.read(self.guardian, "getTransactionHash", *terms, nonce)
        for owner in owners[:signatures]:
            self.chain.send(owner, self.guardian, "approveHash", digest)
        approvals = b"".join(
            bytes(12) + bytes.fromhex(owner[2:]) + bytes(32) + bytes([APPROVED_ON_CHAIN])
            for owner in owners[:signatures]
        )
        stranger = self.chain.account(ANYONE)
        return self.chain.send(stranger, self.guardian, "execTransaction", *terms, approvals)

    def veto(self, call: Call, signatures: int = 2) -> Mined:
        """The guardian cancels what the governor has scheduled."""
        args = (self.governor.address, call[0].address, data_of(call))
        return self.guard((self.authority, "cancel", args), signatures)


@contextmanager
def government(folder: Path) -> Iterator[Government]:
    """A fresh deployment; three quarters of the shares with one holder, both delegated to themselves."""
    settings = NodeSettings(timestamp_s=START_S, accounts=ACCOUNTS, balance_eth=NODE_BALANCE_ETH)
    with start_node(settings) as node:
        world = build_world(ReplayChain(node), 200.0, folder / "run", lambda _: None)
        depositors = Depositors(world, [300_000 * USDC_UNIT, 100_000 * USDC_UNIT])
        depositors.fund()
        for who in (MAJORITY, MINORITY):
            depositors.request(who)
        world.chain.next_block_at(world.chain.read(world.contracts.vault, "epochEndsAt"))
        world.push_round(200.0)
        assert depositors.process_if_due() > 0
        for who in (MAJORITY, MINORITY):
            account = depositors.account(who)
            world.chain.send(account, world.contracts.share, "delegate", account)
        contracts = world.deployment.contracts
        guardian = read_record(world.record_path).roles["guardian"]
        yield Government(
            world,
            depositors,
            Target.own("DeskGovernor", contracts["DeskGovernor"]),
            Target.own("DeskAuthority", contracts["AccessManager"]),
            Target("Safe", guardian, packaged(SAFE, "Safe").abi),
        )
