// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";
import {ReentrancyGuard} from "@openzeppelin/contracts/utils/ReentrancyGuard.sol";
import {VaultShare} from "../VaultShare.sol";
import {IDeskVault} from "../interfaces/IDeskVault.sol";
import {IVaultShare} from "../interfaces/IVaultShare.sol";
import {IERC7540Deposit, IERC7540Operator, IERC7540Redeem} from "../interfaces/external/IERC7540.sol";
import {IERC7575} from "../interfaces/external/IERC7575.sol";
import {RequestQueue} from "../libraries/RequestQueue.sol";

/// @title The depositors' side: requests go into two queues, claims come out. Nothing here asks for a price.
/// @dev USDC of pending deposits and of executed redemptions lies in the vault itself; what has been invested lies in
/// its account at the Clearinghouse. Neither is ever read from a balance, so tokens sent here count in nothing.
abstract contract Requests is IDeskVault, ReentrancyGuard {
    using SafeCast for uint256;
    using SafeERC20 for IERC20;
    using RequestQueue for RequestQueue.Queue;

    /// @dev One slot, written by every epoch and by USDC claims.
    struct Clock {
        uint32 epoch;
        uint40 endsAt;
        uint88 claimableAssets;
        uint88 lastAssets;
    }

    IERC20 internal immutable _usdc;
    IVaultShare internal immutable _share;

    mapping(address controller => mapping(address operator => bool)) public isOperator;

    Clock internal _clock;
    VaultParameters internal _parameters;
    RequestQueue.Queue internal _deposits;
    RequestQueue.Queue internal _redemptions;

    /// @dev Deploys the share, which so can have no other vault.
    constructor(IERC20 usdc_) {
        _usdc = usdc_;
        _share = new VaultShare(address(usdc_));
        _deposits.head = 1;
        _redemptions.head = 1;
    }

    // ------------------------------------------------------------------ requests

    /// @inheritdoc IERC7540Deposit
    function requestDeposit(
        uint256 assets,
        address controller,
        address owner
    ) external nonReentrant returns (uint256 requestId) {
        if (!_acts(owner)) revert NotOwnerOrOperator(msg.sender, owner);
        _checkController(controller, owner);
        if (assets < _parameters.minDeposit) revert RequestBelowMinimum(assets, _parameters.minDeposit);
        requestId = _openId();
        _deposits.add(controller, requestId, assets);
        emit DepositRequest(controller, owner, requestId, msg.sender, assets);
        uint256 before = _usdc.balanceOf(address(this));
        _usdc.safeTransferFrom(owner, address(this), assets);
        _checkReceived(before, assets);
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
        uint256 minimum = _parameters.minRedeem;
        if (shares < minimum && shares != _share.balanceOf(owner)) revert RequestBelowMinimum(shares, minimum);
        requestId = _openId();
        _redemptions.add(controller, requestId, shares);
        emit RedeemRequest(controller, owner, requestId, msg.sender, shares);
        _share.escrow(owner, _acts(owner) ? owner : msg.sender, shares);
    }

    /// @inheritdoc IERC7540Operator
    function setOperator(address operator, bool approved) external returns (bool) {
        isOperator[msg.sender][operator] = approved;
        emit OperatorSet(msg.sender, operator, approved);
        return true;
    }

    // ------------------------------------------------------------------ claims

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

    // ------------------------------------------------------------------ views

    /// @inheritdoc IERC7540Deposit
    function pendingDepositRequest(uint256 requestId, address controller) external view returns (uint256 assets) {
        (assets, ) = _deposits.requestOf(requestId, controller);
    }

    /// @inheritdoc IERC7540Deposit
    function claimableDepositRequest(uint256 requestId, address controller) external view returns (uint256 assets) {
        (, assets) = _deposits.requestOf(requestId, controller);
    }

    /// @inheritdoc IERC7540Redeem
    function pendingRedeemRequest(uint256 requestId, address controller) external view returns (uint256 shares) {
        (shares, ) = _redemptions.requestOf(requestId, controller);
    }

    /// @inheritdoc IERC7540Redeem
    function claimableRedeemRequest(uint256 requestId, address controller) external view returns (uint256 shares) {
        (, shares) = _redemptions.requestOf(requestId, controller);
    }

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

    /// @inheritdoc IDeskVault
    function held() external view returns (uint256 pendingDeposits, uint256 claimableAssets) {
        uint256 last = uint256(_clock.epoch) + 1;
        for (uint256 id = _deposits.head; id <= last; ++id) pendingDeposits += _deposits.pendingOf(id);
        claimableAssets = _clock.claimableAssets;
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
        IERC20(_share).safeTransfer(receiver, shares);
    }

    function _claimAssets(
        uint256 amount,
        bool byInput,
        address receiver,
        address controller
    ) private returns (uint256 shares, uint256 assets) {
        _checkClaim(amount, receiver, controller);
        (shares, assets) = _redemptions.claim(controller, amount, byInput);
        _clock.claimableAssets = (uint256(_clock.claimableAssets) - assets).toUint88();
        emit Withdraw(msg.sender, receiver, controller, assets, shares);
        _usdc.safeTransfer(receiver, assets);
    }

    function _checkClaim(uint256 amount, address receiver, address controller) private view {
        if (!_acts(controller)) revert NotOwnerOrOperator(msg.sender, controller);
        if (receiver == address(0)) revert ZeroAddress();
        if (amount == 0) revert AmountZero();
    }

    function _acts(address owner) private view returns (bool) {
        return msg.sender == owner || isOperator[owner][msg.sender];
    }

    /// @dev A controller's list of ids is bounded: nobody may fill it without his consent (I-08).
    function _checkController(address controller, address owner) private view {
        if (controller != owner && !_acts(controller)) revert ControllerNotApproved(msg.sender, controller);
    }

    function _checkReceived(uint256 before, uint256 expected) internal view {
        uint256 received = _usdc.balanceOf(address(this)) - before;
        if (received < expected) revert TransferShort(expected, received);
    }

    function _openId() private view returns (uint256) {
        return block.timestamp < _clock.endsAt ? _clock.epoch : uint256(_clock.epoch) + 1;
    }
}
