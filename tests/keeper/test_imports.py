"""The arrows of the architecture, read from the source: what may import what."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

KEEPER = Path(__file__).resolve().parents[2] / "keeper"
PURE = ("pricing", "volatility", "portfolio", "policies", "guards")

# Room -> rooms of the keeper that it may import. Every room must be listed.
BASE = {"models", "units", "errors"}
MATHS = BASE | {"pricing", "volatility"}
ARROWS: dict[str, set[str]] = {
    "__init__": set(),
    "errors": set(),
    "units": {"errors"},
    "models": {"units", "errors"},
    "ports": BASE,
    "pricing": BASE,
    "volatility": BASE,
    "portfolio": MATHS,
    "policies": MATHS | {"portfolio"},
    "guards": MATHS | {"portfolio"},
    "config_text": BASE,
    "config_sections": BASE,
    "config": BASE | {"config_text", "config_sections", "policies", "guards"},
    "market": MATHS | {"config", "ports"},
    "chain": BASE | {"config", "ports", "pricing"},
    "terminal": set(),
    "depositor": BASE | {"terminal", "chain", "execution"},
    "execution": BASE | {"config", "ports", "policies", "portfolio", "chain"},
}
FREE = ("runtime", "simulation", "report", "cli", "__main__")
OUTSIDE_WORLD = {
    "web3", "eth_account", "eth_abi", "eth_utils", "eth_keys", "requests", "aiohttp", "httpx", "socket",
    "sqlalchemy", "alembic", "sqlite3", "apscheduler", "time", "brownie", "ccxt", "subprocess", "threading",
    "asyncio", "os", "random",
}  # fmt: skip
CLOCK_CALLS = {"now", "utcnow", "today", "time", "time_ns", "monotonic", "perf_counter"}


def room(path: Path) -> str:
    return path.relative_to(KEEPER).parts[0].removesuffix(".py")


def sources(*rooms: str) -> list[Path]:
    return [p for p in sorted(KEEPER.rglob("*.py")) if not rooms or room(p) in rooms]


def parse(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"), str(path))


def imports(path: Path) -> set[str]:
    """Dotted names that a file imports, inside functions too; `from a import b` gives a.b."""
    found: set[str] = set()
    for node in ast.walk(parse(path)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, (
                f"{path}:{node.lineno} imports relatively; name the module in full"
            )
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def top(name: str) -> str:
    return name.split(".")[0]


def own_rooms(path: Path) -> set[str]:
    mine = {n.split(".")[1] for n in imports(path) if top(n) == "keeper" and n != "keeper"}
    return mine - {room(path), "__version__"}


def test_there_is_something_to_check():
    assert {room(p) for p in sources()} >= {*PURE, "config", "models"}


def test_every_room_has_its_arrows():
    """A new room is added to the table on purpose, or this fails."""
    assert {room(p) for p in sources()} <= {*ARROWS, *FREE}


@pytest.mark.parametrize("path", sources(), ids=lambda p: str(p.relative_to(KEEPER)))
def test_arrows(path):
    if room(path) in FREE:
        return
    wrong = own_rooms(path) - ARROWS[room(path)]
    assert not wrong, f"{path.relative_to(KEEPER)} must not import {sorted(wrong)}"


@pytest.mark.parametrize("path", sources(*PURE), ids=lambda p: str(p.relative_to(KEEPER)))
def test_the_core_is_pure(path):
    """No web3, no database, no clock, no environment, no chance."""
    wrong = {n for n in imports(path) if top(n) in OUTSIDE_WORLD}
    assert not wrong, f"imports {sorted(wrong)}"
    for node in ast.walk(parse(path)):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            assert node.func.attr not in CLOCK_CALLS, f"line {node.lineno} reads a clock"
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            assert node.func.id not in {"open", "print", "input"}, f"line {node.lineno} does I/O"


@pytest.mark.parametrize("path", sources(), ids=lambda p: str(p.relative_to(KEEPER)))
def test_only_the_chain_room_imports_web3_and_nobody_brownie(path):
    names = {top(n) for n in imports(path)}
    assert "brownie" not in names
    if room(path) != "chain":
        assert not names & {"web3", "eth_account", "eth_abi", "eth_keys"}


def run(code: str) -> None:
    subprocess.run(
        [sys.executable, "-W", "error", "-c", code], check=True, cwd=KEEPER.parent, timeout=60
    )


def test_the_package_loads_without_brownie():
    run("import keeper; import sys; assert 'brownie' not in sys.modules")


def test_the_core_loads_nothing_of_the_outside_world():
    """At run time too: nothing that the core imports brings these in behind its back."""
    rooms = [p for p in sources(*PURE) if p.name != "__init__.py"]
    modules = [".".join(p.relative_to(KEEPER.parent).with_suffix("").parts) for p in rooms]
    run(
        f"import importlib, sys\nfor m in {modules!r}: importlib.import_module(m)\n"
        "bad = {'brownie', 'web3', 'sqlalchemy', 'apscheduler', 'eth_account'} & set(sys.modules)\n"
        "assert not bad, bad"
    )


def test_the_check_sees_what_it_should(tmp_path):
    """The walker itself, on a file with every way of importing."""
    bad = tmp_path / "bad.py"
    bad.write_text(
        "import web3.eth\nfrom sqlalchemy import text\n"
        "def f():\n    from keeper.chain import client\n    import time as t\n"
    )
    assert imports(bad) == {"web3.eth", "sqlalchemy.text", "keeper.chain.client", "time"}
