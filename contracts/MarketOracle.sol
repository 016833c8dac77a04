// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {AccessManaged} from "@openzeppelin/contracts/access/manager/AccessManaged.sol";
import {AggregatorV3Interface} from "@chainlink/contracts/src/v0.8/shared/interfaces/AggregatorV3Interface.sol";
import {IMarketOracle} from "./interfaces/IMarketOracle.sol";
import {Rounds} from "./libraries/Rounds.sol";
import {SeriesIdLib} from "./libraries/SeriesId.sol";
import {Listing} from "./oracle/Listing.sol";

/// @title Spot, settlement prices and oracle state. Documented in IMarketOracle.
contract MarketOracle is Listing {
    mapping(uint56 expiryKey => uint256 price) private _settlement;

    constructor(
        address authority_,
        QuoteFeed memory quote,
        address sequencer_,
        OracleParameters memory p
    ) AccessManaged(authority_) {
        _setParameters(p);
        _setQuoteFeed(quote);
        _setSequencer(sequencer_);
    }

    // ------------------------------------------------------------------ governance

    /// @inheritdoc IMarketOracle
    function registerMarket(
        uint16 underlying,
        address baseToken,
        address usdc,
        Market calldata config
    ) external restricted {
        _register(underlying, baseToken, usdc, config);
    }

    /// @inheritdoc IMarketOracle
    function proposeFeed(uint16 underlying, address feed, uint8 decimals, uint32 maxAge) external restricted {
        _proposeFeed(underlying, feed, decimals, maxAge);
    }

    /// @inheritdoc IMarketOracle
    function acceptFeed(uint16 underlying) external restricted {
        _acceptFeed(underlying);
    }

    /// @inheritdoc IMarketOracle
    function cancelFeed(uint16 underlying) external restricted {
        _cancelFeed(underlying);
    }

    /// @inheritdoc IMarketOracle
    function setSequencer(address feed) external restricted {
        _setSequencer(feed);
    }

    /// @inheritdoc IMarketOracle
    function setParameters(OracleParameters calldata p) external restricted {
        _setParameters(p);
    }

    /// @inheritdoc IMarketOracle
    function proveSettlement(uint16 underlying, uint40 expiry, uint80 roundId) external returns (uint256 price) {
        Market memory m = _market(underlying);
        uint56 key = SeriesIdLib.expiryKeyOf(underlying, expiry);
        if (block.timestamp < expiry) revert ExpiryNotReached(expiry, block.timestamp);
        if (uint256(expiry) % 1 days != SeriesIdLib.EXPIRY_SECOND_OF_DAY) revert SeriesIdLib.ExpiryOffGrid(expiry);
        if (_settlement[key] != 0) revert AlreadyProven(underlying, expiry);
        // The predecessor must carry the same phase in its upper 16 bits, or ids of two aggregators would be mixed.
        if (uint64(roundId) <= 1) revert RoundOfOtherPhase(roundId);
        (, int256 answer, , uint256 updatedAt, ) = AggregatorV3Interface(m.feed).getRoundData(roundId);
        (, , , uint256 previousAt, ) = AggregatorV3Interface(m.feed).getRoundData(roundId - 1);
        if (previousAt == 0 || previousAt >= expiry || updatedAt < expiry) {
            revert RoundNotFirstAfterExpiry(roundId, previousAt, updatedAt, expiry);
        }
        price = Rounds.toPrice(answer, updatedAt, m.feedDecimals);
        if (price == 0) revert FeedAnswerInvalid(answer, updatedAt);
        _settlement[key] = price;
        emit SettlementProven(underlying, expiry, price, roundId);
    }

    /// @inheritdoc IMarketOracle
    function settlementPrice(uint16 underlying, uint40 expiry) external view returns (uint256) {
        return _settlement[SeriesIdLib.expiryKeyOf(underlying, expiry)];
    }

    function _anchor(uint16 underlying) internal override {}
}
