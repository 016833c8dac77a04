// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

/// @title Orders at asynchronous venues between placement and end.
/// @notice A pending order reserves its worst loss (size x distance of its limit from the hedge price) out of the budget
/// when it is placed. When it ends, what the venue's position really changed by is charged at the price of the placement,
/// and what was reserved beyond that comes back. An id is known by its venue and number together: what one venue says
/// touches no order of another (incident 6). After the timeout anyone may have an order cancelled, so that none is kept
/// pending to block hedging (incident 5).
interface IPendingOrders {
    /// @param base WAD, signed, what may still fill.
    /// @param price WAD USDC, the hedge price at placement.
    /// @param reserve WAD USD taken from the budget.
    /// @param heldBase
    /// @param heldQuote the venue's position after placement.
    struct PendingOrder {
        uint16 underlying;
        uint40 placedAt;
        int256 base;
        uint256 price;
        uint256 reserve;
        int256 heldBase;
        int256 heldQuote;
    }

    event OrderPlaced(bytes32 indexed workId, address indexed venue, uint256 indexed id, int256 base, uint256 reserve);
    event OrderEnded(address indexed venue, uint256 indexed id, int256 filledBase, uint256 loss);
    /// @notice A venue that will not cancel: the reserve stays spent, and what it says of the order later is not heard.
    event OrderAbandoned(address indexed venue, uint256 indexed id);
    event AsynchronousSet(address indexed venue, bool asynchronous);
    event OrderTimeoutSet(uint256 timeout);

    error OrderUnknown(address venue, uint256 id);
    error OrderNotTimedOut(uint256 cancellableAt, uint256 nowAt);
    error OrderPending(address venue);
    error CancelGasLow(uint256 left);

    /// @notice Called by an asynchronous venue when an order of its own was filled or has failed.
    function onOrderEnded(uint256 id) external;

    /// @notice Has an order cancelled that is older than the timeout. Anyone.
    function cancelOrder(address venue, uint256 id) external;

    function pendingOrder(address venue, uint256 id) external view returns (PendingOrder memory);

    /// @notice Sums of pending sizes of an underlying: purchases, and sales (negative).
    function pendingOf(uint16 underlying) external view returns (int256 up, int256 down);

    /// @notice Seconds after which anyone may cancel.
    function orderTimeout() external view returns (uint32);

    /// @notice Whether an order of this venue that fills nothing may be pending.
    function asynchronous(address venue) external view returns (bool);

    /// @notice Governance only.
    function setAsynchronous(address venue, bool asynchronous_) external;

    /// @notice Governance only; seconds.
    function setOrderTimeout(uint32 timeout) external;
}
