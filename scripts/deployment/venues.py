"""The hedge venues: their adapters, and their registration."""

from __future__ import annotations

from typing import TYPE_CHECKING

from scripts.deployment.engine import StepRunner
from scripts.deployment.external_abi import PERP_EXCHANGE, PERP_HOUSE, PERP_REGISTRY, POOL
from scripts.deployment.record import VenueEntry

if TYPE_CHECKING:
    from scripts.deployment.wiring import Design

UNDERLYING = 1
FEE_UNIT = 1_000_000
SPOT = "UniswapSpotVenue"


def _spot_venues(run: StepRunner, design: Design, house: str) -> dict[str, str]:
    """By name; the further ones have a number."""
    e, venue = design.external, design.artifact(SPOT)
    names = [SPOT, *(f"{SPOT}{n}" for n in range(2, len(e.pools) + 1))]
    return {
        name: run.deploy(name, venue, [house, pool, e.usdc, e.weth, UNDERLYING])
        for name, pool in zip(names, e.pools, strict=True)
    }


def deploy_venues(run: StepRunner, design: Design, have: dict[str, str]) -> dict[str, str]:
    """Addresses of the adapters by name."""
    e, artifact, house = design.external, design.artifact, have["Clearinghouse"]
    venues = _spot_venues(run, design, house)
    venues["AaveShortVenue"] = run.deploy(
        "AaveShortVenue",
        artifact("AaveShortVenue"),
        [
            have["AccessManager"],
            house,
            have["MarketOracle"],
            e.aave_pool,
            e.uniswap_pool,
            e.usdc,
            e.weth,
            UNDERLYING,
            design.parameters.aave_short.struct(),
        ],
    )
    if e.perp_clearing_house is not None:
        venues["CuriePerpVenue"] = run.deploy(
            "CuriePerpVenue",
            artifact("CuriePerpVenue"),
            [
                have["AccessManager"],
                house,
                have["MarketOracle"],
                e.perp_clearing_house,
                e.perp_base_token,
                e.usdc,
                UNDERLYING,
                design.parameters.perp.struct(),
            ],
        )
    return venues


def register_venues(run: StepRunner, design: Design, have: dict[str, str]) -> list[VenueEntry]:
    """In the order that the clearinghouse keeps; `fee` of the short on Aave is that of the pool that it sells on."""
    house, abi = have["Clearinghouse"], design.artifact("Clearinghouse").abi
    fees = [run.read(pool, POOL, "fee") / FEE_UNIT for pool in design.external.pools]
    further = [(f"{SPOT}{n}", "uniswap_spot", fee) for n, fee in enumerate(fees[1:], 2)]
    kinds = (
        (SPOT, "uniswap_spot", fees[0]),
        ("AaveShortVenue", "aave_short", fees[0]),
        ("CuriePerpVenue", "perp_short", _perp_fee(run, design)),
        *further,
    )
    venues = []
    for name, kind, fee in kinds:
        if name not in have:
            continue
        run.call(f"venue {name}", house, abi, "setVenue", [have[name], True])
        venues.append(VenueEntry(address=have[name], kind=kind, fee=fee))
    return venues


def _perp_fee(run: StepRunner, design: Design) -> float:
    """What Curie's market takes of a trade; 0 where there is none."""
    e = design.external
    if e.perp_clearing_house is None:
        return 0.0
    exchange = run.read(e.perp_clearing_house, PERP_HOUSE, "getExchange")
    registry = run.read(exchange, PERP_EXCHANGE, "getMarketRegistry")
    fee: int = run.read(registry, PERP_REGISTRY, "getFeeRatio", [e.perp_base_token])
    return fee / FEE_UNIT
