// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

/// @title How long what takes: seconds that the governor, the authority and the vault have to agree on.
/// @notice Whoever dislikes a change of an address or a role has the time of a whole vote to stop it, and of a whole
/// exit after that, before it can happen:
///   MIN_ADDRESS_DELAY > MAX_VOTING_DELAY + MAX_VOTING_PERIOD + FULL_EXIT.
/// A full exit is the rest of the epoch that runs, and one more for what free cash did not reach.
library Notice {
    uint32 internal constant MIN_VOTING_DELAY = 6 hours;
    uint32 internal constant MAX_VOTING_DELAY = 2 days;
    uint32 internal constant MIN_VOTING_PERIOD = 3 days;
    uint32 internal constant MAX_VOTING_PERIOD = 7 days;

    uint32 internal constant MAX_EPOCH = 7 days;
    uint32 internal constant FULL_EXIT = 2 * MAX_EPOCH;

    uint32 internal constant MIN_PARAMETER_DELAY = 2 days;
    uint32 internal constant MAX_PARAMETER_DELAY = 14 days;
    uint32 internal constant MIN_ADDRESS_DELAY = MAX_VOTING_DELAY + MAX_VOTING_PERIOD + FULL_EXIT + 1 days;
    uint32 internal constant MAX_ADDRESS_DELAY = 60 days;
}
