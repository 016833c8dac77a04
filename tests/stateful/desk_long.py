"""A long search of the adversary: `python -m tests.stateful.desk_long TRADES [SEED]`; fails with the plan that paid."""

import sys
import time

from tests.contracts.core_constants import WAD
from tests.stateful.desk_adversary import Adversary
from tests.stateful.desk_world import DeskWorld

# A world wears out: premiums paid and spreads lost move the accounts far from where they began.
TRADES_OF_A_WORLD = 2_500


def main(trades: int, seed: int) -> None:
    """Worlds one after the other until so many trades were tried."""
    started, done, number, episodes, best = time.monotonic(), 0, 0, 0, -(10**40)
    while done < trades:
        world = DeskWorld()
        adversary = Adversary(world, seed + number)
        adversary.run(min(TRADES_OF_A_WORLD, trades - done))
        done, number = done + world.trades, number + 1
        episodes += sum(adversary.counts.values())
        best = max(best, adversary.best if adversary.best is not None else best)
        print(f"  {done} trades, {time.monotonic() - started:.0f} s", flush=True)
    print(f"seed {seed}: {done} trades in {episodes} episodes, the best made {best / WAD:.6f} USD")


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 1)
