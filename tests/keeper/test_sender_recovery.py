"""Start-up and every tick reconcile: whatever was cut off comes to one end, and never to two (incidents 16, 17)."""

from __future__ import annotations

import pytest
from eth_account import Account

from keeper.chain.keystore import Signer, TxFields
from keeper.errors import Retry, SkipTick
from keeper.execution.records import OutcomeKind
from keeper.units import GWEI
from tests.keeper.fake_node import FakeNode, Killed, RpcFault
from tests.keeper.sender_world import KEY, World


@pytest.fixture
def world(tmp_path):
    return World(tmp_path)


def kill(world: World, where: str) -> None:
    """The process dies before or after the node gets the bytes, then starts again."""
    getattr(world.node, where)["eth_sendRawTransaction"] = Killed()
    with pytest.raises(Killed):
        world.sender.send(world.job())
    getattr(world.node, where).clear()
    world.start()


def reconcile(world: World):
    (outcome,) = world.recovery.reconcile()
    return outcome


def test_killed_between_journal_and_send(world):
    kill(world, "before")
    assert not world.node.received
    assert reconcile(world).kind is OutcomeKind.MINED_SUCCESS
    assert world.mined_calls() == 1


def test_killed_between_send_and_receipt(world):
    kill(world, "after")
    assert reconcile(world).kind is OutcomeKind.MINED_SUCCESS
    assert len(world.node.received) == 1


def test_killed_while_the_transaction_waits(world):
    world.node.automine = False
    kill(world, "after")
    outcome = reconcile(world)
    assert outcome.kind is OutcomeKind.UNRESOLVED
    assert "already known" in outcome.detail
    with pytest.raises(SkipTick):
        world.sender.send(world.job(2))
    world.node.mine()
    assert reconcile(world).kind is OutcomeKind.MINED_SUCCESS
    assert world.mined_calls() == 1


@pytest.mark.parametrize("where", ["before", "after"])
@pytest.mark.parametrize("automine", [True, False])
@pytest.mark.parametrize("later_s", [0, 50, 1000])
def test_restarts_never_double_send(world, where, automine, later_s):
    """Whenever it died, however long it was away, however often it starts: one nonce, one transaction."""
    world.node.automine = automine
    kill(world, where)
    world.clock.at += later_s
    for _ in range(3):
        world.start()
        world.recovery.reconcile()
        world.node.mine()
    world.recovery.reconcile()
    assert not world.journal.open_intents()
    assert [tx.nonce for tx in world.node.mined()] == [0]
    assert {tx.nonce for tx in world.node.received} == {0}


def test_the_same_bytes_are_sent_again(world):
    kill(world, "before")
    signed = world.only_intent().transactions[0]
    reconcile(world)
    (tx,) = world.node.received
    assert tx.hash == signed.tx_hash


def test_forgotten_by_the_node_is_sent_again(world):
    world.node.automine = False
    world.sender.send(world.job())
    world.node.drop_pool()
    reconcile(world)
    world.node.mine()
    assert reconcile(world).kind is OutcomeKind.MINED_SUCCESS


def test_stuck_is_replaced_by_an_eighth_more_at_the_same_nonce(world):
    world.node.automine = False
    world.sender.send(world.job())
    world.clock.at += 45
    world.node.mine(base_fee=100 * GWEI)
    assert "replaced by the same call" in reconcile(world).detail
    first, second = world.node.received
    assert (second.nonce, second.fields["data"]) == (first.nonce, first.fields["data"])
    assert second.max_fee * 8 >= first.max_fee * 9
    assert second.priority * 8 >= first.priority * 9
    world.node.mine()
    assert reconcile(world).kind is OutcomeKind.MINED_SUCCESS
    assert world.mined_calls() == 1


def test_not_replaced_before_its_time(world):
    world.node.automine = False
    world.sender.send(world.job())
    world.clock.at += 44
    reconcile(world)
    assert {tx.hash for tx in world.node.received} == {world.node.received[0].hash}


def test_gas_caps_end_the_bidding(world):
    """Incident 19: the cap is in the way; the intent stays open and says which cap, nothing is forced."""
    world.node.automine = False
    world.sender.send(world.job())
    world.node.mine(base_fee=600 * GWEI)
    world.clock.at += 60
    outcome = reconcile(world)
    assert "the gas caps allow no replacement" in outcome.detail
    assert len({tx.hash for tx in world.node.received}) == 1
    world.node.mine(base_fee=30 * GWEI)
    assert reconcile(world).kind is OutcomeKind.MINED_SUCCESS


def test_a_call_that_would_now_revert_gives_way_to_a_no_op(world):
    world.node.automine = False
    world.sender.send(world.job())
    world.node.mine(base_fee=100 * GWEI)
    world.clock.at += 60

    def revert(_tx, _block):
        raise RpcFault("execution reverted", 3, "0x")

    world.node.on_call = revert
    assert "no-op" in reconcile(world).detail
    world.node.mine()
    outcome = reconcile(world)
    assert outcome.kind is OutcomeKind.REPLACED
    (tx,) = world.node.mined()
    assert (tx.fields["data"], tx.fields["value"]) == (b"", 0)
    assert tx.fields["to"] == bytes.fromhex(tx.sender[2:])


