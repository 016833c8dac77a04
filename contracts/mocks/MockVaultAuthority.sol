// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {AccessManager} from "@openzeppelin/contracts/access/manager/AccessManager.sol";

/// @title OpenZeppelin's AccessManager as it is, under a name that brownie lets tests deploy.
contract MockVaultAuthority is AccessManager {
    constructor(address admin) AccessManager(admin) {}
}
