// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {IPendingOrders} from "./IPendingOrders.sol";

/// @notice One order of a batch. At the quote adapter it takes a maker's option quote: `data` is the adapter's, `base`
/// and `limitPrice` are zero.
/// @param base WAD of the underlying, positive buys; 0 restores a venue's collateral.
/// @param limitPrice USDC per unit of base in WAD.
struct Order {
    address venue;
    int256 base;
    uint256 limitPrice;
    bytes data;
}

/// @notice What bounds a rebalance in time.
/// @param epoch fencing token: must equal the manager's.
/// @param deadline unix seconds.
/// @param maxBaseFee wei per gas.
/// @param workId the keeper's own id of the intent, for its journal.
struct Limits {
    uint64 epoch;
    uint64 deadline;
    uint128 maxBaseFee;
    bytes32 workId;
}

/// @title Verified rebalances: the keeper proposes orders, this contract recomputes Greeks and measures balances.
/// @notice Rules, in this order, for each underlying of a batch: oracle and surface fit to hedge by; an option order lowers
/// |gamma| or |vega|; every other order has the sign that reduces the delta left after the option orders, or the batch is
/// a migration between venues (filled sizes sum to zero within a clip, gross exposure and |delta| not larger after); each
/// fill within the slippage of the oracle's hedge price; |delta| afterwards inside the band, or smaller by the governed
/// share of the filled size, and never across zero beyond the band; gross exposure within |net| plus the cap; what is lost
/// within the budget; each venue within its own cap and above the health floor; with option orders, initial margin met.
/// A pending order counts twice: every rule of delta holds with it and without it.
/// Sizes and losses are what the vault's accounts changed by, never what a venue says.
interface IHedgeManager is IPendingOrders {
    /// @notice All in whole millionths.
    /// @param band WAD ETH of |net delta| that needs no hedge.
    /// @param minReduction WAD share of the filled size by which |delta| must fall if it stays outside the band.
    /// @param maxSlippage WAD share of the hedge price for each fill, fees included.
    /// @param grossCap WAD ETH by which gross venue exposure may exceed |net|.
    /// @param minHealth WAD venue health after a batch, or better than before it.
    /// @param budgetCap WAD USD, the most the keeper can lose at once.
    /// @param budgetRefill WAD USD per second.
    /// @param surfaceMaxAge seconds a surface may be old for hedging.
    /// @param clip WAD ETH by which the fills of a migration may miss zero.
    struct HedgeParameters {
        uint128 band;
        uint64 minReduction;
        uint64 maxSlippage;
        uint128 grossCap;
        uint128 minHealth;
        uint128 budgetCap;
        uint64 budgetRefill;
        uint32 surfaceMaxAge;
        uint128 clip;
    }

    /// @notice The same in the units of another underlying.
    struct Bands {
        uint128 band;
        uint128 grossCap;
        uint128 clip;
    }

    /// @notice What the fallback hedge needs to know of the keeper's rules in WETH, WAD.
    /// @param insideAt unix seconds when the delta was last found or left inside the band.
    struct HedgeStatus {
        uint256 band;
        uint256 maxSlippage;
        uint256 minHealth;
        uint256 budget;
        uint256 budgetCap;
        uint256 insideAt;
        int256 pendingUp;
        int256 pendingDown;
    }

    event Rebalanced(
        bytes32 indexed workId,
        uint16 indexed underlying,
        int256 deltaBefore,
        int256 deltaAfter,
        int256 filledBase,
        int256 navChange,
        uint256 spot,
        uint256 budgetLeft
    );
    event OrderFilled(bytes32 indexed workId, address indexed venue, int256 filledBase, int256 quoteChange);
    /// @param gammaBefore WAD ETH per USD.
    /// @param vegaBefore WAD USD per 1.00 of volatility.
    /// @param navChange premium and options, these on the worse of both slices, WAD USD.
    event OptionsTaken(
        bytes32 indexed workId,
        uint16 indexed underlying,
        int256 gammaBefore,
        int256 gammaAfter,
        int256 vegaBefore,
        int256 vegaAfter,
        int256 navChange
    );
    event HedgeParametersSet(HedgeParameters parameters);
    event BandsSet(uint16 indexed underlying, Bands bands);
    event VenueCapSet(address indexed venue, uint256 cap);
    event QuoteAdapterSet(address adapter);
    event FallbackSet(address fallbackHedge);
    event KeeperSet(address keeper);
    event EpochAdvanced(uint64 epoch, address by);
    event BudgetReset(uint256 budget);

