// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

/// @title ERC-7575: an ERC-4626 vault whose share is a contract of its own.
/// @notice ERC-165 id 0x2f0a18c5.
interface IERC7575 {
    event Deposit(address indexed sender, address indexed owner, uint256 assets, uint256 shares);
    event Withdraw(
        address indexed sender,
        address indexed receiver,
        address indexed owner,
        uint256 assets,
        uint256 shares
    );

    function asset() external view returns (address);

    function share() external view returns (address);

    function convertToShares(uint256 assets) external view returns (uint256);

    function convertToAssets(uint256 shares) external view returns (uint256);

    function totalAssets() external view returns (uint256);

    function maxDeposit(address controller) external view returns (uint256 assets);

    function previewDeposit(uint256 assets) external view returns (uint256);

    function deposit(uint256 assets, address receiver) external returns (uint256 shares);

    function maxMint(address controller) external view returns (uint256 shares);

    function previewMint(uint256 shares) external view returns (uint256);

    function mint(uint256 shares, address receiver) external returns (uint256 assets);

    function maxWithdraw(address controller) external view returns (uint256 assets);

    function previewWithdraw(uint256 assets) external view returns (uint256);

    function withdraw(uint256 assets, address receiver, address controller) external returns (uint256 shares);

    function maxRedeem(address controller) external view returns (uint256 shares);

    function previewRedeem(uint256 shares) external view returns (uint256);

    function redeem(uint256 shares, address receiver, address controller) external returns (uint256 assets);
}

/// @notice The share's side of ERC-7575. ERC-165 id 0xf815c03d.
interface IERC7575Share {
    event VaultUpdate(address indexed asset, address vault);

    /// @return the vault that takes `asset` for this share, zero if none does.
    function vault(address asset) external view returns (address);
}
