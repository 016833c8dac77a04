// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {IERC165} from "@openzeppelin/contracts/utils/introspection/IERC165.sol";
import {IWindDown} from "./IWindDown.sol";
import {IERC7540Deposit, IERC7540Operator, IERC7540Redeem} from "./external/IERC7540.sol";
import {IERC7575} from "./external/IERC7575.sol";
import {IERC7887Deposit, IERC7887Redeem} from "./external/IERC7887.sol";

/// @title What depositors touch: asynchronous deposits and redemptions of USDC by epochs (ERC-7540, ERC-7575, ERC-7887,
/// ERC-165).
/// @notice Request ids are epoch numbers, from 1. A request made before the end of the current epoch belongs to it, a
/// later one to the next, so nobody asks and executes at a price he already sees. Anyone may process an ended epoch in a
/// window after its end: deposits execute at the ask NAV, redemptions at the bid NAV as far as the epoch's deposits and
/// free cash allow, oldest id first, pro rata inside one id; what is left keeps its id and waits for later epochs. Claims
/// are pulled, oldest id first, and depend on no oracle, surface or parameter. A controller other than the owner must
/// have approved the caller as operator. The preview functions always revert, as ERC-7540 wants.
///
/// Cancelling is synchronous: what is pending becomes claimable as a cancelation at once, and is pulled like any claim;
/// what was filled stays filled. Only while the window of its epoch is open a request stands, because whoever could still
/// take it back would see the price first.
/// Warning: an operator can take the USDC allowance, the shares and the claims of whoever approved it.
/// Warning: at most 16 ids of one controller may be open or unclaimed at a time, in each direction.
/// Warning: a window in which nobody processes is an epoch missed; after enough of them anyone may wind the vault down.
interface IDeskVault is
    IERC7540Operator,
    IERC7540Deposit,
    IERC7540Redeem,
    IERC7887Deposit,
    IERC7887Redeem,
    IERC7575,
    IWindDown,
    IERC165
{
    /// @param epochLength seconds; a change counts from the next epoch on.
    /// @param epochWindow seconds after an end in which the epoch may be processed, and again after each further length.
    /// @param surfaceMaxAge seconds, for processing an epoch while the vault has open legs.
    /// @param missedToWindDown windows that must have passed unused before anyone may start the wind-down.
    /// @param minDeposit USDC units.
    /// @param minRedeem shares (18 decimals, whole millionths); a whole balance may be redeemed however small.
    /// @param volUncertainty WAD of volatility: half-width of NAV per unit of |vega|,
    /// @param volDrift what it grows by in each hour since the last commit of the surface, WAD of volatility.
    /// @param feedDeviation WAD share of spot: half-width per unit of |delta|.
    /// @param unwindCost WAD share of spot: half-width per unit of base held, here and at venues.
    /// @param managementFee WAD a year of the vault's value.
    /// @param performanceFee WAD share of what the share rose above its highest price.
    struct VaultParameters {
        uint32 epochLength;
        uint32 epochWindow;
        uint32 surfaceMaxAge;
        uint8 missedToWindDown;
        uint64 minDeposit;
        uint128 minRedeem;
        uint64 volUncertainty;
        uint64 volDrift;
        uint64 feedDeviation;
        uint64 unwindCost;
        uint64 managementFee;
        uint64 performanceFee;
    }

    /// @notice What the last processed epoch left.
    /// @param assets mid NAV with the epoch's flows, USDC units.
    /// @param processedAt unix seconds up to which fees have been taken.
    /// @param highWater WAD USD a share: the highest price that a performance fee has been measured against.
    struct Book {
        uint88 assets;
        uint40 processedAt;
        uint128 highWater;
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
    /// @notice Shares minted to the recipient before the epoch's prices were made.
    event FeesTaken(uint256 indexed epoch, address indexed recipient, uint256 management, uint256 performance);
    event VaultParametersSet(VaultParameters parameters);
    event FeeRecipientSet(address recipient);

    error AmountZero();
    error ZeroAddress();
    error RequestBelowMinimum(uint256 amount, uint256 minimum);
    error NotOwnerOrOperator(address caller, address owner);
    error ControllerNotApproved(address caller, address controller);
    error RequestExecuting(uint256 requestId, uint256 until);
    error NoCancelation(uint256 requestId, address controller);
    error TransferShort(uint256 expected, uint256 received);
    error EpochNotOver(uint256 endsAt, uint256 nowAt);
    error EpochWindowOver(uint256 opensAgainAt, uint256 nowAt);
    error MarkedInThisBlock(uint256 committedAt, uint256 tradedAt);
    error SurfaceTooOld(uint256 age, uint256 maxAge);
    error ExpiryNotProven(uint16 underlying, uint40 expiry);
    error PreviewUnsupported();
    error VaultParameterOutOfRange(string name, uint256 value, uint256 low, uint256 high);
    error ReentrancyGuardReentrantCall();

    /// @notice Ends the current epoch: takes fees, mints, burns and moves cash. Anyone, in a window, while the oracle is
    /// Fresh and, if the vault has open legs, the surface is young enough, legs that expired less than a day ago have a
    /// proven price, and neither a commit nor a trade with the vault has the time of this block. A NAV of zero fills
    /// nobody and the epoch ends all the same.
    function processEpoch() external;

    function currentEpoch() external view returns (uint256);

    /// @return unix seconds from which `processEpoch` is open and requests belong to the next epoch.
    function epochEndsAt() external view returns (uint256);

    /// @notice Windows of the current epoch that passed unused.
    function missedEpochs() external view returns (uint256);

    /// @notice What the last processed epoch left.
    function lastEpoch() external view returns (Book memory);

    /// @notice Live value of the vault's account for those who leave / who join, WAD USD: options on the worse / the better
    /// of the surface's two slices, less / plus `navWidth`.
    /// @dev Reverts where the oracle has no usable answer at all.
    function navBid() external view returns (uint256);

    function navAsk() external view returns (uint256);

    /// @notice Half of what bid and ask are apart beyond the slices: mark uncertainty, which grows with the surface's age,
    /// the feed's deviation on |delta|, and the cost of unwinding the hedge. WAD USD.
    function navWidth() external view returns (uint256);

    /// @notice Totals for I-02.
    /// @return pendingDeposits USDC units that wait for an epoch.
    /// @return claimableAssets USDC units of executed redemptions, cancelled deposits and the wind-down, rounding dust of
    /// the ids included.
    function held() external view returns (uint256 pendingDeposits, uint256 claimableAssets);

    function parameters() external view returns (VaultParameters memory);

    /// @return who gets the fee shares, zero while no fees are taken.
    function feeRecipient() external view returns (address);

    /// @notice Governance only.
    function setParameters(VaultParameters calldata p) external;

    /// @notice Names who gets the fees from the next epoch on; zero stops them. Governance only.
    function setFeeRecipient(address recipient) external;
}
