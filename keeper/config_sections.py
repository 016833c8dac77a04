"""Sections of the configuration that tell execution and forecast what to do."""

from __future__ import annotations

from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field


class ExecutionConfig(BaseModel):
    """How a plan becomes orders, and how long a transaction may take."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

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
    restore_below_health: float = Field(
        default=1.3,
        gt=1.0,
        description="a lending venue under this health gets collateral before anything is traded",
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
    finality_blocks: int = Field(
        default=12, ge=0, description="blocks after which a mined transaction is no longer checked"
    )


class ForecastConfig(BaseModel):
    """Where the volatility forecast comes from."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    candles: Path | None = Field(
        default=None,
        description="CSV or Parquet of candles for trailing realised volatility, relative to this file; "
        "left out: the surface's own at-the-forward volatility",
        examples=["candles.csv"],
    )
    window_h: int = Field(default=168, ge=13, description="hours of candles that the estimate uses")
    allow_gaps: bool = Field(
        default=False, description="accept candles with gaps; none is ever filled"
    )
