// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

/* solhint-disable no-inline-assembly */
import {AccessManaged} from "@openzeppelin/contracts/access/manager/AccessManaged.sol";
import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {IMarketOracle} from "./interfaces/IMarketOracle.sol";
import {Greeks, Hedge, IRiskEngine, Portfolio, Slice} from "./interfaces/IRiskEngine.sol";
import {IVolSurface} from "./interfaces/IVolSurface.sol";
import {ScenarioTable} from "./ScenarioTable.sol";
import {BlackScholes} from "./libraries/BlackScholes.sol";
import {ScenarioKernel} from "./libraries/ScenarioKernel.sol";
import {Leg, SeriesId} from "./libraries/SeriesId.sol";
import {Svi} from "./libraries/Svi.sol";
import {Wad} from "./libraries/Wad.sol";
import {Marks} from "./risk/Marks.sol";

/// @title Greeks, mark value and margin of an account. Documented in IRiskEngine.
contract RiskEngine is Marks, AccessManaged {
    /// @dev One underlying of a portfolio while its legs are added up.
    /// @param spot 0 until something needs it.
    /// @param expired payoffs of expired legs at each spot move.
    /// @param shorts live contracts short.
    /// @param table of the kernel in memory, 0 until a live leg needs it.
    struct Sums {
        uint256 spot;
        uint256[] factors;
        int256[] expired;
        uint256 shorts;
        uint256 table;
        ScenarioKernel.Grid grid;
    }

    int256 private constant SPOT_STEPS = 3;
    /// @dev Two tails, then seven moves; the place of the one that moves nothing.
    uint256 private constant TAILS = 2;
    uint256 private constant SPOT_MOVES = 7;
    uint256 private constant MIDDLE = 5;
    /// @dev Volatility moves are stated at 30 days and scale with the square root of 30 days over tau, tau >= 7 days.
    uint256 private constant REFERENCE_YEARS = (uint256(30 days) * 1e18) / 365 days;
    uint256 private constant SHORTEST_TENOR = 7 days;
    uint256 private constant MAX_VOL_DOWN = 9e17;
    uint256 private constant FIELDS_SIZE = 288;
    uint256 private constant FIELD_BITS = 24;
    uint256 private constant FIELD_MASK = 0xffffff;
    uint256 private constant MILLIONTH = 1e12;

    /// @notice Normal distribution function that the margin scenarios read.
    address public immutable scenarioTable;

    /// @dev Nine fields of 24 bits in millionths: one slot in place of three.
    uint256 private _packed;

    constructor(
        address authority_,
        IMarketOracle oracle_,
        IVolSurface surface_,
        MarginParameters memory p
    ) AccessManaged(authority_) Marks(oracle_, surface_) {
        scenarioTable = address(new ScenarioTable());
        _setParameters(p);
    }

    /// @inheritdoc IRiskEngine
    function setParameters(MarginParameters calldata p) external restricted {
        _setParameters(p);
    }

    /// @inheritdoc IRiskEngine
    function parameters() public view returns (MarginParameters memory m) {
        uint256 packed = _packed;
        assembly ("memory-safe") {
            for {
                let end := add(m, FIELDS_SIZE)
                let at := m
            } lt(at, end) {
                at := add(at, 32)
            } {
                mstore(at, mul(and(packed, FIELD_MASK), MILLIONTH))
                packed := shr(FIELD_BITS, packed)
            }
        }
    }

    /// @inheritdoc IRiskEngine
    function optionGreeks(uint16 underlying, Leg[] calldata legs) external view returns (Greeks memory total) {
        Cache memory c = _cache(Slice.Fresh, legs.length);
        for (uint256 i = 0; i < legs.length; ++i) {
            (SeriesId id, int256 size) = _leg(legs, i);
            if (id.underlying() != underlying) continue;
            (, Greeks memory g) = _mark(c.met[_placeOf(c, id)], id);
            total.delta += Wad.mulTowardZero(size, g.delta);
            total.gamma += Wad.mulTowardZero(size, g.gamma);
            total.vega += Wad.mulTowardZero(size, g.vega);
            total.theta += Wad.mulTowardZero(size, g.theta);
        }
    }

    /// @inheritdoc IRiskEngine
    function optionValue(Leg[] calldata legs, Slice slice) external view returns (int256) {
        return _value(_cache(slice, legs.length), legs);
    }

    /// @inheritdoc IRiskEngine
    function marks(
        Leg[] calldata legs,
        Slice slice
    ) external view returns (uint256[] memory values, Greeks[] memory greeks) {
        Cache memory c = _cache(slice, legs.length);
        values = new uint256[](legs.length);
        greeks = new Greeks[](legs.length);
        for (uint256 i = 0; i < legs.length; ++i) {
            (SeriesId id, ) = _leg(legs, i);
            (values[i], greeks[i]) = _mark(c.met[_placeOf(c, id)], id);
        }
    }

    /// @inheritdoc IRiskEngine
    function equity(Portfolio calldata p, Slice slice) external view returns (int256 total) {
        Cache memory c = _cache(slice, p.legs.length);
        total = p.cash + _value(c, p.legs);
        if (_hasLinear(p)) total += _linear(p, _spot(c, p.underlying), false);
    }

    /// @inheritdoc IRiskEngine
    function margin(
        Portfolio calldata p,
        Slice slice
    ) external view returns (int256 equity_, uint256 initial, uint256 maintenance) {
        MarginParameters memory m = parameters();
        Leg[] calldata legs = p.legs;
        Cache memory c = _cache(slice, legs.length);
        uint16[] memory underlyings = _underlyings(p.underlying, legs);
        equity_ = p.cash;
        for (uint256 i = 0; i < underlyings.length; ++i) {
            (int256 value, uint256 needed) = _underlyingMargin(p, legs, m, c, underlyings[i]);
            equity_ += value;
            initial += needed;
        }
        maintenance = Wad.mulUp(initial, m.maintenanceShare);
    }

    // ------------------------------------------------------------------ base collateral and hedges

    function _hasLinear(Portfolio calldata p) private pure returns (bool) {
        return p.base != 0 || p.hedges.length != 0;
    }

    /// @dev Base collateral and hedges at a spot. In a scenario a venue may have liquidated what it holds, which costs the
    /// penalty.
    function _linear(Portfolio calldata p, uint256 spot, bool scenario) private pure returns (int256 total) {
        total = Wad.mulSignedDown(int256(p.base), int256(spot));
        for (uint256 i = 0; i < p.hedges.length; ++i) {
            Hedge calldata h = p.hedges[i];
            int256 worth = Wad.mulSignedDown(h.base, int256(spot));
            total += h.quote + worth;
            if (scenario && _liquidated(h, worth)) total -= int256(Wad.mulUp(Wad.abs(worth), h.penalty));
        }
    }

    /// @dev What is held x threshold is less than what is owed.
    function _liquidated(Hedge calldata h, int256 worth) private pure returns (bool) {
        if (h.threshold == 0 || h.base == 0) return false;
        (int256 held, int256 owed) = h.base < 0 ? (h.quote, -worth) : (worth, -h.quote);
        return owed > 0 && (held <= 0 || Wad.mulDown(uint256(held), h.threshold) < uint256(owed));
    }

    // ------------------------------------------------------------------ margin

    /// @dev That of base and hedges first, then the others that legs have.
    function _underlyings(uint16 first, Leg[] calldata legs) private pure returns (uint16[] memory found) {
        unchecked {
            found = new uint16[](1 + legs.length);
            found[0] = first;
            uint256 count = 1;
            uint16 last = first;
            for (uint256 i = 0; i < legs.length; ++i) {
                (SeriesId id, ) = _leg(legs, i);
                uint16 next = id.underlying();
                if (next == last) continue;
                last = next;
                uint256 at = 0;
                while (at < count && found[at] != next) ++at;
                if (at == count) found[count++] = next;
            }
            assembly ("memory-safe") {
                mstore(found, count)
            }
        }
    }

    /// @return value of everything in one underlying, WAD USD.
    /// @return needed initial margin: worst loss or floor, contingency and haircut.
    function _underlyingMargin(
        Portfolio calldata p,
        Leg[] calldata legs,
        MarginParameters memory m,
        Cache memory c,
        uint16 underlying
    ) private view returns (int256 value, uint256 needed) {
        Sums memory s;
        s.factors = _factors(m);
        s.grid = ScenarioKernel.grid(s.factors);
        bool linear = underlying == p.underlying && _hasLinear(p);
        if (linear) s.spot = _spot(c, underlying);
        _addLegs(s, m, c, legs, underlying);
        (value, needed) = _worstLoss(p, s, m.tailWeight, linear);
        uint256 shorts = Wad.mulUp(s.shorts, s.spot);
        needed = Math.max(needed, Wad.mulUp(shorts, m.shortFloor)) + Wad.mulUp(shorts, m.contingency);
        if (linear) needed += Wad.mulUp(Wad.mulUp(p.base, s.spot), m.baseHaircut);
    }

    /// @dev A live leg goes into the kernel's grid, an expired one pays at its proven price or moves with the spot.
    function _addLegs(
        Sums memory s,
        MarginParameters memory m,
        Cache memory c,
        Leg[] calldata legs,
        uint16 underlying
    ) private view {
        for (uint256 i = 0; i < legs.length; ) {
            (SeriesId id, int256 size) = _leg(legs, i);
            unchecked {
                ++i;
            }
            if (id.underlying() != underlying) continue;
            Expiry memory e = c.met[_placeOf(c, id)];
            if (e.tau == 0) _addExpired(s, e, id, size);
            else _addLive(s, m, e, id, size);
        }
        if (c.underlying == underlying) s.spot = c.spot;
    }

    function _addLive(
        Sums memory s,
        MarginParameters memory m,
        Expiry memory e,
        SeriesId id,
        int256 size
    ) private view {
        if (s.table == 0) s.table = ScenarioKernel.load(scenarioTable);
        if (e.root == 0) _prepare(e, m);
        uint256 strike = id.strike();
        int256 ratio = ScenarioKernel.logRatio(e.forward, strike);
        uint256 vol = _vol(e, ratio);
        unchecked {
            // |size| < 2^100, forward and strike below 2^96, vol and its factors below 2^70: nothing overflows.
            if (size < 0) s.shorts += uint256(-size);
            uint256 up = (vol * e.up) / 1e18;
            ScenarioKernel.add(
                s.table,
                s.grid,
                id.isCall(),
                ratio,
                e.root,
                vol,
                up < BlackScholes.MAX_VOL ? up : BlackScholes.MAX_VOL,
                (vol * e.down) / 1e18,
                (size * int256(e.forward)) / 1e18,
                (size * int256(strike)) / 1e18
            );
        }
    }

    function _addExpired(Sums memory s, Expiry memory e, SeriesId id, int256 size) private pure {
        if (s.expired.length == 0) s.expired = new int256[](TAILS + SPOT_MOVES);
        for (uint256 i = 0; i < TAILS + SPOT_MOVES; ++i) {
            uint256 price = e.settled != 0 ? e.settled : Wad.mulDown(e.spot, s.factors[i]);
            s.expired[i] += Wad.mulSignedDown(size, int256(id.payoff(price)));
        }
    }

    function _prepare(Expiry memory e, MarginParameters memory m) private pure {
        e.root = ScenarioKernel.rootOf(e.tau);
        uint256 scale = Svi.volOf(REFERENCE_YEARS, Math.max(e.tau, SHORTEST_TENOR));
        e.up = 1e18 + Wad.mulUp(m.volUp, scale);
        e.down = 1e18 - Math.min(Wad.mulUp(m.volDown, scale), MAX_VOL_DOWN);
    }

    /// @dev Value and worst loss over the scenarios.
    function _worstLoss(
        Portfolio calldata p,
        Sums memory s,
        uint256 tailWeight,
        bool linear
    ) private pure returns (int256 value, uint256 loss) {
        (value, , ) = ScenarioKernel.valuesAt(s.grid, MIDDLE);
        value -= ScenarioKernel.errorAt(s.grid, MIDDLE);
        bool expired = s.expired.length != 0;
        if (expired) value += s.expired[MIDDLE];
        if (linear) value += _linear(p, s.spot, false);
        int256 worst = 0;
        for (uint256 i = 0; i < TAILS + SPOT_MOVES; ++i) {
            int256 change = expired ? s.expired[i] : int256(0);
            if (linear) change += _linear(p, Wad.mulDown(s.spot, s.factors[i]), true);
            change += _least(s.grid, i) - value;
            if (i < TAILS) change = Wad.mulSignedDown(change, int256(tailWeight));
            worst = _min(worst, change);
        }
        loss = uint256(-worst);
    }

    /// @dev Least value of the live legs at one spot, less the kernel's error.
    function _least(ScenarioKernel.Grid grid, uint256 i) private pure returns (int256 least) {
        if (i < TAILS) {
            least = ScenarioKernel.tailAt(grid, i);
        } else {
            (int256 same, int256 up, int256 down) = ScenarioKernel.valuesAt(grid, i);
            least = _min(same, _min(up, down));
        }
        least -= ScenarioKernel.errorAt(grid, i);
    }

    /// @dev Moved spot / spot.
    function _factors(MarginParameters memory m) private pure returns (uint256[] memory factors) {
        factors = new uint256[](TAILS + SPOT_MOVES);
        factors[0] = Wad.ONE - m.tailMove;
        factors[1] = Wad.ONE + m.tailMove;
        for (uint256 i = 0; i < SPOT_MOVES; ++i) {
            int256 move = (int256(uint256(m.spotMove)) * (int256(i) - SPOT_STEPS)) / SPOT_STEPS;
            factors[TAILS + i] = uint256(Wad.IONE + move);
        }
    }

    function _min(int256 a, int256 b) private pure returns (int256) {
        return a < b ? a : b;
    }

    function _setParameters(MarginParameters memory p) private {
        _inRange("spotMove", p.spotMove, 5e16, 5e17);
        _inRange("volUp", p.volUp, 1e16, 2e18);
        _inRange("volDown", p.volDown, 1e16, 5e17);
        _inRange("tailMove", p.tailMove, p.spotMove, 9e17);
        _inRange("tailWeight", p.tailWeight, 1e17, 1e18);
        _inRange("shortFloor", p.shortFloor, 0, 2e17);
        _inRange("contingency", p.contingency, 0, 1e17);
        _inRange("baseHaircut", p.baseHaircut, 0, 5e17);
        _inRange("maintenanceShare", p.maintenanceShare, 5e17, 1e18);
        uint256 packed;
        uint256 inexact;
        assembly ("memory-safe") {
            for {
                let at := add(p, FIELDS_SIZE)
            } gt(at, p) {} {
                at := sub(at, 32)
                inexact := or(inexact, mod(mload(at), MILLIONTH))
                packed := or(shl(FIELD_BITS, packed), div(mload(at), MILLIONTH))
            }
        }
        if (inexact != 0) revert MarginParameterTooFine(p);
        _packed = packed;
        emit MarginParametersSet(p);
    }

    function _inRange(string memory name, uint256 value, uint256 low, uint256 high) private pure {
        if (value < low || value > high) revert MarginParameterOutOfRange(name, value, low, high);
    }
}
