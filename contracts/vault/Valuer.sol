// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {BookValue, IBookMarks} from "../interfaces/IBookMarks.sol";
import {IClearinghouse} from "../interfaces/IClearinghouse.sol";
import {IDeskVault} from "../interfaces/IDeskVault.sol";
import {Action, IMarketOracle} from "../interfaces/IMarketOracle.sol";
import {Portfolio} from "../interfaces/IRiskEngine.sol";
import {IVolSurface} from "../interfaces/IVolSurface.sol";
import {Books} from "../libraries/Books.sol";
import {Notice} from "../libraries/Notice.sol";
import {PackedLeg, SeriesId} from "../libraries/SeriesId.sol";
import {Wad} from "../libraries/Wad.sol";

/// @title What a vault's account is worth to those who leave and to those who join, and when that may be used.
/// @notice Made by its vault's constructor, which has no room for it; without storage. The bid takes the options on the
/// worse of the surface's two slices, the ask on the other, so that whoever bends the fresh one gains nothing on either
/// side before it is the reference; both move away from the middle by a width.
contract Valuer {
    using Books for Portfolio;

    /// @dev All WAD USD and signed: the account on the two slices, the lower first, and the half-width around them.
    struct Value {
        int256 low;
        int256 high;
        int256 width;
    }

    /// @dev For so long an epoch waits for the settlement price of an expired leg.
    uint256 private constant PROOF_WAIT = 1 days;

    IClearinghouse public immutable clearinghouse;
    IMarketOracle public immutable oracle;
    IBookMarks public immutable bookMarks;
    IVolSurface public immutable surface;
    uint16 public immutable underlying;

    constructor(IClearinghouse clearinghouse_, IMarketOracle oracle_, IVolSurface surface_, uint16 underlying_) {
        if (address(oracle_) == address(0) || address(surface_) == address(0)) revert IDeskVault.ZeroAddress();
        clearinghouse = clearinghouse_;
        oracle = oracle_;
        bookMarks = clearinghouse_.engine().bookMarks();
        surface = surface_;
        underlying = underlying_;
    }

    /// @notice The vault's value now, whatever the state of oracle and surface.
    /// @param vault whose account it is.
    function value(address vault, IDeskVault.VaultParameters calldata p) external view returns (Value memory) {
        (uint256 spot, ) = oracle.spot(underlying);
        return _value(clearinghouse.portfolioOf(vault), spot, p);
    }

    /// @notice The same where an epoch may be processed by it; else the reason why not.
    function checkedValue(address vault, IDeskVault.VaultParameters calldata p) external view returns (Value memory) {
        uint256 spot = oracle.check(underlying, Action.Open);
        Portfolio memory account = clearinghouse.portfolioOf(vault);
        if (account.legs.length != 0) {
            _checkMarks(p.surfaceMaxAge);
            _checkExpiriesProven(account.legs);
        }
        return _value(account, spot, p);
    }

    /// @notice Reverts where a parameter is out of its hard range.
    function checkParameters(IDeskVault.VaultParameters calldata p) external pure {
        _inRange("epochLength", p.epochLength, 1 hours, Notice.MAX_EPOCH);
        _inRange("epochWindow", p.epochWindow, 10 minutes, p.epochLength / 2);
        _inRange("surfaceMaxAge", p.surfaceMaxAge, 1 minutes, 1 days);
        _inRange("missedToWindDown", p.missedToWindDown, 2, 60);
        _inRange("minDeposit", p.minDeposit, 1e6, 1e11);
        _inRange("minRedeem", p.minRedeem, 1e12, 1e20);
        _inRange("volUncertainty", p.volUncertainty, 0, 1e18);
        _inRange("volDrift", p.volDrift, 0, 1e17);
        _inRange("feedDeviation", p.feedDeviation, 0, 1e17);
        _inRange("unwindCost", p.unwindCost, 0, 1e17);
        _inRange("managementFee", p.managementFee, 0, 5e16);
        _inRange("performanceFee", p.performanceFee, 0, 3e17);
    }

    /// @dev A commit or a trade in this block may have been made for the price of this epoch.
    function _checkMarks(uint256 maxAge) private view {
        uint256 committedAt = surface.lastCommit(underlying);
        uint256 age = block.timestamp - committedAt;
        if (age > maxAge) revert IDeskVault.SurfaceTooOld(age, maxAge);
        uint256 tradedAt = clearinghouse.lastVaultTrade();
        if (age == 0 || tradedAt == block.timestamp) revert IDeskVault.MarkedInThisBlock(committedAt, tradedAt);
    }

    /// @dev Until its price is proven an expired leg is valued at spot, and whoever knows the round that will settle it
    /// knows by how much that is wrong. Anyone can prove it; where the feed allows no proof, epochs go on after a while.
    function _checkExpiriesProven(PackedLeg[] memory legs) private view {
        uint56 known;
        for (uint256 i = 0; i < legs.length; ++i) {
            SeriesId series = legs[i].series();
            uint256 expiry = series.expiry();
            if (expiry > block.timestamp || series.expiryKey() == known) continue;
            known = series.expiryKey();
            if (block.timestamp >= expiry + PROOF_WAIT) continue;
            if (oracle.settlementPrice(series.underlying(), series.expiry()) == 0) {
                revert IDeskVault.ExpiryNotProven(series.underlying(), series.expiry());
            }
        }
    }

    /// @dev Base and hedges at the oracle price, options on both slices, sensitivities on the fresh one.
    function _value(
        Portfolio memory account,
        uint256 spot,
        IDeskVault.VaultParameters calldata p
    ) private view returns (Value memory v) {
        (int256 delta, int256 total, uint256 gross) = account.hedge(underlying);
        total += Wad.mulSignedDown(delta, int256(spot));
        (v.low, v.high) = (total, total);
        v.width = int256(Wad.mulUp(Wad.mulUp(gross, spot), p.unwindCost));
        if (account.legs.length != 0) {
            BookValue memory options = bookMarks.ofBook(account.legs, underlying, spot);
            delta += options.delta;
            v.width += int256(Wad.mulUp(Wad.abs(options.vega), _volWidth(p)));
            _addOptions(v, options);
        }
        v.width += int256(Wad.mulUp(Wad.mulUp(Wad.abs(delta), spot), p.feedDeviation));
    }

    /// @dev The whole book by one slice or by the other: a commit holds every live expiry.
    function _addOptions(Value memory v, BookValue memory b) private pure {
        (int256 low, int256 high) = b.fresh < b.aged ? (b.fresh, b.aged) : (b.aged, b.fresh);
        (v.low, v.high) = (v.low + low, v.high + high);
    }

    function _volWidth(IDeskVault.VaultParameters calldata p) private view returns (uint256) {
        return p.volUncertainty + (p.volDrift * (block.timestamp - surface.lastCommit(underlying))) / 1 hours;
    }

    function _inRange(string memory name, uint256 given, uint256 low, uint256 high) private pure {
        if (given < low || given > high) revert IDeskVault.VaultParameterOutOfRange(name, given, low, high);
    }
}
