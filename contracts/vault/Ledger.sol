// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";
import {VaultShare} from "../VaultShare.sol";
import {IDeskVault} from "../interfaces/IDeskVault.sol";
import {IVaultShare} from "../interfaces/IVaultShare.sol";
import {IERC7540Operator} from "../interfaces/external/IERC7540.sol";
import {RequestQueue} from "../libraries/RequestQueue.sol";

/// @title What every part of the vault shares: its clock, its two queues, who acts for whom, and the guard.
/// @dev USDC of pending deposits and of what can be claimed lies in the vault itself; what has been invested lies in its
/// account at the Clearinghouse. Neither is ever read from a balance, so tokens sent here count in nothing.
abstract contract Ledger is IDeskVault {
    using SafeCast for uint256;

    /// @dev One slot, all that a request or a claim must know. The limits and the window repeat the parameters; `entered`
    /// is the guard against reentrance, which so costs no slot of its own.
    /// @param minRedeem millionths of a share.
    struct Clock {
        uint32 epoch;
        uint40 endsAt;
        uint32 window;
        uint40 minDeposit;
        uint32 minRedeem;
        uint64 claimableAssets;
        bool windingDown;
        bool entered;
    }

    IERC20 internal immutable _usdc;
    IVaultShare internal immutable _share;

    mapping(address controller => mapping(address operator => bool)) public isOperator;

    Clock internal _clock;
    VaultParameters internal _parameters;
    RequestQueue.Queue internal _deposits;
    RequestQueue.Queue internal _redemptions;

    modifier nonReentrant() {
        _requireNotEntered();
        _clock.entered = true;
        _;
        _clock.entered = false;
    }

    /// @dev Deploys the share, which so can have no other vault.
    constructor(IERC20 usdc_) {
        _usdc = usdc_;
        _share = new VaultShare(address(usdc_));
        _deposits.head = 1;
        _redemptions.head = 1;
    }

    /// @inheritdoc IERC7540Operator
    function setOperator(address operator, bool approved) external returns (bool) {
        isOperator[msg.sender][operator] = approved;
        emit OperatorSet(msg.sender, operator, approved);
        return true;
    }

    /// @inheritdoc IDeskVault
    function held() external view returns (uint256 pendingDeposits, uint256 claimableAssets) {
        uint256 last = uint256(_clock.epoch) + 1;
        for (uint256 id = _deposits.head; id <= last; ++id) {
            pendingDeposits += RequestQueue.pendingOf(_deposits, id);
        }
        claimableAssets = _clock.claimableAssets;
    }

    /// @inheritdoc IDeskVault
    function missedEpochs() external view returns (uint256) {
        return _missed();
    }

    function _requireNotEntered() internal view {
        if (_clock.entered) revert ReentrancyGuardReentrantCall();
    }

    function _acts(address owner) internal view returns (bool) {
        return msg.sender == owner || isOperator[owner][msg.sender];
    }

    function _requireActs(address owner) internal view {
        if (!_acts(owner)) revert NotOwnerOrOperator(msg.sender, owner);
    }

    /// @dev USDC that can be claimed from now on.
    function _addClaimable(uint256 assets) internal {
        _clock.claimableAssets = (uint256(_clock.claimableAssets) + assets).toUint64();
    }

    function _subClaimable(uint256 assets) internal {
        _clock.claimableAssets = (uint256(_clock.claimableAssets) - assets).toUint64();
    }

    function _checkReceived(IERC20 token, uint256 before, uint256 expected) internal view {
        uint256 received = token.balanceOf(address(this)) - before;
        if (received < expected) revert TransferShort(expected, received);
    }

    /// @dev Windows of the current epoch that are wholly over.
    function _missed() internal view returns (uint256) {
        uint256 first = uint256(_clock.endsAt) + _clock.window;
        return block.timestamp < first ? 0 : (block.timestamp - first) / _parameters.epochLength + 1;
    }
}
