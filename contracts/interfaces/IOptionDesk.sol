// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {Leg, SeriesId} from "../libraries/SeriesId.sol";

/// @title Two-sided quotes on the listed series, with the vault as the other side.
/// @notice premium = worse marks + latency + max(0, spread + inventory + hedging) + fee, rounded against the taker.
/// Worse marks: each leg at the worse for the taker of two spots (the price to act on, and the pool's in this block over
/// USDC/USD) and of both slices. Latency: whatever is missing up to |net delta| x spot x floor. Spread: by leg, scaled by
/// the stance of its expiry and side. Inventory: P(after) - P(before) of one convex function of the vault's net vega,
/// gamma and delta. Hedging: of what raises |net delta|. No part is less for a trade in pieces, and no sum of them is
/// negative round a loop (I-09). docs/desk.md has each formula.
interface IOptionDesk {
    /// @dev WAD means whole millionths here.
    /// @param volSpread half-spread, WAD of volatility.
    /// @param minSpread least half-spread, WAD USD per contract.
    /// @param latencyFloor WAD share of |net delta| x spot.
    /// @param takerFee WAD share of spot per contract; it is part of the premium and so the vault's.
    /// @param feeCap WAD share of a contract's mark beyond which the fee does not go.
    /// @param vegaSkew WAD of volatility by which inventory moves the price where net vega is at its limit.
    /// @param gammaSkew the same for gamma: WAD USD per USD of gamma x spot^2.
    /// @param deltaSkew the same for delta: WAD share of spot at `deltaScale`.
    /// @param hedgeFee WAD share of the value hedged: venue fee.
    /// @param hedgeImpact WAD share of the value hedged that hedging `deltaScale` slips by.
    /// @param hedgeGas WAD USD of a hedge, for a trade that raises |net delta|.
    /// @param vegaLimit WAD USD per 1.00 of volatility, the most |net vega| of the vault's options.
    /// @param gammaLimit WAD USD, the most |net gamma| x spot^2.
    /// @param deltaScale WAD ETH.
    /// @param expiryLimit WAD contracts, the most of one expiry, longs and shorts together.
    /// @param maxUtilisation WAD, the most initial margin over equity of the vault.
    /// @param rfqBand WAD of volatility that an RFQ with the vault may be away from the fair price.
    /// @param minSize WAD contracts of a leg.
    /// @param openCutoff seconds before expiry after which nothing opens.
    /// @param stanceMaxAge seconds after which a stance is neutral.
    struct DeskParameters {
        uint64 volSpread;
        uint64 minSpread;
        uint64 latencyFloor;
        uint64 takerFee;
        uint64 feeCap;
        uint64 vegaSkew;
        uint64 gammaSkew;
        uint64 deltaSkew;
        uint64 hedgeFee;
        uint64 hedgeImpact;
        uint64 rfqBand;
        uint64 maxUtilisation;
        uint128 vegaLimit;
        uint128 gammaLimit;
        uint128 deltaScale;
        uint128 expiryLimit;
        uint96 hedgeGas;
        uint96 minSize;
        uint32 openCutoff;
        uint32 stanceMaxAge;
    }

    /// @notice The signal of implied against realised volatility, by expiry: it scales spread and limits, never a mark.
    /// Unit 1e-4: 10,000 is neutral. Spreads 7,000 to 16,000, limits 4,000 to 10,000.
    /// @param bidSpread on what the desk buys.
    /// @param askSpread on what it sells.
    /// @param bidLimit of the vault's limits while its net vega or gamma is long.
    /// @param askLimit while it is short; a trade has the least of its expiries.
    struct Stance {
        uint40 expiry;
        uint16 bidSpread;
        uint16 askSpread;
        uint16 bidLimit;
        uint16 askLimit;
    }

    /// @notice What the desk says of legs, from the side of whoever trades with the vault.
    /// @param opens whether the rules for new risk were applied, or those for what only reduces.
    /// @param spot WAD USD, the price acted on.
    /// @param fair WAD USD that the other side pays: the worse of both spots and slices, and the latency floor; no spread.
    /// @param premium WAD USD, what the desk itself asks.
    /// @param band WAD USD, how far an RFQ may be from `fair`.
    struct Assessment {
        bool opens;
        uint256 spot;
        int256 fair;
        int256 premium;
        uint256 band;
    }

