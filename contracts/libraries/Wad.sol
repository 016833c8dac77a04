// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

/* solhint-disable no-inline-assembly */
import {BlackScholesEdges} from "./BlackScholesEdges.sol";
// solhint-disable-next-line no-global-import
import "./MathsConstants.sol";

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

    /// @notice Natural logarithm, error as of `lnRatio`.
    /// @param x WAD, positive, below 2^150.
    function ln(int256 x) internal pure returns (int256) {
        if (x <= 0) revert LnOfNonPositive(x);
        return lnRatio(uint256(x), ONE);
    }

    /// @notice ln(a / b), relative error below 1e-16 and one unit in the last place: nothing is rounded before a - b.
    /// Beyond its domain it reverts: the shifts below would drop bits in silence.
    /// @dev 2 atanh z, z = (a - b) / (a + b), as in BlackScholes, whose ranges it shares.
    /// @param a numerator, positive, below 2^150;
    /// @param b denominator, positive, below 2^150, same unit as `a`.
    function lnRatio(uint256 a, uint256 b) internal pure returns (int256 k) {
        if (a == 0 || b == 0) revert LnOfNonPositive(0);
        if ((a | b) >> 150 != 0) revert LnOutOfRange(a, b);
        bool far;
        assembly ("memory-safe") {
            k := sdiv(shl(96, sub(a, b)), add(a, b))
            let y := shr(96, mul(k, k))
            far := gt(y, LN_LIMIT)
            let w := sub(sub(LN_B3, y), div(LN_A4, sub(LN_B4, y)))
            w := sub(sub(LN_B2, y), div(LN_A3, w))
            w := sub(sub(LN_B1, y), div(LN_A2, w))
            k := sar(64, mul(k, add(LN_C0, div(LN_A1, w))))
        }
        if (far) k = BlackScholesEdges.lnFar(a, b);
        assembly ("memory-safe") {
            k := sdiv(mul(k, 1000000000000000000), 0x100000000000000000000000000000000)
        }
    }
}
