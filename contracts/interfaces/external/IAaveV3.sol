// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

/// @notice The part of Aave v3's Pool that the short uses. Rate mode 2 is the variable rate.
interface IAaveV3Pool {
    /// @dev Layout of v3.0; later versions keep it and leave retired fields zero.
    struct ReserveData {
        uint256 configuration;
        uint128 liquidityIndex;
        uint128 currentLiquidityRate;
        uint128 variableBorrowIndex;
        uint128 currentVariableBorrowRate;
        uint128 currentStableBorrowRate;
        uint40 lastUpdateTimestamp;
        uint16 id;
        address aTokenAddress;
        address stableDebtTokenAddress;
        address variableDebtTokenAddress;
        address interestRateStrategyAddress;
        uint128 accruedToTreasury;
        uint128 unbacked;
        uint128 isolationModeTotalDebt;
    }

    function supply(address asset, uint256 amount, address onBehalfOf, uint16 referralCode) external;

    /// @param amount type(uint256).max withdraws everything.
    function withdraw(address asset, uint256 amount, address to) external returns (uint256);

    function borrow(
        address asset,
        uint256 amount,
        uint256 interestRateMode,
        uint16 referralCode,
        address onBehalfOf
    ) external;

    /// @param amount type(uint256).max repays the whole debt.
    function repay(
        address asset,
        uint256 amount,
        uint256 interestRateMode,
        address onBehalfOf
    ) external returns (uint256);

    function setUserUseReserveAsCollateral(address asset, bool useAsCollateral) external;

    /// @return totalCollateralBase
    /// @return totalDebtBase
    /// @return availableBorrowsBase in the oracle's base currency.
    /// @return currentLiquidationThreshold
    /// @return ltv in basis points.
    /// @return healthFactor WAD, type(uint256).max without debt.
    function getUserAccountData(
        address user
    )
        external
        view
        returns (
            uint256 totalCollateralBase,
            uint256 totalDebtBase,
            uint256 availableBorrowsBase,
            uint256 currentLiquidationThreshold,
            uint256 ltv,
            uint256 healthFactor
        );

    /// @return bit map: bits 16 to 31 are the liquidation threshold, 32 to 47 one plus the liquidation bonus, in basis points;
    /// bit 60 is the pause.
    function getConfiguration(address asset) external view returns (uint256);

    function getReserveData(address asset) external view returns (ReserveData memory);

    function ADDRESSES_PROVIDER() external view returns (IAaveV3AddressesProvider);
}

/// @notice Where Aave's current oracle is found.
interface IAaveV3AddressesProvider {
    function getPriceOracle() external view returns (IAaveV3Oracle);
}

/// @notice Prices by which Aave itself liquidates.
interface IAaveV3Oracle {
    /// @return price in the base currency, 8 decimals of USD.
    function getAssetPrice(address asset) external view returns (uint256);
}
