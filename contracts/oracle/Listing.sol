// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {IERC20Metadata} from "@openzeppelin/contracts/token/ERC20/extensions/IERC20Metadata.sol";
import {AggregatorV3Interface} from "@chainlink/contracts/src/v0.8/shared/interfaces/AggregatorV3Interface.sol";
import {IMarketOracle} from "../interfaces/IMarketOracle.sol";
import {IUniswapV3PoolView} from "../interfaces/external/IUniswapV3PoolView.sol";
import {Rounds} from "../libraries/Rounds.sol";
import {Wad} from "../libraries/Wad.sol";
import {Sources} from "./Sources.sol";

/// @title Registration of markets, change of feeds, parameters. Documented in IMarketOracle.
abstract contract Listing is Sources {
    /// @dev The id under which the feed of USDC is proposed: no market has it.
    uint16 internal constant QUOTE = 0;
    /// @dev A feed of USDC further from par than this has another scale, or is of another asset.
    uint256 private constant QUOTE_RANGE = 2e17;

    /// @dev With the sequencer's slot in Sources.
    uint32 internal _phaseWindow;
    uint32 internal _roundDeadline;
    uint32 private _feedDelay;
    uint32 internal _halfLife;
    mapping(uint16 underlying => FeedProposal) private _proposals;

    // ------------------------------------------------------------------ markets and feeds

    function _register(uint16 underlying, address baseToken, address usdc, Market calldata config) internal {
        if (underlying == QUOTE) revert MarketUnknown(underlying);
        if (_markets[underlying].feed != address(0)) revert MarketExists(underlying);
        _inRange("twapWindow", config.twapWindow, 60, 1 days);
        _inRange("maxDeviation", config.maxDeviation, 1e15, 2e17);
        _inRange("baseDecimals", IERC20Metadata(baseToken).decimals(), 18, 18);
        _inRange("quoteDecimals", IERC20Metadata(usdc).decimals(), 6, 6);
        _checkPoolTokens(config, baseToken, usdc);
        _markets[underlying] = config;
        _checkFeed(underlying, config.feed, config.feedDecimals, config.maxAge);
        emit MarketRegistered(underlying, config.feed, config.feedDecimals, config.pool);
        _anchor(underlying);
    }

    function _proposeFeed(uint16 underlying, address feed, uint8 decimals, uint32 maxAge) internal {
        if (underlying != QUOTE) _market(underlying);
        _checkFeed(underlying, feed, decimals, maxAge);
        uint40 readyAt = uint40(block.timestamp + _feedDelay);
        _proposals[underlying] = FeedProposal(feed, decimals, maxAge, readyAt);
        emit FeedProposed(underlying, feed, decimals, maxAge, readyAt);
    }

    function _acceptFeed(uint16 underlying) internal {
        FeedProposal memory p = _proposed(underlying);
        if (block.timestamp < p.readyAt) revert FeedNotReady(p.readyAt, block.timestamp);
        _checkFeed(underlying, p.feed, p.decimals, p.maxAge);
        delete _proposals[underlying];
        emit FeedChanged(underlying, p.feed, p.decimals, p.maxAge);
        if (underlying == QUOTE) {
            _quoteFeed = QuoteFeed(p.feed, p.decimals, p.maxAge);
            return;
        }
        Market storage m = _markets[underlying];
        (m.feed, m.feedDecimals, m.maxAge) = (p.feed, p.decimals, p.maxAge);
        _anchor(underlying);
    }

    function _cancelFeed(uint16 underlying) internal {
        address feed = _proposed(underlying).feed;
        delete _proposals[underlying];
        emit FeedProposalCancelled(underlying, feed);
    }

    // ------------------------------------------------------------------ views

    /// @inheritdoc IMarketOracle
    function parameters() external view returns (OracleParameters memory) {
        return OracleParameters(_depegBand, _sequencerGrace, _phaseWindow, _roundDeadline, _feedDelay, _halfLife);
    }

    /// @inheritdoc IMarketOracle
    function feedProposal(uint16 underlying) external view returns (FeedProposal memory) {
        return _proposals[underlying];
    }

    // ------------------------------------------------------------------ internal

    /// @dev What starts anew with a feed: its first phase and the base of its samples.
    function _anchor(uint16 underlying) internal virtual;

    /// @dev The constructor's part: a feed of USDC is checked like one that is proposed.
    function _setQuoteFeed(QuoteFeed memory q) internal {
        _checkFeed(QUOTE, q.feed, q.decimals, q.maxAge);
        _quoteFeed = q;
        emit FeedChanged(QUOTE, q.feed, q.decimals, q.maxAge);
    }

    function _setSequencer(address feed) internal {
        if (feed != address(0)) {
            (bool ok, int256 answer, uint256 startedAt) = Rounds.status(feed);
            if (!ok || answer < 0 || answer > 1 || startedAt == 0) revert FeedAnswerInvalid(answer, startedAt);
        }
        sequencer = feed;
        emit SequencerSet(feed);
    }

    function _setParameters(OracleParameters memory p) internal {
        _inRange("depegBand", p.depegBand, 1e15, 5e16);
        _inRange("sequencerGrace", p.sequencerGrace, 0, 1 days);
        _inRange("phaseWindow", p.phaseWindow, 10 minutes, 1 days);
        _inRange("roundDeadline", p.roundDeadline, 1 hours, 7 days);
        _inRange("feedDelay", p.feedDelay, 1 hours, 30 days);
        _inRange("halfLife", p.halfLife, 1 hours, 90 days);
        _depegBand = uint56(p.depegBand);
        (_sequencerGrace, _phaseWindow, _roundDeadline) = (p.sequencerGrace, p.phaseWindow, p.roundDeadline);
        (_feedDelay, _halfLife) = (p.feedDelay, p.halfLife);
        emit OracleParametersSet(p);
    }

    /// @dev Incident 1: the scale is stated, read, and checked against what cannot have the same mistake: the pool's
    /// mean for a market, par for USDC. Both feeds must be alive.
    function _checkFeed(uint16 underlying, address feed, uint8 decimals, uint32 maxAge) private view {
        bool isQuote = underlying == QUOTE;
        _inRange("maxAge", maxAge, 60, isQuote ? 3 days : 1 days);
        uint8 actual = AggregatorV3Interface(feed).decimals();
        if (actual != decimals) revert FeedDecimalsUnexpected(decimals, actual);
        _inRange("feedDecimals", decimals, 0, 18);
        uint256 price = _youngAnswer(feed, decimals, maxAge);
        if (isQuote) {
            if (_distance(price, Wad.ONE) > QUOTE_RANGE) revert QuoteFeedOffPar(price);
            return;
        }
        QuoteFeed memory q = _quoteFeed;
        price = Wad.divDown(price, _youngAnswer(q.feed, q.decimals, q.maxAge));
        uint256 mean = twap(underlying);
        if (_deviation(price, mean) > _markets[underlying].maxDeviation) revert FeedDisagreesWithPool(price, mean);
    }

    function _youngAnswer(address feed, uint8 decimals, uint256 maxAge) private view returns (uint256 price) {
        uint256 updatedAt;
        (price, updatedAt) = _answerOf(feed, decimals);
        if (block.timestamp - updatedAt > maxAge) revert FeedTooOld(feed, updatedAt, maxAge);
    }

    function _proposed(uint16 underlying) private view returns (FeedProposal memory p) {
        p = _proposals[underlying];
        if (p.readyAt == 0) revert NoFeedProposed(underlying);
    }

    function _checkPoolTokens(Market calldata config, address baseToken, address usdc) private view {
        address token0 = IUniswapV3PoolView(config.pool).token0();
        address token1 = IUniswapV3PoolView(config.pool).token1();
        bool matches = config.baseIsToken0
            ? token0 == baseToken && token1 == usdc
            : token0 == usdc && token1 == baseToken;
        if (!matches) revert PoolTokensUnexpected(token0, token1);
    }

    function _inRange(string memory name, uint256 value, uint256 low, uint256 high) internal pure {
        if (value < low || value > high) revert ParameterOutOfRange(name, value, low, high);
    }
}
