// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

// Compiled with the project because their packages carry no bytecode. Development chains only.
import {MockV3Aggregator} from "@chainlink/contracts/src/v0.8/shared/mocks/MockV3Aggregator.sol";
import {Multicall3} from "@chainlink/contracts/src/v0.8/vendor/multicall/ebd8b64/src/Multicall3.sol";

/// @dev Brownie compiles only files that define something, and what they import with them.
interface IDevImports {}
