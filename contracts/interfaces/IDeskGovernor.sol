// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

/// @title Holders of vault shares vote on what the authority lets the governor do.
/// @notice A vote is a share delegated at the snapshot, `votingDelay` after the proposal; delegating to oneself counts.
/// Shares that lie with the vault, escrowed for redemption or not claimed yet, have no vote but count in the quorum.
/// Warning: shares lent over the very moment of the snapshot vote; lent after it, or within one block, they do not.
interface IDeskGovernor {
    /// @param votingDelay seconds from proposal to snapshot.
    /// @param votingPeriod seconds from snapshot to the end of voting.
    /// @param baseDelay seconds from queueing to execution, where the authority demands no longer one.
    /// @param threshold votes of a proposer, share units (1e18 is one share).
    /// @param quorum percent of all shares, for and abstaining.
    struct VotingRules {
        uint48 votingDelay;
        uint32 votingPeriod;
        uint32 baseDelay;
        uint128 threshold;
        uint8 quorum;
    }

    error VotingRuleOutOfRange(string name, uint256 value, uint256 low, uint256 high);
    error NoEther();
}
