// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {IOptionDesk} from "../interfaces/IOptionDesk.sol";
import {BookRisk, LegMark} from "../interfaces/IBookMarks.sol";
import {Leg} from "../libraries/SeriesId.sol";
import {Wad} from "../libraries/Wad.sol";
import {Inventory} from "./Inventory.sol";

/// @title Premium of a trade from its marks. Pure; docs/desk.md has the formulas.
library DeskPricing {
    /// @dev Sums over the legs, WAD USD, all but `worse` and `here` positive.
    /// @param worse marks at the worse of both spots and slices, as the taker pays them.
    /// @param here the same at the one spot.
    /// @param spread half-spreads.
    /// @param fee of the taker.
    /// @param vega gross.
    /// @param size contracts, gross.
    struct Sums {
        int256 worse;
        int256 here;
        uint256 spread;
        uint256 fee;
        uint256 vega;
        uint256 size;
    }

    uint256 private constant NEUTRAL = 10_000;

    /// @param stances of the legs' expiries, one a leg.
    /// @param before the vault's risk, option legs and hedges.
    function price(
        Leg[] calldata legs,
        LegMark[] memory marks,
        IOptionDesk.Stance[] memory stances,
        BookRisk memory before,
        BookRisk memory later,
        uint256 spot,
        IOptionDesk.DeskParameters memory p
    ) internal pure returns (IOptionDesk.Assessment memory a) {
        Sums memory s;
        for (uint256 i = 0; i < legs.length; ++i) _add(s, legs[i].size, marks[i], stances[i], spot, p);
        a.spot = spot;
        a.fair = fairOf(s, later.delta - before.delta, spot, p.latencyFloor);
        int256 charge = int256(s.spread + Inventory.hedging(before.delta, later.delta, spot, p));
        charge += Inventory.potential(later, spot, p) - Inventory.potential(before, spot, p);
        a.premium = a.fair + (charge > 0 ? charge : int256(0)) + int256(s.fee);
        a.band = Wad.mulUp(s.vega, p.rfqBand) + Wad.mulUp(s.size, p.minSpread);
    }

    /// @dev The latency floor is on the net delta: who knows the next price gains by that alone.
    /// @param delta WAD^2 ETH that the trade moves.
    function fairOf(Sums memory s, int256 delta, uint256 spot, uint256 floor) internal pure returns (int256) {
        uint256 latency = Wad.mulUp(Math.mulDiv(Wad.abs(delta), spot, 1e36, Math.Rounding.Ceil), floor);
        int256 least = s.here + int256(latency);
        return s.worse > least ? s.worse : least;
    }

    /// @dev Per contract the desk's spread on what it buys is at most what it pays: it is never paid to take an option.
    function _add(
        Sums memory s,
        int256 signed,
        LegMark memory m,
        IOptionDesk.Stance memory stance,
        uint256 spot,
        IOptionDesk.DeskParameters memory p
    ) private pure {
        uint256 size = Wad.abs(signed);
        uint256 half = Math.max(Wad.mulUp(m.vega, p.volSpread), p.minSpread);
        if (signed > 0) {
            s.worse += int256(Wad.mulUp(size, m.worse));
            s.here += int256(Wad.mulUp(size, m.here));
            half = Math.ceilDiv(half * stance.askSpread, NEUTRAL);
        } else {
            s.worse -= int256(Wad.mulDown(size, m.worse));
            s.here -= int256(Wad.mulDown(size, m.here));
            half = Math.min(Math.ceilDiv(half * stance.bidSpread, NEUTRAL), m.worse);
        }
        s.spread += Wad.mulUp(size, half);
        s.fee += Wad.mulUp(size, Math.min(Wad.mulUp(spot, p.takerFee), Wad.mulUp(m.here, p.feeCap)));
        s.vega += Wad.mulUp(size, m.vega);
        s.size += size;
    }
}
