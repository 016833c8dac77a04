"""Every number that governance can set has an end in code: at its type's largest value the contract refuses it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest

from scripts.deployment import abi as codec
from scripts.deployment.artifacts import own
from scripts.deployment.parameters import load_parameters
from scripts.deployment.roles import FUNCTION_ROLES, OPTIONAL
from scripts.deployment.rpc import Rpc, RpcError
from scripts.deployment.run import Options, deploy_development
from scripts.nodes import start_node
from tests.e2e.deploying import connect, silent

# Section of parameters.toml by setter of a struct.
STRUCTS = {
    ("MarketOracle", "setParameters"): "oracle",
    ("VolSurface", "setParameters"): "surface",
    ("RiskEngine", "setParameters"): "margin",
    ("Clearinghouse", "setDebtParameters"): "clearing",
    ("LiquidationAuction", "setParameters"): "auction",
    ("OptionDesk", "setParameters"): "desk",
    ("HedgeManager", "setParameters"): "hedge",
    ("DeskVault", "setParameters"): "vault",
    ("AaveShortVenue", "setParameters"): "aave_short",
    ("HedgeFallback", "setParameters"): "fallback",
}


def setter(contract: str, function: str) -> Any:
    return next(e for e in own(contract).abi if e.get("name") == function)


CASES = [
    (contract, function, part["name"])
    for contract, function in STRUCTS
    for part in setter(contract, function)["inputs"][0]["components"]
]


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Rpc, Any]]:
    """A deployment whose deployer may set everything; nothing is sent, only tried."""
    options = Options(folder=tmp_path_factory.mktemp("ranges"), say=silent)
    with start_node() as node:
        web3 = connect(node.url)
        yield Rpc(web3), deploy_development(web3, options=options, keep_admin=True)


def attempt(desk: tuple[Rpc, Any], contract: str, function: str, values: dict[str, int]) -> str:
    """Name of the custom error, empty where it is accepted."""
    rpc, record = desk
    abi = own(contract).abi
    data = codec.encode_call(abi, function, [values])
    call = {"from": record.deployer, "to": record.contracts[contract], "data": "0x" + data.hex()}
    try:
        rpc("eth_call", call, "latest")
    except RpcError as error:
        return codec.explain_revert(abi, error.data or b"")
    return ""


def given(contract: str, function: str) -> dict[str, int]:
    values: dict[str, int] = getattr(load_parameters(), STRUCTS[contract, function]).struct()
    return values


@pytest.mark.parametrize(("contract", "function"), STRUCTS)
def test_what_is_deployed_is_accepted(desk: tuple[Rpc, Any], contract: str, function: str) -> None:
    assert attempt(desk, contract, function, given(contract, function)) == ""


@pytest.mark.parametrize(("contract", "function", "name"), CASES)
def test_the_largest_value_is_refused(
    desk: tuple[Rpc, Any], contract: str, function: str, name: str
) -> None:
    parts = setter(contract, function)["inputs"][0]["components"]
    kind = next(part["type"] for part in parts if part["name"] == name)
    assert kind.startswith("uint"), f"{name} is a {kind}: say here how it is bounded"
    most = 2 ** int(kind.removeprefix("uint")) - 1
    refusal = attempt(desk, contract, function, given(contract, function) | {name: most})
    assert re.match(r"\w*OutOfRange", refusal), refusal or "accepted"
    assert name in refusal


def test_every_setter_of_numbers_is_here() -> None:
    """A new restricted function that takes a struct is added above."""
    structs = {
        (contract, function)
        for contract, table in FUNCTION_ROLES.items()
        if contract not in OPTIONAL
        for functions in table.values()
        for function in functions
        if [part["type"] for part in setter(contract, function)["inputs"]] == ["tuple"]
    }
    assert structs == set(STRUCTS)


def test_the_file_has_no_parameter_that_the_contracts_do_not_take() -> None:
    # test_governor.py, and the venue that a development chain does not have: test_venue_curie.py.
    sections = set(load_parameters().model_dump()) - {"governance", "perp"}
    assert sections == set(STRUCTS.values())
