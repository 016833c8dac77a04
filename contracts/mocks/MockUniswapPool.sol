// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {IUniswapV3PoolView} from "../interfaces/external/IUniswapV3PoolView.sol";

/// @notice What MarketOracle reads of a pool, set by hand: its price now, and the change of its tick cumulative.
contract MockUniswapPool is IUniswapV3PoolView {
    address public token0;
    address public token1;
    uint160 private _sqrtPriceX96;
    int56 private _start;
    int56 private _change;
    bool private _broken;

    error PoolHistoryTooShort();

    constructor(address token0_, address token1_) {
        token0 = token0_;
        token1 = token1_;
    }

    function setPrice(uint160 sqrtPriceX96) external {
        _sqrtPriceX96 = sqrtPriceX96;
    }

    /// @param start cumulative at the window's start;
    /// @param change sum of tick x seconds over the window.
    function setCumulative(int56 start, int56 change) external {
        (_start, _change) = (start, change);
    }

    function setBroken(bool broken) external {
        _broken = broken;
    }

    function slot0() external view returns (uint160, int24, uint16, uint16, uint16, uint8, bool) {
        return (_sqrtPriceX96, 0, 0, 1, 1, 0, true);
    }

    function observe(uint32[] calldata ago) external view returns (int56[] memory ticks, uint160[] memory seconds_) {
        if (_broken) revert PoolHistoryTooShort();
        ticks = new int56[](ago.length);
        seconds_ = new uint160[](ago.length);
        ticks[0] = _start;
        ticks[ago.length - 1] = _start + _change;
    }
}