    event Traded(address indexed taker, Leg[] legs, int256 premium, uint256 spot);
    event SeriesListed(SeriesId indexed series);
    event SeriesDelisted(SeriesId indexed series);
    event DeskParametersSet(DeskParameters parameters);
    event QuoterSet(address quoter);
    event StanceSet(uint16 indexed underlying, Stance stance);

    error NoLegs();
    error LegsUnsorted(SeriesId previous, SeriesId next);
    error SeriesNotListed(SeriesId series);
    error SeriesAlreadyListed(SeriesId series);
    error SeriesNotExpired(SeriesId series);
    error TooManySeries(uint256 count);
    error SizeBelowMinimum(SeriesId series, uint256 size, uint256 minimum);
    error SizeTooLarge(SeriesId series, int128 size);
    error PastCutoff(SeriesId series, uint256 cutoff, uint256 nowAt);
    error SurfaceUnfit(uint16 underlying, uint40 expiry);
    error NoSlice(SeriesId series);
    error DeadlinePassed(uint256 deadline, uint256 nowAt);
    error PremiumAboveLimit(int256 premium, int256 limit);
    /// @notice `name` is vega, gamma, expiry or utilisation; the measure is over its limit and did not fall.
    error LimitExceeded(string name, uint256 before, uint256 later, uint256 limit);
    error OnlyQuoter(address caller);
    error StanceOutOfRange(string name, uint256 value, uint256 low, uint256 high);
    error DeskParameterOutOfRange(string name, uint256 value, uint256 low, uint256 high);
    error DeskParameterTooFine(string name, uint256 value);

    /// @notice Premium of a trade now, under the rules of `trade` but for the margin and utilisation after it.
    /// @param legs sizes from the taker's side, each series once, ascending, of one underlying.
    /// @return premium WAD USD the taker pays, negative if the taker receives.
    function quote(Leg[] calldata legs) external view returns (int256 premium);

    /// @notice Trades against the vault from the caller's clearing account, legs and cash in one step. What only reduces
    /// the vault's position (each leg towards zero, |net vega| and |net gamma| not larger) is held to the rule of
    /// `Close` in place of `Open`, and to no limit, listing, cut-off or size.
    /// @param limitPremium WAD USD, the most the taker pays (or, negative, the least to receive).
    function trade(Leg[] calldata legs, int256 limitPremium, uint256 deadline) external returns (int256 premium);

    /// @notice Reverts where the vault may not take the other side of the legs; else what they are worth.
    /// @param hedging for the hedge manager: what lowers |net vega| or |net gamma| and raises neither is held to the rule
    /// of `Hedge`; all else opens.
    function assess(Leg[] calldata legs, bool hedging) external view returns (Assessment memory);

    /// @notice For markets that have just traded against the vault: reverts unless the vault's utilisation is inside its
    /// limit or fell by the trade.
    /// @param legs sizes from the other side.
    /// @param premium WAD USD that the other side paid.
    /// @param equity WAD USD of the vault after the trade.
    /// @param initial margin of the vault after the trade.
    function checkUtilisation(Leg[] calldata legs, int256 premium, int256 equity, uint256 initial) external view;

    /// @notice Lists series that can be traded. Lister role.
    function list(SeriesId[] calldata ids) external;

    /// @notice Removes expired series; anyone may call it.
    function delist(SeriesId[] calldata ids) external;

    /// @notice Sets stances of expiries. Quoter only.
    function setStances(uint16 underlying, Stance[] calldata stances) external;

    /// @notice The stance that applies now, neutral where it is too old or was never set.
    /// @return setAt unix seconds, 0 if never.
    function stanceOf(uint16 underlying, uint40 expiry) external view returns (Stance memory, uint40 setAt);

    function listed() external view returns (SeriesId[] memory);

    function parameters() external view returns (DeskParameters memory);

    /// @notice Who signs the desk's own RFQ and sets stances; zero for nobody.
    function quoter() external view returns (address);

    function vault() external view returns (address);

    /// @notice Governance only.
    function setParameters(DeskParameters calldata p) external;

    /// @notice Governance only.
    function setQuoter(address quoter_) external;
}
