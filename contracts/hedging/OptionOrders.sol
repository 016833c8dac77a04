// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {Order} from "../interfaces/IHedgeManager.sol";
import {IQuoteAdapter} from "../interfaces/IQuoteAdapter.sol";
import {Greeks, Portfolio, Slice} from "../interfaces/IRiskEngine.sol";
import {PackedLeg} from "../libraries/SeriesId.sol";
import {Wad} from "../libraries/Wad.sol";
import {HedgeState} from "./HedgeState.sol";

/// @title Makers' option quotes in a batch. Documented in IHedgeManager.
abstract contract OptionOrders is HedgeState {
    /// @dev What the option orders of one underlying came to.
    /// @param navChange premium, and options on the worse of both slices.
    struct Taken {
        uint16 underlying;
        Portfolio portfolio;
        int256 deltaBefore;
        int256 deltaAfter;
        int256 navChange;
    }

    /// @dev Size 0 with data: a venue restores its collateral without any.
    function _isOption(Order calldata order) internal view returns (bool) {
        return order.base == 0 && order.data.length != 0 && order.venue == quoteAdapter;
    }

    /// @dev Takes the option orders from `index` on.
    /// @return taken of one underlying.
    /// @return next index of the first order that is none.
    function _takeOptions(
        bytes32 workId,
        Order[] calldata orders,
        uint256 index,
        Portfolio memory before
    ) internal returns (Taken memory taken, uint256 next) {
        Portfolio memory p = before;
        Greeks memory greeks;
        for (next = index; next < orders.length && _isOption(orders[next]); ++next) {
            IQuoteAdapter(orders[next].venue).take(orders[next].data);
            Portfolio memory later = clearinghouse.portfolioOf(vault);
            uint16 touched = _touched(next, p.legs, later.legs);
            if (next == index) {
                taken.underlying = touched;
                greeks = bookMarks.optionGreeks(touched, p.legs);
                taken.deltaBefore = greeks.delta;
            } else if (touched != taken.underlying) {
                revert OptionLegsMixed(next, taken.underlying, touched);
            }
            Greeks memory after_ = bookMarks.optionGreeks(touched, later.legs);
            int256 navChange = _navChange(p, later);
            _checkGreeks(next, greeks, after_);
            emit OptionsTaken(workId, touched, greeks.gamma, after_.gamma, greeks.vega, after_.vega, navChange);
            taken.navChange += navChange;
            (p, greeks) = (later, after_);
        }
        (taken.portfolio, taken.deltaAfter) = (p, greeks.delta);
    }

    function _checkGreeks(uint256 index, Greeks memory a, Greeks memory b) private pure {
        if (Wad.abs(b.gamma) < Wad.abs(a.gamma) || Wad.abs(b.vega) < Wad.abs(a.vega)) return;
        revert OptionRiskNotReduced(index, a.gamma, b.gamma, a.vega, b.vega);
    }

    /// @dev Cash, and the value of the options on whichever slice favours the vault less.
    function _navChange(Portfolio memory a, Portfolio memory b) private view returns (int256) {
        int256 fresh = bookMarks.optionValue(b.legs, Slice.Fresh) - bookMarks.optionValue(a.legs, Slice.Fresh);
        int256 aged = bookMarks.optionValue(b.legs, Slice.Reference) - bookMarks.optionValue(a.legs, Slice.Reference);
        return b.cash - a.cash + (fresh < aged ? fresh : aged);
    }

    /// @dev The one underlying whose legs changed.
    function _touched(uint256 index, PackedLeg[] memory a, PackedLeg[] memory b) private pure returns (uint16 found) {
        found = _changed(index, a, b, _changed(index, b, a, 0));
        if (found == 0) revert OptionOrderIdle(index);
    }

    function _changed(
        uint256 index,
        PackedLeg[] memory a,
        PackedLeg[] memory b,
        uint16 found
    ) private pure returns (uint16) {
        for (uint256 i = 0; i < a.length; ++i) {
            uint256 j = 0;
            while (j < b.length && PackedLeg.unwrap(b[j]) != PackedLeg.unwrap(a[i])) ++j;
            if (j < b.length) continue;
            uint16 changed = a[i].series().underlying();
            if (found != 0 && found != changed) revert OptionLegsMixed(index, found, changed);
            found = changed;
        }
        return found;
    }
}
