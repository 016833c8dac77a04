// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

/* solhint-disable no-inline-assembly, function-max-lines */

import {BlackScholesEdges} from "./BlackScholesEdges.sol";
// solhint-disable-next-line no-global-import
import "./MathsConstants.sol";

/// @title Value of a book of options under a whole grid of spot and volatility shocks.
/// @notice Black (1976) undiscounted, call = F N(d1) - K N(d2), with N from ScenarioTable: absolute error below 1e-7 of
/// the larger of forward and strike per contract. ln(F/K) and sqrt(tau) are taken once per option, the logarithms of the
/// shocks once per grid, which is any number of spot shocks times three volatilities of each option.
/// @dev Two multiplications evaluate a piece: the word c2 2^176 + c1 2^88 + 4 c0 times (2^87 + x)^2, which is
/// 2^174 + x 2^88 + x^2, has c0 + c1 x + c2 x^2 in its top 80 bits. Put = call - F + K is linear and added once per spot shock. Measured with 16
/// options and 23 scenarios, everything included: see docs/maths.md.
library ScenarioKernel {
    /// @dev Grid: number of spot shocks, sum of puts' size x F, sum of puts' size x K, then for each shock its logarithm
    /// (Q64), its factor (Q40) and, for each of three volatilities, the sum of size x call (Q96).
    type Grid is uint256;

    uint256 internal constant TABLE_BYTES = 512 * 32;
    uint256 private constant MIN_S = 0x1000000000000;
    uint256 private constant HALF = 1 << 87;
    /// @dev HALF and the place of deviation 0.
    uint256 private constant CENTRE = (1 << 87) + (1 << 32);

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

    /// @notice An empty grid.
    /// @param factors moved spot / spot, WAD, positive.
    function grid(uint256[] memory factors) internal pure returns (Grid g) {
        uint256 count = factors.length;
        assembly ("memory-safe") {
            let size := add(96, mul(160, count))
            g := mload(0x40)
            mstore(0x40, add(g, size))
            calldatacopy(g, calldatasize(), size)
            mstore(g, count)
        }
        for (uint256 i = 0; i < count; ++i) {
            uint256 factor = factors[i];
            int256 ln = factor < 1e18
                ? -BlackScholesEdges.lnAbove(1e18, factor)
                : BlackScholesEdges.lnAbove(factor, 1e18);
            assembly ("memory-safe") {
                let entry := add(g, add(96, mul(160, i)))
                mstore(entry, sar(64, ln))
                mstore(add(entry, 32), div(shl(40, factor), 1000000000000000000))
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

    function logRatio(uint256 forward, uint256 strike) internal pure returns (int256 k) {
        (k, ) = prepare(forward, strike, 1 days);
    }

    /// @notice Add one option to a grid.
    /// @param base of the table in memory.
    /// @param k, root as of `prepare`.
    /// @param vol, up, down its three volatilities, WAD, at most 10e18.
    /// @param sizedForward size x forward / 1e18.
    /// @param sizedStrike size x strike / 1e18.
    function add(
        uint256 base,
        Grid g,
        bool isCall,
        int256 k,
        uint256 root,
        uint256 vol,
        uint256 up,
        uint256 down,
        int256 sizedForward,
        int256 sizedStrike
    ) internal pure {
        assembly ("memory-safe") {
            if iszero(isCall) {
                mstore(add(g, 32), add(mload(add(g, 32)), sizedForward))
                mstore(add(g, 64), add(mload(add(g, 64)), sizedStrike))
            }
            let end := add(g, add(96, mul(160, mload(g))))
            mstore(0, shr(1, not(0)))
            let scale, half := deviation(vol, root)
            let scaleUp, halfUp := deviation(up, root)
            let scaleDown, halfDown := deviation(down, root)
            let limit := mload(0)
            // The scratch words 0 and 32 hold what is wanted once per spot: the end, and the square of the largest
            // |ln(moved F / K)| at which all three pairs d1, d2 are inside the table.
            mstore(0, end)
            limit := mul(limit, sgt(limit, 0))
            mstore(32, mul(limit, limit))
            sweep(
                add(g, 96),
                k,
                scale,
                half,
                scaleUp,
                halfUp,
                scaleDown,
                halfDown,
                sizedForward,
                shl(40, sizedStrike),
                base
            )
            // Places in the table, Q24: deviations per logarithm in Q64, and half of d1 - d2 = s / 2.
            function deviation(sigma, r) -> slope, h {
                let s := shr(128, mul(sigma, r))
                if lt(s, MIN_S) {
                    s := MIN_S
                }
                slope := div(0x2e8ba2e8ba2e8ba2e8ba2e8ba2e8ba2e8ba2, s)
                h := shr(80, mul(s, 0x1745d1745d))
                // s (11 - s) / 2, less what roundings may take.
                s := sar(81, mul(s, sub(0xafffffe000000000000, s)))
                if slt(s, mload(0)) {
                    mstore(0, s)
                }
            }
            // A function of its own keeps few variables alive; inlined, the loop computed parts again.
            function sweep(entry, lnRatio, slope, h, slopeUp, hUp, slopeDown, hDown, f, strikes, table) {
                for {} lt(entry, mload(0)) {
                    entry := add(entry, 160)
                } {
                    let x := add(lnRatio, mload(entry))
                    let moved := mul(f, mload(add(entry, 32)))
                    if iszero(lt(mul(x, x), mload(32))) {
                        edge(add(entry, 64), mul(x, slope), h, moved, strikes, table)
                        edge(add(entry, 96), mul(x, slopeUp), hUp, moved, strikes, table)
                        edge(add(entry, 128), mul(x, slopeDown), hDown, moved, strikes, table)
                        continue
                    }
                    let c := add(sar(104, mul(x, slope)), CENTRE)
                    let a := add(c, h)
                    c := sub(c, h)
                    a := mul(moved, shr(198, mul(mul(a, a), mload(add(table, and(shr(19, a), 0x3fe0))))))
                    c := mul(strikes, shr(198, mul(mul(c, c), mload(add(table, and(shr(19, c), 0x3fe0))))))
                    mstore(add(entry, 64), add(mload(add(entry, 64)), sub(a, c)))

                    c := add(sar(104, mul(x, slopeUp)), CENTRE)
                    a := add(c, hUp)
                    c := sub(c, hUp)
                    a := mul(moved, shr(198, mul(mul(a, a), mload(add(table, and(shr(19, a), 0x3fe0))))))
                    c := mul(strikes, shr(198, mul(mul(c, c), mload(add(table, and(shr(19, c), 0x3fe0))))))
                    mstore(add(entry, 96), add(mload(add(entry, 96)), sub(a, c)))

                    c := add(sar(104, mul(x, slopeDown)), CENTRE)
                    a := add(c, hDown)
                    c := sub(c, hDown)
                    a := mul(moved, shr(198, mul(mul(a, a), mload(add(table, and(shr(19, a), 0x3fe0))))))
                    c := mul(strikes, shr(198, mul(mul(c, c), mload(add(table, and(shr(19, c), 0x3fe0))))))
                    mstore(add(entry, 128), add(mload(add(entry, 128)), sub(a, c)))
                }
            }
            function edge(sum, c, h, moved, strikes, table) {
                c := add(sar(104, c), 0x100000000)
                // Far below the table, both are nothing.
                if sgt(add(c, h), 0) {
                    let value := mul(moved, read(table, add(c, h)))
                    mstore(sum, add(mload(sum), sub(value, mul(strikes, read(table, sub(c, h))))))
                }
            }
            function read(table, place) -> n {
                place := mul(place, sgt(place, 0))
                n := shl(56, gt(place, 0x1ffffffff))
                if iszero(n) {
                    n := mload(add(table, and(shr(19, place), 0x3fe0)))
                    place := add(place, HALF)
                    n := shr(198, mul(mul(place, place), n))
                }
            }
        }
    }

    /// @notice Sums of size x value at spot shock `i`, at each of the three volatilities, WAD, rounded down.
    function valuesAt(Grid g, uint256 i) internal pure returns (int256 value, int256 up, int256 down) {
        assembly ("memory-safe") {
            let entry := add(g, add(96, mul(160, i)))
            let parity := mul(mload(add(g, 32)), mload(add(entry, 32)))
            parity := shl(56, sub(shl(40, mload(add(g, 64))), parity))
            value := sar(96, add(mload(add(entry, 64)), parity))
            up := sar(96, add(mload(add(entry, 96)), parity))
            down := sar(96, add(mload(add(entry, 128)), parity))
        }
    }
}
