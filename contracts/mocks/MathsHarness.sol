// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {BlackScholes} from "../libraries/BlackScholes.sol";
import {Gaussian} from "../libraries/Gaussian.sol";
import {ScenarioKernel} from "../libraries/ScenarioKernel.sol";
import {ScenarioSums} from "../libraries/ScenarioSums.sol";
import {SeriesId, SeriesIdLib} from "../libraries/SeriesId.sol";
import {Svi} from "../libraries/Svi.sol";
import {Wad} from "../libraries/Wad.sol";

/// @notice The libraries as external functions; the dense ones take whole grids, one call for thousands of points.
contract MathsHarness {
    struct Option {
        bool isCall;
        uint256 forward;
        uint256 strike;
        uint256 vol;
        uint256 tau;
        uint256 discount;
    }

    struct Output {
        uint256 value;
        int256 delta;
        uint256 gamma;
        uint256 vega;
        int256 theta;
    }

    /// @dev Read after the clock has stopped, so that no output can be optimised away.
    error Unreachable(uint256 digest);

    function exps(int256[] calldata x) external pure returns (uint256[] memory r) {
        r = new uint256[](x.length);
        for (uint256 i = 0; i < x.length; ++i) r[i] = Wad.exp(x[i]);
    }

    function lns(int256[] calldata x) external pure returns (int256[] memory r) {
        r = new int256[](x.length);
        for (uint256 i = 0; i < x.length; ++i) r[i] = Wad.ln(x[i]);
    }

    function lnRatios(uint256[] calldata a, uint256[] calldata b) external pure returns (int256[] memory r) {
        r = new int256[](a.length);
        for (uint256 i = 0; i < a.length; ++i) r[i] = Wad.lnRatio(a[i], b[i]);
    }

    function gaussians(int256[] calldata x) external pure returns (uint256[] memory cdf, uint256[] memory pdf) {
        cdf = new uint256[](x.length);
        pdf = new uint256[](x.length);
        for (uint256 i = 0; i < x.length; ++i) (cdf[i], pdf[i]) = (Gaussian.cdf(x[i]), Gaussian.pdf(x[i]));
    }

    function prices(Option[] calldata o) external pure returns (uint256[] memory r) {
        r = new uint256[](o.length);
        for (uint256 i = 0; i < o.length; ++i) {
            r[i] = BlackScholes.price(o[i].isCall, o[i].forward, o[i].strike, o[i].vol, o[i].tau, o[i].discount);
        }
    }

    function greeks(Option[] calldata o) external pure returns (Output[] memory r) {
        r = new Output[](o.length);
        for (uint256 i = 0; i < o.length; ++i) {
            (uint256 value, int256 delta, uint256 gamma, uint256 vega, int256 theta) = BlackScholes.greeks(
                o[i].isCall,
                o[i].forward,
                o[i].strike,
                o[i].vol,
                o[i].tau,
                o[i].discount
            );
            r[i] = Output(value, delta, gamma, vega, theta);
        }
    }

    /// @notice One option by the scenario kernel, for each factor its value at its volatility, twice it (at most 10) and
    /// half of it, and the error bound; the tails, the first two factors, have the second volatility alone.
    function scenarios(
        address table,
        Option calldata o,
        int256 size,
        uint256[] calldata factors
    ) external view returns (int256[4][] memory r) {
        ScenarioKernel.load(table);
        ScenarioKernel.checkFactors(factors);
        ScenarioKernel.Grid grid = ScenarioKernel.grid(factors);
        int256 k = ScenarioKernel.logRatio(o.forward, o.strike);
        uint256 root = ScenarioKernel.rootOf(o.tau);
        int256 x = (size * int256(o.strike)) / 1e18;
        uint256[3] memory vols = [o.vol, Math.min(o.vol * 2, 10e18), o.vol / 2];
        int256 f = (size * int256(o.forward)) / 1e18;
        ScenarioKernel.add(grid, k, root, vols[0], vols[1], vols[2], f, x);
        if (!o.isCall) ScenarioKernel.turn(grid, f, x);
        r = new int256[4][](factors.length);
        for (uint256 i = 0; i < factors.length; ++i) {
            if (i < 2) (r[i][1], , ) = ScenarioSums.valuesAt(grid, i);
            else (r[i][0], r[i][1], r[i][2]) = ScenarioSums.valuesAt(grid, i);
            r[i][3] = ScenarioSums.errorAt(grid, i);
        }
    }

    /// @notice Gas of Svi.totalVariance alone.
    function totalVarianceGas(uint256 packedSlice, int256 logMoneyness) external view returns (uint256 gasUsed) {
        uint256 before = gasleft();
        uint256 w = Svi.totalVariance(packedSlice, logMoneyness);
        gasUsed = before - gasleft();
        if (w == type(uint256).max) revert Unreachable(w);
    }

    function volsAndSlopes(
        uint256 slice,
        int256[] calldata k,
        uint256 tauAtCommit
    ) external pure returns (uint256[] memory vols, int256[] memory slopes) {
        vols = new uint256[](k.length);
        slopes = new int256[](k.length);
        for (uint256 i = 0; i < k.length; ++i) (vols[i], slopes[i]) = Svi.volAndSlope(slice, k[i], tauAtCommit);
    }

    function smileDelta(int256 delta, uint256 vega, int256 slope, uint256 forward) external pure returns (int256) {
        return Svi.smileDelta(delta, vega, slope, forward);
    }

    /// @notice Gas of the volatility alone and with its slope.
    function volGas(
        uint256 slice,
        int256 k,
        uint256 tauAtCommit
    ) external view returns (uint256 alone, uint256 withSlope) {
        uint256 before = gasleft();
        uint256 vol = Svi.impliedVol(slice, k, tauAtCommit);
        alone = before - gasleft();
        before = gasleft();
        (uint256 same, int256 slope) = Svi.volAndSlope(slice, k, tauAtCommit);
        withSlope = before - gasleft();
        if (vol ^ same ^ uint256(slope) == type(uint256).max) revert Unreachable(vol);
    }

    function products(int256 a, int256 b) external pure returns (int256 down, int256 up, int256 towardZero) {
        return (Wad.mulSignedDown(a, b), Wad.mulSignedUp(a, b), Wad.mulTowardZero(a, b));
    }

    function roundings(
        uint256 a,
        uint256 b
    ) external pure returns (uint256 mulDown, uint256 mulUp, uint256 divDown, uint256 divUp) {
        return (Wad.mulDown(a, b), Wad.mulUp(a, b), Wad.divDown(a, b), Wad.divUp(a, b));
    }

    function sviPack(int256 a, uint256 b, int256 rho, int256 m, uint256 sigma) external pure returns (uint256) {
        return Svi.pack(a, b, rho, m, sigma);
    }

    function sviUnpack(uint256 slice) external pure returns (int256, int256, int256, int256, int256) {
        return Svi.unpack(slice);
    }

    function sviValidate(uint256 slice) external pure {
        Svi.validate(slice);
    }

    function sviVariances(uint256 slice, int256[] calldata k) external pure returns (uint256[] memory w) {
        w = new uint256[](k.length);
        for (uint256 i = 0; i < k.length; ++i) w[i] = Svi.totalVariance(slice, Svi.checkedLogMoneyness(k[i]));
    }

    function sviVol(uint256 slice, int256 k, uint256 tauAtCommit) external pure returns (uint256) {
        return Svi.impliedVol(slice, k, tauAtCommit);
    }

    function sviForward(uint256 spot, int256 carry, uint256 tau) external pure returns (uint256) {
        return Svi.forward(spot, carry, tau);
    }

    function encode(uint16 underlying, uint40 expiry, uint256 strike, bool isCall) external pure returns (SeriesId) {
        return SeriesIdLib.encode(underlying, expiry, strike, isCall);
    }

    function decode(SeriesId id) external pure returns (uint16, uint40, uint256, bool, uint56) {
        return (id.underlying(), id.expiry(), id.strike(), id.isCall(), id.expiryKey());
    }

    function validateSeries(SeriesId id) external pure {
        id.validate();
    }

    function payoff(SeriesId id, uint256 price) external pure returns (uint256) {
        return id.payoff(price);
    }
}
