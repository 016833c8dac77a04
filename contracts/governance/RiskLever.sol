// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {AccessManaged} from "@openzeppelin/contracts/access/manager/AccessManaged.sol";
import {IRiskLever} from "../interfaces/IRiskLever.sol";
import {Leg, SeriesId} from "../libraries/SeriesId.sol";
import {Wad} from "../libraries/Wad.sol";

/// @title A market's lever on new risk. Documented in IRiskLever.
abstract contract RiskLever is IRiskLever, AccessManaged {
    uint64 private constant ALL = 1e18;

    uint64 private _newRisk = ALL;

    /// @inheritdoc IRiskLever
    function lowerNewRisk(uint64 share) external restricted {
        if (share >= _newRisk) revert NewRiskNotLower(share, _newRisk);
        _newRisk = share;
        emit NewRiskSet(share);
    }

    /// @inheritdoc IRiskLever
    function setNewRisk(uint64 share) external restricted {
        if (share > ALL) revert NewRiskOutOfRange(share, ALL);
        _newRisk = share;
        emit NewRiskSet(share);
    }

    /// @inheritdoc IRiskLever
    function newRisk() public view returns (uint256) {
        return _newRisk;
    }

    /// @dev Legs are of the taker's side: what he buys the vault sells. Each series comes once.
    function _checkOnlyClosing(Leg[] memory held, Leg[] calldata legs) internal pure {
        for (uint256 i = 0; i < legs.length; ++i) {
            int256 own = _sizeOf(held, legs[i].series);
            int256 size = legs[i].size;
            if (size > 0 != own > 0 || Wad.abs(size) > Wad.abs(own)) revert OnlyClosing(legs[i].series, own, size);
        }
    }

    function _sizeOf(Leg[] memory held, SeriesId series) private pure returns (int256) {
        for (uint256 i = 0; i < held.length; ++i) {
            if (SeriesId.unwrap(held[i].series) == SeriesId.unwrap(series)) return held[i].size;
        }
        return 0;
    }
}
