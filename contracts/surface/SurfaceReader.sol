// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {IVolSurface} from "../interfaces/IVolSurface.sol";
import {ExpiryList} from "../libraries/ExpiryList.sol";
import {SeriesIdLib} from "../libraries/SeriesId.sol";
import {Note, SurfaceMoves} from "../libraries/SurfaceMoves.sol";
import {Svi} from "../libraries/Svi.sol";
import {Wad} from "../libraries/Wad.sol";

/// @title What a surface keeps, and every view of it. Documented in IVolSurface.
/// @dev Each expiry has a ring of three places of two slots. Which place is fresh, pending and reference is said once
/// for the underlying, since a commit holds every live expiry, and a commit writes one place of each: promotion moves
/// no slice.
abstract contract SurfaceReader is IVolSurface {
    struct Stored {
        uint256 slice;
        Note note;
    }

    /// @dev One slot. Times are of the commits that the places hold; 0 if none.
    struct Head {
        uint40 freshAt;
        uint40 pendingAt;
        uint40 agedAt;
        uint32 referenceAge;
        uint8 fresh;
        uint8 pending;
        uint8 aged;
    }

    uint8 internal constant PLACES = 3;
    uint256 private constant MAX_VOL = 10e18;

    SurfaceParameters internal _parameters;
    mapping(uint16 underlying => Head) internal _heads;
    mapping(uint16 underlying => uint256 list) internal _lists;
    mapping(uint56 expiryKey => Stored[3]) internal _rings;

    /// @inheritdoc IVolSurface
    function parameters() external view returns (SurfaceParameters memory) {
        return _parameters;
    }

    /// @inheritdoc IVolSurface
    function sliceOf(uint16 underlying, uint40 expiry) public view returns (SliceState memory fresh) {
        (uint256 slice, Note note) = _fresh(underlying, expiry);
        return _state(slice, note);
    }

    /// @inheritdoc IVolSurface
    function slices(
        uint16 underlying,
        uint40 expiry
    ) public view returns (SliceState memory fresh, SliceState memory aged) {
        (uint256 slice, Note note) = _fresh(underlying, expiry);
        fresh = _state(slice, note);
        (slice, note) = _aged(underlying, expiry, slice, note);
        aged = _state(slice, note);
    }

    /// @inheritdoc IVolSurface
    function smileOf(
        uint16 underlying,
        uint40 expiry,
        bool reference_
    ) external view returns (uint256 slice, int256 carry, uint256 committedAt) {
        Note note;
        (slice, note) = _fresh(underlying, expiry);
        if (reference_) (slice, note) = _aged(underlying, expiry, slice, note);
        return (slice, note.carry(), note.at());
    }

    /// @inheritdoc IVolSurface
    function lastCommit(uint16 underlying) external view returns (uint256) {
        return _heads[underlying].freshAt;
    }

    /// @inheritdoc IVolSurface
    function commitTimes(uint16 underlying) external view returns (uint256, uint256, uint256) {
        Head memory h = _heads[underlying];
        return (h.freshAt, h.pendingAt, h.agedAt);
    }

    /// @inheritdoc IVolSurface
    function expiries(uint16 underlying) external view returns (uint40[] memory) {
        return ExpiryList.toArray(_lists[underlying]);
    }

    /// @inheritdoc IVolSurface
    function age(uint16 underlying, uint40 expiry) external view returns (uint256) {
        SliceState memory s = sliceOf(underlying, expiry);
        return s.slice == 0 ? type(uint256).max : block.timestamp - s.committedAt;
    }

    /// @inheritdoc IVolSurface
    function usable(uint16 underlying, uint40 expiry, Action action) external view returns (bool) {
        (SliceState memory fresh, SliceState memory aged) = slices(underlying, expiry);
        if (fresh.slice == 0) return false;
        SurfaceParameters storage p = _parameters;
        uint256 old = block.timestamp - fresh.committedAt;
        if (action == Action.Close) return old <= p.closeMaxAge;
        if (action == Action.Hedge) return old <= p.hedgeMaxAge;
        return old <= p.openMaxAge && aged.committedAt + _heads[underlying].referenceAge <= block.timestamp;
    }

    /// @inheritdoc IVolSurface
    function credit(uint16 underlying, uint40 expiry) external view returns (uint256) {
        if (!ExpiryList.holds(_lists[underlying], expiry)) revert ExpiryNotCommitted(underlying, expiry);
        Note n = _rings[SeriesIdLib.expiryKeyOf(underlying, expiry)][_heads[underlying].fresh].note;
        uint256 earned = n.earned(_parameters.creditCap);
        return earned == SurfaceMoves.FREE ? type(uint256).max : earned;
    }

    /// @inheritdoc IVolSurface
    function listable(uint40 expiry) external view returns (bool) {
        return _listable(expiry);
    }

    /// @inheritdoc IVolSurface
    function volAndForward(
        uint16 underlying,
        uint40 expiry,
        uint256 strike,
        uint256 spot
    ) external view returns (uint256 forward, uint256 vol) {
        return _read(sliceOf(underlying, expiry), expiry, strike, spot);
    }

    /// @inheritdoc IVolSurface
    function volsAndForwards(
        uint16 underlying,
        uint40 expiry,
        uint256 strike,
        uint256 spot
    ) external view returns (uint256 freshForward, uint256 freshVol, uint256 agedForward, uint256 agedVol) {
        (SliceState memory fresh, SliceState memory aged) = slices(underlying, expiry);
        (freshForward, freshVol) = _read(fresh, expiry, strike, spot);
        (agedForward, agedVol) = _read(aged, expiry, strike, spot);
    }

    /// @inheritdoc IVolSurface
    function interpolated(
        uint16 underlying,
        uint40 expiry,
        uint256 strike,
        uint256 spot
    ) external view returns (uint256 forward, uint256 vol) {
        (uint40 low, uint40 high) = ExpiryList.around(_lists[underlying], expiry);
        if (low == 0 || expiry <= block.timestamp) return (spot, 0);
        SliceState memory a = sliceOf(underlying, low);
        SliceState memory b = sliceOf(underlying, high);
        uint256 span = high == low ? 1 : high - low;
        uint256 up = high == low ? 0 : expiry - low;
        uint256 life = expiry - a.committedAt;
        int256 carry = a.carry;
        if (up != 0) {
            carry =
                (a.carry * int256((low - a.committedAt) * (span - up)) +
                    b.carry * int256((high - a.committedAt) * up)) / int256(span * life);
        }
        forward = Svi.forward(spot, carry, expiry - block.timestamp);
        int256 k = Wad.lnRatio(strike, forward);
        if (up == 0) return (forward, Svi.impliedVol(a.slice, k, low - a.committedAt));
        uint256 w = (Svi.totalVariance(a.slice, k) * (span - up) + Svi.totalVariance(b.slice, k) * up) / span;
        vol = Math.min(Math.sqrt((w * 1e18 * 365 days) / life), MAX_VOL);
    }

    function _listable(uint40 expiry) internal view returns (bool) {
        SurfaceParameters storage p = _parameters;
        if (expiry <= block.timestamp + p.minTenor) return false;
        uint256 ahead = expiry - block.timestamp;
        if (ahead <= uint256(p.dailyDays) * 1 days) return true;
        uint256 day = ExpiryList.dayOf(expiry);
        if (!ExpiryList.isFriday(day)) return false;
        return
            ahead <= uint256(p.weeklyDays) * 1 days ||
            (ahead <= uint256(p.monthlyDays) * 1 days && ExpiryList.isLastOfMonth(day));
    }

    /// @dev Three slots: the head, and the two of the place that it says is fresh.
    function _fresh(uint16 underlying, uint40 expiry) private view returns (uint256 slice, Note note) {
        Head storage h = _heads[underlying];
        Stored[3] storage ring = _rings[SeriesIdLib.expiryKeyOf(underlying, expiry)];
        Stored storage place = ring[h.fresh];
        (slice, note) = (place.slice, place.note);
        if (note.at() != h.freshAt) (slice, note) = _newest(ring, 0);
    }

    /// @dev Of the reference, given the fresh one; in a new expiry or a new surface that has none, the fresh one.
    function _aged(
        uint16 underlying,
        uint40 expiry,
        uint256 freshSlice,
        Note freshNote
    ) private view returns (uint256 slice, Note note) {
        Head memory h = _heads[underlying];
        if (freshNote.at() + h.referenceAge <= block.timestamp) return (freshSlice, freshNote);
        Stored[3] storage ring = _rings[SeriesIdLib.expiryKeyOf(underlying, expiry)];
        bool promoted = uint256(h.pendingAt) + h.referenceAge <= block.timestamp;
        Stored storage place = ring[promoted ? h.pending : h.aged];
        (slice, note) = (place.slice, place.note);
        bool current = note.at() == (promoted ? h.pendingAt : h.agedAt) && freshNote.at() == h.freshAt;
        if (!current || note.at() == 0) (slice, note) = _newest(ring, h.referenceAge);
        if (note.at() == 0) return (freshSlice, freshNote);
    }

    /// @dev By the moments themselves: the newest that is at least so old.
    function _newest(Stored[3] storage ring, uint256 atLeast) private view returns (uint256 slice, Note note) {
        for (uint256 i = 0; i < PLACES; ++i) {
            Note found = ring[i].note;
            if (found.at() <= note.at() || found.at() + atLeast > block.timestamp) continue;
            (slice, note) = (ring[i].slice, found);
        }
    }

    function _state(uint256 slice, Note note) private pure returns (SliceState memory) {
        return SliceState(slice, note.carry(), note.at());
    }

    function _read(
        SliceState memory s,
        uint40 expiry,
        uint256 strike,
        uint256 spot
    ) private view returns (uint256 forward, uint256 vol) {
        if (s.slice == 0 || expiry <= block.timestamp) return (spot, 0);
        forward = Svi.forward(spot, s.carry, expiry - block.timestamp);
        vol = Svi.impliedVol(s.slice, Wad.lnRatio(strike, forward), expiry - s.committedAt);
    }
}
