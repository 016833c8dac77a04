// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {Leg, SeriesId} from "../libraries/SeriesId.sol";
import {Greeks, Portfolio} from "./IRiskEngine.sol";

/// @title Margin accounts: USDC cash, WETH collateral and signed option legs, one account per address.
/// @notice The legs of a series sum to zero until its settlement. Tokens count only when recorded as received. An
/// account is touched by its owner, by registered markets, and by settlement, which anyone may run.
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
    event MarketSet(address indexed market, bool allowed);
    event VaultSet(address vault, address hedgeManager);
    event VenueSet(address indexed venue, bool active);

    event CureDiscountSet(uint256 discount);
    event MaxNegativeCashSet(uint256 limit);

    error OracleStale(uint16 underlying);
    error AmountZero();
    error ZeroAddress();
    error OnlyMarket(address caller);
    error OnlyHedgeManager(address caller);
    error VenueUnknown(address venue);
    error VenueNotEmpty(address venue, int256 base, int256 quote);
    error TooManyVenues(uint256 count);
    error SelfTrade(address account);
    error SizeZero(SeriesId series);
    error UnderlyingUnknown(uint16 underlying);
    error TooManyLegs(address account, uint256 count);
    error SeriesExpired(SeriesId series, uint256 nowAt);
    error AmountTooLarge(uint256 amount);
    error CashShort(address account, int256 cash, uint256 needed);
    error BaseShort(address account, uint256 base, uint256 needed);
    error BelowInitialMargin(address account, int256 equity, uint256 initial);
    error CollateralShort(address account, int256 cash, uint256 cashNeeded, uint256 base, uint256 baseNeeded);
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

    function depositBase(uint256 amount) external;

    function withdrawBase(uint256 amount, address to) external;

    // ------------------------------------------------------------------ markets

    /// @notice Moves legs from `maker` to `taker` against a premium, and checks the margin of both at the end. All legs
    /// are of the underlying of the base collateral.
    /// @param legs sizes from the taker's side.
    /// @param premium WAD USD paid by the taker, negative if received.
    function trade(address maker, address taker, Leg[] calldata legs, int256 premium) external;

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

    /// @notice Buys WETH of an account with negative cash at the oracle price less the governed discount.
    /// @param baseAmount WETH in wei; the price is rounded up and may not exceed the debt.
    function cure(address account, uint256 baseAmount) external returns (uint256 usdcIn);

    /// @notice Adds USDC of the caller to the insurance fund.
    function fundInsurance(uint256 usdc) external;

    // ------------------------------------------------------------------ governance

    /// @notice Registers or removes a market (the option desk) that may move legs.
    function setMarket(address market, bool allowed) external;

    /// @notice Names the vault's account, which has scenario margin and venues, and its hedge manager.
    function setVault(address vault_, address hedgeManager_) external;

    /// @notice Adds or removes a hedge venue of the vault; only an empty venue can be removed.
    function setVenue(address venue, bool active) external;

    /// @notice Closes a venue's whole position and brings its tokens home.
    function unwindVenue(address venue) external;

    function setCureDiscount(uint256 discount) external;

    function setMaxNegativeCash(uint256 limit) external;

    // ------------------------------------------------------------------ views

    /// @return cash WAD USD.
    /// @return base WETH in wei.
    /// @return legCount open legs.
    function accountOf(address account) external view returns (int256 cash, uint256 base, uint256 legCount);

    function legsOf(address account) external view returns (Leg[] memory);

    /// @notice Size of one series in an account, 0 if none.
    function sizeOf(address account, SeriesId series) external view returns (int128);

    function portfolioOf(address account) external view returns (Portfolio memory);

    /// @notice Hedge of an account: base and quote over its account and venues. Delta and NAV at a constant oracle
    /// price move through these two alone when it hedges.
    /// @return base WAD ETH.
    /// @return quote WAD USD.
    function hedgeOf(address account) external view returns (int256 base, int256 quote);

    /// @notice Net sensitivities of the account: options, base collateral and venues.
    function greeksOf(address account, uint16 underlying) external view returns (Greeks memory);

    /// @notice Mark value of the account, WAD USD.
    function equityOf(address account) external view returns (int256);

    /// @notice Equity, initial and maintenance margin under the rule that applies to the account, WAD USD. For a fully
    /// collateralised account both margins are the collateral's value at the oracle price.
    function marginOf(address account) external view returns (int256 equity, uint256 initial, uint256 maintenance);

    /// @notice USDC in token units that the account could withdraw now, rounded down.
    function freeCashOf(address account) external view returns (uint256);

    function settlementOf(uint16 underlying, uint40 expiry) external view returns (Settlement memory);

    /// @return whether the account was counted as a net winner with shorts in the first phase.
    function isCounted(uint16 underlying, uint40 expiry, address account) external view returns (bool);

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
