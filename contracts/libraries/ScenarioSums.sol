// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

/* solhint-disable no-inline-assembly */
import {ScenarioKernel} from "./ScenarioKernel.sol";

/// @title What a grid of ScenarioKernel holds: sums of size x value at each factor and volatility, and their error.
library ScenarioSums {
    uint256 private constant HEADER = 128;
    uint256 private constant ENTRY = 192;
    /// @dev Of N, 1e9 = 100 %: 3.3e-8 in the table, the rest for logarithm, root and rounding.
    uint256 private constant ERROR = 36;

    error ValueOutOfRange(int256 value);

    /// @notice Adds a value that no volatility moves to the sums at factor `i`.
    /// @param value WAD, |value| below 2^200.
    function addAt(ScenarioKernel.Grid g, uint256 i, int256 value) internal pure {
        if (value >> 200 != value >> 255) revert ValueOutOfRange(value);
        assembly ("memory-safe") {
            let entry := add(g, add(HEADER, mul(ENTRY, i)))
            value := shl(16, value)
            mstore(entry, add(mload(entry), value))
            mstore(add(entry, 32), add(mload(add(entry, 32)), value))
            mstore(add(entry, 64), add(mload(add(entry, 64)), value))
        }
    }

    /// @notice The factor itself, WAD.
    function factorAt(ScenarioKernel.Grid g, uint256 i) internal pure returns (uint256 factor) {
        assembly ("memory-safe") {
            factor := mload(add(g, add(add(HEADER, 160), mul(ENTRY, i))))
        }
    }

    /// @notice Value at factor `i`, in a tail at volatility up, elsewhere as it is: WAD, less the kernel's error.
    function valueAt(ScenarioKernel.Grid g, uint256 i) internal pure returns (int256 value) {
        assembly ("memory-safe") {
            let entry := add(g, add(HEADER, mul(ENTRY, i)))
            let parity := sdiv(mul(mload(add(g, 32)), mload(add(entry, 160))), 1000000000000000000)
            value := sar(16, add(mload(entry), shl(16, sub(mload(add(g, 64)), parity))))
        }
        unchecked {
            value -= errorAt(g, i);
        }
    }

    /// @notice The least value over all factors but the tails and over volatilities, WAD, less the kernel's error at the
    /// greatest of them.
    function least(ScenarioKernel.Grid g) internal pure returns (int256 value) {
        uint256 count;
        assembly ("memory-safe") {
            let end := mload(g)
            let puts := mload(add(g, 32))
            let entry := add(g, HEADER)
            count := div(sub(end, entry), ENTRY)
            value := sub(shl(255, 1), 1)
            for {
                entry := add(entry, mul(2, ENTRY))
            } lt(entry, end) {
                entry := add(entry, ENTRY)
            } {
                let sum := mload(entry)
                let other := mload(add(entry, 32))
                sum := xor(sum, mul(xor(sum, other), slt(other, sum)))
                other := mload(add(entry, 64))
                sum := xor(sum, mul(xor(sum, other), slt(other, sum)))
                sum := sub(sar(16, sum), sdiv(mul(puts, mload(add(entry, 160))), 1000000000000000000))
                value := xor(value, mul(xor(value, sum), slt(sum, value)))
            }
            value := add(value, mload(add(g, 64)))
        }
        unchecked {
            value -= errorAt(g, count - 1);
        }
    }

    /// @notice Sums of size x value at factor `i`, at each of the three volatilities, WAD, rounded down; in a tail (0 and
    /// 1) the first is at volatility up and the only one.
    function valuesAt(ScenarioKernel.Grid g, uint256 i) internal pure returns (int256 value, int256 up, int256 down) {
        assembly ("memory-safe") {
            let entry := add(g, add(HEADER, mul(ENTRY, i)))
            let parity := sdiv(mul(mload(add(g, 32)), mload(add(entry, 160))), 1000000000000000000)
            parity := shl(16, sub(mload(add(g, 64)), parity))
            value := sar(16, add(mload(entry), parity))
            up := sar(16, add(mload(add(entry, 32)), parity))
            down := sar(16, add(mload(add(entry, 64)), parity))
        }
    }

    /// @notice What any sum at factor `i` may be too high or too low by, WAD, besides the rounding of what `add` was
    /// given: take it from a sum to round it against the mover.
    function errorAt(ScenarioKernel.Grid g, uint256 i) internal pure returns (int256 bound) {
        assembly ("memory-safe") {
            let factor := mload(add(g, add(add(HEADER, 160), mul(ENTRY, i))))
            factor := add(factor, mul(sub(1000000000000000000, factor), lt(factor, 1000000000000000000)))
            factor := add(mul(mload(add(g, 96)), mul(factor, ERROR)), 999999999999999999999999999)
            bound := div(factor, 1000000000000000000000000000)
        }
    }
}
