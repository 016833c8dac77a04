"""Smoke test of the path from source to chain: compile, deploy, call, send, revert, roll back."""

from typing import Any

import pytest
from brownie import ZERO_ADDRESS

from tests.brownie_fixtures import reverts_with, rolled_back
from tests.contracts.core_constants import ORACLE_PARAMETERS

UNKNOWN = 7


@pytest.fixture(scope="module")
def oracle(project: Any, accounts: Any, chain: Any) -> Any:
    by = {"from": accounts[0]}
    feed = project.MockFeed.deploy(8, 10**8, chain[-1].timestamp, by)
    quote = (feed, 8, 3600)
    return project.MarketOracle.deploy(accounts[0], quote, ZERO_ADDRESS, ORACLE_PARAMETERS, by)


def test_deploys_within_the_code_size_limit(project: Any, oracle: Any, accounts: Any) -> None:
    assert oracle.authority() == accounts[0]
    assert len(oracle.bytecode) // 2 <= 24_576


def test_custom_error_of_a_call_is_told_with_its_arguments(oracle: Any) -> None:
    with reverts_with("MarketUnknown", UNKNOWN):
        oracle.spot(UNKNOWN)
    with reverts_with("MarketUnknown"):
        oracle.spot(UNKNOWN)


def test_custom_error_of_a_transaction_is_told_with_its_arguments(
    oracle: Any, accounts: Any
) -> None:
    with reverts_with("AccessManagedUnauthorized", accounts[1]):
        oracle.setAuthority(ZERO_ADDRESS, {"from": accounts[1]})


def test_helper_fails_on_another_error_other_arguments_or_none(oracle: Any) -> None:
    for error, args in (("MarketExists", ()), ("MarketUnknown", (UNKNOWN + 1,))):
        with pytest.raises(pytest.fail.Exception), reverts_with(error, *args):
            oracle.spot(UNKNOWN)
    with pytest.raises(pytest.fail.Exception), reverts_with("MarketUnknown"):
        oracle.authority()


def test_time_and_state_roll_back(chain: Any, accounts: Any) -> None:
    before = accounts[2].balance(), chain[-1].timestamp
    with rolled_back():
        with rolled_back():
            accounts[1].transfer(accounts[2], "1 ether")
            chain.sleep(3600)
            chain.mine()
            assert chain[-1].timestamp >= before[1] + 3600
        assert (accounts[2].balance(), chain[-1].timestamp) == before
        accounts[1].transfer(accounts[2], "2 ether")
    assert (accounts[2].balance(), chain[-1].timestamp) == before
