// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {AccessManaged} from "@openzeppelin/contracts/access/manager/AccessManaged.sol";
import {IMarketOracle} from "./interfaces/IMarketOracle.sol";
import {IRiskEngine, Portfolio, Slice} from "./interfaces/IRiskEngine.sol";
import {IVolSurface} from "./interfaces/IVolSurface.sol";
import {IBookMarks} from "./interfaces/IBookMarks.sol";
import {ScenarioKernel} from "./libraries/ScenarioKernel.sol";
import {PackedLeg} from "./libraries/SeriesId.sol";
import {MarginTerms, MarginTermsLib} from "./risk/MarginTerms.sol";
import {BookMarks} from "./risk/BookMarks.sol";
import {Margins} from "./risk/Margins.sol";
import {Marks} from "./risk/Marks.sol";

/// @title Margin of an account. Documented in IRiskEngine.
/// @notice risk/: Strikes puts legs together, Marks values an option, Margins looks for the worst scenario; BookMarks
/// marks whole books.
contract RiskEngine is Margins, AccessManaged {
    /// @inheritdoc IRiskEngine
    IBookMarks public immutable bookMarks;
    MarginTerms private _terms;

    constructor(
        address authority_,
        IMarketOracle oracle_,
        IVolSurface surface_,
        MarginParameters memory p
    ) AccessManaged(authority_) Marks(oracle_, surface_) {
        bookMarks = new BookMarks(oracle_, surface_);
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
            unchecked {
                // Sizes and prices are bounded so that each is below 2^190.
                equity_ += value;
                initial += needed;
            }
            underlying = others ? _nextUnderlying(legs, p.underlying, from) : NONE;
            unchecked {
                from = underlying + 1;
            }
        }
        unchecked {
            maintenance = (initial * m.maintenanceShare() + 1e18 - 1) / 1e18;
        }
    }

    function _setParameters(MarginParameters memory p) private {
        _terms = MarginTermsLib.pack(p);
        emit MarginParametersSet(p);
    }
}
