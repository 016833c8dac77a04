// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {IERC20Metadata} from "@openzeppelin/contracts/token/ERC20/extensions/IERC20Metadata.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {IHedgeVenue} from "../interfaces/IHedgeVenue.sol";
import {IUniswapV3Pool} from "../interfaces/external/IUniswapV3Pool.sol";
import {PoolVenue} from "./PoolVenue.sol";

/// @title Spot on one Uniswap v3 pool. Documented in IHedgeVenue.
/// @notice Holds nothing between calls: what is bought or received goes from the pool straight to the Clearinghouse.
/// A trade may be filled in part, see PoolVenue. `data` is not used.
contract UniswapSpotVenue is PoolVenue {
    using SafeERC20 for IERC20Metadata;

    constructor(
        address clearinghouse_,
        IUniswapV3Pool pool_,
        IERC20Metadata usdc_,
        IERC20Metadata weth_,
        uint16 underlying_
    ) PoolVenue(clearinghouse_, pool_, usdc_, weth_, underlying_) {}

    /// @inheritdoc IHedgeVenue
    function trade(
        int256 base,
        uint256 limitPrice,
        bytes calldata
    ) external onlyClearinghouse returns (int256 filledBase, int256 quoteFlow) {
        if (base == 0) revert VenueNothingToTrade(base);
        bool buy = base > 0;
        (uint256 filled, uint256 quote) = _swap(buy, _size(base, limitPrice), limitPrice, clearinghouse, "");
        _sweep(buy ? usdc : weth);
        (filledBase, quoteFlow) = _signed(buy, filled, quote);
        emit VenueTraded(filledBase, quoteFlow);
    }

    /// @inheritdoc IHedgeVenue
    /// @dev There is no position to close; stray tokens go home.
    function unwind() external onlyClearinghouse {
        _sweep(usdc);
        _sweep(weth);
        emit VenueUnwound(0, 0);
    }

    /// @inheritdoc IHedgeVenue
    function required(
        int256 base,
        uint256 limitPrice,
        bytes calldata
    ) external pure returns (uint256 usdcIn, uint256 baseIn) {
        if (base == 0) revert VenueNothingToTrade(base);
        uint256 size = _size(base, limitPrice);
        if (base > 0) usdcIn = _valueUp(size, limitPrice);
        else baseIn = size;
    }

    /// @inheritdoc IHedgeVenue
    function position() external pure returns (int256 base, int256 quote) {
        return (0, 0);
    }

    /// @inheritdoc IHedgeVenue
    function liquidation() external pure returns (uint256 threshold, uint256 penalty) {
        return (0, 0);
    }

    /// @inheritdoc IHedgeVenue
    function health() external pure returns (uint256) {
        return type(uint256).max;
    }

    function _payForBuy(uint256, uint256 cost, bytes calldata) internal override {
        usdc.safeTransfer(address(pool), cost);
    }

    function _payForSale(uint256 sold, bytes calldata) internal override {
        weth.safeTransfer(address(pool), sold);
    }
}
