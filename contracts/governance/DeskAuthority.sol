// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {AccessManager} from "@openzeppelin/contracts/access/manager/AccessManager.sol";
import {IAccessManager} from "@openzeppelin/contracts/access/manager/IAccessManager.sol";
import {IDeskAuthority} from "../interfaces/IDeskAuthority.sol";
import {Notice} from "../libraries/Notice.sol";

/// @title Holds every role and its delay. Documented in IDeskAuthority.
contract DeskAuthority is IDeskAuthority, AccessManager {
    uint64 public constant GOVERNOR = 1;
    uint64 public constant GUARDIAN = 2;
    uint64 public constant ADDRESSES = 5;

    constructor(address deployer) AccessManager(deployer) {}

    /// @inheritdoc IAccessManager
    /// @dev A guardian that could veto its own dismissal could block every other change for good.
    function cancel(
        address caller,
        address target,
        bytes calldata data
    ) public override(IAccessManager, AccessManager) returns (uint32) {
        if (caller != msg.sender && target == address(this) && _dismissesGuardian(data)) {
            revert DismissalNotVetoable(msg.sender);
        }
        return super.cancel(caller, target, data);
    }

    /// @inheritdoc IDeskAuthority
    function delayRange(uint64 role) public pure returns (uint32 low, uint32 high) {
        if (role == ADMIN_ROLE || role == ADDRESSES) return (Notice.MIN_ADDRESS_DELAY, Notice.MAX_ADDRESS_DELAY);
        if (role == GOVERNOR) return (Notice.MIN_PARAMETER_DELAY, Notice.MAX_PARAMETER_DELAY);
        return (0, type(uint32).max);
    }

    function _grantRole(uint64 role, address holder, uint32 grantDelay, uint32 delay) internal override returns (bool) {
        if (address(this).code.length != 0) _checkGrant(role, holder, delay);
        return super._grantRole(role, holder, grantDelay, delay);
    }

    function _setTargetFunctionRole(address target, bytes4 selector, uint64 role) internal override {
        if (role != ADDRESSES && getTargetFunctionRole(target, selector) == ADDRESSES) {
            revert FunctionKeepsRole(target, selector, ADDRESSES);
        }
        super._setTargetFunctionRole(target, selector, role);
    }

    function _checkGrant(uint64 role, address holder, uint32 delay) private view {
        (uint32 low, uint32 high) = delayRange(role);
        if (delay < low || delay > high) revert DelayOutOfRange(role, delay, low, high);
        if ((low != 0 || role == GUARDIAN) && holder.code.length == 0) revert HolderNotContract(role, holder);
    }

    function _dismissesGuardian(bytes calldata data) private pure returns (bool) {
        if (data.length < 36 || bytes4(data) != IAccessManager.revokeRole.selector) return false;
        return abi.decode(data[4:36], (uint64)) == GUARDIAN;
    }
}
