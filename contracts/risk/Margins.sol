// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {Hedge, Portfolio} from "../interfaces/IRiskEngine.sol";
import {ScenarioTable} from "../ScenarioTable.sol";
import {BlackScholes} from "../libraries/BlackScholes.sol";
import {ScenarioKernel} from "../libraries/ScenarioKernel.sol";
import {SeriesId} from "../libraries/SeriesId.sol";
import {Svi} from "../libraries/Svi.sol";
import {Wad} from "../libraries/Wad.sol";
import {MarginTerms} from "./MarginTerms.sol";
import {Marks} from "./Marks.sol";
import {Strikes} from "./Strikes.sol";

/// @title Worst loss of a portfolio over the scenarios, one underlying at a time.
abstract contract Margins is Marks {
    /// @dev Two tails, then seven moves; the place of the one that moves nothing.
    uint256 private constant TAILS = 2;
    uint256 private constant SPOTS = 9;
    uint256 private constant MIDDLE = 5;
    /// @dev Volatility moves are stated at 30 days and scale with the square root of 30 days over tau, tau >= 7 days.
    uint256 private constant REFERENCE_YEARS = (uint256(30 days) * 1e18) / 365 days;
    uint256 private constant SHORTEST_TENOR = 7 days;
    uint256 private constant MAX_VOL_DOWN = 9e17;

    /// @notice Normal distribution function that the margin scenarios read.
    address public immutable scenarioTable = address(new ScenarioTable());

    /// @return value of everything in one underlying, WAD USD.
    /// @return needed initial margin: worst loss or floor, contingency and haircut.
    /// @return others whether a leg has another underlying.
    function _underlyingMargin(
        Portfolio calldata p,
        MarginTerms m,
        Cache memory c,
        uint256 underlying
    ) internal view returns (int256 value, uint256 needed, bool others) {
        uint256 at;
        uint256 end;
        (at, end, others) = Strikes.fold(p.legs, underlying);
        bool linear = underlying == p.underlying && _hasLinear(p);
        if (at == end && !linear) return (0, 0, others);
        uint256 spot = _spot(c, underlying);
        ScenarioKernel.Grid grid = ScenarioKernel.grid(_factors(m));
        uint256 shorts = Wad.mulUp(_addStrikes(grid, m, c, at, end), spot);
        (value, needed) = _worstLoss(p, grid, spot, m.tailWeight(), linear);
        if (shorts != 0) {
            needed = Math.max(needed, Wad.mulUp(shorts, m.shortFloor())) + Wad.mulUp(shorts, m.contingency());
        }
        if (linear) needed += Wad.mulUp(Wad.mulUp(p.base, spot), m.baseHaircut());
    }

    // ------------------------------------------------------------------ options

    /// @dev A live strike goes through the kernel, an expired one pays at its proven price or moves with the spot.
    /// @return shorts live contracts short.
    function _addStrikes(
        ScenarioKernel.Grid grid,
        MarginTerms m,
        Cache memory c,
        uint256 at,
        uint256 end
    ) private view returns (uint256 shorts) {
        uint256 table = 0;
        Expiry memory e;
        while (at != end) {
            (SeriesId asCall, int256 size, int256 puts) = Strikes.read(at);
            // Strikes of one expiry usually follow each other.
            if (e.key != asCall.expiryKey()) e = c.met[_placeOf(c, asCall)];
            unchecked {
                at += Strikes.SIZE;
            }
            if (e.tau == 0) {
                _addExpired(grid, e, asCall, size, puts);
                continue;
            }
            if (table == 0) table = ScenarioKernel.load(scenarioTable);
            if (e.root == 0) _prepare(e, m);
            _addLive(grid, table, e, asCall.strike(), size, puts);
            unchecked {
                shorts += Strikes.short(size, puts);
            }
        }
    }

    function _addLive(
        ScenarioKernel.Grid grid,
        uint256 table,
        Expiry memory e,
        uint256 strike,
        int256 size,
        int256 puts
    ) private pure {
        int256 ratio = ScenarioKernel.logRatio(e.forward, strike);
        uint256 vol = _vol(e, ratio);
        unchecked {
            // |size| < 2^107, forward and strike below 2^96, vol and its factors below 2^70: nothing overflows.
            uint256 up = (vol * e.up) / 1e18;
            ScenarioKernel.add(
                table,
                grid,
                ratio,
                e.root,
                vol,
                up < BlackScholes.MAX_VOL ? up : BlackScholes.MAX_VOL,
                (vol * e.down) / 1e18,
                (size * int256(e.forward)) / 1e18,
                (size * int256(strike)) / 1e18
            );
            if (puts == 0) return;
            ScenarioKernel.turn(grid, (puts * int256(e.forward)) / 1e18, (puts * int256(strike)) / 1e18);
        }
    }

    function _addExpired(
        ScenarioKernel.Grid grid,
        Expiry memory e,
        SeriesId asCall,
        int256 size,
        int256 puts
    ) private pure {
        for (uint256 i = 0; i < SPOTS; ++i) {
            uint256 price = e.settled != 0 ? e.settled : Wad.mulDown(e.spot, ScenarioKernel.factorAt(grid, i));
            ScenarioKernel.addAt(grid, i, _payoff(asCall, size, puts, price));
        }
    }

    /// @dev What the legs of one expiry share in the scenarios.
    function _prepare(Expiry memory e, MarginTerms m) private pure {
        e.root = ScenarioKernel.rootOf(e.tau);
        uint256 scale = Svi.volOf(REFERENCE_YEARS, Math.max(e.tau, SHORTEST_TENOR));
        unchecked {
            // Scale is at most 2.1, the moves are at most 2.
            e.up = 1e18 + (m.volUp() * scale + 999999999999999999) / 1e18;
            e.down = 1e18 - Math.min((m.volDown() * scale + 999999999999999999) / 1e18, MAX_VOL_DOWN);
        }
    }

    /// @dev Value and worst loss over the scenarios.
    function _worstLoss(
        Portfolio calldata p,
        ScenarioKernel.Grid grid,
        uint256 spot,
        uint256 tailWeight,
        bool linear
    ) private pure returns (int256 value, uint256 loss) {
        value = ScenarioKernel.valueAt(grid, MIDDLE);
        if (linear) value += _linear(p, spot, false);
        int256 worst = 0;
        for (uint256 i = 0; i < SPOTS; ) {
            int256 change = i < TAILS ? ScenarioKernel.valueAt(grid, i) : ScenarioKernel.leastAt(grid, i);
            if (linear) change += _linear(p, Wad.mulDown(spot, ScenarioKernel.factorAt(grid, i)), true);
            change -= value;
            if (i < TAILS) change = Wad.mulSignedDown(change, int256(tailWeight));
            if (change < worst) worst = change;
            unchecked {
                ++i;
            }
        }
        loss = uint256(-worst);
    }

    /// @dev Moved spot / spot: the tails, then thirds of the largest move down and up.
    function _factors(MarginTerms m) private pure returns (uint256[] memory factors) {
        factors = new uint256[](SPOTS);
        unchecked {
            factors[0] = 1e18 - m.tailMove();
            factors[1] = 1e18 + m.tailMove();
            uint256 move = m.spotMove();
            factors[2] = 1e18 - move;
            factors[3] = 1e18 - (2 * move) / 3;
            factors[4] = 1e18 - move / 3;
            factors[MIDDLE] = 1e18;
            factors[6] = 1e18 + move / 3;
            factors[7] = 1e18 + (2 * move) / 3;
            factors[8] = 1e18 + move;
        }
    }

    // ------------------------------------------------------------------ base collateral and hedges

    function _hasLinear(Portfolio calldata p) internal pure returns (bool) {
        return p.base != 0 || p.hedges.length != 0;
    }

    /// @dev Base collateral and hedges at a spot. In a scenario a venue may have liquidated what it holds, which costs the
    /// penalty.
    function _linear(Portfolio calldata p, uint256 spot, bool scenario) internal pure returns (int256 total) {
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
}
