// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {IRiskEngine, Portfolio, Slice} from "../interfaces/IRiskEngine.sol";
import {PackedLeg} from "../libraries/SeriesId.sol";
import {Wad} from "../libraries/Wad.sol";

/// @title What an auction sells of an account, its price and its smallest share. Derived in ILiquidationAuction.
library Lots {
    /// @param live legs that have not expired.
    /// @param kept value of what stays: expired legs and what is left in venues, WAD USD.
    /// @param keptMargin initial margin of that by itself.
    /// @param equity of the account by the fresh and by the reference slice, as the two below.
    struct Lot {
        Portfolio portfolio;
        uint256 live;
        int256 kept;
        uint256 keptMargin;
        int256[2] equity;
        uint256[2] initial;
        uint256[2] maintenance;
    }

    function read(Portfolio memory p, IRiskEngine engine) internal view returns (Lot memory lot) {
        lot.portfolio = p;
        for (uint256 i = 0; i < p.legs.length; ++i) {
            if (p.legs[i].series().expiry() > block.timestamp) ++lot.live;
        }
        if (lot.live == 0) return lot;
        if (lot.live != p.legs.length || p.hedges.length != 0) {
            (lot.kept, lot.keptMargin, ) = engine.margin(_keptOf(p, lot.live), Slice.Fresh);
        }
        for (uint256 i = 0; i < 2; ++i) {
            (lot.equity[i], lot.initial[i], lot.maintenance[i]) = engine.margin(p, Slice(i));
        }
    }

    /// @notice Below maintenance whichever slice marks it.
    function belowMaintenance(Lot memory lot) internal pure returns (bool) {
        return lot.equity[0] < int256(lot.maintenance[0]) && lot.equity[1] < int256(lot.maintenance[1]);
    }

    /// @notice Price of the whole lot after `elapsed` of `fallTime` seconds, rounded up.
    /// @param equity by the slice that marks the lot dearer.
    /// @return WAD USD, at least what the account cannot pay.
    function price(Lot memory lot, int256 equity, uint256 elapsed, uint256 fallTime) internal pure returns (int256) {
        uint256 left = equity <= 0 ? 0 : Math.mulDiv(uint256(equity), fallTime - elapsed, fallTime, Math.Rounding.Ceil);
        int256 cash = lot.portfolio.cash;
        int256 asked = int256(left) - cash - lot.kept;
        int256 floor = cash > 0 ? -cash : int256(0);
        return asked < floor ? floor : asked;
    }

    /// @notice Smallest share that restores initial margin by one slice, at most one. Rounded up.
    /// @param slice 0 fresh, 1 reference; equity there is below initial margin.
    /// @param lotPrice of the whole lot to the account, WAD USD.
    /// @param bounty WAD USD at most, or `bountyShare` of the sold slice's initial margin.
    /// @return least WAD, 0 where a sale, bounty paid, would not lower what the account lacks.
    function share(
        Lot memory lot,
        uint256 slice,
        int256 lotPrice,
        uint256 bounty,
        uint256 bountyShare
    ) internal pure returns (uint256 least) {
        int256 equity = lot.equity[slice];
        uint256 initial = lot.initial[slice];
        uint256 lacking = uint256(int256(initial) - equity);
        // I - J - D, where D = M - P and M = E - C - K.
        int256 relief = int256(initial) - int256(lot.keptMargin) - equity + lot.portfolio.cash + lot.kept + lotPrice;
        int256 most = bounty == 0 ? int256(0) : int256(Wad.mulUp(initial, bountyShare));
        if (relief <= most) return 0;
        least = Math.min(Wad.divUp(lacking + bounty, uint256(relief)), Wad.divUp(lacking, uint256(relief - most)));
        if (least > Wad.ONE) least = Wad.ONE;
    }

    /// @notice What the account can pay a bounty from after the sale of a share: cash, and no more than equity.
    /// @param equity by the slice that marks the lot dearer.
    /// @param lotPrice of the whole lot to the account.
    /// @param paid for the share, WAD USD.
    function means(
        Lot memory lot,
        int256 equity,
        int256 lotPrice,
        int256 paid,
        uint256 sold
    ) internal pure returns (uint256) {
        int256 cash = lot.portfolio.cash;
        int256 discount = equity - cash - lot.kept - lotPrice;
        int256 left = equity - Wad.mulSignedUp(discount, int256(sold));
        int256 most = paid + (cash > 0 ? cash : int256(0));
        if (left < most) most = left;
        return most > 0 ? uint256(most) : 0;
    }

    /// @dev The account without its lot and its cash.
    function _keptOf(Portfolio memory p, uint256 live) private view returns (Portfolio memory kept) {
        kept.underlying = p.underlying;
        kept.hedges = p.hedges;
        kept.legs = new PackedLeg[](p.legs.length - live);
        uint256 at;
        for (uint256 i = 0; i < p.legs.length; ++i) {
            if (p.legs[i].series().expiry() <= block.timestamp) kept.legs[at++] = p.legs[i];
        }
    }
}
