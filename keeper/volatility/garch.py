"""GARCH(1,1) and GJR: estimated by `arch`, filtered and projected here so that fixed parameters serve many days."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from keeper.errors import DataError
from keeper.volatility.bars import Floats
from keeper.volatility.forecast import (
    Fitted,
    mean_corrected,
    require_panels,
    require_rows,
)
from keeper.volatility.panel import Panel

SCALE = 100.0  # arch's optimiser wants returns in percent


@dataclass(frozen=True, slots=True)
class Garch:
    """Zero mean, normal quasi-likelihood (Bollerslev 1986); `leverage` adds Glosten, Jagannathan, Runkle (1993)."""

    leverage: bool = False
    corrected: bool = True

    @property
    def name(self) -> str:
        """Short key for tables."""
        return ("gjr" if self.leverage else "garch") + ("" if self.corrected else "_raw")

    def fit(self, panels: Sequence[Panel], horizon: int) -> Fitted:
        """Quasi maximum likelihood on the asset's returns a period; rows without a return are left out."""
        from arch import arch_model

        own = require_panels(panels)
        returns = own.ret[np.isfinite(own.ret)] * SCALE
        require_rows(returns.size)
        if float(returns.std()) < 1e-9:
            raise DataError("returns of zero: constant prices cannot be forecast")
        model = arch_model(
            returns, mean="Zero", vol="GARCH", p=1, o=int(self.leverage), q=1, rescale=False
        )
        found = model.fit(disp="off", show_warning=False).params
        gamma = float(found["gamma[1]"]) if self.leverage else 0.0
        omega, alpha, beta = (float(found[key]) for key in ("omega", "alpha[1]", "beta[1]"))
        inner = _FittedGarch(
            omega / SCALE**2, alpha, gamma, beta, horizon, float(returns.var()) / SCALE**2
        )
        return mean_corrected(inner, own, horizon) if self.corrected else inner


@dataclass(frozen=True, slots=True)
class _FittedGarch:
    omega: float
    alpha: float
    gamma: float
    beta: float
    horizon: int
    start: float

    def predict(self, panel: Panel) -> Floats:
        """Mean of the expected variance over the horizon; exact for a memory of one (no long run) too."""
        nexts = np.empty(len(panel))
        variance = self.start
        for row, move in enumerate(panel.ret):
            square = move * move if np.isfinite(move) else variance
            news = self.alpha + (self.gamma if move < 0.0 else 0.0)
            variance = self.omega + news * square + self.beta * variance
            nexts[row] = variance
        powers = (self.alpha + self.gamma / 2.0 + self.beta) ** np.arange(self.horizon)
        added = np.r_[0.0, np.cumsum(powers)[:-1]].mean()
        return np.asarray(nexts * powers.mean() + self.omega * added)
