// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

/* solhint-disable no-inline-assembly */
import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {Hedge, IRiskEngine, Portfolio} from "../interfaces/IRiskEngine.sol";
import {ScenarioTable} from "../ScenarioTable.sol";
import {BlackScholes} from "../libraries/BlackScholes.sol";
import {ScenarioKernel} from "../libraries/ScenarioKernel.sol";
import {ScenarioSums} from "../libraries/ScenarioSums.sol";
import {PackedLeg, SeriesId} from "../libraries/SeriesId.sol";
import {Wad} from "../libraries/Wad.sol";
import {MarginTerms} from "./MarginTerms.sol";
import {Marks} from "./Marks.sol";
import {Strikes} from "./Strikes.sol";

/// @title Worst loss of a portfolio over the scenarios, one underlying at a time.
abstract contract Margins is IRiskEngine, Marks {
    /// @dev Two tails, then seven moves; the place of the one that moves nothing.
    uint256 private constant TAILS = 2;
    uint256 private constant SPOTS = 9;
    uint256 private constant MIDDLE = 5;
    uint256 private constant MAX_VOL_DOWN = 9e17;

    /// @dev Volatility moves are stated at 30 days and scale with the square root of 30 days over tau, tau >= 7 days.
    uint256 private immutable _rootOf30Days = ScenarioKernel.rootOf(30 days);
    uint256 private immutable _rootOf7Days = ScenarioKernel.rootOf(7 days);

    /// @notice Normal distribution function that the margin scenarios read.
    address public immutable scenarioTable = address(new ScenarioTable());

    /// @return value of everything in one underlying, WAD USD.
    /// @return needed initial margin: worst loss or floor, contingency and haircut.
    /// @return others whether a leg has another underlying.
    function _underlyingMargin(
        Portfolio calldata p,
        PackedLeg[] calldata legs,
        MarginTerms m,
        Cache memory c,
        uint256 underlying
    ) internal view returns (int256 value, uint256 needed, bool others) {
        uint256 at;
        uint256 end;
        (at, end, others) = Strikes.fold(legs, underlying);
        bool linear = underlying == p.underlying && _hasLinear(p);
        if (at == end && !linear) return (0, 0, others);
        uint256 spot = _spot(c, underlying);
        ScenarioKernel.Grid grid = ScenarioKernel.grid(_factors(m));
        uint256 shorts = _addStrikes(grid, m, c, at, end);
        (value, needed) = _worstLoss(p, grid, spot, m.tailWeight(), linear);
        if (shorts != 0) {
            unchecked {
                // Contracts short are below 2^112, the spot below 2^96, the shares below one.
                shorts = (shorts * spot + 1e18 - 1) / 1e18;
                uint256 floor = (shorts * m.shortFloor() + 1e18 - 1) / 1e18;
                needed = Math.max(needed, floor) + (shorts * m.contingency() + 1e18 - 1) / 1e18;
            }
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
        if (at == end) return 0;
        uint256 key = Strikes.expiryKey(at);
        Expiry memory e = c.met[_preparedPlaceOf(c, key, m)];
        while (true) {
            unchecked {
                if (e.tau == 0) _addExpired(grid, e, at);
                else shorts += _addLive(grid, e, at);
                at += Strikes.SIZE;
            }
            if (at == end) return shorts;
            uint256 next = Strikes.expiryKey(at);
            // Strikes of one expiry usually follow each other.
            if (next == key) continue;
            key = next;
            e = c.met[_preparedPlaceOf(c, key, m)];
        }
    }

    function _preparedPlaceOf(Cache memory c, uint256 key, MarginTerms m) private view returns (uint256 place) {
        place = _placeOf(c, key);
        Expiry memory e = c.met[place];
        if (e.root == 0 && e.tau != 0) _prepare(e, m);
    }

    function _addLive(ScenarioKernel.Grid grid, Expiry memory e, uint256 at) private pure returns (uint256 shorts) {
        (SeriesId asCall, int256 size, int256 puts) = Strikes.read(at);
        uint256 strike = asCall.strike();
        int256 forward = int256(e.forward);
        int256 ratio = ScenarioKernel.logRatio(uint256(forward), strike);
        uint256 vol = _vol(e, ratio);
        unchecked {
            // |size| < 2^107, forward and strike below 2^96, vol and its factors below 2^70: nothing overflows.
            uint256 up = (vol * e.up) / 1e18;
            ScenarioKernel.add(
                grid,
                ratio,
                e.root,
                vol,
                up < BlackScholes.MAX_VOL ? up : BlackScholes.MAX_VOL,
                (vol * e.down) / 1e18,
                (size * forward) / 1e18,
                (size * int256(strike)) / 1e18
            );
            if (puts != 0) ScenarioKernel.turn(grid, (puts * forward) / 1e18, (puts * int256(strike)) / 1e18);
        }
        return Strikes.short(size, puts);
    }

    function _addExpired(ScenarioKernel.Grid grid, Expiry memory e, uint256 at) private pure {
        (SeriesId asCall, int256 size, int256 puts) = Strikes.read(at);
        for (uint256 i = 0; i < SPOTS; ++i) {
            uint256 price = e.settled != 0 ? e.settled : Wad.mulDown(e.spot, ScenarioSums.factorAt(grid, i));
            ScenarioSums.addAt(grid, i, _payoff(asCall, size, puts, price));
        }
    }

    /// @dev What the legs of one expiry share in the scenarios.
    function _prepare(Expiry memory e, MarginTerms m) private view {
        uint256 root = ScenarioKernel.rootOf(e.tau);
        e.root = root;
        if (root < _rootOf7Days) root = _rootOf7Days;
        unchecked {
            // A root is below 2^132, the scale at most 2.1, the moves at most 2.
            uint256 scale = (_rootOf30Days * 1e18) / root;
            e.up = 1e18 + (m.volUp() * scale + 1e18 - 1) / 1e18;
            e.down = 1e18 - Math.min((m.volDown() * scale + 1e18 - 1) / 1e18, MAX_VOL_DOWN);
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
        value = ScenarioSums.valueAt(grid, MIDDLE);
        if (linear) {
            value += _linear(p, spot, false);
            for (uint256 i = 0; i < SPOTS; ++i) {
                uint256 moved = Wad.mulDown(spot, ScenarioSums.factorAt(grid, i));
                ScenarioSums.addAt(grid, i, _linear(p, moved, true));
            }
        }
        int256 worst = ScenarioSums.least(grid) - value;
        if (worst > 0) worst = 0;
        for (uint256 i = 0; i < TAILS; ++i) {
            int256 change = ScenarioSums.valueAt(grid, i) - value;
            if (change >= 0) continue;
            change = Wad.mulSignedDown(change, int256(tailWeight));
            if (change < worst) worst = change;
        }
        loss = uint256(-worst);
    }

    /// @dev Moved spot / spot: the tails, then thirds of the largest move down and up.
    function _factors(MarginTerms m) private pure returns (uint256[] memory factors) {
        uint256 tail = m.tailMove();
        uint256 move = m.spotMove();
        assembly ("memory-safe") {
            factors := mload(0x40)
            mstore(0x40, add(factors, 320))
            mstore(factors, SPOTS)
            let one := 1000000000000000000
            mstore(add(factors, 32), sub(one, tail))
            mstore(add(factors, 64), add(one, tail))
            mstore(add(factors, 96), sub(one, move))
            mstore(add(factors, 288), add(one, move))
            tail := div(shl(1, move), 3)
            mstore(add(factors, 128), sub(one, tail))
            mstore(add(factors, 256), add(one, tail))
            move := div(move, 3)
            mstore(add(factors, 160), sub(one, move))
            mstore(add(factors, 192), one)
            mstore(add(factors, 224), add(one, move))
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
