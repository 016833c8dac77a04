// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {Slice} from "./IRiskEngine.sol";

/// @title Dutch auction of accounts below maintenance margin.
/// @notice What is sold is the lot: every live leg and all WETH of an account, in slices. Legs that have expired stay
/// where they are, for settlement; cash is what the price is paid in.
///
/// Terms, all WAD USD: E equity, I initial margin, M mark of the lot, C net cash, K what is kept (expired legs, dust in
/// the vault's venues), E = M + C + K. The price of the whole lot falls from M to M - E over `fallTime`: at the end the
/// whole equity goes with the lot. It never falls below -C, what the account can pay. Over `insuranceTime` after that
/// the insurance fund adds a growing subsidy, up to the account's own hole and `insuranceShare` of I: what it can lose
/// grows with the risk that is taken off, so that a small account drains nothing. An account under water starts at M - E,
/// where its buyer takes over exactly what it has. What nobody buys settles, and shows in the payout factor.
///
/// The smallest share f that restores initial margin, for price P of the lot, D = M - P and a bounty B(f):
/// after the sale the account has E - f D - B(f). Scenario losses of a book that keeps 1 - f of its lot are at most
/// (1 - f) I + f J, with J the margin of what is kept by itself, because they add up scenario by scenario and margin
/// is the largest of them (equality where nothing is kept, or what is kept is certain). So
///   E - f D - B(f) >= (1 - f) I + f J   <=>   f (I - J - D) - B(f) >= I - E.
/// With B(f) = min(b, s f I) the left side is convex in f and 0 at f = 0, and the least solution is
///   f = min[ (I - E + b) / (I - J - D), (I - E) / (I - J - D - s I) ], or all of it where that is above one.
/// Each fill lowers what the account lacks, bounty paid, if I - J - D > s I. Without kept legs that is so at any price:
/// D <= E < I. With them it may not be (the lot hedges an expired leg that has no price yet); then nothing is sold.
///
/// Marks come at each bid from both slices of the volatility surface, spot from the feed alone: E is the larger of the
/// two, an account is below a margin only if it is below on both, and f is the smaller of the two. Who bends the surface
/// therefore waits until its reference has bent too, and a moved pool price moves nothing.
///
/// At or above maintenance on either slice nothing is sold and anyone may end the auction; so does a fill that gets it
/// there, though it be less than what restores initial margin.
/// Warning: an auction whose account recovers unseen runs on, clock and all. Its owner should end it.
///
/// The vault's account passes a stage first: `start` records the time, `unwind` brings its venues home, and only `open`,
/// after `vaultDelay` below maintenance as far as anybody saw, begins the fall. In the stage it cannot add risk: the
/// Clearinghouse lets an account below initial margin only reduce what it lacks.
interface ILiquidationAuction {
    enum Phase {
        None,
        Stage,
        Running
    }

    enum Ending {
        Healthy,
        Restored,
        SoldOut,
        Lapsed
    }

    /// @param fallTime seconds in which the price falls from mark by the whole equity.
    /// @param insuranceTime seconds after that in which the subsidy grows to its most.
    /// @param lapse seconds after both until the auction has to be started anew.
    /// @param vaultDelay seconds of the vault's stage; it lapses after twice as long.
    /// @param unwindDelay seconds of the stage before venues may be unwound.
    /// @param minShare WAD, least share of the lot in a fill, unless less restores the account.
    /// @param bounty WAD USD for whoever started, over all fills.
    /// @param bountyShare WAD share of the sold slice's initial margin to which the bounty is held.
    /// @param insuranceShare WAD share of initial margin that insurance adds at most beyond what the account lacks.
    /// @param dust WAD USD that may be left in the vault's venues, and of kept value that does not keep insurance away.
    struct AuctionParameters {
        uint32 fallTime;
        uint32 insuranceTime;
        uint32 lapse;
        uint32 vaultDelay;
        uint32 unwindDelay;
        uint64 minShare;
        uint96 bounty;
        uint64 bountyShare;
        uint64 insuranceShare;
        uint96 dust;
    }

    /// @param since unix seconds when the phase began.
    /// @param starter who gets the bounty.
    /// @param bountyLeft WAD USD.
    struct Auction {
        Phase phase;
        uint40 since;
        address starter;
        uint96 bountyLeft;
    }

