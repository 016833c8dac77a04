// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {IAccessManager} from "@openzeppelin/contracts/access/manager/IAccessManager.sol";

/// @title OpenZeppelin's AccessManager with hard limits on the notice of governance.
/// @notice What no vote can change: the holders of ADMIN, ADDRESSES, GOVERNOR and GUARDIAN are contracts; the first
/// three act after a delay inside a range; a function that has the role ADDRESSES keeps it. The deployer's own grant, in
/// the constructor, is exempt: it ends the deployment by renouncing it.
/// Warning: `updateAuthority` moves a contract to another authority, with other limits. It has ADMIN's delay.
interface IDeskAuthority is IAccessManager {
    /// @notice The role is only for contracts: nobody signs for it alone.
    error HolderNotContract(uint64 role, address holder);
    /// @notice Seconds.
    error DelayOutOfRange(uint64 role, uint32 delay, uint32 low, uint32 high);
    /// @notice A function that changes an address does not get a faster role.
    error FunctionKeepsRole(address target, bytes4 selector, uint64 role);
    /// @notice The guardian may not veto that governance takes its role away.
    error DismissalNotVetoable(address caller);

    /// @notice Parameters, inside the hard ranges of the contracts.
    function GOVERNOR() external view returns (uint64);

    /// @notice Vetoes what is scheduled, and lowers limits on new risk.
    function GUARDIAN() external view returns (uint64);

    /// @notice Contracts, feeds, venues and keys that others rely on.
    function ADDRESSES() external view returns (uint64);

    /// @notice Range of the execution delay of a role's holders, seconds; (0, 2^32 - 1) where any will do.
    function delayRange(uint64 role) external pure returns (uint32 low, uint32 high);
}
