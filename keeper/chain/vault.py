"""The vault as one of its depositors sees it, at one block; and the calldata of what he sends."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from eth_abi.abi import encode

from keeper.chain.bindings import binding
from keeper.chain.client import NodeClient, Reverted
from keeper.chain.deployment import Deployment

VAULT, SHARE, USDC = "DeskVault", "VaultShare", "IERC20Metadata"
# The virtual share and dollar of DeskVault, which make its price.
VIRTUAL_WAD = 10**18
# Claim functions have two forms; this is the one with a controller.
CLAIM_SHARES = "deposit(uint256,address,address)"


class Side(StrEnum):
    """What was requested."""

    DEPOSIT = "deposit"
    REDEEM = "redeem"


@dataclass(frozen=True, slots=True)
class Request:
    """One id. Amounts are of what was requested: USDC units of a deposit, share units of a redemption."""

    side: Side
    request_id: int
    pending: int
    claimable: int
    cancelled: int


@dataclass(frozen=True, slots=True)
class VaultRules:
    """Seconds, USDC units, share units. `missed_to_wind_down` epochs."""

    epoch_length_s: int
    window_s: int
    missed_to_wind_down: int
    min_deposit: int
    min_redeem: int


@dataclass(frozen=True, slots=True)
class WindDownPart:
    """Of a vault that winds down: shares given up, USDC units and wei that wait for their owner."""

    shares: int
    assets: int
    base_wei: int


@dataclass(frozen=True, slots=True)
class VaultView:
    """At one block. Amounts in token units; `bid_wad` and `ask_wad` USD a share, None while there is no price.

    `claim_*` is what claims of shares and of USDC give: (input, output).
    """

    account: str
    now_s: int
    epoch: int
    ends_at_s: int
    winding_down: bool
    rules: VaultRules
    bid_wad: int | None
    ask_wad: int | None
    no_price: str
    wei: int
    usdc: int
    allowance: int
    shares: int
    votes: int
    requests: tuple[Request, ...]
    claim_shares: tuple[int, int]
    claim_assets: tuple[int, int]
    part: WindDownPart


@dataclass(frozen=True, slots=True)
class Call:
    """A transaction before its sender. `waits` for an earlier one and cannot be tried alone."""

    what: str
    to: str
    data: bytes
    waits: bool = False


class VaultReader:
    """Reads one vault through one node."""

    def __init__(self, node: NodeClient, deployment: Deployment) -> None:
        self._node, self._deployment = node, deployment
        self.vault = deployment.address(VAULT)
        self.share = deployment.address(SHARE)
        self.usdc = str(self._ask(node.head().number, self.vault, VAULT, "asset")[0])

    def view(self, account: str) -> VaultView:
        """Everything that the commands look at, at the latest block."""
        head = self._node.head()
        at = head.number

        def vault(function: str, *args: object) -> Any:
            answer = self._ask(at, self.vault, VAULT, function, *args)
            return answer[0] if len(answer) == 1 else answer

        bid, ask, no_price = self._prices(at)
        return VaultView(
            account=account,
            now_s=head.timestamp_s,
            epoch=vault("currentEpoch"),
            ends_at_s=vault("epochEndsAt"),
            winding_down=vault("windingDown"),
            rules=_rules(vault("parameters")),
            bid_wad=bid,
            ask_wad=ask,
            no_price=no_price,
            wei=self._node.balance(account, at),
            usdc=self._ask(at, self.usdc, USDC, "balanceOf", account)[0],
            allowance=self._ask(at, self.usdc, USDC, "allowance", account, self.vault)[0],
            shares=self._ask(at, self.share, SHARE, "balanceOf", account)[0],
            votes=self._ask(at, self.share, SHARE, "getVotes", account)[0],
            requests=tuple(self._requests(at, account)),
            claim_shares=(vault("maxDeposit", account), vault("maxMint", account)),
            claim_assets=(vault("maxRedeem", account), vault("maxWithdraw", account)),
            part=WindDownPart(*vault("surrendered", account)),
        )

    # ------------------------------------------------------------------ calls

    def approve(self, units: int) -> Call:
        """Of exactly what the vault will take."""
        data = binding(USDC).encode("approve", self.vault, units)
        return Call(f"approve {units} units of USDC", self.usdc, data)

    def to_vault(self, what: str, function: str, *args: object, waits: bool = False) -> Call:
        """Any call of the vault."""
        return Call(what, self.vault, binding(VAULT).encode(function, *args), waits)

    # ------------------------------------------------------------------ internal

    def _ask(self, block: int, to: str, abi: str, function: str, *args: object) -> tuple[Any, ...]:
        codec = binding(abi)
        data = codec.encode(function, *args)
        return codec.decode(function, self._node.call(to, data, block, f"{abi}.{function}"))

    def _prices(self, at: int) -> tuple[int | None, int | None, str]:
        """USD a share for those who leave and those who join, rounded against them."""
        supply = self._ask(at, self.share, SHARE, "totalSupply")[0]
        try:
            bid = self._ask(at, self.vault, VAULT, "navBid")[0]
            ask = self._ask(at, self.vault, VAULT, "navAsk")[0]
        except Reverted as reverted:
            return None, None, str(reverted.reason)
        virtual = (bid + VIRTUAL_WAD) * 10**18 // (supply + VIRTUAL_WAD)
        lowest = min(virtual, bid * 10**18 // supply) if supply else virtual
        return lowest, -(-(ask + VIRTUAL_WAD) * 10**18 // (supply + VIRTUAL_WAD)), ""

    def _requests(self, at: int, account: str) -> Iterable[Request]:
        codec = binding(VAULT)
        names = {Side.DEPOSIT: "DepositRequest", Side.REDEEM: "RedeemRequest"}
        keys = [codec.events[name].key for name in names.values()]
        first = self._deployment.deployed_block or 0
        topics = [keys, [encode(["address"], [account])]]
        found: dict[tuple[Side, int], None] = {}
        for log in self._node.logs(self.vault, first, at, topics):
            for side, name in names.items():
                event = codec.find_event(name, [log], self.vault)
                if event is not None:
                    found[side, event["requestId"]] = None
        for side, request_id in found:
            request = self._request(at, side, request_id, account)
            if request.pending or request.claimable or request.cancelled:
                yield request

    def _request(self, at: int, side: Side, request_id: int, account: str) -> Request:
        word = side.value.capitalize()
        pending, claimable, cancelled = (
            self._ask(at, self.vault, VAULT, name, request_id, account)[0]
            for name in (
                f"pending{word}Request",
                f"claimable{word}Request",
                f"claimableCancel{word}Request",
            )
        )
        return Request(side, request_id, pending, claimable, cancelled)


def _rules(struct: Any) -> VaultRules:
    names = binding(VAULT).struct_names("parameters")
    by_name = dict(zip(names, struct, strict=True))
    return VaultRules(
        epoch_length_s=by_name["epochLength"],
        window_s=by_name["epochWindow"],
        missed_to_wind_down=by_name["missedToWindDown"],
        min_deposit=by_name["minDeposit"],
        min_redeem=by_name["minRedeem"],
    )
