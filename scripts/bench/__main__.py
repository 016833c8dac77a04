"""`python -m scripts.bench [gas] [pricing] [--accept]`: measure, print, and write build/bench/*.json.

`--accept` also makes the gas figures the committed snapshot that tests/e2e/test_gas.py compares with.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping
from pathlib import Path

from scripts.bench.gas import measure_gas
from scripts.bench.pricing import measure_pricing
from scripts.nodes import ROOT

FOLDER = ROOT / "build/bench"
SNAPSHOT = ROOT / "tests/e2e/gas.json"


def _write(path: Path, figures: Mapping[str, float]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(figures, indent=1, sort_keys=True) + "\n", encoding="utf-8")


def _show(title: str, figures: Mapping[str, float]) -> None:
    print(f"{title}: {FOLDER / title}.json")
    for key, value in sorted(figures.items()):
        print(f"  {key:36s} {value:>12,.0f}")


def main() -> None:
    """Run what is asked for, everything by default."""
    parser = argparse.ArgumentParser(prog="bench", description=__doc__)
    parser.add_argument("what", nargs="*", choices=["gas", "pricing", []], default=[])
    parser.add_argument(
        "--accept", action="store_true", help="commit the gas figures as the snapshot"
    )
    asked = parser.parse_args()
    if not asked.what or "gas" in asked.what:
        gas = measure_gas(lambda _: None)
        _write(FOLDER / "gas.json", gas)
        _show("gas", gas)
        if asked.accept:
            _write(SNAPSHOT, gas)
    if not asked.what or "pricing" in asked.what:
        pricing = measure_pricing()
        _write(FOLDER / "pricing.json", pricing)
        _show("pricing", pricing)


if __name__ == "__main__":
    main()
