// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {Leg, SeriesId} from "../libraries/SeriesId.sol";
import {IRiskEngine, Portfolio, Slice} from "./IRiskEngine.sol";

/// @notice Legs that move from `maker` to `taker` against a premium.
/// @param legs sizes from the taker's side.
/// @param premium WAD USD paid by the taker, negative if received.
struct Trade {
    address maker;
    address taker;
    int256 premium;
    Leg[] legs;
}

/// @notice What a registered contract may do with the accounts of others: nothing, trade (desk, quote adapter), sell
/// slices of accounts (liquidation auction), or hold legs outside of accounts (option token).
enum Market {
    None,
    Desk,
    Auction,
    Token
}

/// @title Margin accounts: USDC cash, WETH collateral and signed option legs, one account per address.
/// @notice The legs of a series and its wrapped supply sum to zero until its settlement. Tokens count only when recorded
/// as received. Every account, the vault's included, has the same margin rule. An account is touched by its owner, by
/// registered markets, and by settlement, which anyone may run.
/// Warning: USDC must neither take a fee on transfer nor rebase; a blocked USDC transfer blocks its own caller only.
interface IClearinghouse {
    /// @param openShort WAD contracts short in accounts that have not converted.
    /// @param owed WAD USD lost by converted
    /// losers, which the winners gain.
    /// @param shortfall WAD USD of `owed` that nobody could pay.
    /// @param payoutFactor WAD, 0 until fixed, 1 where nothing is paid.
    struct Settlement {
        uint128 openShort;
        uint128 owed;
        uint128 shortfall;
        uint128 payoutFactor;
    }

    /// @param cap total negative cash that no WETH covers, WAD USD.
    /// @param rate interest on negative cash, WAD a year, paid to insurance.
    /// @param cureDiscount WAD discount on WETH at which a debt can be cured once `cureRamp` has passed.
    /// @param cureRamp seconds over which the discount grows from zero since the account began to owe.
    struct DebtParameters {
        uint96 cap;
        uint64 rate;
        uint64 cureDiscount;
        uint32 cureRamp;
    }

    event CashDeposited(address indexed account, uint256 usdc);
    event CashWithdrawn(address indexed account, address indexed to, uint256 usdc);
    event BaseDeposited(address indexed account, uint256 amount);
    event BaseWithdrawn(address indexed account, address indexed to, uint256 amount);
    event LegMoved(address indexed account, SeriesId indexed series, int128 change, int128 size);
    event PremiumPaid(address indexed from, address indexed to, int256 amount);
    event VenueTradeSettled(address indexed venue, int256 cashFlow, int256 baseFlow);
    event LossConverted(uint16 indexed underlying, uint40 indexed expiry, address indexed account, uint256 loss);
    event ShortfallAdded(uint16 indexed underlying, uint40 indexed expiry, address indexed account, uint256 amount);
    event PayoutFactorFixed(uint16 indexed underlying, uint40 indexed expiry, uint256 factor, uint256 insuranceUsed);
    event GainPaid(uint16 indexed underlying, uint40 indexed expiry, address indexed account, uint256 gain);
    event DebtCured(address indexed account, address indexed by, uint256 baseOut, uint256 usdcIn);
    event InsuranceFunded(address indexed from, uint256 usdc);
    event InterestAccrued(address indexed account, uint256 interest);
    event Recovered(address indexed account, uint256 amount);
    event LegWrapped(address indexed account, SeriesId indexed series, uint256 amount);
    event LegUnwrapped(address indexed account, SeriesId indexed series, uint256 amount);
    event TokenPaid(address indexed account, SeriesId indexed series, uint256 amount, uint256 gain);
    event SliceSold(address indexed from, address indexed to, uint256 share, int256 price, uint256 fromInsurance);
    event BountyPaid(address indexed keeper, uint256 amount);
    event MarketSet(address indexed market, Market kind);
    event VaultSet(address vault, address hedgeManager);
    event VenueSet(address indexed venue, bool active);

    event VenueAbandoned(address indexed venue);
    event DebtParametersSet(DebtParameters parameters);

