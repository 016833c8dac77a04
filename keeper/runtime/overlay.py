"""The gamma and vega overlay in service: makers' quotes beside the snapshot, and the orders that take them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import structlog

from keeper.chain.calls import Order
from keeper.errors import DataError, Halt, Retry
from keeper.models import Plan, Policy, Snapshot
from keeper.policies.alarm import AlarmParameters
from keeper.policies.margin_ladder import Ladder, Step
from keeper.policies.overlay import GammaVegaOverlay, OptionTrade, OverlayParameters, OverlayPlan
from keeper.policies.overlay_quotes import Limits, MakerQuote, Range
from keeper.policies.predictive_gamma import PredictiveGamma
from keeper.runtime.maker_quotes import QuoteSource, SignedQuote
from keeper.units import to_wad_down

# Where margin is short the desk's ranges shrink to this share: options are bought back although they were inside.
_SHORT_OF_MARGIN = 0.5


@dataclass(frozen=True, slots=True)
class OverlayInputs:
    """What the overlay of one tick was made of: enough to make it again."""

    limits: Limits
    quotes: tuple[MakerQuote, ...]
    parameters: OverlayParameters
    alarm: AlarmParameters

    def over(self, policy: Policy) -> Policy:
        """The policy with option trades ahead of its hedge; the gamma range narrows while a warning stands."""
        overlay = GammaVegaOverlay(self.limits, self.quotes, policy, self.parameters)
        return PredictiveGamma(overlay, self.alarm)


@dataclass(frozen=True, slots=True)
class QuoteDesk:
    """Where quotes come from, the desk's ranges, and the adapter that takes quotes for the vault.

    `gas` is what one quote adds to a batch, `takes` whether the adapter would take an order's data at a block, alone.
    `seen` holds the signed quotes of the last look.
    """

    source: QuoteSource
    adapter: str
    limits: Limits
    parameters: OverlayParameters
    alarm: AlarmParameters
    gas: int
    takes: Callable[[bytes, int], bool]
    seen: dict[str, SignedQuote] = field(default_factory=dict)

    def look(self, snapshot: Snapshot, ladder: Ladder, gas_price_wei: int) -> OverlayInputs:
        """Fresh quotes; none where the source fails, which is heard and stops no hedge."""
        gas_usd = self.gas * gas_price_wei / 1e18 * snapshot.spot_usd
        try:
            signed: Sequence[SignedQuote] = self.source.read(gas_usd)
        except (Retry, DataError) as error:
            structlog.get_logger("quotes").warning("no quotes", reason=str(error))
            signed = ()
        self.seen.clear()
        self.seen.update({each.quote.quote_id: each for each in signed})
        limits = narrowed(self.limits) if ladder.has(Step.BUY_BACK) else self.limits
        quotes = tuple(each.quote for each in signed)
        return OverlayInputs(limits, quotes, self.parameters, self.alarm)

    def orders(self, plan: Plan) -> tuple[Order, ...]:
        """One order at the adapter for each quote that the plan takes; the contract wants them first."""
        return tuple(option_order(self.adapter, trade, self.seen) for trade in _trades(plan))

    def without_refused(self, overlay: OverlayInputs, plan: Plan, block: int) -> OverlayInputs:
        """Less those of the plan's quotes that the adapter refuses; where it would take each alone, all of them."""
        data = {t.quote_id: option_order(self.adapter, t, self.seen).data for t in _trades(plan)}
        refused = {name for name, order in data.items() if not self.takes(order, block)} or set(
            data
        )
        kept = tuple(quote for quote in overlay.quotes if quote.quote_id not in refused)
        return replace(overlay, quotes=kept)


def takes_quotes(plan: Plan) -> bool:
    """Whether a plan holds option trades."""
    return bool(_trades(plan))


def _trades(plan: Plan) -> tuple[OptionTrade, ...]:
    options = plan.options if isinstance(plan, OverlayPlan) else None
    return options.trades if options else ()


def option_order(adapter: str, trade: OptionTrade, seen: Mapping[str, SignedQuote]) -> Order:
    """The share of a quote that a trade takes, rounded down: never more than was meant."""
    signed = seen.get(trade.quote_id)
    if signed is None:
        raise Halt(
            f"the plan takes quote {trade.quote_id!r}, which no maker gave: nothing was sent"
        )
    share = to_wad_down(min(abs(trade.leg.size) / signed.quote.size, 1.0))
    return Order(adapter, 0, 0, signed.order_data(share))


def narrowed(limits: Limits) -> Limits:
    """Both ranges nearer to nothing; an end on the other side of 0 stays."""

    def less(desk: Range) -> Range:
        low = desk.low * _SHORT_OF_MARGIN if desk.low < 0.0 else desk.low
        high = desk.high * _SHORT_OF_MARGIN if desk.high > 0.0 else desk.high
        return Range(low, high)

    return replace(limits, gamma=less(limits.gamma), vega=less(limits.vega))
