// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {Leg, PackedLeg} from "../libraries/SeriesId.sol";
import {Greeks, Portfolio, Slice} from "./IRiskEngine.sol";

/// @notice Net sensitivities of a book as exact sums of size x Greek, in WAD^2, so that nothing is lost between trades.
/// @param delta ETH.
/// @param gamma ETH per USD.
/// @param vega USD per 1.00 of volatility.
struct BookRisk {
    int256 delta;
    int256 gamma;
    int256 vega;
}

/// @notice One contract of a leg's series, WAD USD.
/// @param worse the dearer (a buyer's) or cheaper (a seller's) of both slices at both spots.
/// @param here the same at the first spot alone.
/// @param vega per 1.00 of volatility, by the fresh slice at the first spot.
struct LegMark {
    uint256 worse;
    uint256 here;
    uint256 vega;
}

/// @notice What a book is worth on both slices, WAD USD and signed, rounded down.
/// @param delta of the spot by the fresh slice, WAD ETH.
/// @param vega by the fresh slice, WAD USD per 1.00 of volatility.
struct BookValue {
    int256 fresh;
    int256 aged;
    int256 delta;
    int256 vega;
}

/// @title Marks of whole books: what a desk asks of a trade, and a vault of its options, in one call each.
interface IBookMarks {
    /// @notice Sensitivities of the option legs of one underlying.
    /// @dev Measured: 43 k gas for 16 legs of 8 strikes in one expiry, oracle and surface warm.
    function optionGreeks(uint16 underlying, PackedLeg[] calldata legs) external view returns (Greeks memory);

    /// @notice The delta of `optionGreeks` alone.
    /// @return WAD ETH.
    function optionDelta(uint16 underlying, PackedLeg[] calldata legs) external view returns (int256);

    /// @notice Mark value of the option legs.
    /// @return WAD USD, signed, rounded down.
    function optionValue(PackedLeg[] calldata legs, Slice slice) external view returns (int256);

    /// @notice Mark value and sensitivities of one contract of each leg's series, whatever the leg's size.
    /// @return values WAD USD per contract.
    /// @return greeks per contract.
    function marks(
        Leg[] calldata legs,
        Slice slice
    ) external view returns (uint256[] memory values, Greeks[] memory greeks);

    /// @notice Value of everything in the account at the oracle price. WAD USD.
    function equity(Portfolio calldata portfolio, Slice slice) external view returns (int256);

    /// @notice What a desk asks of a trade, with slices and legs read once.
    /// @param book legs of the account that a desk trades for; those of other underlyings count for nothing.
    /// @param legs of one underlying, at least one, sizes from the side of who trades with the account.
    /// @param spot WAD USD, the price to mark at.
    /// @param other WAD USD, the second price of `LegMark.worse`.
    /// @return risk of the book at `spot` by the fresh slice.
    /// @return change of it by the trade.
    /// @return marks_ one a leg.
    function ofTrade(
        PackedLeg[] calldata book,
        Leg[] calldata legs,
        uint256 spot,
        uint256 other
    ) external view returns (BookRisk memory risk, BookRisk memory change, LegMark[] memory marks_);

    /// @notice What a vault asks of its options, with each strike read once for both slices.
    /// @param legs of any underlyings.
    /// @param underlying whose sensitivities are told.
    /// @param spot WAD USD of it.
    function ofBook(
        PackedLeg[] calldata legs,
        uint16 underlying,
        uint256 spot
    ) external view returns (BookValue memory);
}
