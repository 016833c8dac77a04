// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {ERC6909TokenSupply} from "@openzeppelin/contracts/token/ERC6909/extensions/draft-ERC6909TokenSupply.sol";
import {IClearinghouse} from "./interfaces/IClearinghouse.sol";
import {IOptionToken} from "./interfaces/IOptionToken.sol";
import {SeriesId} from "./libraries/SeriesId.sol";

/// @title Fully paid long options as ERC-6909 tokens. Documented in IOptionToken.
/// @dev Nothing is called but the Clearinghouse, which has a reentrancy guard and calls views alone in these hooks.
contract OptionToken is IOptionToken, ERC6909TokenSupply {
    IClearinghouse public immutable clearinghouse;

    constructor(IClearinghouse clearinghouse_) {
        clearinghouse = clearinghouse_;
    }

    /// @inheritdoc IOptionToken
    function wrap(SeriesId series, uint256 amount) external {
        if (amount == 0) revert AmountZero();
        _mint(msg.sender, SeriesId.unwrap(series), amount);
        emit Wrapped(msg.sender, series, amount);
        clearinghouse.wrap(msg.sender, series, amount);
    }

    /// @inheritdoc IOptionToken
    function unwrap(SeriesId series, uint256 amount) external {
        if (amount == 0) revert AmountZero();
        _burn(msg.sender, SeriesId.unwrap(series), amount);
        emit Unwrapped(msg.sender, series, amount);
        clearinghouse.unwrap(msg.sender, series, amount);
    }

    /// @inheritdoc IOptionToken
    function redeem(SeriesId series, uint256 amount) external returns (uint256 gain) {
        if (amount == 0) revert AmountZero();
        _burn(msg.sender, SeriesId.unwrap(series), amount);
        gain = clearinghouse.payWrapped(msg.sender, series, amount);
        emit Redeemed(msg.sender, series, amount, gain);
    }

    /// @inheritdoc IOptionToken
    function decimals(uint256) external pure returns (uint8) {
        return 18;
    }
}
