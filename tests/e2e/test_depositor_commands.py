"""`gammadesk deposit | redeem | cancel | claim | position` against a live deployment."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from keeper.chain.client import NodeClient
from keeper.chain.deployment import Deployment
from keeper.chain.keystore import create_keystore
from keeper.chain.vault import Side, VaultReader, VaultView
from keeper.cli import app
from scripts.components import market
from scripts.nodes import NodeSettings, start_node
from scripts.replay.chain import ReplayChain
from scripts.replay.world import ACCOUNTS, ANYONE, NODE_BALANCE_ETH, WEI, World, build_world

START_S = 1_583_712_000
USD, SHARE = 10**6, 10**18
PASSWORD = "correct horse"
KEY = "0x" + "42" * 32


@dataclass
class Depositor:
    """Somebody with a keystore, a node's URL and a deployment record."""

    world: World
    keystore: Path
    address: str

    def run(self, *words: str, **changed: str) -> Result:
        env = {
            "GAMMADESK_DEPLOYMENT": str(self.world.record_path),
            "GAMMADESK_RPC": self.world.chain.url,
            "GAMMADESK_KEYSTORE": str(self.keystore),
            "GAMMADESK_PASSWORD": PASSWORD,
            "COLUMNS": "160",
        }
        return CliRunner().invoke(app, [*words], env=env | changed)

    def live(self, *words: str) -> str:
        done = self.run(*words, "--live")
        assert done.exit_code == 0, done.output
        return done.output

    def view(self) -> VaultView:
        node = NodeClient.connect(self.world.chain.url)
        return VaultReader(node, Deployment.load(self.world.record_path)).view(self.address)

    def nonce(self) -> int:
        return self.world.chain.client.transaction_count(self.address)

    def process(self) -> None:
        """The epoch ends and somebody processes it."""
        chain, c = self.world.chain, self.world.contracts
        chain.next_block_at(max(chain.now_s() + 1, chain.read(c.vault, "epochEndsAt")))
        self.world.push_round(200.0)
        chain.send(chain.account(ANYONE), c.vault, "processEpoch")


@pytest.fixture(scope="module")
def fresh(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Depositor]:
    folder = tmp_path_factory.mktemp("depositor")
    settings = NodeSettings(timestamp_s=START_S, accounts=ACCOUNTS, balance_eth=NODE_BALANCE_ETH)
    with start_node(settings) as node:
        world = build_world(ReplayChain(node), 200.0, folder / "run", lambda _: None)
        keystore = folder / "mine.json"
        address = create_keystore(keystore, PASSWORD, KEY, kdf="pbkdf2", work=10)
        market.ensure_ether(world.chain.web3, address, WEI)
        world.give_usdc(address, 5_000)
        yield Depositor(world, keystore, address)


@pytest.fixture
def me(fresh: Depositor) -> Iterator[Depositor]:
    """As it was; what a test does is undone."""
    before = fresh.world.chain.rpc("evm_snapshot")
    yield fresh
    fresh.world.chain.rpc("evm_revert", before)


def test_in_and_out_again(me: Depositor) -> None:
    """Deposit, cancel, deposit, claim shares, redeem in part, cancel that, redeem all, claim USDC."""
    said = me.live("deposit", "1000.5")
    assert "approve 1000500000 units of USDC: block" in said
    assert "1,000.500000 USDC pending" in said
    view = me.view()
    assert (view.usdc, view.allowance) == (3_999_500_000, 0)
    assert "take it back" not in said
    me.live("cancel")
    assert "1,000.500000 USDC cancelled, to be taken back" in me.run("position").output
    me.live("claim")
    assert me.view().usdc == 5_000 * USD
    me.live("deposit", "all")
    me.process()
    assert me.view().claim_shares == (5_000 * USD, 5_000 * SHARE)
    assert "claim 5,000 shares: block" in me.live("claim")
    me.live("redeem", "1234.5")
    assert [(r.side, r.pending) for r in me.view().requests] == [
        (Side.REDEEM, 12_345 * SHARE // 10)
    ]
    me.live("cancel", "--id", str(me.view().requests[0].request_id))
    me.live("claim")
    me.live("redeem", "all")
    me.process()
    paid = me.view().claim_assets[1]
    assert paid == 5_000 * USD
    assert "claim 5,000.000000 USDC: block" in me.live("claim")
    view = me.view()
    assert (view.usdc, view.shares, view.requests) == (paid, 0, ())


def test_out_of_a_vault_that_winds_down(me: Depositor) -> None:
    """Shares are given up, their part is collected; nobody joins, and what waited comes back."""
    chain, vault = me.world.chain, me.world.contracts.vault
    me.live("deposit", "1000")
    me.process()
    me.live("claim")
    me.live("deposit", "500")
    missed = me.world.parameters.vault.missed_to_wind_down
    length_s = me.world.parameters.vault.epoch_length_s
    chain.pass_until(chain.read(vault, "epochEndsAt") + (missed + 1) * length_s)
    anyone = chain.account(ANYONE)
    chain.send(anyone, vault, "windDown")
    assert "the vault winds down" in me.run("position").output
    assert "nobody joins any more" in me.run("deposit", "100").output
    assert "give up 1,000 shares: block" in me.live("redeem", "all")
    chain.send(anyone, vault, "distribute")
    assert "1,000.000000 USDC and 0.000000 ETH of the wind-down" in me.run("position").output
    me.live("cancel")
    said = me.live("claim")
    assert "collect from the wind-down: block" in said
    assert "take back what request" in said
    assert me.view().usdc == 5_000 * USD


def test_dry_unless_live(me: Depositor) -> None:
    before = me.nonce()
    done = me.run("deposit", "1000")
    assert done.exit_code == 0, done.output
    assert "approve 1000000000 units of USDC: " in done.output
    assert "cannot be tried before the approval is mined" in done.output
    assert "a request made now has id 1" in done.output
    assert "dry run, nothing sent" in done.output
    assert me.nonce() == before


def test_a_dry_run_and_a_position_need_no_password(me: Depositor) -> None:
    for words in (("position",), ("deposit", "500")):
        assert me.run(*words, GAMMADESK_PASSWORD="").exit_code == 0
    other = me.world.chain.account(3)
    done = me.run("position", "--account", other, GAMMADESK_KEYSTORE="")
    assert done.exit_code == 0, done.output
    assert other in done.output


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (("deposit", "99"), 3, "below the vault's minimum of 100.000000 USDC"),
        (("deposit", "5000.01"), 3, "holds 5,000.000000 USDC, not 5,000.010000 USDC"),
        (("deposit", "0.0000001"), 65, "more than 6 decimals"),
        (("redeem", "1"), 3, "holds 0 shares, not 1 shares"),
        (("redeem", "all"), 3, "there are no shares"),
        (("cancel",), 3, "no request of"),
        (("claim",), 3, "nothing is there"),
        (("deposit", "100", "--max-fee-gwei", "0"), 2, "Invalid value"),
    ],
)
def test_what_is_refused_sends_nothing(
    me: Depositor, words: tuple[str, ...], code: int, message: str
) -> None:
    before = me.nonce()
    done = me.run(*words, "--live")
    assert (done.exit_code, message in done.output) == (code, True), done.output
    assert me.nonce() == before


