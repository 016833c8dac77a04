// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {AccessManaged} from "@openzeppelin/contracts/access/manager/AccessManaged.sol";
import {IMarketOracle} from "./interfaces/IMarketOracle.sol";
import {Greeks, IRiskEngine, Portfolio, Slice} from "./interfaces/IRiskEngine.sol";
import {IVolSurface} from "./interfaces/IVolSurface.sol";
import {ScenarioKernel} from "./libraries/ScenarioKernel.sol";
import {Leg, PackedLeg, SeriesId} from "./libraries/SeriesId.sol";
import {Wad} from "./libraries/Wad.sol";
import {MarginTerms, MarginTermsLib} from "./risk/MarginTerms.sol";
import {Margins} from "./risk/Margins.sol";
import {Marks} from "./risk/Marks.sol";
import {Strikes} from "./risk/Strikes.sol";
import {TradeMarks} from "./risk/TradeMarks.sol";

/// @title Greeks, mark value and margin of an account. Documented in IRiskEngine.
/// @notice risk/: Strikes puts legs together, Marks values an option, TradeMarks a trade, Margins looks for the worst scenario.
contract RiskEngine is Margins, TradeMarks, AccessManaged {
    MarginTerms private _terms;

    constructor(
        address authority_,
        IMarketOracle oracle_,
        IVolSurface surface_,
        MarginParameters memory p
    ) AccessManaged(authority_) Marks(oracle_, surface_) {
        _setParameters(p);
    }

    /// @inheritdoc IRiskEngine
    function setParameters(MarginParameters calldata p) external restricted {
        _setParameters(p);
    }

    /// @inheritdoc IRiskEngine
    function parameters() external view returns (MarginParameters memory) {
        return _terms.unpack();
    }

    /// @inheritdoc IRiskEngine
    function optionGreeks(uint16 underlying, PackedLeg[] calldata legs) external view returns (Greeks memory total) {
        Cache memory c = _cache(Slice.Fresh, legs.length);
        (uint256 at, uint256 end, ) = Strikes.fold(legs, underlying);
        while (at != end) {
            Expiry memory e = c.met[_placeOf(c, Strikes.expiryKey(at))];
            if (e.tau != 0) _addGreeks(total, e, at);
            unchecked {
                at += Strikes.SIZE;
            }
        }
    }

    /// @inheritdoc IRiskEngine
    function optionValue(PackedLeg[] calldata legs, Slice slice) external view returns (int256) {
        return _value(_cache(slice, legs.length), legs);
    }

    /// @inheritdoc IRiskEngine
    function marks(
        Leg[] calldata legs,
        Slice slice
    ) external view returns (uint256[] memory values, Greeks[] memory greeks) {
        Cache memory c = _cache(slice, legs.length);
        values = new uint256[](legs.length);
        greeks = new Greeks[](legs.length);
        for (uint256 i = 0; i < legs.length; ++i) {
            SeriesId id = legs[i].series;
            (values[i], greeks[i]) = _mark(c.met[_placeOf(c, id.expiryKey())], id);
        }
    }

    /// @inheritdoc IRiskEngine
    function equity(Portfolio calldata p, Slice slice) external view returns (int256 total) {
        Cache memory c = _cache(slice, p.legs.length);
        total = p.cash + _value(c, p.legs);
        if (_hasLinear(p)) total += _linear(p, _spot(c, p.underlying), false);
    }

    /// @inheritdoc IRiskEngine
    /// @dev The underlying of base and hedges first, then the others that legs have.
    function margin(
        Portfolio calldata p,
        Slice slice
    ) external view returns (int256 equity_, uint256 initial, uint256 maintenance) {
        PackedLeg[] calldata legs = p.legs;
        if (legs.length != 0) ScenarioKernel.load(scenarioTable);
        MarginTerms m = _terms;
        Cache memory c = _cache(slice, legs.length);
        equity_ = p.cash;
        uint256 from = 0;
        for (uint256 underlying = p.underlying; underlying != NONE; ) {
            (int256 value, uint256 needed, bool others) = _underlyingMargin(p, legs, m, c, underlying);
            equity_ += value;
            initial += needed;
            underlying = others ? _nextUnderlying(legs, p.underlying, from) : NONE;
            unchecked {
                from = underlying + 1;
            }
        }
        maintenance = Wad.mulUp(initial, m.maintenanceShare());
    }

    function _setParameters(MarginParameters memory p) private {
        _terms = MarginTermsLib.pack(p);
        emit MarginParametersSet(p);
    }
}
