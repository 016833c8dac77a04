"""DeskAuthority: what no vote can change. Roles are for contracts, their delays have a floor, addresses stay slow."""

from typing import Any

import pytest
from eth_utils import function_signature_to_4byte_selector

from tests.brownie_fixtures import reverts_with
from tests.contracts.governor_world import (
    ADDRESS_DELAY,
    ADDRESSES,
    ADMIN,
    DAY,
    GOVERNOR,
    GUARDIAN,
    GovernorWorld,
    changed,
    deploy_governor,
)
from tests.contracts.vault_world import PARAMETERS

SET_KEEPER = function_signature_to_4byte_selector("setKeeper(address)")
ANY_DELAY = 2**32 - 1


@pytest.fixture(scope="module")
def world(project: Any, accounts: Any, chain: Any) -> GovernorWorld:
    return deploy_governor(project, accounts, chain)


@pytest.fixture(scope="module")
def by(world: GovernorWorld) -> dict[str, Any]:
    return {"from": world.deployer}


RANGES = [
    (ADMIN, 24 * DAY, 60 * DAY),
    (ADDRESSES, 24 * DAY, 60 * DAY),
    (GOVERNOR, 2 * DAY, 14 * DAY),
]


@pytest.mark.parametrize(("role", "low", "high"), RANGES)
def test_delays_have_a_floor_and_a_ceiling(
    world: GovernorWorld, by: dict[str, Any], role: int, low: int, high: int
) -> None:
    authority, holder = world.authority, world.governor
    assert authority.delayRange(role) == (low, high)
    for delay in (0, low - 1, high + 1, ANY_DELAY):
        with reverts_with("DelayOutOfRange", role, delay, low, high):
            authority.grantRole(role, holder, delay, by)
    for delay in (low, high):
        authority.grantRole(role, holder, delay, by)
        assert authority.hasRole(role, holder)[1] == delay


@pytest.mark.parametrize("role", [ADMIN, GOVERNOR, GUARDIAN, ADDRESSES])
def test_nobody_who_signs_alone_governs(
    world: GovernorWorld, by: dict[str, Any], role: int
) -> None:
    delay = world.authority.delayRange(role)[0]
    with reverts_with("HolderNotContract", role, world.alice):
        world.authority.grantRole(role, world.alice, delay, by)
    world.authority.grantRole(role, world.governor, delay, by)


def test_bounded_roles_are_for_anybody(world: GovernorWorld, by: dict[str, Any]) -> None:
    for role in (3, 4, 77):
        assert world.authority.delayRange(role) == (0, ANY_DELAY)
        world.authority.grantRole(role, world.alice, 0, by)


def test_an_address_takes_longer_than_the_longest_vote_and_the_longest_exit(
    world: GovernorWorld, project: Any, by: dict[str, Any]
) -> None:
    """By what each contract really takes, not by its constants."""
    authority, share = world.authority, world.share
    longest_vote = 0
    for place, most in ((0, 2 * DAY), (1, 7 * DAY)):
        project.DeskGovernor.deploy(share, authority, changed(place, most), by)
        with reverts_with("VotingRuleOutOfRange"):
            project.DeskGovernor.deploy(share, authority, changed(place, most + 1), by)
        longest_vote += most
    world.vaults.vault.setParameters((7 * DAY, *PARAMETERS[1:]), by)
    with reverts_with("VaultParameterOutOfRange"):
        world.vaults.vault.setParameters((7 * DAY + 1, *PARAMETERS[1:]), by)
    shortest, _ = authority.delayRange(ADDRESSES)
    assert shortest > longest_vote + 2 * 7 * DAY


def test_a_function_that_changes_addresses_keeps_its_role(
    world: GovernorWorld, by: dict[str, Any]
) -> None:
    authority, target = world.authority, world.vaults.house
    authority.setTargetFunctionRole(target, [SET_KEEPER], GOVERNOR, by)
    authority.setTargetFunctionRole(target, [SET_KEEPER], ADDRESSES, by)
    authority.setTargetFunctionRole(target, [SET_KEEPER], ADDRESSES, by)
    for role in (ADMIN, GOVERNOR, 77):
        with reverts_with("FunctionKeepsRole", target, SET_KEEPER, ADDRESSES):
            authority.setTargetFunctionRole(target, [SET_KEEPER], role, by)


def test_the_guardian_vetoes_all_but_its_own_dismissal(
    world: GovernorWorld, by: dict[str, Any]
) -> None:
    """The governor is impersonated: it schedules what a vote would."""
    authority, governor = world.authority, world.governor
    guardian = world.vaults.usdc  # any contract; also impersonated
    for function in ("grantRole(uint64,address,uint32)", "revokeRole(uint64,address)"):
        selector = function_signature_to_4byte_selector(function)
        authority.setTargetFunctionRole(authority, [selector], ADDRESSES, by)
    authority.setRoleGuardian(ADDRESSES, GUARDIAN, by)
    authority.grantRole(GUARDIAN, guardian, 0, by)
    authority.grantRole(ADMIN, governor, ADDRESS_DELAY, by)
    authority.renounceRole(ADMIN, world.deployer, by)
    as_governor, as_guardian = world.impersonate(governor), world.impersonate(guardian)
    other = authority.revokeRole.encode_input(GOVERNOR, governor)
    grant = authority.grantRole.encode_input(GUARDIAN, governor, 0)
    dismissal = authority.revokeRole.encode_input(GUARDIAN, guardian)
    for data in (other, grant, dismissal):
        authority.schedule(authority, data, 0, as_governor)
    for data in (other, grant):
        authority.cancel(governor, authority, data, as_guardian)
    with reverts_with("DismissalNotVetoable", guardian):
        authority.cancel(governor, authority, dismissal, as_guardian)
    world.until(world.chain[-1].timestamp + ADDRESS_DELAY)
    authority.execute(authority, dismissal, as_governor)
    assert not authority.hasRole(GUARDIAN, guardian)[0]


def test_the_governor_takes_back_what_it_scheduled(
    world: GovernorWorld, by: dict[str, Any]
) -> None:
    authority, governor = world.authority, world.governor
    authority.grantRole(ADMIN, governor, ADDRESS_DELAY, by)
    as_governor = world.impersonate(governor)
    dismissal = authority.revokeRole.encode_input(GUARDIAN, world.alice)
    authority.schedule(authority, dismissal, 0, as_governor)
    authority.cancel(governor, authority, dismissal, as_governor)
    with reverts_with("AccessManagerNotScheduled"):
        authority.cancel(governor, authority, dismissal, as_governor)


def test_data_without_a_whole_argument_is_no_dismissal(world: GovernorWorld) -> None:
    data = "0x" + function_signature_to_4byte_selector("revokeRole(uint64,address)").hex() + "02"
    with reverts_with("AccessManagerNotScheduled"):
        world.authority.cancel(world.governor, world.authority, data, {"from": world.alice})
