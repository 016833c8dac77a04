// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";

/// @title Limits of a price in USD per ETH, as the square-root price at which a Uniswap v3 pool of WETH and USDC stops.
library SqrtPrice {
    /// @dev A pool refuses limits outside the open interval between its first and last tick.
    uint160 internal constant LOWEST = 4295128740;
    uint160 internal constant HIGHEST = 1461446703485210103287273052203988822378723970341;
    /// @dev WAD USD per ETH over raw USDC units per wei: 18 decimals of the price, 18 - 6 of the tokens.
    uint256 private constant PRICE_SCALE = 1e30;
    uint256 private constant Q192 = 1 << 192;
    uint256 private constant PIPS = 1e6;
    uint256 private constant NEGLIGIBLE = 1e11;

    /// @notice The pool price at which the next wei traded would cost, fee included, just the limit; rounded so that
    /// the limit is kept.
    /// @param limitPrice USD per ETH in WAD, at most 1e30.
    /// @param fee hundredths of a basis point.
    /// @return square root of token1 per token0 in Q96, clamped to what a pool accepts.
    function limit(bool buy, bool baseIsToken0, uint256 limitPrice, uint256 fee) internal pure returns (uint160) {
        uint256 price = buy
            ? (limitPrice * (PIPS - fee)) / PIPS
            : Math.mulDiv(limitPrice, PIPS, PIPS - fee, Math.Rounding.Ceil);
        // Below 1e-7 USD the ratio leaves 256 bits; no pool trades there, and averages are checked after the fill.
        if (!baseIsToken0 && price < NEGLIGIBLE) return HIGHEST;
        return buy == baseIsToken0 ? _down(price, baseIsToken0) : _up(price, baseIsToken0);
    }

    /// @dev Buying WETH lifts the pool price where WETH is token0 and lowers it where it is token1.
    function _down(uint256 price, bool baseIsToken0) private pure returns (uint160) {
        return _clamp(Math.sqrt(_ratio(price, baseIsToken0, Math.Rounding.Floor)));
    }

    function _up(uint256 price, bool baseIsToken0) private pure returns (uint160) {
        return _clamp(Math.sqrt(_ratio(price, baseIsToken0, Math.Rounding.Ceil), Math.Rounding.Ceil));
    }

    function _ratio(uint256 price, bool baseIsToken0, Math.Rounding rounding) private pure returns (uint256) {
        if (baseIsToken0) return Math.mulDiv(price, Q192, PRICE_SCALE, rounding);
        return Math.mulDiv(PRICE_SCALE, Q192, price, rounding);
    }

    function _clamp(uint256 root) private pure returns (uint160) {
        if (root < LOWEST) return LOWEST;
        return root > HIGHEST ? HIGHEST : uint160(root);
    }
}
