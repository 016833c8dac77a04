// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";
import {IWindDown} from "../interfaces/IWindDown.sol";
import {Portfolio} from "../interfaces/IRiskEngine.sol";
import {Leg} from "../libraries/SeriesId.sol";
import {Pricing} from "./Pricing.sol";

interface IHasWeth {
    function weth() external view returns (IERC20);
}

/// @title The vault's end. Documented in IWindDown.
/// @notice The supply S stands still from the start on. Of each amount a that frees, a / S is added to an index; shares s
/// that were surrendered have a claim on s x index less what was paid for them, whenever they were surrendered.
abstract contract WindDown is Pricing {
    using SafeCast for uint256;
    using SafeERC20 for IERC20;

    /// @dev Shares given up and what was paid for them, USDC units and wei.
    struct Exit {
        uint112 shares;
        uint64 assets;
        uint80 base;
    }

    /// @dev An index is token units per share, so scaled that 1e-12 of a unit per whole share counts.
    uint256 private constant INDEX_SCALE = 1e30;

    IERC20 internal immutable _weth;

    uint256 private _assetIndex;
    uint256 private _baseIndex;
    mapping(address owner => Exit) private _exits;

    constructor(address clearinghouse_) {
        _weth = IHasWeth(clearinghouse_).weth();
    }

    /// @inheritdoc IWindDown
    function windDown() external {
        if (_clock.windingDown) revert WindingDown();
        (uint256 missed, uint256 needed) = (_missed(), _parameters.missedToWindDown);
        if (missed < needed) revert EpochsNotMissed(missed, needed);
        _clock.windingDown = true;
        emit WindDownStarted(msg.sender, missed);
    }

    /// @inheritdoc IWindDown
    /// @dev The virtual share has no part in it: what is left belongs to the holders alone.
    function distribute() external nonReentrant {
        _requireWindingDown();
        uint256 supply = _share.totalSupply();
        if (supply == 0) revert NothingFree();
        uint256 before = _usdc.balanceOf(address(this));
        uint256 assets = clearinghouse.withdrawFreeCash(type(uint256).max, address(this));
        _checkReceived(_usdc, before, assets);
        uint256 base = _takeBase();
        if (assets == 0 && base == 0) revert NothingFree();
        _assetIndex += Math.mulDiv(assets, INDEX_SCALE, supply);
        _baseIndex += Math.mulDiv(base, INDEX_SCALE, supply);
        _addClaimable(assets);
        emit Distributed(assets, base);
    }

    /// @inheritdoc IWindDown
    function unwindVenue(address venue) external nonReentrant {
        _requireWindingDown();
        Leg[] memory legs = clearinghouse.legsOf(address(this));
        for (uint256 i = 0; i < legs.length; ++i) {
            uint40 expiry = legs[i].series.expiry();
            if (expiry > block.timestamp) revert LegStillLive(expiry, block.timestamp);
        }
        clearinghouse.unwindVenue(venue);
    }

    /// @inheritdoc IWindDown
    function surrender(uint256 shares, address owner) external nonReentrant {
        _requireWindingDown();
        _requireActs(owner);
        if (shares == 0) revert AmountZero();
        _exits[owner].shares += shares.toUint112();
        emit Surrendered(owner, shares);
        _share.escrow(owner, owner, shares);
    }

    /// @inheritdoc IWindDown
    function collect(address receiver, address owner) external nonReentrant returns (uint256 assets, uint256 base) {
        _requireActs(owner);
        if (receiver == address(0)) revert ZeroAddress();
        (assets, base) = _due(owner);
        if (assets == 0 && base == 0) revert NothingToCollect(owner);
        Exit storage e = _exits[owner];
        (e.assets, e.base) = ((e.assets + assets).toUint64(), (e.base + base).toUint80());
        _subClaimable(assets);
        emit Collected(owner, receiver, assets, base);
        if (assets != 0) _usdc.safeTransfer(receiver, assets);
        if (base != 0) _weth.safeTransfer(receiver, base);
    }

    /// @inheritdoc IWindDown
    function windingDown() external view returns (bool) {
        return _clock.windingDown;
    }

    /// @inheritdoc IWindDown
    function surrendered(address owner) external view returns (uint256 shares, uint256 assets, uint256 base) {
        shares = _exits[owner].shares;
        (assets, base) = _due(owner);
    }

    /// @dev WETH hedges as long as there is a leg or a venue holds anything, and pays what is owed before it pays holders:
    /// anyone may cure the debt.
    function _takeBase() private returns (uint256 base) {
        Portfolio memory p = clearinghouse.portfolioOf(address(this));
        base = p.base;
        if (base == 0 || p.legs.length != 0 || p.hedges.length != 0 || p.cash < 0) return 0;
        uint256 before = _weth.balanceOf(address(this));
        clearinghouse.withdrawBase(base, address(this));
        _checkReceived(_weth, before, base);
    }

    function _due(address owner) private view returns (uint256 assets, uint256 base) {
        Exit memory e = _exits[owner];
        assets = Math.mulDiv(e.shares, _assetIndex, INDEX_SCALE) - e.assets;
        base = Math.mulDiv(e.shares, _baseIndex, INDEX_SCALE) - e.base;
    }

    function _requireWindingDown() private view {
        if (!_clock.windingDown) revert NotWindingDown();
    }
}
