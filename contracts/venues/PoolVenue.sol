// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {IERC20Metadata} from "@openzeppelin/contracts/token/ERC20/extensions/IERC20Metadata.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {IHedgeVenue} from "../interfaces/IHedgeVenue.sol";
import {IUniswapV3Pool, IUniswapV3SwapCallback} from "../interfaces/external/IUniswapV3Pool.sol";
import {SqrtPrice} from "./SqrtPrice.sol";

/// @title A venue that trades on one Uniswap v3 pool, directly: the router would cost a call and an allowance more.
/// @notice A fill stops where the next wei would cost more than the limit, pool fee included, so a trade is filled in
/// part rather than beyond its limit. Nothing stays here: what is left of the tokens sent goes back, and so does what
/// anybody sent unasked.
/// Warning: `trade`, `unwind` and the callback rely on the Clearinghouse and the pool not to be re-entered; the venue
/// has no lock of its own. USDC must neither take a fee on transfer nor rebase.
abstract contract PoolVenue is IHedgeVenue, IUniswapV3SwapCallback {
    using SafeERC20 for IERC20Metadata;

    /// @dev Bounds that keep every product below 2^256; far beyond any market.
    int256 internal constant MAX_BASE = 1e30;
    uint256 internal constant MAX_PRICE = 1e30;
    /// @dev USDC units x wei per (WAD USD per ETH): 18 + 18 - 6 decimals.
    uint256 internal constant QUOTE_SCALE = 1e30;
    int256 internal constant USDC_TO_WAD = 1e12;

    address public immutable clearinghouse;
    IUniswapV3Pool public immutable pool;
    IERC20Metadata public immutable usdc;
    IERC20Metadata public immutable weth;
    /// @inheritdoc IHedgeVenue
    uint16 public immutable underlying;
    bool internal immutable _baseIsToken0;
    uint256 internal immutable _fee;

    error VenueOnlyPool(address caller);
    error VenueZeroAddress();
    error VenuePoolTokensUnexpected(address token0, address token1);
    error VenueDecimalsUnexpected(address token, uint8 expected, uint8 actual);
    error VenueBaseOutOfRange(int256 base, int256 limit);
    error VenuePriceOutOfRange(uint256 price, uint256 limit);

    modifier onlyClearinghouse() {
        if (msg.sender != clearinghouse) revert VenueOnlyClearinghouse(msg.sender);
        _;
    }

    constructor(
        address clearinghouse_,
        IUniswapV3Pool pool_,
        IERC20Metadata usdc_,
        IERC20Metadata weth_,
        uint16 underlying_
    ) {
        if (clearinghouse_ == address(0)) revert VenueZeroAddress();
        (address token0, address token1) = (pool_.token0(), pool_.token1());
        bool baseIsToken0 = token0 == address(weth_);
        if (!(baseIsToken0 ? token1 == address(usdc_) : token0 == address(usdc_) && token1 == address(weth_))) {
            revert VenuePoolTokensUnexpected(token0, token1);
        }
        _checkDecimals(usdc_, 6);
        _checkDecimals(weth_, 18);
        clearinghouse = clearinghouse_;
        pool = pool_;
        usdc = usdc_;
        weth = weth_;
        underlying = underlying_;
        _baseIsToken0 = baseIsToken0;
        _fee = pool_.fee();
    }

    /// @inheritdoc IUniswapV3SwapCallback
    /// @dev A genuine pool calls back only the contract that called its `swap`, so the caller's address is proof
    /// enough that this venue asked for the swap.
    function uniswapV3SwapCallback(int256 amount0Delta, int256 amount1Delta, bytes calldata data) external {
        if (msg.sender != address(pool)) revert VenueOnlyPool(msg.sender);
        (int256 baseDelta, int256 quoteDelta) = _baseIsToken0
            ? (amount0Delta, amount1Delta)
            : (amount1Delta, amount0Delta);
        if (quoteDelta > 0) _payForBuy(uint256(-baseDelta), uint256(quoteDelta), data);
        else _payForSale(uint256(baseDelta), data);
    }

    /// @dev Called within a swap: `bought` WETH has come in, `cost` USDC must reach the pool.
    function _payForBuy(uint256 bought, uint256 cost, bytes calldata data) internal virtual;

    /// @dev Called within a swap: the USDC has come in or gone to the recipient, `sold` WETH must reach the pool.
    function _payForSale(uint256 sold, bytes calldata data) internal virtual;

    /// @dev Buys or sells up to `amount` wei at an average, fee included, no worse than the limit.
    /// @return filled WETH in wei.
    /// @return quote USDC in token units.
    function _swap(
        bool buy,
        uint256 amount,
        uint256 limitPrice,
        address recipient,
        bytes memory data
    ) internal returns (uint256 filled, uint256 quote) {
        bool zeroForOne = buy != _baseIsToken0;
        uint160 limit = SqrtPrice.limit(buy, _baseIsToken0, limitPrice, _fee);
        (uint160 current, , , , , , ) = pool.slot0();
        if (zeroForOne ? current <= limit : current >= limit) revert VenueLimitPriceBreached(0, 0, limitPrice);
        (int256 amount0, int256 amount1) = pool.swap(
            recipient,
            zeroForOne,
            buy ? -int256(amount) : int256(amount),
            limit,
            data
        );
        (int256 baseDelta, int256 quoteDelta) = _baseIsToken0 ? (amount0, amount1) : (amount1, amount0);
        filled = uint256(buy ? -baseDelta : baseDelta);
        quote = uint256(buy ? quoteDelta : -quoteDelta);
        // The pool's own rounding can pass the limit by a token unit where the limit is the pool's price itself.
        if (buy ? quote * QUOTE_SCALE > filled * limitPrice : quote * QUOTE_SCALE < filled * limitPrice) {
            (int256 filledBase, int256 quoteFlow) = _signed(buy, filled, quote);
            revert VenueLimitPriceBreached(filledBase, quoteFlow, limitPrice);
        }
    }

    /// @dev A fill as IHedgeVenue reports it: WAD, from the venue's side.
    function _signed(bool buy, uint256 filled, uint256 quote) internal pure returns (int256, int256) {
        int256 flow = int256(quote) * USDC_TO_WAD;
        return buy ? (int256(filled), -flow) : (-int256(filled), flow);
    }

    /// @dev |base| of an order, once it and the limit are known to be in range.
    function _size(int256 base, uint256 limitPrice) internal pure returns (uint256) {
        if (base > MAX_BASE || base < -MAX_BASE) revert VenueBaseOutOfRange(base, MAX_BASE);
        if (limitPrice > MAX_PRICE) revert VenuePriceOutOfRange(limitPrice, MAX_PRICE);
        return uint256(base < 0 ? -base : base);
    }

    /// @dev USDC for an amount of WETH at a price, the most that a buy can cost.
    function _valueUp(uint256 amount, uint256 price) internal pure returns (uint256) {
        return Math.ceilDiv(amount * price, QUOTE_SCALE);
    }

    function _sweep(IERC20Metadata token) internal {
        uint256 left = token.balanceOf(address(this));
        if (left != 0) token.safeTransfer(clearinghouse, left);
    }

    function _checkDecimals(IERC20Metadata token, uint8 expected) private view {
        uint8 actual = token.decimals();
        if (actual != expected) revert VenueDecimalsUnexpected(address(token), expected, actual);
    }
}
