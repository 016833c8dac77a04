// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {AccessManaged} from "@openzeppelin/contracts/access/manager/AccessManaged.sol";
import {IMarketOracle} from "./interfaces/IMarketOracle.sol";
import {IVolSurface} from "./interfaces/IVolSurface.sol";
import {SeriesIdLib} from "./libraries/SeriesId.sol";
import {Svi} from "./libraries/Svi.sol";
import {Wad} from "./libraries/Wad.sol";

/// @title Implied volatility by expiry. Documented in IVolSurface.
contract VolSurface is IVolSurface, AccessManaged {
    /// @dev Two slots: the packed slice, and the rest.
    struct Stored {
        uint256 slice;
        int64 carry;
        uint40 committedAt;
        uint96 referenceSpot;
    }

    IMarketOracle public immutable oracle;

    address public committer;
    SurfaceParameters private _parameters;
    mapping(uint16 underlying => uint256 at) public lastCommit;
    mapping(uint56 expiryKey => Stored) private _slices;

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
    function commit(uint16 underlying, uint256 referenceSpot, SliceInput[] calldata slices) external {
        if (msg.sender != committer) revert OnlyCommitter(msg.sender);
        if (slices.length == 0) revert SlicesEmpty();
        SurfaceParameters memory p = _parameters;
        (uint256 spot, ) = oracle.spot(underlying);
        uint256 gap = referenceSpot > spot ? referenceSpot - spot : spot - referenceSpot;
        if (gap > Wad.mulDown(spot, p.maxSpotDeviation))
            revert ReferenceSpotOff(referenceSpot, spot, p.maxSpotDeviation);
        uint40 previous = 0;
        for (uint256 i = 0; i < slices.length; ++i) {
            SliceInput calldata s = slices[i];
            if (s.expiry <= previous) revert SlicesUnsorted(previous, s.expiry);
            _check(s, p);
            previous = s.expiry;
            _slices[SeriesIdLib.expiryKeyOf(underlying, s.expiry)] = Stored(
                s.slice,
                s.carry,
                uint40(block.timestamp),
                uint96(referenceSpot)
            );
        }
        lastCommit[underlying] = block.timestamp;
        emit SurfaceCommitted(underlying, referenceSpot, slices);
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
    function parameters() external view returns (SurfaceParameters memory) {
        return _parameters;
    }

    /// @inheritdoc IVolSurface
    function sliceOf(uint16 underlying, uint40 expiry) external view returns (SliceState memory) {
        Stored memory s = _slices[SeriesIdLib.expiryKeyOf(underlying, expiry)];
        return SliceState(s.slice, s.carry, s.committedAt);
    }

    /// @inheritdoc IVolSurface
    function slices(uint16 underlying, uint40 expiry) external view returns (SliceState memory, SliceState memory) {
        Stored memory s = _slices[SeriesIdLib.expiryKeyOf(underlying, expiry)];
        return (SliceState(s.slice, s.carry, s.committedAt), SliceState(s.slice, s.carry, s.committedAt));
    }

    /// @inheritdoc IVolSurface
    function volAndForward(
        uint16 underlying,
        uint40 expiry,
        uint256 strike,
        uint256 spot
    ) external view returns (uint256 forward, uint256 vol) {
        Stored memory s = _slices[SeriesIdLib.expiryKeyOf(underlying, expiry)];
        if (s.slice == 0 || expiry <= block.timestamp) return (spot, 0);
        forward = Svi.forward(spot, s.carry, expiry - block.timestamp);
        vol = Svi.impliedVol(s.slice, Wad.lnRatio(strike, forward), expiry - s.committedAt);
    }

    function _check(SliceInput calldata s, SurfaceParameters memory p) private view {
        if (s.expiry <= block.timestamp) revert SliceExpired(s.expiry, block.timestamp);
        if (uint256(s.expiry) % 1 days != SeriesIdLib.EXPIRY_SECOND_OF_DAY) revert SeriesIdLib.ExpiryOffGrid(s.expiry);
        if (s.carry > int64(p.maxCarry) || s.carry < -int64(p.maxCarry))
            revert CarryOutOfRange(s.carry, int64(p.maxCarry));
        Svi.validate(s.slice);
        uint256 atm = Svi.impliedVol(s.slice, 0, s.expiry - block.timestamp);
        if (atm < p.minVol || atm > p.maxVol) revert AtmVolOutOfRange(s.expiry, atm, p.minVol, p.maxVol);
    }

    function _setParameters(SurfaceParameters memory p) private {
        _inRange("minVol", p.minVol, 1e16, 1e18);
        _inRange("maxVol", p.maxVol, p.minVol, 8e18);
        _inRange("maxCarry", p.maxCarry, 0, 1e18);
        _inRange("maxSpotDeviation", p.maxSpotDeviation, 1e14, 1e17);
        _parameters = p;
        emit SurfaceParametersSet(p);
    }

    function _inRange(string memory name, uint256 value, uint256 low, uint256 high) private pure {
        if (value < low || value > high) revert SurfaceParameterOutOfRange(name, value, low, high);
    }
}
