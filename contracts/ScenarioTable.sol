// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

/* solhint-disable no-inline-assembly, no-complex-fallback, contract-name-capwords */

import {Gaussian} from "./libraries/Gaussian.sol";
import {ScenarioSweep} from "./libraries/ScenarioSweep.sol";

/// @title The normal distribution function in 512 quadratic pieces over +-5.5, as the code of a contract.
/// @notice Not callable: its code is data, read with EXTCODECOPY by ScenarioKernel. A zero byte (STOP), then one word
/// for each piece: c2 2^176 + c1 2^88 + 4 c0, all signed, where N = (c0 + c1 x + c2 x^2) / 2^78 and x is the place in
/// the whole table, in units of a piece / 2^24, counted from ScenarioSweep.TABLE_AT before its first. Each piece meets N at both ends and in its middle, so the whole is
/// continuous; its error is below max|N'''| width^3 / (72 sqrt 3) = 3.2e-8.
contract ScenarioTable {
    uint256 private constant PIECES = 512;
    int256 private constant RANGE = 55e17;

    constructor() {
        bytes memory code = new bytes(1 + 32 * PIECES);
        uint256 start = Gaussian.cdf(-RANGE);
        for (uint256 i = 0; i < PIECES; ++i) {
            uint256 middle = Gaussian.cdf(_at(2 * i + 1));
            uint256 end = Gaussian.cdf(_at(2 * i + 2));
            uint256 word = _word(
                int256(start),
                int256(middle),
                int256(end),
                int256((i << 24) + (ScenarioSweep.TABLE_AT << 19))
            );
            assembly ("memory-safe") {
                mstore(add(add(code, 33), shl(5, i)), word)
            }
            start = end;
        }
        assembly ("memory-safe") {
            return(add(code, 32), mload(code))
        }
    }

    /// @dev Where half-piece `i` begins.
    function _at(uint256 i) private pure returns (int256) {
        return (2 * RANGE * int256(i)) / int256(2 * PIECES) - RANGE;
    }

    /// @dev c1 takes up what rounding c2 left, so that the piece still ends where the next begins. Fitted from the
    /// piece's own start, then moved there from the table's by exact integers. 2^38 (9e-13) is more than the noise
    /// that the kernel's product carries in from below, so that no value is negative.
    function _word(int256 start, int256 middle, int256 end, int256 from) private pure returns (uint256) {
        int256 c0 = (start << 78) / 1e18 + (1 << 38);
        int256 c2 = ((2 * (start + end) - 4 * middle) << 30) / 1e18;
        int256 c1 = (((end - start) << 78) / 1e18 - (c2 << 48)) >> 24;
        c0 += (c2 * from - c1) * from;
        c1 -= 2 * c2 * from;
        return uint256((c2 << 176) + (c1 << 88) + 4 * c0);
    }
}
