"""Which role may call which restricted function, and who gets which role.

OpenZeppelin's AccessManager holds it all. A restricted function that is not listed here stays with
ADMIN, so that forgetting one is safe; the deployment tests compare the list with the contracts.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from scripts.deployment import abi as codec
from scripts.deployment.artifacts import Artifact
from scripts.deployment.engine import StepRunner
from scripts.deployment.networks import Roles

ADMIN = 0
GOVERNOR = 1
GUARDIAN = 2
LISTER = 3
# The auction and a vault that winds down, which bring the vault's venues home, and the governor.
LIQUIDATOR = 4
LABELS = {
    GOVERNOR: "GOVERNOR",
    GUARDIAN: "GUARDIAN",
    LISTER: "LISTER",
    LIQUIDATOR: "LIQUIDATOR",
}

FUNCTION_ROLES: Mapping[str, Mapping[int, tuple[str, ...]]] = {
    "MarketOracle": {
        GOVERNOR: ("registerMarket", "proposeFeed", "acceptFeed", "setSequencer", "setParameters"),
        GUARDIAN: ("cancelFeed",),
    },
    "VolSurface": {GOVERNOR: ("setCommitter", "setParameters", "resetAnchor")},
    "RiskEngine": {GOVERNOR: ("setParameters",)},
    "Clearinghouse": {
        GOVERNOR: (
            "setMarket",
            "setVault",
            "setVenue",
            "setDebtParameters",
        ),
        LIQUIDATOR: ("unwindVenue",),
    },
    "LiquidationAuction": {GOVERNOR: ("setParameters",)},
    "DeskVault": {GOVERNOR: ("setParameters", "setFeeRecipient")},
    "OptionDesk": {GOVERNOR: ("setParameters",), LISTER: ("list",)},
    "HedgeManager": {GOVERNOR: ("setKeeper", "setParameters", "resetBudget")},
    "AaveShortVenue": {GOVERNOR: ("setParameters",)},
}


def selectors(artifact: Artifact, functions: tuple[str, ...]) -> list[bytes]:
    """Four-byte selectors of functions by name; a name that is overloaded gives all of them."""
    found = {
        name: [
            codec.selector(entry)
            for entry in artifact.abi
            if entry["type"] == "function" and entry["name"] == name
        ]
        for name in functions
    }
    missing = [name for name, entries in found.items() if not entries]
    assert not missing, f"{artifact.name} has no function {missing}"
    return [selector for entries in found.values() for selector in entries]


def set_roles(
    run: StepRunner,
    manager: str,
    contracts: Mapping[str, str],
    artifact: Callable[[str], Artifact],
    roles: Roles,
) -> bool:
    """Labels, function roles, grants, and last of all admin. Returns whether the deployer keeps admin."""
    abi = artifact("AccessManager").abi
    for role, label in LABELS.items():
        run.call(f"label {label}", manager, abi, "labelRole", [role, label])
    for name, table in FUNCTION_ROLES.items():
        for role, functions in table.items():
            args = [contracts[name], selectors(artifact(name), functions), role]
            run.call(f"{LABELS[role]} of {name}", manager, abi, "setTargetFunctionRole", args)
    for role in (GOVERNOR, LISTER, LIQUIDATOR):
        name = f"guardian of {LABELS[role]}"
        run.call(name, manager, abi, "setRoleGuardian", [role, GUARDIAN])
    delay_s = roles.governor_delay_s
    for role, holder, delay in (
        (GOVERNOR, roles.governor, delay_s),
        (GUARDIAN, roles.guardian, 0),
        (LISTER, roles.lister, 0),
    ):
        run.call(f"grant {LABELS[role]}", manager, abi, "grantRole", [role, holder, delay])
    for name, holder, delay in (
        ("auction", contracts["LiquidationAuction"], 0),
        ("vault", contracts["DeskVault"], 0),
        ("governor", roles.governor, delay_s),
    ):
        args = [LIQUIDATOR, holder, delay]
        run.call(f"grant LIQUIDATOR to the {name}", manager, abi, "grantRole", args)
    if roles.governor == run.sender:
        return True
    run.call("grant ADMIN", manager, abi, "grantRole", [ADMIN, roles.governor, delay_s])
    run.call("renounce ADMIN", manager, abi, "renounceRole", [ADMIN, run.sender])
    return False
