// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {IERC165} from "@openzeppelin/contracts/utils/introspection/IERC165.sol";
import {IERC7540Deposit, IERC7540Operator, IERC7540Redeem} from "./external/IERC7540.sol";
import {IERC7575} from "./external/IERC7575.sol";

/// @title What depositors touch: asynchronous deposits and redemptions of USDC by epochs (ERC-7540, ERC-7575, ERC-165).
/// @notice Request ids are epoch numbers, from 1. A request made before the end of the current epoch belongs to it, a
/// later one to the next, so nobody asks and executes at a price he already sees. Anyone may process an ended epoch:
/// deposits execute at the ask NAV, redemptions at the bid NAV as far as free cash allows, oldest id first, pro rata
/// inside one id; what is left keeps its id and waits for later epochs. Claims are pulled, oldest id first, and depend
/// on no oracle, surface or parameter. A controller other than the owner must have approved the caller as operator.
/// The preview functions always revert, as ERC-7540 wants.
/// Warning: an operator can take the USDC allowance, the shares and the claims of whoever approved it.
/// Warning: at most 16 ids of one controller may be open or unclaimed at a time, in each direction.
interface IDeskVault is IERC7540Operator, IERC7540Deposit, IERC7540Redeem, IERC7575, IERC165 {
    /// @param epochLength seconds; a change counts from the next epoch on.
    /// @param surfaceMaxAge seconds, for processing an epoch while the vault has open legs.
    /// @param minDeposit USDC units.
    /// @param minRedeem shares (18 decimals); a whole balance may be redeemed however small.
    /// @param volUncertainty WAD of volatility: half-width of NAV per unit of |vega|.
    /// @param deltaUncertainty WAD share of spot: half-width of NAV per unit of |delta|.
    struct VaultParameters {
        uint32 epochLength;
        uint32 surfaceMaxAge;
        uint64 minDeposit;
        uint128 minRedeem;
        uint64 volUncertainty;
        uint64 deltaUncertainty;
    }

    /// @param navBid WAD USD before the epoch's own flows.
    /// @param navAsk WAD USD, likewise.
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

    error AmountZero();
    error ZeroAddress();
    error RequestBelowMinimum(uint256 amount, uint256 minimum);
    error NotOwnerOrOperator(address caller, address owner);
    error ControllerNotApproved(address caller, address controller);
    error TransferShort(uint256 expected, uint256 received);
    error EpochNotOver(uint256 endsAt, uint256 nowAt);
    error OracleNotFresh(uint8 state);
    error SurfaceTooOld(uint256 age, uint256 maxAge);
    error ExpiryNotProven(uint16 underlying, uint40 expiry);
    error PreviewUnsupported();
    error VaultParameterOutOfRange(string name, uint256 value, uint256 low, uint256 high);

    /// @notice Ends the current epoch: mints, burns and moves cash. Anyone, once the epoch is over, while the oracle is
    /// Fresh and, if the vault has open legs, the surface is young enough and legs that expired less than a day ago have a
    /// proven price. A NAV of zero fills nobody and the epoch ends all the same.
    function processEpoch() external;

    function currentEpoch() external view returns (uint256);

    /// @return unix seconds from which `processEpoch` is open and requests belong to the next epoch.
    function epochEndsAt() external view returns (uint256);

    /// @notice Live value of the vault's account for those who leave / who join, WAD USD.
    /// @dev Reverts where the oracle has no usable answer at all.
    function navBid() external view returns (uint256);

    function navAsk() external view returns (uint256);

    /// @notice Totals for I-02.
    /// @return pendingDeposits USDC units that wait for an epoch.
    /// @return claimableAssets USDC units of executed redemptions, rounding dust of the ids included.
    function held() external view returns (uint256 pendingDeposits, uint256 claimableAssets);

    function parameters() external view returns (VaultParameters memory);

    /// @notice Governance only.
    function setParameters(VaultParameters calldata p) external;
}
