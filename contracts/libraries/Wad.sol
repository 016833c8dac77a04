// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

/* solhint-disable no-inline-assembly */

/// @title Fixed-point arithmetic with 18 decimals (WAD).
/// @notice Every rounding function names its direction. Signed values round towards zero only where the name says so.
library Wad {
    uint256 internal constant ONE = 1e18;
    int256 internal constant IONE = 1e18;

    /// @dev ln 2 in Q96.
    int256 private constant LN2_Q96 = 54916777467707473351141471128;
    /// @dev exp of anything at or below this rounds down to 0 in WAD.
    int256 private constant EXP_ZERO = -41446531673892822313;
    /// @dev exp of anything above this would not fit the Q96 working range.
    int256 private constant EXP_MAX = 88e18;

    error ExpOverflow(int256 x);
    error LnOfNonPositive(int256 x);
    error LnOutOfRange(uint256 a, uint256 b);
    error IntOverflow(uint256 x);

    function mulDown(uint256 a, uint256 b) internal pure returns (uint256) {
        return (a * b) / ONE;
    }

    function mulUp(uint256 a, uint256 b) internal pure returns (uint256) {
        uint256 p = a * b;
        return p == 0 ? 0 : (p - 1) / ONE + 1;
    }

    function divDown(uint256 a, uint256 b) internal pure returns (uint256) {
        return (a * ONE) / b;
    }

    function divUp(uint256 a, uint256 b) internal pure returns (uint256) {
        uint256 p = a * ONE;
        return p == 0 ? 0 : (p - 1) / b + 1;
    }

    function mulTowardZero(int256 a, int256 b) internal pure returns (int256) {
        return (a * b) / IONE;
    }

    /// @notice Rounds towards minus infinity: against whoever receives the result.
    function mulSignedDown(int256 a, int256 b) internal pure returns (int256 r) {
        int256 p = a * b;
        r = p / IONE;
        if (p % IONE < 0) r -= 1;
    }

    /// @notice Rounds towards plus infinity: against whoever pays the result.
    function mulSignedUp(int256 a, int256 b) internal pure returns (int256 r) {
        int256 p = a * b;
        r = p / IONE;
        if (p % IONE > 0) r += 1;
    }

    function divTowardZero(int256 a, int256 b) internal pure returns (int256) {
        return (a * IONE) / b;
    }

    /// @notice Integer square root, rounded down.
    /// @dev Two powers of two bring x to y in [1, 16); 2/9 (y + 4) is within 11 % of its root and four Newton steps leave
    /// less than one unit. Measured: 210 gas, OpenZeppelin's for any x 630.
    /// @param x below 2^128.
    function rootDown(uint256 x) internal pure returns (uint256 r) {
        assembly ("memory-safe") {
            let shift := shl(6, gt(x, 0xffffffffffffffff))
            shift := or(shift, shl(5, gt(shr(shift, x), 0xffffffff)))
            shift := or(shift, shl(4, gt(shr(shift, x), 0xffff)))
            shift := or(shift, shl(3, gt(shr(shift, x), 0xff)))
            shift := shr(1, or(shift, shl(2, gt(shr(shift, x), 0xf))))
            r := div(shl(1, add(shr(shift, x), shl(shift, 4))), 9)
            r := shr(1, add(r, div(x, r)))
            r := shr(1, add(r, div(x, r)))
            r := shr(1, add(r, div(x, r)))
            r := shr(1, add(r, div(x, r)))
            r := sub(r, gt(r, div(x, r)))
        }
    }

    function abs(int256 x) internal pure returns (uint256) {
        return x < 0 ? uint256(-x) : uint256(x);
    }

    function toInt(uint256 x) internal pure returns (int256) {
        if (x > uint256(type(int256).max)) revert IntOverflow(x);
        return int256(x);
    }

    /// @notice exp(x), relative error below 1e-15 plus one unit in the last place; never falls as x grows.
    /// @dev x = k ln 2 + r with |r| <= ln 2 / 2, and exp(r) = (C + r) / (C - r) with C = r coth(r / 2) as the
    /// continued fraction 2 + r^2 / (6 + r^2 / (10 + r^2 / (14 + r^2 / 18))) (Abramowitz and Stegun 4.2.40 halved).
    /// @param x WAD, at most 88e18.
    function exp(int256 x) internal pure returns (uint256) {
        if (x <= EXP_ZERO) return 0;
        if (x > EXP_MAX) revert ExpOverflow(x);
        int256 q = (x << 96) / IONE;
        int256 k = (q >= 0 ? q + LN2_Q96 / 2 : q - LN2_Q96 / 2) / LN2_Q96;
        int256 r = q - k * LN2_Q96;
        int256 s = r * r; // Q192
        int256 c = (int256(14) << 96) + s / (int256(18) << 96);
        c = (int256(10) << 96) + s / c;
        c = (int256(6) << 96) + s / c;
        c = (int256(2) << 96) + s / c;
        uint256 e = uint256(((c + r) << 96) / (c - r)); // Q96 in [0.7, 1.42]
        uint256 scaled = e * ONE;
        return k >= 96 ? scaled << uint256(k - 96) : scaled >> uint256(96 - k);
    }

    /// @notice Natural logarithm, absolute error below 1e-14.
    /// @dev x = 2^k m with m in about [0.7, 1.42); ln m = 2 atanh z, z = (m - 1) / (m + 1), by its continued fraction
    /// z / (1 - z^2 / (3 - 4 z^2 / (5 - 9 z^2 / (7 - 16 z^2 / (9 - 25 z^2 / (11 - 36 z^2 / 13)))))).
    /// @param x WAD, positive, below 2^150.
    function ln(int256 x) internal pure returns (int256) {
        if (x <= 0) revert LnOfNonPositive(x);
        return lnRatio(uint256(x), ONE);
    }

    /// @notice ln(a / b), absolute error below 1e-14, and relative error below 1e-14 near a = b because nothing is
    /// rounded before a - b. Beyond its domain it reverts: the shifts below would drop bits in silence.
    /// @param a numerator, positive, below 2^150;
    /// @param b denominator, positive, below 2^150, same unit as `a`.
    function lnRatio(uint256 a, uint256 b) internal pure returns (int256) {
        if (a == 0 || b == 0) revert LnOfNonPositive(0);
        if ((a | b) >> 150 != 0) revert LnOutOfRange(a, b);
        int256 k = 0;
        while (a > (b * 3) / 2) {
            b <<= 1;
            ++k;
        }
        while (b > (a * 3) / 2) {
            a <<= 1;
            --k;
        }
        int256 z = ((int256(a) - int256(b)) << 96) / int256(a + b);
        int256 s = z * z; // Q192
        int256 d = (int256(11) << 96) - (36 * s) / (int256(13) << 96);
        d = (int256(9) << 96) - (25 * s) / d;
        d = (int256(7) << 96) - (16 * s) / d;
        d = (int256(5) << 96) - (9 * s) / d;
        d = (int256(3) << 96) - (4 * s) / d;
        d = (int256(1) << 96) - s / d;
        int256 lnQ96 = ((2 * z) << 96) / d + k * LN2_Q96;
        return (lnQ96 * IONE) / (int256(1) << 96);
    }
}
