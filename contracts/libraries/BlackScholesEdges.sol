// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

/* solhint-disable no-inline-assembly */
import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
// solhint-disable-next-line no-global-import
import "./MathsConstants.sol";

/// @title What the straight line of BlackScholes leaves aside: refusals, forward / strike outside [3/7, 7/3], times
/// outside [30 minutes, 2 years], and options without time or volatility.
library BlackScholesEdges {
    uint256 internal constant YEAR = 365 days;
    uint256 internal constant MAX_TAU = 3650 days;
    uint256 internal constant MAX_VOL = 10e18;
    uint256 internal constant MAX_PRICE = 0x1000000000000000000000000;
    uint256 internal constant MAX_DISCOUNT = 1e18;
    /// @dev 2^-24 in Q72. Below it the time value is under 2.4e-8 of the forward.
    uint256 internal constant MIN_S = 1 << 48;
    /// @dev ln / s of 1,000 deviations: every density is 0 there.
    int256 private constant CERTAIN = 1000 << 56;

    error ForwardOutOfRange(uint256 forward);
    error StrikeOutOfRange(uint256 strike);
    error VolOutOfRange(uint256 vol);
    error TauOutOfRange(uint256 tau);
    error DiscountOutOfRange(uint256 discount);

    /// @notice Validates, and returns k = ln(F/K) in Q128 and s in Q72 that the straight line can go on with.
    /// @param k the straight line's, right where forward / strike is in its range.
    /// @param s the straight line's, right where tau is in its range.
    function repair(
        bool isCall,
        uint256 forward,
        uint256 strike,
        uint256 vol,
        uint256 tau,
        uint256 discount,
        int256 k,
        uint256 s
    ) internal pure returns (int256, uint256) {
        if (forward == 0 || forward > MAX_PRICE) revert ForwardOutOfRange(forward);
        if (strike == 0 || strike > MAX_PRICE) revert StrikeOutOfRange(strike);
        if (vol > MAX_VOL) revert VolOutOfRange(vol);
        if (tau > MAX_TAU) revert TauOutOfRange(tau);
        if (discount > MAX_DISCOUNT) revert DiscountOutOfRange(discount);
        unchecked {
            if (tau - ROOT_LOW > ROOT_SPAN) s = (vol * Math.sqrt(tau << 126) * ROOT_SCALE) >> 128;
            if (s < MIN_S) {
                // At the money delta is 0: a call takes the side below, a put the side above.
                bool above = isCall ? forward > strike : forward >= strike;
                return (above ? CERTAIN : -CERTAIN, 1);
            }
            if (forward * 3 > strike * 7 || strike * 3 > forward * 7) k = lnFar(forward, strike);
        }
        return (k, s);
    }

    /// @notice ln(F/K) in Q64 of what is above 7/3 of the other; refuses as `repair`.
    function logRatio(uint256 forward, uint256 strike) internal pure returns (int256) {
        if (forward == 0 || forward > MAX_PRICE) revert ForwardOutOfRange(forward);
        if (strike == 0 || strike > MAX_PRICE) revert StrikeOutOfRange(strike);
        return lnFar(forward, strike) >> 64;
    }

    /// @notice sqrt(tau) in Q63; refuses as `repair`.
    function root(uint256 tau) internal pure returns (uint256) {
        if (tau > MAX_TAU) revert TauOutOfRange(tau);
        return Math.sqrt(tau << 126);
    }

    /// @notice ln(F/K) in Q128 for forward and strike below 2^150, one above 7/3 of the other, relative error 1e-16.
    /// @dev high / (4^n low) in [7/12, 7/3] by comparisons; then 2 atanh z as on the straight line.
    function lnFar(uint256 forward, uint256 strike) internal pure returns (int256 k) {
        assembly ("memory-safe") {
            let below := sub(0, lt(forward, strike))
            let high := and(xor(forward, strike), below)
            let low := shl(2, xor(strike, high))
            high := xor(forward, high)
            let fourths := LN4
            let top := mul(3, high)
            if gt(top, mul(7, low)) {
                for {} gt(top, mul(112, low)) {} {
                    low := shl(4, low)
                    fourths := add(fourths, shl(1, LN4))
                }
                if gt(top, mul(28, low)) {
                    low := shl(2, low)
                    fourths := add(fourths, LN4)
                }
                if gt(top, mul(7, low)) {
                    low := shl(2, low)
                    fourths := add(fourths, LN4)
                }
            }
            k := sdiv(shl(96, sub(high, low)), add(high, low))
            let y := shr(96, mul(k, k))
            let w := sub(sub(LN_B3, y), div(LN_A4, sub(LN_B4, y)))
            w := sub(sub(LN_B2, y), div(LN_A3, w))
            w := sub(sub(LN_B1, y), div(LN_A2, w))
            k := add(fourths, sar(64, mul(k, add(LN_C0, div(LN_A1, w)))))
            k := sub(xor(k, below), below)
        }
    }
}