def test_past_its_deadline_only_a_no_op_takes_the_nonce(world):
    world.node.automine = False
    kill(world, "before")
    world.clock.at += 181
    assert "no-op" in reconcile(world).detail
    world.node.mine()
    assert reconcile(world).kind is OutcomeKind.REPLACED
    assert world.mined_calls() == 0
    world.node.automine = True
    assert world.sender.send(world.job(2)).nonce == 1


def test_a_no_op_that_loses_the_race_still_counts_the_call(world):
    world.node.automine = False
    world.sender.send(world.job())
    call = dict(world.node.pool)
    world.clock.at += 181
    reconcile(world)
    world.node.pool = call
    world.node.mine()
    assert reconcile(world).kind is OutcomeKind.MINED_SUCCESS
    assert [row.status for row in world.journal.intent(world.job().work_id).transactions] == [
        "mined",
        "dropped",
    ]


def test_a_nonce_used_by_a_stranger_ends_as_denied_once_final(world):
    """Incident 16: somebody used the key by hand and took the nonce."""
    world.node.automine = False
    kill(world, "before")
    stranger = Signer(Account.from_key(KEY)).sign(
        TxFields(31_337, 0, "0x" + "bb" * 20, b"", 21_000, 50 * GWEI, GWEI)
    )
    world.node.eth_sendRawTransaction("0x" + stranger.raw.hex())
    world.node.mine()
    world.clock.at += 60
    assert reconcile(world).kind is OutcomeKind.UNRESOLVED
    assert len(world.node.received) == 1, "nothing more is signed for a nonce that is gone"
    for _ in range(world.rules.finality_blocks):
        world.node.mine()
    assert reconcile(world).kind is OutcomeKind.DENIED
    assert world.mined_calls() == 0
    world.node.automine = True
    assert world.sender.send(world.job(2)).nonce == 1


@pytest.mark.parametrize("keep", [True, False])
def test_a_reorg_reopens_what_it_unmines(world, keep):
    world.sender.send(world.job())
    world.node.automine = False
    world.node.reorg(1, keep)
    world.node.mine(base_fee=900 * GWEI)
    outcome = reconcile(world)
    assert outcome.kind is OutcomeKind.UNRESOLVED
    assert world.journal.counts() == {"reopened": 1}
    with pytest.raises(SkipTick, match="reopened"):
        world.sender.send(world.job(2))
    world.node.mine(base_fee=20 * GWEI)
    assert reconcile(world).kind is OutcomeKind.MINED_SUCCESS
    assert world.mined_calls() == 1


def test_a_reorg_into_another_block_is_followed(world):
    world.sender.send(world.job())
    world.node.reorg(1, keep=True)
    world.node.mine()
    assert reconcile(world).kind is OutcomeKind.MINED_SUCCESS
    row = world.journal.intent(world.job().work_id).transactions[0]
    assert row.block_hash == world.node.head.hash


def test_what_is_final_is_not_asked_for_again(world):
    world.sender.send(world.job())
    for _ in range(world.rules.finality_blocks + 1):
        world.node.mine()
    world.node.log.clear()
    assert world.recovery.reconcile() == []
    assert "eth_getTransactionReceipt" not in world.node.log


def test_unreachable_node_changes_nothing(world):
    kill(world, "before")
    world.node.before = {"eth_getBlockByNumber": ConnectionError()}
    with pytest.raises(Retry):
        world.recovery.reconcile()
    assert world.journal.counts() == {"unresolved": 1}


def test_two_open_intents_each_find_their_end(world):
    world.node.automine = False
    world.sender.send(world.job(1))
    world.sender.send(world.job(2, key="surface"))
    world.node.mine()
    world.start()
    assert [o.kind for o in world.recovery.reconcile()] == [OutcomeKind.MINED_SUCCESS] * 2


def test_a_changed_key_outlives_what_the_old_one_signed(world):
    """Nobody can replace it any more; past its deadline, in a final block, it no longer blocks the new key."""
    kill(world, "before")
    world.start(key="0x" + "22" * 32)
    with pytest.raises(SkipTick, match="unresolved"):
        world.sender.send(world.job(2))
    assert reconcile(world).kind is OutcomeKind.UNRESOLVED
    world.node.mine(seconds=181)
    assert reconcile(world).kind is OutcomeKind.UNRESOLVED
    for _ in range(world.rules.finality_blocks):
        world.node.mine()
    assert reconcile(world).kind is OutcomeKind.DENIED
    world.clock.at += 300
    assert world.sender.send(world.job(2)).kind is OutcomeKind.MINED_SUCCESS
    assert len(world.node.received) == 1


def test_a_changed_key_still_sees_what_the_old_one_had_mined(world):
    kill(world, "after")
    world.start(key="0x" + "22" * 32)
    assert reconcile(world).kind is OutcomeKind.MINED_SUCCESS


def test_the_fake_node_asks_for_an_eighth_more():
    """The rule that anvil does not enforce is enforced here, else the tests above would prove nothing."""
    node, signer = FakeNode(), Signer(Account.from_key(KEY))
    node.automine = False

    def send(fee: int, tip: int):
        fields = TxFields(31_337, 0, "0x" + "bb" * 20, b"", 21_000, fee, tip)
        return node.make_request("eth_sendRawTransaction", ["0x" + signer.sign(fields).raw.hex()])

    assert "result" in send(800, 80)
    assert "underpriced" in send(899, 90)["error"]["message"]
    assert "underpriced" in send(900, 89)["error"]["message"]
    assert "result" in send(900, 90)
