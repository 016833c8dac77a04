// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

/* solhint-disable no-inline-assembly, function-max-lines */
import {Svi} from "./Svi.sol";

/// @title Static arbitrage and shape of raw SVI slices on a grid, in exact integers.
/// @notice The grid of a slice is k = h s / 2 with s = sqrt(w(0)), one standard deviation of the logarithm, and
/// h = 0, +-1, +-2, +-4, +-6: three standard deviations either side. All quantities in Q44 unless said otherwise.
/// keeper/pricing/surface_checks.py does the same steps with the same integers.
///
/// Butterfly: g(k) = (1 - k w'/2w)^2 - w'^2/4 (1/w + 1/4) + w''/2 >= 0 at all nine points (Gatheral and Jacquier
/// (2014), Quantitative Finance 14(1), eq. 2.1). Calendar: total variance of the next expiry is no less at h = 0, +-2
/// and +-4 of the nearer one, where it is quoted; both are total variances to their expiry at one moment.
library SviChecks {
    /// @dev One byte a point, the first in the lowest: h + 8, with SHAPE where w(k)/w(0) is kept and CALENDAR where the
    /// next expiry is looked at.
    uint256 private constant GRID = 0x1e2c3a092807362412;
    uint256 private constant SHAPE = 0x10;
    uint256 private constant CALENDAR = 0x20;
    uint256 private constant BUTTERFLY_FAULT = 1;
    uint256 private constant CALENDAR_FAULT = 2;
    uint256 private constant SHAPE_FAULT = 3;
    uint256 private constant FAULT_SHIFT = 248;
    /// @dev Hard ranges, so that no product below leaves 256 bits: |a| <= 16, |m| <= 8, 2^-17 <= sigma <= 8, and b <= 2
    /// by the wings. The largest term of g stays below 2^240.
    int256 private constant MAX_A = 16 << 44;
    int256 private constant MAX_M = 8 << 44;
    int256 private constant MIN_SIGMA = 1 << 27;
    int256 private constant MAX_SIGMA = 8 << 44;
    int256 private constant ONE = 1 << 44;
    /// @dev A shape is w(k)/w(0) in Q14, 22 bits.
    uint256 private constant SHAPE_LIMIT = 1 << 22;

    /// @dev w = a + b (rho x + r), x = k - m, r = sqrt(x^2 + sigma^2); `measure` sets `atm` to w(0) and `deviation` to
    /// its root.
    struct Raw {
        int256 a;
        int256 b;
        int256 rho;
        int256 m;
        int256 sigma;
        int256 atm;
        int256 deviation;
    }

    using SviChecks for Raw;

    error ButterflyArbitrage(uint40 expiry, int256 k);
    error CalendarArbitrage(uint40 expiry, int256 k, int256 near, int256 far);
    error ShapeOutOfRange(uint40 expiry, int256 k);

    /// @notice Reverts unless every field is inside its hard range, variance is nowhere negative and wings are no
    /// steeper than 2 (`Svi.validate`).
    function load(uint256 slice) internal pure returns (Raw memory q) {
        int256 a;
        int256 b;
        int256 rho;
        int256 m;
        int256 sigma;
        assembly ("memory-safe") {
            a := sar(205, shl(1, slice))
            b := and(shr(153, slice), 0x7ffffffffffff)
            rho := sar(205, shl(103, slice))
            m := sar(205, shl(154, slice))
            sigma := and(slice, 0x7ffffffffffff)
        }
        if (a > MAX_A || a < -MAX_A) revert Svi.SliceFieldOutOfRange("a", a);
        if (m > MAX_M || m < -MAX_M) revert Svi.SliceFieldOutOfRange("m", m);
        if (sigma < MIN_SIGMA || sigma > MAX_SIGMA) revert Svi.SliceFieldOutOfRange("sigma", sigma);
        unchecked {
            bool sound = rho > -ONE && rho < ONE && b * (ONE + (rho < 0 ? -rho : rho)) <= 2 << 88;
            if (sound && a < 0) {
                // Squared, so that the usual slice needs no root; two units apart from the line the root decides.
                int256 scale = (b * sigma) >> 44;
                sound = (2 - a) * (2 - a) * (1 << 88) <= scale * scale * ((1 << 88) - rho * rho);
            }
            if (!sound) Svi.validate(slice);
        }
        (q.a, q.b, q.rho, q.m, q.sigma) = (a, b, rho, m, sigma);
    }

    /// @notice w(k) of a loaded slice.
    function variance(Raw memory q, int256 k) internal pure returns (int256 w) {
        assembly ("memory-safe") {
            let x := sub(k, mload(add(q, 0x60)))
            let r := mload(add(q, 0x80))
            let n := add(mul(x, x), mul(r, r))
            r := shr(8, mul(215, add(xor(x, sar(255, x)), r)))
            r := add(r, div(n, r))
            r := add(r, div(shl(2, n), r))
            r := add(r, div(shl(4, n), r))
            r := add(r, div(shl(6, n), r))
            r := add(sar(40, mul(mload(add(q, 0x40)), x)), r)
            w := add(mload(q), sar(48, mul(mload(add(q, 0x20)), r)))
        }
    }

    /// @notice Sets the scale of the grid, sqrt(w(0)) to one part in 1,000, and w(0) itself. Positive w(0) only.
    function measure(Raw memory q, int256 atm) internal pure {
        q.atm = atm;
        assembly ("memory-safe") {
            // atm x 2^44 lies in [2^44, 2^98]: a power of two within a factor of 4 of its root, then Newton.
            let n := shl(44, atm)
            let e := shl(5, lt(0xffffffffffffffffffff, n))
            e := add(e, shl(4, lt(0xffffffffffffffff, shr(e, n))))
            e := add(e, shl(3, lt(0xffffffffffffff, shr(e, n))))
            e := add(e, shl(2, lt(0xfffffffffffff, shr(e, n))))
            let r := shl(add(24, shr(1, e)), 1)
            r := shr(1, add(r, div(n, r)))
            r := shr(1, add(r, div(n, r)))
            r := shr(1, add(r, div(n, r)))
            r := shr(1, add(r, div(n, r)))
            r := shr(1, add(r, div(n, r)))
            mstore(add(q, 0xc0), r)
        }
    }

    /// @notice One pass over the slice's own grid.
    /// @param near a loaded slice with its w(0), positive, and the root of that.
    /// @param far the next expiry's slice, which is not looked at with `last`.
    /// @return w(k)/w(0) in Q14 at -3, -1, 1 and 3 standard deviations, 22 bits each, the first in the highest.
    function scan(Raw memory near, uint40 expiry, Raw memory far, bool last) internal pure returns (uint256) {
        (uint256 shapes, int256 k) = _pass(near, far, last ? 0 : CALENDAR);
        uint256 fault = shapes >> FAULT_SHIFT;
        if (fault == 0) return shapes;
        if (fault == BUTTERFLY_FAULT) revert ButterflyArbitrage(expiry, k);
        if (fault == SHAPE_FAULT) revert ShapeOutOfRange(expiry, k);
        revert CalendarArbitrage(expiry, k, near.variance(k), far.variance(k));
    }

    /// @dev With d = x / r: w' = b (rho + d), w'' = b (1 - d^2) / r, and 4 w^2 g, in Q176, is
    /// (2 w - k w')^2 - w'^2 (w + w^2 / 4) + 2 w^2 w''. Roots as in `Svi.totalVariance`, written out because a call
    /// each would be a tenth of a commit. `shapes` above FAULT_SHIFT is what is wrong at k.
    function _pass(Raw memory near, Raw memory far, uint256 calendar) private pure returns (uint256 shapes, int256 k) {
        assembly ("memory-safe") {
            let sigma := mload(add(near, 0x80))
            let b := mload(add(near, 0x20))
            let rho := mload(add(near, 0x40))
            for {
                let left := GRID
            } left {
                left := shr(8, left)
            } {
                k := sar(1, mul(sub(and(left, 0xf), 8), mload(add(near, 0xc0))))
                let x := sub(k, mload(add(near, 0x60)))
                let r := add(mul(x, x), mul(sigma, sigma))
                let w := shr(8, mul(215, add(xor(x, sar(255, x)), sigma)))
                w := add(w, div(r, w))
                w := add(w, div(shl(2, r), w))
                w := add(w, div(shl(4, r), w))
                r := add(w, div(shl(6, r), w))
                // Through scratch memory, else the optimiser works w and the slope out anew at each use.
                mstore(0x00, add(mload(near), sar(48, mul(b, add(sar(40, mul(rho, x)), r)))))
                w := mload(0x00)
                x := sdiv(shl(48, x), r)
                mstore(0x20, sar(44, mul(b, add(rho, x))))
                // The curve's term is never negative, and seldom needed.
                let slope := mload(0x20)
                let g := sub(shl(45, w), mul(k, slope))
                g := sub(mul(g, g), mul(mul(slope, slope), add(shl(44, w), shr(2, mul(w, w)))))
                if slt(g, 0) {
                    x := sdiv(sar(40, mul(b, sub(shl(88, 1), mul(x, x)))), r)
                    g := add(g, shl(45, mul(mul(w, w), x)))
                }
                if or(slt(g, 0), slt(w, 1)) {
                    shapes := shl(FAULT_SHIFT, BUTTERFLY_FAULT)
                    break
                }
                if and(left, SHAPE) {
                    r := div(shl(14, w), mload(add(near, 0xa0)))
                    if iszero(lt(r, SHAPE_LIMIT)) {
                        shapes := shl(FAULT_SHIFT, SHAPE_FAULT)
                        break
                    }
                    shapes := or(shl(22, shapes), r)
                }
                if and(left, calendar) {
                    x := sub(k, mload(add(far, 0x60)))
                    let s := mload(add(far, 0x80))
                    let n := add(mul(x, x), mul(s, s))
                    r := shr(8, mul(215, add(xor(x, sar(255, x)), s)))
                    r := add(r, div(n, r))
                    r := add(r, div(shl(2, n), r))
                    r := add(r, div(shl(4, n), r))
                    r := add(r, div(shl(6, n), r))
                    r := add(sar(40, mul(mload(add(far, 0x40)), x)), r)
                    if slt(add(mload(far), sar(48, mul(mload(add(far, 0x20)), r))), w) {
                        shapes := shl(FAULT_SHIFT, CALENDAR_FAULT)
                        break
                    }
                }
            }
        }
    }
}
