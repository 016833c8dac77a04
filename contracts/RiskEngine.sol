// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

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

/// @title Greeks, mark value and margin of an account. Documented in IRiskEngine.
contract RiskEngine is IRiskEngine, AccessManaged {
    /// @dev One leg with everything that pricing needs. An expired series has tau 0; `settled` is its proven price.
    struct Option {
        uint16 underlying;
        int256 size;
        uint256 strike;
        uint256 forward;
        uint256 vol;
        uint256 tau;
        uint256 spot;
        uint256 settled;
        bool isCall;
    }

    uint256 private constant DISCOUNT = 1e18;
    int256 private constant SPOT_STEPS = 3;
    uint256 private constant SPOT_MOVES = 7;
    /// @dev Place of the scenario without a spot move.
    uint256 private constant MIDDLE = 3;
    /// @dev Volatility moves are stated at 30 days and scale with the square root of 30 days over tau, tau >= 7 days.
    uint256 private constant REFERENCE_TENOR = 30 days;
    uint256 private constant SHORTEST_TENOR = 7 days;
    uint256 private constant MAX_VOL_DOWN = 9e17;

    IMarketOracle public immutable oracle;
    IVolSurface public immutable surface;
    /// @notice Normal distribution function that the margin scenarios read.
    address public immutable scenarioTable;

    MarginParameters private _parameters;

    constructor(
        address authority_,
        IMarketOracle oracle_,
        IVolSurface surface_,
        MarginParameters memory p
    ) AccessManaged(authority_) {
        oracle = oracle_;
        surface = surface_;
        scenarioTable = address(new ScenarioTable());
        _setParameters(p);
    }

    /// @inheritdoc IRiskEngine
    function setParameters(MarginParameters calldata p) external restricted {
        _setParameters(p);
    }

    /// @inheritdoc IRiskEngine
    function parameters() external view returns (MarginParameters memory) {
        return _parameters;
    }

    /// @inheritdoc IRiskEngine
    function optionGreeks(uint16 underlying, Leg[] calldata legs) external view returns (Greeks memory total) {
        Option[] memory options = _load(legs, Slice.Fresh);
        for (uint256 i = 0; i < options.length; ++i) {
            if (legs[i].series.underlying() != underlying) continue;
            (, Greeks memory g) = _mark(options[i]);
            int256 size = options[i].size;
            total.delta += Wad.mulTowardZero(size, g.delta);
            total.gamma += Wad.mulTowardZero(size, g.gamma);
            total.vega += Wad.mulTowardZero(size, g.vega);
            total.theta += Wad.mulTowardZero(size, g.theta);
        }
    }

    /// @inheritdoc IRiskEngine
    function optionValue(Leg[] calldata legs, Slice slice) external view returns (int256) {
        return _value(_load(legs, slice));
    }

    /// @inheritdoc IRiskEngine
    function marks(
        Leg[] calldata legs,
        Slice slice
    ) external view returns (uint256[] memory values, Greeks[] memory greeks) {
        Option[] memory options = _load(legs, slice);
        values = new uint256[](options.length);
        greeks = new Greeks[](options.length);
        for (uint256 i = 0; i < options.length; ++i) (values[i], greeks[i]) = _mark(options[i]);
    }

    /// @inheritdoc IRiskEngine
    function equity(Portfolio calldata p, Slice slice) external view returns (int256) {
        return p.cash + _value(_load(p.legs, slice)) + _linear(p, _spotOf(p));
    }

    /// @inheritdoc IRiskEngine
    function margin(
        Portfolio calldata p,
        Slice slice
    ) external view returns (int256 equity_, uint256 initial, uint256 maintenance) {
        MarginParameters memory m = _parameters;
        Option[] memory options = _load(p.legs, slice);
        equity_ = p.cash;
        // Most books have one underlying; each further one is found by its first leg and valued by itself.
        uint256 spot = _spotOf(p);
        (int256 value, uint256 needed) = _underlyingMargin(p, m, options, p.underlying, spot);
        equity_ += value;
        initial = needed;
        for (uint256 i = 0; i < options.length; ++i) {
            uint16 other = options[i].underlying;
            if (other == p.underlying || _seenBefore(options, i)) continue;
            (value, needed) = _underlyingMargin(p, m, options, other, options[i].spot);
            equity_ += value;
            initial += needed;
        }
        maintenance = Wad.mulUp(initial, m.maintenanceShare);
    }

    /// @dev Spot for base and hedges, read only where there is something to value.
    function _spotOf(Portfolio calldata p) private view returns (uint256 spot) {
        if (p.base != 0 || p.hedges.length != 0) (spot, ) = oracle.spot(p.underlying);
    }

    /// @dev Base collateral and hedges at the spot as it is.
    function _linear(Portfolio calldata p, uint256 spot) private pure returns (int256 total) {
        total = Wad.mulSignedDown(int256(p.base), int256(spot));
        for (uint256 i = 0; i < p.hedges.length; ++i) {
            total += p.hedges[i].quote + Wad.mulSignedDown(p.hedges[i].base, int256(spot));
        }
    }

    /// @dev The same at a moved spot, where a venue may have liquidated what it holds.
    function _linearMoved(Portfolio calldata p, uint256 moved) private pure returns (int256 total) {
        total = Wad.mulSignedDown(int256(p.base), int256(moved));
        for (uint256 i = 0; i < p.hedges.length; ++i) {
            Hedge calldata h = p.hedges[i];
            int256 worth = Wad.mulSignedDown(h.base, int256(moved));
            total += h.quote + worth;
            if (_liquidated(h, worth)) total -= int256(Wad.mulUp(Wad.abs(worth), h.penalty));
        }
    }

    /// @dev What is held x threshold is less than what is owed. Closing it at the moved spot costs the penalty.
    function _liquidated(Hedge calldata h, int256 worth) private pure returns (bool) {
        if (h.threshold == 0 || h.base == 0) return false;
        (int256 held, int256 owed) = h.base < 0 ? (h.quote, -worth) : (worth, -h.quote);
        return owed > 0 && (held <= 0 || Wad.mulDown(uint256(held), h.threshold) < uint256(owed));
    }

    function _seenBefore(Option[] memory options, uint256 at) private pure returns (bool) {
        for (uint256 i = 0; i < at; ++i) {
            if (options[i].underlying == options[at].underlying) return true;
        }
        return false;
    }

    /// @dev One underlying: its value, and worst loss or floor, contingency and haircut.
    /// @return value of everything in it, WAD USD.
    /// @return needed initial margin.
    function _underlyingMargin(
        Portfolio calldata p,
        MarginParameters memory m,
        Option[] memory options,
        uint16 underlying,
        uint256 spot
    ) private view returns (int256 value, uint256 needed) {
        if (underlying != p.underlying) spot = 0;
        (uint256 live, uint256 shorts) = _count(options, underlying);
        (value, needed) = _worstLoss(p, m, options, underlying, spot, live != 0);
        needed = Math.max(needed, Wad.mulUp(shorts, m.shortFloor)) + Wad.mulUp(shorts, m.contingency);
        if (spot != 0) needed += Wad.mulUp(Wad.mulUp(p.base, spot), m.baseHaircut);
    }

    /// @return live options of the underlying that have not expired.
    /// @return shorts value of the spot under them, short contracts only.
    function _count(Option[] memory options, uint16 underlying) private pure returns (uint256 live, uint256 shorts) {
        for (uint256 i = 0; i < options.length; ++i) {
            Option memory o = options[i];
            if (o.tau == 0 || o.underlying != underlying) continue;
            ++live;
            if (o.size < 0) shorts += Wad.mulUp(uint256(-o.size), o.spot);
        }
    }

    /// @dev Value and worst loss over the scenarios. `spot` is 0 where the underlying has no base or hedges.
    function _worstLoss(
        Portfolio calldata p,
        MarginParameters memory m,
        Option[] memory options,
        uint16 underlying,
        uint256 spot,
        bool live
    ) private view returns (int256 value, uint256 loss) {
        uint256[] memory factors = _factors(m);
        ScenarioKernel.Grid grid = live ? _grid(m, options, factors, underlying) : ScenarioKernel.grid(factors);
        (int256 middle, , ) = ScenarioKernel.valuesAt(grid, MIDDLE);
        value = middle + _expired(options, Wad.ONE, underlying) + (spot == 0 ? int256(0) : _linear(p, spot));
        int256 worst = 0;
        for (uint256 i = 0; i < factors.length; ++i) {
            int256 change = _expired(options, factors[i], underlying) - value;
            if (spot != 0) change += _linearMoved(p, Wad.mulDown(spot, factors[i]));
            (int256 same, int256 up, int256 down) = ScenarioKernel.valuesAt(grid, i);
            change = i < SPOT_MOVES
                ? change + _min(same, _min(up, down))
                : Wad.mulTowardZero(change + up, int256(uint256(m.tailWeight)));
            worst = _min(worst, change);
        }
        loss = uint256(-worst);
    }

    /// @dev Moved spot / spot: seven moves, then the two tails.
    function _factors(MarginParameters memory m) private pure returns (uint256[] memory factors) {
        factors = new uint256[](SPOT_MOVES + 2);
        for (uint256 i = 0; i < SPOT_MOVES; ++i) {
            factors[i] = uint256(Wad.IONE + (int256(uint256(m.spotMove)) * (int256(i) - SPOT_STEPS)) / SPOT_STEPS);
        }
        factors[SPOT_MOVES] = Wad.ONE - m.tailMove;
        factors[SPOT_MOVES + 1] = Wad.ONE + m.tailMove;
    }

    /// @dev The live options at volatility as it is, up and down.
    function _grid(
        MarginParameters memory m,
        Option[] memory options,
        uint256[] memory factors,
        uint16 underlying
    ) private view returns (ScenarioKernel.Grid grid) {
        uint256 base = ScenarioKernel.load(scenarioTable);
        grid = ScenarioKernel.grid(factors);
        for (uint256 i = 0; i < options.length; ++i) {
            Option memory o = options[i];
            if (o.tau == 0 || o.underlying != underlying) continue;
            (int256 k, uint256 root) = ScenarioKernel.prepare(o.forward, o.strike, o.tau);
            int256 sizedForward = Wad.mulSignedDown(o.size, int256(o.forward));
            int256 sizedStrike = Wad.mulSignedDown(o.size, int256(o.strike));
            (uint256 up, uint256 down) = _shockedVols(o, m);
            ScenarioKernel.add(base, grid, o.isCall, k, root, o.vol, up, down, sizedForward, sizedStrike);
        }
    }

    function _shockedVols(Option memory o, MarginParameters memory m) private pure returns (uint256 up, uint256 down) {
        uint256 tenor = Math.max(o.tau, SHORTEST_TENOR);
        uint256 scale = Math.sqrt((REFERENCE_TENOR * 1e36) / tenor);
        up = Math.min(Wad.mulUp(o.vol, 1e18 + Wad.mulUp(m.volUp, scale)), BlackScholes.MAX_VOL);
        down = Wad.mulDown(o.vol, 1e18 - Math.min(Wad.mulUp(m.volDown, scale), MAX_VOL_DOWN));
    }

    /// @dev Payoffs of the expired legs; those without a proven price move with the spot.
    function _expired(Option[] memory options, uint256 factor, uint16 underlying) private pure returns (int256 total) {
        for (uint256 i = 0; i < options.length; ++i) {
            Option memory o = options[i];
            if (o.tau != 0 || o.underlying != underlying) continue;
            uint256 price = o.settled != 0 ? o.settled : Wad.mulDown(o.forward, factor);
            total += Wad.mulSignedDown(o.size, int256(_payoff(o, price)));
        }
    }

    /// @dev Sum of size x price. Rounded down.
    function _value(Option[] memory options) private pure returns (int256 total) {
        for (uint256 i = 0; i < options.length; ++i) {
            total += Wad.mulSignedDown(options[i].size, int256(_price(options[i])));
        }
    }

    function _price(Option memory o) private pure returns (uint256) {
        if (o.tau == 0) return _payoff(o, o.settled != 0 ? o.settled : o.forward);
        return BlackScholes.price(o.isCall, o.forward, o.strike, o.vol, o.tau, DISCOUNT);
    }

    /// @dev Value and spot sensitivities of one contract: the forward moves in proportion to spot.
    function _mark(Option memory o) private pure returns (uint256 value, Greeks memory g) {
        if (o.tau == 0) return (_price(o), g);
        (uint256 price_, int256 delta, uint256 gamma, uint256 vega, int256 theta) = BlackScholes.greeks(
            o.isCall,
            o.forward,
            o.strike,
            o.vol,
            o.tau,
            DISCOUNT
        );
        int256 ratio = int256(Wad.divDown(o.forward, o.spot));
        value = price_;
        g.delta = Wad.mulTowardZero(delta, ratio);
        g.gamma = Wad.mulTowardZero(Wad.mulTowardZero(int256(gamma), ratio), ratio);
        g.vega = int256(vega);
        g.theta = theta;
    }

    /// @dev Reads spot once per underlying and a slice once per run of legs with the same expiry.
    function _load(Leg[] calldata legs, Slice which) private view returns (Option[] memory options) {
        options = new Option[](legs.length);
        uint56 key;
        IVolSurface.SliceState memory slice;
        uint256 settled;
        uint16 underlying;
        uint256 spot;
        for (uint256 i = 0; i < legs.length; ++i) {
            SeriesId id = legs[i].series;
            uint40 expiry = id.expiry();
            if (id.underlying() != underlying) {
                underlying = id.underlying();
                (spot, ) = oracle.spot(underlying);
            }
            if (id.expiryKey() != key) {
                key = id.expiryKey();
                if (expiry > block.timestamp) slice = _sliceOf(underlying, expiry, which);
                settled = expiry > block.timestamp ? 0 : oracle.settlementPrice(underlying, expiry);
            }
            options[i] = _option(legs[i], spot, slice, settled);
        }
    }

    function _sliceOf(
        uint16 underlying,
        uint40 expiry,
        Slice which
    ) private view returns (IVolSurface.SliceState memory) {
        if (which == Slice.Fresh) return surface.sliceOf(underlying, expiry);
        (, IVolSurface.SliceState memory aged) = surface.slices(underlying, expiry);
        return aged;
    }

    function _option(
        Leg calldata leg,
        uint256 spot,
        IVolSurface.SliceState memory slice,
        uint256 settled
    ) private view returns (Option memory o) {
        uint40 expiry = leg.series.expiry();
        o.underlying = leg.series.underlying();
        o.size = leg.size;
        o.strike = leg.series.strike();
        o.isCall = leg.series.isCall();
        o.spot = spot;
        o.forward = spot;
        o.settled = settled;
        if (expiry <= block.timestamp) return o;
        // A tenor beyond the maths is valued as the longest that it knows: one leg must not make a book unreadable.
        o.tau = Math.min(expiry - block.timestamp, BlackScholes.MAX_TAU);
        // Without a slice the volatility is 0 and the option is worth its intrinsic value.
        if (slice.slice == 0) return o;
        o.forward = Svi.forward(spot, slice.carry, o.tau);
        o.vol = Svi.impliedVol(slice.slice, Wad.lnRatio(o.strike, o.forward), expiry - slice.committedAt);
    }

    function _payoff(Option memory o, uint256 price) private pure returns (uint256) {
        if (o.isCall) return price > o.strike ? price - o.strike : 0;
        return o.strike > price ? o.strike - price : 0;
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
        _parameters = p;
        emit MarginParametersSet(p);
    }

    function _inRange(string memory name, uint256 value, uint256 low, uint256 high) private pure {
        if (value < low || value > high) revert MarginParameterOutOfRange(name, value, low, high);
    }
}
