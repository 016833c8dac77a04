// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {AccessManager} from "@openzeppelin/contracts/access/manager/AccessManager.sol";

/// @title Makes brownie keep the artifact of OpenZeppelin's AccessManager, which is deployed as it is.
/// @dev Brownie drops what no contract of the project inherits.
abstract contract UsesAccessManager is AccessManager {}
