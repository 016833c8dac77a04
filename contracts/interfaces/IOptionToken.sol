// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {IERC6909TokenSupply} from "@openzeppelin/contracts/interfaces/draft-IERC6909.sol";
import {SeriesId} from "../libraries/SeriesId.sol";

/// @title Fully paid long options as ERC-6909 tokens: id = SeriesId, 1e18 units = one contract.
/// @notice I-01: until its settlement the legs of a series and the supply of its id sum to zero. I-12: after it every
/// unit is paid by the same factor, whenever it is redeemed.
/// Warning: a token owes nothing and is margined nowhere; while it is out of the account it supports no short leg.
interface IOptionToken is IERC6909TokenSupply {
    event Wrapped(address indexed holder, SeriesId indexed series, uint256 amount);
    event Unwrapped(address indexed holder, SeriesId indexed series, uint256 amount);
    event Redeemed(address indexed holder, SeriesId indexed series, uint256 amount, uint256 gain);

    error AmountZero();

    /// @notice Turns long contracts of the caller's account into tokens of the caller. The account keeps its initial
    /// margin without them, and the oracle must allow a withdrawal.
    /// @param amount WAD contracts.
    function wrap(SeriesId series, uint256 amount) external;

    /// @notice Turns tokens of the caller back into contracts of the caller's own account; nobody puts legs into the
    /// account of another. Not after the expiry.
    /// @param amount WAD contracts.
    function unwrap(SeriesId series, uint256 amount) external;

    /// @notice Burns tokens of an expiry whose payout factor is fixed and credits the caller's account, from which he
    /// withdraws. Worthless tokens burn for nothing.
    /// @param amount WAD contracts.
    /// @return gain WAD USD, rounded down.
    function redeem(SeriesId series, uint256 amount) external returns (uint256 gain);

    /// @notice Decimals of every id.
    function decimals(uint256 id) external pure returns (uint8);
}
