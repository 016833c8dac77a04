"""One block, one multicall, one Snapshot."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from keeper.chain.bindings import binding
from keeper.chain.client import BlockHead, CallAndAccount, NodeClient
from keeper.chain.deployment import Deployment
from keeper.chain.multicall import Answers, Query, ask, calldata
from keeper.chain.multicall import answers as reply
from keeper.chain.pools import PoolReads
from keeper.chain.venues import VenueFacts, read_facts
from keeper.errors import Halt, Retry
from keeper.models import HedgeRules, OptionLeg, OracleState, Snapshot, SviSlice
from keeper.pricing.svi import slice_from_word
from keeper.units import decode_series, from_wad

_FRESH = 0  # IRiskEngine.Slice: the slice that actions are held to


@dataclass(slots=True)
class SnapshotReader:
    """Reads the vault's whole situation at one block. `keeper_address` is whose nonce and balance count."""

    node: NodeClient
    deployment: Deployment
    keeper_address: str
    _expiries: frozenset[int] = field(default=frozenset(), init=False)
    _venues: tuple[VenueFacts, ...] | None = field(default=None, init=False)
    _pools: tuple[PoolReads, ...] = field(default=(), init=False)

    def snapshot(self) -> Snapshot:
        """The latest block. Retry: node unreachable or its chain changed under the read; SkipTick: a view reverted."""
        head = self.node.head()
        venues = self._learn(head)
        fixed = self._fixed()
        by_venue = (q for venue in venues for q in venue.queries())
        by_pool = (q for pool in self._pools for q in pool.queries())
        queries = (*fixed, *by_venue, *by_pool, *self._by_expiry(self._expiries))
        seen = self._ask_with_account(queries, head)
        answers = reply(self.deployment.multicall, queries, seen.result)
        legs = _legs(answers[fixed[0]][0])
        expiries = frozenset(leg.expiry_s for leg in legs)
        more = self._by_expiry(expiries - self._expiries)
        asked_more = False
        while more := (*more, *(q for pool in self._pools for q in pool.missing(answers))):
            answers, more, asked_more = answers | self._ask(more, head), (), True
        self._expiries = expiries
        last = self.node.head(head.number) if asked_more else seen.head
        if last.hash != head.hash:
            raise Retry(f"block {head.number} was replaced while it was read: read again")
        return self._assemble(head, fixed, answers, legs, seen)

    def _learn(self, head: BlockHead) -> tuple[VenueFacts, ...]:
        """What never changes about the venues, asked for once."""
        if self._venues is None:
            self._venues, pools = read_facts(self.node, self.deployment, head.number)
            self._pools = tuple(PoolReads(facts) for facts in pools)
        return self._venues

    def _fixed(self) -> tuple[Query, ...]:
        at, market = self.deployment.address, self.deployment.underlying
        vault = at("DeskVault")
        names = ("Clearinghouse", "AccountLens", "MarketOracle", "VolSurface", "HedgeManager")
        clearing, lens, oracle, surface, hedger = ((name, at(name)) for name in names)
        return (
            Query(*clearing, "legsOf", (vault,)),
            Query(*clearing, "accountOf", (vault,)),
            Query(*lens, "hedgeOf", (vault,)),
            Query(*lens, "equityOf", (vault,)),
            Query(*oracle, "spot", (market,)),
            Query(*oracle, "state", (market,)),
            Query(*oracle, "poolPrice", (market,)),
            Query(*surface, "lastCommit", (market,)),
            Query(*hedger, "parameters"),
            Query(*hedger, "epoch"),
            Query(*hedger, "budgetLeft"),
            Query(*hedger, "netDelta", (market,)),
            Query(*clearing, "marginOf", (vault, _FRESH), optional=True),
        )

    def _by_expiry(self, expiries: frozenset[int]) -> tuple[Query, ...]:
        surface, oracle = (self.deployment.address(n) for n in ("VolSurface", "MarketOracle"))
        market = self.deployment.underlying
        return tuple(
            query
            for expiry in sorted(expiries)
            for query in (
                Query("VolSurface", surface, "sliceOf", (market, expiry)),
                Query("MarketOracle", oracle, "settlementPrice", (market, expiry)),
            )
        )

    def _ask_with_account(self, queries: tuple[Query, ...], head: BlockHead) -> CallAndAccount:
        return self.node.call_and_account(
            self.deployment.multicall,
            calldata(queries),
            head.number,
            "Multicall3.aggregate3",
            self.keeper_address,
        )

    def _ask(self, queries: Sequence[Query], head: BlockHead) -> Answers:
        return ask(self.node, self.deployment.multicall, queries, head.number)

    def _assemble(
        self,
        head: BlockHead,
        fixed: tuple[Query, ...],
        answers: Answers,
        legs: tuple[OptionLeg, ...],
        seen: CallAndAccount,
    ) -> Snapshot:
        view = {q.function: answers[q] for q in fixed if q in answers}
        _, initial, maintenance = view.get("marginOf", (0, 0, 0))
        venues = self._venues or ()
        read = [pool.depth(answers) for pool in self._pools]
        depths = tuple(depth for depth in read if depth is not None)
        positions = [answers[f.queries()[0]] for f in venues]
        cash, base, _ = view["accountOf"]
        _require_all_venues(view["hedgeOf"], cash, base, positions)
        spot, spot_at = view["spot"]
        return Snapshot(
            chain_id=self.deployment.chain_id,
            block_number=head.number,
            block_hash=head.hash,
            timestamp_s=head.timestamp_s,
            base_fee_wei=head.base_fee_wei,
            underlying=self.deployment.underlying,
            spot_usd=from_wad(spot),
            spot_updated_at_s=spot_at,
            oracle_state=OracleState(view["state"][0]),
            pool_price_usd=from_wad(view["poolPrice"][0]),
            surface_committed_at_s=view["lastCommit"][0],
            cash_usd=from_wad(cash),
            base_eth=from_wad(base),
            legs=legs,
            slices=_slices(answers, {leg.expiry_s for leg in legs}),
            venues=tuple(facts.state(answers, from_wad(spot)) for facts in venues),
            rules=_rules(view),
            chain_delta_eth=from_wad(view["netDelta"][0]),
            equity_usd=from_wad(view["equityOf"][0]),
            keeper_address=self.keeper_address,
            keeper_balance_wei=seen.balance_wei,
            keeper_nonce=seen.nonce,
            settlement_prices_usd=_settled(answers, {leg.expiry_s for leg in legs}),
            initial_margin_usd=from_wad(initial),
            maintenance_margin_usd=from_wad(maintenance),
            depths=depths,
        )


