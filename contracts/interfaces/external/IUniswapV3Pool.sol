// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {IUniswapV3PoolView} from "./IUniswapV3PoolView.sol";

/// @notice The part of a Uniswap v3 pool that the venues use: what the oracle reads, the fee and the swap.
interface IUniswapV3Pool is IUniswapV3PoolView {
    /// @return hundredths of a basis point.
    function fee() external view returns (uint24);

    /// @param amountSpecified exact input if positive, exact output if negative.
    /// @param sqrtPriceLimitX96 the swap stops, partly filled, when the pool's price reaches it.
    /// @return amount0
    /// @return amount1 change of the pool's balances: positive is owed to the pool, in its callback.
    function swap(
        address recipient,
        bool zeroForOne,
        int256 amountSpecified,
        uint160 sqrtPriceLimitX96,
        bytes calldata data
    ) external returns (int256 amount0, int256 amount1);
}

/// @notice What a pool calls on the contract that called `swap`, after it has paid out and before it checks its own
/// balance.
interface IUniswapV3SwapCallback {
    function uniswapV3SwapCallback(int256 amount0Delta, int256 amount1Delta, bytes calldata data) external;
}
