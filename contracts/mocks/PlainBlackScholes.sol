// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {Gaussian} from "../libraries/Gaussian.sol";
import {Wad} from "../libraries/Wad.sol";

/// @title The readable specification of BlackScholes: Black (1976) in plain Solidity, as the textbook writes it.
/// @notice Differential tests compare the two. Domain and edges as there.
contract PlainBlackScholes {
    using Wad for uint256;

    uint256 private constant YEAR = 365 days;
    uint256 private constant MAX_TAU = 10 * YEAR;
    uint256 private constant MAX_VOL = 10e18;
    uint256 private constant MAX_PRICE = 1 << 96;
    /// @dev ln 2 in Q96.
    int256 private constant LN2_Q96 = 54916777467707473351141471128;

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
    ) public pure returns (Output memory o) {
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
        int256 x = (_lnRatio(forward, strike) * 1e18) / int256(s);
        d1 = x + int256(s / 2);
        d2 = d1 - int256(s);
    }

    /// @dev ln(a / b): 2^k m with m in about [0.7, 1.42), ln m = 2 atanh z, z = (m - 1) / (m + 1), by its continued
    /// fraction z / (1 - z^2 / (3 - 4 z^2 / (5 - 9 z^2 / (7 - 16 z^2 / (9 - 25 z^2 / (11 - 36 z^2 / 13)))))).
    function _lnRatio(uint256 a, uint256 b) private pure returns (int256) {
        int256 k = 0;
        while (a > (b * 3) / 2) {
            b <<= 1;
            ++k;
        }
        while (b > (a * 3) / 2) {
            a <<= 1;
            --k;
        }
        int256 z = ((int256(a) - int256(b)) << 96) / int256(a + b);
        int256 s = z * z; // Q192
        int256 d = (int256(11) << 96) - (36 * s) / (int256(13) << 96);
        d = (int256(9) << 96) - (25 * s) / d;
        d = (int256(7) << 96) - (16 * s) / d;
        d = (int256(5) << 96) - (9 * s) / d;
        d = (int256(3) << 96) - (4 * s) / d;
        d = (int256(1) << 96) - s / d;
        int256 lnQ96 = ((2 * z) << 96) / d + k * LN2_Q96;
        return (lnQ96 * 1e18) / (int256(1) << 96);
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
