"""The replay, hour by hour.

Each hour: the base fee is set; at the candle's close the feed gets its round and the arbitrageur moves the pool;
expiries that are due settle; one TWAP window passes; the surface is committed from closes known by then; a new
weekly set is listed when there is none; a due epoch is processed; the delta is sampled; takers trade; the keeper
ticks. The last candle closes at END.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from keeper.execution.records import OutcomeKind
from keeper.models import Book, Snapshot
from keeper.portfolio.attribution import Attribution, as_dict
from keeper.portfolio.book import value_book
from keeper.report.record import HourRow
from keeper.runtime.tick_records import TickResult
from keeper.simulation.gas import BaseFeeModel
from keeper.simulation.implied_vol import ImpliedVolModel
from keeper.units import GWEI, WAD
from scripts.replay.chain import ReplayFailure, events
from scripts.replay.depositors import Depositors
from scripts.replay.fallback import HOUR_S, FallbackBot
from scripts.replay.hedging import Keeper
from scripts.replay.ledger import Ledger, unhedged_change_usd
from scripts.replay.makers import Makers
from scripts.replay.operators import Operators, Solvency
from scripts.replay.request import ReplayRequest
from scripts.replay.scenario import ScenarioParameters, Step
from scripts.replay.series import Series, fills_of, what_it_did
from scripts.replay.takers import Takers
from scripts.replay.winding import wind_down
from scripts.replay.world import USDC_UNIT, World


@dataclass(slots=True)
class Replay:
    """One replay from its first hour to the depositors' last claim."""

    request: ReplayRequest
    world: World
    keeper: Keeper
    scenario: ScenarioParameters
    fees: BaseFeeModel
    vols: ImpliedVolModel
    series: Series = field(default_factory=Series)
    operators: Operators = field(init=False)
    depositors: Depositors = field(init=False)
    takers: Takers = field(init=False)
    makers: Makers = field(init=False)
    ledger: Ledger = field(init=False)
    bot: FallbackBot | None = field(init=False)
    _hedge_profit_usd: float = 0.0
    _closing: bool = False
    _atm_vol: float = 0.0
    _surface_at: int = 0

    def __post_init__(self) -> None:
        first = float(self.request.candles.open[0])
        amounts = [round(eth * first) * USDC_UNIT for eth in self.scenario.deposits_eth]
        self.operators = Operators(self.world, self.vols)
        self.depositors = Depositors(self.world, amounts)
        self.takers = Takers(self.world)
        self.makers = Makers(self.world)
        self.bot = FallbackBot.of(self.world) if self.request.keeper_dead else None

    def run(self, tape: Sequence[Step], progress: Callable[[HourRow, str], None]) -> None:
        """All hours, then the depositors leave. Raises ReplayFailure where something cannot go on."""
        self.depositors.fund()
        self.takers.fund(float(self.request.candles.open[0]))
        self.makers.fund(float(self.request.candles.open[0]))
        self.ledger = Ledger(self.keeper.reader.snapshot())
        for index in tape[0].deposits:
            self.depositors.request(index)
        for step in tape:
            progress(*self._hour(step))
        self._redeem(float(self.request.candles.close[-1]))

    def _hour(self, step: Step) -> tuple[HourRow, str]:
        candles, h = self.request.candles, step.hour
        spot = float(candles.close[h])
        base_fee = self.fees.base_fee_wei(
            float(candles.high[h]), float(candles.low[h]), float(candles.open[h])
        )
        self.world.chain.set_base_fee(base_fee)
        self._move_market(step, spot)
        self._commit_and_list(step, spot)
        flow = 0.0 if step.close_out else self.depositors.process_if_due()
        sampled = self.keeper.reader.snapshot()
        self.ledger.quiet(sampled, flow)
        sample = value_book(sampled)
        if flow and not self.series.share_prices:
            self.series.share_prices.append(sampled.equity_usd * WAD / self.depositors.supply)
        if step.hour:
            for index in step.deposits:
                self.depositors.request(index)
        self._trade(step, spot)
        self._part(step)
        latest, did = self._fall_back(step, sampled) if self._dead(step) else self._hedge(spot)
        hour = self.ledger.close_hour()
        self._watch_solvency(step)
        row = self._row(step, base_fee, sample, latest, hour)
        self.series.hours.append(row)
        return row, did

    def _move_market(self, step: Step, spot: float) -> None:
        """Feed and pool together, then what settles, then the window in which the pool's mean follows."""
        chain = self.world.chain
        if chain.now_s() >= step.time_s:
            raise ReplayFailure(
                f"the chain is at {chain.now_s()}, past the hour {step.time_s} that is to be replayed"
            )
        chain.next_block_at(step.time_s)
        self.world.push_round(spot)
        self.world.move_pool(spot)
        moved_at = chain.now_s()
        if step.settle_s is not None:
            self.operators.settle(step.settle_s)
        self._surface_at = max(
            moved_at + self.world.parameters.oracle.twap_window_s, chain.now_s() + 1
        )

    def _commit_and_list(self, step: Step, spot: float) -> None:
        wanted = self.vols.atm_vol(self.request.close_times_s, self.request.closes, step.time_s)
        self._atm_vol = self.operators.commit(step.expiry_s, wanted, self._surface_at)
        if step.list_new:
            self.operators.list_set(step.expiry_s, spot, self.scenario.strikes)
        elif step.wishes and not self.operators.strikes[0] <= spot <= self.operators.strikes[-1]:
            self.operators.extend(spot, self.scenario.extra_strikes)

    def _trade(self, step: Step, spot: float) -> None:
        sell = self.makers.sell if step.by_quote else None
        strikes = self.operators.strikes
        trades = self.takers.fulfil(step.wishes, step.expiry_s, spot, strikes, sell)
        if step.close_out:
            trades += self.takers.close_all()
            self._closing = True
        if trades:
            self.ledger.traded(self.keeper.reader.snapshot(), tuple(trades))

    def _part(self, step: Step) -> None:
        """Depositors ask to leave an hour before the takers close; the epoch between that and the hedge pays a part."""
        if step.last_trades and self.request.leave == "epochs":
            self.depositors.ask_to_leave()
        if step.close_out:
            flow = self.depositors.process_if_due()
            self.ledger.quiet(self.keeper.reader.snapshot(), flow)

    def _dead(self, step: Step) -> bool:
        return self.bot is not None and self.request.is_dead(step.time_s)

    def _hedge(self, spot: float) -> tuple[Snapshot, str]:
        """The keeper's tick, and the slices that follow within the hour."""
        self.makers.publish()
        result = self._tick()
        self.series.at_tick_eth.append(result.inputs.book.delta_eth)
        latest = self._after_tick(result)
        while result.unfinished:
            # Meanwhile the arbitrageur trades back what the slice pushed the pool away from the market.
            self.world.chain.pass_until(self.world.chain.now_s() + self.keeper.slice_step_s)
            self.world.move_pool(spot)
            result = self._tick()
            latest = self._after_tick(result)
        return latest, what_it_did(result)

    def _fall_back(self, step: Step, sampled: Snapshot) -> tuple[Snapshot, str]:
        """No keeper: whoever comes by runs the fallback."""
        assert self.bot is not None
        moved = latest = self.keeper.reader.snapshot()
        fee = max(venue.fee for venue in sampled.venues)
        done = self.bot.work(step.time_s + HOUR_S)
        if done:
            latest = self.keeper.reader.snapshot()
            fills = (f for logs in done for f in self.bot.fills(logs, latest.spot_usd, fee))
            self.ledger.hedged(latest, tuple(fills))
        self.bot.record(moved, latest)
        return latest, f"keeper dead, {len(done)} slices of the fallback"

    def _tick(self) -> TickResult:
        self.world.chain.pin_base_fee()
        tick = self.keeper.closing if self._closing else self.keeper.usual
        result = tick.run()
        kind, detail = result.outcome.kind, result.outcome.detail
        if kind is OutcomeKind.MINED_REVERTED:
            self.world.chain.failed.append(f"HedgeManager.rebalance reverted: {detail}")
        elif kind not in (OutcomeKind.MINED_SUCCESS, OutcomeKind.NOTHING):
            self.series.denied.append(
                f"block {result.inputs.snapshot.block_number}: {kind.value}: {detail}"
            )
        return result

    def _after_tick(self, result: TickResult) -> Snapshot:
        """Books the fills of a mined rebalance. The snapshot after it, or the tick's own where nothing was mined."""
        if result.rebalanced is None:
            return result.inputs.snapshot
        hedger = self.world.contracts.hedger
        filled = events(hedger, "OrderFilled", result.outcome.logs)
        latest = self.keeper.reader.snapshot()
        fills = fills_of(result.rebalanced, filled, latest)
        self.ledger.hedged(latest, fills, self.makers.bought(result.outcome.logs))
        gas_price = self.world.chain.gas_price_wei(result.outcome.gas_price_wei or 0)
        self.series.add_rebalance(result, latest, filled, gas_price)
        return latest

    def _watch_solvency(self, step: Step) -> None:
        faults = Solvency.check(self.world).faults
        self.series.insolvent += [f"hour {step.hour}: {fault}" for fault in faults]

    def _row(
        self, step: Step, base_fee: int, sample: Book, latest: Snapshot, hour: Attribution
    ) -> HourRow:
        unhedged = unhedged_change_usd(hour)
        self._hedge_profit_usd += hour.nav_change_usd - unhedged
        shares = self.depositors.supply / WAD
        after = value_book(latest)
        price = latest.equity_usd / shares if shares else 1.0
        if shares:
            self.series.share_prices.append(price)
        return HourRow(
            timestamp_s=step.time_s,
            spot_usd=latest.spot_usd,
            delta_hedged_eth=sample.delta_eth,
            delta_unhedged_eth=sample.option_delta_eth,
            delta_after_eth=after.delta_eth,
            nav_usd=latest.equity_usd,
            share_price_hedged_usd=price,
            share_price_unhedged_usd=(latest.equity_usd - self._hedge_profit_usd) / shares
            if shares
            else 1.0,
            pnl_hedged_usd=hour.nav_change_usd,
            pnl_unhedged_usd=unhedged,
            atm_vol=self._atm_vol,
            base_fee_gwei=base_fee / GWEI,
            gamma_eth_per_usd=after.gamma_eth_per_usd,
            terms_usd=as_dict(hour.terms),
        )

    def _redeem(self, price_usd: float) -> None:
        """After the last hour, at its price."""
        if self.request.leave == "wind-down":
            flow = wind_down(self.world, self.depositors, price_usd)
        else:
            flow = self.depositors.leave(price_usd)
        self.ledger.quiet(self.keeper.reader.snapshot(), flow)
        self.ledger.close_hour()
        self.series.insolvent += [
            f"at the end: {fault}" for fault in Solvency.check(self.world).faults
        ]
