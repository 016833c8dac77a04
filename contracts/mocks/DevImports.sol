// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {MockV3Aggregator} from "@chainlink/contracts/src/v0.8/shared/mocks/MockV3Aggregator.sol";
import {Multicall3} from "@chainlink/contracts/src/v0.8/vendor/multicall/ebd8b64/src/Multicall3.sol";

/// @title Makes brownie keep the artifacts of two contracts whose package carries no bytecode. Deployed as they are, on
/// development chains only. Brownie drops what no contract of the project inherits.
abstract contract UsesMockV3Aggregator is MockV3Aggregator {}

abstract contract UsesMulticall3 is Multicall3 {}
