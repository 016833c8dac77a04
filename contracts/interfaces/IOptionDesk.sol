// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {Leg, SeriesId} from "../libraries/SeriesId.sol";

/// @title Two-sided quotes on the listed series, with the vault as the other side.
/// @notice A leg costs its Black-76 mark plus (taker buys) or minus (taker sells) the half-spread
/// max(volSpread x vega + latencyFloor x |delta| x spot, minSpread), per contract, rounded against the taker.
interface IOptionDesk {
    /// @param volSpread WAD of volatility.
    /// @param latencyFloor WAD share of |delta| x spot.
    /// @param minSpread WAD USD per
    /// contract.
    /// @param minSize WAD contracts.
    /// @param openCutoff seconds before expiry after which nothing opens.
    /// @param surfaceMaxAge seconds a surface may be old for a trade.
    struct DeskParameters {
        uint64 volSpread;
        uint64 latencyFloor;
        uint128 minSpread;
        uint128 minSize;
        uint32 openCutoff;
        uint32 surfaceMaxAge;
    }

    event Traded(address indexed taker, Leg[] legs, int256 premium, uint256 spot);
    event SeriesListed(SeriesId indexed series);
    event SeriesDelisted(SeriesId indexed series);
    event DeskParametersSet(DeskParameters parameters);

    error NoLegs();
    error LegsUnsorted(SeriesId previous, SeriesId next);
    error SeriesNotListed(SeriesId series);
    error SeriesAlreadyListed(SeriesId series);
    error SeriesNotExpired(SeriesId series);
    error TooManySeries(uint256 count);
    error SizeBelowMinimum(SeriesId series, uint256 size, uint256 minimum);
    error PastCutoff(SeriesId series, uint256 cutoff, uint256 nowAt);
    error OracleNotFresh(uint8 state);
    error SurfaceTooOld(uint256 age, uint256 maxAge);
    error NoSlice(SeriesId series);
    error DeadlinePassed(uint256 deadline, uint256 nowAt);
    error PremiumAboveLimit(int256 premium, int256 limit);
    error DeskParameterOutOfRange(string name, uint256 value, uint256 low, uint256 high);

    /// @notice Premium of a trade now.
    /// @param legs sizes from the taker's side, each series once, ascending.
    /// @return premium WAD USD the taker pays, negative if the taker receives.
    function quote(Leg[] calldata legs) external view returns (int256 premium);

    /// @notice Trades against the vault from the caller's clearing account, legs and cash in one step.
    /// @param limitPremium WAD USD, the most the taker pays (or, negative, the least to receive).
    function trade(Leg[] calldata legs, int256 limitPremium, uint256 deadline) external returns (int256 premium);

    /// @notice Lists series that can be traded. Lister role.
    function list(SeriesId[] calldata ids) external;

    /// @notice Removes expired series; anyone may call it.
    function delist(SeriesId[] calldata ids) external;

    function listed() external view returns (SeriesId[] memory);

    function parameters() external view returns (DeskParameters memory);

    /// @notice Governance only.
    function setParameters(DeskParameters calldata p) external;
}
