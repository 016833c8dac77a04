"""docs/licences.md names every npm package that the project asks for, in its version and under its licence."""

import json
from typing import Any

import pytest

from scripts.deployment.artifacts import ROOT

TEXT = (ROOT / "docs" / "licences.md").read_text(encoding="utf-8")
WANTED = json.loads((ROOT / "package.json").read_text(encoding="utf-8"))
PACKAGES = sorted({**WANTED["dependencies"], **WANTED["devDependencies"]})


def installed(package: str) -> dict[str, Any]:
    path = ROOT / "node_modules" / package / "package.json"
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return found


@pytest.mark.parametrize("package", PACKAGES)
def test_package_is_listed_with_version_and_licence(package: str) -> None:
    facts = installed(package)
    # Tools of one origin share a row: "@foundry-rs/anvil, forge, cast".
    short = package.rpartition("/")[2]
    rows = [row for row in TEXT.splitlines() if row.startswith("|") and short in row.split("|")[1]]
    assert any(facts["version"] in row and facts["license"] in row for row in rows), rows
