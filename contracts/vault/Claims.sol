// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {IERC7540Deposit} from "../interfaces/external/IERC7540.sol";
import {IERC7575} from "../interfaces/external/IERC7575.sol";
import {IERC7887Deposit, IERC7887Redeem} from "../interfaces/external/IERC7887.sol";
import {Cancelations} from "../libraries/Cancelations.sol";
import {RequestQueue} from "../libraries/RequestQueue.sol";
import {Requests} from "./Requests.sol";

/// @title The way out: claims of what epochs have executed and of what was cancelled. Nothing here asks for a price.
abstract contract Claims is Requests {
    using SafeERC20 for IERC20;
    using Cancelations for RequestQueue.Queue;
    using RequestQueue for RequestQueue.Queue;

    /// @inheritdoc IERC7575
    function deposit(uint256 assets, address receiver) external returns (uint256 shares) {
        return deposit(assets, receiver, msg.sender);
    }

    /// @inheritdoc IERC7575
    function mint(uint256 shares, address receiver) external returns (uint256 assets) {
        return mint(shares, receiver, msg.sender);
    }

    /// @inheritdoc IERC7540Deposit
    function deposit(
        uint256 assets,
        address receiver,
        address controller
    ) public nonReentrant returns (uint256 shares) {
        (, shares) = _claimShares(assets, true, receiver, controller);
    }

    /// @inheritdoc IERC7540Deposit
    function mint(uint256 shares, address receiver, address controller) public nonReentrant returns (uint256 assets) {
        (assets, ) = _claimShares(shares, false, receiver, controller);
    }

    /// @inheritdoc IERC7575
    function redeem(
        uint256 shares,
        address receiver,
        address controller
    ) external nonReentrant returns (uint256 assets) {
        (, assets) = _claimAssets(shares, true, receiver, controller);
    }

    /// @inheritdoc IERC7575
    function withdraw(
        uint256 assets,
        address receiver,
        address controller
    ) external nonReentrant returns (uint256 shares) {
        (shares, ) = _claimAssets(assets, false, receiver, controller);
    }

    /// @inheritdoc IERC7887Deposit
    function claimCancelDepositRequest(uint256 requestId, address receiver, address controller) external nonReentrant {
        uint256 assets = _claimCancelled(_deposits, requestId, receiver, controller);
        _subClaimable(assets);
        emit CancelDepositClaim(controller, receiver, requestId, msg.sender, assets);
        _usdc.safeTransfer(receiver, assets);
    }

    /// @inheritdoc IERC7887Redeem
    function claimCancelRedeemRequest(uint256 requestId, address receiver, address controller) external nonReentrant {
        uint256 shares = _claimCancelled(_redemptions, requestId, receiver, controller);
        emit CancelRedeemClaim(controller, receiver, requestId, msg.sender, shares);
        _share.transfer(receiver, shares);
    }

    // ------------------------------------------------------------------ views

    /// @inheritdoc IERC7575
    function maxDeposit(address controller) external view returns (uint256 assets) {
        (assets, ) = _deposits.claimableOf(controller);
    }

    /// @inheritdoc IERC7575
    function maxMint(address controller) external view returns (uint256 shares) {
        (, shares) = _deposits.claimableOf(controller);
    }

    /// @inheritdoc IERC7575
    function maxRedeem(address controller) external view returns (uint256 shares) {
        (shares, ) = _redemptions.claimableOf(controller);
    }

    /// @inheritdoc IERC7575
    function maxWithdraw(address controller) external view returns (uint256 assets) {
        (, assets) = _redemptions.claimableOf(controller);
    }

    /// @inheritdoc IERC7575
    function asset() external view returns (address) {
        return address(_usdc);
    }

    /// @inheritdoc IERC7575
    function share() external view returns (address) {
        return address(_share);
    }

    /// @inheritdoc IERC7575
    function previewDeposit(uint256) external pure returns (uint256) {
        revert PreviewUnsupported();
    }

    /// @inheritdoc IERC7575
    function previewMint(uint256) external pure returns (uint256) {
        revert PreviewUnsupported();
    }

    /// @inheritdoc IERC7575
    function previewRedeem(uint256) external pure returns (uint256) {
        revert PreviewUnsupported();
    }

    /// @inheritdoc IERC7575
    function previewWithdraw(uint256) external pure returns (uint256) {
        revert PreviewUnsupported();
    }

    // ------------------------------------------------------------------ internal

    function _claimShares(
        uint256 amount,
        bool byInput,
        address receiver,
        address controller
    ) private returns (uint256 assets, uint256 shares) {
        _checkClaim(amount, receiver, controller);
        (assets, shares) = _deposits.claim(controller, amount, byInput);
        emit Deposit(controller, receiver, assets, shares);
        _share.transfer(receiver, shares);
    }

    function _claimAssets(
        uint256 amount,
        bool byInput,
        address receiver,
        address controller
    ) private returns (uint256 shares, uint256 assets) {
        _checkClaim(amount, receiver, controller);
        (shares, assets) = _redemptions.claim(controller, amount, byInput);
        _subClaimable(assets);
        emit Withdraw(msg.sender, receiver, controller, assets, shares);
        _usdc.safeTransfer(receiver, assets);
    }

    function _claimCancelled(
        RequestQueue.Queue storage q,
        uint256 requestId,
        address receiver,
        address controller
    ) private returns (uint256 units) {
        _checkClaim(1, receiver, controller);
        units = q.claimCancelled(controller, requestId);
        if (units == 0) revert NoCancelation(requestId, controller);
    }

    function _checkClaim(uint256 amount, address receiver, address controller) private view {
        _requireActs(controller);
        if (receiver == address(0)) revert ZeroAddress();
        if (amount == 0) revert AmountZero();
    }
}
