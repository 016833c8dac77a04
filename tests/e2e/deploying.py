"""Ways to kill a deployment at a chosen moment and to look at what came of it; shared by the tests."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

import pytest
from web3 import HTTPProvider, Web3
from web3.types import RPCEndpoint

from scripts.deployment.artifacts import own
from scripts.deployment.delivery import read_contract
from scripts.deployment.record import DeploymentRecord
from scripts.deployment.roles import AUTHORITY_FUNCTIONS, FUNCTION_ROLES, selectors
from scripts.deployment.rpc import Rpc

KINDS = ("before send", "after send", "after receipt", "while recording")
SENDS = ("eth_sendTransaction", "eth_sendRawTransaction")


class Killed(BaseException):
    """Not an Exception: nothing in the code under test may catch it, as nothing catches SIGKILL."""


class KillingProvider(HTTPProvider):
    """Dies around its n-th send (1 is the first); counts what it forwarded. `at` 0 never dies."""

    def __init__(self, url: str, at: int = 0, kind: str = "", process: bool = False) -> None:
        super().__init__(url, exception_retry_configuration=None)
        self.at, self.kind, self.process = at, kind, process
        self.reached = self.sent = 0
        self.armed = False

    def die(self) -> None:
        if self.process:
            os.kill(os.getpid(), 9)
        self.at = 0
        self.armed = False
        raise Killed(f"{self.kind} {self.reached}")

    def make_request(self, method: RPCEndpoint, params: Any) -> Any:
        if method not in SENDS:
            response = super().make_request(method, params)
            found = method == "eth_getTransactionReceipt" and response.get("result")
            if self.armed and self.kind == "after receipt" and found:
                self.die()
            return response
        self.reached += 1
        mine = self.reached == self.at
        if mine and self.kind == "before send":
            self.die()
        response = super().make_request(method, params)
        self.sent += 1
        if mine and self.kind == "after send":
            self.die()
        self.armed = self.armed or mine
        return response

    def on_fsync(self, handle: int) -> None:
        """Stands in for os.fsync: dies with half a record written and nothing renamed."""
        if self.armed and self.kind == "while recording":
            self.die()


def connect(url: str) -> Web3:
    return Web3(HTTPProvider(url, exception_retry_configuration=None))


def all_transactions(web3: Web3) -> list[dict[str, Any]]:
    """Every transaction of the chain, in order."""
    head = web3.eth.block_number
    blocks = (web3.eth.get_block(number, full_transactions=True) for number in range(head + 1))
    return [dict(transaction) for block in blocks for transaction in block["transactions"]]


def silent(line: str) -> None:
    """Progress is not under test."""


def check_wiring(rpc: Rpc, record: DeploymentRecord, deployer: str) -> None:
    """Reads back from the chain everything that the deployment is to have connected."""
    c, e, roles = record.contracts, record.external, record.roles

    def read(name: str, function: str, *args: Any) -> Any:
        abi = own("DeskAuthority" if name == "AccessManager" else name).abi
        return read_contract(rpc, c[name], abi, function, args)

    managed = [name for name in FUNCTION_ROLES if name in c]
    assert {name: read(name, "authority") for name in managed} == dict.fromkeys(
        managed, c["AccessManager"]
    )
    market = read("MarketOracle", "market", 1)
    assert (market[0], market[4]) == (e["feed"], e["uniswap_pool"])
    assert read("MarketOracle", "state", 1) == 0
    assert read("MarketOracle", "twap", 1) == pytest.approx(
        read("MarketOracle", "spot", 1)[0], 1e-3
    )
    house = ("usdc", "weth", "oracle", "engine", "vault", "hedgeManager")
    assert [read("Clearinghouse", function) for function in house] == [
        e["usdc"],
        e["weth"],
        *(c[name] for name in ("MarketOracle", "RiskEngine", "DeskVault", "HedgeManager")),
    ]
    markets = ("OptionDesk", "RfqMarket", "LiquidationAuction", "OptionToken")
    assert [read("Clearinghouse", "marketOf", c[name]) for name in markets] == [1, 1, 2, 3]
    assert read("HedgeManager", "quoteAdapter") == c["RfqMarket"]
    assert read("HedgeManager", "fallbackHedge") == c["HedgeFallback"]
    assert read("Clearinghouse", "venues") == [venue.address for venue in record.venues]
    assert read("DeskVault", "share") == c["VaultShare"]
    assert read("HedgeManager", "keeper") == roles["keeper"]
    assert read("VolSurface", "committer") == roles["committer"]
    for name, venue in (("UniswapSpotVenue", 0), ("AaveShortVenue", 1)):
        assert c[name] == record.venues[venue].address
        assert read(name, "clearinghouse") == c["Clearinghouse"]
        assert read(name, "health") == 2**256 - 1
    check_roles(read, record, deployer)


def check_roles(read: Callable[..., Any], record: DeploymentRecord, deployer: str) -> None:
    roles = record.roles
    for name, table in FUNCTION_ROLES.items():
        for role, functions in table.items():
            for selector in selectors(own(name), functions) if name in record.contracts else ():
                address = record.contracts[name]
                assert read("AccessManager", "getTargetFunctionRole", address, selector) == role
    for selector in selectors(own("DeskAuthority"), AUTHORITY_FUNCTIONS):
        authority = record.contracts["AccessManager"]
        assert read("AccessManager", "getTargetFunctionRole", authority, selector) == 5
    governor = record.contracts["DeskGovernor"]
    assert roles["admin"] == roles["governor"] == governor
    assert read("DeskGovernor", "token") == record.contracts["VaultShare"]
    days = {role: read("AccessManager", "hasRole", role, governor)[1] / 86400 for role in range(6)}
    assert days == {0: 24, 1: 2, 2: 0, 3: 0, 4: 2, 5: 24}
    auction = record.contracts["LiquidationAuction"]
    vault = record.contracts["DeskVault"]
    holders = ((2, roles["guardian"]), (3, roles["lister"]), (4, auction), (4, vault))
    for role, holder in holders:
        assert read("AccessManager", "hasRole", role, holder) == (True, 0)
    assert not any(read("AccessManager", "hasRole", role, deployer)[0] for role in range(6))
    assert [read("AccessManager", "getRoleGuardian", role) for role in range(6)] == [
        0,
        0,
        0,
        0,
        0,
        2,
    ]
