// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {IMarketOracle} from "../interfaces/IMarketOracle.sol";
import {Rounds} from "../libraries/Rounds.sol";

/// @title What the rounds of a feed show, for settlement and samples. Without storage; beside MarketOracle for its size.
/// @notice Rounds that are not usable are passed over by rule, whoever asks, so that no prover has a choice. A failed
/// read counts as a missing round; Rounds sees to it that a caller cannot bring one about by sending little gas.
contract RoundProver {
    /// @dev What is shown of other phases: none from `first` to `last` but `except` has a usable round in [from, until),
    /// nor, before `except`, at `until`: of two rounds of one time that of the older phase counts.
    /// @param latestId the feed's latest round, 0 where it does not answer.
    struct Silence {
        uint16 first;
        uint16 last;
        uint16 except;
        uint256 from;
        uint256 until;
        uint80 latestId;
    }

    uint256 private constant HOUR = 1 hours;
    /// @notice So many missing ids in a row are the end of a phase.
    uint256 public constant MAX_HOLES = 16;

    /// @notice Price and time of a round that is the first usable of its phase at or after the expiry, and not after the
    /// deadline.
    /// @return price USD in WAD.
    /// @return updatedAt unix seconds.
    /// @return hasPrevious whether its phase has a usable round before it.
    function firstAfter(
        address feed,
        uint8 decimals,
        uint80 id,
        uint40 expiry,
        uint256 deadline
    ) external view returns (uint256 price, uint256 updatedAt, bool hasPrevious) {
        uint256 previousAt;
        (price, updatedAt, previousAt) = _neighbours(feed, decimals, id);
        if (previousAt >= expiry || updatedAt < expiry) {
            revert IMarketOracle.RoundNotFirstAfterExpiry(id, previousAt, updatedAt, expiry);
        }
        if (updatedAt > deadline) revert IMarketOracle.RoundAfterDeadline(id, updatedAt, deadline);
        hasPrevious = previousAt != 0;
    }

    /// @notice Price and time of a round in a later hour than the last sample, where its phase has no usable round
    /// between the hour of the sample and the round.
    function nextSample(
        address feed,
        uint8 decimals,
        uint80 id,
        uint256 sampledAt
    ) external view returns (uint256 price, uint256 updatedAt, bool hasPrevious) {
        uint256 previousAt;
        (price, updatedAt, previousAt) = _neighbours(feed, decimals, id);
        bool next = updatedAt / HOUR > sampledAt / HOUR && previousAt / HOUR <= sampledAt / HOUR;
        if (!next) revert IMarketOracle.RoundNotNextSample(id, previousAt, sampledAt);
        hasPrevious = previousAt != 0;
    }

    /// @notice Reverts unless the phases are silent as `s` says.
    /// @param lastRounds for each of the phases in order, its last round before `from`, or number 0 of the phase where it
    /// has none. What a phase may still get is later than now.
    function requireSilence(
        address feed,
        uint8 decimals,
        Silence calldata s,
        uint80[] calldata lastRounds
    ) external view {
        uint256 count = 0;
        for (uint256 phase = s.first; phase <= s.last; ++phase) {
            if (phase == s.except) continue;
            if (count == lastRounds.length || Rounds.phaseOf(lastRounds[count]) != phase) {
                revert IMarketOracle.PhaseNotShown(phase);
            }
            uint256 until = phase < s.except ? s.until + 1 : s.until;
            _requireSilent(feed, decimals, lastRounds[count], s.from, until, s.latestId);
            ++count;
        }
        if (count != lastRounds.length) revert IMarketOracle.RoundOfOtherPhase(lastRounds[count]);
    }

    /// @dev A usable round, and when its last usable predecessor in its phase was updated, 0 where it has none. The named
    /// round must be usable itself: there is no skipping on a prover's behalf.
    function _neighbours(
        address feed,
        uint8 decimals,
        uint80 id
    ) private view returns (uint256 price, uint256 updatedAt, uint256 previousAt) {
        if (uint64(id) == 0) revert IMarketOracle.RoundOfOtherPhase(id);
        Rounds.Round memory r = Rounds.get(feed, decimals, id);
        if (r.updatedAt == 0) revert IMarketOracle.RoundMissing(id);
        if (r.price == 0) revert IMarketOracle.FeedAnswerInvalid(r.answer, r.updatedAt);
        (price, updatedAt) = (r.price, r.updatedAt);
        uint256 holes = 0;
        while (uint64(id) > 1) {
            r = Rounds.get(feed, decimals, --id);
            if (r.price != 0) return (price, updatedAt, r.updatedAt);
            holes = r.updatedAt == 0 ? holes + 1 : 0;
            if (holes > MAX_HOLES) revert IMarketOracle.RoundHolesTooWide(id);
        }
    }

    /// @dev While the feed's latest round is of this phase and beyond a row of missing ids, the phase has not ended.
    function _requireSilent(
        address feed,
        uint8 decimals,
        uint80 id,
        uint256 from,
        uint256 until,
        uint80 latestId
    ) private view {
        if (uint64(id) != 0) {
            uint256 at = Rounds.get(feed, decimals, id).updatedAt;
            if (at == 0) revert IMarketOracle.RoundMissing(id);
            if (at >= from) revert IMarketOracle.RoundNotBefore(id, at, from);
        }
        uint256 holes = 0;
        while (holes <= MAX_HOLES && uint64(id) != type(uint64).max) {
            Rounds.Round memory r = Rounds.get(feed, decimals, ++id);
            if (r.updatedAt >= until) return;
            if (r.price != 0) revert IMarketOracle.PhaseNotSilent(id, r.updatedAt);
            holes = r.updatedAt == 0 ? holes + 1 : 0;
        }
        bool ended = Rounds.phaseOf(latestId) != Rounds.phaseOf(id) || latestId <= id;
        if (!ended) revert IMarketOracle.RoundHolesTooWide(id);
    }
}
