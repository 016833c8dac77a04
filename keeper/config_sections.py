"""Sections of the configuration: what each part of the keeper is told, and within which limits."""

from __future__ import annotations

from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field

from keeper.units import GWEI


class Section(BaseModel):
    """Frozen; unknown keys, NaN, inf and numbers in quotes are rejected; errors never show what was given."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", strict=True, allow_inf_nan=False, hide_input_in_errors=True
    )


class ExecutionConfig(Section):
    """How a plan becomes orders, and how long a transaction may take."""

    min_clip_eth: float = Field(
        default=0.05,
        gt=0.0,
        description="no order below this many ETH: the fill would not pay its gas",
    )
    max_slippage: float | None = Field(
        default=None,
        gt=0.0,
        lt=0.1,
        description="share of spot by which a fill may be worse; left out: the contract's own limit",
        examples=[0.005],
    )
    deadline_s: int = Field(
        default=180, ge=15, description="seconds in which a rebalance may be mined"
    )
    receipt_timeout_s: float = Field(
        default=60.0, gt=0.0, description="seconds that a tick waits for its receipt"
    )
    replace_after_s: int = Field(
        default=45, gt=0, description="seconds after which an unmined transaction is replaced"
    )
    gas_margin: float = Field(
        default=1.3, ge=1.0, le=3.0, description="gas limit as a multiple of the estimate"
    )
    gas_per_rebalance: int = Field(
        default=900_000, gt=0, description="gas that a policy expects one rebalance to cost"
    )
    price_tolerance: float = Field(
        default=0.002,
        gt=0.0,
        lt=0.1,
        description="share by which a fill may end worse than the pools' depth says, inside max_slippage",
    )
    holding_h: float = Field(
        default=48.0,
        gt=0.0,
        description="hours that a hedge is expected to stay: what interest and tied cash are counted for",
    )
    cash_rate: float = Field(
        default=0.04,
        ge=0.0,
        lt=1.0,
        description="yearly return that cash tied up in a hedge forgoes",
    )
    gas_spot: int = Field(
        default=130_000, ge=0, description="gas that one more Uniswap pool adds to a rebalance"
    )
    gas_short: int = Field(
        default=530_000, ge=0, description="gas that the short on Aave adds to a rebalance"
    )
    gas_perp: int = Field(
        default=2_800_000,
        ge=0,
        description="gas that the perpetual adds to a rebalance: half of opening and closing",
    )
    finality_blocks: int = Field(
        default=12, ge=0, description="blocks after which a mined transaction is no longer checked"
    )


class UpkeepConfig(Section):
    """Samples of the feed, the pool's mean at an expiry, settlement: what anybody may do, done by the keeper."""

    interval_s: float = Field(default=300.0, ge=0.0, description="seconds between runs; 0: none")
    most_sends: int = Field(
        default=24, gt=0, le=1_000, description="transactions of one run at most"
    )


class ForecastConfig(Section):
    """Where the volatility forecast comes from."""

    candles: Path | None = Field(
        default=None,
        strict=False,
        description="CSV or Parquet of candles for trailing realised volatility, relative to this file; "
        "left out: the surface's own at-the-forward volatility",
        examples=["candles.csv"],
    )
    served: bool = Field(
        default=True,
        description="serve the model while it beats its baseline, where the candles hold 211 days and more; "
        "else what was realised lately",
    )
    window_h: int = Field(default=168, ge=13, description="hours of candles that the estimate uses")
    allow_gaps: bool = Field(
        default=False, description="accept candles with gaps; none is ever filled"
    )


class OverlayConfig(Section):
    """Makers' option quotes that bring the book's gamma and vega inside ranges, in the same batch as the hedge."""

    quotes: str | None = Field(
        default=None,
        min_length=1,
        description="file or http(s) address of makers' signed quotes; left out: none are taken",
        examples=["quotes.json"],
    )
    max_gamma: float | None = Field(
        default=None,
        gt=0.0,
        description="|gamma| of the book that needs no option, ETH per USD; left out: no limit",
        examples=[0.5],
    )
    max_vega: float | None = Field(
        default=None,
        gt=0.0,
        description="|vega| of the book that needs no option, USD per 1.00 of volatility; left out: no limit",
        examples=[20000.0],
    )
    max_quotes: int = Field(default=2, ge=1, le=4, description="most quotes taken in one batch")
    max_premium_usd: float | None = Field(
        default=None,
        description="most net premium of a batch, negative to receive; left out: no limit",
        examples=[5000.0],
    )
    quote_gas: int = Field(default=300_000, gt=0, description="gas that one quote adds to a batch")
    timeout_s: float = Field(
        default=2.0, gt=0.0, description="seconds that a tick waits for quotes"
    )
    solver_s: float = Field(default=0.5, gt=0.0, description="seconds of the solver")
    alarm_weight: float = Field(
        default=3.0,
        ge=0.0,
        description="variance that stress adds, in usual variances: how far a warning narrows the gamma range",
    )


class GasConfig(Section):
    """What the keeper pays for a place in a block."""

    max_base_fee_gwei: float = Field(
        default=500.0, gt=0.0, description="no transaction above this base fee"
    )
    priority_fee_gwei: float = Field(default=1.0, ge=0.0, description="tip offered at first")
    max_priority_fee_gwei: float = Field(
        default=20.0, ge=0.0, description="tip that replacements may reach"
    )
    max_fee_gwei: float = Field(
        default=1000.0,
        gt=0.0,
        description="most for base fee and tip together, replacements included",
    )
    max_gas: int = Field(
        default=7_000_000, ge=21_000, description="gas limit of a transaction at most"
    )

    @property
    def max_base_fee_wei(self) -> int:
        """The base fee cap in wei."""
        return round(self.max_base_fee_gwei * GWEI)


class JournalConfig(Section):
    """Where intents and transactions are written before anything is sent."""

    url: str = Field(
        default="gammadesk.sqlite",
        min_length=1,
        repr=False,
        description="SQLite file relative to this file, or a SQLAlchemy URL",
    )


class AlertsConfig(Section):
    """Whom to tell."""

    apprise_urls: tuple[str, ...] = Field(
        default=(), strict=False, repr=False, description="Apprise URLs; empty: nobody is told"
    )


class MetricsConfig(Section):
    """Prometheus."""

    port: int | None = Field(
        default=None,
        gt=0,
        lt=65_536,
        description="port of the metrics endpoint; left out: none",
        examples=[9108],
    )
    host: str = Field(default="127.0.0.1", description="address that the endpoint listens on")
