// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {IOptionDesk} from "../interfaces/IOptionDesk.sol";
import {BookRisk} from "../interfaces/IBookMarks.sol";
import {Wad} from "../libraries/Wad.sol";

/// @title What the vault's inventory is charged: docs/desk.md and docs/decisions/0014.
/// @notice The potential P is one convex function of net vega, gamma and delta, and a trade pays P(after) - P(before), so
/// that what it pays does not depend on the way there. With V, G = gamma x spot^2 and D each over its scale:
/// P = vegaSkew x vegaLimit x V^2 / 2 + gammaSkew x gammaLimit x G^2 / 2 + deltaSkew x spot x deltaScale x D^2 / 2.
/// @dev Risks come as exact sums of size x Greek (WAD^2): what is after one trade is to the unit what is before the next.
library Inventory {
    uint256 private constant SQUARE = 1e36;

    /// @return WAD USD, rounded down: always in the same way, so that differences add up exactly.
    function potential(
        BookRisk memory b,
        uint256 spot,
        IOptionDesk.DeskParameters memory p
    ) internal pure returns (int256) {
        uint256 total = _bowl(Wad.abs(b.vega) / 1e18, p.vegaSkew, p.vegaLimit);
        total += _bowl(dollarGamma(b.gamma, spot), p.gammaSkew, p.gammaLimit);
        return int256(total + _bowl(Wad.abs(b.delta) / 1e18, Wad.mulDown(p.deltaSkew, spot), p.deltaScale));
    }

    /// @notice Expected cost of hedging what a trade adds to |net delta|: venue fee, slippage and gas; 0 for what does not.
    /// @return WAD USD, rounded up.
    function hedging(
        int256 before,
        int256 later,
        uint256 spot,
        IOptionDesk.DeskParameters memory p
    ) internal pure returns (uint256) {
        uint256 from = Wad.abs(before) / 1e18;
        uint256 to = Wad.abs(later) / 1e18;
        if (to <= from) return 0;
        uint256 fee = Wad.mulUp(Wad.mulUp(to - from, spot), p.hedgeFee);
        uint256 steepness = Wad.mulDown(p.hedgeImpact, spot);
        return fee + _bowl(to, steepness, p.deltaScale) + 1 - _bowl(from, steepness, p.deltaScale) + p.hedgeGas;
    }

    /// @param gamma WAD^2.
    /// @return |gamma| x spot^2, WAD USD, rounded down.
    function dollarGamma(int256 gamma, uint256 spot) internal pure returns (uint256) {
        return Math.mulDiv(Math.mulDiv(Wad.abs(gamma), spot, SQUARE), spot, 1e18);
    }

    /// @dev skew x x^2 / (2 x scale): slope `skew` at x = scale.
    function _bowl(uint256 x, uint256 skew, uint256 scale) private pure returns (uint256) {
        return Math.mulDiv(x * x, skew, 2e18 * scale);
    }
}
