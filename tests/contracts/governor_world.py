"""DeskAuthority and DeskGovernor over the shares of a vault world, with an operator's contract to be governed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from brownie import accounts
from eth_utils import function_signature_to_4byte_selector, keccak

from tests.contracts.core_env import BrownieBackend
from tests.contracts.vault_world import USD, VaultWorld, deploy

DAY = 86_400
WAD = 10**18
ADMIN, GOVERNOR, GUARDIAN, ADDRESSES = 0, 1, 2, 5
PARAMETER_DELAY, ADDRESS_DELAY = 2 * DAY, 24 * DAY
PENDING, ACTIVE, CANCELED, DEFEATED, SUCCEEDED, QUEUED, EXPIRED, EXECUTED = range(8)
# In the order of IDeskGovernor.VotingRules: delay, period, base delay, threshold, quorum.
VOTING_RULES = (DAY, 4 * DAY, PARAMETER_DELAY, 1_000 * WAD, 10)
SET_BASE_DELAY = "setBaseDelaySeconds(uint32)"


def changed(place: int, value: int) -> tuple[int, ...]:
    """The voting rules with one of them replaced."""
    return (*VOTING_RULES[:place], value, *VOTING_RULES[place + 1 :])


@dataclass
class GovernorWorld:
    """`alice` holds and votes 60,000 shares, `bob` 40,000. `deployer` is still admin of the authority."""

    vaults: VaultWorld
    authority: Any
    governor: Any
    deployer: Any
    alice: Any
    bob: Any
    proposals: int = 0

    @property
    def chain(self) -> Any:
        return self.vaults.chain

    @property
    def share(self) -> Any:
        return self.vaults.share

    def propose(self, target: Any, signature: str, *args: int) -> tuple[int, tuple[Any, ...]]:
        """Id, and the arguments of queue and execute. `args` are numbers."""
        self.proposals += 1
        data = function_signature_to_4byte_selector(signature)
        data += b"".join(int(arg).to_bytes(32, "big") for arg in args)
        text = f"proposal {self.proposals}"
        call = ([target.address], [0], [data])
        proposal_id = self.governor.propose(*call, text, {"from": self.alice}).return_value
        return proposal_id, (*call, keccak(text=text))

    def to_snapshot(self, proposal_id: int) -> None:
        self.until(self.governor.proposalSnapshot(proposal_id) + 1)

    def impersonate(self, contract: Any) -> dict[str, Any]:
        """Transactions of a contract, as what it calls would see them."""
        BrownieBackend.request("anvil_impersonateAccount", [contract.address])
        BrownieBackend.request("anvil_setBalance", [contract.address, hex(10**19)])
        return {"from": accounts.at(contract.address, force=True)}

    def past_votes(self, proposal_id: int) -> int:
        self.until(self.governor.proposalDeadline(proposal_id) + 1)
        return int(self.governor.state(proposal_id))

    def until(self, moment: int) -> None:
        """A block at that time."""
        BrownieBackend.request("evm_setNextBlockTimestamp", [moment])
        BrownieBackend.request("evm_mine", [])


def deploy_governor(project: Any, people: Any, chain: Any) -> GovernorWorld:
    """Shares first: they are what votes."""
    vaults = deploy(project, people, chain)
    deployer, alice, bob = people[0], people[2], people[3]
    for who, usdc in ((alice, 60_000 * USD), (bob, 40_000 * USD)):
        vaults.invest(who, usdc)
        vaults.share.delegate(who, {"from": who})
    by = {"from": deployer}
    authority = project.DeskAuthority.deploy(deployer, by)
    governor = project.DeskGovernor.deploy(vaults.share, authority, VOTING_RULES, by)
    return GovernorWorld(vaults, authority, governor, deployer, alice, bob)
