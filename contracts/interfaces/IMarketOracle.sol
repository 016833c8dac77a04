// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

/// @notice What the oracle knows about the price right now. New risk needs `Fresh`; hedging and closing go on while
/// `Deviating`, because their fills are checked against the oracle price one by one; settlement needs its own proof.
enum OracleState {
    Fresh,
    Deviating,
    Stale
}

enum Action {
    Open,
    Withdraw,
    Hedge,
    Close,
    Liquidate,
    Settle,
    Claim
}

/// @title Spot, settlement prices and oracle state of each registered market.
interface IMarketOracle {
    /// @param feed Chainlink AggregatorV3 in USD.
    /// @param feedDecimals as read at registration, never read again.
    /// @param pool Uniswap v3 pool of base and USDC, the second source.
    /// @param baseIsToken0 order in the pool.
    /// @param maxAge seconds after which an answer is stale.
    /// @param twapWindow seconds of the pool's mean.
    /// @param maxDeviation WAD share by which feed and pool mean may differ before the state is `Deviating`.
    struct Market {
        address feed;
        uint8 feedDecimals;
        uint32 maxAge;
        uint32 twapWindow;
        address pool;
        bool baseIsToken0;
        uint64 maxDeviation;
    }

    event MarketRegistered(uint16 indexed underlying, address feed, uint8 feedDecimals, address pool);
    event SettlementProven(uint16 indexed underlying, uint40 indexed expiry, uint256 price, uint80 roundId);

    error MarketUnknown(uint16 underlying);
    error MarketExists(uint16 underlying);
    error FeedDecimalsUnexpected(uint8 expected, uint8 actual);
    error FeedAnswerInvalid(int256 answer, uint256 updatedAt);
    error FeedDisagreesWithPool(uint256 feedPrice, uint256 poolPrice);
    error PoolTokensUnexpected(address token0, address token1);
    error ParameterOutOfRange(string name, uint256 value, uint256 low, uint256 high);
    error ExpiryNotReached(uint40 expiry, uint256 nowAt);
    error AlreadyProven(uint16 underlying, uint40 expiry);
    error RoundNotFirstAfterExpiry(uint80 roundId, uint256 previousAt, uint256 updatedAt, uint40 expiry);
    error RoundOfOtherPhase(uint80 roundId);

    /// @notice Last feed answer.
    /// @return price USD in WAD.
    /// @return updatedAt unix seconds.
    /// @dev Reverts with FeedAnswerInvalid for a non-positive or future answer; never for an old one: ask `state`.
    function spot(uint16 underlying) external view returns (uint256 price, uint256 updatedAt);

    function check(uint16 underlying, Action action) external view returns (uint256 price);

    function state(uint16 underlying) external view returns (OracleState);

    /// @notice The pool's price in this block. Anybody with capital can move it; never use it alone.
    function poolPrice(uint16 underlying) external view returns (uint256);

    /// @notice The pool's mean price over the market's window.
    /// @return USD in WAD.
    function twap(uint16 underlying) external view returns (uint256);

    function market(uint16 underlying) external view returns (Market memory);

    /// @return USD in WAD, 0 while not proven.
    function settlementPrice(uint16 underlying, uint40 expiry) external view returns (uint256);

    /// @notice Fixes the settlement price of an expiry for good. Anyone may call it.
    /// @param roundId the first round at or after the expiry; its predecessor in the same phase must be before it.
    function proveSettlement(uint16 underlying, uint40 expiry, uint80 roundId) external returns (uint256 price);

    /// @notice Registers a market once; the feed's decimals are read here, compared with `feedDecimals`, and its price
    /// with the pool's, so that two scales can never be mixed later. Governance only.
    function registerMarket(uint16 underlying, address baseToken, address usdc, Market calldata config) external;
}
