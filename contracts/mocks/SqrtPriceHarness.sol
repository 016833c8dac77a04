// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {SqrtPrice} from "../venues/SqrtPrice.sol";

/// @title Lets tests call the library.
contract SqrtPriceHarness {
    function limit(bool buy, bool baseIsToken0, uint256 limitPrice, uint256 fee) external pure returns (uint160) {
        return SqrtPrice.limit(buy, baseIsToken0, limitPrice, fee);
    }
}
