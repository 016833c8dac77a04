// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {IOptionDesk} from "../interfaces/IOptionDesk.sol";
import {DeskTerms, DeskTermsLib} from "./DeskTerms.sol";

/// @title Hard ranges of what governance and the quoter may set. Made by the desk, which would be too large with them.
contract DeskRanges {
    uint16 private constant NEUTRAL = 10_000;
    uint16 private constant LEAST_SPREAD = 7_000;
    uint16 private constant MOST_SPREAD = 16_000;
    uint16 private constant LEAST_LIMIT = 4_000;

    /// @notice Reverts with DeskParameterOutOfRange, or DeskParameterTooFine for what is no whole number of millionths.
    function packed(IOptionDesk.DeskParameters calldata p) external pure returns (DeskTerms memory) {
        _whole("volSpread", p.volSpread, 0, 5e17);
        _whole("minSpread", p.minSpread, 1e12, 18e18);
        _whole("latencyFloor", p.latencyFloor, 0, 5e16);
        _whole("takerFee", p.takerFee, 0, 1e16);
        _whole("feeCap", p.feeCap, 0, 5e17);
        _whole("vegaSkew", p.vegaSkew, 0, 5e17);
        _whole("gammaSkew", p.gammaSkew, 0, 1e17);
        _whole("deltaSkew", p.deltaSkew, 0, 5e16);
        _whole("hedgeFee", p.hedgeFee, 0, 5e16);
        _whole("hedgeImpact", p.hedgeImpact, 0, 1e17);
        _whole("rfqBand", p.rfqBand, 0, 2e17);
        _whole("maxUtilisation", p.maxUtilisation, 1e17, 1e18);
        _whole("vegaLimit", p.vegaLimit, 1e18, 1e28);
        _whole("gammaLimit", p.gammaLimit, 1e18, 1e30);
        _whole("deltaScale", p.deltaScale, 1e16, 1e26);
        _whole("expiryLimit", p.expiryLimit, 1e16, 1e26);
        _whole("hedgeGas", p.hedgeGas, 0, 1000e18);
        _whole("minSize", p.minSize, 1e14, 1e21);
        _inRange("openCutoff", p.openCutoff, 0, 1 days);
        _inRange("stanceMaxAge", p.stanceMaxAge, 60, 7 days);
        return DeskTermsLib.pack(p);
    }

    /// @notice Reverts with StanceOutOfRange.
    function checkStance(IOptionDesk.Stance calldata s) external pure {
        _stance("bidSpread", s.bidSpread, LEAST_SPREAD, MOST_SPREAD);
        _stance("askSpread", s.askSpread, LEAST_SPREAD, MOST_SPREAD);
        _stance("bidLimit", s.bidLimit, LEAST_LIMIT, NEUTRAL);
        _stance("askLimit", s.askLimit, LEAST_LIMIT, NEUTRAL);
    }

    function _whole(string memory name, uint256 value, uint256 low, uint256 high) private pure {
        _inRange(name, value, low, high);
        if (value % DeskTermsLib.MILLIONTH != 0) revert IOptionDesk.DeskParameterTooFine(name, value);
    }

    function _inRange(string memory name, uint256 value, uint256 low, uint256 high) private pure {
        if (value < low || value > high) revert IOptionDesk.DeskParameterOutOfRange(name, value, low, high);
    }

    function _stance(string memory name, uint16 value, uint16 low, uint16 high) private pure {
        if (value < low || value > high) revert IOptionDesk.StanceOutOfRange(name, value, low, high);
    }
}
