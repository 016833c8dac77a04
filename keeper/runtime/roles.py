"""`gammadesk roles`: who can call what, after which delay, and who could stop it; and whether anybody rules alone."""

from __future__ import annotations

from rich.table import Table

from keeper.chain.authority import ADMIN, PUBLIC, Government, Holder, Member, Role
from keeper.units import WAD

# DeskAuthority's numbers.
GOVERNOR, GUARDIAN, ADDRESSES = 1, 2, 5
RULING = (ADMIN, GOVERNOR, ADDRESSES)
DAY_S, HOUR_S = 86_400, 3_600


def holders_table(state: Government) -> Table:
    """A row a holder."""
    table = Table(title=f"Roles at block {state.block_number}")
    for name in ("role", "holder", "kind", "delay", "veto by"):
        table.add_column(name, overflow="fold")
    for role in state.roles.values():
        vetoing = _vetoing(state, role)
        veto = state.roles.get(vetoing) if vetoing != ADMIN else None
        for member in role.members or (None,):
            who = ("nobody", "") if member is None else _who(member.holder)
            delay = "" if member is None else _delay(state, member)
            stops = veto.label if veto and member and member.delay_s else ""
            table.add_row(role.label, *who, delay, stops)
    for slot in state.slots:
        table.add_row(f"{slot.contract}.{slot.name}", *_who(slot.holder), "none", "")
    return table


def functions_table(state: Government) -> Table:
    """A row a contract and role."""
    table = Table(title="Restricted functions; any that is not listed is ADMIN's")
    for name in ("contract", "functions", "role", "earliest"):
        table.add_column(name, overflow="fold")
    rows: dict[tuple[str, int], list[str]] = {}
    for permission in state.permissions:
        rows.setdefault((permission.contract, permission.role), []).append(permission.function)
    for (contract, number), functions in sorted(rows.items()):
        # The authority's own functions are ADMIN's whatever role they carry: that only says who may veto them.
        caller = ADMIN if contract == "AccessManager" else number
        role = state.roles.get(caller)
        label = "anybody" if number == PUBLIC else role.label if role else f"role {number}"
        table.add_row(contract, ", ".join(functions), label, _earliest(state, role))
    return table


def voting_line(state: Government) -> str:
    """The governor's rules in a sentence."""
    rules = state.voting
    if rules is None:
        return "no governor: whoever is ADMIN decides alone"
    return (
        f"a proposal: {span(rules.delay_s)} to the snapshot, {span(rules.period_s)} of voting, then the delay of the "
        f"role; {rules.threshold / WAD:,.0f} shares to propose, {rules.quorum_percent} % of all shares as quorum"
    )


def lone_rulers(state: Government) -> list[str]:
    """Keys that hold ADMIN, GOVERNOR or ADDRESSES, now or soon, each as a sentence."""
    return [
        f"{state.roles[number].label} is held by {member.holder.address}, which is somebody's key"
        for number in RULING
        if number in state.roles
        for member in state.roles[number].members
        if not member.holder.is_contract
    ]


def span(seconds: int) -> str:
    """Whole days or hours where they are whole."""
    for unit, name in ((DAY_S, "d"), (HOUR_S, "h")):
        if seconds and seconds % unit == 0:
            return f"{seconds // unit} {name}"
    return f"{seconds} s"


def _vetoing(state: Government, role: Role) -> int:
    """ADMIN's own guardian cannot be set: what vetoes it is the guardian of the authority's functions."""
    if role.number != ADMIN:
        return role.guardian
    carried = {p.role for p in state.permissions if p.contract == "AccessManager"}
    guards = {state.roles[number].guardian for number in carried if number in state.roles}
    return guards.pop() if len(guards) == 1 else ADMIN


def _who(holder: Holder) -> tuple[str, str]:
    name = f"{holder.name} {holder.address}".strip()
    if not holder.is_contract:
        return name, "KEY"
    if holder.threshold:
        return name, f"{holder.threshold} of {holder.owners} signatures"
    return name, "contract"


def _delay(state: Government, member: Member) -> str:
    text = span(member.delay_s) if member.delay_s else "none"
    if member.since_s > state.timestamp_s:
        text += f", from {member.since_s} on"
    if member.coming_at_s:
        text += f", {span(member.coming_s)} from {member.coming_at_s} on"
    return text


def _earliest(state: Government, role: Role | None) -> str:
    """From the first move to the call: a vote as well, where the only holder is the governor."""
    if role is None or not role.members:
        return "never"
    vote = state.voting.delay_s + state.voting.period_s if state.voting else 0
    waits = [
        member.delay_s + (vote if member.holder.name == "DeskGovernor" else 0)
        for member in role.members
    ]
    return span(min(waits)) if min(waits) else "at once"
