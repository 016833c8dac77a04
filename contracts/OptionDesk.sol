// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {AccessManaged} from "@openzeppelin/contracts/access/manager/AccessManaged.sol";
import {ReentrancyGuard} from "@openzeppelin/contracts/utils/ReentrancyGuard.sol";
import {RiskLever} from "./governance/RiskLever.sol";
import {IClearinghouse, Trade} from "./interfaces/IClearinghouse.sol";
import {IMarketOracle, OracleState} from "./interfaces/IMarketOracle.sol";
import {IOptionDesk} from "./interfaces/IOptionDesk.sol";
import {Greeks, IRiskEngine, Slice} from "./interfaces/IRiskEngine.sol";
import {IVolSurface} from "./interfaces/IVolSurface.sol";
import {Leg, SeriesId} from "./libraries/SeriesId.sol";
import {Wad} from "./libraries/Wad.sol";

/// @title Two-sided quotes and trades against the vault. Documented in IOptionDesk.
contract OptionDesk is IOptionDesk, RiskLever, ReentrancyGuard {
    uint256 private constant MAX_SERIES = 32;

    IClearinghouse public immutable clearinghouse;
    IMarketOracle public immutable oracle;
    IVolSurface public immutable surface;
    IRiskEngine public immutable engine;
    address public immutable vault;

    SeriesId[] private _listed;
    mapping(SeriesId series => uint256 place) private _place;
    DeskParameters private _parameters;

    constructor(
        address authority_,
        IClearinghouse clearinghouse_,
        IMarketOracle oracle_,
        IVolSurface surface_,
        IRiskEngine engine_,
        address vault_,
        DeskParameters memory p
    ) AccessManaged(authority_) {
        clearinghouse = clearinghouse_;
        oracle = oracle_;
        surface = surface_;
        engine = engine_;
        vault = vault_;
        _setParameters(p);
    }

    /// @inheritdoc IOptionDesk
    function trade(
        Leg[] calldata legs,
        int256 limitPremium,
        uint256 deadline
    ) external nonReentrant returns (int256 premium) {
        if (block.timestamp > deadline) revert DeadlinePassed(deadline, block.timestamp);
        uint256 spot;
        (premium, spot) = _quote(legs);
        if (premium > limitPremium) revert PremiumAboveLimit(premium, limitPremium);
        emit Traded(msg.sender, legs, premium, spot);
        Trade[] memory trades = new Trade[](1);
        trades[0] = Trade(vault, msg.sender, premium, legs);
        clearinghouse.trade(trades);
    }

    /// @inheritdoc IOptionDesk
    function quote(Leg[] calldata legs) external view returns (int256 premium) {
        (premium, ) = _quote(legs);
    }

    /// @inheritdoc IOptionDesk
    function list(SeriesId[] calldata ids) external restricted {
        for (uint256 i = 0; i < ids.length; ++i) {
            SeriesId id = ids[i];
            id.validate();
            if (_place[id] != 0) revert SeriesAlreadyListed(id);
            if (surface.sliceOf(id.underlying(), id.expiry()).slice == 0) revert NoSlice(id);
            uint256 cutoff = id.expiry() - _parameters.openCutoff;
            if (block.timestamp >= cutoff) revert PastCutoff(id, cutoff, block.timestamp);
            if (_listed.length == MAX_SERIES) revert TooManySeries(MAX_SERIES + 1);
            _listed.push(id);
            _place[id] = _listed.length;
            emit SeriesListed(id);
        }
    }

    /// @inheritdoc IOptionDesk
    function delist(SeriesId[] calldata ids) external {
        for (uint256 i = 0; i < ids.length; ++i) {
            SeriesId id = ids[i];
            uint256 place = _place[id];
            if (place == 0) revert SeriesNotListed(id);
            if (block.timestamp < id.expiry()) revert SeriesNotExpired(id);
            SeriesId last = _listed[_listed.length - 1];
            _listed[place - 1] = last;
            _place[last] = place;
            _listed.pop();
            delete _place[id];
            emit SeriesDelisted(id);
        }
    }

    /// @inheritdoc IOptionDesk
    function setParameters(DeskParameters calldata p) external restricted {
        _setParameters(p);
    }

    /// @inheritdoc IOptionDesk
    function listed() external view returns (SeriesId[] memory) {
        return _listed;
    }

    /// @inheritdoc IOptionDesk
    function parameters() external view returns (DeskParameters memory) {
        return _parameters;
    }

    function _quote(Leg[] calldata legs) private view returns (int256 premium, uint256 spot) {
        if (legs.length == 0) revert NoLegs();
        DeskParameters memory p = _parameters;
        uint16 underlying = legs[0].series.underlying();
        OracleState state = oracle.state(underlying);
        if (state != OracleState.Fresh) revert OracleNotFresh(uint8(state));
        _checkLegs(legs, p);
        if (newRisk() == 0) _checkOnlyClosing(clearinghouse.legsOf(vault), legs);
        (spot, ) = oracle.spot(underlying);
        (uint256[] memory values, Greeks[] memory greeks) = engine.marks(legs, Slice.Fresh);
        for (uint256 i = 0; i < legs.length; ++i) {
            premium += _premium(legs[i].size, values[i], _halfSpread(greeks[i], spot, p));
        }
    }

    /// @dev Same underlying in all legs follows from `_checkLegs`: ids ascend and the first and last agree.
    function _checkLegs(Leg[] calldata legs, DeskParameters memory p) private view {
        uint16 underlying = legs[0].series.underlying();
        uint56 key;
        for (uint256 i = 0; i < legs.length; ++i) {
            SeriesId id = legs[i].series;
            if (i != 0 && SeriesId.unwrap(id) <= SeriesId.unwrap(legs[i - 1].series)) {
                revert LegsUnsorted(legs[i - 1].series, id);
            }
            if (_place[id] == 0 || id.underlying() != underlying) revert SeriesNotListed(id);
            uint256 cutoff = id.expiry() - p.openCutoff;
            if (block.timestamp >= cutoff) revert PastCutoff(id, cutoff, block.timestamp);
            uint256 size = Wad.abs(legs[i].size);
            if (size < p.minSize) revert SizeBelowMinimum(id, size, p.minSize);
            if (id.expiryKey() != key) _requireFreshSlice(id, p.surfaceMaxAge);
            key = id.expiryKey();
        }
    }

    /// @dev The age of the slice itself: a commit may leave an expiry out.
    function _requireFreshSlice(SeriesId id, uint256 maxAge) private view {
        uint256 age = block.timestamp - surface.sliceOf(id.underlying(), id.expiry()).committedAt;
        if (age > maxAge) revert SurfaceTooOld(age, maxAge);
    }

    function _halfSpread(Greeks memory g, uint256 spot, DeskParameters memory p) private pure returns (uint256 half) {
        half = Wad.mulUp(Wad.abs(g.vega), p.volSpread);
        half += Wad.mulUp(Wad.mulUp(Wad.abs(g.delta), spot), p.latencyFloor);
        if (half < p.minSpread) half = p.minSpread;
    }

    /// @dev The desk never pays for a contract that its half-spread is worth more than. Rounded up: against the taker.
    function _premium(int256 size, uint256 value, uint256 half) private pure returns (int256) {
        if (size > 0) return int256(Wad.mulUp(uint256(size), value + half));
        return -int256(Wad.mulDown(uint256(-size), value > half ? value - half : 0));
    }

    function _setParameters(DeskParameters memory p) private {
        _inRange("volSpread", p.volSpread, 0, 5e17);
        _inRange("latencyFloor", p.latencyFloor, 0, 5e16);
        _inRange("minSpread", p.minSpread, 0, 100e18);
        _inRange("minSize", p.minSize, 1e14, 1e21);
        _inRange("openCutoff", p.openCutoff, 0, 1 days);
        _inRange("surfaceMaxAge", p.surfaceMaxAge, 60, 1 days);
        _parameters = p;
        emit DeskParametersSet(p);
    }

    function _inRange(string memory name, uint256 value, uint256 low, uint256 high) private pure {
        if (value < low || value > high) revert DeskParameterOutOfRange(name, value, low, high);
    }
}
