// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {BookRisk, Greeks, IRiskEngine, LegMark, Slice} from "../interfaces/IRiskEngine.sol";
import {Leg, PackedLeg, SeriesId} from "../libraries/SeriesId.sol";
import {Wad} from "../libraries/Wad.sol";
import {Marks} from "./Marks.sol";
import {Strikes} from "./Strikes.sol";

/// @title What a desk asks of a trade, in one call. Documented in IRiskEngine.
abstract contract TradeMarks is Marks {
    uint128 private constant CALL = 1;

    /// @inheritdoc IRiskEngine
    function tradeMarks(
        PackedLeg[] calldata book,
        Leg[] calldata legs,
        uint256 spot,
        uint256 other
    ) external view returns (BookRisk memory risk, BookRisk memory change, LegMark[] memory marks_) {
        uint16 underlying = legs[0].series.underlying();
        Cache memory fresh = _cacheAt(Slice.Fresh, book.length + legs.length, underlying, spot);
        Cache memory aged = _cacheAt(Slice.Reference, legs.length, underlying, spot);
        _addBook(risk, fresh, book, underlying);
        marks_ = new LegMark[](legs.length);
        for (uint256 i = 0; i < legs.length; ++i) {
            SeriesId id = legs[i].series;
            Expiry memory e = fresh.met[_placeOf(fresh, id.expiryKey())];
            SeriesId asCall = SeriesId.wrap(SeriesId.unwrap(id) | CALL);
            (, Greeks memory g) = _mark(e, asCall);
            int256 size = legs[i].size;
            _add(change, e, g, -size, id.isCall() ? int256(0) : -size);
            marks_[i].vega = uint256(g.vega);
            _worse(marks_[i], e, aged.met[_placeOf(aged, id.expiryKey())], id, size > 0, other);
        }
    }

    function _cacheAt(
        Slice slice,
        uint256 legs,
        uint16 underlying,
        uint256 spot
    ) private pure returns (Cache memory c) {
        c = _cache(slice, legs);
        (c.underlying, c.spot) = (underlying, spot);
    }

    function _addBook(BookRisk memory risk, Cache memory c, PackedLeg[] calldata book, uint16 underlying) private view {
        (uint256 at, uint256 end, ) = Strikes.fold(book, underlying);
        for (; at != end; at += Strikes.SIZE) {
            (SeriesId asCall, int256 size, int256 puts) = Strikes.read(at);
            Expiry memory e = c.met[_placeOf(c, asCall.expiryKey())];
            if (e.tau == 0) continue;
            (, Greeks memory g) = _mark(e, asCall);
            _add(risk, e, g, size, puts);
        }
    }

    /// @dev A put has the call's Greeks but for the delta, so whatever is after a trade is exactly before the next.
    function _add(BookRisk memory risk, Expiry memory e, Greeks memory g, int256 size, int256 puts) private pure {
        risk.delta += size * g.delta - puts * int256(Wad.divDown(e.forward, e.spot));
        risk.gamma += size * g.gamma;
        risk.vega += size * g.vega;
    }

    /// @dev The dearer of all for a buyer, the cheaper for a seller.
    function _worse(
        LegMark memory m,
        Expiry memory fresh,
        Expiry memory aged,
        SeriesId id,
        bool buys,
        uint256 other
    ) private pure {
        m.here = _pick(buys, _price(fresh, id), _price(aged, id));
        m.worse = m.here;
        if (other == fresh.spot) return;
        m.worse = _pick(buys, m.worse, _priceAt(fresh, id, other));
        m.worse = _pick(buys, m.worse, _priceAt(aged, id, other));
    }

    /// @dev The forward moves in proportion to the spot.
    function _priceAt(Expiry memory e, SeriesId id, uint256 spot) private pure returns (uint256 price) {
        uint256 forward = e.forward;
        e.forward = Math.mulDiv(forward, spot, e.spot);
        price = _price(e, id);
        e.forward = forward;
    }

    function _pick(bool greater, uint256 a, uint256 b) private pure returns (uint256) {
        return (a > b) == greater ? a : b;
    }
}
