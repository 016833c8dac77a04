// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {AccessManaged} from "@openzeppelin/contracts/access/manager/AccessManaged.sol";
import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {IMarketOracle} from "./interfaces/IMarketOracle.sol";
import {Greeks, IRiskEngine, Portfolio} from "./interfaces/IRiskEngine.sol";
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
    uint256 private constant TAILS = 2;
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
        Option[] memory options = _load(legs);
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
    function optionValue(Leg[] calldata legs) external view returns (int256) {
        return _value(_load(legs));
    }

    /// @inheritdoc IRiskEngine
    function marks(Leg[] calldata legs) external view returns (uint256[] memory values, Greeks[] memory greeks) {
        Option[] memory options = _load(legs);
        values = new uint256[](options.length);
        greeks = new Greeks[](options.length);
        for (uint256 i = 0; i < options.length; ++i) (values[i], greeks[i]) = _mark(options[i]);
    }

    /// @inheritdoc IRiskEngine
    function equity(Portfolio calldata p) external view returns (int256) {
        return _value(_load(p.legs)) + _linear(p, _spotOf(p), 0);
    }

    /// @inheritdoc IRiskEngine
    function margin(Portfolio calldata p) external view returns (int256 equity_, uint256 initial, uint256 maintenance) {
        MarginParameters memory m = _parameters;
        Option[] memory options = _load(p.legs);
        uint256 spot = _spotOf(p);
        equity_ = _value(options) + _linear(p, spot, 0);
        int256 worst = options.length == 0 ? equity_ : _min(equity_, _worst(p, m, options, spot));
        initial = uint256(equity_ - worst);
        for (uint256 i = 0; i < options.length; ++i) {
            if (options[i].size < 0 && options[i].tau > 0) {
                initial += Wad.mulUp(Wad.mulUp(uint256(-options[i].size), options[i].spot), m.contingency);
            }
        }
        maintenance = Wad.mulUp(initial, m.maintenanceShare);
    }

    /// @inheritdoc IRiskEngine
    function fullCollateral(Leg[] calldata legs) external pure returns (uint256 cash, uint256 base) {
        for (uint256 i = 0; i < legs.length; ++i) {
            if (legs[i].size >= 0) continue;
            uint256 short = uint256(-int256(legs[i].size));
            if (legs[i].series.isCall()) base += short;
            else cash += Wad.mulUp(short, legs[i].series.strike());
        }
    }

    /// @dev Spot for base and venues, read only where there is something to value.
    function _spotOf(Portfolio calldata p) private view returns (uint256 spot) {
        if (p.base != 0 || p.venueBase != 0) (spot, ) = oracle.spot(p.underlying);
    }

    /// @dev Cash, base and venues at a moved spot.
    function _linear(Portfolio calldata p, uint256 spot, int256 move) private pure returns (int256) {
        int256 moved = Wad.mulTowardZero(int256(spot), Wad.IONE + move);
        return p.cash + p.venueQuote + Wad.mulSignedDown(int256(p.base) + p.venueBase, moved);
    }

    /// @dev Least equity over spot moves x {volatility as it is, up, down}.
    function _worst(
        Portfolio calldata p,
        MarginParameters memory m,
        Option[] memory options,
        uint256 spot
    ) private view returns (int256 worst) {
        // The kernel's tails repeat the extreme moves: at volatility up, no worse than those.
        uint256[] memory factors = new uint256[](TAILS + SPOT_MOVES);
        for (uint256 i = 0; i < SPOT_MOVES; ++i) factors[TAILS + i] = uint256(Wad.IONE + _move(m, i));
        (factors[0], factors[1]) = (factors[TAILS], factors[TAILS + SPOT_MOVES - 1]);
        ScenarioKernel.Grid grid = _grid(m, options, factors);
        worst = type(int256).max;
        for (uint256 i = 0; i < SPOT_MOVES; ++i) {
            int256 fixed_ = _linear(p, spot, _move(m, i)) + _expired(options, factors[TAILS + i]);
            (int256 same, int256 up, int256 down) = ScenarioKernel.valuesAt(grid, TAILS + i);
            worst = _min(worst, fixed_ + _min(same, _min(up, down)) - ScenarioKernel.errorAt(grid, TAILS + i));
        }
    }

    /// @dev The live options at volatility as it is, up and down.
    function _grid(
        MarginParameters memory m,
        Option[] memory options,
        uint256[] memory factors
    ) private view returns (ScenarioKernel.Grid grid) {
        uint256 base = ScenarioKernel.load(scenarioTable);
        grid = ScenarioKernel.grid(factors);
        for (uint256 i = 0; i < options.length; ++i) {
            Option memory o = options[i];
            if (o.tau == 0) continue;
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

    function _move(MarginParameters memory m, uint256 i) private pure returns (int256) {
        return (int256(uint256(m.spotMove)) * (int256(i) - SPOT_STEPS)) / SPOT_STEPS;
    }

    /// @dev Payoffs of the expired legs; those without a proven price move with the spot.
    function _expired(Option[] memory options, uint256 factor) private pure returns (int256 total) {
        for (uint256 i = 0; i < options.length; ++i) {
            Option memory o = options[i];
            if (o.tau != 0) continue;
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
    function _load(Leg[] calldata legs) private view returns (Option[] memory options) {
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
                if (expiry > block.timestamp) slice = surface.sliceOf(underlying, expiry);
                settled = expiry > block.timestamp ? 0 : oracle.settlementPrice(underlying, expiry);
            }
            options[i] = _option(legs[i], spot, slice, settled);
        }
    }

    function _option(
        Leg calldata leg,
        uint256 spot,
        IVolSurface.SliceState memory slice,
        uint256 settled
    ) private view returns (Option memory o) {
        uint40 expiry = leg.series.expiry();
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
        _inRange("contingency", p.contingency, 0, 1e17);
        _inRange("maintenanceShare", p.maintenanceShare, 5e17, 1e18);
        _parameters = p;
        emit MarginParametersSet(p);
    }

    function _inRange(string memory name, uint256 value, uint256 low, uint256 high) private pure {
        if (value < low || value > high) revert MarginParameterOutOfRange(name, value, low, high);
    }
}
