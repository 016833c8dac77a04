"""Gas does not grow unexplained: `python -m scripts.bench gas --accept` takes new figures over, with a word on why."""

from __future__ import annotations

import json
from pathlib import Path

from scripts.bench.gas import measure_gas

SNAPSHOT = Path(__file__).with_name("gas.json")
# Calldata and addresses with more or fewer zero bytes move a figure by less than this.
NOISE = 300


def test_gas_is_that_of_the_snapshot() -> None:
    accepted = json.loads(SNAPSHOT.read_text(encoding="utf-8"))
    measured = measure_gas(lambda _: None)
    assert measured.keys() == accepted.keys()
    grown = {k: (accepted[k], measured[k]) for k in accepted if measured[k] > accepted[k] + NOISE}
    assert not grown, f"gas grew (accepted, measured): {grown}"
