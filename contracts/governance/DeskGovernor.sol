// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {Governor} from "@openzeppelin/contracts/governance/Governor.sol";
import {GovernorCountingSimple} from "@openzeppelin/contracts/governance/extensions/GovernorCountingSimple.sol";
import {GovernorSettings} from "@openzeppelin/contracts/governance/extensions/GovernorSettings.sol";
import {GovernorTimelockAccess} from "@openzeppelin/contracts/governance/extensions/GovernorTimelockAccess.sol";
import {GovernorVotes} from "@openzeppelin/contracts/governance/extensions/GovernorVotes.sol";
import {GovernorVotesQuorumFraction} from "@openzeppelin/contracts/governance/extensions/GovernorVotesQuorumFraction.sol";
import {IVotes} from "@openzeppelin/contracts/governance/utils/IVotes.sol";
import {IDeskGovernor} from "../interfaces/IDeskGovernor.sol";
import {Notice} from "../libraries/Notice.sol";

/// @title Governor over vault shares. Documented in IDeskGovernor.
/// @dev OpenZeppelin's, with hard ranges on its own rules and without a purse.
contract DeskGovernor is
    IDeskGovernor,
    Governor,
    GovernorSettings,
    GovernorCountingSimple,
    GovernorVotes,
    GovernorVotesQuorumFraction,
    GovernorTimelockAccess
{
    constructor(
        IVotes share,
        address authority,
        VotingRules memory rules
    )
        Governor("Gammadesk Governor")
        GovernorSettings(rules.votingDelay, rules.votingPeriod, rules.threshold)
        GovernorVotes(share)
        GovernorVotesQuorumFraction(rules.quorum)
        GovernorTimelockAccess(authority, rules.baseDelay)
    {}

    receive() external payable override {
        revert NoEther();
    }

    // ------------------------------------------------------------------ hard ranges, in the constructor too

    function _setVotingDelay(uint48 seconds_) internal override {
        _inRange("votingDelay", seconds_, Notice.MIN_VOTING_DELAY, Notice.MAX_VOTING_DELAY);
        super._setVotingDelay(seconds_);
    }

    function _setVotingPeriod(uint32 seconds_) internal override {
        _inRange("votingPeriod", seconds_, Notice.MIN_VOTING_PERIOD, Notice.MAX_VOTING_PERIOD);
        super._setVotingPeriod(seconds_);
    }

    function _setBaseDelaySeconds(uint32 seconds_) internal override {
        _inRange("baseDelay", seconds_, Notice.MIN_PARAMETER_DELAY, Notice.MAX_PARAMETER_DELAY);
        super._setBaseDelaySeconds(seconds_);
    }

    function _setProposalThreshold(uint256 votes) internal override {
        _inRange("threshold", votes, 1e18, 100_000e18);
        super._setProposalThreshold(votes);
    }

    function _updateQuorumNumerator(uint256 percent) internal override {
        _inRange("quorum", percent, 4, 30);
        super._updateQuorumNumerator(percent);
    }

    function _inRange(string memory name, uint256 value, uint256 low, uint256 high) private pure {
        if (value < low || value > high) revert VotingRuleOutOfRange(name, value, low, high);
    }

    // ------------------------------------------------------------------ which of two ancestors

    function votingDelay() public view override(Governor, GovernorSettings) returns (uint256) {
        return super.votingDelay();
    }

    function votingPeriod() public view override(Governor, GovernorSettings) returns (uint256) {
        return super.votingPeriod();
    }

    function proposalThreshold() public view override(Governor, GovernorSettings) returns (uint256) {
        return super.proposalThreshold();
    }

    function quorum(uint256 at) public view override(Governor, GovernorVotesQuorumFraction) returns (uint256) {
        return super.quorum(at);
    }

    function proposalNeedsQueuing(uint256 id) public view override(Governor, GovernorTimelockAccess) returns (bool) {
        return super.proposalNeedsQueuing(id);
    }

    function propose(
        address[] memory targets,
        uint256[] memory values,
        bytes[] memory calldatas,
        string memory description
    ) public override(Governor, GovernorTimelockAccess) returns (uint256) {
        return super.propose(targets, values, calldatas, description);
    }

    function _queueOperations(
        uint256 id,
        address[] memory targets,
        uint256[] memory values,
        bytes[] memory calldatas,
        bytes32 description
    ) internal override(Governor, GovernorTimelockAccess) returns (uint48) {
        return super._queueOperations(id, targets, values, calldatas, description);
    }

    function _executeOperations(
        uint256 id,
        address[] memory targets,
        uint256[] memory values,
        bytes[] memory calldatas,
        bytes32 description
    ) internal override(Governor, GovernorTimelockAccess) {
        super._executeOperations(id, targets, values, calldatas, description);
    }

    function _cancel(
        address[] memory targets,
        uint256[] memory values,
        bytes[] memory calldatas,
        bytes32 description
    ) internal override(Governor, GovernorTimelockAccess) returns (uint256) {
        return super._cancel(targets, values, calldatas, description);
    }
}
