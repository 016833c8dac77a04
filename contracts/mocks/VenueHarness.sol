// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {Address} from "@openzeppelin/contracts/utils/Address.sol";
import {IHedgeVenue} from "../interfaces/IHedgeVenue.sol";

/// @title Stands in for the Clearinghouse where a venue is tested alone: sends what the venue requires, trades, and
/// measures what came back.
contract VenueHarness {
    using SafeERC20 for IERC20;

    IERC20 private immutable _usdc;
    IERC20 private immutable _weth;

    event Traded(int256 filledBase, int256 quoteFlow, int256 usdcFlow, int256 wethFlow);

    constructor(IERC20 usdc, IERC20 weth) {
        _usdc = usdc;
        _weth = weth;
    }

    function tradeOnVenue(IHedgeVenue venue, int256 base, uint256 limitPrice, bytes calldata data) external {
        (int256 usdcBefore, int256 wethBefore) = _balances();
        (uint256 usdcIn, uint256 baseIn) = venue.required(base, limitPrice, data);
        if (usdcIn != 0) _usdc.safeTransfer(address(venue), usdcIn);
        if (baseIn != 0) _weth.safeTransfer(address(venue), baseIn);
        (int256 filledBase, int256 quoteFlow) = venue.trade(base, limitPrice, data);
        _emitFlows(filledBase, quoteFlow, usdcBefore, wethBefore);
    }

    function unwindVenue(IHedgeVenue venue) external {
        (int256 usdcBefore, int256 wethBefore) = _balances();
        venue.unwind();
        _emitFlows(0, 0, usdcBefore, wethBefore);
    }

    /// @notice Any call in the harness's name: what a Clearinghouse that forgets or fakes a step would do.
    function execute(address target, bytes calldata data) external returns (bytes memory) {
        return Address.functionCall(target, data);
    }

    function _balances() private view returns (int256, int256) {
        return (int256(_usdc.balanceOf(address(this))), int256(_weth.balanceOf(address(this))));
    }

    function _emitFlows(int256 filledBase, int256 quoteFlow, int256 usdcBefore, int256 wethBefore) private {
        (int256 usdcAfter, int256 wethAfter) = _balances();
        emit Traded(filledBase, quoteFlow, usdcAfter - usdcBefore, wethAfter - wethBefore);
    }
}
