"""Node and deployment record: each way of being wrong has its type and says what to do."""

from __future__ import annotations

import json

import pytest
import stamina

from keeper.chain.client import NodeClient, NodeError, Reverted
from keeper.chain.deployment import Deployment
from keeper.errors import ConfigError, Halt, Retry
from tests.keeper.fake_chain import ADDRESSES, write_record
from tests.keeper.fake_node import CHAIN_ID, FakeNode, RpcFault


@pytest.fixture
def node():
    return FakeNode()


@pytest.fixture
def client(node):
    return NodeClient(node, "http://node:8545", attempts=3)


@pytest.fixture(autouse=True)
def no_waiting():
    stamina.set_testing(True, attempts=3)
    yield
    stamina.set_testing(False)


@pytest.fixture
def record(node, tmp_path):
    return lambda **changes: write_record(tmp_path / "31337.json", node, **changes)


def test_an_unreachable_node():
    client = NodeClient.connect("http://user:hunter2@127.0.0.1:9/v3/apikey?key=secret", 0.5)
    with pytest.raises(
        Retry, match=r"no answer from http://127\.0\.0\.1:9 .*check that the node runs"
    ) as caught:
        client.head()
    assert not {"hunter2", "apikey", "secret"} & set(str(caught.value).replace("/", " ").split())
    assert "hunter2" not in repr(caught.value)
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__


@pytest.mark.parametrize("url", ["", "node:8545", "ws://node:8545", "http://"])
def test_a_url_that_is_none(url):
    with pytest.raises(ConfigError, match="http"):
        NodeClient.connect(url)


def test_reads_are_tried_again(node, client):
    answers = iter([ConnectionError(), TimeoutError(), None])

    def sometimes():
        fault = next(answers)
        if fault is not None:
            raise fault
        return hex(CHAIN_ID)

    node.eth_chainId = sometimes
    client.require_chain(CHAIN_ID)
    assert node.log.count("eth_chainId") == 3


def test_reads_give_up(node, client):
    node.before["eth_chainId"] = ConnectionError()
    with pytest.raises(Retry):
        client.require_chain(CHAIN_ID)
    assert node.log.count("eth_chainId") == 3


def test_a_broadcast_is_never_tried_again(node, client):
    node.before["eth_sendRawTransaction"] = ConnectionError()
    with pytest.raises(Retry):
        client.broadcast(b"\x02")
    assert node.log == ["eth_sendRawTransaction"]


def test_an_error_of_the_node_is_not_tried_again(node, client):
    def busy():
        raise RpcFault("method not supported", -32601)

    node.eth_chainId = busy
    with pytest.raises(NodeError, match=r"eth_chainId: method not supported \(code -32601\)"):
        client.require_chain(CHAIN_ID)
    assert node.log == ["eth_chainId"]


def test_an_error_that_is_plain_text(node, client):
    node.make_request = lambda method, params: {"error": "rate limited"}
    with pytest.raises(NodeError, match="rate limited"):
        client.head()


def test_an_answer_that_is_not_json(node, client):
    node.before["eth_getBlockByNumber"] = json.JSONDecodeError("x", "<html>", 0)
    with pytest.raises(Retry):
        client.head()


def test_wrong_chain_id(client):
    with pytest.raises(Halt, match="serves chain 31337, the configuration says 1"):
        client.require_chain(1)


def test_a_block_that_the_node_does_not_have(client):
    with pytest.raises(Retry, match="does not have block 7"):
        client.head(7)


def test_a_revert_without_data(node, client):
    def revert(_tx, _block):
        raise RpcFault("VM Exception while processing transaction: revert")

    node.on_call = revert
    with pytest.raises(Reverted, match="f reverts with Revert"):
        client.call("0x" + "11" * 20, b"", "latest", "f")


def test_a_fault_that_is_no_revert_stays_one(node, client):
    def fail(_tx, _block):
        raise RpcFault("header not found")

    node.on_call = fail
    with pytest.raises(NodeError, match="header not found") as caught:
        client.estimate_gas("0x" + "11" * 20, "0x" + "22" * 20, b"", "f")
    assert not isinstance(caught.value, Reverted)


def test_the_record(record):
    deployment = Deployment.load(record())
    assert deployment.address("HedgeManager") == ADDRESSES["HedgeManager"]
    assert deployment.multicall == ADDRESSES["Multicall3"]
    assert [v.kind.value for v in deployment.venues] == ["uniswap_spot", "aave_short"]


def test_the_record_fits_the_chain(record, client):
    Deployment.load(record()).require_chain(client)


def test_another_genesis(record, client):
    deployment = Deployment.load(record(genesis_hash="0x" + "12" * 32))
    with pytest.raises(Halt, match="started anew"):
        deployment.require_chain(client)


def test_multicall_among_the_contracts(record):
    assert Deployment.load(record(contracts=ADDRESSES, external={})).multicall


BAD_RECORDS = {
    "incomplete": ({"complete": False}, "unfinished deployment"),
    "no contracts": ({"contracts": {}}, "names no Clearinghouse"),
    "no address": ({"contracts": ADDRESSES | {"DeskVault": "0x12"}}, r"contracts\.DeskVault"),
    "no multicall": ({"external": {}}, "Multicall3"),
    "bad multicall": ({"external": {"multicall3": "0x12"}}, "must be an address"),
    "chain": ({"chain_id": "one"}, "chain_id"),
    "genesis": ({"genesis_hash": "0x12"}, "genesis_hash"),
    "venue": (
        {"venues": [{"address": "0x" + "11" * 20, "kind": "perp", "fee": 0}]},
        r"venues\.0\.kind",
    ),
    "fee in pips": (
        {"venues": [{"address": "0x" + "11" * 20, "kind": "uniswap_spot", "fee": 500}]},
        r"venues\.0\.fee",
    ),
    "fee nan": (
        {"venues": [{"address": "0x" + "11" * 20, "kind": "uniswap_spot", "fee": float("nan")}]},
        r"venues\.0\.fee",
    ),
}


@pytest.mark.parametrize("name", BAD_RECORDS)
def test_a_record_that_is_wrong(record, name):
    changes, message = BAD_RECORDS[name]
    with pytest.raises(ConfigError, match=message):
        Deployment.load(record(**changes))


def test_a_missing_record(tmp_path):
    with pytest.raises(ConfigError, match="deploy first"):
        Deployment.load(tmp_path / "1.json")


@pytest.mark.parametrize("text", ["", "[]", "{", "null"])
def test_a_record_that_is_something_else(tmp_path, text):
    (tmp_path / "1.json").write_text(text)
    with pytest.raises(ConfigError, match="is not a deployment record"):
        Deployment.load(tmp_path / "1.json")


def test_an_unknown_contract(record):
    with pytest.raises(ConfigError, match="names no OptionToken"):
        Deployment.load(record()).address("OptionToken")
