// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {AccessManaged} from "@openzeppelin/contracts/access/manager/AccessManaged.sol";
import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {AggregatorV3Interface} from "@chainlink/contracts/src/v0.8/shared/interfaces/AggregatorV3Interface.sol";
import {Action, IMarketOracle, OracleState} from "../interfaces/IMarketOracle.sol";
import {IUniswapV3PoolView} from "../interfaces/external/IUniswapV3PoolView.sol";
import {Rounds} from "../libraries/Rounds.sol";
import {Wad} from "../libraries/Wad.sol";
import {Rules} from "./Rules.sol";

/// @title What the sources say now, and what that allows. Documented in IMarketOracle.
abstract contract Sources is IMarketOracle, AccessManaged {
    /// @dev ln(1.0001) and ln(1e12) in WAD: a tick is a power of 1.0001, and a USDC/WETH price carries 12 decimals.
    int256 private constant LN_TICK = 99995000333308;
    int256 private constant LN_SCALE = 27631021115928548208;
    int256 private constant MAX_EXPONENT = 88e18;
    uint256 private constant PRICE_SCALE = 1e30;
    uint256 private constant Q96 = 1 << 96;
    int256 private constant SEQUENCER_UP = 0;

    mapping(uint16 underlying => Market) internal _markets;
    /// @dev One slot with the band: every state reads both.
    QuoteFeed internal _quoteFeed;
    uint56 internal _depegBand;
    address public sequencer;
    uint32 internal _sequencerGrace;

    // ------------------------------------------------------------------ views

    /// @inheritdoc IMarketOracle
    function spot(uint16 underlying) external view returns (uint256 price, uint256 updatedAt) {
        (address feed, uint8 decimals) = _feedOf(underlying);
        return _answerOf(feed, decimals);
    }

    /// @inheritdoc IMarketOracle
    function state(uint16 underlying) external view returns (OracleState current) {
        (current, ) = _judge(_market(underlying), 0);
    }

    /// @inheritdoc IMarketOracle
    function spotAndState(
        uint16 underlying
    ) external view returns (uint256 price, uint256 updatedAt, OracleState current) {
        Rounds.Round memory r;
        (current, r) = _judge(_market(underlying), 0);
        return (r.price, r.updatedAt, current);
    }

    /// @inheritdoc IMarketOracle
    function allows(uint16 underlying, Action action) external view returns (bool) {
        uint256 states = Rules.statesFor(action);
        (OracleState current, ) = _judge(_market(underlying), states);
        return Rules.contains(states, current);
    }

    /// @inheritdoc IMarketOracle
    function check(uint16 underlying, Action action) external view returns (uint256 price) {
        return _check(underlying, _market(underlying), action);
    }

    /// @inheritdoc IMarketOracle
    function twoPrices(uint16 underlying, Action action) external view returns (uint256 price, uint256 pool) {
        Market memory m = _market(underlying);
        price = _check(underlying, m, action);
        (uint256 quote, ) = _quote();
        pool = _poolPrice(m);
        if (quote != 0) pool = Wad.mulDown(pool, quote);
    }

    function _check(uint16 underlying, Market memory m, Action action) private view returns (uint256 price) {
        uint256 states = Rules.statesFor(action);
        (OracleState current, Rounds.Round memory r) = _judge(m, states);
        if (!Rules.contains(states, current)) revert ActionNotAllowed(underlying, current, action);
        if (_isYoung(r, m.maxAge)) return r.price;
        if (action == Action.Settle || action == Action.Claim) return 0;
        price = _mean(m, block.timestamp);
        if (price == 0) revert NoPrice(underlying);
        (uint256 quote, bool young) = _quote();
        if (young) price = Wad.mulDown(price, quote);
    }

    /// @inheritdoc IMarketOracle
    function hedgePrice(uint16 underlying) external view returns (uint256 price) {
        Market memory m = _market(underlying);
        Rounds.Round memory r = Rounds.latest(m.feed, m.feedDecimals);
        (uint256 quote, bool quoteYoung) = _quote();
        bool young = _isYoung(r, m.maxAge);
        if (young && quoteYoung) return Wad.divDown(r.price, quote);
        price = _mean(m, block.timestamp);
        if (price != 0) return price;
        if (!young) revert NoPrice(underlying);
        return quote == 0 ? r.price : Wad.divDown(r.price, quote);
    }

    /// @inheritdoc IMarketOracle
    function quoteUsd() external view returns (uint256 price) {
        (price, ) = _answerOf(_quoteFeed.feed, _quoteFeed.decimals);
    }

    /// @inheritdoc IMarketOracle
    function poolPrice(uint16 underlying) external view returns (uint256) {
        return _poolPrice(_market(underlying));
    }

    function _poolPrice(Market memory m) private view returns (uint256) {
        (uint160 root, , , , , , ) = IUniswapV3PoolView(m.pool).slot0();
        (uint256 a, uint256 b) = m.baseIsToken0 ? (uint256(root), Q96) : (Q96, uint256(root));
        return Math.mulDiv(Math.mulDiv(a, a, b), PRICE_SCALE, b);
    }

    /// @inheritdoc IMarketOracle
    function twap(uint16 underlying) public view returns (uint256 price) {
        Market memory m = _market(underlying);
        price = _mean(m, block.timestamp);
        if (price == 0) revert NoPrice(underlying);
    }

    /// @inheritdoc IMarketOracle
    function market(uint16 underlying) external view returns (Market memory) {
        return _market(underlying);
    }

    /// @inheritdoc IMarketOracle
    function quoteFeed() external view returns (QuoteFeed memory) {
        return _quoteFeed;
    }

    // ------------------------------------------------------------------ state

    /// @dev Asks the sources in the order of precedence, and stops where all that is left to find out is in `states`:
    /// then the state told is one of those, and need not be the exact one. 0 asks for the exact one.
    function _judge(
        Market memory m,
        uint256 states
    ) internal view returns (OracleState current, Rounds.Round memory r) {
        r = Rounds.latest(m.feed, m.feedDecimals);
        if (Rules.covers(states, Rules.ALL)) return (OracleState.Fresh, r);
        if (_sequencerIsDown()) return (OracleState.SequencerDown, r);
        if (!_isYoung(r, m.maxAge)) return (OracleState.Stale, r);
        if (Rules.covers(states, Rules.FRESH | Rules.DEVIATING | Rules.DEPEGGED)) return (OracleState.Fresh, r);
        (uint256 quote, bool young) = _quote();
        if (!young || _distance(quote, Wad.ONE) > _depegBand) return (OracleState.Depegged, r);
        if (Rules.covers(states, Rules.FRESH | Rules.DEVIATING)) return (OracleState.Fresh, r);
        uint256 mean = _mean(m, block.timestamp);
        bool near = mean != 0 && _deviation(Wad.divDown(r.price, quote), mean) <= m.maxDeviation;
        current = near ? OracleState.Fresh : OracleState.Deviating;
    }

    /// @dev Incident 11: each bad part alone is enough. A status without a start is a feed that has never reported.
    function _sequencerIsDown() private view returns (bool) {
        if (sequencer == address(0)) return false;
        (bool ok, int256 answer, uint256 startedAt) = Rounds.status(sequencer);
        if (!ok || answer != SEQUENCER_UP || startedAt == 0 || startedAt > block.timestamp) return true;
        return block.timestamp - startedAt < _sequencerGrace;
    }

    /// @return price USD per USDC in WAD, 0 where the feed has no usable answer.
    /// @return young whether it is usable and not older than its limit.
    function _quote() internal view returns (uint256 price, bool young) {
        QuoteFeed memory q = _quoteFeed;
        Rounds.Round memory r = Rounds.latest(q.feed, q.decimals);
        return (r.price, _isYoung(r, q.maxAge));
    }

    function _isYoung(Rounds.Round memory r, uint256 maxAge) internal view returns (bool) {
        return r.price != 0 && block.timestamp - r.updatedAt <= maxAge;
    }

    /// @dev A feed's answer for those who want to know why there is none: its own error, or FeedAnswerInvalid.
    function _answerOf(address feed, uint8 decimals) internal view returns (uint256 price, uint256 updatedAt) {
        int256 answer;
        (, answer, , updatedAt, ) = AggregatorV3Interface(feed).latestRoundData();
        price = Rounds.toPrice(answer, updatedAt, decimals);
        if (price == 0) revert FeedAnswerInvalid(answer, updatedAt);
    }

    // ------------------------------------------------------------------ the pool's mean

    /// @dev Mean over the market's window that ended at the time `end`, USDC in WAD; 0 where the pool has none.
    function _mean(Market memory m, uint256 end) internal view returns (uint256) {
        uint32[] memory moments = new uint32[](2);
        uint256 ago = block.timestamp - end;
        (moments[0], moments[1]) = (uint32(ago + m.twapWindow), uint32(ago));
        try IUniswapV3PoolView(m.pool).observe(moments) returns (int56[] memory ticks, uint160[] memory) {
            int256 exponent = _exponent(m, ticks);
            return exponent > MAX_EXPONENT ? 0 : Wad.exp(exponent);
        } catch {
            return 0;
        }
    }

    /// @dev Cumulatives are meant to wrap.
    function _exponent(Market memory m, int56[] memory ticks) private pure returns (int256) {
        int56 change;
        unchecked {
            change = ticks[1] - ticks[0];
        }
        int256 exponent = (int256(change) * LN_TICK) / int256(uint256(m.twapWindow));
        return (m.baseIsToken0 ? exponent : -exponent) + LN_SCALE;
    }

    // ------------------------------------------------------------------ arithmetic

    function _market(uint16 underlying) internal view returns (Market memory m) {
        m = _markets[underlying];
        if (m.feed == address(0)) revert MarketUnknown(underlying);
    }

    /// @dev One slot of the market's two: a margin check reads no more.
    function _feedOf(uint16 underlying) internal view returns (address feed, uint8 decimals) {
        Market storage m = _markets[underlying];
        (feed, decimals) = (m.feed, m.feedDecimals);
        if (feed == address(0)) revert MarketUnknown(underlying);
    }

    function _distance(uint256 a, uint256 b) internal pure returns (uint256) {
        return a > b ? a - b : b - a;
    }

    /// @dev |a - b| / a in WAD.
    function _deviation(uint256 a, uint256 b) internal pure returns (uint256) {
        return Wad.divUp(_distance(a, b), a);
    }
}
