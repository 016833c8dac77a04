"""DeskGovernor: hard ranges of its own rules, who votes with what, and shares that were only borrowed."""

from typing import Any

import pytest
from brownie import web3

from tests.brownie_fixtures import reverts_with
from tests.contracts.governor_world import (
    ACTIVE,
    DAY,
    DEFEATED,
    EXECUTED,
    SET_BASE_DELAY,
    SUCCEEDED,
    VOTING_RULES,
    WAD,
    GovernorWorld,
    changed,
    deploy_governor,
)
from tests.contracts.vault_world import USD

FOR = 1
HOUR = 3600
# Place in VotingRules, its name, setter of one number, ends of the range.
RANGES = [
    (0, "votingDelay", "setVotingDelay(uint48)", 6 * HOUR, 2 * DAY),
    (1, "votingPeriod", "setVotingPeriod(uint32)", 3 * DAY, 7 * DAY),
    (2, "baseDelay", SET_BASE_DELAY, 2 * DAY, 14 * DAY),
    (3, "threshold", "setProposalThreshold(uint256)", WAD, 100_000 * WAD),
    (4, "quorum", "updateQuorumNumerator(uint256)", 4, 30),
]


@pytest.fixture(scope="module")
def world(project: Any, accounts: Any, chain: Any) -> GovernorWorld:
    return deploy_governor(project, accounts, chain)


@pytest.mark.parametrize(("place", "name", "setter", "low", "high"), RANGES)
def test_a_deployment_keeps_the_ranges(
    world: GovernorWorld, project: Any, place: int, name: str, setter: str, low: int, high: int
) -> None:
    args = (world.share, world.authority)
    for value in (low, high):
        project.DeskGovernor.deploy(*args, changed(place, value), {"from": world.deployer})
    for value in (low - 1, high + 1):
        with reverts_with("VotingRuleOutOfRange", name, value, low, high):
            project.DeskGovernor.deploy(*args, changed(place, value), {"from": world.deployer})


@pytest.mark.parametrize(("place", "name", "setter", "low", "high"), RANGES)
def test_a_vote_keeps_them_too(
    world: GovernorWorld, place: int, name: str, setter: str, low: int, high: int
) -> None:
    for value in (low, high + 1):
        proposal_id, action = world.propose(world.governor, setter, value)
        world.to_snapshot(proposal_id)
        world.governor.castVote(proposal_id, FOR, {"from": world.alice})
        assert world.past_votes(proposal_id) == SUCCEEDED
        world.governor.queue(*action, {"from": world.bob})
        world.until(world.governor.proposalEta(proposal_id))
        if value == low:
            world.governor.execute(*action, {"from": world.bob})
        else:
            with reverts_with("VotingRuleOutOfRange", name, value, low, high):
                world.governor.execute(*action, {"from": world.bob})


def test_takes_no_ether(world: GovernorWorld) -> None:
    with reverts_with("NoEther"):
        world.alice.transfer(world.governor, 1)


def test_reads_the_clock_of_the_share(world: GovernorWorld) -> None:
    assert world.governor.CLOCK_MODE() == world.share.CLOCK_MODE() == "mode=timestamp"
    assert world.governor.clock() == world.chain[-1].timestamp
    assert VOTING_RULES[:2] == (world.governor.votingDelay(), world.governor.votingPeriod())


def votes_for(world: GovernorWorld, proposal_id: int) -> int:
    return int(world.governor.proposalVotes(proposal_id)[1])


def test_shares_borrowed_after_the_snapshot_count_nothing(
    world: GovernorWorld, accounts: Any
) -> None:
    thief = accounts[5]
    world.share.delegate(thief, {"from": thief})
    proposal_id, _ = world.propose(world.governor, SET_BASE_DELAY, 3 * DAY)
    world.to_snapshot(proposal_id)
    world.share.transfer(thief, 40_000 * WAD, {"from": world.bob})
    assert world.share.getVotes(thief) == 40_000 * WAD
    world.governor.castVote(proposal_id, FOR, {"from": thief})
    assert votes_for(world, proposal_id) == 0
    world.governor.castVote(proposal_id, FOR, {"from": world.bob})
    assert votes_for(world, proposal_id) == 40_000 * WAD  # whoever lent them still votes


