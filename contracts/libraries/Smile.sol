// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

/* solhint-disable no-inline-assembly */
import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
// solhint-disable-next-line no-global-import
import "./MathsConstants.sol";

/// @title Volatility of an SVI slice for one of many options: Svi.impliedVol, from the scenario kernel's logarithm and
/// with nothing converted on the way.
library Smile {
    /// @notice sqrt(w(k) / tau), WAD per year, rounded down, at most 1,000 %; steps and error as of Svi.
    /// @dev w in Q44 x 31,536,000e36 / 2^44 / tau is the square of the volatility in WAD.
    /// @param slice as of Svi.pack.
    /// @param logRatio ln(F / K) in Q64, below 2^7 in size.
    /// @param tau seconds from the slice's commit to its expiry; 0, and slice 0, for none: its volatility is 0.
    function vol(uint256 slice, int256 logRatio, uint256 tau) internal pure returns (uint256 v) {
        uint256 square;
        bool unusual;
        assembly ("memory-safe") {
            let sigma := and(slice, 0x7ffffffffffff)
            let x := sub(sar(20, sub(0, logRatio)), sar(205, shl(154, slice)))
            let n := add(mul(x, x), mul(sigma, sigma))
            let r := shr(8, mul(215, add(xor(x, sar(255, x)), sigma)))
            r := add(r, div(n, r))
            r := add(r, div(shl(2, n), r))
            r := add(r, div(shl(4, n), r))
            r := add(r, div(shl(6, n), r))
            x := add(sar(40, mul(sar(205, shl(103, slice)), x)), r)
            x := add(sar(48, mul(and(shr(153, slice), 0x7ffffffffffff), x)), sar(205, shl(1, slice)))
            square := div(mul(mul(x, sgt(x, 0)), 1792614057194441556930541992187), tau)
            let y := shr(102, square)
            unusual := gt(sub(y, ROOT_LOW), ROOT_SPAN)
            v := add(sub(y, div(ROOT_A3, add(y, ROOT_B3))), ROOT_B2)
            v := sub(add(y, ROOT_B1), div(ROOT_A2, v))
            v := shr(9, sub(ROOT_C0, div(ROOT_A1, v)))
            v := shr(1, add(v, div(square, v)))
            v := shr(1, add(v, div(square, v)))
            v := shr(1, add(v, div(square, v)))
        }
        if (unusual) v = Math.sqrt(square);
        if (v > 10e18) v = 10e18;
    }
}
