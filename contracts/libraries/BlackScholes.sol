// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

/* solhint-disable no-inline-assembly, function-max-lines */
import {BlackScholesEdges} from "./BlackScholesEdges.sol";
// solhint-disable-next-line no-global-import
import "./MathsConstants.sol";

/// @title Black (1976) price and Greeks of a European option on a forward.
/// @notice Source: Black (1976), "The pricing of commodity contracts", Journal of Financial Economics 3, eq. 16;
/// Greeks as in Haug (2007), "The complete guide to option pricing formulas", chapter 2. d1 = ln(F/K)/s + s/2,
/// d2 = d1 - s, s = vol sqrt(tau). WAD in and out; tau in seconds, a year has 365 days.
/// Domain: forward and strike in [1, 2^96] WAD units, vol up to 1,000 %, tau up to 10 years, discount up to 1; outside
/// it named errors. Below s = 2^-24 the value is intrinsic, delta is 0 or +-1 (0 at the money), the rest 0.
/// Errors (docs/maths.md): price below 1e-15 of the larger of forward and strike, delta below 2e-15; gamma, vega and
/// theta below 1e-15 in units of 1 / (F s), F sqrt(tau) and F vol / sqrt(tau). The price is never below the discounted
/// intrinsic value, nor above discount x forward (call) or strike (put); call - put = discount (F - K) within 1 wei.
/// @dev Mills ratio R(x) = N(-x) / phi(x): N(d) = [d >= 0] - phi(d) Q(d), with Q(d) = sign(d) R(|d|), and since
/// F phi(d1) = K phi(d2), call = F [d1 >= 0] - K [d2 >= 0] - F phi(d1) (Q(d1) - Q(d2)): one exponential and no
/// cancellation in the wings. A put takes [d >= 0] - 1. Signs are masks of sar(255, d), so there is no branch but the
/// one for what is unusual. Formats: s Q72, ln Q128, deviations, density and R Q56. Why no denominator is zero:
/// scripts/maths/denominators.py. Measured: 1,287 gas for all five; 4,155 for price and delta in plain Solidity.
library BlackScholes {
    uint256 internal constant YEAR = BlackScholesEdges.YEAR;
    uint256 internal constant MAX_TAU = BlackScholesEdges.MAX_TAU;
    uint256 internal constant MAX_VOL = BlackScholesEdges.MAX_VOL;
    uint256 internal constant MAX_PRICE = BlackScholesEdges.MAX_PRICE;

    /// @notice All five in one call, every sub-result shared.
    /// @return value USD per contract, rounded down.
    /// @return delta dValue/dForward.
    /// @return gamma d2Value/dForward2, per USD.
    /// @return vega USD per 1.00 of volatility.
    /// @return theta USD per year at fixed forward and discount: -D F phi(d1) vol / (2 sqrt(tau)).
    function greeks(
        bool isCall,
        uint256 forward,
        uint256 strike,
        uint256 vol,
        uint256 tau,
        uint256 discount
    ) internal pure returns (uint256 value, int256 delta, uint256 gamma, uint256 vega, int256 theta) {
        int256 k;
        uint256 s;
        bool unusual;
        bool aside;
        assembly ("memory-safe") {
            // s: a rational seed of sqrt(tau) and three Newton steps, each doubling the unit.
            s := add(sub(tau, div(ROOT_A3, add(tau, ROOT_B3))), ROOT_B2)
            s := sub(add(tau, ROOT_B1), div(ROOT_A2, s))
            s := sub(ROOT_C0, div(ROOT_A1, s))
            s := add(s, div(shl(120, tau), s))
            s := add(s, div(shl(122, tau), s))
            s := add(s, div(shl(124, tau), s))
            s := shr(128, mul(mul(s, vol), ROOT_SCALE))
            // k = ln(F/K) = 2 atanh z, z = (F - K) / (F + K).
            k := sdiv(shl(96, sub(forward, strike)), add(forward, strike))
            let y := shr(96, mul(k, k))
            unusual := or(lt(s, 0x1000000000000), shr(96, sub(or(forward, strike), 1)))
            unusual := or(unusual, gt(vol, 10000000000000000000))
            unusual := or(unusual, gt(discount, 1000000000000000000))
            unusual := or(unusual, gt(sub(tau, ROOT_LOW), ROOT_SPAN))
            aside := or(unusual, gt(y, LN_LIMIT))
            let w := sub(sub(LN_B3, y), div(LN_A4, sub(LN_B4, y)))
            w := sub(sub(LN_B2, y), div(LN_A3, w))
            w := sub(sub(LN_B1, y), div(LN_A2, w))
            k := sar(64, mul(k, add(LN_C0, div(LN_A1, w))))
        }
        if (aside) {
            // A zero passes the check by bits, but it is far from the other price.
            assembly ("memory-safe") {
                unusual := or(unusual, iszero(mul(forward, strike)))
            }
            if (unusual) (k, s) = BlackScholesEdges.repair(isCall, forward, strike, vol, tau, discount, k, s);
            else k = BlackScholesEdges.lnFar(forward, strike);
        }
        assembly ("memory-safe") {
            let x1 := sdiv(k, s)
            let h := shr(17, s)
            let x2 := sub(x1, h)
            x1 := add(x1, h)
            // exp(-d1^2 / 2) = 2^-n 2^-(g + 1/2), 2^-g = (c - g) / (c + g).
            let g := shr(120, mul(mul(x1, x1), HALF_LOG2_E))
            let n := shr(56, g)
            g := sub(and(g, 0xffffffffffffff), 0x80000000000000)
            let phi := mul(g, g)
            phi := sub(POWER_C0, div(POWER_A1, sub(add(phi, POWER_B1), div(POWER_A2, add(phi, POWER_B2)))))
            phi := shr(n, div(mul(sub(phi, g), mul(discount, DENSITY)), add(phi, g)))
            let m1 := sar(255, x1)
            x1 := xor(x1, m1)
            let m2 := sar(255, x2)
            x2 := xor(x2, m2)
            // phi is the density x discount, WAD x 2^56.
            gamma := div(mul(phi, 65536000000000000000000), mul(forward, s))
            vega := mul(shr(56, mul(forward, phi)), s)
            theta := sub(0, shr(72, div(mul(vega, 15768000), mul(tau, 1000000000000000000))))
            vega := shr(72, div(vega, vol))
            delta := add(m1, isCall)
            value := mul(discount, sub(mul(forward, delta), mul(strike, add(m2, isCall))))
            delta := mul(discount, delta)
            let r1 := add(add(x1, MILLS_B6), div(MILLS_A7, add(x1, MILLS_B7)))
            r1 := add(add(x1, MILLS_B5), div(MILLS_A6, r1))
            r1 := sub(add(x1, div(MILLS_A5, r1)), MILLS_B4)
            r1 := sub(add(x1, MILLS_B3), div(MILLS_A4, r1))
            r1 := sub(add(x1, div(MILLS_A3, r1)), MILLS_B2)
            r1 := add(add(x1, MILLS_B1), div(MILLS_A2, r1))
            r1 := xor(div(MILLS_A1, r1), m1)
            delta := sub(delta, sar(112, mul(phi, r1)))
            let r2 := add(add(x2, MILLS_B6), div(MILLS_A7, add(x2, MILLS_B7)))
            r2 := add(add(x2, MILLS_B5), div(MILLS_A6, r2))
            r2 := sub(add(x2, div(MILLS_A5, r2)), MILLS_B4)
            r2 := sub(add(x2, MILLS_B3), div(MILLS_A4, r2))
            r2 := sub(add(x2, div(MILLS_A3, r2)), MILLS_B2)
            r2 := add(add(x2, MILLS_B1), div(MILLS_A2, r2))
            r1 := sub(r1, xor(div(MILLS_A1, r2), m2))
            value := div(sub(value, sar(56, mul(forward, sar(56, mul(phi, r1))))), 1000000000000000000)
        }
    }

    /// @notice Price alone, the same integer as that of `greeks`.
    /// @dev Written out again: one function for what both have in common was measured to cost 78 gas there, 68 here.
    function price(
        bool isCall,
        uint256 forward,
        uint256 strike,
        uint256 vol,
        uint256 tau,
        uint256 discount
    ) internal pure returns (uint256 value) {
        int256 k;
        uint256 s;
        bool unusual;
        bool aside;
        assembly ("memory-safe") {
            // s: a rational seed of sqrt(tau) and three Newton steps, each doubling the unit.
            s := add(sub(tau, div(ROOT_A3, add(tau, ROOT_B3))), ROOT_B2)
            s := sub(add(tau, ROOT_B1), div(ROOT_A2, s))
            s := sub(ROOT_C0, div(ROOT_A1, s))
            s := add(s, div(shl(120, tau), s))
            s := add(s, div(shl(122, tau), s))
            s := add(s, div(shl(124, tau), s))
            s := shr(128, mul(mul(s, vol), ROOT_SCALE))
            // k = ln(F/K) = 2 atanh z, z = (F - K) / (F + K).
            k := sdiv(shl(96, sub(forward, strike)), add(forward, strike))
            let y := shr(96, mul(k, k))
            unusual := or(lt(s, 0x1000000000000), shr(96, sub(or(forward, strike), 1)))
            unusual := or(unusual, gt(vol, 10000000000000000000))
            unusual := or(unusual, gt(discount, 1000000000000000000))
            unusual := or(unusual, gt(sub(tau, ROOT_LOW), ROOT_SPAN))
            aside := or(unusual, gt(y, LN_LIMIT))
            let w := sub(sub(LN_B3, y), div(LN_A4, sub(LN_B4, y)))
            w := sub(sub(LN_B2, y), div(LN_A3, w))
            w := sub(sub(LN_B1, y), div(LN_A2, w))
            k := sar(64, mul(k, add(LN_C0, div(LN_A1, w))))
        }
        if (aside) {
            // A zero passes the check by bits, but it is far from the other price.
            assembly ("memory-safe") {
                unusual := or(unusual, iszero(mul(forward, strike)))
            }
            if (unusual) (k, s) = BlackScholesEdges.repair(isCall, forward, strike, vol, tau, discount, k, s);
            else k = BlackScholesEdges.lnFar(forward, strike);
        }
        assembly ("memory-safe") {
            let x1 := sdiv(k, s)
            let h := shr(17, s)
            let x2 := sub(x1, h)
            x1 := add(x1, h)
            // exp(-d1^2 / 2) = 2^-n 2^-(g + 1/2), 2^-g = (c - g) / (c + g).
            let g := shr(120, mul(mul(x1, x1), HALF_LOG2_E))
            let n := shr(56, g)
            g := sub(and(g, 0xffffffffffffff), 0x80000000000000)
            let phi := mul(g, g)
            phi := sub(POWER_C0, div(POWER_A1, sub(add(phi, POWER_B1), div(POWER_A2, add(phi, POWER_B2)))))
            phi := shr(n, div(mul(sub(phi, g), mul(discount, DENSITY)), add(phi, g)))
            let m1 := sar(255, x1)
            x1 := xor(x1, m1)
            let m2 := sar(255, x2)
            x2 := xor(x2, m2)
            value := sub(mul(forward, add(m1, isCall)), mul(strike, add(m2, isCall)))
            value := mul(discount, value)
            let r1 := add(add(x1, MILLS_B6), div(MILLS_A7, add(x1, MILLS_B7)))
            r1 := add(add(x1, MILLS_B5), div(MILLS_A6, r1))
            r1 := sub(add(x1, div(MILLS_A5, r1)), MILLS_B4)
            r1 := sub(add(x1, MILLS_B3), div(MILLS_A4, r1))
            r1 := sub(add(x1, div(MILLS_A3, r1)), MILLS_B2)
            r1 := add(add(x1, MILLS_B1), div(MILLS_A2, r1))
            r1 := xor(div(MILLS_A1, r1), m1)
            let r2 := add(add(x2, MILLS_B6), div(MILLS_A7, add(x2, MILLS_B7)))
            r2 := add(add(x2, MILLS_B5), div(MILLS_A6, r2))
            r2 := sub(add(x2, div(MILLS_A5, r2)), MILLS_B4)
            r2 := sub(add(x2, MILLS_B3), div(MILLS_A4, r2))
            r2 := sub(add(x2, div(MILLS_A3, r2)), MILLS_B2)
            r2 := add(add(x2, MILLS_B1), div(MILLS_A2, r2))
            r1 := sub(r1, xor(div(MILLS_A1, r2), m2))
            value := div(sub(value, sar(56, mul(forward, sar(56, mul(phi, r1))))), 1000000000000000000)
        }
    }
}
