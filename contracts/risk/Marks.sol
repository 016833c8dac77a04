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

    /// @dev Expiries met so far, as pointers: an array of structs would be cleared in full before its first use.
    struct Cache {
        Slice slice;
        uint256 count;
        uint256[] pointers;
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
        c.pointers = new uint256[](legs);
    }

    /// @dev The expiry of a leg, from the cache or read now.
    function _expiryOf(Cache memory c, SeriesId id) internal view returns (Expiry memory e) {
        uint56 key = id.expiryKey();
        uint256[] memory pointers = c.pointers;
        for (uint256 i = c.count; i > 0; --i) {
            assembly ("memory-safe") {
                e := mload(add(pointers, shl(5, i)))
            }
            if (e.key == key) return e;
        }
        e = _read(c, id, key);
        uint256 count = ++c.count;
        assembly ("memory-safe") {
            mstore(add(pointers, shl(5, count)), e)
        }
    }

    function _read(Cache memory c, SeriesId id, uint56 key) private view returns (Expiry memory e) {
        uint16 underlying = id.underlying();
        uint40 expiry = id.expiry();
        e.key = key;
        e.spot = _spot(c, underlying);
        e.forward = e.spot;
        if (expiry <= block.timestamp) {
            e.settled = oracle.settlementPrice(underlying, expiry);
            return e;
        }
        // A tenor beyond the maths is valued as the longest that it knows: one leg must not make a book unreadable.
        e.tau = Math.min(expiry - block.timestamp, BlackScholes.MAX_TAU);
        IVolSurface.SliceState memory s = _slice(underlying, expiry, c.slice);
        // Without a slice the volatility is 0 and the option is worth its intrinsic value.
        if (s.slice == 0) return e;
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
            SeriesId id = legs[i].series;
            total += Wad.mulSignedDown(legs[i].size, int256(_price(_expiryOf(c, id), id)));
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
        return Svi.impliedVol(e.slice, -((logRatio * 1e18) >> 64), e.life);
    }
}
