"""Deploys the desk's own contracts and connects them, in the order in which they need each other."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from scripts.deployment.artifacts import Artifact
from scripts.deployment.engine import StepRunner
from scripts.deployment.networks import Expected, External, Roles
from scripts.deployment.parameters import Parameters
from scripts.deployment.record import VenueEntry
from scripts.deployment.roles import Holders, RoleSetter
from scripts.deployment.scales import wad
from scripts.deployment.venues import UNDERLYING, deploy_venues, register_venues

# IClearinghouse.Market.
DESK, AUCTION, TOKEN = 1, 2, 3
ZERO_ADDRESS = "0x" + "00" * 20


@dataclass(frozen=True, slots=True)
class Design:
    """Everything that decides what is deployed; the same on each run of one deployment.

    `keep_admin`, for benches, leaves governance with the deployer.
    """

    external: External
    expected: Expected
    parameters: Parameters
    roles: Roles
    artifact: Callable[[str], Artifact]
    keep_admin: bool = False


@dataclass(frozen=True, slots=True)
class Deployed:
    """Addresses by contract name, and venues."""

    contracts: dict[str, str]
    venues: list[VenueEntry]


def deploy_core(run: StepRunner, design: Design) -> Deployed:
    """All own contracts, wired, roles set."""
    contracts = _market(run, design)
    contracts |= _clearing(run, design, contracts)
    contracts |= _desk(run, design, contracts)
    contracts |= deploy_venues(run, design, contracts)
    venues = _connect(run, design, contracts)
    contracts |= {} if design.keep_admin else _governor(run, design, contracts)
    holders = Holders(
        guardian=design.roles.guardian,
        lister=design.roles.lister,
        governor=contracts.get("DeskGovernor"),
    )
    roles = RoleSetter(run, contracts["AccessManager"], design.artifact)
    roles.set_all(contracts, holders, design.parameters.governance)
    return Deployed(contracts, venues)


def _market(run: StepRunner, design: Design) -> dict[str, str]:
    e, p, artifact = design.external, design.parameters, design.artifact
    manager = run.deploy("AccessManager", artifact("DeskAuthority"), [run.sender])
    quote = {
        "feed": e.usdc_feed,
        "decimals": design.expected.usdc_feed_decimals,
        "maxAge": p.oracle.quote_max_age_s,
    }
    sequencer = e.sequencer_feed or ZERO_ADDRESS
    oracle = run.deploy(
        "MarketOracle",
        artifact("MarketOracle"),
        [manager, quote, sequencer, p.oracle.struct()],
    )
    market = {
        "feed": e.feed,
        "feedDecimals": design.expected.feed_decimals,
        "maxAge": p.oracle.max_age_s,
        "twapWindow": p.oracle.twap_window_s,
        "pool": e.uniswap_pool,
        "baseIsToken0": int(e.weth, 16) < int(e.usdc, 16),
        "maxDeviation": wad(p.oracle.max_deviation),
    }
    args = [UNDERLYING, e.weth, e.usdc, market]
    run.call("register ETH", oracle, artifact("MarketOracle").abi, "registerMarket", args)
    surface = run.deploy(
        "VolSurface",
        artifact("VolSurface"),
        [manager, oracle, design.roles.committer, p.surface.struct()],
    )
    return {"AccessManager": manager, "MarketOracle": oracle, "VolSurface": surface}


def _clearing(run: StepRunner, design: Design, have: dict[str, str]) -> dict[str, str]:
    e, p, artifact = design.external, design.parameters, design.artifact
    manager, oracle = have["AccessManager"], have["MarketOracle"]
    engine = run.deploy(
        "RiskEngine",
        artifact("RiskEngine"),
        [manager, oracle, have["VolSurface"], p.margin.struct()],
    )
    house = run.deploy(
        "Clearinghouse",
        artifact("Clearinghouse"),
        [manager, e.usdc, e.weth, oracle, engine, UNDERLYING],
    )
    abi = artifact("Clearinghouse").abi
    run.call("debts", house, abi, "setDebtParameters", [p.clearing.struct()])
    lens = run.deploy("AccountLens", artifact("AccountLens"), [house])
    token = run.deploy("OptionToken", artifact("OptionToken"), [house])
    auction = run.deploy(
        "LiquidationAuction",
        artifact("LiquidationAuction"),
        [manager, house, oracle, p.auction.struct()],
    )
    marks = run.read(engine, artifact("RiskEngine").abi, "bookMarks")
    clearing = {
        "RiskEngine": engine,
        "BookMarks": marks,
        "Clearinghouse": house,
        "AccountLens": lens,
    }
    return clearing | {"OptionToken": token, "LiquidationAuction": auction}


def _desk(run: StepRunner, design: Design, have: dict[str, str]) -> dict[str, str]:
    p, artifact = design.parameters, design.artifact
    common = [
        have[name] for name in ("AccessManager", "Clearinghouse", "MarketOracle", "VolSurface")
    ]
    vault = run.deploy(
        "DeskVault",
        artifact("DeskVault"),
        [*common, UNDERLYING, p.vault.struct()],
    )
    share = run.read(vault, artifact("DeskVault").abi, "share")
    desk = run.deploy(
        "OptionDesk",
        artifact("OptionDesk"),
        [*common, have["RiskEngine"], vault, design.roles.quoter, p.desk.struct()],
    )
    rfq = run.deploy("RfqMarket", artifact("RfqMarket"), [have["Clearinghouse"], desk])
    hedger = run.deploy(
        "HedgeManager",
        artifact("HedgeManager"),
        [*common, vault, UNDERLYING, design.roles.keeper, p.hedge.struct()],
    )
    own = {"DeskVault": vault, "VaultShare": share, "OptionDesk": desk, "RfqMarket": rfq}
    return own | {
        "HedgeManager": hedger,
        "HedgeFallback": _fallback(run, design, have, vault, hedger),
    }


def _fallback(
    run: StepRunner, design: Design, have: dict[str, str], vault: str, hedger: str
) -> str:
    names = ("Clearinghouse", "MarketOracle")
    args = [have["AccessManager"], hedger, *(have[name] for name in names), vault]
    fallback = run.deploy(
        "HedgeFallback",
        design.artifact("HedgeFallback"),
        [*args, design.parameters.fallback.struct()],
    )
    abi = design.artifact("HedgeManager").abi
    run.call("fallback hedge", hedger, abi, "setFallback", [fallback])
    return fallback


def _governor(run: StepRunner, design: Design, have: dict[str, str]) -> dict[str, str]:
    rules = design.parameters.governance.struct()
    args = [have["VaultShare"], have["AccessManager"], rules]
    return {"DeskGovernor": run.deploy("DeskGovernor", design.artifact("DeskGovernor"), args)}


def _connect(run: StepRunner, design: Design, have: dict[str, str]) -> list[VenueEntry]:
    house, abi = have["Clearinghouse"], design.artifact("Clearinghouse").abi
    markets = (
        ("OptionDesk", DESK),
        ("RfqMarket", DESK),
        ("LiquidationAuction", AUCTION),
        ("OptionToken", TOKEN),
    )
    for name, market in markets:
        run.call(f"market {name}", house, abi, "setMarket", [have[name], market])
    run.call("vault", house, abi, "setVault", [have["DeskVault"], have["HedgeManager"]])
    venues = register_venues(run, design, have)
    hedger, abi = have["HedgeManager"], design.artifact("HedgeManager").abi
    run.call("makers' quotes", hedger, abi, "setQuoteAdapter", [have["RfqMarket"]])
    for name in ("AaveShortVenue", "CuriePerpVenue"):
        if name in have:
            args = [have[name], wad(design.parameters.hedge.venue_cap_eth)]
            run.call(f"cap of {name}", hedger, abi, "setVenueCap", args)
    fallback = [[venue.address for venue in venues]]
    abi = design.artifact("HedgeFallback").abi
    run.call("venues of the fallback hedge", have["HedgeFallback"], abi, "setVenues", fallback)
    return venues
