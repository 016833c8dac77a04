// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {IVolSurface} from "../interfaces/IVolSurface.sol";

/// @notice A surface whose fresh and reference slices are set by hand, by anyone, without limits.
contract MockSlices {
    mapping(uint16 underlying => mapping(uint40 expiry => IVolSurface.SliceState[2])) private _slices;
    mapping(uint16 underlying => uint256 at) public lastCommit;

    /// @notice Sets both slices of each expiry.
    function commit(uint16 underlying, uint256, IVolSurface.SliceInput[] calldata inputs) external {
        _set(underlying, 0, inputs);
        _set(underlying, 1, inputs);
        lastCommit[underlying] = block.timestamp;
    }

    /// @param which 0 the fresh slice, 1 the reference.
    function bend(uint16 underlying, uint256 which, IVolSurface.SliceInput[] calldata inputs) external {
        _set(underlying, which, inputs);
    }

    /// @notice None: a commit here need not hold the expiries of the last one.
    function expiries(uint16) external pure returns (uint40[] memory) {
        return new uint40[](0);
    }

    function sliceOf(uint16 underlying, uint40 expiry) external view returns (IVolSurface.SliceState memory) {
        return _slices[underlying][expiry][0];
    }

    function slices(
        uint16 underlying,
        uint40 expiry
    ) external view returns (IVolSurface.SliceState memory, IVolSurface.SliceState memory) {
        return (_slices[underlying][expiry][0], _slices[underlying][expiry][1]);
    }

    function smileOf(
        uint16 underlying,
        uint40 expiry,
        bool reference_
    ) external view returns (uint256, int256, uint256) {
        IVolSurface.SliceState memory s = _slices[underlying][expiry][reference_ ? 1 : 0];
        return (s.slice, s.carry, s.committedAt);
    }

    function _set(uint16 underlying, uint256 which, IVolSurface.SliceInput[] calldata inputs) private {
        for (uint256 i = 0; i < inputs.length; ++i) {
            _slices[underlying][inputs[i].expiry][which] = IVolSurface.SliceState(
                inputs[i].slice,
                inputs[i].carry,
                block.timestamp
            );
        }
    }
}
