// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {AccessManaged} from "@openzeppelin/contracts/access/manager/AccessManaged.sol";
import {ReentrancyGuard} from "@openzeppelin/contracts/utils/ReentrancyGuard.sol";
import {Assessing} from "./desk/Assessing.sol";
import {IClearinghouse, Trade} from "./interfaces/IClearinghouse.sol";
import {IMarketOracle} from "./interfaces/IMarketOracle.sol";
import {IOptionDesk} from "./interfaces/IOptionDesk.sol";
import {IRiskEngine} from "./interfaces/IRiskEngine.sol";
import {IVolSurface} from "./interfaces/IVolSurface.sol";
import {Leg, SeriesId, SeriesIdLib} from "./libraries/SeriesId.sol";

/// @title Two-sided quotes and trades against the vault. Documented in IOptionDesk.
/// @notice desk/: Assessing says what may be traded, DeskPricing and Inventory at which price, Stances what the quoter
/// thinks of an expiry.
contract OptionDesk is Assessing, ReentrancyGuard {
    uint256 private constant MAX_SERIES = 32;

    SeriesId[] private _listed;

    constructor(
        address authority_,
        IClearinghouse clearinghouse_,
        IMarketOracle oracle_,
        IVolSurface surface_,
        IRiskEngine engine_,
        address vault_,
        address quoter_,
        DeskParameters memory p
    ) AccessManaged(authority_) Assessing(clearinghouse_, oracle_, surface_, engine_, vault_) {
        _setQuoter(quoter_);
        _setParameters(p);
    }

    /// @inheritdoc IOptionDesk
    function trade(
        Leg[] calldata legs,
        int256 limitPremium,
        uint256 deadline
    ) external nonReentrant returns (int256 premium) {
        if (block.timestamp > deadline) revert DeadlinePassed(deadline, block.timestamp);
        Assessment memory a = assess(legs, false);
        premium = a.premium;
        if (premium > limitPremium) revert PremiumAboveLimit(premium, limitPremium);
        emit Traded(msg.sender, legs, premium, a.spot);
        Trade[] memory trades = new Trade[](1);
        trades[0] = Trade(vault, msg.sender, premium, legs);
        (int256 equity, uint256 initial) = clearinghouse.trade(trades);
        if (a.opens) checkUtilisation(legs, premium, equity, initial);
    }

    /// @inheritdoc IOptionDesk
    function quote(Leg[] calldata legs) external view returns (int256 premium) {
        return assess(legs, false).premium;
    }

    /// @inheritdoc IOptionDesk
    function list(SeriesId[] calldata ids) external restricted {
        for (uint256 i = 0; i < ids.length; ++i) {
            SeriesId id = ids[i];
            id.validate();
            if (_place[id] != 0) revert SeriesAlreadyListed(id);
            if (surface.sliceOf(id.underlying(), id.expiry()).slice == 0) revert NoSlice(id);
            uint256 cutoff = id.expiry() - _terms.openCutoff();
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
    function setQuoter(address quoter_) external restricted {
        _setQuoter(quoter_);
    }

    /// @inheritdoc IOptionDesk
    function stanceOf(uint16 underlying, uint40 expiry) external view returns (Stance memory, uint40) {
        return _stance(SeriesIdLib.expiryKeyOf(underlying, expiry), _terms.stanceMaxAge());
    }

    /// @inheritdoc IOptionDesk
    function listed() external view returns (SeriesId[] memory) {
        return _listed;
    }

    /// @inheritdoc IOptionDesk
    function parameters() external view returns (DeskParameters memory) {
        return _terms.unpack();
    }

    function _setParameters(DeskParameters memory p) private {
        _terms = _ranges.packed(p);
        emit DeskParametersSet(p);
    }
}
