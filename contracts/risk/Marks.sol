// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

/* solhint-disable no-inline-assembly */
import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {IMarketOracle} from "../interfaces/IMarketOracle.sol";
import {Greeks, IRiskEngine, Slice} from "../interfaces/IRiskEngine.sol";
import {IVolSurface} from "../interfaces/IVolSurface.sol";
import {BlackScholes} from "../libraries/BlackScholes.sol";
import {ScenarioKernel} from "../libraries/ScenarioKernel.sol";
import {Leg, SeriesId} from "../libraries/SeriesId.sol";
import {Svi} from "../libraries/Svi.sol";
import {Wad} from "../libraries/Wad.sol";

/// @title What one option is worth: oracle and surface are read once per expiry of a call, whatever order its legs have.
abstract contract Marks is IRiskEngine {
    /// @dev What the legs of one expiry share. An expired one has tau 0.
    /// @param life seconds over which the slice is total variance; without a slice 0, and volatility is 0.
    /// @param root square root of tau as the scenario kernel takes it,
    /// @param up
    /// @param down factors on the volatilities in its scenarios: set by the first leg whose margin is asked.
    struct Expiry {
        uint56 key;
        uint256 spot;
        uint256 forward;
        uint256 tau;
        uint256 settled;
        uint256 slice;
        uint256 life;
        uint256 root;
        uint256 up;
        uint256 down;
    }

    /// @dev Expiries met so far.
    struct Cache {
        Slice slice;
        uint256 count;
        Expiry[] met;
        uint16 underlying;
        uint256 spot;
    }

    uint256 private constant DISCOUNT = 1e18;
    uint256 private constant MAX_EXPIRIES = 32;

    IMarketOracle public immutable oracle;
    IVolSurface public immutable surface;

    constructor(IMarketOracle oracle_, IVolSurface surface_) {
        oracle = oracle_;
        surface = surface_;
    }

    function _cache(Slice slice, uint256 legs) internal pure returns (Cache memory c) {
        c.slice = slice;
        Expiry[] memory met;
        // Room for one pointer a leg; `new` would allocate and clear every struct at once.
        assembly ("memory-safe") {
            met := mload(0x40)
            mstore(met, legs)
            mstore(0x40, add(met, shl(5, add(legs, 1))))
        }
        c.met = met;
    }

    /// @dev legs[i] without the checks of the compiler: dirty bits are cut off.
    function _leg(Leg[] calldata legs, uint256 i) internal pure returns (SeriesId id, int256 size) {
        assembly ("memory-safe") {
            let at := add(legs.offset, shl(6, i))
            id := and(calldataload(at), 0xffffffffffffffffffffffffffffffff)
            size := signextend(15, calldataload(add(at, 32)))
        }
    }

    /// @dev Place in the cache of a leg's expiry, which is read if it is new. A place and not the struct, because every
    /// struct that a function returns is first allocated and cleared.
    function _placeOf(Cache memory c, SeriesId id) internal view returns (uint256 at) {
        uint256 key = id.expiryKey();
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
            _read(c, id, uint56(key), count);
            c.count = count + 1;
            return count;
        }
    }

    function _read(Cache memory c, SeriesId id, uint56 key, uint256 at) private view {
        uint16 underlying = id.underlying();
        uint40 expiry = id.expiry();
        Expiry memory e;
        Expiry[] memory met = c.met;
        assembly ("memory-safe") {
            mstore(add(met, shl(5, add(at, 1))), e)
        }
        e.key = key;
        e.spot = _spot(c, underlying);
        e.forward = e.spot;
        if (expiry <= block.timestamp) {
            e.settled = oracle.settlementPrice(underlying, expiry);
            return;
        }
        // A tenor beyond the maths is valued as the longest that it knows: one leg must not make a book unreadable.
        e.tau = Math.min(expiry - block.timestamp, BlackScholes.MAX_TAU);
        IVolSurface.SliceState memory s = _slice(underlying, expiry, c.slice);
        // Without a slice the volatility is 0 and the option is worth its intrinsic value.
        if (s.slice == 0) return;
        e.forward = Svi.forward(e.spot, s.carry, e.tau);
        e.slice = s.slice;
        e.life = expiry - s.committedAt;
    }

    /// @dev Legs of one underlying usually follow each other.
    function _spot(Cache memory c, uint16 underlying) internal view returns (uint256 spot) {
        if (c.underlying == underlying && underlying != 0) return c.spot;
        (spot, ) = oracle.spot(underlying);
        (c.underlying, c.spot) = (underlying, spot);
    }

    function _slice(
        uint16 underlying,
        uint40 expiry,
        Slice which
    ) private view returns (IVolSurface.SliceState memory s) {
        if (which == Slice.Fresh) return surface.sliceOf(underlying, expiry);
        (, s) = surface.slices(underlying, expiry);
    }

    /// @dev Sum of size x price. Rounded down.
    function _value(Cache memory c, Leg[] calldata legs) internal view returns (int256 total) {
        for (uint256 i = 0; i < legs.length; ++i) {
            (SeriesId id, int256 size) = _leg(legs, i);
            total += Wad.mulSignedDown(size, int256(_price(c.met[_placeOf(c, id)], id)));
        }
    }

    function _price(Expiry memory e, SeriesId id) private pure returns (uint256) {
        if (e.tau == 0) return id.payoff(e.settled != 0 ? e.settled : e.spot);
        uint256 strike = id.strike();
        uint256 vol = _vol(e, ScenarioKernel.logRatio(e.forward, strike));
        return BlackScholes.price(id.isCall(), e.forward, strike, vol, e.tau, DISCOUNT);
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
        int256 ratio = int256(Wad.divDown(e.forward, e.spot));
        g.delta = Wad.mulTowardZero(delta, ratio);
        g.gamma = Wad.mulTowardZero(Wad.mulTowardZero(int256(gamma), ratio), ratio);
        g.vega = int256(vega);
    }

    /// @param logRatio ln(F / K) in Q64.
    function _vol(Expiry memory e, int256 logRatio) internal pure returns (uint256) {
        if (e.life == 0) return 0;
        unchecked {
            // |ln(F / K)| < 2^7 in Q64.
            return Svi.impliedVol(e.slice, -((logRatio * 1e18) >> 64), e.life);
        }
    }
}
