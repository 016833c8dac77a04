// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {IAsyncHedgeVenue} from "../interfaces/IAsyncHedgeVenue.sol";
import {IHedgeVenue} from "../interfaces/IHedgeVenue.sol";
import {IPendingOrders} from "../interfaces/IPendingOrders.sol";
import {MockToken} from "./MockToken.sol";

/// @notice A perpetual whose orders somebody else executes later, with a tenth of an order as margin. It can refuse to
/// cancel, and speak to the hedge manager of any order it likes.
contract MockAsyncVenue is IAsyncHedgeVenue {
    uint16 public constant underlying = 1;

    MockToken public immutable usdc;
    address public immutable clearinghouse;
    IPendingOrders public immutable manager;
    address public immutable executor;

    uint256 public openOrder;
    uint256 public orders;
    int256 public orderBase;
    bool public stuck;
    int256 private _base;
    int256 private _quote;

    error VenueOnlyExecutor(address caller);
    error VenueOnlyManager(address caller);
    error VenueStuck();

    constructor(MockToken usdc_, address clearinghouse_, IPendingOrders manager_, address executor_) {
        (usdc, clearinghouse, manager, executor) = (usdc_, clearinghouse_, manager_, executor_);
    }

    function setStuck(bool stuck_) external {
        stuck = stuck_;
    }

    function trade(int256 base, uint256 limitPrice, bytes calldata) external returns (int256, int256) {
        if (msg.sender != clearinghouse) revert VenueOnlyClearinghouse(msg.sender);
        _quote += int256(_margin(base, limitPrice) * 1e12);
        if (base != 0) (openOrder, orderBase) = (++orders, base);
        return (0, 0);
    }

    /// @notice The protocol's keeper fills a share of the open order at a price and ends it.
    function execute(uint256 id, uint256 share, uint256 price) external {
        if (msg.sender != executor) revert VenueOnlyExecutor(msg.sender);
        int256 filled = (orderBase * int256(share)) / 1e18;
        _base += filled;
        _quote -= (filled * int256(price)) / 1e18;
        openOrder = 0;
        manager.onOrderEnded(id);
    }

    function cancel(uint256) external {
        if (msg.sender != address(manager)) revert VenueOnlyManager(msg.sender);
        if (stuck) revert VenueStuck();
        openOrder = 0;
    }

    /// @notice Says that an order has ended, whosever it is and whether it has or not.
    function say(uint256 id) external {
        manager.onOrderEnded(id);
    }

    function unwind() external {
        if (msg.sender != clearinghouse) revert VenueOnlyClearinghouse(msg.sender);
    }

    function required(int256 base, uint256 limitPrice, bytes calldata) external pure returns (uint256, uint256) {
        return (_margin(base, limitPrice), 0);
    }

    function position() external view returns (int256, int256) {
        return (_base, _quote);
    }

    /// @inheritdoc IHedgeVenue
    function liquidation() external pure returns (uint256, uint256) {
        return (0, 0);
    }

    function health() external pure returns (uint256) {
        return type(uint256).max;
    }

    function _margin(int256 base, uint256 limitPrice) private pure returns (uint256) {
        return (uint256(base < 0 ? -base : base) * limitPrice) / 1e31;
    }
}
