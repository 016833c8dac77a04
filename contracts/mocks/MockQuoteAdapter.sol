// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {IClearinghouse, Trade} from "../interfaces/IClearinghouse.sol";
import {IQuoteAdapter} from "../interfaces/IQuoteAdapter.sol";
import {Leg} from "../libraries/SeriesId.sol";

/// @notice Takes any quote that it is shown, unsigned and at any price: what is left to stop a bad one is the hedge
/// manager.
contract MockQuoteAdapter is IQuoteAdapter {
    IClearinghouse public immutable clearinghouse;

    constructor(IClearinghouse clearinghouse_) {
        clearinghouse = clearinghouse_;
    }

    function take(bytes calldata data) external returns (int256 premium) {
        address maker;
        Leg[] memory legs;
        (maker, premium, legs) = abi.decode(data, (address, int256, Leg[]));
        Trade[] memory trades = new Trade[](1);
        trades[0] = Trade(maker, clearinghouse.vault(), premium, legs);
        if (legs.length != 0) clearinghouse.trade(trades);
    }
}
