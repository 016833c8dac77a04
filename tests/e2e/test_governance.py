"""Proposals on a fresh deployment: what holders of shares can change, after how long, and what the guardian stops."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from scripts.replay.chain import ReplayFailure, Target, events
from scripts.replay.world import ANYONE
from tests.e2e.government import (
    AGAINST,
    DAY_S,
    FOR,
    MAJORITY,
    MINORITY,
    Call,
    Government,
    data_of,
    government,
)

EPOCH_S = 7 * DAY_S
VOTE_S = DAY_S + 4 * DAY_S  # delay and period of scripts/networks/parameters.toml
PARAMETER_DELAY_S, ADDRESS_DELAY_S = 2 * DAY_S, 24 * DAY_S
ADMIN, GOVERNOR, GUARDIAN, ADDRESSES = 0, 1, 2, 5
CARRIED = {MAJORITY: FOR, MINORITY: AGAINST}
FRIEND = "0x00000000000000000000000000000000000F12e4"


@pytest.fixture(scope="module")
def deployed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Government]:
    with government(tmp_path_factory.mktemp("government")) as built:
        yield built


@pytest.fixture
def state(deployed: Government) -> Iterator[Government]:
    """The deployment as it was; what a test does to it is undone."""
    before = deployed.chain.rpc("evm_snapshot")
    yield deployed
    deployed.chain.rpc("evm_revert", before)


def band_of(state: Government, band_eth: float) -> tuple[Call, Target]:
    hedger = state.target("HedgeManager")
    old = state.chain.read(hedger, "parameters")
    return (hedger, "setParameters", ((round(band_eth * 10**18), *old[1:]),)), hedger


def new_keeper(state: Government) -> Call:
    return state.target("HedgeManager"), "setKeeper", (FRIEND,)


def test_a_proposal_changes_a_parameter(state: Government) -> None:
    """Propose, vote, queue, execute; each step too early is refused."""
    change, hedger = band_of(state, 3.5)
    began = state.now_s()
    proposal_id, proposal = state.propose(change)
    with pytest.raises(ReplayFailure, match="GovernorUnexpectedProposalState"):
        state.send("castVote", proposal_id, FOR)
    assert state.decide(proposal_id, CARRIED) == "succeeded"
    assert state.read("proposalVotes", proposal_id)[:2] == (100_000 * 10**18, 300_000 * 10**18)
    with pytest.raises(ReplayFailure, match=r"GovernorUnexpectedProposalState|NotScheduled"):
        state.execute(proposal)
    state.queue(proposal)
    due = state.read("proposalEta", proposal_id)
    assert due == state.now_s() + PARAMETER_DELAY_S
    state.chain.next_block_at(due - 1)
    with pytest.raises(ReplayFailure, match="GovernorUnmetDelay"):
        state.execute(proposal)
    state.chain.next_block_at(due)
    state.execute(proposal)
    assert state.state(proposal_id) == "executed"
    assert state.chain.read(hedger, "parameters")[0] == 35 * 10**17
    assert state.now_s() - began >= VOTE_S + PARAMETER_DELAY_S


@pytest.mark.parametrize(
    ("votes", "outcome"),
    [({}, "defeated"), ({MINORITY: FOR}, "succeeded"), ({MINORITY: FOR, MAJORITY: AGAINST}, "defeated")],
)  # fmt: skip
def test_votes_decide(state: Government, votes: dict[int, int], outcome: str) -> None:
    change, _ = band_of(state, 3.5)
    proposal_id, proposal = state.propose(change)
    assert state.decide(proposal_id, votes) == outcome
    if outcome == "defeated":
        with pytest.raises(ReplayFailure, match="GovernorUnexpectedProposalState"):
            state.queue(proposal)


def test_whoever_holds_too_little_does_not_propose(state: Government) -> None:
    stranger = state.chain.account(ANYONE)
    with pytest.raises(ReplayFailure, match="GovernorInsufficientProposerVotes"):
        state.chain.send(stranger, state.governor, "propose", [FRIEND], [0], [b""], "mine")


def test_an_address_takes_longer_than_a_vote_and_a_full_exit(state: Government) -> None:
    proposal_id, proposal = state.propose(new_keeper(state))
    state.decide(proposal_id, CARRIED)
    queued = state.now_s() + 1
    state.queue(proposal)
    due = state.read("proposalEta", proposal_id)
    assert due - queued == ADDRESS_DELAY_S > VOTE_S + 2 * EPOCH_S
    state.chain.next_block_at(due - 1)
    with pytest.raises(ReplayFailure, match="GovernorUnmetDelay"):
        state.execute(proposal)
    state.chain.next_block_at(due)
    state.execute(proposal)
    assert state.chain.read(state.target("HedgeManager"), "keeper") == FRIEND


def test_the_guardian_vetoes_a_change_of_address(state: Government) -> None:
    change = new_keeper(state)
    keeper = state.chain.read(change[0], "keeper")
    proposal_id, proposal = state.propose(change)
    state.decide(proposal_id, CARRIED)
    state.queue(proposal)
    with pytest.raises(ReplayFailure, match="GS020"):  # too few signatures
        state.veto(change, signatures=1)
    state.veto(change)
    state.chain.pass_until(state.read("proposalEta", proposal_id))
    with pytest.raises(ReplayFailure, match="AccessManagerNotScheduled"):
        state.execute(proposal)
    assert state.chain.read(change[0], "keeper") == keeper


def test_the_guardian_vetoes_a_change_of_role_in_a_bundle(state: Government) -> None:
    """One vetoed call stops all of a proposal."""
    change, hedger = band_of(state, 3.5)
    grant = (state.authority, "grantRole", (GUARDIAN, state.governor.address, 0))
    proposal_id, proposal = state.propose(change, grant)
    state.decide(proposal_id, CARRIED)
    state.queue(proposal)
    state.veto(grant)
    state.chain.pass_until(state.read("proposalEta", proposal_id))
    with pytest.raises(ReplayFailure, match="AccessManagerNotScheduled"):
        state.execute(proposal)
    assert state.chain.read(hedger, "parameters")[0] == 2 * 10**18


def test_the_guardian_does_not_veto_parameters_nor_its_own_dismissal(state: Government) -> None:
    change, _ = band_of(state, 3.5)
    dismissal = (state.authority, "revokeRole", (GUARDIAN, state.guardian.address))
    ids = []
    for call, refusal in (
        (change, "AccessManagerUnauthorizedCancel"),
        (dismissal, "DismissalNotVetoable"),
    ):
        proposal_id, proposal = state.propose(call)
        state.decide(proposal_id, CARRIED)
        state.queue(proposal)
        with pytest.raises(ReplayFailure, match=refusal):
            state.veto(call)
        state.chain.pass_until(state.read("proposalEta", proposal_id))
        state.execute(proposal)
        ids.append(proposal_id)
    assert [state.state(one) for one in ids] == ["executed", "executed"]
    assert not state.chain.read(state.authority, "hasRole", GUARDIAN, state.guardian.address)[0]


def test_the_guardian_does_nothing_else(state: Government) -> None:
    change, _ = band_of(state, 3.5)
    for call in (
        change,
        new_keeper(state),
        (state.target("Clearinghouse"), "setVenue", (FRIEND, True)),
        (state.authority, "grantRole", (GOVERNOR, state.guardian.address, 2 * DAY_S)),
        (state.authority, "setTargetClosed", (state.target("OptionDesk").address, True)),
    ):
        with pytest.raises(ReplayFailure, match="Unauthorized"):
            state.guard(call)


@pytest.mark.parametrize("wrapped", ["relay", "multicall"])
def test_no_detour_is_shorter(state: Government, wrapped: str) -> None:
    """Calls dressed as others still meet the authority when they are made: not scheduled, or not the governor's."""
    grant = (state.authority, "grantRole", (ADMIN, state.guardian.address, ADDRESS_DELAY_S))
    inner = data_of(grant)
    call: Call = (state.authority, "multicall", ([inner],))
    if wrapped == "relay":
        call = (state.governor, "relay", (state.authority.address, 0, inner))
    proposal_id, proposal = state.propose(call)
    state.decide(proposal_id, CARRIED)
    state.queue(proposal)
    state.chain.pass_until(state.read("proposalEta", proposal_id))
    with pytest.raises(ReplayFailure, match=r"AccessManager(NotScheduled|Unauthorized)"):
        state.execute(proposal)


