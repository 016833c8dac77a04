"""Sending: simulate, journal, send, wait. A refusal leaves no trace; once signed, nothing is ever called failed."""

from __future__ import annotations

from dataclasses import replace

import pytest
from eth_abi import encode

from keeper.chain.bindings import binding
from keeper.errors import Retry, SkipTick
from keeper.execution.records import OutcomeKind
from keeper.units import GWEI
from tests.keeper.fake_node import RpcFault
from tests.keeper.sender_world import World


@pytest.fixture
def world(tmp_path):
    return World(tmp_path)


def nothing_happened(world: World) -> bool:
    return not world.node.received and not world.journal.counts()


def overshoot_data() -> bytes:
    error = next(e for e in binding("HedgeManager").errors if e.name == "DeltaOvershoot")
    return error.key + encode(["int256", "int256", "uint256"], [-3, 7, 5])


def test_a_job_is_mined_and_closed(world):
    outcome = world.sender.send(world.job())
    assert outcome.kind is OutcomeKind.MINED_SUCCESS
    assert (outcome.nonce, outcome.gas_used, outcome.gas_price_wei) == (0, 500_000, 21 * GWEI)
    assert world.journal.counts() == {"mined_success": 1}
    assert world.slept == []


def test_signed_fields_obey_the_rules(world):
    world.sender.send(world.job())
    (tx,) = world.node.received
    assert tx.sender == world.sender.signer.address
    assert (tx.max_fee, tx.priority) == (41 * GWEI, GWEI)
    assert tx.fields["gas"] == 650_000
    assert tx.fields["data"] == b"\x01\x02"


@pytest.mark.parametrize("form", ["geth", "anvil", "ganache"])
def test_a_revert_in_simulation_is_named_and_sends_nothing(world, form):
    hexed = "0x" + overshoot_data().hex()
    data = {"geth": hexed, "anvil": "Reverted " + hexed, "ganache": {"result": hexed}}[form]

    def revert(_tx, _block):
        raise RpcFault("execution reverted", 3, data)

    world.node.on_call = revert
    with pytest.raises(SkipTick, match=r"DeltaOvershoot\(deltaBefore=-3, deltaAfter=7, band=5\)"):
        world.sender.send(world.job())
    assert nothing_happened(world)


def test_a_hint_too_small_is_no_revert(world):
    """Out of gas inside a venue reads as a revert without data; without the limit the call passes and is estimated."""

    def out_of_gas(tx, _block):
        if "gas" in tx:
            raise RpcFault("execution reverted", 3, "0x")
        return b""

    world.node.on_call = out_of_gas
    world.node.gas = 2_200_000
    outcome = world.sender.send(replace(world.job(), gas_hint=900_000))
    assert outcome.kind is OutcomeKind.MINED_SUCCESS
    assert world.node.received[0].fields["gas"] == 2_860_000


def test_simulation_runs_at_the_snapshot_block_as_the_keeper(world):
    seen = []
    world.node.mine()
    job = world.job()
    world.node.mine()
    world.node.on_call = lambda tx, block: seen.append((tx["from"], block)) or b""
    world.sender.send(job)
    assert seen[0] == (world.sender.signer.address, job.block_number)


def test_base_fee_over_the_cap(world):
    world.node.mine(base_fee=501 * GWEI)
    with pytest.raises(SkipTick, match=r"gas\.max_base_fee_gwei"):
        world.sender.send(world.job())
    assert nothing_happened(world)


def test_gas_over_the_limit(world):
    world.node.gas = 2_400_000
    with pytest.raises(SkipTick, match=r"3120000.*gas\.max_gas"):
        world.sender.send(world.job())
    assert nothing_happened(world)


def test_too_little_gas_money(world):
    world.node.balance = 650_000 * 41 * GWEI - 1
    with pytest.raises(SkipTick, match="fund it"):
        world.sender.send(world.job())
    assert nothing_happened(world)
    world.node.balance += 1
    assert world.sender.send(world.job()).kind is OutcomeKind.MINED_SUCCESS


