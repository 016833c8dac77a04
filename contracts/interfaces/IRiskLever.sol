// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {SeriesId} from "../libraries/SeriesId.sol";

/// @title How much new risk a market may take on: down at once by the guardian, up by governance alone.
/// @notice A share of the market's own limits. At zero only trades pass that take from what the vault has in a series and
/// leave nothing on the other side. It touches nothing else: hedging, closing, settlement and claims go on (I-07).
interface IRiskLever {
    event NewRiskSet(uint256 share);

    error NewRiskNotLower(uint256 share, uint256 current);
    error NewRiskOutOfRange(uint256 share, uint256 most);
    /// @notice The vault holds `held` of the series, WAD contracts; the taker asked for `size`.
    error OnlyClosing(SeriesId series, int256 held, int256 size);

    /// @return share WAD of the market's limits up to which it opens risk.
    function newRisk() external view returns (uint256 share);

    /// @notice To less than it is. Guardian only, at once.
    function lowerNewRisk(uint64 share) external;

    /// @notice To anything up to 1e18. Governance only.
    function setNewRisk(uint64 share) external;
}