def keeper_on_chain(node: NodeClient, deployment: Deployment) -> str:
    """The address that the hedge manager takes orders from."""
    codec = binding("HedgeManager")
    data = codec.encode("keeper")
    answer = node.call(deployment.address("HedgeManager"), data, "latest", "HedgeManager.keeper")
    return str(codec.decode("keeper", answer)[0])


def _legs(raw: Sequence[tuple[int, int]]) -> tuple[OptionLeg, ...]:
    legs = []
    for series, size in raw:
        underlying, expiry_s, strike_usd, is_call = decode_series(series)
        legs.append(OptionLeg(series, underlying, expiry_s, strike_usd, is_call, from_wad(size)))
    return tuple(legs)


def _expiry_answers(answers: Answers, function: str, expiries: set[int]) -> list[tuple[int, Any]]:
    picked: Callable[[Query], int] = lambda q: int(str(q.arguments[1]))  # noqa: E731
    return sorted(
        (picked(q), values[0])
        for q, values in answers.items()
        if q.function == function and picked(q) in expiries
    )


def _slices(answers: Answers, expiries: set[int]) -> tuple[SviSlice, ...]:
    return tuple(
        slice_from_word(word, expiry, from_wad(carry), committed_at)
        for expiry, (word, carry, committed_at) in _expiry_answers(answers, "sliceOf", expiries)
        if word
    )


def _settled(answers: Answers, expiries: set[int]) -> tuple[tuple[int, float], ...]:
    found = _expiry_answers(answers, "settlementPrice", expiries)
    return tuple((expiry, from_wad(price)) for expiry, price in found if price)


def _rules(view: dict[str, tuple[Any, ...]]) -> HedgeRules:
    (band, reduction, slippage, gross, health, cap, _, surface_age, *_) = view["parameters"][0]
    return HedgeRules(
        band_eth=from_wad(band),
        min_reduction=from_wad(reduction),
        max_slippage=from_wad(slippage),
        gross_cap_eth=from_wad(gross),
        min_health=from_wad(health),
        budget_left_usd=from_wad(view["budgetLeft"][0]),
        budget_cap_usd=from_wad(cap),
        surface_max_age_s=surface_age,
        epoch=view["epoch"][0],
    )


def _require_all_venues(
    hedge: tuple[Any, ...], cash: int, base: int, positions: list[tuple[Any, ...]]
) -> None:
    """In integers: a venue that the record forgot would be missing from every delta that we compute."""
    known = (base + sum(p[0] for p in positions), cash + sum(p[1] for p in positions))
    if known != tuple(hedge):
        raise Halt(
            f"the clearinghouse counts base and quote {tuple(hedge)}, account and known venues hold {known}: "
            f"add the missing venue to the deployment record"
        )
