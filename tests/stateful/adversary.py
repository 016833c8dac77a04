"""`python -m tests.stateful.adversary [ATTEMPTS] [SEED]`: what a thief of every key can cost the vault in a week, I-06.

As many weeks at random as bred from the best. Exit code 1 where a week breaks a bound, or breeding finds no more.
"""

from __future__ import annotations

import json
import sys
import time
from dataclasses import asdict

from scripts.setup import env
from tests.stateful.thief_search import BoundBroken, Found, Search
from tests.stateful.thief_world import ThiefWorld

OUTPUT = env.ROOT / "build" / "adversary.json"


def summary(found: Found) -> dict[str, object]:
    return {
        "attempts": found.attempts,
        "largest_loss_usd": round(found.loss, 2),
        "bound_of_that_week_usd": round(found.bound, 2),
        "by_kind_usd": {k: round(v, 2) for k, v in sorted(found.losses.by_kind.items())},
        "largest_share_of_a_term": {k: round(v, 4) for k, v in found.nearest.items()},
        "largest_carry_usd": round(found.carry, 2),
        "week": [asdict(gene) for gene in found.week],
    }


def show(name: str, found: Found, seconds: float) -> None:
    share = ", ".join(f"{k} {100 * v:.1f} %" for k, v in found.nearest.items())
    kinds = ", ".join(f"{k} {v:,.0f}" for k, v in sorted(found.losses.by_kind.items()))
    print(f"{name}: {found.attempts} attempts, {seconds:.0f} s")
    print(
        f"  largest loss {found.loss:,.2f} USD, bound of that week {found.bound:,.2f} USD ({kinds})"
    )
    print(f"  nearest to its term: {share}; largest carry {found.carry:,.2f} USD", flush=True)


def main(attempts: int, seed: int) -> int:
    """Prints and writes both searches; the exit code."""
    world = ThiefWorld()
    print(f"seed {seed}", flush=True)
    results = {}
    for name in ("random", "guided"):
        started, search = time.monotonic(), Search(world, seed)
        try:
            found = search.at_random(attempts) if name == "random" else search.guided(attempts)
        except BoundBroken as broken:
            print(f"{name}: BROKEN: {broken}")
            return 1
        show(name, found, time.monotonic() - started)
        results[name] = found
    OUTPUT.parent.mkdir(exist_ok=True)
    report = {"seed": seed} | {name: summary(found) for name, found in results.items()}
    OUTPUT.write_text(json.dumps(report, indent=1) + "\n")
    better = results["guided"].loss > results["random"].loss
    if not better:
        print("the guided search found no more than the random one")
    return 0 if better else 1


if __name__ == "__main__":
    numbers = [int(word) for word in sys.argv[1:3]]
    sys.exit(main(*(numbers + [400, 1][len(numbers) :])))
