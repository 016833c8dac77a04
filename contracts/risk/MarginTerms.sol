// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

/* solhint-disable no-inline-assembly */
import {IRiskEngine} from "../interfaces/IRiskEngine.sol";

/// @notice IRiskEngine.MarginParameters in one slot in place of three: nine fields of 24 bits in millionths, the first in
/// the lowest bits.
type MarginTerms is uint256;

using MarginTermsLib for MarginTerms global;

/// @title Packing, hard ranges and reading of MarginTerms. Fields are WAD.
library MarginTermsLib {
    uint256 private constant FIELDS_SIZE = 288;
    uint256 private constant BITS = 24;
    uint256 private constant MASK = 0xffffff;
    uint256 private constant MILLIONTH = 1e12;

    /// @notice Reverts by name unless every field is in its range and whole.
    function pack(IRiskEngine.MarginParameters memory p) internal pure returns (MarginTerms) {
        _inRange("spotMove", p.spotMove, 5e16, 5e17);
        _inRange("volUp", p.volUp, 1e16, 2e18);
        _inRange("volDown", p.volDown, 1e16, 5e17);
        _inRange("tailMove", p.tailMove, p.spotMove, 9e17);
        _inRange("tailWeight", p.tailWeight, 1e17, 1e18);
        _inRange("shortFloor", p.shortFloor, 0, 2e17);
        _inRange("contingency", p.contingency, 0, 1e17);
        _inRange("baseHaircut", p.baseHaircut, 0, 5e17);
        _inRange("maintenanceShare", p.maintenanceShare, 5e17, 1e18);
        uint256 packed;
        uint256 inexact;
        assembly ("memory-safe") {
            for {
                let at := add(p, FIELDS_SIZE)
            } gt(at, p) {} {
                at := sub(at, 32)
                inexact := or(inexact, mod(mload(at), MILLIONTH))
                packed := or(shl(BITS, packed), div(mload(at), MILLIONTH))
            }
        }
        if (inexact != 0) revert IRiskEngine.MarginParameterTooFine(p);
        return MarginTerms.wrap(packed);
    }

    function unpack(MarginTerms t) internal pure returns (IRiskEngine.MarginParameters memory p) {
        uint256 packed = MarginTerms.unwrap(t);
        assembly ("memory-safe") {
            for {
                let end := add(p, FIELDS_SIZE)
                let at := p
            } lt(at, end) {
                at := add(at, 32)
            } {
                mstore(at, mul(and(packed, MASK), MILLIONTH))
                packed := shr(BITS, packed)
            }
        }
    }

    function spotMove(MarginTerms t) internal pure returns (uint256) {
        return _field(t, 0);
    }

    function volUp(MarginTerms t) internal pure returns (uint256) {
        return _field(t, 1);
    }

    function volDown(MarginTerms t) internal pure returns (uint256) {
        return _field(t, 2);
    }

    function tailMove(MarginTerms t) internal pure returns (uint256) {
        return _field(t, 3);
    }

    function tailWeight(MarginTerms t) internal pure returns (uint256) {
        return _field(t, 4);
    }

    function shortFloor(MarginTerms t) internal pure returns (uint256) {
        return _field(t, 5);
    }

    function contingency(MarginTerms t) internal pure returns (uint256) {
        return _field(t, 6);
    }

    function baseHaircut(MarginTerms t) internal pure returns (uint256) {
        return _field(t, 7);
    }

    function maintenanceShare(MarginTerms t) internal pure returns (uint256) {
        return _field(t, 8);
    }

    function _field(MarginTerms t, uint256 place) private pure returns (uint256) {
        unchecked {
            return ((MarginTerms.unwrap(t) >> (BITS * place)) & MASK) * MILLIONTH;
        }
    }

    function _inRange(string memory name, uint256 value, uint256 low, uint256 high) private pure {
        if (value < low || value > high) revert IRiskEngine.MarginParameterOutOfRange(name, value, low, high);
    }
}
