// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {AccessManaged} from "@openzeppelin/contracts/access/manager/AccessManaged.sol";
import {IRiskLever} from "../interfaces/IRiskLever.sol";

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
}
