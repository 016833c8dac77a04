// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {SeriesIdLib} from "./SeriesId.sol";

/// @title Up to sixteen expiries in one word, and the calendar of expiries.
/// @notice Every expiry is 08:00 UTC of its day, so a list holds days since 1970 of 16 bits, ascending from the lowest
/// bits, and ends with a zero.
library ExpiryList {
    uint256 internal constant MOST = 16;
    uint256 private constant FRIDAY = 1;

    function dayOf(uint256 expiry) internal pure returns (uint256) {
        return expiry / 1 days;
    }

    function first(uint256 list) internal pure returns (uint256 day) {
        return list & 0xffff;
    }

    function expiryOf(uint256 day) internal pure returns (uint40) {
        return uint40(day * 1 days + SeriesIdLib.EXPIRY_SECOND_OF_DAY);
    }

    function holds(uint256 list, uint256 expiry) internal pure returns (bool) {
        if (expiry % 1 days != SeriesIdLib.EXPIRY_SECOND_OF_DAY) return false;
        for (; list != 0; list >>= 16) {
            if (first(list) == dayOf(expiry)) return true;
        }
        return false;
    }

    /// @notice The neighbours of an expiry: twice itself where the list holds it, twice the nearest before the first
    /// and beyond the last, zeros for an empty list.
    function around(uint256 list, uint256 expiry) internal pure returns (uint40 low, uint40 high) {
        for (; list != 0; list >>= 16) {
            high = expiryOf(first(list));
            if (high == expiry) return (high, high);
            if (high > expiry) return (low == 0 ? high : low, high);
            low = high;
        }
    }

    function toArray(uint256 list) internal pure returns (uint40[] memory all) {
        uint256 count;
        for (uint256 rest = list; rest != 0; rest >>= 16) ++count;
        all = new uint40[](count);
        for (uint256 i = 0; i < count; ++i) all[i] = expiryOf((list >> (16 * i)) & 0xffff);
    }

    function isFriday(uint256 day) internal pure returns (bool) {
        return day % 7 == FRIDAY;
    }

    /// @notice Whether a day is the last of its weekday in its month.
    function isLastOfMonth(uint256 day) internal pure returns (bool) {
        return _month(day) != _month(day + 7);
    }

    /// @dev 0 for March to 11 for February, by the calendar that starts with March: years of 146097 / 400 days, months
    /// of 153 / 5. Source: H. Hinnant, "chrono-Compatible Low-Level Date Algorithms", civil_from_days.
    function _month(uint256 day) private pure returns (uint256) {
        uint256 ofEra = (day + 719468) % 146097;
        uint256 year = (ofEra - ofEra / 1460 + ofEra / 36524 - ofEra / 146096) / 365;
        uint256 ofYear = ofEra - (365 * year + year / 4 - year / 100);
        return (5 * ofYear + 2) / 153;
    }
}
