// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {AccessManaged} from "@openzeppelin/contracts/access/manager/AccessManaged.sol";
import {ReentrancyGuard} from "@openzeppelin/contracts/utils/ReentrancyGuard.sol";
import {IClearinghouse} from "./interfaces/IClearinghouse.sol";
import {IHedgeManager, Limits, Order} from "./interfaces/IHedgeManager.sol";
import {IHedgeVenue} from "./interfaces/IHedgeVenue.sol";
import {IRiskEngine, Portfolio} from "./interfaces/IRiskEngine.sol";
import {IMarketOracle, OracleState} from "./interfaces/IMarketOracle.sol";
import {IVolSurface} from "./interfaces/IVolSurface.sol";
import {Books} from "./libraries/Books.sol";
import {Wad} from "./libraries/Wad.sol";

/// @title Verified rebalances of the vault's hedge. Documented in IHedgeManager.
/// @notice Nothing that a venue or the keeper says is believed: the filled size and its cost are what the vault's base
/// and quote really changed by, valued at one oracle price.
contract HedgeManager is IHedgeManager, AccessManaged, ReentrancyGuard {
    using Books for Portfolio;

    /// @dev The vault's hedge at one moment. Options do not change within a batch, so their delta is added once.
    struct Book {
        int256 delta;
        int256 base;
        int256 quote;
        uint256 gross;
    }

    uint256 private constant MAX_ORDERS = 8;
    /// @dev Tokens round to 1e-6 USD and lending indices to a few wei; neither may trip a rule.
    uint256 private constant DUST_USD = 1e13;
    uint256 private constant DUST_BASE = 1e6;

    IClearinghouse public immutable clearinghouse;
    IMarketOracle public immutable oracle;
    IRiskEngine public immutable engine;
    IVolSurface public immutable surface;
    address public immutable vault;
    uint16 public immutable underlying;

    address public keeper;
    uint64 public epoch = 1;
    uint128 private _budget;
    uint64 private _budgetAt;
    HedgeParameters private _parameters;

    constructor(
        address authority_,
        IClearinghouse clearinghouse_,
        IMarketOracle oracle_,
        IVolSurface surface_,
        address vault_,
        uint16 underlying_,
        address keeper_,
        HedgeParameters memory p
    ) AccessManaged(authority_) {
        clearinghouse = clearinghouse_;
        oracle = oracle_;
        engine = clearinghouse_.engine();
        surface = surface_;
        vault = vault_;
        underlying = underlying_;
        keeper = keeper_;
        _setParameters(p);
        _budget = p.budgetCap;
        _budgetAt = uint64(block.timestamp);
        emit KeeperSet(keeper_);
    }

    /// @inheritdoc IHedgeManager
    function rebalance(Order[] calldata orders, Limits calldata limits) external nonReentrant {
        _checkCall(orders, limits);
        HedgeParameters memory p = _parameters;
        uint256 spot = _fitSpot(p);
        Book memory before = _bookWithOptions();
        Book memory book = before;
        uint256 filled = 0;
        uint256[] memory health = new uint256[](orders.length);
        for (uint256 i = 0; i < orders.length; ++i) {
            health[i] = _healthOf(orders[i].venue);
            Book memory next = _fill(i, orders[i], book, spot, p);
            filled += Wad.abs(next.base - book.base);
            emit OrderFilled(limits.workId, orders[i].venue, next.base - book.base, next.quote - book.quote);
            book = next;
        }
        _checkDelta(before.delta, book.delta, filled, p);
        _checkGross(book, p.grossCap);
        for (uint256 i = 0; i < orders.length; ++i) _checkHealth(orders[i].venue, health[i], p.minHealth);
        int256 navChange = _navChange(before, book, spot);
        uint256 left = _spend(navChange);
        emit Rebalanced(
            limits.workId,
            underlying,
            before.delta,
            book.delta,
            book.base - before.base,
            navChange,
            spot,
            left
        );
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
    /// @dev The budget left is carried over, cut to the new cap: a change of parameters refills nothing.
    function setParameters(HedgeParameters calldata p) external restricted {
        uint256 left = budgetLeft();
        _setParameters(p);
        _budget = uint128(left < p.budgetCap ? left : p.budgetCap);
        _budgetAt = uint64(block.timestamp);
    }

    /// @inheritdoc IHedgeManager
    function resetBudget() external restricted {
        _budget = _parameters.budgetCap;
        _budgetAt = uint64(block.timestamp);
        emit BudgetReset(_budget);
    }

    /// @inheritdoc IHedgeManager
    function netDelta(uint16 underlying_) external view returns (int256 delta, uint256 band) {
        Portfolio memory p = clearinghouse.portfolioOf(vault);
        delta = engine.optionGreeks(underlying_, p.legs).delta;
        if (underlying_ == underlying) delta += _book(p, 0).base;
        band = _parameters.band;
    }

    /// @inheritdoc IHedgeManager
    function budgetLeft() public view returns (uint256 left) {
        left = uint256(_budget) + (block.timestamp - _budgetAt) * _parameters.budgetRefill;
        if (left > _parameters.budgetCap) left = _parameters.budgetCap;
    }

    /// @inheritdoc IHedgeManager
    function parameters() external view returns (HedgeParameters memory) {
        return _parameters;
    }

    // ------------------------------------------------------------------ rules, in the order of the text

    function _checkCall(Order[] calldata orders, Limits calldata limits) private view {
        if (msg.sender != keeper) revert OnlyKeeper(msg.sender);
        if (limits.epoch != epoch) revert EpochStale(limits.epoch, epoch);
        if (block.timestamp > limits.deadline) revert DeadlinePassed(limits.deadline, block.timestamp);
        if (block.basefee > limits.maxBaseFee) revert BaseFeeAboveLimit(block.basefee, limits.maxBaseFee);
        if (orders.length == 0) revert NoOrders();
        if (orders.length > MAX_ORDERS) revert TooManyOrders(orders.length, MAX_ORDERS);
    }

    /// @dev A deviating pool does not stop hedging: each fill is held to the feed's price anyway.
    function _fitSpot(HedgeParameters memory p) private view returns (uint256 spot) {
        OracleState state = oracle.state(underlying);
        if (state == OracleState.Stale) revert OracleUnfit(uint8(state));
        uint256 age = block.timestamp - surface.lastCommit(underlying);
        if (age > p.surfaceMaxAge) revert SurfaceUnfit(age, p.surfaceMaxAge);
        (spot, ) = oracle.spot(underlying);
    }

    /// @dev One order: sign and limit before, size and cost after. An order of size 0 tops venue collateral up.
    function _fill(
        uint256 index,
        Order calldata order,
        Book memory book,
        uint256 spot,
        HedgeParameters memory p
    ) private returns (Book memory next) {
        if (order.base != 0) {
            if (book.delta == 0 || order.base > 0 == book.delta > 0) revert WrongSign(index, order.base, book.delta);
            uint256 edge = order.base > 0
                ? Wad.mulDown(spot, 1e18 + p.maxSlippage)
                : Wad.mulUp(spot, 1e18 - p.maxSlippage);
            if (order.base > 0 ? order.limitPrice > edge : order.limitPrice < edge) {
                revert LimitPriceOffOracle(index, order.limitPrice, spot, p.maxSlippage);
            }
        }
        clearinghouse.tradeOnVenue(order.venue, order.base, order.limitPrice, order.data);
        next = _book(clearinghouse.collateralOf(vault), 0);
        int256 filled = next.base - book.base;
        next.delta = book.delta + filled;
        bool over = Wad.abs(filled) > Wad.abs(order.base) + DUST_BASE;
        bool turned = Wad.abs(filled) > DUST_BASE && filled > 0 != order.base > 0;
        if (over || turned) revert FillOverOrder(index, order.base, filled);
        int256 loss = -_navChange(book, next, spot);
        uint256 allowed = Wad.mulDown(Wad.mulDown(Wad.abs(filled), spot), p.maxSlippage) + DUST_USD;
        if (loss > int256(allowed)) revert SlippageTooHigh(index, loss, allowed);
    }

    /// @dev I-05: |delta| ends inside the band, or smaller by the governed share of what was filled, and never beyond
    /// the band on the other side of zero.
    function _checkDelta(int256 before, int256 later, uint256 filled, HedgeParameters memory p) private pure {
        uint256 size = Wad.abs(later);
        if (size <= p.band) return;
        if (before > 0 != later > 0) revert DeltaOvershoot(before, later, p.band);
        if (size + Wad.mulUp(filled, p.minReduction) > Wad.abs(before) + DUST_BASE) {
            revert DeltaNotReduced(before, later, filled);
        }
    }

    /// @dev Two venues inflated against each other show as gross exposure without net.
    function _checkGross(Book memory book, uint256 cap) private pure {
        uint256 limit = Wad.abs(book.base) + cap;
        if (book.gross > limit) revert GrossExposureTooHigh(book.gross, limit);
    }

    /// @dev Below the floor only what makes the venue healthier goes on: the way out is never blocked (I-07).
    function _checkHealth(address venue, uint256 before, uint256 floor) private view {
        uint256 health = _healthOf(venue);
        if (health < floor && health <= before) revert VenueHealthLow(venue, health, floor);
    }

    function _healthOf(address venue) private view returns (uint256) {
        if (venue.code.length == 0) revert IClearinghouse.VenueUnknown(venue);
        return IHedgeVenue(venue).health();
    }

    /// @dev Accrues the refill, then takes the loss. A gain refills nothing.
    function _spend(int256 navChange) private returns (uint256 left) {
        left = budgetLeft();
        uint256 loss = navChange < 0 ? uint256(-navChange) : 0;
        if (loss > left) revert BudgetExceeded(loss, left);
        left -= loss;
        _budget = uint128(left);
        _budgetAt = uint64(block.timestamp);
    }

    // ------------------------------------------------------------------ internal

    function _bookWithOptions() private view returns (Book memory b) {
        Portfolio memory p = clearinghouse.portfolioOf(vault);
        b = _book(p, engine.optionGreeks(underlying, p.legs).delta);
        b.delta += b.base;
    }

    function _book(Portfolio memory p, int256 delta) private pure returns (Book memory b) {
        b.delta = delta;
        (b.base, b.quote) = p.hedge();
        b.gross = p.gross();
    }

    /// @dev At one oracle price; option marks cancel, because no option moves in the batch.
    function _navChange(Book memory a, Book memory b, uint256 spot) private pure returns (int256) {
        return Wad.mulSignedDown(b.base - a.base, int256(spot)) + b.quote - a.quote;
    }

    function _advanceEpoch() private returns (uint64 next) {
        next = epoch + 1;
        epoch = next;
        emit EpochAdvanced(next, msg.sender);
    }

    function _setParameters(HedgeParameters memory p) private {
        _inRange("band", p.band, 1e15, 1e24);
        _inRange("minReduction", p.minReduction, 1e17, 1e18);
        _inRange("maxSlippage", p.maxSlippage, 1e14, 5e16);
        _inRange("grossCap", p.grossCap, 0, 1e24);
        _inRange("minHealth", p.minHealth, 105e16, 5e18);
        _inRange("budgetCap", p.budgetCap, 1e18, 1e25);
        _inRange("budgetRefill", p.budgetRefill, 0, p.budgetCap / 1 hours);
        _inRange("surfaceMaxAge", p.surfaceMaxAge, 60, 2 days);
        _parameters = p;
        emit HedgeParametersSet(p);
    }

    function _inRange(string memory name, uint256 value, uint256 low, uint256 high) private pure {
        if (value < low || value > high) revert HedgeParameterOutOfRange(name, value, low, high);
    }
}
