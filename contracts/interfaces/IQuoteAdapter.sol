// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

/// @title Where the hedge manager takes makers' option quotes for the vault.
interface IQuoteAdapter {
    /// @notice Takes a signed quote for the vault's account. Hedge manager only.
    /// @param data the quote, as the adapter encodes it.
    /// @return premium WAD USD that the vault pays, negative if it is paid.
    function take(bytes calldata data) external returns (int256 premium);
}
