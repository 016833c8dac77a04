// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {IClearinghouse} from "../interfaces/IClearinghouse.sol";
import {IHedgeVenue} from "../interfaces/IHedgeVenue.sol";
import {MockToken} from "./MockToken.sol";

/// @notice A venue with endless liquidity at a price set by hand. It can fill in part or too much, keep a share of the
/// proceeds while it reports all of them, re-enter, revert, or hold the position itself as a perpetual would.
contract MockVenue is IHedgeVenue {
    uint256 private constant USDC_SCALE = 1e12;

    MockToken public immutable usdc;
    MockToken public immutable weth;
    address public immutable clearinghouse;
    uint16 public constant underlying = 1;

    uint256 public price;
    uint256 public health = type(uint256).max;
    uint256 public healthAfter = type(uint256).max;
    int256 public fillShare = 1e18;
    uint256 public keepShare;
    bool public synthetic;
    bool public broken;
    int256 public positionBase;
    int256 public positionQuote;
    uint256 private _threshold;
    uint256 private _penalty;
    address public hookTarget;
    bytes public hookData;
    bytes public hookResult;

    error VenueBroken();

    constructor(MockToken usdc_, MockToken weth_, address clearinghouse_, uint256 price_) {
        (usdc, weth, clearinghouse, price) = (usdc_, weth_, clearinghouse_, price_);
    }

    function setPrice(uint256 price_) external {
        price = price_;
    }

    /// @param before reported until the next trade;
    /// @param later from then on.
    function setHealth(uint256 before, uint256 later) external {
        (health, healthAfter) = (before, later);
    }

    /// @param fill WAD share of an order that is filled, may be above one, or negative where synthetic;
    /// @param keep WAD share of what is bought or received that stays here.
    function setTerms(int256 fill, uint256 keep) external {
        (fillShare, keepShare) = (fill, keep);
    }

    /// @notice As a perpetual: trades change the position here and move no tokens.
    function setSynthetic(bool synthetic_) external {
        synthetic = synthetic_;
    }

    /// @notice As if it had been traded: the Clearinghouse is told, once it knows the venue.
    function setPosition(int256 base, int256 quote) external {
        (positionBase, positionQuote) = (base, quote);
        if (clearinghouse.code.length == 0) return;
        // solhint-disable-next-line no-empty-blocks
        try IClearinghouse(clearinghouse).touchVenue(address(this)) {} catch {}
    }

    /// @notice As if somebody had sent it there: nobody is told.
    function setPositionUnseen(int256 base, int256 quote) external {
        (positionBase, positionQuote) = (base, quote);
    }

    function setBroken(bool broken_) external {
        broken = broken_;
    }

    function setHook(address target, bytes calldata data) external {
        (hookTarget, hookData) = (target, data);
    }

    function required(int256 base, uint256 limitPrice, bytes calldata) external view returns (uint256, uint256) {
        if (synthetic) return (0, 0);
        if (base > 0) return ((uint256(base) * limitPrice) / 1e30, 0);
        return (0, uint256(-base));
    }

    function trade(int256 base, uint256, bytes calldata) external returns (int256 filledBase, int256 quoteFlow) {
        if (msg.sender != clearinghouse) revert VenueOnlyClearinghouse(msg.sender);
        if (broken) revert VenueBroken();
        // The result is the point: the test reads what the attacked contract answered.
        // solhint-disable-next-line avoid-low-level-calls
        if (hookTarget != address(0)) (, hookResult) = hookTarget.call(hookData);
        health = healthAfter;
        filledBase = (base * fillShare) / 1e18;
        quoteFlow = -(filledBase * int256(price)) / 1e18;
        if (synthetic) {
            positionBase += filledBase;
            positionQuote += (quoteFlow * int256(1e18 - keepShare)) / 1e18;
        } else {
            _sendHome(filledBase, quoteFlow);
        }
        emit VenueTraded(filledBase, quoteFlow);
    }

    function position() external view returns (int256, int256) {
        if (broken) revert VenueBroken();
        return (positionBase, positionQuote);
    }

    /// @notice As `liquidation()` answers: threshold and penalty, WAD.
    function setLiquidation(uint256 threshold, uint256 penalty) external {
        (_threshold, _penalty) = (threshold, penalty);
    }

    function liquidation() external view returns (uint256, uint256) {
        return (_threshold, _penalty);
    }

    function unwind() external {
        if (msg.sender != clearinghouse) revert VenueOnlyClearinghouse(msg.sender);
        (int256 base, int256 quote) = (positionBase, positionQuote);
        (positionBase, positionQuote) = (0, 0);
        if (base > 0) weth.mint(clearinghouse, uint256(base));
        if (quote > 0) usdc.mint(clearinghouse, uint256(quote) / USDC_SCALE);
        emit VenueUnwound(base, quote);
    }

    /// @dev Pays from what was sent for the order, mints the other side; nothing else is held here.
    function _sendHome(int256 filledBase, int256 quoteFlow) private {
        uint256 usdcBack = usdc.balanceOf(address(this));
        uint256 wethBack = weth.balanceOf(address(this));
        if (filledBase > 0) {
            usdcBack -= uint256(-quoteFlow) / USDC_SCALE;
            wethBack += (uint256(filledBase) * (1e18 - keepShare)) / 1e18;
        } else {
            wethBack -= uint256(-filledBase);
            usdcBack += (uint256(quoteFlow) * (1e18 - keepShare)) / 1e18 / USDC_SCALE;
        }
        _settle(usdc, usdcBack);
        _settle(weth, wethBack);
    }

    function _settle(MockToken token, uint256 back) private {
        uint256 held = token.balanceOf(address(this));
        if (back > held) token.mint(address(this), back - held);
        if (back != 0) token.transfer(clearinghouse, back);
        uint256 left = token.balanceOf(address(this));
        if (left != 0) token.transfer(address(1), left);
    }
}
