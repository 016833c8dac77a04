// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {IHedgeVenue} from "./IHedgeVenue.sol";

/// @notice Health is collateral x liquidation threshold over debt, at the higher of our oracle's and Aave's own price.
/// @param targetHealth WAD, what a sale ends at or above and what is restored to. 1.3e18 to 4e18.
/// @param releaseHealth WAD, above which an order of size 0 sends collateral home, down to the target; at least 0.02e18
/// over the target, so that it does not go in and out with every tick. At most 10e18.
/// @param unwindSlippage WAD share of the oracle price that `unwind` may pay more. 1e15 to 1e17.
struct VenueParameters {
    uint64 targetHealth;
    uint64 releaseHealth;
    uint64 unwindSlippage;
}

/// @title A short in WETH on Aave v3: WETH borrowed at the variable rate against USDC, sold on a Uniswap v3 pool.
/// @notice Sale: the pool pays first; its USDC and as much of the Clearinghouse as the target health takes are
/// supplied, then the WETH is borrowed and delivered. Buy: the pool delivers first; the WETH repays debt, at most all
/// of it, then collateral pays the pool and all above the target goes home. A buy leaves the health at the target or
/// no lower than it was: while the health is short, a repaid share of the debt frees at most the same share of the
/// collateral, and what is missing is asked of the Clearinghouse. Size 0 restores the target.
/// Both parts of `position` come from Aave's token balances, which do not fail while a reserve is paused or frozen.
/// Warning: the venue relies on Aave's token contracts and on MarketOracle; `unwind` pays up to the slippage over the
/// last oracle price whatever its age, so the caller judges the state of the oracle.
interface IAaveShortVenue is IHedgeVenue {
    event VenueParametersSet(VenueParameters parameters);
    event ForeignCollateralDropped(address indexed asset);

    error VenueParameterOutOfRange(string name, uint256 value, uint256 low, uint256 high);
    error VenueReserveUnknown(address asset);
    error VenueCollateralLocked(uint256 needed, uint256 releasable);
    error VenueCollateralInUse(address asset);

    /// @notice Takes an asset other than USDC out of the position's collateral. Anyone: aTokens sent here unasked count
    /// as collateral at Aave, and one whose loan-to-value later drops to zero would block withdrawals of USDC.
    function dropForeignCollateral(address asset) external;

    /// @notice Governance only.
    function setParameters(VenueParameters calldata p) external;

    function parameters() external view returns (VenueParameters memory);
}
