// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {IMarketOracle} from "../interfaces/IMarketOracle.sol";
import {Wad} from "../libraries/Wad.sol";
import {FeedInspector} from "./FeedInspector.sol";
import {Sources} from "./Sources.sol";

/// @title Registration of markets, change of feeds, parameters. Documented in IMarketOracle.
abstract contract Listing is Sources {
    /// @dev The id under which the feed of USDC is proposed: no market has it.
    uint16 internal constant QUOTE = 0;

    FeedInspector private immutable _inspector = new FeedInspector();

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
        _inspector.checkMarket(baseToken, usdc, config);
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
        if (feed != address(0)) _inspector.checkSequencer(feed);
        sequencer = feed;
        emit SequencerSet(feed);
    }

    function _setParameters(OracleParameters memory p) internal {
        _inspector.checkParameters(p);
        _depegBand = uint56(p.depegBand);
        (_sequencerGrace, _phaseWindow, _roundDeadline) = (p.sequencerGrace, p.phaseWindow, p.roundDeadline);
        (_feedDelay, _halfLife) = (p.feedDelay, p.halfLife);
        emit OracleParametersSet(p);
    }

    /// @dev Incident 1: the scale is stated, read, and checked against what cannot have the same mistake: the pool's
    /// mean for a market, par for USDC. Both feeds must be alive.
    function _checkFeed(uint16 underlying, address feed, uint8 decimals, uint32 maxAge) private view {
        uint256 price = _inspector.price(feed, decimals, maxAge, underlying == QUOTE);
        if (underlying == QUOTE) return;
        QuoteFeed memory q = _quoteFeed;
        price = Wad.divDown(price, _inspector.price(q.feed, q.decimals, q.maxAge, true));
        uint256 mean = twap(underlying);
        if (_deviation(price, mean) > _markets[underlying].maxDeviation) revert FeedDisagreesWithPool(price, mean);
    }

    function _proposed(uint16 underlying) private view returns (FeedProposal memory p) {
        p = _proposals[underlying];
        if (p.readyAt == 0) revert NoFeedProposed(underlying);
    }
}
