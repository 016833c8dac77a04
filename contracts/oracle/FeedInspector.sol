// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {IERC20Metadata} from "@openzeppelin/contracts/token/ERC20/extensions/IERC20Metadata.sol";
import {AggregatorV3Interface} from "@chainlink/contracts/src/v0.8/shared/interfaces/AggregatorV3Interface.sol";
import {IMarketOracle} from "../interfaces/IMarketOracle.sol";
import {IUniswapV3PoolView} from "../interfaces/external/IUniswapV3PoolView.sol";
import {Rounds} from "../libraries/Rounds.sol";
import {Wad} from "../libraries/Wad.sol";

/// @title What governance hands to MarketOracle must be what it says. Without storage; beside the oracle for its size.
contract FeedInspector {
    /// @dev A feed of USDC further from par than this has another scale, or is of another asset.
    uint256 private constant QUOTE_RANGE = 2e17;

    /// @notice Tokens, pool and ranges of a market. Its feed is a matter of `price`.
    function checkMarket(address baseToken, address usdc, IMarketOracle.Market calldata config) external view {
        _inRange("twapWindow", config.twapWindow, 60, 1 days);
        _inRange("maxDeviation", config.maxDeviation, 1e15, 2e17);
        _inRange("baseDecimals", IERC20Metadata(baseToken).decimals(), 18, 18);
        _inRange("quoteDecimals", IERC20Metadata(usdc).decimals(), 6, 6);
        address token0 = IUniswapV3PoolView(config.pool).token0();
        address token1 = IUniswapV3PoolView(config.pool).token1();
        bool matches = config.baseIsToken0
            ? token0 == baseToken && token1 == usdc
            : token0 == usdc && token1 == baseToken;
        if (!matches) revert IMarketOracle.PoolTokensUnexpected(token0, token1);
    }

    /// @notice The answer of a feed that is alive and has the decimals stated, USD in WAD.
    /// @param isQuote whether it is to be that of USDC, which is checked against par: a market's is for the caller.
    function price(address feed, uint8 decimals, uint32 maxAge, bool isQuote) external view returns (uint256 value) {
        _inRange("maxAge", maxAge, 60, isQuote ? 3 days : 1 days);
        uint8 actual = AggregatorV3Interface(feed).decimals();
        if (actual != decimals) revert IMarketOracle.FeedDecimalsUnexpected(decimals, actual);
        _inRange("feedDecimals", decimals, 0, 18);
        (, int256 answer, , uint256 updatedAt, ) = AggregatorV3Interface(feed).latestRoundData();
        value = Rounds.toPrice(answer, updatedAt, decimals);
        if (value == 0) revert IMarketOracle.FeedAnswerInvalid(answer, updatedAt);
        if (block.timestamp - updatedAt > maxAge) revert IMarketOracle.FeedTooOld(feed, updatedAt, maxAge);
        uint256 off = value > Wad.ONE ? value - Wad.ONE : Wad.ONE - value;
        if (isQuote && off > QUOTE_RANGE) revert IMarketOracle.QuoteFeedOffPar(value);
    }

    /// @notice A sequencer uptime feed that answers.
    function checkSequencer(address feed) external view {
        (bool ok, int256 answer, uint256 startedAt) = Rounds.status(feed);
        if (!ok || answer < 0 || answer > 1 || startedAt == 0) {
            revert IMarketOracle.FeedAnswerInvalid(answer, startedAt);
        }
    }

    function checkParameters(IMarketOracle.OracleParameters calldata p) external pure {
        _inRange("depegBand", p.depegBand, 1e15, 5e16);
        _inRange("sequencerGrace", p.sequencerGrace, 0, 1 days);
        _inRange("phaseWindow", p.phaseWindow, 10 minutes, 1 days);
        _inRange("roundDeadline", p.roundDeadline, 1 hours, 7 days);
        _inRange("feedDelay", p.feedDelay, 1 hours, 30 days);
        _inRange("halfLife", p.halfLife, 1 hours, 90 days);
    }

    function _inRange(string memory name, uint256 value, uint256 low, uint256 high) private pure {
        if (value < low || value > high) revert IMarketOracle.ParameterOutOfRange(name, value, low, high);
    }
}
