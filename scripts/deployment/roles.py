"""Which role may call which restricted function, and who gets which role.

The authority, an AccessManager, holds it all. A restricted function that is not listed here stays
with ADMIN, so that forgetting one is safe; the deployment tests compare the list with the contracts.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from scripts.deployment import abi as codec
from scripts.deployment.artifacts import Artifact
from scripts.deployment.engine import StepRunner
from scripts.deployment.governance_parameters import GovernanceParameters

ADMIN = 0
# Parameters, inside the hard ranges of the contracts.
GOVERNOR = 1
# Vetoes what ADDRESSES and ADMIN have scheduled, and lowers limits on new risk.
GUARDIAN = 2
LISTER = 3
# The auction and a vault that winds down, which bring the vault's venues home, and the governor.
LIQUIDATOR = 4
# Contracts, feeds, venues and keys that others rely on.
ADDRESSES = 5
LABELS = {
    GOVERNOR: "GOVERNOR",
    GUARDIAN: "GUARDIAN",
    LISTER: "LISTER",
    LIQUIDATOR: "LIQUIDATOR",
    ADDRESSES: "ADDRESSES",
}

FUNCTION_ROLES: Mapping[str, Mapping[int, tuple[str, ...]]] = {
    "MarketOracle": {
        GOVERNOR: ("acceptFeed", "setParameters"),
        ADDRESSES: ("registerMarket", "proposeFeed", "setSequencer"),
        GUARDIAN: ("cancelFeed",),
    },
    "VolSurface": {GOVERNOR: ("setParameters", "resetAnchor"), ADDRESSES: ("setCommitter",)},
    "RiskEngine": {GOVERNOR: ("setParameters",)},
    "Clearinghouse": {
        GOVERNOR: ("setDebtParameters",),
        ADDRESSES: ("setMarket", "setVault", "setVenue"),
        LIQUIDATOR: ("unwindVenue",),
    },
    "LiquidationAuction": {GOVERNOR: ("setParameters",)},
    "DeskVault": {GOVERNOR: ("setParameters",), ADDRESSES: ("setFeeRecipient",)},
    "OptionDesk": {
        GOVERNOR: ("setParameters", "setNewRisk"),
        GUARDIAN: ("lowerNewRisk",),
        ADDRESSES: ("setQuoter",),
        LISTER: ("list",),
    },
    "HedgeManager": {
        GOVERNOR: ("setParameters", "setBands", "setVenueCap", "setOrderTimeout", "resetBudget"),
        ADDRESSES: ("setKeeper", "setQuoteAdapter", "setAsynchronous", "setFallback"),
    },
    "HedgeFallback": {GOVERNOR: ("setParameters",), ADDRESSES: ("setVenues",)},
    "AaveShortVenue": {GOVERNOR: ("setParameters",)},
    "CuriePerpVenue": {GOVERNOR: ("setParameters",)},
}
# What a deployment may do without.
OPTIONAL = ("CuriePerpVenue",)
# Only ADMIN may call these, whatever role they are given. What the role decides is whose guardian may veto them.
AUTHORITY_FUNCTIONS = (
    "labelRole",
    "grantRole",
    "revokeRole",
    "setRoleAdmin",
    "setRoleGuardian",
    "setGrantDelay",
    "setTargetFunctionRole",
    "setTargetAdminDelay",
    "setTargetClosed",
    "updateAuthority",
)


@dataclass(frozen=True, slots=True)
class Holders:
    """Addresses. Without a governor the deployer keeps ADMIN, and every function that only governance calls."""

    guardian: str
    lister: str
    governor: str | None


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


@dataclass(frozen=True, slots=True)
class RoleSetter:
    """Sends the authority's own calls as named steps."""

    run: StepRunner
    authority: str
    artifact: Callable[[str], Artifact]

    def set_all(
        self, contracts: Mapping[str, str], holders: Holders, delays: GovernanceParameters
    ) -> None:
        """Labels, function roles, guardians, grants, and last of all admin."""
        for role, label in LABELS.items():
            self.call(f"label {label}", "labelRole", role, label)
        governed = holders.governor is not None
        for name, table in FUNCTION_ROLES.items():
            if name not in contracts and name in OPTIONAL:
                continue
            for role, functions in table.items():
                if governed or role not in (GOVERNOR, ADDRESSES):
                    self.assign(name, contracts[name], functions, role)
        self.grant(GUARDIAN, "guardian", holders.guardian)
        self.grant(LISTER, "lister", holders.lister)
        self.grant(LIQUIDATOR, "auction", contracts["LiquidationAuction"])
        self.grant(LIQUIDATOR, "vault", contracts["DeskVault"])
        if holders.governor is None:
            self.grant(LIQUIDATOR, "deployer", self.run.sender)
            return
        self.assign("authority", self.authority, AUTHORITY_FUNCTIONS, ADDRESSES)
        self.call("guardian of ADDRESSES", "setRoleGuardian", ADDRESSES, GUARDIAN)
        for role in (GOVERNOR, LIQUIDATOR):
            self.grant(role, "governor", holders.governor, delays.parameter_delay_s)
        for role in (ADDRESSES, ADMIN):
            self.grant(role, "governor", holders.governor, delays.address_delay_s)
        self.call("renounce ADMIN", "renounceRole", ADMIN, self.run.sender)

    def assign(self, name: str, target: str, functions: tuple[str, ...], role: int) -> None:
        """One contract's functions to one role."""
        artifact = self.artifact("DeskAuthority" if target == self.authority else name)
        found = selectors(artifact, functions)
        self.call(f"{LABELS[role]} of {name}", "setTargetFunctionRole", target, found, role)

    def grant(self, role: int, who: str, holder: str, delay_s: int = 0) -> None:
        """`delay_s` from scheduling a call to making it."""
        label = LABELS.get(role, "ADMIN")
        self.call(f"grant {label} to the {who}", "grantRole", role, holder, delay_s)

    def call(self, name: str, function: str, *args: object) -> None:
        """One step."""
        abi = self.artifact("DeskAuthority").abi
        self.run.call(name, self.authority, abi, function, list(args))
