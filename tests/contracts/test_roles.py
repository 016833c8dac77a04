"""I-11: every external function that changes state is listed with who may call it; a stranger may not call the rest.

The table is by hand on purpose. A new function fails the first test by its name until somebody has decided.
"""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from brownie.exceptions import VirtualMachineError

from scripts.deployment import roles as deployed
from scripts.setup import env
from tests.brownie_fixtures import reverts_with
from tests.contracts.core_env import HOUR, UNDERLYING, BrownieBackend, Core, deploy_core
from tests.contracts.governor_world import VOTING_RULES

# Who may call. ANYONE acts for anybody, OWNER only ever on what is the caller's own.
ANYONE, OWNER = "anyone", "owner"
GOVERNOR, LISTER, AUTHORITY, ADMIN = "governor", "lister", "authority", "admin"
LIQUIDATOR = "liquidator"
GUARDIAN = "guardian"
ADDRESSES, GOVERNANCE, PROPOSER = "addresses", "governance", "proposer"
KEEPER, COMMITTER, MARKET, HEDGE_MANAGER = "keeper", "committer", "market", "hedge manager"
FALLBACK, VENUE = "fallback hedge", "venue of the order"
QUOTER, MAKER = "quoter", "maker"
CLEARINGHOUSE, POOL, VAULT, OPERATOR = "clearinghouse", "pool", "vault", "owner or operator"

REFUSAL = {
    GOVERNOR: "AccessManagedUnauthorized",
    LISTER: "AccessManagedUnauthorized",
    LIQUIDATOR: "AccessManagedUnauthorized",
    GUARDIAN: "AccessManagedUnauthorized",
    ADDRESSES: "AccessManagedUnauthorized",
    GOVERNANCE: "GovernorOnlyExecutor",
    PROPOSER: "GovernorInsufficientProposerVotes",
    AUTHORITY: "AccessManagedUnauthorized",
    ADMIN: "AccessManagerUnauthorizedAccount",
    KEEPER: "OnlyKeeper",
    COMMITTER: "OnlyCommitter",
    QUOTER: "OnlyQuoter",
    MAKER: "OnlyMaker",
    MARKET: "OnlyMarket",
    HEDGE_MANAGER: "OnlyHedgeManager",
    FALLBACK: "OnlyFallback",
    CLEARINGHOUSE: "VenueOnlyClearinghouse",
    POOL: "VenueOnlyPool",
    VAULT: "OnlyVault",
    OPERATOR: "NotOwnerOrOperator",
}

