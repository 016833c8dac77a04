// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {IUniswapV3PoolView} from "../interfaces/external/IUniswapV3PoolView.sol";

/// @notice What MarketOracle reads of a pool, set by hand: its price now, and the change of its tick cumulative, whatever
/// the window; or a tick that changed once, and observations that reach back to a moment.
contract MockUniswapPool is IUniswapV3PoolView {
    address public token0;
    address public token1;
    uint160 private _sqrtPriceX96;
    int56 private _start;
    int56 private _change;
    bool private _broken;
    uint256 private _oldest;
    uint256 private _turnedAt;
    int56 private _tickBefore;
    int56 private _tickAfter;

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

    /// @notice From now on the cumulative follows a tick that was `before` until `turnedAt` and then `after_`.
    function setTicks(uint256 oldest, uint256 turnedAt, int24 before, int24 after_) external {
        (_oldest, _turnedAt, _tickBefore, _tickAfter) = (oldest, turnedAt, before, after_);
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
        if (_oldest != 0) {
            for (uint256 i = 0; i < ago.length; ++i) ticks[i] = _cumulativeAt(block.timestamp - ago[i]);
            return (ticks, seconds_);
        }
        ticks[0] = _start;
        ticks[ago.length - 1] = _start + _change;
    }

    function _cumulativeAt(uint256 moment) private view returns (int56) {
        if (moment < _oldest) revert PoolHistoryTooShort();
        uint256 turned = moment < _turnedAt ? moment : _turnedAt;
        return int56(uint56(turned - _oldest)) * _tickBefore + int56(uint56(moment - turned)) * _tickAfter;
    }
}
