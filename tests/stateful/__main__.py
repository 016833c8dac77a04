"""A long search with the clearing machine: `python -m tests.stateful STEPS [SEED [WORKERS]]`; exits 1 on a violation.

Lives are named SEED-NUMBER: `python -m tests.stateful SEED-NUMBER` lives one of them again.
"""

import multiprocessing
import sys
import time
from collections import Counter

from tests.stateful.random_life import STEPS_OF_A_LIFE, live

REPORT_S = 60
SHOWN = ("trade", "withdrawCash", "wrap", "start", "bid", "convert", "claim", "cure", "defaults")


def search(steps: int, seed: int, workers: int) -> int:
    """Lives until the steps are done, whichever worker lives them. Returns 1 on a violation."""
    started = reported = time.monotonic()
    counts: Counter[str] = Counter()
    worst = 0.0
    print(f"clearing, {steps} steps, seed {seed}, {workers} processes", flush=True)
    names = [f"{seed}-{number}" for number in range(-(-steps // STEPS_OF_A_LIFE))]
    with multiprocessing.get_context("spawn").Pool(workers) as pool:
        for lived in pool.imap_unordered(live, names):
            if lived.failure:
                print(f"VIOLATION in life {lived.name}:\n{lived.failure}", flush=True)
                return 1
            counts += lived.counts
            worst = max(worst, lived.worst_shadow)
            if time.monotonic() - reported >= REPORT_S:
                reported = time.monotonic()
                print(_progress(counts, reported - started), flush=True)
    took = time.monotonic() - started
    print(
        f"seed {seed}: {counts['steps']} steps in {counts['lives']} lives, {took:.0f} s, no violation"
    )
    print(
        f"{counts['margins']} margins beside the shadow, largest difference {worst:.1e} of the gross"
    )
    for action, count in sorted(counts.items()):
        print(f"  {action:<40} {count}")
    return 0


def _progress(counts: Counter[str], took: float) -> str:
    done = {name: sum(n for key, n in counts.items() if key.split()[0] == name) for name in SHOWN}
    listed = ", ".join(f"{name} {count}" for name, count in done.items())
    steps = counts["steps"]
    return f"  {took:.0f} s: {steps} steps, {steps / took:.0f} a second; {listed}"


def again(name: str) -> int:
    """The life of that name. Returns 1 if it fails."""
    lived = live(name)
    print(lived.failure or f"life {name}: {lived.counts['steps']} steps, no violation")
    return 1 if lived.failure else 0


if __name__ == "__main__":
    first, *rest = sys.argv[1:]
    if "-" in first:
        sys.exit(again(first))
    seed, workers = (*map(int, rest), *(1, 1)[len(rest) :])
    sys.exit(search(int(first), seed, workers))
