// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

/* solhint-disable no-inline-assembly */
import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {Svi} from "./Svi.sol";

/// @title Static arbitrage and shape of raw SVI slices on a grid, in exact integers.
/// @notice The grid of a slice is k = h s / 2 with s = sqrt(w(0)), one standard deviation of the logarithm, and
/// h = 0, +-1, +-2, +-3, +-4, +-6: three standard deviations either side. All quantities in Q44 unless said otherwise.
/// keeper/pricing/surface_checks.py does the same steps with the same integers.
///
/// Butterfly: g(k) = (1 - k w'/2w)^2 - w'^2/4 (1/w + 1/4) + w''/2 >= 0 at all eleven points (Gatheral and Jacquier
/// (2014), Quantitative Finance 14(1), eq. 2.1). Calendar: total variance of the next expiry is no less at the nine
/// points up to two standard deviations of the nearer one, where it is quoted; both are total variances to their expiry
/// at one moment.
library SviChecks {
    /// @dev Grid points h + 8, one byte each, the first in the lowest.
    uint256 private constant GRID = 0x0e0c0b0a09080706050402;
    int256 private constant CALENDAR_REACH = 4;
    int256 private constant SKEW_AT = 2;
    int256 private constant WING_AT = 6;
    /// @dev Hard ranges, so that no sum of products below leaves 256 bits: |a| <= 16, |m| <= 8, 2^-17 <= sigma <= 8.
    int256 private constant MAX_A = 16 << 44;
    int256 private constant MAX_M = 8 << 44;
    int256 private constant MIN_SIGMA = 1 << 27;
    int256 private constant MAX_SIGMA = 8 << 44;
    /// @dev A shape is w(k)/w(0) in Q14, 22 bits.
    uint256 private constant SHAPE_LIMIT = 1 << 22;

    /// @dev w = a + b (rho x + r), x = k - m, r = sqrt(x^2 + sigma^2).
    struct Raw {
        int256 a;
        int256 b;
        int256 rho;
        int256 m;
        int256 sigma;
    }

    error ButterflyArbitrage(uint40 expiry, int256 k);
    error CalendarArbitrage(uint40 expiry, int256 k, int256 near, int256 far);
    error ShapeOutOfRange(uint40 expiry, int256 k, uint256 ratio);

    /// @notice Reverts unless every field is inside its hard range, variance is nowhere negative and wings are no
    /// steeper than 2 (`Svi.validate`).
    function load(uint256 slice) internal pure returns (Raw memory q) {
        Svi.validate(slice);
        (q.a, q.b, q.rho, q.m, q.sigma) = Svi.unpack(slice);
        if (q.a > MAX_A || q.a < -MAX_A) revert Svi.SliceFieldOutOfRange("a", q.a);
        if (q.m > MAX_M || q.m < -MAX_M) revert Svi.SliceFieldOutOfRange("m", q.m);
        if (q.sigma < MIN_SIGMA || q.sigma > MAX_SIGMA) revert Svi.SliceFieldOutOfRange("sigma", q.sigma);
    }

    /// @notice w(0) of a loaded slice.
    function atTheMoney(Raw memory q) internal pure returns (int256) {
        unchecked {
            return _variance(q, -q.m, _root(-q.m, q.sigma));
        }
    }

    /// @notice One pass over the slice's own grid.
    /// @param near a loaded slice and `atm`, its w(0), positive.
    /// @param far the next expiry's slice, which is not looked at with `last`.
    /// @return shapes w(k)/w(0) in Q14 at -3, -1, 1 and 3 standard deviations, 22 bits each, the first in the highest.
    function scan(
        Raw memory near,
        uint40 expiry,
        int256 atm,
        Raw memory far,
        bool last
    ) internal pure returns (uint256 shapes) {
        unchecked {
            int256 s = int256(Math.sqrt(uint256(atm) << 44));
            for (uint256 left = GRID; left != 0; left >>= 8) {
                int256 h = int256(left & 0xff) - 8;
                int256 k = (h * s) >> 1;
                int256 w = _point(expiry, near, k);
                int256 reach = h < 0 ? -h : h;
                if (reach == SKEW_AT || reach == WING_AT) {
                    uint256 ratio = (uint256(w) << 14) / uint256(atm);
                    if (ratio >= SHAPE_LIMIT) revert ShapeOutOfRange(expiry, k, ratio);
                    shapes = (shapes << 22) | ratio;
                }
                if (last || reach > CALENDAR_REACH) continue;
                int256 x = k - far.m;
                int256 wFar = _variance(far, x, _root(x, far.sigma));
                if (wFar < w) revert CalendarArbitrage(expiry, k, w, wFar);
            }
        }
    }

    /// @dev w(k), which must be positive, as must g(k). With d = x / r: w' = b (rho + d), w'' = b (1 - d^2) / r.
    /// 4 w^2 g, in Q176: (2 w - k w')^2 - w'^2 (w + w^2 / 4) + 2 w^2 w''. Largest term below 2^240.
    function _point(uint40 expiry, Raw memory q, int256 k) private pure returns (int256 w) {
        unchecked {
            int256 x = k - q.m;
            int256 r = _root(x, q.sigma);
            w = _variance(q, x, r);
            int256 d = (x << 48) / r;
            int256 slope = (q.b * (q.rho + d)) >> 44;
            int256 curve = ((q.b * ((1 << 88) - d * d)) >> 40) / r;
            int256 straight = (w << 45) - k * slope;
            int256 square = w * w;
            int256 g = straight * straight - slope * slope * ((w << 44) + (square >> 2)) + ((square * curve) << 45);
            if (w <= 0 || g < 0) revert ButterflyArbitrage(expiry, k);
        }
    }

    /// @param r in Q48.
    function _variance(Raw memory q, int256 x, int256 r) private pure returns (int256) {
        unchecked {
            return q.a + ((q.b * (((q.rho * x) >> 40) + r)) >> 48);
        }
    }

    /// @dev sqrt(x^2 + sigma^2) in Q48 by the steps of `Svi.totalVariance`, so that w is the same number there and here.
    function _root(int256 x, int256 sigma) private pure returns (int256 r) {
        assembly ("memory-safe") {
            let n := add(mul(x, x), mul(sigma, sigma))
            r := shr(8, mul(215, add(xor(x, sar(255, x)), sigma)))
            r := add(r, div(n, r))
            r := add(r, div(shl(2, n), r))
            r := add(r, div(shl(4, n), r))
            r := add(r, div(shl(6, n), r))
        }
    }
}
