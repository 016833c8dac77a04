// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

/// @title One place where the vault hedges. One adapter instance holds the vault's position there.
/// @notice Only the Clearinghouse moves tokens in and calls `trade` and `unwind`; whatever an adapter does not need it
/// sends back to the Clearinghouse before it returns, and the Clearinghouse counts tokens, not return values.
/// The core values `position()` at its own oracle price, never at the venue's mark.
interface IHedgeVenue {
    event VenueTraded(int256 filledBase, int256 quoteFlow);
    event VenueUnwound(int256 base, int256 quote);

    error VenueOnlyClearinghouse(address caller);
    error VenueLimitPriceBreached(int256 filledBase, int256 quoteFlow, uint256 limitPrice);
    error VenueNothingToTrade(int256 base);
    error VenueUnhealthy(uint256 health, uint256 floor);

    /// @notice Market id of the base asset.
    function underlying() external view returns (uint16);

    /// @notice Tokens that the Clearinghouse must send before `trade` with the same arguments.
    /// @param base WAD ETH, positive buys, negative sells, 0 restores the venue's target collateral.
    /// @param limitPrice USD per ETH in WAD: the most to pay (buy) or the least to take (sell).
    /// @return usdcIn USDC in token units.
    /// @return baseIn WETH in wei.
    function required(
        int256 base,
        uint256 limitPrice,
        bytes calldata data
    ) external view returns (uint256 usdcIn, uint256 baseIn);

    /// @notice Trades up to `base`; a partial fill is allowed, a worse price than `limitPrice` is not.
    /// @return filledBase WAD ETH, same sign as `base`.
    /// @return quoteFlow WAD USD that came in (sell) or, negative, went
    /// out (buy) at the exchange itself; collateral moved is not in it.
    function trade(
        int256 base,
        uint256 limitPrice,
        bytes calldata data
    ) external returns (int256 filledBase, int256 quoteFlow);

    /// @notice What is held there, debt, collateral and interest included. Must not revert.
    /// @return base WAD ETH, negative for a short.
    /// @return quote WAD USD.
    function position() external view returns (int256 base, int256 quote);

    /// @notice How the venue liquidates, in the terms of `Hedge` in IRiskEngine. Must not revert.
    /// @return threshold WAD, 0 where nothing can be liquidated.
    /// @return penalty WAD share of the liquidated value.
    function liquidation() external view returns (uint256 threshold, uint256 penalty);

    /// @notice Distance from liquidation: 1e18 is the venue's own threshold, uint256 max means no debt.
    function health() external view returns (uint256);

    /// @notice Closes the whole position at no worse than the adapter's own slippage limit against the oracle and sends
    /// everything to the Clearinghouse.
    function unwind() external;
}
