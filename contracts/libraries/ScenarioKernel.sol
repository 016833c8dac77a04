// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

/* solhint-disable no-inline-assembly, function-max-lines */

import {BlackScholesEdges} from "./BlackScholesEdges.sol";
import {ScenarioSweep} from "./ScenarioSweep.sol";
// solhint-disable-next-line no-global-import
import "./MathsConstants.sol";

/// @title Value of a book of options under a grid of spot and volatility shocks.
/// @notice Two tails, extreme moves of the spot at volatility up alone, and moves at three volatilities of
/// each option: 2 + 7 factors are 23 scenarios. Black (1976) undiscounted, call = F N(d1) - K N(d2), with N from
/// ScenarioTable; put = call - F + K, added once for each spot. The error is below 1e-7 of the larger of forward and
/// strike a contract, and ScenarioSums.errorAt bounds that of a sum. Use: load, grid, for each option logRatio, rootOf and
/// add, then ScenarioSums. ln(F/K) and sqrt(tau) are taken once per option, the logarithms of the shocks once per grid.
/// @dev ScenarioSweep does the sum. Measured, 16 options and 23 scenarios with all that belongs to it: docs/maths.md.
library ScenarioKernel {
    /// @dev Grid: its end, sums over puts of size x F and size x K, sum of |size| (F + K); then for each spot the sums
    /// of size x call at the three volatilities, its logarithm as a place, 2^40 / factor, its factor.
    type Grid is uint256;

    uint256 internal constant TABLE_BYTES = 512 * 32;
    uint256 internal constant MIN_FACTOR = 1e15;
    uint256 private constant FACTOR_SPAN = 999999000000000000000;
    uint256 private constant TAILS = 2;
    uint256 private constant HEADER = 128;
    uint256 private constant ENTRY = 192;

    error TableMissing(address table);
    error TableTooLate(uint256 used);
    error FactorOutOfRange(uint256 factor);
    error FactorsNotAscending(uint256 factor);

    /// @notice Copies the table to its place in memory. Before anything else is put there: else it is refused.
    function load(address table) internal view {
        uint256 used;
        assembly ("memory-safe") {
            used := mload(0x40)
        }
        if (used > ScenarioSweep.TABLE_AT) revert TableTooLate(used);
        uint256 at = ScenarioSweep.TABLE_AT;
        assembly ("memory-safe") {
            mstore(0x40, add(at, TABLE_BYTES))
            extcodecopy(table, at, 1, TABLE_BYTES)
            // The last is the distribution function of a large number; behind another contract's code there are zeros.
            used := mload(sub(add(at, TABLE_BYTES), 32))
        }
        if (used == 0) revert TableMissing(table);
    }

    /// @notice Reverts where `grid` would not take these factors.
    function checkFactors(uint256[] memory factors) internal pure {
        for (uint256 i = 0; i < factors.length; ++i) {
            uint256 factor = factors[i];
            if (factor < MIN_FACTOR || factor > MIN_FACTOR + FACTOR_SPAN) revert FactorOutOfRange(factor);
            if (i > TAILS && factor < factors[i - 1]) revert FactorsNotAscending(factor);
        }
    }

    /// @notice An empty grid.
    /// @dev Checks nothing: margin asks for a grid in every call, and its factors follow from parameters in hard ranges.
    /// @param factors moved spot / spot, WAD, 0.001 to 1,000: the two tails, then the moves, ascending.
    function grid(uint256[] memory factors) internal pure returns (Grid g) {
        uint256 entry;
        uint256 end;
        assembly ("memory-safe") {
            g := mload(0x40)
            entry := add(g, HEADER)
            end := add(entry, mul(ENTRY, mload(factors)))
            mstore(0x40, add(end, 128))
            calldatacopy(g, calldatasize(), sub(mload(0x40), g))
            mstore(g, end)
            // Behind the last spot, a logarithm beyond every limit ends the sweep.
            mstore(add(end, 96), shl(128, 1))
        }
        uint256 at;
        while (entry != end) {
            uint256 factor;
            assembly ("memory-safe") {
                at := add(at, 32)
                factor := mload(add(factors, at))
            }
            int256 k = logRatio(factor, 1e18);
            assembly ("memory-safe") {
                mstore(add(entry, 96), sar(64, mul(k, LN_PLACE)))
                mstore(add(entry, 128), div(1099511627776000000000000000000, factor))
                mstore(add(entry, 160), factor)
                entry := add(entry, ENTRY)
            }
        }
    }

    /// @notice ln(F/K) in Q64, relative error 6e-14.
    /// @dev As on the straight line of BlackScholes.
    function logRatio(uint256 forward, uint256 strike) internal pure returns (int256 k) {
        bool unusual;
        assembly ("memory-safe") {
            k := sdiv(shl(96, sub(forward, strike)), add(forward, strike))
            let y := shr(96, mul(k, k))
            unusual := or(gt(y, LN_LIMIT), shr(96, sub(or(forward, strike), 1)))
            let w := sub(sub(LN_B3, y), div(LN_A4, sub(LN_B4, y)))
            w := sub(sub(LN_B2, y), div(LN_A3, w))
            w := sub(sub(LN_B1, y), div(LN_A2, w))
            k := sar(128, mul(k, add(LN_C0, div(LN_A1, w))))
        }
        if (unusual) k = BlackScholesEdges.logRatio(forward, strike);
    }

    /// @notice sqrt(tau) such that vol x root / 2^160 is h of ScenarioSweep.
    function rootOf(uint256 tau) internal pure returns (uint256 root) {
        bool unusual;
        assembly ("memory-safe") {
            root := add(sub(tau, div(ROOT_A3, add(tau, ROOT_B3))), ROOT_B2)
            root := sub(add(tau, ROOT_B1), div(ROOT_A2, root))
            root := sub(ROOT_C0, div(ROOT_A1, root))
            root := add(root, div(shl(120, tau), root))
            root := add(root, div(shl(122, tau), root))
            root := mul(ROOT_PLACE, add(root, div(shl(124, tau), root)))
            unusual := gt(sub(tau, ROOT_LOW), ROOT_SPAN)
        }
        if (unusual) root = BlackScholesEdges.root(tau) * ROOT_PLACE;
    }

    /// @notice Adds calls of one series to a grid.
    /// @param k, root as of `logRatio` and `rootOf`.
    /// @param vol, up, down its three volatilities, WAD, at most 10e18, down <= vol <= up.
    /// @param sizedForward size x forward / 1e18, |size| up to 2^127 and forward up to 2^96.
    /// @param sizedStrike size x strike / 1e18.
    function add(
        Grid g,
        int256 k,
        uint256 root,
        uint256 vol,
        uint256 up,
        uint256 down,
        int256 sizedForward,
        int256 sizedStrike
    ) internal pure {
        assembly ("memory-safe") {
            let notional := add(sizedForward, sizedStrike)
            mstore(add(g, 96), add(mload(add(g, 96)), xor(notional, sar(255, notional))))
        }
        ScenarioSweep.add(Grid.unwrap(g), k, root, vol, up, down, sizedForward, sizedStrike);
    }

    /// @notice Makes puts of as many calls that were added: put = call - F + K.
    /// @param sizedForward, sizedStrike of the puts, as of `add`.
    function turn(Grid g, int256 sizedForward, int256 sizedStrike) internal pure {
        assembly ("memory-safe") {
            mstore(add(g, 32), add(mload(add(g, 32)), sizedForward))
            mstore(add(g, 64), add(mload(add(g, 64)), sizedStrike))
        }
    }
}
