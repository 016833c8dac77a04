// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

/* solhint-disable no-inline-assembly */
import {IMarketOracle} from "../interfaces/IMarketOracle.sol";
import {Greeks, Slice} from "../interfaces/IRiskEngine.sol";
import {IVolSurface} from "../interfaces/IVolSurface.sol";
import {BlackScholes} from "../libraries/BlackScholes.sol";
import {ScenarioKernel} from "../libraries/ScenarioKernel.sol";
import {PackedLeg, SeriesId} from "../libraries/SeriesId.sol";
import {Smile} from "../libraries/Smile.sol";
import {Svi} from "../libraries/Svi.sol";
import {Wad} from "../libraries/Wad.sol";
import {Strikes} from "./Strikes.sol";

/// @title What one option is worth: oracle and surface are read once per expiry of a call, whatever order its legs have.
abstract contract Marks {
    /// @dev What the legs of one expiry share. An expired one has tau 0.
    /// @param forward what an expired one is paid at: its settlement price, or the spot until there is one.
    /// @param ratio what `_ratio` says, once it was asked.
    /// @param life seconds over which the slice is total variance; without a slice 0, and volatility is 0.
    /// @param root square root of tau as the scenario kernel takes it,
    /// @param up
    /// @param down factors on the volatilities in its scenarios: set by the first leg whose margin is asked.
    struct Expiry {
        uint256 key;
        uint256 spot;
        uint256 forward;
        uint256 tau;
        uint256 ratio;
        uint256 settled;
        uint256 slice;
        uint256 life;
        uint256 root;
        uint256 up;
        uint256 down;
    }

    /// @dev Expiries met so far, and the spot of the underlying met last.
    struct Cache {
        bool reference_;
        uint256 count;
        Expiry[] met;
        uint256 underlying;
        uint256 spot;
    }

    /// @dev No underlying's id.
    uint256 internal constant NONE = type(uint256).max;
    uint256 internal constant DISCOUNT = 1e18;
    uint256 private constant EXPIRY_BYTES = 352;

    IMarketOracle public immutable oracle;
    IVolSurface public immutable surface;

    constructor(IMarketOracle oracle_, IVolSurface surface_) {
        oracle = oracle_;
        surface = surface_;
    }

    function _cache(Slice slice, uint256 legs) internal pure returns (Cache memory c) {
        c.reference_ = slice == Slice.Reference;
        c.underlying = NONE;
        Expiry[] memory met;
        // Room for one pointer a leg; `new` would allocate and clear every struct at once.
        assembly ("memory-safe") {
            met := mload(0x40)
            mstore(met, legs)
            mstore(0x40, add(met, shl(5, add(legs, 1))))
        }
        c.met = met;
    }

    /// @dev Place in the cache of an expiry by its key, which is read if it is new. A place and not the struct, because every
    /// struct that a function returns is first allocated and cleared.
    function _placeOf(Cache memory c, uint256 key) internal view returns (uint256 at) {
        Expiry[] memory met = c.met;
        uint256 count = c.count;
        // Legs of one expiry usually follow each other, so the last one met is asked first.
        assembly ("memory-safe") {
            at := count
            for {} at {} {
                if eq(mload(mload(add(met, shl(5, at)))), key) {
                    break
                }
                at := sub(at, 1)
            }
        }
        unchecked {
            if (at != 0) return at - 1;
            _read(c, key, count);
            c.count = count + 1;
            return count;
        }
    }

    function _read(Cache memory c, uint256 key, uint256 at) private view {
        uint256 underlying = key >> 40;
        uint256 spot = _spot(c, underlying);
        uint256 expiry = uint40(key);
        Expiry[] memory met = c.met;
        // Cleared at once and not word by word.
        assembly ("memory-safe") {
            let room := mload(0x40)
            mstore(0x40, add(room, EXPIRY_BYTES))
            calldatacopy(room, calldatasize(), EXPIRY_BYTES)
            mstore(add(met, shl(5, add(at, 1))), room)
        }
        Expiry memory e = met[at];
        e.key = key;
        e.spot = spot;
        e.forward = spot;
        if (expiry <= block.timestamp) {
            e.settled = oracle.settlementPrice(uint16(underlying), uint40(expiry));
            if (e.settled != 0) e.forward = e.settled;
            return;
        }
        unchecked {
            // A tenor beyond the maths is valued as the longest that it knows: one leg must not make a book unreadable.
            uint256 tau = expiry - block.timestamp;
            if (tau > BlackScholes.MAX_TAU) tau = BlackScholes.MAX_TAU;
            e.tau = tau;
            (uint256 slice, int256 carry, uint256 committedAt) = surface.smileOf(
                uint16(underlying),
                uint40(expiry),
                c.reference_
            );
            // Without a slice the volatility is 0 and the option is worth its intrinsic value.
            if (slice == 0) return;
            if (carry != 0) e.forward = Svi.forward(spot, carry, tau);
            e.slice = slice;
            e.life = expiry - committedAt;
        }
    }

    /// @dev Forward / spot of a live one, WAD: carry is at most 1 over ten years, so it is below 2^75.
    function _ratio(Expiry memory e) internal pure returns (uint256 ratio) {
        ratio = e.ratio;
        if (ratio == 0) e.ratio = ratio = Wad.divDown(e.forward, e.spot);
    }

    /// @dev Legs of one underlying usually follow each other.
    function _spot(Cache memory c, uint256 underlying) internal view returns (uint256 spot) {
        if (c.underlying == underlying) return c.spot;
        (spot, ) = oracle.spot(uint16(underlying));
        (c.underlying, c.spot) = (underlying, spot);
    }

    /// @dev Value of all legs, underlying by underlying. Rounded down.
    function _value(Cache memory c, PackedLeg[] calldata legs) internal view returns (int256 total) {
        uint256 underlying = _nextUnderlying(legs, NONE, 0);
        while (underlying != NONE) {
            (uint256 at, uint256 end, bool others) = Strikes.fold(legs, underlying);
            for (; at != end; at += Strikes.SIZE) {
                (SeriesId asCall, int256 size, int256 puts) = Strikes.read(at);
                Expiry memory e = c.met[_placeOf(c, asCall.expiryKey())];
                total += _both(asCall, size, puts, _price(e, asCall), e.forward);
            }
            underlying = others ? _nextUnderlying(legs, NONE, underlying + 1) : NONE;
        }
    }

    /// @dev The least underlying of the legs from `from` on, but for the one that has had its turn; else NONE.
    function _nextUnderlying(
        PackedLeg[] calldata legs,
        uint256 done,
        uint256 from
    ) internal pure returns (uint256 next) {
        next = NONE;
        for (uint256 i = 0; i < legs.length; ++i) {
            uint256 found = legs[i].series().underlying();
            if (found >= from && found < next && found != done) next = found;
        }
    }

    /// @dev Payoff of the calls and puts of a strike. Rounded down.
    function _payoff(SeriesId asCall, int256 size, int256 puts, uint256 price) internal pure returns (int256) {
        return _both(asCall, size, puts, asCall.payoff(price), price);
    }

    /// @dev Value of the calls and puts of a strike, by that of a call: put = call - F + K. Rounded down.
    function _both(
        SeriesId asCall,
        int256 size,
        int256 puts,
        uint256 value,
        uint256 forward
    ) internal pure returns (int256) {
        int256 parity = int256(asCall.strike()) - int256(forward);
        return Wad.mulSignedDown(size, int256(value)) + Wad.mulSignedDown(puts, parity);
    }

    function _price(Expiry memory e, SeriesId id) internal pure returns (uint256) {
        if (e.tau == 0) return id.payoff(e.forward);
        uint256 strike = id.strike();
        uint256 vol = _vol(e, ScenarioKernel.logRatio(e.forward, strike));
        return BlackScholes.price(id.isCall(), e.forward, strike, vol, e.tau, DISCOUNT);
    }

    /// @dev Spot delta of the calls and puts of a strike, as `_addGreeks` adds it.
    function _delta(Expiry memory e, uint256 at) internal pure returns (int256) {
        (SeriesId asCall, int256 size, int256 puts) = Strikes.read(at);
        uint256 strike = asCall.strike();
        uint256 vol = _vol(e, ScenarioKernel.logRatio(e.forward, strike));
        (, int256 delta, , , ) = BlackScholes.greeks(true, e.forward, strike, vol, e.tau, DISCOUNT);
        int256 ratio = int256(_ratio(e));
        unchecked {
            return (((size * delta) / 1e18 - puts) * ratio) / 1e18;
        }
    }

    /// @dev Adds the spot sensitivities of the calls and puts of a strike; a put has those of the call but for delta.
    function _addGreeks(Greeks memory total, Expiry memory e, uint256 at) internal pure {
        (SeriesId asCall, int256 size, int256 puts) = Strikes.read(at);
        uint256 strike = asCall.strike();
        uint256 vol = _vol(e, ScenarioKernel.logRatio(e.forward, strike));
        (, int256 delta, uint256 gamma, uint256 vega, int256 theta) = BlackScholes.greeks(
            true,
            e.forward,
            strike,
            vol,
            e.tau,
            DISCOUNT
        );
        int256 ratio = int256(_ratio(e));
        unchecked {
            // |size| < 2^107, prices below 2^96, delta at most one: nothing but gamma, of a price near zero, overflows.
            total.delta += (((size * delta) / 1e18 - puts) * ratio) / 1e18;
            total.vega += (size * int256(vega)) / 1e18;
            total.theta += (size * theta) / 1e18;
        }
        total.gamma += Wad.mulTowardZero(Wad.mulTowardZero(Wad.mulTowardZero(size, int256(gamma)), ratio), ratio);
    }

    /// @dev Value and spot sensitivities of one contract: the forward moves in proportion to spot.
    function _mark(Expiry memory e, SeriesId id) internal pure returns (uint256 value, Greeks memory g) {
        if (e.tau == 0) return (_price(e, id), g);
        uint256 strike = id.strike();
        uint256 vol = _vol(e, ScenarioKernel.logRatio(e.forward, strike));
        int256 delta;
        uint256 gamma;
        uint256 vega;
        (value, delta, gamma, vega, g.theta) = BlackScholes.greeks(
            id.isCall(),
            e.forward,
            strike,
            vol,
            e.tau,
            DISCOUNT
        );
        int256 ratio = int256(_ratio(e));
        g.delta = Wad.mulTowardZero(delta, ratio);
        g.gamma = Wad.mulTowardZero(Wad.mulTowardZero(int256(gamma), ratio), ratio);
        g.vega = int256(vega);
    }

    /// @param logRatio ln(F / K) in Q64.
    /// @return 0 where there is no slice.
    function _vol(Expiry memory e, int256 logRatio) internal pure returns (uint256) {
        return Smile.vol(e.slice, logRatio, e.life);
    }
}
