// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {Portfolio} from "../interfaces/IRiskEngine.sol";
import {Wad} from "./Wad.sol";

/// @title Sums over a portfolio's base collateral and hedge venues.
library Books {
    /// @notice Base and quote over account and venues: delta and value at a constant oracle price move through these two
    /// alone when an account hedges.
    /// @return base WAD ETH.
    /// @return quote WAD USD.
    function hedge(Portfolio memory p) internal pure returns (int256 base, int256 quote) {
        base = int256(p.base);
        quote = p.cash;
        for (uint256 i = 0; i < p.hedges.length; ++i) {
            base += p.hedges[i].base;
            quote += p.hedges[i].quote;
        }
    }

    /// @notice Base of account and venues without regard to sign.
    /// @return total WAD ETH.
    function gross(Portfolio memory p) internal pure returns (uint256 total) {
        total = p.base;
        for (uint256 i = 0; i < p.hedges.length; ++i) total += Wad.abs(p.hedges[i].base);
    }
}
