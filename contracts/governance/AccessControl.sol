// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {AccessManager} from "@openzeppelin/contracts/access/manager/AccessManager.sol";

/// @title Names the authority of every contract here: OpenZeppelin's AccessManager as it is, with all roles and delays.
/// @dev Brownie compiles only files that define something, and what they import with them.
interface IDeskAuthority {}
