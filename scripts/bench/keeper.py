"""Time from a new head to the signed hedge in the node's hands, on loopback, with 32 legs open.

A live tick of the real keeper (keystore, journal on disk, multicall, policy, router, guards, simulation, signature)
against anvil; before each a taker's trade puts the delta outside the band, so that every tick sends. The garbage
collector and the operating system are left as they are.
"""

from __future__ import annotations

import math
import statistics
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from keeper.chain.keystore import load_signer
from keeper.config import Config
from keeper.execution.database import open_database
from keeper.execution.journal import Journal
from keeper.execution.records import OutcomeKind
from keeper.pricing.svi import pack_floats
from keeper.runtime.assembly import build_tick, connect
from keeper.runtime.tick import Tick
from keeper.runtime.tick_records import TickResult
from keeper.units import WAD, encode_series
from scripts.nodes import NodeSettings, start_node
from scripts.replay.chain import ReplayChain
from scripts.replay.depositors import Depositors
from scripts.replay.hedging import build_keeper
from scripts.replay.scenario import next_expiry
from scripts.replay.takers import Takers
from scripts.replay.world import ACCOUNTS, BUYER, COMMITTER, World, build_world

START_S = 1_577_880_000  # 2020-01-01 12:00 UTC
PRICE_USD, VOL = 200.0, 0.8
HOUR_S, WEEK_S = 3600, 7 * 86_400
STRIKES = (170.0, 190.0, 210.0, 230.0)
ROUNDS, WARM_UP = 120, 10
BLOCKS, BLOCK_S = 13, 2
MAX_UINT = 2**256 - 1
GWEI = 10**9


def measure_keeper(say: Callable[[str], None]) -> dict[str, float]:
    """Percentiles in ms of the whole and of its parts."""
    settings = NodeSettings(timestamp_s=START_S, accounts=ACCOUNTS, balance_eth=10_000_000)
    with tempfile.TemporaryDirectory() as folder, start_node(settings) as node:
        world = build_world(ReplayChain(node), PRICE_USD, Path(folder) / "run", say)
        series = _book(world)
        clock = _Clock()
        tick = _tick(world, clock)
        results = []
        for i in range(WARM_UP + ROUNDS):
            _move(world, series, i)
            clock.at_s = world.chain.now_s()
            results.append(_hedge(tick, i))
    del results[:WARM_UP]
    legs = len(results[-1].inputs.snapshot.legs)
    if legs != 32:
        raise AssertionError(f"the book has {legs} legs, 32 were meant to be open")
    return {"legs": legs, "hedges": ROUNDS} | _figures(results)


def _figures(results: list[TickResult]) -> dict[str, float]:
    times = [r.times for r in results if r.times is not None]
    parts = {
        "head_to_sent": [t.machine_ms for t in times],
        "read": [t.read_ms for t in times],
        "decide": [t.decide_ms for t in times],
        "simulate_sign_journal_send": [t.send_ms for t in times],
    }
    found = {}
    for name, values in parts.items():
        known = sorted(value for value in values if value is not None)
        if len(known) < ROUNDS:
            raise AssertionError(f"{name}: {len(known)} of {ROUNDS} hedges were timed")
        found[f"{name}_p50_ms"] = statistics.median(known)
        found[f"{name}_p99_ms"] = known[math.ceil(0.99 * len(known)) - 1]
    return found


def _book(world: World) -> list[int]:
    """Deposits, four expiries of eight series listed, and the vault short one of each."""
    chain, c = world.chain, world.contracts
    people, takers = Depositors(world, [800_000 * 10**6]), Takers(world)
    people.fund()
    takers.fund(PRICE_USD)
    people.request(0)
    chain.set_base_fee(20 * GWEI)
    chain.next_block_at(chain.read(c.vault, "epochEndsAt"))
    world.push_round(PRICE_USD)
    first = next_expiry(chain.now_s(), 5 * 24 * HOUR_S)
    expiries = [first + i * WEEK_S for i in range(4)]
    now = chain.now_s()
    slices = [
        (e, pack_floats(0.9 * VOL**2 * (e - now) / 31_536_000, 0.01, -0.3, 0.0, 0.1), 0)
        for e in expiries
    ]
    spot, _ = chain.read(c.oracle, "spot", 1)
    chain.send(chain.account(COMMITTER), c.surface, "commit", 1, spot, slices)
    people.process_if_due()
    # The desk sells what has been public for the age of a reference.
    chain.next_block_at(chain.now_s() + HOUR_S + 60)
    world.push_round(PRICE_USD)
    series = sorted(
        encode_series(1, expiry, strike, call)
        for expiry in expiries
        for strike in STRIKES
        for call in (False, True)
    )
    chain.send(chain.account(COMMITTER), c.desk, "list", series)
    for half in (series[:16], series[16:]):
        _buy(world, [(s, WAD) for s in half])
    return series


def _buy(world: World, legs: list[tuple[int, int]]) -> None:
    chain = world.chain
    until = chain.now_s() + HOUR_S
    limit = MAX_UINT >> 1
    chain.send(chain.account(BUYER), world.contracts.desk, "trade", legs, limit, until)


def _tick(world: World, clock: _Clock) -> Tick:
    """The tick of keeper.toml as the replay writes it, with a clock that costs no request, as in service."""
    build_keeper(world)
    config = Config.load(world.folder / "keeper.toml")
    desk = connect(config)
    desk = replace(
        desk,
        clock=clock,
        journal=Journal(open_database(config.journal.url), desk.journal.chain, clock.now),
    )
    return build_tick(desk, load_signer(world.keystore_path, world.password))


def _move(world: World, series: list[int], i: int) -> None:
    """The buyer takes, or gives back, 12 calls; then blocks go by until the hedge before is final.

    The pool keeps so many observations, and a mean over its window needs them to reach back.
    """
    call = next(s for s in series if s & 1)
    _buy(world, [(call, 12 * WAD if i % 2 == 0 else -12 * WAD)])
    world.chain.rpc("anvil_mine", hex(BLOCKS), hex(BLOCK_S))
    world.chain.pin_base_fee()
    world.chain.rpc("evm_mine")
    world.chain.pin_base_fee()


def _hedge(tick: Tick, i: int) -> TickResult:
    result = tick.run()
    if result.outcome.kind is not OutcomeKind.MINED_SUCCESS:
        raise AssertionError(f"hedge {i}: {result.outcome.kind}: {result.outcome.detail}")
    return result


@dataclass(slots=True)
class _Clock:
    """The chain's time, told by the bench."""

    at_s: int = 0

    def now(self) -> int:
        return self.at_s