    /// @param equity larger of the two slices' equities, WAD USD.
    /// @param price of the whole lot that the account gets, negative if it pays, WAD USD.
    /// @param subsidy that insurance pays to the buyer of the whole lot, WAD USD; his price is price - subsidy.
    /// @param share WAD, the smallest that restores initial margin, 0 where a sale would not help.
    /// @param slice the one by which it does.
    /// @param healthy at or above maintenance on either slice: there is nothing to sell.
    /// @param lot hash of the legs, see `lotOf`.
    struct Quote {
        int256 equity;
        int256 price;
        uint256 subsidy;
        uint256 share;
        Slice slice;
        bool healthy;
        bytes32 lot;
    }

    event StageStarted(address indexed account, address indexed starter);
    event AuctionStarted(address indexed account, address indexed starter, uint256 bounty);
    event AuctionEnded(address indexed account, Ending ending);
    /// @param price WAD USD paid by the bidder, negative if he was paid, insurance included.
    event SliceBought(
        address indexed account,
        address indexed bidder,
        uint256 share,
        int256 price,
        uint256 fromInsurance,
        uint256 bounty
    );
    event AuctionParametersSet(AuctionParameters parameters);

    error ZeroAddress();
    error NothingToSell(address account);
    error AlreadyStarted(address account, Phase phase, uint256 since);
    error NotRunning(address account);
    error NotStaged(address account);
    error NotYet(uint256 from, uint256 nowAt);
    error AboveMaintenance(address account, int256 equity, uint256 maintenance);
    error BelowMaintenance(address account, int256 equity, uint256 maintenance);
    error SaleWouldNotHelp(address account);
    error DeadlinePassed(uint256 deadline, uint256 nowAt);
    error ShareOutOfRange(uint256 share);
    error ShareTooSmall(uint256 share, uint256 least);
    error PriceAboveLimit(int256 price, int256 limit);
    error LotChanged(bytes32 expected, bytes32 actual);
    error SelfBid(address account);
    error VaultCannotBid(address vault);
    error VenuesNotEmpty(uint256 held, uint256 limit);
    error AuctionParameterOutOfRange(string name, uint256 value, uint256 low, uint256 high);

    /// @notice Starts the auction of an account that is below maintenance on both slices, while the oracle allows
    /// liquidations in each of its underlyings; for the vault its stage. An account without live legs has nothing to
    /// sell: its WETH is sold by `cure` of the Clearinghouse, its expired legs settle.
    function start(address account) external;

    /// @notice Ends the vault's stage and begins its auction: not before `vaultDelay`, and only if it is below maintenance
    /// on both slices, before its venues are brought home and after.
    function open() external;

    /// @notice Brings one venue of the vault home while its stage, from `unwindDelay` on, or its auction runs and it is
    /// below maintenance on both slices.
    function unwind(address venue) external;

    /// @notice Ends an auction or the vault's stage: at or above maintenance on either slice, where no live leg is left,
    /// or once it has lapsed.
    function cancel(address account) external;

    /// @notice Buys a slice for the caller's account, which keeps initial margin. Sold is the smallest share that restores
    /// the account, and no more than `maxShare`. Ends the auction instead, and buys nothing, if the account is healthy.
    /// @param maxShare WAD share of the lot.
    /// @param maxLotPrice WAD USD for the whole lot, insurance taken off; negative to demand payment.
    /// @param lot `lotOf(account)` as the bidder saw it, or zero to take any.
    /// Warning: with zero the legs may change before the bid, and `maxLotPrice` is for whatever the lot is then.
    /// @param deadline unix seconds.
    /// @return share WAD, 0 if the auction ended.
    /// @return price WAD USD paid, negative if received.
    function bid(
        address account,
        uint256 maxShare,
        int256 maxLotPrice,
        bytes32 lot,
        uint256 deadline
    ) external returns (uint256 share, int256 price);

    /// @notice Governance only; every field has a hard range.
    function setParameters(AuctionParameters calldata p) external;

    function parameters() external view returns (AuctionParameters memory);

    /// @return as stored: one that has lapsed stays until it is cancelled or started anew.
    function auctionOf(address account) external view returns (Auction memory);

    /// @notice What a bid would meet now. Reverts by name where no auction runs.
    function quote(address account) external view returns (Quote memory);

    /// @notice Hash of an account's legs, series and sizes, in their order.
    function lotOf(address account) external view returns (bytes32);
}
