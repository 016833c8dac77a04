"""A desk's listed series and what it quotes for them, asked of its contracts at one block."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from keeper.chain.bindings import binding
from keeper.chain.client import BlockHead, NodeClient, Reverted
from keeper.chain.deployment import Deployment
from keeper.errors import PricingError
from keeper.market.desk_chains import DeskBook, DeskQuote
from keeper.units import SECONDS_PER_YEAR, decode_series, from_wad, to_wad_toward_zero


@dataclass(frozen=True, slots=True)
class OnChainDesk:
    """Reads the desk of a deployment. `size` is how many options each side is asked for; prices are per option."""

    node: NodeClient
    deployment: Deployment
    size: float = 1.0
    name: str = "desk"

    def book(self) -> DeskBook:
        """Quotes of both sides; a side that the desk refuses (cut-off, limits, stale oracle) is NaN.

        Retry when the node does not answer; PricingError for a size that is not positive.
        """
        if not (math.isfinite(self.size) and self.size > 0.0):
            raise PricingError(f"size must be positive, got {self.size}")
        head = self.node.head()
        spot_wad = int(self._ask("MarketOracle", "spot", head, self.deployment.underlying)[0])
        (listed,) = self._ask("OptionDesk", "listed", head)
        mine = [
            series for series in listed if decode_series(series)[0] == self.deployment.underlying
        ]
        live = [series for series in mine if decode_series(series)[1] > head.timestamp_s]
        expiries = sorted({decode_series(series)[1] for series in live})
        return DeskBook(
            name=f"{self.name} at block {head.number}",
            read_at_s=head.timestamp_s,
            spot_usd=from_wad(spot_wad),
            carry={e: self._carry(e, spot_wad, head) for e in expiries},
            quotes=tuple(self._quote(series, head) for series in live),
        )

    def _quote(self, series: int, head: BlockHead) -> DeskQuote:
        _, expiry_s, strike_usd, is_call = decode_series(series)
        ask, paid = self._premium(series, 1, head), self._premium(series, -1, head)
        return DeskQuote(expiry_s, strike_usd, is_call, -paid, ask)

    def _premium(self, series: int, sign: int, head: BlockHead) -> float:
        """USD per option that a taker of +-size pays."""
        size_wad = to_wad_toward_zero(self.size)
        try:
            (premium,) = self._ask("OptionDesk", "quote", head, [(series, sign * size_wad)])
        except Reverted:
            return math.nan
        return from_wad(int(premium)) / from_wad(size_wad)

    def _carry(self, expiry_s: int, spot_wad: int, head: BlockHead) -> float:
        """Annualised, from the surface's own forward."""
        arguments = (self.deployment.underlying, expiry_s, spot_wad, spot_wad)
        try:
            forward_wad, _ = self._ask("VolSurface", "volAndForward", head, *arguments)
        except Reverted:
            return math.nan
        life = (expiry_s - head.timestamp_s) / SECONDS_PER_YEAR
        return math.log(forward_wad / spot_wad) / life

    def _ask(
        self, contract: str, function: str, head: BlockHead, *arguments: object
    ) -> tuple[Any, ...]:
        codec = binding(contract)
        data = codec.encode(function, *arguments)
        answer = self.node.call(
            self.deployment.address(contract), data, head.number, f"{contract}.{function}"
        )
        return codec.decode(function, answer)
