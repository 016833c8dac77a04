"""A depositor's transactions on the fake node: sent once, waited for, and never called failed when nobody knows."""

from __future__ import annotations

import pytest
from eth_account import Account

from keeper.chain.bindings import binding
from keeper.chain.client import NodeClient, Reverted
from keeper.chain.keystore import Signer
from keeper.chain.vault import Call
from keeper.depositor import send
from keeper.depositor.send import OneByOne, fee_rules, try_out
from keeper.errors import Retry, SkipTick
from keeper.units import GWEI, WAD
from tests.keeper.fake_node import CHAIN_ID, FakeNode, RpcFault

CALL = Call("request to deposit", "0x" + "aa" * 20, b"\x01\x02\x03\x04")


class Waiting:
    """A clock that moves when somebody sleeps; `on_sleep` happens then."""

    def __init__(self) -> None:
        self.at = 0.0
        self.on_sleep = lambda: None

    def sleep(self, seconds: float) -> None:
        self.at += seconds
        self.on_sleep()

    def clock(self) -> float:
        return self.at


@pytest.fixture
def node() -> FakeNode:
    return FakeNode()


@pytest.fixture
def waiting() -> Waiting:
    return Waiting()


def sender(node: FakeNode, waiting: Waiting, max_fee_gwei: int = 100) -> OneByOne:
    client = NodeClient(node, "fake node", attempts=1)
    signer = Signer(Account.from_key("0x" + "11" * 32))
    rules = fee_rules(max_fee_gwei)
    return OneByOne(client, signer, CHAIN_ID, rules, waiting.sleep, waiting.clock)


def test_it_is_sent_once_with_a_margin_of_gas(node: FakeNode, waiting: Waiting) -> None:
    receipt = sender(node, waiting).send(CALL)
    (tx,) = node.received
    assert receipt.tx_hash == tx.hash
    assert tx.fields["gas"] == node.gas * 5 // 4
    assert (tx.max_fee, tx.priority) == (41 * GWEI, GWEI)


@pytest.mark.parametrize("fault", [OSError("connection reset"), ValueError("not JSON")])
def test_a_node_that_took_it_and_did_not_answer(
    node: FakeNode, waiting: Waiting, fault: Exception
) -> None:
    node.after["eth_sendRawTransaction"] = fault
    assert sender(node, waiting).send(CALL).success
    assert len(node.received) == 1


def test_it_waits_for_a_block(node: FakeNode, waiting: Waiting) -> None:
    node.automine = False
    waiting.on_sleep = lambda: node.mine() and None
    assert sender(node, waiting).send(CALL).success
    assert waiting.at < 1


def test_what_is_never_mined_is_unknown(node: FakeNode, waiting: Waiting) -> None:
    node.automine = False
    with pytest.raises(Retry, match=r"0x[0-9a-f]{64} and is not mined after 180 s: it may still"):
        sender(node, waiting).send(CALL)
    assert waiting.at >= send.TIMEOUT_S
    assert len(node.received) == 1


def test_what_the_node_refused_is_unknown_too(node: FakeNode, waiting: Waiting) -> None:
    node.before["eth_sendRawTransaction"] = OSError("connection refused")
    with pytest.raises(Retry, match=r"no answer from fake node.*before you repeat it"):
        sender(node, waiting).send(CALL)


def test_a_mined_revert(node: FakeNode, waiting: Waiting) -> None:
    node.fails.add(0)
    with pytest.raises(SkipTick, match="reverted; gas was paid"):
        sender(node, waiting).send(CALL)


@pytest.mark.parametrize(
    ("held_wei", "max_fee_gwei", "message"),
    [
        (WAD // 100, 100, "holds 0.010000 ETH, gas may cost 0.025625: send it ether"),
        (WAD, 19, "over the cap of 19.000 gwei"),
    ],
)
def test_what_cannot_be_paid_is_not_sent(
    node: FakeNode, waiting: Waiting, held_wei: int, max_fee_gwei: int, message: str
) -> None:
    node.balance = held_wei
    with pytest.raises(SkipTick, match=message):
        sender(node, waiting, max_fee_gwei).send(CALL)
    assert not node.received


def test_what_would_revert_is_not_sent(node: FakeNode, waiting: Waiting) -> None:
    error = next(e for e in binding("DeskVault").errors if e.name == "AmountZero")

    def revert(_tx: object, _block: int) -> bytes:
        raise RpcFault("execution reverted", 3, "0x" + error.key.hex())

    node.on_call = revert
    with pytest.raises(Reverted, match="request to deposit reverts with AmountZero"):
        sender(node, waiting).send(CALL)
    assert not node.received


def test_trying_out_sends_nothing(node: FakeNode) -> None:
    waits = Call("later", CALL.to, b"", waits=True)
    client = NodeClient(node, "fake node", attempts=1)
    trials = try_out(client, "0x" + "11" * 20, [CALL, waits])
    assert [trial.gas for trial in trials] == [node.gas, None]
    assert [trial.cost_wei for trial in trials] == [node.gas * 21 * GWEI, 0]
    assert not node.received
