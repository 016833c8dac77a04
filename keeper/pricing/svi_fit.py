"""Raw SVI slices of all expiries of a chain, fitted at once: weighted least squares in volatility.

Each quote's noise is taken as a quarter of its half-width (tempered towards the slice's mean, and cut where a
residual is too large for it: Huber). Five parameters are too many for a dozen noisy quotes, so that each slice leans
on what its neighbours in maturity say about the smile's shape, in units of its own standard deviation, as strongly
as its own quotes are uninformative. Damped Gauss-Newton (Levenberg 1944, Marquardt 1963) with analytic Jacobians,
batched over slices.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from keeper.errors import PricingError
from keeper.pricing.smile_shape import PARAMETERS, BoolArray, FloatArray, value_and_jacobian

LEAST_VARIANCE = 1e-2  # of y: the square root is not taken below it
STEP_LIMIT = 1.0
STEP_DONE = 1e-5
LEAST_DAMPING, MOST_DAMPING = 1e-12, 1e12
LEAST_ATM_VOL = 0.01


@dataclass(frozen=True, slots=True)
class Smiles:
    """Quotes of several expiries, padded: (slices, quotes) log-moneyness, mid and half-width in volatility.

    Where `quoted` is false the entries must be finite, and count for nothing. `tau_years` is (slices,), ascending.
    """

    k: FloatArray
    mid_vol: FloatArray
    half_width: FloatArray
    quoted: BoolArray
    tau_years: FloatArray

    def __post_init__(self) -> None:
        shapes = {a.shape for a in (self.k, self.mid_vol, self.half_width, self.quoted)}
        if len(shapes) != 1 or self.k.shape[:1] != self.tau_years.shape or self.k.ndim != 2:
            raise PricingError(f"smiles of shapes {sorted(shapes)}, {self.tau_years.shape}")
        numbers = (self.k, self.mid_vol, self.half_width, self.tau_years)
        if not all(np.isfinite(a).all() for a in numbers):
            raise PricingError("smiles hold NaN or inf: pad with finite numbers")
        if not (self.tau_years > 0.0).all() or (np.diff(self.tau_years) <= 0.0).any():
            raise PricingError("times to expiry must be positive and ascending")
        if not self.quoted.any(axis=1).all():
            raise PricingError("a slice has no quote: leave it out")
        if not (self.mid_vol[self.quoted] > 0.0).all() or (self.half_width < 0.0).any():
            raise PricingError("mid volatilities must be positive, half-widths not negative")

    def only(self, quoted: BoolArray) -> Smiles:
        """The same with fewer quotes counting."""
        return Smiles(self.k, self.mid_vol, self.half_width, quoted & self.quoted, self.tau_years)


@dataclass(frozen=True, slots=True)
class FitSettings:
    """Everything is measured in units of volatility / at-the-money volatility, but `least_width` (volatility).

    Defaults were chosen on one pass over two months of Deribit ETH chains (docs/surface.md).
    """

    noise: float = 0.25  # of a half-width
    least_width: float = 0.002
    outlier: float = 2.0  # noises
    shape_error: float = 0.014  # between neighbours in maturity
    maturity_reach: float = 0.5  # of ln tau
    shape_points: int = 13
    shape_span: float = 3.0  # standard deviations
    # A loose opinion about any smile, from (y(0), ln L, ln R, m, ln s), with its precision in the two passes.
    usual: tuple[float, ...] = (1.0, -0.05, -0.29, 0.1, 1.1)
    usual_precision: float = 0.1
    rounds: int = 10


class Objective(Protocol):
    """What `minimise` can lower."""

    def loss(self, p: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Per slice: the loss, half its gradient, and Gauss and Newton's matrix."""
        ...