def test_shares_borrowed_in_the_block_of_the_snapshot_count_nothing(
    world: GovernorWorld, accounts: Any
) -> None:
    """A flash loan is returned in its block, and of several balances in one block the last counts."""
    thief = accounts[5]
    world.share.delegate(thief, {"from": thief})
    proposal_id, _ = world.propose(world.governor, SET_BASE_DELAY, 3 * DAY)
    snapshot = world.governor.proposalSnapshot(proposal_id)
    world.until(snapshot - 1)
    request = web3.provider.make_request
    request("evm_setAutomine", [False])
    try:
        loan = {"required_confs": 0, "gas_limit": 300_000}
        there = world.share.transfer(thief, 40_000 * WAD, {"from": world.bob, **loan})
        back = world.share.transfer(world.bob, 40_000 * WAD, {"from": thief, **loan})
        request("evm_setNextBlockTimestamp", [snapshot])
        request("evm_mine", [])
    finally:
        request("evm_setAutomine", [True])
    for tx in (there, back):
        tx.wait(1)
    assert there.block_number == back.block_number
    assert (there.timestamp, there.status, back.status) == (snapshot, 1, 1)
    world.until(snapshot + 1)
    assert world.share.getPastVotes(thief, snapshot) == 0
    assert world.share.getPastVotes(world.bob, snapshot) == 40_000 * WAD
    world.governor.castVote(proposal_id, FOR, {"from": thief})
    assert votes_for(world, proposal_id) == 0


def test_no_proposal_with_borrowed_shares_either(world: GovernorWorld, accounts: Any) -> None:
    """The threshold looks one second back: what came in this block does not propose."""
    thief = accounts[5]
    world.share.delegate(thief, {"from": thief})
    assert world.governor.proposalThreshold() == 1_000 * WAD
    with reverts_with("GovernorInsufficientProposerVotes", thief, 0, 1_000 * WAD):
        world.governor.propose([thief], [0], [b""], "mine", {"from": thief})


def test_shares_that_lie_with_the_vault_do_not_vote(world: GovernorWorld, accounts: Any) -> None:
    """Escrowed for redemption, or not claimed yet: no vote, though part of all shares."""
    carol = accounts[6]
    world.vaults.request_deposit(carol, 100_000 * USD)
    world.vaults.process()
    world.share.delegate(carol, {"from": carol})
    assert world.share.getVotes(carol) == 0
    world.vaults.request_redeem(world.bob, 40_000 * WAD)
    assert world.share.getVotes(world.bob) == 0
    assert world.share.balanceOf(world.vaults.vault) == 140_000 * WAD
    proposal_id, _ = world.propose(world.governor, SET_BASE_DELAY, 3 * DAY)
    world.to_snapshot(proposal_id)
    assert world.governor.quorum(world.governor.proposalSnapshot(proposal_id)) == 20_000 * WAD
    for who in (carol, world.bob):
        world.governor.castVote(proposal_id, FOR, {"from": who})
    assert votes_for(world, proposal_id) == 0
    assert world.governor.state(proposal_id) == ACTIVE
    assert world.past_votes(proposal_id) == DEFEATED


def test_a_quorum_is_needed(world: GovernorWorld, accounts: Any) -> None:
    few = accounts[7]
    world.share.transfer(few, 9_999 * WAD, {"from": world.bob})
    world.share.delegate(few, {"from": few})
    proposal_id, action = world.propose(world.governor, SET_BASE_DELAY, 3 * DAY)
    world.to_snapshot(proposal_id)
    world.governor.castVote(proposal_id, FOR, {"from": few})
    assert world.past_votes(proposal_id) == DEFEATED
    world.share.transfer(few, WAD, {"from": world.bob})
    proposal_id, action = world.propose(world.governor, SET_BASE_DELAY, 3 * DAY)
    world.to_snapshot(proposal_id)
    world.governor.castVote(proposal_id, FOR, {"from": few})
    assert world.past_votes(proposal_id) == SUCCEEDED
    world.governor.queue(*action, {"from": few})
    world.until(world.governor.proposalEta(proposal_id))
    world.governor.execute(*action, {"from": few})
    assert world.governor.state(proposal_id) == EXECUTED
    assert world.governor.baseDelaySeconds() == 3 * DAY
