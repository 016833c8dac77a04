// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {Action, IMarketOracle, OracleState} from "../interfaces/IMarketOracle.sol";
import {IVolSurface} from "../interfaces/IVolSurface.sol";
import {Rules} from "../oracle/Rules.sol";

/// @title Oracle and surface of one market, as the vault, the Clearinghouse and the RiskEngine read them, set by hand.
/// @notice Tests only: it lets a test move price, state and age one by one.
contract MockVaultMarket {
    uint256 private _spot;
    OracleState private _state;
    uint256 private _lastCommit;
    mapping(uint40 expiry => IVolSurface.SliceState) private _slices;
    mapping(uint40 expiry => IVolSurface.SliceState) private _aged;
    mapping(uint40 expiry => uint256 price) private _settlement;

    function setSpot(uint256 price) external {
        _spot = price;
    }

    function setState(OracleState state_) external {
        _state = state_;
    }

    function setSettlement(uint40 expiry, uint256 price) external {
        _settlement[expiry] = price;
    }

    function setSlice(uint40 expiry, uint256 slice) external {
        _slices[expiry] = IVolSurface.SliceState(slice, 0, block.timestamp);
        _lastCommit = block.timestamp;
    }

    /// @notice The reference slice, where it is not to be the fresh one; 0 takes it back.
    function setReference(uint40 expiry, uint256 slice) external {
        _aged[expiry] = IVolSurface.SliceState(slice, 0, block.timestamp);
    }

    function spot(uint16) external view returns (uint256 price, uint256 updatedAt) {
        return (_spot, block.timestamp);
    }

    function check(uint16 underlying, Action action) external view returns (uint256 price) {
        if (!Rules.contains(Rules.statesFor(action), _state)) {
            revert IMarketOracle.ActionNotAllowed(underlying, _state, action);
        }
        return _spot;
    }

    function state(uint16) external view returns (OracleState) {
        return _state;
    }

    function settlementPrice(uint16, uint40 expiry) external view returns (uint256) {
        return _settlement[expiry];
    }

    function sliceOf(uint16, uint40 expiry) external view returns (IVolSurface.SliceState memory) {
        return _slices[expiry];
    }

    function slices(
        uint16,
        uint40 expiry
    ) external view returns (IVolSurface.SliceState memory fresh, IVolSurface.SliceState memory aged) {
        return (_slices[expiry], _aged[expiry].slice == 0 ? _slices[expiry] : _aged[expiry]);
    }

    function smileOf(uint16, uint40 expiry, bool reference_) external view returns (uint256, int256, uint256) {
        bool aged = reference_ && _aged[expiry].slice != 0;
        IVolSurface.SliceState memory s = aged ? _aged[expiry] : _slices[expiry];
        return (s.slice, s.carry, s.committedAt);
    }

    function lastCommit(uint16) external view returns (uint256) {
        return _lastCommit;
    }
}
