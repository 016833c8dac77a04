"""What flows between the rooms: frozen records with units in their names. No web3, no database, no clock here."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from enum import IntEnum, StrEnum
from typing import Protocol


class OracleState(IntEnum):
    """As in contracts/interfaces/IMarketOracle.sol."""

    FRESH = 0
    DEVIATING = 1
    STALE = 2
    SEQUENCER_DOWN = 3
    DEPEGGED = 4


class VenueKind(StrEnum):
    """What a venue adapter is, from its deployment record."""

    UNISWAP_SPOT = "uniswap_spot"
    AAVE_SHORT = "aave_short"
    PERP_SHORT = "perp_short"

    @property
    def shorts(self) -> bool:
        """Whether a sale there opens a debt and a purchase closes it."""
        return self is not VenueKind.UNISWAP_SPOT


@dataclass(frozen=True, slots=True)
class OptionLeg:
    """A signed position in one series. `size` is contracts, + is long."""

    series_id: int
    underlying: int
    expiry_s: int
    strike_usd: float
    is_call: bool
    size: float


@dataclass(frozen=True, slots=True)
class SviSlice:
    """Raw SVI of total variance at `committed_at_s`, and the annualised carry, of one expiry."""

    expiry_s: int
    a: float
    b: float
    rho: float
    m: float
    sigma: float
    carry: float
    committed_at_s: int


@dataclass(frozen=True, slots=True)
class LiquidityBand:
    """Constant liquidity, in roots of ETH x USD, between two prices in USD per ETH."""

    low_usd: float
    high_usd: float
    liquidity: float


@dataclass(frozen=True, slots=True)
class PoolDepth:
    """A pool's price and, ascending and without gaps, its liquidity around it. `fee` is a share of what goes in."""

    address: str
    price_usd: float
    fee: float
    bands: tuple[LiquidityBand, ...]


@dataclass(frozen=True, slots=True)
class VenueState:
    """The vault's position at one hedge venue. `health` 1.0 is the venue's own threshold, inf means no debt.

    `fee` is the proportional cost of a fill as a share of the notional, `pool` where it fills (see Snapshot.depths).
    Of a venue that shorts: `carry_rate` is what an open short costs a year as a share of its value (negative: earns),
    `collateral_ratio` the USD that must lie there for each USD owed after a sale, 0 where it is not known,
    `cap_eth` the most that the contract lets it hold. `base_wad` is `base_eth` exactly, 0 where that is not known.
    """

    address: str
    kind: VenueKind
    base_eth: float
    quote_usd: float
    health: float
    fee: float
    pool: str = ""
    carry_rate: float = 0.0
    collateral_ratio: float = 0.0
    cap_eth: float = math.inf
    base_wad: int = 0

    def collateral_usd(self, spot_usd: float) -> float:
        """What stands behind a short. A perpetual's quote holds what the position was opened for, too."""
        opened = self.base_eth * spot_usd if self.kind is VenueKind.PERP_SHORT else 0.0
        return max(self.quote_usd + opened, 0.0)


@dataclass(frozen=True, slots=True)
class HedgeRules:
    """The contract's own limits on a rebalance (IHedgeManager.HedgeParameters) and its state."""

    band_eth: float
    min_reduction: float
    max_slippage: float
    gross_cap_eth: float
    min_health: float
    budget_left_usd: float
    budget_cap_usd: float
    surface_max_age_s: int
    epoch: int


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Everything a decision may look at, read at one block."""

    chain_id: int
    block_number: int
    block_hash: str
    timestamp_s: int
    base_fee_wei: int
    underlying: int
    spot_usd: float
    spot_updated_at_s: int
    oracle_state: OracleState
    pool_price_usd: float
    surface_committed_at_s: int
    cash_usd: float
    base_eth: float
    legs: tuple[OptionLeg, ...]
    slices: tuple[SviSlice, ...]
    venues: tuple[VenueState, ...]
    rules: HedgeRules
    chain_delta_eth: float
    equity_usd: float
    keeper_address: str
    keeper_balance_wei: int
    keeper_nonce: int
    # (expiry_s, price) of each proven expiry that the legs still name.
    settlement_prices_usd: tuple[tuple[int, float], ...] = ()
    depths: tuple[PoolDepth, ...] = ()
    # Of the vault's account; 0 where it was not read.
    initial_margin_usd: float = 0.0
    maintenance_margin_usd: float = 0.0


@dataclass(frozen=True, slots=True)
class Book:
    """The vault's book valued off-chain. Sensitivities are to spot, WAD-free: ETH, ETH/USD, USD/1.00 vol, USD/year."""

    option_value_usd: float
    option_delta_eth: float
    hedge_eth: float
    gamma_eth_per_usd: float
    vega_usd: float
    theta_usd_per_year: float

    @property
    def delta_eth(self) -> float:
        """Net delta: options plus everything held or owed in ETH."""
        return self.option_delta_eth + self.hedge_eth


@dataclass(frozen=True, slots=True)
class Forecast:
    """Annualised volatility expected over `horizon_s`.

    `stress` is the chance that the coming period is stressed, by the warning or the wild regime; None: not known.
    """

    vol: float
    horizon_s: int
    stress: float | None = None


@dataclass(frozen=True, slots=True)
class Costs:
    """What a hedge costs now: fixed per transaction, and proportional to notional (fee plus expected slippage)."""

    fixed_usd: float
    proportional: float


@dataclass(frozen=True, slots=True)
class Plan:
    """What a policy wants: a signed amount of ETH to trade, 0 for nothing, and why."""

    trade_eth: float
    reason: str
    band_eth: float
    target_delta_eth: float
    diagnostics: dict[str, float] = field(default_factory=dict)


class Policy(Protocol):
    """A hedging policy: pure, the same in backtest, paper, shadow and live."""

    @property
    def name(self) -> str:
        """The name that the configuration and the journal use."""
        ...

    def decide(self, snapshot: Snapshot, book: Book, forecast: Forecast, costs: Costs) -> Plan:
        """Look only at the arguments; return a plan."""
        ...
