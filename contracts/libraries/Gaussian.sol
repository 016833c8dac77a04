// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {Wad} from "./Wad.sol";

/// @title Standard normal density and distribution function in WAD.
/// @dev Hart (1968), algorithm 5666, as arranged by West (2005), "Better approximations to cumulative normal
/// functions", Wilmott Magazine May 2005, p. 70-76. Absolute error below 1e-15. The upper tail is in [0, 1/2]: every
/// coefficient of 2 n is at most that of d, and b sqrt(2 pi) is above 2. N does not fall at the two breakpoints, SPLIT
/// and TAIL_ZERO. tests/contracts/test_maths_wad.py checks both statements.
library Gaussian {
    /// @dev 1 / sqrt(2 pi).
    uint256 internal constant INV_SQRT_2PI = 398942280401432678;
    /// @dev Beyond this |x| the tail is below one unit in the last place.
    uint256 private constant TAIL_ZERO = 9e18;
    uint256 private constant SPLIT = 7071067811865475000;
    uint256 private constant SQRT_2PI = 2506628274631000502;

    /// @notice phi(x) = exp(-x^2 / 2) / sqrt(2 pi).
    /// @param x WAD.
    /// @return WAD, rounded down.
    function pdf(int256 x) internal pure returns (uint256) {
        return Wad.mulDown(halfSquareExp(Wad.abs(x)), INV_SQRT_2PI);
    }

    /// @notice N(x).
    /// @param x WAD, any.
    /// @return WAD in [0, 1e18].
    function cdf(int256 x) internal pure returns (uint256) {
        uint256 z = Wad.abs(x);
        uint256 tail = upperTail(z, halfSquareExp(z));
        return x > 0 ? Wad.ONE - tail : tail;
    }

    /// @notice exp(-z^2 / 2).
    /// @param z WAD, non-negative.
    function halfSquareExp(uint256 z) internal pure returns (uint256) {
        if (z > TAIL_ZERO) return 0;
        return Wad.exp(-int256((z * z) / 2e18));
    }

    /// @notice N(-z) for z >= 0 when e = exp(-z^2 / 2) is already known.
    function upperTail(uint256 z, uint256 e) internal pure returns (uint256) {
        if (z > TAIL_ZERO || e == 0) return 0;
        if (z < SPLIT) {
            uint256 n = 35262496599891100;
            n = (n * z) / 1e18 + 700383064443688000;
            n = (n * z) / 1e18 + 6373962203531650000;
            n = (n * z) / 1e18 + 33912866078383000000;
            n = (n * z) / 1e18 + 112079291497871000000;
            n = (n * z) / 1e18 + 221213596169931000000;
            n = (n * z) / 1e18 + 220206867912376000000;
            uint256 d = 88388347648318400;
            d = (d * z) / 1e18 + 1755667163182640000;
            d = (d * z) / 1e18 + 16064177579207000000;
            d = (d * z) / 1e18 + 86780732202946100000;
            d = (d * z) / 1e18 + 296564248779674000000;
            d = (d * z) / 1e18 + 637333633378831000000;
            d = (d * z) / 1e18 + 793826512519948000000;
            d = (d * z) / 1e18 + 440413735824752000000;
            return (e * n) / d;
        }
        uint256 b = z + 65e16;
        b = z + 4e36 / b;
        b = z + 3e36 / b;
        b = z + 2e36 / b;
        b = z + 1e36 / b;
        return (e * 1e36) / (b * SQRT_2PI);
    }
}
