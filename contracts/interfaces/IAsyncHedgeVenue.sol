// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {IHedgeVenue} from "./IHedgeVenue.sol";

/// @title A venue whose `trade` places an order that somebody else executes later.
/// @notice It holds one order at a time. Margin sent for an order counts in `position` from its placement on; a fill
/// is at the limit or better, fees included. It believes none but its protocol that an order was executed, and then
/// calls IPendingOrders.onOrderEnded.
interface IAsyncHedgeVenue is IHedgeVenue {
    /// @notice The order that is open, 0 if none.
    function openOrder() external view returns (uint256 id);

    /// @notice Ends an open order unfilled, or as far as it is filled. Hedge manager only.
    function cancel(uint256 id) external;
}
