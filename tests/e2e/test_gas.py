"""Gas does not grow unexplained: `python -m scripts.bench gas --accept` takes new figures over, with a word on why."""

from __future__ import annotations

import json
from pathlib import Path

from scripts.bench.gas import measure_gas

SNAPSHOT = Path(__file__).with_name("gas.json")
# A deployment takes a few seconds more or less, by which later times move: zero bytes of calldata come and go, and the
# pool's mean may read one observation more, which is a cold slot of 2,000 gas (seen: 832 and 2,000 on four keys).
NOISE = 2_500


def test_gas_is_that_of_the_snapshot() -> None:
    accepted = json.loads(SNAPSHOT.read_text(encoding="utf-8"))
    measured = measure_gas(lambda _: None)
    assert measured.keys() == accepted.keys()
    grown = {k: (accepted[k], measured[k]) for k in accepted if measured[k] > accepted[k] + NOISE}
    assert not grown, f"gas grew (accepted, measured): {grown}"
