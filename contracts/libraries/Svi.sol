// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

/* solhint-disable no-inline-assembly */
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
    int256 internal constant MAX_LOG_MONEYNESS = 1 << 100;

    error SliceFieldOutOfRange(string field, int256 value);
    error SliceNegativeVariance(int256 minimum);
    error SliceWingTooSteep(uint256 wing);
    error LogMoneynessOutOfRange(int256 k);

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
    /// @dev With S = |x| + sigma, sqrt(x^2 + sigma^2) lies in [S / sqrt 2, S]: four Newton steps from 0.84 S,
    /// each doubling the unit, leave a relative error of 2e-17. Error: a few units of Q44 from rounding down.
    /// keeper/pricing/svi.py does the same steps. Measured: 310 gas.
    /// @param k WAD, |k| < 2^100, which every logarithm of a ratio is; `checkedLogMoneyness` for any other.
    /// @return w WAD, rounded down, never negative.
    function totalVariance(uint256 slice, int256 k) internal pure returns (uint256 w) {
        assembly ("memory-safe") {
            let sigma := and(slice, MASK)
            let x := sub(sdiv(shl(44, k), 1000000000000000000), sar(205, shl(154, slice)))
            let n := add(mul(x, x), mul(sigma, sigma))
            let r := shr(8, mul(215, add(xor(x, sar(255, x)), sigma)))
            r := add(r, div(n, r))
            r := add(r, div(shl(2, n), r))
            r := add(r, div(shl(4, n), r))
            r := add(r, div(shl(6, n), r))
            x := add(sar(40, mul(sar(205, shl(103, slice)), x)), r)
            w := add(sar(48, mul(and(shr(153, slice), MASK), x)), sar(205, shl(1, slice)))
            w := shr(44, mul(mul(w, sgt(w, 0)), 1000000000000000000))
        }
    }

    /// @notice The same k, or an error where `totalVariance` would overflow.
    function checkedLogMoneyness(int256 k) internal pure returns (int256) {
        if (k >= MAX_LOG_MONEYNESS || k <= -MAX_LOG_MONEYNESS) revert LogMoneynessOutOfRange(k);
        return k;
    }

    /// @notice dw/dk = b (rho + x / sqrt(x^2 + sigma^2)). WAD, towards zero.
    function slope(uint256 slice, int256 k) internal pure returns (int256) {
        (, int256 b, int256 rho, int256 m, int256 sigma) = unpack(slice);
        int256 one = int256(1) << Q;
        int256 x = (k << Q) / 1e18 - m;
        int256 root = int256(Math.sqrt(uint256(x * x + sigma * sigma)));
        int256 direction = root == int256(0) ? int256(0) : (x * one) / root;
        return ((b * (rho + direction)) * 1e18) / (one * one);
    }

    /// @notice Delta when the surface keeps its shape in ln(K / F) while the forward moves: the sticky-strike delta
    /// plus vega dvol/dF, with dvol/dF = -w'(k) / (2 vol tau F). Exactly `delta` without volatility.
    /// @param delta WAD, sticky strike.
    /// @param vega USD per 1.00 of volatility, WAD.
    /// @param slope_ dw/dk of the slice, WAD.
    /// @param tauAtCommit seconds over which the slice is total variance.
    function smileDelta(
        int256 delta,
        uint256 vega,
        int256 slope_,
        uint256 forward_,
        uint256 vol,
        uint256 tauAtCommit
    ) internal pure returns (int256) {
        if (vol == 0) return delta;
        int256 perForward = (slope_ * 1e18 * int256(365 days)) / int256(2 * vol * tauAtCommit);
        return delta - (int256(vega) * perForward) / int256(forward_);
    }

    /// @notice Volatility of a slice at log-moneyness k: sqrt(w(k) / tau). WAD, rounded down, at most 1,000 %.
    /// @param tauAtCommit seconds from the commit to the expiry, positive: the slice is total variance over that time.
    function impliedVol(uint256 slice, int256 k, uint256 tauAtCommit) internal pure returns (uint256 vol) {
        uint256 square = (totalVariance(slice, k) * 1e18 * 365 days) / tauAtCommit;
        vol = square < 1e38 ? Wad.rootDown(square) : 10e18;
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
