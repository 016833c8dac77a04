// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

/// @notice What a commit leaves beside the slice of an expiry, in one word. From the top: carry (64, WAD per year,
/// signed), moment of the commit (32, unix seconds), allowance left (32, seconds), annualised variance at the money
/// (40, Q33),
/// and w(k)/w(0) at -3, -1, 1 and 3 standard deviations (22 each, Q14).
type Note is uint256;

using SurfaceMoves for Note global;

/// @title How far a slice moved from the one before, in seconds of allowance.
library SurfaceMoves {
    /// @dev Most in an hour, WAD, as in IVolSurface.SurfaceParameters; never 0.
    struct Rates {
        uint256 level;
        uint256 skew;
        uint256 wing;
        uint256 forward;
    }

    /// @dev Allowance after a reset: one move is free.
    uint256 internal constant FREE = type(uint32).max;
    uint256 private constant SHAPE_BITS = 22;
    uint256 private constant SHAPE_MASK = (1 << 22) - 1;
    uint256 private constant HOUR = 1 hours;
    uint256 private constant SHAPE_HOUR = 1e18 * 1 hours;
    uint256 private constant YEAR = 365 days;
    /// @dev Share of a rate's seconds that a move takes at short tenors: sqrt(tenor / 30 days) at 1, 7 and 30 days, WAD.
    uint256 private constant SHARE_AT_1 = 182574185835055371;
    uint256 private constant SHARE_AT_7 = 483045891539647952;
    uint256 private constant SHARE_AT_30 = 1e18;

    /// @param variance_ annualised, at the money, Q33, below 2^40.
    /// @param shapes as `SviChecks.scan` returns them.
    function note(int64 carry_, uint256 variance_, uint256 shapes) internal view returns (Note) {
        uint256 word = (uint256(uint64(carry_)) << 192) | (block.timestamp << 160);
        return Note.wrap(word | (variance_ << 88) | shapes);
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

    /// @return annualised, at the money, Q33.
    function variance(Note n) internal pure returns (uint256) {
        return uint40(Note.unwrap(n) >> 88);
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
        unchecked {
            uint256 left = n.credit();
            if (left == FREE) return FREE;
            left += block.timestamp - n.at();
            return left < cap ? left : cap;
        }
    }

    /// @notice Seconds that the largest part of a move takes at its rate, rounded up part by part.
    /// @param tenor seconds to the expiry.
    function secondsFor(
        Note before,
        Note next,
        uint256 tenor,
        Rates memory rates
    ) internal pure returns (uint256 most) {
        unchecked {
            (uint256 was, uint256 is_) = (before.variance(), next.variance());
            most = _up(_gap(was, is_) * (1e18 * HOUR), (was < is_ ? was : is_) * rates.level);
            most = _largest(most, _up(_shapeGap(before, next, 1, 2) * SHAPE_HOUR, rates.skew << 14));
            most = _largest(most, _up(_shapeGap(before, next, 0, 3) * SHAPE_HOUR, rates.wing << 14));
            if (tenor < 30 days) most = _up(most * _share(tenor), SHARE_AT_30);
            int256 turn = next.carry() - before.carry();
            uint256 shift = uint256(turn < 0 ? -turn : turn) * tenor;
            most = _largest(most, _up(shift * HOUR, rates.forward * YEAR));
        }
    }

    /// @notice What the two neighbours of an expiry say of it: total variance left at the money and carry x time left
    /// linear in expiry, shapes likewise. With one neighbour alone (`low` the same as `high`), or with the lower one
    /// over, the variance and carry of the other.
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
        uint256 left = low.variance() * lifeLow * (span - up) + high.variance() * lifeHigh * up;
        int256 mean = low.carry() * int256(lifeLow * (span - up)) + high.carry() * int256(lifeHigh * up);
        Note n = note(int64(mean / int256(total)), left / total, 0);
        uint256 shapes;
        for (uint256 i = 0; i < 4; ++i) {
            shapes |= ((low.shape(i) * (span - up) + high.shape(i) * up) / span) << (i * SHAPE_BITS);
        }
        return Note.wrap(Note.unwrap(n) | shapes);
    }

    /// @dev Linear in the tenor between the three.
    function _share(uint256 tenor) private pure returns (uint256) {
        unchecked {
            if (tenor <= 1 days) return SHARE_AT_1;
            if (tenor <= 7 days) return SHARE_AT_1 + ((SHARE_AT_7 - SHARE_AT_1) * (tenor - 1 days)) / 6 days;
            return SHARE_AT_7 + ((SHARE_AT_30 - SHARE_AT_7) * (tenor - 7 days)) / 23 days;
        }
    }

    /// @dev The larger move of two shapes.
    function _shapeGap(Note before, Note next, uint256 one, uint256 other) private pure returns (uint256) {
        return _largest(_gap(before.shape(one), next.shape(one)), _gap(before.shape(other), next.shape(other)));
    }

    function _up(uint256 a, uint256 b) private pure returns (uint256) {
        unchecked {
            return (a + b - 1) / b;
        }
    }

    function _largest(uint256 a, uint256 b) private pure returns (uint256) {
        return a > b ? a : b;
    }

    function _gap(uint256 a, uint256 b) private pure returns (uint256) {
        unchecked {
            return a > b ? a - b : b - a;
        }
    }
}
