"""The example for brownie's console, run as people run it."""

from __future__ import annotations

import doctest
import re
from pathlib import Path

import pytest

from scripts.deployment.artifacts import ROOT
from scripts.deployment.run import Options, deploy_development
from scripts.nodes import Node
from tests.e2e.deploying import connect, silent
from tests.e2e.test_deploy_commands import Command, brownie

__all__ = ["brownie"]
pytestmark = pytest.mark.slow


def test_the_example(fresh_anvil: Node, tmp_path: Path, brownie: Command) -> None:
    deploy_development(connect(fresh_anvil.url), options=Options(folder=tmp_path, say=silent))
    port = fresh_anvil.url.rpartition(":")[2]
    brownie(["networks", "modify", "development", f"port={port}"])
    record = str(tmp_path / "31337.json")
    done = brownie(["run", "examples/console", "main", record, "--network", "development"])
    assert done.returncode == 0, done.stdout + done.stderr
    for line in ("pending 1000.0 USDC", "shares 1000.0, votes 1000.0", "paid 1000.0 USDC"):
        assert line in done.stdout, done.stdout


def test_the_page_says_what_the_example_does() -> None:
    """Every step of the page is a line of the script, so that it cannot drift."""
    page = (ROOT / "docs" / "console.md").read_text(encoding="utf-8")
    script = (ROOT / "scripts" / "examples" / "console.py").read_text(encoding="utf-8")
    steps = [one.source.split("#")[0].strip() for one in doctest.DocTestParser().get_examples(page)]
    known = re.sub(r"\b1_000 \* USD\b", "1_000 * 10**6", script)
    sends = [step for step in steps if step.startswith(("d.", "process("))]
    assert len(sends) > 8
    for step in sends:
        assert step in known, step
