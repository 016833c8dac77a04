// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {AccessManaged} from "@openzeppelin/contracts/access/manager/AccessManaged.sol";
import {IERC20Metadata} from "@openzeppelin/contracts/token/ERC20/extensions/IERC20Metadata.sol";
import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {AggregatorV3Interface} from "@chainlink/contracts/src/v0.8/shared/interfaces/AggregatorV3Interface.sol";
import {Action, IMarketOracle, OracleState} from "./interfaces/IMarketOracle.sol";
import {IUniswapV3PoolView} from "./interfaces/external/IUniswapV3PoolView.sol";
import {SeriesIdLib} from "./libraries/SeriesId.sol";
import {Wad} from "./libraries/Wad.sol";

/// @title Spot, settlement prices and oracle state. Documented in IMarketOracle.
contract MarketOracle is IMarketOracle, AccessManaged {
    /// @dev ln(1.0001) and ln(1e12) in WAD: a tick is a power of 1.0001, and a USDC/WETH price carries 12 decimals.
    int256 private constant LN_TICK = 99995000333308;
    int256 private constant LN_SCALE = 27631021115928548208;
    uint256 private constant PRICE_SCALE = 1e30;
    uint256 private constant Q96 = 1 << 96;

    mapping(uint16 underlying => Market) private _markets;
    mapping(uint56 expiryKey => uint256 price) private _settlement;

    constructor(address authority_) AccessManaged(authority_) {}

    /// @inheritdoc IMarketOracle
    function registerMarket(
        uint16 underlying,
        address baseToken,
        address usdc,
        Market calldata config
    ) external restricted {
        if (underlying == 0) revert MarketUnknown(underlying);
        if (_markets[underlying].feed != address(0)) revert MarketExists(underlying);
        _inRange("maxAge", config.maxAge, 60, 1 days);
        _inRange("twapWindow", config.twapWindow, 60, 1 days);
        _inRange("maxDeviation", config.maxDeviation, 1e15, 2e17);
        _inRange("baseDecimals", IERC20Metadata(baseToken).decimals(), 18, 18);
        _inRange("quoteDecimals", IERC20Metadata(usdc).decimals(), 6, 6);
        uint8 decimals = AggregatorV3Interface(config.feed).decimals();
        if (decimals != config.feedDecimals) revert FeedDecimalsUnexpected(config.feedDecimals, decimals);
        _inRange("feedDecimals", decimals, 0, 18);
        _checkPoolTokens(config, baseToken, usdc);
        _markets[underlying] = config;
        (uint256 price, ) = spot(underlying);
        uint256 mean = twap(underlying);
        if (_deviation(price, mean) > config.maxDeviation) revert FeedDisagreesWithPool(price, mean);
        emit MarketRegistered(underlying, config.feed, decimals, config.pool);
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
        if (answer <= 0 || updatedAt > block.timestamp) revert FeedAnswerInvalid(answer, updatedAt);
        price = _scale(uint256(answer), m.feedDecimals);
        _settlement[key] = price;
        emit SettlementProven(underlying, expiry, price, roundId);
    }

    /// @inheritdoc IMarketOracle
    function spot(uint16 underlying) public view returns (uint256 price, uint256 updatedAt) {
        Market memory m = _market(underlying);
        int256 answer;
        (, answer, , updatedAt, ) = AggregatorV3Interface(m.feed).latestRoundData();
        if (answer <= 0 || updatedAt == 0 || updatedAt > block.timestamp) revert FeedAnswerInvalid(answer, updatedAt);
        price = _scale(uint256(answer), m.feedDecimals);
    }

    /// @inheritdoc IMarketOracle
    function check(uint16 underlying, Action) external view returns (uint256 price) {
        (price, ) = spot(underlying);
    }

    /// @inheritdoc IMarketOracle
    /// @dev False alarms are the safe side: a pool without history or a feed that reverts is never `Fresh`.
    function state(uint16 underlying) external view returns (OracleState) {
        Market memory m = _market(underlying);
        uint256 price;
        try this.spot(underlying) returns (uint256 p, uint256 updatedAt) {
            if (block.timestamp - updatedAt > m.maxAge) return OracleState.Stale;
            price = p;
        } catch {
            return OracleState.Stale;
        }
        try this.twap(underlying) returns (uint256 mean) {
            return _deviation(price, mean) > m.maxDeviation ? OracleState.Deviating : OracleState.Fresh;
        } catch {
            return OracleState.Deviating;
        }
    }

    /// @inheritdoc IMarketOracle
    function poolPrice(uint16 underlying) external view returns (uint256) {
        Market memory m = _market(underlying);
        (uint160 root, , , , , , ) = IUniswapV3PoolView(m.pool).slot0();
        if (m.baseIsToken0) return Math.mulDiv(Math.mulDiv(root, root, Q96), PRICE_SCALE, Q96);
        return Math.mulDiv(Math.mulDiv(Q96, Q96, root), PRICE_SCALE, root);
    }

    /// @inheritdoc IMarketOracle
    function twap(uint16 underlying) public view returns (uint256) {
        Market memory m = _market(underlying);
        uint32[] memory ago = new uint32[](2);
        ago[0] = m.twapWindow;
        (int56[] memory ticks, ) = IUniswapV3PoolView(m.pool).observe(ago);
        int256 exponent = ((ticks[1] - ticks[0]) * LN_TICK) / int256(uint256(m.twapWindow));
        return Wad.exp((m.baseIsToken0 ? exponent : -exponent) + LN_SCALE);
    }

    /// @inheritdoc IMarketOracle
    function market(uint16 underlying) external view returns (Market memory) {
        return _market(underlying);
    }

    /// @inheritdoc IMarketOracle
    function settlementPrice(uint16 underlying, uint40 expiry) external view returns (uint256) {
        return _settlement[SeriesIdLib.expiryKeyOf(underlying, expiry)];
    }

    function _market(uint16 underlying) private view returns (Market memory m) {
        m = _markets[underlying];
        if (m.feed == address(0)) revert MarketUnknown(underlying);
    }

    function _checkPoolTokens(Market calldata config, address baseToken, address usdc) private view {
        address token0 = IUniswapV3PoolView(config.pool).token0();
        address token1 = IUniswapV3PoolView(config.pool).token1();
        bool matches = config.baseIsToken0
            ? token0 == baseToken && token1 == usdc
            : token0 == usdc && token1 == baseToken;
        if (!matches) revert PoolTokensUnexpected(token0, token1);
    }

    function _scale(uint256 answer, uint8 decimals) private pure returns (uint256) {
        return answer * 10 ** (18 - decimals);
    }

    /// @dev |a - b| / a in WAD.
    function _deviation(uint256 a, uint256 b) private pure returns (uint256) {
        return Wad.divUp(a > b ? a - b : b - a, a);
    }

    function _inRange(string memory name, uint256 value, uint256 low, uint256 high) private pure {
        if (value < low || value > high) revert ParameterOutOfRange(name, value, low, high);
    }
}
