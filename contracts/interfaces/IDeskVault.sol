// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

/// @title What depositors touch: asynchronous deposits and redemptions of USDC by epochs (ERC-7540, ERC-7575, ERC-165).
/// @notice Request ids are epoch numbers, from 1. A request waits for the end of its epoch; anyone may process the epoch
/// then; deposits execute at the ask NAV, redemptions at the bid NAV, as far as free cash allows, oldest id first
/// pro rata inside one id; claims are pulled.
interface IDeskVault {
    /// @param epochLength seconds.
    /// @param minDeposit USDC units.
    /// @param minRedeem shares (18 decimals).
    /// @param volUncertainty WAD of volatility: half-width of NAV per unit of |vega|.
    /// @param deltaUncertainty WAD share of
    /// spot: half-width of NAV per unit of |delta|.
    /// @param surfaceMaxAge seconds, for processing an epoch.
    struct VaultParameters {
        uint32 epochLength;
        uint32 surfaceMaxAge;
        uint64 minDeposit;
        uint128 minRedeem;
        uint64 volUncertainty;
        uint64 deltaUncertainty;
    }

    event EpochProcessed(
        uint256 indexed epoch,
        uint256 navBid,
        uint256 navAsk,
        uint256 depositedAssets,
        uint256 mintedShares,
        uint256 redeemedShares,
        uint256 redeemedAssets
    );
    event VaultParametersSet(VaultParameters parameters);

    error RequestBelowMinimum(uint256 amount, uint256 minimum);
    error NotOwnerOrOperator(address caller, address owner);
    error EpochNotOver(uint256 endsAt, uint256 nowAt);
    error OracleNotFresh(uint8 state);
    error SurfaceTooOld(uint256 age, uint256 maxAge);
    error ClaimTooLarge(uint256 asked, uint256 claimable);
    error PreviewUnsupported();
    error VaultParameterOutOfRange(string name, uint256 value, uint256 low, uint256 high);

    function requestDeposit(uint256 assets, address controller, address owner) external returns (uint256 requestId);

    function requestRedeem(uint256 shares, address controller, address owner) external returns (uint256 requestId);

    function pendingDepositRequest(uint256 requestId, address controller) external view returns (uint256 assets);

    function claimableDepositRequest(uint256 requestId, address controller) external view returns (uint256 assets);

    function pendingRedeemRequest(uint256 requestId, address controller) external view returns (uint256 shares);

    function claimableRedeemRequest(uint256 requestId, address controller) external view returns (uint256 shares);

    /// @notice Claims shares of executed deposits.
    /// @param assets USDC units of the executed request.
    function deposit(uint256 assets, address receiver, address controller) external returns (uint256 shares);

    function mint(uint256 shares, address receiver, address controller) external returns (uint256 assets);

    /// @notice Claims USDC of executed redemptions.
    function redeem(uint256 shares, address receiver, address controller) external returns (uint256 assets);

    function withdraw(uint256 assets, address receiver, address controller) external returns (uint256 shares);

    function maxDeposit(address controller) external view returns (uint256 assets);

    function maxMint(address controller) external view returns (uint256 shares);

    function maxRedeem(address controller) external view returns (uint256 shares);

    function maxWithdraw(address controller) external view returns (uint256 assets);

    function setOperator(address operator, bool approved) external returns (bool);

    function isOperator(address controller, address operator) external view returns (bool);

    /// @notice Ends the current epoch: mints, burns and moves cash. Anyone, once the epoch is over.
    function processEpoch() external;

    function asset() external view returns (address);

    function share() external view returns (address);

    function currentEpoch() external view returns (uint256);

    /// @return unix seconds from which `processEpoch` is open.
    function epochEndsAt() external view returns (uint256);

    /// @notice Live value of the vault's account for those who leave / who join, WAD USD.
    function navBid() external view returns (uint256);

    function navAsk() external view returns (uint256);

    /// @notice Mid NAV of the last processed epoch, USDC units; never reverts.
    function totalAssets() external view returns (uint256);

    function convertToShares(uint256 assets) external view returns (uint256);

    function convertToAssets(uint256 shares) external view returns (uint256);

    /// @notice Totals for I-02.
    /// @return pendingDeposits
    /// @return claimableAssets USDC units held here.
    function held() external view returns (uint256 pendingDeposits, uint256 claimableAssets);

    function parameters() external view returns (VaultParameters memory);

    /// @notice Governance only.
    function setParameters(VaultParameters calldata p) external;
}
