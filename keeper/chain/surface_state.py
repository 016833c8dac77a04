"""What a commit of the surface is held to, read at one block."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from keeper.chain.bindings import binding
from keeper.chain.client import BlockHead, NodeClient
from keeper.chain.deployment import Deployment
from keeper.chain.multicall import Query, ask
from keeper.pricing.surface_moves import FREE, Realised, SurfaceRules
from keeper.pricing.surface_nearest import CommitTerms, HeldSlice

SURFACE, ORACLE = "VolSurface", "MarketOracle"


@dataclass(frozen=True, slots=True)
class SurfaceState:
    """`spot_wad` is the oracle's; `terms` are as of the block's time."""

    head: BlockHead
    spot_wad: int
    terms: CommitTerms


def read_surface(node: NodeClient, deployment: Deployment) -> SurfaceState:
    """At the latest block. Retry: node unreachable; SkipTick: a view reverted."""
    head, market = node.head(), deployment.underlying

    def query(contract: str, function: str, *arguments: object) -> Query:
        return Query(contract, deployment.address(contract), function, arguments)

    def answers(queries: Sequence[Query]) -> list[Any]:
        found = ask(node, deployment.multicall, queries, head.number)
        return [found[q] for q in queries]

    (parameters,), (expiries,), (spot_wad, _), realised = answers(
        [
            query(SURFACE, "parameters"),
            query(SURFACE, "expiries", market),
            query(ORACLE, "spot", market),
            query(ORACLE, "realisedVol", market),
        ]
    )
    slices = answers([query(SURFACE, "sliceOf", market, e) for e in expiries])
    allowances = answers([query(SURFACE, "credit", market, e) for e in expiries])
    held = {
        expiry: HeldSlice(expiry, word, carry, committed_at, min(credit, FREE))
        for expiry, ((word, carry, committed_at),), (credit,) in zip(
            expiries, slices, allowances, strict=True
        )
    }
    terms = CommitTerms(rules_of(parameters), held, Realised(*realised), head.timestamp_s)
    return SurfaceState(head, spot_wad, terms)


def rules_of(parameters: Sequence[int]) -> SurfaceRules:
    """Of VolSurface.parameters."""
    names = binding(SURFACE).struct_names("parameters")
    p = dict(zip(names, parameters, strict=True))
    return SurfaceRules(
        min_vol=p["minVol"],
        max_vol=p["maxVol"],
        max_carry=p["maxCarry"],
        level_rate=p["levelRate"],
        skew_rate=p["skewRate"],
        wing_rate=p["wingRate"],
        forward_rate=p["forwardRate"],
        credit_cap_s=p["creditCap"],
        min_tenor_s=p["minTenor"],
        listing_credit_s=p["listingCredit"],
        realised_low=p["realisedLow"],
        realised_high=p["realisedHigh"],
        realised_samples=p["realisedSamples"],
        realised_max_days=p["realisedMaxDays"],
    )
