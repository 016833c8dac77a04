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

    /// @dev What one commit works with. `live` holds the expiries of the last commit, `before`, that are still to be
    /// met, `listed` those of this one. Variances are annualised, Q33, as notes keep them; `low` and `high` are what both
    /// the hard range and the realised volatility leave.
    struct Work {
        uint16 underlying;
        uint256 before;
        uint256 live;
        uint256 listed;
        uint256 count;
        uint256 from;
        uint256 to;
        uint256 minVariance;
        uint256 maxVariance;
        uint256 low;
        uint256 high;
        uint256 maxCarry;
        uint256 minTenor;
        uint256 creditCap;
        SurfaceMoves.Rates rates;
        SviChecks.Raw near;
        SviChecks.Raw far;
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
        Work memory work = _begin(underlying, referenceSpot);
        // One ahead: an expiry is checked against the one after it.
        for (uint256 i = 0; i <= inputs.length; ++i) {
            work.near = work.far;
            if (i < inputs.length) {
                if (i != 0 && inputs[i].expiry <= inputs[i - 1].expiry) {
                    revert SlicesUnsorted(inputs[i - 1].expiry, inputs[i].expiry);
                }
                work.far = SviChecks.load(inputs[i].slice);
            }
            if (i != 0) _commitOne(work, inputs[i - 1], i == inputs.length);
        }
        _meet(work, type(uint256).max);
        if (work.listed != work.before) _lists[underlying] = work.listed;
        emit SurfaceCommitted(underlying, referenceSpot, inputs.length);
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

    function _begin(uint16 underlying, uint256 referenceSpot) private returns (Work memory work) {
        SurfaceParameters storage p = _parameters;
        (work.minVariance, work.maxVariance) = (_squareUp(p.minVol), _squareDown(p.maxVol));
        work.maxCarry = p.maxCarry;
        uint256 maxDeviation = p.maxSpotDeviation;
        work.rates = SurfaceMoves.Rates(p.levelRate, p.skewRate, p.wingRate, p.forwardRate);
        (work.creditCap, work.minTenor) = (p.creditCap, p.minTenor);
        uint32 referenceAge = p.referenceAge;
        _checkSpot(underlying, referenceSpot, maxDeviation);
        (uint256 low, uint256 high) = _realisedRange(underlying);
        work.low = Math.max(low, work.minVariance);
        work.high = Math.min(high, work.maxVariance);
        Head memory h = _heads[underlying];
        work.underlying = underlying;
        work.before = _lists[underlying];
        work.live = work.before;
        work.from = h.fresh;
        work.to = _rotate(h, referenceAge);
        _heads[underlying] = h;
    }

    function _commitOne(Work memory work, SliceInput calldata s, bool last) private {
        (uint40 expiry, int64 carry) = (s.expiry, s.carry);
        if (expiry <= block.timestamp) revert SliceExpired(expiry, block.timestamp);
        if (expiry % 1 days != SeriesIdLib.EXPIRY_SECOND_OF_DAY) revert SeriesIdLib.ExpiryOffGrid(expiry);
        int256 maxCarry = int256(work.maxCarry);
        if (carry > maxCarry || carry < -maxCarry) revert CarryOutOfRange(carry, int64(maxCarry));
        bool known = _meet(work, expiry / 1 days);
        if (!known && !_listable(expiry)) revert ExpiryNotListable(expiry);
        work.listed |= uint256(expiry / 1 days) << (16 * work.count++);
        unchecked {
            uint256 tenor = expiry - block.timestamp;
            SviChecks.Raw memory near = work.near;
            int256 atm = near.variance(0);
            uint256 variance = atm > 0 ? ((uint256(atm) * 365 days) / tenor) >> 11 : 0;
            bool off = variance < work.low || variance > work.high;
            if (off && (variance < work.minVariance || variance > work.maxVariance)) _refuseLevel(expiry, variance);
            near.measure(atm);
            Note note = SurfaceMoves.note(carry, variance, near.scan(expiry, work.far, last));
            Stored[3] storage ring = _rings[SeriesIdLib.expiryKeyOf(work.underlying, expiry)];
            if (work.before != 0) {
                Note before = known ? ring[work.from].note : _neighbours(work, expiry);
                if (off) _checkNearer(work, expiry, before.variance(), variance);
                note = _spend(work, expiry, before, note, known);
            } else if (off) {
                _refuseRealised(work, expiry, variance);
            }
            ring[work.to] = Stored(s.slice, note);
        }
    }

    /// @dev Holds a move to the allowance, and returns the note with what is left of it.
    /// @param known whether the last commit holds the expiry itself.
    function _spend(Work memory work, uint40 expiry, Note before, Note next, bool known) private view returns (Note) {
        unchecked {
            uint256 earned = known ? before.earned(work.creditCap) : _parameters.listingCredit;
            if (earned == SurfaceMoves.FREE) return next;
            uint256 needed = before.secondsFor(next, expiry - block.timestamp, work.rates);
            if (needed > earned) revert MoveTooFast(expiry, needed, earned);
            return next.withCredit(earned - needed);
        }
    }

    /// @dev Variances that the multiples of the realised volatility leave, rounded against the committer; everything
    /// where the estimate is none, made of too few returns or too old.
    function _realisedRange(uint16 underlying) private view returns (uint256 low, uint256 high) {
        SurfaceParameters storage p = _parameters;
        (uint256 realised, uint256 at, uint256 samples) = oracle.realisedVol(underlying);
        bool old = at + uint256(p.realisedMaxDays) * 1 days < block.timestamp;
        if (old || samples < p.realisedSamples || realised == 0) return (0, type(uint256).max);
        return (_squareUp(Wad.mulUp(realised, p.realisedLow)), _squareDown(Wad.mulDown(realised, p.realisedHigh)));
    }

    /// @dev A level outside may stay and come nearer, and no more: a plain refusal would lock a surface that realised
    /// volatility leapt over.
    function _checkNearer(Work memory work, uint40 expiry, uint256 was, uint256 variance) private pure {
        bool nearer = variance < work.low ? variance >= was : variance <= was;
        if (!nearer) _refuseRealised(work, expiry, variance);
    }

    function _refuseRealised(Work memory work, uint40 expiry, uint256 variance) private pure {
        revert AtmVolOffRealised(expiry, _root(variance), _root(work.low), _root(work.high));
    }

    function _refuseLevel(uint40 expiry, uint256 variance) private view {
        revert AtmVolOutOfRange(expiry, _root(variance), _parameters.minVol, _parameters.maxVol);
    }

    /// @dev Volatility in WAD of a variance in Q33.
    function _root(uint256 variance) private pure returns (uint256) {
        return Math.sqrt(Math.mulDiv(variance, 1e36, 1 << 33));
    }

    /// @dev The least and the most variance, Q33, whose root is inside a bound in WAD.
    function _squareUp(uint256 vol) private pure returns (uint256) {
        return Math.ceilDiv((vol * vol) << 33, 1e36);
    }

    function _squareDown(uint256 vol) private pure returns (uint256) {
        return ((vol * vol) << 33) / 1e36;
    }

    /// @dev What the neighbours of an expiry that the last commit does not hold say of it: the nearer one as committed
    /// in this call, where it is, since its place may be the one that was read from.
    function _neighbours(Work memory work, uint40 expiry) private view returns (Note) {
        (uint40 low, uint40 high) = ExpiryList.around(work.before, expiry);
        Note near = _noteOf(work.underlying, low, work.to);
        if (near.at() != block.timestamp) near = _noteOf(work.underlying, low, work.from);
        return near.between(low, _noteOf(work.underlying, high, work.from), high, expiry);
    }

    function _noteOf(uint16 underlying, uint40 expiry, uint256 place) private view returns (Note) {
        return _rings[SeriesIdLib.expiryKeyOf(underlying, expiry)][place].note;
    }

    /// @dev Steps over the expiries of the last commit up to a day; only those about to expire may be left out. Returns
    /// whether the day itself is among them.
    function _meet(Work memory work, uint256 day) private view returns (bool known) {
        unchecked {
            uint256 live = work.live;
            while (live != 0 && live & 0xffff < day) {
                uint40 expiry = ExpiryList.expiryOf(live & 0xffff);
                if (expiry > block.timestamp + work.minTenor) revert LiveExpiryLeftOut(expiry);
                live >>= 16;
            }
            known = live & 0xffff == day;
            work.live = known ? live >> 16 : live;
        }
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

    function _setParameters(SurfaceParameters memory p) private {
        SurfaceRanges.check(p);
        _parameters = p;
        emit SurfaceParametersSet(p);
    }
}
