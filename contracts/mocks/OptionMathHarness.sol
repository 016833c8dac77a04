// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {ScenarioTable} from "../ScenarioTable.sol";
import {BlackScholes} from "../libraries/BlackScholes.sol";
import {Gaussian} from "../libraries/Gaussian.sol";
import {ScenarioKernel} from "../libraries/ScenarioKernel.sol";
import {ScenarioSums} from "../libraries/ScenarioSums.sol";
import {Svi} from "../libraries/Svi.sol";

/// @notice The option maths as external functions, and the gas of the internal call alone, so that anyone can measure.
/// WAD in and out; tau in WAD years, of whole seconds.
contract OptionMathHarness {
    /// @dev An option of the book, all WAD but tau, in seconds.
    struct Option {
        bool isCall;
        uint256 forward;
        uint256 strike;
        uint256 tau;
        uint256 vol;
        uint256 up;
        uint256 down;
        int256 size;
    }

    address private immutable _scenarioTable = address(new ScenarioTable());

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

    /// @notice Gas of valuing `options` options (a seeded book) in two tails and at least `scenarios` - 2 scenarios of
    /// three volatilities at as many spots as needed (23: 2 + 7 x 3). Reading the table, the grid, preparing, valuing,
    /// reading the sums and their errors.
    function scenarioValuesGas(uint256 options, uint256 scenarios) external view returns (uint256 gasUsed) {
        address table = _scenarioTable;
        uint256 before = gasleft();
        ScenarioKernel.load(table);
        gasUsed = before - gasleft();
        Option[] memory book = _book(options);
        uint256[] memory factors = _factors((scenarios + 4) / 3);
        before = gasleft();
        int256 digest = _value(book, factors);
        gasUsed += before - gasleft();
        _use(uint256(digest));
    }

    function _value(Option[] memory book, uint256[] memory factors) private pure returns (int256 digest) {
        ScenarioKernel.Grid grid = ScenarioKernel.grid(factors);
        for (uint256 i = 0; i < book.length; ++i) {
            Option memory o = book[i];
            int256 k = ScenarioKernel.logRatio(o.forward, o.strike);
            uint256 root = ScenarioKernel.rootOf(o.tau);
            // The book's numbers are small: see _book.
            unchecked {
                int256 f = (o.size * int256(o.forward)) / 1e18;
                int256 x = (o.size * int256(o.strike)) / 1e18;
                ScenarioKernel.add(grid, k, root, o.vol, o.up, o.down, f, x);
                if (!o.isCall) ScenarioKernel.turn(grid, f, x);
            }
        }
        for (uint256 i = 0; i < 2; ++i) digest ^= ScenarioSums.valueAt(grid, i);
        for (uint256 i = 2; i < factors.length; ++i) {
            (int256 a, int256 b, int256 c) = ScenarioSums.valuesAt(grid, i);
            digest ^= (a ^ b ^ c) + ScenarioSums.errorAt(grid, i);
        }
    }

    /// @dev Calls and puts on 2,000 USD, strikes 70 to 130 %, one to twelve weeks, volatility 50 to 110 %.
    function _book(uint256 options) private pure returns (Option[] memory book) {
        book = new Option[](options);
        for (uint256 i = 0; i < options; ++i) {
            uint256 seed = uint256(keccak256(abi.encode(i)));
            uint256 vol = 5e17 + ((seed >> 128) % 60) * 1e16;
            uint256 strike = 1_400e18 + (seed % 121) * 10e18;
            uint256 tau = (1 + ((seed >> 64) % 12)) * 7 days;
            book[i] = Option(seed >> 255 == 1, 2_000e18, strike, tau, vol, (vol * 145) / 100, (vol * 70) / 100, 1e18);
        }
    }

    /// @dev Tails of -50 and +50 %, then spot factors from 0.8 to 1.2.
    function _factors(uint256 count) private pure returns (uint256[] memory factors) {
        factors = new uint256[](count);
        for (uint256 i = 2; i < count; ++i) factors[i] = count == 3 ? 1e18 : 8e17 + ((i - 2) * 4e17) / (count - 3);
        (factors[0], factors[1]) = (5e17, 15e17);
    }

    function _seconds(uint256 tau) private pure returns (uint256) {
        // What would overflow is out of range as it is, and refused by that name.
        return tau > 1e36 ? tau : (tau * 365 days + 5e17) / 1e18;
    }

    function _use(uint256 digest) private pure {
        if (digest == type(uint256).max) revert Unreachable(digest);
    }
}
