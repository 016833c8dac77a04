"""What other margin parameters would have left unpaid on 12 March 2020: `python -m tests.stateful.crash_table DATA`.

DATA is the folder of market data. The table is that of docs/clearing_model.md.
"""

import sys
from pathlib import Path

from tests.contracts.core_constants import MARGIN_PARAMETERS, WAD
from tests.stateful.crash_replay import AT_ONCE, LATE, NEVER, Crash, hours

# Places in MarginParameters, and WAD.
CHANGES: dict[str, dict[int, int]] = {
    "as set": {},
    "grid 15 %": {0: 15 * WAD // 100},
    "grid 25 %": {0: 25 * WAD // 100},
    "volatility up 80 %": {1: 80 * WAD // 100},
    "tail weight 0.5": {4: 50 * WAD // 100},
    "tails 70 %": {3: 70 * WAD // 100},
}


def main(folder: str) -> None:
    """One line for each change: initial margins, and what is unpaid with bidders at once, late and never, USD."""
    candles = hours(Path(folder))
    for name, change in CHANGES.items():
        margin = tuple(change.get(place, value) for place, value in enumerate(MARGIN_PARAMETERS))
        outs = [
            Crash(candles, bidders_from=moment, insurance_usd=1_000, margin=margin).run()
            for moment in (AT_ONCE, LATE, NEVER)
        ]
        unpaid = " | ".join(f"{sum(out.bad_debt.values()):,.0f}" for out in outs)
        print(f"| {name} | {sum(outs[0].margin.values()):,.0f} | {unpaid} |", flush=True)


if __name__ == "__main__":
    main(sys.argv[1])
