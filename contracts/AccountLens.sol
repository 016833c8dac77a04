// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {IBookMarks} from "./interfaces/IBookMarks.sol";
import {IClearinghouse} from "./interfaces/IClearinghouse.sol";
import {Greeks, Portfolio, Slice} from "./interfaces/IRiskEngine.sol";
import {Books} from "./libraries/Books.sol";

/// @title What an account of the Clearinghouse is worth and how it moves, for the keeper and for people.
/// @notice Views alone: no contract decides anything by them.
contract AccountLens {
    using Books for Portfolio;

    IClearinghouse public immutable clearinghouse;
    IBookMarks public immutable bookMarks;

    constructor(IClearinghouse clearinghouse_) {
        clearinghouse = clearinghouse_;
        bookMarks = clearinghouse_.engine().bookMarks();
    }

    /// @notice Base and quote over the account and its venues.
    /// @return base WAD ETH.
    /// @return quote WAD USD.
    function hedgeOf(address account) external view returns (int256 base, int256 quote) {
        return clearinghouse.collateralOf(account).hedge();
    }

    /// @notice Net sensitivities of the account to one underlying: options, base collateral and venues.
    function greeksOf(address account, uint16 underlying) external view returns (Greeks memory g) {
        Portfolio memory p = clearinghouse.portfolioOf(account);
        g = bookMarks.optionGreeks(underlying, p.legs);
        if (underlying != p.underlying) return g;
        (int256 base, ) = p.hedge();
        g.delta += base;
    }

    /// @notice Mark value of the account, WAD USD.
    function equityOf(address account) external view returns (int256) {
        return bookMarks.equity(clearinghouse.portfolioOf(account), Slice.Fresh);
    }
}