TABLE: dict[str, dict[str, str]] = {
    "MarketOracle": {
        "registerMarket": ADDRESSES,
        "proposeFeed": ADDRESSES,
        "acceptFeed": GOVERNOR,
        "cancelFeed": GUARDIAN,
        "setSequencer": ADDRESSES,
        "setParameters": GOVERNOR,
        "proveSettlement": ANYONE,
        "proveSettlementAcross": ANYONE,
        "recordTwap": ANYONE,
        "settleByTwap": ANYONE,
        "poke": ANYONE,
        "pokeAcross": ANYONE,
        "setAuthority": AUTHORITY,
    },
    "VolSurface": {
        "commit": COMMITTER,
        "setCommitter": ADDRESSES,
        "setParameters": GOVERNOR,
        "resetAnchor": GOVERNOR,
        "setAuthority": AUTHORITY,
    },
    "RiskEngine": {"setParameters": GOVERNOR, "setAuthority": AUTHORITY},
    "Clearinghouse": {
        "depositCash": OWNER,
        "withdrawCash": OWNER,
        "withdrawFreeCash": OWNER,
        "depositBase": OWNER,
        "withdrawBase": OWNER,
        "trade": MARKET,
        "wrap": MARKET,
        "unwrap": MARKET,
        "payWrapped": MARKET,
        "sellSlice": MARKET,
        "tradeOnVenue": HEDGE_MANAGER,
        "touchVenue": ANYONE,
        "convert": ANYONE,
        "finalise": ANYONE,
        "claim": ANYONE,
        "cure": ANYONE,
        "accrue": ANYONE,
        "fundInsurance": ANYONE,
        "setMarket": ADDRESSES,
        "setVault": ADDRESSES,
        "setVenue": ADDRESSES,
        "unwindVenue": LIQUIDATOR,
        "setDebtParameters": GOVERNOR,
        "setAuthority": AUTHORITY,
    },
    "OptionToken": {
        "wrap": OWNER,
        "unwrap": OWNER,
        "redeem": OWNER,
        "transfer": OWNER,
        "transferFrom": OWNER,
        "approve": OWNER,
        "setOperator": OWNER,
    },
    "LiquidationAuction": {
        "start": ANYONE,
        "open": ANYONE,
        "unwind": ANYONE,
        "cancel": ANYONE,
        "bid": OWNER,  # pays from the caller's account
        "setParameters": GOVERNOR,
        "setAuthority": AUTHORITY,
    },
    "OptionDesk": {
        "trade": OWNER,
        "list": LISTER,
        "delist": ANYONE,
        "setStances": QUOTER,
        "setQuoter": ADDRESSES,
        "setParameters": GOVERNOR,
        "lowerNewRisk": GUARDIAN,
        "setNewRisk": GOVERNOR,
        "setAuthority": AUTHORITY,
    },
    "RfqMarket": {"fill": OWNER, "take": HEDGE_MANAGER, "cancel": MAKER},
    "HedgeManager": {
        "rebalance": KEEPER,
        "advanceEpoch": KEEPER,
        "tradeForFallback": FALLBACK,
        "foundInside": FALLBACK,
        "onOrderEnded": VENUE,
        "cancelOrder": ANYONE,
        "setKeeper": ADDRESSES,
        "setParameters": GOVERNOR,
        "setBands": GOVERNOR,
        "setVenueCap": GOVERNOR,
        "setQuoteAdapter": ADDRESSES,
        "setAsynchronous": ADDRESSES,
        "setOrderTimeout": GOVERNOR,
        "setFallback": ADDRESSES,
        "resetBudget": GOVERNOR,
        "setAuthority": AUTHORITY,
    },
    "HedgeFallback": {
        "arm": ANYONE,
        "fallbackHedge": ANYONE,
        "performUpkeep": ANYONE,
        "defend": ANYONE,
        "fundBounties": OWNER,
        "setParameters": GOVERNOR,
        "setVenues": ADDRESSES,
        "setAuthority": AUTHORITY,
    },
    "DeskVault": {
        "requestDeposit": OPERATOR,
        "requestRedeem": OWNER,  # with the owner's allowance too: escrow checks it
        "deposit(uint256,address)": OWNER,
        "deposit(uint256,address,address)": OPERATOR,
        "mint(uint256,address)": OWNER,
        "mint(uint256,address,address)": OPERATOR,
        "redeem": OPERATOR,
        "withdraw": OPERATOR,
        "cancelDepositRequest": OPERATOR,
        "cancelRedeemRequest": OPERATOR,
        "claimCancelDepositRequest": OPERATOR,
        "claimCancelRedeemRequest": OPERATOR,
        "setOperator": OWNER,
        "processEpoch": ANYONE,
        "windDown": ANYONE,  # once epochs have been missed
        "distribute": ANYONE,  # while winding down, to the holders alone
        "unwindVenue": ANYONE,  # while winding down, after the last expiry
        "surrender": OWNER,  # while winding down; or operator
        "collect": OPERATOR,
        "setParameters": GOVERNOR,
        "setFeeRecipient": ADDRESSES,
        "setAuthority": AUTHORITY,
    },
    "VaultShare": {
        "mint": VAULT,
        "burn": VAULT,
        "escrow": VAULT,
        "transfer": OWNER,
        "transferFrom": OWNER,
        "approve": OWNER,
        "permit": ANYONE,  # with the owner's signature
        "delegate": OWNER,
        "delegateBySig": ANYONE,  # with the owner's signature
    },
    "UniswapSpotVenue": {
        "trade": CLEARINGHOUSE,
        "unwind": CLEARINGHOUSE,
        "uniswapV3SwapCallback": POOL,
    },
    "CuriePerpVenue": {
        "trade": CLEARINGHOUSE,
        "unwind": CLEARINGHOUSE,
        "setParameters": GOVERNOR,
        "setAuthority": AUTHORITY,
    },
    "AaveShortVenue": {
        "trade": CLEARINGHOUSE,
        "unwind": CLEARINGHOUSE,
        "uniswapV3SwapCallback": POOL,
        "dropForeignCollateral": ANYONE,
        "setParameters": GOVERNOR,
        "setAuthority": AUTHORITY,
    },
    "DeskGovernor": {
        "propose": PROPOSER,
        "queue": ANYONE,  # what the vote has decided
        "execute": ANYONE,  # likewise, after its delay
        "cancel": OWNER,  # by its proposer, before voting begins
        "castVote": OWNER,
        "castVoteWithReason": OWNER,
        "castVoteWithReasonAndParams": OWNER,
        "castVoteBySig": ANYONE,  # with the voter's signature
        "castVoteWithReasonAndParamsBySig": ANYONE,  # with the voter's signature
        "relay": GOVERNANCE,
        "setVotingDelay": GOVERNANCE,
        "setVotingPeriod": GOVERNANCE,
        "setProposalThreshold": GOVERNANCE,
        "updateQuorumNumerator": GOVERNANCE,
        "setBaseDelaySeconds": GOVERNANCE,
        "setAccessManagerIgnored": GOVERNANCE,
        "onERC721Received": ANYONE,  # refuses nothing and keeps nothing account of
        "onERC1155Received": ANYONE,
        "onERC1155BatchReceived": ANYONE,
    },
    "DeskAuthority": {
        "labelRole": ADMIN,
        "grantRole": ADMIN,
        "revokeRole": ADMIN,
        "renounceRole": OWNER,
        "setRoleAdmin": ADMIN,
        "setRoleGuardian": ADMIN,
        "setGrantDelay": ADMIN,
        "setTargetFunctionRole": ADMIN,
        "setTargetAdminDelay": ADMIN,
        "setTargetClosed": ADMIN,
        "updateAuthority": ADMIN,
        "schedule": OWNER,  # what the caller may execute
        "execute": OWNER,
        "cancel": OWNER,  # by its scheduler, an admin or the guardian of the role
        "consumeScheduledOp": OWNER,  # by the target itself
        "multicall": ANYONE,  # delegates to itself with the caller's own rights
    },
}


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
