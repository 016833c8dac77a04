"""Compile contracts/ with brownie into build/contracts; nothing changed, nothing done."""

import sys
import time

from scripts.setup import env


def main() -> int:
    """Load the project once, which compiles what changed since the last time."""
    started = time.monotonic()
    env.prepare()
    from brownie.exceptions import CompilerError

    try:
        loaded = env.load_project()
    except CompilerError as error:
        print(error, file=sys.stderr)
        return 1
    print(f"{len(loaded)} contracts and libraries in {time.monotonic() - started:.1f} s")
    return 0


if __name__ == "__main__":
    sys.exit(main())
