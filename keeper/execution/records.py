"""What goes into the sender and what comes out."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from keeper.chain.bindings import Log


class OutcomeKind(StrEnum):
    """Denied: nothing of ours can be mined. Mined and replaced are definitive. A network error is unresolved."""

    NOTHING = "nothing"
    DRY_RUN = "dry_run"
    DENIED = "denied"
    MINED_SUCCESS = "mined_success"
    MINED_REVERTED = "mined_reverted"
    REPLACED = "replaced"
    UNRESOLVED = "unresolved"


@dataclass(frozen=True, slots=True)
class Outcome:
    """How an intent stands. Gas in units, `gas_price_wei` per unit, both None until mined."""

    kind: OutcomeKind
    detail: str = ""
    work_id: str | None = None
    tx_hash: str | None = None
    nonce: int | None = None
    block_number: int | None = None
    gas_used: int | None = None
    gas_price_wei: int | None = None
    logs: tuple[Log, ...] = ()


@dataclass(frozen=True, slots=True)
class HedgeTimes:
    """From the trigger to the settlement of one intent.

    Of the chain, unix seconds: the oracle's round, the block that was decided upon, the block that it was mined in.
    Of this machine, milliseconds: reconciling and reading that block; deciding until it was ready to be sent;
    simulating, signing, journaling and sending it.
    """

    oracle_at_s: int
    head_at_s: int
    read_ms: float
    decide_ms: float
    send_ms: float | None = None
    included_at_s: int | None = None

    @property
    def settled_after_s(self) -> int | None:
        """Seconds from the oracle's round to the block of the hedge; None until it is mined."""
        return None if self.included_at_s is None else self.included_at_s - self.oracle_at_s

    @property
    def machine_ms(self) -> float | None:
        """From the new head to the signed bytes in the node's hands; None where no node took them."""
        return None if self.send_ms is None else self.read_ms + self.decide_ms + self.send_ms


@dataclass(frozen=True, slots=True)
class Job:
    """One thing to send. At most one job of a `key` is under way.

    `block_number` is where it is simulated, `deadline_s` (unix seconds) when it must no longer be mined, `gas_hint`
    the gas that it is expected to need at most, 0 where nobody knows; `programme` is written with the intent (see
    keeper.policies.slicing); the rest explains it in the journal.
    """

    work_id: str
    key: str
    what: str
    to: str
    data: bytes
    block_number: int
    deadline_s: int
    snapshot_hash: str
    plan: str
    orders: str
    times: HedgeTimes | None = None
    gas_hint: int = 0
    programme: str | None = None


class IntentStatus(StrEnum):
    """Unresolved and reopened (a reorg took its block back) are open; the others are definitive."""

    UNRESOLVED = "unresolved"
    REOPENED = "reopened"
    MINED_SUCCESS = "mined_success"
    MINED_REVERTED = "mined_reverted"
    REPLACED = "replaced"
    DENIED = "denied"


class TxStatus(StrEnum):
    """Signed: written, perhaps sent. Broadcast: a node took it. Dropped: another one has its nonce."""

    SIGNED = "signed"
    BROADCAST = "broadcast"
    MINED = "mined"
    DROPPED = "dropped"


class TxKind(StrEnum):
    """The intent's call, or the no-op that uses its nonce up."""

    CALL = "call"
    NO_OP = "no_op"


OPEN = (IntentStatus.UNRESOLVED, IntentStatus.REOPENED)


@dataclass(frozen=True, slots=True)
class DecisionEntry:
    """A tick as text, ready to be stored; see keeper.runtime.codec for what the texts hold."""

    block_number: int
    snapshot_hash: str
    policy: str
    inputs: str
    plan: str
    verdict: str
    outcome: str
    work_id: str | None
