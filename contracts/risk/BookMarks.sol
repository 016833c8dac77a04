// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {IMarketOracle} from "../interfaces/IMarketOracle.sol";
import {Greeks, Portfolio, Slice} from "../interfaces/IRiskEngine.sol";
import {BookRisk, BookValue, IBookMarks, LegMark} from "../interfaces/IBookMarks.sol";
import {IVolSurface} from "../interfaces/IVolSurface.sol";
import {BlackScholes} from "../libraries/BlackScholes.sol";
import {ScenarioKernel} from "../libraries/ScenarioKernel.sol";
import {Leg, PackedLeg, SeriesId} from "../libraries/SeriesId.sol";
import {Wad} from "../libraries/Wad.sol";
import {Marks} from "./Marks.sol";
import {Strikes} from "./Strikes.sol";

/// @title Marks of whole books. Documented in IBookMarks.
/// @notice Made by the risk engine's constructor, without storage. Apart from it because beside them its margin costs more.
contract BookMarks is IBookMarks, Marks {
    uint128 private constant CALL = 1;

    constructor(IMarketOracle oracle_, IVolSurface surface_) Marks(oracle_, surface_) {}

    /// @inheritdoc IBookMarks
    function optionGreeks(uint16 underlying, PackedLeg[] calldata legs) external view returns (Greeks memory total) {
        Cache memory c = _cache(Slice.Fresh, legs.length);
        (uint256 at, uint256 end, ) = Strikes.fold(legs, underlying);
        while (at != end) {
            Expiry memory e = c.met[_placeOf(c, Strikes.expiryKey(at))];
            if (e.tau != 0) _addGreeks(total, e, at);
            unchecked {
                at += Strikes.SIZE;
            }
        }
    }

    /// @inheritdoc IBookMarks
    function optionDelta(uint16 underlying, PackedLeg[] calldata legs) external view returns (int256 total) {
        Cache memory c = _cache(Slice.Fresh, legs.length);
        (uint256 at, uint256 end, ) = Strikes.fold(legs, underlying);
        while (at != end) {
            Expiry memory e = c.met[_placeOf(c, Strikes.expiryKey(at))];
            unchecked {
                if (e.tau != 0) total += _delta(e, at);
                at += Strikes.SIZE;
            }
        }
    }

    /// @inheritdoc IBookMarks
    function optionValue(PackedLeg[] calldata legs, Slice slice) external view returns (int256) {
        return _value(_cache(slice, legs.length), legs);
    }

    /// @inheritdoc IBookMarks
    function marks(
        Leg[] calldata legs,
        Slice slice
    ) external view returns (uint256[] memory values, Greeks[] memory greeks) {
        Cache memory c = _cache(slice, legs.length);
        values = new uint256[](legs.length);
        greeks = new Greeks[](legs.length);
        for (uint256 i = 0; i < legs.length; ++i) {
            SeriesId id = legs[i].series;
            (values[i], greeks[i]) = _mark(c.met[_placeOf(c, id.expiryKey())], id);
        }
    }

    /// @inheritdoc IBookMarks
    function equity(Portfolio calldata p, Slice slice) external view returns (int256 total) {
        Cache memory c = _cache(slice, p.legs.length);
        total = p.cash + _value(c, p.legs);
        if (p.base == 0 && p.hedges.length == 0) return total;
        int256 spot = int256(_spot(c, p.underlying));
        total += Wad.mulSignedDown(int256(p.base), spot);
        for (uint256 i = 0; i < p.hedges.length; ++i) {
            total += p.hedges[i].quote + Wad.mulSignedDown(p.hedges[i].base, spot);
        }
    }

    /// @inheritdoc IBookMarks
    function ofTrade(
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
        for (uint256 i = 0; i < legs.length; ++i) _addLeg(change, marks_[i], fresh, aged, legs[i], other);
    }

    /// @inheritdoc IBookMarks
    function ofBook(
        PackedLeg[] calldata legs,
        uint16 underlying,
        uint256 spot
    ) external view returns (BookValue memory b) {
        Cache memory fresh = _cacheAt(Slice.Fresh, legs.length, underlying, spot);
        Cache memory aged = _cacheAt(Slice.Reference, legs.length, underlying, spot);
        uint256 next = _nextUnderlying(legs, NONE, 0);
        while (next != NONE) {
            (uint256 at, uint256 end, bool others) = Strikes.fold(legs, next);
            for (; at != end; at += Strikes.SIZE) _addStrike(b, fresh, aged, at, next == underlying);
            next = others ? _nextUnderlying(legs, NONE, next + 1) : NONE;
        }
    }

    /// @dev Calls and puts of a strike on both slices.
    function _addStrike(
        BookValue memory b,
        Cache memory fresh,
        Cache memory aged,
        uint256 at,
        bool sensitivities
    ) private view {
        (SeriesId asCall, int256 size, int256 puts) = Strikes.read(at);
        uint256 key = asCall.expiryKey();
        Expiry memory e = fresh.met[_placeOf(fresh, key)];
        (uint256 price, Greeks memory g) = _mark(e, asCall);
        b.fresh += _both(asCall, size, puts, price, e.forward);
        if (sensitivities && e.tau != 0) {
            int256 ratio = int256(_ratio(e));
            b.delta += Wad.mulTowardZero(size, g.delta) - Wad.mulTowardZero(puts, ratio);
            b.vega += Wad.mulTowardZero(size, g.vega);
        }
        e = aged.met[_placeOf(aged, key)];
        b.aged += _both(asCall, size, puts, _price(e, asCall), e.forward);
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
        while (at != end) {
            (SeriesId asCall, int256 size, int256 puts) = Strikes.read(at);
            _add(risk, c.met[_placeOf(c, asCall.expiryKey())], asCall, size, puts);
            unchecked {
                at += Strikes.SIZE;
            }
        }
    }

    /// @dev What a trade with a leg adds to the book, and one contract's mark at the worse for who trades with it: the
    /// dearer of all for a buyer, the cheaper for a seller.
    function _addLeg(
        BookRisk memory change,
        LegMark memory m,
        Cache memory fresh,
        Cache memory aged,
        Leg calldata leg,
        uint256 other
    ) private view {
        SeriesId id = leg.series;
        int256 size = leg.size;
        bool buys = size > 0;
        Expiry memory e = fresh.met[_placeOf(fresh, id.expiryKey())];
        SeriesId asCall = SeriesId.wrap(SeriesId.unwrap(id) | CALL);
        (m.here, m.vega) = _add(change, e, asCall, -size, id.isCall() ? int256(0) : -size);
        if (!id.isCall()) m.here = _price(e, id);
        Expiry memory old = aged.met[_placeOf(aged, id.expiryKey())];
        m.here = _pick(buys, m.here, _price(old, id));
        m.worse = m.here;
        if (other == e.spot) return;
        m.worse = _pick(buys, m.worse, _priceAt(e, id, other));
        m.worse = _pick(buys, m.worse, _priceAt(old, id, other));
    }

    /// @dev A put has the call's Greeks but for the delta, so whatever is after a trade is exactly before the next.
    /// @return value of one call.
    /// @return vega of one contract.
    function _add(
        BookRisk memory risk,
        Expiry memory e,
        SeriesId asCall,
        int256 size,
        int256 puts
    ) private pure returns (uint256 value, uint256 vega) {
        if (e.tau == 0) return (_price(e, asCall), 0);
        uint256 strike = asCall.strike();
        uint256 vol = _vol(e, ScenarioKernel.logRatio(e.forward, strike));
        int256 delta;
        uint256 gamma;
        (value, delta, gamma, vega, ) = BlackScholes.greeks(true, e.forward, strike, vol, e.tau, DISCOUNT);
        int256 ratio = int256(_ratio(e));
        unchecked {
            // A leg's size has 128 bits, delta is at most one, ratio below 2^75 and vega, as prices, below 2^98: the sums
            // have room for 2^29 legs. Nothing but gamma, of a price near zero, overflows.
            risk.delta += size * ((delta * ratio) / 1e18) - puts * ratio;
            risk.vega += size * int256(vega);
        }
        risk.gamma += size * Wad.mulTowardZero(Wad.mulTowardZero(int256(gamma), ratio), ratio);
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
