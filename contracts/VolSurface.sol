// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {AccessManaged} from "@openzeppelin/contracts/access/manager/AccessManaged.sol";
import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {IMarketOracle} from "./interfaces/IMarketOracle.sol";
import {IVolSurface} from "./interfaces/IVolSurface.sol";
import {SurfaceReader} from "./surface/SurfaceReader.sol";
import {ExpiryList} from "./libraries/ExpiryList.sol";
import {SeriesIdLib} from "./libraries/SeriesId.sol";
import {Note, SurfaceMoves} from "./libraries/SurfaceMoves.sol";
import {SurfaceRanges} from "./libraries/SurfaceRanges.sol";
import {SviChecks} from "./libraries/SviChecks.sol";
import {Wad} from "./libraries/Wad.sol";

/// @title Implied volatility by expiry. Documented in IVolSurface.
/// @dev What is read from it is in SurfaceReader.
contract VolSurface is IVolSurface, SurfaceReader, AccessManaged {
    using SviChecks for SviChecks.Raw;

    /// @dev What one commit works with. `live` holds the expiries of the last commit that are still to be met.
    struct Work {
        uint16 underlying;
        uint256 before;
        uint256 live;
        uint256 listed;
        uint256 count;
        uint256 from;
        uint256 to;
    }

    IMarketOracle public immutable oracle;

    address public committer;

    constructor(
        address authority_,
        IMarketOracle oracle_,
        address committer_,
        SurfaceParameters memory p
    ) AccessManaged(authority_) {
        oracle = oracle_;
        committer = committer_;
        _setParameters(p);
        emit CommitterSet(committer_);
    }

    /// @inheritdoc IVolSurface
    function commit(uint16 underlying, uint256 referenceSpot, SliceInput[] calldata inputs) external {
        if (msg.sender != committer) revert OnlyCommitter(msg.sender);
        if (inputs.length == 0) revert SlicesEmpty();
        if (inputs.length > ExpiryList.MOST) revert TooManyExpiries(inputs.length, ExpiryList.MOST);
        SurfaceParameters memory p = _parameters;
        _checkSpot(underlying, referenceSpot, p.maxSpotDeviation);
        Head memory h = _heads[underlying];
        uint256 list = _lists[underlying];
        Work memory work = Work(underlying, list, list, 0, 0, h.fresh, 0);
        work.to = _rotate(h, p.referenceAge);
        _heads[underlying] = h;
        SviChecks.Raw memory next = SviChecks.load(inputs[0].slice);
        for (uint256 i = 0; i < inputs.length; ++i) {
            SviChecks.Raw memory near = next;
            bool last = i + 1 == inputs.length;
            if (!last) {
                if (inputs[i + 1].expiry <= inputs[i].expiry) {
                    revert SlicesUnsorted(inputs[i].expiry, inputs[i + 1].expiry);
                }
                next = SviChecks.load(inputs[i + 1].slice);
            }
            _commitOne(work, p, inputs[i], near, next, last);
        }
        _meet(work, type(uint256).max, p.minTenor);
        if (work.listed != list) _lists[underlying] = work.listed;
        emit SurfaceCommitted(underlying, referenceSpot, inputs);
    }

    /// @inheritdoc IVolSurface
    function setCommitter(address committer_) external restricted {
        committer = committer_;
        emit CommitterSet(committer_);
    }

    /// @inheritdoc IVolSurface
    function setParameters(SurfaceParameters calldata p) external restricted {
        _setParameters(p);
    }

    /// @inheritdoc IVolSurface
    function resetAnchor(uint16 underlying, uint40 expiry) external restricted {
        Stored storage s = _rings[SeriesIdLib.expiryKeyOf(underlying, expiry)][_heads[underlying].fresh];
        if (!ExpiryList.holds(_lists[underlying], expiry)) revert ExpiryNotCommitted(underlying, expiry);
        s.note = s.note.withCredit(SurfaceMoves.FREE);
        emit AnchorReset(underlying, expiry);
    }

    // ------------------------------------------------------------------ internal: one commit

    function _commitOne(
        Work memory work,
        SurfaceParameters memory p,
        SliceInput calldata s,
        SviChecks.Raw memory near,
        SviChecks.Raw memory far,
        bool last
    ) private {
        if (s.expiry <= block.timestamp) revert SliceExpired(s.expiry, block.timestamp);
        if (uint256(s.expiry) % 1 days != SeriesIdLib.EXPIRY_SECOND_OF_DAY) revert SeriesIdLib.ExpiryOffGrid(s.expiry);
        if (s.carry > int64(p.maxCarry) || s.carry < -int64(p.maxCarry)) {
            revert CarryOutOfRange(s.carry, int64(p.maxCarry));
        }
        uint256 day = ExpiryList.dayOf(s.expiry);
        bool known = _meet(work, day, p.minTenor);
        if (!known && !_listable(s.expiry, p)) revert ExpiryNotListable(s.expiry);
        work.listed |= day << (16 * work.count++);
        int256 atm = near.atTheMoney();
        uint256 vol = _volOf(atm, s.expiry - block.timestamp);
        if (vol < p.minVol || vol > p.maxVol) revert AtmVolOutOfRange(s.expiry, vol, p.minVol, p.maxVol);
        Note note = SurfaceMoves.note(s.carry, vol, near.scan(s.expiry, atm, far, last));
        Stored storage place = _rings[SeriesIdLib.expiryKeyOf(work.underlying, s.expiry)][work.to];
        place.note = note.withCredit(_creditAfter(work, p, s.expiry, known, note));
        place.slice = s.slice;
    }

    /// @dev Seconds of allowance left after the move, or an error. The first surface of all has nothing to move from.
    function _creditAfter(
        Work memory work,
        SurfaceParameters memory p,
        uint40 expiry,
        bool known,
        Note note
    ) private view returns (uint256) {
        if (work.before == 0) return 0;
        Note before;
        uint256 earned = p.listingCredit;
        if (known) {
            before = _noteOf(work, expiry);
            earned = before.earned(p.creditCap);
            if (earned == SurfaceMoves.FREE) return 0;
        } else {
            (uint40 low, uint40 high) = ExpiryList.around(work.before, expiry);
            before = _noteOf(work, low).between(low, _noteOf(work, high), high, expiry);
        }
        uint256 needed = before.secondsFor(note, expiry - block.timestamp, p);
        if (needed > earned) revert MoveTooFast(expiry, needed, earned);
        return earned - needed;
    }

    function _noteOf(Work memory work, uint40 expiry) private view returns (Note) {
        return _rings[SeriesIdLib.expiryKeyOf(work.underlying, expiry)][work.from].note;
    }

    /// @dev Steps over the expiries of the last commit that are before a day; only those about to expire may be left
    /// out. Returns whether the day itself is among them.
    function _meet(Work memory work, uint256 day, uint256 minTenor) private view returns (bool) {
        while (work.live != 0 && ExpiryList.first(work.live) <= day) {
            uint256 met = ExpiryList.first(work.live);
            work.live >>= 16;
            if (met == day) return true;
            uint40 expiry = ExpiryList.expiryOf(met);
            if (expiry > block.timestamp + minTenor) revert LiveExpiryLeftOut(expiry);
        }
        return false;
    }

    /// @dev Two steps to a reference: a slice first waits as pending, which no commit overwrites before it is of age.
    /// What is served as reference before a commit is still kept after it. Returns the place to write.
    function _rotate(Head memory h, uint32 referenceAge) private view returns (uint8 to) {
        uint256 nowAt = block.timestamp;
        if (h.freshAt == 0) {
            h.pendingAt = uint40(nowAt);
        } else if (uint256(h.freshAt) + referenceAge <= nowAt) {
            (h.aged, h.agedAt) = (h.fresh, h.freshAt);
            to = (h.fresh + 1) % PLACES;
            (h.pending, h.pendingAt) = (to, uint40(nowAt));
        } else if (uint256(h.pendingAt) + referenceAge <= nowAt) {
            (h.aged, h.agedAt) = (h.pending, h.pendingAt);
            (h.pending, h.pendingAt) = (h.fresh, h.freshAt);
            to = PLACES - h.aged - h.pending;
        } else if (h.fresh != h.pending) {
            to = h.fresh;
        } else {
            to = h.agedAt == 0 ? (h.pending + 1) % PLACES : PLACES - h.aged - h.pending;
        }
        (h.fresh, h.freshAt, h.referenceAge) = (to, uint40(nowAt), referenceAge);
    }

    function _checkSpot(uint16 underlying, uint256 referenceSpot, uint256 maxDeviation) private view {
        (uint256 spot, ) = oracle.spot(underlying);
        uint256 gap = referenceSpot > spot ? referenceSpot - spot : spot - referenceSpot;
        if (gap > Wad.mulDown(spot, maxDeviation)) revert ReferenceSpotOff(referenceSpot, spot, maxDeviation);
    }

    /// @dev The same number as `Svi.impliedVol` at the money.
    function _volOf(int256 variance, uint256 tenor) private pure returns (uint256) {
        if (variance <= 0) return 0;
        return Math.sqrt((((uint256(variance) * 1e18) >> 44) * 1e18 * 365 days) / tenor);
    }

    function _setParameters(SurfaceParameters memory p) private {
        SurfaceRanges.check(p);
        _parameters = p;
        emit SurfaceParametersSet(p);
    }
}
