// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {Hedge, Portfolio} from "../interfaces/IRiskEngine.sol";
import {Wad} from "./Wad.sol";

/// @title Sums over a portfolio's base collateral and hedge venues.
library Books {
    /// @notice Base and quote in the underlying of the account's own base.
    /// @return base WAD ETH.
    /// @return quote WAD USD.
    function hedge(Portfolio memory p) internal pure returns (int256 base, int256 quote) {
        (base, quote, ) = hedge(p, p.underlying);
    }

    /// @notice Base and quote over account and venues: delta and value at a constant oracle price move through these two
    /// alone when an account hedges. Cash counts in every underlying, since only its changes matter.
    /// @return base WAD of the underlying.
    /// @return quote WAD USD.
    /// @return gross base without regard to sign.
    function hedge(
        Portfolio memory p,
        uint16 underlying
    ) internal pure returns (int256 base, int256 quote, uint256 gross) {
        quote = p.cash;
        if (underlying == p.underlying) (base, gross) = (int256(p.base), p.base);
        for (uint256 i = 0; i < p.hedges.length; ++i) {
            Hedge memory h = p.hedges[i];
            quote += h.quote;
            if (h.underlying != underlying) continue;
            base += h.base;
            gross += Wad.abs(h.base);
        }
    }
}
