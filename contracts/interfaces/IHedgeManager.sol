// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

/// @notice One fill at one venue.
/// @param base WAD ETH, positive buys.
/// @param limitPrice USD per ETH in WAD.
struct Order {
    address venue;
    int256 base;
    uint256 limitPrice;
    bytes data;
}

/// @notice What bounds a rebalance in time.
/// @param epoch fencing token: must equal the manager's.
/// @param deadline unix
/// seconds.
/// @param maxBaseFee wei per gas.
/// @param workId the keeper's own id of the intent, for its journal.
struct Limits {
    uint64 epoch;
    uint64 deadline;
    uint128 maxBaseFee;
    bytes32 workId;
}

/// @title Verified rebalances: the keeper proposes orders, this contract recomputes Greeks and measures balances.
interface IHedgeManager {
    /// @param band WAD ETH of |net delta| that needs no hedge.
    /// @param minReduction WAD share of the filled size by which
    /// |delta| must fall if it stays outside the band.
    /// @param maxSlippage WAD share of the oracle price for each fill,
    /// fees included.
    /// @param grossCap WAD ETH by which gross venue exposure may exceed |net|.
    /// @param minHealth WAD venue
    /// health after a batch, or better than before it.
    /// @param budgetCap WAD USD, the most the keeper can lose at once.
    /// @param budgetRefill WAD USD
    /// per second.
    /// @param surfaceMaxAge seconds a surface may be old for hedging.
    struct HedgeParameters {
        uint128 band;
        uint64 minReduction;
        uint64 maxSlippage;
        uint128 grossCap;
        uint128 minHealth;
        uint128 budgetCap;
        uint64 budgetRefill;
        uint32 surfaceMaxAge;
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
    event HedgeParametersSet(HedgeParameters parameters);
    event KeeperSet(address keeper);
    event EpochAdvanced(uint64 epoch, address by);
    event BudgetReset(uint256 budget);

    error OnlyKeeper(address caller);
    error EpochStale(uint64 given, uint64 current);
    error DeadlinePassed(uint64 deadline, uint256 nowAt);
    error BaseFeeAboveLimit(uint256 baseFee, uint256 limit);
    error NoOrders();
    error TooManyOrders(uint256 count, uint256 limit);
    error OracleUnfit(uint8 state);
    error SurfaceUnfit(uint256 age, uint256 maxAge);
    error WrongSign(uint256 index, int256 base, int256 delta);
    error LimitPriceOffOracle(uint256 index, uint256 limitPrice, uint256 spot, uint256 maxSlippage);
    error FillOverOrder(uint256 index, int256 ordered, int256 filled);
    error SlippageTooHigh(uint256 index, int256 loss, uint256 allowed);
    error DeltaNotReduced(int256 deltaBefore, int256 deltaAfter, uint256 filled);
    error DeltaOvershoot(int256 deltaBefore, int256 deltaAfter, uint256 band);
    error GrossExposureTooHigh(uint256 gross, uint256 limit);
    error BudgetExceeded(uint256 loss, uint256 budgetLeft);
    error VenueHealthLow(address venue, uint256 health, uint256 floor);
    error HedgeParameterOutOfRange(string name, uint256 value, uint256 low, uint256 high);

    /// @notice Runs the orders and reverts unless |net delta| fell as it must, inside the slippage limits and the loss
    /// budget. Keeper only. All orders of a batch are of one underlying.
    function rebalance(Order[] calldata orders, Limits calldata limits) external;

    /// @notice Starts a new epoch: what an earlier leader signed reverts from here on. Keeper only.
    function advanceEpoch() external returns (uint64);

    /// @notice Net delta of the vault and the band, WAD ETH. The keeper's first question.
    function netDelta(uint16 underlying) external view returns (int256 delta, uint256 band);

    /// @notice Loss budget left now, WAD USD.
    function budgetLeft() external view returns (uint256);

    function epoch() external view returns (uint64);

    function keeper() external view returns (address);

    function parameters() external view returns (HedgeParameters memory);

    /// @notice Governance only.
    function setParameters(HedgeParameters calldata p) external;

    /// @notice Governance only; advances the epoch.
    function setKeeper(address keeper_) external;

    /// @notice Governance only: the budget is full again.
    function resetBudget() external;
}
