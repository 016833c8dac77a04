// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {IMarketOracle} from "../interfaces/IMarketOracle.sol";
import {Rounds} from "../libraries/Rounds.sol";
import {SeriesIdLib} from "../libraries/SeriesId.sol";
import {RoundProver} from "./RoundProver.sol";
import {Samples} from "./Samples.sol";

/// @title The price at which an expiry settles. Documented in IMarketOracle.
/// @notice One price is right: of all phases' first usable rounds at or after the expiry the earliest, the older phase's
/// where two have the same time; where it is later than the deadline, or there is none, the pool's mean at the expiry.
/// A proof is final at once when every other phase is shown, or known, to have nothing earlier. Rounds that do not exist
/// yet cannot change that: they will be later. Else it stands for the window in which anybody may show an earlier one.
abstract contract Proofs is Samples {
    /// @dev A round on its way to a settlement, and the feed that it is of. `latestId` is 0 where that does not answer.
    struct Proving {
        address feed;
        uint8 decimals;
        uint16 first;
        uint80 latestId;
        uint256 price;
        uint256 updatedAt;
        bool hasPrevious;
    }

    /// @dev Above every phase, so that with it as the exception a round at the deadline still counts.
    uint16 private constant NO_PHASE = type(uint16).max;

    mapping(uint56 expiryKey => SettlementProof) private _proofs;
    mapping(uint56 expiryKey => uint256 price) private _twaps;

    // ------------------------------------------------------------------ proofs

    /// @inheritdoc IMarketOracle
    function proveSettlement(uint16 underlying, uint40 expiry, uint80 roundId) external returns (uint256) {
        Proving memory p = _firstAfter(underlying, expiry, roundId);
        if (!p.hasPrevious) revert RoundOfOtherPhase(roundId);
        bool alone = p.latestId != 0 && p.first == Rounds.phaseOf(p.latestId);
        return _record(underlying, expiry, roundId, p, alone);
    }

    /// @inheritdoc IMarketOracle
    function proveSettlementAcross(
        uint16 underlying,
        uint40 expiry,
        uint80 roundId,
        uint80[] calldata lastRounds
    ) external returns (uint256) {
        Proving memory p = _firstAfter(underlying, expiry, roundId);
        uint16 phase = Rounds.phaseOf(roundId);
        if (!p.hasPrevious && phase == p.first) revert RoundOfOtherPhase(roundId);
        _requireSilence(underlying, p, phase, expiry, p.updatedAt, lastRounds);
        // In the block of the round itself another may still come with its time.
        return _record(underlying, expiry, roundId, p, p.latestId != 0 && p.updatedAt < block.timestamp);
    }

    /// @inheritdoc IMarketOracle
    function recordTwap(uint16 underlying, uint40 expiry) external returns (uint256 price) {
        uint56 key = _provable(underlying, expiry);
        Market memory m = _market(underlying);
        if (_twaps[key] != 0) revert TwapAlreadyRecorded(underlying, expiry);
        price = _mean(m, expiry);
        if (price == 0 || price > Rounds.MAX_PRICE) revert NoPrice(underlying);
        _twaps[key] = price;
        emit TwapRecorded(underlying, expiry, price);
    }

    /// @inheritdoc IMarketOracle
    function settleByTwap(
        uint16 underlying,
        uint40 expiry,
        uint80[] calldata lastRounds
    ) external returns (uint256 price) {
        uint56 key = _provable(underlying, expiry);
        if (_proofs[key].price != 0) revert AlreadyProven(underlying, expiry);
        uint256 deadline = uint256(expiry) + _roundDeadline;
        if (block.timestamp <= deadline) revert DeadlineNotReached(deadline, block.timestamp);
        price = _twaps[key];
        if (price == 0) revert TwapNotRecorded(underlying, expiry);
        Proving memory p = _proving(underlying);
        _requireSilence(underlying, p, NO_PHASE, expiry, deadline, lastRounds);
        uint40 at = uint40(block.timestamp);
        _proofs[key] = SettlementProof(uint96(price), expiry, at, 0, true);
        emit SettlementProven(underlying, expiry, price, 0);
    }

    // ------------------------------------------------------------------ views

    /// @inheritdoc IMarketOracle
    function settlementPrice(uint16 underlying, uint40 expiry) external view returns (uint256) {
        SettlementProof memory p = _proofs[SeriesIdLib.expiryKeyOf(underlying, expiry)];
        return _isFinal(p) ? p.price : 0;
    }

    /// @inheritdoc IMarketOracle
    function settlementProof(
        uint16 underlying,
        uint40 expiry
    ) external view returns (SettlementProof memory proof, uint256 recordedTwap) {
        uint56 key = SeriesIdLib.expiryKeyOf(underlying, expiry);
        return (_proofs[key], _twaps[key]);
    }

    // ------------------------------------------------------------------ internal

    /// @dev The key of an expiry whose price may still be proven.
    function _provable(uint16 underlying, uint40 expiry) private view returns (uint56 key) {
        if (_markets[underlying].feed == address(0)) revert MarketUnknown(underlying);
        if (block.timestamp < expiry) revert ExpiryNotReached(expiry, block.timestamp);
        if (uint256(expiry) % 1 days != SeriesIdLib.EXPIRY_SECOND_OF_DAY) revert SeriesIdLib.ExpiryOffGrid(expiry);
        key = SeriesIdLib.expiryKeyOf(underlying, expiry);
        if (_isFinal(_proofs[key])) revert AlreadyProven(underlying, expiry);
    }

    function _proving(uint16 underlying) private view returns (Proving memory p) {
        (p.feed, p.decimals) = _feedOf(underlying);
        p.first = _sampling[underlying].firstPhase;
        p.latestId = Rounds.latest(p.feed, p.decimals).id;
    }

    /// @dev The named round as a settlement. Phases older than the market, or newer than the feed's own, settle nothing.
    function _firstAfter(uint16 underlying, uint40 expiry, uint80 id) private view returns (Proving memory p) {
        _provable(underlying, expiry);
        p = _proving(underlying);
        uint256 deadline = uint256(expiry) + _roundDeadline;
        (p.price, p.updatedAt, p.hasPrevious) = _prover.firstAfter(p.feed, p.decimals, id, expiry, deadline);
        uint16 phase = Rounds.phaseOf(id);
        bool newer = p.latestId != 0 && phase > Rounds.phaseOf(p.latestId);
        if (phase < p.first || newer) revert RoundOfOtherPhase(id);
    }

    /// @dev Up to the feed's phase, or to the last that was sampled where the feed no longer says.
    function _requireSilence(
        uint16 underlying,
        Proving memory p,
        uint16 except,
        uint256 from,
        uint256 until,
        uint80[] calldata lastRounds
    ) private view {
        uint16 last = p.latestId == 0 ? _sampling[underlying].phase : Rounds.phaseOf(p.latestId);
        if (except != NO_PHASE && last < except) last = except;
        RoundProver.Silence memory shown = RoundProver.Silence(p.first, last, except, from, until, p.latestId);
        _prover.requireSilence(p.feed, p.decimals, shown, lastRounds);
    }

    /// @dev A proof that is sure displaces any that is not; of two that are not, the earlier and then the older phase.
    function _record(
        uint16 underlying,
        uint40 expiry,
        uint80 id,
        Proving memory p,
        bool sure
    ) private returns (uint256 price) {
        uint56 key = SeriesIdLib.expiryKeyOf(underlying, expiry);
        SettlementProof memory known = _proofs[key];
        uint16 phase = Rounds.phaseOf(id);
        price = p.price;
        uint256 finalAt = block.timestamp;
        if (!sure) {
            bool earlier = p.updatedAt < known.updatedAt || (p.updatedAt == known.updatedAt && phase < known.phase);
            if (known.price != 0 && !earlier) revert RoundNotEarlier(id, p.updatedAt, known.updatedAt);
            finalAt = known.price != 0 ? known.finalAt : block.timestamp + _phaseWindow;
            emit SettlementProposed(underlying, expiry, price, id, finalAt);
        } else {
            emit SettlementProven(underlying, expiry, price, id);
        }
        _proofs[key] = SettlementProof(uint96(price), uint40(p.updatedAt), uint40(finalAt), phase, false);
    }

    function _isFinal(SettlementProof memory p) private view returns (bool) {
        return p.price != 0 && block.timestamp >= p.finalAt;
    }
}
