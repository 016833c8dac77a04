"""A long search with the vault's machine: `python -m tests.stateful.vault_long STEPS [SEED]`.

Exits 1 with the failing life, as it was.
"""

import sys
import time

from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.stateful.test_vault_model import VaultMachine

LIVES_OF_A_ROUND = 40
# Longer than in the suite: less of the time goes into opening books and winding them down.
STEPS_OF_A_LIFE = 120


def main(steps: int, seed: int) -> None:
    """Rounds of fresh random lives until the steps are done; each round's seed is the first one's plus its number."""
    started, counts = time.monotonic(), VaultMachine.counts
    print(f"vault, {steps} steps, seed {seed}", flush=True)
    rounds = 0
    while counts["steps"] < steps:
        VaultMachine._hypothesis_internal_use_seed = seed + rounds
        run_state_machine_as_test(
            VaultMachine,
            settings=settings(
                max_examples=LIVES_OF_A_ROUND,
                stateful_step_count=STEPS_OF_A_LIFE,
                deadline=None,
                database=None,
                phases=(Phase.generate,),
                suppress_health_check=list(HealthCheck),
            ),
        )
        rounds += 1
        print(f"  {counts['steps']} steps, {time.monotonic() - started:.0f} s", flush=True)
    took = time.monotonic() - started
    print(f"seed {seed}: {counts['steps']} steps, {took:.0f} s, no violation")
    for name, count in sorted(counts.items()):
        print(f"  {name:<40} {count}")


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 1)
