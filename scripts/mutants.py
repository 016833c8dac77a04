"""Planted bugs: every patch of tests/mutants is applied to a private copy of the tree, and its test must fail there.

    python -m scripts.mutants [NAME ...]      all patches, or those whose path contains one of the names

A patch is a plain `git diff` with two header lines in front of it:

    # test: <command, run by bash in the copy's root>
    # why: <one sentence: what the bug would cost>

Each command must pass on the copy as it is before any patch counts. A patch that does not apply is a failure: the code
has moved on, make it anew. Commands that name tests/stateful run on forge's artifacts (only changed contracts are
compiled); those that name tests/contracts get brownie's; others get none. Needs `make setup`.
"""

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / "tests" / "mutants"
COPY = ROOT / "build" / "mutants"
# What the stateful tests deploy; forge brings the imports.
CONTRACTS = (
    *("Clearinghouse", "RiskEngine", "MarketOracle", "VolSurface", "OptionDesk", "HedgeManager"),
    *("OptionToken", "LiquidationAuction", "AccountLens", "governance/DeskAuthority"),
    *("mocks/BooksHarness", "mocks/MockFeed", "mocks/MockToken", "mocks/MockUniswapPool"),
    *("mocks/MockVenue", "DeskVault", "mocks/MockVaultAuthority", "mocks/MockVaultMarket"),
    *("mocks/MockVaultUsdc", "desk/RfqMarket", "HedgeFallback", "mocks/DevImports"),
    *("venues/UniswapSpotVenue", "venues/AaveShortVenue"),
)
# A mutant may loop: what takes longer than this has not been caught.
LIMIT_S = 1_200


@dataclass(frozen=True)
class Mutant:
    """One patch with its header."""

    path: Path
    test: str
    why: str

    @property
    def name(self) -> str:
        """Path below the folder, without its ending."""
        return str(self.path.relative_to(FOLDER).with_suffix(""))


def read(path: Path) -> Mutant:
    """The patch's header. Raises SystemExit naming what is missing."""
    found = dict.fromkeys(("test", "why"), "")
    for line in path.read_text().splitlines()[:2]:
        key, _, value = line.removeprefix("# ").partition(": ")
        if not line.startswith("# ") or key not in found or not value.strip():
            raise SystemExit(f"{path}: begins with '# test: <command>' and '# why: <sentence>'")
        found[key] = value.strip()
    return Mutant(path, **found)


def make_copy() -> None:
    """Tracked and new files as they are now; packages and the compiler by link."""
    shutil.rmtree(COPY, ignore_errors=True)
    COPY.mkdir(parents=True)
    listed = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    for name in subprocess.check_output(listed, cwd=ROOT).decode().split("\0"):
        source = ROOT / name
        if name and source.is_file() and not source.is_symlink():
            target = COPY / name
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, target)
    for linked in (".venv", "node_modules"):
        (COPY / linked).symlink_to((ROOT / linked).resolve())
    (COPY / "build").mkdir()
    (COPY / "build" / "toolchain").symlink_to((ROOT / "build" / "toolchain").resolve())
    for cache in ("forge", "forge-cache", "contracts"):
        if (ROOT / "build" / cache).is_dir():
            shutil.copytree(ROOT / "build" / cache, COPY / "build" / cache)
    subprocess.run(["git", "init", "-q"], cwd=COPY, check=True)


def environment() -> dict[str, str]:
    """Modules come from the copy, artifacts from its own build."""
    own = {"GAMMADESK_ARTIFACTS": str(COPY / "build" / "forge"), "STATEFUL_SHRINK": "no"}
    return os.environ | own | {"PYTHONPATH": str(COPY)}


def run(command: str) -> subprocess.CompletedProcess[str]:
    """A command in the copy; one that takes too long counts as passed."""
    try:
        return subprocess.run(
            ["bash", "-c", command], cwd=COPY, env=environment(), text=True, check=False,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=LIMIT_S,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        return subprocess.CompletedProcess(command, 0, f"took more than {LIMIT_S} s", "")


def build(test: str) -> str:
    """What the test runs on. Returns the compiler's complaint, if any."""
    if "tests/stateful" in test:
        files = " ".join(f"contracts/{entry}.sol" for entry in CONTRACTS)
        done = run(f"node_modules/.bin/forge build {files}")
    elif "tests/contracts" in test:
        done = run(".venv/bin/python -m scripts.setup.compile")
    else:
        return ""
    return done.stdout if done.returncode else ""


def apply(mutant: Mutant, *, back: bool = False) -> bool:
    """Patches the copy, or takes the patch off it."""
    command = ["git", "apply", "-C1", *(["-R"] if back else []), str(mutant.path)]
    return subprocess.run(command, cwd=COPY, check=False).returncode == 0


def verdict(mutant: Mutant) -> str:
    """Empty if the mutant was caught, else what went wrong."""
    if not apply(mutant):
        return "the patch does not apply: make it anew"
    try:
        complaint = build(mutant.test)
        if complaint:
            return f"does not compile\n{complaint[-2_000:]}"
        done = run(mutant.test)
    finally:
        apply(mutant, back=True)
    # pytest: 1 is a failed test; anything else is not a verdict.
    if done.returncode == 1:
        return ""
    return f"SURVIVED (exit {done.returncode})\n{done.stdout[-1_000:]}"


def main(names: Sequence[str]) -> int:
    """Number of mutants that were not caught, and of commands that fail without any."""
    mutants = [read(path) for path in sorted(FOLDER.rglob("*.patch"))]
    mutants = [m for m in mutants if not names or any(n in m.name for n in names)]
    if not mutants:
        raise SystemExit(f"no patch in {FOLDER} is named {' or '.join(names) or 'anything'}")
    make_copy()
    started, bad = time.monotonic(), 0
    for test in sorted({m.test for m in mutants}):
        complaint = build(test)
        done = run(test)
        if complaint or done.returncode:
            print(f"fails without a patch: {test}\n{(complaint or done.stdout)[-3_000:]}")
            return 1
        print(f"passes without a patch, {time.monotonic() - started:.0f} s: {test}", flush=True)
    for mutant in mutants:
        wrong = verdict(mutant)
        bad += bool(wrong)
        passed = time.monotonic() - started
        print(
            f"{wrong or 'caught'}: {mutant.name} ({passed:.0f} s): {mutant.why}",
            flush=True,
        )
    print(
        f"{len(mutants) - bad} of {len(mutants)} planted bugs caught, {time.monotonic() - started:.0f} s"
    )
    return min(bad, 1)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
