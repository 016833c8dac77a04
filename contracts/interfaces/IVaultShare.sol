// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {IERC7575Share} from "./external/IERC7575.sol";

/// @title The share of a DeskVault: ERC-20 with permit and votes, 18 decimals, minted and burned by its vault alone.
interface IVaultShare is IERC20, IERC7575Share {
    error OnlyVault(address caller);

    /// @notice Vault only: creates shares, in the vault's own balance, from where depositors claim them, or as a fee.
    function mint(address to, uint256 shares) external;

    /// @notice Vault only: destroys escrowed shares of the vault's own balance.
    function burn(uint256 shares) external;

    /// @notice Vault only: takes shares of `owner` into escrow.
    /// @param spender `owner` itself where the vault has found the caller entitled; any other spends its allowance.
    function escrow(address owner, address spender, uint256 shares) external;
}
