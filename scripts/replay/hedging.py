"""The real keeper in the replay: its configuration file, keystore, journal and tick; only its clock is the chain's."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass

from keeper.chain.keystore import load_signer
from keeper.chain.reader import SnapshotReader
from keeper.config import Config
from keeper.execution.database import open_database
from keeper.execution.fees import FeeRules
from keeper.execution.journal import Journal
from keeper.execution.orders import OrderRules
from keeper.execution.sender import JournaledSender, SendRules
from keeper.policies import build_policy
from keeper.runtime.forecast import AtmImplied
from keeper.runtime.ports import BlockClock, LiveSender
from keeper.runtime.tick import Tick, TickRules
from keeper.units import GWEI
from scripts.replay.world import World

# What the book is hedged to when nothing is left in it: the whole position is to go.
CLOSING_BAND_ETH = 0.001


@dataclass(frozen=True, slots=True)
class Keeper:
    """The tick of every hour, the one for winding down, and the reader that both use."""

    usual: Tick
    closing: Tick
    reader: SnapshotReader
    address: str


def build_keeper(world: World) -> Keeper:
    """Writes keeper.toml and builds ticks from it."""
    path = world.folder / "keeper.toml"
    path.write_text(_toml(world), encoding="utf-8")
    config = Config.load(path)
    node = world.chain.client
    world.deployment.require_chain(node)
    signer = load_signer(world.keystore_path, world.password)
    clock = BlockClock(node)
    journal = Journal(open_database(config.journal.url), world.deployment.genesis_hash, clock.now)
    reader = SnapshotReader(node, world.deployment, signer.address)
    gas, execution = config.gas, config.execution
    fee_rules = FeeRules(
        priority_wei=round(gas.priority_fee_gwei * GWEI),
        max_priority_wei=round(gas.max_priority_fee_gwei * GWEI),
        max_base_fee_wei=gas.max_base_fee_wei,
        max_fee_wei=round(gas.max_fee_gwei * GWEI),
    )
    send_rules = SendRules(
        chain_id=config.chain.chain_id,
        fees=fee_rules,
        gas_margin=execution.gas_margin,
        max_gas=gas.max_gas,
        receipt_timeout_s=execution.receipt_timeout_s,
        replace_after_s=execution.replace_after_s,
        finality_blocks=execution.finality_blocks,
    )
    sender = LiveSender(JournaledSender(node, signer, journal, send_rules, clock.now, time.sleep))

    def tick(parameters: dict[str, object], min_clip_eth: float) -> Tick:
        name = config.policy.name
        return Tick(
            reader=reader,
            sender=sender,
            clock=clock,
            journal=journal,
            policy=build_policy(name, parameters),
            policy_text=json.dumps({"name": name, "parameters": parameters}, sort_keys=True),
            forecaster=AtmImplied(),
            rules=TickRules(
                orders=OrderRules(min_clip_eth, execution.max_slippage, execution.restore_below_health),
                guards=config.guards,
                deadline_s=execution.deadline_s,
                max_base_fee_wei=gas.max_base_fee_wei,
                priority_fee_wei=fee_rules.priority_wei,
                gas_per_rebalance=execution.gas_per_rebalance,
            ),
            hedge_manager=world.deployment.address("HedgeManager"),
        )

    usual = tick(dict(config.policy.parameters), execution.min_clip_eth)
    closing = tick({"band_eth": CLOSING_BAND_ETH}, CLOSING_BAND_ETH)
    return Keeper(usual, closing, reader, signer.address)


def _toml(world: World) -> str:
    return "\n".join(
        (
            "[chain]",
            f'rpc_url = "{world.chain.url}"',
            f"chain_id = {world.deployment.chain_id}",
            f'deployment = "{world.record_path.name}"',
            "[keeper]",
            f'keystore = "{world.keystore_path.name}"',
            "dry_run = false",
            "[policy]",
            'name = "delta_band"',
            "[gas]",
            "max_base_fee_gwei = 600.0",
            "max_fee_gwei = 1500.0",
            "[journal]",
            'url = "journal.sqlite"',
            "",
        )
    )
