"""Who holds legs of which expiry, from the clearinghouse's events: what the first phase of settlement must name."""

from __future__ import annotations

from dataclasses import dataclass, field

from keeper.chain.bindings import binding
from keeper.chain.client import BlockHead, NodeClient
from keeper.chain.deployment import Deployment
from keeper.units import decode_series


@dataclass(slots=True)
class OpenLegs:
    """Follows `LegMoved` from the deployment on. Blocks that may still be taken back are read again each time."""

    node: NodeClient
    deployment: Deployment
    finality_blocks: int
    _read_to: int | None = field(default=None, init=False)
    _sizes: dict[tuple[str, int], int] = field(default_factory=dict, init=False)

    def by_expiry(self, head: BlockHead) -> dict[int, dict[str, int]]:
        """Expiry to account to the contracts that it is short, WAD, 0 for one that is only long; of our underlying."""
        sizes = self._follow(head)
        found: dict[int, dict[str, int]] = {}
        for (account, series), size in sizes.items():
            underlying, expiry_s, _, _ = decode_series(series)
            if size and underlying == self.deployment.underlying:
                accounts = found.setdefault(expiry_s, {})
                accounts[account] = accounts.get(account, 0) + max(-size, 0)
        return found

    def _follow(self, head: BlockHead) -> dict[tuple[str, int], int]:
        """Sizes at the head. What is kept ends where blocks are final, what is newer is added on top of it."""
        final = max(head.number - self.finality_blocks, -1)
        first = (
            (self.deployment.deployed_block or 0) if self._read_to is None else self._read_to + 1
        )
        if first <= final:
            self._sizes |= self._moves(first, final)
            self._read_to, first = final, final + 1
        return self._sizes | (self._moves(first, head.number) if first <= head.number else {})

    def _moves(self, first: int, last: int) -> dict[tuple[str, int], int]:
        codec, address = binding("Clearinghouse"), self.deployment.address("Clearinghouse")
        moved = {}
        for log in self.node.logs(address, first, last):
            event = codec.find_event("LegMoved", [log], address)
            if event is not None:
                moved[event["account"], event["series"]] = event["size"]
        return moved
