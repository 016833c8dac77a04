"""SVI slices in units of their own standard deviation, with derivatives: what the fit moves and differentiates.

With scale = at-the-money volatility x sqrt(tau), x = k / scale and y = w / scale^2, raw SVI (Gatheral and Jacquier
(2014), "Arbitrage-free SVI volatility surfaces", eq. 3.1) keeps its form, and smiles of all expiries look alike. A
row of parameters is (y(0), ln L, ln R, m, ln s): L = b (1 - rho) and R = b (1 + rho) are the slopes of the wings,
m the centre, s the width. Any five reals are a slice with b > 0, |rho| < 1, sigma > 0. Arrays are (slices, ...).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]

PARAMETERS = 5


@dataclass(frozen=True, slots=True)
class RawSlices:
    """Raw SVI of total variance, one entry per slice in each array."""

    a: FloatArray
    b: FloatArray
    rho: FloatArray
    m: FloatArray
    sigma: FloatArray

    def __len__(self) -> int:
        return len(self.a)

    def variance(self, k: FloatArray) -> FloatArray:
        """Total variance at k of shape (slices, points)."""
        u = k - self.m[:, None]
        root = np.sqrt(u * u + (self.sigma * self.sigma)[:, None])
        return self.a[:, None] + self.b[:, None] * (self.rho[:, None] * u + root)

    def density_factor(self, k: FloatArray) -> FloatArray:
        """g(k) of Gatheral and Jacquier eq. 2.1 at k of shape (slices, points); -inf without variance."""
        u = k - self.m[:, None]
        root = np.sqrt(u * u + (self.sigma * self.sigma)[:, None])
        b, rho = self.b[:, None], self.rho[:, None]
        w = self.a[:, None] + b * (rho * u + root)
        slope, bend = b * (rho + u / root), b * (self.sigma**2)[:, None] / root**3
        safe = np.where(w > 0.0, w, 1.0)
        g = (1.0 - k * slope / (2.0 * safe)) ** 2 - slope**2 / 4.0 * (1.0 / safe + 0.25)
        return np.where(w > 0.0, g + bend / 2.0, -np.inf)

    def least_variance(self) -> FloatArray:
        """Minimum over all k: a + b sigma sqrt(1 - rho^2)."""
        return self.a + self.b * self.sigma * np.sqrt(1.0 - self.rho**2)


@dataclass(frozen=True, slots=True)
class Curve:
    """y and its two derivatives in x, each with its Jacobian in the parameters (slices, 5, points)."""

    y: FloatArray
    jacobian: FloatArray
    slope: FloatArray
    slope_jacobian: FloatArray
    bend: FloatArray
    bend_jacobian: FloatArray


def raw_slices(p: FloatArray, scale: FloatArray) -> RawSlices:
    """Raw SVI in log-moneyness of normalised rows."""
    left, right, s = np.exp(p[:, 1]), np.exp(p[:, 2]), np.exp(p[:, 4])
    b, rho, m = (left + right) / 2.0, (right - left) / (right + left), p[:, 3]
    a = p[:, 0] - b * (np.sqrt(m * m + s * s) - rho * m)
    return RawSlices(scale * scale * a, scale * b, rho, scale * m, scale * s)


def value_and_jacobian(p: FloatArray, x: FloatArray) -> tuple[FloatArray, FloatArray]:
    """y(x) of shape (slices, points), and dy/dp of shape (slices, 5, points)."""
    left, right = np.exp(p[:, 1:2]) / 2.0, np.exp(p[:, 2:3]) / 2.0
    m, s2 = p[:, 3:4], np.exp(2.0 * p[:, 4:5])
    u = x - m
    z, z0 = np.sqrt(u * u + s2), np.sqrt(m * m + s2)
    rise, both = z - z0, left + right
    jacobian = np.empty((len(x), PARAMETERS, x.shape[1]))
    jacobian[:, 0] = 1.0
    jacobian[:, 1] = left * (rise - x)
    jacobian[:, 2] = right * (rise + x)
    jacobian[:, 3] = both * (-u / z - m / z0)
    jacobian[:, 4] = both * s2 * (1.0 / z - 1.0 / z0)
    return p[:, 0:1] + jacobian[:, 1] + jacobian[:, 2], jacobian


def curve(p: FloatArray, x: FloatArray) -> Curve:
    """y, y', y'' and their Jacobians; for butterfly constraints, where speed matters less."""
    y, jacobian = value_and_jacobian(p, x)
    left, right = np.exp(p[:, 1:2]) / 2.0, np.exp(p[:, 2:3]) / 2.0
    s2 = np.exp(2.0 * p[:, 4:5])
    u = x - p[:, 3:4]
    z2 = u * u + s2
    z = np.sqrt(z2)
    both, q = left + right, u / z
    bend = both * s2 / (z2 * z)
    slope_jacobian, bend_jacobian = np.zeros_like(jacobian), np.zeros_like(jacobian)
    slope_jacobian[:, 1], slope_jacobian[:, 2] = left * (q - 1.0), right * (q + 1.0)
    slope_jacobian[:, 3] = -bend
    slope_jacobian[:, 4] = -both * s2 * u / (z2 * z)
    bend_jacobian[:, 1], bend_jacobian[:, 2] = bend * left / both, bend * right / both
    bend_jacobian[:, 3] = 3.0 * bend * u / z2
    bend_jacobian[:, 4] = bend * (2.0 - 3.0 * s2 / z2)
    slope = slope_jacobian[:, 1] + slope_jacobian[:, 2]
    return Curve(y, jacobian, slope, slope_jacobian, bend, bend_jacobian)


def least_value(p: FloatArray) -> tuple[FloatArray, FloatArray]:
    """The minimum of y over all x (slices, 1), a + b sigma sqrt(1 - rho^2) normalised, and its Jacobian."""
    left, right = np.exp(p[:, 1]) / 2.0, np.exp(p[:, 2]) / 2.0
    m, s = p[:, 3], np.exp(p[:, 4])
    z0, lift = np.sqrt(m * m + s * s), s * np.sqrt(left * right)
    both, tilt = left + right, right - left
    jacobian = np.empty((len(p), PARAMETERS, 1))
    jacobian[:, 0, 0] = 1.0
    jacobian[:, 1, 0] = lift - left * (z0 + m)
    jacobian[:, 2, 0] = lift - right * (z0 - m)
    jacobian[:, 3, 0] = tilt - both * m / z0
    jacobian[:, 4, 0] = 2.0 * lift - both * s * s / z0
    return (p[:, 0] - both * z0 + tilt * m + 2.0 * lift)[:, None], jacobian


def density_factor(
    p: FloatArray, x: FloatArray, scale: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Density factor g at x (slices, points), and its Jacobian; variance is floored at 1e-4 of the scale's square.

    In normalised units g = (1 - x y'/2y)^2 - y'^2/4 (1/y + scale^2/4) + y''/2.
    """
    c = curve(p, x)
    y, quarter = np.maximum(c.y, 1e-4), (scale * scale)[:, None] / 4.0
    inner = 1.0 - x * c.slope / (2.0 * y)
    g = inner**2 - c.slope**2 / 4.0 * (1.0 / y + quarter) + c.bend / 2.0
    by_y = inner * x * c.slope / y**2 + c.slope**2 / (4.0 * y**2)
    by_slope = -inner * x / y - c.slope / 2.0 * (1.0 / y + quarter)
    jacobian = (
        np.where(c.y > 1e-4, by_y, 0.0)[:, None] * c.jacobian
        + by_slope[:, None] * c.slope_jacobian
        + 0.5 * c.bend_jacobian
    )
    return g, jacobian
