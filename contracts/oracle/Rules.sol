// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {Action, OracleState} from "../interfaces/IMarketOracle.sol";

/// @title Which oracle state allows which action: the only place where it is written.
/// @notice docs/decisions/0007-what-each-oracle-state-allows.md gives the reason of each cell.
///
///              Fresh  Deviating  Depegged  Stale  SequencerDown
///   Open        yes      no         no       no        no
///   Withdraw    yes      yes        no       no        no
///   Liquidate   yes      yes        yes      no        no
///   Hedge       yes      yes        yes      yes       yes
///   Close       yes      yes        yes      yes       yes
///   Settle      yes      yes        yes      yes       yes
///   Claim       yes      yes        yes      yes       yes
library Rules {
    /// @dev One bit for each state, in the order of the enum.
    uint256 internal constant FRESH = 1 << uint8(OracleState.Fresh);
    uint256 internal constant DEVIATING = 1 << uint8(OracleState.Deviating);
    uint256 internal constant STALE = 1 << uint8(OracleState.Stale);
    uint256 internal constant SEQUENCER_DOWN = 1 << uint8(OracleState.SequencerDown);
    uint256 internal constant DEPEGGED = 1 << uint8(OracleState.Depegged);
    uint256 internal constant ALL = FRESH | DEVIATING | STALE | SEQUENCER_DOWN | DEPEGGED;

    /// @return The states that allow the action, as a set of bits.
    function statesFor(Action action) internal pure returns (uint256) {
        if (action == Action.Open) return FRESH;
        if (action == Action.Withdraw) return FRESH | DEVIATING;
        if (action == Action.Liquidate) return FRESH | DEVIATING | DEPEGGED;
        return ALL;
    }

    function contains(uint256 states, OracleState current) internal pure returns (bool) {
        return (states >> uint8(current)) & 1 == 1;
    }

    function covers(uint256 states, uint256 others) internal pure returns (bool) {
        return states & others == others;
    }
}
