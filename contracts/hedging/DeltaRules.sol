// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {IHedgeManager} from "../interfaces/IHedgeManager.sol";
import {Portfolio} from "../interfaces/IRiskEngine.sol";
import {Books} from "../libraries/Books.sol";
import {Wad} from "../libraries/Wad.sol";

/// @title The rules that hold a batch to its delta, as plain arithmetic. I-05.
library DeltaRules {
    using Books for Portfolio;

    /// @dev The vault's hedge in one underlying at one moment; options do not move with fills, so their delta is added
    /// once.
    /// @param held whether any venue holds a position, of whatever underlying.
    struct Book {
        int256 delta;
        int256 base;
        int256 quote;
        uint256 gross;
        bool held;
    }

    /// @dev Lending indices round to a few wei, which may trip no rule.
    uint256 internal constant DUST_BASE = 1e6;
    /// @dev Tokens round to 1e-6 USD.
    uint256 private constant DUST_USD = 1e13;

    function book(Portfolio memory p, uint16 underlying, int256 optionDelta) internal pure returns (Book memory b) {
        (b.base, b.quote, b.gross) = p.hedge(underlying);
        b.delta = optionDelta + b.base;
        b.held = p.hedges.length != 0;
    }

    /// @notice Change of the hedge's worth at one price, rounded down.
    function navChange(Book memory a, Book memory b, uint256 price) internal pure returns (int256) {
        return Wad.mulSignedDown(b.base - a.base, int256(price)) + b.quote - a.quote;
    }

    /// @notice The dearest price to buy at, the cheapest to sell at, for a share of slippage. Rounded against the venue.
    function worstPrice(int256 ordered, uint256 price, uint256 slippage) internal pure returns (uint256) {
        return ordered > 0 ? Wad.mulDown(price, 1e18 + slippage) : Wad.mulUp(price, 1e18 - slippage);
    }

    /// @notice What really moved is no more than was ordered, in its direction, and cost no more than the slippage allows.
    /// @param index of the order, for its errors.
    /// @return filled WAD.
    /// @return change of the hedge's worth, WAD USD.
    function checkFill(
        Book memory a,
        Book memory b,
        uint256 index,
        int256 ordered,
        uint256 price,
        uint256 slippage
    ) internal pure returns (int256 filled, int256 change) {
        filled = b.base - a.base;
        bool over = Wad.abs(filled) > Wad.abs(ordered) + DUST_BASE;
        bool turned = Wad.abs(filled) > DUST_BASE && filled > 0 != ordered > 0;
        if (over || turned) revert IHedgeManager.FillOverOrder(index, ordered, filled);
        change = navChange(a, b, price);
        uint256 allowed = Wad.mulDown(Wad.mulDown(Wad.abs(filled), price), slippage) + DUST_USD;
        if (-change > int256(allowed)) revert IHedgeManager.SlippageTooHigh(index, -change, allowed);
    }

    /// @notice |delta| ends inside the band, or no larger than before the batch and smaller than after its options by the
    /// governed share of what was filled; and never beyond the band on the other side of zero.
    /// @param before the batch.
    /// @param middle after its option orders.
    /// @param filled sum of |fills|, WAD.
    function checkDelta(
        int256 before,
        int256 middle,
        int256 later,
        uint256 filled,
        uint256 band,
        uint256 minReduction
    ) internal pure {
        uint256 size = Wad.abs(later);
        if (size <= band) return;
        if (before > 0 != later > 0 || middle > 0 != later > 0) {
            revert IHedgeManager.DeltaOvershoot(before, later, band);
        }
        bool grew = size > Wad.abs(before) + DUST_BASE;
        if (grew || size + Wad.mulUp(filled, minReduction) > Wad.abs(middle) + DUST_BASE) {
            revert IHedgeManager.DeltaNotReduced(before, later, filled);
        }
    }

    /// @notice A position that moves between venues: neither gross exposure nor |delta| beyond the band is larger after.
    function checkMigration(Book memory a, Book memory b, uint256 band) internal pure {
        if (b.gross > a.gross + DUST_BASE) revert IHedgeManager.MigrationAddsGross(a.gross, b.gross);
        uint256 size = Wad.abs(b.delta);
        if (size > band && size > Wad.abs(a.delta) + DUST_BASE) {
            revert IHedgeManager.MigrationAddsDelta(a.delta, b.delta);
        }
    }

    /// @notice Two venues inflated against each other show as gross exposure without net. What is there may shrink.
    function checkGross(Book memory a, Book memory b, uint256 cap) internal pure {
        uint256 limit = Wad.abs(b.base) + cap;
        if (b.gross > limit && b.gross > a.gross) revert IHedgeManager.GrossExposureTooHigh(b.gross, limit);
    }
}
