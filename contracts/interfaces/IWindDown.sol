// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

/// @title The end of a vault whose epochs nobody could process: its money goes back to its holders, a share like the next.
/// @notice From the start on no epoch is processed, no share minted or burned, nothing requested; the desk opens no risk
/// (`windingDown`). Requests that wait are cancelled by their controllers, executed ones are claimed as ever. What is free
/// above the initial margin of the legs that are left is withdrawn by anyone, as it frees, and counted by an index per
/// share; when the last leg is gone the WETH that is left is paid out likewise, in kind, which needs no price and no
/// market. A holder surrenders shares for good and collects what the index says, past and future, whenever he likes:
/// nobody gains by being first. What belongs to shares that are never surrendered stays.
/// Hedging goes on while legs live, so that nobody can lay the book bare; venues come home after the last expiry.
interface IWindDown {
    event WindDownStarted(address indexed by, uint256 missed);
    event Distributed(uint256 assets, uint256 base);
    event Surrendered(address indexed owner, uint256 shares);
    event Collected(address indexed owner, address indexed receiver, uint256 assets, uint256 base);

    error WindingDown();
    error NotWindingDown();
    error EpochsNotMissed(uint256 missed, uint256 needed);
    error NothingFree();
    error NothingToCollect(address owner);
    error LegStillLive(uint40 expiry, uint256 nowAt);

    /// @notice Starts it, for good. Anyone, once the governed number of epochs has been missed.
    function windDown() external;

    /// @notice Takes what is free out of the vault's account and raises the index. Anyone.
    function distribute() external;

    /// @notice Brings a venue home once every leg has expired. Anyone.
    function unwindVenue(address venue) external;

    /// @notice Gives shares up for their part. Owner or operator.
    function surrender(uint256 shares, address owner) external;

    /// @notice Pays what the owner's surrendered shares have earned and not yet got. Owner or operator.
    /// @return assets USDC units.
    /// @return base WETH in wei.
    function collect(address receiver, address owner) external returns (uint256 assets, uint256 base);

    function windingDown() external view returns (bool);

    /// @return shares surrendered.
    /// @return assets USDC units that `collect` would pay now.
    /// @return base WETH in wei, likewise.
    function surrendered(address owner) external view returns (uint256 shares, uint256 assets, uint256 base);
}
