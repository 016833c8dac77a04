// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

/// @notice What the oracle knows about the price right now. Where several hold, the first of this order is told:
/// SequencerDown, Stale, Depegged, Deviating, Fresh.
/// `Fresh` feed young, USDC near par, pool mean near the feed;
/// `Deviating` the pool's mean and the feed differ, or the pool has no mean;
/// `Stale` the feed has no usable answer younger than its limit;
/// `SequencerDown` the rollup's sequencer is down, or up for less than the grace period;
/// `Depegged` USDC is outside its band, or its feed has no usable young answer.
enum OracleState {
    Fresh,
    Deviating,
    Stale,
    SequencerDown,
    Depegged
}

/// @notice What a contract wants to do with the price. Which state allows which is the table in oracle/Rules.sol.
enum Action {
    Open,
    Withdraw,
    Hedge,
    Close,
    Liquidate,
    Settle,
    Claim
}

/// @title Spot, settlement prices, realised volatility and oracle state of each registered market.
/// @notice Assumptions. Safety: the feed's rounds within one phase rise in time, and their ids have no hole wider than
/// RoundProver.MAX_HOLES. Liveness: some source answers; which one is needed for what is said at each function.
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

    /// @param feed Chainlink AggregatorV3 of USDC in USD.
    /// @param decimals as read when it was set, never read again.
    /// @param maxAge seconds after which an answer is stale.
    struct QuoteFeed {
        address feed;
        uint8 decimals;
        uint32 maxAge;
    }

    /// @param depegBand WAD distance of USDC from one USD beyond which the state is `Depegged`, 0.001 to 0.05.
    /// @param sequencerGrace seconds after a restart of the sequencer during which it still counts as down, up to a day.
    /// @param phaseWindow seconds during which a round of another phase may displace a proof, 10 minutes to a day.
    /// @param roundDeadline seconds after an expiry within which the round that settles it must lie, an hour to a week.
    /// @param feedDelay seconds between the proposal of a feed and its acceptance, an hour to 30 days.
    /// @param halfLife seconds in which a sample of realised volatility loses half its weight, an hour to 90 days.
    struct OracleParameters {
        uint64 depegBand;
        uint32 sequencerGrace;
        uint32 phaseWindow;
        uint32 roundDeadline;
        uint32 feedDelay;
        uint32 halfLife;
    }

    /// @param readyAt unix seconds from which it may be accepted, 0 where nothing is proposed.
    struct FeedProposal {
        address feed;
        uint8 decimals;
        uint32 maxAge;
        uint40 readyAt;
    }

    /// @param price USD in WAD, 0 where nothing is proven yet.
    /// @param updatedAt of the round, or the expiry where the pool's mean settled it.
    /// @param finalAt unix seconds from which the price stands.
    /// @param phase of the round.
    /// @param byTwap whether it is the pool's mean.
    struct SettlementProof {
        uint96 price;
        uint40 updatedAt;
        uint40 finalAt;
        uint16 phase;
        bool byTwap;
    }

    event MarketRegistered(uint16 indexed underlying, address feed, uint8 feedDecimals, address pool);
    event SettlementProven(uint16 indexed underlying, uint40 indexed expiry, uint256 price, uint80 roundId);
    event SettlementProposed(
        uint16 indexed underlying,
        uint40 indexed expiry,
        uint256 price,
        uint80 roundId,
        uint256 finalAt
    );
    event TwapRecorded(uint16 indexed underlying, uint40 indexed expiry, uint256 price);
    event Sampled(uint16 indexed underlying, uint80 roundId, uint256 price, uint256 updatedAt, uint256 samples);
    event FeedProposed(uint16 indexed underlying, address feed, uint8 decimals, uint32 maxAge, uint40 readyAt);
    event FeedChanged(uint16 indexed underlying, address feed, uint8 decimals, uint32 maxAge);
    event FeedProposalCancelled(uint16 indexed underlying, address feed);
    event SequencerSet(address feed);
    event OracleParametersSet(OracleParameters parameters);

    error MarketUnknown(uint16 underlying);
    error MarketExists(uint16 underlying);
    error FeedDecimalsUnexpected(uint8 expected, uint8 actual);
    error FeedAnswerInvalid(int256 answer, uint256 updatedAt);
    error FeedTooOld(address feed, uint256 updatedAt, uint256 maxAge);
    error FeedDisagreesWithPool(uint256 feedPrice, uint256 poolPrice);
    error QuoteFeedOffPar(uint256 price);
    error PoolTokensUnexpected(address token0, address token1);
    error ParameterOutOfRange(string name, uint256 value, uint256 low, uint256 high);
    error ActionNotAllowed(uint16 underlying, OracleState state, Action action);
    error NoPrice(uint16 underlying);
    error NoFeedProposed(uint16 underlying);
    error FeedNotReady(uint40 readyAt, uint256 nowAt);
    error ExpiryNotReached(uint40 expiry, uint256 nowAt);
    error AlreadyProven(uint16 underlying, uint40 expiry);
    error RoundNotFirstAfterExpiry(uint80 roundId, uint256 previousAt, uint256 updatedAt, uint40 expiry);
    error RoundOfOtherPhase(uint80 roundId);
    error RoundAfterDeadline(uint80 roundId, uint256 updatedAt, uint256 deadline);
    error RoundNotEarlier(uint80 roundId, uint256 updatedAt, uint256 knownUpdatedAt);
    error RoundNotNextSample(uint80 roundId, uint256 previousAt, uint256 sampledAt);
    error RoundMissing(uint80 roundId);
    error RoundNotBefore(uint80 roundId, uint256 updatedAt, uint256 moment);
    error RoundHolesTooWide(uint80 roundId);
    error PhaseNotSilent(uint80 roundId, uint256 updatedAt);
    error FeedCallStarved(uint256 gasLeft);
    error PhaseNotShown(uint256 phase);
    error DeadlineNotReached(uint256 deadline, uint256 nowAt);
    error TwapAlreadyRecorded(uint16 underlying, uint40 expiry);
    error TwapNotRecorded(uint16 underlying, uint40 expiry);

    // ------------------------------------------------------------------ price and state now

    /// @notice Last feed answer.
    /// @return price USD in WAD.
    /// @return updatedAt unix seconds.
    /// @dev Reverts with FeedAnswerInvalid for a non-positive or future answer; never for an old one: ask `state`.
    function spot(uint16 underlying) external view returns (uint256 price, uint256 updatedAt);

    /// @notice Never reverts for a registered market: a source that fails is an alarm.
    function state(uint16 underlying) external view returns (OracleState);

    /// @notice `spot` and `state` with each source read once.
    /// @return price USD in WAD, the last answer whatever its age, 0 where it is unusable.
    function spotAndState(
        uint16 underlying
    ) external view returns (uint256 price, uint256 updatedAt, OracleState current);

    /// @notice Whether the state of the market allows the action. The table and its reasons: oracle/Rules.sol.
    function allows(uint16 underlying, Action action) external view returns (bool);

    /// @notice Reverts with ActionNotAllowed where the state does not allow the action; reads no more sources than the
    /// answer depends on, so that only `Open` pays for the pool's mean.
    /// @return price USD in WAD to act on: the feed's while it is young; for `Hedge` and `Close` else the pool's mean
    /// over USDC/USD, and NoPrice when that fails too; for `Settle` and `Claim`, which need none, else 0.
    function check(uint16 underlying, Action action) external view returns (uint256 price);

    /// @notice What a market maker quotes by, of which a taker gets the worse. Reverts as `check` does.
    /// @return price USD in WAD, that of `check`.
    /// @return pool USD in WAD, `poolPrice` over `quoteUsd`, or at par where that feed has no answer: a dead feed of USDC
    /// must not stop what only closes.
    function twoPrices(uint16 underlying, Action action) external view returns (uint256 price, uint256 pool);

    /// @notice What a fill in USDC is held to: ETH/USD over USDC/USD while both feeds are young, else the pool's mean
    /// (already in USDC); with a young feed and neither, the feed over the last USDC/USD answer, or at par.
    /// @return price USDC per unit of base, WAD. Reverts with NoPrice when the feed is stale and the pool has no mean.
    function hedgePrice(uint16 underlying) external view returns (uint256 price);

    /// @notice Last USDC/USD answer.
    /// @return price USD per USDC, WAD.
    /// @dev Reverts with FeedAnswerInvalid for a non-positive or future answer; never for an old one: ask `state`.
    function quoteUsd() external view returns (uint256 price);

    /// @notice The pool's price in this block. Anybody with capital can move it; never use it alone.
    /// @return USDC in WAD.
    function poolPrice(uint16 underlying) external view returns (uint256);

    /// @notice The pool's mean price over the market's window. Reverts with NoPrice where its history is too short.
    /// @return USDC in WAD.
    function twap(uint16 underlying) external view returns (uint256);

    // ------------------------------------------------------------------ settlement

    /// @return USD in WAD, 0 while not final.
    function settlementPrice(uint16 underlying, uint40 expiry) external view returns (uint256);

    /// @return proof what is proven, final or not.
    /// @return recordedTwap the pool's mean at the expiry, USDC in WAD, 0 where nobody recorded it.
    function settlementProof(
        uint16 underlying,
        uint40 expiry
    ) external view returns (SettlementProof memory proof, uint256 recordedTwap);

    /// @notice Proves the settlement price by two neighbouring rounds of one phase. Anyone may call it. Final at once
    /// while the feed has had one phase only since the market has it; else after the phase window, in which anybody may
    /// show an earlier round of another phase.
    /// @param roundId the first usable round of its phase at or after the expiry; its usable predecessor in the same
    /// phase must be before it. Unusable rounds between the two are passed over.
    function proveSettlement(uint16 underlying, uint40 expiry, uint80 roundId) external returns (uint256 price);

    /// @notice As `proveSettlement`, final at once whatever the number of phases: the caller shows that no other phase
    /// has an earlier round. It also proves by the first round of a phase, whose predecessor is the last round of the
    /// phase before. Where the feed's latest round cannot be read, or is of this very second, the window applies.
    /// @param lastRounds for each other phase from `phases().first` to the feed's own, in order, its last round before
    /// the expiry, or (phase << 64) where it has none.
    function proveSettlementAcross(
        uint16 underlying,
        uint40 expiry,
        uint80 roundId,
        uint80[] calldata lastRounds
    ) external returns (uint256 price);

    /// @notice Keeps the pool's mean over the window that ended at the expiry, while the pool's observations still
    /// reach back. The same whenever it is recorded. Anyone may call it.
    /// @return price USDC in WAD, taken at par: it is what the options are paid in.
    function recordTwap(uint16 underlying, uint40 expiry) external returns (uint256 price);

    /// @notice Settles an expiry at its recorded mean, once the deadline for rounds has passed and it is shown that no
    /// phase has a usable round from the expiry to the deadline. Anyone may call it.
    /// @param lastRounds for each phase from `phases().first` to the feed's own (to `phases().sampled` where the feed
    /// does not answer), in order, its last round before the expiry, or (phase << 64) where it has none.
    function settleByTwap(
        uint16 underlying,
        uint40 expiry,
        uint80[] calldata lastRounds
    ) external returns (uint256 price);

    // ------------------------------------------------------------------ realised volatility

    /// @notice Exponentially weighted realised volatility of the first rounds of each hour.
    /// @return vol annualised over 365 days, WAD; 0 without a sample.
    /// @return updatedAt of the last sample, unix seconds: the caller judges its age.
    /// @return samples how many returns it is made of.
    function realisedVol(uint16 underlying) external view returns (uint256 vol, uint256 updatedAt, uint256 samples);

    /// @notice Takes the next sample. Anyone may call it; hours may be taken late, but in order, and an hour is left out
    /// only if no usable round lies in it.
    /// @param roundId the first usable round of its hour, in the phase of the last sample; its usable predecessor must
    /// not be in a later hour than the last sample.
    function poke(uint16 underlying, uint80 roundId) external;

    /// @notice As `poke`, with a round of a newer phase than that of the last sample.
    /// @param lastRounds for each phase from that of the last sample up to that before the round's own, in order, its
    /// last round in or before the hour of the last sample, or (phase << 64) where it has none: none of these phases may
    /// have a usable round between that hour and the round.
    function pokeAcross(uint16 underlying, uint80 roundId, uint80[] calldata lastRounds) external;

    /// @return first the oldest phase of the feed that may settle: that which it had when the market got it.
    /// @return sampled the phase of the last sample.
    function phases(uint16 underlying) external view returns (uint16 first, uint16 sampled);

    // ------------------------------------------------------------------ governance

    function market(uint16 underlying) external view returns (Market memory);

    function quoteFeed() external view returns (QuoteFeed memory);

    /// @return feed the L2 sequencer uptime feed, 0 where there is no sequencer.
    function sequencer() external view returns (address feed);

    function parameters() external view returns (OracleParameters memory);

    function feedProposal(uint16 underlying) external view returns (FeedProposal memory);

    /// @notice Registers a market once; the feed's decimals are read here, compared with `feedDecimals`, and its price
    /// over USDC/USD with the pool's mean, so that two scales can never be mixed later. Governance only.
    function registerMarket(uint16 underlying, address baseToken, address usdc, Market calldata config) external;

    /// @notice Announces another feed of a market, or of USDC with `underlying` 0; a later proposal replaces it and
    /// starts the delay again. The feed must pass the checks of registration now and at acceptance. Governance only.
    function proposeFeed(uint16 underlying, address feed, uint8 decimals, uint32 maxAge) external;

    /// @notice Takes the proposed feed once its delay has passed. Governance only.
    function acceptFeed(uint16 underlying) external;

    /// @notice Drops a proposal. For the guardian.
    function cancelFeed(uint16 underlying) external;

    /// @notice The L2 sequencer uptime feed, 0 for none. It must answer. Governance only.
    function setSequencer(address feed) external;

    /// @notice All parameters inside their hard ranges. Governance only.
    function setParameters(OracleParameters calldata p) external;
}
