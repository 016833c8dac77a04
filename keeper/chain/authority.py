"""Who holds which role, read from the authority: its events name the candidates, its getters say what holds now."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from eth_utils.address import to_checksum_address

from keeper.chain.bindings import binding
from keeper.chain.client import NodeClient, Reverted
from keeper.chain.deployment import Deployment
from keeper.errors import Halt

AUTHORITY, WALLET = "DeskAuthority", "IOwnerManager"
EVENTS = ("RoleLabel", "RoleGranted", "TargetFunctionRoleUpdated", "RoleGuardianChanged")
ADMIN = 0
PUBLIC = 2**64 - 1
# Address slots that act like roles: what their holder may do is in the contract.
SLOTS = (("HedgeManager", "keeper"), ("VolSurface", "committer"), ("OptionDesk", "quoter"))
# A code of this beginning only delegates: whoever has the key still signs alone (EIP-7702).
DELEGATED = bytes.fromhex("ef0100")


@dataclass(frozen=True, slots=True)
class Holder:
    """An address and what stands behind it. `owners` and `threshold` of a multi-signature wallet, else 0."""

    address: str
    name: str
    is_contract: bool
    threshold: int = 0
    owners: int = 0


@dataclass(frozen=True, slots=True)
class Member:
    """A role's holder, from `since_s` on. `delay_s` from scheduling to calling.

    `coming_s` is the delay that takes its place at `coming_at_s`, if any.
    """

    holder: Holder
    since_s: int
    delay_s: int
    coming_s: int = 0
    coming_at_s: int = 0


@dataclass(frozen=True, slots=True)
class Role:
    """`guardian` is the role whose holders may veto what this role's holders have scheduled."""

    number: int
    label: str
    guardian: int
    members: tuple[Member, ...]


@dataclass(frozen=True, slots=True)
class Permission:
    """A function of a contract and the role that may call it."""

    contract: str
    function: str
    role: int


@dataclass(frozen=True, slots=True)
class Slot:
    """An address that a contract names, such as the hedge manager's keeper."""

    contract: str
    name: str
    holder: Holder


@dataclass(frozen=True, slots=True)
class Voting:
    """The governor's rules: seconds, share units, percent of all shares."""

    delay_s: int
    period_s: int
    threshold: int
    quorum_percent: int


@dataclass(frozen=True, slots=True)
class Government:
    """Everything at one block."""

    block_number: int
    timestamp_s: int
    roles: Mapping[int, Role]
    permissions: tuple[Permission, ...]
    slots: tuple[Slot, ...]
    voting: Voting | None


class AuthorityReader:
    """Reads one deployment's government at the block that was the latest when it was made."""

    def __init__(self, node: NodeClient, deployment: Deployment) -> None:
        self._node, self._deployment = node, deployment
        self._head = node.head()
        self._address = deployment.address("AccessManager")
        self._names = {address.lower(): name for name, address in deployment.contracts.items()}
        self._holders: dict[str, Holder] = {}

    def read(self) -> Government:
        """All of it. Retry and Halt as the node answers."""
        found: dict[str, list[dict[str, Any]]] = {name: [] for name in EVENTS}
        codec = binding(AUTHORITY)
        first = self._deployment.deployed_block or 0
        for log in self._node.logs(self._address, first, self._head.number):
            for name in EVENTS:
                event = codec.find_event(name, [log], self._address)
                if event is not None:
                    found[name].append(event)
        return Government(
            block_number=self._head.number,
            timestamp_s=self._head.timestamp_s,
            roles=self._roles(found),
            permissions=tuple(self._permissions(found["TargetFunctionRoleUpdated"])),
            slots=tuple(self._slots()),
            voting=self._voting(),
        )

    def _roles(self, found: Mapping[str, list[dict[str, Any]]]) -> dict[int, Role]:
        labels = {event["roleId"]: event["label"] for event in found["RoleLabel"]}
        numbers = {ADMIN} | {e["roleId"] for events in found.values() for e in events}
        members: dict[int, dict[str, None]] = {number: {} for number in sorted(numbers)}
        for event in found["RoleGranted"]:
            members[event["roleId"]][event["account"]] = None
        labels[ADMIN] = "ADMIN"
        return {
            number: Role(
                number=number,
                label=labels.get(number, f"role {number}"),
                guardian=self._call("getRoleGuardian", number)[0],
                members=tuple(self._members(number, accounts)),
            )
            for number, accounts in members.items()
        }

    def _members(self, role: int, accounts: Iterable[str]) -> Iterable[Member]:
        for account in accounts:
            since, delay, coming, at = self._call("getAccess", role, account)
            if since:
                yield Member(self._holder(account), since, delay, coming if at else 0, at)

    def _permissions(self, events: Iterable[Mapping[str, Any]]) -> Iterable[Permission]:
        for target, selector in dict.fromkeys((e["target"], e["selector"]) for e in events):
            role = self._call("getTargetFunctionRole", target, selector)[0]
            name = self._names.get(target.lower(), target)
            yield Permission(name, self._function(name, selector), role)

    def _function(self, contract: str, selector: bytes) -> str:
        abi = AUTHORITY if contract == "AccessManager" else contract
        if contract in self._deployment.contracts:
            for name, entry in binding(abi).functions.items():
                if entry.key == selector:
                    return str(name)
        return "0x" + selector.hex()

    def _slots(self) -> Iterable[Slot]:
        for contract, name in SLOTS:
            codec = binding(contract)
            if contract in self._deployment.contracts and name in codec.functions:
                answer = self._read(self._deployment.address(contract), contract, name)
                yield Slot(contract, name, self._holder(answer[0]))

    def _voting(self) -> Voting | None:
        address = self._deployment.contracts.get("DeskGovernor")
        if address is None:
            return None
        names = ("votingDelay", "votingPeriod", "proposalThreshold", "quorumNumerator()")
        return Voting(*(self._read(address, "DeskGovernor", name)[0] for name in names))

    def _holder(self, address: str) -> Holder:
        known = self._holders.get(address)
        if known is None:
            code = self._node.code(address, self._head.number)
            is_contract = bool(code) and not code.startswith(DELEGATED)
            threshold, owners = self._signatures(address) if is_contract else (0, 0)
            name = self._names.get(address.lower(), "")
            known = Holder(to_checksum_address(address), name, is_contract, threshold, owners)
            self._holders[address] = known
        return known

    def _signatures(self, address: str) -> tuple[int, int]:
        """Threshold and number of owners where the contract is a multi-signature wallet, else zeros."""
        if address.lower() in self._names:
            return 0, 0
        try:
            threshold = self._read(address, WALLET, "getThreshold")[0]
            return int(threshold), len(self._read(address, WALLET, "getOwners")[0])
        except (Reverted, Halt):  # it has no such function, or a fallback that answers anything
            return 0, 0

    def _call(self, function: str, *arguments: object) -> tuple[Any, ...]:
        return self._read(self._address, AUTHORITY, function, *arguments)

    def _read(self, to: str, abi: str, function: str, *arguments: object) -> tuple[Any, ...]:
        codec = binding(abi)
        data = codec.encode(function, *arguments)
        answer = self._node.call(to, data, self._head.number, f"{abi}.{function}")
        return codec.decode(function, answer)
