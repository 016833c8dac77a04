// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {IAsyncHedgeVenue} from "../interfaces/IAsyncHedgeVenue.sol";
import {Order} from "../interfaces/IHedgeManager.sol";
import {IHedgeVenue} from "../interfaces/IHedgeVenue.sol";
import {IPendingOrders} from "../interfaces/IPendingOrders.sol";
import {Wad} from "../libraries/Wad.sol";
import {HedgeState} from "./HedgeState.sol";

/// @title Orders at asynchronous venues. Documented in IPendingOrders.
abstract contract PendingOrders is HedgeState {
    struct Pending {
        int128 up;
        int128 down;
    }

    /// @dev What a cancellation must have left before and after it: a starved one must not look like a refused one.
    uint256 private constant CANCEL_GAS = 1_000_000;
    uint8 private constant MAX_PENDING = 8;

    /// @inheritdoc IPendingOrders
    uint32 public orderTimeout = 10 minutes;
    /// @inheritdoc IPendingOrders
    mapping(address venue => bool) public asynchronous;
    mapping(address venue => uint256 id) private _openAt;
    mapping(address venue => mapping(uint256 id => PendingOrder)) private _orders;
    mapping(uint16 underlying => Pending) private _pending;

    /// @inheritdoc IPendingOrders
    function onOrderEnded(uint256 id) external locked {
        _end(msg.sender, id);
    }

    /// @inheritdoc IPendingOrders
    function cancelOrder(address venue, uint256 id) external locked {
        PendingOrder storage order = _orders[venue][id];
        uint256 placedAt = order.placedAt;
        if (placedAt == 0) revert OrderUnknown(venue, id);
        uint256 from = placedAt + orderTimeout;
        if (block.timestamp < from) revert OrderNotTimedOut(from, block.timestamp);
        if (gasleft() < 2 * CANCEL_GAS) revert CancelGasLow(gasleft());
        try IAsyncHedgeVenue(venue).cancel(id) {
            _end(venue, id);
        } catch {
            if (gasleft() < CANCEL_GAS) revert CancelGasLow(gasleft());
            _remove(venue, id, order.underlying, order.base);
            emit OrderAbandoned(venue, id);
        }
    }

    /// @inheritdoc IPendingOrders
    function pendingOrder(address venue, uint256 id) external view returns (PendingOrder memory) {
        return _orders[venue][id];
    }

    /// @inheritdoc IPendingOrders
    function pendingOf(uint16 underlying_) public view returns (int256 up, int256 down) {
        Pending memory p = _pending[underlying_];
        return (p.up, p.down);
    }

    /// @dev An order that filled nothing at an asynchronous venue is pending. Its worst loss is spent now.
    /// @return placed WAD that may still fill.
    function _place(
        State memory s,
        Rules memory r,
        bytes32 workId,
        Order calldata order,
        uint16 underlying_,
        uint256 price
    ) internal returns (int256 placed) {
        address venue = order.venue;
        uint256 id = IAsyncHedgeVenue(venue).openOrder();
        if (id == 0) return 0;
        if (_orders[venue][id].placedAt != 0 || s.pending == MAX_PENDING) revert OrderPending(venue);
        placed = order.base;
        uint256 distance = order.limitPrice > price ? order.limitPrice - price : price - order.limitPrice;
        uint256 reserve = (Wad.mulUp(Wad.abs(placed), distance) + MILLIONTH - 1) / MILLIONTH;
        _spend(s, r, reserve);
        ++s.pending;
        _openAt[venue] = id;
        Pending storage sums = _pending[underlying_];
        if (placed > 0) sums.up += int128(placed);
        else sums.down += int128(placed);
        _orders[venue][id] = _order(venue, underlying_, placed, price, reserve * MILLIONTH);
        emit OrderPlaced(workId, venue, id, placed, reserve * MILLIONTH);
    }

    /// @dev Nothing else moves a venue's position while an order there is open, so that its fill can be measured.
    function _requireNoneOpen(State memory s, address venue) internal view {
        if (s.pending != 0 && _openAt[venue] != 0) revert OrderPending(venue);
    }

    /// @dev Measures what an order came to, at the price of its placement; gives back what it did not lose.
    function _end(address venue, uint256 id) private {
        PendingOrder memory order = _orders[venue][id];
        if (order.placedAt == 0) revert OrderUnknown(venue, id);
        _remove(venue, id, order.underlying, order.base);
        clearinghouse.touchVenue(venue);
        (int256 base, int256 quote) = IHedgeVenue(venue).position();
        int256 filled = base - order.heldBase;
        uint256 loss = _lossUp(Wad.mulSignedDown(filled, int256(order.price)) + quote - order.heldQuote);
        uint256 left = _budgetLeft(_state, _rules) + order.reserve / MILLIONTH;
        left = left > loss ? left - loss : 0;
        uint256 cap = _rules.budgetCap;
        _setBudget(uint64(left < cap ? left : cap));
        emit OrderEnded(venue, id, filled, loss * MILLIONTH);
    }

    function _remove(address venue, uint256 id, uint16 underlying_, int256 base) private {
        Pending storage sums = _pending[underlying_];
        if (base > 0) sums.up -= int128(base);
        else sums.down -= int128(base);
        delete _orders[venue][id];
        delete _openAt[venue];
        --_state.pending;
    }

    function _order(
        address venue,
        uint16 underlying_,
        int256 base,
        uint256 price,
        uint256 reserve
    ) private view returns (PendingOrder memory) {
        (int256 heldBase, int256 heldQuote) = IHedgeVenue(venue).position();
        return PendingOrder(underlying_, uint40(block.timestamp), base, price, reserve, heldBase, heldQuote);
    }
}
