// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {AccessManaged} from "@openzeppelin/contracts/access/manager/AccessManaged.sol";
import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {ReentrancyGuard} from "@openzeppelin/contracts/utils/ReentrancyGuard.sol";
import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {DeltaRules} from "./hedging/DeltaRules.sol";
import {IClearinghouse} from "./interfaces/IClearinghouse.sol";
import {IHedgeFallback} from "./interfaces/IHedgeFallback.sol";
import {IHedgeManager} from "./interfaces/IHedgeManager.sol";
import {IHedgeVenue} from "./interfaces/IHedgeVenue.sol";
import {IMarketOracle} from "./interfaces/IMarketOracle.sol";
import {Portfolio} from "./interfaces/IRiskEngine.sol";
import {Wad} from "./libraries/Wad.sol";

/// @title The hedge that survives its keeper. Documented in IHedgeFallback.
contract HedgeFallback is IHedgeFallback, AccessManaged, ReentrancyGuard {
    using SafeERC20 for IERC20;

    /// @dev Times in unix seconds; the reserve in WAD USD.
    struct Record {
        uint40 armedAt;
        uint40 slicedAt;
        uint40 reserveAt;
        uint128 reserve;
    }

    /// @dev One slice on its way.
    struct Run {
        Record record;
        FallbackParameters p;
        IHedgeManager.HedgeStatus keeper;
        DeltaRules.Book book;
        uint256 price;
        uint256 cash;
        uint256 base;
    }

    uint8 private constant ARM = 1;
    uint8 private constant HEDGE = 2;
    uint256 private constant MAX_VENUES = 8;
    uint256 private constant USDC_SCALE = 1e12;
    /// @dev Before each venue is tried: none may fail because its caller sent too little gas.
    uint256 private constant VENUE_GAS = 1_500_000;

    IHedgeManager public immutable manager;
    IClearinghouse public immutable clearinghouse;
    IMarketOracle public immutable oracle;
    IERC20 public immutable usdc;
    address public immutable vault;
    uint16 public immutable underlying;

    FallbackParameters private _parameters;
    address[] private _venues;
    Record private _record;

    constructor(
        address authority_,
        IHedgeManager manager_,
        IClearinghouse clearinghouse_,
        IMarketOracle oracle_,
        address vault_,
        FallbackParameters memory p
    ) AccessManaged(authority_) {
        manager = manager_;
        clearinghouse = clearinghouse_;
        oracle = oracle_;
        usdc = clearinghouse_.usdc();
        vault = vault_;
        underlying = manager_.underlying();
        _setParameters(p);
        _record.reserve = p.reserveCap;
    }

    // ------------------------------------------------------------------ anyone

    /// @inheritdoc IHedgeFallback
    function performUpkeep(bytes calldata data) external {
        uint8 what = data.length == 32 ? uint8(bytes1(data[31])) : 0;
        if (what == ARM) arm();
        else if (what == HEDGE) fallbackHedge();
        else revert UpkeepUnknown(data);
    }

    /// @inheritdoc IHedgeFallback
    function defend(address venue) external nonReentrant {
        uint256 floor = manager.status().minHealth;
        uint256 before = IHedgeVenue(venue).health();
        if (before >= floor) revert VenueHealthy(venue, before, floor);
        // solhint-disable-next-line no-empty-blocks
        try manager.tradeForFallback(venue, 0, 0) {} catch {
            emit FallbackVenueSkipped(venue);
        }
        int256 filled = IHedgeVenue(venue).health() < floor ? _shrink(venue) : int256(0);
        uint256 health = IHedgeVenue(venue).health();
        if (health <= before) revert VenueNotDefended(venue, before, health);
        emit VenueDefended(venue, before, health, filled);
    }

    /// @inheritdoc IHedgeFallback
    function fundBounties(uint256 amount) external {
        usdc.safeTransferFrom(msg.sender, address(this), amount);
        usdc.forceApprove(address(clearinghouse), amount);
        emit BountiesFunded(msg.sender, amount);
        clearinghouse.depositCash(amount);
    }

    // ------------------------------------------------------------------ governance

    /// @inheritdoc IHedgeFallback
    function setParameters(FallbackParameters calldata p) external restricted {
        _setParameters(p);
    }

    /// @inheritdoc IHedgeFallback
    function setVenues(address[] calldata venues_) external restricted {
        if (venues_.length > MAX_VENUES) revert TooManyFallbackVenues(venues_.length, MAX_VENUES);
        for (uint256 i = 0; i < venues_.length; ++i) {
            if (IHedgeVenue(venues_[i]).underlying() != underlying) revert FallbackVenueUnfit(venues_[i]);
        }
        _venues = venues_;
        emit FallbackVenuesSet(venues_);
    }

    // ------------------------------------------------------------------ views

    /// @inheritdoc IHedgeFallback
    function checkUpkeep(bytes calldata) external view returns (bool needed, bytes memory data) {
        Run memory run = _watch();
        bool armed = _isArmed(run);
        if (armed && (block.timestamp < _readyAt(run) || _tradedNow())) return (false, "");
        (, DeltaRules.Book memory book) = _exposure();
        uint256 size = Wad.abs(book.delta);
        needed = armed ? size > run.keeper.band : _mayArm(run, size);
        if (needed) data = abi.encode(armed ? HEDGE : ARM);
    }

    /// @inheritdoc IHedgeFallback
    function status() external view returns (FallbackStatus memory s) {
        Run memory run = _run();
        (s.insideAt, s.slicedAt, s.reserve) = (run.keeper.insideAt, run.record.slicedAt, _reserveLeft(run));
        if (!_isArmed(run)) return s;
        (s.armedAt, s.readyAt, s.bounty) = (run.record.armedAt, _readyAt(run), _bounty(run));
    }

    /// @inheritdoc IHedgeFallback
    function parameters() external view returns (FallbackParameters memory) {
        return _parameters;
    }

    /// @inheritdoc IHedgeFallback
    function venues() external view returns (address[] memory) {
        return _venues;
    }

    // ------------------------------------------------------------------ arming

    /// @inheritdoc IHedgeFallback
    /// @dev What is armed stays as it was armed: calling again starts no wait anew.
    function arm() public {
        Run memory run = _run();
        (, DeltaRules.Book memory book) = _exposure();
        int256 delta = book.delta;
        uint256 size = Wad.abs(delta);
        if (size <= run.keeper.band) {
            emit Disarmed(delta);
            manager.foundInside();
            return;
        }
        if (_isArmed(run) || !_mayArm(run, size)) revert NothingToArm(delta, run.keeper.band, run.keeper.insideAt);
        _record.armedAt = uint40(block.timestamp);
        emit Armed(delta, msg.sender);
    }

    /// @dev What says whether anything is to be done.
    function _watch() private view returns (Run memory run) {
        (run.record, run.keeper) = (_record, manager.status());
    }

    function _run() private view returns (Run memory run) {
        run = _watch();
        run.p = _parameters;
        // Never looser than the keeper's own.
        if (run.p.maxSlippage > run.keeper.maxSlippage) run.p.maxSlippage = uint64(run.keeper.maxSlippage);
    }

    function _mayArm(Run memory run, uint256 size) private view returns (bool) {
        if (size <= run.keeper.band) return false;
        return size > _parameters.emergencyBand || block.timestamp >= run.keeper.insideAt + _parameters.silence;
    }

    /// @dev Whatever ended inside the band since then has disarmed it.
    function _isArmed(Run memory run) private view returns (bool) {
        uint256 armedAt = run.record.armedAt;
        if (armedAt == 0 || run.keeper.insideAt >= armedAt) return false;
        return block.timestamp <= Math.max(armedAt, run.record.slicedAt) + _parameters.lapse;
    }

    /// @dev Whoever spent the budget need not be waited for.
    function _readyAt(Run memory run) private view returns (uint256) {
        FallbackParameters storage p = _parameters;
        bool spent = run.keeper.budget < Wad.mulDown(run.keeper.budgetCap, p.spentShare);
        return Math.max(run.record.armedAt + (spent ? 0 : p.wait), run.record.slicedAt + p.pause);
    }

    // ------------------------------------------------------------------ hedging

    /// @inheritdoc IHedgeFallback
    function fallbackHedge() public nonReentrant {
        Run memory run = _run();
        if (!_isArmed(run)) revert NotArmed(run.record.armedAt);
        uint256 readyAt = _readyAt(run);
        if (block.timestamp < readyAt) revert FallbackNotReady(readyAt, block.timestamp);
        if (_tradedNow()) revert SameBlockAsTrade(block.timestamp);
        _load(run);
        int256 wanted = _wanted(run);
        (DeltaRules.Book memory book, address venue) = _fillSomewhere(run, wanted);
        (int256 filled, int256 navChange) = _checkFill(run, book, wanted);
        uint256 bounty = Math.mulDiv(_bounty(run), Wad.abs(filled), run.p.slice);
        int256 later = run.book.delta + filled;
        uint256 left = _charge(run, navChange);
        _record.slicedAt = uint40(block.timestamp);
        if (Wad.abs(later) <= run.keeper.band + DeltaRules.DUST_BASE) {
            emit Disarmed(later);
            manager.foundInside();
        }
        emit FallbackHedged(msg.sender, venue, run.book.delta, later, filled, navChange, left, _pay(bounty));
    }

    function _load(Run memory run) private view {
        Portfolio memory p;
        (p, run.book) = _exposure();
        run.price = oracle.hedgePrice(underlying);
        (run.cash, run.base) = (p.cash > 0 ? uint256(p.cash) : 0, p.base);
    }

    /// @dev To the band's edge, as if what is pending were filled; a slice, and no more than the reserve could lose.
    function _wanted(Run memory run) private view returns (int256) {
        int256 delta = run.book.delta;
        uint256 band = run.keeper.band;
        uint256 size = Math.saturatingSub(
            Wad.abs(delta),
            Wad.abs(delta > 0 ? run.keeper.pendingDown : run.keeper.pendingUp)
        );
        if (size <= band) revert DeltaInsideBand(delta, band);
        size = Math.min(size - band, run.p.slice);
        size = Math.min(size, Wad.divDown(Wad.divDown(_reserveLeft(run), run.p.maxSlippage), run.price));
        return delta > 0 ? -int256(size) : int256(size);
    }

    /// @dev Sales go through the venues in their order, purchases in the other: shorts are bought back first.
    function _fillSomewhere(
        Run memory run,
        int256 wanted
    ) private returns (DeltaRules.Book memory book, address venue) {
        uint256 count = _venues.length;
        uint256 limit = _limit(run, wanted);
        for (uint256 i = 0; i < count; ++i) {
            venue = _venues[wanted > 0 ? count - 1 - i : i];
            if (_try(run, venue, wanted, limit)) {
                book = _hedge();
                if (book.base != run.book.base) return (book, venue);
            }
            emit FallbackVenueSkipped(venue);
        }
        revert NoVenueFilled(wanted);
    }

    function _try(Run memory run, address venue, int256 wanted, uint256 limit) private returns (bool) {
        if (gasleft() < VENUE_GAS) revert FallbackGasLow(gasleft());
        int256 size = _affordable(run, venue, wanted, limit);
        if (size == 0) return false;
        try manager.tradeForFallback(venue, size, limit) {
            return true;
        } catch {
            return false;
        }
    }

    /// @dev Cut to what the account has of what the venue asks for.
    function _affordable(
        Run memory run,
        address venue,
        int256 wanted,
        uint256 limit
    ) private view returns (int256 size) {
        size = wanted;
        try IHedgeVenue(venue).required(wanted, limit, "") returns (uint256 usdcIn, uint256 baseIn) {
            uint256 cash = run.cash / USDC_SCALE;
            if (baseIn > run.base) size = (wanted * int256(run.base)) / int256(baseIn);
            if (usdcIn > cash) size = (size * int256(cash)) / int256(usdcIn);
        } catch {
            return 0;
        }
    }

    /// @dev What the vault's accounts changed by is held to the size and to the price.
    function _checkFill(
        Run memory run,
        DeltaRules.Book memory book,
        int256 wanted
    ) private pure returns (int256 filled, int256 navChange) {
        return DeltaRules.checkFill(run.book, book, 0, wanted, run.price, run.p.maxSlippage);
    }

    /// @dev Closes a slice of a venue's position out of its own collateral, within the keeper's slippage.
    function _shrink(address venue) private returns (int256 filled) {
        Run memory run = _run();
        run.p.maxSlippage = uint64(run.keeper.maxSlippage);
        _load(run);
        (int256 held, ) = IHedgeVenue(venue).position();
        int256 most = int256(Math.min(Wad.abs(held), run.p.slice));
        int256 wanted = held < 0 ? most : -most;
        manager.tradeForFallback(venue, wanted, _limit(run, wanted));
        DeltaRules.Book memory book = _hedge();
        int256 navChange;
        (filled, navChange) = _checkFill(run, book, wanted);
        _charge(run, navChange);
    }

    function _limit(Run memory run, int256 wanted) private pure returns (uint256) {
        return DeltaRules.worstPrice(wanted, run.price, run.p.maxSlippage);
    }

    function _tradedNow() private view returns (bool) {
        return clearinghouse.lastVaultTrade() == block.timestamp;
    }

    function _exposure() private view returns (Portfolio memory p, DeltaRules.Book memory book) {
        int256 options;
        (p, options) = clearinghouse.exposureOf(vault, underlying);
        book = DeltaRules.book(p, underlying, options);
    }

    /// @dev Of the hedge alone, without the options' delta.
    function _hedge() private view returns (DeltaRules.Book memory) {
        return DeltaRules.book(clearinghouse.collateralOf(vault), underlying, 0);
    }

    // ------------------------------------------------------------------ reserve and bounty

    function _reserveLeft(Run memory run) private view returns (uint256) {
        uint256 refill = (block.timestamp - run.record.reserveAt) * run.p.reserveRefill;
        return Math.min(run.record.reserve + refill, run.p.reserveCap);
    }

    /// @dev A slice is sized to the reserve; what dust or a defence takes beyond it ends at zero and blocks nothing.
    function _charge(Run memory run, int256 navChange) private returns (uint256 left) {
        left = _reserveLeft(run);
        if (navChange < 0) left = Math.saturatingSub(left, uint256(-navChange));
        (_record.reserve, _record.reserveAt) = (uint128(left), uint40(block.timestamp));
    }

    /// @dev For a full slice: nothing at the moment from which it may run, all of it a ramp later.
    function _bounty(Run memory run) private view returns (uint256) {
        uint256 readyAt = _readyAt(run);
        if (block.timestamp <= readyAt) return 0;
        return Math.mulDiv(run.p.bountyCap, Math.min(block.timestamp - readyAt, run.p.bountyRamp), run.p.bountyRamp);
    }

    /// @dev From this contract's own account; an empty one pays nothing and stops nothing.
    function _pay(uint256 bounty) private returns (uint256 paid) {
        uint256 amount = Math.min(bounty / USDC_SCALE, clearinghouse.freeCashOf(address(this)));
        if (amount == 0) return 0;
        try clearinghouse.withdrawCash(amount, msg.sender) {
            return amount * USDC_SCALE;
        } catch {
            return 0;
        }
    }

    /// @dev What is left of the reserve is carried over, cut to the new cap.
    function _setParameters(FallbackParameters memory p) private {
        _inRange("emergencyBand", p.emergencyBand, 1e15, 1e24);
        _inRange("slice", p.slice, 1e16, 1e24);
        _inRange("maxSlippage", p.maxSlippage, 1e14, 2e16);
        _inRange("spentShare", p.spentShare, 0, 5e17);
        _inRange("reserveCap", p.reserveCap, 1e18, 1e25);
        _inRange("reserveRefill", p.reserveRefill, 1e12, p.reserveCap / 1 hours);
        _inRange("bountyCap", p.bountyCap, 0, 1e22);
        _inRange("bountyRamp", p.bountyRamp, 1 minutes, 1 days);
        _inRange("silence", p.silence, 1 minutes, 1 days);
        _inRange("wait", p.wait, 1 minutes, 6 hours);
        _inRange("lapse", p.lapse, uint256(p.wait) + 10 minutes, 7 days);
        _inRange("pause", p.pause, 1, 1 hours);
        Run memory run;
        (run.record, run.p) = (_record, _parameters);
        uint256 left = Math.min(_reserveLeft(run), p.reserveCap);
        (_record.reserve, _record.reserveAt) = (uint128(left), uint40(block.timestamp));
        _parameters = p;
        emit FallbackParametersSet(p);
    }

    function _inRange(string memory name, uint256 value, uint256 low, uint256 high) private pure {
        if (value < low || value > high) revert FallbackParameterOutOfRange(name, value, low, high);
    }
}
