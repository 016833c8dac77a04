// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {IMarketOracle} from "../interfaces/IMarketOracle.sol";
import {Rounds} from "../libraries/Rounds.sol";
import {Wad} from "../libraries/Wad.sol";
import {Listing} from "./Listing.sol";
import {RoundProver} from "./RoundProver.sol";

/// @title Realised volatility from the first round of each hour. Documented in IMarketOracle.
/// @notice With r the log return between two samples dt seconds apart, and H the half-life, each sample does
///   d = 2^(-dt / H),   V = d V + (1 - d) r^2 year / dt,   D = d D,   and the estimate is sqrt(V / (1 - D)).
/// D starts at 1, so that 1 - D is the sum of all weights given so far: the estimate has no bias towards its start.
/// A gap counts for as long as it lasted: its return is spread over it.
abstract contract Samples is Listing {
    /// @dev Two slots. `at` and `price` of the last sample; its phase; the first phase that may settle or be sampled;
    /// D and V of the text, WAD.
    struct Sampling {
        uint96 price;
        uint40 at;
        uint16 phase;
        uint16 firstPhase;
        uint64 decay;
        uint24 count;
        uint256 variance;
    }

    uint256 private constant HOUR = 1 hours;
    uint256 private constant YEAR = 365 days;
    uint256 private constant LN2 = 693147180559945309;

    RoundProver internal immutable _prover = new RoundProver();
    mapping(uint16 underlying => Sampling) internal _sampling;

    // ------------------------------------------------------------------ samples

    /// @inheritdoc IMarketOracle
    function poke(uint16 underlying, uint80 roundId) external {
        (address feed, uint8 decimals) = _feedOf(underlying);
        Sampling memory s = _sampling[underlying];
        if (Rounds.phaseOf(roundId) != s.phase) revert RoundOfOtherPhase(roundId);
        (uint256 price, uint256 updatedAt, bool hasPrevious) = _prover.nextSample(feed, decimals, roundId, s.at);
        // The last sample lies in this phase and before: what cannot be found is hidden by holes.
        if (!hasPrevious) revert RoundNotNextSample(roundId, 0, s.at);
        _sample(underlying, s, roundId, price, updatedAt);
    }

    /// @inheritdoc IMarketOracle
    function pokeAcross(uint16 underlying, uint80 roundId, uint80[] calldata lastRounds) external {
        (address feed, uint8 decimals) = _feedOf(underlying);
        Sampling memory s = _sampling[underlying];
        uint16 phase = Rounds.phaseOf(roundId);
        if (phase <= s.phase) revert RoundOfOtherPhase(roundId);
        (uint256 price, uint256 updatedAt, ) = _prover.nextSample(feed, decimals, roundId, s.at);
        RoundProver.Silence memory shown = RoundProver.Silence({
            first: s.phase,
            last: phase - 1,
            except: phase,
            from: (s.at / HOUR + 1) * HOUR,
            until: updatedAt,
            latestId: Rounds.latest(feed, decimals).id
        });
        _prover.requireSilence(feed, decimals, shown, lastRounds);
        _sample(underlying, s, roundId, price, updatedAt);
    }

    /// @inheritdoc IMarketOracle
    function realisedVol(uint16 underlying) external view returns (uint256 vol, uint256 updatedAt, uint256 samples) {
        _feedOf(underlying);
        Sampling storage s = _sampling[underlying];
        if (s.count != 0) vol = Math.sqrt((s.variance * Wad.ONE * Wad.ONE) / (Wad.ONE - s.decay));
        return (vol, s.at, s.count);
    }

    /// @inheritdoc IMarketOracle
    function phases(uint16 underlying) external view returns (uint16 first, uint16 sampled) {
        _market(underlying);
        return (_sampling[underlying].firstPhase, _sampling[underlying].phase);
    }

    // ------------------------------------------------------------------ internal

    function _sample(uint16 underlying, Sampling memory s, uint80 id, uint256 price, uint256 updatedAt) private {
        uint256 dt = updatedAt - s.at;
        uint256 kept = Wad.exp(-int256((LN2 * dt) / _halfLife));
        uint256 move = Wad.abs(Wad.lnRatio(price, s.price));
        uint256 rate = (move * move * YEAR) / (dt * Wad.ONE);
        s.variance = Wad.mulDown(s.variance, kept) + Wad.mulDown(rate, Wad.ONE - kept);
        s.decay = uint64(Wad.mulDown(s.decay, kept));
        (s.price, s.at, s.phase) = (uint96(price), uint40(updatedAt), Rounds.phaseOf(id));
        ++s.count;
        _sampling[underlying] = s;
        emit Sampled(underlying, id, price, updatedAt, s.count);
    }

    /// @dev Samples of two feeds are not compared: the new feed's latest round is the base of the next return.
    function _anchor(uint16 underlying) internal override {
        Market memory m = _markets[underlying];
        Rounds.Round memory r = Rounds.latest(m.feed, m.feedDecimals);
        Sampling storage s = _sampling[underlying];
        uint16 phase = Rounds.phaseOf(r.id);
        (s.price, s.at, s.phase, s.firstPhase) = (uint96(r.price), uint40(r.updatedAt), phase, phase);
        if (s.count == 0) s.decay = uint64(Wad.ONE);
    }
}
