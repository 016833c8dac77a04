// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

/* solhint-disable no-inline-assembly, function-max-lines */

import {BlackScholesEdges} from "./BlackScholesEdges.sol";
// solhint-disable-next-line no-global-import
import "./MathsConstants.sol";

/// @title Value of a book of options under a whole grid of spot and volatility shocks.
/// @notice Black (1976) undiscounted, call = F N(d1) - K N(d2), with N from ScenarioTable: absolute error below 1e-7 of
/// the larger of forward and strike per contract. ln(F/K) and sqrt(tau) are taken once per option, the logarithms of the
/// shocks once per grid. A row is the grid at one volatility: pairs of spot shock and running sum.
/// @dev One multiplication evaluates a piece: the word c2 2^176 + c1 2^88 + c0 times 2^176 + f 2^88 + f^2 has
/// c0 + c1 f + c2 f^2 in its top 80 bits. Put = call - F + K is linear and added once per row. Measured with 16
/// options and 23 scenarios, everything included: see docs/maths.md.
library ScenarioKernel {
    /// @dev Row: number of shocks, sum of puts' size x F, sum of puts' size x K, then for each shock its logarithm (Q64),
    /// its factor (Q40) and the sum of size x call (Q96).
    type Row is uint256;

    uint256 internal constant TABLE_BYTES = 512 * 32;
    uint256 private constant MIN_S = 0x1000000000000;

    error TableMissing(address table);

    /// @notice Copy the table into memory.
    function load(address table) internal view returns (uint256 base) {
        if (table.code.length != TABLE_BYTES + 1) revert TableMissing(table);
        assembly ("memory-safe") {
            base := mload(0x40)
            mstore(0x40, add(base, TABLE_BYTES))
            extcodecopy(table, base, 1, TABLE_BYTES)
        }
    }

    /// @notice An empty row.
    /// @param factors moved spot / spot, WAD, positive.
    function row(uint256[] memory factors) internal pure returns (Row r) {
        uint256 count = factors.length;
        assembly ("memory-safe") {
            r := mload(0x40)
            mstore(0x40, add(r, add(96, mul(96, count))))
            mstore(r, count)
            mstore(add(r, 32), 0)
            mstore(add(r, 64), 0)
        }
        for (uint256 i = 0; i < count; ++i) {
            uint256 factor = factors[i];
            int256 ln = factor < 1e18
                ? -BlackScholesEdges.lnAbove(1e18, factor)
                : BlackScholesEdges.lnAbove(factor, 1e18);
            assembly ("memory-safe") {
                let entry := add(r, add(96, mul(96, i)))
                mstore(entry, sar(64, ln))
                mstore(add(entry, 32), div(shl(40, factor), 1000000000000000000))
                mstore(add(entry, 64), 0)
            }
        }
    }

    /// @notice An empty row with the first `count` shocks of another, which has at least as many.
    function emptyCopy(Row from, uint256 count) internal pure returns (Row r) {
        assembly ("memory-safe") {
            let size := add(96, mul(96, count))
            r := mload(0x40)
            mstore(0x40, add(r, size))
            copy(r, from, size)
            mstore(r, count)
            mstore(add(r, 32), 0)
            mstore(add(r, 64), 0)
            for {
                let entry := add(r, 160)
            } lt(entry, add(r, size)) {
                entry := add(entry, 96)
            } {
                mstore(entry, 0)
            }
            function copy(to, source, length) {
                for {
                    let i := 0
                } lt(i, length) {
                    i := add(i, 32)
                } {
                    mstore(add(to, i), mload(add(source, i)))
                }
            }
        }
    }

    /// @notice ln(F/K) in Q64, and sqrt(tau) such that s (Q72) = vol x root / 2^128 for vol in WAD.
    /// @dev The straight line of BlackScholes, without volatility and discount.
    function prepare(uint256 forward, uint256 strike, uint256 tau) internal pure returns (int256 k, uint256 root) {
        bool unusual;
        assembly ("memory-safe") {
            root := add(sub(tau, div(ROOT_A3, add(tau, ROOT_B3))), ROOT_B2)
            root := sub(add(tau, ROOT_B1), div(ROOT_A2, root))
            root := sub(ROOT_C0, div(ROOT_A1, root))
            root := add(root, div(shl(120, tau), root))
            root := add(root, div(shl(122, tau), root))
            root := mul(ROOT_SCALE, add(root, div(shl(124, tau), root)))
            k := sdiv(shl(96, sub(forward, strike)), add(forward, strike))
            let y := shr(96, mul(k, k))
            unusual := or(gt(y, LN_LIMIT), shr(96, sub(or(forward, strike), 1)))
            unusual := or(unusual, gt(sub(tau, ROOT_LOW), ROOT_SPAN))
            let w := sub(sub(LN_B2, y), div(LN_A3, sub(LN_B3, y)))
            w := sub(sub(LN_B1, y), div(LN_A2, w))
            k := sar(128, mul(k, add(LN_C0, div(LN_A1, w))))
        }
        if (unusual) (k, root) = BlackScholesEdges.logAndRoot(forward, strike, tau);
    }

    /// @notice Add one option to a row.
    /// @param base of the table in memory.
    /// @param k, root as of `prepare`.
    /// @param vol WAD, at most 10e18: after this row's shock.
    /// @param sizedForward size x forward / 1e18.
    /// @param sizedStrike size x strike / 1e18.
    function add(
        uint256 base,
        Row r,
        bool isCall,
        int256 k,
        uint256 root,
        uint256 vol,
        int256 sizedForward,
        int256 sizedStrike
    ) internal pure {
        assembly ("memory-safe") {
            if iszero(isCall) {
                mstore(add(r, 32), add(mload(add(r, 32)), sizedForward))
                mstore(add(r, 64), add(mload(add(r, 64)), sizedStrike))
            }
            let s := shr(128, mul(vol, root))
            if lt(s, MIN_S) {
                s := MIN_S
            }
            // Places: deviations x 512 / 11 in Q24 from the table's low end.
            let slope := div(0x2e8ba2e8ba2e8ba2e8ba2e8ba2e8ba2e8ba2, s)
            let half := shr(80, mul(s, 0x1745d1745d))
            sweep(
                add(r, 96),
                add(r, add(96, mul(96, mload(r)))),
                k,
                slope,
                add(0x100000000, half),
                sub(0x100000000, half),
                sizedForward,
                shl(40, sizedStrike),
                base
            )
            // A function of its own keeps few variables alive; inlined, the loop computed parts again.
            function sweep(entry, end, lnRatio, scale, above, below, f, strikes, table) {
                for {} lt(entry, end) {
                    entry := add(entry, 96)
                } {
                    let a := sar(104, mul(add(lnRatio, mload(entry)), scale))
                    let b := add(a, below)
                    a := add(a, above)
                    if shr(33, or(a, b)) {
                        a := clamp(a)
                        b := clamp(b)
                    }
                    let place := and(a, 0xffffff)
                    place := add(mul(place, add(place, shl(88, 1))), shl(176, 1))
                    a := shr(198, mul(place, mload(add(table, shl(5, shr(24, a))))))
                    place := and(b, 0xffffff)
                    place := add(mul(place, add(place, shl(88, 1))), shl(176, 1))
                    b := shr(198, mul(place, mload(add(table, shl(5, shr(24, b))))))
                    a := mul(mul(f, mload(add(entry, 32))), a)
                    let sum := add(entry, 64)
                    mstore(sum, add(mload(sum), sub(a, mul(strikes, b))))
                }
            }
            function clamp(place) -> inside {
                inside := mul(place, sgt(place, 0))
                if gt(inside, 0x1ffffffff) {
                    inside := 0x1ffffffff
                }
            }
        }
    }

    /// @notice Sum of size x value of a row's options at shock `i`, WAD, rounded down.
    function valueAt(Row r, uint256 i) internal pure returns (int256 value) {
        assembly ("memory-safe") {
            let entry := add(r, add(96, mul(96, i)))
            value := mul(mload(add(r, 32)), mload(add(entry, 32)))
            value := sub(shl(40, mload(add(r, 64))), value)
            value := sar(96, add(mload(add(entry, 64)), shl(56, value)))
        }
    }
}