def test_governance_that_scheduled_by_detour_waits_as_long(state: Government) -> None:
    """What `relay` schedules in the authority waits, and can be vetoed, like a proposal of its own."""
    change = new_keeper(state)
    args = (change[0].address, data_of(change), 0)
    inner = data_of((state.authority, "schedule", args))
    proposal_id, proposal = state.propose(
        (state.governor, "relay", (state.authority.address, 0, inner))
    )
    state.decide(proposal_id, CARRIED)
    state.queue(proposal)
    state.chain.pass_until(state.read("proposalEta", proposal_id))
    mined = state.execute(proposal)
    (scheduled,) = events(state.authority, "OperationScheduled", mined.logs)
    assert scheduled["schedule"] == mined.timestamp_s + ADDRESS_DELAY_S
    state.veto(change)


def test_lowering_a_delay_takes_the_old_one_and_the_difference(state: Government) -> None:
    """At most the hard minimum is ever reached, and only after longer than the old delay."""
    lower = (state.authority, "grantRole", (GOVERNOR, state.governor.address, 2 * DAY_S - 1))
    longer = (state.authority, "grantRole", (ADDRESSES, state.governor.address, 30 * DAY_S))
    back = (state.authority, "grantRole", (ADDRESSES, state.governor.address, 24 * DAY_S))
    for call, days in ((lower, 24), (longer, 24), (back, 30)):
        proposal_id, proposal = state.propose(call)
        state.decide(proposal_id, CARRIED)
        state.queue(proposal)
        due = state.read("proposalEta", proposal_id)
        assert due - state.now_s() == days * DAY_S
        state.chain.pass_until(due)
        if call is lower:
            with pytest.raises(ReplayFailure, match="DelayOutOfRange"):
                state.execute(proposal)
        else:
            state.execute(proposal)
    access = state.chain.read(state.authority, "getAccess", ADDRESSES, state.governor.address)
    assert access[1:] == (30 * DAY_S, 24 * DAY_S, state.now_s() + 6 * DAY_S)
