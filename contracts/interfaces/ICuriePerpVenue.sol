// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {IHedgeVenue} from "./IHedgeVenue.sol";

/// @notice Margin is what the account at Curie is worth over the position's notional.
/// @param targetMargin WAD, what a trade ends at or above and what is restored to. 0.15e18 to 2e18.
/// @param releaseMargin WAD, above which collateral goes home, down to the target; at least 0.05e18 over it. At most 4e18.
/// @param unwindSlippage WAD share of the oracle price that `unwind` may lose. 1e15 to 1e17.
struct PerpParameters {
    uint64 targetMargin;
    uint64 releaseMargin;
    uint64 unwindSlippage;
}

/// @title A perpetual on Perpetual Curie, long or short, with USDC as margin.
/// @notice An opening order brings the margin that the target takes at its limit price; a closing one sends home what is
/// over the release. Size 0 restores the target or releases. `position` is the position's size, and as quote the margin,
/// what the position was opened for, realised profit and funding that is owed: never Curie's own mark. `health` is
/// against Curie's maintenance margin, at the worse for the position of our oracle's price and Curie's mark.
interface ICuriePerpVenue is IHedgeVenue {
    event PerpParametersSet(PerpParameters parameters);
    event MarginMoved(int256 usdc);

    error PerpParameterOutOfRange(string name, uint256 value, uint256 low, uint256 high);
    error PerpSettlementUnexpected(address token);

    /// @notice Governance only.
    function setParameters(PerpParameters calldata p) external;

    function parameters() external view returns (PerpParameters memory);
}
