// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

// Compiled here because the deployment uses it as OpenZeppelin wrote it: every role and delay lives in it.
import {AccessManager} from "@openzeppelin/contracts/access/manager/AccessManager.sol";
