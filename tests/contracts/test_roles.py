"""I-11: every external function that changes state is in roles_table.py; a stranger may not call what is not open."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from brownie.exceptions import VirtualMachineError

from scripts.deployment import roles as deployed
from scripts.setup import env
from tests.brownie_fixtures import reverts_with
from tests.contracts.core_constants import HOUR, UNDERLYING
from tests.contracts.core_env import BrownieBackend, Core, deploy_core
from tests.contracts.governor_world import VOTING_RULES
from tests.contracts.roles_table import (
    ADDRESSES,
    ADMIN,
    GOVERNOR,
    GUARDIAN,
    LIQUIDATOR,
    LISTER,
    REFUSAL,
    TABLE,
)


def artifacts() -> Iterator[tuple[str, dict[str, Any]]]:
    """Everything of contracts/ that can be deployed."""
    for path in sorted((env.ROOT / "build" / "contracts").glob("*.json")):
        built = json.loads(path.read_text())
        own = built["sourcePath"].startswith("contracts/") and "/mocks/" not in built["sourcePath"]
        deployable = built["type"] == "contract" and built["bytecode"]
        if deployable and own:
            yield built["contractName"], built


def changing(abi: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [
        entry
        for entry in abi
        if entry["type"] == "function" and entry["stateMutability"] in ("nonpayable", "payable")
    ]


def key(entry: dict[str, Any], abi: list[dict[str, Any]]) -> str:
    """The name, with its types where it is overloaded."""
    alike = [e for e in changing(abi) if e["name"] == entry["name"]]
    types = ",".join(part["type"] for part in entry["inputs"])
    return entry["name"] if len(alike) == 1 else f"{entry['name']}({types})"


def nothing(part: dict[str, Any]) -> Any:
    """The zero of an ABI type."""
    kind = part["type"]
    if kind.endswith("[]"):
        return []
    if kind == "tuple":
        return tuple(nothing(inner) for inner in part["components"])
    if kind == "address":
        return "0x" + "00" * 20
    if kind in ("bool", "string"):
        return {"bool": False, "string": ""}[kind]
    return b"" if kind == "bytes" else b"\0" * int(kind[5:]) if "bytes" in kind else 0


BUILT = dict(artifacts())
FUNCTIONS = [
    pytest.param(name, entry, id=f"{name}.{key(entry, built['abi'])}")
    for name, built in BUILT.items()
    for entry in changing(built["abi"])
]


def who_may(name: str, entry: dict[str, Any]) -> str:
    return TABLE.get(name, {}).get(key(entry, BUILT[name]["abi"]), "")


@pytest.fixture(scope="module")
def core(project: Any, accounts: Any) -> Core:
    return deploy_core(BrownieBackend(project, accounts))


@pytest.fixture(scope="module")
def contracts(project: Any, core: Core) -> dict[str, Any]:
    """The core as deployed; what needs real protocols around it as bare code, whose checks come first anyway."""
    from brownie import Contract

    vault_parameters = (
        24 * HOUR, 6 * HOUR, HOUR, 3, 10**6, 10**12, 10**16, 0, 10**15, 10**15, 10**16, 10**17,
    )  # fmt: skip
    vault = project.DeskVault.deploy(
        core.authority, core.clearinghouse, core.oracle, core.surface, UNDERLYING,
        vault_parameters, {"from": core.gov},
    )  # fmt: skip
    found = {
        "MarketOracle": core.oracle, "VolSurface": core.surface, "RiskEngine": core.engine,
        "Clearinghouse": core.clearinghouse, "OptionDesk": core.desk, "HedgeManager": core.hedge,
        "HedgeFallback": core.fallback,
        "OptionToken": core.token, "LiquidationAuction": core.auction, "DeskVault": vault,
        "RfqMarket": core.rfq,
        "VaultShare": project.VaultShare.at(vault.share()),
    }  # fmt: skip
    by = {"from": core.gov}
    authority = project.DeskAuthority.deploy(core.gov, by)
    governor = project.DeskGovernor.deploy(found["VaultShare"], authority, VOTING_RULES, by)
    found |= {"DeskAuthority": authority, "DeskGovernor": governor}
    for number, name in enumerate(sorted(BUILT.keys() - found.keys())):
        address = f"0x{0xC0DE00 + number:040x}"
        core.backend.request("anvil_setCode", [address, "0x" + BUILT[name]["deployedBytecode"]])
        found[name] = Contract.from_abi(name, address, BUILT[name]["abi"])
    return found


def call_as(who: Any, contract: Any, entry: dict[str, Any]) -> None:
    args = [nothing(part) for part in entry["inputs"]]
    function = getattr(contract, entry["name"])
    if hasattr(function, "methods"):
        function = function[",".join(part["type"] for part in entry["inputs"])]
    function.call(*args, {"from": who})


@pytest.mark.parametrize(("name", "entry"), FUNCTIONS)
def test_every_function_is_listed_and_closed_to_strangers(
    contracts: dict[str, Any], core: Core, name: str, entry: dict[str, Any]
) -> None:
    who = who_may(name, entry)
    assert who, f"{name}.{key(entry, BUILT[name]['abi'])} is not in the table: who may call it?"
    stranger = core.takers[4]
    if who in REFUSAL:
        with reverts_with(REFUSAL[who]):
            call_as(stranger, contracts[name], entry)
        return
    try:
        call_as(stranger, contracts[name], entry)
    except (VirtualMachineError, ValueError) as failure:
        error = str(getattr(failure, "revert_msg", failure)).split(":")[0]
        assert error not in REFUSAL.values(), f"{name}.{entry['name']} is not open: {error}"


def test_the_table_lists_nothing_that_is_not_there() -> None:
    for name, table in TABLE.items():
        existing = {key(entry, BUILT[name]["abi"]) for entry in changing(BUILT[name]["abi"])}
        assert table.keys() <= existing, f"{name}: {table.keys() - existing}"


def test_the_deployment_gives_each_role_the_functions_of_the_table() -> None:
    for name, table in TABLE.items():
        given = deployed.FUNCTION_ROLES.get(name, {})
        for who, role in (
            (GOVERNOR, deployed.GOVERNOR),
            (LISTER, deployed.LISTER),
            (LIQUIDATOR, deployed.LIQUIDATOR),
            (GUARDIAN, deployed.GUARDIAN),
            (ADDRESSES, deployed.ADDRESSES),
        ):
            listed = {function for function, allowed in table.items() if allowed == who}
            assert set(given.get(role, ())) == listed, (name, who)


def test_the_guardian_may_veto_every_function_of_the_admin() -> None:
    admin = {function for function, who in TABLE["DeskAuthority"].items() if who == ADMIN}
    assert set(deployed.AUTHORITY_FUNCTIONS) == admin


def test_no_function_takes_ether() -> None:
    """Nothing here is paid in ether; what is sent by mistake comes back. OpenZeppelin's governance can pass some on."""
    passing = {("DeskAuthority", "execute"), ("DeskGovernor", "execute"), ("DeskGovernor", "relay")}
    payable = {
        (name, entry.get("name", entry["type"]))
        for name, built in BUILT.items()
        for entry in built["abi"]
        if entry.get("stateMutability") == "payable"
    }
    assert payable == passing | {("DeskGovernor", "receive")}  # which reverts: test_governor.py
