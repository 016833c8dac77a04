"""Every planted bug still fits the code that it is to break; whether its test sees it, `make test-mutants` says."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from scripts.mutants import FOLDER, ROOT, read

PATCHES = sorted(FOLDER.rglob("*.patch"))


def test_there_are_patches_in_every_room() -> None:
    assert len(PATCHES) >= 80
    assert {p.parent.name for p in PATCHES} == {p.name for p in FOLDER.iterdir() if p.is_dir()}


@pytest.mark.parametrize("patch", PATCHES, ids=lambda p: f"{p.parent.name}/{p.stem}")
def test_it_applies_and_names_a_test_that_is_there(patch: Path) -> None:
    done = subprocess.run(
        ["git", "apply", "--check", str(patch)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    named = [word.partition("::")[0] for word in read(patch).test.split() if "tests/" in word]
    assert named
    assert all((ROOT / name).exists() for name in named)
