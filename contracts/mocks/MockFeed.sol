// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {AggregatorV3Interface} from "@chainlink/contracts/src/v0.8/shared/interfaces/AggregatorV3Interface.sol";

/// @notice A feed with phases, holes, any answer and any time; unknown rounds revert as in Chainlink's older aggregators,
/// or are zeros as in the newer.
contract MockFeed is AggregatorV3Interface {
    struct Round {
        int256 answer;
        uint256 updatedAt;
    }

    uint8 public decimals;
    uint80 public latest;
    bool public broken;
    bool public zeros;
    bool public stuck;
    uint32 public gasNeeded;
    mapping(uint80 id => Round) private _rounds;

    error FeedBroken();

    constructor(uint8 decimals_, int256 answer, uint256 updatedAt) {
        decimals = decimals_;
        setRound((uint80(1) << 64) | 1, answer, updatedAt);
    }

    function setRound(uint80 id, int256 answer, uint256 updatedAt) public {
        _rounds[id] = Round(answer, updatedAt);
        latest = id;
    }

    /// @notice Many rounds at once; the last is the latest.
    function load(uint80[] calldata ids, int256[] calldata answers, uint256[] calldata times) external {
        for (uint256 i = 0; i < ids.length; ++i) setRound(ids[i], answers[i], times[i]);
    }

    /// @notice Adds the next round of the current phase.
    function push(int256 answer, uint256 updatedAt) external returns (uint80) {
        setRound(latest + 1, answer, updatedAt);
        return latest;
    }

    function setDecimals(uint8 decimals_) external {
        decimals = decimals_;
    }

    function setBroken(bool broken_) external {
        broken = broken_;
    }

    function setZeros(bool zeros_) external {
        zeros = zeros_;
    }

    /// @notice Whatever round is asked for, the latest is answered.
    function setStuck(bool stuck_) external {
        stuck = stuck_;
    }

    /// @notice A read burns so much gas.
    function setGasNeeded(uint32 gasNeeded_) external {
        gasNeeded = gasNeeded_;
    }

    function getRoundData(uint80 id) public view returns (uint80, int256, uint256, uint256, uint80) {
        uint256 start = gasleft();
        if (broken) revert FeedBroken();
        while (start - gasleft() < gasNeeded) continue;
        if (stuck) id = latest;
        Round memory r = _rounds[id];
        require(zeros || r.updatedAt != 0 || r.answer != 0, "No data present");
        return (id, r.answer, r.updatedAt, r.updatedAt, id);
    }

    function latestRoundData() external view returns (uint80, int256, uint256, uint256, uint80) {
        return getRoundData(latest);
    }

    function description() external pure returns (string memory) {
        return "ETH / USD";
    }

    function version() external pure returns (uint256) {
        return 4;
    }
}
