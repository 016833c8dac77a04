// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {Wad} from "./Wad.sol";

/// @title Raw SVI slices: w(k) = a + b (rho (k - m) + sqrt((k - m)^2 + sigma^2)), total implied variance.
/// @notice Source: Gatheral and Jacquier (2014), "Arbitrage-free SVI volatility surfaces", Quantitative Finance 14(1),
/// eq. 3.1. Parameters live in one word, five fields of 51 bits in Q44 (resolution 5.7e-14): a, b, rho, m, sigma from
/// the top; a, rho and m are signed.
library Svi {
    uint256 private constant MASK = (1 << 51) - 1;
    int256 private constant MAX_SIGNED = (1 << 50) - 1;
    uint256 private constant Q = 44;

    error SliceFieldOutOfRange(string field, int256 value);
    error SliceNegativeVariance(int256 minimum);
    error SliceWingTooSteep(uint256 wing);

    /// @notice Packs a slice. All arguments WAD. Rounds each to the nearest Q44 unit.
    function pack(int256 a, uint256 b, int256 rho, int256 m, uint256 sigma) internal pure returns (uint256 slice) {
        if (b >= 16e18) revert SliceFieldOutOfRange("b", int256(b));
        if (sigma == 0 || sigma >= 16e18) revert SliceFieldOutOfRange("sigma", int256(sigma));
        if (rho <= -1e18 || rho >= 1e18) revert SliceFieldOutOfRange("rho", rho);
        slice =
            (_toQ("a", a) << 204) |
            (_toQ("b", int256(b)) << 153) |
            (_toQ("rho", rho) << 102) |
            (_toQ("m", m) << 51) |
            _toQ("sigma", int256(sigma));
    }

    /// @notice Reverts unless the slice has non-negative variance everywhere and wings of slope at most 2
    /// (Roger Lee's moment formula): a + b sigma sqrt(1 - rho^2) >= 0 and b (1 + |rho|) <= 2.
    function validate(uint256 slice) internal pure {
        (int256 a, int256 b, int256 rho, , int256 sigma) = unpack(slice);
        if (sigma <= 0) revert SliceFieldOutOfRange("sigma", sigma);
        int256 one = int256(1) << Q;
        if (rho <= -one || rho >= one) revert SliceFieldOutOfRange("rho", rho);
        uint256 root = Math.sqrt(uint256(one * one - rho * rho));
        int256 minimum = a + (b * sigma * int256(root)) / (one * one);
        if (minimum < 0) revert SliceNegativeVariance(minimum);
        uint256 wing = uint256((b * (one + (rho < 0 ? -rho : rho))) / one);
        if (wing > 2 << Q) revert SliceWingTooSteep(wing);
    }

    /// @notice Total variance at log-moneyness k = ln(K / F).
    /// @param k WAD.
    /// @return WAD, rounded down, never negative.
    function totalVariance(uint256 slice, int256 k) internal pure returns (uint256) {
        (int256 a, int256 b, int256 rho, int256 m, int256 sigma) = unpack(slice);
        int256 x = (k << Q) / 1e18 - m;
        int256 root = int256(Math.sqrt(uint256(x * x + sigma * sigma)));
        int256 w = a + (b * ((rho * x) / (int256(1) << Q) + root)) / (int256(1) << Q);
        return w <= 0 ? 0 : (uint256(w) * 1e18) >> Q;
    }

    /// @notice Volatility of a slice at log-moneyness k: sqrt(w(k) / tau). WAD, rounded down, at most 1,000 %.
    /// @param tauAtCommit seconds from the commit to the expiry, positive: the slice is total variance over that time.
    function impliedVol(uint256 slice, int256 k, uint256 tauAtCommit) internal pure returns (uint256 vol) {
        vol = Math.sqrt((totalVariance(slice, k) * 1e18 * 365 days) / tauAtCommit);
        if (vol > 10e18) vol = 10e18;
    }

    /// @notice spot x exp(carry x tau).
    /// @param carry WAD per year.
    /// @param tau seconds.
    function forward(uint256 spot, int256 carry, uint256 tau) internal pure returns (uint256) {
        if (carry == 0) return spot;
        return (spot * Wad.exp((carry * int256(tau)) / int256(365 days))) / 1e18;
    }

    /// @notice The five fields in Q44.
    function unpack(uint256 slice) internal pure returns (int256 a, int256 b, int256 rho, int256 m, int256 sigma) {
        a = _signed(slice >> 204);
        b = int256((slice >> 153) & MASK);
        rho = _signed(slice >> 102);
        m = _signed(slice >> 51);
        sigma = int256(slice & MASK);
    }

    function _toQ(string memory field, int256 value) private pure returns (uint256) {
        int256 q = ((value << Q) + (value < 0 ? -int256(5e17) : int256(5e17))) / 1e18;
        if (q > MAX_SIGNED || q < -MAX_SIGNED) revert SliceFieldOutOfRange(field, value);
        return uint256(q) & MASK;
    }

    function _signed(uint256 field) private pure returns (int256 v) {
        v = int256(field & MASK);
        if (v > MAX_SIGNED) v -= int256(MASK) + 1;
    }
}