def test_node_gone_before_signing(world):
    world.node.before["eth_estimateGas"] = ConnectionError()
    with pytest.raises(Retry, match="fake node"):
        world.sender.send(world.job())
    assert nothing_happened(world)


def test_error_on_send_but_mined(world):
    """Incident 17: the connection broke after the node took the bytes; that is a success, not a failure."""
    world.node.after["eth_sendRawTransaction"] = ConnectionError()
    assert world.sender.send(world.job()).kind is OutcomeKind.MINED_SUCCESS
    assert world.mined_calls() == 1


def test_network_error_on_send_is_unresolved(world):
    world.node.before["eth_sendRawTransaction"] = TimeoutError()
    outcome = world.sender.send(world.job())
    assert outcome.kind is OutcomeKind.UNRESOLVED
    assert world.only_intent().transactions[0].status == "signed"


def test_refusal_by_the_node_is_unresolved(world):
    """A node's "no" proves nothing: the bytes exist, and another node may have them."""

    def refuse(_raw):
        raise RpcFault("txpool is full")

    world.node.eth_sendRawTransaction = refuse
    outcome = world.sender.send(world.job())
    assert outcome.kind is OutcomeKind.UNRESOLVED
    assert "txpool is full" in outcome.detail


def test_receipt_lost_while_waiting(world):
    world.node.before["eth_getTransactionReceipt"] = ConnectionError()
    assert world.sender.send(world.job()).kind is OutcomeKind.UNRESOLVED


def test_waits_for_the_receipt_within_bounds(world):
    world.node.automine = False
    waits = []

    def mine_on_the_third():
        waits.append(1)
        if len(waits) == 3:
            world.node.mine()

    world.on_sleep = mine_on_the_third
    assert world.sender.send(world.job()).kind is OutcomeKind.MINED_SUCCESS
    assert world.slept == [0.5] * 3


def test_timeout_is_unresolved(world):
    world.node.automine = False
    outcome = world.sender.send(world.job())
    assert outcome.kind is OutcomeKind.UNRESOLVED
    assert sum(world.slept) == world.rules.receipt_timeout_s


def test_mined_but_reverted_is_definitive_and_explained(world):
    world.node.fails = {0}
    calls = []

    def pass_then_revert(_tx, _block):
        calls.append(1)
        if len(calls) > 2:
            raise RpcFault("execution reverted", 3, "0x" + overshoot_data().hex())
        return b""

    world.node.on_call = pass_then_revert
    outcome = world.sender.send(world.job())
    assert outcome.kind is OutcomeKind.MINED_REVERTED
    assert "DeltaOvershoot" in outcome.detail
    assert world.journal.counts() == {"mined_reverted": 1}


def test_at_most_one_unresolved_intent_per_key(world):
    world.node.automine = False
    world.sender.send(world.job(1))
    with pytest.raises(SkipTick, match="unresolved"):
        world.sender.send(world.job(2))
    assert len(world.node.received) == 1


def test_another_key_takes_the_next_nonce(world):
    """The node still counts 0: the journal knows better (incident 16)."""
    world.node.automine = False
    world.sender.send(world.job(1))
    world.sender.send(world.job(2, key="surface"))
    assert [tx.nonce for tx in world.node.received] == [0, 1]


def test_the_same_decision_is_never_sent_twice(world):
    assert world.sender.send(world.job(1)).kind is OutcomeKind.MINED_SUCCESS
    with pytest.raises(SkipTick, match="decided before"):
        world.sender.send(world.job(1))
    assert world.mined_calls() == 1


def test_a_lagging_node_does_not_get_a_used_nonce(world):
    world.sender.send(world.job(1))
    world.node.mine()
    world.node.lag = 2
    with pytest.raises(Retry, match="lags"):
        world.sender.send(world.job(2))
    assert len(world.node.received) == 1


def test_nonce_of_a_stranger_is_respected(world):
    """Somebody used the key by hand: the chain counts more than the journal."""
    world.node.count = lambda _address, _until: 7
    world.node.automine = False
    world.sender.send(world.job())
    assert world.node.received[0].nonce == 7
