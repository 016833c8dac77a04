// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

/* solhint-disable no-inline-assembly */
import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
// solhint-disable-next-line no-global-import
import "./MathsConstants.sol";
import {Wad} from "./Wad.sol";

/// @title Raw SVI slices: w(k) = a + b (rho (k - m) + sqrt((k - m)^2 + sigma^2)), total implied variance.
/// @notice Source: Gatheral and Jacquier (2014), "Arbitrage-free SVI volatility surfaces", Quantitative Finance 14(1),
/// eq. 3.1. Parameters live in one word, five fields of 51 bits in Q44 (resolution 5.7e-14): a, b, rho, m, sigma from
/// the top; a, rho and m are signed.
library Svi {
    uint256 private constant MASK = (1 << 51) - 1;
    int256 private constant MAX_SIGNED = (1 << 50) - 1;
    uint256 private constant Q = 44;
    /// @dev 1,000 %, the greatest that BlackScholes takes.
    uint256 private constant MAX_VOL = 10e18;
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
    /// keeper/pricing/svi.py does the same steps. Measured: 337 gas.
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

    /// @notice Volatility of a slice at log-moneyness k: sqrt(w(k) / tau). WAD, rounded down, at most 1,000 %.
    /// @param tauAtCommit seconds from the commit to the expiry, positive: the slice is total variance over that time.
    function impliedVol(uint256 slice, int256 k, uint256 tauAtCommit) internal pure returns (uint256) {
        return volOf(totalVariance(slice, k), tauAtCommit);
    }

    /// @notice sqrt(w / tau), WAD per year, rounded down, at most 1,000 %.
    /// @dev Volatilities from 10 % on take the seed of BlackScholes' sqrt(tau) and four Newton steps, lesser ones
    /// OpenZeppelin's root, the same integer for 500 gas more.
    /// @param w WAD, below 2^107, which `totalVariance` is.
    /// @param tau seconds, positive.
    function volOf(uint256 w, uint256 tau) internal pure returns (uint256 vol) {
        uint256 square;
        unchecked {
            square = (w * 31_536_000e18) / tau;
        }
        bool unusual;
        assembly ("memory-safe") {
            let y := shr(102, square)
            unusual := gt(sub(y, ROOT_LOW), ROOT_SPAN)
            vol := add(sub(y, div(ROOT_A3, add(y, ROOT_B3))), ROOT_B2)
            vol := sub(add(y, ROOT_B1), div(ROOT_A2, vol))
            vol := shr(9, sub(ROOT_C0, div(ROOT_A1, vol)))
            vol := shr(1, add(vol, div(square, vol)))
            vol := shr(1, add(vol, div(square, vol)))
            vol := shr(1, add(vol, div(square, vol)))
            vol := shr(1, add(vol, div(square, vol)))
            vol := sub(vol, lt(div(square, vol), vol))
        }
        if (unusual) vol = Math.sqrt(square);
        if (vol > MAX_VOL) vol = MAX_VOL;
    }

    /// @notice `impliedVol`, and how it changes along the smile, dvol/dk.
    /// @return vol WAD.
    /// @return slope WAD per 1.00 of k.
    function volAndSlope(
        uint256 slice,
        int256 k,
        uint256 tauAtCommit
    ) internal pure returns (uint256 vol, int256 slope) {
        uint256 w;
        (w, slope) = varianceAndSlope(slice, k);
        vol = volOf(w, tauAtCommit);
        slope = slopeOf(slope, vol, tauAtCommit);
    }

    /// @notice `totalVariance` and its slope w'(k) = b (rho + x / sqrt(x^2 + sigma^2)), x = k - m.
    /// @dev The root serves both; in the slope it leaves an error of 1e-13.
    /// @return w WAD.
    /// @return slope WAD per 1.00 of k, rounded down.
    function varianceAndSlope(uint256 slice, int256 k) internal pure returns (uint256 w, int256 slope) {
        assembly ("memory-safe") {
            let sigma := and(slice, MASK)
            let x := sub(sdiv(shl(44, k), 1000000000000000000), sar(205, shl(154, slice)))
            let n := add(mul(x, x), mul(sigma, sigma))
            let r := shr(8, mul(215, add(xor(x, sar(255, x)), sigma)))
            r := add(r, div(n, r))
            r := add(r, div(shl(2, n), r))
            r := add(r, div(shl(4, n), r))
            r := add(r, div(shl(6, n), r))
            let rho := sar(205, shl(103, slice))
            let b := and(shr(153, slice), MASK)
            slope := sar(88, mul(mul(b, add(rho, sdiv(shl(48, x), r))), 1000000000000000000))
            w := add(sar(48, mul(b, add(sar(40, mul(rho, x)), r))), sar(205, shl(1, slice)))
            w := shr(44, mul(mul(w, sgt(w, 0)), 1000000000000000000))
        }
    }

    /// @notice dvol/dk = w'(k) / (2 vol tau); 0 where the volatility is 0 or at its greatest.
    /// @param slope w'(k), WAD, of `varianceAndSlope` or a mixture of such, below 2^70.
    /// @param vol of `volOf`, with the same tau.
    function slopeOf(int256 slope, uint256 vol, uint256 tau) internal pure returns (int256) {
        if (vol == 0 || vol == MAX_VOL) return 0;
        unchecked {
            return (slope * 31_536_000e18) / int256(2 * vol * tau);
        }
    }

    /// @notice Delta when the surface keeps its shape in k = ln(K / F) while the forward moves (sticky moneyness): the
    /// sticky-strike delta plus vega dvol/dF, with dvol/dF = -dvol/dk / F.
    /// @param delta WAD, sticky strike.
    /// @param vega USD per 1.00 of volatility, WAD.
    /// @param slope dvol/dk, WAD, of `volAndSlope`.
    /// @param forward_ USD, WAD, positive.
    function smileDelta(int256 delta, uint256 vega, int256 slope, uint256 forward_) internal pure returns (int256) {
        return delta - (int256(vega) * slope) / int256(forward_);
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
