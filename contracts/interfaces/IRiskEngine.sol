// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {Leg} from "../libraries/SeriesId.sol";

/// @notice An account as the risk engine sees it.
/// @param underlying market id of `base` and `venueBase`.
/// @param cash WAD USD, signed.
/// @param base WETH in wei.
/// @param venueBase WAD ETH
/// @param venueQuote WAD USD: the sum over the account's hedge venues.
/// @param legs open option legs.
struct Portfolio {
    uint16 underlying;
    int256 cash;
    uint256 base;
    int256 venueBase;
    int256 venueQuote;
    Leg[] legs;
}

/// @notice Sensitivities to the spot of one underlying.
/// @param delta ETH.
/// @param gamma ETH per USD.
/// @param vega USD per
/// 1.00 of volatility.
/// @param theta USD per year. All WAD.
struct Greeks {
    int256 delta;
    int256 gamma;
    int256 vega;
    int256 theta;
}

/// @title Greeks, mark value and margin, recomputed in full at every call: there is no cache to go stale.
/// @notice Legs of an expired series are valued at the proven settlement price, or at spot until there is one, with
/// Greeks of zero: nothing here reverts because one leg has expired.
interface IRiskEngine {
    /// @param spotMove WAD, the largest spot move of the grid, e.g. 0.2e18.
    /// @param volUp
    /// @param volDown WAD relative
    /// volatility moves at 30 days.
    /// @param contingency WAD share of spot per short contract.
    /// @param maintenanceShare WAD share of the initial margin.
    struct MarginParameters {
        uint64 spotMove;
        uint64 volUp;
        uint64 volDown;
        uint64 contingency;
        uint64 maintenanceShare;
    }

    event MarginParametersSet(MarginParameters parameters);

    error MarginParameterOutOfRange(string name, uint256 value, uint256 low, uint256 high);

    /// @notice Governance only; every field has a hard range.
    function setParameters(MarginParameters calldata p) external;

    function parameters() external view returns (MarginParameters memory);

    /// @notice Sensitivities of the option legs alone.
    function optionGreeks(uint16 underlying, Leg[] calldata legs) external view returns (Greeks memory);

    /// @notice Mark value of the option legs.
    /// @return WAD USD, signed.
    function optionValue(Leg[] calldata legs) external view returns (int256);

    /// @notice Mark value and sensitivities of one contract of each leg's series, whatever the leg's size.
    /// @return values WAD USD per contract.
    /// @return greeks per contract.
    function marks(Leg[] calldata legs) external view returns (uint256[] memory values, Greeks[] memory greeks);

    /// @notice Value of everything in the account at the oracle price and the last committed surface. WAD USD.
    function equity(Portfolio calldata portfolio) external view returns (int256);

    /// @notice Scenario margin: the worst loss over 7 spot moves x 3 volatility moves, plus a contingency per short
    /// contract.
    /// @return equity_ WAD USD.
    /// @return initial
    /// @return maintenance WAD USD.
    function margin(
        Portfolio calldata portfolio
    ) external view returns (int256 equity_, uint256 initial, uint256 maintenance);

    /// @notice What an account without scenario margin must hold: the strike in cash for each short put, one ETH for
    /// each short call.
    /// @return cash WAD USD.
    /// @return base WETH in wei. Rounded up.
    function fullCollateral(Leg[] calldata legs) external view returns (uint256 cash, uint256 base);
}
