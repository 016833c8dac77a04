"""Copy contract ABIs into the keeper's package data: one file a contract, one entry a line.

`--check` writes nothing and fails when the package differs from the build.
"""

import argparse
import json
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
BUILD = ROOT / "build" / "contracts"
TARGET = ROOT / "keeper" / "chain" / "abi"
INTERFACES = Path("contracts/interfaces")
SKIPPED_FOLDERS = ("mocks", "test", "testing", "harness")

SAFE = "@safe-global/safe-smart-account/build/artifacts/contracts"
CURIE = "@perp/curie-contract/artifacts/contracts"
# What the keeper reads from outside: the ABIs of the packages that the contracts use too.
EXTERNAL = {
    "AggregatorV3Interface": "@chainlink/contracts/abi/v0.8/AggregatorV3Interface.json",
    "IOwnerManager": f"{SAFE}/interfaces/IOwnerManager.sol/IOwnerManager.json",
    "IERC20Metadata": "@openzeppelin/contracts/build/contracts/IERC20Metadata.json",
    "IUniswapV3Pool": "@uniswap/v3-core/artifacts/contracts/interfaces/IUniswapV3Pool.sol/IUniswapV3Pool.json",
    "IPerpExchange": f"{CURIE}/Exchange.sol/Exchange.json",
    "IPerpMarketRegistry": f"{CURIE}/interface/IMarketRegistry.sol/IMarketRegistry.json",
    "IAavePool": "@aave/core-v3/artifacts/contracts/interfaces/IPool.sol/IPool.json",
}


def render(abi: list[dict[str, Any]]) -> str:
    """Return the same text for the same ABI, whatever order the compiler gave it in."""
    lines = sorted(
        (entry["type"], entry.get("name", ""), json.dumps(entry, sort_keys=True)) for entry in abi
    )
    return "[\n" + ",\n".join(line for _, _, line in lines) + "\n]\n"


def own_abis() -> dict[str, list[dict[str, Any]]]:
    """Return the ABIs of contracts/: what can be deployed, and interfaces that stand for several."""
    deployable, interfaces = {}, {}
    for artifact in sorted(BUILD.glob("*.json")):
        data = json.loads(artifact.read_text())
        name, source = data["contractName"], Path(data["sourcePath"])
        if source.parts[0] != "contracts" or set(source.parts[1:-1]) & set(SKIPPED_FOLDERS):
            continue
        if data["type"] == "interface" and source.parent == INTERFACES:
            interfaces[name] = data["abi"]
        elif data["type"] == "contract" and data["bytecode"]:
            deployable[name] = data["abi"]
    alone = {name: abi for name, abi in interfaces.items() if name[1:] not in deployable}
    return deployable | alone


def external_abis() -> dict[str, list[dict[str, Any]]]:
    """Return the ABIs that come with npm packages."""
    found = {}
    for name, path in EXTERNAL.items():
        data = json.loads((ROOT / "node_modules" / path).read_text())
        found[name] = data if isinstance(data, list) else data["abi"]
    return found


def differences(wanted: dict[str, str]) -> list[str]:
    """Return the names of files that are missing, stale or different."""
    present = {path.stem: path.read_text() for path in TARGET.glob("*.json")}
    return sorted(
        name for name in wanted.keys() | present.keys() if wanted.get(name) != present.get(name)
    )


def main() -> int:
    """Write the files, or compare them with --check."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true")
    options = parser.parse_args()
    abis = {**external_abis(), **own_abis()}
    wanted = {name: render(abi) for name, abi in abis.items()}
    changed = differences(wanted)
    if options.check:
        for name in changed:
            print(f"{TARGET.relative_to(ROOT)}/{name}.json differs from the build: run 'make abi'")
        return 1 if changed else 0
    TARGET.mkdir(parents=True, exist_ok=True)
    for name in changed:
        path = TARGET / f"{name}.json"
        if name in wanted:
            path.write_text(wanted[name])
        else:
            path.unlink()
    print(f"{len(wanted)} ABIs, {len(changed)} changed")
    return 0


if __name__ == "__main__":
    sys.exit(main())
