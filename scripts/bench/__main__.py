"""`python -m scripts.bench [what ...] [--accept]`: figures, into build/bench/*.json.

Gas, pricing and the latency of the keeper by default. `policies` and `volatility` take minutes and add their figures
to quant.json; `volatility` needs market data.

`--accept` also makes the gas figures the committed snapshot that tests/e2e/test_gas.py compares with.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping
from pathlib import Path

from scripts.bench.gas import measure_gas
from scripts.bench.keeper import measure_keeper
from scripts.bench.pricing import measure_pricing
from scripts.nodes import ROOT

FOLDER = ROOT / "build/bench"
SNAPSHOT = ROOT / "tests/e2e/gas.json"


def _write(path: Path, figures: Mapping[str, object]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(figures, indent=1, sort_keys=True) + "\n", encoding="utf-8")


def _add(path: Path, figures: Mapping[str, object]) -> None:
    """Into a file that several measurements share."""
    old = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    _write(path, {**old, **figures})


def _show(title: str, figures: Mapping[str, float]) -> None:
    print(f"{title}: {FOLDER / title}.json")
    for key, value in sorted(figures.items()):
        print(f"  {key:36s} {value:>12,.6g}")


def main() -> None:
    """Run what is asked for; gas, pricing and keeper by default."""
    parser = argparse.ArgumentParser(prog="bench", description=__doc__)
    kinds = ["gas", "pricing", "keeper", "policies", "volatility", []]
    parser.add_argument("what", nargs="*", choices=kinds, default=[])
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
        _add(FOLDER / "quant.json", pricing)
        _show("pricing", pricing)
    if not asked.what or "keeper" in asked.what:
        latency = measure_keeper(lambda _: None)
        _write(FOLDER / "keeper.json", latency)
        _show("keeper", latency)
    if "policies" in asked.what:
        from scripts.bench.policies import measure_policies

        _add(FOLDER / "quant.json", measure_policies(FOLDER))
    if "volatility" in asked.what:
        from scripts.bench.volatility import DATA, measure_volatility, show

        if not DATA.exists():
            raise SystemExit(
                f"volatility: no market data at {DATA}, set GAMMADESK_DATA to their folder"
            )
        found = measure_volatility(FOLDER)
        _add(FOLDER / "quant.json", found)
        show(found)


if __name__ == "__main__":
    main()
