"""From a configuration to a running keeper: the one place where the parts meet."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from keeper.chain.bindings import binding
from keeper.chain.client import NodeClient, Reverted
from keeper.chain.deployment import Deployment
from keeper.chain.keystore import Signer, load_signer, password_from
from keeper.chain.open_legs import OpenLegs
from keeper.chain.reader import SnapshotReader, keeper_on_chain
from keeper.config import Config
from keeper.errors import ConfigError, Halt
from keeper.execution.database import open_database
from keeper.execution.fees import FeeRules
from keeper.execution.journal import Journal
from keeper.execution.routing_terms import OrderRules
from keeper.execution.sender import JournaledSender, SendRules
from keeper.market.candles import load_candles
from keeper.policies.alarm import AlarmParameters
from keeper.policies.overlay import OverlayParameters
from keeper.policies.overlay_quotes import Limits, Range
from keeper.runtime.chores import ChoreFinder
from keeper.runtime.codec import to_json
from keeper.runtime.forecast import AtmImplied, ServedRealised, TrailingRealised
from keeper.runtime.maker_quotes import QuoteSource
from keeper.runtime.overlay import QuoteDesk
from keeper.runtime.ports import (
    BlockClock,
    Clock,
    DryRunSender,
    Forecaster,
    LiveSender,
    TxSender,
    WallClock,
)
from keeper.runtime.tick import Tick
from keeper.runtime.tick_records import TickRules
from keeper.runtime.upkeep import Upkeep
from keeper.units import GWEI

QUOTE_ADAPTER = "RfqMarket"


@dataclass(frozen=True, slots=True)
class Desk:
    """A connected node and the deployment that it was checked to be about."""

    config: Config
    node: NodeClient
    deployment: Deployment
    journal: Journal
    clock: Clock


def connect(config: Config, block_time: bool = False) -> Desk:
    """Node, deployment record and journal, checked against each other. `block_time` makes the chain the clock."""
    deployment = Deployment.load(config.chain.deployment)
    if deployment.chain_id != config.chain.chain_id:
        raise ConfigError(
            f"{config.chain.deployment} is of chain {deployment.chain_id}, [chain] chain_id says "
            f"{config.chain.chain_id}: correct one of them"
        )
    node = NodeClient.connect(config.chain.rpc_url, config.chain.request_timeout_s)
    deployment.require_chain(node)
    clock: Clock = BlockClock(node) if block_time else WallClock()
    chain = f"{deployment.chain_id}:{deployment.genesis_hash}"
    return Desk(
        config,
        node,
        deployment,
        Journal(open_database(config.journal.url), chain, clock.now),
        clock,
    )


def open_signer(config: Config, prompt: Callable[[], str] | None) -> Signer:
    """The configured key; KeystoreError or ConfigError say what is missing."""
    if config.keeper.keystore is None:
        raise ConfigError("[keeper] keystore is missing: name the key file, or run with --dry-run")
    return load_signer(config.keeper.keystore, password_from(config.keeper.password_env, prompt))


def journaled_sender(
    desk: Desk, signer: Signer, sleep: Callable[[float], None] = time.sleep
) -> JournaledSender:
    """What signs and sends for `signer` on this desk."""
    gas, execution = desk.config.gas, desk.config.execution
    rules = SendRules(
        chain_id=desk.deployment.chain_id,
        fees=FeeRules(
            priority_wei=round(gas.priority_fee_gwei * GWEI),
            max_priority_wei=round(gas.max_priority_fee_gwei * GWEI),
            max_base_fee_wei=gas.max_base_fee_wei,
            max_fee_wei=round(gas.max_fee_gwei * GWEI),
        ),
        gas_margin=execution.gas_margin,
        max_gas=gas.max_gas,
        receipt_timeout_s=execution.receipt_timeout_s,
        replace_after_s=execution.replace_after_s,
        finality_blocks=execution.finality_blocks,
    )
    return JournaledSender(desk.node, signer, desk.journal, rules, desk.clock.now, sleep)


def build_tick(desk: Desk, signer: Signer | None, forecaster: Forecaster | None = None) -> Tick:
    """The tick of this desk: live with a signer, a dry run without. Halt when the signer is not the keeper."""
    keeper = keeper_on_chain(desk.node, desk.deployment)
    if signer is not None and signer.address.lower() != keeper.lower():
        raise Halt(
            f"the keystore is of {signer.address}, the hedge manager takes orders from {keeper}: "
            f"use that key, or have governance set the keeper"
        )
    policy = desk.config.policy
    return Tick(
        reader=SnapshotReader(desk.node, desk.deployment, keeper),
        sender=sender_of(desk, signer, keeper),
        clock=desk.clock,
        journal=desk.journal,
        policy=policy.build(),
        policy_text=to_json({"name": policy.name, "parameters": policy.parameters}),
        forecaster=forecaster or configured_forecaster(desk.config),
        rules=tick_rules(desk.config),
        hedge_manager=desk.deployment.address("HedgeManager"),
        quotes=quote_desk(desk),
    )


def quote_desk(desk: Desk) -> QuoteDesk | None:
    """Where quotes are configured. ConfigError when the deployment has no adapter to take them by."""
    own = desk.config.overlay
    if own.quotes is None:
        return None

    def within(most: float | None) -> Range:
        return Range() if most is None else Range(-most, most)

    return QuoteDesk(
        source=QuoteSource(own.quotes, own.timeout_s),
        adapter=desk.deployment.address(QUOTE_ADAPTER),
        limits=Limits(gamma=within(own.max_gamma), vega=within(own.max_vega)),
        parameters=OverlayParameters(
            max_legs=own.max_quotes,
            max_premium_usd=own.max_premium_usd,
            time_limit_s=own.solver_s,
        ),
        alarm=AlarmParameters(weight=own.alarm_weight),
        gas=own.quote_gas,
        takes=lambda data, block: _takes(desk, data, block),
    )


def _takes(desk: Desk, data: bytes, block: int) -> bool:
    """Whether the adapter would take a quote for the vault, as far as one call can tell."""
    adapter, manager = (desk.deployment.address(n) for n in (QUOTE_ADAPTER, "HedgeManager"))
    call = binding(QUOTE_ADAPTER).encode("take", data)
    try:
        desk.node.call(adapter, call, block, f"{QUOTE_ADAPTER}.take", manager)
    except Reverted:
        return False
    return True


def build_upkeep(desk: Desk, signer: Signer | None) -> Upkeep:
    """The chores of this desk. Anybody may do them, so any key will do."""
    keeper = keeper_on_chain(desk.node, desk.deployment)
    legs = OpenLegs(desk.node, desk.deployment, desk.config.execution.finality_blocks)
    return Upkeep(
        node=desk.node,
        finder=ChoreFinder(desk.node, desk.deployment, legs),
        sender=sender_of(desk, signer, keeper),
        clock=desk.clock,
        chain=desk.journal.chain,
        most_sends=desk.config.upkeep.most_sends,
    )


def sender_of(desk: Desk, signer: Signer | None, simulated_as: str) -> TxSender:
    """Live with a signer; a simulation as somebody without."""
    if signer is None:
        return DryRunSender(desk.node, simulated_as)
    return LiveSender(journaled_sender(desk, signer))


def tick_rules(config: Config) -> TickRules:
    """The limits of a tick from their sections."""
    execution = config.execution
    return TickRules(
        orders=OrderRules(
            min_clip_eth=execution.min_clip_eth,
            max_slippage=execution.max_slippage,
            price_tolerance=execution.price_tolerance,
            holding_s=execution.holding_h * 3600.0,
            cash_rate=execution.cash_rate,
            gas_spot=execution.gas_spot,
            gas_short=execution.gas_short,
            gas_perp=execution.gas_perp,
            priority_fee_wei=round(config.gas.priority_fee_gwei * GWEI),
        ),
        guards=config.guards,
        deadline_s=execution.deadline_s,
        max_base_fee_wei=config.gas.max_base_fee_wei,
        gas_per_rebalance=execution.gas_per_rebalance,
        slicing=config.slicing,
        ladder=config.margin,
    )


def configured_forecaster(config: Config) -> Forecaster:
    """From candles where configured: served where they are long enough, else trailing; or the surface's own."""
    forecast = config.forecast
    if forecast.candles is None:
        return AtmImplied()
    candles = load_candles(forecast.candles, allow_gaps=forecast.allow_gaps)
    trailing = TrailingRealised(candles, forecast.window_h * 3600)
    return ServedRealised(candles, trailing) if forecast.served else trailing
