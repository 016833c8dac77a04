// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

// Compiled with the project because their packages carry no bytecode. Development chains only.
import {MockV3Aggregator} from "@chainlink/contracts/src/v0.8/shared/mocks/MockV3Aggregator.sol";
import {Multicall3} from "@chainlink/contracts/src/v0.8/vendor/multicall/ebd8b64/src/Multicall3.sol";

// Brownie drops the artifacts of what no contract of the project inherits.

abstract contract MockUsesAggregator is MockV3Aggregator {}

abstract contract MockUsesMulticall is Multicall3 {}