    error AmountZero();
    error ZeroAddress();
    error OnlyMarket(address caller, Market needed);
    error OnlyHedgeManager(address caller);
    error VenueUnknown(address venue);
    error VenueOfOtherUnderlying(address venue, uint16 underlying);
    error VenueNotEmpty(address venue, int256 base, int256 quote);
    error TooManyVenues(uint256 count);
    error SelfTrade(address account);
    error SizeZero(SeriesId series);
    error TooManyLegs(address account, uint256 count);
    error SeriesExpired(SeriesId series, uint256 nowAt);
    error AmountTooLarge(uint256 amount);
    error CashShort(address account, int256 cash, uint256 needed);
    error BaseShort(address account, uint256 base, uint256 needed);
    error BelowInitialMargin(address account, int256 equity, uint256 initial);
    error LegShort(address account, SeriesId series, int256 size, uint256 needed);
    error TradesEmpty();
    error ShareOutOfRange(uint256 share);
    error InsuranceShort(uint256 insurance, uint256 needed);
    error VaultFixed(address vault);
    error RecipientIsClearinghouse();
    error ReentrancyGuardReentrantCall();
    error TransferShort(uint256 expected, uint256 received);
    error NotProven(uint16 underlying, uint40 expiry);
    error NotAllConverted(uint16 underlying, uint40 expiry, uint256 openShort);
    error AlreadyFinal(uint16 underlying, uint40 expiry);
    error NotFinal(uint16 underlying, uint40 expiry);
    error NoDebt(address account, int256 cash);
    error CureTooLarge(uint256 usdcIn, uint256 debt);
    error ParameterOutOfRange(string name, uint256 value, uint256 low, uint256 high);

    // ------------------------------------------------------------------ owners

    /// @notice Adds USDC of the caller to the caller's account.
    /// @param usdc token units.
    function depositCash(uint256 usdc) external;

    /// @notice Takes free USDC out; keeps initial margin; cash never goes below zero by it.
    function withdrawCash(uint256 usdc, address to) external;

    /// @notice Takes out as much free USDC as there is, at most `most`: `freeCashOf` and `withdrawCash` for one margin.
    /// @param most token units.
    /// @return usdc token units, zero where nothing is free.
    function withdrawFreeCash(uint256 most, address to) external returns (uint256 usdc);

    function depositBase(uint256 amount) external;

    function withdrawBase(uint256 amount, address to) external;

    // ------------------------------------------------------------------ markets

    /// @notice Trades between accounts, in order; cash may go below zero in none of them. Margin is checked once per
    /// account at the end: initial margin is met, or what the account lacks has become less, so that a book under water
    /// can always be reduced (I-03, I-07). Desks only.
    /// @return equity WAD USD of the vault after them,
    /// @return initial its margin; both 0 where it is no party.
    function trade(Trade[] calldata trades) external returns (int256 equity, uint256 initial);

    /// @notice Takes long contracts out of an account, which must keep its initial margin without them. Option token only.
    function wrap(address account, SeriesId series, uint256 amount) external;

    /// @notice Puts long contracts into an account. Option token only, for the token's holder.
    function unwrap(address account, SeriesId series, uint256 amount) external;

    /// @notice Credits an account with what wrapped contracts pay after settlement, rounded down. Option token only.
    function payWrapped(address account, SeriesId series, uint256 amount) external returns (uint256 gain);

    /// @notice Moves a share of every live leg and of the WETH of one account to another, which keeps initial margin.
    /// Legs round towards zero, so that both sides move alike. Auction only.
    /// @param share WAD, at most one.
    /// @param price WAD USD that the buyer pays, negative if he is paid.
    /// @param fromInsurance WAD USD that the insurance fund adds. The seller gets price + fromInsurance - bounty; where
    /// that is negative its cash stays at zero or above.
    /// @param keeper who gets the bounty, WAD USD.
    function sellSlice(
        address from,
        address to,
        uint256 share,
        int256 price,
        uint256 fromInsurance,
        address keeper,
        uint256 bounty
    ) external;

    /// @notice Sends what the venue requires from the vault's account, trades there, and credits what came back, as
    /// measured in tokens. Hedge manager only.
    /// @return filledBase
    /// @return quoteFlow as the venue reports them.
    function tradeOnVenue(
        address venue,
        int256 base,
        uint256 limitPrice,
        bytes calldata data
    ) external returns (int256 filledBase, int256 quoteFlow);

    // ------------------------------------------------------------------ settlement, by anyone

    /// @notice First phase: accounts with short legs of a proven expiry. Net losers pay; net winners are counted
    /// keep their legs for `claim`. Accounts without such legs, or counted before, are skipped.
    function convert(uint16 underlying, uint40 expiry, address[] calldata accounts) external;

    /// @notice Second phase: once no short is left unconverted, insurance covers what it can and the factor is fixed.
    function finalise(uint16 underlying, uint40 expiry) external returns (uint256 factor);

    /// @notice Third phase: turns the legs of net winners (and worthless longs) into cash at the payout factor.
    function claim(uint16 underlying, uint40 expiry, address[] calldata accounts) external;

