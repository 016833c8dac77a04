// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {PackedLeg} from "../libraries/SeriesId.sol";
import {IBookMarks} from "./IBookMarks.sol";

/// @notice One hedge venue of an account, valued by the core at its own oracle price.
/// @param base WAD ETH, negative for a short.
/// @param quote WAD USD, debt and collateral included.
/// @param threshold WAD; at a base price S the venue liquidates a short when quote x threshold < |base| S, and a long
/// when base S x threshold < |quote|. 0 where nothing can be liquidated.
/// @param penalty WAD share of the liquidated base's value that a liquidation costs.
/// @param underlying market id of `base`.
struct Hedge {
    int256 base;
    int256 quote;
    uint256 threshold;
    uint256 penalty;
    uint16 underlying;
}

/// @notice An account as the risk engine sees it.
/// @param underlying market id of `base` and of the hedges.
/// @param cash WAD USD, signed; what the account owes to insurance is taken off.
/// @param base WETH in wei.
/// @param hedges venues that hold something.
/// @param legs open option legs, of any registered underlyings, in any order.
struct Portfolio {
    uint16 underlying;
    int256 cash;
    uint256 base;
    Hedge[] hedges;
    PackedLeg[] legs;
}

/// @notice Sensitivities to the spot of one underlying.
/// @param delta ETH.
/// @param gamma ETH per USD.
/// @param vega USD per
/// 1.00 of volatility.
/// @param theta USD per year. All WAD.
struct Greeks {
    int256 delta;
    int256 gamma;
    int256 vega;
    int256 theta;
}

/// @notice Which of a surface's two slices marks an expiry: the last commit, or the one that is old enough for nobody
/// to have made it for the moment.
enum Slice {
    Fresh,
    Reference
}

/// @title Greeks, mark value and margin, recomputed in full at every call: there is no cache to go stale.
/// @notice Legs of an expired series are valued at the proven settlement price, or at spot until there is one, with
/// Greeks of zero: nothing here reverts because one leg has expired.
interface IRiskEngine {
    /// @param spotMove WAD, the largest spot move of the grid, e.g. 0.2e18: seven moves from -spotMove to +spotMove.
    /// @param volUp
    /// @param volDown WAD relative
    /// volatility moves at 30 days; they scale with the square root of 30 days over tau, tau at least 7 days.
    /// @param tailMove WAD, two spot moves far outside the grid, both with volatility up.
    /// @param tailWeight WAD share of a tail's loss that counts.
    /// @param shortFloor WAD share of spot per short contract below which the scenario loss does not go.
    /// @param contingency WAD share of spot per short contract, added.
    /// @param baseHaircut WAD share of the value of WETH collateral, added.
    /// @param maintenanceShare WAD share of the initial margin.
    struct MarginParameters {
        uint64 spotMove;
        uint64 volUp;
        uint64 volDown;
        uint64 tailMove;
        uint64 tailWeight;
        uint64 shortFloor;
        uint64 contingency;
        uint64 baseHaircut;
        uint64 maintenanceShare;
    }

    event MarginParametersSet(MarginParameters parameters);

    error MarginParameterTooFine(MarginParameters parameters);
    error MarginParameterOutOfRange(string name, uint256 value, uint256 low, uint256 high);

    /// @notice Governance only; every field has a hard range and is a whole number of millionths.
    function setParameters(MarginParameters calldata p) external;

    function parameters() external view returns (MarginParameters memory);

    /// @notice Marks of whole books, by the same oracle and surface.
    function bookMarks() external view returns (IBookMarks);

    /// @notice Portfolio margin: for each underlying the worst loss of options, base collateral and hedges together over
    /// 23 scenarios (7 spot moves x volatility as it is, up and down, and two weighted tails), at least the floor of its
    /// short contracts, plus their contingency and the haircut of base collateral; underlyings are added, without credit
    /// for correlation. A hedge that its venue would liquidate in a scenario counts as closed there at a penalty.
    /// @dev Measured: 184 k gas for 16 legs of 16 strikes in four expiries, all cold; 90 k for 16 of 8 strikes in one, warm.
    /// Marks here come from the scenario kernel, whose error it takes against the account: `equity_` is below
    /// `equity()` by no more than that.
    /// @return equity_ WAD USD.
    /// @return initial
    /// @return maintenance WAD USD.
    function margin(
        Portfolio calldata portfolio,
        Slice slice
    ) external view returns (int256 equity_, uint256 initial, uint256 maintenance);
}