@dataclass(slots=True)
class Problem:
    """Targets as volatility / at-the-money volatility at x, weights, and a prior for the parameters."""

    x: FloatArray
    target: FloatArray
    weight: FloatArray
    prior: FloatArray
    precision: FloatArray
    identity: FloatArray = field(default_factory=lambda: np.eye(PARAMETERS))

    def rows(self, chosen: NDArray[np.intp]) -> Problem:
        """The same for some of the slices."""
        parts = (self.x, self.target, self.weight, self.prior, self.precision)
        return Problem(*(part[chosen] for part in parts))

    def loss(self, p: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Per slice: the loss, half its gradient, and Gauss and Newton's matrix."""
        y, jacobian = value_and_jacobian(p, self.x)
        vol = np.sqrt(np.maximum(y, LEAST_VARIANCE))
        jacobian *= (0.5 / vol)[:, None]
        miss, off = vol - self.target, p - self.prior
        weighted = jacobian * self.weight[:, None]
        total = (self.weight * miss * miss).sum(1) + (self.precision * off * off).sum(1)
        gradient = np.matmul(weighted, miss[..., None])[..., 0] + self.precision * off
        matrix = (
            np.matmul(weighted, jacobian.transpose(0, 2, 1))
            + self.precision[:, :, None] * self.identity
        )
        return total, gradient, matrix


@dataclass(frozen=True, slots=True)
class Fit:
    """Normalised rows (smile_shape), their scales, and what a constrained refit starts from."""

    p: FloatArray
    scale: FloatArray
    problem: Problem


def fit_smiles(smiles: Smiles, settings: FitSettings | None = None) -> Fit:
    """All slices at once. PricingError (of `Smiles`) for bad input; any number of quotes from one on gives a fit."""
    s = settings or FitSettings()
    weight = _weights(smiles, s)
    atm = at_the_money(smiles.k, smiles.mid_vol, weight)
    scale = atm * np.sqrt(smiles.tau_years)
    n = len(scale)
    usual = np.tile(np.asarray(s.usual), (n, 1))
    loose = np.full((n, PARAMETERS), s.usual_precision)
    loose[:, 0] = 0.0
    own = Problem(
        smiles.k / scale[:, None],
        smiles.mid_vol / atm[:, None],
        weight * (atm * atm)[:, None],
        usual,
        loose,
    )
    p = minimise(own, usual.copy(), s.rounds)
    for _ in range(2):
        problem = _with_neighbours(own, p, smiles.tau_years, s)
        p = minimise(problem, p, s.rounds)
    return Fit(p, scale, problem)


def minimise(problem: Objective, p: FloatArray, rounds: int) -> FloatArray:
    """Damped Gauss-Newton of every row on its own; a row never moves to a greater loss."""
    best, gradient, matrix = problem.loss(p)
    damping = np.full(len(p), 1e-3)
    diagonal = np.arange(PARAMETERS)
    for _ in range(rounds):
        damped = matrix.copy()
        damped[:, diagonal, diagonal] *= (1.0 + damping)[:, None]
        damped[:, diagonal, diagonal] += 1e-12
        step = -np.linalg.solve(damped, gradient[..., None])[..., 0]
        np.clip(step, -STEP_LIMIT, STEP_LIMIT, out=step)
        tried = p + step
        loss, tried_gradient, tried_matrix = problem.loss(tried)
        better = loss <= best
        if better.all():
            p, best, gradient, matrix = tried, loss, tried_gradient, tried_matrix
        else:
            p = np.where(better[:, None], tried, p)
            gradient = np.where(better[:, None], tried_gradient, gradient)
            matrix = np.where(better[:, None, None], tried_matrix, matrix)
            best = np.where(better, loss, best)
        damping = np.where(better, damping * 0.3, damping * 8.0).clip(LEAST_DAMPING, MOST_DAMPING)
        if float(np.abs(step).max()) < STEP_DONE:
            break
    return p


def at_the_money(k: FloatArray, vol: FloatArray, weight: FloatArray) -> FloatArray:
    """Volatility at k = 0 by a parabola through the quotes near it; its slopes are shrunk where quotes are few."""
    total = weight.sum(1)
    spread = np.sqrt((weight * k * k).sum(1) / total) + 1e-9
    x = k / spread[:, None]
    near = weight * np.exp(-0.5 * x * x) / total[:, None]
    powers = np.stack([np.ones_like(x), x, x * x], axis=1)
    weighted = powers * near[:, None, :]
    matrix = np.matmul(weighted, powers.transpose(0, 2, 1))
    matrix += np.diag([1e-12, 1e-3, 1e-3])
    level = np.linalg.solve(matrix, np.matmul(weighted, vol[..., None]))[:, 0, 0]
    mean = (weight * vol).sum(1) / total
    return np.clip(level, np.maximum(0.25 * mean, LEAST_ATM_VOL), 4.0 * mean)


def _weights(smiles: Smiles, s: FitSettings) -> FloatArray:
    """1 / variance of a quote's noise: a share of the geometric mean of its half-width and the slice's."""
    quoted = smiles.quoted
    width = np.maximum(smiles.half_width, s.least_width)
    usual = np.exp((np.log(width) * quoted).sum(1) / quoted.sum(1))
    return np.asarray(quoted / (s.noise**2 * width * usual[:, None]))


def _with_neighbours(own: Problem, p: FloatArray, tau: FloatArray, s: FitSettings) -> Problem:
    """Quotes that are too far off count less, and points of the neighbours' smiles are added as observations."""
    y, _ = value_and_jacobian(p, own.x)
    noises = np.abs(np.sqrt(np.maximum(y, LEAST_VARIANCE)) - own.target) * np.sqrt(own.weight)
    weight = own.weight / np.maximum(1.0, noises / s.outlier)
    atm = np.sqrt(np.maximum(p[:, :1], LEAST_VARIANCE))
    grid = np.linspace(-s.shape_span, s.shape_span, s.shape_points)
    at = grid * atm
    shape = np.sqrt(np.maximum(value_and_jacobian(p, at)[0], LEAST_VARIANCE)) / atm
    close = np.exp(-0.5 * (((own.x / atm)[:, :, None] - grid) / 0.5) ** 2)
    known = np.matmul(weight[:, None, :], close)[:, 0, :]
    known = 1.0 / (1.0 / (known + 1e-6) + s.shape_error**2)
    log_tau = np.log(tau)
    reach = np.exp(-0.5 * ((log_tau[:, None] - log_tau) / s.maturity_reach) ** 2)
    np.fill_diagonal(reach, 0.0)
    total = reach @ known
    heard = total > 1e-9
    shared = np.where(heard, reach @ (known * shape) / np.where(heard, total, 1.0), 1.0) * atm
    strength = np.where(heard, 1.0 / (s.shape_error**2 * s.shape_points), 0.0)
    return Problem(
        np.concatenate([own.x, at], axis=1),
        np.concatenate([own.target, shared], axis=1),
        np.concatenate([weight, strength], axis=1),
        own.prior,
        own.precision,
    )
