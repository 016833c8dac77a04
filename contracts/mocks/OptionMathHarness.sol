// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {BlackScholes} from "../libraries/BlackScholes.sol";
import {Gaussian} from "../libraries/Gaussian.sol";
import {Svi} from "../libraries/Svi.sol";

/// @notice The option maths as external functions, and the gas of the internal call alone, so that anyone can measure.
/// WAD in and out; tau in WAD years, of whole seconds.
contract OptionMathHarness {
    /// @dev Read by every measurement after the clock has stopped, so that no output can be optimised away.
    error Unreachable(uint256 digest);

    function greeks(
        bool isCall,
        uint256 forward,
        uint256 strike,
        uint256 vol,
        uint256 tau,
        uint256 discount
    ) external pure returns (uint256 price_, int256 delta, uint256 gamma, uint256 vega, int256 theta) {
        return BlackScholes.greeks(isCall, forward, strike, vol, _seconds(tau), discount);
    }

    function greeksGas(
        bool isCall,
        uint256 forward,
        uint256 strike,
        uint256 vol,
        uint256 tau,
        uint256 discount
    ) external view returns (uint256 gasUsed) {
        tau = _seconds(tau);
        uint256 before = gasleft();
        (uint256 p, int256 d, uint256 g, uint256 v, int256 t) = BlackScholes.greeks(
            isCall,
            forward,
            strike,
            vol,
            tau,
            discount
        );
        gasUsed = before - gasleft();
        _use(p ^ uint256(d) ^ g ^ v ^ uint256(t));
    }

    function price(
        bool isCall,
        uint256 forward,
        uint256 strike,
        uint256 vol,
        uint256 tau,
        uint256 discount
    ) external pure returns (uint256) {
        return BlackScholes.price(isCall, forward, strike, vol, _seconds(tau), discount);
    }

    function priceGas(
        bool isCall,
        uint256 forward,
        uint256 strike,
        uint256 vol,
        uint256 tau,
        uint256 discount
    ) external view returns (uint256 gasUsed) {
        tau = _seconds(tau);
        uint256 before = gasleft();
        uint256 p = BlackScholes.price(isCall, forward, strike, vol, tau, discount);
        gasUsed = before - gasleft();
        _use(p);
    }

    function cdf(int256 x) external pure returns (uint256) {
        return Gaussian.cdf(x);
    }

    function packSlice(int256 a, uint256 b, int256 rho, int256 m, uint256 sigma) external pure returns (uint256) {
        return Svi.pack(a, b, rho, m, sigma);
    }

    function totalVariance(uint256 packedSlice, int256 logMoneyness) external pure returns (uint256) {
        return Svi.totalVariance(packedSlice, Svi.checkedLogMoneyness(logMoneyness));
    }

    function totalVarianceGas(uint256 packedSlice, int256 logMoneyness) external view returns (uint256 gasUsed) {
        uint256 before = gasleft();
        uint256 w = Svi.totalVariance(packedSlice, logMoneyness);
        gasUsed = before - gasleft();
        _use(w);
    }

    function _seconds(uint256 tau) private pure returns (uint256) {
        return (tau * 365 days + 5e17) / 1e18;
    }

    function _use(uint256 digest) private pure {
        if (digest == type(uint256).max) revert Unreachable(digest);
    }
}
