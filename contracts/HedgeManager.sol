// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {AccessManaged} from "@openzeppelin/contracts/access/manager/AccessManaged.sol";
import {DeltaRules} from "./hedging/DeltaRules.sol";
import {HedgeState} from "./hedging/HedgeState.sol";
import {OptionOrders} from "./hedging/OptionOrders.sol";
import {PendingOrders} from "./hedging/PendingOrders.sol";
import {IClearinghouse} from "./interfaces/IClearinghouse.sol";
import {IHedgeManager, Limits, Order} from "./interfaces/IHedgeManager.sol";
import {IPendingOrders} from "./interfaces/IPendingOrders.sol";
import {IHedgeVenue} from "./interfaces/IHedgeVenue.sol";
import {Portfolio, Slice} from "./interfaces/IRiskEngine.sol";
import {IMarketOracle} from "./interfaces/IMarketOracle.sol";
import {IVolSurface} from "./interfaces/IVolSurface.sol";
import {Wad} from "./libraries/Wad.sol";

/// @title Verified rebalances of the vault's hedge. Documented in IHedgeManager.
/// @notice Nothing that a venue or the keeper says is believed: the filled size and its cost are what the vault's base
/// and quote really changed by, valued at one oracle price.
contract HedgeManager is OptionOrders, PendingOrders {
    /// @dev The orders of one underlying on their way.
    /// @param before the batch; `middle` after its option orders; `book` now.
    /// @param wrong index + 1 of the first order with the wrong sign, which only a migration may have; its size, and the
    /// delta that it met. A lone order migrates nothing.
    /// @param up
    /// @param down pending before the batch; `newUp` and `newDown` placed by it.
    struct Group {
        bytes32 workId;
        State state;
        Rules rules;
        uint16 underlying;
        uint256 band;
        uint256 price;
        DeltaRules.Book before;
        DeltaRules.Book middle;
        DeltaRules.Book book;
        int256 navChange;
        uint256 filled;
        uint256 wrong;
        int256 wrongBase;
        int256 wrongDelta;
        int256 up;
        int256 down;
        int256 newUp;
        int256 newDown;
        bool options;
        bool lone;
    }

    /// @dev A venue of the batch before and with its order.
    struct Visit {
        address venue;
        uint256 health;
        int256 filled;
    }

    uint256 private constant MAX_ORDERS = 8;

    modifier onlyFallback() {
        if (msg.sender != fallbackHedge) revert OnlyFallback(msg.sender);
        _;
    }

    constructor(
        address authority_,
        IClearinghouse clearinghouse_,
        IMarketOracle oracle_,
        IVolSurface surface_,
        address vault_,
        uint16 underlying_,
        address keeper_,
        HedgeParameters memory p
    ) AccessManaged(authority_) HedgeState(clearinghouse_, oracle_, surface_, vault_, underlying_) {
        keeper = keeper_;
        _setParameters(p);
        _setBudget(_rules.budgetCap);
        _state.insideAt = uint40(block.timestamp);
        emit KeeperSet(keeper_);
    }

    /// @inheritdoc IHedgeManager
    function rebalance(Order[] calldata orders, Limits calldata limits) external locked {
        _checkCall(orders, limits);
        Group memory g;
        (g.workId, g.state, g.rules, g.lone) = (limits.workId, _state, _rules, orders.length == 1);
        for (uint256 i = 0; i < orders.length; ) i = _runGroup(g, orders, i);
        _state = g.state;
        if (g.options) _checkMargin();
    }

    /// @inheritdoc IHedgeManager
    function tradeForFallback(address venue, int256 base, uint256 limitPrice) external onlyFallback locked {
        _requireNoneOpen(_state, venue);
        clearinghouse.tradeOnVenue(venue, base, limitPrice, "");
    }

    /// @inheritdoc IHedgeManager
    function foundInside() external onlyFallback locked {
        _state.insideAt = uint40(block.timestamp);
    }

    /// @inheritdoc IHedgeManager
    function advanceEpoch() external returns (uint64) {
        if (msg.sender != keeper) revert OnlyKeeper(msg.sender);
        return _advanceEpoch();
    }

    /// @inheritdoc IHedgeManager
    function setKeeper(address keeper_) external restricted {
        keeper = keeper_;
        emit KeeperSet(keeper_);
        _advanceEpoch();
    }

    /// @inheritdoc IHedgeManager
    function setParameters(HedgeParameters calldata p) external restricted {
        _setParameters(p);
    }

    /// @inheritdoc IHedgeManager
    function setBands(uint16 underlying_, Bands calldata bands) external restricted {
        _setBands(underlying_, bands);
    }

    /// @inheritdoc IHedgeManager
    function setVenueCap(address venue, uint256 cap) external restricted {
        venueCap[venue] = cap;
        emit VenueCapSet(venue, cap);
    }

    /// @inheritdoc IHedgeManager
    function setQuoteAdapter(address adapter) external restricted {
        quoteAdapter = adapter;
        emit QuoteAdapterSet(adapter);
    }

    /// @inheritdoc IPendingOrders
    function setAsynchronous(address venue, bool asynchronous_) external restricted {
        asynchronous[venue] = asynchronous_;
        emit AsynchronousSet(venue, asynchronous_);
    }

    /// @inheritdoc IPendingOrders
    function setOrderTimeout(uint32 timeout) external restricted {
        _inRange("orderTimeout", timeout, 1 minutes, 1 days);
        orderTimeout = timeout;
        emit OrderTimeoutSet(timeout);
    }

    /// @inheritdoc IHedgeManager
    function setFallback(address fallbackHedge_) external restricted {
        fallbackHedge = fallbackHedge_;
        emit FallbackSet(fallbackHedge_);
    }

    /// @inheritdoc IHedgeManager
    function resetBudget() external restricted {
        _setBudget(_rules.budgetCap);
        emit BudgetReset(_rules.budgetCap * MILLIONTH);
    }

    /// @inheritdoc IHedgeManager
    function netDelta(uint16 underlying_) external view returns (int256 delta, uint256 band) {
        (Portfolio memory p, int256 options) = clearinghouse.exposureOf(vault, underlying_);
        delta = DeltaRules.book(p, underlying_, options).delta;
        band = _bands[underlying_].band * MILLIONTH;
    }

    /// @inheritdoc IHedgeManager
    function status() external view returns (HedgeStatus memory s) {
        (State memory state, Rules memory r) = (_state, _rules);
        s.band = _bands[underlying].band * MILLIONTH;
        (s.maxSlippage, s.minHealth) = (r.maxSlippage * MILLIONTH, r.minHealth * MILLIONTH);
        (s.budget, s.budgetCap) = (_budgetLeft(state, r) * MILLIONTH, r.budgetCap * MILLIONTH);
        s.insideAt = state.insideAt;
        if (state.pending != 0) (s.pendingUp, s.pendingDown) = pendingOf(underlying);
    }

    // ------------------------------------------------------------------ one underlying

    function _runGroup(Group memory g, Order[] calldata orders, uint256 first) private returns (uint256 next) {
        uint16 previous = g.underlying;
        next = _open(g, orders, first);
        if (first != 0 && g.underlying == previous && g.options) revert OptionOrderLate(first);
        if (first != 0 && g.underlying <= previous) revert UnderlyingsUnsorted(first, previous, g.underlying);
        Visit[] memory visits = new Visit[](orders.length - next);
        uint256 count = 0;
        while (next < orders.length) {
            Order calldata order = orders[next];
            // The first one named the underlying.
            if (next != first && !_belongs(g, order)) break;
            _visit(g, order, next, visits[count]);
            (++next, ++count);
        }
        StoredBands memory bands = _bands[g.underlying];
        _checkDelta(g);
        DeltaRules.checkGross(g.before, g.book, bands.grossCap * MILLIONTH);
        g.navChange += DeltaRules.navChange(g.middle, g.book, g.price);
        _spend(g.state, g.rules, _lossUp(g.navChange));
        if (g.book.held) for (uint256 i = 0; i < count; ++i) _checkVenue(g, visits[i]);
        _close(g);
    }

    /// @dev Reads the book, takes the option orders, and finds the price to hedge at.
    function _open(Group memory g, Order[] calldata orders, uint256 first) private returns (uint256 next) {
        next = first;
        if (_isOption(orders[first])) {
            Portfolio memory p = clearinghouse.portfolioOf(vault);
            Taken memory taken;
            (taken, next) = _takeOptions(g.workId, orders, first, p);
            (g.options, g.underlying, g.navChange) = (true, taken.underlying, taken.navChange);
            g.before = DeltaRules.book(p, g.underlying, taken.deltaBefore);
            g.middle = DeltaRules.book(taken.portfolio, g.underlying, taken.deltaAfter);
        } else {
            (g.underlying, g.navChange) = (_underlyingOf(orders[first].venue), 0);
            (Portfolio memory p, int256 options) = clearinghouse.exposureOf(vault, g.underlying);
            g.before = g.middle = DeltaRules.book(p, g.underlying, options);
        }
        g.book = g.middle;
        (g.price, g.band) = (_fitPrice(g), _bands[g.underlying].band * MILLIONTH);
        if (g.band == 0) revert UnderlyingUnknown(g.underlying);
        (g.filled, g.wrong, g.newUp, g.newDown) = (0, 0, 0, 0);
        if (g.state.pending != 0) (g.up, g.down) = pendingOf(g.underlying);
    }

    /// @dev No state of the oracle stops hedging, only the want of any price: each fill is held to what there is.
    function _fitPrice(Group memory g) private view returns (uint256) {
        uint256 age = block.timestamp - surface.lastCommit(g.underlying);
        if (age > g.rules.surfaceMaxAge) revert SurfaceUnfit(age, g.rules.surfaceMaxAge);
        return oracle.hedgePrice(g.underlying);
    }

    function _belongs(Group memory g, Order calldata order) private view returns (bool) {
        return !_isOption(order) && _underlyingOf(order.venue) == g.underlying;
    }

    /// @dev One order: sign and limit before, size and cost after. An order of size 0 tops venue collateral up.
    function _visit(Group memory g, Order calldata order, uint256 index, Visit memory visit) private {
        if (order.base != 0) _checkOrder(g, order, index);
        _requireNoneOpen(g.state, order.venue);
        visit.venue = order.venue;
        visit.health = g.book.held ? IHedgeVenue(order.venue).health() : type(uint256).max;
        clearinghouse.tradeOnVenue(order.venue, order.base, order.limitPrice, order.data);
        DeltaRules.Book memory next = DeltaRules.book(clearinghouse.collateralOf(vault), g.underlying, 0);
        (int256 filled, ) = DeltaRules.checkFill(
            g.book,
            next,
            index,
            order.base,
            g.price,
            g.rules.maxSlippage * MILLIONTH
        );
        next.delta = g.book.delta + filled;
        visit.filled = filled;
        g.filled += Wad.abs(filled);
        emit OrderFilled(g.workId, order.venue, filled, next.quote - g.book.quote);
        g.book = next;
        if (filled == 0 && order.base != 0 && asynchronous[order.venue]) {
            int256 placed = _place(g.state, g.rules, g.workId, order, g.underlying, g.price);
            if (placed > 0) g.newUp += placed;
            else g.newDown += placed;
        }
    }

    /// @dev The sign must be right with and without what is pending; a wrong one is forgiven to a migration alone.
    function _checkOrder(Group memory g, Order calldata order, uint256 index) private pure {
        int256 delta = g.book.delta;
        bool right = order.base > 0 ? delta + g.up + g.newUp < 0 : delta + g.down + g.newDown > 0;
        if (!right && g.lone) revert WrongSign(index, order.base, delta);
        if (!right && g.wrong == 0) (g.wrong, g.wrongBase, g.wrongDelta) = (index + 1, order.base, delta);
        uint256 slippage = g.rules.maxSlippage * MILLIONTH;
        uint256 edge = DeltaRules.worstPrice(order.base, g.price, slippage);
        if (order.base > 0 ? order.limitPrice > edge : order.limitPrice < edge) {
            revert LimitPriceOffOracle(index, order.limitPrice, g.price, slippage);
        }
    }

    // ------------------------------------------------------------------ rules after the fills

    /// @dev With and without what is pending on either side.
    function _checkDelta(Group memory g) private view {
        if (g.wrong != 0) return _checkMigration(g);
        _checkDeltaWith(g, 0, 0, 0);
        int256 up = g.up + g.newUp;
        int256 down = g.down + g.newDown;
        if (up == 0 && down == 0) return;
        uint256 placed = Wad.abs(g.newUp);
        if (up != 0) _checkDeltaWith(g, g.up, up, placed);
        if (down != 0) _checkDeltaWith(g, g.down, down, Wad.abs(g.newDown));
        if (up != 0 && down != 0) _checkDeltaWith(g, g.up + g.down, up + down, placed + Wad.abs(g.newDown));
    }

    function _checkDeltaWith(Group memory g, int256 old, int256 now_, uint256 placed) private pure {
        DeltaRules.checkDelta(
            g.before.delta + old,
            g.middle.delta + old,
            g.book.delta + now_,
            g.filled + placed,
            g.band,
            g.rules.minReduction * MILLIONTH
        );
    }

    function _checkMigration(Group memory g) private view {
        int256 net = g.book.base - g.middle.base;
        bool placed = g.newUp != 0 || g.newDown != 0;
        if (placed || Wad.abs(net) > _bands[g.underlying].clip * MILLIONTH) {
            revert WrongSign(g.wrong - 1, g.wrongBase, g.wrongDelta);
        }
        DeltaRules.checkMigration(g.middle, g.book, g.band);
    }

    /// @dev Above the cap and below the floor only what makes it better goes on: the way out is never blocked (I-07).
    function _checkVenue(Group memory g, Visit memory visit) private view {
        (int256 held, ) = IHedgeVenue(visit.venue).position();
        if (held == 0) return;
        uint256 size = Wad.abs(held);
        bool grew = visit.filled != 0 && visit.filled > 0 == held > 0;
        if (grew && size > venueCap[visit.venue]) revert VenueOverCap(visit.venue, size, venueCap[visit.venue]);
        uint256 health = IHedgeVenue(visit.venue).health();
        uint256 floor = g.rules.minHealth * MILLIONTH;
        if (health < floor && health <= visit.health) revert VenueHealthLow(visit.venue, health, floor);
    }

    function _close(Group memory g) private {
        int256 later = g.book.delta;
        if (g.underlying == underlying && Wad.abs(later) <= g.band) g.state.insideAt = uint40(block.timestamp);
        emit Rebalanced(
            g.workId,
            g.underlying,
            g.before.delta,
            later,
            g.book.base - g.middle.base,
            g.navChange,
            g.price,
            g.state.budget * MILLIONTH
        );
    }

    function _checkMargin() private view {
        (int256 equity, uint256 initial, ) = clearinghouse.marginOf(vault, Slice.Fresh);
        if (equity < int256(initial)) revert MarginNotMet(equity, initial);
    }

    // ------------------------------------------------------------------ internal

    function _checkCall(Order[] calldata orders, Limits calldata limits) private view {
        if (msg.sender != keeper) revert OnlyKeeper(msg.sender);
        if (limits.epoch != epoch) revert EpochStale(limits.epoch, epoch);
        if (block.timestamp > limits.deadline) revert DeadlinePassed(limits.deadline, block.timestamp);
        if (block.basefee > limits.maxBaseFee) revert BaseFeeAboveLimit(block.basefee, limits.maxBaseFee);
        if (orders.length == 0) revert NoOrders();
        if (orders.length > MAX_ORDERS) revert TooManyOrders(orders.length, MAX_ORDERS);
    }

    function _underlyingOf(address venue) private view returns (uint16) {
        if (venue.code.length == 0) revert IClearinghouse.VenueUnknown(venue);
        return IHedgeVenue(venue).underlying();
    }

    function _advanceEpoch() private returns (uint64 next) {
        next = epoch + 1;
        epoch = next;
        emit EpochAdvanced(next, msg.sender);
    }
}
