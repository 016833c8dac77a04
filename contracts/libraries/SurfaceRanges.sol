// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

/* solhint-disable no-inline-assembly */
import {IVolSurface} from "../interfaces/IVolSurface.sol";

/// @title Hard ranges of the surface's parameters, as a table: twenty-two tests in code are four times its size.
library SurfaceRanges {
    uint256 private constant FIELDS = 22;

    /// @notice Reverts with the first field that is outside its range.
    function check(IVolSurface.SurfaceParameters memory p) internal pure {
        uint256[FIELDS] memory rows = _rows();
        for (uint256 i = 0; i < FIELDS; ++i) {
            uint256 value;
            // A struct in memory is one word a field, in order.
            assembly ("memory-safe") {
                value := mload(add(p, mul(32, i)))
            }
            _inRange(bytes16(bytes32(rows[i])), value, uint64(rows[i] >> 64), uint64(rows[i]));
        }
        _inRange("maxVol", p.maxVol, p.minVol, type(uint64).max);
        _inRange("hedgeMaxAge", p.hedgeMaxAge, p.openMaxAge, p.closeMaxAge);
    }

    function _rows() private pure returns (uint256[FIELDS] memory) {
        return
            [
                _row("minVol", 1e16, 1e18),
                _row("maxVol", 1e16, 8e18),
                _row("maxCarry", 0, 1e18),
                _row("maxSpotDeviation", 1e14, 1e17),
                _row("levelRate", 4e16, 2e18),
                _row("skewRate", 2e16, 2e18),
                _row("wingRate", 2e16, 1e19),
                _row("forwardRate", 1e14, 5e16),
                _row("realisedLow", 0, 8e17),
                _row("realisedHigh", 12e17, 18e18),
                _row("creditCap", 10 minutes, 1 days),
                _row("referenceAge", 5 minutes, 1 days),
                _row("minTenor", 10 minutes, 1 days),
                _row("realisedSamples", 1, 1000),
                _row("realisedMaxDays", 1, 30),
                _row("listingCredit", 1 hours, 7 days),
                _row("openMaxAge", 1 minutes, 1 days),
                _row("hedgeMaxAge", 1 minutes, 7 days),
                _row("closeMaxAge", 1 days, 365 days),
                _row("dailyDays", 1, 400),
                _row("weeklyDays", 7, 400),
                _row("monthlyDays", 7, 1000)
            ];
    }

    function _row(bytes16 name, uint64 low, uint64 high) private pure returns (uint256) {
        return uint256(bytes32(name)) | (uint256(low) << 64) | high;
    }

    function _inRange(bytes16 name, uint256 value, uint256 low, uint256 high) private pure {
        if (value >= low && value <= high) return;
        uint256 length;
        while (length < 16 && name[length] != 0) ++length;
        bytes memory text = new bytes(length);
        for (uint256 i = 0; i < length; ++i) text[i] = name[i];
        revert IVolSurface.SurfaceParameterOutOfRange(string(text), value, low, high);
    }
}
