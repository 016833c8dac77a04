// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {AggregatorV3Interface} from "@chainlink/contracts/src/v0.8/shared/interfaces/AggregatorV3Interface.sol";

/// @notice A feed with phases, as Chainlink's proxy keeps them: each confirmed aggregator is a phase, its rounds have the
/// phase above their own number, and a phase that never was reverts. What an aggregator answers for a round that it does
/// not have (MockFeed reverts, Chainlink's MockV3Aggregator answers zeros) is passed on.
contract MockFeedProxy is AggregatorV3Interface {
    uint16 public phaseId;
    mapping(uint16 phase => AggregatorV3Interface) public phaseAggregators;

    constructor(AggregatorV3Interface first, uint16 phase) {
        phaseId = phase;
        phaseAggregators[phase] = first;
    }

    function confirm(AggregatorV3Interface aggregator) external {
        phaseAggregators[++phaseId] = aggregator;
    }

    function getRoundData(uint80 id) external view returns (uint80, int256, uint256, uint256, uint80) {
        uint16 phase = uint16(id >> 64);
        (uint80 own, int256 answer, uint256 startedAt, uint256 updatedAt, uint80 answeredIn) = phaseAggregators[phase]
            .getRoundData(uint64(id));
        return (_withPhase(phase, own), answer, startedAt, updatedAt, _withPhase(phase, answeredIn));
    }

    function latestRoundData() external view returns (uint80, int256, uint256, uint256, uint80) {
        (uint80 own, int256 answer, uint256 startedAt, uint256 updatedAt, uint80 answeredIn) = phaseAggregators[phaseId]
            .latestRoundData();
        return (_withPhase(phaseId, own), answer, startedAt, updatedAt, _withPhase(phaseId, answeredIn));
    }

    function decimals() external view returns (uint8) {
        return phaseAggregators[phaseId].decimals();
    }

    function description() external pure returns (string memory) {
        return "ETH / USD";
    }

    function version() external pure returns (uint256) {
        return 4;
    }

    function _withPhase(uint16 phase, uint80 own) private pure returns (uint80) {
        return (uint80(phase) << 64) | uint64(own);
    }
}
