"""The ABIs that travel with the package are those of the build."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from eth_abi import encode

from keeper.chain.bindings import binding, revert_reason
from keeper.errors import Halt

ROOT = Path(__file__).resolve().parents[2]
BUILD = ROOT / "build" / "contracts"
USED = {
    "Clearinghouse": ("legsOf", "accountOf"),
    "AccountLens": ("hedgeOf", "equityOf"),
    "MarketOracle": ("spot", "state", "poolPrice", "settlementPrice"),
    "VolSurface": ("lastCommit", "sliceOf", "commit", "committer"),
    "HedgeManager": ("parameters", "epoch", "budgetLeft", "netDelta", "rebalance", "keeper"),
    "IHedgeVenue": ("position", "health"),
}


@pytest.mark.skipif(
    not (BUILD / "HedgeManager.json").exists(),
    reason="contracts are not compiled: run 'make compile'",
)
def test_the_package_holds_the_abis_of_the_build():
    run = subprocess.run(
        [sys.executable, "scripts/export_abis.py", "--check"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stdout + run.stderr


@pytest.mark.parametrize("contract", USED)
def test_what_the_keeper_calls_is_there(contract):
    assert set(USED[contract]) <= binding(contract).functions.keys()


def test_errors_of_every_contract_are_known():
    """A rebalance may revert deep inside a venue: its errors must decode as well as the manager's own."""
    for contract in ("HedgeManager", "Clearinghouse", "UniswapSpotVenue", "AaveShortVenue"):
        for error in binding(contract).errors:
            blank = ["" if kind == "string" else _blank(kind) for kind in error.types]
            reason = revert_reason(error.key + encode(error.types, blank))
            assert (reason.name, len(reason.arguments)) == (error.name, len(error.types))


def _blank(kind: str):
    return "0x" + "00" * 20 if kind == "address" else 0


def test_a_contract_without_an_abi():
    with pytest.raises(Halt, match="no ABI of Nothing"):
        binding("Nothing")


def test_strings_panics_and_the_unknown_are_told_apart():
    text = bytes.fromhex("08c379a0") + encode(["string"], ["35"])
    panic = bytes.fromhex("4e487b71") + encode(["uint256"], [0x12])
    assert str(revert_reason(text)) == "Error(message=35)"
    assert str(revert_reason(panic)) == "Panic(code=division by zero)"
    assert str(revert_reason(b"\x01\x02\x03\x04\x05")) == "UnknownError(data=0x0102030405)"
    assert str(revert_reason(b"")) == "UnknownError(data=0x)"
    assert revert_reason(text[:10]).name == "UnknownError"
