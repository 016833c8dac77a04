// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {Gaussian} from "./Gaussian.sol";
import {Wad} from "./Wad.sol";

/// @title Black (1976) price and Greeks of a European option on a forward.
/// @notice Source: Black (1976), "The pricing of commodity contracts", Journal of Financial Economics 3, eq. 16;
/// Greeks as in Haug (2007), "The complete guide to option pricing formulas", chapter 2. d1 = ln(F/K)/s + s/2,
/// d2 = d1 - s, s = vol sqrt(tau). Absolute error of the price below 1e-15 of the larger of forward and
/// strike, for both in [1e-6, 1e12] USD, tau from 1 second to 10 years, vol up to 1,000 %; of delta below 1e-12, of
/// gamma, vega and theta below 1e-12 in units of 1 / (F s), F sqrt(tau) and F vol / sqrt(tau), with sums of a few wei.
/// @dev WAD in and out; tau in seconds, a year has 365 days. Prices round down; the Greeks have no direction.
library BlackScholes {
    using Wad for uint256;

    uint256 internal constant YEAR = 365 days;
    uint256 internal constant MAX_TAU = 10 * YEAR;
    uint256 internal constant MAX_VOL = 10e18;
    uint256 private constant MAX_PRICE = 1e30;

    /// @param price USD per contract, WAD.
    /// @param delta dPrice/dForward, WAD.
    /// @param gamma d2Price/dForward2, WAD per
    /// USD.
    /// @param vega USD per 1.00 of volatility, WAD.
    /// @param theta USD per year at fixed forward and discount, WAD.
    struct Output {
        uint256 price;
        int256 delta;
        uint256 gamma;
        uint256 vega;
        int256 theta;
    }

    error ForwardOutOfRange(uint256 forward);
    error StrikeOutOfRange(uint256 strike);
    error VolOutOfRange(uint256 vol);
    error TauOutOfRange(uint256 tau);

    /// @notice Price alone.
    function price(
        bool isCall,
        uint256 forward,
        uint256 strike,
        uint256 vol,
        uint256 tau,
        uint256 discount
    ) internal pure returns (uint256) {
        _validate(forward, strike, vol, tau);
        uint256 s = vol.mulDown(_sqrtYears(tau));
        if (s == 0) return discount.mulDown(_intrinsic(isCall, forward, strike));
        (int256 d1, int256 d2) = _d(forward, strike, s);
        return _price(isCall, forward, strike, discount, Gaussian.cdf(d1), Gaussian.cdf(d2));
    }

    /// @notice Price, delta, gamma, vega and theta in one call.
    /// @dev With no time or no volatility left the value is intrinsic, delta is 0 or +-1 (0 at the money) and the
    /// other Greeks are 0.
    function greeks(
        bool isCall,
        uint256 forward,
        uint256 strike,
        uint256 vol,
        uint256 tau,
        uint256 discount
    ) internal pure returns (Output memory o) {
        _validate(forward, strike, vol, tau);
        uint256 sqrtTau = _sqrtYears(tau);
        uint256 s = vol.mulDown(sqrtTau);
        if (s == 0) {
            o.price = discount.mulDown(_intrinsic(isCall, forward, strike));
            if (isCall && forward > strike) o.delta = int256(discount);
            if (!isCall && forward < strike) o.delta = -int256(discount);
            return o;
        }
        (int256 d1, int256 d2) = _d(forward, strike, s);
        uint256 n1 = Gaussian.cdf(d1);
        o.price = _price(isCall, forward, strike, discount, n1, Gaussian.cdf(d2));
        o.delta = int256(discount.mulDown(isCall ? n1 : Wad.ONE - n1)) * (isCall ? int256(1) : -1);
        uint256 dPhi = discount.mulDown(Gaussian.pdf(d1));
        o.gamma = (dPhi * 1e36) / (forward * s);
        o.vega = forward.mulDown(dPhi).mulDown(sqrtTau);
        o.theta = -int256((forward.mulDown(dPhi) * vol) / (2 * sqrtTau));
    }

    function _price(
        bool isCall,
        uint256 forward,
        uint256 strike,
        uint256 discount,
        uint256 n1,
        uint256 n2
    ) private pure returns (uint256) {
        // The call from the put's side and the put from the call's side would cancel; each uses its own tails.
        uint256 gain = isCall ? forward.mulDown(n1) : strike.mulDown(Wad.ONE - n2);
        uint256 cost = isCall ? strike.mulUp(n2) : forward.mulUp(Wad.ONE - n1);
        uint256 undiscounted = gain > cost ? gain - cost : 0;
        uint256 intrinsic = _intrinsic(isCall, forward, strike);
        uint256 bound = isCall ? forward : strike;
        // Rounding must not leave the no-arbitrage bounds: intrinsic <= value <= forward (call) or strike (put).
        if (undiscounted < intrinsic) undiscounted = intrinsic;
        if (undiscounted > bound) undiscounted = bound;
        return discount.mulDown(undiscounted);
    }

    function _d(uint256 forward, uint256 strike, uint256 s) private pure returns (int256 d1, int256 d2) {
        int256 x = (Wad.lnRatio(forward, strike) * 1e18) / int256(s);
        d1 = x + int256(s / 2);
        d2 = d1 - int256(s);
    }

    /// @dev sqrt(tau / YEAR) in WAD, rounded down.
    function _sqrtYears(uint256 tau) private pure returns (uint256) {
        return Math.sqrt((tau * 1e36) / YEAR);
    }

    function _intrinsic(bool isCall, uint256 forward, uint256 strike) private pure returns (uint256) {
        if (isCall) return forward > strike ? forward - strike : 0;
        return strike > forward ? strike - forward : 0;
    }

    function _validate(uint256 forward, uint256 strike, uint256 vol, uint256 tau) private pure {
        if (forward == 0 || forward > MAX_PRICE) revert ForwardOutOfRange(forward);
        if (strike == 0 || strike > MAX_PRICE) revert StrikeOutOfRange(strike);
        if (vol > MAX_VOL) revert VolOutOfRange(vol);
        if (tau > MAX_TAU) revert TauOutOfRange(tau);
    }
}
