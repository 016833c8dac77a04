// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {IVolSurface} from "../interfaces/IVolSurface.sol";

/// @notice What a commit leaves beside the slice of an expiry, in one word. From the top: carry (64, WAD per year,
/// signed), moment of the commit (32, unix seconds), allowance left (32, seconds), at-the-money volatility (40, 1e-11),
/// and w(k)/w(0) at -3, -1, 1 and 3 standard deviations (22 each, Q14).
type Note is uint256;

using SurfaceMoves for Note global;

/// @title How far a slice moved from the one before, in seconds of allowance.
library SurfaceMoves {
    /// @dev Allowance after a reset: one move is free.
    uint256 internal constant FREE = type(uint32).max;
    uint256 private constant VOL_UNIT = 1e7;
    uint256 private constant SHAPE_BITS = 22;
    uint256 private constant SHAPE_MASK = (1 << 22) - 1;
    uint256 private constant LONG_TENOR = 30 days;
    uint256 private constant SHORT_TENOR = 1 days;
    uint256 private constant YEAR = 365 days;

    /// @param vol at the money, WAD, at most 8e18; kept in units of 1e-11, rounded down.
    /// @param shapes as `SviChecks.scan` returns them.
    function note(int64 carry_, uint256 vol, uint256 shapes) internal view returns (Note) {
        uint256 word = (uint256(uint64(carry_)) << 192) | (block.timestamp << 160);
        return Note.wrap(word | ((vol / VOL_UNIT) << 88) | shapes);
    }

    function carry(Note n) internal pure returns (int256) {
        return int256(int64(uint64(Note.unwrap(n) >> 192)));
    }

    function at(Note n) internal pure returns (uint256) {
        return uint32(Note.unwrap(n) >> 160);
    }

    function credit(Note n) internal pure returns (uint256) {
        return uint32(Note.unwrap(n) >> 128);
    }

    /// @return WAD.
    function atmVol(Note n) internal pure returns (uint256) {
        return uint40(Note.unwrap(n) >> 88) * VOL_UNIT;
    }

    /// @param place 0 at three standard deviations up, 1 at one, 2 at one down, 3 at three.
    function shape(Note n, uint256 place) internal pure returns (uint256) {
        return (Note.unwrap(n) >> (place * SHAPE_BITS)) & SHAPE_MASK;
    }

    function withCredit(Note n, uint256 seconds_) internal pure returns (Note) {
        return Note.wrap((Note.unwrap(n) & ~(uint256(type(uint32).max) << 128)) | (seconds_ << 128));
    }

    /// @notice Allowance now: what was left and the time since, capped; FREE after a reset.
    function earned(Note n, uint256 cap) internal view returns (uint256) {
        uint256 left = n.credit();
        return left == FREE ? FREE : Math.min(left + block.timestamp - n.at(), cap);
    }

    /// @notice Seconds that the largest part of a move takes at its rate. Rounded up.
    /// @param tenor seconds to the expiry.
    function secondsFor(
        Note before,
        Note next,
        uint256 tenor,
        IVolSurface.SurfaceParameters memory p
    ) internal pure returns (uint256 most) {
        uint256 least = Math.min(before.atmVol(), next.atmVol());
        most = Math.ceilDiv(_gap(before.atmVol(), next.atmVol()) * 1e18 * 1 hours, least * p.levelRate);
        most = Math.max(most, _shapeSeconds(before, next, 1, p.skewRate));
        most = Math.max(most, _shapeSeconds(before, next, 2, p.skewRate));
        most = Math.max(most, _shapeSeconds(before, next, 0, p.wingRate));
        most = Math.max(most, _shapeSeconds(before, next, 3, p.wingRate));
        uint256 bounded = Math.min(Math.max(tenor, SHORT_TENOR), LONG_TENOR);
        if (bounded < LONG_TENOR) most = Math.mulDiv(most, Math.sqrt(bounded << 64), Math.sqrt(LONG_TENOR << 64)) + 1;
        int256 turn = next.carry() - before.carry();
        uint256 shift = uint256(turn < 0 ? -turn : turn) * tenor * 1 hours;
        most = Math.max(most, Math.ceilDiv(shift, uint256(p.forwardRate) * YEAR));
    }

    /// @notice What the two neighbours of an expiry say of it: total variance left at the money and carry x time left
    /// linear in expiry, shapes likewise. With one neighbour alone (`low` the same as `high`), or with the lower one
    /// over, the volatility and carry of the other.
    /// @param expiry ahead, between the two.
    function between(
        Note low,
        uint256 expiryLow,
        Note high,
        uint256 expiryHigh,
        uint256 expiry
    ) internal view returns (Note) {
        if (expiryLow == expiryHigh) return low;
        uint256 lifeLow = expiryLow > block.timestamp ? expiryLow - block.timestamp : 0;
        uint256 lifeHigh = expiryHigh - block.timestamp;
        uint256 up = expiry - block.timestamp - lifeLow;
        uint256 span = lifeHigh - lifeLow;
        uint256 total = span * (expiry - block.timestamp);
        uint256 vol = low.atmVol() ** 2 * lifeLow * (span - up) + high.atmVol() ** 2 * lifeHigh * up;
        int256 mean = low.carry() * int256(lifeLow * (span - up)) + high.carry() * int256(lifeHigh * up);
        Note n = note(int64(mean / int256(total)), Math.sqrt(vol / total), 0);
        uint256 shapes;
        for (uint256 i = 0; i < 4; ++i) {
            shapes |= ((low.shape(i) * (span - up) + high.shape(i) * up) / span) << (i * SHAPE_BITS);
        }
        return Note.wrap(Note.unwrap(n) | shapes);
    }

    function _shapeSeconds(Note before, Note next, uint256 place, uint256 rate) private pure returns (uint256) {
        return Math.ceilDiv((_gap(before.shape(place), next.shape(place)) * 1e18 * 1 hours) >> 14, rate);
    }

    function _gap(uint256 a, uint256 b) private pure returns (uint256) {
        return a > b ? a - b : b - a;
    }
}