@pytest.mark.parametrize(
    ("variables", "code", "message"),
    [
        ({"GAMMADESK_RPC": "http://127.0.0.1:9"}, 75, "no answer from http://127.0.0.1:9"),
        ({"GAMMADESK_DEPLOYMENT": "nowhere.json"}, 78, "does not exist: deploy first"),
        ({"GAMMADESK_KEYSTORE": ""}, 78, "name a key by --keystore"),
        ({"GAMMADESK_KEYSTORE": "nowhere.json"}, 78, "make one with 'gammadesk key new"),
        ({"GAMMADESK_PASSWORD": ""}, 78, "no password: set GAMMADESK_PASSWORD"),
        ({"GAMMADESK_PASSWORD": "wrong"}, 78, "wrong password"),
    ],
)
def test_bad_surroundings(
    me: Depositor, variables: dict[str, str], code: int, message: str
) -> None:
    before = me.nonce()
    done = me.run("deposit", "100", "--live", **variables)
    assert (done.exit_code, message in done.output) == (code, True), done.output
    assert me.nonce() == before


def test_a_node_of_another_chain(me: Depositor, tmp_path: Path) -> None:
    content = json.loads(me.world.record_path.read_text())
    content["chain_id"] = 1
    path = tmp_path / "1.json"
    path.write_text(json.dumps(content))
    done = me.run("position", GAMMADESK_DEPLOYMENT=str(path))
    assert (done.exit_code, "serves chain 31337" in done.output) == (78, True), done.output


def test_an_account_that_is_not_the_key(me: Depositor) -> None:
    done = me.run("position", "--account", me.world.chain.account(3))
    assert (done.exit_code, "drop one of them" in done.output) == (78, True), done.output
    done = me.run("position", "--account", "0x12")
    assert (done.exit_code, "is not an address" in done.output) == (78, True), done.output


def test_without_ether(me: Depositor) -> None:
    me.world.chain.rpc("anvil_setBalance", me.address, hex(10**9))
    done = me.run("deposit", "100", "--live")
    assert done.exit_code == 3, done.output
    assert "send it ether" in done.output or "funds" in done.output


def test_one_transaction_at_a_time(me: Depositor) -> None:
    """While an earlier one is pending nothing else is sent: repeating a command cannot deposit twice."""
    chain = me.world.chain
    chain.rpc("evm_setAutomine", False)
    try:
        chain.rpc("anvil_impersonateAccount", me.address)
        transfer = {"from": me.address, "to": me.address, "value": "0x1", "gas": hex(21_000)}
        chain.rpc("eth_sendTransaction", transfer)
        done = me.run("deposit", "100", "--live")
        assert (done.exit_code, "is still pending" in done.output) == (3, True), done.output
    finally:
        chain.rpc("evm_setAutomine", True)
        chain.rpc("evm_mine")


def test_what_was_sent_and_not_mined(me: Depositor, monkeypatch: pytest.MonkeyPatch) -> None:
    """The outcome is unknown, and said so with the hash."""
    from keeper.depositor import send

    chain = me.world.chain
    monkeypatch.setattr(send, "TIMEOUT_S", 0.0)
    chain.rpc("evm_setAutomine", False)
    try:
        done = me.run("deposit", "100", "--live")
        assert done.exit_code == 75, done.output
        assert "is not mined after 0 s: it may still be" in done.output
    finally:
        chain.rpc("evm_setAutomine", True)
        chain.rpc("evm_mine")
