// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {IERC7540Deposit, IERC7540Redeem} from "../interfaces/external/IERC7540.sol";
import {IERC7887Deposit, IERC7887Redeem} from "../interfaces/external/IERC7887.sol";
import {Cancelations} from "../libraries/Cancelations.sol";
import {RequestQueue} from "../libraries/RequestQueue.sol";
import {Ledger} from "./Ledger.sol";

/// @title The way in: requests go into two queues, and out of them again while nobody can process them.
abstract contract Requests is Ledger {
    using SafeERC20 for IERC20;
    using Cancelations for RequestQueue.Queue;
    using RequestQueue for RequestQueue.Queue;

    uint256 internal constant REDEEM_UNIT = 1e12;

    // ------------------------------------------------------------------ requests

    /// @inheritdoc IERC7540Deposit
    function requestDeposit(
        uint256 assets,
        address controller,
        address owner
    ) external nonReentrant returns (uint256 requestId) {
        _requireActs(owner);
        _checkController(controller, owner);
        uint256 minimum = _clock.minDeposit;
        if (assets < minimum) revert RequestBelowMinimum(assets, minimum);
        requestId = _openId();
        _deposits.add(controller, requestId, assets);
        emit DepositRequest(controller, owner, requestId, msg.sender, assets);
        uint256 before = _usdc.balanceOf(address(this));
        _usdc.safeTransferFrom(owner, address(this), assets);
        _checkReceived(_usdc, before, assets);
    }

    /// @inheritdoc IERC7540Redeem
    /// @dev Without operator rights the caller spends its allowance of the owner's shares, as in ERC-6909.
    function requestRedeem(
        uint256 shares,
        address controller,
        address owner
    ) external nonReentrant returns (uint256 requestId) {
        _checkController(controller, owner);
        if (shares == 0) revert AmountZero();
        uint256 minimum = _clock.minRedeem * REDEEM_UNIT;
        if (shares < minimum && shares != _share.balanceOf(owner)) revert RequestBelowMinimum(shares, minimum);
        requestId = _openId();
        _redemptions.add(controller, requestId, shares);
        emit RedeemRequest(controller, owner, requestId, msg.sender, shares);
        _share.escrow(owner, _acts(owner) ? owner : msg.sender, shares);
    }

    // ------------------------------------------------------------------ cancelling

    /// @inheritdoc IERC7887Deposit
    function cancelDepositRequest(uint256 requestId, address controller) external {
        _checkCancel(requestId, controller);
        _addClaimable(_deposits.cancel(controller, requestId));
        emit CancelDepositRequest(controller, requestId, msg.sender);
    }

    /// @inheritdoc IERC7887Redeem
    function cancelRedeemRequest(uint256 requestId, address controller) external {
        _checkCancel(requestId, controller);
        _redemptions.cancel(controller, requestId);
        emit CancelRedeemRequest(controller, requestId, msg.sender);
    }

    // ------------------------------------------------------------------ views

    /// @inheritdoc IERC7540Deposit
    function pendingDepositRequest(uint256 requestId, address controller) external view returns (uint256 assets) {
        (assets, , ) = _deposits.requestOf(requestId, controller);
    }

    /// @inheritdoc IERC7540Deposit
    function claimableDepositRequest(uint256 requestId, address controller) external view returns (uint256 assets) {
        (, assets, ) = _deposits.requestOf(requestId, controller);
    }

    /// @inheritdoc IERC7540Redeem
    function pendingRedeemRequest(uint256 requestId, address controller) external view returns (uint256 shares) {
        (shares, , ) = _redemptions.requestOf(requestId, controller);
    }

    /// @inheritdoc IERC7540Redeem
    function claimableRedeemRequest(uint256 requestId, address controller) external view returns (uint256 shares) {
        (, shares, ) = _redemptions.requestOf(requestId, controller);
    }

    /// @inheritdoc IERC7887Deposit
    /// @dev Cancelations are claimable at once.
    function pendingCancelDepositRequest(uint256, address) external pure returns (bool) {
        return false;
    }

    /// @inheritdoc IERC7887Redeem
    function pendingCancelRedeemRequest(uint256, address) external pure returns (bool) {
        return false;
    }

    /// @inheritdoc IERC7887Deposit
    function claimableCancelDepositRequest(
        uint256 requestId,
        address controller
    ) external view returns (uint256 assets) {
        (, , assets) = _deposits.requestOf(requestId, controller);
    }

    /// @inheritdoc IERC7887Redeem
    function claimableCancelRedeemRequest(
        uint256 requestId,
        address controller
    ) external view returns (uint256 shares) {
        (, , shares) = _redemptions.requestOf(requestId, controller);
    }

    // ------------------------------------------------------------------ internal

    /// @dev A controller's list of ids is bounded: nobody may fill it without his consent (I-08).
    function _checkController(address controller, address owner) private view {
        if (controller != owner && !_acts(controller)) revert ControllerNotApproved(msg.sender, controller);
    }

    function _openId() private view returns (uint256 id) {
        if (_clock.windingDown) revert WindingDown();
        id = _clock.epoch;
        if (block.timestamp >= _clock.endsAt) ++id;
    }

    /// @dev While its epoch can be processed a request stands: it would be a free option on a price that is seen.
    function _checkCancel(uint256 requestId, address controller) private view {
        _requireActs(controller);
        Clock memory c = _clock;
        if (c.entered) revert ReentrancyGuardReentrantCall();
        if (c.windingDown || requestId > c.epoch || block.timestamp < c.endsAt) return;
        uint256 into = (block.timestamp - c.endsAt) % _parameters.epochLength;
        if (into < c.window) revert RequestExecuting(requestId, block.timestamp - into + c.window);
    }
}