    error OnlyKeeper(address caller);
    error OnlyFallback(address caller);
    error EpochStale(uint64 given, uint64 current);
    error DeadlinePassed(uint64 deadline, uint256 nowAt);
    error BaseFeeAboveLimit(uint256 baseFee, uint256 limit);
    error NoOrders();
    error TooManyOrders(uint256 count, uint256 limit);
    error UnderlyingsUnsorted(uint256 index, uint16 previous, uint16 underlying);
    error UnderlyingUnknown(uint16 underlying);
    error SurfaceUnfit(uint256 age, uint256 maxAge);
    error OptionOrderLate(uint256 index);
    error OptionOrderIdle(uint256 index);
    error OptionLegsMixed(uint256 index, uint16 one, uint16 other);
    error OptionRiskNotReduced(uint256 index, int256 gammaBefore, int256 gamma, int256 vegaBefore, int256 vega);
    error WrongSign(uint256 index, int256 base, int256 delta);
    error MigrationAddsGross(uint256 grossBefore, uint256 grossAfter);
    error MigrationAddsDelta(int256 deltaBefore, int256 deltaAfter);
    error LimitPriceOffOracle(uint256 index, uint256 limitPrice, uint256 spot, uint256 maxSlippage);
    error FillOverOrder(uint256 index, int256 ordered, int256 filled);
    error SlippageTooHigh(uint256 index, int256 loss, uint256 allowed);
    error DeltaNotReduced(int256 deltaBefore, int256 deltaAfter, uint256 filled);
    error DeltaOvershoot(int256 deltaBefore, int256 deltaAfter, uint256 band);
    error GrossExposureTooHigh(uint256 gross, uint256 limit);
    error BudgetExceeded(uint256 loss, uint256 budgetLeft);
    error VenueOverCap(address venue, uint256 size, uint256 cap);
    error VenueHealthLow(address venue, uint256 health, uint256 floor);
    error MarginNotMet(int256 equity, uint256 initial);
    error HedgeReentered();
    error HedgeParameterOutOfRange(string name, uint256 value, uint256 low, uint256 high);
    error HedgeParameterTooFine(string name, uint256 value);

    /// @notice Runs the orders and reverts unless every rule above holds. Keeper only. Orders ascend by underlying, and
    /// within one underlying option orders come first.
    function rebalance(Order[] calldata orders, Limits calldata limits) external;

    /// @notice Starts a new epoch: what an earlier leader signed reverts from here on. Keeper only.
    function advanceEpoch() external returns (uint64);

    /// @notice Trades at a venue for the fallback hedge, which measures and bounds it. Fallback only.
    function tradeForFallback(address venue, int256 base, uint256 limitPrice) external;

    /// @notice Records that the delta was found inside the band, now. Fallback only.
    function foundInside() external;

    function status() external view returns (HedgeStatus memory);

    /// @notice IHedgeFallback, zero for none.
    function fallbackHedge() external view returns (address);

    /// @notice Net delta of the vault and the band, WAD ETH, pending orders left out. The keeper's first question.
    function netDelta(uint16 underlying) external view returns (int256 delta, uint256 band);

    /// @notice Loss budget left now, WAD USD.
    function budgetLeft() external view returns (uint256);

    function epoch() external view returns (uint64);

    function keeper() external view returns (address);

    /// @notice The market id of WETH.
    function underlying() external view returns (uint16);

    /// @notice IQuoteAdapter, zero for none.
    function quoteAdapter() external view returns (address);

    function parameters() external view returns (HedgeParameters memory);

    function bandsOf(uint16 underlying_) external view returns (Bands memory);

    /// @notice WAD ETH that a venue may hold, whichever way; zero where governance has set none: then it may hold nothing.
    function venueCap(address venue) external view returns (uint256);

    /// @notice Governance only. Refills nothing.
    function setParameters(HedgeParameters calldata p) external;

    /// @notice Governance only; an underlying other than WETH is hedged once it has bands.
    function setBands(uint16 underlying_, Bands calldata bands) external;

    /// @notice Governance only.
    function setVenueCap(address venue, uint256 cap) external;

    /// @notice Governance only.
    function setQuoteAdapter(address adapter) external;

    /// @notice Governance only.
    function setFallback(address fallbackHedge_) external;

    /// @notice Governance only; advances the epoch.
    function setKeeper(address keeper_) external;

    /// @notice Governance only: the budget is full again.
    function resetBudget() external;
}
