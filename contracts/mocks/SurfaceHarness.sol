// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {SviChecks} from "../libraries/SviChecks.sol";

/// @title The surface's checks one by one, for tests.
contract SurfaceHarness {
    using SviChecks for SviChecks.Raw;

    /// @return shapes as SviChecks.scan, and the gas that the pass took.
    function scan(uint40 expiry, uint256 near, uint256 far, bool last) external view returns (uint256 shapes, uint256) {
        SviChecks.Raw memory q = SviChecks.load(near);
        SviChecks.Raw memory next = last ? q : SviChecks.load(far);
        q.measure(q.variance(0));
        uint256 before = gasleft();
        shapes = q.scan(expiry, next, last);
        return (shapes, before - gasleft());
    }
}
