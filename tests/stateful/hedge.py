"""`python -m tests.stateful.hedge [TRIALS] [SEED]`: the delta rule on many random books and batches."""

import sys
import time

from tests.stateful.hedge_rule import RuleWorld


def main() -> None:
    """Prints what the trials came to; an AssertionError shows the first that contradicts the rule."""
    trials = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else 1
    started = time.monotonic()
    tally = RuleWorld(seed).run(trials)
    seconds = time.monotonic() - started
    print(
        f"{tally.trials} batches, seed {seed}, {seconds:.0f} s; {tally.expired} of them with expired legs"
    )
    for outcome, count in tally.outcomes.most_common():
        print(f"  {outcome:24s} {count:>8d}")


if __name__ == "__main__":
    main()
