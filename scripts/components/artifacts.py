"""Where the compiled contracts of the protocols lie in their npm packages."""

from __future__ import annotations

from scripts.deployment.artifacts import ROOT, Artifact, load, own

PACKAGES = ROOT / "node_modules"
AAVE = "@aave/core-v3"
SAFE = "@safe-global/safe-smart-account/build"
CURIE = "@perp/curie-contract"
CURIE_ORACLE = "@perp/perp-oracle-contract"
UNISWAP_CORE = "@uniswap/v3-core"
UNISWAP_PERIPHERY = "@uniswap/v3-periphery"
UNISWAP_ROUTER = "@uniswap/swap-router-contracts"


def packaged(package: str, source: str) -> Artifact:
    """A contract of a package by its source path below `contracts`, without `.sol`; the file names the contract.

    Raises ConfigError where the package is not installed.
    """
    name = source.rpartition("/")[2]
    return load(PACKAGES / package / "artifacts" / "contracts" / f"{source}.sol" / f"{name}.json")


def feed() -> Artifact:
    """Chainlink's MockV3Aggregator; its package has the source only, so the project compiles it."""
    return own("MockV3Aggregator")