    /// @notice Buys WETH of an account with negative cash at the oracle price less a discount that grows from zero since
    /// the account began to owe: who makes a debt and cures it at once earns nothing.
    /// @param baseAmount WETH in wei; the price is rounded up and may not exceed the debt.
    function cure(address account, uint256 baseAmount) external returns (uint256 usdcIn);

    /// @notice Brings interest and recoveries of an account up to date.
    function accrue(address account) external;

    /// @notice Adds USDC of the caller to the insurance fund.
    function fundInsurance(uint256 usdc) external;

    // ------------------------------------------------------------------ governance

    /// @notice Registers a market, or removes it with `Market.None`.
    function setMarket(address market, Market kind) external;

    /// @notice Names the vault's account, the one with venues, for good, and its hedge manager.
    function setVault(address vault_, address hedgeManager_) external;

    /// @notice Adds or removes a hedge venue of the vault; only an empty venue, or one that cannot be read, can be removed.
    function setVenue(address venue, bool active) external;

    /// @notice Closes a venue's whole position and brings its tokens home.
    function unwindVenue(address venue) external;

    /// @notice Reads whether a venue holds anything, for anyone. While it does not, the vault's books leave it out, which
    /// saves reading it; the trade that opens a position there puts it back.
    /// Warning: where a position can change outside of `tradeOnVenue`, the venue or anybody must say so here.
    function touchVenue(address venue) external;

    /// @notice Every field has a hard range.
    function setDebtParameters(DebtParameters calldata p) external;

    // ------------------------------------------------------------------ views

    function engine() external view returns (IRiskEngine);

    function usdc() external view returns (IERC20);

    /// @notice The account that holds hedge venues, zero until it is named.
    function vault() external view returns (address);

    /// @notice Who may trade on venues and take quotes for the vault.
    function hedgeManager() external view returns (address);

    /// @return cash WAD USD, as last touched: interest since then and recoveries owed are in `debtOf`.
    /// @return base WETH in wei.
    /// @return legCount open legs.
    function accountOf(address account) external view returns (int256 cash, uint256 base, uint256 legCount);

    /// @return interest WAD USD accrued on negative cash since it was last touched.
    /// @return recovery WAD USD that the account owes to insurance out of its next cash.
    /// @return since unix seconds when its cash went negative, 0 while it is not.
    function debtOf(address account) external view returns (uint256 interest, uint256 recovery, uint256 since);

    function debtParameters() external view returns (DebtParameters memory);

    function legsOf(address account) external view returns (Leg[] memory);

    /// @notice Size of one series in an account, 0 if none.
    function sizeOf(address account, SeriesId series) external view returns (int128);

    /// @notice Everything in an account, as the risk engine takes it; see AccountLens for what it is worth.
    function portfolioOf(address account) external view returns (Portfolio memory);

    /// @notice The same without the legs and without how venues liquidate: what an account that hedges changes.
    function collateralOf(address account) external view returns (Portfolio memory);

    /// @notice What a hedge starts from: `collateralOf`, and the delta of the account's legs of one underlying. The legs
    /// go from here to the marks, and not by way of whoever asks.
    /// @return collateral of the account.
    /// @return optionDelta WAD ETH, as IBookMarks.optionDelta.
    function exposureOf(
        address account,
        uint16 underlying
    ) external view returns (Portfolio memory collateral, int256 optionDelta);

    /// @notice Equity, initial and maintenance margin by RiskEngine.margin, WAD USD.
    /// @param slice which of the surface's slices marks the book; actions are held to `Fresh`.
    function marginOf(
        address account,
        Slice slice
    ) external view returns (int256 equity, uint256 initial, uint256 maintenance);

    /// @notice USDC in token units that the account could withdraw now, rounded down.
    function freeCashOf(address account) external view returns (uint256);

    function settlementOf(uint16 underlying, uint40 expiry) external view returns (Settlement memory);

    /// @return whether the account was counted as a net winner with shorts in the first phase.
    function isCounted(uint16 underlying, uint40 expiry, address account) external view returns (bool);

    /// @return unix seconds of the vault's last trade at a desk, 0 if none: who acts on the vault's marks or delta waits
    /// for a later block.
    function lastVaultTrade() external view returns (uint40);

    function venues() external view returns (address[] memory);

    /// @notice Totals for I-02: recorded USDC x 1e12 = sum of cash + insurance + pot; recorded WETH = sum of base.
    /// @return usdc recorded, token units.
    /// @return base recorded, wei.
    /// @return negativeCash sum of negative cash as a positive number, WAD.
    /// @return insurance WAD.
    /// @return pot what converted losers have paid and winners have not yet taken, with its rounding dust, WAD.
    function totals()
        external
        view
        returns (uint256 usdc, uint256 base, uint256 negativeCash, uint256 insurance, uint256 pot);
}
